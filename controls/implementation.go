package controls

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// thisSystem is the component type that stands for the system itself.
const thisSystem = "this-system"

// An Implementation says how a system meets a baseline: which component answers
// which control or statement, with what status. It is immutable and safe for
// concurrent use.
type Implementation struct {
	baseline     *Baseline
	system       System
	components   []Component    // resolved; the system itself first
	order        map[string]int // component id to its place in components
	requirements []*Requirement // in the order of the baseline, then of the components
	direct       map[any][]*Requirement
	params       map[*Param]setting
	leftOut      []Requirement
	leveraged    *leveraged
	roles        []Role            // of the system, then those that its components need
	planUUID     string            // of a plan that was read
	uuids        map[string]string // of a plan that was read: control or statement id to UUID
}

// A setting is a value of a parameter and where it comes from.
type setting struct {
	values []string
	from   string
}

// ImplementOptions configure [Implement] and [FromSSP]; nil means the defaults.
type ImplementOptions struct {
	// Sources are the catalogs and profiles (values of source) whose control
	// implementations in component definitions count; default: all.
	Sources []string
	// DefaultStatus is the status of requirements in component definitions that
	// say none; default: they stay without.
	DefaultStatus Status
	// Leveraged are the plans of the systems that are built upon, to compare
	// what they provide with what is inherited.
	Leveraged []*oscal.SystemSecurityPlan
}

// Implement makes the implementation of a baseline from a system and the
// definitions of its components.
//
// A requirement in a definition becomes an answer of the component that points
// to it; a requirement in the system that names the same control, statement and
// component goes over it, member by member. Controls of a definition that are
// not in the baseline are left out (see [Implementation.LeftOut]). For values of
// parameters the system goes before the components, those before the profile;
// inside of each, the requirement goes before the whole.
//
// What is missing, stands twice, refers to what is not there, or conflicts is in
// the error, a [Problems] in the order of the system, then of the definitions;
// the implementation of the rest is returned with it.
func Implement(b *Baseline, sys System, defs []*oscal.ComponentDefinition, opts *ImplementOptions) (*Implementation, error) {
	im, w := newImplementer(b, sys, opts)
	w.checkSystem()
	w.define(defs)
	answers := w.fromSystem()
	w.fromDefinitions(answers)
	w.settle(true)
	return im, w.problems.err()
}

// Baseline returns the baseline that is implemented.
func (im *Implementation) Baseline() *Baseline { return im.baseline }

// System returns the description of the system. Read it only.
func (im *Implementation) System() *System { return &im.system }

// Components returns the components as the plan lists them, completed from
// their definitions; the system itself comes first. Read them only.
func (im *Implementation) Components() []Component { return im.components }

// Requirements returns all answers in the order of the baseline, those to a
// control as a whole before those to its statements, then in the order of the
// components. Ids are those of the catalog. Read them only.
func (im *Implementation) Requirements() []*Requirement { return im.requirements }

// LeftOut returns the requirements of component definitions whose controls are
// not in the baseline, in the order of the definitions.
func (im *Implementation) LeftOut() []Requirement { return im.leftOut }

// PlanUUID returns the UUID of the system security plan.
func (im *Implementation) PlanUUID() string {
	return cmp.Or(im.planUUID, im.system.UUID("system-security-plan", im.system.ID))
}

// RequirementUUID returns the UUID of the implemented requirement of a control
// in the system security plan.
func (im *Implementation) RequirementUUID(control string) string {
	return cmp.Or(im.uuids[control], im.system.UUID("implemented-requirement", control))
}

// StatementUUID returns the UUID of a statement in the system security plan, ""
// if the plan has no answer to just that statement.
func (im *Implementation) StatementUUID(statement string) string {
	s := im.baseline.catalog.Statement(statement)
	switch {
	case s == nil:
		return ""
	case im.uuids[statement] != "":
		return im.uuids[statement]
	case len(im.direct[s]) == 0:
		return ""
	}
	return im.system.UUID("statement", statement)
}

