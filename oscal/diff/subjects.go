package diff

import (
	"slices"

	"github.com/issokit/issokit/oscal"
)

// summed are the objects by which the documents of a model are summed up.
// Catalogs, and profiles beside their parameters, are summed up by control.
var summed = map[string][]string{
	"profile":                       {"set-parameter"},
	"mapping-collection":            {"map"},
	"component-definition":          {"component", "capability", "implemented-requirement", "statement"},
	"system-security-plan":          {"component", "implemented-requirement", "statement"},
	"assessment-plan":               {"activity", "task"},
	"assessment-results":            {"observation", "risk", "finding"},
	"plan-of-action-and-milestones": {"observation", "risk", "finding", "poam-item"},
}

// A SubjectChange says what became of one object of a document that is no
// catalog: a statement or component of a plan, a POA&M item, a risk.
type SubjectChange struct {
	Kind    Kind // Added, Removed, Moved, Renamed, or Changed where more than one of them holds
	Subject Subject
	Control string // of a requirement or statement: the control-id
	// Aspects are the members of the object that changed, by their XML names, in
	// the order of the changes. A POA&M item has its observations, risks and
	// findings as such too, where they changed.
	Aspects  []string
	Old, New *oscal.Node // nil where there is none
}

// Subjects sums up the changes by object: of a component definition or a system
// security plan by component, requirement and statement, of a POA&M by item,
// risk, observation and finding, of assessment results likewise, of an assessment
// plan by activity and task, of a profile by set-parameter, of a mapping
// collection by map. It is in the order in which the changes first concern them;
// objects that did not change are left out. For catalogs there is
// [Diff.Controls].
func (d *Diff) Subjects() []SubjectChange {
	s := subjectSummary{d: d, kinds: summed[d.New.Model()], back: d.backwards(), index: map[*oscal.Node]int{}}
	if s.kinds == nil {
		return nil
	}
	for _, c := range d.Changes {
		s.change(c)
	}
	s.related()
	return s.list
}

func (d *Diff) backwards() map[*oscal.Node]*oscal.Node {
	back := make(map[*oscal.Node]*oscal.Node, len(d.pairs))
	for x, y := range d.pairs {
		back[y] = x
	}
	return back
}

// A subjectSummary gathers changes by object.
type subjectSummary struct {
	d     *Diff
	kinds []string
	back  map[*oscal.Node]*oscal.Node
	list  []SubjectChange
	index map[*oscal.Node]int // of the object as it is now, or was
}

func (s *subjectSummary) sums(n *oscal.Node) bool {
	return n.Kind() == oscal.Assembly && slices.Contains(s.kinds, n.Name())
}

func (s *subjectSummary) change(c Change) {
	n := c.New
	if n == nil {
		n = c.Old
	}
	if c.Kind == Added || c.Kind == Removed {
		// Objects come and go with the objects that hold them.
		whole := false
		for o := range n.Walk() {
			if s.sums(o) && s.d.pairs[o] == nil && s.back[o] == nil {
				s.note(o, c.Kind, "")
				whole = whole || o == n
			}
		}
		if whole {
			return
		}
	}
	aspect := ""
	for o := n; o != nil; o = o.Parent() {
		if !s.sums(o) {
			aspect = o.Name()
			continue
		}
		kind := Changed
		if o == n && c.Kind == Moved || o == n.Parent() && c.Kind == Renamed {
			kind, aspect = c.Kind, ""
		}
		s.note(o, kind, aspect)
		return
	}
}

// note adds what happened to an object to what is known of it.
func (s *subjectSummary) note(o *oscal.Node, kind Kind, aspect string) {
	if now := s.d.pairs[o]; now != nil {
		o = now // what was removed belongs to the object as it is now
	}
	i, known := s.index[o]
	if !known {
		i = len(s.list)
		s.index[o] = i
		c := SubjectChange{Kind: kind, Subject: subjectOf(o), Old: s.back[o], New: o}
		if kind == Removed {
			c.Old, c.New = o, nil
		}
		for p := o; p != nil; p = p.Parent() {
			if p.Name() == "implemented-requirement" {
				c.Control = p.Get("control-id")
			}
		}
		s.list = append(s.list, c)
	}
	c := &s.list[i]
	if c.Kind != kind && c.Kind != Added {
		c.Kind = Changed
	}
	c.Aspects = add(c.Aspects, aspect)
}

// related adds to the items of a POA&M what changed of the risks, observations
// and findings that they name.
func (s *subjectSummary) related() {
	if s.d.New.Model() != "plan-of-action-and-milestones" {
		return
	}
	changed := map[string]string{}
	for _, c := range s.list {
		if n := c.New; n != nil && c.Kind == Changed && n.Name() != "poam-item" {
			changed[identifier(n)] = n.Name()
		}
	}
	for item := range s.d.New.Root().All("poam-item") {
		for n := range item.Walk() {
			if n.Member().DataType() != oscal.TypeUUID || s.back[item] == nil {
				continue
			}
			if name := changed[fold(n.Value())]; name != "" && n.Name() == name+"-uuid" {
				s.note(item, Changed, name)
			}
		}
	}
}
