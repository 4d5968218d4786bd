package controls

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// maxDepth bounds how deep groups, controls and parts may lie in each other.
const maxDepth = 200

// A place is a step of the way to an object, for its JSON Pointer.
type place struct {
	up    *place
	key   string
	index int
}

func (p *place) pointer() string {
	if p == nil {
		return "/catalog"
	}
	return p.up.pointer() + "/" + p.key + "/" + strconv.Itoa(p.index)
}

// A builder makes a catalog in one walk over the view. What can be checked only
// when all ids are known waits in later, with its turn in the order of the
// document.
type builder struct {
	c        *Catalog
	name     string
	family   *Family
	rootless *Family
	problems Problems
	turns    []int // of the problems
	turn     int
	later    []func()
	acyclic  map[*Param]bool // parameters that [builder.cycle] has walked through
}

// otherPart stands for the parts that the index does not read further.
type otherPart struct{}

func (b *builder) build(view *oscal.Catalog) {
	b.c.ids = make(map[string]any, 4096)
	b.c.paramIDs = make(map[string]*Param, 1024)
	b.acyclic = map[*Param]bool{}
	b.params(view.Params, nil, nil)
	for i := range oscal.Items(view.Groups) {
		b.group(&(*view.Groups)[i], &place{nil, "groups", i}, 0)
	}
	b.rootless = &Family{}
	b.family = b.rootless
	for i := range oscal.Items(view.Controls) {
		b.control(&(*view.Controls)[i], nil, &place{nil, "controls", i}, 0)
	}
	if len(b.rootless.controls) > 0 {
		b.c.families = append(b.c.families, b.rootless)
	}
	for _, p := range b.c.params {
		for _, alt := range p.alternatives {
			if b.c.paramIDs[alt] == nil {
				b.c.paramIDs[alt] = p
			}
		}
	}
	for _, check := range b.later {
		check()
	}
	order := make([]int, len(b.problems))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(b.turns[i], b.turns[j]) })
	sorted := make(Problems, 0, len(order))
	for _, i := range order {
		sorted = append(sorted, b.problems[i])
	}
	b.problems = sorted
}

func (b *builder) fail(turn int, at *place, key string, control *Control, err error) {
	p := &Problem{Document: b.name, Pointer: at.pointer(), Err: err}
	if key != "" {
		p.Pointer += "/" + key
	}
	if control != nil {
		p.Control = control.id
	}
	b.problems = append(b.problems, p)
	b.turns = append(b.turns, turn)
}

// index makes an object known by its id.
func (b *builder) index(id string, x any, at *place, control *Control) {
	b.turn++
	switch {
	case id == "":
	case b.c.ids[id] != nil:
		b.fail(b.turn, at, "id", control, fmt.Errorf("id %q %w", id, ErrDuplicate))
	default:
		b.c.ids[id] = x
	}
}

func (b *builder) tooDeep(depth int, at *place, control *Control) bool {
	if depth > maxDepth {
		b.fail(b.turn, at, "", control, fmt.Errorf("depth %d %w of %d", depth, ErrLimit, maxDepth))
		return true
	}
	return false
}

func (b *builder) group(g *oscal.Group, at *place, depth int) {
	if b.tooDeep(depth, at, nil) {
		return
	}
	props := oscal.Items(g.Props)
	if depth == 0 {
		b.family = &Family{id: g.ID, title: g.Title, label: label(props)}
		b.c.families = append(b.c.families, b.family)
		b.index(g.ID, b.family, at, nil)
	} else {
		b.index(g.ID, otherPart{}, at, nil)
	}
	b.params(g.Params, nil, at)
	for i := range oscal.Items(g.Parts) {
		b.part(&(*g.Parts)[i], parts{}, &place{at, "parts", i}, depth+1)
	}
	for i := range oscal.Items(g.Groups) {
		b.group(&(*g.Groups)[i], &place{at, "groups", i}, depth+1)
	}
	for i := range oscal.Items(g.Controls) {
		b.control(&(*g.Controls)[i], nil, &place{at, "controls", i}, depth+1)
	}
}

func (b *builder) control(v *oscal.Control, parent *Control, at *place, depth int) {
	if b.tooDeep(depth, at, parent) {
		return
	}
	props := oscal.Items(v.Props)
	c := &Control{
		id: v.ID, class: v.Class, title: v.Title,
		label:     cmp.Or(label(props), v.ID),
		sortID:    cmp.Or(prop(props, "sort-id"), v.ID),
		props:     slices.Clone(props),
		links:     slices.Clone(oscal.Items(v.Links)),
		family:    b.family,
		parent:    parent,
		withdrawn: strings.EqualFold(prop(props, "status"), "withdrawn"),
	}
	b.index(v.ID, c, at, c)
	if v.ID == "" {
		b.fail(b.turn, at, "", c, fmt.Errorf("the id of control %q %w", v.Title, ErrMissing))
	}
	b.c.controls = append(b.c.controls, c)
	b.family.controls = append(b.family.controls, c)
	if parent != nil {
		parent.enhancements = append(parent.enhancements, c)
	}
	b.params(v.Params, c, at)
	for i := range c.links {
		if rel := c.links[i].Rel; rel == "moved-to" || rel == "incorporated-into" {
			b.successor(c, c.links[i].Href, &place{at, "links", i})
		}
	}
	for i := range oscal.Items(v.Parts) {
		p := &(*v.Parts)[i]
		if p.Name == "guidance" && p.Prose != "" {
			if c.guidance != "" {
				c.guidance += "\n\n"
			}
			c.guidance += p.Prose
		}
		b.part(p, parts{control: c}, &place{at, "parts", i}, depth+1)
	}
	if len(c.objectives) == 0 && !c.withdrawn {
		for _, s := range c.top {
			c.objectives = append(c.objectives, statementObjective(s, nil))
		}
	}
	for i := range oscal.Items(v.Controls) {
		b.control(&(*v.Controls)[i], c, &place{at, "controls", i}, depth+1)
	}
}

