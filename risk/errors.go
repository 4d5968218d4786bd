package risk

import (
	"errors"
	"fmt"
	"strings"

	"github.com/issokit/issokit/internal/errlist"
)

// Errors of the package.
var (
	// ErrInvalid is what all [Problems] match: a value that is not complete or
	// cannot be written.
	ErrInvalid = errors.New("not valid")
	// ErrScale is the error of comparing levels of different scales, levels that
	// are on no scale of the criteria or for which these have no appetite, and
	// amounts in different currencies.
	ErrScale = errors.New("levels of different scales cannot be compared")
	// ErrNotFound is the error of a risk or node that is not there.
	ErrNotFound = errors.New("not found")
)

// A Problem is one thing that is wrong with a risk, a register or criteria.
type Problem struct {
	ID      string // of the risk or node, "" for criteria
	Pointer string // what is wrong, as the path of the fields, e.g. "assessments/0/level"
	Err     error  // what was expected and what was found; matches ErrInvalid or ErrScale
}

func (p Problem) Error() string {
	var b strings.Builder
	if p.ID != "" {
		b.WriteString(p.ID + ": ")
	}
	if p.Pointer != "" {
		b.WriteString(p.Pointer + ": ")
	}
	return b.String() + p.Err.Error()
}

func (p Problem) Unwrap() error { return p.Err }

// Problems are all that is wrong, in the order of the input.
type Problems []Problem

// Error shows the first ten problems.
func (ps Problems) Error() string { return errlist.Text("risk: ", "; ", ps) }

// Unwrap returns the problems one by one.
func (ps Problems) Unwrap() []error { return errlist.Unwrap(ps) }

func (ps *Problems) add(id, pointer, format string, args ...any) {
	*ps = append(*ps, Problem{id, pointer, fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)})
}

// err returns the problems as an error, nil for none.
func (ps Problems) err() error {
	if ps == nil {
		return nil
	}
	return ps
}
