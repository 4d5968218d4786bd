package risk

import (
	"fmt"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/issokit/issokit/internal/answer"
	"github.com/issokit/issokit/oscal"
)

// OSCALOptions configure [ToOSCAL]; nil means the defaults.
type OSCALOptions struct {
	// UUID returns the UUID of what has an ID that is no UUID itself: kind is
	// party, tool or assessment-platform. Default oscal.UUID(kind, id).
	UUID func(kind, id string) string
	// FedRAMP is the naming system under which likelihood, impact and risk are
	// repeated as low, moderate or high for FedRAMP's readers, e.g.
	// [SystemFedRAMP]. Default none. very-low and low are low there, very-high,
	// high and critical high, medium is moderate; other levels are not repeated.
	FedRAMP string
}

// ToOSCAL returns a risk as the risk assembly of OSCAL.
//
// UUIDs are IDs that are UUIDs, or version 5 UUIDs made of the IDs, which are
// kept in props. An assessment is a characterization: a facet "risk" of OSCAL's
// system has the level, with state initial for inherent and adjusted for
// residual; each step of its path is a facet of the system that rated, with the
// explanation as remarks. Responses and acceptances are remediations; an accepted
// risk has OSCAL's prop accepted, a false positive its prop false-positive. What
// OSCAL has no word for is in props of [oscal.Namespace].
//
// Where the risk has a Source, everything in it that the fields of the risk do
// not say differently is kept as it is.
//
// The error is a [Problems] with everything that OSCAL cannot hold: a missing
// title or state, an assessment without origin, text with line breaks where none
// may be, facets against the constraints of OSCAL (see [CheckFacet]).
func ToOSCAL(r Risk, opts *OSCALOptions) (oscal.Risk, error) {
	w := newWriter(r.ID, opts)
	out := w.risk(r)
	if r.Source == nil {
		return out, w.ps.err()
	}
	// What is wrong in the source, and was not changed, is written as it was.
	was, _ := read(*r.Source)
	b := newWriter(was.ID, opts)
	base := b.risk(was)
	w.ps = slices.DeleteFunc(w.ps, func(p Problem) bool {
		return slices.ContainsFunc(b.ps, func(q Problem) bool { return q.Error() == p.Error() })
	})
	if len(w.ps) > 0 {
		return oscal.Risk{}, w.ps
	}
	o := overlay{opts}
	return o.risk(*r.Source, base, out), nil
}

// A writer writes parts of one risk and collects what cannot be written.
type writer struct {
	id   string
	opts OSCALOptions
	ps   Problems
	at   string // pointer to what is being written
}

func newWriter(id string, opts *OSCALOptions) *writer {
	w := &writer{id: id}
	if opts != nil {
		w.opts = *opts
	}
	if w.opts.UUID == nil {
		w.opts.UUID = func(kind, id string) string { return oscal.UUID(kind, id) }
	}
	return w
}

// text returns a value if it is one of the data type.
func (w *writer) text(name, value string, t oscal.DataType) string {
	if !t.Valid(value) {
		w.ps.add(w.id, w.at+name, "expected a %s (%s), found %q", t, t.Form(), value)
	}
	return value
}

// props collects own props; those without a value are left out.
type props []oscal.Property

func (w *writer) own(ps *props, name, value string) {
	if value != "" {
		*ps = append(*ps, oscal.Property{Ns: oscal.Namespace, Name: name, Value: w.text(name, value, oscal.TypeString)})
	}
}

func (w *writer) ownTime(ps *props, name string, t time.Time) {
	if !t.IsZero() {
		w.own(ps, name, w.time(name, t).Format(time.RFC3339Nano))
	}
}

func (w *writer) ownAll(ps *props, name string, values []string) {
	for _, v := range values {
		*ps = append(*ps, oscal.Property{Ns: oscal.Namespace, Name: name, Value: w.text(name, v, oscal.TypeString)})
	}
}

// time returns a time in UTC. Data types of OSCAL have years 1900 to 2999.
func (w *writer) time(name string, t time.Time) time.Time {
	if t = t.UTC(); t.Year() < 1900 || t.Year() > 2999 {
		w.ps.add(w.id, w.at+name, "expected a time in the years 1900 to 2999, found %s", t.Format(time.RFC3339))
	}
	return t
}

