package oscal_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing/fstest"
	"time"

	"github.com/issokit/issokit/oscal"
)

const catalog = `{
  "catalog": {
    "uuid": "5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10",
    "metadata": {
      "title": "Two controls",
      "last-modified": "2026-01-01T00:00:00.10Z",
      "version": "1.0",
      "oscal-version": "1.2.2"
    },
    "controls": [
      {"id": "a-1", "title": "Accounts"},
      {"id": "b-1", "title": "Backups"}
    ]
  }
}`

func ExampleParse() {
	doc, err := oscal.Parse(catalog, &oscal.ReadOptions{Name: "catalog.json"})
	if err != nil {
		fmt.Println(err)
		return
	}
	for control := range doc.Root().All("control") {
		fmt.Println(doc.Position(control), control.Pointer(), control.Get("title"))
	}
	// Output:
	// 11:7 /catalog/controls/0 Accounts
	// 12:7 /catalog/controls/1 Backups
}

func ExampleParse_problems() {
	broken := strings.Replace(catalog, `"title": "Backups"`, `"titel": "Backups", "class": "1st"`, 1)
	doc, err := oscal.Parse(broken, &oscal.ReadOptions{Name: "catalog.json"})
	problems, _ := errors.AsType[oscal.Problems](err)
	for _, p := range problems {
		fmt.Println(p)
	}
	fmt.Println("still there:", doc.Root().Child("control").Get("title"))
	// Output:
	// catalog.json:12:7: control lacks the required member "title" (at /catalog/controls/1) [member-missing]
	// catalog.json:12:21: unknown member "titel" in control; did you mean "title"? (at /catalog/controls/1) [member-unknown]
	// catalog.json:12:50: expected a token (a letter or _, then letters, digits, '.', '-' or '_'), found "1st" (at /catalog/controls/1/class) [datatype]
	// still there: Accounts
}

