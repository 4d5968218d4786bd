package risk_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/risk"
	"github.com/issokit/issokit/risk/fair"
	"github.com/issokit/issokit/risk/matrix"
)

var june = time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)

// criteria of a small organization: low is wanted, moderate is borne.
func criteria() risk.Criteria {
	scale := risk.Scale(matrix.NISTScale())
	return risk.Criteria{
		Scales:      []risk.Scale{scale},
		Appetites:   []risk.Appetite{{System: scale.System, Appetite: "low", Tolerance: "moderate"}},
		Authorities: []risk.Authority{{Who: "ciso", System: scale.System, Level: "high"}},
		Terms:       []risk.Term{{AcceptDays: 365, Review: 3}},
	}
}

// phishing is a risk with an assessment.
func phishing() risk.Risk {
	rating, err := matrix.ThreatEvent{Initiation: matrix.High, AdverseImpact: matrix.Moderate, Impact: matrix.High}.Rate()
	if err != nil {
		panic(err)
	}
	return risk.Risk{
		ID: "R-1", Title: "Phishing of administrators", Description: "Administrators read mail where they administer.",
		Statement: "An attacker administers the system.", State: risk.Identified, Owner: "operations",
		Threats:     []risk.Threat{{System: "https://attack.mitre.org", ID: "T1566"}},
		Assessments: []risk.Assessment{risk.Rated(risk.Current, rating, june, risk.Actor{ID: "assessor"})},
	}
}

func ExampleRated() {
	rating, err := matrix.ThreatEvent{Initiation: matrix.VeryHigh, AdverseImpact: matrix.Moderate, Impact: matrix.High}.Rate()
	if err != nil {
		fmt.Println(err)
		return
	}
	a := risk.Rated(risk.Current, rating, june, risk.Actor{ID: "assessor"})
	fmt.Println(a.Stage, a.Level, *a.Score)
	fmt.Print(a.Explain())
	// Output:
	// current high 8
	// G-2: initiation = very-high (assessed)
	// G-4: adverse-impact = moderate (assessed)
	// G-5: overall-likelihood = high (row initiation very-high, column adverse-impact moderate; the table puts it above the lower of the two, which a joint probability cannot exceed)
	// H-3: impact = high (assessed)
	// I-2: risk = high (row overall-likelihood high, column impact high)
}

