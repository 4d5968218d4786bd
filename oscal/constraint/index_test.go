package constraint

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/oscal"
)

// TestKeyTable: beside a list that is searched from its start.
func TestKeyTable(t *testing.T) {
	var members []*oscal.Member
	for m := range oscal.MemberAt("catalog", "/catalog").Definition().Members() {
		members = append(members, m)
	}
	type put struct {
		key  string
		node *oscal.Node
	}
	var puts []put
	table := newKeyTable(0)
	first := func(key string, set *memberSet) *oscal.Node {
		for _, p := range puts {
			if p.key == key && (set == nil || set.has(p.node.Member())) {
				return p.node
			}
		}
		return nil
	}
	sets := []*memberSet{nil, {}, {}, none}
	sets[1].add(members[0])
	sets[2].add(members[2])
	sets[2].add(members[3])
	for i := range 2000 {
		key := strconv.Itoa(i * i % 701)
		n := oscal.NewNode(members[i%len(members)])
		head := table.find(key)
		for _, set := range sets {
			require.Same(t, first(key, set), table.first(head, set))
		}
		table.put(head, key, n)
		puts = append(puts, put{key, n})
	}
	for i := range 701 {
		for _, set := range sets {
			require.Same(t, first(strconv.Itoa(i), set), table.first(table.find(strconv.Itoa(i)), set))
		}
	}
}

// TestAbove: below which members there is room for a name.
func TestAbove(t *testing.T) {
	for _, name := range []string{"part", "prop", "by-component", "remarks", "catalog"} {
		set := builtinNames().passing([]nameTest{{name: name}}, axisChild)
		above := builtinNames().above(set)
		below := map[*oscal.Definition]bool{}
		var room func(m *oscal.Member, way map[*oscal.Definition]bool) bool
		room = func(m *oscal.Member, way map[*oscal.Definition]bool) bool {
			d := m.Definition()
			if d == nil || way[d] {
				return false
			}
			if yes, known := below[d]; known && yes {
				return true
			}
			way[d] = true
			for k := range d.Members() {
				if k.Name() == name && k.Kind() != oscal.Flag || room(k, way) {
					below[d] = true
					return true
				}
			}
			return false
		}
		for _, m := range builtinNames().members[1:] {
			require.Equal(t, room(m, map[*oscal.Definition]bool{}), above.has(m), "%s below %s", name, m.Name())
		}
	}
}
