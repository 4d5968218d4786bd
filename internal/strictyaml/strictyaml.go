// Package strictyaml decodes YAML and JSON that people write by hand. It takes
// what the Go types ask for and nothing else, says all that is wrong at once, in
// words of the file and not of Go, and remembers where everything stood.
package strictyaml

import (
	"bytes"
	"encoding"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v4"

	"github.com/issokit/issokit/internal/nearest"
)

// Bounds of what is read: nesting, and nodes with aliases expanded.
const (
	maxDepth = 100
	maxNodes = 200_000
)

// A Problem is one thing that is wrong with a file.
type Problem struct {
	Line, Column int    // from 1, columns in code points
	Pointer      string // JSON Pointer (RFC 6901)
	Message      string // what was expected and what was found
}

// Places knows where the parts of a file stood.
type Places struct{ root *yaml.Node }

// At returns line and column of what a JSON Pointer leads to, or of the nearest
// thing around it that is there.
func (p *Places) At(pointer string) (line, column int) {
	_, line, column = p.find(pointer)
	return line, column
}

// Has tells whether a JSON Pointer leads to anything.
func (p *Places) Has(pointer string) bool {
	ok, _, _ := p.find(pointer)
	return ok
}

func (p *Places) find(pointer string) (ok bool, line, column int) {
	if p == nil || p.root == nil {
		return false, 1, 1
	}
	n := p.root
	line, column = n.Line, n.Column
	if pointer == "" {
		return true, line, column
	}
	for step := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		step = strings.NewReplacer("~1", "/", "~0", "~").Replace(step)
		if n.Kind == yaml.AliasNode && n.Alias != nil {
			n = n.Alias
		}
		var next *yaml.Node
		switch n.Kind {
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == step {
					next = n.Content[i+1]
					line, column = n.Content[i].Line, n.Content[i].Column
				}
			}
		case yaml.SequenceNode:
			if i, err := strconv.Atoi(step); err == nil && i >= 0 && i < len(n.Content) {
				next = n.Content[i]
				line, column = next.Line, next.Column
			}
		}
		if next == nil {
			return false, line, column
		}
		n = next
	}
	return true, line, column
}

// Decode reads a text into v, a pointer to a struct whose members have yaml tags.
// Members that the struct does not have, that stand twice, or whose values are of
// another kind are problems; a null counts as absent. Text takes whatever is
// written: 1.10 is that text. Numbers may have underscores between digits.
//
// The tag of a member may say more after its name: "required"; "oneof", of the members
// of an object with which exactly one stands; "short", for the one that a value stands
// for that is no object: 5 for {constant: 5}.
func Decode(text []byte, v any) (*Places, []Problem) {
	d := &decoder{open: map[*yaml.Node]bool{}}
	if !d.check(text) {
		return nil, d.problems
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	loader, err := yaml.NewLoader(bytes.NewReader(text), yaml.WithV4Defaults())
	if err != nil {
		return nil, []Problem{{Line: 1, Column: 1, Message: err.Error()}}
	}
	var doc, more yaml.Node
	if err := loader.Load(&doc); err != nil {
		d.syntax(err)
		return nil, d.problems
	}
	if len(doc.Content) != 1 {
		return nil, []Problem{{Line: 1, Column: 1, Message: "the file is empty"}}
	}
	root := doc.Content[0]
	d.value(root, reflect.ValueOf(v).Elem(), "")
	switch err := loader.Load(&more); {
	case err == nil:
		d.problem(&more, "", "expected one YAML document, found a second one")
	case !errors.Is(err, io.EOF):
		d.syntax(err)
	}
	return &Places{root}, d.problems
}

type decoder struct {
	problems []Problem
	depth    int
	nodes    int
	open     map[*yaml.Node]bool // anchored nodes that are being expanded
	stopped  bool
}

func (d *decoder) problem(n *yaml.Node, pointer, format string, args ...any) {
	if len(d.problems) < 1000 {
		d.problems = append(d.problems, Problem{max(n.Line, 1), max(n.Column, 1), pointer, fmt.Sprintf(format, args...)})
	}
}

// check looks for what no reader of YAML should see.
func (d *decoder) check(text []byte) bool {
	at := func(offset int, format string, args ...any) bool {
		before := text[:offset]
		line := 1 + bytes.Count(before, []byte("\n"))
		column := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
		d.problems = append(d.problems, Problem{Line: line, Column: column, Message: fmt.Sprintf(format, args...)})
		return false
	}
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return at(0, "the file is empty")
	case bytes.HasPrefix(text, []byte("\xff\xfe")), bytes.HasPrefix(text, []byte("\xfe\xff")), bytes.IndexByte(text[:min(len(text), 4)], 0) >= 0:
		return at(0, "expected UTF-8, found UTF-16, UTF-32 or a binary file")
	}
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && n == 1 {
			return at(i, "expected UTF-8, found the byte 0x%02X", text[i])
		}
		i += n
	}
	return true
}

