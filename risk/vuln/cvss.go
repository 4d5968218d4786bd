package vuln

import (
	"iter"
	"strings"
)

// A Vector is a CVSS vector of any version: a comparable value without pointers.
// The zero Vector has no version; its scores are not defined.
type Vector struct {
	version CVSSVersion
	values  [32]uint8 // by metric of the standard, counted from 1; 0 is not defined
}

// ParseVector reads a vector string. Version 2.0 has no prefix and may stand in
// parentheses, as the National Vulnerability Database wrote it; versions 2.0 and
// 4.0 fix the order of metrics, 3.0 and 3.1 take any. The error is a [Problems]
// with the offset of every metric that is wrong; it does not allocate otherwise.
func ParseVector(s string) (Vector, error) {
	var ps Problems
	version, start, end := detectVersion(s, &ps)
	if version == 0 {
		return Vector{}, ps
	}
	std := standards[version]
	v := Vector{version: version}
	var seen uint32
	next := 0 // metric expected here
	for at := start; at <= end; {
		name, value, colon, stop := scan(s, at, end)
		if at == stop {
			if at == end && at > 0 && s[at-1] == '/' {
				ps.at(RuleSyntax, at-1, "", "expected a metric after the separator, found the end")
			} else if end > start {
				ps.at(RuleSyntax, at, "", "expected a metric, found an empty one")
			}
			at = stop + 1
			continue
		}
		i := std.find(name, next)
		code := uint8(0)
		if i >= 0 {
			code = std.metrics[i].code(value)
		}
		if code == 0 {
			std.checkMetric(i, s[at:stop], at, colon-at, &ps)
		}
		if i >= 0 {
			switch {
			case seen&(1<<i) != 0:
				ps.at(RuleDuplicate, at, std.metrics[i].name, "metric %s stands twice", std.metrics[i].name)
			case std.ordered && i < next:
				ps.at(RuleOrder, at, std.metrics[i].name, "metric %s must come before %s", std.metrics[i].name, std.metrics[next-1].name)
			default:
				v.values[i] = code
				next = i + 1
			}
			seen |= 1 << i
		}
		at = stop + 1
	}
	std.checkComplete(version, seen, end, &ps)
	if ps != nil {
		if version == CVSS20 && looksNewer(s) {
			return Vector{}, Problems{{Rule: RuleVersion, Message: `expected "CVSS:3.0/", "CVSS:3.1/" or "CVSS:4.0/" first: the metrics are not those of version 2.0`}}
		}
		return Vector{}, ps
	}
	return v, nil
}

// detectVersion returns the version and where the metrics are.
func detectVersion(s string, ps *Problems) (version CVSSVersion, start, end int) {
	switch {
	case s == "":
		ps.at(RuleSyntax, 0, "", "expected a CVSS vector, found an empty text")
		return 0, 0, 0
	case len(s) >= 8 && s[:5] == "CVSS:" && (len(s) == 8 || s[8] == '/'):
		for v := CVSS30; v <= CVSS40; v++ {
			if s[:8] == standards[v].prefix[:8] {
				return v, min(9, len(s)), len(s)
			}
		}
		if s[5:8] == "2.0" {
			ps.at(RuleUnknown, 0, "", `expected a metric, found %q: a vector of version 2.0 has no prefix`, s[:8])
			return 0, 0, 0
		}
		fallthrough
	case len(s) >= 5 && s[:5] == "CVSS:":
		ps.at(RuleVersion, 0, "", "expected version 3.0, 3.1 or 4.0 after CVSS:, found %q", cut(s[5:min(8, len(s))]))
		return 0, 0, 0
	case len(s) >= 5 && strings.EqualFold(s[:5], "CVSS:"):
		ps.at(RuleVersion, 0, "", `expected "CVSS:", found %q`, s[:5])
		return 0, 0, 0
	case s[0] == '(' || s[len(s)-1] == ')':
		if s[0] == '(' && s[len(s)-1] == ')' && len(s) > 1 {
			return CVSS20, 1, len(s) - 1
		}
		ps.at(RuleSyntax, 0, "", "expected parentheses around the whole vector, found one alone")
		return 0, 0, 0
	}
	return CVSS20, 0, len(s)
}

