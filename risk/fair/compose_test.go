package fair

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func mixed(weight float64, a, b Dist) Dist {
	return must(Mixture(Component{weight, a}, Component{1 - weight, b}))
}

// jump is a distribution of a caller with two atoms and nothing to tell them but
// quantiles.
type jump struct{}

func (jump) Quantile(p float64) float64 {
	if p <= 0.3 {
		return 0.5
	}
	return 0.9
}
func (jump) Mean() float64 { return 0.3*0.5 + 0.7*0.9 }
func (jump) Var() float64  { return 0.3 * 0.7 * 0.16 }

// TestMixtureOfAtom: an atom beside a part without end keeps that part.
func TestMixtureOfAtom(t *testing.T) {
	severity := must(LognormalInterval(1000, 100000, 0.9))
	d := mixed(0.9, must(Constant(0)), severity)
	require.Equal(t, 0.0, d.Quantile(0))
	require.Equal(t, 0.0, d.Quantile(0.9))
	require.Equal(t, math.Inf(1), d.Quantile(1))
	// P(X <= x) = 0.9 + 0.1 F(x).
	require.InEpsilon(t, severity.Quantile(0.5), d.Quantile(0.95), 1e-12)
	r := simulate(t, Portfolio{Scenarios: []Scenario{single(mustFreq(Binomial(1, 1)), d)}}, &Options{Years: 1 << 20})
	require.InDelta(t, 0.1*severity.Mean(), r.Mean().Value, 5*math.Sqrt(d.Var()/(1<<20)))
	require.InDelta(t, 0.1, r.Exceed(0).Value, 5*math.Sqrt(0.09/(1<<20)))

	// E[L] + Var[L]: a rate of 0 or exponential with mean 2, each half the years.
	rate := mixed(0.5, must(Constant(0)), must(Exponential(2)))
	f := mustFreq(Poisson(rate))
	require.InEpsilon(t, 1+rate.Var(), f.Var(), 1e-12)
	require.InEpsilon(t, 4, f.Var(), 1e-12)
	l, err := newLaw(f)
	require.NoError(t, err)
	// P(N=0) = 1/2 + 1/2 1/(1+2).
	require.InEpsilon(t, 0.5+0.5/3, l.pmf[0], 1e-9)

	_, err = AtMostOnce(mixed(0.5, must(Uniform(0, 0.5)), must(Exponential(5))))
	require.ErrorIs(t, err, ErrInvalid)
	// A distribution of the caller is no constant because its ends are equal.
	s := newSampler(hump{})
	require.InDelta(t, 3, s.at(threshold(0.25)), 1e-9)
}

// hump has equal quantiles at 0 and 1, against the rules; no sampler may take it for
// a constant.
type hump struct{}

func (hump) Quantile(p float64) float64 {
	if p > 0 && p < 1 {
		return 3
	}
	return 1
}
func (hump) Mean() float64 { return 3 }
func (hump) Var() float64  { return 0 }

