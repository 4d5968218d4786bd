package fair

import (
	"math"
	"slices"
	"sync"
)

// A sampler turns random words into values of a distribution, by a table of its
// quantile function. The table is fine where probability is rare: the smaller of p
// and 1-p, as a binary floating-point number t, picks the cell by its exponent and its
// first cellBits mantissa bits, and within a cell the value is linear in t. Beyond
// 2^-17 on either side, and where the quantile function jumps, the quantile is
// computed. Cells carry the mean of the quantile function over them, so that the mean of
// the draws is that of the distribution.
type sampler struct {
	cells *[2 * sideCells]cell // nil for a constant
	index *index
	value float64 // the constant
	dist  Dist
}

type cell struct{ a, b float64 } // value a + b t; a is NaN where the quantile is to be computed

const (
	cellBits  = 6
	octaves   = 16
	sideCells = octaves << cellBits
	// A word has 51 bits of t, bit 63 for the side, and 12 that pick a year.
	tailBits = 51
	lowest   = 1 << (tailBits - octaves) // smallest t with a cell
)

// sample returns the value of a word, whose lowest 12 bits are not used.
func (s *sampler) sample(word uint64) float64 {
	i := s.index[word>>(64-indexBits)]
	if i >= noCell {
		return s.apart(word)
	}
	c := &s.cells[i]
	return c.a + float64(c.b*float64(int64(word<<1>>13)))
}

// apart returns the value of a word whose cell the index does not tell.
func (s *sampler) apart(word uint64) float64 {
	t := float64(int64(word << 1 >> 13))
	c := &s.cells[place(t, word)]
	x := c.a + float64(c.b*t)
	if t < lowest || x != x {
		x = s.exact(word)
	}
	return x
}

// place returns where the cell of a word stands.
func place(t float64, word uint64) uint64 {
	return math.Float64bits(t)>>(52-cellBits)&(sideCells-1) | word>>63*sideCells
}

// An index tells the cell by the first bits of a word, which is quicker than by its
// exponent; where cells are narrower or to be computed it has none.
type index [1 << indexBits]uint16

const (
	indexBits = 13
	noCell    = 2 * sideCells
)

// newIndex returns the index of a table, that of all tables if no cell is to be
// computed.
func newIndex(cells *[2 * sideCells]cell) *index {
	computed := func(c cell) bool { return math.IsNaN(c.a) }
	if slices.ContainsFunc(cells[:], computed) {
		return makeIndex(func(at uint64) bool { return computed(cells[at]) })
	}
	return fullIndex()
}

var fullIndex = sync.OnceValue(func() *index { return makeIndex(func(uint64) bool { return false }) })

func makeIndex(without func(at uint64) bool) *index {
	x := new(index)
	for i := range x {
		word := uint64(i) << (64 - indexBits)
		at := place(float64(int64(word<<1>>13)), word)
		if word<<1>>(65-indexBits) < 1<<cellBits || without(at) {
			at = noCell
		}
		x[i] = uint16(at)
	}
	return x
}

// exact returns the quantile of a word, computed.
func (s *sampler) exact(word uint64) float64 {
	t := math.Ldexp(float64(int64(word<<1>>13|1)), -tailBits-1)
	if word>>63 != 0 {
		t = 1 - t
	}
	return s.dist.Quantile(t)
}

// at is sample for any word, constants too.
func (s *sampler) at(word uint64) float64 {
	if s.cells == nil {
		return s.value
	}
	return s.sample(word)
}

// word returns the word whose value is the quantile at a standard normal number.
func normalWord(z float64) uint64 {
	t := uint64(mul(phi(-math.Abs(z)), 1<<(tailBits+1)))
	t = min(t, 1<<tailBits-1) << 12
	if z > 0 {
		t |= 1 << 63
	}
	return t
}

// phiTable holds values of the normal distribution function from -9 to 0; phi
// interpolates by cubics through values and densities, to 1e-13.
var phiTable = sync.OnceValue(func() []cell {
	out := make([]cell, 9*256+2)
	for i := range out {
		z := mul(float64(i), 1.0/256) - 9
		out[i] = cell{normalCDF(z), normalDensity(z) / 256}
	}
	return out
})