// looksNewer tells whether a vector that failed as version 2.0 lacks the prefix
// of a later version.
func looksNewer(s string) bool {
	return strings.Contains(s, "/PR:") && !strings.Contains(s, "/Au:")
}

// scan packs the name and the value of the metric that starts at an offset, and
// tells where its colon is, or would be, and where it stops.
func scan(s string, at, end int) (name, value uint64, colon, stop int) {
	name, value = 1, 1
	for stop = at; stop < end && s[stop] != '/' && s[stop] != ':'; stop++ {
		name = name<<8 | uint64(s[stop])
	}
	colon = stop
	if stop < end && s[stop] == ':' {
		for stop++; stop < end && s[stop] != '/'; stop++ {
			value = value<<8 | uint64(s[stop])
		}
	}
	// Longer texts have lost the leading 1.
	if colon-at > 7 {
		name = 0
	}
	if stop-colon > 8 {
		value = 0
	}
	return name, value, colon, stop
}

// checkMetric says what is wrong with a metric whose name or value is none that
// counts: nothing where the value is the one for "not defined".
func (std *standard) checkMetric(i int, s string, at, colon int, ps *Problems) {
	switch {
	case i < 0:
		ps.at(RuleUnknown, at, "", "unknown metric %q", cut(s[:colon]))
	case colon+1 >= len(s):
		ps.at(RuleValue, at, std.metrics[i].name, "expected a value of %s, one of %s, found none", std.metrics[i].name, std.codes(i))
	case s[colon+1:] != std.undefined || i < std.base:
		ps.at(RuleValue, at, std.metrics[i].name, "expected %s to be one of %s, found %q", std.metrics[i].name, std.codes(i), cut(s[colon+1:]))
	}
}

// find looks for a metric, first where it is expected.
func (std *standard) find(packed uint64, next int) int {
	for i := next; i < len(std.metrics); i++ {
		if std.metrics[i].packed == packed {
			return i
		}
	}
	for i := range next {
		if std.metrics[i].packed == packed {
			return i
		}
	}
	return -1
}

// codes lists the values of a metric for a message.
func (std *standard) codes(i int) string {
	var codes []string
	for _, v := range std.metrics[i].values {
		codes = append(codes, v.code)
	}
	if i >= std.base {
		codes = append(codes, std.undefined)
	}
	return strings.Join(codes, ", ")
}

// checkComplete looks for base metrics that are missing and, in version 2.0, for
// groups that are not there as a whole (guide, section 2.4).
func (std *standard) checkComplete(version CVSSVersion, seen uint32, end int, ps *Problems) {
	for i := range std.metrics {
		if seen&(1<<i) != 0 {
			continue
		}
		m := &std.metrics[i]
		if i < std.base {
			ps.at(RuleMissing, end, m.name, "base metric %s is missing", m.name)
		} else if version == CVSS20 && seen>>m.group1&(1<<(m.groupN-m.group1)-1) != 0 {
			ps.at(RuleMissing, end, m.name, "metric %s is missing: the %s group comes as a whole", m.name, m.group)
		}
	}
}

// Version returns the version, 0 for the zero Vector.
func (v Vector) Version() CVSSVersion { return v.version }

// IsValid tells whether v is a vector, i.e. not the zero value.
func (v Vector) IsValid() bool { return v.version != 0 }

