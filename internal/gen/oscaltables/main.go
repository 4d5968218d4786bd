// Command oscaltables writes the model tables of package oscal from the
// Metaschema modules of an OSCAL release.
//
//	go run ./internal/gen/oscaltables -modules DIR -out oscal/tables.go
//
// DIR holds oscal_complete_metaschema.xml and what it imports. Only facts of
// the format come out: names, order, cardinality, data types, grouping; with
// -constraints the constraints, for package constraint.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"go/format"
	"io"
	"log"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

func main() {
	log.SetFlags(0)
	modules := flag.String("modules", "", "folder of the Metaschema modules")
	out := flag.String("out", "", "file to write")
	constraints := flag.Bool("constraints", false, "write the constraints instead of the model")
	flag.Parse()
	if *modules == "" || *out == "" {
		flag.Usage()
		os.Exit(2)
	}
	generate := Generate
	if *constraints {
		generate = GenerateConstraints
	}
	code, err := generate(os.DirFS(*modules).(readFS), "oscal_complete_metaschema.xml")
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, code, 0o644); err != nil {
		log.Fatal(err)
	}
}

type readFS interface{ ReadFile(string) ([]byte, error) }

// element is an XML element, its text left out: the tables hold no prose.
type element struct {
	name     string
	attrs    map[string]string
	children []*element
	text     string
}

func (e *element) child(name string) *element {
	for _, c := range e.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

func (e *element) childText(name string) string {
	if c := e.child(name); c != nil {
		return strings.Join(strings.Fields(c.text), " ")
	}
	return ""
}

var (
	doctype = regexp.MustCompile(`(?s)<!DOCTYPE.*?\]>`)
	entity  = regexp.MustCompile(`<!ENTITY\s+([\w.-]+)\s+SYSTEM\s+"([^"]+)"\s*>`)
)

// readModule parses a module with the external entities of its DTD expanded.
func readModule(fsys readFS, name string) (*element, []byte, error) {
	raw, err := fsys.ReadFile(name)
	if err != nil {
		return nil, nil, err
	}
	text := string(raw)
	dtd := doctype.FindString(text)
	text = strings.Replace(text, dtd, "", 1)
	for _, m := range entity.FindAllStringSubmatch(dtd, -1) {
		content, err := fsys.ReadFile(filepath.ToSlash(filepath.Join(filepath.Dir(name), m[2])))
		if err != nil {
			return nil, nil, fmt.Errorf("%s: entity %s: %w", name, m[1], err)
		}
		text = strings.ReplaceAll(text, "&"+m[1]+";", string(content))
	}
	root, err := parse(text)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", name, err)
	}
	return root, raw, nil
}

func parse(text string) (*element, error) {
	dec := xml.NewDecoder(strings.NewReader(text))
	var stack []*element
	var root *element
	for {
		tok, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch t := tok.(type) {
		case xml.StartElement:
			e := &element{name: t.Name.Local, attrs: map[string]string{}}
			for _, a := range t.Attr {
				e.attrs[a.Name.Local] = a.Value
			}
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				top.children = append(top.children, e)
			} else {
				root = e
			}
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				stack[len(stack)-1].text += string(t)
			}
		}
	}
	if root == nil {
		return nil, errors.New("no root element")
	}
	return root, nil
}

// module is one Metaschema module with the scope in which its names resolve.
type module struct {
	name    string
	version string
	root    *element
	imports []*module
	globals map[string]*element // "define-assembly part" and so on
}

// lookup finds a definition: in the module itself, then in the imports, the
// last one first; local definitions do not leave their module.
func (m *module) lookup(kind, name string, outside bool) (*module, *element) {
	if e := m.globals[kind+" "+name]; e != nil && (!outside || e.attrs["scope"] != "local") {
		return m, e
	}
	for _, imp := range slices.Backward(m.imports) {
		if owner, e := imp.lookup(kind, name, true); e != nil {
			return owner, e
		}
	}
	return nil, nil
}

