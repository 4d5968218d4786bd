package oscal

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

func problemsOf(t testing.TB, text string, opts *ReadOptions) []string {
	t.Helper()
	doc, err := Parse(text, opts)
	ps, _ := err.(Problems)
	if doc != nil {
		ps = doc.Problems()
	}
	var got []string
	for _, p := range ps {
		got = append(got, p.Error())
	}
	return got
}

// TestAllXMLProblemsAtOnce: faults of several kinds come out together, in order,
// each at its place: an element at its "<", an attribute at its name, a value at
// its first character.
func TestAllXMLProblemsAtOnce(t *testing.T) {
	const text = `<?xml version="1.0"?>
<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0" xmlns:x="urn:x" uuid="no" colour="red">
  <metadata>stray
    <titel>Minimal</titel>
    <version>1.0</version>
    <last-modified>
      2026-01-01</last-modified>
    <oscal-version>1.2.2</oscal-version>
    <oscal-version>1.2.1</oscal-version>
    <revisions></revisions>
    <x:extra><title/></x:extra>
    <prop name="a b" value="é &nbsp; v" name="c"/>
    <remarks>text <li>x</li><p>a <ul/> b<blink>c</p><p class="k">d</p></remarks>
  </metadata>
  <group id="g"><title>é</title><control id="c"><title>C</title></control><group><title>D</title></group></group>
</catalog>`
	require.Equal(t, []string{
		`c.xml:2:74: expected a uuid (a version 4 or 5 UUID, 8-4-4-4-12 hexadecimal digits), found "no" (at /catalog[1]/@uuid) [datatype]`,
		`c.xml:2:78: unknown attribute "colour" in catalog (at /catalog[1]) [member-unknown]`,
		`c.xml:3:3: metadata lacks the required element <title> (at /catalog[1]/metadata[1]) [member-missing]`,
		`c.xml:3:13: expected elements in metadata, found the text "stray" (at /catalog[1]/metadata[1]) [shape]`,
		`c.xml:4:5: unknown element <titel> in metadata; did you mean <title>? (at /catalog[1]/metadata[1]) [member-unknown]`,
		`c.xml:6:5: <last-modified> stands after <version>, expected before it (at /catalog[1]/metadata[1]) [order]`,
		`c.xml:7:7: expected a date-time-with-timezone (YYYY-MM-DDThh:mm:ss, perhaps a fraction, then Z or an offset that is in use), found "2026-01-01" (at /catalog[1]/metadata[1]/last-modified[1]) [datatype]`,
		`c.xml:9:5: <oscal-version> stands twice in metadata (at /catalog[1]/metadata[1]) [member-duplicate]`,
		`c.xml:10:5: <revisions> must hold one <revision> at least, or be left out (at /catalog[1]/metadata[1]) [array-empty]`,
		`c.xml:11:5: the element <x:extra> of the namespace "urn:x" has no place in OSCAL (at /catalog[1]/metadata[1]) [namespace]`,
		`c.xml:12:17: expected a token (a letter or _, then letters, digits, '.', '-' or '_'), found "a b" (at /catalog[1]/metadata[1]/prop[1]/@name) [datatype]`,
		`c.xml:12:31: expected &lt; &gt; &amp; &quot; &apos; or a reference to a character, found "&nbsp; v" [syntax]`,
		`c.xml:12:41: the attribute name stands twice in one tag [member-duplicate]`,
		`c.xml:13:14: expected blocks such as <p> in <remarks>, found the text "text" (at /catalog[1]/metadata[1]/remarks[1]) [markup]`,
		`c.xml:13:19: <li> does not stand in its list or table (at /catalog[1]/metadata[1]/remarks[1]) [markup]`,
		`c.xml:13:34: <ul> is a block and cannot stand in <p> (at /catalog[1]/metadata[1]/remarks[1]) [markup]`,
		`c.xml:13:41: <blink> is no element of markup (at /catalog[1]/metadata[1]/remarks[1]) [markup]`,
		`c.xml:13:49: expected </blink> for the element at 13:41, found </p> [syntax]`,
		`c.xml:13:56: unknown attribute "class" in <p> (at /catalog[1]/metadata[1]/remarks[1]) [member-unknown]`,
		`c.xml:15:3: group has "group" and "control", expected only one of these (at /catalog[1]/group[1]) [choice]`,
	}, problemsOf(t, text, &ReadOptions{Name: "c.xml"}))
}

