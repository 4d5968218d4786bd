package risk

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// A Reading is a measured value of an indicator.
type Reading struct {
	At    time.Time `json:"at"`
	Value float64   `json:"value"`
}

// An Indicator is a key risk indicator: a number that moves before a risk does.
// The further it is beyond Warn and then Limit, the worse: Limit above Warn means
// that high values are bad, Limit below Warn that low ones are.
type Indicator struct {
	ID       string        `json:"id"`
	Title    string        `json:"title"`
	Owner    string        `json:"owner,omitempty"`
	Source   string        `json:"source,omitempty"` // where the readings come from
	Unit     string        `json:"unit,omitempty"`
	Risks    []string      `json:"risks,omitempty"` // IDs of the risks that it speaks of
	Target   float64       `json:"target"`
	Warn     float64       `json:"warn"`
	Limit    float64       `json:"limit"`
	Every    time.Duration `json:"every,omitempty"` // how old a reading may be; 0 for any age
	Readings []Reading     `json:"readings,omitempty"`
}

// Signal is what an indicator shows.
type Signal int

// The signals.
const (
	NoData   Signal = iota + 1 // no reading yet, or the last one is too old
	OnTarget                   // not beyond Warn
	Warned                     // at or beyond Warn
	Limited                    // at or beyond Limit
)

var signalNames = names{"", "no data", "on target", "warning", "limit exceeded"}

func (s Signal) String() string                   { return signalNames.string("Signal", int(s)) }
func (s Signal) MarshalText() ([]byte, error)     { return signalNames.marshal("Signal", int(s)) }
func (s *Signal) UnmarshalText(text []byte) error { return unmarshal(signalNames, "signal", text, s) }

// An IndicatorStatus is what an indicator shows at some time.
type IndicatorStatus struct {
	Signal Signal
	Last   Reading   // the last reading not after now; zero for none
	Since  time.Time // of the first reading in a row with the signal; for no data, when the last one became too old
	Trend  float64   // change from the reading before the last; positive is worse
}

// Check returns a [Problems] if thresholds or readings are no numbers, or the
// thresholds do not lie in order: Target, Warn, Limit, rising or falling.
func (i Indicator) Check() error {
	var ps Problems
	for _, v := range [...]struct {
		name  string
		value float64
	}{{"target", i.Target}, {"warn", i.Warn}, {"limit", i.Limit}} {
		if math.IsNaN(v.value) || math.IsInf(v.value, 0) {
			ps.add(i.ID, v.name, "expected a number, found %v", v.value)
		}
	}
	if !(i.Target <= i.Warn && i.Warn < i.Limit) && !(i.Target >= i.Warn && i.Warn > i.Limit) {
		ps.add(i.ID, "limit", "expected target, warn, limit to rise or to fall, found %v, %v, %v", i.Target, i.Warn, i.Limit)
	}
	for j, r := range i.Readings {
		if math.IsNaN(r.Value) || math.IsInf(r.Value, 0) || r.At.IsZero() {
			ps.add(i.ID, fmt.Sprintf("readings/%d", j), "expected a number and a time, found %v at %s", r.Value, r.At)
		}
	}
	return ps.err()
}

// At returns what the indicator shows at now. Readings may be in any order;
// those after now do not count.
func (i Indicator) At(now time.Time) IndicatorStatus {
	rs := slices.SortedStableFunc(filter(i.Readings, func(r Reading) bool { return !r.At.After(now) }), func(a, b Reading) int { return a.At.Compare(b.At) })
	if len(rs) == 0 {
		return IndicatorStatus{Signal: NoData}
	}
	last := rs[len(rs)-1]
	st := IndicatorStatus{Signal: i.signal(last.Value), Last: last, Since: last.At}
	if len(rs) > 1 {
		st.Trend = last.Value - rs[len(rs)-2].Value
		if i.Limit < i.Warn {
			st.Trend = -st.Trend
		}
	}
	if i.Every > 0 && now.After(last.At.Add(i.Every)) {
		st.Signal, st.Since = NoData, last.At.Add(i.Every)
		return st
	}
	for _, r := range slices.Backward(rs) {
		if i.signal(r.Value) != st.Signal {
			break
		}
		st.Since = r.At
	}
	return st
}

func (i Indicator) signal(v float64) Signal {
	beyond := func(limit float64) bool {
		if i.Limit < i.Warn {
			return v <= limit
		}
		return v >= limit
	}
	switch {
	case beyond(i.Limit):
		return Limited
	case beyond(i.Warn):
		return Warned
	}
	return OnTarget
}
