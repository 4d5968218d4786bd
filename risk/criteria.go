package risk

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"
)

// A Scale is an ordered list of levels, the lowest first, under the URI of the
// system that defines them. A matrix.Scale converts to it.
type Scale struct {
	System string   `json:"system" yaml:"system"`
	Levels []string `json:"levels" yaml:"levels,required"`
}

// An Appetite says how much risk of a category is wanted and how much is
// borne, by levels of a scale, by annual loss, or both.
type Appetite struct {
	Category  string      `json:"category" yaml:"category"` // "" is the default for categories without one
	System    string      `json:"system" yaml:"system"`     // of the levels
	Appetite  string      `json:"appetite,omitempty" yaml:"appetite"`
	Tolerance string      `json:"tolerance,omitempty" yaml:"tolerance"` // default the appetite
	Capacity  string      `json:"capacity,omitempty" yaml:"capacity"`   // what could be borne at all; default none
	Currency  string      `json:"currency,omitempty" yaml:"currency"`   // of what follows
	MeanLoss  float64     `json:"meanLoss,omitempty" yaml:"meanLoss"`   // appetite: mean annual loss; 0 for none
	Curve     []Tolerance `json:"curve,omitempty" yaml:"curve"`         // tolerance curve, losses rising
}

// A Tolerance is a point of a tolerance curve: a loss of more than Loss a year
// is borne with at most this probability.
type Tolerance struct {
	Loss        float64 `json:"loss" yaml:"loss"`
	Probability float64 `json:"probability" yaml:"probability"`
}

// An Authority lets a person or role accept risks up to a level of a scale, up to
// a mean annual loss, or up to both.
type Authority struct {
	Who      string  `json:"who" yaml:"who,required"` // ID of a party or of a role
	System   string  `json:"system" yaml:"system"`
	Level    string  `json:"level,omitempty" yaml:"level"`       // the highest
	Currency string  `json:"currency,omitempty" yaml:"currency"` // of MeanLoss
	MeanLoss float64 `json:"meanLoss,omitempty" yaml:"meanLoss"` // the highest; 0 for no limit to what Level covers
}

// A Term is what holds for risks of a level.
type Term struct {
	System     string `json:"system,omitempty" yaml:"system"`         // "" for every scale
	Level      string `json:"level,omitempty" yaml:"level"`           // "" for every level
	AcceptDays int    `json:"acceptDays,omitempty" yaml:"acceptDays"` // longest acceptance; 0 for no limit
	Review     int    `json:"review,omitempty" yaml:"review"`         // months until the next review; 0 for none
	Stale      int    `json:"stale,omitempty" yaml:"stale"`           // months after which an assessment is stale; 0 for never
}

// Criteria are what an organization decided about its risks. The zero value has
// no scales, so that no risk can be evaluated by it.
type Criteria struct {
	Scales      []Scale     `json:"scales" yaml:"scales"`
	Appetites   []Appetite  `json:"appetites,omitempty" yaml:"appetites"`
	Authorities []Authority `json:"authorities,omitempty" yaml:"authorities"`
	Terms       []Term      `json:"terms,omitempty" yaml:"terms"`       // the first that fits a level holds
	WarnDays    int         `json:"warnDays,omitempty" yaml:"warnDays"` // before an acceptance expires; default 30
}

