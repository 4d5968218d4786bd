package constraint

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/profile"
)

// texts is a loader of texts by URI.
type texts map[string]string

func (m texts) Load(_ context.Context, uri string) (io.ReadCloser, string, error) {
	t, ok := m[uri]
	if !ok {
		return nil, "", fmt.Errorf("%s: %w", uri, fs.ErrNotExist)
	}
	return io.NopCloser(strings.NewReader(t)), "", nil
}

// fedramp loads FedRAMP's three sets.
func fedramp(tb testing.TB, opts *LoadOptions) []*Set {
	tb.Helper()
	var sets []*Set
	for _, name := range []string{"fedramp-external-allowed-values.xml", "fedramp-external-constraints.xml", "oscal-external-constraints.xml"} {
		s, err := Load(tb.Context(), name, bytes.NewReader(corpus.Read(tb, "oscal/constraints/fedramp", name)), opts)
		require.NoError(tb, err)
		sets = append(sets, s)
	}
	return sets
}

type fedrampCase struct {
	Constraint, Expect, Test string
	Note                     string
	ExpectFailures           int `json:"expect-failures"`
	Documents                []struct {
		File     string
		Verified bool
		Checked  int `json:"nodes-checked"`
		Failed   int `json:"nodes-failed"`
	}
}

type fedrampTable struct {
	Cases  []fedrampCase
	URIMap map[string]string `json:"uri-map"`
}

// loader serves what the table maps links to, and nothing else.
func (table fedrampTable) loader(tb testing.TB) texts {
	m := texts{}
	for link, file := range table.URIMap {
		m[link] = string(corpus.Read(tb, "oscal/constraints/fedramp", file))
	}
	return m
}

// A fedrampNeed is what a document of the table needs beside what the table
// gives: the README of the corpus says of these six that they need the network
// or an option. What lies on the network has a stand-in here.
type fedrampNeed struct {
	constraint, file string
	links            map[string]string // link to file of the corpus; an image of one's own for ""
	relativeRoot     bool              // a slash at the start is meant relative to the context
	resolved         bool              // the document is the profile's resolved catalog
}

const (
	boundaryImage = "https://github.com/GSA/fedramp-automation/blob/9a8e155668d4f7a26ffc372b73d568b074854aac/src/content/awesome-cloud/artifacts/AwesomeCloudHLA1.png"
	nistCatalog   = "https://raw.githubusercontent.com/usnistgov/oscal-content/main/nist.gov/SP800-53/rev5/xml/NIST_SP-800-53_rev5_catalog.xml"
	// The published baseline of the table comes from a catalog that does not know
	// aggregates yet; NIST's own of version 5.1.1 does.
	moderate     = "https://raw.githubusercontent.com/GSA/fedramp-automation/refs/heads/master/dist/content/rev5/baselines/xml/FedRAMP_rev5_MODERATE-baseline_profile.xml"
	moderate511  = "controls/catalogs/NIST_SP-800-53_rev5_MODERATE-baseline-resolved-profile_catalog-min.json"
	fedrampFiles = "oscal/constraints/fedramp/"
)

var fedrampNeeds = []fedrampNeed{
	{constraint: "aggregate-parameters-warning", file: "content/ssp-aggregate-parameters-warning-INVALID.xml", links: map[string]string{moderate: moderate511}},
	{constraint: "data-center-count", file: "content/fedramp-ssp-example.oscal.xml", relativeRoot: true},
	{constraint: "has-authorization-boundary-diagram-link-href-target", file: "content/ssp-has-authorization-boundary-diagram-link-href-target-VALID-1.xml", links: map[string]string{boundaryImage: ""}},
	{constraint: "has-data-flow-diagram-link-href-target", file: "content/ssp-has-data-flow-diagram-link-href-target-VALID-1.xml", links: map[string]string{boundaryImage: ""}},
	{constraint: "has-network-architecture-diagram-link-href-target", file: "content/ssp-has-network-architecture-diagram-link-href-target-VALID-1.xml", links: map[string]string{boundaryImage: ""}},
	{constraint: "prop-response-point-has-cardinality-one", file: "content/profile-all-VALID.xml", resolved: true, links: map[string]string{
		"fedramp-tailoring-profile.xml": fedrampFiles + "content/fedramp-tailoring-profile.xml",
		nistCatalog:                     "oscal/catalogs/nist-rev5/NIST_SP-800-53_rev5_catalog.xml",
	}},
}

