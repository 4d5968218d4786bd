package assessment

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/issokit/issokit/controls"
	"github.com/issokit/issokit/oscal"
)

// A Report is what one tool found: its records, and the evidence that they come
// from.
type Report struct {
	Name     string // in problems
	Tool     Tool   // if the report may be empty; else that of the records
	Records  iter.Seq2[Record, error]
	Evidence *Evidence
	// Subject is the UUID of the component, inventory item or user of the SSP that
	// was looked at, where a record does not name one that the SSP knows; default:
	// the component that is the system itself.
	Subject string
	// Collected is when the tool ran, for records without a time; default: the
	// time of the assessment.
	Collected time.Time
	// Expires is when the observations no longer count; zero: never.
	Expires time.Time
}

// AssessOptions configure [Assess]; nil means the defaults.
type AssessOptions struct {
	ID       string         // stable name of the assessment; default: the UUID of the plan
	Metadata oscal.Metadata // as in [PlanOptions]
	Plan     string         // where the plan lies, seen from the results; default "assessment-plan.json"

	Mappings       []Mapping       // what the records of tools say about controls
	Determinations []Determination // of people
	// Group makes one observation of all records of a cause with one outcome,
	// instead of one of each record.
	Group bool
	// Cause returns what tells one cause of records from another; default: tool
	// and rule. Records with one cause make one risk.
	Cause func(r *Record) string
	// Rate characterizes the risk of a cause. The default is one facet with the
	// severity.
	Rate func(c *Cause) []oscal.Characterization
	// Policy says by when a risk must be gone; without it risks have no deadline.
	Policy *Policy
}

// A Cause is what one risk is about: all failing records of one rule, or one
// objective, statement or control that is not satisfied.
type Cause struct {
	Key          string // identity, stable from one assessment to the next
	Title        string
	Severity     Severity // the highest of its records
	Tool         Tool
	Rule         Rule
	Scores       []Score
	IDs          []string
	Controls     []string // ids of the controls that it affects, in document order
	Subjects     []oscal.SubjectReference
	Records      []Record // those that fail and are not suppressed
	Observations []string // UUIDs
	FirstSeen    time.Time
	// Origin is who found it, for [oscal.Characterization].
	Origin oscal.Origin

	determination *Determination
	seen          map[string]bool // of subjects and observations
}

// isNew tells whether something is seen for the first time.
func (c *Cause) isNew(key string) bool {
	if c.seen == nil {
		c.seen = map[string]bool{}
	}
	was := c.seen[key]
	c.seen[key] = true
	return !was
}

// Results are what an assessment gives.
type Results struct {
	Document *oscal.AssessmentResults
	Controls []*Node // the controls of the plan with their verdicts, in document order
	// Coverage counts the leaf objectives of these controls, ByControl the controls.
	Coverage, ByControl Coverage
	Causes              []*Cause // in the order of the risks
}

// Assess makes assessment results of what tools and people found out.
//
// Each record becomes an observation. Where the record names controls, or a
// mapping matches it, it takes part in determining these; the determinations are
// rolled up to objectives, statements and controls of the plan (see [RollUp]), and
// those with a verdict become findings: one for each leaf objective, for each
// statement with a determination of its own, and for the outermost statement
// of each control, which carries the verdict of the control. What is not assessed or not
// applicable has no finding and shows in the coverage. Failing records of one
// cause make one risk, also if they concern no control that is known, unless they
// are suppressed or informational; so does what people find not satisfied. All
// UUIDs follow from the input.
//
// The error is a [Problems] with what could not be read, or refers to what is
// not there; the results of the rest are returned with it.
func Assess(b *controls.Baseline, ssp *oscal.SystemSecurityPlan, plan *oscal.AssessmentPlan, reports []Report, now time.Time, opts *AssessOptions) (*Results, error) {
	a := &assessor{
		baseline: b, catalog: b.Catalog(), system: newSystem(ssp), plan: plan, now: now,
		tools: map[string]bool{}, ordinals: map[string]int{}, causes: map[string]*Cause{}, speaks: map[string][]speech{},
		backMatter: map[string]bool{}, planned: map[string]bool{}, toolIDs: map[Tool]string{}, riskIDs: map[string]string{},
	}
	if opts != nil {
		a.o = *opts
	}
	a.id = cmp.Or(a.o.ID, plan.UUID)
	a.targets()
	a.scope()
	for i := range reports {
		a.report(&reports[i], i)
	}
	a.determine()
	a.result.Risks = oscal.List(a.risks()...)
	a.findings()
	return a.finish(ssp), a.problems.err()
}

