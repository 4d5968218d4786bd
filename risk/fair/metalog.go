package fair

import (
	"fmt"
	"math"
)

// MetalogOptions configure [Metalog]; nil means an unbounded distribution.
type MetalogOptions struct {
	Lower *float64 // no value lies below; nil for no bound
	Upper *float64 // no value lies above; nil for no bound
}

// Metalog returns the three-term metalog distribution through three quantiles of
// an expert, say the values that are exceeded in nine, five and one of ten cases:
// M(y) = a1 + a2 ln(y/(1-y)) + a3 (y-1/2) ln(y/(1-y)) (Keelin 2016, The metalog
// distributions, Decision Analysis 13(4)); with a lower bound M is of ln(x-lower),
// with both of the logit. Three quantiles through which no such distribution
// passes are refused. The error is of type [Problems].
func Metalog(low, mid, high Quantile, opts *MetalogOptions) (Dist, error) {
	d := &metalog{lower: math.Inf(-1), upper: math.Inf(1)}
	if opts != nil && opts.Lower != nil {
		d.lower = *opts.Lower
	}
	if opts != nil && opts.Upper != nil {
		d.upper = *opts.Upper
	}
	var ps Problems
	qs := []Quantile{low, mid, high}
	for i, q := range qs {
		where := fmt.Sprintf("metalog quantile %d", i+1)
		ps.open(where+" p", q.P)
		if ps.finite(where+" x", q.X) && !(q.X > d.lower && q.X < d.upper) {
			ps.add(where+" x", "a number inside the bounds", q.X)
		}
		if i > 0 && (q.P <= qs[i-1].P || q.X <= qs[i-1].X) {
			ps.add(where, "p and x to rise", fmt.Sprintf("%v after %v", q, qs[i-1]))
		}
	}
	if ps != nil {
		return nil, ps
	}
	if !d.fit(qs) {
		ps.add("metalog quantiles", "three through which a metalog distribution passes", fmt.Sprint(qs))
		return nil, ps
	}
	if math.IsInf(d.lower, -1) && math.IsInf(d.upper, 1) {
		d.mean = d.a[0] + mul(d.a[2], 0.5)
		d.variance = mul(math.Pi*math.Pi/3, mul(d.a[1], d.a[1])) + mul(1.0/12+math.Pi*math.Pi/36, mul(d.a[2], d.a[2]))
		return d, nil
	}
	// Bounded on one side only, the other tail is that of exp: of index 1/slope.
	bounded := !math.IsInf(d.lower, -1) && !math.IsInf(d.upper, 1)
	var slope float64
	if !math.IsInf(d.lower, -1) {
		slope = d.a[1] + mul(d.a[2], 0.5)
	} else {
		slope = d.a[1] - mul(d.a[2], 0.5)
	}
	if !bounded && slope > 0.98 {
		ps.add("metalog quantiles", "a distribution with a mean (give a second bound)", fmt.Sprint(qs))
		return nil, ps
	}
	d.mean = d.moment(func(x float64) float64 { return x })
	d.variance = math.Inf(1)
	if bounded || slope < 0.49 {
		d.variance = d.moment(func(x float64) float64 { return mul(x-d.mean, x-d.mean) })
	}
	return d, nil
}

type metalog struct {
	a              [3]float64
	lower          float64
	upper          float64
	mean, variance float64
}

func logit(y float64) float64 { return log(y) - log1p(-y) }

