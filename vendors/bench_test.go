package vendors

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// BenchmarkTier computes tiers of 1,000 exposures, beside the least that any
// scheme kept as data must do: look one value up per factor in a map.
func BenchmarkTier(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	exposures := make([]Exposure, 1000)
	for i := range exposures {
		exposures[i] = randomExposure(r)
	}
	s := DefaultScheme()
	b.Run("scheme", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for i := range exposures {
				if _, err := s.Tier(exposures[i], nil); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
	tables := map[string]map[string]Tier{}
	for _, f := range s.factors {
		tables[f.id] = map[string]Tier{}
		for _, l := range f.levels {
			tables[f.id][l.name] = l.tier
		}
	}
	b.Run("map-lookups-alone", func(b *testing.B) {
		sum := Tier(0)
		for b.Loop() {
			for i := range exposures {
				for _, f := range s.factors {
					sum += tables[f.id][exposures[i].Data]
				}
			}
		}
		require.GreaterOrEqual(b, sum, Tier(0))
	})
}

// BenchmarkReadScheme reads the built-in scheme, beside encoding/json on the
// same bytes.
func BenchmarkReadScheme(b *testing.B) {
	b.Run("issokit", func(b *testing.B) {
		for b.Loop() {
			_, err := ReadScheme(strings.NewReader(schemeText))
			require.NoError(b, err)
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		for b.Loop() {
			var v any
			require.NoError(b, json.Unmarshal([]byte(schemeText), &v))
		}
	})
}

// BenchmarkGraph walks supply chains of 10,000 vendors and 50,000 edges, and
// ones of twice and four times that size, with many cycles.
func BenchmarkGraph(b *testing.B) {
	for _, times := range []int{1, 2, 4} {
		edges := randomChain(rand.New(rand.NewPCG(1, 2)), 10_000*times, 50_000*times)
		functions := map[string][]string{}
		for i := range 50 {
			functions[fmt.Sprint(i)] = []string{edges[i].Customer, edges[i+50].Customer}
		}
		g, err := NewGraph("v00000", slices.Values(edges))
		require.NoError(b, err)
		name := func(s string) string { return fmt.Sprintf("%s/%dx", s, times) }
		b.Run(name("build"), func(b *testing.B) {
			for b.Loop() {
				_, err := NewGraph("v00000", slices.Values(edges))
				require.NoError(b, err)
			}
		})
		b.Run(name("ranks"), func(b *testing.B) {
			for b.Loop() {
				g.Ranks()
			}
		})
		b.Run(name("concentration-of-50-functions"), func(b *testing.B) {
			for b.Loop() {
				_, err := g.Concentration(functions)
				require.NoError(b, err)
			}
		})
		b.Run(name("first-100-cycles"), func(b *testing.B) {
			for b.Loop() {
				_, more := g.Cycles(100)
				require.True(b, more)
			}
		})
	}
}

// BenchmarkToOSCAL carries 1,000 engagements into parts of a plan, beside
// writing the same portfolio as JSON.
func BenchmarkToOSCAL(b *testing.B) {
	p := &Portfolio{}
	for i := range 1000 {
		e := sample(b).Engagements[0]
		e.ID, e.Vendor, e.Contract = fmt.Sprintf("e%d", i), fmt.Sprintf("v%d", i), ""
		p.Engagements = append(p.Engagements, e)
		p.Vendors = append(p.Vendors, Vendor{ID: e.Vendor, LegalName: "Vendor " + e.Vendor})
	}
	b.Run("issokit", func(b *testing.B) {
		for b.Loop() {
			_, err := ToOSCAL(p, nil)
			require.NoError(b, err)
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		for b.Loop() {
			_, err := json.Marshal(p)
			require.NoError(b, err)
		}
	})
}
