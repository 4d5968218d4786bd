package vendors

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/issokit/issokit/internal/telephone"
	"github.com/issokit/issokit/oscal"
)

// maxCarrier bounds the size of the resource that holds what OSCAL has no place
// for.
const maxCarrier = 64 << 20

// FromOSCAL reads the portfolio of a system security plan: what [ToOSCAL] wrote,
// or what others wrote of the kind. An engagement is a component with the prop
// implementation-point external whose provider is known, by the role provider or
// by the party of its leveraged authorization; a vendor is a party that is such
// a provider, or that ToOSCAL marked. What has no field in the portfolio, unknown
// props included, is kept in the OSCAL fields, and ToOSCAL puts it back. Other
// parties and components are not looked at. Tiers are not read: they are
// computed.
//
// The error is a [Problems] that matches [ErrValue], [ErrReference] or
// [ErrSyntax], if what is in the project's namespace does not hold what it
// should; such props are kept as unknown ones, and the portfolio is returned
// with it.
func FromOSCAL(ssp *oscal.SystemSecurityPlan) (*Portfolio, error) {
	m := importer{
		p:         &Portfolio{},
		party:     map[string]*oscal.Party{},
		granted:   map[string]*oscal.LeveragedAuthorization{},
		vendorID:  map[string]string{},
		vendorAt:  map[string]int{},
		resources: map[string]bool{},
	}
	if ssp.BackMatter != nil {
		for i, r := range oscal.Items(ssp.BackMatter.Resources) {
			m.resource(&r, fmt.Sprintf("/system-security-plan/back-matter/resources/%d", i))
		}
	}
	parties := oscal.Items(ssp.Metadata.Parties)
	for i := range parties {
		m.party[parties[i].UUID] = &parties[i]
	}
	authorizations := oscal.Items(ssp.SystemImplementation.LeveragedAuthorizations)
	for i := range authorizations {
		m.granted[authorizations[i].UUID] = &authorizations[i]
	}
	m.contracts = index(m.p.Contracts, func(c *Contract) string { return c.ID })
	components := ssp.SystemImplementation.Components
	m.vendors(parties, components)
	for i := range components {
		if m.isEngagement(&components[i]) {
			m.engagement(&components[i], pointerTo(i))
		}
	}
	m.subcontracts(components)
	return m.p, m.problems.err()
}

func pointerTo(component int) string {
	return "/system-security-plan/system-implementation/components/" + strconv.Itoa(component)
}

type importer struct {
	p         *Portfolio
	party     map[string]*oscal.Party
	granted   map[string]*oscal.LeveragedAuthorization
	vendorID  map[string]string // by UUID of the party
	vendorAt  map[string]int    // the same: place among the vendors
	contracts map[string]int    // by ID: place among the contracts
	resources map[string]bool   // UUIDs of resources that ToOSCAL writes again
	problems  Problems
}

// A bag is the props of an object; what is taken out is gone.
type bag []oscal.Property

func newBag(props *[]oscal.Property) bag { return slices.Clone(oscal.Items(props)) }

func (b *bag) take(ns, name, class string) (string, bool) {
	i := slices.IndexFunc(*b, func(p oscal.Property) bool { return p.Ns == ns && p.Name == name && p.Class == class })
	if i < 0 {
		return "", false
	}
	value := (*b)[i].Value
	*b = slices.Delete(*b, i, i+1)
	return value, true
}

// own takes a prop of the project's namespace.
func (b *bag) own(name, class string) string {
	value, _ := b.take(oscal.Namespace, name, class)
	return value
}

// core takes a prop of OSCAL's own namespace, which may stand without ns.
func (b *bag) core(name string) string {
	for _, ns := range []string{"", coreNamespace} {
		if value, ok := b.take(ns, name, ""); ok {
			return value
		}
	}
	return ""
}

// peek returns the value of a prop that stays where it is.
func peek(props *[]oscal.Property, get func(*bag) string) string {
	b := newBag(props)
	return get(&b)
}

