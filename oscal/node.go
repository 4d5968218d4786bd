package oscal

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
)

// A Node is a flag, a field or an assembly of a document, bound to its place in
// the model. Its children are its flags and then its fields and assemblies, in
// model order; the items of an array follow each other. A node knows its
// position in the text that it was read from.
//
// A node belongs to one parent. Reading a tree is safe from several goroutines;
// changing it is not.
type Node struct {
	member              *Member
	parent, first, next *Node
	value               string
	at                  uint32 // byte offset + 1 in the text that was read, 0 for none
}

// NewNode returns a node without a parent for a place in the model.
func NewNode(m *Member) *Node { return &Node{member: m} }

// Member returns the place in the model.
func (n *Node) Member() *Member { return n.member }

// Name returns the name of the node: that of its XML element or attribute.
func (n *Node) Name() string { return n.member.name }

// Kind returns what the node is.
func (n *Node) Kind() Kind { return n.member.kind }

// Parent returns the assembly or field that holds the node, nil for a root.
func (n *Node) Parent() *Node { return n.parent }

// First returns the first child, nil if there is none or no node.
func (n *Node) First() *Node {
	if n == nil {
		return nil
	}
	return n.first
}

// Next returns the sibling that follows, nil after the last.
func (n *Node) Next() *Node {
	if n == nil {
		return nil
	}
	return n.next
}

// Value returns the value of a flag or field as it was written; Markdown for
// markup. It is "" for an assembly.
func (n *Node) Value() string { return n.value }

// SetValue replaces the value of a flag or field.
func (n *Node) SetValue(v string) { n.value = v }

// Children returns the children in model order, none of a nil node. The body may
// remove the child that it is at.
func (n *Node) Children() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		for c := n.First(); c != nil; {
			next := c.next
			if !yield(c) {
				return
			}
			c = next
		}
	}
}

// All returns the children of one name, none of a nil node. The body may remove
// the child that it is at.
func (n *Node) All(name string) iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		for c := n.First(); c != nil; {
			next := c.next
			if c.member.name == name && !yield(c) {
				return
			}
			c = next
		}
	}
}

// Child returns the first child of a name, nil if there is none. It is safe on
// a nil node, so that paths can be chained.
func (n *Node) Child(name string) *Node {
	if n == nil {
		return nil
	}
	for c := n.first; c != nil; c = c.next {
		if c.member.name == name {
			return c
		}
	}
	return nil
}

// Get returns the value of the first child of a name, "" if there is none. It
// is safe on a nil node.
func (n *Node) Get(name string) string {
	if c := n.Child(name); c != nil {
		return c.value
	}
	return ""
}

// Set gives the child of a name a value, and makes it where there is none. It
// panics if the model has no such flag or field there.
func (n *Node) Set(name, value string) {
	c := n.Child(name)
	if c == nil {
		c = n.Add(name)
	}
	c.value = value
}

// Add appends a new child of a name after those that are there, at its place in
// model order. It panics if the model has no such member.
func (n *Node) Add(name string) *Node {
	d := n.member.Definition()
	var m *Member
	if d != nil {
		m = d.Member(name)
	}
	if m == nil {
		panic(fmt.Sprintf("oscal: %s has no member %q", n.member.name, name))
	}
	c := NewNode(m)
	n.Append(c)
	return c
}

// Append puts a node that has no parent among the children, after those of its
// own member. It panics if the node belongs to another definition.
func (n *Node) Append(c *Node) {
	n.own(c)
	if n.first == nil || n.first.member.order > c.member.order {
		c.next, n.first = n.first, c
		return
	}
	p := n.first
	for p.next != nil && p.next.member.order <= c.member.order {
		p = p.next
	}
	c.next, p.next = p.next, c
}

// Prepend is Append, but puts the node before those of its own member.
func (n *Node) Prepend(c *Node) {
	n.own(c)
	if n.first == nil || n.first.member.order >= c.member.order {
		c.next, n.first = n.first, c
		return
	}
	p := n.first
	for p.next != nil && p.next.member.order < c.member.order {
		p = p.next
	}
	c.next, p.next = p.next, c
}

// InsertAfter puts a node that has no parent directly after a child of the same
// member.
func (n *Node) InsertAfter(c, after *Node) {
	n.own(c)
	c.next, after.next = after.next, c
}

// InsertBefore puts a node that has no parent directly before a child.
func (n *Node) InsertBefore(c, before *Node) {
	n.own(c)
	c.next = before
	if n.first == before {
		n.first = c
		return
	}
	for p := n.first; p != nil; p = p.next {
		if p.next == before {
			p.next = c
			return
		}
	}
	panic("oscal: InsertBefore: not a child of this node")
}

