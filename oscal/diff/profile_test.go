package diff_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/diff"
)

// profile returns a profile of one catalog from the inside of an import and of
// modify.
func profile(t testing.TB, selection, modify string) *oscal.Document {
	t.Helper()
	doc, err := oscal.Parse(`{"profile":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a11","metadata":{"title":"T","last-modified":"2026-01-01T00:00:00Z","version":"1","oscal-version":"1.2.2"},
"imports":[{"href":"cat.json",`+selection+`}],"modify":{`+modify+`}}}`, nil)
	require.NotNil(t, doc, "%v", err)
	return doc
}

// TestProfileControls: what two profiles tell of controls by themselves.
func TestProfileControls(t *testing.T) {
	type change struct {
		fate          string
		id            string
		aspects       string
		parts, params string
	}
	const some = `"include-controls":[{"with-ids":["AC-1","AC-2"]}]`
	alter := func(s string) string { return `"alters":[{"control-id":"AC-1",` + s + `}]` }
	for _, tt := range []struct {
		name               string
		from, fromModify   string
		to, toModify       string
		want               []change
		unresolved, impact []string // of a plan that answers AC-1, sets P1 there, and answers AC-1_smt
	}{
		{
			"with-ids", `"include-controls":[{"with-ids":["AC-1"]}]`, "", `"include-controls":[{"with-ids":["AC-2"]}]`, "",
			[]change{{"added", "AC-2", "", "", ""}, {"removed", "AC-1", "", "", ""}},
			nil,
			[]string{"AC-1 removed [AC-1_smt] [P1]", "AC-2 added [] []"},
		},
		{
			"ids have a case", `"include-controls":[{"with-ids":["AC-1"]}]`, "", `"include-controls":[{"with-ids":["ac-1"]}]`, "",
			[]change{{"added", "ac-1", "", "", ""}, {"removed", "AC-1", "", "", ""}},
			nil,
			[]string{"AC-1 removed [AC-1_smt] [P1]", "ac-1 added [] []"},
		},
		{"moved to another list of ids", `"include-controls":[{"with-ids":["AC-1"]},{"with-ids":["AC-2"]}]`, "", some, "", nil, nil, nil},
		{
			"excluded", some, "", some + `,"exclude-controls":[{"with-ids":["AC-1"]}]`, "",
			[]change{{"removed", "AC-1", "", "", ""}},
			nil,
			[]string{"AC-1 removed [AC-1_smt] [P1]"},
		},
		{
			"excluded from all", `"include-all":{}`, "", `"include-all":{},"exclude-controls":[{"with-ids":["AC-1"]}]`, "",
			[]change{{"removed", "AC-1", "", "", ""}},
			[]string{"include-all"},
			[]string{"AC-1 removed [AC-1_smt] [P1]"},
		},
		{
			"ids in place of a pattern", `"include-controls":[{"matching":[{"pattern":"AC-*"}]}]`, "", some, "",
			[]change{{"changed", "AC-1", "selection", "", ""}, {"changed", "AC-2", "selection", "", ""}},
			[]string{"matching"},
			[]string{"AC-1 changed [] []"},
		},
		{"all in place of ids", some, "", `"include-all":{}`, "", nil, []string{"include-all"}, nil},
		{
			"with child controls", some, "", `"include-controls":[{"with-child-controls":"yes","with-ids":["AC-1"]}]`, "",
			[]change{{"changed", "AC-2", "selection", "", ""}},
			[]string{"include-controls"},
			nil,
		},
		{
			"alteration", some, alter(`"adds":[{"props":[{"name":"x","value":"b"}]}]`), some, alter(`"adds":[{"props":[{"name":"x","value":"d"}]}]`),
			[]change{{"changed", "AC-1", "properties", "", ""}},
			nil,
			[]string{"AC-1 changed [] []"},
		},
		{
			"alteration of a part by id", some, "", some, alter(`"adds":[{"by-id":"AC-1_smt","parts":[{"id":"AC-1_more","name":"item","prose":"And more."}]}]`),
			[]change{{"changed", "AC-1", "guidance", "AC-1_smt AC-1_more", ""}},
			nil,
			[]string{"AC-1 changed [AC-1_smt] []"},
		},
		{
			"removal by id", some, "", some, alter(`"removes":[{"by-id":"P1"}]`),
			[]change{{"changed", "AC-1", "other", "P1", ""}},
			nil,
			[]string{"AC-1 changed [] [P1]"},
		},
		{
			"removal of parameters", some, alter(`"removes":[{"by-item-name":"param","by-id":"P1"}]`), some, "",
			[]change{{"changed", "AC-1", "parameters", "P1", "P1"}},
			nil,
			[]string{"AC-1 changed [] [P1]"},
		},
		{"alteration of what is not selected", `"include-controls":[{"with-ids":["AC-2"]}]`, "", `"include-controls":[{"with-ids":["AC-2"]}]`, alter(`"removes":[{"by-id":"P1"}]`), nil, nil, nil},
		{
			"parameter", some, `"set-parameters":[{"param-id":"P1","values":["a"]}]`, some, `"set-parameters":[{"param-id":"P1","values":["c"]}]`,
			nil,
			[]string{"set-parameter"},
			[]string{"AC-1 changed [] [P1]"},
		},
		{"nothing", `"include-all":{}`, "", `"include-all":{}`, "", nil, nil, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := diff.Compare(profile(t, tt.from, tt.fromModify), profile(t, tt.to, tt.toModify), nil)
			require.NoError(t, err)
			var got []change
			for _, c := range d.Controls() {
				got = append(got, change{c.Fate.String(), c.ID, strings.Join(c.Aspects, " "), strings.Join(c.Parts, " "), strings.Join(c.Params, " ")})
			}
			require.Equal(t, tt.want, got)
			var unresolved []string
			for _, n := range d.Unresolved() {
				unresolved = append(unresolved, n.Name())
			}
			require.Equal(t, tt.unresolved, unresolved)
			ssp, _ := oscal.Parse(`{"system-security-plan":{"control-implementation":{"implemented-requirements":[
{"control-id":"AC-1","set-parameters":[{"param-id":"P1","values":["3"]}],"statements":[{"statement-id":"AC-1_smt"}]}]}}}`, nil)
			require.Equal(t, tt.impact, hits(d, ssp))
		})
	}
}

