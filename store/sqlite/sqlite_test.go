package sqlite_test

import (
	"context"
	"database/sql"
	"net/url"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	_ "modernc.org/sqlite"

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
	})
}

func FuzzCompare(f *testing.F) {
	storetest.FuzzCompare(f, open, func(testing.TB) driver.Backend { return memory.New(nil) })
}

func BenchmarkStore(b *testing.B) { storetest.Benchmark(b, open) }

func BenchmarkPlain(b *testing.B) {
	db, err := openDB(place(b), "_pragma=synchronous(NORMAL)&_pragma=journal_mode(WAL)&_txlock=immediate")
	require.NoError(b, err)
	defer db.Close()
	storetest.BenchmarkPlain(b, db, false)
}
