package profile

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

// TestSameBytes: two resolutions of the same documents give the same bytes, and
// the documents are as they were.
func TestSameBytes(t *testing.T) {
	for _, c := range readCases(t) {
		if c.Error != "" || c.Profile["json"] == "" || c.ID == "added/06" {
			continue
		}
		s := c.resolver(t, "json")
		first, err := s.ResolveURI(t.Context(), fileURI(t, c.Profile["json"]), nil)
		require.NoError(t, err)
		before := map[string]string{}
		for _, uri := range first.Documents {
			before[uri] = write(t, s.docs[uri].doc)
		}
		again, err := s.ResolveURI(t.Context(), fileURI(t, c.Profile["json"]), nil)
		require.NoError(t, err)
		fresh, err := c.resolve(t, "json", nil)
		require.NoError(t, err)
		want := write(t, first.Catalog)
		require.True(t, want == write(t, again.Catalog), c.ID)
		require.True(t, want == write(t, fresh.Catalog), c.ID)
		require.Equal(t, first.Warnings, fresh.Warnings)
		for _, uri := range first.Documents {
			require.True(t, before[uri] == write(t, s.docs[uri].doc), "%s: %s was changed", c.ID, uri)
		}
	}
}

// bigCatalogs are the whole catalogs of the corpus in JSON.
func bigCatalogs(t testing.TB) []*oscal.Document {
	var docs []*oscal.Document
	for _, pattern := range []string{"*/*catalog.json", "*/*catalog-min.json"} {
		files, err := filepath.Glob(corpus.Path(t, "oscal/catalogs") + "/" + pattern)
		require.NoError(t, err)
		for _, file := range files {
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			doc, err := oscal.Parse(string(data), &oscal.ReadOptions{Name: filepath.Base(file)})
			require.NoError(t, err)
			docs = append(docs, doc)
		}
	}
	require.GreaterOrEqual(t, len(docs), 6)
	return docs
}

func resolveAll(t testing.TB, catalog *oscal.Document, merge string) *Result {
	s := NewResolver(nil, nil)
	s.Add("catalog.json", catalog)
	doc, err := oscal.Parse(text("profile", `"imports": [{"href": "catalog.json", "include-all": {}}], "merge": {`+merge+`}`), nil)
	require.NoError(t, err)
	res, err := s.Resolve(t.Context(), doc, nil)
	require.NoError(t, err)
	require.Empty(t, res.Warnings)
	return res
}

func controlIDs(n *oscal.Node) []string {
	var ids []string
	for c := range n.Walk() {
		if c.Name() == "control" {
			ids = append(ids, c.Get("id"))
		}
	}
	return ids
}

// TestAllOfACatalog: a profile that takes all of a catalog keeps every control,
// in order; as-is keeps groups and controls to the letter.
func TestAllOfACatalog(t *testing.T) {
	for _, doc := range bigCatalogs(t) {
		t.Run(doc.Name(), func(t *testing.T) {
			want := controlIDs(doc.Root())
			flat := resolveAll(t, doc, `"flat": {}`).Catalog
			require.Equal(t, want, controlIDs(flat.Root()))
			require.Nil(t, flat.Root().Child("group"))
			custom := resolveAll(t, doc, `"custom": {"insert-controls": [{"include-all": {}}]}`).Catalog
			require.Equal(t, want, controlIDs(custom.Root()))
			asIs := resolveAll(t, doc, `"as-is": true`).Catalog
			group := asIs.Root().Child("group")
			for g := range doc.Root().All("group") {
				require.NotNil(t, group)
				require.True(t, equal(g, group), g.Get("id"))
				group = group.Next()
			}
			require.True(t, group == nil || group.Name() != "group")
			for _, res := range []*oscal.Document{flat, custom, asIs} {
				require.Empty(t, res.Check())
			}
			requireNoDangling(t, doc, flat)
		})
	}
}

