package fair

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"
)

// A Freq is the law of the number of events in a year. Types of the caller are
// welcome; their probabilities must add up to 1.
type Freq interface {
	Mean() float64
	Var() float64
	Prob(k int) float64 // probability of exactly k events
}

// maxRate bounds the mean number of events in a year that is simulated.
const maxRate = 1e6

// rate checks the distribution of a yearly rate.
func (ps *Problems) rate(where string, d Dist) {
	if d == nil {
		ps.add(where, "a distribution", "none")
		return
	}
	ps.values(where, d, 0, math.Inf(1), "no value below 0")
	if m := d.Mean(); !(m <= maxRate) {
		ps.add(where, fmt.Sprintf("a mean of at most %v events a year", maxRate), m)
	}
}

// probability checks the distribution of a probability.
func (ps *Problems) probability(where string, d Dist) {
	if d == nil {
		ps.add(where, "a distribution", "none")
		return
	}
	ps.values(where, d, 0, 1, "values from 0 to 1")
}

// Poisson returns the law of independent events at a rate in events a year. An
// uncertain rate is drawn once a year (mixed Poisson): mean E[L], variance
// E[L] + Var[L]. The error is of type [Problems].
func Poisson(rate Dist) (Freq, error) {
	var ps Problems
	if ps.rate("Poisson rate", rate); ps != nil {
		return nil, ps
	}
	return newMixed(1, rate), nil
}

// mixedPoisson is the Poisson law whose rate is a constant times a product of
// independent factors.
type mixedPoisson struct {
	scale   float64 // of all constant factors
	factors []Dist  // those that are not constant
	settled func() mixedTable
}

func newMixed(scale float64, factors ...Dist) *mixedPoisson {
	m := &mixedPoisson{scale: scale}
	for _, d := range factors {
		if x, ok := fixed(d); ok {
			m.scale = mul(m.scale, x)
			continue
		}
		m.factors = append(m.factors, d)
	}
	m.settled = sync.OnceValue(m.settle)
	return m
}

// moments returns the mean and the variance of the rate.
func (m *mixedPoisson) moments() (mean, variance float64) {
	mean, second := m.scale, mul(m.scale, m.scale)
	for _, d := range m.factors {
		mu := d.Mean()
		mean = mul(mean, mu)
		second = mul(second, mul(mu, mu)+d.Var())
	}
	if len(m.factors) == 1 { // without cancellation
		return mean, mul(mul(m.scale, m.scale), m.factors[0].Var())
	}
	if len(m.factors) == 0 {
		return mean, 0
	}
	return mean, second - mul(mean, mean)
}

func (m *mixedPoisson) String() string {
	if len(m.factors) == 0 {
		return fmt.Sprintf("Poisson(%v)", m.scale)
	}
	s := "Poisson("
	if m.scale != 1 {
		s += fmt.Sprintf("%v x ", m.scale)
	}
	for i, d := range m.factors {
		if i > 0 {
			s += " x "
		}
		s += fmt.Sprint(d)
	}
	return s + ")"
}
func (m *mixedPoisson) Mean() float64 { mean, _ := m.moments(); return mean }
func (m *mixedPoisson) Var() float64  { mean, v := m.moments(); return mean + v }
func (m *mixedPoisson) Prob(k int) float64 {
	if k < 0 {
		return 0
	}
	sum := 0.0
	for _, n := range m.settled().rates {
		sum += mul(n.w, poissonProb(k, n.x))
	}
	return sum
}

func poissonProb(k int, rate float64) float64 {
	if rate <= 0 {
		if k == 0 {
			return 1
		}
		return 0
	}
	x := float64(k)
	return exp(mul(x, log(rate)) - rate - lgamma(x+1))
}

// gauss returns a discrete measure like that of the rate. Of factors with a Gauss
// rule it has the first 2n-1 moments: it is the product of the rules, after every factor
// compressed to n nodes again. The others have tails for which no moments stand; they
// keep many nodes.
func (m *mixedPoisson) gauss(n int) []node {
	out := []node{{m.scale, 1}}
	var rest []Dist
	for _, d := range m.factors {
		if rule := gaussRule(d, n); rule != nil {
			out = compress(products(out, rule), max(n, len(rule)))
		} else {
			rest = append(rest, d)
		}
	}
	for i, d := range rest {
		if i > 0 {
			out = binned(out, 256)
		}
		out = products(out, distNodes(d, n/12))
	}
	return out
}

