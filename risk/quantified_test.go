package risk

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/risk/fair"
)

// TestQuantified: every number of the loss is the engine's, and only another model
// makes another assessment.
func TestQuantified(t *testing.T) {
	at := time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)
	run := func(rate float64, seed uint64, years int64) (*fair.Result, Assessment) {
		d, err := fair.Constant(rate)
		require.NoError(t, err)
		f, err := fair.Poisson(d)
		require.NoError(t, err)
		loss, err := fair.LognormalInterval(1e3, 1e5, 0.9)
		require.NoError(t, err)
		p := fair.Portfolio{Scenarios: []fair.Scenario{{ID: "a", Frequency: fair.LossEvents(f), Losses: []fair.Loss{fair.PrimaryLoss(fair.Response, loss)}}}}
		r, err := fair.Simulate(context.Background(), p, &fair.Options{Years: years, Seed: seed})
		require.NoError(t, err)
		digest, err := p.Digest(context.Background())
		require.NoError(t, err)
		return r, Quantified(Residual, r, "CHF", digest, at, Actor{ID: "x"})
	}
	r, a := run(0.2, 9, 1000)
	require.Equal(t, []any{Residual, SystemFAIR, at, []Actor{{ID: "x"}}}, []any{a.Stage, a.System, a.At, a.Origins})
	require.Equal(t, []any{"CHF", Estimate(r.Mean()), 1000, uint64(9)}, []any{a.Loss.Currency, a.Loss.Mean, a.Loss.Years, a.Loss.Seed})
	require.Equal(t, Quantile{0.995, Estimate(r.VaR(0.995))}, a.Loss.VaR[4])
	require.Equal(t, math.Inf(1), Quantified(Residual, shortRun(t), "CHF", "", at).Loss.VaR[4].Value.Hi, "too few years for a bound")
	require.Equal(t, Quantile{0.9, Estimate(r.TVaR(0.9))}, a.Loss.TVaR[0])
	points := slices.Collect(r.Curve(0))
	require.Len(t, a.Loss.Curve, len(points))
	for i, p := range points {
		require.Equal(t, Exceedance{p.Loss, Estimate(p.Exceed)}, a.Loss.Curve[i])
	}

	_, again := run(0.2, 10, 5000)
	require.NotEqual(t, a.Loss, again.Loss)
	require.Equal(t, a.Digest(), again.Digest(), "another run of the same model")
	_, other := run(0.21, 9, 1000)
	require.NotEqual(t, a.Digest(), other.Digest(), "another model")
	a.Basis, again.Basis = "", ""
	require.NotEqual(t, a.Digest(), again.Digest(), "without a basis the numbers stand for it")
}

func shortRun(t *testing.T) *fair.Result {
	d, err := fair.Constant(1)
	require.NoError(t, err)
	f, err := fair.Poisson(d)
	require.NoError(t, err)
	r, err := fair.Simulate(context.Background(), fair.Portfolio{Scenarios: []fair.Scenario{{ID: "a", Frequency: fair.LossEvents(f), Losses: []fair.Loss{fair.PrimaryLoss(fair.Response, d)}}}}, &fair.Options{Years: 100})
	require.NoError(t, err)
	return r
}

// TestLossFacetsOfOthers: facets in FAIR's system that are no part of a loss of ours
// stay facets, and invent no loss.
func TestLossFacetsOfOthers(t *testing.T) {
	r := Risk{ID: "r", Title: "t", Description: "d", Statement: "s", State: Analysed, Assessments: []Assessment{{
		Stage: Current, System: "https://example.org/scale", Level: "high", Origins: []Actor{{ID: "x"}},
		Facets: []Facet{{System: SystemFAIR, Name: "lef", Value: "0.3"}, {System: SystemFAIR, Name: "seed", Value: "of doubt"}},
	}}}
	x, err := ToOSCAL(r, nil)
	require.NoError(t, err)
	back, err := FromOSCAL(x)
	require.NoError(t, err)
	require.Equal(t, r.Assessments[0].Facets, back.Assessments[0].Facets)
	require.Nil(t, back.Assessments[0].Loss)
	require.Equal(t, r.Assessments[0].Digest(), back.Assessments[0].Digest())
}
