package store

import (
	"cmp"
	"context"
	"fmt"
	"hash/maphash"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/issokit/issokit/store/driver"
)

// An indexCheck compares the index of a collection with what its records say, of
// whose order and number it keeps nothing: of both it makes the sum of the hashes
// of their entries, with a seed that nobody knows.
type indexCheck struct {
	index      driver.Indexer
	collection string
	hash       maphash.Hash
	sum        uint64
}

// newIndexCheck returns nil if the back end has no index that could differ from its
// records. The methods of a nil check do nothing.
func newIndexCheck(tx *Tx, collection string) *indexCheck {
	index, ok := tx.d.(driver.Indexer)
	if !ok {
		return nil
	}
	return &indexCheck{index: index, collection: collection}
}

// add takes in that a record has attributes.
func (c *indexCheck) add(key string, attrs []driver.Attr) {
	for i := range attrs {
		c.sum += c.of(&attrs[i], key)
	}
}

func (c *indexCheck) of(a *driver.Attr, key string) uint64 {
	c.hash.Reset()                                        // keeps the seed
	for _, s := range [...]string{a.Name, a.Value, key} { // none has a NUL
		_, _ = c.hash.WriteString(s)
		_ = c.hash.WriteByte(0)
	}
	return c.hash.Sum64()
}

// indexError names a record that the index finds by what it does not say, or does
// not find by what it says.
type indexError struct {
	key, why string
}

func (e *indexError) Error() string { return e.why }

// compare looks whether the index is what was added. records are those that were
// added, once more, to name the one that it is wrong about: the error is then an
// [*indexError].
func (c *indexCheck) compare(ctx context.Context, records iter.Seq2[driver.Record, error]) error {
	if c == nil {
		return nil
	}
	var sum uint64
	for e, err := range c.index.Index(ctx, c.collection) {
		if err != nil {
			return err
		}
		sum += c.of(&e.Attr, e.Key)
	}
	if sum == c.sum {
		return nil
	}
	left := map[driver.IndexEntry]bool{}
	for e, err := range c.index.Index(ctx, c.collection) {
		if err != nil {
			return err
		}
		left[e] = true
	}
	for r, err := range records {
		if err != nil {
			return err
		}
		for _, a := range r.Attrs {
			e := driver.IndexEntry{Attr: a, Key: r.Key}
			if !left[e] {
				return &indexError{r.Key, fmt.Sprintf("the index does not find it by its attribute %s %.80q", a.Name, a.Value)}
			}
			delete(left, e)
		}
	}
	byKey := func(a, b driver.IndexEntry) int { return cmp.Or(strings.Compare(a.Key, b.Key), a.Compare(b.Attr)) }
	e := slices.MinFunc(slices.Collect(maps.Keys(left)), byKey)
	return &indexError{e.Key, fmt.Sprintf("the index finds it by the attribute %s %.80q, which it does not have", e.Name, e.Value)}
}
