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

// closedForms are the two functions that estimators of Sobol indices are tried on,
// with their exact indices.
func closedForms() map[string]struct {
	inputs       []input
	f            func(x []float64) float64
	first, total []float64
} {
	uniform := func(n int, lo, hi float64) []input {
		out := make([]input, n)
		for i := range out {
			out[i] = input{name: string(rune('a' + i)), dist: must(Uniform(lo, hi))}
		}
		return out
	}
	// Ishigami and Homma (1990) with a = 7, b = 0.1; Saltelli et al. (2008), Global
	// Sensitivity Analysis, section 4.
	const a, b = 7, 0.1
	pi4 := math.Pow(math.Pi, 4)
	v1, v2, v13 := (1+b*pi4/5)*(1+b*pi4/5)/2, a*a/8.0, b*b*pi4*pi4*(1.0/18-1.0/50)
	v := v1 + v2 + v13
	// Sobol's g function; Saltelli et al. (2010), section 5.
	as := []float64{0, 0.5, 3, 9}
	all := 1.0
	for _, a := range as {
		all *= 1 + 1/(3*(1+a)*(1+a))
	}
	var first, total []float64
	for _, a := range as {
		own := 1 / (3 * (1 + a) * (1 + a))
		first = append(first, own/(all-1))
		total = append(total, own*all/(1+own)/(all-1))
	}
	type form = struct {
		inputs       []input
		f            func(x []float64) float64
		first, total []float64
	}
	return map[string]form{
		"Ishigami": {
			uniform(3, -math.Pi, math.Pi),
			func(x []float64) float64 {
				return math.Sin(x[0]) + a*math.Sin(x[1])*math.Sin(x[1]) + b*math.Pow(x[2], 4)*math.Sin(x[0])
			},
			[]float64{v1 / v, v2 / v, 0},
			[]float64{(v1 + v13) / v, v2 / v, v13 / v},
		},
		"g function": {
			uniform(4, 0, 1),
			func(x []float64) float64 {
				y := 1.0
				for i, x := range x {
					y *= (math.Abs(4*x-2) + as[i]) / (1 + as[i])
				}
				return y
			},
			first, total,
		},
	}
}

// TestDesignClosedForms: the estimates come near the exact indices, and intervals of
// 95 % hold them about 95 times in 100.
func TestDesignClosedForms(t *testing.T) {
	for name, c := range closedForms() {
		t.Run(name, func(t *testing.T) {
			f := func(x []float64) (float64, error) { return c.f(x), nil }
			const n, seeds = 1000, 100
			inside, all := 0, 0
			for seed := range uint64(seeds) {
				d, err := newDesign(context.Background(), c.inputs, SobolOptions{Points: n, Seed: seed, Workers: 1, Level: 0.95}, f)
				require.NoError(t, err)
				for i := range c.inputs {
					for _, x := range []struct {
						e    Estimate
						want float64
					}{{d.first(i), c.first[i]}, {d.total(i), c.total[i]}} {
						require.InDelta(t, x.want, x.e.Value, 0.25)
						require.Less(t, x.e.Hi-x.e.Lo, 0.4)
						all++
						if x.e.Lo <= x.want && x.want <= x.e.Hi {
							inside++
						}
					}
				}
			}
			require.InDelta(t, 0.95, float64(inside)/float64(all), 0.025)
			d, err := newDesign(context.Background(), c.inputs, SobolOptions{Points: 1 << 17, Workers: 2, Level: 0.95}, f)
			require.NoError(t, err)
			for i := range c.inputs {
				require.InDelta(t, c.first[i], d.first(i).Value, 0.02)
				require.InDelta(t, c.total[i], d.total(i).Value, 0.02)
			}
		})
	}
}

// TestSobolDesign compares the closed form for a tree with capability and resistance
// with the estimates from a plain function of its inputs.
func TestSobolDesign(t *testing.T) {
	s := fullScenario("s")
	want, err := Sobol(s)
	require.NoError(t, err)
	inputs := s.eachInput()
	d, err := newDesign(context.Background(), inputs, SobolOptions{Points: 50_000, Workers: 2, Level: 0.95}, func(x []float64) (float64, error) {
		if x[2] <= x[3] {
			return 0, nil
		}
		return x[0] * x[1] * (x[4] + x[5]*x[6]), nil
	})
	require.NoError(t, err)
	for i, in := range inputs {
		require.Equal(t, in.name, want[i].Factor)
		require.InDelta(t, want[i].First, d.first(i).Value, 0.03, in.name)
		require.InDelta(t, want[i].Total, d.total(i).Value, 0.03, in.name)
	}
}

