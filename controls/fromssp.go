package controls

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/issokit/issokit/internal/telephone"
	"github.com/issokit/issokit/oscal"
)

// FromSSP reads a system security plan back into an implementation of a
// baseline, so that a plan that was written by anybody can be assessed. UUIDs
// stay as they are; the IDs of the objects are those from which a plan of this
// package derived them, else the UUIDs. Status and origin that stand at a
// requirement or statement (also as props of FedRAMP) hold for the answers in
// it that say none.
//
// What the plan says beyond [System] (diagrams, links, protocols, locations) is
// not read: to edit a plan that was read, use [oscal.Document.Update].
//
// Controls, statements, components and parameters that are not there, answers
// that stand twice and unknown states are in the error, a [Problems] in document
// order; the implementation of the rest is returned with it. A statement id that
// is not in the catalog but can be read as a reference is followed and reported.
func FromSSP(b *Baseline, plan *oscal.SystemSecurityPlan, opts *ImplementOptions) (*Implementation, error) {
	im, w := newImplementer(b, readSystem(plan), opts)
	im.planUUID = plan.UUID
	r := planReader{w, plan, map[string]string{}}
	r.components()
	r.setParameters(plan.ControlImplementation.SetParameters, nil, "/system-security-plan/control-implementation")
	for i := range plan.ControlImplementation.ImplementedRequirements {
		r.requirement(&plan.ControlImplementation.ImplementedRequirements[i], fmt.Sprintf("/system-security-plan/control-implementation/implemented-requirements/%d", i))
	}
	w.settle(false)
	im.system.Requirements = nil
	for _, q := range im.requirements {
		im.system.Requirements = append(im.system.Requirements, *q)
	}
	return im, w.problems.err()
}

// readID returns the ID that an object was made from, else its UUID.
func (s *System) readID(kind, uuid string, props *[]oscal.Property) string {
	for _, p := range oscal.Items(props) {
		if p.Ns == oscal.Namespace && p.Name == oscal.PropID && s.UUID(kind, p.Value) == uuid {
			return p.Value
		}
	}
	return uuid
}

// readProps returns the props without those that the fields of the domain hold.
func readProps(props *[]oscal.Property) []oscal.Property {
	var out []oscal.Property
	for _, p := range oscal.Items(props) {
		switch {
		case p.Ns == oscal.Namespace && (p.Name == oscal.PropID || p.Name == oscal.PropDefinition || p.Name == oscal.PropUnanswered):
		case statusNamespace(p.Ns) && (p.Name == "control-origination" || p.Name == "implementation-status"):
		case p.Ns == "" && p.Name == "leveraged-authorization-uuid":
		default:
			out = append(out, p)
		}
	}
	return out
}

// readSystem reads all but the components and requirements.
func readSystem(plan *oscal.SystemSecurityPlan) System {
	c := &plan.SystemCharacteristics
	s := System{ID: plan.UUID}
	for _, p := range oscal.Items(c.Props) {
		if p.Ns == oscal.Namespace && p.Name == oscal.PropID {
			s.ID = p.Value
		}
	}
	s.Name, s.ShortName, s.Description = c.SystemName, c.SystemNameShort, c.Description
	s.Sensitivity, s.Authorized, s.Boundary = defips(c.SecuritySensitivityLevel), c.DateAuthorized, c.AuthorizationBoundary.Description
	s.Status, s.StatusRemarks, s.Props = c.Status.State, c.Status.Remarks, readProps(c.Props)
	if ids := c.SystemIds; len(ids) != 1 || ids[0] != (oscal.SystemId{ID: s.ID}) {
		s.Identifiers = slices.Clone(ids)
	}
	if i := c.SecurityImpactLevel; i != nil {
		s.Impact = Impact{defips(i.SecurityObjectiveConfidentiality), defips(i.SecurityObjectiveIntegrity), defips(i.SecurityObjectiveAvailability)}
	}
	if c.NetworkArchitecture != nil {
		s.Network = c.NetworkArchitecture.Description
	}
	if c.DataFlow != nil {
		s.DataFlow = c.DataFlow.Description
	}
	for _, t := range c.SystemInformation.InformationTypes {
		info := Information{
			ID: s.readID("information-type", t.UUID, t.Props), Title: t.Title, Description: t.Description,
			Impact: Impact{readImpact(t.ConfidentialityImpact), readImpact(t.IntegrityImpact), readImpact(t.AvailabilityImpact)},
		}
		for _, k := range oscal.Items(t.Categorizations) {
			if info.Scheme == "" || info.Scheme == k.System {
				info.Scheme = k.System
				info.Types = append(info.Types, oscal.Items(k.InformationTypeIds)...)
			}
		}
		s.Information = append(s.Information, info)
	}
	s.readPeople(&plan.Metadata)
	for _, u := range oscal.Items(plan.SystemImplementation.Users) {
		s.Users = append(s.Users, User{
			ID: s.readID("user", u.UUID, u.Props), Title: u.Title, ShortName: u.ShortName, Description: u.Description,
			Roles: slices.Clone(oscal.Items(u.RoleIds)), Privileges: slices.Clone(oscal.Items(u.AuthorizedPrivileges)), Props: readProps(u.Props),
		})
	}
	return s
}

