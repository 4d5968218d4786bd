package matrix

import (
	"errors"
	"fmt"
	"strings"

	"github.com/issokit/issokit/internal/errlist"
)

// ErrInvalid is what all problems of definitions and inputs match.
var ErrInvalid = errors.New("not valid")

// Rule is the stable name of what a [Problem] violates.
type Rule string

// The rules.
const (
	RuleSyntax           Rule = "syntax"            // the text is not JSON
	RuleLimit            Rule = "limit"             // too large or too deep
	RuleUnknownMember    Rule = "unknown member"    // the form has no such member
	RuleDuplicateMember  Rule = "duplicate member"  // a member stands twice in one object
	RuleMissingMember    Rule = "missing member"    // a required member is not there
	RuleShape            Rule = "shape"             // an object, array or value stands where another is expected
	RuleEmptyAxis        Rule = "empty axis"        // no axes, or one without levels
	RuleDuplicateAxis    Rule = "duplicate axis"    // two axes of one name
	RuleDuplicateLevel   Rule = "duplicate level"   // a level twice in one axis
	RuleUnknownLevel     Rule = "unknown level"     // an axis has no such level
	RuleDuplicateOutcome Rule = "duplicate outcome" // an outcome twice
	RuleUnknownOutcome   Rule = "unknown outcome"   // not one of the outcomes
	RuleDuplicateCell    Rule = "duplicate cell"    // two cells for one combination
	RuleMissingCell      Rule = "missing cell"      // no cell for a combination
	RuleNotMonotone      Rule = "not monotone"      // a higher input gives a lower outcome: a warning
	RuleUnreachable      Rule = "unreachable"       // no cell gives the outcome: a warning
	RuleJump             Rule = "jump"              // one step of one input leads from the lowest outcome to the highest: a warning
	RuleInput            Rule = "input"             // what was to be rated is not complete or out of range
)

// A Problem is one thing that is wrong with a definition or with what was to be
// rated.
type Problem struct {
	Warning bool
	Rule    Rule
	File    string     // as given by the caller
	Line    int        // from 1; 0 if it was not read from a text
	Column  int        // from 1, in bytes
	Pointer string     // JSON Pointer (RFC 6901) into the definition, or the name of the input
	Cells   [][]string // the combinations concerned: one missing or duplicate cell; the two of a pair
	Message string     // what was expected and what was found
}

func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		b.WriteByte(':')
	}
	if p.Line > 0 {
		fmt.Fprintf(&b, "%d:%d: ", p.Line, p.Column)
	} else if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if p.Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Message)
	if p.Pointer != "" {
		fmt.Fprintf(&b, " (at %s)", p.Pointer)
	}
	fmt.Fprintf(&b, " [%s]", p.Rule)
	return b.String()
}

// Unwrap returns [ErrInvalid], for a warning nil.
func (p Problem) Unwrap() error {
	if p.Warning {
		return nil
	}
	return ErrInvalid
}

// Problems are all that is wrong, the first 1,000, in the order of the input.
type Problems []Problem

// Error shows the first ten problems, a line each.
func (ps Problems) Error() string { return errlist.Text("matrix: ", "\n", ps) }

// Unwrap returns the problems one by one.
func (ps Problems) Unwrap() []error { return errlist.Unwrap(ps) }

// maxProblems is how many problems are told of, so that a matrix of a million
// missing cells does not make a million of them.
const maxProblems = 1000

func (ps *Problems) put(p Problem) {
	if len(*ps) < maxProblems {
		*ps = append(*ps, p)
	}
}

func (ps *Problems) add(rule Rule, pointer, format string, args ...any) {
	ps.put(Problem{Rule: rule, Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

// err returns the problems as an error, nil for none.
func (ps Problems) err() error {
	if ps == nil {
		return nil
	}
	return ps
}
