package constraint

import (
	"errors"
	"fmt"
	"strconv"
)

// Code says in one word what is wrong with an expression or its evaluation.
type Code string

// The codes of errors at compile time, and then of evaluation.
const (
	CodeSyntax      Code = "syntax"      // the text is not Metapath
	CodeUnsupported Code = "unsupported" // Metapath that this engine does not do; the message names it
	CodeFunction    Code = "function"    // no such function, or not with so many arguments
	CodeVariable    Code = "variable"    // a variable that nothing binds
	CodeRegex       Code = "regex"       // a regular expression that cannot be translated

	CodeType     Code = "type"     // a value is not of the type that is needed
	CodeValue    Code = "value"    // a value cannot be converted, an index is out of range, a division by zero
	CodeDocument Code = "document" // a document that cannot be loaded
	CodeLimit    Code = "limit"    // too much work, too many items, too deep
)

// ErrNoLoader is what the error of an expression wraps that needs a document
// where the caller gave no [Loader].
var ErrNoLoader = errors.New("no loader for documents was given")

// ErrStatic is what errors wrap that are found when an expression or a set is
// compiled.
var ErrStatic = errors.New("not a usable expression")

// An ExpressionError says what is wrong with a Metapath expression: its text
// when it is compiled, or the values when it is evaluated.
type ExpressionError struct {
	Expression string
	Offset     int // bytes from the start of the expression; -1 if the place is not known
	Code       Code
	Message    string
	Err        error // what made it, nil for none
}

func (e *ExpressionError) Error() string {
	at := ""
	if e.Offset >= 0 {
		at = " at offset " + strconv.Itoa(e.Offset)
	}
	return fmt.Sprintf("metapath %s%s: %s [%s]", clip(e.Expression), at, e.Message, e.Code)
}

// Unwrap returns the cause; for errors of compilation that is [ErrStatic].
func (e *ExpressionError) Unwrap() error {
	switch e.Code {
	case CodeSyntax, CodeUnsupported, CodeFunction, CodeVariable:
		return ErrStatic
	}
	return e.Err
}

// clip shows a text in a message, cut to a length that a line holds.
func clip(s string) string {
	if r := []rune(s); len(r) > 120 {
		return strconv.Quote(string(r[:117])) + "..."
	}
	return strconv.Quote(s)
}
