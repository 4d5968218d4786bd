package assessment

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/issokit/issokit/controls"
	"github.com/issokit/issokit/oscal"
)

// PlanOptions configure [NewPlan]; nil means the defaults.
type PlanOptions struct {
	ID       string         // stable name, from which all UUIDs are derived; default: the UUID of the SSP
	Metadata oscal.Metadata // parties, roles and what else the caller wants there; title, version, dates are filled in
	SSP      string         // where the SSP lies, seen from the plan; default "ssp.json"

	Controls []string // ids of the controls in scope; default: all of the baseline
	Methods  []Method // default: all
	Tools    []Tool   // that are used
	// Start and End are the days between which the assessment is held; without
	// them the tasks have no timing.
	Start, End Date
	// Frequency says how often a control is assessed; the zero Frequency, and nil,
	// is once.
	Frequency func(c *controls.Control) Frequency
	// Sampling says how many items of the inventory are looked at for one
	// activity, Seed which ones, Stratum what kind an item is of. Default: all.
	Sampling Sampling
	Seed     []byte
	Stratum  func(item oscal.InventoryItem) string
}

// NewPlan plans the assessment of a system: one activity for each assessment
// method of each control, with the objects of the method as its steps; the
// objectives of all controls; as subjects the components that the SSP says meet
// a control, the items of the inventory on which they run, and the users for
// interviews; a task for each family and frequency, and a milestone that depends
// on them all.
//
// A control without method parts is planned with EXAMINE, or what else the
// options name. The error is a [Problems] with all unknown controls, methods and
// rules that make no sense; the plan of the rest is returned with it.
func NewPlan(b *controls.Baseline, ssp *oscal.SystemSecurityPlan, now time.Time, opts *PlanOptions) (*oscal.AssessmentPlan, error) {
	p := &planner{baseline: b, system: newSystem(ssp)}
	if opts != nil {
		p.o = *opts
	}
	p.id = cmp.Or(p.o.ID, ssp.UUID)
	plan := &oscal.AssessmentPlan{
		UUID:      oscal.UUID("assessment-plan", p.id),
		Metadata:  fillMetadata(p.o.Metadata, "Assessment Plan: "+p.system.name, ssp, now),
		ImportSsp: oscal.ImportSsp{Href: cmp.Or(p.o.SSP, "ssp.json")},
	}
	scope := p.scope()
	plan.ReviewedControls = reviewed(scope)
	plan.AssessmentSubjects = oscal.List(p.system.all()...)
	plan.AssessmentAssets = assets(p.id, p.o.Tools)
	var activities []oscal.Activity
	tasks := p.tasks()
	for _, c := range scope {
		var f Frequency
		if p.o.Frequency != nil {
			f = p.o.Frequency(c)
		}
		if err := f.check(); err != nil && !f.IsZero() {
			p.problems.add(err, "frequency of control %s", c.ID())
			f = Frequency{}
		}
		as := p.activities(c)
		activities = append(activities, as...)
		tasks.add(c, f, as)
	}
	if len(activities) > 0 {
		plan.LocalDefinitions = &oscal.LocalDefinitions{Activities: oscal.List(activities...)}
	}
	plan.Tasks = oscal.List(tasks.list()...)
	return plan, p.problems.err()
}

type planner struct {
	o        PlanOptions
	id       string
	baseline *controls.Baseline
	system   *system
	problems Problems
}

func (p *planner) scope() []*controls.Control {
	if p.o.Controls == nil {
		return p.baseline.Controls()
	}
	wanted := map[string]bool{}
	for i, id := range p.o.Controls {
		if c := p.baseline.Catalog().Control(id); c == nil || !p.baseline.Has(c) {
			p.problems.add(fmt.Errorf("control %q of the baseline %w", id, ErrUnknown), "controls[%d]", i)
		}
		wanted[id] = true
	}
	return slices.DeleteFunc(slices.Clone(p.baseline.Controls()), func(c *controls.Control) bool { return !wanted[c.ID()] })
}

