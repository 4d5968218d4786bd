package oscal

import (
	"strconv"
	"strings"
)

// markupElements are the XML elements of markup.
var markupElements = map[string]struct {
	kind   MarkupKind
	number int // level of a heading
}{
	"p": {MarkupParagraph, 0}, "h1": {MarkupHeading, 1}, "h2": {MarkupHeading, 2}, "h3": {MarkupHeading, 3},
	"h4": {MarkupHeading, 4}, "h5": {MarkupHeading, 5}, "h6": {MarkupHeading, 6}, "ul": {MarkupBulletList, 0},
	"ol": {MarkupOrderedList, 1}, "li": {MarkupItem, 0}, "pre": {MarkupPre, 0}, "blockquote": {MarkupQuote, 0},
	"hr": {MarkupRule, 0}, "table": {MarkupTable, 0}, "tr": {MarkupRow, 0}, "th": {MarkupCell, 0}, "td": {MarkupCell, 0},

	"em": {MarkupEmphasis, 0}, "i": {MarkupEmphasis, 0}, "strong": {MarkupStrong, 0}, "b": {MarkupStrong, 0},
	"code": {MarkupCode, 0}, "q": {MarkupQ, 0}, "sub": {MarkupSub, 0}, "sup": {MarkupSup, 0}, "a": {MarkupLink, 0},
	"img": {MarkupImage, 0}, "insert": {MarkupInsert, 0}, "br": {MarkupBreak, 0},
}

// markup looks up the element whose start tag was read last, and reads over it
// if it is none of markup.
func (r *xmlReader) markup(n *Node) *Markup {
	if r.foreign(n, n.member.Definition()) {
		return nil
	}
	e, ok := markupElements[r.tag.local]
	if !ok {
		r.misplaced(n, "is no element of markup")
		return nil
	}
	m := r.newMarkup(e.kind)
	m.Number = e.number
	if len(r.attrs) > 0 || m.Kind == MarkupLink || m.Kind == MarkupImage || m.Kind == MarkupInsert {
		r.markupAttributes(m, n)
	}
	return m
}

func (r *xmlReader) newMarkup(kind MarkupKind) *Markup {
	if len(r.markups) == 0 {
		r.markups = make([]Markup, 64)
	}
	m := &r.markups[0]
	r.markups = r.markups[1:]
	m.Kind = kind
	return m
}

// textTo appends the character data read last.
func (r *xmlReader) textTo(m *Markup) {
	t := r.newMarkup(MarkupText)
	t.Text = r.text()
	m.Children = append(m.Children, t)
}

// misplaced notes that the element whose start tag was read last may not stand
// where it does, and reads over it.
func (r *xmlReader) misplaced(n *Node, why string) {
	r.problem(Error, RuleMarkup, r.tag.at, n, "<%s> %s", r.tag.name, why)
	r.skip()
}

// lossy notes markup that Markdown has no form for.
func (r *xmlReader) lossy(at int, n *Node, message string) {
	r.problem(Warning, RuleMarkup, at, n, "%s", message)
}

