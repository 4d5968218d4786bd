package matrix

import (
	"fmt"
	"math"
	"slices"

	"github.com/issokit/issokit/internal/answer"
)

// SystemNIST is the system of the levels of NIST SP 800-30 Rev. 1: very-low,
// low, moderate, high, very-high.
const SystemNIST = "https://github.com/issokit/issokit/ns/oscal/sp800-30"

const nistVersion = "r1"

// A Qualitative is one of the five levels of NIST SP 800-30 Rev. 1. The zero
// value stands for a level that is not known.
type Qualitative uint8

// The levels of the assessment scales.
const (
	VeryLow Qualitative = iota + 1
	Low
	Moderate
	High
	VeryHigh
)

var qualitativeNames = [...]string{VeryLow: "very-low", Low: "low", Moderate: "moderate", High: "high", VeryHigh: "very-high"}

// nistValues are the semi-quantitative values of every five-level scale of the
// publication (tables D-3 to I-3): the ends of the bin on 0 to 100, and the value
// on 0 to 10.
var nistValues = [...]struct{ from, to, value float64 }{
	VeryLow: {0, 4, 0}, Low: {5, 20, 2}, Moderate: {21, 79, 5}, High: {80, 95, 8}, VeryHigh: {96, 100, 10},
}

func (q Qualitative) valid() bool { return q >= VeryLow && q <= VeryHigh }

func (q Qualitative) String() string {
	if !q.valid() {
		return fmt.Sprintf("Qualitative(%d)", uint8(q))
	}
	return qualitativeNames[q]
}

// Value returns the semi-quantitative value: 0, 2, 5, 8 or 10; NaN for an
// unknown level.
func (q Qualitative) Value() float64 {
	if !q.valid() {
		return math.NaN()
	}
	return nistValues[q].value
}

// Bin returns the ends of the semi-quantitative bin on 0 to 100, both
// inclusive, e.g. 21 and 79 for moderate; NaN for an unknown level.
func (q Qualitative) Bin() (from, to float64) {
	if !q.valid() {
		return math.NaN(), math.NaN()
	}
	return nistValues[q].from, nistValues[q].to
}

// MarshalText returns the name of the level; the error is for the zero value
// and others that are no level.
func (q Qualitative) MarshalText() ([]byte, error) {
	if !q.valid() {
		return nil, fmt.Errorf("matrix: %w: %s is no level", ErrInvalid, q)
	}
	return []byte(qualitativeNames[q]), nil
}

// UnmarshalText reads a name as it is in the publication with a hyphen:
// very-low, low, moderate, high, very-high.
func (q *Qualitative) UnmarshalText(text []byte) error {
	v, err := ParseQualitative(string(text))
	if err == nil {
		*q = v
	}
	return err
}

// ParseQualitative returns the level of a name: very-low, low, moderate, high,
// very-high. Others, medium among them, are an error that matches [ErrInvalid].
func ParseQualitative(name string) (Qualitative, error) {
	if i := slices.Index(qualitativeNames[VeryLow:], name); i >= 0 {
		return VeryLow + Qualitative(i), nil
	}
	return 0, fmt.Errorf("matrix: %w: expected very-low, low, moderate, high or very-high, found %q", ErrInvalid, name)
}

// QualitativeOf returns the level of a score on the semi-quantitative scale of
// 0 to 100, read as continuous with lower ends inclusive: [0,5) very-low,
// [5,21) low, [21,80) moderate, [80,96) high, [96,100] very-high.
func QualitativeOf(score float64) (Qualitative, error) {
	if !(score >= 0 && score <= 100) {
		return 0, fmt.Errorf("matrix: %w: expected a score from 0 to 100, found %v", ErrInvalid, score)
	}
	q := VeryHigh
	for score < nistValues[q].from {
		q--
	}
	return q, nil
}

// OccurrenceOf returns the likelihood of occurrence of a non-adversarial event
// by its frequency (table G-3): below 0.1 a year very-low, below 1 low, below 10
// moderate, to 100 high, above very-high. The publication leaves the ends open;
// here the lower ones are inclusive.
func OccurrenceOf(perYear float64) (Qualitative, error) {
	switch {
	case !(perYear >= 0) || math.IsInf(perYear, 1):
		return 0, fmt.Errorf("matrix: %w: expected a frequency of 0 or more a year, found %v", ErrInvalid, perYear)
	case perYear < 0.1:
		return VeryLow, nil
	case perYear < 1:
		return Low, nil
	case perYear < 10:
		return Moderate, nil
	case perYear <= 100:
		return High, nil
	}
	return VeryHigh, nil
}

