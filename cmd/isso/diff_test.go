package main

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestDiff(t *testing.T) {
	inFolder(t)
	require.NoError(t, os.WriteFile("other.json", []byte(strings.ReplaceAll(good, "yes", "yes or no")), 0o600))
	require.NoError(t, os.WriteFile("ssp.json", []byte(`{"system-security-plan":{"control-implementation":{}}}`), 0o600))
	const changes = "good.json -> other.json: 1 change in all\n\nmetadata \"yes or no\"\n  ~ title: yes {+or no+}\n"
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		out    string
		err    string
	}{
		{"same", []string{"diff", "good.json", "good.json", "--exit-code"}, 0, "good.json -> good.json: no changes\n", ""},
		{"changed", []string{"diff", "good.json", "other.json"}, 0, changes, ""},
		{"exit code", []string{"diff", "good.json", "other.json", "--exit-code"}, 1, changes, ""},
		{"format", []string{"diff", "good.json", "other.json", "--format", "pdf"}, 2, "", "isso: --format: unknown format \"pdf\", expected text, markdown or json\n"},
		{"no plan", []string{"diff", "good.json", "other.json", "--ssp", "none.json"}, 2, "", "isso: open none.json: no such file or directory\n"},
		{"not a plan", []string{"diff", "good.json", "other.json", "--ssp", "good.json"}, 2, "", "isso: good.json: expected a system-security-plan, found a catalog\n"},
		{"plan and JSON", []string{"diff", "good.json", "other.json", "--ssp", "ssp.json", "--format", "json"}, 2, "", "isso: diff: --ssp adds text, which does not go with --format json\n"},
		{"no file", []string{"diff", "good.json", "none.json"}, 2, "", "isso: open none.json: no such file or directory\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, err := isso(t, "", tt.args...)
			require.Equal(t, []any{tt.status, tt.out, tt.err}, []any{status, out, err})
		})
	}
	t.Run("impact", func(t *testing.T) {
		status, out, _ := isso(t, "", "diff", "good.json", "other.json", "--ssp", "ssp.json")
		require.Equal(t, 0, status)
		require.Contains(t, out, "ssp.json: 0 requirements to look at\n")
	})
}

// TestDiffProfiles: the baselines of two profiles are compared where what they
// import is there.
func TestDiffProfiles(t *testing.T) {
	inFolder(t)
	const meta = `"metadata":{"title":"T","last-modified":"2026-01-01T00:00:00Z","version":"1","oscal-version":"1.2.2"}`
	profile := func(selection string) string {
		return `{"profile":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a11",` + meta + `,"imports":[{"href":"cat.json",` + selection + `}]}}`
	}
	for name, text := range map[string]string{
		"p1.json":  profile(`"include-all":{}`),
		"p2.json":  profile(`"include-controls":[{"matching":[{"pattern":"b*"}]}]`),
		"ssp.json": `{"system-security-plan":{"control-implementation":{"implemented-requirements":[{"control-id":"a-1"}]}}}`,
	} {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
	const changes = `
import cat.json
  - include-all removed
  + include-controls added
`
	const open = "p1.json -> p2.json: 2 changes in all\n" +
		"only the resolved catalogs tell all that becomes of controls: import cat.json include-controls / matching, import cat.json include-all\n" + changes +
		"\nssp.json: 0 requirements to look at, and those that only the resolved catalogs tell\n"
	status, out, problems := isso(t, "", "diff", "p1.json", "p2.json", "--ssp", "ssp.json")
	require.Equal(t, []any{0, open}, []any{status, out})
	require.Contains(t, problems, "isso: the baselines are not compared: ")
	status, out, problems = isso(t, "", "diff", "p1.json", "p2.json", "--resolve")
	require.Equal(t, []any{2, ""}, []any{status, out})
	require.Contains(t, problems, "cat.json")

	require.NoError(t, os.WriteFile("cat.json", []byte(`{"catalog":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10",`+meta+`,"controls":[{"id":"a-1","title":"A"},{"id":"b-1","title":"B"}]}}`), 0o600))
	const resolved = "p1.json -> p2.json: 1 control removed; 2 changes in all\n" + changes +
		"\nresolved p1.json -> p2.json: 1 control removed; 1 change in all\n\ncontrol a-1 \"A\"\n  - control removed\n"
	for _, args := range [][]string{nil, {"--resolve"}} {
		status, out, problems = isso(t, "", append([]string{"diff", "p1.json", "p2.json", "--exit-code"}, args...)...)
		require.Equal(t, []any{1, resolved, ""}, []any{status, out, problems})
	}
	_, out, _ = isso(t, "", "diff", "p1.json", "p2.json", "--ssp", "ssp.json")
	require.Contains(t, out, "\nssp.json: 1 requirement to look at\n  a-1 removed \"A\" (ssp.json:1:")
	_, out, problems = isso(t, "", "diff", "p1.json", "p2.json", "--ssp", "ssp.json", "--resolve=false")
	require.Equal(t, open, out)
	require.NotContains(t, problems, "baselines")
}
