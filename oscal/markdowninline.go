package oscal

import (
	"html"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An mdToken is a piece of a line: text, a finished inline, a run of delimiters,
// or a bracket that opens or closes a link or an image.
type mdToken struct {
	text   string  // text; what a delimiter or a bracket is where it has no meaning
	m      *Markup // a finished inline; for the brackets of a link or an image what they make
	close  bool    // the closing bracket of m
	delim  byte    // the delimiter
	opens  []MarkupKind
	closes []MarkupKind
	left   int // delimiters that are left
}

// An mdDelimiter is a run of delimiters that may still open or close something.
type mdDelimiter struct {
	token              int
	char               byte
	length             int // of the run as it was written
	canOpen, canClose  bool
	previous, nextOpen int // indices of neighbours, -1 for none
}

type mdBracket struct {
	token, start, delims int // index of the token, place after it, number of delimiters before
	image                bool
}

type inlineParser struct {
	s        string
	i        int
	refs     map[string]*Markup
	used     map[string]bool
	tokens   []mdToken
	delims   []mdDelimiter
	last     int // last delimiter of the list, -1 for none
	brackets []mdBracket
	inactive int         // so many of the first brackets, but for those of images, open no link
	ticks    map[int]int // last place of a run of so many backquotes
}

// inlines reads the text of a block.
func (p *markdownParser) inlines(text string) []*Markup {
	text = strings.Trim(text, " \t\n")
	r := inlineParser{s: text, refs: p.refs, used: p.used, last: -1}
	start := 0
	flush := func() {
		if r.i > start {
			r.tokens = append(r.tokens, mdToken{text: text[start:r.i]})
		}
	}
	for r.i < len(text) {
		c := text[r.i]
		if !isSpecial[c] {
			r.i++
			continue
		}
		flush()
		at := r.i
		if !r.special(c) {
			r.i = at + 1
			start = at
			continue
		}
		start = r.i
	}
	flush()
	r.emphasis(-1)
	return r.build()
}

var isSpecial = [256]bool{
	'\n': true, '\\': true, '`': true, '*': true, '_': true, '"': true, '~': true, '^': true,
	'[': true, ']': true, '!': true, '<': true, '&': true, '{': true,
}

func (r *inlineParser) put(m *Markup) { r.tokens = append(r.tokens, mdToken{m: m}) }

func (r *inlineParser) text(s string) { r.tokens = append(r.tokens, mdToken{text: s}) }

// special reads what starts with a special character, false if it is only text.
func (r *inlineParser) special(c byte) bool {
	rest := r.s[r.i:]
	switch c {
	case '\n':
		r.lineEnd()
	case '\\':
		switch {
		case len(rest) > 1 && rest[1] == '\n':
			r.put(&Markup{Kind: MarkupBreak})
			r.i += 2
		case len(rest) > 1 && rest[1] < utf8.RuneSelf && isMarkdownPunctuation(rune(rest[1])):
			r.text(rest[1:2])
			r.i += 2
		default:
			return false
		}
	case '`':
		r.code()
	case '*', '_', '"', '~', '^':
		r.delimiters(c)
	case '[':
		r.bracket(1, false)
	case '!':
		if len(rest) < 2 || rest[1] != '[' {
			return false
		}
		r.bracket(2, true)
	case ']':
		return r.closeBracket()
	case '<':
		return r.autolink()
	case '{':
		return r.insert()
	case '&':
		s, n := markdownReference(rest)
		if n == 0 {
			return false
		}
		if s == "\n" {
			r.put(&Markup{Kind: MarkupBreak})
		} else {
			r.text(s)
		}
		r.i += n
	}
	return true
}

// lineEnd is a break after two spaces, and else a space.
func (r *inlineParser) lineEnd() {
	if strings.HasSuffix(r.s[:r.i], "  ") {
		r.put(&Markup{Kind: MarkupBreak})
	} else {
		r.text(" ")
	}
	r.i++
	for r.i < len(r.s) && (r.s[r.i] == ' ' || r.s[r.i] == '\t') {
		r.i++
	}
}

func (r *inlineParser) code() {
	n := 0
	for r.i+n < len(r.s) && r.s[r.i+n] == '`' {
		n++
	}
	if r.ticks == nil {
		r.ticks = map[int]int{}
		for i := r.i; i < len(r.s); i++ {
			k := i
			for k < len(r.s) && r.s[k] == '`' {
				k++
			}
			if k > i {
				r.ticks[k-i] = i
				i = k - 1
			}
		}
	}
	start := r.i + n
	for i := start; i <= r.ticks[n]; i++ {
		k := i
		for k < len(r.s) && r.s[k] == '`' {
			k++
		}
		if k-i == n {
			s := strings.ReplaceAll(r.s[start:i], "\n", " ")
			if len(s) > 1 && s[0] == ' ' && s[len(s)-1] == ' ' && strings.Trim(s, " ") != "" {
				s = s[1 : len(s)-1]
			}
			r.put(&Markup{Kind: MarkupCode, Text: s})
			r.i = k
			return
		}
		if k > i {
			i = k - 1
		}
	}
	r.text(r.s[r.i:start])
	r.i = start
}

// insert reads {{ insert: type, id }}.
func (r *inlineParser) insert() bool {
	s, ok := strings.CutPrefix(r.s[r.i:], "{{")
	if !ok {
		return false
	}
	end := strings.Index(s[:min(len(s), 2000)], "}}")
	if end < 0 {
		return false
	}
	body, ok := strings.CutPrefix(trimXML(s[:end]), "insert:")
	kind, id, comma := strings.Cut(body, ",")
	kind, id = trimXML(kind), trimXML(id)
	if !ok || !comma || !isInsertName(kind) || !isInsertName(id) {
		return false
	}
	r.put(&Markup{Kind: MarkupInsert, Type: kind, Target: id})
	r.i += len("{{") + end + len("}}")
	return true
}

// autolink reads <scheme:rest> and <name@host>.
func (r *inlineParser) autolink() bool {
	end := strings.IndexAny(r.s[r.i+1:], "<> \n")
	if end < 0 || r.s[r.i+1+end] != '>' {
		return false
	}
	text := r.s[r.i+1 : r.i+1+end]
	target := text
	scheme, _, ok := strings.Cut(text, ":")
	if !ok || len(scheme) < 2 || len(scheme) > 32 || !isAlpha(scheme[0]) || strings.IndexFunc(scheme, func(c rune) bool {
		return c >= utf8.RuneSelf || !isAlpha(byte(c)) && !isDigit(byte(c)) && c != '+' && c != '-' && c != '.'
	}) >= 0 {
		name, host, at := strings.Cut(text, "@")
		if !at || name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&'*+/=?^_`{|}~-") != "" ||
			!validHostname(host) || strings.IndexFunc(host, func(c rune) bool { return c >= utf8.RuneSelf }) >= 0 {
			return false
		}
		target = "mailto:" + text
	}
	r.put(&Markup{Kind: MarkupLink, Target: target, Children: []*Markup{{Kind: MarkupText, Text: text}}})
	r.i += end + 2
	return true
}

// delimiters reads a run of delimiters. Those of OSCAL's own inlines work as
// asterisks do, each by itself.
func (r *inlineParser) delimiters(c byte) {
	start := r.i
	for r.i < len(r.s) && r.s[r.i] == c {
		r.i++
	}
	before, after := rune('\n'), rune('\n')
	if start > 0 {
		before, _ = utf8.DecodeLastRuneInString(r.s[:start])
	}
	if r.i < len(r.s) {
		after, _ = utf8.DecodeRuneInString(r.s[r.i:])
	}
	leftFlanking := !isMarkdownSpace(after) && (!isMarkdownPunctuation(after) || isMarkdownSpace(before) || isMarkdownPunctuation(before))
	rightFlanking := !isMarkdownSpace(before) && (!isMarkdownPunctuation(before) || isMarkdownSpace(after) || isMarkdownPunctuation(after))
	canOpen, canClose := leftFlanking, rightFlanking
	if c == '_' {
		canOpen = leftFlanking && (!rightFlanking || isMarkdownPunctuation(before))
		canClose = rightFlanking && (!leftFlanking || isMarkdownPunctuation(after))
	}
	runs := 1
	length := r.i - start
	if c != '*' && c != '_' {
		runs, length = length, 1
	}
	for k := range runs {
		r.tokens = append(r.tokens, mdToken{text: r.s[start+k*length : start+(k+1)*length], delim: c, left: length})
		if !canOpen && !canClose {
			continue
		}
		d := mdDelimiter{token: len(r.tokens) - 1, char: c, length: length, canOpen: canOpen, canClose: canClose, previous: r.last, nextOpen: -1}
		if r.last >= 0 {
			r.delims[r.last].nextOpen = len(r.delims)
		}
		r.last = len(r.delims)
		r.delims = append(r.delims, d)
	}
}

func (r *inlineParser) unlink(i int) {
	d := r.delims[i]
	if d.previous >= 0 {
		r.delims[d.previous].nextOpen = d.nextOpen
	}
	if d.nextOpen >= 0 {
		r.delims[d.nextOpen].previous = d.previous
	} else {
		r.last = d.previous
	}
}

// emphasis pairs the delimiters above a place in the list (CommonMark 0.31.2,
// appendix, "process emphasis").
func (r *inlineParser) emphasis(bottom int) {
	type class struct {
		char    byte
		canOpen bool
		mod     int
	}
	floor := map[class]int{} // below it no opener was found for closers of a class
	i := r.last
	if i == bottom {
		return
	}
	for i >= 0 && r.delims[i].previous != bottom {
		i = r.delims[i].previous
	}
	for i >= 0 {
		closer := r.delims[i]
		if !closer.canClose {
			i = closer.nextOpen
			continue
		}
		key := class{closer.char, closer.canOpen, closer.length % 3}
		stop, ok := floor[key]
		if !ok {
			stop = bottom
		}
		o := closer.previous
		for o >= 0 && o != bottom && o > stop {
			d := r.delims[o]
			if d.char == closer.char && d.canOpen && (closer.char != '*' && closer.char != '_' ||
				!(d.canClose || closer.canOpen) || (d.length+closer.length)%3 != 0 || d.length%3 == 0 && closer.length%3 == 0) {
				break
			}
			o = d.previous
		}
		if o < 0 || o == bottom || o <= stop {
			floor[key] = closer.previous
			next := closer.nextOpen
			if !closer.canOpen {
				r.unlink(i)
			}
			i = next
			continue
		}
		from, to := &r.tokens[r.delims[o].token], &r.tokens[closer.token]
		use, kind := 1, MarkupEmphasis
		switch {
		case closer.char == '"':
			kind = MarkupQ
		case closer.char == '~':
			kind = MarkupSub
		case closer.char == '^':
			kind = MarkupSup
		case from.left >= 2 && to.left >= 2:
			use, kind = 2, MarkupStrong
		}
		from.left -= use
		to.left -= use
		from.opens = append(from.opens, kind)
		to.closes = append(to.closes, kind)
		for k := closer.previous; k != o; k = r.delims[k].previous {
			r.unlink(k)
		}
		if from.left == 0 {
			r.unlink(o)
		}
		if to.left == 0 {
			next := r.delims[i].nextOpen
			r.unlink(i)
			i = next
		}
	}
	for r.last != bottom && r.last >= 0 {
		r.unlink(r.last)
	}
}

func (r *inlineParser) bracket(n int, image bool) {
	r.text(r.s[r.i : r.i+n])
	r.i += n
	r.inactive = min(r.inactive, len(r.brackets))
	r.brackets = append(r.brackets, mdBracket{len(r.tokens) - 1, r.i, r.last, image})
}

// closeBracket makes a link or an image of what stands since the last bracket.
func (r *inlineParser) closeBracket() bool {
	n := len(r.brackets) - 1
	if n < 0 {
		return false
	}
	b := r.brackets[n]
	r.brackets = r.brackets[:n]
	if !b.image && n < r.inactive {
		return false
	}
	m, length := r.linkTail(b)
	if m == nil {
		return false
	}
	r.emphasis(b.delims)
	m = &Markup{Kind: MarkupLink, Target: m.Target, Title: m.Title}
	if b.image {
		m.Kind = MarkupImage
	} else {
		r.inactive = n // links do not nest
	}
	r.tokens[b.token].m = m
	r.tokens = append(r.tokens, mdToken{m: m, close: true})
	r.i += length
	return true
}

// linkTail reads what follows the text of a link: a target in parentheses, or
// the label of a definition.
func (r *inlineParser) linkTail(b mdBracket) (*Markup, int) {
	rest := r.s[r.i+1:]
	if strings.HasPrefix(rest, "(") {
		i := 1
		space := func() int {
			start := i
			i = len(rest) - len(strings.TrimLeft(rest[i:], " \t\n"))
			return i - start
		}
		space()
		if target, n, ok := linkTarget(rest[i:]); ok {
			i += n
			m := &Markup{Target: target}
			if space() > 0 {
				title, n := linkTitle(rest[i:])
				m.Title = title
				i += n
				space()
			}
			if i < len(rest) && rest[i] == ')' {
				return m, i + 2
			}
		}
	}
	if len(r.refs) == 0 {
		return nil, 0
	}
	label, n := linkLabel(rest)
	if n == 0 && r.i-b.start < 1000 {
		label, _ = linkLabel("[" + r.s[b.start:r.i] + "]")
		if strings.HasPrefix(rest, "[]") {
			n = 2
		}
	}
	if m, ok := r.refs[label]; ok && label != "" {
		r.used[label] = true
		return m, n + 1
	}
	return nil, 0
}

// linkLabel reads a label in brackets and folds it for comparison.
func linkLabel(s string) (string, int) {
	if !strings.HasPrefix(s, "[") {
		return "", 0
	}
	for i := 1; i < len(s) && i < 1000; i++ {
		switch s[i] {
		case '\\':
			i++
		case '[':
			return "", 0
		case ']':
			label := strings.Join(strings.Fields(s[1:i]), " ")
			if label == "" {
				return "", 0
			}
			return strings.ToLower(strings.ToUpper(label)), i + 1
		}
	}
	return "", 0
}

// linkTarget reads the destination of a link.
func linkTarget(s string) (target string, n int, ok bool) {
	if strings.HasPrefix(s, "<") {
		for i := 1; i < len(s); i++ {
			switch s[i] {
			case '\\':
				i++
			case '<', '\n':
				return "", 0, false
			case '>':
				return unescapeMarkdown(s[1:i]), i + 1, true
			}
		}
		return "", 0, false
	}
	depth := 0
	i := 0
	for ; i < len(s) && s[i] > ' ' && s[i] != 0x7f; i++ {
		switch s[i] {
		case '\\':
			if i+1 < len(s) && s[i+1] > ' ' {
				i++
			}
			continue
		case '(':
			if depth++; depth > 32 {
				return "", 0, false
			}
			continue
		case ')':
			depth--
		}
		if depth < 0 {
			break
		}
	}
	return unescapeMarkdown(s[:min(i, len(s))]), min(i, len(s)), depth <= 0
}

// linkTitle reads the title of a link, of length 0 for none.
func linkTitle(s string) (string, int) {
	if s == "" {
		return "", 0
	}
	end := s[0]
	switch end {
	case '"', '\'':
	case '(':
		end = ')'
	default:
		return "", 0
	}
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == '\\':
			i++
		case s[i] == end:
			return trimXML(collapse(unescapeMarkdown(s[1:i]))), i + 1
		case s[i] == '(' && end == ')':
			return "", 0
		}
	}
	return "", 0
}

