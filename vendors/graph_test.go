package vendors

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func randomChain(r *rand.Rand, nodes, edges int) []Edge {
	out := make([]Edge, edges)
	for i := range out {
		out[i] = Edge{fmt.Sprintf("v%05d", r.IntN(nodes)), fmt.Sprintf("v%05d", r.IntN(nodes))}
	}
	return out
}

// slowCycles finds the cycles of a small graph by trying every path.
func slowCycles(edges []Edge) [][]string {
	next := map[string][]string{}
	for _, e := range edges {
		if !slices.Contains(next[e.Customer], e.Supplier) {
			next[e.Customer] = append(next[e.Customer], e.Supplier)
		}
	}
	var out [][]string
	var walk func(path []string)
	walk = func(path []string) {
		for _, n := range next[path[len(path)-1]] {
			switch {
			case n == path[0]:
				out = append(out, slices.Clone(path))
			case n > path[0] && !slices.Contains(path, n):
				walk(append(path, n))
			}
		}
	}
	for n := range next {
		walk([]string{n})
	}
	slices.SortFunc(out, slices.Compare)
	return out
}

// TestGraphAgainstSlow compares with walks that try everything.
func TestGraphAgainstSlow(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 300 {
		nodes := 2 + r.IntN(6)
		edges := randomChain(r, nodes, r.IntN(3*nodes))
		self := "v00000"
		g, err := NewGraph(self, slices.Values(edges))
		require.NoError(t, err)

		cycles, more := g.Cycles(1 << 20)
		require.False(t, more)
		require.Equal(t, slowCycles(edges), cycles, "%v", edges)

		// Ranks by relaxing every edge as often as there are nodes.
		rank := map[string]int{self: 0}
		for range nodes {
			for _, e := range edges {
				from, ok := rank[e.Customer]
				if to, has := rank[e.Supplier]; ok && (!has || to > from+1) {
					rank[e.Supplier] = from + 1
				}
			}
		}
		delete(rank, self)
		require.Equal(t, rank, g.Ranks())
	}
}

func TestCyclesLimit(t *testing.T) {
	var edges []Edge // everyone buys from everyone: 2^n cycles and more
	for i := range 12 {
		for j := range 12 {
			edges = append(edges, Edge{fmt.Sprint(i), fmt.Sprint(j)})
		}
	}
	g, err := NewGraph("us", slices.Values(edges))
	require.NoError(t, err)
	cycles, more := g.Cycles(0)
	require.True(t, more)
	require.Len(t, cycles, 1000)
	again, _ := g.Cycles(0)
	require.Equal(t, cycles, again)
}

func TestGraphEdgeCases(t *testing.T) {
	g, err := NewGraph("us", slices.Values([]Edge{{"us", "us"}, {"us", "a"}, {"us", "a"}, {"a", "us"}, {"us", "b"}, {"x", "y"}}))
	require.NoError(t, err)
	require.Equal(t, map[string]int{"a": 1, "b": 1}, g.Ranks(), "not ourselves, not whom we do not reach")
	cycles, _ := g.Cycles(0)
	require.Equal(t, [][]string{{"a", "us"}, {"us"}}, cycles)

	c, err := g.Concentration(map[string][]string{"f": {"a", "a"}, "g": {"us"}, "h": {}})
	require.NoError(t, err)
	require.Equal(t, Concentration{
		Functions: map[string][]string{"a": {"f"}}, HHI: new(1.0), Direct: map[string]int{"a": 1},
	}, c, "a sells to us and buys from us: that is no dependency on all that we buy")
	c, err = g.Concentration(nil)
	require.NoError(t, err)
	require.Nil(t, c.HHI)

	_, err = g.Concentration(map[string][]string{"z": {"nobody"}, "f": {"a", "none"}})
	require.ErrorIs(t, err, ErrReference)
	require.Equal(t, "/f/1", err.(Problems)[0].Pointer)
	require.Equal(t, "/z/0", err.(Problems)[1].Pointer)

	_, err = NewGraph("", slices.Values([]Edge{{"a", ""}, {"a", "b"}, {"", "b"}}))
	require.ErrorIs(t, err, ErrMissing)
	require.Len(t, err.(Problems), 3)
}

// TestLargeGraph: long chains and large knots are walked without recursion.
func TestLargeGraph(t *testing.T) {
	const n = 200_000
	g, err := NewGraph("v000000", func(yield func(Edge) bool) {
		for i := range n {
			if !yield(Edge{fmt.Sprintf("v%06d", i), fmt.Sprintf("v%06d", (i+1)%n)}) {
				return
			}
		}
	})
	require.NoError(t, err)
	require.Equal(t, n-1, g.Ranks()[fmt.Sprintf("v%06d", n-1)])
	cycles, more := g.Cycles(0)
	require.False(t, more)
	require.Len(t, cycles, 1)
	require.Len(t, cycles[0], n)
}

