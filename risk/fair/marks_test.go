package fair

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestExceedAtAtoms: P(S > x) at losses that have a probability of their own, where
// others lie so near that they share a bucket.
func TestExceedAtAtoms(t *testing.T) {
	c := func(x float64) Dist { return must(Constant(x)) }
	once := func(id string, p float64, d Dist) Scenario {
		s := single(mustFreq(AtMostOnce(c(p))), d)
		s.ID = id
		return s
	}
	heavy := must(LognormalInterval(1e5, 1e7, 0.9))
	kept := once("kept", 0.5, heavy)
	kept.PerEvent = &Layer{Deductible: 1e6}
	small := single(mustFreq(Poisson(c(0.5))), must(PERT(1, 20, 60, nil)))
	small.ID = "small"
	yearly := once("yearly", 0.5, heavy)
	yearly.Aggregate = &Layer{Deductible: 1e6}
	halved := func(s Scenario) Portfolio {
		return Portfolio{
			Scenarios: []Scenario{s, once("b", 0.05, must(Uniform(0, 100)))},
			Controls:  []Control{{ID: "k", Effects: []Effect{{Scenario: s.ID, On: OnMagnitude, Efficacy: c(0.5)}}}},
		}
	}
	two := Scenario{ID: "two", Frequency: LossEvents(mustFreq(Binomial(2, 0.5))), Losses: []Loss{
		PrimaryLoss(Response, c(1e6)), SecondaryLoss(Reputation, c(0.5), c(2e6)),
	}}
	tests := []struct {
		name string
		p    Portfolio
		x    float64
		want float64
	}{
		{"a constant and small losses", Portfolio{Scenarios: []Scenario{once("a", 0.3, c(1e6)), once("b", 0.05, must(Uniform(0, 100)))}}, 1e6, 0.3 * 0.05},
		{"values of a sample", Portfolio{Scenarios: []Scenario{once("e", 1, must(Empirical(1e6, 1e6, 1e6, 1e6+50)))}}, 1e6, 0.25},
		{"between values of a sample", Portfolio{Scenarios: []Scenario{once("e", 1, must(Empirical(1e6, 1e6, 1e6, 1e6+50)))}}, 1e6 + 25, 0.25},
		{"a deductible per event", Portfolio{Scenarios: []Scenario{kept, small}}, 1e6, 0.5 * (1 - CDF(heavy, 1e6)) * (1 - math.Exp(-0.5))},
		{"a deductible per year", Portfolio{Scenarios: []Scenario{yearly, small}}, 1e6, 0.5 * (1 - CDF(heavy, 1e6)) * (1 - math.Exp(-0.5))},
		{"what a control leaves", halved(once("a", 0.3, c(1e6))), 5e5, 0.3 * 0.05},
		{"an atom of a mixture", Portfolio{Scenarios: []Scenario{once("m", 1, mixed(0.5, c(1e6), must(Uniform(1e6-100, 1e6+100))))}}, 1e6, 0.25},
		// Of two events, each a million or with a reaction three: more than two millions is
		// one or two with a reaction: 1 - (3/4)^2.
		{"two events", Portfolio{Scenarios: []Scenario{two, once("b", 0.5, must(Uniform(0, 100)))}}, 2e6 + 100, 1 - 9.0/16},
		{"two events, at the sum", Portfolio{Scenarios: []Scenario{two, once("b", 0.5, must(Uniform(0, 100)))}}, 2e6, 1 - 9.0/16 + 1.0/16*0.5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const years = 1 << 20
			r := simulate(t, tt.p, &Options{Years: years})
			e := r.Exceed(tt.x)
			require.InDelta(t, tt.want, e.Value, 5*math.Sqrt(tt.want*(1-tt.want)/years)+1e-3*tt.want) // a few of the heavy ones are within 60 of a million
			lo, hi := clopperPearson(int64(math.Round(e.Value*years)), years, 0.95)
			require.Equal(t, Estimate{e.Value, lo, hi, 0.95}, e, "nothing is in doubt at an atom")
		})
	}
}

// TestExceedInDoubt: where a bucket does not tell, the interval does.
func TestExceedInDoubt(t *testing.T) {
	d := must(Beta(0.5, 0.5))
	r := simulate(t, Portfolio{Scenarios: []Scenario{single(mustFreq(Binomial(1, 1)), d)}}, &Options{Years: 1 << 20})
	for _, p := range []float64{0.9, 0.99, 0.999, 0.9999} {
		e := r.Exceed(d.Quantile(p))
		require.LessOrEqual(t, e.Lo, 1-p)
		require.GreaterOrEqual(t, e.Hi, 1-p)
	}
	// Numbers that no model named: thirds just below, at and just above.
	values := make([]float64, 3000)
	for i := range values {
		values[i] = 1e6 + float64(i%3) - 1
	}
	e := sample(values).Exceed(1e6)
	require.Less(t, e.Lo, 0.001)
	require.Greater(t, e.Hi, 0.999)
}

