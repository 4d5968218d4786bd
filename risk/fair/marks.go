package fair

import (
	"math"
	"slices"
)

// A mark is an annual loss that may have a probability of its own: a constant
// loss, a value of a sample, what a deductible leaves. A bucket would spread it over its
// width, so that a mark counts how many numbers of its bucket are equal to it, and how
// many lie above. Marks come from the model, so that those of all shards are the same.
type mark struct {
	loss         float64
	equal, above uint64
}

// maxMarks bounds the marks of a portfolio and, by an eighth, of an event.
const maxMarks = 512

// bucketOf returns where the bucket of a number stands.
func bucketOf(x float64) int { return int(math.Float64bits(x) >> (52 - histBits)) }

// locate counts the numbers of a sample at the marks.
func (h *histogram) locate(sample []float64) {
	for _, x := range sample {
		if x == 0 {
			continue
		}
		i, equal := slices.BinarySearchFunc(h.marks, x, func(m mark, x float64) int {
			switch {
			case m.loss < x:
				return -1
			case m.loss > x:
				return 1
			}
			return 0
		})
		if equal {
			h.marks[i].equal++
		}
		for i--; i >= 0 && bucketOf(h.marks[i].loss) == bucketOf(x); i-- {
			h.marks[i].above++
		}
	}
}

// divide yields the parts of a bucket between its marks, and the marks themselves.
func (h *histogram) divide(at int, c *bucket, yield func(count uint64, lo, hi float64)) {
	lo, hi := number(at, ^c.notMin), number(at, c.max)
	part := func(count uint64, lo, hi float64) {
		if count > 0 {
			yield(count, lo, max(lo, hi))
		}
	}
	left := c.count
	i, _ := slices.BinarySearchFunc(h.marks, at, func(m mark, at int) int { return bucketOf(m.loss) - at })
	for ; i < len(h.marks) && bucketOf(h.marks[i].loss) == at; i++ {
		m := h.marks[i]
		part(left-m.equal-m.above, lo, math.Nextafter(m.loss, 0))
		part(m.equal, m.loss, m.loss)
		left = m.above
		lo = math.Nextafter(m.loss, math.Inf(1))
	}
	part(left, lo, hi)
}

// sound tells whether the counts at marks are possible.
func (h *histogram) sound() bool {
	last := mark{}
	for _, m := range h.marks {
		if !(m.loss > last.loss && m.loss <= math.MaxFloat64) {
			return false
		}
		room := uint64(0)
		switch at := bucketOf(m.loss); {
		case at == bucketOf(last.loss):
			room = last.above
		case h.octaves[at>>histBits] != nil:
			room = h.bucket(at).count
		}
		if m.equal > room || m.above > room-m.equal {
			return false
		}
		last = m
	}
	return true
}

// mergeMarks adds the counts of another histogram of the same model.
func (h *histogram) mergeMarks(o *histogram) {
	if h.marks == nil {
		h.marks = slices.Clone(o.marks)
		return
	}
	for i := range min(len(h.marks), len(o.marks)) {
		h.marks[i].equal += o.marks[i].equal
		h.marks[i].above += o.marks[i].above
	}
}

// marks returns the losses of a year that the portfolio may meet again and again: of
// one event and of two, after what controls always leave and covers always pay.
func (pl *plan) marks(p Portfolio, engines []*engine) []mark {
	seen := map[float64]bool{}
	var out []mark
	for i, s := range p.Scenarios {
		event := []float64{0}
		for j, l := range s.Losses {
			values := atoms(l.magnitude)
			for _, k := range engines[i].forms[j].scale {
				left, ok := pl.factors[k].fixed()
				if !ok {
					values = nil
				}
				for v := range values {
					values[v] = mul(values[v], left)
				}
			}
			var next []float64
			for _, e := range event {
				if l.Secondary() {
					next = append(next, e)
				}
				for _, v := range values {
					next = append(next, e+v)
				}
			}
			event = next[:min(len(next), maxMarks/8)]
		}
		event = retained(event, s.PerEvent)
		year := slices.Clone(event)
		for _, a := range event {
			for _, b := range event[:min(len(event), 16)] {
				year = append(year, a+b)
			}
		}
		for _, x := range retained(year, s.Aggregate) {
			if x > 0 && x <= math.MaxFloat64 && !seen[x] && len(out) < maxMarks {
				seen[x] = true
				out = append(out, mark{loss: x})
			}
		}
	}
	slices.SortFunc(out, func(a, b mark) int {
		if a.loss < b.loss {
			return -1
		}
		return 1
	})
	return out
}

// retained returns what a cover leaves of losses, and the deductible, which it leaves
// of many.
func retained(losses []float64, cover *Layer) []float64 {
	if cover == nil {
		return losses
	}
	out := make([]float64, len(losses), len(losses)+1)
	for i, x := range losses {
		out[i] = x - cover.Paid(x)
	}
	if cover.Share == 0 || cover.Share == 1 {
		out = append(out, cover.Deductible)
	}
	return out
}

// atoms returns some of the values that a distribution takes with a probability above 0.
func atoms(d Dist) []float64 {
	var out []float64
	switch d := d.(type) {
	case constant:
		out = []float64{d.value}
	case *empirical:
		out = slices.Compact(slices.Clone(d.values))
	case *mixture:
		out = slices.Clone(d.atoms)
	}
	return out[:min(len(out), maxMarks/8)]
}

// fixed tells whether an effect always leaves the same, and what.
func (f factor) fixed() (float64, bool) {
	left := 1.0
	for _, s := range f.samplers {
		if s.cells != nil {
			return 0, false
		}
		left = mul(left, s.value)
	}
	return 1 - left, true
}
