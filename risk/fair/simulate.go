package fair

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
)

// A Group is a node of a hierarchy: a department, a business line. Its loss is the
// sum of its members' in every year.
type Group struct {
	ID      string
	Members []string // ids of scenarios and of groups before it
}

// A Portfolio is what is simulated together: at most 100,000 scenarios, with at most
// 16,384 different distributions of losses and effects, each of which takes a table of 32
// KB, and at most 4,096 scenarios that another triggers.
type Portfolio struct {
	Scenarios   []Scenario
	Controls    []Control    // in place; what-ifs compare portfolios with different controls
	Frequencies *Correlation // of the numbers of events; nil: independent
	Severities  *Correlation // of the first losses of the j-th events of a year; nil: independent
	Groups      []Group
}

// Check tells everything that is wrong with the portfolio. The error is of type
// [Problems].
func (p Portfolio) Check() error {
	var ps Problems
	if len(p.Scenarios) == 0 {
		ps.add("scenarios", "one at least", "none")
	}
	if len(p.Scenarios) > maxScenarios {
		ps.add("scenarios", fmt.Sprintf("at most %d", maxScenarios), len(p.Scenarios))
		return ps
	}
	index := map[string]int{}
	// where names one by its id, and by its number where that would name another.
	where := make([]string, len(p.Scenarios))
	for i, s := range p.Scenarios {
		where[i] = fmt.Sprintf("scenario %d", i+1)
		if j, ok := index[s.ID]; ok && s.ID != "" {
			ps.add(where[i]+": id", "an id of its own", fmt.Sprintf("that of scenario %d, %q", j+1, s.ID))
		} else if s.ID != "" {
			where[i] = "scenario " + s.ID
			index[s.ID] = i
		}
		s.check(&ps, where[i])
	}
	triggered := 0
	for i, s := range p.Scenarios {
		at := s.Frequency.parent
		if at == "" {
			continue
		}
		if triggered++; triggered > maxTriggered {
			ps.add("scenarios", fmt.Sprintf("at most %d that another triggers", maxTriggered), "more")
			break
		}
		if _, ok := index[at]; !ok {
			ps.add(where[i]+": loss event frequency", "the id of a scenario that triggers it", strconv.Quote(at))
			continue
		}
		for n := 0; at != ""; n++ {
			j, ok := index[at]
			if !ok {
				break
			}
			if j == i || n > len(p.Scenarios) {
				ps.add(where[i]+": loss event frequency", "a parent that does not depend on it", strconv.Quote(s.Frequency.parent))
				break
			}
			at = p.Scenarios[j].Frequency.parent
		}
	}
	controls := map[string]int{}
	for i, c := range p.Controls {
		where := fmt.Sprintf("control %d", i+1)
		if j, ok := controls[c.ID]; ok && c.ID != "" {
			ps.add(where+": id", "an id of its own", fmt.Sprintf("that of control %d, %q", j+1, c.ID))
		} else if c.ID != "" {
			where = "control " + c.ID
			controls[c.ID] = i
		}
		c.check(&ps, where, index)
	}
	for _, c := range []struct {
		name string
		c    *Correlation
	}{{"correlation of frequencies", p.Frequencies}, {"correlation of severities", p.Severities}} {
		if c.c == nil {
			continue
		}
		seen := map[string]bool{}
		if len(c.c.Scenarios) == 0 {
			ps.add(c.name+": scenarios", "ids of scenarios", "none")
		}
		for _, id := range c.c.Scenarios {
			i, ok := index[id]
			switch {
			case !ok:
				ps.add(c.name+": scenarios", "ids of scenarios", strconv.Quote(id))
			case seen[id]:
				ps.add(c.name+": scenarios", "each id once", strconv.Quote(id))
			case c.c == p.Frequencies && p.Scenarios[i].Frequency.parent != "":
				ps.add(c.name+": scenarios", "scenarios that no other triggers", strconv.Quote(id))
			case c.c == p.Severities && len(p.Scenarios[i].Losses) > 0 && p.Scenarios[i].Losses[0].Secondary():
				ps.add(c.name+": scenarios", "scenarios whose first loss is primary", strconv.Quote(id))
			}
			seen[id] = true
		}
		c.c.check(&ps, c.name)
	}
	groups := map[string]bool{}
	for i, g := range p.Groups {
		where := fmt.Sprintf("group %d", i+1)
		if _, ok := index[g.ID]; ok || groups[g.ID] || g.ID == "" {
			ps.add(where+": id", "a name of its own", strconv.Quote(g.ID))
		}
		if len(g.Members) == 0 {
			ps.add(where+": members", "one at least", "none")
		}
		for _, m := range g.Members {
			if _, ok := index[m]; !ok && !groups[m] {
				ps.add(where+": members", "ids of scenarios and of groups before it", strconv.Quote(m))
			}
		}
		groups[g.ID] = true
	}
	return ps.err()
}

