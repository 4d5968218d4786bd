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
	if len(d.Changes) == 0 && (d.Baselines == nil || len(d.Baselines.Changes) == 0) {
		return "no changes"
	}
	fates := map[Fate]int{}
	for _, c := range d.Controls() {
		fates[c.Fate]++
	}
	var parts []string
	parts = counted(parts, "control", fates, ControlAdded, ControlChanged)
	kinds := map[string]map[Kind]int{}
	for _, c := range d.Subjects() {
		if kinds[c.Subject.Kind] == nil {
			kinds[c.Subject.Kind] = map[Kind]int{}
		}
		kinds[c.Subject.Kind][c.Kind]++
	}
	for _, kind := range summed[d.New.Model()] {
		parts = counted(parts, kind, kinds[kind], Added, Reordered)
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

// counted appends how many objects of a kind had which fate, e.g. "2 controls
// added", "1 removed".
func counted[F interface {
	~uint8
	fmt.Stringer
}](parts []string, kind string, counts map[F]int, from, to F) []string {
	word := kind + " "
	for f := from; f <= to; f++ {
		n := counts[f]
		if n == 0 {
			continue
		}
		if n > 1 && word != "" {
			word = plural(kind) + " "
		}
		parts = append(parts, fmt.Sprintf("%d %s%s", n, word, f))
		word = ""
	}
	return parts
}

func plural(noun string) string {
	if stem, ok := strings.CutSuffix(noun, "y"); ok {
		return stem + "ies"
	}
	return noun + "s"
}

// marks are the signs of the kinds in text.
var marks = [...]string{Added: "+", Removed: "-", Changed: "~", Moved: ">", Renamed: "=", Reordered: "^"}

// WriteText writes the changes for a terminal: a line with the names of the
// documents and the summary, then by subject a line for each change, words that
// were removed as [-x-] and added ones as {+x+}. Of two profiles it also says
// what [Diff.Unresolved] tells, or writes the changes of [Diff.Baselines].
// Control characters of the documents are written as their symbols.
func (d *Diff) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	d.text(b, "")
	return b.Flush()
}

func (d *Diff) text(b *bufio.Writer, of string) {
	line := func(format string, args ...any) { b.WriteString(Visible(fmt.Sprintf(format, args...)) + "\n") }
	line("%s%s -> %s: %s", of, name(d.Old), name(d.New), d.Summary())
	if open := d.unresolved(); open != "" {
		line("%s", open)
	}
	d.bySubject(func(s Subject, changes []Change) {
		b.WriteByte('\n')
		line("%s", s)
		for _, c := range changes {
			line("  %s %s", marks[c.Kind], c.line("[-", "-]", "{+", "+}", func(s string) string { return s }))
		}
	})
	if d.Baselines != nil {
		b.WriteByte('\n')
		d.Baselines.text(b, "resolved ")
	}
}

// unresolved says what [Diff.Unresolved] tells, "" for nothing.
func (d *Diff) unresolved() string {
	nodes := d.Unresolved()
	if len(nodes) == 0 {
		return ""
	}
	var told []string
	t := newNames(nil, nil)
	for _, n := range nodes[:min(len(nodes), 5)] {
		owner, path := t.locate(n)
		told = add(told, strings.TrimSpace(Subject{Kind: owner.Name(), ID: t.subject(owner).ID}.String()+" "+path))
	}
	if more := len(nodes) - 5; more > 0 {
		told = append(told, fmt.Sprintf("%d more", more))
	}
	return "only the resolved catalogs tell all that becomes of controls: " + strings.Join(told, ", ")
}

// Visible puts the symbols of control characters, which a terminal would obey,
// in their place (Unicode, Control Pictures), and a space in that of line ends.
func Visible(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case r < ' ':
			return '␀' + r
		case r == 0x7f:
			return '␡'
		case r > 0x7f && r < 0xa0:
			return '\ufffd'
		}
		return r
	}, s)
}

// WriteMarkdown writes the changes as a Markdown document with a heading for
// each subject; words that were removed are struck out, added ones bold. Before
// that come tables of [Diff.Controls] and [Diff.Subjects].
func (d *Diff) WriteMarkdown(w io.Writer) error {
	b := bufio.NewWriter(w)
	d.markdown(b, "Changes")
	return b.Flush()
}

