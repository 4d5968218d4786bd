package fair

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

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
	got, err := BestSet(context.Background(), p, cs, 100)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "c", "d"}, got.Controls)
	require.True(t, got.Exact)
	require.InDelta(t, 2000*0.72, got.Saved, 1e-9)
	require.InDelta(t, 100, got.Cost, 1e-9)

	// Costs that add up to the budget are within it, though 0.1 + 0.2 > 0.3 in floating
	// point.
	got, err = BestSet(context.Background(), p, []Control{control("x", 0.3, 0.1), control("y", 0.3, 0.2)}, 0.3)
	require.NoError(t, err)
	require.Equal(t, []string{"x", "y"}, got.Controls)

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
		got, err := BestSet(context.Background(), p, cs, 5e4)
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

// yearly returns the loss of each year of a block.
func yearly(t *testing.T, p Portfolio, block int64) []float64 {
	t.Helper()
	o, err := (&Options{Seed: 3}).with()
	require.NoError(t, err)
	pl, err := compile(context.Background(), p, o.Seed, 1)
	require.NoError(t, err)
	ts := newTally(pl, o)
	ts.block(block, blockYears)
	return ts.totals()[:]
}

// TestCompareTriggered: a control on a parent takes events away from what it triggers
// and leaves the others as they are. With Poisson(5) events of which 2 % are stopped,
// each triggering with probability 0.1 a loss of 1000, the years that save are those with
// a stopped event that triggers: 1 - e^-(5 x 0.02 x 0.1).
func TestCompareTriggered(t *testing.T) {
	chain := func(losses ...Dist) Portfolio {
		return Portfolio{Scenarios: []Scenario{
			{ID: "p", Frequency: LossEvents(mustFreq(Poisson(must(Constant(5))))), Losses: []Loss{PrimaryLoss(Response, losses[0])}},
			{ID: "c", Frequency: Triggered("p", must(Constant(0.1))), Losses: []Loss{PrimaryLoss(Response, losses[1])}},
			{ID: "d", Frequency: Triggered("c", must(Constant(0.5))), Losses: []Loss{PrimaryLoss(Response, losses[2]), SecondaryLoss(Reputation, must(Constant(0.5)), losses[2])}},
		}}
	}
	with := func(p Portfolio, id string, efficacy Dist) Portfolio {
		p.Controls = []Control{{ID: "k", Effects: []Effect{{Scenario: id, On: OnFrequency, Efficacy: efficacy}}}}
		return p
	}
	zero := must(Constant(0))
	p := chain(zero, must(Constant(1000)), zero)
	inv, err := Compare(context.Background(), p, with(p, "p", must(Constant(0.02))), must(Constant(500)), &Options{Years: 1_000_000, Seed: 3})
	require.NoError(t, err)
	want := 1 - math.Exp(-0.01)
	require.InDelta(t, want, inv.Pays.Value, 5*math.Sqrt(want/1e6))
	require.InDelta(t, 10, inv.Saved.Value, 5*math.Sqrt(0.01/1e6)*1000)
	require.InDelta(t, 1.96*math.Sqrt(0.01/1e6)*1000, inv.Saved.HalfWidth(), 0.01)

	p = chain(must(LognormalInterval(1e3, 1e5, 0.9)), must(PERT(1e3, 1e4, 1e6, nil)), must(Gamma(2, 1e4)))
	for _, id := range []string{"p", "c", "d", ""} {
		better := 0
		for block := range int64(4) {
			before, after := yearly(t, p, block), yearly(t, with(p, id, must(Uniform(0.1, 0.5))), block)
			for y := range before {
				require.LessOrEqual(t, after[y], before[y], "control on %q: block %d, year %d", id, block, y)
				if after[y] < before[y] {
					better++
				}
			}
		}
		require.Positive(t, better, id)
	}
}

// TestTriggeredMean: events of the parent, thinned by chance, at every depth.
func TestTriggeredMean(t *testing.T) {
	one := must(Constant(1))
	p := Portfolio{
		Scenarios: []Scenario{
			{ID: "c", Frequency: Triggered("b", must(Constant(0.25))), Losses: []Loss{PrimaryLoss(Response, one)}},
			{ID: "b", Frequency: Triggered("a", must(Constant(0.5))), Losses: []Loss{PrimaryLoss(Response, one)}},
			{ID: "a", Frequency: LossEvents(mustFreq(Poisson(must(Constant(300))))), Losses: []Loss{PrimaryLoss(Response, one)}},
		},
		Controls: []Control{{ID: "k", Effects: []Effect{{Scenario: "b", On: OnFrequency, Efficacy: must(Constant(0.2))}}}},
	}
	r := simulate(t, p, &Options{Years: 20000, Detail: true})
	for id, want := range map[string]float64{"a": 300, "b": 300 * 0.5 * 0.8, "c": 300 * 0.5 * 0.8 * 0.25} {
		part, ok := r.Part(id)
		require.True(t, ok)
		require.InDelta(t, want, part.Mean().Value, 5*math.Sqrt(want/20000), id)
		require.InEpsilon(t, math.Sqrt(want), part.SD(), 0.03, id) // thinned Poisson is Poisson
	}
}

// TestBestSetLarge: many controls on many scenarios stop, when told to and by
// themselves, and what is found is no better than the bound.
func TestBestSetLarge(t *testing.T) {
	var p Portfolio
	for i := range 100 {
		s := single(mustFreq(Poisson(must(Constant(0.5+float64(i%7))))), must(Constant(1000+float64(i*37%100))))
		s.ID = fmt.Sprint("s", i)
		p.Scenarios = append(p.Scenarios, s)
	}
	controls := func(n int, effects func(i int) []Effect) []Control {
		var out []Control
		for i := range n {
			out = append(out, Control{ID: fmt.Sprint("c", i), Cost: must(Constant(100 + float64(i*53%97))), Effects: effects(i)})
		}
		return out
	}
	e := must(Constant(0.3))
	// All controls act on all scenarios alike: the best set is that of the most controls,
	// since each leaves 0.7.
	cs := controls(40, func(int) []Effect { return []Effect{{On: OnFrequency, Efficacy: e}} })
	got, err := BestSet(context.Background(), p, cs, 1600)
	require.NoError(t, err)
	costs := make([]float64, 0, 40)
	for _, c := range cs {
		costs = append(costs, c.Cost.Mean())
	}
	slices.Sort(costs)
	n, spent := 0, 0.0
	for ; spent+costs[n] <= 1600; n++ {
		spent += costs[n]
	}
	require.Len(t, got.Controls, n)
	require.LessOrEqual(t, got.Saved, got.Bound)
	cs = controls(60, func(i int) []Effect {
		var out []Effect
		for j := range 40 {
			out = append(out, Effect{Scenario: fmt.Sprint("s", (i*7+j*3)%100), On: OnFrequency, Efficacy: must(Constant(0.05 + float64((i*j)%11)/20))})
		}
		return out
	})
	got, err = BestSet(context.Background(), p, cs, 3000)
	require.NoError(t, err)
	require.LessOrEqual(t, got.Saved, got.Bound)
	require.LessOrEqual(t, got.Cost, 3000.0)
	require.Positive(t, got.Saved)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	_, err = BestSet(ctx, p, cs, 3000)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
