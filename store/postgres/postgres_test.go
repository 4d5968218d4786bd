package postgres_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/memory"
	"github.com/issokit/issokit/store/postgres"
	"github.com/issokit/issokit/store/storetest"
)

// server is the URL of a database in which the tests may make schemas.
func server(t testing.TB) string {
	t.Helper()
	text := os.Getenv("ISSOKIT_POSTGRES")
	if text == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("PostgreSQL is needed here: set ISSOKIT_POSTGRES to a URL, as .ci/postgres prints it")
		}
		t.Skip("SKIPPED, NOTHING TESTED: no PostgreSQL (set ISSOKIT_POSTGRES to a URL, as .ci/postgres prints it)")
	}
	return text
}

var schemas atomic.Int64

// place makes a schema and returns the URL of the database with it.
func place(t testing.TB) string {
	base := server(t)
	name := fmt.Sprintf("test_%d_%d", os.Getpid(), schemas.Add(1))
	exec := func(ctx context.Context, statement string) {
		db, err := sql.Open("pgx", base)
		require.NoError(t, err)
		defer db.Close()
		_, err = db.ExecContext(ctx, statement)
		require.NoError(t, err)
	}
	exec(t.Context(), "CREATE SCHEMA "+name)
	t.Cleanup(func() { exec(context.Background(), "DROP SCHEMA "+name+" CASCADE") })
	u, err := url.Parse(base)
	require.NoError(t, err)
	q := u.Query()
	q.Set("search_path", name)
	u.RawQuery = q.Encode()
	return u.String()
}

type database struct {
	*postgres.Backend
	db *sql.DB
}

func (d database) Close() error {
	if err := d.Backend.Close(); err != nil {
		return err
	}
	return d.db.Close()
}

func openURL(place string) (driver.Backend, error) {
	db, err := sql.Open("pgx", place)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(40)
	db.SetMaxIdleConns(40)
	b, err := postgres.New(context.Background(), db, nil)
	if err != nil {
		db.Close()
		return nil, err
	}
	return database{b, db}, nil
}

func open(t testing.TB) driver.Backend {
	b, err := openURL(place(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func TestMain(m *testing.M) { os.Exit(storetest.Main(m, openURL)) }

func TestSuite(t *testing.T) {
	server(t)
	storetest.Run(t, open, &storetest.Options{
		Place: place, Open: openURL,
		Newer: func(t testing.TB, place string) {
			db, err := sql.Open("pgx", place)
			require.NoError(t, err)
			defer db.Close()
			_, err = db.ExecContext(t.Context(), "UPDATE issokit_meta SET value = 99")
			require.NoError(t, err)
		},
		Old: func(t testing.TB, place string) {
			db, err := sql.Open("pgx", place)
			require.NoError(t, err)
			defer db.Close()
			_, err = db.ExecContext(t.Context(), "DROP TABLE issokit_attr; UPDATE issokit_meta SET value = 1")
			require.NoError(t, err)
		},
	})
}

func FuzzCompare(f *testing.F) {
	storetest.FuzzCompare(f, open, func(testing.TB) driver.Backend { return memory.New(nil) })
}

func BenchmarkStore(b *testing.B) { storetest.Benchmark(b, open) }

func BenchmarkPlain(b *testing.B) {
	db, err := sql.Open("pgx", place(b))
	require.NoError(b, err)
	defer db.Close()
	storetest.BenchmarkPlain(b, db, true)
}

func TestInTx(t *testing.T) {
	db, err := sql.Open("pgx", place(t))
	require.NoError(t, err)
	defer db.Close()
	b, err := postgres.New(t.Context(), db, nil)
	require.NoError(t, err)
	defer b.Close()
	storetest.InTx(t, db, b, b.InTx)
}

func TestSmallPool(t *testing.T) {
	storetest.SmallPool(t, func(t testing.TB, connections int, wait time.Duration) driver.Backend {
		db, err := sql.Open("pgx", place(t))
		require.NoError(t, err)
		db.SetMaxOpenConns(connections)
		b, err := postgres.New(t.Context(), db, &postgres.Options{LockWait: wait})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, database{b, db}.Close()) })
		return b
	})
}

