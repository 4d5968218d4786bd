package oscal

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Markdown returns the piece as Markdown, the form that JSON and YAML have for
// it: CommonMark with pipe tables and the inlines of OSCAL (Metaschema, data type
// markup-multiline). A root of inlines gives one line. The tree need not be in
// normal form; what is written is.
func (m *Markup) Markdown() string {
	root := &Markup{Kind: MarkupRoot, Children: []*Markup{m.clone()}}
	if m.Kind == MarkupRoot {
		root.Children = root.Children[0].Children
	}
	root.normal(!slices.ContainsFunc(root.Children, func(c *Markup) bool { return c.Kind.isBlock() }))
	return root.markdown()
}

// markdown is Markdown of a root in normal form.
func (m *Markup) markdown() string {
	if len(m.Children) == 0 {
		return ""
	}
	if only := m.Children[0]; len(m.Children) == 1 {
		// Most values are one paragraph of plain text.
		if only.Kind == MarkupParagraph && len(only.Children) == 1 {
			only = only.Children[0]
		}
		if only.Kind == MarkupText && isPlainMarkdown(only.Text) {
			return only.Text
		}
	}
	w := markdownWriter{}
	if m.Children[0].Kind.isBlock() {
		w.blocks(m.Children, true)
	} else {
		w.oneLine = true
		w.inlines(m.Children)
	}
	return string(w.b)
}

// isPlainMarkdown tells whether a text in normal form is its own Markdown,
// wherever it stands: it starts with a letter and has no special character.
func isPlainMarkdown(s string) bool {
	if s == "" || !isAlpha(s[0]) && s[0] < utf8.RuneSelf || s[len(s)-1] == ' ' {
		return false
	}
	for i := 0; i < len(s); i++ {
		if notPlainMarkdown[s[i]] && (s[i] != ' ' || s[i+1] == ' ') {
			return false
		}
	}
	return true
}

var notPlainMarkdown = [256]bool{
	'*': true, '_': true, '~': true, '^': true, '[': true, ']': true, '"': true, '\\': true, '`': true, '<': true,
	'&': true, '{': true, '!': true, '#': true, '|': true, '\n': true, '\r': true, '\t': true, ' ': true,
}

// A markdownWriter writes a tree in normal form so that it is read as the same
// tree again.
type markdownWriter struct {
	b       []byte
	prefix  []byte // what a new line starts with: quote marks, indentation of items
	oneLine bool   // line breaks cannot be written: markup-line, heading, cell
	cell    bool   // in a table, where a pipe is escaped
	line    int    // where the text of the current line starts in b
	lines   int    // lines of the current paragraph that are complete
	after   bool   // the delimiter before cannot close unless it is followed by space or punctuation
	outer   byte   // delimiter of the emphasis that the text stands in
}

func (w *markdownWriter) newLine() {
	w.b = append(w.b, '\n')
	w.b = append(w.b, w.prefix...)
	w.line = len(w.b)
}

// blankLine ends a line and leaves an empty one, without trailing space.
func (w *markdownWriter) blankLine() {
	w.b = append(w.b, '\n')
	w.b = append(w.b, strings.TrimRight(string(w.prefix), " ")...)
	w.newLine()
}

// blocks writes blocks, with an empty line between them unless they stand
// tight.
func (w *markdownWriter) blocks(blocks []*Markup, loose bool) {
	var previous *Markup
	alternate := false
	for i, m := range blocks {
		switch {
		case i == 0:
		case loose:
			w.blankLine()
		default:
			w.newLine()
		}
		w.line, w.lines, w.after = len(w.b), 0, false
		// A list after a list of its kind needs another marker.
		alternate = previous != nil && previous.Kind == m.Kind && !alternate
		w.block(m, alternate)
		previous = m
	}
}

func (w *markdownWriter) block(m *Markup, alternate bool) {
	switch m.Kind {
	case MarkupParagraph:
		w.inlines(m.Children)
	case MarkupHeading:
		w.b = append(w.b, "######"[:min(max(m.Number, 1), 6)]...)
		w.b = append(w.b, ' ')
		w.single(m.Children, false)
		if n := len(w.b); w.b[n-1] == '#' {
			// A number sign at the end would close the heading.
			w.b = append(w.b[:n-1], `\#`...)
		}
	case MarkupRule:
		w.b = append(w.b, "***"...)
	case MarkupPre:
		w.pre(m)
	case MarkupQuote:
		w.b = append(w.b, "> "...)
		w.nested("> ", m.Children, true)
	case MarkupTable:
		w.table(m)
	case MarkupBulletList:
		marker := "- "
		if alternate {
			marker = "+ "
		}
		w.items(m, func(int) string { return marker })
	case MarkupOrderedList:
		point := ". "
		if alternate {
			point = ") "
		}
		w.items(m, func(i int) string { return strconv.Itoa(min(m.Number+i, maxListNumber)) + point })
	}
}

