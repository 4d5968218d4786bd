package oscal

import (
	"io/fs"
	"iter"

	"github.com/issokit/issokit/internal/metaschema"
)

// A Metaschema holds models that modules of NIST Metaschema define: another
// release of OSCAL, an extension of it, or a format that has nothing to do with
// it. With [ReadOptions.Metaschema] documents of these models are read, checked,
// written and converted as those of OSCAL are. It is immutable; several
// goroutines may use it at once. The nil Metaschema holds the models of OSCAL.
//
// The typed views and [Document.ToVersion] are for OSCAL's own models alone.
type Metaschema struct {
	schema *metaschema.Schema
	roots  []Member
	defs   []Definition

	members uint32 // how many there are
}

// MetaschemaOptions configure [LoadMetaschema]; nil means the defaults.
type MetaschemaOptions struct {
	MaxBytes int64 // of all modules together, their entities put in; default 8 MiB
	MaxFiles int   // modules; default 100
}

// LoadMetaschema reads the Metaschema module of a name in a file system, such as
// os.DirFS gives, and what it imports. Imports, and the external entities that a
// module may declare, are paths relative to the file that names them; they
// cannot leave the file system, and nothing else is fetched.
//
// All of Metaschema is there but the model instances any and choice-group, and
// collapsible fields. A definition may have 63 flags and members; there may be
// 10,000 definitions. The constraints of the modules are read by
// [github.com/issokit/issokit/oscal/constraint.OfMetaschema].
//
// If anything is wrong, the Metaschema is nil and the error is a [Problems] with
// all of it, by module, each with file, line, column and path.
func LoadMetaschema(fsys fs.FS, name string, opts *MetaschemaOptions) (*Metaschema, error) {
	limits := metaschema.Limits{Bytes: 8 << 20, Files: 100}
	if opts != nil && opts.MaxBytes > 0 {
		limits.Bytes = opts.MaxBytes
	}
	if opts != nil && opts.MaxFiles > 0 {
		limits.Files = opts.MaxFiles
	}
	s, problems := metaschema.Load(fsys, name, limits)
	if problems != nil {
		ps := make(Problems, len(problems))
		for i, p := range problems {
			ps[i] = Problem{
				Level: Error, Rule: Rule(p.Rule), File: p.File, Path: p.Path, Message: p.Message,
				Position: Position{Offset: p.Offset, Line: p.Line, Column: p.Column},
			}
		}
		return nil, ps
	}
	m := &Metaschema{schema: s, defs: make([]Definition, len(s.Definitions))}
	for _, r := range s.Roots {
		m.members++
		m.roots = append(m.roots, Member{name: r.Name, json: r.Name, kind: Assembly, def: -1, index: m.members, loaded: &m.defs[r.Definition]})
	}
	for i := range s.Definitions {
		m.define(&m.defs[i], &s.Definitions[i])
	}
	return m, nil
}

// define fills in a definition from what its module says.
func (m *Metaschema) define(d *Definition, from *metaschema.Definition) {
	more := &loaded{metaschema: m, namespace: from.Namespace}
	*d = Definition{
		name: from.Name, module: from.Module, valueKey: from.ValueKey, kind: kinds[from.Kind], dtype: typesByName[from.Type],
		flags: from.Flags, required: from.Required, members: make([]Member, len(from.Members)), loaded: more,
	}
	for i, f := range from.Members {
		m.members++
		d.members[i] = Member{
			index: m.members, name: f.Name, json: f.JSON, deflt: f.Default, deprecated: f.Deprecated, def: -1, order: uint8(i), kind: kinds[f.Kind], dtype: typesByName[f.Type],
			array: groupings[f.Grouping], xml: xmlForms[f.XML],
		}
		if f.Definition >= 0 {
			d.members[i].loaded = &m.defs[f.Definition]
		}
	}
	for _, c := range from.Choices {
		d.choices = append(d.choices, choice{c.Mask, c.Required})
	}
	for _, b := range from.Bounds {
		more.bounds = append(more.bounds, bound{b.Member, b.Min, b.Max})
	}
	if from.KeyFlag >= 0 {
		more.keyFlag = &d.members[from.KeyFlag]
	}
	if from.ValueKeyFlag >= 0 {
		more.valueKeyFlag = &d.members[from.ValueKeyFlag]
	}
}

var (
	kinds     = map[metaschema.Kind]Kind{metaschema.Assembly: Assembly, metaschema.Field: Field, metaschema.Flag: Flag}
	groupings = map[string]grouping{"Array": inArray, "SingletonOrArray": inSingletonOrArray, "ByKey": byKey}
	xmlForms  = map[string]xmlForm{"Grouped": xmlGrouped, "Unwrapped": xmlUnwrapped}
)

// typesByName has the data types by their names in Metaschema.
var typesByName = func() map[string]DataType {
	m := make(map[string]DataType, len(typeFacts))
	for t := TypeString; int(t) < len(typeFacts); t++ {
		m[t.String()] = t
	}
	return m
}()

// Name returns the schema-name of the module.
func (m *Metaschema) Name() string { return m.schema.Name }

// Version returns the schema-version of the module.
func (m *Metaschema) Version() string { return m.schema.Version }

// Roots returns the assemblies that may be the root of a document: those of the
// module, then those of its imports.
func (m *Metaschema) Roots() iter.Seq[*Member] {
	list := roots[:]
	if m != nil {
		list = m.roots
	}
	return func(yield func(*Member) bool) {
		for i := range list {
			if !yield(&list[i]) {
				return
			}
		}
	}
}

// Root returns the root of a name, nil if there is none.
func (m *Metaschema) Root(name string) *Member {
	for r := range m.Roots() {
		if r.name == name {
			return r
		}
	}
	return nil
}

// MemberCount is the number of members, roots included: the highest
// [Member.Index].
func (m *Metaschema) MemberCount() int {
	if m == nil {
		return memberCount
	}
	return int(m.members)
}

// Schema returns what the modules say, for package constraint.
func (m *Metaschema) Schema() *metaschema.Schema { return m.schema }