// overallLikelihood is table G-5 of NIST SP 800-30 Rev. 1: row likelihood of
// initiation or occurrence, column likelihood of adverse impact.
var overallLikelihood = [VeryHigh + 1][VeryHigh + 1]Qualitative{
	VeryLow:  {VeryLow: VeryLow, Low: VeryLow, Moderate: Low, High: Low, VeryHigh: Low},
	Low:      {VeryLow: VeryLow, Low: Low, Moderate: Low, High: Moderate, VeryHigh: Moderate},
	Moderate: {VeryLow: Low, Low: Low, Moderate: Moderate, High: Moderate, VeryHigh: High},
	High:     {VeryLow: Low, Low: Moderate, Moderate: Moderate, High: High, VeryHigh: VeryHigh},
	VeryHigh: {VeryLow: Low, Low: Moderate, Moderate: High, High: VeryHigh, VeryHigh: VeryHigh},
}

// levelOfRisk is table I-2 of NIST SP 800-30 Rev. 1: row overall likelihood,
// column level of impact.
var levelOfRisk = [VeryHigh + 1][VeryHigh + 1]Qualitative{
	VeryLow:  {VeryLow: VeryLow, Low: VeryLow, Moderate: VeryLow, High: Low, VeryHigh: Low},
	Low:      {VeryLow: VeryLow, Low: Low, Moderate: Low, High: Low, VeryHigh: Moderate},
	Moderate: {VeryLow: VeryLow, Low: Low, Moderate: Moderate, High: Moderate, VeryHigh: High},
	High:     {VeryLow: VeryLow, Low: Low, Moderate: Moderate, High: High, VeryHigh: VeryHigh},
	VeryHigh: {VeryLow: VeryLow, Low: Low, Moderate: Moderate, High: High, VeryHigh: VeryHigh},
}

// OverallLikelihood looks table G-5 up. It returns 0 if an input is not known.
func OverallLikelihood(initiationOrOccurrence, adverseImpact Qualitative) Qualitative {
	if !initiationOrOccurrence.valid() || !adverseImpact.valid() {
		return 0
	}
	return overallLikelihood[initiationOrOccurrence][adverseImpact]
}

// LevelOfRisk looks table I-2 up. It returns 0 if an input is not known.
func LevelOfRisk(likelihood, impact Qualitative) Qualitative {
	if !likelihood.valid() || !impact.valid() {
		return 0
	}
	return levelOfRisk[likelihood][impact]
}

// NISTScale returns the levels of NIST SP 800-30 as a [Scale].
func NISTScale() Scale {
	return Scale{SystemNIST, slices.Clone(qualitativeNames[VeryLow:])}
}

// An AssessmentScale is one of the assessment scales of NIST SP 800-30 Rev. 1,
// appendices D to I.
type AssessmentScale struct {
	Table  string  // e.g. "G-2"
	Title  string  // what is assessed
	Levels []Level // the lowest first; Score is the semi-quantitative value, nil in table E-4
}

// AssessmentScales returns the scales of tables D-3, D-4, D-5, D-6, E-4, F-2,
// F-5, G-2, G-3, G-4, H-3 and I-3 with the texts of the publication, a work of
// the United States Government.
func AssessmentScales() []AssessmentScale {
	out := slices.Clone(nistScales[:])
	for i := range out {
		out[i].Levels = slices.Clone(out[i].Levels)
	}
	return out
}

// A Judgement is a level on one of the scales of appendices D to F (D-3
// capability, D-4 intent, D-5 targeting, D-6 range of effects, E-4 relevance,
// F-2 severity, F-5 pervasiveness). They inform the likelihoods; the publication
// gives no formula for that, so they are recorded in the path and nothing is
// computed from them.
type Judgement struct {
	Table string // e.g. "D-3"
	Level string
}

// A ThreatEvent is what NIST SP 800-30 Rev. 1 rates: the likelihood that a
// threat event is initiated or occurs, that it then has adverse impact, and how
// large that is.
type ThreatEvent struct {
	NonAdversarial bool        // error, accident, act of nature: table G-3 instead of G-2
	Initiation     Qualitative // likelihood of initiation (G-2), or of occurrence (G-3)
	AdverseImpact  Qualitative // likelihood that the event results in adverse impacts (G-4)
	Impact         Qualitative // level of impact (H-3)
	Judgements     []Judgement // what the likelihoods were judged from
}

// start returns the table and the name of the first likelihood.
func (t ThreatEvent) start() (table, name string) {
	if t.NonAdversarial {
		return "G-3", "occurrence"
	}
	return "G-2", "initiation"
}