// statementObjective makes a statement its own objective.
func statementObjective(s *Statement, parent *Objective) *Objective {
	o := &Objective{id: s.id, label: s.label, prose: s.prose, control: s.control, statement: s, parent: parent, isStmt: true}
	s.own = o
	for _, item := range s.items {
		o.children = append(o.children, statementObjective(item, o))
	}
	if o.IsLeaf() {
		s.objectives = append(s.objectives, o)
		s.control.leaves = append(s.control.leaves, o)
	}
	return o
}

func (b *builder) successor(c *Control, href string, at *place) {
	b.turn++
	turn := b.turn
	b.later = append(b.later, func() {
		id, internal := strings.CutPrefix(href, "#")
		if t, ok := b.c.target(b.c.ids[id]); ok {
			c.successors = append(c.successors, t)
		} else if internal {
			b.fail(turn, at, "href", c, fmt.Errorf("the successor %q %w", id, ErrUnknown))
		}
	})
}

// parts is what the parts around a part are.
type parts struct {
	control   *Control
	statement *Statement
	objective *Objective
	method    *Method
}

func (b *builder) part(p *oscal.Part, in parts, at *place, depth int) {
	if b.tooDeep(depth, at, in.control) {
		return
	}
	c := in.control
	props := oscal.Items(p.Props)
	switch {
	case c == nil:
		b.index(p.ID, otherPart{}, at, c)
	case p.Name == "statement" && in.objective == nil && in.method == nil || p.Name == "item" && in.statement != nil:
		s := &Statement{
			id: p.ID, name: p.Name, label: label(props), prose: p.Prose, props: slices.Clone(props),
			control: c, parent: in.statement,
		}
		b.index(p.ID, s, at, c)
		c.all = append(c.all, s)
		if in.statement != nil {
			in.statement.items = append(in.statement.items, s)
		} else {
			c.top = append(c.top, s)
		}
		in = parts{control: c, statement: s}
	case p.Name == "objective" || p.Name == "assessment-objective":
		o := &Objective{id: p.ID, label: label(props), prose: p.Prose, control: c, parent: in.objective}
		b.index(p.ID, o, at, c)
		if in.objective != nil {
			in.objective.children = append(in.objective.children, o)
		} else {
			c.objectives = append(c.objectives, o)
		}
		b.assessmentFor(o, oscal.Items(p.Links), at)
		in = parts{control: c, objective: o}
	case p.Name == "assessment" || p.Name == "assessment-method":
		m := &Method{id: p.ID, kind: prop(props, "method"), label: label(props), control: c}
		b.index(p.ID, m, at, c)
		if m.kind != "EXAMINE" && m.kind != "INTERVIEW" && m.kind != "TEST" {
			b.fail(b.turn, at, "props", c, fmt.Errorf("%q %w method (EXAMINE, INTERVIEW, TEST)", m.kind, ErrValue))
		}
		c.methods = append(c.methods, m)
		in = parts{control: c, method: m}
	case in.method != nil && (p.Name == "objects" || p.Name == "assessment-objects"):
		b.index(p.ID, otherPart{}, at, c)
		for text := range strings.SplitSeq(p.Prose, "\n\n") {
			if text = strings.TrimSpace(text); text != "" {
				in.method.objects = append(in.method.objects, text)
			}
		}
	default:
		b.index(p.ID, otherPart{}, at, c)
		in.statement = nil // an item of a guidance says nothing that must be done
	}
	b.inserts(p.Prose, at, "prose", c)
	for i := range oscal.Items(p.Parts) {
		b.part(&(*p.Parts)[i], in, &place{at, "parts", i}, depth+1)
	}
}