// speech says that a record speaks about a target, because of a mapping, or
// because it names the control itself (mapping is nil).
type speech struct {
	mapping *Mapping
	record  int
}

type assessor struct {
	o        AssessOptions
	id       string
	baseline *controls.Baseline
	catalog  *controls.Catalog
	system   *system
	plan     *oscal.AssessmentPlan
	now      time.Time
	problems Problems

	planned  map[string]bool // ids of the controls of the plan
	mapped   [][]string      // targets of the mappings, resolved
	records  []Record
	expires  []time.Time // of the records
	subjects []string    // uuids of what they are about
	// observed is the UUID of the observation of each record.
	observed []string
	grouped  map[string]int // observations by group
	ordinals map[string]int
	speaks   map[string][]speech // by target
	spoken   []string            // targets in order of appearance

	tools      map[string]bool // uuids of the plan's and the result's
	toolIDs    map[Tool]string
	riskIDs    map[string]string // by cause
	backMatter map[string]bool
	resources  []oscal.Resource
	local      oscal.LocalDefinitions

	ds     []Determination
	causes map[string]*Cause
	order  []*Cause
	nodes  []*Node
	result oscal.Result
	found  map[string]bool // targets that have a finding

	coverage, byControl Coverage
}

// targets resolves what the mappings speak about.
func (a *assessor) targets() {
	for i, m := range a.o.Mappings {
		for _, id := range m.Subjects {
			if a.system.names[strings.ToLower(id)] == "" {
				a.problems.add(fmt.Errorf("subject %q of the SSP %w", id, ErrUnknown), "mapping %d (%s)", i, m.Match)
			}
		}
		var ids []string
		for _, text := range m.Targets {
			if id, err := a.resolve(text); err != nil {
				a.problems.add(err, "mapping %d (%s)", i, m.Match)
			} else {
				ids = append(ids, id)
			}
		}
		a.mapped = append(a.mapped, ids)
	}
}

// resolve finds the id of an objective, statement or control.
func (a *assessor) resolve(text string) (string, error) {
	t, err := a.catalog.Find(text)
	switch {
	case err != nil:
		return "", err
	case t.Control == nil || !a.baseline.Has(t.Control):
		return "", fmt.Errorf("control %q of the baseline %w", text, ErrUnknown)
	}
	return t.ID(), nil
}

// scope notes the controls that the plan reviews.
func (a *assessor) scope() {
	for i := range a.plan.ReviewedControls.ControlSelections {
		s := &a.plan.ReviewedControls.ControlSelections[i]
		if s.IncludeAll != nil {
			for _, c := range a.baseline.Controls() {
				a.planned[c.ID()] = true
			}
		}
		for _, c := range oscal.Items(s.IncludeControls) {
			if a.catalog.Control(c.ControlId) == nil {
				a.problems.add(fmt.Errorf("control %q of the plan %w", c.ControlId, ErrUnknown), "plan")
			}
			a.planned[c.ControlId] = true
		}
		for _, c := range oscal.Items(s.ExcludeControls) {
			delete(a.planned, c.ControlId)
		}
	}
	if as := a.plan.AssessmentAssets; as != nil {
		for _, c := range oscal.Items(as.Components) {
			a.tools[c.UUID] = true
		}
	}
}

// tool returns the UUID of the component of a tool, and makes one that the plan
// does not have.
func (a *assessor) tool(t Tool) string {
	uuid, ok := a.toolIDs[t]
	if !ok {
		uuid = toolUUID(t)
		a.toolIDs[t] = uuid
		if !a.tools[uuid] {
			a.tools[uuid] = true
			a.local.Components = oscal.Append(a.local.Components, toolComponent(t))
		}
	}
	return uuid
}

func (a *assessor) evidence(e *Evidence) {
	if !a.backMatter[e.uuid()] {
		a.backMatter[e.uuid()] = true
		a.resources = append(a.resources, e.Resource())
	}
}

func (a *assessor) report(r *Report, i int) {
	name := cmp.Or(r.Name, "report "+strconv.Itoa(i+1))
	if r.Subject != "" && a.system.kinds[r.Subject] == "" {
		a.problems.add(fmt.Errorf("subject %s of the SSP %w", r.Subject, ErrUnknown), "%s", name)
	}
	if r.Tool.Name != "" {
		a.tool(r.Tool)
	}
	n := 0
	if r.Records != nil {
		for rec, err := range r.Records {
			if err != nil {
				a.problems.add(err, "%s", name)
				break
			}
			n++
			a.record(rec, r, fmt.Sprintf("%s, record %d (rule %q)", name, n, rec.Rule.ID))
		}
	}
	if r.Evidence != nil {
		a.evidence(r.Evidence)
	}
}

