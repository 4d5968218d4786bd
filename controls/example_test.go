package controls_test

import (
	"fmt"
	"time"

	"github.com/issokit/issokit/controls"
	"github.com/issokit/issokit/oscal"
)

const catalogText = `{"catalog": {
  "uuid": "7a63a8e5-26f9-4b3d-8f39-1f5a0c5b1c8e",
  "metadata": {"title": "Example Controls", "last-modified": "2026-01-01T00:00:00Z", "version": "1", "oscal-version": "1.2.2"},
  "groups": [{"id": "ac", "title": "Access", "controls": [
    {"id": "ac-1", "title": "Accounts", "props": [{"name": "label", "value": "AC-1"}],
     "params": [{"id": "ac-1_prm_1", "label": "review interval"}],
     "parts": [
       {"id": "ac-1_smt", "name": "statement", "parts": [
         {"id": "ac-1_smt.a", "name": "item", "props": [{"name": "label", "value": "a."}], "prose": "Name an owner for every account."},
         {"id": "ac-1_smt.b", "name": "item", "props": [{"name": "label", "value": "b."}], "prose": "Review all accounts every {{ insert: param, ac-1_prm_1 }}."}]},
       {"id": "ac-1_obj.a", "name": "assessment-objective", "prose": "every account has an owner", "links": [{"href": "#ac-1_smt.a", "rel": "assessment-for"}]},
       {"id": "ac-1_obj.b", "name": "assessment-objective", "prose": "all accounts are reviewed", "links": [{"href": "#ac-1_smt.b", "rel": "assessment-for"}]},
       {"id": "ac-1_asm-examine", "name": "assessment-method", "props": [{"name": "method", "ns": "http://csrc.nist.gov/ns/rmf", "value": "EXAMINE"}],
        "parts": [{"name": "assessment-objects", "prose": "List of accounts\n\nrecords of reviews"}]}]},
    {"id": "ac-2", "title": "Signing In", "props": [{"name": "label", "value": "AC-2"}],
     "parts": [{"id": "ac-2_smt", "name": "statement", "prose": "Ask for a second factor."}]}
  ]}]
}}`

const definitionText = `{"component-definition": {
  "uuid": "de99ecc1-db8e-5cc4-a3b9-301b447a3474",
  "metadata": {"title": "Components", "last-modified": "2026-01-01T00:00:00Z", "version": "1", "oscal-version": "1.2.2"},
  "components": [{"uuid": "3f1d22e7-c63b-51bb-8ab2-27146c431fff", "type": "service", "title": "Identity Service", "description": "Signs people in.",
    "control-implementations": [{"uuid": "2e5bb097-d66f-5a1a-8ddd-ee326c462b90", "source": "profile.json", "description": "For the example.",
      "implemented-requirements": [{"uuid": "be6e0323-e388-5250-aed1-c28747d7846c", "control-id": "ac-1", "description": "Accounts live here.",
        "statements": [{"uuid": "1aac8ba7-abbb-586c-9283-f261728034a7", "statement-id": "ac-1_smt.a", "description": "The owner field must be filled.",
          "props": [{"name": "implementation-status", "value": "implemented"}]}]}]}]}]
}}`

func exampleView[T any](text string) *T {
	doc, err := oscal.Parse(text, nil)
	if err != nil {
		panic(err)
	}
	view, err := oscal.As[T](doc)
	if err != nil {
		panic(err)
	}
	return view
}

func exampleBaseline() *controls.Baseline {
	catalog, err := controls.NewCatalog(exampleView[oscal.Catalog](catalogText), nil)
	if err != nil {
		panic(err)
	}
	baseline, err := controls.NewBaseline(catalog, nil)
	if err != nil {
		panic(err)
	}
	return baseline
}

func ExampleNewCatalog() {
	catalog, err := controls.NewCatalog(exampleView[oscal.Catalog](catalogText), &controls.CatalogOptions{Name: "catalog.json"})
	if err != nil {
		fmt.Println(err) // all problems, each with its JSON Pointer
		return
	}
	for _, c := range catalog.Controls() {
		fmt.Println(c.Label(), c.Title(), "- family", c.Family().Title())
		for _, o := range c.Leaves() {
			fmt.Println("  determine:", o.ID(), "for", o.Statement().ID())
		}
		for _, m := range c.Methods() {
			fmt.Println(" ", m.Kind(), m.Objects())
		}
	}
	// Output:
	// AC-1 Accounts - family Access
	//   determine: ac-1_obj.a for ac-1_smt.a
	//   determine: ac-1_obj.b for ac-1_smt.b
	//   EXAMINE [List of accounts records of reviews]
	// AC-2 Signing In - family Access
	//   determine: ac-2_smt for ac-2_smt
}

func ExampleCatalog_Find() {
	catalog := exampleBaseline().Catalog()
	for _, text := range []string{"ac-1_smt.b", "AC-01 (b)", "AC-1b.", "AC-1 c", "AC-9"} {
		target, err := catalog.Find(text)
		fmt.Println(target.ID(), target.Exact, err)
	}
	// Output:
	// ac-1_smt.b true <nil>
	// ac-1_smt.b true <nil>
	// ac-1_smt.b true <nil>
	// ac-1 false <nil>
	//  false control "ac-9" of reference "AC-9" is not known
}