// TestSobolSampled: asked of the mean, the sampled indices of a full tree hold the
// exact ones in their intervals, whatever the number of workers.
func TestSobolSampled(t *testing.T) {
	s := fullScenario("s")
	want, err := Sobol(s)
	require.NoError(t, err)
	mean := func(r *Result) float64 { return r.Mean().Value }
	o := SobolOptions{Points: 500, Years: 4096, Level: 0.9999}
	got, err := SobolSampled(context.Background(), s, mean, &o)
	require.NoError(t, err)
	require.Len(t, got, len(want))
	for i, w := range want {
		require.Equal(t, w.Factor, got[i].Factor)
		require.Less(t, got[i].First.Hi-got[i].First.Lo, 1.2)
		require.Less(t, got[i].First.Lo, w.First)
		require.Greater(t, got[i].First.Hi, w.First)
		require.Less(t, got[i].Total.Lo, w.Total)
		require.Greater(t, got[i].Total.Hi, w.Total)
	}
	o.Points, o.Workers = 50, 1
	one, err := SobolSampled(context.Background(), s, mean, &o)
	require.NoError(t, err)
	o.Workers = 7
	seven, err := SobolSampled(context.Background(), s, mean, &o)
	require.NoError(t, err)
	require.Equal(t, one, seven)
}

// TestSobolSampledOfSum: the value at risk of a large sum of like losses is nearly
// linear in each input, so that its indices are nearly those of the mean; an input
// that does not vary has none.
func TestSobolSampledOfSum(t *testing.T) {
	s := single(mustFreq(Poisson(must(Uniform(20, 40)))), must(Uniform(1e4, 5e4)))
	s.Losses = append(s.Losses, PrimaryLoss(Reputation, must(Constant(10))))
	want, err := Sobol(s)
	require.NoError(t, err)
	got, err := SobolSampled(context.Background(), s, func(r *Result) float64 { return r.VaR(0.95).Value }, &SobolOptions{Points: 300, Years: 4096, Level: 0.999})
	require.NoError(t, err)
	require.Len(t, got, 3)
	for i, w := range want {
		for _, x := range []struct {
			e    Estimate
			want float64
		}{{got[i].First, w.First}, {got[i].Total, w.Total}} {
			require.LessOrEqual(t, x.e.Hi-x.e.Lo, 1.0)
			require.LessOrEqual(t, x.e.Lo-0.03, x.want, w.Factor)
			require.GreaterOrEqual(t, x.e.Hi+0.03, x.want, w.Factor)
		}
	}
	require.Equal(t, Estimate{Level: 0.999}, got[2].First)
	require.Equal(t, Estimate{Level: 0.999}, got[2].Total)
}

func TestSobolSampledProblems(t *testing.T) {
	s := single(mustFreq(Poisson(must(Constant(1)))), must(Uniform(1, 2)))
	mean := func(r *Result) float64 { return r.Mean().Value }
	_, err := SobolSampled(context.Background(), s, mean, &SobolOptions{Points: 3, Years: -1, Level: 2})
	require.EqualError(t, err, "fair: points: expected a number from 16 to 1048576, found 3; "+
		"years: expected a number from 1 to 4294967295, found -1; "+
		"level: expected a number strictly between 0 and 1, found 2")
	_, err = SobolSampled(context.Background(), s, nil, nil)
	require.EqualError(t, err, "fair: measure: expected a function of a result, found none")
	_, err = SobolSampled(context.Background(), s, func(*Result) float64 { return math.NaN() }, nil)
	require.EqualError(t, err, "fair: measure: expected a finite number, found NaN")
	_, err = SobolSampled(context.Background(), Scenario{}, mean, nil)
	require.ErrorIs(t, err, ErrInvalid)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = SobolSampled(ctx, s, mean, nil)
	require.ErrorIs(t, err, context.Canceled)
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
