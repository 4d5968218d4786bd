package fair

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sync/atomic"
)

// An Investment is what changes from one portfolio to another, year by year on
// common random numbers: events that a control stops are the same events.
type Investment struct {
	Before, After *Result
	Saved         Estimate // mean of loss before less loss after
	Cost          float64  // mean, a year
	Return        Estimate // return on security investment, (saved - cost)/cost; all zero if there is no cost
	Pays          Estimate // probability that a year saves more than it costs
}

// Compare simulates two portfolios on common random numbers: streams are named by
// scenario and factor, so that whatever is the same in both, draws the same. Cost is what
// the change costs a year; nil for nothing. Neither portfolio is changed. Shards are not
// supported.
//
// The error is of type [Problems], or that of ctx when it ended the run.
func Compare(ctx context.Context, before, after Portfolio, cost Dist, opts *Options) (*Investment, error) {
	o, err := opts.with()
	if err != nil {
		return nil, err
	}
	var ps Problems
	if o.Shard.Count > 1 {
		ps.add("shard", "the whole run", fmt.Sprintf("%d of %d", o.Shard.Index, o.Shard.Count))
	}
	if o.Checkpoint != nil {
		ps.add("checkpoint", "none", "one")
	}
	if cost == nil {
		cost = constant{}
	} else {
		ps.values("cost", cost, 0, math.Inf(1), "no value below 0")
	}
	if ps != nil {
		return nil, ps
	}
	plans := [2]*plan{}
	for i, p := range []Portfolio{before, after} {
		if plans[i], err = compile(ctx, p, o.Seed, o.Workers); err != nil {
			if ctx.Err() != nil {
				return nil, err
			}
			var ps Problems
			ps.in([]string{"before", "after"}[i], err)
			return nil, ps
		}
	}
	c := newSampler(cost)
	inv := &Investment{Before: newResult(plans[0], o), After: newResult(plans[1], o), Cost: cost.Mean()}
	saved, lost, pays := new(histogram), new(histogram), int64(0)
	err = rounds(ctx, o,
		func() *pair {
			return &pair{arms: [2]*tally{newTally(plans[0], o), newTally(plans[1], o)}, saved: new(histogram), lost: new(histogram), cost: c, key: key(mix(o.Seed), "cost")}
		},
		(*pair).block,
		func(pairs []*pair) {
			for _, p := range pairs {
				inv.Before.take(p.arms[0])
				inv.After.take(p.arms[1])
				saved.merge(p.saved)
				lost.merge(p.lost)
				pays += p.pays
			}
		}, nil)
	if err != nil {
		return nil, err
	}
	// The difference as the part above 0 less the part below, which never both are.
	up, down := Result{total: saved}, Result{total: lost}
	n := float64(saved.years)
	mean := up.sorted().mean() - down.sorted().mean()
	variance := up.sorted().central(0) + down.sorted().central(0)
	sd := sqrt(variance/n - mul(mean, mean))
	w := mul(up.z(), sd/sqrt(n))
	inv.Saved = Estimate{mean, mean - w, mean + w, up.level()}
	if inv.Cost > 0 {
		inv.Return = Estimate{(mean - inv.Cost) / inv.Cost, (mean - w - inv.Cost) / inv.Cost, (mean + w - inv.Cost) / inv.Cost, up.level()}
	}
	lo, hi := clopperPearson(pays, int64(saved.years), up.level())
	inv.Pays = Estimate{float64(pays) / n, lo, hi, up.level()}
	return inv, nil
}

// A pair is the two arms of a comparison in one worker.
type pair struct {
	arms        [2]*tally
	saved, lost *histogram
	cost        *sampler
	key         uint64
	pays        int64
}

func (p *pair) interrupt(stop *atomic.Bool) {
	p.arms[0].interrupt(stop)
	p.arms[1].interrupt(stop)
}

