package assessment_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/assessment/scan"
	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

func seq(records ...assessment.Record) func(func(assessment.Record, error) bool) {
	return func(yield func(assessment.Record, error) bool) {
		for _, r := range records {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// month assesses the records of one month and updates a plan of action.
func (h house) month(t *testing.T, previous *oscal.PlanOfActionAndMilestones, at time.Time, closeAbsent bool, records ...assessment.Record) *assessment.POAM {
	t.Helper()
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
	require.NoError(t, err)
	tool := assessment.Tool{Name: "Scanner"}
	for i := range records {
		records[i].Tool = tool
	}
	policy := assessment.FedRAMPRev5()
	res, err := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{{Tool: tool, Records: seq(records...), Collected: at}}, at, &assessment.AssessOptions{Policy: &policy})
	require.NoError(t, err)
	before := ""
	if previous != nil {
		before = written(t, previous)
	}
	poam, err := assessment.UpdatePOAM(previous, h.ssp, res.Document, at, &assessment.POAMOptions{Plan: plan, CloseAbsent: closeAbsent})
	require.NoError(t, err)
	if previous != nil {
		require.Equal(t, before, written(t, previous), "the plan of before is not changed")
	}
	checkReferences(t, h.baseline, written(t, poam.Document), written(t, h.ssp))
	return poam
}

func TestPOAMLife(t *testing.T) {
	h := sampleHouse(t)
	rec := func(rule string, s assessment.Severity, o assessment.Outcome) assessment.Record {
		return assessment.Record{Rule: assessment.Rule{ID: rule, Title: "Rule " + rule}, Title: "Rule " + rule, Severity: s, Outcome: o, Message: "found", Fix: "Repair it.", IDs: []string{"CVE-2024-1234"}, Controls: []string{"si-2"}}
	}
	day := func(month time.Month, d int) time.Time { return time.Date(2026, month, d, 8, 0, 0, 0, time.UTC) }
	fail, pass := assessment.OutcomeFail, assessment.OutcomePass

	jan := h.month(t, nil, day(1, 10), false, rec("A", assessment.High, fail), rec("B", assessment.Medium, fail), rec("C", assessment.Low, fail))
	require.Equal(t, []string{"POAM-0001", "POAM-0002", "POAM-0003"}, jan.Created)

	// B is seen passing, of C nothing is said.
	feb := h.month(t, jan.Document, day(2, 10), false, rec("A", assessment.Critical, fail), rec("B", assessment.Medium, pass))
	require.Equal(t, &assessment.POAM{Document: feb.Document, Kept: []string{"POAM-0001"}, Closed: []string{"POAM-0002"}, Absent: []string{"POAM-0003"}}, feb)

	// Absence closes where the tool ran again; an error leaves the item open.
	mar := h.month(t, feb.Document, day(3, 10), true, rec("A", assessment.Critical, assessment.OutcomeError))
	require.Equal(t, &assessment.POAM{Document: mar.Document, Kept: []string{"POAM-0001"}, Closed: []string{"POAM-0003"}}, mar)

	// B comes back: a new item.
	apr := h.month(t, mar.Document, day(4, 10), true, rec("A", assessment.Critical, fail), rec("B", assessment.Medium, fail))
	require.Equal(t, &assessment.POAM{Document: apr.Document, Kept: []string{"POAM-0001"}, Recurred: []string{"POAM-0004"}}, apr)

	// It is kept from then on, the closed one stays closed.
	may := h.month(t, apr.Document, day(5, 10), true, rec("A", assessment.Critical, fail), rec("B", assessment.Medium, fail))
	require.Equal(t, &assessment.POAM{Document: may.Document, Kept: []string{"POAM-0001", "POAM-0004"}}, may)

	items := assessment.POAMItems(may.Document)
	for i := range items {
		items[i].UUID = ""
	}
	date := func(s string) assessment.Date {
		d, err := assessment.ParseDate(s)
		require.NoError(t, err)
		return d
	}
	require.Equal(t, []assessment.Item{
		// The detection and the deadline of the first month, the severity of today.
		{Number: "POAM-0001", Title: "Rule A", Status: "open", Severity: assessment.Critical, FirstSeen: date("2026-01-10"), Due: date("2026-02-09"), Controls: []string{"si-2"}},
		{Number: "POAM-0002", Title: "Rule B", Status: "closed", Severity: assessment.Medium, FirstSeen: date("2026-01-10"), Due: date("2026-04-10"), Closed: date("2026-02-10"), Controls: []string{"si-2"}},
		{Number: "POAM-0003", Title: "Rule C", Status: "closed", Severity: assessment.Low, FirstSeen: date("2026-01-10"), Due: date("2026-07-09"), Closed: date("2026-03-10"), Controls: []string{"si-2"}},
		{Number: "POAM-0004", Title: "Rule B", Status: "open", Severity: assessment.Medium, FirstSeen: date("2026-04-10"), Due: date("2026-07-09"), Controls: []string{"si-2"}},
	}, items)
	require.Equal(t, assessment.Aging{Age: 120, Left: -90, Overdue: true}, items[0].Aging(date("2026-05-10")))
	require.Equal(t, assessment.Aging{Age: 31, Left: 59}, items[1].Aging(date("2026-05-10")))
	require.Equal(t, assessment.Aging{Age: 90, Left: 0}, items[3].Aging(date("2026-07-09")))

	second := may.Document.PoamItems[3]
	require.Equal(t, []oscal.Link{{Href: "#" + may.Document.PoamItems[1].UUID, Rel: "recurrence-of"}}, oscal.Items(second.Links))
	var log []string
	for _, e := range oscal.Items(may.Document.Risks)[0].RiskLog.Entries {
		log = append(log, e.Start.Format(time.DateOnly)+" "+e.Title)
	}
	require.Equal(t, []string{"2026-01-10 Opened", "2026-02-10 Severity changed from high to critical"}, log)
}

// TestPOAMScope: absence closes if the tool ran to its end, planned or not, also
// if it found nothing; a report that broke off closes nothing.
func TestPOAMScope(t *testing.T) {
	h := sampleHouse(t)
	rec := assessment.Record{Tool: assessment.Tool{Name: "Scanner"}, Rule: assessment.Rule{ID: "A"}, Title: "A", Severity: assessment.High, Outcome: assessment.OutcomeFail}
	first := h.month(t, nil, now, false, rec)
	other := assessment.Record{Tool: rec.Tool, Rule: assessment.Rule{ID: "B"}, Title: "B", Severity: assessment.High, Outcome: assessment.OutcomePass}
	broken := func(records ...assessment.Record) func(func(assessment.Record, error) bool) {
		return func(yield func(assessment.Record, error) bool) {
			for _, r := range records {
				if !yield(r, nil) {
					return
				}
			}
			yield(assessment.Record{}, context.Canceled)
		}
	}
	for _, tt := range []struct {
		name    string
		planned []assessment.Tool
		report  assessment.Report
		closes  bool
	}{
		{"nothing found", nil, assessment.Report{Tool: rec.Tool, Records: seq()}, true},
		{"nothing found, planned", []assessment.Tool{rec.Tool}, assessment.Report{Tool: rec.Tool, Records: seq()}, true},
		{"other things found", nil, assessment.Report{Records: seq(other)}, true},
		{"broke off", nil, assessment.Report{Records: broken(other)}, false},
		{"broke off at once", []assessment.Tool{rec.Tool}, assessment.Report{Tool: rec.Tool, Records: broken()}, false},
		{"planned, but not run", []assessment.Tool{rec.Tool}, assessment.Report{Tool: assessment.Tool{Name: "Other"}, Records: seq()}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			plan, err := assessment.NewPlan(h.baseline, h.ssp, now, &assessment.PlanOptions{Tools: tt.planned})
			require.NoError(t, err)
			res, _ := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{tt.report}, now, nil)
			checkReferences(t, h.baseline, written(t, res.Document), written(t, plan), written(t, h.ssp))
			poam, err := assessment.UpdatePOAM(first.Document, h.ssp, res.Document, now, &assessment.POAMOptions{Plan: plan, CloseAbsent: true})
			require.NoError(t, err)
			if tt.closes {
				require.Equal(t, []string{"POAM-0001"}, poam.Closed)
			} else {
				require.Equal(t, []string{"POAM-0001"}, poam.Absent)
			}
		})
	}
}

