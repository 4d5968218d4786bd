package matrix

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/issokit/issokit/internal/answer"
)

// SystemOWASP is the system of the severities of the OWASP Risk Rating
// Methodology: note, low, medium, high, critical.
const SystemOWASP = "https://github.com/issokit/issokit/ns/oscal/owasp"

// OWASPScale returns the severities as a [Scale].
func OWASPScale() Scale {
	return Scale{SystemOWASP, []string{"note", "low", "medium", "high", "critical"}}
}

// A Factor is one of the sixteen factors of the OWASP Risk Rating Methodology.
type Factor struct {
	Key     string // in vectors, e.g. "SL"
	Name    string // e.g. "skill-level"
	Options []Option
}

// An Option is one of the answers that the methodology offers for a factor. Its
// number counts; any other from 0 to 9 is as good.
type Option struct {
	Value float64
	Text  string // in our own words
}

// owaspGroups are the factors of the methodology in its order. The numbers are
// the methodology's, the texts are not.
var owaspGroups = [...]struct {
	name    string
	factors [4]Factor
}{
	{"threat agent", [4]Factor{
		{"SL", "skill-level", []Option{{1, "none"}, {3, "some"}, {5, "an experienced user"}, {6, "knows networks and programming"}, {9, "breaks into systems for a living"}}},
		{"M", "motive", []Option{{1, "little to gain"}, {4, "perhaps something to gain"}, {9, "much to gain"}}},
		{"O", "opportunity", []Option{{0, "needs full access or costly means"}, {4, "needs special access or means"}, {7, "needs some access or means"}, {9, "needs none"}}},
		{"S", "size", []Option{{2, "those who build the system"}, {2, "those who run it"}, {4, "people inside the network"}, {5, "partners"}, {6, "holders of an account"}, {9, "anyone on the internet"}}},
	}},
	{"vulnerability", [4]Factor{
		{"ED", "ease-of-discovery", []Option{{1, "next to impossible"}, {3, "hard"}, {7, "easy"}, {9, "tools find it"}}},
		{"EE", "ease-of-exploit", []Option{{1, "in theory only"}, {3, "hard"}, {5, "easy"}, {9, "tools do it"}}},
		{"A", "awareness", []Option{{1, "nobody knows of it"}, {4, "few know of it"}, {6, "it is plain to see"}, {9, "it is public"}}},
		{"ID", "intrusion-detection", []Option{{1, "the application notices at once"}, {3, "logged and looked at"}, {8, "logged, not looked at"}, {9, "not logged"}}},
	}},
	{"technical impact", [4]Factor{
		{"LC", "loss-of-confidentiality", []Option{{2, "little data, none sensitive"}, {6, "little data, critical"}, {6, "much data, none sensitive"}, {7, "much data, critical"}, {9, "all data"}}},
		{"LI", "loss-of-integrity", []Option{{1, "little data, slightly wrong"}, {3, "little data, badly wrong"}, {5, "much data, slightly wrong"}, {7, "much data, badly wrong"}, {9, "all data"}}},
		{"LAV", "loss-of-availability", []Option{{1, "minor services, a little"}, {5, "main services, a little"}, {5, "minor services, for long"}, {7, "main services, for long"}, {9, "all services"}}},
		{"LAC", "loss-of-accountability", []Option{{1, "who did it can be told"}, {7, "who did it can perhaps be told"}, {9, "nobody can tell who did it"}}},
	}},
	{"business impact", [4]Factor{
		{"FD", "financial-damage", []Option{{1, "less than a fix costs"}, {3, "shows a little in the profit"}, {7, "shows clearly in the profit"}, {9, "ruin"}}},
		{"RD", "reputation-damage", []Option{{1, "hardly any"}, {4, "large customers leave"}, {5, "goodwill is lost"}, {9, "the name is damaged"}}},
		{"NC", "non-compliance", []Option{{2, "a small violation"}, {5, "a clear violation"}, {7, "a violation that everyone sees"}}},
		{"PV", "privacy-violation", []Option{{3, "one person"}, {5, "hundreds of people"}, {7, "thousands of people"}, {9, "millions of people"}}},
	}},
}

// OWASPFactors returns the sixteen factors in the order of [OWASP]: threat agent,
// vulnerability, technical impact, business impact, four of each.
func OWASPFactors() []Factor {
	var out []Factor
	for _, g := range owaspGroups {
		for _, f := range g.factors {
			f.Options = slices.Clone(f.Options)
			out = append(out, f)
		}
	}
	return out
}

