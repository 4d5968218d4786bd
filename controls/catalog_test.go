package controls

import (
	"encoding/csv"
	"encoding/json"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

var (
	rev5Low      = []string{"controls", "catalogs", "NIST_SP-800-53_rev5_LOW-baseline-resolved-profile_catalog-min.json"}
	rev5Moderate = []string{"controls", "catalogs", "NIST_SP-800-53_rev5_MODERATE-baseline-resolved-profile_catalog-min.json"}
	rev4Full     = []string{"controls", "catalogs", "NIST_SP-800-53_rev4_catalog-min.json"}
	rev5Full     = []string{"oscal", "catalogs", "nist-rev5", "NIST_SP-800-53_rev5_catalog.json"}
	fedrampLow   = []string{"oscal", "catalogs", "fedramp-rev4", "FedRAMP_rev4_LOW-baseline-resolved-profile_catalog.json"}
	basicCatalog = []string{"oscal", "documents", "nist-examples", "basic-catalog.json"}
)

func view[T any](tb testing.TB, text string) *T {
	tb.Helper()
	doc, err := oscal.Parse(text, nil)
	require.NoError(tb, err)
	v, err := oscal.As[T](doc)
	require.NoError(tb, err)
	return v
}

func load(tb testing.TB, path []string) *Catalog {
	tb.Helper()
	c, err := NewCatalog(view[oscal.Catalog](tb, string(corpus.Read(tb, path...))), nil)
	require.NoError(tb, err)
	return c
}

func table(tb testing.TB, path ...string) []map[string]string {
	tb.Helper()
	rows, err := csv.NewReader(strings.NewReader(string(corpus.Read(tb, path...)))).ReadAll()
	require.NoError(tb, err)
	require.NotEmpty(tb, rows)
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		out = append(out, m)
	}
	return out
}

// counts are the columns of the tables in corpus/controls/objectives.
func counts(controls []*Control) map[string]string {
	var n, stmts, objs, leaves, examine, interview, test, objects int
	for _, c := range controls {
		if c.Withdrawn() {
			continue
		}
		n++
		stmts += len(c.Statements())
		leaves += len(c.Leaves())
		var walk func(list []*Objective)
		walk = func(list []*Objective) {
			for _, o := range list {
				objs++
				walk(o.Children())
			}
		}
		walk(c.Objectives())
		for _, m := range c.Methods() {
			switch m.Kind() {
			case "EXAMINE":
				examine++
			case "INTERVIEW":
				interview++
			case "TEST":
				test++
			}
			if len(m.Objects()) > 0 {
				objects++
			}
		}
	}
	s := strconv.Itoa
	return map[string]string{
		"controls": s(n), "statement-parts": s(stmts), "objective-parts": s(objs), "leaf-objectives": s(leaves),
		"examine": s(examine), "interview": s(interview), "test": s(test), "objects-parts": s(objects),
	}
}

// TestObjectives compares the index with the tables of the corpus: totals, per
// family, per control.
func TestObjectives(t *testing.T) {
	tests := []struct {
		set, version string
		path         []string
		table        string
	}{
		{"LOW", "rev5", rev5Low, "rev5-low"},
		{"MODERATE", "rev5", rev5Moderate, "rev5-moderate"},
		{"full catalog (active)", "rev4", rev4Full, "rev4-full"},
	}
	summary := table(t, "controls", "objectives", "summary.csv")
	for _, tt := range tests {
		t.Run(tt.table, func(t *testing.T) {
			c := load(t, tt.path)
			same := func(want map[string]string, controls []*Control) {
				t.Helper()
				got := counts(controls)
				for k := range got {
					if w, ok := want[k]; ok {
						require.Equal(t, w, got[k], "%s of %v", k, want)
					}
				}
			}
			for _, want := range summary {
				if want["set"] == tt.set && want["revision"] == tt.version {
					same(want, c.Controls())
				}
			}
			for _, want := range table(t, "controls", "objectives", tt.table+"-by-family.csv") {
				same(want, c.Family(want["family"]).Controls())
			}
			rows := table(t, "controls", "objectives", tt.table+".csv")
			i := 0
			for _, x := range c.Controls() {
				if x.Withdrawn() {
					continue
				}
				require.Equal(t, rows[i]["control"], x.ID())
				require.Equal(t, rows[i]["family"], x.Family().ID())
				same(rows[i], []*Control{x})
				i++
			}
			require.Equal(t, len(rows), i)
		})
	}
}

