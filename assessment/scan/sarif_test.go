package scan

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/internal/corpus"
)

// read collects the records of the results of a report.
func read(r io.Reader, opts *Options) ([]assessment.Record, error) {
	var records []assessment.Record
	for rec, err := range SARIF.Records(context.Background(), r, opts) {
		if err != nil {
			return records, err
		}
		if !rec.Run {
			records = append(records, rec)
		}
	}
	return records, nil
}

// lineAndColumn is the place behind a text, counted from its start.
func lineAndColumn(before []byte) [2]int {
	start := bytes.LastIndexByte(before, '\n') + 1
	return [2]int{1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[start:])}
}

// stream hides that a reader seeks.
func stream(data []byte) io.Reader { return struct{ io.Reader }{bytes.NewReader(data)} }

// oracles returns the rows of the table for SARIF.
func oracles(t testing.TB) []map[string]string {
	t.Helper()
	rows, err := csv.NewReader(bytes.NewReader(corpus.Read(t, "scan", "oracles.csv"))).ReadAll()
	require.NoError(t, err)
	var out []map[string]string
	for _, row := range rows[1:] {
		m := map[string]string{}
		for i, name := range rows[0] {
			m[name] = row[i]
		}
		if m["format"] == "sarif" {
			out = append(out, m)
		}
	}
	require.Len(t, out, 20)
	return out
}

// counts reads a cell such as "error=35;note=7".
func counts(t testing.TB, cell string) map[string]int {
	t.Helper()
	out := map[string]int{}
	if cell == "" {
		return out
	}
	for pair := range strings.SplitSeq(cell, ";") {
		k, v, _ := strings.Cut(pair, "=")
		n, err := strconv.Atoi(v)
		require.NoError(t, err)
		out[k] = n
	}
	return out
}

// TestSARIFOracles compares with the table of the corpus: the raw counts, and
// the numbers of DefectDojo and Heimdall, which are groupings of the records.
func TestSARIFOracles(t *testing.T) {
	for _, row := range oracles(t) {
		t.Run(path.Base(row["file"]), func(t *testing.T) {
			data := corpus.Read(t, "scan", row["file"])
			opts := &Options{Name: row["file"], Open: emptyProperties}
			records, err := read(bytes.NewReader(data), opts)
			require.NoError(t, err)

			number := func(column string) int {
				n, err := strconv.Atoi(row[column])
				require.NoError(t, err)
				return n
			}
			require.Len(t, records, number("raw_count"))

			breakdown, severities := map[string]int{}, map[string]int{}
			dojo, active, locations, suppressed := 0, 0, 0, 0
			rules, words := map[string]bool{}, map[string]int{}
			for _, rec := range records {
				// The span is that of the result object: its own level is the raw
				// outcome of the table.
				var raw struct{ Level, RuleID string }
				require.NoError(t, json.Unmarshal(data[rec.Span.Start:rec.Span.End], &raw))
				require.True(t, raw.RuleID == "" || raw.RuleID == rec.Rule.ID)
				if raw.Level == "" {
					raw.Level = "(absent)"
				}
				breakdown[raw.Level]++
				severities[rec.RawSeverity]++
				rules[rec.Rule.ID] = true
				locations += len(rec.Locations)
				if rec.Suppressed {
					suppressed++
				}
				if rec.Outcome != assessment.OutcomeFail {
					continue
				}
				n := max(1, len(rec.Locations)) // one finding per location
				dojo += n
				if !rec.Suppressed {
					active += n
				}
				words[rec.Severity.String()] += n
			}
			require.Equal(t, counts(t, row["raw_breakdown"]), breakdown)
			require.Equal(t, counts(t, row["raw_severity"]), severities)
			require.Equal(t, number("defectdojo_count"), dojo)
			require.Equal(t, number("defectdojo_active"), active)
			other := counts(t, strings.Split(strings.Split(row["raw_other"], ";kinds")[0], ";baselineState")[0])
			require.Equal(t, other["rules-hit"], len(rules))
			require.Equal(t, other["locations"], locations)
			require.Equal(t, other["suppressed"], suppressed)

			if row["heimdall_controls"] != "" {
				require.Equal(t, number("heimdall_controls"), len(rules))
				require.Equal(t, number("heimdall_results"), len(records))
			}
			if strings.HasSuffix(row["file"], "issue_10191.json") { // of its note
				require.Equal(t, map[string]int{"critical": 34, "high": 1, "medium": 42}, words)
			}

			// A reader that does not seek gives the same, whatever the size of its
			// reads.
			for name, r := range map[string]io.Reader{
				"stream": stream(data), "one byte": iotest.OneByteReader(bytes.NewReader(data)), "half": iotest.HalfReader(bytes.NewReader(data)),
			} {
				again, err := read(r, opts)
				require.NoError(t, err, name)
				require.Equal(t, records, again, name)
			}
		})
	}
}

