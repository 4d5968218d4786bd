package oscal

import "strings"

// EscapeMarkdown returns plain text as the value of a member of a markup data
// type: what [ParseMarkup] reads as that text, with nothing in it taken for a
// heading, emphasis, a link or an insert, by other readers of Markdown neither.
// Of the type [TypeMarkupMultiline] an empty line ends a paragraph, any other
// line end is a line break; of [TypeMarkupLine] both are a space. Runs of white
// space are one space, as in all markup. Text of other types is returned as it
// is.
func EscapeMarkdown(text string, t DataType) string {
	if !t.isMarkup() || isPlainMarkdown(text) {
		return text
	}
	paragraph := &Markup{Kind: MarkupParagraph}
	root := &Markup{Kind: MarkupRoot, Children: []*Markup{paragraph}}
	if t == TypeMarkupLine {
		paragraph.Children = []*Markup{{Kind: MarkupText, Text: text}}
		return root.Markdown()
	}
	for line := range strings.SplitSeq(strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(text), "\n") {
		switch {
		case strings.Trim(line, " \t") == "":
			paragraph = &Markup{Kind: MarkupParagraph}
			root.Children = append(root.Children, paragraph)
			continue
		case len(paragraph.Children) > 0:
			paragraph.Children = append(paragraph.Children, &Markup{Kind: MarkupBreak})
		}
		paragraph.Children = append(paragraph.Children, &Markup{Kind: MarkupText, Text: line})
	}
	return root.Markdown()
}
