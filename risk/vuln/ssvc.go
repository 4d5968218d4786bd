package vuln

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/issokit/issokit/internal/answer"
)

// A DecisionPoint is a question with ordered answers, the lowest first, known by
// namespace, key and version.
type DecisionPoint struct {
	Namespace, Key, Version string // e.g. "ssvc", "E", "1.1.0"
	Name                    string // e.g. "Exploitation"
	Values                  []DecisionValue
}

// A DecisionValue is an answer.
type DecisionValue struct {
	Key  string `json:"key"`            // e.g. "P"
	Name string `json:"name,omitempty"` // e.g. "Public PoC"
}

// ID returns e.g. "ssvc:E:1.1.0".
func (p DecisionPoint) ID() string { return p.Namespace + ":" + p.Key + ":" + p.Version }

// fold makes spellings of one name equal: "public_poc", "Public PoC".
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r - 'A' + 'a'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '*', r > 0x7f:
			return r
		}
		return -1
	}, s)
}

// aliases are spellings seen in public records that are neither name nor key.
var aliases = map[string]string{"poc": "publicpoc", "proofofconcept": "publicpoc", "true": "yes", "false": "no"}

// value finds the answer that a spelling means: its name or key in any case, with
// any separators, or an alias.
func (p DecisionPoint) value(spelling string) (DecisionValue, bool) {
	i := p.index(spelling)
	if i < 0 {
		return DecisionValue{}, false
	}
	return p.Values[i], true
}

func (p DecisionPoint) index(spelling string) int {
	s := fold(spelling)
	alias := aliases[s]
	for i, v := range p.Values {
		if name := fold(v.Name); s != "" && (s == name || alias == name || s == fold(v.Key)) {
			return i
		}
	}
	return -1
}

// list names the answers for a message.
func (p DecisionPoint) list() string {
	var names []string
	for _, v := range p.Values {
		names = append(names, strings.ToLower(v.Name))
	}
	return fmt.Sprintf("%s to be one of %s", p.Name, strings.Join(names, ", "))
}

// findPoint finds a decision point by name, key or ID.
func findPoint(points []DecisionPoint, name string) (DecisionPoint, bool) {
	s := fold(name)
	for _, p := range points {
		if s != "" && (s == fold(p.Name) || s == fold(p.Key) || s == fold(p.ID())) {
			return p, true
		}
	}
	return DecisionPoint{}, false
}

// Facts are what is known of a vulnerability on a system: by decision point (its
// name, key or ID) the answers that are possible still, in any spelling. A point
// that is not there, or has no answers, is not known.
type Facts map[string][]string

// A Table is a decision table: an outcome for every combination of answers. It is
// not changed once made and safe for concurrent use.
type Table struct {
	id, name string
	points   []DecisionPoint
	outcome  DecisionPoint
	cells    []uint8 // index of the outcome; the last point changes fastest
	warnings Problems
}

// ID returns namespace, key and version of the table, e.g. "cisa:DT_CO:2.0.3".
func (t *Table) ID() string { return t.id }

// Name returns e.g. "CISA Coordinator".
func (t *Table) Name() string { return t.name }

// Points returns the decision points that the table asks for.
func (t *Table) Points() []DecisionPoint { return slices.Clone(t.points) }

// Outcome returns the decision point that the table answers.
func (t *Table) Outcome() DecisionPoint { return t.outcome }

// Warnings returns what is odd about the table: pairs of combinations where a
// higher answer gives a lower outcome.
func (t *Table) Warnings() Problems { return slices.Clone(t.warnings) }

// An Outcome is one answer that is possible, with the rows that give it.
type Outcome struct {
	DecisionValue
	Rows []int // counted from 0 over all combinations, the last point changing fastest
}

// A Decision is the answer of a table.
type Decision struct {
	Table    *Table
	Outcomes []Outcome            // possible, the lowest first; one if it is determined
	Unknown  []string             // names of the points that are not fully known
	known    map[int]uint64       // by point, the answers that are possible, as bits
	derived  map[string]*Decision // by point, where its answers came from another table
}

