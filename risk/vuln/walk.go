package vuln

import (
	"errors"
	"io"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// walkArray reads one JSON text and hands over the elements of the arrays that
// stand in a top-level member of one of the given names, or at the top itself.
// visit returns false to end early. Members are read one at a time: the text is
// never in memory as a whole.
func walkArray(dec *jsontext.Decoder, names []string, visit func(raw jsontext.Value, offset int64, pointer string) bool) error {
	_, err := walkObject(dec, names, nil, visit)
	return err
}

// walkObject is [walkArray] that also hands over the other members of a top-level
// object to member, if that is not nil. It tells whether to go on.
func walkObject(dec *jsontext.Decoder, names []string, member func(name string, raw jsontext.Value), visit func(raw jsontext.Value, offset int64, pointer string) bool) (bool, error) {
	elements := func() (bool, error) {
		if _, err := dec.ReadToken(); err != nil {
			return false, readProblem(err, dec.InputOffset())
		}
		for dec.PeekKind() != ']' {
			raw, err := dec.ReadValue()
			if err != nil {
				return false, readProblem(err, dec.InputOffset())
			}
			if !visit(raw, dec.InputOffset()-int64(len(raw)), string(dec.StackPointer())) {
				return false, nil
			}
		}
		if _, err := dec.ReadToken(); err != nil {
			return false, readProblem(err, dec.InputOffset())
		}
		return true, nil
	}
	switch kind := dec.PeekKind(); kind {
	case '[':
		return elements()
	case '{':
		if _, err := dec.ReadToken(); err != nil {
			return false, readProblem(err, dec.InputOffset())
		}
		for dec.PeekKind() != '}' {
			name, err := dec.ReadToken()
			if err != nil {
				return false, readProblem(err, dec.InputOffset())
			}
			text := name.String()
			if slices.Contains(names, text) && dec.PeekKind() == '[' {
				if more, err := elements(); !more || err != nil {
					return more, err
				}
				continue
			}
			raw, err := dec.ReadValue()
			if err != nil {
				return false, readProblem(err, dec.InputOffset())
			}
			if member != nil {
				member(text, raw)
			}
		}
		if _, err := dec.ReadToken(); err != nil {
			return false, readProblem(err, dec.InputOffset())
		}
		return true, nil
	default:
		raw, err := dec.ReadValue()
		if errors.Is(err, io.EOF) {
			return false, io.EOF
		}
		if err != nil {
			return false, readProblem(err, dec.InputOffset())
		}
		return false, Problem{Rule: RuleSyntax, Offset: dec.InputOffset() - int64(len(raw)), Message: "expected a JSON object or array, found " + cut(string(raw))}
	}
}
