package constraint

import (
	"fmt"
	"iter"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/issokit/issokit/oscal"
)

// Level says how much a violated constraint weighs.
type Level uint8

// The levels of Metaschema, the lightest first.
const (
	LevelDebug Level = iota + 1
	LevelInformational
	LevelWarning
	LevelError
	LevelCritical
)

var levelNames = [...]string{
	LevelDebug: "debug", LevelInformational: "informational", LevelWarning: "warning", LevelError: "error", LevelCritical: "critical",
}

func (l Level) String() string {
	if l > 0 && int(l) < len(levelNames) {
		return levelNames[l]
	}
	return fmt.Sprintf("Level(%d)", uint8(l))
}

// MarshalText writes the name; the zero Level is an error.
func (l Level) MarshalText() ([]byte, error) {
	if l == 0 || int(l) >= len(levelNames) {
		return nil, fmt.Errorf("constraint: no level %d", uint8(l))
	}
	return []byte(l.String()), nil
}

// UnmarshalText reads debug, informational, warning, error or critical, in
// either case.
func (l *Level) UnmarshalText(text []byte) error {
	for i := LevelDebug; i <= LevelCritical; i++ {
		if strings.EqualFold(string(text), levelNames[i]) {
			*l = i
			return nil
		}
	}
	return fmt.Errorf("constraint: unknown level %q, expected debug, informational, warning, error or critical", text)
}

// Kind is the kind of a constraint.
type Kind uint8

// The kinds of constraints of Metaschema.
const (
	KindAllowedValues Kind = iota + 1
	KindMatches
	KindIndex
	KindIndexHasKey
	KindIsUnique
	KindHasCardinality
	KindExpect
	KindReport
)

var constraintKindNames = [...]string{
	KindAllowedValues: "allowed-values", KindMatches: "matches", KindIndex: "index", KindIndexHasKey: "index-has-key",
	KindIsUnique: "is-unique", KindHasCardinality: "has-cardinality", KindExpect: "expect", KindReport: "report",
}

// String returns the name of the XML element.
func (k Kind) String() string {
	if k > 0 && int(k) < len(constraintKindNames) {
		return constraintKindNames[k]
	}
	return fmt.Sprintf("Kind(%d)", uint8(k))
}

// MarshalText writes the name of the XML element; the zero Kind is an error.
func (k Kind) MarshalText() ([]byte, error) {
	if k == 0 || int(k) >= len(constraintKindNames) {
		return nil, fmt.Errorf("constraint: no kind %d", uint8(k))
	}
	return []byte(k.String()), nil
}

// UnmarshalText reads the name of the XML element.
func (k *Kind) UnmarshalText(text []byte) error {
	for i := KindAllowedValues; i <= KindReport; i++ {
		if string(text) == constraintKindNames[i] {
			*k = i
			return nil
		}
	}
	return fmt.Errorf("constraint: unknown kind %q", text)
}

// A Constraint is one rule of a set, as it is defined. Not all fields have a
// meaning for all kinds.
type Constraint struct {
	// Key is unique in a set: where the constraint is defined, and its number
	// among the constraints and lets there, from 0, such as metadata:party#2.
	Key        string
	ID         string // as given by the author, "" for none; not always unique
	Kind       Kind
	Level      Level
	Target     string         // Metapath from the host of the constraint
	Test       string         // expect, report: Metapath
	Regex      string         // matches
	DataType   oscal.DataType // matches
	Name       string         // index, index-has-key: name of the index
	Keys       []KeyField     // index, index-has-key, is-unique
	MinOccurs  int            // has-cardinality
	MaxOccurs  int            // has-cardinality; negative for no bound
	AllowOther bool           // allowed-values: other values are fine
	Extensible string         // allowed-values: none, model or external; "" for the default, model
	Enums      []Enum         // allowed-values
	FormalName string         // title, where the set has one
	Message    string         // template with Metapath in braces; "" for the one of the kind
	HelpURL    string
	File       string // external sets: where the constraint stands
	Line       int
}

