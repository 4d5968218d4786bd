package matrix_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/issokit/issokit/risk/matrix"
)

func ExampleThreatEvent_Rate() {
	r, err := matrix.ThreatEvent{Initiation: matrix.VeryHigh, AdverseImpact: matrix.Moderate, Impact: matrix.VeryHigh}.Rate()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Level, *r.Score)
	fmt.Print(r.Explain())
	// Output:
	// very-high 10
	// G-2: initiation = very-high (assessed)
	// G-4: adverse-impact = moderate (assessed)
	// G-5: overall-likelihood = high (row initiation very-high, column adverse-impact moderate; the table puts it above the lower of the two, which a joint probability cannot exceed)
	// H-3: impact = very-high (assessed)
	// I-2: risk = very-high (row overall-likelihood high, column impact very-high)
}

func ExampleThreatEvent_Possible() {
	// A fire once in twenty years; nobody has looked at the impact yet.
	occurrence, err := matrix.OccurrenceOf(0.05)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(matrix.ThreatEvent{NonAdversarial: true, Initiation: occurrence, AdverseImpact: matrix.VeryHigh}.Possible())
	// Output:
	// [very-low low moderate]
}

func ExampleQualitativeOf() {
	q, err := matrix.QualitativeOf(79.5)
	fmt.Println(q, q.Value(), err)
	_, err = matrix.QualitativeOf(101)
	fmt.Println(err)
	// Output:
	// moderate 5 <nil>
	// matrix: not valid: expected a score from 0 to 100, found 101
}

func ExampleParseQualitative() {
	_, err := matrix.ParseQualitative("medium")
	fmt.Println(err)
	// Output:
	// matrix: not valid: expected very-low, low, moderate, high or very-high, found "medium"
}

func ExampleAssessmentScales() {
	for _, s := range matrix.AssessmentScales() {
		if s.Table == "G-3" {
			fmt.Println(s.Title)
			fmt.Println(s.Levels[0].Name, *s.Levels[0].Score, s.Levels[0].Text)
		}
	}
	// Output:
	// likelihood of threat event occurrence, non-adversarial
	// very-low 0 Error, accident, or act of nature is highly unlikely to occur; or occurs less than once every 10 years.
}

const own = `{
  "id": "ours",
  "axes": [
    {"name": "likelihood", "levels": ["rare", "likely"]},
    {"name": "impact", "levels": ["minor", "major"]}
  ],
  "outcomes": ["acceptable", {"name": "tolerable", "color": "#fc8d59"}, {"name": "unacceptable", "color": "#d73027"}],
  "table": [["acceptable", "tolerable"], ["tolerable", "unacceptable"]]
}`

