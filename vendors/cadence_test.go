package vendors

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestCadenceErrors(t *testing.T) {
	now := at("2026-06-30")
	_, err := Cadence{}.Next(1, date("2026-01-01"), now)
	require.ErrorIs(t, err, ErrValue)
	for _, every := range []Span{{4, Hours}, {4, BusinessDays}, {4, 9}, {-1, Days}, {9000, Years}} {
		_, err = Cadence{1: {Every: every}}.Next(1, date("2026-01-01"), now)
		require.ErrorIs(t, err, ErrValue, "%v", every)
	}
	never, err := DefaultCadence().Next(1, Date{}, now)
	require.NoError(t, err)
	require.Equal(t, Due{date("2026-06-30"), DueSoon}, never, "what was never assessed is due today")
	ahead, err := DefaultCadence().Next(1, date("2026-01-31"), now)
	require.NoError(t, err)
	require.Equal(t, Due{date("2026-07-31"), Scheduled}, ahead, "31 days ahead")
	ahead, err = DefaultCadence().Next(1, date("2026-01-30"), now)
	require.NoError(t, err)
	require.Equal(t, Due{date("2026-07-30"), DueSoon}, ahead, "30 days ahead")
}

// TestDayOfNow: the day is that of now in its own location.
func TestDayOfNow(t *testing.T) {
	tokyo := time.FixedZone("JST", 9*60*60)
	instant := time.Date(2026, 6, 30, 23, 0, 0, 0, time.UTC)
	require.Equal(t, date("2026-06-30"), DateOf(instant))
	require.Equal(t, date("2026-07-01"), DateOf(instant.In(tokyo)))
}

