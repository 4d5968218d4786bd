package assessment_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/assessment/scan"
	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/constraint"
)

// conforms finds nothing wrong with a document by the constraints of OSCAL, not
// even a hint.
func conforms(t *testing.T, view any) {
	t.Helper()
	doc, err := oscal.Read(strings.NewReader(written(t, view)), nil)
	require.NoError(t, err)
	report, err := constraint.Validate(t.Context(), doc, nil)
	require.NoError(t, err)
	require.Empty(t, report.Findings, "%T", view)
	require.Empty(t, report.Notices, "%T", view)
}

// noMarkup: the document has the text, and nothing in it is a link, an insert, a
// heading or emphasis.
func noMarkup(t *testing.T, view any, has ...string) {
	t.Helper()
	doc, err := oscal.FromView(view)
	require.NoError(t, err)
	var all strings.Builder
	for n := range doc.Root().Walk() {
		m := n.Markup()
		if m == nil {
			continue
		}
		all.WriteString(m.Plain(nil) + "\n")
		for c := range m.Walk() {
			if c.Kind == oscal.MarkupCode && n.Name() == "remarks" && strings.HasPrefix(c.Text, `"`) {
				continue // how a value was written
			}
			switch c.Kind {
			case oscal.MarkupLink, oscal.MarkupInsert, oscal.MarkupHeading, oscal.MarkupEmphasis, oscal.MarkupStrong, oscal.MarkupImage, oscal.MarkupCode, oscal.MarkupTable, oscal.MarkupRule:
				t.Errorf("%T %s: %s %q", view, n.Pointer(), c.Kind, m.Plain(nil))
			}
		}
	}
	for _, text := range has {
		require.Contains(t, all.String(), text, "%T", view)
	}
	require.NotContains(t, all.String()+written(t, view), "\x1b")
}

// hostile is a text that is markup in all ways, and more.
const hostile = "# Approved\n**Field.__init__** `code` <a href=\"javascript:x\">here</a> ![i](http://x) [a](b) {{ insert: param, ac-1_prm_1 }} &#35;\n\n1. one\n---\n| a |\n| - |\x1b[31m\x00\a"

// TestHostileText: what tools and people write stays text in all documents.
func TestHostileText(t *testing.T) {
	h := sampleHouse(t)
	tool := assessment.Tool{Name: "*T*\nool", Version: "1\n2"}
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, &assessment.PlanOptions{Tools: []assessment.Tool{tool, {}}})
	require.NoError(t, err)
	rec := assessment.Record{
		Tool: tool, Rule: assessment.Rule{ID: "go\nx  *y*", Title: hostile, Description: hostile, Help: "javascript:alert(1)", Tags: []string{hostile}},
		Title: hostile, Message: hostile, Fix: hostile, Outcome: assessment.OutcomeFail, RawOutcome: hostile, RawSeverity: hostile,
		Severity: assessment.High, Subject: assessment.Subject{ID: hostile}, Locations: []assessment.Location{{URI: hostile, Line: 1}},
		IDs: []string{"CVE-2024-1 \"x", hostile}, Fingerprints: []assessment.Fingerprint{{Name: hostile, Value: hostile}}, Controls: []string{"si-2"},
	}
	suppressed, bare := rec, assessment.Record{Outcome: assessment.OutcomeFail, Severity: assessment.Low}
	suppressed.Suppressed, suppressed.Suppression, suppressed.Message = true, hostile, "other"
	run := assessment.Record{Run: true, Tool: tool, Outcome: assessment.OutcomeError, Message: hostile}
	evidence := &assessment.Evidence{Title: hostile, Href: "a report.sarif", MediaType: "text/x\ny", Collector: hostile, SHA256: strings.Repeat("a", 64)}
	res, err := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{{Records: seq(rec, suppressed, bare, run, run), Evidence: evidence}}, now, &assessment.AssessOptions{
		Determinations: []assessment.Determination{
			{Target: "ac-1", Verdict: assessment.NotSatisfied, Rationale: hostile, Evidence: []assessment.Evidence{{Title: hostile, Href: "b", Collector: "x"}}},
			{Target: "ir-2_smt", Verdict: assessment.Satisfied, Rationale: hostile},
		},
		Mappings: []assessment.Mapping{{Match: "go*", Targets: []string{"AC-3"}}},
	})
	require.NoError(t, err)
	poam, err := assessment.UpdatePOAM(nil, h.ssp, res.Document, now, &assessment.POAMOptions{
		Plan: plan, Milestones: func(*oscal.Risk, assessment.Date) []assessment.Milestone {
			return []assessment.Milestone{{Title: hostile, Description: hostile, End: assessment.DateOf(now)}}
		},
	})
	require.NoError(t, err)
	const text = `**Field.__init__** ` + "`code`" + ` <a href="javascript:x">here</a> ![i](http://x) [a](b) {{ insert: param, ac-1_prm_1 }} &#35;`
	for _, view := range []any{res.Document, poam.Document} {
		noMarkup(t, view, "# Approved\n"+text, `Written as "go\nx  *y*"`, "*T* ool")
		conforms(t, view)
	}
	noMarkup(t, plan, `Written as "*T*\nool"`, "unnamed tool")
	conforms(t, plan)
	noMarkup(t, res.Document, "The rule refers to javascript:alert(1)")
	require.NotContains(t, written(t, res.Document), `"href": "javascript`)
	require.True(t, strings.HasPrefix(assessment.POAMItems(poam.Document)[0].Title, "# Approved "+text), "titles for people are plain")
}

