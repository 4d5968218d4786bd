// Package approval keeps approvals of records of a store: who asked for one, how
// many must agree and who may, and what they said. Policies, risk acceptances,
// plans, terms of reference and deviations of a POA&M share it.
//
// An approval is bound to the content of a record by its digest and revision: when
// the content changes the approval is void, and stays so when it is changed back, or
// the record is deleted and made anew. Sealing a record and writing the same content
// again change nothing. Who asked cannot approve.
//
// Requests and decisions are records themselves, in the same transaction as the
// look at the content, so the audit trail of the store has them all. The actor is
// the scope's, never an argument, and what counts is what the trail bears out: a
// decision that was written to the record by another than who is said to have made
// it is none, whoever can write to the collection. Actors are compared byte by byte;
// that one person has one name is the business of who logs people in.
//
// # In domains
//
// A program asks [Desk.Holds] in the transaction that relies on the answer: before a
// policy comes into force, before an acceptance is entered into a risk, before a
// plan is carried out. The domain packages need not know of it.
package approval

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/issokit/issokit/store"
)

// The errors of this package.
var (
	ErrDuties  = errors.New("separation of duties: the actor may not decide this")
	ErrDecided = errors.New("the actor has decided already")
	ErrClosed  = errors.New("the approval is no longer pending")
	ErrRule    = errors.New("the rule cannot be fulfilled")
	ErrForged  = errors.New("the audit trail does not bear out the request")
)

// State is what became of a request.
type State int

// The states.
const (
	Pending   State = iota + 1 // decisions are missing
	Approved                   // the quorum agrees, and the content is the one that was approved
	Rejected                   // as many as the rule says have rejected it
	Withdrawn                  // who asked has taken it back
	Expired                    // the quorum was not reached in time, or the approval was for a time that is over
	Void                       // the content is not, or was not all the time, the one that was asked about
)

var states = [...]string{Pending: "pending", Approved: "approved", Rejected: "rejected", Withdrawn: "withdrawn", Expired: "expired", Void: "void"}

func (s State) String() string {
	if s > 0 && int(s) < len(states) {
		return states[s]
	}
	return fmt.Sprintf("State(%d)", int(s))
}

// MarshalText returns the name; the zero State is an error.
func (s State) MarshalText() ([]byte, error) {
	if s <= 0 || int(s) >= len(states) {
		return nil, fmt.Errorf("there is no %v", s)
	}
	return []byte(s.String()), nil
}

// UnmarshalText reads the name of a state.
func (s *State) UnmarshalText(text []byte) error {
	i := slices.Index(states[1:], string(text))
	if i < 0 {
		return fmt.Errorf("unknown state %.40q, expected one of %s", text, strings.Join(states[1:], ", "))
	}
	*s = State(i + 1)
	return nil
}

// A Rule says what an approval needs. The zero Rule is one approval by anybody
// but who asked, and one rejection ends it.
type Rule struct {
	Quorum     int       `json:"quorum,omitzero"`     // approvals needed; default 1
	Rejections int       `json:"rejections,omitzero"` // rejections that end it; default 1
	Approvers  []string  `json:"approvers,omitzero"`  // who may decide; nil is anybody
	Barred     []string  `json:"barred,omitzero"`     // who may not, beside who asked: authors, for instance
	Deadline   time.Time `json:"deadline,omitzero"`   // decisions come before it; zero is never
	Until      time.Time `json:"until,omitzero"`      // the approval holds before it; zero is for ever
}

func (r Rule) quorum() int     { return max(r.Quorum, 1) }
func (r Rule) rejections() int { return max(r.Rejections, 1) }