func (w *markdownWriter) items(list *Markup, marker func(int) string) {
	for i, item := range list.Children {
		switch {
		case i == 0:
		case list.Tight:
			w.newLine()
		default:
			w.blankLine()
		}
		s := marker(i)
		w.b = append(w.b, s...)
		w.nested("                "[:len(s)], item.Children, !list.Tight)
	}
}

func (w *markdownWriter) nested(prefix string, blocks []*Markup, loose bool) {
	n := len(w.prefix)
	w.prefix = append(w.prefix, prefix...)
	w.blocks(blocks, loose)
	w.prefix = w.prefix[:n]
}

func (w *markdownWriter) pre(m *Markup) {
	info, c := strings.Join(strings.Fields(m.Type), " "), byte('`')
	if strings.IndexByte(info, c) >= 0 {
		c = '~' // a fence of backquotes has none behind it
	}
	fence := strings.Repeat(string(c), max(3, longestRun(m.Text, c)+1))
	w.b = append(w.b, fence...)
	if strings.HasPrefix(info, string(c)) {
		w.b = append(w.b, ' ')
	}
	w.escaped(info, `\\`)
	for l := range strings.SplitSeq(m.Text, "\n") {
		if l == "" {
			w.b = append(w.b, '\n')
			w.b = append(w.b, strings.TrimRight(string(w.prefix), " ")...)
			continue
		}
		w.newLine()
		w.b = append(w.b, l...)
	}
	w.newLine()
	w.b = append(w.b, fence...)
}

func longestRun(s string, c byte) int {
	longest, n := 0, 0
	for i := 0; i < len(s); i++ {
		if s[i] == c {
			n++
			longest = max(longest, n)
		} else {
			n = 0
		}
	}
	return longest
}

func (w *markdownWriter) table(m *Markup) {
	for i, row := range m.Children {
		if i > 0 {
			w.newLine()
		}
		w.b = append(w.b, '|')
		for _, cell := range row.Children {
			w.b = append(w.b, ' ')
			w.single(cell.Children, true)
			w.b = append(w.b, " |"...)
		}
		if i > 0 {
			continue
		}
		w.newLine()
		w.b = append(w.b, '|')
		for _, cell := range row.Children {
			switch cell.Align {
			case "left":
				w.b = append(w.b, " :--- |"...)
			case "center":
				w.b = append(w.b, " :---: |"...)
			case "right":
				w.b = append(w.b, " ---: |"...)
			default:
				w.b = append(w.b, " --- |"...)
			}
		}
	}
}

// single writes inlines that must stay on one line.
func (w *markdownWriter) single(inlines []*Markup, cell bool) {
	w.oneLine, w.cell, w.after = true, cell, false
	w.inlines(inlines)
	w.oneLine, w.cell = false, false
}

func (w *markdownWriter) inlines(inlines []*Markup) {
	for i, m := range inlines {
		var next *Markup
		if i+1 < len(inlines) {
			next = inlines[i+1]
		}
		if m.Kind == MarkupBreak {
			w.lineBreak(w.oneLine || i == 0 || next == nil)
		} else {
			w.inline(m, next)
		}
	}
}

func (w *markdownWriter) inline(m, next *Markup) {
	switch m.Kind {
	case MarkupText:
		w.text(m.Text, next)
	case MarkupEmphasis, MarkupStrong:
		c := byte('*')
		if w.outer == c || w.outer == 0 && w.last() == c {
			c = '_'
		}
		outer := w.outer
		w.outer = c
		if m.Kind == MarkupStrong {
			w.delimited(string([]byte{c, c}), m, next)
		} else {
			w.delimited(string(c), m, next)
		}
		w.outer = outer
	case MarkupQ:
		w.delimited(`"`, m, next)
	case MarkupSub:
		w.delimited("~", m, next)
	case MarkupSup:
		w.delimited("^", m, next)
	case MarkupCode:
		w.code(m.Text)
	case MarkupLink:
		w.b = append(w.b, '[')
		w.after = false
		// Emphasis pairs inside the brackets by itself.
		outer := w.outer
		w.outer = 0
		w.inlines(m.Children)
		w.outer = outer
		w.b = append(w.b, "]("...)
		w.target(m)
	case MarkupImage:
		w.b = append(w.b, "!["...)
		w.after = false
		w.text(m.Text, nil)
		w.b = append(w.b, "]("...)
		w.target(m)
	case MarkupInsert:
		w.b = append(w.b, "{{ insert: "...)
		w.b = append(w.b, m.Type...)
		w.b = append(w.b, ", "...)
		w.b = append(w.b, m.Target...)
		w.b = append(w.b, " }}"...)
		w.after = false
	}
}

