package vendors

import (
	"fmt"
	"iter"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/issokit/issokit/oscal"
)

// A Portfolio is all that is known about third parties. It can be decoded from
// YAML or JSON; [Portfolio.Check] tells what is wrong with it.
type Portfolio struct {
	Vendors     []Vendor     `json:"vendors,omitzero" yaml:"vendors,omitempty"`
	Engagements []Engagement `json:"engagements,omitzero" yaml:"engagements,omitempty"`
	Contracts   []Contract   `json:"contracts,omitzero" yaml:"contracts,omitempty"`
	Documents   []Document   `json:"documents,omitzero" yaml:"documents,omitempty"`
	Assessments []Assessment `json:"assessments,omitzero" yaml:"assessments,omitempty"`
	Signals     []Signal     `json:"signals,omitzero" yaml:"signals,omitempty"`
	Duties      []Duty       `json:"duties,omitzero" yaml:"duties,omitempty"` // our own duties to tell others of incidents
}

// Check returns all problems of the portfolio as a [Problems], in the order of
// the fields of [Portfolio] and of their items: what is missing, stands twice,
// refers to nothing, or is no valid value. It returns nil if there are none.
// Levels of exposures are checked by [Scheme.Tier], whose scheme knows them.
func (p *Portfolio) Check() error {
	c := checker{
		vendors:     index(p.Vendors, func(v *Vendor) string { return v.ID }),
		engagements: index(p.Engagements, func(e *Engagement) string { return e.ID }),
		contracts:   index(p.Contracts, func(k *Contract) string { return k.ID }),
	}
	for i := range p.Vendors {
		c.vendor(p, i)
	}
	for i := range p.Engagements {
		c.engagement(p, i)
	}
	for i := range p.Contracts {
		c.contract(p, i)
	}
	documents := index(p.Documents, func(d *Document) string { return d.ID })
	for i := range p.Documents {
		c.document(&p.Documents[i], i, documents)
	}
	assessments := index(p.Assessments, func(a *Assessment) string { return a.ID })
	for i := range p.Assessments {
		c.assessment(&p.Assessments[i], i, assessments)
	}
	for i := range p.Signals {
		s := &p.Signals[i]
		c.in(fmt.Sprintf("/signals/%d", i), "")
		c.refer("/vendor", s.Vendor, c.vendors, true)
		c.text("/source", s.Source)
		c.text("/kind", s.Kind)
		c.enum("/severity", int(s.Severity), severityNames, true)
		if s.Observed.IsZero() {
			c.missing("/observed")
		}
	}
	duties := index(p.Duties, func(d *Duty) string { return d.ID })
	for i := range p.Duties {
		d := &p.Duties[i]
		c.in(fmt.Sprintf("/duties/%d", i), d.ID)
		c.id(d.ID, i, duties)
		c.span("/within", d.Within, true)
	}
	return c.problems.err()
}

// index returns the place of the first entity of each ID.
func index[T any](items []T, id func(*T) string) map[string]int {
	m := make(map[string]int, len(items))
	for i := range items {
		k := id(&items[i])
		if _, ok := m[k]; !ok && k != "" {
			m[k] = i
		}
	}
	return m
}

// A checker collects the problems of one entity after the other.
type checker struct {
	vendors, engagements, contracts map[string]int

	problems Problems
	base, at string // pointer and ID of the entity in hand
}

func (c *checker) in(base, id string) { c.base, c.at = base, id }

func (c *checker) add(pointer string, kind error, format string, args ...any) {
	c.problems.add(c.base+pointer, c.at, kind, format, args...)
}

func (c *checker) missing(pointer string) {
	c.add(pointer, ErrMissing, "%s", pointer[strings.LastIndexByte(pointer, '/')+1:])
}

// text checks a text that must be there and can stand in an OSCAL string.
func (c *checker) text(pointer, s string) {
	if s == "" {
		c.missing(pointer)
		return
	}
	c.plain(pointer, s)
}

// plain checks that a text, if there is one, can stand in an OSCAL string.
func (c *checker) plain(pointer, s string) {
	if strings.TrimSpace(s) != s || strings.ContainsFunc(s, unicode.IsControl) {
		c.add(pointer, ErrValue, "expected a text without control characters or spaces around it, found %q", s)
	}
}