func (a *assessor) record(rec Record, r *Report, at string) {
	index := len(a.records)
	targets := a.speak(&rec, index, at)
	subject := a.subject(&rec, r)
	if rec.Time.IsZero() {
		rec.Time = r.Collected
	}
	if rec.Time.IsZero() {
		rec.Time = a.now
	}
	a.records = append(a.records, rec)
	a.expires = append(a.expires, r.Expires)
	a.subjects = append(a.subjects, subject.SubjectUuid)
	cause := a.cause(&rec)
	uuid := a.observe(&rec, r, subject, cause, len(targets) > 0)
	a.observed = append(a.observed, uuid)
	if rec.Outcome != OutcomeFail || rec.Suppressed || rec.Severity == Informational {
		return
	}
	c := a.causes[cause]
	if c == nil {
		c = &Cause{
			Key: cause, Title: cmp.Or(rec.Title, rec.Rule.Title, rec.Rule.ID, firstLine(rec.Message), "weakness"), Tool: rec.Tool, Rule: rec.Rule, FirstSeen: rec.Time,
			Origin: oscal.Origin{Actors: []oscal.OriginActor{{Type: "tool", ActorUuid: a.tool(rec.Tool)}}},
		}
		a.causes[cause] = c
		a.order = append(a.order, c)
	}
	c.Severity = max(c.Severity, rec.Severity)
	c.Records = append(c.Records, rec)
	if c.isNew(uuid) {
		c.Observations = append(c.Observations, uuid)
	}
	for _, s := range rec.Scores {
		addNew(&c.Scores, s)
	}
	for _, id := range rec.IDs {
		addNew(&c.IDs, id)
	}
	if c.isNew(subject.SubjectUuid) {
		c.Subjects = append(c.Subjects, subject)
	}
	if rec.Time.Before(c.FirstSeen) {
		c.FirstSeen = rec.Time
	}
	for _, t := range targets {
		target, _ := a.catalog.Find(t)
		addNew(&c.Controls, target.Control.ID())
	}
}

func addNew[T comparable](list *[]T, x T) {
	if !slices.Contains(*list, x) {
		*list = append(*list, x)
	}
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(s)
}

// cause returns the identity of what a record is about.
func (a *assessor) cause(rec *Record) string {
	if a.o.Cause != nil {
		return a.o.Cause(rec)
	}
	return strings.Join([]string{rec.Tool.Name, cmp.Or(rec.Rule.ID, rec.Title, rec.Message)}, "\x00")
}

// speak notes the targets that a record is about.
func (a *assessor) speak(rec *Record, index int, at string) []string {
	var targets []string
	say := func(target string, m *Mapping) {
		if a.speaks[target] == nil {
			a.spoken = append(a.spoken, target)
		}
		a.speaks[target] = append(a.speaks[target], speech{m, index})
		addNew(&targets, target)
	}
	for i := range a.o.Mappings {
		if m := &a.o.Mappings[i]; len(a.mapped[i]) > 0 && m.Matches(rec) {
			for _, t := range a.mapped[i] {
				say(t, m)
			}
		}
	}
	for _, text := range rec.Controls {
		id, err := a.resolve(text)
		if err != nil {
			a.problems.add(err, "%s", at)
			continue
		}
		if !slices.Contains(targets, id) {
			say(id, nil)
		}
	}
	return targets
}

// subject finds what of the SSP a record is about.
func (a *assessor) subject(rec *Record, r *Report) oscal.SubjectReference {
	uuid := a.system.names[strings.ToLower(rec.Subject.ID)]
	if rec.Subject.ID == "" || uuid == "" {
		uuid = r.Subject
	}
	if a.system.kinds[uuid] == "" {
		uuid = a.system.self
	}
	if uuid == "" {
		uuid = a.whole()
	}
	return oscal.SubjectReference{SubjectUuid: uuid, Type: cmp.Or(a.system.kinds[uuid], "component")}
}

// whole is a component that stands for the system, where the SSP has none.
func (a *assessor) whole() string {
	uuid := oscal.UUID("this-system", a.system.ssp.UUID)
	a.local.Components = oscal.Append(a.local.Components, oscal.SystemComponent{
		UUID: uuid, Type: "this-system", Title: a.system.name, Description: "The system as a whole.",
		Status: oscal.SystemComponentStatus{State: "operational"},
	})
	a.system.self, a.system.kinds[uuid] = uuid, "component"
	return uuid
}

