package oscal

import (
	"iter"
	"math/bits"
	"strconv"
	"strings"
)

// Kind tells the three kinds of model information items of Metaschema apart.
type Kind uint8

// The kinds of nodes.
const (
	Assembly Kind = iota + 1 // has flags and children
	Field                    // has a value, perhaps flags
	Flag                     // has a value only
)

func (k Kind) String() string {
	switch k {
	case Assembly:
		return "assembly"
	case Field:
		return "field"
	case Flag:
		return "flag"
	}
	return "unspecified"
}

// grouping says how a repeated member stands in JSON and YAML.
type grouping uint8

const (
	inArray            grouping = iota + 1 // always an array
	inSingletonOrArray                     // one item: the item itself; several: an array
	byKey                                  // an object whose names are the values of a flag of the items
)

// xmlForm says how a member stands in XML where that is not an element of its
// own name.
type xmlForm uint8

const (
	xmlGrouped   xmlForm = iota + 1 // all items in one wrapper element with the JSON name
	xmlUnwrapped                    // blocks of markup directly in the parent
)

// A Definition is what an assembly or a field consists of. Definitions are
// read-only tables, those of OSCAL generated from its Metaschema modules.
type Definition struct {
	name, module, valueKey string
	kind                   Kind
	dtype                  DataType
	flags                  int      // the first so many members are flags
	required               uint64   // bit n: member n must be there
	choices                []choice // at most one member of each may be there
	members                []Member // in model order
	loaded                 *loaded  // nil for OSCAL's own
}

// loaded is what a definition of a metaschema that was loaded has, and one of
// OSCAL has no use for.
type loaded struct {
	metaschema   *Metaschema
	namespace    string  // of the module
	keyFlag      *Member // names an item of a group by key
	valueKeyFlag *Member // its value is the JSON name of the field's value
	bounds       []bound
}

type choice struct {
	mask     uint64
	required bool
}

// A bound says how many items a member may have, where it is there.
type bound struct{ member, least, most int } // most is -1 for any number

// Name returns the name of the definition in its module.
func (d *Definition) Name() string { return d.name }

// Module returns the short name of the Metaschema module, e.g. oscal-catalog.
func (d *Definition) Module() string { return d.module }

// Namespace returns the XML namespace of the elements that the definition
// describes: that of its module.
func (d *Definition) Namespace() string {
	if d.loaded == nil {
		return xmlNamespace
	}
	return d.loaded.namespace
}

// Kind returns Assembly or Field.
func (d *Definition) Kind() Kind { return d.kind }

// DataType returns the type of a field's value, 0 for an assembly.
func (d *Definition) DataType() DataType { return d.dtype }

// ValueKey returns the JSON member that holds the value of a field with flags.
func (d *Definition) ValueKey() string { return d.valueKey }

// Members returns the flags and then the children in model order.
func (d *Definition) Members() iter.Seq[*Member] {
	return func(yield func(*Member) bool) {
		for i := range d.members {
			if !yield(&d.members[i]) {
				return
			}
		}
	}
}

// Member returns the member with an XML name, nil if there is none.
func (d *Definition) Member(name string) *Member {
	for i := range d.members {
		if d.members[i].name == name {
			return &d.members[i]
		}
	}
	return nil
}

// Required tells whether the member must be there.
func (d *Definition) Required(m *Member) bool { return d.required>>m.order&1 == 1 }

// memberByJSON finds a member by its JSON name, looking first at the one after
// the last found: members mostly come in model order.
func (d *Definition) memberByJSON(name string, from int) *Member {
	for i := from; i < len(d.members); i++ {
		if d.members[i].json == name {
			return &d.members[i]
		}
	}
	for i := range min(from, len(d.members)) {
		if d.members[i].json == name {
			return &d.members[i]
		}
	}
	return nil
}

// flagByName finds the flag of an attribute.
func (d *Definition) flagByName(name string) *Member {
	for i := range d.members[:d.flags] {
		if d.members[i].name == name {
			return &d.members[i]
		}
	}
	return nil
}

// memberByElement finds the member that an XML element belongs to, looking
// first at the one found last: elements come in model order.
func (d *Definition) memberByElement(name string, from int) *Member {
	for i := max(from, d.flags); i < len(d.members); i++ {
		if d.members[i].isElement(name) {
			return &d.members[i]
		}
	}
	for i := d.flags; i < from; i++ {
		if d.members[i].isElement(name) {
			return &d.members[i]
		}
	}
	return nil
}

