package store

import (
	"context"
	"iter"
	"time"

	"github.com/issokit/issokit/store/driver"
)

// parseTrail reads an entry of the audit trail; its content may be erased.
func parseTrail(r driver.Record) (line, error) {
	l, err := parseLine(r.Data)
	if err != nil {
		return l, err
	}
	if why := l.check(); why != "" {
		return l, corrupt("entry %d: %s", l.entry.Seq, why)
	}
	return l, nil
}

// History yields what was ever done to a record, the newest first: all its
// versions, deletions, seals and erasures. Revisions fall, but a deletion has
// that of what it deleted. Nothing is yielded for a record that never was.
func (c *Collection[T]) History(ctx context.Context, key string) iter.Seq2[Versioned[T], error] {
	if err := checkKey(key); err != nil {
		return func(yield func(Versioned[T], error) bool) { yield(Versioned[T]{}, c.error("history", key, err)) }
	}
	return c.scan(ctx, "history", auditCollection, trailOf(c.name, key), parseTrail)
}

// At returns the value as it was at an instant: the last version not later than
// t, by the times of the audit trail, which are not those of the clock where that
// went backwards: see [Options].Now. The error is [ErrNotFound] if there was none, [ErrErased] if its content was
// erased.
func (c *Collection[T]) At(ctx context.Context, key string, t time.Time) (T, error) {
	var none T
	for v, err := range c.History(ctx, key) {
		switch {
		case err != nil:
			return none, err
		case v.Time.After(t) || v.Action == ActionErase:
		case v.Action == ActionDelete:
			return none, c.error("at", key, ErrNotFound)
		case v.Erased:
			return none, c.error("at", key, ErrErased)
		default:
			return v.Value, nil
		}
	}
	return none, c.error("at", key, ErrNotFound)
}

// Erase removes the content of all past versions of a record, as privacy law may
// ask for, and says so in the audit trail, which stays valid. The current version
// stays: delete the record first if it must go too. Blobs that only these versions
// named are removed by [Scope.SweepBlobs]. What the database itself keeps of what
// was overwritten, in a log, in free pages, in backups, is the database's business:
// SQLite has PRAGMA secure_delete and VACUUM, PostgreSQL VACUUM. The error is [ErrNotFound] if
// there never was such a record, [ErrSealed] if it is sealed.
func (c *Collection[T]) Erase(ctx context.Context, key string) error {
	if err := checkKey(key); err != nil {
		return c.error("erase", key, err)
	}
	return c.run(ctx, "erase", key, true, func(tx *Tx) error {
		was, l, err := tx.stored(ctx, c.name, key)
		if err != nil {
			return err
		}
		if l.entry.Action == ActionSeal {
			return ErrSealed
		}
		last := was.Revision
		if last == 0 {
			if last, err = tx.lastRevision(ctx, c.name, key); err != nil {
				return err
			}
		}
		if last == 0 {
			return ErrNotFound
		}
		err = tx.eraseOld(ctx, c.name, key, l.entry.Seq, func(time.Time) bool { return true })
		if err != nil {
			return tx.broken(err)
		}
		_, err = tx.log(ctx, c.scope, Entry{Action: ActionErase, Collection: c.name, Key: key, Revision: last}, nil)
		return tx.broken(err)
	})
}

// forget erases what the retention policy no longer keeps, after a write.
func (c *Collection[T]) forget(ctx context.Context, tx *Tx, now Entry) error {
	if c.opts.Keep <= 0 && c.opts.KeepFor <= 0 {
		return nil
	}
	versions := 1
	return tx.eraseOld(ctx, c.name, now.Key, now.Seq, func(replaced time.Time) bool {
		versions++
		return c.opts.Keep > 0 && versions > c.opts.Keep ||
			c.opts.KeepFor > 0 && now.Time.Sub(replaced) > c.opts.KeepFor
	})
}

// eraseOld goes through the versions of a record before the entry seq, or all for
// 0, the newest first, and erases the content of those for which fn says so, which
// gets the time when they were replaced. It stops at the first that is erased
// already: those before it are, too.
func (tx *Tx) eraseOld(ctx context.Context, collection, key string, seq int64, fn func(replaced time.Time) bool) error {
	q := trailOf(collection, key)
	q.NoAttrs = true
	if seq > 0 {
		q.After = driver.Position{Key: auditKey(seq + 1)}
	}
	var replaced time.Time
	for r, err := range tx.d.Scan(ctx, auditCollection, q) {
		if err != nil {
			return err
		}
		l, err := parseLine(r.Data)
		if err != nil {
			return err
		}
		e := l.entry
		if e.Content.IsZero() || e.Seq == seq {
			replaced = e.Time
			continue
		}
		if l.erased() {
			return nil
		}
		if fn(replaced) {
			if err := tx.eraseLine(ctx, r, l); err != nil {
				return err
			}
		}
		replaced = e.Time
	}
	return nil
}

// eraseLine takes the content out of an entry's record in the trail.
func (tx *Tx) eraseLine(ctx context.Context, was driver.Record, l line) error {
	l.payload = nil
	was.Attrs = l.entry.attrs()
	fresh := was
	fresh.Revision++
	fresh.Data = l.bytes()
	return tx.put(ctx, auditCollection, was, fresh)
}

// Trail yields the entries of the audit trail from one sequence number to
// another, both included; 0 is no bound. It streams, and holds nothing while the
// body runs.
func (s *Scope) Trail(ctx context.Context, from, to int64) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for l, err := range s.lines(ctx, from, to) {
			if !yield(l.entry, err) {
				return
			}
		}
	}
}

// lines is Trail with hashes and contents.
func (s *Scope) lines(ctx context.Context, from, to int64) iter.Seq2[line, error] {
	return func(yield func(line, error) bool) {
		q := driver.Query{Limit: pageSize, NoAttrs: true}
		if from > 0 {
			q.KeyFrom = auditKey(from)
		}
		if to > 0 {
			q.KeyTo = auditKey(to + 1)
		}
		for {
			var page []line
			var last driver.Position
			more := false
			err := s.in(ctx, false, func(tx *Tx) error {
				page, more = nil, false
				size := 0
				for r, err := range tx.d.Scan(ctx, auditCollection, q) {
					if err != nil {
						return err
					}
					l, err := parseLine(r.Data)
					if err != nil {
						return err
					}
					page = append(page, l)
					last = driver.Position{Key: r.Key}
					if size += len(r.Data); size > pageBytes || len(page) == pageSize {
						more = true
						return nil
					}
				}
				return nil
			})
			if err != nil {
				yield(line{}, s.error("trail", err))
				return
			}
			for _, l := range page {
				if !yield(l, nil) {
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