// Rule returns the ID or, without one, the Key.
func (c *Constraint) Rule() string {
	if c.ID != "" {
		return c.ID
	}
	return c.Key
}

// An Enum is a value that allowed-values lists.
type Enum struct {
	Value      string
	Deprecated string // version since which the value should not be used
}

// A KeyField is a part of the key of an index.
type KeyField struct {
	Target  string // Metapath from the node that is indexed
	Pattern string // regular expression whose only group is the part; "" for the whole value
}

// A Set is a list of constraints, compiled and ready to evaluate. It is
// immutable; several goroutines may use it at once.
type Set struct {
	name     string
	rules    []*hostRules
	contexts []*contextRules // external sets
	all      []*compiled     // in table order
	model    func() *modelRules
	// metaschema has the models that the set is about, nil for those of OSCAL.
	metaschema *oscal.Metaschema
}

// Name returns the name under which the set was loaded.
func (s *Set) Name() string { return s.name }

// Constraints returns the constraints of the set in table order.
func (s *Set) Constraints() iter.Seq[*Constraint] {
	return func(yield func(*Constraint) bool) {
		for _, c := range s.all {
			if !yield(c.Constraint) {
				return
			}
		}
	}
}

// hostRules are what one definition, or one context of an external set, says of
// each of its instances.
type hostRules struct {
	lets        []*compiledLet
	constraints []*compiled
	sweeps      []*compiled // those that are built in one walk, see [sweep]
}

func (r *hostRules) add(c *compiled) {
	r.constraints = append(r.constraints, c)
	if c.swept {
		r.sweeps = append(r.sweeps, c)
	}
}

// compiled is a constraint with its expressions.
type compiled struct {
	*Constraint
	set     *Set
	order   int         // in its set
	target  *Expression // nil for the host itself
	test    *Expression
	re      *regexp.Regexp
	keys    []compiledKey
	swept   bool            // an index that a [sweep] builds
	values  map[string]bool // enumerated values; true if deprecated
	message []messagePart
}

type compiledKey struct {
	expr *Expression
	flag *memberSet // set if the key is a flag of the node, which is faster to find
	re   *regexp.Regexp
	// rest tells that the pattern is a text and then (.*), as #(.*), which needs
	// no regular expression.
	rest   bool
	prefix string
}

// part returns the part of a value that the pattern of a key is about.
func (k *compiledKey) part(v string) (string, bool) {
	if k.rest {
		rest, ok := strings.CutPrefix(v, k.prefix)
		return rest, ok && !strings.ContainsAny(rest, "\n\r")
	}
	m := k.re.FindStringSubmatch(v)
	if m == nil {
		return "", false
	}
	return m[1], true
}

// messagePart is a text or an expression of a message template.
type messagePart struct {
	text string
	expr *Expression
}

// builtinHost and place are how the generated tables say where constraints
// stand: by the numbers of definitions in the order in which a walk through the
// model from its roots finds them, and of members in them (-1: the definition
// itself).
type builtinHost struct {
	places      []place
	lets        []letSource
	constraints []Constraint
}

type place struct{ definition, member int }

type letSource struct{ name, expression string }

// modelRules hold the rules by place in the model.
type modelRules struct {
	roots map[*oscal.Member]*memberRules
}

// definitionRules say for each member of a definition, in model order, what
// rules its nodes have.
type definitionRules struct {
	definition *oscal.Definition
	members    []memberRules
	any        bool // a member, or something below, has rules
	indexes    bool // a member, or something below, has an index
}

type memberRules struct {
	member *oscal.Member
	rules  []*hostRules
	needs  [][]uint64       // by rules and constraint; see needsOf
	below  *definitionRules // nil for flags
	// indexes tells that a node, or something below it, may host an index.
	indexes bool
}

