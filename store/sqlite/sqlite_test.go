package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/memory"
	"github.com/issokit/issokit/store/sqlite"
	"github.com/issokit/issokit/store/storetest"
)

// database is a back end that closes the database, too.
type database struct {
	*sqlite.Backend
	db *sql.DB
}

func (d database) Close() error {
	if err := d.Backend.Close(); err != nil {
		return err
	}
	return d.db.Close()
}

func openDB(file string, params string) (*sql.DB, error) {
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(file), RawQuery: params}).String())
}

func openFile(file string) (driver.Backend, error) {
	db, err := openDB(file, "")
	if err != nil {
		return nil, err
	}
	b, err := sqlite.New(context.Background(), db, nil)
	if err != nil {
		db.Close()
		return nil, err
	}
	return database{b, db}, nil
}

func place(t testing.TB) string { return filepath.Join(t.TempDir(), "store.db") }

// open is for tests in which nothing is killed: NORMAL does not wait for the
// disk.
func open(t testing.TB) driver.Backend {
	db, err := openDB(place(t), "_pragma=synchronous(NORMAL)")
	require.NoError(t, err)
	b, err := sqlite.New(t.Context(), db, nil)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, database{b, db}.Close()) })
	return b
}

func TestMain(m *testing.M) { os.Exit(storetest.Main(m, openFile)) }

func TestSuite(t *testing.T) {
	storetest.Run(t, open, &storetest.Options{
		Place: place, Open: openFile,
		Newer: func(t testing.TB, place string) {
			db, err := openDB(place, "")
			require.NoError(t, err)
			defer db.Close()
			_, err = db.ExecContext(t.Context(), "UPDATE issokit_meta SET value = 99")
			require.NoError(t, err)
		},
		Old: func(t testing.TB, place string) {
			db, err := openDB(place, "")
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

// BenchmarkStore measures in WAL mode with synchronous=NORMAL and all else as
// SQLite has it. The goal is 5,000 puts a second on two cores, in the sense of
// storetest.Benchmark. What is left of that on a slow disk is the time in which
// SQLite waits for it at checkpoints, every 1,000 pages: TMPDIR on a tmpfs shows
// the figure without, BenchmarkPlain what the same disk leaves of plain SQL.
func BenchmarkStore(b *testing.B) { storetest.Benchmark(b, open) }

// BenchmarkPlain is the floor, on a database with the same settings.
func BenchmarkPlain(b *testing.B) {
	db, err := openDB(place(b), "_pragma=synchronous(NORMAL)&_pragma=journal_mode(WAL)&_txlock=immediate")
	require.NoError(b, err)
	defer db.Close()
	storetest.BenchmarkPlain(b, db, false)
}

func TestFullDisk(t *testing.T) {
	storetest.FullDisk(t, func(folder string) (driver.Backend, error) { return openFile(filepath.Join(folder, "store.db")) })
}

// TestFullDatabase: a database that is full rolls back all of a transaction, and
// with it what others have written in it. They are told.
func TestFullDatabase(t *testing.T) {
	db, err := openDB(place(t), "_pragma=synchronous(NORMAL)&_pragma=max_page_count(200)")
	require.NoError(t, err)
	b, err := sqlite.New(t.Context(), db, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, database{b, db}.Close()) }()
	s := store.New(b, nil).Scope(store.Principal{Actor: "p"})
	texts := store.NewCollection(s, "texts", func(s string) string { return s[:10] }, nil)
	var acknowledged sync.Map
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for n := range 100 {
				text := fmt.Sprintf("%010d", 1000*w+n) + strings.Repeat("x", 3000)
				if texts.Create(t.Context(), text) == nil {
					acknowledged.Store(text[:10], true)
				}
			}
		})
	}
	writers.Wait()
	found := 0
	for text, err := range texts.All(t.Context()) {
		require.NoError(t, err)
		_, ok := acknowledged.LoadAndDelete(text[:10])
		require.True(t, ok, "%s is there, but was said not to be", text[:10])
		found++
	}
	acknowledged.Range(func(key, _ any) bool { t.Errorf("%v is lost", key); return true })
	require.Greater(t, found, 10)
	require.Less(t, found, 800)
	r, err := s.Verify(t.Context(), nil)
	require.NoError(t, err)
	require.EqualValues(t, found, r.Entries)
}

