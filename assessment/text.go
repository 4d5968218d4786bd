package assessment

import (
	"strconv"
	"strings"
	"unicode"

	"github.com/issokit/issokit/oscal"
)

// oneLine makes a text such as values and titles of OSCAL must be: without line
// breaks, control characters, and white space at the ends or twice.
func oneLine(s string) string {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' ') {
			return strings.Join(strings.Fields(printable(s)), " ")
		}
	}
	return s
}

// printable drops what no document can hold: control characters but tabs and
// line breaks, bytes that are not UTF-8, and noncharacters.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			return r
		case unicode.IsControl(r), r == unicode.ReplacementChar, r&0xFFFE == 0xFFFE:
			return -1
		}
		return r
	}, s)
}

// line returns the first of the texts that is not empty, as one line.
func line(texts ...string) string {
	for _, s := range texts {
		if s = oneLine(s); s != "" {
			return s
		}
	}
	return ""
}

// block returns the first of the texts that is not empty, with its lines.
func block(texts ...string) string {
	for _, s := range texts {
		if s = strings.TrimSpace(printable(s)); s != "" {
			return s
		}
	}
	return ""
}

// title returns the first of the plain texts that is not empty, as a markup-line.
func title(texts ...string) string {
	return oscal.EscapeMarkdown(line(texts...), oscal.TypeMarkupLine)
}

// prose returns the first of the plain texts that is not empty, as a
// markup-multiline.
func prose(texts ...string) string {
	return oscal.EscapeMarkdown(block(texts...), oscal.TypeMarkupMultiline)
}

// plain returns the text of a markup-line.
func plain(title string) string { return oscal.ParseMarkup(title, oscal.TypeMarkupLine).Plain(nil) }

// original says how a text was written that is value in a document, which is
// less. Only code keeps blanks.
func original(text, value string) string {
	if text == value {
		return ""
	}
	return (&oscal.Markup{Kind: oscal.MarkupParagraph, Children: []*oscal.Markup{
		{Kind: oscal.MarkupText, Text: "Written as "}, {Kind: oscal.MarkupCode, Text: strconv.QuoteToASCII(text)},
	}}).Markdown()
}

// isWebPage tells whether a text is the address of a page that can be linked to.
// Of other schemes, such as javascript, nobody knows what a click does.
func isWebPage(s string) bool {
	scheme, _, _ := strings.Cut(s, ":")
	return oscal.TypeURI.Valid(s) && (strings.EqualFold(scheme, "https") || strings.EqualFold(scheme, "http"))
}
