package profile

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

const cases = "oscal/profile-resolution"

// A resolutionCase is one entry of the corpus' index.
type resolutionCase struct {
	ID          string            `json:"id"`
	Set         string            `json:"set"`
	Profile     map[string]string `json:"profile"`
	Expected    map[string]string `json:"expected"`
	KeepNesting map[string]string `json:"expected-keep-nesting"`
	Error       string            `json:"error"`
	Warnings    []string          `json:"warnings"`
	URIMap      map[string]string `json:"uri-map"`
	Valid       *bool             `json:"profile-schema-valid"`
}

func readCases(t testing.TB) []resolutionCase {
	t.Helper()
	var index struct{ Cases []resolutionCase }
	require.NoError(t, json.Unmarshal(corpus.Read(t, cases, "index.json"), &index))
	require.NotEmpty(t, index.Cases)
	return index.Cases
}

// readable are the formats in which the package oscal reads documents now. The
// corpus has the cases in JSON and XML; for YAML those in JSON are written anew.
func readable(t testing.TB) []string {
	t.Helper()
	forms := []string{"json", "yaml"}
	const probe = `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0" uuid="5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10"><metadata><title>T</title>` +
		`<last-modified>2026-01-01T00:00:00Z</last-modified><version>1</version><oscal-version>1.2.2</oscal-version></metadata></catalog>`
	if doc, err := oscal.Parse(probe, nil); err == nil && doc.Model() == "catalog" {
		forms = append(forms, "xml")
	}
	return forms
}

// caseLoader reads the files of the corpus; uris maps those that would go to
// the network. Some published profiles in JSON name the XML form of their
// catalog; to test one form at a time, the JSON form of that is taken.
type caseLoader struct {
	root string
	uris map[string]string
	form string
}

func (l caseLoader) Load(_ context.Context, uri string) (io.ReadCloser, string, error) {
	name := strings.TrimPrefix(uri, "file://")
	for from, to := range l.uris {
		if uri == from || strings.HasSuffix(uri, "/"+from) {
			name = filepath.Join(l.root, filepath.FromSlash(to))
		}
	}
	if l.form != "xml" {
		for from, to := range map[string]string{
			"nist-rev4/NIST_SP-800-53_rev4_catalog.xml": "nist-rev4/NIST_SP-800-53_rev4_catalog-min.json",
			"nist-rev5/NIST_SP-800-53_rev5_catalog.xml": "nist-rev5/NIST_SP-800-53_rev5_catalog.json",
		} {
			if before, ok := strings.CutSuffix(name, from); ok {
				name = before + to
			}
		}
	}
	if strings.Contains(name, "://") {
		return nil, "", fmt.Errorf("%s: a test loads nothing from the network", uri)
	}
	f, err := os.Open(name)
	if err != nil {
		return nil, "", err
	}
	if l.form == "yaml" {
		defer f.Close()
		return inYAML(f)
	}
	return f, "", nil
}

func inYAML(r io.Reader) (io.ReadCloser, string, error) {
	doc, err := oscal.Read(r, nil)
	if doc == nil {
		return nil, "", err
	}
	var b bytes.Buffer
	err = doc.Write(&b, &oscal.WriteOptions{Format: oscal.YAML})
	return io.NopCloser(&b), "", err
}

func (c *resolutionCase) resolver(t testing.TB, form string) *Resolver {
	return NewResolver(caseLoader{root: corpus.Path(t, cases), uris: c.URIMap, form: form}, nil)
}

func fileURI(t testing.TB, name string) string {
	return "file://" + filepath.ToSlash(corpus.Path(t, cases, name))
}