// uuid returns the UUID of a thing inside of the risk with an ID; the ID is put
// into a prop if it is no UUID.
func (w *writer) uuid(ps *props, kind, id string) string {
	if oscal.TypeUUID.Valid(id) {
		return id
	}
	if id == "" {
		w.ps.add(w.id, w.at+"id", "expected an ID")
	}
	w.own(ps, oscal.PropID, id)
	return partUUID(w.id, kind, id)
}

func partUUID(risk, kind, id string) string { return oscal.UUID("risk", risk, kind, id) }

func (w *writer) risk(r Risk) oscal.Risk {
	var own props
	x := oscal.Risk{
		UUID: r.ID, Title: w.text("title", r.Title, oscal.TypeMarkupLine), Description: r.Description, Statement: r.Statement,
		Status: r.State.Status(),
	}
	if !oscal.TypeUUID.Valid(r.ID) {
		x.UUID = oscal.UUID("risk", r.ID)
		w.own(&own, oscal.PropID, r.ID)
	}
	if r.ID == "" {
		w.ps.add("", "id", "expected an ID")
	}
	if !stateNames.has(int(r.State)) {
		w.ps.add(w.id, "state", "expected a state, found %s", r.State)
	}
	w.own(&own, oscal.PropState, r.State.String())
	w.own(&own, oscal.PropCategory, r.Category)
	w.own(&own, oscal.PropOwner, r.Owner)
	w.own(&own, oscal.PropParent, r.Parent)
	w.ownAll(&own, oscal.PropThreatSource, r.Sources)
	w.ownAll(&own, oscal.PropAsset, r.Assets)
	w.ownAll(&own, oscal.PropControl, r.Controls)
	if c := r.Closure; c != nil {
		w.at = "closure/"
		if !closeNames.has(int(c.Reason)) {
			w.ps.add(w.id, "closure/reason", "expected a reason, found %s", c.Reason)
		}
		w.own(&own, oscal.PropClosure, c.Reason.String())
		w.own(&own, oscal.PropClosedBy, c.By)
		w.own(&own, oscal.PropConfirmedBy, c.ConfirmedBy)
		w.ownTime(&own, oscal.PropClosedAt, c.At)
		w.ownAll(&own, oscal.PropEvidence, c.Evidence)
		w.at = ""
	}
	if r.Priority != nil {
		own = append(own, oscal.Property{Name: "priority", Value: fmt.Sprint(*r.Priority)})
	}
	if r.State == Accepted {
		own = append(own, oscal.Property{Name: "accepted", Value: "yes"})
	}
	if r.State == Closed && r.Closure != nil && r.Closure.Reason == FalsePositive {
		own = append(own, oscal.Property{Name: "false-positive", Value: "yes"})
	}
	for i, p := range r.Props {
		w.at = fmt.Sprintf("props/%d/", i)
		w.text("name", p.Name, oscal.TypeToken)
		w.text("value", p.Value, oscal.TypeString)
		if p.Ns != "" {
			w.text("ns", p.Ns, oscal.TypeURI)
		}
		if p.UUID != "" {
			w.text("uuid", p.UUID, oscal.TypeUUID)
		}
		for _, token := range []string{p.Class, p.Group} {
			if token != "" {
				w.text("class", token, oscal.TypeToken)
			}
		}
		if reserved(p) && r.Source == nil {
			w.ps.add(w.id, w.at+"name", "prop %q says what a field of the risk says", p.Name)
		}
	}
	w.at = ""
	x.Props = oscal.List(append(own, r.Props...)...)
	for i, l := range r.Links {
		w.at = fmt.Sprintf("links/%d/", i)
		w.text("href", l.Href, oscal.TypeURIReference)
		if l.Rel != "" {
			w.text("rel", l.Rel, oscal.TypeToken)
		}
		for _, s := range []string{l.MediaType, l.ResourceFragment} {
			if s != "" {
				w.text("media-type", s, oscal.TypeString)
			}
		}
		if l.Text != "" {
			w.text("text", l.Text, oscal.TypeMarkupLine)
		}
	}
	w.at = ""
	x.Links = oscal.List(r.Links...)
	x.Origins = w.origins("origins", r.Origins)
	for i, t := range r.Threats {
		w.at = fmt.Sprintf("threats/%d/", i)
		x.ThreatIds = oscal.Append(x.ThreatIds, w.threat(t))
	}
	for i, a := range r.Assessments {
		w.at = fmt.Sprintf("assessments/%d/", i)
		x.Characterizations = oscal.Append(x.Characterizations, w.characterization(a))
	}
	for i, m := range r.Mitigations {
		w.at = fmt.Sprintf("mitigations/%d/", i)
		x.MitigatingFactors = oscal.Append(x.MitigatingFactors, w.mitigation(m))
	}
	w.at = ""
	if !r.Deadline.IsZero() {
		x.Deadline = new(w.time("deadline", r.Deadline))
	}
	for i, s := range r.Responses {
		w.at = fmt.Sprintf("responses/%d/", i)
		x.Remediations = oscal.Append(x.Remediations, w.response(s))
	}
	for i, a := range r.Acceptances {
		w.at = fmt.Sprintf("acceptances/%d/", i)
		x.Remediations = oscal.Append(x.Remediations, w.acceptance(a))
	}
	for i, e := range r.Log {
		w.at = fmt.Sprintf("log/%d/", i)
		if x.RiskLog == nil {
			x.RiskLog = &oscal.RiskLog{}
		}
		x.RiskLog.Entries = append(x.RiskLog.Entries, w.entry(e))
	}
	for i, o := range r.Observations {
		w.at = fmt.Sprintf("observations/%d", i)
		x.RelatedObservations = oscal.Append(x.RelatedObservations, oscal.RelatedObservation{ObservationUuid: w.text("", o, oscal.TypeUUID)})
	}
	w.at = ""
	w.unique(r)
	return x
}

