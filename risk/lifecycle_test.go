package risk

import (
	"cmp"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

const testScale = "https://example.org/scale"

// lifecycle is corpus/risk/register/lifecycle.json.
type lifecycle struct {
	States []struct {
		State       State  `json:"state"`
		OSCALStatus string `json:"oscalStatus"`
	} `json:"states"`
	Transitions []struct {
		From  State     `json:"from"`
		Event EventKind `json:"event"`
		To    State     `json:"to"`
	} `json:"transitions"`
	Cases []struct {
		ID    string    `json:"id"`
		State State     `json:"state"`
		Event EventKind `json:"event"`
		Facts facts     `json:"facts"`
		To    State     `json:"to"`
		Error string    `json:"error"`
	} `json:"cases"`
	AcceptanceAt []struct {
		ID             string    `json:"id"`
		Now            time.Time `json:"now"`
		Expires        time.Time `json:"expires"`
		AcceptedDigest string    `json:"acceptedDigest"`
		CurrentDigest  string    `json:"currentDigest"`
		WarnDays       int       `json:"warnDays"`
		InForce        bool      `json:"inForce"`
		Breaches       []string  `json:"breaches"`
		Warnings       []string  `json:"warnings"`
	} `json:"acceptanceAt"`
	Digest []struct {
		Change        string `json:"change"`
		ChangesDigest bool   `json:"changesDigest"`
	} `json:"digest"`
}

type facts struct {
	Assessment *struct {
		Digest     string    `json:"digest"`
		AssessedAt time.Time `json:"assessedAt"`
	} `json:"assessment"`
	Criteria         bool            `json:"criteria"`
	Responses        json.RawMessage `json:"responses"`
	PlannedResponses int             `json:"plannedResponses"`
	Level            string          `json:"level"`
	Appetite         string          `json:"appetite"`
	Justification    string          `json:"justification"`
	RequestedBy      string          `json:"requestedBy"`
	Expires          time.Time       `json:"expires"`
	Digest           string          `json:"digest"`
	CurrentDigest    string          `json:"currentDigest"`
	AcceptedDigest   string          `json:"acceptedDigest"`
	Now              time.Time       `json:"now"`
	LongestTermDays  int             `json:"longestTermDays"`
	ApprovedBy       string          `json:"approvedBy"`
	Authority        string          `json:"authority"`
	Reason           string          `json:"reason"`
	By               string          `json:"by"`
	Owner            string          `json:"owner"`
}

func readLifecycle(t *testing.T) lifecycle {
	t.Helper()
	var l lifecycle
	require.NoError(t, json.Unmarshal(corpus.Read(t, "risk/register/lifecycle.json"), &l))
	require.Len(t, l.Cases, 35)
	return l
}

// assessed makes an assessment whose basis has the corpus' name of a digest.
func rated(basis, level string, at time.Time) Assessment {
	return Assessment{Stage: Current, System: testScale, Level: cmp.Or(level, "low"), Basis: basis, At: at, Origins: []Actor{{ID: "assessor"}}}
}

// build makes the risk, the event and the criteria of a case.
func build(t *testing.T, state State, kind EventKind, f facts) (Risk, Event, Criteria, time.Time) {
	t.Helper()
	digest := func(basis string) string { return rated(basis, f.Level, time.Time{}).Digest() }
	now := f.Now
	if now.IsZero() {
		now = day(2026, 5, 1)
	}
	scale := Scale{testScale, []string{"very-low", "low", "moderate", "high", "very-high"}}
	c := Criteria{Scales: []Scale{scale}, Terms: []Term{{AcceptDays: f.LongestTermDays}}}
	if f.Criteria || kind != Evaluate {
		c.Appetites = []Appetite{{System: testScale, Appetite: cmp.Or(f.Appetite, "moderate")}}
	}
	if f.Authority != "" {
		c.Authorities = []Authority{{Who: f.ApprovedBy, System: testScale, Level: f.Authority}}
	}
	r := Risk{ID: "R", State: state, Owner: f.Owner}
	e := Event{Kind: kind, By: cmp.Or(f.By, f.ApprovedBy, f.RequestedBy, "someone"), Reason: cmp.Or(f.Reason, f.Justification), Expires: f.Expires}
	if state != Identified || kind != Analyse {
		r.Assessments = []Assessment{rated(cmp.Or(f.CurrentDigest, f.AcceptedDigest, "d1"), f.Level, day(2026, 1, 1))}
	}
	switch kind {
	case Analyse:
		if f.Assessment != nil {
			e.Assessments = []Assessment{rated(f.Assessment.Digest, f.Level, f.Assessment.AssessedAt)}
		}
	case RequestAcceptance, Renew:
		e.Digest = digest(f.Digest)
	case Close:
		if f.Reason != "" {
			require.NoError(t, e.Closure.Reason.UnmarshalText([]byte(f.Reason)))
		}
	case Treat:
		var list []struct {
			Kind  ResponseKind
			Owner string
			Due   string
		}
		if err := json.Unmarshal(f.Responses, &list); err != nil {
			break // a number: the case fails before anyone looks at them
		}
		for i, s := range list {
			due, err := time.Parse(time.DateOnly, s.Due)
			require.NoError(t, err)
			e.Responses = append(e.Responses, Response{ID: fmt.Sprint(i), Title: "Response", Kind: s.Kind, Owner: s.Owner, Due: due})
		}
	}
	for i := range f.PlannedResponses {
		r.Responses = append(r.Responses, Response{ID: fmt.Sprint(i), Lifecycle: Planned, Owner: "o", Due: now})
	}
	a := Acceptance{ID: "acceptance-1", RequestedBy: f.RequestedBy, Expires: f.Expires, Digest: digest(cmp.Or(f.Digest, f.AcceptedDigest, "d1"))}
	switch state {
	case AcceptanceRequested:
		a.Decision = Pending
		r.Acceptances = []Acceptance{a}
	case Accepted:
		a.Decision = Approved
		r.Acceptances = []Acceptance{a}
	}
	return r, e, c, now
}

func TestLifecycleCases(t *testing.T) {
	for _, tt := range readLifecycle(t).Cases {
		t.Run(tt.ID, func(t *testing.T) {
			r, e, c, now := build(t, tt.State, tt.Event, tt.Facts)
			before := text(r)
			got, err := r.Apply(e, c, now)
			require.Equal(t, before, text(r), "the risk itself does not change")
			if tt.Error != "" {
				require.ErrorIs(t, err, Rule(tt.Error))
				require.Equal(t, Risk{}, got)
				return
			}
			require.NoError(t, err)
			require.Equal(t, tt.To, got.State)
			last := got.Log[len(got.Log)-1]
			require.Equal(t, Entry{ID: "log-1", At: now, Event: tt.Event, From: tt.State, To: tt.To, By: e.By, Text: last.Text, Responses: last.Responses}, last)
		})
	}
}

// TestTransitions compares the table with the corpus'. Ours has two events more,
// which leave the state.
func TestTransitions(t *testing.T) {
	type move struct {
		From, To State
		Event    EventKind
	}
	var want, got []move
	l := readLifecycle(t)
	for _, m := range l.Transitions {
		want = append(want, move{m.From, m.To, m.Event})
	}
	for _, m := range Transitions() {
		require.NotEmpty(t, m.Role)
		if m.Event != Respond && m.Event != Review {
			got = append(got, move{m.From, m.To, m.Event})
			require.NotEmpty(t, m.Rules, "%s %s", m.From, m.Event)
		}
	}
	require.ElementsMatch(t, want, got)
	for i, s := range l.States {
		require.Equal(t, State(i+1), s.State)
		require.Equal(t, s.OSCALStatus, s.State.Status())
	}
}

func TestAcceptanceAt(t *testing.T) {
	for _, tt := range readLifecycle(t).AcceptanceAt {
		t.Run(tt.ID, func(t *testing.T) {
			r := Risk{ID: "R", State: Accepted, Assessments: []Assessment{rated(tt.CurrentDigest, "low", day(2026, 1, 1))}}
			a := Acceptance{ID: "acceptance-1", Decision: Approved, Expires: tt.Expires, Digest: rated(tt.AcceptedDigest, "low", time.Time{}).Digest()}
			r.Acceptances = []Acceptance{a}
			require.Equal(t, tt.InForce, a.At(r, tt.Now).InForce)
			c := Criteria{
				Scales: []Scale{{testScale, []string{"low"}}}, Appetites: []Appetite{{System: testScale, Appetite: "low"}}, WarnDays: cmp.Or(tt.WarnDays, 1),
			}
			breaches, err := c.Breaches(r, tt.Now)
			require.NoError(t, err)
			got, warnings := []string{}, []string{}
			for _, b := range breaches {
				if b.Warning {
					warnings = append(warnings, b.Text)
				} else {
					got = append(got, b.Text)
				}
			}
			require.ElementsMatch(t, tt.Breaches, got)
			if tt.Warnings != nil {
				require.Equal(t, tt.Warnings, warnings)
			}
		})
	}
}

// TestDigest makes each of the changes of the corpus' list to an assessment, or
// to the risk around it.
func TestDigest(t *testing.T) {
	base := func() Risk {
		a := rated("basis of the engine", "high", day(2026, 1, 1))
		a.Version, a.Controls = "1", []string{"ac-2", "ac-3"}
		a.Loss = &Loss{Currency: "USD", Mean: Estimate{Value: 1000}, Seed: 1, Years: 1000}
		return Risk{ID: "R", Title: "Title", Owner: "owner", Assessments: []Assessment{a}}
	}
	changes := map[string]func(r *Risk, a *Assessment){
		"a parameter of a distribution": func(_ *Risk, a *Assessment) { a.Basis = "another basis" },
		"the method or its version":     func(_ *Risk, a *Assessment) { a.Version = "2" },
		"the matrix data":               func(_ *Risk, a *Assessment) { a.Basis = "another basis" },
		"a rating of one factor":        func(_ *Risk, a *Assessment) { a.Basis = "another basis" },
		"the set of controls counted":   func(_ *Risk, a *Assessment) { a.Controls = a.Controls[:1] },
		"the title of the risk":         func(r *Risk, _ *Assessment) { r.Title = "Other" },
		"the seed or the number of simulated years": func(_ *Risk, a *Assessment) {
			a.Loss = &Loss{Currency: "USD", Mean: Estimate{Value: 1000.5}, Seed: 2, Years: 2000}
		},
		"the owner":                              func(r *Risk, _ *Assessment) { r.Owner = "other" },
		"a comment":                              func(_ *Risk, a *Assessment) { a.Why = []Step{{"rule", "name", "value", "a comment"}} },
		"the order of the scenarios in the file": func(_ *Risk, a *Assessment) { a.Controls = []string{"ac-3", "ac-2"} },
	}
	cases := readLifecycle(t).Digest
	require.Len(t, cases, len(changes))
	for _, tt := range cases {
		t.Run(tt.Change, func(t *testing.T) {
			r := base()
			s, _ := r.Standing()
			before := s.Digest()
			require.Contains(t, changes, tt.Change)
			changes[tt.Change](&r, &r.Assessments[0])
			s, _ = r.Standing()
			require.Equal(t, tt.ChangesDigest, before != s.Digest())
		})
	}
	t.Run("without a basis the result stands for it", func(t *testing.T) {
		r := base()
		r.Assessments[0].Basis = ""
		before := r.Assessments[0].Digest()
		r.Assessments[0].Loss.Mean.Value = 2000
		require.NotEqual(t, before, r.Assessments[0].Digest())
	})
}

// TestAcceptanceRounds follows a risk through acceptances that end in each of the
// ways.
func TestAcceptanceRounds(t *testing.T) {
	scale := Scale{testScale, []string{"low", "high"}}
	c := Criteria{
		Scales: []Scale{scale}, Appetites: []Appetite{{System: testScale, Appetite: "low"}},
		Authorities: []Authority{{Who: "role-ao", System: testScale, Level: "high"}}, Terms: []Term{{AcceptDays: 365}},
	}
	start := func() Risk {
		return Risk{ID: "R", Owner: "owner", State: Evaluated, Assessments: []Assessment{rated("d1", "high", day(2026, 1, 1))}}
	}
	digest := start().Assessments[0].Digest()
	request := Event{Kind: RequestAcceptance, By: "owner", Reason: "because", Expires: day(2026, 12, 31), Digest: digest}
	renew := request
	renew.Kind, renew.Expires = Renew, day(2027, 1, 31)
	approve := Event{Kind: Approve, By: "boss", Role: "role-ao"}
	anew := Event{Kind: Analyse, By: "assessor", Assessments: []Assessment{rated("d2", "high", day(2026, 2, 15))}}
	for _, tt := range []struct {
		name   string
		events []Event
		state  State
		want   []Decision
	}{
		{"approved by role", []Event{request, approve}, Accepted, []Decision{Approved}},
		{"rejected", []Event{request, {Kind: Reject, By: "boss", Reason: "no"}}, Evaluated, []Decision{Rejected}},
		{"withdrawn", []Event{request, {Kind: Withdraw, By: "owner"}}, Evaluated, []Decision{Withdrawn}},
		{"revoked", []Event{request, approve, {Kind: Revoke, By: "boss", Reason: "failed"}}, Evaluated, []Decision{Revoked}},
		{"the old one stands while a renewal is open", []Event{request, approve, renew}, AcceptanceRequested, []Decision{Approved, Pending}},
		{"renewed", []Event{request, approve, renew, approve}, Accepted, []Decision{Superseded, Approved}},
		{"renewal rejected", []Event{request, approve, renew, {Kind: Reject, By: "boss", Reason: "no"}}, Evaluated, []Decision{Superseded, Rejected}},
		{"renewal withdrawn", []Event{request, approve, renew, {Kind: Withdraw, By: "owner"}}, Evaluated, []Decision{Approved, Withdrawn}},
		{"assessed anew", []Event{request, approve, anew}, Analysed, []Decision{Superseded}},
		{"request falls", []Event{request, anew}, Analysed, []Decision{Superseded}},
		{"renewal withdrawn, then treated", []Event{request, approve, renew, {Kind: Withdraw, By: "owner"}, {Kind: Treat, By: "owner", Responses: []Response{{ID: "a", Title: "A", Kind: Avoid, Owner: "o", Due: day(2026, 7, 1)}}}}, Treating, []Decision{Superseded, Withdrawn}},
		{"treated", []Event{request, approve, {Kind: Treat, By: "owner", Responses: []Response{{ID: "a", Title: "A", Kind: Avoid, Owner: "o", Due: day(2026, 6, 1)}}}}, Treating, []Decision{Superseded}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := start()
			for i, e := range tt.events {
				var err error
				r, err = r.Apply(e, c, day(2026, 2+time.Month(i), 1).AddDate(0, 0, 20))
				require.NoError(t, err)
			}
			require.Equal(t, tt.state, r.State)
			var got []Decision
			for _, a := range r.Acceptances {
				got = append(got, a.Decision)
			}
			require.Equal(t, tt.want, got)
			require.Len(t, r.Log, len(tt.events))
			r.Title = "Title"
			x, err := ToOSCAL(r, nil)
			require.NoError(t, err)
			requireValid(t, x)
			back, err := FromOSCAL(x)
			require.NoError(t, err)
			require.Equal(t, r, back)
		})
	}
}

