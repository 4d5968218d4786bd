package oscal

import (
	"slices"
	"strconv"
	"strings"
)

// ParseMarkup reads Markdown: a value of the data type [TypeMarkupLine] as the
// inlines of one line, of any other type as blocks. There is no wrong Markdown.
//
// The dialect is CommonMark 0.31.2 with the pipe tables of GitHub, the inlines
// "q", ~sub~, ^sup^ and {{ insert: param, id }}, and without HTML: a tag is text.
// A reference to a line feed, &#10;, is a line break where none can be written.
func ParseMarkup(text string, t DataType) *Markup {
	root := &Markup{Kind: MarkupRoot}
	line := t == TypeMarkupLine
	switch {
	case isPlainMarkdown(text):
		root.Children = []*Markup{{Kind: MarkupText, Text: text}}
		if !line {
			root.Children = []*Markup{{Kind: MarkupParagraph, Children: root.Children}}
		}
	case line:
		p := markdownParser{}
		root.Children = p.inlines(text)
	default:
		p := markdownParser{}
		root.Children = p.document(text)
	}
	root.normal(line)
	return root
}

// Markup returns the value of a node as a tree, nil if it is no markup.
func (n *Node) Markup() *Markup {
	if n == nil || !n.member.dtype.isMarkup() {
		return nil
	}
	return ParseMarkup(n.value, n.member.dtype)
}

// SetMarkup replaces the value of a node by the Markdown of a tree.
func (n *Node) SetMarkup(m *Markup) { n.value = m.Markdown() }

// A markdownParser finds the blocks of a text line by line: each line goes to
// the innermost block that is open and takes it, or starts new ones (CommonMark
// 0.31.2, appendix).
type markdownParser struct {
	root *mdBlock
	tip  *mdBlock // the innermost open block
	refs map[string]*Markup
	used map[string]bool // of refs, by label

	line    string
	at, col int  // place in the line, and its column with tabs expanded
	partly  bool // a tab is used up in part
	next    int  // first character that is no space
	nextCol int
	blank   bool
}

type mdBlock struct {
	kind     MarkupKind
	parent   *mdBlock
	children []*mdBlock
	closed   bool
	blank    bool     // the last line was blank
	lines    []string // paragraph, heading, pre; rows of a table
	number   int      // level of a heading; first number of a list
	fence    byte     // pre: the character of the fence, 0 if it is indented
	length   int      // length of the fence
	indent   int      // of the fence; of the content of an item
	info     string
	marker   byte // of a list
	tight    bool
	align    []string // of a table
}

const maxMarkdownDepth = 200

func (p *markdownParser) document(text string) []*Markup {
	p.root = &mdBlock{kind: MarkupRoot}
	p.tip = p.root
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		p.addLine(line)
	}
	for p.tip != nil {
		p.close(p.tip)
	}
	return p.tree(p.root.children)
}

// look finds the next character that is no space.
func (p *markdownParser) look() {
	i, col := p.at, p.col
	for ; i < len(p.line); i++ {
		if p.line[i] == ' ' {
			col++
		} else if p.line[i] == '\t' {
			col += 4 - col%4
		} else {
			break
		}
	}
	p.next, p.nextCol = i, col
	p.blank = i == len(p.line)
}

func (p *markdownParser) indent() int { return p.nextCol - p.col }

// advance goes over n columns of white space or characters.
func (p *markdownParser) advance(n int, columns bool) {
	for ; n > 0 && p.at < len(p.line); n-- {
		if p.line[p.at] != '\t' {
			p.partly = false
			p.at++
			p.col++
			continue
		}
		width := 4 - p.col%4
		if columns && width > n {
			p.partly = true
			p.col += n
			return
		}
		p.partly = false
		p.col += width
		p.at++
		if columns {
			n -= width - 1
		}
	}
}

func (p *markdownParser) toNext() {
	p.at, p.col, p.partly = p.next, p.nextCol, false
}

