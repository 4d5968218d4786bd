package controls

import (
	"fmt"
	"strings"
)

// A Reference is what people and tools write to name a control or a part of one.
type Reference struct {
	Text          string   // as written
	Control       string   // id of the control, e.g. ac-2.1
	Items         []string // labels of the items from the outside in, without punctuation, e.g. a 1
	Determination string   // number of the determination of SP 800-53A in brackets, without zeros, e.g. 1
	Part          string   // the id if the reference is one of a part, e.g. ac-2.1_smt.a
}

func (r Reference) String() string { return r.Text }

// ParseReference reads a reference to a control of a catalog whose labels are
// built as those of NIST SP 800-53, in any of these spellings: "AC-2 (1)(a)",
// "AC-2(1) a.", "AC-1 a 1 (a)" (DISA's CCI list), "AC-02a.[01]" (labels of SP
// 800-53A), "ac-2.1_smt.a" (OSCAL ids). A number in parentheses right after the
// control is an enhancement. The error matches [ErrReference].
func ParseReference(s string) (Reference, error) {
	r := Reference{Text: s}
	fail := func(why string) (Reference, error) {
		return Reference{Text: s}, fmt.Errorf("%q %w: %s", s, ErrReference, why)
	}
	text := strings.ToLower(strings.TrimSpace(s))
	base, part, isID := strings.Cut(text, "_")
	family, rest, ok := strings.Cut(base, "-")
	if !ok || family == "" || !all(family, isLetter) {
		return fail("expected letters and a hyphen, such as AC-2")
	}
	number, rest := cutWhile(rest, isDigit)
	if number = unpad(number); number == "" {
		return fail("expected the number of a control")
	}
	r.Control = family + "-" + number
	if strings.HasPrefix(rest, ".") {
		if n, after := cutWhile(rest[1:], isDigit); n != "" {
			r.Control, rest = r.Control+"."+unpad(n), after
		}
	} else if inner, after, ok := parenthesis(strings.TrimLeft(rest, " ")); ok && all(inner, isDigit) {
		r.Control, rest = r.Control+"."+unpad(inner), after
	}
	if isID {
		if strings.TrimSpace(rest) != "" {
			return fail("expected _ after the control")
		}
		r.Part = text
		kind, items, _ := strings.Cut(part, ".")
		if kind == "smt" || kind == "stmt" || kind == "obj" {
			items, r.Determination, _ = strings.Cut(items, "-")
			r.Items = strings.FieldsFunc(items, func(r rune) bool { return r == '.' })
		}
		return r, nil
	}
	for {
		rest = strings.TrimLeft(rest, " .")
		switch {
		case rest == "":
			return r, nil
		case r.Determination != "":
			return fail("expected nothing after the determination")
		case rest[0] == '(':
			inner, after, ok := parenthesis(rest)
			if !ok || !isItem(inner) {
				return fail("expected a letter or a number in parentheses")
			}
			r.Items, rest = append(r.Items, unpad(inner)), after
		case rest[0] == '[':
			inner, after, ok := strings.Cut(rest[1:], "]")
			if !ok || inner == "" || !all(inner, isDigit) {
				return fail("expected a number in brackets")
			}
			r.Determination, rest = unpad(inner), after
		default:
			item, after := cutWhile(rest, isDigit)
			if item == "" {
				item, after = cutWhile(rest, isLetter)
			}
			if !isItem(item) {
				return fail("expected an item such as a or 1")
			}
			r.Items, rest = append(r.Items, unpad(item)), after
		}
	}
}

// ParseReferences reads references that are separated by commas or semicolons;
// lists of tools hold such. What cannot be read is in the error, a [Problems]
// that matches [ErrReference]; the others are returned with it.
func ParseReferences(s string) ([]Reference, error) {
	var refs []Reference
	var ps Problems
	for text := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ';' }) {
		r, err := ParseReference(text)
		if err != nil {
			ps = append(ps, &Problem{Err: err})
			continue
		}
		refs = append(refs, r)
	}
	return refs, ps.err()
}

// A Target is what a reference leads to in a catalog.
type Target struct {
	Family    *Family    // the family of the control, or the one that is meant
	Control   *Control   // nil if a family is meant
	Statement *Statement // nil for the control as a whole
	Objective *Objective // nil if no objective is meant
	Exact     bool       // all that the reference names was found; else this is the nearest of what is around it
}

// ID returns the id of the most exact part of the target.
func (t Target) ID() string {
	switch {
	case t.Objective != nil:
		return t.Objective.id
	case t.Statement != nil:
		return t.Statement.id
	case t.Control != nil:
		return t.Control.id
	case t.Family != nil:
		return t.Family.id
	}
	return ""
}

