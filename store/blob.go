package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/issokit/issokit/store/driver"
)

// blobCollection holds blobs by digest.
const blobCollection = "~blob"

// splitName undoes recordName.
func splitName(name string) (collection, key string) {
	collection, key, _ = strings.Cut(name, "\x1f")
	return collection, key
}

// PutBlob stores bytes under their SHA-256 and returns it: the same bytes are
// stored once in a tenant, however often they are put. Blobs are for documents
// that are too large for a record, which then holds the digest. The audit trail
// says when one was stored first, and by whom; they stay until [Scope.SweepBlobs]
// finds that no record names them.
func (s *Scope) PutBlob(ctx context.Context, data []byte) (Digest, error) {
	d := Digest(sha256.Sum256(data))
	if limit := s.store.opts.MaxBlob; len(data) > limit {
		return Digest{}, s.error("put blob", fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrTooLarge, len(data), limit))
	}
	err := s.in(ctx, true, func(tx *Tx) error {
		if !tx.write {
			return ErrReadOnly
		}
		last, err := tx.last(ctx, blobCollection, d.String())
		if err != nil {
			return err
		}
		if err := tx.putBlob(ctx, d, data); err != nil || last.Action == ActionBlob {
			return err
		}
		_, err = tx.log(ctx, s, Entry{Action: ActionBlob, Collection: blobCollection, Key: d.String(), Revision: 1}, nil)
		return tx.broken(err)
	})
	if err != nil {
		return Digest{}, s.blobError("put blob", d, err)
	}
	return d, nil
}

// putBlob stores a blob, if it is not there already.
func (tx *Tx) putBlob(ctx context.Context, d Digest, data []byte) error {
	err := tx.d.Put(ctx, blobCollection, driver.Record{}, driver.Record{Key: d.String(), Revision: 1, Data: data})
	if errors.Is(err, driver.ErrConflict) {
		return nil
	}
	return tx.broken(err)
}

func (s *Scope) blobError(op string, d Digest, err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	return &Error{op, s.p.Tenant, blobCollection, d.String(), err}
}

// Blob returns the bytes with a digest, [ErrNotFound], or [ErrErased] if they were
// swept away. Bytes that do not fit the digest any more are [ErrCorrupt].
func (s *Scope) Blob(ctx context.Context, d Digest) ([]byte, error) {
	var data []byte
	err := s.in(ctx, false, func(tx *Tx) error {
		r, err := tx.d.Get(ctx, blobCollection, d.String())
		data = r.Data
		if !errors.Is(err, driver.ErrNotFound) {
			return err
		}
		last, err := tx.last(ctx, blobCollection, d.String())
		switch {
		case err != nil:
			return err
		case last.Action == ActionErase:
			return ErrErased
		}
		return ErrNotFound
	})
	if err == nil && sha256.Sum256(data) != d {
		err = corrupt("the bytes do not fit the digest")
	}
	if err != nil {
		return nil, s.blobError("get blob", d, err)
	}
	return data, nil
}

