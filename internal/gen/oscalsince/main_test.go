package main

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestTableIsCurrent: the generator gives the file that is there, byte for byte.
func TestTableIsCurrent(t *testing.T) {
	want, err := os.ReadFile("../../../oscal/since.go")
	require.NoError(t, err)
	got, err := Generate()
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}
