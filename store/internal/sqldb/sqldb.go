// Package sqldb keeps records in two tables of a SQL database, for the back ends
// that differ in little but the way to lock.
package sqldb

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/issokit/issokit/store/driver"
)

// A Dialect is what a database wants differently.
type Dialect struct {
	// Numbered: parameters are $1, $2 and so on, not ?.
	Numbered bool

	// Migrations make the tables: Migrations[i] brings schema i to schema i+1. "{p}"
	// in them stands for the prefix of the tables.
	Migrations [][]string

	// Update and View are the options of transactions.
	Update, View sql.TxOptions

	// WithInsert: an INSERT can be a part of another one.
	WithInsert bool

	// Lock makes the transactions of a tenant wait for each other. It is the first
	// thing that an Update does.
	Lock func(ctx context.Context, tx *Tx) error

	// OneWriter: the database has one lock for all writes, not one for each tenant,
	// and knows BEGIN IMMEDIATE, which takes it.
	OneWriter bool

	// LooseText: a column of text may hold bytes as well, and drivers tell.
	LooseText bool

	// Classify wraps an error of the database in the one of package driver that it
	// means, if any.
	Classify func(error) error
}

// Options of the back ends.
type Options struct {
	Prefix   string        // of the names of the tables
	LockWait time.Duration // how long an Update waits for another
	Existing bool          // make no tables and bring none up to date
}

// DB is a [driver.Backend].
type DB struct {
	db      *sql.DB
	dialect Dialect
	opts    Options
	gates   gates

	texts sync.Map // statement with {p} and ? to that of the dialect
	known atomic.Int64

	open *batch // the transaction that the next Update is added to; for who is in the gate

	mu     sync.Mutex
	stmts  map[string]*sql.Stmt
	wanted []string
	writer *writer // while no Update has it
	closed bool
}

var prefixForm = regexp.MustCompile(`^[a-z_][a-z0-9_]{0,30}$`)

// Open brings the schema up to date and returns the back end.
func Open(ctx context.Context, db *sql.DB, d Dialect, o Options) (*DB, error) {
	if o.Prefix == "" {
		o.Prefix = "issokit_"
	}
	if !prefixForm.MatchString(o.Prefix) {
		return nil, fmt.Errorf("the prefix %.40q is not one of a-z 0-9 _ with at most 31 characters", o.Prefix)
	}
	if o.LockWait <= 0 {
		o.LockWait = 10 * time.Second
	}
	b := &DB{db: db, dialect: d, opts: o, stmts: map[string]*sql.Stmt{}}
	if err := b.migrate(ctx); err != nil {
		return nil, err
	}
	for _, q := range usual() {
		b.want(b.text(q))
	}
	if err := b.prepare(ctx); err != nil {
		return nil, b.classify(ctx, err)
	}
	return b, nil
}

// usual are the statements that every program needs.
func usual() []string {
	equal := driver.Query{Desc: true, NoAttrs: true, Where: []driver.Cond{{In: []string{""}}}}
	qs := []string{getQuery, insertRecord, updateRecord, deleteRecord, insertAttrs + attrTuples(1), deleteAttr}
	for _, q := range []driver.Query{{NoAttrs: true}, {NoAttrs: true, Desc: true}, {NoAttrs: true, After: driver.Position{Key: "k"}}, equal} {
		text, _ := build("", "", q)
		qs = append(qs, text)
	}
	return qs
}

const (
	getQuery     = "SELECT revision, attrs, data FROM {p}record WHERE tenant = ? AND collection = ? AND key = ?"
	insertRecord = "INSERT INTO {p}record (tenant, collection, key, revision, attrs, data) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
	updateRecord = "UPDATE {p}record SET revision = ?, attrs = ?, data = ? WHERE tenant = ? AND collection = ? AND key = ? AND revision = ?"
	deleteRecord = "DELETE FROM {p}record WHERE tenant = ? AND collection = ? AND key = ? AND revision = ?"
	insertAttrs  = "INSERT INTO {p}attr (tenant, collection, attr, value, key) VALUES "
	deleteAttr   = "DELETE FROM {p}attr WHERE tenant = ? AND collection = ? AND attr = ? AND value = ? AND key = ?"
)

// Close releases the prepared statements and the connection of the updates; the
// database is the caller's.
func (b *DB) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, s := range b.stmts {
		errs = append(errs, s.Close())
	}
	clear(b.stmts)
	b.closed = true
	if b.writer != nil {
		errs = append(errs, b.writer.close())
		b.writer = nil
	}
	return errors.Join(errs...)
}

