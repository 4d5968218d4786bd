package approval_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/approval"
	"github.com/issokit/issokit/store/memory"
)

var day = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)

type policy struct{ ID, Text string }

func policyKey(p policy) string { return p.ID }

type office struct {
	t    *testing.T
	st   *store.Store
	now  time.Time
	docs *store.Collection[policy]
}

func open(t *testing.T) *office {
	o := &office{t: t, now: day}
	n := 0
	o.st = store.New(memory.New(nil), &store.Options{
		Now:   func() time.Time { return o.now },
		NewID: func() string { n++; return fmt.Sprintf("id-%d", n) },
	})
	o.docs = store.NewCollection(o.as("author"), "policies", policyKey, nil)
	require.NoError(t, o.docs.Create(t.Context(), policy{"p", "text"}))
	return o
}

func (o *office) as(actor string) *store.Scope {
	return o.st.Scope(store.Principal{Tenant: "t", Actor: actor})
}

func (o *office) desk(actor string) *approval.Desk {
	return approval.NewDesk(o.as(actor), func() time.Time { return o.now })
}

func (o *office) state(id string) approval.State {
	_, s, err := o.desk("anyone").Get(o.t.Context(), id)
	require.NoError(o.t, err)
	return s
}

func TestQuorum(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	a, err := o.desk("author").Request(ctx, "policy", "policies", "p", approval.Rule{Quorum: 2, Rejections: 2, Approvers: []string{"ciso", "ceo", "author", "editor", "cfo"}, Barred: []string{"editor"}})
	require.NoError(t, err)
	for _, who := range []string{"author", "editor", "stranger"} {
		_, err = o.desk(who).Decide(ctx, a.ID, true, "")
		require.ErrorIs(t, err, approval.ErrDuties, who)
	}
	s, err := o.desk("ciso").Decide(ctx, a.ID, true, "fine")
	require.NoError(t, err)
	require.Equal(t, approval.Pending, s)
	_, err = o.desk("ciso").Decide(ctx, a.ID, true, "")
	require.ErrorIs(t, err, approval.ErrDecided)
	s, err = o.desk("cfo").Decide(ctx, a.ID, false, "too dear")
	require.NoError(t, err)
	require.Equal(t, approval.Pending, s, "one rejection of two")
	holds, err := o.desk("x").Holds(ctx, "policy", "policies", "p")
	require.NoError(t, err)
	require.False(t, holds)
	s, err = o.desk("ceo").Decide(ctx, a.ID, true, "")
	require.NoError(t, err)
	require.Equal(t, approval.Approved, s)
	holds, err = o.desk("x").Holds(ctx, "policy", "policies", "p")
	require.NoError(t, err)
	require.True(t, holds)
	holds, err = o.desk("x").Holds(ctx, "other", "policies", "p")
	require.NoError(t, err)
	require.False(t, holds)
	_, err = o.desk("board").Decide(ctx, a.ID, true, "")
	require.ErrorIs(t, err, approval.ErrClosed)
	_, err = o.as("audit").Verify(ctx, nil)
	require.NoError(t, err)
}

