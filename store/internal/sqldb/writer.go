package sqldb

import (
	"context"
	"database/sql"
	sqldriver "database/sql/driver"
	"errors"
	"fmt"

	"github.com/issokit/issokit/store/driver"
)

// A session is how the statements of a transaction reach the database.
type session interface {
	exec(ctx context.Context, text string, args ...any) (sql.Result, error)
	query(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

// A pooled session is a transaction of package database/sql, in any connection of
// the pool, with statements that were prepared for the pool.
type pooled struct {
	b  *DB
	tx *sql.Tx
}

func (p pooled) exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	if s := p.b.stmt(text); s != nil {
		return p.tx.StmtContext(ctx, s).ExecContext(ctx, args...)
	}
	r, err := p.tx.ExecContext(ctx, text, args...)
	if err == nil {
		p.b.want(text)
	}
	return r, err
}

func (p pooled) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	if s := p.b.stmt(text); s != nil {
		return p.tx.StmtContext(ctx, s).QueryContext(ctx, args...)
	}
	rows, err := p.tx.QueryContext(ctx, text, args...)
	if err == nil {
		p.b.want(text)
	}
	return rows, err
}

// A writer is the connection for the updates of a database that has one lock for
// all writes. It is kept from one Update to the next, and its prepared statements
// with it: what package database/sql does for a transaction, and for a statement
// that can be cancelled, takes as long as what such a database does for it. So the
// statements cannot be cancelled, and the context is looked at between them.
type writer struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

// takeWriter returns the writer that is kept, or a new one.
func (b *DB) takeWriter(ctx context.Context) (*writer, error) {
	b.mu.Lock()
	w := b.writer
	b.writer = nil
	b.mu.Unlock()
	if w != nil {
		return w, nil
	}
	ctx, _, cancel := b.limited(ctx)
	defer cancel()
	conn, err := b.db.Conn(ctx)
	if err != nil {
		return nil, busy(ctx, err)
	}
	return &writer{conn, map[string]*sql.Stmt{}}, nil
}

// keepWriter takes it back.
func (b *DB) keepWriter(w *writer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		w.close() //nolint:errcheck // there is nobody left to be told
		return
	}
	b.writer = w
}

func (w *writer) close() error {
	return errors.Join(w.closeStmts(), w.conn.Close())
}

func (w *writer) closeStmts() error {
	var errs []error
	for _, s := range w.stmts {
		errs = append(errs, s.Close())
	}
	clear(w.stmts)
	return errors.Join(errs...)
}

// destroy keeps a connection from being used again of which nobody knows in what
// state it is.
func (w *writer) destroy() {
	w.closeStmts()                                              //nolint:errcheck // nobody can do anything about it
	w.conn.Raw(func(any) error { return sqldriver.ErrBadConn }) //nolint:errcheck // it is the one just given
}

// stmt returns the prepared statement of a text; nil if there are too many.
func (w *writer) stmt(ctx context.Context, text string) (*sql.Stmt, error) {
	s := w.stmts[text]
	if s != nil || len(w.stmts) == maxStmts {
		return s, ctx.Err()
	}
	s, err := w.conn.PrepareContext(ctx, text)
	if err == nil {
		w.stmts[text] = s
	}
	return s, err
}

func (w *writer) exec(ctx context.Context, text string, args ...any) (sql.Result, error) {
	s, err := w.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	if s == nil {
		return w.conn.ExecContext(ctx, text, args...)
	}
	return s.ExecContext(ctx, args...)
}

func (w *writer) query(ctx context.Context, text string, args ...any) (*sql.Rows, error) {
	s, err := w.stmt(ctx, text)
	if err != nil {
		return nil, err
	}
	ctx = context.WithoutCancel(ctx)
	if s == nil {
		return w.conn.QueryContext(ctx, text, args...)
	}
	return s.QueryContext(ctx, args...)
}

// A batch is a transaction of the database that holds one Update, or several that
// have waited for each other: a commit costs as much as a few writes, and where it
// waits for the disk, as much as hundreds.
type batch struct {
	w    *writer
	done chan struct{} // closed when the transaction has ended
	err  error         // why it was not committed
}

// together adds an Update to the transaction that is open. Then it lets those go
// before that are waiting, so that they add theirs, and commits when it is its turn
// again, if none of them did meanwhile. The caller is in the gate, and together
// leaves it.
func (b *DB) together(ctx context.Context, g *gate, tenant string, fn func(driver.Tx) error) error {
	t, err := b.add(ctx, g, tenant, fn)
	if err != nil {
		return err
	}
	select {
	case <-t.done:
	case g.token <- struct{}{}:
		if b.open == t {
			b.end("COMMIT", nil)
		}
		g.leave()
	}
	return t.err
}

// add runs fn in the transaction that is open, or begins one, and leaves the gate.
func (b *DB) add(ctx context.Context, g *gate, tenant string, fn func(driver.Tx) error) (t *batch, err error) {
	defer g.leave()
	alone := b.open == nil
	if alone {
		err = b.begin(ctx)
	} else {
		_, err = b.open.w.exec(ctx, savepoint)
	}
	if err != nil {
		return nil, b.classify(ctx, err)
	}
	t = b.open
	done := false
	defer func() {
		if !done { // an error or a panic
			b.undo(alone)
		}
	}()
	tx := &Tx{b: b, session: t.w, tenant: tenant}
	if err = tx.run(fn); err == nil {
		err = ctx.Err()
	}
	if err == nil && !alone {
		_, err = tx.exec(ctx, release)
	}
	done = err == nil
	return t, err
}

// undo takes back the last Update.
func (b *DB) undo(alone bool) {
	if alone {
		b.end("ROLLBACK", nil)
		return
	}
	for _, s := range []string{rollbackTo, release} {
		if _, err := b.open.w.exec(context.Background(), s); err != nil { // after a full disk, for one, nothing is left
			b.end("ROLLBACK", fmt.Errorf("%w: another update in it failed: %w", driver.ErrRetry, err))
			return
		}
	}
}

// begin begins a transaction.
func (b *DB) begin(ctx context.Context) error {
	w, err := b.takeWriter(ctx)
	if err != nil {
		return err
	}
	const begin = "BEGIN IMMEDIATE"
	err = b.patiently(ctx, func() error {
		s, err := w.stmt(ctx, begin)
		if err == nil {
			_, err = s.ExecContext(ctx) // it may wait, and so can be cancelled
		}
		return b.classify(ctx, err)
	})
	if err != nil {
		w.exec(context.Background(), "ROLLBACK") //nolint:errcheck // if it was cancelled too late
		w.close()                                //nolint:errcheck // the error is the one before
		return err
	}
	b.open = &batch{w: w, done: make(chan struct{})}
	return nil
}

// end ends the transaction and tells all who have a part in it: why is what they
// are told if it is not the end that they wanted.
func (b *DB) end(statement string, why error) {
	t := b.open
	b.open = nil
	ctx := context.Background()
	_, err := t.w.exec(ctx, statement)
	if err != nil {
		if why == nil {
			why = b.retry(b.classify(ctx, err))
		}
		_, err = t.w.exec(ctx, "ROLLBACK")
	}
	if err != nil {
		t.w.destroy()
	} else {
		b.keepWriter(t.w)
	}
	t.err = why
	close(t.done)
}
