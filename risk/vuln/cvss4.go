package vuln

import "math"

// The metrics of version 4.0.
const (
	v4AV = iota
	v4AC
	v4AT
	v4PR
	v4UI
	v4VC
	v4VI
	v4VA
	v4SC
	v4SI
	v4SA
	v4E
	v4CR
	v4IR
	v4AR
	v4MAV
	v4MAC
	v4MAT
	v4MPR
	v4MUI
	v4MVC
	v4MVI
	v4MVA
	v4MSC
	v4MSI
	v4MSA
	v4S
)

// levels4 are the metrics that count, as steps from the most severe value: 0 is
// the most severe. SC, SI and SA have Safety as step 0, High as 1.
type levels4 struct {
	av, ac, at, pr, ui int8
	v, s, req          [3]int8 // of confidentiality, integrity, availability
	e                  int8
}

// levels4 returns what counts when modified metrics replace base metrics, and
// undefined ones mean the worst: E attacked, CR, IR and AR high (specification,
// sections 3 and 4).
func (v *Vector) levels4(threat, environmental bool) levels4 {
	get := func(base, modified int) int8 {
		if k := v.values[modified]; k != 0 && environmental {
			return int8(k) - 1
		}
		return int8(v.values[base]) - 1
	}
	l := levels4{
		av: get(v4AV, v4MAV), ac: get(v4AC, v4MAC), at: get(v4AT, v4MAT), pr: get(v4PR, v4MPR), ui: get(v4UI, v4MUI),
	}
	if threat {
		l.e = int8(max(v.values[v4E], 1)) - 1
	}
	for i := range 3 {
		l.v[i] = get(v4VC+i, v4MVC+i)
		l.s[i] = int8(v.values[v4SC+i])
		if !environmental {
			continue
		}
		l.req[i] = int8(max(v.values[v4CR+i], 1)) - 1
		if k := int8(v.values[v4MSC+i]); k != 0 && i == 0 {
			l.s[i] = k
		} else if k != 0 {
			l.s[i] = k - 1 // MSI and MSA have Safety as their first value
		}
	}
	return l
}

// noImpact tells whether no system is hurt: the score is 0.0 then
// (specification, section 8.2).
func (l *levels4) noImpact() bool { return l.v == [3]int8{2, 2, 2} && l.s == [3]int8{3, 3, 3} }

// macroVector returns EQ1 to EQ6 (specification, tables 24 to 30).
func (l *levels4) macroVector() (eq [6]int8) {
	switch any, all := l.av == 0 || l.pr == 0 || l.ui == 0, l.av == 0 && l.pr == 0 && l.ui == 0; {
	case all:
		eq[0] = 0
	case any && l.av != 3:
		eq[0] = 1
	default:
		eq[0] = 2
	}
	if l.ac != 0 || l.at != 0 {
		eq[1] = 1
	}
	switch {
	case l.v[0] == 0 && l.v[1] == 0:
		eq[2] = 0
	case l.v[0] == 0 || l.v[1] == 0 || l.v[2] == 0:
		eq[2] = 1
	default:
		eq[2] = 2
	}
	eq[3] = min(l.s[0], l.s[1], l.s[2], 2)
	eq[4] = l.e
	eq[5] = 1
	for i := range 3 {
		if l.req[i] == 0 && l.v[i] == 0 {
			eq[5] = 0
		}
	}
	return eq
}

// macroScore is the score of a macrovector in tenths, 0 if there is none.
func macroScore(eq [6]int8) int64 {
	if eq[0] > 2 || eq[1] > 1 || eq[2] > 2 || eq[3] > 2 || eq[4] > 2 || eq[5] > 1 {
		return 0
	}
	i := int(eq[0])
	for k, radix := range [...]int{2, 3, 3, 3, 2} {
		i = i*radix + int(eq[k+1])
	}
	return int64(score4[i])
}

// The highest vectors of each level of EQ1, of EQ3 with EQ6, and of EQ4, as steps;
// the depths in steps (specification, section 8.2; see cvss4_tables.go for the
// source). EQ2 has AC:L/AT:N for level 0, AC:H/AT:N and AC:L/AT:P for 1.
var (
	highest1 = [3][][3]int8{ // AV, PR, UI
		{{0, 0, 0}},
		{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}},
		{{3, 0, 0}, {1, 1, 1}},
	}
	highest2 = [2][][2]int8{{{0, 0}}, {{1, 0}, {0, 1}}}
	highest3 = [3][2][][6]int8{ // VC, VI, VA, CR, IR, AR, by EQ3 and EQ6
		{{{0, 0, 0, 0, 0, 0}}, {{0, 0, 1, 1, 1, 0}, {0, 0, 0, 1, 1, 1}}},
		{{{1, 0, 0, 0, 0, 0}, {0, 1, 0, 0, 0, 0}}, {{1, 0, 1, 0, 1, 0}, {1, 0, 0, 0, 1, 1}, {0, 1, 0, 1, 0, 1}, {0, 1, 1, 1, 0, 0}, {1, 1, 0, 0, 0, 1}}},
		{1: {{1, 1, 1, 0, 0, 0}}},
	}
	highest4 = [3][3]int8{{1, 0, 0}, {1, 1, 1}, {2, 2, 2}} // SC, SI, SA
	depth1   = [3]int64{1, 4, 5}
	depth2   = [2]int64{1, 2}
	depth3   = [3][2]int64{{7, 6}, {8, 8}, {0, 10}}
	depth4   = [3]int64{6, 5, 4}
)

