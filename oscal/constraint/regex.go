package constraint

import (
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Regular expressions of XPath (XPath functions and operators, section 5.6.1,
// and XML Schema part 2, appendix G) are translated to those of RE2, which take
// time linear in the text whatever the expression. Back-references cannot be
// translated and are refused.

const maxRegexBytes = 16 << 10

// classRanges are characters as pairs of first and last.
type classRanges []rune

// XML name characters (XML 1.0, productions 4 and 4a).
var (
	nameStart = classRanges{
		':', ':', 'A', 'Z', '_', '_', 'a', 'z', 0xC0, 0xD6, 0xD8, 0xF6, 0xF8, 0x2FF, 0x370, 0x37D, 0x37F, 0x1FFF, 0x200C, 0x200D,
		0x2070, 0x218F, 0x2C00, 0x2FEF, 0x3001, 0xD7FF, 0xF900, 0xFDCF, 0xFDF0, 0xFFFD, 0x10000, 0xEFFFF,
	}
	nameMore = classRanges{'-', '-', '.', '.', '0', '9', 0xB7, 0xB7, 0x0300, 0x036F, 0x203F, 0x2040}
)

type regexTranslator struct {
	src string
	i   int
	out strings.Builder
}

// compileRegex translates and compiles an expression with XPath flags s, m, i,
// x and q. With whole, it must match from the first character to the last.
func compileRegex(pattern, flags string, whole bool) (*regexp.Regexp, error) {
	if len(pattern) > maxRegexBytes {
		return nil, fmt.Errorf("the regular expression has more than %d bytes", maxRegexBytes)
	}
	re2flags, literal, extended := "", false, false
	for _, f := range flags {
		switch f {
		case 's', 'm', 'i':
			re2flags += string(f)
		case 'x':
			extended = true
		case 'q':
			literal = true
		default:
			return nil, fmt.Errorf("there is no flag %q of regular expressions; they are s, m, i, x and q", f)
		}
	}
	text := regexp.QuoteMeta(pattern)
	if !literal {
		if extended {
			pattern = withoutSpace(pattern)
		}
		t := regexTranslator{src: pattern}
		if err := t.translate(strings.Contains(flags, "s")); err != nil {
			return nil, fmt.Errorf("regular expression %s: %w", clip(pattern), err)
		}
		text = t.out.String()
	}
	if whole {
		text = `\A(?:` + text + `)\z`
	}
	if re2flags != "" {
		text = "(?" + re2flags + ")" + text
	}
	re, err := regexp.Compile(text)
	if err != nil {
		code := err.Error()
		if e, ok := err.(*syntax.Error); ok {
			code = string(e.Code)
		}
		return nil, fmt.Errorf("regular expression %s: %s", clip(pattern), code)
	}
	return re, nil
}

// withoutSpace takes the white space outside of classes out, as flag x asks for,
// also that after a backslash.
func withoutSpace(pattern string) string {
	var b strings.Builder
	depth, escaped := 0, false
	for _, r := range pattern {
		if depth == 0 && isXMLSpace(r) {
			continue
		}
		switch {
		case escaped:
		case r == '[':
			depth++
		case r == ']' && depth > 0:
			depth--
		}
		escaped = r == '\\' && !escaped
		b.WriteRune(r)
	}
	return b.String()
}

func (t *regexTranslator) translate(dotAll bool) error {
	for t.i < len(t.src) {
		r, n := utf8.DecodeRuneInString(t.src[t.i:])
		switch {
		case r == '\\':
			if err := t.escape(); err != nil {
				return err
			}
			continue
		case r == '[':
			set, err := t.class(0)
			if err != nil {
				return err
			}
			t.writeClass(set)
			continue
		case r == '.' && !dotAll:
			t.out.WriteString(`[^\n\r]`)
		case r == '(':
			if strings.HasPrefix(t.src[t.i:], "(?") {
				if !strings.HasPrefix(t.src[t.i:], "(?:") {
					return fmt.Errorf("at %d: (? is followed by : only", t.i)
				}
				t.out.WriteString("(?:")
				t.i += 3
				continue
			}
			t.out.WriteByte('(')
		case r == ']' || r == '}':
			// RE2 takes these as characters, XPath does not; a quantifier's
			// closing brace is read with it.
			return fmt.Errorf("at %d: %q must be escaped", t.i, r)
		case r == '{':
			end := strings.IndexByte(t.src[t.i:], '}')
			if end < 0 || strings.Trim(t.src[t.i+1:t.i+end], "0123456789,") != "" {
				return fmt.Errorf("at %d: expected a quantity {n}, {n,} or {n,m}", t.i)
			}
			t.out.WriteString(t.src[t.i : t.i+end+1])
			t.i += end + 1
			continue
		default:
			t.out.WriteRune(r)
		}
		t.i += n
	}
	return nil
}

// escape translates a backslash escape outside of classes.
func (t *regexTranslator) escape() error {
	at := t.i
	if t.i+1 < len(t.src) && isDigit(t.src[t.i+1]) {
		return fmt.Errorf("at %d: back-references are not supported", at)
	}
	set, err := t.escapeSet()
	if err != nil {
		return err
	}
	if len(set) == 2 && set[0] == set[1] {
		t.out.WriteString(regexp.QuoteMeta(string(set[0])))
		return nil
	}
	t.writeClass(set)
	return nil
}

// escapeSet reads an escape as the set of characters that it stands for.
func (t *regexTranslator) escapeSet() (classRanges, error) {
	at := t.i
	t.i++
	r, n := utf8.DecodeRuneInString(t.src[t.i:])
	if n == 0 {
		return nil, fmt.Errorf("at %d: a backslash at the end", at)
	}
	t.i += n
	one := func(r rune) (classRanges, error) { return classRanges{r, r}, nil }
	switch r {
	case 'n':
		return one('\n')
	case 'r':
		return one('\r')
	case 't':
		return one('\t')
	case 's', 'S':
		return invertIf(r == 'S', classRanges{'\t', '\n', '\r', '\r', ' ', ' '}), nil
	case 'd', 'D':
		return invertIf(r == 'D', tableRanges(unicode.Nd)), nil
	case 'w', 'W':
		// All but punctuation, separators and others.
		return invertIf(r == 'w', union(tableRanges(unicode.P), tableRanges(unicode.Z), tableRanges(unicode.C), unassigned())), nil
	case 'i', 'I':
		return invertIf(r == 'I', nameStart), nil
	case 'c', 'C':
		return invertIf(r == 'C', union(nameStart, nameMore)), nil
	case 'p', 'P':
		rest := t.src[t.i:]
		end := strings.IndexByte(rest, '}')
		if !strings.HasPrefix(rest, "{") || end < 0 {
			return nil, fmt.Errorf("at %d: expected a category in braces", at)
		}
		t.i += end + 1
		name := rest[1:end]
		if strings.HasPrefix(name, "Is") {
			return nil, fmt.Errorf("at %d: the block %s is not supported; only categories are", at, name)
		}
		table := unicode.Categories[name]
		if table == nil {
			return nil, fmt.Errorf("at %d: there is no category %q", at, name)
		}
		return invertIf(r == 'P', tableRanges(table)), nil
	}
	if strings.ContainsRune(`\|.-^?*+{}()[]$`, r) {
		return one(r)
	}
	return nil, fmt.Errorf(`at %d: \%c is no escape`, at, r)
}

// class reads a class in brackets, with subtraction.
func (t *regexTranslator) class(depth int) (classRanges, error) {
	at := t.i
	if depth > 16 {
		return nil, fmt.Errorf("at %d: classes are nested too deep", at)
	}
	t.i++
	negated := strings.HasPrefix(t.src[t.i:], "^")
	if negated {
		t.i++
	}
	var set classRanges
	for first := true; ; first = false {
		if t.i >= len(t.src) {
			return nil, fmt.Errorf("at %d: the class is not closed", at)
		}
		rest := t.src[t.i:]
		switch {
		case rest[0] == ']' && !first:
			t.i++
			return invertIf(negated, union(set)), nil
		case strings.HasPrefix(rest, "-[") && !first:
			t.i++
			minus, err := t.class(depth + 1)
			if err != nil {
				return nil, err
			}
			if !strings.HasPrefix(t.src[t.i:], "]") {
				return nil, fmt.Errorf("at %d: a subtraction ends its class", t.i)
			}
			t.i++
			// What is in the class and not in the other.
			return invertIf(true, union(invertIf(!negated, union(set)), minus)), nil
		case rest[0] == '[' || rest[0] == ']':
			return nil, fmt.Errorf("at %d: %q must be escaped in a class", t.i, rest[0])
		}
		from, err := t.classItem()
		if err != nil {
			return nil, err
		}
		rest = t.src[t.i:]
		if len(from) == 2 && from[0] == from[1] && len(rest) > 1 && rest[0] == '-' && rest[1] != ']' && rest[1] != '[' {
			t.i++
			to, err := t.classItem()
			if err != nil {
				return nil, err
			}
			if len(to) != 2 || to[0] != to[1] || to[0] < from[0] {
				return nil, fmt.Errorf("at %d: not a range", t.i)
			}
			from[1] = to[0]
		}
		set = append(set, from...)
	}
}

func (t *regexTranslator) classItem() (classRanges, error) {
	if t.src[t.i] == '\\' {
		set, err := t.escapeSet()
		return slices.Clone(set), err
	}
	r, n := utf8.DecodeRuneInString(t.src[t.i:])
	t.i += n
	return classRanges{r, r}, nil
}

// writeClass writes a set of characters in RE2's form.
func (t *regexTranslator) writeClass(set classRanges) {
	if len(set) == 0 {
		t.out.WriteString(`[^\x00-\x{10FFFF}]`)
		return
	}
	t.out.WriteByte('[')
	for i := 0; i < len(set); i += 2 {
		t.out.WriteString(`\x{` + strconv.FormatInt(int64(set[i]), 16) + `}`)
		if set[i+1] > set[i] {
			t.out.WriteString(`-\x{` + strconv.FormatInt(int64(set[i+1]), 16) + `}`)
		}
	}
	t.out.WriteByte(']')
}

func tableRanges(table *unicode.RangeTable) classRanges {
	var out classRanges
	add := func(lo, hi, stride rune) {
		if stride == 1 {
			out = append(out, lo, hi)
			return
		}
		for r := lo; r <= hi; r += stride {
			out = append(out, r, r)
		}
	}
	for _, r := range table.R16 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	for _, r := range table.R32 {
		add(rune(r.Lo), rune(r.Hi), rune(r.Stride))
	}
	return union(out)
}

// unassigned are the code points of category Cn, which package unicode has no
// table for.
func unassigned() classRanges {
	return invertIf(true, union(tableRanges(unicode.L), tableRanges(unicode.M), tableRanges(unicode.N), tableRanges(unicode.P),
		tableRanges(unicode.S), tableRanges(unicode.Z), tableRanges(unicode.C)))
}

// union puts sets together, sorted and without overlap.
func union(sets ...classRanges) classRanges {
	type pair struct{ lo, hi rune }
	var all []pair
	for _, s := range sets {
		for i := 0; i < len(s); i += 2 {
			all = append(all, pair{s[i], s[i+1]})
		}
	}
	slices.SortFunc(all, func(a, b pair) int { return int(a.lo - b.lo) })
	var out classRanges
	for _, p := range all {
		if n := len(out); n > 0 && p.lo <= out[n-1]+1 {
			out[n-1] = max(out[n-1], p.hi)
			continue
		}
		out = append(out, p.lo, p.hi)
	}
	return out
}

// invertIf returns the complement of a set that is sorted and without overlap.
func invertIf(invert bool, s classRanges) classRanges {
	if !invert {
		return s
	}
	var out classRanges
	next := rune(0)
	for i := 0; i < len(s); i += 2 {
		if s[i] > next {
			out = append(out, next, s[i]-1)
		}
		next = s[i+1] + 1
	}
	if next <= unicode.MaxRune {
		out = append(out, next, unicode.MaxRune)
	}
	return out
}

// regex returns a compiled expression, kept for the run.
func (d *dyn) regex(pattern, flags string) *regexp.Regexp {
	key := flags + "\x00" + pattern
	if re := d.regexps[key]; re != nil {
		return re
	}
	re, err := compileRegex(pattern, flags, false)
	if err != nil {
		fail(CodeRegex, "%v", err)
	}
	if len(d.regexps) < 1000 {
		d.regexps[key] = re
	}
	return re
}
