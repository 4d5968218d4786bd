package store

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"slices"
	"time"

	"github.com/issokit/issokit/store/driver"
)

// An export is text of lines, each a JSON object:
//
//	{"format":"issokit-export","version":2,"tenant":"t1","from":1}
//	{"entry":{...},"hash":"...","payload":...}      for each entry of the trail
//	{"blob":"sha256:...","data":"...","more":true}  base64, for each blob, in pieces
//	{"blob":"sha256:...","data":"..."}              the last piece
//	{"end":{"seq":6,"hash":"sha256:...","blobs":1}}
//
// An increment, from a later entry than the first, has the hash of the one before
// in the header, "prev". "no-blobs" says that blobs were left out. Version 1 had
// neither of them, no pieces, and no entries for blobs; it can be read.
const (
	exportFormat  = "issokit-export"
	exportVersion = 2
)

type exportHeader struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Tenant  string `json:"tenant"`
	From    int64  `json:"from"`
	Prev    Digest `json:"prev,omitzero"`
	NoBlobs bool   `json:"no-blobs,omitzero"`
}

type exportBlob struct {
	Blob Digest `json:"blob"`
	Data []byte `json:"data"`
	More bool   `json:"more,omitzero"`
}

// pieceSize is how much of a blob is in one line.
const pieceSize = 3 << 20

type exportEnd struct {
	End *exportTotals `json:"end"`
}

type exportTotals struct {
	Seq   int64  `json:"seq"`
	Hash  Digest `json:"hash"`
	Blobs int64  `json:"blobs"`
}

// ExportOptions configure [Scope.Export]; nil means the defaults.
type ExportOptions struct {
	From     int64           // first entry; default 1. A later one makes an increment to an earlier export
	NoBlobs  bool            // leave out the blobs
	Progress func(seq int64) // called about every 1,000 entries
}

// Export writes the audit trail of the tenant with all contents and blobs, in one
// snapshot: all that [Scope.Import] needs to make the same records, histories and
// trail elsewhere, and all that [VerifyExport] needs. It streams.
//
// It is for who looks after the store: it makes no entries in the trail, not even
// for collections that log what is read.
func (s *Scope) Export(ctx context.Context, w io.Writer, opts *ExportOptions) error {
	var o ExportOptions
	if opts != nil {
		o = *opts
	}
	o.From = max(o.From, 1)
	out := &counter{w: w}
	b := bufio.NewWriterSize(out, 64<<10)
	err := s.in(ctx, false, func(tx *Tx) error {
		if out.n > 0 {
			return errors.New("the database ended the transaction when a part was written: begin anew")
		}
		b.Reset(out)
		if err := tx.export(ctx, b, o); err != nil {
			return err
		}
		return b.Flush()
	})
	if err != nil {
		return s.error("export", err)
	}
	return nil
}

// counter counts what it writes.
type counter struct {
	w io.Writer
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	c.n += int64(n)
	return n, err
}

func (tx *Tx) export(ctx context.Context, w *bufio.Writer, o ExportOptions) error {
	head := exportHeader{Format: exportFormat, Version: exportVersion, Tenant: tx.scope.p.Tenant, From: o.From, NoBlobs: o.NoBlobs}
	if o.From > 1 {
		_, before, err := tx.entry(ctx, o.From-1)
		if err != nil {
			return err
		}
		head.Prev = before.hash
	}
	enc := json.NewEncoder(w)
	if err := enc.Encode(head); err != nil {
		return err
	}
	totals := exportTotals{Seq: o.From - 1}
	for r, err := range tx.d.Scan(ctx, auditCollection, driver.Query{KeyFrom: auditKey(o.From), NoAttrs: true}) {
		if err != nil {
			return err
		}
		l, err := parseLine(r.Data)
		if err != nil {
			return err
		}
		if _, err := w.Write(r.Data); err != nil {
			return err
		}
		if err := w.WriteByte('\n'); err != nil {
			return err
		}
		totals.Seq, totals.Hash = l.entry.Seq, l.hash
		if o.Progress != nil && totals.Seq%1000 == 0 {
			o.Progress(totals.Seq)
		}
	}
	if !o.NoBlobs {
		for r, err := range tx.d.Scan(ctx, blobCollection, driver.Query{NoAttrs: true}) {
			if err != nil {
				return err
			}
			blob := exportBlob{More: true}
			if err := blob.Blob.UnmarshalText([]byte(r.Key)); err != nil {
				return err
			}
			for blob.More {
				n := min(len(r.Data), pieceSize)
				blob.Data, r.Data = r.Data[:n], r.Data[n:]
				blob.More = len(r.Data) > 0
				if err := enc.Encode(blob); err != nil {
					return err
				}
			}
			totals.Blobs++
		}
	}
	return enc.Encode(exportEnd{&totals})
}

