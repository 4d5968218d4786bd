package store_test

import (
	"context"
	"fmt"
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

// The stores of the domains are collections; each has the methods that its package
// asks for.
func Example_domains() {
	ctx := context.Background()
	scope := open()
	risks := store.NewCollection(scope, "risks", risk.Risk.Key, nil)                                                    // risk.Store
	engagements := store.NewCollection(scope, "engagements", vendors.Engagement.Key, nil)                               // vendors.Store
	systems := store.NewCollection(scope, "systems", func(s controls.System) string { return s.ID }, nil)               // controls.Store
	plans := store.NewCollection(scope, "plans", func(p oscal.PlanOfActionAndMilestones) string { return p.UUID }, nil) // assessment.Store

	// One commit for what belongs together.
	err := scope.Update(ctx, func(tx *store.Tx) error {
		if _, err := risks.In(tx).Swap(ctx, risk.Risk{ID: "R-1", Title: "Phishing", State: risk.Identified}, 0); err != nil {
			return err
		}
		if _, err := engagements.In(tx).Swap(ctx, vendors.Engagement{ID: "E-1"}, 0); err != nil {
			return err
		}
		if _, err := systems.In(tx).Swap(ctx, controls.System{ID: "S-1"}, 0); err != nil {
			return err
		}
		_, err := plans.In(tx).Swap(ctx, oscal.PlanOfActionAndMilestones{UUID: oscal.UUID("plan", "S-1")}, 0)
		return err
	})
	fmt.Println(err)

	// A domain package works on its store, and knows no other.
	r, revision, err := risk.Update(ctx, risks, "R-1", 1, risk.Event{Kind: risk.Review, By: "p.meyer"}, risk.Criteria{}, epoch)
	fmt.Println(r.State, revision, err)
	for e := range scope.Trail(ctx, 0, 0) {
		fmt.Println(e.Seq, e.Action, e.Collection, e.Revision)
	}
	// Output:
	// <nil>
	// identified 2 <nil>
	// 1 put risks 1
	// 2 put engagements 1
	// 3 put systems 1
	// 4 put plans 1
	// 5 put risks 2
}
