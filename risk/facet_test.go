package risk

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

func TestFacetCases(t *testing.T) {
	var file struct {
		Single []struct {
			System, Name, Value string
			Violates            []string
		}
		Vectors []struct {
			Vector  string
			Facets  []struct{ Name, System, Value string }
			Omitted []string
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "risk/oscal/facet-cases.json"), &file))
	require.Len(t, file.Single, 19)
	require.Len(t, file.Vectors, 6)
	for _, tt := range file.Single {
		t.Run(tt.System+" "+tt.Name+" "+tt.Value, func(t *testing.T) {
			got := CheckFacet(oscal.Facet{System: tt.System, Name: tt.Name, Value: tt.Value})
			require.Equal(t, tt.Violates, append([]string{}, got...))
		})
	}
	for _, tt := range file.Vectors {
		t.Run(tt.Vector, func(t *testing.T) {
			facets, omitted, err := CVSSFacets(tt.Vector)
			require.NoError(t, err)
			var want []Facet
			for _, f := range tt.Facets {
				want = append(want, Facet{System: f.System, Name: f.Name, Value: f.Value})
			}
			require.Equal(t, want, facets)
			require.Equal(t, tt.Omitted, append([]string{}, omitted...))
		})
	}
}

// TestFacetRules compares the table with the constraints as they are in the
// Metaschema module of OSCAL 1.2.2.
func TestFacetRules(t *testing.T) {
	var file struct {
		Constraints []struct {
			ID     string
			Target *string
			Values []struct{ Value string }
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "risk/oscal/facet-constraints.json"), &file))
	require.Len(t, file.Constraints, 52)
	quoted := regexp.MustCompile(`'([^']*)'`)
	var want []facetRule
	for _, c := range file.Constraints {
		if c.Target == nil || strings.HasPrefix(*c.Target, "prop") {
			continue // the list of systems, which is open, and the two rules on props
		}
		r := facetRule{id: c.ID}
		for _, m := range quoted.FindAllStringSubmatch(*c.Target, -1) {
			if strings.Contains(m[1], ":") {
				r.systems = append(r.systems, m[1])
			} else {
				r.names = append(r.names, m[1])
			}
		}
		require.True(t, (r.names == nil) == strings.HasSuffix(*c.Target, "@name"))
		var values []string
		for _, v := range c.Values {
			values = append(values, v.Value)
		}
		r.values = strings.Join(values, " ")
		want = append(want, r)
	}
	require.Equal(t, want, facetRules)

	// Each word of a version 2 or 3 metric is one that the constraints allow.
	for _, m := range cvss2Metrics {
		words := strings.Fields(m.values)
		for i := 1; i < len(words); i += 2 {
			require.Nil(t, CheckFacet(oscal.Facet{System: systemCVSS2, Name: m.name, Value: words[i]}))
		}
	}
	for _, m := range cvss3Metrics {
		words := strings.Fields(m.values)
		for i := 1; i < len(words); i += 2 {
			require.Nil(t, CheckFacet(oscal.Facet{System: systemCVSS31, Name: m.name, Value: words[i]}))
		}
	}
}

func TestFacetProps(t *testing.T) {
	facet := func(ps ...oscal.Property) oscal.Facet {
		return oscal.Facet{System: SystemOSCAL, Name: "risk", Value: "high", Props: oscal.List(ps...)}
	}
	require.Nil(t, CheckFacet(facet(oscal.Property{Name: "state", Value: "adjusted"}, oscal.Property{Ns: "https://example.org", Name: "x", Value: "y"})))
	require.Equal(t, []string{"oscal-facet-prop-state-values", "oscal-facet-prop-name-values"},
		CheckFacet(facet(oscal.Property{Name: "state", Value: "final"}, oscal.Property{Ns: SystemOSCAL, Name: "x", Value: "y"})))
}

func TestCVSSFacetsRefuses(t *testing.T) {
	for _, v := range []string{
		"", "CVSS:3.1", "CVSS:3.1/AV:N/AV:N", "CVSS:3.1/XX:N", "CVSS:3.1/AV:Q", "CVSS:3.1/AV", "CVSS:4.0/av:n", "CVSS:4.0/AV:n", "CVSS:4.0/AV:X",
		"CVSS:4.0/MVA:Q", "CVSS:4.0/U:amber", "CVSS:5.0/AV:N", "AV:N/Au:X",
	} {
		_, _, err := CVSSFacets(v)
		require.ErrorIs(t, err, ErrInvalid, v)
	}
}

