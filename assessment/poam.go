package assessment

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/issokit/issokit/oscal"
)

// POAMOptions configure [UpdatePOAM]; nil means the defaults.
type POAMOptions struct {
	ID       string         // stable name of the plan of action; default: the UUID of the SSP
	Metadata oscal.Metadata // as in [PlanOptions]; default: that of the plan of before
	SSP      string         // where the SSP lies, seen from the plan of action; default "ssp.json"

	// Plan is the assessment plan of the results. Its tools are taken over, so that
	// references to them resolve.
	Plan *oscal.AssessmentPlan
	// Policy says by when a risk that has no deadline must be gone.
	Policy *Policy
	// Prefix of the numbers of items; default "POAM-".
	Prefix string
	// CloseAbsent closes items about which the results say nothing any more, if the
	// tool that found the risk ran again, and its report was read to the end. Without
	// it only what is seen passing is closed.
	CloseAbsent bool
	// Milestones returns the steps of the way to a remedy; the default is one, to
	// be reached by the due date.
	Milestones func(r *oscal.Risk, due Date) []Milestone
}

// A POAM is a plan of action and milestones, and what an update did to it. Items
// are named by their numbers, in the order of the document.
type POAM struct {
	Document *oscal.PlanOfActionAndMilestones
	Created  []string // new risks
	Recurred []string // new items for risks that were closed before
	Kept     []string // still there
	Closed   []string // seen passing, or absent
	Absent   []string // open, but the results say nothing about them
}

// UpdatePOAM takes the risks of assessment results into a plan of action and
// milestones; previous is nil for a new one. Neither document is changed.
//
// Each open risk of the results has an item. An item of before is found by the
// UUID of its risk, else by an observation that both have, else by rule,
// identifiers and title; open ones go first. It keeps its number, the day of the
// first detection and its deadline; other observations, findings and a changed
// severity are taken over. A closed item is never opened again: what recurs gets a new
// item with a new number, which links to the old one (rel "recurrence-of").
// Decisions that were made about a risk stay.
//
// An item is closed, with a closure observation and an entry in the log of its
// risk, when the results show its cause as passing or fixed, and nothing of it failing; see
// also [POAMOptions.CloseAbsent]. Closed items stay in the document.
//
// The error is a [Problems] with what refers to nothing, and one that matches
// [ErrMissing] if there is no item at all: OSCAL knows no empty plan of action.
// The document is returned with it.
func UpdatePOAM(previous *oscal.PlanOfActionAndMilestones, ssp *oscal.SystemSecurityPlan, results *oscal.AssessmentResults, now time.Time, opts *POAMOptions) (*POAM, error) {
	u := &poamUpdate{
		now: now, ssp: ssp, results: results, out: &POAM{}, seenAs: map[string]string{}, tools: map[string]string{}, ran: map[string]bool{},
		risk: map[string]int{}, observation: map[string]int{}, finding: map[string]int{}, known: [3]map[string][]int{{}, {}, {}},
	}
	if opts != nil {
		u.o = *opts
	}
	u.o.Prefix = cmp.Or(u.o.Prefix, "POAM-")
	u.id = cmp.Or(u.o.ID, ssp.UUID)
	u.start(previous)
	u.index()
	u.say()
	for i := range results.Results {
		u.take(&results.Results[i])
	}
	u.close()
	u.definitions()
	u.finish()
	if len(u.items) == 0 {
		u.problems.add(fmt.Errorf("an item of the plan of action %w: OSCAL wants one at least", ErrMissing), "results")
	}
	return u.out, u.problems.err()
}

type poamUpdate struct {
	o        POAMOptions
	id       string
	now      time.Time
	ssp      *oscal.SystemSecurityPlan
	results  *oscal.AssessmentResults
	out      *POAM
	doc      oscal.PlanOfActionAndMilestones
	problems Problems

	items        []oscal.PoamItem
	status       []string // of the items: kept, created, ...
	risks        []oscal.Risk
	observations []oscal.Observation
	findings     []oscal.Finding
	risk         map[string]int // places by uuid
	observation  map[string]int
	finding      map[string]int
	known        [3]map[string][]int // items of before, see index
	next         int
	// seenAs says what the results show of a cause: "fail" before "other" before
	// "pass".
	seenAs map[string]string
	tools  map[string]string // titles of components by UUID: a new version is the same tool
	ran    map[string]bool   // tools that ran to their end, by title
}