// TestAddMonths compares with counting the days of each month.
func TestAddMonths(t *testing.T) {
	lengths := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	length := func(y, m int) int {
		if m == 1 && y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return lengths[m]
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 20_000 {
		y, m := 1800+r.IntN(400), r.IntN(12)
		d := Date{y, time.Month(m + 1), 1 + r.IntN(length(y, m))}
		n := r.IntN(600) - 300
		total := y*12 + m + n
		want := Date{total / 12, time.Month(total%12 + 1), min(d.Day, length(total/12, total%12))}
		require.Equal(t, want, d.AddMonths(n), "%s %d", d, n)
		require.Equal(t, n, d.AddDays(n).DaysSince(d))
	}
}

func TestSpanText(t *testing.T) {
	for text, want := range map[string]Span{
		"12 hours": {12, Hours}, "1 hour": {1, Hours}, "1 business-day": {1, BusinessDays}, "3 business-days": {3, BusinessDays},
		"0 days": {0, Days}, "6 months": {6, Months}, "1 year": {1, Years},
	} {
		var s Span
		require.NoError(t, s.UnmarshalText([]byte(text)))
		require.Equal(t, want, s)
		require.Equal(t, text, s.String())
	}
	for _, text := range []string{"", "6", "months", "6  months", "-1 days", "1 fortnight", "100001 days", "1.5 hours", "6 monthss", "99999999999999999999 days"} {
		var s Span
		require.ErrorIs(t, s.UnmarshalText([]byte(text)), ErrValue, text)
		require.Equal(t, Span{}, s)
	}
	_, err := Span{}.MarshalText()
	require.ErrorIs(t, err, ErrValue)
}

func TestDateText(t *testing.T) {
	for _, text := range []string{"", "2026-02-29", "2026-13-01", "26-01-01", "2026-1-1", "2026-01-01T00:00:00Z", "0000-01-01"} {
		_, err := ParseDate(text)
		require.ErrorIs(t, err, ErrValue, text)
	}
	require.Equal(t, Date{2024, 2, 29}, date("2024-02-29"))
	_, err := Date{2026, 2, 29}.MarshalText()
	require.ErrorIs(t, err, ErrValue)
}

// TestReminderWindows: whatever windows a year is cut into, each reminder comes
// once; a repeated run adds nothing.
func TestReminderWindows(t *testing.T) {
	loc := time.FixedZone("", -7*60*60)
	r := rand.New(rand.NewPCG(7, 7))
	var deadlines []Deadline
	for i := range 50 {
		deadlines = append(deadlines, Deadline{"reassessment", fmt.Sprint(i), date("2026-01-01").AddDays(r.IntN(365))})
	}
	days := []int{30, 7, 0, -1}
	start := date("2025-12-01").In(loc)
	end := date("2027-02-01").In(loc)
	whole := Reminders(deadlines, days, start, end)
	require.Len(t, whole, 200)
	for range 20 {
		var got []Reminder
		for since := start; since.Before(end); {
			now := since.Add(time.Duration(r.IntN(72)) * time.Hour) // none, two or many runs a day, days missed
			if now.After(end) {
				now = end
			}
			got = append(got, Reminders(deadlines, days, since, now)...)
			require.Empty(t, Reminders(deadlines, days, now, now))
			since = now
		}
		require.ElementsMatch(t, whole, got)
	}
}

// TestBusinessDays compares the longest span of business days with a walk
// through a calendar in which any one day may be a holiday.
func TestBusinessDays(t *testing.T) {
	for n := 1; n <= 15; n++ {
		worst := 0
		for start := range 7 {
			for holiday := range 40 {
				left, day := n, start
				for left > 0 {
					day++
					if day%7 < 5 && day != holiday {
						left--
					}
				}
				worst = max(worst, day-start)
			}
		}
		require.Equal(t, time.Duration(worst)*24*time.Hour, Span{n, BusinessDays}.longest(1), "%d business days", n)
	}
	require.Equal(t, time.Duration(0), Span{0, BusinessDays}.longest(1))
}

func TestClauseGaps(t *testing.T) {
	duty := []Duty{{"d", Span{24, Hours}}}
	breach := Requirement{Clauses: []string{"breach-notification", "exit"}}
	within := func(s Span) Clause { return Clause{Kind: "breach-notification", Within: &s} }
	tests := []struct {
		name   string
		in     Contract
		duties []Duty
		opts   *ClauseOptions
		want   []Gap
	}{
		{"no duties: presence alone", Contract{Clauses: []Clause{{Kind: "breach-notification"}, {Kind: "exit"}}}, nil, nil, nil},
		{"the better clause counts", Contract{Clauses: []Clause{within(Span{30, Days}), within(Span{2, Hours}), {Kind: "exit"}}}, duty, nil, nil},
		{
			"no margin left",
			Contract{Clauses: []Clause{within(Span{1, Hours}), {Kind: "exit"}}},
			[]Duty{{"d", Span{3, Hours}}},
			nil,
			[]Gap{{Clause: "breach-notification", Kind: ClauseTooSlow}},
		},
		{"no margin asked for", Contract{Clauses: []Clause{within(Span{24, Hours}), {Kind: "exit"}}}, duty, &ClauseOptions{Margin: -1}, nil},
		{
			"waived",
			Contract{Clauses: []Clause{within(Span{1, Hours})}, Waivers: []Waiver{{Clause: "exit", Until: date("2026-01-01")}, {Clause: "exit", Until: date("2026-06-30")}}},
			duty, nil,
			[]Gap{{Clause: "exit", Kind: ClauseMissing, Waived: date("2026-06-30")}},
		},
		{"without holidays a business day is a weekend", Contract{Clauses: []Clause{within(Span{1, BusinessDays}), {Kind: "exit"}}}, []Duty{{"d", Span{76, Hours}}}, &ClauseOptions{Holidays: -1}, nil},
		{
			"a month of ours is short, one of theirs long",
			Contract{Clauses: []Clause{within(Span{1, Months}), {Kind: "exit"}}},
			[]Duty{{"d", Span{1, Months}}},
			&ClauseOptions{Margin: -1},
			[]Gap{{Clause: "breach-notification", Kind: ClauseTooSlow, Allowed: 28 * 24 * time.Hour}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.want, ClauseGaps(tt.in, breach, tt.duties, tt.opts))
		})
	}
}

