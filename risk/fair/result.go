package fair

import (
	"cmp"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
)

// An Estimate is a number of a simulation with its confidence interval.
type Estimate struct {
	Value float64 `json:"value"`
	Lo    float64 `json:"lo"`
	Hi    float64 `json:"hi"` // +Inf if the years are too few for a bound
	Level float64 `json:"level"`
}

// A Result is the distribution of the annual loss as simulated. It holds integers
// only, so that merging is exact. It is not safe for concurrent use. The zero Result has
// no years, and estimates NaN.
type Result struct {
	// Level is that of the intervals of all estimates: 0.95 unless set.
	Level float64

	seed    uint64
	years   int64 // of the whole run
	digest  [32]byte
	spans   []span // of blocks, sorted, apart
	total   *histogram
	names   []string // of scenarios, then groups
	members int      // how many of the names are scenarios
	parts   []*histogram
	shares  *shares
	cache   *sorted
}

// A span is a range of blocks.
type span struct{ from, to int64 }

func newResult(pl *plan, o Options) *Result {
	from, to := o.blocks()
	r := &Result{
		Level: 0.95, seed: o.Seed, years: o.Years, digest: pl.digest, total: pl.histogram(),
		names: slices.Concat(pl.ids, pl.names), members: len(pl.ids),
	}
	if from < to {
		r.spans = []span{{from, to}}
	}
	if o.Detail {
		r.parts = make([]*histogram, len(r.names))
		for i := range r.parts {
			r.parts[i] = pl.histogram()
		}
	}
	if o.keepsShares(len(pl.ids)) {
		r.shares = newShares(len(pl.ids))
	}
	return r
}

// take merges what a worker counted.
func (r *Result) take(t *tally) {
	r.cache = nil
	if r.total.years == 0 {
		r.total = t.total
	} else {
		r.total.merge(t.total)
	}
	for i, h := range t.parts {
		r.parts[i].merge(h)
	}
	if t.shares != nil {
		r.shares.merge(t.shares)
	}
}

// until notes that the run has come to a block.
func (r *Result) until(block int64) *Result {
	r.spans = []span{{0, block}}
	return r
}

// Years is how many years were simulated.
func (r *Result) Years() int64 { return int64(r.sample().years) }

// sample is what was counted; of the zero Result nothing.
func (r *Result) sample() *histogram {
	if r.total == nil {
		return new(histogram)
	}
	return r.total
}

// Complete tells whether all years of the run are there, no shard is missing.
func (r *Result) Complete() bool { return r.Years() == r.years }

// Seed is the seed of the run.
func (r *Result) Seed() uint64 { return r.seed }

// Digest identifies engine, model and seed, in hexadecimal.
func (r *Result) Digest() string { return fmt.Sprintf("%x", r.digest) }

// Merge adds the years of another shard of the same run. The order does not
// matter. The error matches [ErrMerge] if seed, years or model differ, or the two have
// years in common; then r is as it was.
func (r *Result) Merge(o *Result) error {
	if r.total == nil || o.total == nil || r.digest != o.digest || r.years != o.years || r.seed != o.seed || !slices.Equal(r.names, o.names) ||
		(r.parts == nil) != (o.parts == nil) || (r.shares == nil) != (o.shares == nil) {
		return fmt.Errorf("fair: %w: other model, seed, years or options", ErrMerge)
	}
	spans := slices.Concat(r.spans, o.spans)
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	var joined []span
	for _, s := range spans {
		if n := len(joined); n > 0 && s.from < joined[n-1].to {
			return fmt.Errorf("fair: %w: both have years %d to %d", ErrMerge, s.from*blockYears+1, min(joined[n-1].to, s.to)*blockYears)
		} else if n > 0 && s.from == joined[n-1].to {
			joined[n-1].to = s.to
			continue
		}
		joined = append(joined, s)
	}
	r.spans, r.cache = joined, nil
	r.total.merge(o.total)
	for i := range r.parts {
		r.parts[i].merge(o.parts[i])
	}
	if r.shares != nil {
		r.shares.merge(o.shares)
	}
	return nil
}

// Part returns the result of one scenario or group of a run with
// [Options.Detail]; false if there is none.
func (r *Result) Part(id string) (*Result, bool) {
	i := slices.Index(r.names, id)
	if i < 0 || r.parts == nil {
		return nil, false
	}
	return &Result{Level: r.Level, seed: r.seed, years: r.years, digest: r.digest, spans: r.spans, total: r.parts[i], names: []string{id}, members: 1}, true
}

