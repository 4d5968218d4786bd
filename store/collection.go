package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/issokit/issokit/store/driver"
)

// CollectionOptions configure [NewCollection]; nil means the defaults.
type CollectionOptions[T any] struct {
	// Attrs declares what records can be searched and ordered by: names, as those
	// of collections, and for each the values of a record. A record without values
	// is not found by the attribute. Values are compared as strings, byte by byte:
	// see [NumberValue], [FloatValue] and [TimeValue]. At most 32 names, 512 bytes a
	// value, 4,096 values a record. After a change to the declarations,
	// [Collection.Reindex] brings the stored records up to date.
	Attrs map[string]func(T) []string

	Codec *Codec[T] // default: encoding/json that refuses unknown members

	// Version is the version of the content's form; default 0. What was stored with
	// a lower one goes through Upgrade when it is read, version by version, and is
	// written back with the next change. A higher one is refused with
	// [ErrNewerSchema].
	Version int
	Upgrade func(from int, content []byte) ([]byte, error) // to version from + 1; the key stays the same

	// Keep bounds the history: how many versions of a record keep their content,
	// the current one included; default 0 is all. KeepFor bounds it by the time
	// since a version was replaced. The audit trail itself loses nothing: it keeps
	// the digests.
	Keep    int
	KeepFor time.Duration

	// LogReads makes an entry of the audit trail for every record that is read, by
	// any method of a Collection, also of those that the program has declared without
	// it under the same name in the same Store. Such a collection cannot be read in a
	// View. What a program reads that does not declare it, and what
	// [Scope.Export] or somebody with the database itself reads, makes no entry.
	LogReads bool
}

// A Collection keeps values of type T under unique keys, with their history. It
// is safe for concurrent use unless it belongs to a transaction.
//
// The methods work each in a transaction of its own, or in the one of [Collection.In].
// Errors are of type [*Error] and match the errors of this package.
type Collection[T any] struct {
	scope *Scope
	name  string
	key   func(T) string
	opts  CollectionOptions[T]
	attrs []string
	err   error // in the declaration
}

// NewCollection returns a collection of a scope: records of type T whose key is
// key(v). Its name is a lower-case letter followed by at most 63 of a-z 0-9 - _
// and dot. A mistake in the declaration is reported by every method, as
// [ErrInvalid].
//
// Keys have 1 to 512 bytes, UTF-8 without control characters.
func NewCollection[T any](s *Scope, name string, key func(T) string, opts *CollectionOptions[T]) *Collection[T] {
	c := &Collection[T]{scope: s, name: name, key: key}
	if opts != nil {
		c.opts = *opts
	}
	if c.opts.Codec == nil {
		c.opts.Codec = jsonCodec[T]()
	}
	c.attrs = slices.Sorted(maps.Keys(c.opts.Attrs))
	c.err = checkName("a collection", name)
	for _, a := range c.attrs {
		c.err = errors.Join(c.err, checkName("an attribute", a))
	}
	if len(c.attrs) > maxAttrs {
		c.err = errors.Join(c.err, invalid("%d attributes are declared, at most %d are allowed", len(c.attrs), maxAttrs))
	}
	if c.opts.LogReads && c.err == nil {
		s.store.logged.Store(name, true)
	}
	if c.opts.Version < 0 {
		c.err = errors.Join(c.err, invalid("version %d is negative", c.opts.Version))
	}
	return c
}

// Name returns the name of the collection.
func (c *Collection[T]) Name() string { return c.name }

// In returns the collection as a part of a transaction.
func (c *Collection[T]) In(tx *Tx) *Collection[T] { return c.For(tx.Scope()) }

// For returns the collection as seen by another principal.
func (c *Collection[T]) For(s *Scope) *Collection[T] {
	d := *c
	d.scope = s
	return &d
}

// Versioned is a value with what the audit trail knows of it.
type Versioned[T any] struct {
	Value    T // zero if there is none: after a delete or an erasure
	Key      string
	Revision int64 // rises with every write, also over a delete
	Time     time.Time
	Actor    string
	Reason   string
	Action   Action
	Seq      int64  // of the entry in the audit trail
	Content  Digest // of the content as it is stored
	Erased   bool   // the content was erased
}

