package fair_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log"

	"github.com/issokit/issokit/risk/fair"
)

func dist(d fair.Dist, err error) fair.Dist {
	if err != nil {
		log.Fatal(err)
	}
	return d
}

func freq(f fair.Freq, err error) fair.Freq {
	if err != nil {
		log.Fatal(err)
	}
	return f
}

// A loss of 10,000 to 100,000 (nine times of ten), once in two years on average.
func ExampleSimulate() {
	p := fair.Portfolio{Scenarios: []fair.Scenario{{
		ID:        "phishing",
		Frequency: fair.LossEvents(freq(fair.Poisson(dist(fair.Constant(0.5))))),
		Losses:    []fair.Loss{fair.PrimaryLoss(fair.Response, dist(fair.LognormalInterval(10_000, 100_000, 0.9)))},
	}}}
	r, err := fair.Simulate(context.Background(), p, &fair.Options{Years: 1_000_000})
	if err != nil {
		log.Fatal(err)
	}
	// The closed form: 0.5 x 40,400.
	mean := r.Mean()
	fmt.Println(mean.Lo < 20_200 && 20_200 < mean.Hi)
	// 1 - e^-0.5 = 0.3935
	fmt.Printf("%.2f\n", r.Exceed(0).Value)
	// Output:
	// true
	// 0.39
}

func ExamplePERT() {
	d := dist(fair.PERT(10_000, 20_000, 500_000, nil))
	fmt.Printf("mean %.0f, one in twenty above %.0f\n", d.Mean(), d.Quantile(0.95))
	_, err := fair.PERT(5, 4, 10, nil)
	fmt.Println(err)
	// Output:
	// mean 98333, one in twenty above 240602
	// fair: PERT mode: expected a number from min, 5, to max, 10, found 4
}

func ExampleLognormalInterval() {
	d := dist(fair.LognormalInterval(1, 10, 0.9))
	fmt.Printf("mean %.4f, median %.4f, mean of the worst twentieth %.2f\n", d.Mean(), d.Quantile(0.5), fair.TailMean(d, 0.95))
	// Output: mean 4.0400, median 3.1623, mean of the worst twentieth 13.93
}

func ExampleLognormalMoments() {
	fmt.Printf("%.0f\n", dist(fair.LognormalMoments(250_000, 400_000)).Quantile(0.5))
	// Output: 132500
}

func ExampleLognormalQuantiles() {
	d := dist(fair.LognormalQuantiles(fair.Quantile{P: 0.5, X: 50_000}, fair.Quantile{P: 0.95, X: 900_000}))
	fmt.Printf("%.0f\n", d.Mean())
	// Output: 234144
}

func ExampleMetalog() {
	d := dist(fair.Metalog(fair.Quantile{P: 0.1, X: 20}, fair.Quantile{P: 0.5, X: 50}, fair.Quantile{P: 0.9, X: 130}, nil))
	fmt.Printf("%.4f %.4f\n", d.Quantile(0.25), d.Quantile(0.75))
	// Output: 30.3125 85.3125
}

func ExampleTruncate() {
	// Renormalised: clipping would give the mean 0.325.
	d := dist(fair.Truncate(dist(fair.Normal(0.3, 0.3)), 0, 1))
	fmt.Printf("%.4f\n", d.Mean())
	// Output: 0.3778
}

func ExampleMixture() {
	d := dist(fair.Mixture(
		fair.Component{Weight: 9, Dist: dist(fair.Uniform(0, 10))},
		fair.Component{Weight: 1, Dist: dist(fair.Triangular(100, 200, 300))},
	))
	fmt.Printf("%.1f %.1f\n", d.Mean(), d.Quantile(0.95))
	// Output: 24.5 200.0
}

func ExampleEmpirical() {
	d := dist(fair.Empirical(3, 1, 4, 1, 5))
	fmt.Println(d.Quantile(0.4), d.Quantile(0.5), d)
	// Output: 1 3 empirical(1 1 3 4 5)
}

func ExampleBeta() {
	fmt.Printf("%.4f\n", dist(fair.Beta(2, 8)).Quantile(0.5))
	// Output: 0.1796
}