func readImpact(i *oscal.Impact) string {
	if i == nil {
		return ""
	}
	return defips(cmp.Or(i.Selected, i.Base))
}

func (s *System) readPeople(m *oscal.Metadata) {
	for _, r := range oscal.Items(m.Roles) {
		s.Roles = append(s.Roles, Role{r.ID, r.Title, r.Description})
	}
	ids := map[string]string{}
	for _, p := range oscal.Items(m.Parties) {
		ids[p.UUID] = s.readID("party", p.UUID, p.Props)
	}
	for _, p := range oscal.Items(m.Parties) {
		party := Party{ID: ids[p.UUID], Type: p.Type, Name: p.Name, ShortName: p.ShortName}
		if mails := oscal.Items(p.EmailAddresses); len(mails) > 0 {
			party.Email = mails[0]
		}
		if phones := oscal.Items(p.TelephoneNumbers); len(phones) > 0 {
			party.Phone = phones[0].Number
			if given, ok := oscal.PropValue(p.Props, oscal.Namespace, oscal.PropTelephone); ok && telephone.Digits(given) == party.Phone {
				party.Phone = given
			}
		}
		for _, uuid := range oscal.Items(p.MemberOfOrganizations) {
			party.MemberOf = append(party.MemberOf, cmp.Or(ids[uuid], uuid))
		}
		for _, r := range oscal.Items(m.ResponsibleParties) {
			if slices.Contains(r.PartyUuids, p.UUID) {
				party.Roles = append(party.Roles, r.RoleId)
			}
		}
		s.Parties = append(s.Parties, party)
	}
}

// A planReader reads components and requirements of a plan.
type planReader struct {
	*implementer
	plan         *oscal.SystemSecurityPlan
	componentIDs map[string]string // by UUID
}

// setParameters reads values that hold for the whole system.
func (r *planReader) setParameters(list *[]oscal.SetParameter, c *Control, pointer string) {
	for i, set := range oscal.Items(list) {
		p := r.im.baseline.catalog.Param(set.ParamId)
		if p == nil {
			where := &Requirement{}
			if c != nil {
				where.Control = c.id
			}
			r.fail(fmt.Sprintf("%s/set-parameters/%d", pointer, i), where, fmt.Errorf("parameter %q %w", set.ParamId, ErrUnknown))
			continue
		}
		if len(set.Values) == 0 {
			r.fail(fmt.Sprintf("%s/set-parameters/%d", pointer, i), nil, fmt.Errorf("the value of parameter %q %w", set.ParamId, ErrMissing))
			continue
		}
		set.ParamId = p.id
		r.im.system.Parameters = append(r.im.system.Parameters, set)
	}
}

// leave keeps the answers that the implementation cannot count.
func (r *planReader) leave(control, statement string, list *[]oscal.ByComponent) {
	for _, b := range oscal.Items(list) {
		q := Requirement{
			ID: b.UUID, Control: control, Statement: statement, Component: cmp.Or(r.componentIDs[b.ComponentUuid], b.ComponentUuid),
			Description: b.Description, Remarks: b.Remarks, Props: slices.Clone(oscal.Items(b.Props)),
		}
		if b.ImplementationStatus != nil {
			_ = q.Status.UnmarshalText([]byte(b.ImplementationStatus.State)) // an unknown state is none
		}
		r.im.leftOut = append(r.im.leftOut, q)
	}
}