// TestOneConnection: a pool of one connection lends it to an Update and gets it
// back.
func TestOneConnection(t *testing.T) {
	db, err := sql.Open("sqlite", "file::memory:")
	require.NoError(t, err)
	db.SetMaxOpenConns(1)
	b, err := sqlite.New(t.Context(), db, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, database{b, db}.Close()) }()
	s := store.New(b, nil).Scope(store.Principal{Actor: "p"})
	c := storetest.Payloads(s)
	var writers sync.WaitGroup
	for w := range 8 {
		writers.Go(func() {
			for n := range 20 {
				p := storetest.NewPayload(20*w + n)
				if err := c.Create(t.Context(), p); err != nil {
					t.Error(err)
				}
				if err := c.Create(t.Context(), p); !errors.Is(err, store.ErrExists) {
					t.Error(err)
				}
				if got, err := c.Get(t.Context(), p.ID); err != nil || got != p {
					t.Error(got, err)
				}
			}
		})
	}
	writers.Wait()
	r, err := s.Verify(t.Context(), nil)
	require.NoError(t, err)
	require.EqualValues(t, 160, r.Entries)
}

func TestReadOnly(t *testing.T) {
	file := place(t)
	storetest.ReadOnly(t, func() (driver.Backend, error) { return openFile(file) }, func() (driver.Backend, error) {
		db, err := openDB(file, "mode=ro")
		if err != nil {
			return nil, err
		}
		b, err := sqlite.New(t.Context(), db, nil)
		return database{b, db}, err
	})
}

func TestSmallPool(t *testing.T) {
	storetest.SmallPool(t, func(t testing.TB, connections int, wait time.Duration) driver.Backend {
		db, err := openDB(place(t), "")
		require.NoError(t, err)
		db.SetMaxOpenConns(connections)
		b, err := sqlite.New(t.Context(), db, &sqlite.Options{LockWait: wait})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, database{b, db}.Close()) })
		return b
	})
}

// TestRollbackMode: a database that another program reads in rollback mode cannot
// go to WAL mode yet.
func TestRollbackMode(t *testing.T) {
	file := place(t)
	other, err := openDB(file, "")
	require.NoError(t, err)
	defer other.Close()
	_, err = other.ExecContext(t.Context(), "CREATE TABLE own (x)")
	require.NoError(t, err)
	reader, err := other.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	n := 0
	require.NoError(t, reader.QueryRowContext(t.Context(), "SELECT count(*) FROM own").Scan(&n))

	db, err := openDB(file, "")
	require.NoError(t, err)
	_, err = sqlite.New(t.Context(), db, &sqlite.Options{LockWait: 50 * time.Millisecond})
	require.ErrorIs(t, err, driver.ErrBusy)
	time.AfterFunc(100*time.Millisecond, func() { reader.Rollback() })
	b, err := sqlite.New(t.Context(), db, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, database{b, db}.Close()) }()
	mode := ""
	require.NoError(t, db.QueryRowContext(t.Context(), "PRAGMA journal_mode").Scan(&mode))
	require.Equal(t, "wal", mode)
}

// TestEvidence: a database that cannot be written, nor anything beside it, is
// verified as it is.
func TestEvidence(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "store.db")
	b, err := openFile(file)
	require.NoError(t, err)
	s := func(b driver.Backend) *store.Scope { return store.New(b, nil).Scope(store.Principal{Actor: "p"}) }
	notes := func(b driver.Backend) *store.Collection[string] {
		return store.NewCollection(s(b), "notes", func(s string) string { return s }, nil)
	}
	require.NoError(t, notes(b).Create(t.Context(), "a"))
	require.NoError(t, b.Close())
	before, err := os.ReadFile(file)
	require.NoError(t, err)
	readOnlyFolder(t, folder)

	_, err = openFile(file)
	require.ErrorContains(t, err, "immutable=1")
	db, err := openDB(file, "mode=ro&immutable=1")
	require.NoError(t, err)
	ro, err := sqlite.New(t.Context(), db, nil)
	require.NoError(t, err)
	r, err := s(ro).Verify(t.Context(), nil)
	require.NoError(t, err)
	require.Equal(t, int64(1), r.Records)
	require.ErrorIs(t, notes(ro).Put(t.Context(), "b"), store.ErrReadOnly)
	require.NoError(t, database{ro, db}.Close())
	after, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, before, after)
}

