package matrix

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

type matricesFile struct {
	Matrices []json.RawMessage
	Lookups  []struct {
		Matrix   string
		At       []*string
		Outcome  string
		Outcomes []string
	}
	Invalid []struct {
		Name       string
		Matrix     json.RawMessage
		Error      string
		Also       string
		At         []string
		Warning    bool
		Violations [][][]string
	}
	RollUp []struct {
		Matrix   string
		Outcomes []string
		Max      *string
		Counts   map[string]int
	}
}

func corpusMatrices(t testing.TB) (matricesFile, map[string]*Matrix) {
	t.Helper()
	var file matricesFile
	unmarshal(t, &file, "risk/matrix/matrices.json")
	require.Len(t, file.Matrices, 3)
	byID := map[string]*Matrix{}
	for _, raw := range file.Matrices {
		m, err := Load(strings.NewReader(string(raw)), &LoadOptions{Strict: true})
		require.NoError(t, err)
		byID[m.Definition().ID] = m
	}
	return file, byID
}

func TestCorpusMatrices(t *testing.T) {
	file, matrices := corpusMatrices(t)
	require.Len(t, file.Lookups, 8)
	for _, tt := range file.Lookups {
		m := matrices[tt.Matrix]
		levels := make([]string, len(tt.At))
		for i, l := range tt.At {
			if l != nil {
				levels[i] = *l
			}
		}
		t.Run(tt.Matrix+" "+strings.Join(levels, " "), func(t *testing.T) {
			if tt.Outcomes != nil {
				got, err := m.Possible(levels...)
				require.NoError(t, err)
				require.Equal(t, tt.Outcomes, got)
				_, err = m.Lookup(levels...)
				require.ErrorIs(t, err, ErrInvalid)
				return
			}
			got, err := m.Lookup(levels...)
			require.NoError(t, err)
			require.Equal(t, tt.Outcome, got)
			r, err := m.Rate(levels...)
			require.NoError(t, err)
			require.Equal(t, tt.Outcome, r.Level)
			require.Equal(t, tt.Outcome, r.Why[len(r.Why)-1].Value)
			ranks := make([]int, len(levels))
			for j, l := range levels {
				ranks[j] = slices.Index(m.axes[j], l)
			}
			require.Equal(t, tt.Outcome, m.Scale().Levels[m.At(ranks...)])
		})
	}
	require.Len(t, file.RollUp, 2)
	for _, tt := range file.RollUp {
		got, err := matrices[tt.Matrix].Tally(tt.Outcomes...)
		require.NoError(t, err)
		want := Tally{}
		if tt.Max != nil {
			want.Max = *tt.Max
		}
		for _, o := range matrices[tt.Matrix].Scale().Levels {
			want.Counts = append(want.Counts, Count{o, tt.Counts[o]})
		}
		require.Equal(t, want, got)
	}
}

func TestInvalidMatrices(t *testing.T) {
	file, _ := corpusMatrices(t)
	require.Len(t, file.Invalid, 7)
	for _, tt := range file.Invalid {
		t.Run(tt.Name, func(t *testing.T) {
			m, err := Load(strings.NewReader(string(tt.Matrix)), &LoadOptions{Name: "m.json"})
			if tt.Warning {
				require.NoError(t, err)
				var pairs [][][]string
				for _, w := range m.Warnings() {
					if w.Rule == Rule(tt.Error) {
						require.True(t, w.Warning)
						require.NoError(t, w.Unwrap())
						pairs = append(pairs, w.Cells)
					}
				}
				require.Equal(t, tt.Violations, pairs)
				_, err = Load(strings.NewReader(string(tt.Matrix)), &LoadOptions{Strict: true})
				require.ErrorIs(t, err, ErrInvalid)
				meant := strings.Replace(string(tt.Matrix), `"id"`, `"monotone": false, "id"`, 1)
				m, err = Load(strings.NewReader(meant), nil)
				require.NoError(t, err)
				for _, w := range m.Warnings() {
					require.NotEqual(t, RuleNotMonotone, w.Rule)
				}
				return
			}
			require.Nil(t, m)
			require.ErrorIs(t, err, ErrInvalid)
			var ps Problems
			require.ErrorAs(t, err, &ps)
			rules := map[Rule]Problem{}
			for _, p := range ps {
				require.Positive(t, p.Line)
				require.Equal(t, "m.json", p.File)
				rules[p.Rule] = p
			}
			require.Contains(t, rules, Rule(tt.Error))
			if tt.Also != "" {
				require.Contains(t, rules, Rule(tt.Also))
			}
			if tt.At != nil {
				require.Equal(t, [][]string{tt.At}, rules[Rule(tt.Error)].Cells)
			}
		})
	}
}

