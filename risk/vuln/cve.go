package vuln

import "strings"

// A cveID is a CVE identifier as numbers: year and sequence number.
type cveID struct {
	year   uint16
	number uint64
}

// parseCVE reads "CVE-2021-44228": four digits of year, at least four of the
// number, more only without a leading zero, at most 19.
func parseCVE[T string | []byte](s T) (cveID, bool) {
	if len(s) < 13 || len(s) > 28 || s[0] != 'C' || s[1] != 'V' || s[2] != 'E' || s[3] != '-' || s[8] != '-' {
		return cveID{}, false
	}
	var id cveID
	for i := 4; i < 8; i++ {
		if s[i] < '0' || s[i] > '9' {
			return cveID{}, false
		}
		id.year = id.year*10 + uint16(s[i]-'0')
	}
	if len(s) > 13 && s[9] == '0' {
		return cveID{}, false
	}
	for i := 9; i < len(s); i++ {
		if s[i] < '0' || s[i] > '9' {
			return cveID{}, false
		}
		id.number = id.number*10 + uint64(s[i]-'0')
	}
	return id, true
}

func (id cveID) String() string {
	b := []byte("CVE-0000-")
	for i, y := 7, id.year; i >= 4; i, y = i-1, y/10 {
		b[i] += byte(y % 10)
	}
	digits := make([]byte, 0, 20)
	for n := id.number; n > 0 || len(digits) < 4; n /= 10 {
		digits = append(digits, '0'+byte(n%10))
	}
	for i := len(digits) - 1; i >= 0; i-- {
		b = append(b, digits[i])
	}
	return string(b)
}

func (id cveID) compare(o cveID) int {
	switch {
	case id.year != o.year:
		return int(id.year) - int(o.year)
	case id.number < o.number:
		return -1
	case id.number > o.number:
		return 1
	}
	return 0
}

// foldCVE reads an identifier of a person or an old file: in any case, between
// blanks.
func foldCVE(s string) (cveID, bool) {
	return parseCVE(strings.ToUpper(strings.TrimSpace(s)))
}