func (b *DB) text(query string) string {
	if t, ok := b.texts.Load(query); ok {
		return t.(string)
	}
	t := b.translate(query)
	if b.known.Add(1) < maxTexts {
		b.texts.Store(query, t)
	}
	return t
}

// maxTexts bounds the statements that are remembered in the form of the dialect.
const maxTexts = 1000

func (b *DB) translate(query string) string {
	query = strings.ReplaceAll(query, "{p}", b.opts.Prefix)
	if !b.dialect.Numbered {
		return query
	}
	var t strings.Builder
	n := 0
	for part := range strings.SplitSeq(query, "?") {
		if n > 0 {
			fmt.Fprintf(&t, "$%d", n)
		}
		t.WriteString(part)
		n++
	}
	return t.String()
}

// classify says what an error means to package store.
func (b *DB) classify(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil && !errors.Is(err, ctx.Err()):
		return fmt.Errorf("%w (%w)", ctx.Err(), err)
	case ctx.Err() != nil:
		return err
	}
	return b.dialect.Classify(err)
}

// migrate runs what is missing of the migrations, in one transaction. Of several
// processes that do it at the same time one wins, and the others see that when
// they look again.
func (b *DB) migrate(ctx context.Context) error {
	tries := 0
	return Patiently(ctx, b.opts.LockWait, func() error {
		version := 0
		row := b.db.QueryRowContext(ctx, b.text("SELECT value FROM {p}meta WHERE name = 'schema'"))
		err := b.classify(ctx, row.Scan(&version))
		if err == nil {
			known := len(b.dialect.Migrations)
			if version > known {
				return fmt.Errorf("%w: the tables have schema %d, this program knows up to %d", driver.ErrNewerSchema, version, known)
			}
			if version == known {
				return nil
			}
		}
		if errors.Is(err, driver.ErrBusy) {
			return err
		}
		if b.opts.Existing {
			return b.noStore(ctx, version)
		}
		err = b.classify(ctx, b.migrateFrom(ctx, version))
		if err == nil {
			return nil
		}
		err = fmt.Errorf("making the tables: %w", err)
		// Another may have made them, with one of many errors for this one.
		if tries++; tries < 10 && ctx.Err() == nil && !errors.Is(err, driver.ErrReadOnly) {
			return fmt.Errorf("%w: %w", driver.ErrBusy, err)
		}
		return err
	})
}

// noStore says what is there instead of the tables of this version.
func (b *DB) noStore(ctx context.Context, version int) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if version == 0 {
		return fmt.Errorf("%w: there are no tables with the prefix %s", driver.ErrNoStore, b.opts.Prefix)
	}
	return fmt.Errorf("%w: the tables have schema %d, this program needs %d", driver.ErrNoStore, version, len(b.dialect.Migrations))
}

func (b *DB) migrateFrom(ctx context.Context, version int) error {
	tx, err := b.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
	for i := version; i < len(b.dialect.Migrations); i++ {
		for _, s := range b.dialect.Migrations[i] {
			if _, err := tx.ExecContext(ctx, b.text(s)); err != nil {
				return err
			}
		}
		if i == indexMigration {
			if err := b.fillIndex(ctx, tx); err != nil {
				return err
			}
		}
		set := "UPDATE {p}meta SET value = ? WHERE name = 'schema' AND value = ?"
		if i == 0 {
			set = "INSERT INTO {p}meta (value, name) SELECT CAST(? AS integer), 'schema' WHERE CAST(? AS integer) = 0"
		}
		r, err := tx.ExecContext(ctx, b.text(set), i+1, i)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n != 1 {
			return fmt.Errorf("schema %d was changed by another process", i)
		}
	}
	return tx.Commit()
}

// indexMigration is the one that adds the table of attributes.
const indexMigration = 1

