package fair

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// blockYears is how many years are simulated at a time. Random streams are named by
// block, so that blocks can be worked on in any order by anybody.
const (
	blockYears = 1 << 12
	chunk      = 512
)

// An engine is a scenario made ready to simulate.
type engine struct {
	index     int // in the portfolio
	key       uint64
	law       *law    // of the number of events; nil where they are scattered or triggered
	block     poisson // events in a block, for a constant rate
	parent    int     // engine that triggers; -1 for none
	chance    uint64  // of being triggered
	forms     []form
	keep      []int     // year factors that thin events
	triggers  []*engine // that its events trigger
	frequency int       // row of the correlation of frequencies; -1 for none
	severity  int       // row of the correlation of severities; -1 for none
	perEvent  *Layer
	aggregate *Layer
}

type form struct {
	sampler *sampler
	key     uint64
	always  bool
	chance  uint64 // an event brings the loss if a word is below
	scale   []int  // year factors that scale it
}

// A factor is what an effect leaves, drawn once a year.
type factor struct {
	keys     []uint64
	samplers []*sampler
}

// A plan is a portfolio made ready to simulate; it is not changed by that.
type plan struct {
	seed      uint64
	engines   []*engine // parents before what they trigger, else in the order of the portfolio
	factors   []factor
	frequency [][]float64 // roots of the correlations; nil for none
	severity  [][]float64
	normal    *sampler
	ids       []string
	groups    [][]int // indices of scenarios
	names     []string
	digest    [32]byte
	marked    []mark
}

// histogram returns an empty one with the marks of the portfolio.
func (pl *plan) histogram() *histogram { return &histogram{marks: slices.Clone(pl.marked)} }

// maxTables bounds the memory of the tables of distributions to some 600 MB.
const maxTables = 1 << 14

// scatterLimit is the rate up to which the events of a block are scattered.
const scatterLimit = 256

// A poisson draws Poisson numbers by searching from the mode.
type poisson struct {
	mean, mode, probability, below float64
}

func newPoisson(mean float64) poisson {
	p := poisson{mean: mean, mode: math.Floor(mean)}
	if mean > 0 {
		p.probability = poissonProb(int(p.mode), mean)
		_, p.below = gammaPQ(p.mode+1, mean)
	}
	return p
}

// draw inverts the distribution function at a word.
func (p poisson) draw(word uint64) int {
	u := mul(float64(int64(word>>11)), 1.0/(1<<53))
	k, f, q := p.mode, p.below, p.probability
	if p.mean == 0 {
		return 0
	}
	if u < f {
		for k > 0 && u < f-q {
			f -= q
			q = mul(q, k) / p.mean
			k--
		}
		return int(k)
	}
	for u >= f && q > 1e-300 {
		k++
		q = mul(q, p.mean) / k
		f += q
	}
	return int(k)
}

// threshold returns the word below which lies the share p of all words.
func threshold(p float64) uint64 { return uint64(min(p, 1)*(1<<53)) << 11 }

