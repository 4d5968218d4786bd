package vuln

import "github.com/issokit/issokit/internal/answer"

// A Step is one line of the arithmetic of a rating: the rule that was applied,
// the quantity that it gave, and from what.
type Step struct {
	Rule  string // metric group, formula or table, e.g. "base", "EQ3", "ssvc:DT_DP:1.0.0"
	Name  string // the quantity, e.g. "AV", "exploitability"
	Value string // what it came to
	Text  string // the words for it, or what it was computed from
}

// String returns the step as a line.
func (s Step) String() string {
	line := s.Rule + ": " + s.Name + " = " + s.Value
	if s.Text != "" {
		line += " (" + s.Text + ")"
	}
	return line
}

// A Rating is what an engine answers. Its shape is that of the other engines:
// risk.Rated makes an assessment of it.
type Rating struct {
	System  string   // URI of the scale that Level is on
	Version string   // of the method or table
	Level   string   // e.g. "high", "out-of-cycle"
	Score   *float64 // the number that goes with it, nil if the method has none
	Why     []Step   // the path, inputs first
	Digest  string   // SHA-256 of method, version and inputs: the same digest means the same question
}

// Explain returns the path as text, a line per step.
func (r Rating) Explain() string {
	return answer.Explain(r.Why)
}

// The systems that ratings of this package are on.
const (
	systemCVSS = "https://github.com/issokit/issokit/ns/oscal/cvss"
	systemSSVC = "https://github.com/issokit/issokit/ns/oscal/ssvc"
)