func (c *checker) texts(pointer string, list []string) {
	for i, s := range list {
		c.text(fmt.Sprintf("%s/%d", pointer, i), s)
		if slices.Contains(list[:i], s) {
			c.add(fmt.Sprintf("%s/%d", pointer, i), ErrDuplicate, "%q", s)
		}
	}
}

// id checks the ID of the i-th entity of its kind.
func (c *checker) id(id string, i int, known map[string]int) {
	c.text("/id", id)
	if j, ok := known[id]; ok && j != i {
		c.add("/id", ErrDuplicate, "%q is also the ID of item %d", id, j)
	}
}

func (c *checker) refer(pointer, id string, known map[string]int, required bool) {
	if id == "" {
		if required {
			c.missing(pointer)
		}
		return
	}
	if _, ok := known[id]; !ok {
		c.add(pointer, ErrReference, "there is no %q", id)
	}
}

func (c *checker) date(pointer string, d Date, required bool) {
	switch {
	case d.IsZero() && required:
		c.missing(pointer)
	case !d.IsZero() && !d.valid():
		c.add(pointer, ErrValue, "no such day: %s", d)
	}
}

func (c *checker) order(pointer string, from, to Date, what string) {
	if !from.IsZero() && !to.IsZero() && to.Compare(from) < 0 {
		c.add(pointer, ErrValue, "expected a day not before %s, %s, found %s", what, from, to)
	}
}

func (c *checker) span(pointer string, s Span, required bool) {
	switch {
	case s.IsZero() && required:
		c.missing(pointer)
	case !s.IsZero() && !s.valid():
		c.add(pointer, ErrValue, "no such span: %s", s)
	}
}

func (c *checker) calendar(pointer string, s Span) {
	c.span(pointer, s, false)
	if s.valid() && (s.Unit == Hours || s.Unit == BusinessDays || s.Amount == 0) {
		c.add(pointer, ErrValue, "expected days, months or years, found %s", s)
	}
}

func (c *checker) enum(pointer string, i int, known names, required bool) {
	switch {
	case i == 0 && required:
		c.missing(pointer)
	case i < 0 || i > len(known):
		c.add(pointer, ErrValue, "expected one of %s, found %d", strings.Join(known, ", "), i)
	}
}

func (c *checker) href(pointer, s string) {
	if s != "" && !oscal.TypeURIReference.Valid(s) {
		c.add(pointer, ErrValue, "expected %s, found %q", oscal.TypeURIReference.Form(), s)
	}
}

func (c *checker) digest(pointer, s string) {
	if s != "" && (len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "") {
		c.add(pointer, ErrValue, "expected the 64 lower-case hexadecimal digits of a SHA-256, found %q", s)
	}
}

func (c *checker) vendor(p *Portfolio, i int) {
	v := &p.Vendors[i]
	c.in(fmt.Sprintf("/vendors/%d", i), v.ID)
	c.id(v.ID, i, c.vendors)
	c.text("/legal-name", v.LegalName)
	c.plain("/short-name", v.ShortName)
	for k, id := range v.Identifiers {
		at := fmt.Sprintf("/identifiers/%d", k)
		c.text(at+"/value", id.Value)
		switch u, err := url.Parse(id.Scheme); {
		case id.Scheme == "":
			c.missing(at + "/scheme")
		case id.Scheme == "lei" && !validLEI(id.Value):
			c.add(at+"/value", ErrValue, "expected an LEI (ISO 17442: 18 letters and digits and two check digits), found %q", id.Value)
		case schemeURIs[id.Scheme] == "" && (err != nil || u.Scheme == ""):
			c.add(at+"/scheme", ErrValue, "expected lei, euid, duns, uei, vat or a URI, found %q", id.Scheme)
		}
		if slices.Contains(v.Identifiers[:k], id) {
			c.add(at, ErrDuplicate, "%s %q", id.Scheme, id.Value)
		}
	}
	c.refer("/parent", v.Parent, c.vendors, false)
	if c.ownsItself(p, i) {
		c.add("/parent", ErrReference, "the vendor is its own parent")
	}
	for k, contact := range v.Contacts {
		at := fmt.Sprintf("/contacts/%d", k)
		c.text(at+"/id", contact.ID)
		c.text(at+"/name", contact.Name)
		c.plain(at+"/role", contact.Role)
		c.plain(at+"/phone", contact.Phone)
		if contact.Email != "" && !oscal.TypeEmailAddress.Valid(contact.Email) {
			c.add(at+"/email", ErrValue, "expected an e-mail address, found %q", contact.Email)
		}
		if slices.ContainsFunc(v.Contacts[:k], func(o Contact) bool { return o.ID == contact.ID }) {
			c.add(at+"/id", ErrDuplicate, "%q", contact.ID)
		}
	}
}