func ExampleGamma() {
	fmt.Println(dist(fair.Gamma(2.5, 40_000)).Mean(), dist(fair.Exponential(3)).Mean())
	// Output: 100000 3
}

func ExampleGeneralizedPareto() {
	fmt.Printf("%.0f\n", fair.TailMean(dist(fair.GeneralizedPareto(0, 100_000, 0.25)), 0.99))
	// Output: 1286548
}

func ExampleLimitedMean() {
	// What is left of a loss when a cover pays all above 250,000.
	fmt.Printf("%.0f\n", fair.LimitedMean(dist(fair.LognormalInterval(100_000, 1_000_000, 0.9)), 250_000))
	// Output: 218538
}

func ExamplePoisson() {
	// An uncertain rate gives more years with none and with many.
	f := freq(fair.Poisson(dist(fair.PERT(0, 0.1, 1, nil))))
	fmt.Printf("%.4f %.4f %.4f\n", f.Mean(), f.Var(), f.Prob(0))
	// Output: 0.2333 0.2589 0.8016
}

func ExampleNegativeBinomial() {
	fmt.Printf("%.4f\n", freq(fair.NegativeBinomial(2, 0.5)).Prob(2))
	// Output: 0.1875
}

func ExampleBinomial() {
	fmt.Printf("%.4f %.2f\n", freq(fair.Binomial(12, 0.1)).Prob(0), freq(fair.AtMostOnce(dist(fair.Constant(0.05)))).Mean())
	// Output: 0.2824 0.05
}

func ExampleFromThreats() {
	s := fair.Scenario{
		ID: "web shop",
		Frequency: fair.FromThreats(
			fair.FromContacts(dist(fair.PERT(1, 5, 40, nil)), dist(fair.PERT(0.1, 0.3, 0.7, nil))),
			fair.FromCapability(dist(fair.PERT(0.4, 0.6, 0.9, nil)), dist(fair.PERT(0.4, 0.65, 0.95, nil)))),
		Losses: []fair.Loss{
			fair.PrimaryLoss(fair.Productivity, dist(fair.PERT(10_000, 50_000, 1_000_000, nil))),
			fair.SecondaryLoss(fair.FinesAndJudgments, dist(fair.Constant(0.2)), dist(fair.PERT(50_000, 200_000, 5_000_000, nil))),
		},
	}
	for _, line := range s.Tree() {
		fmt.Println(line)
	}
	// Output:
	// scenario web shop
	//   loss event frequency, mean 1.30973 a year
	//     threat event frequency
	//       contact frequency PERT(1, 5, 40; 4), mean 10.1667
	//       probability of action PERT(0.1, 0.3, 0.7; 4), mean 0.333333
	//     susceptibility P(threat capability > resistance strength) = 0.386479
	//       threat capability PERT(0.4, 0.6, 0.9; 4), mean 0.616667
	//       resistance strength PERT(0.4, 0.65, 0.95; 4), mean 0.658333
	//   loss magnitude
	//     primary productivity: PERT(10000, 50000, 1e+06; 4), mean 201667
	//     secondary fines-and-judgments with probability 0.2: PERT(50000, 200000, 5e+06; 4), mean 975000
}

func twice() fair.Scenario {
	return fair.Scenario{
		ID:        "s",
		Frequency: fair.LossEvents(freq(fair.Poisson(dist(fair.Constant(2))))),
		Losses:    []fair.Loss{fair.PrimaryLoss(fair.Response, dist(fair.Exponential(100_000)))},
	}
}

func ExampleAnalytic() {
	l, err := fair.Analytic(fair.Portfolio{Scenarios: []fair.Scenario{twice()}}, nil)
	if err != nil {
		log.Fatal(err)
	}
	// The closed forms for a Poisson number of exponential losses, by the oracle:
	// 146,941 and 348,656.
	fmt.Printf("%.0f %.3g %.3g\n", l.Mean(), l.VaR(0.5), l.TVaR(0.5))
	// Output: 200000 1.47e+05 3.49e+05
}

