package oscal

import (
	"strconv"
	"strings"
)

// Pointer returns the JSON Pointer (RFC 6901) of the node in its document. Who
// wants those of many nodes takes a [Locator].
func (n *Node) Pointer() string { return n.pointer((*Node).item) }

// Path returns the path of the node by XML names with positions, e.g.
// /catalog[1]/group[2]/@id.
func (n *Node) Path() string { return n.path((*Node).item) }

// A Locator gives the pointers and paths of many nodes: it counts the items of a
// list once, not anew for each. Meanwhile the trees must not change. The zero
// Locator is ready to use, by one goroutine; a nil one counts anew.
type Locator struct {
	items map[*Node]item
}

// Pointer is [Node.Pointer].
func (l *Locator) Pointer(n *Node) string {
	if l == nil {
		return n.Pointer()
	}
	return n.pointer(l.item)
}

// Path is [Node.Path].
func (l *Locator) Path(n *Node) string {
	if l == nil {
		return n.Path()
	}
	return n.path(l.item)
}

// An item is the place of a node among its siblings.
type item struct {
	index   int  // among those of its member, from 0
	several bool // there are others
	element int  // among the elements of its name, from 1
}

// item counts the siblings before the node.
func (n *Node) item() item {
	it := item{element: 1}
	for c := n.parent.first; c != n; c = c.next {
		if c.member == n.member {
			it.index++
		}
		if c.member.name == n.member.name && c.member.kind != Flag {
			it.element++
		}
	}
	it.several = it.index > 0 || n.next != nil && n.next.member == n.member
	return it
}

// item counts all siblings of a node that it does not know.
func (l *Locator) item(n *Node) item {
	if it, ok := l.items[n]; ok {
		return it
	}
	if l.items == nil {
		l.items = map[*Node]item{}
	}
	index, element := map[*Member]int{}, map[string]int{}
	for c := n.parent.first; c != nil; c = c.next {
		if c.member.kind != Flag {
			element[c.member.name]++
		}
		it := item{index[c.member], false, element[c.member.name]}
		it.several = it.index > 0 || c.next != nil && c.next.member == c.member
		l.items[c] = it
		index[c.member]++
	}
	return l.items[n]
}

func (n *Node) pointer(item func(*Node) item) string {
	if n == nil {
		return ""
	}
	var steps []string
	for ; n != nil; n = n.parent {
		switch {
		case n.parent == nil:
		case n.member.array == byKey:
			steps = append(steps, pointerStep(n.key()))
		case n.member.Many():
			if it := item(n); n.member.array == inArray || it.several {
				steps = append(steps, strconv.Itoa(it.index))
			}
		case n.parent.skipNames(n) == n:
		case n.member == n.parent.member.Definition().valueKeyFlag():
			steps = append(steps, pointerStep(n.value)) // the name of the value
			continue
		default:
			continue // the name of the object above
		}
		if n.parent == nil {
			steps = append(steps, n.member.name) // that of a fragment too
			break
		}
		steps = append(steps, n.member.json)
	}
	var b strings.Builder
	for i := len(steps) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(steps[i])
	}
	return b.String()
}

// pointerStep escapes a name that is a value of the document (RFC 6901,
// section 3).
func pointerStep(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func (n *Node) path(item func(*Node) item) string {
	if n == nil {
		return ""
	}
	up := n.parent.path(item)
	if n.member.kind == Flag {
		return up + "/@" + n.member.name
	}
	i := 1
	if n.parent != nil {
		i = item(n).element
	}
	if n.member.xml == xmlGrouped {
		up += "/" + n.member.json + "[1]"
	}
	return up + "/" + n.member.name + "[" + strconv.Itoa(i) + "]"
}