func (m *Member) isElement(name string) bool {
	switch m.xml {
	case xmlGrouped:
		return m.json == name
	case xmlUnwrapped:
		e, ok := markupElements[name]
		return ok && e.kind.isBlock()
	}
	return m.name == name
}

// element is the name of the XML element, that of the wrapper for a group.
func (m *Member) element() string {
	switch m.xml {
	case xmlGrouped:
		return m.json
	case xmlUnwrapped:
		return "p"
	}
	return m.name
}

// rank is the place of an element among others; members of one choice share it.
func (d *Definition) rank(m *Member) int {
	for _, c := range d.choices {
		if c.mask>>m.order&1 == 1 {
			return bits.TrailingZeros64(c.mask)
		}
	}
	return int(m.order)
}

// A Member is a place in a definition where a flag, a field or an assembly
// stands, under the name that it has there.
type Member struct {
	name, json        string
	deflt, deprecated string
	def               int16       // index in defs, -1 for flags
	loaded            *Definition // in place of def: what stands here in a metaschema that was loaded
	index             uint32      // from 1 among all members of the model
	order             uint8
	kind              Kind
	dtype             DataType
	array             grouping
	xml               xmlForm
}

// Index numbers the members of a model from 1 to [Metaschema.MemberCount], for
// tables that hold something of each. A Member that is of no model has 0.
func (m *Member) Index() int { return int(m.index) }

// Name returns the name of the XML element or attribute. It is the name that
// paths use.
func (m *Member) Name() string { return m.name }

// JSONName returns the name of the member in JSON and YAML: for a repeated
// child the name of the group.
func (m *Member) JSONName() string { return m.json }

// Kind returns what stands here.
func (m *Member) Kind() Kind { return m.kind }

// DataType returns the type of the value of a flag or field.
func (m *Member) DataType() DataType { return m.dtype }

// Many tells whether the member may be repeated.
func (m *Member) Many() bool { return m.array != 0 }

// Default returns the default of a flag, "" for none.
func (m *Member) Default() string { return m.deflt }

// Deprecated returns the version of the model since which the member is
// deprecated, "" if it is not.
func (m *Member) Deprecated() string { return m.deprecated }

// Definition returns what stands here, nil for a flag.
func (m *Member) Definition() *Definition {
	if m.loaded != nil {
		return m.loaded
	}
	if m.def < 0 {
		return nil
	}
	return &defs[m.def]
}

// keyFlag is the flag that names an item of a group by key, nil for none.
func (d *Definition) keyFlag() *Member {
	if d.loaded == nil {
		return nil
	}
	return d.loaded.keyFlag
}

// valueKeyFlag is the flag whose value is the JSON name of the field's value, nil
// for none.
func (d *Definition) valueKeyFlag() *Member {
	if d.loaded == nil {
		return nil
	}
	return d.loaded.valueKeyFlag
}

// isPlain tells whether an item is a value in JSON and YAML, not an object: a
// field whose only flag is the key of its group is one, too.
func (m *Member) isPlain() bool {
	if m.kind != Field {
		return m.kind == Flag
	}
	d := m.Definition()
	return d.valueKey == "" || m.array == byKey && d.flags == 1
}

// release is what the versions of a model are versions of, for messages.
func (d *Definition) release() string {
	if d.loaded == nil {
		return "OSCAL"
	}
	return "version"
}

// Roots returns the root assemblies of the eight models.
func Roots() iter.Seq[*Member] { return (*Metaschema)(nil).Roots() }

// MemberAt returns the place in a model that a JSON Pointer leads to, whatever the
// indexes in it, e.g. of controls for /catalog/groups/0/controls/3; nil if there
// is none. The pointer begins with the name of the model.
func MemberAt(model, pointer string) *Member {
	m := rootByName(model)
	rest, ok := strings.CutPrefix(pointer, "/"+model)
	if m == nil || !ok || rest != "" && rest[0] != '/' {
		return nil
	}
	for step := range strings.SplitSeq(strings.TrimPrefix(rest, "/"), "/") {
		if rest == "" {
			break
		}
		if _, err := strconv.Atoi(step); err == nil && m.Many() {
			continue
		}
		d := m.Definition()
		if d == nil {
			return nil
		}
		if m = d.memberByJSON(step, 0); m == nil {
			return nil
		}
	}
	return m
}

func rootByName(name string) *Member { return (*Metaschema)(nil).Root(name) }