func ExampleResult_Merge() {
	p := fair.Portfolio{Scenarios: []fair.Scenario{twice()}}
	// Two machines simulate a half each and send their results as text.
	var whole fair.Result
	for i := range 2 {
		part, err := fair.Simulate(context.Background(), p, &fair.Options{Years: 100_000, Shard: fair.Shard{Index: i, Count: 2}})
		if err != nil {
			log.Fatal(err)
		}
		text, err := json.Marshal(part)
		if err != nil {
			log.Fatal(err)
		}
		var received fair.Result
		if err := json.Unmarshal(text, &received); err != nil {
			log.Fatal(err)
		}
		if i == 0 {
			whole = received
		} else if err := whole.Merge(&received); err != nil {
			log.Fatal(err)
		}
	}
	one, err := fair.Simulate(context.Background(), p, &fair.Options{Years: 100_000})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(whole.Complete(), whole.VaR(0.99) == one.VaR(0.99), whole.Mean() == one.Mean())
	// Output: true true true
}

func ExampleCompare() {
	before := fair.Portfolio{Scenarios: []fair.Scenario{twice()}}
	after := before
	after.Controls = []fair.Control{{ID: "mfa", Effects: []fair.Effect{{On: fair.OnFrequency, Efficacy: dist(fair.Constant(0.4))}}}}
	inv, err := fair.Compare(context.Background(), before, after, dist(fair.Constant(50_000)), &fair.Options{Years: 1_000_000})
	if err != nil {
		log.Fatal(err)
	}
	// 0.4 of 200,000 is saved, for 50,000: (80,000 - 50,000) / 50,000.
	fmt.Printf("%.1f\n", inv.Return.Value)
	// Output: 0.6
}

func ExampleBestSet() {
	control := func(id string, efficacy, cost float64) fair.Control {
		return fair.Control{ID: id, Cost: dist(fair.Constant(cost)), Effects: []fair.Effect{{On: fair.OnFrequency, Efficacy: dist(fair.Constant(efficacy))}}}
	}
	s, err := fair.BestSet(context.Background(), fair.Portfolio{Scenarios: []fair.Scenario{twice()}},
		[]fair.Control{control("a", 0.5, 60), control("b", 0.4, 40), control("c", 0.3, 30), control("d", 0.2, 10)}, 100)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%v save %.0f, exact: %v\n", s.Controls, s.Saved, s.Exact)
	// Output: [a c d] save 144000, exact: true
}

func ExampleTornado() {
	s := twice()
	s.Frequency = fair.LossEvents(freq(fair.Poisson(dist(fair.PERT(0.1, 0.5, 4, nil)))))
	bars, err := fair.Tornado(s)
	if err != nil {
		log.Fatal(err)
	}
	for _, b := range bars {
		fmt.Printf("%s: %.0f to %.0f\n", b.Factor, b.Low, b.High)
	}
	indices, err := fair.Sobol(s)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", indices[0].First)
	// Output:
	// response: magnitude: 10712 to 234096
	// loss event frequency: 30160 to 191182
	// 0.215
}

// What does the value at risk hang on?
func ExampleSobolSampled() {
	s := twice()
	s.Frequency = fair.LossEvents(freq(fair.Poisson(dist(fair.PERT(0.1, 0.5, 4, nil)))))
	measure := func(r *fair.Result) float64 { return r.VaR(0.95).Value }
	indices, err := fair.SobolSampled(context.Background(), s, measure, &fair.SobolOptions{Points: 400, Years: 4096, Seed: 2})
	if err != nil {
		log.Fatal(err)
	}
	for _, x := range indices {
		fmt.Printf("%s: total %.2f, between %.2f and %.2f\n", x.Factor, x.Total.Value, x.Total.Lo, x.Total.Hi)
	}
	// Output:
	// loss event frequency: total 0.31, between 0.17 and 0.45
	// response: magnitude: total 0.99, between 0.81 and 1.17
}

func ExampleResidual() {
	e := func(x float64) fair.Effect {
		return fair.Effect{On: fair.OnFrequency, Efficacy: dist(fair.Constant(x))}
	}
	left, _ := fair.Residual(e(0.5), e(0.4))
	fmt.Printf("%.2f\n", left) // in series: neither the better of the two nor their sum
	// Output: 0.30
}