// readOnlyFolder takes the right to write in a folder. The superuser has it
// everywhere but on a read-only mount.
func readOnlyFolder(t *testing.T, folder string) {
	if os.Getuid() != 0 {
		require.NoError(t, os.Chmod(folder, 0o500))
		t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
		return
	}
	mount := func(args ...string) {
		if out, err := exec.CommandContext(t.Context(), "mount", args...).CombinedOutput(); err != nil {
			t.Skipf("SKIPPED, NOTHING TESTED: cannot mount: %s", out)
		}
	}
	mount("--bind", folder, folder)
	t.Cleanup(func() { _ = exec.CommandContext(context.Background(), "umount", folder).Run() })
	mount("-o", "remount,bind,ro", folder)
}

// TestOldSchema: the tables as the first schema had them.
func TestOldSchema(t *testing.T) {
	file := place(t)
	db, err := openDB(file, "")
	require.NoError(t, err)
	for _, s := range []string{
		`CREATE TABLE issokit_meta (name TEXT NOT NULL PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID`,
		`INSERT INTO issokit_meta VALUES ('schema', 1)`,
		`CREATE TABLE issokit_record (tenant TEXT NOT NULL, collection TEXT NOT NULL, key TEXT NOT NULL,
			revision INTEGER NOT NULL, attrs BLOB, data BLOB NOT NULL, PRIMARY KEY (tenant, collection, key)) WITHOUT ROWID`,
		`INSERT INTO issokit_record VALUES ('t', 'c', 'k', 7, NULL, 'data')`,
	} {
		_, err := db.ExecContext(t.Context(), s)
		require.NoError(t, err)
	}
	require.NoError(t, db.Close())
	for range 2 {
		b, err := openFile(file)
		require.NoError(t, err)
		require.NoError(t, b.View(t.Context(), "t", func(tx driver.Tx) error {
			r, err := tx.Get(t.Context(), "c", "k")
			require.NoError(t, err)
			require.Equal(t, driver.Record{Key: "k", Revision: 7, Data: []byte("data")}, r)
			return nil
		}))
		require.NoError(t, b.Close())
	}
}

func TestOptions(t *testing.T) {
	db, err := openDB(place(t), "")
	require.NoError(t, err)
	defer db.Close()
	for _, prefix := range []string{"a b", "x; DROP TABLE y; --", "A", "1", "é", strings.Repeat("p", 32), `"`} {
		_, err := sqlite.New(t.Context(), db, &sqlite.Options{Prefix: prefix})
		require.ErrorContains(t, err, "prefix", prefix)
	}
	b, err := sqlite.New(t.Context(), db, &sqlite.Options{Prefix: "own_", LockWait: 20 * time.Millisecond})
	require.NoError(t, err)
	s := store.New(b, nil).Scope(store.Principal{Actor: "p"})
	none := func(*store.Tx) error { return nil }
	err = s.Update(t.Context(), func(*store.Tx) error { return s.Update(t.Context(), none) })
	require.ErrorIs(t, err, store.ErrBusy, "an Update that is not on the Tx")
	require.NoError(t, s.Update(t.Context(), none))

	// Another process that holds the lock, too.
	other, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	_, err = other.ExecContext(t.Context(), "CREATE TABLE other (x)")
	require.NoError(t, err)
	require.ErrorIs(t, s.Update(t.Context(), none), store.ErrBusy)
	require.NoError(t, other.Rollback())
	require.NoError(t, s.Update(t.Context(), none))
}

func TestEncodingRefused(t *testing.T) {
	db, err := openDB(place(t), "_pragma=encoding('UTF-16')")
	require.NoError(t, err)
	defer db.Close()
	_, err = db.ExecContext(t.Context(), "PRAGMA encoding = 'UTF-16'; CREATE TABLE x (y)")
	require.NoError(t, err)
	_, err = sqlite.New(t.Context(), db, nil)
	require.ErrorContains(t, err, "UTF-16")
}

// TestDamaged: a file that is no database is an error, not a panic.
func TestDamaged(t *testing.T) {
	file := place(t)
	b, err := openFile(file)
	require.NoError(t, err)
	require.NoError(t, b.Close())
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	for i := 100; i < len(data); i++ {
		data[i] = 0xa5
	}
	require.NoError(t, os.WriteFile(file, data, 0o600))
	_, err = openFile(file)
	require.Error(t, err)
	require.NoError(t, os.WriteFile(file, []byte("This is no database, but a text that is long enough for a header of one hundred bytes, and then some."), 0o600))
	_, err = openFile(file)
	require.Error(t, err)
}