// lineBreak writes a break; where the line cannot end, it is a reference to a
// line feed, which what knows no more reads as a space.
func (w *markdownWriter) lineBreak(inLine bool) {
	w.after = false
	if inLine {
		w.b = append(w.b, "&#10;"...)
		return
	}
	w.b = append(w.b, '\\')
	w.newLine()
	w.lines++
}

// last is the last byte of the current line, 0 at its start.
func (w *markdownWriter) last() byte {
	if len(w.b) == w.line {
		return 0
	}
	return w.b[len(w.b)-1]
}

// delimited writes an inline between delimiters. CommonMark takes a run of
// delimiters as opening or closing by the characters on both sides of it (0.31.2,
// section 6.2); where these do not fit, the letter beside it is written as a
// character reference, whose ends are punctuation.
func (w *markdownWriter) delimited(d string, m, next *Markup) {
	w.after = false
	line, open := w.line, len(w.b)
	w.b = append(w.b, d...)
	start := len(w.b)
	w.inlines(m.Children)
	// From the end to the start, so that places do not move.
	last, n := utf8.DecodeLastRune(w.b)
	if isMarkdownSpace(last) || next != nil && next.Kind == m.Kind && !isMarkdownPunctuation(last) {
		w.encodeLast(len(w.b)-n, len(w.b))
		last = ';'
	}
	first, n := utf8.DecodeRune(w.b[start:])
	if isMarkdownSpace(first) || open > line && w.b[open-1] == d[0] && !isMarkdownPunctuation(first) {
		if start+n == len(w.b) {
			last = ';'
		}
		if n == 1 && (isAlpha(w.b[start]) || isDigit(w.b[start])) && start+1 < len(w.b) && w.b[start+1] == '_' { // see encodeLast
			w.b = slices.Insert(w.b, start+1, '\\')
		}
		w.encode(start, start+n)
		first = '&'
	}
	if d[0] == '_' || isMarkdownPunctuation(first) {
		if r, n := utf8.DecodeLastRune(w.b[line:open]); n > 0 && !isMarkdownSpace(r) && !isMarkdownPunctuation(r) {
			w.encodeLast(open-n, open)
		}
	}
	w.b = append(w.b, d...)
	w.after = d[0] == '_' || isMarkdownPunctuation(last)
}

// encodeLast is encode of the last character of a text. An underscore before it is
// no longer inside of a word, where text leaves it as it is.
func (w *markdownWriter) encodeLast(from, to int) {
	w.encode(from, to)
	if from >= 2 && w.b[from-1] == '_' && (isAlpha(w.b[from-2]) || isDigit(w.b[from-2])) {
		w.b = slices.Insert(w.b, from-1, '\\')
		if w.line >= from {
			w.line++
		}
	}
}

// encode replaces the character at b[from:to] by a reference to it.
func (w *markdownWriter) encode(from, to int) {
	r, _ := utf8.DecodeRune(w.b[from:to])
	ref := "&#" + strconv.Itoa(int(r)) + ";"
	w.b = slices.Replace(w.b, from, to, []byte(ref)...)
	if w.line >= to {
		w.line += len(ref) - (to - from)
	}
}

// isMarkdownSpace and isMarkdownPunctuation are the classes of characters of
// CommonMark 0.31.2, section 2.1.
func isMarkdownSpace(r rune) bool {
	return r == ' ' || r == '\t' || r == '\n' || r == '\f' || r == '\r' || r >= utf8.RuneSelf && unicode.Is(unicode.Zs, r)
}

func isMarkdownPunctuation(r rune) bool {
	if r < utf8.RuneSelf {
		return r > ' ' && r < 0x7f && !isAlpha(byte(r)) && !isDigit(byte(r))
	}
	return unicode.IsPunct(r) || unicode.IsSymbol(r)
}

func (w *markdownWriter) code(s string) {
	w.after = false
	if w.cell {
		s = strings.ReplaceAll(s, "|", `\|`)
	}
	fence := "`"
	for hasRun(s, len(fence)) {
		fence += "`"
	}
	pad := ""
	if s[0] == '`' || s[len(s)-1] == '`' || s[0] == ' ' && s[len(s)-1] == ' ' && strings.Trim(s, " ") != "" {
		pad = " "
	}
	w.b = append(w.b, fence+pad+s+pad+fence...)
}

