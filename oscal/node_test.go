package oscal

import (
	"math/rand/v2"
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
