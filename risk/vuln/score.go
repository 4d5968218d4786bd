package vuln

import (
	"fmt"
	"math"
	"strconv"
)

// A Score is a CVSS score in tenths: 98 is 9.8. It is [Undefined] where the
// metrics that it needs are not defined.
type Score int16

// Undefined is the score of a group whose metrics are not defined.
const Undefined Score = -1

// IsDefined tells whether s is a score.
func (s Score) IsDefined() bool { return s >= 0 && s <= 100 }

// Float64 returns the score as a number from 0 to 10, NaN if it is not defined.
func (s Score) Float64() float64 {
	if !s.IsDefined() {
		return math.NaN()
	}
	return float64(s) / 10
}

// String returns the score with its one decimal, "-" if it is not defined.
func (s Score) String() string {
	switch {
	case s == Undefined:
		return "-"
	case s.IsDefined():
		return fmt.Sprintf("%d.%d", s/10, s%10)
	}
	return fmt.Sprintf("Score(%d)", int16(s))
}

// MarshalJSON writes the score as a number with its one decimal, null if it is not
// defined.
func (s Score) MarshalJSON() ([]byte, error) {
	if !s.IsDefined() {
		return []byte("null"), nil
	}
	return []byte(s.String()), nil
}

// UnmarshalJSON reads what MarshalJSON writes, and other numbers as [ScoreOf].
func (s *Score) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		*s = Undefined
		return nil
	}
	f, err := strconv.ParseFloat(string(data), 64)
	if err != nil {
		return Problems{{Rule: RuleValue, Message: fmt.Sprintf("expected a score such as 9.8, found %s", cut(string(data)))}}
	}
	x, err := ScoreOf(f)
	if err == nil {
		*s = x
	}
	return err
}

// ScoreOf returns the score that a number with one decimal means. The error is a
// [Problems] for numbers that are not one, such as 9.85, 11 or NaN.
func ScoreOf(f float64) (Score, error) {
	t := math.Round(f * 10)
	if !(f >= 0 && f <= 10) || math.Abs(f*10-t) > 1e-9 {
		return Undefined, Problems{{Rule: RuleValue, Message: fmt.Sprintf("expected a score from 0.0 to 10.0 with one decimal, found %v", f)}}
	}
	return Score(t), nil
}

// A Severity is a qualitative severity rating.
type Severity uint8

// The severities (CVSS v3.1 specification, section 5; v4.0, section 6). Version
// 2.0 has no scale of its own: NVD's Low, Medium and High are used.
const (
	SeverityNone Severity = iota + 1
	SeverityLow
	SeverityMedium
	SeverityHigh
	SeverityCritical
)

var severityNames = []string{SeverityNone: "none", SeverityLow: "low", SeverityMedium: "medium", SeverityHigh: "high", SeverityCritical: "critical"}

func (s Severity) String() string { return enumName(s, severityNames, "Severity") }

func (s Severity) MarshalText() ([]byte, error) { return enumText(s, severityNames, "Severity") }

func (s *Severity) UnmarshalText(text []byte) error { return enumParse(s, severityNames, text) }

// Severity returns the rating of a score of a version, 0 if it is not defined.
func (s Score) Severity(v CVSSVersion) Severity {
	switch {
	case !s.IsDefined() || v < CVSS20 || v > CVSS40:
		return 0
	case v == CVSS20 && s >= 70:
		return SeverityHigh
	case s == 0 && v != CVSS20:
		return SeverityNone
	case s < 40:
		return SeverityLow
	case s < 70:
		return SeverityMedium
	case s < 90:
		return SeverityHigh
	}
	return SeverityCritical
}

// Scores are the scores of a vector. A score that needs metrics of a group of
// which none is defined is [Undefined].
type Scores struct {
	Base          Score
	Temporal      Score // in version 4.0 the score with the threat metric, CVSS-BT
	Environmental Score // with everything that is defined; in version 4.0 CVSS-BE or CVSS-BTE
}

// Overall returns the score with everything that is defined: the environmental
// score, else the temporal one, else the base score.
func (s Scores) Overall() Score {
	switch {
	case s.Environmental != Undefined:
		return s.Environmental
	case s.Temporal != Undefined:
		return s.Temporal
	}
	return s.Base
}

// Scores computes the scores of a vector, all [Undefined] for the zero Vector. It
// does not allocate. Formulas: CVSS v2.0 guide, section 3.2; v3.0 and v3.1
// specification, section 7; v4.0 specification, section 8.
func (v Vector) Scores() Scores {
	switch v.version {
	case CVSS20:
		return v.scores2()
	case CVSS30, CVSS31:
		return v.scores3()
	case CVSS40:
		return v.scores4()
	}
	return Scores{Undefined, Undefined, Undefined}
}

// Score returns the overall score, see [Scores.Overall].
func (v Vector) Score() Score {
	if v.version == CVSS40 {
		return v.score4(true, true) // what is not defined does not change it
	}
	return v.Scores().Overall()
}

// Severity returns the rating of the overall score, 0 for the zero Vector.
func (v Vector) Severity() Severity { return v.Score().Severity(v.version) }