// UUID returns the UUID of an object of the system by its ID: the ID itself if
// that is a UUID, else one derived from the kind of the object (its name in
// OSCAL: component, party, user, inventory-item, information-type,
// leveraged-authorization), the ID of the system, and its own.
func (s *System) UUID(kind, id string) string {
	if oscal.TypeUUID.Valid(id) {
		return id
	}
	return oscal.UUID(kind, s.ID, id)
}

// Answers returns the answers that hold for a control or statement: one for
// each component, the one to the statement itself, else the one to the nearest
// statement around it, else the one to the control. For a control these are the
// answers to the control as a whole.
func (im *Implementation) Answers(id string) []*Requirement {
	if s := im.baseline.catalog.Statement(id); s != nil {
		return im.answers(s)
	}
	if c := im.baseline.catalog.Control(id); c != nil {
		return im.direct[c]
	}
	return nil
}

func (im *Implementation) answers(s *Statement) []*Requirement {
	out := slices.Clone(im.direct[s])
	seen := func(component string) bool {
		return slices.ContainsFunc(out, func(r *Requirement) bool { return r.Component == component })
	}
	add := func(more []*Requirement) {
		var news []*Requirement
		for _, r := range more {
			if !seen(r.Component) {
				news = append(news, r)
			}
		}
		out = append(out, news...)
	}
	for up := s.parent; up != nil; up = up.parent {
		add(im.direct[up])
	}
	add(im.direct[s.control])
	slices.SortStableFunc(out, func(a, b *Requirement) int { return im.order[a.Component] - im.order[b.Component] })
	return out
}

// Status returns the status of a control or statement, by [CombineStatus]: that of
// a statement from the answers of its components (see [Implementation.Answers]),
// or from its items if some of them have answers of their own; that of a control
// from the statements that need an answer, or from the answers to it if it has
// none such. It is 0 where nobody says anything.
func (im *Implementation) Status(id string) Status {
	if s := im.baseline.catalog.Statement(id); s != nil {
		return im.statementStatus(s)
	}
	if c := im.baseline.catalog.Control(id); c != nil {
		return im.controlStatus(c)
	}
	return 0
}

func (im *Implementation) controlStatus(c *Control) Status {
	points := im.baseline.points[c]
	if len(points) == 0 {
		return combine(im.direct[c])
	}
	parts := make([]Status, len(points))
	for i, s := range points {
		parts[i] = im.statementStatus(s)
	}
	return CombineStatus(parts...)
}

func (im *Implementation) statementStatus(s *Statement) Status {
	if !im.answeredInside(s) {
		return combine(im.answers(s))
	}
	parts := make([]Status, len(s.items))
	for i, item := range s.items {
		parts[i] = im.statementStatus(item)
	}
	return CombineStatus(parts...)
}

func (im *Implementation) answeredInside(s *Statement) bool {
	return slices.ContainsFunc(s.items, func(item *Statement) bool {
		return len(im.direct[item]) > 0 || im.answeredInside(item)
	})
}

func combine(answers []*Requirement) Status {
	parts := make([]Status, len(answers))
	for i, r := range answers {
		parts[i] = r.Status
	}
	return CombineStatus(parts...)
}

// Responsibility returns who does what a control or statement asks for: all
// that its answers say, for a control also those to its statements.
func (im *Implementation) Responsibility(id string) Responsibility {
	var all Responsibility
	for _, r := range im.Answers(id) {
		all |= r.Responsibility
	}
	if c := im.baseline.catalog.Control(id); c != nil {
		for _, s := range c.all {
			for _, r := range im.direct[s] {
				all |= r.Responsibility
			}
		}
	}
	return all
}

