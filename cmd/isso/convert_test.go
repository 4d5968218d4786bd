package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// Many files are worked on side by side, and what is said of them comes in their
// order.
func TestManyFiles(t *testing.T) {
	inFolder(t)
	files := []string{}
	var verdicts, complaints strings.Builder
	for i := range 40 {
		name, text := fmt.Sprintf("d%02d.json", i), good
		if i%10 == 7 {
			text = bad
			fmt.Fprintf(&complaints, "%s:1:20: expected a uuid (a version 4 or 5 UUID, 8-4-4-4-12 hexadecimal digits), found \"no\" (at /catalog/uuid) [datatype]\n", name)
		} else {
			fmt.Fprintf(&verdicts, "%s: valid catalog, OSCAL 1.2.2\n", name)
		}
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
		files = append(files, name)
	}
	status, out, errs := isso(t, "", append([]string{"validate"}, files...)...)
	require.Equal(t, 1, status)
	require.Empty(t, errs)
	var valid, uuids strings.Builder
	for line := range strings.Lines(out) {
		switch {
		case strings.Contains(line, "valid catalog"):
			valid.WriteString(line)
		case strings.Contains(line, "/catalog/uuid"):
			uuids.WriteString(line)
		}
	}
	require.Equal(t, verdicts.String(), valid.String())
	require.Equal(t, complaints.String(), uuids.String())

	status, out, errs = isso(t, "", append([]string{"convert", "--to", "xml", "--out", "xml"}, files...)...)
	require.Equal(t, 1, status, errs)
	require.Empty(t, out)
	require.Equal(t, 4, strings.Count(errs, "unknown member"))
	written, err := filepath.Glob("xml/*.xml")
	require.NoError(t, err)
	require.Len(t, written, 36)
	status, _, errs = isso(t, "", append([]string{"convert", "--to", "json", "--out", "json"}, written...)...)
	require.Zero(t, status, errs)
	_, want, _ := isso(t, "", "convert", "good.json", "--to", "json")
	got, err := os.ReadFile("json/d39.json")
	require.NoError(t, err)
	require.Equal(t, want, string(got))
}

func TestConvertToFolder(t *testing.T) {
	inFolder(t)
	require.NoError(t, os.Mkdir("other", 0o700))
	require.NoError(t, os.WriteFile("other/good.yaml", nil, 0o600))
	require.NoError(t, os.WriteFile("new.json", []byte(strings.Replace(good, "1.2.2", "9.9.9", 1)), 0o600))
	require.NoError(t, os.WriteFile("code.json", []byte(strings.Replace(good, `"1.2.2"`, `"1.2.2","remarks":"~~~go\nx"`, 1)), 0o600))
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		err    string
	}{
		{"no folder", []string{"good.json", "bad.json", "--to", "xml"}, 2, "isso: --out: expected a folder for several files\n"},
		{"no format", []string{"good.json", "bad.json", "-o", "out"}, 2, "isso: --to: expected json, yaml or xml for files in a folder\n"},
		{"one name twice", []string{"good.json", "other/good.yaml", "-o", "out", "--to", "xml"}, 2, "isso: good.json and other/good.yaml would both be written to out/good.xml\n"},
		{"standard input", []string{"good.json", "-", "-o", "out", "--to", "xml"}, 2, "isso: the standard input (-) has no name in a folder\n"},
		{"a folder that is a file", []string{"good.json", "bad.json", "-o", "bad.json", "--to", "xml"}, 2, "isso: mkdir bad.json: not a directory\n"},
		{"a file that is not there", []string{"none.json", "good.json", "-o", "out", "--to", "xml"}, 2, "isso: open none.json: no such file or directory\n"},
		{"a warning", []string{"new.json", "-o", "new.xml"}, 0, "new.json:2:76: warning: oscal-version \"9.9.9\" is not among 1.0.0 to 1.2.x; the model of 1.2.2 is used (at /catalog/metadata/oscal-version) [version]\n"},
		{"no warning", []string{"new.json", "-q", "-o", "new.xml"}, 0, ""},
		{"what XML cannot hold", []string{"code.json", "-o", "new.xml"}, 0, "code.json:2:94: warning: remarks holds a code block of \"go\", which XML has no form for (at /catalog/metadata/remarks) [markup]\n"},
		{"one file into a folder", []string{"good.json", "-o", "other", "--to", "xml"}, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, errs := isso(t, "", append([]string{"convert"}, tt.args...)...)
			require.Empty(t, out)
			require.Equal(t, tt.err, errs)
			require.Equal(t, tt.status, status)
		})
	}
	require.FileExists(t, "out/good.xml")
	require.FileExists(t, "other/good.xml")
}

// TestConvertInvalid: what can be read of a document with problems goes through
// the other formats and comes back as it was, if asked for; the problems are told
// as ever.
func TestConvertInvalid(t *testing.T) {
	dir := corpus.Path(t, "oscal/constraints/cli")
	files, err := filepath.Glob(filepath.Join(dir, "*_invalid.*"))
	require.NoError(t, err)
	require.Len(t, files, 15)
	t.Chdir(t.TempDir())
	for _, file := range files {
		format := filepath.Ext(file)[1:]
		status, want, errs := isso(t, "", "convert", "--invalid", file)
		require.Equal(t, 1, status)
		_, _, refused := isso(t, "", "convert", file)
		require.Equal(t, refused, errs)
		require.NotEmpty(t, errs)
		for _, other := range []string{"xml", "json", "yaml"} {
			status, _, _ = isso(t, "", "convert", "--invalid", file, "-o", "other."+other)
			require.Equal(t, 1, status)
			_, got, _ := isso(t, "", "convert", "--invalid", "other."+other, "--to", format)
			require.Equal(t, want, got, file)
		}
	}
	inFolder(t)
	status, out, _ := isso(t, "", "convert", "--invalid", "bad.json", "--to", "yaml")
	require.Equal(t, 1, status)
	require.Equal(t, "catalog:\n  uuid: \"no\"\n  metadata:\n    title: x\n    last-modified: \"2026-01-01\"\n    version: \"1.0\"\n    oscal-version: \"1.2.2\"\n", out)
	status, out, errs := isso(t, "", "convert", "--invalid", "bad.json", "good.json", "--to", "xml", "-o", "out")
	require.Equal(t, 1, status)
	require.Empty(t, out)
	require.Contains(t, errs, "bad.json:2:71: unknown member")
	require.FileExists(t, "out/bad.xml")
	require.FileExists(t, "out/good.xml")
}