const xmlMinimal = `<?xml version="1.0" encoding="UTF-8"?>
<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0" uuid="5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10">
  <metadata>
    <title>Minimal</title>
    <last-modified>2026-01-01T00:00:00Z</last-modified>
    <version>1.0</version>
    <oscal-version>1.2.2</oscal-version>
  </metadata>
</catalog>
`

func TestBadXML(t *testing.T) {
	bomb := `<!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;&lol;">]><catalog>&lol2;</catalog>`
	group := `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0">` + strings.Repeat("<group>", 1000)
	markup := `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0"><metadata><remarks>` + strings.Repeat("<blockquote>", 1000)
	for _, tt := range []struct {
		name, text, want string
	}{
		{"bomb", bomb, "1:1: a document type declaration is refused [unsupported]"},
		{"external entity", "\n<!DOCTYPE catalog SYSTEM \"file:///etc/passwd\"><catalog/>", "2:1: a document type declaration is refused [unsupported]"},
		{"late document type", "<catalog><!DOCTYPE x></catalog>", "1:10: a document type declaration is refused [unsupported]"},
		{"no namespace", "<catalog/>", `1:1: expected the namespace http://csrc.nist.gov/ns/oscal/1.0, found "" [namespace]`},
		{"another root", `<x xmlns="http://csrc.nist.gov/ns/oscal/1.0"/>`, "1:1: expected one root element: catalog, mapping-collection, profile, component-definition, system-security-plan, assessment-plan, assessment-results, plan-of-action-and-milestones; found <x> [root-missing]"},
		{"two roots", "<catalog/>\n<profile/>", "2:1: expected one root, found <profile> beside <catalog> [root-several]"},
		{"trailing text", "<catalog/> x", `1:12: expected the end of the document, found the text "x" [trailing-data]`},
		{"only a comment", "<!-- x -->", "1:1: expected one root element: catalog, mapping-collection, profile, component-definition, system-security-plan, assessment-plan, assessment-results, plan-of-action-and-milestones [root-missing]"},
		{"unclosed", "<catalog>\n<metadata><title>x", "2:19: expected </title> for the element at 2:11, found the end of the text [syntax]"},
		{"unclosed tag", "<catalog uuid='x", "1:15: the value of the attribute uuid does not end [syntax]"},
		{"unclosed comment", "<catalog><!-- x", "1:10: the comment does not end [syntax]"},
		{"unclosed section", "<catalog><![CDATA[ x", "1:10: the CDATA section does not end [syntax]"},
		{"unclosed instruction", "<catalog><?x ", "1:10: the processing instruction does not end [syntax]"},
		{"comment", "<catalog><!-- a -- b --></catalog>", `1:17: "--" stands inside of a comment [syntax]`},
		{"late declaration", " <?xml version='1.0'?><catalog/>", "1:2: the XML declaration must stand at the start of the document [syntax]"},
		{"stray end tag", "<catalog></metadata></catalog>", "1:10: </metadata> ends no element [syntax]"},
		{"no quotes", "<catalog uuid=x/>", `1:15: expected the value of the attribute uuid in quotes, found "x" [syntax]`},
		{"no value", "<catalog uuid/>", `1:14: expected "=" after the attribute uuid, found "/" [syntax]`},
		{"no space", `<catalog a="1"b="2"/>`, "1:15: expected white space before the attribute [syntax]"},
		{"less than in a value", `<catalog a="<"/>`, `1:13: "<" stands in the value of the attribute a [syntax]`},
		{"literal less than", "<catalog>1 < 2</catalog>", `1:12: expected a tag, found "< " (a literal "<" is written &lt;) [syntax]`},
		{"section end", "<catalog>]]></catalog>", `1:10: "]]>" stands outside of a CDATA section [syntax]`},
		{"control", "<catalog>\x01</catalog>", "1:10: the character U+0001 cannot stand in XML [syntax]"},
		{"noncharacter", "<catalog>\uffff</catalog>", "1:10: the character U+FFFF cannot stand in XML [syntax]"},
		{"reference to a control", "<catalog><metadata><title>&#1;</title></metadata></catalog>", `1:27: expected &lt; &gt; &amp; &quot; &apos; or a reference to a character, found "&#1;" [syntax]`},
		{"encoding", `<?xml version="1.0" encoding="ISO-8859-1"?><catalog/>`, `1:31: expected UTF-8, found the encoding "ISO-8859-1" [encoding]`},
		{"utf-16", "\xff\xfe<\x00c\x00", "1:1: expected UTF-8, found UTF-16 or UTF-32 [encoding]"},
		{"latin 1", "<?xml version='1.0'?><catalog>\xe9</catalog>", "1:31: expected UTF-8, found the byte 0xE9 [encoding]"},
		{"prefix", "<y:catalog/>", `1:1: the prefix "y" is not declared [namespace]`},
		{"declared twice", `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0" xmlns="u"/>`, "1:52: the attribute xmlns stands twice in one tag [member-duplicate]"},
		{"no namespace for a prefix", `<catalog xmlns:y=""/>`, "1:10: xmlns:y: expected a namespace, found none [namespace]"},
		{"reserved prefix", `<catalog xmlns:xml="u"/>`, `1:10: xmlns:xml="u": the prefixes xml and xmlns and their namespaces belong together [namespace]`},
		{"reserved prefix xmlns", `<catalog xmlns:xmlns="u"/>`, `1:10: xmlns:xmlns="u": the prefixes xml and xmlns and their namespaces belong together [namespace]`},
		{"two prefixes", `<catalog xmlns:a="u" a:b:c="1"/>`, `1:22: expected a name with one prefix, found "a:b:c" [namespace]`},
		{"prefix that is no name", `<catalog xmlns:-x="u"/>`, `1:10: expected one name behind xmlns:, found "-x" [namespace]`},
		{"times sign in a name", "<catalog a\u00d7b='1'/>", "1:11: expected \"=\" after the attribute a, found \"\u00d7\" [syntax]"},
		{"target of an instruction", "<?p:i x?><catalog/>", `1:1: expected the name of a processing instruction without a colon, found "p:i" [syntax]`},
		{"instruction without space", "<?p\u00d7 x?><catalog/>", "1:4: expected the name of a processing instruction, found \"\u00d7\" [syntax]"},
		{"version", `<?xml version="1.0;"?><catalog/>`, `1:7: expected version 1.0, encoding or standalone in the XML declaration, found version="1.0;" [syntax]`},
		{"no version", `<?xml encoding="UTF-8"?><catalog/>`, "1:23: the XML declaration lacks its version [syntax]"},
		{"declaration without space", `<?xml version="1.0"encoding="UTF-8"?><catalog/>`, "1:20: expected white space in the XML declaration [syntax]"},
		{"order in the declaration", `<?xml encoding="UTF-8" version="1.0"?><catalog/>`, "1:24: version stands twice or too late in the XML declaration [syntax]"},
		{"link in a link", `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0"><metadata><title><a href="u">x<em><a href="v">y</a></em></a></title></metadata></catalog>`, "1:86: <a> stands inside of another, and a link can lead to one place only (at /catalog[1]/metadata[1]/title[1]) [markup]"},
		{"deep groups", group, "1:1445: elements are nested deeper than 200 [limit]"},
		{"deep markup", markup, "1:2435: elements are nested deeper than 200 [limit]"},
		{"json name", `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0"><controls/></catalog>`, "1:52: unknown element <controls> in catalog; did you mean <control>? (at /catalog[1]) [member-unknown]"},
		{"no wrapper", `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0"><metadata><revision/></metadata></catalog>`, "1:62: unknown element <revision> in metadata; did you mean <revisions>? (at /catalog[1]/metadata[1]) [member-unknown]"},
		{"flag as element", `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0"><uuid/></catalog>`, "1:52: unknown element <uuid> in catalog; it is an attribute here (at /catalog[1]) [member-unknown]"},
		{"element as flag", `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0" metadata="x"/>`, `1:52: unknown attribute "metadata" in catalog; it is an element here (at /catalog[1]) [member-unknown]`},
		{"element in a value", `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0"><metadata><version>1<b>2</b></version></metadata></catalog>`, "1:72: expected a string in version, found the element <b> (at /catalog[1]/metadata[1]/version[1]) [shape]"},
		{"insert without id", `<catalog xmlns="http://csrc.nist.gov/ns/oscal/1.0"><metadata><title><insert type="param"/></title></metadata></catalog>`, `1:69: <insert> lacks the required attribute "id-ref" (at /catalog[1]/metadata[1]/title[1]) [member-missing]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.text, nil)
			requireLocated(t, err)
			got := problemsOf(t, tt.text, nil)
			require.Contains(t, strings.Join(got, "\n"), tt.want)
		})
	}
}

func manyNamespaces(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "xmlns:n%d='u' ", i)
	}
	return b.String()
}

func TestXMLLimits(t *testing.T) {
	for _, tt := range []struct {
		name string
		text string
		opts ReadOptions
	}{
		{"bytes", xmlMinimal, ReadOptions{MaxBytes: 100}},
		{"depth", xmlMinimal, ReadOptions{MaxDepth: 2}},
		{"nodes", xmlMinimal, ReadOptions{MaxNodes: 5}},
		{"attributes", "<catalog " + strings.Repeat("a='' ", 300) + "/>", ReadOptions{}},
		{"namespaces of a tag", "<catalog " + manyNamespaces(300) + "/>", ReadOptions{}},
		{"namespaces of several", "<catalog " + manyNamespaces(200) + "><metadata " + manyNamespaces(200) + "/></catalog>", ReadOptions{}},
		{"problems", "<catalog>" + strings.Repeat("<x/>", 100) + "</catalog>", ReadOptions{MaxProblems: 10}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.text, &tt.opts)
			ps := err.(Problems)
			require.Equal(t, RuleLimit, ps[len(ps)-1].Rule)
		})
	}
}

// TestXMLForms: what may be written in several ways is read alike.
func TestXMLForms(t *testing.T) {
	want := mustParseText(t, xmlMinimal)
	change := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(xmlMinimal) }
	for _, tt := range []struct{ name, text string }{
		{"bom and CRLF", bom + strings.ReplaceAll(xmlMinimal, "\n", "\r\n")},
		{"no declaration", strings.TrimPrefix(xmlMinimal, `<?xml version="1.0" encoding="UTF-8"?>`)},
		{"prefix", change("<?", "<?", "</", "</o:", "<", "<o:", "xmlns=", "xmlns:o=")},
		{"comments, instructions, sections", change("Minimal", "Mi<!-- x -->n<?p i?><![CDATA[im]]>al", "<metadata>", "<!-- < & --><metadata><![CDATA[]]>")},
		{"references", change("Minimal", "&#77;&#x69;nimal", "5b4f", "&#53;b4f")},
		{"white space", change("1.0<", "\n\t1.0 <", "Minimal", " Minimal\n", "5b4f", " 5b4f", "title>", "title\n>")},
		{"single quotes", change(`"`, `'`)},
		{"xsi", change(" uuid", ` xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" uuid`)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := Parse(tt.text, nil)
			require.NoError(t, err)
			require.Equal(t, XML, doc.Format())
			require.NoError(t, equalTrees(want.root, doc.root))
			require.Equal(t, xmlMinimal, written(t, doc, XML))
		})
	}
}