func (r *Result) sorted() *sorted {
	if r.cache == nil {
		r.cache = r.sample().sorted()
	}
	return r.cache
}

func (r *Result) level() float64 {
	if r.Level > 0 && r.Level < 1 {
		return r.Level
	}
	return 0.95
}

// z is the normal quantile of a two-sided interval.
func (r *Result) z() float64 { return normalQuantile((1+r.level())/2, (1-r.level())/2) }

// Mean returns the mean annual loss (annualized loss expectancy), its interval by
// the standard error sd/sqrt(n).
func (r *Result) Mean() Estimate {
	m := r.sorted().mean()
	w := mul(r.z(), r.SD()/math.Sqrt(float64(r.Years())))
	return Estimate{m, m - w, m + w, r.level()}
}

// SD returns the standard deviation of the annual loss, with the divisor n-1.
func (r *Result) SD() float64 {
	n := float64(r.Years())
	if n < 2 {
		return 0
	}
	s := r.sorted()
	return math.Sqrt(s.central(s.mean()) / (n - 1))
}

// VaR returns the value at risk at p, 0 < p < 1: the smallest loss x with P(S <= x) >=
// p, on the sample the order statistic ceil(n p). The interval is that of the
// order statistics at binomial ranks, free of assumptions; Hi is +Inf where
// the years are too few ([YearsFor]).
func (r *Result) VaR(p float64) Estimate {
	n := r.Years()
	if n == 0 || !(p > 0 && p < 1) {
		return Estimate{math.NaN(), math.NaN(), math.NaN(), r.level()}
	}
	s := r.sorted()
	e := Estimate{Value: s.order(uint64(rank(p, n))), Hi: math.Inf(1), Level: r.level()}
	lo, hi := ranks(n, p, r.level())
	if lo >= 1 {
		e.Lo = s.order(uint64(lo))
	}
	if hi <= n {
		e.Hi = s.order(uint64(hi))
	}
	return e
}

// ranks returns the ranks of the order statistics between which the p-quantile lies
// with the level: l = F^-1(a/2), u = F^-1(1-a/2) + 1 of Binomial(n, p).
func ranks(n int64, p, level float64) (lo, hi int64) {
	a := mul(1-level, 0.5)
	return binomialQuantile(a, n, p), binomialQuantile(1-a, n, p) + 1
}

// YearsFor returns the fewest years for which the interval of [Result.VaR] at p has an
// upper bound: 1 - p^n >= (1+level)/2. For the usual p = 0.999 and level 0.95 these are
// 3,688.
func YearsFor(p, level float64) int64 {
	if !(p > 0 && p < 1 && level > 0 && level < 1) {
		return 0
	}
	return int64(math.Ceil(log((1-level)/2) / log(p)))
}

// TVaR returns the tail value at risk at p (expected shortfall): the mean of the
// worst 1-p of the years, of the year at the quantile only the part that is needed. Where
// fewer than 1-p of the years have a loss it is Mean/(1-p). The interval is by the
// standard error sd((S-VaR)+)/((1-p) sqrt(n)).
func (r *Result) TVaR(p float64) Estimate {
	n := float64(r.Years())
	if n == 0 || !(p > 0 && p < 1) {
		return Estimate{math.NaN(), math.NaN(), math.NaN(), r.level()}
	}
	s := r.sorted()
	v, sum := s.tail(p)
	t := sum / mul(n, 1-p)
	first, second := 0.0, 0.0
	for i := len(s.items) - 1; i >= 0 && s.items[i].mean > v; i-- {
		d := s.items[i].mean - v
		c := float64(s.items[i].count)
		first += mul(c, d)
		second += mul(c, mul(d, d))
	}
	first /= n
	se := math.Sqrt(max(second/n-mul(first, first), 0)/n) / (1 - p)
	w := mul(r.z(), se)
	return Estimate{t, t - w, t + w, r.level()}
}

// Exceed returns P(S > loss), strictly above, with the interval of Clopper and
// Pearson, whose level is never less than stated. Exceed(0) is the probability of any
// loss. Losses that the model names (constants, values of samples, what covers leave) are
// counted exactly; near others a year is known to 0.05 % of its loss, and the interval
// reaches from none to all of the years that this leaves in doubt.
func (r *Result) Exceed(loss float64) Estimate {
	n := r.Years()
	if n == 0 || math.IsNaN(loss) {
		return Estimate{math.NaN(), 0, 1, r.level()}
	}
	k, least, most := r.sorted().exceeding(loss)
	lo, _ := clopperPearson(int64(least), n, r.level())
	_, hi := clopperPearson(int64(most), n, r.level())
	return Estimate{float64(k) / float64(n), lo, hi, r.level()}
}