// TestHostileScan: the same by way of a report, whose warnings say where.
func TestHostileScan(t *testing.T) {
	h := sampleHouse(t)
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
	require.NoError(t, err)
	q := strconv.Quote(hostile)
	q = strings.NewReplacer(`\x1b`, `\u001b`, `\x00`, `\u0000`, `\a`, `\u0007`).Replace(q)
	log := `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "", "rules": [{"id": "a\nb", "shortDescription": {"text": ` + q + `}, "helpUri": ` + q + `}]}},
"results": [{"ruleId": "a\nb", "message": {"text": "[super](1) ` + q[1:] + `}, "suppressions": []}]}]}`
	var warnings []string
	res, err := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{{Records: scan.Records(context.Background(), strings.NewReader(log), &scan.Options{
		Name: "evil.sarif", Warn: func(e *scan.Error) { warnings = append(warnings, e.Error()) },
	})}}, now, nil)
	require.NoError(t, err)
	noMarkup(t, res.Document, "super # Approved\n", `Written as "a\nb"`)
	conforms(t, res.Document)
	all := strings.Join(warnings, "\n")
	for _, want := range []string{"evil.sarif:1:81: ", `the tool has no name`, `found "a\nb"`, "evil.sarif:2:", "/runs/0/results/0/ruleId)", "U+001B, U+0000, U+0007"} {
		require.Contains(t, all, want)
	}
}

// TestCorpusConforms: the documents made of all SARIF reports of the corpus, and
// of that of the sample, meet all constraints of OSCAL.
func TestCorpusConforms(t *testing.T) {
	h := sampleHouse(t)
	reports := map[string][]byte{"sample": sample(t, "scan.sarif")}
	files, err := os.ReadDir(corpus.Path(t, "scan", "sarif"))
	require.NoError(t, err)
	for _, f := range files {
		if e := filepath.Ext(f.Name()); e == ".sarif" || e == ".json" {
			reports[f.Name()] = corpus.Read(t, "scan", "sarif", f.Name())
		}
	}
	require.Greater(t, len(reports), 20)
	for name, data := range reports {
		t.Run(name, func(t *testing.T) {
			evidence, err := assessment.Evidence{Title: name, Href: name}.Collect(new(bytes.Buffer), bytes.NewReader(data))
			require.NoError(t, err)
			var tools []assessment.Tool
			for rec := range scan.Records(t.Context(), bytes.NewReader(data), nil) {
				if rec.Tool.Name != "" && len(tools) == 0 {
					tools = append(tools, rec.Tool)
				}
			}
			plan, err := assessment.NewPlan(h.baseline, h.ssp, now, &assessment.PlanOptions{Tools: tools})
			require.NoError(t, err)
			conforms(t, plan)
			policy := assessment.FedRAMPRev5()
			policy.EffectiveFrom = assessment.Date{}
			res, _ := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{{
				Name: name, Evidence: &evidence, Records: scan.Records(t.Context(), bytes.NewReader(data), &scan.Options{Name: name}),
			}}, now, &assessment.AssessOptions{Policy: &policy, Group: len(data) > 200_000})
			conforms(t, res.Document)
			poam, err := assessment.UpdatePOAM(nil, h.ssp, res.Document, now, &assessment.POAMOptions{Plan: plan})
			if len(poam.Document.PoamItems) > 0 {
				require.NoError(t, err)
				conforms(t, poam.Document)
			}
		})
	}
}

