package fair

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// A Dist is a probability distribution of a number: a rate, a probability, a
// loss. Types of the caller are welcome; their Quantile must not decrease. A
// method CDF(x float64) float64, if there is one, is used where it helps.
//
// All distributions of this package are immutable and safe for concurrent use.
type Dist interface {
	// Quantile returns the smallest x with P(X <= x) >= p, for p from 0 to 1.
	Quantile(p float64) float64
	// Mean is the expected value; +Inf if there is none.
	Mean() float64
	// Var is the variance; +Inf if there is none.
	Var() float64
}

// A continuous distribution of this package.
type continuous interface {
	Dist
	CDF(x float64) float64
	density(x float64) float64
	partial(x float64) float64 // E[X; X <= x]
}

// CDF returns P(X <= x): by the method CDF of d if it has one, else by bisection
// of its quantiles. Of no distribution it is NaN, as all numbers of none are.
func CDF(d Dist, x float64) float64 {
	if d == nil {
		return math.NaN()
	}
	if c, ok := d.(interface{ CDF(float64) float64 }); ok {
		return c.CDF(x)
	}
	return bisect(d, func(q float64) bool { return q <= x })
}

// LimitedMean returns the limited expected value E[min(X, limit)] of a
// distribution: what is left of a loss above a limit that another pays.
func LimitedMean(d Dist, limit float64) float64 {
	if d == nil {
		return math.NaN()
	}
	f := CDF(d, limit)
	if f == 0 {
		return limit
	}
	return partial(d, limit, f) + mul(limit, 1-f)
}

// TailMean returns the mean of the worst 1-p of a distribution, its tail value
// at risk (expected shortfall). An atom at the quantile is split, so that exactly
// the probability 1-p is averaged. For the log-normal this is
// E[X] Phi(sigma - z_p) / (1-p), for the generalised Pareto
// (VaR + scale - shape location) / (1 - shape).
func TailMean(d Dist, p float64) float64 {
	if d == nil || !(p >= 0 && p < 1) {
		return math.NaN()
	}
	switch x := d.(type) {
	case constant:
		return x.value
	case *lognormal:
		return mul(x.Mean(), normalCDF(x.sigma-normalQuantile(p, 1-p))) / (1 - p)
	case *pareto:
		return (x.Quantile(p) + x.scale - mul(x.shape, x.location)) / (1 - x.shape)
	}
	if _, ok := d.(interface{ partial(float64) float64 }); !ok {
		sum := 0.0
		for _, n := range unitNodes(24) {
			sum += mul(n.w, d.Quantile(min(p+mul(n.x, 1-p), 1-0x1p-53)))
		}
		return sum
	}
	q := d.Quantile(p)
	f := CDF(d, q)
	return (d.Mean() - partial(d, q, f) + mul(q, f-p)) / (1 - p)
}

// partial returns E[X; X <= x], where f is P(X <= x).
func partial(d Dist, x, f float64) float64 {
	if c, ok := d.(interface{ partial(float64) float64 }); ok {
		return c.partial(x)
	}
	sum := 0.0
	for _, n := range unitNodes(32) {
		sum += mul(n.w, d.Quantile(mul(n.x, f)))
	}
	return mul(sum, f)
}

// PERTOptions configure [PERT]; nil means the defaults.
type PERTOptions struct {
	Shape float64 // weight of the mode; default 4; smaller is wider; at most 1e6
}

// PERT returns the beta-PERT distribution of a smallest, most likely and largest
// value: with s the shape, alpha = 1 + s (mode-min)/(max-min), beta = 1 + s
// (max-mode)/(max-min), mean (min + s mode + max)/(s+2), and variance
// (mean-min)(max-mean)/(s+3) (Vose, Risk Analysis; not ((max-min)/6)^2, which holds for
// no mode but the middle). The mode may be at an end. If all three are equal it
// is that constant. The error is of type [Problems].
func PERT(min, mode, max float64, opts *PERTOptions) (Dist, error) {
	shape := 4.0
	if opts != nil && opts.Shape != 0 {
		shape = opts.Shape
	}
	var ps Problems
	three(&ps, "PERT", min, mode, max)
	if ps.positive("PERT shape", shape); shape > maxShape && !math.IsInf(shape, 1) {
		ps.add("PERT shape", fmt.Sprintf("a number of at most %v", maxShape), shape)
	}
	if ps != nil {
		return nil, ps
	}
	if min == max {
		return constant{min}, nil
	}
	width := max - min
	return &beta{
		a: 1 + mul(shape, mode-min)/width, b: 1 + mul(shape, max-mode)/width, min: min, max: max,
		name: fmt.Sprintf("PERT(%v, %v, %v; %v)", min, mode, max, shape),
	}, nil
}

