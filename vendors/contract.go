package vendors

import (
	"fmt"
	"time"
)

// EndOn returns the last day of the term that a day falls into: of the contract
// itself or, if it renews by itself, of a renewal. It is zero for an open end.
// A contract to which notice was given ends on that day.
func (c Contract) EndOn(day Date) (Date, error) {
	if !c.Terminated.IsZero() {
		return c.Terminated, nil
	}
	if c.End.IsZero() || !c.AutoRenew || day.Compare(c.End) <= 0 {
		return c.End, nil
	}
	term := c.Renewal
	if term.IsZero() {
		term = Span{1, Years}
	}
	// The longest possible number of days in a term gives a number of terms that
	// is not too large, from where to count on.
	perUnit := map[Unit]int{Days: 1, Months: 31, Years: 366}[term.Unit]
	if perUnit == 0 || term.Amount == 0 {
		return Date{}, fmt.Errorf("vendors: contract %s: %w: a renewal needs days, months or years, found %s", c.ID, ErrValue, term)
	}
	for n := max(1, day.DaysSince(c.End)/(term.Amount*perUnit)); ; n++ {
		end, err := term.times(c.End, n)
		if err != nil || end.Compare(day) >= 0 {
			return end, err
		}
	}
}

// InForce tells whether the contract binds on a day, first and last day
// included.
func (c Contract) InForce(day Date) bool {
	if c.Start.IsZero() || day.Compare(c.Start) < 0 {
		return false
	}
	end, err := c.EndOn(day)
	return err == nil && (end.IsZero() || day.Compare(end) <= 0)
}

// NoticeBy returns the last day to give notice for the end of the term that a
// day falls into; zero for an open end or a contract without term of notice.
func (c Contract) NoticeBy(day Date) (Date, error) {
	end, err := c.EndOn(day)
	if err != nil || end.IsZero() || c.Notice.IsZero() {
		return Date{}, err
	}
	return c.Notice.times(end, -1)
}

// GapKind says what is wrong with a clause.
type GapKind int

// The kinds.
const (
	ClauseMissing GapKind = iota + 1 // the contract has no such clause
	ClauseNoLimit                    // the clause states no time
	ClauseTooSlow                    // the time is longer than our own duties allow
)

var gapNames = names{"missing", "no-limit", "too-slow"}

func (k GapKind) String() string               { return gapNames.name("GapKind", int(k)) }
func (k GapKind) MarshalText() ([]byte, error) { return gapNames.marshal("GapKind", int(k)) }
func (k *GapKind) UnmarshalText(text []byte) error {
	i, err := gapNames.unmarshal(text)
	*k = GapKind(i)
	return err
}

// A Gap is what a contract lacks.
type Gap struct {
	Clause  string
	Kind    GapKind
	Allowed time.Duration // the longest time that would do; 0 if the clause is missing
	Waived  Date          // last day on which the gap is accepted, zero if it is not
}

// breachNotification is the kind of clause that is compared with our duties.
const breachNotification = "breach-notification"

// ClauseOptions configure [ClauseGaps]; nil means the defaults.
type ClauseOptions struct {
	Margin   time.Duration // what we need between the vendor's notice and our own; default 4 hours, negative for none
	Holidays int           // that can fall into a span of business days; default 1, negative for none
}

// ClauseGaps returns what a contract lacks for the tier of its engagement, in
// the order of the required clauses.
//
// The vendor must tell us of a breach within our shortest duty less the margin.
// The worst case counts: a business day is 96 hours over a long weekend, a month
// of the vendor's has 31 days, one of ours 28. Without duties only the presence
// of clauses is checked. Where a contract has a clause twice the better one
// counts.
func ClauseGaps(c Contract, r Requirement, duties []Duty, opts *ClauseOptions) []Gap {
	o := ClauseOptions{Margin: 4 * time.Hour, Holidays: 1}
	if opts != nil && opts.Margin != 0 {
		o.Margin = max(opts.Margin, 0)
	}
	if opts != nil && opts.Holidays != 0 {
		o.Holidays = max(opts.Holidays, 0)
	}
	var gaps []Gap
	for _, kind := range r.Clauses {
		g, ok := clauseGap(c.Clauses, kind, duties, o)
		if !ok {
			continue
		}
		for _, w := range c.Waivers {
			if w.Clause == kind && w.Until.Compare(g.Waived) > 0 {
				g.Waived = w.Until
			}
		}
		gaps = append(gaps, g)
	}
	return gaps
}

func clauseGap(clauses []Clause, kind string, duties []Duty, o ClauseOptions) (Gap, bool) {
	gap := Gap{Clause: kind, Kind: ClauseMissing}
	for _, c := range clauses {
		if c.Kind != kind {
			continue
		}
		if kind != breachNotification || len(duties) == 0 {
			return Gap{}, false
		}
		allowed := duties[0].Within.shortest()
		for _, d := range duties[1:] {
			allowed = min(allowed, d.Within.shortest())
		}
		allowed = max(allowed-o.Margin, 0)
		switch {
		case c.Within == nil:
			if gap.Kind != ClauseTooSlow {
				gap = Gap{Clause: kind, Kind: ClauseNoLimit, Allowed: allowed}
			}
		case c.Within.longest(o.Holidays) <= allowed:
			return Gap{}, false
		default:
			gap = Gap{Clause: kind, Kind: ClauseTooSlow, Allowed: allowed}
		}
	}
	return gap, true
}

const day = 24 * time.Hour

// shortest returns the least time that a span can last.
func (s Span) shortest() time.Duration {
	n := time.Duration(s.Amount)
	switch s.Unit {
	case Days, BusinessDays:
		return n * day
	case Months:
		return n * 28 * day
	case Years:
		return n * 365 * day
	}
	return n * time.Hour
}

// longest returns the most time that a span can last. Business days run from
// Monday to Friday; the span begins on a Friday evening, and each holiday takes
// the place of a business day: n business days and h holidays have a weekend
// before each five.
func (s Span) longest(holidays int) time.Duration {
	n := time.Duration(s.Amount)
	switch s.Unit {
	case Days:
		return n * day
	case BusinessDays:
		if n == 0 {
			return 0
		}
		n += time.Duration(holidays)
		return (n + 2*((n+4)/5)) * day
	case Months:
		return n * 31 * day
	case Years:
		return n * 366 * day
	}
	return n * time.Hour
}