// compile checks a portfolio and makes it ready. Samplers are made by several
// workers; what they make does not depend on that. The error is of type [Problems], or
// that of ctx.
func compile(ctx context.Context, p Portfolio, seed uint64, workers int) (*plan, error) {
	if err := p.Check(); err != nil {
		return nil, err
	}
	pl := &plan{seed: seed}
	root := mix(seed)
	index := map[string]int{}
	for i, s := range p.Scenarios {
		index[s.ID] = i
		pl.ids = append(pl.ids, s.ID)
	}
	var jobs []func()
	tables := map[any]*sampler{} // equal distributions share theirs
	sampled := func(d Dist, to **sampler) {
		id := identity(d)
		if *to = tables[id]; *to == nil {
			s := new(sampler)
			*to, tables[id] = s, s
			jobs = append(jobs, func() { *s = *newSampler(d) })
		}
	}

	frequency, severity := map[string]int{}, map[string]int{}
	if c := p.Frequencies; c != nil {
		pl.frequency = cholesky(c.Matrix)
		for i, id := range c.Scenarios {
			frequency[id] = i
		}
	}
	if c := p.Severities; c != nil {
		pl.severity = cholesky(c.Matrix)
		for i, id := range c.Scenarios {
			severity[id] = i
		}
	}
	if pl.frequency != nil || pl.severity != nil {
		sampled(&normal{0, 1}, &pl.normal)
	}
	engines := make([]*engine, len(p.Scenarios))
	problems := make([]error, len(p.Scenarios))
	digests := make([][32]byte, len(p.Scenarios))
	for i, s := range p.Scenarios {
		e := &engine{index: i, key: key(root, s.ID), parent: -1, frequency: -1, severity: -1, perEvent: s.PerEvent, aggregate: s.Aggregate}
		engines[i] = e
		if r, ok := frequency[s.ID]; ok {
			e.frequency = r
		}
		if r, ok := severity[s.ID]; ok {
			e.severity = r
		}
		e.forms = make([]form, len(s.Losses))
		for j, l := range s.Losses {
			f := &e.forms[j]
			f.key = key(e.key, "loss "+strconv.Itoa(j+1))
			f.always = l.chance() >= 1
			f.chance = threshold(l.chance())
			sampled(l.magnitude, &f.sampler)
		}
		if s.Frequency.parent != "" {
			e.parent = index[s.Frequency.parent]
			e.chance = threshold(s.Frequency.conditional.Mean())
			continue
		}
		jobs = append(jobs, func() {
			f := s.Frequency.law()
			if m, ok := f.(*mixedPoisson); ok && len(m.factors) == 0 && m.scale <= scatterLimit && e.frequency < 0 {
				e.block = newPoisson(mul(m.scale, blockYears))
				return
			}
			if e.law, problems[i] = newLaw(f); problems[i] == nil && e.frequency >= 0 {
				e.law.normalThresholds()
			}
		})
	}
	for _, c := range p.Controls {
		for j, effect := range c.Effects {
			var f factor
			k := key(key(root, "control "+c.ID), strconv.Itoa(j))
			for n, d := range []Dist{effect.Efficacy, effect.Coverage, effect.Reliability} {
				if d != nil {
					f.keys = append(f.keys, key(k, strconv.Itoa(n)))
					f.samplers = append(f.samplers, nil)
				}
			}
			at := len(f.samplers) - 1
			for _, d := range []Dist{effect.Reliability, effect.Coverage, effect.Efficacy} {
				if d != nil {
					sampled(d, &f.samplers[at])
					at--
				}
			}
			n := len(pl.factors)
			pl.factors = append(pl.factors, f)
			for i, s := range p.Scenarios {
				if effect.Scenario != "" && effect.Scenario != s.ID {
					continue
				}
				if effect.On != OnMagnitude {
					engines[i].keep = append(engines[i].keep, n)
					continue
				}
				for k, l := range s.Losses {
					if effect.Form == 0 || effect.Form == l.form {
						engines[i].forms[k].scale = append(engines[i].forms[k].scale, n)
					}
				}
			}
		}
	}
	if pl.severity != nil {
		phiTable()
	}
	if len(tables) > maxTables {
		return nil, Problems{{"portfolio", fmt.Sprintf("at most %d different distributions", maxTables), strconv.Itoa(len(tables))}}
	}
	parallel(ctx, len(jobs), workers, func(i int) { jobs[i]() })
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	for i, s := range p.Scenarios {
		if problems[i] != nil {
			var ps Problems
			ps.in("scenario "+s.ID, problems[i])
			return nil, ps
		}
	}
	// Parents first.
	placed := make([]bool, len(engines))
	for len(pl.engines) < len(engines) {
		for i, e := range engines {
			if !placed[i] && (e.parent < 0 || placed[e.parent]) {
				placed[i] = true
				pl.engines = append(pl.engines, e)
				if e.parent >= 0 {
					engines[e.parent].triggers = append(engines[e.parent].triggers, e)
				}
			}
		}
	}
	for _, g := range p.Groups {
		pl.names = append(pl.names, g.ID)
		pl.groups = append(pl.groups, p.members(g, index))
	}
	parallel(ctx, len(engines), workers, func(i int) { digests[i] = engines[i].digest() })
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	pl.digest = pl.sum(digests, engines, p)
	pl.marked = pl.marks(p, engines)
	return pl, nil
}

