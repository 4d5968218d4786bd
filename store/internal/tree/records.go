package tree

import (
	"iter"
	"slices"
	"strings"

	"github.com/issokit/issokit/store/driver"
)

// Records is an immutable collection of values of type E with their attributes,
// as a back end keeps it in memory. The zero value is empty.
type Records[E any] struct {
	all   Map[Entry[E]]
	index Map[struct{}] // attribute NUL value NUL key
}

// Entry is a value with what queries look at.
type Entry[E any] struct {
	Key   string
	Attrs []driver.Attr
	Value E
}

// Len returns the number of entries.
func (c Records[E]) Len() int { return c.all.Len() }

// Collections returns the names of those collections that are not empty, sorted.
func Collections[E any](m Map[Records[E]]) []string {
	var names []string
	for name, c := range m.Up("", "") {
		if c.Len() > 0 {
			names = append(names, name)
		}
	}
	return names
}

// Get returns the entry of a key.
func (c Records[E]) Get(key string) (Entry[E], bool) { return c.all.Get(key) }

// NUL cannot be part of a name, value or key, and is before all else: the order
// of these strings is that of (attribute, value, key).
func indexKey(a driver.Attr, key string) string { return a.Name + "\x00" + a.Value + "\x00" + key }

// Set returns the records with an entry added or replaced.
func (c Records[E]) Set(e Entry[E]) Records[E] {
	old, _ := c.all.Get(e.Key)
	gone, fresh := driver.SplitAttrs(old.Attrs, e.Attrs)
	for _, a := range gone {
		c.index = c.index.Delete(indexKey(a, e.Key))
	}
	for _, a := range fresh {
		c.index = c.index.Set(indexKey(a, e.Key), struct{}{})
	}
	c.all = c.all.Set(e.Key, e)
	return c
}

// Delete returns the records without a key.
func (c Records[E]) Delete(key string) Records[E] {
	old, _ := c.all.Get(key)
	for _, a := range old.Attrs {
		c.index = c.index.Delete(indexKey(a, key))
	}
	c.all = c.all.Delete(key)
	return c
}

// Scan yields the entries that match a query, in its order, each with the value
// of OrderBy by which it comes.
func (c Records[E]) Scan(q driver.Query) iter.Seq2[string, Entry[E]] {
	return func(yield func(string, Entry[E]) bool) {
		n := 0
		for value, e := range c.candidates(q) {
			if !matches(e.Key, e.Attrs, q) {
				continue
			}
			if q.OrderBy == "" {
				value = ""
			}
			if !yield(value, e) {
				return
			}
			if n++; n == q.Limit {
				return
			}
		}
	}
}

func matches(key string, attrs []driver.Attr, q driver.Query) bool {
	if key < q.KeyFrom || q.KeyTo != "" && key >= q.KeyTo {
		return false
	}
	for _, c := range q.Where {
		if c.Attr == q.OrderBy {
			continue // candidates has chosen the values
		}
		ok := false
		for _, a := range attrs {
			ok = ok || a.Name == c.Attr && c.Match(a.Value)
		}
		if !ok {
			return false
		}
	}
	return true
}

// candidates yields in order all that may match.
func (c Records[E]) candidates(q driver.Query) iter.Seq2[string, Entry[E]] {
	if q.OrderBy != "" {
		return c.byAttr(q)
	}
	for _, cond := range q.Where {
		if len(cond.In) == 1 { // the keys of one value are in order
			narrow := driver.Query{OrderBy: cond.Attr, Where: []driver.Cond{cond}, Desc: q.Desc}
			if !q.After.IsZero() {
				narrow.After = driver.Position{Value: cond.In[0], Key: q.After.Key}
			}
			return c.byAttr(narrow)
		}
	}
	from, to := q.KeyFrom, q.KeyTo
	switch {
	case q.After.IsZero():
	case !q.Desc:
		from = max(from, q.After.Key+"\x00")
	case to == "":
		to = q.After.Key
	default:
		to = min(to, q.After.Key)
	}
	return func(yield func(string, Entry[E]) bool) {
		seq := c.all.Up(from, to)
		if q.Desc {
			seq = c.all.Down(from, to)
		}
		for _, e := range seq {
			if !yield("", e) {
				return
			}
		}
	}
}

// byAttr yields the entries that have the attribute of the order, by value and
// key, if the conditions on it match.
func (c Records[E]) byAttr(q driver.Query) iter.Seq2[string, Entry[E]] {
	prefix := q.OrderBy + "\x00"
	from, to := prefix, q.OrderBy+"\x01"
	var conds []driver.Cond
	for _, cond := range q.Where {
		if cond.Attr != q.OrderBy {
			continue
		}
		conds = append(conds, cond)
		lo, hi := cond.From, cond.To
		if len(cond.In) == 1 {
			lo, hi = cond.In[0], cond.In[0]+"\x01"
		}
		from = max(from, prefix+lo)
		if hi != "" {
			to = min(to, prefix+hi)
		}
	}
	if !q.After.IsZero() {
		at := indexKey(driver.Attr{Name: q.OrderBy, Value: q.After.Value}, q.After.Key)
		if q.Desc {
			to = min(to, at)
		} else {
			from = max(from, at+"\x00")
		}
	}
	return func(yield func(string, Entry[E]) bool) {
		seq := c.index.Up(from, to)
		if q.Desc {
			seq = c.index.Down(from, to)
		}
		for k := range seq {
			value, key, _ := strings.Cut(k[len(prefix):], "\x00")
			if slices.ContainsFunc(conds, func(c driver.Cond) bool { return !c.Match(value) }) {
				continue
			}
			e, _ := c.all.Get(key)
			if !yield(value, e) {
				return
			}
		}
	}
}
