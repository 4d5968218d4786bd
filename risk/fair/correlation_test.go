package fair

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func matrixOf(t *testing.T, raw json.RawMessage) [][]float64 {
	t.Helper()
	var m [][]any
	require.NoError(t, json.Unmarshal(raw, &m))
	out := make([][]float64, len(m))
	for i, row := range m {
		for _, x := range row {
			f, ok := x.(float64)
			if !ok {
				f = math.NaN()
			}
			out[i] = append(out[i], f)
		}
	}
	return out
}

// TestCopulaOracles simulates the portfolios of the oracles. What is a closed form of
// the bivariate normal integral is tested by what it says of simulated years.
func TestCopulaOracles(t *testing.T) {
	const n = 1 << 18
	for _, c := range oracles(t, "copula.json") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct {
				Kind             string
				P, Losses, Rates []float64
				Correlation      json.RawMessage
				Severities       []json.RawMessage
			}](t, c.Input)
			var p Portfolio
			add := func(f Freq, d Dist) {
				s := single(f, d)
				s.ID = string(rune('a' + len(p.Scenarios)))
				p.Scenarios = append(p.Scenarios, s)
			}
			if in.Kind == "matrix" {
				err := Correlation{Matrix: matrixOf(t, in.Correlation)}.Check()
				if string(c.Expect[0].Value) == "true" {
					require.ErrorIs(t, err, ErrInvalid)
				} else {
					require.NoError(t, err)
				}
				return
			}
			for i, q := range in.P {
				loss := math.Pow(2, float64(i)) // of a pair: the total says which happened
				if in.Losses != nil {
					loss = in.Losses[i]
				}
				add(mustFreq(AtMostOnce(must(Constant(q)))), must(Constant(loss)))
			}
			for i, rate := range in.Rates {
				add(mustFreq(Poisson(must(Constant(rate)))), distOf(t, in.Severities[i]))
			}
			rho := decode[float64](t, in.Correlation)
			c2 := &Correlation{}
			for i, s := range p.Scenarios {
				c2.Scenarios = append(c2.Scenarios, s.ID)
				row := make([]float64, len(p.Scenarios))
				for j := range row {
					row[j] = rho
				}
				row[i] = 1
				c2.Matrix = append(c2.Matrix, row)
			}
			p.Frequencies = c2
			r := simulate(t, p, &Options{Years: n, Seed: 5, Detail: true})
			share := func(e expectation, k float64) {
				t.Helper()
				q := e.number(t)
				require.InDelta(t, q*n, k, 5*math.Sqrt(n*q*(1-q))+1, e.Q)
			}
			a, _ := r.Part("a")
			b, _ := r.Part("b")
			any := func(r *Result) float64 { return float64(r.sorted().above(0)) }
			for _, e := range c.Expect {
				switch e.Q {
				case "jointProbability":
					share(e, float64(r.sorted().above(2.5)))
				case "indicatorCorrelation":
					pa, pb := in.P[0], in.P[1]
					joint := float64(r.sorted().above(2.5)) / n
					require.InDelta(t, e.number(t), (joint-pa*pb)/math.Sqrt(pa*(1-pa)*pb*(1-pb)), 0.02)
				case "probabilityBoth":
					share(e, any(a)+any(b)-any(r))
				case "probabilityNoEvent", "probabilityOfZero":
					share(e, n-any(r))
				case "spearmanOfLatent", "kendallOfLatent": // of the normal numbers, by their definition
					want := map[string]float64{"spearmanOfLatent": 6 / math.Pi * math.Asin(rho/2), "kendallOfLatent": 2 / math.Pi * math.Asin(rho)}[e.Q]
					e.agrees(t, want, 0)
				case "countCorrelation": // shows in the standard deviation of the total
				case "var":
					if in.Losses != nil {
						// Discrete losses: at this size the quantile is certain only where p is
						// far from a jump; P(S > value) <= 1-p < P(S >= value) must hold within the
						// sampling error.
						k := float64(r.sorted().above(e.number(t)))
						sd := 5 * math.Sqrt(n*e.P*(1-e.P))
						require.LessOrEqual(t, k, n*(1-e.P)+sd)
						k = float64(r.sorted().above(e.number(t) - 0.5))
						require.GreaterOrEqual(t, k, n*(1-e.P)-sd)
						continue
					}
					agreesSimulated(t, r, e, 0)
				default:
					agreesSimulated(t, r, e, r.SD())
				}
			}
		})
	}
}

func TestRepair(t *testing.T) {
	c := Correlation{Matrix: [][]float64{{1, 0.9, -0.9}, {0.9, 1, 0.9}, {-0.9, 0.9, 1}}}
	require.ErrorContains(t, c.Check(), "the eigenvalue -0.8")
	got, moved, err := c.Repair()
	require.NoError(t, err)
	require.NoError(t, got.Check())
	// By symmetry the nearest matrix has (r, r, -r) off the diagonal, and the smallest
	// eigenvalue 1-2r is 0 at r = 1/2.
	require.InDelta(t, 0.5, got.Matrix[0][1], 1e-6)
	require.InDelta(t, -0.5, got.Matrix[0][2], 1e-6)
	require.InDelta(t, 0.4, moved, 1e-6)
	same, moved, err := got.Repair()
	require.NoError(t, err)
	require.Equal(t, got, same)
	require.Zero(t, moved)
	_, _, err = Correlation{Matrix: [][]float64{{1, 2}, {2, 1}}}.Repair()
	require.ErrorIs(t, err, ErrInvalid)
}

// TestSeverityCorrelation: two scenarios with one event a year each and log-normal
// losses: the loss of the sum has the variance of the copula, and each scenario alone is
// as without.
func TestSeverityCorrelation(t *testing.T) {
	once := mustFreq(Binomial(1, 1))
	x := must(LognormalInterval(100, 300, 0.9)).(*lognormal)
	p := Portfolio{}
	for _, id := range []string{"a", "b"} {
		s := single(once, x)
		s.ID = id
		p.Scenarios = append(p.Scenarios, s)
	}
	for _, rho := range []float64{-0.5, 0, 0.8, 1} {
		p.Severities = &Correlation{Scenarios: []string{"a", "b"}, Matrix: [][]float64{{1, rho}, {rho, 1}}}
		r := simulate(t, p, &Options{Years: 1 << 16, Detail: true})
		cov := x.Mean() * x.Mean() * math.Expm1(rho*x.sigma*x.sigma)
		require.InEpsilon(t, math.Sqrt(2*x.Var()+2*cov), r.SD(), 0.02, "rho %v", rho)
		for _, id := range []string{"a", "b"} {
			part, _ := r.Part(id)
			require.InEpsilon(t, x.Mean(), part.Mean().Value, 0.01)
			require.InEpsilon(t, math.Sqrt(x.Var()), part.SD(), 0.03)
		}
	}
}
