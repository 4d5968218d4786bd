package storetest

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
)

// people is what most of the queries look at.
func people(e *env) {
	e.create(
		item{ID: "a", Owner: "x", Score: 3, Tags: []string{"red", "blue"}},
		item{ID: "b", Owner: "y", Score: -1, Tags: []string{"red"}},
		item{ID: "c", Owner: "x", Score: 3},
		item{ID: "d", Score: 10, Tags: []string{"green"}},
		item{ID: "e", Owner: "z", Score: 0, Tags: []string{"blue", "green"}},
	)
}

func where(cs ...store.Cond) store.Query { return store.Query{Where: cs} }

// pages reads a query page by page and calls between after each.
func (e *env) pages(q store.Query, limit int, between func()) []string {
	e.Helper()
	keys := []string{}
	for cur := store.Cursor(""); ; {
		p, err := e.items.Page(e.ctx, q, cur, limit)
		require.NoError(e, err)
		require.LessOrEqual(e, len(p.Items), limit)
		for _, v := range p.Items {
			keys = append(keys, v.Key)
		}
		require.LessOrEqual(e, len(keys), endless, errEndless)
		if cur = p.Next; cur == "" {
			return keys
		}
		between()
	}
}

var queryCases = []testCase{
	{"WhereEqual", func(e *env) {
		people(e)
		require.Equal(e, []string{"a", "c"}, e.keys(where(store.Equal("owner", "x"))))
		require.Equal(e, []string{}, e.keys(where(store.Equal("owner", "X"))))
		require.Equal(e, []string{}, e.keys(where(store.Equal("owner", ""))))
		require.Equal(e, []string{"a"}, e.keys(where(store.Equal("owner", "x"), store.Equal("tag", "red"))))
		require.Equal(e, []string{"a"}, e.keys(where(store.Equal("tag", "blue"), store.Equal("tag", "red"))), "of an attribute with several values")
		require.Equal(e, []string{"c", "a"}, e.keys(store.Query{Where: []store.Cond{store.Equal("owner", "x")}, Desc: true}))
	}},
	{"WhereIn", func(e *env) {
		people(e)
		require.Equal(e, []string{"a", "c", "e"}, e.keys(where(store.AnyOf("owner", "z", "x", "nobody"))))
		require.Equal(e, []string{"a", "b", "e"}, e.keys(where(store.AnyOf("tag", "red", "blue"))), "each once")
	}},
	{"WhereInEmpty", func(e *env) {
		people(e)
		require.Equal(e, []string{}, e.keys(where(store.AnyOf("owner"))))
		require.Equal(e, []string{}, e.keys(store.Query{OrderBy: "owner", Where: []store.Cond{store.AnyOf("owner")}}))
	}},
	{"WhereRange", func(e *env) {
		people(e)
		n := store.NumberValue
		require.Equal(e, []string{"a", "c", "e"}, e.keys(where(store.Between("score", n(0), n(10)))))
		require.Equal(e, []string{"a", "c", "d"}, e.keys(where(store.Between("score", n(1), ""))))
		require.Equal(e, []string{"b"}, e.keys(where(store.Between("score", "", n(0)))))
		require.Equal(e, []string{"b", "c"}, e.keys(store.Query{KeyFrom: "b", KeyTo: "d"}))
		require.Equal(e, []string{"c", "b"}, e.keys(store.Query{KeyFrom: "b", KeyTo: "d", Desc: true}))
		require.Equal(e, []string{"c"}, e.keys(store.Query{KeyFrom: "b", KeyTo: "d", Where: []store.Cond{store.Equal("owner", "x")}}))
		require.Equal(e, []string{}, e.keys(store.Query{KeyFrom: "d", KeyTo: "b"}))
	}},
	{"WhereMissingAttr", func(e *env) {
		people(e)
		require.Equal(e, []string{"a", "b", "c", "e"}, e.keys(where(store.Between("owner", "", ""))))
		require.Equal(e, []string{"a", "c", "b", "e"}, e.keys(store.Query{OrderBy: "owner"}))
	}},
	{"UndeclaredAttr", func(e *env) {
		people(e)
		for _, name := range []string{"", "nobody", "Owner", "owner' OR '1'='1", `owner"; DROP TABLE issokit_record; --`, "owner\x00"} {
			for _, q := range []store.Query{where(store.Equal(name, "x")), {OrderBy: name + "!"}} {
				_, err := collect(e.items.Query(e.ctx, q))
				require.ErrorIs(e, err, store.ErrInvalid, "%q", name)
				_, err = e.items.Page(e.ctx, q, "", 10)
				require.ErrorIs(e, err, store.ErrInvalid, "%q", name)
			}
			c := store.NewCollection(e.scope, "items", func(v item) string { return v.ID }, &store.CollectionOptions[item]{
				Attrs: map[string]func(item) []string{name: func(item) []string { return nil }},
			})
			if name != "nobody" {
				require.ErrorIs(e, c.Put(e.ctx, item{ID: "a"}), store.ErrInvalid, "%q", name)
			}
		}
		hostile := []string{"x' OR '1'='1", `x"`, "x\\", "%", "_", "x;--", "?", "$1", "\x01", "\u2028"}
		for i, s := range hostile {
			e.create(item{ID: id(i), Owner: s})
		}
		for i, s := range hostile {
			require.Equal(e, []string{id(i)}, e.keys(where(store.Equal("owner", s))), "%q", s)
			require.Equal(e, []string{id(i)}, e.keys(where(store.AnyOf("owner", s, "none"))), "%q", s)
		}
		_, err := collect(e.items.Query(e.ctx, where(store.Equal("owner", "\x00"))))
		require.ErrorIs(e, err, store.ErrInvalid)
		_, err = collect(e.items.Query(e.ctx, where(store.Equal("owner", "\xff"))))
		require.ErrorIs(e, err, store.ErrInvalid)
	}},
	{"AttrChangesWithRecord", func(e *env) {
		people(e)
		require.NoError(e, e.items.Put(e.ctx, item{ID: "a", Owner: "y", Tags: []string{"blue", "green"}}))
		require.Equal(e, []string{"c"}, e.keys(where(store.Equal("owner", "x"))))
		require.Equal(e, []string{"a", "b"}, e.keys(where(store.Equal("owner", "y"))))
		require.Equal(e, []string{"b"}, e.keys(where(store.Equal("tag", "red"))))
		require.Equal(e, []string{"a", "d", "e"}, e.keys(where(store.Equal("tag", "green"))))
		require.NoError(e, e.items.Delete(e.ctx, "b", 1))
		require.Equal(e, []string{}, e.keys(where(store.Equal("tag", "red"))))
	}},
	{"OrderAscDesc", func(e *env) {
		people(e)
		require.Equal(e, []string{"b", "e", "a", "c", "d"}, e.keys(store.Query{OrderBy: "score"}))
		require.Equal(e, []string{"d", "c", "a", "e", "b"}, e.keys(store.Query{OrderBy: "score", Desc: true}))
		require.Equal(e, []string{"c", "a"}, e.keys(store.Query{OrderBy: "score", Desc: true, Where: []store.Cond{store.Equal("owner", "x")}}))
		n := store.NumberValue
		require.Equal(e, []string{"e", "a", "c"}, e.keys(store.Query{OrderBy: "score", Where: []store.Cond{store.Between("score", n(0), n(10))}}))
		require.Equal(e, []string{"c", "a"}, e.keys(store.Query{OrderBy: "score", Desc: true, Where: []store.Cond{store.Equal("score", n(3))}}))
		require.Equal(e, []string{"a", "c", "b"}, e.keys(store.Query{OrderBy: "owner", Where: []store.Cond{store.AnyOf("owner", "y", "x")}}))
		require.Equal(e, []string{"c", "d"}, e.keys(store.Query{OrderBy: "score", KeyFrom: "c", KeyTo: "e"}))
	}},
	{"OrderTies", func(e *env) {
		for i := range 10 {
			e.create(item{ID: id(9 - i), Score: int64(i % 2)})
		}
		want := []string{id(1), id(3), id(5), id(7), id(9), id(0), id(2), id(4), id(6), id(8)}
		require.Equal(e, want, e.keys(store.Query{OrderBy: "score"}))
		require.Equal(e, want, e.pages(store.Query{OrderBy: "score"}, 3, func() {}))
		slices.Reverse(want)
		require.Equal(e, want, e.pages(store.Query{OrderBy: "score", Desc: true}, 3, func() {}))
	}},
	{"OrderBySeveralValues", func(e *env) {
		people(e)
		// blue: a e; green: d e; red: a b
		want := []string{"a", "e", "d", "e", "a", "b"}
		require.Equal(e, want, e.keys(store.Query{OrderBy: "tag"}))
		for limit := range 6 {
			require.Equal(e, want, e.pages(store.Query{OrderBy: "tag"}, limit+1, func() {}))
		}
		require.Equal(e, []string{"e", "d", "e", "a"}, e.keys(store.Query{OrderBy: "tag", Desc: true, Where: []store.Cond{store.Between("tag", "", "red")}}))
	}},
	{"PageAll", func(e *env) {
		e.fill(57, func(i int) item { return item{ID: id(i), Owner: string(rune('a' + i%3)), Score: int64(i % 7)} })
		for _, q := range []store.Query{
			{},
			{Desc: true},
			{OrderBy: "score"},
			{OrderBy: "score", Desc: true},
			{OrderBy: "owner", Desc: true},
			where(store.Equal("owner", "b")),
			{Desc: true, Where: []store.Cond{store.Equal("owner", "b")}},
			where(store.AnyOf("owner", "b", "c")),
			{OrderBy: "score", Where: []store.Cond{store.Equal("owner", "b")}},
			{KeyFrom: id(3), KeyTo: id(40)},
			{KeyFrom: id(3), KeyTo: id(40), Desc: true},
		} {
			for _, limit := range []int{1, 3, 10, 56, 57, 58} {
				require.Equal(e, e.keys(q), e.pages(q, limit, func() {}), "%+v by %d", q, limit)
			}
		}
		p, err := e.items.Page(e.ctx, store.Query{}, "", 0)
		require.NoError(e, err)
		require.Len(e, p.Items, 57)
		require.Empty(e, p.Next)
	}},
	{"PageStableUnderInsert", func(e *env) {
		e.fill(30, func(i int) item { return item{ID: id(2 * i), Score: int64(i)} })
		n := 0
		got := e.pages(store.Query{}, 4, func() {
			e.create(item{ID: fmt.Sprintf("a%d", n)}, item{ID: id(2*n + 1)})
			n++
		})
		got = slices.DeleteFunc(got, func(k string) bool { return k[len(k)-1]%2 == 1 })
		want := []string{}
		for i := range 30 {
			want = append(want, id(2*i))
		}
		require.Equal(e, want, got)
	}},
	{"PageStableUnderDelete", func(e *env) {
		e.fill(30, func(i int) item { return item{ID: id(i), Score: int64(i)} })
		n := 0
		got := e.pages(store.Query{OrderBy: "score"}, 4, func() {
			// The one before the cursor, and the one that the cursor points to.
			for _, i := range []int{4 * n, 4*n + 3} {
				require.NoError(e, e.items.Delete(e.ctx, id(i), 1))
			}
			n++
		})
		want := []string{}
		for i := range 30 {
			want = append(want, id(i))
		}
		require.Equal(e, want, got)
	}},
	{"CursorOfOtherQuery", func(e *env) {
		people(e)
		p, err := e.items.Page(e.ctx, store.Query{}, "", 2)
		require.NoError(e, err)
		for _, q := range []store.Query{{Desc: true}, {OrderBy: "score"}, where(store.Equal("owner", "x")), {KeyFrom: "a"}} {
			_, err = e.items.Page(e.ctx, q, p.Next, 2)
			require.ErrorIs(e, err, store.ErrCursor)
		}
		_, err = e.others.Page(e.ctx, store.Query{}, p.Next, 2)
		require.ErrorIs(e, err, store.ErrCursor)
	}},
	{"CursorOfOtherTenant", func(e *env) {
		people(e)
		p, err := e.items.Page(e.ctx, store.Query{}, "", 2)
		require.NoError(e, err)
		other := e.items.For(e.store.Scope(store.Principal{Tenant: "t2", Actor: "q"}))
		_, err = other.Page(e.ctx, store.Query{}, p.Next, 2)
		require.ErrorIs(e, err, store.ErrCursor)
	}},
	{"CursorGarbage", func(e *env) {
		people(e)
		p, err := e.items.Page(e.ctx, store.Query{}, "", 2)
		require.NoError(e, err)
		for _, c := range []store.Cursor{"x", "AAAA", "%%%", p.Next + "A", p.Next[:len(p.Next)-2], p.Next[:12], "Aw" + p.Next[2:], store.Cursor(strings.Repeat("A", 10000))} {
			got, err := e.items.Page(e.ctx, store.Query{}, c, 2)
			if err == nil { // a longer or shorter key is a place, too
				require.NotEqual(e, p.Items, got.Items)
				continue
			}
			require.ErrorIs(e, err, store.ErrCursor, "%q", c)
		}
	}},
	{"WriteDuringScan", func(e *env) {
		e.fill(600, func(i int) item { return item{ID: id(i)} })
		seen := 0
		for v, err := range e.items.Query(e.ctx, store.Query{}) {
			require.NoError(e, err)
			v.Value.Score++
			_, err = e.items.Swap(e.ctx, v.Value, v.Revision)
			require.NoError(e, err)
			if seen%100 == 0 {
				require.NoError(e, e.items.Create(e.ctx, item{ID: "z" + v.Key}))
			}
			seen++
			if seen == 1000 {
				break
			}
		}
		require.GreaterOrEqual(e, seen, 600)
		require.Equal(e, int64(1), e.get(id(599)).Score)
	}},
	{"BreakOffScan", func(e *env) {
		e.fill(600, func(i int) item { return item{ID: id(i)} })
		all := e.items.All(e.ctx)
		for range 30 {
			n := 0
			for v, err := range all {
				require.NoError(e, err)
				require.Equal(e, id(n), v.ID, "an iterator can be used again")
				if n++; n == 300 {
					break
				}
			}
		}
		e.create(item{ID: "a"})
	}},
	{"ScanErrorEndsIteration", func(e *env) {
		e.fill(600, func(i int) item { return item{ID: id(i)} })
		ctx, cancel := context.WithCancel(e.ctx)
		defer cancel()
		n, failed := 0, 0
		for _, err := range e.items.All(ctx) {
			if err != nil {
				require.ErrorIs(e, err, context.Canceled)
				failed++
				continue
			}
			if n++; n == 100 {
				cancel()
			}
		}
		require.Equal(e, 1, failed)
		require.Less(e, n, 600)
	}},
	{"NumberAndTimeOrder", func(e *env) {
		numbers := []int64{math.MinInt64, -1 << 40, -2, -1, 0, 1, 2, 9, 10, 1 << 40, math.MaxInt64}
		var texts []string
		for _, n := range numbers {
			texts = append(texts, store.NumberValue(n))
		}
		require.True(e, slices.IsSorted(texts), texts)
		floats := []float64{math.Inf(-1), -1e10, -2, -1.5, -5e-324, 0, 5e-324, 0.1, 1, 1e10, math.Inf(1), math.NaN()}
		texts = nil
		for _, f := range floats {
			texts = append(texts, store.FloatValue(f))
		}
		require.True(e, slices.IsSorted(texts), texts)
		require.Equal(e, store.FloatValue(0), store.FloatValue(math.Copysign(0, -1)))
		times := []time.Time{{}, epoch.Add(-time.Second), epoch, epoch.Add(time.Microsecond).In(time.FixedZone("", -9*3600)), epoch.Add(time.Hour)}
		texts = nil
		for _, t := range times {
			texts = append(texts, store.TimeValue(t))
		}
		require.True(e, slices.IsSorted(texts), texts)
		for i := range numbers[1 : len(numbers)-1] {
			if n := numbers[i+1]; n > -1<<53 && n < 1<<53 {
				e.create(item{ID: id(100 - i), Score: n})
			}
		}
		var got []int64
		for v, err := range e.items.Query(e.ctx, store.Query{OrderBy: "score"}) {
			require.NoError(e, err)
			got = append(got, v.Value.Score)
		}
		require.Equal(e, numbers[1:len(numbers)-1], got)
	}},
	{"Reindex", func(e *env) {
		plain := store.NewCollection(e.scope, "items", func(v item) string { return v.ID }, nil)
		require.NoError(e, e.scope.Update(e.ctx, func(tx *store.Tx) error {
			for i := range 600 {
				if err := plain.In(tx).Create(e.ctx, item{ID: id(i), Owner: "x", Score: int64(i)}); err != nil {
					return err
				}
			}
			return nil
		}))
		require.Empty(e, e.keys(where(store.Equal("owner", "x"))))
		before := e.verify()
		n, err := e.items.Reindex(e.ctx)
		require.NoError(e, err)
		require.Equal(e, 600, n)
		require.Len(e, e.keys(where(store.Equal("owner", "x"))), 600)
		n, err = e.items.Reindex(e.ctx)
		require.NoError(e, err)
		require.Zero(e, n)
		require.Equal(e, before, e.verify())
		require.Equal(e, int64(1), e.revision(id(3)))
	}},
	{"UnicodeOrder", func(e *env) {
		// Byte order. The order of UTF-16 has the last two the other way round; NFC and
		// NFKC make one of the second and the fifth, and of the fourth and "fi".
		texts := []string{"Z", "e\u0301", "fi", "z", "z ", "é", "\ufb01", "😀"}
		for i := range texts {
			text := texts[len(texts)-1-i]
			e.create(item{ID: text, Owner: text, Tags: []string{"\ufb01", "é", "e\u0301", text}})
		}
		down := slices.Clone(texts)
		slices.Reverse(down)
		for _, o := range []string{"", "owner"} {
			require.Equal(e, texts, e.keys(store.Query{OrderBy: o}))
			require.Equal(e, down, e.keys(store.Query{OrderBy: o, Desc: true}))
			for i, text := range texts {
				require.Equal(e, texts[i:i+1], e.keys(store.Query{OrderBy: o, Where: []store.Cond{store.Equal("owner", text)}}))
				require.Equal(e, texts[i:], e.keys(store.Query{OrderBy: o, Where: []store.Cond{store.Between("owner", text, "")}}))
				require.Equal(e, texts[:i], e.keys(store.Query{OrderBy: o, Where: []store.Cond{store.Between("owner", "", text)}}))
				require.Equal(e, texts[i:], e.keys(store.Query{OrderBy: o, KeyFrom: text}))
				require.Equal(e, texts[:i], e.keys(store.Query{OrderBy: o, KeyTo: text}))
			}
			for _, desc := range []bool{false, true} {
				q := store.Query{OrderBy: o, Desc: desc}
				require.Equal(e, e.keys(q), e.pages(q, 1, func() {}))
			}
		}
		require.Equal(e, texts, e.keys(where(store.Equal("tag", "e\u0301"), store.Equal("tag", "é"), store.Equal("tag", "\ufb01"))))
		require.Empty(e, e.keys(where(store.AnyOf("tag", "e", "\u0301", "É", "Fi", " z", "\ufb01 "))))
	}},
	{"ManyValues", func(e *env) {
		e.fill(20, func(i int) item { return item{ID: id(i), Owner: id(i), Tags: []string{id(i)}} })
		in := make([]string, 4096)
		for i := range in {
			in[i] = id(i)
		}
		q := store.Query{Where: []store.Cond{store.AnyOf("owner", in...), store.AnyOf("tag", in...), store.AnyOf("owner", in...), store.AnyOf("tag", in[10:]...), store.AnyOf("tag", in[:10]...)}}
		require.Empty(e, e.keys(q))
		q.OrderBy, q.Where[4] = "tag", store.AnyOf("owner", in[10:20]...)
		require.Len(e, e.keys(q), 10)
		q.Where[4] = store.AnyOf("owner", in[:11]...)
		_, err := collect(e.items.Query(e.ctx, q))
		require.ErrorIs(e, err, store.ErrTooLarge)
		_, err = e.items.Page(e.ctx, store.Query{Where: []store.Cond{store.AnyOf("owner", append(in, "x")...)}}, "", 0)
		require.ErrorIs(e, err, store.ErrTooLarge)
		e.create(item{ID: "afterwards"})
		e.verify()
	}},
	{"TenThousandRecords", func(e *env) {
		n := 10000
		if testing.Short() {
			n = 2000
		}
		e.fill(n, func(i int) item { return item{ID: id(i), Owner: string(rune('a' + i%26)), Score: int64(i * 7919 % n)} }) // 7919 is prime: each score comes once
		got := 0
		for v, err := range e.items.All(e.ctx) {
			require.NoError(e, err)
			require.Equal(e, id(got), v.ID)
			got++
		}
		require.Equal(e, n, got)
		last := int64(-1)
		for v, err := range e.items.Query(e.ctx, store.Query{OrderBy: "score"}) {
			require.NoError(e, err)
			require.Equal(e, last+1, v.Value.Score)
			last++
		}
		require.Equal(e, int64(n-1), last)
		require.Len(e, e.keys(where(store.Equal("owner", "c"))), (n-3)/26+1)
		require.Equal(e, int64(n), e.verify().Records)
	}},
}

