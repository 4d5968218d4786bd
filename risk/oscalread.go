package risk

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/issokit/issokit/oscal"
)

// FromOSCAL returns the risk of a risk assembly of OSCAL, written by [ToOSCAL] or
// by anyone else.
//
// Facets of other tools become assessments, one for each state that a
// characterization speaks of: initial is inherent, adjusted residual, none current.
// The level is the facet named risk, else severity, of FedRAMP's system (in all
// its spellings), OSCAL's, or any other. A status of OSCAL becomes the state that
// has it: open identified, investigating analysed, remediating treating; an exact
// state of ours that goes with the status counts first.
//
// Nothing is lost: where the assembly says more than the fields of a Risk can, it
// is kept as Source, and [ToOSCAL] writes it again. Props of others are in Props.
// The error is a [Problems] if own props do not read; the risk is returned with
// it.
func FromOSCAL(x oscal.Risk) (Risk, error) {
	r, err := read(x)
	w := newWriter(r.ID, nil)
	if out := w.risk(r); w.ps != nil || !same(out, x) {
		r.Source = &x
	}
	return r, err
}

// read returns what the fields of a Risk can say.
func read(x oscal.Risk) (Risk, error) {
	d := &reader{}
	r := d.risk(x)
	return r, d.ps.err()
}

// A reader reads parts of one risk and collects own props that do not read.
type reader struct {
	id string
	ps Problems
	at string
}

// values are the own props of an element, by name.
type values map[string][]string

func own(props *[]oscal.Property) values {
	vs := values{}
	for _, p := range oscal.Items(props) {
		if p.Ns == oscal.Namespace {
			vs[p.Name] = append(vs[p.Name], p.Value)
		}
	}
	return vs
}

func (vs values) get(name string) string {
	if len(vs[name]) == 0 {
		return ""
	}
	return vs[name][0]
}

func (d *reader) time(vs values, name string) time.Time {
	v := vs.get(name)
	if v == "" {
		return time.Time{}
	}
	t, err := time.Parse(time.RFC3339, v)
	if err != nil {
		d.ps.add(d.id, d.at+name, "expected a time of RFC 3339, found %q", v)
		return time.Time{}
	}
	return t.UTC()
}

func (d *reader) number(name, v string) float64 {
	f, err := strconv.ParseFloat(v, 64)
	if err != nil || math.IsNaN(f) {
		d.ps.add(d.id, d.at+name, "expected a number, found %q", v)
		return 0
	}
	return f
}

// whole reads a number that is not negative and has at most so many bits.
func (d *reader) whole(name, v string, bits int) uint64 {
	n, err := strconv.ParseUint(v, 10, bits)
	if err != nil {
		d.ps.add(d.id, d.at+name, "expected a whole number, found %q", v)
	}
	return n
}

// enum reads an own prop that has the name of a value of an enumeration.
func enum[E ~int](d *reader, ns names, kind string, vs values, name string) E {
	v := vs.get(name)
	if v == "" {
		return 0
	}
	n, err := ns.parse(kind, v)
	if err != nil {
		d.ps.add(d.id, d.at+name, "expected a %s, found %q", kind, v)
	}
	return E(n)
}

// native returns the value of a prop of OSCAL's own namespace.
func native(props *[]oscal.Property, name string) string {
	for _, p := range oscal.Items(props) {
		if p.Name == name && (p.Ns == "" || p.Ns == SystemOSCAL) {
			return p.Value
		}
	}
	return ""
}

// id returns the ID that was kept in a prop, or the UUID.
func id(vs values, uuid string) string {
	if v := vs.get(oscal.PropID); v != "" && !oscal.TypeUUID.Valid(v) {
		return v
	}
	return uuid
}

