package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// party has a type that OSCAL does not list, on line 3.
const party = `{"catalog":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"yes",
"last-modified":"2026-01-01T00:00:00Z","version":"1.10","oscal-version":"1.2.2",
"parties":[{"uuid":"7b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","type":"robot","name":"R2"}]}}}`

// houseRules is a constraint set with a warning and an import.
const houseRules = `<metaschema-meta-constraints xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0">
  <import href="more.xml"/>
  <context><metapath target="//party"/>
    <constraints>
      <expect id="party-mail" target="." test="exists(email-address)" level="WARNING"><message>Party {name} has no e-mail address.</message></expect>
    </constraints>
  </context>
</metaschema-meta-constraints>`

const moreRules = `<metaschema-meta-constraints xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0">
  <context><metapath target="/catalog"/>
    <constraints><report id="has-parties" test="count(//party) > 0" level="INFORMATIONAL"/></constraints>
  </context>
</metaschema-meta-constraints>`

func inFolderWithRules(t *testing.T) {
	inFolder(t)
	for name, text := range map[string]string{"party.json": party, "rules.xml": houseRules, "more.xml": moreRules} {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
}

func TestValidateConstraints(t *testing.T) {
	inFolderWithRules(t)
	const robot = "party.json:3:66: the value \"robot\" is not one of person, organization (at /catalog/metadata/parties/0/type) [oscal-metadata-party-type-values]\n"
	const mail = "party.json:3:12: warning: Party R2 has no e-mail address. (at /catalog/metadata/parties/0) [party-mail]\n"
	const parties = "party.json:1:2: informational: this holds: count(//party) > 0 (at /catalog) [has-parties]\n"
	for _, tt := range []struct {
		name     string
		args     []string
		status   int
		out, err string
	}{
		{"built-in", nil, 1, robot, ""},
		{"structure only", []string{"--no-constraints"}, 0, "party.json: valid catalog, OSCAL 1.2.2\n", ""},
		{"external", []string{"--constraints", "rules.xml"}, 1, parties + mail + robot, ""},
		{"from warnings on", []string{"--constraints", "rules.xml", "--level", "warning"}, 1, mail + robot, ""},
		{"one rule", []string{"--constraints", "rules.xml", "--rule", "party-mail"}, 0, mail + "party.json: valid catalog, OSCAL 1.2.2\n", ""},
		{"not one rule", []string{"--not-rule", "oscal-metadata-party-type-values"}, 0, "party.json: valid catalog, OSCAL 1.2.2\n", ""},
		{"no level", []string{"--level", "loud"}, 2, "", "isso: --level: constraint: unknown level \"loud\", expected debug, informational, warning, error or critical\n"},
		{"no format", []string{"--format", "xlsx"}, 2, "", "isso: --format: expected text, json or sarif, found \"xlsx\"\n"},
		{"no set", []string{"--constraints", "none.xml"}, 2, "", "isso: open none.xml: no such file or directory\n"},
		{"several that are wrong", []string{"--constraints", "party.json", "--constraints", "none.xml"}, 2, "", "isso: constraint: party.json: there is no root element\nopen none.xml: no such file or directory\n"},
		{"not a set", []string{"--constraints", "party.json"}, 2, "", "isso: constraint: party.json: there is no root element\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, err := isso(t, "", append([]string{"validate", "party.json"}, tt.args...)...)
			require.Equal(t, tt.out, out)
			require.Equal(t, tt.err, err)
			require.Equal(t, tt.status, status)
		})
	}
}

