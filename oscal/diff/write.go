package diff

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// bySubject calls f with the changes of each subject together, in the order in
// which the subjects first occur.
func (d *Diff) bySubject(f func(Subject, []Change)) {
	var order []Subject
	groups := map[Subject][]Change{}
	for _, c := range d.Changes {
		if _, ok := groups[c.Subject]; !ok {
			order = append(order, c.Subject)
		}
		groups[c.Subject] = append(groups[c.Subject], c)
	}
	for _, s := range order {
		f(s, groups[s])
	}
}

// Summary says in one line how much changed, e.g. "2 controls added, 1
// withdrawn, 14 changed; 31 changes in all". Without changes it says so.
func (d *Diff) Summary() string {
	if len(d.Changes) == 0 {
		return "no changes"
	}
	counts := map[Fate]int{}
	for _, c := range d.Controls() {
		counts[c.Fate]++
	}
	var parts []string
	for f := ControlAdded; f <= ControlChanged; f++ {
		if n := counts[f]; n > 0 {
			word := ""
			if len(parts) == 0 {
				word = "controls "
				if n == 1 {
					word = "control "
				}
			}
			parts = append(parts, fmt.Sprintf("%d %s%s", n, word, f))
		}
	}
	all := fmt.Sprintf("%d changes in all", len(d.Changes))
	if len(d.Changes) == 1 {
		all = "1 change in all"
	}
	if parts == nil {
		return all
	}
	return strings.Join(parts, ", ") + "; " + all
}

// marks are the signs of the kinds in text.
var marks = [...]string{Added: "+", Removed: "-", Changed: "~", Moved: ">", Renamed: "=", Reordered: "^"}

// WriteText writes the changes for a terminal: a line with the names of the
// documents and the summary, then by subject a line for each change, words that
// were removed as [-x-] and added ones as {+x+}.
func (d *Diff) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s -> %s: %s\n", name(d.Old), name(d.New), d.Summary())
	d.bySubject(func(s Subject, changes []Change) {
		fmt.Fprintf(b, "\n%s\n", s)
		for _, c := range changes {
			fmt.Fprintf(b, "  %s %s\n", marks[c.Kind], c.line("[-", "-]", "{+", "+}", func(s string) string { return s }))
		}
	})
	return b.Flush()
}

// WriteMarkdown writes the changes as a Markdown document with a heading for
// each subject; words that were removed are struck out, added ones bold.
func (d *Diff) WriteMarkdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "# Changes from %s to %s\n\n%s.\n", escape(name(d.Old)), escape(name(d.New)), d.Summary())
	if controls := d.Controls(); len(controls) > 0 {
		b.WriteString("\n| control | title | what | aspects |\n|---|---|---|---|\n")
		for _, c := range controls {
			what := c.Fate.String()
			if c.OldID != "" {
				what += " from " + escape(c.OldID)
			}
			if len(c.Successors) > 0 {
				what += " (see " + escape(strings.Join(c.Successors, ", ")) + ")"
			}
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", escape(c.ID), escape(c.Title), what, strings.Join(c.Aspects, ", "))
		}
	}
	d.bySubject(func(s Subject, changes []Change) {
		fmt.Fprintf(b, "\n## %s\n\n", escape(s.String()))
		for _, c := range changes {
			fmt.Fprintf(b, "- %s: %s\n", c.Kind, c.line("~~", "~~", "**", "**", escape))
		}
	})
	return b.Flush()
}

func name(d *oscal.Document) string {
	if d.Name() != "" {
		return d.Name()
	}
	return d.Model()
}

func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "|", `\|`, "<", `\<`, "`", "\\`", "[", `\[`, "~", `\~`, "\n", " ").Replace(s)
}

