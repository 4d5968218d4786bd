package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

var update = flag.Bool("update", false, "write testdata anew")

// TestSample runs the program as it is and on the sample as files of a user.
func TestSample(t *testing.T) {
	golden := filepath.Join("testdata", "output.golden")
	var out bytes.Buffer
	require.NoError(t, run(nil, &out))
	if *update {
		require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())

	var again bytes.Buffer
	require.NoError(t, run([]string{"-in", "sample"}, &again))
	require.Equal(t, string(want), again.String())
}

func TestBroken(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "epss.csv"), []byte("cve,epss,percentile\nCVE-1,2,x\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "kev.json"), []byte("{}"), 0o600))
	err := run([]string{"-in", dir}, &bytes.Buffer{})
	require.ErrorIs(t, err, os.ErrNotExist)
	require.ErrorContains(t, err, "epss.csv: vuln: line 2: expected a CVE identifier")
	require.ErrorContains(t, err, "kev.json: vuln: no vulnerabilities")
}