// Values returns the values of a parameter that hold for the system, and where
// they come from: "system", "components", "profile", or "" if none are set.
// Where components set different values and the system none, each component has
// its own, and those here are of the profile.
func (im *Implementation) Values(param string) (values []string, from string) {
	p := im.baseline.catalog.Param(param)
	if p == nil {
		return nil, ""
	}
	s := im.params[p]
	return s.values, s.from
}

// Prose replaces parameters as [Catalog.Prose] does, by the values that hold for
// the system.
func (im *Implementation) Prose(text string, opts *ProseOptions) (string, error) {
	var o ProseOptions
	if opts != nil {
		o = *opts
	}
	if o.Values == nil {
		o.Values = func(p *Param) []string { return im.params[p].values }
	}
	return im.baseline.catalog.Prose(text, &o)
}

// An implementer makes an implementation.
type implementer struct {
	im       *Implementation
	opts     ImplementOptions
	defined  map[string]*definition
	byKey    map[answerKey]*Requirement
	document string // of the problems that are found now
	problems Problems
}

// A definition is a component or capability of a component definition.
type definition struct {
	of              *oscal.ComponentDefinition
	component       Component
	roles           []oscal.ResponsibleRole
	implementations []oscal.ControlImplementationSet
}

// answerKey is what one answer is about and whose it is.
type answerKey struct{ control, statement, component string }

func newImplementer(b *Baseline, sys System, opts *ImplementOptions) (*Implementation, *implementer) {
	im := &Implementation{
		baseline: b, system: sys, order: map[string]int{}, direct: map[any][]*Requirement{},
		params: map[*Param]setting{}, roles: slices.Clone(sys.Roles), uuids: map[string]string{},
	}
	w := &implementer{im: im, defined: map[string]*definition{}, byKey: map[answerKey]*Requirement{}}
	if opts != nil {
		w.opts = *opts
	}
	im.leveraged = newLeveraged(w.opts.Leveraged)
	return im, w
}

func (w *implementer) fail(pointer string, r *Requirement, err error) {
	p := &Problem{Document: w.document, Pointer: pointer, Err: err}
	if r != nil {
		p.Control, p.Statement, p.Component = r.Control, r.Statement, r.Component
	}
	w.problems = append(w.problems, p)
}