// observe makes the observation of a record, or adds the record to that of its
// group, and returns its UUID.
func (a *assessor) observe(rec *Record, r *Report, subject oscal.SubjectReference, cause string, targeted bool) string {
	observations := oscal.Items(a.result.Observations)
	group := strings.Join([]string{cause, rec.Outcome.String(), strconv.FormatBool(rec.Suppressed)}, "\x00")
	if i, ok := a.grouped[group]; ok && a.o.Group {
		o := &observations[i]
		if !slices.ContainsFunc(oscal.Items(o.Subjects), func(s oscal.SubjectReference) bool { return s.SubjectUuid == subject.SubjectUuid }) {
			o.Subjects = oscal.Append(o.Subjects, subject)
		}
		addProp(&o.Props, oscal.PropLocation, locationOf(rec))
		if rec.Time.Before(o.Collected) {
			o.Collected = rec.Time
		}
		return o.UUID
	}
	key := []string{"observation", a.id, group}
	if !a.o.Group {
		key = append(key, rec.Subject.ID)
		if len(rec.Fingerprints) > 0 {
			key = append(key, rec.Fingerprints[0].Name, rec.Fingerprints[0].Value)
		} else {
			key = append(key, locationOf(rec), rec.Message)
		}
	}
	// Records that nothing tells apart are counted.
	name := strings.Join(key, "\x00")
	if a.ordinals[name]++; a.ordinals[name] > 1 {
		key = append(key, strconv.Itoa(a.ordinals[name]))
	}
	o := oscal.Observation{
		UUID:        oscal.UUID(key...),
		Title:       oneLine(cmp.Or(rec.Title, rec.Rule.ID, rec.Message)),
		Description: cmp.Or(strings.TrimSpace(rec.Message), strings.TrimSpace(rec.Rule.Description), rec.Title, rec.Rule.ID, "The tool says nothing about this."),
		Methods:     []string{Test.String()},
		Types:       oscal.List("discovery"),
		Origins:     oscal.List(oscal.Origin{Actors: []oscal.OriginActor{{Type: "tool", ActorUuid: a.tool(rec.Tool)}}}),
		Subjects:    oscal.List(subject),
		Collected:   rec.Time,
	}
	if targeted {
		o.Types = oscal.List("control-objective")
	}
	ps := make(props, 0, 10)
	ps.add(oscal.PropOutcome, rec.Outcome.String())
	ps.add(oscal.PropRawOutcome, rec.RawOutcome)
	if rec.Severity != 0 {
		ps.add(oscal.PropSeverity, rec.Severity.String())
	}
	ps.add(oscal.PropRawSeverity, rec.RawSeverity)
	ps.add(oscal.PropRule, rec.Rule.ID)
	if len(rec.Fingerprints) > 0 && !a.o.Group {
		ps.add(oscal.PropFingerprint, rec.Fingerprints[0].Name+"="+rec.Fingerprints[0].Value)
	}
	if rec.Suppressed {
		ps.add(oscal.PropSuppressed, cmp.Or(rec.Suppression, "yes"))
	}
	ps.add(oscal.PropLocation, locationOf(rec))
	ps.add(oscal.PropID, a.riskID(cause))
	o.Props = oscal.List(ps...)
	if rec.Rule.Help != "" && !strings.ContainsAny(rec.Rule.Help, " \t\r\n") {
		o.Links = oscal.List(oscal.Link{Href: rec.Rule.Help, Rel: "reference"})
	}
	if r.Evidence != nil {
		o.RelevantEvidence = oscal.List(r.Evidence.relevant())
	}
	if !r.Expires.IsZero() {
		o.Expires = new(r.Expires)
	}
	if a.grouped == nil {
		a.grouped = map[string]int{}
	}
	a.grouped[group] = len(observations)
	a.result.Observations = oscal.Append(a.result.Observations, o)
	return o.UUID
}

// addProp adds a prop of the project, if it is not there yet.
func addProp(list **[]oscal.Property, name, value string) {
	props := props(oscal.Items(*list))
	props.add(name, value)
	*list = oscal.List(props...)
}

// props are props of the project in the making.
type props []oscal.Property

// add adds a prop, unless it is there or has no value; white space is made such
// as props allow.
func (ps *props) add(name, value string) {
	if value = oneLine(value); value == "" {
		return
	}
	if p := (oscal.Property{Ns: oscal.Namespace, Name: name, Value: value}); !slices.Contains(*ps, p) {
		*ps = append(*ps, p)
	}
}

