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

// clone copies a tree.
func (m *Markup) clone() *Markup {
	c := *m
	c.Children = make([]*Markup, len(m.Children))
	for i, k := range m.Children {
		c.Children[i] = k.clone()
	}
	return &c
}

// normal brings a root of blocks or of inlines into normal form.
func (m *Markup) normal(line bool) {
	if line {
		m.Children = normalInlines(m.Children)
		return
	}
	n := normalizer{cells: maxFilled}
	m.Children = n.blocks(m.Children)
}

// maxFilled bounds the tables of a markup whose short rows are filled up, in cells
// all together: else ten rows for each column would be a hundred cells for each
// letter. What stays short is no less right.
const maxFilled = 1 << 14

// A normalizer brings blocks into normal form.
type normalizer struct {
	cells int // left of maxFilled
}

func (n *normalizer) blocks(in []*Markup) []*Markup {
	out := in[:0]
	for _, m := range inBlocks(in) {
		switch m.Kind {
		case MarkupParagraph, MarkupHeading:
			m.Children = normalInlines(m.Children)
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
			n.table(m)
		case MarkupBulletList, MarkupOrderedList:
			n.list(m)
		default:
			m.Children = n.blocks(m.Children)
		}
		if len(m.Children) > 0 {
			out = append(out, m)
		}
	}
	return out
}

// inBlocks puts inlines that stand among blocks into paragraphs. No reader makes
// such, but a caller may.
func inBlocks(in []*Markup) []*Markup {
	if !slices.ContainsFunc(in, func(m *Markup) bool { return !m.Kind.isBlock() }) {
		return in
	}
	var out []*Markup
	open := false
	for _, m := range in {
		if m.Kind.isBlock() {
			out, open = append(out, m), false
			continue
		}
		if !open {
			out, open = append(out, &Markup{Kind: MarkupParagraph}), true
		}
		p := out[len(out)-1]
		p.Children = append(p.Children, m)
	}
	return out
}

// each makes children of one kind: what is of another is wrapped.
func (m *Markup) each(kind MarkupKind) {
	for i, c := range m.Children {
		if c.Kind != kind {
			m.Children[i] = &Markup{Kind: kind, Children: []*Markup{c}}
		}
	}
}

