package fair

import (
	"context"
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func single(f Freq, severity Dist) Scenario {
	return Scenario{ID: "s", Frequency: LossEvents(f), Losses: []Loss{PrimaryLoss(Response, severity)}}
}

func simulate(t testing.TB, p Portfolio, o *Options) *Result {
	t.Helper()
	r, err := Simulate(context.Background(), p, o)
	require.NoError(t, err)
	return r
}

// agreesSimulated compares a simulated result with an oracle: counts of years beyond
// a value with the binomial distribution they must have, means and tail means with
// their standard errors; five standard deviations, so that none of hundreds of
// comparisons fails by chance, and half of a count for a bucket's width.
func agreesSimulated(t *testing.T, r *Result, e expectation, sd float64) {
	t.Helper()
	n := float64(r.Years())
	const sigmas = 5
	exceeding := func(x, p float64) {
		t.Helper()
		k := float64(r.sorted().above(x))
		require.InDelta(t, n*p, k, sigmas*math.Sqrt(n*p*(1-p))+1, "%s p=%v x=%v: %v years beyond", e.Q, e.P, x, k)
	}
	switch e.Q {
	case "mean":
		require.InDelta(t, e.number(t), r.Mean().Value, sigmas*sd/math.Sqrt(n), e.Q)
	case "sd":
		// By the fourth moment of the sample.
		m := r.Mean().Value
		fourth := 0.0
		for _, it := range r.sorted().items {
			fourth += float64(it.count) * math.Pow(it.mean-m, 4)
		}
		se := math.Sqrt(fourth/n-math.Pow(r.SD(), 4)) / (2 * r.SD()) / math.Sqrt(n)
		// A heavy tail hides in a sample; allow for it.
		require.InDelta(t, e.number(t), r.SD(), 2*sigmas*se, e.Q)
	case "probabilityOfZero":
		exceeding(0, 1-e.number(t))
	case "exceedance":
		exceeding(e.X, e.number(t))
	case "var":
		if x := e.number(t); x > 0 {
			exceeding(x, 1-e.P)
		} else {
			require.Equal(t, 0.0, r.VaR(e.P).Value)
		}
	case "tvar":
		got := r.TVaR(e.P)
		se := e.SEUnit / math.Sqrt(n)
		if se == 0 { // the oracle has none where it is a closed form
			se = (got.Hi - got.Value) / 1.96
		}
		require.InDelta(t, e.number(t), got.Value, sigmas*se, "tvar %v", e.P)
	}
}

func TestSimulatedCompound(t *testing.T) {
	for _, c := range oracles(t, "compound.json") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct{ Frequency, Severity json.RawMessage }](t, c.Input)
			s := single(freqOf(t, in.Frequency), distOf(t, in.Severity))
			mean, sd, err := s.Moments()
			require.NoError(t, err)
			r := simulate(t, Portfolio{Scenarios: []Scenario{s}}, &Options{Years: 1 << 19, Seed: 7})
			for _, e := range c.Expect {
				switch e.Q {
				case "mean":
					e.agrees(t, mean, 0)
				case "sd":
					e.agrees(t, sd, 0)
				}
				agreesSimulated(t, r, e, sd)
			}
		})
	}
}

func TestSimulatedTrees(t *testing.T) {
	for _, c := range oracles(t, "trees.json") {
		t.Run(c.ID, func(t *testing.T) {
			s := decode[treeInput](t, c.Input).scenario(t, c.ID)
			_, sd, err := s.Moments()
			require.NoError(t, err)
			r := simulate(t, Portfolio{Scenarios: []Scenario{s}}, &Options{Years: 1 << 19, Seed: 7})
			for _, e := range c.Expect {
				agreesSimulated(t, r, e, sd)
			}
		})
	}
}

func TestSimulatedPortfolios(t *testing.T) {
	for _, c := range oracles(t, "portfolio.json") {
		t.Run(c.ID, func(t *testing.T) {
			p := portfolioOf(t, c.Input)
			r := simulate(t, p, &Options{Years: 1 << 19, Seed: 7, Detail: true})
			var sum float64
			for _, s := range p.Scenarios {
				part, ok := r.Part(s.ID)
				require.True(t, ok)
				sum += part.VaR(0.99).Value
			}
			for _, e := range c.Expect {
				switch e.Q {
				case "tvarContribution":
					cs, err := r.Contributions(e.P)
					require.NoError(t, err)
					for _, x := range cs {
						if x.Scenario == e.Scenario {
							// Some 5,000 years are in the tail; 0.08 is five standard errors of
							// the mean of a scenario over them.
							require.InEpsilon(t, e.number(t), x.Tail, 0.08, e.Scenario)
						}
					}
				case "scenarioVar":
					part, _ := r.Part(e.Scenario)
					e.Q = "var"
					agreesSimulated(t, part, e, 0)
				case "sumOfScenarioVar":
					e.agrees(t, sum, 0.02)
				default:
					agreesSimulated(t, r, e, r.SD())
				}
			}
			cs, err := r.Contributions(0.99)
			require.NoError(t, err)
			total, means := 0.0, 0.0
			for _, x := range cs {
				total += x.Tail
				means += x.Mean
			}
			require.InEpsilon(t, r.TVaR(0.99).Value, total, 1e-12)
			require.InEpsilon(t, r.Mean().Value, means, 1e-7)
		})
	}
}

func portfolioOf(t *testing.T, raw json.RawMessage) Portfolio {
	t.Helper()
	in := decode[struct {
		Scenarios []struct {
			ID                  string
			Frequency, Severity json.RawMessage
		}
	}](t, raw)
	var p Portfolio
	for _, x := range in.Scenarios {
		s := single(freqOf(t, x.Frequency), distOf(t, x.Severity))
		s.ID = x.ID
		p.Scenarios = append(p.Scenarios, s)
	}
	return p
}
