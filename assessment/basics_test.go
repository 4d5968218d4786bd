package assessment

import (
	"bytes"
	"encoding"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

func TestEnums(t *testing.T) {
	check := func(name string, n int, at func(i int) (fmt.Stringer, encoding.TextMarshaler, encoding.TextUnmarshaler)) {
		seen := map[string]bool{}
		for i := range n {
			s, m, u := at(i)
			text, err := m.MarshalText()
			require.NoError(t, err)
			require.NoError(t, u.UnmarshalText(text))
			require.False(t, seen[s.String()], name)
			seen[s.String()] = true
			if i > 0 {
				require.Equal(t, s.String(), string(text))
			}
		}
		s, m, u := at(n)
		require.Equal(t, fmt.Sprintf("%s(%d)", name, n), s.String())
		if name != "Method" {
			_, err := m.MarshalText()
			require.ErrorIs(t, err, ErrValue)
		}
		require.ErrorIs(t, u.UnmarshalText([]byte("nonsense")), ErrValue)
	}
	check("Outcome", len(outcomes), func(i int) (fmt.Stringer, encoding.TextMarshaler, encoding.TextUnmarshaler) {
		v := Outcome(i)
		return v, v, &v
	})
	check("Severity", len(severities), func(i int) (fmt.Stringer, encoding.TextMarshaler, encoding.TextUnmarshaler) {
		v := Severity(i)
		return v, v, &v
	})
	check("Verdict", len(verdictNames), func(i int) (fmt.Stringer, encoding.TextMarshaler, encoding.TextUnmarshaler) {
		v := Verdict(i)
		return v, v, &v
	})
	check("Method", len(methods), func(i int) (fmt.Stringer, encoding.TextMarshaler, encoding.TextUnmarshaler) {
		v := Method(i)
		return v, v, &v
	})
}

func TestSeverityOf(t *testing.T) {
	for score, want := range map[float64]Severity{10: Critical, 9: Critical, 8.9: High, 7: High, 6.9: Medium, 4: Medium, 3.9: Low, 0.1: Low, 0: Informational, -1: 0, 10.1: 0} {
		require.Equal(t, want, SeverityOf(score), score)
	}
}

// TestSampleSizeOracle: all rows of the table of the corpus, exact probabilities
// included.
func TestSampleSizeOracle(t *testing.T) {
	rows, err := csv.NewReader(bytes.NewReader(corpus.Read(t, "controls/sampling/hypergeometric.csv"))).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 113)
	for _, row := range rows[1:] {
		n, _ := strconv.Atoi(row[0])
		d, _ := strconv.Atoi(row[1])
		c, _ := new(big.Rat).SetString(row[2])
		want, _ := strconv.Atoi(row[3])
		got, err := SampleSize(n, d, c)
		require.NoError(t, err)
		require.Equal(t, want, got, row)
		confidence, _ := c.Float64()
		got, err = Sampling{Deviations: d, Confidence: confidence}.Size(n)
		require.NoError(t, err)
		require.Equal(t, want, got, row)

		// P = 1 - C(N-D,n)/C(N,n)
		p := new(big.Rat).SetFrac(new(big.Int).Binomial(int64(n-d), int64(got)), new(big.Int).Binomial(int64(n), int64(got)))
		require.Equal(t, row[4], p.Sub(big.NewRat(1, 1), p).FloatString(6), row)
	}
	for _, bad := range []struct {
		n, d int
		c    *big.Rat
	}{{-1, 0, big.NewRat(1, 2)}, {3, 4, big.NewRat(1, 2)}, {3, -1, big.NewRat(1, 2)}, {3, 1, big.NewRat(0, 1)}, {3, 1, big.NewRat(3, 2)}, {2_000_000, 1, big.NewRat(1, 2)}} {
		_, err := SampleSize(bad.n, bad.d, bad.c)
		require.ErrorIs(t, err, ErrRange)
	}
	big1, err := SampleSize(1_000_000, 1000, big.NewRat(95, 100))
	require.NoError(t, err)
	require.InDelta(t, 2990, big1, 10) // close to ln(0.05)/ln(1-1/1000), the binomial limit
}