// rest is what is left of the line, a tab used in part as spaces.
func (p *markdownParser) rest() string {
	if p.partly {
		return "    "[:4-p.col%4] + p.line[p.at+1:]
	}
	return p.line[p.at:]
}

func (p *markdownParser) peek() byte {
	if p.blank {
		return 0
	}
	return p.line[p.next]
}

func (p *markdownParser) addLine(line string) {
	p.line, p.at, p.col, p.partly = line, 0, 0, false
	old := p.tip
	container := p.root
	depth := 0
	for len(container.children) > 0 {
		last := container.children[len(container.children)-1]
		if last.closed {
			break
		}
		p.look()
		matched, done := p.goesOn(last)
		if done {
			return
		}
		if !matched {
			break
		}
		container = last
		depth++
	}
	all := container == old
	matched := container
	closeUnmatched := func() {
		for p.tip != matched {
			p.close(p.tip)
		}
	}
	leaf := container.kind == MarkupPre
	for !leaf {
		p.look()
		started, isLeaf := p.start(&container, closeUnmatched, depth)
		if !started {
			p.toNext()
			break
		}
		all = true
		matched = container
		leaf = isLeaf
		depth++
	}
	if !all && !p.blank && p.tip.kind == MarkupParagraph {
		// A paragraph goes on although the marks of its containers are missing.
		p.tip.lines = append(p.tip.lines, p.rest())
		return
	}
	closeUnmatched()
	if n := len(container.children); p.blank && n > 0 {
		container.children[n-1].blank = true
	}
	empty := p.blank && container.kind != MarkupQuote && !(container.kind == MarkupPre && container.fence != 0) &&
		!(container.kind == MarkupItem && len(container.children) == 0 && container.length == 0)
	if container.kind == MarkupItem {
		container.length = 1 // no longer its first line
	}
	for b := container; b != nil; b = b.parent {
		b.blank = empty
	}
	switch {
	case container.kind == MarkupParagraph:
		container.lines = append(container.lines, p.rest())
	case container.kind == MarkupPre:
		container.lines = append(container.lines, p.rest())
	case container.kind == MarkupTable && !leaf && !p.blank:
		container.lines = append(container.lines, p.rest())
	case leaf || container.kind == MarkupTable:
	case !p.blank:
		b := p.open(MarkupParagraph)
		b.lines = []string{p.rest()}
	}
}

// goesOn tells whether an open block takes the line, and whether nothing of the
// line is left then.
func (p *markdownParser) goesOn(b *mdBlock) (matched, done bool) {
	switch b.kind {
	case MarkupQuote:
		if p.indent() <= 3 && p.peek() == '>' {
			p.toNext()
			p.advance(1, false)
			if p.at < len(p.line) && (p.line[p.at] == ' ' || p.line[p.at] == '\t') {
				p.advance(1, true)
			}
			return true, false
		}
	case MarkupItem:
		switch {
		case p.blank && len(b.children) == 0:
		case p.blank: // white space beyond the item's own may be of a pre
			p.advance(min(p.indent(), b.indent), true)
			return true, false
		case p.indent() >= b.indent:
			p.advance(b.indent, true)
			return true, false
		}
	case MarkupBulletList, MarkupOrderedList:
		return true, false
	case MarkupPre:
		if b.fence == 0 {
			if p.indent() >= 4 {
				p.advance(4, true)
				return true, false
			}
			if p.blank {
				p.toNext()
				return true, false
			}
			return false, false
		}
		if p.indent() <= 3 && p.peek() == b.fence {
			n := p.next
			for n < len(p.line) && p.line[n] == b.fence {
				n++
			}
			if n-p.next >= b.length && strings.Trim(p.line[n:], " \t") == "" {
				for p.tip != b {
					p.close(p.tip)
				}
				p.close(b)
				return false, true
			}
		}
		p.advance(min(b.indent, p.indent()), true)
		return true, false
	case MarkupParagraph, MarkupTable:
		return !p.blank, false
	}
	return false, false
}

