package metaschema

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/issokit/issokit/internal/errlist"
)

// Namespace is that of Metaschema modules and of external constraint sets.
const Namespace = "http://csrc.nist.gov/ns/oscal/metaschema/1.0"

const (
	maxDepth    = 100     // of nested elements
	maxElements = 500_000 // of all texts together
)

// A Problem is one thing that is wrong with a module. Its rule is one of the
// names that package oscal has for what is wrong with a document.
type Problem struct {
	Rule                 string
	File                 string
	Offset, Line, Column int    // from 0, 1 and 1, columns in code points; Line 0 for none
	Path                 string // of the element, e.g. /METASCHEMA[1]/define-field[2]
	Message              string
	Err                  error // what made it, nil for none
}

func (p Problem) Error() string {
	s := p.File + ":"
	if p.Line > 0 {
		s += strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column) + ":"
	}
	return s + " " + p.Message
}

// Unwrap returns the cause.
func (p Problem) Unwrap() error { return p.Err }

// Problems are all that is wrong with a module and with what it imports.
type Problems []Problem

// Error shows the first ten problems, a line each.
func (ps Problems) Error() string { return errlist.Text("metaschema: ", "\n", ps) }

// Unwrap returns the problems one by one.
func (ps Problems) Unwrap() []error { return errlist.Unwrap(ps) }

// An Element is an XML element with its place.
type Element struct {
	// Name is the local name; for an element of another namespace that of the
	// namespace stands in braces before it.
	Name  string
	Attrs map[string]string // those without a prefix
	Text  string            // character data directly inside, without that of children
	Kids  []*Element

	File                 string
	Offset, Line, Column int
	parent               *Element
	nth                  int // among the children of its name, from 1
}

