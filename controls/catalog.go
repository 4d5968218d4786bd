package controls

import (
	"slices"
	"sync"

	"github.com/issokit/issokit/oscal"
)

// A Catalog is an index of the controls of a catalog or of a resolved profile.
// It is immutable and safe for concurrent use; it keeps nothing of the typed
// view from which it was made. Slices that its methods and those of its parts
// return belong to the catalog: read them only.
type Catalog struct {
	uuid, title, version string

	families []*Family
	controls []*Control
	params   []*Param

	ids      map[string]any    // groups, controls and parts, one space of names as in OSCAL
	paramIDs map[string]*Param // by id, then by alternative identifier
	labels   func() labels
}

// CatalogOptions configure [NewCatalog]; nil means the defaults.
type CatalogOptions struct {
	Name string // name of the document in problems; default none
}

// NewCatalog makes the index of a catalog or resolved profile (see [oscal.As]).
//
// If ids are there twice, links and parameter insertions lead nowhere,
// parameters insert each other, or methods and selections have values that
// OSCAL does not know, the error is a [Problems] with all of that in document
// order; the catalog is then returned with it. Where an id stands twice, the
// first one is found by it.
func NewCatalog(view *oscal.Catalog, opts *CatalogOptions) (*Catalog, error) {
	var o CatalogOptions
	if opts != nil {
		o = *opts
	}
	b := builder{
		c:    &Catalog{uuid: view.UUID, title: view.Metadata.Title, version: view.Metadata.Version},
		name: o.Name,
	}
	b.build(view)
	b.c.labels = sync.OnceValue(b.c.indexLabels)
	return b.c, b.problems.err()
}

// UUID returns the UUID of the document.
func (c *Catalog) UUID() string { return c.uuid }

// Title returns the title of the document.
func (c *Catalog) Title() string { return c.title }

// Version returns the version of the document.
func (c *Catalog) Version() string { return c.version }

// Families returns the outermost groups in document order. Controls outside of
// groups are in a family without id and title, which comes last.
func (c *Catalog) Families() []*Family { return c.families }

// Controls returns all controls in document order: each control is followed by
// its enhancements. Withdrawn controls are among them.
func (c *Catalog) Controls() []*Control { return c.controls }

// Params returns all parameters in document order.
func (c *Catalog) Params() []*Param { return c.params }

// Family returns the outermost group with an id, nil if there is none.
func (c *Catalog) Family(id string) *Family { f, _ := c.ids[id].(*Family); return f }

// Control returns the control or enhancement with an id, nil if there is none.
func (c *Catalog) Control(id string) *Control { x, _ := c.ids[id].(*Control); return x }

// Statement returns the statement or item with an id, nil if there is none.
func (c *Catalog) Statement(id string) *Statement { s, _ := c.ids[id].(*Statement); return s }

// Objective returns the objective part with an id, nil if there is none. A
// statement that is its own objective is found by the statement's id.
func (c *Catalog) Objective(id string) *Objective {
	switch x := c.ids[id].(type) {
	case *Objective:
		return x
	case *Statement:
		return x.own
	}
	return nil
}

// Method returns the assessment method part with an id, nil if there is none.
// Catalogs of SP 800-53 rev. 4 give methods no ids: see [Control.Methods].
func (c *Catalog) Method(id string) *Method { m, _ := c.ids[id].(*Method); return m }

// Param returns the parameter with an id, or else with that alternative
// identifier (prop alt-identifier: the id that it had before SP 800-53A rev. 5
// numbered the parameters), nil if there is none.
func (c *Catalog) Param(id string) *Param { return c.paramIDs[id] }

// Has tells whether a group, control or part of any kind has the id.
func (c *Catalog) Has(id string) bool { return c.ids[id] != nil }

// A Family is an outermost group of a catalog.
type Family struct {
	id, title, label string
	controls         []*Control
}

// ID returns the id of the group, "" if it has none.
func (f *Family) ID() string { return f.id }

// Title returns the title of the group.
func (f *Family) Title() string { return f.title }

// Label returns the label of the group, "" if it has none.
func (f *Family) Label() string { return f.label }

// Controls returns the controls of the family and of all groups in it in
// document order, enhancements and withdrawn controls included.
func (f *Family) Controls() []*Control { return f.controls }