// TestByRule: matrices made by a rule are those that the corpus wrote down cell
// by cell.
func TestByRule(t *testing.T) {
	_, matrices := corpusMatrices(t)
	band := func(name string, to int) Band { return Band{Level{Name: name}, to} }
	for _, d := range []Definition{
		Sum("additive-3-axes", matrices["additive-3-axes"].Definition().Axes...),
		Product("product-5x5", []Band{band("low", 4), band("medium", 9), band("high", 16), band("extreme", 25)}, matrices["product-5x5"].Definition().Axes...),
	} {
		m, err := New(d)
		require.NoError(t, err)
		require.Empty(t, m.Warnings())
		require.Equal(t, matrices[d.ID].cells, m.cells)
		require.Equal(t, matrices[d.ID].outcomes, m.outcomes)
	}
	_, err := New(Product("p", []Band{band("low", 3)}, Axis{Name: "a", Levels: Levels("x", "y")}, Axis{Name: "b", Levels: Levels("x", "y")}))
	var ps Problems
	require.ErrorAs(t, err, &ps)
	require.Equal(t, [][]string{{"y", "y"}}, ps[0].Cells)
}

// TestNISTAsData: the generic engine gives what the tables in code give.
func TestNISTAsData(t *testing.T) {
	levels := NISTScale().Levels
	for _, tt := range []struct {
		name string
		at   func(a, b Qualitative) Qualitative
	}{{"G-5", OverallLikelihood}, {"I-2", LevelOfRisk}} {
		d := Definition{ID: tt.name, Axes: []Axis{{Name: "row", Levels: Levels(levels...)}, {Name: "column", Levels: Levels(levels...)}}, Outcomes: Levels(levels...)}
		d.combine(func(ranks []int) string {
			return tt.at(Qualitative(ranks[0]+1), Qualitative(ranks[1]+1)).String()
		})
		m, err := New(d)
		require.NoError(t, err)
		require.Empty(t, m.Warnings(), "both tables are monotone")
	}
}

const small = `{
  "id": "m", "version": "2", "title": "T",
  "axes": [
    {"name": "strength of control", "descending": true, "levels": ["weak", "strong"]},
    {"name": "impact", "levels": [{"name": "minor", "label": "Minor", "color": "#0f0", "text": "t"}, "major"]}
  ],
  "outcomes": ["low", {"name": "high", "score": 7.5}],
  "table": [["low", "high"], ["low", "low"]]
}`

func TestLoad(t *testing.T) {
	m, err := Load(strings.NewReader(small), &LoadOptions{Strict: true})
	require.NoError(t, err)
	require.Equal(t, Definition{
		ID: "m", Version: "2", Title: "T", System: "https://github.com/issokit/issokit/ns/oscal/matrix/m",
		Axes: []Axis{
			{Name: "strength of control", Descending: true, Levels: Levels("weak", "strong")},
			{Name: "impact", Levels: []Level{{Name: "minor", Label: "Minor", Color: "#0f0", Text: "t"}, {Name: "major"}}},
		},
		Outcomes: []Level{{Name: "low"}, {Name: "high", Score: new(7.5)}},
		Cells:    []Cell{{[]string{"weak", "minor"}, "low"}, {[]string{"weak", "major"}, "high"}, {[]string{"strong", "minor"}, "low"}, {[]string{"strong", "major"}, "low"}},
	}, m.Definition())
	r, err := m.Rate("weak", "major")
	require.NoError(t, err)
	require.Equal(t, Rating{
		System: "https://github.com/issokit/issokit/ns/oscal/matrix/m", Version: "2", Level: "high", Score: new(7.5), Digest: r.Digest,
		Why: []Step{
			{"input", "strength-of-control", "weak", "assessed"},
			{"input", "impact", "major", "assessed"},
			{"m", "risk", "high", "row strength of control weak, column impact major"},
		},
	}, r)
	require.Equal(t, 1, m.At(0, 1))
	for _, ranks := range [][]int{{}, {0}, {0, 2}, {-1, 0}, {0, 0, 0}} {
		require.Equal(t, -1, m.At(ranks...))
	}
	other, err := Load(strings.NewReader(strings.Replace(small, `[["low", "high"]`, `[["high", "high"]`, 1)), nil)
	require.NoError(t, err)
	require.NotEqual(t, m.Digest(), other.Digest(), "the digest is of the cells")
	titled, err := Load(strings.NewReader(strings.Replace(small, `"T"`, `"U"`, 1)), nil)
	require.NoError(t, err)
	require.Equal(t, m.Digest(), titled.Digest(), "and not of the title")
}

