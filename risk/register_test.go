package risk

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNewRegister(t *testing.T) {
	_, err := NewRegister(Risk{ID: "a"}, Risk{}, Risk{ID: "a"})
	var ps Problems
	require.ErrorAs(t, err, &ps)
	require.Len(t, ps, 2)
	require.ErrorIs(t, err, ErrInvalid)

	g, err := NewRegister(Risk{ID: "b", State: Evaluated, Category: "x", Assets: []string{"db"}}, Risk{ID: "a", State: Closed, Controls: []string{"ac-2"}, Threats: []Threat{{ID: "T1"}}})
	require.NoError(t, err)
	require.Equal(t, 2, g.Len())
	ids := func(q Query) []string {
		var out []string
		for r := range g.Find(q) {
			out = append(out, r.ID)
		}
		return out
	}
	require.Equal(t, []string{"a", "b"}, ids(Query{}))
	require.Equal(t, []string{"b"}, ids(Query{States: []State{Evaluated, Treating}, Category: "x", Asset: "db"}))
	require.Equal(t, []string{"a"}, ids(Query{Control: "ac-2", Threat: "T1"}))
	require.Nil(t, ids(Query{Owner: "nobody"}))
	require.Equal(t, []string{"a"}, ids(Query{Matches: func(r Risk) bool { return r.ID == "a" }}))
	require.Len(t, slices.Collect(g.All()), 2)
	_, err = g.Get("c")
	require.ErrorIs(t, err, ErrNotFound)

	g2, err := g.Apply("a", Event{Kind: Reopen, By: "x", Reason: "again"}, Criteria{}, day(2026, 1, 1))
	require.NoError(t, err)
	old, err := g.Get("a")
	require.NoError(t, err)
	now, err := g2.Get("a")
	require.NoError(t, err)
	require.Equal(t, []State{Closed, Identified}, []State{old.State, now.State})
	_, err = g.Apply("a", Event{Kind: Treat}, Criteria{}, day(2026, 1, 1))
	require.ErrorIs(t, err, illegalEvent)
}

func TestTop(t *testing.T) {
	c := Criteria{Scales: []Scale{{"unused", []string{"x"}}, {testScale, []string{"low", "high"}}, {"other", []string{"huge"}}}}
	at := day(2026, 1, 1)
	scored := rated("d", "high", at)
	scored.Score = new(9.0)
	costly := rated("d", "high", at)
	costly.Loss = &Loss{Mean: Estimate{Value: 5}}
	other := rated("d", "huge", at)
	other.System = "other"
	risks := []Risk{
		{ID: "unrated"},
		{ID: "low", Assessments: []Assessment{rated("d", "low", at)}},
		{ID: "inherent counts where nothing else is", Assessments: []Assessment{{Stage: Inherent, System: testScale, Level: "high"}}},
		{ID: "high b", Assessments: []Assessment{rated("d", "high", at)}, Deadline: at},
		{ID: "high a", Assessments: []Assessment{rated("d", "high", at)}},
		{ID: "first", Assessments: []Assessment{rated("d", "high", at)}, Priority: new(1)},
		{ID: "scored", Assessments: []Assessment{scored}},
		{ID: "costly", Assessments: []Assessment{costly}},
		{ID: "closed", State: Closed, Assessments: []Assessment{scored}},
		{ID: "latest counts", Assessments: []Assessment{rated("d", "low", at.AddDate(0, 0, 1)), rated("d", "high", at)}},
	}
	order := func(top []Ranked) []string {
		var out []string
		for i, r := range top {
			require.Equal(t, i+1, r.Rank)
			out = append(out, r.Risk.ID)
		}
		return out
	}
	want := []string{"scored", "costly", "first", "high b", "high a", "inherent counts where nothing else is", "latest counts", "low", "unrated"}
	for range 3 {
		slices.Reverse(risks)
		g, err := NewRegister(risks...)
		require.NoError(t, err)
		top, err := g.Top(0, c)
		require.NoError(t, err)
		require.Equal(t, want, order(top))
		top, err = g.Top(2, c)
		require.NoError(t, err)
		require.Equal(t, want[:2], order(top))
	}
	g, err := NewRegister(append(risks, Risk{ID: "other scale", Assessments: []Assessment{other}})...)
	require.NoError(t, err)
	top, err := g.Top(0, c)
	require.ErrorIs(t, err, ErrScale)
	require.Equal(t, want, order(top))
}

