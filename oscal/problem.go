package oscal

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/issokit/issokit/internal/errlist"
)

// Level says how much a problem weighs.
type Level uint8

// The levels, the lightest first.
const (
	Warning Level = iota + 1 // the document is read as meant, but was not written as specified
	Error                    // the document is not valid
)

func (l Level) String() string {
	switch l {
	case Warning:
		return "warning"
	case Error:
		return "error"
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

// Rule is the stable name of what a problem violates.
type Rule string

// The rules of structure.
const (
	RuleSyntax      Rule = "syntax"           // the text is not JSON, YAML or XML
	RuleEncoding    Rule = "encoding"         // not UTF-8
	RuleFormat      Rule = "format"           // none of the formats that can be read
	RuleLimit       Rule = "limit"            // a limit of ReadOptions was reached
	RuleRootMissing Rule = "root-missing"     // no member is the root of a model
	RuleRootSeveral Rule = "root-several"     // more than one root
	RuleTrailing    Rule = "trailing-data"    // text after the document
	RuleUnknown     Rule = "member-unknown"   // the model has no such member
	RuleDuplicate   Rule = "member-duplicate" // a member stands twice in one object or element
	RuleMissing     Rule = "member-missing"   // a required member is not there
	RuleChoice      Rule = "choice"           // members that exclude each other, or none of those of which one is needed
	RuleShape       Rule = "shape"            // an object, array or value stands where another is expected
	RuleEmptyArray  Rule = "array-empty"      // an array must have one item at least
	RuleNull        Rule = "null"             // null is no value
	RuleDatatype    Rule = "datatype"         // the value is not of its data type
	RuleVersion     Rule = "version"          // oscal-version is not one that is known
	RuleDeprecated  Rule = "deprecated"       // the member should no longer be used
	RuleAlias       Rule = "alias"            // a YAML alias without anchor, or inside itself
	RuleUnsupported Rule = "unsupported"      // YAML merge keys, several documents, tags; XML document types
	RuleNamespace   Rule = "namespace"        // XML: not the namespace of OSCAL, or a prefix without one
	RuleOrder       Rule = "order"            // XML: an element is not at its place in model order
	RuleMarkup      Rule = "markup"           // XML: markup that Metaschema does not know, or that Markdown cannot tell
)

// ErrInvalid is what a [Problems] with an error in it wraps.
var ErrInvalid = errors.New("not a valid OSCAL document")

// Position is a place in a text. Line and Column count from 1, columns in code
// points; Offset counts bytes from 0. The zero Position is no place.
type Position struct {
	Offset, Line, Column int
}

// IsValid tells whether p is a place.
func (p Position) IsValid() bool { return p.Line > 0 }

func (p Position) String() string {
	if !p.IsValid() {
		return "-"
	}
	return fmt.Sprintf("%d:%d", p.Line, p.Column)
}

// A Problem is one thing that is wrong with a document.
type Problem struct {
	Level    Level
	Rule     Rule
	File     string // name of the document as given by the caller
	Position Position
	Pointer  string  // JSON Pointer (RFC 6901) of the node, or of the object that lacks or should not have a member
	Path     string  // in XML documents: the same as a path of XML names, see [Node.Path]
	Message  string  // what was expected and what was found
	Related  []Place // other places that belong to it, e.g. the first of two duplicates
}

// A Place is a position in a document.
type Place struct {
	File     string
	Position Position
	Pointer  string
	Path     string // in XML documents, as that of a [Problem]
}

func (p Problem) Error() string {
	var b strings.Builder
	if p.File != "" {
		b.WriteString(p.File)
		b.WriteByte(':')
	}
	if p.Position.IsValid() {
		fmt.Fprintf(&b, "%d:%d: ", p.Position.Line, p.Position.Column)
	} else if b.Len() > 0 {
		b.WriteByte(' ')
	}
	if p.Level == Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Message)
	switch {
	case p.Path != "":
		fmt.Fprintf(&b, " (at %s)", p.Path)
	case p.Pointer != "":
		fmt.Fprintf(&b, " (at %s)", p.Pointer)
	}
	fmt.Fprintf(&b, " [%s]", p.Rule)
	return b.String()
}

// Unwrap returns [ErrInvalid] for an error.
func (p Problem) Unwrap() error {
	if p.Level == Error {
		return ErrInvalid
	}
	return nil
}

// Problems are all that is wrong with a document, in document order.
type Problems []Problem

// Error shows the first ten problems, a line each.
func (ps Problems) Error() string { return errlist.Text("oscal: ", "\n", ps) }

// Unwrap returns the problems one by one.
func (ps Problems) Unwrap() []error { return errlist.Unwrap(ps) }

// Errors returns the problems of level Error.
func (ps Problems) Errors() Problems {
	var out Problems
	for _, p := range ps {
		if p.Level == Error {
			out = append(out, p)
		}
	}
	return out
}

// sortProblems puts problems in document order; those at one place stay as
// they were found.
func sortProblems(ps Problems) {
	slices.SortStableFunc(ps, func(a, b Problem) int { return cmp.Compare(a.Position.Offset, b.Position.Offset) })
}
