package controls

import (
	"errors"
	"strings"

	"github.com/issokit/issokit/internal/errlist"
)

// The conditions that a [Problem] wraps.
var (
	ErrDuplicate   = errors.New("stands twice")            // an id or an answer that is there already
	ErrUnknown     = errors.New("is not known")            // a reference to what is not there
	ErrOutside     = errors.New("is not in the baseline")  // a control that the baseline does not select, or that no catalog has
	ErrCycle       = errors.New("refers to itself")        // parameters that insert each other
	ErrValue       = errors.New("is not a value of")       // a value that is none of those that the place allows
	ErrMissing     = errors.New("is missing")              // what must be said is not
	ErrConflict    = errors.New("is set differently")      // two components set one parameter to different values
	ErrLimit       = errors.New("exceeds the limit")       // depth or size
	ErrReference   = errors.New("is no control reference") // a text that [ParseReference] cannot read
	ErrUninherited = errors.New("is not inherited")        // what a provider offers and nobody takes
	ErrUnsatisfied = errors.New("is not satisfied")        // a responsibility that a provider leaves to its customer, without an answer
	ErrMisplaced   = errors.New("is said elsewhere")       // inherited or satisfied for another control or statement than the provider says
)

// A Problem is one thing that is wrong with a catalog, a system or a plan. The
// fields that say where are empty where they do not apply.
type Problem struct {
	Document  string // name of the document as given by the caller; title of a component definition
	Pointer   string // JSON Pointer inside of the document or of a [System], e.g. /parties/0/roles/1
	Control   string // control id
	Statement string // statement id
	Component string // component id
	ID        string // id of the entry, where the others do not tell it
	Err       error  // what was expected and found; matches one of the conditions of this package
}

func (p *Problem) Error() string {
	var where []string
	add := func(kind, id string) {
		if id != "" {
			where = append(where, kind+id)
		}
	}
	add("", p.Document)
	add("control ", p.Control)
	add("statement ", p.Statement)
	add("component ", p.Component)
	add("", p.ID)
	add("at ", p.Pointer)
	if where == nil {
		return p.Err.Error()
	}
	return strings.Join(where, ", ") + ": " + p.Err.Error()
}

// Unwrap returns the condition.
func (p *Problem) Unwrap() error { return p.Err }

// Problems are all that is wrong, in the order of the input.
type Problems []*Problem

// Error shows the first ten problems.
func (ps Problems) Error() string { return errlist.Text("controls: ", "; ", ps) }

// Unwrap returns the problems one by one.
func (ps Problems) Unwrap() []error { return errlist.Unwrap(ps) }

// err returns the problems as an error, nil if there are none.
func (ps Problems) err() error {
	if len(ps) == 0 {
		return nil
	}
	return ps
}