// markupAttributes takes the attributes of an element of markup.
func (r *xmlReader) markupAttributes(m *Markup, n *Node) {
	var target, kind bool
	for _, a := range r.attrs {
		switch {
		case a.uri == xsiNamespace || a.uri == xmlnsNamespace:
		case a.uri != "":
			r.problem(Error, RuleUnknown, a.at, n, "unknown attribute %s in <%s>", quote(a.name), r.tag.name)
		case m.Kind == MarkupLink && a.local == "href", m.Kind == MarkupImage && a.local == "src", m.Kind == MarkupInsert && a.local == "id-ref":
			m.Target, target = trimXML(a.value), true
		case (m.Kind == MarkupLink || m.Kind == MarkupImage) && a.local == "title":
			m.Title = trimXML(collapse(a.value))
		case m.Kind == MarkupImage && a.local == "alt":
			m.Text = trimXML(collapse(a.value))
		case m.Kind == MarkupInsert && a.local == "type":
			m.Type, kind = trimXML(a.value), true
		case m.Kind == MarkupCell && a.local == "align":
			switch v := trimXML(a.value); v {
			case "left", "center", "right":
				m.Align = v
			default:
				r.problem(Error, RuleMarkup, a.valueAt, n, "expected left, center or right, found %s", quote(a.value))
			}
		case m.Kind == MarkupOrderedList && a.local == "start":
			number, err := strconv.Atoi(trimXML(a.value))
			if err != nil || number < 0 || number > maxListNumber {
				r.problem(Error, RuleMarkup, a.valueAt, n, "expected a number from 0 to %d, found %s", maxListNumber, quote(a.value))
			} else {
				m.Number = number
			}
		default:
			r.problem(Error, RuleUnknown, a.at, n, "unknown attribute %s in <%s>", quote(a.name), r.tag.name)
		}
	}
	missing := func(name string, found bool) {
		if !found {
			r.problem(Error, RuleMissing, r.tag.at, n, "<%s> lacks the required attribute %s", r.tag.name, quote(name))
		}
	}
	switch m.Kind {
	case MarkupLink:
		missing("href", target)
	case MarkupImage:
		missing("src", target)
	case MarkupInsert:
		missing("type", kind)
		missing("id-ref", target)
		if kind && target && (!isInsertName(m.Type) || !isInsertName(m.Target)) {
			r.problem(Error, RuleMarkup, r.tag.at, n, "expected names in an insert, found %s and %s", quote(m.Type), quote(m.Target))
		}
		if !isInsertName(m.Type) || !isInsertName(m.Target) {
			// What is no insert is kept as text.
			*m = Markup{Kind: MarkupText, Text: "{{ insert: " + m.Type + ", " + m.Target + " }}"}
		}
	}
}

// isInsertName tells whether s can be the type or the id of an insert.
func isInsertName(s string) bool { return s != "" && !strings.ContainsAny(s, " \t\n\r,{}|\"`\\<>&") }

// block reads the content of a block, or reads over it where it may not stand.
func (r *xmlReader) block(m *Markup, n *Node) bool {
	switch m.Kind {
	case MarkupParagraph, MarkupHeading:
		r.inlines(m, n)
	case MarkupRule:
		r.nothing(n)
	case MarkupPre:
		m.Text = r.verbatim(n)
	case MarkupQuote:
		r.flow(m, n, false)
	case MarkupBulletList, MarkupOrderedList:
		m.Tight = true
		r.each(m, n, MarkupItem, func(item *Markup) {
			if tagged := r.flow(item, n, true); tagged {
				m.Tight = false
			}
		})
	case MarkupTable:
		r.table(m, n)
	default:
		r.misplaced(n, "does not stand in its list or table")
		return false
	}
	return true
}

// flow reads blocks. Text and inlines beside them make paragraphs where mixed
// content is allowed. It tells whether there was a p.
func (r *xmlReader) flow(m *Markup, n *Node, mixed bool) (tagged bool) {
	var run *Markup // a paragraph without a p
	name := r.tag.name
	start := func() {
		if run == nil {
			run = r.newMarkup(MarkupParagraph)
			m.Children = append(m.Children, run)
		}
	}
	expected := func(at int, what, found string) {
		if run == nil && !mixed {
			r.problem(Error, RuleMarkup, at, n, "expected blocks such as <p> in <%s>, found the %s %s", name, what, found)
		}
	}
	for {
		switch r.next() {
		case xmlEnd:
			return tagged
		case xmlChars:
			if run == nil && trimXML(r.text()) == "" {
				continue
			}
			if !mixed {
				expected(r.firstOf(), "text", quote(trimXML(r.chars)))
			}
			start()
			r.textTo(run)
		case xmlStart:
			c := r.markup(n)
			switch {
			case c == nil:
			case !c.Kind.isBlock():
				if c.Kind != MarkupImage {
					expected(r.tag.at, "element", "<"+r.tag.name+">")
				}
				start()
				r.inline(run, c, n)
			default:
				run = nil
				tagged = tagged || c.Kind == MarkupParagraph
				if r.block(c, n) {
					m.Children = append(m.Children, c)
				}
			}
		}
	}
}

// each reads the elements of one kind of which others consist.
func (r *xmlReader) each(m *Markup, n *Node, kind MarkupKind, read func(*Markup)) {
	name := r.tag.name
	for {
		switch r.next() {
		case xmlEnd:
			return
		case xmlChars:
			if text := trimXML(r.chars); text != "" {
				r.problem(Error, RuleMarkup, r.firstOf(), n, "expected <%s> in <%s>, found the text %s", kind, name, quote(text))
			}
		case xmlStart:
			c := r.markup(n)
			switch {
			case c == nil:
			case c.Kind != kind:
				r.misplaced(n, "cannot stand in <"+name+">")
			default:
				read(c)
				m.Children = append(m.Children, c)
			}
		}
	}
}

