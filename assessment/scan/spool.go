package scan

import (
	"bytes"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// A part is a value of the report that is read when the rest is known: again
// from the report, if its reader seeks, else from the spool.
type part struct {
	start   int64 // in the report
	at      point
	pointer string
	data    func() (io.Reader, error)
	done    func() error // brings the reader of the report back to where it was
}

// A keeper keeps parts of one report.
type keeper struct {
	report io.Reader
	start  int64 // where a seeking report starts
	seeks  bool
	opts   *Options
	kept   int64 // bytes in the spool
}

func newKeeper(report io.Reader, opts *Options) *keeper {
	k := &keeper{report: report, opts: opts}
	if s, ok := report.(io.Seeker); ok {
		at, err := s.Seek(0, io.SeekCurrent)
		k.start, k.seeks = at, err == nil
	}
	return k
}

// keep skips the next value and returns it as a part. Should its text be
// broken, the part ends where reading did, and the error is returned with it.
// Without a part nothing could be kept.
func (k *keeper) keep(r *reader) (*part, error) {
	ahead := r.ahead()
	p := &part{
		start:   r.offset() + ahead,
		at:      r.src.point(r.InputOffset() + ahead),
		pointer: r.pointer + string(r.StackPointer()),
	}
	if k.seeks {
		err := k.skip(r)
		p.data = func() (io.Reader, error) {
			_, err := k.report.(io.Seeker).Seek(k.start+p.start, io.SeekStart)
			return k.report, err
		}
		p.done = func() error {
			_, err := k.report.(io.Seeker).Seek(k.start+r.base+r.src.skipped+r.src.n, io.SeekStart)
			return err
		}
		return p, err
	}
	if k.opts.Spool == nil {
		k.opts.Spool = &memory{}
	}
	from := k.kept
	if _, err := k.opts.Spool.Seek(from, io.SeekStart); err != nil {
		return nil, err
	}
	if _, err := k.Write(r.UnreadBuffer()[ahead:]); err != nil {
		return nil, err
	}
	r.src.tee = k
	err := k.skip(r)
	r.src.tee = nil
	p.data = func() (io.Reader, error) {
		_, err := k.opts.Spool.Seek(from, io.SeekStart)
		return io.LimitReader(k.opts.Spool, k.kept-from), err
	}
	p.done = func() error {
		k.kept = from
		return nil
	}
	return p, err
}

// skip skips a value item by item, so that a cancelled context ends it.
func (k *keeper) skip(r *reader) error {
	if r.PeekKind() != jsontext.KindBeginArray {
		return r.SkipValue()
	}
	n := 0
	return r.array(func() error {
		if n++; n%256 == 0 {
			if err := r.ctx.Err(); err != nil {
				return err
			}
		}
		return r.SkipValue()
	})
}

// Write adds to the spool.
func (k *keeper) Write(p []byte) (int, error) {
	if k.kept+int64(len(p)) > k.opts.MaxSpool {
		return 0, fmt.Errorf("%w: more than %d bytes have to be read twice, and the reader of the report cannot seek", ErrLimit, k.opts.MaxSpool)
	}
	n, err := k.opts.Spool.Write(p)
	k.kept += int64(n)
	return n, err
}

// open returns a reader of a part.
func (p *part) open(r *reader) (*reader, error) {
	data, err := p.data()
	if err != nil {
		return nil, err
	}
	sub := newReader(r.ctx, data, r.opts, r.format)
	sub.base, sub.pointer = p.start, p.pointer
	sub.src.started, sub.src.at = true, p.at
	return sub, nil
}

// A memory is a spool in memory.
type memory struct {
	data []byte
	at   int64
}

func (m *memory) Seek(offset int64, whence int) (int64, error) {
	m.at = offset // always from the start
	return m.at, nil
}

func (m *memory) Write(p []byte) (int, error) {
	m.data = append(m.data[:m.at], p...)
	m.at += int64(len(p))
	return len(p), nil
}

func (m *memory) Read(p []byte) (int, error) {
	n, err := bytes.NewReader(m.data[m.at:]).Read(p)
	m.at += int64(n)
	return n, err
}
