package vuln

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// ReadOptions bound what the readers take in; nil means the defaults.
type ReadOptions struct {
	MaxBytes  int64 // of the text, decompressed; default 1 GiB
	MaxRecord int   // of one record; default 16 MiB
}

func (o *ReadOptions) limits() (maxBytes int64, maxRecord int) {
	maxBytes, maxRecord = 1<<30, 16<<20
	if o != nil && o.MaxBytes > 0 {
		maxBytes = o.MaxBytes
	}
	if o != nil && o.MaxRecord > 0 {
		maxRecord = o.MaxRecord
	}
	return maxBytes, maxRecord
}

// errTooLong ends the reading of a text beyond MaxBytes.
var errTooLong = errors.New("the text is longer than MaxBytes")

// open decompresses a text that begins with the magic bytes of gzip and drops a
// byte order mark of UTF-8.
func open(r io.Reader, maxBytes int64) (*bufio.Reader, error) {
	b := bufio.NewReaderSize(r, 64<<10)
	if magic, _ := b.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(b)
		if err != nil {
			return nil, readProblem(err, 0)
		}
		b = bufio.NewReaderSize(&bounded{z, maxBytes}, 64<<10)
	} else {
		b = bufio.NewReaderSize(&bounded{b, maxBytes}, 64<<10)
	}
	if bom, _ := b.Peek(3); bytes.Equal(bom, []byte("\xEF\xBB\xBF")) {
		_, _ = b.Discard(3)
	}
	return b, nil
}

// bounded fails where io.LimitReader would pretend that the text ends.
type bounded struct {
	r    io.Reader
	left int64
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, errTooLong
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left+1)])
	if b.left -= int64(n); b.left < 0 {
		return n, errTooLong
	}
	return n, err
}

// errTooLarge ends the reading of a record beyond MaxRecord.
var errTooLarge = errors.New("a record is larger than MaxRecord")

// newDecoder returns a decoder that fails when it must hold more than one record
// may have, and what knows the lines of the text.
func newDecoder(r io.Reader, maxRecord int) (*jsontext.Decoder, *feed) {
	f := &feed{r: r, most: int64(maxRecord)}
	f.dec = jsontext.NewDecoder(f)
	return f.dec, f
}

// A feed passes a text to a decoder and remembers where the lines of the latest part
// of it begin.
type feed struct {
	r      io.Reader
	dec    *jsontext.Decoder
	fed    int64
	most   int64
	done   int64   // no problem will be told of what is before
	line   int     // lines before start
	start  int64   // of a line
	breaks []int64 // starts of the lines after it
}

// maxBreaks bounds the lines that are remembered; of what is before them no line
// is told.
const maxBreaks = 1 << 20

func (f *feed) Read(p []byte) (int, error) {
	if f.dec != nil && f.fed-f.dec.InputOffset() > f.most {
		return 0, errTooLarge
	}
	n, err := f.r.Read(p)
	known := 0
	for known < len(f.breaks) && (f.breaks[known] <= f.done || len(f.breaks)-known >= maxBreaks) {
		known++
	}
	if known > 0 {
		f.line, f.start = f.line+known, f.breaks[known-1]
		f.breaks = append(f.breaks[:0], f.breaks[known:]...)
	}
	for rest := p[:n]; ; {
		i := bytes.IndexByte(rest, '\n')
		if i < 0 {
			break
		}
		rest = rest[i+1:]
		f.breaks = append(f.breaks, f.fed+int64(n-len(rest)))
	}
	f.fed += int64(n)
	return n, err
}

// place gives problems line and column of their offsets.
func (f *feed) place(ps Problems) {
	for i := range ps {
		p := &ps[i]
		if p.Line > 0 || p.Offset < f.start {
			continue
		}
		n, same := slices.BinarySearch(f.breaks, p.Offset)
		if same {
			n++
		}
		start := f.start
		if n > 0 {
			start = f.breaks[n-1]
		}
		p.Line, p.Column = f.line+n+1, int(p.Offset-start)+1
	}
}