// An interpolation is how a score comes from the score of its macrovector.
type interpolation struct {
	macro     [6]int8
	value     int64      // of the macrovector, in tenths
	available [5]int64   // tenths down to the next lower macrovector: EQ1, EQ2, EQ3 with EQ6, EQ4, EQ5; -1 if there is none
	distance  [5]int64   // steps from the highest vector
	binary    [5]float64 // the same times 0.1, as the binary floating point sum of FIRST's calculator
	depth     [5]int64   // steps that the level has
	none      bool       // no impact
}

// interpolate4 finds what a score is computed from.
func interpolate4(l levels4) interpolation {
	if l.noImpact() {
		return interpolation{none: true}
	}
	eq := l.macroVector()
	in := interpolation{macro: eq, value: macroScore(eq), depth: [5]int64{depth1[eq[0]], depth2[eq[1]], depth3[eq[2]][eq[5]], depth4[eq[3]], 1}}
	lower := func(changes ...int) int64 {
		next := eq
		for _, k := range changes {
			next[k]++
		}
		if s := macroScore(next); s > 0 {
			return in.value - s
		}
		return -1
	}
	in.available = [5]int64{lower(0), lower(1), -1, lower(3), lower(4)}
	switch {
	case eq[2] == 0 && eq[5] == 0:
		// Two macrovectors are next: the higher of them, which is the nearer.
		in.available[2] = min(lower(5), lower(2))
		if in.available[2] < 0 {
			in.available[2] = max(lower(5), lower(2))
		}
	case eq[5] == 1:
		in.available[2] = lower(2)
	default:
		in.available[2] = lower(5)
	}
	in.distance[0], in.binary[0] = nearest(highest1[eq[0]], [3]int8{l.av, l.pr, l.ui})
	in.distance[1], in.binary[1] = nearest(highest2[eq[1]], [2]int8{l.ac, l.at})
	in.distance[2], in.binary[2] = nearest(highest3[eq[2]][eq[5]], [6]int8{l.v[0], l.v[1], l.v[2], l.req[0], l.req[1], l.req[2]})
	in.distance[3], in.binary[3] = nearest([][3]int8{highest4[eq[3]]}, l.s)
	return in
}

// tenths4 are the steps as FIRST's calculator writes them.
var tenths4 = [...]float64{0, 0.1, 0.2, 0.3}

// nearest returns the steps from the first of the highest vectors that is in no
// metric below the given one.
func nearest[V [2]int8 | [3]int8 | [6]int8](highest []V, levels V) (steps int64, binary float64) {
candidates:
	for h := range highest {
		steps, binary = 0, 0
		for i := range len(levels) {
			d := at(&levels, i) - at(&highest[h], i)
			if d < 0 {
				continue candidates
			}
			steps += int64(d)
			binary += tenths4[at(&levels, i)] - tenths4[at(&highest[h], i)]
		}
		return steps, binary
	}
	panic("vuln: a macrovector without highest vector")
}

// at indexes any of the arrays.
func at[V [2]int8 | [3]int8 | [6]int8](v *V, i int) int8 { return (*v)[i] }

// score is the value less the mean of the available differences, each in the
// proportion of its distance to its depth, half up. All depths divide 2520.
func (in *interpolation) score() Score {
	if in.none {
		return 0
	}
	const unit = 2520
	var n, sum int64
	for i, a := range in.available {
		if a >= 0 {
			n++
			sum += a * in.distance[i] * (unit / in.depth[i])
		}
	}
	if n == 0 {
		return Score(in.value)
	}
	return Score(min(100, max(0, halfUp(in.value*unit*n-sum, unit*n))))
}

// score4 is the score with or without the threat metric and the environmental
// ones.
func (v *Vector) score4(threat, environmental bool) Score {
	in := interpolate4(v.levels4(threat, environmental))
	return in.score()
}

func (v *Vector) scores4() Scores {
	s := Scores{Base: v.score4(false, false), Temporal: Undefined, Environmental: Undefined}
	if v.hasTemporal() {
		s.Temporal = v.score4(true, false)
	}
	if v.hasEnvironmental() {
		s.Environmental = v.score4(true, true)
	}
	return s
}

// MacroVector returns the macrovector of a version 4.0 vector with everything
// that is defined, e.g. "000200"; "" if there is no impact or for other versions.
func (v Vector) MacroVector() string {
	if v.version != CVSS40 {
		return ""
	}
	l := v.levels4(true, true)
	if l.noImpact() {
		return ""
	}
	return macroName(l.macroVector())
}

func macroName(eq [6]int8) string {
	b := make([]byte, 6)
	for i, level := range eq {
		b[i] = '0' + byte(level)
	}
	return string(b)
}

// FirstCalculatorScore returns the score of a version 4.0 vector that FIRST's
// calculator at first.org shows. It computes in binary floating point and is a
// tenth off on some vectors whose exact score lies half way between two: use it
// only to compare with numbers that come from there. [Undefined] for other
// versions.
func (v Vector) FirstCalculatorScore() Score {
	if v.version != CVSS40 {
		return Undefined
	}
	in := interpolate4(v.levels4(true, true))
	if in.none {
		return 0
	}
	// The order of operations is that of cvss_score.js of repository
	// FIRSTdotorg/cvss-v4-calculator.
	value := float64(in.value) / 10
	sum, n := 0.0, 0.0
	for i, a := range in.available {
		if a < 0 {
			continue
		}
		n++
		available := value - float64(in.value-a)/10
		percent := in.binary[i] / (float64(in.depth[i]) * 0.1)
		sum += float64(available * percent)
	}
	if n > 0 {
		value -= sum / n
	}
	return Score(math.Floor(float64(max(0, min(10, value))*10) + 0.5))
}