// spread returns a measure of many nodes, for rates so wide that the Poisson law is
// narrow beside them; it keeps no moments but the first.
func (m *mixedPoisson) spread(detail int) []node {
	out := []node{{m.scale, 1}}
	for _, d := range m.factors {
		nodes := distNodes(d, detail)
		if len(m.factors) == 1 {
			return products(out, nodes)
		}
		out = binned(products(out, binned(nodes, 256)), 256)
	}
	return out
}

func products(a, b []node) []node {
	out := make([]node, 0, len(a)*len(b))
	for _, y := range b {
		for _, x := range a {
			out = append(out, node{mul(x.x, y.x), mul(x.w, y.w)})
		}
	}
	return out
}

// gaussRule returns the Gauss rule of n nodes of a distribution whose orthogonal
// polynomials are known: those of Jacobi for the beta, of Laguerre for the gamma (NIST DLMF
// 18.9.1, Golub and Welsch 1969), or all values of a small sample; nil for others.
func gaussRule(d Dist, n int) []node {
	diag, off := make([]float64, n), make([]float64, n-1)
	lo, scale := 0.0, 1.0
	switch d := d.(type) {
	case *empirical:
		if len(d.values) > 4*n {
			return nil
		}
		out := make([]node, len(d.values))
		for i, x := range d.values {
			out[i] = node{x, 1 / float64(len(out))}
		}
		return out
	case *uniform:
		return gaussRule(&beta{a: 1, b: 1, min: d.min, max: d.max}, n)
	case *beta: // on -1 to 1, then moved
		for k := range n {
			f := 2*float64(k) + d.a + d.b - 2
			if diag[k] = mul(d.a-d.b, d.a+d.b-2) / mul(f, f+2); k == 0 {
				diag[k] = (d.a - d.b) / (f + 2)
				continue
			}
			k1 := float64(k)
			square := mul(mul(4*k1, k1+d.a-1), k1+d.b-1) / mul(mul(f, f), f+1)
			if k > 1 {
				square = mul(square, k1+d.a+d.b-2) / (f - 1)
			}
			off[k-1] = math.Sqrt(square)
		}
		lo, scale = d.min+mul(d.max-d.min, 0.5), mul(d.max-d.min, 0.5)
	case *gamma:
		for k := range n {
			k1 := float64(k)
			if diag[k] = 2*k1 + d.shape; k > 0 {
				off[k-1] = math.Sqrt(mul(k1, k1+d.shape-1))
			}
		}
		scale = d.scale
	default:
		return nil
	}
	values, first := tridiagonal(diag, off)
	out := make([]node, n)
	for i := range out {
		out[i] = node{max(lo+mul(scale, values[i]), 0), mul(first[i], first[i])}
	}
	return out
}

// distNodes returns quadrature nodes of a distribution.
func distNodes(d Dist, detail int) []node {
	unit := unitPanels(40, detail)
	out := make([]node, len(unit))
	for i, n := range unit {
		out[i] = node{d.Quantile(n.x), n.w}
	}
	return out
}

// binned returns a measure of fewer nodes, each the mean of its neighbours: of those with
// a probability of 1/n together that are no more than 1/32 apart.
func binned(nodes []node, n int) []node {
	slices.SortFunc(nodes, func(a, b node) int { return cmp.Or(cmp.Compare(a.x, b.x), cmp.Compare(a.w, b.w)) })
	var out []node
	var acc node
	first := 0.0
	for _, v := range nodes {
		if acc.w > 0 && (acc.w >= 1/float64(n) || v.x > mul(first, 1+1.0/32)) {
			out = append(out, node{acc.x / acc.w, acc.w})
			acc = node{}
		}
		if acc.w == 0 {
			first = v.x
		}
		acc.x += mul(v.w, v.x)
		acc.w += v.w
	}
	return append(out, node{acc.x / acc.w, acc.w})
}