// TestOverlay: an edit of what others wrote changes what it says and nothing
// else.
func TestOverlay(t *testing.T) {
	poam := corpusRisks(t)["fedramp-rev5-templates/json/FedRAMP-POAM-OSCAL-Template.json risk 0"]
	base := poam
	base.Props = oscal.List(
		oscal.Property{Ns: "https://other", Name: "a", Value: "1"},
		oscal.Property{Name: "priority", Value: "3", Remarks: "kept", UUID: "9cbd98f3-abcb-4948-ad06-14e0bcba742f"},
		oscal.Property{Ns: "https://other", Name: "b", Value: "2"},
		oscal.Property{Name: "accepted", Value: "true"},
	)
	base.Status = "deviation-approved"
	require.Len(t, oscal.Items(base.Remediations), 2)
	clone := func(x oscal.Risk) oscal.Risk {
		var out oscal.Risk
		require.NoError(t, json.Unmarshal([]byte(text(x)), &out))
		return out
	}
	c := Criteria{Scales: []Scale{{testScale, []string{"low"}}}}
	for _, tt := range []struct {
		name string
		edit func(*Risk)
		want func(*oscal.Risk)
	}{
		{"nothing", func(*Risk) {}, func(*oscal.Risk) {}},
		{"priority", func(r *Risk) { r.Priority = new(1) }, func(x *oscal.Risk) { (*x.Props)[1].Value = "1" }},
		{"no priority", func(r *Risk) { r.Priority = nil }, func(x *oscal.Risk) { *x.Props = slices.Delete(*x.Props, 1, 2) }},
		{"a prop goes", func(r *Risk) { r.Props = r.Props[1:] }, func(x *oscal.Risk) { *x.Props = (*x.Props)[1:] }},
		{"a prop changes", func(r *Risk) { r.Props[0].Value = "9" }, func(x *oscal.Risk) { (*x.Props)[0].Value = "9" }},
		{"revoked", func(r *Risk) {
			var err error
			*r, err = r.Apply(Event{Kind: Revoke, By: "9cbd98f3-abcb-4948-ad06-14e0bcba742f", Reason: "failed"}, c, day(2026, 1, 1))
			require.NoError(t, err)
		}, func(x *oscal.Risk) {
			x.Status = "investigating"
			*x.Props = slices.Delete(*x.Props, 3, 4)
			x.Props = oscal.Append(x.Props, oscal.Property{Ns: oscal.Namespace, Name: "state", Value: "evaluated"})
			x.RiskLog = &oscal.RiskLog{Entries: []oscal.RiskLogEntry{{
				UUID: partUUID(x.UUID, "log", "log-1"), Description: "failed", Start: day(2026, 1, 1), StatusChange: "investigating",
				LoggedBy: oscal.List(oscal.LoggedBy{PartyUuid: "9cbd98f3-abcb-4948-ad06-14e0bcba742f"}),
				Props: oscal.List(
					oscal.Property{Ns: oscal.Namespace, Name: "id", Value: "log-1"}, oscal.Property{Ns: oscal.Namespace, Name: "event", Value: "revoke"},
					oscal.Property{Ns: oscal.Namespace, Name: "from", Value: "accepted"}, oscal.Property{Ns: oscal.Namespace, Name: "to", Value: "evaluated"},
				),
			}}}
		}},
		{"milestone done", func(r *Risk) { r.Responses[1].Milestones[0].Done = day(2026, 1, 1) }, func(x *oscal.Risk) {
			task := &(*(*x.Remediations)[1].Tasks)[0]
			task.Props = oscal.Append(task.Props, oscal.Property{Ns: oscal.Namespace, Name: "completed-at", Value: "2026-01-01T00:00:00Z"})
		}},
		{"response removed", func(r *Risk) { r.Responses = r.Responses[1:] }, func(x *oscal.Risk) { x.Remediations = oscal.List((*x.Remediations)[1:]...) }},
		{"response planned", func(r *Risk) { r.Responses[0].Kind, r.Responses[0].Lifecycle = Mitigate, Planned }, func(x *oscal.Risk) {
			(*x.Remediations)[0].Lifecycle = "planned"
			(*x.Remediations)[0].Props = oscal.Append((*x.Remediations)[0].Props, oscal.Property{Name: "type", Value: "mitigate"})
		}},
		{"assessed by us too", func(r *Risk) {
			r.Assessments = append(r.Assessments, Assessment{Stage: Current, System: testScale, Level: "low", Origins: []Actor{{ID: "9cbd98f3-abcb-4948-ad06-14e0bcba742f"}}})
		}, func(x *oscal.Risk) {
			x.Characterizations = oscal.Append(x.Characterizations, oscal.Characterization{
				Props:  oscal.List(oscal.Property{Ns: oscal.Namespace, Name: "stage", Value: "current"}, oscal.Property{Ns: oscal.Namespace, Name: "system", Value: testScale}),
				Origin: oscal.Origin{Actors: []oscal.OriginActor{{Type: "party", ActorUuid: "9cbd98f3-abcb-4948-ad06-14e0bcba742f"}}},
				Facets: []oscal.Facet{{System: SystemOSCAL, Name: "risk", Value: "low"}},
			})
		}},
		{"assessment removed", func(r *Risk) { r.Assessments = nil }, func(x *oscal.Risk) { x.Characterizations = nil }},
		{"deadline", func(r *Risk) { r.Deadline = day(2030, 1, 1) }, func(x *oscal.Risk) { x.Deadline = new(day(2030, 1, 1)) }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := FromOSCAL(clone(base))
			require.NoError(t, err)
			require.NotNil(t, r.Source)
			tt.edit(&r)
			got, err := ToOSCAL(r, nil)
			require.NoError(t, err)
			want := clone(base)
			tt.want(&want)
			require.Equal(t, text(want), text(got))
		})
	}
}