// clopperPearson returns the exact interval of a proportion (Clopper and Pearson
// 1934): quantiles of beta distributions.
func clopperPearson(k, n int64, level float64) (lo, hi float64) {
	a := mul(1-level, 0.5)
	hi = 1
	if k > 0 {
		lo, _ = betaInv(float64(k), float64(n-k+1), a, 1-a)
	}
	if k < n {
		hi, _ = betaInv(float64(k+1), float64(n-k), 1-a, a)
	}
	return lo, hi
}

// A Point is a point of a loss exceedance curve.
type Point struct {
	Loss   float64  `json:"loss"`
	Exceed Estimate `json:"exceed"` // P(S > Loss)
}

// Curve yields the loss exceedance curve at points losses (48 if 0) evenly spread
// in the logarithm, from near the smallest loss to the largest. It never rises.
func (r *Result) Curve(points int) iter.Seq[Point] {
	if points <= 0 {
		points = 48
	}
	return func(yield func(Point) bool) {
		items := r.sorted().items
		if len(items) > 0 && items[0].max == 0 {
			items = items[1:]
		}
		if len(items) == 0 {
			return
		}
		zeros := r.total.zeros()
		n := r.total.years - zeros
		lo, hi := r.sorted().order(zeros+max(n/200, 1)), items[len(items)-1].max
		if points == 1 || lo >= hi {
			yield(Point{lo, r.Exceed(lo)})
			return
		}
		for i := range points {
			x := exp(log(lo) + mul(float64(i)/float64(points-1), log(hi)-log(lo)))
			if i == points-1 {
				x = hi
			}
			if !yield(Point{x, r.Exceed(x)}) {
				return
			}
		}
	}
}

// A Contribution is the part of a scenario in the losses of a portfolio.
type Contribution struct {
	Scenario string  `json:"scenario"`
	Mean     float64 `json:"mean"` // of its annual loss
	Tail     float64 `json:"tail"` // E[S_i | S in the worst 1-p], adding up to TVaR
}

// ErrNoShares is what [Result.Contributions] returns for a run that did not keep
// them.
var ErrNoShares = errors.New("contributions were not kept")

// Contributions returns, in the order of the portfolio, what each scenario
// contributes to the mean and to the tail value at risk at p (Euler allocation,
// E[S_i | S >= VaR_p]). The error matches [ErrNoShares], or [ErrInvalid] unless
// 0 < p < 1.
func (r *Result) Contributions(p float64) ([]Contribution, error) {
	if !(p > 0 && p < 1) {
		return nil, Problems{{"p", "a number strictly between 0 and 1", fmt.Sprint(p)}}
	}
	if r.members == 1 {
		return []Contribution{{r.names[0], r.Mean().Value, r.TVaR(p).Value}}, nil
	}
	if r.shares == nil {
		return nil, fmt.Errorf("fair: %w", ErrNoShares)
	}
	n := float64(r.total.years)
	v, tail := r.sorted().tail(p)
	out := make([]Contribution, r.members)
	exponents := r.shares.exponents()
	for i := range out {
		out[i].Scenario = r.names[i]
		for _, e := range exponents {
			for k := range 1 << classBits {
				out[i].Mean += r.shares.value(i, e, k) / n
			}
		}
	}
	// Classes wholly above VaR count whole, the one around it in proportion to what
	// of its total lies in the tail.
	sum := 0.0
	for _, e := range exponents {
		for k := range 1 << classBits {
			foot := classFoot(e, k)
			top := math.Nextafter(classFoot(e, k+1), 0)
			if k == 1<<classBits-1 {
				top = math.Nextafter(classFoot(e+1, 0), 0)
			}
			if top < v {
				continue
			}
			whole := 0.0
			for i := range out {
				whole += r.shares.value(i, e, k)
			}
			part := 1.0
			if foot <= v && whole > 0 {
				above := 0.0
				for j := len(r.sorted().items) - 1; j >= 0 && r.sorted().items[j].min > top; j-- {
					it := &r.sorted().items[j]
					above += mul(float64(it.count), it.mean)
				}
				part = min(max((tail-above)/whole, 0), 1)
			}
			for i := range out {
				x := mul(part, r.shares.value(i, e, k)) / mul(n, 1-p)
				out[i].Tail += x
				sum += x
			}
		}
	}
	// Sums of rounded shares add up to TVaR but for 1e-7 of it; make it exact.
	if sum > 0 {
		f := tail / mul(n, 1-p) / sum
		for i := range out {
			out[i].Tail = mul(out[i].Tail, f)
		}
	}
	return out, nil
}