// emptyProperties stands for the external property file that sarif_input.sarif
// refers to, with a taxonomy that is not in the corpus.
func emptyProperties(uri string) (io.ReadCloser, error) {
	return io.NopCloser(strings.NewReader(`{"version": "2.1.0", "guid": "x"}`)), nil
}

// TestSARIFTruncated cuts every sample at every 1,000th byte: the records before
// the cut come, then an error with the place of the cut.
func TestSARIFTruncated(t *testing.T) {
	for _, row := range oracles(t) {
		t.Run(path.Base(row["file"]), func(t *testing.T) {
			t.Parallel()
			data := corpus.Read(t, "scan", row["file"])
			whole, err := read(bytes.NewReader(data), &Options{Open: emptyProperties})
			require.NoError(t, err)
			for at := 0; at < len(data); at += 1000 {
				cut := data[:at]
				var r io.Reader = bytes.NewReader(cut)
				if at/1000%2 == 1 {
					r = stream(cut)
				}
				records, err := read(r, &Options{Open: emptyProperties})
				e, ok := errors.AsType[*Error](err)
				require.True(t, ok, "at %d: %v", at, err)
				require.ErrorIs(t, err, ErrSyntax)
				require.ErrorIs(t, err, io.ErrUnexpectedEOF)
				require.LessOrEqual(t, e.Offset, int64(at))
				require.Equal(t, lineAndColumn(data[:e.Offset]), [2]int{e.Line, e.Column}, "at %d", at)
				complete := 0
				for _, rec := range whole {
					if rec.Span.End <= int64(at) {
						complete++
					}
				}
				require.Len(t, records, complete, "at %d", at)
			}
		})
	}
}

const head = `{"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [{"tool": {"driver": {"name": "T", "version": "1", "rules": [
  {"id": "A", "guid": "11111111-0000-0000-0000-000000000001", "defaultConfiguration": {"level": "note"}, "messageStrings": {"m": {"text": "{0} is {{1}} not {1}"}}},
  {"id": "B/C", "properties": {"security-severity": "9.8", "tags": ["external/cwe/cwe-079", "control:ac-2", "CVE-2024-12345"]}},
  {"id": "D", "properties": {"security-severity": 3.5, "cvss": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}}
]}, "extensions": [{"name": "more", "guid": "22222222-0000-0000-0000-000000000002", "rules": [{"id": "E", "defaultConfiguration": {"level": "error"}}]}]},
"results": [`