// TestFuture: nothing is found after the assessment.
func TestFuture(t *testing.T) {
	h := sampleHouse(t)
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
	require.NoError(t, err)
	rec := func(rule string, at time.Time) assessment.Record {
		return assessment.Record{Tool: assessment.Tool{Name: "T"}, Rule: assessment.Rule{ID: rule}, Outcome: assessment.OutcomeFail, Severity: assessment.High, Time: at}
	}
	later, tonight := now.AddDate(5, 0, 0), now.Add(3*time.Hour)
	res, err := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{
		{Name: "one", Records: seq(rec("A", later), rec("B", later), rec("C", tonight))},
		{Name: "two", Tool: assessment.Tool{Name: "U"}, Collected: later},
	}, now, &assessment.AssessOptions{Determinations: []assessment.Determination{
		{Target: "ac-1", Verdict: assessment.NotSatisfied, Date: later}, {Target: "ir-2", Verdict: assessment.Satisfied, Date: later},
	}})
	ps, ok := err.(assessment.Problems)
	require.True(t, ok)
	var at []string
	for _, p := range ps {
		require.ErrorIs(t, p, assessment.ErrRange)
		at = append(at, p.At)
	}
	require.Equal(t, []string{`one, record 1 (rule "A")`, "two", "determination 1", "determination 2"}, at, "each time once for each input")
	require.ErrorContains(t, ps[0], "the time 2031-06-30T12:00:00Z is out of range: it is after that of the assessment, 2026-06-30T12:00:00Z")
	r := res.Document.Results[0]
	for _, o := range oscal.Items(r.Observations) {
		require.False(t, o.Collected.After(tonight), o.Title)
	}
	require.Equal(t, tonight, *r.End)
	for _, c := range res.Causes {
		require.Equal(t, assessment.DateOf(now), assessment.DateOf(c.FirstSeen))
	}
}

// TestSameName: two reports of one name are told apart by place, or digest.
func TestSameName(t *testing.T) {
	h := sampleHouse(t)
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
	require.NoError(t, err)
	evidence := func(href, content string) *assessment.Evidence {
		e, err := assessment.Evidence{Title: "scan.sarif", Href: href}.Collect(new(bytes.Buffer), strings.NewReader(content))
		require.NoError(t, err)
		return &e
	}
	var reports []assessment.Report
	for i, e := range []*assessment.Evidence{evidence("a/scan.sarif", "1"), evidence("b/scan.sarif", "1"), evidence("scan.sarif", "1"), evidence("scan.sarif", "2"), evidence("scan.sarif", "2")} {
		rec := assessment.Record{Tool: assessment.Tool{Name: "T"}, Rule: assessment.Rule{ID: fmt.Sprint(i)}, Outcome: assessment.OutcomeFail, Severity: assessment.Low}
		reports = append(reports, assessment.Report{Records: seq(rec), Evidence: e})
	}
	res, err := assessment.Assess(h.baseline, h.ssp, plan, reports, now, nil)
	require.NoError(t, err)
	var titles []string
	for _, r := range oscal.Items(res.Document.BackMatter.Resources) {
		titles = append(titles, r.Title)
	}
	require.Equal(t, []string{ // SHA-256 of "1" and "2"
		"scan.sarif (a/scan.sarif)", "scan.sarif (b/scan.sarif)", "scan.sarif (SHA-256 6b86b273ff34)", "scan.sarif (SHA-256 d4735e3a265e)",
	}, titles)
	require.Equal(t, titles[3], oscal.Items(oscal.Items(res.Document.Results[0].Observations)[4].RelevantEvidence)[0].Description)

	// Month after month the report has one name.
	var previous *oscal.PlanOfActionAndMilestones
	for i, e := range []*assessment.Evidence{evidence("scan.sarif", "1"), evidence("scan.sarif", "2")} {
		reports[i].Evidence = e
		res, err := assessment.Assess(h.baseline, h.ssp, plan, reports[i:i+1], now, nil)
		require.NoError(t, err)
		poam, err := assessment.UpdatePOAM(previous, h.ssp, res.Document, now, nil)
		require.NoError(t, err)
		previous = poam.Document
	}
	titles = nil
	for _, r := range oscal.Items(previous.BackMatter.Resources) {
		titles = append(titles, r.Title)
	}
	require.Equal(t, []string{"scan.sarif", "scan.sarif (SHA-256 d4735e3a265e)"}, titles)
}