// open appends a new block to the innermost block that may hold it.
func (p *markdownParser) open(kind MarkupKind) *mdBlock {
	for {
		k := p.tip.kind
		isList := k == MarkupBulletList || k == MarkupOrderedList
		if isList == (kind == MarkupItem) && (isList || k == MarkupRoot || k == MarkupQuote || k == MarkupItem) {
			break
		}
		p.close(p.tip)
	}
	b := &mdBlock{kind: kind, parent: p.tip}
	p.tip.children = append(p.tip.children, b)
	p.tip = b
	return b
}

// start tries to start a block at the current place.
func (p *markdownParser) start(container **mdBlock, closeUnmatched func(), depth int) (started, leaf bool) {
	c := p.peek()
	if p.indent() >= 4 {
		if p.tip.kind == MarkupParagraph || p.blank {
			return false, false
		}
		p.advance(4, true)
		closeUnmatched()
		*container = p.open(MarkupPre)
		return true, true
	}
	rest := p.line[p.next:]
	switch {
	case c == '>' && depth < maxMarkdownDepth:
		p.toNext()
		p.advance(1, false)
		if p.at < len(p.line) && (p.line[p.at] == ' ' || p.line[p.at] == '\t') {
			p.advance(1, true)
		}
		closeUnmatched()
		*container = p.open(MarkupQuote)
		return true, false
	case c == '#':
		level := len(rest) - len(strings.TrimLeft(rest, "#"))
		if level > 6 || level < len(rest) && rest[level] != ' ' && rest[level] != '\t' {
			break
		}
		closeUnmatched()
		b := p.open(MarkupHeading)
		b.number = level
		s := strings.Trim(rest[level:], " \t")
		if t := strings.TrimRight(s, "#"); t == "" || t[len(t)-1] == ' ' || t[len(t)-1] == '\t' {
			s = strings.TrimRight(t, " \t")
		}
		b.lines = []string{s}
		p.at, p.partly = len(p.line), false
		*container = b
		return true, true
	case c == '`' || c == '~':
		n := len(rest) - len(strings.TrimLeft(rest, string(c)))
		if n < 3 || c == '`' && strings.IndexByte(rest[n:], '`') >= 0 {
			break
		}
		closeUnmatched()
		b := p.open(MarkupPre)
		b.fence, b.length, b.indent = c, n, p.indent()
		b.info = strings.Trim(rest[n:], " \t")
		p.at, p.partly = len(p.line), false
		*container = b
		// The line of the fence is no line of the text.
		b.lines = nil
		return true, true
	case (c == '=' || c == '-') && (*container).kind == MarkupParagraph:
		if s := strings.TrimRight(rest, " \t"); strings.Trim(s, string(c)) != "" {
			break
		}
		b := *container
		closeUnmatched()
		p.takeReferences(b)
		if len(b.lines) == 0 {
			break
		}
		b.kind = MarkupHeading
		b.number = 1
		if c == '-' {
			b.number = 2
		}
		p.at, p.partly = len(p.line), false
		return true, true
	}
	if isTableRule(rest) && (*container).kind == MarkupParagraph && len((*container).lines) > 0 {
		b := *container
		header := b.lines[len(b.lines)-1]
		align := tableAlign(rest)
		if len(tableCells(header)) == len(align) {
			closeUnmatched()
			b.lines = b.lines[:len(b.lines)-1]
			if len(b.lines) == 0 {
				b.kind = MarkupTable
			} else {
				b = p.open(MarkupTable)
			}
			b.align, b.lines = align, []string{header}
			p.at, p.partly = len(p.line), false
			*container = b
			return true, true
		}
	}
	if isThematicBreak(rest) {
		closeUnmatched()
		*container = p.open(MarkupRule)
		p.at, p.partly = len(p.line), false
		return true, true
	}
	if depth < maxMarkdownDepth {
		return p.startItem(container, closeUnmatched), false
	}
	return false, false
}

func isThematicBreak(s string) bool {
	if s == "" || s[0] != '*' && s[0] != '-' && s[0] != '_' {
		return false
	}
	n := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case s[0]:
			n++
		case ' ', '\t':
		default:
			return false
		}
	}
	return n >= 3
}

