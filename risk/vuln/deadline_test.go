package vuln

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func answerOf(b *bool) Answer {
	switch {
	case b == nil:
		return Unknown
	case *b:
		return Yes
	}
	return No
}

func date(t *testing.T, s string) Date {
	t.Helper()
	if s == "" {
		return Date{}
	}
	d, err := ParseDate(s)
	require.NoError(t, err)
	return d
}

func instant(t *testing.T, s string) time.Time {
	t.Helper()
	if s == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, s)
	require.NoError(t, err)
	return at
}

func state(t *testing.T, s string) State {
	t.Helper()
	for x := Open; x <= Remediated; x++ {
		if x.String() == s {
			return x
		}
	}
	require.Empty(t, s)
	return 0
}

// A deadlineCase is a case of corpus/authorization/deadlines of the regimes R1 to
// R4.
type deadlineCase struct {
	ID, Regime string
	Input      struct {
		OriginalDetectionDate, OriginalRating, AdjustedRating, RiskAdjustment string
		VendorDependency                                                      bool
		VendorFixReleased, LastVendorCheckIn, SubmissionDate                  string
		Collected, Deadline                                                   string
		ImpactFacets                                                          []string
		Class                                                                 string
		N                                                                     int
		InternetReachable, LikelyExploitable                                  *bool
		EvaluatedAt, DetectedAt, AsOf, State                                  string
		KEV, PubliclyExposed, Automatable                                     *bool
		TechnicalImpact, Detected, KEVListed, KEVDueDate                      string
		AssumeAutomatable                                                     bool
	}
	Expect struct {
		EffectiveRating, Due, Error, NextReductionDue, EvaluationDue, TreatAsIncident, Earliest string
		Late, Timely, MustBeAccepted, Overdue                                                   *bool
		ForensicTriage, FixOnUpgrade                                                            bool
		Assumed                                                                                 []string
		PerRegime                                                                               map[string]*string
	}
}

func (c deadlineCase) finding(t *testing.T) Finding {
	in := c.Input
	detected := in.Detected
	if detected == "" {
		detected = in.OriginalDetectionDate
	}
	return Finding{
		State: state(t, in.State), Detected: date(t, detected), Evaluated: instant(t, in.EvaluatedAt),
		Rating: in.OriginalRating, AdjustedRating: in.AdjustedRating, RiskAdjustment: in.RiskAdjustment, VendorFixReleased: date(t, in.VendorFixReleased),
		KEV: answerOf(in.KEV), KEVListed: date(t, in.KEVListed), KEVDue: date(t, in.KEVDueDate),
		Exposed: answerOf(in.PubliclyExposed), Automatable: answerOf(in.Automatable), TechnicalImpact: in.TechnicalImpact,
		InternetReachable: answerOf(in.InternetReachable), LikelyExploitable: answerOf(in.LikelyExploitable), PotentialImpact: in.N,
	}
}