// TestPOAMDecisions: what people decided about a risk stays.
func TestPOAMDecisions(t *testing.T) {
	h := sampleHouse(t)
	rec := assessment.Record{Rule: assessment.Rule{ID: "A"}, Title: "A", Severity: assessment.High, Outcome: assessment.OutcomeFail}
	first := h.month(t, nil, now, false, rec)
	risks := oscal.Items(first.Document.Risks)
	risks[0].Status = "deviation-approved"
	again := h.month(t, first.Document, now.AddDate(0, 1, 0), true, rec)
	require.Equal(t, "deviation-approved", oscal.Items(again.Document.Risks)[0].Status)
	require.Equal(t, []string{"POAM-0001"}, again.Kept)
	gone := h.month(t, again.Document, now.AddDate(0, 2, 0), true)
	require.Equal(t, []string{"POAM-0001"}, gone.Closed, "a cause that is gone ends the acceptance")
	require.Equal(t, "closed", oscal.Items(gone.Document.Risks)[0].Status)

	suppressed := rec
	suppressed.Suppressed = true
	kept := h.month(t, first.Document, now.AddDate(0, 1, 0), true, suppressed)
	require.Equal(t, []string{"POAM-0001"}, kept.Kept, "a word to the tool closes nothing")
}

// TestPOAMIfa: the published results and plan of action of NIST's example
// system. The risk has another UUID in each; they share an observation
// (authorization/packages/facts.json).
func TestPOAMIfa(t *testing.T) {
	read := func(name string) []byte { return corpus.Read(t, "authorization/packages/nist-ifa/json", name) }
	ssp := view[oscal.SystemSecurityPlan](t, read("ifa_ssp-example.json"))
	plan := view[oscal.AssessmentPlan](t, read("ifa_assessment-plan-example.json"))
	doc, err := oscal.Read(bytes.NewReader(read("ifa_assessment-results-example.json")), nil)
	require.NoError(t, err)
	results, err := oscal.As[oscal.AssessmentResults](doc)
	require.ErrorIs(t, err, oscal.ErrLoss, "the Go types have no tasks in the local definitions of a result")
	previous := view[oscal.PlanOfActionAndMilestones](t, read("ifa_plan-of-action-and-milestones.json"))
	poam, err := assessment.UpdatePOAM(previous, ssp, results, now, &assessment.POAMOptions{Plan: plan})
	require.NoError(t, err)
	require.Empty(t, poam.Created)
	require.Equal(t, []string{"POAM-0002"}, poam.Kept)
	require.Equal(t, []string{"POAM-0001"}, poam.Absent)
	require.Len(t, oscal.Items(poam.Document.Risks), 2)
	require.Len(t, oscal.Items(poam.Document.Findings), 1)
	require.Equal(t, "1c65d2d3-7735-47fa-8f68-a236744beab7", oscal.Items(oscal.Items(poam.Document.Findings)[0].RelatedRisks)[0].RiskUuid)
	written(t, poam.Document)

	fresh, err := assessment.UpdatePOAM(nil, ssp, results, now, &assessment.POAMOptions{Plan: plan})
	require.NoError(t, err)
	require.Equal(t, []string{"POAM-0001"}, fresh.Created)
	written(t, fresh.Document)
}