// Resolve finds what a reference names. If the control has no such item or
// determination, the target is the nearest part around it, and not exact. The
// error matches [ErrUnknown] if the catalog has no such control.
func (c *Catalog) Resolve(r Reference) (Target, error) {
	if t, ok := c.target(c.ids[strings.TrimSpace(r.Text)]); ok {
		return t, nil
	}
	labels := c.labels()
	objective := labels.objectives[labelKey(r.Text)]
	if objective != nil && r.Determination != "" {
		t, _ := c.target(objective)
		return t, nil
	}
	control := c.Control(r.Control)
	if control == nil {
		control = labels.controls[labelKey(r.Control)]
	}
	if control == nil {
		return Target{}, fmt.Errorf("control %q of reference %q %w", r.Control, r.Text, ErrUnknown)
	}
	t := Target{Family: control.family, Control: control, Exact: r.Determination == "" && (r.Part == "" || len(r.Items) > 0)}
	items := control.top
	for _, want := range r.Items {
		var found *Statement
		for _, s := range items {
			if found = s.item(want); found != nil {
				break
			}
		}
		if found == nil {
			t.Exact = false
			break
		}
		t.Statement, items = found, []*Statement{found}
	}
	if !t.Exact && objective != nil {
		t, _ = c.target(objective)
	}
	return t, nil
}

// Find finds what a text names: an id of the catalog, a label, or else a
// reference as of [ParseReference]. The error matches [ErrReference] or
// [ErrUnknown].
func (c *Catalog) Find(text string) (Target, error) {
	if t, ok := c.target(c.ids[text]); ok {
		return t, nil
	}
	r, err := ParseReference(text)
	if err == nil {
		return c.Resolve(r)
	}
	labels := c.labels()
	if x := labels.controls[labelKey(text)]; x != nil {
		return Target{Family: x.family, Control: x, Exact: true}, nil
	}
	if o := labels.objectives[labelKey(text)]; o != nil {
		t, _ := c.target(o)
		return t, nil
	}
	return Target{}, err
}

func (c *Catalog) target(x any) (Target, bool) {
	switch x := x.(type) {
	case *Family:
		return Target{Family: x, Exact: true}, true
	case *Control:
		return Target{Family: x.family, Control: x, Exact: true}, true
	case *Statement:
		return Target{Family: x.control.family, Control: x.control, Statement: x, Exact: true}, true
	case *Objective:
		return Target{Family: x.control.family, Control: x.control, Statement: x.statement, Objective: x, Exact: true}, true
	}
	return Target{}, false
}

// item returns the item with a label directly inside of a statement.
func (s *Statement) item(want string) *Statement {
	for _, item := range s.items {
		if labelKey(item.label) == want {
			return item
		}
	}
	return nil
}

// labels are controls and objective parts by the keys of their labels.
type labels struct {
	controls   map[string]*Control
	objectives map[string]*Objective
}

func (c *Catalog) indexLabels() labels {
	l := labels{make(map[string]*Control, 2*len(c.controls)), map[string]*Objective{}}
	var objectives func(list []*Objective)
	objectives = func(list []*Objective) {
		for _, o := range list {
			if k := labelKey(o.label); k != "" && !o.isStmt && l.objectives[k] == nil {
				l.objectives[k] = o
			}
			objectives(o.children)
		}
	}
	for _, x := range c.controls {
		for _, label := range append(allProps(x.props, "label"), x.label) {
			if k := labelKey(label); k != "" && l.controls[k] == nil {
				l.controls[k] = x
			}
		}
		objectives(x.objectives)
	}
	return l
}

// labelKey brings labels that mean the same to one form: AC-02(01)a.[01],
// AC-2 (1) (a) [1] and ac-2.1 a 1 are words and numbers in that order; brackets
// stay, since they tell a determination from an item.
func labelKey(s string) string {
	var words []string
	s = strings.ToLower(s)
	for s != "" {
		var w string
		switch {
		case isDigit(s[0]):
			w, s = cutWhile(s, isDigit)
			words = append(words, unpad(w))
		case isLetter(s[0]) || s[0] >= 0x80:
			w, s = cutWhile(s, func(b byte) bool { return isLetter(b) || b >= 0x80 })
			words = append(words, w)
		default:
			if s[0] == '[' {
				words = append(words, "[")
			}
			s = s[1:]
		}
	}
	return strings.Join(words, " ")
}

// parenthesis cuts what stands in parentheses at the start of a text.
func parenthesis(s string) (inner, after string, ok bool) {
	if !strings.HasPrefix(s, "(") {
		return "", s, false
	}
	inner, after, ok = strings.Cut(s[1:], ")")
	return strings.TrimSpace(inner), after, ok
}

// unpad removes leading zeros.
func unpad(s string) string {
	t := strings.TrimLeft(s, "0")
	if t == "" && s != "" {
		return "0"
	}
	return t
}

// isItem tells whether a text can be the label of an item: a number, or up to
// three letters (roman numbers).
func isItem(s string) bool {
	return s != "" && len(s) <= 3 && (all(s, isDigit) || all(s, isLetter))
}

func all(s string, is func(byte) bool) bool {
	for i := range len(s) {
		if !is(s[i]) {
			return false
		}
	}
	return s != ""
}

func cutWhile(s string, is func(byte) bool) (head, tail string) {
	i := 0
	for i < len(s) && is(s[i]) {
		i++
	}
	return s[:i], s[i:]
}

func isDigit(b byte) bool  { return '0' <= b && b <= '9' }
func isLetter(b byte) bool { return 'a' <= b && b <= 'z' }