// ownsItself tells whether the parents of a vendor lead back to it.
func (c *checker) ownsItself(p *Portfolio, i int) bool {
	at := i
	for range p.Vendors {
		next, ok := c.vendors[p.Vendors[at].Parent]
		if !ok {
			return false
		}
		if at = next; at == i {
			return true
		}
	}
	return false
}

func (c *checker) engagement(p *Portfolio, i int) {
	e := &p.Engagements[i]
	c.in(fmt.Sprintf("/engagements/%d", i), e.ID)
	c.id(e.ID, i, c.engagements)
	c.refer("/vendor", e.Vendor, c.vendors, true)
	c.text("/service", e.Service)
	c.plain("/type", e.Type)
	c.texts("/supports", e.Supports)
	c.plain("/owner", e.Owner)
	if f := e.Exposure.Function; f != nil && (*f < 0 || *f > 4) {
		c.add("/exposure/function", ErrValue, "expected a number from 0 to 4, found %d", *f)
	}
	if n := e.Exposure.Records; n != nil && *n < 0 {
		c.add("/exposure/records", ErrValue, "expected a number from 0, found %d", *n)
	}
	c.plain("/exposure/data", e.Exposure.Data)
	c.plain("/exposure/substitutability", e.Exposure.Substitutability)
	c.texts("/exposure/regulated", e.Exposure.Regulated)
	if slices.Contains(e.Exposure.Regulated, noneRegulated) {
		c.add("/exposure/regulated", ErrValue, "expected kinds of data, or an empty list for none, found %q", noneRegulated)
	}
	if m := e.Exposure.Spend; m != nil && (m.Minor < 0 || !m.valid()) {
		c.add("/exposure/spend", ErrValue, "expected minor units from 0 and a currency of three capital letters, found %d %q", m.Minor, m.Currency)
	}
	c.refer("/contract", e.Contract, c.contracts, false)
	if k, ok := c.contracts[e.Contract]; ok && e.ID != "" && !slices.Contains(p.Contracts[k].Engagements, e.ID) && p.Contracts[k].Engagements != nil {
		c.add("/contract", ErrReference, "contract %q does not list the engagement", e.Contract)
	}
	for k, s := range e.Subcontracts {
		at := fmt.Sprintf("/subcontracts/%d", k)
		c.refer(at+"/vendor", s.Vendor, c.vendors, true)
		c.refer(at+"/customer", s.Customer, c.vendors, false)
		c.plain(at+"/service", s.Service)
		if slices.ContainsFunc(e.Subcontracts[:k], func(o Subcontract) bool {
			return o.Vendor == s.Vendor && o.Customer == s.Customer && o.Service == s.Service
		}) {
			c.add(at, ErrDuplicate, "%q for %q", s.Vendor, s.Service)
		}
	}
	c.enum("/status", int(e.Status), statusNames, true)
	c.date("/requested", e.Requested, false)
	c.date("/exit-plan-tested", e.ExitPlanTested, false)
	if a := e.Authorization; a != nil {
		c.text("/authorization/title", a.Title)
		c.date("/authorization/date", a.Date, true)
	}
}