// TestPOAMEmpty: no risk, no item; OSCAL does not know such a plan of action.
func TestPOAMEmpty(t *testing.T) {
	h := sampleHouse(t)
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
	require.NoError(t, err)
	res, err := assessment.Assess(h.baseline, h.ssp, plan, nil, now, nil)
	require.NoError(t, err)
	written(t, res.Document)
	poam, err := assessment.UpdatePOAM(nil, h.ssp, res.Document, now, nil)
	require.ErrorIs(t, err, assessment.ErrMissing)
	require.Empty(t, poam.Document.PoamItems)
}

// TestDelta: the sequences of the corpus that are about SARIF or plain records.
// A finding of theirs is an item of ours; what they call reactivated is a new
// item that refers to the closed one.
func TestDelta(t *testing.T) {
	type record struct {
		Title, Severity, File, Component, Version string
		Cwe, Line                                 int
		IDs                                       []string
	}
	var corpusCases struct {
		Cases []struct {
			ID, Format string
			Identity   []string
			Absent     int
			Steps      []struct {
				File        string
				Records     []record
				Scope       *string
				CloseAbsent *bool `json:"close_absent"`
				Expected    *struct{ Created, Closed, Reactivated, Untouched int }
			}
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "delta/cases.json"), &corpusCases))
	h := sampleHouse(t)
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
	require.NoError(t, err)
	n := 0
	for _, c := range corpusCases.Cases {
		if c.Format != "sarif" && c.Format != "records" {
			continue
		}
		n++
		t.Run(c.ID, func(t *testing.T) {
			// Of alternative identities the last one is that of the content.
			identity := c.Identity[slices.Index(c.Identity, "or")+1:]
			var previous *oscal.PlanOfActionAndMilestones
			var last *assessment.POAM
			for i, step := range c.Steps {
				tool := assessment.Tool{Name: "none"}
				if step.Scope != nil {
					tool.Name = *step.Scope
				}
				var records []assessment.Record
				for _, r := range step.Records {
					fields := map[string]string{
						"title": r.Title, "severity": r.Severity, "file": r.File, "component": r.Component, "version": r.Version,
						"cwe": fmt.Sprint(r.Cwe), "line": fmt.Sprint(r.Line), "vulnerability-ids": strings.Join(r.IDs, ","),
					}
					key := tool.Name
					for _, f := range identity {
						value, ok := fields[f]
						require.True(t, ok, f)
						key += "\x00" + value
					}
					severity := map[string]assessment.Severity{"High": assessment.High, "Medium": assessment.Medium, "Info": assessment.Low}[r.Severity]
					require.NotZero(t, severity, r.Severity)
					records = append(records, assessment.Record{Tool: tool, Title: r.Title, Rule: assessment.Rule{ID: key}, Outcome: assessment.OutcomeFail, Severity: severity, IDs: r.IDs})
				}
				report := assessment.Report{Tool: tool, Records: seq(records...)}
				if step.File != "" {
					report.Records = scan.Records(t.Context(), bytes.NewReader(corpus.Read(t, "delta", step.File)), nil)
				}
				at := now.AddDate(0, i, 0)
				res, err := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{report}, at, nil)
				require.NoError(t, err)
				last, err = assessment.UpdatePOAM(previous, h.ssp, res.Document, at, &assessment.POAMOptions{CloseAbsent: step.CloseAbsent == nil || *step.CloseAbsent})
				require.NoError(t, err)
				previous = last.Document
				if step.Expected != nil {
					require.Equal(t, *step.Expected, struct{ Created, Closed, Reactivated, Untouched int }{len(last.Created), len(last.Closed), len(last.Recurred), len(last.Kept)}, "step %d", i+1)
				}
			}
			if c.Absent > 0 {
				require.Len(t, last.Absent, c.Absent)
			}
		})
	}
	require.Equal(t, 7, n)
}