func TestPortfolioChain(t *testing.T) {
	p := sample(t)
	p.Documents[0].Subservice = []string{"northrack"}
	g, err := NewGraph("us", p.Edges("us"))
	require.NoError(t, err)
	require.Equal(t, map[string]int{"paywell": 1, "northrack": 1, "lettermill": 1, "coldhall": 2}, g.Ranks())
	c, err := g.Concentration(p.Functions())
	require.NoError(t, err)
	require.Equal(t, []string{"coldhall", "lettermill", "northrack"}, slices.Sorted(func(yield func(string) bool) {
		for v, fs := range c.Functions {
			if slices.Contains(fs, "delivery-tracking") && !yield(v) {
				return
			}
		}
	}))
	require.Equal(t, []string{"coldhall", "northrack"}, c.Shared)
	require.Equal(t, 1.0/16+1.0/4+1.0/16, *c.HHI) // 1, 2 and 1 of 4 pairs
	p.Engagements[2].Status = Rejected
	g, err = NewGraph("us", p.Edges("us"))
	require.NoError(t, err)
	require.NotContains(t, g.Ranks(), "lettermill")
}

func TestMoveGuards(t *testing.T) {
	now := at("2026-06-30")
	good := func() Facts {
		return Facts{
			Now:        now,
			Assessment: &Assessment{Decision: DecisionApproved, Expires: date("2026-12-31")},
			Contract:   &Contract{Start: date("2026-01-01")},
		}
	}
	manager := Actor{"m", []string{"vendor-manager"}}
	tests := []struct {
		name   string
		from   Status
		to     Status
		by     Actor
		change func(*Facts)
		want   *MoveError
	}{
		{"all good", Approved, Active, manager, func(*Facts) {}, nil},
		{"expired yesterday", Approved, Active, manager, func(f *Facts) { f.Assessment.Expires = date("2026-06-29") }, &MoveError{Missing: []string{"decision not expired"}}},
		{"rejected", Approved, Active, manager, func(f *Facts) { f.Assessment.Decision = DecisionRejected }, &MoveError{Missing: []string{"decision not expired"}}},
		{"contract ended", Suspended, Active, manager, func(f *Facts) { f.Contract.End = date("2026-06-29") }, &MoveError{Missing: []string{"contract in force on the day"}}},
		{"waiver lapsed", Approved, Active, manager, func(f *Facts) { f.Gaps = []Gap{{Clause: "exit", Waived: date("2026-06-29")}} }, &MoveError{Missing: []string{"required clauses present or gap accepted with expiry"}}},
		{"condition met late", Conditional, Active, manager, func(f *Facts) {
			f.Assessment.Conditions = []Condition{{Due: date("2026-01-01"), Met: date("2026-02-01")}}
		}, nil},
		{"conditional without conditions", DueDiligence, Conditional, Actor{"a", []string{"approver"}}, func(*Facts) {}, &MoveError{Missing: []string{"every condition has an owner and a date"}}},
		{"wrong role", DueDiligence, Approved, manager, func(*Facts) {}, &MoveError{Roles: []string{"approver"}}},
		{"nobody", Active, Suspended, Actor{"", []string{"approver"}}, func(*Facts) {}, &MoveError{Roles: []string{"vendor-manager", "approver"}}},
		{"exit half done", Exiting, Terminated, manager, func(f *Facts) { f.Exit = Exit{Certificate: "c", KeysRotated: true} }, &MoveError{Missing: []string{"access revoked", "exit checklist complete"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			facts := good()
			tt.change(&facts)
			e, err := Move(Engagement{ID: "e", Status: tt.from}, tt.to, tt.by, facts)
			if tt.want == nil {
				require.NoError(t, err)
				require.Equal(t, tt.to, e.Status)
				return
			}
			tt.want.Engagement, tt.want.From, tt.want.To = "e", tt.from, tt.to
			require.Equal(t, tt.want, err)
			require.ErrorIs(t, err, ErrMove)
		})
	}
	_, err := Move(Engagement{ID: "e", Status: 77}, Active, manager, good())
	require.ErrorIs(t, err, ErrMove)
}

func TestFacts(t *testing.T) {
	p := sample(t)
	now := at("2026-06-30")
	tiers, err := p.Tiers(nil)
	require.NoError(t, err)
	p.Engagements[1].Status = Suspended
	facts := p.Facts(p.Engagements[1], DefaultCadence()[tiers[1].Tier], now)
	manager := Actor{"m", []string{"vendor-manager"}}
	_, err = Move(p.Engagements[1], Active, manager, facts)
	// One business day can be 96 hours; ours is 24 hours less 4. The missing exit
	// clause is waived.
	require.Equal(t, []Gap{
		{Clause: "breach-notification", Kind: ClauseTooSlow, Allowed: 20 * time.Hour},
		{Clause: "exit", Kind: ClauseMissing, Waived: date("2026-12-31")},
	}, facts.Gaps)
	require.Equal(t, &MoveError{Engagement: "hosting", From: Suspended, To: Active, Missing: []string{"required clauses present or gap accepted with expiry"}}, err)
}
