package risk

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A move is an event on its way: the risk as it would be after the event, with
// the event's assessments and responses in it.
type move struct {
	Risk
	e     Event
	c     Criteria
	now   time.Time
	entry Entry
}

// A check is a condition of a transition. It returns the rule that is violated,
// or "".
type check struct {
	rules    []Rule
	violated func(*move) (Rule, string)
}

// need returns a check of one rule.
func need(rule Rule, holds func(*move) bool) check {
	return check{[]Rule{rule}, func(m *move) (Rule, string) {
		if holds(m) {
			return "", ""
		}
		return rule, ""
	}}
}

type row struct {
	from   State
	event  EventKind
	to     State
	role   string
	when   func(*move) bool // which of several rows; nil for always
	checks []check
	effect func(*move)
}

// table is the life cycle: identify, analyse, evaluate, treat or accept, monitor,
// close.
var table = slices.Concat([]row{
	{Identified, Analyse, Analysed, "assessor", nil, []check{assessed, complete, notFuture}, nil},
	{Analysed, Analyse, Analysed, "assessor", nil, []check{assessed, complete, newer, notFuture}, nil},
	{Analysed, Evaluate, Evaluated, "risk owner", nil, []check{assessed, criteriaApply}, nil},
	{Evaluated, Analyse, Analysed, "assessor", nil, []check{assessed, complete, newer, notFuture}, nil},
	{Monitoring, Analyse, Analysed, "assessor", nil, []check{assessed, complete, newer, notFuture}, nil},
	{Evaluated, Treat, Treating, "risk owner", nil, []check{named, treatment}, endAcceptance}, // of which a renewal was withdrawn
	{Evaluated, RequestAcceptance, AcceptanceRequested, "risk owner", nil, request, requestAcceptance},
	{Evaluated, Monitor, Monitoring, "risk owner", nil, []check{withinAppetite}, nil},
	{Treating, Analyse, Analysed, "assessor", nil, []check{assessed, complete, newer, notFuture}, nil},
	{Treating, RequestAcceptance, AcceptanceRequested, "risk owner", nil, request, requestAcceptance},
	{AcceptanceRequested, Approve, Accepted, "authorizing official", nil, []check{acts, requested, notRequester, authority, unchanged, notExpired}, decide(Approved)},
	{AcceptanceRequested, Reject, Evaluated, "authorizing official", nil, []check{acts, reason, requested}, decide(Rejected)},
	{AcceptanceRequested, Withdraw, Evaluated, "requester", nil, []check{requested, byRequester}, decide(Withdrawn)},
	{AcceptanceRequested, Analyse, Analysed, "assessor", nil, []check{assessed, complete, newer, notFuture}, fall},
	{Accepted, Analyse, Accepted, "assessor", sameDigest, []check{assessed, complete, newer, notFuture}, nil},
	{Accepted, Analyse, Analysed, "assessor", nil, []check{assessed, complete, newer, notFuture}, fall},
	{Accepted, Revoke, Evaluated, "authorizing official", nil, []check{acts, reason}, revoke},
	{Accepted, Treat, Treating, "risk owner", nil, []check{named, treatment}, endAcceptance},
	{Accepted, Renew, AcceptanceRequested, "risk owner", nil, request, requestAcceptance},
	{Closed, Reopen, Identified, "risk owner", nil, []check{reason}, func(m *move) { m.Closure = nil }},
}, closing(Identified, Analysed, Evaluated, Treating, Monitoring),
	staying(Identified, Analysed, Evaluated, Treating, AcceptanceRequested, Accepted, Monitoring))

func closing(states ...State) []row {
	var rows []row
	for _, s := range states {
		rows = append(rows, row{s, Close, Closed, "risk owner", nil, []check{acts, closeReason, nothingPlanned, confirmed}, closeRisk})
	}
	return rows
}

// staying returns the rows of the events that leave the state.
func staying(states ...State) []row {
	var rows []row
	for _, s := range states {
		rows = append(rows,
			row{s, Respond, s, "owner of the response", nil, []check{responds, named}, logResponses},
			row{s, Review, s, "risk owner", nil, nil, nil},
		)
	}
	return rows
}

