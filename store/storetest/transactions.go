package storetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
)

var errOwn = errors.New("own")

var transactionCases = []testCase{
	{"CommitTwoCollections", func(e *env) {
		require.NoError(e, e.scope.Update(e.ctx, func(tx *store.Tx) error {
			return errors.Join(e.items.In(tx).Create(e.ctx, item{ID: "a"}), e.others.In(tx).Create(e.ctx, item{ID: "b"}))
		}))
		e.get("a")
		_, err := e.others.Get(e.ctx, "b")
		require.NoError(e, err)
		require.Equal(e, int64(2), e.verify().Entries)
	}},
	{"RollbackOnError", func(e *env) {
		e.create(item{ID: "old", Score: 1, Tags: []string{"x"}})
		err := e.scope.Update(e.ctx, func(tx *store.Tx) error {
			c := e.items.In(tx)
			require.NoError(e, c.Create(e.ctx, item{ID: "a"}))
			require.NoError(e, c.Put(e.ctx, item{ID: "old", Score: 2, Tags: []string{"y"}}))
			_, err := tx.Scope().PutBlob(e.ctx, []byte("x"))
			require.NoError(e, err)
			return errOwn
		})
		require.Same(e, errOwn, err)
		require.Equal(e, []string{"old"}, e.keys(store.Query{}))
		require.Equal(e, []string{"old"}, e.keys(store.Query{Where: []store.Cond{store.Equal("tag", "x")}}))
		require.Empty(e, e.keys(store.Query{Where: []store.Cond{store.Equal("tag", "y")}}))
		require.Zero(e, e.verify().Blobs)
	}},
	{"RollbackOnPanic", func(e *env) {
		require.PanicsWithValue(e, "own", func() {
			_ = e.scope.Update(e.ctx, func(tx *store.Tx) error {
				require.NoError(e, e.items.In(tx).Create(e.ctx, item{ID: "a"}))
				panic("own")
			})
		})
		require.Empty(e, e.keys(store.Query{}))
		e.create(item{ID: "b"}) // nothing is left locked
	}},
	{"RollbackLeavesNoAudit", func(e *env) {
		e.create(item{ID: "a"})
		before := e.verify()
		require.ErrorIs(e, e.scope.Update(e.ctx, func(tx *store.Tx) error {
			require.NoError(e, e.items.In(tx).Create(e.ctx, item{ID: "b"}))
			return errOwn
		}), errOwn)
		require.Equal(e, before, e.verify())
		e.create(item{ID: "c"})
		require.Equal(e, int64(2), e.verify().Seq)
	}},
	{"ReadYourWrites", func(e *env) {
		require.NoError(e, e.scope.Update(e.ctx, func(tx *store.Tx) error {
			c := e.items.In(tx)
			require.NoError(e, c.Create(e.ctx, item{ID: "a", Score: 1, Owner: "x"}))
			v, err := c.Load(e.ctx, "a")
			require.NoError(e, err)
			require.Equal(e, int64(1), v.Revision)
			_, err = c.Swap(e.ctx, item{ID: "a", Score: 2, Owner: "y"}, 1)
			require.NoError(e, err)
			found, err := collect(c.Query(e.ctx, store.Query{Where: []store.Cond{store.Equal("owner", "y")}}))
			require.NoError(e, err)
			require.Len(e, found, 1)
			past, err := collect(c.History(e.ctx, "a"))
			require.NoError(e, err)
			require.Len(e, past, 2)
			require.NoError(e, c.Delete(e.ctx, "a", 2))
			_, err = c.Get(e.ctx, "a")
			require.ErrorIs(e, err, store.ErrNotFound)
			return c.Create(e.ctx, item{ID: "a", Score: 3})
		}))
		require.Equal(e, int64(3), e.revision("a"))
		e.verify()
	}},
	{"ViewsDoNotWait", func(e *env) {
		// Neither for each other nor for an Update that is not done.
		e.create(item{ID: "a", Score: 1})
		look := func() error {
			return e.scope.View(e.ctx, func(tx *store.Tx) error {
				v, err := e.items.In(tx).Get(e.ctx, "a")
				require.Equal(e, int64(1), v.Score)
				return err
			})
		}
		done := make(chan error, 1)
		go func() {
			done <- e.scope.View(e.ctx, func(*store.Tx) error {
				return errors.Join(look(), e.scope.Update(e.ctx, func(tx *store.Tx) error {
					return errors.Join(e.items.In(tx).Put(e.ctx, item{ID: "a", Score: 2}), look())
				}))
			})
		}()
		select {
		case err := <-done:
			require.NoError(e, err)
		case <-time.After(30 * time.Second):
			e.Fatal("a View waits")
		}
	}},
	{"SnapshotInView", func(e *env) {
		e.create(item{ID: "a", Score: 1}, item{ID: "b", Score: 1}, item{ID: "c", Score: 1})
		require.NoError(e, e.scope.View(e.ctx, func(tx *store.Tx) error {
			c := e.items.In(tx)
			v, err := c.Get(e.ctx, "a")
			require.NoError(e, err)
			require.Equal(e, int64(1), v.Score)
			// Another one changes all, and a View does not make it wait.
			require.NoError(e, e.scope.Update(e.ctx, func(tx *store.Tx) error {
				c := e.items.In(tx)
				return errors.Join(c.Put(e.ctx, item{ID: "a", Score: 2}), c.Put(e.ctx, item{ID: "b", Score: 2}),
					c.Delete(e.ctx, "c", 1), c.Create(e.ctx, item{ID: "d", Score: 2}))
			}))
			all, err := collect(c.All(e.ctx))
			require.NoError(e, err)
			require.Equal(e, []item{{ID: "a", Score: 1}, {ID: "b", Score: 1}, {ID: "c", Score: 1}}, all)
			v, err = c.Get(e.ctx, "c")
			require.NoError(e, err)
			require.Equal(e, int64(1), v.Score)
			return nil
		}))
		require.Equal(e, []string{"a", "b", "d"}, e.keys(store.Query{}))
	}},
	{"WriteInView", func(e *env) {
		err := e.scope.View(e.ctx, func(tx *store.Tx) error { return e.items.In(tx).Create(e.ctx, item{ID: "a"}) })
		require.ErrorIs(e, err, store.ErrReadOnly)
		err = e.scope.View(e.ctx, func(tx *store.Tx) error {
			_, err := tx.Scope().PutBlob(e.ctx, []byte("x"))
			return err
		})
		require.ErrorIs(e, err, store.ErrReadOnly)
		require.Empty(e, e.keys(store.Query{}))
	}},
	{"NestedUpdate", func(e *env) {
		for _, outer := range []func(context.Context, func(*store.Tx) error) error{e.scope.Update, e.scope.View} {
			require.NoError(e, outer(e.ctx, func(tx *store.Tx) error {
				none := func(*store.Tx) error { return nil }
				require.ErrorIs(e, tx.Scope().Update(e.ctx, none), store.ErrNested)
				require.ErrorIs(e, tx.Scope().View(e.ctx, none), store.ErrNested)
				return nil
			}))
		}
	}},
	{"UseAfterEnd", func(e *env) {
		var kept *store.Tx
		require.NoError(e, e.scope.Update(e.ctx, func(tx *store.Tx) error { kept = tx; return nil }))
		_, err := e.items.In(kept).Get(e.ctx, "a")
		require.ErrorIs(e, err, store.ErrEnded)
		require.ErrorIs(e, e.items.In(kept).Put(e.ctx, item{ID: "a"}), store.ErrEnded)
	}},
	{"ActorNeeded", func(e *env) {
		nobody := e.store.Scope(store.Principal{Tenant: "t1"})
		require.ErrorIs(e, newItems(nobody, "items").Create(e.ctx, item{ID: "a"}), store.ErrInvalid)
		_, err := newItems(nobody, "items").Get(e.ctx, "a")
		require.ErrorIs(e, err, store.ErrNotFound)
	}},
	{"CancelBefore", func(e *env) {
		ctx, cancel := context.WithCancel(e.ctx)
		cancel()
		require.ErrorIs(e, e.items.Create(ctx, item{ID: "a"}), context.Canceled)
		_, err := e.items.Get(ctx, "a")
		require.ErrorIs(e, err, context.Canceled)
		_, err = collect(e.items.All(ctx))
		require.ErrorIs(e, err, context.Canceled)
		require.Empty(e, e.keys(store.Query{}))
	}},
	{"CancelDuring", func(e *env) {
		ctx, cancel := context.WithCancel(e.ctx)
		err := e.scope.Update(ctx, func(tx *store.Tx) error {
			require.NoError(e, e.items.In(tx).Create(ctx, item{ID: "a"}))
			cancel()
			return nil
		})
		require.ErrorIs(e, err, context.Canceled)
		require.Empty(e, e.keys(store.Query{}))
		e.create(item{ID: "a"})
		require.Equal(e, int64(1), e.verify().Entries)
	}},
	{"CancelWhileWaiting", func(e *env) {
		ctx, cancel := context.WithCancel(e.ctx)
		entered, leave := make(chan struct{}), make(chan struct{})
		var wg sync.WaitGroup
		var outer error
		wg.Go(func() {
			outer = e.scope.Update(e.ctx, func(tx *store.Tx) error {
				close(entered)
				<-leave
				return e.items.In(tx).Create(e.ctx, item{ID: "a"})
			})
		})
		<-entered
		time.AfterFunc(20*time.Millisecond, cancel)
		err := e.items.Create(ctx, item{ID: "b"})
		close(leave)
		wg.Wait()
		require.NoError(e, outer)
		require.ErrorIs(e, err, context.Canceled)
		require.Equal(e, []string{"a"}, e.keys(store.Query{}))
	}},
	{"SwallowedErrorDoesNotCommitByHalf", func(e *env) {
		err := e.scope.Update(e.ctx, func(tx *store.Tx) error {
			c := e.items.In(tx)
			require.NoError(e, c.Create(e.ctx, item{ID: "a"}))
			require.ErrorIs(e, c.Create(e.ctx, item{ID: "a"}), store.ErrExists)
			return nil
		})
		require.NoError(e, err, "an error before any change does no harm")
		require.Equal(e, int64(1), e.verify().Entries)
	}},
	{"LostUpdateRace", func(e *env) {
		e.create(item{ID: "a"})
		for round := range int64(5) {
			var won atomic.Int64
			require.NoError(e, parallel(16, func(i int) error {
				_, err := e.items.Swap(e.ctx, item{ID: "a", Score: int64(i)}, round+1)
				if errors.Is(err, store.ErrConflict) {
					return nil
				}
				won.Add(1)
				return err
			}))
			require.Equal(e, int64(1), won.Load())
		}
		require.Equal(e, int64(6), e.revision("a"))
	}},
	{"WriteSkewRace", func(e *env) {
		// Two may be on duty; each looks how many are left before he goes. Under
		// snapshot isolation both would go.
		for round := range 20 {
			owner := strconv.Itoa(round)
			e.create(item{ID: owner + "a", Owner: owner}, item{ID: owner + "b", Owner: owner})
			require.NoError(e, parallel(2, func(i int) error {
				return e.scope.Update(e.ctx, func(tx *store.Tx) error {
					c := e.items.In(tx)
					left, err := collect(c.Query(e.ctx, store.Query{Where: []store.Cond{store.Equal("owner", owner)}}))
					if err != nil || len(left) < 2 {
						return err
					}
					return c.Delete(e.ctx, owner+string(rune('a'+i)), 1)
				})
			}))
			require.Len(e, e.keys(store.Query{Where: []store.Cond{store.Equal("owner", owner)}}), 1)
		}
	}},
	{"PhantomRace", func(e *env) {
		// At most three records, counted before each insertion: a phantom is a
		// record that the count did not see.
		require.NoError(e, parallel(16, func(i int) error {
			return e.scope.Update(e.ctx, func(tx *store.Tx) error {
				c := e.items.In(tx)
				all, err := collect(c.All(e.ctx))
				if err != nil || len(all) >= 3 {
					return err
				}
				return c.Create(e.ctx, item{ID: id(i)})
			})
		}))
		require.Len(e, e.keys(store.Query{}), 3)
	}},
	{"CounterRace", func(e *env) {
		e.create(item{ID: "n"})
		const workers, each = 10, 100
		require.NoError(e, parallel(workers, func(int) error {
			for range each {
				err := e.scope.Update(e.ctx, func(tx *store.Tx) error {
					c := e.items.In(tx)
					v, err := c.Load(e.ctx, "n")
					if err != nil {
						return err
					}
					v.Value.Score++
					_, err = c.Swap(e.ctx, v.Value, v.Revision)
					return err
				})
				if err != nil {
					return err
				}
			}
			return nil
		}))
		require.Equal(e, int64(workers*each), e.get("n").Score)
		require.Equal(e, int64(workers*each+1), e.verify().Entries)
	}},
	{"FailuresAmongOthers", func(e *env) {
		// Where a back end commits several updates at once, one that fails takes
		// none with it, and leaves nothing itself.
		const workers, each = 8, 30
		unwanted := errors.New("unwanted")
		require.NoError(e, parallel(workers, func(w int) error {
			for n := range each {
				key := fmt.Sprintf("%d-%d", w, n)
				err := e.panics(func() error {
					return e.scope.Update(e.ctx, func(tx *store.Tx) error {
						c := e.items.In(tx)
						if err := c.Create(e.ctx, item{ID: key, Owner: "x"}); err != nil {
							return err
						}
						if err := c.Put(e.ctx, item{ID: "last", Score: int64(n)}); err != nil {
							return err
						}
						switch n % 5 {
						case 1:
							return unwanted
						case 2:
							panic(unwanted)
						case 3:
							_, err := c.Swap(e.ctx, item{ID: key}, 7)
							return err
						}
						return nil
					})
				})
				want := [...]error{1: unwanted, 2: unwanted, 3: store.ErrConflict, 4: nil}[n%5]
				if !errors.Is(err, want) {
					return fmt.Errorf("%s: expected %v, found %v", key, want, err)
				}
			}
			return nil
		}))
		want := []string{}
		for w := range workers {
			for n := range each {
				if n%5 == 0 || n%5 == 4 {
					want = append(want, fmt.Sprintf("%d-%d", w, n))
				}
			}
		}
		slices.Sort(want)
		require.Equal(e, want, e.keys(store.Query{Where: []store.Cond{store.Equal("owner", "x")}}))
		require.Equal(e, int64(2*len(want)), e.verify().Entries)
	}},
	{"RetryIsTransparent", func(e *env) {
		// A database that rolls every transaction back twice.
		b := &flaky{Backend: e.backend, fail: 2}
		s := store.New(b, &store.Options{Now: e.clock.Now, MaxRetry: 4}).Scope(store.Principal{Tenant: "t1", Actor: "p01"})
		c := newItems(s, "items")
		runs := 0
		require.NoError(e, s.Update(e.ctx, func(tx *store.Tx) error {
			runs++
			return c.In(tx).Create(e.ctx, item{ID: "a"})
		}))
		require.Equal(e, 3, runs)
		require.Equal(e, int64(1), e.verify().Entries)
		b.fail = 1000
		require.ErrorIs(e, c.Create(e.ctx, item{ID: "b"}), driver.ErrRetry)
		require.Equal(e, []string{"a"}, e.keys(store.Query{}))
	}},
	{"ReadersDuringWriters", func(e *env) { transfers(e, time.Duration(setting(e, SecondsVariable, 3))*time.Second) }},
}

