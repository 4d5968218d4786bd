package vendors

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// A Policy is the rules of a vendor programme; nil and the zero Policy mean the
// built-in ones.
type Policy struct {
	Scheme  *Scheme       // default DefaultScheme()
	Tier    TierOptions   // default: unknown factors count as worst
	Cadence Cadence       // default DefaultCadence()
	Limits  Limits        // default: see Limits
	Clauses ClauseOptions // default: see ClauseOptions
}

func (p *Policy) withDefaults() Policy {
	var o Policy
	if p != nil {
		o = *p
	}
	if o.Scheme == nil {
		o.Scheme = DefaultScheme()
	}
	if o.Cadence == nil {
		o.Cadence = DefaultCadence()
	}
	return o
}

// Tiers computes the tier of every engagement, in their order. The error is a
// [Problems] of [Scheme.Tier], with pointers into the portfolio; the tierings of
// the other engagements are returned with it.
func (p *Portfolio) Tiers(policy *Policy) ([]Tiering, error) {
	o := policy.withDefaults()
	out := make([]Tiering, len(p.Engagements))
	var ps Problems
	for i := range p.Engagements {
		e := &p.Engagements[i]
		t, err := o.Scheme.Tier(e.Exposure, &o.Tier)
		if err != nil {
			for _, problem := range err.(Problems) { // by the contract of Tier
				problem.Pointer = "/engagements/" + strconv.Itoa(i) + "/exposure" + problem.Pointer
				problem.ID = e.ID
				ps = append(ps, problem)
			}
			continue
		}
		out[i] = t
	}
	return out, ps.err()
}

// Deadlines returns what is to be done about the engagements that are not over,
// in their order: the next assessment of those in use, the end of contracts and
// the last day to give notice, the end of decisions, open conditions, accepted
// gaps, and the expiry of documents. The error is a [Problems] of
// [Portfolio.Tiers], or matches [ErrValue] if an interval or a term has no such
// day.
func (p *Portfolio) Deadlines(policy *Policy, now time.Time) ([]Deadline, error) {
	o := policy.withDefaults()
	tiers, err := p.Tiers(&o)
	if err != nil {
		return nil, err
	}
	today, book := DateOf(now), p.book()
	var out []Deadline
	seen := map[Deadline]bool{} // a contract may cover several engagements
	add := func(rule, object string, due Date) {
		d := Deadline{rule, object, due}
		if !due.IsZero() && !seen[d] {
			seen[d] = true
			out = append(out, d)
		}
	}
	for i := range p.Engagements {
		e := &p.Engagements[i]
		if e.Status.ended() {
			continue
		}
		if e.Status.live() {
			due, err := o.Cadence.Next(tiers[i].Tier, book.assessed(e.ID), now)
			if err != nil {
				return nil, err
			}
			add("reassessment", e.ID, due.Next)
		}
		if c := book.contracts[e.Contract]; c != nil {
			end, err := c.EndOn(today)
			if err != nil {
				return nil, err
			}
			notice, err := c.NoticeBy(today)
			if err != nil {
				return nil, err
			}
			add("contract-end", c.ID, end)
			add("contract-notice", c.ID, notice)
			for _, w := range c.Waivers {
				add("waiver-expiry", c.ID+" "+w.Clause, w.Until)
			}
		}
		if a := book.decision(e.ID); a != nil {
			add("decision-expiry", a.ID, a.Expires)
			for _, c := range a.Conditions {
				if c.Met.IsZero() {
					add("condition", a.ID+" "+c.ID, c.Due)
				}
			}
		}
		for _, d := range book.documents[e.ID] {
			add("document-expiry", d.ID, d.expiry(o.Limits))
		}
	}
	return out, nil
}

// TierCount counts the engagements of one tier.
type TierCount struct {
	Tier      Tier
	Total     int // not over
	InUse     int // active, suspended or exiting
	Scheduled int // in use, next assessment more than 30 days ahead
	Due       int // within 30 days
	Overdue   int // in use, next assessment before today
}

