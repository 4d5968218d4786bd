package oscal

import (
	"github.com/google/uuid"
)

// Namespace is the namespace of the project's own props: the value of their ns.
// The names that the project uses in it are in props.go.
const Namespace = "https://github.com/issokit/issokit/ns/oscal"

// uuidSpace is the name space of all UUIDs that the project derives.
var uuidSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte(Namespace))

// UUID returns the version 5 UUID (RFC 9562, section 5.5) of a name given in
// parts, most general part first: the kind of the object, then its stable ID,
// then what distinguishes it inside of that. The same parts give the same UUID
// on every run, so that a second export of the same facts is byte-identical.
// Parts are kept apart: UUID("a", "bc") and UUID("ab", "c") differ.
func UUID(parts ...string) string {
	n := 0
	for _, p := range parts {
		n += len(p) + 1
	}
	name := make([]byte, 0, n)
	for _, p := range parts {
		name = append(name, p...)
		name = append(name, 0)
	}
	return uuid.NewSHA1(uuidSpace, name).String()
}

// List returns a pointer to the items, or nil if there are none: the form that
// the typed views want for an optional array, where an empty one is not valid.
func List[T any](items ...T) *[]T {
	if len(items) == 0 {
		return nil
	}
	return &items
}

// Items returns what an optional array of a typed view holds, nil for none.
func Items[T any](list *[]T) []T {
	if list == nil {
		return nil
	}
	return *list
}

// Append adds items to an optional array of a typed view.
func Append[T any](list *[]T, items ...T) *[]T {
	return List(append(Items(list), items...)...)
}