func (m *memberRules) hostsIndex() bool {
	return m.below != nil && m.below.indexes || slices.ContainsFunc(m.rules, func(r *hostRules) bool {
		return slices.ContainsFunc(r.constraints, func(c *compiled) bool { return c.Kind == KindIndex })
	})
}

// itself is the bit of a host in the set of its members; no definition has so
// many members.
const itself = 1 << 63

// needsOf says per constraint which members of its host there must be one of, bit
// n for member n, for it to have a target. What needs none has the bit of
// itself.
func needsOf(rules []*hostRules, below *definitionRules) [][]uint64 {
	out := make([][]uint64, len(rules))
	for i, r := range rules {
		out[i] = make([]uint64, len(r.constraints))
		for j, c := range r.constraints {
			out[i][j] = itself
			if c.target == nil || c.target.first == nil || c.Kind == KindIndex || c.Kind == KindHasCardinality {
				continue
			}
			out[i][j] = 0
			if below == nil {
				continue
			}
			for k := range below.members {
				if c.target.first.has(below.members[k].member) {
					out[i][j] |= 1 << k
				}
			}
		}
	}
	return out
}

// BuiltIn returns the 340 constraints that the models of OSCAL 1.2.2 define.
// They are compiled when they are needed first.
func BuiltIn() *Set { return builtin() }

var builtin = sync.OnceValue(func() *Set {
	s := &Set{name: "OSCAL " + oscal.ModelVersion}
	byHost, places := make([]*hostRules, len(builtinHosts)), make([][]place, len(builtinHosts))
	cache := map[string]*Expression{}
	for i := range builtinHosts {
		h := &builtinHosts[i]
		rules := &hostRules{}
		var names []string
		for _, l := range h.lets {
			names = append(names, l.name)
		}
		must := func(text string) *Expression {
			if e := cache[text]; e != nil {
				return e
			}
			e, err := compileExpression(text, CompileOptions{Variables: names}, false)
			if err != nil {
				panic(err) // the generated tables are broken; a test compiles them all
			}
			cache[text] = e
			return e
		}
		for _, l := range h.lets {
			rules.lets = append(rules.lets, &compiledLet{l.name, must(l.expression)})
		}
		for j := range h.constraints {
			c := &compiled{Constraint: &h.constraints[j], set: s, order: len(s.all)}
			if err := c.compile(func(_, text string) (*Expression, error) { return must(text), nil }); err != nil {
				panic(err)
			}
			rules.add(c)
			s.all = append(s.all, c)
		}
		byHost[i], places[i] = rules, h.places
	}
	s.rules = byHost
	s.model = sync.OnceValue(func() *modelRules { return bindModel(nil, places, byHost) })
	return s
})

// compile prepares the expressions of a constraint; get compiles the text of an
// attribute. The first error is returned.
func (c *compiled) compile(get func(attribute, text string) (*Expression, error)) error {
	var first error
	expr := func(attribute, text string) *Expression {
		e, err := get(attribute, text)
		if err != nil && first == nil {
			first = err
		}
		return e
	}
	if c.Target != "." {
		c.target = expr("target", c.Target)
	}
	if c.Test != "" {
		c.test = expr("test", c.Test)
	}
	if c.Regex != "" {
		re, err := compileRegex(c.Regex, "", true)
		if err != nil && first == nil {
			first = err
		}
		c.re = re
	}
	for _, k := range c.Keys {
		ck := compiledKey{expr: expr("key-field", k.Target)}
		if name, ok := strings.CutPrefix(k.Target, "@"); ok && nameLen(name) == len(name) && ck.expr != nil {
			ck.flag = ck.expr.names.flags(name)
		}
		if k.Pattern != "" {
			re, err := compileRegex(k.Pattern, "", true)
			if err == nil && re.NumSubexp() != 1 {
				err = fmt.Errorf("the pattern %s of a key must have exactly one group, it has %d", clip(k.Pattern), re.NumSubexp())
			}
			if err != nil && first == nil {
				first = err
			}
			ck.re = re
			ck.prefix, ck.rest = strings.CutSuffix(k.Pattern, "(.*)")
			ck.rest = ck.rest && regexp.QuoteMeta(ck.prefix) == ck.prefix
		}
		c.keys = append(c.keys, ck)
	}
	c.swept = c.Kind == KindIndex && first == nil && c.target != nil && c.target.everywhere != nil &&
		len(c.keys) == 1 && c.keys[0].flag != nil && c.keys[0].re == nil
	if c.Kind == KindAllowedValues {
		c.values = make(map[string]bool, len(c.Enums))
		for _, e := range c.Enums {
			c.values[e.Value] = e.Deprecated != ""
		}
	}
	for text, rest := "", c.Message; rest != ""; {
		text, rest = cutTemplate(rest)
		if inner, ok := strings.CutPrefix(text, "{"); ok {
			c.message = append(c.message, messagePart{text, expr("message", strings.TrimSuffix(inner, "}"))})
			continue
		}
		c.message = append(c.message, messagePart{text: text})
	}
	return first
}

