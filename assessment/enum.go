package assessment

import (
	"fmt"
	"strconv"
)

// Outcome says what a check found out about one subject. What it is in the
// words of the tool stays in [Record].
type Outcome uint8

// The outcomes.
const (
	OutcomePass          Outcome = iota + 1 // the check ran and found nothing wrong
	OutcomeFail                             // the check ran and found a weakness
	OutcomeError                            // the check failed to run
	OutcomeUnknown                          // the check ran and could not tell
	OutcomeNotApplicable                    // the check does not apply to the subject
	OutcomeNotChecked                       // the check was not run
	OutcomeNotSelected                      // the check is not part of the profile that was run
	OutcomeInformational                    // the check gives information, no judgement
	OutcomeFixed                            // a weakness of before is gone
	OutcomeManual                           // a person has to look
)

var outcomes = []string{
	"", "pass", "fail", "error", "unknown", "not-applicable", "not-checked", "not-selected", "informational", "fixed", "manual",
}

func (o Outcome) String() string                { return enumString("Outcome", outcomes, uint8(o)) }
func (o Outcome) MarshalText() ([]byte, error)  { return enumText(outcomes, uint8(o)) }
func (o *Outcome) UnmarshalText(t []byte) error { return parseEnum((*uint8)(o), outcomes, t) }

// Severity says how much a weakness weighs before the system around it is
// looked at. The order of the values is that of the weights.
type Severity uint8

// The severities, the lightest first.
const (
	Informational Severity = iota + 1
	Low
	Medium
	High
	Critical
)

var severities = []string{"", "informational", "low", "medium", "high", "critical"}

func (s Severity) String() string                { return enumString("Severity", severities, uint8(s)) }
func (s Severity) MarshalText() ([]byte, error)  { return enumText(severities, uint8(s)) }
func (s *Severity) UnmarshalText(t []byte) error { return parseEnum((*uint8)(s), severities, t) }

// SeverityOf returns the severity of a CVSS base score of version 3 or 4: 9.0
// and more is critical, 7.0 high, 4.0 medium, all above 0 low, 0 informational
// (FIRST, CVSS v4.0 Specification, section 6, table 22; "None" is
// [Informational]). A score that is none, below 0 or above 10, has no severity.
func SeverityOf(score float64) Severity {
	switch {
	case !(score >= 0 && score <= 10):
		return 0
	case score >= 9:
		return Critical
	case score >= 7:
		return High
	case score >= 4:
		return Medium
	case score > 0:
		return Low
	}
	return Informational
}

// Verdict is what an assessment says about an objective, a statement or a
// control. OSCAL knows the first two; the others are not findings, they show in
// the coverage.
type Verdict uint8

// The verdictNames.
const (
	Satisfied     Verdict = iota + 1
	NotSatisfied          // something is wrong
	NotApplicable         // leaves the denominator
	NotAssessed           // nobody knows
	Error                 // a check failed to run, so nobody knows
)

var verdictNames = []string{"", "satisfied", "not-satisfied", "not-applicable", "not-assessed", "error"}

func (v Verdict) String() string                { return enumString("Verdict", verdictNames, uint8(v)) }
func (v Verdict) MarshalText() ([]byte, error)  { return enumText(verdictNames, uint8(v)) }
func (v *Verdict) UnmarshalText(t []byte) error { return parseEnum((*uint8)(v), verdictNames, t) }

// Method is a method of assessment of NIST SP 800-53A, section 2.4, in the
// words of OSCAL.
type Method uint8

// The methods.
const (
	Examine Method = iota + 1
	Interview
	Test
)

var methods = []string{"UNKNOWN", "EXAMINE", "INTERVIEW", "TEST"}

func (m Method) String() string {
	if m == 0 {
		return methods[0]
	}
	return enumString("Method", methods, uint8(m))
}
func (m Method) MarshalText() ([]byte, error)  { return []byte(m.String()), nil }
func (m *Method) UnmarshalText(t []byte) error { return parseEnum((*uint8)(m), methods, t) }

func enumString(kind string, names []string, i uint8) string {
	switch {
	case i == 0:
		return "unspecified"
	case int(i) < len(names):
		return names[i]
	}
	return fmt.Sprintf("%s(%d)", kind, i)
}

func enumText(names []string, i uint8) ([]byte, error) {
	if int(i) >= len(names) {
		return nil, fmt.Errorf("assessment: %d %w the enumeration", i, ErrValue)
	}
	return []byte(names[i]), nil
}

// parseEnum is strict: the first name is that of the zero value, all must
// be spelled as String has it.
func parseEnum(to *uint8, names []string, text []byte) error {
	for i, name := range names {
		if name == string(text) {
			*to = uint8(i)
			return nil
		}
	}
	return fmt.Errorf("assessment: %s %w the enumeration, expected one of %q", strconv.Quote(string(text)), ErrValue, names)
}
