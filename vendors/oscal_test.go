package vendors

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/constraint"
)

// plan returns a plan that holds what the model requires and nothing else.
func plan() *oscal.SystemSecurityPlan {
	return &oscal.SystemSecurityPlan{
		UUID: oscal.UUID("ssp", "test"),
		Metadata: oscal.Metadata{
			Title: "Test", LastModified: at("2026-06-30"), Version: "1", OscalVersion: oscal.ModelVersion,
		},
		ImportProfile: oscal.ImportProfile{Href: "profile.json"},
		SystemCharacteristics: oscal.SystemCharacteristics{
			SystemIds: []oscal.SystemId{{ID: "test"}}, SystemName: "Test", Description: "Test.",
			SystemInformation: oscal.SystemInformation{InformationTypes: []oscal.InformationType{{
				UUID: oscal.UUID("information-type", "test"), Title: "Test", Description: "Test.",
			}}},
			Status:                oscal.Status{State: "operational"},
			AuthorizationBoundary: oscal.AuthorizationBoundary{Description: "Test."},
		},
		SystemImplementation: oscal.SystemImplementation{Components: []oscal.SystemComponent{{
			UUID: oscal.UUID("component", "this"), Type: "this-system", Title: "Test", Description: "Test.",
			Status: oscal.SystemComponentStatus{State: "operational"},
		}}},
		ControlImplementation: oscal.ControlImplementation{
			Description: "Test.",
			ImplementedRequirements: []oscal.ImplementedRequirement{{
				UUID: oscal.UUID("ir", "a"), ControlId: "a-1",
				ByComponents: oscal.List(oscal.ByComponent{UUID: oscal.UUID("by", "a"), ComponentUuid: oscal.UUID("component", "this"), Description: "Test."}),
			}},
		},
	}
}

// write puts a portfolio into a plan and returns the plan as bytes; the plan
// must be valid.
func write(t *testing.T, p *Portfolio, opts *OSCALOptions) string {
	t.Helper()
	pr, err := ToOSCAL(p, opts)
	require.NoError(t, err)
	ssp := plan()
	pr.AddTo(ssp)
	doc, err := oscal.FromView(ssp)
	require.NoError(t, err)
	require.Empty(t, doc.Check())
	var b bytes.Buffer
	require.NoError(t, doc.Write(&b, nil))
	return b.String()
}

// readBack reads a plan that was written.
func readBack(t *testing.T, text string) *Portfolio {
	t.Helper()
	doc, err := oscal.Parse(text, nil)
	require.NoError(t, err)
	ssp, err := oscal.As[oscal.SystemSecurityPlan](doc)
	require.NoError(t, err)
	p, err := FromOSCAL(ssp)
	require.NoError(t, err)
	return p
}

func TestOSCALRoundTrip(t *testing.T) {
	full := sample(t)
	full.Signals = []Signal{{Vendor: "paywell", Source: "feed", Kind: "breach", Observed: at("2026-05-01"), Severity: High}}
	full.Engagements[2].Exposure = Exposure{Regulated: DataKinds{}}
	full.Engagements[1].Type = "interconnection"
	full.Engagements[1].Exposure.Access = &Access{Network: true, SourceCode: true}
	full.Engagements[1].Subcontracts = append(full.Engagements[1].Subcontracts, Subcontract{Vendor: "lettermill", Customer: "coldhall"})
	full.Engagements[1].OSCAL = &oscal.SystemComponent{
		Purpose: "To run.", Remarks: "Kept.",
		Props:            oscal.List(oscal.Property{Ns: "https://example.org/ns", Name: "colour", Value: "blue"}, oscal.Property{Ns: oscal.Namespace, Name: "later", Value: "x"}),
		Links:            oscal.List(oscal.Link{Rel: "depends-on", Href: "#" + oscal.UUID("component", "this")}),
		ResponsibleRoles: oscal.List(oscal.ResponsibleRole{RoleId: "provider", PartyUuids: oscal.List(oscal.UUID("x")), Remarks: "two"}, oscal.ResponsibleRole{RoleId: "asset-owner"}),
		Status:           oscal.SystemComponentStatus{Remarks: "as seen"},
	}
	full.Vendors[0].OSCAL = &oscal.Party{
		Remarks: "Kept.", EmailAddresses: oscal.List("info@paywell.example.org"),
		Props: oscal.List(oscal.Property{Name: "marking", Value: "public"}),
	}
	for status := Proposed; status <= Terminated; status++ {
		full.Engagements[2].Status = status
		text := write(t, full, &OSCALOptions{Resources: true})
		again := readBack(t, text)
		require.Equal(t, full, again)
		require.Equal(t, text, write(t, again, &OSCALOptions{Resources: true}), "a second export has the same bytes")
	}

	// Without resources, a contract is known by its ID and dates.
	again := readBack(t, write(t, full, nil))
	want := &Portfolio{Vendors: full.Vendors, Engagements: full.Engagements}
	for _, c := range full.Contracts {
		want.Contracts = append(want.Contracts, Contract{ID: c.ID, Engagements: c.Engagements, Start: c.Start, End: c.End})
	}
	require.Equal(t, want, again)
	require.Equal(t, write(t, full, nil), write(t, again, nil))
}

