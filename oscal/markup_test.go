package oscal

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// xmlMarkup reads the XML form of markup, as a document would have it.
func xmlMarkup(t testing.TB, text string, typ DataType) (*Markup, Problems) {
	t.Helper()
	doc, err := Parse(markupDocument(text, typ), nil)
	require.NotNil(t, doc, "%v", err)
	n := doc.Root().Child("metadata").First()
	require.NotNil(t, n, "%v", err)
	var ps Problems
	for _, p := range doc.Problems() {
		if p.Rule != RuleMissing && p.Rule != RuleDatatype {
			ps = append(ps, p)
		}
	}
	return n.Markup(), ps
}

func markupDocument(text string, typ DataType) string {
	element := "remarks"
	if typ == TypeMarkupLine {
		element = "title"
	}
	return fmt.Sprintf(`<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0"><metadata><%s>%s</%[1]s></metadata></catalog>`, element, text)
}

// xmlTree reads the XML form of markup without the way through Markdown that
// a value takes.
func xmlTree(text string, typ DataType) (*Markup, Problems) {
	text = `<remarks xmlns="` + xmlNamespace + `">` + text + `</remarks>`
	b := &binder{doc: &Document{text: text, format: XML}, opts: (*ReadOptions)(nil).withDefaults()}
	r := &xmlReader{binder: b, s: text, space: xmlNamespace}
	root := &Markup{Kind: MarkupRoot}
	if r.checkCharacters() && r.next() == xmlStart {
		n := NewNode(&Member{name: "remarks", kind: Field, dtype: typ})
		if typ == TypeMarkupLine {
			r.inlines(root, n)
		} else {
			r.flow(root, n, false)
		}
		if !r.stopped && r.i < len(text) {
			r.problem(Error, RuleTrailing, r.i, n, "the element ends early")
		}
		root.normal(typ == TypeMarkupLine)
	}
	return root, b.problems
}

// markupXML writes a tree as XML, as it stands in a document.
func markupXML(m *Markup, typ DataType) string {
	var b bytes.Buffer
	w := newXMLWriter(&b)
	if typ == TypeMarkupLine {
		w.inlines(m.Children)
	} else {
		w.blocks(m.Children)
	}
	w.w.Flush()
	return b.String()
}

// show prints a tree for a failure.
func show(m *Markup) string {
	var b strings.Builder
	b.WriteString(m.Kind.String())
	for i, v := range []string{m.Text, m.Target, m.Title, m.Align, m.Type} {
		if v != "" && (m.Kind != MarkupPre || i < 4) { // XML cannot hold the language of pre
			fmt.Fprintf(&b, " %q", v)
		}
	}
	if m.Number != 0 {
		fmt.Fprintf(&b, " %d", m.Number)
	}
	if m.Tight {
		b.WriteString(" tight")
	}
	if len(m.Children) > 0 {
		b.WriteByte('(')
		for i, c := range m.Children {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteString(show(c))
		}
		b.WriteByte(')')
	}
	return b.String()
}

type markupCase struct{ ID, Type, XML, Markdown, Direction string }

func markupCases(t testing.TB) []markupCase {
	t.Helper()
	var table struct{ Cases []markupCase }
	require.NoError(t, json.Unmarshal(corpus.Read(t, "oscal/documents/markup-cases.json"), &table))
	require.Len(t, table.Cases, 38)
	return table.Cases
}

// TestMarkupCases reads both spellings of each case of the corpus to one tree
// and writes them from each other.
func TestMarkupCases(t *testing.T) {
	for _, c := range markupCases(t) {
		t.Run(c.ID, func(t *testing.T) {
			typ := TypeMarkupLine
			if c.Type == TypeMarkupMultiline.String() {
				typ = TypeMarkupMultiline
			}
			fromXML, ps := xmlMarkup(t, c.XML, typ)
			require.Empty(t, ps)
			fromMarkdown := ParseMarkup(c.Markdown, typ)
			require.True(t, fromXML.Equal(fromMarkdown), "%s\n%s", show(fromXML), show(fromMarkdown))
			requireStable(t, fromXML, typ)
		})
	}
}

// requireStable writes a tree in both spellings and reads it again.
func requireStable(t testing.TB, m *Markup, typ DataType) {
	t.Helper()
	markdown := m.Markdown()
	again := ParseMarkup(markdown, typ)
	require.Equal(t, show(m), show(again), "Markdown %q", markdown)
	require.Equal(t, markdown, again.Markdown())
	text := markupXML(m, typ)
	fromXML, ps := xmlTree(text, typ)
	require.Empty(t, ps, text)
	require.Equal(t, show(m), show(fromXML), "XML %s", text)
}

