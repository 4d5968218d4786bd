package profile

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/oscal"
)

const meta = `"metadata": {"title": "T", "last-modified": "2026-01-01T00:00:00Z", "version": "1", "oscal-version": "1.2.2"}`

// text writes a document; what stands after the metadata is given as JSON
// members.
func text(model, members string) string {
	uuid := map[string]string{"profile": "aaaaaaaa-0000-4000-8000-000000000000", "catalog": "cccccccc-0000-4000-8000-000000000000"}[model]
	if members != "" {
		members = ", " + members
	}
	return fmt.Sprintf(`{%q: {"uuid": %q, %s%s}}`, model, uuid, meta, members)
}

const controls2 = `"controls": [{"id": "a", "title": "A"}, {"id": "b", "title": "B"}]`

func resolveText(t testing.TB, docs Map, opts *Options) (*Result, error) {
	t.Helper()
	return NewResolver(docs, nil).ResolveURI(t.Context(), "profile.json", opts)
}

// told is what matters of a problem.
type told struct {
	rule         oscal.Rule
	place, about string
}

func tell(err error) []told {
	var out []told
	for _, p := range problemsOf(err) {
		out = append(out, told{p.Rule, fmt.Sprintf("%s:%s", p.File, p.Pointer), p.Subject})
	}
	return out
}

// TestUnusableImports: each import that cannot be used is told, with its place,
// in order, and without a stop at the first.
func TestUnusableImports(t *testing.T) {
	t.Chdir(t.TempDir())
	require.NoError(t, os.MkdirAll("root/sub", 0o700))
	require.NoError(t, os.WriteFile("secret.json", []byte(text("catalog", controls2)), 0o600))
	require.NoError(t, os.Symlink("../secret.json", "root/link.json"))
	ssp := `{"component-definition": {"uuid": "dddddddd-0000-4000-8000-000000000000", ` + meta + `}}`
	files := map[string]string{
		"broken.json":  `{"catalog": {`,
		"unknown.json": text("catalog", `"colour": "red"`),
		"ssp.json":     ssp,
		"other.json":   `{"song": 1}`,
		"inner.json":   text("profile", `"imports": [{"href": "none.json"}, {"href": "profile.json"}]`),
	}
	hrefs := []told{
		{RuleImportUnavailable, "", "missing.json"},
		{RuleImportUnavailable, "", "https://example.org/catalog.json"},
		{RuleImportUnavailable, "", "../secret.json"},
		{RuleImportUnavailable, "", "sub/../../secret.json"},
		{RuleImportUnavailable, "", "%2e%2e/secret.json"},
		{RuleImportUnavailable, "", "..%2Fsecret.json"},
		{RuleImportUnavailable, "", "/etc/passwd"},
		{RuleImportUnavailable, "", "file:///etc/passwd"},
		{RuleImportUnavailable, "", "//host/x.json"},
		{RuleImportUnavailable, "", "link.json"},
		{RuleImportUnavailable, "", "sub"},
		{RuleImportUnavailable, "", ":b"},
		{RuleImportUnavailable, "", "%zz"},
		{RuleImportUnavailable, "", "."},
		{RuleDocumentInvalid, "", "broken.json"},
		{RuleDocumentInvalid, "", "unknown.json"},
		{RuleNotCatalogOrProfile, "", "ssp.json"},
		{RuleNotCatalogOrProfile, "", "other.json"},
		{RuleResourceNotFound, "", "#eeeeeeee-0000-4000-8000-000000000000"},
		{RuleCircularImport, "", "profile.json"},
	}
	var imports []string
	var want []told
	for i, h := range hrefs {
		imports = append(imports, fmt.Sprintf(`{"href": %q, "include-all": {}}`, h.about))
		h.place = fmt.Sprintf("profile.json:/profile/imports/%d/href", i)
		h.about = strings.TrimPrefix(h.about, "#")
		want = append(want, h)
	}
	imports = append(imports, `{"href": "inner.json", "include-all": {}}`)
	want = append(want,
		told{RuleImportUnavailable, "inner.json:/profile/imports/0/href", "none.json"},
		told{RuleCircularImport, "inner.json:/profile/imports/1/href", "profile.json"},
		told{RuleStructuringDirectives, "profile.json:/profile/merge", "flat as-is"})
	files["profile.json"] = text("profile", `"imports": [`+strings.Join(imports, ",")+`], "merge": {"flat": {}, "as-is": true}`)
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join("root", name), []byte(content), 0o600))
	}
	root, err := os.OpenRoot("root")
	require.NoError(t, err)
	defer root.Close()

	// The profile itself is not valid, as its parts contradict each other on
	// purpose, but nothing of it is lost.
	_, err = NewResolver(FS(root.FS()), nil).ResolveURI(t.Context(), "profile.json", nil)
	require.Error(t, err)
	require.Equal(t, want, tell(err))
	require.ErrorIs(t, err, fs.ErrNotExist)
	require.ErrorIs(t, err, ErrOutside)
	require.ErrorIs(t, err, oscal.ErrInvalid)
	inner := problemsOf(err)[len(want)-2]
	require.Equal(t, []string{"profile.json", "inner.json"}, inner.Chain)
	require.Contains(t, inner.Error(), "inner.json:1:")
	require.NotContains(t, err.Error(), "root:", "nothing of a file outside is shown")
}

