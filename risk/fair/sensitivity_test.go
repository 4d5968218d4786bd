package fair

import (
	"context"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSensitivityOracles(t *testing.T) {
	for _, c := range oracles(t, "sensitivity.json") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct{ Factors map[string]json.RawMessage }](t, c.Input)
			d := func(name string) Dist { return distOf(t, in.Factors[name]) }
			s := Scenario{ID: "s"}
			names := map[string]string{}
			switch c.ID {
			case "rate-times-magnitude":
				s.Frequency = LossEvents(mustFreq(Poisson(d("lossEventFrequency"))))
				s.Losses = []Loss{PrimaryLoss(Response, d("magnitude"))}
				names = map[string]string{"lossEventFrequency": "loss event frequency", "magnitude": "response: magnitude"}
			case "with-constant":
				s.Frequency = LossEvents(mustFreq(Poisson(d("rate"))))
				s.Losses = []Loss{PrimaryLoss(Response, d("magnitude"))}
				names = map[string]string{"rate": "loss event frequency", "magnitude": "response: magnitude"}
			case "full-tree":
				s.Frequency = FromThreats(FromContacts(d("contactFrequency"), d("probabilityOfAction")), GivenSusceptibility(d("susceptibility")))
				s.Losses = []Loss{PrimaryLoss(Response, d("primary")), SecondaryLoss(Reputation, d("secondaryProbability"), d("secondary"))}
				names = map[string]string{
					"contactFrequency": "contact frequency", "probabilityOfAction": "probability of action", "susceptibility": "susceptibility",
					"primary": "loss 1 response: magnitude", "secondaryProbability": "loss 2 reputation: probability", "secondary": "loss 2 reputation: magnitude",
				}
			}
			bars, err := Tornado(s)
			require.NoError(t, err)
			indices, err := Sobol(s)
			require.NoError(t, err)
			mean, _, err := s.Moments()
			require.NoError(t, err)
			bar := func(name string) Bar {
				for _, b := range bars {
					if b.Factor == names[name] {
						return b
					}
				}
				t.Fatalf("no bar %q", name)
				return Bar{}
			}
			index := func(name string) Index {
				for _, x := range indices {
					if x.Factor == names[name] {
						return x
					}
				}
				t.Fatalf("no index %q", name)
				return Index{}
			}
			for _, e := range c.Expect {
				switch e.Q {
				case "mean":
					e.agrees(t, mean, 0)
				case "sd": // of the mean over its inputs, which the indices divide by
				case "firstOrder":
					e.agrees(t, index(e.Factor).First, 0)
				case "totalOrder":
					e.agrees(t, index(e.Factor).Total, 0)
				case "tornadoLow":
					e.agrees(t, bar(e.Factor).Low, 0)
				case "tornadoHigh":
					e.agrees(t, bar(e.Factor).High, 0)
				case "tornadoOrder":
					for i, name := range decode[[]string](t, e.Value) {
						require.Equal(t, names[name], bars[i].Factor)
					}
				default:
					t.Fatal(e.Q)
				}
			}
		})
	}
}

// TestSobolSampled compares the closed form for a tree with capability and resistance
// with the estimators of Jansen (1999) on a plain sample.
func TestSobolSampled(t *testing.T) {
	s := fullScenario("s")
	want, err := Sobol(s)
	require.NoError(t, err)
	inputs := s.eachInput()
	f := func(x []float64) float64 {
		v := 0.0
		if x[2] > x[3] {
			v = 1
		}
		return x[0] * x[1] * v * (x[4] + x[5]*x[6])
	}
	const n = 100000
	st := newStream(5, 0)
	draw := func() []float64 {
		x := make([]float64, len(inputs))
		for i, in := range inputs {
			x[i] = newQuantileTable(in.dist).at(st.next())
		}
		return x
	}
	m, q := 0.0, 0.0
	first, total := make([]float64, len(inputs)), make([]float64, len(inputs))
	for range n {
		a, b := draw(), draw()
		fa, fb := f(a), f(b)
		m += fa / n
		q += fa * fa / n
		for i := range inputs {
			c := append([]float64(nil), a...)
			c[i] = b[i]
			fc := f(c)
			first[i] += (fb - fc) * (fb - fc) / (2 * n)
			total[i] += (fa - fc) * (fa - fc) / (2 * n)
		}
	}
	v := q - m*m
	for i, in := range inputs {
		require.Equal(t, in.name, want[i].Factor)
		require.InDelta(t, want[i].First, 1-first[i]/v, 0.03, in.name)
		require.InDelta(t, want[i].Total, total[i]/v, 0.03, in.name)
	}
}

var tables = map[Dist]*sampler{}

func newQuantileTable(d Dist) *sampler {
	if tables[d] == nil {
		tables[d] = newSampler(d)
	}
	return tables[d]
}

// TestTornadoVaR checks that bars have the ends that single runs have.
func TestTornadoVaR(t *testing.T) {
	s := single(mustFreq(Poisson(must(PERT(0.1, 0.5, 4, nil)))), must(PERT(1e4, 5e4, 1e6, nil)))
	bars, err := TornadoVaR(context.Background(), s, 0.95, &Options{Years: 50000})
	require.NoError(t, err)
	require.Len(t, bars, 2)
	for _, b := range bars {
		require.Less(t, b.Low, b.High)
		require.False(t, math.IsNaN(b.Low))
	}
	low := s
	low.Frequency = LossEvents(mustFreq(Poisson(must(Constant(must(PERT(0.1, 0.5, 4, nil)).Quantile(0.1))))))
	want := simulate(t, Portfolio{Scenarios: []Scenario{low}}, &Options{Years: 50000}).VaR(0.95).Value
	for _, b := range bars {
		if b.Factor == "loss event frequency" {
			require.Equal(t, want, b.Low)
		}
	}
}

// TestSobolPoint: against a point, all the variance of the indicator is the
// capability's; at a constant frequency and magnitude it is all there is.
func TestSobolPoint(t *testing.T) {
	one := must(Constant(1))
	s := Scenario{ID: "s", Frequency: FromThreats(ThreatEvents(one), FromCapability(must(Uniform(0, 1)), must(Constant(0.3)))), Losses: []Loss{PrimaryLoss(Response, one)}}
	got, err := Sobol(s)
	require.NoError(t, err)
	for _, x := range got {
		want := 0.0
		if x.Factor == "threat capability" {
			want = 1
		}
		require.InDelta(t, want, x.First, 1e-9, x.Factor)
		require.InDelta(t, want, x.Total, 1e-9, x.Factor)
	}
}

// TestAtMostOnceInputs: the mean 1000 p of an uncertain probability p has all its
// variance from p.
func TestAtMostOnceInputs(t *testing.T) {
	s := single(mustFreq(AtMostOnce(must(Uniform(0.1, 0.9)))), must(Constant(1000)))
	bars, err := Tornado(s)
	require.NoError(t, err)
	require.Equal(t, "loss event frequency", bars[0].Factor)
	require.InDelta(t, 180, bars[0].Low, 1e-9)
	require.InDelta(t, 820, bars[0].High, 1e-9)
	got, err := Sobol(s)
	require.NoError(t, err)
	require.InDelta(t, 1, got[0].First, 1e-12)
	require.InDelta(t, 1, got[0].Total, 1e-12)
	_, err = TornadoVaR(context.Background(), s, 0.95, &Options{Years: 1000})
	require.NoError(t, err)
}
