package vuln

// A Claim says which score of a vector a number is that somebody states for it.
type Claim uint8

// The claims, in the order in which they are tried.
const (
	ClaimBase                 Claim = iota + 1 // the base score: what "the score" means in most records
	ClaimTemporal                              // the temporal, in 4.0 the threat score
	ClaimEnvironmental                         // the environmental score
	ClaimEnvironmentalFormula                  // the environmental formula of 3.1, applied although no environmental metric is defined
	ClaimFirstRounding                         // what FIRST's calculator gives for 4.0, a tenth off by binary rounding
	ClaimWrong                                 // none of these
)

var claimNames = []string{
	ClaimBase: "base", ClaimTemporal: "temporal", ClaimEnvironmental: "environmental",
	ClaimEnvironmentalFormula: "environmental-formula", ClaimFirstRounding: "first-rounding", ClaimWrong: "wrong",
}

func (c Claim) String() string { return enumName(c, claimNames, "Claim") }

func (c Claim) MarshalText() ([]byte, error) { return enumText(c, claimNames, "Claim") }

func (c *Claim) UnmarshalText(text []byte) error { return enumParse(c, claimNames, text) }

// A Verdict is what [Check] found.
type Verdict struct {
	Vector  Vector
	Scores  Scores
	Claimed Score
	Claim   Claim
}

// Check tells which score of a vector a claimed number is. In CVE records many a
// "base score" is a temporal score, some are the result of the environmental
// formula, a few are plainly wrong. The error is a [Problems] if the vector is
// not one or the number is no score.
func Check(vector string, claimed float64) (Verdict, error) {
	v, err := ParseVector(vector)
	if err != nil {
		return Verdict{}, err
	}
	c, err := ScoreOf(claimed)
	if err != nil {
		return Verdict{}, err
	}
	s := v.Scores()
	d := Verdict{Vector: v, Scores: s, Claimed: c, Claim: ClaimWrong}
	switch {
	case c == s.Base:
		d.Claim = ClaimBase
	case c == s.Temporal:
		d.Claim = ClaimTemporal
	case c == s.Environmental:
		d.Claim = ClaimEnvironmental
	case v.version == CVSS31 && !v.hasEnvironmental() && c == v.environmental3():
		d.Claim = ClaimEnvironmentalFormula
	case v.version == CVSS40 && c == v.FirstCalculatorScore():
		d.Claim = ClaimFirstRounding
	}
	return d, nil
}
