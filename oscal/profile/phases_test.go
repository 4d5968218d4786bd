package profile

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/oscal"
)

// sketch shows groups, controls, parameters and what else is in them in short:
// g{p:x a(a.1)} is a group g with a parameter x and a control a, which has a
// child a.1. Values of parameters stand after =, other members as name=value.
func sketch(n *oscal.Node) string {
	var out []string
	for c := range n.Children() {
		id := c.Get("id")
		inner := sketch(c)
		switch c.Name() {
		case "param":
			s := "p:" + id
			if v := c.Get("value"); v != "" {
				s += "=" + v
			}
			for p := range c.All("prop") {
				s += "[" + p.Get("name") + "=" + p.Get("value") + "]"
			}
			out = append(out, s)
		case "prop":
			out = append(out, c.Get("name")+"="+c.Get("value"))
		case "link":
			out = append(out, "->"+c.Get("href"))
		case "title":
			if strings.HasPrefix(c.Value(), "T") { // titles that matter
				out = append(out, c.Value())
			}
		case "resource":
			out = append(out, "r:"+c.Get("uuid"))
		case "part", "control":
			if inner != "" {
				id += "(" + inner + ")"
			}
			out = append(out, id)
		case "group":
			out = append(out, id+"{"+inner+"}")
		case "back-matter":
			out = append(out, inner)
		}
	}
	return strings.Join(out, " ")
}

// catalogs of TestPhases.
var phaseCatalogs = Map{
	"nested.json": text("catalog", `"controls": [{"id": "a", "title": "A", "controls": [
		{"id": "a.1", "title": "A1", "controls": [{"id": "a.1.1", "title": "A11"}]}, {"id": "a.2", "title": "A2"}]}, {"id": "b", "title": "B"}]`),
	"one.json": text("catalog", `"params": [{"id": "p", "values": ["1"]}, {"id": "q", "values": ["q"]}], "groups": [
		{"id": "g", "class": "c1", "title": "T1", "params": [{"id": "gp", "values": ["1"]}], "props": [{"name": "x", "value": "1"}, {"name": "y", "value": "1"}],
		 "controls": [{"id": "a", "title": "A", "parts": [{"name": "s", "id": "a_s", "prose": "{{ insert: param, p }}, {{insert:param,gp}}"}]}]},
		{"id": "h", "title": "H", "controls": [{"id": "b", "title": "B"}]}]`),
	"two.json": text("catalog", `"params": [{"id": "p", "values": ["2"]}], "groups": [
		{"id": "outer", "title": "O", "groups": [{"id": "g", "class": "c2", "title": "T2", "params": [{"id": "gp", "values": ["1"]}],
		 "props": [{"name": "x", "value": "1"}, {"name": "z", "value": "2"}], "controls": [{"id": "c", "title": "C"}]}]}]`),
	"refs.json": text("catalog", `"controls": [
		{"id": "a", "title": "A", "params": [{"id": "ap", "label": "[see](#66666666-6666-4666-8666-666666666661)"}]},
		{"id": "b", "title": "B", "parts": [{"name": "s", "id": "b_s", "prose": "{{ insert: param, ap }}"}]}],
		"back-matter": {"resources": [{"uuid": "66666666-6666-4666-8666-666666666661"}, {"uuid": "66666666-6666-4666-8666-666666666662"}]}`),
	"parts.json": text("catalog", `"controls": [{"id": "a", "title": "A", "class": "k", "params": [{"id": "ap", "props": [{"name": "inner", "value": "1"}]}],
		"props": [{"name": "n", "value": "1"}], "links": [{"href": "http://x"}],
		"parts": [{"name": "s", "id": "s", "props": [{"name": "n", "value": "2"}], "parts": [{"name": "i", "id": "i1"}, {"name": "i", "id": "i2"}]}],
		"controls": [{"id": "a.1", "title": "A1", "class": "k"}]}]`),
}

