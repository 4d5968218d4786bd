package matrix

import (
	"fmt"
	"slices"
	"strings"

	"github.com/issokit/issokit/internal/answer"
)

// Definition returns the definition of the matrix; it is not to be changed.
func (m *Matrix) Definition() Definition { return m.def }

// Scale returns the outcomes as a [Scale].
func (m *Matrix) Scale() Scale { return Scale{m.def.System, slices.Clone(m.outcomes)} }

// Digest returns the SHA-256 of what the matrix computes: ID, version, system,
// axes, outcomes and cells, not titles, labels, colours and texts.
func (m *Matrix) Digest() string { return m.digest }

// Warnings returns what is odd about the matrix, at most 1,000 of it: pairs of
// neighbouring cells where a higher input gives a lower outcome
// ([RuleNotMonotone]) or one step leads from the lowest outcome to the highest
// ([RuleJump]), and outcomes that no cell gives ([RuleUnreachable]).
func (m *Matrix) Warnings() Problems { return m.warnings }

// At returns the rank of the outcome, from 0, for the ranks of the inputs, one
// for each axis; -1 if there is no such combination. It does not allocate.
func (m *Matrix) At(ranks ...int) int {
	if len(ranks) != len(m.axes) {
		return -1
	}
	place := 0
	for j, r := range ranks {
		n := len(m.axes[j])
		if uint(r) >= uint(n) {
			return -1
		}
		place = place*n + r
	}
	return int(m.cells[place])
}

// Lookup returns the outcome for the levels of the inputs, one for each axis. The
// error is a [Problems]. Without an error it does not allocate.
func (m *Matrix) Lookup(levels ...string) (string, error) {
	place := 0
	if len(levels) != len(m.axes) {
		return "", m.inputs(levels, false).err()
	}
	for j, l := range levels {
		rank := slices.Index(m.axes[j], l)
		if rank < 0 {
			return "", m.inputs(levels, false).err()
		}
		place = place*len(m.axes[j]) + rank
	}
	return m.outcomes[m.cells[place]], nil
}

// inputs checks levels; "" stands for an unknown one where that is allowed.
func (m *Matrix) inputs(levels []string, unknown bool) Problems {
	var ps Problems
	if len(levels) != len(m.axes) {
		ps.add(RuleInput, "", "expected %d levels, one of each axis, found %d", len(m.axes), len(levels))
		return ps
	}
	for j, l := range levels {
		if !(unknown && l == "") && !slices.Contains(m.axes[j], l) {
			ps.add(RuleUnknownLevel, m.def.Axes[j].Name, "expected one of %q, found %q", m.axes[j], l)
		}
	}
	return ps
}

// Rate looks a cell up and returns the outcome with the path to it; the error
// is a [Problems] that names each level that is not on its axis.
func (m *Matrix) Rate(levels ...string) (Rating, error) {
	outcome, err := m.Lookup(levels...)
	if err != nil {
		return Rating{}, err
	}
	r := Rating{System: m.def.System, Version: m.def.Version, Level: outcome, Digest: answer.Digest(append([]string{m.digest}, levels...)...)}
	places := make([]string, len(levels))
	for j, l := range levels {
		name := m.def.Axes[j].Name
		places[j] = name + " " + l
		if len(levels) == 2 {
			places[j] = [...]string{"row ", "column "}[j] + places[j]
		}
		r.Why = append(r.Why, Step{"input", token(name), l, "assessed"})
	}
	level := m.def.Outcomes[slices.Index(m.outcomes, outcome)]
	if level.Score != nil {
		r.Score = new(*level.Score)
	}
	r.Why = append(r.Why, Step{m.def.ID, "risk", outcome, strings.Join(places, ", ")})
	return r, nil
}

// token returns a name as a token: letters, digits, '.', '-' and '_', beginning
// with a letter or '_'.
func token(name string) string {
	t := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '-', r == '_':
			return r
		}
		return '-'
	}, name)
	if t == "" || t[0] == '-' || t[0] == '.' || t[0] >= '0' && t[0] <= '9' {
		t = "_" + t
	}
	return t
}

// Possible returns the outcomes, the lowest first, that are possible where "" in
// place of a level stands for one that is not known. The error is a [Problems].
func (m *Matrix) Possible(levels ...string) ([]string, error) {
	if ps := m.inputs(levels, true); ps != nil {
		return nil, ps
	}
	found := make([]bool, len(m.outcomes))
	m.walk(0, 0, levels, found)
	var out []string
	for i, ok := range found {
		if ok {
			out = append(out, m.outcomes[i])
		}
	}
	return out, nil
}

// walk marks the outcomes of all cells that agree with levels from axis j on.
func (m *Matrix) walk(j, place int, levels []string, found []bool) {
	if j == len(m.axes) {
		found[m.cells[place]] = true
		return
	}
	for rank, name := range m.axes[j] {
		if levels[j] == "" || levels[j] == name {
			m.walk(j+1, place*len(m.axes[j])+rank, levels, found)
		}
	}
}

// A Count is how often an outcome occurs.
type Count struct {
	Outcome string
	N       int
}

// A Tally is what several outcomes come to: the highest, "" for none, and how
// often each occurs, the lowest first.
type Tally struct {
	Max    string
	Counts []Count
}

// Tally rolls outcomes of the matrix up. The error is a [Problems] that names
// each that is none of its outcomes.
func (m *Matrix) Tally(outcomes ...string) (Tally, error) {
	t := Tally{Counts: make([]Count, len(m.outcomes))}
	for i, o := range m.outcomes {
		t.Counts[i].Outcome = o
	}
	var ps Problems
	top := -1
	for i, o := range outcomes {
		rank := slices.Index(m.outcomes, o)
		if rank < 0 {
			ps.add(RuleUnknownOutcome, fmt.Sprint(i), "expected one of %q, found %q", m.outcomes, o)
			continue
		}
		t.Counts[rank].N++
		if rank > top {
			top, t.Max = rank, o
		}
	}
	return t, ps.err()
}
