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

// speech says that a record speaks about a target, because of a mapping, or
// because it names the control itself (mapping is nil).
type speech struct {
	mapping *Mapping
	record  int
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
			if id, err := a.resolve(text, true); err != nil {
				a.problems.add(err, "mapping %d (%s)", i, m.Match)
			} else {
				ids = append(ids, id)
			}
		}
		a.mapped = append(a.mapped, ids)
	}
}

// resolve finds the id of an objective, statement or control. What a report names
// without being exact, speaks about the nearest part around it; a mapping or a
// person has to be exact, since these can satisfy it.
func (a *assessor) resolve(text string, exact bool) (string, error) {
	t, err := a.catalog.Find(text)
	switch {
	case err != nil:
		return "", err
	case t.Control == nil || !a.baseline.Has(t.Control):
		return "", fmt.Errorf("control %q of the baseline %w", text, ErrUnknown)
	case exact && !t.Exact:
		return "", fmt.Errorf("%q %w: the nearest part is %s", text, ErrUnknown, t.ID())
	}
	return t.ID(), nil
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
		id, err := a.resolve(d.Target, true)
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
		clear(a.late)
		d.Date = a.past(d.Date, "%s", at)
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
		addNew(&names, line(r.Rule.ID, r.Title, "without id"))
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
		Title:       title("Determination of " + d.Target),
		Description: prose(d.Rationale, "The examiner gave no rationale."),
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
		o.RelevantEvidence = oscal.Append(o.RelevantEvidence, a.relevant(&d.Evidence[j]))
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