func TestSampling(t *testing.T) {
	for _, tt := range []struct {
		rule       Sampling
		population int
		want       int
	}{
		{Sampling{}, 7, 7},
		{Sampling{Number: 5}, 7, 5},
		{Sampling{Number: 9}, 7, 7},
		{Sampling{Percent: 10}, 41, 5},
		{Sampling{Percent: 10, Minimum: 3}, 12, 3},
		{Sampling{Percent: 10, Minimum: 3}, 2, 2},
		{Sampling{Percent: 100}, 7, 7},
		{Sampling{Deviations: 5, Confidence: 0.9}, 3, 1},
		{Sampling{Number: 5}, 0, 0},
	} {
		got, err := tt.rule.Size(tt.population)
		require.NoError(t, err)
		require.Equal(t, tt.want, got, "%+v", tt.rule)
	}
	_, err := Sampling{Number: 1, Percent: 1}.Size(3)
	require.ErrorIs(t, err, ErrConflict)
	_, err = Sampling{Percent: 101}.Size(3)
	require.ErrorIs(t, err, ErrRange)
	_, err = Sampling{Deviations: 1}.Size(3)
	require.ErrorIs(t, err, ErrRange)
}

func TestSelect(t *testing.T) {
	var ids []string
	for i := range 100 {
		ids = append(ids, fmt.Sprintf("host-%d", i))
	}
	rule := Sampling{Number: 10}
	first, err := rule.Select(ids, []byte("seed"), nil)
	require.NoError(t, err)
	require.Len(t, first.Selected, 10)
	require.Len(t, first.Reserve, 90)

	turned := slices.Clone(ids)
	slices.Reverse(turned)
	again, err := rule.Select(append(turned, ids...), []byte("seed"), nil)
	require.NoError(t, err)
	require.Equal(t, first, again, "neither order nor repetition counts")

	other, err := rule.Select(ids, []byte("other"), nil)
	require.NoError(t, err)
	require.NotEqual(t, first.Selected, other.Selected)

	// An independent HMAC-SHA-256: openssl dgst -sha256 -hmac seed
	one, err := Sampling{Number: 1}.Select([]string{"a", "b", "c"}, []byte("seed"), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, one.Selected)
	require.Equal(t, []string{"c", "b"}, one.Reserve)

	even := func(id string) string {
		return map[bool]string{true: "even", false: "odd"}[strings.HasSuffix(id, "0")]
	}
	strata, err := Sampling{Percent: 10}.Select(ids, nil, even)
	require.NoError(t, err)
	require.Len(t, strata.Selected, 1+9)
	require.True(t, strings.HasSuffix(strata.Selected[0], "0"))

	was := first.Selected[3]
	next := first.Reserve[0]
	got, err := first.Replace(was, "switched off")
	require.NoError(t, err)
	require.Equal(t, next, got)
	require.Equal(t, next, first.Selected[3])
	require.Equal(t, []string{was + " by " + next + ": switched off"}, first.Replaced)
	require.Equal(t, was, again.Selected[3], "a sample is a value")
	_, err = first.Replace("host-x", "")
	require.ErrorIs(t, err, ErrUnknown)
	all, err := Sampling{}.Select(ids, nil, nil)
	require.NoError(t, err)
	_, err = all.Replace(ids[0], "")
	require.ErrorIs(t, err, ErrMissing)
}

