package fair

import (
	"context"
	"encoding"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRefused(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	dists := []struct {
		name string
		err  error
		want string
	}{
		{"PERT NaN", second(PERT(nan, 2, 3, nil)), "PERT min: expected a finite number, found NaN"},
		{"PERT infinite", second(PERT(1, 2, inf, nil)), "PERT max: expected a finite number, found +Inf"},
		{"PERT reversed", second(PERT(3, 2, 1, nil)), "PERT min: expected at most max, 1, found 3"},
		{"PERT shape", second(PERT(1, 2, 3, &PERTOptions{Shape: -1})), "PERT shape: expected a number above 0, found -1"},
		{"PERT overflow", second(PERT(-1e308, 0, 1e308, nil)), "a range that is a finite number"},
		{"all at once", second(PERT(nan, inf, nan, &PERTOptions{Shape: nan})), "PERT min: expected a finite number, found NaN; PERT mode: expected a finite number, found +Inf; PERT max"},
		{"uniform", second(Uniform(2, 1)), "uniform min"},
		{"triangular", second(Triangular(1, 5, 4)), "triangular mode"},
		{"constant", second(Constant(nan)), "constant"},
		{"normal of no width", second(Normal(0, 0)), "normal standard deviation: expected a number above 0, found 0"},
		{"log-normal of no width", second(LognormalInterval(3, 3, 0.9)), "log-normal lo: expected a number below hi, 3, found 3"},
		{"log-normal level", second(LognormalInterval(1, 3, 1)), "log-normal level"},
		{"log-normal absurd", second(LognormalInterval(1e-300, 1e300, 0.1)), "log-normal sigma"},
		{"gamma", second(Gamma(0, inf)), "gamma shape: expected a number above 0, found 0; fair: gamma"},
		{"beta", second(Beta(-1, 1)), "beta alpha"},
		{"PERT absurd", second(PERT(1, 2, 3, &PERTOptions{Shape: 1e300})), "PERT shape: expected a number of at most 1e+06, found 1e+300"},
		{"gamma absurd", second(Gamma(1e15, 1)), "gamma shape: expected a number from 0.001 to 1e+06, found 1e+15"},
		{"gamma all but 0", second(Gamma(1e-9, 1)), "gamma shape"},
		{"beta absurd", second(Beta(1e12, 1e-300)), "beta alpha: expected a number from 0.001 to 1e+06, found 1e+12; beta beta"},
		{"exponential", second(Exponential(0)), "exponential mean"},
		{"Pareto without mean", second(GeneralizedPareto(0, 1, 1)), "there is no mean"},
		{"empirical empty", second(Empirical()), "one at least"},
		{"empirical NaN", second(Empirical(1, nan)), "empirical value 2"},
		{"mixture empty", second(Mixture()), "one component at least"},
		{"mixture weight", second(Mixture(Component{-1, must(Constant(1))}, Component{1, nil})), "mixture component 1 weight"},
		{"metalog falling", second(Metalog(Quantile{0.1, 3}, Quantile{0.5, 2}, Quantile{0.9, 1}, nil)), "p and x to rise"},
		{"truncation empty", second(Truncate(must(Normal(0, 1)), 40, 50)), "1e-9"},
		{"truncation reversed", second(Truncate(must(Normal(0, 1)), 1, 1)), "min below max"},
		{"Poisson negative", secondFreq(Poisson(must(Constant(-1)))), "no value below 0"},
		{"Poisson from a normal", secondFreq(Poisson(must(Normal(1, 1)))), "no value below 0, found -Inf"},
		{"Poisson none", secondFreq(Poisson(nil)), "a distribution, found none"},
		{"Poisson absurd", secondFreq(Poisson(must(Constant(1e12)))), "at most 1e+06"},
		{"negative binomial", secondFreq(NegativeBinomial(0, 1)), "negative binomial r"},
		{"binomial", secondFreq(Binomial(0, 2)), "binomial n"},
		{"at most once", secondFreq(AtMostOnce(must(Constant(1.5)))), "values from 0 to 1"},
	}
	for _, tt := range dists {
		t.Run(tt.name, func(t *testing.T) {
			require.ErrorIs(t, tt.err, ErrInvalid)
			if tt.name == "gamma" {
				require.ErrorContains(t, tt.err, "gamma shape: expected a number above 0, found 0; gamma scale: expected a finite number, found +Inf")
				return
			}
			require.ErrorContains(t, tt.err, tt.want)
		})
	}
}

func second(_ Dist, err error) error     { return err }
func secondFreq(_ Freq, err error) error { return err }

func TestPortfolioProblems(t *testing.T) {
	one := must(Constant(1))
	p := Portfolio{
		Scenarios: []Scenario{
			{ID: "a", Frequency: FromThreats(FromContacts(one, nil), FromCapability(nil, one)), Losses: []Loss{SecondaryLoss(Response, nil, one), PrimaryLoss(0, nil)}},
			{ID: "a", Losses: []Loss{PrimaryLoss(Response, must(Normal(0, 1)))}, PerEvent: &Layer{Limit: -1, Share: 2}},
			{},
			{ID: "c", Frequency: Triggered("d", one), Losses: []Loss{PrimaryLoss(Response, one)}},
			{ID: "d", Frequency: Triggered("c", must(Constant(2))), Losses: []Loss{PrimaryLoss(Response, one)}},
		},
		Controls:    []Control{{ID: "x", Effects: []Effect{{Scenario: "nobody", On: OnFrequency, Efficacy: must(Constant(2))}}}},
		Frequencies: &Correlation{Scenarios: []string{"a", "b"}, Matrix: [][]float64{{1, 0.5}, {0.4, 1}}},
		Groups:      []Group{{ID: "a", Members: []string{"z"}}},
	}
	err := p.Check()
	require.ErrorIs(t, err, ErrInvalid)
	ps, ok := errors.AsType[Problems](err)
	require.True(t, ok)
	var got []string
	for _, p := range ps {
		got = append(got, p.Error())
	}
	require.Equal(t, []string{
		"scenario a: loss event frequency: probability of action: expected a distribution, found none",
		"scenario a: loss event frequency: susceptibility: threat capability: expected a distribution, found none",
		"scenario a: loss 1: probability: expected a distribution, found none",
		"scenario a: loss 2: form: expected one of the six forms of loss, found LossForm(0)",
		"scenario a: loss 2: magnitude: expected a distribution, found none",
		`scenario 2: id: expected an id of its own, found that of scenario 1, "a"`,
		"scenario 2: loss event frequency: expected a frequency, found none",
		"scenario 2: loss 1: magnitude: expected no value below 0, found -Inf",
		"scenario 2: cover per event: limit: expected no value below 0, found -1",
		"scenario 2: cover per event: share: expected a number from 0 to 1, found 2",
		"scenario 3: id: expected a name, found none",
		"scenario 3: loss event frequency: expected a frequency, found none",
		"scenario 3: losses: expected one at least, found none",
		"scenario d: loss event frequency: probability of being triggered: expected values from 0 to 1, found 2 to 2",
		`scenario c: loss event frequency: expected a parent that does not depend on it, found "d"`,
		`scenario d: loss event frequency: expected a parent that does not depend on it, found "c"`,
		`control x: effect 1: scenario: expected the id of a scenario, found "nobody"`,
		"control x: effect 1: efficacy: expected values from 0 to 1, found 2 to 2",
		`correlation of frequencies: scenarios: expected ids of scenarios, found "b"`,
		"correlation of frequencies: row 2, column 1: expected the entry across the diagonal, 0.5, found 0.4",
		`group 1: id: expected a name of its own, found "a"`,
		`group 1: members: expected ids of scenarios and of groups before it, found "z"`,
	}, got)
	_, err = Simulate(context.Background(), p, nil)
	require.ErrorIs(t, err, ErrInvalid)
	_, err = Analytic(p, nil)
	require.ErrorIs(t, err, ErrInvalid)
	_, err = Simulate(context.Background(), Portfolio{}, nil)
	require.ErrorIs(t, err, ErrInvalid)
}

func TestTooManyTriggered(t *testing.T) {
	p := Portfolio{Scenarios: []Scenario{fullScenario("a")}}
	trigger := func(id string) {
		p.Scenarios = append(p.Scenarios, Scenario{ID: id, Frequency: Triggered("a", must(Constant(0.1))), Losses: p.Scenarios[0].Losses})
	}
	for i := range maxTriggered {
		trigger(fmt.Sprint(i))
	}
	require.NoError(t, p.Check())
	trigger("last")
	require.ErrorContains(t, p.Check(), "at most 4096 that another triggers")
}

func TestAbsurdRuns(t *testing.T) {
	p := Portfolio{Scenarios: []Scenario{fullScenario("a")}}
	for _, o := range []*Options{{Years: 1e12}, {Years: -1}, {Shard: Shard{3, 3}}, {Shard: Shard{-1, 2}}} {
		_, err := Simulate(context.Background(), p, o)
		require.ErrorIs(t, err, ErrInvalid, "%+v", o)
	}
	// Events without end stop when they are told to, soon.
	p = Portfolio{Scenarios: []Scenario{single(mustFreq(Poisson(must(Constant(9e5)))), must(Uniform(0, 1)))}}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	_, err := Simulate(ctx, p, &Options{Years: math.MaxUint32})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	_, err = Simulate(cancelled, p, nil)
	require.ErrorIs(t, err, context.Canceled)
	_, err = Compare(cancelled, p, p, nil, nil)
	require.ErrorIs(t, err, context.Canceled)
	// So does the set-up of thousands of scenarios.
	p = Portfolio{}
	for i := range 5000 {
		s := fullScenario(fmt.Sprint(i))
		s.Frequency.contact = must(PERT(1, 5, 40+float64(i), nil))
		p.Scenarios = append(p.Scenarios, s)
	}
	ctx, cancel = context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, err = compile(ctx, p, 1, 1)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	_, err = Compare(ctx, p, p, nil, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	t.Log("ended after", time.Since(start))
}

// bad is a distribution of a caller with quantiles that are none from 0.2 on.
type bad struct{ value float64 }

func (d bad) Quantile(p float64) float64 {
	if p < 0.2 || p == 1 {
		return p
	}
	return d.value
}
func (bad) Mean() float64 { return 0.5 }
func (bad) Var() float64  { return 0.1 }

// TestNotNumbers: what has no answer is an error or NaN, never a number or a panic.
func TestNotNumbers(t *testing.T) {
	one := must(Constant(1))
	for _, x := range []float64{math.NaN(), -5, 0.1, math.Inf(1)} {
		_, err := Simulate(context.Background(), Portfolio{Scenarios: []Scenario{single(mustFreq(Poisson(one)), bad{x})}}, nil)
		require.ErrorIs(t, err, ErrInvalid, x)
		_, err = Poisson(must(Mixture(Component{1, one}, Component{1, bad{x}})))
		require.ErrorIs(t, err, ErrInvalid, x)
		_, err = AtMostOnce(bad{x})
		require.ErrorIs(t, err, ErrInvalid, x)
	}
	_, err := Poisson(userDist{})
	require.NoError(t, err)
	_, err = Sobol(single(mustFreq(Poisson(must(Uniform(1, 2)))), must(GeneralizedPareto(0, 1, 0.6))))
	require.ErrorContains(t, err, "a variance")

	p := Portfolio{Scenarios: []Scenario{fullScenario("a")}}
	r := simulate(t, p, &Options{Years: 100})
	for _, q := range []float64{-1, 0, 1, 7, math.NaN()} {
		_, err := r.Contributions(q)
		require.ErrorIs(t, err, ErrInvalid, q)
		require.True(t, math.IsNaN(r.VaR(q).Value), q)
		require.True(t, math.IsNaN(r.TVaR(q).Value), q)
	}
	require.True(t, math.IsNaN(r.Exceed(math.NaN()).Value))
	require.True(t, math.IsNaN(CDF(nil, 3)))
	require.True(t, math.IsNaN(TailMean(nil, 0.9)))
	require.True(t, math.IsNaN(LimitedMean(nil, 3)))
	for _, q := range []float64{-1, 1, 2, math.NaN()} {
		require.True(t, math.IsNaN(TailMean(one, q)))
	}

	var zero Result
	require.True(t, math.IsNaN(zero.Mean().Value))
	require.True(t, math.IsNaN(zero.VaR(0.9).Value))
	require.True(t, math.IsNaN(zero.TVaR(0.9).Value))
	require.True(t, math.IsNaN(zero.Exceed(1).Value))
	require.Zero(t, zero.Years())
	require.Zero(t, zero.SD())
	for range zero.Curve(0) {
		t.Fatal("a point of nothing")
	}
	_, err = zero.Contributions(0.9)
	require.ErrorIs(t, err, ErrNoShares)
	require.ErrorIs(t, zero.Merge(&Result{}), ErrMerge)
	require.ErrorIs(t, zero.Merge(r), ErrMerge)
	_, ok := zero.Part("a")
	require.False(t, ok)
	require.ErrorIs(t, new(Result).UnmarshalBinary(bytesOf(t, &zero)), ErrEncoding)
}

func TestEnums(t *testing.T) {
	for f := range LossForm(9) {
		var back LossForm
		text, err := f.MarshalText()
		if f < Productivity || f > Reputation {
			require.ErrorIs(t, err, ErrInvalid)
			require.Equal(t, fmt.Sprintf("LossForm(%d)", f), f.String())
			continue
		}
		require.NoError(t, err)
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, f, back)
	}
	for x := range Target(6) {
		var back Target
		text, err := x.MarshalText()
		if x < OnFrequency || x > OnMagnitude {
			require.ErrorIs(t, err, ErrInvalid)
			require.Equal(t, fmt.Sprintf("Target(%d)", x), x.String())
			continue
		}
		require.NoError(t, err)
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, x, back)
	}
	for _, e := range []encoding.TextUnmarshaler{new(LossForm), new(Target)} {
		require.ErrorIs(t, e.UnmarshalText([]byte("Response")), ErrInvalid)
		require.ErrorIs(t, e.UnmarshalText(nil), ErrInvalid)
	}
}

