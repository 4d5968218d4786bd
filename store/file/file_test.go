package file_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
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
		// A commit that stopped before its renames, with a journal and temporary files as
		// they first were.
		Old: func(t testing.TB, place string) {
			tenant := filepath.Join(place, "tenants", "t1")
			var moves []string
			for i, name := range []string{"k00005.json", "k00006.json"} {
				tmp := fmt.Sprintf("items/.tmp-%d", i)
				require.NoError(t, os.Rename(filepath.Join(tenant, "items", name), filepath.Join(tenant, tmp)))
				moves = append(moves, fmt.Sprintf(`{"from":%q,"to":"items/%s"}`, tmp, name))
			}
			require.NoError(t, os.WriteFile(filepath.Join(tenant, "journal"), []byte("["+strings.Join(moves, ",")+"]"), 0o600))
		},
	})
}

func FuzzCompare(f *testing.F) {
	storetest.FuzzCompare(f, open, func(testing.TB) driver.Backend { return memory.New(nil) })
}

func BenchmarkStore(b *testing.B) { storetest.Benchmark(b, open) }

func TestFullDisk(t *testing.T) {
	storetest.FullDisk(t, func(folder string) (driver.Backend, error) { return openFolder(filepath.Join(folder, "store")) })
}

func testScope(b driver.Backend) *store.Scope {
	return store.New(b, nil).Scope(store.Principal{Tenant: "t1", Actor: "p"})
}

func notes(s *store.Scope) *store.Collection[string] {
	return store.NewCollection(s, "notes", func(s string) string { return s }, nil)
}

// TestCorruptFiles: a tenant whose files are not what was written is refused, and
// all of them are named.
func TestCorruptFiles(t *testing.T) {
	folder := t.TempDir()
	b, err := file.Open(folder, nil)
	require.NoError(t, err)
	for _, n := range []string{"a", "b", "c", "d", "e"} {
		require.NoError(t, notes(testScope(b)).Create(t.Context(), n))
	}
	require.NoError(t, b.Close())
	notesFolder := filepath.Join(folder, "tenants", "t1", "notes")
	for name, text := range map[string]string{
		"a.json": "", "b.json": "{\n  \"key\": \"b\",\n<<<<<<< HEAD\n", "c.json": `{"key":"d","revision":1,"data":1}`, "d.json": `{"key":"d","revision":0,"data":1}`,
		"readme.md": "not a record", ".hidden.json": "{",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(notesFolder, name), []byte(text), 0o600))
	}
	b, err = file.Open(folder, nil)
	require.NoError(t, err)
	_, err = notes(testScope(b)).Get(t.Context(), "e")
	for _, want := range []string{"a.json: EOF", "b.json: line 3:", `c.json: it holds the key "d"`, "d.json: expected a key"} {
		require.ErrorContains(t, err, want)
	}
	require.NotContains(t, err.Error(), "readme")
	_, err = notes(store.New(b, nil).Scope(store.Principal{Tenant: "t2"})).Get(t.Context(), "e")
	require.ErrorIs(t, err, store.ErrNotFound, "another tenant")
	require.NoError(t, b.Close())
}

// TestEdited: a file that is well formed but was edited is found when it is read.
func TestEdited(t *testing.T) {
	folder := t.TempDir()
	b, err := file.Open(folder, nil)
	require.NoError(t, err)
	require.NoError(t, notes(testScope(b)).Create(t.Context(), "abc"))
	require.NoError(t, b.Close())
	name := filepath.Join(folder, "tenants", "t1", "notes", "abc.json")
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	require.Contains(t, string(text), "\"payload\": \"abc\"\n", "people can read it")
	require.NoError(t, os.WriteFile(name, []byte(strings.Replace(string(text), `"payload": "abc"`, `"payload": "xyz"`, 1)), 0o600))
	b, err = file.Open(folder, nil)
	require.NoError(t, err)
	_, err = notes(testScope(b)).Get(t.Context(), "abc")
	require.ErrorIs(t, err, store.ErrCorrupt)
	_, err = testScope(b).Verify(t.Context(), nil)
	c, ok := errors.AsType[*store.ChainError](err)
	require.True(t, ok)
	require.Equal(t, []any{int64(1), "notes", "abc"}, []any{c.Seq, c.Collection, c.Key})
	require.NoError(t, b.Close())
}

