package profile

import (
	"slices"

	"github.com/issokit/issokit/oscal"
)

// modify is the third phase: parameters are set, then controls are altered.
func (r *run) modify(c *content, modify *oscal.Node) {
	if modify == nil {
		return
	}
	r.setParameters(c, modify)
	a := &alteration{run: r, content: c, ids: map[*oscal.Node]map[string]*oscal.Node{}, marks: map[*oscal.Node]*mark{}}
	for alter := range modify.All("alter") {
		if r.over {
			return
		}
		id := alter.Child("control-id")
		targets := c.controls[id.Value()]
		if id == nil || targets == nil {
			r.warn(RuleUnknownControl, firstOf(id, alter), alter.Get("control-id"), "the catalog has no control %q to alter", alter.Get("control-id"))
			continue
		}
		for _, control := range targets {
			a.alter(alter, control)
		}
	}
	a.apply()
}

func firstOf(n, other *oscal.Node) *oscal.Node {
	if n != nil {
		return n
	}
	return other
}

// setParameters applies each set-parameter to all parameters of its id.
func (r *run) setParameters(c *content, modify *oscal.Node) {
	for set := range modify.All("set-parameter") {
		if !r.spend(1, set) {
			return
		}
		id := set.Get("param-id")
		found := slices.Clip(c.anchored[id])
		if same := c.byID[id]; same != nil {
			for _, p := range same.loose {
				p.kept = true
				found = append(found, r.copyOf(p))
			}
			if same.candidates != nil {
				p := same.candidates[0]
				p.sets = append(p.sets, set) // it may yet become loose: see copyOf
			}
		}
		for _, param := range found {
			r.setParameter(param, set)
		}
		if found == nil && (c.byID[id] == nil || c.byID[id].candidates == nil) {
			r.warnUnknownParameter(set)
		}
	}
}

func (r *run) warnUnknownParameter(set *oscal.Node) {
	id := set.Get("param-id")
	r.warn(RuleUnknownParameter, firstOf(set.Child("param-id"), set), id, "the catalog has no parameter %q to set", id)
}

// setParameter applies a set-parameter to a parameter: single members, values
// and select replace what is there, the rest is added to it.
func (r *run) setParameter(param, set *oscal.Node) {
	def := param.Member().Definition()
	var added []*oscal.Node
	replaced := map[string]bool{}
	uuids := map[string]bool{}
	for n := set.First(); n != nil; n = n.Next() {
		name := n.Name()
		if name == "param-id" {
			continue
		}
		if !r.spend(n.Size(), set) {
			return
		}
		c := r.adopt(n, def)
		if c == nil {
			continue
		}
		switch name {
		case "value":
			replaced["value"], replaced["select"] = true, true
		case "select":
			// In one set-parameter with both, select is the later one.
			replaced["value"], replaced["select"] = true, true
			added = without(added, "value")
		default:
			replaced[name] = !c.Member().Many()
			if uuid := c.Get("uuid"); uuid != "" {
				uuids[uuid] = true
			}
		}
		added = append(added, c)
	}
	children := make([]*oscal.Node, 0, 16)
	for n := range param.Children() {
		if !replaced[n.Name()] && !uuids[n.Get("uuid")] {
			children = append(children, n)
		}
	}
	param.SetChildren(append(children, added...))
}

func without(nodes []*oscal.Node, name string) []*oscal.Node {
	out := nodes[:0]
	for _, n := range nodes {
		if n.Name() != name {
			out = append(out, n)
		}
	}
	return out
}

// An alteration gathers all that is to be removed and added. Nothing changes
// before all is known, so that every directive sees the controls as they came
// out of the merge phase.
type alteration struct {
	*run
	*content
	ids    map[*oscal.Node]map[string]*oscal.Node // what has an id in an altered control
	marks  map[*oscal.Node]*mark
	marked []*oscal.Node // in the order in which they were met
}

// A mark tells what is to happen at a node.
type mark struct {
	removed          bool
	starting, ending []*oscal.Node // added inside
	before, after    []*oscal.Node // added beside
	changed          bool          // its list of children
}

func (a *alteration) mark(n *oscal.Node) *mark {
	m := a.marks[n]
	if m == nil {
		m = &mark{}
		a.marks[n] = m
		a.marked = append(a.marked, n)
	}
	return m
}

func (a *alteration) alter(alter, control *oscal.Node) {
	var removals []*removal
	for n := range alter.All("remove") {
		removals = append(removals, readRemoval(n))
	}
	if removals != nil {
		a.remove(control, removals)
		for _, rm := range removals {
			if !rm.used {
				a.warn(RuleNothingRemoved, rm.node, control.Get("id"), "the control %q has nothing that this removes", control.Get("id"))
			}
		}
	}
	for n := range alter.All("add") {
		a.add(n, control)
	}
}

// A removal is a remove directive. An object must meet all criteria.
type removal struct {
	node                          *oscal.Node
	name, class, id, itemName, ns *oscal.Node
	used                          bool
}

func readRemoval(n *oscal.Node) *removal {
	return &removal{
		node: n, name: n.Child("by-name"), class: n.Child("by-class"), id: n.Child("by-id"),
		itemName: n.Child("by-item-name"), ns: n.Child("by-ns"),
	}
}