func TestVoidWhenContentChanges(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	request := func() string {
		a, err := o.desk("author").Request(ctx, "policy", "policies", "p", approval.Rule{})
		require.NoError(t, err)
		return a.ID
	}
	approved := request()
	_, err := o.desk("ciso").Decide(ctx, approved, true, "")
	require.NoError(t, err)
	pending := request()

	// A seal, and the same content written again, change nothing that was approved.
	require.NoError(t, o.docs.Put(ctx, policy{"p", "text"}))
	require.Equal(t, approval.Approved, o.state(approved))

	require.NoError(t, o.docs.Put(ctx, policy{"p", "other text"}))
	require.Equal(t, approval.Void, o.state(approved))
	require.Equal(t, approval.Void, o.state(pending))
	_, err = o.desk("ciso").Decide(ctx, pending, true, "")
	require.ErrorIs(t, err, approval.ErrClosed)
	require.NoError(t, o.docs.Delete(ctx, "p", 3))
	require.Equal(t, approval.Void, o.state(approved))
	_, err = o.desk("author").Request(ctx, "policy", "policies", "p", approval.Rule{})
	require.ErrorIs(t, err, store.ErrNotFound)
	require.NoError(t, o.docs.Create(ctx, policy{"p", "text"}))
	require.Equal(t, approval.Void, o.state(approved), "the content is back, the record is another")
	holds, err := o.desk("x").Holds(ctx, "policy", "policies", "p")
	require.NoError(t, err)
	require.False(t, holds)

	// Changed and changed back.
	approved = request()
	_, err = o.desk("ciso").Decide(ctx, approved, true, "")
	require.NoError(t, err)
	pending = request()
	require.Equal(t, approval.Approved, o.state(approved))
	require.NoError(t, o.docs.Put(ctx, policy{"p", "other text"}))
	require.NoError(t, o.docs.Put(ctx, policy{"p", "text"}))
	require.Equal(t, approval.Void, o.state(approved))
	_, err = o.desk("ciso").Decide(ctx, pending, true, "")
	require.ErrorIs(t, err, approval.ErrClosed)

	// Sealed as it was approved.
	approved = request()
	_, err = o.desk("ciso").Decide(ctx, approved, true, "")
	require.NoError(t, err)
	v, err := o.docs.Load(ctx, "p")
	require.NoError(t, err)
	require.NoError(t, o.docs.Seal(ctx, "p", v.Revision))
	require.Equal(t, approval.Approved, o.state(approved))
}

// TestForged: whoever can write to the collection cannot decide for others.
func TestForged(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	all := func(actor string) *store.Collection[approval.Approval] {
		return store.NewCollection(o.as(actor), "approvals", func(a approval.Approval) string { return a.ID }, &store.CollectionOptions[approval.Approval]{
			Attrs: map[string]func(approval.Approval) []string{"record": func(a approval.Approval) []string { return []string{a.Collection + "/" + a.Key} }},
		})
	}
	rule := approval.Rule{Quorum: 2, Approvers: []string{"ciso", "ceo"}}
	a, err := o.desk("mallory").Request(ctx, "policy", "policies", "p", rule)
	require.NoError(t, err)
	yes := func(who string) approval.Decision { return approval.Decision{By: who, Approves: true, At: day} }
	holds := func() bool {
		ok, err := o.desk("x").Holds(ctx, "policy", "policies", "p")
		require.NoError(t, err)
		return ok
	}

	forged := a
	forged.Decisions = []approval.Decision{yes("ciso"), yes("ceo")}
	require.NoError(t, all("mallory").Put(ctx, forged))
	got, state, err := o.desk("x").Get(ctx, a.ID)
	require.NoError(t, err)
	require.Equal(t, approval.Pending, state)
	require.Equal(t, a, got, "without the decisions of others")
	require.False(t, holds())

	// A softer rule, and another's name under the request.
	forged = a
	forged.Rule = approval.Rule{}
	require.NoError(t, all("mallory").Put(ctx, forged))
	require.NoError(t, all("mallory").Put(ctx, func() approval.Approval {
		x := forged
		x.ID, x.RequestedBy, x.Decisions = "forged", "author", nil
		return x
	}()))
	_, _, err = o.desk("x").Get(ctx, "forged")
	require.ErrorIs(t, err, approval.ErrForged)
	_, err = o.desk("ciso").Decide(ctx, "forged", true, "")
	require.ErrorIs(t, err, approval.ErrForged)
	forged.ID, forged.Decisions = "decided", []approval.Decision{yes("ciso"), yes("ceo")}
	require.NoError(t, all("mallory").Put(ctx, forged))
	_, _, err = o.desk("x").Get(ctx, "decided")
	require.ErrorIs(t, err, approval.ErrForged, "a request is not born with decisions")

	// The genuine one can still be decided, by its own rule.
	state, err = o.desk("ciso").Decide(ctx, a.ID, true, "")
	require.NoError(t, err)
	require.Equal(t, approval.Pending, state)
	require.False(t, holds())
	state, err = o.desk("ceo").Decide(ctx, a.ID, true, "")
	require.NoError(t, err)
	require.Equal(t, approval.Approved, state)
	require.True(t, holds())
	require.NoError(t, all("mallory").Put(ctx, a)) // takes the decisions out again
	require.True(t, holds(), "what was decided stays decided")
	ids := []string{}
	for x, err := range o.desk("x").Of(ctx, "policies", "p") {
		require.NoError(t, err)
		ids = append(ids, x.ID)
	}
	require.Equal(t, []string{a.ID}, ids)
	_, _, err = o.desk("x").Get(ctx, "none")
	require.ErrorIs(t, err, store.ErrNotFound)
	require.NoError(t, all("mallory").Delete(ctx, a.ID, 6))
	_, _, err = o.desk("x").Get(ctx, a.ID)
	require.ErrorIs(t, err, store.ErrNotFound)
}

