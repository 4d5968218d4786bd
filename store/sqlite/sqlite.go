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
// Inside of an Update or a View, only calls on its Tx can do with the connection
// that it has; all others need another one. Where the *sql.DB is limited, and none
// is free for LockWait, they fail with driver.ErrBusy. Limited to one connection,
// as for ":memory:", each Update is slower and is committed alone.
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
	LockWait time.Duration // how long an Update waits for another, of this or another process, and everything for a free connection; default 10 s

	// Existing: the tables must be there and up to date, or the error matches
	// driver.ErrNoStore; New makes none and brings none up to date.
	Existing bool
}

// Backend is a [driver.Backend].
type Backend struct {
	db *sqldb.DB
}

var (
	_ driver.Backend = (*Backend)(nil)
	_ driver.Getter  = (*Backend)(nil)
	_ driver.Lister  = (*Backend)(nil)
)

// New makes the tables or brings them up to date, and returns the back end. It
// waits for other processes as an Update does. The error matches
// driver.ErrNewerSchema if a newer version of this package has made the tables, and
// driver.ErrBusy if another process keeps WAL mode from being turned on.
//
// A database that is read-only can be viewed if the tables are there. In WAL mode
// SQLite must write files beside the database even to read it: where it cannot, on
// a read-only medium or in a folder of others, the program opens the database with
// the parameters mode=ro and immutable=1, provided that no other process has it
// open and that there is no file with the suffix -wal, whose contents would not be
// seen.
func New(ctx context.Context, db *sql.DB, opts *Options) (*Backend, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.LockWait <= 0 {
		o.LockWait = 10 * time.Second
	}
	err := sqldb.Patiently(ctx, o.LockWait, func() error { return classify(prepare(ctx, db)) })
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	b, err := sqldb.Open(ctx, db, dialect, sqldb.Options{Prefix: o.Prefix, LockWait: o.LockWait, Existing: o.Existing})
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	return &Backend{b}, nil
}

// prepare looks that the database is one that this package can use, and turns on
// WAL mode.
func prepare(ctx context.Context, db *sql.DB) error {
	var encoding, mode string
	if err := db.QueryRowContext(ctx, "PRAGMA encoding").Scan(&encoding); err != nil {
		if code := primaryCode(err); code == codeReadOnly || code == codeCantOpen {
			err = fmt.Errorf("%w; a database in WAL mode that cannot be written, and that nobody writes, opens with immutable=1", err)
		}
		return err
	}
	if encoding != "UTF-8" {
		return fmt.Errorf("the database has the encoding %s, in which text is in another order; expected UTF-8", encoding)
	}
	if err := db.QueryRowContext(ctx, "PRAGMA journal_mode = WAL").Scan(&mode); err != nil {
		if primaryCode(err) == codeReadOnly {
			return nil
		}
		return fmt.Errorf("turning on WAL mode: %w", err)
	}
	if mode = strings.ToLower(mode); mode == "wal" || mode == "memory" { // the latter for a database in memory
		return nil
	}
	// One that is opened as immutable says neither that it is not in WAL mode nor
	// that it cannot be.
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // it has changed nothing
	if _, err = tx.ExecContext(ctx, "PRAGMA user_version = 1"); primaryCode(err) == codeReadOnly {
		return nil
	} else if err != nil {
		return err
	}
	return fmt.Errorf("the database stays in journal mode %s, in which readers and writers wait for each other; expected WAL", mode)
}

// Get implements [driver.Getter].
func (b *Backend) Get(ctx context.Context, tenant, collection, key string) (driver.Record, error) {
	return b.db.Get(ctx, tenant, collection, key)
}

// Tenants implements [driver.Lister].
func (b *Backend) Tenants(ctx context.Context) ([]string, error) { return b.db.Tenants(ctx) }

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
	LooseText: true,
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
	codeCantOpen = 14
)

// primaryCode reads the code that modernc.org/sqlite gives its errors, 0 if there
// is none.
func primaryCode(err error) int {
	var coded interface {
		error
		Code() int
	}
	if !errors.As(err, &coded) {
		return 0
	}
	return coded.Code() & 0xff
}

func classify(err error) error {
	switch primaryCode(err) {
	case codeBusy, codeLocked:
		return fmt.Errorf("%w: %w", driver.ErrBusy, err)
	case codeReadOnly:
		return fmt.Errorf("%w: %w", driver.ErrReadOnly, err)
	}
	return err
}
