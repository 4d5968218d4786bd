package storetest

import (
	"io/fs"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
)

var recordCases = []testCase{
	{"GetMissing", func(e *env) {
		_, err := e.items.Get(e.ctx, "a")
		require.ErrorIs(e, err, store.ErrNotFound)
		require.ErrorIs(e, err, fs.ErrNotExist)
		_, err = e.items.Load(e.ctx, "a")
		require.ErrorIs(e, err, store.ErrNotFound)
	}},
	{"CreateGet", func(e *env) {
		e.create(item{ID: "a", Owner: "x", Score: -3})
		v, err := e.items.Load(e.ctx, "a")
		require.NoError(e, err)
		content := v.Content
		require.False(e, content.IsZero())
		require.Equal(e, store.Versioned[item]{
			Value: item{ID: "a", Owner: "x", Score: -3}, Key: "a", Revision: 1, Time: epoch, Actor: "p01", Reason: "test",
			Action: store.ActionPut, Seq: 1, Content: content,
		}, v)
	}},
	{"CreateTwice", func(e *env) {
		e.create(item{ID: "a", Score: 1})
		require.ErrorIs(e, e.items.Create(e.ctx, item{ID: "a", Score: 2}), store.ErrExists)
		require.Equal(e, int64(1), e.get("a").Score)
	}},
	{"PutReplaces", func(e *env) {
		require.NoError(e, e.items.Put(e.ctx, item{ID: "a", Score: 1}))
		require.NoError(e, e.items.Put(e.ctx, item{ID: "a", Score: 2}))
		require.Equal(e, item{ID: "a", Score: 2}, e.get("a"))
		require.Equal(e, int64(2), e.revision("a"))
	}},
	{"SwapCurrent", func(e *env) {
		r, err := e.items.Swap(e.ctx, item{ID: "a", Score: 1}, 0)
		require.NoError(e, err)
		require.Equal(e, int64(1), r)
		r, err = e.items.Swap(e.ctx, item{ID: "a", Score: 2}, 1)
		require.NoError(e, err)
		require.Equal(e, int64(2), r)
		require.Equal(e, int64(2), e.get("a").Score)
	}},
	{"SwapStale", func(e *env) {
		e.create(item{ID: "a", Score: 1})
		require.NoError(e, e.items.Put(e.ctx, item{ID: "a", Score: 2}))
		for _, stale := range []int64{0, 1, 3} {
			_, err := e.items.Swap(e.ctx, item{ID: "a", Score: 9}, stale)
			require.ErrorIs(e, err, store.ErrConflict)
		}
		require.Equal(e, int64(2), e.get("a").Score)
		_, err := e.items.Swap(e.ctx, item{ID: "a"}, -1)
		require.ErrorIs(e, err, store.ErrInvalid)
	}},
	{"SwapMissing", func(e *env) {
		_, err := e.items.Swap(e.ctx, item{ID: "a"}, 1)
		require.ErrorIs(e, err, store.ErrConflict)
		require.ErrorIs(e, err, store.ErrNotFound)
	}},
	{"DeleteCurrent", func(e *env) {
		e.create(item{ID: "a", Tags: []string{"x"}})
		require.NoError(e, e.items.Delete(e.ctx, "a", 1))
		_, err := e.items.Get(e.ctx, "a")
		require.ErrorIs(e, err, store.ErrNotFound)
		require.Empty(e, e.keys(store.Query{}))
		require.Empty(e, e.keys(store.Query{Where: []store.Cond{store.Equal("tag", "x")}}))
	}},
	{"DeleteStale", func(e *env) {
		e.create(item{ID: "a"})
		require.ErrorIs(e, e.items.Delete(e.ctx, "a", 2), store.ErrConflict)
		require.ErrorIs(e, e.items.Delete(e.ctx, "a", 0), store.ErrInvalid)
		e.get("a")
	}},
	{"DeleteMissing", func(e *env) {
		require.ErrorIs(e, e.items.Delete(e.ctx, "a", 1), store.ErrNotFound)
	}},
	{"RecreateRevisionGrows", func(e *env) {
		e.create(item{ID: "a"})
		require.NoError(e, e.items.Put(e.ctx, item{ID: "a", Score: 1}))
		require.NoError(e, e.items.Delete(e.ctx, "a", 2))
		e.create(item{ID: "a"})
		require.Equal(e, int64(3), e.revision("a"))
		_, err := e.items.Swap(e.ctx, item{ID: "a"}, 2)
		require.ErrorIs(e, err, store.ErrConflict)
	}},
	{"RevisionChangesOnEveryWrite", func(e *env) {
		for i := range int64(5) {
			require.NoError(e, e.items.Put(e.ctx, item{ID: "a", Score: 7}))
			require.Equal(e, i+1, e.revision("a"))
		}
	}},
	{"EmptyPayload", func(e *env) {
		maps := store.NewCollection(e.scope, "maps", func(map[string]string) string { return "m" }, nil)
		require.NoError(e, maps.Create(e.ctx, map[string]string{}))
		v, err := maps.Get(e.ctx, "m")
		require.NoError(e, err)
		require.Equal(e, map[string]string{}, v)
		require.NoError(e, maps.Put(e.ctx, nil))
		v, err = maps.Get(e.ctx, "m")
		require.NoError(e, err)
		require.Equal(e, map[string]string(nil), v)
		e.verify()
	}},
	{"NilVersusEmptySlice", func(e *env) {
		e.create(item{ID: "nil"}, item{ID: "empty", Tags: []string{}})
		require.Equal(e, item{ID: "nil"}, e.get("nil"))
		require.Equal(e, item{ID: "empty", Tags: []string{}}, e.get("empty"))
	}},
	{"OneMiBPayload", func(e *env) {
		v := item{ID: "a", Text: strings.Repeat("0123456789abcdé\n", 1<<16)}
		e.create(v)
		require.Equal(e, v, e.get("a"))
		e.verify()
	}},
	{"TooLarge", func(e *env) {
		v := item{ID: "a", Text: strings.Repeat("x", 2<<20)}
		require.ErrorIs(e, e.items.Create(e.ctx, v), store.ErrTooLarge)
		v = item{ID: "a", Owner: strings.Repeat("x", 513)}
		require.ErrorIs(e, e.items.Create(e.ctx, v), store.ErrTooLarge)
		require.Empty(e, e.keys(store.Query{}))
		require.Zero(e, e.verify().Entries)
	}},
	{"NumbersExact", func(e *env) {
		exact := item{ID: "a", Score: 1 << 53}
		e.create(exact)
		require.Equal(e, exact, e.get("a"))
		require.ErrorIs(e, e.items.Put(e.ctx, item{ID: "a", Score: 1<<53 + 1}), store.ErrInvalid)
		floats := store.NewCollection(e.scope, "floats", func(f []float64) string { return "f" }, nil)
		want := []float64{0.1 + 0.2, 1e308, 5e-324, 123456789.123456789, -1.0 / 3}
		require.NoError(e, floats.Put(e.ctx, want))
		got, err := floats.Get(e.ctx, "f")
		require.NoError(e, err)
		require.Equal(e, want, got)
	}},
	{"KeyRules", func(e *env) {
		for _, key := range []string{"", strings.Repeat("k", 513), "a\x00b", "a\nb", "\x7f", "a\x1fb", "\xff", "a\xc3"} {
			_, err := e.items.Get(e.ctx, key)
			require.ErrorIs(e, err, store.ErrInvalid, "%q", key)
			require.ErrorIs(e, e.items.Put(e.ctx, item{ID: key}), store.ErrInvalid, "%q", key)
			require.ErrorIs(e, e.items.Delete(e.ctx, key, 1), store.ErrInvalid, "%q", key)
			_, err = collect(e.items.History(e.ctx, key))
			require.ErrorIs(e, err, store.ErrInvalid, "%q", key)
		}
		for _, name := range []string{"", "Items", "~audit", "a b", "../x", "a/b", "1a", strings.Repeat("n", 65), "a';--"} {
			c := newItems(e.scope, name)
			require.ErrorIs(e, c.Put(e.ctx, item{ID: "a"}), store.ErrInvalid, "%q", name)
			_, err := c.Get(e.ctx, "a")
			require.ErrorIs(e, err, store.ErrInvalid, "%q", name)
		}
		require.Zero(e, e.verify().Entries)
	}},
	{"HardKeys", func(e *env) {
		// Names that mean something to file systems, shells and SQL.
		keys := []string{
			".", "..", "../a", "../../etc/passwd", "/", "/a", "a/b", "a//b", `a\b`, `C:\a`, "con", "NUL", "aux.json", "a.", "a ", " a", "~", "~audit",
			"a'b", `a"b`, "a;DROP TABLE issokit_record", "%", "%00", "a%2fb", "*", "?", "a:b", "<a>", "|", "-rf", "--", "lock", "a.json", ".git", strings.Repeat("/", 512), strings.Repeat("é", 256),
		}
		for i, k := range keys {
			e.create(item{ID: k, Score: int64(i)})
		}
		for i, k := range keys {
			require.Equal(e, item{ID: k, Score: int64(i)}, e.get(k))
		}
		require.Len(e, e.keys(store.Query{}), len(keys))
		require.NoError(e, e.items.Delete(e.ctx, "../a", 1))
		require.Equal(e, int64(len(keys)-1), e.verify().Records)
	}},
	{"UnicodeAndFourByteKeys", func(e *env) {
		// Byte order: it differs from UTF-16 order for the last two.
		keys := []string{"Prüfung/1", "e\u0301", "z", "é", "日本", "\ufb01", "😀"}
		for i := range keys {
			e.create(item{ID: keys[len(keys)-1-i]})
		}
		require.Equal(e, keys, e.keys(store.Query{}))
		_, err := e.items.Get(e.ctx, "e")
		require.ErrorIs(e, err, store.ErrNotFound)
	}},
	{"MixedCaseOrder", func(e *env) {
		for _, k := range []string{"b", "A", "a", "B", "_", "a-b", "aB", "ab", "a b"} {
			e.create(item{ID: k, Owner: k})
		}
		want := []string{"A", "B", "_", "a", "a b", "a-b", "aB", "ab", "b"}
		require.Equal(e, want, e.keys(store.Query{}))
		require.Equal(e, want, e.keys(store.Query{OrderBy: "owner"}))
	}},
	{"TimePrecisionMicrosecondUTC", func(e *env) {
		e.set(time.Date(2026, 5, 4, 10, 0, 0, 123456789, time.FixedZone("", 2*3600)))
		e.create(item{ID: "a"})
		v, err := e.items.Load(e.ctx, "a")
		require.NoError(e, err)
		require.Equal(e, time.Date(2026, 5, 4, 8, 0, 0, 123456000, time.UTC), v.Time)
	}},
	{"UnknownMembersRefused", func(e *env) {
		type wider struct {
			ID   string `json:"id"`
			More string `json:"more"`
		}
		wide := store.NewCollection(e.scope, "items", func(v wider) string { return v.ID }, nil)
		require.NoError(e, wide.Create(e.ctx, wider{"a", "kept"}))
		_, err := e.items.Get(e.ctx, "a")
		require.ErrorContains(e, err, "more")
	}},
	{"PayloadVersions", func(e *env) {
		type v0 struct {
			Name string `json:"name"`
		}
		type v2 struct {
			First, Last string
		}
		old := store.NewCollection(e.scope, "people", func(v0) string { return "p" }, nil)
		require.NoError(e, old.Create(e.ctx, v0{"Ada Lovelace"}))
		upgrade := func(from int, data []byte) ([]byte, error) {
			text := string(data)
			if from == 0 {
				return []byte(strings.Replace(text, "name", "full", 1)), nil
			}
			first, last, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(text, `{"full":"`), `"}`), " ")
			return []byte(`{"First":"` + first + `","Last":"` + last + `"}`), nil
		}
		current := store.NewCollection(e.scope, "people", func(v2) string { return "p" }, &store.CollectionOptions[v2]{Version: 2, Upgrade: upgrade})
		v, err := current.Get(e.ctx, "p")
		require.NoError(e, err)
		require.Equal(e, v2{"Ada", "Lovelace"}, v)
		_, err = current.Swap(e.ctx, v, 1)
		require.NoError(e, err)
		_, err = old.Get(e.ctx, "p")
		require.ErrorIs(e, err, store.ErrNewerSchema)
		all, err := collect(current.History(e.ctx, "p"))
		require.NoError(e, err)
		require.Equal(e, []v2{{"Ada", "Lovelace"}, {"Ada", "Lovelace"}}, []v2{all[0].Value, all[1].Value})
		e.verify()
	}},
	{"SweepBlobs", func(e *env) {
		put := func(s *store.Scope, text string) string {
			d, err := s.PutBlob(e.ctx, []byte(text))
			require.NoError(e, err)
			return d.String()
		}
		left := func() []string {
			texts := []string{}
			for _, text := range []string{"current", "past", "deleted", "unnamed"} {
				switch data, err := e.scope.Blob(e.ctx, store.DigestOf([]byte(text))); {
				case err == nil:
					texts = append(texts, string(data))
				default:
					require.ErrorIs(e, err, store.ErrErased)
				}
			}
			return texts
		}
		sweep := func(want int) {
			e.Helper()
			removed, err := e.scope.SweepBlobs(e.ctx)
			require.NoError(e, err)
			require.Equal(e, want, removed)
			e.verify()
		}
		sweep(0)
		e.create(item{ID: "a", Tags: []string{put(e.scope, "past")}}, item{ID: "b", Text: "see " + put(e.scope, "deleted") + "."})
		require.NoError(e, e.items.Put(e.ctx, item{ID: "a", Tags: []string{put(e.scope, "current")}}))
		require.NoError(e, e.items.Delete(e.ctx, "b", 1))
		put(e.scope, "unnamed")
		other := e.store.Scope(store.Principal{Tenant: "t2", Actor: "p02"})
		put(other, "current")
		sweep(1)
		require.Equal(e, []string{"current", "past", "deleted"}, left())
		require.NoError(e, e.items.Erase(e.ctx, "a"))
		require.NoError(e, e.items.Erase(e.ctx, "b"))
		sweep(2)
		require.Equal(e, []string{"current"}, left())
		_, err := other.Blob(e.ctx, store.DigestOf([]byte("current")))
		require.NoError(e, err, "of another tenant")
		put(e.scope, "unnamed")
		require.ErrorIs(e, e.scope.View(e.ctx, func(tx *store.Tx) error {
			_, err := tx.Scope().SweepBlobs(e.ctx)
			return err
		}), store.ErrReadOnly)
		require.NoError(e, e.scope.Update(e.ctx, func(tx *store.Tx) error {
			removed, err := tx.Scope().SweepBlobs(e.ctx)
			require.Equal(e, 1, removed)
			return err
		}))
	}},
	{"Blobs", func(e *env) {
		big := []byte(strings.Repeat("not JSON \x00\xff", 1<<17))
		d, err := e.scope.PutBlob(e.ctx, big)
		require.NoError(e, err)
		again, err := e.scope.PutBlob(e.ctx, big)
		require.NoError(e, err)
		require.Equal(e, d, again)
		got, err := e.scope.Blob(e.ctx, d)
		require.NoError(e, err)
		require.True(e, string(big) == string(got))
		empty, err := e.scope.PutBlob(e.ctx, nil)
		require.NoError(e, err)
		require.Equal(e, "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", empty.String())
		got, err = e.scope.Blob(e.ctx, empty)
		require.NoError(e, err)
		require.Empty(e, got)
		_, err = e.scope.Blob(e.ctx, store.Digest{1})
		require.ErrorIs(e, err, store.ErrNotFound)
		require.Equal(e, int64(2), e.verify().Blobs, "the same bytes are stored once")
	}},
}
