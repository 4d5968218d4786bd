package scan

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// A source feeds a decoder. It knows lines and columns, drops a byte order mark,
// and refuses to read on when the decoder collects more than one text may have.
type source struct {
	r       io.Reader
	dec     *jsontext.Decoder
	skipped int64 // of the byte order mark
	n       int64 // bytes given to the decoder
	max     int
	tee     io.Writer // also gets what is read, if not nil
	started bool

	// tail holds the last bytes given to the decoder, of which those behind the
	// mark may still be asked for their place.
	tail []byte
	mark int // in tail
	at   point
}

// A point is a line and a column, from 0.
type point struct{ line, column int }

// past returns the point behind a text that starts at p. Columns count code
// points: all bytes but those that continue one.
func (p point) past(text []byte) point {
	if n := bytes.Count(text, []byte{'\n'}); n > 0 {
		p = point{line: p.line + n}
		text = text[bytes.LastIndexByte(text, '\n')+1:]
	}
	for _, c := range text {
		if c&0xC0 != 0x80 {
			p.column++
		}
	}
	return p
}

// index returns where an offset of the decoder is in the tail.
func (s *source) index(offset int64) int {
	return min(max(int(offset-s.n)+len(s.tail), s.mark), len(s.tail))
}

// point returns the place of an offset that is not before the mark.
func (s *source) point(offset int64) point { return s.at.past(s.tail[s.mark:s.index(offset)]) }

// forget sets the mark: nobody will ask for the place of what is before.
func (s *source) forget(offset int64) {
	i := s.index(offset)
	s.at = s.at.past(s.tail[s.mark:i])
	s.mark = i
	if i > len(s.tail)/2 { // seldom enough to cost little
		s.tail = append(s.tail[:0], s.tail[i:]...)
		s.mark = 0
	}
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
	s.forget(s.dec.InputOffset())
	n, err := s.r.Read(p)
	s.n += int64(n)
	s.tail = append(s.tail, p[:n]...)
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
	case isWide(b):
		return fmt.Errorf("%w: %s", ErrSyntax, wide)
	}
	s.r = io.MultiReader(bytes.NewReader(b), s.r)
	return nil
}

// wide says what is wrong with a report that is not UTF-8.
const wide = "expected UTF-8, found UTF-16 or UTF-32: save the report as UTF-8"

// isWide tells whether a text starts as UTF-16 and UTF-32 do, with a byte order
// mark or without.
func isWide(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\xFF\xFE")) || bytes.HasPrefix(head, []byte("\xFE\xFF")) || bytes.IndexByte(head[:min(len(head), 3)], 0) >= 0
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
	pointer string // of the text in the report
	about   *Error // place of what warnings are about; nil is what was read last
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
	} else if errors.Is(err, io.EOF) && r.base+r.src.n == 0 {
		err = fmt.Errorf("%w: the report is empty: %w", ErrSyntax, io.ErrUnexpectedEOF)
	} else if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: expected a JSON value, found the end: %w", ErrSyntax, io.ErrUnexpectedEOF)
	}
	return r.error(at, string(pointer), err)
}

// error returns an error at an offset of the decoder.
func (r *reader) error(at int64, pointer string, err error) *Error {
	p := r.src.point(at)
	return &Error{r.format, r.opts.Name, r.base + r.src.skipped + at, p.line + 1, p.column + 1, r.pointer + pointer, err}
}

// here is the place of the next value.
func (r *reader) here() *Error {
	return r.error(r.InputOffset()+r.ahead(), string(r.StackPointer()), nil)
}

// warn tells what is not as specified of what was read last.
func (r *reader) warn(format string, args ...any) {
	at := r.error(r.InputOffset(), string(r.StackPointer()), nil)
	if r.about != nil {
		at.Offset, at.Line, at.Column = r.about.Offset, r.about.Line, r.about.Column
	}
	r.warnAt(at, format, args...)
}

func (r *reader) warnAt(place *Error, format string, args ...any) {
	e := *place
	e.Err = fmt.Errorf("%w: "+format, append([]any{ErrContent}, args...)...)
	r.opts.Warn(&e)
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
	r.warnAt(r.here(), "expected %s, found %s", kindName(kind), kindName(k))
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

// text reads a string. Control characters, which no document can hold and which
// play tricks on terminals, are left out with a warning, as is what stands for
// bytes that are no characters; tabs and line ends stay.
func (r *reader) text(to *string) error {
	if ok, err := r.is(jsontext.KindString); !ok {
		return err
	}
	at := r.InputOffset() + r.ahead()
	t, err := r.ReadToken()
	if err != nil {
		return err
	}
	*to = t.String()
	if clean, dropped := printable(*to); dropped != "" {
		*to = clean
		r.warnAt(r.error(at, string(r.StackPointer()), nil), "the text has characters that are left out: %s", dropped)
	}
	return nil
}

// printable leaves control characters and replacement characters out, and lists
// the first of them.
func printable(s string) (clean, dropped string) {
	isBad := func(c rune) bool {
		return unicode.IsControl(c) && c != '\n' && c != '\t' && c != '\r' || c == utf8.RuneError || c&0xFFFE == 0xFFFE
	}
	if strings.IndexFunc(s, isBad) < 0 {
		return s, ""
	}
	var seen []rune
	clean = strings.Map(func(c rune) rune {
		if !isBad(c) {
			return c
		}
		if len(seen) < 5 && !slices.Contains(seen, c) {
			seen = append(seen, c)
			dropped += fmt.Sprintf(", %U", c)
		}
		return -1
	}, s)
	return clean, dropped[2:]
}

// name reads a string that names something: it should be one line. What is not,
// is told, and taken as it is.
func (r *reader) name(what string, to *string) error {
	at := r.InputOffset() + r.ahead()
	err := r.text(to)
	if err == nil && strings.Join(strings.Fields(*to), " ") != *to {
		r.warnAt(r.error(at, string(r.StackPointer()), nil), "expected %s of one line without blanks at its ends or twice, found %q", what, *to)
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