func TestMoreRules(t *testing.T) {
	c := Criteria{Scales: []Scale{{testScale, []string{"low"}}}, Appetites: []Appetite{{System: testScale, Appetite: "low"}}}
	base := Risk{ID: "R", Assessments: []Assessment{rated("d1", "low", day(2026, 3, 1))}}
	for _, tt := range []struct {
		name  string
		state State
		e     Event
		rule  Rule
	}{
		{"older assessment", Analysed, Event{Kind: Analyse, Assessments: []Assessment{rated("d2", "low", day(2026, 3, 1))}}, "the assessment is not newer"},
		{"assessment of tomorrow", Analysed, Event{Kind: Analyse, Assessments: []Assessment{rated("d2", "low", day(2026, 5, 2))}}, "the assessment is dated after now"},
		{"analysed again without an assessment", Evaluated, Event{Kind: Analyse}, "no assessment"},
		{"assessment without stage", Analysed, Event{Kind: Analyse, Assessments: []Assessment{{System: testScale, Level: "low", At: day(2026, 4, 1)}}}, "the assessment is not complete"},
		{"assessment without level", Analysed, Event{Kind: Analyse, Assessments: []Assessment{{Stage: Current, System: testScale, At: day(2026, 4, 1)}}}, "the assessment is not complete"},
		{"responses without ID", Evaluated, Event{Kind: Treat, Responses: []Response{{Kind: Mitigate, Owner: "o", Due: day(2026, 6, 1)}}}, "response without ID of its own"},
		{"responses with one ID", Treating, Event{Kind: Respond, Responses: []Response{{ID: "a"}, {ID: "a"}}}, "response without ID of its own"},
		{"nothing to treat with", Evaluated, Event{Kind: Treat}, "no response"},
		{"no due date", Evaluated, Event{Kind: Treat, Responses: []Response{{ID: "a", Kind: Mitigate, Owner: "o"}}}, "response without due date"},
		{"nobody asks", Evaluated, Event{Kind: RequestAcceptance, Reason: "x"}, "nobody acts"},
		{"no request to decide", AcceptanceRequested, Event{Kind: Reject, By: "boss", Reason: "x"}, "no request"},
		{"nobody rejects", AcceptanceRequested, Event{Kind: Reject, Reason: "x"}, "nobody acts"},
		{"nobody revokes", Accepted, Event{Kind: Revoke, Reason: "x"}, "nobody acts"},
		{"nobody closes", Evaluated, Event{Kind: Close, Closure: Closure{Reason: Eliminated}}, "nobody acts"},
		{"no event", Evaluated, Event{}, "illegal event"},
		{"no state", 0, Event{Kind: Analyse}, "illegal event"},
		{"nothing to respond", Treating, Event{Kind: Respond}, "no response"},
		{"closed is closed", Closed, Event{Kind: Review}, "illegal event"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := base
			r.State = tt.state
			_, err := r.Apply(tt.e, c, day(2026, 5, 1))
			require.ErrorIs(t, err, tt.rule)
			var te *TransitionError
			require.ErrorAs(t, err, &te)
			require.Equal(t, tt.state, te.State)
		})
	}
}