// OWASP is what the OWASP Risk Rating Methodology rates: four numbers from 0 to
// 9 in each group, in the order of [OWASPFactors]. NaN stands for a factor that is
// not rated.
type OWASP struct {
	ThreatAgent   []float64 // skill level, motive, opportunity, size
	Vulnerability []float64 // ease of discovery, ease of exploit, awareness, intrusion detection
	Technical     []float64 // loss of confidentiality, integrity, availability, accountability; nil if only Business is rated
	Business      []float64 // financial damage, reputation damage, non-compliance, privacy violation; nil if it is not known
	Weights       OWASPWeights
}

// OWASPWeights weigh the factors; nil weighs all the same.
type OWASPWeights struct {
	Likelihood []float64 // eight: threat agent, then vulnerability
	Technical  []float64 // four
	Business   []float64 // four
}

var owaspLevels = [...]string{"low", "medium", "high"}

// owaspSeverity is the methodology's table of overall severity: row impact,
// column likelihood.
var owaspSeverity = [3][3]string{{"note", "low", "medium"}, {"low", "medium", "high"}, {"medium", "high", "critical"}}

// Rate returns the severity. Likelihood is the mean of the eight factors of
// threat agent and vulnerability. Impact is the mean of the four business factors
// where these are rated, else of the four technical ones: never of both. Below 3
// is low, below 6 medium, else high. The rating has no score, as the methodology
// gives none for the severity; the means are in its steps.
//
// The error is a [Problems]: groups that do not have four factors, numbers
// that are not from 0 to 9, a group that is rated in part, no impact at all,
// weights that are negative or all 0.
func (o OWASP) Rate() (Rating, error) {
	var ps Problems
	var why []Step
	inputs := []string{SystemOWASP}
	rated := func(g int, values []float64, optional bool) bool {
		group := &owaspGroups[g]
		inputs = append(inputs, group.name)
		unrated := 0
		for _, v := range values {
			if math.IsNaN(v) {
				unrated++
			}
		}
		switch {
		case optional && unrated == len(values):
			return false
		case len(values) != len(group.factors):
			ps.add(RuleInput, group.name, "expected four factors (%s), found %d", factorNames(g), len(values))
			return false
		}
		for i, v := range values {
			switch {
			case math.IsNaN(v):
				ps.add(RuleInput, group.name+"/"+group.factors[i].Name, "not rated: rate all four factors of the %s, or none", group.name)
			case !(v >= 0 && v <= 9):
				ps.add(RuleInput, group.name+"/"+group.factors[i].Name, "expected 0 to 9, found %v", v)
			}
			why = append(why, Step{group.name, group.factors[i].Name, answer.Number(v), group.factors[i].option(v)})
			inputs = append(inputs, answer.Number(v))
		}
		return true
	}
	mean := func(name string, values, weights []float64) float64 {
		if weights == nil {
			weights = slices.Repeat([]float64{1}, len(values))
		}
		inputs = append(inputs, name)
		if len(weights) != len(values) {
			ps.add(RuleInput, "weights/"+name, "expected %d weights, found %d", len(values), len(weights))
			return 0
		}
		var sum, total float64
		for i, w := range weights {
			if !(w >= 0) || math.IsInf(w, 1) {
				ps.add(RuleInput, fmt.Sprintf("weights/%s/%d", name, i), "expected 0 or more, found %v", w)
			}
			inputs = append(inputs, answer.Number(w))
			sum += float64(w * values[i])
			total += w
		}
		if !(total > 0) {
			ps.add(RuleInput, "weights/"+name, "expected a weight above 0")
			return 0
		}
		return sum / total
	}

	agent, vulnerability := rated(0, o.ThreatAgent, false), rated(1, o.Vulnerability, false)
	technical, business := rated(2, o.Technical, true), rated(3, o.Business, true)
	if !technical && !business && ps == nil {
		ps.add(RuleInput, "technical impact", "neither technical nor business impact is rated")
	}
	var likelihood, impact float64
	if agent && vulnerability {
		likelihood = mean("likelihood", append(slices.Clone(o.ThreatAgent), o.Vulnerability...), o.Weights.Likelihood)
	}
	text := "mean of the technical factors, as the business impact is not rated"
	switch {
	case business:
		impact = mean("business", o.Business, o.Weights.Business)
		text = "mean of the business factors"
		if technical {
			text += ", which replace the technical ones"
		}
	case technical:
		impact = mean("technical", o.Technical, o.Weights.Technical)
	}
	if ps != nil {
		return Rating{}, ps
	}
	l, i := owaspLevel(likelihood), owaspLevel(impact)
	severity := owaspSeverity[i][l]
	why = append(why,
		Step{"mean", "likelihood", answer.Number(likelihood), "mean of the factors of threat agent and vulnerability"},
		Step{"levels", "likelihood-level", owaspLevels[l], "below 3 low, below 6 medium, else high"},
		Step{"mean", "impact", answer.Number(impact), text},
		Step{"levels", "impact-level", owaspLevels[i], "below 3 low, below 6 medium, else high"},
		Step{"severity", "risk", severity, fmt.Sprintf("row impact %s, column likelihood %s", owaspLevels[i], owaspLevels[l])},
	)
	return Rating{System: SystemOWASP, Level: severity, Why: why, Digest: answer.Digest(inputs...)}, nil
}