func TestFromOSCALReportsOwnProps(t *testing.T) {
	x, err := ToOSCAL(Risk{ID: "R", Title: "T", State: Accepted, Acceptances: []Acceptance{{ID: "a", Decision: Approved, Expires: day(2026, 1, 1), Digest: "d"}}}, nil)
	require.NoError(t, err)
	props := oscal.Items(oscal.Items(x.Remediations)[0].Props)
	for i, p := range props {
		switch p.Name {
		case "expires":
			props[i].Value = "tomorrow"
		case "acceptance":
			props[i].Value = "perhaps"
		}
	}
	r, err := FromOSCAL(x)
	var ps Problems
	require.ErrorAs(t, err, &ps)
	require.Len(t, ps, 2)
	require.NotNil(t, r.Source)
	back, err := ToOSCAL(r, nil)
	require.NoError(t, err)
	require.Equal(t, x, back)
}

func TestToOSCALProblems(t *testing.T) {
	r := Risk{
		Owner: "two\nlines", Controls: []string{""}, Deadline: day(1850, 1, 1),
		Props:       []oscal.Property{{Name: "9", Value: ""}, {Ns: oscal.Namespace, Name: "owner", Value: "x"}},
		Links:       []oscal.Link{{Href: "a b"}},
		Threats:     []Threat{{System: "x", ID: ""}},
		Assessments: []Assessment{{System: "no uri", Level: ""}, {Stage: Current, System: systemCVSS31, Level: "high", Origins: []Actor{{ID: "x"}}, Why: []Step{{"r", "attack-complexity", "low", ""}}}},
		Responses:   []Response{{Kind: 99}, {ID: "m", Title: "T", Lifecycle: Planned, Cost: Money{Amount: 1}, Milestones: []Milestone{{ID: "a", Title: "A", Start: day(2026, 1, 1)}}}},
		Acceptances: []Acceptance{{ID: "m"}},
		Log:         []Entry{{ID: "1", Role: "x"}},
	}
	_, err := ToOSCAL(r, nil)
	var ps Problems
	require.ErrorAs(t, err, &ps)
	var got []string
	for _, p := range ps {
		got = append(got, p.Pointer)
		require.ErrorIs(t, p, ErrInvalid)
	}
	require.Equal(t, []string{
		"title", "id", "state", "owner", "control", "props/0/name", "props/0/value", "props/1/name", "links/0/href",
		"threats/0/system", "threats/0/id", "threats/0/id", "assessments/0/stage", "assessments/0/system", "assessments/0/origins", "assessments/0/level",
		"assessments/1/why/0", "deadline", "responses/0/title", "responses/0/kind", "responses/0/id", "responses/0/lifecycle", "responses/1/cost/currency",
		"responses/1/milestones/0/due", "acceptances/0/decision", "acceptances/0/expires", "acceptances/0/digest", "log/0/at", "log/0/by", "responses",
	}, got)
}

func TestFedRAMP(t *testing.T) {
	a := rated("d", "very-high", day(2026, 1, 1))
	a.Stage, a.Why = Inherent, []Step{{"G-5", "overall-likelihood", "moderate", ""}, {"H-3", "impact", "very-low", ""}}
	r := Risk{ID: "R", Title: "T", State: Analysed, Assessments: []Assessment{a}}
	for _, system := range fedRAMP {
		opts := &OSCALOptions{FedRAMP: system, UUID: func(kind, id string) string { return oscal.UUID("my", kind, id) }}
		x, err := ToOSCAL(r, opts)
		require.NoError(t, err)
		requireValid(t, x)
		facets := oscal.Items(x.Characterizations)[0].Facets
		var got []string
		for _, f := range facets[1:4] {
			require.Equal(t, system, f.System)
			require.Equal(t, "initial", native(f.Props, "state"))
			got = append(got, f.Name+" "+f.Value)
		}
		require.Equal(t, []string{"likelihood moderate", "impact low", "risk high"}, got)

		back, err := FromOSCAL(x)
		require.NoError(t, err)
		require.NotNil(t, back.Source, "the UUIDs are not the default ones")
		back.Source = nil
		require.Equal(t, r, back)

		again, err := FromOSCAL(x)
		require.NoError(t, err)
		again.Title = "U"
		y, err := ToOSCAL(again, opts)
		require.NoError(t, err)
		x.Title = "U"
		require.Equal(t, x, y)
	}
}