func (r *xmlReader) table(m *Markup, n *Node) {
	at := r.tag.at
	var align []string // of the columns
	var head, mixed, code bool
	r.each(m, n, MarkupRow, func(row *Markup) {
		first := len(m.Children) == 0
		r.each(row, n, MarkupCell, func(cell *Markup) {
			head = head || (r.tag.local == "th") != first
			i := len(row.Children)
			if i == len(align) {
				align = append(align, cell.Align)
			}
			mixed = mixed || align[i] != cell.Align
			r.inlines(cell, n)
			for c := range cell.Walk() {
				code = code || c.isCodeForNoCell()
			}
		})
	})
	if code {
		r.lossy(at, n, "in a table of Markdown code cannot hold a backslash before a pipe, it becomes text")
	}
	if head {
		r.lossy(at, n, "in Markdown the first row of a table, and no other, is its head")
	}
	if mixed {
		r.lossy(at, n, "in Markdown a column has one alignment, that of its head")
	}
}

// nothing reads an element that holds nothing.
func (r *xmlReader) nothing(n *Node) {
	name := r.tag.name
	for {
		switch r.next() {
		case xmlEnd:
			return
		case xmlChars:
			if text := trimXML(r.chars); text != "" {
				r.problem(Error, RuleMarkup, r.firstOf(), n, "expected nothing in <%s>, found the text %s", name, quote(text))
			}
		case xmlStart:
			r.misplaced(n, "cannot stand in <"+name+">")
		}
	}
}

// verbatim reads text whose white space is data.
func (r *xmlReader) verbatim(n *Node) string {
	at := r.tag.at
	root := &Markup{Kind: MarkupRoot}
	r.inlines(root, n)
	var b strings.Builder
	lossy := false
	for m := range root.Walk() {
		switch m.Kind {
		case MarkupText, MarkupCode, MarkupImage:
			b.WriteString(m.Text)
		case MarkupBreak:
			b.WriteByte('\n')
		case MarkupInsert:
			b.WriteString("{{ insert: " + m.Type + ", " + m.Target + " }}")
		}
		lossy = lossy || m.Kind > MarkupText && m.Kind != MarkupBreak
	}
	if lossy {
		r.lossy(at, n, "Markdown has no markup inside of <pre>, only its text is kept")
	}
	return strings.TrimSuffix(strings.ReplaceAll(b.String(), "\r", "\n"), "\n")
}

// inlines reads text and inlines.
func (r *xmlReader) inlines(m *Markup, n *Node) {
	name := r.tag.name
	for {
		switch r.next() {
		case xmlEnd:
			return
		case xmlChars:
			r.textTo(m)
		case xmlStart:
			c := r.markup(n)
			switch {
			case c == nil:
			case c.Kind.isBlock():
				r.misplaced(n, "is a block and cannot stand in <"+name+">")
			default:
				r.inline(m, c, n)
			}
		}
	}
}

// inline reads the content of an inline and puts it into its parent.
func (r *xmlReader) inline(parent, m *Markup, n *Node) {
	switch m.Kind {
	case MarkupImage, MarkupInsert, MarkupBreak, MarkupText:
		r.nothing(n)
		parent.Children = append(parent.Children, m)
	case MarkupCode:
		r.inlines(m, n)
		parent.Children = append(parent.Children, codes(m.Children)...)
	case MarkupLink:
		r.links++
		if r.links > 1 {
			r.problem(Error, RuleMarkup, r.tag.at, n, "<%s> stands inside of another, and a link can lead to one place only", r.tag.name)
		}
		r.inlines(m, n)
		r.links--
		parent.Children = append(parent.Children, m)
	default:
		r.inlines(m, n)
		parent.Children = append(parent.Children, m)
	}
}

// codes makes code of the texts of inlines: Markdown has no markup in code, but
// code in other markup.
func codes(inlines []*Markup) []*Markup {
	for _, m := range inlines {
		if m.Kind == MarkupText {
			m.Kind = MarkupCode
			m.Text = strings.Map(func(r rune) rune {
				if r == '\n' || r == '\r' {
					return ' '
				}
				return r
			}, m.Text)
		}
		codes(m.Children)
	}
	return inlines
}