// TestConformance resolves every case of the corpus, in every form that can be
// read, and compares by its rule R2.
func TestConformance(t *testing.T) {
	forms := readable(t)
	type count struct{ agree, total, skipped int }
	for _, form := range forms {
		counts := map[string]*count{}
		var order []string
		for _, c := range readCases(t) {
			n := counts[c.Set]
			if n == nil {
				n = &count{}
				counts[c.Set] = n
				order = append(order, c.Set)
			}
			n.total++
			if c.file(c.Profile, form) == "" || c.ID == "added/06" && !slices.Contains(forms, "xml") {
				// One case is hostile XML; the base64 content of another is XML.
				n.skipped++
				continue
			}
			if t.Run(form+"/"+c.ID, func(t *testing.T) { c.test(t, form) }) {
				n.agree++
			}
		}
		var sum count
		for _, set := range order {
			n := counts[set]
			t.Logf("%s %-18s %3d of %3d agree, %d cannot be read in this form", form, set, n.agree, n.total, n.skipped)
			sum.agree, sum.total, sum.skipped = sum.agree+n.agree, sum.total+n.total, sum.skipped+n.skipped
		}
		t.Logf("%s %-18s %3d of %3d agree, %d cannot be read in this form", form, "all", sum.agree, sum.total, sum.skipped)
		require.Equal(t, 185, sum.total)
		require.LessOrEqual(t, sum.skipped, 2)
	}
}

// file is that of a form; YAML is made of JSON.
func (c *resolutionCase) file(files map[string]string, form string) string {
	if form == "yaml" {
		form = "json"
	}
	return files[form]
}

func (c *resolutionCase) test(t *testing.T, form string) {
	res, err := c.resolve(t, form, nil)
	if c.Error != "" {
		require.Error(t, err)
		if c.Error == "external-entity-refused" {
			return // by the reader, with a rule of its own
		}
		require.Contains(t, rulesOf(err), c.Error)
		for _, p := range problemsOf(err) {
			require.True(t, p.Position.IsValid(), p.Error())
		}
		return
	}
	require.NoError(t, err)
	requireSame(t, c.expected(t, c.file(c.Expected, form)), res.Catalog)
	for _, want := range c.Warnings {
		require.Contains(t, warningsOf(res.Warnings), want)
	}
	if c.Valid == nil || *c.Valid {
		require.Empty(t, res.Catalog.Check(), "the catalog is valid")
	}
	if c.KeepNesting != nil {
		res, err := c.resolve(t, form, &Options{KeepNesting: true})
		require.NoError(t, err)
		requireSame(t, c.expected(t, c.file(c.KeepNesting, form)), res.Catalog)
	}
}

func (c *resolutionCase) resolve(t *testing.T, form string, opts *Options) (*Result, error) {
	return c.resolver(t, form).ResolveURI(t.Context(), fileURI(t, c.file(c.Profile, form)), opts)
}

func (c *resolutionCase) expected(t *testing.T, name string) *oscal.Document {
	doc, err := oscal.Parse(string(corpus.Read(t, cases, name)), &oscal.ReadOptions{Name: name})
	require.NotNil(t, doc, "%v", err)
	return doc
}

func problemsOf(err error) Problems {
	ps, _ := errors.AsType[Problems](err)
	return ps
}

func rulesOf(err error) []string {
	var rules []string
	for _, p := range problemsOf(err) {
		rules = append(rules, string(p.Rule))
	}
	return rules
}

func warningsOf(ps Problems) []string {
	var out []string
	for _, p := range ps {
		out = append(out, string(p.Rule)+" "+p.Subject)
	}
	return out
}

// requireSame compares two catalogs by rule R2: without metadata and UUID, with
// the default of ns taken as absent, markup by its content.
func requireSame(t *testing.T, want, got *oscal.Document) {
	t.Helper()
	w, g := outline(want.Root()), outline(got.Root())
	for i := range w {
		if i >= len(g) || w[i] != g[i] {
			from := max(0, i-5)
			require.Equal(t, w[from:min(len(w), i+5)], g[min(from, len(g)):min(len(g), i+5)], "from line %d on", from)
		}
	}
	require.Equal(t, len(w), len(g), "the catalog goes on where it should end")
}

