package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"sync"
	"time"

	"github.com/issokit/issokit/store/driver"
)

// Options configure [New]; nil means the defaults.
type Options struct {
	// Now is the clock; default time.Now. The times of an audit trail never fall: if
	// the clock has been ahead once, all later entries have that time until the clock
	// has reached it, and [Collection.At] of an instant before finds nothing of what
	// they wrote. The trail cannot be mended, so a program that does not trust its
	// clock looks at it before it writes.
	Now func() time.Time

	NewID     func() string // default: random UUIDs (RFC 9562, version 4)
	MaxRecord int           // bytes of a record's content; default 8 MiB
	MaxBlob   int           // bytes of a blob; default 64 MiB
	MaxRetry  int           // how often a transaction is run again that the database rolled back; default 10
}

// A Store keeps the records of tenants in a back end. It is safe for concurrent
// use.
type Store struct {
	backend driver.Backend
	opts    Options
	logged  sync.Map // names of the collections that log what is read
}

// New returns a store on a back end. The caller closes the back end.
func New(b driver.Backend, opts *Options) *Store {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = randomUUID
	}
	if o.MaxRecord <= 0 {
		o.MaxRecord = 8 << 20
	}
	if o.MaxBlob <= 0 {
		o.MaxBlob = 64 << 20
	}
	if o.MaxRetry <= 0 {
		o.MaxRetry = 10
	}
	return &Store{backend: b, opts: o}
}

func randomUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // does not fail: see its documentation
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// A Principal says for whom and on whose behalf records are read and written. It
// comes from the caller's authentication, never from a record.
type Principal struct {
	Tenant string // "" is a tenant like any other
	Actor  string // who; needed for every write
	Reason string // why; goes into the audit trail
}

// A Scope is a store as seen by a principal: it reads and writes one tenant's
// records and signs changes with the actor. It is immutable and safe for
// concurrent use, unless it belongs to a transaction.
type Scope struct {
	store *Store
	p     Principal
	tx    *Tx
}

// Scope returns the store as seen by a principal.
func (s *Store) Scope(p Principal) *Scope { return &Scope{store: s, p: p} }

// Principal returns for whom the scope is.
func (s *Scope) Principal() Principal { return s.p }

// Because returns the scope with another reason.
func (s *Scope) Because(reason string) *Scope {
	c := *s
	c.p.Reason = reason
	return &c
}

// InTx tells whether the scope belongs to a transaction.
func (s *Scope) InTx() bool { return s.tx != nil }

// NewID returns a new ID from the store's source.
func (s *Scope) NewID() string { return s.store.opts.NewID() }

// A Tx is a transaction on one tenant's records. It is used by one goroutine at
// a time, and not after the function that got it has returned ([ErrEnded]).
type Tx struct {
	scope *Scope
	d     driver.Tx
	write bool
	ended bool
	head  *head // of the audit trail, once it was read
	err   error // of a change that was made by half: there must be no commit
}

// Scope returns a scope inside the transaction: collections made with it take
// part in it. Its Update and View fail with [ErrNested].
func (tx *Tx) Scope() *Scope {
	s := *tx.scope
	s.tx = tx
	return &s
}

func (tx *Tx) use() error {
	if tx.ended {
		return ErrEnded
	}
	return nil
}

// broken keeps a transaction from being committed although fn took no notice of
// an error in the middle of a change.
func (tx *Tx) broken(err error) error {
	if tx.err == nil {
		tx.err = err
	}
	return err
}

// put and remove are how all is written: a change has several writes, and when one
// of them fails there must be no commit.
func (tx *Tx) put(ctx context.Context, collection string, was, r driver.Record) error {
	return tx.broken(tx.d.Put(ctx, collection, was, r))
}

func (tx *Tx) remove(ctx context.Context, collection string, was driver.Record) error {
	return tx.broken(tx.d.Delete(ctx, collection, was))
}

// Update runs fn in a transaction and commits if fn returns nil; nothing of it is
// left if fn fails or panics. Changes to several collections, their history and
// their audit entries are one commit. The error of fn is returned as it is.
//
// Updates of one tenant are serial: what fn has read stays true until the commit,
// and no update is lost; the price is that a tenant's writes wait for each other.
// Where the database rolls back to solve a conflict, fn runs again: it must have
// no effects outside the transaction. An Update that is called inside of fn, and
// not on the Tx, waits for the outer one in vain and fails with [ErrBusy].
func (s *Scope) Update(ctx context.Context, fn func(*Tx) error) error {
	if s.p.Actor == "" {
		return s.error("update", invalid("a change needs an actor"))
	}
	return s.run(ctx, "update", s.store.backend.Update, fn)
}

// View runs fn on a consistent snapshot of the tenant's records. Writes in it
// fail with [ErrReadOnly].
func (s *Scope) View(ctx context.Context, fn func(*Tx) error) error {
	return s.run(ctx, "view", s.store.backend.View, fn)
}

func (s *Scope) run(ctx context.Context, op string, do func(context.Context, string, func(driver.Tx) error) error, fn func(*Tx) error) error {
	if s.tx != nil {
		return s.error(op, ErrNested)
	}
	if err := s.p.check(); err != nil {
		return s.error(op, err)
	}
	for try := 1; ; try++ {
		var own error // what fn itself returned
		err := do(ctx, s.p.Tenant, func(d driver.Tx) error {
			tx := &Tx{scope: s, d: d, write: op == "update"}
			defer func() { tx.ended = true }()
			if own = fn(tx); own == nil {
				own = tx.err
			}
			return own
		})
		switch {
		case err == nil:
			return nil
		case errors.Is(err, driver.ErrRetry) && try <= s.store.opts.MaxRetry:
			if err := pause(ctx, try); err != nil {
				return s.error(op, err)
			}
		case own != nil:
			return own
		default:
			return s.error(op, err)
		}
	}
}

// pause waits before a transaction is run again: up to 5 ms, then twice as long
// each time, with jitter so that two that met do not meet again.
func pause(ctx context.Context, try int) error {
	t := time.NewTimer(mathrand.N(time.Millisecond * 5 << min(try, 8)))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *Scope) error(op string, err error) error {
	return &Error{Op: op, Tenant: s.p.Tenant, Err: err}
}

// in runs fn in the scope's transaction, or in one of its own.
func (s *Scope) in(ctx context.Context, write bool, fn func(*Tx) error) error {
	switch {
	case s.tx != nil:
		if err := s.tx.use(); err != nil {
			return err
		}
		return fn(s.tx)
	case write:
		return s.Update(ctx, fn)
	default:
		return s.View(ctx, fn)
	}
}
