package vuln

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/issokit/issokit/internal/answer"
)

// Rate returns the overall score and its severity with the whole path: every
// metric in words, the sub-scores of the formula or the interpolation between
// macrovectors, and the score of each group. The zero Rating stands for the zero
// Vector.
func (v Vector) Rate() Rating {
	if !v.IsValid() {
		return Rating{}
	}
	s := v.Scores()
	overall := s.Overall().Float64()
	r := Rating{
		System: systemCVSS, Version: v.version.String(), Level: v.Severity().String(), Score: &overall,
		Digest: answer.Digest("cvss", v.version.String(), v.String()),
	}
	for m := range v.Metrics() {
		r.Why = append(r.Why, Step{m.Group, m.Name, m.Value, m.Label + ": " + m.Meaning})
	}
	switch v.version {
	case CVSS20:
		v.explain2(&r)
	case CVSS40:
		v.explain4(&r)
	default:
		v.explain3(&r)
	}
	for _, g := range []struct {
		group string
		score Score
	}{{"base", s.Base}, {standards[v.version].metrics[standards[v.version].base].group, s.Temporal}, {"environmental", s.Environmental}} {
		if g.score != Undefined {
			r.Why = append(r.Why, Step{g.group, "score", g.score.String(), g.score.Severity(v.version).String()})
		}
	}
	return r
}

func (r *Rating) step(rule, name, value, format string, args ...any) {
	r.Why = append(r.Why, Step{rule, name, value, fmt.Sprintf(format, args...)})
}

// places writes a sub-score, which has no end of decimals, with four of them.
func places(f float64) string { return strconv.FormatFloat(f, 'f', 4, 64) }

func (v *Vector) explain2(r *Rating) {
	const thousandth = 1000.0
	weight := func(base, req int) float64 {
		w := float64(weight2CIA[v.values[base]]) / thousandth
		if req > 0 {
			w *= float64(weight2Req[v.values[req]]) / 100
		}
		return w
	}
	av, ac, au := float64(weight2AV[v.values[v2AV]])/thousandth, float64(weight2AC[v.values[v2AC]])/100, float64(weight2Au[v.values[v2Au]])/thousandth
	c, i, a := weight(v2C, 0), weight(v2I, 0), weight(v2A, 0)
	r.step("base", "impact", places(10.41*(1-(1-c)*(1-i)*(1-a))), "10.41 × (1 - (1 - %s)(1 - %s)(1 - %s))", answer.Number(c), answer.Number(i), answer.Number(a))
	r.step("base", "exploitability", places(20*av*ac*au), "20 × %s × %s × %s", answer.Number(av), answer.Number(ac), answer.Number(au))
	if v.hasEnvironmental() {
		c, i, a := weight(v2C, v2CR), weight(v2I, v2IR), weight(v2A, v2AR)
		r.step("environmental", "adjusted-impact", places(min(10, 10.41*(1-(1-c)*(1-i)*(1-a)))), "min(10, 10.41 × (1 - (1 - %s)(1 - %s)(1 - %s)))", places(c), places(i), places(a))
		base := v.base2(true)
		temporal := v.temporal2(base)
		r.step("environmental", "adjusted-base", base.String(), "((0.6 × AdjustedImpact) + (0.4 × Exploitability) - 1.5) × 1.176")
		hundredths := func(w int64) string { return answer.Number(float64(w) / 100) }
		r.step("environmental", "adjusted-temporal", temporal.String(), "%s × %s × %s × %s", base,
			hundredths(weight2E[v.values[v2E]]), hundredths(weight2RL[v.values[v2RL]]), hundredths(weight2RC[v.values[v2RC]]))
		// In hundredths and then ten thousandths, exactly.
		t, cdp, td := int64(temporal), weight2CDP[v.values[v2CDP]], weight2TD[v.values[v2TD]]
		damaged := 10*t + (100-t)*cdp
		r.step("environmental", "with-collateral-damage", hundredths(damaged), "%s + (10 - %s) × %s", temporal, temporal, answer.Number(float64(cdp)/10))
		r.step("environmental", "on-target-distribution", answer.Number(float64(damaged*td)/1e4), "%s × %s", hundredths(damaged), hundredths(td))
	}
}

func (v *Vector) explain3(r *Rating) {
	explain := func(group string, changed, modified bool, impacts [3]float64, ease [4]uint8) {
		iss := 1 - (1-impacts[0])*(1-impacts[1])*(1-impacts[2])
		limit := ""
		if modified {
			iss, limit = min(iss, 0.915), ", at most 0.915"
		}
		r.step(group, "impact-sub-score", places(iss), "1 - (1 - %s)(1 - %s)(1 - %s)%s", answer.Number(impacts[0]), answer.Number(impacts[1]), answer.Number(impacts[2]), limit)
		formula := "6.42 × ISS"
		switch {
		case changed && modified && v.version == CVSS31:
			formula = "7.52 × (ISS - 0.029) - 3.25 × (ISS × 0.9731 - 0.02)^13"
		case changed:
			formula = "7.52 × (ISS - 0.029) - 3.25 × (ISS - 0.02)^15"
		}
		r.step(group, "impact", places(impact3(iss, changed, modified && v.version == CVSS31)), "%s", formula)
		scope := 0
		if changed {
			scope = 1
		}
		r.step(group, "exploitability", places(v.exploitability3(ease[:], changed)), "8.22 × %s × %s × %s × %s",
			answer.Number(weight3AV[ease[0]]), answer.Number(weight3AC[ease[1]]), answer.Number(weight3PR[scope][ease[2]]), answer.Number(weight3UI[ease[3]]))
	}
	var impacts [3]float64
	var ease [4]uint8
	for i := range 3 {
		impacts[i] = weight3CIA[v.values[v3C+i]]
	}
	copy(ease[:], v.values[v3AV:])
	explain("base", v.values[v3S] == 2, false, impacts, ease)
	if !v.hasEnvironmental() {
		return
	}
	for i := range 3 {
		impacts[i] = weight3CIA[v.modified3(v3C+i, v3MC+i)] * weight3Req[v.values[v3CR+i]]
	}
	for i := range ease {
		ease[i] = v.modified3(v3AV+i, v3MAV+i)
	}
	explain("environmental", v.modified3(v3S, v3MS) == 2, true, impacts, ease)
}

func (v *Vector) explain4(r *Rating) {
	in := interpolate4(v.levels4(true, true))
	if in.none {
		r.step("section 8.2", "no-impact", "0.0", "no impact on the vulnerable or a subsequent system")
		return
	}
	r.step("tables 24-30", "macrovector", macroName(in.macro), "EQ1 to EQ6")
	r.step("lookup", "macrovector-score", Score(in.value).String(), "of %s", macroName(in.macro))
	n := 0
	for _, a := range in.available {
		if a >= 0 {
			n++
		}
	}
	var terms []string
	for i, name := range [...]string{"EQ1", "EQ2", "EQ3+EQ6", "EQ4", "EQ5"} {
		if in.available[i] < 0 {
			continue
		}
		r.step(name, "distance", fmt.Sprintf("%d of %d", in.distance[i], in.depth[i]), "steps below the highest vector; %s down to the next macrovector", Score(in.available[i]))
		if in.distance[i] > 0 {
			terms = append(terms, fmt.Sprintf("%s × %d/%d", Score(in.available[i]), in.distance[i], in.depth[i]))
		}
	}
	if terms != nil {
		r.step("interpolation", "score", in.score().String(), "%s - (%s)/%d, half up", Score(in.value), strings.Join(terms, " + "), n)
	}
}
