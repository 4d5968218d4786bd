package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/issokit/issokit/store/driver"
)

// What goes into one transaction of an Import.
const (
	importLines = 500
	importBytes = 4 << 20
)

// Import makes the records, histories, audit trail and blobs of an export in the
// same tenant of this store: into an empty one, or behind the end of a trail that
// the export continues. Entries that are there already must be the same ones. The
// entries keep their actors, times and hashes. Contents of past versions that were
// erased there are erased here, too. Import makes no entries of its own.
//
// It verifies each entry before it stores it, also that it is one that this
// package could have made, and commits every 500 entries or 4 MiB: where it fails,
// what came before stays, and a second Import goes on from there. With a
// checkpoint nothing is stored before all was verified: the text is read twice,
// and r must be an [io.Seeker], or the error matches [ErrInvalid].
//
// The attributes of the records are made by [Collection.Reindex].
func (s *Scope) Import(ctx context.Context, r io.Reader, opts *VerifyOptions) (Report, error) {
	o := forExport(opts)
	o.MaxLine = max(o.MaxLine, maxLine, s.store.opts.MaxRecord+maxEntry)
	if o.Checkpoint != nil {
		if report, err := verifyFirst(r, o); err != nil {
			return report, s.error("import", err)
		}
	}
	im := importer{s: s}
	report, err := exportReader{
		opts: o,
		onHeader: func(h exportHeader) error {
			if h.Tenant != s.p.Tenant {
				return invalid("the export is one of tenant %q", h.Tenant)
			}
			return nil
		},
		onLine:  func(l line) error { return im.line(ctx, l) },
		onPiece: im.piece,
		onBlob:  func(d Digest) error { return im.blob(ctx, d) },
	}.read(r)
	if err == nil {
		err = im.flush(ctx)
	}
	if err == nil {
		err = im.eraseHollow(ctx)
	}
	if err != nil {
		return report, s.error("import", err)
	}
	return report, nil
}

