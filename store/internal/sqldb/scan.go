package sqldb

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/issokit/issokit/store/driver"
)

// A scan reads so many rows, or so many bytes, at once; then the connection is
// free for what the body of the iteration does.
const (
	scanRows  = 500
	scanBytes = 4 << 20
)

// Scan implements [driver.Tx].
func (x *Tx) Scan(ctx context.Context, collection string, q driver.Query) iter.Seq2[driver.Record, error] {
	return func(yield func(driver.Record, error) bool) {
		q := q
		left := q.Limit
		for {
			q.Limit = scanRows
			if left > 0 {
				q.Limit = min(left, scanRows)
			}
			page, more, err := x.page(ctx, collection, q)
			if err != nil {
				yield(driver.Record{}, x.b.classify(ctx, err))
				return
			}
			for _, r := range page {
				if !yield(r, nil) {
					return
				}
				q.After = driver.Position{Value: r.Value, Key: r.Key}
			}
			if left > 0 {
				if left -= len(page); left == 0 {
					return
				}
			}
			if !more {
				return
			}
		}
	}
}

func (x *Tx) page(ctx context.Context, collection string, q driver.Query) (page []driver.Record, more bool, err error) {
	query, args := build(x.tenant, collection, q)
	if query == "" {
		return nil, false, nil
	}
	rows, err := x.query(ctx, query, args...)
	if err != nil {
		return nil, false, err
	}
	defer rows.Close()
	var r driver.Record
	var attrs []byte
	columns := []any{word{&r.Key, x.b.dialect.LooseText}, &r.Revision, &r.Data}
	if !q.NoAttrs {
		columns = append(columns, &attrs)
	}
	if q.OrderBy != "" {
		columns = append(columns, &r.Value)
	}
	size := 0
	for rows.Next() {
		if err := x.b.readable(ctx, rows, rows.Scan(columns...), collection, &r, attrs); err != nil {
			return nil, false, err
		}
		if page == nil && !q.After.IsZero() { // as full as the page before, most likely
			page = make([]driver.Record, 0, q.Limit)
		}
		page = append(page, r)
		if size += len(r.Data); size > scanBytes {
			return page, true, rows.Close()
		}
	}
	if err := rows.Err(); err != nil {
		return nil, false, err
	}
	return page, len(page) == q.Limit, nil
}

// Index implements [driver.Indexer].
func (x *Tx) Index(ctx context.Context, collection string) iter.Seq2[driver.IndexEntry, error] {
	const query = "SELECT attr, value, key FROM {p}attr WHERE tenant = ? AND collection = ?"
	const order = " ORDER BY attr, value, key LIMIT ?"
	return func(yield func(driver.IndexEntry, error) bool) {
		page, err := x.indexPage(ctx, collection, query+order, x.tenant, collection, indexRows)
		for err == nil {
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if len(page) < indexRows {
				return
			}
			last := page[len(page)-1]
			page, err = x.indexPage(ctx, collection, query+" AND (attr, value, key) > (?, ?, ?)"+order, x.tenant, collection, last.Name, last.Value, last.Key, indexRows)
		}
		yield(driver.IndexEntry{}, err)
	}
}

const indexRows = 2000

func (x *Tx) indexPage(ctx context.Context, collection, query string, args ...any) ([]driver.IndexEntry, error) {
	rows, err := x.query(ctx, query, args...)
	if err != nil {
		return nil, x.b.classify(ctx, err)
	}
	defer rows.Close()
	page := make([]driver.IndexEntry, 0, indexRows)
	var e driver.IndexEntry
	strict := x.b.dialect.LooseText
	columns := []any{word{&e.Name, strict}, word{&e.Value, strict}, word{&e.Key, strict}}
	for rows.Next() {
		if err := rows.Scan(columns...); err != nil {
			if ctx.Err() == nil && rows.Err() == nil {
				return nil, &driver.CorruptError{Collection: collection, Key: e.Key, Err: fmt.Errorf("index: %w", err)}
			}
			return nil, x.b.classify(ctx, err)
		}
		page = append(page, e)
	}
	return page, x.b.classify(ctx, rows.Err())
}

// Collections implements [driver.Tx].
func (x *Tx) Collections(ctx context.Context) ([]string, error) {
	return x.distinct(ctx, "collection", " WHERE tenant = ?", x.tenant)
}

// Tenants implements [driver.Lister].
func (b *DB) Tenants(ctx context.Context) (names []string, err error) {
	err = b.View(ctx, "", func(tx driver.Tx) error {
		names, err = tx.(*Tx).distinct(ctx, "tenant", " WHERE 1 = 1")
		return err
	})
	return names, err
}

