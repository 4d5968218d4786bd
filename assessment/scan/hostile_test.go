package scan

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/assessment"
)

// runsOf collects the records about runs as a whole.
func runsOf(t *testing.T, log string, opts *Options) []assessment.Record {
	t.Helper()
	var out []assessment.Record
	for rec, err := range SARIF.Records(t.Context(), strings.NewReader(log), opts) {
		require.NoError(t, err)
		if rec.Run {
			rec.Span = assessment.Span{}
			out = append(out, rec)
		}
	}
	return out
}

// TestSARIFRuns: a run that failed, or found nothing, is told by its tool.
func TestSARIFRuns(t *testing.T) {
	tool := assessment.Tool{Name: "T", Version: "1"}
	const driver = `"tool": {"driver": {"name": "T", "version": "1"}}`
	nothing := assessment.Record{Run: true, Tool: tool, Outcome: assessment.OutcomeInformational, Message: "The tool ran and reported nothing."}
	failed := func(message string) assessment.Record {
		return assessment.Record{Run: true, Tool: tool, Outcome: assessment.OutcomeError, RawOutcome: "executionSuccessful=false", Message: message}
	}
	tests := []struct {
		name, runs string
		want       []assessment.Record
		warnings   int
	}{
		{"results", `{` + driver + `, "results": [{}]}`, nil, 0},
		{"no results", `{` + driver + `, "results": []}`, []assessment.Record{nothing}, 0},
		{"no results before the tool", `{"results": [], ` + driver + `}`, []assessment.Record{nothing}, 0},
		{"results that were not looked for", `{` + driver + `}, {` + driver + `, "results": null}`, nil, 0},
		{"success", `{` + driver + `, "results": [{}], "invocations": [{"executionSuccessful": true}]}`, nil, 0},
		{
			"failure", `{"invocations": [{"exitCode": 3, "executionSuccessful": false}], ` + driver + `, "results": []}`,
			[]assessment.Record{failed("The tool says that its run failed: exit code 3")},
			1,
		},
		{
			"failure behind results", `{` + driver + `, "results": [{}], "invocations": [{"executionSuccessful": true}, {"executionSuccessful": false}]}`,
			[]assessment.Record{failed("The tool says that its run failed.")},
			1,
		},
		{"two runs", `{` + driver + `, "results": []}, {` + driver + `, "results": [{}]}, {` + driver + `, "results": []}`, []assessment.Record{nothing, nothing}, 0},
		{"results in external properties", `{"automationDetails": {"guid": "G"}, ` + driver + `, "results": []}], "inlineExternalProperties": [{"runGuid": "g", "results": [{}]}`, nil, 0},
		{"no word for success", `{` + driver + `, "results": [{}], "invocations": [{"executionSuccessful": "no"}]}`, nil, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			warnings := 0
			got := runsOf(t, `{"version": "2.1.0", "runs": [`+tt.runs+`]}`, &Options{Warn: func(*Error) { warnings++ }})
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.warnings, warnings)
		})
	}
	early := `{"version": "2.1.0", "inlineExternalProperties": [{"runGuid": "g", "results": [{}]}], "runs": [{"guid": "G", ` + driver + `, "results": []}]}`
	require.Empty(t, runsOf(t, early, nil), "the results came before the run")
}

