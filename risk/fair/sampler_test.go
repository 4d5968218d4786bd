package fair

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func must(d Dist, err error) Dist {
	if err != nil {
		panic(err)
	}
	return d
}

func mustFreq(f Freq, err error) Freq {
	if err != nil {
		panic(err)
	}
	return f
}

// userDist is a distribution of a caller, with a jump in its quantile function.
type userDist struct{}

func (userDist) Quantile(p float64) float64 {
	if p <= 0.3 {
		return p
	}
	return 10 + p*p
}
func (userDist) Mean() float64 { return 0.045 + 7 + (1-0.027)/3 }
func (userDist) Var() float64  { return 21 }

var sampled = []struct {
	name string
	dist Dist
}{
	{"PERT", must(PERT(10, 20, 500, nil))},
	{"PERT, mode at an end", must(PERT(0, 0, 1, nil))},
	{"PERT, wide", must(PERT(0, 0.5, 1, &PERTOptions{Shape: 0.1}))},
	{"beta with infinite density", must(Beta(0.3, 0.4))},
	{"triangular", must(Triangular(0, 2, 10))},
	{"uniform", must(Uniform(10, 30))},
	{"normal", must(Normal(5, 2))},
	{"log-normal", must(LognormalInterval(1e5, 1e6, 0.9))},
	{"log-normal, wide", must(LognormalInterval(1, 1e5, 0.9))},
	{"log-normal, truncated", must(Truncate(must(LognormalInterval(1e5, 1e6, 0.9)), 0, 2e6))},
	{"gamma", must(Gamma(2.5, 40000))},
	{"gamma, small shape", must(Gamma(0.2, 1))},
	{"gamma, smaller shape", must(Gamma(0.05, 20))},
	{"gamma, tiny shape", must(Gamma(0.01, 3))},
	{"beta, small shapes", must(Beta(0.05, 0.45))},
	{"exponential", must(Exponential(3))},
	{"generalised Pareto", must(GeneralizedPareto(0, 1e5, 0.25))},
	{"generalised Pareto, negative shape", must(GeneralizedPareto(5, 2, -0.5))},
	{"metalog", must(Metalog(Quantile{0.1, 20}, Quantile{0.5, 50}, Quantile{0.9, 130}, nil))},
	{"mixture with a gap", must(Mixture(Component{1, must(Uniform(0, 1))}, Component{3, must(Uniform(5, 6))}))},
	{"mixture with an atom at 0", mixed(0.9, must(Constant(0)), must(LognormalInterval(1000, 100000, 0.9)))},
	{"mixture of body and tail", mixed(0.9, must(PERT(0, 1000, 5000, nil)), must(GeneralizedPareto(5000, 3000, 0.3)))},
	{"mixture, truncated at its atom", must(Truncate(mixed(0.5, must(Constant(0)), must(Exponential(1))), 0, 3))},
	{"far tail of a normal", must(Truncate(must(Normal(0, 1)), 5.9, math.Inf(1)))},
	{"empirical", must(Empirical(3, 1, 4, 1, 5))},
	{"of the caller", userDist{}},
}

// TestSampler compares the fast sampler with the quantile function at the same
// random words, over the middle of the distribution and far into both tails.
func TestSampler(t *testing.T) {
	for _, tt := range sampled {
		t.Run(tt.name, func(t *testing.T) {
			s := newSampler(tt.dist)
			st := newStream(key(1, tt.name), 0)
			words := make([]uint64, 20000)
			st.fill(words)
			scale := math.Abs(tt.dist.Quantile(0.9) - tt.dist.Quantile(0.1))
			if c, ok := tt.dist.(continuous); scale == 0 || ok && steep(c) { // all in an atom, or next to none of it
				scale = math.Sqrt(tt.dist.Var())
			}
			for i, w := range words {
				if i%2 == 1 { // tails
					w = w&^(1<<63-1) | w&(1<<63-1)>>(i%20)
				}
				want := s.exact(w)
				got := s.at(w)
				require.InDelta(t, want, got, 3e-4*math.Abs(want)+2e-4*scale, "word %x", w)
				if got != s.apart(w) { // the index and the exponent lead to the same cell
					require.Equal(t, s.apart(w), got, "word %x", w)
				}
			}
		})
	}
}

