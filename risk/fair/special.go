package fair

import "math"

// stirling are the coefficients of the asymptotic series of ln Gamma in 1/x^2
// (NIST DLMF 5.11.1): B_2k / (2k (2k-1)).
var stirling = []float64{
	1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360, 1.0 / 156, -3617.0 / 122400,
}

// lgamma returns ln Gamma(x) for x > 0.
func lgamma(x float64) float64 {
	shift := 1.0
	for x < 12 {
		shift = mul(shift, x)
		x++
	}
	inv := 1 / x
	return mul(x-0.5, log(x)) - x + ln2Pi/2 + mul(inv, horner(mul(inv, inv), stirling)) - log(shift)
}

const tiny = 1e-300

// lentz evaluates the continued fraction 1/(b0 + a1/(b1 + a2/(b2 + ...))) by the
// modified method of Lentz; next gives a_i and b_i from i = 1 on.
func lentz(b0 float64, next func(i float64) (a, b float64)) float64 {
	c := 1 / tiny
	if b0 == 0 {
		b0 = tiny
	}
	d := 1 / b0
	h := d
	for i := 1.0; i < 200000; i++ {
		a, b := next(i)
		d = mul(a, d) + b
		if math.Abs(d) < tiny {
			d = tiny
		}
		c = b + a/c
		if math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		delta := mul(d, c)
		h = mul(h, delta)
		if math.Abs(delta-1) < 3e-16 {
			break
		}
	}
	return h
}

// gammaPQ returns the regularised incomplete gamma functions P(a, x) and
// Q(a, x) (NIST DLMF 8.2.4): the series 8.11.4 for small x, else the continued
// fraction 8.9.2.
func gammaPQ(a, x float64) (p, q float64) {
	switch {
	case x <= 0:
		return 0, 1
	case math.IsInf(x, 1):
		return 1, 0
	}
	scale := exp(mul(a, log(x)) - x - lgamma(a))
	if x < a+1 {
		sum, term := 1/a, 1/a
		for n := a + 1; term > sum*1e-17; n++ {
			term = mul(term, x) / n
			sum += term
		}
		p = min(mul(scale, sum), 1)
		return p, 1 - p
	}
	h := lentz(x+1-a, func(i float64) (float64, float64) {
		return mul(-i, i-a), x + 1 - a + mul(2, i)
	})
	q = min(mul(scale, h), 1)
	return 1 - q, q
}

// betaInc returns the regularised incomplete beta function I_x(a, b)
// (NIST DLMF 8.17.22). y is 1-x, which the caller may know better.
func betaInc(a, b, x, y float64) float64 {
	switch {
	case x <= 0:
		return 0
	case y <= 0:
		return 1
	}
	if x > (a+1)/(a+b+2) {
		return 1 - betaFraction(b, a, y, x)
	}
	return betaFraction(a, b, x, y)
}

func betaFraction(a, b, x, y float64) float64 {
	scale := exp(mul(a, log(x))+mul(b, log(y))-logBeta(a, b)) / a
	c, d := 1.0, 1-mul(a+b, x)/(a+1)
	if math.Abs(d) < tiny {
		d = tiny
	}
	d = 1 / d
	h := d
	for m := 1.0; m < 200000; m++ {
		m2 := 2 * m
		e := mul(mul(m, b-m), x) / mul(a+m2-1, a+m2)
		d = 1 + mul(e, d)
		if math.Abs(d) < tiny {
			d = tiny
		}
		c = 1 + e/c
		if math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		h = mul(mul(h, d), c)
		e = -mul(mul(a+m, a+b+m), x) / mul(a+m2, a+m2+1)
		d = 1 + mul(e, d)
		if math.Abs(d) < tiny {
			d = tiny
		}
		c = 1 + e/c
		if math.Abs(c) < tiny {
			c = tiny
		}
		d = 1 / d
		delta := mul(d, c)
		h = mul(h, delta)
		if math.Abs(delta-1) < 3e-16 {
			break
		}
	}
	return mul(scale, h)
}

// logBeta returns ln B(a, b). For large arguments the Stirling terms are
// subtracted one by one, since the values of ln Gamma would cancel.
func logBeta(a, b float64) float64 {
	if a > b {
		a, b = b, a
	}
	if b < 100 {
		return lgamma(a) + lgamma(b) - lgamma(a+b)
	}
	rest := func(x float64) float64 { inv := 1 / x; return mul(inv, horner(mul(inv, inv), stirling)) }
	// ln Gamma(b) - ln Gamma(a+b)
	t := -mul(b-0.5, log1p(a/b)) - mul(a, log(a+b)) + a + rest(b) - rest(a+b)
	return lgamma(a) + t
}

