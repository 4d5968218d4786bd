package matrix

import (
	"fmt"

	"github.com/issokit/issokit/internal/answer"
)

// SystemFormula is the system of ratings by a [Formula].
const SystemFormula = "https://github.com/issokit/issokit/ns/oscal/likelihood-impact"

// A Formula computes a score from 0 to 10 of the ranks of likelihood L and
// impact I, counted from 1. Older registers use them; they have no meaning beyond
// an order, so use them to import such registers.
type Formula int

// The formulas.
const (
	ImpactTwice     Formula = iota + 1 // L·I + 2·I
	ImpactMore                         // L·I + I
	PlainProduct                       // L·I
	LikelihoodMore                     // L·I + L
	LikelihoodTwice                    // L·I + 2·L
)

var formulaTexts = [...]string{ImpactTwice: "L*I+2*I", ImpactMore: "L*I+I", PlainProduct: "L*I", LikelihoodMore: "L*I+L", LikelihoodTwice: "L*I+2*L"}

func (f Formula) valid() bool { return f >= ImpactTwice && f <= LikelihoodTwice }

// String returns the formula, e.g. "L*I+2*I".
func (f Formula) String() string {
	if !f.valid() {
		return fmt.Sprintf("Formula(%d)", int(f))
	}
	return formulaTexts[f]
}

func (f Formula) at(l, i int64) int64 {
	switch f {
	case ImpactTwice:
		return l*i + 2*i
	case ImpactMore:
		return l*i + i
	case LikelihoodMore:
		return l*i + l
	case LikelihoodTwice:
		return l*i + 2*l
	}
	return l * i
}

// A Threshold names the level of scores from From on.
type Threshold struct {
	Level string
	From  float64
}

// Rate returns the score of the formula, scaled so that the highest likelihood
// and impact give 10, and rounded half up to two decimals. The level is that of
// the last threshold that is not above the score, "" without one. The error is a
// [Problems].
func (f Formula) Rate(likelihood, impact, likelihoods, impacts int, thresholds ...Threshold) (Rating, error) {
	var ps Problems
	if !f.valid() {
		ps.add(RuleInput, "formula", "expected one of the five formulas, found %s", f)
	}
	for _, in := range [...]struct {
		name        string
		rank, count int
	}{{"likelihood", likelihood, likelihoods}, {"impact", impact, impacts}} {
		if in.count < 1 || in.count > maxLevels {
			ps.add(RuleInput, in.name, "expected 1 to %d levels, found %d", maxLevels, in.count)
		} else if in.rank < 1 || in.rank > in.count {
			ps.add(RuleInput, in.name, "expected a rank from 1 to %d, found %d", in.count, in.rank)
		}
	}
	for i, t := range thresholds {
		if !(t.From >= 0 && t.From <= 10) || i > 0 && t.From <= thresholds[i-1].From {
			ps.add(RuleInput, fmt.Sprintf("thresholds/%d", i), "expected rising thresholds from 0 to 10, found %v", t.From)
		}
	}
	if ps != nil {
		return Rating{}, ps
	}
	top := f.at(int64(likelihoods), int64(impacts))
	hundredths := (2*1000*f.at(int64(likelihood), int64(impact)) + top) / (2 * top)
	score := float64(hundredths) / 100
	level := ""
	inputs := []string{SystemFormula, f.String(), fmt.Sprint(likelihood), fmt.Sprint(impact), fmt.Sprint(likelihoods), fmt.Sprint(impacts)}
	for _, t := range thresholds {
		if t.From <= score {
			level = t.Level
		}
		inputs = append(inputs, t.Level, answer.Number(t.From))
	}
	why := []Step{
		{"input", "likelihood", fmt.Sprint(likelihood), fmt.Sprintf("of %d", likelihoods)},
		{"input", "impact", fmt.Sprint(impact), fmt.Sprintf("of %d", impacts)},
		{f.String(), "score", fmt.Sprintf("%.2f", score), fmt.Sprintf("%d of %d, scaled to 10", f.at(int64(likelihood), int64(impact)), top)},
	}
	if level != "" {
		why = append(why, Step{"thresholds", "risk", level, "the last that is not above the score"})
	}
	return Rating{SystemFormula, f.String(), level, &score, why, answer.Digest(inputs...)}, nil
}