func (r *planReader) components() {
	sys, si := &r.im.system, &r.plan.SystemImplementation
	leveraged := map[string]string{}
	for _, l := range oscal.Items(si.LeveragedAuthorizations) {
		id := sys.readID("leveraged-authorization", l.UUID, l.Props)
		leveraged[l.UUID] = id
		provider := l.PartyUuid
		for _, p := range sys.Parties {
			if sys.UUID("party", p.ID) == l.PartyUuid {
				provider = p.ID
			}
		}
		sys.Leveraged = append(sys.Leveraged, Leveraged{
			ID: id, Title: l.Title, Party: provider, Authorized: l.DateAuthorized, Remarks: l.Remarks,
			Props: readProps(l.Props), Links: slices.Clone(oscal.Items(l.Links)),
		})
	}
	var self *Component
	var others []Component
	for i := range si.Components {
		v := &si.Components[i]
		c := Component{
			ID: sys.readID("component", v.UUID, v.Props), Type: v.Type, Title: v.Title, Description: v.Description, Purpose: v.Purpose,
			Status: v.Status.State, Props: readProps(v.Props), Links: slices.Clone(oscal.Items(v.Links)),
			Roles: r.roles(v.UUID, v.ResponsibleRoles),
		}
		for _, p := range oscal.Items(v.Props) {
			if p.Ns == oscal.Namespace && p.Name == oscal.PropDefinition {
				c.Definition = p.Value
			}
			if p.Name == "leveraged-authorization-uuid" && statusNamespace(p.Ns) {
				c.Leveraged = cmp.Or(leveraged[p.Value], p.Value)
			}
		}
		if v.Type == thisSystem && self == nil {
			self = &c
		} else {
			others = append(others, c)
		}
	}
	if self == nil {
		self = &Component{ID: thisSystem, Type: thisSystem, Title: sys.Name, Description: sys.Description, Status: componentStatus(sys.Status)}
	}
	r.setComponents(append([]Component{*self}, others...))
	sys.Components = r.im.components
	for _, c := range r.im.components {
		r.componentIDs[sys.UUID("component", c.ID)] = c.ID
	}
	for _, v := range oscal.Items(si.InventoryItems) {
		a := Asset{ID: sys.readID("inventory-item", v.UUID, v.Props), Description: v.Description, Props: readProps(v.Props)}
		for _, c := range oscal.Items(v.ImplementedComponents) {
			a.Components = append(a.Components, cmp.Or(r.componentIDs[c.ComponentUuid], c.ComponentUuid))
		}
		sys.Inventory = append(sys.Inventory, a)
	}
}

// roles reads the ids of roles, and keeps what the plan says of them: the parties
// need not be those that the whole system has for a role.
func (r *planReader) roles(uuid string, roles *[]oscal.ResponsibleRole) []string {
	if roles != nil {
		r.im.responsible[uuid] = roles
	}
	return readRoles(roles)
}

func readRoles(roles *[]oscal.ResponsibleRole) []string {
	var ids []string
	for _, r := range oscal.Items(roles) {
		if !slices.Contains(ids, r.RoleId) {
			ids = append(ids, r.RoleId)
		}
	}
	return ids
}

func (r *planReader) requirement(v *oscal.ImplementedRequirement, pointer string) {
	control := r.im.baseline.catalog.Control(v.ControlId)
	if control == nil || !r.im.baseline.Has(control) {
		r.fail(pointer+"/control-id", &Requirement{Control: v.ControlId}, fmt.Errorf("control %q %w", v.ControlId, ErrOutside))
		r.leave(v.ControlId, "", v.ByComponents)
		for _, s := range oscal.Items(v.Statements) {
			r.leave(v.ControlId, s.StatementId, s.ByComponents)
		}
		return
	}
	if r.im.uuids[control.id] != "" {
		r.fail(pointer+"/control-id", &Requirement{Control: v.ControlId}, fmt.Errorf("the requirement for the control %w", ErrDuplicate))
	} else {
		r.im.uuids[control.id] = v.UUID
	}
	r.setParameters(v.SetParameters, control, pointer)
	status, origin, errs := statusOf(oscal.Items(v.Props))
	for _, err := range errs {
		r.fail(pointer+"/props", &Requirement{Control: control.id}, err)
	}
	n := len(r.byKey)
	r.byComponents(v.ByComponents, control, nil, status, origin, pointer)
	for i := range oscal.Items(v.Statements) {
		r.statement(&(*v.Statements)[i], control, status, origin, fmt.Sprintf("%s/statements/%d", pointer, i))
	}
	if len(r.byKey) == n && (status != 0 || origin != 0) {
		// Without any component it is the system itself that answers.
		q := Requirement{Control: control.id, Component: r.im.components[0].ID, Description: v.Remarks, Status: status, Responsibility: origin}
		r.byKey[answerKey{q.Control, "", q.Component}] = &q
	}
}

