package oscal

import (
	"cmp"
	"errors"
	"fmt"
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

// Since returns the OSCAL version in which a member of the definition came up,
// the first of its minor version. All that the project knows was there in 1.0.0,
// but for what it says here.
func (d *Definition) Since(m *Member) Version {
	return sinceVersion(d.module + "/" + d.name + "/" + m.name)
}

func sinceVersion(key string) Version {
	if s, ok := since[key]; ok {
		v, _ := ParseVersion(s)
		return v
	}
	return Version{Major: 1}
}

// ErrVersion is the error of [Document.ToVersion] when the version cannot be
// written.
var ErrVersion = errors.New("the document cannot be written in this OSCAL version")

// ToVersion returns the document as one of another OSCAL version, newer or
// older: a copy whose oscal-version is that version, and the receiver as it was.
// What the version has no place for is left out, and each such loss is among the
// problems, as a warning at its place in the receiver; so are members that the
// version deprecates. The error matches [ErrVersion] if the version is not among
// those that can be read, or has no such model.
func (d *Document) ToVersion(v Version) (*Document, Problems, error) {
	if v.Major != 1 || v.Minor > modelVersion().Minor {
		return nil, nil, fmt.Errorf("oscal: %w: %s is not among 1.0.0 to %d.%d.x", ErrVersion, v, modelVersion().Major, modelVersion().Minor)
	}
	if d.Metaschema() != nil {
		return nil, nil, fmt.Errorf("oscal: %w: %s is a model of %s", ErrVersion, d.Model(), d.Metaschema().Name())
	}
	if first := sinceVersion("/" + d.Model()); first.Compare(v) > 0 {
		return nil, nil, fmt.Errorf("oscal: %w: the model %s came up in %s", ErrVersion, d.Model(), first)
	}
	out := &Document{root: d.root.Clone(), name: d.name, schema: d.schema, format: d.format, text: d.text}
	var lost Problems
	note := func(rule Rule, n *Node, format string, args ...any) {
		lost = append(lost, d.Problem(Warning, rule, n, format, args...))
	}
	var carry func(from, to *Node)
	carry = func(from, to *Node) {
		def := from.member.Definition()
		for c, k := from.first, to.first; c != nil; c = c.next {
			next := k.next
			if first := def.Since(c.member); first.Compare(v) > 0 {
				note(RuleVersion, c, "%s of %s came up in OSCAL %s and is left out in %s", c.Name(), from.Name(), first, v)
				to.Remove(k)
			} else {
				if since, ok := ParseVersion(c.member.deprecated); ok && since.Compare(v) <= 0 {
					note(RuleDeprecated, c, "%s of %s is deprecated since OSCAL %s", c.Name(), from.Name(), since)
				}
				carry(c, k)
			}
			k = next
		}
	}
	carry(d.root, out.root)
	if m := out.root.Child("metadata"); m != nil {
		m.Set("oscal-version", v.String())
	}
	return out, lost, nil
}

func modelVersion() Version {
	v, _ := ParseVersion(ModelVersion)
	return v
}