// compress returns the Gauss rule of n nodes of a discrete measure: the Jacobi matrix
// of its orthogonal polynomials, node by node by plane rotations that keep it positive
// (Gragg and Harrod 1984; Gautschi 2004, Orthogonal Polynomials, section 2.2.3.2), has
// the nodes as eigenvalues.
func compress(nodes []node, n int) []node {
	if len(nodes) <= n {
		return nodes
	}
	top := 0.0
	for _, v := range nodes {
		top = max(top, v.x)
	}
	if top == 0 {
		return []node{{0, 1}}
	}
	diag, square := make([]float64, n), make([]float64, n) // square[0] is the total
	for i, v := range nodes {
		at, p := v.x/top, v.w
		if i < n {
			diag[i] = at
		}
		gamma, sigma, t := 1.0, 0.0, 0.0
		for k := range min(i+1, n) {
			rho := square[k] + p
			next, old := mul(gamma, rho), sigma
			if gamma, sigma = 1, 0; rho > 0 {
				gamma, sigma = square[k]/rho, p/rho
			}
			tk := mul(sigma, diag[k]-at) - mul(gamma, t)
			diag[k] -= tk - t
			if t = tk; sigma > 0 {
				p = mul(t, t) / sigma
			} else {
				p = mul(old, square[k])
			}
			square[k] = next
		}
	}
	// A measure of fewer points in truth has no more nodes than those.
	off := make([]float64, 0, n-1)
	for _, s := range square[1:] {
		if s < 1e-28 {
			break
		}
		off = append(off, math.Sqrt(s))
	}
	values, first := tridiagonal(diag[:len(off)+1], off)
	out := make([]node, len(values))
	for i := range values {
		out[i] = node{max(mul(values[i], top), 0), mul(mul(first[i], first[i]), square[0])}
	}
	slices.SortFunc(out, func(a, b node) int { return cmp.Compare(a.x, b.x) })
	return out
}

// tridiagonal returns the eigenvalues of a symmetric tridiagonal matrix and the
// first components of their eigenvectors, by the implicit QL method (Golub and
// Welsch 1969).
func tridiagonal(diag, off []float64) (values, first []float64) {
	n := len(diag)
	d := slices.Clone(diag)
	e := append(slices.Clone(off), 0)
	z := make([]float64, n)
	z[0] = 1
	for l := range n {
		for range 100 {
			m := l
			for ; m < n-1; m++ {
				if dd := math.Abs(d[m]) + math.Abs(d[m+1]); math.Abs(e[m]) <= 1e-17*dd {
					break
				}
			}
			if m == l {
				break
			}
			g := (d[l+1] - d[l]) / (2 * e[l])
			r := math.Sqrt(mul(g, g) + 1)
			g = d[m] - d[l] + e[l]/(g+math.Copysign(r, g))
			s, c, p := 1.0, 1.0, 0.0
			i := m - 1
			for ; i >= l; i-- {
				f, b := mul(s, e[i]), mul(c, e[i])
				r = math.Sqrt(mul(f, f) + mul(g, g))
				e[i+1] = r
				if r == 0 {
					d[i+1] -= p
					e[m] = 0
					break
				}
				s, c = f/r, g/r
				g = d[i+1] - p
				r = mul(d[i]-g, s) + mul(mul(2, c), b)
				p = mul(s, r)
				d[i+1] = g + p
				g = mul(c, r) - b
				f = z[i+1]
				z[i+1] = mul(s, z[i]) + mul(c, f)
				z[i] = mul(c, z[i]) - mul(s, f)
			}
			if r == 0 && i >= l {
				continue
			}
			d[l] -= p
			e[l] = g
			e[m] = 0
		}
	}
	return d, z
}

// NegativeBinomial returns the law with probabilities C(k+r-1, k) p^r (1-p)^k:
// mean r(1-p)/p, variance mean/p. It is the Poisson law with a gamma-distributed
// rate, for events that come in clusters. The error is of type [Problems].
func NegativeBinomial(r, p float64) (Freq, error) {
	var ps Problems
	ps.positive("negative binomial r", r)
	if ps.open("negative binomial p", p); ps == nil && r*(1-p)/p > maxRate {
		ps.add("negative binomial", fmt.Sprintf("a mean of at most %v events a year", maxRate), r*(1-p)/p)
	}
	if ps != nil {
		return nil, ps
	}
	return &negativeBinomial{r, p}, nil
}

type negativeBinomial struct{ r, p float64 }

func (f *negativeBinomial) String() string { return fmt.Sprintf("negative binomial(%v, %v)", f.r, f.p) }
func (f *negativeBinomial) Mean() float64  { return mul(f.r, 1-f.p) / f.p }
func (f *negativeBinomial) Var() float64   { return f.Mean() / f.p }
func (f *negativeBinomial) Prob(k int) float64 {
	if k < 0 {
		return 0
	}
	x := float64(k)
	return exp(lgamma(x+f.r) - lgamma(f.r) - lgamma(x+1) + mul(f.r, log(f.p)) + mul(x, log1p(-f.p)))
}