// TestResources: how an import by #uuid finds its document.
func TestResources(t *testing.T) {
	const id = "EEEEEEEE-0000-4000-8000-000000000000"
	b64 := base64.StdEncoding.EncodeToString([]byte(text("catalog", `"controls": [{"id": "embedded", "title": "E"}]`)))
	for _, tt := range []struct {
		name, resource string
		want           string // control
		warnings       []string
		rule           oscal.Rule
	}{
		{"link", `"rlinks": [{"href": "catalog.json"}]`, "a", nil, ""},
		{"percent-encoded name", `"rlinks": [{"href": "my%20catalog.json"}]`, "a", nil, ""},
		{"content before links", `"rlinks": [{"href": "catalog.json"}], "base64": {"value": "` + b64 + `"}`, "embedded", nil, ""},
		{"broken content, then a link", `"rlinks": [{"href": "catalog.json"}], "base64": {"value": "AAAA"}`, "a", []string{"resource-skipped " + id}, ""},
		{"media types", `"rlinks": [{"href": "a.pdf", "media-type": "application/pdf"}, {"href": "catalog.json", "media-type": "application/oscal.catalog+json; version=1"}]`, "a", []string{"resource-skipped " + id}, ""},
		{"second link", `"rlinks": [{"href": "none.json"}, {"href": "catalog.json"}]`, "a", []string{"resource-skipped " + id}, ""},
		{"no link is good", `"rlinks": [{"href": "none.json"}, {"href": "a.pdf", "media-type": "application/pdf"}]`, "", nil, RuleImportUnavailable},
		{"the only link is another model", `"rlinks": [{"href": "ssp.json"}]`, "", nil, RuleNotCatalogOrProfile},
		{"nothing", `"title": "x"`, "", nil, RuleImportUnavailable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			docs := Map{
				"catalog.json": text("catalog", controls2), "my catalog.json": text("catalog", controls2),
				"ssp.json":     `{"component-definition": {"uuid": "dddddddd-0000-4000-8000-000000000000", ` + meta + `}}`,
				"profile.json": text("profile", `"imports": [{"href": "#`+id+`", "include-all": {}}], "back-matter": {"resources": [{"uuid": "`+strings.ToLower(id)+`", `+tt.resource+`}]}`),
			}
			res, err := resolveText(t, docs, nil)
			if tt.rule != "" {
				require.Equal(t, []told{{tt.rule, "profile.json:/profile/imports/0/href", id}}, tell(err))
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.want, res.Catalog.Root().Child("control").Get("id"))
			require.Equal(t, tt.warnings, warningsOf(res.Warnings))
		})
	}
}

// TestRelativeToEmbedded: a profile that stands in the back matter imports
// relative to the document that holds it.
func TestRelativeToEmbedded(t *testing.T) {
	inner := base64.StdEncoding.EncodeToString([]byte(text("profile", `"imports": [{"href": "catalog.json", "include-controls": [{"with-ids": ["b"]}]}]`)))
	docs := Map{
		"sub/catalog.json": text("catalog", controls2),
		"profile.json":     text("profile", `"imports": [{"href": "sub/p.json", "include-all": {}}]`),
		"sub/p.json":       text("profile", `"imports": [{"href": "#x", "include-all": {}}], "back-matter": {"resources": [{"uuid": "x", "base64": {"value": "`+inner+`"}}]}`),
	}
	res, err := resolveText(t, docs, nil)
	require.NoError(t, err)
	require.Equal(t, "b", res.Catalog.Root().Child("control").Get("id"))
	require.Equal(t, []string{"profile.json", "sub/p.json", "sub/p.json#x", "sub/catalog.json"}, res.Documents)
}