// requireNoDangling: the parameters and resources that a catalog refers to are
// there, unless its source lacked them too.
func requireNoDangling(t *testing.T, source, res *oscal.Document) {
	t.Helper()
	lacked := map[string]bool{}
	for _, ref := range toParamsAndResources(source) {
		lacked[ref.Target] = lacked[ref.Target] || ref.State != oscal.Resolved
	}
	n := 0
	for _, ref := range toParamsAndResources(res) {
		n++
		require.True(t, ref.State == oscal.Resolved || lacked[ref.Target], "%s: %s", ref.From.Pointer(), ref.Target)
	}
	require.Greater(t, n, 100)
}

// toParamsAndResources are the references to parameters and resources.
func toParamsAndResources(doc *oscal.Document) []oscal.Reference {
	return slices.DeleteFunc(oscal.References([]*oscal.Document{doc}, nil), func(ref oscal.Reference) bool {
		id, internal := strings.CutPrefix(ref.Target, "#")
		return !(internal && oscal.TypeUUID.Valid(id)) && !slices.Equal(ref.Kinds, []string{"param"})
	})
}

// TestBaselinesReferToWhatTheyHave: the published baselines refer to no
// parameter and no resource that is not there.
func TestBaselinesReferToWhatTheyHave(t *testing.T) {
	for _, c := range readCases(t) {
		if c.Set != "full" {
			continue
		}
		res, err := c.resolve(t, "json", nil)
		require.NoError(t, err)
		for _, ref := range toParamsAndResources(res.Catalog) {
			require.Equal(t, oscal.Resolved, ref.State, "%s: %s: %s", c.ID, ref.From.Pointer(), ref.Target)
		}
	}
}

// FuzzResolve: whatever profile and catalog say, resolving gives a catalog that
// can be written and read again, and is valid if they were, or problems with
// their places.
func FuzzResolve(f *testing.F) {
	for _, c := range readCases(f) {
		if c.Set == "full" || c.Profile["json"] == "" {
			continue
		}
		profile := string(corpus.Read(f, cases, c.Profile["json"]))
		for _, name := range []string{"catalog.json", "catalog1.json", "catalogs/abc-simple_catalog.json", "catalogs/loose-parameters.json"} {
			data, err := os.ReadFile(filepath.Join(corpus.Path(f, cases), filepath.Dir(c.Profile["json"]), name))
			if err == nil && len(data) < 5000 {
				f.Add(profile, string(data), len(data)%2 == 0)
			}
		}
	}
	f.Add(text("profile", `"imports": [{"href": "p", "include-all": {}}]`), text("profile", `"imports": [{"href": "x", "include-all": {}}]`), true)
	f.Fuzz(func(t *testing.T, profile, catalog string, keepNesting bool) {
		loader := LoaderFunc(func(_ context.Context, uri string) (io.ReadCloser, string, error) {
			switch uri {
			case "profile.json":
				return io.NopCloser(strings.NewReader(profile)), "", nil
			case "missing":
				return nil, "", io.ErrUnexpectedEOF
			}
			return io.NopCloser(strings.NewReader(catalog)), "catalog.json", nil
		})
		limits := &Limits{Nodes: 100_000, Depth: 10, Documents: 100, Bytes: 1 << 20}
		s := NewResolver(loader, limits)
		res, err := s.ResolveURI(t.Context(), "profile.json", &Options{KeepNesting: keepNesting})
		if err != nil {
			require.NotEmpty(t, problemsOf(err), "%v", err)
			for _, p := range problemsOf(err) {
				require.True(t, p.Position.IsValid() || p.Rule == RuleNotCatalogOrProfile || p.Rule == RuleLimit, "%v", p)
			}
			return
		}
		written := write(t, res.Catalog)
		again, err := oscal.Parse(written, nil)
		valid := true
		for _, uri := range res.Documents {
			valid = valid && s.docs[uri] != nil && s.docs[uri].problems == nil // not: one in the back matter of another
		}
		for _, p := range res.Warnings {
			valid = valid && p.Rule != RuleMixedGroup
		}
		if valid {
			require.NoError(t, err, written)
		}
		if again != nil && err == nil {
			require.Equal(t, written, write(t, again))
		}
		same, err := NewResolver(loader, limits).ResolveURI(t.Context(), "profile.json", &Options{KeepNesting: keepNesting})
		require.NoError(t, err)
		require.Equal(t, written, write(t, same.Catalog))
		require.Equal(t, fmt.Sprint(res.Warnings), fmt.Sprint(same.Warnings))
	})
}