// panics returns what fn panics with as its error.
func (e *env) panics(fn func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = p.(error)
		}
	}()
	return fn()
}

// flaky fails the next commits as a serializable database does.
type flaky struct {
	driver.Backend
	fail int
}

func (f *flaky) Update(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	return f.Backend.Update(ctx, tenant, func(tx driver.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		if f.fail > 0 {
			f.fail--
			return fmt.Errorf("commit: %w", driver.ErrRetry)
		}
		return nil
	})
}

// transfers moves amounts between accounts with 16 writers, and with 16 readers
// looks that the sum never changes.
func transfers(e *env, long time.Duration) {
	const accounts, workers, amount = 10, 16, 100
	e.fill(accounts, func(i int) item { return item{ID: id(i), Score: amount} })
	ctx, cancel := context.WithTimeout(e.ctx, long)
	defer cancel()
	var moved, summed atomic.Int64
	check := func(ctx context.Context) error {
		return e.scope.View(ctx, func(tx *store.Tx) error {
			sum := int64(0)
			for v, err := range e.items.In(tx).All(ctx) {
				if err != nil {
					return err
				}
				sum += v.Score
			}
			if sum != accounts*amount {
				return fmt.Errorf("the sum is %d", sum)
			}
			return nil
		})
	}
	err := parallel(2*workers, func(i int) error {
		for n := i; ctx.Err() == nil; n++ {
			var err error
			if i < workers {
				from, to := id(n%accounts), id((n*7+1)%accounts)
				if from == to {
					continue
				}
				err = e.scope.Update(ctx, func(tx *store.Tx) error {
					c := e.items.In(tx)
					a, err := c.Load(ctx, from)
					if err != nil {
						return err
					}
					b, err := c.Load(ctx, to)
					if err != nil {
						return err
					}
					a.Value.Score -= 3
					b.Value.Score += 3
					if _, err = c.Swap(ctx, a.Value, a.Revision); err != nil {
						return err
					}
					_, err = c.Swap(ctx, b.Value, b.Revision)
					return err
				})
				moved.Add(1)
			} else {
				err = check(ctx)
				summed.Add(1)
			}
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
		return nil
	})
	require.NoError(e, err)
	require.NoError(e, check(e.ctx))
	e.verify()
	require.Positive(e, moved.Load())
	require.Positive(e, summed.Load())
	e.Logf("%d transfers and %d sums in %v, %d writers and %d readers", moved.Load(), summed.Load(), long, workers, workers)
}