func ExampleLoad() {
	m, err := matrix.Load(strings.NewReader(own), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := m.Rate("likely", "major")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Print(r.Explain())
	fmt.Println(m.Possible("likely", ""))
	fmt.Println(m.Tally("tolerable", "acceptable", "tolerable"))
	// Output:
	// input: likelihood = likely (assessed)
	// input: impact = major (assessed)
	// ours: risk = unacceptable (row likelihood likely, column impact major)
	// [tolerable unacceptable] <nil>
	// {tolerable [{acceptable 1} {tolerable 2} {unacceptable 0}]} <nil>
}

func ExampleLoad_problems() {
	broken := strings.Replace(own, `["tolerable", "unacceptable"]]`, `["tolerable", "bad"]], "titel": "x"`, 1)
	_, err := matrix.Load(strings.NewReader(broken), &matrix.LoadOptions{Name: "ours.json"})
	problems, _ := errors.AsType[matrix.Problems](err)
	for _, p := range problems {
		fmt.Println(p)
	}
	// Output:
	// ours.json:8:56: "bad" is none of the outcomes (at /cells/3/outcome) [unknown outcome]
	// ours.json:8:74: a matrix has no member "titel" (at /titel) [unknown member]
}

func ExampleNew() {
	m, err := matrix.New(matrix.Definition{
		ID:       "controls",
		Axes:     []matrix.Axis{{Name: "strength of control", Descending: true, Levels: matrix.Levels("none", "weak", "strong")}},
		Outcomes: matrix.Levels("low", "high"),
		Cells:    []matrix.Cell{{At: []string{"none"}, Outcome: "high"}, {At: []string{"weak"}, Outcome: "low"}, {At: []string{"strong"}, Outcome: "high"}},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, w := range m.Warnings() {
		fmt.Println(w)
	}
	// Output:
	// warning: weak gives low, but strong gives high (at /cells) [not monotone]
}

func ExampleSum() {
	// In the style of the additive examples around ISO/IEC 27005.
	m, err := matrix.New(matrix.Sum("asset-threat-vulnerability",
		matrix.Axis{Name: "asset value", Levels: matrix.Levels("0", "1", "2", "3", "4")},
		matrix.Axis{Name: "likelihood of threat", Levels: matrix.Levels("low", "medium", "high")},
		matrix.Axis{Name: "ease of exploitation", Levels: matrix.Levels("low", "medium", "high")},
	))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Lookup("3", "medium", "high"))
	// Output:
	// 6 <nil>
}

func ExampleProduct() {
	bands := []matrix.Band{{Outcome: matrix.Level{Name: "low"}, To: 2}, {Outcome: matrix.Level{Name: "high"}, To: 9}}
	m, err := matrix.New(matrix.Product("3x3", bands,
		matrix.Axis{Name: "likelihood", Levels: matrix.Levels("rare", "possible", "likely")},
		matrix.Axis{Name: "impact", Levels: matrix.Levels("minor", "moderate", "major")},
	))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(m.Lookup("possible", "moderate"))
	// Output:
	// high <nil>
}

func ExampleOWASP_Rate() {
	// The worked example of the methodology, with technical impact and then with
	// business impact.
	o, err := matrix.ParseOWASP("SL:5/M:2/O:7/S:1/ED:3/EE:6/A:9/ID:2/LC:9/LI:7/LAV:5/LAC:8")
	if err != nil {
		fmt.Println(err)
		return
	}
	r, err := o.Rate()
	fmt.Println(r.Level, err)
	o.Business = []float64{1, 2, 1, 5}
	r, err = o.Rate()
	fmt.Println(r.Level, err)
	for _, s := range r.Why[len(r.Why)-5:] {
		fmt.Println(s)
	}
	// Output:
	// high <nil>
	// low <nil>
	// mean: likelihood = 4.375 (mean of the factors of threat agent and vulnerability)
	// levels: likelihood-level = medium (below 3 low, below 6 medium, else high)
	// mean: impact = 2.25 (mean of the business factors, which replace the technical ones)
	// levels: impact-level = low (below 3 low, below 6 medium, else high)
	// severity: risk = low (row impact low, column likelihood medium)
}

func ExampleOWASPFactors() {
	motive := matrix.OWASPFactors()[1]
	fmt.Println(motive.Key, motive.Name)
	for _, o := range motive.Options {
		fmt.Println(o.Value, o.Text)
	}
	// Output:
	// M motive
	// 1 little to gain
	// 4 perhaps something to gain
	// 9 much to gain
}

func ExampleFormula_Rate() {
	r, err := matrix.ImpactTwice.Rate(3, 4, 5, 5, matrix.Threshold{Level: "low"}, matrix.Threshold{Level: "medium", From: 4}, matrix.Threshold{Level: "high", From: 7})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.Level, *r.Score)
	fmt.Println(r.Why[2])
	// Output:
	// medium 5.71
	// L*I+2*I: score = 5.71 (20 of 35, scaled to 10)
}

func ExampleRateCSF() {
	functions, err := matrix.RateCSF([]matrix.CSFOutcome{
		{ID: "PR.AA-01", Current: "risk-informed", Target: "repeatable"},
		{ID: "PR.DS-01", Current: "partial", Target: "repeatable"},
		{ID: "DE.CM-01", Current: "repeatable", Target: "repeatable"},
	})
	for _, f := range functions {
		fmt.Println(f.Function, f.Gaps.Max, f.Short)
	}
	fmt.Println(err)
	// Output:
	// PR two-tiers [PR.DS-01 PR.AA-01]
	// DE met []
	// <nil>
}