func TestDeadlineCorpus(t *testing.T) {
	var file struct{ Cases []deadlineCase }
	readJSON(t, &file, "authorization", "deadlines", "cases.json")
	counts := map[string]int{}
	for _, c := range file.Cases {
		counts[c.Regime]++
		f := c.finding(t)
		vdr := VDRPolicy{Class: c.Input.Class}
		t.Run(c.ID, func(t *testing.T) {
			switch c.Regime {
			case "R1":
				p := FedRAMPRev5()
				d, err := p.Due(f)
				if c.Expect.Error != "" {
					require.ErrorIs(t, err, ErrInvalid)
					require.Len(t, err, 1)
					require.Equal(t, map[string]string{"unknown rating": "rating", "missing detection date": "detected"}[c.Expect.Error], err.(Problems)[0].Pointer)
					return
				}
				require.NoError(t, err)
				require.Equal(t, c.Expect.EffectiveRating, p.Effective(f))
				if c.Expect.Late != nil {
					require.Equal(t, *c.Expect.Late, p.CheckInLate(date(t, c.Input.LastVendorCheckIn), date(t, c.Input.SubmissionDate)))
					return
				}
				require.Equal(t, c.Expect.Due, d.String())
			case "R1-oscal":
				timely, err := FedRAMPRev5().Timely(instant(t, c.Input.Collected), c.Input.ImpactFacets[len(c.Input.ImpactFacets)-1], instant(t, c.Input.Deadline))
				require.NoError(t, err)
				require.Equal(t, *c.Expect.Timely, timely)
			case "R2":
				d, err := vdr.Due(f)
				require.NoError(t, err)
				if c.Expect.NextReductionDue == "" {
					require.Equal(t, "no time frame", d.String())
					return
				}
				require.Equal(t, c.Expect.NextReductionDue, d.String())
			case "R2-evaluate":
				at, err := vdr.EvaluationDue(instant(t, c.Input.DetectedAt))
				require.NoError(t, err)
				require.Equal(t, instant(t, c.Expect.EvaluationDue), at)
			case "R2-accepted":
				require.Equal(t, *c.Expect.MustBeAccepted, vdr.MustBeAccepted(f, instant(t, c.Input.AsOf)))
			case "R2-incident":
				require.Equal(t, c.Expect.TreatAsIncident, vdr.TreatAsIncident(f))
			case "R3":
				f.KEV = Yes
				d, err := KEVPolicy{}.Due(f)
				require.NoError(t, err)
				require.Equal(t, *c.Expect.Overdue, d.Overdue(f.State, date(t, c.Input.AsOf).In(utc), nil))
			case "R4":
				d, err := BODPolicy{Defaults: true, AssumeAutomatable: c.Input.AssumeAutomatable}.Due(f)
				if c.Expect.Error != "" {
					require.ErrorIs(t, err, ErrInvalid)
					require.Equal(t, "automatable", err.(Problems)[0].Pointer)
					return
				}
				require.NoError(t, err)
				want := c.Expect.Due
				if c.Expect.FixOnUpgrade {
					want = "next upgrade"
				}
				require.Equal(t, want, d.String())
				require.Equal(t, c.Expect.ForensicTriage, d.Forensic)
				require.Equal(t, c.Expect.Assumed, d.Assumed)
			case "combined":
				names := map[string]string{"FedRAMP Rev5": "R1", "FedRAMP VDR": "R2", "KEV catalog": "R3", "BOD 26-04": "R4"}
				ds, err := DueAll([]Finding{f}, []Policy{FedRAMPRev5(), vdr, KEVPolicy{}, BODPolicy{}}, nil)
				require.NoError(t, err)
				require.Len(t, ds, 4)
				for _, d := range ds {
					want := c.Expect.PerRegime[names[d.Policy]]
					if want == nil {
						require.False(t, d.HasDate())
						continue
					}
					require.Equal(t, *want, d.String())
				}
				require.Equal(t, c.Expect.Earliest, names[ds[0].Policy])
			default:
				t.SkipNow() // regimes of other packages
			}
		})
	}
	delete(counts, "R5")
	delete(counts, "R6")
	delete(counts, "R6-classify")
	delete(counts, "escalation")
	require.Equal(t, map[string]int{"R1": 18, "R1-oscal": 3, "R2": 39, "R2-accepted": 5, "R2-evaluate": 3, "R2-incident": 7, "R3": 4, "R4": 19, "combined": 3}, counts)
}

func TestVDRTable(t *testing.T) {
	var file struct {
		Cells []struct {
			Cls                                  string
			N                                    int
			InternetReachable, LikelyExploitable *bool
			Num                                  *int
			Unit                                 string
		}
	}
	readJSON(t, &file, "authorization", "deadlines", "r2-cr26-vdr.json")
	require.Len(t, file.Cells, 39)
	start := Date{2027, 1, 1}.In(utc)
	for _, c := range file.Cells {
		d, err := VDRPolicy{c.Cls}.Due(Finding{Evaluated: start, PotentialImpact: c.N, InternetReachable: answerOf(c.InternetReachable), LikelyExploitable: answerOf(c.LikelyExploitable)})
		require.NoError(t, err)
		if c.Num == nil {
			require.False(t, d.HasDate())
			continue
		}
		require.Equal(t, *c.Num, int(d.At.Sub(start).Hours())/map[string]int{"days": 24, "hours": 1}[c.Unit], c)
	}
}

func TestBODCorpus(t *testing.T) {
	type facts = map[string]string
	var file struct {
		Cases []struct {
			Facts    facts
			Start    string
			Outcome  string
			Outcomes []string
			Due      string
			Forensic bool
			History  []struct {
				At    string
				Facts facts
			}
			Dues []string
		}
	}
	readJSON(t, &file, "risk", "vuln", "bod-26-04-cases.json")
	require.Len(t, file.Cases, 16)
	finding := func(at string, f facts) Finding {
		answers := map[string]Answer{"yes": Yes, "no": No}
		return Finding{At: date(t, at).In(utc), KEV: answers[f["In KEV"]], Exposed: answers[f["Publicly Exposed"]], Automatable: answers[f["Automatable"]], TechnicalImpact: f["Technical Impact"]}
	}
	for i, c := range file.Cases {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			p := BODPolicy{StartAtFacts: true}
			if c.History != nil {
				var history []Finding
				for k, h := range c.History {
					history = append(history, finding(h.At, h.Facts))
					d, err := p.Due(history[k])
					require.NoError(t, err)
					require.Equal(t, c.Dues[k], d.String())
				}
				d, err := Due(history, p, nil)
				require.NoError(t, err)
				require.Equal(t, c.Due, d.String())
				return
			}
			d, err := p.Due(finding(c.Start, c.Facts))
			require.NoError(t, err)
			require.Equal(t, c.Due, d.Date.String())
			if c.Outcome != "" {
				c.Outcomes = []string{c.Outcome}
				require.Equal(t, c.Forensic, d.Forensic)
			}
			require.Equal(t, c.Outcomes, d.Outcomes)
		})
	}
}

