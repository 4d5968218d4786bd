//go:build unix

package fair

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"syscall"
	"testing"
	"time"

	"gonum.org/v1/gonum/stat/distuv"
)

// Every benchmark of speed runs a plain loop on gonum too and reports the ratio:
// machines differ, ratios less.

const benchYears = 1 << 22

// gonumCompound is the loop that a user of gonum writes: a Poisson count and that
// many log-normal losses for every year.
func gonumCompound(years int, rate, mu, sigma float64) []float64 {
	src := rand.NewPCG(1, 2)
	n := distuv.Poisson{Lambda: rate, Src: src}
	x := distuv.LogNormal{Mu: mu, Sigma: sigma, Src: src}
	out := make([]float64, years)
	for y := range out {
		for range int(n.Rand()) {
			out[y] += x.Rand()
		}
	}
	return out
}

func BenchmarkCompound(b *testing.B) {
	severity := must(LognormalInterval(1e5, 1e6, 0.9)).(*lognormal)
	for _, rate := range []float64{0.1, 0.5, 1, 5} {
		b.Run(fmt.Sprintf("rate=%v", rate), func(b *testing.B) {
			p := Portfolio{Scenarios: []Scenario{single(mustFreq(Poisson(must(Constant(rate)))), severity)}}
			o := &Options{Years: benchYears, Workers: 1}
			simulate(b, p, o)
			var ours, theirs float64 = math.Inf(1), math.Inf(1)
			for b.Loop() {
				ours = min(ours, nanoseconds(func() { simulate(b, p, o) })/benchYears)
				theirs = min(theirs, nanoseconds(func() { gonumCompound(benchYears/8, rate, severity.mu, severity.sigma) })/(benchYears/8))
			}
			b.ReportMetric(ours, "ns/year")
			b.ReportMetric(1e3/ours, "Myears/s")
			b.ReportMetric(theirs, "gonum-ns/year")
			b.ReportMetric(theirs/ours, "x-gonum")
		})
	}
}

// nanoseconds is the processor time of all threads: others at work on the machine
// do not count.
func nanoseconds(f func()) float64 {
	var before, after syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
	f()
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
	return float64(after.Utime.Nano() - before.Utime.Nano() + after.Stime.Nano() - before.Stime.Nano())
}

// elapsed is the time on the clock.
func elapsed(f func()) float64 {
	start := time.Now()
	f()
	return float64(time.Since(start).Nanoseconds())
}

func fullTree() Scenario {
	return Scenario{
		ID: "tree",
		Frequency: FromThreats(FromContacts(must(PERT(1, 5, 40, nil)), must(PERT(0.1, 0.3, 0.7, nil))),
			FromCapability(must(PERT(0.4, 0.6, 0.9, nil)), must(PERT(0.4, 0.65, 0.95, nil)))),
		Losses: []Loss{
			PrimaryLoss(Productivity, must(PERT(1e4, 5e4, 1e6, nil))),
			SecondaryLoss(FinesAndJudgments, must(PERT(0.05, 0.2, 0.6, nil)), must(PERT(5e4, 2e5, 5e6, nil))),
		},
	}
}

// gonumTree is the same model as a plain loop.
func gonumTree(years int) []float64 {
	src := rand.NewPCG(1, 2)
	pert := func(lo, mode, hi float64) func() float64 {
		d := distuv.Beta{Alpha: 1 + 4*(mode-lo)/(hi-lo), Beta: 1 + 4*(hi-mode)/(hi-lo), Src: src}
		return func() float64 { return lo + d.Rand()*(hi-lo) }
	}
	contact, action := pert(1, 5, 40), pert(0.1, 0.3, 0.7)
	threat, resistance := pert(0.4, 0.6, 0.9), pert(0.4, 0.65, 0.95)
	primary, chance, secondary := pert(1e4, 5e4, 1e6), pert(0.05, 0.2, 0.6), pert(5e4, 2e5, 5e6)
	u := rand.New(src)
	out := make([]float64, years)
	for y := range out {
		n := distuv.Poisson{Lambda: contact() * action(), Src: src}
		for range int(n.Rand()) {
			if threat() > resistance() {
				out[y] += primary()
				if u.Float64() < chance() {
					out[y] += secondary()
				}
			}
		}
	}
	return out
}

func BenchmarkFullTree(b *testing.B) {
	p := Portfolio{Scenarios: []Scenario{fullTree()}}
	o := &Options{Years: benchYears, Workers: 1}
	var ours, theirs float64 = math.Inf(1), math.Inf(1)
	for b.Loop() {
		ours = min(ours, nanoseconds(func() { simulate(b, p, o) })/benchYears)
		theirs = min(theirs, nanoseconds(func() { gonumTree(benchYears / 32) })/(benchYears/32))
	}
	b.ReportMetric(ours, "ns/year")
	b.ReportMetric(1e3/ours, "Mruns/s")
	b.ReportMetric(theirs, "gonum-ns/year")
	b.ReportMetric(theirs/ours, "x-gonum")
}

