package fair

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// The distributions of this file are made of others. Those parts that take single
// values with a probability above 0, atoms, stay apart from those that do not:
// conditioning a mixture conditions its parts, and that of a sample is a sample. So only
// a [constant], an [empirical] and a [mixture] of such have atoms, beside distributions of
// the caller.

// tails are both ends of a distribution, each precise where it is rare.
type tails interface {
	CDF(x float64) float64
	survival(x float64) float64    // P(X > x)
	topQuantile(q float64) float64 // the quantile at 1-q
}

// survival returns P(X > x).
func survival(d Dist, x float64) float64 {
	switch d := d.(type) {
	case tails:
		return d.survival(x)
	case *mixture:
		sum := 0.0
		for _, c := range d.parts {
			sum += mul(c.Weight, survival(c.Dist, x))
		}
		return min(sum, 1)
	}
	return 1 - CDF(d, x)
}

// below returns P(X < x). What is of a caller has it from the float before, or from its
// quantiles.
func below(d Dist, x float64) float64 {
	switch d := d.(type) {
	case constant, *empirical:
		return CDF(d, math.Nextafter(x, math.Inf(-1)))
	case *mixture:
		return d.below(x)
	case *truncated:
		return d.share(x, below)
	case tails:
		return d.CDF(x)
	case interface{ CDF(float64) float64 }:
		return d.CDF(math.Nextafter(x, math.Inf(-1)))
	}
	return bisect(d, func(q float64) bool { return q < x })
}

// bisect returns the probability up to which the quantiles fulfil a condition.
func bisect(d Dist, fulfils func(quantile float64) bool) float64 {
	lo, hi := 0.0, 1.0
	switch {
	case fulfils(d.Quantile(1)):
		return 1
	case !fulfils(d.Quantile(0)):
		return 0
	}
	for range 80 {
		mid := (lo + hi) / 2
		if fulfils(d.Quantile(mid)) {
			lo = mid
		} else {
			hi = mid
		}
	}
	return lo
}

// topQuantile returns the quantile at 1-q.
func topQuantile(d Dist, q float64) float64 {
	if t, ok := d.(tails); ok {
		return t.topQuantile(q)
	}
	if q > 0 {
		return d.Quantile(min(1-q, 1-0x1p-53))
	}
	return d.Quantile(1)
}

// fixed tells whether a distribution has one value only, and which. Quantiles do not
// tell: between two that are equal may be others.
func fixed(d Dist) (float64, bool) {
	switch d := d.(type) {
	case constant:
		return d.value, true
	case *empirical:
		return d.values[0], d.values[0] == d.values[len(d.values)-1]
	case *mixture:
		x, ok := fixed(d.parts[0].Dist)
		for _, c := range d.parts {
			y, one := fixed(c.Dist)
			ok = ok && one && x == y
		}
		return x, ok
	}
	return 0, false
}

// Truncate returns d on the condition that its value lies from min to max, both
// of them included; either may be infinite. Its density is renormalised, not clipped: no
// mass heaps up at the ends. The error is of type [Problems], also if there is next to no
// mass between the bounds.
func Truncate(d Dist, min, max float64) (Dist, error) {
	var ps Problems
	if d == nil {
		ps.add("truncated distribution", "a distribution", "none")
	}
	if math.IsNaN(min) || math.IsNaN(max) || min >= max {
		ps.add("truncation", "min below max", fmt.Sprintf("%v, %v", min, max))
	}
	var t Dist
	mass := 0.0
	if ps == nil {
		t, mass = condition(d, min, max)
	}
	if ps == nil && !(mass > 1e-9) {
		ps.add("truncation", "bounds with at least the mass 1e-9 between them", fmt.Sprintf("%v, %v", min, max))
	}
	if ps != nil {
		return nil, ps
	}
	return t, nil
}

