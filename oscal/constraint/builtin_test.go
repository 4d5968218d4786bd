package constraint

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/oscal"
)

// TestBuiltIn: the tables hold what the brief counts of OSCAL 1.2.2, and the
// numbers by which they name definitions are those of the model.
func TestBuiltIn(t *testing.T) {
	kinds, levels, enums := map[Kind]int{}, map[Level]int{}, 0
	keys := map[string]bool{}
	for c := range BuiltIn().Constraints() {
		kinds[c.Kind]++
		levels[c.Level]++
		enums += len(c.Enums)
		require.False(t, keys[c.Key], c.Key)
		keys[c.Key] = true
	}
	require.Equal(t, map[Kind]int{
		KindAllowedValues: 200, KindIsUnique: 48, KindMatches: 25, KindIndexHasKey: 24, KindIndex: 20, KindExpect: 12, KindHasCardinality: 11,
	}, kinds)
	require.Equal(t, map[Level]int{LevelError: 329, LevelWarning: 11}, levels)
	require.Equal(t, 888, enums)

	// Reachable constraints per root, as counted in the modules.
	want := map[string]int{
		"catalog": 84, "profile": 69, "component-definition": 84, "system-security-plan": 172, "assessment-plan": 131,
		"assessment-results": 200, "plan-of-action-and-milestones": 180, "mapping-collection": 68,
	}
	model := BuiltIn().model()
	got := map[string]int{}
	for root, rules := range model.roots {
		found := map[*compiled]bool{}
		seen := map[*definitionRules]bool{}
		var walk func(m *memberRules)
		walk = func(m *memberRules) {
			for _, r := range m.rules {
				for _, c := range r.constraints {
					found[c] = true
				}
			}
			if m.below == nil || seen[m.below] {
				return
			}
			seen[m.below] = true
			for i := range m.below.members {
				walk(&m.below.members[i])
			}
		}
		walk(rules)
		got[root.Name()] = len(found)
	}
	require.Equal(t, want, got)
}

// TestPlaces: the host of a constraint is the definition that its key names.
func TestPlaces(t *testing.T) {
	model := BuiltIn().model()
	seen := map[*definitionRules]bool{}
	var walk func(m *memberRules)
	walk = func(m *memberRules) {
		for _, r := range m.rules {
			for _, c := range r.constraints {
				_, name, _ := strings.Cut(c.Key, ":")
				name, _, _ = strings.Cut(name, "#")
				name = strings.TrimSuffix(strings.TrimSuffix(name[strings.LastIndexByte(name, '/')+1:], "(flag)"), "(field)")
				if d := m.member.Definition(); d != nil {
					require.Equal(t, name, d.Name(), c.Key)
				} else if !strings.Contains(c.Key, "(flag)") { // a global flag may be used under another name
					require.Equal(t, name, m.member.Name(), c.Key)
				}
			}
		}
		if m.below == nil || seen[m.below] {
			return
		}
		seen[m.below] = true
		for i := range m.below.members {
			walk(&m.below.members[i])
		}
	}
	for _, r := range model.roots {
		walk(r)
	}
}

// findingKey is a finding as the oracles compare it: rule R3 of the corpus.
func findingKey(f Finding) string { return f.Rule + " " + f.Path }

// violations are the findings without those that say that a constraint could
// not be evaluated, which the oracle does not have: the links of the examples
// lead nowhere.
func violations(r *Report) []Finding {
	return slices.DeleteFunc(slices.Clone(r.Findings), func(f Finding) bool { return f.Err != nil })
}

func validate(tb testing.TB, doc *oscal.Document) *Report {
	tb.Helper()
	r, err := Validate(tb.Context(), doc, &Options{NoStructure: true, Counts: true})
	require.NoError(tb, err)
	return r
}

