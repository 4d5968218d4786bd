package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/issokit/issokit/internal/strictyaml"
)

// maxText bounds the files that people write by hand.
const maxText = 16 << 20

// readText reads a file in YAML or JSON, "-" for the standard input, and returns what
// to call it.
func readText(cmd *cobra.Command, name string) (string, []byte, error) {
	r, err := openInput(cmd, name)
	if err != nil {
		return name, nil, err
	}
	defer r.Close()
	if name == "-" {
		name = "stdin"
	}
	data, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err == nil && len(data) > maxText {
		err = textProblems{{name, strictyaml.Problem{Line: 1, Column: 1, Message: fmt.Sprintf("expected at most %d bytes", maxText)}}}
	}
	return name, data, err
}

// A textProblem is one thing that is wrong with such a file.
type textProblem struct {
	file string
	strictyaml.Problem
}

func (p textProblem) Error() string {
	out := fmt.Sprintf("%s:%d:%d: %s", p.file, p.Line, p.Column, p.Message)
	if p.Pointer != "" {
		out += " (at " + p.Pointer + ")"
	}
	return out
}

// textProblems are all of them, in the order of the file.
type textProblems []textProblem

func (ps textProblems) Error() string {
	lines := make([]string, len(ps))
	for i, p := range ps {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// inFile returns problems as an error.
func inFile(name string, list []strictyaml.Problem) textProblems {
	slices.SortStableFunc(list, func(a, b strictyaml.Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	problems := make(textProblems, len(list))
	for i, p := range list {
		problems[i] = textProblem{name, p}
	}
	return problems
}

// told prints an error if it is one of textProblems, and then returns errProblems.
func told(cmd *cobra.Command, err error) error {
	if problems, ok := errors.AsType[textProblems](err); ok {
		fmt.Fprintln(cmd.ErrOrStderr(), problems)
		return errProblems
	}
	return err
}
