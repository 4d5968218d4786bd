package matrix

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// LoadOptions configure [Load]; nil means the defaults.
type LoadOptions struct {
	Name     string // of the text in problems, usually its file name
	MaxBytes int64  // default 16 MiB
	Strict   bool   // warnings are errors too
}

// Load reads a matrix from JSON:
//
//	{
//	  "id": "likelihood-impact", "version": "1", "system": "https://…", "title": "…", "source": "…", "rule": "…", "note": "…",
//	  "axes": [
//	    {"name": "likelihood", "levels": ["low", "high"]},
//	    {"name": "impact", "descending": false, "levels": ["minor", {"name": "major", "label": "Major", "color": "#d73027", "text": "…", "score": 2}]}
//	  ],
//	  "outcomes": ["acceptable", "unacceptable"],
//	  "cells": [{"at": ["low", "minor"], "outcome": "acceptable"}, …],
//	  "monotone": true
//	}
//
// id, axes, outcomes and cells are needed. In place of cells, "table" may hold
// outcomes in arrays inside of arrays, the first axis outermost: [["acceptable",
// "acceptable"], ["acceptable", "unacceptable"]]. "monotone": false says that a
// higher input may give a lower outcome.
//
// The error is a [Problems] with everything that is wrong, in the order of the
// text, each with line, column and JSON Pointer. See [Matrix.Warnings] for what
// is only odd.
func Load(r io.Reader, opts *LoadOptions) (*Matrix, error) {
	var o LoadOptions
	if opts != nil {
		o = *opts
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 16 << 20
	}
	data, err := io.ReadAll(io.LimitReader(r, o.MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("matrix: reading %s: %w", o.Name, err)
	}
	l := loader{data: data, at: map[string]int{}}
	if int64(len(data)) > o.MaxBytes {
		l.ps.add(RuleLimit, "", "the text has more than %d bytes", o.MaxBytes)
		return nil, l.located(l.ps, o.Name)
	}
	root, ok := l.parse()
	if !ok {
		return nil, l.located(l.ps, o.Name)
	}
	if root.kind != '{' {
		l.ps.add(RuleShape, "", "expected an object: a matrix")
		return nil, l.located(l.ps, o.Name)
	}
	d := l.definition(root)
	m, ps := build(d)
	if l.ps != nil {
		// What follows from a member that could not be read is not told twice.
		ps = slices.DeleteFunc(ps, func(p Problem) bool {
			return p.Rule == RuleMissingCell || slices.ContainsFunc(l.ps, func(q Problem) bool {
				return q.Pointer == p.Pointer || strings.HasPrefix(q.Pointer, p.Pointer+"/") || strings.HasPrefix(p.Pointer, q.Pointer+"/")
			})
		})
	}
	if ps = append(l.ps, ps...); len(ps) > 0 {
		return nil, l.located(ps, o.Name)
	}
	m.warnings = l.located(m.warnings, o.Name)
	if o.Strict && len(m.warnings) > 0 {
		for i := range m.warnings {
			m.warnings[i].Warning = false
		}
		return nil, m.warnings
	}
	return m, nil
}

// A value is a JSON value.
type value struct {
	kind    byte   // its first character: '{', '[', '"', or that of a number or word
	plain   []byte // text of a string, number or word
	members []member
	items   []value
	pointer string
}

type member struct {
	name  string
	value value
}

// A loader reads one text.
type loader struct {
	data []byte
	pos  int
	ps   Problems
	at   map[string]int // offset of the value with a pointer
	full bool           // a limit was reached, reading has stopped
}

// located gives problems their places and puts them in the order of the text.
func (l *loader) located(ps Problems, file string) Problems {
	offset := func(p Problem) int {
		at := p.Pointer
		for {
			if o, ok := l.at[at]; ok {
				return o
			}
			i := strings.LastIndexByte(at, '/')
			if i < 0 {
				return 0
			}
			at = at[:i]
		}
	}
	slices.SortStableFunc(ps, func(a, b Problem) int { return offset(a) - offset(b) })
	for i := range ps {
		ps[i].File = file
		before := l.data[:min(offset(ps[i]), len(l.data))]
		ps[i].Line = bytes.Count(before, []byte{'\n'}) + 1
		ps[i].Column = len(before) - bytes.LastIndexByte(before, '\n')
	}
	return ps
}

const (
	maxDepth  = 16
	maxValues = 1 << 18
)

var pointerEscape = strings.NewReplacer("~", "~0", "/", "~1") // RFC 6901, section 3

// parse reads the text into values. It reports whether it is JSON.
func (l *loader) parse() (value, bool) {
	if i := invalidUTF8(l.data); i >= 0 {
		l.at[""] = i
		l.ps.add(RuleSyntax, "", "expected UTF-8")
		return value{}, false
	}
	var raw json.RawMessage
	if err := json.Unmarshal(l.data, &raw); err != nil {
		l.at[""] = len(l.data)
		if se, ok := errors.AsType[*json.SyntaxError](err); ok && se.Offset > 0 && se.Error() != "unexpected end of JSON input" {
			l.at[""] = int(se.Offset) - 1
		}
		l.ps.add(RuleSyntax, "", "expected JSON: %v", err)
		return value{}, false
	}
	v := l.value("", 0)
	return v, !slices.ContainsFunc(l.ps, func(p Problem) bool { return p.Rule == RuleLimit })
}

func invalidUTF8(data []byte) int {
	for i := 0; i < len(data); {
		r, n := utf8.DecodeRune(data[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return -1
}

// next returns the next character that is neither white space, comma nor colon.
// The text is known to be JSON, so there is one, and all is where it belongs.
func (l *loader) next() byte {
	for {
		switch c := l.data[l.pos]; c {
		case ' ', '\t', '\r', '\n', ',', ':':
			l.pos++
		default:
			return c
		}
	}
}

// plain returns the text of a string, number or word.
func (l *loader) plain() []byte {
	start := l.pos
	if l.data[l.pos] != '"' {
		for l.pos < len(l.data) && strings.IndexByte(" \t\r\n,:]}", l.data[l.pos]) < 0 {
			l.pos++
		}
		return l.data[start:l.pos]
	}
	for l.pos++; l.data[l.pos] != '"'; l.pos++ {
		if l.data[l.pos] == '\\' {
			l.pos++
		}
	}
	l.pos++
	return l.data[start:l.pos]
}

// value reads one value.
func (l *loader) value(pointer string, depth int) value {
	v := value{kind: l.next(), pointer: pointer}
	if len(l.at) == maxValues && !l.full {
		l.full = true
		l.at[pointer] = l.pos
		l.ps.add(RuleLimit, pointer, "expected at most %d values", maxValues)
	}
	if l.full {
		return v
	}
	l.at[pointer] = l.pos
	if v.kind != '{' && v.kind != '[' {
		v.plain = l.plain()
		return v
	}
	if depth == maxDepth {
		l.full = true
		l.ps.add(RuleLimit, pointer, "expected at most %d arrays and objects inside of each other", maxDepth)
		return v
	}
	l.pos++
	for i := 0; !l.full; i++ {
		if c := l.next(); c == ']' || c == '}' {
			l.pos++
			break
		}
		if v.kind == '[' {
			v.items = append(v.items, l.value(pointer+"/"+strconv.Itoa(i), depth+1))
			continue
		}
		var name string
		_ = json.Unmarshal(l.plain(), &name) // it is a string
		at := pointer + "/" + pointerEscape.Replace(name)
		twice := slices.ContainsFunc(v.members, func(m member) bool { return m.name == name })
		m := member{name, l.value(at, depth+1)}
		if twice {
			l.ps.add(RuleDuplicateMember, at, "member %q is given twice in an object", name)
			continue
		}
		v.members = append(v.members, m)
	}
	return v
}

// object calls the reader of each member of an object; a member without one is
// unknown, one with nil is read by nobody. What is missing [build] finds.
func (l *loader) object(v value, what string, readers map[string]func(value)) {
	if v.kind != '{' {
		l.ps.add(RuleShape, v.pointer, "expected an object: %s", what)
		return
	}
	for _, m := range v.members {
		read, ok := readers[m.name]
		if !ok {
			l.ps.add(RuleUnknownMember, m.value.pointer, "%s has no member %q", what, m.name)
		} else if read != nil {
			read(m.value)
		}
	}
}

func (l *loader) text(into *string) func(value) {
	return func(v value) {
		if v.kind != '"' || json.Unmarshal(v.plain, into) != nil {
			l.ps.add(RuleShape, v.pointer, "expected a string")
		}
	}
}

func (l *loader) truth(into func(bool)) func(value) {
	return func(v value) {
		if v.kind != 't' && v.kind != 'f' {
			l.ps.add(RuleShape, v.pointer, "expected true or false")
			return
		}
		into(v.kind == 't')
	}
}

// array calls read for each item of an array.
func (l *loader) array(read func(value)) func(value) {
	return func(v value) {
		if v.kind != '[' {
			l.ps.add(RuleShape, v.pointer, "expected an array")
			return
		}
		for _, item := range v.items {
			read(item)
		}
	}
}

func (l *loader) definition(v value) Definition {
	var d Definition
	var table value
	var cells bool
	l.object(v, "a matrix", map[string]func(value){
		"id": l.text(&d.ID), "version": l.text(&d.Version), "system": l.text(&d.System), "title": l.text(&d.Title),
		"source": l.text(&d.Source), "rule": l.text(&d.Rule), "note": nil,
		"axes":     l.array(func(v value) { d.Axes = append(d.Axes, l.axis(v)) }),
		"outcomes": l.array(func(v value) { d.Outcomes = append(d.Outcomes, l.level(v)) }),
		"cells": func(v value) {
			cells = true
			l.array(func(v value) { d.Cells = append(d.Cells, l.cell(v)) })(v)
		},
		"table":    func(v value) { table = v },
		"monotone": l.truth(func(b bool) { d.NotMonotone = !b }),
	})
	switch {
	case table.pointer != "" && cells:
		l.ps.add(RuleShape, table.pointer, "expected either cells or a table")
	case table.pointer != "":
		l.table(&d, table, 0, nil)
		l.at["/cells"] = l.at[table.pointer]
	case !cells:
		l.ps.add(RuleMissingMember, "/cells", "a matrix lacks the member \"cells\" or \"table\"")
	}
	return d
}

func (l *loader) axis(v value) Axis {
	var a Axis
	l.object(v, "an axis", map[string]func(value){
		"name": l.text(&a.Name), "descending": l.truth(func(b bool) { a.Descending = b }),
		"levels": l.array(func(v value) { a.Levels = append(a.Levels, l.level(v)) }),
	})
	return a
}

// level reads a level: its name, or an object.
func (l *loader) level(v value) Level {
	var out Level
	if v.kind != '{' {
		l.text(&out.Name)(v)
		return out
	}
	l.object(v, "a level", map[string]func(value){
		"name": l.text(&out.Name), "label": l.text(&out.Label), "color": l.text(&out.Color), "text": l.text(&out.Text),
		"score": func(v value) {
			f, err := strconv.ParseFloat(string(v.plain), 64)
			if err != nil {
				l.ps.add(RuleShape, v.pointer, "expected a number")
				return
			}
			out.Score = &f
		},
	})
	return out
}

func (l *loader) cell(v value) Cell {
	var c Cell
	l.object(v, "a cell", map[string]func(value){
		"at": l.array(func(v value) {
			var s string
			l.text(&s)(v)
			c.At = append(c.At, s)
		}),
		"outcome": l.text(&c.Outcome),
	})
	return c
}

// table reads cells from arrays inside of arrays, one of them for each axis.
func (l *loader) table(d *Definition, v value, axis int, at []string) {
	if axis == len(d.Axes) {
		c := Cell{At: slices.Clone(at)}
		l.text(&c.Outcome)(v)
		// A problem of the cell is one of the place in the table.
		i := "/cells/" + strconv.Itoa(len(d.Cells))
		l.at[i] = l.at[v.pointer]
		d.Cells = append(d.Cells, c)
		return
	}
	levels := d.Axes[axis].Levels
	if v.kind != '[' || len(v.items) != len(levels) {
		l.ps.add(RuleShape, v.pointer, "expected an array of %d, one for each level of %q", len(levels), d.Axes[axis].Name)
		return
	}
	for i, item := range v.items {
		l.table(d, item, axis+1, append(at, levels[i].Name))
	}
}
