package controls

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

// BenchmarkNewCatalog compares making the index with plain encoding/json into
// the same types.
func BenchmarkNewCatalog(b *testing.B) {
	for _, c := range []struct {
		name string
		path []string
	}{{"rev4", rev4Full}, {"rev5", rev5Full}} {
		data := corpus.Read(b, c.path...)
		v := view[oscal.Catalog](b, string(data))
		b.Run(c.name+"/index", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_, err := NewCatalog(v, nil)
				require.NoError(b, err)
			}
		})
		b.Run(c.name+"/encoding-json", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var into struct {
					Catalog oscal.Catalog `json:"catalog"`
				}
				require.NoError(b, json.Unmarshal(data, &into))
			}
		})
	}
}

// BenchmarkPlan makes the plan of the FedRAMP rev. 4 LOW baseline, reads it
// back, and writes it with plain encoding/json for comparison.
func BenchmarkPlan(b *testing.B) {
	baseline, err := NewBaseline(load(b, fedrampLow), nil)
	require.NoError(b, err)
	sys := fullSystem()
	for _, c := range baseline.Controls() {
		for _, s := range baseline.Points(c) {
			if c.ID() != "ac-2" {
				sys.Requirements = append(sys.Requirements, Requirement{Control: c.ID(), Statement: s.ID(), Component: "db", Description: "It does.", Status: Implemented})
			}
		}
	}
	im, err := Implement(baseline, sys, nil, nil)
	require.NoError(b, err)
	plan, err := im.SSP("profile.json", now, nil)
	require.NoError(b, err)
	b.Run("implement", func(b *testing.B) {
		for b.Loop() {
			_, err := Implement(baseline, sys, nil, nil)
			require.NoError(b, err)
		}
	})
	b.Run("ssp", func(b *testing.B) {
		for b.Loop() {
			_, err := im.SSP("profile.json", now, nil)
			require.NoError(b, err)
		}
	})
	b.Run("coverage", func(b *testing.B) {
		for b.Loop() {
			im.Coverage()
		}
	})
	b.Run("from-ssp", func(b *testing.B) {
		for b.Loop() {
			_, err := FromSSP(baseline, plan, nil)
			require.NoError(b, err)
		}
	})
	b.Run("encoding-json", func(b *testing.B) {
		for b.Loop() {
			_, err := json.Marshal(plan)
			require.NoError(b, err)
		}
	})
}