// TestAssessmentFor compares, for each objective of the rev. 5 MODERATE baseline,
// label, kind and statement.
func TestAssessmentFor(t *testing.T) {
	c := load(t, rev5Moderate)
	rows := table(t, "controls", "objectives", "rev5-moderate-assessment-for.csv")
	require.Len(t, rows, 1795)
	for _, want := range rows {
		o := c.Objective(want["objective"])
		require.NotNil(t, o, want)
		kind := "group"
		if o.IsLeaf() {
			kind = "leaf"
			require.Contains(t, o.Statement().Leaves(), o)
		}
		got := map[string]string{
			"control": o.Control().ID(), "objective": o.ID(), "label": o.Label(), "kind": kind, "statement": o.Statement().ID(),
		}
		require.Equal(t, want, got)
		found, err := c.Find(o.Label())
		require.NoError(t, err)
		require.Equal(t, o.Control(), found.Control, o.Label())
		if strings.Contains(o.Label(), "[") {
			require.Equal(t, o, found.Objective, o.Label())
		}
	}
}

// TestObjectivesByDefinition: catalogs without objective parts have each
// statement as its own objective.
func TestObjectivesByDefinition(t *testing.T) {
	c := load(t, rev5Full)
	ac2 := c.Control("ac-2")
	require.Len(t, ac2.Objectives(), 1)
	require.Same(t, c.Objective("ac-2_smt.d.1"), ac2.Statements()[5].Leaves()[0])
	require.True(t, c.Objective("ac-2_smt.d.1").IsStatement())
	require.False(t, c.Objective("ac-2_smt.d").IsLeaf())
	require.Same(t, c.Statement("ac-2_smt.d"), c.Objective("ac-2_smt.d").Statement())
	var leaves []string
	for _, o := range ac2.Leaves() {
		leaves = append(leaves, o.ID())
	}
	require.Equal(t, strings.Fields(`ac-2_smt.a ac-2_smt.b ac-2_smt.c ac-2_smt.d.1 ac-2_smt.d.2 ac-2_smt.d.3 ac-2_smt.e ac-2_smt.f ac-2_smt.g
		ac-2_smt.h.1 ac-2_smt.h.2 ac-2_smt.h.3 ac-2_smt.i.1 ac-2_smt.i.2 ac-2_smt.i.3 ac-2_smt.j ac-2_smt.k ac-2_smt.l`), leaves)
}

// TestWithdrawn compares withdrawal and successors with the table of both
// revisions in the corpus.
func TestWithdrawn(t *testing.T) {
	var oracle struct {
		Controls []struct {
			ID, Rev5   string
			Successors []struct{ To string } `json:"successors-rev5"`
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "controls", "revision", "800-53-rev4-to-rev5.json"), &oracle))
	c := load(t, rev5Full)
	withdrawn, successors := 0, 0
	for _, want := range oracle.Controls {
		x := c.Control(want.ID)
		require.NotNil(t, x, want.ID)
		require.Equal(t, want.Rev5 == "withdrawn", x.Withdrawn(), want.ID)
		n := 0
		for _, to := range want.Successors {
			if strings.HasPrefix(to.To, "https:") { // no part of the catalog
				continue
			}
			require.Less(t, n, len(x.Successors()), want.ID)
			require.Equal(t, to.To, x.Successors()[n].ID(), want.ID)
			n++
		}
		require.Len(t, x.Successors(), n, want.ID)
		if x.Withdrawn() {
			withdrawn++
			successors += len(x.Successors())
		}
	}
	require.Equal(t, 182, withdrawn)
	require.Equal(t, 166+34, successors)
}

