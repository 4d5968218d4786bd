package constraint

import (
	"sync"

	"github.com/issokit/issokit/oscal"
)

// A memberSet is a set of members of the model by their Index, so that a test of
// a node by its name is a look at one bit. Bit 0 is the node above the root.
type memberSet [oscal.MemberCount/64 + 1]uint64

func (s *memberSet) has(m *oscal.Member) bool {
	i := m.Index()
	return s[i/64]>>(i%64)&1 == 1
}

func (s *memberSet) add(m *oscal.Member) {
	i := m.Index()
	s[i/64] |= 1 << (i % 64)
}

func (s *memberSet) addAll(t *memberSet) {
	for i := range s {
		s[i] |= t[i]
	}
}

func (s *memberSet) meets(t *memberSet) bool {
	for i := range s {
		if s[i]&t[i] != 0 {
			return true
		}
	}
	return false
}

// without returns the members of s that are not of t.
func (s *memberSet) without(t *memberSet) *memberSet {
	if !s.meets(t) {
		return s
	}
	out := *s
	for i := range out {
		out[i] &^= t[i]
	}
	return &out
}

// nameTables hold the model as steps of paths look at it.
type nameTables struct {
	members []*oscal.Member // and the node above the root
	named   map[memberName]*memberSet
	flag    memberSet // all flags
	defs    []*definitionPlaces
}

type memberName struct {
	name string
	flag bool
}

// definitionPlaces say where instances of a definition stand and what stands
// directly below and above them.
type definitionPlaces struct {
	place            *oscal.Member // one of the places
	places, children memberSet
	parents          []*definitionPlaces
}

// names are the tables of the model. They are made when an expression is
// compiled first.
var names = sync.OnceValue(func() *nameTables {
	t := &nameTables{members: []*oscal.Member{documentMember}, named: make(map[memberName]*memberSet, 500)}
	ofDefinition := make(map[*oscal.Definition]*definitionPlaces, 500)
	var add func(m *oscal.Member)
	add = func(m *oscal.Member) {
		t.members = append(t.members, m)
		n := memberName{m.Name(), m.Kind() == oscal.Flag}
		if n.flag {
			t.flag.add(m)
		}
		if t.named[n] == nil {
			t.named[n] = &memberSet{}
		}
		t.named[n].add(m)
		d := m.Definition()
		if d == nil {
			return
		}
		if p := ofDefinition[d]; p != nil {
			p.places.add(m)
			return
		}
		p := &definitionPlaces{place: m}
		p.places.add(m)
		ofDefinition[d] = p
		t.defs = append(t.defs, p)
		for k := range d.Members() {
			p.children.add(k)
			add(k)
			if below := ofDefinition[k.Definition()]; below != nil {
				below.parents = append(below.parents, p)
			}
		}
	}
	for r := range oscal.Roots() {
		add(r)
	}
	return t
})

// none is the set of what no member is named.
var none = &memberSet{}

// flags returns the set of the flags of a name.
func (t *nameTables) flags(name string) *memberSet {
	if s := t.named[memberName{name, true}]; s != nil {
		return s
	}
	return none
}

// passing returns the members whose nodes, on an axis, pass one of some tests.
func (t *nameTables) passing(tests []nameTest, a axis) *memberSet {
	s := none
	for i, test := range tests {
		var more *memberSet
		if test.kind == "" {
			if more = t.named[memberName{test.name, a == axisAttribute}]; more == nil {
				continue
			}
		} else {
			more = &memberSet{}
			for _, m := range t.members {
				if test.matches(m, a) {
					more.add(m)
				}
			}
		}
		if i == 0 {
			s = more
			continue
		}
		both := *s
		both.addAll(more)
		s = &both
	}
	return s
}

// above returns the members below whose nodes, at any depth, nodes of a set may
// stand.
func (t *nameTables) above(s *memberSet) *memberSet {
	out := &memberSet{}
	out.add(documentMember)
	var todo []*definitionPlaces
	for _, d := range t.defs {
		if d.children.meets(s) {
			todo = append(todo, d)
		}
	}
	for len(todo) > 0 {
		d := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !out.has(d.place) {
			out.addAll(&d.places)
			todo = append(todo, d.parents...)
		}
	}
	return out
}
