package main

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/oscal"
)

const baseline = `{"profile":{"uuid":"b0a3f2de-6a3c-4c55-9a53-3a2f4a6c7d20","metadata":{"title":"Baseline",
"last-modified":"2026-02-01T00:00:00Z","version":"1.0","oscal-version":"1.2.2"},
"imports":[{"href":"HREF","include-controls":[{"with-ids":["a-1","z-9"],"with-child-controls":"yes"}]}]}}`

const controlled = `{"catalog":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"Two",
"last-modified":"2026-01-01T00:00:00Z","version":"1.0","oscal-version":"1.2.2"},
"controls":[{"id":"a-1","title":"One","controls":[{"id":"a-1.1","title":"More"}]},{"id":"b-1","title":"Two"}]}}`

const resolved = `catalog:
  uuid: "UUID"
  metadata:
    title: Baseline
    last-modified: "2026-06-30T00:00:00Z"
    version: "1.0"
    oscal-version: "1.2.2"
    props:
      - name: resolution-tool
        value: issokit
    links:
      - href: HREF
        rel: source-profile
  controls:
    - id: a-1
      title: One
`

const (
	sibling = "    - id: a-1.1\n      title: More\n"
	child   = "      controls:\n        - id: a-1.1\n          title: More\n"
)

func inFolderWithProfiles(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.MkdirAll("own/deep", 0o700))
	for name, content := range map[string]string{
		"catalog.json":     controlled,
		"own/catalog.json": controlled,
		"own/good.json":    strings.ReplaceAll(baseline, "HREF", "catalog.json"),
		"own/up.json":      strings.ReplaceAll(baseline, "HREF", "../catalog.json"),
		"own/link.json":    strings.ReplaceAll(baseline, "HREF", "linked.json"),
		"own/web.json":     strings.ReplaceAll(baseline, "HREF", "https://example.org/c.json"),
		"own/broken.json":  strings.ReplaceAll(baseline, "HREF", "bad.json"),
		"own/bad.json":     bad,
		"own/plan.json":    strings.ReplaceAll(strings.ReplaceAll(good, "catalog", "component-definition"), "1.10", "1.1"),
		"own/twice.json": strings.Replace(strings.ReplaceAll(baseline, "HREF", "none.json"), `"imports":[`,
			`"imports":[{"href":"twice.json","include-all":{}},`, 1),
	} {
		require.NoError(t, os.WriteFile(name, []byte(content), 0o600))
	}
	require.NoError(t, os.Symlink("../catalog.json", "own/linked.json"))
}

func TestResolve(t *testing.T) {
	inFolderWithProfiles(t)
	const unknown = `:3:%: warning: the import "HREF" has no control "z-9" (at /profile/imports/0/include-controls/0/with-ids/1) [unknown-control]` + "\n"
	warning := func(file, href, column string) string {
		return file + strings.NewReplacer("%", column, "HREF", href).Replace(unknown)
	}
	catalog := func(href, children string) string {
		return strings.ReplaceAll(resolved, "HREF", href) + children
	}
	uuids := map[string]int{}
	for _, tt := range []struct {
		name     string
		args     []string
		status   int
		out, err string
	}{
		{"in its folder", []string{"own/good.json"}, 0, catalog("good.json", sibling), warning("own/good.json", "catalog.json", "74")},
		{"keep nesting", []string{"own/good.json", "--keep-nesting"}, 0, catalog("good.json", child), warning("own/good.json", "catalog.json", "74")},
		{"hide source", []string{"own/good.json", "--hide-source"}, 0, catalog("about:blank", sibling), warning("own/good.json", "catalog.json", "74")},
		{"mapped", []string{"own/web.json", "--map", "https://example.org/c.json=catalog.json"}, 0, catalog("web.json", sibling), warning("own/web.json", "https://example.org/c.json", "88")},
		{"wider root", []string{"own/up.json", "--root", "."}, 0, catalog("own/up.json", sibling), warning("own/up.json", "../catalog.json", "77")},
		{"wider root, link", []string{"own/link.json", "--root", "."}, 0, catalog("own/link.json", sibling), warning("own/link.json", "linked.json", "73")},
		{"outside", []string{"own/up.json"}, 1, "", `own/up.json:3:20: the import "../catalog.json" cannot be used: ../catalog.json: not in the folder that documents are read from; --root names a wider one (at /profile/imports/0/href) [import-unavailable]` + "\n"},
		{"link to the outside", []string{"own/link.json"}, 1, "", `own/link.json:3:20: the import "linked.json" cannot be used: linked.json: path escapes from parent (at /profile/imports/0/href) [import-unavailable]` + "\n"},
		{"network", []string{"own/web.json"}, 1, "", `own/web.json:3:20: the import "https://example.org/c.json" cannot be used: https://example.org/c.json: nothing is read from the network; --map names a file for it (at /profile/imports/0/href) [import-unavailable]` + "\n"},
		{"several problems", []string{"own/twice.json"}, 1, "", `own/twice.json:3:20: circular import: twice.json imports twice.json (at /profile/imports/0/href) [circular-import]
own/twice.json:3:59: the import "none.json" cannot be used: none.json: no such file or directory (at /profile/imports/1/href) [import-unavailable]
`},
		{"broken import", []string{"own/broken.json"}, 1, "", badIn("own/bad.json") + `own/broken.json:3:20: the import "bad.json" cannot be used: bad.json:1:20: expected a uuid (a version 4 or 5 UUID, 8-4-4-4-12 hexadecimal digits), found "no" (at /catalog/uuid) [datatype] and 2 more (at /profile/imports/0/href) [document-invalid]` + "\n"},
		{"not valid itself", []string{"own/bad.json"}, 1, "", badIn("own/bad.json")},
		{"another model", []string{"own/plan.json"}, 1, "", "own/plan.json: the profile cannot be used: expected a catalog or profile, found a component-definition [not-a-catalog-or-profile]\n"},
		{"no file", []string{"none.json"}, 2, "", "isso: stat none.json: no such file or directory\n"},
		{"profile outside of root", []string{"own/good.json", "--root", "own/deep"}, 2, "", "isso: own/good.json is not in the folder own/deep\n"},
		{"wrong time", []string{"own/good.json", "--now", "today"}, 2, "", "isso: --now: expected a time such as 2026-06-30T00:00:00Z, found \"today\"\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := append([]string{"resolve", "--to", "yaml", "--now", "2026-06-30T00:00:00Z"}, tt.args...)
			status, out, err := isso(t, "", args...)
			require.Equal(t, tt.err, err)
			if uuid := uuidLine.FindStringSubmatch(out); uuid != nil {
				require.True(t, oscal.TypeUUID.Valid(uuid[1]))
				uuids[uuid[1]]++
			}
			require.Equal(t, tt.out, uuidLine.ReplaceAllString(out, `uuid: "UUID"`))
			require.Equal(t, tt.status, status)
		})
	}
	// The documents are the same in each case, and so is the UUID made of them; a
	// nested catalog is another one.
	require.ElementsMatch(t, []int{5, 1}, slices.Collect(maps.Values(uuids)))
}

