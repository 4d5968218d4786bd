package controls

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v5"
	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/constraint"
)

// publishedSchema is NIST's JSON schema of OSCAL 1.2.2.
func publishedSchema(tb testing.TB) *jsonschema.Schema {
	tb.Helper()
	compiler := jsonschema.NewCompiler()
	require.NoError(tb, compiler.AddResource("oscal.json", strings.NewReader(string(corpus.Read(tb, "oscal", "json-schema", "oscal_complete_schema-1.2.2.json")))))
	schema, err := compiler.Compile("oscal.json")
	require.NoError(tb, err)
	return schema
}

// fullSystem uses every member of a [System].
func fullSystem() System {
	const provided, responsibility = "aaaaaaaa-0000-4000-8000-000000000103", "aaaaaaaa-0000-4000-8000-000000000104"
	return System{
		ID: "full", Name: "Full System", ShortName: "FS", Description: "Has everything.", Sensitivity: "high",
		Impact:   Impact{"high", "moderate", "low"},
		Boundary: "All of it.", Network: "One network.", DataFlow: "In and out.",
		Status: "under-major-modification", StatusRemarks: "Moves.", Authorized: "2026-01-15",
		Identifiers: []oscal.SystemId{{ID: "F00000000", IdentifierType: "https://fedramp.gov"}},
		Information: []Information{{
			ID: "mail", Title: "Mail", Description: "Letters.", Impact: Impact{"low", "low", "low"},
			Scheme: "https://doi.org/10.6028/NIST.SP.800-60v2r1", Types: []string{"C.2.8.12"},
		}},
		Roles: []Role{{"system-owner", "System Owner", "Answers for it."}, {"operations", "Operations", ""}},
		Parties: []Party{
			{ID: "org", Type: "organization", Name: "Org", ShortName: "O", Email: "org@example.org", Phone: "+1 202 555 0100"},
			{ID: "owner", Type: "person", Name: "Owner", MemberOf: []string{"org"}, Roles: []string{"system-owner", "operations"}},
			{ID: "provider", Type: "organization", Name: "Provider"},
		},
		Users: []User{{
			ID: "admin", Title: "Administrator", ShortName: "adm", Description: "Runs it.", Roles: []string{"operations"},
			Privileges: []oscal.AuthorizedPrivilege{{Title: "All", FunctionsPerformed: []string{"everything"}}},
			Props:      []oscal.Property{{Name: "type", Value: "internal"}},
		}},
		Components: []Component{
			{ID: "db", Type: "software", Title: "Database", Description: "Keeps.", Purpose: "Keep.", Status: "operational", Roles: []string{"operations"}},
			{
				ID: "cloud", Type: "system", Title: "Cloud", Description: "Below.", Status: "operational", Leveraged: "cloud-ato",
				Links: []oscal.Link{{Href: "https://example.org/cloud", Rel: "website"}}, Props: []oscal.Property{{Name: "version", Value: "2"}},
			},
		},
		Inventory: []Asset{{ID: "host-1", Description: "A host.", Components: []string{"db", "this-system"}, Props: []oscal.Property{{Name: "asset-id", Value: "host-1"}}}},
		Leveraged: []Leveraged{{ID: "cloud-ato", Title: "Cloud", Party: "provider", Authorized: "2025-03-01", Remarks: "Yearly."}},
		Parameters: []oscal.SetParameter{
			{ParamId: "ac-2_prm_4", Values: []string{"monthly"}},
		},
		Requirements: []Requirement{
			{
				Control: "AC-2", Description: "Accounts are managed.", Status: Partial, StatusRemarks: "Being rolled out.",
				Responsibility: Organization | CustomerConfigured, Roles: []string{"system-owner"}, Remarks: "See the handbook.",
				Parameters: []oscal.SetParameter{{ParamId: "ac-2_prm_1", Values: []string{"personal", "service"}}},
			},
			{
				Control: "ac-2", Statement: "AC-2 a.", Component: "cloud", Description: "The cloud does it.", Status: Implemented,
				Responsibility: Inherited,
				Inherited:      []Share{{Of: provided, Description: "Accounts of the cloud."}},
				Satisfied:      []Share{{Of: responsibility, Description: "We ask for them.", Roles: []string{"operations"}}},
			},
			{
				ID: "named", Control: "ac-2", Statement: "ac-2_smt.h.1", Component: "db", Description: "The database tells.", Status: Alternative,
				Provided: []Share{
					{ID: "notice", Description: "Notices."}, {Description: "More notices."},
				},
				Responsibilities: []Share{{ID: "read", Of: "notice", Description: "Read them."}, {Description: "Act."}},
				Props:            []oscal.Property{{Ns: "https://example.org/ns", Name: "reviewed", Value: "yes"}},
				Parameters:       []oscal.SetParameter{{ParamId: "ac-2_prm_4", Values: []string{"weekly"}}},
			},
			{Control: "at-1", Description: "Not here.", Status: NotApplicable},
		},
		Props: []oscal.Property{{Ns: "http://fedramp.gov/ns/oscal", Name: "authorization-type", Value: "fedramp-agency"}},
	}
}