// line says a change in one line.
func (c Change) line(removed, removedEnd, added, addedEnd string, escape func(string) string) string {
	what := c.Path
	if what == "" {
		what = c.Subject.Kind
	}
	what = escape(what)
	value := func(s string) string { return escape(fmt.Sprintf("%q", s)) }
	switch c.Kind {
	case Added, Removed:
		n, v := c.New, c.To
		if n == nil {
			n, v = c.Old, c.From
		}
		if n.Name() == "prop" {
			v = n.Get("value")
		}
		if t := n.Get("title"); v == "" && t != "" && !strings.Contains(what, t) && c.Path != "" {
			v = t
		}
		if v != "" {
			what += " " + value(v)
		}
		return what + " " + c.Kind.String()
	case Moved:
		return fmt.Sprintf("%s moved from %s to %s", what, escape(c.From), escape(c.To))
	case Renamed:
		return fmt.Sprintf("%s is now %s, was %s", what, escape(c.To), escape(c.From))
	case Reordered:
		return fmt.Sprintf("%s reordered: was %s; is %s", what, escape(c.From), escape(c.To))
	}
	if t := c.New.Member().DataType(); t != oscal.TypeMarkupLine && t != oscal.TypeMarkupMultiline {
		return fmt.Sprintf("%s: %s -> %s", what, value(c.From), value(c.To))
	}
	var b strings.Builder
	b.WriteString(what + ": ")
	for _, w := range Words(c.From, c.To) {
		text := escape(strings.ReplaceAll(w.Text, "\n", " "))
		core := strings.TrimRight(text, " ")
		space := text[len(core):]
		switch w.Kind {
		case Removed:
			b.WriteString(removed + core + removedEnd + space)
		case Added:
			b.WriteString(added + core + addedEnd + space)
		default:
			b.WriteString(text)
		}
	}
	return strings.TrimRight(b.String(), " ")
}

type jsonPlace struct {
	Pointer string `json:"pointer"`
	Line    int    `json:"line,omitzero"`
	Column  int    `json:"column,omitzero"`
}

type jsonWord struct {
	Kind string `json:"kind,omitempty"`
	Text string `json:"text"`
}

type jsonChange struct {
	Kind    Kind       `json:"kind"`
	Subject Subject    `json:"subject"`
	Path    string     `json:"path,omitempty"`
	Old     *jsonPlace `json:"old,omitempty"`
	New     *jsonPlace `json:"new,omitempty"`
	From    string     `json:"from,omitempty"`
	To      string     `json:"to,omitempty"`
	Words   []jsonWord `json:"words,omitempty"`
}

type jsonControl struct {
	Fate       Fate     `json:"change"`
	ID         string   `json:"id"`
	OldID      string   `json:"old-id,omitempty"`
	Title      string   `json:"title"`
	Withdrawn  bool     `json:"withdrawn,omitempty"`
	Successors []string `json:"successors,omitempty"`
	Aspects    []string `json:"aspects,omitempty"`
	Parts      []string `json:"parts,omitempty"`
	Params     []string `json:"params,omitempty"`
}

// WriteJSON writes the changes as one JSON object: old, new (the names of the
// documents), model, controls (as of [Diff.Controls]) and changes, each with
// kind, subject, path, the JSON Pointers and positions, values and, for texts,
// words.
func (d *Diff) WriteJSON(w io.Writer) error {
	var places oscal.Locator
	place := func(doc *oscal.Document, n *oscal.Node) *jsonPlace {
		if n == nil {
			return nil
		}
		p := doc.Position(n)
		return &jsonPlace{places.Pointer(n), p.Line, p.Column}
	}
	out := struct {
		Old      string        `json:"old"`
		New      string        `json:"new"`
		Model    string        `json:"model"`
		Controls []jsonControl `json:"controls"`
		Changes  []jsonChange  `json:"changes"`
	}{name(d.Old), name(d.New), d.New.Model(), []jsonControl{}, []jsonChange{}}
	for _, c := range d.Controls() {
		out.Controls = append(out.Controls, jsonControl{c.Fate, c.ID, c.OldID, c.Title, c.Withdrawn, c.Successors, c.Aspects, c.Parts, c.Params})
	}
	for _, c := range d.Changes {
		j := jsonChange{Kind: c.Kind, Subject: c.Subject, Path: c.Path, Old: place(d.Old, c.Old), New: place(d.New, c.New), From: c.From, To: c.To}
		if c.Kind == Changed && c.New.Member().DataType() >= oscal.TypeMarkupLine {
			for _, word := range Words(c.From, c.To) {
				kind := ""
				if word.Kind != 0 {
					kind = word.Kind.String()
				}
				j.Words = append(j.Words, jsonWord{kind, word.Text})
			}
		}
		out.Changes = append(out.Changes, j)
	}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
