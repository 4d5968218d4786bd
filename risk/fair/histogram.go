package fair

import (
	"iter"
	"math"
	"math/bits"
	"slices"
)

// A histogram holds a sample of numbers from 0 up in integers only, so that any two
// of them merge to the same bits in any order and any grouping. The bucket of a number
// is the exponent and the first histBits bits of its mantissa, at most 0.05 % wide. A
// bucket knows how many numbers it has, their smallest and their largest, to 2^-43: a
// bucket of equal numbers gives them back exactly. In others the numbers count as
// evenly spread, but for those at marks. The sum of all is kept apart, exactly.
type histogram struct {
	years   uint64        // numbers, zeros too
	octaves [2048]*octave // by exponent, made when needed
	sum     exactSum
	marks   []mark // sorted
}

// An octave holds the buckets of one exponent.
type octave [1 << histBits]bucket

// A bucket, a quarter of a cache line, is ready to use when it is zero: the smallest
// residual is kept as its complement.
type bucket struct {
	count       uint64
	notMin, max uint32
}

const (
	histBits = 11
	residual = 52 - histBits - 32 // bits of the mantissa that are dropped
)

// maxYears bounds a run, so that no counter overflows.
const maxYears = math.MaxUint32

// add takes the years of one block or less, none of them negative. Their floating-point sum
// is that of a fixed order, since a block is never divided.
func (h *histogram) add(sample []float64) {
	h.years += uint64(len(sample))
	if h.marks != nil {
		h.locate(sample)
	}
	var s0, s1, s2, s3 float64
	var losses [chunk]uint64
	zeros := 0
	for len(sample) > 0 {
		// Those above 0 first, without a branch: whether a year has a loss is as hard
		// to predict for the processor as for anybody.
		part := sample[:min(chunk, len(sample))]
		sample = sample[len(part):]
		n, i := 0, 3
		for ; i < len(part); i += 4 {
			x0, x1, x2, x3 := part[i-3], part[i-2], part[i-1], part[i]
			s0 += x0
			s1 += x1
			s2 += x2
			s3 += x3
			b0, b1, b2, b3 := math.Float64bits(x0), math.Float64bits(x1), math.Float64bits(x2), math.Float64bits(x3)
			losses[n&(chunk-1)] = b0
			n += int(-b0 >> 63)
			losses[n&(chunk-1)] = b1
			n += int(-b1 >> 63)
			losses[n&(chunk-1)] = b2
			n += int(-b2 >> 63)
			losses[n&(chunk-1)] = b3
			n += int(-b3 >> 63)
		}
		for _, x := range part[i-3:] {
			s0 += x
			b := math.Float64bits(x)
			losses[n&(chunk-1)] = b
			n += int(-b >> 63)
		}
		zeros += len(part) - n
		h.count(losses[:n])
	}
	h.sum.add((s0 + s1) + (s2 + s3))
	if zeros > 0 {
		c := h.bucket(0)
		c.count += uint64(zeros)
		c.notMin = math.MaxUint32
	}
}

// count counts numbers above 0, by their bits.
func (h *histogram) count(losses []uint64) {
	for len(losses) > 0 {
		losses = losses[h.countKnown(losses):]
		if len(losses) > 0 {
			h.octaves[losses[0]>>52&2047] = new(octave)
		}
	}
}

// countKnown counts numbers up to the first that needs a new octave. A call in the
// loop would keep its variables out of registers.
func (h *histogram) countKnown(losses []uint64) int {
	octaves := &h.octaves
	for i, b := range losses {
		o := octaves[b>>52&2047]
		if o == nil {
			return i
		}
		c := &o[b>>(52-histBits)&(1<<histBits-1)]
		r := uint32(b >> residual)
		c.count++
		c.notMin = max(c.notMin, ^r)
		c.max = max(c.max, r)
	}
	return len(losses)
}

// An exactSum adds floating-point numbers without rounding: for each exponent it
// keeps the sum of mantissas in 128 bits.
type exactSum []limb // by rising exponent

type limb struct {
	exponent uint16
	lo, hi   uint64
}

func (s *exactSum) add(x float64) {
	x = min(x, math.MaxFloat64)
	if x == 0 {
		return
	}
	b := math.Float64bits(x)
	m := b & (1<<52 - 1)
	if b>>52 > 0 {
		m |= 1 << 52
	}
	s.put(limb{uint16(max(b>>52, 1)), m, 0})
}

