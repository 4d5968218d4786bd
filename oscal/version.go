package oscal

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// A Version is an OSCAL version.
type Version struct {
	Major, Minor, Patch int
	Pre                 string // what follows a hyphen, e.g. rc1
}

// ParseVersion reads the value of oscal-version. Missing numbers count as 0. It
// reports whether it is a version whose documents can be read: 1.0.0 to 1.2.x.
func ParseVersion(s string) (v Version, ok bool) {
	s, _, _ = strings.Cut(s, "+")
	s, v.Pre, _ = strings.Cut(s, "-")
	parts := strings.Split(s, ".")
	if len(parts) > 3 {
		return Version{}, false
	}
	for i, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 || p[0] == '+' {
			return Version{}, false
		}
		*[]*int{&v.Major, &v.Minor, &v.Patch}[i] = n
	}
	return v, v.Major == 1 && v.Minor <= 2
}

// Compare orders versions as SemVer 2.0.0, section 11, does: a pre-release
// comes before its release; its dotted parts compare as numbers where both are.
func (v Version) Compare(w Version) int {
	if c := cmp.Or(cmp.Compare(v.Major, w.Major), cmp.Compare(v.Minor, w.Minor), cmp.Compare(v.Patch, w.Patch)); c != 0 {
		return c
	}
	if v.Pre == "" || w.Pre == "" {
		return -cmp.Compare(v.Pre, w.Pre)
	}
	return slices.CompareFunc(strings.Split(v.Pre, "."), strings.Split(w.Pre, "."), func(a, b string) int {
		x, errX := strconv.Atoi(a)
		y, errY := strconv.Atoi(b)
		switch {
		case errX == nil && errY == nil:
			return cmp.Compare(x, y)
		case errX == nil:
			return -1
		case errY == nil:
			return 1
		}
		return cmp.Compare(a, b)
	})
}

func (v Version) String() string {
	s := strconv.Itoa(v.Major) + "." + strconv.Itoa(v.Minor) + "." + strconv.Itoa(v.Patch)
	if v.Pre != "" {
		s += "-" + v.Pre
	}
	return s
}
