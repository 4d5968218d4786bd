package repotest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestReadme runs the programs of the README: each prints what stands below it.
func TestReadme(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles programs")
	}
	root := filepath.Join("..", "..")
	text, err := os.ReadFile(filepath.Join(root, "README.md"))
	require.NoError(t, err)
	programs := regexp.MustCompile("(?s)```go\n(package main\n.*?)```\n\n```text\n(.*?)```").FindAllSubmatch(text, -1)
	require.GreaterOrEqual(t, len(programs), 3, "one for each kind of user")
	// The programs belong to the module, so they must lie in it; the tools of Go
	// pass over folders whose name begins with an underscore.
	dir, err := os.MkdirTemp(root, "_readme")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(dir)) })
	for i, p := range programs {
		name := filepath.Join(dir, strconv.Itoa(i), "main.go")
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, p[1], 0o600))
		cmd := exec.CommandContext(t.Context(), "go", "run", "./"+filepath.Base(dir)+"/"+strconv.Itoa(i))
		cmd.Dir = root
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
		require.Equal(t, string(p[2]), string(out))
	}
}
