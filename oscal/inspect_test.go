package oscal

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestInspect: the totals that the corpus gives for the catalogs of SP 800-53
// (controls/README.md, controls/revision).
func TestInspect(t *testing.T) {
	for _, tt := range []struct {
		file                string
		controls, withdrawn int
		version             string
	}{
		{"nist-rev4/NIST_SP-800-53_rev4_catalog-min.json", 922, 922 - 826, "2015-01-22"},
		{"nist-rev5/NIST_SP-800-53_rev5_catalog.json", 1189, 1189 - 1007, "5.0.1"},
	} {
		inv := corpusDocuments(t, "oscal/catalogs", tt.file)[0].Inspect()
		counts := map[string]int{}
		for _, c := range inv.Objects {
			counts[c.Name] = c.Count
		}
		require.Equal(t, []any{"catalog", tt.version, tt.controls, tt.withdrawn}, []any{inv.Model, inv.Version, counts["control"], inv.Withdrawn})
	}

	doc, err := Parse(minimal, nil)
	require.NoError(t, err)
	require.Equal(t, Inventory{
		Model: "catalog", UUID: "5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10", Title: "Minimal", Version: "1.0", OSCALVersion: "1.2.2",
		LastModified: "2026-01-01T00:00:00.10+00:00", Nodes: 16, Objects: []Count{{"control", 3}}, Namespaces: []Count{}, Imports: []string{},
	}, doc.Inspect())
}
