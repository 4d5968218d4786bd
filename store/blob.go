package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
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
// that are too large for a record, which then holds the digest; they have no
// history and no audit entries of their own, the record that names one has.
func (s *Scope) PutBlob(ctx context.Context, data []byte) (Digest, error) {
	d := Digest(sha256.Sum256(data))
	if limit := s.store.opts.MaxBlob; len(data) > limit {
		return Digest{}, s.error("put blob", fmt.Errorf("%w: %d bytes, at most %d are allowed", ErrTooLarge, len(data), limit))
	}
	err := s.in(ctx, true, func(tx *Tx) error {
		if !tx.write {
			return s.error("put blob", ErrReadOnly)
		}
		err := tx.d.Put(ctx, blobCollection, driver.Record{}, driver.Record{Key: d.String(), Revision: 1, Data: data})
		if errors.Is(err, driver.ErrConflict) {
			return nil // it is there already
		}
		return err
	})
	return d, err
}

// Blob returns the bytes with a digest, or [ErrNotFound]. Bytes that do not fit
// the digest any more are [ErrCorrupt].
func (s *Scope) Blob(ctx context.Context, d Digest) ([]byte, error) {
	var data []byte
	err := s.in(ctx, false, func(tx *Tx) error {
		r, err := tx.d.Get(ctx, blobCollection, d.String())
		data = r.Data
		return err
	})
	switch {
	case errors.Is(err, driver.ErrNotFound):
		err = ErrNotFound
	case err == nil && sha256.Sum256(data) != d:
		err = corrupt("the bytes do not fit the digest")
	case err == nil:
		return data, nil
	}
	return nil, &Error{"get blob", s.p.Tenant, blobCollection, d.String(), err}
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
