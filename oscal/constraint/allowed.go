package constraint

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// AllowedValues returns the constraints of the set that say what values a flag
// or field may have, in table order. The path goes from a root of a model by XML
// names, or names of JSON members, such as /catalog/metadata/party/@type or
// catalog/metadata/parties/type; positions in brackets are skipped.
//
// The predicates of a target are conditions that a document has to meet: they
// are part of [Constraint.Target] and are not looked at here. A value is fine if
// a constraint whose conditions hold lists it, or if none of these is closed
// ([Constraint.AllowOther]).
func (s *Set) AllowedValues(path string) ([]*Constraint, error) {
	leaf, err := skeleton(s.metaschema, path)
	if err != nil {
		return nil, err
	}
	r := newRun(context.Background())
	top := r.source(leaf).top
	found := map[*compiled]bool{}
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
	var out []*Constraint
	for _, c := range s.all {
		if found[c] {
			out = append(out, c.Constraint)
		}
	}
	return out, nil
}

// skeleton makes the nodes of a path, and returns the last.
func skeleton(model *oscal.Metaschema, path string) (*oscal.Node, error) {
	var n *oscal.Node
	for step := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		name, _, _ := strings.Cut(step, "[")
		name = strings.TrimPrefix(name, "@")
		var m *oscal.Member
		var names []string
		if n == nil {
			for r := range model.Roots() {
				names = append(names, r.Name())
				if r.Name() == name {
					m = r
				}
			}
		} else if d := n.Member().Definition(); d != nil {
			if strings.HasPrefix(step, "revisions") && d.Member("revision") != nil && strings.Contains(path, step+"/revision") {
				continue // the wrapper of XML is no step
			}
			for k := range d.Members() {
				names = append(names, k.Name())
				if m == nil && (k.Name() == name || k.JSONName() == name) {
					m = k
				}
			}
		}
		if m == nil {
			where := "the models"
			if n != nil {
				where = n.Path()
			}
			return nil, fmt.Errorf("constraint: %s: there is no %s in %s; there are: %s", clip(path), clip(name), where, strings.Join(names, ", "))
		}
		k := oscal.NewNode(m)
		if n != nil {
			n.Append(k)
		}
		n = k
	}
	if n.Kind() == oscal.Assembly {
		return nil, fmt.Errorf("constraint: %s is an assembly and has no value", clip(path))
	}
	return n, nil
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
