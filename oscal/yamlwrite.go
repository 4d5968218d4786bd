package oscal

import (
	"bufio"
	"strings"
)

// A yamlWriter writes block style YAML that YAML 1.1 and 1.2 read alike: all
// strings that one of the two would take for something else are quoted.
type yamlWriter struct {
	w      *bufio.Writer
	indent int
}

func (y *yamlWriter) document(d *Document) {
	if d.schema != "" {
		y.w.WriteString("$schema: ")
		y.string(d.schema)
		y.w.WriteByte('\n')
	}
	y.w.WriteString(d.root.member.name)
	y.w.WriteByte(':')
	y.value(d.root)
}

func (y *yamlWriter) line() {
	for range y.indent {
		y.w.WriteString("  ")
	}
}

// value writes what follows a key and ends the line.
func (y *yamlWriter) value(n *Node) {
	switch {
	case n.isPlain():
		y.w.WriteByte(' ')
		y.scalar(n)
		y.w.WriteByte('\n')
	case n.skipNames(n.first) == nil && n.valueKey() == "":
		y.w.WriteString(" {}\n")
	default:
		y.w.WriteByte('\n')
		y.indent++
		y.members(n, true)
		y.indent--
	}
}

// members writes the members of an object. The first of an array item stands
// on the line of its dash.
func (y *yamlWriter) members(n *Node, newLine bool) {
	start := func() {
		if newLine {
			y.line()
		}
		newLine = true
	}
	valueKey := n.valueKey()
	for c := n.skipNames(n.first); c != nil; {
		items, rest := writtenGroup(c)
		start()
		y.w.WriteString(c.member.json)
		y.w.WriteByte(':')
		switch {
		case c.member.array == byKey:
			y.w.WriteByte('\n')
			y.indent++
			for _, item := range items {
				y.line()
				y.key(item.key())
				y.value(item)
			}
			y.indent--
		case c.member.asArray(len(items)):
			y.w.WriteByte('\n')
			y.indent++
			for _, item := range items {
				y.line()
				y.w.WriteByte('-')
				switch {
				case item.isPlain(), item.first == nil:
					y.value(item)
				default:
					y.w.WriteByte(' ')
					y.indent++
					y.members(item, false)
					y.indent--
				}
			}
			y.indent--
		default:
			y.value(c)
		}
		c = n.skipNames(rest)
	}
	if valueKey != "" {
		start()
		y.key(valueKey)
		y.w.WriteByte(' ')
		y.scalar(n)
		y.w.WriteByte('\n')
	}
}

// key writes a member name that may be a value of the document.
func (y *yamlWriter) key(name string) {
	if isPlainYAML(name) {
		y.w.WriteString(name)
	} else {
		y.quoted(name)
	}
	y.w.WriteByte(':')
}

func (y *yamlWriter) scalar(n *Node) {
	if literal := n.literal(); literal != "" {
		y.w.WriteString(literal)
	} else {
		y.string(n.value)
	}
}

func (y *yamlWriter) string(s string) {
	switch {
	case isPlainYAML(s):
		y.w.WriteString(s)
	case isBlockYAML(s):
		y.w.WriteString("|")
		if !strings.HasSuffix(s, "\n") {
			y.w.WriteByte('-')
		}
		y.indent++
		for l := range strings.SplitSeq(strings.TrimSuffix(s, "\n"), "\n") {
			y.w.WriteByte('\n')
			if l != "" {
				y.line()
				y.w.WriteString(l)
			}
		}
		y.indent--
	default:
		y.quoted(s)
	}
}

func (y *yamlWriter) quoted(s string) {
	const hex = "0123456789ABCDEF"
	y.w.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"', r == '\\':
			y.w.WriteByte('\\')
			y.w.WriteRune(r)
		case r == '\n':
			y.w.WriteString(`\n`)
		case r == '\t':
			y.w.WriteString(`\t`)
		case isPrintableYAML(r):
			y.w.WriteRune(r)
		default:
			// All that is not printable lies in the basic plane.
			y.w.WriteString(`\u`)
			for shift := 12; shift >= 0; shift -= 4 {
				y.w.WriteByte(hex[r>>shift&15])
			}
		}
	}
	y.w.WriteByte('"')
}

// isPrintableYAML knows the characters that may stand in a quoted string and
// do not look like white space of another kind (YAML 1.2.2, production 1).
func isPrintableYAML(r rune) bool {
	switch {
	case r < ' ', r >= 0x7f && r < 0xa0, r == 0x2028, r == 0x2029, r == 0xfeff, r == 0xfffe, r == 0xffff:
		return false
	}
	return true
}

// notPlain are the words that YAML 1.1 or 1.2 take for something else than a
// string.
var notPlain = map[string]bool{
	"y": true, "n": true, "yes": true, "no": true, "on": true, "off": true,
	"true": true, "false": true, "null": true,
}

// isPlainYAML tells whether a string may stand without quotes: it starts with a
// letter, so that it is no number, date or indicator.
func isPlainYAML(s string) bool {
	if s == "" || !isAlpha(s[0]) || len(s) > 200 || s[len(s)-1] == ' ' || len(s) <= 5 && notPlain[strings.ToLower(s)] {
		return false
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case isAlpha(c), isDigit(c), strings.IndexByte("_-./+()=@~$", c) >= 0:
		case c == ' ':
			if s[i+1] == '#' {
				return false
			}
		case c == ':':
			if i+1 == len(s) || s[i+1] == ' ' {
				return false
			}
		case c == '#', c == ',', c == ';', c == '\'', c == '%', c == '&', c == '*', c == '!', c == '?':
		default:
			return false
		}
	}
	return true
}

// isBlockYAML tells whether a text of several lines may stand as a literal
// block.
func isBlockYAML(s string) bool {
	if strings.IndexByte(s, '\n') < 1 || s[0] == ' ' || s[0] == '\t' || strings.HasSuffix(s, "\n\n") || strings.TrimSpace(s) == "" {
		return false
	}
	for _, r := range s {
		if r != '\n' && r != '\t' && !isPrintableYAML(r) {
			return false
		}
	}
	return true
}
