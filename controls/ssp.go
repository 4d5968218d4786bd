package controls

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/issokit/issokit/internal/telephone"
	"github.com/issokit/issokit/oscal"
)

// sp800_60 is the identifier of the categorization of NIST SP 800-60 in OSCAL.
const sp800_60 = "https://doi.org/10.6028/NIST.SP.800-60v2r1"

// noDescription stands for a description that is not there, where OSCAL wants one.
const noDescription = "No description."

// SSPOptions configure [Implementation.SSP]; nil means the defaults. The objects
// in it are carried into the plan as they are, after those of the system; one
// whose UUID or role id is there already is not carried again.
type SSPOptions struct {
	UUID         string // default: [Implementation.PlanUUID]
	Title        string // default: the name of the system and "System Security Plan"
	Version      string // default: 1.0
	OSCALVersion string // default: [oscal.ModelVersion]

	Roles                   []oscal.Role
	Parties                 []oscal.Party
	ResponsibleParties      []oscal.ResponsibleParty
	Components              []oscal.SystemComponent
	InventoryItems          []oscal.InventoryItem
	LeveragedAuthorizations []oscal.LeveragedAuthorization
	BackMatter              *oscal.BackMatter

	// OmitUnanswered leaves controls out to which there is no answer. By
	// default they are in the plan with an entry of the system itself that says
	// so and has no status (prop [oscal.PropUnanswered]).
	OmitUnanswered bool
}

// SSP writes the system security plan. The profile is the href of the profile or
// resolved profile that the plan imports; now is the time of last-modified. The
// same input gives the same plan. A responsible role names the parties that hold
// it; inside of implemented requirements only if that is one, since OSCAL's
// constraints do not bear several there. Links that start with # lead into
// [SSPOptions.BackMatter].
//
// What [Implement] reports as missing makes the plan invalid; see
// [oscal.FromView]. The error is [ErrMissing] if there is nothing to write in a
// place where OSCAL wants at least one entry.
func (im *Implementation) SSP(profile string, now time.Time, opts *SSPOptions) (*oscal.SystemSecurityPlan, error) {
	var o SSPOptions
	if opts != nil {
		o = *opts
	}
	sys := &im.system
	plan := &oscal.SystemSecurityPlan{
		UUID: cmp.Or(o.UUID, im.PlanUUID()),
		Metadata: oscal.Metadata{
			Title:        cmp.Or(o.Title, sys.Name+" System Security Plan"),
			LastModified: now,
			Version:      cmp.Or(o.Version, "1.0"),
			OscalVersion: cmp.Or(o.OSCALVersion, oscal.ModelVersion),
		},
		ImportProfile:         oscal.ImportProfile{Href: profile},
		SystemCharacteristics: im.characteristics(),
		BackMatter:            o.BackMatter,
	}
	w := planWriter{im, &o, im.people(&plan.Metadata, &o)}
	plan.SystemImplementation = w.systemImplementation()
	plan.ControlImplementation = w.controlImplementation()
	var ps Problems
	if len(plan.SystemCharacteristics.SystemInformation.InformationTypes) == 0 {
		ps = append(ps, &Problem{Pointer: "/system-security-plan/system-characteristics/system-information", Err: fmt.Errorf("at least one information type %w", ErrMissing)})
	}
	if len(plan.ControlImplementation.ImplementedRequirements) == 0 {
		ps = append(ps, &Problem{Pointer: "/system-security-plan/control-implementation", Err: fmt.Errorf("at least one implemented requirement %w", ErrMissing)})
	}
	if profile == "" {
		ps = append(ps, &Problem{Pointer: "/system-security-plan/import-profile/href", Err: fmt.Errorf("the href of the profile %w", ErrMissing)})
	}
	return plan, ps.err()
}

// A planWriter writes what refers to people.
type planWriter struct {
	*Implementation
	opts *SSPOptions
	who  map[string][]string // role to the UUIDs of the parties that hold it
}