// threat writes the ID of a threat event, which is a URI in OSCAL: one that is
// no URI stands as a fragment of its system, as in
// https://attack.mitre.org#T1566.
func (w *writer) threat(t Threat) oscal.ThreatId {
	x := oscal.ThreatId{System: w.text("system", t.System, oscal.TypeURI), ID: t.ID, Href: t.Href}
	if !oscal.TypeURI.Valid(t.ID) {
		x.ID = t.System + "#" + url.PathEscape(t.ID)
	}
	w.text("id", x.ID, oscal.TypeURI)
	if t.ID == "" || threat(x) != t {
		w.ps.add(w.id, w.at+"id", "expected an ID that is no URI below its own system, found %q", t.ID)
	}
	if t.Href != "" {
		w.text("href", t.Href, oscal.TypeURIReference)
	}
	return x
}

// threat is the inverse of [writer.threat].
func threat(x oscal.ThreatId) Threat {
	t := Threat{System: x.System, ID: x.ID, Href: x.Href}
	if fragment, ok := strings.CutPrefix(x.ID, x.System+"#"); ok {
		if id, err := url.PathUnescape(fragment); err == nil && id != "" && !oscal.TypeURI.Valid(id) && url.PathEscape(id) == fragment {
			t.ID = id
		}
	}
	return t
}

// unique checks that no two parts of a risk have one ID, or one UUID: responses
// and acceptances are remediations together.
func (w *writer) unique(r Risk) {
	check := func(kind string, ids func(func(string))) {
		seen := map[string]bool{}
		ids(func(id string) {
			if seen[id] {
				w.ps.add(w.id, kind, "expected an ID that no other of them has, found %q", id)
			}
			seen[id] = true
		})
	}
	check("mitigations", func(yield func(string)) {
		for _, m := range r.Mitigations {
			yield(m.ID)
		}
	})
	check("responses", func(yield func(string)) {
		for _, s := range r.Responses {
			yield(s.ID)
		}
		for _, a := range r.Acceptances {
			yield(a.ID)
		}
	})
	check("log", func(yield func(string)) {
		for _, e := range r.Log {
			yield(e.ID)
		}
	})
	for i, s := range r.Responses {
		check(fmt.Sprintf("responses/%d/milestones", i), func(yield func(string)) {
			for _, m := range s.Milestones {
				yield(m.ID)
			}
		})
	}
}