// SweepBlobs removes the blobs that no content names any more, as after an
// [Collection.Erase], and returns how many. A content names a blob where the text
// of its digest, [Digest.String], stands in it: contents of all versions count,
// past ones and those of deleted records too, until they are erased. A blob that is
// put in a transaction before that of the record that names it can be swept away
// between the two. The audit trail says what was swept away.
func (s *Scope) SweepBlobs(ctx context.Context) (removed int, err error) {
	var unnamed map[string]bool
	var seen int64 // entry up to which contents were looked at
	look := func(tx *Tx) error {
		for r, err := range tx.d.Scan(ctx, auditCollection, driver.Query{KeyFrom: auditKey(seen + 1), NoAttrs: true}) {
			if err != nil {
				return err
			}
			l, err := parseLine(r.Data)
			if err != nil {
				return err
			}
			for d := range digestsIn(l.payload) {
				delete(unnamed, d)
			}
		}
		return nil
	}
	// Most of the work is done in a View, which holds up nobody.
	err = s.in(ctx, false, func(tx *Tx) error {
		unnamed, seen = map[string]bool{}, 0
		for r, err := range tx.d.Scan(ctx, blobCollection, driver.Query{NoAttrs: true}) {
			if err != nil {
				return err
			}
			unnamed[r.Key] = true
		}
		if err := look(tx); err != nil {
			return err
		}
		h, err := tx.loadHead(ctx)
		seen = h.seq
		return err
	})
	if err == nil && len(unnamed) > 0 {
		err = s.in(ctx, true, func(tx *Tx) error {
			if !tx.write {
				return ErrReadOnly
			}
			if err := look(tx); err != nil {
				return err
			}
			removed = 0
			for _, key := range slices.Sorted(maps.Keys(unnamed)) {
				err := tx.d.Delete(ctx, blobCollection, driver.Record{Key: key, Revision: 1})
				if errors.Is(err, driver.ErrConflict) {
					continue // another sweep was here
				}
				if err != nil {
					return tx.broken(err)
				}
				removed++
				last, err := tx.last(ctx, blobCollection, key)
				if err == nil && last.Action == ActionBlob {
					_, err = tx.log(ctx, s, Entry{Action: ActionErase, Collection: blobCollection, Key: key, Revision: 1}, nil)
				}
				if err != nil {
					return tx.broken(err)
				}
			}
			return nil
		})
	}
	if err != nil {
		return 0, s.error("sweep blobs", err)
	}
	return removed, nil
}

// digestsIn yields what may be the text of a digest.
func digestsIn(content []byte) iter.Seq[string] {
	return func(yield func(string) bool) {
		prefix := []byte(digestPrefix)
		for {
			i := bytes.Index(content, prefix)
			if i < 0 || len(content)-i < digestSize {
				return
			}
			if !yield(string(content[i : i+digestSize])) {
				return
			}
			content = content[i+len(prefix):]
		}
	}
}

// Content returns the digest of a record's content, whatever its type, and its
// revision: what a signature or an approval binds to. The error is [ErrNotFound]
// if there is no such record. Sealing changes the revision and not the content.
func (s *Scope) Content(ctx context.Context, collection, key string) (d Digest, revision int64, err error) {
	err = errors.Join(checkName("a collection", collection), checkKey(key))
	if err == nil {
		err = s.in(ctx, false, func(tx *Tx) error {
			r, l, err := tx.stored(ctx, collection, key)
			if err == nil && r.Revision == 0 {
				err = ErrNotFound
			}
			d, revision = l.entry.Content, r.Revision
			return err
		})
	}
	if err != nil {
		return Digest{}, 0, &Error{"content of", s.p.Tenant, collection, key, err}
	}
	return d, revision, nil
}

// Unchanged tells whether a record has been there with one content ever since a
// revision: sealed or written again as it was, but not changed and changed back, and
// not deleted and made anew.
func (s *Scope) Unchanged(ctx context.Context, collection, key string, since int64) (unchanged bool, err error) {
	err = errors.Join(checkName("a collection", collection), checkKey(key))
	if err == nil {
		err = s.in(ctx, false, func(tx *Tx) error {
			var content Digest
			unchanged = false
			q := trailOf(collection, key)
			q.NoAttrs = true
			for r, err := range tx.d.Scan(ctx, auditCollection, q) {
				if err != nil {
					return err
				}
				l, err := parseTrail(r)
				if err != nil {
					return err
				}
				e := &l.entry
				switch {
				case e.Action == ActionErase: // of past versions
					continue
				case e.Action == ActionDelete || !content.IsZero() && e.Content != content:
					return nil
				case e.Revision < since:
					return nil // the revision is not there
				case e.Revision == since:
					unchanged = true
					return nil
				}
				content = e.Content
			}
			return nil
		})
	}
	if err != nil {
		return false, &Error{"changes of", s.p.Tenant, collection, key, err}
	}
	return unchanged, nil
}
