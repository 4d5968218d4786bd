package constraint

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/issokit/issokit/internal/errlist"
	"github.com/issokit/issokit/internal/metaschema"
	"github.com/issokit/issokit/oscal"
)

// sarifNamespace is that of the props of constraints that mean something to
// SARIF.
const sarifNamespace = "https://docs.oasis-open.org/sarif/sarif/v2.1.0"

// LoadOptions configure [Load]; nil means the defaults.
type LoadOptions struct {
	// Loader gives the sets that the set imports.
	Loader Loader
	// Variables are names that [Options] will give values to.
	Variables []string
	// Metaschema has the models that the set is about; default: those of OSCAL.
	Metaschema *oscal.Metaschema
	// RelativeRoot reads a slash at the start of an expression relative to the
	// context, as the reference engine does: /location in the context
	// /system-security-plan/metadata is then a location in the metadata. The
	// slash of a context's own path still means the document.
	RelativeRoot bool
	MaxBytes     int64 // of one file; default 16 MiB
	MaxFiles     int   // default 100
}

// A Problem is one thing that is wrong with a constraint set.
type Problem struct {
	File         string
	Line, Column int    // of the element, from 1; 0 if the text could not be read so far
	Expression   string // the expression that is wrong, "" for none
	Message      string
	Err          error // what made it, nil for none
}

func (p Problem) Error() string {
	s := p.File + ":"
	if p.Line > 0 {
		s += strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column) + ":"
	}
	s += " " + p.Message
	if p.Expression != "" {
		s += " in " + clip(p.Expression)
	}
	return s
}

// Unwrap returns the cause.
func (p Problem) Unwrap() error { return p.Err }

func problemOf(p metaschema.Problem) Problem {
	return Problem{File: p.File, Line: p.Line, Column: p.Column, Message: p.Message, Err: p.Err}
}

// Problems are all that is wrong with a set and those that it imports, in the
// order of the text.
type Problems []Problem

// Error shows the first ten problems, a line each.
func (ps Problems) Error() string { return errlist.Text("constraint: ", "\n", ps) }

// Unwrap returns the problems one by one.
func (ps Problems) Unwrap() []error { return errlist.Unwrap(ps) }

// contextRules are a context of an external set: rules for the nodes that its
// paths select, and contexts inside of it.
type contextRules struct {
	targets []*Expression
	kind    oscal.Kind // the nodes must be of this kind; 0 for any
	module  string     // short name of the module that they must belong to; "" for any
	rules   *hostRules
	inner   []*contextRules
	first   *compiled // what an error of the paths is reported under
}

