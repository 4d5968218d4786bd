package profile

import (
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// A structure is how a profile arranges controls.
type structure uint8

const (
	flat structure = iota + 1
	asIs
	custom
)

// A plan is what a merge directive says.
type plan struct {
	useFirst  bool
	structure structure
	custom    *oscal.Node
}

// readMerge reads a merge directive, which may be nil.
func (r *run) readMerge(merge *oscal.Node) (p plan, ok bool) {
	p.structure = flat
	if merge == nil {
		return p, true
	}
	ok = true
	if method := merge.Child("combine").Child("method"); method != nil {
		switch method.Value() {
		case "keep":
		case "use-first":
			p.useFirst = true
		default:
			r.problem(oscal.Error, RuleCombineMethod, method, method.Value(), nil, "combine: expected use-first or keep, found %q", method.Value())
			ok = false
		}
	}
	var found []string
	for n := range merge.Children() {
		switch n.Name() {
		case "flat":
		case "as-is":
			// as-is: false is as good as none.
			if v := n.Value(); v != "true" && v != "1" {
				continue
			}
			p.structure = asIs
		case "custom":
			p.structure, p.custom = custom, n
		default:
			continue
		}
		found = append(found, n.Name())
	}
	if len(found) > 1 {
		r.problem(oscal.Error, RuleStructuringDirectives, merge, strings.Join(found, " "), nil, "expected one of flat, as-is and custom, found %s", strings.Join(found, " and "))
		ok = false
	}
	return p, ok
}

// A content is what the merge phase makes: the arrangement of the catalog.
type content struct {
	pieces []*piece
	params []*loose // in the order of the imports
	byID   map[string]*sameID

	// The tree that is made of it, and what one looks for in it.
	catalog  *oscal.Node
	groups   map[*piece]*oscal.Node
	controls map[string][]*oscal.Node // by id
	anchored map[string][]*oscal.Node // parameters of controls, by id
}

// merge is the second phase: combine, then structure.
func (r *run) merge(p plan, selections []*selection) *content {
	c := &content{}
	if p.useFirst {
		seen := map[string]bool{}
		for _, s := range selections {
			s.pieces = s.useFirst(s.pieces, seen)
		}
	}
	for _, s := range selections {
		c.params = append(c.params, s.params...)
	}
	switch p.structure {
	case flat:
		for _, s := range selections {
			c.pieces = r.flatten(c.pieces, s.pieces)
		}
	case asIs:
		groups := map[string]*piece{}
		for _, s := range selections {
			c.pieces = combine(c.pieces, s.pieces, groups)
		}
		c.pieces = withContent(c.pieces)
	case custom:
		r.arrange(c, p.custom, selections)
	}
	c.settle(p.structure)
	r.dropDuplicateParams(c, p.useFirst)
	c.indexParams()
	r.build(c)
	return c
}

// useFirst drops the controls whose id was seen already. Children of theirs that
// were not seen move to their place.
func (s *selection) useFirst(pieces []*piece, seen map[string]bool) []*piece {
	out := make([]*piece, 0, len(pieces))
	for _, p := range pieces {
		if p.isGroup() {
			p.kids = s.useFirst(p.kids, seen)
			out = append(out, p)
			continue
		}
		id := p.id()
		first := !seen[id]
		seen[id] = true
		kids := s.useFirst(p.kids, seen)
		if first {
			p.kids = kids
			out = append(out, p)
			continue
		}
		for n := range p.node.All("param") {
			s.params = append(s.params, &loose{node: n, owner: p.node})
		}
		out = append(out, kids...)
	}
	return out
}

// flatten lists controls without groups and without nesting, each child after
// its parent.
func (r *run) flatten(to, pieces []*piece) []*piece {
	for _, p := range pieces {
		switch {
		case p.isGroup():
			to = r.flatten(to, p.kids)
		case r.opts.KeepNesting:
			to = append(to, p)
		default:
			kids := p.kids
			p.kids = nil
			to = r.flatten(append(to, p), kids)
		}
	}
	return to
}

// combine appends pieces to others. A group whose key is known already becomes
// one with the first of that key, wherever that stands.
func combine(to, pieces []*piece, groups map[string]*piece) []*piece {
	for _, p := range pieces {
		if !p.isGroup() {
			to = append(to, p)
			continue
		}
		g := groups[p.key]
		if g == nil {
			g = &piece{node: p.node, key: p.key, from: p.from}
			groups[p.key] = g
			to = append(to, g)
		} else {
			g.more = append(g.more, p.node)
		}
		p.taken = g
		g.kids = combine(g.kids, p.kids, groups)
	}
	return to
}

// withContent drops the groups that hold no control and are not marked to be
// kept.
func withContent(pieces []*piece) []*piece {
	out := make([]*piece, 0, len(pieces))
	for _, p := range pieces {
		if p.isGroup() {
			p.kids = withContent(p.kids)
			if len(p.kids) == 0 && !keepAlways(p.node) && !slices.ContainsFunc(p.more, keepAlways) {
				p.taken = nil
				continue
			}
			p.taken = p
		}
		out = append(out, p)
	}
	return out
}

// keepAlways tells whether an object has the prop that protects it from pruning.
func keepAlways(n *oscal.Node) bool {
	for p := range n.All("prop") {
		if p.Get("name") == "keep" && p.Get("value") == "always" && isOSCAL(p) {
			return true
		}
	}
	return false
}

// namespace of a prop or part.
func namespace(n *oscal.Node) string {
	if ns := n.Get("ns"); ns != "" {
		return ns
	}
	return oscal.CoreNamespace
}

func isOSCAL(n *oscal.Node) bool { return namespace(n) == oscal.CoreNamespace }

// arrange makes the structure of a custom directive.
func (r *run) arrange(c *content, directive *oscal.Node, selections []*selection) {
	a := &arranger{run: r, content: c, imported: map[string]*piece{}, inserted: map[*oscal.Node]bool{}}
	for _, s := range selections {
		a.pool = append(a.pool, controls(nil, s.pieces)...)
		a.index(s.pieces)
	}
	c.pieces = a.layout(directive)
	// What was not inserted is gone, but its parameters may be needed elsewhere.
	a.notInserted(a.pool)
}

type arranger struct {
	*run
	*content
	pool     []*piece          // controls in the order of the imports
	imported map[string]*piece // groups that hold something, by id
	inserted map[*oscal.Node]bool
}

// controls lists controls without their groups.
func controls(to, pieces []*piece) []*piece {
	for _, p := range pieces {
		if p.isGroup() {
			to = controls(to, p.kids)
		} else {
			to = append(to, p)
		}
	}
	return to
}

func (a *arranger) index(pieces []*piece) (any bool) {
	for _, p := range pieces {
		if !p.isGroup() {
			any = true
			continue
		}
		if holds := a.index(p.kids); holds || keepAlways(p.node) {
			any = true
			if id := p.id(); id != "" && a.imported[id] == nil {
				a.imported[id] = p
			}
		}
	}
	return any
}

// layout makes the groups and inserts the controls of custom or of a group in
// it.
func (a *arranger) layout(parent *oscal.Node) []*piece {
	var out []*piece
	for n := range parent.Children() {
		switch n.Name() {
		case "group":
			g := &piece{node: n, from: n}
			g.taken = g
			for p := range n.All("param") {
				a.params = append(a.params, &loose{node: p, group: g, kept: true})
			}
			if same := a.imported[n.Get("id")]; same != nil && same.taken == nil {
				g.more = append(g.more, same.node)
				same.taken = g
			}
			g.kids = a.layout(n)
			out = append(out, g)
		case "insert-controls":
			out = append(out, a.insert(n)...)
		}
	}
	return out
}

// insert selects controls from all that were imported.
func (a *arranger) insert(n *oscal.Node) []*piece {
	m := a.readMatcher(n)
	out := a.choose(m, a.pool, n, inherited{})
	m.report(a.run, "the imports together")
	if len(out) == 0 {
		a.warn(RuleNothingSelected, n, "", "insert-controls selects no control")
	}
	switch order := n.Child("order"); {
	case order == nil, order.Value() == "", order.Value() == "keep":
	case order.Value() == "ascending":
		sortPieces(out, 1)
	case order.Value() == "descending":
		sortPieces(out, -1)
	default:
		a.warn(RuleUnknownValue, order, order.Value(), "order: expected keep, ascending or descending, found %q; keep is used", order.Value())
	}
	return out
}

// choose makes new pieces of the selected controls; selected children stay
// inside of selected parents.
func (a *arranger) choose(m *matcher, from []*piece, directive *oscal.Node, in inherited) []*piece {
	var out []*piece
	for _, p := range from {
		if !a.spend(m.cost, directive) {
			break
		}
		selected, below := m.control(p.id(), in)
		kids := a.choose(m, p.kids, directive, below)
		if !selected {
			out = append(out, kids...)
			continue
		}
		a.inserted[p.node] = true
		out = append(out, &piece{node: p.node, kids: kids, from: directive})
	}
	return out
}

// sortPieces orders controls by the code points of their ids.
func sortPieces(pieces []*piece, sign int) {
	slices.SortStableFunc(pieces, func(a, b *piece) int { return sign * strings.Compare(a.id(), b.id()) })
	for _, p := range pieces {
		sortPieces(p.kids, sign)
	}
}

func (a *arranger) notInserted(pieces []*piece) {
	for _, p := range pieces {
		if !a.inserted[p.node] {
			for n := range p.node.All("param") {
				a.params = append(a.params, &loose{node: n, owner: p.node})
			}
		}
		a.notInserted(p.kids)
	}
}

// settle finds the place of each loose parameter: in its group if that stays,
// else in the catalog.
func (c *content) settle(s structure) {
	for _, p := range c.params {
		if g := p.group; g != nil {
			p.group = g.taken
			if s == asIs && g.taken != nil {
				p.group = g.taken.taken // nil for a group that was dropped after all
			}
		}
	}
}

// dropDuplicateParams leaves one of several loose parameters of one id if they
// are equal, and under use-first the first in any case.
func (r *run) dropDuplicateParams(c *content, useFirst bool) {
	type entry struct {
		first  *loose
		warned bool
	}
	byID := map[string]*entry{}
	c.params = slices.DeleteFunc(c.params, func(p *loose) bool {
		id := p.node.Get("id")
		if p.owner != nil {
			return false
		}
		e := byID[id]
		if e == nil {
			byID[id] = &entry{first: p}
			return false
		}
		if useFirst || equal(e.first.node, p.node) {
			e.first.kept = e.first.kept || p.kept
			return true
		}
		if !e.warned {
			e.warned = true
			r.warn(RuleDuplicateParameter, r.profile(), id, "the catalog has several parameters %q outside of controls", id)
		}
		return false
	})
}

// sameID are the parameters of one id that stand outside of controls, and those
// of controls that were not selected, of which the first may become loose.
type sameID struct {
	id                string
	loose, candidates []*loose
	referenced        bool
	took              bool // a candidate became loose
}

func (c *content) indexParams() {
	c.byID = map[string]*sameID{}
	for _, p := range c.params {
		id := p.node.Get("id")
		same := c.byID[id]
		if same == nil {
			same = &sameID{id: id}
			c.byID[id] = same
		}
		if p.owner == nil {
			same.loose = append(same.loose, p)
		} else {
			same.candidates = append(same.candidates, p)
		}
	}
}

// profile returns the root of the profile that is being resolved.
func (r *run) profile() *oscal.Node { return r.stack[len(r.stack)-1].doc.Root() }

// equal tells whether two nodes say the same.
func equal(a, b *oscal.Node) bool {
	if a.Name() != b.Name() || a.Value() != b.Value() {
		return false
	}
	x, y := a.First(), b.First()
	for x != nil && y != nil && equal(x, y) {
		x, y = x.Next(), y.Next()
	}
	return x == nil && y == nil
}
