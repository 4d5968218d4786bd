package oscal

import (
	"fmt"
	"iter"
	"slices"
	"strings"
)

// MarkupKind says what a piece of markup is.
type MarkupKind uint8

// The kinds of markup: the blocks, then what stands inside lines.
const (
	MarkupRoot        MarkupKind = iota + 1 // what a value holds: blocks, or the inlines of a markup-line
	MarkupParagraph                         // p
	MarkupHeading                           // h1 to h6
	MarkupBulletList                        // ul
	MarkupOrderedList                       // ol
	MarkupItem                              // li
	MarkupPre                               // pre: a text whose white space is data
	MarkupQuote                             // blockquote
	MarkupRule                              // hr
	MarkupTable                             // table
	MarkupRow                               // tr; the first row of a table is its head
	MarkupCell                              // th in the first row, else td

	MarkupText     // text
	MarkupEmphasis // em, i
	MarkupStrong   // strong, b
	MarkupCode     // code
	MarkupQ        // q: a quotation in a line
	MarkupSub      // sub
	MarkupSup      // sup
	MarkupLink     // a
	MarkupImage    // img
	MarkupInsert   // insert: the place where the value of a parameter goes
	MarkupBreak    // br
)

// markupNames are the names of the XML elements, in the order of the kinds.
var markupNames = [...]string{
	MarkupRoot: "root", MarkupParagraph: "p", MarkupHeading: "h1", MarkupBulletList: "ul", MarkupOrderedList: "ol",
	MarkupItem: "li", MarkupPre: "pre", MarkupQuote: "blockquote", MarkupRule: "hr", MarkupTable: "table",
	MarkupRow: "tr", MarkupCell: "td", MarkupText: "text", MarkupEmphasis: "em", MarkupStrong: "strong",
	MarkupCode: "code", MarkupQ: "q", MarkupSub: "sub", MarkupSup: "sup", MarkupLink: "a", MarkupImage: "img",
	MarkupInsert: "insert", MarkupBreak: "br",
}

// String returns the name of the XML element: h1 for headings of all levels, td
// for cells of all rows, root and text for what is no element.
func (k MarkupKind) String() string {
	if int(k) < len(markupNames) && k > 0 {
		return markupNames[k]
	}
	return fmt.Sprintf("MarkupKind(%d)", uint8(k))
}

// isBlock tells whether the kind stands beside paragraphs.
func (k MarkupKind) isBlock() bool { return k < MarkupText }

// A Markup is a piece of formatted text: a tree of blocks and inlines that
// Markdown in JSON and YAML and elements in XML are two spellings of (Metaschema
// data types markup-line and markup-multiline).
//
// [ParseMarkup] and [Node.Markup] give trees in normal form: adjacent texts are
// one; white space outside of pre and code is one space, never at the ends of a
// block or of an inline; empty blocks and inlines are left out; an emphasis, a
// quotation, a link and the like does not stand inside another of its kind; an
// item holds blocks; the rows of a table have one length.
type Markup struct {
	Kind     MarkupKind
	Text     string    // text, code, pre: the text; image: what is read out in its place
	Target   string    // link: href; image: src; insert: the id of what is inserted
	Title    string    // link, image
	Type     string    // insert: kind of what is inserted, param in all published documents; pre: the language, which XML cannot hold
	Number   int       // heading: level 1 to 6; ordered list: number of the first item
	Tight    bool      // lists: the paragraphs of the items stand without space between them (XML: without p)
	Align    string    // cell: left, center, right, or "" for none
	Children []*Markup // of all that is no text, code, pre, image, insert, rule, break
}

// Walk returns the piece and all below it, depth first, in the order of the
// text. Inserts, links and images are found with it.
func (m *Markup) Walk() iter.Seq[*Markup] {
	return func(yield func(*Markup) bool) { m.walk(yield) }
}

func (m *Markup) walk(yield func(*Markup) bool) bool {
	if m == nil {
		return true
	}
	if !yield(m) {
		return false
	}
	for _, c := range m.Children {
		if !c.walk(yield) {
			return false
		}
	}
	return true
}