type generator struct {
	fsys    readFS
	modules map[string]*module
	sums    map[string][32]byte
	index   map[*element]int // definition element to index in defs
	defs    []def
	err     error

	flagPlaces map[*element][][2]int // where a flag stands: definition and member
}

// def and member mirror the types of package oscal that hold the tables.
type def struct {
	name, module, kind, dtype, valueKey string
	flags                               int
	members                             []member
	required                            uint64
	choices                             []choice
}

type choice struct {
	mask     uint64
	required bool
}

type member struct {
	name, json, kind, dtype, array, xml, wrapper, def string
	many                                              bool
	deflt, deprecated                                 string
}

func (g *generator) load(name string) *module {
	if m := g.modules[name]; m != nil {
		return m
	}
	root, raw, err := readModule(g.fsys, name)
	if err != nil {
		g.fail(err)
		return &module{}
	}
	g.sums[name] = sha256.Sum256(raw)
	m := &module{name: root.childText("short-name"), version: root.childText("schema-version"), root: root, globals: map[string]*element{}}
	g.modules[name] = m
	for _, c := range root.children {
		switch c.name {
		case "import":
			m.imports = append(m.imports, g.load(c.attrs["href"]))
		case "define-assembly", "define-field", "define-flag":
			m.globals[c.name+" "+c.attrs["name"]] = c
		}
	}
	return m
}

func (g *generator) fail(err error) {
	if g.err == nil {
		g.err = err
	}
}

// target resolves a reference or an inline definition.
func (g *generator) target(m *module, e *element) (*module, *element) {
	if strings.HasPrefix(e.name, "define-") {
		return m, e
	}
	owner, d := m.lookup("define-"+e.name, e.attrs["ref"], false)
	if d == nil {
		g.fail(fmt.Errorf("%s: no definition of %s %q", m.name, e.name, e.attrs["ref"]))
		return m, &element{name: "define-" + e.name, attrs: map[string]string{"name": e.attrs["ref"]}}
	}
	return owner, d
}

// useName is the effective name: that of the reference beats that of the
// definition.
func useName(ref, d *element) string {
	for _, s := range []string{ref.childText("use-name"), d.childText("use-name"), d.attrs["name"]} {
		if s != "" {
			return s
		}
	}
	return ""
}

var dataTypes = map[string]string{
	"": "String", "string": "String", "token": "Token", "uuid": "UUID", "uri": "URI", "uri-reference": "URIReference",
	"date": "Date", "date-time": "DateTime", "date-time-with-timezone": "DateTimeWithTimezone", "email-address": "EmailAddress",
	"base64": "Base64", "integer": "Integer", "non-negative-integer": "NonNegativeInteger", "positive-integer": "PositiveInteger",
	"decimal": "Decimal", "boolean": "Boolean", "markup-line": "MarkupLine", "markup-multiline": "MarkupMultiline",
}

func (g *generator) dataType(name string) string {
	t, ok := dataTypes[name]
	if !ok {
		g.fail(fmt.Errorf("unknown data type %q", name))
	}
	return t
}

// define returns the index of the table of an assembly or of a field.
func (g *generator) define(m *module, e *element) int {
	if i, ok := g.index[e]; ok {
		return i
	}
	i := len(g.defs)
	g.index[e] = i
	g.defs = append(g.defs, def{})
	d := def{name: e.attrs["name"], module: m.name, kind: "Assembly", dtype: "None"}
	if e.name == "define-field" {
		d.kind, d.dtype = "Field", g.dataType(e.attrs["as-type"])
	}
	for _, c := range e.children {
		if c.name == "flag" || c.name == "define-flag" {
			if g.flagPlaces != nil {
				_, f := g.target(m, c)
				g.flagPlaces[f] = append(g.flagPlaces[f], [2]int{i, len(d.members)})
			}
			g.addFlag(m, &d, c)
		}
	}
	d.flags = len(d.members)
	if d.kind == "Field" && d.flags > 0 {
		d.valueKey = e.childText("json-value-key")
		if d.valueKey == "" {
			d.valueKey = map[string]string{"MarkupLine": "RICHTEXT", "MarkupMultiline": "PROSE"}[d.dtype]
		}
		if d.valueKey == "" {
			d.valueKey = "STRVALUE"
		}
	}
	if model := e.child("model"); model != nil {
		g.addModel(m, &d, model, 0)
	}
	if len(d.members) > 64 {
		g.fail(fmt.Errorf("%s: %d members; the reader's bit set holds 64", d.name, len(d.members)))
	}
	g.defs[i] = d
	return i
}

