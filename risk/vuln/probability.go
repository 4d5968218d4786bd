package vuln

import (
	"fmt"
	"math"
)

// AnyOf returns the probability that at least one of several things happens,
// 1 - Π(1 - p), as if they were independent: a lower bound where they favour each
// other. It stays accurate for many tiny probabilities. The error is a [Problems]
// for numbers that are no probabilities.
func AnyOf(p ...float64) (float64, error) {
	if err := checkProbabilities(p); err != nil {
		return math.NaN(), err
	}
	sum := 0.0
	for _, x := range p {
		sum += math.Log1p(-x)
	}
	return -math.Expm1(sum) + 0, nil // + 0 makes no negative zero
}

func checkProbabilities(p []float64) error {
	var ps Problems
	for i, x := range p {
		if !(x >= 0 && x <= 1) {
			ps.add(RuleValue, fmt.Sprintf("/%d", i), "expected a probability from 0 to 1, found %v", x)
		}
	}
	return ps.err()
}

// Likely are three estimates of the probability that a vulnerability has been
// exploited already, from a history of EPSS scores (NIST CSWP 41, likely
// exploited vulnerabilities). All are lower bounds that take the scores for
// independent.
type Likely struct {
	Windowed   float64 // 1 - Π(1 - EPSS × days/30) over the first day of each window of 30 days, the last cut at the end: the equation LEV
	Daily30th  float64 // 1 - Π(1 - EPSS/30) over all days: the equation LEV2
	ExactDaily float64 // 1 - Π(1 - EPSS)^(1/30) over all days: with daily probabilities that give EPSS again in 30 days
}

// LEV estimates from daily scores without gaps, the first day first, that are of
// one model or taken for comparable by the caller. The error is a [Problems].
func LEV(daily []float64) (Likely, error) {
	if err := checkProbabilities(daily); err != nil {
		return Likely{}, err
	}
	var windowed, thirtieth, exact float64 // logarithms of the products
	for i, p := range daily {
		if i%30 == 0 {
			days := min(30, len(daily)-i)
			windowed += math.Log1p(-p * float64(days) / 30)
		}
		thirtieth += math.Log1p(-p / 30)
		exact += math.Log1p(-p) / 30
	}
	return Likely{-math.Expm1(windowed) + 0, -math.Expm1(thirtieth) + 0, -math.Expm1(exact) + 0}, nil
}

// Composite returns the composite probability of NIST CSWP 41: the largest of the
// EPSS score of today, 1 for a vulnerability that is in the KEV catalog, and LEV.
func Composite(epss float64, inKEV bool, lev float64) (float64, error) {
	if err := checkProbabilities([]float64{epss, lev}); err != nil {
		return math.NaN(), err
	}
	if inKEV {
		return 1, nil
	}
	return max(epss, lev), nil
}
