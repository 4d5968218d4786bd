package risk

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

func TestAppetiteCases(t *testing.T) {
	var file struct {
		Appetite []struct {
			Scale                              []string
			Appetite, Tolerance, Level, Result string
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "risk/register/appetite.json"), &file))
	require.Len(t, file.Appetite, 5)
	for _, tt := range file.Appetite {
		t.Run(tt.Level, func(t *testing.T) {
			c := Criteria{Scales: []Scale{{testScale, tt.Scale}}, Appetites: []Appetite{{System: testScale, Appetite: tt.Appetite, Tolerance: tt.Tolerance}}}
			require.NoError(t, c.Check())
			p, err := c.Position("any", rated("d", tt.Level, day(2026, 1, 1)))
			require.NoError(t, err)
			require.Equal(t, tt.Result, p.String())
		})
	}
}

func TestStageCases(t *testing.T) {
	nist := Scale{"nist", []string{"very-low", "low", "moderate", "high", "very-high"}}
	owasp := Scale{"owasp", []string{"note", "low", "medium", "high", "critical"}}
	type level struct{ Scale, Level string }
	var file struct {
		Stages []struct {
			ID                          string
			Inherent, Current, Residual json.RawMessage
			TreatmentsCompleted         bool
			Warning, Error              string
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "risk/register/appetite.json"), &file))
	require.Len(t, file.Stages, 4)
	for _, tt := range file.Stages {
		t.Run(tt.ID, func(t *testing.T) {
			r := Risk{ID: "R", State: Evaluated}
			for stage, raw := range map[Stage]json.RawMessage{Inherent: tt.Inherent, Current: tt.Current, Residual: tt.Residual} {
				if raw == nil {
					continue
				}
				l := level{Scale: "nist"}
				if json.Unmarshal(raw, &l.Level) != nil {
					require.NoError(t, json.Unmarshal(raw, &l))
				}
				r.Assessments = append(r.Assessments, Assessment{Stage: stage, System: l.Scale, Level: l.Level, At: day(2026, 1, 1)})
			}
			if tt.TreatmentsCompleted {
				r.Responses = []Response{{ID: "a", Kind: Mitigate, Lifecycle: Completed}}
			}
			c := Criteria{Scales: []Scale{nist, owasp}, Appetites: []Appetite{{System: "nist", Appetite: "very-high"}}}
			breaches, err := c.Breaches(r, day(2026, 2, 1))
			if tt.Error != "" {
				require.ErrorIs(t, err, ErrScale)
				require.Equal(t, tt.Error, ErrScale.Error())
				return
			}
			require.NoError(t, err)
			var got []string
			for _, b := range breaches {
				require.True(t, b.Warning)
				got = append(got, b.Text)
			}
			if tt.Warning == "" {
				require.Empty(t, got)
			} else {
				require.Equal(t, []string{tt.Warning}, got)
			}
		})
	}
}

func TestReviewCases(t *testing.T) {
	var file struct {
		ReviewDue []struct {
			Level, LastReviewed, Due string
			EveryMonths              int
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "risk/register/appetite.json"), &file))
	require.Len(t, file.ReviewDue, 3)
	for _, tt := range file.ReviewDue {
		t.Run(tt.LastReviewed, func(t *testing.T) {
			last, err := time.Parse(time.DateOnly, tt.LastReviewed)
			require.NoError(t, err)
			due, err := time.Parse(time.DateOnly, tt.Due)
			require.NoError(t, err)
			c := Criteria{Terms: []Term{{Level: "other", Review: 99}, {Level: tt.Level, Review: tt.EveryMonths}}}
			r := Risk{State: Monitoring, Assessments: []Assessment{rated("d", tt.Level, last.AddDate(-1, 0, 0))}, Log: []Entry{{Event: Review, At: last}, {Event: Respond, At: last.AddDate(0, 0, 9)}}}
			require.Equal(t, due, c.NextReview(r))
			r.State = Closed
			require.True(t, c.NextReview(r).IsZero())
		})
	}
}