// TestInvalidImports: a document from which nothing is lost is used, with a
// warning for each of its problems.
func TestInvalidImports(t *testing.T) {
	docs := Map{
		"profile.json": text("profile", `"imports": [{"href": "catalog.json", "include-all": {}}, {"href": "catalog.json", "include-all": {}}], "merge": {"combine": {"method": "use-first"}, "flat": {}}`),
		"catalog.json": text("catalog", `"controls": [{"id": "1st", "title": "A"}, {"id": "b"}]`),
	}
	res, err := resolveText(t, docs, nil)
	require.NoError(t, err)
	require.Equal(t, []string{"document-problem catalog.json", "document-problem catalog.json"}, warningsOf(res.Warnings))
	require.ErrorIs(t, res.Warnings, oscal.ErrInvalid)
}

func TestLimits(t *testing.T) {
	// Each profile imports the next one twice and keeps both: 2^n controls.
	bomb := Map{"p40.json": text("catalog", controls2)}
	for i := range 40 {
		bomb[fmt.Sprintf("p%d.json", i)] = text("profile", fmt.Sprintf(`"imports": [{"href": "p%d.json", "include-all": {}}, {"href": "p%d.json", "include-all": {}}]`, i+1, i+1))
	}
	// Nothing is selected, but much is looked at.
	manyImports := Map{"c.json": text("catalog", `"controls": [`+strings.Repeat(`{"id": "a", "title": "A"},`, 999)+`{"id": "a", "title": "A"}]`)}
	manyImports["p0.json"] = text("profile", `"imports": [`+strings.Repeat(`{"href": "c.json", "include-controls": [{"with-ids": ["b"]}]},`, 999)+`{"href": "c.json", "include-all": {}}]`)
	// Imports that are wrong, by the hundred thousand.
	wrong := func(href string) Map {
		return Map{"p0.json": text("profile", `"imports": [`+strings.Repeat(`{"href": "`+href+`", "include-all": {}},`, 100_000)+`{"href": "x", "include-all": {}}]`)}
	}
	for _, tt := range []struct {
		name   string
		docs   Map
		limits Limits
		want   string
	}{
		{"nodes copied", bomb, Limits{Nodes: 100_000}, "more than 100000 nodes"},
		{"nodes looked at", manyImports, Limits{Nodes: 100_000}, "more than 100000 nodes"},
		{"depth", bomb, Limits{Depth: 10}, "deeper than 10"},
		{"documents", bomb, Limits{Documents: 10}, "more than 10 documents"},
		{"circular imports", wrong("p0.json"), Limits{}, "more than 999 problems"},
		{"missing imports", wrong("missing.json"), Limits{}, "more than 999 problems"},
		{"missing resources", wrong("#missing"), Limits{}, "more than 999 problems"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := NewResolver(tt.docs, &tt.limits).ResolveURI(t.Context(), "p0.json", nil)
			ps := problemsOf(err)
			require.Contains(t, []int{1, maxProblems}, len(ps), "%v", err)
			last := ps[len(ps)-1]
			require.Equal(t, RuleLimit, last.Rule)
			require.Contains(t, last.Message, tt.want)
			require.True(t, last.Position.IsValid())
		})
	}
	t.Run("bytes", func(t *testing.T) {
		endless := LoaderFunc(func(_ context.Context, uri string) (io.ReadCloser, string, error) {
			return io.NopCloser(io.MultiReader(strings.NewReader(`{"catalog": "`), zeros{})), "", nil
		})
		_, err := NewResolver(endless, &Limits{Bytes: 1 << 16}).ResolveURI(t.Context(), "p0.json", nil)
		require.Equal(t, []told{{oscal.RuleLimit, "p0.json:", "p0.json"}}, tell(err))
		require.ErrorContains(t, err, "more than 65536 bytes")
	})
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = '0'
	}
	return len(p), nil
}

func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	loader := LoaderFunc(func(_ context.Context, uri string) (io.ReadCloser, string, error) {
		cancel() // while it loads
		return nil, "", context.Canceled
	})
	doc, err := oscal.Parse(text("profile", `"imports": [{"href": "c.json", "include-all": {}}]`), nil)
	require.NoError(t, err)
	_, err = NewResolver(loader, nil).Resolve(ctx, doc, nil)
	require.ErrorIs(t, err, context.Canceled)
}