// Determined tells whether one outcome is left, whatever is not known.
func (d Decision) Determined() bool { return len(d.Outcomes) == 1 }

// Highest returns the highest outcome that is possible: the one to plan for.
func (d Decision) Highest() Outcome {
	if len(d.Outcomes) == 0 {
		return Outcome{}
	}
	return d.Outcomes[len(d.Outcomes)-1]
}

// rank returns the place of the highest outcome among those of the table.
func (d Decision) rank() int {
	if d.Table == nil {
		return -1
	}
	return d.Table.outcome.index(d.Highest().Key)
}

// Decide returns the outcomes that are possible. Facts about decision points that
// the table does not ask for are passed over if the points are known; Utility and
// Human Impact are derived from their own tables where they are asked for and not
// given. The error is a [Problems] for unknown points and answers and for a point
// given twice; facts must not rule out every answer.
func (t *Table) Decide(facts Facts) (Decision, error) {
	d := Decision{Table: t, known: map[int]uint64{}}
	var ps Problems
	names := make([]string, 0, len(facts))
	for name := range facts {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if len(facts[name]) == 0 {
			continue
		}
		i := slices.IndexFunc(t.points, func(p DecisionPoint) bool {
			_, ok := findPoint([]DecisionPoint{p}, name)
			return ok
		})
		if i < 0 {
			if _, ok := findPoint(knownPoints(), name); !ok {
				ps.add(RuleUnknown, name, "unknown decision point %q, expected one of %s", cut(name), t.asks())
			}
			continue
		}
		if d.known[i] != 0 {
			ps.add(RuleDuplicate, name, "decision point %s is given twice", t.points[i].Name)
			continue
		}
		for _, spelling := range facts[name] {
			k := t.points[i].index(spelling)
			if k < 0 {
				ps.add(RuleValue, name, "expected %s, found %q", t.points[i].list(), cut(spelling))
				continue
			}
			d.known[i] |= 1 << k
		}
	}
	if ps != nil {
		return Decision{}, ps
	}
	t.derive(&d, facts)
	rows := make([][]int, len(t.outcome.Values))
	for row, o := range t.cells {
		if d.allows(row) {
			rows[o] = append(rows[o], row)
		}
	}
	for i, r := range rows {
		if r != nil {
			d.Outcomes = append(d.Outcomes, Outcome{t.outcome.Values[i], r})
		}
	}
	for i, p := range t.points {
		if k := d.known[i]; k == 0 || k&(k-1) != 0 {
			d.Unknown = append(d.Unknown, p.Name)
		}
	}
	return d, nil
}

// derive answers points that are not given from the tables whose outcome they are.
func (t *Table) derive(d *Decision, facts Facts) {
	for i, p := range t.points {
		if d.known[i] != 0 {
			continue
		}
		for _, other := range Tables() {
			if other.outcome.ID() != p.ID() || other == t {
				continue
			}
			sub, err := other.Decide(facts)
			if err != nil || len(sub.known) == 0 {
				continue
			}
			for _, o := range sub.Outcomes {
				d.known[i] |= 1 << p.index(o.Key)
			}
			if d.derived == nil {
				d.derived = map[string]*Decision{}
			}
			d.derived[p.Name] = &sub
		}
	}
}

// allows tells whether a row is possible.
func (d *Decision) allows(row int) bool {
	for i := len(d.Table.points) - 1; i >= 0; i-- {
		n := len(d.Table.points[i].Values)
		if k := d.known[i]; k != 0 && k&(1<<(row%n)) == 0 {
			return false
		}
		row /= n
	}
	return true
}

// asks names the points for a message.
func (t *Table) asks() string {
	var names []string
	for _, p := range t.points {
		names = append(names, p.Name)
	}
	return strings.Join(names, ", ")
}