// String returns the canonical form: metrics in the order of the standard,
// without those that are not defined; in version 2.0 a group is there as a
// whole or not at all. It is empty for the zero Vector.
func (v Vector) String() string {
	if !v.IsValid() {
		return ""
	}
	std := standards[v.version]
	b := make([]byte, 0, 192)
	b = append(b, std.prefix...)
	for i := range std.metrics {
		m := &std.metrics[i]
		code := std.undefined
		if k := v.values[i]; k > 0 {
			code = m.values[k-1].code
		} else if v.version != CVSS20 || !v.any(m.group1, m.groupN) {
			continue
		}
		if len(b) > len(std.prefix) {
			b = append(b, '/')
		}
		b = append(b, m.name...)
		b = append(b, ':')
		b = append(b, code...)
	}
	return string(b)
}

// any tells whether one of the metrics from one index up to another is defined.
func (v *Vector) any(from, to int) bool {
	for _, k := range v.values[from:to] {
		if k != 0 {
			return true
		}
	}
	return false
}

func (v Vector) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

func (v *Vector) UnmarshalText(text []byte) (err error) {
	if len(text) == 0 {
		*v = Vector{}
		return nil
	}
	*v, err = ParseVector(string(text))
	return err
}

// Get returns the value of a metric, e.g. "N" of "AV", the value for "not
// defined" ("X", in version 2.0 "ND") where it has none, and "" for a metric that
// the version does not know.
func (v Vector) Get(name string) string {
	if !v.IsValid() {
		return ""
	}
	std := standards[v.version]
	i := std.find(pack(name), 0)
	if i < 0 {
		return ""
	}
	if k := v.values[i]; k > 0 {
		return std.metrics[i].values[k-1].code
	}
	return std.undefined
}

// With returns v with one metric changed, e.g. "E" to "A" when an exploit is
// seen. The error is a [Problems].
func (v Vector) With(name, value string) (Vector, error) {
	var ps Problems
	if !v.IsValid() {
		ps.add(RuleMissing, name, "a metric cannot be set without a vector")
		return v, ps
	}
	std, text := standards[v.version], name+":"+value
	i := std.find(pack(name), 0)
	code := uint8(0)
	if i >= 0 {
		code = std.metrics[i].code(pack(value))
	}
	if code == 0 {
		std.checkMetric(i, text, 0, len(name), &ps)
	}
	if ps != nil {
		return v, ps
	}
	v.values[i] = code
	return v, nil
}

// Metrics goes through the metrics that are defined, in the order of the
// standard.
func (v Vector) Metrics() iter.Seq[Metric] {
	return func(yield func(Metric) bool) {
		if !v.IsValid() {
			return
		}
		for i := range standards[v.version].metrics {
			m := &standards[v.version].metrics[i]
			if k := v.values[i]; k > 0 && !yield(Metric{m.group, m.name, m.label, m.values[k-1].code, m.values[k-1].meaning}) {
				return
			}
		}
	}
}

// Nomenclature returns how a score of version 4.0 is to be called (specification,
// section 1.3): "CVSS-B", "CVSS-BT", "CVSS-BE" or "CVSS-BTE", by the groups whose
// metrics are defined; "" for other versions.
func (v Vector) Nomenclature() string {
	if v.version != CVSS40 {
		return ""
	}
	name := "CVSS-B"
	if v.hasTemporal() {
		name += "T"
	}
	if v.hasEnvironmental() {
		name += "E"
	}
	return name
}

// hasTemporal tells whether a temporal, in version 4.0 a threat metric is defined.
func (v *Vector) hasTemporal() bool {
	switch v.version {
	case CVSS20:
		return v.any(v2E, v2CDP)
	case CVSS40:
		return v.values[v4E] != 0
	}
	return v.any(v3E, v3CR)
}

// hasEnvironmental tells whether an environmental metric is defined.
func (v *Vector) hasEnvironmental() bool {
	switch v.version {
	case CVSS20:
		return v.any(v2CDP, v2AR+1)
	case CVSS40:
		return v.any(v4CR, v4S)
	}
	return v.any(v3CR, v3MA+1)
}