// checkSystem looks at what the system says of itself: what must be there, ids
// that stand twice, references among its parts.
func (w *implementer) checkSystem() {
	sys := &w.im.system
	for _, m := range []struct{ name, value string }{
		{"id", sys.ID}, {"name", sys.Name}, {"description", sys.Description}, {"boundary", sys.Boundary}, {"status", sys.Status},
	} {
		if m.value == "" {
			w.fail(m.name, nil, fmt.Errorf("%s %w", m.name, ErrMissing))
		}
	}
	oneOf := func(pointer, value, name string, values ...string) {
		if value != "" && !slices.Contains(values, value) {
			w.fail(pointer, nil, fmt.Errorf("%q %w %s (%s)", value, ErrValue, name, strings.Join(values, ", ")))
		}
	}
	if i := sys.Impact; i != (Impact{}) && (i.Confidentiality == "" || i.Integrity == "" || i.Availability == "") {
		w.fail("impact", nil, fmt.Errorf("one of confidentiality, integrity, availability %w", ErrMissing))
	}
	oneOf("status", sys.Status, "system status", "operational", "under-development", "under-major-modification", "disposition", "other")
	if len(sys.Information) == 0 {
		w.fail("information", nil, fmt.Errorf("at least one type of information %w", ErrMissing))
	}
	ids := map[string]bool{}
	unique := func(kind string, i int, id string) string {
		pointer := fmt.Sprintf("%s[%d]", kind, i)
		switch {
		case id == "":
			w.fail(pointer, nil, fmt.Errorf("id %w", ErrMissing))
		case ids[kind+id]:
			w.fail(pointer+".id", nil, fmt.Errorf("id %q %w", id, ErrDuplicate))
		}
		ids[kind+id] = true
		return pointer
	}
	for i, x := range sys.Information {
		unique("information", i, x.ID)
	}
	for i, x := range sys.Roles {
		unique("roles", i, x.ID)
	}
	for i, x := range sys.Parties {
		unique("parties", i, x.ID)
	}
	for i, x := range sys.Users {
		unique("users", i, x.ID)
	}
	for i, x := range sys.Components {
		unique("components", i, x.ID)
	}
	for i, x := range sys.Inventory {
		unique("inventory", i, x.ID)
	}
	for i, x := range sys.Leveraged {
		unique("leveraged", i, x.ID)
	}
	known := func(pointer, kind, what string, refs ...string) {
		for _, id := range refs {
			if id != "" && !ids[kind+id] {
				w.fail(pointer, nil, fmt.Errorf("%s %q %w", what, id, ErrUnknown))
			}
		}
	}
	for i, x := range sys.Parties {
		pointer := fmt.Sprintf("parties[%d]", i)
		oneOf(pointer+".type", x.Type, "party type", "person", "organization")
		if x.Type == "" {
			w.fail(pointer, nil, fmt.Errorf("type %w", ErrMissing))
		}
		known(pointer+".member-of", "parties", "party", x.MemberOf...)
		known(pointer+".roles", "roles", "role", x.Roles...)
	}
	for i, x := range sys.Users {
		known(fmt.Sprintf("users[%d].roles", i), "roles", "role", x.Roles...)
	}
	for i, x := range sys.Components {
		pointer := fmt.Sprintf("components[%d]", i)
		oneOf(pointer+".status", x.Status, "component status", "under-development", "operational", "disposition", "other")
		known(pointer+".roles", "roles", "role", x.Roles...)
		known(pointer+".leveraged", "leveraged", "leveraged authorization", x.Leveraged)
	}
	ids["components"+thisSystem] = true
	for i, x := range sys.Inventory {
		known(fmt.Sprintf("inventory[%d].components", i), "components", "component", x.Components...)
	}
	for i, x := range sys.Leveraged {
		known(fmt.Sprintf("leveraged[%d].party", i), "parties", "party", x.Party)
		if x.Party == "" || x.Authorized == "" {
			w.fail(fmt.Sprintf("leveraged[%d]", i), nil, fmt.Errorf("party or date of authorization %w", ErrMissing))
		}
	}
	for i, x := range sys.Requirements {
		pointer := fmt.Sprintf("requirements[%d]", i)
		known(pointer+".roles", "roles", "role", x.Roles...)
		for _, list := range [][]Share{x.Provided, x.Responsibilities, x.Inherited, x.Satisfied} {
			for _, s := range list {
				known(pointer, "roles", "role", s.Roles...)
			}
		}
		for _, s := range x.Responsibilities {
			if s.Of != "" && !oscal.TypeUUID.Valid(s.Of) && !slices.ContainsFunc(x.Provided, func(p Share) bool { return p.ID == s.Of }) {
				w.fail(pointer+".responsibilities", nil, fmt.Errorf("what is provided %q %w", s.Of, ErrUnknown))
			}
		}
		for _, s := range slices.Concat(x.Inherited, x.Satisfied) {
			if s.Of != "" && !oscal.TypeUUID.Valid(s.Of) {
				w.fail(pointer, nil, fmt.Errorf("%q %w UUID of what a provider offers", s.Of, ErrValue))
			}
		}
	}
}