// three checks the parameters of a distribution between two ends.
func three(ps *Problems, name string, min, mode, max float64) {
	a, b, c := ps.finite(name+" min", min), ps.finite(name+" mode", mode), ps.finite(name+" max", max)
	if a && c && min > max {
		ps.add(name+" min", fmt.Sprintf("at most max, %v", max), min)
	} else if a && b && c && (mode < min || mode > max) {
		ps.add(name+" mode", fmt.Sprintf("a number from min, %v, to max, %v", min, max), mode)
	}
	if a && c && math.IsInf(max-min, 0) {
		ps.add(name+" max", "a range that is a finite number", fmt.Sprintf("%v to %v", min, max))
	}
}

// Beta returns the beta distribution on 0 to 1 with the parameters alpha = a and
// beta = b, both from 0.001 to 1e6. The error is of type [Problems].
func Beta(a, b float64) (Dist, error) {
	var ps Problems
	ps.shape("beta alpha", a)
	ps.shape("beta beta", b)
	if ps != nil {
		return nil, ps
	}
	return &beta{a: a, b: b, max: 1, name: fmt.Sprintf("beta(%v, %v)", a, b)}, nil
}

// beta is a beta distribution between two ends.
type beta struct {
	a, b, min, max float64
	name           string
}

func (d *beta) String() string { return d.name }
func (d *beta) Mean() float64 {
	return d.min + mul(d.max-d.min, d.a)/(d.a+d.b)
}

func (d *beta) Var() float64 {
	w := (d.max - d.min) / (d.a + d.b)
	return mul(w, w) * mul(d.a, d.b) / (d.a + d.b + 1)
}

func (d *beta) Quantile(p float64) float64 {
	x, y := betaInv(d.a, d.b, p, 1-p)
	if x < y {
		return d.min + mul(x, d.max-d.min)
	}
	return d.max - mul(y, d.max-d.min)
}

func (d *beta) CDF(x float64) float64 {
	w := d.max - d.min
	return betaInc(d.a, d.b, (x-d.min)/w, (d.max-x)/w)
}

func (d *beta) survival(x float64) float64 {
	w := d.max - d.min
	return betaInc(d.b, d.a, (d.max-x)/w, (x-d.min)/w)
}

func (d *beta) topQuantile(q float64) float64 {
	x, y := betaInv(d.a, d.b, 1-q, q)
	if x < y {
		return d.min + mul(x, d.max-d.min)
	}
	return d.max - mul(y, d.max-d.min)
}

func (d *beta) density(x float64) float64 {
	w := d.max - d.min
	u, v := (x-d.min)/w, (d.max-x)/w
	if u <= 0 || v <= 0 {
		return 0
	}
	return exp(mul(d.a-1, log(u))+mul(d.b-1, log(v))-logBeta(d.a, d.b)) / w
}

func (d *beta) partial(x float64) float64 {
	w := d.max - d.min
	u, v := (x-d.min)/w, (d.max-x)/w
	return mul(d.min, betaInc(d.a, d.b, u, v)) + mul(mul(w, d.a)/(d.a+d.b), betaInc(d.a+1, d.b, u, v))
}

// Triangular returns the triangular distribution. If all three values are equal
// it is that constant. The error is of type [Problems].
func Triangular(min, mode, max float64) (Dist, error) {
	var ps Problems
	if three(&ps, "triangular", min, mode, max); ps != nil {
		return nil, ps
	}
	if min == max {
		return constant{min}, nil
	}
	return &triangular{min, mode, max}, nil
}

type triangular struct{ min, mode, max float64 }

func (d *triangular) String() string {
	return fmt.Sprintf("triangular(%v, %v, %v)", d.min, d.mode, d.max)
}
func (d *triangular) Mean() float64 { return (d.min + d.mode + d.max) / 3 }

func (d *triangular) Var() float64 {
	a, b, c := d.mode-d.min, d.max-d.mode, d.max-d.min
	return (mul(a, a) + mul(b, b) + mul(c, c)) / 36
}

func (d *triangular) Quantile(p float64) float64 {
	w := d.max - d.min
	if mul(p, w) < d.mode-d.min {
		return d.min + math.Sqrt(mul(mul(p, w), d.mode-d.min))
	}
	return d.max - math.Sqrt(mul(mul(1-p, w), d.max-d.mode))
}