// people puts roles, parties and who is responsible into the metadata, and
// returns the UUIDs of the parties that hold each role.
func (im *Implementation) people(m *oscal.Metadata, o *SSPOptions) map[string][]string {
	var roles []oscal.Role
	for _, r := range im.roles {
		roles = append(roles, oscal.Role{ID: r.ID, Title: r.Title, Description: r.Description})
	}
	roles = carry(roles, o.Roles, func(r oscal.Role) string { return r.ID })
	m.Roles = oscal.List(roles...)

	var parties []oscal.Party
	for _, p := range im.system.Parties {
		party := oscal.Party{
			UUID: im.system.UUID("party", p.ID), Type: p.Type, Name: p.Name, ShortName: p.ShortName,
		}
		props := idProp(p.ID)
		if p.Email != "" {
			party.EmailAddresses = oscal.List(p.Email)
		}
		if p.Phone != "" {
			digits := telephone.Digits(p.Phone)
			if digits != p.Phone {
				props = append(props, oscal.Property{Ns: oscal.Namespace, Name: oscal.PropTelephone, Value: p.Phone})
			}
			party.TelephoneNumbers = oscal.List(oscal.TelephoneNumber{Number: digits})
		}
		party.Props = oscal.List(props...)
		for _, id := range p.MemberOf {
			party.MemberOfOrganizations = oscal.Append(party.MemberOfOrganizations, im.system.UUID("party", id))
		}
		parties = append(parties, party)
	}
	m.Parties = oscal.List(carry(parties, o.Parties, func(p oscal.Party) string { return p.UUID })...)

	var responsible []oscal.ResponsibleParty
	for _, r := range roles {
		var who []string
		add := func(uuid string) {
			if !slices.Contains(who, uuid) {
				who = append(who, uuid)
			}
		}
		for _, p := range im.system.Parties {
			if slices.Contains(p.Roles, r.ID) {
				add(im.system.UUID("party", p.ID))
			}
		}
		for _, more := range o.ResponsibleParties {
			if more.RoleId == r.ID {
				for _, uuid := range more.PartyUuids {
					add(uuid)
				}
			}
		}
		if who != nil {
			responsible = append(responsible, oscal.ResponsibleParty{RoleId: r.ID, PartyUuids: who})
		}
	}
	for _, more := range o.ResponsibleParties {
		if !slices.ContainsFunc(roles, func(r oscal.Role) bool { return r.ID == more.RoleId }) {
			responsible = append(responsible, more)
		}
	}
	m.ResponsibleParties = oscal.List(responsible...)
	holders := make(map[string][]string, len(responsible))
	for _, r := range responsible {
		holders[r.RoleId] = r.PartyUuids
	}
	return holders
}

// carry adds those of more whose key is not there yet.
func carry[T any](list, more []T, key func(T) string) []T {
	have := make(map[string]bool, len(list)+len(more))
	for _, x := range list {
		have[key(x)] = true
	}
	for _, x := range more {
		if !have[key(x)] {
			have[key(x)] = true
			list = append(list, x)
		}
	}
	return list
}

// idProp carries an ID from which the UUID was derived.
func idProp(id string) []oscal.Property {
	if id == "" || oscal.TypeUUID.Valid(id) {
		return nil
	}
	return []oscal.Property{{Ns: oscal.Namespace, Name: oscal.PropID, Value: id}}
}

// fips writes a level of FIPS 199 as OSCAL does.
func fips(level string) string {
	switch level {
	case "low", "moderate", "high":
		return "fips-199-" + level
	}
	return level
}

