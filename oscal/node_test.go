package oscal

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSetChildren: it gives what Append gives for the same nodes in the same
// order.
func TestSetChildren(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	def := NewRoot("catalog").Member().Definition()
	names := []string{"uuid", "param", "control", "group", "back-matter"}
	for range 200 {
		one, other := NewRoot("catalog"), NewRoot("catalog")
		var list []*Node
		for i := range rnd.IntN(8) {
			n := NewNode(def.Member(names[rnd.IntN(len(names))]))
			n.SetValue(string(rune('a' + i)))
			one.Append(n.Clone())
			list = append(list, n)
		}
		given := append([]*Node(nil), list...)
		other.SetChildren(list)
		require.Equal(t, given, list, "the list stays as it was")
		require.NoError(t, equalTrees(one, other))
		require.Equal(t, len(list)+1, other.Size())
		for c := range other.Children() {
			require.Same(t, other, c.Parent())
		}
		other.SetChildren(nil)
		require.Nil(t, other.First())
		for _, n := range list {
			require.Nil(t, n.Parent(), "they may be put elsewhere")
		}
	}
}

func TestSetChildrenPanics(t *testing.T) {
	catalog := NewRoot("catalog")
	control := catalog.Add("control")
	for name, children := range map[string][]*Node{
		"a child of another node":        {control.Add("title")},
		"a member of another definition": {NewNode(control.Member().Definition().Member("part"))},
		"a node twice":                   {control, control},
	} {
		require.Panics(t, func() { catalog.SetChildren(children) }, name)
	}
}

// TestClone: a copy says the same and shares nothing.
func TestClone(t *testing.T) {
	doc, err := Parse(minimal, nil)
	require.NoError(t, err)
	c := doc.Root().Clone()
	require.NoError(t, equalTrees(doc.Root(), c))
	require.Equal(t, doc.Root().Size(), c.Size())
	c.Child("metadata").Set("title", "other")
	require.NotEqual(t, "other", doc.Root().Child("metadata").Get("title"))
	for n := range c.Walk() {
		require.Same(t, c, n.Root())
	}
}

// TestTooMany: a tree that was built with a member twice that has no array is
// written with both, so that whoever reads it is told.
func TestTooMany(t *testing.T) {
	root := NewRoot("catalog")
	metadata := root.Add("metadata")
	metadata.Set("version", "1")
	metadata.InsertAfter(metadata.Child("version").Clone(), metadata.Child("version"))
	for _, format := range []Format{JSON, YAML, XML} {
		var b strings.Builder
		require.NoError(t, NewDocument(root).Write(&b, &WriteOptions{Format: format}))
		require.Equal(t, 2, strings.Count(b.String(), "version"+map[Format]string{JSON: `"`, YAML: ":", XML: ">1"}[format]), b.String())
		_, err := Parse(b.String(), nil)
		require.ErrorContains(t, err, "stands twice", format)
	}
}

// TestTwice: a member that stands twice is reported with the place of the first.
func TestTwice(t *testing.T) {
	metadata := []string{`"title":"a","version":"1",` + "\n" + `"version":"2"`, "<title>a</title><version>1</version>\n<version>2</version>"}
	for i, text := range []string{`{"catalog":{"metadata":{` + metadata[0] + `}}}`, `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0"><metadata>` + metadata[1] + `</metadata></catalog>`} {
		doc, _ := Parse(text, &ReadOptions{Name: "x"})
		j := slices.IndexFunc(doc.Problems(), func(p Problem) bool { return p.Rule == RuleDuplicate })
		p := doc.Problems()[j]
		first := strings.Index(text, []string{`"1"`, "<version>1"}[i])
		want := Place{File: "x", Position: Position{Offset: first, Line: 1, Column: first + 1}, Pointer: "/catalog/metadata/version"}
		if i == 1 {
			want.Path = "/catalog[1]/metadata[1]/version[1]"
		}
		require.Equal(t, 2, p.Position.Line)
		require.Equal(t, []Place{want}, p.Related)
	}
}
