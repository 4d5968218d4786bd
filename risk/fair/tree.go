package fair

import (
	"fmt"
	"math"
	"strconv"
)

// The tree of Open FAIR (The Open Group, O-RT and O-RA): loss event frequency is
// given, or comes from threat event frequency and susceptibility; threat event
// frequency is given, or is contact frequency times probability of action;
// susceptibility is given, or is the probability that threat capability exceeds
// resistance strength. Each of the three has its own type with one constructor for
// each alternative, so that a tree with two answers to one question does not
// compile.

// LEF is a loss event frequency: how many loss events a year brings. The zero LEF is
// incomplete.
type LEF struct {
	freq        Freq
	contact     Dist // of the tree, nil where not given
	action      Dist
	threats     Dist
	suscept     Susceptibility
	parent      string
	conditional Dist
}

// TEF is a threat event frequency: how often a year a threat agent acts.
type TEF struct{ contact, action, rate Dist }

// Susceptibility is the probability that a threat event becomes a loss event
// (vulnerability, in the older editions).
type Susceptibility struct{ given, threat, resistance Dist }

// LossEvents returns a loss event frequency that is given.
func LossEvents(f Freq) LEF { return LEF{freq: f} }

// FromThreats returns the loss event frequency of threat events of which some
// succeed: a Poisson law whose rate is threat event frequency times susceptibility.
func FromThreats(t TEF, s Susceptibility) LEF {
	return LEF{contact: t.contact, action: t.action, threats: t.rate, suscept: s}
}

// Triggered returns the loss event frequency of a scenario that follows from
// another: each loss event of the parent, a scenario of the same portfolio, triggers it
// with the given probability (ransomware after phishing). An uncertain probability is
// the same as its mean. What a control stops of the parent triggers nothing; what it leaves
// triggers the same as without it.
func Triggered(parent string, probability Dist) LEF {
	return LEF{parent: parent, conditional: probability}
}

// ThreatEvents returns a threat event frequency that is given, in events a year,
// drawn once a year.
func ThreatEvents(rate Dist) TEF { return TEF{rate: rate} }

// FromContacts returns the threat event frequency of contacts: how often a year
// the threat agent meets the asset, times the probability that it then acts. Both are
// drawn once a year.
func FromContacts(contact, action Dist) TEF { return TEF{contact: contact, action: action} }

// GivenSusceptibility returns a susceptibility that is given as a probability,
// drawn once a year.
func GivenSusceptibility(probability Dist) Susceptibility { return Susceptibility{given: probability} }

// FromCapability returns the susceptibility P(threat capability > resistance
// strength). Both are drawn anew for every threat event, independently, so that the
// events are thinned by one probability.
func FromCapability(threat, resistance Dist) Susceptibility {
	return Susceptibility{threat: threat, resistance: resistance}
}

// Probability returns the mean susceptibility: of a given one its mean, else
// P(TC > RS), the integral of P(RS < x) over the distribution of the threat capability.
// The error is of type [Problems].
func (s Susceptibility) Probability() (float64, error) {
	var ps Problems
	if s.check(&ps, "susceptibility"); ps != nil {
		return 0, ps
	}
	return s.probability(), nil
}

func (s Susceptibility) check(ps *Problems, where string) {
	switch {
	case s.given != nil:
		ps.probability(where, s.given)
	case s.threat == nil && s.resistance == nil:
		ps.add(where, "a probability, or threat capability and resistance strength", "none")
	case s.threat == nil:
		ps.add(where+": threat capability", "a distribution", "none")
	case s.resistance == nil:
		ps.add(where+": resistance strength", "a distribution", "none")
	}
}

func (s Susceptibility) probability() float64 {
	if s.given != nil {
		return s.given.Mean()
	}
	return exceeds(s.threat, s.resistance)
}

