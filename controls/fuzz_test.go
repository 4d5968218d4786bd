package controls

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

// FuzzNewCatalog: whatever a catalog says, the index is whole, and a problem
// says where it is.
func FuzzNewCatalog(f *testing.F) {
	f.Add(small)
	f.Add(string(corpus.Read(f, basicCatalog...)))
	f.Fuzz(func(t *testing.T, text string) {
		doc, _ := oscal.Parse(text, nil)
		if doc == nil || doc.Model() != "catalog" {
			return
		}
		v, _ := oscal.As[oscal.Catalog](doc)
		c, err := NewCatalog(v, nil)
		ps, _ := err.(Problems)
		for _, p := range ps {
			require.NotEmpty(t, p.Pointer)
		}
		b, err := NewBaseline(c, nil)
		require.NoError(t, err)
		n := 0
		for _, family := range c.Families() {
			n += len(family.Controls())
		}
		require.Len(t, c.Controls(), n)
		for _, x := range b.Controls() {
			for _, s := range x.Statements() {
				_, _ = c.Prose(s.Prose(), nil)
			}
			for _, o := range x.Leaves() {
				require.Same(t, x, o.Control())
			}
			_, _ = c.Find(x.Label())
		}
	})
}

// FuzzFromSSP: what was read of a plan can be written and read again as the same.
func FuzzFromSSP(f *testing.F) {
	b := smallBaseline(f)
	im, err := Implement(b, smallSystem(), []*oscal.ComponentDefinition{view[oscal.ComponentDefinition](f, definitionText)}, &ImplementOptions{Sources: []string{"profile.json"}})
	require.NoError(f, err)
	plan, err := im.SSP("profile.json", now, nil)
	require.NoError(f, err)
	f.Add(written(f, plan))
	f.Fuzz(func(t *testing.T, text string) {
		doc, _ := oscal.Parse(text, nil)
		if doc == nil || doc.Model() != "system-security-plan" {
			return
		}
		v, _ := oscal.As[oscal.SystemSecurityPlan](doc)
		one, err := FromSSP(b, v, nil)
		require.NotNil(t, one)
		again, _ := one.SSP("profile.json", now, nil)
		one.Coverage()
		if err != nil {
			return
		}
		two, err := FromSSP(b, again, nil)
		require.NoError(t, err)
		require.Equal(t, one.Requirements(), two.Requirements())
	})
}