// TestToleranceCurves compares with corpus/risk/oracles/appetite.json, whose loss
// exceedance curves come from a transform of the compound models.
func TestToleranceCurves(t *testing.T) {
	var file struct {
		Cases []struct {
			ID    string
			Input struct {
				ToleranceCurve         []Tolerance
				AppetiteMeanAnnualLoss float64
			}
			Expect []struct {
				Q     string
				X     float64
				Value json.RawMessage
				Rel   float64
			}
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "risk/oracles/appetite.json"), &file))
	require.Len(t, file.Cases, 3)
	for _, tt := range file.Cases {
		t.Run(tt.ID, func(t *testing.T) {
			a := Appetite{System: SystemFAIR, Currency: "USD", MeanLoss: tt.Input.AppetiteMeanAnnualLoss, Curve: tt.Input.ToleranceCurve}
			require.NoError(t, Criteria{Appetites: []Appetite{a}}.Check())
			loss := &Loss{Currency: "USD"}
			for _, e := range tt.Expect {
				switch e.Q {
				case "mean":
					require.NoError(t, json.Unmarshal(e.Value, &loss.Mean.Value))
				case "exceedance":
					p := Exceedance{Loss: e.X}
					require.NoError(t, json.Unmarshal(e.Value, &p.Probability.Value))
					loss.Curve = append(loss.Curve, p)
				case "tolerance":
					var want *float64
					require.NoError(t, json.Unmarshal(e.Value, &want))
					got, ok := a.ToleranceAt(e.X)
					require.Equal(t, want != nil, ok, "%v", e.X)
					if ok {
						require.InEpsilon(t, *want, got, e.Rel, "%v", e.X)
					}
				}
			}
			r := Risk{ID: "R", State: Evaluated, Assessments: []Assessment{{Stage: Current, System: SystemFAIR, Loss: loss, At: day(2026, 1, 1)}}}
			breaches, err := Criteria{Appetites: []Appetite{a}}.Breaches(r, day(2026, 1, 2))
			require.NoError(t, err)
			points, exceeded := []float64{}, false
			for _, p := range a.Exceeded(loss.Curve) {
				points = append(points, p.Loss)
			}
			onCurve := 0
			for _, b := range breaches {
				switch b.Kind {
				case LossAboveAppetite:
					exceeded = true
				case CurveAboveTolerance:
					onCurve++
				}
			}
			require.Equal(t, len(points), onCurve)
			for _, e := range tt.Expect {
				switch e.Q {
				case "breachedPoints":
					want := []float64{}
					require.NoError(t, json.Unmarshal(e.Value, &want))
					require.Equal(t, want, points)
				case "appetiteExceeded":
					var want bool
					require.NoError(t, json.Unmarshal(e.Value, &want))
					require.Equal(t, want, exceeded)
				}
			}
		})
	}
}

func TestBreachesInOtherTerms(t *testing.T) {
	c := Criteria{Scales: []Scale{{testScale, []string{"low"}}}, Appetites: []Appetite{{System: SystemFAIR, Currency: "USD", MeanLoss: 10}}}
	loss := Assessment{Stage: Current, System: SystemFAIR, Loss: &Loss{Currency: "EUR", Mean: Estimate{Value: 100}}, At: day(2026, 1, 1)}
	unknown := rated("d", "unknown", day(2026, 1, 1))
	other := rated("d", "low", day(2026, 1, 1))
	for name, a := range map[string]Assessment{"currency": loss, "level": unknown, "no appetite": other} {
		t.Run(name, func(t *testing.T) {
			r := Risk{ID: "R", State: Evaluated, Deadline: day(2026, 1, 2), Assessments: []Assessment{a}}
			breaches, err := c.Breaches(r, day(2026, 2, 1))
			require.ErrorIs(t, err, ErrScale)
			require.Equal(t, []Breach{{DeadlinePassed, false, day(2026, 1, 2), "deadline passed"}}, breaches)
		})
	}
}

