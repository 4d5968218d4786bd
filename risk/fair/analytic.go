package fair

import (
	"fmt"
	"math"
)

// AnalyticOptions configure [Analytic]; nil means the defaults.
type AnalyticOptions struct {
	Points int     // of the lattice, a power of 2 from 2^10 to 2^22; default 2^18
	Max    float64 // largest loss of the lattice; default: where the tail is negligible
}

// A Law is the distribution of the annual loss on a lattice, computed without random
// numbers.
type Law struct {
	step    float64
	masses  []float64 // of multiples of step
	mean    float64
	sd      float64
	nothing float64
}

// Analytic returns the law of the annual loss of independent scenarios by the fast
// Fourier transform: the severity goes onto a lattice that preserves its mean (Klugman,
// Panjer, Willmot, Loss Models, section 9.6.5), the characteristic function of the year
// is the generating function of the count at that of the severity, and those of
// scenarios multiply. An exponential tilt takes away what wraps around (Gruebel and
// Hermesmeier 1999). It answers for rare events and checks simulations; with 2^18 points
// quantiles and tail means agree to 1e-4 with oracles computed on 2^22, mostly to 1e-5,
// probabilities to 1e-7.
//
// The portfolio may have no controls, covers, correlations, and no scenario that another
// triggers. The error is of type [Problems].
func Analytic(p Portfolio, opts *AnalyticOptions) (*Law, error) {
	var o AnalyticOptions
	if opts != nil {
		o = *opts
	}
	if o.Points == 0 {
		o.Points = 1 << 18
	}
	var ps Problems
	ps.in("portfolio", p.Check())
	if o.Points < 1<<10 || o.Points > 1<<22 || o.Points&(o.Points-1) != 0 {
		ps.add("points", "a power of 2 from 1024 to 4194304", o.Points)
	}
	if o.Max < 0 || math.IsNaN(o.Max) || math.IsInf(o.Max, 0) {
		ps.add("max", "a number above 0", o.Max)
	}
	if ps == nil && (p.Controls != nil || p.Frequencies != nil || p.Severities != nil) {
		ps.add("portfolio", "neither controls nor correlations", "some")
	}
	if ps == nil {
		for _, s := range p.Scenarios {
			if s.PerEvent != nil || s.Aggregate != nil || s.Frequency.parent != "" {
				ps.add("scenario "+s.ID, "neither covers nor a parent", "some")
			}
		}
	}
	if ps != nil {
		return nil, ps
	}
	l := new(Law)
	variance := 0.0
	var counts []count
	for _, s := range p.Scenarios {
		c, err := newCount(s.Frequency.law())
		if err != nil {
			return nil, err
		}
		counts = append(counts, c)
		mean, sd, err := s.Moments()
		if err != nil {
			return nil, err
		}
		l.mean += mean
		variance += mul(sd, sd)
	}
	l.sd = math.Sqrt(variance)
	if math.IsInf(l.sd, 0) && o.Max == 0 {
		return nil, Problems{{"max", "a largest loss, where a severity has no variance", "none"}}
	}
	if o.Max > 0 {
		l.fill(p, counts, o.Max, o.Points)
		return l, nil
	}
	// On a coarse lattice, as far as the tail is above 1e-8 (what wraps around is less
	// by the tilt).
	top := max(l.mean+mul(4, l.sd), tiny)
	for range 60 {
		coarse := *l
		coarse.fill(p, counts, top, 1<<12)
		if coarse.Exceed(mul(0.95, top)) < 1e-8 {
			break
		}
		top = mul(top, 1.5)
	}
	l.fill(p, counts, top, o.Points)
	return l, nil
}

