package oscal

import (
	"encoding/base64"
	"os"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

func corpusDocuments(t testing.TB, folder string, names ...string) []*Document {
	t.Helper()
	var docs []*Document
	for _, name := range names {
		doc, err := Parse(string(corpus.Read(t, folder, name)), &ReadOptions{Name: name})
		require.NotNil(t, doc, "%v", err)
		docs = append(docs, doc)
	}
	return docs
}

func problemTexts(ps Problems) []string {
	var out []string
	for _, p := range ps {
		out = append(out, p.Error())
	}
	return out
}

// TestReferencesOfCatalogs: in a whole catalog everything resolves. The full
// catalogs of NIST link only to what is in them.
func TestReferencesOfCatalogs(t *testing.T) {
	for _, file := range []string{"nist-rev5/NIST_SP-800-53_rev5_catalog.json", "nist-rev4/NIST_SP-800-53_rev4_catalog-min.json"} {
		docs := corpusDocuments(t, "oscal/catalogs", file)
		states := map[ReferenceState]int{}
		for _, r := range References(docs, nil) {
			states[r.State]++
		}
		require.Greater(t, states[Resolved], 3000)
		require.Zero(t, states[Dangling]+states[WrongKind]+states[Unavailable])
		require.Empty(t, CheckReferences(docs, nil))
	}
}

// TestReferencesOfPackage follows the imports of NIST's example package. It has
// a fault of its own: a POA&M item names a mitigating factor as its risk.
func TestReferencesOfPackage(t *testing.T) {
	docs := corpusDocuments(t, "authorization/packages/nist-ifa/json",
		"ifa_ssp-example.json", "ifa_assessment-plan-example.json", "ifa_assessment-results-example.json", "ifa_plan-of-action-and-milestones.json")
	opts := &ReferenceOptions{Load: func(_ *Document, href string) *Document {
		// The links of the examples use names that the files do not have.
		i := slices.Index([]string{"ssp.oscal.xml", "ap.oscal.xml"}, path.Base(href))
		if i < 0 {
			return nil
		}
		return docs[i]
	}}
	var wrong []string
	for _, p := range CheckReferences(docs, opts).Errors() {
		wrong = append(wrong, p.Error())
		require.Len(t, p.Related, 1)
		require.True(t, p.Related[0].Position.IsValid())
	}
	require.Equal(t, []string{
		`ifa_plan-of-action-and-milestones.json:208:26: risk-uuid refers to "401c15c9-ad6b-4d4a-a591-7d53a3abb3b6"; expected a risk, found a mitigating-factor (at /plan-of-action-and-milestones/poam-items/0/related-risks/0/risk-uuid) [reference-wrong-kind]`,
	}, wrong)
	across := 0
	for _, r := range References(docs, opts) {
		if r.State == Resolved && r.ToDoc != r.Doc {
			across++
		}
	}
	require.Greater(t, across, 5, "references lead from one document to another")
}

// TestReferencesBreak: whoever renames an object is told of every reference to
// it.
func TestReferencesBreak(t *testing.T) {
	for _, file := range []string{"nist-ifa/json/ifa_ssp-example.json", "nist-ifa/json/ifa_assessment-results-example.json", "fedramp-rev5-templates/json/FedRAMP-SSP-OSCAL-Template.json"} {
		doc := corpusDocuments(t, "authorization/packages", file)[0]
		to := map[*Node]int{}
		for _, r := range References([]*Document{doc}, nil) {
			if r.State == Resolved && len(r.Kinds) > 0 {
				to[r.To]++
			}
		}
		require.NotEmpty(t, to)
		done := 0
		for n := range doc.Root().Walk() {
			id := n.Child("uuid")
			if id == nil {
				id = n.Child("id")
			}
			if to[n] == 0 || id == nil || done == 10 {
				continue
			}
			done++
			was := id.Value()
			broken := func() int {
				count := 0
				for _, r := range References([]*Document{doc}, nil) {
					if r.Target == was && r.State != Resolved {
						count++
					}
				}
				return count
			}
			before := broken()
			id.SetValue("11111111-1111-4111-8111-111111111111")
			require.GreaterOrEqual(t, broken()-before, to[n], "%s %s", file, n.Pointer())
			id.SetValue(was)
		}
	}
}

func TestCheckReferences(t *testing.T) {
	const head = `"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"T","last-modified":"2026-01-01T00:00:00Z","version":"1","oscal-version":"1.2.2"`
	read := func(name, text string) *Document {
		doc, err := Parse(strings.Replace(text, "HEAD", head, 1), &ReadOptions{Name: name})
		require.NotNil(t, doc, "%v", err)
		return doc
	}
	catalog := read("base/catalog.json", `{"catalog":{HEAD,"parties":[{"uuid":"6b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","type":"person"}]},
"controls":[{"id":"a","title":"A","params":[{"id":"p"}],"parts":[{"name":"statement","id":"a_smt","prose":"{{ insert: param, p }} [b](#b) {{ insert: param, q }}"}]},
{"id":"a","title":"again","links":[{"href":"#c"},{"href":"https://example.org"},{"href":"#6b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10"}]}]}}`)
	profile := read("base/profile.json", `{"profile":{HEAD},
"imports":[{"href":"catalog.json","include-controls":[{"with-ids":["a","z"]}]},{"href":"../none.json","include-all":{}}],
"modify":{"set-parameters":[{"param-id":"p"},{"param-id":"a_smt"}]}}}`)
	require.Equal(t, []string{
		`base/catalog.json:2:107: warning: prose refers to "#b"; expected the identifier of an object here or in an imported document, found none (at /catalog/controls/0/parts/0/prose) [reference-dangling]`,
		`base/catalog.json:2:107: prose refers to "q"; expected the identifier of a param here or in an imported document, found none (at /catalog/controls/0/parts/0/prose) [reference-dangling]`,
		`base/catalog.json:3:1: the control has the identifier "a" of the control at /catalog/controls/0 (at /catalog/controls/1) [identifier-duplicate]`,
		`base/catalog.json:3:44: warning: href refers to "#c"; expected the identifier of an object here or in an imported document, found none (at /catalog/controls/1/links/0/href) [reference-dangling]`,
		`base/profile.json:2:72: warning: with-id refers to "z", a control that may be in an imported document that is not at hand (at /profile/imports/0/include-controls/0/with-ids/1) [reference-unavailable]`,
		`base/profile.json:2:88: warning: href refers to "../none.json", a document that is not at hand (at /profile/imports/1/href) [reference-unavailable]`,
		`base/profile.json:3:58: param-id refers to "a_smt"; expected a param, found a part (at /profile/modify/set-parameters/1/param-id) [reference-wrong-kind]`,
	}, problemTexts(CheckReferences([]*Document{catalog, profile}, nil)))
}

// TestReferenceRules: what tells one identifier from another.
func TestReferenceRules(t *testing.T) {
	const head = `"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"T","last-modified":"2026-01-01T00:00:00Z","version":"1","oscal-version":"1.2.2"`
	const party, resource = "6b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10", "7b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10"
	const catalog = `{"catalog":{HEAD,"roles":[{"id":"ac","title":"R"}]},"groups":[{"id":"ac","title":"G","controls":[
{"id":"ac-1","title":"A","params":[{"id":"p"}],"parts":[{"name":"statement","id":"ac-1_smt"}]},{"id":"ac-2","title":"B","parts":[{"name":"statement","id":"ac-2_smt"}]}]}]}}`
	plan := func(requirement string) string {
		return `{"system-security-plan":{HEAD},"import-profile":{"href":"catalog.json"},"control-implementation":{"description":"d","implemented-requirements":[` + requirement + `]}}}`
	}
	profile := func(rest string) string {
		return `{"profile":{HEAD,"parties":[{"uuid":"` + party + `","type":"person"}]},"imports":[{"href":"catalog.json"}],` + rest + `}}`
	}
	embedded := base64.StdEncoding.EncodeToString([]byte(strings.Replace(catalog, "HEAD", head, 1)))
	for _, tt := range []struct {
		name, text string
		want       []string // messages
	}{
		{"role and group of one identifier", catalog, nil},
		{"letters of another case", profile(`"modify":{"set-parameters":[{"param-id":"P"},{"param-id":"p"}],"alters":[{"control-id":"AC-1"}]}`), []string{
			`param-id refers to "P"; expected the identifier of a param here or in an imported document, found none`,
			`control-id refers to "AC-1"; expected the identifier of a control here or in an imported document, found none`,
		}},
		{"UUID in capitals", profile(`"back-matter":{"resources":[{"uuid":"` + resource + `","props":[{"name":"a","value":"b"}]}]},"merge":{"as-is":true},"modify":{"alters":[{"control-id":"ac-1","adds":[{"links":[{"href":"#` + strings.ToUpper(resource) + `"}]}]}]}`), nil},
		{"places of alterations", profile(`"modify":{"alters":[{"control-id":"ac-1","removes":[{"by-id":"ac-1_smt"},{"by-id":"gone"}],"adds":[{"by-id":"nowhere"}]}]}`), []string{
			`by-id refers to "gone"; expected the identifier of an object here or in an imported document, found none`,
			`by-id refers to "nowhere"; expected the identifier of an object here or in an imported document, found none`,
		}},
		{"import of a party", strings.Replace(profile(`"merge":{"as-is":true}`), "catalog.json", "#"+party, 1), []string{`href refers to "#` + party + `"; expected a catalog or profile, found a party`}},
		{"import of what a resource holds", strings.Replace(profile(`"back-matter":{"resources":[{"uuid":"`+resource+`","base64":{"value":"`+embedded+`"}}]},"modify":{"set-parameters":[{"param-id":"p"}]}`), "catalog.json", "#"+resource, 1), nil},
		{"statement of the control", plan(`{"uuid":"` + resource + `","control-id":"ac-1","statements":[{"uuid":"` + party + `","statement-id":"ac-1_smt"}]}`), nil},
		{"statement of another control", plan(`{"uuid":"` + resource + `","control-id":"ac-2","statements":[{"uuid":"` + party + `","statement-id":"ac-1_smt"}]}`), []string{
			`statement-id refers to "ac-1_smt"; expected a part of "ac-2", found a part of "ac-1"`,
		}},
		{"fragments of documents", profile(`"modify":{"alters":[{"control-id":"ac-1","adds":[{"links":[{"href":"catalog.json","resource-fragment":"ac-1"},{"href":"catalog.json","resource-fragment":"ac-9"},{"href":"https://example.org","resource-fragment":"x"}]}]}]}`), []string{
			`resource-fragment refers to "ac-9"; expected the identifier of an object here or in an imported document, found none`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var docs []*Document
			for _, d := range []struct{ name, text string }{{"catalog.json", catalog}, {"x.json", tt.text}} {
				doc, err := Parse(strings.Replace(d.text, "HEAD", head, 1), &ReadOptions{Name: d.name})
				require.NotNil(t, doc, err)
				docs = append(docs, doc)
			}
			var got []string
			for _, p := range CheckReferences(docs, nil) {
				require.Equal(t, "x.json", p.File)
				got = append(got, p.Message)
			}
			require.Equal(t, tt.want, got)
		})
	}
}

func TestMarkupReferences(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []markupReference
	}{
		{"plain", nil},
		{"{{ insert: param, ac-1_prm_1 }} and {{insert:param,x}}", []markupReference{{[]string{"param"}, "ac-1_prm_1"}, {[]string{"param"}, "x"}}},
		{"[a](#b) [c](https://example.org) [d](#e \"title\")", []markupReference{{nil, "#b"}, {nil, "#e"}}},
		{"`{{ insert: param, x }}` and `[a](#b)` are code", nil},
		{"{{ {{ insert: x", nil},
		{"](# ](#", nil},
		{"[a][b] and [c]\n\n[b]: #d\n[c]: <#e>", []markupReference{{nil, "#d"}, {nil, "#e"}}},
	} {
		n := NewNode(rootByName("catalog").Definition().Member("metadata").Definition().Member("remarks"))
		n.SetValue(tt.text)
		require.Equal(t, tt.want, markupReferences(n), tt.text)
	}
}

// TestReferencesNeverPanic runs over every document of the corpus, the broken
// ones too.
func TestReferencesNeverPanic(t *testing.T) {
	for _, file := range documents(t, "oscal/documents", "oscal/constraints/cli", "controls/mapping") {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		if doc, _ := Parse(string(data), nil); doc != nil && len(data) < 300_000 {
			CheckReferences([]*Document{doc}, nil)
		}
	}
}