// Binomial returns the law of n independent occasions, each with an event of
// probability p: mean n p, variance n p (1-p). The error is of type [Problems].
func Binomial(n int, p float64) (Freq, error) {
	var ps Problems
	if n < 1 || float64(n) > maxRate {
		ps.add("binomial n", fmt.Sprintf("a number from 1 to %v", maxRate), n)
	}
	if !(p >= 0 && p <= 1) {
		ps.add("binomial p", "a number from 0 to 1", p)
	}
	if ps != nil {
		return nil, ps
	}
	return &binomial{n: n, p: p}, nil
}

// AtMostOnce returns the law of an event that happens once a year or not. For the
// losses an uncertain probability is the same as its mean; [Tornado] and [Sobol] regard
// it. The error is of type [Problems].
func AtMostOnce(probability Dist) (Freq, error) {
	var ps Problems
	if ps.probability("probability of the event", probability); ps != nil {
		return nil, ps
	}
	return &binomial{1, probability.Mean(), probability}, nil
}

type binomial struct {
	n           int
	p           float64
	probability Dist // what p is the mean of; nil if it is given
}

func (f *binomial) String() string { return fmt.Sprintf("binomial(%d, %v)", f.n, f.p) }
func (f *binomial) Mean() float64  { return mul(float64(f.n), f.p) }
func (f *binomial) Var() float64   { return mul(f.Mean(), 1-f.p) }
func (f *binomial) Prob(k int) float64 {
	switch {
	case k < 0 || k > f.n:
		return 0
	case f.p == 0 || f.p == 1:
		if float64(k) == f.Mean() {
			return 1
		}
		return 0
	case f.n == 1:
		return [2]float64{1 - f.p, f.p}[k]
	}
	n, x := float64(f.n), float64(k)
	return exp(lgamma(n+1) - lgamma(x+1) - lgamma(n-x+1) + mul(x, log(f.p)) + mul(n-x, log1p(-f.p)))
}

// A law is a count law as a table: probabilities from the smallest count on that
// is ever drawn.
type law struct {
	first int
	pmf   []float64
	cum   []uint64 // P(N <= first+i) in units of 2^-63
	guide []uint32 // for each value of the top bits of a word, where to start
	bits  uint     // of the guide
	z     []float64
}

// lawSpan bounds the table of a count law; lawTail is the probability that its
// ends leave out, far below the resolution of a run of 2^32 years.
const (
	lawSpan = 1 << 22
	lawTail = 1e-15
)

// newLaw tabulates a count law. The error is of type [Problems].
func newLaw(f Freq) (*law, error) {
	first, pmf := 0, []float64(nil)
	if m, ok := f.(*mixedPoisson); ok {
		t := m.settled()
		first, pmf = t.first, t.pmf
	} else {
		mean, sd := f.Mean(), math.Sqrt(f.Var())
		if !(mean >= 0 && mean <= maxRate && sd >= 0 && sd <= maxRate) {
			return nil, Problems{{"frequency", fmt.Sprintf("mean and standard deviation from 0 to %v", maxRate), fmt.Sprintf("%v and %v", mean, sd)}}
		}
		first = max(int(mean-mul(12, sd))-2, 0)
		sum := 0.0
		for k := first; k-first < lawSpan; k++ {
			p := f.Prob(k)
			if !(p >= 0 && p <= 1+1e-9) {
				return nil, Problems{{fmt.Sprintf("frequency, probability of %d", k), "a number from 0 to 1", fmt.Sprint(p)}}
			}
			pmf = append(pmf, p)
			sum += p
			if float64(k) > mean && (1-sum < lawTail || p < 1e-18 && float64(k) > mean+mul(8, sd)) {
				break
			}
		}
		if math.Abs(sum-1) > 1e-6 {
			return nil, Problems{{"frequency", "probabilities that add up to 1", fmt.Sprint(sum)}}
		}
	}
	l := &law{first: first, pmf: pmf}
	l.index()
	return l, nil
}

