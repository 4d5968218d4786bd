// Package answer is what the answers of the engines of risk have in common. Each
// engine has types of its own, so that it imports nothing and callers can name
// them; their methods lead here.
package answer

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// Explain writes the steps of a rating as text, a line for each.
func Explain[S fmt.Stringer](why []S) string {
	var b strings.Builder
	for _, s := range why {
		b.WriteString(s.String())
		b.WriteByte('\n')
	}
	return b.String()
}

// Digest returns the SHA-256 of parts, kept apart by their lengths, in
// hexadecimal digits.
func Digest(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		h.Write(strconv.AppendInt(nil, int64(len(p)), 10))
		h.Write([]byte{':'})
		h.Write([]byte(p))
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Number writes a number in plain decimal digits, as short as it reads back the
// same.
func Number(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
