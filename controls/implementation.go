package controls

import (
	"cmp"
	"slices"

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
	satisfied    map[string]bool                     // UUIDs of the responsibilities that are
	roles        []Role                              // of the system, then those that its components need
	planUUID     string                              // of a plan that was read
	uuids        map[string]string                   // of a plan that was read: control or statement id to UUID
	responsible  map[string]*[]oscal.ResponsibleRole // of a plan that was read: by UUID of the object
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

// LeftOut returns what the implementation does not count, in the order of the
// input: requirements of component definitions whose controls are not in the
// baseline, and of a plan that was read those whose controls, statements or
// components are not there.
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