// startItem starts an item, and a list where it does not belong to the one that
// is open.
func (p *markdownParser) startItem(container **mdBlock, closeUnmatched func()) bool {
	rest := p.line[p.next:]
	var kind MarkupKind
	var marker byte
	number, n := 0, 0
	switch c := p.peek(); {
	case c == '*' || c == '+' || c == '-':
		kind, marker, n = MarkupBulletList, c, 1
	case isDigit(c):
		for n < len(rest) && isDigit(rest[n]) {
			n++
		}
		if n > 9 || n == len(rest) || rest[n] != '.' && rest[n] != ')' {
			return false
		}
		kind, marker = MarkupOrderedList, rest[n]
		number, _ = strconv.Atoi(rest[:n])
		n++
	default:
		return false
	}
	if n < len(rest) && rest[n] != ' ' && rest[n] != '\t' {
		return false
	}
	if (*container).kind == MarkupParagraph && (strings.Trim(rest[n:], " \t") == "" || kind == MarkupOrderedList && number != 1) {
		return false
	}
	offset := p.indent()
	p.toNext()
	p.advance(n, true)
	at, col, partly := p.at, p.col, p.partly
	// One to four columns of white space belong to the marker; five or more are
	// one and code.
	for p.col-col < 5 && p.at < len(p.line) && (p.line[p.at] == ' ' || p.line[p.at] == '\t') {
		p.advance(1, true)
	}
	padding := n + p.col - col
	if p.col-col >= 5 || p.col == col || strings.Trim(p.line[p.at:], " \t") == "" {
		padding = n + 1
		p.at, p.col, p.partly = at, col, partly
		if p.at < len(p.line) {
			p.advance(1, true)
		}
	}
	closeUnmatched()
	list := *container
	if list.kind != kind || list.marker != marker {
		list = p.open(kind)
		list.marker, list.number = marker, number
	}
	b := p.open(MarkupItem)
	b.indent = offset + padding
	*container = b
	return true
}

// close ends a block, which must be the innermost.
func (p *markdownParser) close(b *mdBlock) {
	b.closed = true
	p.tip = b.parent
	switch b.kind {
	case MarkupParagraph:
		p.takeReferences(b)
	case MarkupPre:
		if b.fence != 0 {
			b.lines = b.lines[min(1, len(b.lines)):]
			break
		}
		for len(b.lines) > 0 && strings.Trim(b.lines[len(b.lines)-1], " \t") == "" {
			b.lines = b.lines[:len(b.lines)-1]
		}
	case MarkupBulletList, MarkupOrderedList:
		b.tight = true
		for i, item := range b.children {
			last := i == len(b.children)-1
			if item.endsBlank() && !last {
				b.tight = false
			}
			for j, sub := range item.children {
				if sub.endsBlank() && (!last || j < len(item.children)-1) {
					b.tight = false
				}
			}
		}
	}
}

func (b *mdBlock) endsBlank() bool {
	for {
		if b.blank {
			return true
		}
		if b.kind != MarkupBulletList && b.kind != MarkupOrderedList && b.kind != MarkupItem || len(b.children) == 0 {
			return false
		}
		b = b.children[len(b.children)-1]
	}
}

// takeReferences takes the definitions of links off the start of a paragraph.
func (p *markdownParser) takeReferences(b *mdBlock) {
	if len(b.lines) == 0 || !strings.HasPrefix(b.lines[0], "[") {
		return
	}
	text := strings.Join(b.lines, "\n")
	for strings.HasPrefix(text, "[") {
		n := p.reference(text)
		if n == 0 {
			break
		}
		text = text[n:]
	}
	b.lines = nil
	if text != "" {
		b.lines = strings.Split(text, "\n")
	}
}

