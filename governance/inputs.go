// Package governance puts the parts of an ISSO's work together: it makes an
// authorization package of a catalog, a profile, components, a system, its
// vendors and its scans.
package governance

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxInput bounds the size of the files that describe a system or its vendors.
const maxInput = 16 << 20

// ErrInput is what an [InputError] wraps.
var ErrInput = errors.New("the description cannot be read")

// An InputError is one thing that is wrong with a YAML or JSON description of a
// system or of its vendors.
type InputError struct {
	File         string
	Line, Column int // from 1; 0 if not known
	Message      string
}

func (e *InputError) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", e.Line, max(e.Column, 1))
	}
	return b.String() + ": " + e.Message
}

func (e *InputError) Unwrap() error { return ErrInput }

// decodeInput reads a description in YAML or JSON into v. Unknown and duplicate
// members, and values of a wrong kind, are errors; all of them come at once, as
// joined [InputError]s.
func decodeInput(name string, r io.Reader, v any) error {
	data, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if len(data) > maxInput {
		return &InputError{File: name, Message: fmt.Sprintf("more than %d bytes", maxInput)}
	}
	err = yaml.Load(data, v, yaml.WithKnownFields(), yaml.WithUniqueKeys())
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) {
		return &InputError{File: name, Message: "the file is empty"}
	}
	var several *yaml.LoadErrors
	if errors.As(err, &several) {
		var all []error
		for _, e := range several.Errors {
			all = append(all, &InputError{name, e.Mark.Line, e.Mark.Column, e.Message})
		}
		return errors.Join(all...)
	}
	var one *yaml.LoadError
	if errors.As(err, &one) {
		return &InputError{name, one.Mark.Line, one.Mark.Column, one.Message}
	}
	return &InputError{File: name, Message: err.Error()}
}
