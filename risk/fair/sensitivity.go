package fair

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strconv"
)

// A Bar is one input of a scenario in a tornado chart.
type Bar struct {
	Factor    string  `json:"factor"`
	Low, High float64 // the output with this input at its P10 and its P90
}

// An Index is how much of the variance of the mean loss, over what is not known
// about its inputs, one of them explains.
type Index struct {
	Factor string  `json:"factor"`
	First  float64 `json:"first"` // by itself: Var(E[f|x])/Var f
	Total  float64 `json:"total"` // with its interactions: 1 - Var(E[f|all but x])/Var f
}

// An input is a factor of the mean loss with its first two moments.
type input struct {
	name         string
	dist         Dist
	mean, second float64
	pin          func(s *Scenario, x float64) // fixes it in a copy
}

func newInput(name string, d Dist, pin func(*Scenario, float64)) input {
	m := d.Mean()
	return input{name, d, m, d.Var() + mul(m, m), pin}
}

// inputs returns the factors of the frequency and, by loss, probability (perhaps
// none) and magnitude.
func (s Scenario) inputs() (frequency []input, losses [][2]input) {
	l := s.Frequency
	switch {
	case l.freq != nil:
		if m, ok := l.freq.(*mixedPoisson); ok && len(m.factors) == 1 && m.scale == 1 {
			frequency = append(frequency, newInput("loss event frequency", m.factors[0], func(s *Scenario, x float64) { s.Frequency = LossEvents(newMixed(1, constant{x})) }))
		} else if b, ok := l.freq.(*binomial); ok && b.probability != nil {
			frequency = append(frequency, newInput("loss event frequency", b.probability, func(s *Scenario, x float64) { s.Frequency = LossEvents(&binomial{n: 1, p: x}) }))
		} else {
			frequency = append(frequency, newInput("loss event frequency", constant{l.freq.Mean()}, nil))
		}
	case l.threats != nil:
		frequency = append(frequency, newInput("threat event frequency", l.threats, func(s *Scenario, x float64) { s.Frequency.threats = constant{x} }))
	default:
		frequency = append(frequency,
			newInput("contact frequency", l.contact, func(s *Scenario, x float64) { s.Frequency.contact = constant{x} }),
			newInput("probability of action", l.action, func(s *Scenario, x float64) { s.Frequency.action = constant{x} }))
	}
	if l.suscept.given != nil {
		frequency = append(frequency, newInput("susceptibility", l.suscept.given, func(s *Scenario, x float64) { s.Frequency.suscept.given = constant{x} }))
	}
	for i, x := range s.Losses {
		name := x.form.String()
		if len(s.Losses) > 1 {
			name = "loss " + strconv.Itoa(i+1) + " " + name
		}
		p := newInput(name+": probability", constant{1}, nil)
		if x.probability != nil {
			p = newInput(name+": probability", x.probability, func(s *Scenario, v float64) { s.Losses[i].probability = constant{v} })
		}
		losses = append(losses, [2]input{p, newInput(name+": magnitude", x.magnitude, func(s *Scenario, v float64) { s.Losses[i].magnitude = constant{v} })})
	}
	return frequency, losses
}

// eachInput yields all inputs, those of the tree of susceptibility too.
func (s Scenario) eachInput() []input {
	frequency, losses := s.inputs()
	out := frequency
	if v := s.Frequency.suscept; v.threat != nil {
		out = append(out,
			newInput("threat capability", v.threat, func(s *Scenario, x float64) { s.Frequency.suscept.threat = constant{x} }),
			newInput("resistance strength", v.resistance, func(s *Scenario, x float64) { s.Frequency.suscept.resistance = constant{x} }))
	}
	for i, l := range losses {
		if s.Losses[i].probability != nil {
			out = append(out, l[0])
		}
		out = append(out, l[1])
	}
	return out
}

// pinned returns the scenario with some inputs fixed.
func (s Scenario) pinned(inputs []input, x []float64) Scenario {
	s.Losses = slices.Clone(s.Losses)
	for i, in := range inputs {
		if in.pin != nil {
			in.pin(&s, x[i])
		}
	}
	return s
}

func (s Scenario) sensitivity() error {
	var ps Problems
	s.check(&ps, "scenario "+s.ID)
	if s.Frequency.parent != "" {
		ps.add("scenario "+s.ID, "a frequency of its own", "one triggered by "+s.Frequency.parent)
	}
	return ps.err()
}

