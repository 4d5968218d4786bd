package storetest_test

import (
	"context"
	"errors"
	"iter"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/memory"
	"github.com/issokit/issokit/store/storetest"
)

// A fault is a back end that does one thing wrong, and the cases that must find
// it.
type fault struct {
	backend backend
	cases   []string
}

// backend changes what a correct one does.
type backend struct {
	driver.Backend
	update func(b driver.Backend, ctx context.Context, tenant string, fn func(driver.Tx) error) error
	view   func(b driver.Backend, ctx context.Context, tenant string, fn func(driver.Tx) error) error
	tx     func(driver.Tx) driver.Tx
}

func (b backend) wrap(fn func(driver.Tx) error) func(driver.Tx) error {
	if b.tx == nil {
		return fn
	}
	return func(tx driver.Tx) error { return fn(b.tx(tx)) }
}

func (b backend) Update(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	if b.update != nil {
		return b.update(b.Backend, ctx, tenant, fn)
	}
	return b.Backend.Update(ctx, tenant, b.wrap(fn))
}

func (b backend) View(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	if b.view != nil {
		return b.view(b.Backend, ctx, tenant, fn)
	}
	return b.Backend.View(ctx, tenant, b.wrap(fn))
}

// blind puts whatever is there.
type blind struct{ driver.Tx }

func (x blind) Put(ctx context.Context, collection string, was, r driver.Record) error {
	there, err := x.Get(ctx, collection, r.Key)
	if err != nil {
		there = driver.Record{}
	}
	return x.Tx.Put(ctx, collection, there, r)
}

// folding ignores the case of keys.
type folding struct{ driver.Tx }

func (x folding) Get(ctx context.Context, collection, key string) (driver.Record, error) {
	return x.Tx.Get(ctx, collection, strings.ToLower(key))
}

func (x folding) Put(ctx context.Context, collection string, was, r driver.Record) error {
	r.Key = strings.ToLower(r.Key)
	return x.Tx.Put(ctx, collection, was, r)
}

// lazy never changes the attributes of a record.
type lazy struct{ driver.Tx }

func (x lazy) Put(ctx context.Context, collection string, was, r driver.Record) error {
	if was.Revision > 0 {
		r.Attrs = was.Attrs
	}
	return x.Tx.Put(ctx, collection, was, r)
}

// composing takes characters and their composed forms for the same in attributes.
type composing struct{ driver.Tx }

func compose(s string) string { return strings.ReplaceAll(s, "e\u0301", "é") }

func (x composing) Put(ctx context.Context, collection string, was, r driver.Record) error {
	r.Attrs = slices.Clone(r.Attrs)
	for i := range r.Attrs {
		r.Attrs[i].Value = compose(r.Attrs[i].Value)
	}
	slices.SortFunc(r.Attrs, driver.Attr.Compare)
	r.Attrs = slices.Compact(r.Attrs)
	return x.Tx.Put(ctx, collection, was, r)
}

func (x composing) Scan(ctx context.Context, collection string, q driver.Query) iter.Seq2[driver.Record, error] {
	q.Where = slices.Clone(q.Where)
	for i, c := range q.Where {
		q.Where[i].In = slices.Clone(c.In)
		for j := range c.In {
			q.Where[i].In[j] = compose(c.In[j])
		}
	}
	return x.Tx.Scan(ctx, collection, q)
}

// compare16 compares strings as Java and JavaScript do.
func compare16(a, b string) int {
	return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
}

// scan16 scans in the order of UTF-16 what is part of order, of a range of keys, or
// of a range of values.
type scan16 struct {
	driver.Tx
	order, keys, values bool
}

func (x scan16) Scan(ctx context.Context, collection string, q driver.Query) iter.Seq2[driver.Record, error] {
	all := q
	all.Limit = 0
	in := func(s, from, to string) bool { return compare16(s, from) >= 0 && (to == "" || compare16(s, to) < 0) }
	if x.keys {
		all.KeyFrom, all.KeyTo = "", ""
	}
	if x.values {
		all.Where = slices.DeleteFunc(slices.Clone(q.Where), func(c driver.Cond) bool { return c.In == nil })
	}
	matches := func(r driver.Record) bool {
		if x.keys && !in(r.Key, q.KeyFrom, q.KeyTo) {
			return false
		}
		for _, c := range q.Where {
			ok := c.In != nil || !x.values
			for _, a := range r.Attrs {
				ok = ok || a.Name == c.Attr && in(a.Value, c.From, c.To)
			}
			if !ok {
				return false
			}
		}
		return true
	}
	return func(yield func(driver.Record, error) bool) {
		var found []driver.Record
		for r, err := range x.Tx.Scan(ctx, collection, all) {
			if err != nil {
				yield(r, err)
				return
			}
			if matches(r) {
				found = append(found, r)
			}
		}
		if x.order {
			slices.SortStableFunc(found, func(a, b driver.Record) int {
				if q.Desc {
					a, b = b, a
				}
				return compare16(a.Value, b.Value)
			})
		}
		for i, r := range found {
			if q.Limit > 0 && i == q.Limit || !yield(r, nil) {
				return
			}
		}
	}
}