// hasRun tells whether s has a run of exactly n backquotes.
func hasRun(s string, n int) bool {
	run := 0
	for i := 0; i <= len(s); i++ {
		if i < len(s) && s[i] == '`' {
			run++
			continue
		}
		if run == n {
			return true
		}
		run = 0
	}
	return false
}

// target writes destination and title of a link or an image.
func (w *markdownWriter) target(m *Markup) {
	bare := m.Target != "" || m.Title == ""
	for i := 0; i < len(m.Target); i++ {
		if c := m.Target[i]; c <= ' ' || c == '(' || c == ')' || c == '<' || c == 0x7f {
			bare = false
		}
	}
	if bare {
		w.escaped(m.Target, `\*_~^"|`+"`")
	} else {
		w.b = append(w.b, '<')
		w.escaped(m.Target, `\<>|`)
		w.b = append(w.b, '>')
	}
	if m.Title != "" {
		w.b = append(w.b, ` "`...)
		w.escaped(m.Title, `\"|`)
		w.b = append(w.b, '"')
	}
	w.b = append(w.b, ')')
	w.after = false
}

// escaped writes text with backslashes before some characters, and without
// character references in it. A pipe is escaped in tables only.
func (w *markdownWriter) escaped(s, special string) {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '&' && isReference(s[i:]):
			w.b = append(w.b, "&amp;"...)
			continue
		case c == '\n':
			w.b = append(w.b, "&#10;"...)
			continue
		case c == '|' && !w.cell:
		case strings.IndexByte(special, c) >= 0:
			w.b = append(w.b, '\\')
		}
		w.b = append(w.b, s[i])
	}
}

// isReference tells whether s starts with what may be a character reference.
func isReference(s string) bool {
	n := 1
	for n < len(s) && n < 40 && (isAlpha(s[n]) || isDigit(s[n]) || s[n] == '#') {
		n++
	}
	return n > 1 && n < len(s) && s[n] == ';'
}

// text writes text so that nothing in it is taken for markup.
func (w *markdownWriter) text(s string, next *Markup) {
	if w.after {
		w.after = false
		if r, n := utf8.DecodeRuneInString(s); !isMarkdownSpace(r) && !isMarkdownPunctuation(r) {
			w.b = append(w.b, s[:n]...)
			w.encode(len(w.b)-n, len(w.b))
			s = s[n:]
		}
	}
	if len(w.b) == w.line {
		s = w.lineStart(s)
	}
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		replacement := ""
		switch c {
		case '*', '~', '^', '[', ']', '"', '\\', '`':
		case '_':
			// Inside a word it is a letter like others.
			if i > start && i+1 < len(s) && (isAlpha(s[i-1]) || isDigit(s[i-1])) && (isAlpha(s[i+1]) || isDigit(s[i+1])) {
				continue
			}
		case '|':
			if !w.cell {
				continue
			}
		case '!':
			if i+1 < len(s) || next == nil || next.Kind != MarkupLink {
				continue
			}
		case '{':
			if i+1 < len(s) && s[i+1] != '{' {
				continue
			}
		case '&':
			if !isReference(s[i:]) {
				continue
			}
			replacement = "&amp;"
		case '<':
			replacement = "&lt;"
		default:
			continue
		}
		w.b = append(w.b, s[start:i]...)
		if replacement != "" {
			w.b = append(w.b, replacement...)
		} else {
			w.b = append(w.b, '\\', c)
		}
		start = i + 1
	}
	w.b = append(w.b, s[start:]...)
}

// lineStart writes the start of a line where it would be taken for the start of
// a block, and returns the rest.
func (w *markdownWriter) lineStart(s string) string {
	if w.oneLine || s == "" {
		return s
	}
	end := func(i int) bool { return i >= len(s) || s[i] == ' ' }
	switch c := s[0]; {
	case c == '>', c == '#', c == '=', c == '-', c == '+', c == '|', c == ':' && w.lines > 0:
		w.b = append(w.b, '\\', c)
		return s[1:]
	case isDigit(c):
		i := 0
		for i < len(s) && isDigit(s[i]) {
			i++
		}
		if i <= 9 && i < len(s) && (s[i] == '.' || s[i] == ')') && end(i+1) {
			w.b = append(w.b, s[:i]...)
			w.b = append(w.b, '\\', s[i])
			return s[i+1:]
		}
	}
	return s
}

// maxListNumber is the highest number that an item may have (CommonMark 0.31.2,
// section 5.2).
const maxListNumber = 999_999_999
