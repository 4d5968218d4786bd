package oscal

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// TestAt: the pointer of every node of the corpus' examples leads back to it.
func TestAt(t *testing.T) {
	n := 0
	for _, file := range documents(t, "oscal/documents", "oscal/constraints/cli") {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		doc, _ := Parse(string(data), nil)
		if doc == nil || len(data) > 200_000 {
			continue
		}
		for node := range doc.Root().Walk() {
			require.Same(t, node, doc.At(node.Pointer()), "%s %s", file, node.Pointer())
			require.Same(t, node.Member(), MemberAt(doc.Model(), node.Pointer()), "%s %s", file, node.Pointer())
			n++
		}
	}
	require.Greater(t, n, 10_000)

	doc, err := Parse(minimal, nil)
	require.NoError(t, err)
	for _, pointer := range []string{"", "/", "/profile", "/catalogue", "/catalog/", "/catalog/controls", "/catalog/controls/3", "/catalog/controls/-1", "/catalog/controls/01", "/catalog/controls/0/none", "/catalog/uuid/0"} {
		require.Nil(t, doc.At(pointer), pointer)
	}
	for _, pointer := range []string{"", "/", "/profile", "/catalogue", "/catalog/", "/catalog/0", "/catalog/controls/0/none", "/catalog/uuid/x"} {
		require.Nil(t, MemberAt("catalog", pointer), pointer)
	}
}

func TestFind(t *testing.T) {
	doc, err := Parse(minimal, nil)
	require.NoError(t, err)
	require.Equal(t, "/catalog/controls/1", doc.Find("b").Pointer())
	require.Equal(t, "/catalog", doc.Find("5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10").Pointer())
	require.Equal(t, "/catalog", doc.Find("5B4F1C0E-7a31-4b7e-9a51-0c3f2f8c6a10").Pointer())
	require.Nil(t, doc.Find("B"), "the case of an id counts")
}

func TestProps(t *testing.T) {
	props := List(
		Property{Name: "label", Value: "AC-1"},
		Property{Name: "label", Ns: "https://example.org/ns", Value: "other"},
		Property{Name: "label", Ns: CoreNamespace, Class: "zero-padded", Value: "AC-01"},
	)
	var got []string
	for p := range Props(props, "", "label") {
		got = append(got, p.Value)
	}
	require.Equal(t, []string{"AC-1", "AC-01"}, got)

	value, ok := PropValue(props, "https://example.org/ns", "label")
	require.Equal(t, []any{"other", true}, []any{value, ok})
	_, ok = PropValue(nil, "", "label")
	require.False(t, ok)

	require.Equal(t, "changed", (*SetProp(props, CoreNamespace, "label", "changed"))[0].Value)
	require.Equal(t, List(Property{Name: "x", Value: "1"}), SetProp(nil, CoreNamespace, "x", "1"))
	require.Len(t, *SetProp(props, Namespace, "label", "own"), 4)
}

func TestLinksAndResources(t *testing.T) {
	links := List(Link{Rel: "reference", Href: "#a"}, Link{Href: "#b"}, Link{Rel: "reference", Href: "#c"})
	var got []string
	for l := range Links(links, "reference") {
		got = append(got, l.Href)
	}
	require.Equal(t, []string{"#a", "#c"}, got)

	back := &BackMatter{Resources: List(Resource{UUID: "5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10", Title: "R"})}
	require.Equal(t, "R", ResourceByUUID(back, "#5B4F1C0E-7a31-4b7e-9a51-0c3f2f8c6a10").Title)
	require.Nil(t, ResourceByUUID(back, "#x"))
	require.Nil(t, ResourceByUUID(nil, "#x"))
}

// TestAll: the typed view holds what the tree does, in the same order.
func TestAll(t *testing.T) {
	ids := func(doc *Document, name, id string) []string {
		var out []string
		for n := range doc.Root().Walk() {
			if n.Name() == name && n.Kind() == Assembly {
				out = append(out, n.Get(id))
			}
		}
		return out
	}
	read := func(t *testing.T, file string) *Document {
		t.Helper()
		doc, err := Parse(string(corpus.Read(t, file)), nil)
		require.NotNil(t, doc, "%v", err)
		return doc
	}
	t.Run("catalog", func(t *testing.T) {
		doc := read(t, "oscal/catalogs/nist-rev5/NIST_SP-800-53_rev5_catalog.json")
		view, err := As[Catalog](doc)
		require.NoError(t, err)
		var groups, controls, params, parts, resources []string
		for g := range All[Group](view) {
			groups = append(groups, g.ID)
		}
		for c := range All[Control](view) {
			controls = append(controls, c.ID)
		}
		for p := range All[Parameter](view) {
			params = append(params, p.ID)
		}
		for p := range All[Part](view) {
			parts = append(parts, p.ID)
		}
		for r := range All[Resource](view) {
			resources = append(resources, r.UUID)
		}
		require.Equal(t, ids(doc, "group", "id"), groups)
		require.Equal(t, ids(doc, "control", "id"), controls)
		require.Equal(t, ids(doc, "param", "id"), params)
		require.Equal(t, ids(doc, "part", "id"), parts)
		require.Equal(t, ids(doc, "resource", "uuid"), resources)

		require.Equal(t, "Account Management", ByID[Control](view, "ac-2").Title)
		require.Nil(t, ByID[Control](view, "AC-2"))
		require.Nil(t, ByID[Part](view, "ac-2"))
		require.Equal(t, "ac-2.1", ByID[Part](ByID[Control](view, "ac-2"), "ac-2.1_smt").ID[:6], "in a control within it")
		require.Nil(t, ByID[Part](ByID[Control](view, "ac-3"), "ac-2_smt"), "in a part of the view only")
		require.Equal(t, resources[3], ByID[Resource](view, strings.ToUpper(resources[3])).UUID)

		n := 0
		for c := range All[Control](view) {
			c.Title = "edited"
			if n++; n == 3 {
				break
			}
		}
		require.Equal(t, "edited", ByID[Control](view, controls[2]).Title)
		require.NotEqual(t, "edited", ByID[Control](view, controls[3]).Title)
	})
	t.Run("plan", func(t *testing.T) {
		doc := read(t, "oscal/documents/nist-examples/ssp-example.json")
		view, err := As[SystemSecurityPlan](doc)
		require.NoError(t, err)
		var statements, components, answers, props []string
		for s := range All[Statement](view) {
			statements = append(statements, s.StatementId)
		}
		for c := range All[SystemComponent](view) {
			components = append(components, c.UUID)
		}
		for b := range All[ByComponent](view) {
			answers = append(answers, b.UUID)
		}
		for p := range All[Property](view) {
			props = append(props, p.Name)
		}
		require.Equal(t, ids(doc, "statement", "statement-id"), statements)
		require.Equal(t, ids(doc, "component", "uuid"), components)
		require.Equal(t, ids(doc, "by-component", "uuid"), answers)
		require.Equal(t, ids(doc, "prop", "name"), props)
	})
	for range All[Control]((*Catalog)(nil)) {
		t.Fatal("no view holds nothing")
	}
	require.Nil(t, ByID[Control](new(Catalog), "a"))
	require.Equal(t, "a", ByID[Control](&Control{ID: "a"}, "a").ID, "the view itself")
}
