package vendors

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
)

//go:embed scheme.json
var schemeText string

var defaultScheme = sync.OnceValue(func() *Scheme {
	s, err := ReadScheme(strings.NewReader(schemeText))
	if err != nil {
		panic(err) // the embedded file is ours
	}
	return s
})

// DefaultScheme returns the scheme that is built in: tiers 1 to 4 by the
// criticality of the function, class of data, number of records, access,
// substitutability and regulated data.
func DefaultScheme() *Scheme { return defaultScheme() }

// ReadScheme reads a scheme in JSON:
//
//	{
//	  "id": "acme-2",
//	  "tiers": [1, 2, 3],
//	  "default": 3,
//	  "factors": [
//	    {"id": "data", "kind": "level", "values": {"public": 3, "secret": 1}},
//	    {"id": "records", "kind": "number", "atLeast": [[1000, 1], [0, 3]]},
//	    {"id": "spend", "kind": "number", "currency": "EUR", "atLeast": [[5000000, 2]]},
//	    {"id": "access.network", "kind": "flag", "tier": 2},
//	    {"id": "regulated", "kind": "set", "values": {"PII": 2}}
//	  ]
//	}
//
// Tiers rise from the most critical; default is the tier of an exposure of which
// no factor counts, and must be the least critical. Factors are fields of
// [Exposure]: function, data, substitutability (level), records, spend (number;
// spend in minor units of its currency), access.network, access.privileged,
// access.physical, access.sourceCode (flag), regulated (set). Thresholds fall,
// and a larger number must not force a less critical tier. An optional "about"
// is ignored.
//
// If the text is not such a scheme the error is a [Problems], in the order of
// the text, each with line, column and JSON Pointer; they match [ErrSyntax],
// [ErrValue], [ErrDuplicate] or [ErrMissing]. Texts are limited to 1 MiB.
func ReadScheme(r io.Reader) (*Scheme, error) {
	j, root, err := readJSON(r)
	if err != nil {
		return nil, err
	}
	var s *Scheme
	if root != nil {
		s = (&schemeReader{jsonReader: j}).scheme(root)
	}
	if j.problems != nil {
		slices.SortStableFunc(j.problems, func(a, b *Problem) int {
			if a.Line != b.Line {
				return a.Line - b.Line
			}
			return a.Column - b.Column
		})
		return nil, j.problems
	}
	return s, nil
}

type schemeReader struct {
	*jsonReader
	tiers []Tier
}

// pick hands the members of an object to the functions of their names; what has
// no function is a problem, and so is a required member that is not there.
func (r *schemeReader) pick(n *node, required []string, take map[string]func(*node)) {
	var found []string
	o := r.members(n)
	for i := range o {
		m := &o[i]
		f, ok := take[m.name]
		if !ok {
			r.problem(m.at, m.node.pointer, ErrValue, "unknown member %q", m.name)
			continue
		}
		found = append(found, m.name)
		f(&m.node)
	}
	if _, ok := n.value.(object); !ok {
		return
	}
	for _, name := range required {
		if !slices.Contains(found, name) {
			r.problem(n.at, n.pointer, ErrMissing, "member %q", name)
		}
	}
}

func (r *schemeReader) scheme(n *node) *Scheme {
	s := &Scheme{id: "unnamed"}
	var fallback, factors *node
	r.pick(n, []string{"tiers", "default", "factors"}, map[string]func(*node){
		"id":      func(n *node) { s.id = r.text(n) },
		"about":   func(*node) {},
		"tiers":   func(n *node) { s.tiers = r.readTiers(n) },
		"default": func(n *node) { fallback = n },
		"factors": func(n *node) { factors = n },
	})
	r.tiers = s.tiers
	if fallback != nil {
		s.fallback = r.tier(fallback)
		if s.fallback != 0 && s.fallback != s.tiers[len(s.tiers)-1] {
			r.problem(fallback.at, fallback.pointer, ErrValue, "expected the least critical tier %d, found %d", s.tiers[len(s.tiers)-1], s.fallback)
		}
	}
	if factors == nil {
		return s
	}
	items := r.array(factors)
	seen := map[string]bool{}
	for i := range items {
		f := r.factor(&items[i])
		if f.id != "" && seen[f.id] {
			r.problem(items[i].at, items[i].pointer, ErrDuplicate, "factor %q", f.id)
		}
		seen[f.id] = true
		s.factors = append(s.factors, f)
	}
	return s
}

