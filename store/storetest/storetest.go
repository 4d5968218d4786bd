// Package storetest is the proof of a back end of package store. Its suite runs
// on everything that implements driver.Backend:
//
//	func TestSuite(t *testing.T) {
//		storetest.Run(t, func(testing.TB) driver.Backend { return memory.New(nil) }, nil)
//	}
//
// A durable back end also names places that can be opened again and again, also
// by another process, and calls [Main] from its TestMain:
//
//	func open(place string) (driver.Backend, error) { ... }
//	func TestMain(m *testing.M) { os.Exit(storetest.Main(m, open)) }
package storetest

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
)

// Options say what the suite cannot find out by itself; nil means a back end that
// keeps nothing.
type Options struct {
	// Place returns a new, empty place, and registers its removal; Open opens it.
	// Without them the cases of durability are skipped, and say so.
	Place func(t testing.TB) string
	Open  func(place string) (driver.Backend, error)

	OneProcess bool // a place that is open cannot be opened a second time

	// Newer makes a place look as if a newer version had written it, Old as if the
	// oldest one had that can be brought up to date. Without them their cases are
	// skipped, and say so.
	Newer, Old func(t testing.TB, place string)
}

// The environment variables of the tests that take long.
const (
	KillsVariable   = "ISSOKIT_KILLS"   // how often the crash test kills the writer; default 20
	SecondsVariable = "ISSOKIT_SECONDS" // how long the concurrency test runs; default 3
	RecordsVariable = "ISSOKIT_RECORDS" // how many records a list has that must stream; default 20,000
)

// setting reads a number from the environment. Under -short the default is a
// quarter.
func setting(t testing.TB, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		if testing.Short() {
			return max(otherwise/4, 1)
		}
		return otherwise
	}
	n, err := strconv.Atoi(text)
	require.NoError(t, err, name)
	return n
}

// Run runs the suite on empty back ends that open returns. open registers their
// clean-up.
func Run(t *testing.T, open func(t testing.TB) driver.Backend, opts *Options) {
	var o Options
	if opts != nil {
		o = *opts
	}
	groups := []struct {
		name  string
		cases []testCase
	}{
		{"Records", recordCases},
		{"Transactions", transactionCases},
		{"Queries", queryCases},
		{"Tenants", tenantCases},
		{"History", historyCases},
		{"Audit", slices.Concat(auditCases, chainCases)},
		{"Proof", proofCases},
		{"Driver", driverCases},
	}
	for _, g := range groups {
		t.Run(g.name, func(t *testing.T) {
			for _, c := range g.cases {
				t.Run(c.name, func(t *testing.T) { c.run(newEnv(t, open(t), o)) })
			}
		})
	}
	t.Run("Durability", func(t *testing.T) {
		for _, c := range durabilityCases {
			t.Run(c.name, func(t *testing.T) {
				if o.Place == nil || o.Open == nil {
					t.Skip("SKIPPED: the back end keeps nothing")
				}
				c.run(&env{T: t, ctx: t.Context(), opts: o})
			})
		}
	})
}

type testCase struct {
	name string
	run  func(*env)
}

// env is what a case works with: an empty store of the tenant t1.
type env struct {
	*testing.T
	ctx     context.Context
	opts    Options
	backend driver.Backend
	clock   *clock
	store   *store.Store
	scope   *store.Scope
	items   *store.Collection[item]
	others  *store.Collection[item]
}

func newEnv(t *testing.T, b driver.Backend, o Options) *env {
	e := &env{T: t, ctx: t.Context(), opts: o, backend: b, clock: &clock{now: epoch}}
	e.store = store.New(b, &store.Options{Now: e.clock.Now, MaxRecord: 2 << 20})
	e.scope = e.store.Scope(store.Principal{Tenant: "t1", Actor: "p01", Reason: "test"})
	e.items = newItems(e.scope, "items")
	e.others = newItems(e.scope, "others")
	return e
}

// item is the record of the suite.
type item struct {
	ID    string   `json:"id"`
	Owner string   `json:"owner,omitzero"`
	Score int64    `json:"score,omitzero"`
	Tags  []string `json:"tags"`
	Text  string   `json:"text,omitzero"`
}

func newItems(s *store.Scope, name string) *store.Collection[item] {
	return store.NewCollection(s, name, func(v item) string { return v.ID }, &store.CollectionOptions[item]{
		Attrs: map[string]func(item) []string{
			"owner": func(v item) []string {
				if v.Owner == "" {
					return nil
				}
				return []string{v.Owner}
			},
			"score": func(v item) []string { return []string{store.NumberValue(v.Score)} },
			"tag":   func(v item) []string { return v.Tags },
		},
	})
}

var epoch = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)

// clock goes on by a second each time that it is read.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.now
	c.now = c.now.Add(time.Second)
	return now
}

func (e *env) set(t time.Time) {
	e.clock.mu.Lock()
	defer e.clock.mu.Unlock()
	e.clock.now = t
}

func (e *env) create(vs ...item) {
	e.Helper()
	for _, v := range vs {
		require.NoError(e, e.items.Create(e.ctx, v))
	}
}

// fill creates many items in few transactions.
func (e *env) fill(n int, make func(i int) item) {
	e.Helper()
	for from := 0; from < n; from += 1000 {
		require.NoError(e, e.scope.Update(e.ctx, func(tx *store.Tx) error {
			c := e.items.In(tx)
			for i := from; i < min(n, from+1000); i++ {
				if err := c.Create(e.ctx, make(i)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
}

func (e *env) get(key string) item {
	e.Helper()
	v, err := e.items.Get(e.ctx, key)
	require.NoError(e, err)
	return v
}

func (e *env) revision(key string) int64 {
	e.Helper()
	v, err := e.items.Load(e.ctx, key)
	require.NoError(e, err)
	return v.Revision
}

func (e *env) verify() store.Report {
	e.Helper()
	r, err := e.scope.Verify(e.ctx, nil)
	require.NoError(e, err)
	return r
}

// keys are those of what a query selects.
func (e *env) keys(q store.Query) []string {
	e.Helper()
	keys := []string{}
	for v, err := range e.items.Query(e.ctx, q) {
		require.NoError(e, err)
		keys = append(keys, v.Key)
		require.LessOrEqual(e, len(keys), endless, errEndless)
	}
	return keys
}

func collect[T any](seq iter.Seq2[T, error]) ([]T, error) {
	out := []T{}
	for v, err := range seq {
		if err != nil {
			return out, err
		}
		if out = append(out, v); len(out) > endless {
			return out, errEndless
		}
	}
	return out, nil
}

// A back end that forgets where a scan goes on begins it again and again: no list of
// the suite is that long.
const endless = 50000

var errEndless = errors.New("the list does not end")

// parallel runs fn n times at once and returns the errors.
func parallel(n int, fn func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() { errs[i] = fn(i) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func id(i int) string { return fmt.Sprintf("k%05d", i) }
