package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/stretchr/testify/require"
)

const good = `{"catalog":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"yes",
"last-modified":"2026-01-01T00:00:00.10Z","version":"1.10","oscal-version":"1.2.2"}}}`

const bad = `{"catalog":{"uuid":"no","metadata":{"title":"x",
"last-modified":"2026-01-01","version":"1.0","oscal-version":"1.2.2"},"colour":"red"}}`

// isso runs the command in a folder with two documents.
func isso(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	status = run(args, strings.NewReader(stdin), &out, &errs)
	return status, out.String(), errs.String()
}

func inFolder(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("good.json", []byte(good), 0o600))
	require.NoError(t, os.WriteFile("bad.json", []byte(bad), 0o600))
}

func TestValidate(t *testing.T) {
	inFolder(t)
	const badLines = `bad.json:1:20: expected a uuid (a version 4 or 5 UUID, 8-4-4-4-12 hexadecimal digits), found "no" (at /catalog/uuid) [datatype]
bad.json:2:17: expected a date-time-with-timezone (YYYY-MM-DDThh:mm:ss, perhaps a fraction, then Z or an offset that is in use), found "2026-01-01" (at /catalog/metadata/last-modified) [datatype]
bad.json:2:71: unknown member "colour" in catalog (at /catalog) [member-unknown]
`
	for _, tt := range []struct {
		name, stdin string
		args        []string
		status      int
		out, err    string
	}{
		{"valid", "", []string{"validate", "good.json"}, 0, "good.json: valid catalog, OSCAL 1.2.2\n", ""},
		{"quiet", "", []string{"validate", "-q", "good.json"}, 0, "", ""},
		{"standard input", good, []string{"validate", "-"}, 0, "stdin: valid catalog, OSCAL 1.2.2\n", ""},
		{"problems", "", []string{"validate", "bad.json", "good.json"}, 1, badLines + "good.json: valid catalog, OSCAL 1.2.2\n", ""},
		{"no file", "", []string{"validate", "none.json"}, 2, "", "isso: open none.json: no such file or directory\n"},
		{"no argument", "", []string{"validate"}, 2, "", "isso: validate: requires at least 1 arg(s), only received 0; isso validate --help tells its use\n"},
		{"standard input twice", good, []string{"validate", "-", "-"}, 2, "", "isso: validate: the standard input (-) can be read once only\n"},
		{"no file among others", "", []string{"validate", "none.json", "bad.json", ".", "good.json"}, 2, badLines + "good.json: valid catalog, OSCAL 1.2.2\n", "isso: open none.json: no such file or directory\nisso: open .: is a directory\n"},
		{"unknown version", strings.Replace(good, "1.2.2", "9.9.9", 1), []string{"validate", "-"}, 0, `stdin:2:76: warning: oscal-version "9.9.9" is not among 1.0.0 to 1.2.x; the model of 1.2.2 is used (at /catalog/metadata/oscal-version) [version]
stdin: valid catalog by the model of OSCAL 1.2.2; its own version "9.9.9" is unknown
`, ""},
		{"unknown version without warnings", strings.Replace(good, "1.2.2", "9.9.9", 1), []string{"validate", "-", "--level", "error"}, 0, "stdin: valid catalog by the model of OSCAL 1.2.2; its own version \"9.9.9\" is unknown\n", ""},
		{"unknown flag", "", []string{"validate", "--loud", "good.json"}, 2, "", "isso: validate: unknown flag: --loud; isso validate --help tells its use\n"},
		{"unknown flag of a command in a command", "", []string{"db", "log", "--loud"}, 2, "", "isso: db log: unknown flag: --loud; isso db log --help tells its use\n"},
		{"misspelt rule", "", []string{"validate", "--rule", "datatyp", "bad.json"}, 2, "", "isso: validate: there is no rule \"datatyp\"; did you mean datatype?\n"},
		{"unknown rule", "", []string{"validate", "--not-rule", "no-such-rule", "bad.json"}, 2, "", "isso: validate: there is no rule \"no-such-rule\"; the rules of a set that --constraints names are known too\n"},
		{"no root", "", []string{"validate", "--root", "none", "good.json"}, 2, "", "isso: open none: no such file or directory\n"},
		{"unknown command", "", []string{"frobnicate"}, 2, "", "isso: unknown command \"frobnicate\" for \"isso\"\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, err := isso(t, tt.stdin, tt.args...)
			require.Equal(t, tt.out, out)
			require.Equal(t, tt.err, err)
			require.Equal(t, tt.status, status)
		})
	}
}

