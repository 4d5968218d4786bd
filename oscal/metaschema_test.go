package oscal

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// The modules of a format of the tests: all that Metaschema has and OSCAL has
// not, and an imported module with a namespace of its own.
const (
	siteModule = `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE METASCHEMA [
  <!-- the flags of a rack -->
  <!ENTITY rack-flags SYSTEM "parts/rack-flags.ent">
]>
<METASCHEMA xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0">
  <schema-name>Sites and their machines</schema-name>
  <schema-version>2.1</schema-version>
  <short-name>site</short-name>
  <namespace>https://example.org/ns/site</namespace>
  <json-base-uri>https://example.org/ns/site</json-base-uri>
  <import href="parts/machine_metaschema.xml"/>
  <define-assembly name="site">
    <root-name>site</root-name>
    <model>
      <field ref="contact" max-occurs="unbounded"><group-as name="contacts" in-json="BY_KEY"/></field>
      <field ref="limit" max-occurs="unbounded"><group-as name="limits"/></field>
      <assembly ref="rack" max-occurs="3"><group-as name="racks" in-json="BY_KEY" in-xml="GROUPED"/></assembly>
      <define-assembly name="building">
        <model>
          <define-field name="door" min-occurs="2" max-occurs="3" as-type="token"><group-as name="doors" in-json="ARRAY"/></define-field>
        </model>
      </define-assembly>
      <choice>
        <define-field name="open" as-type="boolean" min-occurs="1"/>
        <define-field name="opening-hours" min-occurs="1"/>
      </choice>
      <define-field name="story" as-type="markup-multiline" in-xml="UNWRAPPED"/>
      <assembly ref="machine" max-occurs="unbounded">
        <use-name>spare</use-name>
        <group-as name="spares" in-json="SINGLETON_OR_ARRAY"/>
      </assembly>
    </model>
  </define-assembly>
  <define-field name="contact">
    <json-key flag-ref="role"/>
    <define-flag name="role" as-type="string" required="yes"/>
  </define-field>
  <define-field name="limit" as-type="decimal">
    <json-value-key-flag flag-ref="name"/>
    <define-flag name="unit" as-type="token"/>
    <define-flag name="name" as-type="token" required="yes"/>
  </define-field>
  <define-assembly name="rack">
    <json-key flag-ref="id"/>
    &rack-flags;
    <model>
      <assembly ref="machine" max-occurs="unbounded"><group-as name="machines" in-json="BY_KEY"/></assembly>
    </model>
  </define-assembly>
</METASCHEMA>
`
	rackFlags = `<define-flag name="note"/>
<define-flag name="id" as-type="token" required="yes"/>`
	machineModule = `<METASCHEMA xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0" abstract="yes">
  <schema-name>Machines</schema-name>
  <schema-version>1</schema-version>
  <short-name>machine</short-name>
  <namespace>https://example.org/ns/machine</namespace>
  <define-assembly name="machine">
    <json-key flag-name="serial"/>
    <flag ref="serial"/>
    <model>
      <define-field name="label" as-type="markup-line"/>
      <define-field name="address" max-occurs="unbounded">
        <json-key flag-ref="net"/>
        <json-value-key-flag flag-ref="family"/>
        <group-as name="addresses" in-json="BY_KEY"/>
        <define-flag name="family" required="yes"/>
        <define-flag name="net" required="yes"/>
      </define-field>
    </model>
  </define-assembly>
  <define-flag name="serial"/>
</METASCHEMA>
`
)

var siteFiles = fstest.MapFS{
	"site_metaschema.xml":          {Data: []byte(siteModule)},
	"parts/rack-flags.ent":         {Data: []byte(rackFlags)},
	"parts/machine_metaschema.xml": {Data: []byte(machineModule)},
}

func site(tb testing.TB) *Metaschema {
	m, err := LoadMetaschema(siteFiles, "site_metaschema.xml", nil)
	require.NoError(tb, err)
	return m
}