var (
	assessed = need("no assessment", func(m *move) bool {
		_, ok := m.Standing()
		return ok && (len(m.e.Assessments) > 0 || m.State == Identified || m.e.Kind == Evaluate)
	})
	complete = need("the assessment is not complete", func(m *move) bool {
		return !slices.ContainsFunc(m.e.Assessments, func(a Assessment) bool {
			return !stageNames.has(int(a.Stage)) || a.System == "" || !a.rates()
		})
	})
	// newer holds if each assessment of the event is dated after those of its
	// stage before it.
	newer = need("the assessment is not newer", func(m *move) bool {
		old := len(m.Assessments) - len(m.e.Assessments)
		for i, a := range m.Assessments[old:] {
			for _, o := range m.Assessments[:old+i] {
				if o.Stage == a.Stage && !a.At.After(o.At) {
					return false
				}
			}
		}
		return true
	})
	notFuture = need("the assessment is dated after now", func(m *move) bool {
		return !slices.ContainsFunc(m.e.Assessments, func(a Assessment) bool { return a.At.After(m.now) })
	})
	criteriaApply = check{[]Rule{noCriteria}, func(m *move) (Rule, string) {
		a, _ := m.Standing()
		if _, err := m.c.Position(m.Category, a); err != nil {
			return noCriteria, err.Error()
		}
		return "", ""
	}}
	// named holds if no response of the event would be taken for another.
	named = need("response without ID of its own", func(m *move) bool {
		seen := map[string]bool{}
		for _, s := range m.e.Responses {
			if s.ID == "" || seen[s.ID] || slices.ContainsFunc(m.Acceptances, func(a Acceptance) bool { return a.ID == s.ID }) {
				return false
			}
			seen[s.ID] = true
		}
		return true
	})
	treatment = check{
		[]Rule{"no response", "accept is not a treatment", "response without owner", "response without due date"},
		func(m *move) (Rule, string) {
			open := slices.Collect(filter(m.Responses, Response.open))
			if len(open) == 0 {
				return "no response", ""
			}
			if !slices.ContainsFunc(open, func(s Response) bool { return s.Kind != Accept }) {
				return "accept is not a treatment", ""
			}
			for _, s := range open {
				if s.Owner == "" {
					return "response without owner", s.ID
				}
				if s.Due.IsZero() {
					return "response without due date", s.ID
				}
			}
			return "", ""
		},
	}
	responds       = need("no response", func(m *move) bool { return len(m.e.Responses) > 0 })
	withinAppetite = check{[]Rule{noCriteria, "above appetite"}, func(m *move) (Rule, string) {
		a, _ := m.Standing()
		p, err := m.c.Position(m.Category, a)
		switch {
		case err != nil:
			return noCriteria, err.Error()
		case p != WithinAppetite:
			return "above appetite", fmt.Sprintf("%s is %s", a.rating(), p)
		}
		return "", ""
	}}
	acts   = need("nobody acts", func(m *move) bool { return m.e.By != "" })
	reason = need("no reason", func(m *move) bool { return strings.TrimSpace(m.e.Reason) != "" })

	request = []check{
		acts,
		need("no justification", func(m *move) bool { return strings.TrimSpace(m.e.Reason) != "" }),
		{[]Rule{"no expiry", expiryNotAfterNow, "expiry beyond the longest term"}, func(m *move) (Rule, string) {
			a, _ := m.Standing()
			term := m.c.term(a).AcceptDays
			switch {
			case m.e.Expires.IsZero():
				return "no expiry", ""
			case !m.e.Expires.After(m.now):
				return expiryNotAfterNow, m.e.Expires.Format(time.RFC3339)
			case term > 0 && m.e.Expires.After(m.now.AddDate(0, 0, term)):
				return "expiry beyond the longest term", fmt.Sprintf("%d days", term)
			}
			return "", ""
		}},
		need("digest is not that of the current assessment", func(m *move) bool {
			a, ok := m.Standing()
			return ok && m.e.Digest == a.Digest()
		}),
	}
	requested = need("no request", func(m *move) bool {
		_, ok := m.Requested()
		return ok
	})
	notRequester = need("approver is the requester", func(m *move) bool {
		a, _ := m.Requested()
		return a.RequestedBy != m.e.By
	})
	byRequester = need("only the requester withdraws", func(m *move) bool {
		a, _ := m.Requested()
		return a.RequestedBy == m.e.By
	})
	authority = check{[]Rule{"level above the approver's authority"}, func(m *move) (Rule, string) {
		a, _ := m.Standing()
		if m.c.covers(m.e.By, m.e.Role, a) {
			return "", ""
		}
		return "level above the approver's authority", fmt.Sprintf("%s may not accept %s", m.e.By, a.rating())
	}}
	unchanged = need("assessment changed since the request", func(m *move) bool {
		a, _ := m.Requested()
		s, ok := m.Standing()
		return ok && s.Digest() == a.Digest
	})
	notExpired = need(expiryNotAfterNow, func(m *move) bool {
		a, _ := m.Requested()
		return a.Expires.After(m.now)
	})

	closeReason = need("no reason", func(m *move) bool { return closeNames.has(int(m.e.Closure.Reason)) })
	// nothingPlanned holds if all responses are done or cancelled.
	nothingPlanned = need("a response is still planned", func(m *move) bool { return !slices.ContainsFunc(m.Responses, Response.open) })
	confirmed      = need("false positive confirmed by the owner alone", func(m *move) bool {
		by := m.e.Closure.ConfirmedBy
		if by == "" {
			by = m.e.By
		}
		return m.e.Closure.Reason != FalsePositive || by != "" && by != m.Owner
	})
)

