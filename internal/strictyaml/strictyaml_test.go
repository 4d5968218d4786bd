package strictyaml

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

type level int

func (l *level) UnmarshalText(text []byte) error {
	if string(text) == "high" {
		*l = 1
		return nil
	}
	return errors.New("expected high, found " + string(text))
}

type inner struct {
	Name  string    `yaml:"name"`
	Level level     `yaml:"level,omitempty"`
	Since time.Time `yaml:"since"`
}

type outer struct {
	Title  string            `yaml:"title"`
	Count  int               `yaml:"count"`
	Small  uint8             `yaml:"small"`
	Share  *float64          `yaml:"share"`
	On     bool              `yaml:"on"`
	Inner  inner             `yaml:"inner"`
	List   []inner           `yaml:"list"`
	Words  *[]string         `yaml:"words"`
	Labels map[string]string `yaml:"labels"`
	Hidden string            `yaml:"-"`
	Other  string
}

func TestDecode(t *testing.T) {
	var got outer
	places, problems := Decode([]byte("\ufefftitle: 1.10\ncount: -3\nsmall: 255\nshare: 0.5\non: true\ninner: &i {name: yes, level: high, since: 2026-01-02T00:00:00Z}\nlist: [*i, {name: \"b\"}]\nwords: [no, 012]\nlabels: {a/b: 'x'}\n"), &got)
	require.Empty(t, problems)
	share := 0.5
	i := inner{"yes", 1, time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC)}
	require.Equal(t, outer{
		Title: "1.10", Count: -3, Small: 255, Share: &share, On: true, Inner: i, List: []inner{i, {Name: "b"}},
		Words: &[]string{"no", "012"}, Labels: map[string]string{"a/b": "x"},
	}, got)
	for pointer, want := range map[string]string{
		"": "1:1", "/count": "2:1", "/inner/level": "6:23", "/list/1/name": "7:13", "/labels/a~1b": "9:10", "/list/0/name": "6:12", "/list/7/name": "7:1", "/none": "1:1",
	} {
		line, column := places.At(pointer)
		require.Equal(t, want, fmt.Sprintf("%d:%d", line, column), pointer)
	}
	var json outer
	_, problems = Decode([]byte("{\n\t\"title\": \"a\",\n\t\"list\": [{\"name\": \"\\u00e9\"}]\n}"), &json)
	require.Empty(t, problems)
	require.Equal(t, outer{Title: "a", List: []inner{{Name: "é"}}}, json)
}

func TestProblems(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"several", "titel: a\ncolour: b\ncount: x\nsmall: 256\nshare: 'a'\non: yes\ninner: [a]\nlist: {name: x}\ncount: 3\nlabels: 7\n", []string{
			`1:1 : unknown member "titel"; did you mean "title"?`,
			`2:1 : unknown member "colour"; expected one of title, count, small, share, on, inner, list, words, labels`,
			`3:8 /count: expected a whole number, found the text "x"`,
			`4:8 /small: expected a whole number, found "256"`,
			`5:8 /share: expected a number, found the text "a"`,
			`6:5 /on: expected true or false, found the text "yes"`,
			`7:8 /inner: expected an object, found a list`,
			`8:7 /list: expected a list, found an object`,
			`9:1 : the member "count" stands twice, first in line 3`,
			`10:9 /labels: expected an object, found "7"`,
		}},
		{"text unmarshaler", "inner: {level: low, since: soon}\nlist: [{level: [a]}, null]\n", []string{
			`1:16 /inner/level: expected high, found low`,
			`1:28 /inner/since: expected a time such as 2026-06-30T00:00:00Z, found the text "soon"`,
			`2:16 /list/0/level: expected a text, found a list`,
			`2:22 /list/1: expected an item, found nothing`,
		}},
		{"empty", " \n", []string{"1:1 : the file is empty"}},
		{"comment only", "# nothing\n", []string{"1:1 : the file is empty"}},
		{"utf-16", "\xff\xfet\x00", []string{"1:1 : expected UTF-8, found UTF-16, UTF-32 or a binary file"}},
		{"binary", "title: a\n\x80", []string{"2:1 : expected UTF-8, found the byte 0x80"}},
		{"two documents", "title: a\n---\ntitle: b\n", []string{"2:1 : expected one YAML document, found a second one"}},
		{"merge", "inner:\n  <<: {name: a}\n", []string{"2:3 /inner: the merge key << is not supported"}},
		{"alias in itself", "list: &l\n  - *l\n", []string{"2:5 /list/0: the alias *l stands inside its own anchor"}},
		{"list", "- a\n", []string{"1:1 : expected an object, found a list"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var v outer
			_, problems := Decode([]byte(tt.text), &v)
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%d:%d %s: %s", p.Line, p.Column, p.Pointer, p.Message))
			}
			require.Equal(t, tt.want, got)
		})
	}
	for name, text := range map[string]string{
		"tab": "title:\n\t- x", "unknown anchor": "title: *x", "unclosed": "list: [", "deep": "list: " + strings.Repeat("[", 5000),
	} {
		var v outer
		_, problems := Decode([]byte(text), &v)
		require.NotEmpty(t, problems, name)
	}
}

