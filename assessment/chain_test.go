package assessment_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/assessment/scan"
	"github.com/issokit/issokit/controls"
	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

var now = time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)

func sample(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("..", "examples", "authorization-package", "sample", name))
	require.NoError(tb, err)
	return data
}

func view[T any](tb testing.TB, data []byte) *T {
	tb.Helper()
	doc, err := oscal.Read(bytes.NewReader(data), nil)
	require.NoError(tb, err)
	v, err := oscal.As[T](doc)
	require.NoError(tb, err)
	return v
}

// written returns a document as bytes, after it was found valid.
func written(tb testing.TB, view any) string {
	tb.Helper()
	doc, err := oscal.FromView(view)
	require.NoError(tb, err)
	var b bytes.Buffer
	require.NoError(tb, doc.Write(&b, &oscal.WriteOptions{Format: oscal.JSON}))
	return b.String()
}

// A house is the sample system with its SSP.
type house struct {
	baseline *controls.Baseline
	ssp      *oscal.SystemSecurityPlan
}

func sampleHouse(tb testing.TB) house {
	tb.Helper()
	c, err := controls.NewCatalog(view[oscal.Catalog](tb, sample(tb, "catalog.json")), nil)
	require.NoError(tb, err)
	var ids []string
	for _, x := range c.Controls() {
		if x.ID() != "cm-2" {
			ids = append(ids, x.ID())
		}
	}
	b, err := controls.NewBaseline(c, &controls.BaselineOptions{Controls: ids})
	require.NoError(tb, err)
	var sys controls.System
	require.NoError(tb, yaml.Load(sample(tb, "system.yaml"), &sys))
	im, err := controls.Implement(b, sys, []*oscal.ComponentDefinition{
		view[oscal.ComponentDefinition](tb, sample(tb, "component-platform.json")),
		view[oscal.ComponentDefinition](tb, sample(tb, "component-application.json")),
	}, nil)
	require.NoError(tb, err)
	ssp, err := im.SSP("profile.json", now, nil)
	require.NoError(tb, err)
	return house{b, ssp}
}

// chain is all documents of one assessment.
type chain struct {
	plan    *oscal.AssessmentPlan
	results *assessment.Results
	poam    *assessment.POAM
}

func (h house) run(tb testing.TB, sarif []byte, opts *assessment.AssessOptions) chain {
	tb.Helper()
	var c chain
	var err error
	c.plan, err = assessment.NewPlan(h.baseline, h.ssp, now, &assessment.PlanOptions{
		Tools: []assessment.Tool{{Name: "SampleScan", Version: "3.2.0"}},
		Start: assessment.Date{Year: 2026, Month: 6, Day: 1}, End: assessment.Date{Year: 2026, Month: 6, Day: 30},
	})
	require.NoError(tb, err)
	e, err := assessment.Evidence{Title: "Scan report", Href: "scan.sarif", MediaType: "application/sarif+json", Method: assessment.Test, Collected: now}.Collect(new(bytes.Buffer), bytes.NewReader(sarif))
	require.NoError(tb, err)
	policy := assessment.FedRAMPRev5()
	o := assessment.AssessOptions{Policy: &policy}
	if opts != nil {
		o = *opts
	}
	c.results, err = assessment.Assess(h.baseline, h.ssp, c.plan, []assessment.Report{{
		Name: "scan.sarif", Evidence: &e, Records: scan.Records(context.Background(), bytes.NewReader(sarif), nil),
	}}, now, &o)
	require.NoError(tb, err)
	c.poam, err = assessment.UpdatePOAM(nil, h.ssp, c.results.Document, now, &assessment.POAMOptions{Plan: c.plan})
	require.NoError(tb, err)
	return c
}