// condition returns d between two bounds and P(lo <= X <= hi), nil and 0 if there is
// nothing.
func condition(d Dist, lo, hi float64) (Dist, float64) {
	switch d := d.(type) {
	case constant:
		if d.value >= lo && d.value <= hi {
			return d, 1
		}
		return nil, 0
	case *empirical:
		from, to := d.below(math.Nextafter(lo, math.Inf(-1))), d.below(hi)
		if from >= to {
			return nil, 0
		}
		return newEmpirical(d.values[from:to]), float64(to-from) / float64(len(d.values))
	case *mixture:
		var parts []Component
		total := 0.0
		for _, c := range d.parts {
			if t, mass := condition(c.Dist, lo, hi); mass > 0 {
				parts = append(parts, Component{mul(c.Weight, mass), t})
				total += mul(c.Weight, mass)
			}
		}
		if len(parts) == 0 {
			return nil, 0
		}
		return newMixture(parts, total), total
	case *truncated:
		if lo, hi = max(lo, d.min), min(hi, d.max); lo > hi {
			return nil, 0
		}
		t, mass := condition(d.d, lo, hi)
		return t, min(mass/d.mass, 1)
	case *pareto:
		// What exceeds a threshold is generalised Pareto again.
		if math.IsInf(hi, 1) && lo > d.location {
			if d.shape < 0 && lo >= d.Quantile(1) {
				return nil, 0
			}
			return &pareto{lo, d.scale + mul(d.shape, lo-d.location), d.shape}, d.survival(lo)
		}
	}
	t := &truncated{d: d, min: lo, max: hi, above: survival(d, hi)}
	if lo > math.Inf(-1) {
		t.below = below(d, lo)
	}
	if t.mass = CDF(d, hi) - t.below; t.below > 0.5 {
		from := 1 - t.below
		if c, ok := d.(tails); ok {
			from = c.survival(lo)
		}
		t.mass = from - t.above
	}
	if !(t.mass > 0) {
		return nil, 0
	}
	t.mean, t.variance = t.moments()
	return t, t.mass
}

// truncated is a distribution between two bounds, without atoms unless it is of the
// caller.
type truncated struct {
	d              Dist
	min, max       float64
	below, above   float64 // P(X < min), P(X > max)
	mass           float64 // of what lies between
	mean, variance float64
}

func (d *truncated) String() string { return fmt.Sprintf("%v between %v and %v", d.d, d.min, d.max) }
func (d *truncated) Mean() float64  { return d.mean }
func (d *truncated) Var() float64   { return d.variance }

// Quantile counts the probability from the nearer end: near 1 there are no numbers to
// tell one tail from another.
func (d *truncated) Quantile(p float64) float64 {
	if q := d.above + mul(1-p, d.mass); q < 0.5 {
		return d.within(topQuantile(d.d, q))
	}
	return d.within(d.d.Quantile(d.below + mul(p, d.mass)))
}

func (d *truncated) within(x float64) float64 { return min(max(x, d.min), d.max) }

func (d *truncated) CDF(x float64) float64 { return d.share(x, CDF) }

// share returns the part of the mass that a distribution function of d counts.
func (d *truncated) share(x float64, f func(Dist, float64) float64) float64 {
	_, precise := d.d.(tails)
	switch {
	case x < d.min:
		return 0
	case x > d.max:
		return 1
	case precise && d.below > 0.5:
		return 1 - min(max((survival(d.d, x)-d.above)/d.mass, 0), 1)
	}
	return min(max((f(d.d, x)-d.below)/d.mass, 0), 1)
}

func (d *truncated) moments() (mean, variance float64) {
	type two interface {
		partial(float64) float64
		second(float64) float64
	}
	// In the far tail the closed form is a difference of equal numbers.
	if c, ok := d.d.(two); ok && d.below < 0.99 && d.mass > 0.01 {
		lower := 0.0
		upper, lowerSecond := c.partial(d.max), 0.0
		upperSecond := c.second(d.max)
		if math.IsInf(d.max, 1) {
			upper, upperSecond = d.d.Mean(), d.d.Var()+mul(d.d.Mean(), d.d.Mean())
		}
		if d.min > math.Inf(-1) {
			lower, lowerSecond = c.partial(d.min), c.second(d.min)
		}
		mean = (upper - lower) / d.mass
		return mean, (upperSecond-lowerSecond)/d.mass - mul(mean, mean)
	}
	return quantileMoments(d.Quantile)
}

// quantileMoments integrates a quantile function.
func quantileMoments(q func(float64) float64) (mean, variance float64) {
	nodes := unitNodes(40)
	for _, n := range nodes {
		mean += mul(n.w, q(n.x))
	}
	for _, n := range nodes {
		e := q(n.x) - mean
		variance += mul(n.w, mul(e, e))
	}
	return mean, variance
}

