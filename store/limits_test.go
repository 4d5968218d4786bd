package store_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/memory"
)

// TestExportLimits: what a store takes can be exported and read back; who reads
// bounds what he takes.
func TestExportLimits(t *testing.T) {
	open := func(o store.Options) *store.Scope {
		return store.New(memory.New(nil), &o).Scope(store.Principal{Actor: "p"})
	}
	s := open(store.Options{})
	d, err := s.PutBlob(t.Context(), make([]byte, 10<<20))
	require.NoError(t, err)
	require.NoError(t, controlRecords(s).Create(t.Context(), control{ID: "ac-1", Owner: strings.Repeat("x", 500)}))
	var text bytes.Buffer
	require.NoError(t, s.Export(t.Context(), &text, nil))
	_, err = store.VerifyExport(bytes.NewReader(text.Bytes()), &store.VerifyOptions{MaxLine: 5 << 20})
	require.NoError(t, err, "a blob of any size comes in pieces")
	_, err = store.VerifyExport(bytes.NewReader(text.Bytes()), &store.VerifyOptions{MaxLine: 500})
	require.ErrorIs(t, err, store.ErrTooLarge)
	require.ErrorContains(t, err, "line 3")

	_, err = open(store.Options{MaxBlob: 9 << 20}).Import(t.Context(), bytes.NewReader(text.Bytes()), nil)
	require.ErrorIs(t, err, store.ErrTooLarge)
	_, err = open(store.Options{MaxRecord: 500}).Import(t.Context(), bytes.NewReader(text.Bytes()), nil)
	require.ErrorContains(t, err, "at most 500 are allowed")
	to := open(store.Options{})
	_, err = to.Import(t.Context(), bytes.NewReader(text.Bytes()), nil)
	require.NoError(t, err)
	data, err := to.Blob(t.Context(), d)
	require.NoError(t, err)
	require.Len(t, data, 10<<20)
}

// weighed is a back end that knows the most bytes that an Update has put.
type weighed struct {
	driver.Backend
	most int
}

type weighedTx struct {
	driver.Tx
	size int
}

func (w *weighed) Update(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	return w.Backend.Update(ctx, tenant, func(tx driver.Tx) error {
		x := &weighedTx{Tx: tx}
		err := fn(x)
		w.most = max(w.most, x.size)
		return err
	})
}

func (x *weighedTx) Put(ctx context.Context, collection string, was, r driver.Record) error {
	x.size += len(r.Data)
	return x.Tx.Put(ctx, collection, was, r)
}

// TestImportInParts: the memory that an import needs is not that of its largest 500
// records.
func TestImportInParts(t *testing.T) {
	from := store.New(memory.New(nil), nil).Scope(store.Principal{Actor: "p"})
	c := controlRecords(from)
	for i := range 24 {
		require.NoError(t, c.Create(t.Context(), control{ID: fmt.Sprint("c", i), Owner: "o", Text: strings.Repeat("x", 1<<20)}))
	}
	var text bytes.Buffer
	require.NoError(t, from.Export(t.Context(), &text, nil))
	w := &weighed{Backend: memory.New(nil)}
	_, err := store.New(w, nil).Scope(store.Principal{Actor: "p"}).Import(t.Context(), &text, nil)
	require.NoError(t, err)
	require.Less(t, w.most, 2*(5<<20)+1<<20, "4 MiB and a record, each in the trail and by itself")
}

