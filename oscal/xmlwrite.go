package oscal

import (
	"bufio"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// CheckXML tells what XML has no form for. A character that cannot stand in it is
// an error, which Write to XML returns too. What only Markdown can say (the
// language of a code block, the definition of a link that no text refers to) is
// a warning: it would be left out.
func (d *Document) CheckXML() Problems {
	b := &binder{doc: d, opts: (&ReadOptions{}).withDefaults()}
	for n := range d.root.Walk() {
		for i, c := range n.value {
			if c < ' ' && !isXMLChar(c) || c == 0xfffe || c == 0xffff || c == utf8.RuneError && n.value[i] != 0xef {
				b.problem(Error, RuleEncoding, int(n.at)-1, n, "%s holds the character U+%04X, which cannot stand in XML", n.Name(), c)
				break
			}
		}
		if n.member.dtype == TypeMarkupMultiline && (strings.Contains(n.value, "```") || strings.Contains(n.value, "~~~") || strings.Contains(n.value, "]:")) {
			for _, only := range onlyMarkdown(n.value) {
				b.problem(Warning, RuleMarkup, int(n.at)-1, n, "%s holds %s, which XML has no form for", n.Name(), only)
			}
		}
	}
	return b.problems
}

// onlyMarkdown names what a text of blocks says and XML cannot.
func onlyMarkdown(text string) []string {
	var out []string
	p := markdownParser{}
	root := Markup{Kind: MarkupRoot, Children: p.document(text)}
	for m := range root.Walk() {
		if m.Kind == MarkupPre && m.Type != "" {
			out = append(out, "a code block of "+quote(m.Type))
		}
	}
	for _, label := range slices.Sorted(maps.Keys(p.refs)) {
		if !p.used[label] {
			out = append(out, "the definition "+quote("["+label+"]")+" of a link that no text refers to")
		}
	}
	return out
}

// An xmlWriter writes a document with the namespace of its model as the default
// one. Elements stand on lines of their own, but for those in the middle of
// text.
type xmlWriter struct {
	w      *bufio.Writer
	indent int
	space  string // the default namespace here
}

func newXMLWriter(w io.Writer) *xmlWriter { return &xmlWriter{w: bufio.NewWriter(w)} }

func (x *xmlWriter) document(d *Document) {
	x.w.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	x.element(d.root)
}

func (x *xmlWriter) line() {
	for range x.indent {
		x.w.WriteString("  ")
	}
}

// element writes an element on lines of its own, with its namespace where that
// is another one than outside.
func (x *xmlWriter) element(n *Node) {
	space := n.member.Definition().Namespace()
	if space == x.space {
		x.elementIn(n, "")
		return
	}
	outside := x.space
	x.space = space
	x.elementIn(n, space)
	x.space = outside
}

func (x *xmlWriter) elementIn(n *Node, space string) {
	name := n.member.name
	x.line()
	x.w.WriteByte('<')
	x.w.WriteString(name)
	if space != "" {
		x.attribute("xmlns", space)
	}
	c := n.first
	for ; c != nil && c.member.kind == Flag; c = c.next {
		x.attribute(c.member.name, c.value)
	}
	switch {
	case n.member.kind == Field && n.member.dtype == TypeMarkupMultiline:
		if isPlainMarkdown(n.value) {
			x.w.WriteString(">\n")
			x.indent++
			x.paragraph(n.value)
			x.indent--
			break
		}
		m := n.Markup()
		if len(m.Children) == 0 {
			x.w.WriteString("/>\n")
			return
		}
		x.w.WriteString(">\n")
		x.indent++
		x.blocks(m.Children)
		x.indent--
	case n.member.kind == Field:
		if n.value == "" {
			x.w.WriteString("/>\n")
			return
		}
		if n.member.dtype != TypeMarkupLine || isPlainMarkdown(n.value) {
			x.w.WriteByte('>')
			x.text(n.value)
			x.close(name)
			return
		}
		m := n.Markup()
		if len(m.Children) == 0 {
			x.w.WriteString("/>\n")
			return
		}
		x.w.WriteByte('>')
		x.inlines(m.Children)
		x.close(name)
		return
	case c == nil, c.next == nil && c.member.xml == xmlUnwrapped && !isPlainMarkdown(c.value) && len(c.Markup().Children) == 0:
		x.w.WriteString("/>\n")
		return
	default:
		x.w.WriteString(">\n")
		x.indent++
		x.children(c)
		x.indent--
	}
	x.line()
	x.close(name)
}

func (x *xmlWriter) close(name string) {
	x.w.WriteString("</")
	x.w.WriteString(name)
	x.w.WriteString(">\n")
}

func (x *xmlWriter) children(c *Node) {
	for c != nil {
		m := c.member
		switch m.xml {
		case xmlUnwrapped:
			if isPlainMarkdown(c.value) {
				x.paragraph(c.value)
			} else {
				x.blocks(c.Markup().Children)
			}
			c = c.next
		case xmlGrouped:
			x.line()
			x.w.WriteString("<" + m.json + ">\n")
			x.indent++
			for ; c != nil && c.member == m; c = c.next {
				x.element(c)
			}
			x.indent--
			x.line()
			x.close(m.json)
		default:
			x.element(c)
			c = c.next
		}
	}
}

func (x *xmlWriter) attribute(name, value string) {
	x.w.WriteByte(' ')
	x.w.WriteString(name)
	x.w.WriteString(`="`)
	x.escape(value, true)
	x.w.WriteByte('"')
}

func (x *xmlWriter) text(s string) { x.escape(s, false) }

// escape writes text; white space that a reader would change is written as
// references.
func (x *xmlWriter) escape(s string, attribute bool) {
	start := 0
	for i := 0; i < len(s); i++ {
		var ref string
		switch c := s[i]; {
		case c > '>':
			continue
		case c == '&':
			ref = "&amp;"
		case c == '<':
			ref = "&lt;"
		case c == '>':
			ref = "&gt;"
		case c == '\r':
			ref = "&#13;"
		case attribute && c == '"':
			ref = "&quot;"
		case attribute && c == '\n':
			ref = "&#10;"
		case attribute && c == '\t':
			ref = "&#9;"
		default:
			continue
		}
		x.w.WriteString(s[start:i])
		x.w.WriteString(ref)
		start = i + 1
	}
	x.w.WriteString(s[start:])
}

func (x *xmlWriter) paragraph(text string) {
	x.line()
	x.w.WriteString("<p>")
	x.text(text)
	x.close("p")
}

// blocks writes blocks on lines of their own.
func (x *xmlWriter) blocks(blocks []*Markup) {
	for _, m := range blocks {
		x.line()
		x.block(m, true)
		x.w.WriteByte('\n')
	}
}

// block writes a block; lines tells whether what it holds may stand on lines of
// its own, which it may not in the middle of text.
func (x *xmlWriter) block(m *Markup, lines bool) {
	name := m.Kind.String()
	switch m.Kind {
	case MarkupHeading:
		name = "h" + strconv.Itoa(min(max(m.Number, 1), 6))
	case MarkupRule:
		x.w.WriteString("<hr/>")
		return
	case MarkupPre:
		x.w.WriteString("<pre>")
		x.text(m.Text)
		if strings.HasSuffix(m.Text, "\n") {
			x.w.WriteByte('\n') // the last one is no data
		}
		x.w.WriteString("</pre>")
		return
	}
	x.w.WriteString("<" + name)
	if m.Kind == MarkupOrderedList && m.Number != 1 {
		x.attribute("start", strconv.Itoa(m.Number))
	}
	x.w.WriteByte('>')
	switch m.Kind {
	case MarkupParagraph, MarkupHeading:
		x.inlines(m.Children)
	case MarkupQuote:
		x.inside(m.Children, lines, func(c *Markup, lines bool) { x.block(c, lines) })
	case MarkupBulletList, MarkupOrderedList:
		x.inside(m.Children, lines, func(item *Markup, lines bool) { x.item(item, m.Tight, lines) })
	case MarkupTable:
		x.inside(m.Children, lines, func(row *Markup, _ bool) { x.row(row, row == m.Children[0]) })
	}
	x.w.WriteString("</" + name + ">")
}

// inside writes what a block holds.
func (x *xmlWriter) inside(children []*Markup, lines bool, write func(*Markup, bool)) {
	x.indent++
	for _, c := range children {
		if lines {
			x.w.WriteByte('\n')
			x.line()
		}
		write(c, lines)
	}
	x.indent--
	if lines {
		x.w.WriteByte('\n')
		x.line()
	}
}

// item writes an item; in a tight list its first paragraph is bare text.
func (x *xmlWriter) item(m *Markup, tight, lines bool) {
	x.w.WriteString("<li>")
	if tight {
		for _, c := range m.Children {
			if c.Kind == MarkupParagraph {
				x.inlines(c.Children)
			} else {
				x.block(c, false)
			}
		}
	} else {
		x.inside(m.Children, lines, func(c *Markup, lines bool) { x.block(c, lines) })
	}
	x.w.WriteString("</li>")
}

func (x *xmlWriter) row(m *Markup, head bool) {
	x.w.WriteString("<tr>")
	name := "td"
	if head {
		name = "th"
	}
	for _, cell := range m.Children {
		x.w.WriteString("<" + name)
		if cell.Align != "" {
			x.attribute("align", cell.Align)
		}
		x.w.WriteByte('>')
		x.inlines(cell.Children)
		x.w.WriteString("</" + name + ">")
	}
	x.w.WriteString("</tr>")
}

func (x *xmlWriter) inlines(inlines []*Markup) {
	for _, m := range inlines {
		switch m.Kind {
		case MarkupText:
			x.text(m.Text)
		case MarkupCode:
			x.w.WriteString("<code>")
			x.text(m.Text)
			x.w.WriteString("</code>")
		case MarkupBreak:
			x.w.WriteString("<br/>")
		case MarkupInsert:
			x.w.WriteString("<insert")
			x.attribute("type", m.Type)
			x.attribute("id-ref", m.Target)
			x.w.WriteString("/>")
		case MarkupImage:
			x.w.WriteString("<img")
			x.attribute("alt", m.Text)
			x.attribute("src", m.Target)
			if m.Title != "" {
				x.attribute("title", m.Title)
			}
			x.w.WriteString("/>")
		default:
			name := m.Kind.String()
			x.w.WriteString("<" + name)
			if m.Kind == MarkupLink {
				x.attribute("href", m.Target)
				if m.Title != "" {
					x.attribute("title", m.Title)
				}
			}
			x.w.WriteByte('>')
			x.inlines(m.Children)
			x.w.WriteString("</" + name + ">")
		}
	}
}
