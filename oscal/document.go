package oscal

import (
	"fmt"
	"io"
	"sort"
	"strings"
	"sync"
	"unicode/utf8"
)

// Format is a form in which OSCAL documents are written down.
type Format uint8

// The formats.
const (
	JSON Format = iota + 1
	YAML
	XML
)

func (f Format) String() string {
	switch f {
	case JSON:
		return "json"
	case YAML:
		return "yaml"
	case XML:
		return "xml"
	}
	return fmt.Sprintf("Format(%d)", uint8(f))
}

// ParseFormat reads the name of a format or a file name extension: json, yaml,
// yml, xml, with or without a dot.
func ParseFormat(s string) (Format, error) {
	switch strings.ToLower(strings.TrimPrefix(s, ".")) {
	case "json":
		return JSON, nil
	case "yaml", "yml":
		return YAML, nil
	case "xml":
		return XML, nil
	}
	return 0, fmt.Errorf("oscal: unknown format %q, expected json, yaml or xml", s)
}

// ReadOptions configure [Read] and [Parse]; nil means the defaults.
type ReadOptions struct {
	Name   string // name of the document in problems, usually its file name
	Format Format // default: found from the first characters
	// Fragment is the place in the model of which the text holds one object, under
	// its XML name, e.g. {"control": {...}}; default: a whole document.
	Fragment *Member
	// Metaschema has the models that the text may be of; default: those of OSCAL.
	Metaschema  *Metaschema
	MaxBytes    int64 // default 256 MiB
	MaxDepth    int   // nested objects and arrays, or elements; default 200
	MaxNodes    int   // nodes of the document, YAML aliases expanded; default 20,000,000
	MaxProblems int   // reading stops after so many; default 1,000
	AnyOrder    bool  // XML: elements that are not in model order make a warning, not an error
}

func (o *ReadOptions) withDefaults() ReadOptions {
	var r ReadOptions
	if o != nil {
		r = *o
	}
	if r.MaxBytes <= 0 {
		r.MaxBytes = 256 << 20
	}
	r.MaxBytes = min(r.MaxBytes, 1<<32-2)
	if r.MaxDepth <= 0 {
		r.MaxDepth = 200
	}
	if r.MaxNodes <= 0 {
		r.MaxNodes = 20_000_000
	}
	if r.MaxProblems <= 0 {
		r.MaxProblems = 1000
	}
	return r
}

// A Document is a document of one of the eight models of OSCAL, or of a model of
// a [Metaschema], as a tree of nodes that keeps all that the text said: lexical forms of dates and numbers,
// the order of arrays, explicit defaults, positions. Reading from it is safe
// for several goroutines at once.
type Document struct {
	root     *Node
	name     string
	schema   string // the $schema member beside the root
	format   Format
	problems Problems
	text     string // what was read; values are parts of it

	marksOnce sync.Once
	marks     []mark // in order of the text
}

// NewDocument returns a document with the given root, for instance one built by
// hand. The root must be a node of one of [Roots], or of [Metaschema.Roots].
func NewDocument(root *Node) *Document { return &Document{root: root} }

// NewRoot returns an empty root node of a model, e.g. catalog. It panics if
// there is no such model.
func NewRoot(model string) *Node {
	m := rootByName(model)
	if m == nil {
		panic("oscal: no model " + model)
	}
	return NewNode(m)
}

// Root returns the root node.
func (d *Document) Root() *Node { return d.root }

// Model returns the name of the root, e.g. system-security-plan.
func (d *Document) Model() string { return d.root.Name() }

// Metaschema returns what the model of the document was loaded from, nil for the
// models of OSCAL.
func (d *Document) Metaschema() *Metaschema {
	if def := d.root.member.Definition(); def != nil && def.loaded != nil {
		return def.loaded.metaschema
	}
	return nil
}

// Name returns the name under which the document was read, or the one that it
// was given.
func (d *Document) Name() string { return d.name }

// SetName gives the document a name for problems and references, usually that of
// the file that it is written to.
func (d *Document) SetName(name string) { d.name = name }

// Format returns the form in which the document was read, 0 for none.
func (d *Document) Format() Format { return d.format }

// Schema returns the value of the $schema member beside the root, "" for none.
func (d *Document) Schema() string { return d.schema }

// Version returns the oscal-version of the document's metadata.
func (d *Document) Version() string { return d.root.Child("metadata").Get("oscal-version") }

// Problems returns all that was found wrong when the document was read,
// warnings included, in document order.
func (d *Document) Problems() Problems { return d.problems }

// Position returns the place of a node in the text that was read, the zero
// Position for a node that was not read from it.
func (d *Document) Position(n *Node) Position {
	if n == nil || n.at == 0 || d.text == "" {
		return Position{}
	}
	return d.position(int(n.at) - 1)
}

// Problem returns a problem at a node of the document: its place is filled in,
// the message is formatted.
func (d *Document) Problem(level Level, rule Rule, n *Node, format string, args ...any) Problem {
	return d.problemAt(nil, level, rule, n, fmt.Sprintf(format, args...))
}

