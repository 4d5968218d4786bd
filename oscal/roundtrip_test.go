package oscal

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// documents returns the JSON and YAML files below some folders of the corpus
// that hold an OSCAL document.
func documents(t testing.TB, folders ...string) []string {
	t.Helper()
	var files []string
	for _, folder := range folders {
		err := filepath.WalkDir(corpus.Path(t, folder), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(path)) {
				return err
			}
			data, err := os.ReadFile(path)
			head := string(data[:min(len(data), 300)])
			if slices.ContainsFunc(roots[:], func(m Member) bool {
				return strings.Contains(head, `"`+m.name+`"`) || strings.Contains(head, m.name+":")
			}) {
				files = append(files, path)
			}
			return err
		})
		require.NoError(t, err)
	}
	require.NotEmpty(t, files)
	return files
}

// equalTrees compares by rule R1 without markup: what was read and written is
// to be equal to the letter.
func equalTrees(a, b *Node) error {
	if a.member != b.member || a.value != b.value {
		return fmt.Errorf("%s = %q, but %s = %q", a.Pointer(), a.value, b.Pointer(), b.value)
	}
	x, y := a.first, b.first
	for x != nil && y != nil {
		if err := equalTrees(x, y); err != nil {
			return err
		}
		x, y = x.next, y.next
	}
	if x != nil || y != nil {
		return fmt.Errorf("%s has children that the other has not", a.Pointer())
	}
	return nil
}

// TestRoundTrip reads and writes every JSON and YAML document of the corpus in
// both forms: the trees must be equal, and writing again must give the same
// bytes.
func TestRoundTrip(t *testing.T) {
	files := documents(t, "oscal", "authorization/packages", "controls", "vendors/oscal")
	n := 0
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		doc, _ := Parse(string(data), &ReadOptions{Name: filepath.Base(file)})
		if doc == nil {
			continue
		}
		n++
		for _, format := range []Format{JSON, YAML} {
			var first, second bytes.Buffer
			require.NoError(t, doc.Write(&first, &WriteOptions{Format: format}))
			again, err := Parse(first.String(), nil)
			require.NotNil(t, again, "%s: %v", file, err)
			require.NoError(t, equalTrees(doc.root, again.root), "%s as %s", file, format)
			require.Equal(t, doc.schema, again.schema)
			require.NoError(t, again.Write(&second, nil))
			require.Equal(t, first.String(), second.String(), file)
		}
	}
	t.Logf("%d of %d files", n, len(files))
	require.Greater(t, n, 600)
}
