package vuln

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/risk"
)

// TestRated: the register takes ratings as they are.
func TestRated(t *testing.T) {
	v, err := ParseVector(benchVectors[1])
	require.NoError(t, err)
	r := v.Rate()
	a := risk.Rated(risk.Current, r, Date{2026, 8, 1}.In(utc))
	require.Equal(t, []any{r.System, "3.1", r.Level, r.Score, len(r.Why), r.Digest}, []any{a.System, a.Version, a.Level, a.Score, len(a.Why), a.Basis})
}

func TestPrioritize(t *testing.T) {
	bod, err := LookupTable("bod-26-04")
	require.NoError(t, err)
	decide := func(kev, exposed, automatable, impact string) Decision {
		d, err := bod.Decide(Facts{"In KEV": {kev}, "Publicly Exposed": {exposed}, "Automatable": {automatable}, "Technical Impact": {impact}})
		require.NoError(t, err)
		return d
	}
	vector := func(s string) Vector {
		v, err := ParseVector(s)
		require.NoError(t, err)
		return v
	}
	three, fourteen := decide("yes", "yes", "yes", "partial"), decide("yes", "no", "no", "total")
	critical, high := vector("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), vector("CVSS:3.1/AV:N/AC:L/PR:L/UI:N/S:U/C:H/I:H/A:H")
	epss := func(p float64) EPSSScore { return EPSSScore{CVE: "x", Probability: p, ModelVersion: "v2026.06.15"} }
	due := func(day int) Deadline { return Deadline{Policy: "p", Date: Date{2026, 12, day}} }
	in := []Candidate{
		{ID: "g"},
		{ID: "f", Decision: fourteen, Deadline: due(20), CVSS: high, EPSS: epss(0.1)},
		{ID: "e", Decision: fourteen, Deadline: due(20), CVSS: high, EPSS: epss(0.1)},
		{ID: "d", Decision: fourteen, Deadline: due(20), CVSS: high, EPSS: epss(0.2)},
		{ID: "c", Decision: fourteen, Deadline: due(20), CVSS: critical},
		{ID: "b", Decision: fourteen, Deadline: due(11)},
		{ID: "a", Decision: three, Deadline: due(30)},
	}
	got, err := Prioritize(in, nil)
	require.NoError(t, err)
	type row struct {
		ID       string
		Priority int
		Rule     string
	}
	var rows []row
	for _, r := range got {
		rows = append(rows, row{r.ID, r.Priority, r.Rule})
	}
	require.Equal(t, []row{{"a", 1, ""}, {"b", 2, "outcome"}, {"c", 3, "deadline"}, {"d", 4, "severity"}, {"e", 5, "epss"}, {"f", 5, "id"}, {"g", 7, "outcome"}}, rows)
	require.Equal(t, "after b: deadline 2026-12-20, there 2026-12-11", got[2].Reason)

	other, err := LookupTable("deployer")
	require.NoError(t, err)
	d, err := other.Decide(nil)
	require.NoError(t, err)
	old := epss(0.3)
	old.ModelVersion = "v2025.03.14"
	_, err = Prioritize(append(in, Candidate{ID: "a", Decision: d, EPSS: old}, Candidate{}), nil)
	require.Len(t, err, 4)
	require.Equal(t, []Rule{RuleDuplicate, RuleValue, RuleVersion, RuleMissing}, []Rule{err.(Problems)[0].Rule, err.(Problems)[1].Rule, err.(Problems)[2].Rule, err.(Problems)[3].Rule})
}

func TestEnums(t *testing.T) {
	for s := SeverityNone; s <= SeverityCritical; s++ {
		text, err := s.MarshalText()
		require.NoError(t, err)
		var again Severity
		require.NoError(t, again.UnmarshalText(text))
		require.Equal(t, s, again)
	}
	for x := Open; x <= Remediated; x++ {
		text, err := x.MarshalText()
		require.NoError(t, err)
		var again State
		require.NoError(t, again.UnmarshalText(text))
		require.Equal(t, x, again)
	}
	for _, text := range []string{"9.8", "0.0", "10.0", "null"} {
		var x Score
		require.NoError(t, x.UnmarshalJSON([]byte(text)))
		back, err := x.MarshalJSON()
		require.NoError(t, err)
		require.Equal(t, text, string(back))
	}
	require.ErrorIs(t, new(Score).UnmarshalJSON([]byte("9.85")), ErrInvalid)
	var s Severity
	require.ErrorIs(t, s.UnmarshalText([]byte("High")), ErrInvalid)
	_, err := s.MarshalText()
	require.Error(t, err)
	require.Equal(t, []string{"Severity(99)", "CVSSVersion(9)", "Claim(99)", "Source(9)", "Answer(9)", "State(9)", "Score(101)", "-"},
		[]string{Severity(99).String(), CVSSVersion(9).String(), Claim(99).String(), Source(9).String(), Answer(9).String(), State(9).String(), Score(101).String(), Undefined.String()})
	for _, f := range []float64{-0.1, 10.1, 9.85, 1e300} {
		_, err := ScoreOf(f)
		require.ErrorIs(t, err, ErrInvalid)
	}
	require.Equal(t, Undefined, Vector{}.Score())
	require.Zero(t, Vector{}.Severity())
	require.Equal(t, Rating{}, Vector{}.Rate())
	_, err = Vector{}.With("AV", "N")
	require.ErrorIs(t, err, ErrInvalid)
}