// TestSelectionByDefinition compares, on random catalogs and imports, with the
// definition of inclusion applied to each control by itself.
func TestSelectionByDefinition(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 500 {
		var ids []string
		parents := map[string]string{}
		var controls func(depth int, parent string) string
		controls = func(depth int, parent string) string {
			var out []string
			for range rnd.IntN(4 - depth) {
				id := fmt.Sprintf("c-%d", len(ids))
				ids = append(ids, id)
				parents[id] = parent
				inner := ""
				if depth < 3 {
					if kids := controls(depth+1, id); kids != "" {
						inner = `, "controls": [` + kids + `]`
					}
				}
				out = append(out, fmt.Sprintf(`{"id": %q, "title": "C"%s}`, id, inner))
			}
			return strings.Join(out, ",")
		}
		members := []string{}
		if list := controls(0, ""); list != "" {
			members = append(members, `"controls": [`+list+`]`)
		}
		if list := controls(0, ""); list != "" {
			members = append(members, `"groups": [{"id": "g", "title": "G", "controls": [`+list+`]}]`)
		}

		// A criterion is one include-controls or exclude-controls.
		type criterion struct {
			id, pattern string
			children    bool
		}
		meets := func(id string, list []criterion) bool {
			for _, c := range list {
				for at := id; at != ""; at = parents[at] {
					if at != id && !c.children {
						break
					}
					if ok, _ := path.Match(c.pattern, at); ok && c.pattern != "" || at == c.id {
						return true
					}
				}
			}
			return false
		}
		draw := func(name string) (list []criterion, directive string) {
			var out []string
			for range rnd.IntN(3) {
				c := criterion{children: rnd.IntN(2) == 0}
				what := ""
				if rnd.IntN(2) == 0 {
					c.id = fmt.Sprintf("c-%d", rnd.IntN(12))
					what = fmt.Sprintf(`"with-ids": [%q]`, c.id)
				} else {
					c.pattern = []string{"c-?", "*1", "c-1*", "?-?*", "none"}[rnd.IntN(5)]
					what = fmt.Sprintf(`"matching": [{"pattern": %q}]`, c.pattern)
				}
				list = append(list, c)
				out = append(out, fmt.Sprintf(`{%s, "with-child-controls": %q}`, what, map[bool]string{true: "yes", false: "no"}[c.children]))
			}
			if out == nil {
				return nil, ""
			}
			return list, fmt.Sprintf(`, %q: [%s]`, name, strings.Join(out, ","))
		}
		include, includeText := draw("include-controls")
		exclude, excludeText := draw("exclude-controls")
		var want []string
		for _, id := range ids {
			if (include == nil || meets(id, include)) && !meets(id, exclude) {
				want = append(want, id)
			}
		}
		for _, structure := range []string{`"flat": {}`, `"as-is": true`} {
			docs := Map{
				"catalog.json": text("catalog", strings.Join(members, ",")),
				"profile.json": text("profile", `"imports": [{"href": "catalog.json"`+includeText+excludeText+`}], "merge": {`+structure+`}`),
			}
			res, err := resolveText(t, docs, nil)
			require.NoError(t, err)
			require.Equal(t, want, controlIDs(res.Catalog.Root()), "%s\n%s", docs["catalog.json"], docs["profile.json"])
		}
	}
}