// From a simulation to the register and to OSCAL: the loss within appetite is
// accepted, and the acceptance outlives a run with another seed.
func ExampleQuantified() {
	rate, err := fair.Constant(0.5)
	if err != nil {
		fmt.Println(err)
		return
	}
	frequency, err := fair.Poisson(rate)
	if err != nil {
		fmt.Println(err)
		return
	}
	magnitude, err := fair.PERT(10_000, 40_000, 250_000, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	model := fair.Portfolio{Scenarios: []fair.Scenario{{
		ID: "phishing", Frequency: fair.LossEvents(frequency), Losses: []fair.Loss{fair.PrimaryLoss(fair.Response, magnitude)},
	}}}
	assess := func(seed uint64, at time.Time) risk.Assessment {
		result, err := fair.Simulate(context.Background(), model, &fair.Options{Seed: seed})
		if err != nil {
			panic(err)
		}
		digest, err := model.Digest(context.Background())
		if err != nil {
			panic(err)
		}
		return risk.Quantified(risk.Current, result, "EUR", digest, at, risk.Actor{ID: "assessor"})
	}

	r := phishing()
	r.Assessments = []risk.Assessment{assess(1, june)}
	c := risk.Criteria{
		Appetites:   []risk.Appetite{{System: risk.SystemFAIR, Currency: "EUR", MeanLoss: 50_000}},
		Authorities: []risk.Authority{{Who: "ciso", System: risk.SystemFAIR, Currency: "EUR", MeanLoss: 100_000}},
		Terms:       []risk.Term{{AcceptDays: 365}},
	}
	for _, e := range []risk.Event{
		{Kind: risk.Analyse, By: "assessor"},
		{Kind: risk.Evaluate, By: "operations"},
		{Kind: risk.RequestAcceptance, By: "operations", Reason: "Within appetite.", Expires: june.AddDate(0, 6, 0), Digest: r.Assessments[0].Digest()},
		{Kind: risk.Approve, By: "ciso"},
	} {
		if r, err = r.Apply(e, c, june); err != nil {
			fmt.Println(err)
			return
		}
	}
	r.Assessments = append(r.Assessments, assess(2, june.AddDate(0, 1, 0)))
	accepted, _ := r.Accepted()
	fmt.Println("in force after another run:", accepted.At(r, june.AddDate(0, 1, 0)).InForce)

	x, err := risk.ToOSCAL(r, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	facets := oscal.Items(x.Characterizations)[0].Facets
	for _, f := range facets {
		switch f.Name {
		case "ale", "var-95": // the mean is 0.5 events a year of (10,000 + 4 x 40,000 + 250,000)/6 each
			value, _ := strconv.ParseFloat(f.Value, 64)
			fmt.Printf("%s %.1fe4\n", f.Name, value/1e4)
		case "currency", "years", "seed":
			fmt.Println(f.Name, f.Value)
		}
	}

	// Output:
	// in force after another run: true
	// currency EUR
	// ale 3.5e4
	// var-95 15.4e4
	// years 100000
	// seed 1
}

func ExampleRisk_Apply() {
	r, c := phishing(), criteria()
	for _, e := range []risk.Event{
		{Kind: risk.Analyse, By: "assessor"},
		{Kind: risk.Evaluate, By: "operations"},
		{Kind: risk.Treat, By: "operations", Responses: []risk.Response{{
			ID: "mfa", Kind: risk.Mitigate, Title: "Phishing-resistant authentication", Owner: "operations", Due: june.AddDate(0, 2, 0),
		}}},
	} {
		var err error
		if r, err = r.Apply(e, c, june); err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(e.Kind, "->", r.State)
	}
	_, err := r.Apply(risk.Event{Kind: risk.Close, By: "operations", Closure: risk.Closure{Reason: risk.Eliminated}}, c, june)
	fmt.Println(err)
	fmt.Println(errors.Is(err, risk.Rule("a response is still planned")))
	// Output:
	// analyse -> analysed
	// evaluate -> evaluated
	// treat -> treating
	// risk: R-1: close in state treating: a response is still planned
	// true
}

func ExampleAcceptance() {
	r, c := phishing(), criteria()
	a, _ := r.Standing()
	for _, e := range []risk.Event{
		{Kind: risk.Analyse, By: "assessor"},
		{Kind: risk.Evaluate, By: "operations"},
		{Kind: risk.RequestAcceptance, By: "operations", Reason: "The system is retired in November.", Expires: june.AddDate(0, 6, 0), Digest: a.Digest()},
		{Kind: risk.Approve, By: "ciso"},
	} {
		var err error
		if r, err = r.Apply(e, c, june); err != nil {
			fmt.Println(err)
			return
		}
	}
	accepted, _ := r.Accepted()
	fmt.Println(r.State, "until", accepted.Expires.Format(time.DateOnly))
	fmt.Println("in force in July:", accepted.At(r, june.AddDate(0, 1, 0)).InForce)

	worse, err := matrix.ThreatEvent{Initiation: matrix.High, AdverseImpact: matrix.High, Impact: matrix.High}.Rate()
	if err != nil {
		fmt.Println(err)
		return
	}
	changed := r
	changed.Assessments = append(changed.Assessments, risk.Rated(risk.Current, worse, june.AddDate(0, 0, 1), risk.Actor{ID: "assessor"}))
	fmt.Println("void after another assessment:", accepted.At(changed, june.AddDate(0, 1, 0)).Void)
	// Output:
	// accepted until 2026-12-30
	// in force in July: true
	// void after another assessment: true
}

func ExampleCriteria_Breaches() {
	r, c := phishing(), criteria()
	r.Responses = []risk.Response{{ID: "mfa", Kind: risk.Mitigate, Lifecycle: risk.Planned, Title: "Authentication", Owner: "operations", Due: june.AddDate(0, 1, 0)}}
	breaches, err := c.Breaches(r, june.AddDate(0, 4, 0))
	for _, b := range breaches {
		fmt.Println(b.Since.Format(time.DateOnly), b)
	}
	fmt.Println(err)
	// Output:
	// 2026-06-30 above appetite: moderate
	// 2026-07-30 response overdue: mfa
	// 2026-09-30 review overdue
	// <nil>
}

func ExampleToOSCAL() {
	x, err := risk.ToOSCAL(phishing(), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(x.UUID, x.Status)
	for _, f := range oscal.Items(x.Characterizations)[0].Facets[:2] {
		fmt.Println(f.System, f.Name, f.Value)
	}
	// Output:
	// 6727b3c1-1160-5347-94a4-bd6ea54173e7 open
	// http://csrc.nist.gov/ns/oscal risk moderate
	// https://github.com/issokit/issokit/ns/oscal/sp800-30 initiation high
}

func ExampleFromOSCAL() {
	// A risk as another tool wrote it.
	x := oscal.Risk{
		UUID: "9cbd98f3-abcb-4948-ad06-14e0bcba742f", Title: "Weakness", Description: "…", Statement: "…", Status: "remediating",
		Props: oscal.List(oscal.Property{Ns: "https://fedramp.gov/ns/oscal", Name: "impacted-control-id", Value: "ac-2"}),
		Characterizations: oscal.List(oscal.Characterization{
			Origin: oscal.Origin{Actors: []oscal.OriginActor{{Type: "tool", ActorUuid: "9d194268-a9d1-4c38-839f-9c4aa57bf71e"}}},
			Facets: []oscal.Facet{
				{System: "https://fedramp.gov", Name: "risk", Value: "high", Props: oscal.List(oscal.Property{Name: "state", Value: "initial"})},
				{System: "https://fedramp.gov", Name: "risk", Value: "moderate", Props: oscal.List(oscal.Property{Name: "state", Value: "adjusted"})},
			},
		}),
	}
	r, err := risk.FromOSCAL(x)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(r.State)
	for _, a := range r.Assessments {
		fmt.Println(a.Stage, a.Level)
	}
	r.Owner = "operations"
	if x, err = risk.ToOSCAL(r, nil); err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range oscal.Items(x.Props) {
		fmt.Println(p.Name, p.Value)
	}
	// Output:
	// treating
	// inherent high
	// residual moderate
	// impacted-control-id ac-2
	// owner operations
}

func ExampleCVSSFacets() {
	facets, omitted, err := risk.CVSSFacets("CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N/V:D")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(facets[0].System, facets[0].Name, facets[0].Value, len(facets), omitted)
	// Output:
	// https://www.first.org/cvss/v4-0 av n 11 [V:D]
}

func ExampleCheckFacet() {
	fmt.Println(risk.CheckFacet(oscal.Facet{System: "http://www.first.org/cvss/v3.1", Name: "attack-complexity", Value: "low"}))
	fmt.Println(risk.CheckFacet(oscal.Facet{System: "http://www.first.org/cvss/v3.1", Name: "access-complexity", Value: "low"}))
	// Output:
	// [oscal-facet-cvss3-name-values]
	// []
}

func ExampleNewRegister() {
	other := phishing()
	other.ID, other.Title, other.Category = "R-2", "Phishing of users", "users"
	other.Assessments[0].Level, other.Assessments[0].Score = "very-high", new(10.0)
	g, err := risk.NewRegister(phishing(), other)
	if err != nil {
		fmt.Println(err)
		return
	}
	top, err := g.Top(10, criteria())
	for _, t := range top {
		fmt.Println(t.Rank, t.Risk.ID, t.By.Level)
	}
	fmt.Println(err)
	for r := range g.Find(risk.Query{Category: "users"}) {
		fmt.Println(r.Title)
	}
	// Output:
	// 1 R-2 very-high
	// 2 R-1 moderate
	// <nil>
	// Phishing of users
}

func ExampleAggregate() {
	r := phishing()
	r.Parent = "mail"
	g, err := risk.NewRegister(r)
	if err != nil {
		fmt.Println(err)
		return
	}
	summaries, err := risk.Aggregate(g, []risk.Node{
		{ID: "company", Kind: "organization"},
		{ID: "it", Parent: "company", Kind: "department"},
		{ID: "mail", Parent: "it", Kind: "system"},
	}, risk.Scale(matrix.NISTScale()), nil)
	for _, s := range summaries {
		fmt.Printf("%*s%s: %d, at most %s\n", 2*s.Depth, "", s.Node.ID, s.Risks, s.Max)
	}
	fmt.Println(err)
	// Output:
	// company: 1, at most moderate
	//   it: 1, at most moderate
	//     mail: 1, at most moderate
	// <nil>
}

func ExampleIndicator() {
	patching := risk.Indicator{
		ID: "K-1", Title: "Servers patched in time", Unit: "%", Target: 100, Warn: 95, Limit: 90,
		Readings: []risk.Reading{{june.AddDate(0, -1, 0), 97}, {june, 93}},
	}
	status := patching.At(june.AddDate(0, 0, 5))
	fmt.Println(status.Signal, status.Last.Value, "worse by", status.Trend)
	// Output:
	// warning 93 worse by 4
}

// shelf is the smallest store there is; package store has real ones.
type shelf struct {
	risks     map[string]risk.Risk
	revisions map[string]int64
}

func (s shelf) Get(_ context.Context, id string) (risk.Risk, error) {
	r, ok := s.risks[id]
	if !ok {
		return risk.Risk{}, risk.ErrNotFound
	}
	return r, nil
}

func (s shelf) Swap(_ context.Context, r risk.Risk, revision int64) (int64, error) {
	if is := s.revisions[r.ID]; is != revision {
		return 0, fmt.Errorf("revision %d of %s was changed: it is %d now", revision, r.ID, is)
	}
	s.risks[r.ID] = r
	s.revisions[r.ID]++
	return revision + 1, nil
}

func (s shelf) All(context.Context) iter.Seq2[risk.Risk, error] {
	return func(yield func(risk.Risk, error) bool) {
		for _, id := range slices.Sorted(maps.Keys(s.risks)) {
			if !yield(s.risks[id], nil) {
				return
			}
		}
	}
}

func ExampleUpdate() {
	ctx := context.Background()
	store := shelf{map[string]risk.Risk{"R-1": phishing()}, map[string]int64{"R-1": 1}}
	analyse := risk.Event{Kind: risk.Analyse, By: "assessor"}
	r, revision, err := risk.Update(ctx, store, "R-1", 1, analyse, criteria(), june)
	fmt.Println(r.State, revision, err)

	// Somebody who has seen revision 1 learns that it is not that any more.
	evaluate := risk.Event{Kind: risk.Evaluate, By: "risk owner"}
	_, _, err = risk.Update(ctx, store, "R-1", 1, evaluate, criteria(), june)
	fmt.Println(err)
	// Output:
	// analysed 2 <nil>
	// revision 1 of R-1 was changed: it is 2 now
}