// unescapeMarkdown resolves backslashes and character references.
func unescapeMarkdown(s string) string {
	if !strings.ContainsAny(s, `\&`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s) && s[i+1] < utf8.RuneSelf && isMarkdownPunctuation(rune(s[i+1])):
			i++
			b.WriteByte(s[i])
		case s[i] == '&':
			if t, n := markdownReference(s[i:]); n > 0 {
				b.WriteString(t)
				i += n - 1
				continue
			}
			b.WriteByte('&')
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// markdownReference reads a character reference and returns what it stands for
// and its length, 0 for none. A character that XML has no form for is replaced
// by U+FFFD, as CommonMark does with U+0000.
func markdownReference(s string) (string, int) {
	n := 1
	for n < len(s) && n < 40 && (isAlpha(s[n]) || isDigit(s[n]) || n == 1 && s[n] == '#') {
		n++
	}
	if n < 2 || n >= len(s) || s[n] != ';' {
		return "", 0
	}
	n++
	name := s[1 : n-1]
	if name[0] != '#' {
		t := html.UnescapeString(s[:n])
		if t == s[:n] || t != ";" && strings.HasSuffix(t, ";") {
			return "", 0
		}
		return t, n
	}
	digits, base, limit := name[1:], 10, 7
	if digits != "" && digits[0]|0x20 == 'x' {
		digits, base, limit = digits[1:], 16, 6
	}
	if len(digits) > limit {
		return "", 0
	}
	v, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		return "", 0
	}
	if !isXMLChar(rune(v)) {
		v = unicode.ReplacementChar
	}
	return string(rune(v)), n
}

