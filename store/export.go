package store

import (
	"bufio"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"

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
