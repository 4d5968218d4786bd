package oscal

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
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
	require.Nil(t, doc.Find("B"))
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
