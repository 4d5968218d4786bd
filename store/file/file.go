// Package file keeps records in a folder of JSON files, one for each record, for
// programs that want no database and for folders under version control:
//
//	format.json
//	tenants/acme/risks/r-1.json
//	tenants/acme/%7eaudit/0000000000000000001.json
//
// One process at a time has a folder open. An index of all keys and attributes is
// in memory, the contents are not; opening a tenant reads all of its files once.
// Files are written beside their place, synchronised and renamed. A transaction
// that changes several writes a journal of the renames first, which is carried out
// when the tenant is opened again after a crash. What is changed behind the back of
// a process that has the folder open, as by a checkout, is not seen until it opens
// the folder again.
//
// On systems that are not Unix, the program itself must see to it that a folder
// is open in one process, and renames are as durable as the system makes them.
package file

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/issokit/issokit/store/driver"
)

// Options configure [Open]; nil means the defaults.
type Options struct {
	LockWait time.Duration // how long an Update waits for another of its tenant; default 10 s
	Existing bool          // the folder must be a store, or the error matches driver.ErrNoStore; Open makes none
	NoSync   bool          // do not wait for the disk: a failure of power may leave half of a change
}

// Backend is a [driver.Backend].
type Backend struct {
	root     string
	opts     Options
	locks    []*os.File
	readOnly bool

	life   sync.RWMutex // held by who writes, so that Close waits for it
	closed bool         // guarded by life

	mu      sync.Mutex
	tenants map[string]*tenant
}

var (
	_ driver.Backend = (*Backend)(nil)
	_ driver.Lister  = (*Backend)(nil)
)

// version is that of the layout of the folder.
const version = 1

type format struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
}

// Open opens a folder, and makes it if it is not there. The error matches
// driver.ErrBusy if another process has it open, and says which, and
// driver.ErrNewerSchema if a newer version of this package has made it. A folder
// that cannot be written is opened read-only.
func Open(folder string, opts *Options) (*Backend, error) {
	b := &Backend{root: folder, tenants: map[string]*tenant{}}
	if opts != nil {
		b.opts = *opts
	}
	if b.opts.LockWait <= 0 {
		b.opts.LockWait = 10 * time.Second
	}
	if err := b.open(); err != nil {
		b.Close()
		return nil, fmt.Errorf("file: %w", err)
	}
	return b, nil
}