// fillIndex writes the attributes of all records into their table.
func (b *DB) fillIndex(ctx context.Context, tx *sql.Tx) error {
	const (
		query = "SELECT tenant, collection, key, attrs FROM {p}record WHERE attrs IS NOT NULL"
		order = " ORDER BY tenant, collection, key LIMIT 500"
	)
	type row struct {
		tenant, collection, key string
		attrs                   []byte
	}
	text, args := query+order, []any(nil)
	for {
		rows, err := tx.QueryContext(ctx, b.text(text), args...)
		if err != nil {
			return err
		}
		var page []row
		for rows.Next() {
			var r row
			if err := rows.Scan(&r.tenant, &r.collection, &r.key, &r.attrs); err != nil {
				return errors.Join(err, rows.Close())
			}
			page = append(page, r)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(page) == 0 {
			return err
		}
		for _, r := range page {
			attrs, err := decodeAttrs(r.attrs)
			if err != nil {
				return &driver.CorruptError{Collection: r.collection, Key: r.key, Err: err}
			}
			x := &Tx{b: b, session: pooled{b, tx}, tenant: r.tenant}
			if err := x.index(ctx, 1, nil, r.collection, r.key, nil, attrs); err != nil {
				return err
			}
		}
		last := page[len(page)-1]
		text, args = query+" AND (tenant, collection, key) > (?, ?, ?)"+order, []any{last.tenant, last.collection, last.key}
	}
}

// maxStmts bounds the prepared statements: there are about ten, and one for each
// form of query that a program uses.
const maxStmts = 100

// prepare prepares what the last transactions have used. It is not done inside of
// a transaction, since it needs a connection of its own, and only if there is one
// that nobody uses.
func (b *DB) prepare(ctx context.Context) error {
	b.mu.Lock()
	wanted := b.wanted
	b.wanted = nil
	b.mu.Unlock()
	if len(wanted) == 0 || !b.idle() {
		return nil
	}
	ctx, _, cancel := b.limited(ctx)
	defer cancel()
	for _, q := range wanted {
		s, err := b.db.PrepareContext(ctx, q)
		if err != nil {
			return busy(ctx, err)
		}
		b.mu.Lock()
		if b.stmts[q] == nil && len(b.stmts) < maxStmts && !b.closed {
			b.stmts[q], s = s, nil
		}
		b.mu.Unlock()
		if s != nil { // another was faster
			if err := s.Close(); err != nil {
				return err
			}
		}
	}
	return nil
}

// stmt returns the prepared statement of a text, nil if there is none yet.
func (b *DB) stmt(text string) *sql.Stmt {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stmts[text]
}

// want has a text prepared that the database has understood.
func (b *DB) want(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.stmts)+len(b.wanted) < maxStmts && !slices.Contains(b.wanted, text) {
		b.wanted = append(b.wanted, text)
	}
}

// idle tells whether there is a connection that nobody uses, or room for one.
func (b *DB) idle() bool {
	s := b.db.Stats()
	return s.MaxOpenConnections <= 0 || s.InUse < s.MaxOpenConnections
}

var errNoConnection = fmt.Errorf("%w: no connection was free", driver.ErrBusy)

// limited returns a context for what waits for a connection. Who has the last one
// and asks for another would wait for ever, so the context ends after LockWait,
// unless got was called before: then it is ctx, until cancel is called. got tells
// whether it was in time.
func (b *DB) limited(ctx context.Context) (_ context.Context, got func() bool, cancel func()) {
	limited, end := context.WithCancelCause(ctx)
	timer := time.AfterFunc(b.opts.LockWait, func() {
		end(fmt.Errorf("%w for %v", errNoConnection, b.opts.LockWait))
	})
	return limited, timer.Stop, func() { timer.Stop(); end(nil) }
}

// busy returns why a limited context has ended, if it has before err.
func busy(limited context.Context, err error) error {
	if cause := context.Cause(limited); err != nil && errors.Is(cause, driver.ErrBusy) {
		return cause
	}
	return err
}

// Get implements [driver.Getter].
func (b *DB) Get(ctx context.Context, tenant, collection, key string) (r driver.Record, err error) {
	err = b.patiently(ctx, func() error {
		r, err = b.get(ctx, tenant, collection, key)
		return err
	})
	return r, err
}

func (b *DB) get(ctx context.Context, tenant, collection, key string) (driver.Record, error) {
	limited, got, cancel := ctx, func() bool { return true }, func() {}
	if !b.idle() {
		limited, got, cancel = b.limited(ctx)
	}
	defer cancel()
	var rows *sql.Rows
	var err error
	text := b.text(getQuery)
	if s := b.stmt(text); s != nil {
		rows, err = s.QueryContext(limited, tenant, collection, key)
	} else {
		rows, err = b.db.QueryContext(limited, text, tenant, collection, key)
	}
	got()
	r, err := b.one(limited, collection, key, rows, err)
	return r, busy(limited, err)
}

