package assessment_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/oscal"
)

// TestAssessSubjects: a record finds what of the SSP it is about by title, by the
// id of an asset, by what the report says, and else is about the system.
func TestAssessSubjects(t *testing.T) {
	h := moderateHouse(t)
	items := oscal.Items(h.ssp.SystemImplementation.InventoryItems)
	items[3].Props = oscal.Append(items[3].Props, oscal.Property{Name: "fqdn", Value: "three.example.org"})
	components := map[string]string{}
	for _, c := range h.ssp.SystemImplementation.Components {
		components[c.Title] = c.UUID
	}
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
	require.NoError(t, err)
	rec := func(subject string) assessment.Record {
		return assessment.Record{Rule: assessment.Rule{ID: "R"}, Subject: assessment.Subject{ID: subject}, Outcome: assessment.OutcomeFail, Severity: assessment.Low}
	}
	res, err := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{
		{Records: seq(rec("Database"), rec("THREE.example.org"), rec("src/a.go"), rec(""))},
		{Records: seq(rec("src/a.go"), rec("")), Subject: items[7].UUID},
	}, now, nil)
	require.NoError(t, err)
	var self string
	for _, c := range h.ssp.SystemImplementation.Components {
		if c.Type == "this-system" {
			self = c.UUID
		}
	}
	require.NotEmpty(t, self)
	var got [][2]string
	for _, o := range oscal.Items(res.Document.Results[0].Observations) {
		s := oscal.Items(o.Subjects)[0]
		got = append(got, [2]string{s.Type, s.SubjectUuid})
	}
	require.Equal(t, [][2]string{
		{"component", components["database"]},
		{"inventory-item", items[3].UUID},
		{"component", self},
		{"component", self},
		{"inventory-item", items[7].UUID},
		{"inventory-item", items[7].UUID},
	}, got)
	require.Len(t, res.Causes, 1, "one cause, four subjects")
	require.Len(t, res.Causes[0].Subjects, 4)
	checkReferences(t, h.baseline, written(t, res.Document), written(t, plan), written(t, h.ssp))
}

// TestAssessSample: all subjects of a sample must have been looked at, and pass.
func TestAssessSample(t *testing.T) {
	h := moderateHouse(t)
	items := oscal.Items(h.ssp.SystemImplementation.InventoryItems)
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
	require.NoError(t, err)
	rec := func(i int, o assessment.Outcome) assessment.Record {
		return assessment.Record{Rule: assessment.Rule{ID: "tls"}, Subject: assessment.Subject{ID: items[i].UUID}, Outcome: o}
	}
	pass, fail := assessment.OutcomePass, assessment.OutcomeFail
	mapping := assessment.Mapping{Match: "tls", Targets: []string{"ac-2_obj.b"}, Decides: true, Subjects: []string{items[0].UUID, items[1].UUID, items[2].UUID}}
	for _, tt := range []struct {
		name    string
		records []assessment.Record
		expires time.Time
		want    assessment.Verdict
	}{
		{"complete", []assessment.Record{rec(0, pass), rec(1, pass), rec(2, pass)}, time.Time{}, assessment.Satisfied},
		{"one is missing", []assessment.Record{rec(0, pass), rec(2, pass)}, time.Time{}, assessment.NotAssessed},
		{"one fails", []assessment.Record{rec(0, pass), rec(1, fail)}, time.Time{}, assessment.NotSatisfied},
		{"expired", []assessment.Record{rec(0, pass), rec(1, pass), rec(2, pass)}, now, assessment.NotAssessed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			res, err := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{{Records: seq(tt.records...), Expires: tt.expires}}, now,
				&assessment.AssessOptions{Mappings: []assessment.Mapping{mapping}})
			require.NoError(t, err)
			var leaf *assessment.Node
			for _, n := range res.Controls {
				if n.ID == "ac-2" {
					leaf = n.Find("ac-2_obj.b")
				}
			}
			require.Equal(t, tt.want, leaf.Verdict)
			require.Equal(t, tt.expires == now, leaf.Expired)
			// A finding is there for a verdict of OSCAL, not for what nobody knows.
			findings := map[string]string{}
			for _, f := range oscal.Items(res.Document.Results[0].Findings) {
				findings[f.Target.TargetId] = f.Target.Type + " " + f.Target.Status.State + " " + f.Target.Status.Reason
			}
			want := map[string]string{}
			switch tt.want {
			case assessment.Satisfied:
				want["ac-2_obj.b"] = "objective-id satisfied pass"
			case assessment.NotSatisfied:
				want["ac-2_obj.b"] = "objective-id not-satisfied fail"
				want["ac-2_smt"] = "statement-id not-satisfied fail"
			}
			require.Equal(t, want, findings)
			written(t, res.Document)
		})
	}
}