func TestFederalHolidaysCorpus(t *testing.T) {
	var file struct {
		Holidays struct{ Dates map[string]string }
	}
	readJSON(t, &file, "authorization", "deadlines", "cases.json")
	require.Len(t, file.Holidays.Dates, 23)
	got := map[string]bool{}
	for _, d := range FederalHolidays(2026, 2027) {
		require.False(t, got[d.String()])
		got[d.String()] = true
		require.Contains(t, file.Holidays.Dates, d.String())
	}
	require.Len(t, got, 23)
}

func TestBusinessDays(t *testing.T) {
	c := Calendar{Holidays: FederalHolidays(2026, 2027)}
	for _, tt := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-12-24", 1, "2026-12-28"},
		{"2026-12-31", 1, "2027-01-04"},
		{"2026-11-25", 1, "2026-11-27"},
		{"2026-11-28", 1, "2026-11-30"},
		{"2026-11-27", -1, "2026-11-25"},
		{"2026-07-02", 5, "2026-07-10"},
		{"2026-07-04", 0, "2026-07-04"},
	} {
		d, err := c.AddBusinessDays(date(t, tt.from), tt.n)
		require.NoError(t, err)
		require.Equal(t, tt.want, d.String(), tt)
	}
	_, err := Calendar{Weekend: []time.Weekday{0, 1, 2, 3, 4, 5, 6}}.AddBusinessDays(Date{2026, 1, 1}, 1)
	require.ErrorIs(t, err, ErrInvalid)
	_, err = c.AddBusinessDays(Date{2026, 1, 1}, 1<<30)
	require.ErrorIs(t, err, ErrInvalid)

	p := RatingPolicy{Name: "house", Version: "1", Periods: []RatingPeriod{{"urgent", 3}}, BusinessDays: true, Calendar: c}
	d, err := p.Due(Finding{Rating: "Urgent", Detected: Date{2026, 12, 23}})
	require.NoError(t, err)
	require.Equal(t, "2026-12-29", d.String())
}

// fixed is a policy of a user.
type fixed struct{ d Deadline }

func (f fixed) Due(Finding) (Deadline, error) { return f.d, nil }

func TestDueZones(t *testing.T) {
	day := Deadline{Policy: "day", Date: Date{2026, 12, 10}, SatisfiedBy: Remediated}
	hour := Deadline{Policy: "hour", At: instant(t, "2026-12-11T03:00:00Z"), SatisfiedBy: Remediated}
	east := time.FixedZone("", -5*3600)
	for _, tt := range []struct {
		loc  *time.Location
		lead string
	}{{nil, "day"}, {east, "hour"}} {
		ds, err := DueAll([]Finding{{}}, []Policy{fixed{hour}, fixed{day}}, tt.loc)
		require.NoError(t, err)
		require.Equal(t, tt.lead, ds[0].Policy)
	}
	require.False(t, day.Overdue(Open, instant(t, "2026-12-10T23:59:59Z"), nil))
	require.True(t, day.Overdue(Open, instant(t, "2026-12-11T00:00:00Z"), nil))
	require.False(t, day.Overdue(Open, instant(t, "2026-12-11T00:00:00Z"), east))
	require.False(t, day.Overdue(Remediated, instant(t, "2027-12-11T00:00:00Z"), nil))
	require.False(t, hour.Overdue(Open, hour.At, nil))

	_, err := Due(nil, KEVPolicy{}, nil)
	require.ErrorIs(t, err, ErrInvalid)
	_, err = DueAll([]Finding{{}, {}}, []Policy{FedRAMPRev5(), VDRPolicy{"E"}}, nil)
	require.Len(t, err, 10, "two facts of two states, three of two")
	require.True(t, strings.HasPrefix(err.(Problems)[0].Pointer, "policy/0/history/0/"))
}