func TestLoadProblems(t *testing.T) {
	deep := strings.Repeat("[", 1000) + strings.Repeat("]", 1000)
	many := `{"id":"x","axes":[` + strings.Repeat(`0,`, maxValues-3) + `§0,0,0]}` // the root, the ID and the axes are values too
	axes := func(n, levels int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, `%s{"name":"%d","levels":[`, strings.Repeat(",", min(i, 1)), i)
			for j := range levels {
				fmt.Fprintf(&b, `%s"%d"`, strings.Repeat(",", min(j, 1)), j)
			}
			b.WriteString("]}")
		}
		text := `{"id":"x","outcomes":["o"],"cells":[],"axes":[` + b.String() + `]}`
		if n > maxAxes {
			return strings.Replace(text, `"axes":`, `"axes":§`, 1)
		}
		return strings.Replace(text, `{"name":"2"`, `§{"name":"2"`, 1)
	}
	replace := func(old, changed string) string {
		require.Contains(t, small, old)
		return strings.Replace(small, old, changed, 1)
	}
	for _, tt := range []struct {
		name string
		text string   // with a § where each of the problems is, in order
		want []string // pointer and rule of each
	}{
		{"empty", "§", []string{" syntax"}},
		{"cut off", small[:100] + "§", []string{" syntax"}},
		{"two values", "{}\n§{}", []string{" syntax"}},
		{"not UTF-8", "{\"id\":\"§\xff\"}", []string{" syntax"}},
		{"byte order mark", "§\ufeff{}", []string{" syntax"}},
		{"no object", "§[1]", []string{" shape"}},
		{"null", "§null", []string{" shape"}},
		{"nothing in it", "§§§§{}", []string{"/cells missing member", "/id missing member", "/axes empty axis", "/outcomes missing member"}},
		{"nested", `{"id": ` + deep[:15] + "§" + deep[15:] + `}`, []string{"/id" + strings.Repeat("/0", 15) + " limit"}},
		{"too many values", many, []string{fmt.Sprintf("/axes/%d limit", maxValues-3)}},
		{"too many axes", axes(9, 1), []string{"/axes limit"}},
		{"too many combinations", axes(3, 100), []string{"/axes/2 limit"}},
		{"misspelt", replace(`"title": `, `"titel": §`), []string{"/titel unknown member"}},
		{"twice", replace(`"title": "T"`, `"id": §"n"`), []string{"/id duplicate member"}},
		{"all wrong at once", `{
  "id": §5, "a/b": §1,
  "axes": [{"name": "a", "levels": ["x", §"x", §7]}, {"name": §"a", "levels": §{}}, §3],
  "outcomes": ["o", §"o", {"name": "p", "score": §"1"}],
  "cells": [{"at": ["x"], "outcome": "o"}, §[]],
  "monotone": §"no"
}`, []string{
			"/id shape", "/a~1b unknown member", "/axes/0/levels/1 duplicate level", "/axes/0/levels/2 shape", "/axes/1/name duplicate axis", "/axes/1/levels shape",
			"/axes/2 shape", "/outcomes/1 duplicate outcome", "/outcomes/2/score shape", "/cells/1 shape", "/monotone shape",
		}},
		{"table of another size", replace(`[["low", "high"], ["low", "low"]]`, `§[["low", "high"]]`), []string{"/table shape"}},
		{"row of another size", replace(`["low", "low"]]`, `§["low"]]`), []string{"/table/1 shape"}},
		{"wrong outcome in a table", replace(`["low", "low"]]`, `["low", §"none"]]`), []string{"/cells/3/outcome unknown outcome"}},
		{"cells and table", replace(`"table": `, `"cells": [], "table": §`), []string{"/table shape"}},
		{"cells of another size", `{"id":"x","axes":[{"name":"a","levels":["l"]}],"outcomes":["o"],"cells":§[{"at":§["l","l"],"outcome":"o"}]}`, []string{"/cells missing cell", "/cells/0/at shape"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var want []string
			text := ""
			for i, part := range strings.Split(tt.text, "§") {
				if i > 0 {
					want = append(want, fmt.Sprintf("%d:%d %s", strings.Count(text, "\n")+1, len(text)-strings.LastIndexByte(text, '\n'), tt.want[i-1]))
				}
				text += part
			}
			m, err := Load(strings.NewReader(text), nil)
			require.Nil(t, m)
			require.ErrorIs(t, err, ErrInvalid)
			var ps Problems
			require.ErrorAs(t, err, &ps)
			var got []string
			for _, p := range ps {
				got = append(got, fmt.Sprintf("%d:%d %s %s", p.Line, p.Column, p.Pointer, p.Rule))
			}
			require.Equal(t, want, got)
		})
	}
	_, err := Load(strings.NewReader(small), &LoadOptions{MaxBytes: 10})
	require.ErrorIs(t, err, ErrInvalid)
}

