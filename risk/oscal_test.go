package risk

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

func day(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }

// requireValid checks a risk as part of a plan of action and milestones.
func requireValid(t *testing.T, x oscal.Risk) *oscal.Document {
	t.Helper()
	doc, err := oscal.FromView(&oscal.PlanOfActionAndMilestones{
		UUID:      oscal.UUID("poam", "test"),
		Metadata:  oscal.Metadata{Title: "Test", LastModified: day(2026, 1, 1), Version: "1", OscalVersion: oscal.ModelVersion},
		Risks:     oscal.List(x),
		PoamItems: []oscal.PoamItem{{UUID: oscal.UUID("poam-item", "test"), Title: "Item", Description: "Item"}},
	})
	require.NoError(t, err)
	return doc
}

// corpusRisks returns the risks of the packages of the corpus.
func corpusRisks(tb testing.TB) map[string]oscal.Risk {
	tb.Helper()
	out := map[string]oscal.Risk{}
	add := func(file string, risks *[]oscal.Risk) {
		for i, r := range oscal.Items(risks) {
			out[fmt.Sprintf("%s risk %d", file, i)] = r
		}
	}
	for _, file := range []string{
		"nist-ifa/json/ifa_assessment-results-example.json", "nist-ifa/json/ifa_plan-of-action-and-milestones.json",
		"fedramp-rev5-templates/json/FedRAMP-POAM-OSCAL-Template.json", "fedramp-rev5-templates/json/FedRAMP-SAR-OSCAL-Template.json",
	} {
		f, err := os.Open(corpus.Path(tb, "authorization/packages", file))
		require.NoError(tb, err)
		defer f.Close()
		doc, _ := oscal.Read(f, nil) // the templates have their faults
		require.NotNil(tb, doc)
		switch doc.Model() {
		case "assessment-results":
			view, _ := oscal.As[oscal.AssessmentResults](doc) // a task has no place in the Go type
			for i, res := range view.Results {
				add(fmt.Sprintf("%s result %d", file, i), res.Risks)
			}
		default:
			view, err := oscal.As[oscal.PlanOfActionAndMilestones](doc)
			require.NoError(tb, err)
			add(file, view.Risks)
		}
	}
	require.Len(tb, out, 9)
	return out
}

// TestCorpusRisksComeThrough: what others wrote comes back as it was, and stays
// in all else when something is changed.
func TestCorpusRisksComeThrough(t *testing.T) {
	for name, x := range corpusRisks(t) {
		t.Run(name, func(t *testing.T) {
			r, err := FromOSCAL(x)
			require.NoError(t, err)
			back, err := ToOSCAL(r, nil)
			require.NoError(t, err)
			require.Equal(t, x, back)

			// Also after a store has kept the risk as JSON.
			data, err := json.Marshal(r)
			require.NoError(t, err)
			var stored Risk
			require.NoError(t, json.Unmarshal(data, &stored))
			back, err = ToOSCAL(stored, nil)
			require.NoError(t, err)
			require.Equal(t, text(x), text(back))

			r.Title = "Another title"
			back, err = ToOSCAL(r, nil)
			require.NoError(t, err)
			x.Title = "Another title"
			require.Equal(t, x, back)
		})
	}
}

// TestForeignLevels: what the assessments of others come to.
func TestForeignLevels(t *testing.T) {
	type level struct {
		Stage         Stage
		System, Level string
	}
	levels := map[string][]level{}
	for name, x := range corpusRisks(t) {
		r, err := FromOSCAL(x)
		require.NoError(t, err)
		for _, a := range r.Assessments {
			levels[name] = append(levels[name], level{a.Stage, a.System, a.Level})
		}
	}
	const (
		ifa  = "nist-ifa/json/ifa_plan-of-action-and-milestones.json risk "
		poam = "fedramp-rev5-templates/json/FedRAMP-POAM-OSCAL-Template.json risk "
		sar  = "fedramp-rev5-templates/json/FedRAMP-SAR-OSCAL-Template.json result 0 risk "

		unknown = "http://csrc.nist.gov/ns/oscal/unknown"
	)
	// Where a document states likelihood and impact alone there is no level: what
	// they come to is not its readers' to invent.
	require.Equal(t, map[string][]level{
		ifa + "0":  {{Current, "https://ifa.gov/division/ociso/sca", ""}},
		ifa + "1":  {{Current, "https://ifa.gov/division/ociso/sca", ""}},
		poam + "0": {{Inherent, SystemFedRAMP, "high"}},
		poam + "1": {
			{Current, "https://us-cert.cisa.gov", ""},
			{Inherent, SystemFedRAMP, "high"},
			{Residual, SystemFedRAMP, "moderate"},
			{Current, unknown, ""},
		},
		sar + "0": {{Inherent, SystemFedRAMP, ""}},
		sar + "1": {{Inherent, SystemFedRAMP, ""}},
		sar + "2": {{Current, unknown, ""}, {Inherent, SystemFedRAMP, ""}, {Residual, SystemFedRAMP, ""}},
		sar + "3": {{Inherent, SystemFedRAMP, ""}},
	}, levels)
}

