package profile

import (
	"strings"

	"github.com/issokit/issokit/oscal"
)

// A builder makes the tree of the catalog: it copies the nodes of pieces to
// their places. Metadata, loose parameters and back matter come later.
type builder struct {
	*run
	*content
	repeated map[string]bool // ids of controls that were told to occur several times
}

func (r *run) build(c *content) {
	c.catalog = oscal.NewRoot("catalog")
	c.groups = map[*piece]*oscal.Node{}
	c.controls = map[string][]*oscal.Node{}
	c.anchored = map[string][]*oscal.Node{}
	b := &builder{run: r, content: c, repeated: map[string]bool{}}
	c.catalog.SetChildren(b.nodes(nil, c.catalog.Member().Definition(), c.pieces))
}

// nodes appends a node for each piece.
func (b *builder) nodes(to []*oscal.Node, parent *oscal.Definition, pieces []*piece) []*oscal.Node {
	for _, p := range pieces {
		if b.over {
			break
		}
		n := oscal.NewNode(parent.Member(p.node.Name()))
		var children []*oscal.Node
		if p.isGroup() {
			children = b.group(p, n)
			b.groups[p] = n
		} else {
			children = b.control(p, n)
		}
		n.SetChildren(b.nodes(children, n.Member().Definition(), p.kids))
		to = append(to, n)
	}
	return to
}

// control copies what belongs to a control itself.
func (b *builder) control(p *piece, n *oscal.Node) []*oscal.Node {
	id := p.id()
	if b.controls[id] != nil && !b.repeated[id] {
		b.repeated[id] = true
		b.warn(RuleDuplicateControl, p.from, id, "the catalog has several controls %q", id)
	}
	b.controls[id] = append(b.controls[id], n)
	children := make([]*oscal.Node, 0, 16)
	for child := p.node.First(); child != nil; child = child.Next() {
		name := child.Name()
		if name == "control" {
			continue
		}
		if !b.spend(child.Size(), p.from) {
			return nil
		}
		c := child.Clone()
		children = append(children, c)
		if name == "param" {
			param := c.Get("id")
			b.anchored[param] = append(b.anchored[param], c)
		}
	}
	return children
}

// group copies what belongs to a group itself, but its parameters. Of groups
// that became one it takes what the first lacks, and the last title.
func (b *builder) group(p *piece, n *oscal.Node) []*oscal.Node {
	if mixed := p.mixed(); mixed != nil {
		b.warn(RuleMixedGroup, mixed.from, p.id(), "the group %q comes to hold groups and controls, of which the model of catalogs allows only one kind", p.id())
	}
	children := b.ownContent(nil, p.node, n)
	if len(p.more) == 0 {
		return children
	}
	have := map[string]bool{}
	singles := map[*oscal.Member]int{}
	note := func(i int, c *oscal.Node) {
		have[fingerprint(c)] = true
		if !c.Member().Many() {
			singles[c.Member()] = i
		}
	}
	for i, c := range children {
		note(i, c)
	}
	for _, other := range p.more {
		for _, c := range b.ownContent(nil, other, n) {
			i, taken := singles[c.Member()]
			switch {
			case have[fingerprint(c)], taken && c.Kind() == oscal.Flag:
			case taken:
				children[i] = c
				note(i, c)
			default:
				note(len(children), c)
				children = append(children, c)
			}
		}
	}
	return children
}

// mixed returns the first piece of the kind that comes second, if a group holds
// groups and controls.
func (p *piece) mixed() *piece {
	for _, k := range p.kids {
		if k.isGroup() != p.kids[0].isGroup() {
			return k
		}
	}
	return nil
}

func (b *builder) ownContent(to []*oscal.Node, from, n *oscal.Node) []*oscal.Node {
	def := n.Member().Definition()
	for child := from.First(); child != nil; child = child.Next() {
		switch child.Name() {
		case "param", "group", "control", "insert-controls":
			continue
		}
		if !b.spend(child.Size(), from) {
			break
		}
		if c := b.adopt(child, def); c != nil {
			to = append(to, c)
		}
	}
	return to
}

// adopt copies a node for another definition, nil if that has no place for it.
func (r *run) adopt(n *oscal.Node, def *oscal.Definition) *oscal.Node {
	m := def.Member(n.Name())
	if m == nil {
		return nil
	}
	c := n.Clone()
	if c.Rebind(m) != nil {
		return nil
	}
	return c
}

// fingerprint is equal for nodes that say the same.
func fingerprint(n *oscal.Node) string {
	var b strings.Builder
	writeFingerprint(&b, n)
	return b.String()
}

func writeFingerprint(b *strings.Builder, n *oscal.Node) {
	b.WriteString(n.Name())
	b.WriteByte(0)
	b.WriteString(n.Value())
	b.WriteByte(1)
	for c := n.First(); c != nil; c = c.Next() {
		writeFingerprint(b, c)
	}
	b.WriteByte(2)
}