func (d *triangular) CDF(x float64) float64 {
	w := d.max - d.min
	switch {
	case x <= d.min:
		return 0
	case x >= d.max:
		return 1
	case x < d.mode:
		return mul(x-d.min, x-d.min) / mul(w, d.mode-d.min)
	}
	return 1 - mul(d.max-x, d.max-x)/mul(w, d.max-d.mode)
}

func (d *triangular) mirrored() *triangular         { return &triangular{-d.max, -d.mode, -d.min} }
func (d *triangular) survival(x float64) float64    { return d.mirrored().CDF(-x) }
func (d *triangular) topQuantile(q float64) float64 { return -d.mirrored().Quantile(q) }

func (d *triangular) density(x float64) float64 {
	w := d.max - d.min
	switch {
	case x <= d.min || x >= d.max:
		return 0
	case x < d.mode:
		return 2 * (x - d.min) / mul(w, d.mode-d.min)
	}
	return 2 * (d.max - x) / mul(w, d.max-d.mode)
}

func (d *triangular) partial(x float64) float64 {
	w := d.max - d.min
	switch {
	case x <= d.min:
		return 0
	case x >= d.max:
		return d.Mean()
	case x < d.mode:
		u := x - d.min
		return mul(mul(u, u), d.min+mul(u, 2.0/3)) / mul(w, d.mode-d.min)
	}
	u := d.max - x
	return d.Mean() - mul(mul(u, u), d.max-mul(u, 2.0/3))/mul(w, d.max-d.mode)
}

// Uniform returns the uniform distribution; the constant if min and max are
// equal. The error is of type [Problems].
func Uniform(min, max float64) (Dist, error) {
	var ps Problems
	if three(&ps, "uniform", min, min, max); ps != nil {
		return nil, ps
	}
	if min == max {
		return constant{min}, nil
	}
	return &uniform{min, max}, nil
}

type uniform struct{ min, max float64 }

func (d *uniform) String() string { return fmt.Sprintf("uniform(%v, %v)", d.min, d.max) }
func (d *uniform) Mean() float64  { return d.min + mul(d.max-d.min, 0.5) }
func (d *uniform) Var() float64   { w := d.max - d.min; return mul(w, w) / 12 }
func (d *uniform) Quantile(p float64) float64 {
	return d.min + mul(p, d.max-d.min)
}
func (d *uniform) CDF(x float64) float64 { return min(max((x-d.min)/(d.max-d.min), 0), 1) }
func (d *uniform) survival(x float64) float64 {
	return min(max((d.max-x)/(d.max-d.min), 0), 1)
}
func (d *uniform) topQuantile(q float64) float64 { return d.max - mul(q, d.max-d.min) }
func (d *uniform) density(x float64) float64 {
	if x < d.min || x > d.max {
		return 0
	}
	return 1 / (d.max - d.min)
}

func (d *uniform) partial(x float64) float64 {
	x = min(max(x, d.min), d.max)
	return mul(x-d.min, x+d.min) / 2 / (d.max - d.min)
}

// Constant returns the distribution that is always x, which must be a finite
// number; else the error is of type [Problems].
func Constant(x float64) (Dist, error) {
	var ps Problems
	if !ps.finite("constant", x) {
		return nil, ps
	}
	return constant{x}, nil
}

type constant struct{ value float64 }

func (d constant) String() string           { return fmt.Sprint(d.value) }
func (d constant) Mean() float64            { return d.value }
func (d constant) Var() float64             { return 0 }
func (d constant) Quantile(float64) float64 { return d.value }
func (d constant) CDF(x float64) float64 {
	if x < d.value {
		return 0
	}
	return 1
}

func (d constant) partial(x float64) float64 { return mul(d.value, d.CDF(x)) }

// Normal returns the normal distribution; it gives negative values, so that a
// rate or a loss wants it truncated ([Truncate]). The error is of type [Problems].
func Normal(mean, sd float64) (Dist, error) {
	var ps Problems
	ps.finite("normal mean", mean)
	if ps.positive("normal standard deviation", sd); ps != nil {
		return nil, ps
	}
	return &normal{mean, sd}, nil
}

type normal struct{ mu, sigma float64 }