func (d *reader) risk(x oscal.Risk) Risk {
	vs := own(x.Props)
	d.id = id(vs, x.UUID)
	r := Risk{
		ID: d.id, Title: x.Title, Description: x.Description, Statement: x.Statement,
		Category: vs.get(oscal.PropCategory), Owner: vs.get(oscal.PropOwner), Parent: vs.get(oscal.PropParent),
		Sources: vs[oscal.PropThreatSource], Assets: vs[oscal.PropAsset], Controls: vs[oscal.PropControl],
	}
	r.State = enum[State](d, stateNames, "state", vs, oscal.PropState)
	if r.State.Status() != x.Status {
		r.State = stateOf(x.Status)
	}
	if vs.get(oscal.PropClosure) != "" {
		r.Closure = &Closure{
			Reason: enum[CloseReason](d, closeNames, "reason of closure", vs, oscal.PropClosure), By: vs.get(oscal.PropClosedBy),
			ConfirmedBy: vs.get(oscal.PropConfirmedBy), At: d.time(vs, oscal.PropClosedAt), Evidence: vs[oscal.PropEvidence],
		}
	}
	if v := native(x.Props, "priority"); v != "" {
		if n, err := strconv.Atoi(v); err == nil {
			r.Priority = &n
		}
	}
	for _, p := range oscal.Items(x.Props) {
		if !reserved(p) {
			r.Props = append(r.Props, p)
		}
	}
	r.Links = slices.Clone(oscal.Items(x.Links))
	for _, o := range oscal.Items(x.Origins) {
		r.Origins = append(r.Origins, d.actors(o)...)
	}
	for _, t := range oscal.Items(x.ThreatIds) {
		r.Threats = append(r.Threats, threat(t))
	}
	for i, c := range oscal.Items(x.Characterizations) {
		d.at = fmt.Sprintf("characterizations/%d/", i)
		r.Assessments = append(r.Assessments, d.assessments(c)...)
	}
	d.at = ""
	for _, m := range oscal.Items(x.MitigatingFactors) {
		r.Mitigations = append(r.Mitigations, Mitigation{ID: id(own(m.Props), m.UUID), Description: m.Description, Implementation: m.ImplementationUuid})
	}
	if x.Deadline != nil {
		r.Deadline = x.Deadline.UTC()
	}
	for i, s := range oscal.Items(x.Remediations) {
		d.at = fmt.Sprintf("remediations/%d/", i)
		if vs := own(s.Props); vs.get(oscal.PropAcceptance) != "" {
			r.Acceptances = append(r.Acceptances, d.acceptance(s, vs))
		} else {
			r.Responses = append(r.Responses, d.response(s, vs))
		}
	}
	if x.RiskLog != nil {
		for i, e := range x.RiskLog.Entries {
			d.at = fmt.Sprintf("risk-log/entries/%d/", i)
			r.Log = append(r.Log, d.entry(e))
		}
	}
	for _, o := range oscal.Items(x.RelatedObservations) {
		r.Observations = append(r.Observations, o.ObservationUuid)
	}
	d.at = ""
	return r
}

// stateOf returns the state that a status of OSCAL stands for, 0 for one of
// others.
func stateOf(status string) State {
	switch status {
	case "open":
		return Identified
	case "investigating":
		return Analysed
	case "remediating":
		return Treating
	case "deviation-requested":
		return AcceptanceRequested
	case "deviation-approved":
		return Accepted
	case "closed":
		return Closed
	}
	return 0
}

func (d *reader) actors(o oscal.Origin) []Actor {
	var out []Actor
	for _, a := range o.Actors {
		actor := Actor{Type: a.Type, ID: id(own(a.Props), a.ActorUuid), Role: a.RoleId}
		if actor.Type == "party" {
			actor.Type = ""
		}
		out = append(out, actor)
	}
	return out
}

func (d *reader) assessments(c oscal.Characterization) []Assessment {
	vs := own(c.Props)
	if _, err := stageNames.parse("stage", vs.get(oscal.PropStage)); err == nil {
		return []Assessment{d.assessment(c, vs)}
	}
	return d.foreign(c)
}

