// Package telephone writes telephone numbers as OSCAL wants them.
package telephone

import (
	"strings"
	"unicode"
)

// Digits returns the digits of a number that people write with spaces, dots,
// hyphens and parentheses between them and a + before: the form of ITU-T E.164
// that OSCAL asks for (constraint oscal-metadata-telephone-number-regex, 4 to 15
// digits). "(0)" in an international number, which nobody dials from abroad
// (ITU-T E.123, section 2.8), goes too. A number that says more, such as an
// extension, is returned as it is.
func Digits(number string) string {
	rest := strings.TrimSpace(number)
	if strings.HasPrefix(rest, "+") {
		rest = strings.Replace(rest[1:], "(0)", "", 1)
	}
	digits := strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || strings.ContainsRune(".-()", r) {
			return -1
		}
		return r
	}, rest)
	if len(digits) < 4 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" {
		return number
	}
	return digits
}