// TestRoundTrip: any risk of ours comes back from OSCAL as it was, and is valid
// there.
func TestRoundTrip(t *testing.T) {
	for seed := range uint64(300) {
		r := randomRisk(rand.New(rand.NewPCG(seed, 1)))
		x, err := ToOSCAL(r, nil)
		require.NoError(t, err, "seed %d", seed)
		back, err := FromOSCAL(x)
		require.NoError(t, err)
		require.Equal(t, r, back, "seed %d", seed)
		requireValid(t, x)

		y, err := ToOSCAL(back, nil)
		require.NoError(t, err)
		require.Equal(t, x, y)

		// So it does from the JSON of a store.
		data, err := json.Marshal(r)
		require.NoError(t, err)
		var stored Risk
		require.NoError(t, json.Unmarshal(data, &stored))
		require.Equal(t, r, stored, "seed %d", seed)
	}
}

// randomRisk returns a risk with whatever fields there are.
func randomRisk(g *rand.Rand) Risk {
	text := func() string {
		return []string{"A plain text", "x", "Grüße — λ", `quotes " and \ and <b>`, "2026-01-01", "*markup*"}[g.IntN(6)]
	}
	long := func() string { return []string{"", "One line", "Two\n\nparagraphs", "  spaces  "}[g.IntN(4)] }
	maybe := func(s string) string {
		if g.IntN(2) == 0 {
			return ""
		}
		return s
	}
	id := func(i int) string {
		if g.IntN(3) == 0 {
			return oscal.UUID("test", fmt.Sprint(i, g.Uint64()))
		}
		return fmt.Sprintf("id %d", i)
	}
	at := func() time.Time {
		return day(2020, 1, 1).Add(time.Duration(g.Int64N(int64(20 * 365 * 24 * time.Hour)))).Truncate(time.Duration(1 + g.IntN(2)*999_999_999))
	}
	when := func() time.Time {
		if g.IntN(2) == 0 {
			return time.Time{}
		}
		return at()
	}
	num := func() float64 {
		return []float64{0, 1, 0.1, 1e-9, 123456.789, 1e18, -5, math.Pi, math.MaxFloat64, math.SmallestNonzeroFloat64}[g.IntN(10)]
	}
	list := func() []string {
		var out []string
		for i := range g.IntN(3) {
			out = append(out, fmt.Sprintf("%s %d", text(), i))
		}
		return out
	}
	actors := func(least int) []Actor {
		var out []Actor
		for i := range least + g.IntN(2) {
			out = append(out, Actor{Type: maybe("tool"), ID: id(i), Role: maybe("assessor")})
		}
		return out
	}
	estimate := func() Estimate {
		e := Estimate{Value: num()}
		if g.IntN(2) == 0 {
			e.Lo, e.Hi, e.Level = num(), []float64{num(), math.Inf(1)}[g.IntN(2)], 0.95
		}
		return e
	}
	r := Risk{
		ID: id(0), Title: text(), Description: long(), Statement: long(), State: State(1 + g.IntN(8)), Category: maybe(text()), Owner: maybe(text()),
		Parent: maybe("system"), Deadline: when(), Sources: list(), Assets: list(), Controls: list(), Origins: actors(0),
	}
	if g.IntN(2) == 0 {
		r.Priority = new(g.IntN(100) - 50)
	}
	if g.IntN(3) == 0 {
		r.Closure = &Closure{Reason: CloseReason(1 + g.IntN(4)), By: maybe(text()), ConfirmedBy: maybe(text()), At: when(), Evidence: list()}
	}
	for range g.IntN(3) {
		r.Threats = append(r.Threats, Threat{System: "https://attack.mitre.org", ID: "T1566", Href: maybe("https://attack.mitre.org/techniques/T1566")})
		r.Props = append(r.Props, oscal.Property{Ns: maybe("https://fedramp.gov/ns/oscal"), Name: "impacted-control-id", Value: "ac-2", Class: maybe("x"), Remarks: long()})
		r.Links = append(r.Links, oscal.Link{Href: "#x", Rel: maybe("reference"), Text: maybe("text")})
		r.Observations = append(r.Observations, oscal.UUID("observation", fmt.Sprint(g.Uint64())))
	}
	for i := range g.IntN(3) {
		r.Mitigations = append(r.Mitigations, Mitigation{ID: id(i), Description: long(), Implementation: maybe(oscal.UUID("x"))})
	}
	for range g.IntN(4) {
		a := Assessment{Stage: Stage(1 + g.IntN(3)), System: "https://example.org/scale", Version: maybe("1.0"), Level: "high", Basis: maybe("abc"), At: when(), Controls: list(), Origins: actors(1)}
		if g.IntN(2) == 0 {
			a.Score = new(num())
		}
		if g.IntN(3) == 0 {
			a.Level = maybe("5")
			a.Loss = &Loss{Currency: "USD", Mean: estimate(), Years: g.IntN(2) * 100000, Seed: g.Uint64N(2) * math.MaxUint64}
			if g.IntN(2) == 0 {
				a.Loss.Events = new(estimate())
			}
			for _, p := range []float64{0.07, 0.95, 0.995}[:g.IntN(4)] {
				a.Loss.VaR = append(a.Loss.VaR, Quantile{p, estimate()})
				a.Loss.TVaR = append(a.Loss.TVaR, Quantile{p, estimate()})
				a.Loss.Curve = append(a.Loss.Curve, Exceedance{num(), estimate()})
			}
		}
		for range g.IntN(3) {
			a.Why = append(a.Why, Step{Rule: text(), Name: []string{"risk", "ale", "currency", "likelihood"}[g.IntN(4)], Value: text(), Text: long()})
			a.Facets = append(a.Facets, Facet{System: SystemFAIR, Name: []string{"ale", "currency", "seed", "tef"}[g.IntN(4)], Value: text()},
				Facet{System: SystemCVE, Name: "cve-id", Value: "CVE-2021-44228"},
				Facet{System: SystemOSCAL, Name: "risk", Value: "high", Stage: []Stage{0, Inherent, Residual}[g.IntN(3)]})
		}
		r.Assessments = append(r.Assessments, a)
	}
	for i := range g.IntN(3) {
		s := Response{
			ID: id(i), Kind: ResponseKind(g.IntN(8)), Lifecycle: Lifecycle(1 + g.IntN(4)), Title: text(), Description: long(), Owner: maybe(text()),
			Due: when(), Controls: list(),
		}
		if g.IntN(2) == 0 {
			s.Cost, s.Spent = Money{num(), "USD"}, Money{num(), "EUR"}
		}
		for j := range g.IntN(3) {
			m := Milestone{ID: id(j), Title: text(), Description: long(), Due: when(), Done: when()}
			if !m.Due.IsZero() {
				m.Start = when()
			}
			s.Milestones = append(s.Milestones, m)
		}
		r.Responses = append(r.Responses, s)
	}
	for i := range g.IntN(3) {
		r.Acceptances = append(r.Acceptances, Acceptance{
			ID: fmt.Sprintf("acceptance-%d", i), Decision: Decision(1 + g.IntN(6)), Justification: long(), RequestedBy: maybe(text()), RequestedAt: when(),
			Expires: at(), Digest: "d", Level: maybe("high"), DecidedBy: maybe(text()), DecidedAt: when(), Reason: long(),
		})
	}
	for i := range g.IntN(4) {
		e := Entry{ID: id(i), At: at(), Event: EventKind(g.IntN(15)), From: State(g.IntN(9)), To: State(g.IntN(9)), Title: maybe(text()), Text: long(), Evidence: list()}
		if g.IntN(2) == 0 {
			e.By, e.Role = id(7), maybe("owner")
		}
		for _, s := range r.Responses {
			e.Responses = append(e.Responses, s.ID)
		}
		r.Log = append(r.Log, e)
	}
	return r
}

