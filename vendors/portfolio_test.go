package vendors

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"
)

// sample decodes the vendors of the main example.
func sample(tb testing.TB) *Portfolio {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("..", "examples", "authorization-package", "sample", "vendors.yaml"))
	require.NoError(tb, err)
	var p Portfolio
	require.NoError(tb, yaml.Load(data, &p, yaml.WithKnownFields(), yaml.WithUniqueKeys()))
	return &p
}

func TestSample(t *testing.T) {
	p := sample(t)
	require.NoError(t, p.Check())
	tiers, err := p.Tiers(nil)
	require.NoError(t, err)
	var got []Tier
	for _, x := range tiers {
		require.Empty(t, x.Unknown)
		got = append(got, x.Tier)
	}
	// By hand: function 4 of payments; function 3 and confidential data of
	// hosting; internal data, 900 records and PII of letters.
	require.Equal(t, []Tier{1, 2, 3}, got)
}

func TestPortfolioForms(t *testing.T) {
	p := sample(t)
	p.Engagements[2].Exposure.Regulated = DataKinds{}
	t.Run("json", func(t *testing.T) {
		data, err := json.Marshal(p)
		require.NoError(t, err)
		var again Portfolio
		require.NoError(t, json.Unmarshal(data, &again))
		require.Equal(t, p, &again)
	})
	t.Run("yaml", func(t *testing.T) {
		data, err := yaml.Dump(p)
		require.NoError(t, err)
		var again Portfolio
		require.NoError(t, yaml.Load(data, &again, yaml.WithKnownFields()))
		require.Equal(t, p, &again)
	})
}

func TestPortfolioYAMLErrors(t *testing.T) {
	var p Portfolio
	err := yaml.Load([]byte("engagements:\n  - id: a\n    status: activ\n    requested: 2026-02-30\ncontracts:\n  - id: c\n    notice: soon\n"), &p, yaml.WithKnownFields())
	several, ok := errors.AsType[*yaml.LoadErrors](err)
	require.True(t, ok)
	var lines []int
	for _, e := range several.Errors {
		lines = append(lines, e.Mark.Line)
	}
	require.Equal(t, []int{3, 4, 7}, lines)
}