// define lists the components of the system and completes them from their
// definitions.
func (w *implementer) define(defs []*oscal.ComponentDefinition) {
	sys := &w.im.system
	for _, d := range defs {
		components := oscal.Items(d.Components)
		for i := range components {
			c := &components[i]
			w.defined[c.UUID] = &definition{d, Component{
				Type: c.Type, Title: c.Title, Description: c.Description, Purpose: c.Purpose,
				Props: slices.Clone(oscal.Items(c.Props)), Links: externalLinks(c.Links),
			}, oscal.Items(c.ResponsibleRoles), oscal.Items(c.ControlImplementations)}
		}
		capabilities := oscal.Items(d.Capabilities)
		for i := range capabilities {
			c := &capabilities[i]
			w.defined[c.UUID] = &definition{d, Component{
				Type: "service", Title: c.Name, Description: c.Description,
				Props: slices.Clone(oscal.Items(c.Props)), Links: externalLinks(c.Links),
			}, nil, oscal.Items(c.ControlImplementations)}
		}
	}
	self := Component{ID: thisSystem, Type: thisSystem, Title: sys.Name, Description: sys.Description, Status: componentStatus(sys.Status)}
	var others []Component
	selves := 0
	for i, c := range sys.Components {
		if c.Type != thisSystem && c.ID == thisSystem {
			w.fail(fmt.Sprintf("components[%d].id", i), &Requirement{Component: c.ID}, fmt.Errorf("%q %w component of the type %s", c.ID, ErrValue, c.Type))
			continue
		}
		if c.Type == thisSystem {
			if selves++; selves > 1 {
				w.fail(fmt.Sprintf("components[%d].type", i), &Requirement{Component: c.ID}, fmt.Errorf("the component %s %w", thisSystem, ErrDuplicate))
				continue
			}
			c.Title, c.Description, c.Status = cmp.Or(c.Title, sys.Name), cmp.Or(c.Description, sys.Description), cmp.Or(c.Status, self.Status)
			self = c
			continue
		}
		if c.Definition != "" {
			if d := w.defined[c.Definition]; d != nil {
				c = w.complete(c, d)
			} else {
				w.fail(fmt.Sprintf("components[%d].definition", i), &Requirement{Component: c.ID}, fmt.Errorf("defined component %q %w", c.Definition, ErrUnknown))
			}
		}
		if c.Type == "" || c.Title == "" || c.Description == "" {
			w.fail(fmt.Sprintf("components[%d]", i), &Requirement{Component: c.ID}, fmt.Errorf("type, title or description %w", ErrMissing))
		}
		c.Status = cmp.Or(c.Status, "operational")
		others = append(others, c)
	}
	w.setComponents(append([]Component{self}, others...))
}

func (w *implementer) setComponents(list []Component) {
	w.im.components = list
	for i, c := range list {
		if _, ok := w.im.order[c.ID]; !ok {
			w.im.order[c.ID] = i
		}
	}
}

// complete takes from a definition what a component does not say itself.
func (w *implementer) complete(c Component, d *definition) Component {
	c.Type = cmp.Or(c.Type, d.component.Type)
	c.Title = cmp.Or(c.Title, d.component.Title)
	c.Description = cmp.Or(c.Description, d.component.Description)
	c.Purpose = cmp.Or(c.Purpose, d.component.Purpose)
	c.Props = append(slices.Clone(c.Props), d.component.Props...)
	c.Links = append(slices.Clone(c.Links), d.component.Links...)
	if len(c.Roles) == 0 {
		c.Roles = w.roleIDs(d.of, d.roles)
	}
	return c
}

// roleIDs returns the ids of roles in a definition and takes those over that the
// system does not know.
func (w *implementer) roleIDs(def *oscal.ComponentDefinition, roles []oscal.ResponsibleRole) []string {
	var ids []string
	for _, r := range roles {
		if slices.Contains(ids, r.RoleId) {
			continue
		}
		ids = append(ids, r.RoleId)
		if slices.ContainsFunc(w.im.roles, func(have Role) bool { return have.ID == r.RoleId }) {
			continue
		}
		role := Role{ID: r.RoleId, Title: r.RoleId}
		for _, have := range oscal.Items(def.Metadata.Roles) {
			if have.ID == r.RoleId {
				role.Title, role.Description = have.Title, have.Description
			}
		}
		w.im.roles = append(w.im.roles, role)
	}
	return ids
}

