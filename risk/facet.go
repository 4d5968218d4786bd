package risk

import (
	"fmt"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// Naming systems of facets.
const (
	SystemOSCAL   = "http://csrc.nist.gov/ns/oscal" // likelihood, impact, risk, severity
	SystemCVE     = "http://cve.mitre.org"          // cve-id
	SystemFedRAMP = "http://fedramp.gov/ns/oscal"   // likelihood, impact, risk; documents also say http://fedramp.gov, https://fedramp.gov and https://fedramp.gov/ns/oscal
	SystemFAIR    = oscal.Namespace + "/fair"       // results in annual loss
	systemCVSS2   = "http://www.first.org/cvss/v2.0"
	systemCVSS30  = "http://www.first.org/cvss/v3.0"
	systemCVSS31  = "http://www.first.org/cvss/v3.1"
	systemCVSS4   = "https://www.first.org/cvss/v4-0"
)

// fedRAMP lists the spellings of FedRAMP's naming system that occur.
var fedRAMP = []string{SystemFedRAMP, "http://fedramp.gov", "https://fedramp.gov", "https://fedramp.gov/ns/oscal"}

// A facetRule is a constraint on the facets of a characterization: on the name
// if names is empty, else on the value of facets with these names.
type facetRule struct {
	id      string
	systems []string
	names   []string
	values  string // allowed, with blanks between
}

// facetRules are the constraints on facets in the assembly characterization of
// OSCAL 1.2.2, oscal_assessment-common_metaschema.xml, as they are: version 3
// names the complexity access-complexity and has no values for attack-vector;
// version 4 has no values D and C for v, and none for mva.
var facetRules = []facetRule{
	{"oscal-facet-name-core-values", []string{SystemOSCAL}, nil, "likelihood impact risk severity"},
	{"oscal-facet-fedramp-values", []string{"http://fedramp.gov", SystemFedRAMP}, nil, "likelihood impact risk"},
	{"oscal-facet-cve-values", []string{SystemCVE}, nil, "cve-id"},

	{"oscal-facet-cvss2-name-values", cvss2, nil, "access-vector access-complexity authentication confidentiality-impact integrity-impact availability-impact exploitability remediation-level report-confidence collateral-damage-potential target-distribution confidentiality-requirement integrity-requirement availability-requirement"},
	{"oscal-facet-cvss2-access-vector-values", cvss2, []string{"access-vector"}, "local adjacent-network network"},
	{"oscal-facet-cvss2-access-complexity-values", cvss2, []string{"access-complexity"}, "high medium low"},
	{"oscal-facet-cvss2-authentication-values", cvss2, []string{"authentication"}, "multiple single none"},
	{"oscal-facet-cvss2-confidentiality-impact-values", cvss2, []string{"confidentiality-impact", "integrity-impact", "availability-impact"}, "none partial complete"},
	{"oscal-facet-cvss2-exploitability-values", cvss2, []string{"exploitability"}, "unproven proof-of-concept functional high not-defined"},
	{"oscal-facet-cvss2-remediation-level-values", cvss2, []string{"remediation-level"}, "official-fix temporary-fix workaround unavailable not-defined"},
	{"oscal-facet-cvss2-report-confidence-values", cvss2, []string{"report-confidence"}, "unconfirmed uncorroborated confirmed not-defined"},
	{"oscal-facet-cvss2-collateral-damage-potential-values", cvss2, []string{"collateral-damage-potential"}, "none low low-medium medium-high high not-defined"},
	{"oscal-facet-cvss2-cia-requirement-values", cvss2, []string{"target-distribution", "confidentiality-requirement", "integrity-requirement", "availability-requirement"}, "none low medium high not-defined"},

	{"oscal-facet-cvss3-name-values", cvss3, nil, "attack-vector access-complexity privileges-required user-interaction scope confidentiality-impact integrity-impact availability-impact exploit-code-maturity remediation-level report-confidence modified-attack-vector modified-attack-complexity modified-privileges-required modified-user-interaction modified-scope modified-confidentiality modified-integrity modified-availability confidentiality-requirement integrity-requirement availability-requirement"},
	{"oscal-facet-cvss3-access-vector-values", cvss3, []string{"access-vector"}, "network adjacent local physical"},
	{"oscal-facet-cvss3-access-complexity-values", cvss3, []string{"access-complexity"}, "high low"},
	{"oscal-facet-cvss3-cia-impact-values", cvss3, []string{"privileges-required", "confidentiality-impact", "integrity-impact", "availability-impact"}, "none low high"},
	{"oscal-facet-cvss3-user-interaction", cvss3, []string{"user-interaction"}, "none required"},
	{"oscal-facet-cvss3-scope", cvss3, []string{"scope"}, "unchanged changed"},
	{"oscal-facet-cvss3-exploit-code-maturity-values", cvss3, []string{"exploit-code-maturity"}, "not-defined unproven proof-of-concept functional high"},
	{"oscal-facet-cvss3-remediation-level", cvss3, []string{"remediation-level"}, "not-defined official-fix temporary-fix workaround unavailable"},
	{"oscal-facet-cvss3-report-confidence-values", cvss3, []string{"report-confidence"}, "not-defined unknown reasonable confirmed"},
	{"oscal-facet-cvss3-cia-requirement-values", cvss3, []string{"confidentiality-requirement", "integrity-requirement", "availability-requirement"}, "not-defined low medium high"},
	{"oscal-facet-cvss3-modified-attack-vector-values", cvss3, []string{"modified-attack-vector"}, "not-defined network adjacent local physical"},
	{"oscal-facet-cvss3-modified-attack-complexity-values", cvss3, []string{"modified-attack-complexity"}, "not-defined high low"},
	{"oscal-facet-cvss3-modified-cia-values", cvss3, []string{"modified-privileges-required", "modified-confidentiality", "modified-integrity", "modified-availability"}, "not-defined none low high"},
	{"oscal-facet-cvss3-modified-user-interaction-values", cvss3, []string{"modified-user-interaction"}, "not-defined none required"},
	{"oscal-facet-cvss3-modified-scope-values", cvss3, []string{"modified-scope"}, "not-defined unchanged changed"},

	{"oscal-cvss-v4.0-vectors", cvss4, nil, "av ac at pr ui vc vi va sc si sa s au r v re u mav mac mat mpr mui mvc mvi mva msc msi msa cr ir ar e"},
	{"oscal-cvss-v4.0-av-values", cvss4, []string{"av"}, "n a l p"},
	{"oscal-cvss-v4.0-ac-values", cvss4, []string{"ac"}, "h l"},
	{"oscal-cvss-v4.0-at-values", cvss4, []string{"at"}, "n p"},
	{"oscal-cvss-v4.0-pr-cia-values", cvss4, []string{"pr", "vc", "vi", "va", "sc", "si", "sa"}, "n l h"},
	{"oscal-cvss-v4.0-ui-values", cvss4, []string{"ui"}, "n p a"},
	{"oscal-cvss-v4.0-s-values", cvss4, []string{"s"}, "x n p"},
	{"oscal-cvss-v4.0-au-values", cvss4, []string{"au"}, "x n y"},
	{"oscal-cvss-v4.0-r-values", cvss4, []string{"r"}, "x a u i"},
	{"oscal-cvss-v4.0-v-values", cvss4, []string{"v"}, "x a u i"},
	{"oscal-cvss-v4.0-re-values", cvss4, []string{"re"}, "x l m h"},
	{"oscal-cvss-v4.0-u-values", cvss4, []string{"u"}, "x clear green amber red"},
	{"oscal-cvss-v4.0-mav-values", cvss4, []string{"mav"}, "x n a l p"},
	{"oscal-cvss-v4.0-mac-values", cvss4, []string{"mac"}, "x h l"},
	{"oscal-cvss-v4.0-mat-values", cvss4, []string{"mat"}, "x n p"},
	{"oscal-cvss-v4.0-mpr-mvs-cia-values", cvss4, []string{"mpr", "mvc", "mvi"}, "x n l h"},
	{"oscal-cvss-v4.0-mui-values", cvss4, []string{"mui"}, "x n p a"},
	{"oscal-cvss-v4.0-msc-values", cvss4, []string{"msc"}, "x n l h"},
	{"oscal-cvss-v4.0-msi-msa-cia-values", cvss4, []string{"msi", "msa"}, "x n l h s"},
	{"oscal-cvss-v4.0-env-cia-values", cvss4, []string{"cr", "ir", "ar"}, "x l m h"},
	{"oscal-cvss-v4.0-e-values", cvss4, []string{"e"}, "x a p u"},
}

var (
	cvss2 = []string{systemCVSS2}
	cvss3 = []string{systemCVSS30, systemCVSS31}
	cvss4 = []string{systemCVSS4}
)

// CheckFacet returns the IDs of the constraints of OSCAL 1.2.2 that a facet
// violates, nil for none. A system that OSCAL does not list is allowed and has no
// constraints.
func CheckFacet(f oscal.Facet) []string {
	var out []string
	for _, r := range facetRules {
		if !slices.Contains(r.systems, f.System) || r.names != nil && !slices.Contains(r.names, f.Name) {
			continue
		}
		v := f.Value
		if r.names == nil {
			v = f.Name
		}
		if !word(r.values, v) {
			out = append(out, r.id)
		}
	}
	for _, p := range oscal.Items(f.Props) {
		if p.Ns != "" && p.Ns != SystemOSCAL {
			continue
		}
		if p.Name != "state" {
			out = append(out, "oscal-facet-prop-name-values")
		} else if p.Value != "initial" && p.Value != "adjusted" {
			out = append(out, "oscal-facet-prop-state-values")
		}
	}
	return out
}

// word tells whether w is one of the words of a list with blanks between.
func word(list, w string) bool {
	for v := range strings.SplitSeq(list, " ") {
		if v == w {
			return true
		}
	}
	return false
}

// A cvssMetric says how a metric of a vector is called in a facet and what its
// values are called: pairs of abbreviation and word.
type cvssMetric struct{ metric, name, values string }

const (
	words2Impact = "N none P partial C complete"
	words2Req    = "L low M medium H high ND not-defined"
	words3Impact = "N none L low H high"
	words3Mod    = "X not-defined N none L low H high"
	words3Req    = "X not-defined L low M medium H high"
	words3Vector = "N network A adjacent L local P physical"
)

// The metrics of CVSS versions 2 and 3 (FIRST, specification documents, tables
// of metric values) in the words of facetRules.
var (
	cvss2Metrics = []cvssMetric{
		{"AV", "access-vector", "L local A adjacent-network N network"},
		{"AC", "access-complexity", "H high M medium L low"},
		{"Au", "authentication", "M multiple S single N none"},
		{"C", "confidentiality-impact", words2Impact},
		{"I", "integrity-impact", words2Impact},
		{"A", "availability-impact", words2Impact},
		{"E", "exploitability", "U unproven POC proof-of-concept F functional H high ND not-defined"},
		{"RL", "remediation-level", "OF official-fix TF temporary-fix W workaround U unavailable ND not-defined"},
		{"RC", "report-confidence", "UC unconfirmed UR uncorroborated C confirmed ND not-defined"},
		{"CDP", "collateral-damage-potential", "N none L low LM low-medium MH medium-high H high ND not-defined"},
		{"TD", "target-distribution", "N none L low M medium H high ND not-defined"},
		{"CR", "confidentiality-requirement", words2Req},
		{"IR", "integrity-requirement", words2Req},
		{"AR", "availability-requirement", words2Req},
	}
	cvss3Metrics = []cvssMetric{
		{"AV", "attack-vector", words3Vector},
		{"AC", "access-complexity", "H high L low"},
		{"PR", "privileges-required", words3Impact},
		{"UI", "user-interaction", "N none R required"},
		{"S", "scope", "U unchanged C changed"},
		{"C", "confidentiality-impact", words3Impact},
		{"I", "integrity-impact", words3Impact},
		{"A", "availability-impact", words3Impact},
		{"E", "exploit-code-maturity", "X not-defined U unproven P proof-of-concept F functional H high"},
		{"RL", "remediation-level", "X not-defined O official-fix T temporary-fix W workaround U unavailable"},
		{"RC", "report-confidence", "X not-defined U unknown R reasonable C confirmed"},
		{"CR", "confidentiality-requirement", words3Req},
		{"IR", "integrity-requirement", words3Req},
		{"AR", "availability-requirement", words3Req},
		{"MAV", "modified-attack-vector", "X not-defined " + words3Vector},
		{"MAC", "modified-attack-complexity", "X not-defined H high L low"},
		{"MPR", "modified-privileges-required", words3Mod},
		{"MUI", "modified-user-interaction", "X not-defined N none R required"},
		{"MS", "modified-scope", "X not-defined U unchanged C changed"},
		{"MC", "modified-confidentiality", words3Mod},
		{"MI", "modified-integrity", words3Mod},
		{"MA", "modified-availability", words3Mod},
	}
)

// CVSSFacets returns the metrics of a CVSS vector as facets, in the order of
// the vector, and the metrics that OSCAL has no valid facet for: value density
// V:D and V:C of version 4, whose list of values is that of another metric. No
// facet holds the vector or its score: write these under a system of one's own.
// The error matches [ErrInvalid] for a vector with unknown or repeated metrics;
// which ones are required is for the scorer to check.
func CVSSFacets(vector string) (facets []Facet, omitted []string, err error) {
	system, metrics, rest := systemCVSS2, cvss2Metrics, vector
	switch version, after, _ := strings.Cut(vector, "/"); version {
	case "CVSS:3.0":
		system, metrics, rest = systemCVSS30, cvss3Metrics, after
	case "CVSS:3.1":
		system, metrics, rest = systemCVSS31, cvss3Metrics, after
	case "CVSS:4.0":
		system, metrics, rest = systemCVSS4, nil, after
	}
	seen := map[string]bool{}
	for part := range strings.SplitSeq(rest, "/") {
		metric, value, ok := strings.Cut(part, ":")
		if !ok || seen[metric] {
			return nil, nil, fmt.Errorf("risk: CVSS vector %q: %w: expected metrics once each as metric:value, found %q", vector, ErrInvalid, part)
		}
		seen[metric] = true
		f := Facet{System: system, Name: strings.ToLower(metric), Value: strings.ToLower(value)}
		if system == systemCVSS4 {
			if metric == "V" && (value == "D" || value == "C") {
				omitted = append(omitted, part)
				continue
			}
			if metric == "MVA" && !word("x n l h", f.Value) {
				ok = false // OSCAL has no list for it
			}
			if f.Name == metric || value != "Clear" && value != "Green" && value != "Amber" && value != "Red" && f.Value == value {
				ok = false // names and values are in upper case
			}
		} else {
			f.Name, f.Value, ok = cvssWords(metrics, metric, value)
		}
		if !ok || CheckFacet(oscal.Facet{System: f.System, Name: f.Name, Value: f.Value}) != nil {
			return nil, nil, fmt.Errorf("risk: CVSS vector %q: %w: no metric %q", vector, ErrInvalid, part)
		}
		facets = append(facets, f)
	}
	return facets, omitted, nil
}

func cvssWords(metrics []cvssMetric, metric, value string) (name, word string, ok bool) {
	i := slices.IndexFunc(metrics, func(m cvssMetric) bool { return m.metric == metric })
	if i < 0 {
		return "", "", false
	}
	pairs := strings.Fields(metrics[i].values)
	for j := 0; j < len(pairs); j += 2 {
		if pairs[j] == value {
			return metrics[i].name, pairs[j+1], true
		}
	}
	return "", "", false
}
