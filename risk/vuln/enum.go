package vuln

import (
	"fmt"
	"strings"
)

// enumName returns the name of a value, "Type(n)" for one that is none.
func enumName[E ~uint8](e E, names []string, typ string) string {
	if int(e) < len(names) && names[e] != "" {
		return names[e]
	}
	return fmt.Sprintf("%s(%d)", typ, uint8(e))
}

// enumText is enumName for writing: a value that is none is an error.
func enumText[E ~uint8](e E, names []string, typ string) ([]byte, error) {
	if int(e) < len(names) && names[e] != "" {
		return []byte(names[e]), nil
	}
	return nil, fmt.Errorf("vuln: %s(%d) has no name", typ, uint8(e))
}

// enumParse reads a name, exactly as it is written.
func enumParse[E ~uint8](e *E, names []string, text []byte) error {
	var expected []string
	for i, name := range names {
		if name != "" && name == string(text) {
			*e = E(i)
			return nil
		}
		if name != "" {
			expected = append(expected, name)
		}
	}
	return Problems{{Rule: RuleValue, Message: fmt.Sprintf("expected one of %s, found %q", strings.Join(expected, ", "), cut(string(text)))}}
}
