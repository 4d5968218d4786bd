package risk

import (
	"fmt"
	"slices"
	"time"
)

// State is where a risk is in its life cycle.
type State int

// The states.
const (
	Identified          State = iota + 1 // known, not analysed
	Analysed                             // has an assessment
	Evaluated                            // compared with the criteria
	Treating                             // responses are under way
	AcceptanceRequested                  // someone is to decide
	Accepted                             // someone accepted it as it was assessed
	Monitoring                           // within appetite, watched
	Closed
)

var (
	stateNames    = names{"", "identified", "analysed", "evaluated", "treating", "acceptance-requested", "accepted", "monitoring", "closed"}
	stateStatuses = names{"", "open", "investigating", "investigating", "remediating", "deviation-requested", "deviation-approved", "open", "closed"}
)

func (s State) String() string                   { return stateNames.string("State", int(s)) }
func (s State) MarshalText() ([]byte, error)     { return stateNames.marshal("State", int(s)) }
func (s *State) UnmarshalText(text []byte) error { return unmarshal(stateNames, "state", text, s) }

// Status returns the status that OSCAL has for the state: open, investigating,
// remediating, deviation-requested, deviation-approved or closed.
func (s State) Status() string { return stateStatuses.string("State", int(s)) }

// EventKind is the kind of an [Event].
type EventKind int

// The kinds of events, and what each of them takes from the [Event].
const (
	Analyse           EventKind = iota + 1 // Assessments
	Evaluate                               // nothing: compares the standing assessment with the criteria
	Treat                                  // Responses
	RequestAcceptance                      // Reason (the justification), Expires, Digest
	Monitor                                // nothing
	Approve                                // Reason is optional; By or Role needs the authority
	Reject                                 // Reason
	Withdraw                               // Reason is optional; By is the requester
	Revoke                                 // Reason
	Renew                                  // as RequestAcceptance
	Close                                  // Closure; Reason is optional
	Reopen                                 // Reason
	Respond                                // Responses: added, or changed by ID; the state stays
	Review                                 // Reason is optional: the risk was looked at; the state stays
)

var eventNames = names{
	"", "analyse", "evaluate", "treat", "request-acceptance", "monitor", "approve", "reject", "withdraw", "revoke", "renew",
	"close", "reopen", "respond", "review",
}

func (k EventKind) String() string { return eventNames.string("EventKind", int(k)) }

func (k EventKind) MarshalText() ([]byte, error) { return eventNames.marshal("EventKind", int(k)) }

func (k *EventKind) UnmarshalText(text []byte) error { return unmarshal(eventNames, "event", text, k) }

// An Event is what someone does about a risk. The kind says which of the other
// fields count.
type Event struct {
	Kind        EventKind
	By          string // party
	Role        string // role in which By acts
	Reason      string
	Assessments []Assessment
	Responses   []Response
	Expires     time.Time // first instant at which the acceptance is no longer in force
	Digest      string    // of the assessment that is to be accepted
	Closure     Closure
}

// An Entry is one line of the log of a risk.
type Entry struct {
	ID        string    `json:"id"`
	At        time.Time `json:"at"`
	Event     EventKind `json:"event,omitzero"` // 0 for an entry that no event made
	From      State     `json:"from,omitzero"`
	To        State     `json:"to,omitzero"`
	By        string    `json:"by,omitempty"`
	Role      string    `json:"role,omitempty"`
	Title     string    `json:"title,omitempty"`
	Text      string    `json:"text,omitempty"`
	Responses []string  `json:"responses,omitempty"` // IDs of responses and acceptances concerned
	Evidence  []string  `json:"evidence,omitempty"`
}

// A Rule is what an event violates, in words, e.g. "above appetite". All rules
// are in the table that [Transitions] returns, but for these: "illegal event" (the
// table has no such event in the state).
type Rule string

func (r Rule) Error() string { return string(r) }

const illegalEvent Rule = "illegal event"

// A TransitionError says why an event cannot be applied. It matches its Rule:
// errors.Is(err, risk.Rule("above appetite")).
type TransitionError struct {
	ID    string // of the risk
	State State
	Event EventKind
	Rule  Rule
	Text  string // expected and found, "" if the rule says it all
}

func (e *TransitionError) Error() string {
	text := fmt.Sprintf("risk: %s: %s in state %s: %s", e.ID, e.Event, e.State, string(e.Rule))
	if e.Text != "" {
		text += ": " + e.Text
	}
	return text
}

func (e *TransitionError) Unwrap() error { return e.Rule }

// A Transition is a row of the table of the life cycle.
type Transition struct {
	From, To State
	Event    EventKind
	Role     string // who does it
	Rules    []Rule // that it must not violate
}

// Transitions returns the table of the life cycle. Where two rows have the same
// state and event, the first whose condition holds applies: an accepted risk that
// is analysed stays accepted if the digest of its assessment is the same.
func Transitions() []Transition {
	out := make([]Transition, len(table))
	for i, row := range table {
		out[i] = Transition{From: row.from, To: row.to, Event: row.event, Role: row.role}
		for _, c := range row.checks {
			out[i].Rules = append(out[i].Rules, c.rules...)
		}
	}
	return out
}

// Apply returns the risk after an event. It is a pure function: r is not changed
// and shares nothing that the result changes. The error is a [TransitionError].
// The event is an [Entry] of the log of the result.
func (r Risk) Apply(e Event, c Criteria, now time.Time) (Risk, error) {
	m := &move{Risk: r, e: e, c: c, now: now}
	m.Assessments = append(slices.Clip(slices.Clone(r.Assessments)), e.Assessments...)
	m.Acceptances = slices.Clone(r.Acceptances)
	m.Responses = upsert(r.Responses, e.Responses)
	for _, row := range table {
		if row.from != r.State || row.event != e.Kind || row.when != nil && !row.when(m) {
			continue
		}
		for _, check := range row.checks {
			if rule, text := check.violated(m); rule != "" {
				return Risk{}, &TransitionError{r.ID, r.State, e.Kind, rule, text}
			}
		}
		m.entry = Entry{
			ID: fmt.Sprintf("log-%d", len(r.Log)+1), At: now, Event: e.Kind, From: r.State, To: row.to, By: e.By, Role: e.Role, Text: e.Reason,
		}
		m.State = row.to
		if row.effect != nil {
			row.effect(m)
		}
		m.Log = append(slices.Clip(slices.Clone(r.Log)), m.entry)
		return m.Risk, nil
	}
	return Risk{}, &TransitionError{r.ID, r.State, e.Kind, illegalEvent, ""}
}

// upsert returns the responses with those that are new or changed; a response
// without a life cycle is planned.
func upsert(old, changed []Response) []Response {
	out := slices.Clone(old)
	for _, s := range changed {
		if s.Lifecycle == 0 {
			s.Lifecycle = Planned
		}
		if i := slices.IndexFunc(out, func(o Response) bool { return o.ID == s.ID }); i >= 0 {
			out[i] = s
		} else {
			out = append(out, s)
		}
	}
	return out
}