// answers are the names of the answers of a point that are possible.
func (d *Decision) answers(i int) []string {
	var names []string
	for k, v := range d.Table.points[i].Values {
		if d.known[i]&(1<<k) != 0 {
			names = append(names, strings.ToLower(v.Name))
		}
	}
	return names
}

// Rate returns the decision as a rating: its level is the highest outcome that is
// possible, its path the facts, what was derived, and the rows.
func (d Decision) Rate() Rating {
	if d.Table == nil {
		return Rating{}
	}
	t := d.Table
	r := Rating{System: systemSSVC + "/" + strings.ReplaceAll(t.id, ":", "/"), Version: t.id, Level: strings.ToLower(d.Highest().Name)}
	parts := []string{"ssvc", t.id, fmt.Sprint(t.cells)}
	for i, p := range t.points {
		value, text := strings.Join(d.answers(i), " or "), p.ID()
		if value == "" {
			value, text = "unknown", p.ID()+", any answer is possible"
		} else if sub := d.derived[p.Name]; sub != nil {
			for _, s := range sub.Rate().Why {
				r.Why = append(r.Why, Step(s))
			}
			text += ", from " + sub.Table.id
		}
		r.Why = append(r.Why, Step{"fact", p.Name, value, text})
		parts = append(parts, p.ID(), value)
	}
	for _, o := range d.Outcomes {
		r.Why = append(r.Why, Step{t.id, t.outcome.Name, strings.ToLower(o.Name), rowText(o.Rows)})
	}
	if !d.Determined() {
		r.step(t.id, "plan-for", r.Level, "the highest outcome that is possible")
	}
	r.Digest = answer.Digest(parts...)
	return r
}

func rowText(rows []int) string {
	if len(rows) == 1 {
		return fmt.Sprintf("row %d", rows[0])
	}
	return fmt.Sprintf("%d rows, the first %d", len(rows), rows[0])
}

// knownPoints are the decision points of the tables that are built in.
var knownPoints = sync.OnceValue(func() []DecisionPoint {
	var out []DecisionPoint
	for line := range strings.Lines(strings.TrimSpace(ssvcPoints)) {
		f := strings.Split(strings.TrimSpace(line), "|")
		id := strings.Split(f[0], ":")
		p := DecisionPoint{Namespace: id[0], Key: id[1], Version: id[2], Name: f[1]}
		for _, v := range strings.Split(f[2], ",") {
			key, name, _ := strings.Cut(v, "=")
			p.Values = append(p.Values, DecisionValue{key, name})
		}
		out = append(out, p)
	}
	return out
})

var builtIn = sync.OnceValue(func() []*Table {
	var out []*Table
	for _, x := range ssvcTables {
		t := &Table{id: x.id, name: x.name}
		for id := range strings.FieldsSeq(x.points) {
			p, _ := findPoint(knownPoints(), id)
			t.points = append(t.points, p)
		}
		t.outcome, _ = findPoint(knownPoints(), x.outcome)
		for key := range strings.FieldsSeq(x.cells) {
			t.cells = append(t.cells, uint8(t.outcome.index(key)))
		}
		out = append(out, t)
	}
	return out
})

// Tables returns the decision tables that are built in: CISA coordinator,
// deployer, supplier, human impact, utility, BOD 26-04.
func Tables() []*Table { return slices.Clone(builtIn()) }

// LookupTable returns a built-in table by its short name, "coordinator",
// "deployer", "supplier", "human-impact", "utility" or "bod-26-04", or by its ID
// such as "ssvc:DT_DP:1.0.0". The error is a [Problems].
func LookupTable(name string) (*Table, error) {
	var names []string
	for i, x := range ssvcTables {
		if name == x.short || name == x.id {
			return builtIn()[i], nil
		}
		names = append(names, x.short)
	}
	return nil, Problems{{Rule: RuleUnknown, Pointer: "table", Message: fmt.Sprintf("expected one of %s, found %q", strings.Join(names, ", "), cut(name))}}
}