// error wraps what is not wrapped yet.
func (c *Collection[T]) error(op, key string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	if errors.Is(err, driver.ErrNotFound) && !errors.Is(err, ErrNotFound) {
		err = ErrNotFound
	}
	return &Error{op, c.scope.p.Tenant, c.name, key, err}
}

// run is what every method goes through.
func (c *Collection[T]) run(ctx context.Context, op, key string, write bool, fn func(*Tx) error) error {
	if c.err != nil {
		return c.error(op, key, c.err)
	}
	return c.error(op, key, c.scope.in(ctx, write, func(tx *Tx) error {
		if write && !tx.write {
			return ErrReadOnly
		}
		return c.error(op, key, fn(tx))
	}))
}

// stored returns a record as it is now. The zero Record means that there is none.
func (tx *Tx) stored(ctx context.Context, collection, key string) (driver.Record, line, error) {
	r, err := tx.d.Get(ctx, collection, key)
	if errors.Is(err, driver.ErrNotFound) {
		return driver.Record{}, line{}, nil
	}
	if err != nil {
		return driver.Record{}, line{}, err
	}
	l, err := parseRecord(collection, r)
	return r, l, err
}

// parseRecord reads the line of a record and looks that it is that record's.
func parseRecord(collection string, r driver.Record) (line, error) {
	l, err := parseLine(r.Data)
	switch e := l.entry; {
	case err != nil:
		return l, err
	case e.Collection != collection || e.Key != r.Key || e.Revision != r.Revision:
		return l, corrupt("revision %d of %s %q holds what belongs to revision %d of %s %q", r.Revision, collection, r.Key, e.Revision, e.Collection, e.Key)
	case l.erased():
		return l, ErrErased
	case l.payload != nil && sha256.Sum256(l.payload) != e.Content:
		return l, corrupt("the content does not fit its digest %v", e.Content)
	}
	return l, nil
}

// last returns the last entry that speaks of a record, and is no read. The zero
// Entry means that none does.
func (tx *Tx) last(ctx context.Context, collection, key string) (Entry, error) {
	q := trailOf(collection, key)
	q.Limit, q.NoAttrs = 1, true
	for r, err := range tx.d.Scan(ctx, auditCollection, q) {
		if err != nil {
			return Entry{}, err
		}
		l, err := parseLine(r.Data)
		return l.entry, err
	}
	return Entry{}, nil
}

// lastRevision returns the last revision that a record which is not there now
// ever had.
func (tx *Tx) lastRevision(ctx context.Context, collection, key string) (int64, error) {
	e, err := tx.last(ctx, collection, key)
	return e.Revision, err
}

// trailOf selects the entries of one record, the newest first.
func trailOf(collection, key string) driver.Query {
	return driver.Query{Desc: true, Where: []driver.Cond{{Attr: recordAttr, In: []string{recordName(collection, key)}}}}
}

// Get returns a value, or [ErrNotFound].
func (c *Collection[T]) Get(ctx context.Context, key string) (T, error) {
	v, err := c.load(ctx, "get", key)
	return v.Value, err
}

// Load is Get with the revision, and who made it when and why.
func (c *Collection[T]) Load(ctx context.Context, key string) (Versioned[T], error) {
	return c.load(ctx, "load", key)
}

func (c *Collection[T]) load(ctx context.Context, op, key string) (v Versioned[T], err error) {
	if err := checkKey(key); err != nil {
		return v, c.error(op, key, err)
	}
	if g, ok := c.scope.store.backend.(driver.Getter); ok && c.scope.tx == nil && !c.logsReads() {
		return c.get(ctx, g, op, key)
	}
	err = c.run(ctx, op, key, c.logsReads(), func(tx *Tx) error {
		r, l, err := tx.stored(ctx, c.name, key)
		if err != nil {
			return err
		}
		if r.Revision == 0 {
			return ErrNotFound
		}
		if v, err = c.decode(l); err != nil {
			return err
		}
		return c.logRead(ctx, tx, l.entry)
	})
	if err != nil {
		v = Versioned[T]{}
	}
	return v, err
}