func (s *exactSum) put(l limb) {
	i, ok := slices.BinarySearchFunc(*s, l.exponent, func(l limb, e uint16) int { return int(l.exponent) - int(e) })
	if !ok {
		*s = slices.Insert(*s, i, l)
		return
	}
	to := &(*s)[i]
	var carry uint64
	to.lo, carry = bits.Add64(to.lo, l.lo, 0)
	to.hi += l.hi + carry
}

func (s *exactSum) merge(o exactSum) {
	for _, l := range o {
		s.put(l)
	}
}

func (s exactSum) value() float64 {
	sum := 0.0
	for _, l := range s {
		sum += math.Ldexp(mul(float64(l.hi), 1<<64)+float64(l.lo), int(l.exponent)-1075)
	}
	return sum
}

func (h *histogram) merge(o *histogram) {
	h.years += o.years
	h.sum.merge(o.sum)
	h.mergeMarks(o)
	for at, d := range o.buckets() {
		c := h.bucket(at)
		c.count += d.count
		c.notMin = max(c.notMin, d.notMin)
		c.max = max(c.max, d.max)
	}
}

// zeros is how many numbers are 0.
func (h *histogram) zeros() uint64 {
	if h.octaves[0] == nil {
		return 0
	}
	return h.octaves[0][0].count
}

// bucket returns the bucket of an exponent and the first bits of a mantissa, made
// if need be.
func (h *histogram) bucket(at int) *bucket {
	o := &h.octaves[at>>histBits]
	if *o == nil {
		*o = new(octave)
	}
	return &(*o)[at&(1<<histBits-1)]
}

// buckets yields those with numbers, in rising order.
func (h *histogram) buckets() iter.Seq2[int, *bucket] {
	return func(yield func(int, *bucket) bool) {
		for e, o := range h.octaves {
			if o == nil {
				continue
			}
			for i := range o {
				if o[i].count > 0 && !yield(e<<histBits|i, &o[i]) {
					return
				}
			}
		}
	}
}

// inUse counts the buckets with numbers.
func (h *histogram) inUse() int {
	n := 0
	for range h.buckets() {
		n++
	}
	return n
}

// number returns the number of a bucket with a residual.
func number(at int, r uint32) float64 {
	return math.Float64frombits(uint64(at)<<(52-histBits) | uint64(r)<<residual)
}

// sorted is a histogram as a list of its buckets.
type sorted struct {
	years uint64
	sum   float64
	items []item
}

type item struct {
	count          uint64
	below          uint64 // numbers in the buckets before
	min, mean, max float64
}

func (h *histogram) sorted() *sorted {
	s := &sorted{years: h.years, sum: h.sum.value(), items: make([]item, 0, h.inUse()+2*len(h.marks))}
	below := uint64(0)
	for at, c := range h.buckets() {
		h.divide(at, c, func(count uint64, lo, hi float64) {
			s.items = append(s.items, item{count, below, lo, lo + mul(hi-lo, 0.5), hi})
			below += count
		})
	}
	return s
}

// mean returns the mean of the sample.
func (s *sorted) mean() float64 { return s.sum / float64(s.years) }

// central returns the sum of squares about a number. Within a bucket the numbers
// count as evenly spread.
func (s *sorted) central(about float64) float64 {
	sum := 0.0
	for i := range s.items {
		it := &s.items[i]
		d, w := it.mean-about, it.max-it.min
		sum += mul(float64(it.count), mul(d, d)+mul(w, w)/12)
	}
	return sum
}

// at returns the index of the bucket that holds the number of a rank from 1.
func (s *sorted) at(rank uint64) int {
	i, _ := slices.BinarySearchFunc(s.items, rank, func(it item, r uint64) int {
		if it.below+it.count < r {
			return -1
		}
		return 1
	})
	return i
}

// order returns the number of a rank from 1.
func (s *sorted) order(rank uint64) float64 {
	it := &s.items[s.at(rank)]
	return it.value(rank - it.below)
}

// value returns the number of a rank from 1 within the bucket.
func (it *item) value(rank uint64) float64 {
	switch {
	case it.count == 1 || it.min == it.max:
		return it.mean
	case rank == 1:
		return it.min
	case rank == it.count:
		return it.max
	}
	return it.min + mul(it.max-it.min, float64(rank-1)/float64(it.count-1))
}

// above returns how many numbers lie strictly above x.
func (s *sorted) above(x float64) uint64 {
	count, _, _ := s.exceeding(x)
	return count
}

