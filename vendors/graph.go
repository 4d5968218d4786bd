package vendors

import (
	"fmt"
	"iter"
	"maps"
	"slices"
)

// An Edge says that one organization buys from another.
type Edge struct {
	Customer, Supplier string
}

// A Graph is a supply chain as seen from one organization, self. It is
// immutable and safe for concurrent use. No walk recurses, so that cycles and
// long chains are safe.
type Graph struct {
	names []string // sorted
	self  int
	next  [][]int // suppliers of each customer, sorted
}

// NewGraph returns the graph of the edges; edges that stand twice count once.
// An edge with an empty name makes the error a [Problems] that names each by its
// place and matches [ErrMissing].
func NewGraph(self string, edges iter.Seq[Edge]) (*Graph, error) {
	var ps Problems
	var list []Edge
	seen := map[string]int{self: 0}
	i := -1
	for e := range edges {
		i++
		if e.Customer == "" || e.Supplier == "" {
			ps.add(fmt.Sprintf("/%d", i), "", ErrMissing, "a name of an edge from %q to %q", e.Customer, e.Supplier)
			continue
		}
		list = append(list, e)
		seen[e.Customer], seen[e.Supplier] = 0, 0
	}
	if self == "" {
		ps.add("", "", ErrMissing, "the name of the organization itself")
	}
	if ps != nil {
		return nil, ps
	}
	g := &Graph{names: slices.Sorted(maps.Keys(seen))}
	for i, n := range g.names {
		seen[n] = i
	}
	g.self = seen[self]
	g.next = make([][]int, len(g.names))
	for _, e := range list {
		c := seen[e.Customer]
		g.next[c] = append(g.next[c], seen[e.Supplier])
	}
	for c := range g.next {
		slices.Sort(g.next[c])
		g.next[c] = slices.Compact(g.next[c])
	}
	return g, nil
}

// distances returns the shortest distance of every node from the nodes given, -1
// for those that cannot be reached, in one breadth-first walk that does not go
// on from self.
func (g *Graph) distances(from []int, dist []int, queue []int) {
	for i := range dist {
		dist[i] = -1
	}
	queue = queue[:0]
	for _, n := range from {
		if dist[n] < 0 {
			dist[n] = 0
			queue = append(queue, n)
		}
	}
	for head := 0; head < len(queue); head++ {
		n := queue[head]
		if n == g.self && dist[n] > 0 {
			continue
		}
		for _, m := range g.next[n] {
			if dist[m] < 0 {
				dist[m] = dist[n] + 1
				queue = append(queue, m)
			}
		}
	}
}

// Ranks returns the shortest distance of each supplier from self: 1 for those
// that we buy from, 2 for theirs. It is the rank of the DORA register of
// information. Suppliers that self cannot reach have no rank.
func (g *Graph) Ranks() map[string]int {
	dist := make([]int, len(g.names))
	g.distances([]int{g.self}, dist, make([]int, 0, len(g.names)))
	ranks := map[string]int{}
	for i, d := range dist {
		if d > 0 {
			ranks[g.names[i]] = d
		}
	}
	return ranks
}

// Concentration says on whom functions depend together.
type Concentration struct {
	Functions    map[string][]string // functions that depend on each supplier, directly or not; sorted
	Shared       []string            // suppliers on which two functions or more depend, sorted
	SinglePoints []string            // suppliers on which three functions or more depend: single points of failure, sorted
	HHI          *float64            // Herfindahl-Hirschman index of the functions' direct suppliers, above 0 to 1; nil without functions
	Direct       map[string]int      // functions that each direct supplier serves
}

// Concentration computes on whom the functions depend, given the direct
// suppliers of each. A function depends on every supplier that its direct ones
// reach; the walk does not go through self. HHI is the sum of the squared shares
// of the direct suppliers in all pairs of function and direct supplier: 1 if one
// serves all. A supplier that the graph does not hold makes the error a
// [Problems], in the order of the functions' names, that matches [ErrReference].
func (g *Graph) Concentration(functions map[string][]string) (Concentration, error) {
	c := Concentration{Functions: map[string][]string{}, Direct: map[string]int{}}
	var ps Problems
	depending := make([][]string, len(g.names))
	dist, queue := make([]int, len(g.names)), make([]int, 0, len(g.names))
	var pairs int64
	for _, f := range slices.Sorted(maps.Keys(functions)) {
		var direct []int
		for i, name := range functions[f] {
			n, ok := slices.BinarySearch(g.names, name)
			switch {
			case !ok:
				ps.add(fmt.Sprintf("/%s/%d", escapePointer(f), i), f, ErrReference, "the graph holds no %q", name)
			case n != g.self && !slices.Contains(direct, n):
				direct = append(direct, n)
				c.Direct[name]++
				pairs++
			}
		}
		g.distances(direct, dist, queue)
		for n, d := range dist {
			if d >= 0 && n != g.self {
				depending[n] = append(depending[n], f)
			}
		}
	}
	if ps != nil {
		return Concentration{}, ps
	}
	for n, fs := range depending {
		if fs == nil {
			continue
		}
		c.Functions[g.names[n]] = fs
		if len(fs) >= 2 {
			c.Shared = append(c.Shared, g.names[n])
		}
		if len(fs) >= 3 {
			c.SinglePoints = append(c.SinglePoints, g.names[n])
		}
	}
	if pairs > 0 {
		var squares int64 // exact, so that the order of the map does not matter
		for _, n := range c.Direct {
			squares += int64(n) * int64(n)
		}
		c.HHI = new(float64(squares) / float64(pairs*pairs))
	}
	return c, nil
}