// View implements [driver.Backend].
func (b *DB) View(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	return b.run(ctx, tenant, true, fn)
}

// Update implements [driver.Backend].
func (b *DB) Update(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	key := tenant
	if b.dialect.OneWriter {
		key = ""
	}
	g := b.gates.get(key)
	defer b.gates.put(key, g)
	if err := g.enter(ctx, b.opts.LockWait); err != nil {
		return err
	}
	// A pool of one connection has none to spare.
	if b.dialect.OneWriter && b.db.Stats().MaxOpenConnections != 1 {
		return b.together(ctx, g, tenant, fn)
	}
	defer g.leave()
	return b.run(ctx, tenant, false, fn)
}

// run runs fn in a transaction of its own, in any connection.
func (b *DB) run(ctx context.Context, tenant string, readOnly bool, fn func(driver.Tx) error) error {
	b.prepare(ctx) //nolint:errcheck // what was not prepared is sent as it is
	var sqlTx *sql.Tx
	var tx *Tx
	cancel := func() {}
	defer func() { cancel() }()
	err := b.patiently(ctx, func() (err error) {
		cancel()
		if sqlTx, cancel, err = b.beginTx(ctx, readOnly); err != nil {
			return b.classify(ctx, err)
		}
		tx = &Tx{b: b, session: pooled{b, sqlTx}, tenant: tenant, readOnly: readOnly}
		if !readOnly {
			if err = b.dialect.Lock(ctx, tx); err != nil {
				sqlTx.Rollback() //nolint:errcheck // the error is the one before
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	defer sqlTx.Rollback() //nolint:errcheck // after a commit it does nothing
	if err := tx.run(fn); err != nil {
		return err
	}
	return b.retry(b.classify(ctx, sqlTx.Commit()))
}

// beginTx begins a transaction in any connection. cancel ends it.
func (b *DB) beginTx(ctx context.Context, readOnly bool) (tx *sql.Tx, cancel func(), err error) {
	o := &b.dialect.Update
	if readOnly {
		o = &b.dialect.View
	}
	limited, got, cancel := b.limited(ctx)
	tx, err = b.db.BeginTx(limited, o)
	if !got() && err == nil {
		tx.Rollback() //nolint:errcheck // the end of its context has done it
		err = limited.Err()
	}
	return tx, cancel, busy(limited, err)
}

// patiently does what comes first in a transaction.
func (b *DB) patiently(ctx context.Context, do func() error) error {
	if err := do(); !b.dialect.OneWriter || !held(err) {
		return err
	}
	return Patiently(ctx, b.opts.LockWait, do)
}

// Patiently does something again for as long as another process holds the only
// lock of the database, which does not tell when it lets go.
func Patiently(ctx context.Context, wait time.Duration, do func() error) error {
	until := time.NewTimer(wait)
	defer until.Stop()
	for try := 0; ; try++ {
		err := do()
		if !held(err) {
			return err
		}
		pause := time.NewTimer(min(time.Millisecond<<min(try, 6), 50*time.Millisecond))
		select {
		case <-pause.C:
		case <-ctx.Done():
			pause.Stop()
			return ctx.Err()
		case <-until.C:
			pause.Stop()
			return err
		}
	}
}

// held tells whether another process may let go of what is waited for.
func held(err error) bool {
	return errors.Is(err, driver.ErrBusy) && !errors.Is(err, errNoConnection)
}

// retry says of a commit that found the database busy that all of it can be done
// again.
func (b *DB) retry(err error) error {
	if errors.Is(err, driver.ErrBusy) {
		return fmt.Errorf("%w: %w", driver.ErrRetry, err)
	}
	return err
}

// InTx returns a back end whose transactions are parts of the caller's.
func (b *DB) InTx(tx *sql.Tx) driver.Backend { return inTx{b, tx} }

type inTx struct {
	b  *DB
	tx *sql.Tx
}

func (i inTx) Close() error { return nil }

func (i inTx) View(_ context.Context, tenant string, fn func(driver.Tx) error) error {
	return once(fn(&Tx{b: i.b, session: pooled(i), tenant: tenant, readOnly: true}))
}

func (i inTx) Update(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	return once(i.update(ctx, tenant, fn))
}

// once says of an error that nothing can be run again: the transaction is the
// program's, and so is the answer to a conflict.
func once(err error) error {
	if errors.Is(err, driver.ErrRetry) {
		return final{err}
	}
	return err
}

type final struct{ err error }

func (f final) Error() string        { return f.err.Error() }
func (f final) Is(target error) bool { return target != driver.ErrRetry && errors.Is(f.err, target) }
func (f final) As(target any) bool   { return errors.As(f.err, target) }

func (i inTx) update(ctx context.Context, tenant string, fn func(driver.Tx) error) (err error) {
	tx := &Tx{b: i.b, session: pooled(i), tenant: tenant}
	if _, err := tx.exec(ctx, savepoint); err != nil {
		return err
	}
	done := false
	defer func() {
		if !done { // an error or a panic
			_, undo := tx.session.exec(context.WithoutCancel(ctx), rollbackTo)
			err = errors.Join(err, i.b.classify(ctx, undo))
		}
	}()
	if err := i.b.dialect.Lock(ctx, tx); err != nil {
		return err
	}
	if err := tx.run(fn); err != nil {
		return err
	}
	done = true
	_, err = tx.exec(ctx, release)
	return err
}

const (
	savepoint  = "SAVEPOINT issokit"
	rollbackTo = "ROLLBACK TO SAVEPOINT issokit"
	release    = "RELEASE SAVEPOINT issokit"
)

// Tx is a [driver.Tx].
type Tx struct {
	b        *DB
	session  session
	tenant   string
	readOnly bool
	failed   error // of a statement, after which the database may have rolled back
}

// run runs fn. A statement that failed is not forgotten if fn takes no notice of
// it.
func (x *Tx) run(fn func(driver.Tx) error) error {
	if err := fn(x); err != nil {
		return err
	}
	return x.failed
}

// Tenant returns whose transaction it is.
func (x *Tx) Tenant() string { return x.tenant }

// LockWait returns how long to wait for a lock.
func (x *Tx) LockWait() time.Duration { return x.b.opts.LockWait }

// Exec runs a statement and returns how many rows it changed.
func (x *Tx) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	return x.exec(ctx, query, args...)
}

func (x *Tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	if x.failed != nil {
		return 0, x.failed
	}
	r, err := x.session.exec(ctx, x.b.text(query), args...)
	var n int64
	if err == nil {
		n, err = r.RowsAffected()
	}
	x.failed = x.b.classify(ctx, err)
	return n, x.failed
}

func (x *Tx) query(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	if x.failed != nil {
		return nil, x.failed
	}
	text := x.b.text(query)
	err = x.b.patiently(ctx, func() error {
		rows, err = x.session.query(ctx, text, args...)
		return x.b.classify(ctx, err)
	})
	return rows, err
}

// Get implements [driver.Tx].
func (x *Tx) Get(ctx context.Context, collection, key string) (driver.Record, error) {
	rows, err := x.query(ctx, getQuery, x.tenant, collection, key)
	return x.b.one(ctx, collection, key, rows, err)
}

// one reads the only row of a query.
func (b *DB) one(ctx context.Context, collection, key string, rows *sql.Rows, err error) (driver.Record, error) {
	r := driver.Record{Key: key}
	if err != nil {
		return r, b.classify(ctx, err)
	}
	defer rows.Close()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return r, b.classify(ctx, err)
		}
		return r, driver.ErrNotFound
	}
	var attrs []byte
	err = rows.Scan(&r.Revision, &attrs, &r.Data)
	if err := b.readable(ctx, rows, err, collection, &r, attrs); err != nil {
		return r, err
	}
	return r, b.classify(ctx, rows.Close())
}

// readable finishes a record that was read from a row. What cannot be read is
// corrupt, unless the connection or the context has ended.
func (b *DB) readable(ctx context.Context, rows *sql.Rows, err error, collection string, r *driver.Record, attrs []byte) error {
	if err != nil && (ctx.Err() != nil || rows.Err() != nil) {
		return b.classify(ctx, errors.Join(err, rows.Err()))
	}
	if err == nil && r.Revision < 1 {
		err = fmt.Errorf("revision %d: expected at least 1", r.Revision)
	}
	if err == nil {
		r.Attrs, err = decodeAttrs(attrs)
	}
	if err != nil {
		return &driver.CorruptError{Collection: collection, Key: r.Key, Err: err}
	}
	return nil
}

// A word is text of a key column. Where the database can keep bytes in a column of
// text, which no comparison with text ever finds, bytes are an error.
type word struct {
	text   *string
	strict bool
}

func (w word) Scan(v any) error {
	switch v := v.(type) {
	case string:
		*w.text = v
		return nil
	case []byte:
		*w.text = string(v)
		if !w.strict {
			return nil
		}
	}
	return fmt.Errorf("expected text, found %T", v)
}

// Put implements [driver.Tx].
func (x *Tx) Put(ctx context.Context, collection string, was, r driver.Record) error {
	if x.readOnly {
		return driver.ErrReadOnly
	}
	if r.Data == nil {
		r.Data = []byte{}
	}
	if was.Revision != 0 {
		n, err := x.exec(ctx, updateRecord, r.Revision, encodeAttrs(r.Attrs), r.Data, x.tenant, collection, r.Key, was.Revision)
		return x.index(ctx, n, err, collection, r.Key, was.Attrs, r.Attrs)
	}
	args := []any{x.tenant, collection, r.Key, r.Revision, encodeAttrs(r.Attrs), r.Data}
	if !x.b.dialect.WithInsert || len(r.Attrs) == 0 || len(r.Attrs) > attrRows {
		n, err := x.exec(ctx, insertRecord, args...)
		return x.index(ctx, n, err, collection, r.Key, nil, r.Attrs)
	}
	// The record and its attributes in one round trip.
	query := "WITH r AS (" + insertRecord + " RETURNING key) INSERT INTO {p}attr (tenant, collection, attr, value, key) SELECT v.* FROM r, (VALUES " + strings.ReplaceAll(attrTuples(len(r.Attrs)), "?", "CAST(? AS text)") + ") v"
	n, err := x.exec(ctx, query, append(args, x.attrArgs(collection, r.Key, r.Attrs)...)...)
	if err == nil && n == 0 {
		return driver.ErrConflict
	}
	return err
}

// attrRows is how many attributes one statement inserts.
const attrRows = 50

func attrTuples(n int) string {
	return "(?, ?, ?, ?, ?)" + strings.Repeat(", (?, ?, ?, ?, ?)", n-1)
}

func (x *Tx) attrArgs(collection, key string, attrs []driver.Attr) []any {
	args := make([]any, 0, 5*len(attrs))
	for _, a := range attrs {
		args = append(args, x.tenant, collection, a.Name, a.Value, key)
	}
	return args
}

// Delete implements [driver.Tx].
func (x *Tx) Delete(ctx context.Context, collection string, was driver.Record) error {
	if x.readOnly {
		return driver.ErrReadOnly
	}
	n, err := x.exec(ctx, deleteRecord,
		x.tenant, collection, was.Key, was.Revision)
	return x.index(ctx, n, err, collection, was.Key, was.Attrs, nil)
}

// index brings the attributes up to date after a statement that changed n rows.
func (x *Tx) index(ctx context.Context, n int64, err error, collection, key string, was, is []driver.Attr) error {
	if err != nil {
		return err
	}
	if n == 0 {
		return driver.ErrConflict
	}
	gone, fresh := driver.SplitAttrs(was, is)
	for _, a := range gone {
		if _, err := x.exec(ctx, deleteAttr, x.tenant, collection, a.Name, a.Value, key); err != nil {
			return err
		}
	}
	for rows := range slices.Chunk(fresh, attrRows) {
		if _, err := x.exec(ctx, insertAttrs+attrTuples(len(rows)), x.attrArgs(collection, key, rows)...); err != nil {
			return err
		}
	}
	return nil
}

// encodeAttrs writes names and values, each after its length; nil for none. The
// readable form is in the table of attributes.
func encodeAttrs(attrs []driver.Attr) []byte {
	var b []byte
	for _, a := range attrs {
		for _, s := range []string{a.Name, a.Value} {
			b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
		}
	}
	return b
}

func decodeAttrs(b []byte) ([]driver.Attr, error) {
	var attrs []driver.Attr
	rest := string(b)
	next := func() (s string, ok bool) {
		n, size := binary.Uvarint([]byte(rest[:min(len(rest), binary.MaxVarintLen64)]))
		if size <= 0 || n > uint64(len(rest)-size) {
			return "", false
		}
		s, rest = rest[size:size+int(n)], rest[size+int(n):]
		return s, true
	}
	for rest != "" {
		name, ok1 := next()
		value, ok2 := next()
		if !ok1 || !ok2 {
			return nil, errors.New("the attributes of a record are damaged")
		}
		attrs = append(attrs, driver.Attr{Name: name, Value: value})
	}
	return attrs, nil
}