// reserved tells whether a prop of a risk says what a field says.
func reserved(p oscal.Property) bool {
	switch p.Ns {
	case oscal.Namespace:
		return slices.Contains(riskProps, p.Name)
	case "", SystemOSCAL:
		return p.Name == "priority" || p.Name == "accepted" || p.Name == "false-positive"
	}
	return false
}

// riskProps are the own props of a risk.
var riskProps = []string{
	oscal.PropID, oscal.PropState, oscal.PropCategory, oscal.PropOwner, oscal.PropParent, oscal.PropThreatSource, oscal.PropAsset, oscal.PropControl,
	oscal.PropClosure, oscal.PropClosedBy, oscal.PropClosedAt, oscal.PropConfirmedBy, oscal.PropEvidence,
}

// origins writes actors, one origin for all of them.
func (w *writer) origins(name string, actors []Actor) *[]oscal.Origin {
	if actors == nil {
		return nil
	}
	return oscal.List(w.origin(name, actors))
}

func (w *writer) origin(name string, actors []Actor) oscal.Origin {
	at := w.at
	var o oscal.Origin
	for i, a := range actors {
		w.at = fmt.Sprintf("%s%s/%d/", at, name, i)
		x := oscal.OriginActor{Type: "party", ActorUuid: a.ID, RoleId: a.Role}
		if a.Type != "" {
			x.Type = w.text("type", a.Type, oscal.TypeToken)
		}
		if a.Role != "" {
			w.text("role", a.Role, oscal.TypeToken)
		}
		if !oscal.TypeUUID.Valid(a.ID) {
			var own props
			w.own(&own, oscal.PropID, w.text("id", a.ID, oscal.TypeString))
			x.ActorUuid, x.Props = w.opts.UUID(x.Type, a.ID), oscal.List(own...)
		}
		o.Actors = append(o.Actors, x)
	}
	w.at = at
	return o
}

func (w *writer) characterization(a Assessment) oscal.Characterization {
	var own props
	if !stageNames.has(int(a.Stage)) {
		w.ps.add(w.id, w.at+"stage", "expected a stage, found %s", a.Stage)
	}
	w.own(&own, oscal.PropStage, a.Stage.String())
	w.own(&own, oscal.PropSystem, w.text("system", a.System, oscal.TypeURI))
	w.own(&own, oscal.PropMethodVersion, a.Version)
	w.own(&own, oscal.PropBasis, a.Basis)
	w.ownTime(&own, oscal.PropAssessedAt, a.At)
	w.ownAll(&own, oscal.PropControl, a.Controls)
	if len(a.Origins) == 0 {
		w.ps.add(w.id, w.at+"origins", "expected who assessed, at least one")
	}
	x := oscal.Characterization{Props: oscal.List(own...), Origin: w.origin("origins", a.Origins)}

	level := oscal.Facet{System: SystemOSCAL, Name: "risk", Value: a.Level}
	var marks props
	switch {
	case a.Level != "":
		w.text("level", a.Level, oscal.TypeString)
	case a.Loss != nil:
		// The facet needs a value: the mean stands in for the level, and a mark says so.
		level.Value = w.number("loss/mean", a.Loss.Mean.Value)
		w.own(&marks, oscal.PropUnrated, "yes")
	default:
		w.ps.add(w.id, w.at+"level", "expected a level or a loss")
	}
	if a.Score != nil {
		w.own(&marks, oscal.PropScore, w.number("score", *a.Score))
	}
	level.Props = oscal.List(append(state(a.Stage), marks...)...)
	x.Facets = append(x.Facets, level)
	if w.opts.FedRAMP != "" {
		x.Facets = append(x.Facets, w.fedRAMP(a)...)
	}
	at := w.at
	for i, s := range a.Why {
		w.at = fmt.Sprintf("%swhy/%d/", at, i)
		var own props
		w.own(&own, oscal.PropRule, w.text("rule", s.Rule, oscal.TypeString))
		x.Facets = append(x.Facets, w.facet(oscal.Facet{System: a.System, Name: s.Name, Value: s.Value, Remarks: s.Text, Props: oscal.List(own...)}))
	}
	for i, f := range a.Facets {
		w.at = fmt.Sprintf("%sfacets/%d/", at, i)
		if f.Stage == Current {
			w.ps.add(w.id, w.at+"stage", "expected inherent, residual or none: facets know no other")
		}
		x.Facets = append(x.Facets, w.facet(oscal.Facet{System: f.System, Name: f.Name, Value: f.Value, Props: oscal.List(state(f.Stage)...)}))
	}
	w.at = at
	if a.Loss != nil {
		x.Facets = append(x.Facets, w.loss(*a.Loss)...)
	}
	return x
}

