package controls

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/oscal"
)

// small is a catalog with all kinds of parameters.
const small = `{"catalog": {
  "uuid": "7a63a8e5-26f9-4b3d-8f39-1f5a0c5b1c8e",
  "metadata": {"title": "Small", "last-modified": "2026-01-01T00:00:00Z", "version": "1", "oscal-version": "1.2.2"},
  "params": [{"id": "loose", "label": "name of the company"}],
  "groups": [{"id": "xx", "class": "family", "title": "Family", "controls": [
    {"id": "xx-1", "title": "One", "props": [{"name": "label", "value": "XX-1"}],
     "params": [
       {"id": "xx-1_prm_1", "label": "frequency"},
       {"id": "xx-1_prm_2", "select": {"how-many": "one-or-more", "choice": ["each {{ insert: param, xx-1_prm_1 }}", "never"]}},
       {"id": "xx-1_prm_3", "select": {"choice": ["a", "b"]}},
       {"id": "xx-1_prm_4", "label": "number", "values": ["five", "six"]},
       {"id": "xx-1_prm_5", "label": "people", "props": [{"name": "aggregates", "value": "xx-1_odp.1"}, {"name": "aggregates", "value": "xx-1_odp.2"}]},
       {"id": "xx-1_odp.1", "label": "first", "props": [{"name": "alt-identifier", "value": "old.1"}]},
       {"id": "xx-1_odp.2", "label": "second"},
       {"id": "xx-1_prm_6", "select": {"how-many": "one", "choice": ["x", "y"]}}
     ],
     "parts": [{"id": "xx-1_smt", "name": "statement", "prose": "Do {{ insert: param, xx-1_prm_2 }}:", "parts": [
       {"id": "xx-1_smt.a", "name": "item", "props": [{"name": "label", "value": "a."}], "prose": "this; and"},
       {"id": "xx-1_smt.b", "name": "item", "props": [{"name": "label", "value": "b."}], "prose": "that."}]}]},
    {"id": "xx-2", "title": "Two"},
    {"id": "xx-3", "title": "Three", "parts": [{"id": "xx-3_smt", "name": "statement", "prose": "Do it."}]}
  ]}]
}}`

func smallCatalog(tb testing.TB) *Catalog {
	tb.Helper()
	c, err := NewCatalog(view[oscal.Catalog](tb, small), nil)
	require.NoError(tb, err)
	return c
}

