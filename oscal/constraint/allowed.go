package constraint

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// AllowedValues returns the constraints of the set that say what values a flag
// or field may have, in table order. The path goes from a root of a model by XML
// names, or names of JSON members, such as /catalog/metadata/party/@type or
// catalog/metadata/parties/type; positions in brackets are skipped, and so are
// the indexes of a JSON Pointer. Two slashes stand for any way down: //prop/@name
// is the name of the props of all objects of all models, and the constraints of
// all of them are returned.
//
// The predicates of a target are conditions that a document has to meet: they
// are part of [Constraint.Target] and are not looked at here. A value is fine if
// a constraint whose conditions hold lists it, or if none of these is closed
// ([Constraint.AllowOther]).
//
// The error says which names there are where the path leads nowhere, or ends at an
// assembly, which has no value.
func (s *Set) AllowedValues(path string) ([]*Constraint, error) {
	leaves, err := models{s.metaschema}.skeletons(path)
	if err != nil {
		return nil, err
	}
	found := map[*compiled]bool{}
	for _, leaf := range leaves {
		s.allowed(leaf, found)
	}
	var out []*Constraint
	for _, c := range s.all {
		if found[c] {
			out = append(out, c.Constraint)
		}
	}
	return out, nil
}

// allowed adds the constraints that say what values a flag or field may have.
func (s *Set) allowed(leaf *oscal.Node, found map[*compiled]bool) {
	r := newRun(context.Background())
	top := r.source(leaf).top
	look := func(rules *hostRules, host *oscal.Node) {
		for _, c := range rules.constraints {
			if c.Kind == KindAllowedValues && reaches(r, c.Target, host, leaf) {
				found[c] = true
			}
		}
	}
	if s.model != nil {
		var chain []*oscal.Node
		for n := leaf; n != nil; n = n.Parent() {
			chain = append(chain, n)
		}
		m := s.model().roots[chain[len(chain)-1].Member()]
		for i, n := range slices.Backward(chain) {
			for _, rules := range m.rules {
				look(rules, n)
			}
			if i > 0 {
				next := chain[i-1].Member()
				m = &m.below.members[slices.IndexFunc(m.below.members, func(k memberRules) bool { return k.member == next })]
			}
		}
	}
	var contexts func(list []*contextRules, from *oscal.Node)
	contexts = func(list []*contextRules, from *oscal.Node) {
		for _, c := range list {
			for _, t := range c.targets {
				for _, n := range selected(r, t.text, from) {
					if c.takes(n) {
						look(c.rules, n)
						contexts(c.inner, n)
					}
				}
			}
		}
	}
	contexts(s.contexts, top)
}

// models are those of OSCAL, or of loaded modules.
type models struct{ loaded *oscal.Metaschema }

