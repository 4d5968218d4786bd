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