// TestLoadedOnce: a catalog that is reached twice is loaded once, and so it is
// by many goroutines after another; imports are relative to where a document was
// found.
func TestLoadedOnce(t *testing.T) {
	docs := Map{
		"http://a/profile.json": text("profile", `"imports": [{"href": "c.json", "include-controls": [{"with-ids": ["a"]}]}, {"href": "p.json", "include-all": {}}]`),
		"http://a/p.json":       text("profile", `"imports": [{"href": "sub/../c.json", "include-controls": [{"with-ids": ["b"]}]}, {"href": "moved", "include-controls": [{"with-ids": ["d"]}]}]`),
		"http://a/c.json":       text("catalog", controls2),
		"http://b/q.json":       text("profile", `"imports": [{"href": "d.json", "include-all": {}}]`),
		"http://b/d.json":       text("catalog", `"controls": [{"id": "d", "title": "D"}]`),
	}
	var mu sync.Mutex
	loads := map[string]int{}
	s := NewResolver(LoaderFunc(func(ctx context.Context, uri string) (io.ReadCloser, string, error) {
		mu.Lock()
		loads[uri]++
		mu.Unlock()
		if uri == "http://a/moved" {
			text, _, err := docs.Load(ctx, "http://b/q.json")
			return text, "http://b/q.json", err
		}
		return docs.Load(ctx, uri)
	}), nil)
	first, err := s.ResolveURI(t.Context(), "http://a/profile.json", nil)
	require.NoError(t, err)
	want := write(t, first.Catalog)
	require.Equal(t, []string{"http://a/profile.json", "http://a/c.json", "http://a/p.json", "http://b/q.json", "http://b/d.json"}, first.Documents)
	var wg sync.WaitGroup
	got := make([]string, 8)
	for i := range got {
		wg.Go(func() {
			if res, err := s.ResolveURI(t.Context(), "http://a/profile.json", nil); err == nil {
				got[i] = write(t, res.Catalog)
			}
		})
	}
	wg.Wait()
	for _, g := range got {
		require.Equal(t, want, g)
	}
	require.Equal(t, map[string]int{"http://a/profile.json": 1, "http://a/c.json": 1, "http://a/p.json": 1, "http://a/moved": 1, "http://b/d.json": 1}, loads)
}

func TestOptions(t *testing.T) {
	docs := Map{
		"profile.json": text("profile", `"imports": [{"href": "catalog.json", "include-all": {}}]`),
		"catalog.json": strings.Replace(text("catalog", controls2), "2026-01-01T00:00:00Z", "2026-02-01T00:00:00.50+01:00", 1),
	}
	res, err := resolveText(t, docs, nil)
	require.NoError(t, err)
	md := res.Catalog.Root().Child("metadata")
	require.Equal(t, "2026-02-01T00:00:00.50+01:00", md.Get("last-modified"), "by default that of the newest document")

	nested, err := resolveText(t, docs, &Options{KeepNesting: true})
	require.NoError(t, err)
	require.NotEqual(t, res.Catalog.Root().Get("uuid"), nested.Catalog.Root().Get("uuid"))
	later, err := resolveText(t, docs, &Options{Now: time.Date(2026, 6, 30, 0, 0, 0, 0, time.FixedZone("", 3600)), Tool: "tester 1.0"})
	require.NoError(t, err)
	require.Equal(t, res.Catalog.Root().Get("uuid"), later.Catalog.Root().Get("uuid"))
	md = later.Catalog.Root().Child("metadata")
	require.Equal(t, "2026-06-29T23:00:00Z", md.Get("last-modified"))
	require.Equal(t, "tester 1.0", md.Child("prop").Get("value"))

	const uuid = "99999999-0000-4000-8000-000000000000"
	own, err := resolveText(t, docs, &Options{UUID: uuid})
	require.NoError(t, err)
	require.Equal(t, uuid, own.Catalog.Root().Get("uuid"))

	// A profile without a name, whose place the caller tells.
	doc, err := oscal.Parse(docs["profile.json"], nil)
	require.NoError(t, err)
	res, err = NewResolver(Map{"x/catalog.json": docs["catalog.json"]}, nil).Resolve(t.Context(), doc, &Options{URI: "x/y.json"})
	require.NoError(t, err)
	require.Equal(t, "x/y.json", res.Catalog.Root().Child("metadata").Child("link").Get("href"))
	res, err = NewResolver(docs, nil).Resolve(t.Context(), doc, nil)
	require.NoError(t, err)
	require.Equal(t, "urn:uuid:aaaaaaaa-0000-4000-8000-000000000000", res.Catalog.Root().Child("metadata").Child("link").Get("href"))
}