// parallel calls f for 0 to n-1 from several goroutines, until ctx ends.
func parallel(ctx context.Context, n, workers int, f func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(workers, n) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n || ctx.Err() != nil {
					return
				}
				f(i)
			}
		})
	}
	wg.Wait()
}

// digest identifies what the engine draws.
func (e *engine) digest() [32]byte {
	h := sha256.New()
	var b []byte
	num := func(xs ...float64) {
		for _, x := range xs {
			b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x))
		}
	}
	table := func(s *sampler) {
		num(s.value)
		if s.cells != nil {
			for i := 0; i < len(s.cells); i += 32 {
				if c := s.cells[i+5]; c.a == c.a {
					num(c.a, c.b)
				} else {
					num(s.exact(uint64(i+1) << 52))
				}
			}
		}
	}
	num(e.block.mean, float64(e.parent), float64(e.frequency), float64(e.severity))
	b = binary.LittleEndian.AppendUint64(b, e.chance)
	if e.law != nil {
		num(float64(e.law.first))
		num(e.law.pmf...)
	}
	for _, f := range e.forms {
		table(f.sampler)
		b = binary.LittleEndian.AppendUint64(b, f.chance)
		for _, n := range f.scale {
			num(float64(n))
		}
	}
	for _, n := range e.keep {
		num(float64(n))
	}
	for _, l := range []*Layer{e.perEvent, e.aggregate} {
		if l != nil {
			num(l.Deductible, l.Limit, l.Share)
		} else {
			num(math.NaN())
		}
	}
	h.Write(b)
	return [32]byte(h.Sum(nil))
}

func (pl *plan) sum(digests [][32]byte, engines []*engine, p Portfolio) [32]byte {
	h := sha256.New()
	fmt.Fprintf(h, "fair %d seed %d\n", EngineVersion, pl.seed)
	for i := range engines {
		fmt.Fprintf(h, "%q %x\n", pl.ids[i], digests[i])
	}
	for i, g := range pl.groups {
		fmt.Fprintf(h, "group %q %v\n", pl.names[i], g)
	}
	for _, f := range pl.factors {
		for i, s := range f.samplers {
			fmt.Fprintf(h, "factor %x", f.keys[i])
			for p := uint64(1); p < 16; p++ {
				fmt.Fprintf(h, " %x", math.Float64bits(s.at(p<<59|1<<62)))
			}
		}
	}
	for _, c := range []*Correlation{p.Frequencies, p.Severities} {
		if c != nil {
			fmt.Fprintf(h, "correlation %q %v\n", c.Scenarios, c.Matrix)
		}
	}
	return [32]byte(h.Sum(nil))
}

// EngineVersion counts changes of the engine after which the same seed gives other
// numbers.
const EngineVersion = 2

// A worker simulates blocks.
type worker struct {
	*plan
	stop      *atomic.Bool
	out       [blockYears]float64
	words     [blockYears]uint64
	free      chunks                // of the scenario that runs, if no other triggers it
	triggered []*chunks             // by index, of those that run with their parents
	normals   [][blockYears]float64 // correlated, by row
	left      [][blockYears]float64 // what effects leave, by factor and year
}