func TestFrequency(t *testing.T) {
	rome, err := time.LoadLocation("Europe/Rome")
	require.NoError(t, err)
	at := func(s string) time.Time {
		x, err := time.Parse(time.RFC3339, s)
		require.NoError(t, err)
		return x
	}
	tests := []struct {
		name  string
		f     Frequency
		start time.Time
		want  []string
	}{
		{"month ends", Frequency{1, "months"}, at("2026-01-31T09:00:00Z"), []string{"2026-01-31T09:00:00Z", "2026-02-28T09:00:00Z", "2026-03-31T09:00:00Z", "2026-04-30T09:00:00Z"}},
		{"leap year", Frequency{1, "months"}, at("2028-01-31T09:00:00Z"), []string{"2028-01-31T09:00:00Z", "2028-02-29T09:00:00Z"}},
		{"leap day", Frequency{1, "years"}, at("2028-02-29T00:00:00Z"), []string{"2028-02-29T00:00:00Z", "2029-02-28T00:00:00Z", "2030-02-28T00:00:00Z", "2031-02-28T00:00:00Z", "2032-02-29T00:00:00Z"}},
		{"quarters", Frequency{3, "months"}, at("2026-11-30T00:00:00Z"), []string{"2026-11-30T00:00:00Z", "2027-02-28T00:00:00Z", "2027-05-30T00:00:00Z"}},
		{"days over a change of the clocks", Frequency{1, "days"}, time.Date(2026, 3, 28, 9, 0, 0, 0, rome), []string{"2026-03-28T09:00:00+01:00", "2026-03-29T09:00:00+02:00"}},
		{"hours over a change of the clocks", Frequency{24, "hours"}, time.Date(2026, 3, 28, 9, 0, 0, 0, rome), []string{"2026-03-28T09:00:00+01:00", "2026-03-29T10:00:00+02:00"}},
		{"seconds", Frequency{90, "seconds"}, at("2026-01-01T00:00:00Z"), []string{"2026-01-01T00:00:00Z", "2026-01-01T00:01:30Z"}},
		{"minutes", Frequency{90, "minutes"}, at("2026-01-01T00:00:00Z"), []string{"2026-01-01T00:00:00Z", "2026-01-01T01:30:00Z"}},
		{"once", Frequency{}, at("2026-01-01T00:00:00Z"), []string{"2026-01-01T00:00:00Z"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var got []string
			for x := range tt.f.Occurrences(tt.start) {
				if got = append(got, x.Format(time.RFC3339)); len(got) == len(tt.want) {
					break
				}
			}
			require.Equal(t, tt.want, got)
		})
	}
	last := Date{2026, 1, 31}
	monthly := Frequency{1, "months"}
	require.False(t, monthly.IsDue(last, Date{2026, 2, 28}), "due today is not late")
	require.True(t, monthly.IsDue(last, Date{2026, 3, 1}))
	require.False(t, Frequency{}.IsDue(last, Date{2030, 1, 1}))

	f, err := ParseFrequency("3 months")
	require.NoError(t, err)
	require.Equal(t, Frequency{3, "months"}, f)
	for _, bad := range []string{"", "3", "0 days", "-1 days", "3 fortnights", "x days", "3 Months"} {
		_, err := ParseFrequency(bad)
		require.ErrorIs(t, err, ErrValue, bad)
	}
}

// TestPolicyOracle: the worked cases of regime R1 that are about due dates.
func TestPolicyOracle(t *testing.T) {
	var oracle struct {
		Cases []struct {
			ID, Regime string
			Input      struct {
				OriginalDetectionDate, OriginalRating, AdjustedRating, RiskAdjustment, VendorFixReleased string
			}
			Expect struct{ EffectiveRating, Due, Error string }
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "authorization/deadlines/cases.json"), &oracle))
	p := FedRAMPRev5()
	n := 0
	for _, c := range oracle.Cases {
		if c.Regime != "R1" || c.Expect.Due == "" && c.Expect.Error == "" {
			continue // r1-17 and r1-18 are about check-ins with a vendor
		}
		n++
		// The effective rating: the adjusted one only if the adjustment is approved.
		rating := c.Input.OriginalRating
		if a := c.Input.AdjustedRating; c.Input.RiskAdjustment == "Yes" && a != "" && a != "N/A" {
			rating = a
		}
		start := c.Input.OriginalDetectionDate
		if c.Input.VendorFixReleased != "" {
			start = c.Input.VendorFixReleased
		}
		var due Date
		severity, err := p.Severity(rating)
		if err == nil {
			var detected Date
			require.NoError(t, detected.UnmarshalText([]byte(start)))
			due, _, err = p.Due(detected, severity)
		}
		if c.Expect.Error != "" {
			require.Error(t, err, c.ID)
			continue
		}
		require.NoError(t, err, c.ID)
		require.Equal(t, c.Expect.EffectiveRating, rating, c.ID)
		require.Equal(t, c.Expect.Due, due.String(), c.ID)
	}
	require.Equal(t, 16, n)
}

