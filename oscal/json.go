package oscal

import (
	"math/bits"
	"strings"
	"unicode/utf8"
)

// A jsonReader walks through a JSON text (RFC 8259) and binds it as it goes.
// It is strict: no duplicate members, no lone surrogates, nothing after the
// document. The text is valid UTF-8 already.
type jsonReader struct {
	*binder
	s     string
	i     int
	depth int
}

func readJSON(b *binder) {
	r := &jsonReader{binder: b, s: b.doc.text}
	if strings.HasPrefix(r.s, bom) {
		r.i = len(bom)
	}
	r.space()
	if r.peek() != '{' {
		r.fatal(RuleShape, r.i, "expected an object, found %s", r.found())
		return
	}
	schemas := 0
	r.members(func(key string, at int) {
		if key == "$schema" {
			if schemas++; schemas == 2 {
				r.problem(Error, RuleDuplicate, at, nil, `"$schema" stands twice`)
			}
			if r.peek() == '"' {
				b.doc.schema = r.str()
				return
			}
			r.problem(Error, RuleShape, r.i, nil, `"$schema": expected a string, found %s`, r.found())
			r.skip()
			return
		}
		n := r.root(key, at)
		if n == nil {
			r.skip()
			return
		}
		if r.peek() != '{' {
			r.problem(Error, RuleShape, r.i, n, "expected an object, found %s", r.found())
			r.skip()
			return
		}
		r.object(n)
	})
	if r.stopped {
		return
	}
	if r.space(); r.i < len(r.s) {
		r.fatal(RuleTrailing, r.i, "expected the end of the document, found %s", r.found())
	}
}

func (r *jsonReader) space() {
	const indent = "        "
	s, i := r.s, r.i
	for i < len(s) && s[i] <= ' ' {
		switch s[i] {
		case '\n':
			i++
			for len(s)-i >= len(indent) && s[i:i+len(indent)] == indent {
				i += len(indent)
			}
			continue
		case ' ', '\r', '\t':
			i++
			continue
		}
		break
	}
	r.i = i
}

// peek returns the next byte, 0 at the end.
func (r *jsonReader) peek() byte {
	if r.i < len(r.s) {
		return r.s[r.i]
	}
	return 0
}

// found describes what stands at the current place.
func (r *jsonReader) found() string {
	switch c := r.peek(); {
	case r.i >= len(r.s):
		return "the end of the text"
	case c == '{':
		return "an object"
	case c == '[':
		return "an array"
	case c == '"':
		return "a string"
	case c == 't', c == 'f':
		return "a boolean"
	case c == 'n':
		return "null"
	case c == '-', isDigit(c):
		return "a number"
	default:
		_, n := utf8.DecodeRuneInString(r.s[r.i:])
		return quote(r.s[r.i : r.i+n])
	}
}

func (r *jsonReader) syntax(expected string) {
	if !r.stopped {
		r.fatal(RuleSyntax, r.i, "expected %s, found %s", expected, r.found())
	}
	r.i = len(r.s)
}

// enter counts nesting; leave takes it back.
func (r *jsonReader) enter() {
	r.i++
	r.depth++
	if r.depth > r.opts.MaxDepth && !r.stopped {
		r.fatal(RuleLimit, r.i-1, "objects and arrays are nested deeper than %d", r.opts.MaxDepth)
	}
}

func (r *jsonReader) leave() {
	r.i++
	r.depth--
}

// members reads an object from its brace on and calls f at each value.
func (r *jsonReader) members(f func(key string, at int)) {
	r.enter()
	for first := true; !r.stopped; first = false {
		key, at, more := r.key(first)
		if !more {
			return
		}
		f(key, at)
	}
}

// key reads up to the value of the next member, or the end of the object.
func (r *jsonReader) key(first bool) (key string, at int, more bool) {
	r.space()
	switch r.peek() {
	case '}':
		r.leave()
		return "", 0, false
	case ',':
		if first {
			r.syntax(`a member name in quotes or "}"`)
			return "", 0, false
		}
		r.i++
		r.space()
	default:
		if !first {
			r.syntax(`"," or "}"`)
			return "", 0, false
		}
	}
	if r.peek() != '"' {
		r.syntax("a member name in quotes")
		return "", 0, false
	}
	at = r.i
	key = r.str()
	r.space()
	if r.peek() != ':' {
		r.syntax(`":"`)
		return "", 0, false
	}
	r.i++
	r.space()
	return key, at, !r.stopped
}

