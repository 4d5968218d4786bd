// Package matrix rates risks by qualitative and semi-quantitative methods: the
// tables of NIST SP 800-30, the OWASP Risk Rating Methodology, likelihood and
// impact formulas, matrices in the style of ISO/IEC 27005, tiers of the NIST
// Cybersecurity Framework, and any matrix of one's own as data.
//
// Every engine answers with a [Rating]: the level, the number if the method
// has one, and the path that led there as a list of [Step]s, each of which
// names the table or rule, the row and the column.
//
// # Matrices
//
// A [Matrix] is data: named axes with ordered levels, outcomes in order, a cell
// for each combination. [Load] reads one from JSON, [New] takes a [Definition],
// [Sum] and [Product] write the cells by a rule. What is wrong comes all at once
// as [Problems]. [Matrix.Rate] looks one cell up; [Matrix.Possible] takes unknown
// inputs too and gives the set of outcomes that are still possible.
//
// # NIST SP 800-30
//
// [ThreatEvent.Rate] takes the path through tables G-5 and I-2, for adversarial
// events (table G-2) and for others (table G-3). [AssessmentScales] holds the
// scales of appendices D to I with their texts.
//
// # OWASP
//
// [OWASP.Rate] takes four to sixteen factors; [ParseOWASP] reads them from the
// vector form of the calculators.
package matrix