// TestDamagedRows: a row that was changed by SQL is named.
func TestDamagedRows(t *testing.T) {
	for _, change := range []string{`attrs = '\xff'`, "revision = -1"} {
		b := open(t)
		s := store.New(b, nil).Scope(store.Principal{Tenant: "t", Actor: "p"})
		c := store.NewCollection(s, "notes", func(s string) string { return s }, nil)
		require.NoError(t, c.Create(t.Context(), "a"))
		require.NoError(t, c.Create(t.Context(), "b"))
		_, err := b.(database).db.ExecContext(t.Context(), "UPDATE issokit_record SET "+change+" WHERE collection = 'notes' AND key = 'b'")
		require.NoError(t, err)
		_, err = c.Get(t.Context(), "b")
		row, ok := errors.AsType[*driver.CorruptError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, []string{"notes", "b"}, []string{row.Collection, row.Key})
		_, err = s.Verify(t.Context(), nil)
		bad, ok := errors.AsType[*store.ChainError](err)
		require.True(t, ok, "%v", err)
		require.Equal(t, []any{int64(2), "notes", "b"}, []any{bad.Seq, bad.Collection, bad.Key})
	}
}

func TestReadOnly(t *testing.T) {
	u := place(t)
	storetest.ReadOnly(t, func() (driver.Backend, error) { return openURL(u) },
		func() (driver.Backend, error) { return openURL(u + "&default_transaction_read_only=on") })
}

// TestLockWait: an Update that is not on the Tx of the one around it must not
// wait for ever.
// TestOldSchema: the tables as the first schema had them.
func TestOldSchema(t *testing.T) {
	place := place(t)
	db, err := sql.Open("pgx", place)
	require.NoError(t, err)
	defer db.Close()
	for _, s := range []string{
		`CREATE TABLE issokit_meta (name text PRIMARY KEY, value integer NOT NULL)`,
		`INSERT INTO issokit_meta VALUES ('schema', 1)`,
		`CREATE TABLE issokit_tenant (tenant text COLLATE "C" NOT NULL PRIMARY KEY, updates bigint NOT NULL)`,
		`CREATE TABLE issokit_record (tenant text COLLATE "C" NOT NULL, collection text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL,
			revision bigint NOT NULL, attrs bytea, data bytea NOT NULL, PRIMARY KEY (tenant, collection, key))`,
		`INSERT INTO issokit_record VALUES ('t', 'c', 'k', 7, NULL, 'data')`,
	} {
		_, err := db.ExecContext(t.Context(), s)
		require.NoError(t, err)
	}
	attrs := []driver.Attr{{Name: "a", Value: "v"}}
	for i := range 2 {
		b, err := openURL(place)
		require.NoError(t, err)
		was := driver.Record{Key: "k", Revision: int64(7 + i), Data: []byte("data")}
		if i > 0 {
			was.Attrs = attrs
		}
		require.NoError(t, b.Update(t.Context(), "t", func(tx driver.Tx) error {
			r, err := tx.Get(t.Context(), "c", "k")
			require.NoError(t, err)
			require.Equal(t, was, r)
			r.Revision++
			r.Attrs = attrs
			return tx.Put(t.Context(), "c", was, r)
		}))
		require.NoError(t, b.Close())
	}
}

func TestLockWait(t *testing.T) {
	db, err := sql.Open("pgx", place(t))
	require.NoError(t, err)
	defer db.Close()
	b, err := postgres.New(t.Context(), db, &postgres.Options{LockWait: 500 * time.Millisecond})
	require.NoError(t, err)
	defer b.Close()
	s := store.New(b, nil).Scope(store.Principal{Actor: "p"})
	none := func(*store.Tx) error { return nil }
	require.NoError(t, s.Update(t.Context(), none))
	err = s.Update(t.Context(), func(*store.Tx) error { return s.Update(t.Context(), none) })
	require.ErrorIs(t, err, store.ErrBusy)
	require.NoError(t, s.Update(t.Context(), none))
}

