package assessment

import (
	"slices"
	"strconv"
	"time"

	"github.com/issokit/issokit/oscal"
)

// A Milestone is a step on the way to a remedy. Its texts are plain.
type Milestone struct {
	Title, Description string
	Start, End         Date // Start may be zero
}

// again makes another risk of one: what is in it has other UUIDs too.
func again(r oscal.Risk, uuid string) oscal.Risk {
	r.UUID = uuid
	var responses []oscal.Response
	for _, x := range oscal.Items(r.Remediations) {
		x.UUID = oscal.UUID("response", uuid, x.UUID)
		x.Tasks = oscal.List(tasksAgain(oscal.Items(x.Tasks), uuid)...)
		var needed []oscal.RequiredAsset
		for _, y := range oscal.Items(x.RequiredAssets) {
			y.UUID = oscal.UUID("required-asset", uuid, y.UUID)
			needed = append(needed, y)
		}
		x.RequiredAssets = oscal.List(needed...)
		responses = append(responses, x)
	}
	r.Remediations = oscal.List(responses...)
	var factors []oscal.MitigatingFactor
	for _, x := range oscal.Items(r.MitigatingFactors) {
		x.UUID = oscal.UUID("mitigating-factor", uuid, x.UUID)
		factors = append(factors, x)
	}
	r.MitigatingFactors = oscal.List(factors...)
	r.RiskLog = nil // that of the other occurrence
	return r
}

// tasksAgain gives tasks, also those inside of tasks, other UUIDs; dependencies
// among them follow.
func tasksAgain(tasks []oscal.Task, uuid string) []oscal.Task {
	var out []oscal.Task
	for _, t := range tasks {
		t.UUID = oscal.UUID("task", uuid, t.UUID)
		t.Tasks = oscal.List(tasksAgain(oscal.Items(t.Tasks), uuid)...)
		var needs []oscal.TaskDependency
		for _, d := range oscal.Items(t.Dependencies) {
			d.TaskUuid = oscal.UUID("task", uuid, d.TaskUuid)
			needs = append(needs, d)
		}
		t.Dependencies = oscal.List(needs...)
		out = append(out, t)
	}
	return out
}

// due returns the due date of a new risk: that of the results, else by the
// policy.
func (u *poamUpdate) due(risk *oscal.Risk, detected Date) Date {
	if d, err := ParseDate(propOf(risk.Props, oscal.PropDue)); err == nil {
		return d
	}
	if risk.Deadline != nil {
		return DateOf(*risk.Deadline)
	}
	if u.o.Policy == nil {
		return Date{}
	}
	var s Severity
	if err := s.UnmarshalText([]byte(propOf(risk.Props, oscal.PropSeverity))); err != nil {
		return Date{}
	}
	d, ok, err := u.o.Policy.Due(detected, s)
	switch {
	case err != nil:
		u.problems.add(err, "risk %s (%s)", risk.UUID, risk.Title)
	case ok:
		risk.Deadline = deadline(d)
		setProp(&risk.Props, oscal.PropDue, d.String())
	}
	return d
}

// plan adds the milestones to a new risk.
func (u *poamUpdate) plan(risk *oscal.Risk, detected, due Date) {
	var milestones []Milestone
	switch {
	case u.o.Milestones != nil:
		milestones = u.o.Milestones(risk, due)
	case !due.IsZero():
		milestones = []Milestone{{Title: "Remedy in place", Start: detected, End: due}}
	}
	if len(milestones) == 0 {
		return
	}
	r := oscal.Response{
		UUID: oscal.UUID("response", risk.UUID, "planned"), Lifecycle: "planned",
		Title: "Planned remedy", Description: "The steps by which the weakness is to be removed.",
	}
	for i, m := range milestones {
		t := oscal.Task{
			UUID: oscal.UUID("milestone", risk.UUID, strconv.Itoa(i)), Type: "milestone",
			Title: title(m.Title, "Milestone "+strconv.Itoa(i+1)), Description: prose(m.Description),
		}
		switch {
		case m.End.IsZero():
		case m.Start.IsZero() || m.Start == m.End:
			t.Timing = &oscal.EventTiming{OnDate: &oscal.OnDateCondition{Date: m.End.In(time.UTC)}}
		default:
			t.Timing = &oscal.EventTiming{WithinDateRange: &oscal.OnDateRangeCondition{Start: m.Start.In(time.UTC), End: m.End.In(time.UTC)}}
		}
		r.Tasks = oscal.Append(r.Tasks, t)
	}
	risk.Remediations = oscal.List(append(slices.Clone(oscal.Items(risk.Remediations)), r)...)
}

// log adds an entry to the log of a risk.
func (u *poamUpdate) log(risk *oscal.Risk, text, status string) {
	e := oscal.RiskLogEntry{
		UUID: oscal.UUID("risk-log", risk.UUID, text, u.now.UTC().Format(time.RFC3339)), Title: title(text), Start: u.now, StatusChange: status,
	}
	l := oscal.RiskLog{}
	if risk.RiskLog != nil {
		l.Entries = slices.Clone(risk.RiskLog.Entries)
	}
	l.Entries = append(l.Entries, e)
	risk.RiskLog = &l
}