// reviewed selects controls with all their statements, and their leaf
// objectives.
func reviewed(cs []*controls.Control) oscal.ReviewedControls {
	var selected []oscal.AssessedControlsSelectControlById
	var objectives []oscal.SelectObjectiveById
	for _, c := range cs {
		s := oscal.AssessedControlsSelectControlById{ControlId: c.ID()}
		for _, st := range c.Statements() {
			if st.ID() != "" {
				s.StatementIds = oscal.Append(s.StatementIds, st.ID())
			}
		}
		selected = append(selected, s)
		for _, o := range c.Leaves() {
			if !o.IsStatement() {
				objectives = append(objectives, oscal.SelectObjectiveById{ObjectiveId: o.ID()})
			}
		}
	}
	r := oscal.ReviewedControls{ControlSelections: []oscal.AssessedControls{{}}}
	if selected == nil {
		r.ControlSelections[0].IncludeAll = &map[string]any{}
	} else {
		r.ControlSelections[0].IncludeControls = &selected
	}
	if objectives != nil {
		r.ControlObjectiveSelections = oscal.List(oscal.ReferencedControlObjectives{IncludeObjectives: &objectives})
	}
	return r
}

// activities makes one activity for each method of a control.
func (p *planner) activities(c *controls.Control) []oscal.Activity {
	wanted := func(m Method) bool { return len(p.o.Methods) == 0 || slices.Contains(p.o.Methods, m) }
	related := reviewed([]*controls.Control{c})
	var out []oscal.Activity
	add := func(m Method, n int, name string, objects []string) {
		key := []string{"activity", p.id, c.ID(), name}
		if n > 0 {
			key = append(key, strconv.Itoa(n))
		}
		r := related
		a := oscal.Activity{
			UUID:            oscal.UUID(key...),
			Title:           strings.TrimSpace(title(verbs[m]+" "+c.Label()) + " " + c.Title()), // a title of a catalog is markup
			Description:     descriptions[m],
			Props:           oscal.List(oscal.Property{Name: "method", Value: m.String()}),
			RelatedControls: &r,
		}
		for i, text := range objects {
			text, err := p.baseline.Catalog().Prose(text, nil)
			if err != nil {
				p.problems.add(err, "method %s of control %s", name, c.ID())
			}
			a.Steps = oscal.Append(a.Steps, oscal.Step{UUID: oscal.UUID(append(key, "step", strconv.Itoa(i))...), Description: text})
		}
		out = append(out, a)
	}
	if len(c.Methods()) == 0 {
		methods := p.o.Methods
		if methods == nil {
			methods = []Method{Examine}
		}
		for _, m := range methods {
			add(m, 0, m.String(), nil)
		}
		return out
	}
	count := map[Method]int{}
	for _, part := range c.Methods() {
		var m Method
		if err := m.UnmarshalText([]byte(part.Kind())); err != nil || m == 0 {
			p.problems.add(fmt.Errorf("%q %w method (EXAMINE, INTERVIEW, TEST)", part.Kind(), ErrValue), "a method of control %s", c.ID())
			continue
		}
		if wanted(m) {
			add(m, count[m], m.String(), part.Objects())
		}
		count[m]++
	}
	return out
}

var (
	verbs        = map[Method]string{Examine: "Examine", Interview: "Interview about", Test: "Test"}
	descriptions = map[Method]string{
		Examine:   "Check, inspect, review, observe, study or analyze the objects of the steps, and determine the objectives.",
		Interview: "Hold discussions with the people of the steps, and determine the objectives.",
		Test:      "Exercise the objects of the steps under specified conditions, compare actual with expected behavior, and determine the objectives.",
	}
)

// taskList collects the activities of one family and frequency in one task.
type taskList struct {
	*planner
	order []string
	tasks map[string]*oscal.Task
}

func (p *planner) tasks() *taskList { return &taskList{planner: p, tasks: map[string]*oscal.Task{}} }

func (l *taskList) add(c *controls.Control, f Frequency, activities []oscal.Activity) {
	if len(activities) == 0 {
		return
	}
	key := c.Family().ID() + " " + f.String()
	t := l.tasks[key]
	if t == nil {
		title := c.Family().Title()
		if title == "" {
			title = "controls outside of groups"
		}
		t = &oscal.Task{
			UUID: oscal.UUID("task", l.id, c.Family().ID(), f.String()), Type: "action",
			Title: "Assess " + title, Timing: l.timing(),
		}
		if !f.IsZero() {
			t.Title += ", " + f.every()
			t.Timing = f.timing()
			t.Props = oscal.List(oscal.Property{Ns: oscal.Namespace, Name: oscal.PropAssessmentFrequency, Value: f.String()})
		}
		l.tasks[key] = t
		l.order = append(l.order, key)
	}
	for _, a := range activities {
		subjects := l.subjects(c, a)
		t.AssociatedActivities = oscal.Append(t.AssociatedActivities, oscal.AssociatedActivity{ActivityUuid: a.UUID, Subjects: subjects})
	}
}