func TestValidateSARIF(t *testing.T) {
	inFolderWithRules(t)
	status, out, err := isso(t, "", "validate", "--format", "sarif", "--constraints", "rules.xml", "party.json", "bad.json")
	require.Equal(t, []any{1, ""}, []any{status, err})
	var log struct {
		Version string
		Runs    []struct {
			ColumnKind string
			Results    []struct {
				RuleID    string
				Level     string
				Locations []struct {
					PhysicalLocation struct {
						ArtifactLocation struct{ URI string }
						Region           struct{ StartLine, StartColumn int }
					}
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &log))
	require.Equal(t, "2.1.0", log.Version)
	require.Equal(t, "unicodeCodePoints", log.Runs[0].ColumnKind)
	var got [][]any
	for _, r := range log.Runs[0].Results {
		at := r.Locations[0].PhysicalLocation
		got = append(got, []any{r.RuleID, r.Level, at.ArtifactLocation.URI, at.Region.StartLine, at.Region.StartColumn})
	}
	require.Equal(t, [][]any{
		{"has-parties", "note", "party.json", 1, 2},
		{"party-mail", "warning", "party.json", 3, 12},
		{"oscal-metadata-party-type-values", "error", "party.json", 3, 66},
		{"datatype", "error", "bad.json", 1, 20},
		{"datatype", "error", "bad.json", 2, 17},
		{"member-unknown", "error", "bad.json", 2, 71},
	}, got)
}

// TestValidateSARIFPaths: a file of the present folder has a relative URI however
// it was named, as code scanning needs it.
func TestValidateSARIFPaths(t *testing.T) {
	inFolder(t)
	here, err := os.Getwd()
	require.NoError(t, err)
	outside := filepath.Join(t.TempDir(), "bad.json")
	require.NoError(t, os.WriteFile(outside, []byte(bad), 0o600))
	_, out, _ := isso(t, "", "validate", "--format", "sarif", "--rule", "member-unknown", filepath.Join(here, "bad.json"), "bad.json", outside)
	var uris []string
	for line := range strings.Lines(out) {
		if uri, ok := strings.CutPrefix(strings.TrimSpace(line), `"uri": `); ok {
			uris = append(uris, strings.Trim(uri, `",`))
		}
	}
	slices.Sort(uris)
	require.Equal(t, []string{"bad.json", "file://" + filepath.ToSlash(outside)}, slices.Compact(uris))
}

// TestOpenListsAndDeprecated: what is allowed but may be meant otherwise, on
// request.
func TestOpenListsAndDeprecated(t *testing.T) {
	inFolder(t)
	text := strings.Replace(good, `"oscal-version"`, `"document-ids":[{"scheme":"http://www.doi.org","identifier":"x"}],"oscal-version"`, 1)
	text = strings.Replace(text, `}}}`, `},"controls":[{"id":"a","title":"x","parts":[{"name":"statement"},{"name":"objective","id":"o"}]}]}}`, 1)
	require.NoError(t, os.WriteFile("open.json", []byte(text), 0o600))
	const verdict = "open.json: valid catalog, OSCAL 1.2.2\n"
	status, out, _ := isso(t, "", "validate", "open.json")
	require.Equal(t, []any{0, verdict}, []any{status, out})
	status, out, _ = isso(t, "", "validate", "--open-lists", "--deprecated", "open.json")
	require.Equal(t, []any{0, `open.json:2:86: informational: the value "http://www.doi.org" is not one of http://www.doi.org/; others are allowed, but did you mean http://www.doi.org/? (at /catalog/metadata/document-ids/0/scheme) [oscal-metadata-document-id-scheme-values]
open.json:2:223: informational: the value "objective" is deprecated since OSCAL 1.0.1 (at /catalog/controls/0/parts/1/name) [oscal-control-statement-part-name]
` + verdict}, []any{status, out})
	status, out, _ = isso(t, "", "validate", "--open-lists", "--deprecated", "--level", "warning", "open.json")
	require.Equal(t, []any{0, verdict}, []any{status, out})
}

func TestQuery(t *testing.T) {
	inFolderWithRules(t)
	for _, tt := range []struct {
		name     string
		args     []string
		status   int
		out, err string
	}{
		{"nodes", []string{"//party/@type"}, 0, "party.json:3:66: /catalog[1]/metadata[1]/party[1]/@type robot\n", ""},
		{"assemblies", []string{"catalog/metadata/party"}, 0, "party.json:3:12: /catalog[1]/metadata[1]/party[1]\n", ""},
		{"values", []string{"count(//party), //party/name || '!'"}, 0, "1\nR2!\n", ""},
		{"nothing", []string{"//group"}, 0, "", ""},
		{"not Metapath", []string{"//party["}, 2, "", "isso: metapath \"//party[\" at offset 8: expected an expression, found the end of the expression [syntax]\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, err := isso(t, "", append(append([]string{"query"}, tt.args...), "party.json")...)
			require.Equal(t, []any{tt.status, tt.out, tt.err}, []any{status, out, err})
		})
	}
	status, out, _ := isso(t, "", "query", "--json", "//party/name", "party.json")
	require.Equal(t, 0, status)
	var got []queryResult
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, []queryResult{{
		Type: "field", Value: "R2", File: "party.json", Line: 3, Column: 81,
		Path: "/catalog[1]/metadata[1]/party[1]/name[1]", Pointer: "/catalog/metadata/parties/0/name",
	}}, got)
}

func TestListAllowedValues(t *testing.T) {
	status, out, err := isso(t, "", "list-allowed-values", "/catalog/metadata/party/@type")
	require.Equal(t, []any{0, "oscal-metadata-party-type-values (no others), target .\n  person\n  organization\n", ""}, []any{status, out, err})
	_, pointer, _ := isso(t, "", "list-allowed-values", "/catalog/metadata/parties/0/type")
	_, deep, _ := isso(t, "", "list-allowed-values", "//party/@type")
	require.Equal(t, []string{out, out}, []string{pointer, deep})
	status, out, err = isso(t, "", "list-allowed-values", "catalog/metadata/title")
	require.Equal(t, []any{0, "catalog/metadata/title: no constraint restricts the values\n", ""}, []any{status, out, err})
	status, _, err = isso(t, "", "list-allowed-values", "catalog/metadata/party/colour")
	require.Equal(t, 2, status)
	require.Contains(t, err, `there is no "colour" in /catalog[1]/metadata[1]/party[1]`)
}
