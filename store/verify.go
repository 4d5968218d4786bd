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
	"strconv"
	"time"

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

// VerifyOptions configure [Scope.Verify], [VerifyExport] and [Scope.Import]; nil
// means the defaults.
type VerifyOptions struct {
	// From and To select a part of the trail; default 0 is from the first and to the
	// last entry.
	From, To int64

	// Checkpoint is what was known of the trail before: it must reach that entry,
	// with its hash. In a part, the checkpoint must be one of its entries or that
	// before the first; else the error matches [ErrInvalid].
	Checkpoint *Checkpoint

	TrailOnly bool            // do not compare the records and blobs with the trail; so for a part
	MaxLine   int             // bytes of a line of an export; default 96 MiB
	Progress  func(seq int64) // called about every 1,000 entries
}

// A Report says what was verified.
type Report struct {
	Tenant  string
	Entries int64
	From    int64  // first entry; 1 for a whole trail
	Prev    Digest // hash of the entry before the first, zero for a whole trail: a part proves no more than that it follows that one
	Seq     int64  // last entry
	Hash    Digest // of the last entry
	Erased  int64  // entries whose content was erased
	Records int64  // records that are as the trail says
	Blobs   int64
	NoBlobs bool // the export was made without blobs
}

// Verify checks the audit trail of the tenant in one snapshot: that the entries
// follow each other without gap, each the hash of the one before, that stored
// hashes and contents fit, and that the trail reaches the checkpoint. A whole
// trail is also compared with all else that the back end holds of the tenant:
// every record must be the last version that the trail tells of, every blob that
// it tells of must be there, and the index must find what the records say. The
// first that is wrong is a [*ChainError].
//
// The attributes of records are made from their contents by the program, not by
// the trail: whether they are the right ones is what [Collection.CheckIndex] says.
//
// A chain alone cannot show that its end was cut off, or that all of it was
// written anew from some entry on. A [Checkpoint] that was kept elsewhere can. A
// trail without entries is intact, too: see Report.Entries.
func (s *Scope) Verify(ctx context.Context, opts *VerifyOptions) (Report, error) {
	var o VerifyOptions
	if opts != nil {
		o = *opts
	}
	var report Report
	verify := func(tx *Tx) error {
		v := newVerifier(s.p.Tenant, max(o.From, 1), o)
		if o.From <= 1 && o.To == 0 && !o.TrailOnly {
			v.courses = map[string]course{}
		}
		err := v.run(ctx, tx)
		if c, ok := errors.AsType[*driver.CorruptError](err); ok {
			err = v.corrupt(c)
		}
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
	opts    VerifyOptions
	report  Report
	next    int64                // sequence number that must come
	prev    Digest               // hash of the entry before
	time    time.Time            // of the entry before
	courses map[string]course    // of the records by name; nil if they are not compared
	blobs   map[string]blobState // by digest
}

// blobState is what the trail says of a blob.
type blobState struct {
	seq    int64
	erased bool
}

func newVerifier(tenant string, from int64, o VerifyOptions) *verifier {
	return &verifier{opts: o, report: Report{Tenant: tenant, From: from, Seq: from - 1}, next: from, blobs: map[string]blobState{}}
}

// is tells whether data is the line of the entry with its content. It does not
// read the entry, which has been read in the trail: its hash shows that it is the
// same.
func (c course) is(data []byte) bool {
	raw, ok := bytes.CutPrefix(data, []byte(`{"entry":`))
	if !ok || len(raw) < c.size {
		return false
	}
	raw, rest := raw[:c.size], raw[c.size:]
	middle := append(hex.AppendEncode(append(make([]byte, 0, 96), `,"hash":"`...), c.hash[:]), `","payload":`...)
	payload, ok := bytes.CutPrefix(rest, middle)
	if ok {
		payload, ok = bytes.CutSuffix(payload, []byte("}"))
	}
	return ok && hashEntry(raw) == c.hash && sha256.Sum256(payload) == c.content
}

func (v *verifier) bad(why string, args ...any) error {
	return &ChainError{Tenant: v.report.Tenant, Seq: v.next, Why: fmt.Sprintf(why, args...)}
}

// badRecord is an error of what is stored beside the trail; seq is the entry that
// speaks of it, 0 for none.
func (v *verifier) badRecord(collection, key string, seq int64, why string) error {
	return &ChainError{v.report.Tenant, seq, collection, key, why}
}

// corrupt names what the back end could not read.
func (v *verifier) corrupt(c *driver.CorruptError) error {
	if c.Collection != auditCollection {
		return v.badRecord(c.Collection, c.Key, v.courses[recordName(c.Collection, c.Key)].seq, c.Err.Error())
	}
	if seq, err := strconv.ParseInt(c.Key, 10, 64); err == nil && auditKey(seq) == c.Key {
		v.next = seq
	}
	return v.bad("%v", c.Err)
}

// begin says what the part follows, and compares the checkpoint with it.
func (v *verifier) begin(prev Digest) error {
	v.prev, v.report.Prev = prev, prev
	cp := v.opts.Checkpoint
	switch {
	case cp == nil:
	case cp.Tenant != v.report.Tenant:
		return invalid("the checkpoint is one of tenant %q", cp.Tenant)
	case cp.Seq < v.next-1:
		return invalid("the checkpoint of entry %d is not in this part, which begins with entry %d", cp.Seq, v.next)
	case v.opts.To > 0 && cp.Seq > v.opts.To:
		return invalid("the checkpoint of entry %d is not in this part, which ends with entry %d", cp.Seq, v.opts.To)
	case cp.Seq == v.next-1 && cp.Hash != prev:
		v.next--
		return v.bad("the checkpoint has the hash %x, the entry %x", cp.Hash[:], prev[:])
	}
	return nil
}

// add checks the next line. name is that of its record.
func (v *verifier) add(l line, name string) error {
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
	if e.Time.Before(v.time) {
		return v.bad("its time %s is before that of the entry before, %s", TimeValue(e.Time), TimeValue(v.time))
	}
	if l.erased() {
		v.report.Erased++
	}
	switch {
	case e.Action == ActionBlob:
		v.blobs[e.Key] = blobState{seq: e.Seq}
	case e.Action == ActionErase && e.Collection == blobCollection:
		v.blobs[e.Key] = blobState{seq: e.Seq, erased: true}
	case v.courses != nil:
		c := v.courses[name]
		if why := c.refuses(e); why != "" {
			return v.bad("%s", why)
		}
		if e.Action != ActionRead && e.Action != ActionErase {
			v.courses[name] = c.after(l)
		}
	}
	v.prev, v.time = l.hash, e.Time
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
	if cp := v.opts.Checkpoint; cp != nil && v.next <= cp.Seq {
		return v.bad("it is missing: the checkpoint knows entries up to %d", cp.Seq)
	}
	return nil
}

func (v *verifier) run(ctx context.Context, tx *Tx) error {
	var prev Digest
	q := driver.Query{NoAttrs: true}
	if v.next > 1 {
		q.KeyFrom = auditKey(v.next)
		_, before, err := tx.entry(ctx, v.next-1)
		if err != nil {
			return err
		}
		prev, v.time = before.hash, before.entry.Time
	}
	if err := v.begin(prev); err != nil {
		return err
	}
	if v.opts.To > 0 {
		q.KeyTo = auditKey(v.opts.To + 1)
	}
	var index *indexCheck // of the entries, by which histories are found
	if v.courses != nil {
		index = newIndexCheck(tx, auditCollection)
		q.NoAttrs = index != nil // the entry itself says how it is found
	}
	for r, err := range ahead(tx.d.Scan(ctx, auditCollection, q)) {
		if err != nil {
			return err
		}
		l, err := parseLine(r.Data)
		if err != nil {
			return v.bad("%v", err)
		}
		e := &l.entry
		if r.Key != auditKey(e.Seq) {
			return v.bad("it is stored as %q", r.Key)
		}
		name := ""
		if v.courses != nil {
			name = recordName(e.Collection, e.Key)
			if attrs := e.attrs(); index != nil {
				index.add(r.Key, attrs)
			} else if !slices.Equal(attrs, r.Attrs) {
				return v.bad("the index does not find it by what it is about")
			}
		}
		if err := v.add(l, name); err != nil {
			return err
		}
	}
	if err := v.end(); err != nil {
		return err
	}
	if v.courses == nil {
		return nil
	}
	err := index.compare(ctx, func(yield func(driver.Record, error) bool) {
		for r, err := range tx.d.Scan(ctx, auditCollection, driver.Query{NoAttrs: true}) {
			if l, lineErr := parseLine(r.Data); lineErr == nil {
				r.Attrs = l.entry.attrs()
			}
			if !yield(r, err) {
				return
			}
		}
	})
	if wrong, ok := errors.AsType[*indexError](err); ok {
		v.next, _ = strconv.ParseInt(wrong.key, 10, 64) // 0 if no entry has the key
		return v.bad("%s", wrong.why)
	}
	if err != nil {
		return err
	}
	return v.stored(ctx, tx)
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

// stored compares all that is stored beside the trail with it.
func (v *verifier) stored(ctx context.Context, tx *Tx) error {
	collections, err := tx.d.Collections(ctx)
	if err != nil {
		return err
	}
	for _, collection := range collections {
		switch collection {
		case auditCollection:
		case blobCollection:
			err = v.storedBlobs(ctx, tx)
		default:
			err = v.storedRecords(ctx, tx, collection)
		}
		if err != nil {
			return err
		}
	}
	var first course
	var lost string
	for name, c := range v.courses { // those that were found are taken out
		if c.there() && (first.seq == 0 || c.seq < first.seq) {
			first, lost = c, name
		}
	}
	if first.seq != 0 {
		collection, key := splitName(lost)
		return v.badRecord(collection, key, first.seq, "the record is missing")
	}
	return v.missingBlob()
}

// storedRecords compares the records of a collection.
func (v *verifier) storedRecords(ctx context.Context, tx *Tx, collection string) error {
	index := newIndexCheck(tx, collection)
	for r, err := range ahead(tx.d.Scan(ctx, collection, driver.Query{NoAttrs: index == nil})) {
		if err != nil {
			return err
		}
		name := recordName(collection, r.Key)
		want := v.courses[name]
		if !want.there() {
			return v.badRecord(collection, r.Key, want.seq, "a record that the trail does not know, or says is deleted")
		}
		if r.Revision != want.revision || !want.is(r.Data) {
			why := "the record is not the last version that the trail tells of"
			if _, err := parseRecord(collection, r); err != nil {
				why = err.Error()
			}
			return v.badRecord(collection, r.Key, want.seq, why)
		}
		if index != nil {
			index.add(r.Key, r.Attrs)
		}
		delete(v.courses, name)
		v.report.Records++
	}
	err := index.compare(ctx, tx.d.Scan(ctx, collection, driver.Query{}))
	if wrong, ok := errors.AsType[*indexError](err); ok {
		return v.badRecord(collection, wrong.key, 0, wrong.why)
	}
	return err
}

func (v *verifier) storedBlobs(ctx context.Context, tx *Tx) error {
	for r, err := range tx.d.Scan(ctx, blobCollection, driver.Query{NoAttrs: true}) {
		if err != nil {
			return err
		}
		if err := v.blob(r.Key, sha256.Sum256(r.Data)); err != nil {
			return err
		}
	}
	return nil
}

// blob checks a blob that is there.
func (v *verifier) blob(key string, sum Digest) error {
	state := v.blobs[key]
	switch {
	case sum.String() != key:
		return v.badRecord(blobCollection, key, state.seq, "the blob does not fit its digest")
	case state.erased:
		return v.badRecord(blobCollection, key, state.seq, "the blob is there, and the trail says that it was removed")
	}
	delete(v.blobs, key)
	v.report.Blobs++
	return nil
}

// missingBlob names the first blob that should be there, of those that were not.
func (v *verifier) missingBlob() error {
	var first blobState
	var lost string
	for key, b := range v.blobs {
		if !b.erased && (first.seq == 0 || b.seq < first.seq) {
			first, lost = b, key
		}
	}
	if first.seq == 0 {
		return nil
	}
	return v.badRecord(blobCollection, lost, first.seq, "the blob is missing")
}
