package assessment

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/issokit/issokit/oscal"
)

func selectSubjects(kind string, uuids []string) oscal.AssessmentSubject {
	s := oscal.AssessmentSubject{Type: kind}
	for _, id := range uuids {
		s.IncludeSubjects = oscal.Append(s.IncludeSubjects, oscal.SelectSubjectById{SubjectUuid: id, Type: kind})
	}
	return s
}

// fillMetadata completes what the caller gave: parties and roles of the SSP that
// are not there yet are taken over, so that references to them resolve.
func fillMetadata(m oscal.Metadata, title string, ssp *oscal.SystemSecurityPlan, now time.Time) oscal.Metadata {
	m.Title = cmp.Or(m.Title, title)
	m.Version = cmp.Or(m.Version, "1.0")
	m.OscalVersion = cmp.Or(m.OscalVersion, oscal.ModelVersion)
	if m.LastModified.IsZero() {
		m.LastModified = now
	}
	parties := oscal.Items(m.Parties)
	for _, p := range oscal.Items(ssp.Metadata.Parties) {
		if !slices.ContainsFunc(parties, func(q oscal.Party) bool { return q.UUID == p.UUID }) {
			parties = append(slices.Clip(parties), p)
		}
	}
	roles := oscal.Items(m.Roles)
	for _, r := range oscal.Items(ssp.Metadata.Roles) {
		if !slices.ContainsFunc(roles, func(q oscal.Role) bool { return q.ID == r.ID }) {
			roles = append(slices.Clip(roles), r)
		}
	}
	locations := oscal.Items(m.Locations)
	for _, l := range oscal.Items(ssp.Metadata.Locations) {
		if !slices.ContainsFunc(locations, func(q oscal.Location) bool { return q.UUID == l.UUID }) {
			locations = append(slices.Clip(locations), l)
		}
	}
	m.Parties, m.Roles, m.Locations = oscal.List(parties...), oscal.List(roles...), oscal.List(locations...)
	return m
}

// A system is what of an SSP an assessment refers to.
type system struct {
	name       string // as a markup-line
	ssp        *oscal.SystemSecurityPlan
	components map[string][]string // uuids by control id
	items      map[string]oscal.InventoryItem
	statements map[string]string // uuids of the SSP by statement id of the catalog
	kinds      map[string]string // component, inventory-item, user, party, location by uuid
	names      map[string]string // uuids by what reports call components and items
	self       string            // uuid of the component that is the system itself
}

func newSystem(ssp *oscal.SystemSecurityPlan) *system {
	s := &system{
		name: cmp.Or(title(ssp.SystemCharacteristics.SystemName), ssp.Metadata.Title), ssp: ssp,
		components: map[string][]string{}, items: map[string]oscal.InventoryItem{}, statements: map[string]string{},
		kinds: map[string]string{}, names: map[string]string{},
	}
	known := func(uuid, kind string, names ...string) {
		s.kinds[uuid] = kind
		for _, n := range append(names, uuid) {
			if n = strings.ToLower(n); n != "" && s.names[n] == "" {
				s.names[n] = uuid
			}
		}
	}
	for _, c := range ssp.SystemImplementation.Components {
		if c.Type == "this-system" && s.self == "" {
			s.self = c.UUID
		}
		known(c.UUID, "component", append(identifiers(c.Props), c.Title)...)
	}
	for _, i := range oscal.Items(ssp.SystemImplementation.InventoryItems) {
		s.items[i.UUID] = i
		known(i.UUID, "inventory-item", identifiers(i.Props)...)
	}
	for _, u := range oscal.Items(ssp.SystemImplementation.Users) {
		known(u.UUID, "user")
	}
	for _, p := range oscal.Items(ssp.Metadata.Parties) {
		known(p.UUID, "party")
	}
	for _, l := range oscal.Items(ssp.Metadata.Locations) {
		known(l.UUID, "location")
	}
	for _, r := range ssp.ControlImplementation.ImplementedRequirements {
		meets := func(list *[]oscal.ByComponent) {
			for _, b := range oscal.Items(list) {
				if !slices.Contains(s.components[r.ControlId], b.ComponentUuid) {
					s.components[r.ControlId] = append(s.components[r.ControlId], b.ComponentUuid)
				}
			}
		}
		meets(r.ByComponents)
		for _, st := range oscal.Items(r.Statements) {
			s.statements[st.StatementId] = st.UUID
			meets(st.ByComponents)
		}
	}
	return s
}

// identifiers are the props of OSCAL by which a report may name an asset.
func identifiers(props *[]oscal.Property) []string {
	var out []string
	for _, p := range oscal.Items(props) {
		switch p.Name {
		case "asset-id", "fqdn", "hostname", "netbios-name", "ipv4-address", "ipv6-address", "uri", "mac-address", oscal.PropID:
			out = append(out, p.Value)
		}
	}
	return out
}

// inventory returns the items on which components run, in the order of the SSP.
func (s *system) inventory(components []string) []string {
	var out []string
	for _, i := range oscal.Items(s.ssp.SystemImplementation.InventoryItems) {
		for _, c := range oscal.Items(i.ImplementedComponents) {
			if slices.Contains(components, c.ComponentUuid) {
				out = append(out, i.UUID)
				break
			}
		}
	}
	return out
}

func (s *system) users() *oscal.AssessmentSubject {
	var uuids []string
	for _, u := range oscal.Items(s.ssp.SystemImplementation.Users) {
		uuids = append(uuids, u.UUID)
	}
	if uuids == nil {
		return nil
	}
	subject := selectSubjects("user", uuids)
	return &subject
}

// all selects all components, items and users of the system.
func (s *system) all() []oscal.AssessmentSubject {
	var components, items []string
	for _, c := range s.ssp.SystemImplementation.Components {
		components = append(components, c.UUID)
	}
	for _, i := range oscal.Items(s.ssp.SystemImplementation.InventoryItems) {
		items = append(items, i.UUID)
	}
	var out []oscal.AssessmentSubject
	if components != nil {
		out = append(out, selectSubjects("component", components))
	}
	if items != nil {
		out = append(out, selectSubjects("inventory-item", items))
	}
	if users := s.users(); users != nil {
		out = append(out, *users)
	}
	if out == nil {
		out = append(out, oscal.AssessmentSubject{Type: "component", IncludeAll: &map[string]any{}})
	}
	return out
}