// The forms of one document. That an item by key with no other flag is a value,
// and where the value of the flag stands, is as in NIST's unit tests of
// Metaschema: group-as-by-key_test_valid_PASS.json has {"props": {"id3":
// "test3", ...}}, json-value-key-field_test_valid_PASS.json {"props": [{"prop2":
// "value2", "id": "id1", ...}]}.
const (
	siteJSON = `{
  "site": {
    "contacts": {
      "day/night": "Ada",
      "yes": "Bob"
    },
    "limits": [
      {
        "unit": "kW",
        "power": 3.50
      },
      {
        "weight": 100
      }
    ],
    "racks": {
      "r1": {},
      "r2": {
        "note": "cold",
        "machines": {
          "S-1": {
            "label": "*old*",
            "addresses": {
              "a": {
                "v4": "192.0.2.1"
              },
              "b": {
                "v6": "2001:db8::1"
              }
            }
          }
        }
      }
    },
    "building": {
      "doors": [
        "north",
        "south"
      ]
    },
    "open": false,
    "story": "One.\n\nTwo.",
    "spares": {
      "serial": "S-9"
    }
  }
}
`
	siteXML = `<?xml version="1.0" encoding="UTF-8"?>
<site xmlns="https://example.org/ns/site">
  <contact role="day/night">Ada</contact>
  <contact role="yes">Bob</contact>
  <limit unit="kW" name="power">3.50</limit>
  <limit name="weight">100</limit>
  <racks>
    <rack id="r1"/>
    <rack note="cold" id="r2">
      <machine xmlns="https://example.org/ns/machine" serial="S-1">
        <label><em>old</em></label>
        <address family="v4" net="a">192.0.2.1</address>
        <address family="v6" net="b">2001:db8::1</address>
      </machine>
    </rack>
  </racks>
  <building>
    <door>north</door>
    <door>south</door>
  </building>
  <open>false</open>
  <p>One.</p>
  <p>Two.</p>
  <spare xmlns="https://example.org/ns/machine" serial="S-9"/>
</site>
`
	siteYAML = `site:
  contacts:
    day/night: Ada
    "yes": Bob
  limits:
    - unit: kW
      power: 3.50
    - weight: 100
  racks:
    r1: {}
    r2:
      note: cold
      machines:
        S-1:
          label: "*old*"
          addresses:
            a:
              v4: "192.0.2.1"
            b:
              v6: "2001:db8::1"
  building:
    doors:
      - north
      - south
  open: false
  story: |-
    One.

    Two.
  spares:
    serial: S-9
`
)

// TestMetaschemaForms: each form of a document is written as the other two.
func TestMetaschemaForms(t *testing.T) {
	m := site(t)
	forms := map[Format]string{JSON: siteJSON, XML: siteXML, YAML: siteYAML}
	for _, from := range []Format{JSON, XML, YAML} {
		doc, err := Parse(forms[from], &ReadOptions{Metaschema: m})
		require.NoError(t, err)
		require.Equal(t, from, doc.Format())
		require.Same(t, m, doc.Metaschema())
		require.Empty(t, doc.Check())
		for _, to := range []Format{JSON, XML, YAML} {
			var b bytes.Buffer
			require.NoError(t, doc.Write(&b, &WriteOptions{Format: to}))
			require.Equal(t, forms[to], b.String(), "%s to %s", from, to)
		}
	}
}

// TestMetaschemaPointers: the pointers of nodes lead to what they say in the
// JSON text, and back to the nodes.
func TestMetaschemaPointers(t *testing.T) {
	doc, err := Parse(siteJSON, &ReadOptions{Metaschema: site(t)})
	require.NoError(t, err)
	var pointers []string
	for n := range doc.root.Walk() {
		if n.Kind() == Flag {
			pointers = append(pointers, n.Pointer())
			continue
		}
		require.Same(t, n, doc.At(n.Pointer()), n.Pointer())
	}
	require.Equal(t, []string{
		"/site/contacts/day~1night", "/site/contacts/yes", "/site/limits/0/unit", "/site/limits/0/power", "/site/limits/1/weight",
		"/site/racks/r1", "/site/racks/r2/note", "/site/racks/r2", "/site/racks/r2/machines/S-1",
		"/site/racks/r2/machines/S-1/addresses/a/v4", "/site/racks/r2/machines/S-1/addresses/a",
		"/site/racks/r2/machines/S-1/addresses/b/v6", "/site/racks/r2/machines/S-1/addresses/b", "/site/spares/serial",
	}, pointers)
	require.Nil(t, doc.At("/site/racks/r3"))
	_, _, err = doc.ToVersion(Version{Major: 1})
	require.ErrorIs(t, err, ErrVersion)
}