// TestPhases tests what the corpus leaves open, and what a user should hear of.
func TestPhases(t *testing.T) {
	const all = `"include-all": {}`
	const oneTwo = `"imports": [{"href": "one.json", "include-all": {}}, {"href": "two.json", "include-all": {}}]`
	parts := func(alters string) string {
		return `"imports": [{"href": "parts.json", "include-all": {}}], "merge": {"as-is": true}, "modify": {"alters": [` + alters + `]}`
	}
	const whole = "a(p:ap[inner=1] n=1 ->http://x s(n=2 i1 i2) a.1)"
	for _, tt := range []struct {
		name, profile, want string
		warnings            []string
	}{
		{
			"an excluded parent with its children", `"imports": [{"href": "nested.json", "exclude-controls": [{"with-child-controls": "yes", "with-ids": ["a.1"]}]}]`,
			"a a.2 b",
			[]string{"document-problem profile.json"}, // the model wants an include, the specification does not
		},
		{
			"all may be taken together with some", `"imports": [{"href": "nested.json", ` + all + `, "include-controls": [{"with-ids": ["a"]}]}]`,
			"a a.1 a.1.1 a.2 b",
			[]string{"document-problem profile.json"},
		},
		{
			"criteria that meet nothing", `"imports": [{"href": "nested.json", "include-controls": [{"with-ids": ["A", "b"], "matching": [{"pattern": "?"}, {"pattern": "z*"}, {}]}],
				"exclude-controls": [{"with-ids": ["zz"], "with-child-controls": "maybe"}]}]`,
			"a b",
			[]string{"unknown-value maybe", "unknown-control A", "unmatched-pattern z*", "unknown-control zz"},
		},
		{
			"groups of one id become one where the first is; the last title wins", oneTwo + `, "merge": {"as-is": true, "combine": {"method": "use-first"}}`,
			"p:p=1 g{T2 p:gp=1 x=1 y=1 z=2 a(a_s) c} h{b}", nil,
		},
		{
			"parameters of one id are kept apart", oneTwo,
			"p:p=1 p:gp=1 p:p=2 a(a_s) b c",
			[]string{"duplicate-parameter p"},
		},
		{
			"the same catalog twice", `"imports": [{"href": "one.json", "include-all": {}}, {"href": "one.json", "include-controls": [{"with-ids": ["a"]}]}], "merge": {"as-is": true}`,
			"p:p=1 g{T1 p:gp=1 x=1 y=1 a(a_s) a(a_s)} h{b}",
			[]string{"duplicate-control a"},
		},
		{
			"merged groups with groups and controls", `"imports": [{"href": "one.json", "include-controls": [{"with-ids": ["b"]}]}, {"href": "mixed.json", "include-all": {}}], "merge": {"as-is": true}`,
			"h{i{m} b}",
			[]string{"group-with-both h"},
		},
		{
			"custom groups take the content of imported groups", `"imports": [{"href": "one.json", "include-all": {}}], "merge": {"custom": {
				"insert-controls": [{"include-controls": [{"with-ids": ["b"]}]}],
				"groups": [{"id": "g", "title": "T mine", "props": [{"name": "mine", "value": "1"}, {"name": "x", "value": "1"}], "params": [{"id": "unused"}],
				            "insert-controls": [{"include-controls": [{"with-ids": ["a"]}]}]}]}}`,
			"p:p=1 b g{T1 p:gp=1 p:unused mine=1 x=1 y=1 a(a_s)}", nil,
		},
		{
			"custom inserts a control in several places, children inside of parents, sorted", `"imports": [{"href": "nested.json", "include-all": {}}], "merge": {"custom": {"insert-controls": [
				{"order": "descending", "include-controls": [{"with-ids": ["a.1.1", "a", "a.2", "b"]}]},
				{"order": "sideways", "include-controls": [{"with-ids": ["b"]}]},
				{"include-controls": [{"with-ids": ["nope"]}]}]}}`,
			"b a(a.2 a.1.1) b",
			[]string{"unknown-value sideways", "unknown-control nope", "nothing-selected ", "duplicate-control b"},
		},
		{
			"a parameter of an excluded control that is referred to, and what it refers to", `"imports": [{"href": "refs.json", "include-all": {}, "exclude-controls": [{"with-ids": ["a"]}]}],
				"modify": {"set-parameters": [{"param-id": "ap", "props": [{"name": "set", "value": "1"}]}]}`,
			"p:ap[set=1] b(b_s) r:66666666-6666-4666-8666-666666666661", nil,
		},
		{
			"a parameter of a control that custom leaves out", `"imports": [{"href": "refs.json", "include-all": {}}], "merge": {"custom": {"insert-controls": [{"include-controls": [{"with-ids": ["b"]}]}]}}`,
			"p:ap b(b_s) r:66666666-6666-4666-8666-666666666661", nil,
		},
		{
			"a parameter of an excluded control that is only set", `"imports": [{"href": "refs.json", "include-all": {}, "exclude-controls": [{"with-ids": ["a", "b"]}]}],
				"modify": {"set-parameters": [{"param-id": "ap", "values": ["x"]}, {"param-id": "none", "values": ["x"]}]}`,
			"",
			[]string{"unknown-parameter none", "unknown-parameter ap"},
		},
		{
			"a parameter is not loose beside its control", `"imports": [{"href": "refs.json", "include-controls": [{"with-ids": ["b"]}]}, {"href": "refs.json", "include-controls": [{"with-ids": ["a"]}]}]`,
			"b(b_s) a(p:ap) r:66666666-6666-4666-8666-666666666661", nil,
		},
		{
			"removal by every criterion that is given", parts(`{"control-id": "a", "removes": [{"by-name": "n", "by-item-name": "prop"}, {"by-class": "k"}, {"by-id": "i2"}, {"by-item-name": "link"}, {"by-ns": "http://none"}, {}]}`),
			"a(p:ap[inner=1] s(i1) a.1)",
			[]string{"nothing-removed a", "nothing-removed a", "nothing-removed a"},
		},
		{
			"a nested control goes where it is named", parts(`{"control-id": "a", "removes": [{"by-id": "a.1", "by-class": "k"}, {"by-name": "inner"}]}`),
			"a(p:ap n=1 ->http://x s(n=2 i1 i2))", nil,
		},
		{
			"additions beside and inside", parts(`{"control-id": "a", "adds": [
				{"by-id": "i2", "position": "before", "parts": [{"name": "i", "id": "b1"}]}, {"by-id": "i2", "position": "before", "parts": [{"name": "i", "id": "b2"}]},
				{"by-id": "i1", "position": "after", "parts": [{"name": "i", "id": "c"}], "props": [{"name": "up", "value": "1"}], "title": "T part"},
				{"by-id": "ap", "position": "before", "params": [{"id": "first"}], "parts": [{"name": "s", "id": "late"}]},
				{"by-id": "ap", "props": [{"name": "in", "value": "1"}]},
				{"position": "before", "props": [{"name": "first", "value": "1"}], "title": "T new"},
				{"position": "middle", "links": [{"href": "http://y"}]}]}`),
			"a(T new p:first p:ap[inner=1][in=1] first=1 n=1 ->http://x ->http://y late s(T part n=2 up=1 i1 c b1 b2 i2) a.1)",
			[]string{"unknown-value middle"},
		},
		{
			"additions that find no place", parts(`{"control-id": "a", "adds": [{"by-id": "nope", "title": "x"}, {"by-id": "ap", "title": "x", "parts": [{"name": "x", "id": "x"}]}, {"by-id": "s", "params": [{"id": "x"}]}]},
				{"control-id": "zz"}`),
			whole,
			[]string{"unknown-target nope", "misplaced-addition title", "misplaced-addition part", "misplaced-addition param", "unknown-control zz"},
		},
		{
			"an addition inside of what is removed goes with it", parts(`{"control-id": "a", "removes": [{"by-id": "s"}], "adds": [{"by-id": "i1", "props": [{"name": "x", "value": "1"}]}, {"by-id": "s", "position": "after", "parts": [{"name": "s", "id": "instead"}]}]}`),
			"a(p:ap[inner=1] n=1 ->http://x instead a.1)", nil,
		},
		{
			"a removal does not see additions", parts(`{"control-id": "a", "adds": [{"props": [{"name": "m", "value": "1"}]}]}, {"control-id": "a", "removes": [{"by-item-name": "prop"}]}`),
			"a(p:ap m=1 ->http://x s(i1 i2) a.1)", nil,
		},
		{
			"the later of values and select", `"imports": [{"href": "one.json", "include-all": {}}], "modify": {"set-parameters": [
				{"param-id": "p", "select": {"choice": ["c"]}}, {"param-id": "q", "select": {"choice": ["c"]}}, {"param-id": "q", "values": ["v"]}, {"param-id": "gp", "class": "new"}]}`,
			"p:p p:q=v p:gp=1 a(a_s) b", nil,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			docs := Map{
				"profile.json": text("profile", tt.profile),
				"mixed.json":   text("catalog", `"groups": [{"id": "h", "title": "H", "groups": [{"id": "i", "title": "I", "controls": [{"id": "m", "title": "M"}]}]}]`),
			}
			for name, doc := range phaseCatalogs {
				docs[name] = doc
			}
			res, err := resolveText(t, docs, nil)
			require.NoError(t, err)
			require.Equal(t, tt.want, sketch(res.Catalog.Root()))
			require.Equal(t, tt.warnings, warningsOf(res.Warnings))
			for _, p := range res.Warnings {
				require.True(t, p.Position.IsValid(), p.Error())
				require.Equal(t, oscal.Warning, p.Level)
			}
			if len(tt.warnings) != 1 || tt.warnings[0] != "group-with-both h" {
				require.Empty(t, res.Catalog.Check())
			}
		})
	}
}