// build makes the tree of the tokens.
func (r *inlineParser) build() []*Markup {
	root := &Markup{}
	stack := []*Markup{root}
	put := func(m *Markup) {
		top := stack[len(stack)-1]
		top.Children = append(top.Children, m)
	}
	text := func(s string) { put(&Markup{Kind: MarkupText, Text: s}) }
	// push opens an inline; one that lies too deep is left out, its content stays.
	push := func(m *Markup) {
		if len(stack) > maxMarkdownDepth {
			m = stack[len(stack)-1]
		} else {
			put(m)
		}
		stack = append(stack, m)
	}
	pop := func() { stack = stack[:len(stack)-1] }
	for i := range r.tokens {
		t := &r.tokens[i]
		switch {
		case t.close:
			if pop(); t.m.Kind == MarkupImage {
				t.m.Text = trimXML(collapse(t.m.Plain(nil)))
				t.m.Children = nil
			}
		case t.m != nil && t.text != "":
			push(t.m)
		case t.m != nil:
			put(t.m)
		case t.delim == 0:
			text(t.text)
		default:
			for range t.closes {
				pop()
			}
			if t.left > 0 {
				text(t.text[:t.left])
			}
			for k := len(t.opens) - 1; k >= 0; k-- {
				push(&Markup{Kind: t.opens[k]})
			}
		}
	}
	return root.Children
}