// TestMetaschemaProblems: what is wrong with a document in ways that those of
// OSCAL have not.
func TestMetaschemaProblems(t *testing.T) {
	tests := []struct {
		name, text string
		want       []string
	}{
		{"group by key", "{\"site\": {\"open\": true, \"contacts\": [\"Ada\"],\n\"racks\": {}}}", []string{
			`1:37: "contacts": expected an object, found an array (at /site) [shape]`,
			`2:10: the object "racks" must have one item at least, or be left out (at /site) [array-empty]`,
		}},
		{"items by key", "{\"site\": {\"open\": true, \"contacts\": {\"a\": {}, \"a\": \"Ada\",\n\"a\": \"Bob\", \" \": \"Eve\"}, \"racks\": {\"r\": \"x\", \"s\": {\"id\": \"s\"}}}}", []string{
			`1:43: "contacts": expected a string, found an object (at /site) [shape]`,
			`2:1: a second contact has the key "a" (at /site/contacts/a) [member-duplicate]`,
			`2:13: expected a string (text without line breaks and without white space at its ends, not empty), found " " (at /site/contacts/ ) [datatype]`,
			`2:41: "racks": expected an object, found a string (at /site) [shape]`,
			`2:52: "id" stands twice in one object (at /site/racks/s) [member-duplicate]`,
		}},
		{"yaml by key", "site:\n  open: true\n  contacts:\n    a: [x]\n    b: ~\n  racks: []\n", []string{
			`4:8: "contacts": expected a string, found an array (at /site) [shape]`,
			`5:8: "contacts": expected an item, found null (at /site) [null]`,
			`6:10: "racks": expected an object, found an array (at /site) [shape]`,
		}},
		{"value key flag", "{\"site\": {\"open\": true, \"limits\": [{\"unit\": \"W\"},\n{\"a\": 1, \"b\": 2}, {\"a\": \"x\"}]}}", []string{
			`1:36: limit lacks the required member "name" (at /site/limits/0) [member-missing]`,
			`1:36: limit lacks its value, the member "STRVALUE" (at /site/limits/0) [member-missing]`,
			`2:10: unknown member "b" in limit, which has its value already (at /site/limits/1) [member-unknown]`,
			`2:25: "limits": expected a number (decimal), found a string (at /site/limits/2) [shape]`,
		}},
		{"bounds", `{"site": {"open": true, "building": {"doors": ["a"]}, "racks": {"a": {}, "b": {}, "c": {}, "d": {}}}}`, []string{
			`1:2: site has 4 of member "racks", expected 3 at most (at /site) [member-duplicate]`,
			`1:37: building has 1 of member "doors", expected 2 at least (at /site/building) [member-missing]`,
		}},
		{"array of one", `{"site": {"open": true, "spares": [{}]}}`, []string{
			`1:35: "spares": expected one item without an array, found an array of one item (at /site) [shape]`,
		}},
		{"first item of an array", `{"site": {"open": true, "spares": [{"serial": " "}, {}]}}`, []string{
			`1:47: expected a string (text without line breaks and without white space at its ends, not empty), found " " (at /site/spares/0/serial) [datatype]`,
		}},
		{"choice", `{"site": {}}`, []string{`1:2: site lacks one of "open", "opening-hours" (at /site) [choice]`}},
		{"xml keys", `<site xmlns="https://example.org/ns/site">
<limit unit="W" name="unit">1</limit>
<racks><rack id="a"><machine xmlns="https://example.org/ns/machine"/></rack>
<rack id="a"/></racks>
<open>true</open></site>`, []string{
			`2:17: attribute "name" is "unit", which is the name of another member in JSON (at /site[1]/limit[1]) [shape]`,
			`3:21: machine lacks attribute "serial", the key of its group (at /site[1]/racks[1]/rack[1]/machine[1]) [member-missing]`,
			`4:7: a second rack has the key "a" (at /site[1]/racks[1]/rack[2]) [member-duplicate]`,
		}},
		{"xml namespaces", `<site xmlns="https://example.org/ns/site" xmlns:m="https://example.org/ns/machine">
<m:open>true</m:open><open>true</open><spare/><m:spare><m:label/><label/></m:spare></site>`, []string{
			`2:1: the element <m:open> is of the namespace "https://example.org/ns/machine", expected "https://example.org/ns/site" (at /site[1]) [namespace]`,
			`2:39: the element <spare> is of the namespace "https://example.org/ns/site", expected "https://example.org/ns/machine" (at /site[1]) [namespace]`,
			`2:56: warning: label is empty (at /site[1]/spare[1]/label[1]) [datatype]`,
			`2:66: the element <label> is of the namespace "https://example.org/ns/site", expected "https://example.org/ns/machine" (at /site[1]/spare[1]) [namespace]`,
		}},
		{"another root", `{"catalog": {}}`, []string{`1:2: unknown member "catalog"; expected one root member: site [member-unknown]`}},
	}
	m := site(t)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := Parse(tt.text, &ReadOptions{Metaschema: m})
			require.ErrorIs(t, err, ErrInvalid)
			problems, _ := errors.AsType[Problems](err)
			if doc != nil {
				problems = doc.Problems()
			}
			var got []string
			for _, p := range problems {
				got = append(got, p.Error())
			}
			require.Equal(t, tt.want, got)
		})
	}
}