func TestNotAStore(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "precious.txt"), nil, 0o600))
	_, err := file.Open(folder, nil)
	require.ErrorContains(t, err, "precious.txt")
	_, err = file.Open(filepath.Join(folder, "precious.txt"), nil)
	require.Error(t, err)
	require.NoError(t, os.Remove(filepath.Join(folder, "precious.txt")))
	for _, text := range []string{"{}", "x", `{"format":"other","version":1}`} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, "format.json"), []byte(text), 0o600))
		_, err = file.Open(folder, nil)
		require.ErrorContains(t, err, "expected the format of a store")
	}
}

// TestSameProcess: the lock holds against the own process, too, and goes with the
// back end.
func TestSameProcess(t *testing.T) {
	folder := t.TempDir()
	b, err := file.Open(folder, nil)
	require.NoError(t, err)
	_, err = file.Open(folder, nil)
	require.ErrorIs(t, err, driver.ErrBusy)
	require.ErrorContains(t, err, fmt.Sprintf("process %d on", os.Getpid()))
	require.NoError(t, b.Close())
	b, err = file.Open(folder, nil)
	require.NoError(t, err)
	require.NoError(t, b.Close())
}

// TestLockFileRemoved: the lock file is not under version control, so a clean-up may
// remove it while the folder is open.
func TestLockFileRemoved(t *testing.T) {
	folder := t.TempDir()
	b, err := file.Open(folder, nil)
	require.NoError(t, err)
	require.NoError(t, os.Remove(filepath.Join(folder, "lock")))
	for range 2 { // the second finds the lock file of the first
		_, err = file.Open(folder, nil)
		require.ErrorIs(t, err, driver.ErrBusy)
	}
	require.NoError(t, notes(testScope(b)).Create(t.Context(), "a"))
	require.NoError(t, b.Close())
	b, err = file.Open(folder, nil)
	require.NoError(t, err)
	require.NoError(t, b.Close())
}

// TestMended: who mends the files of a tenant need not end the program.
func TestMended(t *testing.T) {
	folder := t.TempDir()
	b, err := file.Open(folder, nil)
	require.NoError(t, err)
	require.NoError(t, notes(testScope(b)).Create(t.Context(), "a"))
	require.NoError(t, notes(testScope(b)).Create(t.Context(), "b"))
	require.NoError(t, b.Close())
	name := filepath.Join(folder, "tenants", "t1", "notes", "b.json")
	good, err := os.ReadFile(name)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(name, []byte("<<<<<<< HEAD"), 0o600))
	b, err = file.Open(folder, nil)
	require.NoError(t, err)
	for range 2 {
		_, err = notes(testScope(b)).Get(t.Context(), "a")
		c, ok := errors.AsType[*driver.CorruptError](err)
		require.True(t, ok)
		require.Equal(t, []string{"notes", "b"}, []string{c.Collection, c.Key})
	}
	require.NoError(t, os.WriteFile(name, good, 0o600))
	_, err = testScope(b).Verify(t.Context(), nil)
	require.NoError(t, err)

	// A file that is removed is no record that never was.
	require.NoError(t, os.Remove(name))
	_, err = notes(testScope(b)).Get(t.Context(), "b")
	require.ErrorIs(t, err, store.ErrCorrupt)
	require.NotErrorIs(t, err, fs.ErrNotExist)
	require.NoError(t, b.Close())
}

// TestJournalOfLostFiles: what a journal names and is neither to be moved nor in
// its place is lost, and nobody goes on as if it were not.
func TestJournalOfLostFiles(t *testing.T) {
	for _, tt := range []struct{ name, journal, want string }{
		{"new record", `[{"from":".tmp-1","to":"notes/z.json"}]`, "z.json is lost"},
		{"old record", `[{"from":".tmp-1","to":"notes/a.json","sum":"00"}]`, "a.json is lost"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			b, err := file.Open(folder, nil)
			require.NoError(t, err)
			require.NoError(t, notes(testScope(b)).Create(t.Context(), "a"))
			require.NoError(t, b.Close())
			require.NoError(t, os.WriteFile(filepath.Join(folder, "tenants", "t1", ".journal"), []byte(tt.journal), 0o600))
			for range 2 {
				b, err = file.Open(folder, nil)
				require.NoError(t, err)
				_, err = notes(testScope(b)).Get(t.Context(), "a")
				require.ErrorContains(t, err, tt.want)
				require.ErrorContains(t, err, ".journal")
				require.NoError(t, b.Close())
			}
		})
	}
}