// FuzzResult: bytes that are no result are refused, those that are one come back.
func FuzzResult(f *testing.F) {
	r, err := Simulate(context.Background(), Portfolio{Scenarios: []Scenario{fullScenario("a"), fullScenario("b")}}, &Options{Years: 100, Detail: true})
	if err != nil {
		f.Fatal(err)
	}
	b, _ := r.MarshalBinary()
	f.Add(b)
	f.Add([]byte(magic))
	f.Add(b[:len(b)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		var r Result
		if err := r.UnmarshalBinary(data); err != nil {
			if !errors.Is(err, ErrEncoding) {
				t.Fatal(err)
			}
			return
		}
		r.Mean()
		r.VaR(0.95)
		r.TVaR(0.95)
		for range r.Curve(5) {
		}
		_, _ = r.Contributions(0.9)
		b, err := r.MarshalBinary()
		if err != nil {
			t.Fatal(err)
		}
		var again Result
		if err := again.UnmarshalBinary(b); err != nil {
			t.Fatal(err)
		}
	})
}

// draw makes a distribution of what bytes say: a family, or a mixture, truncation or
// sample of others. Nil if the parameters are refused, which must be an error of ours.
func draw(t *testing.T, in *[]byte, depth int) Dist {
	next := func() byte {
		if len(*in) == 0 {
			return 0
		}
		b := (*in)[0]
		*in = (*in)[1:]
		return b
	}
	// Numbers that meet again: ties, ends, equal values.
	number := func() float64 {
		b := next()
		switch b % 8 {
		case 0:
			return float64(b >> 5)
		case 1:
			return float64(b>>3) / 32
		case 2:
			return -float64(b >> 3)
		case 3:
			return math.Pow(10, float64(b>>3)-12)
		case 4:
			return []float64{math.Inf(1), math.Inf(-1), math.NaN(), 1e300, 5e-324, 0, 0.5, 0.9}[b>>5]
		}
		return float64(b) * float64(next())
	}
	var d Dist
	var err error
	kind := next() % 16
	if depth == 0 {
		kind %= 12
	}
	switch kind {
	case 0:
		d, err = PERT(number(), number(), number(), &PERTOptions{Shape: number()})
	case 1:
		d, err = LognormalInterval(number(), number(), number())
	case 2:
		d, err = Beta(number(), number())
	case 3:
		d, err = Gamma(number(), number())
	case 4:
		d, err = GeneralizedPareto(number(), number(), number())
	case 5:
		d, err = Metalog(Quantile{0.1, number()}, Quantile{0.5, number()}, Quantile{0.9, number()}, nil)
	case 6:
		d, err = Triangular(number(), number(), number())
	case 7:
		d, err = Uniform(number(), number())
	case 8:
		d, err = Constant(number())
	case 9:
		d, err = Normal(number(), number())
	case 10:
		d, err = Exponential(number())
	case 11:
		values := make([]float64, next()%5)
		for i := range values {
			values[i] = number()
		}
		d, err = Empirical(values...)
	case 12, 13:
		parts := make([]Component, 1+next()%3)
		for i := range parts {
			parts[i] = Component{number(), draw(t, in, depth-1)}
		}
		d, err = Mixture(parts...)
	default:
		d, err = Truncate(draw(t, in, depth-1), number(), number())
	}
	if (d == nil) == (err == nil) {
		t.Fatal("a distribution or an error")
	}
	if err != nil {
		if !errors.Is(err, ErrInvalid) {
			t.Fatal(err)
		}
		return nil
	}
	return d
}