func TestLints(t *testing.T) {
	d := Definition{
		ID: "m", Axes: []Axis{{Name: "a", Levels: Levels("1", "2")}, {Name: "b", Levels: Levels("1", "2")}}, Outcomes: Levels("low", "medium", "high"),
		Cells: []Cell{{[]string{"1", "1"}, "low"}, {[]string{"1", "2"}, "low"}, {[]string{"2", "1"}, "low"}, {[]string{"2", "2"}, "high"}},
	}
	m, err := New(d)
	require.NoError(t, err)
	var got []string
	for _, w := range m.Warnings() {
		got = append(got, w.Error())
	}
	require.Equal(t, []string{
		"warning: one step from 1, 2 to 2, 2 leads from low to high (at /cells) [jump]",
		"warning: one step from 2, 1 to 2, 2 leads from low to high (at /cells) [jump]",
		`warning: no cell gives "medium" (at /outcomes/1) [unreachable]`,
	}, got)
}

func TestMatrixInputs(t *testing.T) {
	m, err := Load(strings.NewReader(small), nil)
	require.NoError(t, err)
	for _, levels := range [][]string{nil, {"weak"}, {"weak", "major", "x"}, {"strong", "x"}, {"x", "y"}} {
		_, err := m.Rate(levels...)
		require.ErrorIs(t, err, ErrInvalid)
		_, err = m.Possible(levels...)
		require.ErrorIs(t, err, ErrInvalid)
	}
	_, err = m.Rate("x", "y")
	var ps Problems
	require.ErrorAs(t, err, &ps)
	require.Equal(t, []string{"strength of control", "impact"}, []string{ps[0].Pointer, ps[1].Pointer})
	_, err = m.Tally("low", "x")
	require.ErrorIs(t, err, ErrInvalid)
	require.Equal(t, "_1st-axis", token("1st axis"))
}

func FuzzLoad(f *testing.F) {
	f.Add(small)
	var file matricesFile
	unmarshal(f, &file, "risk/matrix/matrices.json")
	for _, raw := range file.Matrices {
		f.Add(string(raw))
	}
	for _, c := range file.Invalid {
		f.Add(string(c.Matrix))
	}
	f.Fuzz(func(t *testing.T, text string) {
		m, err := Load(strings.NewReader(text), nil)
		if err != nil {
			var ps Problems
			require.ErrorAs(t, err, &ps)
			for _, p := range ps {
				require.Positive(t, p.Line)
				require.Positive(t, p.Column)
			}
			return
		}
		// Total: each combination has an outcome, and unknown inputs do not lose it.
		for place := range min(len(m.cells), 100) {
			at := m.at(place)
			o, err := m.Lookup(at...)
			require.NoError(t, err)
			require.Contains(t, m.outcomes, o)
			at[0] = ""
			possible, err := m.Possible(at...)
			require.NoError(t, err)
			require.Contains(t, possible, o)
		}
		again, err := New(m.Definition())
		require.NoError(t, err)
		require.Equal(t, m.Digest(), again.Digest())
	})
}
