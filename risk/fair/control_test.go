package fair

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

type effectInput struct {
	Efficacy    json.RawMessage
	Coverage    json.RawMessage
	Reliability json.RawMessage
}

func TestControlOracles(t *testing.T) {
	for _, c := range oracles(t, "controls.json") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct {
				Frequency, Severity json.RawMessage
				Control             *struct {
					On         Target
					Efficacy   float64
					AnnualCost float64
				}
				Controls            []effectInput
				PerEvent, Aggregate *Layer
			}](t, c.Input)
			switch {
			case in.Controls != nil:
				effects := make([]Effect, len(in.Controls))
				for i, e := range in.Controls {
					effects[i] = Effect{On: OnFrequency, Efficacy: distOf(t, e.Efficacy), Coverage: distOf(t, e.Coverage), Reliability: distOf(t, e.Reliability)}
				}
				mean, sd := Residual(effects...)
				for _, e := range c.Expect {
					switch e.Q {
					case "effectiveness":
						e.agrees(t, effects[e.Index].Effectiveness(), 0)
					case "residualFactor":
						e.agrees(t, mean, 0)
					case "combinedEffectiveness":
						e.agrees(t, 1-mean, 0)
					case "sdResidualFactor":
						if c.ID == "series-constant" {
							// The oracle is the root of a rounding error, 5.3e-9: constants have the
							// standard deviation 0.
							require.InDelta(t, 0, sd, 1e-8)
							continue
						}
						e.agrees(t, sd, 0)
					}
				}
			case in.PerEvent != nil:
				gross := single(freqOf(t, in.Frequency), distOf(t, in.Severity))
				net, covered := gross, gross
				net.PerEvent, covered.Aggregate = in.PerEvent, in.Aggregate
				mean, sd, err := gross.Moments()
				require.NoError(t, err)
				o := &Options{Years: 1 << 19, Seed: 3}
				netResult := simulate(t, Portfolio{Scenarios: []Scenario{net}}, o)
				aggregate, err := Compare(context.Background(), Portfolio{Scenarios: []Scenario{gross}}, Portfolio{Scenarios: []Scenario{covered}}, nil, o)
				require.NoError(t, err)
				paid := in.PerEvent.Expected(distOf(t, in.Severity)) // at rate 1
				se := 5 * sd / math.Sqrt(float64(1<<19))
				for _, e := range c.Expect {
					switch e.Q {
					case "meanGross":
						e.agrees(t, mean, 0)
					case "meanPaidPerEventCover":
						e.agrees(t, paid, 0)
					case "meanNetOfPerEventCover":
						e.agrees(t, mean-paid, 0)
						require.InDelta(t, e.number(t), netResult.Mean().Value, se)
					case "meanPaidAggregateCover":
						require.InDelta(t, e.number(t), aggregate.Saved.Value, (aggregate.Saved.Hi-aggregate.Saved.Value)*5/1.96)
					default:
						t.Fatal(e.Q)
					}
				}
			default:
				before := Portfolio{Scenarios: []Scenario{single(freqOf(t, in.Frequency), distOf(t, in.Severity))}}
				after := before
				after.Controls = []Control{{ID: "c", Effects: []Effect{{On: in.Control.On, Efficacy: must(Constant(in.Control.Efficacy))}}}}
				cost := must(Constant(in.Control.AnnualCost))
				inv, err := Compare(context.Background(), before, after, cost, &Options{Years: 1 << 19, Seed: 3})
				require.NoError(t, err)
				sds := map[string]float64{}
				for _, r := range []*Result{inv.Before, inv.After} {
					sds["mean"] = max(sds["mean"], r.SD())
				}
				within := func(e expectation, got Estimate) {
					t.Helper()
					require.InDelta(t, e.number(t), got.Value, (got.Hi-got.Value)*5/1.96, e.Q)
				}
				for _, e := range c.Expect {
					switch e.Q {
					case "meanBefore":
						within(e, inv.Before.Mean())
					case "meanAfter":
						within(e, inv.After.Mean())
					case "meanAvoided":
						within(e, inv.Saved)
					case "sdAvoided":
						n := float64(inv.Before.Years())
						require.InEpsilon(t, e.number(t), (inv.Saved.Hi-inv.Saved.Value)/1.9599639845400545*math.Sqrt(n), 0.02)
					case "rosi":
						within(e, inv.Return)
					case "probabilityAvoidedExceedsCost":
						within(e, inv.Pays)
					case "varBefore":
						e.Q = "var"
						agreesSimulated(t, inv.Before, e, 0)
					case "varAfter":
						e.Q = "var"
						agreesSimulated(t, inv.After, e, 0)
					case "tvarBefore":
						within(e, inv.Before.TVaR(e.P))
					case "tvarAfter":
						within(e, inv.After.TVaR(e.P))
					default:
						t.Fatal(e.Q)
					}
				}
			}
		})
	}
}