// TestPlanOfFedRAMPLow writes a plan with everything in it for a full-size
// baseline. Our structure check and NIST's JSON schema accept it, all of its
// references lead somewhere, and reading it gives the same system.
func TestPlanOfFedRAMPLow(t *testing.T) {
	b, err := NewBaseline(load(t, fedrampLow), nil)
	require.NoError(t, err)
	im, err := Implement(b, fullSystem(), nil, nil)
	require.NoError(t, err)
	vendor := oscal.SystemComponent{
		UUID: oscal.UUID("component", "vendor"), Type: "service", Title: "Payments", Description: "Pays.",
		Status:           oscal.SystemComponentStatus{State: "operational"},
		ResponsibleRoles: oscal.List(oscal.ResponsibleRole{RoleId: "provider", PartyUuids: oscal.List(oscal.UUID("party", "vendor"))}),
	}
	plan, err := im.SSP("profile.json", now, &SSPOptions{
		Title: "Plan", Version: "2", Roles: []oscal.Role{{ID: "provider", Title: "Provider"}, {ID: "operations", Title: "again"}},
		Parties:            []oscal.Party{{UUID: oscal.UUID("party", "vendor"), Type: "organization", Name: "Vendor"}},
		ResponsibleParties: []oscal.ResponsibleParty{{RoleId: "provider", PartyUuids: []string{oscal.UUID("party", "vendor")}}},
		Components:         []oscal.SystemComponent{vendor, vendor},
	})
	require.NoError(t, err)
	text := written(t, plan)
	checkReferences(t, text, b)
	var instance any
	require.NoError(t, json.Unmarshal([]byte(text), &instance))
	require.NoError(t, publishedSchema(t).Validate(instance))
	require.Len(t, plan.ControlImplementation.ImplementedRequirements, 125) // controls of the baseline as FedRAMP published it
	require.Len(t, plan.SystemImplementation.Components, 4)

	back, err := FromSSP(b, view[oscal.SystemSecurityPlan](t, text), nil)
	require.NoError(t, err)
	want := fullSystem()
	got := *back.System()
	require.Len(t, got.Components, 4) // the system itself, two of its own, the vendor
	require.Equal(t, want.Components, got.Components[1:3])
	require.Equal(t, vendor.UUID, got.Components[3].ID)
	require.Equal(t, im.Requirements(), back.Requirements())
	require.Equal(t, []string{"personal", "service"}, got.Parameters[0].Values)
	got.Components, got.Requirements, got.Parameters = want.Components, want.Requirements, want.Parameters
	got.Roles, got.Parties = got.Roles[:2], got.Parties[:3]
	require.Equal(t, want, got)
	second, err := back.SSP("profile.json", now, &SSPOptions{Title: "Plan", Version: "2"})
	require.NoError(t, err)
	require.Equal(t, text, written(t, second))

	only, err := im.SSP("profile.json", now, &SSPOptions{OmitUnanswered: true})
	require.NoError(t, err)
	require.Len(t, only.ControlImplementation.ImplementedRequirements, 2)
	_, err = im.SSP("", now, nil)
	require.ErrorIs(t, err, ErrMissing)
}