// driverCases look at what package store does not do, but others may.
var driverCases = []testCase{
	{"PutComparesRevision", func(e *env) {
		put := func(was, is int64) error {
			return e.backend.Update(e.ctx, "t", func(tx driver.Tx) error {
				r := driver.Record{Key: "k", Revision: was}
				if was == 0 {
					r = driver.Record{}
				}
				return tx.Put(e.ctx, "c", r, driver.Record{Key: "k", Revision: is, Data: []byte{byte(is)}})
			})
		}
		require.ErrorIs(e, put(1, 2), driver.ErrConflict)
		require.NoError(e, put(0, 7))
		require.ErrorIs(e, put(0, 8), driver.ErrConflict)
		require.ErrorIs(e, put(6, 8), driver.ErrConflict)
		require.NoError(e, put(7, 8))
		require.NoError(e, put(8, 8))
		require.NoError(e, e.backend.View(e.ctx, "t", func(tx driver.Tx) error {
			r, err := tx.Get(e.ctx, "c", "k")
			require.NoError(e, err)
			require.Equal(e, driver.Record{Key: "k", Revision: 8, Data: []byte{8}}, r)
			require.ErrorIs(e, tx.Put(e.ctx, "c", r, r), driver.ErrReadOnly)
			require.ErrorIs(e, tx.Delete(e.ctx, "c", r), driver.ErrReadOnly)
			return nil
		}))
		require.NoError(e, e.backend.Update(e.ctx, "t", func(tx driver.Tx) error {
			require.ErrorIs(e, tx.Delete(e.ctx, "c", driver.Record{Key: "k", Revision: 7}), driver.ErrConflict)
			require.NoError(e, tx.Delete(e.ctx, "c", driver.Record{Key: "k", Revision: 8}))
			_, err := tx.Get(e.ctx, "c", "k")
			require.ErrorIs(e, err, driver.ErrNotFound)
			return nil
		}))
	}},
	{"ConflictInTransactionGoesOn", func(e *env) {
		require.NoError(e, e.backend.Update(e.ctx, "t", func(tx driver.Tx) error {
			require.NoError(e, tx.Put(e.ctx, "c", driver.Record{}, driver.Record{Key: "k", Revision: 1, Data: []byte("1")}))
			require.ErrorIs(e, tx.Put(e.ctx, "c", driver.Record{}, driver.Record{Key: "k", Revision: 1}), driver.ErrConflict)
			return tx.Put(e.ctx, "c", driver.Record{}, driver.Record{Key: "l", Revision: 1, Data: []byte("2")})
		}))
		require.NoError(e, e.backend.View(e.ctx, "t", func(tx driver.Tx) error {
			all, err := collect(tx.Scan(e.ctx, "c", driver.Query{}))
			require.NoError(e, err)
			require.Equal(e, []driver.Record{{Key: "k", Revision: 1, Data: []byte("1")}, {Key: "l", Revision: 1, Data: []byte("2")}}, all)
			return nil
		}))
	}},
	{"Collections", func(e *env) {
		names := []string{"a", "a.b", "items", "journal", "lock", "zz", "~audit"}
		list := func() (names []string) {
			require.NoError(e, e.backend.View(e.ctx, "t", func(tx driver.Tx) (err error) {
				names, err = tx.Collections(e.ctx)
				return err
			}))
			return names
		}
		require.Empty(e, list())
		require.NoError(e, e.backend.Update(e.ctx, "t", func(tx driver.Tx) error {
			for i, c := range names {
				for k := range i + 1 {
					require.NoError(e, tx.Put(e.ctx, c, driver.Record{}, driver.Record{Key: id(k), Revision: 1, Data: []byte(c)}))
				}
				seen, err := tx.Collections(e.ctx)
				require.NoError(e, err)
				require.Equal(e, names[:i+1], seen, "in the transaction")
			}
			return nil
		}))
		require.NoError(e, e.backend.Update(e.ctx, "other", func(tx driver.Tx) error {
			return tx.Put(e.ctx, "foreign", driver.Record{}, driver.Record{Key: "k", Revision: 1, Data: []byte("x")})
		}))
		require.Equal(e, names, list())
		require.NoError(e, e.backend.Update(e.ctx, "t", func(tx driver.Tx) error {
			return tx.Delete(e.ctx, "a", driver.Record{Key: id(0), Revision: 1})
		}))
		require.Equal(e, names[1:], list(), "a collection without records is none")
	}},
	{"Tenants", func(e *env) {
		l, ok := e.backend.(driver.Lister)
		if !ok {
			e.Skip("SKIPPED: the back end does not list tenants")
		}
		list := func() []string {
			names, err := l.Tenants(e.ctx)
			require.NoError(e, err)
			return names
		}
		require.Empty(e, list())
		long := strings.Repeat("\u00e9", 127)
		names := []string{"", "..", "T1", "journal", "lock", "t/1", "t1", "t1 ", long + "a", long + "b", "\ufb01", "\U0001f600"}
		require.True(e, slices.IsSorted(names))
		for _, name := range slices.Backward(names) {
			require.NoError(e, e.backend.View(e.ctx, name+"?", func(driver.Tx) error { return nil }))
			require.NoError(e, e.backend.Update(e.ctx, name, func(tx driver.Tx) error {
				return tx.Put(e.ctx, "c", driver.Record{}, driver.Record{Key: "k", Revision: 1, Data: []byte("x")})
			}))
		}
		require.Equal(e, names, list())
		require.NoError(e, e.backend.Update(e.ctx, "t1", func(tx driver.Tx) error {
			return tx.Delete(e.ctx, "c", driver.Record{Key: "k", Revision: 1})
		}))
		require.Equal(e, slices.DeleteFunc(names, func(n string) bool { return n == "t1" }), list(), "a tenant without records is none")
	}},
	{"NothingAfterAnError", func(e *env) {
		require.NoError(e, e.backend.Update(e.ctx, "t", func(tx driver.Tx) error {
			for i := range 1200 {
				require.NoError(e, tx.Put(e.ctx, "c", driver.Record{}, driver.Record{Key: id(i), Revision: 1, Data: []byte("x")}))
			}
			return nil
		}))
		ctx, cancel := context.WithCancel(e.ctx)
		defer cancel()
		seen, errs := 0, 0
		_ = e.backend.View(e.ctx, "t", func(tx driver.Tx) error { // the database may take offence at the end of the query
			for r, err := range tx.Scan(ctx, "c", driver.Query{}) {
				require.Zero(e, errs, "an error is the last")
				if err != nil {
					require.ErrorIs(e, err, context.Canceled)
					require.Zero(e, r)
					errs++
					continue
				}
				require.Equal(e, id(seen), r.Key)
				if seen++; seen == 3 {
					cancel()
				}
			}
			return nil
		})
		require.True(e, errs == 1 || seen == 1200)
	}},
	{"RefusedQueryLeavesNoTrace", func(e *env) {
		// More values than databases take: the query may work or fail, but nothing
		// else, now or later.
		in := make([]string, 70000)
		for i := range in {
			in[i] = id(i)
		}
		require.NoError(e, e.backend.Update(e.ctx, "t", func(tx driver.Tx) error {
			return tx.Put(e.ctx, "c", driver.Record{}, driver.Record{Key: "k", Revision: 1, Data: []byte("x"), Attrs: []driver.Attr{{Name: "a", Value: id(7)}}})
		}))
		run := map[string]func(context.Context, string, func(driver.Tx) error) error{"view": e.backend.View, "update": e.backend.Update}
		for _, name := range []string{"view", "update", "view"} {
			err := run[name](e.ctx, "t", func(tx driver.Tx) error {
				all, err := collect(tx.Scan(e.ctx, "c", driver.Query{OrderBy: "a", Where: []driver.Cond{{Attr: "a", In: in}}}))
				if err == nil {
					require.Len(e, all, 1)
				}
				return err
			})
			e.Logf("%s with %d values: %v", name, len(in), err)
			require.NoError(e, run[name](e.ctx, "t", func(tx driver.Tx) error {
				r, err := tx.Get(e.ctx, "c", "k")
				require.Equal(e, "x", string(r.Data))
				return err
			}))
		}
	}},
	{"NoAttrs", func(e *env) {
		attrs := []driver.Attr{{Name: "a", Value: "v"}}
		require.NoError(e, e.backend.Update(e.ctx, "t", func(tx driver.Tx) error {
			return tx.Put(e.ctx, "c", driver.Record{}, driver.Record{Key: "k", Revision: 1, Data: []byte("1"), Attrs: attrs})
		}))
		require.NoError(e, e.backend.View(e.ctx, "t", func(tx driver.Tx) error {
			for _, q := range []driver.Query{{}, {Where: []driver.Cond{{Attr: "a", In: []string{"v"}}}}, {OrderBy: "a"}} {
				want := driver.Record{Key: "k", Revision: 1, Data: []byte("1"), Attrs: attrs}
				if q.OrderBy != "" {
					want.Value = "v"
				}
				all, err := collect(tx.Scan(e.ctx, "c", q))
				require.NoError(e, err)
				require.Equal(e, []driver.Record{want}, all)
				q.NoAttrs, want.Attrs = true, nil
				all, err = collect(tx.Scan(e.ctx, "c", q))
				require.NoError(e, err)
				require.Equal(e, []driver.Record{want}, all)
			}
			return nil
		}))
	}},
	{"CallsInsideScan", func(e *env) {
		require.NoError(e, e.backend.Update(e.ctx, "t", func(tx driver.Tx) error {
			for i := range 1000 {
				require.NoError(e, tx.Put(e.ctx, "c", driver.Record{}, driver.Record{Key: id(i), Revision: 1, Data: []byte("x"), Attrs: []driver.Attr{{Name: "a", Value: "v"}}}))
			}
			n := 0
			for r, err := range tx.Scan(e.ctx, "c", driver.Query{Where: []driver.Cond{{Attr: "a", In: []string{"v"}}}}) {
				require.NoError(e, err)
				_, err = tx.Get(e.ctx, "c", r.Key)
				require.NoError(e, err)
				require.NoError(e, tx.Delete(e.ctx, "c", r))
				n++
			}
			require.Equal(e, 1000, n)
			return nil
		}))
	}},
	{"DataIsNotShared", func(e *env) {
		data := []byte("original")
		require.NoError(e, e.backend.Update(e.ctx, "t", func(tx driver.Tx) error {
			return tx.Put(e.ctx, "c", driver.Record{}, driver.Record{Key: "k", Revision: 1, Data: data})
		}))
		copy(data, "changed!")
		require.NoError(e, e.backend.View(e.ctx, "t", func(tx driver.Tx) error {
			r, err := tx.Get(e.ctx, "c", "k")
			require.NoError(e, err)
			require.Equal(e, "original", string(r.Data))
			return nil
		}))
	}},
	{"BinaryAndEmptyData", func(e *env) {
		values := [][]byte{{}, {0}, []byte("\xff\xfe\x00\n"), []byte(`{"a": 1}`), []byte(`{"a":1}`), []byte(" null"), []byte(`"\u00e9"`), []byte("\n")}
		require.NoError(e, e.backend.Update(e.ctx, "t", func(tx driver.Tx) error {
			for i, v := range values {
				require.NoError(e, tx.Put(e.ctx, "c", driver.Record{}, driver.Record{Key: id(i), Revision: 1, Data: v}))
			}
			return nil
		}))
		require.NoError(e, e.backend.View(e.ctx, "t", func(tx driver.Tx) error {
			for i, v := range values {
				r, err := tx.Get(e.ctx, "c", id(i))
				require.NoError(e, err)
				require.Equal(e, string(v), string(r.Data))
			}
			return nil
		}))
	}},
}
