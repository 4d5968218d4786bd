package oscal

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// xmlNamespace is the namespace of OSCAL documents of all versions.
const xmlNamespace = "http://csrc.nist.gov/ns/oscal/1.0"

const (
	xsiNamespace   = "http://www.w3.org/2001/XMLSchema-instance"
	xmlnsNamespace = "http://www.w3.org/2000/xmlns/"
	xmlURI         = "http://www.w3.org/XML/1998/namespace"
)

// An xmlReader walks through an XML text (XML 1.0, fifth edition, with
// namespaces) and binds it as it goes. There are no document types, and no
// entities but the five that XML has. The text is valid UTF-8 already.
type xmlReader struct {
	*binder
	s string
	i int

	scope []xmlBinding // namespaces in scope
	stack []xmlOpen    // elements that are open
	empty bool         // the start tag read last was that of an empty element
	space string       // namespace of the document: that of its model, or the one found in its place
	model string       // that of its model

	tag   xmlTag // the start tag read last
	attrs []xmlAttr
	chars string // the character data read last, as written
	at    int    // where it starts
	cdata bool   // it is a CDATA section

	markups []Markup // not used yet
	links   int      // that are open
}

type xmlBinding struct{ prefix, uri string }

type xmlOpen struct {
	name  string
	at    int
	scope int // length of the scope outside
}

type xmlTag struct {
	name, local, uri string
	at               int
}

type xmlAttr struct {
	name, local, uri, value string
	at, valueAt             int
}

// An xmlToken is what next has read.
type xmlToken uint8

const (
	xmlEnd   xmlToken = iota // the end of the element, or of the text
	xmlStart                 // a start tag: tag and attrs
	xmlChars                 // character data: chars, at, cdata
)

func readXML(b *binder) {
	r := &xmlReader{binder: b, s: b.doc.text, scope: []xmlBinding{{"xml", xmlURI}}}
	if strings.HasPrefix(r.s, bom) {
		r.i = len(bom)
	}
	if !r.checkCharacters() {
		return
	}
	r.declaration()
	for !r.stopped && r.i < len(r.s) {
		switch r.next() {
		case xmlChars:
			if text := trimXML(r.chars); text != "" || r.cdata {
				rule := RuleSyntax
				if b.doc.root != nil {
					rule = RuleTrailing
				}
				r.problem(Error, rule, r.firstOf(), nil, "expected %s, found the text %s", r.outside(), quote(text))
			}
		case xmlStart:
			r.root()
		}
	}
}

func (r *xmlReader) outside() string {
	if r.doc.root == nil {
		return "the root element"
	}
	return "the end of the document"
}

// root binds the element in which all others stand.
func (r *xmlReader) root() {
	m := r.rootMember(r.tag.local)
	switch {
	case r.doc.root != nil:
		r.problem(Error, RuleRootSeveral, r.tag.at, nil, "expected one root, found <%s> beside <%s>", r.tag.name, r.doc.root.Name())
	case m == nil:
		r.problem(Error, RuleRootMissing, r.tag.at, nil, "%s; found <%s>", r.rootExpected(), r.tag.name)
		r.stopped = true // what stands below has no meaning
	default:
		if r.space, r.model = r.tag.uri, m.Definition().Namespace(); r.space != r.model {
			r.problem(Error, RuleNamespace, r.tag.at, nil, "expected the namespace %s, found %s", r.model, quote(r.space))
		}
		r.doc.root = r.newNode(m, r.tag.at)
		r.element(r.doc.root)
		return
	}
	r.skip()
}

// checkCharacters tells whether all characters may stand in XML (production 2).
func (r *xmlReader) checkCharacters() bool {
	at := len(r.s)
	for i := 0; i < len(r.s); i++ {
		if c := r.s[i]; c < ' ' && c != '\n' && c != '\t' && c != '\r' {
			at = i
			break
		}
	}
	for _, c := range []string{"\ufffe", "\uffff"} {
		if i := strings.Index(r.s[:at], c); i >= 0 {
			at = i
		}
	}
	if at < len(r.s) {
		c, _ := utf8.DecodeRuneInString(r.s[at:])
		r.fatal(RuleSyntax, at, "the character U+%04X cannot stand in XML", c)
		return false
	}
	return true
}

// isXMLChar tells whether a character may stand in XML.
func isXMLChar(c rune) bool {
	return c >= ' ' && c < 0xd800 || c == '\n' || c == '\t' || c == '\r' || c >= 0xe000 && c < 0xfffe || c >= 0x10000 && c <= 0x10ffff
}