// TestAssessOptions: grouping, own causes and own ratings.
func TestAssessOptions(t *testing.T) {
	h := sampleHouse(t)
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
	require.NoError(t, err)
	rec := func(rule, file string, s assessment.Severity, at time.Time) assessment.Record {
		return assessment.Record{
			Tool: assessment.Tool{Name: "T"}, Rule: assessment.Rule{ID: rule}, Outcome: assessment.OutcomeFail, Severity: s, Time: at,
			Locations: []assessment.Location{{URI: file, Line: 3}}, Subject: assessment.Subject{Kind: "file", ID: file}, IDs: []string{"CWE-79"},
		}
	}
	suppressed := rec("A", "d.go", assessment.High, now)
	suppressed.Suppressed = true
	records := []assessment.Record{
		rec("A", "a.go", assessment.Low, now.AddDate(0, 0, -2)), rec("B", "b.go", assessment.High, now.AddDate(0, 0, -3)),
		rec("A", "c.go", assessment.Medium, now.AddDate(0, 0, -1)), suppressed, rec("A", "e.go", assessment.Informational, now),
	}
	rate := func(c *assessment.Cause) []oscal.Characterization {
		return []oscal.Characterization{{Origin: c.Origin, Facets: []oscal.Facet{{Name: "risk", System: "https://example.org", Value: c.Severity.String()}}}}
	}
	res, err := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{{Records: seq(records...)}}, now, &assessment.AssessOptions{
		Group: true, Rate: rate, Cause: func(r *assessment.Record) string { return r.IDs[0] }, Policy: new(assessment.FedRAMPRev5()),
	})
	require.NoError(t, err)
	written(t, res.Document)
	r := res.Document.Results[0]
	require.Len(t, oscal.Items(r.Observations), 2, "failing, and failing but suppressed")
	require.Len(t, oscal.Items(r.Risks), 1)
	risk := oscal.Items(r.Risks)[0]
	require.Equal(t, "high", oscal.Items(risk.Characterizations)[0].Facets[0].Value)
	require.Equal(t, "2026-07-27", risk.Deadline.Format(time.DateOnly), "30 days from the first detection")
	require.Equal(t, now.AddDate(0, 0, -3), oscal.Items(r.Observations)[0].Collected)
	require.Len(t, res.Causes[0].Records, 3, "neither suppressed nor informational")

	// Equal records are observations of their own.
	twice, err := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{{Records: seq(records[0], records[0])}}, now, nil)
	require.NoError(t, err)
	checkReferences(t, h.baseline, written(t, twice.Document), written(t, plan), written(t, h.ssp))
	require.Len(t, oscal.Items(twice.Document.Results[0].Observations), 2)
}

// TestAssessHostile: whatever a report says, the documents are valid.
func TestAssessHostile(t *testing.T) {
	h := sampleHouse(t)
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
	require.NoError(t, err)
	words := []string{"", " ", "\t\n", " a  b ", "a\nb", "\x00\x1b[31m", "\u2028", "<b>&amp;</b>", "{{ insert: param, x }}", "\xff\xfe", "%zz", "http://[::1", "javascript:alert(1)", "# x\n\n```\n", "\u00a0"}
	var records []assessment.Record
	for i, w := range words {
		v := words[(i*7+3)%len(words)]
		records = append(records, assessment.Record{
			Tool: assessment.Tool{Name: w, Version: v}, Rule: assessment.Rule{ID: v, Title: w, Description: v, Help: w, Tags: words},
			Subject: assessment.Subject{Kind: v, ID: w}, Title: w, Message: v, Outcome: assessment.OutcomeFail, RawOutcome: w,
			Severity: assessment.Severity(i % 6), RawSeverity: v, IDs: []string{"CVE-" + w, v}, Fix: w,
			Locations: []assessment.Location{{URI: w, Base: v, Line: -i}}, Fingerprints: []assessment.Fingerprint{{Name: v, Value: w}},
			Scores: []assessment.Score{{System: w, Value: v}}, Suppressed: i%5 == 0, Suppression: w,
		})
	}
	for _, group := range []bool{false, true} {
		res, err := assessment.Assess(h.baseline, h.ssp, plan, []assessment.Report{{
			Records: seq(records...), Evidence: &assessment.Evidence{Title: " ", Href: "a b.txt"},
		}}, now, &assessment.AssessOptions{
			Group: group, Policy: new(assessment.FedRAMPRev5()),
			Determinations: []assessment.Determination{{Target: "ac-1", Verdict: assessment.NotSatisfied, Rationale: "\x00"}, {Target: "ac-2", Verdict: assessment.Satisfied, Rationale: " "}},
		})
		require.NoError(t, err)
		checkReferences(t, h.baseline, written(t, res.Document), written(t, plan), written(t, h.ssp))
		poam, err := assessment.UpdatePOAM(nil, h.ssp, res.Document, now, nil)
		require.NoError(t, err)
		checkReferences(t, h.baseline, written(t, poam.Document), written(t, h.ssp))
	}
}