func TestFindings(t *testing.T) {
	table := readJSON[struct {
		Documents []struct {
			Document     string
			Count        int
			ByConstraint []struct {
				Constraint, Kind, Level string
				Count                   int
			} `json:"by_constraint"`
			Findings []struct{ Constraint, Path string }
		}
	}](t, "builtin/findings.json")
	require.Len(t, table.Documents, 22)
	for _, c := range table.Documents {
		t.Run(c.Document, func(t *testing.T) {
			r := validate(t, load(t, c.Document))
			got := violations(r)
			byConstraint := map[string]int{}
			var keys []string
			for _, f := range got {
				byConstraint[f.Rule+" "+f.Kind.String()+" "+strings.ToUpper(f.Level.String())]++
				keys = append(keys, findingKey(f))
				require.True(t, f.Position.IsValid(), f.Path)
			}
			wantCounts := map[string]int{}
			for _, w := range c.ByConstraint {
				wantCounts[w.Constraint+" "+w.Kind+" "+w.Level] += w.Count
			}
			require.Equal(t, wantCounts, byConstraint)
			require.Len(t, got, c.Count)
			if c.Findings != nil {
				var want []string
				for _, w := range c.Findings {
					want = append(want, w.Constraint+" "+w.Path)
				}
				require.ElementsMatch(t, want, keys)
			}
		})
	}
}

func TestTargetCounts(t *testing.T) {
	table := readJSON[struct {
		Documents map[string]map[string][2]int
	}](t, "builtin/target-counts.json")
	for name, want := range table.Documents {
		t.Run(name, func(t *testing.T) {
			got := map[string][2]int{}
			for _, c := range validate(t, load(t, name)).Counts {
				got[c.Constraint.Key] = [2]int{c.Passed, c.Failed}
			}
			require.Equal(t, want, got)
		})
	}
}

// operation is a change of a document as the mutations of the corpus write it.
type operation struct{ Op, Path, Value string }

func (o operation) apply(t *testing.T, doc *oscal.Document) {
	t.Helper()
	e, err := Compile(strings.ReplaceAll(o.Path, "/revisions[1]", ""), nil)
	require.NoError(t, err)
	s, err := e.Eval(t.Context(), nil, &EvalOptions{Document: doc})
	require.NoError(t, err)
	if o.Op == "set" && len(s) == 0 {
		up, name, ok := strings.Cut(o.Path, "/@")
		require.True(t, ok, o.Path)
		owner, err := Compile(up, nil)
		require.NoError(t, err)
		s, err = owner.Eval(t.Context(), nil, &EvalOptions{Document: doc})
		require.NoError(t, err)
		require.Len(t, s, 1, o.Path)
		s[0].Node().Set(name, o.Value)
		return
	}
	require.Len(t, s, 1, o.Path)
	n := s[0].Node()
	switch o.Op {
	case "set":
		n.SetValue(o.Value)
	case "remove":
		n.Parent().Remove(n)
	case "duplicate":
		n.Parent().InsertAfter(n.Clone(), n)
	default:
		t.Fatalf("operation %q", o.Op)
	}
}

func TestMutations(t *testing.T) {
	table := readJSON[struct {
		Mutations []struct {
			ID, Constraint, At, Kind, Level, Document string
			Operations                                []operation
			NewFindings                               int      `json:"new_findings"`
			AlsoTouched                               []string `json:"also_touched"`
		}
	}](t, "builtin/mutations.json")
	require.Len(t, table.Mutations, 91)
	count := func(r *Report) map[string]int {
		out := map[string]int{}
		for _, f := range violations(r) {
			out[f.Constraint.Key]++
		}
		return out
	}
	for _, m := range table.Mutations {
		t.Run(m.ID, func(t *testing.T) {
			doc := load(t, m.Document)
			before := count(validate(t, doc))
			for _, o := range m.Operations {
				o.apply(t, doc)
			}
			after := count(validate(t, doc))
			require.Equal(t, m.NewFindings, after[m.At]-before[m.At], fmt.Sprint(m.At, m.Operations))
			for key, n := range after {
				// Those that had findings before are not in the list.
				if key != m.At && n > before[key] && before[key] == 0 {
					require.Contains(t, m.AlsoTouched, key)
				}
			}
		})
	}
}