// declaration reads the XML declaration, if there is one.
func (r *xmlReader) declaration() {
	const open = "<?xml"
	rest := r.s[r.i:]
	if !strings.HasPrefix(rest, open) || len(rest) == len(open) || !isMarkupSpace(rest[len(open)]) {
		return
	}
	end := strings.Index(rest, "?>")
	if end < 0 {
		r.fatal(RuleSyntax, r.i, "the XML declaration does not end")
		return
	}
	stop := r.i + end + len("?>")
	r.i += len(open)
	order, version := []string{"version", "encoding", "standalone"}, false
	for {
		spaced := r.i
		r.skipSpace()
		if r.i >= stop-len("?>") {
			break
		}
		if spaced == r.i {
			r.problem(Error, RuleSyntax, r.i, nil, "expected white space in the XML declaration")
		}
		at := r.i
		a, ok := r.attribute()
		if !ok {
			break
		}
		i := slices.Index(order, a.name)
		if i < 0 && slices.Contains([]string{"version", "encoding", "standalone"}, a.name) {
			r.problem(Error, RuleSyntax, at, nil, "%s stands twice or too late in the XML declaration", a.name)
			continue
		}
		order, version = order[i+1:], version || a.name == "version"
		switch {
		case a.name == "version" && isXMLVersion(a.value), a.name == "standalone" && (a.value == "yes" || a.value == "no"):
		case a.name == "encoding":
			if e := strings.ToUpper(a.value); e != "UTF-8" && e != "US-ASCII" && e != "ASCII" && e != "UTF8" {
				r.fatal(RuleEncoding, a.valueAt, "expected UTF-8, found the encoding %s", quote(a.value))
			}
		default:
			r.problem(Error, RuleSyntax, at, nil, "expected version 1.0, encoding or standalone in the XML declaration, found %s=%s", a.name, quote(a.value))
		}
	}
	if !version {
		r.problem(Error, RuleSyntax, stop-len("?>"), nil, "the XML declaration lacks its version")
	}
	r.i = stop
}

// isXMLVersion tells whether s is a version that a reader of XML 1.0 takes
// (production 26).
func isXMLVersion(s string) bool {
	minor, ok := strings.CutPrefix(s, "1.")
	return ok && minor != "" && strings.Trim(minor, "0123456789") == ""
}

func (r *xmlReader) skipSpace() {
	for r.i < len(r.s) && isMarkupSpace(r.s[r.i]) {
		r.i++
	}
}

// next reads up to the next tag or piece of character data; comments and
// processing instructions are passed over.
func (r *xmlReader) next() xmlToken {
	if r.empty {
		r.empty = false
		r.pop()
		return xmlEnd
	}
	for !r.stopped {
		if r.i >= len(r.s) {
			if n := len(r.stack); n > 0 {
				open := r.stack[n-1]
				p := r.doc.position(open.at)
				r.fatal(RuleSyntax, r.i, "expected </%s> for the element at %s, found the end of the text", open.name, p)
			}
			return xmlEnd
		}
		if r.s[r.i] != '<' {
			r.characters()
			return xmlChars
		}
		switch rest := r.s[r.i:]; {
		case strings.HasPrefix(rest, "</"):
			if r.endTag() {
				return xmlEnd
			}
		case strings.HasPrefix(rest, "<!--"):
			r.comment()
		case strings.HasPrefix(rest, "<![CDATA["):
			if r.section() {
				return xmlChars
			}
		case strings.HasPrefix(rest, "<!DOCTYPE"):
			r.fatal(RuleUnsupported, r.i, "a document type declaration is refused")
		case strings.HasPrefix(rest, "<?"):
			r.instruction()
		default:
			if r.startTag() {
				return xmlStart
			}
		}
	}
	return xmlEnd
}

// characters reads character data up to the next markup.
func (r *xmlReader) characters() {
	r.at, r.cdata = r.i, false
	if n := strings.IndexByte(r.s[r.i:], '<'); n >= 0 {
		r.i += n
	} else {
		r.i = len(r.s)
	}
	r.chars = r.s[r.at:r.i]
	if n := strings.Index(r.chars, "]]>"); n >= 0 {
		r.problem(Error, RuleSyntax, r.at+n, nil, "\"]]>\" stands outside of a CDATA section")
	}
}