// An Aged count is of things that are no older than a number of days, and older
// than that of the count before.
type Aged struct {
	Days  int // 0 for all older ones
	Count int
}

// issueAges are the bounds of the ages of open issues, in days.
var issueAges = []int{30, 90, 180, 0}

// Measures are the key figures of a vendor programme on a day.
type Measures struct {
	On                Date
	Tiers             []TierCount      // in the order of the scheme
	OnTime, Late      int              // completed assessments that had a due date
	OpenIssues        []Aged           // of all assessments: to 30, 90, 180 days, older
	Expired           []string         // documents, in their order
	BridgeNeeded      []string         // documents that need a bridge letter
	NotAccepted       []string         // documents that do not show what is needed
	Expiring          []string         // documents that expire within 30 days
	MissingDocuments  []string         // "engagement type" without a document that counts, for engagements in use
	ClauseGaps        map[string][]Gap // by contract; accepted gaps are in it with their last day
	NoContract        []string         // engagements in use without a contract in force
	Waivers, Lapsed   int              // accepted gaps, and those of them whose last day is over
	OpenConditions    int
	OverdueConditions int
	DaysToDecision    *float64 // mean from request to decision, nil if there is none
	ExitTested        *float64 // share of the engagements in use with a tested exit plan, nil if none is in use
	Concentration     Concentration
	Spend             []Money // a year by currency, of the engagements in use, sorted by currency
}

// Measure computes the key figures. self is the name of our organization in the
// supply chain. The error is a [Problems] of [Portfolio.Check] or
// [Portfolio.Tiers], or matches [ErrValue] if a document, a term or a sum is no
// valid one.
func (p *Portfolio) Measure(self string, policy *Policy, now time.Time) (Measures, error) {
	o := policy.withDefaults()
	if err := p.Check(); err != nil {
		return Measures{}, err
	}
	tierings, err := p.Tiers(&o)
	if err != nil {
		return Measures{}, err
	}
	m := Measures{On: DateOf(now), ClauseGaps: map[string][]Gap{}}
	for _, step := range []func(*Measures, *Policy, []Tiering, time.Time) error{
		p.measureEngagements, p.measureDocuments, p.measureAssessments,
	} {
		if err := step(&m, &o, tierings, now); err != nil {
			return Measures{}, err
		}
	}
	g, err := NewGraph(self, p.Edges(self))
	if err != nil {
		return Measures{}, err
	}
	m.Concentration, err = g.Concentration(p.Functions())
	return m, err
}

func (p *Portfolio) measureEngagements(m *Measures, o *Policy, tierings []Tiering, now time.Time) error {
	book := p.book()
	byTier := map[Tier]*TierCount{}
	m.Tiers = make([]TierCount, len(o.Scheme.tiers))
	for i, t := range o.Scheme.tiers {
		m.Tiers[i].Tier = t
		byTier[t] = &m.Tiers[i]
	}
	inUse, tested := 0, 0
	spend := map[string]Money{}
	for i := range p.Engagements {
		e := &p.Engagements[i]
		if e.Status.ended() {
			continue
		}
		count := byTier[tierings[i].Tier]
		count.Total++
		c := book.contracts[e.Contract]
		if c != nil {
			for _, g := range ClauseGaps(*c, o.Cadence[tierings[i].Tier], p.Duties, &o.Clauses) {
				if !slices.Contains(m.ClauseGaps[c.ID], g) {
					m.ClauseGaps[c.ID] = append(m.ClauseGaps[c.ID], g)
				}
			}
		}
		if !e.Status.live() {
			continue
		}
		count.InUse++
		inUse++
		if !e.ExitPlanTested.IsZero() {
			tested++
		}
		if c == nil || !c.InForce(m.On) {
			m.NoContract = append(m.NoContract, e.ID)
		}
		due, err := o.Cadence.Next(tierings[i].Tier, book.assessed(e.ID), now)
		if err != nil {
			return err
		}
		switch due.State {
		case Scheduled:
			count.Scheduled++
		case DueSoon:
			count.Due++
		case Overdue:
			count.Overdue++
		}
		if s := e.Exposure.Spend; s != nil {
			sum, err := Money{spend[s.Currency].Minor, s.Currency}.Add(*s)
			if err != nil {
				return err
			}
			spend[s.Currency] = sum
		}
	}
	if inUse > 0 {
		m.ExitTested = new(float64(tested) / float64(inUse))
	}
	for _, c := range slices.Sorted(maps.Keys(spend)) {
		m.Spend = append(m.Spend, spend[c])
	}
	for _, c := range p.Contracts {
		for _, w := range c.Waivers {
			m.Waivers++
			if w.Until.Compare(m.On) < 0 {
				m.Lapsed++
			}
		}
	}
	return nil
}