const (
	noCriteria        Rule = "no criteria for this scale"
	expiryNotAfterNow Rule = "expiry not after now"
)

// sameDigest tells whether the acceptance that stands is of what was assessed
// now.
func sameDigest(m *move) bool {
	a, _ := m.Accepted()
	s, ok := m.Standing()
	return ok && s.Digest() == a.Digest
}

func requestAcceptance(m *move) {
	s, _ := m.Standing()
	a := Acceptance{
		ID: m.freeID(), Decision: Pending, Justification: m.e.Reason, RequestedBy: m.e.By, RequestedAt: m.now,
		Expires: m.e.Expires, Digest: m.e.Digest, Level: s.Level,
	}
	m.Acceptances = append(m.Acceptances, a)
	m.entry.Responses = []string{a.ID}
}

// freeID returns an ID for an acceptance that no other and no response has.
func (m *move) freeID() string {
	for n := len(m.Acceptances) + 1; ; n++ {
		id := fmt.Sprintf("acceptance-%d", n)
		if !slices.ContainsFunc(m.Acceptances, func(a Acceptance) bool { return a.ID == id }) &&
			!slices.ContainsFunc(m.Responses, func(s Response) bool { return s.ID == id }) {
			return id
		}
	}
}

// settle decides the last acceptance with a decision, if there is one.
func (m *move) settle(from, to Decision, by, reason string) {
	i := m.lastAcceptance(from)
	if i < 0 {
		return
	}
	a := &m.Acceptances[i]
	a.Decision, a.Reason = to, reason
	if to != Superseded { // who had decided before stays known
		a.DecidedBy, a.DecidedAt = by, m.now
	}
	m.entry.Responses = append(m.entry.Responses, a.ID)
}

// decide returns the effect of a decision on a request. A renewal that is
// approved or rejected ends the acceptance that it was to renew; one that is
// withdrawn leaves it.
func decide(d Decision) func(*move) {
	return func(m *move) {
		switch d {
		case Approved:
			m.settle(Approved, Superseded, "", "renewed")
		case Rejected:
			m.settle(Approved, Superseded, "", "renewal rejected")
		}
		m.settle(Pending, d, m.e.By, m.e.Reason)
	}
}

func revoke(m *move) { m.settle(Approved, Revoked, m.e.By, m.e.Reason) }

// fall ends a request, and an acceptance that is not of what was assessed now.
func fall(m *move) {
	m.settle(Pending, Superseded, "", "assessed anew")
	if !sameDigest(m) {
		m.settle(Approved, Superseded, "", "assessment changed")
	}
}

func endAcceptance(m *move) {
	m.settle(Approved, Superseded, "", "treated")
	logResponses(m)
}

func logResponses(m *move) {
	for _, s := range m.e.Responses {
		m.entry.Responses = append(m.entry.Responses, s.ID)
	}
}

func closeRisk(m *move) {
	c := m.e.Closure
	c.By, c.At = m.e.By, m.now
	m.Closure = &c
	m.entry.Evidence = c.Evidence
	if m.entry.Text == "" {
		m.entry.Text = c.Reason.String()
	}
}

func filter[T any](items []T, keep func(T) bool) func(func(T) bool) {
	return func(yield func(T) bool) {
		for _, v := range items {
			if keep(v) && !yield(v) {
				return
			}
		}
	}
}