func (r *xmlReader) section() bool {
	const open, end = "<![CDATA[", "]]>"
	n := strings.Index(r.s[r.i:], end)
	if n < 0 {
		r.fatal(RuleSyntax, r.i, "the CDATA section does not end")
		return false
	}
	r.at, r.cdata = r.i+len(open), true
	r.chars = r.s[r.at : r.i+n]
	r.i += n + len(end)
	return true
}

func (r *xmlReader) comment() {
	const open = "<!--"
	n := strings.Index(r.s[r.i+len(open):], "--")
	if n < 0 {
		r.fatal(RuleSyntax, r.i, "the comment does not end")
		return
	}
	r.i += len(open) + n
	if !strings.HasPrefix(r.s[r.i:], "-->") {
		r.problem(Error, RuleSyntax, r.i, nil, "\"--\" stands inside of a comment")
		if n = strings.Index(r.s[r.i:], "-->"); n < 0 {
			r.fatal(RuleSyntax, r.i, "the comment does not end")
			return
		}
		r.i += n
	}
	r.i += len("-->")
}

func (r *xmlReader) instruction() {
	start := r.i
	r.i += len("<?")
	name := r.name()
	n := strings.Index(r.s[r.i:], "?>")
	switch {
	case name == "" || n > 0 && !isMarkupSpace(r.s[r.i]):
		r.fatal(RuleSyntax, r.i, "expected the name of a processing instruction, found %s", r.found())
	case strings.Contains(name, ":"):
		r.fatal(RuleSyntax, start, "expected the name of a processing instruction without a colon, found %s", quote(name))
	case n < 0:
		r.fatal(RuleSyntax, start, "the processing instruction does not end")
	case strings.EqualFold(name, "xml"):
		r.problem(Error, RuleSyntax, start, nil, "the XML declaration must stand at the start of the document")
		r.i += n + len("?>")
	default:
		r.i += n + len("?>")
	}
}

// found describes what stands at the current place.
func (r *xmlReader) found() string {
	if r.i >= len(r.s) {
		return "the end of the text"
	}
	_, n := utf8.DecodeRuneInString(r.s[r.i:])
	return quote(r.s[r.i : r.i+n])
}

// name reads a name (production 5), "" if there is none.
func (r *xmlReader) name() string {
	start := r.i
	for r.i < len(r.s) {
		c := r.s[r.i]
		if c >= utf8.RuneSelf {
			c, n := utf8.DecodeRuneInString(r.s[r.i:])
			if !unicode.Is(nameStart, c) && (r.i == start || !unicode.Is(nameOther, c)) {
				break
			}
			r.i += n
			continue
		}
		if !isAlpha(c) && c != '_' && c != ':' && (r.i == start || !isDigit(c) && c != '-' && c != '.') {
			break
		}
		r.i++
	}
	return r.s[start:r.i]
}

// nameStart and nameOther are the characters beyond ASCII that names begin with,
// and those that may follow (XML 1.0, fifth edition, productions 4 and 4a).
var (
	nameStart = &unicode.RangeTable{
		R16: []unicode.Range16{
			{Lo: 0xc0, Hi: 0xd6, Stride: 1},
			{Lo: 0xd8, Hi: 0xf6, Stride: 1},
			{Lo: 0xf8, Hi: 0x2ff, Stride: 1},
			{Lo: 0x370, Hi: 0x37d, Stride: 1},
			{Lo: 0x37f, Hi: 0x1fff, Stride: 1},
			{Lo: 0x200c, Hi: 0x200d, Stride: 1},
			{Lo: 0x2070, Hi: 0x218f, Stride: 1},
			{Lo: 0x2c00, Hi: 0x2fef, Stride: 1},
			{Lo: 0x3001, Hi: 0xd7ff, Stride: 1},
			{Lo: 0xf900, Hi: 0xfdcf, Stride: 1},
			{Lo: 0xfdf0, Hi: 0xfffd, Stride: 1},
		},
		R32: []unicode.Range32{{Lo: 0x10000, Hi: 0xeffff, Stride: 1}},
	}
	nameOther = &unicode.RangeTable{R16: []unicode.Range16{{Lo: 0xb7, Hi: 0xb7, Stride: 1}, {Lo: 0x300, Hi: 0x36f, Stride: 1}, {Lo: 0x203f, Hi: 0x2040, Stride: 1}}}
)