func newWorker(pl *plan, stop *atomic.Bool) *worker {
	w := &worker{plan: pl, stop: stop, triggered: make([]*chunks, len(pl.engines))}
	for _, e := range pl.engines {
		if e.parent >= 0 {
			w.triggered[e.index] = &chunks{out: new([blockYears]float64)}
		}
	}
	w.free.out = &w.out
	w.normals = make([][blockYears]float64, len(pl.frequency))
	w.left = make([][blockYears]float64, len(pl.factors))
	return w
}

// begin draws what scenarios share in a block.
func (w *worker) begin(block int64) {
	root := mix(w.seed)
	for i, f := range w.factors {
		left := &w.left[i]
		for y := range left {
			left[y] = 1
		}
		for j, s := range f.samplers {
			st := newStream(f.keys[j], block)
			st.fill(w.words[:])
			for y, word := range w.words[:] {
				left[y] = mul(left[y], s.at(word))
			}
		}
		for y := range left {
			left[y] = 1 - left[y]
		}
	}
	// Rows from the last, so that those before still hold independent numbers.
	for i := range w.normals {
		st := newStream(key(key(root, "frequencies"), strconv.Itoa(i)), block)
		st.fill(w.words[:])
		for y, word := range w.words[:] {
			w.normals[i][y] = w.normal.sample(word)
		}
	}
	for i := len(w.normals) - 1; i >= 0; i-- {
		row := w.frequency[i]
		z := &w.normals[i]
		d := row[i]
		for y := range z {
			z[y] = mul(z[y], d)
		}
		for j, c := range row[:i] {
			if c == 0 {
				continue
			}
			g := &w.normals[j]
			for y := range z {
				z[y] += mul(c, g[y])
			}
		}
	}
}

// run sets out to the losses of a scenario in the years of a block. Scenarios that
// another triggers have run with that one, and only hand over.
func (w *worker) run(e *engine, block int64) {
	if e.parent >= 0 {
		w.out = *w.triggered[e.index].out
	} else {
		w.events(e, block)
	}
	if e.aggregate != nil {
		for y := range w.out {
			w.out[y] -= e.aggregate.Paid(w.out[y])
		}
	}
}

// events draws the events of a scenario that no other triggers.
func (w *worker) events(e *engine, block int64) {
	simple := len(e.forms) == 1 && e.forms[0].always && e.forms[0].scale == nil && e.keep == nil &&
		e.perEvent == nil && e.triggers == nil && e.severity < 0
	events := newStream(e.key, block)
	c := &w.free
	c.start(w, e, block)
	if e.law == nil {
		n := e.block.draw(events.next())
		for n > 0 && !w.stop.Load() {
			m := min(n, chunk)
			if simple {
				e.forms[0].sampler.scatter(&w.out, &events, m)
			} else {
				words := c.first[:m]
				events.fill(words)
				for i, word := range words {
					c.years[i] = uint16(word & (blockYears - 1))
				}
				c.flush(m, true)
			}
			n -= m
		}
	} else {
		events.fill(w.words[:])
		n := 0
		for y := range blockYears {
			var k int
			if e.frequency >= 0 {
				k = e.law.fromNormal(w.normals[e.frequency][y])
			} else {
				k = e.law.draw(w.words[y])
			}
			for range k {
				c.years[n] = uint16(y)
				if n++; n == chunk {
					c.flush(n, false)
					n = 0
				}
			}
			if k > chunk && w.stop.Load() {
				return
			}
		}
		c.flush(n, false)
	}
	for _, t := range c.triggers {
		t.finish()
	}
}

// scatter draws n words and adds the value of each to the year that its lowest bits
// name.
func (s *sampler) scatter(out *[blockYears]float64, st *stream, n int) {
	if s.cells == nil {
		for range n {
			out[st.next()&(blockYears-1)] += s.value
		}
		return
	}
	for {
		var word uint64
		if n, word = s.spread(out, st, n); n == 0 {
			return
		}
		out[word&(blockYears-1)] += s.apart(word)
		n--
	}
}

