package documents_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/documents"
	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/memory"
)

func open() (*store.Scope, *documents.Library) {
	now := func() time.Time { return time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC) }
	s := store.New(memory.New(nil), &store.Options{Now: now}).Scope(store.Principal{Tenant: "t", Actor: "p"})
	return s, documents.NewLibrary(s)
}

func names(t *testing.T, l *documents.Library, q documents.Query) []string {
	out := []string{}
	for e, err := range l.Find(t.Context(), q) {
		require.NoError(t, err)
		out = append(out, e.Name)
	}
	return out
}

// TestLargeCatalog: the NIST SP 800-53 rev 5 catalog, 10 MB, twice and under two
// names, is kept once; the bytes that come back are those that went in.
func TestLargeCatalog(t *testing.T) {
	text := corpus.Read(t, "oscal", "catalogs", "nist-rev5", "NIST_SP-800-53_rev5_catalog.json")
	s, l := open()
	e, r, err := l.Put(t.Context(), "nist", text, 0)
	require.NoError(t, err)
	require.Equal(t, int64(1), r)
	require.Equal(t, "catalog", e.Model)
	// SP 800-53 rev 5.1.1 and later have 1,196 controls and enhancements with those
	// withdrawn; 5.2.0 added three and more: the catalog itself is counted here.
	require.Len(t, e.Controls, strings.Count(string(text), `"class": "SP800-53"`)+strings.Count(string(text), `"class": "SP800-53-enhancement"`))
	_, _, err = l.Put(t.Context(), "copy", text, 0)
	require.NoError(t, err)
	_, r, err = l.Put(t.Context(), "nist", text, 1)
	require.NoError(t, err)
	require.Equal(t, int64(2), r)
	back, err := l.Text(t.Context(), "nist")
	require.NoError(t, err)
	require.True(t, string(text) == string(back))
	report, err := s.Verify(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, []int64{1, 2}, []int64{report.Blobs, report.Records})

	require.Equal(t, []string{"copy", "nist"}, names(t, l, documents.Query{Control: "ac-2.1"}))
	require.Equal(t, []string{}, names(t, l, documents.Query{Control: "ac-2.99"}))
	require.Equal(t, []string{"copy", "nist"}, names(t, l, documents.Query{Model: "catalog", UUID: e.UUID, Title: "security PRIVACY controls"}))
	require.Equal(t, []string{}, names(t, l, documents.Query{Title: "security risotto"}))
	require.Equal(t, []string{}, names(t, l, documents.Query{Title: "?"}))
	require.Equal(t, []string{}, names(t, l, documents.Query{Model: "profile"}))
	doc, err := l.Document(t.Context(), "nist")
	require.NoError(t, err)
	require.Equal(t, e.UUID, doc.Root().Get("uuid"))
}

// TestCorpus puts all valid documents of a folder of the corpus.
func TestCorpus(t *testing.T) {
	folder := corpus.Path(t, "oscal", "documents")
	_, l := open()
	want := map[string][]string{}
	n := 0
	require.NoError(t, filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !slices.Contains([]string{".json", ".yaml", ".yml"}, filepath.Ext(path)) {
			return err
		}
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		name, _ := filepath.Rel(folder, path)
		e, _, err := l.Put(t.Context(), filepath.ToSlash(name), text, 0)
		if err != nil {
			_, ok := err.(oscal.Problems)
			require.True(t, ok, "%s: %v", name, err)
			return nil
		}
		n++
		want[e.Model] = append(want[e.Model], e.Name)
		back, err := l.Text(t.Context(), e.Name)
		require.NoError(t, err)
		require.True(t, string(text) == string(back), name)
		return nil
	}))
	require.Greater(t, n, 10)
	for model, list := range want {
		slices.Sort(list)
		require.Equal(t, list, names(t, l, documents.Query{Model: model}))
	}
}

func TestRefused(t *testing.T) {
	s, l := open()
	for _, text := range []string{"", "{}", `{"catalog":{"uuid":"no"}}`, "\x00"} {
		_, _, err := l.Put(t.Context(), "x", []byte(text), 0)
		require.Error(t, err)
	}
	_, err := l.Text(t.Context(), "x")
	require.ErrorIs(t, err, store.ErrNotFound)
	report, err := s.Verify(t.Context(), nil)
	require.NoError(t, err)
	require.Zero(t, report.Blobs)
}

const catalog = `{"catalog":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"House rules",
"last-modified":"2026-01-01T00:00:00Z","version":"%s","oscal-version":"1.2.2"},
"controls":[{"id":"hr-1","title":"Lock the door"}]}}`

