package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/governance"
)

func TestPackage(t *testing.T) {
	sample, err := filepath.Abs("../../examples/authorization-package/sample")
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	args := []string{
		"package", "--profile", filepath.Join(sample, "profile.json"), "--system", filepath.Join(sample, "system.yaml"),
		"--component", filepath.Join(sample, "component-platform.json"), "--component", filepath.Join(sample, "component-application.json"),
		"--vendors", filepath.Join(sample, "vendors.yaml"), "--scan", filepath.Join(sample, "scan.sarif"), "--as-of", "2026-06-30",
	}
	status, out, errs := isso(t, "", append(args, "--out", "p", "--json")...)
	require.Equal(t, []any{0, ""}, []any{status, errs})
	var summary governance.Summary
	require.NoError(t, json.Unmarshal([]byte(out), &summary))
	require.Equal(t, 13, summary.Total.Controls)
	for _, name := range []string{"resolved-catalog", "ssp", "assessment-plan", "assessment-results", "poam"} {
		// This constraint of OSCAL 1.2.2 compares "#" and a UUID with UUIDs, so that
		// no link within a document can satisfy it.
		status, out, errs := isso(t, "", "validate", "--not-rule", "oscal-system-implementation-component-depends-on-link-index", filepath.Join("p", name+".json"))
		require.Equal(t, []any{0, ""}, []any{status, errs}, out)
	}

	// A month later the items are the same ones.
	status, out, errs = isso(t, "", append(args[:len(args)-1:len(args)-1], "2026-07-31", "--previous", "p/poam.json", "--out", "q", "--format", "yaml")...)
	require.Equal(t, []any{0, ""}, []any{status, errs})
	require.Contains(t, out, "critical      open     due 2026-07-30, overdue by 1 day")
	require.FileExists(t, "q/poam.yaml")

	require.NoError(t, os.WriteFile("system.yaml", []byte("id: x\nnames: y\n"), 0o600))
	status, out, errs = isso(t, "", "package", "--profile", filepath.Join(sample, "profile.json"), "--system", "system.yaml", "--scan", "none.sarif")
	require.Equal(t, []any{2, ""}, []any{status, out}, "a file could not be read")
	require.Contains(t, errs, "system.yaml:2:1: unknown member \"names\"; did you mean \"name\"?\n")
	require.Contains(t, errs, "open none.sarif: no such file or directory\n")

	status, _, errs = isso(t, "", "package", "--profile", filepath.Join(sample, "profile.json"), "--system", "system.yaml")
	require.Equal(t, 1, status)
	require.Equal(t, "system.yaml:2:1: unknown member \"names\"; did you mean \"name\"?\n", errs)

	// Without scans there is no plan of action; that of before is named.
	status, _, errs = isso(t, "", append(args[:9:9], "--out", "p", "--as-of", "2026-06-30")...)
	require.Equal(t, []any{0, "note: " + filepath.Join("p", "poam.json") + " is of an earlier package\n"}, []any{status, errs})

	status, _, errs = isso(t, "", "package", "--system", "system.yaml")
	require.Equal(t, []any{2, "isso: --profile or --catalog is needed\n"}, []any{status, errs})
	status, _, errs = isso(t, "", "package")
	require.Equal(t, []any{2, "isso: required flag(s) \"system\" not set\n"}, []any{status, errs})
	status, _, errs = isso(t, "", "package", "--system", "system.yaml", "--as-of", "soon")
	require.Equal(t, []any{2, "isso: --as-of: expected a date such as 2026-06-30, found \"soon\"\n"}, []any{status, errs})
}
