package storetest

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
)

// Compare runs a program, a sequence of operations in any bytes, on two empty
// back ends, and fails where they do not agree: in results, errors, and in the
// end in all records, histories and audit trails. It is the body of a fuzz target
// that compares a back end with store/memory.
func Compare(t testing.TB, a, b driver.Backend, program []byte) {
	t.Helper()
	x, y := newMachine(t, a), newMachine(t, b)
	for len(program) >= 4 {
		op := program[:4]
		program = program[4:]
		require.Equal(t, y.step(op), x.step(op), "operation %v", op)
	}
	for _, q := range []store.Query{{}, {Desc: true}, {OrderBy: "tag"}, {OrderBy: "score", Desc: true}} {
		require.Equal(t, y.query(q), x.query(q), "%+v", q)
	}
	require.Equal(t, y.verify(), x.verify())
}

// FuzzCompare is a fuzz target of [Compare] with seeds.
func FuzzCompare(f *testing.F, a, b func(t testing.TB) driver.Backend) {
	f.Add([]byte{})
	f.Add([]byte{0, 1, 2, 3, 0, 1, 2, 9, 3, 1, 0, 0, 5, 1, 0, 0, 6, 0, 0, 0})
	f.Add([]byte{0, 0, 1, 1, 0, 1, 1, 1, 0, 2, 2, 1, 4, 0, 0, 0, 0, 0, 5, 0, 7, 3, 1, 4, 8, 0, 0, 0, 7, 2, 7, 2})
	f.Fuzz(func(t *testing.T, program []byte) {
		Compare(t, a(t), b(t), program[:min(len(program), 400)])
	})
}

type machine struct {
	testing.TB
	clock *clock
	scope *store.Scope
	items *store.Collection[item]
}

func newMachine(t testing.TB, b driver.Backend) *machine {
	c := &clock{now: epoch}
	s := store.New(b, &store.Options{Now: c.Now}).Scope(store.Principal{Tenant: "t1", Actor: "p01"})
	return &machine{t, c, s, newItems(s, "items")}
}

// fuzzKeys are few, so that operations meet, and in an order that is not that of
// letters.
var fuzzKeys = []string{"a", "B", "é", "a/b", "../a", "😀", "b ", "b"}

// step runs an operation and says what came of it.
func (m *machine) step(op []byte) string {
	ctx := m.Context()
	k := fuzzKeys[int(op[1])%len(fuzzKeys)]
	v := item{ID: k, Owner: string(rune('x' + op[2]%3)), Score: int64(op[3]) - 128}
	for i := range op[2] % 4 {
		v.Tags = append(v.Tags, fuzzKeys[int(op[3]+i*3)%len(fuzzKeys)])
	}
	revision := int64(op[3] % 6)
	switch op[0] % 10 {
	case 0:
		return outcome(nil, m.items.Put(ctx, v))
	case 1:
		return outcome(nil, m.items.Create(ctx, v))
	case 2:
		r, err := m.items.Swap(ctx, v, revision)
		return outcome(r, err)
	case 3:
		return outcome(nil, m.items.Delete(ctx, k, revision))
	case 4:
		if op[2]%8 != 0 {
			return "" // seals are for ever: few of them
		}
		return outcome(nil, m.items.Seal(ctx, k, revision))
	case 5:
		got, err := m.items.Load(ctx, k)
		return outcome(got, err)
	case 6:
		all, err := collect(m.items.History(ctx, k))
		return outcome(all, err)
	case 7:
		tag := fuzzKeys[int(op[2])%len(fuzzKeys)]
		q := store.Query{Desc: op[1]&1 != 0, Where: []store.Cond{store.Equal("tag", tag)}}
		switch op[1] / 2 % 5 {
		case 0:
			q.OrderBy = "score"
		case 1:
			q = store.Query{Desc: q.Desc, OrderBy: "tag", Where: []store.Cond{store.Between("tag", "", tag)}}
		case 2:
			q.Where = []store.Cond{store.AnyOf("owner", "x", "z"), store.Between("score", store.NumberValue(int64(op[3])-200), "")}
		case 3:
			q.KeyFrom, q.KeyTo = tag, fuzzKeys[int(op[3])%len(fuzzKeys)]
		}
		return m.query(q) + m.pages(q, int(op[3]%4)+1)
	case 8: // a transaction that is rolled back
		err := m.scope.Update(ctx, func(tx *store.Tx) error {
			_ = m.items.In(tx).Put(ctx, v)
			return errOwn
		})
		return outcome(nil, err)
	default: // one that is not
		err := m.scope.Update(ctx, func(tx *store.Tx) error {
			c := m.items.In(tx)
			if err := c.Put(ctx, v); err != nil {
				return err
			}
			v.ID = fuzzKeys[int(op[2])%len(fuzzKeys)]
			return c.Put(ctx, v)
		})
		return outcome(nil, err)
	}
}

func outcome(v any, err error) string {
	for _, known := range []error{store.ErrNotFound, store.ErrExists, store.ErrConflict, store.ErrSealed, store.ErrInvalid, errOwn} {
		if errors.Is(err, known) {
			return known.Error()
		}
	}
	return fmt.Sprintf("%+v %v", v, err)
}

func (m *machine) query(q store.Query) string {
	all, err := collect(m.items.Query(m.Context(), q))
	return outcome(all, err)
}

func (m *machine) pages(q store.Query, limit int) string {
	text := ""
	for cur := store.Cursor(""); ; {
		p, err := m.items.Page(m.Context(), q, cur, limit)
		for _, v := range p.Items {
			text += v.Key + ","
		}
		if cur = p.Next; err == nil && len(text) > endless {
			err = errEndless
		}
		if cur == "" || err != nil {
			return text + outcome(nil, err)
		}
	}
}

func (m *machine) verify() string {
	r, err := m.scope.Verify(m.Context(), nil)
	return outcome(r, err)
}
