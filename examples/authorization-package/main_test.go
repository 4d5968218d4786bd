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

// TestSample runs the program as the README says, and again on the sample as
// files of a user: the same screen, the same bytes.
func TestSample(t *testing.T) {
	sampleFolder, err := filepath.Abs("sample")
	require.NoError(t, err)
	golden, err := filepath.Abs("testdata/output.golden")
	require.NoError(t, err)
	t.Chdir(t.TempDir())

	var out, errs bytes.Buffer
	require.NoError(t, run([]string{"-out", "package"}, &out, &errs))
	require.Empty(t, errs.String())
	if *update {
		require.NoError(t, os.WriteFile(golden, out.Bytes(), 0o644))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), out.String())

	in := func(name string) string { return filepath.Join(sampleFolder, name) }
	require.NoError(t, run([]string{
		"-profile", in("profile.json"), "-component", in("component-platform.json"), "-component", in("component-application.json"),
		"-system", in("system.yaml"), "-vendors", in("vendors.yaml"), "-scan", in("scan.sarif"), "-as-of", "2026-06-30", "-out", "again",
	}, &out, &errs))
	names, err := os.ReadDir("package")
	require.NoError(t, err)
	require.Len(t, names, 5)
	for _, e := range names {
		a, err := os.ReadFile(filepath.Join("package", e.Name()))
		require.NoError(t, err)
		b, err := os.ReadFile(filepath.Join("again", e.Name()))
		require.NoError(t, err)
		require.Equal(t, string(a), string(b), e.Name())
	}
}

func TestWrongUse(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		want string
	}{
		{"profile without system", []string{"-profile", "p.json"}, "-system is needed"},
		{"date", []string{"-as-of", "30.6.2026"}, `expected a date such as 2026-06-30, found "30.6.2026"`},
		{"format", []string{"-format", "docx"}, `unknown format "docx"`},
		{"argument", []string{"x"}, `unexpected argument "x"`},
		{"no file", []string{"-system", "none.yaml", "-catalog", "none.json"}, "no such file"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			var out, errs bytes.Buffer
			require.ErrorContains(t, run(tt.args, &out, &errs), tt.want)
			require.Empty(t, out.String())
		})
	}
}