// TestSARIFResults: each trap of the format by itself.
func TestSARIFResults(t *testing.T) {
	rule := func(id string, title string) assessment.Rule { return assessment.Rule{ID: id, Title: title} }
	tests := []struct {
		name, in string
		want     assessment.Record // without tool, title and span
	}{
		{"nothing said", `{"message": {"text": "x"}}`, assessment.Record{Message: "x", Outcome: assessment.OutcomeFail, Severity: assessment.Medium, RawSeverity: "warning"}},
		{"by index", `{"ruleIndex": 0}`, assessment.Record{Rule: rule("A", "A"), Outcome: assessment.OutcomeFail, Severity: assessment.Low, RawSeverity: "note"}},
		{"by id", `{"ruleId": "A"}`, assessment.Record{Rule: rule("A", "A"), Outcome: assessment.OutcomeFail, Severity: assessment.Low, RawSeverity: "note"}},
		{"by hierarchical id", `{"ruleId": "A/1/2"}`, assessment.Record{Rule: rule("A/1/2", "A"), Outcome: assessment.OutcomeFail, Severity: assessment.Low, RawSeverity: "note"}},
		{"by reference", `{"rule": {"id": "A", "index": 0}}`, assessment.Record{Rule: rule("A", "A"), Outcome: assessment.OutcomeFail, Severity: assessment.Low, RawSeverity: "note"}},
		{"by guid", `{"rule": {"guid": "11111111-0000-0000-0000-000000000001"}}`, assessment.Record{Rule: rule("A", "A"), Outcome: assessment.OutcomeFail, Severity: assessment.Low, RawSeverity: "note"}},
		{"of an extension by index", `{"ruleId": "E", "rule": {"index": 0, "toolComponent": {"index": 0}}}`, assessment.Record{Rule: rule("E", "E"), Outcome: assessment.OutcomeFail, Severity: assessment.High, RawSeverity: "error"}},
		{"of an extension by name", `{"rule": {"id": "E", "toolComponent": {"name": "more"}}}`, assessment.Record{Rule: rule("E", "E"), Outcome: assessment.OutcomeFail, Severity: assessment.High, RawSeverity: "error"}},
		{"of an extension by guid", `{"rule": {"index": 0, "toolComponent": {"guid": "22222222-0000-0000-0000-000000000002"}}}`, assessment.Record{Rule: rule("E", "E"), Outcome: assessment.OutcomeFail, Severity: assessment.High, RawSeverity: "error"}},
		{"of an extension by id alone", `{"ruleId": "E"}`, assessment.Record{Rule: rule("E", "E"), Outcome: assessment.OutcomeFail, Severity: assessment.High, RawSeverity: "error"}},
		{"unknown rule", `{"ruleId": "Z", "level": "error"}`, assessment.Record{Rule: rule("Z", "Z"), Outcome: assessment.OutcomeFail, Severity: assessment.High, RawSeverity: "error"}},
		{"level beats rule", `{"ruleId": "A", "level": "error"}`, assessment.Record{Rule: rule("A", "A"), Outcome: assessment.OutcomeFail, Severity: assessment.High, RawSeverity: "error"}},
		{"score beats level", `{"ruleId": "D", "level": "error"}`, assessment.Record{
			Rule: rule("D", "D"), Outcome: assessment.OutcomeFail, Severity: assessment.Low, RawSeverity: "error",
			Scores: []assessment.Score{{System: "security-severity", Value: "3.5"}, {System: "CVSS:3.1", Value: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}},
		}},
		{"tags", `{"ruleId": "B/C", "properties": {"tags": ["CWE-20: input", "control:ac-3"]}}`, assessment.Record{
			Rule:    assessment.Rule{ID: "B/C", Title: "B/C", Tags: []string{"external/cwe/cwe-079", "control:ac-2", "CVE-2024-12345"}},
			Outcome: assessment.OutcomeFail, Severity: assessment.Critical, RawSeverity: "warning",
			Scores: []assessment.Score{{System: "security-severity", Value: "9.8"}},
			IDs:    []string{"CWE-20", "CWE-79", "CVE-2024-12345"}, Controls: []string{"ac-3", "ac-2"},
		}},
		{"taxa", `{"taxa": [{"id": "89", "toolComponent": {"name": "CWE"}}, {"id": "AC-2(1)", "toolComponent": {"name": "NIST SP 800-53"}}]}`, assessment.Record{
			Outcome: assessment.OutcomeFail, Severity: assessment.Medium, RawSeverity: "warning", IDs: []string{"CWE-89"}, Controls: []string{"AC-2(1)"},
		}},
		{"message by id", `{"ruleId": "A", "message": {"id": "m", "arguments": ["this", "that"]}}`, assessment.Record{
			Rule: rule("A", "A"), Message: "this is {1} not that", Outcome: assessment.OutcomeFail, Severity: assessment.Low, RawSeverity: "note",
		}},
		{"pass", `{"kind": "pass"}`, assessment.Record{Outcome: assessment.OutcomePass, RawOutcome: "pass", Severity: assessment.Informational, RawSeverity: "none"}},
		{"open", `{"kind": "open"}`, assessment.Record{Outcome: assessment.OutcomeUnknown, RawOutcome: "open", Severity: assessment.Informational, RawSeverity: "none"}},
		{"review", `{"kind": "review"}`, assessment.Record{Outcome: assessment.OutcomeManual, RawOutcome: "review", Severity: assessment.Informational, RawSeverity: "none"}},
		{"not applicable", `{"kind": "notApplicable"}`, assessment.Record{Outcome: assessment.OutcomeNotApplicable, RawOutcome: "notApplicable", Severity: assessment.Informational, RawSeverity: "none"}},
		{"informational", `{"kind": "informational"}`, assessment.Record{Outcome: assessment.OutcomeInformational, RawOutcome: "informational", Severity: assessment.Informational, RawSeverity: "none"}},
		{"unknown kind is no pass", `{"kind": "passed"}`, assessment.Record{Outcome: assessment.OutcomeUnknown, RawOutcome: "passed", Severity: assessment.Informational, RawSeverity: "none"}},
		{"gone since the baseline", `{"baselineState": "absent"}`, assessment.Record{Outcome: assessment.OutcomeFixed, RawOutcome: "absent", Severity: assessment.Medium, RawSeverity: "warning"}},
		{"suppressed", `{"suppressions": [{"kind": "inSource", "justification": "checked"}, {"kind": "external", "status": "accepted"}]}`, assessment.Record{
			Outcome: assessment.OutcomeFail, Severity: assessment.Medium, RawSeverity: "warning", Suppressed: true, Suppression: "checked",
		}},
		{"suppression under review", `{"suppressions": [{"kind": "external", "status": "underReview"}]}`, assessment.Record{Outcome: assessment.OutcomeFail, Severity: assessment.Medium, RawSeverity: "warning"}},
		{"suppression rejected", `{"suppressions": [{"kind": "inSource"}, {"kind": "external", "status": "rejected"}]}`, assessment.Record{Outcome: assessment.OutcomeFail, Severity: assessment.Medium, RawSeverity: "warning"}},
		{"no suppressions", `{"suppressions": []}`, assessment.Record{Outcome: assessment.OutcomeFail, Severity: assessment.Medium, RawSeverity: "warning"}},
		{"fingerprints first", `{"partialFingerprints": {"p": "1"}, "fingerprints": {"b": "3", "a": {"value": "2"}}, "correlationGuid": "AB"}`, assessment.Record{
			Outcome: assessment.OutcomeFail, Severity: assessment.Medium, RawSeverity: "warning",
			Fingerprints: []assessment.Fingerprint{{Name: "a/value", Value: "2"}, {Name: "b", Value: "3"}, {Name: "correlationGuid", Value: "ab"}},
		}},
		{"partial fingerprints", `{"partialFingerprints": {"p": "1"}}`, assessment.Record{
			Outcome: assessment.OutcomeFail, Severity: assessment.Medium, RawSeverity: "warning", Fingerprints: []assessment.Fingerprint{{Name: "p", Value: "1"}},
		}},
		{"locations", `{"locations": [{"physicalLocation": {"artifactLocation": {"uri": "a.go", "uriBaseId": "SRC"}, "region": {"startLine": 3, "startColumn": 4, "endLine": 5, "endColumn": 6}}, "logicalLocations": [{"name": "f", "fullyQualifiedName": "p.f"}]}, {"logicalLocations": [{"name": "g"}]}]}`, assessment.Record{
			Outcome: assessment.OutcomeFail, Severity: assessment.Medium, RawSeverity: "warning", Subject: assessment.Subject{Kind: "file", ID: "a.go"},
			Locations: []assessment.Location{{URI: "a.go", Base: "SRC", Line: 3, Column: 4, EndLine: 5, EndColumn: 6, Logical: "p.f"}, {Logical: "g"}},
		}},
		{"fix", `{"fixes": [{"description": {"text": "bind the value"}}]}`, assessment.Record{Outcome: assessment.OutcomeFail, Severity: assessment.Medium, RawSeverity: "warning", Fix: "bind the value"}},
		{"kinds of values that are wrong", `{"message": "text", "ruleIndex": "0", "locations": {}, "level": null, "ruleId": 5, "suppressions": 7}`, assessment.Record{Outcome: assessment.OutcomeFail, Severity: assessment.Medium, RawSeverity: "warning"}},
		{"escaped names", `{"rule\u0049d": "A"}`, assessment.Record{Rule: rule("A", "A"), Outcome: assessment.OutcomeFail, Severity: assessment.Low, RawSeverity: "note"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			records, err := read(strings.NewReader(head+tt.in+`]}]}`), nil)
			require.NoError(t, err)
			require.Len(t, records, 1)
			got := records[0]
			require.Equal(t, assessment.Tool{Name: "T", Version: "1"}, got.Tool)
			require.Equal(t, assessment.Span{Start: int64(len(head)), End: int64(len(head) + len(tt.in))}, got.Span)
			require.Equal(t, got.Rule.Title, got.Title)
			got.Tool, got.Span, got.Title = assessment.Tool{}, assessment.Span{}, ""
			require.Equal(t, tt.want, got)
		})
	}
}