func (d *normal) String() string { return fmt.Sprintf("normal(%v, %v)", d.mu, d.sigma) }
func (d *normal) Mean() float64  { return d.mu }
func (d *normal) Var() float64   { return mul(d.sigma, d.sigma) }
func (d *normal) Quantile(p float64) float64 {
	return d.mu + mul(d.sigma, normalQuantile(p, 1-p))
}
func (d *normal) CDF(x float64) float64         { return normalCDF((x - d.mu) / d.sigma) }
func (d *normal) survival(x float64) float64    { return normalCDF((d.mu - x) / d.sigma) }
func (d *normal) topQuantile(q float64) float64 { return d.mu - mul(d.sigma, normalQuantile(q, 1-q)) }
func (d *normal) density(x float64) float64     { return normalDensity((x-d.mu)/d.sigma) / d.sigma }
func (d *normal) partial(x float64) float64 {
	z := (x - d.mu) / d.sigma
	return mul(d.mu, normalCDF(z)) - mul(d.sigma, normalDensity(z))
}

// second returns E[X^2; X <= x].
func (d *normal) second(x float64) float64 {
	z := (x - d.mu) / d.sigma
	tail := 0.0
	if !math.IsInf(z, 0) {
		tail = mul(mul(d.sigma, normalDensity(z)), mul(d.sigma, z)+mul(2, d.mu))
	}
	return mul(mul(d.mu, d.mu)+mul(d.sigma, d.sigma), normalCDF(z)) - tail
}

// LognormalInterval returns the log-normal distribution for which the value lies
// between lo and hi with the probability level, and below lo as often as above
// hi: mu = (ln lo + ln hi)/2, sigma = (ln hi - ln lo)/(2 z), z the normal quantile
// at (1+level)/2, 1.6449 for the level 0.9.
//
// Lowering lo alone makes the interval wider and so the tail heavier, but it also
// lowers mu: which of them wins for the mean depends on sigma. The error is of type
// [Problems].
func LognormalInterval(lo, hi, level float64) (Dist, error) {
	var ps Problems
	ps.positive("log-normal lo", lo)
	ps.positive("log-normal hi", hi)
	if ps == nil && lo >= hi {
		ps.add("log-normal lo", fmt.Sprintf("a number below hi, %v", hi), lo)
	}
	if ps.open("log-normal level", level); ps != nil {
		return nil, ps
	}
	z := normalQuantile((1+level)/2, (1-level)/2)
	return newLognormal((log(lo)+log(hi))/2, (log(hi)-log(lo))/(2*z))
}

// LognormalMoments returns the log-normal distribution of a mean and a standard
// deviation: sigma^2 = ln(1 + (sd/mean)^2), mu = ln mean - sigma^2/2. The error is of
// type [Problems].
func LognormalMoments(mean, sd float64) (Dist, error) {
	var ps Problems
	ps.positive("log-normal mean", mean)
	if ps.positive("log-normal standard deviation", sd); ps != nil {
		return nil, ps
	}
	r := sd / mean
	s2 := log1p(mul(r, r))
	return newLognormal(log(mean)-mul(s2, 0.5), math.Sqrt(s2))
}

// A Quantile is the judgement of an expert: the value is at most X with
// probability P.
type Quantile struct {
	P, X float64
}

// LognormalQuantiles returns the log-normal distribution through two quantiles.
// The error is of type [Problems].
func LognormalQuantiles(low, high Quantile) (Dist, error) {
	var ps Problems
	for _, q := range []Quantile{low, high} {
		ps.open("log-normal quantile p", q.P)
		ps.positive("log-normal quantile x", q.X)
	}
	if ps == nil && (low.P >= high.P || low.X >= high.X) {
		ps.add("log-normal quantiles", "both p and x to rise", fmt.Sprintf("%v, %v", low, high))
	}
	if ps != nil {
		return nil, ps
	}
	z1, z2 := normalQuantile(low.P, 1-low.P), normalQuantile(high.P, 1-high.P)
	sigma := (log(high.X) - log(low.X)) / (z2 - z1)
	return newLognormal(log(low.X)-mul(sigma, z1), sigma)
}

// maxSigma keeps the moments of a log-normal finite numbers.
const maxSigma = 15

func newLognormal(mu, sigma float64) (Dist, error) {
	if !(sigma > 0 && sigma <= maxSigma) {
		return nil, Problems{{"log-normal sigma", fmt.Sprintf("a width above 0 and at most %d", maxSigma), fmt.Sprint(sigma)}}
	}
	return &lognormal{mu, sigma}, nil
}

