package storetest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/file"
	"github.com/issokit/issokit/store/storetest"
)

// open opens a place as any process may.
func open(place string) (driver.Backend, error) { return file.Open(place, nil) }

// A back end that keeps what it is given proves itself with these two functions in
// a test file of its own, named TestMain and TestSuite.
func ExampleRun() {
	testMain := func(m *testing.M) { os.Exit(storetest.Main(m, open)) }
	testSuite := func(t *testing.T) {
		storetest.Run(t, func(t testing.TB) driver.Backend {
			b, err := open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = b.Close() })
			return b
		}, &storetest.Options{
			Place:      func(t testing.TB) string { return filepath.Join(t.TempDir(), "store") },
			Open:       open,
			OneProcess: true,
		})
	}
	_, _ = testMain, testSuite
}