// provider returns the UUID of the party that supplies a component, "" if that
// is not known.
func (m *importer) provider(c *oscal.SystemComponent) string {
	for _, r := range oscal.Items(c.ResponsibleRoles) {
		if uuids := oscal.Items(r.PartyUuids); r.RoleId == roleProvider && len(uuids) > 0 && m.party[uuids[0]] != nil {
			return uuids[0]
		}
	}
	uuid := peek(c.Props, func(b *bag) string { return b.core(propLeveragedUUID) })
	if l := m.granted[uuid]; l != nil && m.party[l.PartyUuid] != nil {
		return l.PartyUuid
	}
	return ""
}

func (m *importer) isSubcontract(c *oscal.SystemComponent) bool {
	return m.provider(c) != "" && peek(c.Props, func(b *bag) string { return b.own(oscal.PropSubprocessorOf, "") }) != ""
}

func (m *importer) isEngagement(c *oscal.SystemComponent) bool {
	return m.provider(c) != "" && !m.isSubcontract(c) &&
		peek(c.Props, func(b *bag) string { return b.core(propPoint) }) == pointExternal
}

// rest returns a pointer to what is left of an object, nil if nothing is.
func rest[T comparable](left T) *T {
	var zero T
	if left == zero {
		return nil
	}
	return &left
}

// vendors reads parties, those that vendors are and those of their contacts.
func (m *importer) vendors(parties []oscal.Party, components []oscal.SystemComponent) {
	provides := map[string]bool{}
	for i := range components {
		if c := &components[i]; m.isEngagement(c) || m.isSubcontract(c) {
			provides[m.provider(c)] = true
		}
	}
	for i := range parties {
		id := peek(parties[i].Props, func(b *bag) string { return b.own(oscal.PropID, classVendor) })
		if id != "" || provides[parties[i].UUID] {
			m.vendorID[parties[i].UUID] = orElse(id, parties[i].UUID)
		}
	}
	for i := range parties {
		if m.vendorID[parties[i].UUID] != "" {
			m.vendorAt[parties[i].UUID] = len(m.p.Vendors)
			m.p.Vendors = append(m.p.Vendors, m.vendor(parties[i]))
		}
	}
	for _, p := range parties {
		if p.Type != typePerson || m.vendorID[p.UUID] != "" {
			continue
		}
		for k, org := range oscal.Items(p.MemberOfOrganizations) {
			if i, ok := m.vendorAt[org]; ok {
				v := &m.p.Vendors[i]
				v.Contacts = append(v.Contacts, contactOf(v, p, k))
				break
			}
		}
	}
}

func (m *importer) vendor(p oscal.Party) Vendor {
	v := Vendor{ID: m.vendorID[p.UUID], LegalName: p.Name, ShortName: p.ShortName}
	if v.LegalName == "" { // OSCAL allows it, we do not
		v.LegalName = v.ID
	}
	for _, id := range oscal.Items(p.ExternalIds) {
		scheme := id.Scheme
		for name, uri := range schemeURIs {
			if uri == scheme {
				scheme = name
			}
		}
		v.Identifiers = append(v.Identifiers, Identifier{scheme, id.ID})
	}
	if orgs := oscal.Items(p.MemberOfOrganizations); len(orgs) > 0 && m.vendorID[orgs[0]] != "" {
		v.Parent = m.vendorID[orgs[0]]
		p.MemberOfOrganizations = oscal.List(orgs[1:]...)
	}
	props := newBag(p.Props)
	props.own(oscal.PropID, classVendor)
	p.Props = oscal.List(props...)
	p.Name, p.ShortName, p.ExternalIds = "", "", nil
	if p.Type == typeOrganization {
		p.Type = ""
	}
	if p.UUID == v.UUID() {
		p.UUID = ""
	}
	v.OSCAL = rest(p)
	return v
}

