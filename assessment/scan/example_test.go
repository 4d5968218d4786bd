package scan_test

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/issokit/issokit/assessment/scan"
)

const log = `{
  "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
  "version": "2.1.0",
  "runs": [
    {
      "results": [
        {"ruleId": "sql/1", "message": {"text": "The order number is put into the query."},
         "locations": [{"physicalLocation": {"artifactLocation": {"uri": "orders.go"}, "region": {"startLine": 88}}}]},
        {"ruleId": "tls", "kind": "pass", "message": {"text": "TLS 1.3 only."}},
        {"ruleId": "tls", "level": "note", "message": {"text": "Old cipher."},
         "suppressions": [{"kind": "external", "justification": "internal only"}]}
      ],
      "tool": {"driver": {"name": "Scanner", "version": "2.1", "rules": [
        {"id": "sql", "shortDescription": {"text": "Query built from input"},
         "properties": {"security-severity": "9.1", "tags": ["external/cwe/cwe-089", "control:si-10"]}},
        {"id": "tls", "shortDescription": {"text": "Weak TLS"}}
      ]}}
    }
  ]
}`

func ExampleRecords() {
	for r, err := range scan.Records(context.Background(), strings.NewReader(log), &scan.Options{Name: "scan.sarif"}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(r.Outcome, r.Severity, r.Rule.ID, r.Title, r.IDs, r.Controls, r.Suppressed)
	}
	// Output:
	// fail critical sql/1 Query built from input [CWE-89] [si-10] false
	// pass informational tls Weak TLS [] [] false
	// fail low tls Weak TLS [] [] true
}

func ExampleImporter_Records() {
	broken := strings.Replace(log, `"level": "note"`, `"level": note`, 1)
	for r, err := range scan.SARIF.Records(context.Background(), strings.NewReader(broken), &scan.Options{Name: "scan.sarif"}) {
		if err != nil {
			e, _ := errors.AsType[*scan.Error](err)
			fmt.Println(e.File, "line", e.Line, e.Pointer, errors.Is(err, scan.ErrSyntax))
			return
		}
		fmt.Println(r.Outcome, r.Message)
	}
	// Output:
	// fail The order number is put into the query.
	// pass TLS 1.3 only.
	// scan.sarif line 10 /runs/0/results/2/level true
}

// A tool that found nothing says that it ran, one that failed says why.
func ExampleImporter_Records_runs() {
	log := `{"version": "2.1.0", "runs": [
  {"tool": {"driver": {"name": "Linter"}}, "results": []},
  {"tool": {"driver": {"name": "Prover"}}, "results": [], "invocations": [{"executionSuccessful": false, "exitCodeDescription": "out of memory"}]}]}`
	opts := &scan.Options{Name: "scan.sarif", Warn: func(e *scan.Error) { fmt.Println("warning:", e) }}
	for r, err := range scan.SARIF.Records(context.Background(), strings.NewReader(log), opts) {
		fmt.Println(r.Run, r.Tool.Name, r.Outcome, r.Message, err)
	}
	// Output:
	// warning: scan.sarif:3:99: scan: sarif: the tool says that its run failed: out of memory (at byte 188, /runs/1/invocations/0/executionSuccessful)
	// true Linter informational The tool ran and reported nothing. <nil>
	// true Prover error The tool says that its run failed: out of memory <nil>
}

func ExampleDetect() {
	importer, err := scan.Detect([]byte(log[:100]))
	fmt.Println(importer.Name(), err)
	_, err = scan.Detect([]byte("<html>"))
	fmt.Println(errors.Is(err, scan.ErrFormat))
	// Output:
	// sarif <nil>
	// true
}
