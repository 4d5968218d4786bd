package assessment

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/controls"
	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

var now = time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)

func catalog(t testing.TB, elem ...string) *controls.Catalog {
	t.Helper()
	doc, err := oscal.Read(bytes.NewReader(corpus.Read(t, elem...)), nil)
	require.NoError(t, err)
	view, err := oscal.As[oscal.Catalog](doc)
	require.NoError(t, err)
	c, err := controls.NewCatalog(view, nil)
	require.NoError(t, err)
	return c
}

const moderate = "controls/catalogs/NIST_SP-800-53_rev5_MODERATE-baseline-resolved-profile_catalog-min.json"

// verdicts collects the verdicts of all statements under a node.
func verdicts(n *Node, kind string, to map[string]string) {
	if n.Kind == kind {
		to[n.ID] = n.Verdict.String()
	}
	for _, c := range n.Children {
		verdicts(c, kind, to)
	}
}

// TestRollUpOracle: the eight worked cases of the corpus for AC-2.
func TestRollUpOracle(t *testing.T) {
	var oracle struct {
		Leaves []string
		Cases  []struct {
			Name, Default, Control string
			Overrides, Statements  map[string]string
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "controls/rollup/ac-2-moderate.json"), &oracle))
	require.Len(t, oracle.Cases, 8)
	ac2 := catalog(t, moderate).Control("ac-2")
	var leaves []string
	for _, o := range ac2.Leaves() {
		leaves = append(leaves, o.ID())
	}
	require.ElementsMatch(t, oracle.Leaves, leaves)
	for _, tt := range oracle.Cases {
		t.Run(tt.Name, func(t *testing.T) {
			var ds []Determination
			for _, id := range oracle.Leaves {
				word := tt.Default
				if o, ok := tt.Overrides[id]; ok {
					word = o
				}
				d := Determination{Target: id}
				require.NoError(t, d.Verdict.UnmarshalText([]byte(word)))
				ds = append(ds, d)
			}
			n := RollUp(ac2, ds, now)
			got := map[string]string{}
			verdicts(n, "statement", got)
			require.Equal(t, tt.Statements, got)
			require.Equal(t, tt.Control, n.Verdict.String())
		})
	}
}

// TestRollUpMonotone: turning a leaf from satisfied to not satisfied never
// improves anything.
func TestRollUpMonotone(t *testing.T) {
	c := catalog(t, moderate)
	rng := rand.New(rand.NewPCG(1, 2))
	rank := map[string]int{"satisfied": 3, "not-applicable": 3, "not-assessed": 2, "error": 2, "not-satisfied": 1}
	for _, x := range c.Controls() {
		if len(x.Leaves()) == 0 {
			continue
		}
		for range 3 {
			var ds []Determination
			turn := -1
			for _, o := range x.Leaves() {
				v := Verdict(1 + rng.IntN(5))
				if v == Satisfied && (turn < 0 || rng.IntN(2) == 0) {
					turn = len(ds)
				}
				ds = append(ds, Determination{Target: o.ID(), Verdict: v})
			}
			if turn < 0 {
				turn, ds[0].Verdict = 0, Satisfied
			}
			before, after := map[string]string{}, map[string]string{}
			n := RollUp(x, ds, now)
			verdicts(n, "statement", before)
			was := n.Verdict
			ds[turn].Verdict = NotSatisfied
			n = RollUp(x, ds, now)
			verdicts(n, "statement", after)
			require.Len(t, after, len(before))
			for id := range before {
				require.LessOrEqual(t, rank[after[id]], rank[before[id]], id)
			}
			require.LessOrEqual(t, rank[n.Verdict.String()], rank[was.String()])
			require.Equal(t, NotSatisfied, n.Verdict)
		}
	}
}

func TestRollUpInner(t *testing.T) {
	ac2 := catalog(t, moderate).Control("ac-2")
	all := func(v Verdict, but ...string) map[string]string {
		out := map[string]string{}
		for _, o := range ac2.Leaves() {
			out[o.ID()] = v.String()
		}
		for i := 0; i < len(but); i += 2 {
			out[but[i]] = but[i+1]
		}
		return out
	}
	tests := []struct {
		name    string
		in      []Determination
		leaves  map[string]string
		control Verdict
	}{
		{"a control as a whole", []Determination{{Target: "ac-2", Verdict: Satisfied}}, all(Satisfied), Satisfied},
		{"does not apply", []Determination{{Target: "ac-2", Verdict: NotApplicable}}, all(NotApplicable), NotApplicable},
		{"something is wrong with the control", []Determination{{Target: "ac-2", Verdict: NotSatisfied}}, all(NotAssessed), NotSatisfied},
		{"a statement", []Determination{{Target: "ac-2_smt.k", Verdict: Satisfied}}, all(NotAssessed, "ac-2_obj.k-1", "satisfied", "ac-2_obj.k-2", "satisfied"), NotAssessed},
		{"a group of objectives", []Determination{{Target: "ac-2_obj.k", Verdict: Satisfied}}, all(NotAssessed, "ac-2_obj.k-1", "satisfied", "ac-2_obj.k-2", "satisfied"), NotAssessed},
		{"the nearest counts", []Determination{
			{Target: "ac-2", Verdict: Satisfied}, {Target: "ac-2_obj.k", Verdict: NotApplicable}, {Target: "ac-2_obj.k-2", Verdict: NotSatisfied},
		}, all(Satisfied, "ac-2_obj.k-1", "not-applicable", "ac-2_obj.k-2", "not-satisfied"), NotSatisfied},
		{"people before tools", []Determination{
			{Target: "ac-2", Verdict: NotAssessed, mapping: &Mapping{}}, {Target: "ac-2", Verdict: Satisfied},
		}, all(Satisfied), Satisfied},
		{"not satisfied before people", []Determination{
			{Target: "ac-2_obj.b", Verdict: NotSatisfied, mapping: &Mapping{}}, {Target: "ac-2_obj.b", Verdict: Satisfied},
		}, all(NotAssessed, "ac-2_obj.b", "not-satisfied"), NotSatisfied},
		{"expired", []Determination{
			{Target: "ac-2", Verdict: Satisfied}, {Target: "ac-2_obj.b", Verdict: Satisfied, Expires: now},
		}, all(Satisfied, "ac-2_obj.b", "not-assessed"), NotAssessed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := RollUp(ac2, tt.in, now)
			got := map[string]string{}
			verdicts(n, "objective", got)
			require.Equal(t, tt.leaves, got)
			require.Equal(t, tt.control, n.Verdict)
		})
	}
}

