// Package memory keeps records in memory: for tests, for short-lived programs,
// and as the reference of what the other back ends do.
package memory

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/internal/tree"
)

// Options configure [New]; nil means the defaults.
type Options struct {
	LockWait time.Duration // how long an Update waits for another one of its tenant; default 10 s
}

// Backend is a [driver.Backend] whose records are gone when it is.
type Backend struct {
	wait    time.Duration
	mu      sync.Mutex
	tenants map[string]*tenant
}

var (
	_ driver.Backend = (*Backend)(nil)
	_ driver.Lister  = (*Backend)(nil)
)

// New returns an empty back end.
func New(opts *Options) *Backend {
	b := &Backend{wait: 10 * time.Second, tenants: map[string]*tenant{}}
	if opts != nil && opts.LockWait > 0 {
		b.wait = opts.LockWait
	}
	return b
}

// A tenant is the last committed state and the right to make the next one.
type tenant struct {
	writer chan struct{} // holds a token while an Update runs
	mu     sync.Mutex    // guards state
	state  state
}

// A state is immutable: a View keeps the one that it began with.
type state = tree.Map[tree.Records[driver.Record]]

func (t *tenant) load() state {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

func (b *Backend) tenant(name string) *tenant {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := b.tenants[name]
	if t == nil {
		t = &tenant{writer: make(chan struct{}, 1)}
		b.tenants[name] = t
	}
	return t
}

// View implements [driver.Backend].
func (b *Backend) View(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return fn(&tx{state: b.tenant(tenant).load(), readOnly: true})
}

// Update implements [driver.Backend].
func (b *Backend) Update(ctx context.Context, name string, fn func(driver.Tx) error) error {
	t := b.tenant(name)
	timer := time.NewTimer(b.wait)
	defer timer.Stop()
	select {
	case t.writer <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("%w (%v)", driver.ErrBusy, b.wait)
	}
	defer func() { <-t.writer }()
	x := &tx{state: t.load()}
	if err := fn(x); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state = x.state
	return nil
}

// Tenants implements [driver.Lister].
func (b *Backend) Tenants(ctx context.Context) ([]string, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var names []string
	for name, t := range b.tenants {
		if len(tree.Collections(t.load())) > 0 {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, ctx.Err()
}

// Close implements [driver.Backend]. It does nothing.
func (b *Backend) Close() error { return nil }

type tx struct {
	state    state
	readOnly bool
}

func (x *tx) Get(ctx context.Context, collection, key string) (driver.Record, error) {
	c, _ := x.state.Get(collection)
	e, ok := c.Get(key)
	if !ok {
		return driver.Record{}, cmpErr(ctx, driver.ErrNotFound)
	}
	return clone(e.Value), ctx.Err()
}

// cmpErr prefers the end of the context.
func cmpErr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// clone keeps callers from changing what is stored.
func clone(r driver.Record) driver.Record {
	r.Attrs = slices.Clone(r.Attrs)
	r.Data = slices.Clone(r.Data)
	return r
}

func (x *tx) check(ctx context.Context, collection string, was driver.Record, key string) (tree.Records[driver.Record], error) {
	c, _ := x.state.Get(collection)
	e, _ := c.Get(key)
	switch {
	case ctx.Err() != nil:
		return c, ctx.Err()
	case x.readOnly:
		return c, driver.ErrReadOnly
	case e.Value.Revision != was.Revision:
		return c, driver.ErrConflict
	}
	return c, nil
}

func (x *tx) Put(ctx context.Context, collection string, was, r driver.Record) error {
	c, err := x.check(ctx, collection, was, r.Key)
	if err != nil {
		return err
	}
	r = clone(r)
	x.state = x.state.Set(collection, c.Set(tree.Entry[driver.Record]{Key: r.Key, Attrs: r.Attrs, Value: r}))
	return nil
}

func (x *tx) Delete(ctx context.Context, collection string, was driver.Record) error {
	c, err := x.check(ctx, collection, was, was.Key)
	if err != nil {
		return err
	}
	x.state = x.state.Set(collection, c.Delete(was.Key))
	return nil
}

func (x *tx) Scan(ctx context.Context, collection string, q driver.Query) iter.Seq2[driver.Record, error] {
	c, _ := x.state.Get(collection)
	return func(yield func(driver.Record, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(driver.Record{}, err)
			return
		}
		for value, e := range c.Scan(q) {
			if err := ctx.Err(); err != nil {
				yield(driver.Record{}, err)
				return
			}
			r := e.Value
			if q.NoAttrs {
				r.Attrs = nil
			}
			r = clone(r)
			r.Value = value
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (x *tx) Collections(ctx context.Context) ([]string, error) {
	return tree.Collections(x.state), ctx.Err()
}