// state returns OSCAL's prop state of a facet for a stage.
func state(s Stage) props {
	switch s {
	case Inherent:
		return props{{Name: "state", Value: "initial"}}
	case Residual:
		return props{{Name: "state", Value: "adjusted"}}
	}
	return nil
}

// facet checks a facet.
func (w *writer) facet(f oscal.Facet) oscal.Facet {
	w.text("system", f.System, oscal.TypeURI)
	w.text("name", f.Name, oscal.TypeToken)
	w.text("value", f.Value, oscal.TypeString)
	if broken := CheckFacet(f); broken != nil {
		w.ps.add(w.id, strings.TrimSuffix(w.at, "/"), "the facet %s of %s has no valid value %q there: %s", f.Name, f.System, f.Value, strings.Join(broken, ", "))
	}
	return f
}

// fedRAMP repeats likelihood, impact and level in FedRAMP's terms.
func (w *writer) fedRAMP(a Assessment) []oscal.Facet {
	var out []oscal.Facet
	add := func(name, level string) {
		value, ok := map[string]string{
			"very-low": "low", "low": "low", "moderate": "moderate", "medium": "moderate", "high": "high", "very-high": "high", "critical": "high",
		}[level]
		if !ok {
			return
		}
		own := state(a.Stage)
		w.own(&own, oscal.PropDerived, "yes")
		out = append(out, oscal.Facet{System: w.opts.FedRAMP, Name: name, Value: value, Props: oscal.List(own...)})
	}
	for _, s := range a.Why {
		switch s.Name {
		case "likelihood", "overall-likelihood":
			add("likelihood", s.Value)
		case "impact":
			add("impact", s.Value)
		}
	}
	add("risk", a.Level)
	return out
}

// number writes a number; NaN is none.
func (w *writer) number(name string, f float64) string {
	if math.IsNaN(f) {
		w.ps.add(w.id, w.at+name, "expected a number, found NaN")
	}
	return answer.Number(f)
}

// loss writes a quantitative result as facets of [SystemFAIR].
func (w *writer) loss(l Loss) []oscal.Facet {
	at := w.at
	w.at += "loss/"
	var out []oscal.Facet
	add := func(name, value string, own props) {
		w.own(&own, oscal.PropAnnualLoss, "yes")
		out = append(out, w.facet(oscal.Facet{System: SystemFAIR, Name: name, Value: value, Props: oscal.List(own...)}))
	}
	interval := func(own *props, e Estimate) {
		if e.Level != 0 || e.Lo != 0 || e.Hi != 0 {
			w.own(own, oscal.PropLower, w.number("lo", e.Lo))
			w.own(own, oscal.PropUpper, w.number("hi", e.Hi))
			w.own(own, oscal.PropConfidence, w.number("level", e.Level))
		}
	}
	add("currency", w.text("currency", l.Currency, oscal.TypeToken), nil)
	var own props
	interval(&own, l.Mean)
	add("ale", w.number("mean", l.Mean.Value), own)
	if l.Events != nil {
		var own props
		interval(&own, *l.Events)
		add("lef", w.number("lef", l.Events.Value), own)
	}
	for _, qs := range [...]struct {
		name string
		qs   []Quantile
	}{{"var-", l.VaR}, {"tvar-", l.TVaR}} {
		for _, q := range qs.qs {
			var own props
			w.own(&own, oscal.PropProbability, w.number("p", q.P))
			interval(&own, q.Value)
			if !(q.P > 0 && q.P < 1) {
				w.ps.add(w.id, w.at+"p", "expected a probability between 0 and 1, found %v", q.P)
				continue
			}
			percent := strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.10f", q.P*100), "0"), ".")
			add(qs.name+percent, w.number("value", q.Value.Value), own)
		}
	}
	for _, e := range l.Curve {
		var own props
		w.own(&own, oscal.PropProbability, w.number("probability", e.Probability.Value))
		interval(&own, e.Probability)
		add("exceedance", w.number("loss", e.Loss), own)
	}
	if l.Years != 0 {
		add("years", fmt.Sprint(l.Years), nil)
	}
	if l.Seed != 0 {
		add("seed", fmt.Sprint(l.Seed), nil)
	}
	w.at = at
	return out
}

