package matrix

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"

	"github.com/issokit/issokit/internal/answer"
)

// A Level is one level of an axis or one outcome: its name, and what a reader
// or a chart needs.
type Level struct {
	Name  string
	Label string   // for people; default the name
	Color string   // e.g. "#d73027"
	Text  string   // description
	Score *float64 // number that goes with it, nil for none
}

// Levels returns levels that have only names, the lowest first.
func Levels(names ...string) []Level {
	out := make([]Level, len(names))
	for i, n := range names {
		out[i].Name = n
	}
	return out
}

// An Axis is one input of a matrix.
type Axis struct {
	Name       string
	Descending bool    // a higher level gives a lower outcome, e.g. for the strength of a control
	Levels     []Level // the lowest first
}

// A Cell says what one combination of levels, one of each axis in their order,
// comes to.
type Cell struct {
	At      []string
	Outcome string
}

// A Definition is a matrix as data.
type Definition struct {
	ID          string
	Version     string
	System      string // URI of the scale of the outcomes; default one below the project's namespace with the ID
	Title       string
	Source      string // where the matrix is from
	Rule        string // how the cells were made, for people
	Axes        []Axis
	Outcomes    []Level // the lowest first
	Cells       []Cell  // one for each combination, in any order
	NotMonotone bool    // that a higher input may give a lower outcome is meant, and no warning
}

const (
	maxAxes   = 8
	maxLevels = 1000
	maxCells  = 1 << 15
)

// A Matrix is a definition that was checked: it has an outcome for each
// combination of levels. It is immutable and safe for concurrent use.
type Matrix struct {
	def      Definition
	axes     [][]string // names of levels
	outcomes []string
	cells    []uint16 // ranks of outcomes, the last axis fastest
	warnings Problems
	digest   string
}

// New checks a definition. The error is a [Problems] with everything that is
// wrong: axes without levels, levels, axes and outcomes given twice, cells that
// are missing, given twice, or of unknown levels or outcomes. See
// [Matrix.Warnings] for what is only odd.
func New(d Definition) (*Matrix, error) {
	m, ps := build(d)
	return m, ps.err()
}

// build returns the matrix, nil if there are problems.
func build(d Definition) (*Matrix, Problems) {
	var ps Problems
	if d.ID == "" {
		ps.add(RuleMissingMember, "/id", "expected an ID")
	}
	if d.System == "" {
		d.System = "https://github.com/issokit/issokit/ns/oscal/matrix/" + url.PathEscape(d.ID)
	}
	m := &Matrix{def: d}
	m.checkAxes(&ps)
	m.outcomes = levelNames(d.Outcomes)
	switch {
	case len(d.Outcomes) == 0:
		ps.add(RuleMissingMember, "/outcomes", "expected outcomes")
	case len(d.Outcomes) > maxLevels:
		ps.add(RuleLimit, "/outcomes", "expected at most %d outcomes, found %d", maxLevels, len(d.Outcomes))
	}
	checkLevels(&ps, RuleDuplicateOutcome, "/outcomes", d.Outcomes)
	size := 1
	for i, a := range m.axes {
		if size *= len(a); size > maxCells {
			ps.add(RuleLimit, fmt.Sprintf("/axes/%d", i), "expected at most %d combinations", maxCells)
			return nil, ps
		}
	}
	if len(m.axes) == 0 || size == 0 || slices.ContainsFunc(ps, func(p Problem) bool { return p.Rule == RuleLimit }) {
		return nil, ps // no cell can be told from another
	}
	m.fill(&ps, size)
	if ps != nil {
		return nil, ps
	}
	m.lint()
	m.digest = m.sum()
	return m, nil
}

func (m *Matrix) checkAxes(ps *Problems) {
	switch n := len(m.def.Axes); {
	case n == 0:
		ps.add(RuleEmptyAxis, "/axes", "expected one axis at least")
	case n > maxAxes:
		ps.add(RuleLimit, "/axes", "expected at most %d axes, found %d", maxAxes, n)
		return
	}
	for i, a := range m.def.Axes {
		at := fmt.Sprintf("/axes/%d", i)
		switch {
		case a.Name == "":
			ps.add(RuleMissingMember, at+"/name", "expected a name")
		case slices.ContainsFunc(m.def.Axes[:i], func(o Axis) bool { return o.Name == a.Name }):
			ps.add(RuleDuplicateAxis, at+"/name", "another axis is called %q", a.Name)
		}
		switch {
		case len(a.Levels) == 0:
			ps.add(RuleEmptyAxis, at+"/levels", "expected levels")
		case len(a.Levels) > maxLevels:
			ps.add(RuleLimit, at+"/levels", "expected at most %d levels, found %d", maxLevels, len(a.Levels))
		}
		checkLevels(ps, RuleDuplicateLevel, at+"/levels", a.Levels)
		m.axes = append(m.axes, levelNames(a.Levels))
	}
}

