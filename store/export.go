package store

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/issokit/issokit/store/driver"
)

// An export is text of lines, each a JSON object:
//
//	{"format":"issokit-export","version":1,"tenant":"t1","from":1}
//	{"entry":{...},"hash":"...","payload":...}      for each entry of the trail
//	{"blob":"sha256:...","data":"..."}              base64, for each blob
//	{"end":{"seq":6,"hash":"sha256:...","blobs":0}}
const exportFormat = "issokit-export"

type exportHeader struct {
	Format  string `json:"format"`
	Version int    `json:"version"`
	Tenant  string `json:"tenant"`
	From    int64  `json:"from"`
}

type exportBlob struct {
	Blob Digest `json:"blob"`
	Data []byte `json:"data"`
}

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
func (s *Scope) Export(ctx context.Context, w io.Writer, opts *ExportOptions) error {
	var o ExportOptions
	if opts != nil {
		o = *opts
	}
	o.From = max(o.From, 1)
	b := bufio.NewWriterSize(w, 64<<10)
	err := s.in(ctx, false, func(tx *Tx) error {
		enc := json.NewEncoder(b)
		if err := enc.Encode(exportHeader{exportFormat, 1, s.p.Tenant, o.From}); err != nil {
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
			if _, err := b.Write(r.Data); err != nil {
				return err
			}
			if err := b.WriteByte('\n'); err != nil {
				return err
			}
			totals.Seq, totals.Hash = l.entry.Seq, l.hash
			if o.Progress != nil && totals.Seq%1000 == 0 {
				o.Progress(totals.Seq)
			}
		}
		if !o.NoBlobs {
			for r, err := range tx.d.Scan(ctx, blobCollection, driver.Query{}) {
				if err != nil {
					return err
				}
				blob := exportBlob{Data: r.Data}
				if err := blob.Blob.UnmarshalText([]byte(r.Key)); err != nil {
					return err
				}
				if err := enc.Encode(blob); err != nil {
					return err
				}
				totals.Blobs++
			}
		}
		if err := enc.Encode(exportEnd{&totals}); err != nil {
			return err
		}
		return b.Flush()
	})
	if err != nil {
		return s.error("export", err)
	}
	return nil
}

// maxLine bounds a line of an export: a blob of 64 MiB in base64 and some more.
const maxLine = 96 << 20

// readExport goes through the lines of an export. onLine and onBlob get what was
// verified.
func readExport(r io.Reader, o VerifyOptions, onHeader func(exportHeader) error, onLine func(line) error, onBlob func([]byte) error) (Report, error) {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 0, 64<<10), maxLine)
	n := 0
	fail := func(err error) error {
		if _, ok := errors.AsType[*ChainError](err); ok {
			return &Error{Op: fmt.Sprintf("export, line %d", n), Err: err}
		}
		return &Error{Op: fmt.Sprintf("export, line %d", n), Err: fmt.Errorf("%w: %w", ErrCorrupt, err)}
	}
	next := func() bool {
		n++
		return sc.Scan()
	}
	var head exportHeader
	if !next() {
		return Report{}, fail(cmpScan(sc, "a header"))
	}
	if err := json.Unmarshal(sc.Bytes(), &head); err != nil || head.Format != exportFormat || head.From < 1 {
		return Report{}, fail(fmt.Errorf("expected the header of an %s, found %.80q", exportFormat, sc.Bytes()))
	}
	if head.Version != 1 {
		return Report{}, fail(fmt.Errorf("%w: export version %d, this program knows 1", ErrNewerSchema, head.Version))
	}
	if err := onHeader(head); err != nil {
		return Report{}, err
	}
	v := &verifier{opts: o, report: Report{Tenant: head.Tenant}, next: head.From}
	first := true
	for {
		if !next() {
			return v.report, fail(cmpScan(sc, "an entry, a blob or the end"))
		}
		data := sc.Bytes()
		switch {
		case hasPrefix(data, `{"entry":`):
			l, err := parseLine(data)
			if err != nil {
				return v.report, fail(v.bad("%v", err))
			}
			if first && head.From > 1 {
				v.prev = l.entry.Prev // of an entry that the export does not hold
			}
			first = false
			if err := v.add(l); err != nil {
				return v.report, fail(err)
			}
			if err := onLine(l); err != nil {
				return v.report, err
			}
		case hasPrefix(data, `{"blob":`):
			var blob exportBlob
			if err := json.Unmarshal(data, &blob); err != nil {
				return v.report, fail(err)
			}
			if sha256.Sum256(blob.Data) != blob.Blob {
				return v.report, fail(&ChainError{head.Tenant, 0, blobCollection, blob.Blob.String(), "the blob does not fit its digest"})
			}
			v.report.Blobs++
			if err := onBlob(blob.Data); err != nil {
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
			if err := v.end(); err != nil {
				return v.report, fail(err)
			}
			return v.report, nil
		}
	}
}