func (im *Implementation) characteristics() oscal.SystemCharacteristics {
	sys := &im.system
	c := oscal.SystemCharacteristics{
		SystemIds:                slices.Clone(sys.Identifiers),
		SystemName:               sys.Name,
		SystemNameShort:          sys.ShortName,
		Description:              sys.Description,
		Props:                    oscal.List(append(idProp(sys.ID), sys.Props...)...),
		DateAuthorized:           sys.Authorized,
		SecuritySensitivityLevel: fips(sys.Sensitivity),
		Status:                   oscal.Status{State: sys.Status, Remarks: sys.StatusRemarks},
		AuthorizationBoundary:    oscal.AuthorizationBoundary{Description: sys.Boundary},
	}
	if len(c.SystemIds) == 0 {
		c.SystemIds = []oscal.SystemId{{ID: sys.ID}}
	}
	if i := sys.Impact; i != (Impact{}) {
		c.SecurityImpactLevel = &oscal.SecurityImpactLevel{
			SecurityObjectiveConfidentiality: fips(i.Confidentiality),
			SecurityObjectiveIntegrity:       fips(i.Integrity),
			SecurityObjectiveAvailability:    fips(i.Availability),
		}
	}
	if sys.Network != "" {
		c.NetworkArchitecture = &oscal.NetworkArchitecture{Description: sys.Network}
	}
	if sys.DataFlow != "" {
		c.DataFlow = &oscal.DataFlow{Description: sys.DataFlow}
	}
	for _, info := range sys.Information {
		t := oscal.InformationType{
			UUID: sys.UUID("information-type", info.ID), Title: info.Title, Description: info.Description,
			Props:                 oscal.List(idProp(info.ID)...),
			ConfidentialityImpact: impact(info.Impact.Confidentiality),
			IntegrityImpact:       impact(info.Impact.Integrity),
			AvailabilityImpact:    impact(info.Impact.Availability),
		}
		if len(info.Types) > 0 {
			t.Categorizations = oscal.List(oscal.InformationTypeCategorization{
				System: cmp.Or(info.Scheme, sp800_60), InformationTypeIds: oscal.List(info.Types...),
			})
		}
		c.SystemInformation.InformationTypes = append(c.SystemInformation.InformationTypes, t)
	}
	return c
}

func impact(level string) *oscal.Impact {
	if level == "" {
		return nil
	}
	return &oscal.Impact{Base: fips(level)}
}

func (w *planWriter) systemImplementation() oscal.SystemImplementation {
	sys := &w.system
	var out oscal.SystemImplementation
	for _, u := range sys.Users {
		user := oscal.SystemUser{
			UUID: sys.UUID("user", u.ID), Title: u.Title, ShortName: u.ShortName, Description: u.Description,
			Props:                oscal.List(append(idProp(u.ID), u.Props...)...),
			RoleIds:              oscal.List(u.Roles...),
			AuthorizedPrivileges: oscal.List(u.Privileges...),
		}
		out.Users = oscal.Append(out.Users, user)
	}
	for _, c := range w.components {
		props := idProp(c.ID)
		if c.Definition != "" {
			props = append(props, oscal.Property{Ns: oscal.Namespace, Name: oscal.PropDefinition, Value: c.Definition})
		}
		if c.Leveraged != "" {
			props = append(props, oscal.Property{Name: "leveraged-authorization-uuid", Value: sys.UUID("leveraged-authorization", c.Leveraged)})
		}
		out.Components = append(out.Components, oscal.SystemComponent{
			UUID: sys.UUID("component", c.ID), Type: c.Type, Title: c.Title, Description: c.Description, Purpose: c.Purpose,
			Props: oscal.List(append(props, c.Props...)...), Links: oscal.List(c.Links...),
			Status:           oscal.SystemComponentStatus{State: c.Status},
			ResponsibleRoles: w.responsibleRoles(sys.UUID("component", c.ID), c.Roles),
		})
	}
	out.Components = carry(out.Components, w.opts.Components, func(c oscal.SystemComponent) string { return c.UUID })
	var items []oscal.InventoryItem
	for _, a := range sys.Inventory {
		item := oscal.InventoryItem{
			UUID: sys.UUID("inventory-item", a.ID), Description: a.Description,
			Props: oscal.List(append(idProp(a.ID), a.Props...)...),
		}
		for _, id := range a.Components {
			item.ImplementedComponents = oscal.Append(item.ImplementedComponents, oscal.ImplementedComponent{ComponentUuid: w.componentUUID(id)})
		}
		items = append(items, item)
	}
	out.InventoryItems = oscal.List(carry(items, w.opts.InventoryItems, func(i oscal.InventoryItem) string { return i.UUID })...)
	var leveraged []oscal.LeveragedAuthorization
	for _, l := range sys.Leveraged {
		leveraged = append(leveraged, oscal.LeveragedAuthorization{
			UUID: sys.UUID("leveraged-authorization", l.ID), Title: l.Title, PartyUuid: sys.UUID("party", l.Party),
			DateAuthorized: l.Authorized, Remarks: l.Remarks,
			Props: oscal.List(append(idProp(l.ID), l.Props...)...), Links: oscal.List(l.Links...),
		})
	}
	out.LeveragedAuthorizations = oscal.List(carry(leveraged, w.opts.LeveragedAuthorizations, func(l oscal.LeveragedAuthorization) string { return l.UUID })...)
	return out
}

