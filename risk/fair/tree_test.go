package fair

import (
	"encoding/json"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestSusceptibilityOracles(t *testing.T) {
	for _, c := range oracles(t, "susceptibility.json") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[struct{ ThreatCapability, ResistanceStrength json.RawMessage }](t, c.Input)
			p, err := FromCapability(distOf(t, in.ThreatCapability), distOf(t, in.ResistanceStrength)).Probability()
			require.NoError(t, err)
			for _, e := range c.Expect {
				require.Equal(t, "susceptibility", e.Q)
				e.agrees(t, p, 0)
			}
		})
	}
}

type lossInput struct {
	Form        LossForm        `json:"form"`
	Probability json.RawMessage `json:"probability"`
	Magnitude   json.RawMessage `json:"magnitude"`
}

type treeInput struct {
	LossEventFrequency struct {
		ContactFrequency, ProbabilityOfAction, ThreatEventFrequency json.RawMessage
		ThreatCapability, ResistanceStrength, Susceptibility        json.RawMessage
	} `json:"lossEventFrequency"`
	Primary, Secondary []lossInput
}

func (in treeInput) scenario(t *testing.T, id string) Scenario {
	t.Helper()
	f := in.LossEventFrequency
	var tef TEF
	if f.ThreatEventFrequency != nil {
		tef = ThreatEvents(distOf(t, f.ThreatEventFrequency))
	} else {
		tef = FromContacts(distOf(t, f.ContactFrequency), distOf(t, f.ProbabilityOfAction))
	}
	var v Susceptibility
	if f.Susceptibility != nil {
		v = GivenSusceptibility(distOf(t, f.Susceptibility))
	} else {
		v = FromCapability(distOf(t, f.ThreatCapability), distOf(t, f.ResistanceStrength))
	}
	s := Scenario{ID: id, Frequency: FromThreats(tef, v)}
	for _, l := range in.Primary {
		s.Losses = append(s.Losses, PrimaryLoss(l.Form, distOf(t, l.Magnitude)))
	}
	for _, l := range in.Secondary {
		s.Losses = append(s.Losses, SecondaryLoss(l.Form, distOf(t, l.Probability), distOf(t, l.Magnitude)))
	}
	return s
}

// TestTreeOracles compares what has a closed form; TestSimulatedTrees and
// TestAnalytic do the tails.
func TestTreeOracles(t *testing.T) {
	for _, c := range oracles(t, "trees.json") {
		t.Run(c.ID, func(t *testing.T) {
			in := decode[treeInput](t, c.Input)
			s := in.scenario(t, c.ID)
			f, err := s.Frequency.Freq()
			require.NoError(t, err)
			mean, sd, err := s.Moments()
			require.NoError(t, err)
			l, err := newLaw(f)
			require.NoError(t, err)
			m, v := s.eventMoments()
			for _, e := range c.Expect {
				switch e.Q {
				case "susceptibility":
					if in.LossEventFrequency.Susceptibility == nil {
						e.agrees(t, s.Frequency.suscept.probability(), 0)
					}
				case "meanLossEventFrequency":
					e.agrees(t, f.Mean(), 0)
				case "varianceOfRate":
					_, variance := f.(*mixedPoisson).moments()
					e.agrees(t, variance, 0)
				case "meanLossMagnitude":
					e.agrees(t, m, 0)
				case "sdLossMagnitude":
					e.agrees(t, math.Sqrt(v), 0)
				case "mean":
					e.agrees(t, mean, 0)
				case "sd":
					e.agrees(t, sd, 0)
				case "probabilityOfZero":
					e.agrees(t, f.Prob(0), 0)
					e.agrees(t, l.pmf[0], 0)
				}
			}
		})
	}
}