func FuzzOSCAL(f *testing.F) {
	for _, x := range corpusRisks(f) {
		f.Add([]byte(text(x)))
	}
	for seed := range uint64(20) {
		x, err := ToOSCAL(randomRisk(rand.New(rand.NewPCG(seed, 2))), nil)
		require.NoError(f, err)
		f.Add([]byte(text(x)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var x oscal.Risk
		if json.Unmarshal(data, &x) != nil {
			return
		}
		if _, err := json.Marshal(x); err != nil {
			return
		}
		r, _ := FromOSCAL(x)
		back, err := ToOSCAL(r, nil)
		require.NoError(t, err)
		require.True(t, bytes.Equal([]byte(text(x)), []byte(text(back))), "%s\n%s", text(x), text(back))

		// An edit touches nothing else, and what is new is there.
		r.Title = "Edited"
		r.Assets = append(r.Assets, "asset")
		edited, err := ToOSCAL(r, nil)
		if err != nil {
			return
		}
		again, _ := FromOSCAL(edited)
		require.Equal(t, "Edited", again.Title)
		require.Equal(t, r.Assets, again.Assets)
		r.Source, again.Source = nil, nil
		require.Equal(t, text(r), text(again))
	})
}

// TestEditsOfForeignRisks: what others put into an assembly stays there while
// any field of the risk changes to anything, and what changed reads back.
func TestEditsOfForeignRisks(t *testing.T) {
	mark := oscal.Property{Ns: "https://other.example", Name: "mark", Value: "kept", Remarks: "by others"}
	for seed := range uint64(300) {
		g := rand.New(rand.NewPCG(seed, 3))
		x, err := ToOSCAL(randomRisk(g), nil)
		require.NoError(t, err)
		marks := 0
		decorate := func(props **[]oscal.Property) {
			if g.IntN(2) == 0 {
				list := append([]oscal.Property{}, oscal.Items(*props)...)
				at := g.IntN(len(list) + 1)
				list = append(list[:at], append([]oscal.Property{mark}, list[at:]...)...)
				*props = &list
				marks++
			}
		}
		decorate(&x.Props)
		for i := range oscal.Items(x.Remediations) {
			decorate(&(*x.Remediations)[i].Props)
			for j := range oscal.Items((*x.Remediations)[i].Tasks) {
				decorate(&(*(*x.Remediations)[i].Tasks)[j].Props)
			}
		}
		for i := range oscal.Items(x.MitigatingFactors) {
			decorate(&(*x.MitigatingFactors)[i].Props)
		}
		r, err := FromOSCAL(x)
		require.NoError(t, err)
		back, err := ToOSCAL(r, nil)
		require.NoError(t, err)
		require.Equal(t, x, back)

		// All that is not an ID changes.
		other := randomRisk(rand.New(rand.NewPCG(seed, 4)))
		r.Title, r.Description, r.Category, r.Owner, r.Priority = other.Title, other.Description, other.Category, other.Owner, other.Priority
		r.State, r.Closure, r.Deadline, r.Assets = other.State, other.Closure, other.Deadline, other.Assets
		r.Assessments = append(r.Assessments, other.Assessments...)
		for i := range r.Responses {
			r.Responses[i].Title, r.Responses[i].Kind, r.Responses[i].Cost = "New title", ResponseKind(1+g.IntN(7)), Money{1, "USD"}
			for j := range r.Responses[i].Milestones {
				r.Responses[i].Milestones[j].Done = day(2026, 1, 1)
			}
		}
		for i := range r.Mitigations {
			r.Mitigations[i].Description = "New description"
		}
		edited, err := ToOSCAL(r, nil)
		require.NoError(t, err)
		requireValid(t, edited)
		require.Equal(t, marks, bytes.Count([]byte(text(edited)), []byte("https://other.example")), "seed %d", seed)
		again, err := FromOSCAL(edited)
		require.NoError(t, err)
		again.Source, r.Source = nil, nil
		require.Equal(t, text(r), text(again), "seed %d", seed)
	}
}
