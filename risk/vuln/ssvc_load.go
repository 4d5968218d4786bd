package vuln

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// The bounds of a table that is loaded.
const (
	maxTableBytes = 16 << 20
	maxCells      = 1 << 20
	maxAnswers    = 64
)

// LoadTable reads a decision table as CERT/CC publishes them, in JSON (schema
// 2.0.0) or CSV. A CSV states neither keys nor orders: decision points that are
// built in are known by name and version, others have their answers in the order
// of the rows, the lowest first. Tables must be total, without duplicates and
// unknown answers; the error is a [Problems] with all that is wrong. That a
// higher answer gives a lower outcome is a warning, see [Table.Warnings].
func LoadTable(r io.Reader) (*Table, error) {
	b, err := open(r, maxTableBytes)
	if err != nil {
		return nil, asProblems(err)
	}
	data, err := io.ReadAll(b)
	if err != nil {
		return nil, asProblems(readProblem(err, int64(len(data))))
	}
	var ps Problems
	var t *Table
	if text := bytes.TrimLeft(data, " \t\r\n"); len(text) > 0 && text[0] == '{' {
		t = loadJSON(data, &ps)
	} else {
		t = loadCSV(data, &ps)
	}
	if err := ps.err(); err != nil {
		return nil, err
	}
	t.checkMonotone()
	return t, nil
}

// A tableRow is one row before it has its place.
type tableRow struct {
	answers []string // by point
	outcome string
	place   Problem // Line, Offset and Pointer of the row
}

// fill puts rows in their places.
func (t *Table) fill(rows []tableRow, ps *Problems) {
	size := 1
	for _, p := range append(slices.Clone(t.points), t.outcome) {
		if len(p.Values) == 0 || len(p.Values) > maxAnswers {
			ps.add(RuleLimit, p.ID(), "expected 1 to %d answers of %s, found %d", maxAnswers, p.Name, len(p.Values))
			return
		}
	}
	if len(t.points) == 0 {
		ps.add(RuleMissing, "", "the table has no decision points")
		return
	}
	for _, p := range t.points {
		if size *= len(p.Values); size > maxCells {
			ps.add(RuleLimit, "", "expected at most %d combinations", maxCells)
			return
		}
	}
	const empty = 0xff
	t.cells = bytes.Repeat([]byte{empty}, size)
	for _, r := range rows {
		cell, ok := 0, true
		bad := func(rule Rule, format string, args ...any) {
			p := r.place
			p.Rule, p.Message = rule, fmt.Sprintf(format, args...)
			ps.put(p)
			ok = false
		}
		for i, p := range t.points {
			k := p.index(r.answers[i])
			if k < 0 {
				bad(RuleValue, "expected %s, found %q", p.list(), cut(r.answers[i]))
			}
			cell = cell*len(p.Values) + k
		}
		o := t.outcome.index(r.outcome)
		if o < 0 {
			bad(RuleValue, "expected %s, found %q", t.outcome.list(), cut(r.outcome))
		}
		if ok && t.cells[cell] != empty {
			bad(RuleDuplicate, "the combination %s stands twice", t.combination(cell))
		}
		if ok {
			t.cells[cell] = uint8(o)
		}
	}
	for cell, o := range t.cells {
		if o == empty && len(*ps) < maxProblems {
			ps.add(RuleMissing, "", "no outcome for %s", t.combination(cell))
		}
	}
}

// combination names the answers of a cell.
func (t *Table) combination(cell int) string {
	names := make([]string, len(t.points))
	for i := len(t.points) - 1; i >= 0; i-- {
		n := len(t.points[i].Values)
		names[i] = t.points[i].Name + " " + strings.ToLower(t.points[i].Values[cell%n].Name)
		cell /= n
	}
	return strings.Join(names, ", ")
}

// checkMonotone compares each cell with those one step higher in one point.
func (t *Table) checkMonotone() {
	stride := len(t.cells)
	for _, p := range t.points {
		n := len(p.Values)
		stride /= n
		for cell := range t.cells {
			if cell/stride%n+1 < n && t.cells[cell+stride] < t.cells[cell] {
				t.warnings.put(Problem{Warning: true, Rule: RuleMonotone, Pointer: p.Name, Message: fmt.Sprintf("%s gives %s, a higher %s only %s",
					t.combination(cell), strings.ToLower(t.outcome.Values[t.cells[cell]].Name), p.Name, strings.ToLower(t.outcome.Values[t.cells[cell+stride]].Name))})
			}
		}
	}
}

// jsonPoint is a decision point, or the head of a table, in JSON.
type jsonPoint struct {
	Namespace string `json:"namespace"`
	Key       string `json:"key"`
	Version   string `json:"version"`
	Name      string `json:"name"`
	Values    []struct {
		Key  string `json:"key"`
		Name string `json:"name"`
	} `json:"values"`
}