func (d *decoder) syntax(err error) {
	p := Problem{Line: 1, Column: 1, Message: err.Error()}
	if errors.Is(err, io.EOF) {
		p.Message = "the file is empty"
	}
	if e, ok := errors.AsType[*yaml.LoadError](err); ok {
		p.Line, p.Column, p.Message = max(e.Mark.Line, 1), max(e.Mark.Column, 1), "this is no YAML: "+e.Message
	}
	d.problems = append(d.problems, p)
}

// found describes a node in plain words.
func found(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "an object"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case isNull(n):
		return "nothing"
	case n.Style != 0 && n.Style != yaml.TaggedStyle, n.Tag == "!!str":
		return "the text " + quote(n.Value)
	}
	return quote(n.Value)
}

func quote(s string) string {
	if r := []rune(s); len(r) > 60 {
		s = string(r[:57]) + "..."
	}
	return strconv.Quote(s)
}

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

var (
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	timeType        = reflect.TypeFor[time.Time]()
)

// value decodes a node into v.
func (d *decoder) value(n *yaml.Node, v reflect.Value, pointer string) {
	if d.stopped {
		return
	}
	if n.Kind == yaml.AliasNode {
		alias := n
		if n = n.Alias; n == nil || d.open[n] {
			d.problem(alias, pointer, "the alias *%s stands inside its own anchor", alias.Value)
			return
		}
	}
	d.nodes++
	d.depth++
	defer func() { d.depth-- }()
	if d.nodes > maxNodes || d.depth > maxDepth {
		d.problem(n, pointer, "the file is nested deeper than %d or expands to more than %d values", maxDepth, maxNodes)
		d.stopped = true
		return
	}
	if n.Anchor != "" {
		d.open[n] = true
		defer delete(d.open, n)
	}
	if isNull(n) {
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		d.value(n, v.Elem(), pointer)
		return
	}
	if v.CanAddr() && v.Addr().Type().Implements(textUnmarshaler) {
		if n.Kind != yaml.ScalarNode {
			d.problem(n, pointer, "expected a text, found %s", found(n))
			return
		}
		if err := v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(n.Value)); err != nil {
			if v.Type() == timeType { // whose error speaks of layouts
				d.problem(n, pointer, "expected a time such as 2026-06-30T00:00:00Z, found %s", found(n))
				return
			}
			d.problem(n, pointer, "%v", err)
		}
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		d.object(n, v, pointer)
	case reflect.Slice:
		d.list(n, v, pointer)
	case reflect.Map:
		d.dict(n, v, pointer)
	default:
		d.scalar(n, v, pointer)
	}
}

// members yields the pairs of a mapping whose keys are texts that stand once.
func (d *decoder) members(n *yaml.Node, pointer string, f func(key, value *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.problem(n, pointer, "expected an object, found %s", found(n))
		return
	}
	lines := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := n.Content[i]
		line, twice := lines[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			d.problem(key, pointer, "expected the name of a member, found %s", found(key))
		case key.Tag == "!!merge":
			d.problem(key, pointer, "the merge key << is not supported")
		case twice:
			d.problem(key, pointer, "the member %s stands twice, first in line %d", quote(key.Value), line)
		default:
			lines[key.Value] = key.Line
			f(key, n.Content[i+1])
		}
	}
}