// Tornado returns, the widest first, how far each input moves the mean annual loss
// from its P10 to its P90, the others at their means, in closed form. The error is of
// type [Problems].
func Tornado(s Scenario) ([]Bar, error) {
	return tornado(s, func(s Scenario) (float64, error) {
		mean, _, err := s.Moments()
		return mean, err
	})
}

// TornadoVaR is [Tornado] for the value at risk at p, simulated on common random
// numbers. Inputs that are drawn for every event (magnitudes, capability, resistance) are
// fixed for all events. The error is of type [Problems], or that of ctx.
func TornadoVaR(ctx context.Context, s Scenario, p float64, opts *Options) ([]Bar, error) {
	return tornado(s, func(s Scenario) (float64, error) {
		r, err := Simulate(ctx, Portfolio{Scenarios: []Scenario{s}}, opts)
		if err != nil {
			return 0, err
		}
		return r.VaR(p).Value, nil
	})
}

func tornado(s Scenario, f func(Scenario) (float64, error)) ([]Bar, error) {
	if err := s.sensitivity(); err != nil {
		return nil, err
	}
	var out []Bar
	for _, in := range s.eachInput() {
		b := Bar{Factor: in.name}
		for i, p := range []float64{0.1, 0.9} {
			x, err := f(s.pinned([]input{in}, []float64{in.dist.Quantile(p)}))
			if err != nil {
				return nil, err
			}
			if i == 0 {
				b.Low = x
			} else {
				b.High = x
			}
		}
		out = append(out, b)
	}
	slices.SortStableFunc(out, func(a, b Bar) int { return cmp.Compare(width(b), width(a)) })
	return out, nil
}

func width(b Bar) float64 { return max(b.High-b.Low, b.Low-b.High) }

// Sobol returns the Sobol indices of the mean annual loss, in the order of the
// tree: the mean is multilinear in independent inputs, so that they follow from first and
// second moments exactly (Sobol 1993; Saltelli 2008, Global Sensitivity Analysis, chapter
// 4). Threat capability and resistance strength enter through the indicator TC > RS,
// whose conditional means are distribution functions. The error is of type [Problems].
func Sobol(s Scenario) ([]Index, error) {
	if err := s.sensitivity(); err != nil {
		return nil, err
	}
	frequency, losses := s.inputs()
	// f = product of a_j times V times sum of p_l m_l.
	meanA, secondA := 1.0, 1.0
	for _, a := range frequency {
		meanA, secondA = mul(meanA, a.mean), mul(secondA, a.second)
	}
	v, second := 1.0, 1.0
	tree := s.Frequency.suscept.threat != nil
	if tree {
		v = s.Frequency.suscept.probability()
		second = v
	}
	meanB, varB := 0.0, 0.0
	for _, l := range losses {
		m := mul(l[0].mean, l[1].mean)
		meanB += m
		varB += mul(l[0].second, l[1].second) - mul(m, m)
	}
	secondB := varB + mul(meanB, meanB)
	if math.IsInf(secondA, 0) || math.IsInf(secondB, 0) {
		return nil, Problems{{"scenario " + s.ID, "inputs that have a variance", "one that has none"}}
	}
	mean := mul(mul(meanA, v), meanB)
	variance := mul(mul(secondA, second), secondB) - mul(mean, mean)
	var out []Index
	add := func(name string, first, total float64) {
		if variance > 0 {
			out = append(out, Index{name, first / variance, total / variance})
		} else {
			out = append(out, Index{Factor: name})
		}
	}
	spread := func(in input) float64 { return in.dist.Var() }
	for j, a := range frequency {
		m, q := mul(v, meanB), mul(second, secondB)
		for k, b := range frequency {
			if k != j {
				m, q = mul(m, b.mean), mul(q, b.second)
			}
		}
		add(a.name, mul(spread(a), mul(m, m)), mul(spread(a), q))
	}
	if tree {
		tc, rs := s.Frequency.suscept.threat, s.Frequency.suscept.resistance
		m, q := mul(meanA, meanB), mul(secondA, secondB)
		square := func(x float64) float64 { return mul(x, x) }
		// P(TC > RS | TC) and P(TC > RS | RS).
		byThreat := func(x float64) float64 { return below(rs, x) }
		byResistance := func(x float64) float64 { return survival(tc, x) }
		first := [2]float64{
			expect(tc, rs, func(x float64) float64 { return square(byThreat(x) - v) }),
			expect(rs, tc, func(x float64) float64 { return square(byResistance(x) - v) }),
		}
		total := [2]float64{
			expect(rs, tc, func(x float64) float64 { p := byResistance(x); return mul(p, 1-p) }),
			expect(tc, rs, func(x float64) float64 { p := byThreat(x); return mul(p, 1-p) }),
		}
		add("threat capability", mul(first[0], mul(m, m)), mul(total[0], q))
		add("resistance strength", mul(first[1], mul(m, m)), mul(total[1], q))
	}
	m, q := mul(meanA, v), mul(secondA, second)
	for i, l := range losses {
		for k, in := range l {
			if k == 0 && s.Losses[i].probability == nil {
				continue
			}
			o := l[1-k]
			add(in.name, mul(spread(in), mul(mul(m, o.mean), mul(m, o.mean))), mul(mul(spread(in), o.second), q))
		}
	}
	return out, nil
}