// get reads a record without a transaction.
func (c *Collection[T]) get(ctx context.Context, g driver.Getter, op, key string) (v Versioned[T], err error) {
	err = c.err
	if err == nil {
		err = c.scope.p.check()
	}
	if err != nil {
		return v, c.error(op, key, err)
	}
	r, err := g.Get(ctx, c.scope.p.Tenant, c.name, key)
	if err != nil {
		return v, c.error(op, key, err)
	}
	l, err := parseRecord(c.name, r)
	if err == nil {
		v, err = c.decode(l)
	}
	if err != nil {
		return Versioned[T]{}, c.error(op, key, err)
	}
	return v, nil
}

func (c *Collection[T]) logsReads() bool {
	_, logged := c.scope.store.logged.Load(c.name)
	return logged
}

func (c *Collection[T]) logRead(ctx context.Context, tx *Tx, e Entry) error {
	if !c.logsReads() {
		return nil
	}
	_, err := tx.log(ctx, c.scope, Entry{Action: ActionRead, Collection: e.Collection, Key: e.Key, Revision: e.Revision}, nil)
	return err
}

// decode makes a value of a line.
func (c *Collection[T]) decode(l line) (Versioned[T], error) {
	e := l.entry
	v := Versioned[T]{
		Key: e.Key, Revision: e.Revision, Time: e.Time, Actor: e.Actor, Reason: e.Reason,
		Action: e.Action, Seq: e.Seq, Content: e.Content, Erased: l.erased(),
	}
	if l.payload == nil {
		return v, nil
	}
	data := l.payload
	if e.Schema > c.opts.Version {
		return v, fmt.Errorf("%w: content of version %d, this program knows up to %d", ErrNewerSchema, e.Schema, c.opts.Version)
	}
	for from := e.Schema; from < c.opts.Version; from++ {
		if c.opts.Upgrade == nil {
			return v, invalid("content of version %d, and no Upgrade to %d", from, c.opts.Version)
		}
		var err error
		if data, err = c.opts.Upgrade(from, slices.Clone(data)); err != nil {
			return v, fmt.Errorf("upgrade from version %d: %w", from, err)
		}
	}
	if err := c.opts.Codec.Unmarshal(data, &v.Value); err != nil {
		return v, fmt.Errorf("content of revision %d: %w", e.Revision, err)
	}
	if key := c.key(v.Value); key != e.Key {
		return v, invalid("the content of revision %d has the key %.80q: neither an Upgrade nor another type may change it", e.Revision, key)
	}
	return v, nil
}

// What a write expects to find.
const (
	whatever = -1 // or a revision, or 0 for no record
)

// Create stores a new value. If there is one with its key, the error is
// [ErrExists].
func (c *Collection[T]) Create(ctx context.Context, v T) error {
	_, err := c.put(ctx, "create", v, 0)
	if errors.Is(err, ErrConflict) {
		err = &Error{"create", c.scope.p.Tenant, c.name, c.key(v), ErrExists}
	}
	return err
}

// Put stores a value whatever is there: the last writer wins. It is for imports;
// what was read, changed and is written back goes through [Collection.Swap].
func (c *Collection[T]) Put(ctx context.Context, v T) error {
	_, err := c.put(ctx, "put", v, whatever)
	return err
}

// Swap replaces the value with the given revision, 0 for none, and returns the
// new revision. If another one is there, or none, the error is [ErrConflict]: of
// two who have read the same revision, one wins.
func (c *Collection[T]) Swap(ctx context.Context, v T, revision int64) (int64, error) {
	if revision < 0 {
		return 0, c.error("swap", c.key(v), invalid("revision %d is negative", revision))
	}
	return c.put(ctx, "swap", v, revision)
}