// TestPublishedCatalogs: all catalogs that NIST and FedRAMP publish are without
// problems.
func TestPublishedCatalogs(t *testing.T) {
	for _, dir := range []string{"fedramp-rev4", "nist-rev4", "nist-rev5"} {
		files, err := filepath.Glob(filepath.Join(corpus.Path(t, "oscal", "catalogs", dir), "*.json"))
		require.NoError(t, err)
		require.NotEmpty(t, files)
		for _, file := range files {
			if !strings.Contains(file, "_catalog") {
				continue
			}
			t.Run(filepath.Base(file), func(t *testing.T) { load(t, []string{"oscal", "catalogs", dir, filepath.Base(file)}) })
		}
	}
	load(t, basicCatalog)
}

// TestReferencesOfCCI compares the resolution of the rev. 5 references of DISA's
// CCI list with that of the corpus, and that of the rev. 4 references with its
// totals. References to controls that came after the catalog of the oracle
// (5.0.1) do not occur in the list.
func TestReferencesOfCCI(t *testing.T) {
	rev5, rev4 := load(t, rev5Full), load(t, rev4Full)
	resolve := func(c *Catalog, text string) (Target, string) {
		refs, err := ParseReferences(text)
		require.NoError(t, err)
		target, err := c.Resolve(refs[0])
		switch {
		case err != nil:
			require.ErrorIs(t, err, ErrUnknown)
			return target, "no control"
		case target.Statement != nil && target.Exact:
			return target, "statement"
		case target.Statement != nil:
			return target, "ancestor"
		case target.Exact && len(refs) == 1:
			return target, "control"
		}
		return target, "control (item not in catalog)" // so the oracle calls two references in one attribute, too
	}
	got4, total := map[string]int{}, 0
	for _, row := range table(t, "controls", "cci", "cci-facts.csv") {
		if row["rev5"] != "" {
			target, how := resolve(rev5, row["rev5"])
			require.Equal(t, row["rev5-oscal-id"], target.ID(), row)
			require.Equal(t, row["rev5-resolution"], how, row)
			total++
		}
		for text := range strings.SplitSeq(row["rev4"], "|") {
			if text != "" {
				_, how := resolve(rev4, text)
				got4[how]++
			}
		}
	}
	require.Equal(t, 3814, total)
	var oracle struct {
		Rev4 map[string]int `json:"rev4-resolution"`
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "controls", "cci", "cci-oracle.json"), &oracle))
	require.Equal(t, oracle.Rev4, got4)
}

// TestIdentifierTables: every reference of the identifier tables leads to a
// control of rev. 4.
func TestIdentifierTables(t *testing.T) {
	c := load(t, rev4Full)
	for _, file := range []string{"cwe-to-800-53.csv", "nessus-plugin-family-to-800-53.csv", "owasp-top10-2017-to-800-53.csv"} {
		n := 0
		for _, row := range table(t, "controls", "identifiers", file) {
			for text := range strings.SplitSeq(row["nist-800-53"], "|") {
				if text == "" || text == "UM-1" { // Heimdall's mark for what it could not map
					continue
				}
				target, err := c.Find(text)
				require.NoError(t, err, row)
				require.NotNil(t, target.Control)
				n++
			}
		}
		require.Positive(t, n)
	}
}

