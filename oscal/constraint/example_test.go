package constraint_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing/fstest"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/constraint"
)

const catalog = `{"catalog": {
  "uuid": "74c8ba1e-5cd4-4ad1-bbfd-d888e2f6c724",
  "metadata": {
    "title": "House rules", "last-modified": "2026-03-01T00:00:00Z", "version": "1", "oscal-version": "1.2.2",
    "parties": [{"uuid": "11111111-0000-4000-9000-000000000001", "type": "robot", "name": "R2"}]
  },
  "groups": [
    {"id": "g1", "title": "Doors", "controls": [{"id": "d-1", "title": "Lock", "parts": [{"name": "statement", "prose": "Lock it."}]}]},
    {"id": "g1", "title": "Windows", "controls": [{"id": "w-1", "title": "Close", "parts": [{"name": "statement", "prose": "Close it."}]}]}
  ]
}}`

func read() *oscal.Document {
	doc, err := oscal.Parse(catalog, &oscal.ReadOptions{Name: "rules.json"})
	if err != nil {
		panic(err)
	}
	return doc
}

func ExampleValidate() {
	report, err := constraint.Validate(context.Background(), read(), nil)
	if err != nil {
		panic(err)
	}
	fmt.Println("valid:", report.Valid())
	for _, f := range report.Findings {
		fmt.Println(f.Level, f.Rule, f.Position, f.Path)
		fmt.Println(" ", f.Message)
		for _, r := range f.Related {
			fmt.Println("  see", r.Position, r.Path)
		}
	}
	// Output:
	// valid: false
	// error oscal-metadata-party-type-values 5:74 /catalog[1]/metadata[1]/party[1]/@type
	//   the value "robot" is not one of person, organization
	// error oscal-catalog-groups-controls-parts 9:5 /catalog[1]/group[2]
	//   the key "g1" of the index catalog-groups-controls-parts stands here a second time
	//   see 8:5 /catalog[1]/group[1]
	// error oscal-catalog-groups 9:5 /catalog[1]/group[2]
	//   the key "g1" of the index catalog-groups stands here a second time
	//   see 8:5 /catalog[1]/group[1]
}

func ExampleFindings() {
	// One rule only, and no more than its first finding.
	opts := &constraint.Options{Only: []string{"oscal-metadata-party-type-values"}, MinLevel: constraint.LevelError}
	for f, err := range constraint.Findings(context.Background(), read(), opts) {
		fmt.Println(f.Error(), err)
		break
	}
	// Output:
	// rules.json:5:74: the value "robot" is not one of person, organization (at /catalog/metadata/parties/0/type) [oscal-metadata-party-type-values] <nil>
}

const houseSet = `<metaschema-meta-constraints xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0">
  <context>
    <metapath target="//group"/>
    <constraints>
      <let var="first" expression="control[1]"/>
      <expect id="long-statements" target="control" test="string-length(part[@name='statement']/prose) > 8" level="WARNING">
        <message>The statement of {@id} is short; the group starts with {$first/@id}.</message>
      </expect>
    </constraints>
  </context>
</metaschema-meta-constraints>`

func ExampleLoad() {
	set, err := constraint.Load(context.Background(), "house.xml", strings.NewReader(houseSet), nil)
	if err != nil {
		panic(err)
	}
	report, err := constraint.Validate(context.Background(), read(), &constraint.Options{Sets: []*constraint.Set{set}, NoBuiltIn: true, Counts: true})
	if err != nil {
		panic(err)
	}
	for _, f := range report.Findings {
		fmt.Println(f.Error())
	}
	for _, c := range report.Counts {
		fmt.Println(c.Constraint.Rule(), "passed", c.Passed, "failed", c.Failed)
	}
	// Output:
	// rules.json:8:49: warning: The statement of d-1 is short; the group starts with d-1. (at /catalog/groups/0/controls/0) [long-statements]
	// long-statements passed 1 failed 1
}

func ExampleLoad_problems() {
	_, err := constraint.Load(context.Background(), "house.xml", strings.NewReader(`<metaschema-meta-constraints xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0">
  <context>
    <metapath target="//group["/>
    <constraints>
      <expects test="title"/>
      <expect test="function($x) { $x }"/>
      <matches regex="(a)\1"/>
    </constraints>
  </context>
</metaschema-meta-constraints>`), nil)
	problems, _ := errors.AsType[constraint.Problems](err)
	for _, p := range problems {
		fmt.Println(p)
	}
	// Output:
	// house.xml:3:5: target: expected an expression, found the end of the expression at offset 8 [syntax] in "//group["
	// house.xml:5:7: there is no kind of constraint expects
	// house.xml:6:7: test: inline functions are not supported at offset 0 [unsupported] in "function($x) { $x }"
	// house.xml:7:7: regular expression "(a)\\1": at 3: back-references are not supported
}

func ExampleCompile() {
	e, err := constraint.Compile("//control/concat(@id, ': ', title)", nil)
	if err != nil {
		panic(err)
	}
	items, err := e.Eval(context.Background(), nil, &constraint.EvalOptions{Document: read()})
	fmt.Println(items.Strings(), err)

	_, err = constraint.Compile("count(//control) + $limit", nil)
	fmt.Println(err)
	// Output:
	// [d-1: Lock w-1: Close] <nil>
	// metapath "count(//control) + $limit" at offset 19: nothing binds the variable $limit [variable]
}