func checkLevels(ps *Problems, twice Rule, at string, levels []Level) {
	seen := make(map[string]bool, len(levels))
	for i, l := range levels {
		switch {
		case l.Name == "":
			ps.add(RuleMissingMember, fmt.Sprintf("%s/%d", at, i), "expected a name")
		case seen[l.Name]:
			ps.add(twice, fmt.Sprintf("%s/%d", at, i), "%q is given twice", l.Name)
		}
		seen[l.Name] = true
		if l.Score != nil && (math.IsNaN(*l.Score) || math.IsInf(*l.Score, 0)) {
			ps.add(RuleShape, fmt.Sprintf("%s/%d/score", at, i), "expected a number, found %v", *l.Score)
		}
	}
}

func levelNames(levels []Level) []string {
	out := make([]string, len(levels))
	for i, l := range levels {
		out[i] = l.Name
	}
	return out
}

// fill takes the cells.
func (m *Matrix) fill(ps *Problems, size int) {
	m.cells = make([]uint16, size)
	known := make([]bool, size)
	for i, c := range m.def.Cells {
		at := fmt.Sprintf("/cells/%d", i)
		place, ok := 0, len(c.At) == len(m.axes)
		if !ok {
			ps.add(RuleShape, at+"/at", "expected %d levels, one of each axis, found %d", len(m.axes), len(c.At))
		}
		for j := range min(len(c.At), len(m.axes)) {
			rank := slices.Index(m.axes[j], c.At[j])
			if rank < 0 {
				ps.add(RuleUnknownLevel, fmt.Sprintf("%s/at/%d", at, j), "axis %q has no level %q", m.def.Axes[j].Name, c.At[j])
				ok = false
			}
			place = place*len(m.axes[j]) + rank
		}
		outcome := slices.Index(m.outcomes, c.Outcome)
		if outcome < 0 {
			ps.add(RuleUnknownOutcome, at+"/outcome", "%q is none of the outcomes", c.Outcome)
		}
		if !ok {
			continue
		}
		if known[place] {
			ps.put(Problem{Rule: RuleDuplicateCell, Pointer: at, Cells: [][]string{slices.Clone(c.At)}, Message: fmt.Sprintf("the cell %s is given twice", strings.Join(c.At, ", "))})
		}
		known[place] = true
		m.cells[place] = uint16(max(outcome, 0))
	}
	for place, ok := range known {
		if !ok {
			at := m.at(place)
			ps.put(Problem{Rule: RuleMissingCell, Pointer: "/cells", Cells: [][]string{at}, Message: fmt.Sprintf("no cell for %s", strings.Join(at, ", "))})
		}
	}
}

// at returns the levels of a cell.
func (m *Matrix) at(place int) []string {
	out := make([]string, len(m.axes))
	for j := len(m.axes) - 1; j >= 0; j-- {
		n := len(m.axes[j])
		out[j] = m.axes[j][place%n]
		place /= n
	}
	return out
}