func (c *checker) contract(p *Portfolio, i int) {
	k := &p.Contracts[i]
	c.in(fmt.Sprintf("/contracts/%d", i), k.ID)
	c.id(k.ID, i, c.contracts)
	c.plain("/title", k.Title)
	for n, id := range k.Engagements {
		at := fmt.Sprintf("/engagements/%d", n)
		c.refer(at, id, c.engagements, true)
		if j, ok := c.engagements[id]; ok && p.Engagements[j].Contract != k.ID {
			c.add(at, ErrReference, "engagement %q names the contract %q", id, p.Engagements[j].Contract)
		}
		if slices.Contains(k.Engagements[:n], id) {
			c.add(at, ErrDuplicate, "%q", id)
		}
	}
	c.date("/start", k.Start, true)
	c.date("/end", k.End, k.AutoRenew)
	c.order("/end", k.Start, k.End, "the start")
	c.calendar("/renewal", k.Renewal)
	c.date("/terminated", k.Terminated, false)
	c.calendar("/notice", k.Notice)
	for n, cl := range k.Clauses {
		at := fmt.Sprintf("/clauses/%d", n)
		c.text(at+"/kind", cl.Kind)
		if cl.Within != nil {
			c.span(at+"/within", *cl.Within, true)
		}
	}
	for n, w := range k.Waivers {
		at := fmt.Sprintf("/waivers/%d", n)
		c.text(at+"/clause", w.Clause)
		c.date(at+"/until", w.Until, true)
		c.text(at+"/by", w.By)
		c.text(at+"/reason", w.Reason)
	}
	c.href("/href", k.Href)
	c.digest("/digest", k.Digest)
}

func (c *checker) document(d *Document, i int, known map[string]int) {
	c.in(fmt.Sprintf("/documents/%d", i), d.ID)
	c.id(d.ID, i, known)
	c.refer("/engagement", d.Engagement, c.engagements, true)
	c.text("/type", d.Type)
	c.plain("/title", d.Title)
	if d.PeriodEnd.IsZero() && d.AsOf.IsZero() && d.ValidUntil.IsZero() {
		c.add("", ErrMissing, "period-end, as-of or valid-until")
	}
	c.date("/period-start", d.PeriodStart, false)
	c.date("/period-end", d.PeriodEnd, !d.PeriodStart.IsZero())
	c.order("/period-end", d.PeriodStart, d.PeriodEnd, "the start of the period")
	c.date("/as-of", d.AsOf, false)
	c.date("/valid-until", d.ValidUntil, false)
	c.date("/bridged-until", d.BridgedUntil, false)
	c.order("/bridged-until", d.PeriodEnd, d.BridgedUntil, "the end of the period")
	c.date("/issued", d.Issued, false)
	c.digest("/digest", d.Digest)
	c.href("/href", d.Href)
	c.texts("/user-controls", d.UserControls)
	for k, id := range d.Subservice {
		c.refer(fmt.Sprintf("/subservice/%d", k), id, c.vendors, true)
	}
}

func (c *checker) assessment(a *Assessment, i int, known map[string]int) {
	c.in(fmt.Sprintf("/assessments/%d", i), a.ID)
	c.id(a.ID, i, known)
	c.refer("/engagement", a.Engagement, c.engagements, true)
	c.date("/due", a.Due, false)
	c.date("/completed", a.Completed, false)
	for k, r := range []*Rating{a.Inherent, a.Residual} {
		if r != nil {
			at := [...]string{"/inherent", "/residual"}[k]
			c.enum(at+"/level", int(r.Level), severityNames, true)
			c.text(at+"/model", r.Model)
		}
	}
	for k, s := range a.Issues {
		at := fmt.Sprintf("/issues/%d", k)
		c.text(at+"/id", s.ID)
		c.text(at+"/text", s.Text)
		c.enum(at+"/severity", int(s.Severity), severityNames, true)
		c.date(at+"/opened", s.Opened, true)
		c.date(at+"/closed", s.Closed, false)
		c.order(at+"/closed", s.Opened, s.Closed, "the day it was opened")
	}
	c.enum("/decision", int(a.Decision), decisionNames, false)
	decided := a.Decision != 0
	c.date("/decided", a.Decided, decided)
	if decided {
		c.text("/by", a.By)
	}
	c.order("/decided", a.Completed, a.Decided, "the completion")
	for k, d := range a.Conditions {
		at := fmt.Sprintf("/conditions/%d", k)
		c.text(at+"/id", d.ID)
		c.text(at+"/text", d.Text)
		if a.Decision == DecisionConditional {
			c.text(at+"/owner", d.Owner)
		}
		c.date(at+"/due", d.Due, a.Decision == DecisionConditional)
		c.date(at+"/met", d.Met, false)
	}
	if a.Decision == DecisionConditional && len(a.Conditions) == 0 {
		c.missing("/conditions")
	}
	c.date("/expires", a.Expires, a.Decision == DecisionApproved || a.Decision == DecisionConditional)
	c.order("/expires", a.Decided, a.Expires, "the decision")
}

