package constraint

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of an expression's text: both are far above what constraint sets hold.
const (
	maxExpressionBytes = 64 << 10
	maxExpressionDepth = 200
)

// tokenKind tells the lexical classes of Metapath apart. What a name or a "*"
// means depends on where it stands; the parser knows.
type tokenKind uint8

const (
	tokEOF tokenKind = iota
	tokName
	tokNumber
	tokString
	tokSymbol
)

type token struct {
	kind    tokenKind
	text    string // name, number or symbol as written; the value of a string
	at, end int    // byte offsets
}

func (t token) String() string {
	switch t.kind {
	case tokEOF:
		return "the end of the expression"
	case tokString:
		return fmt.Sprintf("the string %q", t.text)
	}
	return fmt.Sprintf("%q", t.text)
}

func (t token) is(symbol string) bool { return t.kind == tokSymbol && t.text == symbol }

// symbols, the longer first.
var symbols = [...]string{
	"::", ":=", "..", "//", "!=", "<=", ">=", "<<", ">>", "||", "=>",
	"(", ")", "[", "]", "{", "}", ",", ".", "/", "@", "$", "|", "=", "<", ">", "+", "-", "*", "?", "!", ":", "#",
}

type lexer struct {
	src string
	i   int
	err *ExpressionError
}

// lex splits an expression into tokens; the last is tokEOF.
func lex(src string) ([]token, *ExpressionError) {
	l := &lexer{src: src}
	switch {
	case len(src) > maxExpressionBytes:
		l.fail(maxExpressionBytes, "the expression has more than %d bytes", maxExpressionBytes)
	case !utf8.ValidString(src):
		l.fail(0, "the expression is not UTF-8")
	}
	var tokens []token
	for l.err == nil {
		l.space()
		t := token{at: l.i}
		if l.err == nil && l.i < len(src) {
			l.scan(&t)
		}
		t.end = l.i
		tokens = append(tokens, t)
		if t.kind == tokEOF {
			break
		}
	}
	return tokens, l.err
}

func (l *lexer) fail(at int, format string, args ...any) {
	if l.err == nil {
		l.err = &ExpressionError{Expression: l.src, Offset: at, Code: CodeSyntax, Message: fmt.Sprintf(format, args...)}
	}
	l.i = len(l.src)
}

// space skips white space and comments, which nest.
func (l *lexer) space() {
	for l.i < len(l.src) {
		switch {
		case strings.IndexByte(" \t\r\n", l.src[l.i]) >= 0:
			l.i++
		case strings.HasPrefix(l.src[l.i:], "(:"):
			start, depth := l.i, 1
			for l.i += 2; depth > 0; {
				rest := l.src[l.i:]
				switch {
				case rest == "":
					l.fail(start, "the comment is not closed")
					return
				case strings.HasPrefix(rest, "(:"):
					depth++
					l.i += 2
				case strings.HasPrefix(rest, ":)"):
					depth--
					l.i += 2
				default:
					l.i++
				}
			}
		default:
			return
		}
	}
}

func (l *lexer) scan(t *token) {
	rest := l.src[l.i:]
	c := rest[0]
	switch {
	case c == '"' || c == '\'':
		l.str(t, c)
	case isDigit(c) || c == '.' && len(rest) > 1 && isDigit(rest[1]):
		l.number(t)
	case strings.HasPrefix(rest, "Q{"):
		l.braced(t)
	default:
		if n := nameLen(rest); n > 0 {
			l.qname(t, n)
			return
		}
		for _, s := range symbols {
			if strings.HasPrefix(rest, s) {
				t.kind, t.text = tokSymbol, s
				l.i += len(s)
				return
			}
		}
		r, _ := utf8.DecodeRuneInString(rest)
		l.fail(l.i, "%q has no meaning here", r)
	}
}

func (l *lexer) str(t *token, quote byte) {
	start := l.i
	var b strings.Builder
	for l.i++; ; {
		j := strings.IndexByte(l.src[l.i:], quote)
		if j < 0 {
			l.fail(start, "the string is not closed")
			return
		}
		b.WriteString(l.src[l.i : l.i+j])
		l.i += j + 1
		if l.i < len(l.src) && l.src[l.i] == quote {
			b.WriteByte(quote)
			l.i++
			continue
		}
		t.kind, t.text = tokString, b.String()
		return
	}
}

func (l *lexer) number(t *token) {
	start := l.i
	digits := func() {
		for l.i < len(l.src) && isDigit(l.src[l.i]) {
			l.i++
		}
	}
	digits()
	if l.i < len(l.src) && l.src[l.i] == '.' && !strings.HasPrefix(l.src[l.i:], "..") {
		l.i++
		digits()
	}
	if l.i < len(l.src) && l.src[l.i]|0x20 == 'e' {
		l.i++
		if l.i < len(l.src) && (l.src[l.i] == '+' || l.src[l.i] == '-') {
			l.i++
		}
		if l.i == len(l.src) || !isDigit(l.src[l.i]) {
			l.fail(start, "the exponent has no digits")
			return
		}
		digits()
	}
	t.kind, t.text = tokNumber, l.src[start:l.i]
	if nameLen(l.src[l.i:]) > 0 || l.i < len(l.src) && l.src[l.i] == '.' && !strings.HasPrefix(l.src[l.i:], "..") {
		l.fail(l.i, "the number %s is followed by something without a space between", t.text)
	}
}

// braced reads Q{uri}local.
func (l *lexer) braced(t *token) {
	start := l.i
	j := strings.IndexAny(l.src[l.i+2:], "{}")
	if j < 0 || l.src[l.i+2+j] != '}' {
		l.fail(start, "the name is not closed")
		return
	}
	l.i += j + 3
	n := nameLen(l.src[l.i:])
	if n == 0 {
		l.fail(l.i, "expected a name after Q{...}")
		return
	}
	l.i += n
	t.kind, t.text = tokName, l.src[start:l.i]
}

// qname reads a name of n bytes and, if there is one, the local name after its
// colon; "a:*" too.
func (l *lexer) qname(t *token, n int) {
	start := l.i
	l.i += n
	if rest := l.src[l.i:]; strings.HasPrefix(rest, ":") && !strings.HasPrefix(rest, "::") {
		if n := nameLen(rest[1:]); n > 0 {
			l.i += 1 + n
		} else if strings.HasPrefix(rest, ":*") {
			l.i += 2
		}
	}
	t.kind, t.text = tokName, l.src[start:l.i]
}

// nameLen returns the length of the NCName at the start of s, 0 for none. Two
// dots end a name: no name of OSCAL has them, and a step to the parent is meant.
func nameLen(s string) int {
	for i, r := range s {
		if r == '.' && strings.HasPrefix(s[i:], "..") {
			return i
		}
		if r == '_' || unicode.IsLetter(r) {
			continue
		}
		if i == 0 || r != '-' && r != '.' && r != 0xB7 && !unicode.IsDigit(r) && !unicode.Is(unicode.M, r) {
			return i
		}
	}
	return len(s)
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