func oneLine(s string) string {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == ' ' && (i == 0 || i == len(s)-1 || s[i-1] == ' ') {
			return strings.Join(strings.Fields(s), " ")
		}
	}
	return s
}

func locationOf(rec *Record) string {
	if len(rec.Locations) == 0 {
		return rec.Subject.ID
	}
	l := rec.Locations[0]
	s := l.URI
	if l.Line > 0 {
		s += ":" + strconv.Itoa(l.Line)
		if l.Column > 0 {
			s += ":" + strconv.Itoa(l.Column)
		}
	}
	if s == "" {
		s = l.Logical
	}
	return s
}

// determine makes the determinations of tools and checks those of people.
func (a *assessor) determine() {
	for _, target := range a.spoken {
		for _, group := range byMapping(a.speaks[target]) {
			m := group[0].mapping
			if m == nil {
				m = &Mapping{} // a reference of the report: never enough to be satisfied
			}
			var records []Record
			d := Determination{Target: target, Method: Test, mapping: m}
			for _, s := range group {
				records = append(records, a.records[s.record])
				d.records = append(d.records, s.record)
				d.Expires = earlier(d.Expires, a.expires[s.record])
			}
			// What counts is how many subjects of the system pass, not how many files.
			for i := range records {
				records[i].Subject.ID = a.subjects[group[i].record]
			}
			d.Verdict, d.Rationale = a.inSystem(m).Decide(records)
			d.Rationale = fmt.Sprintf("rule %s: %s", ruleNames(records), d.Rationale)
			a.ds = append(a.ds, d)
		}
	}
	for i, d := range a.o.Determinations {
		at := fmt.Sprintf("determination %d", i+1)
		id, err := a.resolve(d.Target)
		if err != nil {
			a.problems.add(err, "%s", at)
			continue
		}
		if d.Examiner != "" && !slices.ContainsFunc(a.parties(), func(p oscal.Party) bool { return p.UUID == d.Examiner }) {
			a.problems.add(fmt.Errorf("examiner %s among the parties %w", d.Examiner, ErrUnknown), "%s", at)
			d.Examiner = ""
		}
		if d.Verdict == 0 || int(d.Verdict) >= len(verdictNames) {
			a.problems.add(fmt.Errorf("the verdict about %s %w", id, ErrMissing), "%s", at)
			continue
		}
		d.Target = id
		if d.Date.IsZero() {
			d.Date = a.now
		}
		for j := range d.Evidence {
			d.Expires = earlier(d.Expires, d.Evidence[j].Expires)
		}
		a.ds = append(a.ds, d)
		a.person(&a.ds[len(a.ds)-1], i)
	}
	determined := map[*controls.Control]bool{}
	for _, d := range a.ds {
		t, _ := a.catalog.Find(d.Target)
		determined[t.Control] = true
	}
	roller := newRoller(a.ds, a.now)
	for _, c := range a.baseline.Controls() {
		if a.planned[c.ID()] || determined[c] {
			n := roller.control(c)
			a.nodes = append(a.nodes, n)
			a.coverage.Add(n)
			a.byControl.count(n.Verdict)
		}
	}
}

// inSystem returns a mapping whose sample is given by UUIDs of the SSP.
func (a *assessor) inSystem(m *Mapping) *Mapping {
	out := *m
	out.Subjects = nil
	for _, id := range m.Subjects {
		out.Subjects = append(out.Subjects, cmp.Or(a.system.names[strings.ToLower(id)], id))
	}
	return &out
}

// earlier returns the earlier of two times, of which the zero one is never.
func earlier(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

func (a *assessor) parties() []oscal.Party {
	return append(slices.Clone(oscal.Items(a.o.Metadata.Parties)), oscal.Items(a.system.ssp.Metadata.Parties)...)
}

// byMapping splits what was said about a target by mapping, in order.
func byMapping(all []speech) [][]speech {
	var out [][]speech
	index := map[*Mapping]int{}
	for _, s := range all {
		i, ok := index[s.mapping]
		if !ok {
			i = len(out)
			index[s.mapping] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], s)
	}
	return out
}

func ruleNames(records []Record) string {
	var names []string
	for _, r := range records {
		addNew(&names, cmp.Or(r.Rule.ID, r.Title, "without id"))
	}
	if len(names) > 5 {
		names = append(names[:5:5], fmt.Sprintf("and %d more", len(names)-5))
	}
	return strings.Join(names, ", ")
}

