package vendors

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/issokit/issokit/internal/telephone"
	"github.com/issokit/issokit/oscal"
)

// OSCALOptions configure [ToOSCAL]; nil means the defaults.
type OSCALOptions struct {
	Policy Policy
	// InUse leaves out engagements that are not active, suspended or exiting, and
	// vendors that nothing in use names. Default: all.
	InUse bool
	// Resources adds back-matter resources for contracts and documents, links to
	// them, and one that holds what OSCAL has no place for (contracts, documents,
	// assessments, signals, duties) as JSON. Default: parties and components alone,
	// which say of a contract its ID and dates.
	Resources bool
}

// A Projection is a portfolio as parts of a system security plan.
type Projection struct {
	Roles                   []oscal.Role                   // provider, to which components refer
	Parties                 []oscal.Party                  // vendors, each followed by its contacts
	Components              []oscal.SystemComponent        // engagements, each followed by its subcontracts
	LeveragedAuthorizations []oscal.LeveragedAuthorization // of the engagements that have one
	Resources               []oscal.Resource               // see [OSCALOptions]
}

const (
	coreNamespace = "http://csrc.nist.gov/ns/oscal"
	roleProvider  = "provider"
	noneRegulated = "none" // value of the prop for an exposure without regulated data

	propType           = "type"
	propPoint          = "implementation-point"
	propLeveragedUUID  = "leveraged-authorization-uuid"
	pointExternal      = "external"
	relUsedBy          = "used-by"
	relDependsOn       = "depends-on" // of others; see [exporter.subcontract]
	relAgreement       = "agreement"
	relEvidence        = "proof-of-compliance"
	relISA             = "isa-agreement" // agreement of an interconnection
	typeOrganization   = "organization"
	typePerson         = "person"
	typeService        = "service"
	classVendor        = "vendor"
	classContact       = "contact"
	classEngagement    = "engagement"
	classSubcontract   = "subcontract"
	classContract      = "contract"
	classDocument      = "document"
	classPortfolio     = "portfolio"
	carrierMediaType   = "application/json"
	carrierFile        = "vendors.json"
	carrierDescription = "What is known about vendors and has no place of its own in OSCAL."
)

// schemeURIs name the schemes of identifiers: LEI and D-U-N-S by their ISO 6523
// codes (0199 and 0060), the others in the project's namespace.
var schemeURIs = map[string]string{
	"lei":  "urn:oasis:names:tc:ebcore:partyid-type:iso6523:0199",
	"duns": "urn:oasis:names:tc:ebcore:partyid-type:iso6523:0060",
	"euid": oscal.Namespace + "/identifier/euid",
	"uei":  oscal.Namespace + "/identifier/uei",
	"vat":  oscal.Namespace + "/identifier/vat",
}

// componentStates say which state of an OSCAL component an engagement has.
var componentStates = map[Status]string{
	Proposed:     "under-development",
	DueDiligence: "under-development",
	Approved:     "under-development",
	Conditional:  "under-development",
	Rejected:     "other",
	Active:       "operational",
	Suspended:    "other",
	Exiting:      "disposition",
	Terminated:   "disposition",
}

// UUID returns the UUID of the vendor's party in OSCAL documents: that of the
// party it was read from, else one derived from its ID.
func (v Vendor) UUID() string {
	if v.OSCAL != nil && v.OSCAL.UUID != "" {
		return v.OSCAL.UUID
	}
	return uuidOf(v.ID, classVendor)
}

// UUID returns the UUID of the engagement's component in OSCAL documents: that
// of the component it was read from, else one derived from its ID.
func (e Engagement) UUID() string {
	if e.OSCAL != nil && e.OSCAL.UUID != "" {
		return e.OSCAL.UUID
	}
	return uuidOf(e.ID, classEngagement)
}

// uuidOf returns an ID that is a UUID as it is, and derives one from others.
func uuidOf(id string, parts ...string) string {
	if oscal.TypeUUID.Valid(id) {
		return id
	}
	return oscal.UUID(append(parts, id)...)
}

