package controls

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// ImplementOptions configure [Implement] and [FromSSP]; nil means the defaults.
type ImplementOptions struct {
	// Sources are the catalogs and profiles whose control implementations in
	// component definitions count, as their source names them or as the
	// resource does to which it leads; default: all.
	Sources []string
	// DefaultStatus is the status of requirements in component definitions that
	// say none; default: they stay without.
	DefaultStatus Status
	// Leveraged are the plans of the systems that are built upon, to compare
	// what they provide with what is inherited.
	Leveraged []*oscal.SystemSecurityPlan
	// Name is the [Problem.Document] of problems of the system or, for
	// [FromSSP], of the plan; default: none.
	Name string
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
// What is missing, stands twice, refers to what is not there, conflicts, or
// cannot stand in a plan (a date that is none, a text with line breaks) is in the
// error, a [Problems]; the implementation of the rest is returned with it. A
// problem of the system has its JSON Pointer into the JSON or YAML form of
// [System], such as /parties/0/roles/1, and [ImplementOptions.Name] as its
// document; the pointer of what is missing names the member that is not there.
// The problems of the system come first, each kind of object in order of the
// input, then those of the definitions. It keeps the slices of the
// system: do not change them afterwards.
func Implement(b *Baseline, sys System, defs []*oscal.ComponentDefinition, opts *ImplementOptions) (*Implementation, error) {
	im, w := newImplementer(b, sys, opts)
	w.checkSystem()
	w.define(defs)
	answers := w.fromSystem()
	w.fromDefinitions(answers)
	w.settle(true)
	return im, w.problems.err()
}

// An implementer makes an implementation.
type implementer struct {
	im       *Implementation
	opts     ImplementOptions
	defined  map[string]*definition
	byKey    map[answerKey]*Requirement
	lesser   map[*Requirement][]string // parameters that an answer has from its definition
	origins  map[*Requirement]origin   // of answers
	document string                    // of the problems that are found now
	problems Problems
}

// A definition is a component or capability of a component definition.
type definition struct {
	of              *oscal.ComponentDefinition
	pointer         string
	component       Component
	roles           []oscal.ResponsibleRole
	implementations []oscal.ControlImplementationSet
}

// answerKey is what one answer is about and whose it is.
type answerKey struct{ control, statement, component string }

func newImplementer(b *Baseline, sys System, opts *ImplementOptions) (*Implementation, *implementer) {
	im := &Implementation{
		baseline: b, system: sys, order: map[string]int{}, direct: map[any][]*Requirement{},
		params: map[*Param]setting{}, roles: slices.Clone(sys.Roles), uuids: map[string]string{}, satisfied: map[string]bool{},
		responsible: map[string]*[]oscal.ResponsibleRole{},
	}
	w := &implementer{im: im, defined: map[string]*definition{}, byKey: map[answerKey]*Requirement{}, lesser: map[*Requirement][]string{}, origins: map[*Requirement]origin{}}
	if opts != nil {
		w.opts = *opts
	}
	w.document = w.opts.Name
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

// An origin is where an answer comes from.
type origin struct{ document, pointer string }

// failAnswer reports what is wrong with an answer where that comes from.
func (w *implementer) failAnswer(member string, r *Requirement, err error) {
	now, at := w.document, w.origins[r]
	w.document = at.document
	w.fail(at.pointer+member, r, err)
	w.document = now
}

// define lists the components of the system and completes them from their
// definitions.
func (w *implementer) define(defs []*oscal.ComponentDefinition) {
	sys := &w.im.system
	for _, d := range defs {
		components := oscal.Items(d.Components)
		for i := range components {
			c := &components[i]
			w.defined[c.UUID] = &definition{d, fmt.Sprintf("/component-definition/components/%d", i), Component{
				Type: c.Type, Title: c.Title, Description: c.Description, Purpose: c.Purpose,
				Props: slices.Clone(oscal.Items(c.Props)), Links: externalLinks(c.Links),
			}, oscal.Items(c.ResponsibleRoles), oscal.Items(c.ControlImplementations)}
		}
		capabilities := oscal.Items(d.Capabilities)
		for i := range capabilities {
			c := &capabilities[i]
			w.defined[c.UUID] = &definition{d, fmt.Sprintf("/component-definition/capabilities/%d", i), Component{
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
			w.fail(fmt.Sprintf("/components/%d/id", i), &Requirement{Component: c.ID}, fmt.Errorf("%q %w component of the type %s", c.ID, ErrValue, c.Type))
			continue
		}
		if c.Type == thisSystem {
			if selves++; selves > 1 {
				w.fail(fmt.Sprintf("/components/%d/type", i), &Requirement{Component: c.ID}, fmt.Errorf("the component %s %w", thisSystem, ErrDuplicate))
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
				w.fail(fmt.Sprintf("/components/%d/definition", i), &Requirement{Component: c.ID}, fmt.Errorf("defined component %q %w", c.Definition, ErrUnknown))
			}
		}
		for _, m := range []struct{ name, value string }{{"type", c.Type}, {"title", c.Title}, {"description", c.Description}} {
			if m.value == "" {
				w.fail(fmt.Sprintf("/components/%d/%s", i, m.name), &Requirement{Component: c.ID}, fmt.Errorf("%s %w", m.name, ErrMissing))
			}
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
		pointer := fmt.Sprintf("/requirements/%d", i)
		if r.Component == "" || r.Component == thisSystem {
			r.Component = w.im.components[0].ID
		}
		if _, ok := w.im.order[r.Component]; !ok {
			w.fail(pointer+"/component", &r, fmt.Errorf("component %q %w", r.Component, ErrUnknown))
			continue
		}
		if at, err := w.locate(&r); err != nil {
			w.fail(pointer+at, &r, err)
			continue
		}
		w.parameters(pointer+"/parameters", &r)
		key := answerKey{r.Control, r.Statement, r.Component}
		if own[key] {
			w.fail(pointer, &r, fmt.Errorf("the answer %w", ErrDuplicate))
			continue
		}
		own[key] = true
		w.byKey[key] = &r
		w.origins[&r] = origin{w.document, pointer}
	}
	return own
}

// locate brings control and statement of a requirement to the ids of the
// catalog. The error matches [ErrUnknown], [ErrOutside] or [ErrReference]; at is
// the member that it is about.
func (w *implementer) locate(r *Requirement) (at string, err error) {
	c := w.im.baseline.catalog
	var control *Control
	if r.Control != "" {
		t, err := c.Find(r.Control)
		switch {
		case errors.Is(err, ErrUnknown):
			return "/control", fmt.Errorf("control %q %w", r.Control, ErrOutside)
		case err != nil:
			return "/control", err
		case !t.Exact && t.Control != nil:
			return "/control", fmt.Errorf("part %q of control %s %w", r.Control, t.Control.id, ErrUnknown)
		case t.Control == nil:
			return "/control", fmt.Errorf("control %q %w", r.Control, ErrUnknown)
		}
		control, r.Control = t.Control, t.Control.id
		if t.Statement != nil && t.Objective == nil && r.Statement == "" {
			r.Statement = t.Statement.id
		}
	}
	if r.Statement != "" {
		t, err := c.Find(r.Statement)
		switch {
		case errors.Is(err, ErrUnknown):
			return "/statement", fmt.Errorf("control of statement %q %w", r.Statement, ErrOutside)
		case err != nil:
			return "/statement", err
		case !t.Exact || t.Statement == nil || control != nil && t.Control != control:
			return "/statement", fmt.Errorf("statement %q %w", r.Statement, ErrUnknown)
		}
		control, r.Control, r.Statement = t.Control, t.Control.id, t.Statement.id
	}
	if control == nil {
		return "", fmt.Errorf("control or statement %w", ErrMissing)
	}
	if !w.im.baseline.Has(control) {
		return "/control", fmt.Errorf("control %q %w", r.Control, ErrOutside)
	}
	return "", nil
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
			if len(w.opts.Sources) > 0 && !slices.ContainsFunc(sources(d.of, set.Source), func(s string) bool { return slices.Contains(w.opts.Sources, s) }) {
				continue
			}
			pointer := fmt.Sprintf("%s/control-implementations/%d", d.pointer, i)
			for j := range set.ImplementedRequirements {
				w.fromDefinition(own, c, d, set, &set.ImplementedRequirements[j], fmt.Sprintf("%s/implemented-requirements/%d", pointer, j))
			}
		}
	}
	w.document = w.opts.Name
}

// sources returns the ways to name the source of a control implementation: as it
// is, and if it is a resource of the back matter also the hrefs of that.
func sources(def *oscal.ComponentDefinition, source string) []string {
	all := []string{source}
	if uuid, ok := strings.CutPrefix(source, "#"); ok && def.BackMatter != nil {
		for _, r := range oscal.Items(def.BackMatter.Resources) {
			if r.UUID == uuid {
				for _, l := range oscal.Items(r.Rlinks) {
					all = append(all, l.Href)
				}
			}
		}
	}
	return all
}

func (w *implementer) fromDefinition(own map[answerKey]bool, c Component, d *definition, set *oscal.ControlImplementationSet, v *oscal.ImplementedRequirementControlImplementation, pointer string) {
	r := Requirement{
		Control: v.ControlId, Component: c.ID, Description: v.Description, Remarks: v.Remarks,
		Parameters: slices.Clone(oscal.Items(v.SetParameters)),
	}
	control := w.im.baseline.catalog.Control(v.ControlId)
	if control == nil || !w.im.baseline.Has(control) {
		w.im.leftOut = append(w.im.leftOut, r)
		return
	}
	r.Roles = w.roleIDs(d.of, oscal.Items(v.ResponsibleRoles))
	for _, s := range oscal.Items(set.SetParameters) {
		p := w.im.baseline.catalog.Param(s.ParamId)
		if p != nil && p.control == control && valueOf(r.Parameters, s.ParamId) == nil && valueOf(r.Parameters, p.id) == nil {
			r.Parameters = append(r.Parameters, s)
		}
	}
	w.parameters(pointer+"/set-parameters", &r)
	setStatus, setOrigin, errs := statusOf(oscal.Items(set.Props))
	w.status(&r, oscal.Items(v.Props), cmp.Or(setStatus, w.opts.DefaultStatus), setOrigin, errs, pointer)
	w.merge(own, r, pointer)
	statements := oscal.Items(v.Statements)
	for i := range statements {
		s := &statements[i]
		at := fmt.Sprintf("%s/statements/%d", pointer, i)
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
		w.origins[&r] = origin{w.document, pointer}
		for _, set := range r.Parameters {
			w.lesser[&r] = append(w.lesser[&r], set.ParamId)
		}
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
				w.lesser[have] = append(w.lesser[have], set.ParamId)
			}
		}
	default:
		w.fail(pointer, &r, fmt.Errorf("the answer %w", ErrDuplicate))
	}
}

// settle puts the answers in order and finds the values of the parameters. It
// reports, if asked, answers that say nothing and values that differ: a plan
// that was read may have both.
func (w *implementer) settle(complete bool) {
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
		if r.Description == "" && complete {
			w.failAnswer("/description", r, fmt.Errorf("the description %w", ErrMissing))
		}
		var key any = im.baseline.catalog.Control(r.Control)
		if r.Statement != "" {
			key = im.baseline.catalog.Statement(r.Statement)
		}
		im.direct[key] = append(im.direct[key], r)
		for _, s := range r.Satisfied {
			im.satisfied[s.Of] = true
		}
	}
	w.settleParameters(complete)
}