// TestConstraints: OSCAL's own constraints find nothing, of any level.
func TestConstraints(t *testing.T) {
	p := sample(t)
	p.Vendors[2].Contacts[0].Phone = "+47 (0) 22 00-00.00"
	p.Engagements[1].Subcontracts = append(p.Engagements[1].Subcontracts, Subcontract{Vendor: "lettermill", Customer: "coldhall"})
	p.Contracts[0].Href, p.Contracts[0].Digest = "contract.pdf", strings.Repeat("a", 64)
	for _, opts := range []*OSCALOptions{nil, {Resources: true}, {InUse: true}} {
		text := write(t, p, opts)
		doc, err := oscal.Parse(text, nil)
		require.NoError(t, err)
		report, err := constraint.Validate(t.Context(), doc, &constraint.Options{Now: at("2026-07-01")})
		require.NoError(t, err)
		require.Empty(t, report.Findings)
		require.Empty(t, report.Notices)
		require.Contains(t, text, `"4722000000"`)
		again := readBack(t, text)
		i := slices.IndexFunc(again.Vendors, func(v Vendor) bool { return v.ID == "northrack" })
		require.Equal(t, p.Vendors[2], again.Vendors[i], "the number is read as it was given")
	}
}

// TestDependsOn: a link from an engagement to its subcontract, as others write
// it and as the constraint of OSCAL wants it, gives way to the one in the other
// direction; links to other components stay.
func TestDependsOn(t *testing.T) {
	pr, err := ToOSCAL(sample(t), nil)
	require.NoError(t, err)
	uuid := sample(t).Engagements[1].subcontractUUID(0)
	this := oscal.Link{Rel: "depends-on", Href: oscal.UUID("component", "this")}
	i := slices.IndexFunc(pr.Components, func(c oscal.SystemComponent) bool { return c.Title == "Machine hosting" })
	require.Equal(t, oscal.List(oscal.Link{Rel: "used-by", Href: "#" + pr.Components[i].UUID}), pr.Components[i+1].Links)
	require.Nil(t, pr.Components[i].Links)
	for _, href := range []string{uuid, "#" + uuid} {
		pr.Components[i].Links = oscal.List(this, oscal.Link{Rel: "depends-on", Href: href})
		ssp := plan()
		pr.AddTo(ssp)
		p, err := FromOSCAL(ssp)
		require.NoError(t, err)
		require.Equal(t, &oscal.SystemComponent{Links: oscal.List(this)}, p.Engagements[1].OSCAL)
		require.Equal(t, sample(t).Engagements[1].Subcontracts, p.Engagements[1].Subcontracts)
	}
}

func TestOSCALInUse(t *testing.T) {
	pr, err := ToOSCAL(sample(t), &OSCALOptions{InUse: true})
	require.NoError(t, err)
	var titles []string
	for _, p := range pr.Parties {
		titles = append(titles, p.Name)
	}
	for _, c := range pr.Components {
		titles = append(titles, c.Title)
	}
	require.Equal(t, []string{
		"Paywell Payments SE", "Robin Watch", "Paywell Group NV", "Northrack Hosting AS", "Kim Desk", "Coldhall Data Centres AS",
		"Card payments", "Machine hosting", "Rack space and power",
	}, titles)
	require.Len(t, pr.LeveragedAuthorizations, 1)
	require.Empty(t, pr.Resources)
}