func (x jsonPoint) point(pointer string, ps *Problems) DecisionPoint {
	p := DecisionPoint{Namespace: x.Namespace, Key: x.Key, Version: x.Version, Name: x.Name}
	for _, m := range []struct{ name, value string }{{"namespace", x.Namespace}, {"key", x.Key}, {"version", x.Version}, {"name", x.Name}} {
		if m.value == "" {
			ps.add(RuleMissing, pointer, "expected %s, found none", m.name)
		}
	}
	for i, v := range x.Values {
		if v.Key == "" || v.Name == "" {
			ps.add(RuleMissing, fmt.Sprintf("%s/values/%d", pointer, i), "expected key and name, found %q and %q", cut(v.Key), cut(v.Name))
		} else if p.index(v.Key) >= 0 || p.index(v.Name) >= 0 {
			ps.add(RuleDuplicate, fmt.Sprintf("%s/values/%d", pointer, i), "answer %q stands twice", cut(v.Name))
		}
		p.Values = append(p.Values, DecisionValue{v.Key, v.Name})
	}
	return p
}

func loadJSON(data []byte, ps *Problems) *Table {
	var head jsonPoint
	if !unmarshal(data, &head, 0, "", ps) {
		return nil
	}
	t := &Table{id: head.Namespace + ":" + head.Key + ":" + head.Version, name: head.Name}
	head.point("", ps)
	var points []DecisionPoint
	var outcome string
	var mapping []map[string]string
	member := func(name string, raw jsontext.Value) {
		switch name {
		case "schemaVersion":
			var v string
			if unmarshal(raw, &v, 0, "/schemaVersion", ps) && !strings.HasPrefix(v, "2.") {
				ps.add(RuleVersion, "/schemaVersion", "expected version 2 of the schema, found %q", cut(v))
			}
		case "outcome":
			unmarshal(raw, &outcome, 0, "/outcome", ps)
		case "mapping":
			unmarshal(raw, &mapping, 0, "/mapping", ps)
		case "decision_points":
			if raw.Kind() != '{' {
				ps.add(RuleValue, "/decision_points", "expected an object, found %s", cut(string(raw)))
				return
			}
			// One by one, to keep their order.
			dec := jsontext.NewDecoder(bytes.NewReader(raw))
			_, _ = walkObject(dec, nil, func(id string, raw jsontext.Value) {
				var x jsonPoint
				pointer := "/decision_points/" + id
				if unmarshal(raw, &x, 0, pointer, ps) {
					p := x.point(pointer, ps)
					if p.ID() != id {
						ps.add(RuleValue, pointer, "expected the decision point %s, found %s", id, p.ID())
					}
					points = append(points, p)
				}
			}, nil)
		}
	}
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	if _, err := walkObject(dec, nil, member, nil); err != nil {
		ps.add(RuleSyntax, "", "%v", err)
	}
	i := slices.IndexFunc(points, func(p DecisionPoint) bool { return p.ID() == outcome })
	if i < 0 {
		ps.add(RuleMissing, "/outcome", "expected one of the decision points, found %q", cut(outcome))
		return nil
	}
	t.outcome = points[i]
	t.points = slices.Delete(points, i, i+1)
	if ps.err() != nil {
		return nil
	}
	rows := make([]tableRow, 0, len(mapping))
	for i, m := range mapping {
		r := tableRow{outcome: m[outcome], place: Problem{Pointer: fmt.Sprintf("/mapping/%d", i)}}
		for _, p := range t.points {
			r.answers = append(r.answers, m[p.ID()])
		}
		if len(m) != len(t.points)+1 {
			ps.add(RuleUnknown, r.place.Pointer, "expected %d members, found %d", len(t.points)+1, len(m))
		}
		rows = append(rows, r)
	}
	t.fill(rows, ps)
	return t
}

// csvHead is a column such as "In KEV v1.0.0 (cisa)".
var csvHead = regexp.MustCompile(`^(.+?)(?: v(\d+\.\d+\.\d+))?(?: \((.+)\))?$`)

