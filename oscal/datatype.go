package oscal

import (
	"encoding/base64"
	"net/netip"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// DataType is a Metaschema data type: the lexical form of a flag or field.
type DataType uint8

// The data types that OSCAL uses, and those that constraints name.
const (
	TypeString DataType = iota + 1
	TypeToken
	TypeUUID
	TypeURI
	TypeURIReference
	TypeDate
	TypeDateTime
	TypeDateWithTimezone
	TypeDateTimeWithTimezone
	TypeEmailAddress
	TypeBase64
	TypeInteger
	TypeNonNegativeInteger
	TypePositiveInteger
	TypeDecimal
	TypeBoolean
	TypeIPv4Address
	TypeIPv6Address
	TypeHostname
	TypeMarkupLine
	TypeMarkupMultiline
)

// typeFacts holds per data type its Metaschema name and what a reader of an
// error has to know of its form.
var typeFacts = [...]struct{ name, form string }{
	TypeString:               {"string", "text without line breaks and without white space at its ends, not empty"},
	TypeToken:                {"token", "a letter or _, then letters, digits, '.', '-' or '_'"},
	TypeUUID:                 {"uuid", "a version 4 or 5 UUID, 8-4-4-4-12 hexadecimal digits"},
	TypeURI:                  {"uri", "an absolute URI: a scheme of two characters or more, a colon, and what follows"},
	TypeURIReference:         {"uri-reference", "a URI or a relative reference"},
	TypeDate:                 {"date", "a real day YYYY-MM-DD, perhaps with Z or an offset that is in use"},
	TypeDateTime:             {"date-time", "YYYY-MM-DDThh:mm:ss, perhaps with a fraction, Z or an offset that is in use"},
	TypeDateWithTimezone:     {"date-with-timezone", "a real day YYYY-MM-DD with Z or an offset that is in use"},
	TypeDateTimeWithTimezone: {"date-time-with-timezone", "YYYY-MM-DDThh:mm:ss, perhaps a fraction, then Z or an offset that is in use"},
	TypeEmailAddress:         {"email-address", "something, an @, something"},
	TypeBase64:               {"base64", "base 64 of RFC 4648 with padding and without white space, not empty"},
	TypeInteger:              {"integer", "a whole number"},
	TypeNonNegativeInteger:   {"non-negative-integer", "a whole number, 0 or more"},
	TypePositiveInteger:      {"positive-integer", "a whole number, 1 or more"},
	TypeDecimal:              {"decimal", "a decimal number"},
	TypeBoolean:              {"boolean", "true or false"},
	TypeIPv4Address:          {"ip-v4-address", "four numbers from 0 to 255 with dots"},
	TypeIPv6Address:          {"ip-v6-address", "an IPv6 address"},
	TypeHostname:             {"hostname", "an internet host name"},
	TypeMarkupLine:           {"markup-line", "one line of Markdown, not empty"},
	TypeMarkupMultiline:      {"markup-multiline", "Markdown"},
}

// String returns the name of the type in Metaschema.
func (t DataType) String() string {
	if int(t) < len(typeFacts) && t > 0 {
		return typeFacts[t].name
	}
	return "DataType(" + strconv.Itoa(int(t)) + ")"
}

// Form describes the lexical form for people.
func (t DataType) Form() string {
	if int(t) < len(typeFacts) {
		return typeFacts[t].form
	}
	return ""
}

// isNumber tells whether JSON writes the type as a number.
func (t DataType) isNumber() bool { return t >= TypeInteger && t <= TypeDecimal }

// isMarkup tells whether the value is Markdown in JSON and YAML.
func (t DataType) isMarkup() bool { return t >= TypeMarkupLine }

// Valid tells whether s is a value of the type in its lexical form, white
// space included (the patterns of the Metaschema data types, which are the
// same in all formats once XML has trimmed).
func (t DataType) Valid(s string) bool {
	switch t {
	case TypeString:
		return validString(s)
	case TypeToken:
		return validToken(s)
	case TypeUUID:
		return validUUID(s)
	case TypeURI:
		return validURI(s)
	case TypeURIReference:
		return validURIReference(s)
	case TypeDate:
		rest, ok := cutDate(s)
		return ok && (rest == "" || validZone(rest))
	case TypeDateWithTimezone:
		rest, ok := cutDate(s)
		return ok && validZone(rest)
	case TypeDateTime:
		rest, ok := cutDateTime(s)
		return ok && (rest == "" || validZone(rest))
	case TypeDateTimeWithTimezone:
		rest, ok := cutDateTime(s)
		return ok && validZone(rest)
	case TypeEmailAddress:
		at := strings.IndexByte(s, '@')
		return validString(s) && at > 0 && strings.LastIndexByte(s, '@') < len(s)-1
	case TypeBase64:
		if s == "" || strings.ContainsAny(s, "\r\n") {
			return false
		}
		_, err := base64.StdEncoding.DecodeString(s)
		return err == nil
	case TypeInteger:
		return validInteger(s)
	case TypeNonNegativeInteger:
		return validInteger(s) && (s[0] != '-' || strings.Trim(s, "-0") == "")
	case TypePositiveInteger:
		return validInteger(s) && s[0] != '-' && strings.Trim(s, "+0") != ""
	case TypeDecimal:
		return validDecimal(s)
	case TypeBoolean:
		return s == "true" || s == "false" || s == "1" || s == "0"
	case TypeIPv4Address:
		a, err := netip.ParseAddr(s)
		return err == nil && a.Is4()
	case TypeIPv6Address:
		a, err := netip.ParseAddr(s)
		return err == nil && a.Is6() && a.Zone() == ""
	case TypeHostname:
		return validHostname(s)
	case TypeMarkupLine:
		return s != "" && strings.IndexByte(s, '\n') < 0
	case TypeMarkupMultiline:
		return true
	}
	return false
}

func validString(s string) bool {
	if s == "" || strings.IndexByte(s, '\n') >= 0 || strings.IndexByte(s, '\r') >= 0 {
		return false
	}
	if s[0] < utf8.RuneSelf && s[len(s)-1] < utf8.RuneSelf {
		return s[0] > ' ' && s[len(s)-1] > ' '
	}
	first, _ := utf8.DecodeRuneInString(s)
	last, _ := utf8.DecodeLastRuneInString(s)
	return !unicode.IsSpace(first) && !unicode.IsSpace(last)
}

func validToken(s string) bool {
	if s == "" {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case c|0x20 >= 'a' && c|0x20 <= 'z', c == '_':
		case c >= '0' && c <= '9', c == '.', c == '-':
			if i == 0 {
				return false
			}
		case c >= utf8.RuneSelf:
			for j, r := range s[i:] {
				letter := r == '_' || unicode.IsLetter(r)
				if !letter && (i+j == 0 || !unicode.IsNumber(r) && r != '.' && r != '-') {
					return false
				}
			}
			return true
		default:
			return false
		}
	}
	return true
}