// FuzzDist: any composition is refused or is a distribution: quantiles rise, lie between
// the ends, and are the smallest values with their probability; it is truncated to where it
// lies without a change; ties are no successes; what is sampled are its quantiles.
func FuzzDist(f *testing.F) {
	f.Add([]byte{0, 8, 16, 24, 4, 1, 40, 200, 33})
	f.Add([]byte{12, 1, 73, 8, 0, 33, 1, 43, 51, 121})        // an atom at 0 beside a log-normal
	f.Add([]byte{14, 11, 4, 0, 32, 64, 96, 32, 96})           // a truncated sample
	f.Add([]byte{14, 12, 1, 33, 8, 0, 33, 7, 32, 64, 0, 224}) // a truncated mixture
	f.Add([]byte{14, 10, 32, 125, 3, 4})                      // a far tail
	f.Add([]byte{3, 83, 32})                                  // a small shape
	f.Add([]byte{12, 2, 33, 8, 32, 33, 11, 3, 32, 32, 64, 7, 0, 32})
	f.Fuzz(func(t *testing.T, data []byte) {
		d := draw(t, &data, 3)
		if d == nil {
			return
		}
		low, high := d.Quantile(0), d.Quantile(1)
		last := low
		for _, p := range []float64{1e-12, 0.01, 0.3, 0.5, 0.9, 0.999, 1 - 0x1p-40} {
			q := d.Quantile(p)
			if !(q >= last-1e-9*math.Abs(last)) || math.IsInf(q, 0) || q < low || q > high {
				t.Fatalf("%v: quantile %v after %v, between %v and %v", d, q, last, low, high)
			}
			// P(X < q) <= p <= P(X <= q), but for rounding of q: of its last bits and of
			// what lies between the ends.
			slack := 1e-9 * math.Abs(q)
			if !math.IsInf(high-low, 0) {
				slack = max(slack, 1e-12*(math.Abs(low)+math.Abs(high)))
			}
			if at, under := CDF(d, q+slack), below(d, q-slack); at < p-1e-9 || under > p+1e-9 {
				t.Fatalf("%v: P(X < %v) = %v, P(X <= ...) = %v, want %v between", d, q, under, at, p)
			}
			last = q
		}
		s := newSampler(d)
		for _, w := range []uint64{0, 12345 << 40, 1 << 62, 1<<63 | 77<<50, math.MaxUint64} {
			if x := s.at(w); math.IsNaN(x) || x < low-1e-6*math.Abs(low) || x > high+1e-6*math.Abs(high) {
				t.Fatalf("%v: sampled %v, between %v and %v", d, x, low, high)
			}
		}
		if x, ok := fixed(d); ok && (x != low || x != high) {
			t.Fatalf("%v: the one value %v of %v to %v", d, x, low, high)
		}
		if win, lose := exceeds(d, d), 1-exceeds(d, d); win > lose+1e-6 {
			t.Fatalf("%v: exceeds itself with %v", d, win)
		}
		whole, err := Truncate(d, math.Inf(-1), math.Inf(1))
		if err != nil {
			t.Fatal(err)
		}
		if m := d.Mean(); math.Abs(m) < 1e200 && d.Var() < 1e6*m*m && math.Abs(whole.Mean()-m) > 1e-3*(math.Abs(m)+math.Sqrt(d.Var())) {
			t.Fatalf("%v: truncated nowhere its mean is %v, not %v", d, whole.Mean(), m)
		}
	})
}