func TestXMLOrder(t *testing.T) {
	text := strings.NewReplacer("<version>1.0</version>", "", "<title>", "<version>1.0</version><title>").Replace(xmlMinimal)
	_, err := Parse(text, nil)
	require.ErrorContains(t, err, "4:27: <title> stands after <version>, expected before it (at /catalog[1]/metadata[1]) [order]")
	doc, err := Parse(text, &ReadOptions{AnyOrder: true})
	require.NoError(t, err)
	require.Len(t, doc.Problems(), 1)
	require.Equal(t, xmlMinimal, written(t, doc, XML))
}

// TestXMLPositions: each node points at its tag or at its name.
func TestXMLPositions(t *testing.T) {
	text := strings.ReplaceAll(strings.ReplaceAll(xmlMinimal, "Minimal", "é"), "\n", "\r\n")
	text = strings.Replace(text, "</metadata>", "<revisions><revision><version>é</version></revision></revisions></metadata>", 1)
	doc := mustParseText(t, text)
	metadata := doc.Root().Child("metadata")
	require.Equal(t, Position{Offset: strings.Index(text, "uuid="), Line: 2, Column: 52}, doc.Position(doc.Root().Child("uuid")))
	require.Equal(t, Position{Offset: strings.Index(text, "<title>"), Line: 4, Column: 5}, doc.Position(metadata.Child("title")))
	require.Equal(t, Position{Offset: strings.Index(text, "<revision>"), Line: 8, Column: 14}, doc.Position(metadata.Child("revision")))
	require.Equal(t, "/catalog[1]/metadata[1]/revisions[1]/revision[1]/version[1]", metadata.Child("revision").Child("version").Path())
}

