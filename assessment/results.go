package assessment

import (
	"cmp"
	"fmt"
	"iter"
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
	Tool     Tool   // default: that of the records, those with Run set included; without any nobody else tells that it ran
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
// Each record becomes an observation, as does a report without records, or one
// that broke off. Texts of records and determinations are plain and are escaped
// where a document holds markup. What was found on a day after that of the
// assessment is a problem, and counts as found now. Where the record names controls, or a
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
		grouped: map[string]*observationGroup{}, matches: map[string][]int{}, late: map[time.Time]bool{},
	}
	if opts != nil {
		a.o = *opts
	}
	a.id = cmp.Or(a.o.ID, plan.UUID)
	a.titles = a.allEvidence(reports)
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

type assessor struct {
	o        AssessOptions
	id       string
	baseline *controls.Baseline
	catalog  *controls.Catalog
	system   *system
	plan     *oscal.AssessmentPlan
	now      time.Time
	problems Problems
	late     map[time.Time]bool // times after the assessment that were told

	planned  map[string]bool  // ids of the controls of the plan
	mapped   [][]string       // targets of the mappings, resolved
	matches  map[string][]int // mappings that match, by what they look at
	records  []Record
	expires  []time.Time // of the records
	subjects []string    // uuids of what they are about
	// observed is the UUID of the observation of each record.
	observed []string
	grouped  map[string]*observationGroup
	ordinals map[string]int
	speaks   map[string][]speech // by target
	spoken   []string            // targets in order of appearance

	tools      map[string]bool // uuids of the plan's and the result's
	toolIDs    map[Tool]string
	riskIDs    map[string]string // by cause
	titles     map[string]string // of evidence by uuid
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

// allEvidence returns the titles of the evidence of reports and determinations.
func (a *assessor) allEvidence(reports []Report) map[string]string {
	var all []*Evidence
	for i := range reports {
		if e := reports[i].Evidence; e != nil {
			all = append(all, e)
		}
	}
	for i := range a.o.Determinations {
		for j := range a.o.Determinations[i].Evidence {
			all = append(all, &a.o.Determinations[i].Evidence[j])
		}
	}
	return tellApart(all)
}

func (a *assessor) evidence(e *Evidence) {
	if !a.backMatter[e.uuid()] {
		a.backMatter[e.uuid()] = true
		r := e.Resource()
		r.Title = title(a.titles[r.UUID])
		a.resources = append(a.resources, r)
	}
}

func (a *assessor) relevant(e *Evidence) oscal.RelevantEvidence {
	return oscal.RelevantEvidence{Href: "#" + e.uuid(), Description: title(a.titles[e.uuid()])}
}

// past returns a time, or that of the assessment if it is on a later day: nothing
// was found out after it. That is a problem, one for each time and input.
func (a *assessor) past(t time.Time, at string, args ...any) time.Time {
	if DateOf(t.In(a.now.Location())).Compare(DateOf(a.now)) <= 0 {
		return t
	}
	if at = fmt.Sprintf(at, args...); !a.late[t] {
		a.late[t] = true
		a.problems.add(fmt.Errorf("the time %s %w: it is after that of the assessment, %s", t.Format(time.RFC3339), ErrRange, a.now.Format(time.RFC3339)), "%s", at)
	}
	return a.now
}

func (a *assessor) report(r *Report, i int) {
	name := cmp.Or(r.Name, "report "+strconv.Itoa(i+1))
	if r.Subject != "" && a.system.kinds[r.Subject] == "" {
		a.problems.add(fmt.Errorf("subject %s of the SSP %w", r.Subject, ErrUnknown), "%s", name)
	}
	n, tool := 0, r.Tool
	broke := false
	clear(a.late)
	if r.Records != nil {
		for rec, err := range r.Records {
			if err != nil {
				a.problems.add(err, "%s", name)
				broke = true
				break
			}
			n++
			tool = cmp.Or(tool, rec.Tool)
			if rec.Run {
				a.note(r, i, &rec, fmt.Sprintf("%s, record %d (run of %s)", name, n, line(rec.Tool.Name, "a tool")))
				continue
			}
			a.record(rec, r, fmt.Sprintf("%s, record %d (rule %q)", name, n, rec.Rule.ID))
		}
	}
	switch {
	case tool.Name == "":
	case broke:
		a.note(r, i, &Record{Tool: tool, Outcome: OutcomeError, Message: "The report could not be read to its end; what else it holds is not known."}, name)
	case n == 0:
		a.note(r, i, &Record{Tool: tool, Outcome: OutcomeInformational, Message: "The tool ran and reported nothing."}, name)
	}
	if r.Evidence != nil {
		a.evidence(r.Evidence)
	}
}

// note makes an observation about a run of a tool, or a report as a whole.
func (a *assessor) note(r *Report, i int, run *Record, at string) {
	when := run.Time
	for _, t := range []time.Time{r.Collected, a.now} {
		if when.IsZero() {
			when = t
		}
	}
	tool := run.Tool
	key := []string{"observation", a.id, "report", strconv.Itoa(i), tool.Name, tool.Version}
	name := strings.Join(key, "\x00")
	if a.ordinals[name]++; a.ordinals[name] > 1 { // another run of the tool
		key = append(key, strconv.Itoa(a.ordinals[name]))
	}
	o := oscal.Observation{
		UUID: oscal.UUID(key...), Title: title("Report of " + line(tool.Name, "a tool")), Description: prose(run.Message, "The tool ran."),
		Methods: []string{Test.String()}, Types: oscal.List("discovery"), Collected: a.past(when, "%s", at),
		Origins: oscal.List(oscal.Origin{Actors: []oscal.OriginActor{{Type: "tool", ActorUuid: a.tool(tool)}}}),
	}
	if a.system.kinds[r.Subject] != "" {
		o.Subjects = oscal.List(oscal.SubjectReference{SubjectUuid: r.Subject, Type: a.system.kinds[r.Subject]})
	}
	addProp(&o.Props, oscal.PropOutcome, run.Outcome.String())
	addProp(&o.Props, oscal.PropRawOutcome, run.RawOutcome)
	if r.Evidence != nil {
		o.RelevantEvidence = oscal.List(a.relevant(r.Evidence))
	}
	a.result.Observations = oscal.Append(a.result.Observations, o)
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
	for _, o := range oscal.Items(res.Observations) {
		if o.Collected.After(*res.End) { // later on the day
			res.End = new(o.Collected)
		}
	}
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