// TestMarksMerge: shards and encoded results keep the counts at marks, and counts that
// cannot be are refused.
func TestMarksMerge(t *testing.T) {
	p := Portfolio{Scenarios: []Scenario{single(mustFreq(Binomial(1, 1)), mixed(0.5, must(Constant(1e6)), must(Uniform(1e6-100, 1e6+100))))}}
	whole := simulate(t, p, &Options{Years: 20000})
	parts := make([]*Result, 2)
	for i := range parts {
		text, err := json.Marshal(simulate(t, p, &Options{Years: 20000, Shard: Shard{i, 2}}))
		require.NoError(t, err)
		parts[i] = new(Result)
		require.NoError(t, json.Unmarshal(text, parts[i]))
	}
	require.NoError(t, parts[1].Merge(parts[0]))
	require.Equal(t, bytesOf(t, whole), bytesOf(t, parts[1]))
	require.Equal(t, whole.Exceed(1e6), parts[1].Exceed(1e6))
	require.NotEmpty(t, whole.total.marks)
	for _, m := range []mark{{1e6, 20001, 0}, {1e6, 1, 20000}, {math.NaN(), 0, 0}, {-1, 0, 0}, {5, 1, 0}} {
		bad := *whole
		total := *whole.total
		total.marks = []mark{m}
		bad.total = &total
		require.ErrorIs(t, new(Result).UnmarshalBinary(bytesOf(t, &bad)), ErrEncoding, "%v", m)
	}
}

// TestAnalyticAtoms: the law has steps where the losses have.
func TestAnalyticAtoms(t *testing.T) {
	c := func(x float64) Dist { return must(Constant(x)) }
	law := func(s ...Scenario) *Law {
		l, err := Analytic(Portfolio{Scenarios: s}, nil)
		require.NoError(t, err)
		return l
	}
	l := law(single(mustFreq(Poisson(c(1))), c(5)))
	e := math.Exp(-1)
	for x, want := range map[float64]float64{-1: 1, 0: 1 - e, 4: 1 - e, 5: 1 - 2*e, 5.1: 1 - 2*e, 9.999: 1 - 2*e, 10: 1 - 2.5*e} {
		require.InDelta(t, want, l.Exceed(x), 1e-9, x)
	}
	require.InDelta(t, 5, l.VaR(0.5), 1e-9)
	require.InDelta(t, 5, l.VaR(2*e-1e-6), 1e-9)
	require.InDelta(t, 10, l.VaR(2*e+1e-6), 1e-9)
	// E[S; S > 10] = 5 (1 - P(N <= 1)) for N ~ Poisson(1), of 10 what is needed.
	require.InDelta(t, (5*(1-2*e)+10*(2.5*e-0.9))/0.1, l.TVaR(0.9), 1e-6)

	// A constant of a million and small losses: as simulated above.
	a, b := single(mustFreq(AtMostOnce(c(0.3))), c(1e6)), single(mustFreq(AtMostOnce(c(0.05))), must(Uniform(0, 1e5)))
	b.ID = "b"
	l = law(a, b)
	require.InDelta(t, 0.015, l.Exceed(1e6), 1e-6)
	require.InDelta(t, 0.3, l.Exceed(1e6-1), 1e-6)
	// Fractions with a common divisor of 0.1.
	l = law(single(mustFreq(Binomial(1, 1)), must(Empirical(0.3, 0.7, 1.1))))
	require.InDelta(t, 2.0/3, l.Exceed(0.3), 1e-9)
	require.InDelta(t, 1.0/3, l.Exceed(0.7), 1e-9)
	require.InDelta(t, 0, l.Exceed(1.1), 1e-9)
	// A year without a loss is not one without an event.
	l = law(single(mustFreq(Poisson(c(2))), mixed(0.5, c(0), must(Uniform(1, 2)))))
	require.InDelta(t, e, 1-l.Exceed(0), 1e-9)
	require.InDelta(t, math.Exp(-2), l.None(), 1e-12)
	for _, p := range []float64{-1, 0, 1, 2, math.NaN()} {
		require.True(t, math.IsNaN(l.VaR(p)), p)
		require.True(t, math.IsNaN(l.TVaR(p)), p)
	}
}