const moduleHead = `<METASCHEMA xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0"><schema-name>T</schema-name><schema-version>1</schema-version>
<short-name>t</short-name><namespace>urn:t</namespace>
`

// TestLoadMetaschemaProblems: a broken module says where, what was expected and
// what was found, all at once.
func TestLoadMetaschemaProblems(t *testing.T) {
	root := `<define-assembly name="r"><root-name>r</root-name>`
	tests := []struct {
		name  string
		files map[string]string // the first module is m.xml, its head left out
		want  []string
	}{
		{"names and values", map[string]string{"m.xml": root + `
<flag ref="f" requird="yes"/><flag/>
<modle/>
<model>
<field ref="x"/><assembly ref="r" max-occurs="many"/>
<define-field name="a b" as-type="text" collapsible="yes"/>
</model></define-assembly></METASCHEMA>`}, []string{
			`m.xml:4:1: unknown attribute "requird" in <flag>, expected ref, index, deprecated, default, required (at /METASCHEMA[1]/define-assembly[1]/flag[1]) [member-unknown]`,
			`m.xml:4:1: expected the name of a <define-flag> of this module or of one that it imports, found "f" (at /METASCHEMA[1]/define-assembly[1]/flag[1]) [reference-dangling]`,
			`m.xml:4:30: <flag> lacks the attribute "ref" (at /METASCHEMA[1]/define-assembly[1]/flag[2]) [member-missing]`,
			`m.xml:5:1: unknown element <modle> in <define-assembly>, expected use-name, root-name, json-key, group-as, flag, define-flag, model, constraint, example, formal-name, description, prop, remarks (at /METASCHEMA[1]/define-assembly[1]/modle[1]) [member-unknown]`,
			`m.xml:7:1: expected the name of a <define-field> of this module or of one that it imports, found "x" (at /METASCHEMA[1]/define-assembly[1]/model[1]/field[1]) [reference-dangling]`,
			`m.xml:7:17: max-occurs: expected a whole number up to 1000000 or unbounded, found "many" (at /METASCHEMA[1]/define-assembly[1]/model[1]/assembly[1]) [datatype]`,
			`m.xml:8:1: as-type: expected a data type (base64, boolean, date, date-time, date-time-with-timezone, date-with-timezone, decimal, email-address, hostname, integer, ip-v4-address, ip-v6-address, markup-line, markup-multiline, non-negative-integer, positive-integer, string, token, uri, uri-reference, uuid), found "text" (at /METASCHEMA[1]/define-assembly[1]/model[1]/define-field[1]) [datatype]`,
			`m.xml:8:1: collapsible fields are not supported: they would lose the order of the document (at /METASCHEMA[1]/define-assembly[1]/model[1]/define-field[1]) [unsupported]`,
			`m.xml:8:1: name: expected a name (a letter or _, then letters, digits, '.', '-' or '_'), found "a b" (at /METASCHEMA[1]/define-assembly[1]/model[1]/define-field[1]) [datatype]`,
		}},
		{"groups and keys", map[string]string{"m.xml": root + `<model>
<define-field name="a" max-occurs="unbounded"/>
<define-field name="b" max-occurs="2" min-occurs="3"><group-as name="a" in-json="BY_KEY"/></define-field>
<define-field name="c"><json-key flag-ref="no"/><json-value-key>v</json-value-key><json-value-key-flag/><define-flag name="v" as-type="markup-line"/></define-field>
<define-field name="d" as-type="markup-multiline" in-xml="UNWRAPPED"><define-flag name="x"/></define-field>
<any/><choice-group/>
</model></define-assembly></METASCHEMA>`}, []string{
			`m.xml:3:1: two JSON members of r have the name "a" (at /METASCHEMA[1]/define-assembly[1]) [member-duplicate]`,
			`m.xml:4:1: <define-field> "a" may stand more than once, but lacks the element <group-as> (at /METASCHEMA[1]/define-assembly[1]/model[1]/define-field[1]) [member-missing]`,
			`m.xml:5:1: max-occurs is 2, expected no less than min-occurs 3 (at /METASCHEMA[1]/define-assembly[1]/model[1]/define-field[2]) [datatype]`,
			`m.xml:5:54: the group "a" is BY_KEY, but <define-field> "b" lacks the element <json-key> (at /METASCHEMA[1]/define-assembly[1]/model[1]/define-field[2]/group-as[1]) [member-missing]`,
			`m.xml:6:24: expected the name of a flag of c, found "no" (at /METASCHEMA[1]/define-assembly[1]/model[1]/define-field[3]/json-key[1]) [reference-dangling]`,
			`m.xml:6:83: c has both <json-value-key> and <json-value-key-flag>, expected only one (at /METASCHEMA[1]/define-assembly[1]/model[1]/define-field[3]/json-value-key-flag[1]) [choice]`,
			`m.xml:6:105: as-type: a flag cannot hold markup, found "markup-line" (at /METASCHEMA[1]/define-assembly[1]/model[1]/define-field[3]/define-flag[1]) [datatype]`,
			`m.xml:7:1: d is UNWRAPPED in XML, expected a field without flags that stands once (at /METASCHEMA[1]/define-assembly[1]/model[1]/define-field[4]) [unsupported]`,
			`m.xml:8:1: <any> is not supported: the tables hold members that have names (at /METASCHEMA[1]/define-assembly[1]/model[1]/any[1]) [unsupported]`,
			`m.xml:8:7: <choice-group> is not supported: the tables hold members that have names (at /METASCHEMA[1]/define-assembly[1]/model[1]/choice-group[1]) [unsupported]`,
		}},
		{"imports in a circle", map[string]string{
			"m.xml":   `<import href="d/a.xml"/>` + root + `</define-assembly></METASCHEMA>`,
			"d/a.xml": moduleHead + `<import href="../m.xml"/></METASCHEMA>`,
		}, []string{`d/a.xml:3:1: the imports go in a circle: m.xml, d/a.xml, m.xml (at /METASCHEMA[1]/import[1]) [reference-unavailable]`}},
		{"imports from elsewhere", map[string]string{"m.xml": `<import href="../up.xml"/><import href="/etc/passwd"/>
<import href="https://example.org/x.xml"/><import href="none.xml"/>` + root + `<flag ref="f"/></define-assembly></METASCHEMA>`}, []string{
			`m.xml:3:1: cannot import: "../up.xml" leads out of the folder (at /METASCHEMA[1]/import[1]) [reference-unavailable]`,
			`m.xml:3:27: cannot import: expected the relative path of a file, found "/etc/passwd" (at /METASCHEMA[1]/import[2]) [reference-unavailable]`,
			`m.xml:4:1: cannot import: expected the relative path of a file, found "https://example.org/x.xml" (at /METASCHEMA[1]/import[3]) [reference-unavailable]`,
			`m.xml:4:43: cannot read none.xml: open none.xml: file does not exist (at /METASCHEMA[1]/import[4]) [reference-unavailable]`,
		}},
		{"what is imported", map[string]string{
			"m.xml": `<import href="a.xml"/>` + root + `<flag ref="local"/><flag ref="f"/></define-assembly></METASCHEMA>`,
			"a.xml": moduleHead + `<define-flag name="local" scope="local"/><define-flag name="f"/>
<define-flag name="f"/><define-assembly name="second"><root-name>r</root-name></define-assembly></METASCHEMA>`,
		}, []string{
			`m.xml:3:73: expected the name of a <define-flag> of this module or of one that it imports, found "local" (at /METASCHEMA[1]/define-assembly[1]/flag[1]) [reference-dangling]`,
			`a.xml:4:1: <define-flag> "f" stands here a second time, the first is in line 3 (at /METASCHEMA[1]/define-flag[3]) [member-duplicate]`,
			`a.xml:4:24: a second assembly has the root-name "r" (at /METASCHEMA[1]/define-assembly[1]) [member-duplicate]`,
		}},
		{"no root", map[string]string{"m.xml": `</METASCHEMA>`}, []string{
			`m.xml:1:1: expected an assembly with a <root-name> in the module or in those that it imports, found none (at /METASCHEMA[1]) [root-missing]`,
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for name, text := range tt.files {
				if name == "m.xml" {
					text = moduleHead + text
				}
				fsys[name] = &fstest.MapFile{Data: []byte(text)}
			}
			_, err := LoadMetaschema(fsys, "m.xml", nil)
			require.Equal(t, tt.want, texts(t, err))
		})
	}
}