// end gives the problem that ended a text its place.
func (f *feed) end(err error) error {
	if p, ok := errors.AsType[Problem](err); ok {
		ps := Problems{p}
		f.place(ps)
		return ps[0]
	}
	return err
}

// short bounds the pointer of a problem.
func short(pointer string) string {
	const most = 200
	if len(pointer) > most {
		return strings.ToValidUTF8(pointer[:most], "") + "…"
	}
	return pointer
}

// readProblem is the problem that ends a text: a syntax error with its place, a
// limit, or whatever the caller's reader said.
func readProblem(err error, offset int64) error {
	if se, ok := errors.AsType[*jsontext.SyntacticError](err); ok && !errors.Is(err, errTooLong) && !errors.Is(err, errTooLarge) {
		rule := RuleSyntax
		if errors.Is(err, jsontext.ErrDuplicateName) {
			rule = RuleDuplicate
		}
		return Problem{Rule: rule, Offset: se.ByteOffset, Pointer: short(string(se.JSONPointer)), Message: fmt.Sprintf("not JSON: %v", se.Err)}
	}
	switch {
	case errors.Is(err, errTooLong):
		return Problem{Rule: RuleLimit, Offset: offset, Message: errTooLong.Error()}
	case errors.Is(err, errTooLarge):
		return Problem{Rule: RuleLimit, Offset: offset, Message: errTooLarge.Error()}
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return Problem{Rule: RuleSyntax, Offset: offset, Message: "the text ends too early"}
	case isGzip(err):
		return Problem{Rule: RuleSyntax, Offset: offset, Message: fmt.Sprintf("damaged gzip: %v", err)}
	}
	return fmt.Errorf("vuln: %w", err)
}

// isGzip tells whether an error is about what was compressed.
func isGzip(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt || errors.Is(err, gzip.ErrChecksum) || errors.Is(err, gzip.ErrHeader)
}

// asProblems makes a list of the one problem that ended a text.
func asProblems(err error) error {
	if p, ok := errors.AsType[Problem](err); ok {
		return Problems{p}
	}
	return err
}

// unmarshal reads a JSON value into a struct. A member of the wrong shape is a
// problem, and the rest of the value is lost with it; unknown members are passed
// over; names must match in case.
func unmarshal(raw []byte, into any, base int64, pointer string, ps *Problems) bool {
	err := json.Unmarshal(raw, into)
	if err == nil {
		return true
	}
	p := Problem{Rule: RuleValue, Offset: base, Pointer: pointer, Message: err.Error()}
	if se, ok := errors.AsType[*json.SemanticError](err); ok {
		p.Offset, p.Pointer = base+se.ByteOffset, short(pointer+string(se.JSONPointer))
		p.Message = fmt.Sprintf("expected %s, found %s", shape(se), cut(string(se.JSONValue)))
		if len(se.JSONValue) == 0 {
			p.Message = fmt.Sprintf("expected %s, found a JSON %v", shape(se), se.JSONKind)
		}
	} else if se, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		p.Offset, p.Pointer, p.Message = base+se.ByteOffset, short(pointer+string(se.JSONPointer)), se.Err.Error()
		p.Rule = RuleSyntax
		if errors.Is(err, jsontext.ErrDuplicateName) {
			p.Rule = RuleDuplicate
		}
	}
	ps.put(p)
	return false
}

// shape says in words what a Go type expects.
func shape(se *json.SemanticError) string {
	if se.GoType == nil {
		return "another value"
	}
	switch se.GoType.Kind().String() {
	case "string":
		return "a string"
	case "float64", "int":
		return "a number"
	case "bool":
		return "true or false"
	case "slice":
		return "an array"
	case "struct", "map":
		return "an object"
	}
	return "a " + se.GoType.String()
}
