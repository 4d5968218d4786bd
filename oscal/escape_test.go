package oscal

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// plainText is what is left of a text in markup: the words of its lines, without
// empty lines.
func plainText(s string, t DataType) string {
	isEnd := func(r rune) bool { return r == '\n' || r == '\r' }
	isSpace := func(r rune) bool { return r == ' ' || r == '\t' || isEnd(r) }
	var lines []string
	for _, l := range strings.FieldsFunc(s, isEnd) {
		if words := strings.FieldsFunc(l, isSpace); len(words) > 0 {
			lines = append(lines, strings.Join(words, " "))
		}
	}
	if t == TypeMarkupLine {
		return strings.Join(lines, " ")
	}
	return strings.Join(lines, "\n")
}

// checkEscape: the value holds the text and nothing but text, in lines of as
// many kinds as the data type has.
func checkEscape(t *testing.T, s string) {
	for _, typ := range []DataType{TypeMarkupLine, TypeMarkupMultiline} {
		value := EscapeMarkdown(s, typ)
		m := ParseMarkup(value, typ)
		require.Equal(t, plainText(s, typ), m.Plain(nil), "%s %q: %q", typ, s, value)
		for c := range m.Walk() {
			require.Contains(t, []MarkupKind{MarkupRoot, MarkupParagraph, MarkupText, MarkupBreak}, c.Kind, "%q: %q", s, value)
		}
		if typ == TypeMarkupLine {
			require.NotContains(t, value, "\n")
			// A reader that takes the line for a block finds no heading or list.
			require.Equal(t, plainText(s, typ), ParseMarkup(value, TypeMarkupMultiline).Plain(nil), "%q: %q", s, value)
		}
	}
}

func TestEscapeMarkdown(t *testing.T) {
	tests := []struct{ name, text, line, multiline string }{
		{"plain", "All is well", "All is well", "All is well"},
		{"empty", "", "", ""},
		{"white space only", " \n\t ", "", ""},
		{"a method of Python", "Field.__init__", `Field.\_\_init\_\_`, `Field.\_\_init\_\_`},
		{"a name with underscores", "set_user_id", "set_user_id", "set_user_id"},
		{"link", "[super](1)", `\[super\](1)`, `\[super\](1)`},
		{"HTML", `<a href="javascript:x">`, `&lt;a href=\"javascript:x\">`, `&lt;a href=\"javascript:x\">`},
		{"insert", "{{ insert: param, x }}", `\{{ insert: param, x }}`, `\{{ insert: param, x }}`},
		{"heading", "# Approved", `\# Approved`, `\# Approved`},
		{"second line is a heading", "a\n# b", "a # b", "a\\\n\\# b"},
		{"underlined heading", "a\n===", "a ===", "a\\\n\\==="},
		{"list", "1. a\n- b", `1\. a - b`, "1\\. a\\\n\\- b"},
		{"code by indentation", "    rm -rf /", "rm -rf /", "rm -rf /"},
		{"reference", "a &lt; b & c", "a &amp;lt; b & c", "a &amp;lt; b & c"},
		{"paragraphs", "a\nb\r\n\r\n\nc", "a b c", "a\\\nb\n\nc"},
		{"line break by spaces", "a  \nb\\\nc", `a b\\ c`, "a\\\nb\\\\\\\nc"},
		{"table", "a | b\n--- | ---\nc | d", "a | b --- | --- c | d", "a | b\\\n\\--- | ---\\\nc | d"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			require.Equal(t, tt.line, EscapeMarkdown(tt.text, TypeMarkupLine))
			require.Equal(t, tt.multiline, EscapeMarkdown(tt.text, TypeMarkupMultiline))
			require.Equal(t, tt.text, EscapeMarkdown(tt.text, TypeString))
			checkEscape(t, tt.text)
		})
	}
}

func FuzzEscapeMarkdown(f *testing.F) {
	for _, s := range []string{"Field.__init__", "[a](1) ![b](c)", "# a\n===\n- b\n1. c", "```\ncode\n```", `"q" ~s~ ^t^ {{ insert: param, x }}`, "a | b\n--- | ---", "> q\n\n    x", "&#10;&amp;", "*a* **b** _c_ __d__", "http://x <http://y>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		checkEscape(t, strings.ToValidUTF8(strings.ReplaceAll(s, "\x00", ""), ""))
	})
}
