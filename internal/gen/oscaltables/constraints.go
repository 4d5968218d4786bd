package main

import (
	"bytes"
	"cmp"
	"fmt"
	"go/format"
	"io/fs"
	"strings"

	"github.com/issokit/issokit/internal/metaschema"
)

// sarifNamespace is the namespace of the props of constraints that SARIF knows.
const sarifNamespace = "https://docs.oasis-open.org/sarif/sarif/v2.1.0"

var constraintKinds = map[string]string{
	"allowed-values": "AllowedValues", "matches": "Matches", "index": "Index", "index-has-key": "IndexHasKey",
	"is-unique": "IsUnique", "has-cardinality": "HasCardinality", "expect": "Expect", "report": "Report",
}

var levels = map[string]string{
	"": "LevelError", "CRITICAL": "LevelCritical", "ERROR": "LevelError", "WARNING": "LevelWarning",
	"INFORMATIONAL": "LevelInformational", "DEBUG": "LevelDebug",
}

// GenerateConstraints returns the Go source of the constraints that the modules
// define.
func GenerateConstraints(fsys fs.FS, start string) ([]byte, error) {
	s, err := load(fsys, start)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	header(&b, s)
	fmt.Fprintf(&b, "\npackage constraint\n\nimport \"github.com/issokit/issokit/oscal\"\n\nvar builtinHosts = [...]builtinHost{\n")
	for _, h := range s.Hosts {
		if err := writeHost(&b, h); err != nil {
			return nil, err
		}
	}
	fmt.Fprintf(&b, "}\n")
	return format.Source(b.Bytes())
}

func writeHost(b *bytes.Buffer, h metaschema.Host) error {
	fmt.Fprintf(b, "{places: []place{")
	for _, p := range h.Places {
		fmt.Fprintf(b, "{%d, %d},", p[0], p[1])
	}
	fmt.Fprintf(b, "}")
	var lets, rules bytes.Buffer
	number := 0
	for _, c := range h.Rules.Kids {
		key := fmt.Sprintf("%s#%d", h.Key, number)
		if c.Name == "let" {
			fmt.Fprintf(&lets, "{%q, %q},", c.Attrs["var"], c.Attrs["expression"])
			number++
			continue
		}
		kind, ok := constraintKinds[c.Name]
		if !ok {
			continue
		}
		number++
		if err := writeConstraint(&rules, key, kind, c); err != nil {
			return err
		}
	}
	if lets.Len() > 0 {
		fmt.Fprintf(b, ", lets: []letSource{%s}", lets.String())
	}
	fmt.Fprintf(b, ", constraints: []Constraint{\n%s}},\n", rules.String())
	return nil
}

func writeConstraint(b *bytes.Buffer, key, kind string, c *metaschema.Element) error {
	fmt.Fprintf(b, "{Key: %q, ", key)
	level, ok := levels[c.Attrs["level"]]
	if !ok {
		return fmt.Errorf("%s: level %s", key, c.Attrs["level"])
	}
	field := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "%s: %q, ", name, value)
		}
	}
	field("ID", c.Attrs["id"])
	fmt.Fprintf(b, "Kind: Kind%s, Level: %s, ", kind, level)
	target := cmp.Or(strings.Join(strings.Fields(c.Attrs["target"]), " "), ".")
	field("Target", target)
	field("Test", strings.Join(strings.Fields(c.Attrs["test"]), " "))
	field("Name", c.Attrs["name"])
	field("Regex", c.Attrs["regex"])
	if t := c.Attrs["datatype"]; t != "" {
		name, ok := dataTypes[t]
		if !ok {
			return fmt.Errorf("%s: data type %s", key, t)
		}
		fmt.Fprintf(b, "DataType: oscal.Type%s, ", name)
	}
	if kind == "HasCardinality" {
		maxOccurs := cmp.Or(c.Attrs["max-occurs"], "unbounded")
		if maxOccurs == "unbounded" {
			maxOccurs = "-1"
		}
		fmt.Fprintf(b, "MinOccurs: %s, MaxOccurs: %s, ", cmp.Or(c.Attrs["min-occurs"], "0"), maxOccurs)
	}
	if c.Attrs["allow-other"] == "yes" {
		fmt.Fprintf(b, "AllowOther: true, ")
	}
	field("Extensible", c.Attrs["extensible"])
	field("FormalName", strings.Join(strings.Fields(c.ChildText("formal-name")), " "))
	field("Message", strings.Join(strings.Fields(c.ChildText("message")), " "))
	for _, p := range c.Kids {
		if p.Name == "prop" && p.Attrs["namespace"] == sarifNamespace && p.Attrs["name"] == "help-url" {
			field("HelpURL", p.Attrs["value"])
		}
	}
	list := func(name, child string, write func(e *metaschema.Element)) {
		open := false
		for _, e := range c.Kids {
			if e.Name != child {
				continue
			}
			if !open {
				fmt.Fprintf(b, "%s: []%s{", name, map[string]string{"Enums": "Enum", "Keys": "KeyField"}[name])
				open = true
			}
			write(e)
		}
		if open {
			fmt.Fprintf(b, "}, ")
		}
	}
	list("Keys", "key-field", func(e *metaschema.Element) {
		fmt.Fprintf(b, "{Target: %q", e.Attrs["target"])
		if p := e.Attrs["pattern"]; p != "" {
			fmt.Fprintf(b, ", Pattern: %q", p)
		}
		fmt.Fprintf(b, "},")
	})
	list("Enums", "enum", func(e *metaschema.Element) {
		fmt.Fprintf(b, "{Value: %q", e.Attrs["value"])
		if d := e.Attrs["deprecated"]; d != "" {
			fmt.Fprintf(b, ", Deprecated: %q", d)
		}
		fmt.Fprintf(b, "},")
	})
	fmt.Fprintf(b, "},\n")
	return nil
}
