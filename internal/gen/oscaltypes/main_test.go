package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAliasesAreCurrent: the generator gives the file that is there, byte for
// byte.
func TestAliasesAreCurrent(t *testing.T) {
	dir, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{.Dir}}", "github.com/defenseunicorns/go-oscal/src/types/oscal-1-2-2").Output()
	require.NoError(t, err)
	src, err := os.ReadFile(strings.TrimSpace(string(dir)) + "/types.go")
	require.NoError(t, err)
	want, err := os.ReadFile("../../../oscal/types.go")
	require.NoError(t, err)
	got, err := Generate(src)
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))
}
