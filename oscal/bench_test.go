package oscal

import (
	"bytes"
	"encoding/json"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	types "github.com/defenseunicorns/go-oscal/src/types/oscal-1-2-2"

	"github.com/issokit/issokit/internal/corpus"
)

const rev5 = "oscal/catalogs/nist-rev5/NIST_SP-800-53_rev5_catalog.json"

// BenchmarkRead reads the rev 5 catalog, beside encoding/json on the same
// bytes.
func BenchmarkRead(b *testing.B) {
	data := corpus.Read(b, rev5)
	b.Run("issokit", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			_, err := Read(bytes.NewReader(data), nil)
			require.NoError(b, err)
		}
	})
	b.Run("encoding-json-into-go-oscal", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			var m types.OscalModels
			require.NoError(b, json.Unmarshal(data, &m))
		}
	})
	b.Run("issokit-into-go-oscal", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			doc, err := Read(bytes.NewReader(data), nil)
			require.NoError(b, err)
			_, err = As[Catalog](doc)
			require.NoError(b, err)
		}
	})
}

// BenchmarkWrite writes the rev 5 catalog, beside encoding/json.
func BenchmarkWrite(b *testing.B) {
	data := corpus.Read(b, rev5)
	doc, err := Parse(string(data), nil)
	require.NoError(b, err)
	var m types.OscalModels
	require.NoError(b, json.Unmarshal(data, &m))
	for _, f := range []Format{JSON, YAML} {
		b.Run(f.String(), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				require.NoError(b, doc.Write(io.Discard, &WriteOptions{Format: f}))
			}
		})
	}
	b.Run("encoding-json", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			enc := json.NewEncoder(io.Discard)
			enc.SetIndent("", "  ")
			require.NoError(b, enc.Encode(&m))
		}
	})
}

// BenchmarkLive reports how much memory a document holds, as a multiple of its
// file's size.
func BenchmarkLive(b *testing.B) {
	for _, file := range []string{rev5, "controls/catalogs/NIST_SP-800-53_rev4_catalog-min.json"} {
		b.Run(file[strings.LastIndexByte(file, '/')+1:], func(b *testing.B) {
			data := corpus.Read(b, file)
			var ratio float64
			for b.Loop() {
				var before, after runtime.MemStats
				runtime.GC()
				runtime.ReadMemStats(&before)
				doc, err := Read(bytes.NewReader(data), nil)
				require.NoError(b, err)
				runtime.GC()
				runtime.ReadMemStats(&after)
				ratio = float64(after.HeapAlloc-before.HeapAlloc) / float64(len(data))
				runtime.KeepAlive(doc)
			}
			b.ReportMetric(ratio, "live/size")
		})
	}
}