func phi(z float64) float64 {
	x := mul(z+9, 256)
	if x < 0 {
		return normalCDF(z)
	}
	i := int(x)
	u := x - float64(i)
	l, r := phiTable()[i], phiTable()[i+1]
	d := r.a - l.a
	return l.a + mul(u, l.b+mul(u, mul(3, d)-mul(2, l.b)-r.b+mul(u, l.b+r.b-mul(2, d))))
}

// fastNormal is the normal distribution function to 1e-13.
func fastNormal(z float64) float64 {
	if z > 0 {
		return 1 - phi(-z)
	}
	return phi(z)
}

// quantiles gives, for one side of a distribution, value and slope dx/dt at the ends
// of cells; t counts units of 2^-52.
type quantiles struct{ x, slope [sideCells + 1]float64 }

// slot returns where the cell i of a side stands: cells are found by the last four
// bits of the exponent, without a subtraction.
func slot(i int) int {
	return (i + (1023+tailBits-octaves)<<cellBits) & (sideCells - 1)
}

// edge returns t at the lower end of cell i.
func edge(i int) float64 {
	return math.Ldexp(1+mul(float64(i&(1<<cellBits-1)), 1.0/(1<<cellBits)), tailBits-octaves+i>>cellBits)
}

const unit = 1.0 / (1 << (tailBits + 1)) // the probability of one t

func newSampler(d Dist) *sampler {
	if x, ok := fixed(d); ok {
		return &sampler{value: x}
	}
	s := &sampler{dist: d, cells: new([2 * sideCells]cell)}
	if _, ok := d.(*empirical); ok {
		for i := range s.cells {
			s.cells[i].a = math.NaN()
		}
	} else {
		s.fill(d)
	}
	s.index = newIndex(s.cells)
	return s
}

// fill makes the cells.
func (s *sampler) fill(d Dist) {
	for side := range 2 {
		cells := s.cells[side*sideCells : (side+1)*sideCells]
		if c, ok := d.(continuous); ok {
			q, bent := march(c, side == 1), 8.0
			if steep(c) {
				bent = 24
			}
			for i := range cells {
				// Hermite: the mean over the cell is that of the chord plus h (s0-s1)/12.
				t0, t1 := edge(i), edge(i+1)
				cells[slot(i)] = line(t0, t1, q.x[i], q.x[i+1], mul(t1-t0, q.slope[i]-q.slope[i+1])/12, bent)
			}
		} else {
			chords(d, side == 1, cells)
		}
	}
}

// identity returns a value that two distributions have in common only if they are the
// same.
func identity(d Dist) any {
	switch d := d.(type) {
	case constant:
		return d
	case *beta:
		return *d
	case *triangular:
		return *d
	case *uniform:
		return *d
	case *normal:
		return *d
	case *lognormal:
		return *d
	case *gamma:
		return *d
	case *pareto:
		return *d
	case *metalog:
		return *d
	case *empirical, *mixture, *truncated:
		return d
	}
	return new(int64) // of a caller: nobody knows
}

// line returns the cell through two points, shifted; none if the shift is more than a
// part of its height, as for a curve too bent for a line.
func line(t0, t1, x0, x1, shift, part float64) cell {
	if mul(math.Abs(shift), part) > math.Abs(x1-x0) || shift != shift {
		return cell{a: math.NaN()}
	}
	b := (x1 - x0) / (t1 - t0)
	return cell{x0 - mul(b, t0) + shift, b}
}

// chords makes the cells of any distribution by its quantiles at their ends and
// middles.
func chords(d Dist, upper bool, cells []cell) {
	q := func(t float64) float64 {
		if p := mul(t, unit); !upper {
			return d.Quantile(p)
		} else {
			return d.Quantile(1 - p)
		}
	}
	x0 := q(edge(0))
	for i := range cells {
		t0, t1 := edge(i), edge(i+1)
		xm, x1 := q((t0+t1)/2), q(t1)
		// Simpson: (x0 + 4 xm + x1)/6 less the chord's mean. A jump inside the cell puts
		// xm far from the chord.
		cells[slot(i)] = line(t0, t1, x0, x1, mul(2, xm-x0+(xm-x1))/6, 120)
		x0 = x1
	}
}

