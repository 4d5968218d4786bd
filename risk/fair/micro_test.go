package fair
import "testing"
func BenchmarkMicro(b *testing.B) {
	sv := must(LognormalInterval(1e5, 1e6, 0.9))
	s := newSampler(sv)
	var out [4096]float64
	b.Run("scatter", func(b *testing.B) { st := newStream(1,1); for b.Loop() { clear(out[:]); s.scatter(&out, &st, 4096) } })
	b.Run("fill", func(b *testing.B) { st := newStream(1,1); var w [4096]uint64; for b.Loop() { st.fill(w[:]) } })
	b.Run("add", func(b *testing.B) { h := new(histogram); for b.Loop() { h.add(out[:]) } })
}