// TestJournal carries out what a crash between the journal and the renames left,
// also if it had begun.
func TestJournal(t *testing.T) {
	folder := t.TempDir()
	b, err := file.Open(folder, nil)
	require.NoError(t, err)
	require.NoError(t, notes(testScope(b)).Create(t.Context(), "old"))
	require.NoError(t, b.Close())
	tenant := filepath.Join(folder, "tenants", "t1")
	for i, begun := range []bool{false, true, false, true} {
		name, journal := fmt.Sprintf("new%d", i), ".journal"
		if i >= 2 {
			journal = "journal" // of the first versions
		}
		require.NoError(t, os.WriteFile(filepath.Join(tenant, "x.json"), []byte(`{"key":"`+name+`","revision":1,"data":1}`), 0o600))
		require.NoError(t, os.Rename(filepath.Join(tenant, "x.json"), filepath.Join(tenant, "notes", ".tmp-1")))
		require.NoError(t, os.WriteFile(filepath.Join(tenant, "notes", ".tmp-2"), []byte("half"), 0o600))
		require.NoError(t, os.WriteFile(filepath.Join(tenant, journal), []byte(`[{"from":"notes/.tmp-1","to":"notes/`+name+`.json"},{"to":"notes/old.json"}]`), 0o600))
		if begun {
			require.NoError(t, os.Rename(filepath.Join(tenant, "notes", ".tmp-1"), filepath.Join(tenant, "notes", name+".json")))
		}
		b, err = file.Open(folder, nil)
		require.NoError(t, err)
		require.NoError(t, b.View(t.Context(), "t1", func(tx driver.Tx) error {
			_, err := tx.Get(t.Context(), "notes", name)
			require.NoError(t, err)
			_, err = tx.Get(t.Context(), "notes", "old")
			require.ErrorIs(t, err, driver.ErrNotFound)
			return nil
		}))
		require.NoError(t, b.Close())
		left, err := filepath.Glob(filepath.Join(tenant, "notes", ".tmp-*"))
		require.NoError(t, err)
		require.Empty(t, left)
	}
	require.NoError(t, os.WriteFile(filepath.Join(tenant, ".journal"), []byte(`[{"to":"../../../precious"}]`), 0o600))
	b, err = file.Open(folder, nil)
	require.NoError(t, err)
	_, err = notes(testScope(b)).Get(t.Context(), "a")
	require.ErrorContains(t, err, "leads out of the folder")
	require.NoError(t, b.Close())
}

func TestReadOnly(t *testing.T) {
	folder := t.TempDir()
	storetest.ReadOnly(t, func() (driver.Backend, error) { return openFolder(folder) }, func() (driver.Backend, error) {
		// The superuser may write everywhere but to a read-only mount.
		if os.Getuid() == 0 {
			if out, err := exec.CommandContext(t.Context(), "mount", "--bind", folder, folder).CombinedOutput(); err != nil {
				t.Skipf("SKIPPED, NOTHING TESTED: cannot mount: %s", out)
			}
			t.Cleanup(func() { _ = exec.CommandContext(context.Background(), "umount", folder).Run() })
			if out, err := exec.CommandContext(t.Context(), "mount", "-o", "remount,bind,ro", folder).CombinedOutput(); err != nil {
				t.Skipf("SKIPPED, NOTHING TESTED: cannot mount: %s", out)
			}
		} else {
			require.NoError(t, os.Chmod(folder, 0o500))
			require.NoError(t, os.Chmod(filepath.Join(folder, "lock"), 0o400))
			t.Cleanup(func() { _ = os.Chmod(folder, 0o700) })
		}
		return openFolder(folder)
	})
}

func ExampleOpen() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)
	b, err := file.Open(folder, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()
	fmt.Println(notes(testScope(b)).Put(context.Background(), "Lock the door"))
	files, _ := filepath.Glob(filepath.Join(folder, "tenants", "t1", "notes", "*"))
	fmt.Println(filepath.Base(files[0]))
	// Output:
	// <nil>
	// %4cock%20the%20door.json
}