// TestSARIFLinks: section 3.11.6, with its examples.
func TestSARIFLinks(t *testing.T) {
	tests := []struct{ name, in, want string }{
		{"number of a location", "Variable [x](1) is not initialized.", "Variable x is not initialized."},
		{"several", "[a](1)[b](2)", "ab"},
		{"escaped in the link", `Prohibited term used in [para\[0\]\\spans\[2\]](1).`, `Prohibited term used in para[0]\spans[2].`},
		{"address", "See [the manual](https://example.org/m).", "See the manual (https://example.org/m)."},
		{"hostile address is shown", "[click](javascript:x)", "click (javascript:x)"},
		{"no link", "a[i](x) is [not] one, nor [this](", "a[i](x) is [not] one, nor [this]("},
		{"brackets before a link", "[[a](1)", "[a"},
		{"none", `C:\new [a-z]`, `C:\new [a-z]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, plainLinks(tt.in)) })
	}
	records, err := read(strings.NewReader(head+`{"message": {"text": "[super](1)"}, "fixes": [{"description": {"text": "[call](2) it"}}]}]}]}`), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"super", "call it"}, []string{records[0].Message, records[0].Fix})
}

// TestSARIFWarnings: what is not as specified is told with file, line and column,
// and what is left of it is harmless.
func TestSARIFWarnings(t *testing.T) {
	log := "{\"version\": \"2.1.0\", \"runs\": [{\"tool\": {\"driver\":\n" +
		"  {\"name\": \"\", \"rules\": [{\"id\": \"Ä\\u001b[1m\"}]}},\n" +
		" \"results\": [\n" +
		"  {\"ruleId\": \"é\",\"message\": {\"text\": \"a\\u0000b\\u0007\\n\\tc\"}},\n" +
		"  {\"message\": {\"text\": 5}, \"ruleId\": \"two\\nlines\"},\n" +
		"  {\"kind\": \"passed\",\n \"ruleId\": \"x\"}]}]}"
	for name, r := range map[string]io.Reader{"seeks": strings.NewReader(log), "does not": stream([]byte(log))} {
		t.Run(name, func(t *testing.T) {
			var warnings []string
			records, err := read(r, &Options{Name: "s.sarif", Warn: func(e *Error) { warnings = append(warnings, e.Error()) }})
			require.NoError(t, err)
			const says = "scan: sarif: the report does not say what its format prescribes: "
			for i, want := range []string{
				"s.sarif:2:33: " + says + "the text has characters that are left out: U+001B (at byte ",
				"s.sarif:2:3: " + says + `the tool has no name (required member "name") (at byte `,
				"s.sarif:4:38: " + says + "the text has characters that are left out: U+0000, U+0007 (at byte ",
				"s.sarif:5:24: " + says + "expected a string, found a number (at byte ",
				"s.sarif:5:38: " + says + `expected an id of one line without blanks at its ends or twice, found "two\nlines" (at byte `,
				"s.sarif:6:3: " + says + `expected a kind of result, found "passed" (at byte `,
			} {
				require.Greater(t, len(warnings), i)
				require.True(t, strings.HasPrefix(warnings[i], want), "%s\nwant %s", warnings[i], want)
			}
			require.Len(t, warnings, 6)
			require.Contains(t, warnings[5], "/runs/0/results/2)")
			require.Equal(t, "ab\n\tc", records[0].Message)
		})
	}
}

// TestUnreadable: a report that is not a text of any format says what to do.
func TestUnreadable(t *testing.T) {
	wide := func(order string) string {
		out := order
		for _, c := range log16 {
			out += string([]byte{byte(c), 0})
		}
		return out
	}
	for _, tt := range []struct{ name, in, want string }{
		{"empty", "", "r.sarif:1:1: scan: the format of the report is not known: it is empty (at byte 0)"},
		{"blank", " \n", "r.sarif:1:1: scan: the format of the report is not known: it is empty (at byte 0)"},
		{"UTF-16", wide("\xFF\xFE"), "r.sarif:1:1: scan: the format of the report is not known: expected UTF-8, found UTF-16 or UTF-32: save the report as UTF-8 (at byte 0)"},
		{"UTF-16 without mark", wide(""), "r.sarif:1:1: scan: the format of the report is not known: expected UTF-8, found UTF-16 or UTF-32: save the report as UTF-8 (at byte 0)"},
		{"other", "<html>", `r.sarif:1:1: scan: the format of the report is not known: expected sarif, found a text that begins with "<html>" (at byte 0)`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, err := range Records(t.Context(), strings.NewReader(tt.in), &Options{Name: "r.sarif"}) {
				require.EqualError(t, err, tt.want)
				require.ErrorIs(t, err, ErrFormat)
			}
			_, err := read(bytes.NewReader([]byte(tt.in)), &Options{Name: "r.sarif"})
			e, ok := errors.AsType[*Error](err)
			require.True(t, ok)
			require.Positive(t, e.Column)
			require.True(t, errors.Is(err, ErrSyntax))
		})
	}
	_, err := read(strings.NewReader(""), &Options{Name: "r.sarif"})
	require.ErrorContains(t, err, "r.sarif:1:1: scan: sarif: the text of the report is broken: the report is empty")
	_, err = read(strings.NewReader(`{"version": "2.1.0", "runs": [{"externalPropertyFileReferences": {"results": [{"location": {"uri": "r.json"}}]}}]}`), nil)
	require.ErrorContains(t, err, `"r.json" with the results of the run: it is another file, and only the report itself is read`)
	require.NotContains(t, err.Error(), "Options")
}

const log16 = `{"version": "2.1.0", "runs": []}`