// Child returns the first child of a name, nil if there is none.
func (e *Element) Child(name string) *Element {
	for _, c := range e.Kids {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// ChildText returns the text of the first child of a name, white space
// normalized, "" if there is none.
func (e *Element) ChildText(name string) string {
	if c := e.Child(name); c != nil {
		return strings.Join(strings.Fields(c.Text), " ")
	}
	return ""
}

// Path returns the path of the element with positions.
func (e *Element) Path() string {
	if e == nil || e.Name == "" {
		return ""
	}
	return e.parent.Path() + "/" + e.Name + "[" + strconv.Itoa(e.nth) + "]"
}

func (e *Element) problem(rule string, err error, format string, args ...any) Problem {
	return Problem{
		Rule: rule, File: e.File, Offset: e.Offset, Line: e.Line, Column: e.Column, Path: e.Path(),
		Message: fmt.Sprintf(format, args...), Err: err,
	}
}

// A source is the text of a file.
type source struct {
	name, text string
	lines      []int // offsets at which lines start
}

func newSource(name, text string) *source {
	s := &source{name: name, text: text, lines: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' {
			s.lines = append(s.lines, i+1)
		}
	}
	return s
}

// place makes an element that stands for a place.
func (s *source) place(offset int) *Element {
	offset = min(offset, len(s.text))
	line := sort.SearchInts(s.lines, offset+1) - 1
	return &Element{File: s.name, Offset: offset, Line: line + 1, Column: utf8.RuneCountInString(s.text[s.lines[line]:offset]) + 1}
}

// A piece is a part of a text with the external entities put in: from at on it
// comes from a source.
type piece struct {
	at     int
	from   *source
	offset int
}

// reader turns texts into elements.
type reader struct {
	fsys     fs.FS // nil: document types are refused
	budget   int64 // bytes that may be read and expanded still
	limit    int64
	elements int // read so far
}

// Parse reads the elements of a text. Document types are refused, and with them
// all entities but the five of XML.
func Parse(name, text string) (*Element, Problems) {
	return (&reader{}).parse(newSource(name, text))
}

func (r *reader) parse(src *source) (*Element, Problems) {
	text, pieces := src.text, []piece{{0, src, 0}}
	// place finds the place of an offset, after the character that stands before
	// it if there is one: the parser tells the end of what is wrong.
	place := func(offset int64, after bool) *Element {
		in := int(offset)
		if after && in > 0 {
			in--
		}
		p := pieces[sort.Search(len(pieces), func(i int) bool { return pieces[i].at > in })-1]
		return p.from.place(p.offset + int(offset) - p.at)
	}
	if r.fsys != nil {
		var ps Problems
		if text, pieces, ps = r.expand(src); ps != nil {
			return nil, ps
		}
	}
	dec := xml.NewDecoder(strings.NewReader(text))
	dec.CharsetReader = func(charset string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("expected the encoding UTF-8, found %s", charset)
	}
	var root *Element
	var stack []*Element // those that are open, with their text and their children by name
	var texts []*strings.Builder
	var counts []map[string]int
	fail := func(e *Element, rule string, err error, format string, args ...any) (*Element, Problems) {
		if len(stack) > 0 {
			e.parent = stack[len(stack)-1]
		}
		p := e.problem(rule, err, format, args...)
		p.Path = e.parent.Path()
		return nil, Problems{p}
	}
	for {
		at := dec.InputOffset()
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			message := err.Error()
			if x, ok := errors.AsType[*xml.SyntaxError](err); ok {
				message = "not well-formed: " + x.Msg
			}
			return fail(place(dec.InputOffset(), true), "syntax", err, "%s", message)
		}
		switch t := tok.(type) {
		case xml.Directive:
			return fail(place(at, false), "unsupported", nil, "a document type is not allowed")
		case xml.StartElement:
			e := place(at, false)
			e.Name, e.nth = t.Name.Local, 1
			if t.Name.Space != Namespace {
				if len(stack) == 0 {
					return fail(e, "namespace", nil, "expected an element of the namespace %s, found one of %q", Namespace, t.Name.Space)
				}
				e.Name = "{" + t.Name.Space + "}" + t.Name.Local
			}
			for _, a := range t.Attr {
				if a.Name.Space != "" || a.Name.Local == "xmlns" {
					continue
				}
				if _, twice := e.Attrs[a.Name.Local]; twice {
					return fail(e, "syntax", nil, "not well-formed: the attribute %s stands twice in one tag", a.Name.Local)
				}
				if e.Attrs == nil {
					e.Attrs = map[string]string{}
				}
				e.Attrs[a.Name.Local] = a.Value
			}
			switch {
			case len(stack) > 0:
				n := len(stack) - 1
				e.parent = stack[n]
				e.parent.Kids = append(e.parent.Kids, e)
				if counts[n] == nil {
					counts[n] = map[string]int{}
				}
				counts[n][e.Name]++
				e.nth = counts[n][e.Name]
			case root != nil:
				return fail(e, "root-several", nil, "expected the end of the document, found <%s>", e.Name)
			default:
				root = e
			}
			if len(stack) == maxDepth {
				return fail(e, "limit", nil, "elements are nested deeper than %d", maxDepth)
			}
			if r.elements++; r.elements > maxElements {
				return fail(e, "limit", nil, "more than %d elements", maxElements)
			}
			stack, texts, counts = append(stack, e), append(texts, &strings.Builder{}), append(counts, nil)
		case xml.EndElement:
			n := len(stack) - 1
			stack[n].Text = texts[n].String()
			stack, texts, counts = stack[:n], texts[:n], counts[:n]
		case xml.CharData:
			if n := len(stack); n > 0 {
				texts[n-1].Write(t)
			}
		}
	}
	if root == nil {
		return fail(&Element{File: src.name}, "root-missing", nil, "there is no root element")
	}
	return root, nil
}

var entity = regexp.MustCompile(`<!ENTITY\s+([\w.-]+)\s+SYSTEM\s+(?:"([^"]+)"|'([^']+)')\s*>`)

