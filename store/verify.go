package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/issokit/issokit/store/driver"
)

// A ChainError names the first entry of an audit trail that is not what was
// written, and why. Records that are not as the trail says make one too: Seq is
// then the entry that says so, 0 for a blob or a record that no entry speaks of.
type ChainError struct {
	Tenant          string
	Seq             int64
	Collection, Key string // of a record, if it is one
	Why             string
}

func (e *ChainError) Error() string {
	s := fmt.Sprintf("audit trail of tenant %q: entry %d: %s", e.Tenant, e.Seq, e.Why)
	if e.Collection != "" {
		s += fmt.Sprintf(" (%s %q)", e.Collection, e.Key)
	}
	return s
}

// VerifyOptions configure [Scope.Verify] and [VerifyExport]; nil means the
// defaults.
type VerifyOptions struct {
	From, To   int64           // part of the trail; default 0 is from the first and to the last entry
	Checkpoint *Checkpoint     // the trail must reach it, with its hash
	TrailOnly  bool            // do not compare the records and blobs with the trail; so for a part, and in exports
	Progress   func(seq int64) // called about every 1,000 entries
}

// A Report says what was verified.
type Report struct {
	Tenant  string
	Entries int64
	Seq     int64  // last entry
	Hash    Digest // of the last entry
	Erased  int64  // entries whose content was erased
	Records int64  // records that are as the trail says
	Blobs   int64
}

// Verify checks the audit trail of the tenant in one snapshot: that the entries
// follow each other without gap, each the hash of the one before, that stored
// hashes and contents fit, and that the trail reaches the checkpoint. A whole
// trail is also compared with the records: every record must be the last version
// that the trail tells of. The first that is wrong is a [*ChainError].
//
// A chain alone cannot show that its end was cut off, or that all of it was
// written anew from some entry on. A [Checkpoint] that was kept elsewhere can.
func (s *Scope) Verify(ctx context.Context, opts *VerifyOptions) (Report, error) {
	var o VerifyOptions
	if opts != nil {
		o = *opts
	}
	var report Report
	verify := func(tx *Tx) error {
		v := &verifier{opts: o, report: Report{Tenant: s.p.Tenant}, next: max(o.From, 1)}
		if o.From <= 1 && o.To == 0 && !o.TrailOnly {
			v.latest = map[string]latest{}
		}
		err := v.run(ctx, tx)
		report = v.report
		return err
	}
	if err := s.in(ctx, false, verify); err != nil {
		if _, ok := errors.AsType[*Error](err); !ok {
			err = s.error("verify", err)
		}
		return report, err
	}
	return report, nil
}

// A verifier goes along a trail.
type verifier struct {
	opts   VerifyOptions
	report Report
	next   int64  // sequence number that must come
	prev   Digest // hash of the entry before
	latest map[string]latest
}

// latest is the entry that the record must come from.
type latest struct {
	seq, revision int64
	hash, content Digest
	size          int // of its canonical form
}

// is tells whether data is the line of the entry with its content. It does not
// read the entry, which has been read in the trail: its hash shows that it is the
// same.
func (w latest) is(data []byte) bool {
	raw, ok := bytes.CutPrefix(data, []byte(`{"entry":`))
	if !ok || len(raw) < w.size {
		return false
	}
	raw, rest := raw[:w.size], raw[w.size:]
	middle := append(hex.AppendEncode(append(make([]byte, 0, 96), `,"hash":"`...), w.hash[:]), `","payload":`...)
	payload, ok := bytes.CutPrefix(rest, middle)
	if ok {
		payload, ok = bytes.CutSuffix(payload, []byte("}"))
	}
	return ok && hashEntry(raw) == w.hash && sha256.Sum256(payload) == w.content
}

func (v *verifier) bad(why string, args ...any) error {
	return &ChainError{Tenant: v.report.Tenant, Seq: v.next, Why: fmt.Sprintf(why, args...)}
}

// add checks the next line.
func (v *verifier) add(l line) error {
	e := &l.entry
	switch {
	case e.Seq != v.next:
		return v.bad("expected sequence number %d, found %d", v.next, e.Seq)
	case e.Tenant != v.report.Tenant:
		return v.bad("the entry is one of tenant %q", e.Tenant)
	case e.Prev != v.prev:
		return v.bad("it does not follow the entry before: expected its hash %x, found %x", v.prev[:], e.Prev[:])
	}
	if why := l.check(); why != "" {
		return v.bad("%s", why)
	}
	if cp := v.opts.Checkpoint; cp != nil && cp.Seq == e.Seq && cp.Hash != l.hash {
		return v.bad("the checkpoint has the hash %x, the entry %x", cp.Hash[:], l.hash[:])
	}
	if l.erased() {
		v.report.Erased++
	}
	if v.latest != nil {
		name := recordName(e.Collection, e.Key)
		switch e.Action {
		case ActionPut, ActionSeal:
			v.latest[name] = latest{e.Seq, e.Revision, l.hash, e.Content, len(l.raw)}
		case ActionDelete:
			delete(v.latest, name)
		}
	}
	v.prev = l.hash
	v.report.Entries++
	v.report.Seq, v.report.Hash = e.Seq, l.hash
	if v.opts.Progress != nil && v.report.Entries%1000 == 0 {
		v.opts.Progress(e.Seq)
	}
	v.next++
	return nil
}