func hits(d *diff.Diff, ssp *oscal.Document) []string {
	var out []string
	for _, h := range d.Impact(ssp) {
		text := func(s []string) string { return "[" + strings.Join(s, " ") + "]" }
		out = append(out, h.Control.ID+" "+h.Control.Fate.String()+" "+text(h.Statements)+" "+text(h.Params))
	}
	return out
}

// TestProfileImports: a control that another import selects is still selected,
// and groups of the profile's own must insert it.
func TestProfileImports(t *testing.T) {
	parse := func(inside string) *oscal.Document {
		doc, err := oscal.Parse(`{"profile":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a11","metadata":{"title":"T","last-modified":"2026-01-01T00:00:00Z","version":"1","oscal-version":"1.2.2"},`+inside+`}}`, nil)
		require.NoError(t, err)
		return doc
	}
	imports := func(lists ...string) *oscal.Document {
		return parse(`"imports":[{"href":"a.json","include-controls":[{"with-ids":[` + strings.Join(lists, `]}]},{"href":"b.json","include-controls":[{"with-ids":[`) + `]}]}]`)
	}
	custom := func(ids string) *oscal.Document {
		return parse(`"imports":[{"href":"a.json","include-controls":[{"with-ids":["x","y"]}]}],"merge":{"custom":{"groups":[{"id":"g","title":"G","insert-controls":[{"include-controls":[{"with-ids":[` + ids + `]}]}]}]}}`)
	}
	for _, tt := range []struct {
		name     string
		from, to *oscal.Document
		want     []string
	}{
		{"by another import", imports(`"x","y"`, `"x"`), imports(`"y"`, `"x"`), nil},
		{"by none", imports(`"x","y"`, `"x"`), imports(`"y"`, `"y"`), []string{"x removed"}},
		{"not inserted", custom(`"x","y"`), custom(`"y"`), []string{"x removed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d, err := diff.Compare(tt.from, tt.to, nil)
			require.NoError(t, err)
			var got []string
			for _, c := range d.Controls() {
				got = append(got, c.ID+" "+c.Fate.String())
			}
			require.Equal(t, tt.want, got)
			require.Empty(t, d.Unresolved())
		})
	}
}

// TestBaselinesOfProfiles: with the catalogs that the profiles resolve to, all
// of them is told of these.
func TestBaselinesOfProfiles(t *testing.T) {
	d, err := diff.Compare(profile(t, `"include-all":{}`, ""), profile(t, `"include-controls":[{"with-ids":["a"]}]`, ""), nil)
	require.NoError(t, err)
	from, err := oscal.Parse(before, nil)
	require.NoError(t, err)
	to, err := oscal.Parse(strings.Replace(before, `{"id":"d","title":"D"}`, `{"id":"e","title":"E"}`, 1), nil)
	require.NoError(t, err)
	d.Baselines, err = diff.Compare(from, to, nil)
	require.NoError(t, err)
	require.Empty(t, d.Unresolved())
	ssp, _ := oscal.Parse(`{"system-security-plan":{"control-implementation":{"implemented-requirements":[{"control-id":"d"},{"control-id":"a"}]}}}`, nil)
	require.Equal(t, []string{"d removed [] []", "e added [] []"}, hits(d, ssp))
	var b strings.Builder
	require.NoError(t, d.WriteText(&b))
	require.Equal(t, `profile -> profile: 1 control added, 1 removed; 2 changes in all

import cat.json
  - include-all removed
  + include-controls added

resolved catalog -> catalog: 1 control added, 1 removed; 2 changes in all

control d "D"
  - control removed

control e "E"
  + control added
`, b.String())
	require.Nil(t, d.Impact(from), "a catalog has no requirements")
}