// check finds a rule that nobody can fulfil.
func (r Rule) check(requester string, now time.Time) error {
	for _, t := range []time.Time{r.Deadline, r.Until} {
		if !t.IsZero() && !now.Before(t) {
			return fmt.Errorf("%w: %s is over", ErrRule, t.UTC().Format(time.RFC3339))
		}
	}
	if r.Quorum < 0 || r.Rejections < 0 {
		return fmt.Errorf("%w: a quorum of %d and %d rejections", ErrRule, r.Quorum, r.Rejections)
	}
	if r.Approvers == nil {
		return nil
	}
	able := map[string]bool{}
	for _, a := range r.Approvers {
		if a != requester && !slices.Contains(r.Barred, a) {
			able[a] = true
		}
	}
	if len(able) < r.quorum() {
		return fmt.Errorf("%w: %d approvals are needed, and %d of the approvers may give one", ErrRule, r.quorum(), len(able))
	}
	return nil
}

// A Decision is what one person said.
type Decision struct {
	By       string    `json:"by"`
	Approves bool      `json:"approves"`
	Comment  string    `json:"comment,omitzero"`
	At       time.Time `json:"at"`
}

// An Approval is a request with the decisions on it.
type Approval struct {
	ID          string       `json:"id"`
	Purpose     string       `json:"purpose"` // acceptance, policy, deviation: the caller's word
	Collection  string       `json:"collection"`
	Key         string       `json:"key"`
	Revision    int64        `json:"revision"` // of the record when it was asked about
	Content     store.Digest `json:"content"`  // what is approved
	RequestedBy string       `json:"requested-by"`
	RequestedAt time.Time    `json:"requested-at"`
	Rule        Rule         `json:"rule"`
	Decisions   []Decision   `json:"decisions"`
	Withdrawn   bool         `json:"withdrawn,omitzero"`
}

// Decided returns the approval with one more decision. It is pure. The error is
// [ErrDuties] if by asked for it or may not decide, [ErrDecided] if he has, and
// [ErrClosed] if it is not pending.
func (a Approval) Decided(d Decision, content store.Digest) (Approval, error) {
	switch state := a.State(content, d.At); {
	case state != Pending:
		return a, fmt.Errorf("%w: it is %v", ErrClosed, state)
	case d.By == "" || d.By == a.RequestedBy:
		return a, fmt.Errorf("%w: %q asked for it", ErrDuties, d.By)
	case slices.Contains(a.Rule.Barred, d.By):
		return a, fmt.Errorf("%w: %q is barred", ErrDuties, d.By)
	case a.Rule.Approvers != nil && !slices.Contains(a.Rule.Approvers, d.By):
		return a, fmt.Errorf("%w: %q is not one of the approvers", ErrDuties, d.By)
	case slices.ContainsFunc(a.Decisions, func(x Decision) bool { return x.By == d.By }):
		return a, fmt.Errorf("%w: %q", ErrDecided, d.By)
	}
	a.Decisions = append(slices.Clone(a.Decisions), d)
	return a, nil
}

// State computes what the approval is worth for a content, the zero Digest if the
// record is gone or was changed since, at a time.
func (a Approval) State(content store.Digest, now time.Time) State {
	yes, no := 0, 0
	for _, d := range a.Decisions {
		if d.Approves {
			yes++
		} else {
			no++
		}
	}
	past := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	switch {
	case a.Withdrawn:
		return Withdrawn
	case no >= a.Rule.rejections():
		return Rejected
	case content != a.Content:
		return Void
	case past(a.Rule.Until):
		return Expired
	case yes >= a.Rule.quorum():
		return Approved
	case past(a.Rule.Deadline):
		return Expired
	}
	return Pending
}

// Desk keeps the approvals of a tenant, as the records of a collection named
// approvals. It is safe for concurrent use unless it belongs to a transaction.
type Desk struct {
	scope *store.Scope
	now   func() time.Time
	all   *store.Collection[Approval]
}

// NewDesk returns the desk of a scope. now is the clock that deadlines and the
// times of decisions go by.
func NewDesk(s *store.Scope, now func() time.Time) *Desk {
	return &Desk{s, now, store.NewCollection(s, "approvals", func(a Approval) string { return a.ID }, &store.CollectionOptions[Approval]{
		Attrs: map[string]func(Approval) []string{
			"record":       func(a Approval) []string { return []string{subject(a.Collection, a.Key)} },
			"requested-by": func(a Approval) []string { return []string{a.RequestedBy} },
			"purpose":      func(a Approval) []string { return []string{a.Purpose} },
		},
	})}
}