// componentUUID returns the UUID of a component; this-system names the system
// itself whatever its ID.
func (im *Implementation) componentUUID(id string) string {
	if _, ok := im.order[id]; !ok && id == thisSystem {
		id = im.components[0].ID
	}
	return im.system.UUID("component", id)
}

// responsibleRoles writes roles with the parties that hold them. What a plan that
// was read said of the roles of an object, given by its UUID, is written as it was.
func (w *planWriter) responsibleRoles(uuid string, ids []string) *[]oscal.ResponsibleRole {
	if read := w.responsible[uuid]; read != nil && slices.Equal(readRoles(read), ids) {
		return oscal.List(*read...)
	}
	var out []oscal.ResponsibleRole
	for _, id := range ids {
		out = append(out, oscal.ResponsibleRole{RoleId: id, PartyUuids: oscal.List(slices.Clone(w.who[id])...)})
	}
	return oscal.List(out...)
}

// answerRoles writes roles inside of an implemented requirement. There the
// constraint oscal-implemented-requirement-index-metadata-party-uuid takes the
// parties of a role as one key, which several cannot be: who hold a role together
// are named in the metadata alone.
func (w *planWriter) answerRoles(uuid string, ids []string) *[]oscal.ResponsibleRole {
	roles := w.responsibleRoles(uuid, ids)
	if w.responsible[uuid] != nil {
		return roles
	}
	for i := range oscal.Items(roles) {
		if r := &(*roles)[i]; len(oscal.Items(r.PartyUuids)) > 1 {
			r.PartyUuids = nil
		}
	}
	return roles
}

func (w *planWriter) controlImplementation() oscal.ControlImplementation {
	out := oscal.ControlImplementation{
		Description: fmt.Sprintf("How %s meets the controls of %s.", w.system.Name, cmp.Or(w.baseline.catalog.title, "its baseline")),
	}
	for _, p := range w.baseline.catalog.params {
		if p.control == nil || !w.baseline.Has(p.control) {
			out.SetParameters = w.setParameter(out.SetParameters, p)
		}
	}
	for _, c := range w.baseline.controls {
		ir := oscal.ImplementedRequirement{UUID: w.RequirementUUID(c.id), ControlId: c.id}
		for _, p := range c.params {
			ir.SetParameters = w.setParameter(ir.SetParameters, p)
		}
		ir.ByComponents = w.byComponents(w.direct[c])
		answered := len(w.direct[c]) > 0
		for _, s := range c.all {
			if uuid := w.StatementUUID(s.id); uuid != "" {
				answered = answered || len(w.direct[s]) > 0
				ir.Statements = oscal.Append(ir.Statements, oscal.Statement{UUID: uuid, StatementId: s.id, ByComponents: w.byComponents(w.direct[s])})
			}
		}
		if !answered {
			if w.opts.OmitUnanswered {
				continue
			}
			ir.ByComponents = oscal.List(w.unanswered(c))
		}
		out.ImplementedRequirements = append(out.ImplementedRequirements, ir)
	}
	return out
}

// setParameter adds the value that the system sets; those of its components are
// in their answers.
func (im *Implementation) setParameter(list *[]oscal.SetParameter, p *Param) *[]oscal.SetParameter {
	s, ok := im.params[p]
	if !ok || s.from != "system" {
		return list
	}
	return oscal.Append(list, oscal.SetParameter{ParamId: p.id, Values: slices.Clone(s.values)})
}

func (im *Implementation) unanswered(c *Control) oscal.ByComponent {
	r := &Requirement{Control: c.id, Component: im.components[0].ID}
	return oscal.ByComponent{
		UUID: im.answerUUID(r), ComponentUuid: im.componentUUID(r.Component),
		Description: "No component answers this control.",
		Props:       oscal.List(oscal.Property{Ns: oscal.Namespace, Name: oscal.PropUnanswered, Value: "yes"}),
	}
}