// TestSARIFOrder: the members of a run come in any order, in each kind of
// reader.
func TestSARIFOrder(t *testing.T) {
	const (
		tool        = `"tool": {"driver": {"name": "T", "rules": [{"id": "A", "defaultConfiguration": {"level": "note"}}]}}`
		results     = `"results": [ {"ruleIndex": 0, "locations": [{"physicalLocation": {"artifactLocation": {"index": 0}}}]} ]`
		artifacts   = `"artifacts": [{"location": {"uri": "a.go"}}]`
		invocations = `"invocations": [{"endTimeUtc": "2026-06-30T10:00:00Z", "ruleConfigurationOverrides": [{"descriptor": {"index": 0}, "configuration": {"level": "error"}}]}]`
	)
	for _, order := range [][]string{
		{tool, artifacts, invocations, results},
		{artifacts, invocations, results, tool},
		{results, invocations, artifacts, tool},
		{results, tool, artifacts, invocations},
	} {
		log := `{"runs": [{` + strings.Join(order, ",\n") + `}, {"results": [], ` + tool + `}], "version": "2.1.0"}`
		for name, r := range map[string]io.Reader{"seeks": strings.NewReader(log), "does not": stream([]byte(log)), "with BOM": strings.NewReader("\xEF\xBB\xBF" + log)} {
			records, err := read(r, nil)
			require.NoError(t, err, name)
			require.Len(t, records, 1)
			rec := records[0]
			require.Equal(t, "A", rec.Rule.ID)
			require.Equal(t, "error", rec.RawSeverity)
			require.Equal(t, "a.go", rec.Subject.ID)
			require.Equal(t, 2026, rec.Time.Year())
			at := rec.Span.Start
			if name == "with BOM" {
				at -= 3
			}
			require.True(t, strings.HasPrefix(log[at:], `{"ruleIndex": 0`), name)
		}
	}
}

