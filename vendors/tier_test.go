package vendors

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Levels of the built-in scheme in the order of exposure, by their meaning.
var (
	dataLevels    = []string{"none", "public", "internal", "confidential", "restricted"}
	substLevels   = []string{"easy", "medium", "hard", "none"}
	regulatedKind = []string{"PII", "PHI", "CHD", "CUI"}
)

func randomExposure(r *rand.Rand) Exposure {
	var e Exposure
	if r.IntN(3) > 0 {
		e.Function = new(r.IntN(5))
	}
	if r.IntN(3) > 0 {
		e.Data = dataLevels[r.IntN(len(dataLevels))]
	}
	if r.IntN(3) > 0 {
		e.Records = new(r.Int64N(2_000_000))
	}
	if r.IntN(3) > 0 {
		e.Access = &Access{r.IntN(2) > 0, r.IntN(8) == 0, r.IntN(2) > 0, r.IntN(4) == 0}
	}
	if r.IntN(3) > 0 {
		e.Substitutability = substLevels[r.IntN(len(substLevels))]
	}
	if r.IntN(3) > 0 {
		e.Regulated = DataKinds{}
		for _, k := range regulatedKind {
			if r.IntN(5) == 0 {
				e.Regulated = append(e.Regulated, k)
			}
		}
	}
	return e
}

// raise returns e with one factor that is known raised, or e itself if that
// factor is at its top or not known.
func raise(r *rand.Rand, e Exposure) Exposure {
	next := func(levels []string, at string) string {
		i := slices.Index(levels, at)
		if i < 0 {
			return at
		}
		return levels[min(i+1+r.IntN(2), len(levels)-1)]
	}
	switch r.IntN(6) {
	case 0:
		if e.Function != nil {
			e.Function = new(min(4, *e.Function+1))
		}
	case 1:
		e.Data = next(dataLevels, e.Data)
	case 2:
		if e.Records != nil {
			e.Records = new(*e.Records + r.Int64N(1_000_000))
		}
	case 3:
		if e.Access != nil {
			a := *e.Access
			*[]*bool{&a.Network, &a.Privileged, &a.Physical, &a.SourceCode}[r.IntN(4)] = true
			e.Access = &a
		}
	case 4:
		e.Substitutability = next(substLevels, e.Substitutability)
	case 5:
		if e.Regulated != nil {
			e.Regulated = append(slices.Clone(e.Regulated), regulatedKind[r.IntN(4)])
		}
	}
	return e
}

func TestTierIsMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	s := DefaultScheme()
	for range 20_000 {
		low := randomExposure(r)
		high := raise(r, low)
		for _, opts := range []*TierOptions{nil, {Unknown: LeftOut}} {
			a, err := s.Tier(low, opts)
			require.NoError(t, err)
			b, err := s.Tier(high, opts)
			require.NoError(t, err)
			require.LessOrEqual(t, b.Tier, a.Tier, "%+v %+v", low, high)
		}
		// What is not known, counted as the worst, never gives a better tier than
		// any value that it could have.
		worst, err := s.Tier(low, nil)
		require.NoError(t, err)
		left, err := s.Tier(low, &TierOptions{Unknown: LeftOut})
		require.NoError(t, err)
		require.LessOrEqual(t, worst.Tier, left.Tier)
		require.Equal(t, left.Unknown, worst.Unknown)
	}
}

// TestTierIsTheMinimum compares with the rule as the scheme states it, computed
// another way: the least tier of all factors alone.
func TestTierIsTheMinimum(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := DefaultScheme()
	opts := &TierOptions{Unknown: LeftOut}
	for range 5_000 {
		e := randomExposure(r)
		whole, err := s.Tier(e, opts)
		require.NoError(t, err)
		want := Tier(4)
		parts := []Exposure{
			{Function: e.Function},
			{Data: e.Data},
			{Records: e.Records},
			{Access: e.Access},
			{Substitutability: e.Substitutability},
			{Regulated: e.Regulated},
		}
		for _, part := range parts {
			got, err := s.Tier(part, opts)
			require.NoError(t, err)
			want = min(want, got.Tier)
		}
		require.Equal(t, want, whole.Tier)
	}
}

func TestTierOrderOfFactors(t *testing.T) {
	s := DefaultScheme()
	backwards := &Scheme{id: s.id, tiers: s.tiers, fallback: s.fallback, factors: slices.Clone(s.factors)}
	slices.Reverse(backwards.factors)
	r := rand.New(rand.NewPCG(5, 6))
	for range 2_000 {
		e := randomExposure(r)
		a, err := s.Tier(e, nil)
		require.NoError(t, err)
		b, err := backwards.Tier(e, nil)
		require.NoError(t, err)
		slices.Reverse(b.Reasons)
		slices.Reverse(b.Factors)
		slices.Reverse(b.Unknown)
		require.Equal(t, a, b)
	}
}