// A Component is one distribution of a mixture and how much it weighs.
type Component struct {
	Weight float64
	Dist   Dist
}

// Mixture returns the distribution that takes its value from one of several, each
// as often as it weighs; the weights need not add up to 1. The error is of type
// [Problems].
func Mixture(parts ...Component) (Dist, error) {
	var ps Problems
	if len(parts) == 0 {
		ps.add("mixture", "one component at least", "none")
	}
	total := 0.0
	for i, c := range parts {
		where := fmt.Sprintf("mixture component %d", i+1)
		ps.positive(where+" weight", c.Weight)
		if c.Dist == nil {
			ps.add(where, "a distribution", "none")
		}
		total += c.Weight
	}
	if ps != nil {
		return nil, ps
	}
	return newMixture(slices.Clone(parts), total), nil
}

func newMixture(parts []Component, total float64) *mixture {
	d := &mixture{parts: parts}
	for i := range d.parts {
		d.parts[i].Weight /= total
		d.mean += mul(d.parts[i].Weight, d.parts[i].Dist.Mean())
	}
	for _, c := range d.parts {
		switch x := c.Dist.(type) {
		case constant:
			d.atoms = append(d.atoms, x.value)
		case *empirical:
			d.atoms = append(d.atoms, x.values...)
		case *mixture:
			d.atoms = append(d.atoms, x.atoms...)
		}
		e := c.Dist.Mean() - d.mean
		d.variance += mul(c.Weight, c.Dist.Var()+mul(e, e))
	}
	slices.Sort(d.atoms)
	d.atoms = slices.Compact(d.atoms)
	return d
}

type mixture struct {
	parts          []Component
	atoms          []float64 // sorted, known ones
	mean, variance float64
}

func (d *mixture) String() string {
	var b strings.Builder
	b.WriteString("mixture(")
	for i, c := range d.parts {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%v of %v", c.Weight, c.Dist)
	}
	return b.String() + ")"
}
func (d *mixture) Mean() float64 { return d.mean }
func (d *mixture) Var() float64  { return d.variance }
func (d *mixture) CDF(x float64) float64 {
	sum := 0.0
	for _, c := range d.parts {
		sum += mul(c.Weight, CDF(c.Dist, x))
	}
	return min(sum, 1)
}

func (d *mixture) below(x float64) float64 {
	sum := 0.0
	for _, c := range d.parts {
		sum += mul(c.Weight, below(c.Dist, x))
	}
	return min(sum, 1)
}

func (d *mixture) partial(x float64) float64 {
	sum := 0.0
	for _, c := range d.parts {
		sum += mul(c.Weight, partial(c.Dist, x, CDF(c.Dist, x)))
	}
	return sum
}

// Quantile searches between the smallest and the largest of the components'
// quantiles, which enclose it; at the ends it is one of them.
func (d *mixture) Quantile(p float64) float64 {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, c := range d.parts {
		q := c.Dist.Quantile(p)
		lo, hi = min(lo, q), max(hi, q)
	}
	if p >= 1 {
		return hi
	}
	below := d.CDF(lo) - p
	if p <= 0 || below >= 0 {
		return lo
	}
	if i, _ := slices.BinarySearchFunc(d.atoms, p, func(x, p float64) int {
		if d.CDF(x) < p {
			return -1
		}
		return 1
	}); len(d.atoms) > 0 {
		// The first atom that reaches p is it, or the density just before.
		if i < len(d.atoms) {
			if hi = min(hi, d.atoms[i]); hi == d.atoms[i] && d.below(hi) < p {
				return hi
			}
		}
		if i > 0 && d.atoms[i-1] > lo {
			lo = d.atoms[i-1]
			below = d.CDF(lo) - p
		}
	}
	// Regula falsi (the Illinois variant), every third step a bisection, until no number
	// is left between.
	above, side := d.CDF(hi)-p, 0
	for i := range 400 {
		x := lo + mul(hi-lo, 0.5)
		if x <= lo || x >= hi {
			break
		}
		if s := lo + mul(hi-lo, below/(below-above)); i%3 < 2 && s > lo && s < hi {
			x = s
		}
		if f := d.CDF(x) - p; f < 0 {
			lo, below = x, f
			if side < 0 {
				above /= 2
			}
			side = -1
		} else {
			hi, above = x, f
			if side > 0 {
				below /= 2
			}
			side = 1
		}
	}
	return hi
}
