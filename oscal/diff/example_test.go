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

func ExampleDiff_Controls() {
	from, to := example()
	d, err := diff.Compare(from, to, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range d.Controls() {
		fmt.Println(c.ID, c.Fate, c.Aspects, c.Parts)
	}
	// Output:
	// a-1 changed [statement] [a-1_smt]
	// b-1 withdrawn [properties] []
}

// compare compares a system security plan and the next version of it.
func compare() (*diff.Diff, error) {
	const text = `{"system-security-plan": {
  "system-implementation": {"components": [{"uuid": "6b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10", "type": "service", "title": "Directory"}]},
  "control-implementation": {"implemented-requirements": [
  {"control-id": "a-1", "statements": [{"statement-id": "a-1_smt", "by-components": [
    {"component-uuid": "6b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10", "description": "Reviewed by hand."}]}]},
  {"control-id": "b-1"}
]}}}` // an excerpt: what it lacks does not matter here
	from, _ := oscal.Parse(text, &oscal.ReadOptions{Name: "ssp-1.json"})
	to, _ := oscal.Parse(strings.Replace(text, "by hand", "by a script", 1), &oscal.ReadOptions{Name: "ssp-2.json"})
	return diff.Compare(from, to, nil)
}

func ExampleDiff_Subjects() {
	d, err := compare()
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range d.Subjects() {
		fmt.Println(c.Subject, c.Kind, c.Aspects)
	}
	// Output: statement a-1_smt changed [by-component]
}

func ExampleDiff_WriteMarkdown() {
	d, err := compare()
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = d.WriteMarkdown(os.Stdout)
	// Output:
	// # Changes from ssp-1.json to ssp-2.json
	//
	// 1 statement changed; 1 change in all.
	//
	// | object | control | what | aspects |
	// |---|---|---|---|
	// | statement a-1\_smt | a-1 | changed | by-component |
	//
	// ## statement a-1\_smt
	//
	// - changed: by-component Directory / description: Reviewed by ~~hand.~~**a script.**
}

func ExampleDiff_WriteJSON() {
	d, err := compare()
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = d.WriteJSON(os.Stdout)
	// Output:
	// {
	//   "old": "ssp-1.json",
	//   "new": "ssp-2.json",
	//   "model": "system-security-plan",
	//   "controls": [],
	//   "subjects": [
	//     {
	//       "change": "changed",
	//       "subject": {
	//         "kind": "statement",
	//         "id": "a-1_smt"
	//       },
	//       "control": "a-1",
	//       "aspects": [
	//         "by-component"
	//       ]
	//     }
	//   ],
	//   "changes": [
	//     {
	//       "kind": "changed",
	//       "subject": {
	//         "kind": "statement",
	//         "id": "a-1_smt"
	//       },
	//       "path": "by-component Directory / description",
	//       "old": {
	//         "pointer": "/system-security-plan/control-implementation/implemented-requirements/0/statements/0/by-components/0/description",
	//         "line": 5,
	//         "column": 79
	//       },
	//       "new": {
	//         "pointer": "/system-security-plan/control-implementation/implemented-requirements/0/statements/0/by-components/0/description",
	//         "line": 5,
	//         "column": 79
	//       },
	//       "from": "Reviewed by hand.",
	//       "to": "Reviewed by a script.",
	//       "words": [
	//         {
	//           "text": "Reviewed by "
	//         },
	//         {
	//           "kind": "removed",
	//           "text": "hand."
	//         },
	//         {
	//           "kind": "added",
	//           "text": "a script."
	//         }
	//       ]
	//     }
	//   ]
	// }
}

// profiles returns two profiles of one catalog.
func profiles() (from, to *oscal.Document) {
	const text = `{"profile": {"imports": [{"href": "rules.json", "include-controls": [{"with-ids": ["a-1", "b-1"]}]}],
  "modify": {"set-parameters": [{"param-id": "a-1_prm", "values": ["30 days"]}]}}}`
	from, _ = oscal.Parse(text, nil)
	to, _ = oscal.Parse(strings.NewReplacer(`, "b-1"`, "", "30", "90").Replace(text), nil)
	return from, to
}

func ExampleDiff_Unresolved() {
	from, to := profiles()
	d, err := diff.Compare(from, to, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, c := range d.Controls() {
		fmt.Println(c.ID, c.Fate)
	}
	for _, n := range d.Unresolved() {
		fmt.Println("only the resolved catalogs tell:", n.Name(), n.Get("param-id"))
	}
	// Output:
	// b-1 removed
	// only the resolved catalogs tell: set-parameter a-1_prm
}
