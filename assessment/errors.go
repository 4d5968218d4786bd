package assessment

import (
	"errors"
	"fmt"

	"github.com/issokit/issokit/internal/errlist"
)

// The conditions that a [Problem] or another error of this package wraps.
var (
	ErrValue    = errors.New("is not a value of")       // a text that is none of the values of its type
	ErrUnknown  = errors.New("is not known")            // a reference to what is not there
	ErrMissing  = errors.New("is missing")              // what must be said is not
	ErrRange    = errors.New("is out of range")         // a number that makes no sense
	ErrChanged  = errors.New("has changed")             // evidence that is not what it was
	ErrConflict = errors.New("contradicts what is set") // two things that exclude each other
)

// A Problem is one thing that is wrong with the input of an assessment.
type Problem struct {
	At  string // which input: "determination 3", "report 1, record 17 (rule X)", "risk <uuid>"
	Err error  // what was expected and found; matches a condition of this package or of package controls
}

func (p *Problem) Error() string { return p.At + ": " + p.Err.Error() }
func (p *Problem) Unwrap() error { return p.Err }

// Problems are all that is wrong, in the order of the input.
type Problems []*Problem

// Error shows the first ten problems.
func (ps Problems) Error() string { return errlist.Text("assessment: ", "; ", ps) }

// Unwrap returns the problems one by one.
func (ps Problems) Unwrap() []error { return errlist.Unwrap(ps) }

func (ps *Problems) add(err error, at string, args ...any) {
	*ps = append(*ps, &Problem{At: fmt.Sprintf(at, args...), Err: err})
}

func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}