// problemAt is Problem for one of many.
func (d *Document) problemAt(l *Locator, level Level, rule Rule, n *Node, message string) Problem {
	p := Problem{Level: level, Rule: rule, File: d.name, Position: d.Position(n), Pointer: l.Pointer(n), Message: message}
	if d.format == XML {
		p.Path = l.Path(n)
	}
	return p
}

// A mark is a known place of a text. There is one in every bytesPerMark, so that
// marks cost little and a document that is one line of megabytes is no slower
// than another.
type mark struct{ offset, line, column uint32 }

const bytesPerMark = 1024

func (d *Document) makeMarks() {
	d.marksOnce.Do(func() {
		m := mark{0, 1, 1}
		if strings.HasPrefix(d.text, bom) {
			m.offset = uint32(len(bom))
		}
		d.marks = make([]mark, 0, len(d.text)/bytesPerMark+1)
		d.marks = append(d.marks, m)
		for next := bytesPerMark; next < len(d.text); next += bytesPerMark {
			at := next
			for at < len(d.text) && !utf8.RuneStart(d.text[at]) {
				at++
			}
			m = m.to(d.text, at)
			d.marks = append(d.marks, m)
		}
	})
}

// to returns the place at a later offset.
func (m mark) to(text string, offset int) mark {
	between := text[m.offset:offset]
	if n := strings.Count(between, "\n"); n > 0 {
		m.line += uint32(n)
		m.column = 1
		between = between[strings.LastIndexByte(between, '\n')+1:]
	}
	m.column += uint32(utf8.RuneCountInString(between))
	m.offset = uint32(offset)
	return m
}

func (d *Document) position(offset int) Position {
	d.makeMarks()
	offset = min(offset, len(d.text))
	i := min(offset/bytesPerMark, len(d.marks)-1)
	if i > 0 && int(d.marks[i].offset) > offset {
		i-- // in the middle of the rune before the mark
	}
	m := d.marks[i]
	if offset > int(m.offset) {
		m = m.to(d.text, offset)
	}
	return Position{Offset: offset, Line: int(m.line), Column: int(m.column)}
}

// offsetOf turns line and column, both from 1, into a byte offset.
func (d *Document) offsetOf(line, column int) int {
	d.makeMarks()
	column = max(column, 1)
	i := sort.Search(len(d.marks), func(i int) bool {
		m := d.marks[i]
		return int(m.line) > line || int(m.line) == line && int(m.column) > column
	})
	if i == 0 {
		return 0
	}
	m := d.marks[i-1]
	at := int(m.offset)
	for n := int(m.line); n < line; n++ {
		end := strings.IndexByte(d.text[at:], '\n')
		if end < 0 {
			return 0
		}
		at += end + 1
		m.column = 1
	}
	for c := int(m.column); c < column && at < len(d.text) && d.text[at] != '\n'; c++ {
		_, n := utf8.DecodeRuneInString(d.text[at:])
		at += n
	}
	return at
}

const bom = "\ufeff"

// Read reads a document. See [Parse].
func Read(r io.Reader, opts *ReadOptions) (*Document, error) {
	o := opts.withDefaults()
	var b strings.Builder
	if l, ok := r.(interface{ Len() int }); ok && int64(l.Len()) <= o.MaxBytes {
		b.Grow(l.Len())
	}
	n, err := io.Copy(&b, io.LimitReader(r, o.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("oscal: reading %s: %w", o.Name, err)
	}
	if n > o.MaxBytes {
		return nil, Problems{{Level: Error, Rule: RuleLimit, File: o.Name, Message: fmt.Sprintf("the document has more than %d bytes", o.MaxBytes)}}
	}
	return Parse(b.String(), opts)
}

// Parse reads a document from a text.
//
// If the text is not JSON, YAML or XML, or has no root of a model, the Document is
// nil and the error is a [Problems] that says where. If the structure is wrong,
// the Document holds what could be bound and the error is a [Problems] with all
// errors, in document order, each with line, column, JSON Pointer and rule; it
// matches [ErrInvalid]. Warnings alone make no error: see [Document.Problems].
//
// Documents of OSCAL 1.0.0 to 1.2.x bind to the tables of 1.2.2, which hold all
// that the older versions had.
func Parse(text string, opts *ReadOptions) (*Document, error) {
	o := opts.withDefaults()
	b := &binder{doc: &Document{name: o.Name, format: o.Format, text: text}, opts: o}
	if int64(len(text)) > o.MaxBytes {
		b.fatal(RuleLimit, 0, "the document has more than %d bytes", o.MaxBytes)
	} else if b.checkEncoding() {
		b.detect()
	}
	d := b.doc
	if !b.stopped {
		switch d.format {
		case JSON:
			readJSON(b)
		case YAML:
			readYAML(b)
		case XML:
			readXML(b)
		}
	}
	b.finish()
	if d.root == nil && b.problems.Errors() == nil {
		b.problem(Error, RuleRootMissing, 0, nil, "%s", b.rootExpected())
	}
	d.problems = b.sorted()
	errs := b.problems.Errors()
	switch {
	case d.root == nil:
		return nil, errs
	case errs != nil:
		return d, errs
	}
	return d, nil
}