// start copies the plan of before.
func (u *poamUpdate) start(previous *oscal.PlanOfActionAndMilestones) {
	u.doc = oscal.PlanOfActionAndMilestones{UUID: oscal.UUID("poam", u.id)}
	if previous != nil {
		u.doc = *previous
		if u.o.Metadata.Title == "" {
			m := previous.Metadata
			m.LastModified = time.Time{}
			u.o.Metadata = m
		}
	}
	u.items = slices.Clone(u.doc.PoamItems)
	u.status = make([]string, len(u.items))
	u.risks = slices.Clone(oscal.Items(u.doc.Risks))
	u.observations = slices.Clone(oscal.Items(u.doc.Observations))
	u.findings = slices.Clone(oscal.Items(u.doc.Findings))
	for i := range u.risks {
		u.risk[u.risks[i].UUID] = i
	}
	for i := range u.observations {
		u.observation[u.observations[i].UUID] = i
	}
	for i := range u.findings {
		u.finding[u.findings[i].UUID] = i
	}
	for i := range u.items {
		if n, err := strconv.Atoi(digitsAtEnd(numberOf(&u.items[i]))); err == nil {
			u.next = max(u.next, n)
		}
	}
	for i := range u.items {
		if numberOf(&u.items[i]) == "" {
			setProp(&u.items[i].Props, oscal.PropID, u.number())
		}
	}
}

func (u *poamUpdate) number() string {
	u.next++
	return fmt.Sprintf("%s%04d", u.o.Prefix, u.next)
}

// take brings the risks of one result in.
func (u *poamUpdate) take(r *oscal.Result) {
	byUUID := map[string]*oscal.Observation{}
	for i := range oscal.Items(r.Observations) {
		o := &(*r.Observations)[i]
		byUUID[o.UUID] = o
	}
	findingsOf := map[string][]*oscal.Finding{}
	for i := range oscal.Items(r.Findings) {
		f := &(*r.Findings)[i]
		for _, x := range oscal.Items(f.RelatedRisks) {
			findingsOf[x.RiskUuid] = append(findingsOf[x.RiskUuid], f)
		}
	}
	for i := range oscal.Items(r.Risks) {
		risk := (*r.Risks)[i]
		if risk.Status == "closed" {
			continue
		}
		var seen []*oscal.Observation
		add := func(uuid string) {
			o := byUUID[uuid]
			if o == nil {
				u.problems.add(fmt.Errorf("observation %s %w", uuid, ErrUnknown), "risk %s", risk.UUID)
			} else if !slices.Contains(seen, o) {
				seen = append(seen, o)
			}
		}
		for _, o := range oscal.Items(risk.RelatedObservations) {
			add(o.ObservationUuid)
		}
		if len(seen) == 0 { // only the findings tell
			for _, f := range findingsOf[risk.UUID] {
				for _, o := range oscal.Items(f.RelatedObservations) {
					add(o.ObservationUuid)
				}
			}
		}
		u.takeRisk(risk, seen, findingsOf[risk.UUID])
	}
}