// expand puts in the external entities that a document type declares, as the
// modules of OSCAL use them for parts of constraints. What an entity holds is
// not expanded again.
func (r *reader) expand(src *source) (string, []piece, Problems) {
	start, end, subset := doctype(src.text)
	if start == end {
		return src.text, []piece{{0, src, 0}}, nil
	}
	at := src.place(start)
	if rest := entity.ReplaceAllString(subset, ""); strings.TrimSpace(rest) != "" {
		return "", nil, Problems{at.problem("unsupported", nil, "expected declarations of external entities only (<!ENTITY name SYSTEM \"file\">) in the document type, found %s", quote(strings.TrimSpace(rest)))}
	}
	var ps Problems
	entities := map[string]*source{}
	for _, m := range entity.FindAllStringSubmatch(subset, -1) {
		file, err := resolve(src.name, m[2]+m[3])
		var text string
		if err == nil {
			text, err = r.read(file)
		}
		if err != nil {
			ps = append(ps, at.problem(ruleOf(err), err, "entity %s: %v", m[1], err))
			continue
		}
		entities[m[1]] = newSource(file, text)
	}
	if ps != nil {
		return "", nil, ps
	}
	var b strings.Builder
	b.WriteString(src.text[:start])
	pieces := []piece{{0, src, 0}, {b.Len(), src, end}}
	from := end
	for i := end; ; {
		n := strings.IndexAny(src.text[i:], "<&")
		if n < 0 {
			break
		}
		i += n
		rest := src.text[i:]
		name, length := reference(rest)
		e := entities[name]
		switch {
		case strings.HasPrefix(rest, "<!--"):
			i += through(rest, "-->")
			continue
		case strings.HasPrefix(rest, "<![CDATA["):
			i += through(rest, "]]>")
			continue
		case e == nil:
			i++
			continue
		}
		if r.budget -= int64(len(e.text)); r.budget < 0 {
			return "", nil, Problems{src.place(i).problem("limit", nil, "the modules and their entities have more than %d bytes", r.limit)}
		}
		b.WriteString(src.text[from:i])
		pieces = append(pieces, piece{b.Len(), e, 0})
		b.WriteString(e.text)
		i += length
		from = i
		pieces = append(pieces, piece{b.Len(), src, from})
	}
	b.WriteString(src.text[from:])
	return b.String(), pieces, nil
}

// reference returns the name of the entity that a text begins with a reference
// to, and the length of the reference; 0 for none.
func reference(s string) (name string, length int) {
	if s[0] != '&' {
		return "", 0
	}
	name, _, ok := strings.Cut(s[1:min(len(s), 200)], ";")
	if !ok {
		return "", 0
	}
	return name, len(name) + 2
}

// through returns the length of a text up to and with an end, of all if there is
// none.
func through(s, end string) int {
	if i := strings.Index(s, end); i >= 0 {
		return i + len(end)
	}
	return len(s)
}

// doctype finds the document type declaration and its internal subset. It
// leaves the text as it is if there is none, or if it is broken: then the
// parser will say so.
func doctype(text string) (start, end int, subset string) {
	dec := xml.NewDecoder(strings.NewReader(text))
	for {
		at := dec.InputOffset()
		tok, err := dec.RawToken()
		if err != nil {
			return 0, 0, ""
		}
		switch t := tok.(type) {
		case xml.StartElement:
			return 0, 0, ""
		case xml.Directive:
			// RawToken has taken the comments out.
			open, shut := strings.IndexByte(string(t), '['), strings.LastIndexByte(string(t), ']')
			if open >= 0 && shut > open {
				subset = string(t)[open+1 : shut]
				t = append(t[:open:open], t[shut+1:]...)
			}
			if f := strings.Fields(string(t)); len(f) != 2 || f[0] != "DOCTYPE" {
				return 0, 0, ""
			}
			return int(at), int(dec.InputOffset()), subset
		}
	}
}

// read reads a file within the budget.
func (r *reader) read(name string) (string, error) {
	f, err := r.fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, r.budget+1))
	if err != nil {
		return "", err
	}
	if r.budget -= int64(len(data)); r.budget < 0 {
		return "", limitError(fmt.Sprintf("the modules and their entities have more than %d bytes", r.limit))
	}
	if !utf8.Valid(data) {
		return "", fmt.Errorf("%s is not UTF-8", name)
	}
	return string(data), nil
}

// limitError is the error of a bound that is reached.
type limitError string

func (e limitError) Error() string { return string(e) }

func ruleOf(err error) string {
	if _, ok := errors.AsType[limitError](err); ok {
		return "limit"
	}
	return "reference-unavailable"
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)

// resolve finds the file that a relative address in another file means.
func resolve(from, href string) (string, error) {
	if href == "" || scheme.MatchString(href) || href[0] == '/' || strings.ContainsAny(href, "\\?#") {
		return "", fmt.Errorf("expected the relative path of a file, found %s", quote(href))
	}
	file := path.Join(path.Dir(from), href)
	if !fs.ValidPath(file) || slices.Contains(strings.Split(href, "/"), "") {
		return "", fmt.Errorf("%s leads out of the folder", quote(href))
	}
	return file, nil
}

// quote shows a piece of a file in a message.
func quote(s string) string {
	if utf8.RuneCountInString(s) > 60 {
		return strconv.Quote(string([]rune(s)[:57])) + "..."
	}
	return strconv.Quote(s)
}
