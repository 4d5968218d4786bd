package profile

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

// BenchmarkBaseline resolves the published baselines with their catalog parsed
// already, beside reading that catalog.
func BenchmarkBaseline(b *testing.B) {
	for _, c := range readCases(b) {
		if c.Set != "full" {
			continue
		}
		b.Run(strings.TrimPrefix(c.ID, "full/"), func(b *testing.B) {
			s := c.resolver(b, "json")
			res, err := s.ResolveURI(b.Context(), fileURI(b, c.Profile["json"]), nil) // from here on all is in memory
			require.NoError(b, err)
			d, _, err := s.load(b.Context(), res.Documents[1])
			require.NoError(b, err)
			data, err := os.ReadFile(loadedFile(b, &c, res.Documents[1]))
			require.NoError(b, err)
			require.Equal(b, d.doc.Model(), "catalog")
			b.Run("resolve", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, err := s.ResolveURI(b.Context(), res.Documents[0], nil)
					require.NoError(b, err)
				}
			})
			b.Run("read-catalog", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					_, err := oscal.Read(bytes.NewReader(data), nil)
					require.NoError(b, err)
				}
			})
		})
	}
}

// loadedFile is the file that the loader of a case takes for a URI.
func loadedFile(t testing.TB, c *resolutionCase, uri string) string {
	text, _, err := c.resolver(t, "json").loader.Load(t.Context(), uri)
	require.NoError(t, err)
	defer text.Close()
	return text.(*os.File).Name()
}

// BenchmarkLinear resolves catalogs of one, two and four times the size; ns/byte
// must not grow.
func BenchmarkLinear(b *testing.B) {
	for _, structure := range []string{`"flat": {}`, `"as-is": true`, `"custom": {"insert-controls": [{"order": "ascending", "include-all": {}}]}`} {
		for _, times := range []int{1, 2, 4} {
			b.Run(fmt.Sprintf("%s/%dx", strings.Split(structure, `"`)[1], times), func(b *testing.B) {
				text, profile := replicated(b, times, structure)
				catalog, err := oscal.Parse(text, nil)
				require.NoError(b, err)
				doc, err := oscal.Parse(profile, &oscal.ReadOptions{Name: "profile.json"})
				require.NoError(b, err)
				s := NewResolver(nil, nil)
				s.Add("catalog.json", catalog)
				b.SetBytes(int64(len(text)))
				for b.Loop() {
					_, err := s.Resolve(b.Context(), doc, nil)
					require.NoError(b, err)
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(text)), "ns/byte")
			})
		}
	}
}

// replicated is the rev 5 catalog with its groups several times, each time under
// other ids, and a profile that selects, sets and alters all of it.
func replicated(t testing.TB, times int, structure string) (catalog, profile string) {
	t.Helper()
	doc, err := oscal.Parse(string(corpus.Read(t, "oscal", "catalogs", "nist-rev5", "NIST_SP-800-53_rev5_catalog.json")), nil)
	require.NoError(t, err)
	root := doc.Root()
	var groups, children []*oscal.Node
	for n := range root.Children() {
		children = append(children, n)
		if n.Name() == "group" {
			groups = append(groups, n)
		}
	}
	for round := 2; round <= times; round++ {
		for _, g := range groups {
			c := g.Clone()
			rename(c, fmt.Sprintf("-r%d", round))
			children = append(children, c)
		}
	}
	root.SetChildren(children)
	var alters, sets []string
	for n := range root.Walk() {
		switch n.Name() {
		case "control":
			alters = append(alters, fmt.Sprintf(`{"control-id": %q, "adds": [{"props": [{"name": "n", "value": "v"}]}], "removes": [{"by-item-name": "link"}]}`, n.Get("id")))
		case "param":
			sets = append(sets, fmt.Sprintf(`{"param-id": %q, "values": ["v"]}`, n.Get("id")))
		}
	}
	return write(t, doc), fmt.Sprintf(`{"profile": {"uuid": "aaaaaaaa-0000-4000-8000-000000000000",
		"metadata": {"title": "T", "last-modified": "2026-01-01T00:00:00Z", "version": "1", "oscal-version": "1.0.0"},
		"imports": [{"href": "catalog.json", "include-all": {}}], "merge": {%s},
		"modify": {"set-parameters": [%s], "alters": [%s]}}}`, structure, strings.Join(sets, ","), strings.Join(alters, ","))
}

// rename gives another id to all that has one, and to what refers to it.
func rename(n *oscal.Node, suffix string) {
	for c := range n.Walk() {
		switch {
		case c.Name() == "id" && c.Kind() == oscal.Flag:
			c.SetValue(c.Value() + suffix)
		case c.Name() == "href" && strings.HasPrefix(c.Value(), "#") && !oscal.TypeUUID.Valid(c.Value()[1:]):
			c.SetValue(c.Value() + suffix)
		default:
			c.SetValue(strings.ReplaceAll(c.Value(), " }}", suffix+" }}"))
		}
	}
}

// BenchmarkGroupsOfOneID merges many imports into the groups of the first.
func BenchmarkGroupsOfOneID(b *testing.B) {
	data := corpus.Read(b, "oscal", "catalogs", "nist-rev5", "NIST_SP-800-53_rev5_catalog.json")
	catalog, err := oscal.Parse(string(data), &oscal.ReadOptions{Name: filepath.Base("catalog.json")})
	require.NoError(b, err)
	for _, imports := range []int{1, 2, 4} {
		b.Run(fmt.Sprint(imports), func(b *testing.B) {
			imp := strings.Repeat(`,{"href": "catalog.json", "include-all": {}}`, imports)[1:]
			doc, err := oscal.Parse(fmt.Sprintf(`{"profile": {"uuid": "aaaaaaaa-0000-4000-8000-000000000000",
				"metadata": {"title": "T", "last-modified": "2026-01-01T00:00:00Z", "version": "1", "oscal-version": "1.0.0"},
				"imports": [%s], "merge": {"as-is": true}}}`, imp), &oscal.ReadOptions{Name: "profile.json"})
			require.NoError(b, err)
			s := NewResolver(nil, nil)
			s.Add("catalog.json", catalog)
			for b.Loop() {
				_, err := s.Resolve(b.Context(), doc, nil)
				require.NoError(b, err)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(imports), "ns/import")
		})
	}
}