func (l *law) index() {
	l.cum = make([]uint64, len(l.pmf))
	total := 0.0
	for _, p := range l.pmf {
		total += p
	}
	sum := 0.0
	for i, p := range l.pmf {
		sum += p / total
		l.cum[i] = uint64(min(sum, 1)*(1<<53)) << 10
	}
	l.cum[len(l.cum)-1] = 1 << 63
	for l.bits = 6; l.bits < 12 && 1<<l.bits < 2*len(l.pmf); {
		l.bits++
	}
	l.guide = make([]uint32, 1<<l.bits)
	i := uint32(0)
	for g := range l.guide {
		for l.cum[i] <= uint64(g)<<(63-l.bits) {
			i++
		}
		l.guide[g] = i
	}
}

// draw returns the count whose probability interval a 64-bit word falls into.
func (l *law) draw(word uint64) int {
	u := word >> 1
	i := l.guide[u>>(63-l.bits)]
	for l.cum[i] <= u {
		i++
	}
	return l.first + int(i)
}

// normalThresholds returns, for the Gaussian copula, the normal quantiles at
// which the count rises.
func (l *law) normalThresholds() []float64 {
	if l.z == nil {
		l.z = make([]float64, len(l.pmf)-1)
		below, above := 0.0, 0.0
		tails := make([]float64, len(l.pmf))
		for i := len(l.pmf) - 1; i >= 0; i-- {
			tails[i] = above
			above += l.pmf[i]
		}
		for i := range l.z {
			below += l.pmf[i]
			l.z[i] = normalQuantile(below, tails[i])
		}
	}
	return l.z
}

// fromNormal returns the count at a standard normal number.
func (l *law) fromNormal(z float64) int {
	i := 0
	if n := len(l.z); n > 32 {
		i, _ = slices.BinarySearch(l.z, z)
	} else {
		for i < n && l.z[i] < z {
			i++
		}
	}
	return l.first + i
}

// A mixedTable is the probabilities of a mixed Poisson law, and the rates and weights that
// give them.
type mixedTable struct {
	rates []node
	first int
	pmf   []float64
}

// settle computes the table with more and more nodes until it changes no more.
func (m *mixedPoisson) settle() mixedTable {
	if len(m.factors) == 0 {
		return newMixedTable([]node{{m.scale, 1}})
	}
	t := newMixedTable(m.gauss(16))
	for n := 24; n <= 122; n += n / 2 {
		next := newMixedTable(m.gauss(n))
		change := next.change(t)
		if t = next; change < 1e-11 || n > 100 && change < 1e-9 {
			return t
		}
	}
	for detail := 4; detail <= 32; detail *= 2 {
		next := newMixedTable(m.spread(detail))
		change := next.change(t)
		if t = next; change < 1e-11 || len(m.factors) > 1 {
			return t
		}
	}
	return t
}

func newMixedTable(rates []node) mixedTable {
	first, pmf := poissonTable(rates)
	return mixedTable{rates, first, pmf}
}

// change returns how far the probability farthest from that of another table is.
func (t mixedTable) change(o mixedTable) float64 {
	worst := 0.0
	for i, p := range t.pmf {
		old := 0.0
		if j := i + t.first - o.first; j >= 0 && j < len(o.pmf) {
			old = o.pmf[j]
		}
		worst = max(worst, math.Abs(p-old))
	}
	return worst
}

// poissonTable sums Poisson laws, each from its mode outward as far as it
// matters.
func poissonTable(rates []node) (first int, pmf []float64) {
	lo, hi := math.MaxInt, 0
	for _, n := range rates {
		w := mul(9, math.Sqrt(n.x)) + 12
		if n.w < 1e-17 {
			continue
		}
		lo, hi = min(lo, max(int(n.x-w), 0)), max(hi, int(n.x+w+mul(2, w)/math.Sqrt(n.x+1)))
	}
	hi = min(hi, lo+lawSpan)
	pmf = make([]float64, hi-lo+1)
	for _, n := range rates {
		if n.w < 1e-17 {
			continue
		}
		mode := min(int(n.x), hi)
		top := mul(n.w, poissonProb(mode, n.x))
		for k, p := mode, top; k >= lo && p > 1e-22; k-- {
			pmf[k-lo] += p
			p = mul(p, float64(k)) / n.x
		}
		for k, p := mode+1, mul(top, n.x)/float64(mode+1); k <= hi && p > 1e-22; k++ {
			pmf[k-lo] += p
			p = mul(p, n.x) / float64(k+1)
		}
	}
	for len(pmf) > 2 && pmf[len(pmf)-1] < 1e-18 {
		pmf = pmf[:len(pmf)-1]
	}
	return lo, pmf
}
