package constraint

import (
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// Most targets are paths of steps from a node with predicates on flags. These
// are compiled to functions over nodes, without sequences of items between.

// nodesFn appends what a path selects from a node.
type nodesFn func(d *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node

// nodePred is a predicate that depends on the node alone.
type nodePred func(d *dyn, n *oscal.Node) bool

// pathProps says what is known of the nodes that a path selects from one node.
type pathProps struct {
	sorted   bool // document order, none twice
	disjoint bool // none holds another
}

// kids returns the first of the nodes below one, flags included.
func (d *dyn) kids(n *oscal.Node) *oscal.Node {
	if isDocument(n) {
		return d.sources[n].root
	}
	return n.First()
}

// children appends the nodes of a set that stand directly below a node.
func (d *dyn) children(n *oscal.Node, set *memberSet, out []*oscal.Node) []*oscal.Node {
	if n == d.host {
		for _, g := range d.groups {
			if !set.has(g.member) {
				continue
			}
			for k := g.first; k != nil && k.Member() == g.member; k = k.Next() {
				out = append(out, k)
			}
		}
		return out
	}
	for k := d.kids(n); k != nil; k = k.Next() {
		if set.has(k.Member()) {
			out = append(out, k)
		}
	}
	return out
}

// up returns the node above one, nil above the node above the root.
func (d *dyn) up(n *oscal.Node) *oscal.Node {
	if p := n.Parent(); p != nil {
		return p
	}
	if isDocument(n) {
		return nil
	}
	return d.source(n).top
}

// nodePath compiles an expression that is a path of nodes from the context
// node; ok is false for any other.
func (c *compiler) nodePath(e *expr) (nodesFn, pathProps, bool) {
	p, done := c.paths[e]
	if !done {
		p.fn, p.props, p.ok = c.pathOf(e)
		c.paths[e] = p
	}
	return p.fn, p.props, p.ok
}

func (c *compiler) pathOf(e *expr) (fn nodesFn, props pathProps, ok bool) {
	switch e.op {
	case opFocus:
		// A lone dot may stand for a value that is no node; as the start of a path
		// it cannot.
		return nil, props, false
	case opRoot:
		if c.opts.RelativeRoot {
			return self, pathProps{true, true}, true
		}
		return func(d *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
			return append(out, d.source(n).top)
		}, pathProps{true, true}, true
	case opStep:
		return c.step(e)
	case opFilter:
		return c.filterPath(e)
	case opUnion:
		if merged := mergeSteps(e); merged != nil {
			return c.step(merged)
		}
		a, _, ok1 := c.startPath(e.kids[0])
		b, _, ok2 := c.startPath(e.kids[1])
		if !ok1 || !ok2 {
			return nil, props, false
		}
		return func(d *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
			mark := len(out)
			out = a(d, n, out)
			middle := len(out)
			out = b(d, n, out)
			if middle == mark || middle == len(out) {
				return out
			}
			return out[:mark+len(d.sortNodes(out[mark:]))]
		}, pathProps{sorted: true}, true
	case opPath:
		left, right := e.kids[0], e.kids[1]
		// X//name is X/descendant::name unless a predicate counts positions.
		if isAnyDescendant(left) || left.op == opPath && isAnyDescendant(left.kids[1]) {
			if step := c.descend(right); step != nil {
				if left.op != opPath {
					return c.nodePath(step)
				}
				left, right = left.kids[0], step
			}
		}
		if fn := c.flagOfChildren(left, right); fn != nil {
			return fn, pathProps{true, true}, true
		}
		a, pa, ok1 := c.startPath(left)
		if !ok1 {
			return nil, props, false
		}
		b, pb, ok2 := c.startPath(right)
		if !ok2 {
			return nil, props, false
		}
		return join(a, pa, b, pb, rightmost(right))
	}
	return nil, props, false
}

// flagOfChildren recognises child[p]/@flag and .[p]/@flag, what most targets
// are; nil for all else.
func (c *compiler) flagOfChildren(left, right *expr) nodesFn {
	flag := c.flagStep(right)
	if flag == nil {
		return nil
	}
	var conds []nodePred
	for ; left.op == opFilter; left = left.kids[0] {
		if positional(left.kids[1]) {
			return nil
		}
		if !c.ignorePredicates {
			conds = append(conds, c.predicate(left.kids[1]))
		}
	}
	slices.Reverse(conds)
	add := func(d *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
		for _, cond := range conds {
			if !cond(d, n) {
				return out
			}
		}
		if f := flagOf(n, flag); f != nil {
			out = append(out, f)
		}
		return out
	}
	if left.op == opFocus {
		return add
	}
	if left.op != opStep || left.axis != axisChild {
		return nil
	}
	set := c.names.passing(c.resolveNames(left), axisChild)
	return func(d *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
		mid := d.children(n, set, d.buffer())
		for _, k := range mid {
			out = add(d, k, out)
		}
		d.tick(len(mid))
		d.release(mid)
		return out
	}
}

// startPath is nodePath for a place where a dot must be a node.
func (c *compiler) startPath(e *expr) (nodesFn, pathProps, bool) {
	if e.op == opFocus {
		return self, pathProps{true, true}, true
	}
	return c.nodePath(e)
}

// first returns the members that the first step of a path selects if that is a
// step down, nil if it is another or not known.
func (c *compiler) first(e *expr) *memberSet {
	switch e.op {
	case opStep:
		if e.axis == axisChild || e.axis == axisAttribute {
			return c.names.passing(c.resolveNames(e), e.axis)
		}
	case opFilter:
		return c.first(e.kids[0])
	case opPath:
		left := e.kids[0]
		for left.op == opFilter {
			left = left.kids[0]
		}
		if left.op == opFocus {
			return c.first(e.kids[1])
		}
		return c.first(left)
	}
	return nil
}

// everywhere returns the members that //name, or a union of names in
// parentheses, selects in all of the document, nil for anything else.
func (c *compiler) everywhere(e *expr) *memberSet {
	if e.op != opPath || c.opts.RelativeRoot {
		return nil
	}
	left := e.kids[0]
	if left.op != opPath || left.kids[0].op != opRoot || !isAnyDescendant(left.kids[1]) {
		return nil
	}
	step := c.descend(e.kids[1])
	if step == nil || step.op != opStep {
		return nil
	}
	return c.names.passing(c.resolveNames(step), axisDescendant).without(&c.names.flag)
}

func self(_ *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node { return append(out, n) }

// rightmost returns the axis of the last step of a relative path, 0 if it is
// not a single step.
func rightmost(e *expr) axis {
	for e.op == opFilter {
		e = e.kids[0]
	}
	switch e.op {
	case opStep:
		return e.axis
	case opUnion:
		if mergeSteps(e) != nil {
			return axisChild
		}
	}
	return 0
}

// join is a/b. What is known of both tells whether the nodes have to be sorted.
func join(a nodesFn, pa pathProps, b nodesFn, pb pathProps, last axis) (nodesFn, pathProps, bool) {
	props := pathProps{sorted: true}
	// Flags of nodes in document order are in document order, nested or not:
	// they come before all that their owner holds.
	flags := last == axisAttribute
	props.disjoint = flags || pa.disjoint && pb.disjoint && (last == axisChild || last == axisSelf)
	inOrder := pa.sorted && pb.sorted && (flags || last == axisSelf ||
		pa.disjoint && (last == axisChild || last == axisDescendant || last == axisDescendantOrSelf))
	// Steps down from nodes that turn out not to hold one another are in order.
	down := pa.sorted && pb.sorted && (last == axisChild || last == axisDescendant || last == axisDescendantOrSelf)
	return func(d *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
		mid := a(d, n, d.buffer())
		mark := len(out)
		for _, m := range mid {
			out = b(d, m, out)
		}
		d.tick(len(mid))
		if len(mid) > 1 && !inOrder && !(down && disjoint(mid)) || !pb.sorted {
			out = out[:mark+len(d.sortNodes(out[mark:]))]
		}
		d.release(mid)
		return out
	}, props, true
}

func isAnyDescendant(e *expr) bool {
	return e.op == opStep && e.axis == axisDescendantOrSelf && len(e.tests) == 1 && e.tests[0].kind == "node"
}

// descend turns a child step after // into a descendant step, nil if that
// means something else.
func (c *compiler) descend(e *expr) *expr {
	switch e.op {
	case opUnion:
		if m := mergeSteps(e); m != nil {
			return c.descend(m)
		}
	case opStep:
		if e.axis == axisChild {
			s := *e
			s.axis = axisDescendant
			return &s
		}
	case opFilter:
		if !positional(e.kids[1]) {
			if s := c.descend(e.kids[0]); s != nil {
				f := *e
				f.kids = []*expr{s, e.kids[1]}
				return &f
			}
		}
	}
	return nil
}

// mergeSteps makes one step of a union of child steps, nil if there is more to
// it.
func mergeSteps(e *expr) *expr {
	var steps []*expr
	var collect func(e *expr) bool
	collect = func(e *expr) bool {
		if e.op == opUnion {
			return collect(e.kids[0]) && collect(e.kids[1])
		}
		steps = append(steps, e)
		return e.op == opStep && e.axis == axisChild
	}
	if !collect(e) {
		return nil
	}
	m := *steps[0]
	m.tests = nil
	for _, s := range steps {
		m.tests = append(m.tests, s.tests...)
	}
	return &m
}

// positional tells whether the value of a predicate may be a number or depend
// on the position.
func positional(e *expr) bool {
	switch e.op {
	case opOr, opAnd, opGeneral, opValue, opNodeOrder, opSome, opEvery, opUnion, opIntersect, opExcept, opCastable, opInstance, opString:
		return usesPosition(e)
	case opStep, opRoot:
		return false
	case opPath:
		return positional(e.kids[1]) || usesPosition(e)
	case opFilter:
		return positional(e.kids[0])
	case opCall:
		switch strings.TrimPrefix(e.name, "fn:") {
		case "not", "exists", "empty", "boolean", "true", "false", "starts-with", "ends-with", "contains", "matches",
			"has-oscal-namespace", "doc-available", "string", "name", "local-name", "normalize-space", "concat", "substring-after":
			return usesPosition(e)
		}
	}
	return true
}

// usesPosition tells whether position() or last() of this focus may occur.
func usesPosition(e *expr) bool {
	if e.op == opCall {
		if n := strings.TrimPrefix(e.name, "fn:"); n == "position" || n == "last" {
			return true
		}
	}
	if e.op == opFilter {
		return usesPosition(e.kids[0]) // the predicate has a focus of its own
	}
	return slices.ContainsFunc(e.kids, usesPosition)
}

// filterPath is a path with a predicate. On a step the positions count among
// the nodes that the step selects from one node; on anything in parentheses
// among all.
func (c *compiler) filterPath(e *expr) (nodesFn, pathProps, bool) {
	in, props, ok := c.startPath(e.kids[0])
	if !ok {
		return nil, props, false
	}
	if c.ignorePredicates {
		return in, props, true
	}
	if positional(e.kids[1]) {
		cond := c.compile(e.kids[1])
		reverse := isReverse(rightmost(e.kids[0]))
		return func(d *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
			list := in(d, n, d.buffer())
			inner := *d
			inner.size = len(list)
			for i, m := range list {
				inner.item, inner.pos = NodeItem(m), i+1
				if reverse {
					inner.pos = len(list) - i
				}
				if d.selects(cond(&inner), inner.pos) {
					out = append(out, m)
				}
			}
			d.tick(len(list))
			d.release(list)
			return out
		}, props, true
	}
	cond := c.predicate(e.kids[1])
	return func(d *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
		mark := len(out)
		out = in(d, n, out)
		d.tick(1 + len(out) - mark)
		kept := out[:mark]
		for _, m := range out[mark:] {
			if cond(d, m) {
				kept = append(kept, m)
			}
		}
		return kept
	}, props, true
}

func isReverse(a axis) bool {
	switch a {
	case axisAncestor, axisAncestorOrSelf, axisParent, axisPreceding, axisPrecedingSibling:
		return true
	}
	return false
}

// predicate compiles the effective boolean value of an expression on a node.
func (c *compiler) predicate(e *expr) nodePred {
	if p, ok := c.preds[e]; ok {
		return p
	}
	p := c.nodePred(e)
	c.preds[e] = p
	return p
}

func (c *compiler) nodePred(e *expr) nodePred {
	switch e.op {
	case opAnd, opOr:
		kids := make([]nodePred, len(e.kids))
		for i, k := range e.kids {
			kids[i] = c.predicate(k)
		}
		stop := e.op == opOr
		if len(kids) == 2 {
			a, b := kids[0], kids[1]
			if stop {
				return func(d *dyn, n *oscal.Node) bool { return a(d, n) || b(d, n) }
			}
			return func(d *dyn, n *oscal.Node) bool { return a(d, n) && b(d, n) }
		}
		return func(d *dyn, n *oscal.Node) bool {
			for _, k := range kids {
				if k(d, n) == stop {
					return stop
				}
			}
			return !stop
		}
	case opGeneral, opValue:
		if p := c.flagIs(e); p != nil {
			return p
		}
	case opCall:
		if p := c.callPredicate(e); p != nil {
			return p
		}
	case opStep:
		if flag := c.flagStep(e); flag != nil {
			return func(_ *dyn, n *oscal.Node) bool { return flagOf(n, flag) != nil }
		}
	}
	if e.op != opFocus {
		if nodes, _, ok := c.nodePath(e); ok {
			return func(d *dyn, n *oscal.Node) bool { return d.any(nodes, n) }
		}
	}
	f := c.boolean(e)
	return func(d *dyn, n *oscal.Node) bool {
		inner := *d
		inner.item, inner.pos, inner.size = NodeItem(n), 1, 1
		return f(&inner)
	}
}

// flagStep recognises @name and returns the flags of the name, nil for anything
// else.
func (c *compiler) flagStep(e *expr) *memberSet {
	if e.op == opStep && e.axis == axisAttribute && len(e.tests) == 1 && e.tests[0].kind == "" && !strings.ContainsAny(e.tests[0].name, ":{") {
		return c.names.flags(e.tests[0].name)
	}
	return nil
}

// flagOf returns the flag that is of a set, nil if there is none. Flags come
// first.
func flagOf(n *oscal.Node, set *memberSet) *oscal.Node {
	for k := n.First(); k != nil; k = k.Next() {
		m := k.Member()
		if m.Kind() != oscal.Flag {
			break
		}
		if set.has(m) {
			return k
		}
	}
	return nil
}

// flagNamed returns the flag of a name, nil if there is none.
func flagNamed(n *oscal.Node, name string) *oscal.Node {
	for k := n.First(); k != nil && k.Member().Kind() == oscal.Flag; k = k.Next() {
		if k.Name() == name {
			return k
		}
	}
	return nil
}

// textOf recognises @name and the dot and returns what gives the node whose
// text is meant; nil for anything else.
func (c *compiler) textOf(e *expr) func(n *oscal.Node) *oscal.Node {
	if e.op == opFocus {
		return func(n *oscal.Node) *oscal.Node { return n }
	}
	if flag := c.flagStep(e); flag != nil {
		return func(n *oscal.Node) *oscal.Node { return flagOf(n, flag) }
	}
	return nil
}

// literals returns the strings of a literal or of a sequence of literals.
func literals(e *expr) []string {
	switch e.op {
	case opString:
		return []string{e.text}
	case opSequence:
		var out []string
		for _, k := range e.kids {
			if k.op != opString {
				return nil
			}
			out = append(out, k.text)
		}
		return out
	}
	return nil
}

// isTextual tells whether the value of a node is text, so that it compares with
// a string as it is written.
func isTextual(n *oscal.Node) bool {
	if n.Kind() != oscal.Flag && n.Kind() != oscal.Field {
		return false
	}
	switch n.Member().DataType() {
	case oscal.TypeInteger, oscal.TypeNonNegativeInteger, oscal.TypePositiveInteger, oscal.TypeDecimal, oscal.TypeBoolean,
		oscal.TypeDate, oscal.TypeDateTime, oscal.TypeDateWithTimezone, oscal.TypeDateTimeWithTimezone,
		oscal.TypeMarkupLine, oscal.TypeMarkupMultiline:
		return false
	}
	return true
}

// flagIs recognises @name = 'a', @name = ('a', 'b') and their like, also with
// paths to flags and fields.
func (c *compiler) flagIs(e *expr) nodePred {
	if e.text != "=" && !(e.text == "eq" && e.kids[1].op == opString) {
		return nil
	}
	get, values := c.textOf(e.kids[0]), literals(e.kids[1])
	if values == nil {
		return nil
	}
	slow := c.boolean(e)
	if get == nil {
		nodes, _, ok := c.nodePath(e.kids[0])
		if !ok || e.text != "=" {
			return nil
		}
		return func(d *dyn, n *oscal.Node) bool {
			found := nodes(d, n, d.buffer())
			defer d.release(found)
			for _, f := range found {
				if !isTextual(f) {
					inner := *d
					inner.item, inner.pos, inner.size = NodeItem(n), 1, 1
					return slow(&inner)
				}
			}
			return slices.ContainsFunc(found, func(f *oscal.Node) bool { return slices.Contains(values, f.Value()) })
		}
	}
	return func(d *dyn, n *oscal.Node) bool {
		f := get(n)
		if f == nil {
			return false
		}
		if !isTextual(f) {
			inner := *d
			inner.item, inner.pos, inner.size = NodeItem(n), 1, 1
			return slow(&inner)
		}
		return slices.Contains(values, f.Value())
	}
}

// callPredicate recognises calls whose value depends on flags alone.
func (c *compiler) callPredicate(e *expr) nodePred {
	name, ok := c.functionName(e)
	if !ok {
		return nil
	}
	switch {
	case len(e.kids) == 1 && name == "not":
		k := c.predicate(e.kids[0])
		return func(d *dyn, n *oscal.Node) bool { return !k(d, n) }
	case len(e.kids) == 1 && name == "boolean":
		return c.predicate(e.kids[0])
	case len(e.kids) == 1 && (name == "exists" || name == "empty"):
		if _, _, ok := c.nodePath(e.kids[0]); !ok {
			return nil
		}
		k, want := c.predicate(e.kids[0]), name == "exists"
		return func(d *dyn, n *oscal.Node) bool { return k(d, n) == want }
	case len(e.kids) == 2 && name == "starts-with":
		get := c.textOf(e.kids[0])
		if get == nil || e.kids[1].op != opString {
			return nil
		}
		prefix := e.kids[1].text
		return func(_ *dyn, n *oscal.Node) bool {
			f := get(n)
			if f == nil {
				return prefix == ""
			}
			return strings.HasPrefix(textOfNode(f), prefix)
		}
	case name == "has-oscal-namespace" && len(e.kids) == 1:
		values := literals(e.kids[0])
		if values == nil {
			return nil
		}
		ns := c.names.flags("ns")
		return func(_ *dyn, n *oscal.Node) bool { return hasNamespace(flagOf(n, ns), values) }
	}
	return nil
}

// hasNamespace is has-oscal-namespace of a flag ns: an absent one is OSCAL's.
func hasNamespace(flag *oscal.Node, namespaces []string) bool {
	ns := oscalNamespace
	if flag != nil {
		ns = flag.Value()
	}
	return slices.Contains(namespaces, ns)
}

// matches tells whether nodes of a member pass the test on an axis.
func (t nameTest) matches(m *oscal.Member, a axis) bool {
	document := m == documentMember
	switch t.kind {
	case "":
		return m.Name() == t.name && (m.Kind() == oscal.Flag) == (a == axisAttribute) && !document
	case "*":
		return (m.Kind() == oscal.Flag) == (a == axisAttribute) && !document
	case "node":
		return true
	}
	if t.name != "" && m.Name() != t.name {
		return false
	}
	switch t.kind {
	case "element":
		return m.Kind() == oscal.Assembly || m.Kind() == oscal.Field
	case "assembly":
		return m.Kind() == oscal.Assembly
	case "field":
		return m.Kind() == oscal.Field
	case "flag":
		return m.Kind() == oscal.Flag
	case "document":
		return document
	}
	return false // text(), comment(), processing-instruction(): not in the model
}

// resolveNames replaces prefixed names by those of the model.
func (c *compiler) resolveNames(e *expr) []nameTest {
	tests := slices.Clone(e.tests)
	for i, t := range tests {
		if t.kind != "" {
			continue
		}
		if uri, ok := strings.CutPrefix(t.name, "Q{"); ok {
			uri, local, _ := strings.Cut(uri, "}")
			if !isOfModel(c.opts.Metaschema, uri) && !(uri == "" && e.axis == axisAttribute) {
				c.fail(e.at, CodeUnsupported, "names of the namespace %s are not supported", clip(uri))
			}
			tests[i].name = local
			continue
		}
		prefix, local, ok := strings.Cut(t.name, ":")
		if !ok {
			continue
		}
		uri, bound := c.opts.Namespaces[prefix]
		switch {
		case !bound:
			c.fail(e.at, CodeUnsupported, "no namespace is bound to the prefix %s", prefix)
		case !isOfModel(c.opts.Metaschema, uri):
			c.fail(e.at, CodeUnsupported, "names of the namespace %s are not supported", clip(uri))
		}
		tests[i] = nameTest{name: local}
		if local == "*" {
			tests[i] = nameTest{kind: "*"}
		}
	}
	return tests
}

func (c *compiler) step(e *expr) (nodesFn, pathProps, bool) {
	tests, a := c.resolveNames(e), e.axis
	set := c.names.passing(tests, a)
	elements, sortedDisjoint := set.without(&c.names.flag), pathProps{sorted: true, disjoint: true}
	switch a {
	case axisChild:
		return func(d *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
			return d.children(n, elements, out)
		}, sortedDisjoint, true
	case axisAttribute:
		if len(tests) == 1 && tests[0].kind == "" {
			return func(_ *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
				if f := flagOf(n, set); f != nil {
					out = append(out, f)
				}
				return out
			}, sortedDisjoint, true
		}
		return func(_ *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
			for k := n.First(); k != nil && k.Kind() == oscal.Flag; k = k.Next() {
				if set.has(k.Member()) {
					out = append(out, k)
				}
			}
			return out
		}, sortedDisjoint, true
	case axisSelf:
		return func(_ *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
			if set.has(n.Member()) {
				out = append(out, n)
			}
			return out
		}, sortedDisjoint, true
	case axisParent:
		return func(d *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
			if p := d.up(n); p != nil && set.has(p.Member()) {
				out = append(out, p)
			}
			return out
		}, sortedDisjoint, true
	case axisDescendant, axisDescendantOrSelf:
		var list []string // set if all tests are of names
		for _, t := range tests {
			if t.kind != "" || a == axisDescendantOrSelf {
				list = nil
				break
			}
			list = append(list, t.name)
		}
		above := c.names.above(elements)
		return func(d *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
			if list != nil && isDocument(n) {
				return d.named(d.sources[n], list, out)
			}
			if a == axisDescendantOrSelf && set.has(n.Member()) {
				out = append(out, n)
			}
			return d.descendants(n, elements, above, out)
		}, pathProps{sorted: true}, true
	case axisAncestor, axisAncestorOrSelf:
		return func(d *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
			mark := len(out)
			if a == axisAncestor {
				n = d.up(n)
			}
			for ; n != nil; n = d.up(n) {
				if set.has(n.Member()) {
					out = append(out, n)
				}
			}
			slices.Reverse(out[mark:])
			return out
		}, pathProps{sorted: true}, true
	case axisFollowingSibling, axisPrecedingSibling:
		return func(d *dyn, n *oscal.Node, out []*oscal.Node) []*oscal.Node {
			if n.Parent() == nil || n.Kind() == oscal.Flag {
				return out
			}
			before := true
			for k := n.Parent().First(); k != nil; k = k.Next() {
				d.tick(1)
				if k == n {
					before = false
				} else if before == (a == axisPrecedingSibling) && elements.has(k.Member()) {
					out = append(out, k)
				}
			}
			return out
		}, sortedDisjoint, true
	}
	c.fail(e.at, CodeUnsupported, "the axes following and preceding are not supported")
	return nil, pathProps{}, false
}

// descendants appends the nodes of a set below a node in document order. It goes
// down only where the model has room for them.
func (d *dyn) descendants(n *oscal.Node, set, above *memberSet, out []*oscal.Node) []*oscal.Node {
	seen := 0
	for k := d.kids(n); k != nil; k = k.Next() {
		seen++
		m := k.Member()
		if set.has(m) {
			out = append(out, k)
		}
		if above.has(m) {
			out = d.descendants(k, set, above, out)
		}
	}
	d.tick(seen)
	return out
}

// nodeList holds nodes in document order with their places in it.
type nodeList struct {
	nodes []*oscal.Node
	at    []int32
}

// named appends all fields and assemblies of some names in a document. Sets ask
// for them over and over, so that all are listed when this is needed first.
func (r *run) named(s *source, names []string, out []*oscal.Node) []*oscal.Node {
	if s.byName == nil {
		r.list(s)
	}
	var lists []nodeList
	for _, name := range names {
		if l := s.byName[name]; l != nil && !slices.ContainsFunc(lists, func(k nodeList) bool { return k.at[0] == l.at[0] }) {
			lists = append(lists, *l)
		}
	}
	if len(lists) == 1 {
		return append(out, lists[0].nodes...)
	}
	for {
		first := -1
		for i, l := range lists {
			if len(l.at) > 0 && (first < 0 || l.at[0] < lists[first].at[0]) {
				first = i
			}
		}
		if first < 0 {
			return out
		}
		l := &lists[first]
		out = append(out, l.nodes[0])
		l.nodes, l.at = l.nodes[1:], l.at[1:]
	}
}

// list makes the lists of the nodes of each name.
func (r *run) list(s *source) {
	s.byName = map[string]*nodeList{}
	// Nodes of one member follow each other: most need no look into the map.
	var last *oscal.Member
	var list *nodeList
	at := int32(0)
	var walk func(n *oscal.Node)
	walk = func(n *oscal.Node) {
		if m := n.Member(); m != last {
			if last, list = m, s.byName[m.Name()]; list == nil {
				list = &nodeList{}
				s.byName[m.Name()] = list
			}
		}
		list.nodes, list.at = append(list.nodes, n), append(list.at, at)
		at++
		for k := n.First(); k != nil; k = k.Next() {
			if k.Kind() != oscal.Flag {
				walk(k)
			}
		}
	}
	walk(s.root)
	r.tick(int(at))
}
