package oscal

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestToVersion(t *testing.T) {
	text := strings.Replace(minimal, `"title":"A"`, `"title":"A","props":[{"name":"x","value":"y","group":"g"}],"links":[{"href":"#b","resource-fragment":"f"}]`, 1)
	doc, err := Parse(text, &ReadOptions{Name: "c.json"})
	require.NoError(t, err)

	old, lost, err := doc.ToVersion(Version{Major: 1, Patch: 4})
	require.NoError(t, err)
	require.Equal(t, []string{
		`c.json:3:76: warning: group of prop came up in OSCAL 1.1.0 and is left out in 1.0.4 (at /catalog/controls/0/props/0/group) [version]`,
		`c.json:3:124: warning: resource-fragment of link came up in OSCAL 1.1.0 and is left out in 1.0.4 (at /catalog/controls/0/links/0/resource-fragment) [version]`,
	}, problemTexts(lost))
	require.Equal(t, "1.0.4", old.Version())
	require.Empty(t, old.At("/catalog/controls/0/props/0").Get("group"))
	require.Equal(t, "g", doc.At("/catalog/controls/0/props/0").Get("group"), "the receiver is as it was")
	require.Empty(t, old.Check())

	same, lost, err := doc.ToVersion(Version{Major: 1, Minor: 2, Patch: 2})
	require.NoError(t, err)
	require.Empty(t, lost)
	require.NoError(t, equalTrees(doc.Root(), same.Root()))

	for _, v := range []Version{{}, {Major: 2}, {Major: 1, Minor: 3}} {
		_, _, err = doc.ToVersion(v)
		require.ErrorIs(t, err, ErrVersion)
	}
	_, _, err = NewDocument(NewRoot("mapping-collection")).ToVersion(Version{Major: 1, Minor: 1, Patch: 3})
	require.ErrorIs(t, err, ErrVersion)
}

// TestToVersionNotes: what a caller is told of a $schema and of a version that
// was never published.
func TestToVersionNotes(t *testing.T) {
	const nist = "https://github.com/usnistgov/OSCAL/releases/download/v1.1.2/oscal_catalog_schema.json"
	note := func(text string) []string {
		return []string{"c.json:1:2: warning: " + text + " (at /catalog) [version]"}
	}
	for _, tt := range []struct {
		name, schema, to string
		want             string // $schema
		notes            []string
	}{
		{"none", "", "1.2.2", "", nil},
		{"of NIST", nist, "1.2.2", strings.Replace(nist, "1.1.2", "1.2.2", 1), note(`$schema is "` + strings.Replace(nist, "1.1.2", "1.2.2", 1) + `" now, was "` + nist + `"`)},
		{"of another", "https://example.org/s.json", "1.2.2", "https://example.org/s.json", note(`$schema is left as it was: "https://example.org/s.json"`)},
		{"a longer number", "https://example.org/11.1.2/1.1.20/1.1.2.4/s", "1.2.2", "https://example.org/11.1.2/1.1.20/1.1.2.4/s", note(`$schema is left as it was: "https://example.org/11.1.2/1.1.20/1.1.2.4/s"`)},
		{"the same version", nist, "1.1.2", nist, nil},
		{"never published", "", "1.2.99", "", note("OSCAL 1.2.99 is not known: the last of its minor version that is known is 1.2.2")},
		{"never published, older", "", "1.0.7", "", note("OSCAL 1.0.7 is not known: the last of its minor version that is known is 1.0.6")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			text := strings.Replace(minimal, `"oscal-version":"1.2.2"`, `"oscal-version":"1.1.2"`, 1)
			doc, err := Parse(text, &ReadOptions{Name: "c.json"})
			require.NoError(t, err)
			require.Equal(t, "1.1.2", doc.Version())
			doc.schema = tt.schema
			v, ok := ParseVersion(tt.to)
			require.True(t, ok)
			got, notes, err := doc.ToVersion(v)
			require.NoError(t, err)
			require.Equal(t, tt.want, got.Schema())
			require.Equal(t, tt.notes, problemTexts(notes))
			require.Equal(t, tt.schema, doc.Schema(), "the receiver is as it was")
		})
	}
}

// TestToVersionOfCorpus: no published document holds what its own version has no
// place for.
func TestToVersionOfCorpus(t *testing.T) {
	n := 0
	for _, file := range documents(t, "oscal/documents/nist-examples", "oscal/documents/aws-components", "oscal/catalogs/nist-rev5", "authorization/packages") {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		doc, _ := Parse(string(data), &ReadOptions{Name: filepath.Base(file)})
		if doc == nil {
			continue
		}
		v, ok := ParseVersion(doc.Version())
		if !ok {
			continue
		}
		_, lost, err := doc.ToVersion(v)
		require.NoError(t, err)
		for _, p := range lost {
			require.Equal(t, RuleDeprecated, p.Rule, p.Error())
		}
		n++
	}
	require.Greater(t, n, 30)
}