const (
	maxScenarios = 100_000
	maxDetailed  = 1024 // scenarios whose shares are kept
	maxTriggered = 4096 // each takes 55 KB of every worker
)

// members returns the scenarios of a group, each once, in the order of the portfolio.
func (p Portfolio) members(g Group, index map[string]int) []int {
	in := make([]bool, len(p.Scenarios))
	var visit func(g Group, depth int)
	visit = func(g Group, depth int) {
		for _, m := range g.Members {
			if i, ok := index[m]; ok {
				in[i] = true
				continue
			}
			for _, h := range p.Groups {
				if h.ID == m && depth < len(p.Groups) {
					visit(h, depth+1)
				}
			}
		}
	}
	visit(g, 0)
	var out []int
	for i, ok := range in {
		if ok {
			out = append(out, i)
		}
	}
	return out
}

// A Shard is one of several parts of a run that are simulated apart, on other
// machines if need be, and merged. The zero Shard is the whole run.
type Shard struct {
	Index, Count int // Index from 0
}

// Options configure [Simulate] and [Compare]; nil means the defaults.
type Options struct {
	Years   int64  // of the whole run; default 100,000; at most 2^32-1
	Seed    uint64 // names all random numbers; any value
	Workers int    // goroutines; default GOMAXPROCS; the result does not depend on it
	Shard   Shard  // part of the run
	// Detail keeps the distribution of every scenario and group too
	// ([Result.Part]).
	Detail bool
	// WithoutShares does not keep what scenarios contribute to the tail
	// ([Result.Contributions]); portfolios of more than 1,024 scenarios never do.
	WithoutShares bool
	// Progress, if not nil, is called now and then, never by two goroutines at once.
	Progress func(done, total int64)
	// Checkpoint, if not nil, is called after 2^16 years and each time they have
	// doubled, at the same years whatever the number of workers; false ends the run. It
	// may not be used with a shard.
	Checkpoint func(*Result) bool
}

// with returns the options with defaults; the error is of type [Problems].
func (o *Options) with() (Options, error) {
	var out Options
	if o != nil {
		out = *o
	}
	if out.Years == 0 {
		out.Years = 100_000
	}
	if out.Workers <= 0 {
		out.Workers = runtime.GOMAXPROCS(0)
	}
	out.Workers = min(out.Workers, 1024)
	if out.Shard == (Shard{}) {
		out.Shard.Count = 1
	}
	var ps Problems
	if out.Years < 1 || out.Years > maxYears {
		ps.add("years", fmt.Sprintf("a number from 1 to %d", uint64(maxYears)), out.Years)
	}
	if s := out.Shard; s.Count < 1 || s.Index < 0 || s.Index >= s.Count {
		ps.add("shard", "an index from 0 to below the count", fmt.Sprintf("%d of %d", s.Index, s.Count))
	} else if s.Count > 1 && out.Checkpoint != nil {
		ps.add("checkpoint", "none with a shard", "one")
	}
	return out, ps.err()
}

// blocks returns the blocks of the shard.
func (o Options) blocks() (from, to int64) {
	n := (o.Years + blockYears - 1) / blockYears
	at := func(i int) int64 { // n*i/count without overflow
		q, r := n/int64(o.Shard.Count), n%int64(o.Shard.Count)
		return q*int64(i) + r*int64(i)/int64(o.Shard.Count)
	}
	return at(o.Shard.Index), at(o.Shard.Index + 1)
}

// Simulate runs a portfolio through years of loss events. The result is the same to
// the bit for any number of workers and, merged, of shards, on every architecture.
//
// The error is of type [Problems], or that of ctx when it ended the run.
func Simulate(ctx context.Context, p Portfolio, opts *Options) (*Result, error) {
	o, err := opts.with()
	if err != nil {
		return nil, err
	}
	pl, err := compile(ctx, p, o.Seed, o.Workers)
	if err != nil {
		return nil, err
	}
	total := newResult(pl, o)
	err = rounds(ctx, o, func() *tally { return newTally(pl, o) }, (*tally).block,
		func(ts []*tally) {
			for _, t := range ts {
				total.take(t)
			}
		},
		func(done int64) bool {
			if o.Checkpoint == nil {
				return true
			}
			return o.Checkpoint(total.until(done))
		})
	if err != nil {
		return nil, err
	}
	return total, nil
}

