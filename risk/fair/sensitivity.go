package fair

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strconv"
)

// A Bar is one input of a scenario in a tornado chart.
type Bar struct {
	Factor    string  `json:"factor"`
	Low, High float64 // the output with this input at its P10 and its P90
}

// An Index is how much of the variance of the mean loss, over what is not known
// about its inputs, one of them explains.
type Index struct {
	Factor string  `json:"factor"`
	First  float64 `json:"first"` // by itself: Var(E[f|x])/Var f
	Total  float64 `json:"total"` // with its interactions: 1 - Var(E[f|all but x])/Var f
}

// An input is a factor of the mean loss with its first two moments.
type input struct {
	name         string
	dist         Dist
	mean, second float64
	pin          func(s *Scenario, x float64) // fixes it in a copy
}

func newInput(name string, d Dist, pin func(*Scenario, float64)) input {
	m := d.Mean()
	return input{name, d, m, d.Var() + mul(m, m), pin}
}

// inputs returns the factors of the frequency and, by loss, probability (perhaps
// none) and magnitude.
func (s Scenario) inputs() (frequency []input, losses [][2]input) {
	l := s.Frequency
	switch {
	case l.freq != nil:
		if m, ok := l.freq.(*mixedPoisson); ok && len(m.factors) == 1 && m.scale == 1 {
			frequency = append(frequency, newInput("loss event frequency", m.factors[0], func(s *Scenario, x float64) { s.Frequency = LossEvents(newMixed(1, constant{x})) }))
		} else if b, ok := l.freq.(*binomial); ok && b.probability != nil {
			frequency = append(frequency, newInput("loss event frequency", b.probability, func(s *Scenario, x float64) { s.Frequency = LossEvents(&binomial{n: 1, p: x}) }))
		} else {
			frequency = append(frequency, newInput("loss event frequency", constant{l.freq.Mean()}, nil))
		}
	case l.threats != nil:
		frequency = append(frequency, newInput("threat event frequency", l.threats, func(s *Scenario, x float64) { s.Frequency.threats = constant{x} }))
	default:
		frequency = append(frequency,
			newInput("contact frequency", l.contact, func(s *Scenario, x float64) { s.Frequency.contact = constant{x} }),
			newInput("probability of action", l.action, func(s *Scenario, x float64) { s.Frequency.action = constant{x} }))
	}
	if l.suscept.given != nil {
		frequency = append(frequency, newInput("susceptibility", l.suscept.given, func(s *Scenario, x float64) { s.Frequency.suscept.given = constant{x} }))
	}
	for i, x := range s.Losses {
		name := x.form.String()
		if len(s.Losses) > 1 {
			name = "loss " + strconv.Itoa(i+1) + " " + name
		}
		p := newInput(name+": probability", constant{1}, nil)
		if x.probability != nil {
			p = newInput(name+": probability", x.probability, func(s *Scenario, v float64) { s.Losses[i].probability = constant{v} })
		}
		losses = append(losses, [2]input{p, newInput(name+": magnitude", x.magnitude, func(s *Scenario, v float64) { s.Losses[i].magnitude = constant{v} })})
	}
	return frequency, losses
}

// eachInput yields all inputs, those of the tree of susceptibility too.
func (s Scenario) eachInput() []input {
	frequency, losses := s.inputs()
	out := frequency
	if v := s.Frequency.suscept; v.threat != nil {
		out = append(out,
			newInput("threat capability", v.threat, func(s *Scenario, x float64) { s.Frequency.suscept.threat = constant{x} }),
			newInput("resistance strength", v.resistance, func(s *Scenario, x float64) { s.Frequency.suscept.resistance = constant{x} }))
	}
	for i, l := range losses {
		if s.Losses[i].probability != nil {
			out = append(out, l[0])
		}
		out = append(out, l[1])
	}
	return out
}

func (s Scenario) sensitivity() error {
	var ps Problems
	s.check(&ps, "scenario "+s.ID)
	if s.Frequency.parent != "" {
		ps.add("scenario "+s.ID, "a frequency of its own", "one triggered by "+s.Frequency.parent)
	}
	return ps.err()
}

// Tornado returns, the widest first, how far each input moves the mean annual loss
// from its P10 to its P90, the others at their means, in closed form. The error is of
// type [Problems].
func Tornado(s Scenario) ([]Bar, error) {
	return tornado(s, func(s Scenario) (float64, error) {
		mean, _, err := s.Moments()
		return mean, err
	})
}

// TornadoVaR is [Tornado] for the value at risk at p, simulated on common random
// numbers. Inputs that are drawn for every event (magnitudes, capability, resistance) are
// fixed for all events. The error is of type [Problems], or that of ctx.
func TornadoVaR(ctx context.Context, s Scenario, p float64, opts *Options) ([]Bar, error) {
	return tornado(s, func(s Scenario) (float64, error) {
		r, err := Simulate(ctx, Portfolio{Scenarios: []Scenario{s}}, opts)
		if err != nil {
			return 0, err
		}
		return r.VaR(p).Value, nil
	})
}

