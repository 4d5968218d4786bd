package vendors

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// A Cadence says what each tier asks for.
type Cadence map[Tier]Requirement

// A Requirement is what a tier asks for.
type Requirement struct {
	Every       Span     `json:"every,omitzero" yaml:"every,omitempty"`             // time between two assessments, in days, months or years; zero for none
	Instruments []string `json:"instruments,omitzero" yaml:"instruments,omitempty"` // questionnaires
	Documents   []string `json:"documents,omitzero" yaml:"documents,omitempty"`     // types of documents
	Clauses     []string `json:"clauses,omitzero" yaml:"clauses,omitempty"`         // kinds of clauses
}

// DefaultCadence returns the cadence for the tiers of [DefaultScheme]: every six
// months, every year, every two years, never.
func DefaultCadence() Cadence {
	return Cadence{
		1: {
			Every:       Span{6, Months},
			Instruments: []string{"full"},
			Documents:   []string{"soc2-type2", "pentest"},
			Clauses:     []string{"breach-notification", "right-to-audit", "exit", "data-return", "subcontracting", "sla"},
		},
		2: {
			Every:       Span{1, Years},
			Instruments: []string{"full"},
			Documents:   []string{"soc2-type2"},
			Clauses:     []string{"breach-notification", "right-to-audit", "exit", "data-return"},
		},
		3: {
			Every:       Span{2, Years},
			Instruments: []string{"lite"},
			Clauses:     []string{"breach-notification", "data-return"},
		},
		4: {},
	}
}

// DueState says where a due date lies.
type DueState int

// The states.
const (
	Scheduled DueState = iota + 1 // more than 30 days ahead
	DueSoon                       // within 30 days, today included
	Overdue                       // before today
)

// dueDays is the length of the window before a due date in which it is DueSoon.
const dueDays = 30

var dueNames = names{"scheduled", "due", "overdue"}

func (s DueState) String() string               { return dueNames.name("DueState", int(s)) }
func (s DueState) MarshalText() ([]byte, error) { return dueNames.marshal("DueState", int(s)) }
func (s *DueState) UnmarshalText(text []byte) error {
	i, err := dueNames.unmarshal(text)
	*s = DueState(i)
	return err
}

// A Due is a day on which something must be done. The zero Due says that
// nothing must.
type Due struct {
	Next  Date
	State DueState
}

func dueOn(next, today Date) Due {
	switch days := next.DaysSince(today); {
	case days < 0:
		return Due{next, Overdue}
	case days <= dueDays:
		return Due{next, DueSoon}
	}
	return Due{next, Scheduled}
}

// Next returns when an engagement must be assessed again: its last assessment
// and the interval of its tier, clamped to the end of the month. An engagement
// that was never assessed (last is zero) is due today. The Due is zero for a
// tier without interval. The error matches [ErrValue] if the cadence does not
// know the tier or its interval has no such day.
func (c Cadence) Next(t Tier, last Date, now time.Time) (Due, error) {
	req, ok := c[t]
	if !ok {
		return Due{}, fmt.Errorf("vendors: %w: the cadence knows no %s", ErrValue, t)
	}
	today := DateOf(now)
	switch {
	case req.Every.IsZero():
		return Due{}, nil
	case last.IsZero():
		return dueOn(today, today), nil
	}
	next, err := req.Every.after(last)
	if err != nil {
		return Due{}, fmt.Errorf("vendors: interval of %s: %w", t, err)
	}
	return dueOn(next, today), nil
}

// A Deadline is a day by which something about an object must be done.
type Deadline struct {
	Rule   string // reassessment, contract-end, contract-notice, document-expiry, decision-expiry, condition or waiver-expiry
	Object string // ID of the object
	Due    Date
}

// A Reminder is a message about a deadline. Rule, Object, Due and Days are its
// identity: the same reminder is not sent twice.
type Reminder struct {
	Deadline
	Days int       // before the deadline; negative after it
	At   time.Time // when it falls due: the start of that day
}

// Reminders returns the reminders that fall due after since and not after now,
// ordered by time, then as given. days says how many days before each deadline
// to remind, 0 for the day itself, negative for days after it. Days begin at
// midnight in the location of now.
//
// Windows that follow one another, each since being the now before, give every
// reminder exactly once, however often or seldom they run.
func Reminders(deadlines []Deadline, days []int, since, now time.Time) []Reminder {
	var out []Reminder
	for _, d := range deadlines {
		for _, n := range days {
			at := d.Due.AddDays(-n).In(now.Location())
			if at.After(since) && !at.After(now) {
				out = append(out, Reminder{d, n, at})
			}
		}
	}
	slices.SortStableFunc(out, func(a, b Reminder) int { return cmp.Compare(a.At.Unix(), b.At.Unix()) })
	return out
}
