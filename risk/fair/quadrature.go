package fair

import (
	"math"
	"slices"
	"sync"
)

// A node of a quadrature rule.
type node struct{ x, w float64 }

// gaussNodes are the eight Gauss-Legendre nodes on 0 to 1, exact for polynomials
// of degree 15.
var gaussNodes = legendre(8)

// legendre returns the n Gauss-Legendre nodes on 0 to 1, by Newton's method on the
// Legendre polynomial (NIST DLMF 3.5.v).
func legendre(n int) []node {
	out := make([]node, n)
	for i := range n {
		// The cosine of the usual start, by its values that do not matter to the
		// last bit: the iteration converges to the same double.
		x := math.Round(math.Cos(math.Pi*(float64(i)+0.75)/(float64(n)+0.5))*1e6) / 1e6
		var slope float64
		for range 30 {
			p0, p1 := 1.0, x
			for k := 2; k <= n; k++ {
				f := float64(k)
				p0, p1 = p1, (mul(mul(2*f-1, x), p1)-mul(f-1, p0))/f
			}
			slope = mul(float64(n), mul(x, p1)-p0) / (mul(x, x) - 1)
			next := x - p1/slope
			if next == x {
				break
			}
			x = next
		}
		out[n-1-i] = node{(1 + x) / 2, 1 / mul(1-mul(x, x), mul(slope, slope))}
	}
	return out
}

var unitRules sync.Map // [2]int to []node

// unitNodes returns a rule on 0 to 1 for functions that are smooth inside and
// may have a power or a logarithm at the ends, such as quantile functions: panels
// whose widths halve towards either end, as often as depth says.
func unitNodes(depth int) []node { return unitPanels(depth, 2) }

// unitPanels is unitNodes with a number of panels for each halving.
func unitPanels(depth, panels int) []node {
	key := [2]int{depth, panels}
	if r, ok := unitRules.Load(key); ok {
		return r.([]node)
	}
	var half []node // on 0 to 1/2
	panel := func(a, b float64) {
		for _, g := range gaussNodes {
			half = append(half, node{a + mul(g.x, b-a), mul(g.w, b-a)})
		}
	}
	lo := math.Ldexp(1, -depth)
	panel(0, lo)
	for ; lo < 0.5; lo *= 2 {
		for i := range panels {
			panel(lo+mul(lo, float64(i))/float64(panels), lo+mul(lo, float64(i+1))/float64(panels))
		}
	}
	out := make([]node, 0, 2*len(half))
	out = append(out, half...)
	for i := len(half) - 1; i >= 0; i-- {
		out = append(out, node{1 - half[i].x, half[i].w})
	}
	unitRules.Store(key, out)
	return out
}

// integrate returns the integral of f between rising breakpoints. Panels are halved where
// their halves say something else, so that a jump ends up in a panel of next to no width.
func integrate(f func(x float64) float64, at []float64) float64 {
	gauss := func(a, b float64) float64 {
		sum := 0.0
		for _, n := range gaussNodes {
			sum += mul(mul(n.w, b-a), f(a+mul(n.x, b-a)))
		}
		return sum
	}
	var halve func(a, b, whole float64, depth int) float64
	halve = func(a, b, whole float64, depth int) float64 {
		m := a + mul(b-a, 0.5)
		l, r := gauss(a, m), gauss(m, b)
		if depth == 0 || math.Abs(l+r-whole) <= 1e-13 {
			return l + r
		}
		return halve(a, m, l, depth-1) + halve(m, b, r, depth-1)
	}
	sum := 0.0
	for i := 1; i < len(at); i++ {
		if at[i] > at[i-1] {
			sum += halve(at[i-1], at[i], gauss(at[i-1], at[i]), 44)
		}
	}
	return sum
}

// breaks are probabilities between which a distribution has no surprises.
var breaks = []float64{1e-9, 1e-4, 0.02, 0.15, 0.5, 0.85, 0.98, 1 - 1e-4, 1 - 1e-9}

// expect returns E[h(X)] of a bounded function, which may be rough where Y has its
// values.
func expect(x, y Dist, h func(x float64) float64) float64 {
	sum := 0.0
	switch d := x.(type) {
	case constant:
		return h(d.value)
	case *empirical:
		for _, v := range d.values {
			sum += h(v) / float64(len(d.values))
		}
		return sum
	case *mixture:
		for _, c := range d.parts {
			sum += mul(c.Weight, expect(c.Dist, y, h))
		}
		return sum
	}
	var values []float64
	if y != nil {
		for _, p := range append([]float64{0, 1}, breaks...) {
			values = append(values, y.Quantile(p))
		}
	}
	if lo, hi := x.Quantile(0), x.Quantile(1); !math.IsInf(lo, 0) && !math.IsInf(hi, 0) {
		if density := densityOf(x); density != nil { // over the values
			for _, p := range breaks {
				values = append(values, x.Quantile(p))
			}
			values = append(values, lo, hi)
			slices.Sort(values)
			values = slices.DeleteFunc(values, func(v float64) bool { return !(v >= lo && v <= hi) })
			return integrate(func(v float64) float64 { return mul(density(v), h(v)) }, values)
		}
	}
	at := append([]float64{0, 1}, breaks...)
	for _, v := range values {
		at = append(at, CDF(x, v))
	}
	slices.Sort(at)
	return integrate(func(p float64) float64 { return h(x.Quantile(p)) }, at)
}

// densityOf returns the density of a distribution that has one at hand, else nil.
func densityOf(d Dist) func(float64) float64 {
	switch d := d.(type) {
	case *beta:
		return d.curve()
	case *gamma:
		return d.curve()
	case continuous:
		return d.density
	case *truncated:
		if f := densityOf(d.d); f != nil {
			return func(x float64) float64 { return f(x) / d.mass }
		}
	}
	return nil
}