// assessment reads a characterization that was written by us.
func (d *reader) assessment(c oscal.Characterization, vs values) Assessment {
	a := Assessment{
		Stage: enum[Stage](d, stageNames, "stage", vs, oscal.PropStage), System: vs.get(oscal.PropSystem), Version: vs.get(oscal.PropMethodVersion),
		Basis: vs.get(oscal.PropBasis), At: d.time(vs, oscal.PropAssessedAt), Controls: vs[oscal.PropControl], Origins: d.actors(c.Origin),
	}
	for i, f := range c.Facets {
		fs := own(f.Props)
		switch {
		case i == 0 && f.System == SystemOSCAL && f.Name == "risk":
			if fs.get(oscal.PropUnrated) == "" {
				a.Level = f.Value
			}
			if s := fs.get(oscal.PropScore); s != "" {
				a.Score = new(d.number("score", s))
			}
		case fs.get(oscal.PropDerived) != "":
		case fs.get(oscal.PropRule) != "":
			a.Why = append(a.Why, Step{Rule: fs.get(oscal.PropRule), Name: f.Name, Value: f.Value, Text: f.Remarks})
		case f.System == SystemFAIR && fs.get(oscal.PropAnnualLoss) != "" && d.loss(&a, f, fs):
		default:
			a.Facets = append(a.Facets, facet(f))
		}
	}
	return a
}

func facet(f oscal.Facet) Facet {
	out := Facet{System: f.System, Name: f.Name, Value: f.Value}
	switch native(f.Props, "state") {
	case "initial":
		out.Stage = Inherent
	case "adjusted":
		out.Stage = Residual
	}
	return out
}

// loss takes one facet of a quantitative result; false if it is none that we write.
func (d *reader) loss(a *Assessment, f oscal.Facet, vs values) bool {
	l := *cmp.Or(a.Loss, new(Loss))
	interval := func(value float64) Estimate {
		e := Estimate{Value: value}
		if vs.get(oscal.PropConfidence) != "" {
			e.Lo, e.Hi, e.Level = d.number("lower", vs.get(oscal.PropLower)), d.number("upper", vs.get(oscal.PropUpper)), d.number("confidence", vs.get(oscal.PropConfidence))
		}
		return e
	}
	switch {
	case f.Name == "currency":
		l.Currency = f.Value
	case f.Name == "ale":
		l.Mean = interval(d.number("ale", f.Value))
	case f.Name == "lef":
		l.Events = new(interval(d.number("lef", f.Value)))
	case f.Name == "years":
		l.Years = int(d.whole("years", f.Value, strconv.IntSize-1))
	case f.Name == "seed":
		l.Seed = d.whole("seed", f.Value, 64)
	case f.Name == "exceedance":
		l.Curve = append(l.Curve, Exceedance{d.number("exceedance", f.Value), interval(d.number("probability", vs.get(oscal.PropProbability)))})
	case strings.HasPrefix(f.Name, "var-"):
		l.VaR = append(l.VaR, Quantile{d.number("probability", vs.get(oscal.PropProbability)), interval(d.number(f.Name, f.Value))})
	case strings.HasPrefix(f.Name, "tvar-"):
		l.TVaR = append(l.TVaR, Quantile{d.number("probability", vs.get(oscal.PropProbability)), interval(d.number(f.Name, f.Value))})
	default:
		return false
	}
	a.Loss = &l
	return true
}

// foreign reads a characterization of another tool: an assessment for each
// state of its facets, in the order of their first mention.
func (d *reader) foreign(c oscal.Characterization) []Assessment {
	var out []Assessment
	for _, x := range c.Facets {
		f := facet(x)
		stage := f.Stage
		if stage == 0 {
			stage = Current
		}
		i := slices.IndexFunc(out, func(a Assessment) bool { return a.Stage == stage })
		if i < 0 {
			i = len(out)
			out = append(out, Assessment{Stage: stage, Origins: d.actors(c.Origin)})
		}
		out[i].Facets = append(out[i].Facets, f)
	}
	for i := range out {
		out[i].System, out[i].Level = levelOf(out[i].Facets)
	}
	return out
}

// levelOf returns the level that facets state, and on which scale: the facet
// named risk, else severity, first of FedRAMP's system, then of OSCAL's, then of
// any. Without one the system is that of the first facet.
func levelOf(facets []Facet) (system, level string) {
	for _, name := range []string{"risk", "severity"} {
		for _, fits := range []func(string) bool{
			func(s string) bool { return slices.Contains(fedRAMP, s) },
			func(s string) bool { return s == SystemOSCAL },
			func(s string) bool { return true },
		} {
			for _, f := range facets {
				if f.Name != name || !fits(f.System) {
					continue
				}
				return canonical(f.System), f.Value
			}
		}
	}
	return canonical(facets[0].System), ""
}

