package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// referring has, on line 3, a link in a text to a control that is not there, on
// line 4 a party and a role that are not there, on line 5 two parts of one id and a parameter with that of a control.
const referring = `{"catalog":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"yes",
"last-modified":"2026-01-01T00:00:00Z","version":"1.10","oscal-version":"1.2.2",
"remarks":"See [it](#a-9).",
"responsible-parties":[{"role-id":"boss","party-uuids":["7b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10"]}]},
"controls":[{"id":"a-1","title":"One","parts":[{"id":"p","name":"statement","prose":"x"}]},
{"id":"b-1","title":"Two","params":[{"id":"a-1","label":"x"}],"parts":[{"id":"p","name":"statement","prose":"x"}]}]}}`

const (
	danglingLink = `r.json:3:11: warning: remarks refers to "#a-9"; expected the identifier of an object here or in an imported document, found none (at /catalog/metadata/remarks) [reference-dangling]` + "\n"
	noRole       = `r.json:4:24: the key "boss" is not in the index index-metadata-role-id (at /catalog/metadata/responsible-parties/0) [oscal-metadata-responsible-party-index-metadata-role-id]` + "\n"
	noParty      = `r.json:4:57: the key "7b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10" is not in the index index-metadata-party-uuid (at /catalog/metadata/responsible-parties/0/party-uuids/0) [oscal-index-metadata-party-uuid]` + "\n"
	sameID       = `r.json:6:37: warning: the param has the identifier "a-1" of the control at /catalog/controls/0 (at /catalog/controls/1/params/0) [identifier-duplicate]` + "\n" +
		"r.json:5:13: note: first with this identifier (at /catalog/controls/0)\n"
	sameKey = `r.json:6:72: the key "p" of the index catalog-parts stands here a second time (at /catalog/controls/1/parts/0) [oscal-catalog-parts]` + "\n" +
		"r.json:5:48: note: first with this key (at /catalog/controls/0/parts/0)\n"
	samePart = `r.json:6:72: warning: the part has the identifier "p" of the part at /catalog/controls/0/parts/0 (at /catalog/controls/1/parts/0) [identifier-duplicate]` + "\n" +
		"r.json:5:48: note: first with this identifier (at /catalog/controls/0/parts/0)\n"
	noRoleRef  = `r.json:4:35: role-id refers to "boss"; expected the identifier of a role here or in an imported document, found none (at /catalog/metadata/responsible-parties/0/role-id) [reference-dangling]` + "\n"
	noPartyRef = `r.json:4:57: party-uuid refers to "7b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10"; expected the identifier of a party here or in an imported document, found none (at /catalog/metadata/responsible-parties/0/party-uuids/0) [reference-dangling]` + "\n"
)

// complete is a catalog without a fault.
const complete = `{"catalog":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"Two",
"last-modified":"2026-01-01T00:00:00Z","version":"1.0","oscal-version":"1.2.2"},
"controls":[{"id":"a-1","title":"One","parts":[{"id":"a-1_smt","name":"statement","prose":"Do."}]}]}}`

// twoDocuments are a profile and the catalog that it imports, in which the
// control z-9 is not.
func twoDocuments(t *testing.T) {
	t.Helper()
	t.Chdir(t.TempDir())
	require.NoError(t, os.Mkdir("sub", 0o700))
	for name, text := range map[string]string{
		"r.json": referring, "sub/catalog.json": complete,
		"sub/profile.json": strings.ReplaceAll(baseline, "HREF", "catalog.json"),
		"web.json":         strings.ReplaceAll(baseline, "HREF", "https://example.org/c.json"),
	} {
		require.NoError(t, os.WriteFile(name, []byte(text), 0o600))
	}
}