// texts returns the problems of an error as texts.
func texts(t *testing.T, err error) []string {
	require.ErrorIs(t, err, ErrInvalid)
	problems, ok := errors.AsType[Problems](err)
	require.True(t, ok)
	var out []string
	for _, p := range problems {
		out = append(out, p.Error())
	}
	return out
}

// TestLoadMetaschemaTexts: what is no module at all, and what is too much of one.
func TestLoadMetaschemaTexts(t *testing.T) {
	bomb := `<!DOCTYPE METASCHEMA [<!ENTITY a "` + strings.Repeat("x", 100) + `"><!ENTITY b "&a;&a;">]>` + "\n"
	entities := `<!DOCTYPE METASCHEMA [<!ENTITY e SYSTEM "e.ent">]>` + "\n"
	tests := []struct {
		name, text, want string
	}{
		{"another document", `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0"/>`, `m.xml:1:1: expected an element of the namespace http://csrc.nist.gov/ns/oscal/metaschema/1.0, found one of "http://csrc.nist.gov/ns/oscal/1.0" [namespace]`},
		{"another root", `<x xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0"/>`, `m.xml:1:1: expected <METASCHEMA>, found <x> (at /x[1]) [root-missing]`},
		{"no text", ``, `m.xml: there is no root element [root-missing]`},
		{"json", `{"x": 1}`, `m.xml: there is no root element [root-missing]`},
		{"not well-formed", moduleHead + "<import>", `m.xml:3:9: not well-formed: unexpected EOF (at /METASCHEMA[1]/import[1]) [syntax]`},
		{"encoding", "<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?>", `m.xml:1:44: xml: opening charset "ISO-8859-1": expected the encoding UTF-8, found ISO-8859-1 [syntax]`},
		{"bytes", "\xff", `m.xml: cannot read m.xml: m.xml is not UTF-8 [reference-unavailable]`},
		{"depth", moduleHead + strings.Repeat("<remarks>", 100), `m.xml:3:892: elements are nested deeper than 100 (at ` + "/METASCHEMA[1]" + strings.Repeat("/remarks[1]", 99) + `) [limit]`},
		{"entities inside", bomb + moduleHead, `m.xml:1:1: expected declarations of external entities only (<!ENTITY name SYSTEM "file">) in the document type, found "<!ENTITY a \"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"... [unsupported]`},
		{"entity from elsewhere", `<!DOCTYPE METASCHEMA [<!ENTITY a SYSTEM "../../x">]>` + moduleHead, `m.xml:1:1: entity a: "../../x" leads out of the folder [reference-unavailable]`},
		{"outer document type", `<!DOCTYPE METASCHEMA SYSTEM "x.dtd">` + moduleHead, `m.xml:1:1: a document type is not allowed [unsupported]`},
		{"entity in an entity", entities + moduleHead + `&e;</METASCHEMA>`, `e.ent:2:4: not well-formed: invalid character entity &e; (at /METASCHEMA[1]) [syntax]`},
		{"too many entities", entities + moduleHead + strings.Repeat("&e;", 4000), `m.xml:4:4438: the modules and their entities have more than 30000 bytes [limit]`},
		{"too long", strings.Repeat(" ", 30001), `m.xml: cannot read m.xml: the modules and their entities have more than 30000 bytes [limit]`},
		{"names", strings.Replace(moduleHead, "urn:t", "http://www.w3.org/2000/xmlns/", 1) + `<define-assembly name="Ω1"><root-name>r²</root-name></define-assembly></METASCHEMA>`, `m.xml:2:27: expected a URI that XML does not reserve, found "http://www.w3.org/2000/xmlns/" (at /METASCHEMA[1]/namespace[1]) [datatype]
m.xml:3:28: <root-name>: expected a name (a letter or _, then letters, digits, '.', '-' or '_'), found "r²" (at /METASCHEMA[1]/define-assembly[1]/root-name[1]) [datatype]`},
		{"too many members", moduleHead + `<define-assembly name="r"><root-name>r</root-name>` + members(64) + `</define-assembly></METASCHEMA>`, `m.xml:3:1: r has 64 members, expected 63 at most (at /METASCHEMA[1]/define-assembly[1]) [limit]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fsys := fstest.MapFS{"m.xml": {Data: []byte(tt.text)}, "e.ent": {Data: []byte("<!-- -->\n&e;")}}
			_, err := LoadMetaschema(fsys, "m.xml", &MetaschemaOptions{MaxBytes: 30000})
			require.Equal(t, tt.want, strings.Join(texts(t, err), "\n"))
		})
	}
	_, err := LoadMetaschema(siteFiles, "site_metaschema.xml", &MetaschemaOptions{MaxFiles: 1})
	require.Equal(t, []string{`site_metaschema.xml:12:3: more than 1 modules (at /METASCHEMA[1]/import[1]) [limit]`}, texts(t, err)[:1])
	for _, name := range []string{"", "../x", "/x", "."} {
		_, err := LoadMetaschema(siteFiles, name, nil)
		require.ErrorIs(t, err, ErrInvalid)
	}
}

func members(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(`<define-flag name="f` + string(rune('a'+i/26)) + string(rune('a'+i%26)) + `"/>`)
	}
	return b.String()
}

// shapes are the valid documents of the corpus' metaschemas that are not OSCAL.
func shapes(tb testing.TB) (fsys fs.FS, cases []struct{ Metaschema, Instance string }) {
	var table struct {
		Cases []struct {
			Metaschema, Instance string
			Valid                bool
		}
	}
	require.NoError(tb, json.Unmarshal(corpus.Read(tb, "oscal/constraints/shapes/cases.json"), &table))
	for _, c := range table.Cases {
		if c.Valid {
			cases = append(cases, struct{ Metaschema, Instance string }{c.Metaschema, c.Instance})
		}
	}
	return os.DirFS(corpus.Path(tb, "oscal/constraints/shapes")), cases
}

// TestShapesRoundTrip: the valid documents go to the other forms and back
// without loss, and where the corpus has one document in both forms these are
// equal.
func TestShapesRoundTrip(t *testing.T) {
	fsys, cases := shapes(t)
	require.Len(t, cases, 22)
	write := func(doc *Document, f Format) string {
		var b bytes.Buffer
		require.NoError(t, doc.Write(&b, &WriteOptions{Format: f}))
		return b.String()
	}
	inJSON := map[string]string{}
	for _, c := range cases {
		m, err := LoadMetaschema(fsys, c.Metaschema, nil)
		require.NoError(t, err)
		text, err := fs.ReadFile(fsys, c.Instance)
		require.NoError(t, err)
		doc, err := Parse(string(text), &ReadOptions{Metaschema: m})
		require.NoError(t, err, c.Instance)
		first := write(doc, JSON)
		inJSON[c.Instance] = first
		for _, way := range [][]Format{{XML, JSON}, {YAML, JSON}, {XML, YAML, JSON}} {
			at := doc
			for _, f := range way {
				at, err = Parse(write(at, f), &ReadOptions{Format: f, Metaschema: m})
				require.NoError(t, err, c.Instance)
				require.NoError(t, equalTrees(doc.root, at.root), c.Instance)
			}
			require.Equal(t, first, write(at, JSON))
		}
	}
	require.Equal(t, inJSON["allowed-values/allowed-values-basic_test_valid_PASS.json"], inJSON["allowed-values/allowed-values-basic_test_valid_PASS.xml"])
}

// TestMetaschemaOfOSCAL: the modules of OSCAL, loaded, give the models that the
// generated tables hold: documents are read with the same problems and written
// as the same bytes.
func TestMetaschemaOfOSCAL(t *testing.T) {
	m, err := LoadMetaschema(os.DirFS(corpus.Path(t, "oscal/metaschema-1.2.2")), "oscal_complete_metaschema.xml", nil)
	require.NoError(t, err)
	require.Equal(t, ModelVersion, m.Version())
	require.Len(t, m.roots, len(roots))
	require.Len(t, m.defs, len(defs))
	for i := range defs {
		want, got := defs[i], m.defs[i]
		require.Equal(t, xmlNamespace, got.Namespace())
		require.Len(t, got.members, len(want.members))
		for j := range want.members {
			w, g := want.members[j], got.members[j]
			if w.def >= 0 {
				require.Same(t, &m.defs[w.def], g.Definition())
			}
			w.def, g.def, g.loaded = 0, 0, nil
			require.Equal(t, w, g)
		}
		want.members, got.members, got.loaded = nil, nil, nil
		require.Equal(t, want, got)
	}
	for _, file := range documents(t, "oscal/documents/nist-examples", "oscal/documents/awkward", "oscal/constraints/cli") {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		want, wantErr := Parse(string(text), nil)
		got, gotErr := Parse(string(text), &ReadOptions{Metaschema: m})
		require.Equal(t, wantErr == nil, gotErr == nil, file)
		if want == nil {
			continue
		}
		var a, b bytes.Buffer
		require.NoError(t, want.Write(&a, &WriteOptions{Format: JSON}))
		require.NoError(t, got.Write(&b, &WriteOptions{Format: JSON}))
		require.Equal(t, a.String(), b.String(), file)
	}
}

// FuzzLoadMetaschema: whatever the module, loading ends with a model or with
// problems that say where, and documents of the model come through as those of
// OSCAL do.
func FuzzLoadMetaschema(f *testing.F) {
	f.Add(siteModule, siteJSON)
	f.Add(siteModule, siteXML)
	f.Add(siteModule, siteYAML)
	f.Add(machineModule, "")
	fsys, cases := shapes(f)
	for _, c := range cases {
		module, err := fs.ReadFile(fsys, c.Metaschema)
		require.NoError(f, err)
		text, err := fs.ReadFile(fsys, c.Instance)
		require.NoError(f, err)
		f.Add(string(module), string(text))
	}
	f.Fuzz(func(t *testing.T, module, text string) {
		fsys := fstest.MapFS{
			"m.xml": {Data: []byte(module)}, "parts/rack-flags.ent": {Data: []byte(rackFlags)}, "parts/machine_metaschema.xml": {Data: []byte(machineModule)},
		}
		m, err := LoadMetaschema(fsys, "m.xml", &MetaschemaOptions{MaxBytes: 1 << 20})
		if err != nil {
			require.Nil(t, m)
			for _, p := range err.(Problems) {
				require.NotEmpty(t, p.File)
				require.NotEmpty(t, p.Message)
				require.NotEmpty(t, p.Rule)
			}
			return
		}
		for _, format := range []Format{JSON, YAML, XML} {
			roundTrip(t, text, format, m)
		}
	})
}