// ToOSCAL carries a portfolio into parts of a system security plan:
//
//   - a vendor is a party of type organization, its contacts are persons who are
//     members of it, its identifiers external-ids;
//   - an engagement is a component whose provider is the vendor's party, with its
//     tier, exposure, contract and state as props of [oscal.Namespace];
//   - a subcontract is a component that is used by that of the engagement (link
//     used-by);
//   - an authorization is a leveraged-authorization.
//
// UUIDs are derived from IDs, so that the same portfolio gives the same parts.
// The error is a [Problems] of [Portfolio.Check], or of [Portfolio.Tiers] for
// exposures that have no tier.
func ToOSCAL(p *Portfolio, opts *OSCALOptions) (Projection, error) {
	var o OSCALOptions
	if opts != nil {
		o = *opts
	}
	if err := p.Check(); err != nil {
		return Projection{}, err
	}
	tierings, err := p.Tiers(&o.Policy)
	if err != nil {
		return Projection{}, err
	}
	x := exporter{p: p, book: p.book(), opts: o, vendors: index(p.Vendors, func(v *Vendor) string { return v.ID })}
	out := Projection{Roles: []oscal.Role{{ID: roleProvider, Title: "Provider"}}}
	used := map[string]bool{}
	for i := range p.Engagements {
		e := &p.Engagements[i]
		if o.InUse && !e.Status.live() {
			continue
		}
		used[e.Vendor] = true
		out.Components = append(out.Components, x.component(e, tierings[i]))
		for k := range e.Subcontracts {
			used[e.Subcontracts[k].Vendor], used[e.Subcontracts[k].Customer] = true, true
			out.Components = append(out.Components, x.subcontract(e, k))
		}
		if e.Authorization != nil {
			la := x.authorization(e)
			if !slices.ContainsFunc(out.LeveragedAuthorizations, func(o oscal.LeveragedAuthorization) bool { return o.UUID == la.UUID }) {
				out.LeveragedAuthorizations = append(out.LeveragedAuthorizations, la)
			}
		}
	}
	for i := range p.Vendors { // a vendor in use needs those who own it
		if used[p.Vendors[i].ID] {
			for at := i; ; {
				next, ok := x.vendors[p.Vendors[at].Parent]
				if !ok || used[p.Vendors[next].ID] {
					break
				}
				at = next
				used[p.Vendors[at].ID] = true
			}
		}
	}
	for i := range p.Vendors {
		if v := &p.Vendors[i]; !o.InUse || used[v.ID] {
			out.Parties = append(out.Parties, x.party(v))
			for k := range v.Contacts {
				out.Parties = append(out.Parties, x.contact(v, &v.Contacts[k]))
			}
		}
	}
	if o.Resources {
		out.Resources, err = x.resources()
	}
	return out, err
}

type exporter struct {
	book
	p       *Portfolio
	opts    OSCALOptions
	vendors map[string]int
}

// own returns a prop of the project's namespace.
func own(name, class, value string) oscal.Property {
	return oscal.Property{Ns: oscal.Namespace, Name: name, Class: class, Value: value}
}

// base returns a copy of what an object had beside, or an empty one.
func base[T any](rest *T) T {
	if rest == nil {
		var zero T
		return zero
	}
	return *rest
}

