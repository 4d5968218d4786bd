package controls

import (
	"fmt"
	"strings"
)

// A Count is a number of things with its name.
type Count struct {
	Name string
	N    int
}

// A Fraction is a share with the parts that it was computed from.
type Fraction struct {
	Of          string // what is counted in numerator and denominator
	Numerator   int
	Denominator int
	LeftOut     []Count // what is in neither, only counts above 0
}

// Value returns the fraction as a number, and whether there is one: nothing out
// of nothing is no share.
func (f Fraction) Value() (float64, bool) {
	if f.Denominator == 0 {
		return 0, false
	}
	return float64(f.Numerator) / float64(f.Denominator), true
}

// String returns, for instance,
// "statements implemented / applicable: 3/4 (left out: 1 not-applicable)".
func (f Fraction) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d/%d", f.Of, f.Numerator, f.Denominator)
	for i, c := range f.LeftOut {
		if i == 0 {
			b.WriteString(" (left out: ")
		} else {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%d %s", c.N, c.Name)
	}
	if len(f.LeftOut) > 0 {
		b.WriteByte(')')
	}
	return b.String()
}

// Coverage says how far the controls of a family, or all of them, are
// implemented.
type Coverage struct {
	Family     *Family  // nil for all families together
	Controls   Fraction // controls implemented / applicable
	Statements Fraction // statements that need an answer, implemented / applicable
	Answered   Fraction // the same statements, with an answer that says a status / all
	Parameters Fraction // parameters with a value / all of the controls
	ByStatus   []Count  // controls by status, in the order of the states, unspecified last; zeros included
}

// Coverage counts, for the whole baseline and for each of its families in the
// order of the catalog, what is implemented. A control without statements counts
// as one statement. What is not applicable leaves numerator and denominator.
func (im *Implementation) Coverage() (total Coverage, families []Coverage) {
	byFamily := map[*Family][]*Control{}
	for _, c := range im.baseline.controls {
		byFamily[c.family] = append(byFamily[c.family], c)
	}
	for _, f := range im.baseline.catalog.families {
		if len(byFamily[f]) > 0 {
			families = append(families, im.coverage(f, byFamily[f]))
		}
	}
	return im.coverage(nil, im.baseline.controls), families
}

func (im *Implementation) coverage(f *Family, controls []*Control) Coverage {
	var controlStates, statementStates []Status
	set, params := 0, 0
	for _, c := range controls {
		status := im.controlStatus(c)
		controlStates = append(controlStates, status)
		for _, s := range im.baseline.points[c] {
			statementStates = append(statementStates, im.statementStatus(s))
		}
		if len(im.baseline.points[c]) == 0 {
			statementStates = append(statementStates, status)
		}
		for _, p := range c.params {
			if params++; im.isSet(p) {
				set++
			}
		}
	}
	out := Coverage{
		Family:     f,
		Controls:   implementedOf("controls implemented / applicable", controlStates),
		Statements: implementedOf("statements implemented / applicable", statementStates),
		Answered:   Fraction{Of: "statements answered / all", Denominator: len(statementStates)},
		Parameters: Fraction{Of: "parameters set / all", Numerator: set, Denominator: params},
	}
	for _, s := range statementStates {
		if s != 0 {
			out.Answered.Numerator++
		}
	}
	counts := countStates(controlStates)
	for s := Implemented; s <= NotApplicable; s++ {
		out.ByStatus = append(out.ByStatus, Count{s.String(), counts[s]})
	}
	out.ByStatus = append(out.ByStatus, Count{Status(0).String(), counts[0]})
	return out
}

// isSet tells whether a parameter has values, of its own or of all parameters
// that it aggregates.
func (im *Implementation) isSet(p *Param) bool {
	if len(im.params[p].values) > 0 {
		return true
	}
	for _, id := range p.aggregates {
		q := im.baseline.catalog.paramIDs[id]
		if q == nil || len(im.params[q].values) == 0 {
			return false
		}
	}
	return len(p.aggregates) > 0
}

func countStates(states []Status) (counts [NotApplicable + 1]int) {
	for _, s := range states {
		counts[s]++
	}
	return counts
}

func implementedOf(name string, states []Status) Fraction {
	counts := countStates(states)
	f := Fraction{Of: name, Numerator: counts[Implemented] + counts[Alternative], Denominator: len(states) - counts[NotApplicable]}
	if n := counts[NotApplicable]; n > 0 {
		f.LeftOut = []Count{{NotApplicable.String(), n}}
	}
	return f
}