// loader serves the links of a need before those of the table.
func (n fedrampNeed) loader(tb testing.TB, table texts) texts {
	m := maps.Clone(table)
	for link, file := range n.links {
		m[link] = "\x89PNG\r\n\x1a\n"
		if file != "" {
			m[link] = string(corpus.Read(tb, file))
		}
	}
	return m
}

// TestFedRAMP runs FedRAMP's unit tests of its constraints, with and without
// the built-in set beside them: the 178 documents that the corpus has verified,
// two that compare a date in a string flag with the present time, and six with
// what they need beside.
func TestFedRAMP(t *testing.T) {
	table := readJSON[fedrampTable](t, "fedramp/cases.json")
	require.Len(t, table.Cases, 176)
	sets := fedramp(t, nil)
	total := 0
	for _, s := range sets {
		for range s.Constraints() {
			total++
		}
	}
	require.Equal(t, 188, total)
	links, relative := table.loader(t), fedramp(t, &LoadOptions{RelativeRoot: true})
	// One validation with all constraints serves all cases of a document.
	reports := map[string]*Report{}
	report := func(t *testing.T, file string, need fedrampNeed, alone bool) *Report {
		key := fmt.Sprint(file, need.constraint, alone)
		if reports[key] == nil {
			doc, err := oscal.Parse(string(corpus.Read(t, fedrampFiles, file)), nil)
			if doc == nil {
				t.Fatal(err)
			}
			loader := need.loader(t, links)
			if need.resolved {
				r, err := profile.NewResolver(loader, nil).Resolve(t.Context(), doc, nil)
				require.NoError(t, err)
				doc = r.Catalog
			}
			opts := Options{
				Sets: sets, NoBuiltIn: alone, NoStructure: true, Loader: loader, Counts: true,
				Now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC),
			}
			if need.relativeRoot {
				opts.Sets = relative
			}
			reports[key], err = Validate(t.Context(), doc, &opts)
			require.NoError(t, err)
		}
		return reports[key]
	}
	var checked struct{ verified, others, withNeeds int }
	for _, c := range table.Cases {
		t.Run(c.Test, func(t *testing.T) {
			for _, d := range c.Documents {
				var need fedrampNeed
				if i := slices.IndexFunc(fedrampNeeds, func(n fedrampNeed) bool { return n.constraint == c.Constraint && n.file == d.File }); i >= 0 {
					need = fedrampNeeds[i]
				}
				for _, alone := range []bool{true, false} {
					r := report(t, d.File, need, alone)
					passed, failed := 0, 0
					for _, n := range r.Counts {
						if n.Constraint.ID == c.Constraint {
							passed += n.Passed
							failed += n.Failed
						}
					}
					require.Positive(t, passed+failed, "nothing was looked at in %s", d.File)
					switch {
					case c.ExpectFailures > 0:
						require.Equal(t, c.ExpectFailures, failed)
					case c.Expect == "pass":
						require.Zero(t, failed, r.Findings)
					default:
						require.Zero(t, passed, d.File)
					}
					if d.Verified {
						require.Equal(t, [2]int{d.Checked, d.Failed}, [2]int{passed + failed, failed})
					}
				}
				switch {
				case d.Verified:
					checked.verified++
				case need.constraint != "":
					checked.withNeeds++
				default:
					checked.others++
				}
			}
		})
	}
	require.Equal(t, struct{ verified, others, withNeeds int }{178, 2, 6}, checked)
}

// olderSet is a set in the older form.
const olderSet = `<METASCHEMA-CONSTRAINTS xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0">
  <scope metaschema-namespace="http://csrc.nist.gov/ns/oscal/1.0" metaschema-short-name="oscal-catalog">
    <assembly target="//control">
      <has-cardinality id="one-part" target="part" min-occurs="1" max-occurs="1"/>
    </assembly>
    <field target="//*/title"><matches id="short" regex=".{1,3}"/></field>
    <flag target="//control/@id"><matches id="token" datatype="token"/></flag>
  </scope>
</METASCHEMA-CONSTRAINTS>`