func (c *Collection[T]) put(ctx context.Context, op string, v T, revision int64) (int64, error) {
	key := c.key(v)
	if err := checkKey(key); err != nil {
		return 0, c.error(op, key, err)
	}
	if c.err != nil {
		return 0, c.error(op, key, c.err)
	}
	content, err := c.encode(v)
	if err != nil {
		return 0, c.error(op, key, err)
	}
	attrs, err := c.values(v)
	if err != nil {
		return 0, c.error(op, key, err)
	}
	e := Entry{Action: ActionPut, Collection: c.name, Key: key, Schema: c.opts.Version, Content: sha256.Sum256(content)}
	err = c.run(ctx, op, key, true, func(tx *Tx) error {
		was, wasLine, err := tx.stored(ctx, c.name, key)
		if err != nil && !errors.Is(err, ErrErased) {
			return err
		}
		if err := expect(was, wasLine, revision); err != nil {
			return err
		}
		last := was.Revision
		if last == 0 {
			if last, err = tx.lastRevision(ctx, c.name, key); err != nil {
				return err
			}
		}
		e.Revision = last + 1
		l, err := tx.log(ctx, c.scope, e, content)
		if err != nil {
			return err
		}
		if err := tx.put(ctx, c.name, was, driver.Record{Key: key, Revision: e.Revision, Attrs: attrs, Data: l.bytes()}); err != nil {
			return err
		}
		return tx.broken(c.forget(ctx, tx, l.entry))
	})
	if err != nil {
		return 0, err
	}
	return e.Revision, nil
}

// expect compares what is there with what a write expects.
func expect(was driver.Record, l line, revision int64) error {
	switch {
	case revision > 0 && was.Revision == 0:
		return fmt.Errorf("%w: %w, expected revision %d", ErrConflict, ErrNotFound, revision)
	case revision != whatever && was.Revision != revision:
		return fmt.Errorf("%w: expected revision %d, found %d", ErrConflict, revision, was.Revision)
	case l.entry.Action == ActionSeal:
		return ErrSealed
	}
	return nil
}

func (c *Collection[T]) encode(v T) ([]byte, error) {
	data, err := c.opts.Codec.Marshal(v)
	if err != nil {
		return nil, err
	}
	if limit := c.scope.store.opts.MaxRecord; len(data) > limit {
		return nil, fmt.Errorf("%w: the content has %d bytes, at most %d are allowed", ErrTooLarge, len(data), limit)
	}
	data, err = canonical(data)
	if limit := c.scope.store.opts.MaxRecord; err == nil && len(data) > limit {
		return nil, fmt.Errorf("%w: the canonical form of the content has %d bytes, at most %d are allowed", ErrTooLarge, len(data), limit)
	}
	return data, err
}

// values returns the attributes of a value, sorted.
func (c *Collection[T]) values(v T) ([]driver.Attr, error) {
	var attrs []driver.Attr
	for _, name := range c.attrs {
		values := c.opts.Attrs[name](v)
		if len(values) > 1 {
			values = slices.Compact(slices.Sorted(slices.Values(values)))
		}
		for _, value := range values {
			if err := checkValue(name, value); err != nil {
				return nil, err
			}
			attrs = append(attrs, driver.Attr{Name: name, Value: value})
		}
	}
	if len(attrs) > maxValues {
		return nil, fmt.Errorf("%w: %d attribute values, at most %d are allowed", ErrTooLarge, len(attrs), maxValues)
	}
	return attrs, nil
}

func checkValue(name, value string) error {
	switch {
	case len(value) > maxAttrValue:
		return fmt.Errorf("%w: a value of attribute %s has %d bytes, at most %d are allowed", ErrTooLarge, name, len(value), maxAttrValue)
	case !utf8.ValidString(value) || strings.IndexByte(value, 0) >= 0:
		return invalid("the value %.80q of attribute %s is not UTF-8 without NUL", value, name)
	}
	return nil
}

