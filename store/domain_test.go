package store_test

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/controls"
	"github.com/issokit/issokit/internal/strictyaml"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/risk"
	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/memory"
	"github.com/issokit/issokit/vendors"
)

// The interfaces of the domain packages, which do not know this one.
var (
	_ risk.Store       = (*store.Collection[risk.Risk])(nil)
	_ vendors.Store    = (*store.Collection[vendors.Engagement])(nil)
	_ controls.Store   = (*store.Collection[controls.System])(nil)
	_ assessment.Store = (*store.Collection[oscal.PlanOfActionAndMilestones])(nil)
)

// TestSystemsAndPlans keeps a system and a plan of action: what comes out is what
// went in, times and all.
func TestSystemsAndPlans(t *testing.T) {
	s := store.New(memory.New(nil), nil).Scope(store.Principal{Tenant: "t", Actor: "p"})
	text, err := os.ReadFile("../examples/authorization-package/sample/system.yaml")
	require.NoError(t, err)
	var sys controls.System
	_, problems := strictyaml.Decode(text, &sys)
	require.Empty(t, problems)
	systems := store.NewCollection(s, "systems", func(s controls.System) string { return s.ID }, nil)
	revision, err := systems.Swap(t.Context(), sys, 0)
	require.NoError(t, err)
	got, err := systems.Get(t.Context(), sys.ID)
	require.NoError(t, err)
	require.Equal(t, sys, got)
	_, err = systems.Swap(t.Context(), sys, revision+1)
	require.ErrorIs(t, err, store.ErrConflict)

	plan := oscal.PlanOfActionAndMilestones{
		UUID:      oscal.UUID("poam", "x"),
		Metadata:  oscal.Metadata{Title: "Plan", LastModified: time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC), Version: "1", OscalVersion: oscal.ModelVersion},
		PoamItems: []oscal.PoamItem{{UUID: oscal.UUID("item", "1"), Title: "Item", Description: "What is to be done."}},
	}
	plans := store.NewCollection(s, "plans", func(p oscal.PlanOfActionAndMilestones) string { return p.UUID }, nil)
	_, err = plans.Swap(t.Context(), plan, 0)
	require.NoError(t, err)
	back, err := plans.Get(t.Context(), plan.UUID)
	require.NoError(t, err)
	require.Equal(t, plan, back)
}