// Load reads a constraint set: Metaschema constraint XML with the root
// metaschema-meta-constraints, or METASCHEMA-CONSTRAINTS in the older form, and
// what it imports. The name is the URI that imports are relative to, and the
// file name in problems.
//
// All expressions are compiled. If anything is wrong, unknown, or not supported,
// the Set is nil and the error is a [Problems] with all of it.
func Load(ctx context.Context, name string, r io.Reader, opts *LoadOptions) (*Set, error) {
	var o LoadOptions
	if opts != nil {
		o = *opts
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 16 << 20
	}
	if o.MaxFiles <= 0 {
		o.MaxFiles = 100
	}
	l := newSetLoader(ctx, &Set{name: name, metaschema: o.Metaschema}, o)
	l.file(name, r, nil)
	if len(l.problems) == 0 {
		base, err := OfMetaschema(o.Metaschema)
		if err != nil {
			return nil, err
		}
		for _, f := range l.files {
			l.compileFile(f)
		}
		l.checkIndexes(base, l.set)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(l.problems) > 0 {
		return nil, l.problems
	}
	return l.set, nil
}

type setFile struct {
	name       string
	key        string // of the constraints, a number follows
	root       *metaschema.Element
	namespaces map[string]string
	number     int // of the next constraint or let
}

// declaration says where a let stands: in which context, at which place in it.
type declaration struct {
	in *metaschema.Element
	at int
}

type setLoader struct {
	ctx      context.Context
	opts     LoadOptions
	set      *Set
	files    []*setFile // imported ones first
	done     map[string]bool
	declared map[string][]declaration
	names    *nameTables
	problems Problems
}

func newSetLoader(ctx context.Context, set *Set, o LoadOptions) *setLoader {
	l := &setLoader{ctx: ctx, opts: o, set: set, names: namesOf(o.Metaschema), declared: map[string][]declaration{}, done: map[string]bool{}}
	for _, v := range o.Variables {
		l.declared[v] = append(l.declared[v], declaration{})
	}
	return l
}

func (l *setLoader) problem(f *setFile, e *metaschema.Element, expression string, err error, format string, args ...any) {
	p := Problem{File: f.name, Expression: expression, Message: fmt.Sprintf(format, args...), Err: err}
	if e != nil {
		p.Line, p.Column = e.Line, e.Column
	}
	l.problems = append(l.problems, p)
}

// file reads a file and, before it takes its place in the list, what it
// imports.
func (l *setLoader) file(name string, r io.Reader, stack []string) {
	f := &setFile{name: name, key: name, namespaces: map[string]string{}}
	l.done[name] = true
	stack = append(stack, name)
	data, err := io.ReadAll(io.LimitReader(r, l.opts.MaxBytes+1))
	if err != nil {
		l.problem(f, nil, "", err, "%v", err)
		return
	}
	if int64(len(data)) > l.opts.MaxBytes {
		l.problem(f, nil, "", nil, "the file has more than %d bytes", l.opts.MaxBytes)
		return
	}
	root, ps := metaschema.Parse(name, string(data))
	for _, p := range ps {
		l.problems = append(l.problems, problemOf(p))
	}
	if f.root = root; root == nil {
		return
	}
	if n := f.root.Name; n != "metaschema-meta-constraints" && n != "METASCHEMA-CONSTRAINTS" {
		l.problem(f, f.root, "", nil, "expected metaschema-meta-constraints or METASCHEMA-CONSTRAINTS, found %s", n)
		return
	}
	for _, e := range f.root.Kids {
		switch e.Name {
		case "import":
			l.imported(f, e, stack)
		case "namespace-binding":
			f.namespaces[e.Attrs["prefix"]] = e.Attrs["uri"]
		}
	}
	l.declare(f.root)
	l.files = append(l.files, f)
}

func (l *setLoader) imported(f *setFile, e *metaschema.Element, stack []string) {
	uri, err := joinURI(f.name, e.Attrs["href"])
	switch {
	case e.Attrs["href"] == "":
		l.problem(f, e, "", nil, "the import has no href")
	case err != nil:
		l.problem(f, e, "", err, "%v", err)
	case slices.Contains(stack, uri):
		l.problem(f, e, "", nil, "the imports go in a circle: %s", strings.Join(append(stack, uri), ", "))
	case l.done[uri]:
	case len(l.done) >= l.opts.MaxFiles:
		l.problem(f, e, "", nil, "more than %d files", l.opts.MaxFiles)
	case l.opts.Loader == nil:
		l.problem(f, e, "", ErrNoLoader, "cannot import %s: %v", uri, ErrNoLoader)
	default:
		text, final, err := l.opts.Loader.Load(l.ctx, uri)
		if err != nil {
			l.problem(f, e, "", err, "cannot import %s: %v", uri, err)
			return
		}
		defer text.Close()
		l.done[uri] = true
		if final == "" {
			final = uri
		}
		if slices.Contains(stack, final) {
			l.problem(f, e, "", nil, "the imports go in a circle: %s", strings.Join(append(stack, final), ", "))
			return
		}
		l.file(final, text, stack)
	}
}

// declare notes the lets below an element, so that expressions can be checked
// against them wherever they stand.
func (l *setLoader) declare(e *metaschema.Element) {
	for i, k := range e.Kids {
		if k.Name == "let" {
			l.declared[k.Attrs["var"]] = append(l.declared[k.Attrs["var"]], declaration{e, i})
			continue
		}
		l.declare(k)
	}
}

// visible returns the variables that an expression at a place may use: not
// those that only its own context declares, there or later.
func (l *setLoader) visible(in *metaschema.Element, at int) []string {
	var names []string
	for name, where := range l.declared {
		if slices.ContainsFunc(where, func(d declaration) bool { return d.in != in || d.at < at }) {
			names = append(names, name)
		}
	}
	return names
}

func (l *setLoader) compileFile(f *setFile) {
	older := f.root.Name == "METASCHEMA-CONSTRAINTS"
	for _, e := range f.root.Kids {
		switch {
		case e.Name == "context" && !older:
			if c := l.context(f, e, true); c != nil {
				l.set.contexts = append(l.set.contexts, c)
			}
		case e.Name == "scope" && older:
			l.set.contexts = append(l.set.contexts, l.scope(f, e)...)
		case isProse(e.Name), e.Name == "import", e.Name == "namespace-binding", e.Name == "definition-context":
		default:
			l.problem(f, e, "", nil, "unknown element %s in %s", e.Name, f.root.Name)
		}
	}
}

// isProse tells whether an element describes and does nothing.
func isProse(name string) bool {
	switch name {
	case "formal-name", "description", "remarks", "prop", "short-name", "schema-version", "namespace", "json-base-uri", "example":
		return true
	}
	return false
}

func (l *setLoader) context(f *setFile, e *metaschema.Element, top bool) *contextRules {
	c := &contextRules{rules: &hostRules{}}
	for _, k := range e.Kids {
		switch {
		case k.Name == "metapath":
			l.target(f, c, k, top)
		case k.Name == "constraints":
			l.contextRules(f, c, k)
		case k.Name == "context":
			if in := l.context(f, k, false); in != nil {
				c.inner = append(c.inner, in)
				if c.first == nil {
					c.first = in.first
				}
			}
		case isProse(k.Name):
		default:
			l.problem(f, k, "", nil, "unknown element %s in context", k.Name)
		}
	}
	if !slices.ContainsFunc(e.Kids, func(k *metaschema.Element) bool { return k.Name == "metapath" }) {
		l.problem(f, e, "", nil, "the context has no metapath")
	}
	return c
}

// scope reads a scope of the older form: assembly, field and flag elements with
// a target, which hold the constraints.
func (l *setLoader) scope(f *setFile, e *metaschema.Element) []*contextRules {
	if ns := e.Attrs["metaschema-namespace"]; ns != "" && !isOfModel(l.opts.Metaschema, ns) {
		l.problem(f, e, "", nil, "the scope is of the namespace %s, not of the models", ns)
	}
	var out []*contextRules
	kinds := map[string]oscal.Kind{"assembly": oscal.Assembly, "field": oscal.Field, "flag": oscal.Flag}
	for _, k := range e.Kids {
		kind, ok := kinds[k.Name]
		if !ok {
			if !isProse(k.Name) {
				l.problem(f, k, "", nil, "unknown element %s in scope", k.Name)
			}
			continue
		}
		c := &contextRules{rules: &hostRules{}, kind: kind, module: e.Attrs["metaschema-short-name"]}
		l.target(f, c, k, true)
		rules := *k
		if i := slices.IndexFunc(k.Kids, func(x *metaschema.Element) bool { return x.Name == "constraints" || x.Name == "constraint" }); i >= 0 {
			rules = *k.Kids[i]
		}
		l.contextRules(f, c, &rules)
		out = append(out, c)
	}
	return out
}

// target compiles a path of a context. That of a context at the top starts at
// the document.
func (l *setLoader) target(f *setFile, c *contextRules, e *metaschema.Element, top bool) {
	text, ok := e.Attrs["target"]
	if !ok {
		l.problem(f, e, "", nil, "%s has no target", e.Name)
		return
	}
	o := CompileOptions{Namespaces: f.namespaces, Metaschema: l.opts.Metaschema, names: l.names, Variables: l.opts.Variables, RelativeRoot: l.opts.RelativeRoot && !top}
	if x := l.compile(f, e, "target", text, o); x != nil {
		c.targets = append(c.targets, x)
	}
}

func (l *setLoader) compile(f *setFile, e *metaschema.Element, attribute, text string, o CompileOptions) *Expression {
	x, err := compileExpression(text, o, false)
	if err != nil {
		l.problem(f, e, text, err, "%s: %s at offset %d [%s]", attribute, err.Message, err.Offset, err.Code)
		return nil
	}
	return x
}

// attributes are those that a constraint of a kind may have, beside id, level
// and target.
var attributes = map[Kind][]string{
	KindAllowedValues: {"allow-other", "extensible"}, KindMatches: {"regex", "datatype"}, KindIndex: {"name"}, KindIndexHasKey: {"name"},
	KindIsUnique: {"name"}, KindHasCardinality: {"min-occurs", "max-occurs"}, KindExpect: {"test"}, KindReport: {"test"},
}

func (l *setLoader) contextRules(f *setFile, c *contextRules, e *metaschema.Element) {
	l.rules(f, c.rules, e)
	if c.first == nil && len(c.rules.constraints) > 0 {
		c.first = c.rules.constraints[0]
	}
}

// rules reads the lets and the constraints of a context, or of a definition.
func (l *setLoader) rules(f *setFile, rules *hostRules, e *metaschema.Element) {
	for i, k := range e.Kids {
		o := CompileOptions{Namespaces: f.namespaces, Metaschema: l.opts.Metaschema, names: l.names, Variables: l.visible(e, i), RelativeRoot: l.opts.RelativeRoot}
		if k.Name == "let" {
			f.number++
			name := k.Attrs["var"]
			if nameLen(name) != len(name) || name == "" {
				l.problem(f, k, "", nil, "%q is no name of a variable", name)
			}
			if x := l.compile(f, k, "expression", k.Attrs["expression"], o); x != nil {
				rules.lets = append(rules.lets, &compiledLet{name, x})
			}
			continue
		}
		var kind Kind
		if isProse(k.Name) {
			continue
		}
		if kind.UnmarshalText([]byte(k.Name)) != nil {
			l.problem(f, k, "", nil, "there is no kind of constraint %s", k.Name)
			continue
		}
		x := &compiled{set: l.set, order: len(l.set.all), Constraint: l.constraint(f, k, kind)}
		f.number++
		err := x.compile(func(attribute, text string) (*Expression, error) {
			if x := l.compile(f, k, attribute, text, o); x != nil {
				return x, nil
			}
			return nil, nil
		})
		if err != nil {
			l.problem(f, k, "", err, "%v", err)
		}
		l.set.all = append(l.set.all, x)
		rules.add(x)
	}
}

// constraint reads the attributes and children of a constraint and checks them.
func (l *setLoader) constraint(f *setFile, e *metaschema.Element, kind Kind) *Constraint {
	c := &Constraint{
		Key: f.key + "#" + strconv.Itoa(f.number), ID: e.Attrs["id"], Kind: kind, Level: LevelError, Target: ".", MaxOccurs: -1,
		Test: e.Attrs["test"], Regex: e.Attrs["regex"], Name: e.Attrs["name"], Extensible: e.Attrs["extensible"], File: f.name, Line: e.Line,
	}
	for _, name := range sortedKeys(e.Attrs) {
		if !slices.Contains([]string{"id", "level", "target"}, name) && !slices.Contains(attributes[kind], name) {
			l.problem(f, e, "", nil, "%s has no attribute %s", kind, name)
		}
	}
	if t, ok := e.Attrs["target"]; ok {
		c.Target = strings.TrimSpace(t)
	}
	if v, ok := e.Attrs["level"]; ok {
		if err := c.Level.UnmarshalText([]byte(v)); err != nil {
			l.problem(f, e, "", nil, "there is no level %q", v)
		}
	}
	one := func(attribute string, values ...string) {
		if v, ok := e.Attrs[attribute]; ok && !slices.Contains(values, v) {
			l.problem(f, e, "", nil, "%s is %q, expected %s", attribute, v, strings.Join(values, ", "))
		}
	}
	one("allow-other", "yes", "no")
	one("extensible", "none", "model", "external")
	c.AllowOther = e.Attrs["allow-other"] == "yes"
	if t, ok := e.Attrs["datatype"]; ok {
		// Types that exist only between values are none of text.
		if c.DataType = atomicTypes[t]; c.DataType == 0 || c.DataType >= typeDuration {
			l.problem(f, e, "", nil, "there is no data type %q", t)
		}
	}
	number := func(attribute string, value *int) {
		v, ok := e.Attrs[attribute]
		if !ok || attribute == "max-occurs" && v == "unbounded" {
			return
		}
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			l.problem(f, e, "", nil, "%s is %q, expected a number", attribute, v)
			return
		}
		*value = n
	}
	number("min-occurs", &c.MinOccurs)
	number("max-occurs", &c.MaxOccurs)
	required := map[Kind][]string{KindExpect: {"test"}, KindReport: {"test"}, KindIndex: {"name"}, KindIndexHasKey: {"name"}}
	for _, name := range required[kind] {
		if e.Attrs[name] == "" {
			l.problem(f, e, "", nil, "%s lacks the attribute %s", kind, name)
		}
	}
	if kind == KindMatches && c.Regex == "" && c.DataType == 0 && e.Attrs["datatype"] == "" {
		l.problem(f, e, "", nil, "matches lacks a regex or a datatype")
	}
	for _, k := range e.Kids {
		switch {
		case k.Name == "enum" && kind == KindAllowedValues:
			if _, ok := k.Attrs["value"]; !ok {
				l.problem(f, k, "", nil, "enum lacks the attribute value")
			}
			c.Enums = append(c.Enums, Enum{Value: k.Attrs["value"], Deprecated: k.Attrs["deprecated"]})
		case k.Name == "key-field" && (kind == KindIndex || kind == KindIndexHasKey || kind == KindIsUnique):
			if k.Attrs["target"] == "" {
				l.problem(f, k, "", nil, "key-field lacks the attribute target")
				continue
			}
			c.Keys = append(c.Keys, KeyField{Target: k.Attrs["target"], Pattern: k.Attrs["pattern"]})
		case k.Name == "message":
			c.Message = strings.Join(strings.Fields(k.Text), " ")
		case k.Name == "formal-name":
			c.FormalName = strings.Join(strings.Fields(k.Text), " ")
		case k.Name == "prop":
			if k.Attrs["namespace"] == sarifNamespace && k.Attrs["name"] == "help-url" {
				c.HelpURL = k.Attrs["value"]
			}
		case isProse(k.Name):
		default:
			l.problem(f, k, "", nil, "unknown element %s in %s", k.Name, kind)
		}
	}
	if len(c.Keys) == 0 && (kind == KindIndex || kind == KindIndexHasKey || kind == KindIsUnique) {
		l.problem(f, e, "", nil, "%s has no key-field", kind)
	}
	return c
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// checkIndexes looks whether one of the sets defines the indexes that are looked
// into.
func (l *setLoader) checkIndexes(sets ...*Set) {
	names := map[string]bool{}
	for _, s := range sets {
		for _, c := range s.all {
			if c.Kind == KindIndex {
				names[c.Name] = true
			}
		}
	}
	for _, c := range l.set.all {
		if c.Kind == KindIndexHasKey && c.Name != "" && !names[c.Name] {
			l.problems = append(l.problems, Problem{File: c.File, Line: c.Line, Column: 1, Message: fmt.Sprintf("nothing defines the index %q", c.Name)})
		}
	}
}

// findContexts finds the nodes that the contexts of external sets are about.
func (e *evaluator) findContexts() {
	top := e.source(e.doc.Root()).top
	for _, s := range e.sets {
		for _, c := range s.contexts {
			if e.contexts == nil {
				e.contexts = map[*oscal.Node][]*hostRules{}
			}
			e.instances(c, top)
		}
	}
}

// instances finds those of a context from an instance of the context outside.
func (e *evaluator) instances(c *contextRules, from *oscal.Node) {
	seen := map[*oscal.Node]bool{}
	for _, t := range c.targets {
		var nodes []*oscal.Node
		e.steps = 0
		err := e.protect(t.text, func() { nodes = t.appendNodes(&e.d, nil, from, nil) })
		if x, ok := err.(*ExpressionError); ok {
			if c.first != nil {
				e.add1(found{c: c.first, node: from, message: "the context cannot be found: " + x.Message + expressionOf(x), err: x})
			}
			continue
		} else if err != nil {
			panic(stopped{err})
		}
		for _, n := range nodes {
			if seen[n] || !c.takes(n) {
				continue
			}
			seen[n] = true
			if len(c.rules.lets)+len(c.rules.constraints) > 0 {
				e.contexts[n] = append(e.contexts[n], c.rules)
			}
			for _, in := range c.inner {
				e.instances(in, n)
			}
		}
	}
}

// takes tells whether a node is of the kind and the module that the older form
// asks for.
func (c *contextRules) takes(n *oscal.Node) bool {
	if c.kind != 0 && n.Kind() != c.kind {
		return false
	}
	if c.module == "" {
		return true
	}
	inModule := func(n *oscal.Node) bool {
		d := n.Member().Definition()
		return d != nil && d.Module() == c.module
	}
	return inModule(n) || n.Parent() != nil && inModule(n.Parent()) || inModule(n.Root())
}