// exceeds returns P(X > Y) for independent X and Y, strictly greater.
func exceeds(x, y Dist) float64 {
	switch d := x.(type) {
	case constant:
		return below(y, d.value)
	case *empirical:
		return expect(d, nil, func(v float64) float64 { return below(y, v) })
	case *mixture:
		sum := 0.0
		for _, c := range d.parts {
			sum += mul(c.Weight, exceeds(c.Dist, y))
		}
		return min(sum, 1)
	}
	switch d := y.(type) {
	case constant, *empirical:
		return expect(d, nil, func(v float64) float64 { return survival(x, v) })
	case *mixture:
		sum := 0.0
		for _, c := range d.parts {
			sum += mul(c.Weight, exceeds(x, c.Dist))
		}
		return min(sum, 1)
	}
	return min(max(expect(x, y, func(v float64) float64 { return below(y, v) }), 0), 1)
}

// Freq returns the law of the number of loss events a year. For a [Triggered]
// frequency it depends on the parent, and the error says so. The error is of type
// [Problems].
func (l LEF) Freq() (Freq, error) {
	var ps Problems
	if l.check(&ps, "loss event frequency"); ps != nil {
		return nil, ps
	}
	if l.parent != "" {
		ps.add("loss event frequency", "one that does not depend on another scenario", "one triggered by "+l.parent)
		return nil, ps
	}
	return l.law(), nil
}

func (l LEF) law() Freq {
	switch {
	case l.freq != nil:
		return l.freq
	case l.parent != "":
		return nil
	}
	scale, factors := 1.0, []Dist{}
	if l.threats != nil {
		factors = append(factors, l.threats)
	} else {
		factors = append(factors, l.contact, l.action)
	}
	if l.suscept.given != nil {
		factors = append(factors, l.suscept.given)
	} else {
		scale = l.suscept.probability()
	}
	return newMixed(scale, factors...)
}

func (l LEF) check(ps *Problems, where string) {
	switch {
	case l.freq != nil:
		if m, v := l.freq.Mean(), l.freq.Var(); !(m >= 0 && m <= maxRate) || !(v >= 0) {
			ps.add(where, fmt.Sprintf("a mean from 0 to %v and a variance", maxRate), fmt.Sprintf("%v and %v", m, v))
		}
		return
	case l.parent != "":
		ps.probability(where+": probability of being triggered", l.conditional)
		return
	case l.threats == nil && l.contact == nil && l.action == nil && l.suscept == Susceptibility{}:
		ps.add(where, "a frequency", "none")
		return
	case l.threats != nil:
		ps.rate(where+": threat event frequency", l.threats)
	default:
		ps.rate(where+": contact frequency", l.contact)
		ps.probability(where+": probability of action", l.action)
	}
	l.suscept.check(ps, where+": susceptibility")
}

// LossForm is one of the six forms of loss of Open FAIR.
type LossForm uint8

// The forms of loss.
const (
	Productivity         LossForm = iota + 1 // the organization cannot deliver
	Response                                 // managing the event
	Replacement                              // of an asset
	FinesAndJudgments                        // legal and regulatory
	CompetitiveAdvantage                     // what competitors gain
	Reputation                               // what stakeholders think
)

var formNames = [...]string{
	Productivity: "productivity", Response: "response", Replacement: "replacement", FinesAndJudgments: "fines-and-judgments",
	CompetitiveAdvantage: "competitive-advantage", Reputation: "reputation",
}

func (f LossForm) String() string {
	if f > 0 && int(f) < len(formNames) {
		return formNames[f]
	}
	return "LossForm(" + strconv.Itoa(int(f)) + ")"
}

// MarshalText returns the name of the form. The error matches [ErrInvalid].
func (f LossForm) MarshalText() ([]byte, error) {
	if f < 1 || int(f) >= len(formNames) {
		return nil, &Problem{"form of loss", "one of the six", f.String()}
	}
	return []byte(f.String()), nil
}

// UnmarshalText accepts the names of the forms. The error matches [ErrInvalid].
func (f *LossForm) UnmarshalText(text []byte) error {
	for i, name := range formNames {
		if i > 0 && name == string(text) {
			*f = LossForm(i)
			return nil
		}
	}
	return &Problem{"form of loss", "productivity, response, replacement, fines-and-judgments, competitive-advantage or reputation", strconv.Quote(string(text))}
}