// object binds an assembly, or a field with flags.
func (r *jsonReader) object(n *Node) {
	f := r.open(n)
	isLoaded := f.def.loaded != nil
	if isLoaded && n.first != nil {
		r.begun(&f)
	}
	r.enter()
	for first := true; !r.stopped; first = false {
		key, at, more := r.key(first)
		if !more {
			break
		}
		if f.isValueKey(key) || isLoaded && f.isValueName(key) {
			if !r.valueMember(&f, key, at) {
				r.skip()
			} else {
				r.value(&f, n.member, n, n.member.dtype)
			}
			continue
		}
		m := r.member(&f, key, at)
		if m == nil {
			r.skip()
			continue
		}
		r.bind(&f, m)
	}
	if !r.stopped {
		r.close(&f)
	}
}

// bind reads the value of a member: an item, or an array of items.
func (r *jsonReader) bind(f *frame, m *Member) {
	switch {
	case m.array == 0, m.array == inSingletonOrArray && r.peek() != '[':
		r.item(f, m)
		return
	case m.array == byKey:
		r.keyed(f, m)
		return
	case r.peek() != '[':
		r.shape(f, m, r.i, "an array", r.found())
		r.skip()
		return
	}
	at := r.i
	r.enter()
	for items := 0; !r.stopped; items++ {
		r.space()
		switch r.peek() {
		case ']':
			r.leave()
			if items == 0 {
				r.emptyArray(f, m, at)
			}
			if items == 1 {
				r.arrayOfOne(f, m, at)
			}
			return
		case ',':
			if items == 0 {
				r.syntax(`a value or "]"`)
				return
			}
			r.i++
			r.space()
		default:
			if items > 0 {
				r.syntax(`"," or "]"`)
				return
			}
		}
		r.item(f, m)
	}
}

// keyed reads the object of a group by key.
func (r *jsonReader) keyed(f *frame, m *Member) {
	if r.unfit(f, m, false) {
		return
	}
	at, none := r.i, true
	r.members(func(key string, keyAt int) {
		none = false
		switch plain := m.isPlain(); {
		case r.unfit(f, m, plain):
		case plain:
			r.value(f, m, r.named(f, m, key, keyAt, r.i), m.dtype)
		default:
			r.object(r.named(f, m, key, keyAt, r.i))
		}
	})
	if none && !r.stopped {
		r.emptyArray(f, m, at)
	}
}

func (r *jsonReader) item(f *frame, m *Member) {
	plain := m.isPlain()
	if c := r.peek(); plain && c == '"' || !plain && c == '{' || !r.unfit(f, m, plain) {
		if n := r.add(f, m, r.i); plain {
			r.value(f, m, n, m.dtype)
		} else {
			r.object(n)
		}
	}
}

// unfit notes that something else follows than the value or the object that is
// expected, and reads over it.
func (r *jsonReader) unfit(f *frame, m *Member, plain bool) bool {
	want := "an object"
	switch r.peek() {
	case '{':
		if !plain {
			return false
		}
	case '[', 'n':
	default:
		if plain {
			return false
		}
	}
	if plain {
		want = "a " + m.dtype.String()
	}
	r.shape(f, m, r.i, want, r.found())
	r.skip()
	return true
}

// value reads a scalar into a node.
func (r *jsonReader) value(f *frame, m *Member, n *Node, t DataType) {
	at := r.i
	want := "a string"
	switch {
	case t.isNumber():
		want = "a number"
	case t == TypeBoolean:
		want = "a boolean"
	}
	found := r.found()
	switch r.peek() {
	case '"':
		n.value = r.str()
	case '{', '[':
		r.skip()
	default:
		n.value = r.literal()
	}
	if r.stopped {
		return
	}
	if found != want {
		r.shape(f, m, at, want+" ("+t.String()+")", found)
		return
	}
	// JSON writes 1.0 and 1e3 for whole and decimal numbers too; what matters
	// is that the lexical form is kept.
	if t == TypeDecimal && strings.ContainsAny(n.value, "eE") {
		return
	}
	r.scalar(n, t, n.value, at)
}

// skip reads over a value whose place in the model is not known.
func (r *jsonReader) skip() {
	switch r.peek() {
	case '{':
		r.members(func(string, int) { r.skip() })
	case '[':
		r.enter()
		for first := true; !r.stopped; first = false {
			r.space()
			switch r.peek() {
			case ']':
				r.leave()
				return
			case ',':
				if first {
					r.syntax(`a value or "]"`)
					return
				}
				r.i++
				r.space()
			default:
				if !first {
					r.syntax(`"," or "]"`)
					return
				}
			}
			r.skip()
		}
	case '"':
		r.str()
	default:
		r.literal()
	}
}

