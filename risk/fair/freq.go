package fair

import (
	"cmp"
	"fmt"
	"math"
	"slices"
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
	if low := d.Quantile(0); !(low >= 0) {
		ps.add(where, "no value below 0", low)
	}
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
	if low, high := d.Quantile(0), d.Quantile(1); !(low >= 0 && high <= 1) {
		ps.add(where, "values from 0 to 1", fmt.Sprintf("%v to %v", low, high))
	}
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
	for _, n := range m.rates(2) {
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

// rates returns a discrete measure that has the moments of the rate: products of
// quadrature nodes, compressed after every factor to a Gauss rule of 24 detail
// nodes. Detail 8 and more keeps many nodes and no more moments than the first,
// for rates so wide that the Poisson law is narrow beside them.
func (m *mixedPoisson) rates(detail int) []node {
	out := []node{{m.scale, 1}}
	for _, d := range m.factors {
		var product []node
		nodes := distNodes(d, min(detail, 8))
		if len(m.factors) > 1 && detail < 8 {
			nodes = compress(nodes, 24*detail)
		} else if len(m.factors) > 1 {
			nodes = binned(nodes, 512)
		}
		for _, n := range nodes {
			for _, o := range out {
				product = append(product, node{mul(o.x, n.x), mul(o.w, n.w)})
			}
		}
		switch {
		case len(m.factors) == 1:
			return product
		case detail >= 8:
			out = binned(product, 512)
		default:
			out = compress(product, 24*detail)
		}
	}
	return out
}

// distNodes returns quadrature nodes of a distribution.
func distNodes(d Dist, detail int) []node {
	unit := unitPanels(26, detail)
	out := make([]node, len(unit))
	for i, n := range unit {
		out[i] = node{d.Quantile(n.x), n.w}
	}
	return out
}

// binned returns a measure of at most n nodes, each the mean of its neighbours.
func binned(nodes []node, n int) []node {
	slices.SortStableFunc(nodes, func(a, b node) int { return cmp.Compare(a.x, b.x) })
	var out []node
	var acc node
	for _, v := range nodes {
		acc.x += mul(v.w, v.x)
		if acc.w += v.w; acc.w >= 1/float64(n) {
			out = append(out, node{acc.x / acc.w, acc.w})
			acc = node{}
		}
	}
	if acc.w > 0 {
		out = append(out, node{acc.x / acc.w, acc.w})
	}
	return out
}

// compress returns the Gauss rule of n nodes of a discrete measure: the Lanczos
// process with reorthogonalisation gives the Jacobi matrix of its orthogonal
// polynomials, whose eigenvalues are the nodes (Gautschi 2004, Orthogonal
// Polynomials, section 2.2).
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
	dot := func(a, b []float64) float64 {
		s := 0.0
		for i := range a {
			s += mul(a[i], b[i])
		}
		return s
	}
	q := make([]float64, len(nodes))
	for i, v := range nodes {
		q[i] = math.Sqrt(v.w)
	}
	norm := math.Sqrt(dot(q, q))
	for i := range q {
		q[i] /= norm
	}
	basis := [][]float64{q}
	var diag, off []float64
	for k := range n {
		q := basis[k]
		r := make([]float64, len(q))
		for i := range q {
			r[i] = mul(nodes[i].x/top, q[i])
		}
		diag = append(diag, dot(r, q))
		for range 2 {
			for _, b := range basis {
				c := dot(r, b)
				for i := range r {
					r[i] -= mul(c, b[i])
				}
			}
		}
		beta := math.Sqrt(dot(r, r))
		if k == n-1 || beta < 1e-14 {
			break
		}
		off = append(off, beta)
		for i := range r {
			r[i] /= beta
		}
		basis = append(basis, r)
	}
	values, first := tridiagonal(diag, off)
	out := make([]node, len(values))
	for i := range values {
		out[i] = node{max(mul(values[i], top), 0), mul(first[i], first[i])}
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
	return &binomial{n, p}, nil
}

// AtMostOnce returns the law of an event that happens once a year or not. An
// uncertain probability is the same as its mean. The error is of type [Problems].
func AtMostOnce(probability Dist) (Freq, error) {
	var ps Problems
	if ps.probability("probability of the event", probability); ps != nil {
		return nil, ps
	}
	return &binomial{1, probability.Mean()}, nil
}

type binomial struct {
	n int
	p float64
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
		first, pmf = m.table()
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

// table returns the probabilities of a mixed Poisson law, with more and more
// detail until they settle.
func (m *mixedPoisson) table() (first int, pmf []float64) {
	if len(m.factors) == 0 {
		return poissonTable([]node{{m.scale, 1}})
	}
	first, pmf = poissonTable(m.rates(1))
	for detail := 2; detail <= 32; detail *= 2 {
		f, next := poissonTable(m.rates(detail))
		worst := 0.0
		for i := range next {
			old := 0.0
			if j := i + f - first; j >= 0 && j < len(pmf) {
				old = pmf[j]
			}
			worst = max(worst, math.Abs(next[i]-old))
		}
		first, pmf = f, next
		if worst < 1e-12 {
			break
		}
	}
	return first, pmf
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