func (r *planReader) statement(v *oscal.Statement, control *Control, status Status, origin Responsibility, pointer string) {
	s := r.im.baseline.catalog.Statement(v.StatementId)
	if s == nil || s.control != control {
		where := &Requirement{Control: control.id, Statement: v.StatementId}
		t, err := r.im.baseline.catalog.Find(v.StatementId)
		if err != nil || !t.Exact || t.Statement == nil || t.Control != control {
			r.fail(pointer+"/statement-id", where, fmt.Errorf("statement %q %w", v.StatementId, ErrUnknown))
			r.leave(control.id, v.StatementId, v.ByComponents)
			return
		}
		s = t.Statement
		r.fail(pointer+"/statement-id", where, fmt.Errorf("statement %q %w; read as %s", v.StatementId, ErrUnknown, s.id))
	}
	if r.im.uuids[s.id] == "" {
		r.im.uuids[s.id] = v.UUID
	}
	ownStatus, ownOrigin, errs := statusOf(oscal.Items(v.Props))
	for _, err := range errs {
		r.fail(pointer+"/props", &Requirement{Control: control.id, Statement: s.id}, err)
	}
	r.byComponents(v.ByComponents, control, s, cmp.Or(ownStatus, status), cmp.Or(ownOrigin, origin), pointer)
}

func (r *planReader) byComponents(list *[]oscal.ByComponent, control *Control, s *Statement, status Status, origin Responsibility, pointer string) {
	sys := &r.im.system
	for i := range oscal.Items(list) {
		b := &(*list)[i]
		at := fmt.Sprintf("%s/by-components/%d", pointer, i)
		q := &Requirement{Control: control.id, Description: b.Description, Remarks: b.Remarks, Roles: r.roles(b.UUID, b.ResponsibleRoles)}
		if q.Description == noDescription {
			q.Description = ""
		}
		if s != nil {
			q.Statement = s.id
		}
		if q.Component = r.componentIDs[b.ComponentUuid]; q.Component == "" {
			r.fail(at+"/component-uuid", q, fmt.Errorf("component %q %w", b.ComponentUuid, ErrUnknown))
			r.leave(q.Control, q.Statement, &[]oscal.ByComponent{*b})
			continue
		}
		if slices.ContainsFunc(oscal.Items(b.Props), func(p oscal.Property) bool { return p.Ns == oscal.Namespace && p.Name == oscal.PropUnanswered }) {
			continue
		}
		key := answerKey{q.Control, q.Statement, q.Component}
		if r.byKey[key] != nil {
			r.fail(at, q, fmt.Errorf("the answer %w", ErrDuplicate))
			continue
		}
		if r.im.answerUUID(q) != b.UUID {
			q.ID = sys.readID("by-component", b.UUID, b.Props)
		}
		ownStatus, ownOrigin, errs := statusOf(oscal.Items(b.Props))
		if st := b.ImplementationStatus; st != nil {
			q.StatusRemarks = st.Remarks
			errs = append(errs, ownStatus.UnmarshalText([]byte(st.State)))
		}
		if err := errors.Join(errs...); err != nil {
			r.fail(at, q, err)
		}
		q.Status, q.Responsibility = cmp.Or(ownStatus, status), cmp.Or(ownOrigin, origin)
		q.Props = readProps(b.Props)
		q.Parameters = slices.Clone(oscal.Items(b.SetParameters))
		r.parameters(at+"/set-parameters", q)
		r.shares(q, b)
		r.byKey[key] = q
	}
}

// shares reads what is inherited and provided. An ID is kept only where it is
// not the one that would be derived.
func (r *planReader) shares(q *Requirement, b *oscal.ByComponent) {
	add := func(list *[]Share, kind, uuid, of, description string, props *[]oscal.Property, roles *[]oscal.ResponsibleRole) {
		s := Share{Of: of, Description: description, Roles: r.roles(uuid, roles)}
		if r.im.shareUUID(kind, q, s, len(*list)) != uuid {
			s.ID = uuid
			for _, p := range oscal.Items(props) {
				if p.Ns == oscal.Namespace && p.Name == oscal.PropID && r.im.shareUUID(kind, q, Share{ID: p.Value}, 0) == uuid {
					s.ID = p.Value
				}
			}
		}
		*list = append(*list, s)
	}
	if e := b.Export; e != nil {
		names := map[string]string{}
		for _, x := range oscal.Items(e.Provided) {
			add(&q.Provided, "provided", x.UUID, "", x.Description, x.Props, x.ResponsibleRoles)
			names[x.UUID] = q.Provided[len(q.Provided)-1].ID
		}
		for _, x := range oscal.Items(e.Responsibilities) {
			add(&q.Responsibilities, "responsibility", x.UUID, cmp.Or(names[x.ProvidedUuid], x.ProvidedUuid), x.Description, x.Props, x.ResponsibleRoles)
		}
	}
	for _, x := range oscal.Items(b.Inherited) {
		add(&q.Inherited, "inherited", x.UUID, x.ProvidedUuid, x.Description, x.Props, x.ResponsibleRoles)
	}
	for _, x := range oscal.Items(b.Satisfied) {
		add(&q.Satisfied, "satisfied", x.UUID, x.ResponsibilityUuid, x.Description, x.Props, x.ResponsibleRoles)
	}
}