// subject is a digest where the key is too long for an attribute.
func subject(collection, key string) string {
	if s := collection + "/" + key; len(s) <= 500 {
		return s
	}
	return store.DigestOf([]byte(collection + "/" + key)).String()
}

// In returns the desk as a part of a transaction.
func (d *Desk) In(tx *store.Tx) *Desk { return d.For(tx.Scope()) }

// For returns the desk as seen by another principal.
func (d *Desk) For(s *store.Scope) *Desk { return &Desk{s, d.now, d.all.For(s)} }

// Request asks for the approval of a record as it is now, in the name of the
// scope's actor. The error matches store.ErrNotFound if there is no such record,
// [ErrRule] if nobody could give the approval.
func (d *Desk) Request(ctx context.Context, purpose, collection, key string, rule Rule) (Approval, error) {
	var a Approval
	err := d.run(ctx, func(s *store.Scope) error {
		content, revision, err := s.Content(ctx, collection, key)
		if err != nil {
			return err
		}
		actor := s.Principal().Actor
		if err := rule.check(actor, d.now()); err != nil {
			return err
		}
		a = Approval{
			ID: s.NewID(), Purpose: purpose, Collection: collection, Key: key, Revision: revision, Content: content,
			RequestedBy: actor, RequestedAt: d.time(), Rule: rule,
		}
		return d.all.For(s).Create(ctx, a)
	})
	if err != nil {
		return Approval{}, fmt.Errorf("approval: request: %w", err)
	}
	return a, nil
}

// Decide adds the decision of the scope's actor and returns what the approval is
// then. The errors are those of [Approval.Decided].
func (d *Desk) Decide(ctx context.Context, id string, approves bool, comment string) (State, error) {
	return d.change(ctx, "decide", id, func(a Approval, content store.Digest, actor string) (Approval, error) {
		return a.Decided(Decision{By: actor, Approves: approves, Comment: comment, At: d.time()}, content)
	})
}

// Withdraw takes a request back; only who made it can.
func (d *Desk) Withdraw(ctx context.Context, id string) error {
	_, err := d.change(ctx, "withdraw", id, func(a Approval, content store.Digest, actor string) (Approval, error) {
		if a.RequestedBy != actor {
			return a, fmt.Errorf("%w: %q asked for it", ErrDuties, a.RequestedBy)
		}
		if s := a.State(content, d.time()); s != Pending {
			return a, fmt.Errorf("%w: it is %v", ErrClosed, s)
		}
		a.Withdrawn = true
		return a, nil
	})
	return err
}

// Get returns an approval, with the decisions that the audit trail bears out, and
// what it is worth now. The error matches store.ErrNotFound if there is none,
// [ErrForged] if the trail does not say that who is said to have asked has asked.
func (d *Desk) Get(ctx context.Context, id string) (Approval, State, error) {
	a, _, err := d.proven(ctx, d.scope, id)
	if err != nil {
		return a, 0, err
	}
	content, err := current(ctx, d.scope, a)
	if err != nil {
		return a, 0, err
	}
	return a, a.State(content, d.now()), nil
}

// Of yields the approvals that were asked for a record, by ID, with the decisions
// that the audit trail bears out. It leaves out requests that it does not.
func (d *Desk) Of(ctx context.Context, collection, key string) iter.Seq2[Approval, error] {
	return func(yield func(Approval, error) bool) {
		q := store.Query{Where: []store.Cond{store.Equal("record", subject(collection, key))}}
		for v, err := range d.all.Query(ctx, q) {
			var a Approval
			if err == nil {
				a, _, err = d.proven(ctx, d.scope, v.Key)
			}
			if errors.Is(err, ErrForged) || err == nil && (a.Collection != collection || a.Key != key) {
				continue
			}
			if !yield(a, err) || err != nil {
				return
			}
		}
	}
}

