package risk

import (
	"fmt"
	"slices"
)

// names is the table of an enumeration: the name of each value, "" for 0, which
// stands for a value that is not given.
type names []string

func (ns names) has(v int) bool { return v > 0 && v < len(ns) }

func (ns names) string(kind string, v int) string {
	if !ns.has(v) {
		return fmt.Sprintf("%s(%d)", kind, v)
	}
	return ns[v]
}

func (ns names) marshal(kind string, v int) ([]byte, error) {
	if !ns.has(v) {
		return nil, fmt.Errorf("risk: %w: %s", ErrInvalid, ns.string(kind, v))
	}
	return []byte(ns[v]), nil
}

func (ns names) parse(kind, text string) (int, error) {
	if v := slices.Index(ns, text); v > 0 {
		return v, nil
	}
	return 0, fmt.Errorf("risk: %w: expected a %s, one of %q, found %q", ErrInvalid, kind, ns[1:], text)
}

// unmarshal reads the text of an enumeration into v.
func unmarshal[E ~int](ns names, kind string, text []byte, v *E) error {
	n, err := ns.parse(kind, string(text))
	if err == nil {
		*v = E(n)
	}
	return err
}