type lognormal struct{ mu, sigma float64 }

func (d *lognormal) String() string { return fmt.Sprintf("log-normal(%v, %v)", d.mu, d.sigma) }
func (d *lognormal) Mean() float64  { return exp(d.mu + mul(mul(d.sigma, d.sigma), 0.5)) }
func (d *lognormal) Var() float64 {
	m := d.Mean()
	return mul(mul(m, m), expm1(mul(d.sigma, d.sigma)))
}

func (d *lognormal) Quantile(p float64) float64 {
	return exp(d.mu + mul(d.sigma, normalQuantile(p, 1-p)))
}

func (d *lognormal) z(x float64) float64 { return (log(max(x, 0)) - d.mu) / d.sigma }
func (d *lognormal) CDF(x float64) float64 {
	if x <= 0 {
		return 0
	}
	return normalCDF(d.z(x))
}

func (d *lognormal) survival(x float64) float64 {
	if x <= 0 {
		return 1
	}
	return normalCDF(-d.z(x))
}

func (d *lognormal) topQuantile(q float64) float64 {
	return exp(d.mu - mul(d.sigma, normalQuantile(q, 1-q)))
}

func (d *lognormal) density(x float64) float64 {
	if x <= 0 {
		return 0
	}
	return normalDensity(d.z(x)) / mul(x, d.sigma)
}

func (d *lognormal) partial(x float64) float64 {
	if x <= 0 {
		return 0
	}
	return mul(d.Mean(), normalCDF(d.z(x)-d.sigma))
}

func (d *lognormal) second(x float64) float64 {
	if x <= 0 {
		return 0
	}
	return mul(exp(2*d.mu+mul(2*d.sigma, d.sigma)), normalCDF(d.z(x)-2*d.sigma))
}

// Gamma returns the gamma distribution of a shape, from 0.001 to 1e6, and a scale; its
// mean is their product. The error is of type [Problems].
func Gamma(shape, scale float64) (Dist, error) {
	var ps Problems
	ps.shape("gamma shape", shape)
	if ps.positive("gamma scale", scale); ps != nil {
		return nil, ps
	}
	return &gamma{shape, scale}, nil
}

// Exponential returns the exponential distribution of a mean. The error is of
// type [Problems].
func Exponential(mean float64) (Dist, error) {
	var ps Problems
	if ps.positive("exponential mean", mean); ps != nil {
		return nil, ps
	}
	return &gamma{1, mean}, nil
}

type gamma struct{ shape, scale float64 }

func (d *gamma) String() string { return fmt.Sprintf("gamma(%v, %v)", d.shape, d.scale) }
func (d *gamma) Mean() float64  { return mul(d.shape, d.scale) }
func (d *gamma) Var() float64   { return mul(d.Mean(), d.scale) }
func (d *gamma) Quantile(p float64) float64 {
	return mul(d.scale, gammaInv(d.shape, p, 1-p))
}
func (d *gamma) CDF(x float64) float64         { p, _ := gammaPQ(d.shape, x/d.scale); return p }
func (d *gamma) survival(x float64) float64    { _, q := gammaPQ(d.shape, x/d.scale); return q }
func (d *gamma) topQuantile(q float64) float64 { return mul(d.scale, gammaInv(d.shape, 1-q, q)) }
func (d *gamma) density(x float64) float64 {
	if x <= 0 {
		return 0
	}
	u := x / d.scale
	return exp(mul(d.shape-1, log(u))-u-lgamma(d.shape)) / d.scale
}

func (d *gamma) partial(x float64) float64 {
	p, _ := gammaPQ(d.shape+1, x/d.scale)
	return mul(d.Mean(), p)
}

// GeneralizedPareto returns the generalised Pareto distribution
// location + scale/shape ((1-p)^-shape - 1), the law of excesses over a threshold.
// From shape 1/2 on it has no variance, from 1 on no mean, and is refused: no
// average of simulated years would settle. The error is of type [Problems].
func GeneralizedPareto(location, scale, shape float64) (Dist, error) {
	var ps Problems
	ps.finite("generalised Pareto location", location)
	ps.positive("generalised Pareto scale", scale)
	if ps.finite("generalised Pareto shape", shape) && shape >= 1 {
		ps.add("generalised Pareto shape", "a number below 1 (there is no mean from there on)", shape)
	}
	if ps != nil {
		return nil, ps
	}
	return &pareto{location, scale, shape}, nil
}

type pareto struct{ location, scale, shape float64 }