// lint finds what is odd: pairs of neighbouring cells where a higher input gives
// a lower outcome, or leads from the lowest outcome to the highest in one step;
// outcomes that no cell gives.
func (m *Matrix) lint() {
	warn := func(rule Rule, cells [][]string, format string, args ...any) {
		m.warnings.put(Problem{Warning: true, Rule: rule, Pointer: "/cells", Cells: cells, Message: fmt.Sprintf(format, args...)})
	}
	top := uint16(len(m.outcomes) - 1)
	for place, lower := range m.cells {
		stride := 1
		strides := make([]int, len(m.axes))
		for j := len(m.axes) - 1; j >= 0; j-- {
			strides[j] = stride
			stride *= len(m.axes[j])
		}
		for j, axis := range m.axes {
			if place/strides[j]%len(axis) == len(axis)-1 {
				continue
			}
			next := m.cells[place+strides[j]]
			rises := next >= lower
			if m.def.Axes[j].Descending {
				rises = next <= lower
			}
			if !rises && !m.def.NotMonotone {
				pair := [][]string{m.at(place), m.at(place + strides[j])}
				warn(RuleNotMonotone, pair, "%s gives %s, but %s gives %s", strings.Join(pair[0], ", "), m.outcomes[lower], strings.Join(pair[1], ", "), m.outcomes[next])
			}
			if top > 1 && (lower == 0 && next == top || lower == top && next == 0) {
				pair := [][]string{m.at(place), m.at(place + strides[j])}
				warn(RuleJump, pair, "one step from %s to %s leads from %s to %s", strings.Join(pair[0], ", "), strings.Join(pair[1], ", "), m.outcomes[lower], m.outcomes[next])
			}
		}
	}
	for i, name := range m.outcomes {
		if !slices.Contains(m.cells, uint16(i)) {
			m.warnings.put(Problem{Warning: true, Rule: RuleUnreachable, Pointer: fmt.Sprintf("/outcomes/%d", i), Message: fmt.Sprintf("no cell gives %q", name)})
		}
	}
}

// sum returns the digest of what the matrix computes: axes, outcomes, cells.
func (m *Matrix) sum() string {
	parts := []string{m.def.ID, m.def.Version, m.def.System}
	for i, a := range m.axes {
		parts = append(parts, "axis", m.def.Axes[i].Name)
		parts = append(parts, a...)
	}
	parts = append(parts, "outcomes")
	for _, o := range m.def.Outcomes {
		parts = append(parts, o.Name)
		if o.Score != nil {
			parts = append(parts, "score", answer.Number(*o.Score))
		}
	}
	cells := make([]byte, 0, 2*len(m.cells))
	for _, c := range m.cells {
		cells = append(cells, byte(c>>8), byte(c))
	}
	return answer.Digest(append(parts, string(cells))...)
}

// Sum returns a definition whose outcome is the sum of the ranks of the inputs,
// counted from 0, as the additive examples around ISO/IEC 27005 have it: the
// outcomes are "0", "1" and so on, with that score.
func Sum(id string, axes ...Axis) Definition {
	d := Definition{ID: id, Axes: axes, Rule: "sum of the ranks, counted from 0"}
	highest := 0
	for _, a := range axes {
		highest += max(len(a.Levels)-1, 0)
	}
	for i := range min(highest, maxLevels) + 1 {
		d.Outcomes = append(d.Outcomes, Level{Name: fmt.Sprint(i), Score: new(float64(i))})
	}
	d.combine(func(ranks []int) string {
		sum := 0
		for _, r := range ranks {
			sum += r
		}
		return fmt.Sprint(sum)
	})
	return d
}

// A Band is an outcome and the highest product of ranks that has it.
type Band struct {
	Outcome Level
	To      int
}

// Product returns a definition whose outcome is the first band that the product
// of the ranks of the inputs, counted from 1, is not above. A product above all
// bands has no cell, which is an error of [New].
func Product(id string, bands []Band, axes ...Axis) Definition {
	d := Definition{ID: id, Axes: axes, Rule: "product of the ranks, counted from 1"}
	for _, b := range bands {
		d.Outcomes = append(d.Outcomes, b.Outcome)
	}
	d.combine(func(ranks []int) string {
		product := 1
		for _, r := range ranks {
			product *= r + 1
		}
		for _, b := range bands {
			if product <= b.To {
				return b.Outcome.Name
			}
		}
		return ""
	})
	return d
}

// combine makes the cells of a definition, the last axis fastest; none if there
// would be too many or an axis is empty.
func (d *Definition) combine(outcome func(ranks []int) string) {
	size := 1
	for _, a := range d.Axes {
		if size *= len(a.Levels); size > maxCells {
			return
		}
	}
	if len(d.Axes) == 0 || len(d.Axes) > maxAxes {
		return
	}
	for place := range size {
		ranks := make([]int, len(d.Axes))
		at := make([]string, len(d.Axes))
		for j, rest := len(d.Axes)-1, place; j >= 0; j-- {
			n := len(d.Axes[j].Levels)
			ranks[j] = rest % n
			at[j] = d.Axes[j].Levels[ranks[j]].Name
			rest /= n
		}
		if o := outcome(ranks); o != "" {
			d.Cells = append(d.Cells, Cell{at, o})
		}
	}
}
