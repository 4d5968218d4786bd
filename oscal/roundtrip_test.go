package oscal

import (
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

// documents returns the files below some folders of the corpus that hold an
// OSCAL document.
func documents(t testing.TB, folders ...string) []string {
	t.Helper()
	var files []string
	for _, folder := range folders {
		err := filepath.WalkDir(corpus.Path(t, folder), func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() || !slices.Contains([]string{".json", ".yaml", ".yml", ".xml"}, filepath.Ext(path)) {
				return err
			}
			data, err := os.ReadFile(path)
			head := string(data[:min(len(data), 1000)])
			if slices.ContainsFunc(roots[:], func(m Member) bool {
				return strings.Contains(head, `"`+m.name+`"`) || strings.Contains(head, m.name+":") || strings.Contains(head, "<"+m.name)
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

// TestRoundTrip reads and writes every document of the corpus in its three
// forms. JSON and YAML keep each character of a value; through XML markup is
// equal as a tree, and from then on to the letter. Writing again gives the same
// bytes.
func TestRoundTrip(t *testing.T) {
	files := documents(t, "oscal", "authorization", "controls", "vendors/oscal")
	n := map[Format]int{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		doc, _ := Parse(string(data), &ReadOptions{Name: filepath.Base(file)})
		if doc == nil {
			continue
		}
		n[doc.Format()]++
		for _, format := range []Format{JSON, YAML} {
			if format == YAML && doc.Format() == XML && len(data) > 50_000 {
				continue // most are variants of one example
			}
			first := written(t, doc, format)
			again, err := Parse(first, nil)
			require.NotNil(t, again, "%s: %v", file, err)
			require.NoError(t, equalTrees(doc.root, again.root), "%s as %s", file, format)
			require.Equal(t, doc.schema, again.schema)
			require.Equal(t, first, written(t, again, format), file)
		}
		if slices.ContainsFunc(doc.Problems(), func(p Problem) bool { return p.Rule == RuleDatatype && p.Level == Error }) {
			continue // white space around a value is data in JSON alone
		}
		first := written(t, doc, XML)
		again, err := Parse(first, nil)
		require.NotNil(t, again, "%s: %v", file, err)
		require.Empty(t, differences(doc.root, again.root), file)
		if doc.Problems().Errors() == nil {
			require.NoError(t, err, file)
		}
		require.Equal(t, first, written(t, again, XML), file)
		back := mustParseText(t, written(t, again, JSON))
		require.NoError(t, equalTrees(again.root, back.root), file)
		require.Equal(t, first, written(t, back, XML), file)
	}
	t.Log(n, "documents of", len(files), "files")
	require.Greater(t, n[JSON]+n[YAML], 600)
	require.Greater(t, n[XML], 600)
}