// contactOf reads a person who is a member of a vendor, which is the k-th of
// their organizations.
func contactOf(v *Vendor, p oscal.Party, k int) Contact {
	props := newBag(p.Props)
	c := Contact{Name: p.Name}
	c.ID = orElse(props.own(oscal.PropID, classContact), p.UUID)
	c.Role = props.own(oscal.PropContactRole, "")
	c.Name = orElse(c.Name, c.ID)
	if mails := oscal.Items(p.EmailAddresses); len(mails) > 0 {
		c.Email = mails[0]
		p.EmailAddresses = oscal.List(mails[1:]...)
	}
	if phones := oscal.Items(p.TelephoneNumbers); len(phones) > 0 && phones[0].Type == "" {
		c.Phone = phones[0].Number
		p.TelephoneNumbers = oscal.List(phones[1:]...)
		if given := peek(new([]oscal.Property(props)), func(b *bag) string { return b.own(oscal.PropTelephone, "") }); given != "" && telephone.Digits(given) == c.Phone {
			c.Phone = props.own(oscal.PropTelephone, "")
		}
	}
	p.Props = oscal.List(props...)
	p.MemberOfOrganizations = oscal.List(slices.Delete(slices.Clone(oscal.Items(p.MemberOfOrganizations)), k, k+1)...)
	p.Name, p.Type = "", ""
	if p.UUID == c.uuid(v) {
		p.UUID = ""
	}
	c.OSCAL = rest(p)
	return c
}

// vendorOf returns the vendor that a provider is; all providers are vendors.
func (m *importer) vendorOf(party string) *Vendor { return &m.p.Vendors[m.vendorAt[party]] }

// unprovided takes the provider out of the roles.
func unprovided(roles *[]oscal.ResponsibleRole, uuid string) *[]oscal.ResponsibleRole {
	list := slices.Clone(oscal.Items(roles))
	for i, r := range list {
		uuids := oscal.Items(r.PartyUuids)
		if r.RoleId != roleProvider || len(uuids) == 0 || uuids[0] != uuid {
			continue
		}
		r.PartyUuids = oscal.List(uuids[1:]...)
		list[i] = r
		if r.PartyUuids == nil && r.Links == nil && r.Props == nil && r.Remarks == "" {
			list = slices.Delete(list, i, i+1)
		}
		break
	}
	return oscal.List(list...)
}

func (m *importer) engagement(c *oscal.SystemComponent, pointer string) {
	left := *c
	provider := m.provider(c)
	v := m.vendorOf(provider)
	props := newBag(c.Props)
	e := Engagement{Vendor: v.ID, Service: c.Title, Description: c.Description, Type: c.Type}
	e.ID = orElse(props.own(oscal.PropID, classEngagement), c.UUID)
	if e.Description == e.described(v) {
		e.Description = ""
	}
	if e.Type == typeService {
		e.Type = ""
	}
	props.core(propPoint)
	props.own(oscal.PropVendorTier, "")
	e.Owner = props.own(oscal.PropOwner, "")
	for {
		s, ok := props.take(oscal.Namespace, oscal.PropSupports, "")
		if !ok {
			break
		}
		e.Supports = append(e.Supports, s)
	}
	m.read(&props, oscal.PropState, "", pointer, e.ID, func(s string) error { return e.Status.UnmarshalText([]byte(s)) })
	for _, s := range []Status{Active, Exiting, DueDiligence, Suspended} { // by others: the state that goes back into the same
		if e.Status == 0 && componentStates[s] == c.Status.State {
			e.Status = s
		}
	}
	if e.Status == 0 {
		e.Status = Proposed
	}
	m.read(&props, oscal.PropRequested, "", pointer, e.ID, readDate(&e.Requested))
	m.read(&props, oscal.PropExitPlanTested, "", pointer, e.ID, readDate(&e.ExitPlanTested))
	m.exposure(&e, &props, pointer)
	m.contract(&e, &props, pointer)
	m.authorization(&e, &props, provider, pointer)

	left.Props = oscal.List(props...)
	left.Links = oscal.List(slices.DeleteFunc(slices.Clone(oscal.Items(c.Links)), func(l oscal.Link) bool {
		return m.resources[strings.TrimPrefix(l.Href, "#")] && slices.Contains([]string{relAgreement, relISA, relEvidence}, l.Rel)
	})...)
	left.ResponsibleRoles = unprovided(c.ResponsibleRoles, provider)
	left.Title, left.Description, left.Type, left.Status.State = "", "", "", ""
	if left.UUID == e.UUID() {
		left.UUID = ""
	}
	e.OSCAL = rest(left)
	m.p.Engagements = append(m.p.Engagements, e)
}

