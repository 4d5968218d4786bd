package oscal

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// seed adds the smaller documents of the corpus in one format.
func seed(f *testing.F, format Format) {
	f.Add(minimal)
	for _, file := range documents(f, "oscal/documents", "oscal/constraints/cli") {
		data, err := os.ReadFile(file)
		require.NoError(f, err)
		if doc, _ := Parse(string(data), nil); len(data) < 4000 && doc != nil && doc.Format() == format {
			f.Add(string(data))
		}
	}
}

// roundTrip is the property of all readers: what is read without error can be
// written in all forms, and read again it is equal.
func roundTrip(t *testing.T, text string, format Format, m *Metaschema) {
	doc, err := Parse(text, &ReadOptions{Format: format, Metaschema: m, MaxNodes: 10000})
	if err != nil {
		if doc == nil {
			requireLocated(t, err)
		}
		return
	}
	for _, form := range []Format{JSON, YAML} {
		var b bytes.Buffer
		require.NoError(t, doc.Write(&b, &WriteOptions{Format: form}))
		again, err := Parse(b.String(), &ReadOptions{Format: form, Metaschema: m})
		require.NoError(t, err, b.String())
		require.NoError(t, equalTrees(doc.root, again.root), b.String())
	}
	var b bytes.Buffer
	if err := doc.Write(&b, &WriteOptions{Format: XML}); err != nil {
		require.ErrorIs(t, err, ErrInvalid) // a character that XML has no form for
		return
	}
	again, err := Parse(b.String(), &ReadOptions{Format: XML, Metaschema: m})
	require.NoError(t, err, b.String())
	require.Empty(t, differences(doc.root, again.root), b.String())
}

func FuzzJSON(f *testing.F) {
	seed(f, JSON)
	f.Fuzz(func(t *testing.T, text string) { roundTrip(t, text, JSON, nil) })
}

func FuzzYAML(f *testing.F) {
	seed(f, YAML)
	f.Fuzz(func(t *testing.T, text string) { roundTrip(t, text, YAML, nil) })
}

func FuzzXML(f *testing.F) {
	seed(f, XML)
	f.Fuzz(func(t *testing.T, text string) { roundTrip(t, text, XML, nil) })
}

// FuzzMarkdown reads any text as Markdown: the tree is the same when it is
// written as Markdown or as XML and read again.
func FuzzMarkdown(f *testing.F) {
	for _, c := range markupCases(f) {
		f.Add(c.Markdown)
	}
	for _, text := range []string{
		"[x]: #y\n---", "[x]: #y\n-\n", "[x]: #y\n---\n[a](#b)", "[x]: #y\n|-|", "*__max_n~(i)~__*", "0*0**0000**000000*0", "- ```\n  a\n      \n  b\n  ```",
		"|a|b|\n|-|-|\n|c|d|e|\n|f|", "~~~ a`b\nc\n~~~",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return !isXMLChar(r) }) {
			return
		}
		for _, typ := range []DataType{TypeMarkupLine, TypeMarkupMultiline} {
			requireStable(t, ParseMarkup(text, typ), typ)
		}
	})
}

// FuzzMarkupXML reads any content of an element as markup.
func FuzzMarkupXML(f *testing.F) {
	for _, c := range markupCases(f) {
		f.Add(c.XML)
	}
	for _, text := range []string{
		"<p><em><strong>max_n<sub>(i)</sub></strong></em></p>", "<p><em>\u00a0<strong>a<br/></strong>===</em></p>", "<p><em>a_b</em>c_<strong>d_e</strong>f</p>",
		"<ul><li><pre>a\n    \nb</pre></li></ul>", `<p><a href="u">x<a href="v">y</a></a></p>`,
		"<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, typ := range []DataType{TypeMarkupLine, TypeMarkupMultiline} {
			if m, ps := xmlTree(text, typ); ps.Errors() == nil {
				requireStable(t, m, typ)
			}
		}
	})
}