// person makes the observation of a person's determination, and the cause of a
// risk if something is wrong.
func (a *assessor) person(d *Determination, i int) {
	o := oscal.Observation{
		UUID:        oscal.UUID("observation", a.id, "determination", d.Target, d.Examiner, d.Date.UTC().Format(time.RFC3339), strconv.Itoa(i)),
		Title:       "Determination of " + d.Target,
		Description: cmp.Or(strings.TrimSpace(d.Rationale), "The examiner gave no rationale."),
		Methods:     []string{d.Method.String()},
		Types:       oscal.List("control-objective"),
		Collected:   d.Date,
	}
	origin := oscal.Origin{}
	if d.Examiner != "" {
		origin.Actors = []oscal.OriginActor{{Type: "party", ActorUuid: d.Examiner}}
		o.Origins = oscal.List(origin)
	}
	addProp(&o.Props, oscal.PropOutcome, d.Verdict.String())
	if !d.Expires.IsZero() {
		o.Expires = new(d.Expires)
	}
	for j := range d.Evidence {
		a.evidence(&d.Evidence[j])
		o.RelevantEvidence = oscal.Append(o.RelevantEvidence, d.Evidence[j].relevant())
	}
	a.result.Observations = oscal.Append(a.result.Observations, o)
	d.records = []int{len(a.observed)}
	a.observed = append(a.observed, o.UUID)
	a.records = append(a.records, Record{})
	a.expires = append(a.expires, time.Time{})
	a.subjects = append(a.subjects, "")
	if d.Verdict != NotSatisfied || !d.Expires.IsZero() && !a.now.Before(d.Expires) {
		return
	}
	t, _ := a.catalog.Find(d.Target)
	key := "determination\x00" + d.Target
	c := a.causes[key]
	if c == nil {
		c = &Cause{Key: key, Title: "Not satisfied: " + d.Target, Controls: []string{t.Control.ID()}, FirstSeen: d.Date, Origin: origin, determination: d}
		a.causes[key] = c
		a.order = append(a.order, c)
	}
	if d.Date.Before(c.FirstSeen) {
		c.FirstSeen = d.Date
	}
	c.Severity = max(c.Severity, cmp.Or(d.Severity, Medium))
	c.Observations = append(c.Observations, o.UUID)
}

// riskID is the UUID of the risk of a cause: the same in every assessment of the
// system.
func (a *assessor) riskID(cause string) string {
	id, ok := a.riskIDs[cause]
	if !ok {
		id = oscal.UUID("risk", a.system.ssp.UUID, cause)
		a.riskIDs[cause] = id
	}
	return id
}

// risks makes one risk of each cause.
func (a *assessor) risks() []oscal.Risk {
	place := map[string]int{}
	for i, c := range a.baseline.Controls() {
		place[c.ID()] = i
	}
	var out []oscal.Risk
	for _, c := range a.order {
		slices.SortFunc(c.Controls, func(x, y string) int { return cmp.Compare(place[x], place[y]) })
		r := oscal.Risk{
			UUID: a.riskID(c.Key), Title: oneLine(c.Title), Status: "open",
			Description: c.description(), Statement: c.statement(),
		}
		addProp(&r.Props, oscal.PropSeverity, c.Severity.String())
		addProp(&r.Props, oscal.PropFirstSeen, DateOf(c.FirstSeen).String())
		addProp(&r.Props, oscal.PropRule, c.Rule.ID)
		for _, id := range c.Controls {
			addProp(&r.Props, oscal.PropControl, id)
		}
		if len(c.Origin.Actors) > 0 {
			r.Origins = oscal.List(c.Origin)
		}
		for _, id := range c.IDs {
			if strings.HasPrefix(id, "CVE-") {
				r.ThreatIds = oscal.Append(r.ThreatIds, oscal.ThreatId{System: "http://cve.mitre.org", ID: id, Href: "https://www.cve.org/CVERecord?id=" + id})
			}
		}
		for _, uuid := range c.Observations {
			r.RelatedObservations = oscal.Append(r.RelatedObservations, oscal.RelatedObservation{ObservationUuid: uuid})
		}
		r.Characterizations = oscal.List(a.rate(c)...)
		if a.o.Policy != nil {
			due, ok, err := a.o.Policy.Due(DateOf(c.FirstSeen), c.Severity)
			if err != nil {
				a.problems.add(err, "risk %s (%s)", r.UUID, c.Title)
			} else if ok {
				r.Deadline = deadline(due)
				addProp(&r.Props, oscal.PropDue, due.String())
			}
		}
		if fixes := c.fixes(); fixes != "" {
			r.Remediations = oscal.List(oscal.Response{
				UUID: oscal.UUID("response", r.UUID, "recommendation"), Lifecycle: "recommendation",
				Title: "Advice of the tool", Description: fixes,
			})
		}
		out = append(out, r)
	}
	return out
}