// A Control is a control or a control enhancement.
type Control struct {
	id, class, title, label, sortID, guidance string

	props        []oscal.Property
	links        []oscal.Link
	family       *Family
	parent       *Control
	enhancements []*Control
	params       []*Param
	top, all     []*Statement
	objectives   []*Objective // roots
	leaves       []*Objective
	methods      []*Method
	withdrawn    bool
	successors   []Target
}

// ID returns the id, e.g. ac-2.1.
func (c *Control) ID() string { return c.id }

// Class returns the class, e.g. SP800-53-enhancement.
func (c *Control) Class() string { return c.class }

// Title returns the title.
func (c *Control) Title() string { return c.title }

// Label returns the label for people, e.g. AC-2(1): the first label prop without
// class, else the first one, else the id.
func (c *Control) Label() string { return c.label }

// SortID returns the value of the sort-id prop, else the id.
func (c *Control) SortID() string { return c.sortID }

// Family returns the outermost group that the control is in, never nil.
func (c *Control) Family() *Family { return c.family }

// Parent returns the control that this one enhances, nil for none.
func (c *Control) Parent() *Control { return c.parent }

// Enhancements returns the controls directly inside of this one.
func (c *Control) Enhancements() []*Control { return c.enhancements }

// Params returns the parameters of the control, without those of its
// enhancements.
func (c *Control) Params() []*Param { return c.params }

// Props returns the props of the control.
func (c *Control) Props() []oscal.Property { return c.props }

// Links returns the links of the control.
func (c *Control) Links() []oscal.Link { return c.links }

// Guidance returns the prose of the guidance parts directly inside of the
// control, with parameter insertions as they stand.
func (c *Control) Guidance() string { return c.guidance }

// Top returns the outermost statements; [Statement.Items] leads on.
func (c *Control) Top() []*Statement { return c.top }

// Statements returns all statements and items in document order.
func (c *Control) Statements() []*Statement { return c.all }

// Objectives returns the outermost objectives: parts named objective (SP 800-53A
// rev. 4) or assessment-objective (rev. 5). A control without such parts has
// its statements as objectives, one for one. A withdrawn control has none.
func (c *Control) Objectives() []*Objective { return c.objectives }

// Leaves returns the objectives without objectives inside of them, in document
// order: those that are determined one by one.
func (c *Control) Leaves() []*Objective { return c.leaves }

// Methods returns the assessment methods in document order: parts named
// assessment (rev. 4) or assessment-method (rev. 5).
func (c *Control) Methods() []*Method { return c.methods }

// Withdrawn tells whether the prop status says that the control is withdrawn.
func (c *Control) Withdrawn() bool { return c.withdrawn }

// Successors returns where the content of a withdrawn control went: the targets
// of its links moved-to and incorporated-into, in document order.
func (c *Control) Successors() []Target { return c.successors }

// A Statement is a part of a control that says what must be done: a part named
// statement, or an item inside of one.
type Statement struct {
	id, name, label, prose string

	props      []oscal.Property
	control    *Control
	parent     *Statement
	items      []*Statement
	objectives []*Objective
	own        *Objective // the statement as an objective, if the control has no others
}

// ID returns the id, e.g. ac-2_smt.a; OSCAL allows parts without one.
func (s *Statement) ID() string { return s.id }

// Name returns the name of the part: statement or item.
func (s *Statement) Name() string { return s.name }

// Label returns the label as written, e.g. "a.", "" if there is none.
func (s *Statement) Label() string { return s.label }

// Prose returns the text with parameter insertions as they stand; see
// [Catalog.Prose].
func (s *Statement) Prose() string { return s.prose }

// Props returns the props of the part.
func (s *Statement) Props() []oscal.Property { return s.props }

// Control returns the control that the statement belongs to.
func (s *Statement) Control() *Control { return s.control }

// Parent returns the statement around this one, nil for an outermost one.
func (s *Statement) Parent() *Statement { return s.parent }

// Items returns the statements directly inside of this one.
func (s *Statement) Items() []*Statement { return s.items }

// Leaves returns the leaf objectives that are for this statement itself, not for
// its items, in document order.
func (s *Statement) Leaves() []*Objective { return s.objectives }

// An Objective is an assessment objective: what an assessment determines.
type Objective struct {
	id, label, prose string

	control   *Control
	statement *Statement
	parent    *Objective
	children  []*Objective
	isStmt    bool
}

// ID returns the id of the objective part, or of the statement that is its own
// objective.
func (o *Objective) ID() string { return o.id }

// Label returns the label, e.g. AC-02a.[01], "" if there is none.
func (o *Objective) Label() string { return o.label }

