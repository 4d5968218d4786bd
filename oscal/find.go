package oscal

import (
	"iter"
	"slices"
	"strconv"
	"strings"
)

// CoreNamespace is the namespace of OSCAL's own props; a prop without ns is in
// it.
const CoreNamespace = "http://csrc.nist.gov/ns/oscal"

// Props returns the props of a typed view that have a name in a namespace.
// [CoreNamespace] and "" both mean OSCAL's own.
func Props(list *[]Property, ns, name string) iter.Seq[*Property] {
	return func(yield func(*Property) bool) {
		items := Items(list)
		for i := range items {
			p := &items[i]
			if p.Name == name && sameNamespace(p.Ns, ns) && !yield(p) {
				return
			}
		}
	}
}

func sameNamespace(a, b string) bool {
	if a == "" {
		a = CoreNamespace
	}
	if b == "" {
		b = CoreNamespace
	}
	return a == b
}

// PropValue returns the value of the first prop with a name in a namespace, and
// whether there is one.
func PropValue(list *[]Property, ns, name string) (string, bool) {
	for p := range Props(list, ns, name) {
		return p.Value, true
	}
	return "", false
}

// SetProp returns the props with the first of a name in a namespace set to a
// value, or with one more where there was none. The list itself may change.
func SetProp(list *[]Property, ns, name, value string) *[]Property {
	for p := range Props(list, ns, name) {
		p.Value = value
		return list
	}
	if ns == CoreNamespace {
		ns = ""
	}
	return Append(list, Property{Ns: ns, Name: name, Value: value})
}

// Links returns the links of a typed view that have a relation.
func Links(list *[]Link, rel string) iter.Seq[*Link] {
	return func(yield func(*Link) bool) {
		items := Items(list)
		for i := range items {
			if items[i].Rel == rel && !yield(&items[i]) {
				return
			}
		}
	}
}

// ResourceByUUID returns the resource of a back matter with a UUID, which may
// be written as the reference that links use, with a # before it; nil if there
// is none.
func ResourceByUUID(b *BackMatter, ref string) *Resource {
	if b == nil {
		return nil
	}
	uuid := strings.TrimPrefix(ref, "#")
	items := Items(b.Resources)
	for i := range items {
		if strings.EqualFold(items[i].UUID, uuid) {
			return &items[i]
		}
	}
	return nil
}

// Find returns the first node of the document, in document order, whose uuid or
// id is the one given, nil if there is none. It looks through the whole tree:
// whoever looks up many should keep a map of their own made with [Node.Walk].
func (d *Document) Find(id string) *Node {
	for n := range d.root.Walk() {
		if n.member.kind == Flag && (n.member.name == "uuid" || n.member.name == "id") && n.value == id {
			return n.parent
		}
	}
	return nil
}

// At returns the node at a JSON Pointer (RFC 6901) such as [Node.Pointer]
// gives, nil if there is none. The value of a field with flags is the field
// itself.
func (d *Document) At(pointer string) *Node {
	path, ok := strings.CutPrefix(pointer, "/"+d.root.member.name)
	if !ok || path != "" && path[0] != '/' {
		return nil
	}
	n := d.root
	var list []*Node // the items of an array whose index comes next
	for step := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if path == "" {
			break
		}
		if list != nil && list[0].member.array == byKey {
			i := slices.IndexFunc(list, func(n *Node) bool { return pointerStep(n.key()) == step })
			if i < 0 {
				return nil
			}
			n, list = list[i], nil
			continue
		}
		if list != nil {
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(list) || strconv.Itoa(i) != step {
				if len(list) > 1 || list[0].member.array == inArray {
					return nil
				}
				n, list = list[0], nil // one item that stands without an array
			} else {
				n, list = list[i], nil
				continue
			}
		}
		if def := n.member.Definition(); def != nil && step != "" && pointerStep(n.valueKey()) == step {
			continue
		}
		for c := n.first; c != nil; c = c.next {
			if c.member.json == step && n.skipNames(c) == c {
				list = append(list, c)
			}
		}
		switch {
		case list == nil:
			return nil
		case !list[0].member.Many():
			n, list = list[0], nil
		}
	}
	switch {
	case len(list) == 1 && list[0].member.array == inSingletonOrArray:
		return list[0]
	case list != nil:
		return nil // the array itself is no node
	}
	return n
}
