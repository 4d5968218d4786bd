package file

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
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

// nameFile is in a folder whose name was shortened, and says what it stands for.
const nameFile = ".name"

// nameOf returns the text that the name of a folder stands for.
func nameOf(folder string) (string, error) {
	base := filepath.Base(folder)
	var text string
	if strings.Contains(base, "~") {
		b, err := os.ReadFile(filepath.Join(folder, nameFile))
		if err != nil {
			return "", fmt.Errorf("%s has a shortened name: %w", folder, err)
		}
		text = string(b)
	} else {
		text = unescape(base)
	}
	if escape(text) != base {
		return "", fmt.Errorf("%s: its name is not one that this package writes", folder)
	}
	return text, nil
}

// unescape is the inverse of escape, for names that are not shortened.
func unescape(name string) string {
	if name == "%" {
		return ""
	}
	var b strings.Builder
	for {
		plain, rest, ok := strings.Cut(name, "%")
		b.WriteString(plain)
		if !ok {
			return b.String()
		}
		n := min(2, len(rest))
		c, _ := hex.DecodeString(rest[:n]) // escape does not write what cannot be decoded
		b.Write(c)
		name = rest[n:]
	}
}