// Prose returns the text with parameter insertions as they stand.
func (o *Objective) Prose() string { return o.prose }

// Control returns the control that the objective belongs to.
func (o *Objective) Control() *Control { return o.control }

// Statement returns the statement that the objective is for, by its link
// assessment-for (in catalogs of rev. 4: corresp), else that of the objective
// around it. It is nil if there is no such link: the objective is then for the
// control as a whole.
func (o *Objective) Statement() *Statement { return o.statement }

// Parent returns the objective around this one, nil for an outermost one.
func (o *Objective) Parent() *Objective { return o.parent }

// Children returns the objectives directly inside of this one.
func (o *Objective) Children() []*Objective { return o.children }

// IsLeaf tells whether no objective is inside of this one.
func (o *Objective) IsLeaf() bool { return len(o.children) == 0 }

// IsStatement tells whether the objective is a statement of a control that has
// no objective parts: findings about it have the target type statement-id, all
// others objective-id.
func (o *Objective) IsStatement() bool { return o.isStmt }

// A Method is a way to assess a control, with what to look at.
type Method struct {
	id, kind, label string
	objects         []string
	control         *Control
}

// ID returns the id, "" if the part has none (SP 800-53A rev. 4).
func (m *Method) ID() string { return m.id }

// Kind returns the value of the method prop: EXAMINE, INTERVIEW or TEST, "" if
// there is none.
func (m *Method) Kind() string { return m.kind }

// Label returns the label, e.g. AC-03-Examine, "" if there is none.
func (m *Method) Label() string { return m.label }

// Objects returns what is examined, interviewed or tested: one entry per
// paragraph of the parts objects (rev. 4) or assessment-objects (rev. 5).
func (m *Method) Objects() []string { return m.objects }

// Control returns the control that the method belongs to.
func (m *Method) Control() *Control { return m.control }

// A Param is a parameter of a control, a group or the whole catalog.
type Param struct {
	id, label, usage, dependsOn, howMany string

	guidelines, constraints, choices, values, aggregates, alternatives []string

	props     []oscal.Property
	hasSelect bool
	control   *Control
}

// ID returns the id.
func (p *Param) ID() string { return p.id }

// Label returns the label: what stands for a value that is not set.
func (p *Param) Label() string { return p.label }

// Usage returns the text of usage.
func (p *Param) Usage() string { return p.usage }

// DependsOn returns the id of the parameter that this one depends on, "" for
// none (deprecated in OSCAL).
func (p *Param) DependsOn() string { return p.dependsOn }

// Guidelines returns the prose of the guidelines.
func (p *Param) Guidelines() []string { return p.guidelines }

// Constraints returns the descriptions of the constraints; a constraint without
// one is given by the expressions of its tests.
func (p *Param) Constraints() []string { return p.constraints }

// IsSelection tells whether the value is selected among choices.
func (p *Param) IsSelection() bool { return p.hasSelect }

// HowMany returns how many choices may be selected: one, one-or-more, or "" if
// it is not said.
func (p *Param) HowMany() string { return p.howMany }

// Choices returns the choices as they stand.
func (p *Param) Choices() []string { return p.choices }

// Values returns the values that the catalog or profile sets, nil for none.
func (p *Param) Values() []string { return p.values }

// Aggregates returns the ids of the parameters whose values together are the
// value of this one (prop aggregates).
func (p *Param) Aggregates() []string { return p.aggregates }

// Props returns the props of the parameter.
func (p *Param) Props() []oscal.Property { return p.props }

// Control returns the control that has the parameter, nil if it belongs to a
// group or the catalog.
func (p *Param) Control() *Control { return p.control }

// label returns the label of an object: the first without class, else the first.
func label(props []oscal.Property) string {
	first := ""
	for i := range props {
		if props[i].Name == "label" {
			if props[i].Class == "" {
				return props[i].Value
			}
			if first == "" {
				first = props[i].Value
			}
		}
	}
	return first
}

// prop returns the value of the first prop with a name.
func prop(props []oscal.Property, name string) string {
	if i := slices.IndexFunc(props, func(p oscal.Property) bool { return p.Name == name }); i >= 0 {
		return props[i].Value
	}
	return ""
}

// allProps returns the values of the props with a name.
func allProps(props []oscal.Property, name string) []string {
	var out []string
	for i := range props {
		if props[i].Name == name {
			out = append(out, props[i].Value)
		}
	}
	return out
}