func (d *Diff) markdown(b *bufio.Writer, title string) {
	fmt.Fprintf(b, "# %s from %s to %s\n\n%s.\n", title, escape(name(d.Old)), escape(name(d.New)), d.Summary())
	if open := d.unresolved(); open != "" {
		fmt.Fprintf(b, "\n%s.\n", escape(strings.ToUpper(open[:1])+open[1:]))
	}
	if controls := d.Controls(); len(controls) > 0 && d.Baselines == nil {
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
	if subjects := d.Subjects(); len(subjects) > 0 {
		b.WriteString("\n| object | control | what | aspects |\n|---|---|---|---|\n")
		for _, c := range subjects {
			fmt.Fprintf(b, "| %s | %s | %s | %s |\n", escape(c.Subject.String()), escape(c.Control), c.Kind, strings.Join(c.Aspects, ", "))
		}
	}
	d.bySubject(func(s Subject, changes []Change) {
		fmt.Fprintf(b, "\n## %s\n\n", escape(s.String()))
		for _, c := range changes {
			fmt.Fprintf(b, "- %s: %s\n", c.Kind, c.line("~~", "~~", "**", "**", escape))
		}
	})
	if d.Baselines != nil {
		b.WriteByte('\n')
		d.Baselines.markdown(b, "Changes of the resolved catalogs")
	}
}

func name(d *oscal.Document) string {
	if d.Name() != "" {
		return d.Name()
	}
	return d.Model()
}

func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "_", `\_`, "|", `\|`, "<", `\<`, "`", "\\`", "[", `\[`, "~", `\~`).Replace(Visible(s))
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
		if inPath := n.Kind() == oscal.Field && c.Path != "" && short(v) == v; v != "" && !inPath {
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

type jsonSubject struct {
	Kind    Kind     `json:"change"`
	Subject Subject  `json:"subject"`
	Control string   `json:"control,omitempty"`
	Aspects []string `json:"aspects,omitempty"`
}

type jsonDirective struct {
	Directive string `json:"directive"` // XML name
	Document  string `json:"document"`  // old or new
	jsonPlace
}

type jsonDiff struct {
	Old        string          `json:"old"`
	New        string          `json:"new"`
	Model      string          `json:"model"`
	Controls   []jsonControl   `json:"controls"`
	Subjects   []jsonSubject   `json:"subjects,omitempty"`
	Unresolved []jsonDirective `json:"unresolved,omitempty"`
	Changes    []jsonChange    `json:"changes"`
	Baselines  *jsonDiff       `json:"baselines,omitempty"`
}

// WriteJSON writes the changes as one JSON object: old, new (the names of the
// documents), model, controls (as of [Diff.Controls]), subjects (as of
// [Diff.Subjects]), unresolved (as of [Diff.Unresolved]) and changes, each with
// kind, subject, path, the JSON Pointers and positions, values and, for texts,
// words; and baselines, such an object again, if [Diff.Baselines] is set.
func (d *Diff) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(d.json())
}

func (d *Diff) json() *jsonDiff {
	var places oscal.Locator
	place := func(doc *oscal.Document, n *oscal.Node) *jsonPlace {
		if n == nil {
			return nil
		}
		p := doc.Position(n)
		return &jsonPlace{places.Pointer(n), p.Line, p.Column}
	}
	out := &jsonDiff{Old: name(d.Old), New: name(d.New), Model: d.New.Model(), Controls: []jsonControl{}, Changes: []jsonChange{}}
	for _, c := range d.Controls() {
		out.Controls = append(out.Controls, jsonControl{c.Fate, c.ID, c.OldID, c.Title, c.Withdrawn, c.Successors, c.Aspects, c.Parts, c.Params})
	}
	for _, c := range d.Subjects() {
		out.Subjects = append(out.Subjects, jsonSubject{c.Kind, c.Subject, c.Control, c.Aspects})
	}
	for _, n := range d.Unresolved() {
		if n.Root() == d.New.Root() {
			out.Unresolved = append(out.Unresolved, jsonDirective{n.Name(), "new", *place(d.New, n)})
		} else {
			out.Unresolved = append(out.Unresolved, jsonDirective{n.Name(), "old", *place(d.Old, n)})
		}
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
	if d.Baselines != nil {
		out.Baselines = d.Baselines.json()
	}
	return out
}
