package store

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"slices"

	"github.com/issokit/issokit/store/driver"
)

// A Query selects records of a collection. The zero Query selects all, by key.
type Query struct {
	KeyFrom, KeyTo string // KeyFrom <= key < KeyTo; "" is no bound
	Where          []Cond // all of them hold

	// OrderBy is a declared attribute: the records come by its value, then by key;
	// those without it are left out, and one with several values comes once for
	// each that fulfils the conditions on it. "" is by key.
	OrderBy string
	Desc    bool
}

// A Cond is a condition on a declared attribute: see [Equal], [AnyOf] and
// [Between].
type Cond = driver.Cond

// Equal is fulfilled by records with a value.
func Equal(attr, value string) Cond { return Cond{Attr: attr, In: []string{value}} }

// AnyOf is fulfilled by records with one of the values; without values, by none.
func AnyOf(attr string, values ...string) Cond {
	return Cond{Attr: attr, In: append([]string{}, values...)}
}

// Between is fulfilled by records with a value from <= value < to. "" is no bound.
func Between(attr, from, to string) Cond { return Cond{Attr: attr, From: from, To: to} }

// A Cursor is the place behind the last record of a page. It is opaque, holds
// for the query, the collection and the tenant that it was made for, and stays
// good when records are added or removed. "" is the start, and the end.
type Cursor string

// Page is a part of what a query selects.
type Page[T any] struct {
	Items []Versioned[T]
	Next  Cursor // "" if this was the last page
}

const (
	maxPage   = 1000    // records of a Page
	pageSize  = 256     // records that an iterator reads at once
	pageBytes = 4 << 20 // content that an iterator reads at once
)

func (c *Collection[T]) driverQuery(q Query) (driver.Query, error) {
	check := func(what, s string) error {
		if err := checkValue(what, s); err != nil {
			return err
		}
		return nil
	}
	for _, s := range []string{q.KeyFrom, q.KeyTo} {
		if err := check("key", s); err != nil {
			return driver.Query{}, err
		}
	}
	names := []string{}
	if q.OrderBy != "" {
		names = append(names, q.OrderBy)
	}
	values := 0
	for _, w := range q.Where {
		values += len(w.In)
		names = append(names, w.Attr)
		if len(w.In) > maxValues {
			return driver.Query{}, fmt.Errorf("%w: %d values of attribute %s, at most %d are allowed", ErrTooLarge, len(w.In), w.Attr, maxValues)
		}
		for _, s := range append([]string{w.From, w.To}, w.In...) {
			if err := check(w.Attr, s); err != nil {
				return driver.Query{}, err
			}
		}
	}
	if values > maxQueryValues {
		return driver.Query{}, fmt.Errorf("%w: %d values in all conditions, at most %d are allowed", ErrTooLarge, values, maxQueryValues)
	}
	if len(q.Where) > maxAttrs {
		return driver.Query{}, fmt.Errorf("%w: %d conditions, at most %d are allowed", ErrTooLarge, len(q.Where), maxAttrs)
	}
	for _, n := range names {
		if !slices.Contains(c.attrs, n) {
			return driver.Query{}, invalid("%.80q is not a declared attribute of %s, which has %q", n, c.name, c.attrs)
		}
	}
	return driver.Query{KeyFrom: q.KeyFrom, KeyTo: q.KeyTo, Where: q.Where, OrderBy: q.OrderBy, Desc: q.Desc}, nil
}

// read returns the next records, at most limit, fewer if they are large, and
// whether there may be more behind them.
func (c *Collection[T]) read(ctx context.Context, op, collection string, q driver.Query, limit int, parse func(driver.Record) (line, error)) (items []Versioned[T], last driver.Position, more bool, err error) {
	q.Limit, q.NoAttrs = limit, true
	err = c.run(ctx, op, "", c.logsReads(), func(tx *Tx) error {
		items, more = nil, false
		size, n := 0, 0
		for r, err := range tx.d.Scan(ctx, collection, q) {
			if err != nil {
				return err
			}
			l, err := parse(r)
			if err != nil {
				return &Error{op, c.scope.p.Tenant, c.name, r.Key, err}
			}
			v, err := c.decode(l)
			if err != nil {
				return &Error{op, c.scope.p.Tenant, c.name, r.Key, err}
			}
			if err := c.logRead(ctx, tx, l.entry); err != nil {
				return err
			}
			items = append(items, v)
			last = driver.Position{Value: r.Value, Key: r.Key}
			n++
			if size += len(r.Data); n == limit || size > pageBytes {
				more = true
				return nil
			}
		}
		return nil
	})
	return items, last, more, err
}