func TestOtherModels(t *testing.T) {
	catalog, err := oscal.Parse(text("catalog", controls2), nil)
	require.NoError(t, err)
	res, err := NewResolver(nil, nil).Resolve(t.Context(), catalog, nil)
	require.NoError(t, err)
	require.Same(t, catalog, res.Catalog, "a catalog resolves to itself")

	ssp, err := oscal.Parse(`{"component-definition": {"uuid": "dddddddd-0000-4000-8000-000000000000", `+meta+`}}`, &oscal.ReadOptions{Name: "x.json"})
	require.NoError(t, err)
	_, err = NewResolver(nil, nil).Resolve(t.Context(), ssp, nil)
	require.Equal(t, []told{{RuleNotCatalogOrProfile, "x.json:/component-definition", "component-definition"}}, tell(err))

	profile, err := oscal.Parse(text("profile", `"imports": [{"href": "c.json", "include-all": {}}]`), nil)
	require.NoError(t, err)
	_, err = NewResolver(nil, nil).Resolve(t.Context(), profile, nil)
	require.Equal(t, []told{{RuleImportUnavailable, ":/profile/imports/0/href", "c.json"}}, tell(err))
	_, err = NewResolver(Map{"p.json": `{"profile": {"uuid": 1, "colour": "red"}}`}, nil).ResolveURI(t.Context(), "p.json", nil)
	require.Equal(t, []told{
		{oscal.RuleMissing, "p.json:/profile", "p.json"},
		{oscal.RuleMissing, "p.json:/profile", "p.json"},
		{oscal.RuleShape, "p.json:/profile", "p.json"},
		{oscal.RuleUnknown, "p.json:/profile", "p.json"},
	}, tell(err))
	_, err = NewResolver(nil, nil).ResolveURI(t.Context(), "p.json", nil)
	require.Equal(t, []told{{RuleImportUnavailable, "p.json:", "p.json"}}, tell(err))
}

func TestJoin(t *testing.T) {
	// RFC 3986, section 5.4, for the absolute base; the others are ours.
	for _, tt := range []struct{ base, ref, want string }{
		{"http://a/b/c/d;p?q", "g", "http://a/b/c/g"},
		{"http://a/b/c/d;p?q", "./g", "http://a/b/c/g"},
		{"http://a/b/c/d;p?q", "/g", "http://a/g"},
		{"http://a/b/c/d;p?q", "//g", "http://g"},
		{"http://a/b/c/d;p?q", "?y", "http://a/b/c/d;p?y"},
		{"http://a/b/c/d;p?q", "g#s", "http://a/b/c/g"},
		{"http://a/b/c/d;p?q", "../../../g", "http://a/g"},
		{"http://a/b/c/d;p?q", "g:h", "g:h"},
		{"http://a/b c", "g%20h", "http://a/g%20h"},
		{"a/b.json", "c.json", "a/c.json"},
		{"a/b.json", "../c.json", "c.json"},
		{"a/b.json", "../../c.json", "../c.json"},
		{"", "c.json", "c.json"},
		{"my profile.json", "c%20d.json", "c%20d.json"},
		{"a/b.json", "/c.json", "/c.json"},
		{"a/b.json", "?x", "a/b.json?x"},
		{"/x/a.json", "b.json", "/x/b.json"},
	} {
		got, err := join(baseURI(tt.base), tt.ref)
		require.NoError(t, err)
		require.Equal(t, tt.want, got, "%s in %s", tt.ref, tt.base)
	}
}

func TestFSReadsOnlyFiles(t *testing.T) {
	l := FS(fstest.MapFS{"a b/c.json": {Data: []byte("x")}})
	f, _, err := l.Load(t.Context(), "a%20b/c.json")
	require.NoError(t, err)
	f.Close()
	for _, uri := range []string{"a%20b", "..", "", "/a%20b/c.json", "http://x/a%20b/c.json", "mailto:x", "%", "nul%00"} {
		_, _, err := l.Load(t.Context(), uri)
		require.Error(t, err, uri)
	}
}