// attribute reads a name, an equals sign and a value in quotes.
func (r *xmlReader) attribute() (a xmlAttr, ok bool) {
	a.at = r.i
	a.name = r.name()
	if a.name == "" {
		r.fatal(RuleSyntax, r.i, "expected an attribute or the end of the tag, found %s", r.found())
		return a, false
	}
	r.skipSpace()
	if r.i >= len(r.s) || r.s[r.i] != '=' {
		r.fatal(RuleSyntax, r.i, "expected \"=\" after the attribute %s, found %s", a.name, r.found())
		return a, false
	}
	r.i++
	r.skipSpace()
	if r.i >= len(r.s) || r.s[r.i] != '"' && r.s[r.i] != '\'' {
		r.fatal(RuleSyntax, r.i, "expected the value of the attribute %s in quotes, found %s", a.name, r.found())
		return a, false
	}
	a.valueAt = r.i + 1
	n := strings.IndexByte(r.s[a.valueAt:], r.s[r.i])
	if n < 0 {
		r.fatal(RuleSyntax, r.i, "the value of the attribute %s does not end", a.name)
		return a, false
	}
	raw := r.s[a.valueAt : a.valueAt+n]
	r.i = a.valueAt + n + 1
	if lt := strings.IndexByte(raw, '<'); lt >= 0 {
		r.problem(Error, RuleSyntax, a.valueAt+lt, nil, "\"<\" stands in the value of the attribute %s", a.name)
	}
	a.value = raw
	if strings.ContainsAny(raw, "&\n\t\r") {
		a.value = r.decode(raw, a.valueAt, true)
	}
	return a, true
}

// startTag reads a start tag with its attributes and opens the element.
func (r *xmlReader) startTag() bool {
	at := r.i
	r.i++
	name := r.name()
	if name == "" {
		r.fatal(RuleSyntax, at, "expected a tag, found %s (a literal \"<\" is written &lt;)", quote(r.s[at:min(at+2, len(r.s))]))
		return false
	}
	r.stack = append(r.stack, xmlOpen{name, at, len(r.scope)})
	if len(r.stack) > r.opts.MaxDepth {
		r.fatal(RuleLimit, at, "elements are nested deeper than %d", r.opts.MaxDepth)
		return false
	}
	r.attrs = r.attrs[:0]
	for {
		spaced := r.i
		r.skipSpace()
		if strings.HasPrefix(r.s[r.i:], "/>") {
			r.i += 2
			r.empty = true
			break
		}
		if strings.HasPrefix(r.s[r.i:], ">") {
			r.i++
			break
		}
		if spaced == r.i && r.i < len(r.s) && r.name() != "" {
			r.i = spaced
			r.problem(Error, RuleSyntax, r.i, nil, "expected white space before the attribute")
		}
		r.i = max(r.i, spaced)
		a, ok := r.attribute()
		if !ok {
			return false
		}
		if prefix, local, colon := strings.Cut(a.name, ":"); a.name == "xmlns" || colon && prefix == "xmlns" {
			r.declare(local, a)
		} else {
			r.attrs = append(r.attrs, a)
		}
		if len(r.attrs) > 255 {
			r.fatal(RuleLimit, a.at, "an element has more than 255 attributes")
			return false
		}
		if len(r.scope) > maxNamespaces {
			r.fatal(RuleLimit, a.at, "more than %d namespaces are declared", maxNamespaces)
			return false
		}
	}
	r.tag = xmlTag{name: name, at: at}
	r.tag.local, r.tag.uri = r.resolve(name, at, true)
	for i := range r.attrs {
		a := &r.attrs[i]
		a.local, a.uri = r.resolve(a.name, a.at, false)
		for j := range r.attrs[:i] {
			if r.attrs[j].local == a.local && r.attrs[j].uri == a.uri {
				r.problem(Error, RuleDuplicate, a.at, nil, "the attribute %s stands twice in one tag", a.name)
				a.uri = xmlnsNamespace // passed over
				break
			}
		}
	}
	return true
}

// maxNamespaces bounds the declarations that are in force at one place: each name
// is looked for among them.
const maxNamespaces = 255

