package vuln

import (
	"errors"
	"fmt"
	"strings"

	"github.com/issokit/issokit/internal/errlist"
)

// ErrInvalid is what all problems that are not warnings match.
var ErrInvalid = errors.New("not valid")

// Rule is the stable name of what a [Problem] violates.
type Rule string

// The rules.
const (
	RuleSyntax    Rule = "syntax"    // not of the form at all
	RuleVersion   Rule = "version"   // no known version of the standard
	RuleUnknown   Rule = "unknown"   // no such metric, member, decision point or table
	RuleValue     Rule = "value"     // a value out of its domain
	RuleDuplicate Rule = "duplicate" // a thing stands twice
	RuleOrder     Rule = "order"     // out of the order that the standard fixes
	RuleMissing   Rule = "missing"   // something required is not there
	RuleMonotone  Rule = "monotone"  // a higher input gives a lower outcome: a warning
	RuleLimit     Rule = "limit"     // too large or too deep
)

// A Problem is one thing that is wrong with what was read or asked.
type Problem struct {
	Warning bool
	Rule    Rule
	Line    int    // from 1; 0 if it is not known, and in a text of one line such as a vector
	Column  int    // from 1, in bytes; 0 if it is not known
	Offset  int64  // in bytes from the start of the text, decompressed
	Pointer string // JSON Pointer (RFC 6901), metric, column or input
	Message string // what was expected and what was found
}

func (p Problem) Error() string {
	var b strings.Builder
	if p.Line > 0 && p.Column > 0 {
		fmt.Fprintf(&b, "line %d, column %d: ", p.Line, p.Column)
	} else if p.Line > 0 {
		fmt.Fprintf(&b, "line %d: ", p.Line)
	} else if p.Offset > 0 {
		fmt.Fprintf(&b, "offset %d: ", p.Offset)
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
func (ps Problems) Error() string { return errlist.Text("vuln: ", "\n", ps) }

// Unwrap returns the problems one by one.
func (ps Problems) Unwrap() []error { return errlist.Unwrap(ps) }

// maxProblems is how many problems are told of, so that a file of a million bad
// lines does not make a million of them.
const maxProblems = 1000

func (ps *Problems) put(p Problem) {
	if len(*ps) < maxProblems {
		*ps = append(*ps, p)
	}
}

// at adds a problem at an offset of a text of one line.
func (ps *Problems) at(rule Rule, offset int, pointer, format string, args ...any) {
	ps.put(Problem{Rule: rule, Offset: int64(offset), Pointer: pointer, Message: fmt.Sprintf(format, args...)})
}

// add adds a problem of an input that has no text.
func (ps *Problems) add(rule Rule, pointer, format string, args ...any) {
	ps.at(rule, 0, pointer, format, args...)
}

// day notes a problem with a date that the calendar does not have; no date is none.
func (ps *Problems) day(pointer string, d Date) {
	if !d.IsZero() && !d.exists() {
		ps.add(RuleValue, pointer, "expected a day of the calendar, found %v", d)
	}
}

// err returns the problems as an error, nil if there are none or only warnings.
func (ps Problems) err() error {
	for _, p := range ps {
		if !p.Warning {
			return ps
		}
	}
	return nil
}

// cut shortens a text of others for a message.
func cut(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "…"
	}
	return s
}