// outline lists the nodes of a tree.
func outline(root *oscal.Node) []string {
	var lines []string
	var write func(n *oscal.Node, indent string)
	write = func(n *oscal.Node, indent string) {
		if n.Name() == "ns" && n.Value() == oscal.CoreNamespace {
			return
		}
		v := n.Value()
		if t := n.Member().DataType(); t == oscal.TypeMarkupLine || t == oscal.TypeMarkupMultiline {
			v = strings.Join(strings.Fields(v), " ")
		}
		lines = append(lines, fmt.Sprintf("%s%s %q", indent, n.Name(), v))
		for c := range n.Children() {
			if n == root && (c.Name() == "metadata" || c.Name() == "uuid") {
				continue
			}
			write(c, indent+" ")
		}
	}
	write(root, "")
	return lines
}

// A metadataCase lists what matters of a profile, its imports and the metadata
// of the result.
type metadataCase struct {
	ID    string `json:"id"`
	Input struct {
		Profile map[string]any   `json:"profile"`
		Imports []map[string]any `json:"imports"`
		Option  string           `json:"option"`
		Tool    string           `json:"tool-version"`
	} `json:"input"`
	Expected map[string]any `json:"expected"`
}

// TestMetadata builds the documents of the corpus' metadata cases and looks at
// the facts that each of them states.
func TestMetadata(t *testing.T) {
	var file struct{ Cases []metadataCase }
	require.NoError(t, json.Unmarshal(corpus.Read(t, cases, "metadata-cases.json"), &file))
	require.Len(t, file.Cases, 12)
	for _, c := range file.Cases {
		t.Run(c.ID, func(t *testing.T) { c.test(t) })
	}
}

func (c *metadataCase) test(t *testing.T) {
	if c.Input.Tool != "" {
		require.Equal(t, c.Input.Tool, oscal.ModelVersion, "the case is about a tool of this version")
	}
	texts := Map{}
	var imports []any
	for i, imp := range c.Input.Imports {
		name := fmt.Sprintf("catalog%d.json", i)
		texts[name] = documentOf(t, "catalog", fmt.Sprintf("cccccccc-0000-4000-8000-00000000000%d", i), imp, nil)
		imports = append(imports, map[string]any{"href": name, "include-all": map[string]any{}})
	}
	texts["folder/profile.json"] = documentOf(t, "profile", "aaaaaaaa-0000-4000-8000-000000000000", c.Input.Profile, map[string]any{"imports": imports})
	for name := range maps.Clone(texts) {
		texts["folder/"+name] = texts[name]
	}
	now := time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)
	res, err := NewResolver(texts, nil).ResolveURI(t.Context(), "folder/profile.json", &Options{Now: now, HideSource: c.Input.Option == "hide-source-profile"})
	if want, ok := c.Expected["error"]; ok {
		require.Error(t, err)
		require.Equal(t, []string{want.(string)}, rulesOf(err))
		return
	}
	require.NoError(t, err)
	require.Empty(t, res.Catalog.Check())
	md := res.Catalog.Root().Child("metadata")
	require.Equal(t, "2026-06-30T12:00:00Z", md.Get("last-modified"))
	require.NotEqual(t, "aaaaaaaa-0000-4000-8000-000000000000", res.Catalog.Root().Get("uuid"))
	wantHref := "folder/profile.json"
	for name, want := range c.Expected {
		switch name {
		case "title", "version", "oscal-version", "published":
			require.Equal(t, want, md.Get(name))
		case "props":
			require.Equal(t, want, each(md, "prop", func(n *oscal.Node) any { return n.Get("name") }))
		case "links":
			require.Equal(t, want, each(md, "link", func(n *oscal.Node) any { return n.Get("rel") }))
		case "roles":
			require.Equal(t, want, each(md, "role", func(n *oscal.Node) any {
				return map[string]any{"id": n.Get("id"), "title": n.Get("title")}
			}))
		case "parties":
			require.Equal(t, want, each(md, "party", func(n *oscal.Node) any { return n.Get("uuid") }))
		case "document-ids":
			require.Equal(t, want, each(md, "document-id", func(n *oscal.Node) any { return n.Value() }))
		case "source-profile-href":
			wantHref = "about:blank"
		case "warnings":
			require.Equal(t, []any{"document newer than tool"}, want)
			require.Equal(t, []string{"oscal-version-newer 1.3.0"}, warningsOf(res.Warnings))
		default:
			t.Fatalf("the case states a fact %q that is not tested", name)
		}
	}
	var tools, sources []string
	for p := range md.All("prop") {
		if p.Get("name") == "resolution-tool" {
			tools = append(tools, p.Get("value"))
		}
	}
	for l := range md.All("link") {
		if l.Get("rel") == "source-profile" {
			sources = append(sources, l.Get("href"))
		}
	}
	require.Equal(t, []string{"issokit"}, tools)
	require.Equal(t, []string{wantHref}, sources)
}

