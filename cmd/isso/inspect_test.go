package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestInspect(t *testing.T) {
	inFolder(t)
	status, out, err := isso(t, "", "inspect", "good.json")
	require.Equal(t, []any{0, `catalog "yes"
  uuid           5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10
  version        1.10
  oscal-version  1.2.2
  last-modified  2026-01-01T00:00:00.10Z
`, ""}, []any{status, out, err})

	status, out, _ = isso(t, "", "inspect", "good.json", "--json")
	require.Equal(t, 0, status)
	require.JSONEq(t, `{"model":"catalog","uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","title":"yes","version":"1.10","oscal-version":"1.2.2",
"last-modified":"2026-01-01T00:00:00.10Z","nodes":7,"objects":[],"namespaces":[],"imports":[]}`, out)
}