// TestConstraints: OSCAL's own constraints find nothing in a plan, of any level.
func TestConstraints(t *testing.T) {
	b, err := NewBaseline(load(t, fedrampLow), nil)
	require.NoError(t, err)
	sys := fullSystem()
	// The constraint wants for each responsibility what it goes with; the model does not.
	sys.Requirements[2].Responsibilities[1].Of = "notice"
	sys.Parties[0].Roles = []string{"operations"} // as the second
	full, err := Implement(b, sys, nil, nil)
	require.NoError(t, err)
	for _, im := range []*Implementation{sampleImplementation(t), full} {
		plan, err := im.SSP("profile.json", now, nil)
		require.NoError(t, err)
		doc, err := oscal.Parse(written(t, plan), nil)
		require.NoError(t, err)
		report, err := constraint.Validate(t.Context(), doc, &constraint.Options{Now: now})
		require.NoError(t, err)
		require.Empty(t, report.Findings)
		require.Empty(t, report.Notices)
	}
}

// TestResponsibleParties: wherever a role is named, so is the party that holds
// it, or for components all that do; a plan that was read keeps its own.
func TestResponsibleParties(t *testing.T) {
	b, err := NewBaseline(load(t, fedrampLow), nil)
	require.NoError(t, err)
	sys := fullSystem()
	sys.Parties[0].Roles = []string{"operations"}
	sys.Roles = append(sys.Roles, Role{ID: "nobody", Title: "Nobody"})
	sys.Components[1].Roles = []string{"nobody", "system-owner"}
	sys.Requirements[2].Provided[0].Roles = []string{"operations"}
	sys.Requirements[2].Responsibilities[0].Roles = []string{"operations"}
	sys.Requirements[1].Inherited[0].Roles = []string{"system-owner"}
	im, err := Implement(b, sys, nil, nil)
	require.NoError(t, err)
	plan, err := im.SSP("profile.json", now, nil)
	require.NoError(t, err)
	org, owner := sys.UUID("party", "org"), sys.UUID("party", "owner")
	want := map[string]*[]string{"operations": oscal.List(org, owner), "system-owner": oscal.List(owner), "nobody": nil}
	lists := func(plan *oscal.SystemSecurityPlan) (all []*[]oscal.ResponsibleRole) {
		add := func(list *[]oscal.ResponsibleRole) {
			if list != nil {
				all = append(all, list)
			}
		}
		for _, c := range plan.SystemImplementation.Components {
			add(c.ResponsibleRoles)
		}
		for _, ir := range plan.ControlImplementation.ImplementedRequirements {
			by := slices.Clone(oscal.Items(ir.ByComponents))
			for _, s := range oscal.Items(ir.Statements) {
				by = append(by, oscal.Items(s.ByComponents)...)
			}
			for _, x := range by {
				add(x.ResponsibleRoles)
				if x.Export != nil {
					for _, p := range oscal.Items(x.Export.Provided) {
						add(p.ResponsibleRoles)
					}
					for _, p := range oscal.Items(x.Export.Responsibilities) {
						add(p.ResponsibleRoles)
					}
				}
				for _, p := range oscal.Items(x.Inherited) {
					add(p.ResponsibleRoles)
				}
				for _, p := range oscal.Items(x.Satisfied) {
					add(p.ResponsibleRoles)
				}
			}
		}
		return all
	}
	all := lists(plan)
	require.Len(t, all, 7) // two components, one answer, four that cross the border
	for i, list := range all {
		for _, r := range *list {
			parties := want[r.RoleId]
			if i >= 2 && len(oscal.Items(parties)) > 1 { // not a component: see planWriter.answerRoles
				parties = nil
			}
			require.Equal(t, parties, r.PartyUuids, r.RoleId)
		}
	}
	// Of a plan in which one party of two does it here, that is kept.
	(*all[0])[0].PartyUuids, (*all[0])[0].Remarks = oscal.List(org), "Only they."
	(*all[2])[0].PartyUuids = nil
	text := written(t, plan)
	back, err := FromSSP(b, view[oscal.SystemSecurityPlan](t, text), nil)
	require.NoError(t, err)
	require.Equal(t, im.Requirements(), back.Requirements())
	second, err := back.SSP("profile.json", now, nil)
	require.NoError(t, err)
	require.Equal(t, text, written(t, second))
}

