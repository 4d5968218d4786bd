package constraint

import (
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/issokit/issokit/oscal"
)

// Nodes that follow each other and host no index, nor anything below, are
// independent of each other: several goroutines visit them, each with an
// evaluator of its own, and what they note is put together in document order. The
// outcome is that of one goroutine.

const (
	// A group is parted from so many nodes on.
	minParted = 16
	// More parts than goroutines, since some have more to do than others.
	partsPerGoroutine = 8
)

// visitApart is visit for the nodes of a group by several goroutines; it returns
// false, and does nothing, where that is not possible or not worth it.
func (e *evaluator) visitApart(g group, s *scope) bool {
	workers := runtime.GOMAXPROCS(0)
	if e.part || workers == 1 || s != nil || e.contexts != nil || g.rules.indexes {
		return false
	}
	var nodes []*oscal.Node
	for k := g.first; k != nil && k.Member() == g.member; k = k.Next() {
		nodes = append(nodes, k)
	}
	if len(nodes) < minParted {
		return false
	}
	parts := make([]*evaluator, min(len(nodes), partsPerGoroutine*workers))
	var next atomic.Int32
	work := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(parts) {
				return
			}
			p := e.fork()
			parts[i] = p
			for _, k := range nodes[i*len(nodes)/len(parts) : (i+1)*len(nodes)/len(parts)] {
				if p.panicked = p.visitGuarded(k, g.rules); p.panicked != nil {
					next.Store(int32(len(parts)))
					return
				}
			}
		}
	}
	var wg sync.WaitGroup
	for range workers - 1 {
		wg.Go(work)
	}
	work()
	wg.Wait()
	for _, p := range parts {
		if p != nil {
			e.join(p)
		}
	}
	return true
}

// visitGuarded returns what visit panicked with: that the context is done, or a
// mistake of ours.
func (e *evaluator) visitGuarded(n *oscal.Node, rules *memberRules) (p any) {
	if err := e.ctx.Err(); err != nil {
		return stopped{err}
	}
	defer func() { p = recover() }()
	e.visit(n, rules, nil)
	return nil
}

// fork returns an evaluator for a part of the document. It reads what e knows and
// writes to its own lists.
func (e *evaluator) fork() *evaluator {
	p := &evaluator{
		run: newRun(e.ctx), opts: e.opts, doc: e.doc, sets: e.sets, base: e.base, skip: e.skip, filtered: e.filtered,
		lookups: e.lookups, anyValues: e.anyValues, indexes: e.indexes, unknown: e.unknown, part: true,
	}
	p.now, p.loader, p.resolve, p.variables, p.maxSteps = e.now, e.loader, e.resolve, e.variables, e.maxSteps
	main := *e.source(e.doc.Root()) // the lists in it are made anew where they are not there yet
	p.sources[main.root], p.sources[main.top] = &main, &main
	p.d.run = p.run
	if e.counts != nil {
		p.counts = make([]Count, len(e.counts))
	}
	return p
}

// join takes over what a part noted.
func (e *evaluator) join(p *evaluator) {
	if p.panicked != nil {
		panic(p.panicked)
	}
	for i, c := range p.counts {
		e.counts[i].Passed += c.Passed
		e.counts[i].Failed += c.Failed
	}
	e.deferred = append(e.deferred, p.deferred...)
	e.listed = append(e.listed, p.listed...)
	e.unlisted = append(e.unlisted, p.unlisted...)
	e.passed = append(e.passed, p.passed...)
	e.suspects += p.suspects
	if e.undefined == nil {
		e.undefined = p.undefined
	}
	room := min(len(p.found), e.opts.MaxFindings-len(e.found))
	e.found = append(e.found, p.found[:room]...)
	e.dropped = e.dropped || p.dropped || room < len(p.found)
}