// TestChain: from the sample's SSP and scan to a plan of action: every document
// is valid, every reference resolves, and a second run gives the same bytes.
func TestChain(t *testing.T) {
	h := sampleHouse(t)
	opts := &assessment.AssessOptions{
		Policy: new(assessment.FedRAMPRev5()),
		Mappings: []assessment.Mapping{
			{Match: "CWE-326", Targets: []string{"AC-3"}},
			{Match: "SS-204", Targets: []string{"si-3_smt"}},
		},
		Determinations: []assessment.Determination{
			{Target: "ac-1", Verdict: assessment.Satisfied, Method: assessment.Examine, Examiner: oscal.Items(h.ssp.Metadata.Parties)[0].UUID, Rationale: "The list of accounts has owners."},
			{Target: "ir-2_smt", Verdict: assessment.NotSatisfied, Severity: assessment.High, Method: assessment.Interview, Rationale: "Nobody knows the addresses."},
			{Target: "cm-1", Verdict: assessment.NotApplicable, Method: assessment.Examine, Rationale: "No changes."},
		},
	}
	c := h.run(t, sample(t, "scan.sarif"), opts)
	texts := []string{written(t, h.ssp), written(t, c.plan), written(t, c.results.Document), written(t, c.poam.Document)}
	checkReferences(t, h.baseline, texts[1], texts[0])
	checkReferences(t, h.baseline, texts[2], texts[1], texts[0])
	checkReferences(t, h.baseline, texts[3], texts[0])

	again := sampleHouse(t).run(t, sample(t, "scan.sarif"), opts)
	require.Equal(t, texts[1:], []string{written(t, again.plan), written(t, again.results.Document), written(t, again.poam.Document)})

	// The five results of the scan: four fail, one of them twice, once suppressed.
	res := c.results.Document.Results[0]
	require.Len(t, oscal.Items(res.Observations), 5+3)
	titles := map[string]string{}
	for _, r := range oscal.Items(res.Risks) {
		titles[r.Title] = r.Deadline.Format(time.DateOnly)
	}
	require.Equal(t, map[string]string{
		"Query built from input": "2026-07-30", "Old TLS version offered": "2026-09-28", "Error page shows internals": "2026-12-27",
		"Library with a known flaw": "2026-07-30", "Not satisfied: ir-2_smt": "2026-07-30",
	}, titles)
	states := map[string]string{}
	for _, f := range oscal.Items(res.Findings) {
		states[f.Target.TargetId] = f.Target.Status.State
	}
	for target, state := range map[string]string{
		"si-1_smt": "not-satisfied", "si-2_smt": "not-satisfied", "si-3_smt": "not-satisfied", "ac-3_smt": "not-satisfied",
		"ac-1_smt": "satisfied", "ir-2_smt": "not-satisfied",
	} {
		require.Equal(t, state, states[target], target)
	}
	require.NotContains(t, states, "cm-1_smt", "what does not apply has no finding")
	require.NotContains(t, states, "au-1_smt", "what is not assessed has no finding")
	require.Equal(t, []string{"POAM-0001", "POAM-0002", "POAM-0003", "POAM-0004", "POAM-0005"}, c.poam.Created)
	for _, node := range c.results.Controls {
		if node.ID == "si-2" {
			require.Equal(t, "- control si-2: not-satisfied\n"+
				"  - si-2 not-satisfied by TEST: rule SS-101, SS-310: 0 of 1 subjects passed, 1 failed, 0 checks in error, 0 undecided, 0 not applicable; 100 % must pass\n",
				node.Explain()[:strings.Index(node.Explain(), "  - statement")])
		}
	}
}

// TestChainModerate: the same for the whole MODERATE baseline, with a system that
// answers every control.
func TestChainModerate(t *testing.T) {
	h := moderateHouse(t)
	c := h.run(t, corpus.Read(t, "scan/sarif/snykcode_issue_9270.json"), &assessment.AssessOptions{
		Policy: new(assessment.DefectDojo()), Group: true,
		Mappings: []assessment.Mapping{{Match: "CWE-*", Targets: []string{"SI-10"}}, {Match: "javascript/*", Targets: []string{"SA-11 a"}}},
	})
	texts := []string{written(t, h.ssp), written(t, c.plan), written(t, c.results.Document), written(t, c.poam.Document)}
	checkReferences(t, h.baseline, texts[1], texts[0])
	checkReferences(t, h.baseline, texts[2], texts[1], texts[0])
	checkReferences(t, h.baseline, texts[3], texts[0])

	// corpus/controls/README.md: 816 method instances, 287 + 287 + 242; 1,303 leaf
	// objectives.
	methods := map[string]int{}
	for _, a := range oscal.Items(c.plan.LocalDefinitions.Activities) {
		methods[oscal.Items(a.Props)[0].Value]++
	}
	require.Equal(t, map[string]int{"EXAMINE": 287, "INTERVIEW": 287, "TEST": 242}, methods)
	require.Len(t, oscal.Items(oscal.Items(c.plan.ReviewedControls.ControlObjectiveSelections)[0].IncludeObjectives), 1303)
	require.Equal(t, 1303, c.results.Coverage.Applicable())
	require.Zero(t, c.results.Coverage.Assessed(), "a scanner that finds something wrong does not say which objective")
	require.Len(t, oscal.Items(c.results.Document.Results[0].Risks), 10, "rules-hit of the oracle")
	require.Len(t, oscal.Items(c.results.Document.Results[0].Observations), 10)
	var failed []string
	for _, f := range oscal.Items(c.results.Document.Results[0].Findings) {
		failed = append(failed, f.Target.TargetId)
	}
	require.Equal(t, []string{"sa-11_smt.a", "sa-11_smt", "si-10_smt"}, failed)
}