// TestStatusAlone: an answer without a description stays one.
func TestStatusAlone(t *testing.T) {
	plan, err := sampleImplementation(t).SSP("profile.json", now, nil)
	require.NoError(t, err)
	ir := &plan.ControlImplementation.ImplementedRequirements[0]
	ir.ByComponents, ir.Statements = nil, nil
	ir.Props = oscal.List(oscal.Property{Name: "implementation-status", Value: "planned"})
	im, err := FromSSP(sampleBaseline(t), plan, nil)
	require.NoError(t, err)
	rewrite(t, im)
}

// TestTelephone: a number is written as OSCAL wants it and read as it was given.
func TestTelephone(t *testing.T) {
	for _, tt := range []struct{ name, phone, number string }{
		{"as people write it", "+1 (202) 555-0100", "12025550100"},
		{"digits", "12025550100", "12025550100"},
		{"an extension", "202 555 0100 ext. 1", "202 555 0100 ext. 1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			sys := smallSystem()
			sys.Components, sys.Parties = nil, []Party{{ID: "p", Type: "person", Name: "P", Phone: tt.phone}}
			im, err := Implement(smallBaseline(t), sys, nil, nil)
			require.NoError(t, err)
			plan, err := im.SSP("profile.json", now, nil)
			require.NoError(t, err)
			require.Equal(t, tt.number, oscal.Items(oscal.Items(plan.Metadata.Parties)[0].TelephoneNumbers)[0].Number)
			back, err := FromSSP(im.Baseline(), view[oscal.SystemSecurityPlan](t, written(t, plan)), nil)
			require.NoError(t, err)
			require.Equal(t, sys.Parties, back.System().Parties)
		})
	}
}

// TestPlansOfOthers reads every plan of the corpus that is there in JSON. What
// is in it is counted by the corpus' independent reading of the XML, or by hand
// below; the problems are those that the documents have.
func TestPlansOfOthers(t *testing.T) {
	rev5, rev4 := load(t, rev5Full), load(t, rev4Full)
	sp800_53a := load(t, rev5Moderate)
	tests := []struct {
		file     string
		catalog  *Catalog
		answers  int // by-component entries
		left     int // of these in LeftOut
		problems []string
	}{
		// facts.json: one requirement with one by-component. The parameters are those of SP 800-53A rev. 5.
		{"authorization/packages/nist-ifa/json/ifa_ssp-example.json", sp800_53a, 1, 0, nil},
		{"oscal/documents/nist-examples/ifa_ssp-example.json", rev5, 1, 0, []string{"ac-06.01_odp.01", "ac-06.01_odp.02", "ac-06.01_odp.03", "ac-06.01_odp.04", "ac-06.01_odp.05"}},
		{"oscal/documents/nist-examples/oscal_leveraged-example_ssp.json", rev4, 2, 0, []string{"ac-2_stmt.a"}},
		{"oscal/documents/nist-examples/ssp-example.json", rev4, 12, 0, nil},
		// The example was written for rev. 4: rev. 5 has no items below au-1 b.
		{"oscal/documents/nist-examples/ssp-example.json", rev5, 12, 4, []string{"au-1_smt.b.1", "au-1_smt.b.2"}},
		{"vendors/oscal/provider-ssp.json", rev5, 4, 0, nil},
		{"vendors/oscal/consumer-complete-ssp.json", rev5, 4, 0, nil},
	}
	for _, tt := range tests {
		t.Run(filepath.Base(tt.file)+" "+tt.catalog.Version(), func(t *testing.T) {
			b, err := NewBaseline(tt.catalog, nil)
			require.NoError(t, err)
			v := view[oscal.SystemSecurityPlan](t, string(corpus.Read(t, strings.Split(tt.file, "/")...)))
			im, err := FromSSP(b, v, nil)
			ps, _ := err.(Problems)
			require.Len(t, ps, len(tt.problems), "%v", err)
			for i, p := range ps {
				require.ErrorIs(t, p, ErrUnknown)
				require.Contains(t, p.Error(), tt.problems[i])
			}
			require.Equal(t, tt.answers, len(im.Requirements())+len(im.LeftOut()))
			require.Len(t, im.LeftOut(), tt.left)
			rewrite(t, im)
		})
	}
}