// declare binds a prefix, "" for none, to a namespace (Namespaces in XML 1.0,
// sections 3 and 5).
func (r *xmlReader) declare(prefix string, a xmlAttr) {
	for _, b := range r.scope[r.stack[len(r.stack)-1].scope:] {
		if b.prefix == prefix {
			r.problem(Error, RuleDuplicate, a.at, nil, "the attribute %s stands twice in one tag", a.name)
			return
		}
	}
	switch {
	case prefix == "xml" && a.value == xmlURI:
	case prefix == "xml", prefix == "xmlns", a.value == xmlURI, a.value == xmlnsNamespace:
		r.problem(Error, RuleNamespace, a.at, nil, "%s=%s: the prefixes xml and xmlns and their namespaces belong together", a.name, quote(a.value))
		return
	case a.value == "" && a.name != "xmlns":
		r.problem(Error, RuleNamespace, a.at, nil, "%s: expected a namespace, found none", a.name)
		return
	case a.name != "xmlns" && !isNCName(prefix):
		r.problem(Error, RuleNamespace, a.at, nil, "expected one name behind xmlns:, found %s", quote(prefix))
		return
	}
	r.scope = append(r.scope, xmlBinding{prefix, a.value})
}

// resolve finds the namespace of a name. Attributes without a prefix are in
// none.
func (r *xmlReader) resolve(name string, at int, element bool) (local, uri string) {
	prefix, local, colon := strings.Cut(name, ":")
	switch {
	case !colon && !element:
		return name, ""
	case !colon:
		prefix, local = "", name
	case prefix == "" || !isNCName(local):
		r.problem(Error, RuleNamespace, at, nil, "expected a name with one prefix, found %s", quote(name))
		return name, ""
	}
	for i := len(r.scope) - 1; i >= 0; i-- {
		if r.scope[i].prefix == prefix {
			return local, r.scope[i].uri
		}
	}
	if colon {
		r.problem(Error, RuleNamespace, at, nil, "the prefix %s is not declared", quote(prefix))
	}
	return local, ""
}

// isNCName tells whether a part of a name can stand for itself (Namespaces in XML
// 1.0, production 4).
func isNCName(s string) bool {
	return s != "" && s[0] != '-' && s[0] != '.' && !isDigit(s[0]) && strings.IndexByte(s, ':') < 0
}

// endTag reads an end tag and tells whether it ends the innermost element. One
// that ends an outer element ends those inside of it too; one that ends nothing
// is passed over.
func (r *xmlReader) endTag() bool {
	at := r.i
	r.i += len("</")
	name := r.name()
	r.skipSpace()
	if name == "" || r.i >= len(r.s) || r.s[r.i] != '>' {
		r.fatal(RuleSyntax, r.i, "expected an end tag, found %s", r.found())
		return false
	}
	r.i++
	n := len(r.stack)
	if n > 0 && r.stack[n-1].name == name {
		r.pop()
		return true
	}
	for i := n - 1; i >= 0; i-- {
		if r.stack[i].name == name {
			r.problem(Error, RuleSyntax, at, nil, "expected </%s> for the element at %s, found </%s>", r.stack[n-1].name, r.doc.position(r.stack[n-1].at), name)
			r.i = at
			r.pop()
			return true
		}
	}
	r.problem(Error, RuleSyntax, at, nil, "</%s> ends no element", name)
	return false
}

func (r *xmlReader) pop() {
	n := len(r.stack) - 1
	r.scope = r.scope[:r.stack[n].scope]
	r.stack = r.stack[:n]
}

// skip reads over the element whose start tag was read last.
func (r *xmlReader) skip() {
	for depth := len(r.stack); len(r.stack) >= depth && !r.stopped; {
		r.next()
	}
}

// text returns the character data read last with references resolved.
func (r *xmlReader) text() string {
	if strings.IndexByte(r.chars, '\r') < 0 && (r.cdata || strings.IndexByte(r.chars, '&') < 0) {
		return r.chars
	}
	return r.decode(r.chars, r.at, false)
}

