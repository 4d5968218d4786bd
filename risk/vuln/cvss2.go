package vuln

// The metrics of version 2.0.
const (
	v2AV = iota
	v2AC
	v2Au
	v2C
	v2I
	v2A
	v2E
	v2RL
	v2RC
	v2CDP
	v2TD
	v2CR
	v2IR
	v2AR
)

// The weights of the guide, section 3.2, times the power of ten in the comment.
// Index 0 is "not defined".
var (
	weight2AV  = [...]int64{0, 395, 646, 1000}    // 10³
	weight2AC  = [...]int64{0, 35, 61, 71}        // 10²
	weight2Au  = [...]int64{0, 450, 560, 704}     // 10³
	weight2CIA = [...]int64{0, 0, 275, 660}       // 10³
	weight2Req = [...]int64{100, 50, 100, 151}    // 10²
	weight2E   = [...]int64{100, 85, 90, 95, 100} // 10²
	weight2RL  = [...]int64{100, 87, 90, 95, 100} // 10²
	weight2RC  = [...]int64{100, 90, 95, 100}     // 10²
	weight2CDP = [...]int64{0, 0, 1, 3, 4, 5}     // 10
	weight2TD  = [...]int64{100, 0, 25, 75, 100}  // 10²
	// 1.51 × 0.275 and 1.51 × 0.66 are 1661/4000 and 4983/5000: with all factors
	// over 20,000 the whole of the base equation fits into 64 bits.
	unit2Impact int64 = 20_000
)

func (v *Vector) scores2() Scores {
	s := Scores{Base: v.base2(false), Temporal: Undefined, Environmental: Undefined}
	if v.hasTemporal() {
		s.Temporal = v.temporal2(s.Base)
	}
	if v.hasEnvironmental() {
		t := int64(v.temporal2(v.base2(true))) // the adjusted temporal score
		cdp, td := weight2CDP[v.values[v2CDP]], weight2TD[v.values[v2TD]]
		s.Environmental = Score(halfUp((10*t+(100-t)*cdp)*td, 1000))
	}
	return s
}

// base2 is the base equation, exact. Where adjusted, impact is the
// environmental AdjustedImpact; a negative result counts as zero.
func (v *Vector) base2(adjusted bool) Score {
	rest := int64(1) // of (1-C)(1-I)(1-A), times unit2Impact³
	for i := range 3 {
		req := int64(100)
		if adjusted {
			req = weight2Req[v.values[v2CR+i]]
		}
		// weight/10³ × req/10² × 20,000
		rest *= unit2Impact - weight2CIA[v.values[v2C+i]]*req/5
	}
	const unit = 8_000_000_000_000 // unit2Impact³
	impact := 1041 * (unit - rest) // 10.41 × (1 - rest), over 100 × unit
	if impact == 0 {
		return 0 // f(Impact) is zero
	}
	if adjusted {
		impact = min(impact, 10*100*unit)
	}
	exploitability := 20 * weight2AV[v.values[v2AV]] * weight2AC[v.values[v2AC]] * weight2Au[v.values[v2Au]] // over 10⁸
	// ((0.6 × impact) + (0.4 × exploitability) - 1.5) × 1.176, over 500 × unit and
	// then, as 1.176 is 147/125, over 125 times that.
	const over = 500 * unit
	sum := 3*impact + 2*exploitability*(over/5/100_000_000) - 3*(over/2)
	return Score(max(0, halfUp(sum*147, over*125/10)))
}

func (v *Vector) temporal2(base Score) Score {
	n := int64(base) * weight2E[v.values[v2E]] * weight2RL[v.values[v2RL]] * weight2RC[v.values[v2RC]]
	return Score(halfUp(n, 1_000_000))
}

// halfUp divides and rounds to the nearest integer, ties up; d is positive and
// even.
func halfUp(n, d int64) int64 {
	q, r := n/d, n%d
	if r < 0 {
		q, r = q-1, r+d
	}
	if r >= d/2 {
		q++
	}
	return q
}