func (g *generator) addFlag(m *module, d *def, ref *element) {
	_, f := g.target(m, ref)
	if ref.attrs["required"] == "yes" {
		d.required |= 1 << len(d.members)
	}
	name := useName(ref, f)
	d.members = append(d.members, member{
		name: name, json: name, kind: "Flag", dtype: g.dataType(f.attrs["as-type"]), def: "-1",
		deflt: first(ref.attrs["default"], f.attrs["default"]), deprecated: first(ref.attrs["deprecated"], f.attrs["deprecated"]),
	})
}

func (g *generator) addModel(m *module, d *def, model *element, inChoice uint64) (mask uint64, required bool) {
	required = true
	for _, c := range model.children {
		switch c.name {
		case "choice":
			cm, req := g.addModel(m, d, c, 1)
			d.choices = append(d.choices, choice{cm, req})
		case "assembly", "define-assembly", "field", "define-field":
			bit := uint64(1) << len(d.members)
			mask |= bit
			if c.attrs["min-occurs"] == "" || c.attrs["min-occurs"] == "0" {
				required = false
			} else if inChoice == 0 {
				d.required |= bit
			}
			d.members = append(d.members, g.member(m, c))
		case "any", "choice-group":
			g.fail(fmt.Errorf("%s: %s is not supported", d.name, c.name))
		}
	}
	return mask, required
}

func (g *generator) member(m *module, ref *element) member {
	owner, d := g.target(m, ref)
	name := useName(ref, d)
	out := member{
		name: name, json: name, kind: "Assembly", dtype: "None", array: "Single", xml: "Plain",
		def:   fmt.Sprint(g.define(owner, d)),
		deflt: first(ref.attrs["default"], d.attrs["default"]), deprecated: first(ref.attrs["deprecated"], d.attrs["deprecated"]),
	}
	if d.name == "define-field" {
		out.kind, out.dtype = "Field", g.dataType(d.attrs["as-type"])
		if out.dtype == "MarkupMultiline" && first(ref.attrs["in-xml"], d.attrs["in-xml"]) == "UNWRAPPED" {
			out.xml = "Unwrapped"
		}
	}
	max := first(ref.attrs["max-occurs"], d.attrs["max-occurs"], "1")
	if max != "1" {
		group := ref.child("group-as")
		if group == nil {
			group = d.child("group-as")
		}
		if group == nil || max != "unbounded" {
			g.fail(fmt.Errorf("%s: max-occurs %s without group-as", name, max))
			return out
		}
		out.many, out.json = true, group.attrs["name"]
		switch group.attrs["in-json"] {
		case "ARRAY":
			out.array = "Array"
		case "", "SINGLETON_OR_ARRAY":
			out.array = "SingletonOrArray"
		default:
			g.fail(fmt.Errorf("%s: in-json %s is not supported", name, group.attrs["in-json"]))
		}
		if group.attrs["in-xml"] == "GROUPED" {
			out.xml, out.wrapper = "Grouped", group.attrs["name"]
		}
	}
	return out
}

func first(ss ...string) string {
	for _, s := range ss {
		if s != "" {
			return s
		}
	}
	return ""
}