// moderateHouse is a system of three components on forty machines that answers
// every control of the MODERATE baseline.
func moderateHouse(tb testing.TB) house {
	tb.Helper()
	c, err := controls.NewCatalog(view[oscal.Catalog](tb, corpus.Read(tb, "controls/catalogs/NIST_SP-800-53_rev5_MODERATE-baseline-resolved-profile_catalog-min.json")), nil)
	require.NoError(tb, err)
	b, err := controls.NewBaseline(c, nil)
	require.NoError(tb, err)
	sys := controls.System{
		ID: "big", Name: "Big System", Description: "A system.", Boundary: "All of it.", Status: "operational", Sensitivity: "moderate",
		Information: []controls.Information{{ID: "i", Title: "Information", Description: "Some.", Impact: controls.Impact{Confidentiality: "moderate", Integrity: "moderate", Availability: "moderate"}}},
		Impact:      controls.Impact{Confidentiality: "moderate", Integrity: "moderate", Availability: "moderate"},
		Users:       []controls.User{{ID: "u", Title: "Users"}},
	}
	for _, id := range []string{"web", "database", "identity"} {
		sys.Components = append(sys.Components, controls.Component{ID: id, Type: "software", Title: id, Description: "The " + id + "."})
	}
	for i := range 40 {
		sys.Inventory = append(sys.Inventory, controls.Asset{ID: fmt.Sprintf("host-%d", i), Description: "A machine.", Components: []string{"web"}})
	}
	for i, x := range b.Controls() {
		sys.Requirements = append(sys.Requirements, controls.Requirement{Control: x.ID(), Component: []string{"web", "database", "identity"}[i%3], Description: "Done.", Status: controls.Implemented})
	}
	im, err := controls.Implement(b, sys, nil, nil)
	require.NoError(tb, err)
	ssp, err := im.SSP("profile.json", now, nil)
	require.NoError(tb, err)
	return house{b, ssp}
}

// checkReferences looks at every UUID and id to which a document refers: it must
// be in that document or in one that it imports, or in the catalog.
func checkReferences(tb testing.TB, b *controls.Baseline, text string, imported ...string) {
	tb.Helper()
	have := map[string]bool{}
	roles := map[string]bool{}
	twice := map[string]int{}
	var collect func(v any, own bool)
	collect = func(v any, own bool) {
		switch v := v.(type) {
		case map[string]any:
			if id, ok := v["uuid"].(string); ok {
				have[id] = true
				if own {
					twice[id]++
				}
			}
			for key, x := range v {
				if key == "roles" {
					for _, r := range x.([]any) {
						if id, ok := r.(map[string]any)["id"].(string); ok {
							roles[id] = true
						}
					}
				}
				collect(x, own)
			}
		case []any:
			for _, x := range v {
				collect(x, own)
			}
		}
	}
	var root any
	require.NoError(tb, json.Unmarshal([]byte(text), &root))
	collect(root, true)
	for id, n := range twice {
		require.Equal(tb, 1, n, "uuid %s stands twice", id)
	}
	for _, other := range imported {
		var doc any
		require.NoError(tb, json.Unmarshal([]byte(other), &doc))
		collect(doc, false)
	}
	n := 0
	ref := func(key string, value any) {
		id, ok := value.(string)
		if !ok {
			return
		}
		n++
		switch key {
		case "control-id":
			require.NotNil(tb, b.Catalog().Control(id), id)
		case "statement-id", "statement-ids":
			require.NotNil(tb, b.Catalog().Statement(id), id)
		case "objective-id":
			require.NotNil(tb, b.Catalog().Objective(id), id)
		case "target-id":
			require.True(tb, b.Catalog().Statement(id) != nil || b.Catalog().Objective(id) != nil, id)
		case "role-id":
			require.True(tb, roles[id], id)
		case "href":
			if id, ok := strings.CutPrefix(id, "#"); ok {
				require.True(tb, have[id], "href %s", id)
			}
		default:
			if strings.HasSuffix(key, "-uuid") || strings.HasSuffix(key, "-uuids") {
				require.True(tb, have[id], "%s %s", key, id)
			}
		}
	}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, x := range v {
				ref(key, x)
				if list, ok := x.([]any); ok && (key == "statement-ids" || strings.HasSuffix(key, "-uuids")) {
					for _, y := range list {
						ref(key, y)
					}
				}
				walk(x)
			}
		case []any:
			for _, x := range v {
				walk(x)
			}
		}
	}
	walk(root)
	require.Greater(tb, n, 10)
}