// magic begins every encoded result.
const magic = "fair-result-2\n"

// MarshalBinary returns the result as a few bytes for each bucket in use. The same
// result has the same bytes.
func (r *Result) MarshalBinary() ([]byte, error) {
	b := []byte(magic)
	b = append(b, r.digest[:]...)
	b = binary.LittleEndian.AppendUint64(b, r.seed)
	b = binary.AppendUvarint(b, uint64(r.years))
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(r.level()))
	b = binary.AppendUvarint(b, uint64(len(r.spans)))
	for _, s := range r.spans {
		b = binary.AppendUvarint(b, uint64(s.from))
		b = binary.AppendUvarint(b, uint64(s.to))
	}
	b = binary.AppendUvarint(b, uint64(r.members))
	b = binary.AppendUvarint(b, uint64(len(r.names)))
	for _, n := range r.names {
		b = binary.AppendUvarint(b, uint64(len(n)))
		b = append(b, n...)
	}
	b = r.sample().append(b)
	b = binary.AppendUvarint(b, uint64(len(r.parts)))
	for _, h := range r.parts {
		b = h.append(b)
	}
	if r.shares == nil {
		return append(b, 0), nil
	}
	b = append(b, 1)
	exponents := r.shares.exponents()
	b = binary.AppendUvarint(b, uint64(len(exponents)))
	for _, e := range exponents {
		b = binary.AppendUvarint(b, uint64(e))
		for i := range r.shares.sums {
			at := r.shares.class(e)
			for _, s := range r.shares.sums[i][at : at+1<<classBits] {
				b = binary.AppendUvarint(b, s)
			}
		}
	}
	return b, nil
}

func (h *histogram) append(b []byte) []byte {
	b = binary.AppendUvarint(b, h.years)
	b = binary.AppendUvarint(b, uint64(len(h.sum)))
	for _, l := range h.sum {
		b = binary.AppendUvarint(b, uint64(l.exponent))
		b = binary.AppendUvarint(b, l.lo)
		b = binary.AppendUvarint(b, l.hi)
	}
	b = binary.AppendUvarint(b, uint64(h.inUse()))
	last := -1
	for at, c := range h.buckets() {
		b = binary.AppendUvarint(b, uint64(at-last))
		last = at
		b = binary.AppendUvarint(b, c.count)
		b = binary.AppendUvarint(b, uint64(^c.notMin))
		if c.count > 1 {
			b = binary.AppendUvarint(b, uint64(c.max-^c.notMin))
		}
	}
	b = binary.AppendUvarint(b, uint64(len(h.marks)))
	for _, m := range h.marks {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(m.loss))
		b = binary.AppendUvarint(b, m.equal)
		b = binary.AppendUvarint(b, m.above)
	}
	return b
}

// ErrEncoding is what [Result.UnmarshalBinary] returns for bytes that are no result.
var ErrEncoding = errors.New("not an encoded result")

// A reader takes numbers from bytes and remembers if they ended too soon.
type reader struct {
	b       []byte
	ok      bool
	octaves int
}

// maxOctaves bounds the memory that decoding takes to 800 MB, ten times what a
// portfolio of a hundred scenarios in detail needs.
const maxOctaves = 1 << 15

func (r *reader) uvarint(limit uint64) uint64 {
	x, n := binary.Uvarint(r.b)
	if n <= 0 || x > limit {
		r.ok = false
		r.b = nil
		return 0
	}
	r.b = r.b[n:]
	return x
}

