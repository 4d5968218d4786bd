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
