// Package schema validates documents against a JSON schema that the caller brings,
// such as those that NIST publishes with OSCAL: a second opinion, for whoever must
// show that a document passes the schema itself. It says less than package oscal,
// which knows the models, and takes much longer.
package schema

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v5"

	"github.com/issokit/issokit/oscal"
)

// RuleSchema is the rule of the problems of [Schema.Validate].
const RuleSchema oscal.Rule = "json-schema"

const (
	maxBytes    = 64 << 20 // of a schema
	maxProblems = 1000
)

// A Schema is a JSON schema that is ready to use, by several goroutines at once.
type Schema struct {
	name string
	root *jsonschema.Schema
}

// Compile reads a JSON schema of draft 4, 6, 7, 2019-09 or 2020-12, of at most 64
// MiB. What it refers to must be in it or be one of the drafts: nothing is loaded.
// name is what problems call it.
func Compile(name string, r io.Reader) (*Schema, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("schema: reading %s: %w", name, err)
	}
	if len(text) > maxBytes {
		return nil, fmt.Errorf("schema: %s has more than %d bytes", name, maxBytes)
	}
	c := jsonschema.NewCompiler()
	c.LoadURL = func(url string) (io.ReadCloser, error) {
		return nil, fmt.Errorf("it refers to %s, and nothing is loaded", url)
	}
	const url = "schema:main"
	if err := c.AddResource(url, bytes.NewReader(text)); err != nil {
		return nil, fmt.Errorf("schema: %s: %w", name, err)
	}
	root, err := c.Compile(url)
	if err != nil {
		return nil, fmt.Errorf("schema: %s: %w", name, err)
	}
	return &Schema{name, root}, nil
}

// Validate returns what is wrong with the JSON form of a document, whatever form
// it was read from, each problem at its place in the text: the first 1,000, in
// document order; nil if the schema takes the document. Where a schema has several
// forms for a value, the problems are those of the form that fits the farthest
// down, of several such forms all.
func (s *Schema) Validate(doc *oscal.Document) (oscal.Problems, error) {
	var text bytes.Buffer
	if err := doc.Write(&text, &oscal.WriteOptions{Format: oscal.JSON}); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(&text)
	dec.UseNumber()
	var value any
	if err := dec.Decode(&value); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	err := s.root.Validate(value)
	if err == nil {
		return nil, nil
	}
	invalid, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return nil, fmt.Errorf("schema: %s: %w", s.name, err)
	}
	var out oscal.Problems
	type said struct{ at, message string }
	seen := map[said]bool{}
	var leaves func(e *jsonschema.ValidationError)
	leaves = func(e *jsonschema.ValidationError) {
		causes := e.Causes
		if k := e.KeywordLocation; strings.HasSuffix(k, "/oneOf") || strings.HasSuffix(k, "/anyOf") {
			farthest := depth(e)
			causes = slices.DeleteFunc(slices.Clone(causes), func(c *jsonschema.ValidationError) bool { return depth(c) < farthest })
		}
		for _, c := range causes {
			leaves(c)
		}
		if key := (said{e.InstanceLocation, e.Message}); len(e.Causes) == 0 && !seen[key] && len(out) < maxProblems {
			seen[key] = true
			p := doc.Problem(oscal.Error, RuleSchema, nearest(doc, e.InstanceLocation), "%s, says %s", e.Message, s.name)
			p.Pointer = e.InstanceLocation
			out = append(out, p)
		}
	}
	leaves(invalid)
	slices.SortStableFunc(out, func(a, b oscal.Problem) int { return cmp.Compare(a.Position.Offset, b.Position.Offset) })
	return out, nil
}

// depth is how far down in the document an error lies.
func depth(e *jsonschema.ValidationError) int {
	deepest := strings.Count(e.InstanceLocation, "/")
	for _, c := range e.Causes {
		deepest = max(deepest, depth(c))
	}
	return deepest
}

// nearest returns the node at a pointer, or the innermost that there is above.
func nearest(doc *oscal.Document, pointer string) *oscal.Node {
	for pointer != "" {
		if n := doc.At(pointer); n != nil {
			return n
		}
		pointer = pointer[:max(strings.LastIndexByte(pointer, '/'), 0)]
	}
	return doc.Root()
}