// TestXMLNumbers: numbers and booleans that only XML can write become those of
// JSON and YAML (Metaschema data types; XML Schema part 2 has the forms).
func TestXMLNumbers(t *testing.T) {
	for _, tt := range []struct {
		typ            DataType
		value, literal string
	}{
		{TypeBoolean, "1", "true"},
		{TypeBoolean, "0", "false"},
		{TypeBoolean, "true", "true"},
		{TypeBoolean, "yes", ""},
		{TypeInteger, "+5", "5"},
		{TypeInteger, "-05", "-5"},
		{TypeInteger, "007", "7"},
		{TypeInteger, "0", "0"},
		{TypeDecimal, ".5", "0.5"},
		{TypeDecimal, "1.", "1"},
		{TypeDecimal, "-.50", "-0.50"},
		{TypeDecimal, "1.0", "1.0"},
		{TypeDecimal, "1e3", "1e3"},
		{TypeDecimal, "x", ""},
		{TypeDecimal, ".", ""},
		{TypeString, "5", ""},
	} {
		n := NewNode(&Member{kind: Flag, def: -1, dtype: tt.typ})
		n.SetValue(tt.value)
		require.Equal(t, tt.literal, n.literal(), tt.value)
	}
}

// TestXMLDatatypes: the patterns are those of JSON once white space is taken
// off; numbers and booleans have no type of their own.
func TestXMLDatatypes(t *testing.T) {
	var table struct {
		Types map[string]struct{ Valid, Invalid []json.RawMessage }
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "oscal/documents/datatype-cases.json"), &table))
	slots := map[string]string{
		"uuid":                    `<catalog xmlns="NS" uuid="%s">META</catalog>`,
		"token":                   `<catalog xmlns="NS" UUID>META<group id="%s"><title>t</title></group></catalog>`,
		"string":                  `<catalog xmlns="NS" UUID><metadata><title>t</title><last-modified>2026-01-01T00:00:00Z</last-modified><version>%s</version><oscal-version>1.2.2</oscal-version></metadata></catalog>`,
		"uri":                     `<catalog xmlns="NS" UUID>META<group><title>t</title><prop name="n" value="v" ns="%s"/></group></catalog>`,
		"uri-reference":           `<catalog xmlns="NS" UUID>META<group><title>t</title><link href="%s"/></group></catalog>`,
		"date-time-with-timezone": `<catalog xmlns="NS" UUID><metadata><title>t</title><last-modified>%s</last-modified><version>1</version><oscal-version>1.2.2</oscal-version></metadata></catalog>`,
		"base64":                  `<catalog xmlns="NS" UUID>META<back-matter><resource UUID><base64>%s</base64></resource></back-matter></catalog>`,
		"boolean":                 `<profile xmlns="NS" UUID>META<import href="#x"><include-all/></import><merge><as-is>%s</as-is></merge></profile>`,
	}
	n := 0
	for name, slot := range slots {
		check := func(raw json.RawMessage, want bool) {
			var value string
			if json.Unmarshal(raw, &value) != nil {
				value = string(raw)
			}
			switch trimmed := trimXML(value); {
			case value == "1", name == "boolean" && value == "true", name == "boolean" && value == "1":
				want = true // has no other form in XML
			case trimmed != value:
				want = trimmed != "" // space around a value is no data
			}
			n++
			text := strings.NewReplacer("NS", xmlNamespace, "UUID", `uuid="5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10"`,
				"META", `<metadata><title>t</title><last-modified>2026-01-01T00:00:00Z</last-modified><version>1</version><oscal-version>1.2.2</oscal-version></metadata>`).Replace(slot)
			_, err := Parse(fmt.Sprintf(text, value), nil)
			require.Equal(t, want, err == nil, "%s %q: %v", name, value, err)
		}
		for _, raw := range table.Types[name].Valid {
			check(raw, true)
		}
		for _, raw := range table.Types[name].Invalid {
			check(raw, false)
		}
	}
	require.Greater(t, n, 40)
}

