package oscal

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// differences lists the paths at which two trees differ by rule R1 of the
// corpus: flags and simple values as written, markup as trees, an empty text of
// markup as none.
func differences(a, b *Node) []string {
	var out []string
	pair := func(x, y *Node) {
		switch {
		case x.member != y.member:
			out = append(out, "order: "+indexed(x))
		case x.member.dtype.isMarkup():
			if m, n := x.Markup(), y.Markup(); !m.Equal(n) {
				out = append(out, indexed(x))
			}
		case x.value != y.value:
			out = append(out, indexed(x))
		}
		out = append(out, differences(x, y)...)
	}
	x, y := nextNode(a.first), nextNode(b.first)
	for x != nil && y != nil {
		switch {
		case x.member.order < y.member.order:
			out = append(out, "left only: "+indexed(x))
			x = nextNode(x.next)
		case x.member.order > y.member.order:
			out = append(out, "right only: "+indexed(y))
			y = nextNode(y.next)
		default:
			pair(x, y)
			x, y = nextNode(x.next), nextNode(y.next)
		}
	}
	for ; x != nil; x = nextNode(x.next) {
		out = append(out, "left only: "+indexed(x))
	}
	for ; y != nil; y = nextNode(y.next) {
		out = append(out, "right only: "+indexed(y))
	}
	return out
}

// nextNode passes over markup that says nothing.
func nextNode(n *Node) *Node {
	for n != nil && n.member.dtype == TypeMarkupMultiline && len(n.Markup().Children) == 0 {
		n = n.next
	}
	return n
}

var index = regexp.MustCompile(`/(\d+)`)

// indexed is the pointer of a node as the tables of the corpus write it.
func indexed(n *Node) string { return index.ReplaceAllString(n.Pointer(), "[$1]") }

func mustParse(t testing.TB, file string) *Document {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	return mustParseText(t, string(data))
}

func mustParseText(t testing.TB, text string) *Document {
	t.Helper()
	doc, err := Parse(text, nil)
	require.NotNil(t, doc, "%v", err)
	return doc
}

func written(t testing.TB, doc *Document, f Format) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, doc.Write(&b, &WriteOptions{Format: f}))
	return b.String()
}

// TestEquivalence reads the documents that were published in several formats:
// the trees are equal but for the leaves that the corpus lists as different on
// purpose, and those do differ.
func TestEquivalence(t *testing.T) {
	type diff struct {
		Path string
		Kind string
		XML  string `json:"xml_vs_json"`
	}
	type pair struct {
		Intended, Other []diff
		Scalars         []string `json:"unquoted_yes_no"`
	}
	var table struct {
		Documents []struct {
			Document string
			XMLJSON  *pair `json:"xml-json"`
			JSONYAML *pair `json:"json-yaml"`
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "oscal/documents/equivalence.json"), &table))
	objectives := []string{
		"/assessment-results/local-definitions/objectives-and-methods[1]/parts[0]/prose",
		"/assessment-results/local-definitions/objectives-and-methods[2]/parts[0]/prose",
		"/assessment-results/local-definitions/objectives-and-methods[3]/parts[0]/prose",
	}
	// What the table does not say, because it compares Markdown as text where we
	// compare trees, or trusts the converter that wrote the JSON.
	more := map[string][]string{
		// The title holds <em> Security ...</em>, the JSON "* Security ...*": an
		// asterisk before a space opens no emphasis (CommonMark 0.31.2, section 6.2).
		"NIST_SP-800-53_rev5_catalog.xml":                                    {"/catalog/back-matter/resources[190]/title", "/catalog/back-matter/resources[191]/title"},
		"NIST_SP-800-53_rev5_LOW-baseline-resolved-profile_catalog.xml":      {"/catalog/back-matter/resources[134]/title"},
		"NIST_SP-800-53_rev5_MODERATE-baseline-resolved-profile_catalog.xml": {"/catalog/back-matter/resources[146]/title"},
		// <p> - defines ...</p> is a paragraph, "\n\n - defines ..." is a list, as case
		// markup-36 of the corpus has it.
		"FedRAMP-SAR-OSCAL-Template.xml": objectives,
	}
	// The YAML has a line break in the same list item: a space, in a tree.
	less := map[string][]string{"FedRAMP-SAR-OSCAL-Template.yaml": objectives}
	pairs := 0
	for _, d := range table.Documents {
		base := filepath.Join(corpus.Path(t, "oscal"), d.Document)
		fromJSON := base + ".json"
		if _, err := os.Stat(fromJSON); err != nil {
			fromJSON = base + "-min.json"
		}
		for ext, p := range map[string]*pair{".xml": d.XMLJSON, ".yaml": d.JSONYAML} {
			if p == nil {
				continue
			}
			pairs++
			t.Run(filepath.Base(base)+ext, func(t *testing.T) {
				want := more[filepath.Base(base)+ext]
				for _, x := range append(p.Intended, p.Other...) {
					if x.XML == "an empty paragraph | an empty string" {
						continue // equal by R1: an empty block is no block
					}
					if !slices.Contains(less[filepath.Base(base)+ext], x.Path) {
						want = append(want, x.Path)
					}
				}
				a, b := mustParse(t, base+ext), mustParse(t, fromJSON)
				require.ElementsMatch(t, want, differences(a.root, b.root))
			})
		}
	}
	require.Equal(t, 37, pairs)
}