func ExampleLibrary_Find() {
	ctx := context.Background()
	_, library := open()
	_, revision, _ := library.Put(ctx, "house-rules", fmt.Appendf(nil, catalog, "1.0"), 0)
	_, _, _ = library.Put(ctx, "house-rules", fmt.Appendf(nil, catalog, "1.1"), revision)
	for e := range library.Find(ctx, documents.Query{Title: "house", Control: "hr-1"}) {
		fmt.Println(e.Name, e.Model, e.Version)
	}
	for v := range library.Entries().History(ctx, "house-rules") {
		text, _ := library.Version(ctx, v.Value)
		fmt.Println(v.Revision, v.Value.Version, len(text) == v.Value.Size)
	}
	// Output:
	// house-rules catalog 1.1
	// 2 1.1 true
	// 1 1.0 true
}

// minimal is a catalog with a title.
const minimal = `{"catalog":{"uuid":"11111111-1111-4111-8111-111111111111","metadata":{"title":"TITLE","last-modified":"2026-01-01T00:00:00Z","version":"1","oscal-version":"1.1.2"}}}`

// TestFindLong: more words than a query of the store has conditions for, and values
// that no index holds.
func TestFindLong(t *testing.T) {
	s := store.New(memory.New(nil), nil).Scope(store.Principal{Actor: "p"})
	l := documents.NewLibrary(s)
	var words []string
	for i := range 60 {
		words = append(words, fmt.Sprintf("word%02d", i))
	}
	title := strings.Join(words, " ")
	put := func(name, title string) {
		text := strings.Replace(minimal, "TITLE", title, 1)
		_, _, err := l.Put(t.Context(), name, []byte(text), 0)
		require.NoError(t, err)
	}
	put("all", title)
	put("some", strings.Join(words[:59], " "))
	find := func(q documents.Query) []string {
		names := []string{}
		for e, err := range l.Find(t.Context(), q) {
			require.NoError(t, err)
			names = append(names, e.Name)
		}
		return names
	}
	slices.Reverse(words)
	require.Equal(t, []string{"all"}, find(documents.Query{Title: strings.ToUpper(strings.Join(words, ", "))}))
	require.Equal(t, []string{"all", "some"}, find(documents.Query{Title: strings.Join(words[1:], " ")}))
	require.Empty(t, find(documents.Query{Title: title + " more"}))
	long := strings.Repeat("x", 600)
	for _, q := range []documents.Query{{UUID: long}, {Model: long}, {Control: long}, {Title: long}} {
		require.Empty(t, find(q))
	}
}

// TestErase: what was erased of a document is the text, too.
func TestErase(t *testing.T) {
	s := store.New(memory.New(nil), nil).Scope(store.Principal{Actor: "p"})
	l := documents.NewLibrary(s)
	first, revision, err := l.Put(t.Context(), "a", []byte(strings.Replace(minimal, "TITLE", "Ada Lovelace", 1)), 0)
	require.NoError(t, err)
	second, _, err := l.Put(t.Context(), "a", []byte(strings.Replace(minimal, "TITLE", "the owner", 1)), revision)
	require.NoError(t, err)
	require.NoError(t, l.Entries().Erase(t.Context(), "a"))
	n, err := s.SweepBlobs(t.Context())
	require.NoError(t, err)
	require.Equal(t, 1, n)
	_, err = l.Version(t.Context(), first)
	require.ErrorIs(t, err, store.ErrErased)
	_, err = l.Version(t.Context(), second)
	require.NoError(t, err)
	require.NoError(t, l.Verify(t.Context()))
	_, err = s.Verify(t.Context(), nil)
	require.NoError(t, err)
}

// TestVerify: texts and index of a store whose trail knows nothing of blobs.
func TestVerify(t *testing.T) {
	b := memory.New(nil)
	s := store.New(b, nil).Scope(store.Principal{Actor: "p"})
	l := documents.NewLibrary(s)
	for _, name := range []string{"a", "b"} {
		_, _, err := l.Put(t.Context(), name, []byte(strings.Replace(minimal, "TITLE", name, 1)), 0)
		require.NoError(t, err)
	}
	require.NoError(t, l.Verify(t.Context()))
	e, err := l.Entries().Get(t.Context(), "b")
	require.NoError(t, err)
	require.NoError(t, b.Update(t.Context(), "", func(tx driver.Tx) error {
		r, err := tx.Get(t.Context(), "~blob", e.Content.String())
		require.NoError(t, err)
		require.NoError(t, tx.Delete(t.Context(), "~blob", r))
		r, err = tx.Get(t.Context(), "documents", "a")
		require.NoError(t, err)
		fresh := r
		fresh.Attrs = nil
		return tx.Put(t.Context(), "documents", r, fresh)
	}))
	err = l.Verify(t.Context())
	require.ErrorIs(t, err, store.ErrCorrupt)
	require.ErrorContains(t, err, `the text of "b"`)
	require.ErrorContains(t, err, "1 documents are not found")
}
