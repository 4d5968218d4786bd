package diff

import (
	"cmp"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// subjects are the objects in whose terms changes are told, by XML name.
var subjects = []string{
	"control", "alter", "import", "set-parameter", "component", "capability", "implemented-requirement", "statement",
	"user", "inventory-item", "leveraged-authorization", "information-type", "party", "role", "location", "resource",
	"activity", "task", "observation", "risk", "finding", "poam-item", "result", "map", "metadata",
}

// names are what readers call objects. What they say of an object that holds
// others is kept: many changes may lie in one, and to look for the title of one
// that has none means to look at all that it holds.
type names struct {
	components map[string]string // titles by UUID
	steps      map[*oscal.Node]string
	subjects   map[*oscal.Node]Subject
}

// newNames returns the names of the objects of two documents, which may be nil;
// components are called as in the second.
func newNames(from, to *oscal.Node) *names {
	t := &names{map[string]string{}, map[*oscal.Node]string{}, map[*oscal.Node]Subject{}}
	for _, root := range []*oscal.Node{from, to} {
		for n := range root.Walk() {
			if n.Name() == "component" && n.Kind() == oscal.Assembly && n.Get("title") != "" {
				t.components[identifier(n)] = short(n.Get("title"))
			}
		}
	}
	return t
}

// locate returns the object that is the subject to which a node belongs, and the
// way to the node from there.
func (t *names) locate(n *oscal.Node) (*oscal.Node, string) {
	var steps []string
	for n.Parent() != nil && !(n.Kind() == oscal.Assembly && slices.Contains(subjects, n.Name())) {
		steps = append(steps, t.step(n))
		n = n.Parent()
	}
	slices.Reverse(steps)
	return n, strings.Join(steps, " / ")
}

func (t *names) subject(n *oscal.Node) Subject {
	s, known := t.subjects[n]
	if !known {
		s = subjectOf(n)
		t.subjects[n] = s
	}
	return s
}

func subjectOf(n *oscal.Node) Subject {
	s := Subject{Kind: n.Name(), ID: n.Get("id"), Title: n.Get("title")}
	for _, k := range []string{"control-id", "statement-id", "param-id", "href", "uuid"} {
		if s.ID == "" && n.Parent() != nil {
			s.ID = n.Get(k)
		}
	}
	if s.Title == "" {
		s.Title = n.Get("name")
	}
	return s
}

// step names a node among its siblings.
func (t *names) step(n *oscal.Node) string {
	if n.Kind() == oscal.Flag || n.Kind() == oscal.Field && !n.Member().Many() {
		return n.Name()
	}
	s, known := t.steps[n]
	if !known {
		s = n.Name()
		if l := t.label(n); l != s {
			s += " " + l
		}
		t.steps[n] = s
	}
	return s
}

// label is what a reader calls an object.
func (t *names) label(n *oscal.Node) string {
	if n.Kind() == oscal.Field {
		return short(n.Value())
	}
	for _, k := range []string{"id", "control-id", "statement-id", "param-id", "component-uuid", "role-id", "id-ref"} {
		if v := n.Get(k); v != "" {
			return cmp.Or(t.components[fold(v)], v)
		}
	}
	if n.Name() == "prop" && n.Get("ns") != "" && n.Get("ns") != oscal.CoreNamespace {
		return n.Get("name") + " (" + n.Get("ns") + ")"
	}
	if n.Name() == "link" {
		return strings.TrimSpace(n.Get("rel") + " " + n.Get("href"))
	}
	for _, k := range []string{"title", "name", "href", "uuid"} {
		if v := n.Get(k); v != "" {
			return short(v)
		}
	}
	return n.Name()
}

func short(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) > 60 {
		return string(r[:59]) + "…"
	}
	return string(r)
}

// where names the object that holds another.
func (t *names) where(n *oscal.Node) string {
	if n.Parent() == nil {
		return n.Name()
	}
	return t.step(n)
}

func joinPath(a, b string) string {
	if a == "" {
		return b
	}
	return a + " / " + b
}