func (rm *removal) matches(n *oscal.Node) bool {
	switch n.Name() {
	case "param", "link":
		if rm.ns != nil {
			return false
		}
	case "prop", "part":
		if rm.ns != nil && namespace(n) != rm.ns.Value() {
			return false
		}
	case "control":
		// A nested control goes only where it is named.
		if rm.id == nil || rm.ns != nil {
			return false
		}
	default:
		return false
	}
	if rm.itemName != nil && rm.itemName.Value() != n.Name() {
		return false
	}
	for _, c := range [...]struct {
		criterion *oscal.Node
		flag      string
	}{{rm.name, "name"}, {rm.class, "class"}, {rm.id, "id"}} {
		if c.criterion != nil {
			if flag := n.Child(c.flag); flag == nil || flag.Kind() != oscal.Flag || flag.Value() != c.criterion.Value() {
				return false
			}
		}
	}
	// A directive without criteria removes nothing.
	return rm.itemName != nil || rm.name != nil || rm.class != nil || rm.id != nil || rm.ns != nil
}

// remove marks what is to go from inside of a node.
func (a *alteration) remove(parent *oscal.Node, removals []*removal) {
	for n := parent.First(); n != nil; n = n.Next() {
		if n.Kind() != oscal.Assembly {
			continue
		}
		if !a.spend(len(removals), removals[0].node) {
			return
		}
		for _, rm := range removals {
			if rm.matches(n) {
				rm.used = true
				a.mark(n).removed = true
				a.mark(parent).changed = true
			}
		}
		a.remove(n, removals)
	}
}

// add places the content of an add directive.
func (a *alteration) add(add, control *oscal.Node) {
	position := "ending"
	if p := add.Child("position"); p != nil {
		switch v := p.Value(); v {
		case "before", "after", "starting", "ending":
			position = v
		default:
			a.warn(RuleUnknownValue, p, v, "position: expected before, after, starting or ending, found %q; ending is used", v)
		}
	}
	target := control
	// A by-id that names the altered control itself counts as none.
	if byID := add.Child("by-id"); byID != nil && byID.Value() != control.Get("id") {
		if target = a.find(control, byID.Value()); target == nil {
			a.warn(RuleUnknownTarget, byID, byID.Value(), "the control %q has no object %q to add to", control.Get("id"), byID.Value())
			return
		}
	} else {
		switch position {
		case "before":
			position = "starting"
		case "after":
			position = "ending"
		}
	}
	at, parent := a.mark(target), target
	var list *[]*oscal.Node
	switch position {
	case "starting":
		list = &at.starting
	case "ending":
		list = &at.ending
	case "before":
		list, parent = &at.before, target.Parent()
	case "after":
		list, parent = &at.after, target.Parent()
	}
	a.mark(parent).changed = true
	def := parent.Member().Definition()
	for n := add.First(); n != nil; n = n.Next() {
		if n.Kind() == oscal.Flag {
			continue
		}
		if !a.spend(n.Size(), add) {
			return
		}
		c := a.adopt(n, def)
		if c == nil {
			a.warn(RuleMisplacedAddition, n, n.Name(), "a %s cannot hold a %s", parent.Name(), n.Name())
			continue
		}
		*list = append(*list, c)
	}
}

// find returns the object of an id inside of a control.
func (a *alteration) find(control *oscal.Node, id string) *oscal.Node {
	ids := a.ids[control]
	if ids == nil {
		ids = map[string]*oscal.Node{}
		indexIDs(ids, control)
		a.ids[control] = ids
		a.spend(len(ids), control)
	}
	return ids[id]
}

func indexIDs(ids map[string]*oscal.Node, parent *oscal.Node) {
	for n := parent.First(); n != nil; n = n.Next() {
		switch n.Name() {
		case "param", "part", "control":
			if id := n.Get("id"); id != "" && ids[id] == nil {
				ids[id] = n
			}
			indexIDs(ids, n)
		}
	}
}

// apply makes the changes.
func (a *alteration) apply() {
	for _, n := range a.marked {
		m := a.marks[n]
		if !m.changed {
			continue
		}
		list := make([]*oscal.Node, 0, 16)
		started := false
		for c := range n.Children() {
			// What is added at the start stands after flags and title, so that a new
			// title is the later one.
			if !started && c.Kind() != oscal.Flag && c.Name() != "title" {
				list = append(list, m.starting...)
				started = true
			}
			cm := a.marks[c]
			if cm == nil {
				list = append(list, c)
				continue
			}
			list = append(list, cm.before...)
			if !cm.removed {
				list = append(list, c)
			}
			list = append(list, cm.after...)
		}
		if !started {
			list = append(list, m.starting...)
		}
		n.SetChildren(lastOfEach(append(list, m.ending...)))
	}
}

// lastOfEach drops all but the last of members that cannot be repeated.
func lastOfEach(list []*oscal.Node) []*oscal.Node {
	last := map[*oscal.Member]*oscal.Node{}
	for _, n := range list {
		if !n.Member().Many() {
			last[n.Member()] = n
		}
	}
	out := list[:0]
	for _, n := range list {
		if n.Member().Many() || last[n.Member()] == n {
			out = append(out, n)
		}
	}
	return out
}
