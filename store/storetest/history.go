package storetest

import (
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
)

var tenantCases = []testCase{
	{"GuessedKey", func(e *env) {
		e.create(item{ID: "a"})
		other := newItems(e.store.Scope(store.Principal{Tenant: "t2", Actor: "q"}), "items")
		_, err := other.Get(e.ctx, "a")
		require.ErrorIs(e, err, store.ErrNotFound)
		require.ErrorIs(e, other.Delete(e.ctx, "a", 1), store.ErrNotFound)
		_, err = other.Swap(e.ctx, item{ID: "a"}, 1)
		require.ErrorIs(e, err, store.ErrConflict)
		past, err := collect(other.History(e.ctx, "a"))
		require.NoError(e, err)
		require.Empty(e, past)
		d, err := e.scope.PutBlob(e.ctx, []byte("secret"))
		require.NoError(e, err)
		_, err = e.store.Scope(store.Principal{Tenant: "t2"}).Blob(e.ctx, d)
		require.ErrorIs(e, err, store.ErrNotFound)
	}},
	{"SameKeyTwoTenants", func(e *env) {
		tenants := []string{"", "t1", "T1", "t1 ", " t1", "t/1", "..", "a'b", "日本", "é", "e\u0301", "É", "\ufb01", "fi", "😀"}
		for i, name := range tenants {
			c := newItems(e.store.Scope(store.Principal{Tenant: name, Actor: "q"}), "items")
			require.NoError(e, c.Create(e.ctx, item{ID: "a", Score: int64(i)}), "%q", name)
		}
		for i, name := range tenants {
			s := e.store.Scope(store.Principal{Tenant: name, Actor: "q"})
			v, err := newItems(s, "items").Get(e.ctx, "a")
			require.NoError(e, err)
			require.Equal(e, int64(i), v.Score, "%q", name)
			r, err := s.Verify(e.ctx, nil)
			require.NoError(e, err)
			require.Equal(e, int64(1), r.Records)
		}
		bad := newItems(e.store.Scope(store.Principal{Tenant: "a\x00b", Actor: "q"}), "items")
		require.ErrorIs(e, bad.Create(e.ctx, item{ID: "a"}), store.ErrInvalid)
	}},
	{"ScanSeesOwnOnly", func(e *env) {
		e.create(item{ID: "a", Owner: "x"}, item{ID: "c", Owner: "x"})
		other := newItems(e.store.Scope(store.Principal{Tenant: "t2", Actor: "q"}), "items")
		require.NoError(e, other.Create(e.ctx, item{ID: "b", Owner: "x"}))
		require.Equal(e, []string{"a", "c"}, e.keys(store.Query{}))
		require.Equal(e, []string{"a", "c"}, e.keys(where(store.Equal("owner", "x"))))
		require.Equal(e, []string{"a", "c"}, e.keys(store.Query{OrderBy: "owner"}))
		all, err := collect(other.All(e.ctx))
		require.NoError(e, err)
		require.Equal(e, []item{{ID: "b", Owner: "x"}}, all)
	}},
	{"ChainPerTenant", func(e *env) {
		two := e.store.Scope(store.Principal{Tenant: "t2", Actor: "q"})
		for i := range 3 {
			e.create(item{ID: id(i)})
			require.NoError(e, newItems(two, "items").Create(e.ctx, item{ID: id(i)}))
		}
		a, err := e.scope.Verify(e.ctx, nil)
		require.NoError(e, err)
		b, err := two.Verify(e.ctx, nil)
		require.NoError(e, err)
		require.Equal(e, []int64{3, 3}, []int64{a.Seq, b.Seq})
		require.NotEqual(e, a.Hash, b.Hash)
	}},
}

// versions makes three versions, a deletion, and a new beginning, at 0, 10, 20,
// 30 and 40 seconds.
func versions(e *env) {
	at := func(s int) { e.set(epoch.Add(time.Duration(s) * time.Second)) }
	at(0)
	require.NoError(e, e.items.Put(e.ctx, item{ID: "a", Score: 1}))
	at(10)
	require.NoError(e, e.items.Put(e.ctx, item{ID: "a", Score: 2}))
	at(20)
	require.NoError(e, e.items.For(e.scope.Because("correction")).Put(e.ctx, item{ID: "a", Score: 3}))
	at(30)
	require.NoError(e, e.items.Delete(e.ctx, "a", 3))
	at(40)
	require.NoError(e, e.items.Create(e.ctx, item{ID: "a", Score: 4}))
}

