package constraint

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/issokit/issokit/oscal"
)

// OfMetaschema returns the constraints that the modules of a metaschema define,
// of the nil one those of OSCAL, which are [BuiltIn]. [Validate] evaluates them
// on documents of its models without being told to. They are compiled once, when
// they are needed first; if anything is wrong with one of them, unknown, or not
// supported, the Set is nil and the error is a [Problems] with all of it.
//
// Names in expressions are compared without their namespace; a prefix must be
// bound to that of a module.
func OfMetaschema(m *oscal.Metaschema) (*Set, error) {
	if m == nil {
		return BuiltIn(), nil
	}
	type result struct {
		set *Set
		err error
	}
	r := m.Schema().Once(func() any {
		set, err := compileMetaschema(m)
		return result{set, err}
	}).(result)
	return r.set, r.err
}

func compileMetaschema(m *oscal.Metaschema) (*Set, error) {
	s := &Set{name: m.Name() + " " + m.Version(), metaschema: m}
	l := newSetLoader(context.Background(), s, LoadOptions{Metaschema: m})
	hosts := m.Schema().Hosts
	for _, h := range hosts {
		l.declare(h.Rules)
	}
	var places [][]place
	for _, h := range hosts {
		rules := &hostRules{}
		l.rules(&setFile{name: h.Rules.File, key: h.Key, namespaces: h.Namespaces}, rules, h.Rules)
		s.rules = append(s.rules, rules)
		var at []place
		for _, p := range h.Places {
			at = append(at, place{p[0], p[1]})
		}
		places = append(places, at)
	}
	l.checkIndexes(s)
	if len(l.problems) > 0 {
		// The hosts inside of another come after it.
		slices.SortStableFunc(l.problems, func(a, b Problem) int {
			return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
		})
		return nil, l.problems
	}
	s.model = sync.OnceValue(func() *modelRules { return bindModel(m, places, s.rules) })
	return s, nil
}

// isOfModel tells whether the models use a namespace.
func isOfModel(m *oscal.Metaschema, namespace string) bool {
	if m == nil {
		return namespace == xmlNamespace
	}
	for _, d := range m.Schema().Definitions {
		if d.Namespace == namespace {
			return true
		}
	}
	return false
}