func TestContractTerms(t *testing.T) {
	c := Contract{ID: "c", Start: date("2024-03-01"), End: date("2025-02-28"), AutoRenew: true, Notice: Span{3, Months}}
	month := c
	month.End, month.Renewal = date("2024-03-31"), Span{1, Months}
	days := c
	days.Renewal = Span{10, Days}
	over := c
	over.Terminated = date("2026-02-28")
	fixed := c
	fixed.AutoRenew = false
	open := Contract{ID: "o", Start: date("2024-03-01"), Notice: Span{1, Months}}
	tests := []struct {
		name        string
		c           Contract
		on          string
		end, notice string // "" for none
		inForce     bool
	}{
		{"before", c, "2024-02-29", "2025-02-28", "2024-11-28", false},
		{"first day", c, "2024-03-01", "2025-02-28", "2024-11-28", true},
		{"last day of the first term", c, "2025-02-28", "2025-02-28", "2024-11-28", true},
		{"renewed", c, "2025-03-01", "2026-02-28", "2025-11-28", true},
		{"renewed often", c, "2044-01-01", "2044-02-28", "2043-11-28", true},
		{"clamped months do not wander", month, "2026-04-30", "2026-04-30", "2026-01-30", true},
		{"and come back", month, "2026-05-01", "2026-05-31", "2026-02-28", true},
		{"terms of days", days, "2025-03-11", "2025-03-20", "2024-12-20", true},
		{"notice was given", over, "2026-03-01", "2026-02-28", "2025-11-28", false},
		{"fixed term over", fixed, "2025-03-01", "2025-02-28", "2024-11-28", false},
		{"open end", open, "2099-01-01", "", "", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			end, err := tt.c.EndOn(date(tt.on))
			require.NoError(t, err)
			require.Equal(t, tt.end, dateText(end))
			notice, err := tt.c.NoticeBy(date(tt.on))
			require.NoError(t, err)
			require.Equal(t, tt.notice, dateText(notice))
			require.Equal(t, tt.inForce, tt.c.InForce(date(tt.on)))
		})
	}
	for _, s := range []Span{{1, Hours}, {1, BusinessDays}, {-1, Months}} {
		bad := c
		bad.Renewal = s
		_, err := bad.EndOn(date("2030-01-01"))
		require.ErrorIs(t, err, ErrValue)
		require.False(t, bad.InForce(date("2030-01-01")))
	}
	require.False(t, Contract{}.InForce(date("2030-01-01")), "a contract without a start does not bind")
}

func TestCoverage(t *testing.T) {
	report := Document{ID: "r", Type: "soc2-type2", PeriodStart: date("2025-04-01"), PeriodEnd: date("2026-03-31")}
	bridged := report
	bridged.BridgedUntil = date("2026-06-15")
	tests := []struct {
		name string
		in   Document
		on   string
		want Coverage
		err  error
	}{
		{"a bridge letter closes the gap", bridged, "2026-08-01", Coverage{CoverageOK, new(123)}, nil},
		{"but does not for ever", bridged, "2026-09-14", Coverage{BridgeLetterNeeded, new(167)}, nil},
		{"and not beyond the limit", bridged, "2027-04-01", Coverage{CoverageExpired, new(366)}, nil},
		{"365 days", report, "2027-03-31", Coverage{BridgeLetterNeeded, new(365)}, nil},
		{"test of a point in time", Document{Type: "pentest", AsOf: date("2025-06-30")}, "2026-06-30", Coverage{State: CoverageOK}, nil},
		{"old test", Document{Type: "pentest", AsOf: date("2025-06-29")}, "2026-06-30", Coverage{State: CoverageExpired}, nil},
		{"test of tomorrow", Document{Type: "pentest", AsOf: date("2026-07-01")}, "2026-06-30", Coverage{}, ErrValue},
		{"nothing known", Document{Type: "letter"}, "2026-06-30", Coverage{}, ErrMissing},
		{"turned period", Document{Type: "soc2-type2", PeriodStart: date("2026-01-02"), PeriodEnd: date("2026-01-01")}, "2026-06-30", Coverage{}, ErrValue},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.in.Coverage(date(tt.on), Limits{})
			require.ErrorIs(t, err, tt.err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestMoney(t *testing.T) {
	sum, err := Money{1, "EUR"}.Add(Money{2, "EUR"})
	require.NoError(t, err)
	require.Equal(t, Money{3, "EUR"}, sum)
	_, err = Money{1, "EUR"}.Add(Money{2, "USD"})
	require.ErrorIs(t, err, ErrCurrency)
	for _, m := range [][2]int64{{1<<63 - 1, 1}, {-1 << 63, -1}} {
		_, err = Money{m[0], "EUR"}.Add(Money{m[1], "EUR"})
		require.ErrorIs(t, err, ErrValue)
	}
}