func TestCombineMethods(t *testing.T) {
	for _, method := range []string{"merge", "other"} {
		docs := Map{"c.json": text("catalog", controls2), "profile.json": text("profile", `"imports": [{"href": "c.json", "include-all": {}}], "merge": {"flat": {}, "combine": {"method": "`+method+`"}}`)}
		_, err := resolveText(t, docs, nil)
		require.Equal(t, []told{{RuleCombineMethod, "profile.json:/profile/merge/combine/method", method}}, tell(err))
	}
}

func TestGlobMatch(t *testing.T) {
	for _, tt := range []struct {
		pattern, id string
		want        bool
	}{
		{"*", "", true},
		{"", "", true},
		{"", "a", false},
		{"?", "é", true},
		{"??", "é", false},
		{"ac-?", "ac-1", true},
		{"ac-?", "ac-10", false},
		{"*.1", "ac-2.1", true},
		{"a*b*c", "aXbYbZc", true},
		{"a*b*c", "aXbYbZ", false},
		{"[a]", "a", false},
		{"a\\*", "a*", false},
		{"AC*", "ac-1", false},
		{"**a**", "bab", true},
		{strings.Repeat("*a", 200) + "b", strings.Repeat("a", 2000), false}, // not exponential
	} {
		require.Equal(t, tt.want, globMatch(tt.pattern, tt.id), "%s %s", tt.pattern, tt.id)
	}
}