// distinct returns the values of a column of the records that come first in the
// primary key, behind those that where is about: from each value it goes to the
// next by the index, and so reads a row of each, not all.
func (x *Tx) distinct(ctx context.Context, column, where string, args ...any) ([]string, error) {
	var names []string
	query := "SELECT " + column + " FROM {p}record" + where
	for {
		name, ok, err := x.first(ctx, query+" ORDER BY 1 LIMIT 1", args...)
		if err != nil || !ok {
			return names, x.b.classify(ctx, err)
		}
		if n := len(names); n > 0 && name <= names[n-1] {
			return names, fmt.Errorf("the database has another order: the %s %.80q comes behind %.80q", column, name, names[n-1])
		}
		if names = append(names, name); len(names) == 1 {
			query += " AND " + column + " > ?"
			args = append(args[:len(args):len(args)], "")
		}
		args[len(args)-1] = name
	}
}

// first returns the text in the only row of a query, if it has one.
func (x *Tx) first(ctx context.Context, query string, args ...any) (text string, ok bool, err error) {
	rows, err := x.query(ctx, query, args...)
	if err != nil {
		return "", false, err
	}
	defer rows.Close()
	if ok = rows.Next(); ok {
		if err := rows.Scan(word{&text, x.b.dialect.LooseText}); err != nil {
			return "", false, fmt.Errorf("%w: %w", driver.ErrCorrupt, err)
		}
	}
	return text, ok, rows.Err()
}

// A builder puts a statement together. What comes from outside becomes a
// parameter, always.
type builder struct {
	strings.Builder
	args []any
}

func (b *builder) add(text string, args ...any) {
	b.WriteString(text)
	b.args = append(b.args, args...)
}

// build returns the statement of a query, "" if nothing can match. Its columns are
// key, revision, data, the attributes if they are asked for, and the value of the
// order if there is one. The table of attributes drives it where one of its orders
// is the order asked for.
func build(tenant, collection string, q driver.Query) (string, []any) {
	var drive *driver.Cond // the condition whose one value the keys are in the order of
	for i, c := range q.Where {
		if c.In != nil && len(c.In) == 0 {
			return "", nil
		}
		if q.OrderBy == "" && drive == nil && len(c.In) == 1 {
			drive = &q.Where[i]
		}
	}
	columns := "SELECT r.key, r.revision, r.data"
	if !q.NoAttrs {
		columns += ", r.attrs"
	}
	var b builder
	key := "r.key"
	switch {
	case q.OrderBy != "":
		key = "o.key"
		b.add(columns+", o.value"+joined, tenant, collection, q.OrderBy)
		for _, c := range q.Where {
			if c.Attr == q.OrderBy {
				b.cond("o.value", c)
			}
		}
		if !q.After.IsZero() {
			b.add(" AND (o.value, o.key) "+behind(q.Desc)+" (?, ?)", q.After.Value, q.After.Key)
		}
	case drive != nil:
		key = "o.key"
		b.add(columns+joined+" AND o.value = ?", tenant, collection, drive.Attr, drive.In[0])
	default:
		b.add(columns+" FROM {p}record r WHERE r.tenant = ? AND r.collection = ?", tenant, collection)
	}
	if q.OrderBy == "" && !q.After.IsZero() {
		b.add(" AND "+key+" "+behind(q.Desc)+" ?", q.After.Key)
	}
	if q.KeyFrom != "" {
		b.add(" AND "+key+" >= ?", q.KeyFrom)
	}
	if q.KeyTo != "" {
		b.add(" AND "+key+" < ?", q.KeyTo)
	}
	for i, c := range q.Where {
		if c.Attr == q.OrderBy || drive == &q.Where[i] {
			continue
		}
		b.add(" AND EXISTS (SELECT 1 FROM {p}attr a WHERE a.tenant = ? AND a.collection = ? AND a.attr = ? AND a.key = "+key, tenant, collection, c.Attr)
		b.cond("a.value", c)
		b.add(")")
	}
	direction := ""
	if q.Desc {
		direction = " DESC"
	}
	b.add(" ORDER BY ")
	if q.OrderBy != "" {
		b.add("o.value" + direction + ", ")
	}
	b.add(key+direction+" LIMIT ?", q.Limit)
	return b.String(), b.args
}

// joined: SQLite keeps the order of a CROSS JOIN, so that the index of the
// attributes is the one that is gone along.
const joined = " FROM {p}attr o CROSS JOIN {p}record r WHERE r.tenant = o.tenant AND r.collection = o.collection AND r.key = o.key AND o.tenant = ? AND o.collection = ? AND o.attr = ?"

func behind(desc bool) string {
	if desc {
		return "<"
	}
	return ">"
}

func (b *builder) cond(column string, c driver.Cond) {
	if c.In != nil {
		b.add(" AND " + column + " IN (?" + strings.Repeat(", ?", len(c.In)-1) + ")")
		for _, v := range c.In {
			b.args = append(b.args, v)
		}
		return
	}
	if c.From != "" {
		b.add(" AND "+column+" >= ?", c.From)
	}
	if c.To != "" {
		b.add(" AND "+column+" < ?", c.To)
	}
}