// TestShapes: members that must stand, of which one must stand, and that a number
// stands for.
func TestShapes(t *testing.T) {
	type amount struct {
		Exact *float64 `yaml:"exact,oneof,short"`
		Range *struct {
			Min float64 `yaml:"min,required"`
			Max float64 `yaml:"max,required"`
		} `yaml:"range,oneof"`
		Note string `yaml:"note"`
	}
	type file struct {
		Cost  amount   `yaml:"cost,required"`
		Costs []amount `yaml:"costs"`
		Count int      `yaml:"count"`
	}
	var got file
	_, problems := Decode([]byte("cost: {range: {min: 1, max: 2_000.5}}\ncosts: [3, {exact: 4e1, note: x}]\ncount: 1_000"), &got)
	require.Empty(t, problems)
	require.InDelta(t, 2000.5, got.Cost.Range.Max, 0)
	require.InDelta(t, 3, *got.Costs[0].Exact, 0)
	require.InDelta(t, 40, *got.Costs[1].Exact, 0)
	require.Equal(t, 1000, got.Count)
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"absent", "count: 3", []string{`1:1 : expected the member "cost"`}},
		{"null", "cost:", []string{`1:1 : expected the member "cost"`}},
		{"none and several", "cost: {note: a}\ncosts: [{exact: 1, range: {min: 2}}, {exat: 3}, [1], five]\ncount: 1__0", []string{
			`1:7 /cost: expected one of the members exact, range`,
			`2:20 /costs/0: expected "exact" or "range", found both`,
			`2:27 /costs/0/range: expected the member "max"`,
			`2:39 /costs/1: unknown member "exat"; did you mean "exact"?`,
			`2:49 /costs/2: expected an object, found a list`,
			`2:54 /costs/3: expected a number, found the text "five"`,
			`3:8 /count: expected a whole number, found "1__0"`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var v file
			_, problems := Decode([]byte(tt.text), &v)
			var got []string
			for _, p := range problems {
				got = append(got, fmt.Sprintf("%d:%d %s: %s", p.Line, p.Column, p.Pointer, p.Message))
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// TestBomb: aliases of aliases end at the limit.
func TestBomb(t *testing.T) {
	type tree struct {
		Words  []string                                           `yaml:"words"`
		Nested map[string]map[string]map[string]map[string]string `yaml:"nested"`
	}
	var b strings.Builder
	many := func(alias string) string { // an object of 100 members that are one alias
		var m strings.Builder
		for i := range 100 {
			fmt.Fprintf(&m, "k%d: *%s, ", i, alias)
		}
		return "{" + m.String() + "}"
	}
	b.WriteString("words: [&s x]\nnested:\n  a: {b: {c: &c " + many("s") + ", d: *c}, e: &e {c: *c, d: *c}}\n")
	for i := range 5 {
		fmt.Fprintf(&b, "  n%d: {", i)
		for j := range 100 {
			fmt.Fprintf(&b, "m%d: *e, ", j)
		}
		b.WriteString("}\n")
	}
	var v tree
	_, problems := Decode([]byte(b.String()), &v)
	require.Empty(t, problems, "5*100*2*100 values are below the limit")
	for i := range 20 {
		fmt.Fprintf(&b, "  o%d: {", i)
		for j := range 100 {
			fmt.Fprintf(&b, "m%d: *e, ", j)
		}
		b.WriteString("}\n")
	}
	_, problems = Decode([]byte(b.String()), &v)
	require.Len(t, problems, 1)
	require.Contains(t, problems[0].Message, "expands to more than")
}

func FuzzDecode(f *testing.F) {
	f.Add("title: a\nlist: [{name: b}]\n")
	f.Add("inner: &i {name: x}\nlist: [*i, *i]\n")
	f.Add("labels: {a: b}\nshare: 1e400\n")
	f.Fuzz(func(t *testing.T, text string) {
		var v outer
		places, problems := Decode([]byte(text), &v)
		for _, p := range problems {
			require.Positive(t, p.Line)
			require.Positive(t, p.Column)
			require.NotEmpty(t, p.Message)
		}
		places.At("/list/0/name")
	})
}