func TestRespond(t *testing.T) {
	r := Risk{ID: "R", State: Treating, Responses: []Response{{ID: "a", Kind: Mitigate, Lifecycle: Planned}, {ID: "b", Kind: Share, Lifecycle: Planned}}}
	got, err := r.Apply(Event{Kind: Respond, By: "o", Responses: []Response{{ID: "b", Kind: Share, Lifecycle: Completed}, {ID: "c", Kind: Avoid}}}, Criteria{}, day(2026, 1, 1))
	require.NoError(t, err)
	require.Equal(t, []Response{{ID: "a", Kind: Mitigate, Lifecycle: Planned}, {ID: "b", Kind: Share, Lifecycle: Completed}, {ID: "c", Kind: Avoid, Lifecycle: Planned}}, got.Responses)
	require.Equal(t, Planned, r.Responses[1].Lifecycle)
	require.Equal(t, []string{"b", "c"}, got.Log[0].Responses)
}

func TestCloseAndReopen(t *testing.T) {
	r := Risk{ID: "R", State: Evaluated, Owner: "owner"}
	closed, err := r.Apply(Event{Kind: Close, By: "assessor", Closure: Closure{Reason: FalsePositive, Evidence: []string{"scan-7"}}}, Criteria{}, day(2026, 1, 1))
	require.NoError(t, err)
	require.Equal(t, &Closure{Reason: FalsePositive, By: "assessor", At: day(2026, 1, 1), Evidence: []string{"scan-7"}}, closed.Closure)
	again, err := closed.Apply(Event{Kind: Reopen, By: "owner", Reason: "it recurred"}, Criteria{}, day(2026, 2, 1))
	require.NoError(t, err)
	require.Nil(t, again.Closure)
	require.Equal(t, Identified, again.State)
	require.Equal(t, []string{"scan-7"}, again.Log[0].Evidence, "the log keeps what closed it")
}