// march computes the quantiles of one side. Families whose quantile function is
// cheap give it; of the others the density is integrated from the median outward, each
// step solved by Newton's method from a prediction of second order.
func march(d continuous, upper bool) *quantiles {
	q := new(quantiles)
	sign := 1.0 // of dx/dt
	if upper {
		sign = -1
	}
	direct := true
	switch d.(type) {
	case *beta, *gamma:
		direct = steep(d)
	}
	if direct {
		for i := range q.x {
			t := mul(edge(i), unit)
			switch d := d.(type) {
			case *beta, *gamma:
				if upper {
					q.x[i] = topQuantile(d, t)
				} else {
					q.x[i] = d.Quantile(t)
				}
			case *lognormal: // the table of the normal quantiles is shared
				z := mul(sign, normalEdges()[i])
				q.x[i] = exp(d.mu + mul(d.sigma, z))
				q.slope[i] = mul(mul(sign, unit), mul(q.x[i], d.sigma)) / normalEdgeDensities()[i]
				continue
			case *pareto:
				if upper { // precise in the tail
					q.x[i] = d.location - mul(d.scale, log(t))
					if d.shape != 0 {
						q.x[i] = d.location + mul(d.scale/d.shape, expm1(-mul(d.shape, log(t))))
					}
				} else {
					q.x[i] = d.Quantile(t)
				}
			default:
				if upper {
					t = 1 - t
				}
				q.x[i] = d.Quantile(t)
			}
			q.slope[i] = mul(sign, unit) / d.density(q.x[i])
		}
		return q
	}
	density := d.density
	switch d := d.(type) {
	case *beta:
		density = d.curve()
	case *gamma:
		density = d.curve()
	}
	x := d.Quantile(0.5)
	f := density(x)
	t := 0.5 // probability beyond x
	q.x[sideCells], q.slope[sideCells] = x, mul(sign, unit)/f
	previous := 0.0 // relative change of the density over the last step
	for i := sideCells - 1; i >= 0; i-- {
		need := t - mul(edge(i), unit)
		dx := mul(-sign, need/mul(f, 1+mul(previous, 0.5)))
		mass := mul(density(x+mul(march2[0].x, dx))+density(x+mul(march2[1].x, dx)), math.Abs(dx)/2)
		fix := mul(-sign, (need-mass)/mul(f, 1+previous))
		if math.Abs(fix) > mul(1e-3, math.Abs(dx)) {
			dx += fix
			mass = mul(density(x+mul(march2[0].x, dx))+density(x+mul(march2[1].x, dx)), math.Abs(dx)/2)
			fix = mul(-sign, (need-mass)/density(x+dx))
		}
		x += dx + fix
		fn := density(x)
		t -= need
		previous = fn/f - 1
		f = fn
		q.x[i], q.slope[i] = x, mul(sign, unit)/f
	}
	return q
}

// steep tells whether quantiles rise by powers of ten from cell to cell, so that no
// step in the density can follow.
func steep(d continuous) bool {
	switch d := d.(type) {
	case *beta:
		return min(d.a, d.b) < 0.15
	case *gamma:
		return d.shape < 0.15
	}
	return false
}

// march2 is the Gauss rule of a step: over a sixty-fourth of the tail its error is
// below 1e-10.
var march2 = legendre(2)

// curve returns the density with its constant computed once.
func (d *beta) curve() func(float64) float64 {
	w := d.max - d.min
	lb := logBeta(d.a, d.b) + log(w)
	return func(x float64) float64 {
		u, v := (x-d.min)/w, (d.max-x)/w
		if u <= 0 || v <= 0 {
			return 0
		}
		return exp(mul(d.a-1, log(u)) + mul(d.b-1, log(v)) - lb)
	}
}

func (d *gamma) curve() func(float64) float64 {
	lg := lgamma(d.shape) + log(d.scale)
	return func(x float64) float64 {
		if x <= 0 {
			return 0
		}
		u := x / d.scale
		return exp(mul(d.shape-1, log(u)) - u - lg)
	}
}

// normalEdges returns the normal quantiles of the lower tail at the edges: all
// log-normal tables share them.
var normalEdges = sync.OnceValue(func() []float64 {
	out := make([]float64, sideCells+1)
	for i := range out {
		t := mul(edge(i), unit)
		out[i] = normalQuantile(t, 1-t)
	}
	return out
})

var normalEdgeDensities = sync.OnceValue(func() []float64 {
	out := make([]float64, sideCells+1)
	for i, z := range normalEdges() {
		out[i] = normalDensity(z)
	}
	return out
})
