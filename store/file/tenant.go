package file

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/internal/tree"
)

// A state is the immutable index of a tenant: a View keeps the one that it began
// with.
type state = tree.Map[tree.Records[*entry]]

// An entry is a revision of a record. Its content is in its file, until the file
// is replaced or removed: then, for those who still look at an old state, it is
// here.
type entry struct {
	path     string
	revision int64
	data     atomic.Pointer[[]byte]
}

type tenant struct {
	b       *Backend
	name    string
	folder  string
	opening sync.Mutex
	opened  bool

	writer chan struct{} // holds a token while an Update runs
	broken error         // a commit stopped in the middle; guarded by writer
	serial int           // of temporary files; guarded by writer

	mu    sync.Mutex // guards state
	state state
}

func (t *tenant) load() state {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state
}

// The names of files that are no records. All of them begin with a dot, which those
// of records and collections never do.
const (
	tmpPrefix   = ".tmp-"
	journalName = ".journal"

	oldJournalName = "journal" // in the first versions
)

// maxProblems bounds the text of an error.
const maxProblems = 10

// open finishes what a crash has left and reads the index. The error names all
// files that are not as this package writes them.
func (t *tenant) open() error {
	for _, name := range []string{journalName, oldJournalName} {
		if err := t.replay(filepath.Join(t.folder, name)); err != nil {
			return err
		}
	}
	collections, err := os.ReadDir(t.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var problems []error
	for _, c := range collections {
		if err := t.b.removeTemporary(filepath.Join(t.folder, c.Name())); err != nil {
			return err
		}
		if !c.IsDir() || strings.HasPrefix(c.Name(), ".") {
			continue // not ours
		}
		if err := t.openCollection(filepath.Join(t.folder, c.Name()), &problems); err != nil {
			return err
		}
	}
	if n := len(problems); n > maxProblems {
		problems = append(problems[:maxProblems], fmt.Errorf("and %d more", n-maxProblems))
	}
	return errors.Join(problems...)
}

func (t *tenant) openCollection(folder string, problems *[]error) error {
	name, err := nameOf(folder)
	if err != nil {
		*problems = append(*problems, err)
		return nil
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	var records tree.Records[*entry]
	for _, f := range files {
		path := filepath.Join(folder, f.Name())
		if err := t.b.removeTemporary(path); err != nil { // the first versions had them here
			return err
		}
		if !strings.HasSuffix(f.Name(), ".json") || strings.HasPrefix(f.Name(), ".") {
			continue // not ours, as editors and version control leave
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		r, err := decode(text)
		if err == nil && escape(r.Key)+".json" != f.Name() {
			err = fmt.Errorf("it holds the key %.80q, whose file is %s.json", r.Key, escape(r.Key))
		}
		if err != nil {
			key := unescape(strings.TrimSuffix(f.Name(), ".json"))
			*problems = append(*problems, &driver.CorruptError{Collection: name, Key: key, Err: fmt.Errorf("%s: %w", path, err)})
			continue
		}
		records = records.Set(tree.Entry[*entry]{Key: r.Key, Attrs: r.Attrs, Value: &entry{path: path, revision: r.Revision}})
	}
	t.state = t.state.Set(name, records)
	return nil
}

// removeTemporary removes a file that a crash has left.
func (b *Backend) removeTemporary(path string) error {
	if b.readOnly || !strings.HasPrefix(filepath.Base(path), tmpPrefix) {
		return nil
	}
	return os.Remove(path)
}

// A change is what is to become of a file.
type change struct {
	collection string

	was  *entry // nil if there was none
	is   *entry // nil to remove it
	text []byte // of is
	tmp  string // where text was written
}

// A move is a line of the journal: a rename, or a removal if From is empty. Paths
// are relative to the tenant's folder. Sum is the SHA-256 of the new content.
type move struct {
	From string `json:"from,omitempty"`
	To   string `json:"to"`
	Sum  string `json:"sum,omitempty"`
}

// commit writes all new files into the tenant's folder, then the journal, which is
// the point of no return, then renames.
func (t *tenant) commit(x *tx) (err error) {
	paths := slices.Sorted(maps.Keys(x.changes))
	folders := map[string]bool{}
	var moves []move
	committed := false
	defer func() {
		if err == nil || committed {
			return
		}
		for _, c := range x.changes {
			if c.tmp != "" {
				_ = os.Remove(c.tmp) // left behind, it is removed when the tenant is opened
			}
		}
	}()
	for _, path := range paths {
		c := x.changes[path]
		folder := filepath.Dir(path)
		if !folders[folder] {
			folders[folder] = true
			if err := t.mkdir(folder, c.collection); err != nil {
				return err
			}
		}
		to, _ := filepath.Rel(t.folder, path)
		if c.is == nil {
			if c.was != nil {
				moves = append(moves, move{To: to})
			}
			continue
		}
		t.serial++
		from := fmt.Sprintf("%s%d", tmpPrefix, t.serial)
		c.tmp = filepath.Join(t.folder, from)
		if err := t.b.write(c.tmp, c.text); err != nil {
			return err
		}
		moves = append(moves, move{from, to, sum(c.text)})
	}
	// Those who look at the state before need what goes away now.
	for _, c := range x.changes {
		if c.was != nil && c.was.data.Load() == nil {
			r, err := c.was.read()
			if err != nil {
				return err
			}
			c.was.data.Store(&r)
		}
	}
	// The new files are there for the journal, and the journal of the last commit is
	// gone.
	if err := t.b.syncFolders(map[string]bool{t.folder: true}); err != nil {
		return err
	}
	journal := filepath.Join(t.folder, journalName)
	if len(moves) > 1 {
		text, err := json.Marshal(moves)
		if err != nil {
			return err
		}
		if err := t.b.replace(journal, text); err != nil {
			return err
		}
		if err := t.b.syncFolders(map[string]bool{t.folder: true}); err != nil {
			// It may be on the disk or not.
			t.broken = err
			committed = true
			return err
		}
	}
	committed = true
	if err := t.carryOut(moves); err != nil {
		t.broken = err
		return err
	}
	if len(moves) > 1 {
		if err := os.Remove(journal); err != nil {
			t.broken = err
			return err
		}
	}
	for _, c := range x.changes {
		if c.is != nil {
			c.is.data.Store(nil) // the file is in its place
		}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state = x.state
	return nil
}

// carryOut makes the moves, as far as they were not made before a crash.
func (t *tenant) carryOut(moves []move) error {
	folders := map[string]bool{}
	for _, m := range moves {
		to := filepath.Join(t.folder, m.To)
		folders[filepath.Dir(to)] = true
		var err error
		if m.From == "" {
			err = os.Remove(to)
		} else {
			err = os.Rename(filepath.Join(t.folder, m.From), to)
		}
		if errors.Is(err, fs.ErrNotExist) {
			err = m.made(to)
		}
		if err != nil {
			return err
		}
	}
	return t.b.syncFolders(folders)
}

// made looks that a move was made for which there is nothing to move any more.
func (m move) made(to string) error {
	if m.From == "" {
		return nil
	}
	text, err := os.ReadFile(to)
	if err == nil && m.Sum != "" && m.Sum != sum(text) { // the first versions wrote none
		err = errors.New("there is another one")
	}
	if err != nil {
		return fmt.Errorf("the new content of %s is lost: %v", to, err)
	}
	return nil
}

func sum(text []byte) string { return fmt.Sprintf("%x", sha256.Sum256(text)) }

// replay carries out the journal of a process that did not come to it.
func (t *tenant) replay(name string) error {
	if info, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) || err == nil && info.IsDir() {
		return nil // of the old name, a folder is a collection
	}
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	if t.b.readOnly {
		return fmt.Errorf("%w: %s must be carried out first", driver.ErrReadOnly, name)
	}
	var moves []move
	if err := json.Unmarshal(text, &moves); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	for _, m := range moves {
		if !filepath.IsLocal(m.To) || m.From != "" && !filepath.IsLocal(m.From) {
			return fmt.Errorf("%s: %q or %q leads out of the folder", name, m.From, m.To)
		}
	}
	if err := t.carryOut(moves); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.Remove(name)
}

// write writes a new file.
func (b *Backend) write(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil && !b.opts.NoSync {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// replace writes a file in the place of another.
func (b *Backend) replace(path string, text []byte) error {
	tmp := filepath.Join(filepath.Dir(path), tmpPrefix+filepath.Base(path))
	err := b.write(tmp, text)
	if err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		_ = os.Remove(tmp) // a next try overwrites it
	}
	return err
}

// mkdir makes the folder of a collection, and says in it and in the tenant's what
// they stand for if their names do not.
func (t *tenant) mkdir(folder, collection string) error {
	if err := t.b.mkdir(folder); err != nil {
		return err
	}
	for folder, name := range map[string]string{t.folder: t.name, folder: collection} {
		file := filepath.Join(folder, nameFile)
		if _, err := os.Stat(file); err == nil || !strings.Contains(filepath.Base(folder), "~") {
			continue
		}
		if err := t.b.replace(file, []byte(name)); err != nil {
			return err
		}
		if err := t.b.syncFolders(map[string]bool{folder: true}); err != nil {
			return err
		}
	}
	return nil
}

// mkdir makes a folder and those above it durable.
func (b *Backend) mkdir(folder string) error {
	if _, err := os.Stat(folder); err == nil {
		return nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	above := map[string]bool{}
	for f := folder; f != b.root && len(f) > len(b.root); f = filepath.Dir(f) {
		above[filepath.Dir(f)] = true
	}
	return b.syncFolders(above)
}

func (b *Backend) syncFolders(folders map[string]bool) error {
	if b.opts.NoSync {
		return nil
	}
	for _, f := range slices.Sorted(maps.Keys(folders)) {
		if err := syncFolder(f); err != nil {
			return err
		}
	}
	return nil
}

// read returns the content of the revision.
func (e *entry) read() ([]byte, error) {
	if p := e.data.Load(); p != nil {
		return *p, nil
	}
	text, err := os.ReadFile(e.path)
	var r driver.Record
	if err == nil {
		if r, err = decode(text); err == nil && r.Revision == e.revision {
			return r.Data, nil
		}
	}
	// It was replaced after the look at e.data, and then e.data was set before.
	if p := e.data.Load(); p != nil {
		return *p, nil
	}
	if err == nil {
		err = fmt.Errorf("%s was changed behind the back of the store: expected revision %d, found %d", e.path, e.revision, r.Revision)
	}
	return nil, err
}

type tx struct {
	t        *tenant
	state    state
	readOnly bool
	changes  map[string]*change // by path
}

func record(collection string, e tree.Entry[*entry]) (driver.Record, error) {
	data, err := e.Value.read()
	_, ofSystem := errors.AsType[*fs.PathError](err)
	if gone := errors.Is(err, fs.ErrNotExist); gone || err != nil && !ofSystem {
		// That a file is gone must not look like a record that never was.
		err = &driver.CorruptError{Collection: collection, Key: e.Key, Err: errors.New(err.Error())}
	}
	return driver.Record{Key: e.Key, Revision: e.Value.revision, Attrs: slices.Clone(e.Attrs), Data: slices.Clone(data)}, err
}

func (x *tx) records(collection string) tree.Records[*entry] {
	c, _ := x.state.Get(collection)
	return c
}

func (x *tx) Get(ctx context.Context, collection, key string) (driver.Record, error) {
	if err := ctx.Err(); err != nil {
		return driver.Record{}, err
	}
	e, ok := x.records(collection).Get(key)
	if !ok {
		return driver.Record{}, driver.ErrNotFound
	}
	return record(collection, e)
}

// change checks the revision and notes what is to become of a file.
func (x *tx) change(ctx context.Context, collection, key string, revision int64) (*change, string, error) {
	if err := ctx.Err(); err != nil {
		return nil, "", err
	}
	if x.readOnly {
		return nil, "", driver.ErrReadOnly
	}
	e, ok := x.records(collection).Get(key)
	switch {
	case !ok && revision != 0, ok && e.Value.revision != revision:
		return nil, "", driver.ErrConflict
	}
	path := filepath.Join(x.t.folder, escape(collection), escape(key)+".json")
	c := x.changes[path]
	if c == nil {
		c = &change{collection: collection, was: e.Value}
	}
	return c, path, nil
}

func (x *tx) Put(ctx context.Context, collection string, was, r driver.Record) error {
	c, path, err := x.change(ctx, collection, r.Key, was.Revision)
	if err != nil {
		return err
	}
	text, err := encode(r)
	if err != nil {
		return err
	}
	data := slices.Clone(r.Data)
	c.is, c.text = &entry{path: path, revision: r.Revision}, text
	c.is.data.Store(&data)
	x.changes[path] = c
	x.state = x.state.Set(collection, x.records(collection).Set(tree.Entry[*entry]{Key: r.Key, Attrs: slices.Clone(r.Attrs), Value: c.is}))
	return nil
}

func (x *tx) Delete(ctx context.Context, collection string, was driver.Record) error {
	c, path, err := x.change(ctx, collection, was.Key, was.Revision)
	if err != nil {
		return err
	}
	c.is, c.text = nil, nil
	x.changes[path] = c
	x.state = x.state.Set(collection, x.records(collection).Delete(was.Key))
	return nil
}

func (x *tx) Scan(ctx context.Context, collection string, q driver.Query) iter.Seq2[driver.Record, error] {
	records := x.records(collection)
	return func(yield func(driver.Record, error) bool) {
		if err := ctx.Err(); err != nil {
			yield(driver.Record{}, err)
			return
		}
		for value, e := range records.Scan(q) {
			r, err := record(collection, e)
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(driver.Record{}, err)
				return
			}
			r.Value = value
			if q.NoAttrs {
				r.Attrs = nil
			}
			if !yield(r, nil) {
				return
			}
		}
	}
}

func (x *tx) Collections(ctx context.Context) ([]string, error) {
	return tree.Collections(x.state), ctx.Err()
}