// externalLinks returns the links that do not lead into the document itself.
func externalLinks(links *[]oscal.Link) []oscal.Link {
	var out []oscal.Link
	for _, l := range oscal.Items(links) {
		if !strings.HasPrefix(l.Href, "#") {
			l.ResourceFragment = ""
			out = append(out, l)
		}
	}
	return out
}

// componentStatus gives the status of the component that stands for the system.
func componentStatus(system string) string {
	switch system {
	case "under-development", "disposition", "other":
		return system
	}
	return "operational"
}

// fromSystem reads the requirements of the system and returns them by what they
// are about, for [implementer.fromDefinitions] to fill in.
func (w *implementer) fromSystem() map[answerKey]bool {
	own := map[answerKey]bool{}
	for i := range w.im.system.Requirements {
		r := w.im.system.Requirements[i]
		r.Parameters = slices.Clone(r.Parameters)
		pointer := fmt.Sprintf("requirements[%d]", i)
		r.Component = cmp.Or(r.Component, w.im.components[0].ID)
		if _, ok := w.im.order[r.Component]; !ok {
			w.fail(pointer+".component", &r, fmt.Errorf("component %q %w", r.Component, ErrUnknown))
			continue
		}
		if err := w.locate(&r); err != nil {
			w.fail(pointer, &r, err)
			continue
		}
		w.parameters(pointer, &r)
		key := answerKey{r.Control, r.Statement, r.Component}
		if own[key] {
			w.fail(pointer, &r, fmt.Errorf("the answer %w", ErrDuplicate))
			continue
		}
		own[key] = true
		w.byKey[key] = &r
	}
	return own
}

// locate brings control and statement of a requirement to the ids of the
// catalog. The error matches [ErrUnknown] or [ErrReference].
func (w *implementer) locate(r *Requirement) error {
	c := w.im.baseline.catalog
	var control *Control
	if r.Control != "" {
		t, err := c.Find(r.Control)
		if err != nil {
			return err
		}
		if !t.Exact || t.Control == nil {
			return fmt.Errorf("control %q %w", r.Control, ErrUnknown)
		}
		control, r.Control = t.Control, t.Control.id
		if t.Statement != nil && t.Objective == nil && r.Statement == "" {
			r.Statement = t.Statement.id
		}
	}
	if r.Statement != "" {
		t, err := c.Find(r.Statement)
		if err != nil {
			return err
		}
		if !t.Exact || t.Statement == nil || control != nil && t.Control != control {
			return fmt.Errorf("statement %q %w", r.Statement, ErrUnknown)
		}
		control, r.Control, r.Statement = t.Control, t.Control.id, t.Statement.id
	}
	if control == nil {
		return fmt.Errorf("control or statement %w", ErrMissing)
	}
	if !w.im.baseline.Has(control) {
		return fmt.Errorf("control %q %w in the baseline", r.Control, ErrUnknown)
	}
	return nil
}

// parameters brings the parameters of a requirement to the ids of the catalog
// and leaves unknown ones out.
func (w *implementer) parameters(pointer string, r *Requirement) {
	kept := r.Parameters[:0]
	for _, set := range r.Parameters {
		p := w.im.baseline.catalog.Param(set.ParamId)
		switch {
		case p == nil:
			w.fail(pointer+".parameters", r, fmt.Errorf("parameter %q %w", set.ParamId, ErrUnknown))
		case len(set.Values) == 0:
			w.fail(pointer+".parameters", r, fmt.Errorf("the value of parameter %q %w", set.ParamId, ErrMissing))
		case valueOf(kept, p.id) != nil:
			w.fail(pointer+".parameters", r, fmt.Errorf("parameter %q %w", set.ParamId, ErrDuplicate))
		default:
			set.ParamId = p.id
			kept = append(kept, set)
		}
	}
	r.Parameters = kept
}

func valueOf(list []oscal.SetParameter, param string) []string {
	for i := range list {
		if list[i].ParamId == param {
			return list[i].Values
		}
	}
	return nil
}