func TestMarkupReferences(t *testing.T) {
	for _, tt := range []struct {
		markup string
		want   []string
	}{
		{"", nil},
		{"{{ insert: param, a-1_prm_1 }} and {{insert:param,b}}{{  insert :  param ,  c  }}", []string{"p:a-1_prm_1", "p:b", "p:c"}},
		{"{{ insert: param, a", nil},
		{"{{ insert: control, a }} {{ a }} {{ param, a }}", nil},
		{"{{ {{ insert: param, a }} }} {{ insert: param, b }}", []string{"p:a", "p:b"}},
		{strings.Repeat("{{", 1<<20) + strings.Repeat("](#", 1<<20), nil}, // in linear time
		{"[x](#a) ![y](#b \"t\") [z](<#c>) [u](http://x#d) [v]( #e ) [w](#f", []string{"o:a", "o:b", "o:c", "o:e"}},
		{`[x](#a\_b) [y](#c%20d)`, []string{"o:a_b", "o:c d"}},
		{"#a (#b)", nil},
	} {
		var got []string
		markupReferences(tt.markup, func(kind referenceKind, id string) {
			got = append(got, map[referenceKind]string{toParameter: "p:", toObject: "o:"}[kind]+id)
		})
		require.Equal(t, tt.want, got, "%.100s", tt.markup)
	}
}