// Generate returns the Go source of the tables of all root assemblies that a
// module and its imports define.
func Generate(fsys readFS, start string) ([]byte, error) {
	g := &generator{fsys: fsys, modules: map[string]*module{}, sums: map[string][32]byte{}, index: map[*element]int{}}
	top := g.load(start)
	if g.err != nil {
		return nil, g.err
	}
	type root struct{ name, def string }
	var roots []root
	for _, m := range top.imports {
		for _, c := range m.root.children {
			if c.name == "define-assembly" && c.child("root-name") != nil {
				roots = append(roots, root{c.childText("root-name"), fmt.Sprint(g.define(m, c))})
			}
		}
	}
	if g.err != nil {
		return nil, g.err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "// Code generated by internal/gen/oscaltables from the OSCAL %s Metaschema modules (public domain); DO NOT EDIT.\n//\n", top.imports[0].version)
	var files []string
	for f := range g.sums {
		files = append(files, f)
	}
	slices.Sort(files)
	for _, f := range files {
		fmt.Fprintf(&b, "// %s sha256 %x\n", f, g.sums[f])
	}
	fmt.Fprintf(&b, "\npackage oscal\n\n// ModelVersion is the OSCAL version that the model tables describe.\nconst ModelVersion = %q\n\n", top.imports[0].version)
	fmt.Fprintf(&b, "var roots = [...]Member{\n")
	index := 0
	for _, r := range roots {
		index++
		fmt.Fprintf(&b, "{index: %d, name: %q, json: %q, kind: Assembly, def: %s},\n", index, r.name, r.name, r.def)
	}
	fmt.Fprintf(&b, "}\n\nvar defs = [...]Definition{\n")
	for i, d := range g.defs {
		fmt.Fprintf(&b, "%d: {name: %q, module: %q, kind: %s", i, d.name, d.module, d.kind)
		if d.dtype != "None" {
			fmt.Fprintf(&b, ", dtype: Type%s", d.dtype)
		}
		if d.valueKey != "" {
			fmt.Fprintf(&b, ", valueKey: %q", d.valueKey)
		}
		if d.required != 0 {
			fmt.Fprintf(&b, ", required: %#x", d.required)
		}
		if d.flags != 0 {
			fmt.Fprintf(&b, ", flags: %d", d.flags)
		}
		if len(d.choices) > 0 {
			fmt.Fprintf(&b, ", choices: []choice{")
			for _, c := range d.choices {
				fmt.Fprintf(&b, "{mask: %#x, required: %t},", c.mask, c.required)
			}
			fmt.Fprintf(&b, "}")
		}
		if len(d.members) > 0 {
			fmt.Fprintf(&b, ", members: []Member{\n")
			for n, m := range d.members {
				index++
				fmt.Fprintf(&b, "{index: %d, order: %d, name: %q, json: %q, kind: %s, def: %s", index, n, m.name, m.json, m.kind, m.def)
				if m.dtype != "None" {
					fmt.Fprintf(&b, ", dtype: Type%s", m.dtype)
				}
				if m.many {
					fmt.Fprintf(&b, ", array: in%s", m.array)
				}
				if m.xml == "Grouped" || m.xml == "Unwrapped" {
					fmt.Fprintf(&b, ", xml: xml%s", m.xml)
				}
				if m.deflt != "" {
					fmt.Fprintf(&b, ", deflt: %q", m.deflt)
				}
				if m.deprecated != "" {
					fmt.Fprintf(&b, ", deprecated: %q", m.deprecated)
				}
				fmt.Fprintf(&b, "},\n")
			}
			fmt.Fprintf(&b, "}")
		}
		fmt.Fprintf(&b, "},\n")
	}
	fmt.Fprintf(&b, "}\n\n// MemberCount is the number of members in these tables, roots included: the\n// highest [Member.Index].\nconst MemberCount = %d\n", index)
	return format.Source(b.Bytes())
}
