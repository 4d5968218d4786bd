package vuln

import (
	"fmt"
	"slices"
	"time"
)

// A Date is a day of the calendar without a time zone. Dates compare by
// [Date.Compare]; the zero Date is no date.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// ParseDate reads "2026-08-01". The error is a [Problems].
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return Date{}, Problems{{Rule: RuleValue, Message: fmt.Sprintf("expected a date such as 2026-08-01, found %q", cut(s))}}
	}
	return DateOf(t), nil
}

// DateOf returns the day of an instant in the instant's own time zone.
func DateOf(t time.Time) Date {
	if t.IsZero() {
		return Date{}
	}
	y, m, d := t.Date()
	return Date{y, m, d}
}

// IsZero tells whether d is no date.
func (d Date) IsZero() bool { return d == Date{} }

func (d Date) String() string {
	if d.IsZero() {
		return ""
	}
	return fmt.Sprintf("%04d-%02d-%02d", d.Year, int(d.Month), d.Day)
}

func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d *Date) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*d = Date{}
		return nil
	}
	*d, err = ParseDate(string(text))
	return err
}

// In returns the instant at which the day begins in a time zone.
func (d Date) In(loc *time.Location) time.Time {
	return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, loc)
}

// exists tells whether the calendar has the day.
func (d Date) exists() bool { return d.Year >= 1 && d.Year <= 9999 && d == DateOf(d.In(time.UTC)) }

// AddDays returns the day so many calendar days later.
func (d Date) AddDays(n int) Date { return DateOf(d.In(time.UTC).AddDate(0, 0, n)) }

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday { return d.In(time.UTC).Weekday() }

// Compare returns -1, 0 or 1 as d is before, the same as, or after e.
func (d Date) Compare(e Date) int { return d.In(time.UTC).Compare(e.In(time.UTC)) }

// A Calendar tells business days from others. The zero Calendar has Monday to
// Friday and no holidays. It is not changed by its methods.
type Calendar struct {
	Weekend  []time.Weekday // default Saturday, Sunday
	Holidays []Date         // as observed
}

// IsBusinessDay tells whether work is done on a day.
func (c Calendar) IsBusinessDay(d Date) bool {
	weekend := c.Weekend
	if weekend == nil {
		weekend = []time.Weekday{time.Saturday, time.Sunday}
	}
	return !slices.Contains(weekend, d.Weekday()) && !slices.Contains(c.Holidays, d)
}

// AddBusinessDays returns the n-th business day after d, for a negative n before
// it; d itself does not count, and 0 returns it as it is. The error is a
// [Problems] if ten years pass without a business day or n is beyond 100,000.
func (c Calendar) AddBusinessDays(d Date, n int) (Date, error) {
	if n < -100_000 || n > 100_000 {
		return Date{}, Problems{{Rule: RuleLimit, Message: fmt.Sprintf("expected at most 100,000 business days, found %d", n)}}
	}
	step := 1
	if n < 0 {
		step = -1
	}
	const patience = 3660
	for found, idle := 0, 0; found != n; {
		d = d.AddDays(step)
		if c.IsBusinessDay(d) {
			found, idle = found+step, 0
		} else if idle++; idle > patience {
			return Date{}, Problems{{Rule: RuleValue, Message: "the calendar has no business days"}}
		}
	}
	return d, nil
}

// FederalHolidays returns the holidays of the United States government in a
// range of years, as observed: one on a Saturday is kept on Friday, one on a
// Sunday on Monday (5 U.S.C. 6103; the day of inauguration, which holds in the
// District of Columbia alone, is left out).
func FederalHolidays(fromYear, toYear int) []Date {
	var out []Date
	for y := fromYear; y <= min(toYear, fromYear+1000); y++ {
		nth := func(m time.Month, day time.Weekday, n int) Date {
			first := Date{y, m, 1}
			return first.AddDays((int(day)-int(first.Weekday())+7)%7 + 7*(n-1))
		}
		endOfMay := Date{y, time.May, 31}
		for _, d := range []Date{
			{y, time.January, 1},
			nth(time.January, time.Monday, 3),
			nth(time.February, time.Monday, 3),
			endOfMay.AddDays(-(int(endOfMay.Weekday()) + 6) % 7),
			{y, time.June, 19},
			{y, time.July, 4},
			nth(time.September, time.Monday, 1),
			nth(time.October, time.Monday, 2),
			{y, time.November, 11},
			nth(time.November, time.Thursday, 4),
			{y, time.December, 25},
			{y + 1, time.January, 1}, // may be kept on 31 December
		} {
			switch d.Weekday() {
			case time.Saturday:
				d = d.AddDays(-1)
			case time.Sunday:
				d = d.AddDays(1)
			}
			if d.Year == y {
				out = append(out, d)
			}
		}
	}
	return slices.CompactFunc(out, func(a, b Date) bool { return a == b })
}