func ExampleExpression_Eval() {
	e, err := constraint.Compile("exists(//control[@id = $wanted])", &constraint.CompileOptions{Variables: []string{"wanted"}})
	if err != nil {
		panic(err)
	}
	doc := read()
	for _, id := range []string{"d-1", "d-2"} {
		items, err := e.Eval(context.Background(), doc.Root(), &constraint.EvalOptions{
			Document: doc, Variables: map[string]constraint.Sequence{"wanted": {constraint.StringItem(id)}},
		})
		if err != nil {
			panic(err)
		}
		ok, err := items.Bool()
		fmt.Println(id, ok, err)
	}
	// Output:
	// d-1 true <nil>
	// d-2 false <nil>
}

func ExampleSet_AllowedValues() {
	list, err := constraint.BuiltIn().AllowedValues("/system-security-plan/system-characteristics/status/@state")
	if err != nil {
		panic(err)
	}
	for _, c := range list {
		fmt.Println(c.Rule(), "others allowed:", c.AllowOther)
		for _, e := range c.Enums {
			fmt.Println(" ", e.Value)
		}
	}
	// Output:
	// oscal-status-state-values others allowed: false
	//   operational
	//   under-development
	//   under-major-modification
	//   disposition
	//   other
}

// A misspelt value passes where the models allow others than those they list.
func ExampleOptions_openLists() {
	doc, err := oscal.Parse(strings.Replace(catalog, `"type": "robot"`, `"type": "person", "links": [{"href": "#x", "rel": "refernce"}]`, 1), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := constraint.Validate(context.Background(), doc, &constraint.Options{OpenLists: true, Only: []string{"oscal-metadata-link-rel-values"}})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, f := range report.Findings {
		fmt.Println(f.Level, f.Rule)
		fmt.Println(f.Message)
	}
	fmt.Println(report.Valid())
	// Output:
	// informational oscal-metadata-link-rel-values
	// the value "refernce" is not one of reference; others are allowed, but did you mean reference?
	// true
}

// A filter that users write is checked against the rules that there are.
func ExampleRules() {
	rules := constraint.Rules(constraint.BuiltIn())
	for _, name := range []string{"datatype", "oscal-metadata-party-type-values", "colour"} {
		fmt.Println(name, slices.Contains(rules, name))
	}
	// Output:
	// datatype true
	// oscal-metadata-party-type-values true
	// colour false
}

func ExampleWriteSARIF() {
	report, err := constraint.Validate(context.Background(), read(), &constraint.Options{Only: []string{"oscal-metadata-party-type-values"}})
	if err != nil {
		panic(err)
	}
	var b bytes.Buffer
	if err := constraint.WriteSARIF(&b, report.Findings, &constraint.SARIFOptions{Tool: "isso", Version: "1.0"}); err != nil {
		panic(err)
	}
	for line := range strings.Lines(b.String()) {
		for _, member := range []string{"version", "ruleId", "level", "text", "uri", "startLine", "startColumn", "fullyQualifiedName", "columnKind"} {
			if strings.HasPrefix(strings.TrimSpace(line), `"`+member+`"`) {
				fmt.Println(strings.TrimSpace(line))
			}
		}
	}
	// Output:
	// "version": "2.1.0",
	// "version": "1.0",
	// "text": "The value of metadata/party/type must be one of person, organization."
	// "text": "The value of metadata/party/type must be one of person, organization."
	// "level": "error"
	// "text": "The value of metadata/party/type must be one of person, organization. The constraint is defined in metadata:metadata/party/type#0."
	// "uri": "rules.json"
	// "ruleId": "oscal-metadata-party-type-values",
	// "level": "error",
	// "text": "the value \"robot\" is not one of person, organization"
	// "uri": "rules.json",
	// "startLine": 5,
	// "startColumn": 74,
	// "fullyQualifiedName": "/catalog[1]/metadata[1]/party[1]/@type",
	// "fullyQualifiedName": "/catalog/metadata/parties/0/type",
	// "columnKind": "unicodeCodePoints"
}

const machineModule = `<METASCHEMA xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0">
  <schema-name>Machines</schema-name>
  <schema-version>1.0</schema-version>
  <short-name>machines</short-name>
  <namespace>https://example.org/ns/machines</namespace>
  <define-assembly name="machine">
    <root-name>machine</root-name>
    <define-flag name="state" as-type="token">
      <constraint><allowed-values id="machine-state"><enum value="up">works</enum><enum value="down">does not</enum></allowed-values></constraint>
    </define-flag>
    <model><define-field name="owner"/></model>
    <constraint><expect id="owned" target="." test="exists(owner)" level="WARNING"/></constraint>
  </define-assembly>
</METASCHEMA>`

func ExampleOfMetaschema() {
	m, err := oscal.LoadMetaschema(fstest.MapFS{"m.xml": {Data: []byte(machineModule)}}, "m.xml", nil)
	if err != nil {
		panic(err)
	}
	set, err := constraint.OfMetaschema(m)
	if err != nil {
		panic(err)
	}
	for c := range set.Constraints() {
		fmt.Println(c.Rule(), c.Kind)
	}
	// Validate needs not be told: a document knows its models.
	doc, err := oscal.Parse(`{"machine": {"state": "broken"}}`, &oscal.ReadOptions{Name: "m.json", Metaschema: m})
	if err != nil {
		panic(err)
	}
	report, err := constraint.Validate(context.Background(), doc, nil)
	if err != nil {
		panic(err)
	}
	for _, f := range report.Findings {
		fmt.Println(f.Error())
	}
	// Output:
	// owned expect
	// machine-state allowed-values
	// m.json:1:2: warning: this does not hold: exists(owner) (at /machine) [owned]
	// m.json:1:23: the value "broken" is not one of up, down (at /machine/state) [machine-state]
}
