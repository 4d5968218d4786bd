package constraint

import (
	"slices"
	"sync"

	"github.com/issokit/issokit/oscal"
)

// A memberSet is a set of members of a model by their Index, so that a test of a
// node by its name is a look at one bit. Bit 0 is the node above the root.
type memberSet struct{ bits []uint64 }

func (s *memberSet) has(m *oscal.Member) bool {
	i := m.Index()
	return i/64 < len(s.bits) && s.bits[i/64]>>(i%64)&1 == 1
}

func (s *memberSet) add(m *oscal.Member) {
	i := m.Index()
	s.grow(i/64 + 1)
	s.bits[i/64] |= 1 << (i % 64)
}

func (s *memberSet) grow(words int) {
	if n := words - len(s.bits); n > 0 {
		s.bits = append(s.bits, make([]uint64, n)...)
	}
}

func (s *memberSet) addAll(t *memberSet) {
	s.grow(len(t.bits))
	for i, w := range t.bits {
		s.bits[i] |= w
	}
}

func (s *memberSet) meets(t *memberSet) bool {
	for i := range min(len(s.bits), len(t.bits)) {
		if s.bits[i]&t.bits[i] != 0 {
			return true
		}
	}
	return false
}

func (s *memberSet) clone() *memberSet { return &memberSet{slices.Clone(s.bits)} }

// without returns the members of s that are not of t.
func (s *memberSet) without(t *memberSet) *memberSet {
	if !s.meets(t) {
		return s
	}
	out := s.clone()
	for i := range min(len(s.bits), len(t.bits)) {
		out.bits[i] &^= t.bits[i]
	}
	return out
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

// builtinNames are the tables of OSCAL's models, made when an expression is
// compiled first.
var builtinNames = sync.OnceValue(func() *nameTables { return newNameTables(nil) })

// namesOf returns the tables of a metaschema. For a loaded one they are made anew:
// who compiles more than one expression keeps them.
func namesOf(m *oscal.Metaschema) *nameTables {
	if m == nil {
		return builtinNames()
	}
	return newNameTables(m)
}

func newNameTables(model *oscal.Metaschema) *nameTables {
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
	for r := range model.Roots() {
		add(r)
	}
	return t
}

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
		s = s.clone()
		s.addAll(more)
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
