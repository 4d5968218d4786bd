package controls

import (
	"fmt"
	"iter"
	"strings"
)

// maxProse bounds the length of a text in which parameters are replaced:
// choices that insert choices can grow without end.
const maxProse = 1 << 20

// ProseOptions configure [Catalog.Prose]; nil means the defaults.
type ProseOptions struct {
	// Values returns values that go before those of the catalog, nil for none.
	Values func(p *Param) []string
	// Render returns what stands for a parameter. The text is what would stand
	// there without it; set tells whether a value is set.
	Render func(p *Param, text string, set bool) string
}

// Prose replaces the parameter insertions of a text, {{ insert: param, id }}: by
// the values of the parameter if there are any, else by those of the parameters
// that it aggregates if they all have some, else by its choices as
// [Selection (one or more): a; b], else by its label as [Assignment: label]. Choices and
// values may hold insertions themselves.
//
// An insertion of an unknown parameter, and one that would insert itself, stay
// as they are; the error is a [Problems] that matches [ErrUnknown], [ErrCycle], or [ErrLimit]
// if the text grows above 1 MiB, and the text comes with it.
func (c *Catalog) Prose(text string, opts *ProseOptions) (string, error) {
	if !strings.Contains(text, "{{") {
		return text, nil
	}
	r := renderer{c: c}
	if opts != nil {
		r.opts = *opts
	}
	out := r.text(text)
	var ps Problems
	for _, err := range r.errs {
		ps = append(ps, &Problem{Err: err})
	}
	return out, ps.err()
}

// insertions yields the ids of the parameters that a text inserts.
func insertions(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for text != "" {
			_, id, _, rest, ok := cutInsert(text)
			if !ok || !yield(id) {
				return
			}
			text = rest
		}
	}
}

// cutInsert cuts a text around its first parameter insertion. What stands in
// braces and inserts no parameter is text.
func cutInsert(text string) (before, id, whole, after string, ok bool) {
	for from := 0; ; {
		i := strings.Index(text[from:], "{{")
		if i < 0 {
			return text, "", "", "", false
		}
		i += from
		n := strings.Index(text[i:], "}}")
		if n < 0 {
			return text, "", "", "", false
		}
		inner := strings.TrimSpace(text[i+2 : i+n])
		if kind, rest, found := strings.Cut(inner, ":"); found && strings.TrimSpace(kind) == "insert" {
			if typ, ref, found := strings.Cut(rest, ","); found && strings.TrimSpace(typ) == "param" {
				return text[:i], strings.TrimSpace(ref), text[i : i+n+2], text[i+n+2:], true
			}
		}
		from = i + 2
	}
}

// A renderer replaces parameters and notes what goes wrong.
type renderer struct {
	c     *Catalog
	opts  ProseOptions
	stack []*Param // the parameters that are being replaced
	size  int
	errs  []error
}

func (r *renderer) text(s string) string {
	var b strings.Builder
	for {
		before, id, whole, after, ok := cutInsert(s)
		b.WriteString(before)
		r.size += len(before)
		if !ok {
			return b.String()
		}
		b.WriteString(r.insert(id, whole))
		s = after
	}
}

func (r *renderer) insert(id, whole string) string {
	p := r.c.paramIDs[id]
	if p == nil {
		r.errs = append(r.errs, fmt.Errorf("parameter %q %w", id, ErrUnknown))
		return whole
	}
	for i, up := range r.stack {
		if up == p {
			var way strings.Builder
			for _, q := range r.stack[i:] {
				way.WriteString(q.id + " > ")
			}
			r.errs = append(r.errs, fmt.Errorf("parameter %q %w: %s", id, ErrCycle, way.String()+id))
			return whole
		}
	}
	if r.size > maxProse || len(r.stack) > maxDepth {
		if n := len(r.errs); n == 0 || r.errs[n-1] != errProse {
			r.errs = append(r.errs, errProse)
		}
		return whole
	}
	return r.param(p)
}

var errProse = fmt.Errorf("the text with its parameters %w of %d bytes or %d insertions in each other", ErrLimit, maxProse, maxDepth)

// param returns what stands for a parameter.
func (r *renderer) param(p *Param) string {
	r.stack = append(r.stack, p)
	text, set := r.value(p)
	r.stack = r.stack[:len(r.stack)-1]
	r.size += len(text)
	if r.opts.Render != nil {
		text = r.opts.Render(p, text, set)
	}
	return text
}

func (r *renderer) value(p *Param) (text string, set bool) {
	if values := r.values(p); len(values) > 0 {
		return r.list(values, ", "), true
	}
	if all := r.aggregated(p); len(all) > 0 {
		return r.list(all, ", "), true
	}
	if !p.hasSelect {
		return "[Assignment: " + r.text(p.label) + "]", false
	}
	head := "[Selection: "
	switch p.howMany {
	case "one":
		head = "[Selection (one): "
	case "one-or-more":
		head = "[Selection (one or more): "
	}
	return head + r.list(p.choices, "; ") + "]", false
}

func (r *renderer) values(p *Param) []string {
	if r.opts.Values != nil {
		if v := r.opts.Values(p); len(v) > 0 {
			return v
		}
	}
	return p.values
}

// aggregated returns the values of all parameters that p aggregates, nil if one
// of them has none.
func (r *renderer) aggregated(p *Param) []string {
	var all []string
	for _, id := range p.aggregates {
		q := r.c.paramIDs[id]
		if q == nil {
			return nil
		}
		v := r.values(q)
		if len(v) == 0 {
			return nil
		}
		all = append(all, v...)
	}
	return all
}

func (r *renderer) list(items []string, sep string) string {
	var b strings.Builder
	for i, item := range items {
		if i > 0 {
			b.WriteString(sep)
		}
		b.WriteString(r.text(item))
	}
	return b.String()
}