// skeletons makes the nodes of the ways that a path stands for, and returns the
// last of each.
func (ms models) skeletons(path string) ([]*oscal.Node, error) {
	places := []*oscal.Node{nil} // nil is above the roots
	deep := false
	steps := strings.Split(strings.TrimSuffix(path, "/"), "/")
	if steps[0] == "" {
		steps = steps[1:]
	}
	for i, step := range steps {
		if step == "" {
			deep = true
			continue
		}
		if deep {
			places, deep = ms.below(places), false
		}
		var next []*oscal.Node
		for _, n := range places {
			if n != nil && isIndex(step) && n.Member().Many() {
				next = append(next, n) // of a JSON Pointer
			} else if n != nil && strings.HasPrefix(step, "revisions") && n.Member().Definition() != nil && n.Member().Definition().Member("revision") != nil &&
				i+1 < len(steps) && strings.HasPrefix(steps[i+1], "revision") {
				next = append(next, n) // the wrapper of XML is no step
			} else if m := ms.memberOf(n, step); m != nil {
				next = append(next, under(n, m))
			}
		}
		if len(next) == 0 {
			name, _, _ := strings.Cut(strings.TrimPrefix(step, "@"), "[")
			switch {
			case len(places) > 1:
				return nil, fmt.Errorf("constraint: %s: there is no %s in any place that the path leads to", clip(path), clip(name))
			case places[0] == nil:
				return nil, fmt.Errorf("constraint: %s: there is no %s in the models; there are: %s", clip(path), clip(name), ms.memberNames(nil))
			}
			return nil, fmt.Errorf("constraint: %s: there is no %s in %s; there are: %s", clip(path), clip(name), places[0].Path(), ms.memberNames(places[0]))
		}
		places = next
	}
	leaves := slices.DeleteFunc(slices.Clone(places), func(n *oscal.Node) bool { return n == nil || n.Kind() == oscal.Assembly })
	switch {
	case len(leaves) > 0 && !deep:
		return leaves, nil
	case places[0] == nil && !deep:
		return nil, fmt.Errorf("constraint: %s: expected a path that begins with one of: %s", clip(path), ms.memberNames(nil))
	case deep:
		return nil, fmt.Errorf("constraint: %s: expected the name of a flag or field at the end", clip(path))
	}
	return nil, fmt.Errorf("constraint: %s is an assembly and has no value; its members are: %s", clip(path), ms.memberNames(places[0]))
}

func isIndex(step string) bool {
	_, err := strconv.ParseUint(step, 10, 32)
	return err == nil
}

// inside returns what may stand in a node, the roots for none.
func (ms models) inside(n *oscal.Node) iter.Seq[*oscal.Member] {
	if n == nil {
		return ms.loaded.Roots()
	}
	if d := n.Member().Definition(); d != nil {
		return d.Members()
	}
	return func(func(*oscal.Member) bool) {}
}

func (ms models) memberOf(n *oscal.Node, step string) *oscal.Member {
	name, _, _ := strings.Cut(strings.TrimPrefix(step, "@"), "[")
	for m := range ms.inside(n) {
		if m.Name() == name || m.JSONName() == name {
			return m
		}
	}
	return nil
}

func (ms models) memberNames(n *oscal.Node) string {
	var names []string
	for m := range ms.inside(n) {
		if m.Kind() == oscal.Flag {
			names = append(names, "@"+m.Name())
		} else {
			names = append(names, m.Name())
		}
	}
	return strings.Join(names, ", ")
}

// under returns a node of a member in a copy of the way to its parent, so that
// each way has nodes of its own.
func under(parent *oscal.Node, m *oscal.Member) *oscal.Node {
	n := oscal.NewNode(m)
	if parent == nil {
		return n
	}
	under(parent.Parent(), parent.Member()).Append(n)
	return n
}

// below returns the places and all that can stand below them, the shortest way to
// each definition: models are recursive.
func (ms models) below(places []*oscal.Node) []*oscal.Node {
	var out []*oscal.Node
	for _, from := range places {
		seen := map[*oscal.Definition]bool{}
		for todo := []*oscal.Node{from}; len(todo) > 0; todo = todo[1:] {
			n := todo[0]
			out = append(out, n)
			for m := range ms.inside(n) {
				if n == nil {
					out = append(out, ms.below([]*oscal.Node{under(nil, m)})...)
				} else if d := m.Definition(); d != nil && !seen[d] {
					seen[d] = true
					todo = append(todo, under(n, m))
				}
			}
		}
	}
	return out
}

// selected returns what an expression could select if all its predicates held.
// One that cannot be evaluated without a document selects nothing.
func selected(r *run, text string, from *oscal.Node) []*oscal.Node {
	x, err := compileExpression(text, CompileOptions{}, true)
	if err != nil {
		return nil // it uses variables
	}
	var nodes []*oscal.Node
	d := dyn{run: r}
	if r.protect(text, func() { nodes = x.appendNodes(&d, nil, from, nil) }) != nil {
		return nil
	}
	return nodes
}

func reaches(r *run, target string, host, leaf *oscal.Node) bool {
	return slices.Contains(selected(r, target, host), leaf)
}