// TestFedRAMPTemplate reads FedRAMP's template for rev. 5 with the counts of
// facts.json.
func TestFedRAMPTemplate(t *testing.T) {
	var facts struct {
		Sets map[string]struct {
			Documents []struct {
				File, Model string
				Counts      map[string]int
			}
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "authorization", "packages", "facts.json"), &facts))
	b, err := NewBaseline(load(t, rev5Full), nil)
	require.NoError(t, err)
	seen := 0
	for _, set := range facts.Sets {
		for _, d := range set.Documents {
			file := strings.NewReplacer("/xml/", "/json/", ".xml", ".json").Replace(d.File)
			data, err := os.ReadFile(corpus.Path(t, "authorization", "packages") + "/" + file)
			if d.Model != "system-security-plan" || err != nil {
				continue
			}
			seen++
			im, _ := FromSSP(b, view[oscal.SystemSecurityPlan](t, string(data)), nil)
			sys := im.System()
			got := map[string]int{
				"parties": len(sys.Parties), "roles": len(sys.Roles), "informationTypes": len(sys.Information), "components": len(im.Components()),
				"users": len(sys.Users), "inventoryItems": len(sys.Inventory), "byComponents": len(im.Requirements()) + len(im.LeftOut()),
				"leveragedAuthorizations": len(sys.Leveraged),
			}
			for k, n := range d.Counts {
				if have, ok := got[k]; ok {
					require.Equal(t, n, have, "%s of %s", k, file)
				}
			}
			rewrite(t, im)
		}
	}
	require.Equal(t, 2, seen)
}

// rewrite writes a plan that was read, reads that, and compares.
func rewrite(t *testing.T, im *Implementation) {
	t.Helper()
	plan, err := im.SSP("profile.json", now, nil)
	require.NoError(t, err)
	text := written(t, plan)
	back, err := FromSSP(im.Baseline(), view[oscal.SystemSecurityPlan](t, text), nil)
	require.NoError(t, err)
	require.Equal(t, im.Requirements(), back.Requirements())
	second, err := back.SSP("profile.json", now, nil)
	require.NoError(t, err)
	require.Equal(t, text, written(t, second))
}