func ExampleCatalog_Prose() {
	catalog := exampleBaseline().Catalog()
	text, _ := catalog.Prose(catalog.Statement("ac-1_smt.b").Prose(), nil)
	fmt.Println(text)
	text, _ = catalog.Prose(catalog.Statement("ac-1_smt.b").Prose(), &controls.ProseOptions{
		Values: func(*controls.Param) []string { return []string{"three months"} },
		Render: func(_ *controls.Param, text string, set bool) string { return "<b>" + text + "</b>" },
	})
	fmt.Println(text)
	// Output:
	// Review all accounts every [Assignment: review interval].
	// Review all accounts every <b>three months</b>.
}

func ExampleParseReference() {
	for _, text := range []string{"AC-2 (1)(a)", "AC-02a.[01]", "ac-2.1_smt.a", "AC-1 a 1 (a)"} {
		r, err := controls.ParseReference(text)
		fmt.Println(r.Control, r.Items, r.Determination, err)
	}
	// Output:
	// ac-2.1 [a]  <nil>
	// ac-2 [a] 1 <nil>
	// ac-2.1 [a]  <nil>
	// ac-1 [a 1 a]  <nil>
}

func ExampleNewBaseline() {
	baseline, err := controls.NewBaseline(exampleBaseline().Catalog(), &controls.BaselineOptions{Controls: []string{"ac-1"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, s := range baseline.Statements() {
		fmt.Println(s.ID(), "needs an answer")
	}
	// Output:
	// ac-1_smt.a needs an answer
	// ac-1_smt.b needs an answer
}

func exampleSystem() controls.System {
	return controls.System{
		ID: "portal", Name: "Portal", Description: "Customers order goods.", Boundary: "The portal and its identity service.", Status: "operational",
		Information: []controls.Information{{ID: "orders", Title: "Orders", Description: "Names and orders.", Impact: controls.Impact{Confidentiality: "moderate", Integrity: "moderate", Availability: "low"}}},
		Components:  []controls.Component{{ID: "identity", Definition: "3f1d22e7-c63b-51bb-8ab2-27146c431fff"}},
		Parameters:  []oscal.SetParameter{{ParamId: "ac-1_prm_1", Values: []string{"three months"}}},
		Requirements: []controls.Requirement{
			{Control: "AC-1", Statement: "AC-1 b", Description: "Owners confirm their accounts.", Status: controls.Planned, Responsibility: controls.Organization},
		},
	}
}

func ExampleImplement() {
	im, err := controls.Implement(exampleBaseline(), exampleSystem(), []*oscal.ComponentDefinition{exampleView[oscal.ComponentDefinition](definitionText)}, nil)
	if err != nil {
		fmt.Println(err) // all problems, each with where it is
		return
	}
	for _, r := range im.Requirements() {
		fmt.Printf("%s %s by %s: %v\n", r.Control, r.Statement, r.Component, r.Status)
	}
	fmt.Println("AC-1:", im.Status("ac-1"))
	total, _ := im.Coverage()
	fmt.Println(total.Statements)
	fmt.Println(total.ByStatus)
	// Output:
	// ac-1  by identity: unspecified
	// ac-1 ac-1_smt.a by identity: implemented
	// ac-1 ac-1_smt.b by this-system: planned
	// AC-1: partial
	// statements implemented / applicable: 1/3
	// [{implemented 0} {partial 1} {planned 0} {alternative 0} {not-applicable 0} {unspecified 1}]
}

func ExampleImplementation_SSP() {
	im, err := controls.Implement(exampleBaseline(), exampleSystem(), []*oscal.ComponentDefinition{exampleView[oscal.ComponentDefinition](definitionText)}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := im.SSP("profile.json", time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := oscal.FromView(plan); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(plan.Metadata.Title)
	for _, c := range plan.SystemImplementation.Components {
		fmt.Println(c.Type, c.Title)
	}
	for _, ir := range plan.ControlImplementation.ImplementedRequirements {
		fmt.Println(ir.ControlId, len(oscal.Items(ir.ByComponents)), len(oscal.Items(ir.Statements)))
	}
	// Output:
	// Portal System Security Plan
	// this-system Portal
	// service Identity Service
	// ac-1 1 2
	// ac-2 1 0
}

func ExampleFromSSP() {
	im, err := controls.Implement(exampleBaseline(), exampleSystem(), []*oscal.ComponentDefinition{exampleView[oscal.ComponentDefinition](definitionText)}, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := im.SSP("profile.json", time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	back, err := controls.FromSSP(exampleBaseline(), plan, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(back.System().ID, back.Status("ac-1_smt.b"), back.Responsibility("ac-1"))
	text, _ := back.Prose(back.Baseline().Catalog().Statement("ac-1_smt.b").Prose(), nil)
	fmt.Println(text)
	// Output:
	// portal planned organization
	// Review all accounts every three months.
}