// rounds gives out blocks to workers, in rounds that end where checkpoints are. T
// is what a worker gathers.
func rounds[T interface{ interrupt(*atomic.Bool) }](ctx context.Context, o Options, make_ func() T, work func(t T, block int64, years int), merge func([]T), checkpoint func(done int64) bool) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	from, to := o.blocks()
	var stop atomic.Bool
	defer context.AfterFunc(ctx, func() { stop.Store(true) })()
	var done atomic.Int64
	total := min(to*blockYears, o.Years) - from*blockYears
	var mu sync.Mutex
	report := func() {
		if o.Progress != nil && mu.TryLock() {
			o.Progress(done.Load(), total)
			mu.Unlock()
		}
	}
	end := to
	if o.Checkpoint != nil {
		end = min(16, to)
	}
	for start := from; start < to; {
		var next atomic.Int64
		next.Store(start)
		gathered := make([]T, max(min(int64(o.Workers), end-start), 1))
		var wg sync.WaitGroup
		for i := range gathered {
			wg.Go(func() {
				t := make_()
				t.interrupt(&stop)
				gathered[i] = t
				for {
					b := next.Add(1) - 1
					if b >= end || stop.Load() {
						return
					}
					years := int(min(o.Years-b*blockYears, blockYears))
					work(t, b, years)
					done.Add(int64(years))
					report()
				}
			})
		}
		wg.Wait()
		if err := ctx.Err(); err != nil {
			return err
		}
		merge(gathered)
		if o.Progress != nil {
			o.Progress(done.Load(), total)
		}
		if o.Checkpoint != nil && !checkpoint(end) {
			return nil
		}
		start, end = end, min(end*2, to)
		if o.Checkpoint == nil {
			end = to
		}
	}
	return nil
}

// A tally is what one worker has counted.
type tally struct {
	*worker
	total  *histogram
	parts  []*histogram // scenarios, then groups; nil unless asked for
	shares *shares      // nil unless asked for
	sums   [blockYears]float64
	group  [][blockYears]float64
	losses [][blockYears]float32
	class  [blockYears]uint32
	scale  [blockYears]float64
}

func newTally(pl *plan, o Options) *tally {
	t := &tally{total: pl.histogram()}
	t.worker = newWorker(pl, new(atomic.Bool))
	n := len(pl.engines)
	if o.Detail {
		t.parts = make([]*histogram, n+len(pl.groups))
		for i := range t.parts {
			t.parts[i] = pl.histogram()
		}
		t.group = make([][blockYears]float64, len(pl.groups))
	}
	if o.keepsShares(n) {
		t.shares = newShares(n)
		t.losses = make([][blockYears]float32, n)
	}
	return t
}

func (o Options) keepsShares(scenarios int) bool {
	return !o.WithoutShares && scenarios > 1 && scenarios <= maxDetailed
}

func (t *tally) interrupt(stop *atomic.Bool) { t.stop = stop }

// block simulates one block and counts its first years.
func (t *tally) block(block int64, years int) {
	sums := &t.out // of a single scenario
	if len(t.engines) > 1 {
		sums = &t.sums
		clear(sums[:])
	}
	for i := range t.group {
		clear(t.group[i][:])
	}
	t.begin(block)
	for _, e := range t.engines {
		t.run(e, block)
		if sums != &t.out {
			for y, x := range t.out[:years] {
				sums[y] += x
			}
		}
		if t.losses != nil {
			l := &t.losses[e.index]
			for y, x := range t.out[:years] {
				l[y] = float32(min(x, 3e38))
			}
		}
		if t.parts != nil {
			t.parts[e.index].add(t.out[:years])
			for g, members := range t.groups {
				for _, m := range members {
					if m == e.index {
						for y, x := range t.out[:years] {
							t.group[g][y] += x
						}
					}
				}
			}
		}
	}
	if t.stop.Load() {
		return
	}
	t.total.add(sums[:years])
	for g := range t.group {
		t.parts[len(t.engines)+g].add(t.group[g][:years])
	}
	if t.shares != nil {
		t.shares.classes(sums[:years], t.class[:years], t.scale[:years])
		for i := range t.losses {
			t.shares.add(i, t.losses[i][:years], t.class[:], t.scale[:])
		}
	}
}

// ErrMerge is what [Result.Merge] returns for results that do not belong together.
var ErrMerge = errors.New("the results do not belong together")
