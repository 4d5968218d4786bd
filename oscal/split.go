package oscal

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// ErrPieces is the error of [Join] when the pieces do not fit the document.
var ErrPieces = errors.New("the pieces do not fit the document")

// A Piece is an object that was taken out of a document.
type Piece struct {
	// Name tells the piece from the others and can be the path of a file without
	// its extension: the XML name of the object, a slash, and its identifier.
	Name string `json:"name"`
	// Pointer is the place of the object in the whole document (RFC 6901).
	Pointer string `json:"pointer"`
	// Doc has the object as its root: see [ReadOptions.Fragment].
	Doc *Document `json:"-"`
}

// Split takes objects out of a document, so that each can be kept in a file of
// its own: all that have one of the XML names, e.g. control, group,
// implemented-requirement, poam-item; of several that lie in each other, the
// outermost. It returns the rest of the document and the pieces in document
// order, and leaves the document as it is; [Join] puts them together again.
//
// The rest may lack what its model requires; a piece is checked against its own
// definition by [Document.Check].
func (d *Document) Split(names ...string) (rest *Document, pieces []Piece) {
	rest = &Document{root: d.root.Clone(), name: d.name, schema: d.schema, format: d.format, text: d.text}
	taken := map[string]bool{}
	var places Locator
	var take func(n, copied *Node)
	take = func(n, copied *Node) {
		var kept []*Node
		k := copied.first
		for c := n.first; c != nil; c, k = c.next, k.next {
			if c.member.kind != Assembly || !slices.Contains(names, c.member.name) {
				take(c, k)
				kept = append(kept, k)
				continue
			}
			piece := &Document{root: c.Clone(), name: d.name, format: d.format, text: d.text}
			pieces = append(pieces, Piece{Name: pieceName(c, taken), Pointer: places.Pointer(c), Doc: piece})
		}
		copied.SetChildren(kept)
	}
	take(d.root, rest.root)
	return rest, pieces
}

// pieceName makes a name that no other piece has, on file systems too that do not
// tell lower from upper case.
func pieceName(n *Node, taken map[string]bool) string {
	id := n.member.name
	for _, k := range []string{"id", "control-id", "statement-id", "component-uuid", "uuid", "title", "name"} {
		if v := n.Get(k); v != "" {
			id = v
			break
		}
	}
	safe := strings.Map(func(r rune) rune {
		if r < 0x80 && (isAlpha(byte(r)) || isDigit(byte(r)) || r == '-' || r == '_' || r == '.') {
			return r
		}
		return '_'
	}, id)
	first := n.member.name + "/" + strings.TrimLeft(safe[:min(len(safe), 100)], ".")
	name := first
	for i := 2; strings.HasSuffix(name, "/") || taken[strings.ToLower(name)]; i++ {
		name = first + "-" + strconv.Itoa(i)
	}
	taken[strings.ToLower(name)] = true
	return name
}

// Join puts the pieces of a document back to the places that their pointers name,
// in the order of the pieces. It returns a new document and leaves rest and pieces
// as they are. The error matches [ErrPieces] and names each piece whose place is
// not there, or that is no object of that place.
func Join(rest *Document, pieces []Piece) (*Document, error) {
	out := &Document{root: rest.root.Clone(), name: rest.name, schema: rest.schema, format: rest.format, text: rest.text}
	var errs []error
	// Parts mostly follow each other in one array: each array is filled in one go.
	for i := 0; i < len(pieces); {
		where, _, ok := cutIndex(pieces[i].Pointer)
		j := i + 1
		for j < len(pieces) {
			if next, _, many := cutIndex(pieces[j].Pointer); !ok || !many || next != where {
				break
			}
			j++
		}
		errs = append(errs, out.insert(pieces[i:j])...)
		i = j
	}
	if errs != nil {
		return nil, fmt.Errorf("oscal: %w: %w", ErrPieces, errors.Join(errs...))
	}
	return out, nil
}

// cutIndex splits a pointer into that of an array and an index.
func cutIndex(pointer string) (array string, index int, ok bool) {
	slash := strings.LastIndexByte(pointer, '/')
	if slash < 0 {
		return "", 0, false
	}
	index, err := strconv.Atoi(pointer[slash+1:])
	return pointer[:slash], index, err == nil && index >= 0
}

// insert puts pieces into one array, or one piece to its place.
func (d *Document) insert(pieces []Piece) (errs []error) {
	array, _, many := cutIndex(pieces[0].Pointer)
	if !many {
		array = pieces[0].Pointer
	}
	slash := strings.LastIndexByte(array, '/')
	var parent *Node
	if slash > 0 {
		parent = d.At(array[:slash])
	}
	if parent == nil || parent.member.Definition() == nil {
		return []error{fmt.Errorf("piece %s: the document has no object at %s", pieces[0].Name, quote(array))}
	}
	m := parent.member.Definition().memberByJSON(array[slash+1:], 0)
	if m == nil || m.Many() != many && m.array != inSingletonOrArray {
		return []error{fmt.Errorf("piece %s: %s has no place for %s", pieces[0].Name, parent.Name(), quote(pieces[0].Pointer))}
	}
	var others, items []*Node
	for c := parent.first; c != nil; c = c.next {
		if c.member == m {
			items = append(items, c)
		} else {
			others = append(others, c)
		}
	}
	for _, p := range pieces {
		_, index, _ := cutIndex(p.Pointer)
		n := p.Doc.root.Clone()
		switch {
		case n.member.Definition() != m.Definition() || n.member.name != m.name:
			errs = append(errs, fmt.Errorf("piece %s: expected a %s at %s, found a %s", p.Name, m.name, p.Pointer, n.Name()))
			continue
		case index > len(items) || !many && len(items) > 0:
			errs = append(errs, fmt.Errorf("piece %s: expected the place %s, found only %d objects before it", p.Name, p.Pointer, len(items)))
			continue
		}
		n.member = m
		items = slices.Insert(items, index, n)
	}
	parent.SetChildren(append(others, items...))
	return errs
}