// maxLine bounds a line of an export, unless the options say otherwise: a blob of
// 64 MiB in base64, which version 1 had in one line, and some more.
const maxLine = 96 << 20

// exportReader goes through the lines of an export. onLine and onBlob get what was
// verified; onPiece gets what is to become a blob.
type exportReader struct {
	opts     VerifyOptions
	onHeader func(exportHeader) error
	onLine   func(line) error
	onPiece  func([]byte) error
	onBlob   func(Digest) error
}

// openBlob is a blob of which there are more pieces to come.
type openBlob struct {
	digest Digest
	hash   hash.Hash // nil if there is none
}

func (x exportReader) read(r io.Reader) (Report, error) {
	sc := bufio.NewScanner(r)
	limit := cmp.Or(max(x.opts.MaxLine, 0), maxLine)
	sc.Buffer(make([]byte, 0, min(limit, 64<<10)), limit)
	n := 0
	fail := func(err error) error {
		_, chain := errors.AsType[*ChainError](err)
		if !chain && !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrTooLarge) {
			err = fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return &Error{Op: fmt.Sprintf("export, line %d", n), Err: err}
	}
	next := func() bool {
		n++
		return sc.Scan()
	}
	var head exportHeader
	if !next() {
		return Report{}, fail(cmpScan(sc, "a header"))
	}
	if err := json.Unmarshal(sc.Bytes(), &head); err != nil || head.Format != exportFormat || head.From < 1 || head.Version < 1 {
		return Report{}, fail(fmt.Errorf("expected the header of an %s, found %.80q", exportFormat, sc.Bytes()))
	}
	if head.Version > exportVersion {
		return Report{}, fail(fmt.Errorf("%w: export version %d, this program knows up to %d", ErrNewerSchema, head.Version, exportVersion))
	}
	if err := x.onHeader(head); err != nil {
		return Report{}, err
	}
	v := newVerifier(head.Tenant, head.From, x.opts)
	v.report.NoBlobs = head.NoBlobs
	// Version 1 does not say what an increment follows: its first entry does.
	begun := head.Version > 1 || head.From == 1
	if begun {
		if err := v.begin(head.Prev); err != nil {
			return v.report, fail(err)
		}
	}
	hollow := map[string]int64{} // the records whose last version has no content any more
	var blob openBlob
	for {
		if !next() {
			return v.report, fail(cmpScan(sc, "an entry, a blob or the end"))
		}
		data := sc.Bytes()
		isBlob := hasPrefix(data, `{"blob":`)
		if blob.hash != nil && !isBlob {
			return v.report, fail(fmt.Errorf("expected the next piece of blob %v, found %.80q", blob.digest, data))
		}
		switch {
		case isBlob:
			var piece exportBlob
			if err := json.Unmarshal(data, &piece); err != nil {
				return v.report, fail(err)
			}
			if blob.hash == nil {
				blob = openBlob{piece.Blob, sha256.New()}
			}
			if piece.Blob != blob.digest {
				return v.report, fail(fmt.Errorf("expected the next piece of blob %v, found one of %v", blob.digest, piece.Blob))
			}
			blob.hash.Write(piece.Data)
			if err := x.onPiece(piece.Data); err != nil {
				return v.report, fail(err)
			}
			if piece.More {
				continue
			}
			if err := v.blob(blob.digest.String(), Digest(blob.hash.Sum(nil))); err != nil {
				return v.report, fail(err)
			}
			if err := x.onBlob(blob.digest); err != nil {
				return v.report, err
			}
			blob.hash = nil
		case hasPrefix(data, `{"entry":`):
			if v.report.Blobs > 0 {
				return v.report, fail(errors.New("there is an entry behind a blob"))
			}
			l, err := parseLine(data)
			if err != nil {
				return v.report, fail(v.bad("%v", err))
			}
			if !begun {
				begun = true
				if err := v.begin(l.entry.Prev); err != nil {
					return v.report, fail(err)
				}
			}
			e := &l.entry
			name := recordName(e.Collection, e.Key)
			if err := v.add(l, name); err != nil {
				return v.report, fail(err)
			}
			if l.erased() {
				hollow[name] = e.Seq
			} else if e.Action != ActionRead {
				delete(hollow, name)
			}
			if err := x.onLine(l); err != nil {
				return v.report, err
			}
		default:
			var end exportEnd
			if err := json.Unmarshal(data, &end); err != nil || end.End == nil {
				return v.report, fail(fmt.Errorf("expected an entry, a blob or the end, found %.80q", data))
			}
			if t := *end.End; t.Blobs != v.report.Blobs || t.Seq != v.next-1 || v.report.Entries > 0 && t.Hash != v.report.Hash {
				return v.report, fail(v.bad("the end speaks of %d entries and %d blobs, found %d and %d", t.Seq, t.Blobs, v.next-1, v.report.Blobs))
			}
			if sc.Scan() {
				n++
				return v.report, fail(errors.New("there is text behind the end"))
			}
			if !begun && v.opts.Checkpoint != nil {
				return v.report, fail(invalid("the checkpoint of entry %d is not in this part, which has no entries", v.opts.Checkpoint.Seq))
			}
			err := v.end()
			if err == nil && !x.opts.TrailOnly {
				err = v.lostContent(hollow)
			}
			if err == nil && !x.opts.TrailOnly && !head.NoBlobs {
				err = v.missingBlob()
			}
			if err != nil {
				return v.report, fail(err)
			}
			return v.report, nil
		}
	}
}