// TestLossyMarkup: what Markdown cannot tell makes a warning.
func TestLossyMarkup(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"markup in pre", "<pre>a <em>b</em></pre>", "Markdown has no markup inside of <pre>, only its text is kept"},
		{"no head", "<table><tr><td>a</td></tr></table>", "in Markdown the first row of a table, and no other, is its head"},
		{"alignment", `<table><tr><th>a</th></tr><tr><td align="left">b</td></tr></table>`, "in Markdown a column has one alignment, that of its head"},
		{"code in a cell", `<table><tr><th><code>a\|b</code></th></tr></table>`, "in a table of Markdown code cannot hold a backslash before a pipe, it becomes text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, ps := xmlTree(tt.text, TypeMarkupMultiline)
			requireStable(t, m, TypeMarkupMultiline)
			require.Len(t, ps, 1)
			require.Equal(t, Warning, ps[0].Level)
			require.Equal(t, tt.want, ps[0].Message)
		})
	}
}

// TestXMLCannotHold: a character that XML has no form for is an error of
// writing, and nothing is written.
func TestXMLCannotHold(t *testing.T) {
	doc := mustParseText(t, `{"catalog":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"a\u0007b",
"last-modified":"2026-01-01T00:00:00Z","version":"1\u0000","oscal-version":"1.2.2"}}}`)
	var b strings.Builder
	err := doc.Write(&b, &WriteOptions{Format: XML})
	require.ErrorIs(t, err, ErrInvalid)
	require.EqualError(t, err, "oscal: 1:79: title holds the character U+0007, which cannot stand in XML (at /catalog/metadata/title) [encoding]\n"+
		"2:50: version holds the character U+0000, which cannot stand in XML (at /catalog/metadata/version) [encoding]")
	require.Empty(t, b.String())
}