func (r *reader) bytes(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.ok = false
		r.b = nil
		return make([]byte, min(n, 64))
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

// UnmarshalBinary reads what MarshalBinary wrote. The error matches
// [ErrEncoding]; then r is as it was.
func (r *Result) UnmarshalBinary(data []byte) error {
	in := &reader{b: data, ok: true}
	if len(data) < len(magic) || string(in.bytes(uint64(len(magic)))) != magic {
		return fmt.Errorf("fair: %w: no header %q", ErrEncoding, magic)
	}
	var o Result
	copy(o.digest[:], in.bytes(32))
	o.seed = binary.LittleEndian.Uint64(in.bytes(8))
	o.years = int64(in.uvarint(maxYears))
	o.Level = math.Float64frombits(binary.LittleEndian.Uint64(in.bytes(8)))
	last := int64(-1)
	covered := int64(0)
	for n := in.uvarint(uint64(len(in.b))); n > 0 && in.ok; n-- {
		s := span{int64(in.uvarint(maxYears)), int64(in.uvarint(maxYears))}
		if s.from <= last || s.to <= s.from {
			in.ok = false
		}
		last = s.to
		covered += min(s.to*blockYears, o.years) - min(s.from*blockYears, o.years)
		o.spans = append(o.spans, s)
	}
	o.members = int(in.uvarint(maxScenarios))
	for n := in.uvarint(uint64(len(in.b))); n > 0 && in.ok; n-- {
		o.names = append(o.names, string(in.bytes(in.uvarint(uint64(len(in.b))))))
	}
	o.total = readHistogram(in)
	parts := in.uvarint(uint64(len(in.b)))
	for n := parts; n > 0 && in.ok; n-- {
		h := readHistogram(in)
		o.parts = append(o.parts, h)
		in.ok = in.ok && h.years == o.total.years
	}
	switch {
	case !in.ok, o.members > len(o.names), o.members == 0, parts > 0 && int(parts) != len(o.names),
		int64(o.total.years) != covered, !(o.Level > 0 && o.Level < 1):
		return fmt.Errorf("fair: %w", ErrEncoding)
	}
	if in.uvarint(1) == 1 && in.ok {
		o.shares = &shares{sums: make([][]uint64, o.members)}
		for i := range o.shares.sums {
			o.shares.sums[i] = make([]uint64, 1)
		}
		last := -1
		for n := in.uvarint(2048); n > 0 && in.ok; n-- {
			e := int(in.uvarint(2046))
			if e <= last || o.members<<classBits > len(in.b) {
				in.ok = false
				break
			}
			last = e
			o.shares.open(e)
			at := o.shares.class(e)
			for i := range o.shares.sums {
				for k := range 1 << classBits {
					o.shares.sums[i][at+k] = in.uvarint(math.MaxUint64)
				}
			}
		}
	}
	if !in.ok || len(in.b) > 0 {
		return fmt.Errorf("fair: %w: %d bytes left", ErrEncoding, len(in.b))
	}
	*r = o
	return nil
}

func readHistogram(in *reader) *histogram {
	h := &histogram{years: in.uvarint(maxYears)}
	for n := in.uvarint(2046); n > 0 && in.ok; n-- {
		l := limb{uint16(in.uvarint(2046)), in.uvarint(math.MaxUint64), in.uvarint(math.MaxUint64)}
		if k := len(h.sum); l.exponent == 0 || k > 0 && l.exponent <= h.sum[k-1].exponent {
			in.ok = false
		}
		h.sum = append(h.sum, l)
	}
	sum, at, last := uint64(0), -1, -1
	for n := in.uvarint(uint64(len(in.b))); n > 0 && in.ok; n-- {
		d := int(in.uvarint(2047 << histBits))
		if at += d; d == 0 || at >= 2047<<histBits {
			in.ok = false
			break
		}
		if e := at >> histBits; e != last {
			last = e
			if in.octaves++; in.octaves > maxOctaves {
				in.ok = false
				break
			}
		}
		c := h.bucket(at)
		c.count = in.uvarint(maxYears)
		lo := uint32(in.uvarint(math.MaxUint32))
		c.notMin, c.max = ^lo, lo
		if c.count > 1 {
			c.max += uint32(in.uvarint(uint64(math.MaxUint32 - lo)))
		}
		in.ok = in.ok && c.count > 0
		sum += c.count
	}
	for n := in.uvarint(maxMarks); n > 0 && in.ok; n-- {
		loss := math.Float64frombits(binary.LittleEndian.Uint64(in.bytes(8)))
		h.marks = append(h.marks, mark{loss, in.uvarint(maxYears), in.uvarint(maxYears)})
	}
	in.ok = in.ok && sum == h.years && h.sound()
	return h
}

// MarshalText returns the bytes of MarshalBinary in base 64, so that a result fits
// into JSON.
func (r *Result) MarshalText() ([]byte, error) {
	b, err := r.MarshalBinary()
	return base64.StdEncoding.AppendEncode(nil, b), err
}

// UnmarshalText reads what MarshalText wrote. The error matches [ErrEncoding].
func (r *Result) UnmarshalText(text []byte) error {
	b, err := base64.StdEncoding.AppendDecode(nil, text)
	if err != nil {
		return fmt.Errorf("fair: %w: %w", ErrEncoding, err)
	}
	return r.UnmarshalBinary(b)
}