// TestScatter adds up, word by word, what the hot loop adds up.
func TestScatter(t *testing.T) {
	for _, tt := range sampled {
		t.Run(tt.name, func(t *testing.T) {
			s := newSampler(tt.dist)
			var got, want [blockYears]float64
			hot, plain := newStream(key(4, tt.name), 0), newStream(key(4, tt.name), 0)
			s.scatter(&got, &hot, 20000)
			for range 20000 {
				w := plain.next()
				want[w%blockYears] += s.apart(w)
			}
			require.Equal(t, want, got)
			require.Equal(t, plain, hot)
		})
	}
}

// TestSamplerKolmogorovSmirnov compares many draws of the fast sampler with
// the distribution function, and the mean of the draws with the mean.
func TestSamplerKolmogorovSmirnov(t *testing.T) {
	const n = 1 << 16
	for _, tt := range sampled {
		t.Run(tt.name, func(t *testing.T) {
			s := newSampler(tt.dist)
			st := newStream(key(2, tt.name), 0)
			fast := make([]float64, n)
			words := make([]uint64, n)
			st.fill(words)
			for i, w := range words {
				fast[i] = s.at(w)
			}
			// A plain sampler with other random numbers.
			other := newStream(key(3, tt.name), 0)
			other.fill(words)
			plain := make([]float64, n/4)
			for i := range plain {
				plain[i] = tt.dist.Quantile(float64(words[i]>>11) / (1 << 53))
			}
			slices.Sort(fast)
			slices.Sort(plain)
			// Two-sample Kolmogorov-Smirnov, level 1e-6.
			limit := math.Sqrt(-math.Log(1e-6/2)/2) * math.Sqrt(1/float64(n)+4/float64(n))
			require.Less(t, distance(fast, plain), limit)
		})
	}
}

// distance is the Kolmogorov-Smirnov distance of two sorted samples.
func distance(a, b []float64) float64 {
	worst, i, j := 0.0, 0, 0
	for i < len(a) && j < len(b) {
		x := min(a[i], b[j])
		for i < len(a) && a[i] <= x {
			i++
		}
		for j < len(b) && b[j] <= x {
			j++
		}
		worst = max(worst, math.Abs(float64(i)/float64(len(a))-float64(j)/float64(len(b))))
	}
	return worst
}

// TestSamplerMean integrates the table and compares it with the mean.
func TestSamplerMean(t *testing.T) {
	for _, tt := range sampled {
		t.Run(tt.name, func(t *testing.T) {
			s := newSampler(tt.dist)
			mean := 0.0
			for side := range 2 {
				for i := range sideCells {
					t0, t1 := edge(i), edge(i+1)
					c := s.cells[side*sideCells+slot(i)]
					m := c.a + c.b*(t0+t1)/2
					if m != m { // computed: average many quantiles
						m = 0
						if c, ok := tt.dist.(continuous); ok && steep(c) { // smooth
							for _, n := range gaussNodes {
								p := (t0 + (t1-t0)*n.x) * unit
								if side == 1 {
									p = 1 - p
								}
								m += n.w * tt.dist.Quantile(p)
							}
							mean += m * (t1 - t0) * unit
							continue
						}
						const k = 500
						for j := range k {
							p := (t0 + (t1-t0)*(float64(j)+0.5)/k) * unit
							if side == 1 {
								p = 1 - p
							}
							m += tt.dist.Quantile(p) / k
						}
					}
					mean += m * (t1 - t0) * unit
				}
			}
			// The two ends that the table leaves out.
			beyond := edge(0) * unit
			for _, n := range unitNodes(20) {
				mean += beyond * n.w * tt.dist.Quantile(beyond*n.x)
			}
			mean += beyond * TailMean(tt.dist, 1-beyond)
			require.InEpsilon(t, tt.dist.Mean(), mean, 2e-6)
		})
	}
}