// Loss is one part of the magnitude of a loss event.
type Loss struct {
	form        LossForm
	magnitude   Dist
	probability Dist // nil for a primary loss
}

// PrimaryLoss returns a loss that every loss event brings, in units of money.
func PrimaryLoss(form LossForm, magnitude Dist) Loss { return Loss{form: form, magnitude: magnitude} }

// SecondaryLoss returns a loss through the reaction of others, that a loss event
// brings with a probability (secondary loss event frequency), independently of the
// others. An uncertain probability is drawn for every event, so that it is the same as
// its mean.
func SecondaryLoss(form LossForm, probability, magnitude Dist) Loss {
	if probability == nil {
		probability = none{}
	}
	return Loss{form: form, magnitude: magnitude, probability: probability}
}

// none marks a probability that was left out.
type none struct{ constant }

// Form is the form of the loss.
func (l Loss) Form() LossForm { return l.form }

// Secondary tells whether it is a secondary loss.
func (l Loss) Secondary() bool { return l.probability != nil }

// chance is the mean probability that an event brings the loss.
func (l Loss) chance() float64 {
	if l.probability == nil {
		return 1
	}
	return l.probability.Mean()
}

func (l Loss) check(ps *Problems, where string) {
	if l.form < 1 || int(l.form) >= len(formNames) {
		ps.add(where+": form", "one of the six forms of loss", l.form)
	}
	if _, missing := l.probability.(none); missing {
		ps.add(where+": probability", "a distribution", "none")
	} else if l.probability != nil {
		ps.probability(where+": probability", l.probability)
	}
	if l.magnitude == nil {
		ps.add(where+": magnitude", "a distribution", "none")
		return
	}
	ps.values(where+": magnitude", l.magnitude, 0, math.Inf(1), "no value below 0")
	if m := l.magnitude.Mean(); !(m <= maxLoss) {
		ps.add(where+": magnitude", fmt.Sprintf("a mean of at most %v", maxLoss), m)
	}
}

// maxLoss bounds mean losses so that no sum overflows.
const maxLoss = 1e100

// A Layer is a cover: of each amount the insurer pays
// Share x min(max(amount - Deductible, 0), Limit).
type Layer struct {
	Deductible float64 // amount that is not covered; 0 for none
	Limit      float64 // most that is covered above it; 0 for no limit
	Share      float64 // of it that is paid, 0 to 1; 0 means 1
}

// Paid returns what the insurer pays of an amount.
func (l Layer) Paid(amount float64) float64 {
	x := max(amount-l.Deductible, 0)
	if l.Limit > 0 {
		x = min(x, l.Limit)
	}
	if l.Share > 0 {
		x = mul(x, l.Share)
	}
	return x
}

// Expected returns the mean of what the insurer pays of an amount with a
// distribution: Share (E[min(X, d+l)] - E[min(X, d)]).
func (l Layer) Expected(d Dist) float64 {
	top := d.Mean()
	if l.Limit > 0 {
		top = LimitedMean(d, l.Deductible+l.Limit)
	}
	x := top - LimitedMean(d, l.Deductible)
	if l.Share > 0 {
		x = mul(x, l.Share)
	}
	return x
}

func (l *Layer) check(ps *Problems, where string) {
	if l == nil {
		return
	}
	for _, v := range []struct {
		name string
		x    float64
	}{{"deductible", l.Deductible}, {"limit", l.Limit}, {"share", l.Share}} {
		if ps.finite(where+": "+v.name, v.x) && v.x < 0 {
			ps.add(where+": "+v.name, "no value below 0", v.x)
		}
	}
	if l.Share > 1 {
		ps.add(where+": share", "a number from 0 to 1", l.Share)
	}
}

