package oscal

import (
	"strconv"
	"strings"
)

// HTMLOptions configure [Markup.HTML]; nil means the defaults.
type HTMLOptions struct {
	Insert func(insert *Markup) string // text in place of an insert; default: its id in brackets
	Link   func(target string) string  // what a link or an image points to, "" for nowhere; default: the target as it is
}

// HTML returns the piece as HTML. Text is escaped and targets whose scheme runs
// code (javascript, vbscript, data other than images) are left out, so that the
// result can be put into a page whoever wrote the document. An insert is a span
// of the class insert with the attributes data-type and data-id.
func (m *Markup) HTML(opts *HTMLOptions) string {
	w := htmlWriter{}
	if opts != nil {
		w.opts = *opts
	}
	w.markup(m)
	return strings.TrimSuffix(w.b.String(), "\n")
}

type htmlWriter struct {
	b    strings.Builder
	opts HTMLOptions
}

func (w *htmlWriter) all(children []*Markup) {
	for _, c := range children {
		w.markup(c)
	}
}

// wrap writes children in an element.
func (w *htmlWriter) wrap(name, attributes string, children []*Markup, after string) {
	w.b.WriteString("<" + name + attributes + ">")
	w.all(children)
	w.b.WriteString("</" + name + ">" + after)
}

func (w *htmlWriter) markup(m *Markup) {
	switch m.Kind {
	case MarkupRoot:
		w.all(m.Children)
	case MarkupText:
		w.b.WriteString(escapeHTML(m.Text))
	case MarkupHeading:
		w.wrap("h"+strconv.Itoa(min(max(m.Number, 1), 6)), "", m.Children, "\n")
	case MarkupBulletList, MarkupOrderedList:
		attributes := ""
		if m.Kind == MarkupOrderedList && m.Number != 1 {
			attributes = ` start="` + strconv.Itoa(m.Number) + `"`
		}
		w.b.WriteString("<" + m.Kind.String() + attributes + ">\n")
		for _, item := range m.Children {
			w.b.WriteString("<li>")
			for _, b := range item.Children {
				if m.Tight && b.Kind == MarkupParagraph {
					w.all(b.Children)
				} else {
					w.markup(b)
				}
			}
			w.b.WriteString("</li>\n")
		}
		w.b.WriteString("</" + m.Kind.String() + ">\n")
	case MarkupTable:
		w.b.WriteString("<table>\n")
		for i, row := range m.Children {
			w.b.WriteString("<tr>")
			for _, cell := range row.Children {
				name, align := "td", ""
				if i == 0 {
					name = "th"
				}
				switch cell.Align {
				case "left", "center", "right":
					align = ` style="text-align: ` + cell.Align + `"`
				}
				w.wrap(name, align, cell.Children, "")
			}
			w.b.WriteString("</tr>\n")
		}
		w.b.WriteString("</table>\n")
	case MarkupPre:
		w.b.WriteString("<pre><code>" + escapeHTML(m.Text) + "\n</code></pre>\n")
	case MarkupRule:
		w.b.WriteString("<hr>\n")
	case MarkupBreak:
		w.b.WriteString("<br>\n")
	case MarkupCode:
		w.b.WriteString("<code>" + escapeHTML(m.Text) + "</code>")
	case MarkupLink:
		w.wrap("a", w.target("href", m), m.Children, "")
	case MarkupImage:
		w.b.WriteString("<img" + w.target("src", m) + ` alt="` + escapeHTML(m.Text) + `">`)
	case MarkupInsert:
		text := "[" + m.Target + "]"
		if w.opts.Insert != nil {
			text = w.opts.Insert(m)
		}
		w.b.WriteString(`<span class="insert" data-type="` + escapeHTML(m.Type) + `" data-id="` + escapeHTML(m.Target) + `">` + escapeHTML(text) + "</span>")
	case MarkupParagraph, MarkupQuote:
		w.wrap(m.Kind.String(), "", m.Children, "\n")
	default:
		w.wrap(m.Kind.String(), "", m.Children, "")
	}
}

// target writes where a link or an image points to, and its title.
func (w *htmlWriter) target(name string, m *Markup) string {
	target, attributes := m.Target, ""
	if w.opts.Link != nil {
		target = w.opts.Link(target)
	}
	if target != "" && !runsCode(target) {
		attributes = " " + name + `="` + escapeHTML(target) + `"`
	}
	if m.Title != "" {
		attributes += ` title="` + escapeHTML(m.Title) + `"`
	}
	return attributes
}

// runsCode tells whether a browser could run what a URI points to. White space
// and controls before and inside of a scheme count for nothing, as in browsers.
func runsCode(target string) bool {
	scheme, rest, ok := strings.Cut(strings.Map(func(r rune) rune {
		if r <= ' ' || r == 0x7f {
			return -1
		}
		return r
	}, target), ":")
	if !ok {
		return false
	}
	switch strings.ToLower(scheme) {
	case "javascript", "vbscript":
		return true
	case "data":
		rest = strings.ToLower(rest)
		return !strings.HasPrefix(rest, "image/") || strings.HasPrefix(rest, "image/svg")
	}
	return false
}

var htmlEscapes = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&quot;")

func escapeHTML(s string) string { return htmlEscapes.Replace(s) }
