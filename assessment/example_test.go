package assessment_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/controls"
	"github.com/issokit/issokit/oscal"
)

// exampleSystem is a catalog of one control, and a system that meets it.
func exampleSystem() (*controls.Baseline, *oscal.SystemSecurityPlan, error) {
	objective := func(id, statement, prose string) oscal.Part {
		return oscal.Part{ID: id, Name: "assessment-objective", Prose: prose, Links: oscal.List(oscal.Link{Rel: "assessment-for", Href: "#" + statement})}
	}
	method := func(kind, objects string) oscal.Part {
		return oscal.Part{
			ID: "si-10_asm-" + strings.ToLower(kind), Name: "assessment-method",
			Props: oscal.List(oscal.Property{Name: "method", Ns: "http://csrc.nist.gov/ns/rmf", Value: kind}),
			Parts: oscal.List(oscal.Part{Name: "assessment-objects", Prose: objects}),
		}
	}
	catalog, err := controls.NewCatalog(&oscal.Catalog{
		UUID: oscal.UUID("catalog", "example"),
		Groups: oscal.List(oscal.Group{ID: "si", Title: "System Integrity", Controls: oscal.List(oscal.Control{
			ID: "si-10", Title: "Input Validation",
			Props: oscal.List(oscal.Property{Name: "label", Value: "SI-10"}),
			Parts: oscal.List(
				oscal.Part{ID: "si-10_smt", Name: "statement", Parts: oscal.List(
					oscal.Part{ID: "si-10_smt.a", Name: "item", Prose: "Check input.", Props: oscal.List(oscal.Property{Name: "label", Value: "a."})},
					oscal.Part{ID: "si-10_smt.b", Name: "item", Prose: "Log what is refused.", Props: oscal.List(oscal.Property{Name: "label", Value: "b."})},
				)},
				objective("si-10_obj.a", "si-10_smt.a", "input is checked"),
				objective("si-10_obj.b", "si-10_smt.b", "what is refused is logged"),
				method("EXAMINE", "design of the input checks"),
				method("TEST", "the input checks\n\nthe log"),
			),
		})}),
	}, nil)
	if err != nil {
		return nil, nil, err
	}
	baseline, err := controls.NewBaseline(catalog, nil)
	if err != nil {
		return nil, nil, err
	}
	im, err := controls.Implement(baseline, controls.System{
		ID: "shop", Name: "Shop", Description: "A shop.", Boundary: "All of it.", Status: "operational",
		Information:  []controls.Information{{ID: "orders", Title: "Orders", Description: "Orders."}},
		Components:   []controls.Component{{ID: "web", Type: "software", Title: "web", Description: "The pages."}},
		Users:        []controls.User{{ID: "customers", Title: "Customers"}},
		Requirements: []controls.Requirement{{Control: "si-10", Component: "web", Description: "A filter checks all input.", Status: controls.Implemented}},
	}, nil, nil)
	if err != nil {
		return nil, nil, err
	}
	ssp, err := im.SSP("profile.json", exampleNow, nil)
	return baseline, ssp, err
}

var exampleNow = time.Date(2026, 6, 30, 9, 0, 0, 0, time.UTC)

