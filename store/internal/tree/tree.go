// Package tree has an immutable sorted map: a change gives a new map that shares
// most of the old one, so that a snapshot costs nothing.
package tree

import (
	"hash/maphash"
	"iter"
)

// A Map is an immutable map from strings to values, sorted by key, byte by byte.
// The zero Map is empty. It is a treap: a search tree by key and a heap by a hash
// of the key, which keeps it balanced whatever the order of insertion.
type Map[V any] struct {
	root *node[V]
}

type node[V any] struct {
	key         string
	weight      uint64
	size        int
	value       V
	left, right *node[V]
}

var seed = maphash.MakeSeed()

func (n *node[V]) count() int {
	if n == nil {
		return 0
	}
	return n.size
}

func (n *node[V]) with(left, right *node[V]) *node[V] {
	return &node[V]{n.key, n.weight, left.count() + 1 + right.count(), n.value, left, right}
}

// Len returns the number of keys.
func (m Map[V]) Len() int { return m.root.count() }

// Get returns the value of a key, and whether there is one.
func (m Map[V]) Get(key string) (v V, ok bool) {
	for n := m.root; n != nil; {
		switch {
		case key < n.key:
			n = n.left
		case key > n.key:
			n = n.right
		default:
			return n.value, true
		}
	}
	return v, false
}

// Set returns a map in which the key has the value.
func (m Map[V]) Set(key string, v V) Map[V] {
	fresh := &node[V]{key: key, weight: maphash.String(seed, key), size: 1, value: v}
	return Map[V]{insert(m.root, fresh)}
}

func insert[V any](n, fresh *node[V]) *node[V] {
	switch {
	case n == nil:
		return fresh
	case n.key == fresh.key:
		fresh.size, fresh.left, fresh.right = n.size, n.left, n.right
		return fresh
	case fresh.weight > n.weight:
		left, right := split(n, fresh.key)
		return fresh.with(left, right)
	case fresh.key < n.key:
		return n.with(insert(n.left, fresh), n.right)
	default:
		return n.with(n.left, insert(n.right, fresh))
	}
}

// split divides into what is before a key and what is behind it. The key itself
// may be there only if its weight is that of n, which insert has seen before.
func split[V any](n *node[V], key string) (before, behind *node[V]) {
	switch {
	case n == nil:
		return nil, nil
	case n.key < key:
		mid, behind := split(n.right, key)
		return n.with(n.left, mid), behind
	default:
		before, mid := split(n.left, key)
		return before, n.with(mid, n.right)
	}
}

// Delete returns a map without the key.
func (m Map[V]) Delete(key string) Map[V] {
	if _, ok := m.Get(key); !ok {
		return m
	}
	return Map[V]{remove(m.root, key)}
}

func remove[V any](n *node[V], key string) *node[V] {
	switch {
	case key < n.key:
		return n.with(remove(n.left, key), n.right)
	case key > n.key:
		return n.with(n.left, remove(n.right, key))
	default:
		return join(n.left, n.right)
	}
}

func join[V any](a, b *node[V]) *node[V] {
	switch {
	case a == nil:
		return b
	case b == nil:
		return a
	case a.weight > b.weight:
		return a.with(a.left, join(a.right, b))
	default:
		return b.with(join(a, b.left), b.right)
	}
}

// Up returns the keys from `from` on and before `to`, rising. "" is no bound.
func (m Map[V]) Up(from, to string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) { m.root.up(from, to, yield) }
}

func (n *node[V]) up(from, to string, yield func(string, V) bool) bool {
	if n == nil {
		return true
	}
	if n.key >= from {
		if !n.left.up(from, to, yield) {
			return false
		}
		if to != "" && n.key >= to {
			return false
		}
		if !yield(n.key, n.value) {
			return false
		}
	}
	return n.right.up(from, to, yield)
}

// Down is Up in falling order.
func (m Map[V]) Down(from, to string) iter.Seq2[string, V] {
	return func(yield func(string, V) bool) { m.root.down(from, to, yield) }
}

func (n *node[V]) down(from, to string, yield func(string, V) bool) bool {
	if n == nil {
		return true
	}
	if to == "" || n.key < to {
		if !n.right.down(from, to, yield) {
			return false
		}
		if n.key < from {
			return false
		}
		if !yield(n.key, n.value) {
			return false
		}
	}
	return n.left.down(from, to, yield)
}
