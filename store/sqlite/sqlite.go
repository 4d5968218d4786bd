// Package sqlite keeps records in a SQLite database that the program has opened
// with the driver of its choice, as a *sql.DB.
//
// It works with several connections and several processes, and needs SQLite 3.35
// or newer. It turns on WAL mode, in which readers and a writer do not wait for
// each other; the database remembers that. Whether a commit survives a power
// failure is what PRAGMA synchronous says, which belongs to the connections and
// so to the program: FULL, the default, waits for the disk at each commit; NORMAL
// is several times as fast and may lose the last commits of a power failure, but
// never those of a process that is killed, and never half of one.
//
// Updates that wait for each other are committed together: one that fails takes
// none of the others with it, but all wait until the last of them is done. The
// connection that they use is kept from the first Update until Close, which
// therefore comes before that of the database.
//
// A *sql.DB that is limited to one connection, as for ":memory:", can do no
// Update inside of a View, and each Update is slower and is committed alone.
//
// Every 1,000 pages, which is some hundred updates, SQLite takes the time of an
// update to copy the write-ahead log to the database, and waits for the disk.
// Programs that write much and have a slow disk let it do that less often, with a
// larger file beside the database in return:
//
//	sql.Open("sqlite", "file:grc.db?_pragma=synchronous(NORMAL)&_pragma=wal_autocheckpoint(10000)")
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/internal/sqldb"
)

// Options configure [New]; nil means the defaults.
type Options struct {
	Prefix   string        // of the names of the tables; default issokit_
	LockWait time.Duration // how long an Update waits for another, of this or another process; default 10 s
}

// Backend is a [driver.Backend].
type Backend struct {
	db *sqldb.DB
}

var (
	_ driver.Backend = (*Backend)(nil)
	_ driver.Getter  = (*Backend)(nil)
)

// New makes the tables or brings them up to date, and returns the back end. The
// error matches driver.ErrNewerSchema if a newer version of this package has
// made them. A database that is read-only can be viewed if the tables are there.
func New(ctx context.Context, db *sql.DB, opts *Options) (*Backend, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	var encoding, mode string
	if err := db.QueryRowContext(ctx, "PRAGMA encoding").Scan(&encoding); err != nil {
		return nil, fmt.Errorf("sqlite: %w", classify(err))
	}
	if encoding != "UTF-8" {
		return nil, fmt.Errorf("sqlite: the database has the encoding %s, in which text is in another order; expected UTF-8", encoding)
	}
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return nil, fmt.Errorf("sqlite: %w", classify(err))
	}
	if strings.EqualFold(mode, "delete") || strings.EqualFold(mode, "truncate") || strings.EqualFold(mode, "persist") {
		err := classify(db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode))
		if err != nil && !errors.Is(err, driver.ErrReadOnly) && !errors.Is(err, driver.ErrBusy) {
			return nil, fmt.Errorf("sqlite: turning on WAL mode: %w", err)
		}
	}
	b, err := sqldb.Open(ctx, db, dialect, sqldb.Options{Prefix: o.Prefix, LockWait: o.LockWait})
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	return &Backend{b}, nil
}

// Get implements [driver.Getter].
func (b *Backend) Get(ctx context.Context, tenant, collection, key string) (driver.Record, error) {
	return b.db.Get(ctx, tenant, collection, key)
}

// View implements [driver.Backend].
func (b *Backend) View(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	return b.db.View(ctx, tenant, fn)
}

// Update implements [driver.Backend].
func (b *Backend) Update(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	return b.db.Update(ctx, tenant, fn)
}

// Close releases the connection of the updates and what the back end has prepared.
// The database stays open.
func (b *Backend) Close() error { return b.db.Close() }

// InTx returns a back end for one transaction of the program's own: what is
// written through it is committed or rolled back with all else that the program
// does in it. It must have begun with a write, or with BEGIN IMMEDIATE, and not
// with a read; Updates are never run twice.
func (b *Backend) InTx(tx *sql.Tx) driver.Backend { return b.db.InTx(tx) }

var dialect = sqldb.Dialect{
	Migrations: [][]string{{
		`CREATE TABLE IF NOT EXISTS {p}meta (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`,
		`CREATE TABLE {p}record (
			tenant TEXT NOT NULL, collection TEXT NOT NULL, key TEXT NOT NULL,
			revision INTEGER NOT NULL, attrs BLOB, data BLOB NOT NULL,
			PRIMARY KEY (tenant, collection, key)) WITHOUT ROWID`,
	}, {
		`CREATE TABLE {p}attr (
			tenant TEXT NOT NULL, collection TEXT NOT NULL, attr TEXT NOT NULL, value TEXT NOT NULL, key TEXT NOT NULL,
			PRIMARY KEY (tenant, collection, attr, value, key)) WITHOUT ROWID`,
	}},
	View:      sql.TxOptions{ReadOnly: true},
	OneWriter: true,
	// A deferred transaction that begins to write after it has read fails at once
	// if another has written meanwhile. So the first statement is a write, which
	// takes the lock though it changes nothing.
	Lock: func(ctx context.Context, tx *sqldb.Tx) error {
		_, err := tx.Exec(ctx, "DELETE FROM {p}meta WHERE name IS NULL")
		return err
	},
	Classify: classify,
}

// Primary result codes of SQLite (sqlite.org/rescode.html).
const (
	codeBusy     = 5
	codeLocked   = 6
	codeReadOnly = 8
)

// classify reads the code that modernc.org/sqlite gives its errors.
func classify(err error) error {
	var coded interface {
		error
		Code() int
	}
	if err == nil || !errors.As(err, &coded) {
		return err
	}
	switch coded.Code() & 0xff {
	case codeBusy, codeLocked:
		return fmt.Errorf("%w: %w", driver.ErrBusy, err)
	case codeReadOnly:
		return fmt.Errorf("%w: %w", driver.ErrReadOnly, err)
	}
	return err
}
