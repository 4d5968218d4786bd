package diff

import (
	"errors"
	"fmt"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// Kind is a kind of change.
type Kind uint8

// The kinds of changes.
const (
	Added     Kind = iota + 1 // an object or value is there that was not
	Removed                   // an object or value is gone
	Changed                   // a value is another
	Moved                     // an object stands in another parent
	Renamed                   // an object is the same but for its UUID or ID
	Reordered                 // the items of an array have another order
)

var kindNames = [...]string{Added: "added", Removed: "removed", Changed: "changed", Moved: "moved", Renamed: "renamed", Reordered: "reordered"}

func (k Kind) String() string {
	if k > 0 && int(k) < len(kindNames) {
		return kindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// MarshalText returns the name of the kind.
func (k Kind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// ErrModels is the error of [Compare] when the documents are of two models.
var ErrModels = errors.New("the documents are of different models")

// Options configure [Compare]; nil means the defaults.
type Options struct {
	// Everything makes changes also of what differs between any two exports of
	// the same facts: the UUID of the root, last-modified, and the prop
	// resolution-tool.
	Everything bool
}

// A Subject is the object of a document in whose terms a change is told: a
// control, a statement, a POA&M item, a component.
type Subject struct {
	Kind  string `json:"kind"`            // XML name, e.g. control
	ID    string `json:"id,omitempty"`    // id, or what identifies it: control-id, statement-id, UUID
	Title string `json:"title,omitempty"` // "" for none
}

func (s Subject) String() string {
	out := s.Kind
	if s.ID != "" {
		out += " " + s.ID
	}
	if s.Title != "" {
		out += fmt.Sprintf(" %q", s.Title)
	}
	return out
}

// A Change is one difference between two documents.
type Change struct {
	Kind     Kind
	Subject  Subject
	Path     string      // what of the subject, e.g. part ac-2_smt.a / prose; "" for the subject itself
	Old, New *oscal.Node // nil where there is none; for Reordered the parents
	From, To string      // values before and after; where it stood, for Moved; the order of keys, for Reordered
}

// A Diff is what changed from one document to another.
type Diff struct {
	Old, New *oscal.Document
	Changes  []Change // in the order of the new document, what was removed at its old place

	// Baselines is, for two profiles, the comparison of the catalogs that they
	// resolve to, which whoever has them may set: [Diff.Controls] and [Diff.Impact]
	// then tell of all controls, and the writers write it too.
	Baselines *Diff

	pairs map[*oscal.Node]*oscal.Node
}

// Compare returns what changed from one document to another. The error matches
// [ErrModels] if they are of different models.
func Compare(from, to *oscal.Document, opts *Options) (*Diff, error) {
	if from.Model() != to.Model() {
		return nil, fmt.Errorf("diff: %w: a %s and a %s", ErrModels, from.Model(), to.Model())
	}
	a := align(from.Root(), to.Root())
	d := &Diff{Old: from, New: to, pairs: a.pairs}
	e := emitter{alignment: a, names: newNames(from.Root(), to.Root()), everything: opts != nil && opts.Everything}
	e.node(from.Root(), to.Root())
	d.Changes = e.changes
	return d, nil
}

// An emitter walks through two aligned trees and notes what differs.
type emitter struct {
	*alignment
	*names
	everything bool
	changes    []Change
}

func (e *emitter) add(k Kind, old, new *oscal.Node, from, to string) {
	at := new
	if at == nil {
		at = old
	}
	owner, path := e.locate(at)
	if to := e.pairs[owner]; new == nil && to != nil {
		owner = to // what is gone is told of the object as it is now
	}
	e.changes = append(e.changes, Change{Kind: k, Subject: e.subject(owner), Path: path, Old: old, New: new, From: from, To: to})
}

// ignored tells whether a node differs between any two exports.
func (e *emitter) ignored(n *oscal.Node) bool {
	if e.everything {
		return false
	}
	switch p := n.Parent(); n.Name() {
	case "last-modified":
		return p.Name() == "metadata"
	case "uuid":
		return p.Parent() == nil
	case "prop":
		return p.Name() == "metadata" && n.Get("name") == "resolution-tool"
	}
	return false
}

// node compares two nodes that are the same object.
func (e *emitter) node(x, y *oscal.Node) {
	if x.Kind() != oscal.Assembly && !e.equalValue(x, y) {
		e.add(Changed, x, y, x.Value(), y.Value())
	}
	if x.Kind() == oscal.Flag {
		return
	}
	for m := range y.Member().Definition().Members() {
		olds, news := items(x, m), items(y, m)
		if len(olds) == 0 && len(news) == 0 {
			continue
		}
		if !m.Many() {
			e.single(m, first(olds), first(news))
			continue
		}
		for _, old := range olds {
			if e.pairs[old] == nil && !e.ignored(old) {
				e.add(Removed, old, nil, old.Value(), "")
			}
		}
		for _, n := range news {
			old := e.back[n]
			switch {
			case e.ignored(n):
			case old == nil:
				e.add(Added, nil, n, "", n.Value())
				e.inside(n)
			default:
				e.pair(old, n)
			}
		}
		if order := e.reordered(x, olds, news); order != nil {
			e.add(Reordered, x, y, e.keys(order[0]), e.keys(order[1]))
			e.changes[len(e.changes)-1].Path = joinPath(e.changes[len(e.changes)-1].Path, m.JSONName())
		}
	}
}

// pair compares two objects that may have moved or been renamed.
func (e *emitter) pair(old, n *oscal.Node) {
	if e.pairs[old.Parent()] != n.Parent() {
		e.add(Moved, old, n, e.where(old.Parent()), e.where(n.Parent()))
	}
	e.node(old, n)
}

// inside looks into an object that was added for those that were moved there.
func (e *emitter) inside(n *oscal.Node) {
	for c := range n.Children() {
		if c.Kind() == oscal.Flag {
			continue
		}
		if old := e.back[c]; old != nil {
			e.pair(old, c)
		} else {
			e.inside(c)
		}
	}
}

// single compares a member that stands once at most. One that is absent has its
// default.
func (e *emitter) single(m *oscal.Member, old, n *oscal.Node) {
	switch {
	case old == nil && n == nil:
	case old != nil && n != nil:
		if e.ignored(n) {
			return
		}
		if m.Kind() == oscal.Flag && (m.Name() == "uuid" || m.Name() == "id") {
			if !e.equalValue(old, n) || old.Value() != n.Value() {
				e.add(Renamed, old, n, old.Value(), n.Value())
			}
			return
		}
		e.node(old, n)
	case old == nil:
		if d := m.Default(); (d == "" || n.Value() != d) && !e.ignored(n) {
			e.add(Added, nil, n, "", n.Value())
			if m.Kind() == oscal.Assembly {
				e.inside(n)
			}
		}
	default:
		if d := m.Default(); (d == "" || old.Value() != d) && !e.ignored(old) {
			e.add(Removed, old, nil, old.Value(), "")
		}
	}
}

// reordered returns the items that are in both arrays in the two orders, nil if
// these are the same.
func (e *emitter) reordered(x *oscal.Node, olds, news []*oscal.Node) [][]*oscal.Node {
	var before, after []*oscal.Node
	for _, old := range olds {
		if n := e.pairs[old]; n != nil && n.Parent() == e.pairs[x] {
			before = append(before, n)
		}
	}
	for _, n := range news {
		if old := e.back[n]; old != nil && old.Parent() == x {
			after = append(after, n)
		}
	}
	for i := range before {
		if before[i] != after[i] {
			return [][]*oscal.Node{before, after}
		}
	}
	return nil
}

func (t *names) keys(nodes []*oscal.Node) string {
	var b strings.Builder
	for i, n := range nodes {
		if i > 0 {
			b.WriteString(", ")
		}
		if i == 20 {
			fmt.Fprintf(&b, "and %d more", len(nodes)-i)
			break
		}
		b.WriteString(t.label(n))
	}
	return b.String()
}

func items(n *oscal.Node, m *oscal.Member) []*oscal.Node {
	var out []*oscal.Node
	for c := range n.Children() {
		if c.Member() == m {
			out = append(out, c)
		}
	}
	return out
}

func first(nodes []*oscal.Node) *oscal.Node {
	if len(nodes) == 0 {
		return nil
	}
	return nodes[0]
}
