package postgres_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/stretchr/testify/require"

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