func (b *Backend) open() error {
	if b.opts.Existing {
		if _, err := os.Stat(filepath.Join(b.root, formatName)); errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s has no %s", driver.ErrNoStore, b.root, formatName)
		}
	} else if err := os.MkdirAll(b.root, 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(filepath.Join(b.root, lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if isReadOnly(err) {
		b.readOnly = true
		return b.checkFormat()
	}
	if err != nil {
		return err
	}
	if err := b.takeLock(lock); err != nil {
		return err
	}
	if err := b.checkFormat(); err != nil {
		return err
	}
	// The lock file is in no version control, and so may be removed while it is held.
	// The other one stays.
	name := filepath.Join(b.root, formatName)
	held, err := os.OpenFile(name, os.O_RDWR, 0)
	if isReadOnly(err) {
		held, err = os.Open(name)
	}
	if err != nil {
		return err
	}
	if err := b.takeLock(held); err != nil {
		return err
	}
	return writeOwner(lock)
}

// The names of the files in the root.
const (
	lockName   = "lock"
	formatName = "format.json"
)

// checkFormat looks that the folder is a store, and makes it one if it is empty.
func (b *Backend) checkFormat() error {
	name := filepath.Join(b.root, formatName)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		others, err := os.ReadDir(b.root)
		if err != nil {
			return err
		}
		for _, o := range others {
			if o.Name() != lockName && !strings.HasPrefix(o.Name(), ".") {
				return fmt.Errorf("%s is neither empty nor a store: it holds %q", b.root, o.Name())
			}
		}
		if b.readOnly {
			return fmt.Errorf("%w: %s is empty", driver.ErrReadOnly, b.root)
		}
		for name, text := range map[string]string{
			formatName:   fmt.Sprintf("{\n  \"format\": \"issokit-store\",\n  \"version\": %d\n}\n", version),
			".gitignore": "lock\n.tmp-*\n.journal\n",
		} {
			if err := b.replace(filepath.Join(b.root, name), []byte(text)); err != nil {
				return err
			}
		}
		return b.syncFolders(map[string]bool{b.root: true})
	}
	if err != nil {
		return err
	}
	var f format
	if err := json.Unmarshal(text, &f); err != nil || f.Format != "issokit-store" || f.Version < 1 {
		return fmt.Errorf("%s: expected the format of a store, found %.80q", name, text)
	}
	if f.Version > version {
		return fmt.Errorf("%w: %s has version %d, this program knows up to %d", driver.ErrNewerSchema, name, f.Version, version)
	}
	return nil
}

// takeLock locks an open file until Close.
func (b *Backend) takeLock(f *os.File) error {
	b.locks = append(b.locks, f)
	ok, err := tryLock(f)
	if err != nil || ok {
		return err
	}
	who, _ := os.ReadFile(filepath.Join(b.root, lockName))
	owner := strings.TrimSpace(string(who))
	if owner == "" {
		owner = "whose lock file was removed"
	}
	return fmt.Errorf("%w: %s is open in another process (%.100s)", driver.ErrBusy, b.root, owner)
}

// writeOwner writes down who has the folder.
func writeOwner(lock *os.File) error {
	if err := lock.Truncate(0); err != nil {
		return err
	}
	host, _ := os.Hostname()
	_, err := lock.WriteAt(fmt.Appendf(nil, "process %d on %s\n", os.Getpid(), host), 0)
	if errors.Is(err, errNoSpace) {
		return nil // the lock holds without the note
	}
	return err
}

func isReadOnly(err error) bool {
	return errors.Is(err, fs.ErrPermission) || errors.Is(err, errReadOnlyFS)
}

// Close waits for what is being written, and lets go of the folder. What is called
// afterwards fails with fs.ErrClosed.
func (b *Backend) Close() error {
	b.life.Lock()
	defer b.life.Unlock()
	b.closed = true
	var errs []error
	for _, f := range b.locks {
		errs = append(errs, f.Close())
	}
	b.locks = nil
	return errors.Join(errs...)
}

// alive runs what must not outlive Close.
func (b *Backend) alive(fn func() error) error {
	b.life.RLock()
	defer b.life.RUnlock()
	if b.closed {
		return fmt.Errorf("file: %s: %w", b.root, fs.ErrClosed)
	}
	return fn()
}

// Tenants implements [driver.Lister]. It does not read the records.
func (b *Backend) Tenants(ctx context.Context) (names []string, err error) {
	err = b.alive(func() error {
		names, err = b.listTenants(ctx)
		return err
	})
	return names, err
}

func (b *Backend) listTenants(ctx context.Context) ([]string, error) {
	folders, err := os.ReadDir(filepath.Join(b.root, "tenants"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("file: %w", err)
	}
	var names []string
	for _, f := range folders {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		folder := filepath.Join(b.root, "tenants", f.Name())
		if !f.IsDir() || !hasRecords(folder) {
			continue
		}
		name, err := nameOf(folder)
		if err != nil {
			return nil, fmt.Errorf("file: %w", err)
		}
		names = append(names, name)
	}
	slices.Sort(names)
	return names, nil
}

// hasRecords tells whether a tenant's folder has a record, or a journal that will
// make one.
func hasRecords(folder string) bool {
	for _, name := range []string{journalName, oldJournalName} {
		if info, err := os.Lstat(filepath.Join(folder, name)); err == nil && !info.IsDir() {
			return true
		}
	}
	found, _ := fs.Glob(os.DirFS(folder), "*/*.json") // the pattern is no bad one
	return len(found) > 0
}

// View implements [driver.Backend].
func (b *Backend) View(ctx context.Context, name string, fn func(driver.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	t, err := b.tenant(name)
	if err != nil {
		return err
	}
	return fn(&tx{t: t, state: t.load(), readOnly: true})
}

// Update implements [driver.Backend].
func (b *Backend) Update(ctx context.Context, name string, fn func(driver.Tx) error) error {
	t, err := b.tenant(name)
	if err != nil {
		return err
	}
	if b.readOnly {
		return driver.ErrReadOnly
	}
	timer := time.NewTimer(b.opts.LockWait)
	defer timer.Stop()
	select {
	case t.writer <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("%w (%v)", driver.ErrBusy, b.opts.LockWait)
	}
	defer func() { <-t.writer }()
	if t.broken != nil {
		return fmt.Errorf("file: the folder must be opened again: %w", t.broken)
	}
	x := &tx{t: t, state: t.load(), changes: map[string]*change{}}
	if err := fn(x); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(x.changes) == 0 {
		return nil
	}
	return b.alive(func() error {
		if err := t.commit(x); err != nil {
			return fmt.Errorf("file: %w", err)
		}
		return nil
	})
}

// tenant returns a tenant, and reads its files if that was not done yet.
func (b *Backend) tenant(name string) (t *tenant, err error) {
	err = b.alive(func() error {
		b.mu.Lock()
		t = b.tenants[name]
		if t == nil {
			t = &tenant{b: b, name: name, folder: filepath.Join(b.root, "tenants", escape(name)), writer: make(chan struct{}, 1)}
			b.tenants[name] = t
		}
		b.mu.Unlock()
		t.opening.Lock()
		defer t.opening.Unlock()
		if t.opened {
			return nil
		}
		if err := t.open(); err != nil {
			t.state = state{} // who mends the files need not open the folder again
			return fmt.Errorf("file: %w", err)
		}
		t.opened = true
		return nil
	})
	return t, err
}