func (n *Node) own(c *Node) {
	if c.parent != nil {
		panic("oscal: the node has a parent already")
	}
	c.parent = n
}

// Remove takes a child out. It does nothing if c is not a child of n.
func (n *Node) Remove(c *Node) {
	if n.first == c {
		n.first = c.next
	} else {
		p := n.first
		for p != nil && p.next != c {
			p = p.next
		}
		if p == nil {
			return
		}
		p.next = c.next
	}
	c.parent, c.next = nil, nil
}

// Rebind returns the node as it would stand under another member, e.g. a part
// of a profile's alteration as a part of a control. It changes the node itself
// and all below it; what the other definition lacks makes an error, and the
// node is then left as it was.
func (n *Node) Rebind(m *Member) error {
	if m.Definition() == n.member.Definition() {
		n.member = m
		return nil
	}
	if err := n.canRebind(m); err != nil {
		return err
	}
	n.rebind(m)
	return nil
}

func (n *Node) canRebind(m *Member) error {
	if n.member.Definition() == m.Definition() {
		return nil
	}
	for c := n.first; c != nil; c = c.next {
		d := m.Definition()
		if d == nil || d.Member(c.member.name) == nil {
			return fmt.Errorf("oscal: %s has no place for %s", m.name, c.member.name)
		}
		if err := c.canRebind(d.Member(c.member.name)); err != nil {
			return err
		}
	}
	return nil
}

func (n *Node) rebind(m *Member) {
	same := n.member.Definition() == m.Definition()
	n.member = m
	if same {
		return
	}
	children := n.first
	n.first = nil
	for c := children; c != nil; {
		next := c.next
		c.parent, c.next = nil, nil
		c.rebind(m.Definition().Member(c.member.name))
		n.Append(c)
		c = next
	}
}

// SetChildren makes these nodes the children of n, in place of those that are
// there: in model order, the nodes of one member in the order given. It does in
// one pass what Remove and Append would do in one pass for each node. It panics
// if a node belongs to another parent or to another definition, or stands twice
// in the list.
func (n *Node) SetChildren(children []*Node) {
	for c := n.first; c != nil; {
		next := c.next
		c.parent, c.next = nil, nil
		c = next
	}
	n.first = nil
	d := n.member.Definition()
	sorted := true
	for i, c := range children {
		if d == nil || int(c.member.order) >= len(d.members) || &d.members[c.member.order] != c.member {
			panic(fmt.Sprintf("oscal: %s is not bound to a member of %s", c.member.name, n.member.name))
		}
		n.own(c)
		sorted = sorted && (i == 0 || children[i-1].member.order <= c.member.order)
	}
	if !sorted {
		children = slices.Clone(children)
		slices.SortStableFunc(children, func(a, b *Node) int { return cmp.Compare(a.member.order, b.member.order) })
	}
	for i, c := range children {
		if i == 0 {
			n.first = c
		} else {
			children[i-1].next = c
		}
	}
}

// Clone returns a copy of the node and of all below it, without a parent.
func (n *Node) Clone() *Node {
	slab := make([]Node, n.Size())
	return n.cloneInto(&slab)
}

// Size returns the number of nodes: the node and all below it.
func (n *Node) Size() int {
	k := 1
	for c := n.first; c != nil; c = c.next {
		k += c.Size()
	}
	return k
}

func (n *Node) cloneInto(slab *[]Node) *Node {
	c := &(*slab)[0]
	*slab = (*slab)[1:]
	c.member, c.value, c.at = n.member, n.value, n.at
	var last *Node
	for k := n.first; k != nil; k = k.next {
		kc := k.cloneInto(slab)
		kc.parent = c
		if last == nil {
			c.first = kc
		} else {
			last.next = kc
		}
		last = kc
	}
	return c
}

// Walk returns the node and all below it, depth first, in document order; none
// of a nil node.
func (n *Node) Walk() iter.Seq[*Node] {
	return func(yield func(*Node) bool) {
		if n != nil {
			n.walk(yield)
		}
	}
}

func (n *Node) walk(yield func(*Node) bool) bool {
	if !yield(n) {
		return false
	}
	for c := n.first; c != nil; {
		next := c.next
		if !c.walk(yield) {
			return false
		}
		c = next
	}
	return true
}

// Root returns the topmost node.
func (n *Node) Root() *Node {
	for n.parent != nil {
		n = n.parent
	}
	return n
}