func (w *writer) mitigation(m Mitigation) oscal.MitigatingFactor {
	var own props
	x := oscal.MitigatingFactor{Description: m.Description, ImplementationUuid: m.Implementation}
	x.UUID = w.uuid(&own, "mitigating-factor", m.ID)
	if m.Implementation != "" {
		w.text("implementation", m.Implementation, oscal.TypeUUID)
	}
	x.Props = oscal.List(own...)
	return x
}

func (w *writer) response(s Response) oscal.Response {
	var own props
	x := oscal.Response{Title: w.text("title", s.Title, oscal.TypeMarkupLine), Description: s.Description, Lifecycle: s.Lifecycle.String()}
	if s.Kind != 0 {
		if !responseNames.has(int(s.Kind)) {
			w.ps.add(w.id, w.at+"kind", "expected a kind of response, found %s", s.Kind)
		}
		own = append(own, oscal.Property{Name: "type", Value: s.Kind.String()})
	}
	x.UUID = w.uuid(&own, "remediation", s.ID)
	switch {
	case !lifecycleNames.has(int(s.Lifecycle)):
		w.ps.add(w.id, w.at+"lifecycle", "expected a life cycle, found %s", s.Lifecycle)
	case s.Lifecycle == Cancelled:
		x.Lifecycle = Recommended.String()
		w.own(&own, oscal.PropLifecycle, s.Lifecycle.String())
	}
	w.own(&own, oscal.PropOwner, s.Owner)
	w.ownTime(&own, oscal.PropDue, s.Due)
	w.ownAll(&own, oscal.PropControl, s.Controls)
	w.money(&own, "cost", oscal.PropCost, s.Cost)
	w.money(&own, "spent", oscal.PropSpent, s.Spent)
	x.Props = oscal.List(own...)
	at := w.at
	for i, m := range s.Milestones {
		w.at = fmt.Sprintf("%smilestones/%d/", at, i)
		x.Tasks = oscal.Append(x.Tasks, w.milestone(s.ID, m))
	}
	w.at = at
	return x
}

// money writes an amount, its currency as the class of the prop.
func (w *writer) money(own *props, field, name string, m Money) {
	if m == (Money{}) {
		return
	}
	if math.IsInf(m.Amount, 0) {
		w.ps.add(w.id, w.at+field, "expected an amount, found %v", m.Amount)
	}
	w.own(own, name, w.number(field, m.Amount))
	(*own)[len(*own)-1].Class = w.text(field+"/currency", m.Currency, oscal.TypeToken)
}

func (w *writer) milestone(response string, m Milestone) oscal.Task {
	var own props
	x := oscal.Task{Type: "milestone", Title: w.text("title", m.Title, oscal.TypeMarkupLine), Description: m.Description}
	x.UUID = w.uuid(&own, "milestone "+response, m.ID)
	w.ownTime(&own, oscal.PropCompletedAt, m.Done)
	x.Props = oscal.List(own...)
	switch {
	case m.Due.IsZero() && m.Start.IsZero():
	case m.Due.IsZero():
		w.ps.add(w.id, w.at+"due", "expected a due date where there is a start")
	case m.Start.IsZero():
		x.Timing = &oscal.EventTiming{OnDate: &oscal.OnDateCondition{Date: w.time("due", m.Due)}}
	default:
		x.Timing = &oscal.EventTiming{WithinDateRange: &oscal.OnDateRangeCondition{Start: w.time("start", m.Start), End: w.time("due", m.Due)}}
	}
	return x
}

