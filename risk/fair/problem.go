package fair

import (
	"errors"
	"fmt"
	"math"

	"github.com/issokit/issokit/internal/errlist"
)

// ErrInvalid is what every [Problem] wraps: an input that has no meaning.
var ErrInvalid = errors.New("not a valid model")

// A Problem is one thing that is wrong with an input.
type Problem struct {
	Where    string // the parameter or the node, e.g. "PERT mode", "scenario phishing: loss 2: magnitude"
	Expected string
	Found    string
}

func (p *Problem) Error() string {
	return fmt.Sprintf("%s: expected %s, found %s", p.Where, p.Expected, p.Found)
}

// Unwrap returns [ErrInvalid].
func (p *Problem) Unwrap() error { return ErrInvalid }

// Problems are all that is wrong with an input, in its order.
type Problems []*Problem

// Error shows the first ten problems.
func (ps Problems) Error() string { return errlist.Text("fair: ", "; ", ps) }

// Unwrap returns the problems one by one.
func (ps Problems) Unwrap() []error { return errlist.Unwrap(ps) }

// err returns ps as an error, nil if there is none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}

func (ps *Problems) add(where, expected string, found any) {
	*ps = append(*ps, &Problem{where, expected, fmt.Sprint(found)})
}

// in adds the problems of an error under a prefix.
func (ps *Problems) in(prefix string, err error) {
	var more Problems
	switch {
	case err == nil:
	case errors.As(err, &more):
		for _, p := range more {
			*ps = append(*ps, &Problem{prefix + ": " + p.Where, p.Expected, p.Found})
		}
	default:
		ps.add(prefix, "a valid value", err)
	}
}

// finite notes a problem unless x is a finite number, and tells whether it is.
func (ps *Problems) finite(where string, x float64) bool {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		ps.add(where, "a finite number", x)
		return false
	}
	return true
}

// positive notes a problem unless x is a finite number above 0.
func (ps *Problems) positive(where string, x float64) {
	if ps.finite(where, x) && x <= 0 {
		ps.add(where, "a number above 0", x)
	}
}

// open notes a problem unless x lies strictly between 0 and 1.
func (ps *Problems) open(where string, x float64) {
	if !(x > 0 && x < 1) {
		ps.add(where, "a number strictly between 0 and 1", x)
	}
}
