package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"
)

// A source feeds a decoder. It counts lines, drops a byte order mark, and
// refuses to read on when the decoder collects more than one text may have.
type source struct {
	r       io.Reader
	dec     *jsontext.Decoder
	skipped int64 // of the byte order mark
	n       int64 // bytes given to the decoder
	lines   int   // line ends in them
	max     int
	tee     io.Writer // also gets what is read, if not nil
	started bool
}

func (s *source) Read(p []byte) (int, error) {
	if !s.started {
		s.started = true
		if err := s.start(); err != nil {
			return 0, err
		}
	}
	if int(s.n-s.dec.InputOffset()) > s.max {
		return 0, fmt.Errorf("%w: a text of more than %d bytes", ErrLimit, s.max)
	}
	n, err := s.r.Read(p)
	s.n += int64(n)
	s.lines += bytes.Count(p[:n], []byte{'\n'})
	if s.tee != nil && n > 0 {
		if _, err := s.tee.Write(p[:n]); err != nil {
			return 0, err
		}
	}
	return n, err
}

// start looks at the first bytes: a UTF-8 byte order mark is dropped, other
// encodings are refused by name.
func (s *source) start() error {
	var head [3]byte
	n, err := io.ReadFull(s.r, head[:])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	b := head[:n]
	switch {
	case bytes.Equal(b, []byte("\xEF\xBB\xBF")):
		s.skipped = 3
		return nil
	case bytes.HasPrefix(b, []byte("\xFF\xFE")), bytes.HasPrefix(b, []byte("\xFE\xFF")), bytes.IndexByte(b, 0) >= 0:
		return fmt.Errorf("%w: expected UTF-8, found UTF-16 or UTF-32", ErrSyntax)
	}
	s.r = io.MultiReader(bytes.NewReader(b), s.r)
	return nil
}

// A reader walks through a JSON text. Its methods return an error only if the
// text cannot be read on; a value of a kind that was not expected is skipped
// with a warning, null is like an absent member.
type reader struct {
	*jsontext.Decoder
	src     *source
	ctx     context.Context
	opts    *Options
	format  string
	base    int64  // offset of the text in the report
	line    int    // its line, from 0
	pointer string // of the text in the report
}

func newReader(ctx context.Context, r io.Reader, opts *Options, format string) *reader {
	src := &source{r: r, max: opts.MaxText}
	src.dec = jsontext.NewDecoder(src, jsontext.AllowInvalidUTF8(true))
	return &reader{Decoder: src.dec, src: src, ctx: ctx, opts: opts, format: format}
}

// offset is the place in the report behind what was read last.
func (r *reader) offset() int64 { return r.base + r.src.skipped + r.InputOffset() }

// ahead returns how many bytes stand between what was read last and the next
// value: white space, and a colon or a comma.
func (r *reader) ahead() int64 {
	r.PeekKind()
	rest := r.UnreadBuffer()
	return int64(len(rest) - len(bytes.TrimLeft(rest, ":, \t\r\n")))
}

// lineAt returns the line, from 1, of an offset of the decoder that is not
// before what was read last.
func (r *reader) lineAt(offset int64) int {
	rest := r.UnreadBuffer()
	ahead := min(max(int(offset-r.InputOffset()), 0), len(rest))
	return 1 + r.line + r.src.lines - bytes.Count(rest[ahead:], []byte{'\n'})
}

// fail returns the error that ends reading, with its place.
func (r *reader) fail(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	at, pointer := r.InputOffset(), r.StackPointer()
	if se, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		at, pointer = se.ByteOffset, se.JSONPointer
		switch {
		case errors.Is(se.Err, io.ErrUnexpectedEOF):
			err = fmt.Errorf("%w: it ends too early: %w", ErrSyntax, se.Err)
		default:
			err = fmt.Errorf("%w: %w", ErrSyntax, se.Err)
		}
	} else if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: expected a JSON value, found the end: %w", ErrSyntax, io.ErrUnexpectedEOF)
	}
	return r.error(at, string(pointer), err)
}

func (r *reader) error(at int64, pointer string, err error) *Error {
	return &Error{r.format, r.opts.Name, r.base + r.src.skipped + at, r.lineAt(at), r.pointer + pointer, err}
}

func (r *reader) warn(format string, args ...any) {
	err := fmt.Errorf("%w: "+format, append([]any{ErrContent}, args...)...)
	r.opts.Warn(r.error(r.InputOffset(), string(r.StackPointer()), err))
}

// is tells whether the next value is of a kind. If not, it is skipped.
func (r *reader) is(kind jsontext.Kind) (bool, error) {
	k := r.PeekKind()
	switch k {
	case kind:
		return true, nil
	case jsontext.KindInvalid:
		_, err := r.ReadToken()
		return false, err
	case jsontext.KindNull:
		return false, r.SkipValue()
	}
	r.warn("expected %s, found %s", kindName(kind), kindName(k))
	return false, r.SkipValue()
}

func kindName(k jsontext.Kind) string {
	switch k {
	case jsontext.KindBeginObject:
		return "an object"
	case jsontext.KindBeginArray:
		return "an array"
	case jsontext.KindString:
		return "a string"
	case jsontext.KindNumber:
		return "a number"
	}
	return "true or false"
}

// object calls member at the value of each member of an object. The name is
// good until something is read.
func (r *reader) object(member func(name []byte) error) error {
	if ok, err := r.is(jsontext.KindBeginObject); !ok {
		return err
	}
	if _, err := r.ReadToken(); err != nil {
		return err
	}
	for r.PeekKind() != jsontext.KindEndObject {
		quoted, err := r.ReadValue()
		if err != nil {
			return err
		}
		name := []byte(quoted[1 : len(quoted)-1])
		if bytes.IndexByte(name, '\\') >= 0 {
			if name, err = jsontext.AppendUnquote(nil, quoted); err != nil {
				return err
			}
		}
		if err := member(name); err != nil {
			return err
		}
	}
	_, err := r.ReadToken()
	return err
}

// array calls item at each item of an array.
func (r *reader) array(item func() error) error {
	if ok, err := r.is(jsontext.KindBeginArray); !ok {
		return err
	}
	if _, err := r.ReadToken(); err != nil {
		return err
	}
	for r.PeekKind() != jsontext.KindEndArray {
		if err := item(); err != nil {
			return err
		}
	}
	_, err := r.ReadToken()
	return err
}

func (r *reader) text(to *string) error {
	if ok, err := r.is(jsontext.KindString); !ok {
		return err
	}
	t, err := r.ReadToken()
	if err == nil {
		*to = t.String()
	}
	return err
}

func (r *reader) integer(to *int) error {
	if ok, err := r.is(jsontext.KindNumber); !ok {
		return err
	}
	t, err := r.ReadToken()
	if err != nil {
		return err
	}
	f, err := t.Float()
	if err != nil || f != float64(int32(f)) {
		r.warn("expected an integer, found %s", t)
		return nil
	}
	*to = int(f)
	return nil
}

// texts reads an array of strings, or one string.
func (r *reader) texts(to *[]string) error {
	if r.PeekKind() == jsontext.KindString {
		var s string
		err := r.text(&s)
		*to = append(*to, s)
		return err
	}
	return r.array(func() error {
		var s string
		err := r.text(&s)
		if s != "" {
			*to = append(*to, s)
		}
		return err
	})
}