// A Scenario is one way in which losses arise. A year has as many loss events as
// its frequency says, often none; the loss of an event is the sum of its losses, each
// drawn anew for every event.
type Scenario struct {
	ID        string // names its random numbers: another scenario beside it leaves them alone
	Frequency LEF
	Losses    []Loss
	PerEvent  *Layer // cover of each loss event; nil for none
	Aggregate *Layer // cover of the sum of the year, after PerEvent; nil for none
}

func (s Scenario) check(ps *Problems, where string) {
	if s.ID == "" {
		ps.add(where+": id", "a name", "none")
	}
	s.Frequency.check(ps, where+": loss event frequency")
	if len(s.Losses) == 0 {
		ps.add(where+": losses", "one at least", "none")
	}
	for i, l := range s.Losses {
		l.check(ps, fmt.Sprintf("%s: loss %d", where, i+1))
	}
	s.PerEvent.check(ps, where+": cover per event")
	s.Aggregate.check(ps, where+": cover per year")
}

// eventMoments returns the mean and variance of the gross loss of one event.
func (s Scenario) eventMoments() (mean, variance float64) {
	for _, l := range s.Losses {
		p, m, v := l.chance(), l.magnitude.Mean(), l.magnitude.Var()
		mean += mul(p, m)
		variance += mul(p, v) + mul(mul(p, 1-p), mul(m, m))
	}
	return mean, variance
}

// Moments returns the mean and the standard deviation of the gross annual loss, in
// closed form: E[S] = E[N] E[X], Var[S] = E[N] Var[X] + Var[N] E[X]^2. The error is
// of type [Problems].
func (s Scenario) Moments() (mean, sd float64, err error) {
	var ps Problems
	if s.check(&ps, "scenario "+s.ID); ps != nil {
		return 0, 0, ps
	}
	f, err := s.Frequency.Freq()
	if err != nil {
		return 0, 0, err
	}
	m, v := s.eventMoments()
	return mul(f.Mean(), m), math.Sqrt(mul(f.Mean(), v) + mul(f.Var(), mul(m, m))), nil
}

// Tree prints the scenario as the tree of its factors, a line each, with means.
func (s Scenario) Tree() []string {
	var out []string
	line := func(depth int, format string, args ...any) {
		out = append(out, fmt.Sprintf("%*s", 2*depth, "")+fmt.Sprintf(format, args...))
	}
	node := func(depth int, name string, d Dist) {
		if d != nil {
			line(depth, "%s %v, mean %.6g", name, d, d.Mean())
		}
	}
	line(0, "scenario %s", s.ID)
	l := s.Frequency
	switch {
	case l.freq != nil:
		line(1, "loss event frequency %v, mean %.6g a year", l.freq, l.freq.Mean())
	case l.parent != "":
		line(1, "loss event frequency: events of %s", l.parent)
		node(2, "probability of being triggered", l.conditional)
	default:
		if f, err := l.Freq(); err == nil {
			line(1, "loss event frequency, mean %.6g a year", f.Mean())
		} else {
			line(1, "loss event frequency (incomplete)")
		}
		if l.threats != nil {
			node(2, "threat event frequency", l.threats)
		} else {
			line(2, "threat event frequency")
			node(3, "contact frequency", l.contact)
			node(3, "probability of action", l.action)
		}
		if l.suscept.given != nil {
			node(2, "susceptibility", l.suscept.given)
		} else if p, err := l.suscept.Probability(); err == nil {
			line(2, "susceptibility P(threat capability > resistance strength) = %.6g", p)
			node(3, "threat capability", l.suscept.threat)
			node(3, "resistance strength", l.suscept.resistance)
		}
	}
	line(1, "loss magnitude")
	for _, l := range s.Losses {
		if l.magnitude == nil {
			continue
		}
		if l.Secondary() {
			line(2, "secondary %v with probability %v: %v, mean %.6g", l.form, l.probability, l.magnitude, l.magnitude.Mean())
		} else {
			line(2, "primary %v: %v, mean %.6g", l.form, l.magnitude, l.magnitude.Mean())
		}
	}
	return out
}
