package assessment

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"github.com/issokit/issokit/oscal"
)

// A Frequency says how often something is due: every Period units. The units
// are those of OSCAL's at-frequency: seconds, minutes, hours, days, months,
// years. The zero Frequency is once.
type Frequency struct {
	Period int
	Unit   string
}

var units = map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour, "days": 0, "months": 0, "years": 0}

// ParseFrequency reads what [Frequency.String] writes, e.g. "3 months". The
// error matches [ErrValue].
func ParseFrequency(s string) (Frequency, error) {
	number, unit, _ := strings.Cut(s, " ")
	n, err := strconv.Atoi(number)
	f := Frequency{n, unit}
	if err == nil {
		err = f.check()
	}
	if err != nil {
		return Frequency{}, fmt.Errorf("assessment: %q %w a frequency such as 3 months", s, ErrValue)
	}
	return f, nil
}

func (f Frequency) check() error {
	if _, ok := units[f.Unit]; !ok || f.Period < 1 || f.Period > 1_000_000 {
		return fmt.Errorf("%q %w a frequency such as 3 months", f, ErrValue)
	}
	return nil
}

// IsZero tells whether f is once.
func (f Frequency) IsZero() bool { return f == Frequency{} }

func (f Frequency) String() string {
	if f.IsZero() {
		return "once"
	}
	return strconv.Itoa(f.Period) + " " + f.Unit
}

// every says the frequency in a sentence.
func (f Frequency) every() string {
	if f.Period == 1 {
		return "every " + strings.TrimSuffix(f.Unit, "s")
	}
	return "every " + f.String()
}

// Occurrence returns the n-th time after start, which is number 0. Days, months
// and years keep the time of day in the zone of start. Months are counted from
// the start, and clamped: from January 31 every month it is February 28 or 29,
// then March 31. It panics if f is not a frequency.
func (f Frequency) Occurrence(start time.Time, n int) time.Time {
	if f.IsZero() {
		return start
	}
	if err := f.check(); err != nil {
		panic("assessment: " + err.Error())
	}
	if d := units[f.Unit]; d > 0 {
		return start.Add(time.Duration(n*f.Period) * d)
	}
	day := DateOf(start)
	switch f.Unit {
	case "days":
		day = day.AddDays(n * f.Period)
	case "months":
		day = day.AddMonths(n * f.Period)
	case "years":
		day = day.AddMonths(12 * n * f.Period)
	}
	hour, minute, second := start.Clock()
	return time.Date(day.Year, day.Month, day.Day, hour, minute, second, start.Nanosecond(), start.Location())
}

// Occurrences yields start and all times after it, without end; once for the
// zero Frequency.
func (f Frequency) Occurrences(start time.Time) iter.Seq[time.Time] {
	return func(yield func(time.Time) bool) {
		for n := 0; yield(f.Occurrence(start, n)) && !f.IsZero(); n++ {
		}
	}
}

// IsDue tells whether something that was last done on a day is late: the day of
// its next occurrence is before today. What is due today is not late. Done once,
// it is never due again.
func (f Frequency) IsDue(last, today Date) bool {
	return !f.IsZero() && DateOf(f.Occurrence(last.In(time.UTC), 1)).Compare(today) < 0
}

func (f Frequency) timing() *oscal.EventTiming {
	return &oscal.EventTiming{AtFrequency: &oscal.FrequencyCondition{Period: f.Period, Unit: f.Unit}}
}
