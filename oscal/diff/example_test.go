package diff_test

import (
	"fmt"
	"os"
	"strings"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/diff"
)

// example returns a catalog and the next revision of it.
func example() (from, to *oscal.Document) {
	const text = `{"catalog": {
  "uuid": "5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10",
  "metadata": {"title": "Rules", "last-modified": "2026-01-01T00:00:00Z", "version": "1", "oscal-version": "1.2.2"},
  "controls": [
    {"id": "a-1", "title": "Accounts", "parts": [{"id": "a-1_smt", "name": "statement", "prose": "Review accounts every quarter."}]},
    {"id": "b-1", "title": "Backups"}
  ]
}}`
	from, err := oscal.Parse(text, &oscal.ReadOptions{Name: "rules-1.json"})
	if err != nil {
		panic(err)
	}
	to, err = oscal.Parse(strings.NewReplacer(
		`"version": "1"`, `"version": "2"`, "every quarter", "each month",
		`"title": "Backups"`, `"title": "Backups", "props": [{"name": "status", "value": "withdrawn"}]`,
	).Replace(text), &oscal.ReadOptions{Name: "rules-2.json"})
	if err != nil {
		panic(err)
	}
	return from, to
}

func ExampleCompare() {
	from, to := example()
	d, err := diff.Compare(from, to, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = d.WriteText(os.Stdout)
	// Output:
	// rules-1.json -> rules-2.json: 1 control withdrawn, 1 changed; 3 changes in all
	//
	// metadata "Rules"
	//   ~ version: "1" -> "2"
	//
	// control a-1 "Accounts"
	//   ~ part a-1_smt / prose: Review accounts [-every quarter.-]{+each month.+}
	//
	// control b-1 "Backups"
	//   + prop status "withdrawn" added
}

func ExampleDiff_Impact() {
	from, to := example()
	ssp, _ := oscal.Parse(`{"system-security-plan": {"control-implementation": {"implemented-requirements": [
  {"control-id": "a-1", "statements": [{"statement-id": "a-1_smt"}]},
  {"control-id": "b-1"}
]}}}`, nil) // an excerpt: what it lacks does not matter here
	d, err := diff.Compare(from, to, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, hit := range d.Impact(ssp) {
		fmt.Println(hit.Control.ID, hit.Control.Fate, hit.Control.Aspects, hit.Statements)
	}
	// Output:
	// a-1 changed [statement] [a-1_smt]
	// b-1 withdrawn [properties] []
}

func ExampleWords() {
	for _, w := range diff.Words("review accounts every quarter", "review all accounts every month") {
		fmt.Printf("%v %q\n", w.Kind, w.Text)
	}
	// Output:
	// Kind(0) "review "
	// added "all "
	// Kind(0) "accounts every "
	// removed "quarter"
	// added "month"
}