// TestUpgrade: what an Upgrade may not do.
func TestUpgrade(t *testing.T) {
	s := store.New(memory.New(nil), nil).Scope(store.Principal{Actor: "p"})
	require.NoError(t, controlRecords(s).Create(t.Context(), control{ID: "ac-1", Owner: "ops"}))
	for _, tt := range []struct {
		name    string
		upgrade func(int, []byte) ([]byte, error)
		want    string
	}{
		{"nothing", func(_ int, b []byte) ([]byte, error) { return b, nil }, ""},
		{"no function", nil, "content of version 0, and no Upgrade to 1"},
		{"an error", func(int, []byte) ([]byte, error) { return nil, errors.New("boom") }, "upgrade from version 0: boom"},
		{"no JSON", func(int, []byte) ([]byte, error) { return []byte("junk"), nil }, "invalid character"},
		{"no text", func(int, []byte) ([]byte, error) { return nil, nil }, "EOF"},
		{"text behind", func(_ int, b []byte) ([]byte, error) { return append(b, "{}garbage"...), nil }, "there is text behind the JSON value"},
		{"another key", func(_ int, b []byte) ([]byte, error) { return bytes.Replace(b, []byte("ac-1"), []byte("zz-9"), 1), nil }, `has the key "zz-9"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := store.NewCollection(s, "controls", controlID, &store.CollectionOptions[control]{Version: 1, Upgrade: tt.upgrade})
			v, err := c.Get(t.Context(), "ac-1")
			if tt.want == "" {
				require.NoError(t, err)
				require.Equal(t, control{ID: "ac-1", Owner: "ops"}, v)
				return
			}
			require.ErrorContains(t, err, tt.want)
			require.Zero(t, v)
			for v, err := range c.All(t.Context()) {
				require.Error(t, err)
				require.Zero(t, v)
			}
		})
	}
}

// TestLogReadsOfAll: a second declaration does not read unseen.
func TestLogReadsOfAll(t *testing.T) {
	s := store.New(memory.New(nil), nil).Scope(store.Principal{Actor: "p"})
	plain := store.NewCollection(s, "secret", controlID, nil)
	c := store.NewCollection(s, "secret", controlID, &store.CollectionOptions[control]{LogReads: true})
	require.NoError(t, c.Create(t.Context(), control{ID: "a"}))
	_, err := plain.Get(t.Context(), "a")
	require.NoError(t, err)
	for _, err := range store.NewCollection(s, "secret", controlID, nil).All(t.Context()) {
		require.NoError(t, err)
	}
	_, err = store.NewCollection(s, "open", controlID, nil).Get(t.Context(), "a")
	require.ErrorIs(t, err, store.ErrNotFound)
	var actions []store.Action
	for e, err := range s.Trail(t.Context(), 0, 0) {
		require.NoError(t, err)
		actions = append(actions, e.Action)
	}
	require.Equal(t, []store.Action{store.ActionPut, store.ActionRead, store.ActionRead}, actions)
}

// TestFutureClock: what Options.Now says of a clock that was ahead.
func TestFutureClock(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := store.New(memory.New(nil), &store.Options{Now: func() time.Time { return now }}).Scope(store.Principal{Actor: "p"})
	c := controlRecords(s)
	ahead := now.AddDate(1, 0, 0)
	now = ahead
	require.NoError(t, c.Create(t.Context(), control{ID: "a"}))
	now = now.AddDate(-1, 0, 1)
	require.NoError(t, c.Create(t.Context(), control{ID: "b"}))
	v, err := c.Load(t.Context(), "b")
	require.NoError(t, err)
	require.Equal(t, ahead, v.Time)
	_, err = c.At(t.Context(), "b", now.AddDate(0, 1, 0))
	require.ErrorIs(t, err, store.ErrNotFound)
	_, err = c.At(t.Context(), "b", ahead)
	require.NoError(t, err)
}

// TestText: what a name must not do to the line that it stands in.
func TestText(t *testing.T) {
	st := store.New(memory.New(nil), nil)
	for _, x := range []string{"\n", "\x1b", "\x7f", "\u0085", "\u009b", "\u2028", "\u2029", "\u061c", "\u200e", "\u200f", "\u202a", "\u202e", "\u2066", "\u2069"} {
		s := st.Scope(store.Principal{Actor: "p"})
		require.ErrorIs(t, controlRecords(s).Create(t.Context(), control{ID: "a" + x}), store.ErrInvalid, "%q", x)
		for _, p := range []store.Principal{{Actor: "p" + x}, {Actor: "p", Tenant: "t" + x}} {
			require.ErrorIs(t, controlRecords(st.Scope(p)).Create(t.Context(), control{ID: "a"}), store.ErrInvalid, "%q", x)
		}
	}
	for i, x := range []string{"é", "e\u0301", "日本", "😀", "\u00a0", "\u200d", "עברית", "\ufeff"} {
		s := st.Scope(store.Principal{Actor: "p" + x, Tenant: "t" + x})
		require.NoError(t, controlRecords(s).Create(t.Context(), control{ID: fmt.Sprint(x, i)}), "%q", x)
	}
}

// A scope begins with version 0, of people by one name; version 1 has two.
type person struct {
	ID     string `json:"id"`
	Given  string `json:"given"`
	Family string `json:"family"`
}

func ExampleCollectionOptions_upgrade() {
	ctx := context.Background()
	scope := open()
	type old struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	_ = store.NewCollection(scope, "people", func(p old) string { return p.ID }, nil).Create(ctx, old{"p-1", "Ada Lovelace"})

	// Every version has its step; content of version 0 goes through all of them.
	upgrade := func(from int, content []byte) ([]byte, error) {
		switch from {
		case 0:
			var p old
			if err := json.Unmarshal(content, &p); err != nil {
				return nil, err
			}
			given, family, _ := strings.Cut(p.Name, " ")
			return json.Marshal(person{p.ID, given, family})
		}
		return nil, fmt.Errorf("no way from version %d", from)
	}
	people := store.NewCollection(scope, "people", func(p person) string { return p.ID }, &store.CollectionOptions[person]{Version: 1, Upgrade: upgrade})
	v, err := people.Load(ctx, "p-1")
	fmt.Println(v.Value.Family, v.Revision, err) // reading makes no revision
	v.Value.Family = "King"
	fmt.Println(people.Swap(ctx, v.Value, v.Revision)) // this writes version 1
	// Output:
	// Lovelace 1 <nil>
	// 2 <nil>
}

func ExampleCollection_Seal() {
	ctx := context.Background()
	c := controlRecords(open())
	_ = c.Create(ctx, control{ID: "ac-1", Owner: "ops", Score: 3})
	fmt.Println(c.Seal(ctx, "ac-1", 1)) // the assessment is signed: it stays as it is
	err := c.Put(ctx, control{ID: "ac-1", Owner: "ops", Score: 4})
	fmt.Println(errors.Is(err, store.ErrSealed))
	v, _ := c.Load(ctx, "ac-1")
	fmt.Println(v.Action, v.Revision, v.Value.Score)
	// Output:
	// <nil>
	// true
	// seal 2 3
}

func ExampleCollection_Erase() {
	ctx := context.Background()
	scope := open()
	c := controlRecords(scope)
	digest, _ := scope.PutBlob(ctx, []byte("a scan of a passport"))
	_ = c.Create(ctx, control{ID: "ac-1", Owner: "p.meyer", Text: digest.String()})
	_ = c.Put(ctx, control{ID: "ac-1", Owner: "the owner of the system"})

	fmt.Println(c.Erase(ctx, "ac-1"))  // all past versions
	fmt.Println(scope.SweepBlobs(ctx)) // and the blobs that only they named
	for v := range c.History(ctx, "ac-1") {
		fmt.Printf("%v %d %v %q\n", v.Action, v.Revision, v.Erased, v.Value.Owner)
	}
	report, err := scope.Verify(ctx, nil) // the trail has the digests, and stays valid
	fmt.Println(report.Erased, err)
	// Output:
	// <nil>
	// 1 <nil>
	// erase 2 false ""
	// put 2 false "the owner of the system"
	// put 1 true ""
	// 1 <nil>
}

func ExampleCollection_CheckIndex() {
	ctx := context.Background()
	scope := open()
	_ = controlRecords(scope).Create(ctx, control{ID: "ac-1", Owner: "ops"})

	// A new version of the program searches by more.
	c := store.NewCollection(scope, "controls", controlID, &store.CollectionOptions[control]{
		Attrs: map[string]func(control) []string{
			"family": func(c control) []string { return []string{c.ID[:2]} },
		},
	})
	fmt.Println(c.CheckIndex(ctx))
	fmt.Println(c.Reindex(ctx))
	for v := range c.Query(ctx, store.Query{Where: []store.Cond{store.Equal("family", "ac")}}) {
		fmt.Println(v.Key)
	}
	// Output:
	// 1 <nil>
	// 1 <nil>
	// ac-1
}