// exceeding returns how many numbers lie strictly above x, by the spread inside its
// bucket, and how many do at least and at most.
func (s *sorted) exceeding(x float64) (count, least, most uint64) {
	i, _ := slices.BinarySearchFunc(s.items, x, func(it item, x float64) int {
		if it.max <= x {
			return -1
		}
		return 1
	})
	if i == len(s.items) {
		return 0, 0, 0
	}
	it := &s.items[i]
	rest := s.years - it.below
	if x < it.min {
		return rest, rest, rest
	}
	least, most = rest-it.count, rest
	if it.count > 1 { // its smallest is not above, its largest is
		least, most = least+1, most-1
	}
	in := mul(float64(it.count-1), (x-it.min)/(it.max-it.min))
	return min(max(rest-uint64(in)-1, least), most), least, most
}

// tail returns the p-quantile x(k), k = ceil(n p), and the sum of the worst n(1-p)
// numbers, of x(k) itself the part k - n p.
func (s *sorted) tail(p float64) (value, sum float64) {
	n := s.years
	k := uint64(rank(p, int64(n)))
	i := s.at(k)
	value = s.order(k)
	for j := len(s.items) - 1; j > i; j-- {
		sum += mul(float64(s.items[j].count), s.items[j].mean)
	}
	it := &s.items[i]
	if over := it.below + it.count - k; over > 0 {
		// The mean of the numbers of this bucket above rank k.
		m := it.mean
		if it.min != it.max {
			m = (it.value(k-it.below+1) + it.max) / 2
		}
		sum += mul(float64(over), m)
	}
	return value, sum + mul(value, float64(k)-mul(p, float64(n)))
}

// shares are, for each scenario of a portfolio, what it contributes to the years
// whose total falls into a class: classes are 64 to a factor of two. Sums are integers
// in units of 2^-31 of the power of two at the foot of the class.
type shares struct {
	sums  [][]uint64   // by scenario, then class
	slots [2048]uint16 // by exponent of the total, where its 64 classes begin, from 1
	used  []uint16     // exponents, in the order of their slots
}

const classBits = 6

// classes sets, for each total, the class (0 for a total of 0) and the scale.
func (s *shares) classes(totals []float64, class []uint32, scale []float64) {
	for i, x := range totals {
		b := math.Float64bits(x)
		e := b >> 52 & 2047
		if x == 0 {
			class[i], scale[i] = 0, 0
			continue
		}
		if s.slots[e] == 0 {
			s.open(int(e))
		}
		class[i] = uint32(s.slots[e]-1)<<classBits + uint32(b>>(52-classBits)&(1<<classBits-1)) + 1
		scale[i] = math.Ldexp(1, 31-(int(e)-1023))
	}
}

// open makes room for an exponent.
func (s *shares) open(e int) {
	s.used = append(s.used, uint16(e))
	s.slots[e] = uint16(len(s.used))
	for i := range s.sums {
		s.sums[i] = append(s.sums[i], make([]uint64, 1<<classBits)...)
	}
}

func newShares(scenarios int) *shares {
	s := &shares{sums: make([][]uint64, scenarios)}
	for i := range s.sums {
		s.sums[i] = make([]uint64, 1, 1+24<<classBits) // class 0 holds nothing
	}
	return s
}

// add takes the losses of one scenario.
func (s *shares) add(scenario int, losses []float32, class []uint32, scale []float64) {
	sums := s.sums[scenario]
	class, scale = class[:len(losses)], scale[:len(losses)]
	for i, x := range losses {
		if x != 0 {
			sums[class[i]] += uint64(int64(mul(float64(x), scale[i])))
		}
	}
}

func (s *shares) merge(o *shares) {
	for _, e := range o.used {
		if s.slots[e] == 0 {
			s.open(int(e))
		}
		for i := range s.sums {
			to, from := s.class(int(e)), o.class(int(e))
			for k := range 1 << classBits {
				s.sums[i][to+k] += o.sums[i][from+k]
			}
		}
	}
}

func (s *shares) class(e int) int { return int(s.slots[e]-1)<<classBits + 1 }

// classFoot returns the smallest total of a class.
func classFoot(e, k int) float64 {
	return math.Float64frombits(uint64(e)<<52 | uint64(k)<<(52-classBits))
}

// value returns a sum in units of money.
func (s *shares) value(scenario, e, k int) float64 {
	return math.Ldexp(float64(s.sums[scenario][s.class(e)+k]), e-1023-31)
}

// exponents returns those in use, sorted.
func (s *shares) exponents() []int {
	out := make([]int, len(s.used))
	for i, e := range s.used {
		out[i] = int(e)
	}
	slices.Sort(out)
	return out
}