func loadCSV(data []byte, ps *Problems) *Table {
	r := csv.NewReader(bytes.NewReader(data))
	head, err := r.Read()
	if err != nil || len(head) < 2 {
		ps.put(Problem{Rule: RuleSyntax, Line: 1, Message: "expected a header with decision points and an outcome"})
		return nil
	}
	skip := 0
	if strings.EqualFold(head[0], "row") {
		skip = 1
	}
	var points []DecisionPoint
	for _, column := range head[skip:] {
		m := csvHead.FindStringSubmatch(column)
		if m == nil {
			ps.put(Problem{Rule: RuleSyntax, Line: 1, Message: "expected the name of a decision point, found an empty column"})
			return nil
		}
		p := DecisionPoint{Namespace: m[3], Key: m[1], Version: m[2], Name: m[1]}
		if p.Namespace == "" {
			p.Namespace = "ssvc"
		}
		for _, k := range knownPoints() {
			if k.Name == p.Name && k.Version == p.Version && k.Namespace == p.Namespace {
				p = k
			}
		}
		points = append(points, p)
	}
	given := make([]bool, len(points))
	for i, p := range points {
		given[i] = p.Values != nil
	}
	var rows []tableRow
	for {
		f, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		line, _ := r.FieldPos(0)
		if err != nil {
			if pe, ok := errors.AsType[*csv.ParseError](err); ok {
				line = pe.Line
			}
			ps.put(Problem{Rule: RuleSyntax, Line: line, Offset: r.InputOffset(), Message: err.Error()})
			if !errors.Is(err, csv.ErrFieldCount) {
				break
			}
			continue
		}
		f = f[skip:]
		for i := range points {
			if !given[i] && points[i].index(f[i]) < 0 && len(points[i].Values) <= maxAnswers {
				points[i].Values = append(points[i].Values, DecisionValue{f[i], f[i]})
			}
		}
		rows = append(rows, tableRow{answers: f[:len(f)-1], outcome: f[len(f)-1], place: Problem{Line: line}})
	}
	last := len(points) - 1
	t := &Table{points: points[:last], outcome: points[last], name: points[last].Name, id: points[last].ID()}
	t.fill(rows, ps)
	return t
}

// A SelectionList says what was selected for vulnerabilities, in the form of
// SSVC's schema SelectionList 2.0.0.
type SelectionList struct {
	Targets    []string    `json:"target_ids,omitempty"` // e.g. CVE identifiers
	Timestamp  time.Time   `json:"timestamp"`
	Schema     string      `json:"schemaVersion"` // "2.0.0"
	Selections []Selection `json:"selections"`
}

// A Selection has the answers to one decision point that are possible.
type Selection struct {
	Namespace string          `json:"namespace"`
	Key       string          `json:"key"`
	Version   string          `json:"version"`
	Name      string          `json:"name,omitempty"`
	Values    []DecisionValue `json:"values"`
}

// Selections returns what a decision rests on and came to: the points that are
// known, each with the answers that are possible, and the outcome last.
func (d Decision) Selections(at time.Time, targets ...string) SelectionList {
	list := SelectionList{Targets: targets, Timestamp: at.UTC(), Schema: "2.0.0"}
	if d.Table == nil {
		return list
	}
	add := func(p DecisionPoint, values []DecisionValue) {
		list.Selections = append(list.Selections, Selection{p.Namespace, p.Key, p.Version, p.Name, values})
	}
	for i, p := range d.Table.points {
		var values []DecisionValue
		for k, v := range p.Values {
			if d.known[i]&(1<<k) != 0 {
				values = append(values, v)
			}
		}
		if values != nil {
			add(p, values)
		}
	}
	var values []DecisionValue
	for _, o := range d.Outcomes {
		values = append(values, o.DecisionValue)
	}
	add(d.Table.outcome, values)
	return list
}

// Facts returns the selections as facts for [Table.Decide].
func (l SelectionList) Facts() Facts {
	f := Facts{}
	for _, s := range l.Selections {
		id := s.Namespace + ":" + s.Key + ":" + s.Version
		for _, v := range s.Values {
			f[id] = append(f[id], v.Key)
		}
	}
	return f
}

// Write writes the list as JSON.
func (l SelectionList) Write(w io.Writer) error {
	return json.MarshalWrite(w, l, jsontext.WithIndent("  "))
}

// ReadSelectionList reads a list as JSON. The error is a [Problems].
func ReadSelectionList(r io.Reader) (SelectionList, error) {
	b, err := open(r, maxTableBytes)
	if err != nil {
		return SelectionList{}, asProblems(err)
	}
	data, err := io.ReadAll(b)
	if err != nil {
		return SelectionList{}, asProblems(readProblem(err, int64(len(data))))
	}
	var l SelectionList
	var ps Problems
	if !unmarshal(data, &l, 0, "", &ps) {
		return SelectionList{}, ps
	}
	if l.Schema != "2.0.0" {
		ps.add(RuleVersion, "/schemaVersion", "expected 2.0.0, found %q", cut(l.Schema))
	}
	if l.Timestamp.IsZero() {
		ps.add(RuleMissing, "/timestamp", "expected a timestamp, found none")
	}
	if len(l.Selections) == 0 {
		ps.add(RuleMissing, "/selections", "expected one selection at least, found none")
	}
	for i, s := range l.Selections {
		if s.Namespace == "" || s.Key == "" || s.Version == "" || len(s.Values) == 0 {
			ps.add(RuleMissing, fmt.Sprintf("/selections/%d", i), "expected namespace, key, version and one value at least")
		}
	}
	if err := ps.err(); err != nil {
		return SelectionList{}, err
	}
	return l, nil
}