func TestLoadOlderForm(t *testing.T) {
	set, err := Load(t.Context(), "older.xml", strings.NewReader(olderSet), nil)
	require.NoError(t, err)
	doc, err := oscal.Parse(fuzzDocument, nil)
	require.NoError(t, err)
	r, err := Validate(t.Context(), doc, &Options{Sets: []*Set{set}, NoBuiltIn: true, Counts: true})
	require.NoError(t, err)
	got := map[string][2]int{}
	for _, c := range r.Counts {
		got[c.Constraint.ID] = [2]int{c.Passed, c.Failed}
	}
	require.Equal(t, map[string][2]int{"one-part": {1, 1}, "short": {4, 0}, "token": {2, 0}}, got)
	require.Len(t, r.Findings, 1)
	require.Equal(t, "/catalog[1]/group[1]/control[2]", r.Findings[0].Path)
	require.Equal(t, "expected exactly 1 of part, found 0", r.Findings[0].Message)
}

const setStart = `<metaschema-meta-constraints xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0">` + "\n"

// inContext puts constraints on the third line of a set with one context.
func inContext(constraints string) string {
	return setStart + `<context><metapath target="/catalog"/><constraints>` + "\n" + constraints + `</constraints></context></metaschema-meta-constraints>`
}

func TestLoadProblems(t *testing.T) {
	loader := texts{
		"dir/a.xml":    setStart + `<import href="b.xml"/></metaschema-meta-constraints>`,
		"dir/b.xml":    setStart + `<import href="a.xml"/></metaschema-meta-constraints>`,
		"dir/self.xml": setStart + `<import href="self.xml"/></metaschema-meta-constraints>`,
		"dir/bad.xml":  inContext(`<expect test="1 +"/>`),
	}
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"empty", "", []string{"dir/set.xml: there is no root element"}},
		{"not XML", "{}", []string{"dir/set.xml: there is no root element"}},
		{"broken", setStart + "<context>", []string{"dir/set.xml:2:10: not well-formed: unexpected EOF"}},
		{"document type", `<!DOCTYPE x [<!ENTITY a "b">]>` + setStart, []string{"dir/set.xml:1:1: a document type is not allowed"}},
		{"unknown entity", setStart + "&lol;", []string{"dir/set.xml:2:6: not well-formed: invalid character entity &lol;"}},
		{"namespace", "<metaschema-meta-constraints/>", []string{`dir/set.xml:1:1: expected an element of the namespace http://csrc.nist.gov/ns/oscal/metaschema/1.0, found one of ""`}},
		{"another root", `<METASCHEMA xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0"/>`, []string{"dir/set.xml:1:1: expected metaschema-meta-constraints or METASCHEMA-CONSTRAINTS, found METASCHEMA"}},
		{"circle", setStart + `<import href="a.xml"/></metaschema-meta-constraints>`, []string{"dir/b.xml:2:1: the imports go in a circle: dir/set.xml, dir/a.xml, dir/b.xml, dir/a.xml"}},
		{"itself", setStart + `<import href="self.xml"/></metaschema-meta-constraints>`, []string{"dir/self.xml:2:1: the imports go in a circle: dir/set.xml, dir/self.xml, dir/self.xml"}},
		{"import missing", setStart + `<import href="../none.xml"/><import/></metaschema-meta-constraints>`, []string{
			"dir/set.xml:2:1: cannot import none.xml: none.xml: file does not exist", "dir/set.xml:2:29: the import has no href",
		}},
		{"import wrong", setStart + `<import href="bad.xml"/></metaschema-meta-constraints>`, []string{
			`dir/bad.xml:3:1: test: expected an expression, found the end of the expression at offset 3 [syntax] in "1 +"`,
		}},
		{"unknown kinds", inContext("<expects/><index name='a'/>") + "", []string{
			"dir/set.xml:3:1: there is no kind of constraint expects", "dir/set.xml:3:11: index has no key-field",
		}},
		{"all at once", inContext(`<expect/><matches/><matches datatype="colour"/><has-cardinality min-occurs="many"/><allowed-values level="LOUD" extra="1"><enum/></allowed-values>`), []string{
			"dir/set.xml:3:1: expect lacks the attribute test", "dir/set.xml:3:10: matches lacks a regex or a datatype",
			`dir/set.xml:3:20: there is no data type "colour"`, `dir/set.xml:3:48: min-occurs is "many", expected a number`,
			"dir/set.xml:3:84: allowed-values has no attribute extra", `dir/set.xml:3:84: there is no level "LOUD"`,
			"dir/set.xml:3:123: enum lacks the attribute value",
		}},
		{"lets", inContext(`<let var="a" expression="$b"/><let var="b" expression="$b"/><let var="c" expression="$a"/><expect test="$d"/>`), []string{
			`dir/set.xml:3:1: expression: nothing binds the variable $b at offset 0 [variable] in "$b"`,
			`dir/set.xml:3:31: expression: nothing binds the variable $b at offset 0 [variable] in "$b"`,
			`dir/set.xml:3:91: test: nothing binds the variable $d at offset 0 [variable] in "$d"`,
		}},
		{"functions", inContext(`<expect test="frobnicate(.)"/><expect test="count()"/><expect test="starts_with(.,'a')"/>`), []string{
			`dir/set.xml:3:1: test: there is no function frobnicate at offset 0 [function] in "frobnicate(.)"`,
			`dir/set.xml:3:31: test: count takes 1 argument, not 0 at offset 0 [function] in "count()"`,
			`dir/set.xml:3:55: test: there is no function starts_with; did you mean starts-with? at offset 0 [function] in "starts_with(.,'a')"`,
		}},
		{"regular expressions", inContext(`<matches regex="(a)\1"/><matches regex="a{2000}"/><expect test="matches(., '[a')"/><index name="i"><key-field target="@a" pattern="(.)(.)"/></index>`), []string{
			`dir/set.xml:3:1: regular expression "(a)\\1": at 3: back-references are not supported`,
			`dir/set.xml:3:25: regular expression "a{2000}": invalid repeat count`,
			`dir/set.xml:3:51: test: regular expression "[a": at 0: the class is not closed at offset 11 [unsupported] in "matches(., '[a')"`,
			`dir/set.xml:3:84: the pattern "(.)(.)" of a key must have exactly one group, it has 2`,
		}},
		{"unknown index", inContext(`<index-has-key name="nowhere"><key-field target="@a"/></index-has-key>`), []string{`dir/set.xml:3:1: nothing defines the index "nowhere"`}},
		{"message", inContext(`<expect test="1"><message>{count(}</message></expect>`), []string{
			`dir/set.xml:3:1: message: expected an expression, found the end of the expression at offset 6 [syntax] in "count("`,
		}},
		{"namespaces", setStart + `<namespace-binding prefix="o" uri="http://csrc.nist.gov/ns/oscal/1.0"/><namespace-binding prefix="x" uri="urn:x"/><context><metapath target="/o:catalog/x:y/z:w"/></context></metaschema-meta-constraints>`, []string{
			`dir/set.xml:2:124: target: names of the namespace "urn:x" are not supported at offset 11 [unsupported] in "/o:catalog/x:y/z:w"`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			set, err := Load(t.Context(), "dir/set.xml", strings.NewReader(tt.text), &LoadOptions{Loader: loader})
			require.Nil(t, set)
			var got []string
			for _, p := range err.(Problems) {
				got = append(got, p.Error())
			}
			require.Equal(t, tt.want, got)
		})
	}
	_, err := Load(t.Context(), "a.xml", strings.NewReader(setStart+`<import href="b.xml"/></metaschema-meta-constraints>`), nil)
	require.ErrorIs(t, err, ErrNoLoader)
	_, err = Load(t.Context(), "a.xml", strings.NewReader(inContext(`<expect test="1 +"/>`)), nil)
	require.ErrorIs(t, err, ErrStatic)
	_, err = Load(t.Context(), "a.xml", strings.NewReader(inContext("")), &LoadOptions{MaxBytes: 50})
	require.EqualError(t, err, "constraint: a.xml: the file has more than 50 bytes")
}