// TestExceeds: P(X > Y), strictly, in closed form.
func TestExceeds(t *testing.T) {
	c := func(x float64) Dist { return must(Constant(x)) }
	pert := must(PERT(0.1, 0.4, 0.9, nil))
	unit := must(Uniform(0, 1))
	two := mixed(0.5, c(0.5), c(0.2))
	normal := must(Truncate(must(Normal(0.5, 0.1)), 0, 1))
	phi := func(z float64) float64 { return 0.5 * math.Erfc(-z/math.Sqrt2) }
	tests := []struct {
		name string
		x, y Dist
		want float64
	}{
		{"PERT against a point", pert, c(0.6), 1 - CDF(pert, 0.6)}, // 0.149892
		{"PERT against a lower point", pert, c(0.35), 1 - CDF(pert, 0.35)},
		{"a point against PERT", c(0.35), pert, CDF(pert, 0.35)},
		{"PERT against a sample", pert, must(Empirical(0.3, 0.6)), 1 - (CDF(pert, 0.3)+CDF(pert, 0.6))/2},
		{"PERT against points", pert, mixed(0.5, c(0.3), c(0.6)), 1 - (CDF(pert, 0.3)+CDF(pert, 0.6))/2},
		{"uniform against a point", unit, c(0.3), 0.7},
		{"uniform against a far point", unit, c(0.999), 0.001},
		{"truncated normal against a point", normal, c(0.6), (phi(-1) - phi(-5)) / (1 - 2*phi(-5))},
		{"truncated normal against its normal", normal, must(Normal(0.5, 0.1)), 0.5},
		{"PERT against the caller's points", pert, jump{}, 0.3*(1-CDF(pert, 0.5)) + 0.7*(1-CDF(pert, 0.9))},
		{"the caller's points against PERT", jump{}, pert, 0.3*CDF(pert, 0.5) + 0.7},
		{"the caller's points against themselves", jump{}, jump{}, 0.7 * 0.3},
		{"a point against the caller's points", c(0.9), jump{}, 0.3},
		{"uniform against a narrower one", unit, must(Uniform(0.2, 0.4)), 0.7},
		{"uniform against a wider one", must(Uniform(0.2, 0.4)), unit, 0.3},
		{"uniform against triangular", unit, must(Triangular(0, 0.3, 1)), 1 - (0+0.3+1)/3.0},
		{"exponential against exponential", must(Exponential(1)), must(Exponential(3)), 0.25},
		{"exponential against uniform", must(Exponential(1)), unit, 1 - math.Exp(-1)},
		{"a narrow PERT against a wide one", must(PERT(0.5, 0.5005, 0.501, &PERTOptions{Shape: 1000})), unit, must(PERT(0.5, 0.5005, 0.501, &PERTOptions{Shape: 1000})).Mean()},
		{"tie of points", c(0.5), c(0.5), 0},
		{"tie of a point and points", c(0.5), two, 0.5},
		{"tie of points and a point", two, c(0.5), 0},
		{"tie of points and points", two, two, 0.25},
		{"tie of samples", must(Empirical(0.1, 0.5, 0.9)), must(Empirical(0.1, 0.5, 0.9)), 1.0 / 3},
		{"tie with a truncated sample", c(0.5), must(Truncate(must(Empirical(0.1, 0.5, 0.9)), 0.05, 1)), 1.0 / 3},
		{"tie with a truncated mixture", c(0.5), must(Truncate(two, 0.1, 0.6)), 0.5},
		{"tie with a truncated distribution of the caller", c(0.9), must(Truncate(jump{}, 0.4, 1)), 0.3},
		{"an atom among a density", mixed(0.5, unit, c(1)), unit, 0.75},
		{"apart, above", c(2), unit, 1},
		{"apart, below", unit, must(Uniform(1, 2)), 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, err := FromCapability(tt.x, tt.y).Probability()
			require.NoError(t, err)
			require.InDelta(t, tt.want, p, 1e-9)
		})
	}
	// The numbers of scipy.stats.beta(1+4*3/8, 1+4*5/8).sf(5/8).
	require.InDelta(t, 0.149892, exceeds(pert, c(0.6)), 5e-7)
}