func tornado(s Scenario, f func(Scenario) (float64, error)) ([]Bar, error) {
	if err := s.sensitivity(); err != nil {
		return nil, err
	}
	var out []Bar
	for _, in := range s.eachInput() {
		b := Bar{Factor: in.name}
		for i, p := range []float64{0.1, 0.9} {
			pinned := s
			pinned.Losses = slices.Clone(s.Losses)
			if in.pin != nil {
				in.pin(&pinned, in.dist.Quantile(p))
			}
			x, err := f(pinned)
			if err != nil {
				return nil, err
			}
			if i == 0 {
				b.Low = x
			} else {
				b.High = x
			}
		}
		out = append(out, b)
	}
	slices.SortStableFunc(out, func(a, b Bar) int { return cmp.Compare(width(b), width(a)) })
	return out, nil
}

func width(b Bar) float64 { return max(b.High-b.Low, b.Low-b.High) }

// Sobol returns the Sobol indices of the mean annual loss, in the order of the
// tree: the mean is multilinear in independent inputs, so that they follow from first and
// second moments exactly (Sobol 1993; Saltelli 2008, Global Sensitivity Analysis, chapter
// 4). Threat capability and resistance strength enter through the indicator TC > RS,
// whose conditional means are distribution functions. The error is of type [Problems].
func Sobol(s Scenario) ([]Index, error) {
	if err := s.sensitivity(); err != nil {
		return nil, err
	}
	frequency, losses := s.inputs()
	// f = product of a_j times V times sum of p_l m_l.
	meanA, secondA := 1.0, 1.0
	for _, a := range frequency {
		meanA, secondA = mul(meanA, a.mean), mul(secondA, a.second)
	}
	v, second := 1.0, 1.0
	tree := s.Frequency.suscept.threat != nil
	if tree {
		v = s.Frequency.suscept.probability()
		second = v
	}
	meanB, varB := 0.0, 0.0
	for _, l := range losses {
		m := mul(l[0].mean, l[1].mean)
		meanB += m
		varB += mul(l[0].second, l[1].second) - mul(m, m)
	}
	secondB := varB + mul(meanB, meanB)
	if math.IsInf(secondA, 0) || math.IsInf(secondB, 0) {
		return nil, Problems{{"scenario " + s.ID, "inputs that have a variance", "one that has none"}}
	}
	mean := mul(mul(meanA, v), meanB)
	variance := mul(mul(secondA, second), secondB) - mul(mean, mean)
	var out []Index
	add := func(name string, first, total float64) {
		if variance > 0 {
			out = append(out, Index{name, first / variance, total / variance})
		} else {
			out = append(out, Index{Factor: name})
		}
	}
	spread := func(in input) float64 { return in.dist.Var() }
	for j, a := range frequency {
		m, q := mul(v, meanB), mul(second, secondB)
		for k, b := range frequency {
			if k != j {
				m, q = mul(m, b.mean), mul(q, b.second)
			}
		}
		add(a.name, mul(spread(a), mul(m, m)), mul(spread(a), q))
	}
	if tree {
		tc, rs := s.Frequency.suscept.threat, s.Frequency.suscept.resistance
		m, q := mul(meanA, meanB), mul(secondA, secondB)
		square := func(x float64) float64 { return mul(x, x) }
		// P(TC > RS | TC) and P(TC > RS | RS).
		byThreat := func(x float64) float64 { return below(rs, x) }
		byResistance := func(x float64) float64 { return survival(tc, x) }
		first := [2]float64{
			expect(tc, rs, func(x float64) float64 { return square(byThreat(x) - v) }),
			expect(rs, tc, func(x float64) float64 { return square(byResistance(x) - v) }),
		}
		total := [2]float64{
			expect(rs, tc, func(x float64) float64 { p := byResistance(x); return mul(p, 1-p) }),
			expect(tc, rs, func(x float64) float64 { p := byThreat(x); return mul(p, 1-p) }),
		}
		add("threat capability", mul(first[0], mul(m, m)), mul(total[0], q))
		add("resistance strength", mul(first[1], mul(m, m)), mul(total[1], q))
	}
	m, q := mul(meanA, v), mul(secondA, second)
	for i, l := range losses {
		for k, in := range l {
			if k == 0 && s.Losses[i].probability == nil {
				continue
			}
			o := l[1-k]
			add(in.name, mul(spread(in), mul(mul(m, o.mean), mul(m, o.mean))), mul(mul(spread(in), o.second), q))
		}
	}
	return out, nil
}
