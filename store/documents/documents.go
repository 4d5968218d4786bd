// Package documents keeps OSCAL documents in a store: the text as it came, byte
// for byte, once for each content in a tenant, and beside it a record to search
// by, with revisions, history and audit trail like any other. To erase past versions
// with their texts, erase them of the [Library.Entries], and sweep the blobs of the
// scope (store.Scope.SweepBlobs).
package documents

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/store"
)

// Entry is what is known of a document without reading it.
type Entry struct {
	Name         string       `json:"name"`  // key; the caller's, stable over the versions of a document
	Model        string       `json:"model"` // name of the root: catalog, profile and so on
	UUID         string       `json:"uuid"`
	Title        string       `json:"title"`
	Version      string       `json:"version"`
	OSCALVersion string       `json:"oscal-version"`
	LastModified string       `json:"last-modified"` // as the document says it
	Format       string       `json:"format"`        // json, yaml
	Size         int          `json:"size"`          // bytes
	Content      store.Digest `json:"content"`       // of the text
	Controls     []string     `json:"controls"`      // IDs of the controls that it defines or speaks of, sorted
}

// Query selects documents. Members that are "" select nothing; all others must
// fit.
type Query struct {
	Model   string
	Title   string // words, in any order and case, that the title has
	UUID    string
	Control string // ID of a control that the document defines or speaks of
}

// A Library keeps the documents of a tenant in a collection named documents. It
// is safe for concurrent use unless it belongs to a transaction.
type Library struct {
	scope   *store.Scope
	entries *store.Collection[Entry]
}

// maxValue is the longest text that an attribute of a store may have.
const maxValue = 512

// NewLibrary returns the library of a scope.
func NewLibrary(s *store.Scope) *Library {
	one := func(text string) []string {
		if text == "" || len(text) > maxValue {
			return nil
		}
		return []string{text}
	}
	return &Library{s, store.NewCollection(s, "documents", func(e Entry) string { return e.Name }, &store.CollectionOptions[Entry]{
		Attrs: map[string]func(Entry) []string{
			"model":   func(e Entry) []string { return one(e.Model) },
			"uuid":    func(e Entry) []string { return one(e.UUID) },
			"word":    func(e Entry) []string { return words(e.Title) },
			"control": func(e Entry) []string { return e.Controls },
		},
	})}
}

// In returns the library as a part of a transaction.
func (l *Library) In(tx *store.Tx) *Library { return l.For(tx.Scope()) }

// For returns the library as seen by another principal.
func (l *Library) For(s *store.Scope) *Library { return &Library{s, l.entries.For(s)} }

// Entries returns the collection of what is known of the documents: for its
// history, pages, sealing and deletion.
func (l *Library) Entries() *store.Collection[Entry] { return l.entries }

// allWords are the different words of a text in lower case, sorted.
func allWords(text string) []string {
	fields := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	slices.Sort(fields)
	return slices.Compact(fields)
}

// words are those that a document is found by.
func words(text string) []string {
	fields := slices.DeleteFunc(allWords(text), func(w string) bool { return len(w) > maxValue })
	return fields[:min(len(fields), 200)]
}

// controls are the IDs of the controls that a document defines, implements,
// selects or assesses.
func controls(doc *oscal.Document) []string {
	ids := map[string]bool{}
	for n := range doc.Root().Walk() {
		id := ""
		switch n.Name() {
		case "control":
			id = n.Get("id")
		case "control-id", "with-id":
			id = n.Value()
		}
		if id != "" && len(id) <= maxValue {
			ids[id] = true
		}
	}
	return slices.Sorted(maps.Keys(ids))
}

// maxControls is how many controls a document can be found by: the attributes of
// a record are bounded. The largest catalog in use has about 1,200.
const maxControls = 3500

// Put stores the text of a document, in any format that oscal reads, under a name:
// a new version if the name is there. revision is that of the entry that it
// replaces, 0 for none, as for store.Collection.Swap. A text that is no valid
// document is refused with oscal.Problems.
func (l *Library) Put(ctx context.Context, name string, text []byte, revision int64) (Entry, int64, error) {
	doc, err := oscal.Parse(string(text), &oscal.ReadOptions{Name: name})
	if err != nil {
		return Entry{}, 0, err
	}
	meta := doc.Root().Child("metadata")
	e := Entry{
		Name: name, Model: doc.Model(), UUID: doc.Root().Get("uuid"), Title: meta.Get("title"), Version: meta.Get("version"),
		OSCALVersion: doc.Version(), LastModified: meta.Get("last-modified"), Format: doc.Format().String(), Size: len(text),
		Controls: controls(doc),
	}
	if len(e.Controls) > maxControls {
		return Entry{}, 0, fmt.Errorf("documents: %w: %s speaks of %d controls, at most %d are allowed", store.ErrTooLarge, name, len(e.Controls), maxControls)
	}
	err = l.run(ctx, func(s *store.Scope) error {
		var err error
		if e.Content, err = s.PutBlob(ctx, text); err != nil {
			return err
		}
		revision, err = l.entries.For(s).Swap(ctx, e, revision)
		return err
	})
	if err != nil {
		return Entry{}, 0, err
	}
	return e, revision, nil
}