// assessmentFor finds the statement that an objective is for when all ids are
// known, and makes a leaf known to it.
func (b *builder) assessmentFor(o *Objective, links []oscal.Link, at *place) {
	turn := b.turn
	links = slices.Clone(links)
	b.later = append(b.later, func() {
		found := false
		for i, l := range links {
			if l.Rel != "assessment-for" && l.Rel != "corresp" {
				continue
			}
			id := strings.TrimPrefix(l.Href, "#")
			switch x := b.c.ids[id].(type) {
			case *Statement:
				if found && o.statement != x {
					b.fail(turn, &place{at, "links", i}, "href", o.control, fmt.Errorf("the statement of objective %s %w: %s and %s", o.id, ErrDuplicate, o.statement.id, x.id))
					continue
				}
				found, o.statement = true, x
			case *Control:
				// The objective is for the control as a whole.
			default:
				b.fail(turn, &place{at, "links", i}, "href", o.control, fmt.Errorf("the statement %q of objective %s %w", id, o.id, ErrUnknown))
			}
		}
		if o.statement == nil && o.parent != nil {
			o.statement = o.parent.statement
		}
		if o.IsLeaf() {
			o.control.leaves = append(o.control.leaves, o)
			if o.statement != nil {
				o.statement.objectives = append(o.statement.objectives, o)
			}
		}
	})
}

func (b *builder) params(list *[]oscal.Parameter, c *Control, at *place) {
	for i := range oscal.Items(list) {
		v := &(*list)[i]
		props := oscal.Items(v.Props)
		p := &Param{
			id: v.ID, label: v.Label, usage: v.Usage, dependsOn: v.DependsOn,
			values:       slices.Clone(oscal.Items(v.Values)),
			aggregates:   allProps(props, "aggregates"),
			alternatives: allProps(props, "alt-identifier"),
			props:        slices.Clone(props),
			control:      c,
		}
		for _, g := range oscal.Items(v.Guidelines) {
			p.guidelines = append(p.guidelines, g.Prose)
		}
		for _, k := range oscal.Items(v.Constraints) {
			text := k.Description
			if text == "" {
				var tests []string
				for _, t := range oscal.Items(k.Tests) {
					tests = append(tests, t.Expression)
				}
				text = strings.Join(tests, "; ")
			}
			p.constraints = append(p.constraints, text)
		}
		here := &place{at, "params", i}
		b.turn++
		if v.Select != nil {
			p.hasSelect, p.howMany, p.choices = true, v.Select.HowMany, slices.Clone(oscal.Items(v.Select.Choice))
			if p.howMany != "" && p.howMany != "one" && p.howMany != "one-or-more" {
				b.fail(b.turn, here, "select/how-many", c, fmt.Errorf("%q %w how-many (one, one-or-more)", p.howMany, ErrValue))
			}
			for j, choice := range p.choices {
				b.inserts(choice, here, "select/choice/"+strconv.Itoa(j), c)
			}
		}
		b.inserts(p.label, here, "label", c)
		for j, value := range p.values {
			b.inserts(value, here, "values/"+strconv.Itoa(j), c)
		}
		switch {
		case p.id == "":
			b.fail(b.turn, here, "", c, fmt.Errorf("the id of a parameter %w", ErrMissing))
		case b.c.paramIDs[p.id] != nil:
			b.fail(b.turn, here, "id", c, fmt.Errorf("parameter id %q %w", p.id, ErrDuplicate))
		default:
			b.c.paramIDs[p.id] = p
		}
		b.c.params = append(b.c.params, p)
		if c != nil {
			c.params = append(c.params, p)
		}
		b.paramChecks(p, here)
	}
}

// paramChecks looks, when all ids are known, at what a parameter refers to.
func (b *builder) paramChecks(p *Param, at *place) {
	turn := b.turn
	b.later = append(b.later, func() {
		for _, id := range p.aggregates {
			if b.c.paramIDs[id] == nil {
				b.fail(turn, at, "props", p.control, fmt.Errorf("parameter %q, an aggregate of %s, %w", id, p.id, ErrUnknown))
			}
		}
		if p.dependsOn != "" && b.c.paramIDs[p.dependsOn] == nil {
			b.fail(turn, at, "depends-on", p.control, fmt.Errorf("parameter %q, on which %s depends, %w", p.dependsOn, p.id, ErrUnknown))
		}
		if way := b.cycle(p, nil); way != "" {
			b.fail(turn, at, "", p.control, fmt.Errorf("parameter %q %w: %s", p.id, ErrCycle, way))
		}
	})
}

// cycle returns the way on which a parameter inserts itself, "" if there is none.
// Each parameter is walked through once.
func (b *builder) cycle(p *Param, up []*Param) string {
	if i := slices.Index(up, p); i >= 0 {
		var way strings.Builder
		for _, q := range up[i:] {
			way.WriteString(q.id + " > ")
		}
		return way.String() + p.id
	}
	if b.acyclic[p] {
		return ""
	}
	b.acyclic[p] = true
	up = append(up, p)
	for _, text := range slices.Concat([]string{p.label}, p.choices, p.values) {
		for id := range insertions(text) {
			if q := b.c.paramIDs[id]; q != nil {
				if way := b.cycle(q, up); way != "" {
					return way
				}
			}
		}
	}
	return ""
}

// inserts looks at the parameter insertions of a text when all ids are known.
func (b *builder) inserts(text string, at *place, key string, c *Control) {
	if !strings.Contains(text, "{{") {
		return
	}
	turn := b.turn
	b.later = append(b.later, func() {
		for id := range insertions(text) {
			if b.c.paramIDs[id] == nil {
				b.fail(turn, at, key, c, fmt.Errorf("parameter %q %w", id, ErrUnknown))
			}
		}
	})
}