func (w *writer) acceptance(a Acceptance) oscal.Response {
	own := props{{Name: "type", Value: "accept"}}
	x := oscal.Response{Title: "Acceptance of the risk", Description: a.Justification, Lifecycle: Completed.String(), Remarks: a.Reason}
	x.UUID = w.uuid(&own, "remediation", a.ID)
	switch a.Decision {
	case Pending:
		x.Lifecycle = Recommended.String()
	case Approved:
		x.Lifecycle = Planned.String()
	}
	if !decisionNames.has(int(a.Decision)) {
		w.ps.add(w.id, w.at+"decision", "expected a decision, found %s", a.Decision)
	}
	if a.Expires.IsZero() {
		w.ps.add(w.id, w.at+"expires", "expected an expiry")
	}
	if a.Digest == "" {
		w.ps.add(w.id, w.at+"digest", "expected the digest of what was accepted")
	}
	w.own(&own, oscal.PropAcceptance, a.Decision.String())
	w.own(&own, oscal.PropRequestedBy, a.RequestedBy)
	w.ownTime(&own, oscal.PropRequestedAt, a.RequestedAt)
	w.own(&own, oscal.PropDecidedBy, a.DecidedBy)
	w.ownTime(&own, oscal.PropDecidedAt, a.DecidedAt)
	w.ownTime(&own, oscal.PropExpires, a.Expires)
	w.own(&own, oscal.PropAcceptedDigest, a.Digest)
	w.own(&own, oscal.PropLevel, a.Level)
	x.Props = oscal.List(own...)
	return x
}

// logTypes are OSCAL's types of log entries for events.
var logTypes = map[EventKind]string{
	RequestAcceptance: "dr-submission", Renew: "dr-updated", Approve: "dr-approved", Reject: "dr-rejected", Close: "closed",
	Respond: "status-update", Review: "status-update",
}

func (w *writer) entry(e Entry) oscal.RiskLogEntry {
	var own props
	x := oscal.RiskLogEntry{Title: e.Title, Description: e.Text}
	if e.Title != "" {
		w.text("title", e.Title, oscal.TypeMarkupLine)
	}
	if e.At.IsZero() {
		w.ps.add(w.id, w.at+"at", "expected a time")
	} else {
		x.Start = w.time("at", e.At)
	}
	if t, ok := logTypes[e.Event]; ok {
		own = append(own, oscal.Property{Name: "type", Value: t})
	}
	x.UUID = w.uuid(&own, "log", e.ID)
	if e.Event != 0 {
		w.own(&own, oscal.PropEvent, e.Event.String())
		if !eventNames.has(int(e.Event)) {
			w.ps.add(w.id, w.at+"event", "expected an event, found %s", e.Event)
		}
	}
	for _, s := range [...]struct {
		name  string
		state State
	}{{oscal.PropFrom, e.From}, {oscal.PropTo, e.To}} {
		if s.state != 0 {
			w.own(&own, s.name, s.state.String())
			if !stateNames.has(int(s.state)) {
				w.ps.add(w.id, w.at+s.name, "expected a state, found %s", s.state)
			}
		}
	}
	if e.To != 0 && e.To != e.From {
		x.StatusChange = e.To.Status()
	}
	if e.Role != "" && e.By == "" {
		w.ps.add(w.id, w.at+"by", "expected who acts in role %q", e.Role)
	}
	if e.By != "" {
		by := oscal.LoggedBy{PartyUuid: e.By, RoleId: e.Role}
		if e.Role != "" {
			w.text("role", e.Role, oscal.TypeToken)
		}
		if !oscal.TypeUUID.Valid(e.By) {
			by.PartyUuid = w.opts.UUID("party", e.By)
			w.own(&own, oscal.PropBy, e.By)
		}
		x.LoggedBy = oscal.List(by)
	}
	w.ownAll(&own, oscal.PropEvidence, e.Evidence)
	for i, id := range e.Responses {
		ref := oscal.RiskResponseReference{ResponseUuid: id}
		if !oscal.TypeUUID.Valid(id) {
			var own props
			w.own(&own, oscal.PropID, w.text(fmt.Sprintf("responses/%d", i), id, oscal.TypeString))
			ref.ResponseUuid, ref.Props = partUUID(w.id, "remediation", id), oscal.List(own...)
		}
		x.RelatedResponses = oscal.Append(x.RelatedResponses, ref)
	}
	x.Props = oscal.List(own...)
	return x
}