func (a *assessor) rate(c *Cause) []oscal.Characterization {
	if a.o.Rate != nil {
		return a.o.Rate(c)
	}
	if len(c.Origin.Actors) == 0 {
		return nil // a characterization needs one who made it
	}
	return []oscal.Characterization{{
		Origin: c.Origin,
		Facets: []oscal.Facet{{
			Name: "severity", System: "http://csrc.nist.gov/ns/oscal", Value: c.Severity.String(),
			Props: oscal.List(oscal.Property{Name: "state", Value: "initial"}),
		}},
	}}
}

func (c *Cause) description() string {
	if c.determination != nil {
		return cmp.Or(strings.TrimSpace(c.determination.Rationale), c.Title)
	}
	return cmp.Or(strings.TrimSpace(c.Rule.Description), strings.TrimSpace(c.Records[0].Message), c.Title)
}

// statement says what the risk rests on.
func (c *Cause) statement() string {
	if c.determination != nil {
		return fmt.Sprintf("An examiner found %s not satisfied (%s).", c.determination.Target, c.Severity)
	}
	var places []string
	seen := map[string]bool{}
	for i := range c.Records {
		if p := cmp.Or(locationOf(&c.Records[i]), "the system"); !seen[p] {
			seen[p] = true
			places = append(places, p)
		}
	}
	s := fmt.Sprintf("%s reports %s with severity %s at %d places", cmp.Or(c.Tool.Name, "A tool"), cmp.Or(c.Rule.ID, c.Title), c.Severity, len(places))
	if len(places) == 1 {
		s = strings.TrimSuffix(s, "s")
	}
	if len(c.IDs) > 0 {
		s += " (" + strings.Join(c.IDs, ", ") + ")"
	}
	if len(places) > 10 {
		places = append(places[:10:10], "and others")
	}
	return s + ": " + strings.Join(places, ", ") + "."
}

func (c *Cause) fixes() string {
	var fixes []string
	for i := range c.Records {
		if f := strings.TrimSpace(c.Records[i].Fix); f != "" && len(fixes) < 10 {
			addNew(&fixes, f)
		}
	}
	return strings.Join(fixes, "\n\n")
}

// findings makes the findings of all nodes that have a verdict.
func (a *assessor) findings() {
	a.found = map[string]bool{}
	byObservation := map[string]string{}
	for _, r := range oscal.Items(a.result.Risks) {
		for _, o := range oscal.Items(r.RelatedObservations) {
			byObservation[o.ObservationUuid] = r.UUID
		}
	}
	for _, n := range a.nodes {
		c := a.catalog.Control(n.ID)
		for _, child := range n.Children {
			a.findingsUnder(child, c, byObservation)
		}
		if top := c.Top(); len(top) > 0 && top[0].ID() != "" && !a.found[top[0].ID()] && (n.Verdict == Satisfied || n.Verdict == NotSatisfied) {
			f := a.finding(n, top[0].ID(), "statement-id", allUnder(n), byObservation)
			f.Title = c.Label() + " " + c.Title()
			f.Description = "The verdict about the control, rolled up from its objectives and statements."
			f.Remarks = strings.TrimSpace(n.Explain())
			addProp(&f.Props, oscal.PropDetermination, "roll-up")
			a.result.Findings = oscal.Append(a.result.Findings, f)
		}
	}
}

func (a *assessor) findingsUnder(n *Node, c *controls.Control, byObservation map[string]string) {
	isTop := c.Top() != nil && n.ID == c.Top()[0].ID() && !n.isLeaf() // that is the control's
	if (n.isLeaf() || len(n.Own) > 0) && !isTop && n.ID != "" && (n.Verdict == Satisfied || n.Verdict == NotSatisfied) {
		kind := "objective-id"
		if n.Kind == "statement" {
			kind = "statement-id"
		}
		a.found[n.ID] = true
		f := a.finding(n, n.ID, kind, n.Own, byObservation)
		f.Title = c.Label() + ": " + n.ID
		f.Description = describe(n.Own)
		how := "automatic"
		if slices.ContainsFunc(n.Own, func(d Determination) bool { return d.mapping == nil }) {
			how = "examiner"
		}
		addProp(&f.Props, oscal.PropDetermination, how)
		a.result.Findings = oscal.Append(a.result.Findings, f)
	}
	for _, child := range n.Children {
		a.findingsUnder(child, c, byObservation)
	}
}

