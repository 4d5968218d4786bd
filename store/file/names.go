package file

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

// maxEscaped keeps names below the 255 bytes of common file systems.
const maxEscaped = 200

// reserved are names that Windows does not allow, with any extension.
var reserved = map[string]bool{
	"con": true, "prn": true, "aux": true, "nul": true,
	"com1": true, "com2": true, "com3": true, "com4": true, "com5": true, "com6": true, "com7": true, "com8": true, "com9": true,
	"lpt1": true, "lpt2": true, "lpt3": true, "lpt4": true, "lpt5": true, "lpt6": true, "lpt7": true, "lpt8": true, "lpt9": true,
}

// escape returns the name of a file or folder for a tenant, collection or key.
// Different texts have different names, also where the file system ignores case
// or normalises Unicode; no name is special or leads out of its folder. Lower-case
// letters, digits, - and _, and dots inside, stand for themselves; all other bytes
// are % and two hexadecimal digits. A long name ends in "~" and a hash.
func escape(text string) string {
	if text == "" {
		return "%"
	}
	stem, _, _ := strings.Cut(text, ".")
	var b strings.Builder
	for i, c := range []byte(text) {
		plain := c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' && i > 0 && i < len(text)-1
		if !plain || i == 0 && reserved[stem] {
			fmt.Fprintf(&b, "%%%02x", c)
		} else {
			b.WriteByte(c)
		}
	}
	name := b.String()
	if len(name) > maxEscaped {
		name = fmt.Sprintf("%s~%x", name[:maxEscaped-65], sha256.Sum256([]byte(text)))
	}
	return name
}