// TestSARIFSpool: a spool of the caller's, and the limit of that in memory.
func TestSARIFSpool(t *testing.T) {
	log := []byte(`{"version": "2.1.0", "runs": [{"results": [{"ruleIndex": 0}, {"ruleIndex": 0}], "tool": {"driver": {"name": "T", "rules": [{"id": "A"}]}}}]}`)
	spool, err := os.Create(t.TempDir() + "/spool")
	require.NoError(t, err)
	defer spool.Close()
	records, err := read(stream(log), &Options{Spool: spool})
	require.NoError(t, err)
	require.Len(t, records, 2)

	_, err = read(stream(log), &Options{MaxSpool: 10})
	require.ErrorIs(t, err, ErrLimit)
}

// TestSARIFExternal: parts of a run in other files.
func TestSARIFExternal(t *testing.T) {
	log := `{"version": "2.1.0", "runs": [{"tool": {"driver": {"name": "T", "rules": [{"id": "A", "defaultConfiguration": {"level": "note"}}]}},
  "externalPropertyFileReferences": {"results": [{"location": {"uri": "results.json"}}], "taxonomies": [{"location": {"uri": "taxonomies.json"}}]},
  "results": [{"ruleIndex": 0}]}]}`
	files := map[string]string{
		"results.json":    `{"version": "2.1.0", "results": [{"ruleIndex": 0, "message": {"text": "elsewhere"}}]}`,
		"taxonomies.json": `{"version": "2.1.0", "taxonomies": []}`,
	}
	records, err := read(strings.NewReader(log), &Options{Open: func(uri string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(files[uri])), nil
	}})
	require.NoError(t, err)
	require.Len(t, records, 2)
	require.Equal(t, "elsewhere", records[1].Message)
	require.Equal(t, "note", records[1].RawSeverity)

	// The rules lie elsewhere, and the results before that is said; nothing in the
	// files has to stand in a certain order.
	outside := `{"version": "2.1.0", "runs": [{"results": [{"ruleIndex": 0}],
  "externalPropertyFileReferences": {"driver": {"location": {"uri": "driver.json"}}, "results": [{"location": {"uri": "results.json"}}]}}]}`
	files["driver.json"] = `{"driver": {"name": "T", "rules": [{"id": "A", "defaultConfiguration": {"level": "error"}}]}, "runGuid": "x"}`
	for _, r := range []io.Reader{strings.NewReader(outside), stream([]byte(outside))} {
		records, err = read(r, &Options{Open: func(uri string) (io.ReadCloser, error) {
			return io.NopCloser(strings.NewReader(files[uri])), nil
		}})
		require.NoError(t, err)
		require.Len(t, records, 2)
		for _, rec := range records {
			require.Equal(t, "T A error", rec.Tool.Name+" "+rec.Rule.ID+" "+rec.RawSeverity)
		}
	}
	_, err = read(strings.NewReader(log), &Options{Open: func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(`{"results": [{]}`)), nil
	}})
	e, ok := errors.AsType[*Error](err)
	require.True(t, ok)
	require.Equal(t, "taxonomies.json", e.File, "an error names the file that it is in")

	var warnings []string
	records, err = read(strings.NewReader(log), &Options{Warn: func(e *Error) { warnings = append(warnings, e.Pointer) }})
	require.ErrorIs(t, err, ErrExternal, "results that cannot be had are an error, behind all others")
	require.Len(t, records, 1)
	require.Equal(t, []string{"/runs/0/externalPropertyFileReferences/taxonomies/0"}, warnings)

	inline := `{"version": "2.1.0", "runs": [{"automationDetails": {"guid": "G1"}, "tool": {"driver": {"name": "T", "rules": [{"id": "A", "defaultConfiguration": {"level": "note"}}]}}}],
  "inlineExternalProperties": [{"runGuid": "g1", "results": [{"ruleId": "A"}]}]}`
	records, err = read(strings.NewReader(inline), nil)
	require.NoError(t, err)
	require.Len(t, records, 1)
	require.Equal(t, "note", records[0].RawSeverity)
}