func TestBreachesSince(t *testing.T) {
	scale := Scale{testScale, []string{"low", "moderate", "high", "extreme"}}
	c := Criteria{
		Scales:    []Scale{scale},
		Appetites: []Appetite{{System: testScale, Appetite: "low", Tolerance: "moderate", Capacity: "high"}, {Category: "safety", System: testScale, Appetite: "low"}},
		Terms:     []Term{{System: testScale, Level: "high", Review: 1, Stale: 6}, {Stale: 12}},
	}
	require.NoError(t, c.Check())
	levels := func(levels ...string) []Assessment {
		var out []Assessment
		for i, l := range levels {
			out = append(out, rated("d", l, day(2026, 1+time.Month(i), 1)))
		}
		return out
	}
	now := day(2026, 7, 2)
	for _, tt := range []struct {
		name string
		r    Risk
		want []Breach
	}{
		{"within", Risk{Assessments: levels("low")}, nil},
		{"closed", Risk{State: Closed, Assessments: levels("extreme")}, nil},
		{"since the first of a row", Risk{Assessments: levels("moderate", "low", "moderate", "high", "moderate")}, []Breach{{AboveAppetite, false, day(2026, 3, 1), "above appetite: moderate"}}},
		{"stricter category", Risk{Category: "safety", Assessments: levels("moderate")}, []Breach{{AboveTolerance, false, day(2026, 1, 1), "above tolerance: moderate"}}},
		{"beyond capacity", Risk{Assessments: levels("high", "extreme")}, []Breach{{AboveCapacity, false, day(2026, 2, 1), "above capacity: extreme"}}},
		{"stale, and not reviewed", Risk{Assessments: levels("high")}, []Breach{
			{AboveTolerance, false, day(2026, 1, 1), "above tolerance: high"},
			{ReviewOverdue, false, day(2026, 2, 1), "review overdue"},
			{AssessmentStale, false, day(2026, 7, 1), "assessment stale: assessed on 2026-01-01"},
		}},
		{"overdue", Risk{Deadline: day(2026, 7, 1), Responses: []Response{
			{ID: "a", Lifecycle: Planned, Due: day(2026, 6, 1), Milestones: []Milestone{{ID: "m", Due: day(2026, 5, 1)}, {ID: "n", Due: day(2026, 5, 1), Done: day(2026, 6, 1)}, {ID: "o", Due: now}}},
			{ID: "b", Lifecycle: Completed, Due: day(2026, 6, 1)},
		}}, []Breach{
			{MilestoneOverdue, false, day(2026, 5, 1), "milestone overdue: m of a"},
			{ResponseOverdue, false, day(2026, 6, 1), "response overdue: a"},
			{DeadlinePassed, false, day(2026, 7, 1), "deadline passed"},
		}},
		{
			"accepted",
			Risk{Deadline: day(2026, 7, 1), Assessments: levels("moderate"), Acceptances: []Acceptance{{Decision: Approved, Expires: day(2026, 8, 30), Digest: rated("d", "moderate", now).Digest()}}},
			[]Breach{{AboveAppetite, true, day(2026, 1, 1), "above appetite: moderate"}},
		},
		{
			"accepted, soon over",
			Risk{Assessments: levels("low"), Acceptances: []Acceptance{{Decision: Approved, Expires: day(2026, 7, 3), Digest: rated("d", "low", now).Digest()}}},
			[]Breach{{AcceptanceExpires, true, day(2026, 7, 3), "acceptance expires in 1 day"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Breaches(tt.r, now)
			require.NoError(t, err)
			require.Equal(t, tt.want, got)
		})
	}
}

func TestCriteriaCheck(t *testing.T) {
	scale := Scale{testScale, []string{"low", "high"}}
	for _, tt := range []struct {
		name string
		c    Criteria
		want []string // pointers
	}{
		{"nothing", Criteria{}, nil},
		{"empty scale", Criteria{Scales: []Scale{{}}}, []string{"scales/0"}},
		{"twice", Criteria{Scales: []Scale{scale, scale}}, []string{"scales/1"}},
		{"levels", Criteria{Scales: []Scale{{testScale, []string{"a", "", "a"}}}}, []string{"scales/0/levels/1", "scales/0/levels/2"}},
		{
			"unknown levels, all of them",
			Criteria{Scales: []Scale{scale}, Appetites: []Appetite{{System: testScale, Appetite: "x", Tolerance: "y", Capacity: "z"}}},
			[]string{"appetites/0/appetite", "appetites/0/tolerance", "appetites/0/capacity"},
		},
		{"tolerance below appetite", Criteria{Scales: []Scale{scale}, Appetites: []Appetite{{System: testScale, Appetite: "high", Tolerance: "low"}}}, []string{"appetites/0"}},
		{"two appetites", Criteria{Scales: []Scale{scale}, Appetites: []Appetite{{System: testScale, Appetite: "high"}, {System: testScale, Appetite: "low"}}}, []string{"appetites/1"}},
		{"amount", Criteria{Appetites: []Appetite{{MeanLoss: math.NaN()}}}, []string{"appetites/0/meanLoss"}},
		{"curve", Criteria{Appetites: []Appetite{{Curve: []Tolerance{{1, 0.5}, {1, 0.6}, {math.Inf(1), 0}}}}}, []string{"appetites/0/curve/1", "appetites/0/curve/2"}},
		{"authority", Criteria{Scales: []Scale{scale}, Authorities: []Authority{{Who: "", System: testScale, Level: "low"}, {Who: "x", System: "other", Level: "low"}}}, []string{"authorities/0/who", "authorities/1/level"}},
		{"terms", Criteria{Scales: []Scale{scale}, Terms: []Term{{System: testScale, Level: "x"}, {Review: -1}}}, []string{"terms/0/level", "terms/1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.c.Check()
			if tt.want == nil {
				require.NoError(t, err)
				return
			}
			var ps Problems
			require.ErrorAs(t, err, &ps)
			var got []string
			for _, p := range ps {
				got = append(got, p.Pointer)
			}
			require.Equal(t, tt.want, got)
		})
	}
}