func TestValidateReferences(t *testing.T) {
	twoDocuments(t)
	const noControl = `:3:%: with-id refers to "z-9"; expected the identifier of a control here or in an imported document, found none (at /profile/imports/0/include-controls/0/with-ids/1) [reference-dangling]` + "\n"
	const perhaps = `sub/profile.json:3:20: warning: href refers to "catalog.json", a document that is not at hand (at /profile/imports/0/href) [reference-unavailable]
sub/profile.json:3:68: warning: with-id refers to "a-1", a control that may be in an imported document that is not at hand (at /profile/imports/0/include-controls/0/with-ids/0) [reference-unavailable]
sub/profile.json:3:74: warning: with-id refers to "z-9", a control that may be in an imported document that is not at hand (at /profile/imports/0/include-controls/0/with-ids/1) [reference-unavailable]
sub/profile.json: valid profile, OSCAL 1.2.2
`
	const validCatalog = "sub/catalog.json: valid catalog, OSCAL 1.2.2\n"
	abs, err := filepath.Abs("sub/catalog.json")
	require.NoError(t, err)
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		out    string
	}{
		{"one fault, one finding", []string{"r.json"}, 1, danglingLink + noRole + noParty + sameID + sameKey},
		{"without constraints", []string{"r.json", "--no-constraints"}, 1, danglingLink + noRoleRef + noPartyRef + sameID + samePart},
		{"errors", []string{"r.json", "--level", "error"}, 1, noRole + noParty + sameKey},
		{"one rule", []string{"r.json", "--rule", "identifier-duplicate"}, 0, sameID + samePart + "r.json: valid catalog, OSCAL 1.2.2\n"},
		{"not some rules", []string{"r.json", "--not-rule", "reference-dangling", "--not-rule", "identifier-duplicate"}, 1, noRole + noParty + sameKey},
		{"off", []string{"r.json", "--references", "off"}, 1, noRole + noParty + sameKey},
		{"not given", []string{"sub/profile.json"}, 0, "sub/profile.json: valid profile, OSCAL 1.2.2\n"},
		{"not given, strict", []string{"sub/profile.json", "--references", "strict"}, 0, perhaps},
		{"given", []string{"sub/profile.json", "sub/catalog.json"}, 1, "sub/profile.json" + strings.Replace(noControl, "%", "74", 1) + validCatalog},
		{"given by another path", []string{abs, "./sub/profile.json"}, 1, abs + validCatalog[len("sub/catalog.json"):] + "./sub/profile.json" + strings.Replace(noControl, "%", "74", 1)},
		{"mapped", []string{"web.json", "sub/catalog.json", "--map", "https://example.org/c.json=sub/catalog.json"}, 1, "web.json" + strings.Replace(noControl, "%", "88", 1) + validCatalog},
	} {
		t.Run(tt.name, func(t *testing.T) {
			status, out, err := isso(t, "", append([]string{"validate"}, tt.args...)...)
			require.Equal(t, tt.out, out)
			require.Equal(t, []any{tt.status, ""}, []any{status, err})
		})
	}
	status, _, errs := isso(t, "", "validate", "r.json", "--references", "maybe")
	require.Equal(t, []any{2, "isso: --references: expected off, on or strict, found \"maybe\"\n"}, []any{status, errs})
}

// TestValidateRelated: JSON and SARIF have the other place of a finding too.
func TestValidateRelated(t *testing.T) {
	twoDocuments(t)
	status, out, _ := isso(t, "", "validate", "--json", "--rule", "identifier-duplicate", "r.json", "--no-constraints")
	require.Equal(t, 0, status)
	var got []report
	require.NoError(t, json.Unmarshal([]byte(out), &got))
	require.Equal(t, []finding{{
		Level: "warning", Rule: "identifier-duplicate", File: "r.json", Line: 6, Column: 37, Offset: strings.LastIndex(referring, `{"id":"a-1"`), Pointer: "/catalog/controls/1/params/0",
		Message: `the param has the identifier "a-1" of the control at /catalog/controls/0`,
		Related: []relatedPlace{{File: "r.json", Line: 5, Column: 13, Pointer: "/catalog/controls/0", Message: "first with this identifier"}},
	}}, got[0].Problems[:1])

	status, out, _ = isso(t, "", "validate", "--format", "sarif", "r.json")
	require.Equal(t, 1, status)
	type location struct {
		PhysicalLocation struct {
			Region struct{ StartLine, StartColumn int }
		}
		Message struct{ Text string }
	}
	var log struct {
		Runs []struct {
			Results []struct {
				RuleID           string
				RelatedLocations []location
			}
		}
	}
	require.NoError(t, json.Unmarshal([]byte(out), &log))
	var rules []string
	for _, r := range log.Runs[0].Results {
		rules = append(rules, r.RuleID)
	}
	require.Equal(t, []string{"reference-dangling", "oscal-metadata-responsible-party-index-metadata-role-id", "oscal-index-metadata-party-uuid", "identifier-duplicate", "oscal-catalog-parts"}, rules)
	var first location
	first.PhysicalLocation.Region.StartLine, first.PhysicalLocation.Region.StartColumn = 5, 13
	first.Message.Text = "first with this identifier"
	require.Equal(t, []location{first}, log.Runs[0].Results[3].RelatedLocations)
}

// TestReferencesKeepVerdicts: checking references makes no example of NIST
// invalid, and tells of documents that are not at hand only if asked to.
func TestReferencesKeepVerdicts(t *testing.T) {
	dir := corpus.Path(t, "oscal/documents/nist-examples")
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	status, out, errs := isso(t, "", append([]string{"validate"}, files...)...)
	require.Equal(t, []any{0, ""}, []any{status, errs}, out)
	require.Len(t, regexp.MustCompile(`(?m): valid [a-z-]+, OSCAL 1\.\d\.\d$`).FindAllString(out, -1), len(files))
	var warned []string
	for line := range strings.Lines(out) {
		if strings.Contains(line, ": warning: ") {
			warned = append(warned, line[strings.LastIndexByte(line, '['):])
		}
	}
	slices.Sort(warned)
	// These are in the examples, in each of the three formats: a link to #s1.2,
	// where the controls are s1.1.1 to s2.1.2, and one UUID of two statements.
	require.Equal(t, slices.Concat(
		slices.Repeat([]string{"[identifier-duplicate]\n"}, 3), slices.Repeat([]string{"[reference-dangling]\n"}, 3),
	), warned)
}
