// Package driver is the interface between package store and a back end. Who
// keeps records in a database of an own kind implements [Backend] and [Tx], and
// proves it with package store/storetest; programs use package store.
//
// A back end keeps records: a key, a revision, attributes to search by, and
// opaque bytes. It knows neither history nor audit trail nor payloads: package
// store makes records of them, in collections whose names begin with "~".
package driver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
)

// The errors that a back end returns, wrapped or bare. Every other error goes
// to the caller as it is.
var (
	ErrNotFound    = errors.New("no such record")
	ErrConflict    = errors.New("the record was changed by another")
	ErrReadOnly    = errors.New("read-only")
	ErrBusy        = errors.New("another update of the tenant did not end in time")
	ErrRetry       = errors.New("the transaction was rolled back by the database, and can be run again")
	ErrNewerSchema = errors.New("written by a newer version")
	ErrNoStore     = errors.New("there is no store of this version")
	ErrCorrupt     = errors.New("the stored bytes are not what this package writes")
)

// A CorruptError is the error of a record that the back end cannot read, because
// something else has written to its place. It matches [ErrCorrupt].
type CorruptError struct {
	Collection, Key string // Key is "" if it is what cannot be read
	Err             error
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("%s %.80q: %v: %v", e.Collection, e.Key, ErrCorrupt, e.Err)
}

func (e *CorruptError) Unwrap() []error { return []error{ErrCorrupt, e.Err} }

// A Backend keeps the records of tenants. It is safe for concurrent use, by
// several processes too if its documentation says so.
type Backend interface {
	// View runs fn on a consistent snapshot of a tenant's records: fn sees no
	// change that is committed after it began. Put and Delete on the Tx fail with
	// ErrReadOnly. View must not wait for an Update or another View, nor an
	// Update for a View.
	View(ctx context.Context, tenant string, fn func(Tx) error) error

	// Update runs fn and commits if it returns nil. On an error, on a panic and if
	// ctx ends before the commit, nothing of it is left. Updates of one tenant
	// behave as if run one after another: an Update that waits for another longer
	// than the back end allows fails with ErrBusy. When Update returns nil, the
	// changes are as durable as the back end makes them.
	//
	// A back end whose database rolled the transaction back for the sake of another
	// returns an error that wraps ErrRetry; it does not run fn twice itself.
	Update(ctx context.Context, tenant string, fn func(Tx) error) error

	// Close releases what the back end itself has opened, when what is being
	// committed is. A back end whose place another process can open then writes
	// nothing more.
	Close() error
}

// A Getter is a back end that reads a single record without a View around it. It
// is an ability that a back end may have beside its methods, for speed.
type Getter interface {
	// Get returns a record as it was last committed, or ErrNotFound.
	Get(ctx context.Context, tenant, collection, key string) (Record, error)
}

// A Lister is a back end that knows whose records it keeps. It is an ability that
// a back end may have beside its methods, for those who look after all tenants.
type Lister interface {
	// Tenants returns the tenants that have records, sorted.
	Tenants(ctx context.Context) ([]string, error)
}

// A Tx reads and writes the records of one tenant. It is used by one goroutine
// at a time, and not after the function that got it has returned. A body of a
// Scan may call the other methods.
type Tx interface {
	// Get returns a record, or ErrNotFound.
	Get(ctx context.Context, collection, key string) (Record, error)

	// Put writes r. was is the record that r replaces, as Get returned it in this
	// transaction, or the zero Record if there must be none. If what is there has
	// another revision than was, Put fails with ErrConflict and changes nothing.
	// Back ends use was.Attrs to keep their indexes. r.Revision is at least 1; it
	// may equal was.Revision where only attributes change.
	Put(ctx context.Context, collection string, was, r Record) error

	// Delete removes a record, with the same condition as Put.
	Delete(ctx context.Context, collection string, was Record) error

	// Scan yields the records that match, in the order asked for, strings compared
	// byte by byte. It yields nothing after an error. Records that the body writes
	// may be yielded or not.
	Scan(ctx context.Context, collection string, q Query) iter.Seq2[Record, error]

	// Collections returns the names of the collections that have records, sorted:
	// what a verification must look at, also if nobody ever spoke of it.
	Collections(ctx context.Context) ([]string, error)
}

// An Indexer is a [Tx] of a back end that keeps its index of attributes beside the
// records, where something else can change the one and not the other. It is an
// ability that a Tx may have beside its methods, for verifications.
type Indexer interface {
	// Index yields all that the index of a collection holds, in any order. It yields
	// nothing after an error.
	Index(ctx context.Context, collection string) iter.Seq2[IndexEntry, error]
}

// An IndexEntry says that a record has a value of an attribute.
type IndexEntry struct {
	Attr
	Key string
}

// A Record is what a back end keeps under a collection and a key. Key, attribute
// names and values are valid UTF-8 without NUL. Who gets a Record may keep its
// slices but not change them; a back end that gets one keeps copies.
type Record struct {
	Key      string
	Revision int64
	Attrs    []Attr // sorted, no duplicates
	Data     []byte

	// Value is set by a Scan with OrderBy: the value by which the record came.
	Value string
}

// An Attr is a value under which a record can be found. A record may have
// several values of one name.
type Attr struct {
	Name, Value string
}

// Compare orders attributes by name, then value.
func (a Attr) Compare(b Attr) int {
	return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Value, b.Value))
}

// A Query selects records of a collection. The zero Query selects all, by key.
type Query struct {
	KeyFrom, KeyTo string // KeyFrom <= key < KeyTo; "" is no bound
	Where          []Cond // all of them hold

	// OrderBy is an attribute: the records come by its value, then key, those
	// without it are left out, and one with several values comes once for each. The
	// conditions on that attribute then choose among its values. "" is by key.
	OrderBy string
	Desc    bool     // the whole order is reversed
	After   Position // go on behind this place
	Limit   int      // at most so many; 0 is no limit
	NoAttrs bool     // leave out Record.Attrs, which take time: they are not needed
}

// A Cond is a condition on an attribute: one of its values is in In or, if In is
// nil, is From or behind it and before To. "" is no bound. A record without the
// attribute never matches.
type Cond struct {
	Attr     string
	In       []string
	From, To string
}

// Match tells whether a value fulfils the condition.
func (c Cond) Match(value string) bool {
	if c.In != nil {
		return slices.Contains(c.In, value)
	}
	return value >= c.From && (c.To == "" || value < c.To)
}

// A Position is a place in the order of a query: behind the record with a key
// and, where OrderBy is set, with a value. The zero Position is the start.
type Position struct {
	Value, Key string
}

// IsZero tells whether p is the start.
func (p Position) IsZero() bool { return p == Position{} }

// SplitAttrs returns what distinguishes two sorted lists of attributes: those
// that only a, and those that only b has.
func SplitAttrs(a, b []Attr) (onlyA, onlyB []Attr) {
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Compare(b[0]) < 0:
			onlyA, a = append(onlyA, a[0]), a[1:]
		case len(a) == 0 || a[0].Compare(b[0]) > 0:
			onlyB, b = append(onlyB, b[0]), b[1:]
		default:
			a, b = a[1:], b[1:]
		}
	}
	return onlyA, onlyB
}
