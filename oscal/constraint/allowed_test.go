package constraint

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

func TestAllowedValuesErrors(t *testing.T) {
	for _, tt := range []struct{ path, want string }{
		{"", "expected a path that begins with one of: catalog, mapping-collection, profile, "},
		{"/", "expected a path that begins with one of: catalog, "},
		{"//", "expected the name of a flag or field at the end"},
		{"/none/x", `there is no "none" in the models; there are: catalog, `},
		{"catalog/metadata/party", "is an assembly and has no value; its members are: @uuid, @type, name, "},
		{"catalog/metadata/party/color", `there is no "color" in /catalog[1]/metadata[1]/party[1]; there are: @uuid, @type, name, `},
		{"//color", `there is no "color" in any place that the path leads to`},
		{"catalog//", "expected the name of a flag or field at the end"},
		{"catalog/0/metadata", `there is no "0" in /catalog[1]; there are: @uuid, metadata, `},
	} {
		_, err := BuiltIn().AllowedValues(tt.path)
		require.ErrorContains(t, err, tt.want, tt.path)
	}
}

// TestAllowedValuesOfPointers: a JSON Pointer and an XML path of a node lead to the
// same constraints, and what these are at any place is among what // finds.
func TestAllowedValuesOfPointers(t *testing.T) {
	everywhere := map[string][]*Constraint{}
	n := 0
	for _, file := range []string{"nist-examples/ssp-example.json", "nist-examples/basic-catalog.json", "nist-examples/example-component-definition.json", "nist-examples/ifa_assessment-plan-example.json"} {
		doc, err := oscal.Parse(string(corpus.Read(t, "oscal/documents", file)), nil)
		require.NotNil(t, doc, "%v", err)
		done := map[string]bool{}
		for node := range doc.Root().Walk() {
			if node.Kind() != oscal.Flag || node.Parent() == doc.Root() {
				continue
			}
			steps := strings.Split(node.Path(), "/")
			for i := range steps {
				steps[i], _, _ = strings.Cut(steps[i], "[")
			}
			exact, short := strings.Join(steps, "/"), "//"+strings.Join(steps[len(steps)-2:], "/")
			if done[exact] {
				continue
			}
			done[exact] = true
			want, err := BuiltIn().AllowedValues(exact)
			require.NoError(t, err)
			got, err := BuiltIn().AllowedValues(node.Pointer())
			require.NoError(t, err)
			require.Equal(t, want, got, node.Pointer())
			if everywhere[short] == nil {
				everywhere[short], err = BuiltIn().AllowedValues(short)
				require.NoError(t, err)
			}
			require.Subset(t, everywhere[short], want, "%s and %s", short, exact)
			n += len(want)
		}
	}
	require.Greater(t, n, 30)
	require.Greater(t, len(everywhere["//prop/@name"]), 20)
}