// TestIsolations: whatever isolation the database gives, counters lose nothing.
// On snapshots the change of the tenant's row makes the later of two transactions
// fail and run again.
func TestIsolations(t *testing.T) {
	u := place(t)
	for _, level := range []string{"repeatable read", "serializable"} {
		t.Run(level, func(t *testing.T) {
			base, err := sql.Open("pgx", u)
			require.NoError(t, err)
			defer base.Close()
			b, err := postgres.New(t.Context(), base, &postgres.Options{Prefix: strings.ReplaceAll(level, " ", "_") + "_"})
			require.NoError(t, err)
			defer b.Close()
			// The back end asks for READ COMMITTED by itself. InTx takes what it gets, and
			// leaves it to the program to begin again.
			st := store.New(backendFunc(func(ctx context.Context, tenant string, fn func(driver.Tx) error) (err error) {
				defer func() {
					if state(err) == "40001" {
						err = fmt.Errorf("%w: %w", driver.ErrRetry, err)
					}
				}()
				tx, err := base.BeginTx(ctx, nil)
				if err != nil {
					return err
				}
				defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
				if _, err := tx.ExecContext(ctx, "SET TRANSACTION ISOLATION LEVEL "+level); err != nil {
					return err
				}
				if err := b.InTx(tx).Update(ctx, tenant, fn); err != nil {
					return err
				}
				return tx.Commit()
			}), &store.Options{MaxRetry: 1000})
			s := st.Scope(store.Principal{Tenant: "t", Actor: "p"})
			c := store.NewCollection(s, "numbers", func(int) string { return "n" }, nil)
			require.NoError(t, c.Create(t.Context(), 0))
			var wg sync.WaitGroup
			errs := make([]error, 8)
			for i := range errs {
				wg.Go(func() {
					for range 10 {
						errs[i] = errors.Join(errs[i], s.Update(t.Context(), func(tx *store.Tx) error {
							v, err := c.In(tx).Load(t.Context(), "n")
							if err != nil {
								return err
							}
							_, err = c.In(tx).Swap(t.Context(), v.Value+1, v.Revision)
							return err
						}))
					}
				})
			}
			wg.Wait()
			require.NoError(t, errors.Join(errs...))
			v, err := store.NewCollection(store.New(b, nil).Scope(s.Principal()), "numbers", func(int) string { return "n" }, nil).Get(t.Context(), "n")
			require.NoError(t, err)
			require.Equal(t, 80, v)
		})
	}
}

// state returns the SQLSTATE of an error.
func state(err error) string {
	var coded interface {
		error
		SQLState() string
	}
	if !errors.As(err, &coded) {
		return ""
	}
	return coded.SQLState()
}

// TestInTxConflict: a transaction of the program that the database has given up is
// not tried again, since it could only fail again.
func TestInTxConflict(t *testing.T) {
	db, err := sql.Open("pgx", place(t))
	require.NoError(t, err)
	defer db.Close()
	b, err := postgres.New(t.Context(), db, nil)
	require.NoError(t, err)
	defer b.Close()
	c := func(b driver.Backend) *store.Collection[int] {
		return store.NewCollection(store.New(b, nil).Scope(store.Principal{Actor: "p"}), "numbers", func(int) string { return "n" }, nil)
	}
	require.NoError(t, c(b).Create(t.Context(), 1))
	tx, err := db.BeginTx(t.Context(), &sql.TxOptions{Isolation: sql.LevelSerializable})
	require.NoError(t, err)
	defer tx.Rollback() //nolint:errcheck // it has failed
	_, err = c(b.InTx(tx)).Get(t.Context(), "n")
	require.NoError(t, err)
	require.NoError(t, c(b).Put(t.Context(), 2))
	runs := 0
	err = store.New(b.InTx(tx), nil).Scope(store.Principal{Actor: "p"}).Update(t.Context(), func(tx *store.Tx) error {
		runs++
		return nil
	})
	require.Equal(t, "40001", state(err), "%v", err)
	require.NotErrorIs(t, err, driver.ErrRetry)
	require.LessOrEqual(t, runs, 1)
	err = c(b.InTx(tx)).Put(t.Context(), 3)
	require.NotErrorIs(t, err, driver.ErrRetry)
	require.Error(t, err)
}

// backendFunc is a back end that can only write.
type backendFunc func(ctx context.Context, tenant string, fn func(driver.Tx) error) error

func (f backendFunc) Update(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	return f(ctx, tenant, fn)
}

func (f backendFunc) View(ctx context.Context, tenant string, fn func(driver.Tx) error) error {
	return f(ctx, tenant, fn)
}

func (f backendFunc) Close() error { return nil }

// The database is one that the program has open already; the tables are made in
// the schema of its search path.
func ExampleNew() {
	db, err := sql.Open("pgx", os.Getenv("DATABASE_URL"))
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	ctx := context.Background()
	b, err := postgres.New(ctx, db, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	scope := store.New(b, nil).Scope(store.Principal{Tenant: "acme", Actor: "p.meyer"})
	notes := store.NewCollection(scope, "notes", func(s string) string { return "greeting" }, nil)
	fmt.Println(notes.Put(ctx, "hello"))
	fmt.Println(notes.Get(ctx, "greeting"))
}

// TestExampleNew: an example with an output would need a server wherever the tests
// run.
func TestExampleNew(t *testing.T) {
	t.Setenv("DATABASE_URL", place(t))
	r, w, err := os.Pipe()
	require.NoError(t, err)
	stdout := os.Stdout
	os.Stdout = w
	ExampleNew()
	os.Stdout = stdout
	require.NoError(t, w.Close())
	out, err := io.ReadAll(r)
	require.NoError(t, err)
	require.Equal(t, "<nil>\nhello <nil>\n", string(out))
}
