package vendors

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Tier says how critical an engagement is: 1 is the most critical, larger
// numbers are less so. 0 is no tier.
type Tier int

func (t Tier) String() string { return "tier " + strconv.Itoa(int(t)) }

// Unknown says how a factor counts that an exposure does not state.
type Unknown int

// How unknown factors count.
const (
	AsWorst Unknown = iota + 1 // as the most critical value of the scheme
	LeftOut                    // not at all
)

var unknownNames = names{"as-worst", "left-out"}

func (u Unknown) String() string               { return unknownNames.name("Unknown", int(u)) }
func (u Unknown) MarshalText() ([]byte, error) { return unknownNames.marshal("Unknown", int(u)) }
func (u *Unknown) UnmarshalText(text []byte) error {
	i, err := unknownNames.unmarshal(text)
	*u = Unknown(i)
	return err
}

// TierOptions configure [Scheme.Tier]; nil means the defaults.
type TierOptions struct {
	Unknown Unknown // default AsWorst
}

// A Reason is what one factor of an exposure forces.
type Reason struct {
	Factor string
	Value  string // in the words of the exposure; "unknown" if it does not say
	Tier   Tier
}

// A Tiering is a tier with its arithmetic.
type Tiering struct {
	Scheme  string // ID of the scheme
	Tier    Tier
	Default bool     // no factor counted: the tier is the default of the scheme
	Reasons []Reason // the factors that force the tier, in the order of the scheme
	Factors []Reason // all factors that counted, in the order of the scheme
	Unknown []string // factors that the exposure does not state, in the order of the scheme
}

// Explain returns the arithmetic, a line per step.
func (t Tiering) Explain() []string {
	lines := make([]string, 0, len(t.Factors)+2)
	for _, f := range t.Factors {
		lines = append(lines, fmt.Sprintf("%s %s: %s", f.Factor, f.Value, f.Tier))
	}
	if t.Unknown != nil {
		lines = append(lines, "not known: "+strings.Join(t.Unknown, ", "))
	}
	if t.Default {
		return append(lines, fmt.Sprintf("no factor counts: %s, the default of %s", t.Tier, t.Scheme))
	}
	forced := make([]string, len(t.Reasons))
	for i, r := range t.Reasons {
		forced[i] = r.Factor
	}
	return append(lines, fmt.Sprintf("the most critical wins: %s by %s (%s)", t.Tier, strings.Join(forced, ", "), t.Scheme))
}

// A Scheme computes tiers. Every factor of an exposure forces a tier, the
// smallest number wins, and the factors that force it are the reasons: more
// exposure never gives a less critical tier, and nothing is averaged away. A
// Scheme is immutable and safe for concurrent use; [ReadScheme] reads one,
// [DefaultScheme] is built in.
type Scheme struct {
	id       string
	tiers    []Tier
	fallback Tier
	factors  []factor
}

// A factor turns one field of an exposure into a tier.
type factor struct {
	id       string
	field    *field
	kind     string
	levels   []level // of a level or a set, in the order of the scheme
	steps    []step  // of a number, the largest first
	tier     Tier    // of a flag that is set
	currency string  // of an amount of money
}

type level struct {
	name string
	tier Tier
}

type step struct {
	atLeast int64
	tier    Tier
}

// Kinds of factors.
const (
	kindLevel  = "level"
	kindNumber = "number"
	kindFlag   = "flag"
	kindSet    = "set"
)

// ID returns the name and version of the scheme.
func (s *Scheme) ID() string { return s.id }

// Tiers returns the tiers that the scheme knows, the most critical first.
func (s *Scheme) Tiers() []Tier { return slices.Clone(s.tiers) }

// Tier computes the tier of an exposure. The error is a [Problems], in the order
// of the scheme's factors, if a level or a member of a set is none of the
// scheme, a number is negative, or an amount is in another currency than the
// scheme's; each matches [ErrValue]. The Tiering is then empty: an exposure
// that cannot be read has no tier, not the lowest.
func (s *Scheme) Tier(e Exposure, opts *TierOptions) (Tiering, error) {
	worst := opts == nil || opts.Unknown != LeftOut
	t := Tiering{Scheme: s.id, Tier: s.fallback}
	var ps Problems
	for i := range s.factors {
		f := &s.factors[i]
		value, tier, known, err := f.apply(&e)
		switch {
		case err != nil:
			ps = append(ps, &Problem{Pointer: f.field.pointer, Err: err})
			continue
		case !known:
			t.Unknown = append(t.Unknown, f.id)
			if !worst {
				continue
			}
			value, tier = "unknown", f.worst()
		}
		if tier != 0 {
			if t.Factors == nil {
				t.Factors = make([]Reason, 0, len(s.factors))
			}
			t.Factors = append(t.Factors, Reason{f.id, value, tier})
		}
	}
	if ps != nil {
		return Tiering{}, ps
	}
	t.Default = len(t.Factors) == 0
	for _, f := range t.Factors {
		t.Tier = min(t.Tier, f.Tier) // the default is the least critical
	}
	for _, f := range t.Factors {
		if f.Tier == t.Tier {
			t.Reasons = append(t.Reasons, f)
		}
	}
	return t, nil
}