// TestPast: a rule whose time is over.
func TestPast(t *testing.T) {
	o := open(t)
	for _, r := range []approval.Rule{{Deadline: day}, {Until: day}, {Deadline: day.Add(-time.Hour)}, {Until: day.Add(-time.Hour)}} {
		_, err := o.desk("author").Request(t.Context(), "policy", "policies", "p", r)
		require.ErrorIs(t, err, approval.ErrRule)
	}
	_, err := o.desk("author").Request(t.Context(), "policy", "policies", "p", approval.Rule{Deadline: day.Add(time.Second), Until: day.Add(time.Second)})
	require.NoError(t, err)
}

func TestTimeAndWithdrawal(t *testing.T) {
	o := open(t)
	ctx := t.Context()
	rule := approval.Rule{Deadline: day.Add(time.Hour), Until: day.Add(2 * time.Hour)}
	a, err := o.desk("author").Request(ctx, "acceptance", "policies", "p", rule)
	require.NoError(t, err)
	b, err := o.desk("author").Request(ctx, "acceptance", "policies", "p", rule)
	require.NoError(t, err)
	c, err := o.desk("author").Request(ctx, "acceptance", "policies", "p", rule)
	require.NoError(t, err)
	require.ErrorIs(t, o.desk("ciso").Withdraw(ctx, c.ID), approval.ErrDuties)
	require.NoError(t, o.desk("author").Withdraw(ctx, c.ID))
	require.ErrorIs(t, o.desk("author").Withdraw(ctx, c.ID), approval.ErrClosed)
	_, err = o.desk("ciso").Decide(ctx, a.ID, true, "")
	require.NoError(t, err)
	o.now = day.Add(time.Hour)
	require.Equal(t, approval.Approved, o.state(a.ID))
	require.Equal(t, approval.Expired, o.state(b.ID))
	require.Equal(t, approval.Withdrawn, o.state(c.ID))
	_, err = o.desk("ciso").Decide(ctx, b.ID, true, "")
	require.ErrorIs(t, err, approval.ErrClosed)
	o.now = day.Add(2 * time.Hour)
	require.Equal(t, approval.Expired, o.state(a.ID))
	n := 0
	for _, err := range o.desk("x").Of(ctx, "policies", "p") {
		require.NoError(t, err)
		n++
	}
	require.Equal(t, 3, n)
}

func TestRules(t *testing.T) {
	o := open(t)
	for _, r := range []approval.Rule{{Quorum: -1}, {Rejections: -1}, {Approvers: []string{}}, {Approvers: []string{"author"}}, {Quorum: 2, Approvers: []string{"a", "a", "b"}, Barred: []string{"b"}}} {
		_, err := o.desk("author").Request(t.Context(), "x", "policies", "p", r)
		require.ErrorIs(t, err, approval.ErrRule, "%+v", r)
	}
	_, err := o.desk("author").Request(t.Context(), "x", "../x", "p", approval.Rule{})
	require.ErrorIs(t, err, store.ErrInvalid)
}