func TestAggregate(t *testing.T) {
	scale := Scale{testScale, []string{"low", "high"}}
	at := day(2026, 1, 1)
	g, err := NewRegister(
		Risk{ID: "1", Parent: "s1", Assessments: []Assessment{rated("d", "low", at)}},
		Risk{ID: "2", Parent: "s1", Assessments: []Assessment{rated("d", "high", at)}},
		Risk{ID: "3", Parent: "s2", Assessments: []Assessment{rated("d", "high", at)}},
		Risk{ID: "4", Parent: "org"},
		Risk{ID: "5", Parent: "s2", State: Closed, Assessments: []Assessment{rated("d", "high", at)}},
	)
	require.NoError(t, err)
	nodes := []Node{{ID: "s2", Parent: "dep"}, {ID: "dep", Parent: "org"}, {ID: "org"}, {ID: "s1", Parent: "dep"}, {ID: "s3", Parent: "org"}}
	joint := &Loss{Currency: "USD", Mean: Estimate{Value: 1}}
	got, err := Aggregate(g, nodes, scale, map[string]*Loss{"org": joint})
	require.NoError(t, err)
	counts := func(low, high int) []Count { return []Count{{"low", low}, {"high", high}} }
	require.Equal(t, []Summary{
		{Node: nodes[2], Depth: 0, Risks: 4, Unrated: 1, Max: "high", Counts: counts(1, 2), Worst: []string{"2", "3"}, Loss: joint},
		{Node: nodes[1], Depth: 1, Risks: 3, Max: "high", Counts: counts(1, 2), Worst: []string{"2", "3"}},
		{Node: nodes[0], Depth: 2, Risks: 1, Max: "high", Counts: counts(0, 1), Worst: []string{"3"}},
		{Node: nodes[3], Depth: 2, Risks: 2, Max: "high", Counts: counts(1, 1), Worst: []string{"2"}},
		{Node: nodes[4], Depth: 1, Counts: counts(0, 0)},
	}, got)

	t.Run("bad input", func(t *testing.T) {
		other := rated("d", "low", at)
		other.System = "other"
		g, err := NewRegister(Risk{ID: "1", Parent: "nowhere"}, Risk{ID: "2", Parent: "org", Assessments: []Assessment{other}}, Risk{ID: "3", Parent: "a"})
		require.NoError(t, err)
		_, err = Aggregate(g, []Node{{ID: "org"}, {}, {ID: "org"}, {ID: "a", Parent: "b"}, {ID: "b", Parent: "a"}, {ID: "below", Parent: "a"}, {ID: "x", Parent: "y"}}, scale, map[string]*Loss{"z": joint})
		require.ErrorIs(t, err, ErrScale)
		var ps Problems
		require.ErrorAs(t, err, &ps)
		var got []string
		for _, p := range ps {
			got = append(got, p.ID+" "+p.Pointer)
		}
		require.Equal(t, []string{" nodes/1", "org nodes/2", "x nodes/6/parent", "a nodes/3/parent", "b nodes/4/parent", "z joint", "1 parent", "2 assessments"}, got)
	})
}