// fill computes the masses at n multiples, up to a largest loss.
func (l *Law) fill(p Portfolio, counts []count, top float64, n int) {
	l.nothing = 1
	l.step = top / float64(n)
	// A tilt of e^-8 over the lattice: what wraps around comes down by that much, and
	// rounding goes up by no more.
	tilt := 8 / float64(n)
	year := make([]complex128, n)
	for i := range year {
		year[i] = 1
	}
	for j, s := range p.Scenarios {
		event := make([]complex128, n)
		for i := range event {
			event[i] = 1
		}
		for _, x := range s.Losses {
			masses := lattice(x.magnitude, l.step, n)
			c := x.chance()
			form := make([]complex128, n)
			for i, q := range masses {
				form[i] = complex(mul(mul(q, c), exp(-mul(tilt, float64(i)))), 0)
			}
			form[0] += complex(1-c, 0)
			transform(form, false)
			for i := range event {
				event[i] *= form[i]
			}
		}
		for i := range year {
			year[i] *= counts[j].generating(event[i])
		}
		l.nothing = mul(l.nothing, counts[j].none)
	}
	transform(year, true)
	l.masses = make([]float64, n)
	for i := range l.masses {
		l.masses[i] = mul(real(year[i]), exp(mul(tilt, float64(i))))
	}
}

// A count is a count law with what its generating function needs.
type count struct {
	freq  Freq
	law   *law   // for those without a closed form
	rates []node // for mixed Poisson laws
	none  float64
}

func newCount(f Freq) (c count, err error) {
	c = count{freq: f, none: f.Prob(0)}
	switch f := f.(type) {
	case *mixedPoisson:
		if c.rates = f.rates(2); len(c.rates) > 64 {
			c.rates = compress(c.rates, 64)
		}
	case *negativeBinomial, *binomial:
	default:
		c.law, err = newLaw(f)
	}
	return c, err
}

// generating returns E[z^N].
func (c count) generating(z complex128) complex128 {
	switch f := c.freq.(type) {
	case *mixedPoisson:
		var sum complex128
		for _, r := range c.rates {
			sum += complex(r.w, 0) * cexp(complex(r.x, 0)*(z-1))
		}
		return sum
	case *negativeBinomial:
		return cexp(complex(f.r, 0) * (complex(log(f.p), 0) - clog(1-complex(1-f.p, 0)*z)))
	case *binomial:
		if f.n == 1 {
			return 1 + complex(f.p, 0)*(z-1)
		}
		return cexp(complex(float64(f.n), 0) * clog(1+complex(f.p, 0)*(z-1)))
	}
	var sum complex128
	for i := len(c.law.pmf) - 1; i >= 0; i-- {
		sum = sum*z + complex(c.law.pmf[i], 0)
	}
	for range c.law.first {
		sum *= z
	}
	return sum
}

func cexp(z complex128) complex128 {
	s, c := math.Sincos(imag(z))
	e := exp(real(z))
	return complex(mul(e, c), mul(e, s))
}

func clog(z complex128) complex128 {
	return complex(log(math.Hypot(real(z), imag(z))), math.Atan2(imag(z), real(z)))
}

// lattice spreads a distribution over multiples of h so that its mean stays: the mass
// of each cell goes to its two ends in the proportion of the mean within it.
func lattice(d Dist, h float64, n int) []float64 {
	out := make([]float64, n)
	if _, ok := fixed(d); ok {
		i, frac := math.Modf(d.Mean() / h)
		j := min(int(i), n-1)
		out[j] += 1 - frac
		out[min(j+1, n-1)] += frac
		return out
	}
	at := func(x float64) (f, m float64) { f = CDF(d, x); return f, partial(d, x, f) }
	if l, ok := d.(*lognormal); ok { // by the table of the normal distribution function
		mean := l.Mean()
		at = func(x float64) (f, m float64) {
			z := l.z(x)
			return fastNormal(z), mul(mean, fastNormal(z-l.sigma))
		}
	}
	f0, m0 := CDF(d, 0), 0.0
	out[0] = f0
	hi := d.Quantile(1)
	for i := range n {
		a, b := mul(float64(i), h), mul(float64(i+1), h)
		f1, m1 := at(b)
		mass := f1 - f0
		upper := min(max((m1-m0-mul(a, mass))/h, 0), mass)
		out[i] += mass - upper
		out[min(i+1, n-1)] += upper
		f0, m0 = f1, m1
		if b >= hi {
			break
		}
	}
	out[n-1] += max(1-f0, 0)
	return out
}

