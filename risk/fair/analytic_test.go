package fair

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAnalytic compares quantiles and tails with oracles that were computed on a
// finer lattice; our tolerance is what the comment of Analytic claims.
func TestAnalytic(t *testing.T) {
	check := func(t *testing.T, p Portfolio, expect []expectation) {
		l, err := Analytic(p, nil)
		require.NoError(t, err)
		for _, e := range expect {
			switch e.Q {
			case "mean":
				e.agrees(t, l.Mean(), 0)
			case "sd":
				e.agrees(t, l.SD(), 0)
			case "probabilityOfZero":
				e.agrees(t, l.None(), 0)
			case "var":
				e.agrees(t, l.VaR(e.P), 1e-4)
			case "tvar":
				e.agrees(t, l.TVaR(e.P), 1e-4)
			case "exceedance":
				e.agrees(t, l.Exceed(e.X), max(1e-4, 1e-7/e.number(t)))
			}
		}
	}
	for _, c := range oracles(t, "compound.json") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct{ Frequency, Severity json.RawMessage }](t, c.Input)
			check(t, Portfolio{Scenarios: []Scenario{single(freqOf(t, in.Frequency), distOf(t, in.Severity))}}, c.Expect)
		})
	}
	for _, c := range oracles(t, "trees.json") {
		t.Run(c.ID, func(t *testing.T) {
			check(t, Portfolio{Scenarios: []Scenario{decode[treeInput](t, c.Input).scenario(t, c.ID)}}, c.Expect)
		})
	}
	for _, c := range oracles(t, "portfolio.json") {
		t.Run(c.ID, func(t *testing.T) { check(t, portfolioOf(t, c.Input), c.Expect) })
	}
}