func TestTruncateAtoms(t *testing.T) {
	zero := must(Constant(0))
	tests := []struct {
		name                     string
		dist                     Dist
		min, max, mean, variance float64
	}{
		{"sample", must(Empirical(0, 1, 2, 3)), 1, 3, 2, 2.0 / 3},
		{"point at the lower end", zero, 0, 1, 0, 0},
		{"point at the upper end", zero, -1, 0, 0, 0},
		{"atom at the lower end of a mixture", mixed(0.5, zero, must(Uniform(1, 2))), 0, 10, 0.75, 0.5*(0.75*0.75) + 0.5*(1.0/12+0.75*0.75)},
		// Left are 0 with weight 1/2 and U(1, 1.5) with weight 1/4.
		{"mixture cut", mixed(0.5, zero, must(Uniform(1, 2))), 0, 1.5, 1.25 / 3, 2.0/3*(1.25*1.25/9) + 1.0/3*(0.25/12+(1.25*2/3)*(1.25*2/3))},
		{"of the caller, at an atom", jump{}, 0.5, 0.8, 0.5, 0},
		{"twice", must(Truncate(must(Uniform(0, 8)), 1, 7)), 0, 3, 2, 4.0 / 12},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Truncate(tt.dist, tt.min, tt.max)
			require.NoError(t, err)
			require.InDelta(t, tt.mean, d.Mean(), 1e-9)
			require.InDelta(t, tt.variance, d.Var(), 1e-9)
			require.Equal(t, 1.0, CDF(d, tt.max))
			require.Zero(t, below(d, tt.min))
		})
	}
	for _, d := range []Dist{zero, must(Empirical(0, 0)), mixed(0.5, zero, zero)} {
		_, err := Truncate(d, 1, 2)
		require.ErrorIs(t, err, ErrInvalid)
	}
}

// TestTruncateTail: what is left of a far tail has the closed form it must have.
func TestTruncateTail(t *testing.T) {
	inf := math.Inf(1)
	// The hazard of the normal: E[Z | Z > a] = phi(a)/Q(a), Var = 1 + a m - m^2.
	hazard := func(a float64) float64 {
		return math.Exp(-a*a/2) / math.Sqrt(2*math.Pi) / (0.5 * math.Erfc(a/math.Sqrt2))
	}
	tests := []struct {
		name           string
		dist           Dist
		min            float64
		mean, variance float64
		median         float64
	}{
		{"exponential", must(Exponential(1)), 15, 16, 1, 15 + math.Ln2},
		{"exponential, farther", must(Exponential(1)), 20, 21, 1, 20 + math.Ln2},
		{"normal above 5", must(Normal(0, 1)), 5, hazard(5), 1 + 5*hazard(5) - hazard(5)*hazard(5), math.NaN()},
		{"normal above 5.9", must(Normal(0, 1)), 5.9, hazard(5.9), 1 + 5.9*hazard(5.9) - hazard(5.9)*hazard(5.9), math.NaN()},
		{"normal elsewhere", must(Normal(100, 2)), 111, 100 + 2*hazard(5.5), 4 * (1 + 5.5*hazard(5.5) - hazard(5.5)*hazard(5.5)), math.NaN()},
		{"generalised Pareto", must(GeneralizedPareto(0, 1, 0.3)), 1000, 1000 + 301/0.7, math.Pow(301/0.7, 2) / 0.4, 1000 + 301/0.3*(math.Pow(2, 0.3)-1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := Truncate(tt.dist, tt.min, inf)
			require.NoError(t, err)
			require.InEpsilon(t, tt.mean, d.Mean(), 1e-9)
			require.InEpsilon(t, tt.variance, d.Var(), 1e-6)
			require.Equal(t, inf, d.Quantile(1))
			require.False(t, math.IsInf(d.Quantile(1-0x1p-53), 1))
			require.InDelta(t, 0.5, CDF(d, d.Quantile(0.5)), 1e-9)
			if tt.median > 0 {
				require.InEpsilon(t, tt.median, d.Quantile(0.5), 1e-9)
			}
			tail := TailMean(d, 0.99)
			require.Greater(t, tail, d.Quantile(0.99))
			require.Less(t, tail, inf)
			r := simulate(t, Portfolio{Scenarios: []Scenario{single(mustFreq(Poisson(must(Constant(10)))), d)}}, &Options{Years: 1 << 18})
			require.InDelta(t, 10*d.Mean(), r.Mean().Value, 5*math.Sqrt(10*(d.Var()+d.Mean()*d.Mean())/(1<<18)))
			require.False(t, math.IsNaN(r.SD()) || math.IsInf(r.SD(), 0))
		})
	}
	// TailMean of the shifted exponential: 15 + 1 + ln 100.
	require.InEpsilon(t, 16+math.Log(100), TailMean(must(Truncate(must(Exponential(1)), 15, inf)), 0.99), 1e-6)
}