// spread is scatter up to a word whose value stands in no common cell, and returns
// how many words are left with that one. It is the one hot loop: the generator is
// written out in it, so that its latency hides behind the table, and nothing is called,
// so that all stays in registers.
func (s *sampler) spread(out *[blockYears]float64, st *stream, n int) (int, uint64) {
	a, b, c, d := st.a, st.b, st.c, st.d
	cells, index := s.cells, s.index
	var w uint64
	for ; n > 0; n-- {
		r := a + d
		w = (r<<23 | r>>41) + a
		x := b << 17
		c ^= a
		d ^= b
		b ^= c
		a ^= d
		c ^= x
		d = d<<45 | d>>19

		i := index[w>>(64-indexBits)]
		if i >= noCell {
			break
		}
		cell := &cells[i]
		out[w&(blockYears-1)] += cell.a + float64(cell.b*float64(int64(w<<1>>13)))
	}
	st.a, st.b, st.c, st.d = a, b, c, d
	return n, w
}

// values sets to[i] to the value of each word.
func (s *sampler) values(to []float64, words []uint64) {
	if s.cells == nil {
		for i := range to {
			to[i] = s.value
		}
		return
	}
	for words = words[:len(to)]; len(to) > 0; {
		n := s.common(to, words)
		if n < len(to) {
			to[n] = s.apart(words[n])
			n++
		}
		to, words = to[n:], words[n:]
	}
}

// common is values up to a word whose value stands in no common cell.
func (s *sampler) common(to []float64, words []uint64) int {
	cells, index := s.cells, s.index
	words = words[:len(to)]
	for n, w := range words {
		i := index[w>>(64-indexBits)]
		if i >= noCell {
			return n
		}
		c := &cells[i]
		to[n] = c.a + float64(c.b*float64(int64(w<<1>>13)))
	}
	return len(to)
}

// chunks turns events, whose years are known, into losses, chunk by chunk and in each
// stage by stage. An event that a control stops keeps its place and its draws, so that
// those after it draw the same with and without the control.
type chunks struct {
	w        *worker
	e        *engine
	block    int64
	out      *[blockYears]float64
	streams  []stream // of the forms
	marks    stream
	trigger  stream
	triggers []*chunks // of the scenarios that its events trigger
	waiting  int       // events of its parent, not yet a chunk
	ordinal  []uint32  // events so far in each year, for correlated severities
	years    [chunk]uint16
	stopped  [chunk]bool
	first    [chunk]uint64
	draws    [chunk]uint64
	sev      [chunk]float64
	hits     [chunk]uint16
	values   [chunk]float64
	chosen   [chunk]uint64
}

func (c *chunks) start(w *worker, e *engine, block int64) {
	c.w, c.e, c.block = w, e, block
	clear(c.out[:])
	c.streams = c.streams[:0]
	for i := range e.forms {
		c.streams = append(c.streams, newStream(e.forms[i].key, block))
	}
	c.marks = newStream(key(e.key, "marks"), block)
	if e.severity >= 0 {
		if c.ordinal == nil {
			c.ordinal = make([]uint32, blockYears)
		}
		clear(c.ordinal)
	}
	if e.parent >= 0 {
		c.trigger = newStream(e.key, block)
		c.waiting = 0
	} else {
		clear(c.stopped[:])
	}
	c.triggers = c.triggers[:0]
	for _, child := range e.triggers {
		t := w.triggered[child.index]
		t.start(w, child, block)
		c.triggers = append(c.triggers, t)
	}
}

// follow takes events of the parent, each of which triggers one here or not. Those
// that were stopped draw too, but what they trigger is stopped with them.
func (c *chunks) follow(years []uint16, stopped []bool) {
	for i, y := range years {
		if c.trigger.next() >= c.e.chance {
			continue
		}
		c.years[c.waiting], c.stopped[c.waiting] = y, stopped[i]
		if c.waiting++; c.waiting == chunk {
			c.flush(chunk, false)
			c.waiting = 0
		}
	}
}