// PutDocument is Put of a document in memory, as JSON.
func (l *Library) PutDocument(ctx context.Context, name string, doc *oscal.Document, revision int64) (Entry, int64, error) {
	var text bytes.Buffer
	if err := doc.Write(&text, &oscal.WriteOptions{Format: oscal.JSON}); err != nil {
		return Entry{}, 0, err
	}
	return l.Put(ctx, name, text.Bytes(), revision)
}

// Text returns the text of a document as it was put. The error matches
// store.ErrNotFound if there is none.
func (l *Library) Text(ctx context.Context, name string) ([]byte, error) {
	e, err := l.entries.Get(ctx, name)
	if err != nil {
		return nil, err
	}
	return l.Version(ctx, e)
}

// Version returns the text of an entry that may be from the history.
func (l *Library) Version(ctx context.Context, e Entry) ([]byte, error) {
	return l.scope.Blob(ctx, e.Content)
}

// Document reads a document.
func (l *Library) Document(ctx context.Context, name string) (*oscal.Document, error) {
	text, err := l.Text(ctx, name)
	if err != nil {
		return nil, err
	}
	return oscal.Parse(string(text), &oscal.ReadOptions{Name: name})
}

// Verify looks that the text of every document is there as it was put, and that
// the documents are found by what they hold: beside what store.Scope.Verify looks
// at, the index against the entries, and the texts of stores that were begun before
// the trail spoke of them. What is wrong is an error that matches store.ErrCorrupt,
// of all documents together.
func (l *Library) Verify(ctx context.Context) error {
	var errs []error
	for e, err := range l.entries.All(ctx) {
		if err != nil {
			return err
		}
		_, err := l.Version(ctx, e)
		switch {
		case errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrErased) || errors.Is(err, store.ErrCorrupt):
			errs = append(errs, fmt.Errorf("documents: the text of %q: %w: %w", e.Name, store.ErrCorrupt, err))
		case err != nil:
			return err
		}
	}
	wrong, err := l.entries.CheckIndex(ctx)
	if err != nil {
		return err
	}
	if wrong > 0 {
		errs = append(errs, fmt.Errorf("documents: %w: %d documents are not found by what they hold", store.ErrCorrupt, wrong))
	}
	return errors.Join(errs...)
}

// Find yields the entries of the documents that a query selects, by name.
func (l *Library) Find(ctx context.Context, q Query) iter.Seq2[Entry, error] {
	var where []store.Cond
	long := false // what no index holds, no document is found by
	for _, c := range []struct{ attr, value string }{{"uuid", q.UUID}, {"control", q.Control}, {"model", q.Model}} {
		long = long || len(c.value) > maxValue
		if c.value != "" {
			where = append(where, store.Equal(c.attr, c.value))
		}
	}
	title := allWords(q.Title)
	for _, w := range title[:min(len(title), maxWords)] {
		long = long || len(w) > maxValue
		where = append(where, store.Equal("word", w))
	}
	return func(yield func(Entry, error) bool) {
		if long || q.Title != "" && len(title) == 0 {
			return // no title has no word
		}
		for v, err := range l.entries.Query(ctx, store.Query{Where: where}) {
			if err == nil && len(title) > maxWords && !hasWords(v.Value.Title, title) {
				continue
			}
			if !yield(v.Value, err) {
				return
			}
		}
	}
}

// maxWords is how many words of a title the store looks for: the conditions of a
// query are bounded. The others are looked for here.
const maxWords = 25

// hasWords tells whether a title has all of some words.
func hasWords(title string, words []string) bool {
	has := allWords(title)
	for _, w := range words {
		if _, ok := slices.BinarySearch(has, w); !ok {
			return false
		}
	}
	return true
}

// run runs fn in the library's transaction or in one of its own.
func (l *Library) run(ctx context.Context, fn func(*store.Scope) error) error {
	if l.scope.InTx() {
		return fn(l.scope)
	}
	return l.scope.Update(ctx, func(tx *store.Tx) error { return fn(tx.Scope()) })
}
