package constraint

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/internal/metaschema"
	"github.com/issokit/issokit/oscal"
)

const fuzzDocument = `{"catalog":{"uuid":"74c8ba1e-5cd4-4ad1-bbfd-d888e2f6c724","metadata":{"title":"*a*","last-modified":"2026-03-01T00:00:00Z",
"version":"1","oscal-version":"1.2.2","parties":[{"uuid":"11111111-0000-4000-9000-000000000001","type":"person","name":"x"}]},
"groups":[{"id":"g","title":"g","controls":[{"id":"a","title":"a","props":[{"name":"label","value":"1"}],"parts":[{"name":"statement","prose":"x"}]},{"id":"b","title":"b"}]}]}}`

// FuzzMetapath: whatever the text, compiling and evaluating end, in bounded
// time, with a value or an error that says where; the parser's view of an
// expression does not depend on how often it is asked.
func FuzzMetapath(f *testing.F) {
	root := corpus.Path(f, "oscal/constraints/metapath")
	for _, name := range []string{"accept.json", "reject.json"} {
		var table struct{ Expressions []string }
		data, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			f.Fatal(err)
		}
		if err := json.Unmarshal(data, &table); err != nil {
			f.Fatal(err)
		}
		for _, e := range table.Expressions {
			f.Add(e)
		}
	}
	var cases struct{ Cases []struct{ Expression string } }
	data, err := os.ReadFile(filepath.Join(root, "expressions.json"))
	if err != nil {
		f.Fatal(err)
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		f.Fatal(err)
	}
	for _, c := range cases.Cases {
		f.Add(c.Expression)
	}
	for c := range BuiltIn().Constraints() {
		f.Add(c.Target)
	}
	doc, err := oscal.Parse(fuzzDocument, nil)
	if err != nil {
		f.Fatal(err)
	}
	before := doc.Root().Clone()
	f.Fuzz(func(t *testing.T, text string) {
		e, err := Compile(text, nil)
		if err != nil {
			x, ok := err.(*ExpressionError)
			if !ok || x.Offset < 0 || x.Offset > len(text) {
				t.Fatalf("%q: %#v", text, err)
			}
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		s, err := e.Eval(ctx, nil, &EvalOptions{Document: doc, Now: time.Unix(0, 0).UTC(), MaxSteps: 100_000})
		if err != nil && err != context.DeadlineExceeded {
			if _, ok := err.(*ExpressionError); !ok {
				t.Fatalf("%q: %#v", text, err)
			}
		}
		s.Strings()
		if !deepEqualNodes(&dyn{run: newRun(ctx)}, before, doc.Root()) {
			t.Fatalf("%q changed the document", text)
		}
	})
}

// FuzzLoad: whatever the text, a set or problems with places come of it, and the
// set can be evaluated.
func FuzzLoad(f *testing.F) {
	for _, name := range []string{"fedramp-external-allowed-values.xml", "fedramp-external-constraints.xml", "oscal-external-constraints.xml"} {
		text := string(corpus.Read(f, "oscal/constraints/fedramp", name))
		// Short seeds mutate better than whole sets: some contexts alone.
		for i, part := range strings.Split(text, "\n    </context>") {
			if j := strings.Index(part, "<context>"); j >= 0 && i < 12 && len(part) < 4000 {
				f.Add(`<metaschema-meta-constraints xmlns="` + metaschema.Namespace + `">` + part[j:] + "</context></metaschema-meta-constraints>")
			}
		}
	}
	f.Add(olderSet)
	doc, err := oscal.Parse(fuzzDocument, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		set, err := Load(t.Context(), "fuzz.xml", strings.NewReader(text), nil)
		if err != nil {
			ps, ok := err.(Problems)
			if !ok || len(ps) == 0 || set != nil {
				t.Fatalf("%#v", err)
			}
			return
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if _, err := Validate(ctx, doc, &Options{Sets: []*Set{set}, Counts: true, MaxSteps: 10_000}); err != nil && err != context.DeadlineExceeded {
			t.Fatal(err)
		}
	})
}
