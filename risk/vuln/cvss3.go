package vuln

import "math"

// The metrics of versions 3.0 and 3.1.
const (
	v3AV = iota
	v3AC
	v3PR
	v3UI
	v3S
	v3C
	v3I
	v3A
	v3E
	v3RL
	v3RC
	v3CR
	v3IR
	v3AR
	v3MAV
	v3MAC
	v3MPR
	v3MUI
	v3MS
	v3MC
	v3MI
	v3MA
)

// The weights of the specification, section 7.4. Index 0 is "not defined".
var (
	weight3AV  = [...]float64{0, 0.85, 0.62, 0.55, 0.2}
	weight3AC  = [...]float64{0, 0.77, 0.44}
	weight3PR  = [...][4]float64{{0, 0.85, 0.62, 0.27}, {0, 0.85, 0.68, 0.5}} // scope unchanged, changed
	weight3UI  = [...]float64{0, 0.85, 0.62}
	weight3CIA = [...]float64{0, 0.56, 0.22, 0}
	weight3Req = [...]float64{1, 1.5, 1, 0.5}
	weight3E   = [...]int64{100, 100, 97, 94, 91} // in hundredths
	weight3RL  = [...]int64{100, 100, 97, 96, 95}
	weight3RC  = [...]int64{100, 100, 96, 92}
)

func (v *Vector) scores3() Scores {
	s := Scores{Base: v.base3(), Temporal: Undefined, Environmental: Undefined}
	if v.hasTemporal() {
		s.Temporal = v.temporal3(s.Base)
	}
	// With nothing but X the environmental formula of 3.1 gives another number
	// than the base formula for some vectors of changed scope: it is not asked.
	if v.hasEnvironmental() {
		s.Environmental = v.environmental3()
	}
	return s
}

// The float arithmetic below, rounded as the function Roundup of version 3.1 (appendix A)
// does, equals exact arithmetic for every input that there is; a test goes
// through all of them with rational numbers. Products are rounded by conversion
// before they are added: compilers may otherwise fuse the two.

func (v *Vector) base3() Score {
	changed := v.values[v3S] == 2
	rest := (1 - weight3CIA[v.values[v3C]]) * (1 - weight3CIA[v.values[v3I]]) * (1 - weight3CIA[v.values[v3A]])
	return roundUp3(combine3(impact3(1-float64(rest), changed, false), v.exploitability3(v.values[v3AV:v3S], changed), changed))
}

func (v *Vector) environmental3() Score {
	changed := v.modified3(v3S, v3MS) == 2
	rest := 1.0
	for i := range 3 {
		rest *= 1 - float64(weight3CIA[v.modified3(v3C+i, v3MC+i)]*weight3Req[v.values[v3CR+i]])
	}
	impact := impact3(min(1-float64(rest), 0.915), changed, v.version == CVSS31)
	var m [4]uint8
	for i := range m {
		m[i] = v.modified3(v3AV+i, v3MAV+i)
	}
	return v.temporal3(roundUp3(combine3(impact, v.exploitability3(m[:], changed), changed)))
}

// modified3 is the modified value of a base metric, its own if that is not
// defined.
func (v *Vector) modified3(base, modified int) uint8 {
	if k := v.values[modified]; k != 0 {
		return k
	}
	return v.values[base]
}

// impact3 is the impact sub-score of an impact sub-score base. Where modified,
// the formula for the environmental score of version 3.1 is used.
func impact3(iss float64, changed, modified bool) float64 {
	if !changed {
		return float64(6.42 * iss)
	}
	x, n := iss-0.02, 15
	if modified {
		x, n = float64(iss*0.9731)-0.02, 13
	}
	p := x
	for range n - 1 {
		p *= x
	}
	return float64(7.52*(iss-0.029)) - float64(3.25*p)
}

// exploitability3 takes the values of AV, AC, PR and UI.
func (*Vector) exploitability3(m []uint8, changed bool) float64 {
	scope := 0
	if changed {
		scope = 1
	}
	return 8.22 * weight3AV[m[0]] * weight3AC[m[1]] * weight3PR[scope][m[2]] * weight3UI[m[3]]
}

func combine3(impact, exploitability float64, changed bool) float64 {
	switch sum := impact + float64(exploitability); {
	case impact <= 0:
		return 0
	case changed:
		return min(1.08*sum, 10)
	default:
		return min(sum, 10)
	}
}

// roundUp3 is the function Roundup: the smallest number of tenths that is not
// less, after rounding to 10⁻⁵.
func roundUp3(f float64) Score {
	return Score((int64(math.Round(f*100_000)) + 9_999) / 10_000)
}

func (v *Vector) temporal3(s Score) Score {
	n := int64(s) * weight3E[v.values[v3E]] * weight3RL[v.values[v3RL]] * weight3RC[v.values[v3RC]]
	return Score((n + 999_999) / 1_000_000)
}