// fit solves the three equations and tells whether M increases everywhere.
func (d *metalog) fit(qs []Quantile) bool {
	var m [3][4]float64
	for i, q := range qs {
		l := logit(q.P)
		x := q.X
		switch lower, upper := !math.IsInf(d.lower, -1), !math.IsInf(d.upper, 1); {
		case lower && upper:
			x = log((x - d.lower) / (d.upper - x))
		case lower:
			x = log(x - d.lower)
		case upper:
			x = -log(d.upper - x)
		}
		m[i] = [4]float64{1, l, mul(q.P-0.5, l), x}
	}
	for c := range 3 {
		p := c
		for r := c + 1; r < 3; r++ {
			if math.Abs(m[r][c]) > math.Abs(m[p][c]) {
				p = r
			}
		}
		m[c], m[p] = m[p], m[c]
		for r := range 3 {
			if r == c {
				continue
			}
			f := m[r][c] / m[c][c]
			for k := c; k < 4; k++ {
				m[r][k] -= mul(f, m[c][k])
			}
		}
	}
	for i := range 3 {
		d.a[i] = m[i][3] / m[i][i]
	}
	// M' y(1-y) = a2 + a3 (y - 1/2 + y(1-y) L(y)), whose last factor lies between
	// -1/2 and 1/2 at the ends and is steepest inside; look closely.
	for i := 1; i < 4000; i++ {
		y := float64(i) / 4000
		if d.a[1]+mul(d.a[2], y-0.5+mul(mul(y, 1-y), logit(y))) <= 0 {
			return false
		}
	}
	return d.a[1]-mul(math.Abs(d.a[2]), 0.5) >= 0
}

func (d *metalog) String() string {
	return fmt.Sprintf("metalog(%v, %v, %v)", d.a[0], d.a[1], d.a[2])
}
func (d *metalog) Mean() float64 { return d.mean }
func (d *metalog) Var() float64  { return d.variance }
func (d *metalog) Quantile(p float64) float64 {
	switch {
	case p <= 0:
		return d.lower
	case p >= 1:
		return d.upper
	}
	return d.at(p, logit(p))
}

// logit returns the logit of P(X <= x), by bisection.
func (d *metalog) logit(x float64) float64 {
	lo, hi := -745.0, 745.0
	for range 64 {
		l := lo + mul(hi-lo, 0.5)
		if d.at(logistic(l), l) <= x {
			lo = l
		} else {
			hi = l
		}
	}
	return lo
}

// logistic is the inverse of the logit.
func logistic(l float64) float64 {
	e := exp(-math.Abs(l))
	if l < 0 {
		return e / (1 + e)
	}
	return 1 / (1 + e)
}

func (d *metalog) CDF(x float64) float64 {
	switch {
	case x <= d.lower:
		return 0
	case x >= d.upper:
		return 1
	}
	return logistic(d.logit(x))
}

func (d *metalog) survival(x float64) float64 {
	switch {
	case x <= d.lower:
		return 1
	case x >= d.upper:
		return 0
	}
	return logistic(-d.logit(x))
}

func (d *metalog) topQuantile(q float64) float64 {
	switch {
	case q <= 0:
		return d.upper
	case q >= 1:
		return d.lower
	}
	return d.at(1-q, -logit(q))
}

// at returns the value at the probability y with the logit l.
func (d *metalog) at(y, l float64) float64 {
	m := d.a[0] + mul(d.a[1], l) + mul(d.a[2], mul(y-0.5, l))
	switch lower, upper := !math.IsInf(d.lower, -1), !math.IsInf(d.upper, 1); {
	case lower && upper:
		e := exp(-math.Abs(m))
		if m < 0 {
			return (d.lower + mul(d.upper, e)) / (1 + e)
		}
		return (mul(d.lower, e) + d.upper) / (1 + e)
	case lower:
		return d.lower + exp(m)
	case upper:
		return d.upper - exp(-m)
	}
	return m
}

// moment returns E[f(X)], by the trapezoidal rule over the logit of the
// probability, which converges faster than any power of its step.
func (d *metalog) moment(f func(float64) float64) float64 {
	const step = 1.0 / 16
	sum := 0.0
	for i := -30000; i <= 30000; i++ {
		l := mul(float64(i), step)
		e := exp(-math.Abs(l))
		w := e / mul(1+e, 1+e)
		if w < 1e-300 {
			continue
		}
		y := 1 / (1 + e)
		if l < 0 {
			y = e / (1 + e)
		}
		if v := mul(w, f(d.at(y, l))); !math.IsInf(v, 0) && !math.IsNaN(v) {
			sum += v
		}
	}
	return mul(sum, step)
}
