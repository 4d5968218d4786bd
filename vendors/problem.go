package vendors

import (
	"errors"
	"fmt"
	"strings"

	"github.com/issokit/issokit/internal/errlist"
)

// What can be wrong with a portfolio, a scheme or an exposure. A [Problem] wraps
// one of these.
var (
	ErrMissing   = errors.New("missing")
	ErrDuplicate = errors.New("duplicate")
	ErrReference = errors.New("dangling reference")
	ErrValue     = errors.New("not a valid value")
	ErrSyntax    = errors.New("cannot be read")
)

// A Problem is one thing that is wrong.
type Problem struct {
	Pointer      string // JSON Pointer to the value, e.g. /engagements/1/vendor
	Line, Column int    // place in the text that was read, from 1; 0 if it was not read from one
	ID           string // stable ID of the entity, "" if it has none
	Err          error  // wraps ErrMissing, ErrDuplicate, ErrReference, ErrValue or ErrSyntax
}

func (p *Problem) Error() string {
	var b strings.Builder
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:%d: ", p.Line, p.Column)
	}
	if p.Pointer != "" {
		b.WriteString(p.Pointer)
		if p.ID != "" {
			fmt.Fprintf(&b, " (%s)", p.ID)
		}
		b.WriteString(": ")
	}
	return b.String() + p.Err.Error()
}

func (p *Problem) Unwrap() error { return p.Err }

// Problems are all problems of one input, in input order.
type Problems []*Problem

func (ps Problems) Error() string { return errlist.Text("vendors: ", "; ", ps) }

// Unwrap returns the problems one by one.
func (ps Problems) Unwrap() []error { return errlist.Unwrap(ps) }

// err returns nil, not an empty list, if there is no problem.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

func (ps *Problems) add(pointer, id string, kind error, format string, args ...any) {
	*ps = append(*ps, &Problem{Pointer: pointer, ID: id, Err: fmt.Errorf("%w: %s", kind, fmt.Sprintf(format, args...))})
}