// insistent goes on after an error.
type insistent struct{ driver.Tx }

func (x insistent) Scan(ctx context.Context, collection string, q driver.Query) iter.Seq2[driver.Record, error] {
	return func(yield func(driver.Record, error) bool) {
		for r, err := range x.Tx.Scan(ctx, collection, q) {
			if !yield(r, err) || err != nil && !yield(driver.Record{}, err) {
				return
			}
		}
	}
}

// forgetful does not list a collection that was made by somebody else.
type forgetful struct{ driver.Tx }

func (x forgetful) Collections(ctx context.Context) ([]string, error) {
	names, err := x.Tx.Collections(ctx)
	return slices.DeleteFunc(names, func(n string) bool { return strings.HasPrefix(n, "~") }), err
}

// nowhere does not say by which value a record came.
type nowhere struct{ driver.Tx }

func (x nowhere) Scan(ctx context.Context, collection string, q driver.Query) iter.Seq2[driver.Record, error] {
	return func(yield func(driver.Record, error) bool) {
		for r, err := range x.Tx.Scan(ctx, collection, q) {
			r.Value = ""
			if !yield(r, err) {
				return
			}
		}
	}
}

// onward does not know of a falling order.
type onward struct{ driver.Tx }

func (x onward) Scan(ctx context.Context, collection string, q driver.Query) iter.Seq2[driver.Record, error] {
	q.Desc = q.Desc && collection == "~audit"
	return x.Tx.Scan(ctx, collection, q)
}

// piecemeal makes each call a transaction of its own.
type piecemeal struct {
	b      driver.Backend
	tenant string
}

func (x piecemeal) Get(ctx context.Context, collection, key string) (r driver.Record, err error) {
	return r, x.b.View(ctx, x.tenant, func(tx driver.Tx) error { r, err = tx.Get(ctx, collection, key); return err })
}

// pause lets others in between reading and writing: what may go wrong then does.
func pause() { time.Sleep(time.Millisecond) }

func (x piecemeal) Put(ctx context.Context, collection string, was, r driver.Record) error {
	pause()
	return x.b.Update(ctx, x.tenant, func(tx driver.Tx) error { return tx.Put(ctx, collection, was, r) })
}

func (x piecemeal) Delete(ctx context.Context, collection string, was driver.Record) error {
	pause()
	return x.b.Update(ctx, x.tenant, func(tx driver.Tx) error { return tx.Delete(ctx, collection, was) })
}

func (x piecemeal) Scan(ctx context.Context, collection string, q driver.Query) iter.Seq2[driver.Record, error] {
	return func(yield func(driver.Record, error) bool) {
		err := x.b.View(ctx, x.tenant, func(tx driver.Tx) error {
			for r, err := range tx.Scan(ctx, collection, q) {
				if !yield(r, err) {
					break
				}
			}
			return nil
		})
		if err != nil {
			yield(driver.Record{}, err)
		}
	}
}

func (x piecemeal) Collections(ctx context.Context) (names []string, err error) {
	return names, x.b.View(ctx, x.tenant, func(tx driver.Tx) error { names, err = tx.Collections(ctx); return err })
}

func inPieces(b driver.Backend, _ context.Context, tenant string, fn func(driver.Tx) error) error {
	return fn(piecemeal{b, tenant})
}

// tenantAs changes the name of the tenant.
func tenantAs(do func(driver.Backend, context.Context, string, func(driver.Tx) error) error, as func(string) string) func(driver.Backend, context.Context, string, func(driver.Tx) error) error {
	return func(b driver.Backend, ctx context.Context, tenant string, fn func(driver.Tx) error) error {
		return do(b, ctx, as(tenant), fn)
	}
}