func TestIndicator(t *testing.T) {
	rising := Indicator{ID: "K", Target: 0, Warn: 5, Limit: 10, Readings: []Reading{{day(2026, 1, 1), 3}, {day(2026, 3, 1), 7}, {day(2026, 2, 1), 6}, {day(2026, 4, 1), 10}}}
	falling := Indicator{ID: "K", Target: 100, Warn: 95, Limit: 90, Readings: []Reading{{day(2026, 1, 1), 96}, {day(2026, 2, 1), 95}, {day(2026, 3, 1), 89}}}
	for _, tt := range []struct {
		name string
		i    Indicator
		now  [3]int
		want IndicatorStatus
	}{
		{"before any reading", rising, [3]int{2025, 12, 31}, IndicatorStatus{Signal: NoData}},
		{"on target", rising, [3]int{2026, 1, 15}, IndicatorStatus{OnTarget, Reading{day(2026, 1, 1), 3}, day(2026, 1, 1), 0}},
		{"warned since the first", rising, [3]int{2026, 3, 1}, IndicatorStatus{Warned, Reading{day(2026, 3, 1), 7}, day(2026, 2, 1), 1}},
		{"at the limit", rising, [3]int{2026, 5, 1}, IndicatorStatus{Limited, Reading{day(2026, 4, 1), 10}, day(2026, 4, 1), 3}},
		{"falling", falling, [3]int{2026, 2, 2}, IndicatorStatus{Warned, Reading{day(2026, 2, 1), 95}, day(2026, 2, 1), 1}},
		{"falling to the limit", falling, [3]int{2026, 3, 2}, IndicatorStatus{Limited, Reading{day(2026, 3, 1), 89}, day(2026, 3, 1), 6}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.NoError(t, tt.i.Check())
			require.Equal(t, tt.want, tt.i.At(day(tt.now[0], 1, 1).AddDate(0, tt.now[1]-1, tt.now[2]-1)))
		})
	}
	t.Run("too old", func(t *testing.T) {
		i := rising
		i.Every = 24 * 3600 * 1e9
		require.Equal(t, IndicatorStatus{NoData, Reading{day(2026, 4, 1), 10}, day(2026, 4, 2), 3}, i.At(day(2026, 4, 3)))
	})
	t.Run("check", func(t *testing.T) {
		err := Indicator{Target: math.NaN(), Warn: 2, Limit: 2, Readings: []Reading{{Value: math.Inf(1)}}}.Check()
		var ps Problems
		require.ErrorAs(t, err, &ps)
		require.Len(t, ps, 3)
	})
}

// TestEnums: every value has a name that reads back, all others are refused.
func TestEnums(t *testing.T) {
	type enum interface {
		fmt.Stringer
		MarshalText() ([]byte, error)
	}
	for _, tt := range []struct {
		names names
		value func(int) enum
		parse func(string) (int, error)
	}{
		{stageNames, func(i int) enum { return Stage(i) }, func(s string) (int, error) { var v Stage; err := v.UnmarshalText([]byte(s)); return int(v), err }},
		{stateNames, func(i int) enum { return State(i) }, func(s string) (int, error) { var v State; err := v.UnmarshalText([]byte(s)); return int(v), err }},
		{eventNames, func(i int) enum { return EventKind(i) }, func(s string) (int, error) { var v EventKind; err := v.UnmarshalText([]byte(s)); return int(v), err }},
		{responseNames, func(i int) enum { return ResponseKind(i) }, func(s string) (int, error) { var v ResponseKind; err := v.UnmarshalText([]byte(s)); return int(v), err }},
		{lifecycleNames, func(i int) enum { return Lifecycle(i) }, func(s string) (int, error) { var v Lifecycle; err := v.UnmarshalText([]byte(s)); return int(v), err }},
		{decisionNames, func(i int) enum { return Decision(i) }, func(s string) (int, error) { var v Decision; err := v.UnmarshalText([]byte(s)); return int(v), err }},
		{closeNames, func(i int) enum { return CloseReason(i) }, func(s string) (int, error) { var v CloseReason; err := v.UnmarshalText([]byte(s)); return int(v), err }},
		{positionNames, func(i int) enum { return Position(i) }, func(s string) (int, error) { var v Position; err := v.UnmarshalText([]byte(s)); return int(v), err }},
		{breachNames, func(i int) enum { return BreachKind(i) }, func(s string) (int, error) { var v BreachKind; err := v.UnmarshalText([]byte(s)); return int(v), err }},
		{signalNames, func(i int) enum { return Signal(i) }, func(s string) (int, error) { var v Signal; err := v.UnmarshalText([]byte(s)); return int(v), err }},
	} {
		for i := 1; i < len(tt.names); i++ {
			b, err := tt.value(i).MarshalText()
			require.NoError(t, err)
			require.Equal(t, tt.value(i).String(), string(b))
			v, err := tt.parse(string(b))
			require.NoError(t, err)
			require.Equal(t, i, v)
		}
		for _, i := range []int{0, -1, len(tt.names)} {
			require.Contains(t, tt.value(i).String(), fmt.Sprintf("(%d)", i))
			_, err := tt.value(i).MarshalText()
			require.ErrorIs(t, err, ErrInvalid)
		}
		_, err := tt.parse("")
		require.ErrorIs(t, err, ErrInvalid)
	}
}