// validLEI checks the form and the check digits of a legal entity identifier:
// ISO 17442-1, annex A, with ISO/IEC 7064 MOD 97-10.
func validLEI(s string) bool {
	if len(s) != 20 {
		return false
	}
	rest := 0
	for i := range len(s) {
		switch c := s[i]; {
		case c >= '0' && c <= '9':
			rest = (rest*10 + int(c-'0')) % 97
		case c >= 'A' && c <= 'Z' && i < 18:
			rest = (rest*100 + int(c-'A') + 10) % 97
		default:
			return false
		}
	}
	return rest == 1
}

// Edges returns the supply chain of the engagements that are not over: self buys
// from the vendor of each, and subcontracts follow. Vendors that documents name
// as carved-out subservice organizations supply the vendor of the engagement.
func (p *Portfolio) Edges(self string) iter.Seq[Edge] {
	return func(yield func(Edge) bool) {
		vendorOf := map[string]string{}
		for _, e := range p.Engagements {
			if e.Status.ended() {
				continue
			}
			vendorOf[e.ID] = e.Vendor
			if !yield(Edge{self, e.Vendor}) {
				return
			}
			for _, s := range e.Subcontracts {
				customer := s.Customer
				if customer == "" {
					customer = e.Vendor
				}
				if !yield(Edge{customer, s.Vendor}) {
					return
				}
			}
		}
		for _, d := range p.Documents {
			for _, s := range d.Subservice {
				if v := vendorOf[d.Engagement]; v != "" && !yield(Edge{v, s}) {
					return
				}
			}
		}
	}
}

// Functions returns the vendors that each function depends on directly: those of
// the engagements that support it and are not over.
func (p *Portfolio) Functions() map[string][]string {
	f := map[string][]string{}
	for _, e := range p.Engagements {
		if e.Status.ended() {
			continue
		}
		for _, s := range e.Supports {
			if !slices.Contains(f[s], e.Vendor) {
				f[s] = append(f[s], e.Vendor)
			}
		}
	}
	return f
}

// A book finds what belongs to an engagement.
type book struct {
	contracts   map[string]*Contract     // by ID
	documents   map[string][]*Document   // by ID of the engagement, in their order
	assessments map[string][]*Assessment // by ID of the engagement, in their order
}

func (p *Portfolio) book() book {
	b := book{map[string]*Contract{}, map[string][]*Document{}, map[string][]*Assessment{}}
	for i := range p.Contracts {
		b.contracts[p.Contracts[i].ID] = &p.Contracts[i]
	}
	for i := range p.Documents {
		d := &p.Documents[i]
		b.documents[d.Engagement] = append(b.documents[d.Engagement], d)
	}
	for i := range p.Assessments {
		a := &p.Assessments[i]
		b.assessments[a.Engagement] = append(b.assessments[a.Engagement], a)
	}
	return b
}

// decision returns the assessment of the latest decision on an engagement, nil
// for none.
func (b *book) decision(id string) *Assessment {
	var last *Assessment
	for _, a := range b.assessments[id] {
		if a.Decision != 0 && (last == nil || a.Decided.Compare(last.Decided) >= 0) {
			last = a
		}
	}
	return last
}

// assessed returns the day on which the latest assessment of an engagement was
// completed, zero for never.
func (b *book) assessed(id string) Date {
	var last Date
	for _, a := range b.assessments[id] {
		if a.Completed.Compare(last) > 0 {
			last = a.Completed
		}
	}
	return last
}

// Facts returns what [Move] needs to know about an engagement: the latest
// decision, the contract and its gaps for the requirement of the engagement's
// tier. The proof of an exit, reasons and requests are the caller's to add.
func (p *Portfolio) Facts(e Engagement, r Requirement, now time.Time) Facts {
	b := p.book()
	f := Facts{Now: now, Assessment: b.decision(e.ID), Contract: b.contracts[e.Contract]}
	if f.Contract != nil {
		f.Gaps = ClauseGaps(*f.Contract, r, p.Duties, nil)
	}
	return f
}