// finish flushes what waits, down the tree of what is triggered.
func (c *chunks) finish() {
	c.flush(c.waiting, false)
	for _, t := range c.triggers {
		t.finish()
	}
}

// flush takes n events. If drawn is set, the words of the first form are there
// already.
func (c *chunks) flush(n int, drawn bool) {
	if n == 0 || c.w.stop.Load() {
		return
	}
	w, e := c.w, c.e
	sev := c.sev[:n]
	clear(sev)
	for j := range e.forms {
		f := &e.forms[j]
		words := c.draws[:n]
		if j == 0 && drawn {
			words = c.first[:n]
		} else if f.sampler.cells != nil || !f.always {
			c.streams[j].fill(words)
		}
		if !f.always {
			c.secondary(f, &c.streams[j], words, sev)
			continue
		}
		if j == 0 && e.severity >= 0 {
			c.correlate(words)
		}
		values := c.values[:n]
		f.sampler.values(values, words)
		for _, k := range f.scale {
			left := &w.left[k]
			for i := range values {
				values[i] = mul(values[i], left[c.years[i]&(blockYears-1)])
			}
		}
		for i, x := range values {
			sev[i] += x
		}
	}
	if e.keep != nil || e.perEvent != nil || e.parent >= 0 {
		c.treat(sev)
	}
	for i, x := range sev {
		c.out[c.years[i]&(blockYears-1)] += x
	}
	for _, t := range c.triggers {
		t.follow(c.years[:n], c.stopped[:n])
	}
}

// secondary adds a loss to those events that bring it.
func (c *chunks) secondary(f *form, s *stream, words []uint64, sev []float64) {
	w := c.w
	hits := 0
	for i, word := range words {
		c.hits[hits] = uint16(i)
		if word < f.chance {
			hits++
		}
	}
	chosen, values := c.chosen[:hits], c.values[:hits]
	if f.sampler.cells != nil {
		s.fill(chosen)
	}
	f.sampler.values(values, chosen)
	for h, x := range values {
		i := c.hits[h]
		for _, k := range f.scale {
			x = mul(x, w.left[k][c.years[i]&(blockYears-1)])
		}
		sev[i] += x
	}
}

// correlate replaces the words of the first form by those of correlated normal
// numbers: the j-th events of a year in different scenarios belong together. Their
// independent parts are named by row, year and j, so that every scenario finds the same.
func (c *chunks) correlate(words []uint64) {
	w, row := c.w, c.e.severity
	root := key(mix(w.seed), "severities") ^ mix(uint64(c.block))
	for i := range words {
		y := c.years[i]
		at := mix(root ^ uint64(y)<<32 ^ uint64(c.ordinal[y]))
		c.ordinal[y]++
		z := 0.0
		for k, l := range w.severity[row][:row+1] {
			if l != 0 {
				z += mul(l, w.normal.sample(mix(at+uint64(k)*0x9e3779b97f4a7c15)))
			}
		}
		words[i] = normalWord(z)
	}
}

// treat applies what stops events and the cover per event.
func (c *chunks) treat(sev []float64) {
	w, e := c.w, c.e
	stopped := c.stopped[:len(sev)]
	if e.keep != nil {
		marks := c.draws[:len(sev)]
		c.marks.fill(marks)
		for i, m := range marks {
			left := 1.0
			for _, k := range e.keep {
				left = mul(left, w.left[k][c.years[i]&(blockYears-1)])
			}
			thinned := mul(float64(int64(m>>11)), 1.0/(1<<53)) >= left
			stopped[i] = thinned || e.parent >= 0 && stopped[i]
		}
	}
	for i, gone := range stopped {
		if gone {
			sev[i] = 0
		}
	}
	if e.perEvent != nil {
		for i, x := range sev {
			sev[i] = x - e.perEvent.Paid(x)
		}
	}
}