// literal reads a number, true, false or null.
func (r *jsonReader) literal() string {
	start := r.i
	switch r.peek() {
	case 't', 'f', 'n':
		for _, word := range [...]string{"true", "false", "null"} {
			if strings.HasPrefix(r.s[r.i:], word) {
				r.i += len(word)
				return word
			}
		}
		r.syntax("a value")
		return ""
	}
	if r.peek() == '-' {
		r.i++
	}
	if r.peek() == '0' {
		r.i++
	} else if !r.digits() {
		r.i = start
		r.syntax("a value")
		return ""
	}
	if r.peek() == '.' {
		r.i++
		if !r.digits() {
			r.syntax("a digit")
			return ""
		}
	}
	if c := r.peek(); c == 'e' || c == 'E' {
		r.i++
		if c := r.peek(); c == '+' || c == '-' {
			r.i++
		}
		if !r.digits() {
			r.syntax("a digit")
			return ""
		}
	}
	return r.s[start:r.i]
}

func (r *jsonReader) digits() bool {
	start := r.i
	for isDigit(r.peek()) {
		r.i++
	}
	return r.i > start
}

// str reads a string from its quote on. A string without escapes is a part of
// the text and costs no memory.
func (r *jsonReader) str() string {
	s := r.s
	start := r.i + 1
	i := endOfPlain(s, start)
	switch {
	case i == len(s):
		r.i = i
		r.syntax(`the closing quote of a string`)
		return ""
	case s[i] == '"':
		r.i = i + 1
		return s[start:i]
	case s[i] == '\\':
		return r.escaped(start, i)
	}
	r.i = i
	r.syntax("a character that may stand in a string (a line break is written \\n)")
	return ""
}

// endOfPlain returns the place of the first quote, backslash or control
// character from i on, or the end. It looks at eight bytes at a time.
func endOfPlain(s string, i int) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	for ; i+8 <= len(s); i += 8 {
		t := s[i : i+8]
		x := uint64(t[0]) | uint64(t[1])<<8 | uint64(t[2])<<16 | uint64(t[3])<<24 |
			uint64(t[4])<<32 | uint64(t[5])<<40 | uint64(t[6])<<48 | uint64(t[7])<<56
		// A subtraction borrows from the high bit of a byte that is less; the lowest
		// such byte is exact, those above it may be an echo of it.
		quote, backslash := x^ones*'"', x^ones*'\\'
		if hit := ((x-ones*' ')&^x | (quote-ones)&^quote | (backslash-ones)&^backslash) & highs; hit != 0 {
			return i + bits.TrailingZeros64(hit)/8
		}
	}
	for i < len(s) && s[i] != '"' && s[i] != '\\' && s[i] >= ' ' {
		i++
	}
	return i
}

// escaped reads on from the first backslash of a string.
func (r *jsonReader) escaped(start, i int) string {
	s := r.s
	var b strings.Builder
	if n := strings.IndexByte(s[i:], '"'); n > 0 {
		b.Grow(i - start + n)
	}
	b.WriteString(s[start:i])
	for i < len(s) {
		c := s[i]
		switch {
		case c == '"':
			r.i = i + 1
			return b.String()
		case c < ' ':
			r.i = i
			r.syntax("a character that may stand in a string (a line break is written \\n)")
			return ""
		case c != '\\':
			j := endOfPlain(s, i)
			b.WriteString(s[i:j])
			i = j
		default:
			if i+1 >= len(s) {
				i++
				continue
			}
			if k := strings.IndexByte(`"\/bfnrt`, s[i+1]); k >= 0 {
				b.WriteByte("\"\\/\b\f\n\r\t"[k])
				i += 2
				continue
			}
			c, n := unicodeEscape(s[i:])
			if n == 0 {
				r.i = i
				r.fatal(RuleSyntax, i, "expected an escape (\\n, \\\", \\u0000 and the like; surrogates in pairs), found %s", quote(s[i:min(i+6, len(s))]))
				r.i = len(s)
				return ""
			}
			b.WriteRune(c)
			i += n
		}
	}
	r.i = len(s)
	r.syntax(`the closing quote of a string`)
	return ""
}

// unicodeEscape reads \uXXXX or a pair of these, 0 bytes if it is neither.
func unicodeEscape(s string) (rune, int) {
	hi := hex4(s)
	switch {
	case hi < 0, hi >= 0xDC00 && hi < 0xE000:
		return 0, 0
	case hi < 0xD800 || hi >= 0xE000:
		return hi, 6
	}
	lo := hex4(s[6:])
	if lo < 0xDC00 || lo >= 0xE000 {
		return 0, 0
	}
	return (hi-0xD800)<<10 + (lo - 0xDC00) + 0x10000, 12
}

func hex4(s string) rune {
	if len(s) < 6 || s[0] != '\\' || s[1] != 'u' {
		return -1
	}
	var v rune
	for _, c := range []byte(s[2:6]) {
		if !isHex(c) {
			return -1
		}
		v <<= 4
		if isDigit(c) {
			v |= rune(c - '0')
		} else {
			v |= rune(c|0x20-'a') + 10
		}
	}
	return v
}