// A SampledIndex is an [Index] of any measure, as estimated from a sample. Estimates
// of small indices may fall below 0.
type SampledIndex struct {
	Factor string   `json:"factor"`
	First  Estimate `json:"first"`
	Total  Estimate `json:"total"`
}

// SobolOptions configure [SobolSampled]; nil means the defaults.
type SobolOptions struct {
	Points  int     // N of the design, from 16 to 2^20; default 512
	Years   int64   // of each run; default 8,192; the time is that of a multiple of 4,096
	Seed    uint64  // names all random numbers; any value
	Workers int     // goroutines; default GOMAXPROCS; the result does not depend on it
	Level   float64 // of the intervals; default 0.95
}

// SobolSampled estimates the Sobol indices of any measure of the annual loss, such as
// its value at risk, in the order of the tree: how much of the measure's variance, over
// what is not known about the inputs, each of them explains. First indices are
// estimated as by Saltelli et al. (2010, Variance based sensitivity analysis of model
// output, table 2 (b)), total ones as by Jansen (1999, Analysis of variance designs
// for model output), on N (k + 2) runs for k inputs that vary. As in [TornadoVaR] a run
// has all its inputs fixed, for all years and events, and runs share their random numbers.
// The intervals are of the sample of inputs; what the years of a run leave open is in
// them as far as runs differ by it.
//
// For the mean [Sobol] is exact and at once there. The error is of type [Problems], or
// that of ctx.
func SobolSampled(ctx context.Context, s Scenario, measure func(*Result) float64, opts *SobolOptions) ([]SampledIndex, error) {
	if err := s.sensitivity(); err != nil {
		return nil, err
	}
	o, err := opts.with()
	if err != nil {
		return nil, err
	}
	if measure == nil {
		var ps Problems
		ps.add("measure", "a function of a result", "none")
		return nil, ps
	}
	inputs := s.eachInput()
	f := func(x []float64) (float64, error) {
		r, err := Simulate(ctx, Portfolio{Scenarios: []Scenario{s.pinned(inputs, x)}}, &Options{Years: o.Years, Seed: o.Seed, Workers: 1})
		if err != nil {
			return 0, err
		}
		y := measure(r)
		var ps Problems
		ps.finite("measure", y)
		return y, ps.err()
	}
	d, err := newDesign(ctx, inputs, o, f)
	if err != nil {
		return nil, err
	}
	out := make([]SampledIndex, len(inputs))
	for i, in := range inputs {
		out[i] = SampledIndex{in.name, d.first(i), d.total(i)}
	}
	return out, nil
}

func (o *SobolOptions) with() (SobolOptions, error) {
	var out SobolOptions
	if o != nil {
		out = *o
	}
	if out.Points == 0 {
		out.Points = 512
	}
	if out.Years == 0 {
		out.Years = 2 * blockYears
	}
	if out.Workers <= 0 {
		out.Workers = runtime.GOMAXPROCS(0)
	}
	if out.Level == 0 {
		out.Level = 0.95
	}
	var ps Problems
	if out.Points < 16 || out.Points > 1<<20 {
		ps.add("points", "a number from 16 to 1048576", out.Points)
	}
	if out.Years < 1 || out.Years > maxYears {
		ps.add("years", fmt.Sprintf("a number from 1 to %d", uint64(maxYears)), out.Years)
	}
	ps.open("level", out.Level)
	return out, ps.err()
}