func hasPrefix(data []byte, prefix string) bool {
	return len(data) >= len(prefix) && string(data[:len(prefix)]) == prefix
}

func cmpScan(sc *bufio.Scanner, want string) error {
	if err := sc.Err(); err != nil {
		return err
	}
	return fmt.Errorf("expected %s, found the end of the text", want)
}

// VerifyExport checks an export as [Scope.Verify] checks the trail, without a
// database. The first entry that is wrong is a [*ChainError]; text that is no
// export matches [ErrCorrupt]. Both say the line. From, To and TrailOnly have no
// meaning here.
func VerifyExport(r io.Reader, opts *VerifyOptions) (Report, error) {
	var o VerifyOptions
	if opts != nil {
		o = VerifyOptions{Checkpoint: opts.Checkpoint, Progress: opts.Progress}
	}
	return readExport(r, o,
		func(exportHeader) error { return nil },
		func(line) error { return nil },
		func([]byte) error { return nil })
}

// importBatch is how many lines go into one transaction.
const importBatch = 500

// Import makes the records, histories, audit trail and blobs of an export in the
// same tenant of this store: into an empty one, or behind the end of a trail that
// the export continues. Entries that are there already must be the same ones. The
// entries keep their actors, times and hashes.
//
// It verifies each entry before it stores it, and commits every 500: where it
// fails, what came before stays, and a second Import goes on from there. The
// attributes of the records are made by [Collection.Reindex].
func (s *Scope) Import(ctx context.Context, r io.Reader, opts *VerifyOptions) (Report, error) {
	var o VerifyOptions
	if opts != nil {
		o = VerifyOptions{Checkpoint: opts.Checkpoint, Progress: opts.Progress}
	}
	var batch []line
	flush := func() error {
		if len(batch) == 0 {
			return nil
		}
		err := s.in(ctx, true, func(tx *Tx) error {
			for _, l := range batch {
				if err := tx.replay(ctx, l); err != nil {
					return tx.broken(err)
				}
			}
			return nil
		})
		batch = batch[:0]
		return err
	}
	report, err := readExport(r, o,
		func(h exportHeader) error {
			if h.Tenant != s.p.Tenant {
				return invalid("the export is one of tenant %q", h.Tenant)
			}
			return nil
		},
		func(l line) error {
			l.raw, l.payload = append([]byte{}, l.raw...), cloneContent(l.payload)
			if batch = append(batch, l); len(batch) == importBatch {
				return flush()
			}
			return nil
		},
		func(data []byte) error {
			_, err := s.PutBlob(ctx, data)
			return err
		})
	if err == nil {
		err = flush()
	}
	if err != nil {
		return report, s.error("import", err)
	}
	return report, nil
}

// cloneContent keeps nil apart from empty.
func cloneContent(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, b...)
}

// replay makes the change that an entry tells of, as it was made then.
func (tx *Tx) replay(ctx context.Context, l line) error {
	h, err := tx.loadHead(ctx)
	if err != nil {
		return err
	}
	e := l.entry
	if e.Seq <= h.seq {
		r, err := tx.d.Get(ctx, auditCollection, auditKey(e.Seq))
		if err != nil {
			return err
		}
		there, err := parseLine(r.Data)
		if err == nil && there.hash != l.hash {
			err = &ChainError{e.Tenant, e.Seq, "", "", "the store holds another entry"}
		}
		return err
	}
	if e.Seq != h.seq+1 || e.Prev != h.hash {
		return &ChainError{e.Tenant, e.Seq, "", "", fmt.Sprintf("it does not continue the trail of the store, which ends with entry %d", h.seq)}
	}
	if err := errors.Join(checkName("a collection", e.Collection), checkKey(e.Key)); err != nil {
		return err
	}
	was, err := tx.d.Get(ctx, e.Collection, e.Key)
	if errors.Is(err, driver.ErrNotFound) {
		was, err = driver.Record{}, nil
	}
	if err != nil {
		return err
	}
	switch e.Action {
	case ActionPut, ActionSeal:
		err = tx.d.Put(ctx, e.Collection, was, driver.Record{Key: e.Key, Revision: e.Revision, Attrs: was.Attrs, Data: l.bytes()})
	case ActionDelete:
		err = tx.d.Delete(ctx, e.Collection, was)
	}
	if err != nil {
		return err
	}
	return tx.appendLine(ctx, l)
}