// lostContent names the first record whose content is not in an export although
// it is the current one: only past versions are ever erased.
func (v *verifier) lostContent(hollow map[string]int64) error {
	var seq int64
	var lost string
	for name, s := range hollow {
		if seq == 0 || s < seq {
			seq, lost = s, name
		}
	}
	if seq == 0 {
		return nil
	}
	collection, key := splitName(lost)
	return v.badRecord(collection, key, seq, "the content of the current version is missing")
}

func hasPrefix(data []byte, prefix string) bool {
	return len(data) >= len(prefix) && string(data[:len(prefix)]) == prefix
}

func cmpScan(sc *bufio.Scanner, want string) error {
	switch err := sc.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		return fmt.Errorf("%w: the line is longer than VerifyOptions.MaxLine allows", ErrTooLarge)
	case err != nil:
		return err
	}
	return fmt.Errorf("expected %s, found the end of the text", want)
}

// VerifyExport checks an export as [Scope.Verify] checks the trail, without a
// database: also that the contents of all current records are there and, unless it
// was made without them, all blobs that its entries tell of. The first entry that
// is wrong is a [*ChainError]; text that is no export matches [ErrCorrupt]. Both say
// the line. With TrailOnly contents and blobs may be missing. From and To have no
// meaning here.
//
// An export of a part proves nothing but that its entries follow each other and one
// with the hash Report.Prev. Whoever has that from elsewhere, as from a checkpoint
// of the entry before the part, knows more.
func VerifyExport(r io.Reader, opts *VerifyOptions) (Report, error) {
	return exportReader{
		opts:     forExport(opts),
		onHeader: func(exportHeader) error { return nil },
		onLine:   func(line) error { return nil },
		onPiece:  func([]byte) error { return nil },
		onBlob:   func(Digest) error { return nil },
	}.read(r)
}

func forExport(opts *VerifyOptions) VerifyOptions {
	if opts == nil {
		return VerifyOptions{}
	}
	return VerifyOptions{Checkpoint: opts.Checkpoint, TrailOnly: opts.TrailOnly, MaxLine: opts.MaxLine, Progress: opts.Progress}
}

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
