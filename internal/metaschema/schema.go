// Package metaschema reads NIST Metaschema modules and resolves them to tables:
// what each definition holds, under which names, how often and in which form.
// The generator of OSCAL's own tables and the loader of other formats share it.
//
// Sources: Metaschema specification (https://pages.nist.gov/metaschema), pages
// Module, Definitions and Instances; the XML schema metaschema.xsd.
package metaschema

import (
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Kind tells what a definition defines.
type Kind string

// The kinds.
const (
	Assembly Kind = "Assembly"
	Field    Kind = "Field"
	Flag     Kind = "Flag"
)

// A Schema is what a module and its imports define.
type Schema struct {
	Name      string // schema-name
	ShortName string
	Version   string
	Namespace string

	Roots       []Root       // of the module itself, then of its imports
	Definitions []Definition // of all that a root leads to
	Hosts       []Host       // definitions with constraints, by file
	Files       []File       // in order of their names

	once sync.Once
	made any
}

// Once returns what make returned when it was called first: that of which there
// is one for each Schema.
func (s *Schema) Once(make func() any) any {
	s.once.Do(func() { s.made = make() })
	return s.made
}

// A File is a module that was read.
type File struct{ Name, Sum string } // SHA-256

// A Root is an assembly that may be the root of a document.
type Root struct {
	Name       string
	Definition int
}

// A Definition is what an assembly or a field consists of.
type Definition struct {
	Name, Module, Namespace string
	Kind                    Kind
	Type                    string // of the value of a field
	ValueKey                string // JSON member of the value of a field with flags
	// KeyFlag is the flag that names an item of a group BY_KEY, ValueKeyFlag the
	// one whose value is the JSON name of the field's value; -1 for none.
	KeyFlag, ValueKeyFlag int

	Flags    int      // the first so many members are flags
	Members  []Member // in model order
	Required uint64   // bit n: member n must be there
	Choices  []Choice
	Bounds   []Bound
}

// A Choice is a set of members of which at most one may be there, or exactly one.
type Choice struct {
	Mask     uint64
	Required bool
}

// A Bound says how many items a member may have where that is more than none,
// one or any number. Max is -1 for any number.
type Bound struct{ Member, Min, Max int }

// A Member is a place in a definition.
type Member struct {
	Name, JSON string
	Kind       Kind
	Type       string // "" for assemblies
	Grouping   string // "", Array, SingletonOrArray, ByKey
	XML        string // "", Grouped, Unwrapped
	Definition int    // -1 for flags
	Default    string
	Deprecated string
}

// A Host is a definition with constraints and the places where it stands: the
// number of a definition and, for flags, of a member in it; -1 for the
// definition itself. No model uses some hosts: these have no places.
type Host struct {
	Key        string
	Places     [][2]int
	Rules      *Element          // the element constraint of the definition
	Namespaces map[string]string // that the module binds to prefixes
}

// Load reads a module of a file system and what it imports.
func Load(fsys fs.FS, name string, limits Limits) (*Schema, Problems) {
	if ps := readable(fsys, name); ps != nil {
		return nil, ps
	}
	l := &loader{reader: reader{fsys: fsys, budget: limits.Bytes, limit: limits.Bytes}, limits: limits, modules: map[string]*module{}}
	top := l.load(name, nil, nil)
	if top == nil {
		return nil, l.sorted()
	}
	r := &resolver{loader: l, index: map[*Element]int{}, flagPlaces: map[*Element][][2]int{}}
	s := &Schema{Name: top.root.ChildText("schema-name"), ShortName: top.shortName, Version: top.version, Namespace: top.namespace}
	r.roots(s, top)
	if len(s.Roots) == 0 && len(l.problems) == 0 {
		l.problem(top.root, "root-missing", "expected an assembly with a <root-name> in the module or in those that it imports, found none")
	}
	if len(l.problems) > 0 {
		return nil, r.sorted()
	}
	s.Definitions = r.defs
	slices.SortFunc(l.order, func(a, b *module) int { return strings.Compare(a.file, b.file) })
	for _, m := range l.order {
		s.Files = append(s.Files, File{m.file, m.sum})
		r.moduleHosts(s, m)
	}
	return s, nil
}

// maxMembers is how many members a definition may have: the bit sets of the
// readers hold them and the value.
const maxMembers = 63

// maxDefinitions bounds the tables.
const maxDefinitions = 10_000

type resolver struct {
	*loader
	index      map[*Element]int // definition element to its number
	defs       []Definition
	flagPlaces map[*Element][][2]int // where a flag stands: definition and member
	full       bool                  // there are too many definitions
}

// roots defines the root assemblies: those of the module, then those that it
// imports.
func (r *resolver) roots(s *Schema, top *module) {
	done, names := map[*module]bool{}, map[string]bool{}
	var visit func(m *module)
	visit = func(m *module) {
		if done[m] {
			return
		}
		done[m] = true
		for _, c := range m.root.Kids {
			if c.Name != "define-assembly" || c.Child("root-name") == nil || m != top && c.Attrs["scope"] == "local" {
				continue
			}
			name := c.ChildText("root-name")
			if names[name] {
				r.problem(c, "member-duplicate", "a second assembly has the root-name %s", quote(name))
				continue
			}
			names[name] = true
			s.Roots = append(s.Roots, Root{name, r.define(m, c)})
		}
		for _, imp := range m.imports {
			visit(imp)
		}
	}
	visit(top)
}

// target resolves a reference or an inline definition; the definition is nil if
// there is none.
func (r *resolver) target(m *module, e *Element) (*module, *Element) {
	if strings.HasPrefix(e.Name, "define-") {
		return m, e
	}
	owner, d := m.lookup("define-"+e.Name, e.Attrs["ref"], false)
	// What a module lacks that cannot be read is not known.
	if d == nil && e.Attrs["ref"] != "" && !r.missing {
		r.problem(e, "reference-dangling", "expected the name of a <define-%s> of this module or of one that it imports, found %s", e.Name, quote(e.Attrs["ref"]))
	}
	return owner, d
}

// useName is the effective name: that of the reference beats that of the
// definition.
func useName(ref, d *Element) string {
	return first(ref.ChildText("use-name"), d.ChildText("use-name"), d.Attrs["name"])
}

func first(ss ...string) string {
	for _, s := range ss {
		if s != "" {
			return s
		}
	}
	return ""
}

// define returns the number of the table of an assembly or of a field.
func (r *resolver) define(m *module, e *Element) int {
	if i, ok := r.index[e]; ok {
		return i
	}
	i := len(r.defs)
	if i == maxDefinitions {
		if !r.full {
			r.problem(e, "limit", "more than %d definitions", maxDefinitions)
		}
		r.full = true
		return 0
	}
	r.index[e] = i
	r.defs = append(r.defs, Definition{})
	d := Definition{Name: e.Attrs["name"], Module: m.shortName, Namespace: m.namespace, Kind: Assembly, KeyFlag: -1, ValueKeyFlag: -1}
	if e.Name == "define-field" {
		d.Kind, d.Type = Field, dataTypes[e.Attrs["as-type"]]
	}
	for _, c := range e.Kids {
		if c.Name == "flag" || c.Name == "define-flag" {
			r.addFlag(m, &d, i, c)
		}
	}
	d.Flags = len(d.Members)
	d.KeyFlag = r.flagOf(&d, e.Child("json-key"))
	if d.Kind == Field && d.Flags > 0 {
		r.valueKey(&d, e)
	}
	if model := e.Child("model"); model != nil {
		r.addModel(m, &d, model, false)
	}
	if len(d.Members) > maxMembers {
		r.problem(e, "limit", "%s has %d members, expected %d at most", d.Name, len(d.Members), maxMembers)
	}
	r.distinct(&d, e)
	r.defs[i] = d
	return i
}

// flagOf returns the number of the flag that a key names, by its effective
// name, -1 for none. That it identifies something
// makes it required.
func (r *resolver) flagOf(d *Definition, key *Element) int {
	if key == nil {
		return -1
	}
	name := first(key.Attrs["flag-ref"], key.Attrs["flag-name"])
	for i := range d.Flags {
		if d.Members[i].Name == name {
			return i
		}
	}
	if name != "" {
		r.problem(key, "reference-dangling", "expected the name of a flag of %s, found %s", d.Name, quote(name))
	} else {
		r.problem(key, "member-missing", "<%s> lacks the attribute %s", key.Name, quote("flag-ref"))
	}
	return -1
}

// valueKey finds the JSON name of the value of a field with flags.
func (r *resolver) valueKey(d *Definition, e *Element) {
	d.ValueKey = map[string]string{"markup-line": "RICHTEXT", "markup-multiline": "PROSE"}[d.Type]
	if d.ValueKey == "" {
		d.ValueKey = "STRVALUE"
	}
	key, flag := e.Child("json-value-key"), e.Child("json-value-key-flag")
	switch {
	case key != nil && flag != nil:
		r.problem(flag, "choice", "%s has both <json-value-key> and <json-value-key-flag>, expected only one", d.Name)
	case key != nil && key.Attrs["flag-name"] != "": // the form before json-value-key-flag
		flag = key
		fallthrough
	case flag != nil:
		d.ValueKeyFlag = r.flagOf(d, flag)
		if d.ValueKeyFlag >= 0 && d.ValueKeyFlag == d.KeyFlag {
			r.problem(flag, "choice", "the flag %s is both <json-key> and <json-value-key-flag> of %s", quote(d.Members[d.KeyFlag].Name), d.Name)
		}
	case key != nil:
		d.ValueKey = e.ChildText("json-value-key")
	}
	if d.ValueKeyFlag >= 0 {
		d.Required |= 1 << d.ValueKeyFlag
	}
}

func (r *resolver) addFlag(m *module, d *Definition, number int, ref *Element) {
	_, f := r.target(m, ref)
	if f == nil || len(d.Members) > maxMembers {
		return
	}
	r.flagPlaces[f] = append(r.flagPlaces[f], [2]int{number, len(d.Members)})
	if ref.Attrs["required"] == "yes" {
		d.Required |= 1 << len(d.Members)
	}
	name := useName(ref, f)
	d.Members = append(d.Members, Member{
		Name: name, JSON: name, Kind: Flag, Type: dataTypes[f.Attrs["as-type"]], Definition: -1,
		Default: first(ref.Attrs["default"], f.Attrs["default"]), Deprecated: first(ref.Attrs["deprecated"], f.Attrs["deprecated"]),
	})
}

func (r *resolver) addModel(m *module, d *Definition, model *Element, inChoice bool) (mask uint64, required bool) {
	required = true
	for _, c := range model.Kids {
		switch c.Name {
		case "choice":
			mask, required := r.addModel(m, d, c, true)
			d.Choices = append(d.Choices, Choice{mask, required})
		case "assembly", "define-assembly", "field", "define-field":
			if len(d.Members) > maxMembers {
				continue // a problem already
			}
			bit := uint64(1) << len(d.Members)
			mask |= bit
			least, most := occurrences(c)
			switch {
			case least == 0:
				required = false
			case !inChoice:
				d.Required |= bit
			}
			if least > 1 || most > 1 {
				d.Bounds = append(d.Bounds, Bound{len(d.Members), least, most})
			}
			if most > 0 && most < least {
				r.problem(c, "datatype", "max-occurs is %d, expected no less than min-occurs %d", most, least)
			}
			d.Members = append(d.Members, r.member(m, c))
		}
	}
	return mask, required && mask != 0
}

// occurrences returns how often an instance stands in its parent; most is -1
// for any number.
func occurrences(e *Element) (least, most int) {
	least, _ = strconv.Atoi(e.Attrs["min-occurs"])
	switch v := e.Attrs["max-occurs"]; v {
	case "":
		most = 1
	case "unbounded":
		most = -1
	default:
		var err error
		if most, err = strconv.Atoi(v); err != nil {
			most = 1 // a problem already
		}
	}
	return least, most
}

func (r *resolver) member(m *module, ref *Element) Member {
	owner, d := r.target(m, ref)
	if d == nil {
		return Member{Name: ref.Attrs["ref"], JSON: ref.Attrs["ref"]}
	}
	name := useName(ref, d)
	number := r.define(owner, d)
	out := Member{
		Name: name, JSON: name, Kind: Assembly, Definition: number,
		Default: first(ref.Attrs["default"], d.Attrs["default"]), Deprecated: first(ref.Attrs["deprecated"], d.Attrs["deprecated"]),
	}
	_, most := occurrences(ref)
	if d.Name == "define-field" {
		out.Kind, out.Type = Field, dataTypes[d.Attrs["as-type"]]
		if out.Type == "markup-multiline" && first(ref.Attrs["in-xml"], d.Attrs["in-xml"]) == "UNWRAPPED" {
			out.XML = "Unwrapped"
			if most != 1 || d.Child("flag") != nil || d.Child("define-flag") != nil {
				r.problem(ref, "unsupported", "%s is UNWRAPPED in XML, expected a field without flags that stands once", name)
			}
		}
	}
	if most == 1 {
		return out
	}
	group := ref.Child("group-as")
	if group == nil {
		r.problem(ref, "member-missing", "<%s> %s may stand more than once, but lacks the element <group-as>", ref.Name, quote(name))
		return out
	}
	out.JSON = group.Attrs["name"]
	switch group.Attrs["in-json"] {
	case "ARRAY":
		out.Grouping = "Array"
	case "BY_KEY":
		out.Grouping = "ByKey"
		if d.Child("json-key") == nil {
			r.problem(group, "member-missing", "the group %s is BY_KEY, but <%s> %s lacks the element <json-key>", quote(out.JSON), d.Name, quote(d.Attrs["name"]))
		}
	default:
		out.Grouping = "SingletonOrArray"
	}
	if group.Attrs["in-xml"] == "GROUPED" {
		out.XML = "Grouped"
	}
	return out
}

// distinct notes members that have one name: in JSON all must differ, in XML
// flags among each other, and the elements.
func (r *resolver) distinct(d *Definition, e *Element) {
	json, flags, elements := map[string]bool{}, map[string]bool{}, map[string]bool{}
	once := func(seen map[string]bool, name, what string) {
		if seen[name] && name != "" {
			r.problem(e, "member-duplicate", "two %s of %s have the name %s", what, d.Name, quote(name))
		}
		seen[name] = true
	}
	if d.ValueKey != "" {
		json[d.ValueKey] = true
	}
	unwrapped := false
	for _, m := range d.Members {
		once(json, m.JSON, "JSON members")
		switch {
		case m.Kind == Flag:
			once(flags, m.Name, "flags")
		case m.XML == "Unwrapped" && unwrapped:
			r.problem(e, "member-duplicate", "two fields of %s are UNWRAPPED in XML", d.Name)
		case m.XML == "Unwrapped":
			unwrapped = true
		case m.XML == "Grouped":
			once(elements, m.JSON, "XML elements")
		default:
			once(elements, m.Name, "XML elements")
		}
	}
}

// moduleHosts adds the definitions of a module that have constraints.
func (r *resolver) moduleHosts(s *Schema, m *module) {
	namespaces := map[string]string{}
	for _, c := range m.root.Kids {
		if c.Name == "namespace-binding" {
			namespaces[c.Attrs["prefix"]] = c.Attrs["uri"]
		}
	}
	short := strings.TrimSuffix(strings.TrimPrefix(path.Base(m.file), "oscal_"), "_metaschema.xml")
	for _, c := range m.root.Kids {
		if kind, ok := strings.CutPrefix(c.Name, "define-"); ok {
			suffix := ""
			if kind != "assembly" {
				suffix = "(" + kind + ")"
			}
			r.hosts(s, c, namespaces, short+":"+c.Attrs["name"], suffix)
		}
	}
}

// hosts adds a definition with constraints and those inside of it. Local
// definitions in another are named after it.
func (r *resolver) hosts(s *Schema, e *Element, namespaces map[string]string, key, suffix string) {
	if rules := e.Child("constraint"); rules != nil {
		h := Host{Key: key + suffix, Rules: rules, Namespaces: namespaces}
		if e.Name == "define-flag" {
			h.Places = r.flagPlaces[e]
		} else if i, ok := r.index[e]; ok {
			h.Places = [][2]int{{i, -1}}
		}
		s.Hosts = append(s.Hosts, h)
	}
	var inner func(e *Element)
	inner = func(e *Element) {
		for _, c := range e.Kids {
			switch c.Name {
			case "define-assembly", "define-field", "define-flag":
				r.hosts(s, c, namespaces, key+"/"+c.Attrs["name"], "")
			case "model", "choice":
				inner(c)
			}
		}
	}
	inner(e)
}
