package matrix

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkLookup looks the 25 combinations of a 5 x 5 matrix up, beside a plain
// map of maps with the same content. The ratio is what counts.
func BenchmarkLookup(b *testing.B) {
	_, matrices := corpusMatrices(b)
	m := matrices["product-5x5"]
	likelihood, impact := m.axes[0], m.axes[1]
	plain := map[string]map[string]string{}
	for _, l := range likelihood {
		plain[l] = map[string]string{}
		for _, i := range impact {
			o, err := m.Lookup(l, i)
			require.NoError(b, err)
			plain[l][i] = o
		}
	}
	sink := 0
	b.Run("map-of-maps", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, l := range likelihood {
				for _, i := range impact {
					sink += len(plain[l][i])
				}
			}
		}
	})
	b.Run("Lookup", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, l := range likelihood {
				for _, i := range impact {
					o, err := m.Lookup(l, i)
					if err != nil {
						b.Fatal(err)
					}
					sink += len(o)
				}
			}
		}
	})
	b.Run("At", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for l := range likelihood {
				for i := range impact {
					sink += m.At(l, i)
				}
			}
		}
	})
	b.Run("Rate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, l := range likelihood {
				for _, i := range impact {
					r, err := m.Rate(l, i)
					if err != nil {
						b.Fatal(err)
					}
					sink += len(r.Why)
				}
			}
		}
	})
}

// BenchmarkNIST takes the path through G-5 and I-2 for the 125 combinations,
// beside maps of maps of strings.
func BenchmarkNIST(b *testing.B) {
	g5, i2 := map[string]map[string]string{}, map[string]map[string]string{}
	for r := VeryLow; r <= VeryHigh; r++ {
		g5[r.String()], i2[r.String()] = map[string]string{}, map[string]string{}
		for c := VeryLow; c <= VeryHigh; c++ {
			g5[r.String()][c.String()] = OverallLikelihood(r, c).String()
			i2[r.String()][c.String()] = LevelOfRisk(r, c).String()
		}
	}
	names := NISTScale().Levels
	sink := 0
	b.Run("map-of-maps", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, x := range names {
				for _, y := range names {
					for _, z := range names {
						sink += len(i2[g5[x][y]][z])
					}
				}
			}
		}
	})
	b.Run("LevelOfRisk", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for x := VeryLow; x <= VeryHigh; x++ {
				for y := VeryLow; y <= VeryHigh; y++ {
					for z := VeryLow; z <= VeryHigh; z++ {
						sink += int(LevelOfRisk(OverallLikelihood(x, y), z))
					}
				}
			}
		}
	})
	b.Run("Rate", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for x := VeryLow; x <= VeryHigh; x++ {
				for y := VeryLow; y <= VeryHigh; y++ {
					for z := VeryLow; z <= VeryHigh; z++ {
						r, err := ThreatEvent{Initiation: x, AdverseImpact: y, Impact: z}.Rate()
						if err != nil {
							b.Fatal(err)
						}
						sink += len(r.Why)
					}
				}
			}
		}
	})
}

// TestLookupDoesNotAllocate: neither do the looks at ranks and levels.
func TestLookupDoesNotAllocate(t *testing.T) {
	_, matrices := corpusMatrices(t)
	m := matrices["product-5x5"]
	require.Zero(t, testing.AllocsPerRun(100, func() {
		if o, err := m.Lookup("possible", "major"); err != nil || o != "high" || m.At(2, 3) != 2 {
			panic("lookup")
		}
		if LevelOfRisk(OverallLikelihood(High, Low), High) != Moderate {
			panic("table")
		}
	}))
}
