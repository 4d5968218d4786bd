package oscal

import (
	"bytes"
	"html"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
)

var (
	blockTag   = regexp.MustCompile(`\s*(</?(?:p|ul|ol|li|blockquote|pre|h[1-6]|hr|table|thead|tbody|tr|th|td)(?: [^>]*)?/?>)\s*`)
	spaces     = regexp.MustCompile(`\s+`)
	insertSpan = regexp.MustCompile(`<span class="insert" data-type="([^"]*)" data-id="([^"]*)">[^<]*</span>`)
	insertText = regexp.MustCompile(`\{\{\s*insert:\s*([^\s,]+)\s*,\s*([^\s}]+)\s*\}\}`)
	dialect    = strings.NewReplacer("<q>", `"`, "</q>", `"`, "<sub>", "~", "</sub>", "~", "<sup>", "^", "</sup>", "^",
		"<thead>", "", "</thead>", "", "<tbody>", "", "</tbody>", "", "<br>", "<br/>", "<hr>", "<hr/>")
)

// sameHTML makes the HTML of two renderers comparable: the inlines of OSCAL as
// the text that they are in CommonMark, no space where it means nothing.
func sameHTML(s string) string {
	s = insertSpan.ReplaceAllString(s, "{{ insert: $1, $2 }}")
	s = insertText.ReplaceAllString(s, "{{ insert: $1, $2 }}")
	s = dialect.Replace(s)
	s = blockTag.ReplaceAllString(s, "$1")
	s = spaces.ReplaceAllString(s, " ")
	s = strings.ReplaceAll(s, "\u00a0", " ")
	return strings.TrimSpace(html.UnescapeString(s))
}

// TestCommonMark compares the reading of all markup of the published JSON
// documents with that of goldmark. Texts with tags are left out: they are HTML
// for CommonMark and text for OSCAL.
func TestCommonMark(t *testing.T) {
	md := goldmark.New(goldmark.WithExtensions(extension.Table))
	seen := map[string]bool{}
	n := 0
	for _, file := range documents(t, "oscal/catalogs", "oscal/documents", "controls", "authorization/packages", "oscal/constraints/cli") {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		doc, _ := Parse(string(data), nil)
		if doc == nil || doc.Format() == XML {
			continue
		}
		for node := range doc.root.Walk() {
			text := node.value
			if node.member.dtype != TypeMarkupMultiline || seen[text] || strings.ContainsAny(text, "<\x00") {
				continue
			}
			seen[text] = true
			var b bytes.Buffer
			require.NoError(t, md.Convert([]byte(text), &b))
			want := sameHTML(strings.NewReplacer(" />", ">", "</code></pre>", "</pre>", "<pre><code>", "<pre>").Replace(b.String()))
			got := sameHTML(strings.NewReplacer("</code></pre>", "</pre>", "<pre><code>", "<pre>").Replace(ParseMarkup(text, TypeMarkupMultiline).HTML(nil)))
			n++
			require.Equal(t, want, got, "%q in %s", text, file)
		}
	}
	t.Log(n, "texts")
	require.Greater(t, n, 10_000)
}
