package assessment_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/assessment/scan"
	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

// replicate returns a log with n results, copies of those of a sample.
func replicate(tb testing.TB, n int) []byte {
	tb.Helper()
	var log map[string]any
	require.NoError(tb, json.Unmarshal(corpus.Read(tb, "scan/sarif/taint-python-report.sarif"), &log))
	run := log["runs"].([]any)[0].(map[string]any)
	results := run["results"].([]any)
	out := make([]any, n)
	for i := range out {
		out[i] = results[i%len(results)]
	}
	run["results"] = out
	data, err := json.MarshalIndent(log, "", " ")
	require.NoError(tb, err)
	return data
}

// BenchmarkAssess takes logs of growing size from their text to assessment
// results, in steps: assess alone, and with the document written out. The
// plain decoding of the same text by encoding/json is beside them.
func BenchmarkAssess(b *testing.B) {
	h := sampleHouse(b)
	plan, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
	require.NoError(b, err)
	for _, n := range []int{1, 10} {
		data := replicate(b, 1000*n)
		assess := func(b *testing.B, group bool) *oscal.AssessmentResults {
			reports := []assessment.Report{{Records: scan.SARIF.Records(b.Context(), bytes.NewReader(data), nil)}}
			res, err := assessment.Assess(h.baseline, h.ssp, plan, reports, now, &assessment.AssessOptions{
				Group: group, Mappings: []assessment.Mapping{{Match: "taint-*", Targets: []string{"si-2"}}},
			})
			require.NoError(b, err)
			return res.Document
		}
		b.Run(fmt.Sprintf("records-to-results/%dx", n), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				assess(b, false)
			}
		})
		for _, group := range []bool{false, true} {
			b.Run(fmt.Sprintf("written/group=%t/%dx", group, n), func(b *testing.B) {
				b.SetBytes(int64(len(data)))
				for b.Loop() {
					doc, err := oscal.FromView(assess(b, group))
					require.NoError(b, err)
					require.NoError(b, doc.Write(io.Discard, &oscal.WriteOptions{Format: oscal.JSON}))
				}
			})
		}
		b.Run(fmt.Sprintf("encoding-json/%dx", n), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				var v any
				require.NoError(b, json.Unmarshal(data, &v))
			}
		})
	}
}

// BenchmarkPlan plans the assessment of the MODERATE baseline: 816 activities.
func BenchmarkPlan(b *testing.B) {
	h := moderateHouse(b)
	for b.Loop() {
		_, err := assessment.NewPlan(h.baseline, h.ssp, now, nil)
		require.NoError(b, err)
	}
}