func each(n *oscal.Node, name string, f func(*oscal.Node) any) []any {
	out := []any{}
	for c := range n.All(name) {
		out = append(out, f(c))
	}
	return out
}

// documentOf writes a document with the metadata that a case lists in short.
func documentOf(t *testing.T, model, uuid string, short, rest map[string]any) string {
	md := map[string]any{"title": "T", "last-modified": "2020-01-01T00:00:00Z", "version": "1", "oscal-version": "1.0.0"}
	keep := []any{map[string]any{"name": "keep", "value": "always"}}
	for name, v := range short {
		switch name {
		case "props":
			var props []any
			for _, p := range v.([]any) {
				props = append(props, map[string]any{"name": p.([]any)[0], "value": p.([]any)[1]})
			}
			v = props
		case "links":
			var links []any
			for _, l := range v.([]any) {
				links = append(links, map[string]any{"href": l.([]any)[0]})
			}
			v = links
		case "roles":
			var roles []any
			for _, role := range v.([]any) {
				r, full := role.(map[string]any)
				if !full {
					r = map[string]any{"id": role, "title": "T"}
				}
				if r["keep"] == true {
					r["props"] = keep
				}
				delete(r, "keep")
				roles = append(roles, r)
			}
			v = roles
		case "parties":
			v = []any{map[string]any{"uuid": "bbbbbbbb-0000-4000-8000-000000000000", "type": "organization", "name": "P"}}
		case "document-ids":
			v = []any{map[string]any{"identifier": v.([]any)[0]}}
		}
		if list, isList := v.([]any); !isList || len(list) > 0 {
			md[name] = v
		}
	}
	body := map[string]any{"uuid": uuid, "metadata": md}
	maps.Copy(body, rest)
	data, err := json.Marshal(map[string]any{model: body})
	require.NoError(t, err)
	return string(data)
}

// TestVersionOrder compares versions as the corpus' table does.
func TestVersionOrder(t *testing.T) {
	var file struct {
		Order struct{ Rows [][3]any } `json:"version-order"`
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, cases, "metadata-cases.json"), &file))
	require.Len(t, file.Order.Rows, 12)
	for _, row := range file.Order.Rows {
		a, _ := oscal.ParseVersion(row[0].(string))
		b, _ := oscal.ParseVersion(row[1].(string))
		if row[2] == "error" {
			require.Equal(t, oscal.Version{}, a, "%v", row)
			continue
		}
		require.Equal(t, row[2], float64(a.Compare(b)), "%v", row)
	}
}

// write puts a document out as JSON.
func write(t testing.TB, doc *oscal.Document) string {
	t.Helper()
	var b bytes.Buffer
	require.NoError(t, doc.Write(&b, &oscal.WriteOptions{Format: oscal.JSON}))
	return b.String()
}
