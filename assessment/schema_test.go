package assessment_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

// TestPublishedSchema: NIST's JSON schema is a second opinion on the documents,
// with all parts that are optional.
func TestPublishedSchema(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	require.NoError(t, compiler.AddResource("oscal.json", bytes.NewReader(corpus.Read(t, "oscal/json-schema/oscal_complete_schema-1.2.2.json"))))
	schema, err := compiler.Compile("oscal.json")
	require.NoError(t, err)

	h := sampleHouse(t)
	c := h.run(t, sample(t, "scan.sarif"), &assessment.AssessOptions{
		Policy:   new(assessment.FedRAMPRev5()),
		Mappings: []assessment.Mapping{{Match: "CWE-*", Targets: []string{"AC-3"}, Decides: true}},
		Determinations: []assessment.Determination{{
			Target: "ac-1", Verdict: assessment.Satisfied, Method: assessment.Examine, Examiner: oscal.Items(h.ssp.Metadata.Parties)[0].UUID,
			Rationale: "The list of accounts has owners.", Expires: now.AddDate(1, 0, 0),
			Evidence: []assessment.Evidence{{Title: "List of accounts", Href: "accounts.csv", Collected: now, Collector: "Sam"}},
		}, {
			Target: "ir-2", Verdict: assessment.NotSatisfied, Method: assessment.Interview,
		}},
	})
	rec := func(rule string) assessment.Record {
		return assessment.Record{
			Rule: assessment.Rule{ID: rule, Help: "https://example.org/" + rule}, Outcome: assessment.OutcomeFail, Severity: assessment.High,
			Message: "found", Fix: "Repair it.", IDs: []string{"CVE-2024-1234"}, Controls: []string{"si-2"},
		}
	}
	first := h.month(t, nil, now, true, rec("A"), rec("B"))
	second := h.month(t, first.Document, now.AddDate(0, 1, 0), true, rec("A"))
	third := h.month(t, second.Document, now.AddDate(0, 2, 0), true, rec("A"), rec("B"))
	require.Equal(t, []string{"POAM-0003"}, third.Recurred)

	big := moderateHouse(t)
	plan, err := assessment.NewPlan(big.baseline, big.ssp, now, &assessment.PlanOptions{
		Tools: []assessment.Tool{{Name: "Scanner"}, {Name: "Scanner", Version: "2"}}, Sampling: assessment.Sampling{Number: 3},
		Start: assessment.DateOf(now), End: assessment.DateOf(now).AddMonths(1),
	})
	require.NoError(t, err)
	for _, view := range []any{c.plan, c.results.Document, c.poam.Document, third.Document, plan} {
		var value any
		require.NoError(t, json.Unmarshal([]byte(written(t, view)), &value))
		require.NoError(t, schema.Validate(value), "%T", view)
	}
}
