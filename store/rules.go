package store

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// The limits of what names a record.
const (
	maxKey       = 512
	maxName      = 64
	maxPrincipal = 256  // tenant and actor
	maxReason    = 4096 // bytes
	maxAttrs     = 32   // names
	maxAttrValue = 512
	maxValues    = 4096 // of all attributes of a record, and of a condition

	// Of all conditions of a query: databases take 32,766 parameters of a statement
	// (SQLite) or 65,535 (PostgreSQL).
	maxQueryValues = 16384
)

// checkKey: control characters are left out, so that a key can stand in a line
// of a log, and so that this package can use them to part keys.
func checkKey(key string) error {
	switch {
	case key == "":
		return invalid("the key is empty")
	case len(key) > maxKey:
		return invalid("the key has %d bytes, at most %d are allowed", len(key), maxKey)
	}
	return checkText("key", key)
}

func checkText(what, s string) error {
	if !utf8.ValidString(s) {
		return invalid("the %s %.80q is not UTF-8", what, s)
	}
	if i := strings.IndexFunc(s, isControl); i >= 0 {
		return invalid("the %s %.80q has a control character at byte %d", what, s, i)
	}
	return nil
}

// isControl tells whether a character does something to the line that it stands
// in: the controls C0 and C1, those that end lines, and those of the direction of
// writing (Unicode Standard Annex 9, section 2), which show a text as another.
func isControl(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r <= 0x9f: // Cc
	case r == 0x2028, r == 0x2029: // Zl, Zp
	case r == 0x061c, r == 0x200e, r == 0x200f, r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069: // Bidi_Control
	default:
		return false
	}
	return true
}

// checkName checks the name of a collection or an attribute.
func checkName(what, name string) error {
	ok := name != "" && len(name) <= maxName && name[0] >= 'a' && name[0] <= 'z'
	for _, c := range []byte(name) {
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.')
	}
	if !ok {
		return invalid("the name %.80q of %s is not a lower-case letter followed by at most %d of a-z 0-9 - _ .", name, what, maxName-1)
	}
	return nil
}

func (p Principal) check() error {
	if len(p.Tenant) > maxPrincipal || len(p.Actor) > maxPrincipal {
		return invalid("a tenant or actor has more than %d bytes", maxPrincipal)
	}
	if len(p.Reason) > maxReason {
		return invalid("the reason has %d bytes, at most %d are allowed", len(p.Reason), maxReason)
	}
	if !utf8.ValidString(p.Reason) {
		return invalid("the reason is not UTF-8")
	}
	if err := checkText("tenant", p.Tenant); err != nil {
		return err
	}
	return checkText("actor", p.Actor)
}

// NumberValue encodes a number as an attribute: the order of the strings is that
// of the numbers.
func NumberValue(n int64) string { return fmt.Sprintf("%016x", uint64(n)^(1<<63)) }

// FloatValue is [NumberValue] for floating-point numbers. NaN comes last, and -0
// is 0.
func FloatValue(f float64) string {
	bits := math.Float64bits(f + 0) // -0 + 0 = 0
	switch {
	case math.IsNaN(f):
		bits = math.MaxUint64
	case bits>>63 == 1:
		bits = ^bits
	default:
		bits |= 1 << 63
	}
	return fmt.Sprintf("%016x", bits)
}

// TimeValue encodes an instant of the years 0 to 9999 as an attribute: UTC with
// six decimals, so that the order of the strings is that of the instants.
func TimeValue(t time.Time) string { return t.UTC().Format(timeForm) }

// timeForm is RFC 3339 with exactly six decimals, in UTC.
const timeForm = "2006-01-02T15:04:05.000000Z"
