package constraint

import (
	"fmt"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// ruleUnreadable is the rule of the command isso for a file that could not be
// read.
const ruleUnreadable oscal.Rule = "unreadable"

// A ruleText says what a rule that is no constraint is about.
type ruleText struct {
	category string // input, syntax, structure or references
	short    string // what is wrong
	full     string // what is asked for
	helpURI  string
	warning  bool // the level that it mostly has, error or warning
}

var ruleTexts = map[oscal.Rule]ruleText{
	ruleUnreadable:   {category: "input", short: "File that cannot be read", full: "The file must be there and be readable."},
	oscal.RuleLimit:  {category: "input", short: "Limit reached", full: "The document is larger, deeper or has more findings than was asked to look at. The rest was not checked."},
	oscal.RuleFormat: {category: "syntax", short: "None of the formats of OSCAL", full: "A document must be JSON, YAML or XML."},

	oscal.RuleSyntax:      {category: "syntax", short: "Text that is not well-formed", full: "A document must be well-formed JSON (RFC 8259), YAML 1.2 or XML 1.0."},
	oscal.RuleEncoding:    {category: "syntax", short: "Text that is not UTF-8", full: "A document must be encoded in UTF-8."},
	oscal.RuleTrailing:    {category: "syntax", short: "Text after the document", full: "Nothing may follow the document."},
	oscal.RuleAlias:       {category: "syntax", short: "YAML alias that leads nowhere", full: "A YAML alias must name an anchor that stands before it, and may not be inside of what it names."},
	oscal.RuleUnsupported: {category: "syntax", short: "Notation that is not supported", full: "YAML merge keys, tags and several documents in one file, and XML document types, are not read."},
	oscal.RuleNamespace:   {category: "syntax", short: "Wrong XML namespace", full: "Elements must be in the namespace http://csrc.nist.gov/ns/oscal/1.0."},

	"json-schema": {category: "structure", short: "Against the JSON schema", full: "The JSON form of a document must pass the schema that was given (package oscal/schema)."},

	oscal.RuleRootMissing: {category: "structure", short: "No root of an OSCAL model", full: "The top of a document must be the root of one of the models, such as catalog or system-security-plan."},
	oscal.RuleRootSeveral: {category: "structure", short: "More than one root", full: "A document must have one root of a model."},
	oscal.RuleUnknown:     {category: "structure", short: "Unknown member", full: "An object or element may have only members that the model gives it."},
	oscal.RuleDuplicate:   {category: "structure", short: "Member that stands twice", full: "A member may stand once in an object or element, unless the model gives it as a list."},
	oscal.RuleMissing:     {category: "structure", short: "Required member that is missing", full: "What the model requires of an object or element must be there."},
	oscal.RuleChoice:      {category: "structure", short: "Wrong choice of members", full: "Of members that exclude each other only one may be there, and one of those of which one is needed must be."},
	oscal.RuleShape:       {category: "structure", short: "Wrong shape of a value", full: "An object, array or plain value must stand where the model has one."},
	oscal.RuleEmptyArray:  {category: "structure", short: "Empty array", full: "An array must have one item at least; without any it is left out."},
	oscal.RuleNull:        {category: "structure", short: "Null", full: "A member that has no value is left out; null is no value."},
	oscal.RuleOrder:       {category: "structure", short: "XML element out of order", full: "Elements must follow each other in the order of the model."},
	oscal.RuleMarkup:      {category: "structure", short: "Unknown markup", full: "Text may have only the markup that Metaschema defines.", helpURI: "https://pages.nist.gov/metaschema/specification/datatypes/"},
	oscal.RuleDatatype:    {category: "structure", short: "Value that is not of its data type", full: "A value must have the form of the data type that the model gives it.", helpURI: "https://pages.nist.gov/metaschema/specification/datatypes/"},
	oscal.RuleVersion:     {category: "structure", short: "Unknown version of OSCAL", full: "oscal-version should name a published version of OSCAL.", warning: true},
	oscal.RuleDeprecated:  {category: "structure", short: "Deprecated member", full: "A member that is deprecated should no longer be used.", warning: true},

	oscal.RuleDangling:    {category: "references", short: "Reference that leads nowhere", full: "What is referred to by its identifier must be in the document or in one that it imports."},
	oscal.RuleWrongKind:   {category: "references", short: "Reference to something else", full: "What has the identifier that is referred to must be of the kind that is meant."},
	oscal.RuleUnavailable: {category: "references", short: "Document that is not at hand", full: "References to or through a document can be checked only with that document.", warning: true},
	oscal.RuleDuplicateID: {category: "references", short: "Identifier that two objects have", full: "An identifier must be that of one object of a document.", warning: true},
}

// Rules returns the names of the rules that findings can have, as [Options.Only]
// and [Options.Except] take them: first those that are no constraints, sorted,
// then the IDs and Keys of the constraints of the sets, in table order. An ID
// that several constraints have stands there once.
func Rules(sets ...*Set) []string {
	var out []string
	for rule := range ruleTexts {
		out = append(out, string(rule))
	}
	slices.Sort(out)
	seen := map[string]bool{"": true}
	for _, s := range sets {
		for c := range s.Constraints() {
			for _, name := range []string{c.ID, c.Key} {
				if !seen[name] {
					seen[name] = true
					out = append(out, name)
				}
			}
		}
	}
	return out
}

// describe says in a sentence what a constraint asks for, in as many characters
// as code scanning keeps of a rule (1024).
func describe(c *Constraint) string {
	s := []rune(strings.Join(strings.Fields(sentence(c)), " "))
	if len(s) > 1024 {
		return string(s[:1021]) + "..."
	}
	return string(s)
}

func sentence(c *Constraint) string {
	host := "the context"
	if c.File == "" { // the key names the definition
		_, host, _ = strings.Cut(c.Key, ":")
		host, _, _ = strings.Cut(host, "#")
		host = strings.TrimSuffix(strings.TrimSuffix(host, "(flag)"), "(field)")
	}
	of := host
	if c.Target != "." {
		if of = c.Target; c.File == "" {
			of += " in " + host
		}
	}
	var keys []string
	for _, k := range c.Keys {
		keys = append(keys, k.Target)
	}
	key := "key " + strings.Join(keys, ", ")
	if key == "key ." {
		key = "value"
	}
	switch c.Kind {
	case KindAllowedValues:
		var values []string
		for _, e := range c.Enums {
			if e.Deprecated == "" {
				values = append(values, e.Value)
			}
		}
		if c.AllowOther {
			return fmt.Sprintf("The value of %s should be one of %s; others are allowed.", of, list(values))
		}
		return fmt.Sprintf("The value of %s must be one of %s.", of, list(values))
	case KindMatches:
		if c.Regex == "" {
			return fmt.Sprintf("The value of %s must be a %s.", of, c.DataType)
		}
		return fmt.Sprintf("The value of %s must match %s.", of, c.Regex)
	case KindIndex:
		return fmt.Sprintf("The %s of %s must be unique in the document (index %s).", key, of, c.Name)
	case KindIndexHasKey:
		return fmt.Sprintf("The %s of %s must be in the index %s.", key, of, c.Name)
	case KindIsUnique:
		return fmt.Sprintf("The %s of %s must be unique.", key, of)
	case KindHasCardinality:
		return fmt.Sprintf("There must be %s of %s.", bounds(c.MinOccurs, c.MaxOccurs), of)
	case KindReport:
		return fmt.Sprintf("It is reported where this holds for %s: %s", of, c.Test)
	}
	return fmt.Sprintf("This must hold for %s: %s", of, c.Test)
}