// Check returns a [Problems] with all levels that are on no scale, scales
// without levels or given twice, and tolerance curves that do not rise in loss
// and fall in probability.
func (c Criteria) Check() error {
	var ps Problems
	level := func(pointer, system, level string) {
		if _, err := c.rank(system, level); level != "" && err != nil {
			ps = append(ps, Problem{Pointer: pointer, Err: err})
		}
	}
	for i, s := range c.Scales {
		at := fmt.Sprintf("scales/%d", i)
		if s.System == "" || len(s.Levels) == 0 {
			ps.add("", at, "expected a system and levels")
		}
		if slices.ContainsFunc(c.Scales[:i], func(o Scale) bool { return o.System == s.System }) {
			ps.add("", at, "scale %q is given twice", s.System)
		}
		for j, l := range s.Levels {
			if l == "" || slices.Contains(s.Levels[:j], l) {
				ps.add("", fmt.Sprintf("%s/levels/%d", at, j), "expected a level that is not there yet, found %q", l)
			}
		}
	}
	for i, a := range c.Appetites {
		at := fmt.Sprintf("appetites/%d", i)
		if slices.ContainsFunc(c.Appetites[:i], func(o Appetite) bool { return o.Category == a.Category && o.System == a.System }) {
			ps.add("", at, "category %q has two appetites on scale %q", a.Category, a.System)
		}
		level(at+"/appetite", a.System, a.Appetite)
		level(at+"/tolerance", a.System, a.Tolerance)
		level(at+"/capacity", a.System, a.Capacity)
		if lo, hi := a.levels(c); lo > hi {
			ps.add("", at, "expected a tolerance that is not below the appetite, found %q and %q", a.Tolerance, a.Appetite)
		}
		if !(a.MeanLoss >= 0) || math.IsInf(a.MeanLoss, 0) {
			ps.add("", at+"/meanLoss", "expected an amount, found %v", a.MeanLoss)
		}
		for j, p := range a.Curve {
			if !(p.Loss > 0 && p.Probability > 0 && p.Probability <= 1) || math.IsInf(p.Loss, 1) {
				ps.add("", fmt.Sprintf("%s/curve/%d", at, j), "expected a loss above 0 and a probability above 0 and up to 1, found %v and %v", p.Loss, p.Probability)
			}
			if j > 0 && !(p.Loss > a.Curve[j-1].Loss && p.Probability <= a.Curve[j-1].Probability) {
				ps.add("", fmt.Sprintf("%s/curve/%d", at, j), "expected a greater loss with a probability that is not greater")
			}
		}
	}
	for i, a := range c.Authorities {
		if a.Who == "" {
			ps.add("", fmt.Sprintf("authorities/%d/who", i), "expected a party or role")
		}
		if _, err := c.rank(a.System, a.Level); err != nil && (a.Level != "" || a.MeanLoss == 0) {
			ps = append(ps, Problem{Pointer: fmt.Sprintf("authorities/%d/level", i), Err: err})
		}
		if !(a.MeanLoss >= 0) || math.IsInf(a.MeanLoss, 0) {
			ps.add("", fmt.Sprintf("authorities/%d/meanLoss", i), "expected an amount, found %v", a.MeanLoss)
		}
	}
	for i, t := range c.Terms {
		if t.System != "" {
			level(fmt.Sprintf("terms/%d/level", i), t.System, t.Level)
		}
		if t.AcceptDays < 0 || t.Review < 0 || t.Stale < 0 {
			ps.add("", fmt.Sprintf("terms/%d", i), "expected no negative terms")
		}
	}
	return ps.err()
}

// levels returns the ranks of appetite and tolerance; both 0 if they cannot be
// told.
func (a Appetite) levels(c Criteria) (appetite, tolerance int) {
	lo, err := c.rank(a.System, a.Appetite)
	if err != nil || a.Tolerance == "" {
		return lo, lo
	}
	hi, err := c.rank(a.System, a.Tolerance)
	if err != nil {
		return lo, lo
	}
	return lo, hi
}

// rank returns the place of a level on its scale. The error matches [ErrScale].
func (c Criteria) rank(system, level string) (int, error) {
	for _, s := range c.Scales {
		if s.System == system {
			if i := slices.Index(s.Levels, level); i >= 0 {
				return i, nil
			}
			return 0, fmt.Errorf("%w: expected one of %q, found %q", ErrScale, s.Levels, level)
		}
	}
	return 0, fmt.Errorf("%w: no scale %q", ErrScale, system)
}

// Compare compares the levels of two assessments: negative if a is lower. The
// error matches [ErrScale] if they are of different systems or on no scale of
// the criteria.
func (c Criteria) Compare(a, b Assessment) (int, error) {
	if a.System != b.System {
		return 0, fmt.Errorf("%w: %q and %q", ErrScale, a.System, b.System)
	}
	x, err := c.rank(a.System, a.Level)
	if err != nil {
		return 0, err
	}
	y, err := c.rank(b.System, b.Level)
	return x - y, err
}

// Position is where a risk lies against appetite and tolerance.
type Position int

// The positions.
const (
	WithinAppetite Position = iota + 1
	WithinTolerance
	BeyondTolerance
	BeyondCapacity
)

var positionNames = names{"", "within appetite", "within tolerance", "beyond tolerance", "beyond capacity"}

func (p Position) String() string               { return positionNames.string("Position", int(p)) }
func (p Position) MarshalText() ([]byte, error) { return positionNames.marshal("Position", int(p)) }
func (p *Position) UnmarshalText(text []byte) error {
	return unmarshal(positionNames, "position", text, p)
}

// appetite returns the appetite for a category, on a scale.
func (c Criteria) appetite(category, system string) (Appetite, bool) {
	for _, want := range []string{category, ""} {
		for _, a := range c.Appetites {
			if a.Category == want && a.System == system {
				return a, true
			}
		}
	}
	return Appetite{}, false
}

// Position returns where an assessment lies for a category: the worse of where its
// level lies on its scale and of where its loss lies against the mean annual loss
// and the curve, as far as there is an appetite for them. The error matches
// [ErrScale] if there is neither, or the loss is in another currency.
func (c Criteria) Position(category string, a Assessment) (Position, error) {
	byLoss, err := c.lossPosition(category, a)
	if err != nil {
		return 0, err
	}
	byLevel, err := c.levelPosition(category, a)
	if err != nil && byLoss == 0 {
		return 0, err
	}
	return max(byLevel, byLoss), nil
}