// read takes a prop and reads its value; one that cannot be read stays, and is
// a problem.
func (m *importer) read(props *bag, name, class, pointer, id string, read func(string) error) {
	value := peek(new([]oscal.Property(*props)), func(b *bag) string { return b.own(name, class) })
	if value == "" {
		return
	}
	if err := read(value); err != nil {
		m.problems = append(m.problems, &Problem{Pointer: pointer, ID: id, Err: fmt.Errorf("prop %s %s: %w", name, class, err)})
		return
	}
	props.own(name, class)
}

func readDate(d *Date) func(string) error {
	return func(s string) (err error) {
		*d, err = ParseDate(s)
		return err
	}
}

func (m *importer) exposure(e *Engagement, props *bag, pointer string) {
	x := &e.Exposure
	read := func(factor string, f func(string) error) {
		m.read(props, oscal.PropVendorExposure, factor, pointer, e.ID, f)
	}
	number := func(max int64, set func(int64)) func(string) error {
		return func(s string) error {
			n, err := strconv.ParseInt(s, 10, 64)
			if err != nil || n < 0 || n > max {
				return fmt.Errorf("%w: expected a number from 0 to %d, found %q", ErrValue, max, s)
			}
			set(n)
			return nil
		}
	}
	const most = 1<<63 - 1
	read("function", number(4, func(n int64) { x.Function = new(int(n)) }))
	read("records", number(most, func(n int64) { x.Records = &n }))
	read("spend", func(s string) error {
		minor, currency, _ := strings.Cut(s, " ")
		money := Money{Currency: currency}
		if !money.valid() {
			return fmt.Errorf("%w: expected minor units and a currency, found %q", ErrValue, s)
		}
		return number(most, func(n int64) { money.Minor = n; x.Spend = &money })(minor)
	})
	x.Data = props.own(oscal.PropVendorExposure, "data")
	x.Substitutability = props.own(oscal.PropVendorExposure, "substitutability")
	for _, f := range accessFactors {
		read(f, func(s string) error {
			granted, err := strconv.ParseBool(s)
			if err != nil {
				return fmt.Errorf("%w: expected true or false, found %q", ErrValue, s)
			}
			if x.Access == nil {
				x.Access = &Access{}
			}
			switch f {
			case "access.network":
				x.Access.Network = granted
			case "access.privileged":
				x.Access.Privileged = granted
			case "access.physical":
				x.Access.Physical = granted
			case "access.sourceCode":
				x.Access.SourceCode = granted
			}
			return nil
		})
	}
	for {
		kind, ok := props.take(oscal.Namespace, oscal.PropVendorExposure, "regulated")
		if !ok {
			break
		}
		if x.Regulated == nil {
			x.Regulated = DataKinds{}
		}
		if kind != noneRegulated {
			x.Regulated = append(x.Regulated, kind)
		}
	}
}

// contract reads what a component says of its contract; the resource, if there
// is one, has said all of it already.
func (m *importer) contract(e *Engagement, props *bag, pointer string) {
	e.Contract = props.own(oscal.PropContract, "")
	var c Contract
	m.read(props, oscal.PropContractStart, "", pointer, e.ID, readDate(&c.Start))
	m.read(props, oscal.PropContractEnd, "", pointer, e.ID, readDate(&c.End))
	if e.Contract == "" {
		return
	}
	i, known := m.contracts[e.Contract]
	if !known {
		m.contracts[e.Contract] = len(m.p.Contracts)
		c.ID, c.Engagements = e.Contract, []string{e.ID}
		m.p.Contracts = append(m.p.Contracts, c)
		return
	}
	if k := &m.p.Contracts[i]; k.Engagements != nil && !slices.Contains(k.Engagements, e.ID) {
		k.Engagements = append(k.Engagements, e.ID)
	}
}

