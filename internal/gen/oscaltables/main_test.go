package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// TestTablesAreCurrent: the generator gives the file that is there, byte for
// byte.
func TestTablesAreCurrent(t *testing.T) {
	want, err := os.ReadFile("../../../oscal/tables.go")
	require.NoError(t, err)
	got, err := Generate(os.DirFS(corpus.Path(t, "oscal/metaschema-1.2.2")), "oscal_complete_metaschema.xml")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}

// TestConstraintsAreCurrent: the same for the constraints.
func TestConstraintsAreCurrent(t *testing.T) {
	want, err := os.ReadFile("../../../oscal/constraint/tables.go")
	require.NoError(t, err)
	got, err := GenerateConstraints(os.DirFS(corpus.Path(t, "oscal/metaschema-1.2.2")), "oscal_complete_metaschema.xml")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}
