package constraint

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/defenseunicorns/go-oscal/src/pkg/validation"
	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

// largeText is the 10 MB catalog of the corpus' recipe for tests of speed:
// copies of the groups of the rev 5 catalog with ids of their own. It is built
// once.
var largeText string

func largeCatalog(tb testing.TB) string {
	tb.Helper()
	if largeText != "" {
		return largeText
	}
	var doc map[string]map[string]any
	require.NoError(tb, json.Unmarshal(corpus.Read(tb, "oscal/catalogs/nist-rev5/NIST_SP-800-53_rev5_catalog.json"), &doc))
	cat := doc["catalog"]
	groups := cat["groups"].([]any)
	write := func(v any) []byte {
		var b bytes.Buffer
		enc := json.NewEncoder(&b)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		require.NoError(tb, enc.Encode(v))
		return b.Bytes()
	}
	size := len(write(doc))
	all := groups
	for i := 0; size < 10_200_000; i++ {
		g := copyGroup(tb, groups[i%len(groups)], i/len(groups)+2)
		size += len(write(g)) + 1000 // about; what counts is the order of size
		all = append(all, g)
	}
	cat["groups"] = all
	largeText = string(write(doc))
	return largeText
}

var insertID = regexp.MustCompile(`\{\{ *insert: *param, *([^ }]+) *\}\}`)

func copyGroup(tb testing.TB, g any, round int) any {
	tb.Helper()
	data, err := json.Marshal(g)
	require.NoError(tb, err)
	var c any
	require.NoError(tb, json.Unmarshal(data, &c))
	ids := map[string]bool{}
	var collect func(v any)
	collect = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			if id, ok := v["id"].(string); ok {
				ids[id] = true
			}
			for _, x := range v {
				collect(x)
			}
		case []any:
			for _, x := range v {
				collect(x)
			}
		}
	}
	collect(c)
	suffix := fmt.Sprintf("-r%d", round)
	text := func(s string) string {
		if strings.HasPrefix(s, "#") && ids[s[1:]] {
			return s + suffix
		}
		return insertID.ReplaceAllStringFunc(s, func(m string) string {
			id := insertID.FindStringSubmatch(m)[1]
			if !ids[id] {
				return m
			}
			return "{{ insert: param, " + id + suffix + " }}"
		})
	}
	var rename func(v any) any
	rename = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for k, x := range v {
				s, ok := x.(string)
				switch {
				case ok && k == "id":
					v[k] = s + suffix
				case ok && k == "uuid":
					v[k] = oscal.UUID(s + suffix)
				default:
					v[k] = rename(x)
				}
			}
			return v
		case []any:
			for i, x := range v {
				v[i] = rename(x)
			}
			return v
		case string:
			return text(v)
		}
		return v
	}
	return rename(c)
}

// BenchmarkLargeCatalog validates the 10 MB catalog: structure and all built-in
// constraints, and beside it go-oscal's library, which looks at the JSON schema
// only.
func BenchmarkLargeCatalog(b *testing.B) {
	text := largeCatalog(b)
	b.Run("read", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			_, err := oscal.Parse(text, nil)
			require.NoError(b, err)
		}
	})
	b.Run("constraints", func(b *testing.B) {
		doc, err := oscal.Parse(text, nil)
		require.NoError(b, err)
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			_, err := Validate(b.Context(), doc, nil)
			require.NoError(b, err)
		}
	})
	b.Run("read and constraints", func(b *testing.B) {
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			doc, err := oscal.Parse(text, nil)
			require.NoError(b, err)
			_, err = Validate(b.Context(), doc, nil)
			require.NoError(b, err)
		}
	})
	b.Run("go-oscal", func(b *testing.B) {
		file := filepath.Join(b.TempDir(), "large.json")
		require.NoError(b, os.WriteFile(file, []byte(text), 0o600))
		b.SetBytes(int64(len(text)))
		b.ReportAllocs()
		for b.Loop() {
			v, err := validation.NewValidatorDesiredVersion([]byte(text), "1.2.2")
			require.NoError(b, err)
			require.NoError(b, v.Validate())
		}
	})
}

// BenchmarkFedRAMP validates FedRAMP's example plan (1.2 MB) with the built-in
// set and its three sets; they read a resolved catalog of 3.7 MB.
func BenchmarkFedRAMP(b *testing.B) {
	table := readJSON[fedrampTable](b, "fedramp/cases.json")
	loader := table.loader(b)
	sets := fedramp(b, nil)
	text := string(corpus.Read(b, "oscal/constraints/fedramp/content/fedramp-ssp-example.oscal.xml"))
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		doc, err := oscal.Parse(text, nil)
		require.NoError(b, err)
		_, err = Validate(b.Context(), doc, &Options{Sets: sets, Loader: loader, Now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC)})
		require.NoError(b, err)
	}
}
