package matrix

import (
	"fmt"
	"slices"
	"strings"
	"sync"
)

// SystemCSF is the system of the gaps between tiers of the NIST Cybersecurity
// Framework: met, one-tier, two-tiers, three-tiers.
const SystemCSF = "https://github.com/issokit/issokit/ns/oscal/csf-tiers"

// CSFTiers returns the matrix of the gap between the current and the target tier
// of an outcome. The tiers are those of NIST CSF 2.0, appendix B: partial,
// risk-informed, repeatable, adaptive. The framework itself rates no gaps: how
// many tiers an outcome is short of its target is all that is computed.
func CSFTiers() *Matrix { return csfTiers() }

var csfTiers = sync.OnceValue(func() *Matrix {
	tiers := []string{"partial", "risk-informed", "repeatable", "adaptive"}
	d := Definition{
		ID: "csf-tiers", Version: "2.0", System: SystemCSF, Title: "Gap between current and target tier", Rule: "target less current, not below 0",
		Axes:     []Axis{{Name: "current", Descending: true, Levels: Levels(tiers...)}, {Name: "target", Levels: Levels(tiers...)}},
		Outcomes: []Level{{Name: "met", Score: new(0.0)}, {Name: "one-tier", Score: new(1.0)}, {Name: "two-tiers", Score: new(2.0)}, {Name: "three-tiers", Score: new(3.0)}},
	}
	d.combine(func(ranks []int) string { return d.Outcomes[max(ranks[1]-ranks[0], 0)].Name })
	m, err := New(d)
	if err != nil {
		panic(err) // of our own data
	}
	return m
})

// A CSFOutcome is an outcome of a profile of the NIST Cybersecurity Framework.
type CSFOutcome struct {
	ID      string // e.g. "PR.AA-01"
	Current string // tier
	Target  string // tier
}

// A CSFFunction is what the outcomes of one function come to.
type CSFFunction struct {
	Function string   // GV, ID, PR, DE, RS or RC
	Gaps     Tally    // of [CSFTiers]
	Short    []string // IDs of the outcomes that are not met, the largest gap first
}

// csfFunctions are the functions of NIST CSF 2.0 in its order.
var csfFunctions = []string{"GV", "ID", "PR", "DE", "RS", "RC"}

// RateCSF returns the gaps of a profile by function, in the order of the
// framework; functions without outcomes are left out. The error is a [Problems]
// that names each outcome of no function, each that is given twice, and each tier
// that is none.
func RateCSF(outcomes []CSFOutcome) ([]CSFFunction, error) {
	m := CSFTiers()
	var ps Problems
	gaps := map[string][]string{}
	short := map[string][][]string{} // function to IDs by gap
	seen := map[string]bool{}
	for _, o := range outcomes {
		function, _, _ := strings.Cut(o.ID, ".")
		if !slices.Contains(csfFunctions, function) {
			ps.add(RuleInput, o.ID, "expected an outcome of %s, as PR.AA-01, found %q", strings.Join(csfFunctions, ", "), o.ID)
			continue
		}
		if seen[o.ID] {
			ps.add(RuleInput, o.ID, "the outcome is given twice")
		}
		seen[o.ID] = true
		gap, err := m.Lookup(o.Current, o.Target)
		if err != nil {
			for _, p := range m.inputs([]string{o.Current, o.Target}, false) {
				p.Pointer = o.ID + "/" + p.Pointer
				ps.put(p)
			}
			continue
		}
		gaps[function] = append(gaps[function], gap)
		if short[function] == nil {
			short[function] = make([][]string, len(m.outcomes))
		}
		rank := slices.Index(m.outcomes, gap)
		short[function][rank] = append(short[function][rank], o.ID)
	}
	if ps != nil {
		return nil, ps
	}
	var out []CSFFunction
	for _, f := range csfFunctions {
		if gaps[f] == nil {
			continue
		}
		tally, err := m.Tally(gaps[f]...)
		if err != nil {
			return nil, fmt.Errorf("matrix: %w", err)
		}
		r := CSFFunction{Function: f, Gaps: tally}
		for rank := len(m.outcomes) - 1; rank > 0; rank-- {
			r.Short = append(r.Short, short[f][rank]...)
		}
		out = append(out, r)
	}
	return out, nil
}