func (n *normalizer) list(m *Markup) {
	m.each(MarkupItem)
	m.Children = n.blocks(m.Children)
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

// table gives a table as many columns as its longest row has cells: Markdown counts
// those of the head only, but what stands beyond them is not to be lost.
func (n *normalizer) table(m *Markup) {
	columns := 0
	m.each(MarkupRow)
	for _, row := range m.Children {
		row.each(MarkupCell)
		columns = max(columns, len(row.Children))
	}
	if columns == 0 {
		m.Children = nil
		return
	}
	// Counted is what the table has when it is full, so that it is the same when it
	// is read again.
	full := columns*len(m.Children) <= n.cells
	if full {
		n.cells -= columns * len(m.Children)
	}
	head := m.Children[0]
	for i, row := range m.Children {
		for _, cell := range row.Children {
			for c := range cell.Walk() {
				if c.isCodeForNoCell() {
					c.Kind = MarkupText
				}
			}
			cell.Children = normalInlines(cell.Children)
		}
		for len(row.Children) < columns && (full || i == 0) || len(row.Children) == 0 {
			row.Children = append(row.Children, &Markup{Kind: MarkupCell})
		}
		// Markdown gives a column one alignment, that of its head.
		for j, cell := range row.Children {
			cell.Align = head.Children[j].Align
		}
	}
}

// isCodeForNoCell tells whether the piece is code that a table of Markdown has no
// form for: there a backslash before a pipe is always an escape.
func (m *Markup) isCodeForNoCell() bool {
	return m.Kind == MarkupCode && strings.Contains(m.Text, `\|`)
}

// normalInlines brings the inlines of a block into normal form.
func normalInlines(in []*Markup) []*Markup {
	if len(in) == 1 && in[0].Kind == MarkupText {
		in[0].Text = trimXML(collapse(in[0].Text))
		if in[0].Text == "" {
			return nil
		}
		return in
	}
	b := inlineBuilder{stack: []*Markup{{}}}
	b.all(in, 0)
	for len(b.stack) > 1 {
		b.pop()
	}
	b.flush()
	return b.stack[0].Children
}

// An inlineBuilder puts inlines together again in normal form, in one pass.
// Inlines open when they get their first content, so that empty ones vanish and
// space at their start stays outside; they close when something follows that is
// not of their kind, so that two of a kind side by side are one.
type inlineBuilder struct {
	stack  []*Markup // what is open, the block first
	closed int       // so many of the innermost close when something follows
	opens  []*Markup // what opens with the next content
	space  bool      // a space stands before the next content
	run    []string  // texts, or codes, that belong together
	kind   MarkupKind
}

func (b *inlineBuilder) top() *Markup { return b.stack[len(b.stack)-1] }

func (b *inlineBuilder) flush() {
	if len(b.run) > 0 {
		b.top().Children = append(b.top().Children, &Markup{Kind: b.kind, Text: strings.Join(b.run, "")})
		b.run = b.run[:0]
	}
}

func (b *inlineBuilder) pop() {
	b.flush()
	b.stack = b.stack[:len(b.stack)-1]
}

// text adds a piece of text or code.
func (b *inlineBuilder) text(kind MarkupKind, s string) {
	if b.kind != kind {
		b.flush()
	}
	b.kind = kind
	b.run = append(b.run, s)
}

// before closes and opens what is due before content.
func (b *inlineBuilder) before() {
	for ; b.closed > 0; b.closed-- {
		b.pop()
	}
	children := b.top().Children
	last := len(children) - 1
	if b.space && (len(b.run) > 0 || last >= 0 && children[last].Kind != MarkupBreak) {
		b.text(MarkupText, " ")
	}
	b.space = false
	for _, m := range b.opens {
		b.flush()
		b.top().Children = append(b.top().Children, m)
		b.stack = append(b.stack, m)
	}
	b.opens = b.opens[:0]
}

func (b *inlineBuilder) open(m *Markup) {
	m.Children = nil
	if n := len(b.stack) - b.closed; b.closed > 0 && !b.space && len(b.opens) == 0 && b.stack[n].Kind == m.Kind && m.Kind != MarkupQ && m.Kind != MarkupLink {
		b.closed--
		return
	}
	b.opens = append(b.opens, m)
}

func (b *inlineBuilder) close() {
	if n := len(b.opens) - 1; n >= 0 {
		if b.opens[n].Kind != MarkupLink {
			b.opens = b.opens[:n]
			return
		}
		b.before() // a link without text still points somewhere
	}
	b.closed++
}

// all adds inlines; inside holds the kinds that they stand in.
func (b *inlineBuilder) all(in []*Markup, inside uint32) {
	for _, m := range in {
		switch {
		case m.Kind == MarkupText:
			s := collapse(m.Text)
			t := trimXML(s)
			b.space = b.space || s != "" && s[0] == ' '
			if t != "" {
				b.before()
				b.text(MarkupText, t)
				b.space = s[len(s)-1] == ' '
			}
		case m.Kind == MarkupBreak:
			// The space before is none, so that what is opening may go on.
			b.space = false
			opens := b.opens
			b.opens = nil
			for _, m := range opens {
				b.open(m)
			}
			b.before()
			b.flush()
			b.top().Children = append(b.top().Children, m)
		case m.Kind == MarkupCode || m.Kind == MarkupPre:
			if m.Text != "" {
				b.before()
				b.text(MarkupCode, strings.ReplaceAll(m.Text, "\n", " "))
			}
		case m.Kind == MarkupImage || m.Kind == MarkupInsert:
			b.before()
			b.flush()
			b.top().Children = append(b.top().Children, m)
		case m.Kind.isBlock():
			b.space = true
			b.all(m.Children, inside)
			b.space = true
		case m.Kind == MarkupQ && inside>>m.Kind&1 == 1:
			b.before()
			b.text(MarkupText, `"`)
			b.all(m.Children, inside)
			b.before()
			b.text(MarkupText, `"`)
		case inside>>m.Kind&1 == 1:
			b.all(m.Children, inside)
		default:
			children := m.Children
			b.open(m)
			b.all(children, inside|1<<m.Kind)
			b.close()
		}
	}
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