func TestTierUnknown(t *testing.T) {
	all := []string{"function", "data", "records", "access.network", "access.privileged", "access.physical", "access.sourceCode", "substitutability", "regulated"}
	s := DefaultScheme()
	nothing, err := s.Tier(Exposure{}, nil)
	require.NoError(t, err)
	require.Equal(t, Tier(1), nothing.Tier)
	require.Equal(t, all, nothing.Unknown)
	require.Contains(t, nothing.Reasons, Reason{"access.privileged", "unknown", 1})
	left, err := s.Tier(Exposure{}, &TierOptions{Unknown: LeftOut})
	require.NoError(t, err)
	require.Equal(t, Tiering{Scheme: s.ID(), Tier: 4, Default: true, Unknown: all}, left)
	none, err := s.Tier(Exposure{
		Function: new(0), Data: "none", Records: new(int64(0)), Access: &Access{}, Substitutability: "easy", Regulated: DataKinds{},
	}, nil)
	require.NoError(t, err)
	require.Equal(t, Tier(4), none.Tier)
	require.Empty(t, none.Unknown)
}

func TestTierErrors(t *testing.T) {
	got, err := DefaultScheme().Tier(Exposure{
		Function: new(5), Data: "secret", Records: new(int64(-1)), Substitutability: "Easy", Regulated: DataKinds{"PII", "XYZ"},
	}, nil)
	require.Equal(t, Tiering{}, got)
	require.ErrorIs(t, err, ErrValue)
	ps, ok := errors.AsType[Problems](err)
	require.True(t, ok)
	var pointers []string
	for _, p := range ps {
		pointers = append(pointers, p.Pointer)
	}
	require.Equal(t, []string{"/function", "/data", "/records", "/substitutability", "/regulated"}, pointers)
}

func TestTierSpend(t *testing.T) {
	s, err := ReadScheme(strings.NewReader(`{"tiers":[1,2],"default":2,"factors":[{"id":"spend","kind":"number","currency":"EUR","atLeast":[[100,1]]}]}`))
	require.NoError(t, err)
	for minor, want := range map[int64]Tier{99: 2, 100: 1} {
		got, err := s.Tier(Exposure{Spend: &Money{minor, "EUR"}}, nil)
		require.NoError(t, err)
		require.Equal(t, want, got.Tier)
	}
	_, err = s.Tier(Exposure{Spend: &Money{100, "USD"}}, nil)
	require.ErrorIs(t, err, ErrValue)
}

var schemeProblems = []struct {
	name, text string
	want       []string // "line:column pointer kind"
}{
	{"empty", "", []string{"1:1  syntax"}},
	{"cut off", "{\n \"tiers\": [1", []string{"2:13  syntax"}},
	{"no JSON", "{\n \"tiers\": ]", []string{"2:11  syntax"}},
	{"two values", `{"tiers":[1],"default":1,"factors":[{"id":"data","kind":"level","values":{"a":1}}]} 7`, []string{"1:85  syntax"}},
	{"no object", `[]`, []string{"1:1  value"}},
	{"nothing in it", `{}`, []string{"1:1  missing", "1:1  missing", "1:1  missing"}},
	{"not UTF-8", "{\"about\": \"\xff\"}", []string{"1:1  syntax"}},
	{"too deep", strings.Repeat("[", 1000), []string{"1:18 " + strings.Repeat("/0", 17) + " syntax"}},
	{
		"unknown, double and mis-cased members",
		"{\n\"Tiers\": [1],\n\"tiers\": [1],\n\"tiers\": [2],\n\"default\": 1,\n\"factors\": [{\"id\": \"data\", \"kind\": \"level\", \"values\": {\"a\": 1, \"a\": 1}}]}",
		[]string{"2:1 /Tiers value", "4:1 /tiers duplicate", "6:64 /factors/0/values/a duplicate"},
	},
	{
		"wrong values everywhere",
		`{"id": "", "tiers": [2, 1, 1.5, "x"], "default": 3, "factors": [
{"id": "colour", "kind": "level", "values": {"a": 2}},
{"id": "data", "kind": "set", "values": {"a": 2}},
{"id": "records", "kind": "number", "atLeast": [[10, 2], [10, 2], [-1, 2], [3]]},
{"id": "records", "kind": "number", "atLeast": []},
{"id": "access.network", "kind": "flag", "values": {"a": 2}},
{"id": "spend", "kind": "number", "currency": "eur", "atLeast": [[1, 2]]},
{"id": "regulated", "kind": "set", "currency": "EUR", "values": {}},
{"kind": "flag"}, null]}`,
		[]string{
			"1:8 /id value", "1:25 /tiers/1 value", "1:28 /tiers/2 value", "1:33 /tiers/3 value", "1:50 /default value",
			"2:8 /factors/0/id value",
			"3:24 /factors/1/kind value",
			"4:59 /factors/2/atLeast/1/0 value", "4:68 /factors/2/atLeast/2/0 value", "4:76 /factors/2/atLeast/3 value",
			"5:1 /factors/3 duplicate", "5:48 /factors/3/atLeast value",
			"6:1 /factors/4 missing", "6:52 /factors/4/values value",
			"7:47 /factors/5/currency value",
			"8:48 /factors/6/currency value", "8:65 /factors/6/values value",
			"9:1 /factors/7 missing", "9:19 /factors/8 value",
		},
	},
	{
		"not monotone",
		`{"tiers": [1, 2], "default": 1, "factors": [
{"id": "function", "kind": "level", "values": {"0": 1, "1": 2, "7": 1}},
{"id": "records", "kind": "number", "atLeast": [[10, 2], [1, 1]]}]}`,
		[]string{"1:30 /default value", "2:47 /factors/0/values value", "2:47 /factors/0/values value", "3:62 /factors/1/atLeast/1/1 value"},
	},
}