// end checks that the trail reaches what is known of it.
func (v *verifier) end() error {
	if v.opts.Progress != nil {
		v.opts.Progress(v.report.Seq)
	}
	if v.opts.To > 0 && v.next <= v.opts.To {
		return v.bad("it is missing: the trail should go up to %d", v.opts.To)
	}
	if cp := v.opts.Checkpoint; cp != nil {
		if cp.Tenant != v.report.Tenant {
			return fmt.Errorf("%w: the checkpoint is one of tenant %q", ErrInvalid, cp.Tenant)
		}
		if v.next <= cp.Seq && (v.opts.To == 0 || v.opts.To >= cp.Seq) {
			return v.bad("it is missing: the checkpoint knows entries up to %d", cp.Seq)
		}
	}
	return nil
}

func (v *verifier) run(ctx context.Context, tx *Tx) error {
	q := driver.Query{NoAttrs: true}
	if v.next > 1 {
		q.KeyFrom = auditKey(v.next)
		r, err := tx.d.Get(ctx, auditCollection, auditKey(v.next-1))
		if err != nil {
			return fmt.Errorf("entry %d, which is before the part: %w", v.next-1, err)
		}
		l, err := parseLine(r.Data)
		if err != nil {
			return err
		}
		v.prev = l.hash
	}
	if v.opts.To > 0 {
		q.KeyTo = auditKey(v.opts.To + 1)
	}
	for r, err := range ahead(tx.d.Scan(ctx, auditCollection, q)) {
		if err != nil {
			return err
		}
		l, err := parseLine(r.Data)
		if err != nil {
			return v.bad("%v", err)
		}
		if r.Key != auditKey(l.entry.Seq) {
			return v.bad("it is stored as %q", r.Key)
		}
		if err := v.add(l); err != nil {
			return err
		}
	}
	if err := v.end(); err != nil {
		return err
	}
	if v.latest == nil {
		return nil
	}
	if err := v.records(ctx, tx); err != nil {
		return err
	}
	return v.blobs(ctx, tx)
}

// ahead yields what seq yields, while another goroutine gets what comes next:
// reading and checking take about as long as each other.
func ahead(seq iter.Seq2[driver.Record, error]) iter.Seq2[driver.Record, error] {
	type part struct {
		records []driver.Record
		err     error
		panic   any
	}
	const records, size, parts = 128, 256 << 10, 4 // of a part, and how many wait
	return func(yield func(driver.Record, error) bool) {
		ready, stop := make(chan part, parts), make(chan struct{})
		go func() {
			defer close(ready)
			var p part
			n := 0
			send := func() bool {
				select {
				case ready <- p:
					p, n = part{}, 0
					return true
				case <-stop:
					return false
				}
			}
			defer func() { // a panic is one of who asks for the records
				if p.panic = recover(); p.panic != nil {
					send()
				}
			}()
			for r, err := range seq {
				if err != nil {
					p.err = err
					break
				}
				if p.records == nil {
					p.records = make([]driver.Record, 0, records)
				}
				p.records = append(p.records, r)
				if n += len(r.Data); (n > size || len(p.records) == records) && !send() {
					return
				}
			}
			send()
		}()
		defer func() { // seq has ended when this returns
			close(stop)
			for range ready {
			}
		}()
		for p := range ready {
			for _, r := range p.records {
				if !yield(r, nil) {
					return
				}
			}
			if p.panic != nil {
				panic(p.panic)
			}
			if p.err != nil {
				yield(driver.Record{}, p.err)
				return
			}
		}
	}
}

// records compares all records with the trail, collection by collection.
func (v *verifier) records(ctx context.Context, tx *Tx) error {
	var collections []string
	seen := map[string]bool{}
	for name := range v.latest {
		if collection, _ := splitName(name); !seen[collection] {
			seen[collection] = true
			collections = append(collections, collection)
		}
	}
	slices.Sort(collections)
	bad := func(collection, key string, seq int64, why string) error {
		return &ChainError{v.report.Tenant, seq, collection, key, why}
	}
	for _, collection := range collections {
		for r, err := range ahead(tx.d.Scan(ctx, collection, driver.Query{NoAttrs: true})) {
			if err != nil {
				return err
			}
			name := recordName(collection, r.Key)
			want, known := v.latest[name]
			if !known {
				return bad(collection, r.Key, 0, "a record that the trail does not know, or says is deleted")
			}
			if r.Revision != want.revision || !want.is(r.Data) {
				why := "the record is not the last version that the trail tells of"
				if _, err := parseRecord(collection, r); err != nil {
					why = err.Error()
				}
				return bad(collection, r.Key, want.seq, why)
			}
			delete(v.latest, name)
			v.report.Records++
		}
	}
	var first *latest
	var lost string
	for name, l := range v.latest {
		if first == nil || l.seq < first.seq {
			first, lost = &l, name
		}
	}
	if first != nil {
		collection, key := splitName(lost)
		return bad(collection, key, first.seq, "the record is missing")
	}
	return nil
}

func (v *verifier) blobs(ctx context.Context, tx *Tx) error {
	for r, err := range tx.d.Scan(ctx, blobCollection, driver.Query{}) {
		if err != nil {
			return err
		}
		if Digest(sha256.Sum256(r.Data)).String() != r.Key {
			return &ChainError{v.report.Tenant, 0, blobCollection, r.Key, "the blob does not fit its digest"}
		}
		v.report.Blobs++
	}
	return nil
}
