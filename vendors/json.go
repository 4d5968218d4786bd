package vendors

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A node is a value of a JSON text with its place. encoding/json alone keeps no
// order of members, accepts duplicates and ignores case.
type node struct {
	at      int // offset of the first character
	pointer string
	value   any // string, json.Number, bool, nil; []node; object
}

// An object is the members of a JSON object in the order of the text.
type object []member

type member struct {
	name string
	at   int
	node node
}

// A jsonReader reads a text into nodes and notes problems with their places.
type jsonReader struct {
	data     []byte
	dec      *json.Decoder
	problems Problems
}

const (
	maxJSON      = 1 << 20 // bytes
	maxJSONDepth = 16
)

// readJSON reads one JSON value and nothing after it. The second result is nil
// if the text is not JSON; problems say why.
func readJSON(r io.Reader) (*jsonReader, *node, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxJSON+1))
	if err != nil {
		return nil, nil, fmt.Errorf("vendors: reading: %w", err)
	}
	j := &jsonReader{data: data, dec: json.NewDecoder(bytes.NewReader(data))}
	j.dec.UseNumber()
	if len(data) > maxJSON {
		j.problem(0, "", ErrSyntax, "more than %d bytes", maxJSON)
		return j, nil, nil
	}
	if !utf8.Valid(data) {
		j.problem(0, "", ErrSyntax, "expected UTF-8")
		return j, nil, nil
	}
	root, err := j.read("", 0)
	if err == nil {
		at := j.next()
		if _, err := j.dec.Token(); !errors.Is(err, io.EOF) {
			j.problem(at, "", ErrSyntax, "expected the end of the text after one value")
		}
		return j, &root, nil
	}
	at := len(data)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		// The offset is that of the wrong character or of the next one, depending
		// on who found it; it is not before the token.
		at = max(int(syntax.Offset)-1, j.next())
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != errTooDeep {
		j.problem(at, "", ErrSyntax, "%v", err)
	}
	return j, nil, nil
}

var errTooDeep = errors.New("nested too deep")

// read reads the next value. An error ends the reading.
func (j *jsonReader) read(pointer string, depth int) (node, error) {
	n := node{at: j.next(), pointer: pointer}
	if depth > maxJSONDepth {
		j.problem(n.at, pointer, ErrSyntax, "more than %d objects and arrays inside of one another", maxJSONDepth)
		return n, errTooDeep
	}
	token, err := j.dec.Token()
	if err != nil {
		return n, err
	}
	switch token {
	case json.Delim('{'):
		var o object
		for j.dec.More() {
			at := j.next()
			key, err := j.dec.Token()
			if err != nil {
				return n, err
			}
			m := member{name: key.(string), at: at} // Token refuses keys that are no strings
			if m.node, err = j.read(pointer+"/"+escapePointer(m.name), depth+1); err != nil {
				return n, err
			}
			o = append(o, m)
		}
		n.value = o
		_, err = j.dec.Token()
	case json.Delim('['):
		items := []node{}
		for j.dec.More() {
			item, err := j.read(pointer+"/"+strconv.Itoa(len(items)), depth+1)
			if err != nil {
				return n, err
			}
			items = append(items, item)
		}
		n.value = items
		_, err = j.dec.Token()
	default:
		n.value = token
	}
	return n, err
}

// next returns the offset of the next token.
func (j *jsonReader) next() int {
	at := int(j.dec.InputOffset())
	for at < len(j.data) && strings.IndexByte(" \t\r\n,:", j.data[at]) >= 0 {
		at++
	}
	return at
}

func (j *jsonReader) problem(at int, pointer string, kind error, format string, args ...any) {
	before := j.data[:min(at, len(j.data))]
	line := bytes.Count(before, []byte("\n"))
	start := bytes.LastIndexByte(before, '\n') + 1
	j.problems.add(pointer, "", kind, format, args...)
	p := j.problems[len(j.problems)-1]
	p.Line, p.Column = line+1, utf8.RuneCount(before[start:])+1
}

// wrong notes that a value is not what was expected.
func (j *jsonReader) wrong(n *node, expected string) {
	found := "an object"
	switch v := n.value.(type) {
	case string:
		found = strconv.Quote(v)
	case json.Number:
		found = v.String()
	case bool:
		found = strconv.FormatBool(v)
	case nil:
		found = "null"
	case []node:
		found = "an array"
	}
	j.problem(n.at, n.pointer, ErrValue, "expected %s, found %s", expected, found)
}

// members returns the members of an object, without those that stand twice.
func (j *jsonReader) members(n *node) object {
	o, ok := n.value.(object)
	if !ok {
		j.wrong(n, "an object")
		return nil
	}
	seen := make(map[string]bool, len(o))
	out := make(object, 0, len(o))
	for _, m := range o {
		if seen[m.name] {
			j.problem(m.at, m.node.pointer, ErrDuplicate, "member %q stands twice", m.name)
			continue
		}
		seen[m.name] = true
		out = append(out, m)
	}
	return out
}

// integer reads a number without fraction.
func (j *jsonReader) integer(n *node) (int64, bool) {
	if num, ok := n.value.(json.Number); ok {
		if i, err := num.Int64(); err == nil {
			return i, true
		}
	}
	j.wrong(n, "a whole number")
	return 0, false
}

func (j *jsonReader) text(n *node) string {
	s, ok := n.value.(string)
	if !ok || s == "" {
		j.wrong(n, "a text that is not empty")
	}
	return s
}

func (j *jsonReader) array(n *node) []node {
	items, ok := n.value.([]node)
	if !ok || len(items) == 0 {
		j.wrong(n, "an array that is not empty")
	}
	return items
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func escapePointer(s string) string { return pointerEscapes.Replace(s) }