var historyCases = []testCase{
	{"HistoryOrder", func(e *env) {
		e.create(item{ID: "a0"}, item{ID: "b"})
		versions(e)
		type brief struct {
			score, revision int64
			action          store.Action
			reason          string
		}
		var got []brief
		for v, err := range e.items.History(e.ctx, "a") {
			require.NoError(e, err)
			require.Equal(e, "a", v.Key)
			got = append(got, brief{v.Value.Score, v.Revision, v.Action, v.Reason})
		}
		require.Equal(e, []brief{
			{4, 4, store.ActionPut, "test"},
			{0, 3, store.ActionDelete, "test"},
			{3, 3, store.ActionPut, "correction"},
			{2, 2, store.ActionPut, "test"},
			{1, 1, store.ActionPut, "test"},
		}, got)
		none, err := collect(e.items.History(e.ctx, "none"))
		require.NoError(e, err)
		require.Empty(e, none)
	}},
	{"LongHistory", func(e *env) {
		require.NoError(e, e.scope.Update(e.ctx, func(tx *store.Tx) error {
			for i := range int64(700) {
				if err := e.items.In(tx).Put(e.ctx, item{ID: "a", Score: i}); err != nil {
					return err
				}
			}
			return nil
		}))
		want := int64(700)
		for v, err := range e.items.History(e.ctx, "a") {
			require.NoError(e, err)
			require.Equal(e, []int64{want, want - 1}, []int64{v.Revision, v.Value.Score})
			want--
		}
		require.Zero(e, want)
	}},
	{"AtBetweenVersions", func(e *env) {
		versions(e)
		for seconds, score := range map[int]int64{0: 1, 5: 1, 10: 2, 19: 2, 20: 3, 29: 3, 40: 4, 1000: 4} {
			v, err := e.items.At(e.ctx, "a", epoch.Add(time.Duration(seconds)*time.Second))
			require.NoError(e, err)
			require.Equal(e, item{ID: "a", Score: score}, v, "after %d s", seconds)
		}
	}},
	{"AtBeforeCreation", func(e *env) {
		versions(e)
		for _, d := range []time.Duration{-time.Microsecond, 30 * time.Second, 39 * time.Second} {
			_, err := e.items.At(e.ctx, "a", epoch.Add(d))
			require.ErrorIs(e, err, store.ErrNotFound)
		}
		_, err := e.items.At(e.ctx, "none", epoch)
		require.ErrorIs(e, err, store.ErrNotFound)
	}},
	{"ClockGoesBackwards", func(e *env) {
		e.create(item{ID: "a", Score: 1})
		e.set(epoch.Add(-time.Hour))
		require.NoError(e, e.items.Put(e.ctx, item{ID: "a", Score: 2}))
		v, err := e.items.Load(e.ctx, "a")
		require.NoError(e, err)
		require.Equal(e, epoch, v.Time, "never before the entry before")
		got, err := e.items.At(e.ctx, "a", epoch)
		require.NoError(e, err)
		require.Equal(e, int64(2), got.Score)
		e.verify()
	}},
	{"TombstoneInHistory", func(e *env) {
		e.create(item{ID: "a", Score: 5})
		require.NoError(e, e.items.Delete(e.ctx, "a", 1))
		past, err := collect(e.items.History(e.ctx, "a"))
		require.NoError(e, err)
		require.Len(e, past, 2)
		require.Equal(e, store.ActionDelete, past[0].Action)
		require.Equal(e, item{}, past[0].Value)
		require.False(e, past[0].Erased)
		require.Equal(e, int64(5), past[1].Value.Score)
	}},
	{"RetentionKeepN", func(e *env) {
		c := store.NewCollection(e.scope, "short", func(v item) string { return v.ID }, &store.CollectionOptions[item]{Keep: 2})
		for i := range int64(6) {
			require.NoError(e, c.Put(e.ctx, item{ID: "a", Score: i}))
			require.NoError(e, c.Put(e.ctx, item{ID: "b", Score: i}))
		}
		var scores []int64
		var erased []bool
		for v, err := range c.History(e.ctx, "a") {
			require.NoError(e, err)
			scores, erased = append(scores, v.Value.Score), append(erased, v.Erased)
		}
		require.Equal(e, []int64{5, 4, 0, 0, 0, 0}, scores)
		require.Equal(e, []bool{false, false, true, true, true, true}, erased)
		require.Equal(e, int64(8), e.verify().Erased)
	}},
	{"RetentionKeepFor", func(e *env) {
		c := store.NewCollection(e.scope, "short", func(v item) string { return v.ID }, &store.CollectionOptions[item]{KeepFor: 24 * time.Hour})
		for day := range 5 {
			e.set(epoch.Add(time.Duration(day) * 24 * time.Hour))
			require.NoError(e, c.Put(e.ctx, item{ID: "a", Score: int64(day)}))
		}
		// Version 4 was replaced now, 3 a day ago, 2 two days ago.
		var erased []bool
		for v, err := range c.History(e.ctx, "a") {
			require.NoError(e, err)
			erased = append(erased, v.Erased)
		}
		require.Equal(e, []bool{false, false, false, true, true}, erased)
		e.verify()
	}},
	{"Erase", func(e *env) {
		versions(e)
		require.NoError(e, e.items.Erase(e.ctx, "a"))
		require.Equal(e, int64(4), e.get("a").Score, "the current version stays")
		_, err := e.items.At(e.ctx, "a", epoch.Add(10*time.Second))
		require.ErrorIs(e, err, store.ErrErased)
		r := e.verify()
		require.Equal(e, []int64{6, 3}, []int64{r.Seq, r.Erased})
		require.NoError(e, e.items.Delete(e.ctx, "a", 4))
		require.NoError(e, e.items.Erase(e.ctx, "a"))
		require.Equal(e, int64(4), e.verify().Erased)
		e.create(item{ID: "a"})
		require.Equal(e, int64(5), e.revision("a"))
		require.ErrorIs(e, e.items.Erase(e.ctx, "none"), store.ErrNotFound)
	}},
}