func TestPolicy(t *testing.T) {
	p := DefectDojo()
	day := Date{2026, 6, 1}
	for severity, want := range map[Severity]string{Critical: "2026-06-08", High: "2026-07-01", Medium: "2026-08-30", Low: "2026-09-29"} {
		due, ok, err := p.Due(day, severity)
		require.NoError(t, err)
		require.True(t, ok)
		require.Equal(t, want, due.String())
	}
	_, ok, err := p.Due(day, Informational)
	require.NoError(t, err)
	require.False(t, ok)
	p.EffectiveTo = Date{2026, 5, 31}
	_, _, err = p.Due(day, High)
	require.ErrorIs(t, err, ErrConflict)
	_, _, err = p.Due(Date{}, High)
	require.ErrorIs(t, err, ErrMissing)
	require.True(t, p.Effective(Date{2026, 5, 31}))

	require.Equal(t, Aging{Age: 30, Left: 0}, Age(day, Date{2026, 7, 1}, Date{}, Date{2026, 7, 1}), "due today is not late")
	require.Equal(t, Aging{Age: 31, Left: -1, Overdue: true}, Age(day, Date{2026, 7, 1}, Date{}, Date{2026, 7, 2}))
	require.Equal(t, Aging{Age: 10, Left: 20}, Age(day, Date{2026, 7, 1}, Date{2026, 6, 11}, Date{2027, 1, 1}), "closing freezes it")
	require.Equal(t, Aging{}, Age(day, Date{}, Date{}, Date{2026, 5, 1}), "never below 0")
}

func TestDate(t *testing.T) {
	d, err := ParseDate("2024-02-29")
	require.NoError(t, err)
	require.Equal(t, "2024-03-01", d.AddDays(1).String())
	require.Equal(t, "2025-02-28", d.AddMonths(12).String())
	require.Equal(t, "2023-12-29", d.AddMonths(-2).String())
	require.Equal(t, 366, Date{2024, 1, 1}.Days(Date{2025, 1, 1}))
	for _, bad := range []string{"2023-02-29", "2023-2-1", "2023-02-01T00:00:00Z", ""} {
		_, err := ParseDate(bad)
		require.ErrorIs(t, err, ErrValue, bad)
	}
	text, err := json.Marshal(struct{ A, B Date }{A: d})
	require.NoError(t, err)
	require.JSONEq(t, `{"A": "2024-02-29", "B": ""}`, string(text))
	var back struct{ A, B Date }
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, d, back.A)
	require.True(t, back.B.IsZero())
}

func TestEvidence(t *testing.T) {
	var kept bytes.Buffer
	e, err := Evidence{Title: "Report", Href: "report.txt"}.Collect(&kept, strings.NewReader("abc"))
	require.NoError(t, err)
	require.Equal(t, "abc", kept.String())
	require.Equal(t, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", e.SHA256) // FIPS 180-4, example "abc"
	require.Equal(t, int64(3), e.Size)
	require.NoError(t, e.Verify(strings.NewReader("abc")))
	require.ErrorIs(t, e.Verify(strings.NewReader("abd")), ErrChanged)
	require.ErrorIs(t, e.Verify(strings.NewReader("ab")), ErrChanged)
	_, err = e.Collect(io.Discard, &failing{})
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

type failing struct{}

func (*failing) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }
