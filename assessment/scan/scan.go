package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/issokit/issokit/assessment"
)

// headSize is how much of a report is looked at to find out its format.
const headSize = 8 << 10

// An Importer reads the reports of one format. Importers hold no state and are
// safe for concurrent use.
type Importer struct {
	name    string
	detect  func(head []byte) int // how sure: 0 is no
	records func(ctx context.Context, r io.Reader, o Options, yield func(assessment.Record, error) bool)
}

// importers are all formats; of two that are equally sure the first one wins.
var importers = []*Importer{SARIF}

// Name returns the name of the format, e.g. "sarif".
func (im *Importer) Name() string { return im.name }

// Detect tells whether a report that begins with head is of the format. A few
// kilobytes are enough.
func (im *Importer) Detect(head []byte) bool { return im.detect(head) > 0 }

// Records reads a report. The sequence yields the records in the order of the
// report; if the report cannot be read to its end, or ctx ends, the last pair
// has an error, which is an [*Error]. A record is the caller's own, but for
// Rule.Tags, which the records of one rule share.
//
// The sequence can be used once, unless r is an [io.Seeker]: then it starts at
// the same place each time.
func (im *Importer) Records(ctx context.Context, r io.Reader, opts *Options) iter.Seq2[assessment.Record, error] {
	start := int64(-1)
	if s, ok := r.(io.Seeker); ok {
		if at, err := s.Seek(0, io.SeekCurrent); err == nil {
			start = at
		}
	}
	return func(yield func(assessment.Record, error) bool) {
		o := opts.withDefaults()
		if start < 0 {
			r = struct{ io.Reader }{r} // a pipe says that it seeks, and fails
		} else if _, err := r.(io.Seeker).Seek(start, io.SeekStart); err != nil {
			yield(assessment.Record{}, &Error{Format: im.name, File: o.Name, Err: err})
			return
		}
		im.records(ctx, r, o, yield)
	}
}

// Options configure reading; nil means the defaults.
type Options struct {
	// Name of the report in errors.
	Name string
	// Warn is told what was read as well as could be, but not as specified.
	Warn func(*Error)
	// Progress is told, every few hundred records and at the end, how many bytes
	// of the report were read.
	Progress func(bytes int64)
	// Open gives the files that the report refers to for a part of its content
	// (SARIF: external property files). Without it such a part is an error, if it
	// holds results, else a warning.
	Open func(uri string) (io.ReadCloser, error)
	// Spool holds what has to be read a second time, where the reader cannot
	// seek. Without it memory is used.
	Spool io.ReadWriteSeeker
	// MaxSpool bounds the bytes in the spool; default 64 MiB.
	MaxSpool int64
	// MaxText bounds the bytes of one text or number of the report; default 16
	// MiB.
	MaxText int
}

func (o *Options) withDefaults() Options {
	var d Options
	if o != nil {
		d = *o
	}
	if d.MaxSpool <= 0 {
		d.MaxSpool = 64 << 20
	}
	if d.MaxText <= 0 {
		d.MaxText = 16 << 20
	}
	if d.Warn == nil {
		d.Warn = func(*Error) {}
	}
	if d.Progress == nil {
		d.Progress = func(int64) {}
	}
	return d
}

// Detect returns the importer for a report that begins with head, of which the
// first 8 KiB are looked at. The error is [ErrFormat] if there is none.
func Detect(head []byte) (*Importer, error) {
	im, err := detect(head)
	if err != nil {
		return nil, fmt.Errorf("scan: %w", err)
	}
	return im, nil
}

func detect(head []byte) (*Importer, error) {
	head = head[:min(len(head), headSize)]
	var best *Importer
	most := 0
	for _, im := range importers {
		if n := im.detect(head); n > most {
			best, most = im, n
		}
	}
	switch {
	case best != nil:
		return best, nil
	case len(bytes.TrimSpace(head)) == 0:
		return nil, fmt.Errorf("%w: it is empty", ErrFormat)
	case isWide(head):
		return nil, fmt.Errorf("%w: %s", ErrFormat, wide)
	}
	var known []string
	for _, im := range importers {
		known = append(known, im.name)
	}
	return nil, fmt.Errorf("%w: expected %s, found a text that begins with %q", ErrFormat, strings.Join(known, ", "), head[:min(len(head), 40)])
}

// Records finds out the format of a report and reads it as
// [Importer.Records] does.
func Records(ctx context.Context, r io.Reader, opts *Options) iter.Seq2[assessment.Record, error] {
	return func(yield func(assessment.Record, error) bool) {
		head := make([]byte, headSize)
		n, err := io.ReadFull(r, head)
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			yield(assessment.Record{}, &Error{File: opts.withDefaults().Name, Err: err})
			return
		}
		head = head[:n]
		im, err := detect(head)
		if err != nil {
			yield(assessment.Record{}, &Error{File: opts.withDefaults().Name, Line: 1, Column: 1, Err: err})
			return
		}
		whole := io.MultiReader(bytes.NewReader(head), r)
		if s, ok := r.(io.Seeker); ok {
			if _, err := s.Seek(int64(-n), io.SeekCurrent); err == nil {
				whole = r
			}
		}
		im.Records(ctx, whole, opts)(yield)
	}
}