func ExampleNewPlan() {
	baseline, ssp, err := exampleSystem()
	if err != nil {
		fmt.Println(err)
		return
	}
	plan, err := assessment.NewPlan(baseline, ssp, exampleNow, &assessment.PlanOptions{
		Tools: []assessment.Tool{{Name: "Scanner", Version: "2.1"}},
		Start: assessment.Date{Year: 2026, Month: 7, Day: 1},
		End:   assessment.Date{Year: 2026, Month: 7, Day: 31},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, a := range oscal.Items(plan.LocalDefinitions.Activities) {
		fmt.Println(a.Title)
		for _, s := range oscal.Items(a.Steps) {
			fmt.Println("  -", s.Description)
		}
	}
	for _, t := range oscal.Items(plan.Tasks) {
		fmt.Println(t.Type+":", t.Title)
	}
	// Output:
	// Examine SI-10 Input Validation
	//   - design of the input checks
	// Test SI-10 Input Validation
	//   - the input checks
	//   - the log
	// action: Assess System Integrity
	// milestone: Report the results
}

// exampleResults assesses the example system: a scanner finds a weakness, and
// an examiner is satisfied with the logs.
func exampleResults(outcome assessment.Outcome, at time.Time) (*oscal.SystemSecurityPlan, *assessment.Results, error) {
	baseline, ssp, err := exampleSystem()
	if err != nil {
		return nil, nil, err
	}
	plan, err := assessment.NewPlan(baseline, ssp, exampleNow, nil)
	if err != nil {
		return nil, nil, err
	}
	scanner := assessment.Tool{Name: "Scanner", Version: "2.1"}
	report := assessment.Report{Tool: scanner, Collected: at, Records: func(yield func(assessment.Record, error) bool) {
		yield(assessment.Record{
			Tool: scanner, Rule: assessment.Rule{ID: "sql-injection", Title: "Query built from input"},
			Title: "Query built from input", Message: "The order number is put into the query.",
			Subject: assessment.Subject{Kind: "component", ID: "web"}, IDs: []string{"CWE-89"},
			Outcome: outcome, Severity: assessment.High,
		}, nil)
	}}
	policy := assessment.FedRAMPRev5()
	results, err := assessment.Assess(baseline, ssp, plan, []assessment.Report{report}, at, &assessment.AssessOptions{
		Mappings: []assessment.Mapping{{Match: "CWE-89", Targets: []string{"SI-10 a"}, Decides: true}},
		Determinations: []assessment.Determination{{
			Target: "si-10_obj.b", Verdict: assessment.Satisfied, Method: assessment.Examine, Rationale: "The log of May holds the refused input.",
		}},
		Policy: &policy,
	})
	return ssp, results, err
}

func ExampleAssess() {
	_, results, err := exampleResults(assessment.OutcomeFail, exampleNow)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range oscal.Items(results.Document.Results[0].Findings) {
		fmt.Println(f.Target.Type, f.Target.TargetId, f.Target.Status.State)
	}
	for _, r := range oscal.Items(results.Document.Results[0].Risks) {
		fmt.Println("risk:", r.Title, "until", r.Deadline.Format(time.DateOnly))
		fmt.Println(r.Statement)
	}
	fmt.Println(results.Coverage)
	// Output:
	// statement-id si-10_smt.a not-satisfied
	// objective-id si-10_obj.b satisfied
	// statement-id si-10_smt not-satisfied
	// risk: Query built from input until 2026-07-30
	// Scanner reports sql-injection with severity high at 1 place (CWE-89): web.
	// 1 of 2 applicable assessed (1 satisfied, 0 not satisfied; 1 not assessed, 0 in error; 0 not applicable are left out)
}

func ExampleNode_Explain() {
	_, results, err := exampleResults(assessment.OutcomeFail, exampleNow)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(results.Controls[0].Explain())
	// Output:
	// - control si-10: not-satisfied
	//   - statement si-10_smt: not-satisfied
	//     - statement si-10_smt.a: not-satisfied
	//       - si-10_smt.a not-satisfied by TEST: rule sql-injection: 0 of 1 subjects passed, 1 failed, 0 checks in error, 0 undecided, 0 not applicable; 100 % must pass
	//       - objective si-10_obj.a: not-assessed
	//     - statement si-10_smt.b: satisfied
	//       - objective si-10_obj.b: satisfied
	//         - si-10_obj.b satisfied by EXAMINE: The log of May holds the refused input.
}

func ExampleUpdatePOAM() {
	var poam *assessment.POAM
	var previous *oscal.PlanOfActionAndMilestones
	// The weakness is found in June, gone in July, and back in August.
	for i, outcome := range []assessment.Outcome{assessment.OutcomeFail, assessment.OutcomePass, assessment.OutcomeFail} {
		at := exampleNow.AddDate(0, i, 0)
		ssp, results, err := exampleResults(outcome, at)
		if err != nil {
			fmt.Println(err)
			return
		}
		if poam, err = assessment.UpdatePOAM(previous, ssp, results.Document, at, nil); err != nil {
			fmt.Println(err)
			return
		}
		previous = poam.Document
		fmt.Println(at.Format(time.DateOnly), "created", poam.Created, "closed", poam.Closed, "recurred", poam.Recurred)
	}
	// Output:
	// 2026-06-30 created [POAM-0001] closed [] recurred []
	// 2026-07-30 created [] closed [POAM-0001] recurred []
	// 2026-08-30 created [] closed [] recurred [POAM-0002]
}

func ExamplePOAMItems() {
	ssp, results, err := exampleResults(assessment.OutcomeFail, exampleNow)
	if err != nil {
		fmt.Println(err)
		return
	}
	poam, err := assessment.UpdatePOAM(nil, ssp, results.Document, exampleNow, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, item := range assessment.POAMItems(poam.Document) {
		for _, today := range []assessment.Date{item.Due, item.Due.AddDays(1)} {
			fmt.Println(item.Number, item.Severity, item.Status, "due", item.Due, "on", today, "overdue:", item.Aging(today).Overdue)
		}
	}
	// Output:
	// POAM-0001 high open due 2026-07-30 on 2026-07-30 overdue: false
	// POAM-0001 high open due 2026-07-30 on 2026-07-31 overdue: true
}

func ExampleRollUp() {
	baseline, _, err := exampleSystem()
	if err != nil {
		fmt.Println(err)
		return
	}
	n := assessment.RollUp(baseline.Catalog().Control("si-10"), []assessment.Determination{
		{Target: "si-10_obj.a", Verdict: assessment.Satisfied},
		{Target: "si-10_obj.b", Verdict: assessment.NotApplicable},
	}, exampleNow)
	fmt.Println(n.Verdict, n.Find("si-10_smt.b").Verdict)
	var c assessment.Coverage
	c.Add(n)
	fmt.Println(c.Assessed(), "of", c.Applicable())
	// Output:
	// satisfied not-applicable
	// 1 of 1
}

func ExampleCombine() {
	fmt.Println(assessment.Combine(assessment.Satisfied, assessment.NotApplicable))
	fmt.Println(assessment.Combine(assessment.Satisfied, assessment.Error))
	fmt.Println(assessment.Combine(assessment.NotAssessed, assessment.NotSatisfied))
	// Output:
	// satisfied
	// not-assessed
	// not-satisfied
}

func ExampleMapping_Decide() {
	m := assessment.Mapping{Match: "tls-*", Targets: []string{"sc-8"}, Decides: true, Subjects: []string{"web-1", "web-2"}}
	records := []assessment.Record{{Subject: assessment.Subject{ID: "web-1"}, Outcome: assessment.OutcomePass}}
	fmt.Println(m.Decide(records))
	records = append(records, assessment.Record{Subject: assessment.Subject{ID: "web-2"}, Outcome: assessment.OutcomePass})
	fmt.Println(m.Decide(records))
	// Output:
	// not-assessed 1 of 2 subjects passed, 0 failed, 0 checks in error, 1 undecided, 0 not applicable; 100 % must pass
	// satisfied 2 of 2 subjects passed, 0 failed, 0 checks in error, 0 undecided, 0 not applicable; 100 % must pass
}

func ExampleSampling_Select() {
	hosts := []string{"web-1", "web-2", "web-3", "db-1", "db-2"}
	s, err := assessment.Sampling{Percent: 40}.Select(hosts, []byte("seed of 2026"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Selected, s)
	next, err := s.Replace(s.Selected[0], "switched off")
	fmt.Println(next, err)
	// Output:
	// [web-3 db-2] 2 of 5 (rule: 40 %; seed: 73656564206f662032303236)
	// web-2 <nil>
}

func ExampleSampling_Size() {
	// How many of 200 accounts must be looked at, to find with 95 % confidence at
	// least one that is wrong, if ten are?
	fmt.Println(assessment.Sampling{Deviations: 10, Confidence: 0.95}.Size(200))
	// Output: 51 <nil>
}

func ExampleFrequency_Occurrences() {
	start := time.Date(2026, 1, 31, 9, 0, 0, 0, time.UTC)
	n := 0
	for t := range (assessment.Frequency{Period: 1, Unit: "months"}).Occurrences(start) {
		fmt.Println(t.Format(time.DateTime))
		if n++; n == 3 {
			break
		}
	}
	// Output:
	// 2026-01-31 09:00:00
	// 2026-02-28 09:00:00
	// 2026-03-31 09:00:00
}

func ExampleParseFrequency() {
	f, err := assessment.ParseFrequency("1 years")
	last, today := assessment.Date{Year: 2025, Month: 6, Day: 30}, assessment.Date{Year: 2026, Month: 6, Day: 30}
	fmt.Println(f, err, f.IsDue(last, today), f.IsDue(last, today.AddDays(1)))
	// Output: 1 years <nil> false true
}

func ExampleFedRAMPRev5() {
	p := assessment.FedRAMPRev5()
	detected := assessment.Date{Year: 2026, Month: 1, Day: 15}
	severity, err := p.Severity("Moderate")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(p.Due(detected, severity))
	fmt.Println(p.Explain(detected, severity))
	// Output:
	// 2026-04-15 true <nil>
	// detected 2026-01-15 + 90 days for moderate (policy fedramp-rev5 2025-11-17) = due 2026-04-15
}

func ExampleDefectDojo() {
	fmt.Println(assessment.DefectDojo().Explain(assessment.Date{Year: 2026, Month: 1, Day: 15}, assessment.Critical))
	// Output: detected 2026-01-15 + 7 days for critical (policy defectdojo 1) = due 2026-01-22
}

func ExamplePolicy() {
	own := assessment.Policy{
		ID: "house", Version: "2026-01", EffectiveFrom: assessment.Date{Year: 2026, Month: 1, Day: 1},
		Terms: []assessment.Term{{Severity: assessment.Critical, Days: 3}, {Severity: assessment.High, Days: 14}},
	}
	fmt.Println(own.Due(assessment.Date{Year: 2026, Month: 6, Day: 30}, assessment.High))
	fmt.Println(own.Due(assessment.Date{Year: 2026, Month: 6, Day: 30}, assessment.Low))
	// Output:
	// 2026-07-14 true <nil>
	//  false <nil>
}

func ExampleAge() {
	day := func(d int) assessment.Date { return assessment.Date{Year: 2026, Month: 6, Day: d} }
	fmt.Printf("%+v\n", assessment.Age(day(1), day(10), assessment.Date{}, day(12)))
	fmt.Printf("%+v\n", assessment.Age(day(1), day(10), day(8), day(12)))
	// Output:
	// {Age:11 Left:-2 Overdue:true}
	// {Age:7 Left:2 Overdue:false}
}

func ExampleEvidence_Collect() {
	e := assessment.Evidence{Title: "Log of May", Href: "evidence/may.log", MediaType: "text/plain"}
	e, err := e.Collect(io.Discard, strings.NewReader("refused: 3\n")) // the writer would keep it
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(e.Size, e.SHA256[:16])
	fmt.Println(errors.Is(e.Verify(strings.NewReader("refused: 2\n")), assessment.ErrChanged))
	// Output:
	// 11 1a560b9dececc3ac
	// true
}

func ExampleParseDate() {
	d, err := assessment.ParseDate("2026-01-31")
	fmt.Println(d.AddMonths(1), d.AddDays(1), err)
	_, err = assessment.ParseDate("31.1.2026")
	fmt.Println(err)
	// Output:
	// 2026-02-28 2026-02-01 <nil>
	// assessment: "31.1.2026" is not a value of a date (2006-01-02)
}

func ExampleDateOf() {
	t := time.Date(2026, 6, 30, 23, 30, 0, 0, time.UTC)
	fmt.Println(assessment.DateOf(t), assessment.DateOf(t.In(time.FixedZone("", 2*3600))))
	// Output: 2026-06-30 2026-07-01
}

func ExampleSeverityOf() {
	fmt.Println(assessment.SeverityOf(9.8), assessment.SeverityOf(6.9), assessment.SeverityOf(0), assessment.SeverityOf(11))
	// Output: critical medium informational unspecified
}
