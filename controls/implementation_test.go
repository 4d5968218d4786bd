package controls

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

var now = time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)

func sampleFile(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("..", "examples", "authorization-package", "sample", name))
	require.NoError(tb, err)
	return data
}

// sampleBaseline is the sample catalog without the one control that the sample
// profile excludes.
func sampleBaseline(tb testing.TB) *Baseline {
	tb.Helper()
	c, err := NewCatalog(view[oscal.Catalog](tb, string(sampleFile(tb, "catalog.json"))), nil)
	require.NoError(tb, err)
	var ids []string
	for _, x := range c.Controls() {
		if !x.Withdrawn() && x.ID() != "cm-2" {
			ids = append(ids, x.ID())
		}
	}
	b, err := NewBaseline(c, &BaselineOptions{Controls: ids})
	require.NoError(tb, err)
	return b
}

func sampleSystem(tb testing.TB) System {
	tb.Helper()
	var sys System
	require.NoError(tb, yaml.Load(sampleFile(tb, "system.yaml"), &sys, yaml.WithKnownFields(), yaml.WithUniqueKeys()))
	return sys
}

func sampleDefinitions(tb testing.TB) []*oscal.ComponentDefinition {
	tb.Helper()
	return []*oscal.ComponentDefinition{
		view[oscal.ComponentDefinition](tb, string(sampleFile(tb, "component-platform.json"))),
		view[oscal.ComponentDefinition](tb, string(sampleFile(tb, "component-application.json"))),
	}
}

func sampleImplementation(tb testing.TB) *Implementation {
	tb.Helper()
	im, err := Implement(sampleBaseline(tb), sampleSystem(tb), sampleDefinitions(tb), nil)
	require.NoError(tb, err)
	return im
}

// written returns a plan as bytes, after it was found valid.
func written(tb testing.TB, plan *oscal.SystemSecurityPlan) string {
	tb.Helper()
	doc, err := oscal.FromView(plan)
	require.NoError(tb, err)
	var b bytes.Buffer
	require.NoError(tb, doc.Write(&b, &oscal.WriteOptions{Format: oscal.JSON}))
	return b.String()
}

func TestSample(t *testing.T) {
	im := sampleImplementation(t)
	plan, err := im.SSP("profile.json", now, nil)
	require.NoError(t, err)
	text := written(t, plan)
	checkReferences(t, text, im.Baseline())
	again, err := sampleImplementation(t).SSP("profile.json", now, nil)
	require.NoError(t, err)
	require.Equal(t, text, written(t, again))

	back, err := FromSSP(im.Baseline(), view[oscal.SystemSecurityPlan](t, text), nil)
	require.NoError(t, err)
	second, err := back.SSP("profile.json", now, nil)
	require.NoError(t, err)
	require.Equal(t, text, written(t, second))
	require.Equal(t, im.Requirements(), back.Requirements())
	total, families := im.Coverage()
	total2, families2 := back.Coverage()
	require.Equal(t, total, total2)
	require.Equal(t, families, families2)
	_ = corpus.Path
}

// checkReferences looks, in the written plan, at every UUID, role, party,
// component, parameter, control and statement that something refers to.
func checkReferences(tb testing.TB, text string, b *Baseline) {
	tb.Helper()
	doc, err := oscal.Parse(text, nil)
	require.NoError(tb, err)
	uuids, roles := map[string]string{}, map[string]bool{}
	var walk func(n *oscal.Node, visit func(n *oscal.Node))
	walk = func(n *oscal.Node, visit func(n *oscal.Node)) {
		visit(n)
		for c := n.First(); c != nil; c = c.Next() {
			walk(c, visit)
		}
	}
	walk(doc.Root(), func(n *oscal.Node) {
		switch {
		case n.Name() == "uuid":
			require.Empty(tb, uuids[n.Value()], "%s stands twice, at %s", n.Value(), n.Pointer())
			uuids[n.Value()] = n.Parent().Name()
		case n.Name() == "id" && n.Parent().Name() == "role":
			require.False(tb, roles[n.Value()], n.Pointer())
			roles[n.Value()] = true
		}
	})
	refs := 0
	walk(doc.Root(), func(n *oscal.Node) {
		kind := map[string]string{
			"party-uuid": "party", "member-of-organization": "party", "component-uuid": "component",
			"provided-uuid": "provided", "responsibility-uuid": "responsibility", "location-uuid": "location",
		}[n.Name()]
		switch {
		case kind == "provided" && n.Parent().Name() == "inherited" || kind == "responsibility" && n.Parent().Name() == "satisfied":
			refs++ // into the plan of a provider
		case kind != "":
			require.Equal(tb, kind, uuids[n.Value()], n.Pointer())
			refs++
		case n.Name() == "role-id":
			require.True(tb, roles[n.Value()], n.Pointer())
			refs++
		case n.Name() == "control-id":
			require.NotNil(tb, b.Catalog().Control(n.Value()), n.Pointer())
			refs++
		case n.Name() == "statement-id":
			s := b.Catalog().Statement(n.Value())
			require.NotNil(tb, s, n.Pointer())
			require.Equal(tb, n.Parent().Parent().Get("control-id"), s.Control().ID(), n.Pointer())
			refs++
		case n.Name() == "param-id":
			p := b.Catalog().Param(n.Value())
			require.NotNil(tb, p, n.Pointer())
			require.Equal(tb, p.ID(), n.Value())
			refs++
		case n.Name() == "prop" && n.Get("name") == "leveraged-authorization-uuid":
			require.Equal(tb, "leveraged-authorization", uuids[n.Get("value")], n.Pointer())
			refs++
		}
	})
	require.Positive(tb, refs)
	// The rule of OSCAL's metaschema: each requirement has a by-component in it.
	for ir := range doc.Root().Child("control-implementation").All("implemented-requirement") {
		found := false
		walk(ir, func(n *oscal.Node) { found = found || n.Name() == "by-component" })
		require.True(tb, found, ir.Pointer())
	}
}