// TestCompareNested: a control never makes a year worse, and stronger controls leave
// subsets of what weaker ones leave.
func TestCompareNested(t *testing.T) {
	p := Portfolio{Scenarios: []Scenario{fullScenario("a"), fullScenario("b")}}
	with := func(efficacy float64) Portfolio {
		q := p
		q.Controls = []Control{{ID: "mfa", Effects: []Effect{{On: OnSusceptibility, Efficacy: must(Constant(efficacy)), Reliability: must(PERT(0.8, 0.9, 1, nil))}}}}
		return q
	}
	o := &Options{Years: 20000}
	weak, err := Compare(context.Background(), p, with(0.3), nil, o)
	require.NoError(t, err)
	strong, err := Compare(context.Background(), with(0.3), with(0.6), nil, o)
	require.NoError(t, err)
	none, err := Compare(context.Background(), p, with(0), nil, o)
	require.NoError(t, err)
	require.Zero(t, none.Saved.Value)
	require.Equal(t, weak.After.Mean(), strong.Before.Mean())
	require.Greater(t, weak.Saved.Lo, 0.0)
	require.Greater(t, strong.Saved.Lo, 0.0)
	// E[1-e1 r] for the residual frequency.
	require.InDelta(t, 1-0.3*0.9, weak.After.Mean().Value/weak.Before.Mean().Value, 0.02)
}

func TestBestSet(t *testing.T) {
	s := single(mustFreq(Poisson(must(Constant(2)))), must(Constant(1000)))
	p := Portfolio{Scenarios: []Scenario{s}}
	control := func(id string, efficacy, cost float64) Control {
		return Control{ID: id, Cost: must(Constant(cost)), Effects: []Effect{{On: OnFrequency, Efficacy: must(Constant(efficacy))}}}
	}
	cs := []Control{control("a", 0.5, 60), control("b", 0.4, 40), control("c", 0.3, 30), control("d", 0.2, 10)}
	// By hand: with 100 to spend, b, c and d (80) leave 0.6*0.7*0.8 = 0.336; a and b (100)
	// leave 0.5*0.6 = 0.3; a, c and d (100) leave 0.5*0.7*0.8 = 0.28.
	got, err := BestSet(p, cs, 100)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c", "d"}, got.Controls)
	require.True(t, got.Exact)
	require.InDelta(t, 2000*0.72, got.Saved, 1e-9)
	require.InDelta(t, 100, got.Cost, 1e-9)

	// Against all subsets, for random sets of ten controls and three scenarios.
	st := newStream(11, 0)
	u := func() float64 { return float64(st.next()>>11) / (1 << 53) }
	for trial := range 20 {
		p := Portfolio{}
		for i := range 3 {
			s := single(mustFreq(Poisson(must(Constant(u()*3)))), must(Constant(1e5*u())))
			s.ID = fmt.Sprint("s", i)
			p.Scenarios = append(p.Scenarios, s)
		}
		var cs []Control
		for i := range 10 {
			c := Control{ID: fmt.Sprint("c", i), Cost: must(Constant(2e4 * u()))}
			for j := range 3 {
				if u() < 0.5 || j == 0 {
					c.Effects = append(c.Effects, Effect{Scenario: fmt.Sprint("s", j), On: Target(1 + i%3), Efficacy: must(Constant(u()))})
				}
			}
			cs = append(cs, c)
		}
		best := 0.0
		for set := range 1 << 10 {
			saved, cost := 0.0, 0.0
			for _, s := range p.Scenarios {
				left := 1.0
				for i, c := range cs {
					if set>>i&1 == 1 {
						for _, e := range c.Effects {
							if e.Scenario == s.ID {
								left *= 1 - e.Efficacy.Mean()
							}
						}
					}
				}
				m, _, err := s.Moments()
				require.NoError(t, err)
				saved += m * (1 - left)
			}
			for i, c := range cs {
				if set>>i&1 == 1 {
					cost += c.Cost.Mean()
				}
			}
			if cost <= 5e4 {
				best = max(best, saved)
			}
		}
		got, err := BestSet(p, cs, 5e4)
		require.NoError(t, err)
		require.True(t, got.Exact)
		require.InEpsilon(t, best, got.Saved, 1e-9, "trial %d", trial)
		require.LessOrEqual(t, got.Cost, 5e4)
	}
}

func fullScenario(id string) Scenario {
	return Scenario{
		ID: id,
		Frequency: FromThreats(FromContacts(must(PERT(1, 5, 40, nil)), must(PERT(0.1, 0.3, 0.7, nil))),
			FromCapability(must(PERT(0.4, 0.6, 0.9, nil)), must(PERT(0.4, 0.65, 0.95, nil)))),
		Losses: []Loss{
			PrimaryLoss(Productivity, must(PERT(1e4, 5e4, 1e6, nil))),
			SecondaryLoss(FinesAndJudgments, must(PERT(0.05, 0.2, 0.6, nil)), must(PERT(5e4, 2e5, 5e6, nil))),
		},
	}
}