func (m *importer) authorization(e *Engagement, props *bag, provider, pointer string) {
	l := m.granted[peek(new([]oscal.Property(*props)), func(b *bag) string { return b.core(propLeveragedUUID) })]
	if l == nil {
		return
	}
	// A date with a zone, which OSCAL allows, is kept beside as it is.
	date, err := ParseDate(l.DateAuthorized[:min(len(l.DateAuthorized), len("2006-01-02"))])
	if err != nil {
		m.problems.add(pointer, e.ID, ErrValue, "leveraged-authorization %s: expected a date, found %q", l.UUID, l.DateAuthorized)
		return
	}
	props.core(propLeveragedUUID)
	a := Authorization{Title: l.Title, Date: date}
	e.Authorization = &a
	left := *l
	left.Title = ""
	if left.DateAuthorized == date.String() {
		left.DateAuthorized = ""
	}
	if left.PartyUuid == provider {
		left.PartyUuid = ""
	}
	if left.UUID == e.authorizationUUID() {
		left.UUID = ""
	}
	a.OSCAL = rest(left)
}

func (m *importer) subcontracts(components []oscal.SystemComponent) {
	at := index(m.p.Engagements, func(e *Engagement) string { return e.ID })
	for i := range components {
		c := &components[i]
		if !m.isSubcontract(c) {
			continue
		}
		provider := m.provider(c)
		v := m.vendorOf(provider)
		props := newBag(c.Props)
		of := props.own(oscal.PropSubprocessorOf, "")
		k, ok := at[of]
		if !ok {
			m.problems.add(pointerTo(i), of, ErrReference, "a subcontract of the engagement %q, which is not there", of)
			continue
		}
		e := &m.p.Engagements[k]
		s := Subcontract{Vendor: v.ID, Customer: props.own(oscal.PropCustomer, ""), Service: c.Title}
		if s.Service == s.titled(v) {
			s.Service = ""
		}
		if peek(new([]oscal.Property(props)), func(b *bag) string { return b.core(propPoint) }) == pointExternal {
			props.core(propPoint)
		}
		left := *c
		left.Props = oscal.List(props...)
		left.Links = without(c.Links, oscal.Link{Rel: relUsedBy, Href: "#" + e.UUID()})
		left.ResponsibleRoles = unprovided(c.ResponsibleRoles, provider)
		left.Title = ""
		if left.Description == s.described(e, v) {
			left.Description = ""
		}
		if left.Type == typeService {
			left.Type = ""
		}
		if left.Status.State == componentStates[e.Status] {
			left.Status.State = ""
		}
		e.Subcontracts = append(e.Subcontracts, s)
		last := len(e.Subcontracts) - 1
		if left.UUID == e.subcontractUUID(last) {
			left.UUID = ""
		}
		e.Subcontracts[last].OSCAL = rest(left)
		e.undepend(c.UUID)
	}
}

// undepend takes links of an engagement to a subcontract, whether written as a
// reference or as the bare UUID that OSCAL's constraint wants, out of what the
// component has beside: the link of the subcontract to it says the same.
func (e *Engagement) undepend(uuid string) {
	if e.OSCAL == nil {
		return
	}
	left := *e.OSCAL
	left.Links = without(left.Links, oscal.Link{Rel: relDependsOn, Href: "#" + uuid}, oscal.Link{Rel: relDependsOn, Href: uuid})
	e.OSCAL = rest(left)
}

// without returns a list without some items.
func without[T comparable](list *[]T, items ...T) *[]T {
	return oscal.List(slices.DeleteFunc(slices.Clone(oscal.Items(list)), func(x T) bool { return slices.Contains(items, x) })...)
}

// resource reads the resources that ToOSCAL writes.
func (m *importer) resource(r *oscal.Resource, pointer string) {
	for _, class := range []string{classContract, classDocument, classPortfolio} {
		id := peek(r.Props, func(b *bag) string { return b.own(oscal.PropID, class) })
		if id == "" || r.UUID != oscal.UUID(class, id) {
			continue
		}
		m.resources[r.UUID] = true
		if class != classPortfolio || r.Base64 == nil {
			continue
		}
		var p Portfolio
		if err := decodeCarrier(r.Base64.Value, &p); err != nil {
			m.problems.add(pointer+"/base64/value", id, ErrSyntax, "%v", err)
			continue
		}
		p.Vendors, p.Engagements = nil, nil
		*m.p = p
	}
}

func decodeCarrier(text string, p *Portfolio) error {
	if len(text) > maxCarrier {
		return fmt.Errorf("more than %d characters", maxCarrier)
	}
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	return d.Decode(p)
}