func TestParseReference(t *testing.T) {
	tests := []struct {
		text string
		want Reference
	}{
		{"AC-2 (1)(a)", Reference{Control: "ac-2.1", Items: []string{"a"}}},
		{"AC-2(1) a.", Reference{Control: "ac-2.1", Items: []string{"a"}}},
		{"ac-2.1_smt.a", Reference{Control: "ac-2.1", Items: []string{"a"}, Part: "ac-2.1_smt.a"}},
		{"ac-2_obj.d.3-2", Reference{Control: "ac-2", Items: []string{"d", "3"}, Determination: "2", Part: "ac-2_obj.d.3-2"}},
		{"AC-02a.[01]", Reference{Control: "ac-2", Items: []string{"a"}, Determination: "1"}},
		{"SC-07(04)(g)", Reference{Control: "sc-7.4", Items: []string{"g"}}},
		{"AC-1 a 1 (a)", Reference{Control: "ac-1", Items: []string{"a", "1", "a"}}},
		{"  MA-4  (4) (b) (2) ", Reference{Control: "ma-4.4", Items: []string{"b", "2"}}},
		{"AC-8 a (2)", Reference{Control: "ac-8", Items: []string{"a", "2"}}},
		{"PE-15[04]", Reference{Control: "pe-15", Determination: "4"}},
		{"ac-1_prm_1", Reference{Control: "ac-1", Part: "ac-1_prm_1"}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := ParseReference(tt.text)
			require.NoError(t, err)
			tt.want.Text = tt.text
			require.Equal(t, tt.want, got)
		})
	}
	for _, bad := range []string{"", "AC", "AC-", "-2", "AC-x", "AC-2 (", "AC-2 ()", "AC-2 (1) (i and ii)", "AC-2 [x]", "AC-2[1]a", "AC-2 ü", "AC-2 abcd", "4-2"} {
		t.Run("bad "+bad, func(t *testing.T) {
			_, err := ParseReference(bad)
			require.ErrorIs(t, err, ErrReference)
		})
	}
	refs, err := ParseReferences("SC-37, SC-37 (1); x, AC-2")
	require.ErrorIs(t, err, ErrReference)
	require.Len(t, err, 1)
	require.Len(t, refs, 3)
}

// TestResponsePoints: FedRAMP marks the statements that need an answer. The
// counts are those of the marks in the published file: 32+4 statements and
// 286+33 items.
func TestResponsePoints(t *testing.T) {
	raw := string(corpus.Read(t, fedrampLow...))
	c := load(t, fedrampLow)
	b, err := NewBaseline(c, nil)
	require.NoError(t, err)
	ids := map[string]bool{}
	marked := 0
	for _, s := range b.Statements() {
		require.False(t, ids[s.ID()])
		ids[s.ID()] = true
		if prop(s.Props(), "response-point") != "" {
			marked++
		}
	}
	require.Equal(t, 32+4+286+33, marked)
	// The other marks are on 730 objectives, on pe-3.a_obj.1 twice.
	require.Equal(t, marked+731, strings.Count(raw, `"response-point"`))
	require.Contains(t, ids, "ac-2_smt.h")
	require.NotContains(t, ids, "ac-2_smt.h.1")

	leaves, err := NewBaseline(c, &BaselineOptions{LeavesOnly: true})
	require.NoError(t, err)
	require.Equal(t, []string{"ac-2_smt.h.1", "ac-2_smt.h.2", "ac-2_smt.h.3"}, func() []string {
		var out []string
		for _, s := range leaves.Points(c.Control("ac-2")) {
			if s.Parent() == c.Statement("ac-2_smt.h") {
				out = append(out, s.ID())
			}
		}
		return out
	}())
}

// TestLeavesOfRollUp: the leaf objectives and statements of the corpus' worked
// roll-up of AC-2.
func TestLeavesOfRollUp(t *testing.T) {
	var oracle struct {
		Leaves []string
		Cases  []struct{ Statements map[string]string }
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "controls", "rollup", "ac-2-moderate.json"), &oracle))
	ac2 := load(t, rev5Moderate).Control("ac-2")
	var leaves []string
	for _, o := range ac2.Leaves() {
		leaves = append(leaves, o.ID())
	}
	require.Equal(t, oracle.Leaves, leaves)
	require.Len(t, oracle.Cases[0].Statements, len(ac2.Statements()))
	for _, s := range ac2.Statements() {
		require.Contains(t, oracle.Cases[0].Statements, s.ID())
	}
}

// TestConcurrent is for the race detector: an index is used from several
// goroutines at once.
func TestConcurrent(t *testing.T) {
	c := load(t, rev5Low)
	var wg sync.WaitGroup
	found := make([]string, 4)
	for i := range found {
		wg.Go(func() {
			target, _ := c.Find("AC-02d.03[02]")
			text, _ := c.Prose(c.Statement("ac-1_smt.a").Prose(), nil)
			found[i] = target.ID() + text
		})
	}
	wg.Wait()
	for _, f := range found {
		require.Equal(t, found[0], f)
		require.Contains(t, f, "ac-2_obj.d.3-2")
	}
}