func validUUID(s string) bool {
	if len(s) != 36 || s[8] != '-' || s[13] != '-' || s[18] != '-' || s[23] != '-' {
		return false
	}
	if s[14] != '4' && s[14] != '5' || strings.IndexByte("89abAB", s[19]) < 0 {
		return false
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		if i == 8 || i == 13 || i == 18 || i == 23 {
			continue
		}
		if (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'f') {
			return false
		}
	}
	return true
}

func validURI(s string) bool {
	colon := strings.IndexByte(s, ':')
	if colon < 2 || colon == len(s)-1 || !isAlpha(s[0]) {
		return false
	}
	for i := 1; i < colon; i++ {
		if c := s[i]; !isAlpha(c) && !isDigit(c) && c != '+' && c != '-' && c != '.' {
			return false
		}
	}
	return validURIReference(s)
}

// validURIReference refuses what RFC 3986 has no place for: white space,
// controls, quotes and brackets of other grammars, and a broken %-escape.
// Letters beyond ASCII pass, as in RFC 3987.
func validURIReference(s string) bool {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c <= ' ', c == 0x7f, c == '"', c == '<', c == '>', c == '\\', c == '^', c == '`', c == '{', c == '|', c == '}':
			return false
		case c == '%':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return false
			}
		}
	}
	return true
}

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
func isHex(c byte) bool   { return isDigit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

// number reads a number of exactly n digits, -1 if there is none.
func number(s string, n int) int {
	if len(s) < n {
		return -1
	}
	v := 0
	for i := range n {
		if !isDigit(s[i]) {
			return -1
		}
		v = v*10 + int(s[i]-'0')
	}
	return v
}

func cutDate(s string) (rest string, ok bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return "", false
	}
	y, m, d := number(s, 4), number(s[5:], 2), number(s[8:], 2)
	if y < 1900 || y > 2999 || m < 1 || m > 12 || d < 1 {
		return "", false
	}
	days := [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[m-1]
	if m == 2 && y%4 == 0 && (y%100 != 0 || y%400 == 0) {
		days = 29
	}
	return s[10:], d <= days
}

func cutDateTime(s string) (rest string, ok bool) {
	s, ok = cutDate(s)
	if !ok || len(s) < 9 || s[0] != 'T' || s[3] != ':' || s[6] != ':' {
		return "", false
	}
	h, m, sec := number(s[1:], 2), number(s[4:], 2), number(s[7:], 2)
	if h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 59 {
		return "", false
	}
	s = s[9:]
	if strings.HasPrefix(s, ".") {
		n := 1
		for n < len(s) && isDigit(s[n]) {
			n++
		}
		if n == 1 {
			return "", false
		}
		s = s[n:]
	}
	return s, true
}

// validZone knows Z and the offsets that the Metaschema pattern lists: whole
// hours from -12 to +14 and the half and quarter hours that exist.
func validZone(s string) bool {
	if s == "Z" {
		return true
	}
	if len(s) != 6 || s[3] != ':' {
		return false
	}
	h := number(s[1:], 2)
	if h < 0 {
		return false
	}
	switch s[0] {
	case '-':
		return s[4:] == "00" && h <= 12 || s[4:] == "30" && (h == 3 || h == 9)
	case '+':
		switch s[4:] {
		case "00":
			return h <= 14
		case "30":
			return h == 3 || h == 4 || h == 5 || h == 6 || h == 9 || h == 10
		case "45":
			return h == 5 || h == 8 || h == 12
		}
	}
	return false
}

func validInteger(s string) bool {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	if s == "" {
		return false
	}
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return true
}

func validDecimal(s string) bool {
	if s != "" && (s[0] == '+' || s[0] == '-') {
		s = s[1:]
	}
	whole, frac, _ := strings.Cut(s, ".")
	return whole+frac != "" && strings.Trim(whole+frac, "0123456789") == ""
}

func validHostname(s string) bool {
	if s == "" || len(s) > 253 {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		for _, r := range label {
			if r != '-' && !unicode.IsLetter(r) && !unicode.IsNumber(r) {
				return false
			}
		}
	}
	return true
}