// TestVDRRules compares all classes with the rules that FedRAMP publishes.
func TestVDRRules(t *testing.T) {
	type rule struct {
		Classes map[string]struct {
			Force      string
			Num        int `json:"timeframe_num"`
			Timeframes map[string]map[string]struct {
				Type string `json:"timeframe_type"`
				Num  int    `json:"timeframe_num"`
			} `json:"pain_timeframes"`
		} `json:"varies_by_class"`
	}
	var file struct {
		FRR map[string]struct {
			Data struct {
				All struct{ TFR map[string]rule }
			}
		}
	}
	readJSON(t, &file, "authorization", "cr26", "fedramp-consolidated-rules.json")
	start := Date{2027, 1, 1}.In(utc)
	columns := map[string][2]Answer{"irv_lev": {Yes, Yes}, "nirv_lev": {No, Yes}, "nlev": {Unknown, No}}
	cells := 0
	ver := file.FRR["VER"].Data.All.TFR
	for class, c := range file.FRR["VDR"].Data.All.TFR["VDR-TFR-PVR"].Classes {
		p := VDRPolicy{strings.ToUpper(class)}
		for n, row := range c.Timeframes {
			for column, want := range row {
				d, err := p.Due(Finding{Evaluated: start, PotentialImpact: int(n[0] - '0'), InternetReachable: columns[column][0], LikelyExploitable: columns[column][1]})
				require.NoError(t, err)
				require.Equal(t, time.Duration(want.Num)*map[string]time.Duration{"days": 24 * time.Hour, "hours": time.Hour}[want.Type], d.At.Sub(start), "%s N%s %s", class, n, column)
				require.Equal(t, c.Force, d.Force)
				cells++
			}
		}
		at, err := p.EvaluationDue(start)
		require.NoError(t, err)
		require.Equal(t, ver["VER-TFR-EVU"].Classes[class].Num, int(at.Sub(start).Hours())/24)
		require.Equal(t, ver["VER-TFR-IRI"].Classes[class].Force, p.TreatAsIncident(Finding{PotentialImpact: 4, InternetReachable: Yes, LikelyExploitable: Yes}))
		require.Equal(t, ver["VER-TFR-NRI"].Classes[class].Force, p.TreatAsIncident(Finding{PotentialImpact: 5, InternetReachable: No, LikelyExploitable: Yes}))
	}
	require.Equal(t, 4*4*3, cells)
}

// TestPeriodsAndDaysThatAreNone: a period before the detection, one beyond every
// calendar and days that no calendar has are problems, not deadlines.
func TestPeriodsAndDaysThatAreNone(t *testing.T) {
	rated := func(days int, business bool) RatingPolicy {
		return RatingPolicy{Name: "own", Periods: []RatingPeriod{{"high", days}}, BusinessDays: business}
	}
	detected := Date{2026, 6, 30}
	for _, tt := range []struct {
		name   string
		policy Policy
		f      Finding
		want   string
	}{
		{"before the detection", rated(-5, false), Finding{Rating: "high", Detected: detected}, "vuln: the period of high: expected 0 to 36500 days, found -5 (at rating) [value]"},
		{"business days before it", rated(-5, true), Finding{Rating: "high", Detected: detected}, "vuln: the period of high: expected 0 to 36500 days, found -5 (at rating) [value]"},
		{"beyond every calendar", rated(math.MaxInt, false), Finding{Rating: "high", Detected: detected}, fmt.Sprintf("vuln: the period of high: expected 0 to 36500 days, found %d (at rating) [value]", math.MaxInt)},
		{"31 February", rated(5, false), Finding{Rating: "high", Detected: Date{2026, 2, 31}}, "vuln: expected a day of the calendar, found 2026-02-31 (at detected) [value]"},
		{"fix on a 13th month", rated(5, false), Finding{Rating: "high", Detected: detected, VendorFixReleased: Date{2026, 13, 1}}, "vuln: expected a day of the calendar, found 2026-13-01 (at vendor-fix-released) [value]"},
		{"BOD", BODPolicy{}, Finding{KEV: Yes, KEVListed: Date{2026, 4, 31}, Detected: Date{2026, 1, 0}}, "vuln: expected a day of the calendar, found 2026-01-00 (at detected) [value]\nexpected a day of the calendar, found 2026-04-31 (at kev-listed) [value]"},
		{"KEV", KEVPolicy{}, Finding{KEV: Yes, KEVDue: Date{2025, 2, 29}}, "vuln: expected a day of the calendar, found 2025-02-29 (at kev-due) [value]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := tt.policy.Due(tt.f)
			require.Equal(t, Deadline{}, d)
			require.EqualError(t, err, tt.want)
			require.ErrorIs(t, err, ErrInvalid)
		})
	}
	_, err := rated(-1, false).Timely(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), "high", time.Time{})
	require.ErrorIs(t, err, ErrInvalid)
	d, err := rated(0, false).Due(Finding{Rating: "high", Detected: Date{2024, 2, 29}})
	require.NoError(t, err)
	require.Equal(t, Date{2024, 2, 29}, d.Date)
}
