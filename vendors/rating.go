package vendors

import "fmt"

// Inherent returns the inherent rating of an engagement: what could happen if no
// control worked, which its exposure alone says. Tier 1 is critical, tier 2
// high, tier 3 moderate, every other low; the model is the scheme, the inputs
// are [Tiering.Explain].
func (t Tiering) Inherent() Rating {
	return Rating{Level: max(Critical-Severity(t.Tier)+1, Low), Model: t.Scheme, Inputs: t.Explain()}
}

// residualModel names the arithmetic of [Residual].
const residualModel = "issokit-residual-1"

// Residual returns what is left of an inherent rating after an assessment. score
// is the result of its questionnaires as risk: 0 is the best, 100 the worst
// (100 × Σ weight × (1 − points) / Σ weight). Up to 20 it lowers the rating by
// two levels, up to 50 by one; the worst open issue holds it up; it is never
// above the inherent rating, nor below low. The rule is the library's own, named
// by the model, so that ratings of another one are not taken for it.
//
// Without a score there is no residual rating, nil, rather than a good one. The
// error matches [ErrValue] if the score lies outside 0 to 100.
func Residual(inherent Rating, score *float64, issues []Issue) (*Rating, error) {
	if score == nil {
		return nil, nil //nolint:nilnil // no rating is a result
	}
	if !(*score >= 0 && *score <= 100) {
		return nil, fmt.Errorf("vendors: %w: expected a score from 0 to 100, found %v", ErrValue, *score)
	}
	steps := Severity(0)
	switch {
	case *score <= 20:
		steps = 2
	case *score <= 50:
		steps = 1
	}
	var worst Severity
	for _, i := range issues {
		if i.Closed.IsZero() {
			worst = max(worst, i.Severity)
		}
	}
	r := Rating{Model: residualModel, Level: min(inherent.Level, max(inherent.Level-steps, worst, Low))}
	r.Inputs = []string{
		fmt.Sprintf("inherent %s (%s)", inherent.Level, inherent.Model),
		fmt.Sprintf("score %g of 100: %d levels lower", *score, int(steps)),
	}
	if worst != 0 {
		r.Inputs = append(r.Inputs, fmt.Sprintf("worst open issue %s", worst))
	}
	return &r, nil
}