// A design holds the values of a function at N points of a random matrix A, of
// another, B, and, for each input that varies, of A with the column of that input from
// B.
type design struct {
	a, b    []float64   // less the mean of both
	columns [][]float64 // likewise; nil for an input that does not vary
	squares []float64   // of a and b, means by point
	level   float64
}

func newDesign(ctx context.Context, inputs []input, o SobolOptions, f func(x []float64) (float64, error)) (*design, error) {
	n, k := o.Points, len(inputs)
	d := &design{level: o.Level, columns: make([][]float64, k), squares: make([]float64, n)}
	d.a, d.b = make([]float64, n), make([]float64, n)
	// One column of x for each input: of A, then of B.
	root := key(mix(o.Seed), "sensitivity")
	tables := make([]*sampler, k)
	parallel(ctx, k, o.Workers, func(i int) { tables[i] = newSampler(inputs[i].dist) })
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var x [2][][]float64
	for m := range x {
		x[m] = make([][]float64, k)
		for i, in := range inputs {
			st := newStream(key(root, in.name), int64(m))
			x[m][i] = make([]float64, n)
			for j := range n {
				x[m][i][j] = tables[i].at(st.next())
			}
		}
	}
	type run struct {
		to      []float64
		matrix  int
		swapped int // column from the other matrix; -1 for none
	}
	runs := []run{{d.a, 0, -1}, {d.b, 1, -1}}
	for i := range inputs {
		if tables[i].cells != nil {
			d.columns[i] = make([]float64, n)
			runs = append(runs, run{d.columns[i], 0, i})
		}
	}
	problems := make([]error, n)
	parallel(ctx, n, o.Workers, func(j int) {
		point := make([]float64, k)
		for _, r := range runs {
			for i := range point {
				point[i] = x[r.matrix][i][j]
			}
			if r.swapped >= 0 {
				point[r.swapped] = x[1][r.swapped][j]
			}
			if r.to[j], problems[j] = f(point); problems[j] != nil {
				return
			}
		}
	})
	for _, err := range append(problems, ctx.Err()) {
		if err != nil {
			return nil, err
		}
	}
	mean := 0.0
	for j := range n {
		mean += (d.a[j] + d.b[j]) / float64(2*n)
	}
	for _, r := range runs {
		for j := range r.to {
			r.to[j] -= mean
		}
	}
	for j := range n {
		d.squares[j] = (mul(d.a[j], d.a[j]) + mul(d.b[j], d.b[j])) / 2
	}
	return d, nil
}

// first is V(E[f|x]) / V(f), Saltelli et al. (2010), table 2 (b).
func (d *design) first(i int) Estimate {
	return d.ratio(i, func(a, b, ab float64) float64 { return mul(b, ab-a) })
}

// total is E[V(f|all but x)] / V(f), Jansen (1999); Saltelli et al. (2010), table 2
// (f).
func (d *design) total(i int) Estimate {
	return d.ratio(i, func(a, _, ab float64) float64 { return mul(a-ab, a-ab) / 2 })
}

// ratio is the mean of a term over the points through that of the squares, with the
// standard error of a ratio of means.
func (d *design) ratio(i int, term func(a, b, ab float64) float64) Estimate {
	e := Estimate{Level: d.level}
	n := float64(len(d.a))
	terms := make([]float64, len(d.columns[i]))
	sum, squares := 0.0, 0.0
	for j := range terms {
		terms[j] = term(d.a[j], d.b[j], d.columns[i][j])
		sum += terms[j]
		squares += d.squares[j]
	}
	if squares == 0 { // the input does not vary, or the function
		return e
	}
	e.Value = sum / squares
	spread := 0.0
	for j, t := range terms {
		r := t - mul(e.Value, d.squares[j])
		spread += mul(r, r)
	}
	half := mul(normalQuantile((1+d.level)/2, (1-d.level)/2), math.Sqrt(spread/(n-1)*n)/squares)
	e.Lo, e.Hi = e.Value-half, e.Value+half
	return e
}