// betaInv returns x and 1-x with I_x(a, b) = p; q is 1-p.
func betaInv(a, b, p, q float64) (x, y float64) {
	switch {
	case p <= 0:
		return 0, 1
	case q <= 0:
		return 1, 0
	}
	lb := logBeta(a, b)
	// The variable is the logit of x: both ends keep their precision.
	lo, hi := -750.0, 750.0
	at := func(s float64) (x, y float64) {
		if s < 0 {
			e := exp(s)
			return e / (1 + e), 1 / (1 + e)
		}
		e := exp(-s)
		return 1 / (1 + e), e / (1 + e)
	}
	// Start where the two power laws at the ends put it, or at the mean.
	s := log(a / b)
	if left := (log(p) + log(a) + lb) / a; left < s && left < -1 {
		s = left
	} else if right := -(log(q) + log(b) + lb) / b; right > s && right > 1 {
		s = right
	}
	for range 200 {
		x, y = at(s)
		var g float64 // error in p, relative to the smaller tail
		if p < 0.5 {
			g = betaInc(a, b, x, y) - p
		} else {
			g = q - betaInc(b, a, y, x)
		}
		if g > 0 {
			hi = s
		} else {
			lo = s
		}
		slope := exp(mul(a, log(x)) + mul(b, log(y)) - lb) // dp/ds
		next := s - g/slope
		if math.Abs(next-s) <= 4e-16*math.Max(1, math.Abs(s)) {
			return at(next)
		}
		if !(next > lo && next < hi) {
			next = (lo + hi) / 2
		}
		s = next
	}
	return x, y
}

// gammaInv returns x with P(a, x) = p; q is 1-p.
func gammaInv(a, p, q float64) float64 {
	switch {
	case p <= 0:
		return 0
	case q <= 0:
		return math.Inf(1)
	}
	lg := lgamma(a)
	lo, hi := -750.0, 750.0 // the variable is ln x
	s := log(a)
	if left := (log(p) + log(a) + lg) / a; left < s-1 {
		s = left
	}
	for range 200 {
		x := exp(s)
		pp, qq := gammaPQ(a, x)
		g := pp - p
		if p > 0.5 {
			g = q - qq
		}
		if g > 0 {
			hi = s
		} else {
			lo = s
		}
		next := s - g/exp(mul(a, s)-x-lg)
		if math.Abs(next-s) <= 4e-16*math.Max(1, math.Abs(s)) {
			return exp(next)
		}
		if !(next > lo && next < hi) {
			next = (lo + hi) / 2
		}
		s = next
	}
	return exp(s)
}

// normalCDF returns the standard normal distribution function.
func normalCDF(z float64) float64 {
	p, q := gammaPQ(0.5, mul(z, z)/2)
	if z < 0 {
		return q / 2
	}
	return 0.5 + mul(p, 0.5)
}

func normalDensity(z float64) float64 { return exp(-mul(mul(z, z), 0.5) - ln2Pi/2) }

// The coefficients of algorithm AS 241, PPND16 (Wichura 1988).
var (
	ppndA = []float64{3.3871328727963666080e0, 1.3314166789178437745e+2, 1.9715909503065514427e+3, 1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4, 3.3430575583588128105e+4, 2.5090809287301226727e+3}
	ppndB = []float64{1, 4.2313330701600911252e+1, 6.8718700749205790830e+2, 5.3941960214247511077e+3, 2.1213794301586595867e+4, 3.9307895800092710610e+4, 2.8729085735721942674e+4, 5.2264952788528545610e+3}
	ppndC = []float64{1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0, 1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4}
	ppndD = []float64{1, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1, 1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9}
	ppndE = []float64{6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7}
	ppndF = []float64{1, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2, 7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15}
)

// normalQuantile returns z with Phi(z) = p; q is 1-p (Wichura 1988, AS 241).
func normalQuantile(p, q float64) float64 {
	switch {
	case p <= 0:
		return math.Inf(-1)
	case q <= 0:
		return math.Inf(1)
	}
	if d := p - 0.5; math.Abs(d) <= 0.425 {
		r := 0.180625 - mul(d, d)
		return mul(d, horner(r, ppndA)) / horner(r, ppndB)
	}
	r := math.Sqrt(-log(min(p, q)))
	var z float64
	if r <= 5 {
		z = horner(r-1.6, ppndC) / horner(r-1.6, ppndD)
	} else {
		z = horner(r-5, ppndE) / horner(r-5, ppndF)
	}
	if p < q {
		return -z
	}
	return z
}

// binomialCDF returns P(B <= k) for B ~ Binomial(n, p).
func binomialCDF(k, n int64, p float64) float64 {
	switch {
	case k < 0:
		return 0
	case k >= n:
		return 1
	}
	return betaInc(float64(n-k), float64(k+1), 1-p, p)
}

// binomialQuantile returns the smallest k with P(B <= k) >= u.
func binomialQuantile(u float64, n int64, p float64) int64 {
	mean := mul(float64(n), p)
	sd := math.Sqrt(mul(mean, 1-p))
	k := int64(min(max(mean+mul(sd, normalQuantile(u, 1-u)), 0), float64(n)))
	lo, hi := int64(-1), n // P(B <= lo) < u <= P(B <= hi)
	for step := int64(1) + int64(sd/64); ; step *= 2 {
		if binomialCDF(k, n, p) >= u {
			hi = k
			if k -= step; k <= lo {
				break
			}
		} else {
			lo = k
			if k += step; k >= hi {
				break
			}
		}
		if hi-lo <= 1 {
			break
		}
		if lo >= 0 && hi < n {
			break
		}
	}
	for hi-lo > 1 {
		k := lo + (hi-lo)/2
		if binomialCDF(k, n, p) >= u {
			hi = k
		} else {
			lo = k
		}
	}
	return hi
}
