// Package postgres keeps records in a PostgreSQL database that the program has
// opened with the driver of its choice, as a *sql.DB. It is tested with
// PostgreSQL 15 and the database/sql driver of pgx.
//
// # Isolation
//
// An Update first changes the tenant's row in a table of tenants, and so waits
// for the one before: READ COMMITTED then is as good as SERIALIZABLE, no update
// is lost and none has to be run twice. On an engine that runs transactions on
// snapshots all the same, the change makes the later of two fail with SQLSTATE
// 40001, and package store runs it again. There are no sequences, no advisory
// locks, no listeners, no extensions.
//
// # Other engines
//
// The statements were run on PostgreSQL 15 only. With the documentation of
// CockroachDB and YugabyteDB was compared:
//
//   - Order of text: columns are COLLATE "C". CockroachDB refuses this for columns
//     (its pull request 97415), and orders text by bytes anyhow: there it is left
//     out. The engine is known by what version() says.
//   - Isolation: CockroachDB runs SERIALIZABLE or READ COMMITTED, YugabyteDB makes
//     snapshot isolation of READ COMMITTED unless told otherwise. On both, of two
//     Updates that change the tenant's row one waits, or fails with 40001 and is run
//     again. A test runs Updates under REPEATABLE READ and SERIALIZABLE of
//     PostgreSQL, which behave like that.
//   - Keys: every statement has the tenant, the first column of all primary keys,
//     which YugabyteDB distributes by hash; ranges and orders are inside of it.
//   - Used beside simple statements: ON CONFLICT DO NOTHING, INSERT inside of WITH,
//     comparison of pairs, SAVEPOINT for InTx.
package postgres

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
	Prefix   string        // of the names of the tables; default issokit_. The schema is that of the search path
	LockWait time.Duration // how long an Update waits for another of its tenant, and everything for a free connection; default 10 s

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

// New makes the tables or brings them up to date, and returns the back end. The
// error matches driver.ErrNewerSchema if a newer version of this package has
// made them.
func New(ctx context.Context, db *sql.DB, opts *Options) (*Backend, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	var version string
	if err := db.QueryRowContext(ctx, "SELECT version()").Scan(&version); err != nil {
		return nil, fmt.Errorf("postgres: %w", classify(err))
	}
	collate := `COLLATE "C"`
	if strings.Contains(version, "CockroachDB") {
		collate = ""
	}
	b, err := sqldb.Open(ctx, db, dialect(collate), sqldb.Options{Prefix: o.Prefix, LockWait: o.LockWait, Existing: o.Existing})
	if err != nil {
		return nil, fmt.Errorf("postgres: %w", err)
	}
	return &Backend{b}, nil
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

// Close releases what the back end has prepared. The database stays open.
func (b *Backend) Close() error { return b.db.Close() }

// InTx returns a back end for one transaction of the program's own: what is
// written through it is committed or rolled back with all else that the program
// does in it. Its isolation is the program's; Updates are never run twice. Where
// the database rolls back to solve a conflict, the program finds SQLSTATE 40001 or
// 40P01 in the error, as in those of its own statements, and begins again.
func (b *Backend) InTx(tx *sql.Tx) driver.Backend { return b.db.InTx(tx) }

// dialect has text columns with the given collation.
func dialect(collate string) sqldb.Dialect {
	text := "text " + collate + " NOT NULL"
	return sqldb.Dialect{
		Numbered:   true,
		WithInsert: true,
		Migrations: [][]string{{
			`CREATE TABLE IF NOT EXISTS {p}meta (name text PRIMARY KEY, value integer NOT NULL)`,
			`CREATE TABLE {p}tenant (tenant ` + text + ` PRIMARY KEY, updates bigint NOT NULL)`,
			`CREATE TABLE {p}record (
				tenant ` + text + `, collection ` + text + `, key ` + text + `,
				revision bigint NOT NULL, attrs bytea, data bytea NOT NULL,
				PRIMARY KEY (tenant, collection, key))`,
		}, {
			`CREATE TABLE {p}attr (
				tenant ` + text + `, collection ` + text + `, attr ` + text + `, value ` + text + `, key ` + text + `,
				PRIMARY KEY (tenant, collection, attr, value, key))`,
		}},
		Update:   sql.TxOptions{Isolation: sql.LevelReadCommitted},
		View:     sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
		Lock:     lock,
		Classify: classify,
	}
}

func lock(ctx context.Context, tx *sqldb.Tx) error {
	const update = "UPDATE {p}tenant SET updates = updates + 1 WHERE tenant = ?"
	wait, cancel := context.WithTimeout(ctx, tx.LockWait())
	defer cancel()
	n, err := tx.Exec(wait, update, tx.Tenant())
	if err == nil && n == 0 { // the first Update of the tenant
		if _, err = tx.Exec(wait, "INSERT INTO {p}tenant (tenant, updates) VALUES (?, 0) ON CONFLICT DO NOTHING", tx.Tenant()); err == nil {
			_, err = tx.Exec(wait, update, tx.Tenant())
		}
	}
	if err != nil && ctx.Err() == nil && wait.Err() != nil {
		return fmt.Errorf("%w (%v)", driver.ErrBusy, tx.LockWait())
	}
	return err
}

// classify reads the SQLSTATE (PostgreSQL documentation, appendix A) that the
// drivers give their errors.
func classify(err error) error {
	var coded interface {
		error
		SQLState() string
	}
	if err == nil || !errors.As(err, &coded) {
		return err
	}
	switch coded.SQLState() {
	case "40001", "40P01": // serialization_failure, deadlock_detected
		return fmt.Errorf("%w: %w", driver.ErrRetry, err)
	case "25006": // read_only_sql_transaction
		return fmt.Errorf("%w: %w", driver.ErrReadOnly, err)
	}
	return err
}
