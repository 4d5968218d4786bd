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
	s, err := fair.BestSet(fair.Portfolio{Scenarios: []fair.Scenario{twice()}},
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