func describe(ds []Determination) string {
	var lines []string
	for _, d := range ds {
		lines = append(lines, oneLine(d.String()))
	}
	return cmp.Or(strings.Join(lines, "\n\n"), "Rolled up from what is inside.")
}

// allUnder collects the determinations of a tree, each once.
func allUnder(n *Node) []Determination {
	var out []Determination
	seen := map[string]bool{}
	var walk func(n *Node)
	walk = func(n *Node) {
		for _, d := range n.Own {
			key := fmt.Sprint(d.Target, d.records)
			if !seen[key] {
				seen[key] = true
				out = append(out, d)
			}
		}
		for _, c := range n.Children {
			walk(c)
		}
	}
	walk(n)
	return out
}

func (a *assessor) finding(n *Node, target, kind string, ds []Determination, byObservation map[string]string) oscal.Finding {
	f := oscal.Finding{
		UUID:   oscal.UUID("finding", a.id, target),
		Target: oscal.FindingTarget{Type: kind, TargetId: target, Status: oscal.ObjectiveStatus{State: n.Verdict.String(), Reason: "pass"}},
	}
	if n.Verdict == NotSatisfied {
		f.Target.Status.Reason = "fail"
	}
	if t, err := a.catalog.Find(target); err == nil {
		for s := t.Statement; s != nil && f.ImplementationStatementUuid == ""; s = s.Parent() {
			f.ImplementationStatementUuid = a.system.statements[s.ID()]
		}
	}
	seen := map[string]bool{}
	isNew := func(uuid string) bool {
		was := seen[uuid]
		seen[uuid] = true
		return uuid != "" && !was
	}
	origin := func(kind, uuid string) {
		if isNew(uuid) {
			f.Origins = oscal.Append(f.Origins, oscal.Origin{Actors: []oscal.OriginActor{{Type: kind, ActorUuid: uuid}}})
		}
	}
	for _, d := range ds {
		if d.mapping == nil {
			origin("party", d.Examiner)
		}
		for _, i := range d.records {
			if d.mapping != nil {
				origin("tool", a.tool(a.records[i].Tool))
			}
			uuid := a.observed[i]
			if isNew(uuid) {
				f.RelatedObservations = oscal.Append(f.RelatedObservations, oscal.RelatedObservation{ObservationUuid: uuid})
			}
			if risk := byObservation[uuid]; n.Verdict == NotSatisfied && isNew(risk) {
				f.RelatedRisks = oscal.Append(f.RelatedRisks, oscal.AssociatedRisk{RiskUuid: risk})
			}
		}
	}
	return f
}

// finish puts the document together.
func (a *assessor) finish(ssp *oscal.SystemSecurityPlan) *Results {
	res := &a.result
	res.UUID = oscal.UUID("result", a.id)
	res.Title = "Results of the assessment of " + a.system.name
	res.Description = fmt.Sprintf("Controls: %s. Objectives: %s.", a.byControl, a.coverage)
	res.Start = a.now
	for _, o := range oscal.Items(res.Observations) {
		if o.Collected.Before(res.Start) {
			res.Start = o.Collected
		}
	}
	res.End = new(a.now)
	addProp(&res.Props, oscal.PropCoverage, fmt.Sprintf("%d/%d", a.coverage.Assessed(), a.coverage.Applicable()))
	if a.local.Components != nil {
		res.LocalDefinitions = &a.local
	}
	// What was really looked at; the plan, if that was nothing.
	var looked []*controls.Control
	for _, n := range a.nodes {
		if len(allUnder(n)) > 0 {
			looked = append(looked, a.catalog.Control(n.ID))
		}
	}
	res.ReviewedControls = a.plan.ReviewedControls
	if looked != nil {
		res.ReviewedControls = reviewed(looked)
	}
	doc := &oscal.AssessmentResults{
		UUID:     oscal.UUID("assessment-results", a.id),
		Metadata: fillMetadata(a.o.Metadata, "Assessment Results: "+a.system.name, ssp, a.now),
		ImportAp: oscal.ImportAp{Href: cmp.Or(a.o.Plan, "assessment-plan.json")},
		Results:  []oscal.Result{*res},
	}
	if a.resources != nil {
		doc.BackMatter = &oscal.BackMatter{Resources: oscal.List(a.resources...)}
	}
	return &Results{Document: doc, Controls: a.nodes, Coverage: a.coverage, ByControl: a.byControl, Causes: a.order}
}
