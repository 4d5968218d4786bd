package oscal

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// WriteOptions configure [Document.Write]; nil means the defaults.
type WriteOptions struct {
	Format Format // default: that in which the document was read, else JSON
}

// Write writes the document in model order, indented by two spaces, with the
// lexical forms that its nodes hold. The same document gives the same bytes. The
// errors are those of w, an unknown format, and for XML a [Problems] with the
// values that hold a character that XML has no form for; nothing is written then.
//
// JSON has no form for some numbers that XML has, such as +5 and .5: they are
// written as 5 and 0.5, and the booleans 1 and 0 as true and false.
func (d *Document) Write(w io.Writer, opts *WriteOptions) error {
	var o WriteOptions
	if opts != nil {
		o = *opts
	}
	if o.Format == 0 {
		o.Format = d.format
	}
	bw := bufio.NewWriterSize(w, 64<<10)
	switch o.Format {
	case 0, JSON:
		j := jsonWriter{w: bw}
		j.document(d)
	case YAML:
		y := yamlWriter{w: bw}
		y.document(d)
	case XML:
		if ps := d.CheckXML().Errors(); ps != nil {
			return ps
		}
		x := xmlWriter{w: bw}
		x.document(d)
	default:
		return fmt.Errorf("oscal: cannot write %s", o.Format)
	}
	if err := bw.Flush(); err != nil {
		return fmt.Errorf("oscal: writing %s: %w", d.name, err)
	}
	return nil
}

// group returns the items of the member that starts at n, and the node after
// them.
func group(n *Node) (items []*Node, rest *Node) {
	m := n.member
	for ; n != nil && n.member == m; n = n.next {
		items = append(items, n)
	}
	return items, n
}

// writtenGroup is group for writers: a member that has no array stands alone.
// One too many is written all the same, so that a reader can tell the fault.
func writtenGroup(n *Node) (items []*Node, rest *Node) {
	if !n.member.Many() {
		return []*Node{n}, n.next
	}
	return group(n)
}

// asArray tells whether the items of a member stand in an array.
func (m *Member) asArray(items int) bool {
	return m.array == inArray || m.array == inSingletonOrArray && items != 1
}

// isPlain tells whether the node is a value in JSON and YAML, not an object.
func (n *Node) isPlain() bool {
	return n.member.isPlain()
}

// skipNames passes over the flags of n that are names in JSON and YAML: that of
// the object in its group, and that of the value.
func (n *Node) skipNames(c *Node) *Node {
	d := n.member.Definition()
	if d.loaded == nil {
		return c
	}
	for c != nil && (c.member == d.loaded.valueKeyFlag || c.member == d.loaded.keyFlag && n.member.array == byKey) {
		c = c.next
	}
	return c
}

// flag returns the flag of a member, nil if there is none.
func (n *Node) flag(m *Member) *Node {
	if m == nil {
		return nil
	}
	for c := n.first; c != nil; c = c.next {
		if c.member == m {
			return c
		}
	}
	return nil
}

// key is the name of an item in a group by key.
func (n *Node) key() string {
	if c := n.flag(n.member.Definition().keyFlag()); c != nil {
		return c.value
	}
	return ""
}

// valueKey is the JSON name of the value of a field with flags, "" if there is
// none.
func (n *Node) valueKey() string {
	d := n.member.Definition()
	if c := n.flag(d.valueKeyFlag()); c != nil {
		return c.value
	}
	return d.valueKey
}

type jsonWriter struct {
	w      *bufio.Writer
	indent int
}

func (j *jsonWriter) line() {
	j.w.WriteByte('\n')
	for range j.indent {
		j.w.WriteString("  ")
	}
}

func (j *jsonWriter) open(c byte) {
	j.w.WriteByte(c)
	j.indent++
}

func (j *jsonWriter) close(c byte) {
	j.indent--
	j.line()
	j.w.WriteByte(c)
}

func (j *jsonWriter) key(name string) {
	j.line()
	j.w.WriteByte('"')
	j.w.WriteString(name)
	j.w.WriteString(`": `)
}

// keyText writes a member name that is a value of the document.
func (j *jsonWriter) keyText(name string) {
	j.line()
	j.string(name)
	j.w.WriteString(": ")
}

func (j *jsonWriter) document(d *Document) {
	j.open('{')
	if d.schema != "" {
		j.key("$schema")
		j.string(d.schema)
		j.w.WriteByte(',')
	}
	j.key(d.root.member.name)
	j.node(d.root)
	j.close('}')
	j.w.WriteByte('\n')
}

func (j *jsonWriter) node(n *Node) {
	if n.isPlain() {
		j.value(n)
		return
	}
	valueKey := n.valueKey()
	c := n.skipNames(n.first)
	if c == nil && valueKey == "" {
		j.w.WriteString("{}")
		return
	}
	j.open('{')
	first := true
	comma := func() {
		if !first {
			j.w.WriteByte(',')
		}
		first = false
	}
	for c != nil {
		if valueKey != "" && c.member.kind != Flag {
			break
		}
		items, rest := writtenGroup(c)
		comma()
		j.key(c.member.json)
		switch {
		case c.member.array == byKey:
			j.open('{')
			for i, item := range items {
				if i > 0 {
					j.w.WriteByte(',')
				}
				j.keyText(item.key())
				j.node(item)
			}
			j.close('}')
		case c.member.asArray(len(items)):
			j.open('[')
			for i, item := range items {
				if i > 0 {
					j.w.WriteByte(',')
				}
				j.line()
				j.node(item)
			}
			j.close(']')
		default:
			j.node(c)
		}
		c = n.skipNames(rest)
	}
	if valueKey != "" {
		comma()
		j.keyText(valueKey)
		j.value(n)
	}
	j.close('}')
}

func (j *jsonWriter) value(n *Node) {
	if literal := n.literal(); literal != "" {
		j.w.WriteString(literal)
	} else {
		j.string(n.value)
	}
}

// literal is a number or boolean as JSON and YAML write it, "" for what is none
// of these.
func (n *Node) literal() string {
	v := n.value
	switch t := n.member.dtype; {
	case t == TypeBoolean && (v == "true" || v == "1"):
		return "true"
	case t == TypeBoolean && (v == "false" || v == "0"):
		return "false"
	case !t.isNumber():
		return ""
	case isJSONNumber(v):
		return v
	case !validDecimal(v):
		return ""
	}
	sign := ""
	if v = strings.TrimPrefix(v, "+"); v[0] == '-' {
		sign, v = "-", v[1:]
	}
	whole, fraction, _ := strings.Cut(v, ".")
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction
}

// isJSONNumber tells whether a lexical number can stand in JSON as it is.
func isJSONNumber(s string) bool {
	r := jsonReader{binder: &binder{doc: &Document{text: s}, stopped: true}, s: s}
	c := r.peek()
	return (c == '-' || isDigit(c)) && r.literal() != "" && r.i == len(s)
}

// string writes a JSON string: quotes, backslashes and controls are escaped,
// everything else is written as it is.
func (j *jsonWriter) string(s string) {
	const hex = "0123456789abcdef"
	w := j.w
	w.WriteByte('"')
	start := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c != 0x7f {
			continue
		}
		w.WriteString(s[start:i])
		start = i + 1
		if k := strings.IndexByte("\"\\\b\f\n\r\t", c); k >= 0 {
			w.WriteByte('\\')
			w.WriteByte(`"\bfnrt`[k])
		} else {
			w.WriteString(`\u00`)
			w.WriteByte(hex[c>>4])
			w.WriteByte(hex[c&15])
		}
	}
	w.WriteString(s[start:])
	w.WriteByte('"')
}