func (l *taskList) timing() *oscal.EventTiming {
	switch {
	case l.o.Start.IsZero() && l.o.End.IsZero():
		return nil
	case l.o.Start.IsZero() || l.o.End.IsZero() || l.o.Start == l.o.End:
		day := l.o.Start
		if day.IsZero() {
			day = l.o.End
		}
		return &oscal.EventTiming{OnDate: &oscal.OnDateCondition{Date: day.In(time.UTC)}}
	}
	return &oscal.EventTiming{WithinDateRange: &oscal.OnDateRangeCondition{Start: l.o.Start.In(time.UTC), End: l.o.End.In(time.UTC)}}
}

func (l *taskList) list() []oscal.Task {
	if !l.o.Start.IsZero() && !l.o.End.IsZero() && l.o.End.Compare(l.o.Start) < 0 {
		l.problems.add(fmt.Errorf("the end %s %w: it is before the start %s", l.o.End, ErrRange, l.o.Start), "options")
	}
	var out []oscal.Task
	end := oscal.Task{UUID: oscal.UUID("task", l.id, "report"), Type: "milestone", Title: "Report the results"}
	if !l.o.End.IsZero() {
		end.Timing = &oscal.EventTiming{OnDate: &oscal.OnDateCondition{Date: l.o.End.In(time.UTC)}}
	}
	for _, key := range l.order {
		t := *l.tasks[key]
		out = append(out, t)
		end.Dependencies = oscal.Append(end.Dependencies, oscal.TaskDependency{TaskUuid: t.UUID})
	}
	if out == nil {
		return nil
	}
	return append(out, end)
}

// subjects are what one activity looks at.
func (l *taskList) subjects(c *controls.Control, a oscal.Activity) []oscal.AssessmentSubject {
	if oscal.Items(a.Props)[0].Value == Interview.String() {
		if users := l.system.users(); users != nil {
			return []oscal.AssessmentSubject{*users}
		}
	}
	components := l.system.components[c.ID()]
	if len(components) == 0 {
		return l.system.all()
	}
	out := []oscal.AssessmentSubject{selectSubjects("component", components)}
	if items := l.system.inventory(components); len(items) > 0 {
		var stratum func(string) string
		if l.o.Stratum != nil {
			stratum = func(id string) string { return l.o.Stratum(l.system.items[id]) }
		}
		// Another control draws another sample, with the same seed.
		sample, err := l.o.Sampling.Select(items, append(slices.Clone(l.o.Seed), []byte(a.UUID)...), stratum)
		switch {
		case err != nil:
			l.problems.add(err, "sampling for control %s", c.ID())
		case len(sample.Selected) > 0:
			slices.Sort(sample.Selected)
			s := selectSubjects("inventory-item", sample.Selected)
			if len(sample.Reserve) > 0 {
				s.Props = oscal.List(oscal.Property{Ns: oscal.Namespace, Name: oscal.PropSample, Value: sample.String()})
			}
			out = append(out, s)
		}
	}
	return out
}

// toolUUID is the same in the plan and in the results.
func toolUUID(t Tool) string { return oscal.UUID("tool", t.Name, t.Version) }

func toolComponent(t Tool) oscal.SystemComponent {
	c := oscal.SystemComponent{
		UUID: toolUUID(t), Type: "software", Title: title(t.Name, "unnamed tool"), Remarks: original(t.Name, line(t.Name)),
		Description: "A tool that is used in the assessment.", Status: oscal.SystemComponentStatus{State: "operational"},
	}
	if v := oneLine(t.Version); v != "" {
		c.Props = oscal.List(oscal.Property{Name: "version", Value: v, Remarks: original(t.Version, v)})
	}
	return c
}

func assets(id string, tools []Tool) *oscal.AssessmentAssets {
	if len(tools) == 0 {
		return nil
	}
	platform := oscal.AssessmentPlatform{UUID: oscal.UUID("assessment-platform", id), Title: "Tools of the assessment"}
	a := &oscal.AssessmentAssets{}
	seen := map[string]bool{}
	for _, t := range tools {
		c := toolComponent(t)
		if seen[c.UUID] {
			continue
		}
		seen[c.UUID] = true
		a.Components = oscal.Append(a.Components, c)
		platform.UsesComponents = oscal.Append(platform.UsesComponents, oscal.UsesComponent{ComponentUuid: c.UUID})
	}
	a.AssessmentPlatforms = []oscal.AssessmentPlatform{platform}
	return a
}