// TestSARIFBroken: what cannot be read says where and why.
func TestSARIFBroken(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 200_000)
	tests := []struct {
		name, in string
		opts     *Options
		want     error
		records  int
		line     int
		pointer  string
	}{
		{"empty", "", nil, ErrSyntax, 0, 1, ""},
		{"no object", `["a"]`, nil, ErrContent, 0, 1, ""},
		{"no runs", `{"version": "2.1.0"}`, nil, ErrContent, 0, 1, ""},
		{"other version", `{"version": "1.0.0", "runs": []}`, nil, ErrVersion, 0, 1, "/version"},
		{"other version at the end", `{"runs": [], "version": "2.0.0"}`, nil, ErrVersion, 0, 1, "/version"},
		{"duplicate member", "{\"version\": \"2.1.0\",\n\"runs\": [],\n\"runs\": []}", nil, ErrSyntax, 0, 3, "/runs"},
		{"trailing text", "{\"version\": \"2.1.0\", \"runs\": []}\n{}", nil, ErrSyntax, 0, 2, ""},
		{"broken result", "{\"version\": \"2.1.0\", \"runs\": [{\"tool\": {},\n \"results\": [\n{},\n{\"ruleId\": }]}]}", nil, ErrSyntax, 1, 4, "/runs/0/results/1/ruleId"},
		{"broken result before its rules", "{\"version\": \"2.1.0\", \"runs\": [{\n \"results\": [\n{},\n{\"ruleId\": }]}]}", nil, ErrSyntax, 1, 4, "/runs/0/results/1/ruleId"},
		{"UTF-16", "\xFF\xFE{\x00}\x00", nil, ErrSyntax, 0, 1, ""},
		{"deep", `{"version": "2.1.0", "x": ` + deep, nil, ErrSyntax, 0, 1, ""},
		{"long text", `{"version": "2.1.0", "x": "` + strings.Repeat("a", 100_000) + `"}`, &Options{MaxText: 10_000}, ErrLimit, 0, 1, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, r := range []io.Reader{strings.NewReader(tt.in), stream([]byte(tt.in))} {
				records, err := read(r, tt.opts)
				require.ErrorIs(t, err, tt.want)
				e, ok := errors.AsType[*Error](err)
				require.True(t, ok)
				require.Equal(t, tt.line, e.Line, err)
				if tt.pointer != "" {
					require.Equal(t, tt.pointer, e.Pointer, err)
				}
				require.Len(t, records, tt.records)
			}
		})
	}
}