// TestOSCALOfOthers reads published plans and puts back what was read: nothing of
// it may be lost.
func TestOSCALOfOthers(t *testing.T) {
	tests := []struct {
		file                 string
		vendors, engagements int
	}{
		{"vendors/oscal/provider-ssp.json", 0, 0},
		{"vendors/oscal/consumer-complete-ssp.json", 1, 2},
		{"oscal/documents/nist-examples/oscal_leveraged-example_ssp.json", 0, 0},
		{"oscal/documents/fedramp-rev5-templates/FedRAMP-SSP-OSCAL-Template.json", 1, 2},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			doc, err := oscal.Parse(string(corpus.Read(t, strings.Split(tt.file, "/")...)), nil)
			require.NoError(t, err)
			ssp, _ := oscal.As[oscal.SystemSecurityPlan](doc)
			p, err := FromOSCAL(ssp)
			require.NoError(t, err)
			require.Len(t, p.Vendors, tt.vendors)
			require.Len(t, p.Engagements, tt.engagements)
			pr, err := ToOSCAL(p, nil)
			require.NoError(t, err)
			before := *ssp
			pr.AddTo(ssp)
			require.Len(t, oscal.Items(ssp.Metadata.Parties), len(oscal.Items(before.Metadata.Parties)))
			require.Len(t, ssp.SystemImplementation.Components, len(before.SystemImplementation.Components))
			again, err := FromOSCAL(ssp)
			require.NoError(t, err)
			require.Equal(t, p, again)
			contains(t, oscal.Items(ssp.Metadata.Parties), oscal.Items(before.Metadata.Parties), func(a, b oscal.Party) bool {
				return a.UUID == b.UUID && a.Name == b.Name && a.Type == b.Type && a.Remarks == b.Remarks &&
					within(a.Props, b.Props) && within(a.Links, b.Links) && within(a.EmailAddresses, b.EmailAddresses) &&
					within(a.ExternalIds, b.ExternalIds) && within(a.MemberOfOrganizations, b.MemberOfOrganizations) &&
					within(a.TelephoneNumbers, b.TelephoneNumbers) && a.Addresses == b.Addresses
			})
			contains(t, ssp.SystemImplementation.Components, before.SystemImplementation.Components, func(a, b oscal.SystemComponent) bool {
				return a.UUID == b.UUID && a.Title == b.Title && a.Type == b.Type && a.Description == b.Description &&
					a.Status == b.Status && a.Purpose == b.Purpose && a.Remarks == b.Remarks && a.Protocols == b.Protocols &&
					within(a.Props, b.Props) && within(a.Links, b.Links) && len(oscal.Items(a.ResponsibleRoles)) >= len(oscal.Items(b.ResponsibleRoles))
			})
			require.Equal(t, before.SystemImplementation.LeveragedAuthorizations, ssp.SystemImplementation.LeveragedAuthorizations)
			_, err = oscal.FromView(ssp)
			require.NoError(t, err)
		})
	}
}

func TestFromOSCALProblems(t *testing.T) {
	pr, err := ToOSCAL(sample(t), &OSCALOptions{Resources: true})
	require.NoError(t, err)
	ssp := plan()
	pr.AddTo(ssp)
	props := oscal.Items(ssp.SystemImplementation.Components[1].Props)
	changed := 0
	for i := range props {
		switch {
		case props[i].Class == "records":
			props[i].Value = "many"
		case props[i].Name == oscal.PropRequested:
			props[i].Value = "yesterday"
		case props[i].Name == oscal.PropState:
			props[i].Value = "asleep"
		default:
			continue
		}
		changed++
	}
	require.Equal(t, 3, changed)
	resources := oscal.Items(ssp.BackMatter.Resources)
	resources[len(resources)-1].Base64.Value = base64.StdEncoding.EncodeToString([]byte(`{"vendor":[]}`))
	p, err := FromOSCAL(ssp)
	ps, ok := err.(Problems)
	require.True(t, ok)
	var got []string
	for _, x := range ps {
		got = append(got, x.Pointer)
	}
	component := "/system-security-plan/system-implementation/components/1"
	require.Equal(t, []string{"/system-security-plan/back-matter/resources/5/base64/value", component, component, component}, got)
	require.ErrorIs(t, err, ErrSyntax)
	require.ErrorIs(t, err, ErrValue)
	require.Len(t, p.Engagements, 3)
	require.Len(t, oscal.Items(p.Engagements[0].OSCAL.Props), 3, "what cannot be read is kept")
	require.Equal(t, Active, p.Engagements[0].Status, "from the state of the component")
}

// contains requires that every item of want has an equal in got.
func contains[T any](t *testing.T, got, want []T, equal func(T, T) bool) {
	t.Helper()
	for _, w := range want {
		require.True(t, slices.ContainsFunc(got, func(g T) bool { return equal(g, w) }), "lost: %+v", w)
	}
}

// within tells whether a list has all items of another.
func within[T comparable](got, want *[]T) bool {
	for _, w := range oscal.Items(want) {
		if !slices.Contains(oscal.Items(got), w) {
			return false
		}
	}
	return true
}