// TestMarkupByHand: trees that callers build need not be in normal form.
func TestMarkupByHand(t *testing.T) {
	text := func(s string) *Markup { return &Markup{Kind: MarkupText, Text: s} }
	of := func(k MarkupKind, children ...*Markup) *Markup { return &Markup{Kind: k, Children: children} }
	for _, tt := range []struct {
		name string
		m    *Markup
		want string
	}{
		{"nothing", of(MarkupRoot), ""},
		{"one piece", of(MarkupStrong, text(" a ")), "**a**"},
		{"texts", of(MarkupRoot, text("a"), text("* b")), `a\* b`},
		{"inlines among blocks", of(MarkupRoot, text("a"), of(MarkupParagraph, text("b")), text("c")), "a\n\nb\n\nc"},
		{"bare items", of(MarkupBulletList, text("a"), of(MarkupParagraph, text("b"))), "- a\n\n- b"},
		{"bare cells", of(MarkupTable, text("a"), of(MarkupRow, text("b"), of(MarkupParagraph, text("c|")))), "| a |  |\n| --- | --- |\n| b | c\\| |"},
		{"blocks in a line", of(MarkupParagraph, of(MarkupParagraph, text("a")), &Markup{Kind: MarkupPre, Text: "b\nc"}), "a `b c`"},
		{"empty code", of(MarkupParagraph, &Markup{Kind: MarkupCode}), ""},
		{"levels", of(MarkupRoot, &Markup{Kind: MarkupHeading, Number: 9, Children: []*Markup{text("a #")}}), `###### a \#`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := show(tt.m)
			require.Equal(t, tt.want, tt.m.Markdown())
			require.Equal(t, before, show(tt.m), "the tree itself is as it was")
		})
	}
}

// TestUnsafeHTML: what runs code is not pointed to.
func TestUnsafeHTML(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"[a](javascript:alert(1))", "<a>a</a>"},
		{"[a](<JaVa\tScript:alert(1)>)", "<a>a</a>"},
		{"[a](<&#1;javascript:x>)", `<a href="` + "\ufffd" + `javascript:x">a</a>`},
		{"![a](data:image/svg+xml;base64,x)", `<img alt="a">`},
		{"![a](data:image/png;base64,x)", `<img src="data:image/png;base64,x" alt="a">`},
		{`[a](x "<b\"c")`, `<a href="x" title="&lt;b&quot;c">a</a>`},
		{"<b>", "&lt;b&gt;"},
	} {
		require.Equal(t, tt.want, ParseMarkup(tt.text, TypeMarkupLine).HTML(nil), tt.text)
	}
}

// TestHandMadeHTML: a tree that no reader makes is no way around the escapes.
func TestHandMadeHTML(t *testing.T) {
	cell := &Markup{Kind: MarkupCell, Align: `x" onclick="alert(1)`, Children: []*Markup{{Kind: MarkupText, Text: "a"}}}
	table := &Markup{Kind: MarkupTable, Children: []*Markup{{Kind: MarkupRow, Children: []*Markup{cell}}}}
	require.Equal(t, "<table>\n<tr><th>a</th></tr>\n</table>", table.HTML(nil))
	require.Equal(t, "<h1></h1>", (&Markup{Kind: MarkupHeading}).HTML(nil))
	require.Equal(t, "<h6></h6>", (&Markup{Kind: MarkupHeading, Number: 99}).HTML(nil))
	pre := &Markup{Kind: MarkupPre, Type: "a`b\nc", Text: "x"}
	require.Equal(t, "~~~a`b c\nx\n~~~", pre.Markdown())
}

// TestTables: rows have the cells that they were written with, and no table
// grows much beyond its text.
func TestTables(t *testing.T) {
	m := ParseMarkup("|a|b|\n|-|:-|\n|c|d|lost?|\n|e|", TypeMarkupMultiline)
	require.Equal(t, "| a | b |  |\n| --- | :--- | --- |\n| c | d | lost? |\n| e |  |  |", m.Markdown())
	for _, text := range []string{
		strings.Repeat("|a", 1500) + "\n" + strings.Repeat("|-", 1500) + "\n" + strings.Repeat("|b\n", 10_000),
		strings.Repeat(strings.Repeat("|a", 128)+"\n"+strings.Repeat("|-", 128)+"\n"+strings.Repeat("|b\n", 126)+"\n", 50),
	} {
		m := ParseMarkup(text, TypeMarkupMultiline)
		pieces := 0
		for range m.Walk() {
			pieces++
		}
		require.Less(t, pieces, 2*len(text))
		again := m.Markdown()
		require.Less(t, len(again), 6*len(text))
		require.Equal(t, again, ParseMarkup(again, TypeMarkupMultiline).Markdown())
	}
}

// TestDeepMarkdown: however deep a text nests, it is read.
func TestDeepMarkdown(t *testing.T) {
	for _, s := range []string{"> ", "- ", "1. ", "*a **b ", "![", "\"a ~b "} {
		text := strings.Repeat(s, 20_000) + "x"
		for _, end := range []string{"", strings.Repeat("b** a*", 20_000), strings.Repeat("](c)", 20_000)} {
			ParseMarkup(text+end, TypeMarkupMultiline).Markdown()
		}
	}
}