// TestLossAlone follows risks that have a loss and perhaps no level.
func TestLossAlone(t *testing.T) {
	const fair = SystemFAIR
	c := Criteria{
		Scales: []Scale{{testScale, []string{"low", "high"}}},
		Appetites: []Appetite{
			{System: fair, Currency: "EUR", MeanLoss: 100_000, Curve: []Tolerance{{200_000, 0.1}, {5_000_000, 0.05}}},
			{System: testScale, Appetite: "low", Currency: "EUR", MeanLoss: 100_000},
		},
		Authorities: []Authority{
			{Who: "cfo", System: fair, Currency: "EUR", MeanLoss: 500_000},
			{Who: "isso", System: fair, Currency: "EUR", MeanLoss: 50_000},
			{Who: "ao", System: testScale, Level: "high", Currency: "EUR", MeanLoss: 500_000},
		},
	}
	require.NoError(t, c.Check())
	loss := func(system, level string, mean float64, curve ...Exceedance) Assessment {
		return Assessment{Stage: Current, System: system, Level: level, At: day(2026, 1, 1), Loss: &Loss{Currency: "EUR", Mean: Estimate{Value: mean}, Curve: curve}}
	}
	at := func(loss, p float64) Exceedance { return Exceedance{loss, Estimate{Value: p}} }
	for _, tt := range []struct {
		name     string
		a        Assessment
		position Position
		may      []string // accept
	}{
		{"within appetite", loss(fair, "", 5_000), WithinAppetite, []string{"cfo", "isso"}},
		{"above the mean, no curve", loss(fair, "", 150_000), BeyondTolerance, []string{"cfo"}},
		{"above the mean, curve borne", loss(fair, "", 150_000, at(200_000, 0.05), at(5_000_000, 0.01)), WithinTolerance, []string{"cfo"}},
		{"curve above tolerance", loss(fair, "", 5_000, at(300_000, 0.2)), BeyondTolerance, []string{"cfo", "isso"}},
		{"above what anybody may accept", loss(fair, "", 1_000_000), BeyondTolerance, nil},
		{"low level, great loss", loss(testScale, "low", 9e9), BeyondTolerance, nil},
		{"low level, small loss", loss(testScale, "low", 9), WithinAppetite, []string{"ao"}},
		{"high level, small loss", loss(testScale, "high", 9), BeyondTolerance, []string{"ao"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p, err := c.Position("", tt.a)
			require.NoError(t, err)
			require.Equal(t, tt.position, p)
			var may []string
			for _, who := range []string{"cfo", "isso", "ao"} {
				if c.covers(who, "", tt.a) {
					may = append(may, who)
				}
			}
			require.Equal(t, tt.may, may)

			r := Risk{ID: "R", State: Analysed, Assessments: []Assessment{tt.a}}
			r, err = r.Apply(Event{Kind: Evaluate, By: "owner"}, c, day(2026, 2, 1))
			require.NoError(t, err)
			_, err = r.Apply(Event{Kind: Monitor, By: "owner"}, c, day(2026, 2, 1))
			if tt.position == WithinAppetite {
				require.NoError(t, err)
			} else {
				require.ErrorIs(t, err, Rule("above appetite"))
			}
		})
	}
	other := loss(fair, "", 1)
	other.Loss.Currency = "USD"
	_, err := c.Position("", other)
	require.ErrorIs(t, err, ErrScale)
	require.False(t, c.covers("cfo", "", other))
}

// TestCertainExcess: more than a loss is at least as probable as more than a
// greater one, so that a curve can be too high between its points.
func TestCertainExcess(t *testing.T) {
	a := Appetite{Curve: []Tolerance{{200_000, 0.1}, {5_000_000, 0.05}}}
	curve := []Exceedance{{100_000, Estimate{Value: 0.5}}, {10_000_000, Estimate{Value: 0.4}}}
	require.Equal(t, []Exceedance{{200_000, Estimate{Value: 0.4}}, {5_000_000, Estimate{Value: 0.4}}}, a.Exceeded(curve))
	require.Empty(t, a.Exceeded([]Exceedance{{100_000, Estimate{Value: 0.5}}, {10_000_000, Estimate{Value: 0.05}}}))
}