func (u *poamUpdate) takeRisk(risk oscal.Risk, seen []*oscal.Observation, findings []*oscal.Finding) {
	original := risk.UUID
	i, open := u.match(&risk, seen)
	if open {
		u.keep(i, &risk, seen, findings)
		return
	}
	number := u.number()
	item := oscal.PoamItem{UUID: oscal.UUID("poam-item", u.id, risk.UUID)}
	status := "created"
	if i >= 0 { // the closed one stays closed
		status = "recurred"
		risk = again(risk, oscal.UUID("risk", original, "recurrence", number))
		item.UUID = oscal.UUID("poam-item", u.id, risk.UUID)
		item.Links = oscal.List(oscal.Link{Href: "#" + u.items[i].UUID, Rel: "recurrence-of"})
		setProp(&risk.Props, oscal.PropID, original)
	}
	risk.RelatedObservations = nil
	first := u.now
	for _, o := range seen {
		uuid := u.addObservation(o, risk.UUID, status == "recurred")
		risk.RelatedObservations = oscal.Append(risk.RelatedObservations, oscal.RelatedObservation{ObservationUuid: uuid})
		if o.Collected.Before(first) {
			first = o.Collected
		}
	}
	detected := DateOf(first)
	if d, err := ParseDate(propOf(risk.Props, oscal.PropFirstSeen)); err == nil {
		detected = d
	}
	due := u.due(&risk, detected)
	u.plan(&risk, detected, due)
	u.log(&risk, "Opened", "open")
	u.risk[risk.UUID] = len(u.risks)
	u.risks = append(u.risks, risk)

	item.Title, item.Description = risk.Title, risk.Description
	setProp(&item.Props, oscal.PropID, number)
	setProp(&item.Props, oscal.PropSeverity, propOf(risk.Props, oscal.PropSeverity))
	setProp(&item.Props, oscal.PropFirstSeen, detected.String())
	setProp(&item.Props, oscal.PropDue, due.String())
	for _, o := range oscal.Items(risk.Origins) {
		item.Origins = oscal.Append(item.Origins, oscal.PoamItemOrigin{Actors: o.Actors})
	}
	item.RelatedRisks = oscal.List(oscal.AssociatedRisk{RiskUuid: risk.UUID})
	item.RelatedObservations = risk.RelatedObservations
	u.items = append(u.items, item)
	u.status = append(u.status, status)
	u.addFindings(len(u.items)-1, original, risk.UUID, findings)
}

// addObservation takes an observation over. One that recurs is another one, with
// its own time.
func (u *poamUpdate) addObservation(o *oscal.Observation, risk string, recurs bool) string {
	c := *o
	if _, ok := u.observation[c.UUID]; ok && recurs {
		c.UUID = oscal.UUID("observation", c.UUID, "recurrence", risk)
	}
	if _, ok := u.observation[c.UUID]; !ok {
		u.observation[c.UUID] = len(u.observations)
		u.observations = append(u.observations, c)
	}
	return c.UUID
}

// addFindings takes the findings of a risk over; in them the risk has the UUID
// that it has here.
func (u *poamUpdate) addFindings(item int, original, risk string, findings []*oscal.Finding) {
	for _, f := range findings {
		i, ok := u.finding[f.UUID]
		if !ok {
			i = len(u.findings)
			u.finding[f.UUID] = i
			c := *f
			c.RelatedRisks, c.RelatedObservations = nil, nil
			u.findings = append(u.findings, c)
		}
		to := &u.findings[i]
		if !slices.ContainsFunc(oscal.Items(to.RelatedRisks), func(x oscal.AssociatedRisk) bool { return x.RiskUuid == risk }) {
			to.RelatedRisks = oscal.List(append(slices.Clone(oscal.Items(to.RelatedRisks)), oscal.AssociatedRisk{RiskUuid: risk})...)
		}
		to.RelatedObservations = u.union(to.RelatedObservations, u.items[item].RelatedObservations)
		if !slices.ContainsFunc(oscal.Items(u.items[item].RelatedFindings), func(x oscal.RelatedFinding) bool { return x.FindingUuid == f.UUID }) {
			u.items[item].RelatedFindings = oscal.List(append(slices.Clone(oscal.Items(u.items[item].RelatedFindings)), oscal.RelatedFinding{FindingUuid: f.UUID})...)
		}
	}
}

