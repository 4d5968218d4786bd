package fair

// A stream is a sequence of random 64-bit words, xoshiro256++ (Blackman and Vigna
// 2021, Scrambled linear pseudorandom number generators). Each is named by what it is
// drawn for, never by who draws it: seed, scenario, factor and block.
type stream struct{ a, b, c, d uint64 }

// mix is the finalizer of SplitMix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// key folds a name into a key (FNV-1a, then mixed).
func key(k uint64, name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return mix(k ^ mix(h))
}

func newStream(k uint64, block int64) stream {
	x := mix(k ^ mix(uint64(block)))
	return stream{mix(x), mix(x + 1), mix(x + 2), mix(x+3) | 1}
}

// fill writes the next words.
func (s *stream) fill(words []uint64) {
	a, b, c, d := s.a, s.b, s.c, s.d
	for i := range words {
		r := a + d
		words[i] = (r<<23 | r>>41) + a
		t := b << 17
		c ^= a
		d ^= b
		b ^= c
		a ^= d
		c ^= t
		d = d<<45 | d>>19
	}
	s.a, s.b, s.c, s.d = a, b, c, d
}

func (s *stream) next() uint64 {
	var w [1]uint64
	s.fill(w[:])
	return w[0]
}