// proven makes an approval of the history of its record: the request is the first
// version, written by who asked, and each later one adds what its actor may add.
// revision is that of the record now.
func (d *Desk) proven(ctx context.Context, s *store.Scope, id string) (a Approval, revision int64, err error) {
	var versions []store.Versioned[Approval] // the newest first
	for v, err := range d.all.For(s).History(ctx, id) {
		if err != nil {
			return a, 0, err
		}
		if v.Action == store.ActionDelete {
			break
		}
		versions = append(versions, v)
	}
	if len(versions) == 0 {
		_, err := d.all.For(s).Get(ctx, id) // says that it is not there
		return a, 0, cmp.Or(err, ErrForged)
	}
	revision = versions[0].Revision
	for i, v := range slices.Backward(versions) {
		switch {
		case v.Erased:
			return Approval{}, 0, fmt.Errorf("%w: %w", ErrForged, store.ErrErased)
		case v.Action != store.ActionPut: // an erasure or a seal changes nothing
		case i == len(versions)-1:
			a = v.Value
			if a.RequestedBy != v.Actor || len(a.Decisions) > 0 || a.Withdrawn {
				return Approval{}, 0, fmt.Errorf("%w: %q wrote it in the name of %q", ErrForged, v.Actor, a.RequestedBy)
			}
		default:
			a = a.with(v)
		}
	}
	return a, revision, nil
}

// with adds what the actor of a version may add.
func (a Approval) with(v store.Versioned[Approval]) Approval {
	for _, d := range v.Value.Decisions {
		if d.By != v.Actor {
			continue
		}
		if next, err := a.Decided(d, a.Content); err == nil {
			a = next
		}
	}
	a.Withdrawn = a.Withdrawn || v.Value.Withdrawn && v.Actor == a.RequestedBy
	return a
}

// Holds tells whether a record, as it is now, has an approval for a purpose. Call
// it in the transaction that relies on the answer.
func (d *Desk) Holds(ctx context.Context, purpose, collection, key string) (bool, error) {
	if _, _, err := d.scope.Content(ctx, collection, key); err != nil {
		return false, err
	}
	for a, err := range d.Of(ctx, collection, key) {
		if err != nil {
			return false, err
		}
		if a.Purpose != purpose {
			continue
		}
		content, err := current(ctx, d.scope, a)
		if err != nil {
			return false, err
		}
		if a.State(content, d.now()) == Approved {
			return true, nil
		}
	}
	return false, nil
}

// time is that of the clock, as it can be stored.
func (d *Desk) time() time.Time { return d.now().UTC().Truncate(time.Microsecond) }

// run runs fn in the desk's transaction or in one of its own.
func (d *Desk) run(ctx context.Context, fn func(*store.Scope) error) error {
	if d.scope.InTx() {
		return fn(d.scope)
	}
	return d.scope.Update(ctx, func(tx *store.Tx) error { return fn(tx.Scope()) })
}

func (d *Desk) change(ctx context.Context, op, id string, fn func(a Approval, content store.Digest, actor string) (Approval, error)) (state State, err error) {
	err = d.run(ctx, func(s *store.Scope) error {
		was, revision, err := d.proven(ctx, s, id)
		if err != nil {
			return err
		}
		content, err := current(ctx, s, was)
		if err != nil {
			return err
		}
		a, err := fn(was, content, s.Principal().Actor)
		if err != nil {
			return err
		}
		state = a.State(content, d.now())
		_, err = d.all.For(s).Swap(ctx, a, revision)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("approval: %s: %w", op, err)
	}
	return state, nil
}

// current returns the digest of the content as it is now, zero if the record is
// gone or was another one since it was asked about.
func current(ctx context.Context, s *store.Scope, a Approval) (store.Digest, error) {
	content, _, err := s.Content(ctx, a.Collection, a.Key)
	if errors.Is(err, store.ErrNotFound) {
		return store.Digest{}, nil
	}
	if err != nil {
		return store.Digest{}, err
	}
	unchanged, err := s.Unchanged(ctx, a.Collection, a.Key, a.Revision)
	if err != nil || !unchanged {
		return store.Digest{}, err
	}
	return content, nil
}