// verifyFirst verifies an export and goes back to where it began.
func verifyFirst(r io.Reader, o VerifyOptions) (Report, error) {
	seeker, ok := r.(io.Seeker)
	if !ok {
		return Report{}, invalid("an import with a checkpoint reads its text twice, and this one cannot go back")
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil {
		return Report{}, fmt.Errorf("%w: an import with a checkpoint reads its text twice: %w", ErrInvalid, err)
	}
	o.Progress = nil
	if report, err := VerifyExport(r, &o); err != nil {
		return report, err
	}
	_, err = seeker.Seek(start, io.SeekStart)
	return Report{}, err
}

// An importer gathers what goes into one transaction.
type importer struct {
	s     *Scope
	lines []line
	size  int
	data  []byte // of the blob that is being read

	hollow []int64 // the entries that have content here and not in the export
}

func (im *importer) line(ctx context.Context, l line) error {
	l.raw, l.payload = bytes.Clone(l.raw), cloneContent(l.payload)
	im.lines = append(im.lines, l)
	if im.size += len(l.raw) + len(l.payload); im.size < importBytes && len(im.lines) < importLines {
		return nil
	}
	return im.flush(ctx)
}

func (im *importer) flush(ctx context.Context) error {
	if len(im.lines) == 0 {
		return nil
	}
	var hollow []int64
	err := im.s.in(ctx, true, func(tx *Tx) error {
		if !tx.write {
			return ErrReadOnly
		}
		hollow = nil
		for _, l := range im.lines {
			more, err := tx.replay(ctx, l)
			if err != nil {
				return tx.broken(err)
			}
			if more {
				hollow = append(hollow, l.entry.Seq)
			}
		}
		return nil
	})
	im.hollow = append(im.hollow, hollow...)
	clear(im.lines)
	im.lines, im.size = im.lines[:0], 0
	return err
}

func (im *importer) piece(data []byte) error {
	if limit := im.s.store.opts.MaxBlob; len(im.data)+len(data) > limit {
		return fmt.Errorf("%w: a blob of more than %d bytes", ErrTooLarge, limit)
	}
	im.data = append(im.data, data...)
	return nil
}

func (im *importer) blob(ctx context.Context, d Digest) error {
	data := im.data
	im.data = nil
	if err := im.flush(ctx); err != nil {
		return err
	}
	return im.s.in(ctx, true, func(tx *Tx) error {
		if !tx.write {
			return ErrReadOnly
		}
		return tx.putBlob(ctx, d, data)
	})
}

// cloneContent keeps nil apart from empty.
func cloneContent(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}

// eraseHollow erases what was erased in the export since, unless it is the content
// of a current version.
func (im *importer) eraseHollow(ctx context.Context) error {
	for part := range slices.Chunk(im.hollow, importLines) {
		err := im.s.in(ctx, true, func(tx *Tx) error {
			for _, seq := range part {
				r, l, err := tx.entry(ctx, seq)
				if err != nil {
					return err
				}
				e := &l.entry
				_, current, err := tx.stored(ctx, e.Collection, e.Key)
				if err == nil && current.hash != l.hash {
					err = tx.eraseLine(ctx, r, l)
				}
				if err != nil {
					return tx.broken(err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// entry returns an entry of the trail.
func (tx *Tx) entry(ctx context.Context, seq int64) (driver.Record, line, error) {
	r, err := tx.d.Get(ctx, auditCollection, auditKey(seq))
	if errors.Is(err, driver.ErrNotFound) {
		err = fmt.Errorf("entry %d: %w", seq, ErrNotFound)
	}
	if err != nil {
		return r, line{}, err
	}
	l, err := parseLine(r.Data)
	return r, l, err
}

// replay makes the change that an entry tells of, as it was made then. If the
// entry is there already, it tells whether its content is here and not in l.
func (tx *Tx) replay(ctx context.Context, l line) (more bool, err error) {
	h, err := tx.loadHead(ctx)
	if err != nil {
		return false, err
	}
	if l.entry.Seq > h.seq {
		return false, tx.replayNew(ctx, h, l)
	}
	_, there, err := tx.entry(ctx, l.entry.Seq)
	if err == nil && there.hash != l.hash {
		err = &ChainError{l.entry.Tenant, l.entry.Seq, "", "", "the store holds another entry"}
	}
	return l.erased() && !there.erased(), err
}

func (tx *Tx) replayNew(ctx context.Context, h head, l line) (err error) {
	e := &l.entry
	bad := func(why string) error { return &ChainError{e.Tenant, e.Seq, e.Collection, e.Key, why} }
	switch {
	case e.Seq != h.seq+1 || e.Prev != h.hash:
		return &ChainError{e.Tenant, e.Seq, "", "", fmt.Sprintf("it does not continue the trail of the store, which ends with entry %d", h.seq)}
	case e.Time.Before(h.time):
		return bad("its time " + TimeValue(e.Time) + " is before that of the last entry of the store")
	}
	if err := tx.scope.store.allows(l); err != nil {
		return bad(err.Error())
	}
	if e.Collection == blobCollection {
		if why := (course{}).refuses(e); why != "" {
			return bad(why)
		}
		if e.Action == ActionErase {
			err = tx.d.Delete(ctx, blobCollection, driver.Record{Key: e.Key, Revision: 1})
		}
		if err != nil && !errors.Is(err, driver.ErrConflict) { // it was not in the export any more
			return err
		}
		return tx.appendLine(ctx, l)
	}
	was, wasLine, err := tx.stored(ctx, e.Collection, e.Key)
	if err != nil && !errors.Is(err, ErrErased) {
		return err
	}
	c := course{}.after(wasLine)
	if was.Revision == 0 {
		last, err := tx.last(ctx, e.Collection, e.Key)
		if err != nil {
			return err
		}
		if last.Revision > 0 {
			c = course{action: ActionDelete, seq: last.Seq, revision: last.Revision}
		}
	}
	if why := c.refuses(e); why != "" {
		return bad(why)
	}
	switch e.Action {
	case ActionPut, ActionSeal:
		err = tx.put(ctx, e.Collection, was, driver.Record{Key: e.Key, Revision: e.Revision, Attrs: was.Attrs, Data: l.bytes()})
	case ActionDelete:
		err = tx.remove(ctx, e.Collection, was)
	case ActionErase:
		err = tx.eraseOld(ctx, e.Collection, e.Key, wasLine.entry.Seq, func(time.Time) bool { return true })
	}
	if err != nil {
		return err
	}
	return tx.appendLine(ctx, l)
}

// maxEntry is more than the bytes of any entry as a line without content.
const maxEntry = 64 << 10

// allows looks whether a store writes an entry like that.
func (s *Store) allows(l line) error {
	e := &l.entry
	if e.Actor == "" {
		return invalid("the actor is empty")
	}
	if err := (Principal{e.Tenant, e.Actor, e.Reason}).check(); err != nil {
		return err
	}
	if e.Collection != blobCollection {
		if err := checkName("a collection", e.Collection); err != nil {
			return err
		}
	}
	if err := checkKey(e.Key); err != nil {
		return err
	}
	if l.payload == nil {
		return nil
	}
	if len(l.payload) > s.opts.MaxRecord {
		return fmt.Errorf("%w: the content has %d bytes, at most %d are allowed", ErrTooLarge, len(l.payload), s.opts.MaxRecord)
	}
	if form, err := canonical(l.payload); err != nil || !bytes.Equal(form, l.payload) {
		return invalid("the content is not JSON in canonical form")
	}
	return nil
}