// TestSARIFStop: the caller may stop, cancel, and start again.
func TestSARIFStop(t *testing.T) {
	data := corpus.Read(t, "scan", "sarif", "snykcode_issue_9270.json")
	seq := SARIF.Records(t.Context(), bytes.NewReader(data), nil)
	for range 2 {
		n := 0
		for _, err := range seq {
			require.NoError(t, err)
			if n++; n == 3 {
				break
			}
		}
		require.Equal(t, 3, n)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	big := replicate(t, 1000)
	var last error
	n := 0
	for _, err := range SARIF.Records(ctx, bytes.NewReader(big), nil) {
		n, last = n+1, err
	}
	require.ErrorIs(t, last, context.Canceled)
	require.Equal(t, 256, n) // 255 records and the error

	var progress []int64
	_, err := read(bytes.NewReader(big), &Options{Progress: func(n int64) { progress = append(progress, n) }})
	require.NoError(t, err)
	require.True(t, slices.IsSorted(progress))
	require.Equal(t, int64(len(big)), progress[len(progress)-1])
}

// replicate returns a log with n copies of the result of a sample.
func replicate(t testing.TB, n int) []byte {
	t.Helper()
	data := corpus.Read(t, "scan", "sarif", "taint-python-report.sarif")
	var log struct {
		Version string `json:"version"`
		Runs    []struct {
			Tool    json.RawMessage   `json:"tool"`
			Results []json.RawMessage `json:"results"`
		} `json:"runs"`
	}
	require.NoError(t, json.Unmarshal(data, &log))
	results := log.Runs[0].Results
	log.Runs[0].Results = nil
	for i := range n {
		log.Runs[0].Results = append(log.Runs[0].Results, results[i%len(results)])
	}
	out, err := json.MarshalIndent(log, "", " ")
	require.NoError(t, err)
	return out
}

func TestDetect(t *testing.T) {
	for _, row := range oracles(t) {
		data := corpus.Read(t, "scan", row["file"])
		im, err := Detect(data)
		require.NoError(t, err, row["file"])
		require.Same(t, SARIF, im)
		n := 0
		for rec, err := range Records(t.Context(), stream(data), &Options{Open: emptyProperties}) {
			require.NoError(t, err)
			if !rec.Run {
				n++
			}
		}
		require.Equal(t, row["raw_count"], fmt.Sprint(n))
	}
	for _, other := range []string{"grype/many_vulns.json", "semgrep/empty.json", "trivy/kubernetes.json", "hdf", "ckl/red_hat_good.ckl"} {
		if path.Ext(other) == "" {
			continue
		}
		file := corpus.Path(t, "scan", path.Dir(other))
		entries, err := os.ReadDir(file)
		require.NoError(t, err)
		for _, e := range entries {
			_, err := Detect(corpus.Read(t, "scan", path.Dir(other), e.Name()))
			require.ErrorIs(t, err, ErrFormat, e.Name())
		}
	}
	_, err := Detect(nil)
	require.ErrorIs(t, err, ErrFormat)
}