func TestValidateSchema(t *testing.T) {
	inFolder(t)
	require.NoError(t, os.WriteFile("s.json", []byte(`{"properties":{"catalog":{"properties":{"metadata":{"properties":{"title":{"maxLength":2}}}}}}}`), 0o600))
	status, out, errs := isso(t, "", "validate", "good.json", "--schema", "s.json")
	require.Equal(t, []any{1, ""}, []any{status, errs})
	require.Equal(t, "good.json:1:79: length must be <= 2, but got 3, says s.json (at /catalog/metadata/title) [json-schema]\n", out)
	status, out, errs = isso(t, "", "validate", "good.json", "--schema", "s.json", "--not-rule", "json-schema")
	require.Equal(t, []any{0, "good.json: valid catalog, OSCAL 1.2.2\n", ""}, []any{status, out, errs})
	require.NoError(t, os.WriteFile("s.json", []byte(`{"$ref":"other.json"}`), 0o600))
	status, _, errs = isso(t, "", "validate", "good.json", "--schema", "s.json")
	require.Equal(t, 2, status)
	require.Contains(t, errs, "isso: schema: s.json: ")
}

func TestValidateJSON(t *testing.T) {
	inFolder(t)
	status, out, _ := isso(t, "", "validate", "--json", "bad.json", "good.json")
	require.Equal(t, 1, status)
	var got []report
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Len(t, got, 2)
	require.Equal(t, report{File: "good.json", Model: "catalog", Version: "1.2.2", Valid: true, Problems: []finding{}}, got[1])
	require.Equal(t, finding{
		Level: "error", Rule: "member-unknown", File: "bad.json", Line: 2, Column: 71, Offset: 119, Pointer: "/catalog",
		Message: `unknown member "colour" in catalog`,
	}, got[0].Problems[2])
}

// TestValidateUnreadable: JSON and SARIF name the file that could not be read.
func TestValidateUnreadable(t *testing.T) {
	inFolder(t)
	const missing = "open none.json: no such file or directory"
	status, out, err := isso(t, "", "validate", "--json", "none.json", "good.json")
	require.Equal(t, []any{2, "isso: " + missing + "\n"}, []any{status, err})
	var got []report
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, []report{
		{File: "none.json", Problems: []finding{{Level: "error", Rule: "unreadable", File: "none.json", Message: missing}}},
		{File: "good.json", Model: "catalog", Version: "1.2.2", Valid: true, Problems: []finding{}},
	}, got)

	status, out, err = isso(t, "", "validate", "--format", "sarif", "good.json", "none.json")
	require.Equal(t, []any{2, "isso: " + missing + "\n"}, []any{status, err})
	var log struct {
		Runs []struct {
			Results []struct {
				RuleID  string
				Message struct{ Text string }
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &log))
	require.Len(t, log.Runs[0].Results, 1)
	require.Equal(t, "unreadable", log.Runs[0].Results[0].RuleID)
	require.Equal(t, missing, log.Runs[0].Results[0].Message.Text)

	status, out, _ = isso(t, strings.Replace(good, "1.2.2", "9.9.9", 1), "validate", "--json", "-")
	require.Equal(t, 0, status)
	require.Contains(t, out, `"file": "stdin",`)
	require.Contains(t, out, `"oscal-version": "9.9.9",
    "checked-as": "1.2.2",`)
}

func TestVersion(t *testing.T) {
	for _, arg := range []string{"version", "--version"} {
		status, out, err := isso(t, "", arg)
		require.Equal(t, []any{0, ""}, []any{status, err})
		require.Regexp(t, `^isso \S+, OSCAL 1\.0\.0 to 1\.2\.2, go1\.\S+\n$`, out)
	}
}

