// Package corpus finds the documents and oracles that tests compare with. They
// lie beside the project and are read in place.
package corpus

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Path returns the path of a file or folder of the corpus, whose root is the
// environment variable ISSOKIT_CORPUS or, without it, ../shared/corpus seen
// from the root of the repository. Where it is absent the test is skipped, but
// on a CI machine (CI=true) it fails.
func Path(tb testing.TB, elem ...string) string {
	tb.Helper()
	root := os.Getenv("ISSOKIT_CORPUS")
	if root == "" {
		_, file, _, _ := runtime.Caller(0)
		root = filepath.Join(filepath.Dir(file), "..", "..", "..", "shared", "corpus")
	}
	path := filepath.Join(append([]string{root}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatalf("the corpus is needed here: %v (set ISSOKIT_CORPUS)", err)
		}
		tb.Skipf("SKIPPED, NOTHING TESTED: no corpus: %v (set ISSOKIT_CORPUS)", err)
	}
	return path
}

// Read returns the bytes of a file of the corpus, found as by [Path].
func Read(tb testing.TB, elem ...string) []byte {
	tb.Helper()
	data, err := os.ReadFile(Path(tb, elem...))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}
