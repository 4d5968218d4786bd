package constraint

import (
	"slices"

	"github.com/issokit/issokit/oscal"
)

// A keyIndex holds the first nodes of each key that an index has.
type keyIndex struct {
	host *oscal.Node
	keys *keyTable
	set  *memberSet // only nodes of these are in the index; nil for all of the table
}

// has tells whether the index has a key.
func (ix *keyIndex) has(key string) bool {
	return ix.keys != nil && ix.keys.first(ix.keys.find(key), ix.set) != nil
}

// A keyTable finds nodes by key. It holds one of each member for a key, the first
// that was put in, so that several indexes can share it.
type keyTable struct {
	heads   map[string]uint32 // number of the first entry of a key
	entries []keyEntry        // by number - 1
}

type keyEntry struct {
	node *oscal.Node
	next uint32 // number of the next entry of the key, 0 for none
}

func newKeyTable(size int) *keyTable { return &keyTable{heads: make(map[string]uint32, size)} }

// find returns the number of the first entry of a key, 0 if there is none.
func (t *keyTable) find(key string) uint32 { return t.heads[key] }

// first returns the first node of a set from an entry on, nil if there is none;
// nil is the set of all.
func (t *keyTable) first(number uint32, set *memberSet) *oscal.Node {
	for number != 0 {
		e := &t.entries[number-1]
		if set == nil || set.has(e.node.Member()) {
			return e.node
		}
		number = e.next
	}
	return nil
}

// put adds a node to the entries that find gave for its key.
func (t *keyTable) put(head uint32, key string, n *oscal.Node) {
	number := uint32(len(t.entries) + 1)
	if head == 0 {
		t.heads[key] = number
	}
	for i := head; i != 0; i = t.entries[i-1].next {
		e := &t.entries[i-1]
		if e.node.Member() == n.Member() {
			return
		}
		if e.next == 0 {
			e.next = number
			break
		}
	}
	t.entries = append(t.entries, keyEntry{node: n})
}

// A sweep are the indexes of a host over all nodes of some names in the document
// by the same flag. They are built in one walk.
type sweep struct {
	flag    *memberSet
	members memberSet
	indexes []*compiled
	keys    *keyTable
}

// sweep builds the indexes of a host that are over all nodes of some names.
func (e *evaluator) sweep(r *hostRules, host *oscal.Node, s *scope) {
	var sweeps []*sweep
	members := &memberSet{}
	for _, c := range r.sweeps {
		if e.skipped(c) && !e.lookups[c.Name] || !e.newIndex(c, host) {
			continue
		}
		i := slices.IndexFunc(sweeps, func(w *sweep) bool { return w.flag == c.keys[0].flag })
		if i < 0 {
			i = len(sweeps)
			sweeps = append(sweeps, &sweep{flag: c.keys[0].flag, keys: newKeyTable(0)})
		}
		w := sweeps[i]
		w.members.addAll(c.target.everywhere)
		members.addAll(c.target.everywhere)
		w.indexes = append(w.indexes, c)
		e.indexes[c.Name] = &keyIndex{host: host, keys: w.keys, set: c.target.everywhere}
	}
	if sweeps == nil {
		return
	}
	above := sweeps[0].indexes[0].target.names.above(members)
	var walk func(n *oscal.Node)
	walk = func(n *oscal.Node) {
		m := n.Member()
		if members.has(m) {
			for _, w := range sweeps {
				if w.members.has(m) {
					e.indexNode(w, s, n)
				}
			}
		}
		if !above.has(m) {
			return
		}
		seen := 0
		for k := n.First(); k != nil; k = k.Next() {
			seen++
			if m := k.Member(); members.has(m) || above.has(m) {
				walk(k)
			}
		}
		e.tick(seen)
	}
	walk(e.source(host).root)
}

// newIndex tells whether an index is the first of its name; a second one is
// wrong.
func (e *evaluator) newIndex(c *compiled, host *oscal.Node) bool {
	old := e.indexes[c.Name]
	if old != nil {
		e.count(c, false)
		e.add1(found{c: c, node: host, message: "the index " + c.Name + " is built a second time", related: old.host, about: "built here first"})
	}
	return old == nil
}

func (e *evaluator) indexNode(w *sweep, s *scope, n *oscal.Node) {
	f := flagOf(n, w.flag)
	if f == nil {
		return // not indexed
	}
	key := f.Value()
	head := w.keys.find(key)
	for _, c := range w.indexes {
		if set := c.target.everywhere; set.has(n.Member()) {
			e.oneKey(c, s, n, w.keys.first(head, set), key)
		}
	}
	w.keys.put(head, key, n)
}