// decode resolves references and normalises line ends, in attributes white
// space too (XML 1.0, sections 2.11, 3.3.3, 4.6).
func (r *xmlReader) decode(raw string, at int, attribute bool) string {
	var b strings.Builder
	b.Grow(len(raw))
	for i := 0; i < len(raw); i++ {
		c := raw[i]
		switch {
		case c == '\r' && i+1 < len(raw) && raw[i+1] == '\n':
			continue
		case c == '\r' && !attribute:
			b.WriteByte('\n')
		case attribute && (c == '\n' || c == '\t' || c == '\r'):
			b.WriteByte(' ')
		case c == '&' && (attribute || !r.cdata):
			s, n := xmlReference(raw[i:])
			if n == 0 {
				r.problem(Error, RuleSyntax, at+i, nil, "expected &lt; &gt; &amp; &quot; &apos; or a reference to a character, found %s", quote(raw[i:min(i+20, len(raw))]))
				s, n = "&", 1
			}
			b.WriteString(s)
			i += n - 1
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// xmlReference reads a reference and returns what it stands for and its length,
// 0 for none.
func xmlReference(s string) (string, int) {
	end := strings.IndexByte(s[:min(len(s), 16)], ';')
	if end < 0 {
		return "", 0
	}
	switch s[1:end] {
	case "lt":
		return "<", end + 1
	case "gt":
		return ">", end + 1
	case "amp":
		return "&", end + 1
	case "quot":
		return `"`, end + 1
	case "apos":
		return "'", end + 1
	}
	digits, base := s[1:end], 10
	if !strings.HasPrefix(digits, "#") {
		return "", 0
	}
	if digits = digits[1:]; strings.HasPrefix(digits, "x") {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil || !isXMLChar(rune(n)) {
		return "", 0
	}
	return string(rune(n)), end + 1
}

// trimXML takes off white space at both ends.
func trimXML(s string) string {
	for len(s) > 0 && isMarkupSpace(s[0]) {
		s = s[1:]
	}
	for len(s) > 0 && isMarkupSpace(s[len(s)-1]) {
		s = s[:len(s)-1]
	}
	return s
}

// firstOf is the place of the first character that is no space in the character
// data read last.
func (r *xmlReader) firstOf() int {
	return r.at + len(r.chars) - len(strings.TrimLeft(r.chars, " \n\t\r"))
}

// element binds the element whose start tag was read last.
func (r *xmlReader) element(n *Node) {
	f := r.open(n)
	r.flags(&f)
	if n.member.kind == Field {
		f.seen |= valueBit
		r.value(n)
	} else {
		r.children(&f)
	}
	if !r.stopped {
		r.close(&f)
	}
}

// flags binds the attributes.
func (r *xmlReader) flags(f *frame) {
	for i := range r.attrs {
		a := &r.attrs[i]
		if a.uri == xsiNamespace || a.uri == xmlnsNamespace {
			continue
		}
		m := f.def.flagByName(a.local)
		if a.uri != "" || m == nil {
			r.problem(Error, RuleUnknown, a.at, f.node, "unknown attribute %s in %s%s", quote(a.name), f.node.Name(), suggestXML(a.local, f.def, true))
			continue
		}
		f.seen |= 1 << m.order
		r.deprecated(f, m, a.at)
		n := r.add(f, m, a.at)
		value := trimXML(a.value)
		if n.value = value; !m.dtype.Valid(value) {
			r.scalar(n, m.dtype, value, a.valueAt)
		}
	}
}

// children binds what stands in an assembly.
func (r *xmlReader) children(f *frame) {
	var previous *Member
	var prose *Node
	var markup *Markup // the value of prose
	for {
		switch r.next() {
		case xmlEnd:
			if prose != nil {
				markup.normal(false)
				prose.value = markup.markdown()
			}
			return
		case xmlChars:
			r.noText(f.node)
		case xmlStart:
			at := r.tag.at
			m := f.def.memberByElement(r.tag.local, f.next)
			if r.tag.uri != r.space || f.def.loaded != nil {
				of := f.def // whose namespace the element is of
				if m != nil && m.xml != xmlGrouped {
					of = m.Definition()
				}
				if r.foreign(f.node, of) {
					continue
				}
			}
			if m == nil {
				r.problem(Error, RuleUnknown, at, f.node, "unknown element <%s> in %s%s", r.tag.name, f.node.Name(), suggestXML(r.tag.local, f.def, false))
				r.skip()
				continue
			}
			if previous != nil && f.def.rank(m) < f.def.rank(previous) {
				level := Error
				if r.opts.AnyOrder {
					level = Warning
				}
				r.problem(level, RuleOrder, at, f.node, "<%s> stands after <%s>, expected before it", r.tag.name, previous.element())
			}
			again := f.seen>>m.order&1 == 1
			switch {
			case !again:
				r.deprecated(f, m, at)
			case m.xml == xmlGrouped, m.array == 0 && m.xml != xmlUnwrapped:
				r.problem(Error, RuleDuplicate, at, f.node, "<%s> stands twice in %s", r.tag.name, f.node.Name())
				r.related(f.node.Child(m.name))
				r.skip()
				continue
			}
			f.seen |= 1 << m.order
			f.next = int(m.order)
			previous = m
			switch m.xml {
			case xmlGrouped:
				r.group(f, m)
			case xmlUnwrapped:
				if prose == nil {
					prose, markup = r.add(f, m, at), &Markup{Kind: MarkupRoot}
				}
				if b := r.markup(prose); r.block(b, prose) {
					markup.Children = append(markup.Children, b)
				}
			default:
				r.element(r.add(f, m, at))
			}
		}
	}
}

// group binds the elements inside of a wrapper.
func (r *xmlReader) group(f *frame, m *Member) {
	at, none := r.tag.at, true
	r.noAttributes(f.node)
	for {
		switch r.next() {
		case xmlEnd:
			if none && !r.stopped {
				r.problem(Error, RuleEmptyArray, at, f.node, "<%s> must hold one <%s> at least, or be left out", m.json, m.name)
			}
			return
		case xmlChars:
			r.noText(f.node)
		case xmlStart:
			if r.foreign(f.node, m.Definition()) {
				continue
			}
			if r.tag.local != m.name {
				r.problem(Error, RuleUnknown, r.tag.at, f.node, "unknown element <%s> in %s, expected <%s>", r.tag.name, m.json, m.name)
				r.skip()
				continue
			}
			none = false
			r.element(r.add(f, m, r.tag.at))
		}
	}
}

// foreign passes over an element of another namespace than that of a definition.
func (r *xmlReader) foreign(n *Node, d *Definition) bool {
	want := r.space
	if d.loaded != nil && d.loaded.namespace != r.model {
		want = d.loaded.namespace // of a module that was imported
	}
	if r.tag.uri == want {
		return false
	}
	if d.loaded == nil {
		r.problem(Error, RuleNamespace, r.tag.at, n, "the element <%s> of the namespace %s has no place in OSCAL", r.tag.name, quote(r.tag.uri))
	} else {
		r.problem(Error, RuleNamespace, r.tag.at, n, "the element <%s> is of the namespace %s, expected %s", r.tag.name, quote(r.tag.uri), quote(want))
	}
	r.skip()
	return true
}

// noText notes text where only elements may stand.
func (r *xmlReader) noText(n *Node) {
	if text := trimXML(r.chars); text != "" {
		r.problem(Error, RuleShape, r.firstOf(), n, "expected elements in %s, found the text %s", n.Name(), quote(text))
	}
}

func (r *xmlReader) noAttributes(n *Node) {
	for _, a := range r.attrs {
		if a.uri != xsiNamespace && a.uri != xmlnsNamespace {
			r.problem(Error, RuleUnknown, a.at, n, "unknown attribute %s in <%s>", quote(a.name), r.tag.name)
		}
	}
}

func (r *xmlReader) deprecated(f *frame, m *Member, at int) {
	if m.deprecated != "" {
		r.problem(Warning, RuleDeprecated, at, f.node, "%s is deprecated since %s %s", quote(m.name), f.def.release(), m.deprecated)
	}
}

// value reads the content of a field.
func (r *xmlReader) value(n *Node) {
	t := n.member.dtype
	if t.isMarkup() {
		line := t == TypeMarkupLine
		root := &Markup{Kind: MarkupRoot}
		at := r.tag.at
		if line {
			r.inlines(root, n)
		} else {
			r.flow(root, n, false)
		}
		root.normal(line)
		r.scalar(n, t, root.markdown(), at)
		return
	}
	value, at := "", -1
	var pieces []string // more than one if comments or sections stand in between
	for {
		switch r.next() {
		case xmlEnd:
			if r.stopped {
				return
			}
			if at < 0 {
				at = int(n.at) - 1
			}
			if pieces != nil {
				value = strings.Join(pieces, "")
			}
			r.scalar(n, t, trimXML(value), at)
			return
		case xmlChars:
			if at < 0 && trimXML(r.chars) != "" {
				at = r.firstOf()
			}
			switch {
			case pieces != nil:
				pieces = append(pieces, r.text())
			case value != "":
				pieces = []string{value, r.text()}
			default:
				value = r.text()
			}
		case xmlStart:
			r.problem(Error, RuleShape, r.tag.at, n, "expected a %s in %s, found the element <%s>", t, n.Name(), r.tag.name)
			r.skip()
		}
	}
}