// scan yields page by page: while the body runs, no lock and no transaction is
// held but the caller's own.
func (c *Collection[T]) scan(ctx context.Context, op, collection string, q driver.Query, parse func(driver.Record) (line, error)) iter.Seq2[Versioned[T], error] {
	return func(yield func(Versioned[T], error) bool) {
		q := q
		for {
			items, last, more, err := c.read(ctx, op, collection, q, pageSize, parse)
			if err != nil {
				yield(Versioned[T]{}, err)
				return
			}
			for _, v := range items {
				if !yield(v, nil) {
					return
				}
			}
			if !more {
				return
			}
			q.After = last
		}
	}
}

func (c *Collection[T]) parse(r driver.Record) (line, error) { return parseRecord(c.name, r) }

// Query yields the records that a query selects. It streams, and holds nothing
// while the body runs: the body may write. A record that is there throughout
// comes once; one that is added, removed or moved in the order meanwhile may come
// or not. In a transaction, and in a View above all, it sees one state.
//
// After an error it yields nothing more.
func (c *Collection[T]) Query(ctx context.Context, q Query) iter.Seq2[Versioned[T], error] {
	dq, err := c.driverQuery(q)
	if err != nil {
		return func(yield func(Versioned[T], error) bool) { yield(Versioned[T]{}, c.error("query", "", err)) }
	}
	return c.scan(ctx, "query", c.name, dq, c.parse)
}

// All yields all values by key, as [Collection.Query] does.
func (c *Collection[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for v, err := range c.scan(ctx, "all", c.name, driver.Query{}, c.parse) {
			if !yield(v.Value, err) {
				return
			}
		}
	}
}

// Page returns at most limit records that a query selects, behind a cursor. A
// limit that is not in 1 to 1,000 means 1,000; a page of large records may be
// shorter. Pages go by keys, not by offsets: no record that is there throughout
// is skipped or comes twice. A cursor of another query fails with [ErrCursor].
func (c *Collection[T]) Page(ctx context.Context, q Query, after Cursor, limit int) (Page[T], error) {
	dq, err := c.driverQuery(q)
	if err == nil {
		dq.After, err = c.openCursor(q, after)
	}
	if err != nil {
		return Page[T]{}, c.error("page", "", err)
	}
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	items, last, more, err := c.read(ctx, "page", c.name, dq, limit, c.parse)
	if err != nil {
		return Page[T]{}, err
	}
	p := Page[T]{Items: items}
	if more {
		p.Next = c.cursor(q, last)
	}
	return p, nil
}

// A cursor is base64 of: version, digest of tenant, collection and query, length
// of the value, value, key.
const cursorVersion = 1

func (c *Collection[T]) queryDigest(q Query) [8]byte {
	text, _ := json.Marshal([]any{c.scope.p.Tenant, c.name, q}) // strings and booleans only
	sum := sha256.Sum256(text)
	return [8]byte(sum[:8])
}

func (c *Collection[T]) cursor(q Query, at driver.Position) Cursor {
	d := c.queryDigest(q)
	b := append([]byte{cursorVersion}, d[:]...)
	b = binary.AppendUvarint(b, uint64(len(at.Value)))
	b = append(append(b, at.Value...), at.Key...)
	return Cursor(base64.RawURLEncoding.EncodeToString(b))
}

func (c *Collection[T]) openCursor(q Query, cur Cursor) (at driver.Position, err error) {
	if cur == "" {
		return at, nil
	}
	b, err := base64.RawURLEncoding.DecodeString(string(cur))
	d := c.queryDigest(q)
	if err != nil || len(b) < 10 || b[0] != cursorVersion || string(b[1:9]) != string(d[:]) {
		return at, ErrCursor
	}
	n, size := binary.Uvarint(b[9:])
	if size <= 0 || n > uint64(len(b)-9-size) {
		return at, ErrCursor
	}
	rest := string(b[9+size:])
	at = driver.Position{Value: rest[:n], Key: rest[n:]}
	if checkKey(at.Key) != nil || checkValue("", at.Value) != nil {
		return driver.Position{}, ErrCursor
	}
	return at, nil
}