// reference reads a definition and returns its length, 0 for none.
func (p *markdownParser) reference(s string) int {
	label, i := linkLabel(s)
	if i == 0 || i >= len(s) || s[i] != ':' {
		return 0
	}
	i++
	i += len(s[i:]) - len(trimLineSpace(s[i:]))
	target, n, ok := linkTarget(s[i:])
	if !ok || n == 0 {
		return 0
	}
	i += n
	end := func(i int) (int, bool) {
		rest := strings.TrimLeft(s[i:], " \t")
		if rest == "" {
			return len(s), true
		}
		return len(s) - len(rest) + 1, rest[0] == '\n'
	}
	m := &Markup{Kind: MarkupLink, Target: target}
	stop, ok := end(i)
	if gap := len(s[i:]) - len(trimLineSpace(s[i:])); gap > 0 {
		if title, n := linkTitle(s[i+gap:]); n > 0 {
			if after, isEnd := end(i + gap + n); isEnd {
				m.Title = title
				stop, ok = after, true
			}
		}
	}
	if !ok {
		return 0
	}
	if p.refs == nil {
		p.refs, p.used = map[string]*Markup{}, map[string]bool{}
	}
	if _, known := p.refs[label]; !known {
		p.refs[label] = m
	}
	return stop
}

// trimLineSpace takes off white space with one line end at most.
func trimLineSpace(s string) string {
	s = strings.TrimLeft(s, " \t")
	if strings.HasPrefix(s, "\n") {
		s = strings.TrimLeft(s[1:], " \t")
	}
	return s
}

// tree makes the pieces of markup of blocks.
func (p *markdownParser) tree(blocks []*mdBlock) []*Markup {
	var out []*Markup
	for _, b := range blocks {
		m := &Markup{Kind: b.kind}
		switch b.kind {
		case MarkupParagraph, MarkupHeading:
			m.Number = b.number
			m.Children = p.inlines(strings.Join(b.lines, "\n"))
		case MarkupPre:
			m.Text = strings.Join(b.lines, "\n")
			m.Type = unescapeMarkdown(b.info)
		case MarkupTable:
			p.table(m, b)
		case MarkupBulletList, MarkupOrderedList:
			m.Number, m.Tight = b.number, b.tight
			m.Children = p.tree(b.children)
		case MarkupQuote, MarkupItem:
			m.Children = p.tree(b.children)
		}
		out = append(out, m)
	}
	return out
}

func (p *markdownParser) table(m *Markup, b *mdBlock) {
	for _, line := range b.lines {
		row := &Markup{Kind: MarkupRow}
		for i, text := range tableCells(line) {
			cell := &Markup{Kind: MarkupCell, Children: p.inlines(strings.ReplaceAll(text, `\|`, "|"))}
			if i < len(b.align) {
				cell.Align = b.align[i]
			}
			row.Children = append(row.Children, cell)
		}
		m.Children = append(m.Children, row)
	}
}

// tableCells splits a row at its pipes.
func tableCells(s string) []string {
	s = strings.TrimPrefix(strings.Trim(s, " \t"), "|")
	var cells []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '|':
			cells = append(cells, strings.Trim(s[start:i], " \t"))
			start = i + 1
		}
	}
	if start < len(s) || len(cells) == 0 {
		cells = append(cells, strings.Trim(s[start:], " \t"))
	}
	return cells
}

// isTableRule tells whether a line is the rule under the head of a table.
func isTableRule(s string) bool {
	if s == "" || s[0] != '|' && s[0] != ':' && s[0] != '-' {
		return false
	}
	for _, cell := range tableCells(s) {
		cell = strings.TrimSuffix(strings.TrimPrefix(cell, ":"), ":")
		if cell == "" || strings.Trim(cell, "-") != "" {
			return false
		}
	}
	return true
}

func tableAlign(s string) []string {
	cells := slices.Clone(tableCells(s))
	for i, cell := range cells {
		left, right := strings.HasPrefix(cell, ":"), strings.HasSuffix(cell, ":")
		switch {
		case left && right:
			cells[i] = "center"
		case left:
			cells[i] = "left"
		case right:
			cells[i] = "right"
		default:
			cells[i] = ""
		}
	}
	return cells
}