func (r *schemeReader) readTiers(n *node) []Tier {
	var tiers []Tier
	items := r.array(n)
	for i := range items {
		t, ok := r.integer(&items[i])
		if ok && (t < 1 || t > 1000 || tiers != nil && t <= int64(tiers[len(tiers)-1])) {
			r.wrong(&items[i], "tiers from 1 to 1000 that rise")
			continue
		}
		if ok {
			tiers = append(tiers, Tier(t))
		}
	}
	return tiers
}

// tier reads one of the scheme's tiers, 0 if it is none.
func (r *schemeReader) tier(n *node) Tier {
	i, ok := r.integer(n)
	if !ok {
		return 0
	}
	if !slices.Contains(r.tiers, Tier(i)) {
		r.wrong(n, fmt.Sprintf("one of the tiers %v", r.tiers))
		return 0
	}
	return Tier(i)
}

// membersOf says which member holds the tiers of each kind of factor.
var membersOf = map[string]string{kindLevel: "values", kindSet: "values", kindNumber: "atLeast", kindFlag: "tier"}

func (r *schemeReader) factor(n *node) factor {
	var f factor
	var kind, currency *node
	holds := map[string]*node{}
	r.pick(n, []string{"id", "kind"}, map[string]func(*node){
		"id": func(n *node) {
			f.id = r.text(n)
			if f.field = fieldOf[f.id]; f.id != "" && f.field == nil {
				r.wrong(n, "a field of an exposure: "+strings.Join(fieldNames(), ", "))
			}
		},
		"kind":     func(n *node) { kind, f.kind = n, r.text(n) },
		"currency": func(n *node) { currency, f.currency = n, r.text(n) },
		"values":   func(n *node) { holds["values"] = n; f.levels = r.levels(n) },
		"atLeast":  func(n *node) { holds["atLeast"] = n; f.steps = r.steps(n) },
		"tier":     func(n *node) { holds["tier"] = n; f.tier = r.tier(n) },
	})
	if f.field == nil || kind == nil {
		return f
	}
	if want := f.field.kind; f.kind != want {
		r.wrong(kind, fmt.Sprintf("the kind of %s: %q", f.id, want))
		return f
	}
	for _, name := range []string{"values", "atLeast", "tier"} {
		switch has := holds[name]; {
		case name == membersOf[f.kind] && has == nil:
			r.problem(n.at, n.pointer, ErrMissing, "member %q of a %s", name, f.kind)
		case name != membersOf[f.kind] && has != nil:
			r.problem(has.at, has.pointer, ErrValue, "member %q does not go with a %s", name, f.kind)
		}
	}
	switch {
	case f.id == "spend" && currency == nil:
		r.problem(n.at, n.pointer, ErrMissing, "member %q of spend", "currency")
	case f.id == "spend" && !(Money{Currency: f.currency}).valid():
		r.wrong(currency, "three capital letters of ISO 4217")
	case f.id != "spend" && currency != nil:
		r.problem(currency.at, currency.pointer, ErrValue, "member %q goes with spend alone", "currency")
	}
	if f.id == "function" && holds["values"] != nil {
		r.rising(holds["values"], f.levels)
	}
	return f
}