var faults = map[string]fault{
	"blind put":           {backend{tx: func(tx driver.Tx) driver.Tx { return blind{tx} }}, []string{"Driver/PutComparesRevision"}},
	"case folding":        {backend{tx: func(tx driver.Tx) driver.Tx { return folding{tx} }}, []string{"Records/MixedCaseOrder"}},
	"old index":           {backend{tx: func(tx driver.Tx) driver.Tx { return lazy{tx} }}, []string{"Queries/AttrChangesWithRecord", "Queries/Reindex"}},
	"composed values":     {backend{tx: func(tx driver.Tx) driver.Tx { return composing{tx} }}, []string{"Queries/UnicodeOrder"}},
	"UTF-16 order":        {backend{tx: func(tx driver.Tx) driver.Tx { return scan16{Tx: tx, order: true} }}, []string{"Queries/UnicodeOrder"}},
	"UTF-16 key range":    {backend{tx: func(tx driver.Tx) driver.Tx { return scan16{Tx: tx, keys: true} }}, []string{"Queries/UnicodeOrder"}},
	"UTF-16 value range":  {backend{tx: func(tx driver.Tx) driver.Tx { return scan16{Tx: tx, values: true} }}, []string{"Queries/UnicodeOrder"}},
	"more after an error": {backend{tx: func(tx driver.Tx) driver.Tx { return insistent{tx} }}, []string{"Driver/NothingAfterAnError"}},
	"hidden collections":  {backend{tx: func(tx driver.Tx) driver.Tx { return forgetful{tx} }}, []string{"Driver/Collections"}},
	"composed tenants":    {backend{update: tenantAs(driver.Backend.Update, compose), view: tenantAs(driver.Backend.View, compose)}, []string{"Tenants/SameKeyTwoTenants"}},
	"trimmed tenants":     {backend{update: tenantAs(driver.Backend.Update, strings.TrimSpace), view: tenantAs(driver.Backend.View, strings.TrimSpace)}, []string{"Tenants/SameKeyTwoTenants"}},
	"no place":            {backend{tx: func(tx driver.Tx) driver.Tx { return nowhere{tx} }}, []string{"Queries/OrderTies", "Queries/UnicodeOrder"}},
	"one order":           {backend{tx: func(tx driver.Tx) driver.Tx { return onward{tx} }}, []string{"Queries/OrderAscDesc", "Queries/OrderTies"}},
	"no snapshot":         {backend{view: inPieces}, []string{"Transactions/SnapshotInView"}},
	"no transaction": {backend{update: inPieces}, []string{
		"Transactions/RollbackOnError", "Transactions/RollbackOnPanic", "Transactions/RollbackLeavesNoAudit", "Transactions/CancelDuring",
		"Transactions/WriteSkewRace", "Transactions/CounterRace", "Audit/ChainContiguousUnderConcurrency",
	}},
	"commit of errors": {backend{update: func(b driver.Backend, ctx context.Context, tenant string, fn func(driver.Tx) error) error {
		var own error
		return errors.Join(b.Update(ctx, tenant, func(tx driver.Tx) error { own = fn(tx); return nil }), own)
	}}, []string{"Transactions/RollbackLeavesNoAudit", "Transactions/RetryIsTransparent"}},
	"one tenant": {backend{
		update: func(b driver.Backend, ctx context.Context, _ string, fn func(driver.Tx) error) error {
			return b.Update(ctx, "", fn)
		},
		view: func(b driver.Backend, ctx context.Context, _ string, fn func(driver.Tx) error) error {
			return b.View(ctx, "", fn)
		},
	}, []string{"Tenants/GuessedKey", "Tenants/SameKeyTwoTenants", "Tenants/ScanSeesOwnOnly", "Tenants/ChainPerTenant"}},
	"writing view": {backend{view: func(b driver.Backend, ctx context.Context, tenant string, fn func(driver.Tx) error) error {
		return b.Update(ctx, tenant, fn)
	}}, []string{"Transactions/SnapshotInView", "Driver/PutComparesRevision"}},
}

const faultVariable = "ISSOKIT_STORETEST_FAULT"

// TestFaulty is what TestSuiteFindsFaults runs in a process of its own.
func TestFaulty(t *testing.T) {
	f, ok := faults[os.Getenv(faultVariable)]
	if !ok {
		t.Skip("a part of TestSuiteFindsFaults")
	}
	storetest.Run(t, func(testing.TB) driver.Backend {
		b := f.backend
		b.Backend = memory.New(&memory.Options{LockWait: 100 * time.Millisecond})
		return b
	}, nil)
}

// TestWrappersAreNoFaults: what the faults are built of is correct by itself.
func TestWrappersAreNoFaults(t *testing.T) {
	same := func(s string) string { return s }
	storetest.Run(t, func(testing.TB) driver.Backend {
		return backend{
			Backend: memory.New(nil),
			tx:      func(tx driver.Tx) driver.Tx { return scan16{Tx: tx} },
			update: func(b driver.Backend, ctx context.Context, tenant string, fn func(driver.Tx) error) error {
				return tenantAs(driver.Backend.Update, same)(b, ctx, tenant, func(tx driver.Tx) error { return fn(scan16{Tx: tx}) })
			},
		}
	}, nil)
}

// TestSuiteFindsFaults: the suite fails on back ends that do one thing wrong, in
// the cases that are there for it.
func TestSuiteFindsFaults(t *testing.T) {
	for name, f := range faults {
		for _, c := range f.cases {
			t.Run(name+"/"+c, func(t *testing.T) {
				group, one, _ := strings.Cut(c, "/")
				var out []byte
				var err error
				for range 10 { // a race may be won by luck, not ten times
					cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.short", "-test.run", "^TestFaulty$/^"+group+"$/^"+one+"$")
					cmd.Env = append(os.Environ(), faultVariable+"="+name)
					if out, err = cmd.CombinedOutput(); err != nil {
						break
					}
				}
				require.Error(t, err, "%s", out)
				require.Contains(t, string(out), "--- FAIL: TestFaulty/"+c)
			})
		}
	}
}
