package vendors_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/vendors"
)

func day(s string) vendors.Date {
	d, err := vendors.ParseDate(s)
	if err != nil {
		panic(err)
	}
	return d
}

var now = time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)

func portfolio() *vendors.Portfolio {
	return &vendors.Portfolio{
		Vendors: []vendors.Vendor{
			{ID: "paywell", LegalName: "Paywell Payments SE"},
			{ID: "northrack", LegalName: "Northrack Hosting AS"},
		},
		Engagements: []vendors.Engagement{{
			ID: "payments", Vendor: "paywell", Service: "Card payments", Supports: []string{"ordering"},
			Exposure: vendors.Exposure{
				Function: new(3), Data: "confidential", Records: new(int64(48_000)), Access: &vendors.Access{},
				Substitutability: "medium", Regulated: vendors.DataKinds{"CHD"},
			},
			Contract: "c-1", Status: vendors.Active, Requested: day("2025-12-01"),
			Subcontracts: []vendors.Subcontract{{Vendor: "northrack", Service: "Hosting"}},
		}},
		Contracts: []vendors.Contract{{
			ID: "c-1", Start: day("2026-01-01"), End: day("2026-12-31"), AutoRenew: true, Notice: vendors.Span{Amount: 3, Unit: vendors.Months},
			Clauses: []vendors.Clause{
				{Kind: "breach-notification", Within: &vendors.Span{Amount: 1, Unit: vendors.BusinessDays}},
				{Kind: "right-to-audit"},
				{Kind: "data-return"},
			},
		}},
		Assessments: []vendors.Assessment{{
			ID: "a-1", Engagement: "payments", Completed: day("2025-12-20"),
			Decision: vendors.DecisionApproved, Decided: day("2025-12-22"), By: "Alex", Expires: day("2026-12-31"),
		}},
		Duties: []vendors.Duty{{ID: "supervisor", Within: vendors.Span{Amount: 72, Unit: vendors.Hours}}},
	}
}