func TestProse(t *testing.T) {
	c := smallCatalog(t)
	set := func(values map[string][]string) *ProseOptions {
		return &ProseOptions{Values: func(p *Param) []string { return values[p.ID()] }}
	}
	tests := []struct {
		name, in string
		opts     *ProseOptions
		want     string
	}{
		{"no insertion", "a { b } {{ c }} {{", nil, "a { b } {{ c }} {{"},
		{"assignment", "Each {{ insert: param, xx-1_prm_1 }}.", nil, "Each [Assignment: frequency]."},
		{"spaces", "{{insert:param,xx-1_prm_1}}{{  insert :  param ,  loose  }}", nil, "[Assignment: frequency][Assignment: name of the company]"},
		{"other insertions stay", "{{ insert: control, xx-1 }} {{ insert: param, xx-1_prm_1 }}", nil, "{{ insert: control, xx-1 }} [Assignment: frequency]"},
		{"selection with an insertion", "{{ insert: param, xx-1_prm_2 }}", nil, "[Selection (one or more): each [Assignment: frequency]; never]"},
		{"selection without number", "{{ insert: param, xx-1_prm_3 }}", nil, "[Selection: a; b]"},
		{"selection of one", "{{ insert: param, xx-1_prm_6 }}", nil, "[Selection (one): x; y]"},
		{"values of the catalog", "{{ insert: param, xx-1_prm_4 }}", nil, "five, six"},
		{"values of the caller", "{{ insert: param, xx-1_prm_4 }}", set(map[string][]string{"xx-1_prm_4": {"seven"}}), "seven"},
		{"value inside of a selection", "{{ insert: param, xx-1_prm_2 }}", set(map[string][]string{"xx-1_prm_1": {"week"}}), "[Selection (one or more): each week; never]"},
		{"selected choice with an insertion", "{{ insert: param, xx-1_prm_2 }}", set(map[string][]string{
			"xx-1_prm_2": {"each {{ insert: param, xx-1_prm_1 }}"}, "xx-1_prm_1": {"day"},
		}), "each day"},
		{"aggregate without all values", "{{ insert: param, xx-1_prm_5 }}", set(map[string][]string{"xx-1_odp.1": {"A"}}), "[Assignment: people]"},
		{"aggregate", "{{ insert: param, xx-1_prm_5 }}", set(map[string][]string{"xx-1_odp.1": {"A"}, "xx-1_odp.2": {"B"}}), "A, B"},
		{"alternative identifier", "{{ insert: param, old.1 }}", nil, "[Assignment: first]"},
		{"rendering", "{{ insert: param, xx-1_prm_4 }} {{ insert: param, xx-1_prm_2 }}", &ProseOptions{Render: func(p *Param, text string, set bool) string {
			if set {
				return "<b>" + text + "</b>"
			}
			return "<i id=" + p.ID() + ">" + text + "</i>"
		}}, "<b>five, six</b> <i id=xx-1_prm_2>[Selection (one or more): each <i id=xx-1_prm_1>[Assignment: frequency]</i>; never]</i>"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Prose(tt.in, tt.opts)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestProseProblems(t *testing.T) {
	c := smallCatalog(t)
	got, err := c.Prose("{{ insert: param, nope }} and {{ insert: param, xx-1_prm_1 }}", nil)
	require.ErrorIs(t, err, ErrUnknown)
	require.Len(t, err, 1)
	require.Equal(t, "{{ insert: param, nope }} and [Assignment: frequency]", got)

	loop := func(p *Param) []string {
		return map[string][]string{"xx-1_prm_1": {"1 {{ insert: param, xx-1_prm_3 }}"}, "xx-1_prm_3": {"3 {{ insert: param, xx-1_prm_1 }}"}}[p.ID()]
	}
	got, err = c.Prose("{{ insert: param, xx-1_prm_1 }}", &ProseOptions{Values: loop})
	require.ErrorIs(t, err, ErrCycle)
	require.Equal(t, "1 3 {{ insert: param, xx-1_prm_1 }}", got)

	// Every value inserts the next parameter twice: 2^n insertions.
	bomb := func(p *Param) []string {
		next := map[string]string{
			"xx-1_prm_1": "xx-1_prm_2", "xx-1_prm_2": "xx-1_prm_3", "xx-1_prm_3": "xx-1_prm_4", "xx-1_prm_4": "xx-1_prm_5",
		}[p.ID()]
		if next == "" {
			return []string{strings.Repeat("x", 1<<16)}
		}
		return []string{strings.Repeat("{{ insert: param, "+next+" }}", 100)}
	}
	got, err = c.Prose("{{ insert: param, xx-1_prm_1 }}", &ProseOptions{Values: bomb})
	require.ErrorIs(t, err, ErrLimit)
	require.Less(t, len(got), 16<<20)
}

// TestCatalogProblems: all that is wrong, at once, in document order.
func TestCatalogProblems(t *testing.T) {
	broken := strings.NewReplacer(
		`"id": "xx-3_smt"`, `"id": "xx-1_smt.a"`, // stands twice
		`"prose": "Do it."`, `"prose": "Do {{ insert: param, gone }}."`,
		`"prose": "that."`, `"prose": "that.", "parts": [{"id": "xx-1_obj", "name": "assessment-objective", "links": [{"href": "#xx-9_smt", "rel": "assessment-for"}]}]`,
		`"id": "xx-2", "title": "Two"`, `"id": "xx-2", "title": "Two", "props": [{"name": "status", "value": "Withdrawn"}], "links": [{"href": "#xx-9", "rel": "moved-to"}],
		   "parts": [{"name": "assessment", "props": [{"name": "method", "value": "TEST-AUTOMATED"}]}]`,
		`{"id": "xx-1_odp.2", "label": "second"}`, `{"id": "xx-1_odp.3", "select": {"how-many": "two", "choice": ["{{ insert: param, xx-1_odp.3 }}"]}}, {"id": "xx-1_odp.1", "label": "again"}`,
	).Replace(small)
	c, err := NewCatalog(view[oscal.Catalog](t, broken), &CatalogOptions{Name: "broken.json"})
	require.NotNil(t, c)
	ps, ok := err.(Problems)
	require.True(t, ok)
	var got []string
	for _, p := range ps {
		require.Equal(t, "broken.json", p.Document)
		got = append(got, p.Pointer+" "+p.Control+" "+p.Err.Error())
	}
	at := "/catalog/groups/0/controls/"
	require.Equal(t, []string{
		at + `0/params/4/props xx-1 parameter "xx-1_odp.2", an aggregate of xx-1_prm_5, is not known`,
		at + `0/params/6/select/how-many xx-1 "two" is not a value of how-many (one, one-or-more)`,
		at + `0/params/6 xx-1 parameter "xx-1_odp.3" refers to itself: xx-1_odp.3 > xx-1_odp.3`,
		at + `0/params/7/id xx-1 parameter id "xx-1_odp.1" stands twice`,
		at + `0/parts/0/parts/1/parts/0/links/0/href xx-1 the statement "xx-9_smt" of objective xx-1_obj is not known`,
		at + `1/links/0/href xx-2 the successor "xx-9" is not known`,
		at + `1/parts/0/props xx-2 "TEST-AUTOMATED" is not a value of method (EXAMINE, INTERVIEW, TEST)`,
		at + `2/parts/0/id xx-3 id "xx-1_smt.a" stands twice`,
		at + `2/parts/0/prose xx-3 parameter "gone" is not known`,
	}, got)
	for _, target := range []error{ErrUnknown, ErrValue, ErrCycle, ErrDuplicate} {
		require.ErrorIs(t, err, target)
	}
	require.Equal(t, "xx-1", c.Statement("xx-1_smt.a").Control().ID(), "the first is found")
}

// TestLoose: what belongs to no control and what has no statement.
func TestLoose(t *testing.T) {
	c := smallCatalog(t)
	require.Nil(t, c.Param("loose").Control())
	require.Same(t, c.Param("xx-1_odp.1"), c.Param("old.1"))
	require.Empty(t, c.Control("xx-2").Leaves())
	require.Equal(t, []string{"xx-3_smt"}, []string{c.Control("xx-3").Leaves()[0].ID()})
	b, err := NewBaseline(c, nil)
	require.NoError(t, err)
	require.Len(t, b.Statements(), 3)
	_, err = NewBaseline(c, &BaselineOptions{Controls: []string{"xx-1", "xx-9"}})
	require.ErrorIs(t, err, ErrUnknown)
	require.Len(t, err, 1)
}

func FuzzProse(f *testing.F) {
	f.Add("Do {{ insert: param, xx-1_prm_2 }} {{ insert: param, x }} {{", "each {{ insert: param, xx-1_prm_2 }}")
	f.Add("{{insert:param,xx-1_prm_5}}", "")
	f.Add("{{ insert: param, xx-1_prm_1 }}}}{{{{", "{{ insert: param, xx-1_prm_3 }}{{ insert: param, xx-1_prm_3 }}")
	c := smallCatalog(f)
	f.Fuzz(func(t *testing.T, text, value string) {
		got, err := c.Prose(text, nil)
		if err == nil {
			for id := range insertions(got) {
				t.Errorf("%q is left in %q", id, got)
			}
		}
		opts := &ProseOptions{Values: func(*Param) []string { return []string{value} }}
		one, err1 := c.Prose(text, opts)
		two, err2 := c.Prose(text, opts)
		require.Equal(t, one, two)
		require.Equal(t, err1, err2)
	})
}

func FuzzReference(f *testing.F) {
	for _, s := range []string{"AC-2 (1)(a)", "AC-2(1) a.", "ac-2.1_smt.a", "AC-02a.[01]", "AC-1 a 1 (a)", "SC-37, SC-37 (1)", "xx-1_obj.d.3-2", "XX-1 b", "CP-4 (4)4"} {
		f.Add(s)
	}
	c := smallCatalog(f)
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseReference(s)
		require.Equal(t, s, r.Text)
		if err != nil {
			require.ErrorIs(t, err, ErrReference)
			require.Empty(t, r.Control)
		}
		if target, err := c.Find(s); err == nil {
			require.True(t, target.Family != nil || target.Control != nil)
		}
	})
}