func ExampleCorrelation_Check() {
	c := fair.Correlation{Matrix: [][]float64{{1, 0.9, -0.9}, {0.9, 1, 0.9}, {-0.9, 0.9, 1}}}
	fmt.Println(c.Check())
	// Output: fair: correlation: expected a positive semidefinite matrix, found the eigenvalue -0.8
}

// Threat events are given, and so is what share of them succeeds.
func ExampleThreatEvents() {
	f, err := fair.FromThreats(
		fair.ThreatEvents(dist(fair.PERT(2, 6, 10, nil))),                     // a year, 6 on average
		fair.GivenSusceptibility(dist(fair.PERT(0.1, 0.25, 0.4, nil)))).Freq() // a quarter on average
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f loss events a year\n", f.Mean())
	// Output: 1.50 loss events a year
}

// The probability that an attack succeeds is given by who is attacked, not by a duel of
// capability and resistance.
func ExampleGivenSusceptibility() {
	p, err := fair.GivenSusceptibility(dist(fair.PERT(0.1, 0.25, 0.4, nil))).Probability()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.2f\n", p)
	_, err = fair.GivenSusceptibility(dist(fair.Uniform(0.5, 1.5))).Probability()
	fmt.Println(err)
	// Output:
	// 0.25
	// fair: susceptibility: expected values from 0 to 1, found 0.5 to 1.5
}

// Strictly greater: a capability that only matches the resistance fails.
func ExampleFromCapability() {
	for _, resistance := range []float64{0.3, 0.5} {
		p, err := fair.FromCapability(dist(fair.Empirical(0.2, 0.5, 0.8, 0.9)), dist(fair.Constant(resistance))).Probability()
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(p)
	}
	// Output:
	// 0.75
	// 0.5
}

// Ransomware follows from phishing. A control on phishing stops what would have
// followed, and leaves the rest as it was: no year gets worse.
func ExampleTriggered() {
	constant := func(x float64) fair.Dist { return dist(fair.Constant(x)) }
	before := fair.Portfolio{Scenarios: []fair.Scenario{
		{ID: "phishing", Frequency: fair.LossEvents(freq(fair.Poisson(constant(5)))), Losses: []fair.Loss{fair.PrimaryLoss(fair.Response, constant(1_000))}},
		{ID: "ransomware", Frequency: fair.Triggered("phishing", constant(0.1)), Losses: []fair.Loss{fair.PrimaryLoss(fair.Productivity, constant(1_000_000))}},
	}}
	after := before
	after.Controls = []fair.Control{{ID: "training", Effects: []fair.Effect{{Scenario: "phishing", On: fair.OnFrequency, Efficacy: constant(0.02)}}}}
	inv, err := fair.Compare(context.Background(), before, after, constant(500_000), &fair.Options{Years: 1_000_000, Seed: 1})
	if err != nil {
		log.Fatal(err)
	}
	// A year pays in which an event is stopped that triggers: 1 - e^-(5 x 0.02 x 0.1).
	fmt.Printf("pays in %.1f%% of years\n", 100*inv.Pays.Value)
	// Output: pays in 1.0% of years
}

// Two scenarios of one event a year in every second year each: together in a quarter of
// the years if they are independent, in 1/4 + asin(0.8)/2 pi = 0.398 of them if their
// frequencies hang together.
func ExampleCorrelation() {
	once := func(id string) fair.Scenario {
		return fair.Scenario{
			ID: id, Frequency: fair.LossEvents(freq(fair.AtMostOnce(dist(fair.Constant(0.5))))),
			Losses: []fair.Loss{fair.PrimaryLoss(fair.Response, dist(fair.Constant(1)))},
		}
	}
	p := fair.Portfolio{Scenarios: []fair.Scenario{once("mail"), once("web")}}
	both := func() float64 {
		r, err := fair.Simulate(context.Background(), p, &fair.Options{Years: 1_000_000})
		if err != nil {
			log.Fatal(err)
		}
		return r.Exceed(1).Value
	}
	apart := both()
	p.Frequencies = &fair.Correlation{Scenarios: []string{"mail", "web"}, Matrix: [][]float64{{1, 0.8}, {0.8, 1}}}
	fmt.Printf("%.2f, %.2f\n", apart, both())
	// Output: 0.25, 0.40
}