func Example() {
	p := portfolio()
	tiers, err := p.Tiers(nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for i, e := range p.Engagements {
		fmt.Println(e.Service, "-", tiers[i].Tier)
		for _, line := range tiers[i].Explain() {
			fmt.Println(" ", line)
		}
	}
	// Output:
	// Card payments - tier 2
	//   function 3: tier 2
	//   data confidential: tier 2
	//   records 48000: tier 2
	//   substitutability medium: tier 3
	//   regulated CHD: tier 2
	//   the most critical wins: tier 2 by function, data, records, regulated (issokit-vendor-tier-1)
}

func ExampleDefaultScheme() {
	// What is not known counts as the worst, unless it is left out.
	e := vendors.Exposure{Data: "internal"}
	for _, opts := range []*vendors.TierOptions{nil, {Unknown: vendors.LeftOut}} {
		t, err := vendors.DefaultScheme().Tier(e, opts)
		fmt.Println(t.Tier, len(t.Unknown), "not known", err)
	}
	_, err := vendors.DefaultScheme().Tier(vendors.Exposure{Data: "secret"}, nil)
	fmt.Println(err)
	// Output:
	// tier 1 8 not known <nil>
	// tier 3 8 not known <nil>
	// vendors: /data: not a valid value: expected one of none, public, internal, confidential, restricted, found "secret"
}

func ExampleReadScheme() {
	scheme, err := vendors.ReadScheme(strings.NewReader(`{
  "id": "acme-2", "tiers": [1, 2], "default": 2,
  "factors": [{"id": "data", "kind": "level", "values": {"open": 2, "secret": 1}}]
}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	t, err := scheme.Tier(vendors.Exposure{Data: "secret"}, nil)
	fmt.Println(t.Tier, t.Reasons, err)

	_, err = vendors.ReadScheme(strings.NewReader(`{
  "tiers": [1, 2], "default": 3,
  "factors": [{"id": "data", "kind": "level", "values": {"open": "low"}}]
}`))
	problems, _ := errors.AsType[vendors.Problems](err)
	for _, p := range problems {
		fmt.Println(p)
	}
	// Output:
	// tier 1 [{data secret tier 1}] <nil>
	// 2:31: /default: not a valid value: expected one of the tiers [tier 1 tier 2], found 3
	// 3:66: /factors/0/values/open: not a valid value: expected a whole number, found "low"
}

func ExampleTiering_Inherent() {
	t, err := vendors.DefaultScheme().Tier(vendors.Exposure{Data: "restricted"}, &vendors.TierOptions{Unknown: vendors.LeftOut})
	if err != nil {
		fmt.Println(err)
		return
	}
	inherent := t.Inherent()
	residual, err := vendors.Residual(inherent, new(18.0), []vendors.Issue{{ID: "i-1", Severity: vendors.High}})
	fmt.Println(inherent.Level, residual.Level, err)
	for _, line := range residual.Inputs {
		fmt.Println(" ", line)
	}
	// Output:
	// critical high <nil>
	//   inherent critical (issokit-vendor-tier-1)
	//   score 18 of 100: 2 levels lower
	//   worst open issue high
}

func ExampleDefaultCadence() {
	c := vendors.DefaultCadence()
	for _, t := range vendors.DefaultScheme().Tiers() {
		due, err := c.Next(t, day("2025-08-31"), now)
		fmt.Printf("%s every %q: %s %s %v\n", t, c[t].Every, due.Next, due.State, err)
	}
	// Output:
	// tier 1 every "6 months": 2026-02-28 overdue <nil>
	// tier 2 every "1 year": 2026-08-31 scheduled <nil>
	// tier 3 every "2 years": 2027-08-31 scheduled <nil>
	// tier 4 every "-": - DueState(0) <nil>
}

func ExampleReminders() {
	deadlines, err := portfolio().Deadlines(nil, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, d := range deadlines {
		fmt.Println(d.Due, d.Rule, d.Object)
	}
	// A run on 1 November after one on 1 September: what was missed comes now.
	fmt.Println("reminders:")
	for _, r := range vendors.Reminders(deadlines, []int{30, 0}, day("2026-09-01").In(time.UTC), day("2026-11-01").In(time.UTC)) {
		fmt.Println(vendors.DateOf(r.At), r.Days, "days before", r.Rule, r.Object)
	}
	// Output:
	// 2026-12-20 reassessment payments
	// 2026-12-31 contract-end c-1
	// 2026-09-30 contract-notice c-1
	// 2026-12-31 decision-expiry a-1
	// reminders:
	// 2026-09-30 0 days before contract-notice c-1
}

func ExampleClauseGaps() {
	p := portfolio()
	for _, g := range vendors.ClauseGaps(p.Contracts[0], vendors.DefaultCadence()[2], p.Duties, nil) {
		fmt.Println(g.Clause, g.Kind, g.Allowed)
	}
	// Output:
	// breach-notification too-slow 68h0m0s
	// exit missing 0s
}

func ExampleContract_NoticeBy() {
	c := portfolio().Contracts[0]
	for _, on := range []string{"2026-06-30", "2028-02-01"} {
		end, err := c.EndOn(day(on))
		if err != nil {
			fmt.Println(err)
			return
		}
		notice, err := c.NoticeBy(day(on))
		fmt.Println(end, notice, err)
	}
	// Output:
	// 2026-12-31 2026-09-30 <nil>
	// 2028-12-31 2028-09-30 <nil>
}

func ExampleDocument_Coverage() {
	d := vendors.Document{ID: "soc2", Type: "soc2-type2", PeriodStart: day("2025-04-01"), PeriodEnd: day("2026-03-31")}
	c, err := d.Coverage(day("2026-06-30"), vendors.Limits{})
	fmt.Println(c.State, *c.Bridge, "days", err)
	d.BridgedUntil = day("2026-06-15")
	c, err = d.Coverage(day("2026-06-30"), vendors.Limits{})
	fmt.Println(c.State, *c.Bridge, "days", err)
	// Output:
	// bridge-letter-needed 91 days <nil>
	// ok 91 days <nil>
}

func ExampleMove() {
	p := portfolio()
	e := p.Engagements[0]
	e.Status = vendors.Approved
	facts := p.Facts(e, vendors.DefaultCadence()[2], now)
	_, err := vendors.Move(e, vendors.Active, vendors.Actor{ID: "kim", Roles: []string{"requester"}}, facts)
	fmt.Println(err)

	p.Contracts[0].Waivers = []vendors.Waiver{
		{Clause: "breach-notification", Until: day("2026-09-30"), By: "Alex", Reason: "amendment under way"},
		{Clause: "exit", Until: day("2026-09-30"), By: "Alex", Reason: "amendment under way"},
	}
	facts = p.Facts(e, vendors.DefaultCadence()[2], now)
	e, err = vendors.Move(e, vendors.Active, vendors.Actor{ID: "sam", Roles: []string{"vendor-manager"}}, facts)
	fmt.Println(e.Status, err, e.Status.Next())
	// Output:
	// vendors: engagement payments: the move is not allowed: approved to active; needs the role vendor-manager; does not hold: required clauses present or gap accepted with expiry
	// active <nil> [suspended exiting]
}

func ExampleNewGraph() {
	p := portfolio()
	g, err := vendors.NewGraph("us", p.Edges("us"))
	if err != nil {
		fmt.Println(err)
		return
	}
	ranks := g.Ranks()
	for _, v := range slices.Sorted(maps.Keys(ranks)) {
		fmt.Println(v, ranks[v])
	}
	c, err := g.Concentration(map[string][]string{"ordering": {"paywell"}, "letters": {"northrack"}})
	fmt.Println(c.Shared, *c.HHI, err)
	// Output:
	// northrack 2
	// paywell 1
	// [northrack] 0.5 <nil>
}

func ExampleGraph_Cycles() {
	g, err := vendors.NewGraph("us", slices.Values([]vendors.Edge{
		{Customer: "us", Supplier: "c"}, {Customer: "c", Supplier: "a"}, {Customer: "a", Supplier: "b"}, {Customer: "b", Supplier: "c"},
	}))
	if err != nil {
		fmt.Println(err)
		return
	}
	cycles, more := g.Cycles(0)
	fmt.Println(cycles, more)
	// Output:
	// [[a b c]] false
}

func ExamplePortfolio_Check() {
	p := portfolio()
	p.Engagements[0].Vendor = "paywel"
	p.Contracts = append(p.Contracts, vendors.Contract{ID: "c-1", Start: day("2026-01-01")})
	problems, _ := errors.AsType[vendors.Problems](p.Check())
	for _, problem := range problems {
		fmt.Println(problem)
	}
	// Output:
	// /engagements/0/vendor (payments): dangling reference: there is no "paywel"
	// /contracts/1/id (c-1): duplicate: "c-1" is also the ID of item 0
}

func ExamplePortfolio_Measure() {
	m, err := portfolio().Measure("us", nil, now)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, t := range m.Tiers {
		fmt.Println(t.Tier, t.InUse, "in use,", t.Overdue, "overdue")
	}
	fmt.Println(*m.DaysToDecision, "days to a decision,", *m.ExitTested, "with a tested exit plan")
	fmt.Println(m.MissingDocuments)
	// Output:
	// tier 1 0 in use, 0 overdue
	// tier 2 1 in use, 0 overdue
	// tier 3 0 in use, 0 overdue
	// tier 4 0 in use, 0 overdue
	// 21 days to a decision, 0 with a tested exit plan
	// [payments soc2-type2]
}

func ExampleMoney_Add() {
	sum, err := vendors.Money{Minor: 1250, Currency: "EUR"}.Add(vendors.Money{Minor: 50, Currency: "EUR"})
	fmt.Println(sum, err)
	_, err = sum.Add(vendors.Money{Minor: 1, Currency: "USD"})
	fmt.Println(err)
	// Output:
	// 1300 minor units EUR <nil>
	// vendors: amounts of different currencies cannot be added: EUR and USD
}

func ExampleToOSCAL() {
	pr, err := vendors.ToOSCAL(portfolio(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range pr.Parties {
		fmt.Println("party", p.UUID, p.Name)
	}
	for _, c := range pr.Components {
		fmt.Println("component", c.UUID, c.Title, c.Status.State)
	}
	for _, p := range oscal.Items(pr.Components[0].Props) {
		fmt.Println(" ", p.Name, p.Class, p.Value)
	}
	// Output:
	// party 676820ca-fe38-5cfd-8802-8d742918a252 Paywell Payments SE
	// party 6552e540-2831-578c-b82f-1babeb281330 Northrack Hosting AS
	// component 05c7f697-044e-56a3-8d8e-8784f6cc3dc7 Card payments operational
	// component 673e1ae8-5a6a-5f38-930b-7809832a6c5d Hosting operational
	//   implementation-point  external
	//   id engagement payments
	//   state  active
	//   vendor-tier  2
	//   vendor-exposure function 3
	//   vendor-exposure data confidential
	//   vendor-exposure records 48000
	//   vendor-exposure access.network false
	//   vendor-exposure access.privileged false
	//   vendor-exposure access.physical false
	//   vendor-exposure access.sourceCode false
	//   vendor-exposure substitutability medium
	//   vendor-exposure regulated CHD
	//   supports  ordering
	//   requested  2025-12-01
	//   contract  c-1
	//   contract-start  2026-01-01
	//   contract-end  2026-12-31
}

func ExampleFromOSCAL() {
	pr, err := vendors.ToOSCAL(portfolio(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	var ssp oscal.SystemSecurityPlan
	pr.AddTo(&ssp)
	p, err := vendors.FromOSCAL(&ssp)
	if err != nil {
		fmt.Println(err)
		return
	}
	e := p.Engagements[0]
	fmt.Println(e.ID, e.Vendor, e.Status, *e.Exposure.Records, e.Exposure.Regulated, e.Subcontracts[0].Vendor)
	// Output:
	// payments paywell active 48000 [CHD] northrack
}
