package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// TestSplitAndJoin: what is put together again is what convert writes of the
// original.
func TestSplitAndJoin(t *testing.T) {
	catalog := corpus.Path(t, "oscal/catalogs/nist-rev5/NIST_SP-800-53_rev5_LOW-baseline-resolved-profile_catalog.json")
	t.Chdir(t.TempDir())
	status, out, errs := isso(t, "", "split", catalog, "-o", "low")
	require.Equal(t, []any{0, "low: 131 files of control\n", ""}, []any{status, out, errs})
	require.FileExists(t, "low/control/ac-2.json")
	status, _, errs = isso(t, "", "join", "low", "-o", "joined.json")
	require.Equal(t, []any{0, ""}, []any{status, errs})
	status, _, _ = isso(t, "", "convert", catalog, "-o", "converted.json")
	require.Equal(t, 0, status)
	want, err := os.ReadFile("converted.json")
	require.NoError(t, err)
	got, err := os.ReadFile("joined.json")
	require.NoError(t, err)
	require.Equal(t, string(want), string(got))

	status, _, errs = isso(t, "", "split", catalog, "-o", "low")
	require.Equal(t, []any{2, "isso: low: there is a split document already\n"}, []any{status, errs})
	status, out, _ = isso(t, "", "split", catalog, "-o", "families", "--by", "group", "--to", "yaml")
	require.Equal(t, []any{0, "families: 18 files of group\n"}, []any{status, out})
	status, _, errs = isso(t, "", "split", catalog, "--by", "colour")
	require.Equal(t, 2, status)
	require.Contains(t, errs, "has no colour")

	// A piece that was broken is named with its place, one that is gone by its name.
	ac2 := filepath.Join("low", "control", "ac-2.json")
	text, err := os.ReadFile(ac2)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(ac2, append([]byte("{\"control\": {\"titel\": 1},\n"), text[1:]...), 0o600))
	status, _, errs = isso(t, "", "join", "low")
	require.Equal(t, 1, status)
	require.Contains(t, errs, ac2+":1:14: unknown member \"titel\" in control; did you mean \"title\"?")
	require.NoError(t, os.Remove(ac2))
	status, _, errs = isso(t, "", "join", "low")
	require.Equal(t, 2, status)
	require.Contains(t, errs, "ac-2.json: no such file or directory")
}
