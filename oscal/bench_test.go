package oscal

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"io"
	"io/fs"
	"os"
	"runtime"
	"strconv"
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

const (
	rev5XML = "oscal/catalogs/nist-rev5/NIST_SP-800-53_rev5_catalog.xml"
	rev4XML = "oscal/catalogs/nist-rev4/NIST_SP-800-53_rev4_catalog.xml"
)

// BenchmarkReadXML reads the rev 5 catalog, beside the tokens alone of
// encoding/xml.
func BenchmarkReadXML(b *testing.B) {
	data := corpus.Read(b, rev5XML)
	b.Run("issokit", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			_, err := Read(bytes.NewReader(data), nil)
			require.NoError(b, err)
		}
	})
	b.Run("encoding-xml-raw-tokens", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			d := xml.NewDecoder(bytes.NewReader(data))
			for {
				if _, err := d.RawToken(); err == io.EOF {
					break
				} else if err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkConvert goes from one form of the rev 4 catalog to another, bytes to
// bytes; beside it, what the same reading and writing in one form takes.
func BenchmarkConvert(b *testing.B) {
	text := map[Format]string{XML: string(corpus.Read(b, rev4XML))}
	doc, err := Parse(text[XML], nil)
	require.NoError(b, err)
	text[JSON] = written(b, doc, JSON)
	for _, c := range []struct{ from, to Format }{{XML, JSON}, {JSON, XML}, {JSON, JSON}} {
		b.Run(c.from.String()+"-to-"+c.to.String(), func(b *testing.B) {
			b.SetBytes(int64(len(text[c.from])))
			for b.Loop() {
				doc, err := Parse(text[c.from], nil)
				require.NoError(b, err)
				require.NoError(b, doc.Write(io.Discard, &WriteOptions{Format: c.to}))
			}
		})
	}
}

// BenchmarkConvertSizes converts the rev 5 catalog and texts with its groups
// several times over: the time for a byte is to stay.
func BenchmarkConvertSizes(b *testing.B) {
	text := string(corpus.Read(b, rev5XML))
	from, to := strings.Index(text, "<group"), strings.Index(text, "<back-matter")
	for _, times := range []int{1, 2, 4, 8} {
		large := text[:from] + strings.Repeat(text[from:to], times) + text[to:]
		b.Run(strconv.Itoa(times), func(b *testing.B) {
			b.SetBytes(int64(len(large)))
			for b.Loop() {
				doc, err := Parse(large, nil)
				require.NoError(b, err)
				require.NoError(b, doc.Write(io.Discard, &WriteOptions{Format: JSON}))
			}
		})
	}
}

// BenchmarkLoadMetaschema loads the modules of OSCAL, beside the tokens alone of
// encoding/xml on the same texts.
func BenchmarkLoadMetaschema(b *testing.B) {
	fsys := os.DirFS(corpus.Path(b, "oscal/metaschema-1.2.2"))
	names, err := fs.Glob(fsys, "*.xml")
	require.NoError(b, err)
	var texts [][]byte
	size := int64(0)
	for _, name := range names {
		text, err := fs.ReadFile(fsys, name)
		require.NoError(b, err)
		texts, size = append(texts, text), size+int64(len(text))
	}
	b.Run("issokit", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			_, err := LoadMetaschema(fsys, "oscal_complete_metaschema.xml", nil)
			require.NoError(b, err)
		}
	})
	b.Run("encoding-xml-tokens", func(b *testing.B) {
		b.SetBytes(size)
		for b.Loop() {
			for _, text := range texts {
				dec := xml.NewDecoder(bytes.NewReader(text))
				dec.Strict = false // entities of the document type
				for {
					if _, err := dec.Token(); err != nil {
						require.ErrorIs(b, err, io.EOF)
						break
					}
				}
			}
		}
	})
}