func (p *pair) block(block int64, years int) {
	p.arms[0].block(block, years)
	p.arms[1].block(block, years)
	before, after := p.arms[0].totals(), p.arms[1].totals()
	var up, down [blockYears]float64
	words := p.arms[0].words[:years]
	st := newStream(p.key, block)
	st.fill(words)
	for y := range years {
		d := before[y] - after[y]
		if d > p.cost.at(words[y]) {
			p.pays++
		}
		up[y], down[y] = max(d, 0), max(-d, 0)
	}
	p.saved.add(up[:years])
	p.lost.add(down[:years])
}

// totals is the loss of each year of the last block.
func (t *tally) totals() *[blockYears]float64 {
	if len(t.engines) > 1 {
		return &t.sums
	}
	return &t.out
}

// A Selection is a set of controls.
type Selection struct {
	Controls []string // ids, in the order given
	Cost     float64  // mean, a year
	Saved    float64  // mean annual loss avoided
	Bound    float64  // no set within the budget saves more
	Exact    bool     // no set saves more than this one
}

// BestSet returns the controls that save the most mean annual loss for at most a
// budget a year, beside those that the portfolio has. It is exact where a search with a
// bound gets through all sets in a second or two, as it does for some dozens of controls;
// beyond it is the best set found and a bound. The mean loss left is the sum over scenarios
// of frequency times the product of what controls leave times losses likewise, so that
// what a control adds shrinks as others are there (the saving is monotone and
// submodular), which gives the bound of Nemhauser, Wolsey and Fisher (1978) by a fractional
// knapsack. Covers are not regarded. The error is of type [Problems], or that of ctx.
func BestSet(ctx context.Context, p Portfolio, candidates []Control, budget float64) (*Selection, error) {
	all := p
	all.Controls = slices.Concat(p.Controls, candidates)
	var ps Problems
	ps.in("portfolio", all.Check())
	if ps.finite("budget", budget) && budget < 0 {
		ps.add("budget", "no value below 0", budget)
	}
	for _, s := range p.Scenarios {
		if s.Frequency.parent != "" {
			ps.add("scenario "+s.ID, "a frequency of its own", "one triggered by "+s.Frequency.parent)
		}
	}
	if ps != nil {
		return nil, ps
	}
	k, err := newKnapsack(ctx, all, len(p.Controls), budget)
	if err == nil {
		k.search(ctx, 0, k.none())
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	out := &Selection{Saved: k.best, Exact: k.work < maxWork, Bound: k.best}
	if !out.Exact {
		out.Bound = k.root
	}
	for i, c := range candidates {
		if k.chosen[i] {
			out.Controls = append(out.Controls, c.ID)
			out.Cost += k.costs[i]
		}
	}
	return out, nil
}

// maxWork bounds how many products a search makes: they take a second or two.
const maxWork = 1 << 29

// A knapsack searches the sets of candidates, the best value for money first.
type knapsack struct {
	budget float64
	costs  []float64
	order  []int
	// Terms of the mean loss: each is a product of a base and of factors of controls.
	// Those on which all candidates act alike are one.
	base    []float64
	touched [][]int     // by candidate, the terms that it makes smaller
	left    [][]float64 // and what it leaves of each
	start   float64     // mean loss without candidates
	best    float64
	chosen  []bool
	now     []bool
	nodes   int
	work    int // products so far
	root    float64
}

func newKnapsack(ctx context.Context, p Portfolio, owned int, budget float64) (*knapsack, error) {
	// Costs that add up to the budget are within it, rounded or not.
	k := &knapsack{budget: mul(budget, 1+1e-12)}
	candidates := p.Controls[owned:]
	n := len(candidates)
	k.touched, k.left = make([][]int, n), make([][]float64, n)
	means := make([][]float64, len(p.Controls)) // of what effects leave
	for i, c := range p.Controls {
		for _, e := range c.Effects {
			m, _ := e.moments()
			means[i] = append(means[i], m)
		}
	}
	terms := map[string]int{} // by what candidates leave of them
	var name []byte
	left := make([]float64, n)
	for _, s := range p.Scenarios {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		frequency := s.Frequency.law().Mean()
		for _, l := range s.Losses {
			base := mul(mul(frequency, l.chance()), l.magnitude.Mean())
			name = name[:0]
			for i, c := range p.Controls {
				f := 1.0
				for j, e := range c.Effects {
					if (e.Scenario == "" || e.Scenario == s.ID) && (e.On != OnMagnitude || e.Form == 0 || e.Form == l.form) {
						f = mul(f, means[i][j])
					}
				}
				if i < owned {
					base = mul(base, f)
				} else if left[i-owned] = f; f != 1 {
					name = binary.LittleEndian.AppendUint64(binary.AppendUvarint(name, uint64(i)), math.Float64bits(f))
				}
			}
			k.start += base
			if t, ok := terms[string(name)]; ok {
				k.base[t] += base
				continue
			}
			t := len(k.base)
			terms[string(name)] = t
			k.base = append(k.base, base)
			for i, f := range left {
				if f != 1 {
					k.touched[i] = append(k.touched[i], t)
					k.left[i] = append(k.left[i], f)
				}
			}
		}
	}
	for _, c := range candidates {
		cost := 0.0
		if c.Cost != nil {
			cost = c.Cost.Mean()
		}
		k.costs = append(k.costs, cost)
	}
	k.chosen, k.now = make([]bool, n), make([]bool, n)
	gains := make([]float64, n)
	for i := range gains {
		gains[i] = k.gain(k.base, i)
		k.order = append(k.order, i)
	}
	slices.SortStableFunc(k.order, func(a, b int) int { return cmp.Compare(mul(gains[b], k.costs[a]), mul(gains[a], k.costs[b])) })
	k.root = k.bound(0, k.none())
	return k, nil
}

// A state is the terms that are left, what is spent and what is saved.
type state struct {
	terms        []float64
	spent, saved float64
}

func (k *knapsack) none() state { return state{terms: k.base} }

func (k *knapsack) gain(terms []float64, i int) float64 {
	g := 0.0
	for j, t := range k.touched[i] {
		g += mul(terms[t], 1-k.left[i][j])
	}
	k.work += len(k.touched[i]) + 16 // with the sorting
	return g
}

// bound is the most that candidates from a place in the order on can save.
func (k *knapsack) bound(from int, s state) float64 {
	type item struct{ gain, cost float64 }
	var items []item
	free := 0.0
	for _, i := range k.order[from:] {
		if s.spent+k.costs[i] > k.budget {
			continue
		}
		if g := k.gain(s.terms, i); k.costs[i] == 0 {
			free += g
		} else {
			items = append(items, item{g, k.costs[i]})
		}
	}
	slices.SortFunc(items, func(a, b item) int { return cmp.Compare(mul(b.gain, a.cost), mul(a.gain, b.cost)) })
	room, total := k.budget-s.spent, s.saved+free
	for _, it := range items {
		if it.cost <= room {
			room -= it.cost
			total += it.gain
			continue
		}
		total += mul(it.gain, room) / it.cost
		break
	}
	return min(total, k.start)
}

func (k *knapsack) search(ctx context.Context, at int, s state) {
	if s.saved > k.best {
		k.best = s.saved
		copy(k.chosen, k.now)
	}
	if k.nodes++; k.nodes%1024 == 0 && ctx.Err() != nil {
		k.work = maxWork
	}
	if at == len(k.order) || k.work >= maxWork {
		return
	}
	if k.bound(at, s) <= mul(k.best, 1+1e-12) {
		return
	}
	i := k.order[at]
	if s.spent+k.costs[i] <= k.budget {
		next := state{slices.Clone(s.terms), s.spent + k.costs[i], s.saved + k.gain(s.terms, i)}
		for j, t := range k.touched[i] {
			next.terms[t] = mul(next.terms[t], k.left[i][j])
		}
		k.work += len(s.terms)
		k.now[i] = true
		k.search(ctx, at+1, next)
		k.now[i] = false
	}
	k.search(ctx, at+1, s)
}