// TestRollUpCounts: every leaf objective of a catalog is counted once.
func TestRollUpCounts(t *testing.T) {
	for file, leaves := range map[string]int{ // controls/objectives/summary.csv
		moderate: 1303,
		"controls/catalogs/NIST_SP-800-53_rev5_LOW-baseline-resolved-profile_catalog-min.json": 966,
		"controls/catalogs/NIST_SP-800-53_rev4_catalog-min.json":                               2998,
	} {
		var cov Coverage
		for _, x := range catalog(t, file).Controls() {
			if !x.Withdrawn() {
				cov.Add(RollUp(x, nil, now))
			}
		}
		require.Equal(t, Coverage{NotAssessed: leaves}, cov, file)
	}
}

func TestDecide(t *testing.T) {
	rec := func(subject string, o Outcome) Record { return Record{Subject: Subject{ID: subject}, Outcome: o} }
	suppressed := rec("b", OutcomeFail)
	suppressed.Suppressed = true
	tests := []struct {
		name    string
		mapping Mapping
		records []Record
		want    Verdict
	}{
		{"none", Mapping{Decides: true}, nil, NotAssessed},
		{"all pass", Mapping{Decides: true}, []Record{rec("a", OutcomePass), rec("b", OutcomeFixed)}, Satisfied},
		{"passing is evidence only", Mapping{}, []Record{rec("a", OutcomePass)}, NotAssessed},
		{"one fails", Mapping{}, []Record{rec("a", OutcomePass), rec("b", OutcomeFail)}, NotSatisfied},
		{"one fails, and passes elsewhere", Mapping{Decides: true}, []Record{rec("a", OutcomeFail), rec("a", OutcomePass)}, NotSatisfied},
		{"the sample is not complete", Mapping{Decides: true, Subjects: []string{"a", "b"}}, []Record{rec("a", OutcomePass)}, NotAssessed},
		{"an error is not a pass", Mapping{Decides: true}, []Record{rec("a", OutcomePass), rec("b", OutcomeError)}, NotAssessed},
		{"nothing but errors", Mapping{Decides: true}, []Record{rec("a", OutcomeError)}, Error},
		{"unknown", Mapping{Decides: true}, []Record{rec("a", OutcomePass), rec("b", OutcomeUnknown)}, NotAssessed},
		{"not checked", Mapping{Decides: true}, []Record{rec("b", OutcomeNotChecked)}, NotAssessed},
		{"suppressed", Mapping{Decides: true}, []Record{rec("a", OutcomePass), suppressed}, NotAssessed},
		{"does not apply", Mapping{Decides: true}, []Record{rec("a", OutcomeNotApplicable), rec("b", OutcomeNotSelected)}, NotApplicable},
		{"does not apply to one", Mapping{Decides: true}, []Record{rec("a", OutcomeNotApplicable), rec("b", OutcomePass)}, Satisfied},
		{"informational says nothing", Mapping{Decides: true}, []Record{rec("a", OutcomeInformational)}, NotAssessed},
		{"share reached", Mapping{Decides: true, Percent: 50}, []Record{rec("a", OutcomeFail), rec("b", OutcomePass)}, Satisfied},
		{"share missed by a hair", Mapping{Decides: true, Percent: 51}, []Record{rec("a", OutcomeFail), rec("b", OutcomePass)}, NotSatisfied},
		{"share still open", Mapping{Decides: true, Percent: 50}, []Record{rec("a", OutcomeFail), rec("b", OutcomeUnknown)}, NotAssessed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, why := tt.mapping.Decide(tt.records)
			require.Equal(t, tt.want, got, why)
		})
	}
}

func TestMatches(t *testing.T) {
	rec := &Record{Tool: Tool{Name: "Scanner"}, Rule: Rule{ID: "py/sql-injection", Tags: []string{"security"}}, IDs: []string{"CWE-89"}}
	for pattern, want := range map[string]bool{
		"py/sql-injection": true, "py/*": true, "*injection": true, "js/*": false, "security": true, "cwe-89": true, "CWE-8": false, "": false, "[": false,
	} {
		require.Equal(t, want, (&Mapping{Match: pattern}).Matches(rec), pattern)
	}
	require.True(t, (&Mapping{Tool: "scan*", Match: "*"}).Matches(rec))
	require.False(t, (&Mapping{Tool: "other", Match: "*"}).Matches(rec))
}