func (u *poamUpdate) union(a, b *[]oscal.RelatedObservation) *[]oscal.RelatedObservation {
	seen := map[string]bool{}
	var out []oscal.RelatedObservation
	for _, o := range append(slices.Clone(oscal.Items(a)), oscal.Items(b)...) {
		if !seen[o.ObservationUuid] {
			seen[o.ObservationUuid] = true
			out = append(out, o)
		}
	}
	return oscal.List(out...)
}

// keep updates an open item.
func (u *poamUpdate) keep(i int, risk *oscal.Risk, seen []*oscal.Observation, findings []*oscal.Finding) {
	u.status[i] = "kept"
	var fresh []oscal.RelatedObservation
	for _, o := range seen {
		fresh = append(fresh, oscal.RelatedObservation{ObservationUuid: u.addObservation(o, risk.UUID, false)})
	}
	item := &u.items[i]
	item.RelatedObservations = u.union(item.RelatedObservations, oscal.List(fresh...))
	uuid := risk.UUID
	if have := u.riskOf(i); have != nil {
		uuid = have.UUID
		have.RelatedObservations = u.union(have.RelatedObservations, oscal.List(fresh...))
		was, is := propOf(have.Props, oscal.PropSeverity), propOf(risk.Props, oscal.PropSeverity)
		if was != "" && is != "" && was != is {
			setProp(&have.Props, oscal.PropSeverity, is)
			setProp(&item.Props, oscal.PropSeverity, is)
			u.log(have, "Severity changed from "+was+" to "+is, "")
		}
	} else { // an item without a risk, matched by its observation
		c := *risk
		c.RelatedObservations = oscal.List(fresh...)
		u.risk[c.UUID] = len(u.risks)
		u.risks = append(u.risks, c)
		item.RelatedRisks = oscal.List(oscal.AssociatedRisk{RiskUuid: c.UUID})
	}
	u.addFindings(i, risk.UUID, uuid, findings)
}

// close closes the items whose cause is gone.
func (u *poamUpdate) close() {
	for i := range u.items {
		risk := u.riskOf(i)
		if u.status[i] != "" || risk != nil && risk.Status == "closed" {
			continue
		}
		u.status[i] = "absent"
		if risk == nil {
			continue
		}
		cause := cmp.Or(propOf(risk.Props, oscal.PropID), risk.UUID)
		why := ""
		switch shown := u.seenAs[cause]; {
		case shown == "pass":
			why = "The results show that the check passes."
		case shown != "":
			u.status[i] = "kept" // undetermined, or suppressed by the tool's user: it stays open
		case u.o.CloseAbsent && u.inScope(risk):
			why = "The results do not show the weakness any more."
		}
		if why == "" {
			continue
		}
		u.status[i] = "closed"
		o := oscal.Observation{
			UUID:  oscal.UUID("observation", risk.UUID, "closure", u.now.UTC().Format(time.RFC3339)),
			Title: title("Closure of " + numberOf(&u.items[i])), Description: why, Methods: []string{Test.String()},
			Types: oscal.List("closure"), Collected: u.now,
			Origins: risk.Origins,
		}
		u.observation[o.UUID] = len(u.observations)
		u.observations = append(u.observations, o)
		closure := oscal.List(oscal.RelatedObservation{ObservationUuid: o.UUID})
		risk.RelatedObservations = u.union(risk.RelatedObservations, closure)
		u.items[i].RelatedObservations = u.union(u.items[i].RelatedObservations, closure)
		risk.Status = "closed"
		u.log(risk, "Closed", "closed")
	}
}