// transform is the fast Fourier transform in place, radix 2; the inverse divides by
// the length.
func transform(x []complex128, inverse bool) {
	n := len(x)
	for i, j := 1, 0; i < n; i++ {
		bit := n >> 1
		for ; j&bit != 0; bit >>= 1 {
			j ^= bit
		}
		j ^= bit
		if i < j {
			x[i], x[j] = x[j], x[i]
		}
	}
	sign := -1.0
	if inverse {
		sign = 1
	}
	roots := make([]complex128, n/2)
	for i := range roots {
		s, c := math.Sincos(2 * math.Pi * float64(i) / float64(n))
		roots[i] = complex(c, sign*s)
	}
	for size := 2; size <= n; size *= 2 {
		half, stride := size/2, n/size
		for start := 0; start < n; start += size {
			for k := range half {
				t := roots[k*stride] * x[start+half+k]
				u := x[start+k]
				x[start+k], x[start+half+k] = u+t, u-t
			}
		}
	}
	if inverse {
		f := complex(1/float64(n), 0)
		for i := range x {
			x[i] *= f
		}
	}
}

// Mean is the mean annual loss, in closed form.
func (l *Law) Mean() float64 { return l.mean }

// SD is the standard deviation of the annual loss, in closed form.
func (l *Law) SD() float64 { return l.sd }

// None is the probability of a year without an event.
func (l *Law) None() float64 { return l.nothing }

// Exceed returns P(S > loss).
func (l *Law) Exceed(loss float64) float64 {
	if loss < 0 {
		return 1
	}
	at := loss / l.step
	// Cell i covers x_i +- h/2: its mass lies evenly there. The atom at 0 is apart.
	above := 0.0
	for i := len(l.masses) - 1; i >= 1; i-- {
		lo, hi := float64(i)-0.5, float64(i)+0.5
		switch {
		case at <= lo:
			above += l.masses[i]
		case at < hi:
			return above + mul(l.masses[i], hi-at)
		default:
			return above
		}
	}
	return above + mul(max(l.masses[0]-l.nothing, 0), max(1-2*at, 0))
}

// VaR returns the value at risk at p, the smallest loss x with P(S <= x) >= p.
func (l *Law) VaR(p float64) float64 {
	above := 0.0
	if p <= l.nothing {
		return 0
	}
	for i := len(l.masses) - 1; i >= 1; i-- {
		m := l.masses[i]
		if m > 0 && above+m > 1-p {
			return mul(l.step, float64(i)+0.5-(1-p-above)/m)
		}
		above += m
	}
	// Inside the first half cell.
	m := l.masses[0] - l.nothing
	return mul(l.step, max(0.5-(1-p-above)/max(2*m, tiny), 0))
}

// TVaR returns the tail value at risk at p: the mean in closed form less the part of
// it below the value at risk, over 1-p.
func (l *Law) TVaR(p float64) float64 {
	v := l.VaR(p)
	below := 0.0
	for i := 1; i < len(l.masses); i++ {
		x := mul(l.step, float64(i))
		lo, hi := x-l.step/2, x+l.step/2
		switch {
		case hi <= v:
			below += mul(l.masses[i], x)
		case lo < v:
			below += mul(l.masses[i], mul((v-lo)/l.step, (v+lo)/2))
		}
		if lo >= v {
			break
		}
	}
	f := 1 - l.Exceed(v)
	return (l.mean - below + mul(v, f-p)) / (1 - p)
}

func (l *Law) String() string {
	return fmt.Sprintf("law of the annual loss on %d multiples of %.6g", len(l.masses), l.step)
}