// rising checks that the levels of function, which are numbers, force tiers that
// are no less critical as they rise: else more exposure would give less.
func (r *schemeReader) rising(n *node, levels []level) {
	for i, l := range levels {
		if len(l.name) != 1 || l.name < "0" || l.name > "4" {
			r.problem(n.at, n.pointer, ErrValue, "expected levels from 0 to 4, found %q", l.name)
			continue
		}
		for _, m := range levels[:i] {
			if l.name > m.name && l.tier > m.tier || l.name < m.name && l.tier < m.tier {
				r.problem(n.at, n.pointer, ErrValue, "function %s and %s: the higher must not force a less critical tier", m.name, l.name)
			}
		}
	}
}

func (r *schemeReader) levels(n *node) []level {
	o := r.members(n)
	if _, ok := n.value.(object); ok && len(o) == 0 {
		r.problem(n.at, n.pointer, ErrValue, "expected one level at least")
	}
	levels := make([]level, 0, len(o))
	for i := range o {
		if o[i].name == "" {
			r.problem(o[i].at, o[i].node.pointer, ErrValue, "expected a name, found an empty one")
		}
		levels = append(levels, level{o[i].name, r.tier(&o[i].node)})
	}
	return levels
}

func (r *schemeReader) steps(n *node) []step {
	items := r.array(n)
	steps := make([]step, 0, len(items))
	for i := range items {
		pair, ok := items[i].value.([]node)
		if !ok || len(pair) != 2 {
			r.wrong(&items[i], "an array of a threshold and a tier")
			continue
		}
		at, ok := r.integer(&pair[0])
		s := step{at, r.tier(&pair[1])}
		if !ok || s.tier == 0 {
			continue
		}
		if at < 0 {
			r.wrong(&pair[0], "a threshold from 0")
		}
		if len(steps) > 0 {
			last := steps[len(steps)-1]
			if at >= last.atLeast {
				r.wrong(&pair[0], fmt.Sprintf("a threshold below %d", last.atLeast))
			}
			if s.tier < last.tier {
				r.wrong(&pair[1], fmt.Sprintf("a tier that is not more critical than %d, which a larger number forces", last.tier))
			}
		}
		steps = append(steps, s)
	}
	return steps
}

func fieldNames() []string {
	ids := make([]string, 0, len(fieldOf))
	for id := range fieldOf {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// MarshalJSON writes what [ReadScheme] reads.
func (s *Scheme) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	text := func(s string) {
		quoted, _ := json.Marshal(s) // a string cannot fail
		b.Write(quoted)
	}
	b.WriteString(`{"id":`)
	text(s.id)
	b.WriteString(`,"tiers":`)
	fmt.Fprint(&b, strings.ReplaceAll(fmt.Sprint(intsOf(s.tiers)), " ", ","))
	fmt.Fprintf(&b, `,"default":%d,"factors":[`, s.fallback)
	for i, f := range s.factors {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"id":`)
		text(f.id)
		fmt.Fprintf(&b, `,"kind":"%s"`, f.kind)
		if f.currency != "" {
			fmt.Fprintf(&b, `,"currency":"%s"`, f.currency)
		}
		fmt.Fprintf(&b, `,"%s":`, membersOf[f.kind])
		switch f.kind {
		case kindFlag:
			fmt.Fprint(&b, int(f.tier))
		case kindNumber:
			for i, s := range f.steps {
				fmt.Fprintf(&b, "%c[%d,%d]", "[,"[min(i, 1)], s.atLeast, int(s.tier))
			}
			b.WriteByte(']')
		default:
			for i, l := range f.levels {
				b.WriteByte("{,"[min(i, 1)])
				text(l.name)
				fmt.Fprintf(&b, ":%d", int(l.tier))
			}
			b.WriteByte('}')
		}
		b.WriteByte('}')
	}
	b.WriteString("]}")
	return b.Bytes(), nil
}

func intsOf(tiers []Tier) []int {
	out := make([]int, len(tiers))
	for i, t := range tiers {
		out[i] = int(t)
	}
	return out
}
