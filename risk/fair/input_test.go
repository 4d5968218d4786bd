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

// FuzzDist: any parameters are refused or give a distribution whose quantiles rise and
// that can be sampled.
func FuzzDist(f *testing.F) {
	f.Add(uint8(0), 1.0, 2.0, 3.0)
	f.Add(uint8(1), 1e5, 1e6, 0.9)
	f.Add(uint8(2), 0.3, 0.4, 0.0)
	f.Add(uint8(3), 2.5, 4e4, 0.0)
	f.Add(uint8(4), 0.0, 1e5, 0.25)
	f.Fuzz(func(t *testing.T, kind uint8, a, b, c float64) {
		var d Dist
		var err error
		switch kind % 7 {
		case 0:
			d, err = PERT(a, b, c, nil)
		case 1:
			d, err = LognormalInterval(a, b, c)
		case 2:
			d, err = Beta(a, b)
		case 3:
			d, err = Gamma(a, b)
		case 4:
			d, err = GeneralizedPareto(a, b, c)
		case 5:
			d, err = Metalog(Quantile{0.1, a}, Quantile{0.5, b}, Quantile{0.9, c}, nil)
		case 6:
			d, err = Triangular(a, b, c)
		}
		if (d == nil) == (err == nil) {
			t.Fatal("a distribution or an error")
		}
		if err != nil {
			return
		}
		last := math.Inf(-1)
		for _, p := range []float64{0.01, 0.3, 0.5, 0.9, 0.999} {
			q := d.Quantile(p)
			if q < last-1e-9*math.Abs(last) || math.IsNaN(q) {
				t.Fatalf("%v: quantile %v after %v", d, q, last)
			}
			last = q
		}
		newSampler(d).at(12345 << 40)
	})
}