// cutTemplate cuts the first piece off a message template: an expression with
// its braces, or the text before one. Braces in strings of an expression do not
// count.
func cutTemplate(s string) (piece, rest string) {
	if s[0] != '{' {
		i := strings.IndexByte(s, '{')
		if i < 0 {
			return s, ""
		}
		return s[:i], s[i:]
	}
	depth, quote := 0, byte(0)
	for i := range len(s) {
		switch c := s[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'':
			quote = c
		case c == '{':
			depth++
		case c == '}':
			if depth--; depth == 0 {
				return s[:i+1], s[i+1:]
			}
		}
	}
	return s, ""
}

// bindModel finds the places in the models, by number, of hosts.
func bindModel(m *oscal.Metaschema, places [][]place, byHost []*hostRules) *modelRules {
	var defs []*oscal.Definition
	seen := map[*oscal.Definition]*definitionRules{}
	var walk func(m *oscal.Member)
	walk = func(m *oscal.Member) {
		d := m.Definition()
		if d == nil || seen[d] != nil {
			return
		}
		seen[d] = &definitionRules{definition: d}
		defs = append(defs, d)
		for k := range d.Members() {
			seen[d].members = append(seen[d].members, memberRules{member: k})
			walk(k)
		}
	}
	model := &modelRules{roots: map[*oscal.Member]*memberRules{}}
	for r := range m.Roots() {
		walk(r)
	}
	ofDefinition := map[*oscal.Definition][]*hostRules{}
	for i := range places {
		for _, p := range places[i] {
			d := defs[p.definition]
			if p.member < 0 {
				ofDefinition[d] = append(ofDefinition[d], byHost[i])
				continue
			}
			m := &seen[d].members[p.member]
			m.rules = append(m.rules, byHost[i])
		}
	}
	for _, d := range defs {
		for i := range seen[d].members {
			m := &seen[d].members[i]
			if inner := m.member.Definition(); inner != nil {
				m.rules, m.below = ofDefinition[inner], seen[inner]
			}
			m.needs = needsOf(m.rules, m.below)
		}
	}
	// Whether rules lie below spreads up the graph, which has cycles.
	for changed := true; changed; {
		changed = false
		for _, d := range slices.Backward(defs) { // what lies below comes later, mostly
			r := seen[d]
			for _, m := range r.members {
				if !r.any && (len(m.rules) > 0 || m.below != nil && m.below.any) {
					r.any, changed = true, true
				}
				if !r.indexes && m.hostsIndex() {
					r.indexes, changed = true, true
				}
			}
		}
	}
	for _, d := range defs {
		for i := range seen[d].members {
			seen[d].members[i].indexes = seen[d].members[i].hostsIndex()
		}
	}
	for r := range m.Roots() {
		model.roots[r] = &memberRules{member: r, rules: ofDefinition[r.Definition()], below: seen[r.Definition()]}
		model.roots[r].needs = needsOf(model.roots[r].rules, model.roots[r].below)
	}
	return model
}
