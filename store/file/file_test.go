package file_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/file"
	"github.com/issokit/issokit/store/memory"
	"github.com/issokit/issokit/store/storetest"
)

func openFolder(folder string) (driver.Backend, error) {
	b, err := file.Open(folder, nil)
	if err != nil {
		return nil, err
	}
	return b, nil
}

// open is for tests in which nothing is killed.
func open(t testing.TB) driver.Backend {
	b, err := file.Open(t.TempDir(), &file.Options{NoSync: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, b.Close()) })
	return b
}

func TestMain(m *testing.M) { os.Exit(storetest.Main(m, openFolder)) }

func TestSuite(t *testing.T) {
	storetest.Run(t, open, &storetest.Options{
		Place:      func(t testing.TB) string { return filepath.Join(t.TempDir(), "store") },
		Open:       openFolder,
		OneProcess: true,
		Newer: func(t testing.TB, place string) {
			require.NoError(t, os.WriteFile(filepath.Join(place, "format.json"), []byte(`{"format":"issokit-store","version":9}`), 0o600))
		},
	})
}

func FuzzCompare(f *testing.F) {
	storetest.FuzzCompare(f, open, func(testing.TB) driver.Backend { return memory.New(nil) })
}

func BenchmarkStore(b *testing.B) { storetest.Benchmark(b, open) }