// answerUUID returns the UUID of the by-component entry of an answer.
func (im *Implementation) answerUUID(r *Requirement) string {
	if r.ID != "" {
		return im.system.UUID("by-component", r.ID)
	}
	return oscal.UUID("by-component", im.system.ID, r.Control, r.Statement, r.Component)
}

// shareUUID returns the UUID of the i-th entry of a kind in an answer.
func (im *Implementation) shareUUID(kind string, r *Requirement, s Share, i int) string {
	if oscal.TypeUUID.Valid(s.ID) {
		return s.ID
	}
	return oscal.UUID(kind, im.system.ID, r.Control, r.Statement, r.Component, cmp.Or(s.ID, strconv.Itoa(i)))
}

func (w *planWriter) byComponents(answers []*Requirement) *[]oscal.ByComponent {
	var out []oscal.ByComponent
	for _, r := range answers {
		out = append(out, w.byComponent(r))
	}
	return oscal.List(out...)
}

func (w *planWriter) byComponent(r *Requirement) oscal.ByComponent {
	props := idProp(r.ID)
	for _, origin := range r.Responsibility.Origins() {
		props = append(props, oscal.Property{Name: "control-origination", Value: origin})
	}
	b := oscal.ByComponent{
		UUID: w.answerUUID(r), ComponentUuid: w.componentUUID(r.Component),
		Description:      cmp.Or(r.Description, noDescription),
		Remarks:          r.Remarks,
		Props:            oscal.List(append(props, r.Props...)...),
		ResponsibleRoles: w.answerRoles(w.answerUUID(r), r.Roles),
		SetParameters:    oscal.List(r.Parameters...),
	}
	if r.Status != 0 {
		b.ImplementationStatus = &oscal.ImplementationStatus{State: r.Status.String(), Remarks: r.StatusRemarks}
	}
	if len(r.Provided)+len(r.Responsibilities) > 0 {
		b.Export = &oscal.Export{}
	}
	for i, s := range r.Provided {
		b.Export.Provided = oscal.Append(b.Export.Provided, oscal.ProvidedControlImplementation{
			UUID: w.shareUUID("provided", r, s, i), Description: s.Description, Props: oscal.List(idProp(s.ID)...), ResponsibleRoles: w.answerRoles(w.shareUUID("provided", r, s, i), s.Roles),
		})
	}
	for i, s := range r.Responsibilities {
		b.Export.Responsibilities = oscal.Append(b.Export.Responsibilities, oscal.ControlImplementationResponsibility{
			UUID: w.shareUUID("responsibility", r, s, i), ProvidedUuid: w.providedUUID(r, s.Of), Description: s.Description,
			Props: oscal.List(idProp(s.ID)...), ResponsibleRoles: w.answerRoles(w.shareUUID("responsibility", r, s, i), s.Roles),
		})
	}
	for i, s := range r.Inherited {
		b.Inherited = oscal.Append(b.Inherited, oscal.InheritedControlImplementation{
			UUID: w.shareUUID("inherited", r, s, i), ProvidedUuid: s.Of, Description: s.Description,
			Props: oscal.List(idProp(s.ID)...), ResponsibleRoles: w.answerRoles(w.shareUUID("inherited", r, s, i), s.Roles),
		})
	}
	for i, s := range r.Satisfied {
		b.Satisfied = oscal.Append(b.Satisfied, oscal.SatisfiedControlImplementationResponsibility{
			UUID: w.shareUUID("satisfied", r, s, i), ResponsibilityUuid: s.Of, Description: s.Description,
			Props: oscal.List(idProp(s.ID)...), ResponsibleRoles: w.answerRoles(w.shareUUID("satisfied", r, s, i), s.Roles),
		})
	}
	return b
}

// providedUUID returns the UUID of what a responsibility goes with: the ID of an
// entry that the same answer provides, or a UUID.
func (im *Implementation) providedUUID(r *Requirement, of string) string {
	for i, p := range r.Provided {
		if of != "" && p.ID == of {
			return im.shareUUID("provided", r, p, i)
		}
	}
	return of
}

// defips reads a level of FIPS 199 as OSCAL writes it.
func defips(level string) string {
	switch rest := strings.TrimPrefix(level, "fips-199-"); rest {
	case "low", "moderate", "high":
		return rest
	}
	return level
}