// TestDamagedRows: a row that was changed by SQL is named.
func TestDamagedRows(t *testing.T) {
	for _, tt := range []struct{ name, change, why string }{
		{"attributes", "attrs = x'ff'", "attributes"},
		{"attributes that end early", "attrs = x'0161'", "attributes"},
		{"revision", "revision = 'abc'", "abc"},
		{"no revision", "revision = 0", "at least 1"},
		{"key", "key = CAST(key AS BLOB)", "expected text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := place(t)
			db, err := openDB(file, "")
			require.NoError(t, err)
			b, err := sqlite.New(t.Context(), db, nil)
			require.NoError(t, err)
			defer func() { require.NoError(t, database{b, db}.Close()) }()
			s := store.New(b, nil).Scope(store.Principal{Tenant: "t", Actor: "p"})
			c := store.NewCollection(s, "notes", func(s string) string { return s }, nil)
			for _, n := range []string{"a", "b", "c"} {
				require.NoError(t, c.Create(t.Context(), n))
			}
			_, err = db.ExecContext(t.Context(), "UPDATE issokit_record SET "+tt.change+" WHERE collection = 'notes' AND key = 'b'")
			require.NoError(t, err)
			damaged := func(err error) {
				t.Helper()
				require.ErrorIs(t, err, store.ErrCorrupt)
				row, ok := errors.AsType[*driver.CorruptError](err)
				require.True(t, ok)
				require.Equal(t, []string{"notes", "b"}, []string{row.Collection, row.Key})
				require.ErrorContains(t, err, tt.why)
			}
			if tt.name != "key" { // nothing finds that one by its key
				_, err = c.Get(t.Context(), "b")
				damaged(err)
				require.NoError(t, s.View(t.Context(), func(tx *store.Tx) error {
					_, err := c.In(tx).Load(t.Context(), "b")
					damaged(err)
					return nil
				}))
				damaged(c.Put(t.Context(), "b"))
			}
			for _, err = range c.All(t.Context()) {
			}
			if !strings.HasPrefix(tt.name, "attributes") { // a list does not need them
				damaged(err)
			}
			_, err = s.Verify(t.Context(), nil)
			bad, ok := errors.AsType[*store.ChainError](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, []any{int64(2), "notes", "b"}, []any{bad.Seq, bad.Collection, bad.Key})
			require.ErrorContains(t, err, tt.why)
			_, err = c.Get(t.Context(), "a")
			require.NoError(t, err)
		})
	}
	// Names that are no text.
	b, err := openFile(place(t))
	require.NoError(t, err)
	defer func() { require.NoError(t, b.Close()) }()
	require.NoError(t, b.Update(t.Context(), "t", func(tx driver.Tx) error {
		return tx.Put(t.Context(), "c", driver.Record{}, driver.Record{Key: "k", Revision: 1})
	}))
	_, err = b.(database).db.ExecContext(t.Context(), "INSERT INTO issokit_record VALUES ('t', x'63', 'k', 1, NULL, x''), (x'74', 'c', 'k', 1, NULL, x'')")
	require.NoError(t, err)
	require.NoError(t, b.View(t.Context(), "t", func(tx driver.Tx) error {
		_, err := tx.Collections(t.Context())
		require.ErrorIs(t, err, driver.ErrCorrupt)
		return nil
	}))
	_, err = b.(driver.Lister).Tenants(t.Context())
	require.ErrorIs(t, err, driver.ErrCorrupt)
}

// TestStreaming: a list in constant memory. It takes a while to fill.
func TestStreaming(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	s := store.New(open(t), nil).Scope(store.Principal{Actor: "p"})
	storetest.Stream(t, s, storetest.Payloads(s), storetest.Records(t))
}

// TestInTx: the store's changes are part of the program's own transaction.
func TestInTx(t *testing.T) {
	db, err := openDB(place(t), "_txlock=immediate")
	require.NoError(t, err)
	defer db.Close()
	b, err := sqlite.New(t.Context(), db, nil)
	require.NoError(t, err)
	defer b.Close()
	storetest.InTx(t, db, b, b.InTx)
}

func ExampleNew() {
	db, err := sql.Open("sqlite", "file::memory:")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer db.Close()
	db.SetMaxOpenConns(1) // each connection would have a memory of its own
	ctx := context.Background()
	b, err := sqlite.New(ctx, db, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	scope := store.New(b, nil).Scope(store.Principal{Tenant: "acme", Actor: "p.meyer"})
	notes := store.NewCollection(scope, "notes", func(s string) string { return "greeting" }, nil)
	fmt.Println(notes.Put(ctx, "hello"))
	fmt.Println(notes.Get(ctx, "greeting"))
	// Output:
	// <nil>
	// hello <nil>
}
