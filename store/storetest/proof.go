package storetest

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
)

// proofCases are about what a verification must find, wherever it is: in the
// trail, beside it, in an export, in a part.
var proofCases = []testCase{
	{"ForgedNamed", func(e *env) {
		get := func(tx driver.Tx, collection, key string) driver.Record {
			r, err := tx.Get(e.ctx, collection, key)
			require.NoError(e, err)
			return r
		}
		blob := store.DigestOf([]byte("the contract")).String()
		for i, c := range []struct {
			name, collection, key string
			bad                   int64
			change                func(tx driver.Tx) error
		}{
			{"untouched", "", "", 0, nil},
			{"a deleted record comes back", "gone", "z", 5, func(tx driver.Tx) error {
				return tx.Put(e.ctx, "gone", driver.Record{}, driver.Record{Key: "z", Revision: 1, Data: get(tx, "~audit", auditKey(4)).Data})
			}},
			{"a record in a collection that no entry names", "fresh", "a", 0, func(tx driver.Tx) error {
				data := strings.Replace(string(get(tx, "items", "a").Data), `"collection":"items"`, `"collection":"fresh"`, 1)
				return tx.Put(e.ctx, "fresh", driver.Record{}, driver.Record{Key: "a", Revision: 2, Data: []byte(data)})
			}},
			{"a record in a reserved collection", "~x", "k", 0, func(tx driver.Tx) error {
				return tx.Put(e.ctx, "~x", driver.Record{}, driver.Record{Key: "k", Revision: 1, Data: []byte("{}")})
			}},
			{"an old version in place of the current one", "items", "a", 2, func(tx driver.Tx) error {
				was := get(tx, "items", "a")
				return tx.Put(e.ctx, "items", was, driver.Record{Key: "a", Revision: 1, Attrs: was.Attrs, Data: get(tx, "~audit", auditKey(1)).Data})
			}},
			{"a blob is gone", "~blob", blob, 6, func(tx driver.Tx) error {
				return tx.Delete(e.ctx, "~blob", get(tx, "~blob", blob))
			}},
			{"a blob is another", "~blob", blob, 6, func(tx driver.Tx) error {
				was := get(tx, "~blob", blob)
				return tx.Put(e.ctx, "~blob", was, driver.Record{Key: blob, Revision: 1, Data: []byte("another")})
			}},
			{"a blob under a name that is no digest", "~blob", "x", 0, func(tx driver.Tx) error {
				return tx.Put(e.ctx, "~blob", driver.Record{}, driver.Record{Key: "x", Revision: 1, Data: []byte("x")})
			}},
			{"a version that the history does not find", "", "", 2, func(tx driver.Tx) error {
				was := get(tx, "~audit", auditKey(2))
				fresh := was
				fresh.Attrs = nil
				return tx.Put(e.ctx, "~audit", was, fresh)
			}},
			{"a version in the history of another", "", "", 2, func(tx driver.Tx) error {
				was := get(tx, "~audit", auditKey(2))
				fresh := was
				fresh.Attrs = get(tx, "~audit", auditKey(3)).Attrs
				return tx.Put(e.ctx, "~audit", was, fresh)
			}},
			{"an entry under another key", "", "", 7, func(tx driver.Tx) error {
				r := get(tx, "~audit", auditKey(2))
				r.Key = "x"
				return tx.Put(e.ctx, "~audit", driver.Record{}, r)
			}},
		} {
			tenant := fmt.Sprintf("forged-%d", i)
			s := e.store.Scope(store.Principal{Tenant: tenant, Actor: "p01"})
			items, gone := newItems(s, "items"), newItems(s, "gone")
			require.NoError(e, items.Create(e.ctx, item{ID: "a", Owner: "x"}))
			require.NoError(e, items.Put(e.ctx, item{ID: "a", Owner: "y"}))
			require.NoError(e, items.Create(e.ctx, item{ID: "b"}))
			require.NoError(e, gone.Create(e.ctx, item{ID: "z"}))
			require.NoError(e, gone.Delete(e.ctx, "z", 1))
			_, err := s.PutBlob(e.ctx, []byte("the contract"))
			require.NoError(e, err)
			if c.change != nil {
				require.NoError(e, e.backend.Update(e.ctx, tenant, c.change), c.name)
			}
			r, err := s.Verify(e.ctx, nil)
			if c.change == nil {
				require.NoError(e, err)
				require.Equal(e, []int64{6, 2, 1}, []int64{r.Entries, r.Records, r.Blobs})
				continue
			}
			bad, ok := errors.AsType[*store.ChainError](err)
			require.True(e, ok, "%s: %v", c.name, err)
			require.Equal(e, []any{tenant, c.bad, c.collection, c.key}, []any{bad.Tenant, bad.Seq, bad.Collection, bad.Key}, "%s: %v", c.name, err)
		}
	}},
	{"BlobsInTrail", func(e *env) {
		for range 2 {
			_, err := e.scope.PutBlob(e.ctx, []byte("one"))
			require.NoError(e, err)
		}
		_, err := e.scope.PutBlob(e.ctx, bytes.Repeat([]byte("two"), 3<<20))
		require.NoError(e, err)
		entries, err := collect(e.scope.Trail(e.ctx, 0, 0))
		require.NoError(e, err)
		require.Len(e, entries, 2, "the same bytes are stored once")
		require.Equal(e, []any{store.ActionBlob, store.DigestOf([]byte("one")).String(), "p01"}, []any{entries[0].Action, entries[0].Key, entries[0].Actor})
		want := e.verify()
		require.Equal(e, []int64{2, 2, 0}, []int64{want.Entries, want.Blobs, want.Erased})

		// An export has them in pieces; one of which a blob is cut out is named.
		var text bytes.Buffer
		require.NoError(e, e.scope.Export(e.ctx, &text, nil))
		got, err := store.VerifyExport(bytes.NewReader(text.Bytes()), nil)
		require.NoError(e, err)
		require.Equal(e, []any{want.Seq, want.Hash, want.Blobs}, []any{got.Seq, got.Hash, got.Blobs})
		var left []string
		for l := range strings.Lines(text.String()) {
			require.Less(e, len(l), 5<<20, "a blob comes in pieces")
			if !strings.HasPrefix(l, `{"blob":"`+store.DigestOf([]byte("one")).String()) {
				left = append(left, strings.Replace(l, `"blobs":2`, `"blobs":1`, 1))
			}
		}
		_, err = store.VerifyExport(strings.NewReader(strings.Join(left, "")), nil)
		require.Equal(e, int64(1), badSeq(e, err), "%v", err)
		require.Error(e, func() error {
			_, err := store.VerifyExport(strings.NewReader(strings.Join(append(left[:len(left)-2:len(left)-2], left[len(left)-1]), "")), nil)
			return err
		}(), "a piece is missing")

		// Without blobs, it says so.
		text.Reset()
		require.NoError(e, e.scope.Export(e.ctx, &text, &store.ExportOptions{NoBlobs: true}))
		got, err = store.VerifyExport(&text, nil)
		require.NoError(e, err)
		require.Equal(e, []any{true, int64(0)}, []any{got.NoBlobs, got.Blobs})
	}},
	{"BlobsBeforeEntries", func(e *env) {
		// What was stored before blobs had entries is as good as it was.
		d := store.DigestOf([]byte("old"))
		require.NoError(e, e.backend.Update(e.ctx, "t1", func(tx driver.Tx) error {
			return tx.Put(e.ctx, "~blob", driver.Record{}, driver.Record{Key: d.String(), Revision: 1, Data: []byte("old")})
		}))
		e.create(item{ID: "a", Text: d.String()})
		require.Equal(e, int64(1), e.verify().Blobs)
		var text bytes.Buffer
		require.NoError(e, e.scope.Export(e.ctx, &text, nil))
		old := strings.Replace(text.String(), `"version":2`, `"version":1`, 1)
		_, err := store.VerifyExport(strings.NewReader(old), nil)
		require.NoError(e, err)
		copied := store.New(copyTarget(e), nil).Scope(store.Principal{Tenant: "t1", Actor: "import"})
		_, err = copied.Import(e.ctx, strings.NewReader(old), nil)
		require.NoError(e, err)
		data, err := copied.Blob(e.ctx, d)
		require.NoError(e, err)
		require.Equal(e, "old", string(data))
		_, err = e.scope.PutBlob(e.ctx, []byte("old"))
		require.NoError(e, err)
		require.Equal(e, []int64{2, 1}, []int64{e.verify().Entries, e.verify().Blobs}, "from now on the trail knows it")
	}},
	{"CheckpointsOfParts", func(e *env) {
		hashes := []store.Digest{{}}
		for i := range 6 {
			e.create(item{ID: id(i)})
			hashes = append(hashes, e.verify().Hash)
		}
		wrong := store.Digest{1}
		const outside = -1 // an error, and no finding
		for _, c := range []struct {
			name     string
			from, to int64
			at       int64
			hash     store.Digest
			bad      int64
		}{
			{"in it", 3, 5, 4, hashes[4], 0},
			{"in it, another", 3, 5, 4, wrong, 4},
			{"its first", 3, 0, 3, wrong, 3},
			{"before its first", 3, 5, 2, hashes[2], 0},
			{"before its first, another", 3, 5, 2, wrong, 2},
			{"far before", 3, 5, 1, hashes[1], outside},
			{"behind it", 1, 2, 3, hashes[3], outside},
			{"behind it, another", 1, 2, 3, wrong, outside},
			{"behind the end", 3, 0, 7, wrong, 7},
			{"of the empty trail", 1, 0, 0, store.Digest{}, 0},
			{"of the empty trail, another", 1, 0, 0, wrong, 0},
		} {
			cp := &store.Checkpoint{Tenant: "t1", Seq: c.at, Hash: c.hash}
			check := func(err error) {
				e.Helper()
				switch {
				case c.bad == outside:
					require.ErrorIs(e, err, store.ErrInvalid, c.name)
				case c.name == "of the empty trail, another":
					require.Error(e, err)
				default:
					require.Equal(e, c.bad, badSeq(e, err), "%s: %v", c.name, err)
				}
			}
			_, err := e.scope.Verify(e.ctx, &store.VerifyOptions{From: c.from, To: c.to, Checkpoint: cp})
			check(err)
			if c.to == 0 || c.at <= c.to {
				var text bytes.Buffer
				require.NoError(e, e.scope.Export(e.ctx, &text, &store.ExportOptions{From: c.from}))
				_, err = store.VerifyExport(&text, &store.VerifyOptions{Checkpoint: cp})
				check(err)
			}
			cp.Tenant = "t2"
			_, err = e.scope.Verify(e.ctx, &store.VerifyOptions{From: c.from, To: c.to, Checkpoint: cp})
			require.ErrorIs(e, err, store.ErrInvalid, c.name)
		}

		// A part says what it follows.
		r, err := e.scope.Verify(e.ctx, &store.VerifyOptions{From: 3})
		require.NoError(e, err)
		require.Equal(e, []any{int64(3), hashes[2], int64(4)}, []any{r.From, r.Prev, r.Entries})
		var text bytes.Buffer
		require.NoError(e, e.scope.Export(e.ctx, &text, &store.ExportOptions{From: 7}))
		r, err = store.VerifyExport(&text, nil)
		require.NoError(e, err)
		require.Equal(e, []any{int64(7), hashes[6], int64(0)}, []any{r.From, r.Prev, r.Entries})
		require.ErrorIs(e, e.scope.Export(e.ctx, io.Discard, &store.ExportOptions{From: 9}), store.ErrNotFound)
	}},
	{"IndexChecked", func(e *env) {
		e.create(item{ID: "a", Owner: "x"}, item{ID: "b", Owner: "y"}, item{ID: "c"})
		n, err := e.items.CheckIndex(e.ctx)
		require.NoError(e, err)
		require.Zero(e, n)
		// Row and index agree, but the content says otherwise.
		require.NoError(e, e.backend.Update(e.ctx, "t1", func(tx driver.Tx) error {
			was, err := tx.Get(e.ctx, "items", "b")
			require.NoError(e, err)
			fresh := was
			fresh.Attrs = nil
			return tx.Put(e.ctx, "items", was, fresh)
		}))
		require.Empty(e, e.keys(where(store.Equal("owner", "y"))))
		n, err = e.items.CheckIndex(e.ctx)
		require.NoError(e, err)
		require.Equal(e, 1, n)
		require.Empty(e, e.keys(where(store.Equal("owner", "y"))), "a check changes nothing")
		n, err = e.items.Reindex(e.ctx)
		require.NoError(e, err)
		require.Equal(e, 1, n)
		require.Equal(e, []string{"b"}, e.keys(where(store.Equal("owner", "y"))))
	}},
	{"IndexListed", func(e *env) {
		var want []driver.IndexEntry
		const records, values = 500, 5 // more than are read at once
		require.NoError(e, e.backend.Update(e.ctx, "t1", func(tx driver.Tx) error {
			for i := range records {
				r := driver.Record{Key: id(i), Revision: 1, Data: []byte("x")}
				for v := range values {
					a := driver.Attr{Name: "a", Value: fmt.Sprintf("v%d \ufb01", (i+v)%97)}
					r.Attrs = append(r.Attrs, a)
				}
				slices.SortFunc(r.Attrs, driver.Attr.Compare)
				for _, a := range r.Attrs {
					want = append(want, driver.IndexEntry{Attr: a, Key: r.Key})
				}
				if err := tx.Put(e.ctx, "c", driver.Record{}, r); err != nil {
					return err
				}
			}
			return nil
		}))
		require.NoError(e, e.backend.Update(e.ctx, "other", func(tx driver.Tx) error {
			return tx.Put(e.ctx, "c", driver.Record{}, driver.Record{Key: "o", Revision: 1, Data: []byte("x"), Attrs: []driver.Attr{{Name: "a", Value: "v"}}})
		}))
		order := func(a, b driver.IndexEntry) int { return cmp.Or(a.Compare(b.Attr), strings.Compare(a.Key, b.Key)) }
		slices.SortFunc(want, order)
		require.NoError(e, e.backend.View(e.ctx, "t1", func(tx driver.Tx) error {
			x, ok := tx.(driver.Indexer)
			if !ok {
				e.Skip("SKIPPED: the back end has no index that could differ from its records")
			}
			got, err := collect(x.Index(e.ctx, "c"))
			require.NoError(e, err)
			slices.SortFunc(got, order)
			require.Equal(e, want, got)
			none, err := collect(x.Index(e.ctx, "none"))
			require.NoError(e, err)
			require.Empty(e, none)
			for range x.Index(e.ctx, "c") {
				break
			}
			_, err = tx.Get(e.ctx, "c", id(0))
			return err
		}))
	}},
	{"ImportErases", func(e *env) {
		e.create(item{ID: "a", Text: "personal"}, item{ID: "b", Text: "personal"})
		d, err := e.scope.PutBlob(e.ctx, []byte("personal"))
		require.NoError(e, err)
		require.NoError(e, e.items.Put(e.ctx, item{ID: "a"}))
		short := store.NewCollection(e.scope, "short", func(v item) string { return v.ID }, &store.CollectionOptions[item]{Keep: 1})
		require.NoError(e, short.Put(e.ctx, item{ID: "s", Text: "first"}))
		copies := map[string]*store.Scope{}
		for _, from := range []string{"whole", "increment"} {
			copies[from] = store.New(copyTarget(e), nil).Scope(store.Principal{Tenant: "t1", Actor: "import"})
			e.copyTo(copies[from], 1)
		}
		before := e.verify().Seq
		require.NoError(e, short.Put(e.ctx, item{ID: "s", Text: "second"}))
		require.NoError(e, e.items.Erase(e.ctx, "a"))
		require.NoError(e, e.items.Delete(e.ctx, "b", 1))
		require.NoError(e, e.items.Erase(e.ctx, "b"))
		removed, err := e.scope.SweepBlobs(e.ctx)
		require.NoError(e, err)
		require.Equal(e, 1, removed)
		e.create(item{ID: "b", Text: "again"})
		want := e.verify()
		require.Equal(e, int64(3), want.Erased)

		e.copyTo(copies["whole"], 1)
		got, err := copies["whole"].Verify(e.ctx, nil)
		require.NoError(e, err)
		require.Equal(e, want, got)
		e.copyTo(copies["increment"], before+1)
		got, err = copies["increment"].Verify(e.ctx, nil)
		require.NoError(e, err)
		require.Equal(e, want.Erased-1, got.Erased, "what retention has taken is not in the increment")
		for name, s := range copies {
			for v, err := range newItems(s, "items").History(e.ctx, "a") {
				require.NoError(e, err)
				require.Empty(e, v.Value.Text, name)
			}
			_, err = s.Blob(e.ctx, d)
			require.ErrorIs(e, err, store.ErrErased, name)
		}
	}},
	{"ImportRefuses", func(e *env) {
		content := []byte(`{"id":"a","tags":null}`)
		put := store.Entry{Actor: "p01", Action: store.ActionPut, Collection: "items", Key: "a", Revision: 1, Content: store.DigestOf(content)}
		with := func(x store.Entry, change func(*store.Entry)) store.Entry { change(&x); return x }
		seal := with(put, func(x *store.Entry) { x.Action, x.Revision = store.ActionSeal, 2 })
		remove := with(put, func(x *store.Entry) { x.Action, x.Content = store.ActionDelete, store.Digest{} })
		for i, c := range []struct {
			name    string
			entries []store.Entry
			bad     int64
		}{
			{"good", []store.Entry{put, with(put, func(x *store.Entry) { x.Revision = 2 }), with(remove, func(x *store.Entry) { x.Revision = 2 }), with(put, func(x *store.Entry) { x.Revision = 3 })}, 0},
			{"sealed", []store.Entry{put, seal}, 0},
			{"revision 0", []store.Entry{with(put, func(x *store.Entry) { x.Revision = 0 })}, 1},
			{"revision 7 of a new record", []store.Entry{with(put, func(x *store.Entry) { x.Revision = 7 })}, 1},
			{"the revision stays", []store.Entry{put, put}, 2},
			{"the revision begins anew after a deletion", []store.Entry{put, remove, put}, 3},
			{"no actor", []store.Entry{with(put, func(x *store.Entry) { x.Actor = "" })}, 1},
			{"an actor of two lines", []store.Entry{with(put, func(x *store.Entry) { x.Actor = "\x1b[31mroot\n2  fake" })}, 1},
			{"an actor that turns the line around", []store.Entry{with(put, func(x *store.Entry) { x.Actor = "toor\u202e" })}, 1},
			{"a key of two lines", []store.Entry{with(put, func(x *store.Entry) { x.Key = "a\u2028b" })}, 1},
			{"a reserved collection", []store.Entry{with(put, func(x *store.Entry) { x.Collection = "~audit" })}, 1},
			{"the time falls", []store.Entry{put, with(put, func(x *store.Entry) { x.Revision, x.Time = 2, epoch.Add(-time.Hour) })}, 2},
			{"a put of what is sealed", []store.Entry{put, seal, with(put, func(x *store.Entry) { x.Revision = 3 })}, 3},
			{"a deletion of what is sealed", []store.Entry{put, seal, with(remove, func(x *store.Entry) { x.Revision = 2 })}, 3},
			{"a seal of another content", []store.Entry{put, with(seal, func(x *store.Entry) { x.Content = store.DigestOf([]byte("x")) })}, 2},
			{"a seal of nothing", []store.Entry{with(seal, func(x *store.Entry) { x.Revision = 1 })}, 1},
			{"a deletion of nothing", []store.Entry{remove}, 1},
			{"a deletion of another revision", []store.Entry{put, with(remove, func(x *store.Entry) { x.Revision = 2 })}, 2},
			{"an erasure of nothing", []store.Entry{with(remove, func(x *store.Entry) { x.Action, x.Revision = store.ActionErase, 0 })}, 1},
			{"a put without content", []store.Entry{with(put, func(x *store.Entry) { x.Content = store.Digest{} })}, 1},
			{"content that is no JSON", []store.Entry{with(put, func(x *store.Entry) { x.Content = store.DigestOf([]byte("x")) })}, 1},
			{"a blob among records", []store.Entry{with(remove, func(x *store.Entry) { x.Action = store.ActionBlob })}, 1},
		} {
			tenant := fmt.Sprintf("import-%d", i)
			var prev store.Digest
			var text strings.Builder
			fmt.Fprintf(&text, `{"format":"issokit-export","version":2,"tenant":%q,"from":1}`+"\n", tenant)
			for n, x := range c.entries {
				x.Tenant, x.Seq, x.Prev = tenant, int64(n+1), prev
				if x.Time.IsZero() {
					x.Time = epoch
				}
				payload := "null"
				switch x.Content {
				case store.DigestOf(content):
					payload = string(content)
				case store.DigestOf([]byte("x")):
					payload = "x"
				}
				prev = x.Hash()
				fmt.Fprintf(&text, `{"entry":%s,"hash":"%x","payload":%s}`+"\n", x.Canonical(), prev[:], payload)
			}
			fmt.Fprintf(&text, `{"end":{"seq":%d,"hash":%q,"blobs":0}}`+"\n", len(c.entries), prev)
			s := e.store.Scope(store.Principal{Tenant: tenant, Actor: "import"})
			_, err := s.Import(e.ctx, strings.NewReader(text.String()), nil)
			require.Equal(e, c.bad, badSeq(e, err), "%s: %v", c.name, err)
			// What was refused has left nothing that anybody would stumble over.
			require.NoError(e, newItems(s, "other").Create(e.ctx, item{ID: "o"}), c.name)
			_, err = s.Verify(e.ctx, nil)
			require.NoError(e, err, c.name)
		}
	}},
	{"ImportWithCheckpoint", func(e *env) {
		e.fill(1200, func(i int) item { return item{ID: id(i)} })
		var text bytes.Buffer
		require.NoError(e, e.scope.Export(e.ctx, &text, nil))
		copied := store.New(copyTarget(e), nil).Scope(store.Principal{Tenant: "t1", Actor: "import"})
		forged := &store.VerifyOptions{Checkpoint: &store.Checkpoint{Tenant: "t1", Seq: 1100, Hash: store.Digest{1}}}
		_, err := copied.Import(e.ctx, bytes.NewReader(text.Bytes()), forged)
		require.Equal(e, int64(1100), badSeq(e, err))
		r, err := copied.Verify(e.ctx, nil)
		require.NoError(e, err)
		require.Zero(e, r.Entries, "nothing of it is stored")
		_, err = copied.Import(e.ctx, io.MultiReader(bytes.NewReader(text.Bytes())), forged)
		require.ErrorIs(e, err, store.ErrInvalid, "a text that cannot be read twice")
		good := &store.VerifyOptions{Checkpoint: &store.Checkpoint{Tenant: "t1", Seq: 1200, Hash: e.verify().Hash}}
		_, err = copied.Import(e.ctx, bytes.NewReader(text.Bytes()), good)
		require.NoError(e, err)
		r, err = copied.Verify(e.ctx, good)
		require.NoError(e, err)
		require.Equal(e, int64(1200), r.Entries)
	}},
	{"NoHalfChange", func(e *env) {
		// The n-th write of a change fails, and fn takes no notice: then nothing of it
		// is committed.
		for _, c := range []struct {
			name   string
			change func(ctx context.Context, s *store.Scope)
		}{
			{"create", func(ctx context.Context, s *store.Scope) {
				_ = newItems(s, "items").Create(ctx, item{ID: "n", Owner: "x"})
			}},
			{"put", func(ctx context.Context, s *store.Scope) {
				_ = newItems(s, "items").Put(ctx, item{ID: "a", Owner: "z"})
			}},
			{"delete", func(ctx context.Context, s *store.Scope) { _ = newItems(s, "items").Delete(ctx, "a", 2) }},
			{"seal", func(ctx context.Context, s *store.Scope) { _ = newItems(s, "items").Seal(ctx, "a", 2) }},
			{"erase", func(ctx context.Context, s *store.Scope) { _ = newItems(s, "items").Erase(ctx, "a") }},
			{"retention", func(ctx context.Context, s *store.Scope) {
				c := store.NewCollection(s, "items", func(v item) string { return v.ID }, &store.CollectionOptions[item]{Keep: 1})
				_ = c.Put(ctx, item{ID: "a"})
			}},
			{"blob", func(ctx context.Context, s *store.Scope) { _, _ = s.PutBlob(ctx, []byte("fresh")) }},
			{"sweep", func(ctx context.Context, s *store.Scope) { _, _ = s.SweepBlobs(ctx) }},
			{"reindex", func(ctx context.Context, s *store.Scope) {
				c := store.NewCollection(s, "items", func(v item) string { return v.ID }, nil)
				_, _ = c.Reindex(ctx)
			}},
			{"logged read", func(ctx context.Context, s *store.Scope) {
				c := store.NewCollection(s, "items", func(v item) string { return v.ID }, &store.CollectionOptions[item]{LogReads: true})
				_, _ = c.Get(ctx, "a")
			}},
		} {
			for n := 1; ; n++ {
				require.Less(e, n, 20, c.name)
				tenant := fmt.Sprintf("%s %d", c.name, n)
				s := e.store.Scope(store.Principal{Tenant: tenant, Actor: "p01"})
				items := newItems(s, "items")
				require.NoError(e, items.Create(e.ctx, item{ID: "a", Owner: "x"}))
				require.NoError(e, items.Put(e.ctx, item{ID: "a", Owner: "y"}))
				require.NoError(e, items.Create(e.ctx, item{ID: "b", Owner: "x"}))
				_, err := s.PutBlob(e.ctx, []byte("unnamed"))
				require.NoError(e, err)
				before, err := s.Verify(e.ctx, nil)
				require.NoError(e, err)
				f := &faulty{Backend: e.backend, at: n}
				err = store.New(f, nil).Scope(s.Principal()).Update(e.ctx, func(tx *store.Tx) error {
					c.change(e.ctx, tx.Scope())
					return nil
				})
				after, verifyErr := s.Verify(e.ctx, nil)
				require.NoError(e, verifyErr, "%s, write %d", c.name, n)
				wrong, err2 := items.CheckIndex(e.ctx)
				require.NoError(e, err2)
				if f.writes < n {
					require.NoError(e, err, c.name)
					require.Greater(e, n, 1, "%s writes nothing", c.name)
					break
				}
				require.ErrorIs(e, err, errFaulty, "%s, write %d", c.name, n)
				require.Equal(e, before, after, "%s, write %d", c.name, n)
				require.Zero(e, wrong)
			}
		}
	}},
	{"ExportNotTwice", func(e *env) {
		// A View that the database ends is run again, but not when a part of its
		// result is with the reader.
		e.create(item{ID: "a"})
		var text bytes.Buffer
		s := store.New(&again{Backend: e.backend}, nil).Scope(e.scope.Principal())
		if err := s.Export(e.ctx, &text, nil); err == nil {
			_, err = store.VerifyExport(&text, nil)
			require.NoError(e, err)
		}
		text.Reset()
		s = store.New(&again{Backend: e.backend, before: true}, nil).Scope(e.scope.Principal())
		require.NoError(e, s.Export(e.ctx, &text, nil))
		_, err := store.VerifyExport(&text, nil)
		require.NoError(e, err)
	}},
}

