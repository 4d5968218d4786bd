package vendors

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Status is the state of an engagement.
type Status int

// The states.
const (
	Proposed Status = iota + 1
	DueDiligence
	Approved
	Conditional
	Rejected
	Active
	Suspended
	Exiting
	Terminated
)

var statusNames = names{"proposed", "due-diligence", "approved", "conditional", "rejected", "active", "suspended", "exiting", "terminated"}

func (s Status) String() string               { return statusNames.name("Status", int(s)) }
func (s Status) MarshalText() ([]byte, error) { return statusNames.marshal("Status", int(s)) }
func (s *Status) UnmarshalText(text []byte) error {
	i, err := statusNames.unmarshal(text)
	*s = Status(i)
	return err
}

// Next returns the states that may follow, in the order of their numbers.
func (s Status) Next() []Status {
	next := slices.Clone(moves[s])
	slices.Sort(next)
	return next
}

// live tells whether the vendor supplies now.
func (s Status) live() bool { return s == Active || s == Suspended || s == Exiting }

// ended tells whether nothing will come of the engagement any more.
func (s Status) ended() bool { return s == Rejected || s == Terminated }

// moves is the table of the allowed moves; every other pair is refused.
var moves = map[Status][]Status{
	Proposed:     {DueDiligence, Rejected},
	DueDiligence: {Approved, Conditional, Rejected},
	Approved:     {Active, Rejected},
	Conditional:  {Active, Rejected},
	Active:       {Suspended, Exiting},
	Suspended:    {Active, Exiting},
	Exiting:      {Terminated, Active},
	Rejected:     {Proposed},
}

// A guard must hold for a move.
type guard struct {
	name string
	ok   func(*Facts, Date) bool
}

// entering are the guards of each state, whatever the state before.
var entering = map[Status][]guard{
	Active: {
		{"decision not expired", func(f *Facts, today Date) bool {
			a := f.Assessment
			return a != nil && (a.Decision == DecisionApproved || a.Decision == DecisionConditional) && today.Compare(a.Expires) <= 0
		}},
		{"contract in force on the day", func(f *Facts, today Date) bool {
			return f.Contract != nil && f.Contract.InForce(today)
		}},
		{"required clauses present or gap accepted with expiry", func(f *Facts, today Date) bool {
			return !slices.ContainsFunc(f.Gaps, func(g Gap) bool { return today.Compare(g.Waived) > 0 })
		}},
		{"conditions of a conditional approval not overdue", func(f *Facts, today Date) bool {
			return f.Assessment == nil || !slices.ContainsFunc(f.Assessment.Conditions, func(c Condition) bool {
				return c.Met.IsZero() && today.Compare(c.Due) > 0
			})
		}},
	},
	Conditional: {
		{"every condition has an owner and a date", func(f *Facts, _ Date) bool {
			return f.Assessment != nil && len(f.Assessment.Conditions) > 0 && !slices.ContainsFunc(f.Assessment.Conditions, func(c Condition) bool {
				return c.Owner == "" || c.Due.IsZero()
			})
		}},
	},
	Terminated: {
		{"data returned or destroyed, with certificate", func(f *Facts, _ Date) bool { return f.Exit.Certificate != "" }},
		{"access revoked", func(f *Facts, _ Date) bool { return f.Exit.AccessRevoked }},
		{"keys rotated", func(f *Facts, _ Date) bool { return f.Exit.KeysRotated }},
		{"exit checklist complete", func(f *Facts, _ Date) bool { return f.Exit.ChecklistComplete }},
	},
}

// along are the guards of single moves.
var along = map[[2]Status][]guard{
	{Exiting, Active}:    {{"reason", func(f *Facts, _ Date) bool { return f.Reason != "" }}},
	{Rejected, Proposed}: {{"new request", func(f *Facts, _ Date) bool { return f.Request != "" }}},
}

// roles are who may move an engagement into a state.
var roles = map[Status][]string{
	Proposed:     {"requester"},
	DueDiligence: {"vendor-manager"},
	Approved:     {"approver"},
	Conditional:  {"approver"},
	Rejected:     {"approver"},
	Active:       {"vendor-manager"},
	Suspended:    {"vendor-manager", "approver"},
	Exiting:      {"vendor-manager"},
	Terminated:   {"vendor-manager"},
}

// An Actor is who moves an engagement.
type Actor struct {
	ID    string
	Roles []string // requester, vendor-manager, approver
}

// Facts are what the guards of [Move] look at.
type Facts struct {
	Now        time.Time
	Assessment *Assessment // the last one with a decision, nil for none
	Contract   *Contract   // nil for none
	Gaps       []Gap       // of the contract, see [ClauseGaps]
	Exit       Exit
	Reason     string // why an exiting engagement is taken back
	Request    string // ID of the new request after a rejection
}

// Exit is the proof that an engagement is over.
type Exit struct {
	Certificate       string // reference of the certificate that data were returned or destroyed
	AccessRevoked     bool
	KeysRotated       bool
	ChecklistComplete bool
}

// ErrMove is what a [MoveError] wraps.
var ErrMove = errors.New("the move is not allowed")

// A MoveError says why an engagement cannot change its state.
type MoveError struct {
	Engagement string
	From, To   Status
	Roles      []string // roles of which the actor has none, nil if the role is not the reason
	Missing    []string // guards that do not hold, nil if the move is not in the table
}

func (e *MoveError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "vendors: engagement %s: %v: %s to %s", e.Engagement, ErrMove, e.From, e.To)
	if e.Roles == nil && e.Missing == nil {
		return b.String()
	}
	if e.Roles != nil {
		fmt.Fprintf(&b, "; needs the role %s", strings.Join(e.Roles, " or "))
	}
	for _, m := range e.Missing {
		b.WriteString("; does not hold: " + m)
	}
	return b.String()
}

// Unwrap returns [ErrMove].
func (e *MoveError) Unwrap() error { return ErrMove }

// Move returns the engagement in another state:
//
//	proposed -> due-diligence -> approved | conditional | rejected
//	approved | conditional -> active -> suspended | exiting
//	suspended -> active | exiting, exiting -> terminated | active
//	proposed | approved | conditional -> rejected -> proposed
//
// To be active needs a decision that has not expired, a contract in force, the
// clauses that the tier requires (or an accepted gap) and no overdue condition;
// to be conditional, an owner and a date for each condition; to be terminated,
// the proof of [Exit]; to be active again from exiting, a reason; to be proposed
// again, a new request. A requester proposes, an approver decides, a
// vendor-manager does the rest. The error is a [*MoveError] with everything that
// stands against the move.
func Move(e Engagement, to Status, by Actor, facts Facts) (Engagement, error) {
	if !slices.Contains(moves[e.Status], to) {
		return Engagement{}, &MoveError{Engagement: e.ID, From: e.Status, To: to}
	}
	today := DateOf(facts.Now)
	failed := &MoveError{Engagement: e.ID, From: e.Status, To: to}
	if by.ID == "" || !slices.ContainsFunc(by.Roles, func(r string) bool { return slices.Contains(roles[to], r) }) {
		failed.Roles = slices.Clone(roles[to])
	}
	for _, g := range slices.Concat(entering[to], along[[2]Status{e.Status, to}]) {
		if !g.ok(&facts, today) {
			failed.Missing = append(failed.Missing, g.name)
		}
	}
	if failed.Roles != nil || failed.Missing != nil {
		return Engagement{}, failed
	}
	e.Status = to
	return e, nil
}
