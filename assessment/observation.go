package assessment

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// sights remembers what was seen.
type sights struct{ seen map[string]bool }

// isNew tells whether something is seen for the first time.
func (s *sights) isNew(key string) bool {
	if s.seen == nil {
		s.seen = map[string]bool{}
	}
	was := s.seen[key]
	s.seen[key] = true
	return !was
}

// An observationGroup is an observation that stands for several records.
type observationGroup struct {
	index  int // of the observation
	sights     // of subjects and locations
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
	rec.Time = a.past(rec.Time, "%s", at)
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
			Key: cause, Title: line(rec.Title, rec.Rule.Title, rec.Rule.ID, rec.Message, "Weakness"), Tool: rec.Tool, Rule: rec.Rule, FirstSeen: rec.Time,
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
	for _, i := range a.matching(rec) {
		for _, t := range a.mapped[i] {
			say(t, &a.o.Mappings[i])
		}
	}
	for _, text := range rec.Controls {
		id, err := a.resolve(text, false)
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

// matching returns the mappings that match a record. It asks once for all records
// of a rule.
func (a *assessor) matching(rec *Record) []int {
	if len(a.o.Mappings) == 0 {
		return nil
	}
	key := strings.Join([]string{rec.Tool.Name, rec.Rule.ID, strings.Join(rec.Rule.Tags, "\x01"), strings.Join(rec.IDs, "\x01")}, "\x00")
	found, ok := a.matches[key]
	if !ok {
		for i := range a.o.Mappings {
			if a.o.Mappings[i].Matches(rec) {
				found = append(found, i)
			}
		}
		a.matches[key] = found
	}
	return found
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
	if g := a.grouped[group]; g != nil {
		o := &observations[g.index]
		if g.isNew(subject.SubjectUuid) {
			o.Subjects = oscal.Append(o.Subjects, subject)
		}
		if l := locationOf(rec); g.isNew(oneLine(l)) {
			addProp(&o.Props, oscal.PropLocation, l)
		}
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
		Title:       title(rec.Title, rec.Rule.ID, rec.Message),
		Description: prose(rec.Message, rec.Rule.Description, rec.Title, rec.Rule.ID, "The tool says nothing about this."),
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
		ps.add(oscal.PropSuppressed, line(rec.Suppression, "yes"))
	}
	ps.add(oscal.PropLocation, locationOf(rec))
	ps.add(oscal.PropID, a.riskID(cause))
	o.Props = oscal.List(ps...)
	switch help := rec.Rule.Help; {
	case isWebPage(help):
		o.Links = oscal.List(oscal.Link{Href: help, Rel: "reference"})
	case oneLine(help) != "":
		o.Remarks = prose("The rule refers to " + oneLine(help))
	}
	if r.Evidence != nil {
		o.RelevantEvidence = oscal.List(a.relevant(r.Evidence))
	}
	if !r.Expires.IsZero() {
		o.Expires = new(r.Expires)
	}
	if a.o.Group {
		g := &observationGroup{index: len(observations)}
		g.isNew(subject.SubjectUuid)
		g.isNew(oneLine(locationOf(rec)))
		a.grouped[group] = g
	}
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

// add adds a prop, unless it is there or has no value. A text is made such as
// props allow, on one line; if it was not, the remarks say what it was.
func (ps *props) add(name, text string) {
	value := oneLine(text)
	if value == "" {
		return
	}
	if p := (oscal.Property{Ns: oscal.Namespace, Name: name, Value: value, Remarks: original(text, value)}); !slices.Contains(*ps, p) {
		*ps = append(*ps, p)
	}
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