// Delete removes the value with the given revision. Its history stays, and a new
// value with its key goes on counting. The error is [ErrConflict] if another
// revision is there, [ErrNotFound] if none is.
func (c *Collection[T]) Delete(ctx context.Context, key string, revision int64) error {
	return c.change(ctx, "delete", key, revision, func(tx *Tx, was driver.Record, _ line) error {
		e := Entry{Action: ActionDelete, Collection: c.name, Key: key, Revision: was.Revision}
		if _, err := tx.log(ctx, c.scope, e, nil); err != nil {
			return err
		}
		return tx.remove(ctx, c.name, was)
	})
}

// Seal closes the value with the given revision for ever: all changes fail with
// [ErrSealed]. A correction is a new record that names the old one. Sealing is a
// write: it makes a new revision of the same content.
func (c *Collection[T]) Seal(ctx context.Context, key string, revision int64) error {
	return c.change(ctx, "seal", key, revision, func(tx *Tx, was driver.Record, l line) error {
		e := Entry{Action: ActionSeal, Collection: c.name, Key: key, Revision: was.Revision + 1, Schema: l.entry.Schema, Content: l.entry.Content}
		l, err := tx.log(ctx, c.scope, e, l.payload)
		if err != nil {
			return err
		}
		return tx.put(ctx, c.name, was, driver.Record{Key: key, Revision: e.Revision, Attrs: was.Attrs, Data: l.bytes()})
	})
}

// change runs fn on a record that must be there.
func (c *Collection[T]) change(ctx context.Context, op, key string, revision int64, fn func(*Tx, driver.Record, line) error) error {
	if err := checkKey(key); err != nil {
		return c.error(op, key, err)
	}
	return c.run(ctx, op, key, true, func(tx *Tx) error {
		was, l, err := tx.stored(ctx, c.name, key)
		switch {
		case err != nil:
			return err
		case was.Revision == 0:
			return ErrNotFound
		case revision <= 0:
			return invalid("revision %d: a revision is at least 1", revision)
		}
		if err := expect(was, l, revision); err != nil {
			return err
		}
		return fn(tx, was, l)
	})
}

// Reindex computes the attributes of all records anew, for instance after a new
// one was declared or records were imported, and returns how many changed. It
// makes no revisions.
func (c *Collection[T]) Reindex(ctx context.Context) (changed int, err error) {
	return c.reindex(ctx, "reindex", true)
}

// CheckIndex is a Reindex that changes nothing: it returns how many records have
// other attributes than the declarations give them, and so are not found by what
// they hold, or found by what they do not. In a collection that was reindexed
// after the last change to its declarations, somebody else has made them so:
// attributes are not in the audit trail, since they can be made anew.
func (c *Collection[T]) CheckIndex(ctx context.Context) (wrong int, err error) {
	return c.reindex(ctx, "check the index of", false)
}

func (c *Collection[T]) reindex(ctx context.Context, op string, write bool) (changed int, err error) {
	q := driver.Query{Limit: pageSize}
	for {
		n := 0
		batch := 0 // of this page, in case the transaction runs again
		var last driver.Position
		err := c.run(ctx, op, "", write, func(tx *Tx) error {
			n, batch = 0, 0
			for r, err := range tx.d.Scan(ctx, c.name, q) {
				if err != nil {
					return err
				}
				attrs, err := c.attrsOf(r)
				if err != nil {
					return &Error{op, c.scope.p.Tenant, c.name, r.Key, err}
				}
				if !slices.Equal(attrs, r.Attrs) {
					batch++
					if write {
						fresh := r
						fresh.Attrs = attrs
						if err := tx.put(ctx, c.name, r, fresh); err != nil {
							return err
						}
					}
				}
				n++
				last = driver.Position{Key: r.Key}
			}
			return nil
		})
		if err != nil {
			return changed, err
		}
		changed += batch
		if n < pageSize {
			return changed, nil
		}
		q.After = last
	}
}

// attrsOf returns the attributes that a record should have.
func (c *Collection[T]) attrsOf(r driver.Record) ([]driver.Attr, error) {
	l, err := parseRecord(c.name, r)
	if err != nil {
		return nil, err
	}
	v, err := c.decode(l)
	if err != nil {
		return nil, err
	}
	return c.values(v.Value)
}