func ExampleDocument_Write() {
	doc, err := oscal.Parse(catalog, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := doc.Write(os.Stdout, &oscal.WriteOptions{Format: oscal.YAML}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// catalog:
	//   uuid: "5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10"
	//   metadata:
	//     title: Two controls
	//     last-modified: "2026-01-01T00:00:00.10Z"
	//     version: "1.0"
	//     oscal-version: "1.2.2"
	//   controls:
	//     - id: a-1
	//       title: Accounts
	//     - id: b-1
	//       title: Backups
}

func ExampleAs() {
	doc, err := oscal.Parse(catalog, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	view, err := oscal.As[oscal.Catalog](doc)
	if err != nil {
		fmt.Println(err) // [oscal.Losses] would list what the Go types cannot hold
		return
	}
	for _, c := range oscal.Items(view.Controls) {
		fmt.Println(c.ID, c.Title)
	}
	// Output:
	// a-1 Accounts
	// b-1 Backups
}

func ExampleDocument_Update() {
	doc, err := oscal.Parse(catalog, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	view, err := oscal.As[oscal.Catalog](doc)
	if err != nil {
		fmt.Println(err)
		return
	}
	oscal.Items(view.Controls)[1].Title = "Backups and restores"
	if err := doc.Update(view); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(doc.Root().Child("control").Next().Get("title"))
	fmt.Println(doc.Root().Child("metadata").Get("last-modified"))
	// Output:
	// Backups and restores
	// 2026-01-01T00:00:00.10Z
}

func ExampleFromView() {
	doc, err := oscal.FromView(&oscal.Catalog{
		UUID: oscal.UUID("catalog", "two-controls"),
		Metadata: oscal.Metadata{
			Title:        "Two controls",
			LastModified: time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC),
			Version:      "1.0",
			OscalVersion: oscal.ModelVersion,
		},
		Controls: oscal.List(
			oscal.Control{ID: "a-1", Title: "Accounts"},
			oscal.Control{ID: "b-1", Title: "Backups"},
		),
	})
	fmt.Println(doc.Model(), doc.Root().Child("control").Next().Get("id"), err)
	// Output:
	// catalog b-1 <nil>
}

func ExampleUUID() {
	fmt.Println(oscal.UUID("risk", "R-1")) // always the same
	fmt.Println(oscal.UUID("risk", "R-2"))
	// Output:
	// 6727b3c1-1160-5347-94a4-bd6ea54173e7
	// 04c2726a-1461-5b04-a39c-fe2f22438fc9
}

func ExampleDefinition() {
	// What may stand in a control, and what must.
	for root := range oscal.Roots() {
		if root.Name() != "catalog" {
			continue
		}
		control := root.Definition().Member("control").Definition()
		for m := range control.Members() {
			fmt.Println(m.JSONName(), m.Kind(), m.Many(), control.Required(m))
		}
	}
	// Output:
	// id flag false true
	// class flag false false
	// title field false true
	// params assembly true false
	// props assembly true false
	// links assembly true false
	// parts assembly true false
	// controls assembly true false
}

func ExampleSetProp() {
	control := oscal.Control{ID: "a-1", Title: "Accounts"}
	control.Props = oscal.SetProp(control.Props, "", "label", "A-1")
	control.Props = oscal.SetProp(control.Props, oscal.Namespace, oscal.PropOwner, "isso")

	label, ok := oscal.PropValue(control.Props, "", "label")
	fmt.Println(label, ok)
	// Output: A-1 true
}

func ExampleDocument_Find() {
	doc, err := oscal.Parse(catalog, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(doc.Find("b-1").Get("title"), doc.At("/catalog/metadata/version").Value())
	// Output: Backups 1.0
}

func ExampleCheckReferences() {
	profile := strings.NewReplacer("catalog\":", "profile\":", `"controls": [
      {"id": "a-1", "title": "Accounts"},
      {"id": "b-1", "title": "Backups"}
    ]`, `"imports": [{"href": "catalog.json", "include-controls": [{"with-ids": ["a-1", "c-1"]}]}]`).Replace(catalog)
	var docs []*oscal.Document
	for name, text := range map[string]string{"catalog.json": catalog, "profile.json": profile} {
		doc, err := oscal.Parse(text, &oscal.ReadOptions{Name: name})
		if err != nil {
			fmt.Println(err)
			return
		}
		docs = append(docs, doc)
	}
	for _, p := range oscal.CheckReferences(docs, nil) {
		fmt.Println(p)
	}
	// Output:
	// profile.json:10:84: with-id refers to "c-1"; expected the identifier of a control here or in an imported document, found none (at /profile/imports/0/include-controls/0/with-ids/1) [reference-dangling]
}

func ExampleDocument_ToVersion() {
	text := strings.Replace(catalog, `"title": "Backups"`, `"title": "Backups", "props": [{"name": "x", "value": "y", "group": "g"}]`, 1)
	doc, err := oscal.Parse(text, &oscal.ReadOptions{Name: "catalog.json"})
	if err != nil {
		fmt.Println(err)
		return
	}
	old, lost, err := doc.ToVersion(oscal.Version{Major: 1, Minor: 0, Patch: 4})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(old.Version(), len(lost))
	fmt.Println(lost[0])
	// Output:
	// 1.0.4 1
	// catalog.json:12:88: warning: group of prop came up in OSCAL 1.1.0 and is left out in 1.0.4 (at /catalog/controls/1/props/0/group) [version]
}

func ExampleDocument_Inspect() {
	doc, err := oscal.Parse(catalog, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	inv := doc.Inspect()
	fmt.Println(inv.Model, inv.Title, inv.OSCALVersion, inv.Objects)
	// Output: catalog Two controls 1.2.2 [{control 2}]
}

const catalogXML = `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0" uuid="5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10">
  <metadata>
    <title>One control</title>
    <last-modified>2026-01-01T00:00:00Z</last-modified>
    <version>1.0</version>
    <oscal-version>1.2.2</oscal-version>
  </metadata>
  <control id="a-1">
    <title>Accounts</title>
    <part name="statement">
      <p>Review accounts every <insert type="param" id-ref="a-1_prm_1"/>:</p>
      <ul>
        <li>those of <em>people</em>;</li>
        <li>those of <a href="#m-1">machines</a>.</li>
      </ul>
    </part>
  </control>
</catalog>`

func ExampleParse_xml() {
	doc, err := oscal.Parse(catalogXML, &oscal.ReadOptions{Name: "catalog.xml"})
	if err != nil {
		fmt.Println(err)
		return
	}
	prose := doc.Root().Child("control").Child("part").Child("prose")
	fmt.Println(doc.Format(), doc.Position(prose), prose.Pointer())
	fmt.Println(prose.Value())
	// Output:
	// xml 11:7 /catalog/controls/0/parts/0/prose
	// Review accounts every {{ insert: param, a-1_prm_1 }}:
	//
	// - those of *people*;
	// - those of [machines](#m-1).
}

func ExampleParse_xmlProblems() {
	broken := strings.NewReplacer(`uuid="5b`, `UUID="5b`, "<title>Accounts</title>", "<title>Accounts</titel>").Replace(catalogXML)
	_, err := oscal.Parse(broken, &oscal.ReadOptions{Name: "catalog.xml"})
	problems, _ := errors.AsType[oscal.Problems](err)
	for _, p := range problems {
		fmt.Println(p)
	}
	// Output:
	// catalog.xml:1:1: catalog lacks the required attribute "uuid" (at /catalog[1]) [member-missing]
	// catalog.xml:1:52: unknown attribute "UUID" in catalog (at /catalog[1]) [member-unknown]
	// catalog.xml:9:20: </titel> ends no element [syntax]
	// catalog.xml:10:5: <part> is no element of markup (at /catalog[1]/control[1]/title[1]) [markup]
	// catalog.xml:17:3: expected </title> for the element at 9:5, found </control> [syntax]
}

func ExampleDocument_Write_convert() {
	doc, err := oscal.Parse(catalog, nil) // JSON
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := doc.Write(os.Stdout, &oscal.WriteOptions{Format: oscal.XML}); err != nil {
		fmt.Println(err)
	}
	// Output:
	// <?xml version="1.0" encoding="UTF-8"?>
	// <catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0" uuid="5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10">
	//   <metadata>
	//     <title>Two controls</title>
	//     <last-modified>2026-01-01T00:00:00.10Z</last-modified>
	//     <version>1.0</version>
	//     <oscal-version>1.2.2</oscal-version>
	//   </metadata>
	//   <control id="a-1">
	//     <title>Accounts</title>
	//   </control>
	//   <control id="b-1">
	//     <title>Backups</title>
	//   </control>
	// </catalog>
}

func ExampleParseMarkup() {
	m := oscal.ParseMarkup("Keep logs for {{ insert: param, au-11_prm_1 }}, see [the policy](#log-policy \"Logs\").", oscal.TypeMarkupMultiline)
	for piece := range m.Walk() {
		switch piece.Kind {
		case oscal.MarkupInsert:
			fmt.Println(piece.Kind, piece.Type, piece.Target)
		case oscal.MarkupLink:
			fmt.Println(piece.Kind, piece.Target, piece.Title)
		}
	}
	// Output:
	// insert param au-11_prm_1
	// a #log-policy Logs
}

func ExampleMarkup_HTML() {
	values := map[string]string{"ac-1_prm_1": "one year"}
	m := oscal.ParseMarkup("Review *every* {{ insert: param, ac-1_prm_1 }}:\n\n- R&D\n- <script> is text", oscal.TypeMarkupMultiline)
	fmt.Println(m.HTML(&oscal.HTMLOptions{Insert: func(insert *oscal.Markup) string { return values[insert.Target] }}))
	// Output:
	// <p>Review <em>every</em> <span class="insert" data-type="param" data-id="ac-1_prm_1">one year</span>:</p>
	// <ul>
	// <li>R&amp;D</li>
	// <li>&lt;script&gt; is text</li>
	// </ul>
}

func ExampleMarkup_Plain() {
	m := oscal.ParseMarkup("Use **two** factors\n\n1. a \"secret\"\n2. a `key`", oscal.TypeMarkupMultiline)
	fmt.Println(m.Plain(nil))
	// Output:
	// Use two factors
	// a “secret”
	// a key
}

func ExampleNode_Markup() {
	doc, err := oscal.Parse(catalogXML, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	prose := doc.Root().Child("control").Child("part").Child("prose")
	m := prose.Markup()
	list := m.Children[1]
	list.Children = append(list.Children, &oscal.Markup{
		Kind:     oscal.MarkupItem,
		Children: oscal.ParseMarkup("those of *guests*", oscal.TypeMarkupLine).Children,
	})
	prose.SetMarkup(m)
	fmt.Println(prose.Value())
	// Output:
	// Review accounts every {{ insert: param, a-1_prm_1 }}:
	//
	// - those of *people*;
	// - those of [machines](#m-1).
	// - those of *guests*
}

func ExampleDocument_Split() {
	doc, err := oscal.Parse(catalog, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	rest, pieces := doc.Split("control") // each can be written to a file of its own
	for _, p := range pieces {
		fmt.Println(p.Name, p.Pointer, p.Doc.Root().Get("title"))
	}
	joined, err := oscal.Join(rest, pieces)
	fmt.Println(joined.Inspect().Objects, err)
	// Output:
	// control/a-1 /catalog/controls/0 Accounts
	// control/b-1 /catalog/controls/1 Backups
	// [{control 2}] <nil>
}

func ExampleReadOptions_fragment() {
	control := oscal.MemberAt("catalog", "/catalog/controls")
	doc, err := oscal.Parse(`{"control": {"id": "c-1", "title": "Copies"}}`, &oscal.ReadOptions{Fragment: control})
	fmt.Println(doc.Root().Name(), doc.Root().Get("title"), err)
	// Output: control Copies <nil>
}

// A message of a tool is text: nothing in it is markup.
func ExampleEscapeMarkdown() {
	message := "Call of Field.__init__\nfound by [the rule](1)"
	value := oscal.EscapeMarkdown(message, oscal.TypeMarkupMultiline)
	fmt.Println(value)
	fmt.Println(oscal.ParseMarkup(value, oscal.TypeMarkupMultiline).Plain(nil) == message)
	// Output:
	// Call of Field.\_\_init\_\_\
	// found by \[the rule\](1)
	// true
}

const inventoryModule = `<METASCHEMA xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0">
  <schema-name>Inventory</schema-name>
  <schema-version>1.0</schema-version>
  <short-name>inventory</short-name>
  <namespace>https://example.org/ns/inventory</namespace>
  <define-assembly name="inventory">
    <root-name>inventory</root-name>
    <model>
      <define-assembly name="machine" max-occurs="unbounded">
        <json-key flag-ref="name"/>
        <group-as name="machines" in-json="BY_KEY"/>
        <define-flag name="name" as-type="token" required="yes"/>
        <model>
          <define-field name="address" as-type="ip-v4-address" max-occurs="unbounded">
            <group-as name="addresses" in-json="SINGLETON_OR_ARRAY"/>
          </define-field>
        </model>
      </define-assembly>
    </model>
  </define-assembly>
</METASCHEMA>`

func ExampleLoadMetaschema() {
	fsys := fstest.MapFS{"inventory_metaschema.xml": {Data: []byte(inventoryModule)}} // os.DirFS for a folder
	m, err := oscal.LoadMetaschema(fsys, "inventory_metaschema.xml", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	doc, err := oscal.Parse(`{"inventory": {"machines": {
  "mail": {"addresses": ["192.0.2.1", "192.0.2.2"]},
  "web": {"addresses": "192.0.2.3"}
}}}`, &oscal.ReadOptions{Metaschema: m})
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := doc.Write(os.Stdout, &oscal.WriteOptions{Format: oscal.XML}); err != nil {
		fmt.Println(err)
	}
	_, err = oscal.Parse(`{"inventory": {"machines": {"web": {"addresses": ["192.0.2.300"]}}}}`, &oscal.ReadOptions{Name: "i.json", Metaschema: m})
	fmt.Println(err)
	// Output:
	// <?xml version="1.0" encoding="UTF-8"?>
	// <inventory xmlns="https://example.org/ns/inventory">
	//   <machine name="mail">
	//     <address>192.0.2.1</address>
	//     <address>192.0.2.2</address>
	//   </machine>
	//   <machine name="web">
	//     <address>192.0.2.3</address>
	//   </machine>
	// </inventory>
	// oscal: i.json:1:50: "addresses": expected one item without an array, found an array of one item (at /inventory/machines/web) [shape]
	// i.json:1:51: expected a ip-v4-address (four numbers from 0 to 255 with dots), found "192.0.2.300" (at /inventory/machines/web/addresses) [datatype]
}

func ExampleLoadMetaschema_problems() {
	broken := strings.NewReplacer(`flag-ref="name"`, `flag-ref="nam"`, `required="yes"`, `required="true"`, `"SINGLETON_OR_ARRAY"`, `"LIST"`).Replace(inventoryModule)
	_, err := oscal.LoadMetaschema(fstest.MapFS{"m.xml": {Data: []byte(broken)}}, "m.xml", nil)
	problems, _ := errors.AsType[oscal.Problems](err)
	for _, p := range problems {
		fmt.Println(p.Position, p.Rule, p.Path)
		fmt.Println(" ", p.Message)
	}
	// Output:
	// 10:9 reference-dangling /METASCHEMA[1]/define-assembly[1]/model[1]/define-assembly[1]/json-key[1]
	//   expected the name of a flag of machine, found "nam"
	// 12:9 datatype /METASCHEMA[1]/define-assembly[1]/model[1]/define-assembly[1]/define-flag[1]
	//   required: expected yes, no, found "true"
	// 15:13 datatype /METASCHEMA[1]/define-assembly[1]/model[1]/define-assembly[1]/model[1]/define-field[1]/group-as[1]
	//   in-json: expected ARRAY, SINGLETON_OR_ARRAY, BY_KEY, found "LIST"
}