func (p *Portfolio) measureDocuments(m *Measures, o *Policy, tierings []Tiering, _ time.Time) error {
	type need struct{ engagement, kind string }
	counts := map[need]bool{}
	for _, d := range p.Documents {
		c, err := d.Coverage(m.On, o.Limits)
		if err != nil {
			return err
		}
		switch c.State {
		case CoverageExpired:
			m.Expired = append(m.Expired, d.ID)
			continue
		case NotAccepted:
			m.NotAccepted = append(m.NotAccepted, d.ID)
			continue
		case BridgeLetterNeeded:
			m.BridgeNeeded = append(m.BridgeNeeded, d.ID)
		}
		counts[need{d.Engagement, d.Type}] = true
		if last := d.expiry(o.Limits); last.DaysSince(m.On) <= dueDays {
			m.Expiring = append(m.Expiring, d.ID)
		}
	}
	for i, e := range p.Engagements {
		if !e.Status.live() {
			continue
		}
		for _, kind := range o.Cadence[tierings[i].Tier].Documents {
			if !counts[need{e.ID, kind}] {
				m.MissingDocuments = append(m.MissingDocuments, e.ID+" "+kind)
			}
		}
	}
	return nil
}

func (p *Portfolio) measureAssessments(m *Measures, _ *Policy, _ []Tiering, _ time.Time) error {
	requested := map[string]Date{}
	for _, e := range p.Engagements {
		requested[e.ID] = e.Requested
	}
	for _, days := range issueAges {
		m.OpenIssues = append(m.OpenIssues, Aged{Days: days})
	}
	decisions, days := 0, 0
	first := map[string]Date{} // decision on each engagement
	for _, a := range p.Assessments {
		if !a.Due.IsZero() && !a.Completed.IsZero() {
			if a.Completed.Compare(a.Due) <= 0 {
				m.OnTime++
			} else {
				m.Late++
			}
		}
		for _, issue := range a.Issues {
			if !issue.Closed.IsZero() {
				continue
			}
			age := m.On.DaysSince(issue.Opened)
			i := slices.IndexFunc(issueAges, func(days int) bool { return age <= days || days == 0 })
			m.OpenIssues[i].Count++
		}
		for _, c := range a.Conditions {
			if c.Met.IsZero() {
				m.OpenConditions++
				if c.Due.Compare(m.On) < 0 {
					m.OverdueConditions++
				}
			}
		}
		if was := first[a.Engagement]; a.Decision != 0 && (was.IsZero() || a.Decided.Compare(was) < 0) {
			first[a.Engagement] = a.Decided
		}
	}
	for id, decided := range first {
		if from := requested[id]; !from.IsZero() && decided.Compare(from) >= 0 {
			decisions++
			days += decided.DaysSince(from)
		}
	}
	if decisions > 0 {
		m.DaysToDecision = new(float64(days) / float64(decisions))
	}
	return nil
}