// lossPosition is the position of a loss; 0 if there is none, or no appetite for
// it. A mean above the appetite is within tolerance only if there is a tolerance
// curve, and no part of the loss exceedance curve above it.
func (c Criteria) lossPosition(category string, a Assessment) (Position, error) {
	ap, ok := c.appetite(category, a.System)
	if !ok || a.Loss == nil || ap.MeanLoss == 0 && ap.Curve == nil {
		return 0, nil
	}
	if ap.Currency != a.Loss.Currency {
		return 0, fmt.Errorf("%w: appetite in %q, loss in %q", ErrScale, ap.Currency, a.Loss.Currency)
	}
	switch {
	case len(ap.Exceeded(a.Loss.Curve)) > 0:
		return BeyondTolerance, nil
	case ap.MeanLoss == 0 || a.Loss.Mean.Value <= ap.MeanLoss:
		return WithinAppetite, nil
	case ap.Curve != nil && a.Loss.Curve != nil:
		return WithinTolerance, nil
	}
	return BeyondTolerance, nil
}

// levelPosition is the position of a level. The error matches [ErrScale] if it is
// on no scale of the criteria or there is no appetite on that scale.
func (c Criteria) levelPosition(category string, a Assessment) (Position, error) {
	level, err := c.rank(a.System, a.Level)
	if err != nil {
		return 0, err
	}
	ap, ok := c.appetite(category, a.System)
	if !ok || ap.Appetite == "" {
		return 0, fmt.Errorf("%w: no appetite for category %q on scale %q", ErrScale, category, a.System)
	}
	appetite, err := c.rank(ap.System, ap.Appetite)
	if err != nil {
		return 0, err
	}
	_, tolerance := ap.levels(c)
	if ap.Capacity != "" {
		capacity, err := c.rank(ap.System, ap.Capacity)
		if err != nil {
			return 0, err
		}
		if level > capacity {
			return BeyondCapacity, nil
		}
	}
	switch {
	case level <= appetite:
		return WithinAppetite, nil
	case level <= tolerance:
		return WithinTolerance, nil
	}
	return BeyondTolerance, nil
}

// ToleranceAt returns the probability with which an annual loss of more than x
// is borne: between the points of the curve by linear interpolation of the
// logarithms of loss and probability, outside of them not at all (ok is false).
func (a Appetite) ToleranceAt(x float64) (probability float64, ok bool) {
	for i, p := range a.Curve {
		switch {
		case x == p.Loss:
			return p.Probability, true
		case x < p.Loss && i == 0:
			return 0, false
		case x < p.Loss:
			q := a.Curve[i-1]
			t := (math.Log(x) - math.Log(q.Loss)) / (math.Log(p.Loss) - math.Log(q.Loss))
			return math.Exp(math.Log(q.Probability) + float64(t*(math.Log(p.Probability)-math.Log(q.Probability)))), true
		}
	}
	return 0, false
}

// Exceeded returns where a loss exceedance curve, losses rising, is beyond the
// tolerance curve, losses rising: the points whose probability of more than the
// loss is greater than what is borne, and those points of the tolerance curve
// between them at which it must be, for the probability of more than a loss is
// nowhere less than that of more than a greater one.
func (a Appetite) Exceeded(curve []Exceedance) []Exceedance {
	var out []Exceedance
	for _, p := range curve {
		if t, ok := a.ToleranceAt(p.Loss); ok && p.Probability.Value > t {
			out = append(out, p)
		}
	}
	for _, t := range a.Curve {
		i := slices.IndexFunc(curve, func(p Exceedance) bool { return p.Loss >= t.Loss })
		if i >= 0 && curve[i].Loss > t.Loss && curve[i].Probability.Value > t.Probability {
			out = append(out, Exceedance{t.Loss, curve[i].Probability})
		}
	}
	slices.SortStableFunc(out, func(a, b Exceedance) int { return cmp.Compare(a.Loss, b.Loss) })
	return out
}

// term returns what holds for a level.
func (c Criteria) term(a Assessment) Term {
	var out Term
	for _, t := range c.Terms {
		if (t.System == "" || t.System == a.System) && (t.Level == "" || t.Level == a.Level) {
			return t
		}
	}
	return out
}

// covers tells whether a party, acting in a role, may accept the assessment: its
// level, if it has one, and its loss, if that is limited or all that there is.
func (c Criteria) covers(party, role string, a Assessment) bool {
	return slices.ContainsFunc(c.Authorities, func(au Authority) bool {
		if au.System != a.System || au.Who != party && (role == "" || au.Who != role) {
			return false
		}
		if a.Level != "" {
			level, err := c.rank(a.System, a.Level)
			top, errTop := c.rank(au.System, au.Level)
			if err != nil || errTop != nil || level > top {
				return false
			}
		}
		if au.MeanLoss == 0 || a.Loss == nil {
			return a.Level != ""
		}
		return au.Currency == a.Loss.Currency && a.Loss.Mean.Value <= au.MeanLoss
	})
}

// addMonths adds months to a time; a day that the month does not have becomes
// its last one.
func addMonths(t time.Time, months int) time.Time {
	first := time.Date(t.Year(), t.Month()+time.Month(months), 1, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	last := first.AddDate(0, 1, -1).Day()
	return first.AddDate(0, 0, min(t.Day(), last)-1)
}