// canonical returns the one spelling of FedRAMP's system for all of them.
func canonical(system string) string {
	if slices.Contains(fedRAMP, system) {
		return SystemFedRAMP
	}
	return system
}

func (d *reader) response(x oscal.Response, vs values) Response {
	s := Response{
		ID: id(vs, x.UUID), Title: x.Title, Description: x.Description, Owner: vs.get(oscal.PropOwner), Due: d.time(vs, oscal.PropDue),
		Controls: vs[oscal.PropControl], Cost: d.money(x.Props, oscal.PropCost), Spent: d.money(x.Props, oscal.PropSpent),
	}
	if n, err := responseNames.parse("", native(x.Props, "type")); err == nil {
		s.Kind = ResponseKind(n)
	}
	if n, err := lifecycleNames.parse("", x.Lifecycle); err == nil {
		s.Lifecycle = Lifecycle(n)
	}
	if l := enum[Lifecycle](d, lifecycleNames, "life cycle", vs, oscal.PropLifecycle); l == Cancelled && s.Lifecycle == Recommended {
		s.Lifecycle = l
	}
	for _, t := range oscal.Items(x.Tasks) {
		s.Milestones = append(s.Milestones, d.milestone(t))
	}
	return s
}

func (d *reader) money(ps *[]oscal.Property, name string) Money {
	for _, p := range oscal.Items(ps) {
		if p.Ns == oscal.Namespace && p.Name == name {
			return Money{d.number(name, p.Value), p.Class}
		}
	}
	return Money{}
}

func (d *reader) milestone(t oscal.Task) Milestone {
	vs := own(t.Props)
	m := Milestone{ID: id(vs, t.UUID), Title: t.Title, Description: t.Description, Done: d.time(vs, oscal.PropCompletedAt)}
	if t.Timing != nil {
		switch {
		case t.Timing.WithinDateRange != nil:
			m.Start, m.Due = t.Timing.WithinDateRange.Start.UTC(), t.Timing.WithinDateRange.End.UTC()
		case t.Timing.OnDate != nil:
			m.Due = t.Timing.OnDate.Date.UTC()
		}
	}
	return m
}

func (d *reader) acceptance(x oscal.Response, vs values) Acceptance {
	return Acceptance{
		ID: id(vs, x.UUID), Decision: enum[Decision](d, decisionNames, "decision", vs, oscal.PropAcceptance), Justification: x.Description,
		RequestedBy: vs.get(oscal.PropRequestedBy), RequestedAt: d.time(vs, oscal.PropRequestedAt),
		Expires: d.time(vs, oscal.PropExpires), Digest: vs.get(oscal.PropAcceptedDigest), Level: vs.get(oscal.PropLevel),
		DecidedBy: vs.get(oscal.PropDecidedBy), DecidedAt: d.time(vs, oscal.PropDecidedAt), Reason: x.Remarks,
	}
}

func (d *reader) entry(x oscal.RiskLogEntry) Entry {
	vs := own(x.Props)
	e := Entry{
		ID: id(vs, x.UUID), At: x.Start.UTC(), Title: x.Title, Text: x.Description, Evidence: vs[oscal.PropEvidence],
		Event: enum[EventKind](d, eventNames, "event", vs, oscal.PropEvent),
		From:  enum[State](d, stateNames, "state", vs, oscal.PropFrom), To: enum[State](d, stateNames, "state", vs, oscal.PropTo),
	}
	if e.To == 0 {
		e.To = stateOf(x.StatusChange)
	}
	if by := oscal.Items(x.LoggedBy); len(by) > 0 {
		e.By, e.Role = by[0].PartyUuid, by[0].RoleId
		if v := vs.get(oscal.PropBy); v != "" {
			e.By = v
		}
	}
	for _, ref := range oscal.Items(x.RelatedResponses) {
		e.Responses = append(e.Responses, id(own(ref.Props), ref.ResponseUuid))
	}
	return e
}