func (d *pareto) String() string {
	return fmt.Sprintf("generalised Pareto(%v, %v, %v)", d.location, d.scale, d.shape)
}
func (d *pareto) Mean() float64 { return d.location + d.scale/(1-d.shape) }
func (d *pareto) Var() float64 {
	if d.shape >= 0.5 {
		return math.Inf(1)
	}
	m := d.scale / (1 - d.shape)
	return mul(m, m) / (1 - 2*d.shape)
}

func (d *pareto) Quantile(p float64) float64 {
	l := -log1p(-p)
	if d.shape == 0 {
		return d.location + mul(d.scale, l)
	}
	if p >= 1 {
		if d.shape < 0 {
			return d.location - d.scale/d.shape
		}
		return math.Inf(1)
	}
	return d.location + mul(d.scale/d.shape, expm1(mul(d.shape, l)))
}

func (d *pareto) topQuantile(q float64) float64 {
	switch {
	case q <= 0:
		return d.Quantile(1)
	case d.shape == 0:
		return d.location - mul(d.scale, log(q))
	}
	return d.location + mul(d.scale/d.shape, expm1(-mul(d.shape, log(q))))
}

func (d *pareto) survival(x float64) float64 {
	u := (x - d.location) / d.scale
	switch t := 1 + mul(d.shape, u); {
	case u <= 0:
		return 1
	case d.shape == 0:
		return exp(-u)
	case t <= 0:
		return 0
	default:
		return exp(-log1p(mul(d.shape, u)) / d.shape)
	}
}
func (d *pareto) CDF(x float64) float64 { return 1 - d.survival(x) }
func (d *pareto) density(x float64) float64 {
	if x < d.location {
		return 0
	}
	return d.survival(x) / (d.scale + mul(d.shape, x-d.location))
}

func (d *pareto) partial(x float64) float64 {
	if x <= d.location {
		return 0
	}
	s := d.survival(x)
	if s == 0 {
		return d.Mean()
	}
	return d.Mean() - mul(s, x+(d.scale+mul(d.shape, x-d.location))/(1-d.shape))
}

// Empirical returns the distribution of observed values, each as likely as the
// others. The error is of type [Problems].
func Empirical(values ...float64) (Dist, error) {
	var ps Problems
	if len(values) == 0 {
		ps.add("empirical values", "one at least", "none")
	}
	for i, x := range values {
		ps.finite(fmt.Sprintf("empirical value %d", i+1), x)
	}
	if ps != nil {
		return nil, ps
	}
	return newEmpirical(slices.Sorted(slices.Values(values))), nil
}

// newEmpirical takes sorted values.
func newEmpirical(values []float64) *empirical {
	d := &empirical{values: values}
	n := float64(len(values))
	for _, x := range d.values {
		d.mean += x / n
	}
	for _, x := range d.values {
		d.variance += mul(x-d.mean, x-d.mean) / n
	}
	return d
}

type empirical struct {
	values         []float64 // sorted
	mean, variance float64
}

func (d *empirical) String() string {
	if len(d.values) <= 8 {
		return "empirical(" + strings.Trim(fmt.Sprint(d.values), "[]") + ")"
	}
	return fmt.Sprintf("empirical(%d values, %v to %v)", len(d.values), d.values[0], d.values[len(d.values)-1])
}
func (d *empirical) Mean() float64 { return d.mean }
func (d *empirical) Var() float64  { return d.variance }
func (d *empirical) Quantile(p float64) float64 {
	return d.values[rank(p, int64(len(d.values)))-1]
}

func (d *empirical) below(x float64) int {
	i, _ := slices.BinarySearchFunc(d.values, x, func(v, x float64) int {
		if v <= x {
			return -1
		}
		return 1
	})
	return i
}
func (d *empirical) CDF(x float64) float64 { return float64(d.below(x)) / float64(len(d.values)) }
func (d *empirical) partial(x float64) float64 {
	sum := 0.0
	for _, v := range d.values[:d.below(x)] {
		sum += v
	}
	return sum / float64(len(d.values))
}

// rank returns ceil(n p), from 1 to n. The product is rounded where it lies within a
// few ulp of an integer: 0.07*100 is 7.000000000000001 in floating point.
func rank(p float64, n int64) int64 {
	x := mul(p, float64(n))
	if r := math.Round(x); math.Abs(x-r) <= 4e-16*x {
		x = r
	}
	return min(max(int64(math.Ceil(x)), 1), n)
}
