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

// Shapes beyond these are no judgement of anybody, and cost more than they say: the
// distribution is all but a constant, or all but an atom.
const (
	minShape = 1e-3
	maxShape = 1e6
)

// shape notes a problem unless x is a number from minShape to maxShape.
func (ps *Problems) shape(where string, x float64) {
	before := len(*ps)
	ps.positive(where, x)
	if len(*ps) == before && (x < minShape || x > maxShape) {
		ps.add(where, fmt.Sprintf("a number from %v to %v", minShape, maxShape), x)
	}
}

// values notes a problem with a distribution that has values outside of a range, or,
// where it is of a caller, with its quantiles: they must be numbers that do not fall.
func (ps *Problems) values(where string, d Dist, low, high float64, expected string) {
	least, most := d.Quantile(0), d.Quantile(1)
	if math.IsNaN(least) || math.IsNaN(most) {
		ps.add(where, "quantiles that are numbers", fmt.Sprintf("%v to %v", least, most))
		return
	}
	if !(least >= low && most <= high) {
		found := fmt.Sprint(least)
		if !math.IsInf(high, 1) {
			found = fmt.Sprintf("%v to %v", least, most)
		}
		ps.add(where, expected, found)
		return
	}
	ps.quantiles(where, d)
}

// quantiles notes a problem with those of distributions of callers.
func (ps *Problems) quantiles(where string, d Dist) {
	switch d := d.(type) {
	case *mixture:
		for i, c := range d.parts {
			ps.quantiles(fmt.Sprintf("%s: component %d", where, i+1), c.Dist)
		}
		return
	case *truncated:
		ps.quantiles(where, d.d)
		return
	case constant, *empirical, tails:
		return
	}
	last, most := d.Quantile(0), d.Quantile(1)
	check := func(p float64) bool {
		q := d.Quantile(p)
		if !(q >= last && q <= most) || p > 0 && p < 1 && math.IsInf(q, 0) {
			ps.add(where, "quantiles that do not fall", fmt.Sprintf("%v at %v after %v", q, p, last))
			return false
		}
		last = q
		return true
	}
	for k := 52; k > 6; k-- {
		if !check(math.Ldexp(1, -k)) {
			return
		}
	}
	for i := 1.0; i < 64; i++ {
		if !check(i / 64) {
			return
		}
	}
	for k := 7; k <= 53; k++ {
		if !check(1 - math.Ldexp(1, -k)) {
			return
		}
	}
	if v := d.Var(); !(v >= 0) {
		ps.add(where, "a variance of at least 0, or +Inf", v)
	}
}

// open notes a problem unless x lies strictly between 0 and 1.
func (ps *Problems) open(where string, x float64) {
	if !(x > 0 && x < 1) {
		ps.add(where, "a number strictly between 0 and 1", x)
	}
}