// TestGaps compares with the customer responsibility matrices of the corpus.
func TestGaps(t *testing.T) {
	var oracle struct {
		Pairs []struct {
			Provider, Consumer string
			Expected           struct {
				Provided, Responsibilities, Inherited, Satisfied int

				Uninherited, Unsatisfied, UnsatisfiedOfInherited, Duplicates []string

				Dangling     []struct{ Kind, UUID, Target string }
				OtherControl []struct {
					UUID, Target    string
					Expected, Found []string
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "vendors", "oscal", "crm.expected.json"), &oracle))
	b, err := NewBaseline(load(t, rev5Full), nil)
	require.NoError(t, err)
	read := func(name string) *oscal.SystemSecurityPlan {
		return view[oscal.SystemSecurityPlan](t, string(corpus.Read(t, "vendors", "oscal", name)))
	}
	n := 0
	for _, pair := range oracle.Pairs {
		if pair.Consumer == "" {
			continue
		}
		n++
		t.Run(pair.Consumer, func(t *testing.T) {
			want := pair.Expected
			provider, err := FromSSP(b, read(pair.Provider), nil)
			require.NoError(t, err)
			count := map[string]int{}
			for _, r := range provider.Requirements() {
				count["provided"] += len(r.Provided)
				count["responsibilities"] += len(r.Responsibilities)
			}
			im, err := FromSSP(b, read(pair.Consumer), &ImplementOptions{Leveraged: []*oscal.SystemSecurityPlan{read(pair.Provider)}})
			require.NoError(t, err)
			for _, r := range im.Requirements() {
				count["inherited"] += len(r.Inherited)
				for _, s := range r.Satisfied {
					if im.leveraged.byID[s.Of] != nil { // the oracle counts those that exist
						count["satisfied"]++
					}
				}
			}
			require.Equal(t, map[string]int{
				"provided": want.Provided, "responsibilities": want.Responsibilities, "inherited": want.Inherited, "satisfied": want.Satisfied,
			}, count)
			by := func(target error) []string {
				ids := []string{}
				for _, p := range im.Gaps() {
					if errors.Is(p, target) {
						ids = append(ids, p.ID)
					}
				}
				return ids
			}
			dangling, other := []string{}, []string{}
			for _, d := range want.Dangling {
				dangling = append(dangling, d.UUID)
			}
			for _, o := range want.OtherControl {
				other = append(other, o.UUID)
			}
			require.Equal(t, want.Uninherited, by(ErrUninherited))
			require.Equal(t, want.Unsatisfied, by(ErrUnsatisfied))
			require.Equal(t, dangling, by(ErrUnknown))
			require.Equal(t, want.Duplicates, by(ErrDuplicate))
			require.Equal(t, other, by(ErrMisplaced))
			open := []string{}
			for _, r := range im.Requirements() {
				id := r.Statement
				if id == "" {
					id = r.Control
				}
				for _, s := range im.Inheritance(id).Open {
					open = append(open, s.ID)
				}
			}
			slices.Sort(open)
			require.Equal(t, want.UnsatisfiedOfInherited, slices.Compact(open))
			require.Equal(t, "shared", im.Inheritance("ac-2_smt.a").String())
		})
	}
	require.Equal(t, 3, n)
}

// TestPublishedDefinitions makes a system of all components that the corpus
// defines, and its plan.
func TestPublishedDefinitions(t *testing.T) {
	b, err := NewBaseline(load(t, rev5Full), nil)
	require.NoError(t, err)
	var defs []*oscal.ComponentDefinition
	sys := smallSystem()
	sys.Components = nil
	want := map[string]int{} // controls of the definitions that are in the catalog
	files, err := filepath.Glob(filepath.Join(corpus.Path(t, "oscal", "documents", "aws-components"), "*.json"))
	require.NoError(t, err)
	require.Len(t, files, 20)
	files = append(files, corpus.Path(t, "oscal", "documents", "nist-examples", "example-component-definition.json"))
	for _, file := range files {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		doc, _ := oscal.Parse(string(data), nil) // some have members that OSCAL does not know
		require.NotNil(t, doc)
		def, err := oscal.As[oscal.ComponentDefinition](doc)
		require.NoError(t, err)
		defs = append(defs, def)
		for _, c := range oscal.Items(def.Components) {
			sys.Components = append(sys.Components, Component{ID: c.UUID, Definition: c.UUID})
			for _, set := range oscal.Items(c.ControlImplementations) {
				for _, ir := range set.ImplementedRequirements {
					in := "in"
					if b.Catalog().Control(ir.ControlId) == nil {
						in = "out"
					}
					want[in]++
				}
			}
		}
	}
	require.Len(t, sys.Components, 152) // 151 of AWS by aws.expected.json, MongoDB
	im, err := Implement(b, sys, defs, nil)
	require.NoError(t, err)
	controls := 0
	for _, r := range im.Requirements() {
		if r.Statement == "" {
			controls++
		}
	}
	require.Equal(t, want["in"], controls)
	require.Len(t, im.LeftOut(), want["out"])
	require.Equal(t, 3, want["in"]) // sc-8, sc-8.1, sa-4.9
	plan, err := im.SSP("profile.json", now, nil)
	require.NoError(t, err)
	checkReferences(t, written(t, plan), b)
}