// Severities that rise and fall together: the standard deviation of the sum of two
// uniform losses goes from 1/sqrt(6) to 1/sqrt(3).
func ExampleCorrelation_severities() {
	always := func(id string) fair.Scenario {
		return fair.Scenario{
			ID: id, Frequency: fair.LossEvents(freq(fair.Binomial(1, 1))),
			Losses: []fair.Loss{fair.PrimaryLoss(fair.Response, dist(fair.Uniform(0, 1)))},
		}
	}
	p := fair.Portfolio{Scenarios: []fair.Scenario{always("a"), always("b")}}
	sd := func() float64 {
		r, err := fair.Simulate(context.Background(), p, &fair.Options{Years: 1_000_000})
		if err != nil {
			log.Fatal(err)
		}
		return r.SD()
	}
	apart := sd()
	p.Severities = &fair.Correlation{Scenarios: []string{"a", "b"}, Matrix: [][]float64{{1, 1}, {1, 1}}}
	fmt.Printf("%.2f, %.2f\n", apart, sd())
	// Output: 0.41, 0.58
}

// Three judgements of pairs that do not go together, and the nearest that do.
func ExampleCorrelation_Repair() {
	c := fair.Correlation{Scenarios: []string{"a", "b", "c"}, Matrix: [][]float64{{1, 0.9, 0.9}, {0.9, 1, 0.2}, {0.9, 0.2, 1}}}
	fmt.Println(c.Check() != nil)
	repaired, moved, err := c.Repair()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(repaired.Check() == nil, moved < 0.15)
	// Output:
	// true
	// true true
}

// The parts of a portfolio: each scenario, and a department as a whole.
func ExampleResult_Part() {
	a, b := twice(), twice()
	a.ID, b.ID = "mail", "web"
	p := fair.Portfolio{Scenarios: []fair.Scenario{a, b}, Groups: []fair.Group{{ID: "it", Members: []string{"mail", "web"}}}}
	r, err := fair.Simulate(context.Background(), p, &fair.Options{Years: 100_000, Detail: true})
	if err != nil {
		log.Fatal(err)
	}
	mail, _ := r.Part("mail")
	it, _ := r.Part("it")
	fmt.Println(it.Mean() == r.Mean(), mail.VaR(0.95).Value < it.VaR(0.95).Value)
	_, ok := r.Part("finance")
	fmt.Println(ok)
	// Output:
	// true true
	// false
}

// Of each loss the first 10 are kept, the next 50 are covered by four fifths.
func ExampleLayer() {
	l := fair.Layer{Deductible: 10, Limit: 50, Share: 0.8}
	fmt.Println(l.Paid(5), l.Paid(30), l.Paid(100))
	fmt.Printf("%.1f\n", l.Expected(dist(fair.Uniform(0, 60)))) // 0.8 x 50^2/2 / 60
	// Output:
	// 0 16 40
	// 16.7
}

func ExampleTornadoVaR() {
	s := twice()
	s.Frequency = fair.LossEvents(freq(fair.Poisson(dist(fair.PERT(0.1, 0.5, 4, nil)))))
	bars, err := fair.TornadoVaR(context.Background(), s, 0.95, &fair.Options{Years: 100_000})
	if err != nil {
		log.Fatal(err)
	}
	for _, b := range bars {
		fmt.Println(b.Factor, b.Low < b.High)
	}
	// Output:
	// response: magnitude true
	// loss event frequency true
}

// How many years until the 99.9 % value at risk has an upper bound at all.
func ExampleYearsFor() {
	fmt.Println(fair.YearsFor(0.999, 0.95))
	// Output: 3688
}

// Mean and standard deviation without a simulation: for a Poisson number of events of
// a constant loss they are lambda x and sqrt(lambda) x.
func ExampleScenario_Moments() {
	s := fair.Scenario{
		ID: "s", Frequency: fair.LossEvents(freq(fair.Poisson(dist(fair.Constant(4))))),
		Losses: []fair.Loss{fair.PrimaryLoss(fair.Response, dist(fair.Constant(1_000)))},
	}
	mean, sd, err := s.Moments()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(mean, sd)
	// Output: 4000 2000
}