// TestRescan: what a clean run of the tool, or of a newer version, does not show
// any more is absent, and closed on demand; a run that failed closes nothing.
func TestRescan(t *testing.T) {
	h := sampleHouse(t)
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
	require.NoError(t, err)
	update := func(t *testing.T, previous *oscal.PlanOfActionAndMilestones, version, run string, closeAbsent bool) (*assessment.POAM, *oscal.AssessmentResults) {
		log := `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "T_ool_", "version": "` + version + `"}}, ` + run + `}]}`
		res, err := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{{Records: scan.Records(t.Context(), strings.NewReader(log), nil)}}, now, nil)
		require.NoError(t, err)
		poam, err := assessment.UpdatePOAM(previous, h.ssp, res.Document, now, &assessment.POAMOptions{Plan: plan, CloseAbsent: closeAbsent})
		require.NoError(t, err)
		conforms(t, res.Document)
		conforms(t, poam.Document)
		checkReferences(t, h.baseline, written(t, poam.Document), written(t, h.ssp))
		return poam, res.Document
	}
	first, _ := update(t, nil, "1", `"results": [{"ruleId": "A", "level": "error"}]`, false)
	require.Equal(t, []string{"POAM-0001"}, first.Created)
	one := []string{"POAM-0001"}
	const failed = `"invocations": [{"executionSuccessful": false, "exitCodeDescription": "out of *memory*"}]`
	tests := []struct {
		name, version, run   string
		closeAbsent          bool
		absent, closed, kept []string
		says                 string
	}{
		{"clean", "1", `"results": []`, false, one, nil, nil, "The tool ran and reported nothing."},
		{"clean, and absence closes", "1", `"results": []`, true, nil, one, nil, "The tool ran and reported nothing."},
		{"newer version", "2", `"results": []`, true, nil, one, nil, "The tool ran and reported nothing."},
		{"another rule", "1", `"results": [{"ruleId": "B", "kind": "pass"}]`, true, nil, one, nil, ""},
		{"failed", "1", `"results": [], ` + failed, true, one, nil, nil, `The tool says that its run failed: out of \*memory\*`},
		{"failed behind results", "1", `"results": [{"ruleId": "B", "kind": "pass"}], ` + failed, true, one, nil, nil, ""},
		{"passes in a run that failed", "1", `"results": [{"ruleId": "A", "kind": "pass"}], ` + failed, true, nil, nil, one, ""},
		{"passes", "1", `"results": [{"ruleId": "A", "kind": "pass"}]`, false, nil, one, nil, ""},
		{"did not look", "1", `"results": null`, true, one, nil, nil, "none"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			poam, results := update(t, first.Document, tt.version, tt.run, tt.closeAbsent)
			require.Equal(t, &assessment.POAM{Document: poam.Document, Absent: tt.absent, Closed: tt.closed, Kept: tt.kept}, poam)
			switch tt.says {
			case "":
			case "none":
				require.Empty(t, oscal.Items(results.Results[0].Observations))
			default:
				require.Equal(t, tt.says, oscal.Items(results.Results[0].Observations)[0].Description)
			}
		})
	}
}
