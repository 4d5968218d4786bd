package fair

import (
	"fmt"
	"math"
	"strconv"
)

// Target is the factor of a scenario that a control acts on.
type Target uint8

// The targets.
const (
	OnFrequency      Target = iota + 1 // events that do not happen
	OnSusceptibility                   // threat events that do not become loss events
	OnMagnitude                        // losses that are smaller
)

var targetNames = [...]string{OnFrequency: "frequency", OnSusceptibility: "susceptibility", OnMagnitude: "magnitude"}

func (t Target) String() string {
	if t > 0 && int(t) < len(targetNames) {
		return targetNames[t]
	}
	return "Target(" + strconv.Itoa(int(t)) + ")"
}

// MarshalText returns the name of the target. The error matches [ErrInvalid].
func (t Target) MarshalText() ([]byte, error) {
	if t < 1 || int(t) >= len(targetNames) {
		return nil, &Problem{"target", "one of the three", t.String()}
	}
	return []byte(t.String()), nil
}

// UnmarshalText accepts the names of the targets. The error matches [ErrInvalid].
func (t *Target) UnmarshalText(text []byte) error {
	for i, name := range targetNames {
		if i > 0 && name == string(text) {
			*t = Target(i)
			return nil
		}
	}
	return &Problem{"target", "frequency, susceptibility or magnitude", strconv.Quote(string(text))}
}

// An Effect is what a control does to a scenario: it takes away the share
// efficacy x coverage x reliability of the events or of each loss. The three are
// drawn once a year, independently.
type Effect struct {
	Scenario    string   // its id; "" for all of the portfolio
	On          Target   // the factor
	Form        LossForm // for OnMagnitude the one form of loss; 0 for all
	Efficacy    Dist     // share taken away where the control works
	Coverage    Dist     // share of assets or occasions that it covers; nil for all
	Reliability Dist     // share of the time that it works; nil for always
}

// Effectiveness returns the mean share that the effect takes away.
func (e Effect) Effectiveness() float64 {
	m, _ := e.moments()
	return 1 - m
}

// moments returns mean and second moment of the share that is left.
func (e Effect) moments() (mean, second float64) {
	m, s := 1.0, 1.0
	for _, d := range []Dist{e.Efficacy, e.Coverage, e.Reliability} {
		if d != nil {
			m = mul(m, d.Mean())
			s = mul(s, d.Var()+mul(d.Mean(), d.Mean()))
		}
	}
	return 1 - m, 1 - 2*m + s
}

// Residual returns mean and standard deviation of what effects on one factor leave
// of it: they act in series, each on what the others leave, prod(1-e_i).
func Residual(effects ...Effect) (mean, sd float64) {
	mean, second := 1.0, 1.0
	for _, e := range effects {
		m, s := e.moments()
		mean = mul(mean, m)
		second = mul(second, s)
	}
	return mean, sqrt(second - mul(mean, mean))
}

// A Control is a measure with its effects and its cost.
type Control struct {
	ID      string
	Cost    Dist // a year; nil for none
	Effects []Effect
}

func (c Control) check(ps *Problems, where string, scenarios map[string]int) {
	if c.ID == "" {
		ps.add(where+": id", "a name", "none")
	}
	if c.Cost != nil {
		ps.values(where+": cost", c.Cost, 0, math.Inf(1), "no value below 0")
	}
	if len(c.Effects) == 0 {
		ps.add(where+": effects", "one at least", "none")
	}
	for i, e := range c.Effects {
		at := fmt.Sprintf("%s: effect %d", where, i+1)
		if _, ok := scenarios[e.Scenario]; e.Scenario != "" && !ok {
			ps.add(at+": scenario", "the id of a scenario", strconv.Quote(e.Scenario))
		}
		if e.On < OnFrequency || e.On > OnMagnitude {
			ps.add(at+": target", "frequency, susceptibility or magnitude", e.On)
		}
		if e.Form != 0 && (e.On != OnMagnitude || int(e.Form) >= len(formNames)) {
			ps.add(at+": form", "a form of loss, for the target magnitude only", e.Form)
		}
		ps.probability(at+": efficacy", e.Efficacy)
		if e.Coverage != nil {
			ps.probability(at+": coverage", e.Coverage)
		}
		if e.Reliability != nil {
			ps.probability(at+": reliability", e.Reliability)
		}
	}
}
