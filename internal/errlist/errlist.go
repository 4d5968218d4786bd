// Package errlist is what lists of problems have in common. Each package has a
// list type of its own, so that callers can name it; its methods lead here.
package errlist

import (
	"fmt"
	"strings"
)

// shown is how many errors a text shows: whoever wants all unwraps the list.
const shown = 10

// Text shows the first ten errors of a list behind a prefix, with a separator
// between them, and says how many more there are.
func Text[E error](prefix, separator string, list []E) string {
	var b strings.Builder
	b.WriteString(prefix)
	for i, e := range list {
		if i > 0 {
			b.WriteString(separator)
		}
		if i == shown {
			fmt.Fprintf(&b, "and %d more", len(list)-i)
			break
		}
		b.WriteString(e.Error())
	}
	return b.String()
}

// Unwrap returns the errors of a list one by one, for errors.Is and errors.As.
func Unwrap[E error](list []E) []error {
	out := make([]error, len(list))
	for i, e := range list {
		out[i] = e
	}
	return out
}