func TestCheck(t *testing.T) {
	type found struct {
		Pointer string
		Err     error
	}
	ok := func() *Portfolio {
		return &Portfolio{
			Vendors:     []Vendor{{ID: "v", LegalName: "V"}},
			Engagements: []Engagement{{ID: "e", Vendor: "v", Service: "S", Status: Active, Contract: "c"}},
			Contracts:   []Contract{{ID: "c", Engagements: []string{"e"}, Start: date("2026-01-01")}},
		}
	}
	tests := []struct {
		name   string
		change func(*Portfolio)
		want   []found
	}{
		{"nothing wrong", func(*Portfolio) {}, nil},
		{"empty", func(p *Portfolio) { *p = Portfolio{} }, nil},
		{
			"everything missing",
			func(p *Portfolio) {
				*p = Portfolio{
					Vendors: make([]Vendor, 1), Engagements: make([]Engagement, 1), Contracts: make([]Contract, 1),
					Documents: make([]Document, 1), Assessments: make([]Assessment, 1), Signals: make([]Signal, 1), Duties: make([]Duty, 1),
				}
			},
			[]found{
				{"/vendors/0/id", ErrMissing},
				{"/vendors/0/legal-name", ErrMissing},
				{"/engagements/0/id", ErrMissing},
				{"/engagements/0/vendor", ErrMissing},
				{"/engagements/0/service", ErrMissing},
				{"/engagements/0/status", ErrMissing},
				{"/contracts/0/id", ErrMissing},
				{"/contracts/0/start", ErrMissing},
				{"/documents/0/id", ErrMissing},
				{"/documents/0/engagement", ErrMissing},
				{"/documents/0/type", ErrMissing},
				{"/documents/0", ErrMissing},
				{"/assessments/0/id", ErrMissing},
				{"/assessments/0/engagement", ErrMissing},
				{"/signals/0/vendor", ErrMissing},
				{"/signals/0/source", ErrMissing},
				{"/signals/0/kind", ErrMissing},
				{"/signals/0/severity", ErrMissing},
				{"/signals/0/observed", ErrMissing},
				{"/duties/0/id", ErrMissing},
				{"/duties/0/within", ErrMissing},
			},
		},
		{
			"duplicates",
			func(p *Portfolio) {
				p.Vendors = append(p.Vendors, p.Vendors[0])
				p.Engagements = append(p.Engagements, p.Engagements[0])
				p.Engagements[0].Supports = []string{"x", "x"}
				p.Contracts = append(p.Contracts, Contract{ID: "c", Start: date("2026-01-01")})
			},
			[]found{{"/vendors/1/id", ErrDuplicate}, {"/engagements/0/supports/1", ErrDuplicate}, {"/engagements/1/id", ErrDuplicate}, {"/contracts/1/id", ErrDuplicate}},
		},
		{
			"dangling references",
			func(p *Portfolio) {
				p.Vendors[0].Parent = "nobody"
				p.Engagements[0].Vendor = "w"
				p.Engagements[0].Contract = "d"
				p.Engagements[0].Subcontracts = []Subcontract{{Vendor: "x", Customer: "y"}}
				p.Documents = []Document{{ID: "d", Engagement: "f", Type: "pentest", AsOf: date("2026-01-01"), Subservice: []string{"z"}}}
				p.Assessments = []Assessment{{ID: "a", Engagement: "f"}}
			},
			[]found{
				{"/vendors/0/parent", ErrReference},
				{"/engagements/0/vendor", ErrReference},
				{"/engagements/0/contract", ErrReference},
				{"/engagements/0/subcontracts/0/vendor", ErrReference},
				{"/engagements/0/subcontracts/0/customer", ErrReference},
				{"/contracts/0/engagements/0", ErrReference},
				{"/documents/0/engagement", ErrReference},
				{"/documents/0/subservice/0", ErrReference},
				{"/assessments/0/engagement", ErrReference},
			},
		},
		{
			"values",
			func(p *Portfolio) {
				p.Vendors[0].Identifiers = []Identifier{{"lei", "9695EXAMPLEBANK0AB39"}, {"tax", "1"}}
				p.Vendors[0].Contacts = []Contact{{ID: "c", Name: "N", Email: "nowhere"}}
				e := &p.Engagements[0]
				e.Type, e.Owner, e.Status = "service ", " x", 99
				e.Exposure = Exposure{Function: new(5), Records: new(int64(-1)), Regulated: []string{"none"}, Spend: &Money{1, "eur"}}
				p.Contracts[0].End, p.Contracts[0].Notice, p.Contracts[0].Digest = date("2025-12-31"), Span{3, Hours}, "abc"
				p.Assessments = []Assessment{{ID: "a", Engagement: "e", Decision: DecisionConditional, Decided: date("2026-01-02"), By: "b", Expires: date("2026-01-01")}}
			},
			[]found{
				{"/vendors/0/identifiers/0/value", ErrValue},
				{"/vendors/0/identifiers/1/scheme", ErrValue},
				{"/vendors/0/contacts/0/email", ErrValue},
				{"/engagements/0/type", ErrValue},
				{"/engagements/0/owner", ErrValue},
				{"/engagements/0/exposure/function", ErrValue},
				{"/engagements/0/exposure/records", ErrValue},
				{"/engagements/0/exposure/regulated", ErrValue},
				{"/engagements/0/exposure/spend", ErrValue},
				{"/engagements/0/status", ErrValue},
				{"/contracts/0/end", ErrValue},
				{"/contracts/0/notice", ErrValue},
				{"/contracts/0/digest", ErrValue},
				{"/assessments/0/conditions", ErrMissing},
				{"/assessments/0/expires", ErrValue},
			},
		},
		{
			"parents in a circle",
			func(p *Portfolio) {
				p.Vendors[0].Parent = "w"
				p.Vendors = append(p.Vendors, Vendor{ID: "w", LegalName: "W", Parent: "v"}, Vendor{ID: "x", LegalName: "X", Parent: "v"})
			},
			[]found{{"/vendors/0/parent", ErrReference}, {"/vendors/1/parent", ErrReference}},
		},
		{
			"a contract that does not list the engagement",
			func(p *Portfolio) { p.Contracts[0].Engagements = []string{} },
			[]found{{"/engagements/0/contract", ErrReference}},
		},
		{
			"a contract that lists an engagement of another",
			func(p *Portfolio) { p.Engagements[0].Contract = "" },
			[]found{{"/contracts/0/engagements/0", ErrReference}},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := ok()
			tt.change(p)
			err := p.Check()
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			ps, isProblems := errors.AsType[Problems](err)
			require.True(t, isProblems)
			var got []found
			for _, problem := range ps {
				for _, kind := range []error{ErrMissing, ErrDuplicate, ErrReference, ErrValue} {
					if errors.Is(problem, kind) {
						got = append(got, found{problem.Pointer, kind})
					}
				}
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestEnums(t *testing.T) {
	type enum interface {
		MarshalText() ([]byte, error)
		String() string
	}
	tests := []struct {
		names names
		value func(int) enum
		parse func([]byte) (int, error)
	}{
		{statusNames, func(i int) enum { return Status(i) }, func(b []byte) (int, error) { var v Status; err := v.UnmarshalText(b); return int(v), err }},
		{severityNames, func(i int) enum { return Severity(i) }, func(b []byte) (int, error) { var v Severity; err := v.UnmarshalText(b); return int(v), err }},
		{decisionNames, func(i int) enum { return Decision(i) }, func(b []byte) (int, error) { var v Decision; err := v.UnmarshalText(b); return int(v), err }},
		{unknownNames, func(i int) enum { return Unknown(i) }, func(b []byte) (int, error) { var v Unknown; err := v.UnmarshalText(b); return int(v), err }},
		{dueNames, func(i int) enum { return DueState(i) }, func(b []byte) (int, error) { var v DueState; err := v.UnmarshalText(b); return int(v), err }},
		{gapNames, func(i int) enum { return GapKind(i) }, func(b []byte) (int, error) { var v GapKind; err := v.UnmarshalText(b); return int(v), err }},
		{coverageNames, func(i int) enum { return CoverageState(i) }, func(b []byte) (int, error) { var v CoverageState; err := v.UnmarshalText(b); return int(v), err }},
	}
	for _, tt := range tests {
		for i := 1; i <= len(tt.names); i++ {
			text, err := tt.value(i).MarshalText()
			require.NoError(t, err)
			require.Equal(t, tt.value(i).String(), string(text))
			got, err := tt.parse(text)
			require.NoError(t, err)
			require.Equal(t, i, got)
			_, err = tt.parse([]byte(strings.ToUpper(string(text))))
			require.ErrorIs(t, err, ErrValue)
		}
		for _, i := range []int{-1, 0, len(tt.names) + 1} {
			_, err := tt.value(i).MarshalText()
			require.ErrorIs(t, err, ErrValue)
			require.Contains(t, tt.value(i).String(), "(")
		}
		_, err := tt.parse(nil)
		require.ErrorIs(t, err, ErrValue)
	}
	require.Equal(t, "Unit(9)", Unit(9).String())
}
