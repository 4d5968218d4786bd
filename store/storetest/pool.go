package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
)

// SmallPool looks that a back end neither hangs nor starves on a pool of few
// connections. open returns an empty back end with at most so many of them, which
// waits for a lock or a connection no longer than wait.
func SmallPool(t *testing.T, open func(t testing.TB, connections int, wait time.Duration) driver.Backend) {
	for connections := 1; connections <= 3; connections++ {
		t.Run(fmt.Sprintf("ManyForms/%d", connections), func(t *testing.T) {
			e := newEnv(t, open(t, connections, time.Minute), Options{})
			manyForms(e)
		})
	}
	// Whoever asks for a connection while holding the last one waits in vain, and is
	// told so in time.
	t.Run("Nested", func(t *testing.T) {
		const wait = 300 * time.Millisecond
		e := newEnv(t, open(t, 1, wait), Options{})
		e.create(item{ID: "a"})
		get := func() error { _, err := e.items.Get(e.ctx, "a"); return err }
		none := func(*store.Tx) error { return nil }
		for _, outer := range []struct {
			name string
			run  func(context.Context, func(*store.Tx) error) error
		}{{"update", e.scope.Update}, {"view", e.scope.View}} {
			for _, inner := range []struct {
				name string
				run  func() error
			}{
				{"get", get},
				{"query", func() error { _, err := collect(e.items.All(e.ctx)); return err }},
				{"view", func() error { return e.scope.View(e.ctx, none) }},
				{"update", func() error { return e.scope.Update(e.ctx, none) }},
			} {
				done := make(chan error, 1)
				start := time.Now()
				go func() { done <- outer.run(e.ctx, func(*store.Tx) error { return inner.run() }) }()
				select {
				case err := <-done:
					require.ErrorIs(t, err, store.ErrBusy, "%s in %s", inner.name, outer.name)
					require.GreaterOrEqual(t, time.Since(start), wait, "%s in %s", inner.name, outer.name)
				case <-time.After(30 * time.Second):
					t.Fatalf("%s in %s hangs", inner.name, outer.name)
				}
				require.NoError(t, get(), "afterwards")
				require.NoError(t, e.items.Put(e.ctx, item{ID: "a"}), "afterwards")
			}
		}
		e.verify()
	})
}

// manyForms reads with queries of ever new forms, each of which a back end may
// prepare, from many goroutines, beside writers.
func manyForms(e *env) {
	const readers, writers, rounds = 16, 2, 12
	e.fill(20, func(i int) item { return item{ID: id(i), Owner: string(rune('a' + i)), Score: int64(i)} })
	ctx, cancel := context.WithTimeout(e.ctx, time.Minute)
	defer cancel()
	owners := make([]string, readers*rounds)
	for i := range owners {
		owners[i] = string(rune('a' + i%20))
	}
	require.NoError(e, parallel(readers+writers, func(i int) error {
		for n := range rounds {
			var err error
			if i >= readers {
				err = e.items.Put(ctx, item{ID: id(i), Owner: owners[i], Score: int64(n)})
			} else {
				err = e.scope.View(ctx, func(tx *store.Tx) error {
					c := e.items.In(tx)
					got, err := collect(c.Query(ctx, where(store.AnyOf("owner", owners[:i*rounds+n+1]...))))
					if err == nil && len(got) != min(20, i*rounds+n+1) {
						err = fmt.Errorf("found %d", len(got))
					}
					if err == nil {
						_, err = c.Get(ctx, id(3))
					}
					return err
				})
			}
			if err != nil {
				return err
			}
			if _, err := e.items.Get(ctx, id(n)); err != nil {
				return err
			}
		}
		return nil
	}))
	e.verify()
}