var uuidLine = regexp.MustCompile(`uuid: "([^"]+)"`)

// badIn is what is wrong with the document bad.
func badIn(file string) string {
	return file + `:1:20: expected a uuid (a version 4 or 5 UUID, 8-4-4-4-12 hexadecimal digits), found "no" (at /catalog/uuid) [datatype]
` + file + `:2:17: expected a date-time-with-timezone (YYYY-MM-DDThh:mm:ss, perhaps a fraction, then Z or an offset that is in use), found "2026-01-01" (at /catalog/metadata/last-modified) [datatype]
` + file + `:2:71: unknown member "colour" in catalog (at /catalog) [member-unknown]
`
}

// TestResolveStdin: a profile of the standard input imports from the working
// directory, or from --root.
func TestResolveStdin(t *testing.T) {
	inFolderWithProfiles(t)
	profile := strings.ReplaceAll(baseline, "HREF", "catalog.json")
	const warning = `stdin:3:74: warning: the import "catalog.json" has no control "z-9" (at /profile/imports/0/include-controls/0/with-ids/1) [unknown-control]` + "\n"
	want := strings.ReplaceAll(resolved, "HREF", "about:blank") + sibling
	for _, args := range [][]string{nil, {"--root", "own"}} {
		status, out, err := isso(t, profile, append([]string{"resolve", "-", "--to", "yaml", "--now", "2026-06-30T00:00:00Z"}, args...)...)
		require.Equal(t, []any{0, warning}, []any{status, err})
		require.Equal(t, want, uuidLine.ReplaceAllString(out, `uuid: "UUID"`))
	}
	status, out, err := isso(t, profile, "resolve", "-", "--root", "own/deep")
	require.Equal(t, []any{1, "", `stdin:3:20: the import "catalog.json" cannot be used: catalog.json: no such file or directory (at /profile/imports/0/href) [import-unavailable]` + "\n"}, []any{status, out, err})
	status, out, err = isso(t, bad, "resolve", "-")
	require.Equal(t, []any{1, "", badIn("stdin")}, []any{status, out, err})
}

func TestResolveJSON(t *testing.T) {
	inFolderWithProfiles(t)
	status, out, err := isso(t, "", "resolve", "own/good.json", "--json", "-o", "resolved.json")
	require.Equal(t, []any{0, ""}, []any{status, out})
	var got []finding
	require.NoError(t, json.Unmarshal([]byte(err), &got))
	require.Equal(t, []finding{{
		Level: "warning", Rule: "unknown-control", File: "own/good.json", Line: 3, Column: 74, Offset: 244, Pointer: "/profile/imports/0/include-controls/0/with-ids/1",
		Message: `the import "catalog.json" has no control "z-9"`,
	}}, got)
	status, out, _ = isso(t, "", "validate", "--no-constraints", "resolved.json")
	require.Equal(t, []any{0, "resolved.json: valid catalog, OSCAL 1.2.2\n"}, []any{status, out})

	status, out, err = isso(t, "", "resolve", "own/web.json", "--json")
	require.Equal(t, []any{1, ""}, []any{status, out})
	require.NoError(t, json.Unmarshal([]byte(err), &got))
	require.Equal(t, "import-unavailable", got[0].Rule)
}