// definitions takes over what the observations, findings and risks refer to:
// tools and other components, evidence.
func (u *poamUpdate) definitions() {
	local := oscal.PlanOfActionAndMilestonesLocalDefinitions{}
	if u.doc.LocalDefinitions != nil {
		local = *u.doc.LocalDefinitions
	}
	components := slices.Clone(oscal.Items(local.Components))
	known := map[string]bool{}
	for _, c := range components {
		known[c.UUID] = true
	}
	var offered []oscal.SystemComponent
	for _, r := range u.results.Results {
		if r.LocalDefinitions != nil {
			offered = append(offered, oscal.Items(r.LocalDefinitions.Components)...)
		}
	}
	if u.o.Plan != nil {
		if a := u.o.Plan.AssessmentAssets; a != nil {
			offered = append(offered, oscal.Items(a.Components)...)
		}
		if d := u.o.Plan.LocalDefinitions; d != nil {
			offered = append(offered, oscal.Items(d.Components)...)
		}
	}
	used := map[string]bool{}
	origin := func(actors []oscal.OriginActor) {
		for _, a := range actors {
			used[a.ActorUuid] = true
		}
	}
	resources := map[string]bool{}
	for i := range u.observations {
		o := &u.observations[i]
		for _, x := range oscal.Items(o.Origins) {
			origin(x.Actors)
		}
		for _, s := range oscal.Items(o.Subjects) {
			used[s.SubjectUuid] = true
		}
		for _, e := range oscal.Items(o.RelevantEvidence) {
			if id, ok := strings.CutPrefix(e.Href, "#"); ok {
				resources[id] = true
			}
		}
	}
	for i := range u.risks {
		for _, x := range oscal.Items(u.risks[i].Origins) {
			origin(x.Actors)
		}
		for _, c := range oscal.Items(u.risks[i].Characterizations) {
			origin(c.Origin.Actors)
		}
	}
	for i := range u.findings {
		for _, x := range oscal.Items(u.findings[i].Origins) {
			origin(x.Actors)
		}
	}
	for _, c := range offered {
		if used[c.UUID] && !known[c.UUID] {
			known[c.UUID] = true
			components = append(components, c)
		}
	}
	local.Components = oscal.List(components...)
	if local.Components != nil || u.doc.LocalDefinitions != nil {
		u.doc.LocalDefinitions = &local
	}

	var back oscal.BackMatter
	if u.doc.BackMatter != nil {
		back = *u.doc.BackMatter
	}
	list := slices.Clone(oscal.Items(back.Resources))
	for _, r := range list {
		delete(resources, r.UUID)
	}
	if u.results.BackMatter != nil {
		for _, r := range oscal.Items(u.results.BackMatter.Resources) {
			if resources[r.UUID] {
				delete(resources, r.UUID)
				r.Title = titleBeside(list, &r)
				list = append(list, r)
			}
		}
	}
	if back.Resources = oscal.List(list...); back.Resources != nil {
		u.doc.BackMatter = &back
	}
}

func (u *poamUpdate) finish() {
	u.doc.Metadata = fillMetadata(u.o.Metadata, "Plan of Action and Milestones: "+newSystem(u.ssp).name, u.ssp, u.now)
	for _, p := range oscal.Items(u.results.Metadata.Parties) {
		if !slices.ContainsFunc(oscal.Items(u.doc.Metadata.Parties), func(q oscal.Party) bool { return q.UUID == p.UUID }) {
			u.doc.Metadata.Parties = oscal.List(append(slices.Clone(oscal.Items(u.doc.Metadata.Parties)), p)...)
		}
	}
	if u.doc.ImportSsp == nil || u.o.SSP != "" {
		u.doc.ImportSsp = &oscal.ImportSsp{Href: cmp.Or(u.o.SSP, "ssp.json")}
	}
	if ids := u.ssp.SystemCharacteristics.SystemIds; u.doc.SystemId == nil && len(ids) > 0 {
		u.doc.SystemId = &ids[0]
	}
	u.doc.PoamItems = u.items
	u.doc.Risks = oscal.List(u.risks...)
	u.doc.Observations = oscal.List(u.observations...)
	u.doc.Findings = oscal.List(u.findings...)
	u.out.Document = &u.doc
	lists := map[string]*[]string{
		"created": &u.out.Created, "recurred": &u.out.Recurred, "kept": &u.out.Kept, "closed": &u.out.Closed, "absent": &u.out.Absent,
	}
	for i := range u.items {
		if l := lists[u.status[i]]; l != nil {
			*l = append(*l, numberOf(&u.items[i]))
		}
	}
}