// owaspLevel returns the rank of the level of a mean. The mean is rounded to
// nine decimals first, so that weights that are no binary fractions do not push
// a 3 below itself.
func owaspLevel(mean float64) int {
	switch mean = math.Round(mean*1e9) / 1e9; {
	case mean < 3:
		return 0
	case mean < 6:
		return 1
	}
	return 2
}

func (f Factor) option(v float64) string {
	for _, o := range f.Options {
		if o.Value == v {
			return o.Text
		}
	}
	return ""
}

func factorNames(group int) string {
	names := make([]string, 0, 4)
	for _, f := range owaspGroups[group].factors {
		names = append(names, f.Name)
	}
	return strings.Join(names, ", ")
}

// ParseOWASP reads the vector form that calculators use, e.g.
//
//	SL:5/M:2/O:7/S:1/ED:3/EE:6/A:9/ID:2/LC:9/LI:7/LAV:5/LAC:8/FD:1/RD:2/NC:1/PV:5
//
// in any order, perhaps in parentheses. Factors that are not there are not
// rated. The error is a [Problems]: unknown and repeated factors, values that are
// no numbers from 0 to 9.
func ParseOWASP(vector string) (OWASP, error) {
	var ps Problems
	var o OWASP
	groups := [...]*[]float64{&o.ThreatAgent, &o.Vulnerability, &o.Technical, &o.Business}
	if inner, ok := strings.CutPrefix(vector, "("); ok {
		if vector, ok = strings.CutSuffix(inner, ")"); !ok {
			ps.add(RuleInput, "vector", "expected \")\" at the end, found none")
		}
	}
	for part := range strings.SplitSeq(vector, "/") {
		key, text, _ := strings.Cut(part, ":")
		g, i := owaspFactor(key)
		if g < 0 {
			ps.add(RuleInput, part, "expected a factor and a number, as in SL:5, found %q", part)
			continue
		}
		v, err := strconv.ParseFloat(text, 64)
		if err != nil || !(v >= 0 && v <= 9) || strings.Trim(text, "0123456789.") != "" {
			ps.add(RuleInput, key, "expected a number from 0 to 9, found %q", text)
			continue
		}
		if *groups[g] == nil {
			*groups[g] = slices.Repeat([]float64{math.NaN()}, 4)
		}
		if !math.IsNaN((*groups[g])[i]) {
			ps.add(RuleInput, key, "%s is given twice", key)
		}
		(*groups[g])[i] = v
	}
	if ps != nil {
		return OWASP{}, ps
	}
	return o, nil
}

func owaspFactor(key string) (group, factor int) {
	for g := range owaspGroups {
		for i := range owaspGroups[g].factors {
			if owaspGroups[g].factors[i].Key == key {
				return g, i
			}
		}
	}
	return -1, -1
}

// Vector returns the factors that are rated in the form that [ParseOWASP] reads.
// Weights have no place in it.
func (o OWASP) Vector() string {
	var parts []string
	for g, values := range [...][]float64{o.ThreatAgent, o.Vulnerability, o.Technical, o.Business} {
		for i, v := range values[:min(4, len(values))] {
			if !math.IsNaN(v) {
				parts = append(parts, owaspGroups[g].factors[i].Key+":"+answer.Number(v))
			}
		}
	}
	return strings.Join(parts, "/")
}