// Cycles returns the cycles of the supply chain, each once, beginning with its
// smallest name, sorted; at most limit of them (default 1,000) and a million names
// in all, because a graph can have more cycles than fit into any memory. more tells whether there are
// others. (Johnson, Finding all the elementary circuits of a directed graph,
// SIAM J. Comput. 4, 1975.)
func (g *Graph) Cycles(limit int) (cycles [][]string, more bool) {
	if limit <= 0 {
		limit = 1000
	}
	f := cycleFinder{g: g, limit: limit, part: make([]int, len(g.names)), blocked: make([]bool, len(g.names)), waiting: make([][]int, len(g.names))}
	all := make([]int, len(g.names))
	for i := range all {
		all[i] = i
	}
	todo := f.components(all)
	for len(todo) > 0 && !f.more {
		c := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		f.from(c)
		todo = append(todo, f.components(c[1:])...)
	}
	slices.SortFunc(f.cycles, slices.Compare)
	for _, c := range f.cycles {
		named := make([]string, len(c))
		for i, n := range c {
			named[i] = g.names[n]
		}
		cycles = append(cycles, named)
	}
	return cycles, f.more
}

// maxCycleNames bounds the memory that cycles take.
const maxCycleNames = 1_000_000

type cycleFinder struct {
	g       *Graph
	limit   int
	cycles  [][]int
	size    int // names in all cycles
	more    bool
	part    []int // number of the component in which a node lies, 0 for none
	parts   int
	blocked []bool
	waiting [][]int // nodes to unblock with a node
}

// components returns the strongly connected components of the graph of the
// given nodes that hold a cycle, each sorted (Tarjan, without recursion).
func (f *cycleFinder) components(nodes []int) [][]int {
	f.parts++
	inside := f.parts
	for _, n := range nodes {
		f.part[n] = inside
	}
	type frame struct{ node, edge int }
	var (
		out     [][]int
		stack   []int
		frames  []frame
		order   = make(map[int]int, len(nodes)) // from 1
		low     = make(map[int]int, len(nodes))
		onStack = make(map[int]bool, len(nodes))
	)
	for _, root := range nodes {
		if order[root] != 0 {
			continue
		}
		frames = append(frames, frame{root, 0})
		for len(frames) > 0 {
			top := &frames[len(frames)-1]
			n := top.node
			if top.edge == 0 && order[n] == 0 {
				order[n] = len(order) + 1
				low[n] = order[n]
				stack = append(stack, n)
				onStack[n] = true
			}
			if top.edge < len(f.g.next[n]) {
				m := f.g.next[n][top.edge]
				top.edge++
				switch {
				case f.part[m] != inside:
				case order[m] == 0:
					frames = append(frames, frame{m, 0})
				case onStack[m]:
					low[n] = min(low[n], order[m])
				}
				continue
			}
			frames = frames[:len(frames)-1]
			if len(frames) > 0 {
				up := frames[len(frames)-1].node
				low[up] = min(low[up], low[n])
			}
			if low[n] != order[n] {
				continue
			}
			at := len(stack) - 1
			for stack[at] != n {
				at--
			}
			c := slices.Clone(stack[at:])
			stack = stack[:at]
			for _, m := range c {
				onStack[m] = false
			}
			if len(c) > 1 || slices.Contains(f.g.next[n], n) {
				slices.Sort(c)
				out = append(out, c)
			}
		}
	}
	return out
}

// from finds the cycles through the smallest node of a component.
func (f *cycleFinder) from(component []int) {
	f.parts++
	inside, start := f.parts, component[0]
	for _, n := range component {
		f.part[n] = inside
		f.blocked[n] = false
		f.waiting[n] = nil
	}
	type frame struct {
		node, edge int
		closed     bool // a cycle went through here
	}
	frames := []frame{{node: start}}
	f.blocked[start] = true
	for len(frames) > 0 {
		top := &frames[len(frames)-1]
		if top.edge < len(f.g.next[top.node]) {
			m := f.g.next[top.node][top.edge]
			top.edge++
			switch {
			case f.part[m] != inside:
			case m == start:
				f.size += len(frames)
				if len(f.cycles) == f.limit || f.size > maxCycleNames {
					f.more = true
					return
				}
				cycle := make([]int, len(frames))
				for i := range frames {
					cycle[i] = frames[i].node
				}
				f.cycles = append(f.cycles, cycle)
				top.closed = true
			case !f.blocked[m]:
				f.blocked[m] = true
				frames = append(frames, frame{node: m})
			}
			continue
		}
		n, closed := top.node, top.closed
		frames = frames[:len(frames)-1]
		if closed {
			f.unblock(n)
			if len(frames) > 0 {
				frames[len(frames)-1].closed = true
			}
			continue
		}
		for _, m := range f.g.next[n] {
			if f.part[m] == inside && !slices.Contains(f.waiting[m], n) {
				f.waiting[m] = append(f.waiting[m], n)
			}
		}
	}
}

func (f *cycleFinder) unblock(n int) {
	todo := []int{n}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if f.blocked[n] {
			f.blocked[n] = false
			todo = append(todo, f.waiting[n]...)
			f.waiting[n] = nil
		}
	}
}