// copyTo imports an export of the tenant into another store.
func (e *env) copyTo(to *store.Scope, from int64) {
	e.Helper()
	var text bytes.Buffer
	require.NoError(e, e.scope.Export(e.ctx, &text, &store.ExportOptions{From: from}))
	_, err := to.Import(e.ctx, &text, nil)
	require.NoError(e, err)
}

var errFaulty = errors.New("the write fails")

// faulty is a back end one of whose writes fails.
type faulty struct {
	driver.Backend
	at, writes int
}

func (f *faulty) Update(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	return f.Backend.Update(ctx, tenant, func(tx driver.Tx) error { return fn(&faultyTx{tx, f}) })
}

type faultyTx struct {
	driver.Tx
	f *faulty
}

func (x *faultyTx) fails() bool {
	x.f.writes++
	return x.f.writes == x.f.at
}

func (x *faultyTx) Put(ctx context.Context, collection string, was, r driver.Record) error {
	if x.fails() {
		return errFaulty
	}
	return x.Tx.Put(ctx, collection, was, r)
}

func (x *faultyTx) Delete(ctx context.Context, collection string, was driver.Record) error {
	if x.fails() {
		return errFaulty
	}
	return x.Tx.Delete(ctx, collection, was)
}

// again is a back end whose first View is rolled back: before it does anything, or
// when all is done.
type again struct {
	driver.Backend
	before bool
	views  int
}

func (a *again) View(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	if a.views++; a.views > 1 {
		return a.Backend.View(ctx, tenant, fn)
	}
	if !a.before {
		if err := a.Backend.View(ctx, tenant, fn); err != nil {
			return err
		}
	}
	return driver.ErrRetry
}