// hundred is a portfolio of a hundred different scenarios, half log-normal, half
// PERT.
func hundred() Portfolio {
	var p Portfolio
	for i := range 100 {
		f := float64(i)
		severity := must(LognormalInterval(1e4*(1+f/10), 1e5*(1+f), 0.9))
		if i%2 == 1 {
			severity = must(PERT(1e3*(1+f), 1e4*(1+f), 1e5*(1+f), nil))
		}
		s := single(mustFreq(Poisson(must(Constant(0.05+f/100)))), severity)
		s.ID = fmt.Sprintf("s%d", i)
		p.Scenarios = append(p.Scenarios, s)
	}
	return p
}

// BenchmarkPortfolio runs 100 scenarios of 100,000 years, set-up included, and asks
// for the curve with intervals, mean, VaR and TVaR; then for the contributions of
// the scenarios to the tail too.
func BenchmarkPortfolio(b *testing.B) {
	p := hundred()
	for _, shares := range []bool{false, true} {
		name := "curve and intervals"
		if shares {
			name += ", contributions"
		}
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			best := math.Inf(1)
			for b.Loop() {
				best = min(best, elapsed(func() {
					r := simulate(b, p, &Options{Years: 100_000, WithoutShares: !shares})
					_ = slices.Collect(r.Curve(48))
					r.Mean()
					for _, q := range []float64{0.5, 0.9, 0.95, 0.99, 0.995} {
						r.VaR(q)
						r.TVaR(q)
					}
					if shares {
						if _, err := r.Contributions(0.99); err != nil {
							b.Fatal(err)
						}
					}
				}))
			}
			b.ReportMetric(best/1e6, "best-ms")
		})
	}
}

func BenchmarkWorkers(b *testing.B) {
	p := hundred()
	o := func(workers int) *Options { return &Options{Years: benchYears / 16, Workers: workers} }
	one, two := math.Inf(1), math.Inf(1)
	for b.Loop() {
		one = min(one, elapsed(func() { simulate(b, p, o(1)) }))
		two = min(two, elapsed(func() { simulate(b, p, o(2)) }))
	}
	b.ReportMetric(one/two, "x-one-worker")
}

func BenchmarkSampler(b *testing.B) {
	for _, tt := range sampled[:8] {
		b.Run(tt.name, func(b *testing.B) {
			s := newSampler(tt.dist)
			st := newStream(1, 0)
			words := make([]uint64, 4096)
			values := make([]float64, 4096)
			for b.Loop() {
				st.fill(words)
				s.values(values, words)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/4096, "ns/draw")
		})
	}
}

func BenchmarkNewSampler(b *testing.B) {
	for _, tt := range sampled[:8] {
		b.Run(tt.name, func(b *testing.B) {
			for b.Loop() {
				newSampler(tt.dist)
			}
		})
	}
}

func BenchmarkPlan(b *testing.B) {
	p := hundred()
	for b.Loop() {
		if _, err := compile(context.Background(), p, 1, 1); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlanTrees makes a hundred full trees ready, each with other contacts,
// given susceptibilities and magnitudes.
func BenchmarkPlanTrees(b *testing.B) {
	var p Portfolio
	for i := range 100 {
		f := float64(i)
		p.Scenarios = append(p.Scenarios, Scenario{
			ID: fmt.Sprint(i),
			Frequency: FromThreats(FromContacts(must(PERT(1, 5, 40+f, nil)), must(PERT(0.1, 0.3, 0.7+f/1000, nil))),
				GivenSusceptibility(must(PERT(0.02, 0.1, 0.35+f/1000, nil)))),
			Losses: []Loss{PrimaryLoss(Productivity, must(LognormalInterval(1e4+f, 1e6, 0.9)))},
		})
	}
	best := math.Inf(1)
	for b.Loop() {
		best = min(best, nanoseconds(func() {
			if _, err := compile(context.Background(), p, 1, 1); err != nil {
				b.Fatal(err)
			}
		}))
	}
	b.ReportMetric(best/1e6, "best-ms")
}

func BenchmarkCheckpoint(b *testing.B) {
	p := Portfolio{Scenarios: []Scenario{fullTree()}}
	for b.Loop() {
		if _, err := Simulate(context.Background(), p, &Options{Years: benchYears, Checkpoint: func(r *Result) bool { return r.VaR(0.99).Hi > 0 }}); err != nil {
			b.Fatal(err)
		}
	}
}