// TestOnlyMarkdown: what XML has no form for is told before it is left out.
func TestOnlyMarkdown(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"language", "```python title=x\na\n```", []string{`a code block of "python title=x"`}},
		{"language in an item", "- ~~~ go\n  a\n  ~~~", []string{`a code block of "go"`}},
		{"definition", "a\n\n[b]: #c\n[d]: #e\n\n[d]", []string{`the definition "[b]" of a link that no text refers to`}},
		{"none", "a [b]: c\n\n```\nd\n```", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := mustParseText(t, xmlMinimal)
			doc.Root().Child("metadata").Set("remarks", tt.text)
			var got []string
			for _, p := range doc.CheckXML() {
				require.Equal(t, Warning, p.Level)
				got = append(got, strings.TrimSuffix(strings.TrimPrefix(p.Message, "remarks holds "), ", which XML has no form for"))
			}
			require.Equal(t, tt.want, got)
		})
	}
}

// TestHollowMarkup: markup that says nothing is an empty element, at once and
// when it is written again.
func TestHollowMarkup(t *testing.T) {
	const hollow = `{"catalog":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":" ","last-modified":"2026-01-01T00:00:00Z",
"version":"1","oscal-version":"1.2.2","remarks":"[a]: #b"},"groups":[{"title":"x","parts":[{"name":"s","prose":" "}]}]}}`
	require.Equal(t, []string{"2:112: warning: prose says nothing (at /catalog/groups/0/parts/0/prose) [datatype]"}, problemsOf(t, hollow, nil))
	doc := mustParseText(t, hollow)
	text := written(t, doc, XML)
	require.Contains(t, text, "<title/>")
	require.Contains(t, text, "<remarks/>")
	require.Contains(t, text, `<part name="s"/>`)
	require.Equal(t, text, written(t, mustParseText(t, text), XML))
}