// TestQuorumRace: many decide at once, and each decision counts once.
func TestQuorumRace(t *testing.T) {
	o := open(t)
	a, err := o.desk("author").Request(t.Context(), "x", "policies", "p", approval.Rule{Quorum: 5})
	require.NoError(t, err)
	var wg sync.WaitGroup
	states := make([]approval.State, 10)
	errs := make([]error, 10)
	for i := range 10 {
		wg.Go(func() { states[i], errs[i] = o.desk(fmt.Sprint("p", i)).Decide(context.Background(), a.ID, true, "") })
	}
	wg.Wait()
	approved, closed := 0, 0
	for i := range 10 {
		if states[i] == approval.Approved {
			approved++
		}
		if errors.Is(errs[i], approval.ErrClosed) {
			closed++
		}
	}
	require.Equal(t, []int{1, 5}, []int{approved, closed})
}

func TestStates(t *testing.T) {
	for s := approval.Pending; s <= approval.Void; s++ {
		text, err := s.MarshalText()
		require.NoError(t, err)
		var back approval.State
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, s, back)
	}
	for _, s := range []approval.State{0, -1, 7} {
		_, err := s.MarshalText()
		require.Error(t, err)
	}
	var s approval.State
	require.Error(t, s.UnmarshalText([]byte("Pending")))
}

func ExampleNewDesk() {
	ctx := context.Background()
	now := func() time.Time { return day }
	st := store.New(memory.New(nil), &store.Options{Now: now})
	as := func(actor string) *store.Scope { return st.Scope(store.Principal{Tenant: "acme", Actor: actor}) }
	policies := store.NewCollection(as("author"), "policies", policyKey, nil)
	_ = policies.Create(ctx, policy{"access", "Access is granted by role."})

	a, _ := approval.NewDesk(as("author"), now).Request(ctx, "policy", "policies", "access", approval.Rule{Quorum: 2})
	_, err := approval.NewDesk(as("author"), now).Decide(ctx, a.ID, true, "")
	fmt.Println(err)
	for _, who := range []string{"ciso", "ceo"} {
		state, _ := approval.NewDesk(as(who), now).Decide(ctx, a.ID, true, "agreed")
		fmt.Println(who, state)
	}
	_ = policies.Put(ctx, policy{"access", "Access is granted by request."})
	_, state, _ := approval.NewDesk(as("auditor"), now).Get(ctx, a.ID)
	fmt.Println(state)
	// Output:
	// approval: decide: separation of duties: the actor may not decide this: "author" asked for it
	// ciso pending
	// ceo approved
	// void
}

// A risk is accepted only while two others have approved the acceptance that was
// asked for. Policies, plans, terms of reference and deviations go the same way.
func ExampleDesk_Holds() {
	ctx := context.Background()
	now := func() time.Time { return day }
	st := store.New(memory.New(nil), &store.Options{Now: now})
	as := func(actor string) *store.Scope { return st.Scope(store.Principal{Tenant: "acme", Actor: actor}) }
	type acceptance struct{ Risk, State string }
	risks := store.NewCollection(as("owner"), "risks", func(a acceptance) string { return a.Risk }, nil)
	_ = risks.Create(ctx, acceptance{"R-1", "requested"})

	accept := func(actor string) error {
		return as(actor).Update(ctx, func(tx *store.Tx) error {
			holds, err := approval.NewDesk(tx.Scope(), now).Holds(ctx, "acceptance", "risks", "R-1")
			if err != nil {
				return err
			}
			if !holds {
				return errors.New("it is not approved")
			}
			v, err := risks.In(tx).Load(ctx, "R-1")
			if err != nil {
				return err
			}
			_, err = risks.In(tx).Swap(ctx, acceptance{"R-1", "accepted"}, v.Revision)
			return err
		})
	}
	a, _ := approval.NewDesk(as("owner"), now).Request(ctx, "acceptance", "risks", "R-1", approval.Rule{
		Quorum: 2, Approvers: []string{"ciso", "ceo", "cfo"}, Deadline: day.AddDate(0, 1, 0),
	})
	fmt.Println(accept("ciso"))
	for _, who := range []string{"ciso", "cfo"} {
		fmt.Println(approval.NewDesk(as(who), now).Decide(ctx, a.ID, true, "until it is retired"))
	}
	fmt.Println(accept("ciso"))
	// Output:
	// it is not approved
	// pending <nil>
	// approved <nil>
	// <nil>
}