// TestPlanSampling: only a sample of the forty machines is looked at, another
// one for each control, with all that is needed to draw it again.
func TestPlanSampling(t *testing.T) {
	h := moderateHouse(t)
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, &assessment.PlanOptions{
		Controls: []string{"ac-1", "ac-3", "nonsense"}, Methods: []assessment.Method{assessment.Test, assessment.Examine},
		Sampling: assessment.Sampling{Deviations: 4, Confidence: 0.95}, Seed: []byte("2026"),
		Frequency: func(c *controls.Control) assessment.Frequency {
			if c.ID() == "ac-3" {
				return assessment.Frequency{Period: 1, Unit: "months"}
			}
			return assessment.Frequency{}
		},
	})
	require.ErrorIs(t, err, assessment.ErrUnknown)
	written(t, plan)
	var titles []string
	var samples []string
	for _, task := range oscal.Items(plan.Tasks) {
		titles = append(titles, task.Title)
		for _, a := range oscal.Items(task.AssociatedActivities) {
			for _, s := range a.Subjects {
				if s.Type == "inventory-item" {
					samples = append(samples, fmt.Sprint(len(oscal.Items(s.IncludeSubjects)), " ", oscal.Items(s.Props)[0].Value[:60]))
				}
			}
		}
	}
	require.Equal(t, []string{"Assess Access Control", "Assess Access Control, every month", "Report the results"}, titles)
	size, err := assessment.Sampling{Deviations: 4, Confidence: 0.95}.Size(40)
	require.NoError(t, err)
	require.Equal(t, slices.Repeat([]string{fmt.Sprintf("%d %d of 40 (rule: finds one of 4 deviations with confidence 0.95", size, size)[:len(fmt.Sprint(size))+61]}, 1), slices.Compact(samples))
}

// TestAssessProblems: what refers to nothing is listed, in order, and the rest is
// done.
func TestAssessProblems(t *testing.T) {
	h := sampleHouse(t)
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
	require.NoError(t, err)
	one := func(yield func(assessment.Record, error) bool) {
		_ = yield(assessment.Record{Rule: assessment.Rule{ID: "R"}, Outcome: assessment.OutcomeFail, Severity: assessment.High, Controls: []string{"zz-9", "??", "si-2"}}, nil) &&
			yield(assessment.Record{}, context.Canceled)
	}
	res, err := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{{Name: "broken", Records: one, Subject: "nobody"}}, now, &assessment.AssessOptions{
		Mappings: []assessment.Mapping{{Match: "R", Targets: []string{"cm-2", "ac-1"}}},
		Determinations: []assessment.Determination{
			{Target: "ac-99", Verdict: assessment.Satisfied}, {Target: "AC-1 z", Verdict: assessment.Satisfied}, {Target: "ac-1"}, {Target: "ac-1", Verdict: assessment.Satisfied, Examiner: "nobody"},
		},
	})
	ps, ok := err.(assessment.Problems)
	require.True(t, ok)
	var at []string
	for _, p := range ps {
		at = append(at, p.At)
	}
	require.Equal(t, []string{
		"mapping 0 (R)", "broken", `broken, record 1 (rule "R")`, `broken, record 1 (rule "R")`, "broken", "determination 1", "determination 2", "determination 3", "determination 4",
	}, at)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorIs(t, err, controls.ErrUnknown)
	require.ErrorIs(t, err, assessment.ErrMissing)
	written(t, res.Document)
	require.Len(t, oscal.Items(res.Document.Results[0].Risks), 1)
}