// Equal tells whether two pieces in normal form say the same, the rule by which
// documents in different formats are compared. It looks at all but the language
// of pre and the space between the items of a list, for which formats have no
// common spelling.
func (m *Markup) Equal(o *Markup) bool {
	if m == nil || o == nil {
		return m == o
	}
	return m.Kind == o.Kind && m.Text == o.Text && m.Target == o.Target && m.Title == o.Title &&
		(m.Kind == MarkupPre || m.Type == o.Type) && m.Number == o.Number && m.Align == o.Align &&
		slices.EqualFunc(m.Children, o.Children, (*Markup).Equal)
}

// Plain returns the text without formatting: a line for each paragraph, row or
// item, an insert as f makes it, or as its id in brackets if f is nil.
func (m *Markup) Plain(f func(insert *Markup) string) string {
	var b strings.Builder
	m.plain(&b, f)
	return b.String()
}

func (m *Markup) plain(b *strings.Builder, f func(*Markup) string) {
	switch m.Kind {
	case MarkupText, MarkupCode, MarkupPre, MarkupImage:
		b.WriteString(m.Text)
	case MarkupBreak:
		b.WriteByte('\n')
	case MarkupInsert:
		if f != nil {
			b.WriteString(f(m))
		} else {
			b.WriteString("[" + m.Target + "]")
		}
	}
	if m.Kind == MarkupQ {
		b.WriteString("“")
		defer b.WriteString("”")
	}
	for i, c := range m.Children {
		switch {
		case i == 0:
		case c.Kind == MarkupCell:
			b.WriteByte('\t')
		case c.Kind.isBlock():
			b.WriteByte('\n')
		}
		c.plain(b, f)
	}
}

// normal brings a root of blocks or of inlines into normal form.
func (m *Markup) normal(line bool) {
	if line {
		m.Children = normalInlines(m.Children, 0)
		return
	}
	m.Children = normalBlocks(m.Children)
}

func normalBlocks(in []*Markup) []*Markup {
	out := in[:0]
	for _, m := range in {
		switch m.Kind {
		case MarkupParagraph, MarkupHeading:
			m.Children = normalInlines(m.Children, 0)
		case MarkupPre:
			if strings.Trim(m.Text, "\n") == "" {
				continue
			}
			out = append(out, m)
			continue
		case MarkupRule:
			out = append(out, m)
			continue
		case MarkupTable:
			m.normalTable()
		case MarkupBulletList, MarkupOrderedList:
			m.normalList()
		default:
			m.Children = normalBlocks(m.Children)
		}
		if len(m.Children) > 0 {
			out = append(out, m)
		}
	}
	return out
}

func (m *Markup) normalList() {
	m.Children = normalBlocks(m.Children)
	if len(m.Children) == 0 {
		return
	}
	// Whether a list is tight is only seen where both spellings can tell: by the
	// p of a paragraph in XML, by an empty line in Markdown.
	tight, paragraphs := true, false
	for _, item := range m.Children {
		var previous *Markup
		for _, b := range item.Children {
			switch b.Kind {
			case MarkupParagraph:
				paragraphs = true
				tight = tight && previous == nil
			case MarkupTable:
				tight = tight && len(item.Children) == 1
			case MarkupQuote:
				tight = tight && (previous == nil || previous.Kind != MarkupQuote)
			case MarkupOrderedList:
				tight = tight && (previous == nil || b.Number == 1)
			}
			previous = b
		}
	}
	seen := paragraphs && (len(m.Children) > 1 || len(m.Children[0].Children) > 1)
	m.Tight = tight && (m.Tight || !seen)
}

func (m *Markup) normalTable() {
	columns := 0
	for _, row := range m.Children {
		columns = max(columns, len(row.Children))
	}
	if columns == 0 {
		m.Children = nil
		return
	}
	for _, row := range m.Children {
		for _, cell := range row.Children {
			cell.Children = normalInlines(cell.Children, 0)
		}
		for len(row.Children) < columns {
			row.Children = append(row.Children, &Markup{Kind: MarkupCell})
		}
	}
	// Markdown gives a column one alignment, that of its head.
	for _, row := range m.Children[1:] {
		for i, cell := range row.Children {
			cell.Align = m.Children[0].Children[i].Align
		}
	}
}