// before returns a list with items in front.
func before[T any](list *[]T, items ...T) *[]T {
	return oscal.List(slices.Concat(items, oscal.Items(list))...)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func (x *exporter) vendorUUID(id string) string { return x.p.Vendors[x.vendors[id]].UUID() }

func (x *exporter) party(v *Vendor) oscal.Party {
	out := base(v.OSCAL)
	out.UUID, out.Type = v.UUID(), orElse(out.Type, typeOrganization)
	out.Name, out.ShortName = v.LegalName, v.ShortName
	out.Props = before(out.Props, own(oscal.PropID, classVendor, v.ID))
	ids := make([]oscal.PartyExternalIdentifier, len(v.Identifiers))
	for i, id := range v.Identifiers {
		ids[i] = oscal.PartyExternalIdentifier{ID: id.Value, Scheme: orElse(schemeURIs[id.Scheme], id.Scheme)}
	}
	out.ExternalIds = oscal.List(ids...)
	if v.Parent != "" {
		out.MemberOfOrganizations = before(out.MemberOfOrganizations, x.vendorUUID(v.Parent))
	}
	return out
}

func (c *Contact) uuid(v *Vendor) string {
	if c.OSCAL != nil && c.OSCAL.UUID != "" {
		return c.OSCAL.UUID
	}
	return uuidOf(c.ID, classVendor, v.ID, classContact)
}

func (x *exporter) contact(v *Vendor, c *Contact) oscal.Party {
	out := base(c.OSCAL)
	out.UUID, out.Type, out.Name = c.uuid(v), typePerson, c.Name
	props := []oscal.Property{own(oscal.PropID, classContact, c.ID)}
	if c.Role != "" {
		props = append(props, own(oscal.PropContactRole, "", c.Role))
	}
	digits := telephone.Digits(c.Phone)
	if digits != c.Phone {
		props = append(props, own(oscal.PropTelephone, "", c.Phone))
	}
	out.Props = before(out.Props, props...)
	if c.Email != "" {
		out.EmailAddresses = before(out.EmailAddresses, c.Email)
	}
	if c.Phone != "" {
		out.TelephoneNumbers = before(out.TelephoneNumbers, oscal.TelephoneNumber{Number: digits})
	}
	out.MemberOfOrganizations = before(out.MemberOfOrganizations, v.UUID())
	return out
}

// described is what stands for the description of an engagement without one,
// which OSCAL requires.
func (e *Engagement) described(v *Vendor) string {
	return fmt.Sprintf("%s supplied by %s.", e.Service, v.LegalName)
}

func (x *exporter) component(e *Engagement, t Tiering) oscal.SystemComponent {
	v := &x.p.Vendors[x.vendors[e.Vendor]]
	out := base(e.OSCAL)
	out.UUID, out.Type, out.Title = e.UUID(), orElse(e.Type, typeService), e.Service
	out.Description = orElse(e.Description, e.described(v))
	out.Status.State = componentStates[e.Status]

	props := []oscal.Property{{Name: propPoint, Value: pointExternal}}
	add := func(name, class, value string) {
		if value != "" {
			props = append(props, own(name, class, value))
		}
	}
	if e.Authorization != nil {
		props = append(props, oscal.Property{Name: propLeveragedUUID, Value: e.authorizationUUID()})
	}
	add(oscal.PropID, classEngagement, e.ID)
	add(oscal.PropState, "", e.Status.String())
	props = append(props, oscal.Property{
		Ns: oscal.Namespace, Name: oscal.PropVendorTier, Value: strconv.Itoa(int(t.Tier)),
		Remarks: strings.Join(t.Explain(), "\n\n"),
	})
	for _, f := range e.Exposure.stated() {
		add(oscal.PropVendorExposure, f[0], f[1])
	}
	for _, s := range e.Supports {
		add(oscal.PropSupports, "", s)
	}
	add(oscal.PropOwner, "", e.Owner)
	add(oscal.PropRequested, "", dateText(e.Requested))
	add(oscal.PropExitPlanTested, "", dateText(e.ExitPlanTested))
	if c := x.contracts[e.Contract]; c != nil {
		add(oscal.PropContract, "", c.ID)
		add(oscal.PropContractStart, "", dateText(c.Start))
		add(oscal.PropContractEnd, "", dateText(c.lastDay()))
	}
	out.Props = before(out.Props, props...)

	var links []oscal.Link
	if x.opts.Resources {
		if c := x.contracts[e.Contract]; c != nil {
			rel := relAgreement
			if e.Type == "interconnection" {
				rel = relISA
			}
			links = append(links, oscal.Link{Rel: rel, Href: "#" + oscal.UUID(classContract, c.ID)})
		}
		for _, d := range x.documents[e.ID] {
			links = append(links, oscal.Link{Rel: relEvidence, Href: "#" + oscal.UUID(classDocument, d.ID)})
		}
	}
	out.Links = before(out.Links, links...)
	out.ResponsibleRoles = provided(out.ResponsibleRoles, v.UUID())
	return out
}

// provided names the provider among the roles: in the role provider, if there is
// one beside, else in a new one.
func provided(roles *[]oscal.ResponsibleRole, uuid string) *[]oscal.ResponsibleRole {
	list := slices.Clone(oscal.Items(roles))
	for i, r := range list {
		if r.RoleId == roleProvider {
			list[i].PartyUuids = before(r.PartyUuids, uuid)
			return &list
		}
	}
	return before(roles, oscal.ResponsibleRole{RoleId: roleProvider, PartyUuids: oscal.List(uuid)})
}

func dateText(d Date) string {
	if d.IsZero() {
		return ""
	}
	return d.String()
}

// lastDay returns the last day of the contract as it stands written.
func (c *Contract) lastDay() Date {
	if c.Terminated.IsZero() {
		return c.End
	}
	return c.Terminated
}

// stated returns the factors that the exposure states with their values, in a
// fixed order.
func (e *Exposure) stated() [][2]string {
	var out [][2]string
	add := func(factor, value string) { out = append(out, [2]string{factor, value}) }
	if e.Function != nil {
		add("function", strconv.Itoa(*e.Function))
	}
	if e.Data != "" {
		add("data", e.Data)
	}
	if e.Records != nil {
		add("records", strconv.FormatInt(*e.Records, 10))
	}
	if e.Access != nil {
		for _, f := range accessFactors {
			add(f, strconv.FormatBool(fieldOf[f].flag(e.Access)))
		}
	}
	if e.Substitutability != "" {
		add("substitutability", e.Substitutability)
	}
	for _, r := range e.Regulated {
		add("regulated", r)
	}
	if e.Regulated != nil && len(e.Regulated) == 0 {
		add("regulated", noneRegulated)
	}
	if e.Spend != nil {
		add("spend", fmt.Sprintf("%d %s", e.Spend.Minor, e.Spend.Currency))
	}
	return out
}

var accessFactors = []string{"access.network", "access.privileged", "access.physical", "access.sourceCode"}

func (e *Engagement) subcontractUUID(k int) string {
	s := &e.Subcontracts[k]
	if s.OSCAL != nil && s.OSCAL.UUID != "" {
		return s.OSCAL.UUID
	}
	return oscal.UUID(classEngagement, e.ID, classSubcontract, s.Vendor, s.Customer, s.Service)
}

// titled and described are what stands for a subcontract without words of its
// own, which OSCAL requires.
func (s *Subcontract) titled(v *Vendor) string { return "Service of " + v.LegalName }

func (s *Subcontract) described(e *Engagement, v *Vendor) string {
	return fmt.Sprintf("Supplied by %s for the engagement %s.", v.LegalName, e.ID)
}

// subcontract writes the component of a subcontract, with a link used-by to that
// of the engagement: "this service is used by the referenced component", as
// OSCAL says of service components. The link depends-on in the other direction
// says the same, but not in a valid plan: the constraint
// oscal-system-implementation-component-depends-on-link-index compares the whole
// href with UUIDs, which a reference into the document, #uuid, never equals; and
// so does the one on uses-service. provided-by would say that the subcontractor
// supplies the service of the engagement itself.
func (x *exporter) subcontract(e *Engagement, k int) oscal.SystemComponent {
	s := &e.Subcontracts[k]
	v := &x.p.Vendors[x.vendors[s.Vendor]]
	out := base(s.OSCAL)
	out.UUID, out.Type = e.subcontractUUID(k), orElse(out.Type, typeService)
	out.Title = orElse(s.Service, s.titled(v))
	out.Description = orElse(out.Description, s.described(e, v))
	out.Status.State = orElse(out.Status.State, componentStates[e.Status])
	props := []oscal.Property{{Name: propPoint, Value: pointExternal}, own(oscal.PropSubprocessorOf, "", e.ID)}
	if s.Customer != "" {
		props = append(props, own(oscal.PropCustomer, "", s.Customer))
	}
	out.Props = before(out.Props, props...)
	out.Links = before(out.Links, oscal.Link{Rel: relUsedBy, Href: "#" + e.UUID()})
	out.ResponsibleRoles = provided(out.ResponsibleRoles, v.UUID())
	return out
}

func (e *Engagement) authorizationUUID() string {
	if a := e.Authorization; a.OSCAL != nil && a.OSCAL.UUID != "" {
		return a.OSCAL.UUID
	}
	return oscal.UUID(classEngagement, e.ID, "authorization")
}

func (x *exporter) authorization(e *Engagement) oscal.LeveragedAuthorization {
	out := base(e.Authorization.OSCAL)
	out.UUID, out.Title = e.authorizationUUID(), e.Authorization.Title
	out.PartyUuid = orElse(out.PartyUuid, x.vendorUUID(e.Vendor))
	out.DateAuthorized = orElse(out.DateAuthorized, e.Authorization.Date.String())
	return out
}

func (x *exporter) resources() ([]oscal.Resource, error) {
	var out []oscal.Resource
	add := func(kind, class, id, title, href, digest string, props ...oscal.Property) {
		r := oscal.Resource{UUID: oscal.UUID(class, id), Title: orElse(title, id)}
		r.Props = oscal.List(slices.Concat([]oscal.Property{{Name: propType, Value: kind}, own(oscal.PropID, class, id)}, props)...)
		switch {
		case href != "":
			link := oscal.ResourceLink{Href: href}
			if digest != "" {
				link.Hashes = oscal.List(oscal.Hash{Algorithm: "SHA-256", Value: digest})
			}
			r.Rlinks = oscal.List(link)
		case class != classPortfolio: // a resource should lead to something: to what is known of it
			r.Rlinks = oscal.List(oscal.ResourceLink{Href: "#" + oscal.UUID(classPortfolio, classPortfolio)})
		}
		out = append(out, r)
	}
	for _, c := range x.p.Contracts {
		var props []oscal.Property
		for _, d := range []struct {
			name string
			date Date
		}{{oscal.PropContractStart, c.Start}, {oscal.PropContractEnd, c.lastDay()}} {
			if !d.date.IsZero() {
				props = append(props, own(d.name, "", d.date.String()))
			}
		}
		add("agreement", classContract, c.ID, c.Title, c.Href, c.Digest, props...)
	}
	for _, d := range x.p.Documents {
		add("report", classDocument, d.ID, d.Title, d.Href, d.Digest)
	}
	rest := *x.p
	rest.Vendors, rest.Engagements = nil, nil
	data, err := json.Marshal(&rest)
	if err != nil {
		return nil, fmt.Errorf("vendors: %w", err)
	}
	add("artifact", classPortfolio, classPortfolio, "Vendor portfolio", "", "")
	carrier := &out[len(out)-1]
	carrier.Description = carrierDescription
	carrier.Base64 = &oscal.Base64{Filename: carrierFile, MediaType: carrierMediaType, Value: base64.StdEncoding.EncodeToString(data)}
	return out, nil
}

// AddTo puts the parts into a system security plan: a role, party, component,
// authorization or resource that is there already, by its ID or UUID, is
// replaced at its place, others come at the end. Lists of the plan are not
// written into, but replaced.
func (pr Projection) AddTo(ssp *oscal.SystemSecurityPlan) {
	ssp.Metadata.Roles = put(ssp.Metadata.Roles, pr.Roles, func(r *oscal.Role) string { return r.ID })
	ssp.Metadata.Parties = put(ssp.Metadata.Parties, pr.Parties, func(p *oscal.Party) string { return p.UUID })
	si := &ssp.SystemImplementation
	si.Components = oscal.Items(put(&si.Components, pr.Components, func(c *oscal.SystemComponent) string { return c.UUID }))
	si.LeveragedAuthorizations = put(si.LeveragedAuthorizations, pr.LeveragedAuthorizations, func(l *oscal.LeveragedAuthorization) string { return l.UUID })
	if len(pr.Resources) > 0 {
		back := base(ssp.BackMatter)
		back.Resources = put(back.Resources, pr.Resources, func(r *oscal.Resource) string { return r.UUID })
		ssp.BackMatter = &back
	}
}

func put[T any](list *[]T, items []T, key func(*T) string) *[]T {
	out := slices.Clone(oscal.Items(list))
	at := index(out, key)
	for i := range items {
		if j, ok := at[key(&items[i])]; ok {
			out[j] = items[i]
		} else {
			out = append(out, items[i])
		}
	}
	return oscal.List(out...)
}