// fromDefinitions reads the requirements of the definitions that components of
// the system point to.
func (w *implementer) fromDefinitions(own map[answerKey]bool) {
	for _, c := range w.im.components {
		d := w.defined[c.Definition]
		if d == nil {
			continue
		}
		w.document = cmp.Or(d.of.Metadata.Title, d.of.UUID)
		for i := range d.implementations {
			set := &d.implementations[i]
			if len(w.opts.Sources) > 0 && !slices.Contains(w.opts.Sources, set.Source) {
				continue
			}
			pointer := fmt.Sprintf("control-implementations[%d]", i)
			for j := range set.ImplementedRequirements {
				w.fromDefinition(own, c, d, set, &set.ImplementedRequirements[j], fmt.Sprintf("%s.implemented-requirements[%d]", pointer, j))
			}
		}
	}
	w.document = ""
}

func (w *implementer) fromDefinition(own map[answerKey]bool, c Component, d *definition, set *oscal.ControlImplementationSet, v *oscal.ImplementedRequirementControlImplementation, pointer string) {
	r := Requirement{
		Control: v.ControlId, Component: c.ID, Description: v.Description, Remarks: v.Remarks,
		Roles: w.roleIDs(d.of, oscal.Items(v.ResponsibleRoles)), Parameters: slices.Clone(oscal.Items(v.SetParameters)),
	}
	control := w.im.baseline.catalog.Control(v.ControlId)
	if control == nil || !w.im.baseline.Has(control) {
		w.im.leftOut = append(w.im.leftOut, r)
		return
	}
	for _, s := range oscal.Items(set.SetParameters) {
		p := w.im.baseline.catalog.Param(s.ParamId)
		if p != nil && p.control == control && valueOf(r.Parameters, s.ParamId) == nil && valueOf(r.Parameters, p.id) == nil {
			r.Parameters = append(r.Parameters, s)
		}
	}
	w.parameters(pointer, &r)
	setStatus, setOrigin, errs := statusOf(oscal.Items(set.Props))
	w.status(&r, oscal.Items(v.Props), cmp.Or(setStatus, w.opts.DefaultStatus), setOrigin, errs, pointer)
	w.merge(own, r, pointer)
	statements := oscal.Items(v.Statements)
	for i := range statements {
		s := &statements[i]
		at := fmt.Sprintf("%s.statements[%d]", pointer, i)
		one := Requirement{
			Control: r.Control, Statement: s.StatementId, Component: c.ID, Description: s.Description, Remarks: s.Remarks,
			Roles: w.roleIDs(d.of, oscal.Items(s.ResponsibleRoles)),
		}
		if st := w.im.baseline.catalog.Statement(s.StatementId); st == nil || st.control != control {
			w.fail(at, &one, fmt.Errorf("statement %q of control %s %w", s.StatementId, r.Control, ErrUnknown))
			continue
		}
		w.status(&one, oscal.Items(s.Props), r.Status, r.Responsibility, nil, at)
		w.merge(own, one, at)
	}
}

// status reads status and responsibility from props, else takes those of what is
// around.
func (w *implementer) status(r *Requirement, props []oscal.Property, status Status, origin Responsibility, errs []error, pointer string) {
	s, o, more := statusOf(props)
	r.Status = cmp.Or(s, status)
	r.Responsibility = cmp.Or(o, origin)
	for _, err := range append(errs, more...) {
		w.fail(pointer, r, err)
	}
	for i := range props {
		if p := &props[i]; !statusNamespace(p.Ns) || p.Name != "implementation-status" && p.Name != "control-origination" {
			r.Props = append(r.Props, *p)
		}
	}
}