func TestReadSchemeProblems(t *testing.T) {
	kinds := map[error]string{ErrSyntax: "syntax", ErrValue: "value", ErrDuplicate: "duplicate", ErrMissing: "missing"}
	for _, tt := range schemeProblems {
		t.Run(tt.name, func(t *testing.T) {
			s, err := ReadScheme(strings.NewReader(tt.text))
			require.Nil(t, s)
			ps, ok := errors.AsType[Problems](err)
			require.True(t, ok, "%v", err)
			var got []string
			for _, p := range ps {
				for kind, name := range kinds {
					if errors.Is(p, kind) {
						got = append(got, strings.Join([]string{position(p), p.Pointer, name}, " "))
					}
				}
			}
			require.Equal(t, tt.want, got)
		})
	}
	_, err := ReadScheme(strings.NewReader(strings.Repeat(" ", maxJSON+1)))
	require.ErrorIs(t, err, ErrSyntax)
}

func position(p *Problem) string {
	place, _, _ := strings.Cut((&Problem{Line: p.Line, Column: p.Column, Err: ErrSyntax}).Error(), ": ")
	return place
}

func TestSchemeRoundTrip(t *testing.T) {
	for _, text := range []string{
		schemeText,
		`{"id":"a \"b\"","tiers":[1,7],"default":7,"factors":[{"id":"spend","kind":"number","currency":"EUR","atLeast":[[5,1],[2,7]]},{"id":"data","kind":"level","values":{"ä<":1}}]}`,
	} {
		s, err := ReadScheme(strings.NewReader(text))
		require.NoError(t, err)
		data, err := json.Marshal(s)
		require.NoError(t, err)
		again, err := ReadScheme(strings.NewReader(string(data)))
		require.NoError(t, err)
		require.Equal(t, s, again)
	}
	require.Equal(t, []Tier{1, 2, 3, 4}, DefaultScheme().Tiers())
}

func TestResidual(t *testing.T) {
	inherent := Tiering{Scheme: "s", Tier: 1}.Inherent()
	require.Equal(t, Critical, inherent.Level)
	require.Equal(t, Low, Tiering{Tier: 9}.Inherent().Level)
	none, err := Residual(inherent, nil, nil)
	require.NoError(t, err)
	require.Nil(t, none, "no score, no rating")
	_, err = Residual(inherent, new(101.0), nil)
	require.ErrorIs(t, err, ErrValue)
	// Monotone in all three inputs, never above the inherent rating.
	rate := func(level Severity, score float64, issue Severity) Severity {
		r, err := Residual(Rating{Level: level}, &score, []Issue{{Severity: issue}, {Severity: Critical, Closed: date("2026-01-01")}})
		require.NoError(t, err)
		return r.Level
	}
	for level := Low; level <= Critical; level++ {
		for score := 0.0; score <= 100; score += 5 {
			for issue := Informational; issue <= Critical; issue++ {
				got := rate(level, score, issue)
				require.LessOrEqual(t, got, level)
				require.GreaterOrEqual(t, got, Low)
				require.GreaterOrEqual(t, rate(min(level+1, Critical), score, issue), got)
				require.GreaterOrEqual(t, rate(level, min(score+5, 100), issue), got)
				require.GreaterOrEqual(t, rate(level, score, min(issue+1, Critical)), got)
			}
		}
	}
	require.Equal(t, Moderate, rate(Critical, 20, Low))
	require.Equal(t, High, rate(Critical, 50, Low))
	require.Equal(t, High, rate(Critical, 20, High))
}