// normalInlines is normalRun for a block, at whose ends space is dropped.
func normalInlines(in []*Markup, inside uint32) []*Markup {
	if len(in) == 1 && in[0].Kind == MarkupText {
		in[0].Text = strings.Trim(collapse(in[0].Text), " ")
		if in[0].Text == "" {
			return nil
		}
		return in
	}
	_, out, _ := normalRun(in, inside)
	return out
}

// normalRun brings a run of inlines into normal form. Space at its ends is
// taken off and reported; inside holds the kinds that the run stands in.
func normalRun(in []*Markup, inside uint32) (lead bool, out []*Markup, trail bool) {
	space := false
	text := func(s string) {
		if last := len(out) - 1; last >= 0 && out[last].Kind == MarkupText {
			out[last] = &Markup{Kind: MarkupText, Text: out[last].Text + s}
			return
		}
		out = append(out, &Markup{Kind: MarkupText, Text: s})
	}
	// before puts out the space that is due before the next piece.
	before := func() {
		switch {
		case !space:
		case len(out) == 0:
			lead = true
		case out[len(out)-1].Kind != MarkupBreak:
			text(" ")
		}
		space = false
	}
	var add func(m *Markup)
	add = func(m *Markup) {
		switch m.Kind {
		case MarkupText:
			s := collapse(m.Text)
			if s == "" {
				return
			}
			space = space || s[0] == ' '
			t := strings.Trim(s, " ")
			if t != "" {
				before()
				text(t)
				space = s[len(s)-1] == ' '
			}
		case MarkupBreak:
			space = false
			out = append(out, m)
		case MarkupCode:
			if m.Text == "" {
				return
			}
			before()
			if last := len(out) - 1; last >= 0 && out[last].Kind == MarkupCode {
				out[last] = &Markup{Kind: MarkupCode, Text: out[last].Text + m.Text}
				return
			}
			out = append(out, m)
		case MarkupImage, MarkupInsert:
			before()
			out = append(out, m)
		default:
			if inside>>m.Kind&1 == 1 {
				if m.Kind == MarkupQ {
					before()
					text(`"`)
				}
				for _, c := range m.Children {
					add(c)
				}
				if m.Kind == MarkupQ {
					before()
					text(`"`)
				}
				return
			}
			first, kids, last := normalRun(m.Children, inside|1<<m.Kind)
			space = space || first
			if len(kids) == 0 && m.Kind != MarkupLink {
				space = space || last
				return
			}
			n := len(out)
			before()
			if n == len(out) && n > 0 && out[n-1].Kind == m.Kind && m.Kind != MarkupQ && m.Kind != MarkupLink {
				// Two of a kind side by side are one.
				_, out[n-1].Children, _ = normalRun(append(out[n-1].Children, kids...), inside|1<<m.Kind)
			} else {
				m.Children = kids
				out = append(out, m)
			}
			space = last
		}
	}
	for _, m := range in {
		add(m)
	}
	return lead, out, space
}

// collapse makes one space of each run of white space.
func collapse(s string) string {
	i := 0
	for ; i < len(s); i++ {
		if c := s[i]; c == '\n' || c == '\t' || c == '\r' || c == ' ' && i+1 < len(s) && s[i+1] <= ' ' && isMarkupSpace(s[i+1]) {
			break
		}
	}
	if i == len(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	b.WriteString(s[:i])
	for space := false; i < len(s); i++ {
		if isMarkupSpace(s[i]) {
			space = true
			continue
		}
		if space {
			b.WriteByte(' ')
			space = false
		}
		b.WriteByte(s[i])
	}
	if isMarkupSpace(s[len(s)-1]) {
		b.WriteByte(' ')
	}
	return b.String()
}

func isMarkupSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\t' || c == '\r' }