func child(pointer, name string) string {
	return pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// A shape is what the tags of a struct say.
type shape struct {
	fields          map[string]int // by name
	names           []string
	required, oneOf []string
	short           int // field; -1 for none
}

func shapeOf(t reflect.Type) shape {
	s := shape{fields: map[string]int{}, short: -1}
	for i := range t.NumField() {
		name, options, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == "" || name == "-" {
			continue
		}
		s.fields[name] = i
		s.names = append(s.names, name)
		for option := range strings.SplitSeq(options, ",") {
			switch option {
			case "required":
				s.required = append(s.required, name)
			case "oneof":
				s.oneOf = append(s.oneOf, name)
			case "short":
				s.short = i
			}
		}
	}
	return s
}

func (d *decoder) object(n *yaml.Node, v reflect.Value, pointer string) {
	s := shapeOf(v.Type())
	if s.short >= 0 && n.Kind == yaml.ScalarNode {
		d.value(n, v.Field(s.short), pointer)
		return
	}
	there := map[string]bool{}
	unknown, chosen := false, ""
	d.members(n, pointer, func(key, value *yaml.Node) {
		i, ok := s.fields[key.Value]
		if !ok {
			unknown = true
			message := "unknown member " + quote(key.Value)
			if near := nearest.Name(key.Value, s.names); near != "" {
				message += "; did you mean " + quote(near) + "?"
			} else {
				message += "; expected one of " + strings.Join(s.names, ", ")
			}
			d.problem(key, pointer, "%s", message)
			return
		}
		there[key.Value] = !isNull(value)
		if there[key.Value] && slices.Contains(s.oneOf, key.Value) {
			if chosen != "" {
				d.problem(key, pointer, "expected %s or %s, found both", quote(chosen), quote(key.Value))
			}
			chosen = key.Value
		}
		d.value(value, v.Field(i), child(pointer, key.Value))
	})
	if n.Kind != yaml.MappingNode {
		return
	}
	for _, name := range s.required {
		if !there[name] {
			d.problem(n, pointer, "expected the member %s", quote(name))
		}
	}
	if s.oneOf != nil && chosen == "" && !unknown {
		d.problem(n, pointer, "expected one of the members %s", strings.Join(s.oneOf, ", "))
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value, pointer string) {
	if n.Kind != yaml.SequenceNode {
		d.problem(n, pointer, "expected a list, found %s", found(n))
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		at := pointer + "/" + strconv.Itoa(i)
		if isNull(item) {
			d.problem(item, at, "expected an item, found nothing")
			continue
		}
		d.value(item, v.Index(i), at)
	}
}

func (d *decoder) dict(n *yaml.Node, v reflect.Value, pointer string) {
	if v.Type().Key().Kind() != reflect.String {
		panic("strictyaml: a map must have texts as keys")
	}
	v.Set(reflect.MakeMap(v.Type()))
	d.members(n, pointer, func(key, value *yaml.Node) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.value(value, item, child(pointer, key.Value))
		v.SetMapIndex(reflect.ValueOf(key.Value).Convert(v.Type().Key()), item)
	})
}

// digits takes away underscores between digits.
func digits(s string) string {
	is := func(i int) bool { return i >= 0 && i < len(s) && s[i] >= '0' && s[i] <= '9' }
	var out []byte
	for i := range len(s) {
		if s[i] != '_' || !is(i-1) || !is(i+1) {
			out = append(out, s[i])
		}
	}
	return string(out)
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value, pointer string) {
	expected := map[reflect.Kind]string{reflect.String: "a text", reflect.Bool: "true or false", reflect.Float64: "a number", reflect.Float32: "a number"}[v.Kind()]
	if expected == "" {
		expected = "a whole number"
	}
	wrong := func() { d.problem(n, pointer, "expected %s, found %s", expected, found(n)) }
	if n.Kind != yaml.ScalarNode {
		wrong()
		return
	}
	isText := n.Style != 0 && n.Style != yaml.TaggedStyle
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Value)
	case reflect.Bool:
		if isText || n.Value != "true" && n.Value != "false" {
			wrong()
			return
		}
		v.SetBool(n.Value == "true")
	case reflect.Float64, reflect.Float32:
		f, err := strconv.ParseFloat(digits(n.Value), 64)
		if isText || err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			wrong()
			return
		}
		v.SetFloat(f)
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int16, reflect.Int8:
		i, err := strconv.ParseInt(digits(n.Value), 10, 64)
		if isText || err != nil || v.OverflowInt(i) {
			wrong()
			return
		}
		v.SetInt(i)
	case reflect.Uint, reflect.Uint64, reflect.Uint32, reflect.Uint16, reflect.Uint8:
		i, err := strconv.ParseUint(digits(n.Value), 10, 64)
		if isText || err != nil || v.OverflowUint(i) {
			wrong()
			return
		}
		v.SetUint(i)
	default:
		panic("strictyaml: no form for " + v.Type().String())
	}
}
