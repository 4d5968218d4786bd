package fair

import (
	"math"
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
