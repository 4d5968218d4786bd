package matrix

import "github.com/issokit/issokit/internal/answer"

// A Scale is an ordered list of levels, the lowest first, under the URI of the
// system that defines them. Levels of different systems do not compare.
type Scale struct {
	System string
	Levels []string
}

// A Step is one line of the arithmetic of a rating: the rule that was applied,
// the quantity that it gave, and from what.
type Step struct {
	Rule  string // table or rule, e.g. "G-5", "mean"
	Name  string // the quantity, e.g. "overall-likelihood"
	Value string // what it came to, e.g. "high", "4.375"
	Text  string // row, column, inputs, remarks
}

// String returns the step as a line: "G-5: overall-likelihood = high (row
// initiation very-high, column adverse-impact moderate)".
func (s Step) String() string {
	line := s.Rule + ": " + s.Name + " = " + s.Value
	if s.Text != "" {
		line += " (" + s.Text + ")"
	}
	return line
}

// A Rating is what an engine answers.
type Rating struct {
	System  string   // URI of the scale that Level is on
	Version string   // of the method or of the matrix, "" for none
	Level   string   // e.g. "high"
	Score   *float64 // the number that goes with it, nil if the method has none
	Why     []Step   // the path, inputs first
	Digest  string   // SHA-256 of method, version, tables and inputs: the same digest means the same question
}

// Explain returns the path as text, a line per step.
func (r Rating) Explain() string {
	return answer.Explain(r.Why)
}
