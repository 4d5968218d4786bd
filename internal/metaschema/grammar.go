package metaschema

import (
	"encoding/xml"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A shape says what may stand in an element of a module, and what must.
type shape struct {
	attrs, required []string
	kids            []string
	headers         []string // children that must be there
}

var (
	described = []string{"formal-name", "description", "prop", "remarks"}
	models    = []string{"assembly", "field", "define-assembly", "define-field"}
	occurs    = []string{"min-occurs", "max-occurs"}
)

// shapes are those of the elements of a module (Metaschema specification, Syntax
// of module, definitions and instances; metaschema.xsd). Prose and constraints
// are not looked into: the one has no meaning here, the others are read by
// package constraint.
var shapes = map[string]shape{
	"METASCHEMA": {
		attrs:   []string{"abstract"},
		kids:    []string{"schema-name", "schema-version", "short-name", "namespace", "json-base-uri", "prop", "remarks", "import", "namespace-binding", "define-assembly", "define-field", "define-flag"},
		headers: []string{"schema-name", "schema-version", "short-name", "namespace"},
	},
	"import":            {attrs: []string{"href"}, required: []string{"href"}},
	"namespace-binding": {attrs: []string{"prefix", "uri"}, required: []string{"prefix", "uri"}},
	"define-assembly": {
		attrs: append([]string{"name", "index", "scope", "deprecated"}, occurs...), required: []string{"name"},
		kids: append([]string{"use-name", "root-name", "json-key", "group-as", "flag", "define-flag", "model", "constraint", "example"}, described...),
	},
	"define-field": {
		attrs: append([]string{"name", "index", "scope", "deprecated", "as-type", "default", "in-xml", "collapsible"}, occurs...), required: []string{"name"},
		kids: append([]string{"use-name", "json-key", "json-value-key", "json-value-key-flag", "group-as", "flag", "define-flag", "constraint", "example"}, described...),
	},
	"define-flag": {
		attrs: []string{"name", "index", "scope", "deprecated", "as-type", "default", "required"}, required: []string{"name"},
		kids: append([]string{"use-name", "constraint", "example"}, described...),
	},
	"assembly": {
		attrs: append([]string{"ref", "index", "deprecated"}, occurs...), required: []string{"ref"},
		kids: append([]string{"use-name", "group-as"}, described...),
	},
	"field": {
		attrs: append([]string{"ref", "index", "deprecated", "default", "in-xml"}, occurs...), required: []string{"ref"},
		kids: append([]string{"use-name", "group-as"}, described...),
	},
	"flag": {
		attrs: []string{"ref", "index", "deprecated", "default", "required"}, required: []string{"ref"},
		kids: append([]string{"use-name"}, described...),
	},
	"model":               {kids: append([]string{"choice", "choice-group", "any", "remarks"}, models...)},
	"choice":              {kids: append([]string{"remarks"}, models...)},
	"group-as":            {attrs: []string{"name", "in-json", "in-xml"}, required: []string{"name"}, kids: []string{"remarks"}},
	"json-key":            {attrs: []string{"flag-ref", "flag-name"}},
	"json-value-key":      {attrs: []string{"flag-name"}},
	"json-value-key-flag": {attrs: []string{"flag-ref", "flag-name"}},
	"use-name":            {attrs: []string{"index"}},
	"root-name":           {attrs: []string{"index"}},
}

// values are those that an attribute may have.
var values = map[string][]string{
	"scope": {"local", "global"}, "required": {"yes", "no"}, "abstract": {"yes", "no"}, "collapsible": {"yes", "no"},
	"in-json":  {"ARRAY", "SINGLETON_OR_ARRAY", "BY_KEY"},
	"group-as": {"GROUPED", "UNGROUPED"},                 // its in-xml
	"field":    {"WRAPPED", "WITH_WRAPPER", "UNWRAPPED"}, // that of fields
}

// names are the attributes and elements that hold a name.
var names = []string{"name", "ref", "flag-ref", "flag-name", "prefix", "use-name", "root-name", "json-value-key"}

// check notes what is wrong with an element and those inside of it, whatever
// they refer to.
func (l *loader) check(e *Element) {
	s, ok := shapes[e.Name]
	if !ok {
		return
	}
	for _, a := range slices.Sorted(maps.Keys(e.Attrs)) {
		if !slices.Contains(s.attrs, a) {
			l.problem(e, "member-unknown", "unknown attribute %s in <%s>, expected %s", quote(a), e.Name, oneOf(s.attrs))
			continue
		}
		l.checkValue(e, a, e.Attrs[a])
	}
	for _, a := range s.required {
		if _, ok := e.Attrs[a]; !ok {
			l.problem(e, "member-missing", "<%s> lacks the attribute %s", e.Name, quote(a))
		}
	}
	if slices.Contains(names, e.Name) && e.Attrs["flag-name"] == "" {
		if text := strings.TrimSpace(e.Text); !isToken(text) {
			l.problem(e, "datatype", "<%s>: expected a name (a letter or _, then letters, digits, '.', '-' or '_'), found %s", e.Name, quote(text))
		}
	}
	for _, h := range s.headers {
		if e.ChildText(h) == "" && (h != "schema-name" || e.Child(h) == nil) {
			l.problem(e, "member-missing", "<%s> lacks the element <%s>", e.Name, h)
		}
	}
	if ns := e.ChildText("namespace"); e.Name == "METASCHEMA" && (strings.ContainsAny(ns, " <>\"") || slices.Contains(reserved, ns)) {
		l.problem(e.Child("namespace"), "datatype", "expected a URI that XML does not reserve, found %s", quote(ns))
	}
	seen := map[string]bool{}
	for _, k := range e.Kids {
		switch {
		case !slices.Contains(s.kids, k.Name):
			l.problem(k, "member-unknown", "unknown element <%s> in <%s>, expected %s", k.Name, e.Name, oneOf(s.kids))
			continue
		case k.Name == "any", k.Name == "choice-group":
			l.problem(k, "unsupported", "<%s> is not supported: the tables hold members that have names", k.Name)
		case seen[k.Name] && !repeated(k.Name):
			l.problem(k, "member-duplicate", "<%s> stands twice in <%s>", k.Name, e.Name)
		}
		seen[k.Name] = true
		l.check(k)
	}
}

// repeated tells whether an element may stand more than once in its parent.
func repeated(name string) bool {
	switch name {
	case "prop", "remarks", "example", "import", "namespace-binding", "flag", "define-flag", "choice":
		return true
	}
	return strings.HasPrefix(name, "define-") || slices.Contains(models, name)
}

func (l *loader) checkValue(e *Element, attribute, value string) {
	allowed := values[attribute]
	switch {
	case attribute == "in-xml" && e.Name == "group-as":
		allowed = values["group-as"]
	case attribute == "in-xml":
		allowed = values["field"]
	case slices.Contains(names, attribute):
		if !isToken(value) {
			l.problem(e, "datatype", "%s: expected a name (a letter or _, then letters, digits, '.', '-' or '_'), found %s", attribute, quote(value))
		}
	case attribute == "min-occurs", attribute == "max-occurs":
		n, err := strconv.Atoi(value)
		if value == "unbounded" && attribute == "max-occurs" {
			return
		}
		if err != nil || n < 0 || n == 0 && attribute == "max-occurs" || n > maxOccurs {
			l.problem(e, "datatype", "%s: expected a whole number up to %d%s, found %s", attribute, maxOccurs, map[bool]string{true: " or unbounded"}[attribute == "max-occurs"], quote(value))
		}
	case attribute == "as-type":
		switch t, ok := dataTypes[value]; {
		case !ok:
			l.problem(e, "datatype", "as-type: expected a data type (%s), found %s", strings.Join(typeNames(), ", "), quote(value))
		case e.Name == "define-flag" && strings.HasPrefix(t, "markup"):
			l.problem(e, "datatype", "as-type: a flag cannot hold markup, found %s", quote(value))
		}
	}
	if allowed != nil && !slices.Contains(allowed, value) {
		l.problem(e, "datatype", "%s: expected %s, found %s", attribute, oneOf(allowed), quote(value))
	}
	if attribute == "collapsible" && value == "yes" {
		l.problem(e, "unsupported", "collapsible fields are not supported: they would lose the order of the document")
	}
}

// reserved are the namespaces of XML itself (Namespaces in XML 1.0, section 3).
var reserved = []string{"http://www.w3.org/XML/1998/namespace", "http://www.w3.org/2000/xmlns/", "http://www.w3.org/2001/XMLSchema-instance"}

// maxOccurs bounds the numbers of min-occurs and max-occurs.
const maxOccurs = 1_000_000

// dataTypes maps the names of data types in modules, older ones among them, to
// those of the specification (Data Types; metaschema.xsd, SimpleDatatypesType).
var dataTypes = map[string]string{
	"": "string", "string": "string", "token": "token", "uuid": "uuid", "uri": "uri", "uri-reference": "uri-reference",
	"date": "date", "date-with-timezone": "date-with-timezone", "date-time": "date-time", "date-time-with-timezone": "date-time-with-timezone",
	"email-address": "email-address", "base64": "base64", "integer": "integer", "non-negative-integer": "non-negative-integer",
	"positive-integer": "positive-integer", "decimal": "decimal", "boolean": "boolean", "hostname": "hostname",
	"ip-v4-address": "ip-v4-address", "ip-v6-address": "ip-v6-address", "markup-line": "markup-line", "markup-multiline": "markup-multiline",
	// Names before Metaschema 1.0.
	"NCName": "token", "base64Binary": "base64", "dateTime": "date-time", "dateTime-with-timezone": "date-time-with-timezone",
	"email": "email-address", "nonNegativeInteger": "non-negative-integer", "positiveInteger": "positive-integer",
}

// typeNames lists the names of the specification.
func typeNames() []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(dataTypes)) {
		if dataTypes[name] == name {
			out = append(out, name)
		}
	}
	return out
}

// oneOf lists what is expected.
func oneOf(list []string) string {
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

// isToken knows the names that can be one in XML, JSON and YAML alike: the data
// type token. Some letters and numbers cannot stand in a name of XML.
func isToken(s string) bool {
	ascii := true
	for i, r := range s {
		if r != '_' && !unicode.IsLetter(r) && (i == 0 || !unicode.IsNumber(r) && r != '.' && r != '-') {
			return false
		}
		ascii = ascii && r < utf8.RuneSelf
	}
	if ascii {
		return s != ""
	}
	_, err := xml.NewDecoder(strings.NewReader("<" + s + "/>")).RawToken()
	return err == nil
}