// worst is the most critical tier that a factor can force.
func (f *factor) worst() Tier {
	worst := f.tier
	for _, l := range f.levels {
		if worst == 0 || l.tier < worst {
			worst = l.tier
		}
	}
	for _, s := range f.steps {
		if worst == 0 || s.tier < worst {
			worst = s.tier
		}
	}
	return worst
}

// A field is where a factor finds its value in an exposure.
type field struct {
	kind    string
	pointer string
	text    func(*Exposure) string   // of a level, "" if not known
	number  func(*Exposure) *int64   // of a number, nil if not known
	flag    func(*Access) bool       // of a flag
	set     func(*Exposure) []string // of a set, nil if not known
}

// fieldOf names the fields of an exposure that a scheme can use.
var fieldOf = map[string]*field{
	"function": {kind: kindLevel, pointer: "/function", text: func(e *Exposure) string {
		if e.Function == nil {
			return ""
		}
		return strconv.Itoa(*e.Function)
	}},
	"data":              {kind: kindLevel, pointer: "/data", text: func(e *Exposure) string { return e.Data }},
	"records":           {kind: kindNumber, pointer: "/records", number: func(e *Exposure) *int64 { return e.Records }},
	"access.network":    {kind: kindFlag, pointer: "/access/network", flag: func(a *Access) bool { return a.Network }},
	"access.privileged": {kind: kindFlag, pointer: "/access/privileged", flag: func(a *Access) bool { return a.Privileged }},
	"access.physical":   {kind: kindFlag, pointer: "/access/physical", flag: func(a *Access) bool { return a.Physical }},
	"access.sourceCode": {kind: kindFlag, pointer: "/access/source-code", flag: func(a *Access) bool { return a.SourceCode }},
	"substitutability":  {kind: kindLevel, pointer: "/substitutability", text: func(e *Exposure) string { return e.Substitutability }},
	"regulated":         {kind: kindSet, pointer: "/regulated", set: func(e *Exposure) []string { return e.Regulated }},
	"spend": {kind: kindNumber, pointer: "/spend", number: func(e *Exposure) *int64 {
		if e.Spend == nil {
			return nil
		}
		return &e.Spend.Minor
	}},
}

// apply returns the value of a factor in words and the tier that it forces, 0
// for none.
func (f *factor) apply(e *Exposure) (value string, tier Tier, known bool, err error) {
	at := f.field
	switch f.kind {
	case kindLevel:
		if value = at.text(e); value == "" {
			return "", 0, false, nil
		}
		tier, err = f.level(value)
		return value, tier, true, err
	case kindSet:
		members := at.set(e)
		if members == nil {
			return "", 0, false, nil
		}
		var forcing []string
		for _, m := range members {
			t, err := f.level(m)
			switch {
			case err != nil:
				return "", 0, true, err
			case tier == 0 || t < tier:
				tier, forcing = t, []string{m}
			case t == tier:
				forcing = append(forcing, m)
			}
		}
		return strings.Join(forcing, ", "), tier, true, nil
	case kindFlag:
		if e.Access == nil {
			return "", 0, false, nil
		}
		if at.flag(e.Access) {
			tier = f.tier
		}
		return "granted", tier, true, nil
	default: // a number
		n := at.number(e)
		switch {
		case n == nil:
			return "", 0, false, nil
		case *n < 0:
			return "", 0, true, fmt.Errorf("%w: expected a number from 0, found %d", ErrValue, *n)
		case f.currency != "" && e.Spend.Currency != f.currency:
			return "", 0, true, fmt.Errorf("%w: the scheme compares amounts in %s, found %s", ErrValue, f.currency, e.Spend.Currency)
		}
		for _, s := range f.steps {
			if *n >= s.atLeast {
				tier = s.tier
				break
			}
		}
		return strconv.FormatInt(*n, 10), tier, true, nil
	}
}

func (f *factor) level(name string) (Tier, error) {
	for _, l := range f.levels {
		if l.name == name {
			return l.tier, nil
		}
	}
	known := make([]string, len(f.levels))
	for i, l := range f.levels {
		known[i] = l.name
	}
	return 0, fmt.Errorf("%w: expected one of %s, found %q", ErrValue, strings.Join(known, ", "), name)
}
