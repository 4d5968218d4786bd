package fair

import "math"

// The functions of this file give the same bits on every architecture. Those of
// package math do not: some have assembly on some architectures, and Go fuses
// x*y+z into one rounding where the processor can (arm64, s390x, amd64 from
// GOAMD64=v3 on). An explicit conversion of the product forbids that, which is
// what mul is for; every product in this package that is added to something goes
// through it.

// mul returns the rounded product, never to be fused with an addition.
func mul(x, y float64) float64 { return float64(x * y) }

// horner evaluates c[0] + c[1] x + c[2] x^2 + ...
func horner(x float64, c []float64) float64 {
	y := 0.0
	for i := len(c) - 1; i >= 0; i-- {
		y = mul(y, x) + c[i]
	}
	return y
}

const (
	ln2Hi = 6.93147180369123816490e-01 // 0x3fe62e42fee00000: its products with small integers are exact
	ln2Lo = 1.90821492927058770002e-10
	log2e = 1.44269504088896338700e+00
	ln2Pi = 1.8378770664093454836 // ln(2 pi)
)

// exp returns e^x. After range reduction by ln 2, with the remainder r, it uses
// the rational form of W. Kahan (r c/(2-c)), error below 1 ulp.
func exp(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 709.782712893384:
		return math.Inf(1)
	case x < -745.2:
		return 0
	}
	k := math.Floor(mul(x, log2e) + 0.5)
	hi := x - mul(k, ln2Hi)
	lo := mul(k, ln2Lo)
	r := hi - lo
	t := mul(r, r)
	p := mul(t, 4.13813679705723846039e-08) - 1.65339022054652515390e-06
	p = mul(t, p) + 6.61375632143793436117e-05
	p = mul(t, p) - 2.77777777770155933842e-03
	p = mul(t, p) + 1.66666666666666657415e-01
	c := r - mul(t, p)
	y := 1 - ((lo - mul(r, c)/(2-c)) - hi)
	if k > -1000 && k < 1000 { // no subnormal numbers
		return mul(y, math.Float64frombits(uint64(int(k)+1023)<<52))
	}
	return math.Ldexp(y, int(k))
}

// log returns the natural logarithm, error below 1 ulp.
func log(x float64) float64 {
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case x > math.MaxFloat64:
		return x
	}
	e := 0
	if x < 0x1p-1022 {
		x, e = x*(1<<54), -54
	}
	b := math.Float64bits(x)
	e += int(b>>52) - 1022
	m := math.Float64frombits(b&(1<<52-1) | 1022<<52) // 1/2 to 1
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	f, k := m-1, float64(e)
	s := f / (2 + f)
	s2 := mul(s, s)
	s4 := mul(s2, s2)
	odd := mul(s4, 1.479819860510658591e-01) + 1.818357216161805012e-01
	odd = mul(s4, odd) + 2.857142874366239149e-01
	odd = mul(s4, odd) + 6.666666666666735130e-01
	even := mul(s4, 1.531383769920937332e-01) + 2.222219843214978396e-01
	even = mul(s4, even) + 3.999999999940941908e-01
	r := mul(s2, odd) + mul(s4, even)
	h := mul(mul(0.5, f), f)
	return mul(k, ln2Hi) - ((h - (mul(s, h+r) + mul(k, ln2Lo))) - f)
}

// log1p returns ln(1+x), precise for small x.
func log1p(x float64) float64 {
	u := 1 + x
	if u == 1 || math.IsInf(u, 1) {
		return x
	}
	return mul(log(u), x) / (u - 1)
}

// expm1 returns e^x - 1, precise for small x.
func expm1(x float64) float64 {
	u := exp(x)
	if u == 1 {
		return x
	}
	if u-1 == -1 {
		return -1
	}
	if math.IsInf(u, 1) {
		return u
	}
	return mul(u-1, x) / log(u)
}

// sqrt returns the root of a variance that rounding may have put below 0.
func sqrt(x float64) float64 { return math.Sqrt(max(x, 0)) }