// TestHelp: each command says what it is for, all flags what they do, and the
// list of commands names them all.
func TestHelp(t *testing.T) {
	status, list, err := isso(t, "", "help")
	require.Equal(t, []any{0, ""}, []any{status, err})
	require.NotContains(t, list, "Additional Commands:\n\n")
	var walk func(cmd *cobra.Command)
	walk = func(cmd *cobra.Command) {
		_, path, _ := strings.Cut(cmd.CommandPath(), " ")
		require.NotEmpty(t, cmd.Short, path)
		for line := range strings.Lines(cmd.LocalFlags().FlagUsages()) {
			require.Regexp(t, `^ +(-\S, )?--\S+ +(\S+ {2,})?\S`, line, path)
		}
		status, help, err := isso(t, "", append(strings.Fields(path), "--help")...)
		require.Equal(t, []any{0, ""}, []any{status, err}, path)
		for line := range strings.Lines(cmd.Long) {
			require.LessOrEqual(t, len(line), 91, "%s: %s", path, line)
		}
		require.Contains(t, help, "Usage:", path)
		for _, sub := range cmd.Commands() {
			require.Contains(t, help, "  "+sub.Name()+" ", path)
			walk(sub)
		}
	}
	walk(rootCommand())
}

func TestConvert(t *testing.T) {
	inFolder(t)
	const yaml = `catalog:
  uuid: "5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10"
  metadata:
    title: "yes"
    last-modified: "2026-01-01T00:00:00.10Z"
    version: "1.10"
    oscal-version: "1.2.2"
`
	status, out, err := isso(t, "", "convert", "good.json", "--to", "yaml")
	require.Equal(t, []any{0, yaml, ""}, []any{status, out, err})

	status, out, err = isso(t, "", "convert", "good.json", "-o", "good.yaml")
	require.Equal(t, []any{0, "", ""}, []any{status, out, err})
	status, out, _ = isso(t, "", "convert", "good.yaml", "--to", "json")
	require.Equal(t, 0, status)
	require.JSONEq(t, good, out)
	entries, readErr := os.ReadDir(".")
	require.NoError(t, readErr)
	require.Len(t, entries, 3, "no temporary file is left")

	const xml = `<?xml version="1.0" encoding="UTF-8"?>
<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0" uuid="5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10">
  <metadata>
    <title>yes</title>
    <last-modified>2026-01-01T00:00:00.10Z</last-modified>
    <version>1.10</version>
    <oscal-version>1.2.2</oscal-version>
  </metadata>
</catalog>
`
	status, out, err = isso(t, "", "convert", "good.json", "--to", "xml")
	require.Equal(t, []any{0, xml, ""}, []any{status, out, err})
	status, out, err = isso(t, xml, "convert", "-", "--to", "yaml")
	require.Equal(t, []any{0, yaml, ""}, []any{status, out, err})
	status, out, err = isso(t, strings.Replace(xml, "1.10", " ", 1), "validate", "-")
	require.Equal(t, []any{1, `stdin:6:5: expected a string (text without line breaks and without white space at its ends, not empty), found "" (at /catalog[1]/metadata[1]/version[1]) [datatype]
`, ""}, []any{status, out, err})
	status, out, _ = isso(t, strings.Replace(xml, "uuid=", "id=", 1), "validate", "--json", "-")
	require.Equal(t, 1, status)
	require.Contains(t, out, `"path": "/catalog[1]",`)

	status, out, err = isso(t, "", "convert", "good.json", "--oscal-version", "1.0.4")
	require.Equal(t, []any{0, ""}, []any{status, err})
	require.Contains(t, out, `"oscal-version": "1.0.4"`)
	status, _, err = isso(t, "", "convert", "good.json", "--oscal-version", "3.0")
	require.Equal(t, []any{2, "isso: --oscal-version: expected a version from 1.0.0 to 1.2.2, found \"3.0\"\n"}, []any{status, err})

	status, out, err = isso(t, "", "convert", "bad.json", "--to", "yaml")
	require.Equal(t, 1, status)
	require.Empty(t, out)
	require.Contains(t, err, "bad.json:1:20: ")

	status, _, err = isso(t, "", "convert", "good.json", "--to", "xlsx")
	require.Equal(t, []any{2, "isso: oscal: unknown format \"xlsx\", expected json, yaml or xml\n"}, []any{status, err})

	status, _, err = isso(t, "", "convert", "good.json", "-o", filepath.Join("none", "x.json"))
	require.Equal(t, 2, status)
	require.Contains(t, err, "no such file or directory")
}