// merge adds an answer of a definition, or fills it in where the system gives
// that answer itself.
func (w *implementer) merge(own map[answerKey]bool, r Requirement, pointer string) {
	key := answerKey{r.Control, r.Statement, r.Component}
	have := w.byKey[key]
	switch {
	case have == nil:
		w.byKey[key] = &r
	case own[key]:
		delete(own, key) // a second answer of definitions to the same is one too many
		have.Description = cmp.Or(have.Description, r.Description)
		have.Status = cmp.Or(have.Status, r.Status)
		have.Responsibility = cmp.Or(have.Responsibility, r.Responsibility)
		have.Remarks = cmp.Or(have.Remarks, r.Remarks)
		if len(have.Roles) == 0 {
			have.Roles = r.Roles
		}
		if len(have.Props) == 0 {
			have.Props = r.Props
		}
		for _, set := range r.Parameters {
			if valueOf(have.Parameters, set.ParamId) == nil {
				have.Parameters = append(have.Parameters, set)
			}
		}
	default:
		w.fail(pointer, &r, fmt.Errorf("the answer %w", ErrDuplicate))
	}
}

// settle puts the answers in order and finds the values of the parameters.
func (w *implementer) settle(conflicts bool) {
	im := w.im
	place := make(map[string]int, len(w.byKey)) // of controls and statements
	for i, c := range im.baseline.controls {
		place[c.id] = i
		for j, s := range c.all {
			place[s.id] = j + 1
		}
	}
	for _, r := range w.byKey {
		im.requirements = append(im.requirements, r)
	}
	slices.SortFunc(im.requirements, func(a, b *Requirement) int {
		statement := func(r *Requirement) int {
			if r.Statement == "" {
				return 0
			}
			return place[r.Statement]
		}
		return cmp.Or(place[a.Control]-place[b.Control], statement(a)-statement(b), im.order[a.Component]-im.order[b.Component])
	})
	for _, r := range im.requirements {
		var key any = im.baseline.catalog.Control(r.Control)
		if r.Statement != "" {
			key = im.baseline.catalog.Statement(r.Statement)
		}
		im.direct[key] = append(im.direct[key], r)
	}
	w.settleParameters(conflicts)
}

// settleParameters: the system before the components, those before the profile.
func (w *implementer) settleParameters(conflicts bool) {
	im := w.im
	for _, p := range im.baseline.catalog.params {
		if len(p.values) > 0 {
			im.params[p] = setting{p.values, "profile"}
		}
	}
	type claim struct {
		setting
		by     *Requirement
		differ bool
	}
	claims := map[*Param]*claim{}
	bySystem := map[*Param]setting{}
	for _, r := range im.requirements {
		for _, set := range r.Parameters {
			p := im.baseline.catalog.Param(set.ParamId)
			if r.Component == im.components[0].ID {
				if _, ok := bySystem[p]; !ok {
					bySystem[p] = setting{set.Values, "system"}
				}
				continue
			}
			if have := claims[p]; have == nil {
				claims[p] = &claim{setting: setting{set.Values, "components"}, by: r}
			} else if !slices.Equal(have.values, set.Values) {
				have.differ, have.by = true, r
			}
		}
	}
	for i, set := range im.system.Parameters {
		p := im.baseline.catalog.Param(set.ParamId)
		switch {
		case p == nil:
			w.fail(fmt.Sprintf("parameters[%d]", i), nil, fmt.Errorf("parameter %q %w", set.ParamId, ErrUnknown))
			continue
		case len(set.Values) == 0:
			w.fail(fmt.Sprintf("parameters[%d]", i), nil, fmt.Errorf("the value of parameter %q %w", set.ParamId, ErrMissing))
			continue
		}
		if _, ok := bySystem[p]; !ok {
			bySystem[p] = setting{set.Values, "system"}
		}
	}
	for _, p := range im.baseline.catalog.params {
		if s, ok := bySystem[p]; ok {
			im.params[p] = s
			continue
		}
		c := claims[p]
		switch {
		case c == nil:
		case c.differ && conflicts:
			w.fail("", c.by, fmt.Errorf("parameter %q %w by components, and the system does not decide", p.id, ErrConflict))
		case !c.differ:
			im.params[p] = c.setting
		}
	}
}
