package assessment

import (
	"cmp"
	"fmt"
	"time"
)

// A Date is a day of the calendar, without time and zone: what deadlines and
// plans of action are written in. The zero Date is no day. Dates compare by ==
// and by [Date.Compare].
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf returns the day on which an instant falls in the zone of t.
func DateOf(t time.Time) Date {
	y, m, d := t.Date()
	return Date{y, m, d}
}

// ParseDate reads a date as of RFC 3339, full-date: 2026-06-30. The error matches
// [ErrValue].
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, fmt.Errorf("assessment: %q %w a date (2006-01-02)", s, ErrValue)
	}
	return DateOf(t), nil
}

// IsZero tells whether d is no day.
func (d Date) IsZero() bool { return d == Date{} }

// String returns the form that [ParseDate] reads, "" for the zero Date.
func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return d.In(time.UTC).Format(time.DateOnly)
}

func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d *Date) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	x, err := ParseDate(string(text))
	if err == nil {
		*d = x
	}
	return err
}

// Compare returns -1, 0 or +1, as d is before, on or after e.
func (d Date) Compare(e Date) int {
	return cmp.Or(cmp.Compare(d.Year, e.Year), cmp.Compare(d.Month, e.Month), cmp.Compare(d.Day, e.Day))
}

// In returns the instant at which the day begins in a zone.
func (d Date) In(zone *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone)
}

// AddDays returns the day n days later, or earlier if n is negative.
func (d Date) AddDays(n int) Date { return DateOf(d.In(time.UTC).AddDate(0, 0, n)) }

// AddMonths returns the same day n months later, or the last day of that month
// if it is shorter: January 31 and one month is February 28 or 29.
func (d Date) AddMonths(n int) Date {
	first := time.Date(d.Year, d.Month+time.Month(n), 1, 0, 0, 0, 0, time.UTC)
	last := first.AddDate(0, 1, -1).Day()
	return Date{first.Year(), first.Month(), min(d.Day, last)}
}

// Days returns the number of days from d to e, negative if e is before d.
func (d Date) Days(e Date) int {
	return int(e.In(time.UTC).Sub(d.In(time.UTC)) / (24 * time.Hour))
}