// Rate takes the path through tables G-5 and I-2. The score of the rating is the
// semi-quantitative value of the level (table I-3). The error is a [Problems]
// that names each input that is not known or not on its scale; see
// [ThreatEvent.Possible] for unknown inputs.
func (t ThreatEvent) Rate() (Rating, error) {
	table, name := t.start()
	var ps Problems
	for _, in := range [...]struct {
		name  string
		level Qualitative
	}{{name, t.Initiation}, {"adverse-impact", t.AdverseImpact}, {"impact", t.Impact}} {
		if !in.level.valid() {
			ps.add(RuleInput, in.name, "expected very-low to very-high, found %s", in.level)
		}
	}
	why := t.judgements(&ps)
	if ps != nil {
		return Rating{}, ps
	}
	likelihood := OverallLikelihood(t.Initiation, t.AdverseImpact)
	level := LevelOfRisk(likelihood, t.Impact)
	text := fmt.Sprintf("row %s %s, column adverse-impact %s", name, t.Initiation, t.AdverseImpact)
	if likelihood > min(t.Initiation, t.AdverseImpact) {
		text += "; the table puts it above the lower of the two, which a joint probability cannot exceed"
	}
	why = append(why,
		Step{table, name, t.Initiation.String(), "assessed"},
		Step{"G-4", "adverse-impact", t.AdverseImpact.String(), "assessed"},
		Step{"G-5", "overall-likelihood", likelihood.String(), text},
		Step{"H-3", "impact", t.Impact.String(), "assessed"},
		Step{"I-2", "risk", level.String(), fmt.Sprintf("row overall-likelihood %s, column impact %s", likelihood, t.Impact)},
	)
	inputs := []string{SystemNIST, nistVersion, table, t.Initiation.String(), t.AdverseImpact.String(), t.Impact.String()}
	for _, j := range t.Judgements {
		inputs = append(inputs, j.Table+" "+j.Level)
	}
	slices.Sort(inputs[6:]) // in which order they were told does not count
	return Rating{SystemNIST, nistVersion, level.String(), new(level.Value()), why, answer.Digest(inputs...)}, nil
}

// judgements returns the steps of what the likelihoods were judged from.
func (t ThreatEvent) judgements(ps *Problems) []Step {
	var why []Step
	for i, j := range t.Judgements {
		at := fmt.Sprintf("judgements/%d", i)
		name, ok := judgementNames[j.Table]
		if !ok {
			ps.add(RuleInput, at, "expected table D-3, D-4, D-5, D-6, E-4, F-2 or F-5, found %q", j.Table)
			continue
		}
		if t.NonAdversarial && (j.Table == "D-3" || j.Table == "D-4" || j.Table == "D-5") {
			ps.add(RuleInput, at, "table %s is for adversaries, the event is non-adversarial", j.Table)
		}
		if !t.NonAdversarial && j.Table == "D-6" {
			ps.add(RuleInput, at, "table D-6 is for non-adversarial events, the event is adversarial")
		}
		k := slices.IndexFunc(nistScales[:], func(s AssessmentScale) bool { return s.Table == j.Table })
		if !slices.ContainsFunc(nistScales[k].Levels, func(l Level) bool { return l.Name == j.Level }) {
			ps.add(RuleUnknownLevel, at, "table %s has no level %q", j.Table, j.Level)
		}
		why = append(why, Step{j.Table, name, j.Level, "informs by judgement"})
	}
	return why
}

var judgementNames = map[string]string{
	"D-3": "capability", "D-4": "intent", "D-5": "targeting", "D-6": "range-of-effects",
	"E-4": "relevance", "F-2": "severity", "F-5": "pervasiveness",
}

// Possible returns the levels of risk that are possible, the lowest first, where
// the zero value of an input stands for one that is not known.
func (t ThreatEvent) Possible() []Qualitative {
	var found [VeryHigh + 1]bool
	for a := range choices(t.Initiation) {
		for b := range choices(t.AdverseImpact) {
			for c := range choices(t.Impact) {
				found[levelOfRisk[overallLikelihood[a][b]][c]] = true
			}
		}
	}
	var out []Qualitative
	for q := VeryLow; q <= VeryHigh; q++ {
		if found[q] {
			out = append(out, q)
		}
	}
	return out
}

// choices yields q, or all levels if it is not known.
func choices(q Qualitative) func(func(Qualitative) bool) {
	return func(yield func(Qualitative) bool) {
		if q.valid() {
			yield(q)
			return
		}
		for q := VeryLow; q <= VeryHigh && yield(q); q++ {
		}
	}
}
