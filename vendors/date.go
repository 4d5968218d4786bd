package vendors

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Date is a calendar day without time or zone. The zero Date is no day.
type Date struct {
	Year  int // 1 to 9999
	Month time.Month
	Day   int
}

// ParseDate reads a day as ISO 8601 writes it: 2026-06-30.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1 {
		return Date{}, fmt.Errorf("%w: expected a date like 2026-06-30, found %q", ErrValue, s)
	}
	return DateOf(t), nil
}

// DateOf returns the day of an instant in the instant's own location.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// IsZero tells whether d is no day.
func (d Date) IsZero() bool { return d == Date{} }

func (d Date) String() string {
	if d.IsZero() {
		return "-"
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day)
}

// MarshalText writes 2026-06-30; a day that no calendar has is an error.
func (d Date) MarshalText() ([]byte, error) {
	if !d.valid() {
		return nil, fmt.Errorf("vendors: %w: no such day: %s", ErrValue, d)
	}
	return []byte(d.String()), nil
}

// UnmarshalText reads what [ParseDate] reads.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDate(string(text))
	return err
}

// In returns the first instant of the day in a location.
func (d Date) In(loc *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, loc)
}

// Compare returns -1, 0 or +1 as d is before, on or after e.
func (d Date) Compare(e Date) int {
	return cmp.Or(cmp.Compare(d.Year, e.Year), cmp.Compare(d.Month, e.Month), cmp.Compare(d.Day, e.Day))
}

// DaysSince returns the number of days from e to d, negative if d is earlier.
func (d Date) DaysSince(e Date) int {
	return int((d.In(time.UTC).Unix() - e.In(time.UTC).Unix()) / (24 * 60 * 60))
}

// AddDays returns the day n days later.
func (d Date) AddDays(n int) Date {
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, time.UTC))
}

// AddMonths returns the same day of the month n months later, or the last day
// of that month if it is shorter: 2026-08-31 and six months are 2027-02-28.
func (d Date) AddMonths(n int) Date {
	last := time.Date(d.Year, d.Month+time.Month(n)+1, 0, 0, 0, 0, 0, time.UTC)
	return Date{last.Year(), last.Month(), min(d.Day, last.Day())}
}

func (d Date) valid() bool {
	return d.Year >= 1 && d.Year <= 9999 && DateOf(d.In(time.UTC)) == d
}

// A Unit is what a [Span] counts.
type Unit int

// The units.
const (
	Hours Unit = iota + 1
	Days
	BusinessDays
	Months
	Years
)

var unitNames = names{"hour", "day", "business-day", "month", "year"}

func (u Unit) String() string { return unitNames.name("Unit", int(u)) }

// maxSpan bounds the amount of a span, so that arithmetic cannot overflow.
const maxSpan = 100_000

// A Span is a length of time as contracts state it. As text it is "12 hours",
// "1 business-day", "6 months", "1 year". The zero Span is none.
type Span struct {
	Amount int
	Unit   Unit
}

// IsZero tells whether s is no span.
func (s Span) IsZero() bool { return s == Span{} }

func (s Span) String() string {
	if s.IsZero() {
		return "-"
	}
	plural := "s"
	if s.Amount == 1 {
		plural = ""
	}
	return strconv.Itoa(s.Amount) + " " + s.Unit.String() + plural
}

// MarshalText writes the text form.
func (s Span) MarshalText() ([]byte, error) {
	if !s.valid() {
		return nil, fmt.Errorf("vendors: %w: no such span: %s", ErrValue, s)
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads the text form, singular or plural.
func (s *Span) UnmarshalText(text []byte) error {
	amount, unit, _ := strings.Cut(string(text), " ")
	n, err := strconv.Atoi(amount)
	u, ok := unitNames.find(strings.TrimSuffix(unit, "s"))
	got := Span{n, Unit(u)}
	if err != nil || !ok || !got.valid() {
		return fmt.Errorf("%w: expected a number from 0 to %d and hours, days, business-days, months or years, found %q", ErrValue, maxSpan, text)
	}
	*s = got
	return nil
}

func (s Span) valid() bool {
	return s.Amount >= 0 && s.Amount <= maxSpan && s.Unit >= Hours && s.Unit <= Years
}

// after returns the day a span after d, clamped to the end of the month. Spans
// of hours and business days have no such day.
func (s Span) after(d Date) (Date, error) { return s.times(d, 1) }

// times returns the day n spans after d, counted from d, so that a clamped day
// does not wander.
func (s Span) times(d Date, n int) (Date, error) {
	var out Date
	switch {
	case !s.valid():
		return Date{}, fmt.Errorf("%w: no such span: %s", ErrValue, s)
	case s.Unit == Days:
		out = d.AddDays(n * s.Amount)
	case s.Unit == Months:
		out = d.AddMonths(n * s.Amount)
	case s.Unit == Years:
		out = d.AddMonths(n * s.Amount * 12)
	default:
		return Date{}, fmt.Errorf("%w: expected days, months or years, found %s", ErrValue, s)
	}
	if !out.valid() {
		return Date{}, fmt.Errorf("%w: %d times %s from %s lies outside the years 1 to 9999", ErrValue, n, s, d)
	}
	return out, nil
}

// names are the texts of an enum, the first that of value 1.
type names []string

func (n names) name(typ string, i int) string {
	if i >= 1 && i <= len(n) {
		return n[i-1]
	}
	return fmt.Sprintf("%s(%d)", typ, i)
}

func (n names) find(text string) (int, bool) {
	for i, s := range n {
		if s == text {
			return i + 1, true
		}
	}
	return 0, false
}

func (n names) marshal(typ string, i int) ([]byte, error) {
	if i < 1 || i > len(n) {
		return nil, fmt.Errorf("vendors: %w: %s", ErrValue, n.name(typ, i))
	}
	return []byte(n[i-1]), nil
}

func (n names) unmarshal(text []byte) (int, error) {
	i, ok := n.find(string(text))
	if !ok {
		return 0, fmt.Errorf("%w: expected one of %s, found %q", ErrValue, strings.Join(n, ", "), text)
	}
	return i, nil
}
