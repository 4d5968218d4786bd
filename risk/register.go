package risk

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"
)

// A Register is a collection of risks with an order: that of their IDs. It is
// immutable and safe for concurrent use.
type Register struct {
	risks []Risk
	index map[string]int
}

// NewRegister returns a register of risks. The error is a [Problems] with all
// risks that have no ID or one that another has.
func NewRegister(risks ...Risk) (*Register, error) {
	g := &Register{risks: slices.Clone(risks), index: make(map[string]int, len(risks))}
	var ps Problems
	seen := make(map[string]bool, len(risks))
	for i, r := range risks {
		switch {
		case r.ID == "":
			ps.add("", fmt.Sprintf("risks/%d", i), "expected an ID")
		case seen[r.ID]:
			ps.add(r.ID, fmt.Sprintf("risks/%d", i), "another risk has the same ID")
		}
		seen[r.ID] = true
	}
	if ps != nil {
		return nil, ps
	}
	slices.SortFunc(g.risks, func(a, b Risk) int { return cmp.Compare(a.ID, b.ID) })
	for i, r := range g.risks {
		g.index[r.ID] = i
	}
	return g, nil
}

// Len returns the number of risks.
func (g *Register) Len() int { return len(g.risks) }

// Get returns the risk with an ID; the error matches [ErrNotFound].
func (g *Register) Get(id string) (Risk, error) {
	i, ok := g.index[id]
	if !ok {
		return Risk{}, fmt.Errorf("risk: %q: %w", id, ErrNotFound)
	}
	return g.risks[i], nil
}

// All yields the risks in the order of their IDs.
func (g *Register) All() iter.Seq[Risk] { return slices.Values(g.risks) }

// A Query selects risks: all of what is given must hold.
type Query struct {
	States   []State // one of them; none for every state
	Category string
	Owner    string
	Parent   string
	Threat   string // ID of a threat event
	Asset    string
	Control  string
	Matches  func(Risk) bool // nil for every risk
}

func (q Query) holds(r Risk) bool {
	return (q.States == nil || slices.Contains(q.States, r.State)) &&
		(q.Category == "" || q.Category == r.Category) &&
		(q.Owner == "" || q.Owner == r.Owner) &&
		(q.Parent == "" || q.Parent == r.Parent) &&
		(q.Threat == "" || slices.ContainsFunc(r.Threats, func(t Threat) bool { return t.ID == q.Threat })) &&
		(q.Asset == "" || slices.Contains(r.Assets, q.Asset)) &&
		(q.Control == "" || slices.Contains(r.Controls, q.Control)) &&
		(q.Matches == nil || q.Matches(r))
}

// Find yields the risks of a query in the order of their IDs.
func (g *Register) Find(q Query) iter.Seq[Risk] { return filter(g.risks, q.holds) }

// Apply returns the register with an event applied to one of its risks; see
// [Risk.Apply]. The error matches [ErrNotFound] or is a [TransitionError].
func (g *Register) Apply(id string, e Event, c Criteria, now time.Time) (*Register, error) {
	r, err := g.Get(id)
	if err != nil {
		return nil, err
	}
	if r, err = r.Apply(e, c, now); err != nil {
		return nil, err
	}
	risks := slices.Clone(g.risks)
	risks[g.index[id]] = r
	return &Register{risks, g.index}, nil // the IDs, and so their places, are the same
}

// A Ranked is a risk in the order of how much it weighs, with the assessment by
// which it was ranked.
type Ranked struct {
	Rank int // from 1
	Risk Risk
	By   Assessment
}

// Top returns the n risks that weigh most and are not closed, all for n <= 0:
// by the level that stands now, then score, then mean annual loss, then
// priority, then deadline, then ID. Risks that have no level come last. The error
// is a [Problems] whose elements match [ErrScale] if levels are on different
// scales or on none of the criteria; the risks on the first scale of the criteria
// that is in use are then ranked and returned with it.
func (g *Register) Top(n int, c Criteria) ([]Ranked, error) {
	var ps Problems
	type weighed struct {
		Ranked
		level int
	}
	var all []weighed
	system := g.system(c)
	for _, r := range g.risks {
		if r.State == Closed {
			continue
		}
		w := weighed{Ranked: Ranked{Risk: r}, level: -1}
		if a, ok := r.Standing(); ok {
			w.By = a
			if a.Level != "" {
				level, err := c.rank(a.System, a.Level)
				if err == nil && a.System != system {
					err = fmt.Errorf("%w: %q and %q", ErrScale, a.System, system)
				}
				if err != nil {
					ps = append(ps, Problem{r.ID, "assessments", err})
					continue
				}
				w.level = level
			}
		}
		all = append(all, w)
	}
	slices.SortFunc(all, func(a, b weighed) int {
		return cmp.Or(
			cmp.Compare(b.level, a.level),
			cmp.Compare(scoreOf(b.By), scoreOf(a.By)),
			cmp.Compare(meanOf(b.By), meanOf(a.By)),
			comparePriority(a.Risk.Priority, b.Risk.Priority),
			compareDeadline(a.Risk.Deadline, b.Risk.Deadline),
			cmp.Compare(a.Risk.ID, b.Risk.ID),
		)
	})
	if n > 0 {
		all = all[:min(n, len(all))]
	}
	out := make([]Ranked, len(all))
	for i, w := range all {
		w.Rank = i + 1
		out[i] = w.Ranked
	}
	return out, ps.err()
}

// system returns the first scale of the criteria that an open risk is on.
func (g *Register) system(c Criteria) string {
	for _, s := range c.Scales {
		for _, r := range g.risks {
			if a, ok := r.Standing(); ok && r.State != Closed && a.Level != "" && a.System == s.System {
				return s.System
			}
		}
	}
	return ""
}

func scoreOf(a Assessment) float64 {
	if a.Score == nil {
		return 0
	}
	return *a.Score
}

func meanOf(a Assessment) float64 {
	if a.Loss == nil {
		return 0
	}
	return a.Loss.Mean.Value
}

// comparePriority puts risks with a priority before those without.
func comparePriority(a, b *int) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return cmp.Compare(*a, *b)
}

// compareDeadline puts risks with a deadline before those without.
func compareDeadline(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return 1
		}
		return -1
	}
	return a.Compare(b)
}

// A Node is a place in the hierarchy under which risks count: a system, a
// department, an organization, or a risk that sums others up.
type Node struct {
	ID     string `json:"id"`
	Parent string `json:"parent,omitempty"` // "" for a root
	Title  string `json:"title,omitempty"`
	Kind   string `json:"kind,omitempty"` // e.g. "system"
}

// A Count is how many risks have a level.
type Count struct {
	Level string
	Risks int
}

// A Summary is what the open risks of a node and of all below it come to.
type Summary struct {
	Node    Node
	Depth   int      // 0 for a root
	Risks   int      // open ones
	Unrated int      // open ones without a level
	Max     string   // the highest level, "" if none is rated
	Counts  []Count  // for each level of the scale, the lowest first
	Worst   []string // IDs of the risks of the highest level
	Loss    *Loss    // joint, as the caller gave it
}

// Aggregate rolls the open risks of a register up a hierarchy, on one scale:
// the highest level and how many risks have each. It returns a summary for each
// node, parents before their children, siblings in the order of nodes.
//
// Annual losses do not add up: values at risk of members are no value at risk of
// their sum. joint gives, by node ID, the loss of the members simulated together;
// nil for none.
//
// The error is a [Problems]: nodes that have no or the same ID, unknown parents,
// cycles, risks under a node that is not there, and levels on another scale
// (they match [ErrScale]).
func Aggregate(g *Register, nodes []Node, scale Scale, joint map[string]*Loss) ([]Summary, error) {
	var ps Problems
	at := make(map[string]int, len(nodes))
	children := make(map[string][]int, len(nodes))
	for i, n := range nodes {
		if _, twice := at[n.ID]; twice || n.ID == "" {
			ps.add(n.ID, fmt.Sprintf("nodes/%d", i), "expected an ID that no other node has")
			continue
		}
		at[n.ID] = i
		children[n.Parent] = append(children[n.Parent], i)
	}
	for i, n := range nodes {
		if _, ok := at[n.Parent]; n.Parent != "" && !ok {
			ps.add(n.ID, fmt.Sprintf("nodes/%d/parent", i), "no node %q", n.Parent)
		}
	}

	var out []Summary
	place := make(map[string]int, len(nodes)) // of a node in out
	var visit func(parent string, depth int)
	visit = func(parent string, depth int) {
		for _, i := range children[parent] {
			place[nodes[i].ID] = len(out)
			s := Summary{Node: nodes[i], Depth: depth, Counts: make([]Count, len(scale.Levels)), Loss: joint[nodes[i].ID]}
			for j, l := range scale.Levels {
				s.Counts[j].Level = l
			}
			out = append(out, s)
			visit(nodes[i].ID, depth+1)
		}
	}
	visit("", 0)
	for i, n := range nodes {
		if _, known := at[n.Parent]; at[n.ID] == i && n.Parent != "" && known {
			if _, reached := place[n.ID]; !reached && inCycle(nodes, at, n) {
				ps.add(n.ID, fmt.Sprintf("nodes/%d/parent", i), "the node is below itself")
			}
		}
	}
	for _, id := range slices.Sorted(maps.Keys(joint)) {
		if _, ok := at[id]; !ok {
			ps.add(id, "joint", "no node %q", id)
		}
	}

	for _, r := range g.risks {
		if r.State == Closed {
			continue
		}
		if _, ok := at[r.Parent]; !ok {
			ps.add(r.ID, "parent", "no node %q", r.Parent)
			continue
		}
		a, _ := r.Standing()
		level := slices.Index(scale.Levels, a.Level)
		if a.Level != "" && (a.System != scale.System || level < 0) {
			ps = append(ps, Problem{r.ID, "assessments", fmt.Errorf("%w: expected %q of %q, found %q of %q", ErrScale, scale.Levels, scale.System, a.Level, a.System)})
			continue
		}
		for id := r.Parent; id != ""; id = nodes[at[id]].Parent {
			i, ok := place[id]
			if !ok {
				break // in or below a cycle, which is a problem already
			}
			out[i].count(r.ID, level)
		}
	}
	return out, ps.err()
}

func (s *Summary) count(id string, level int) {
	s.Risks++
	if level < 0 {
		s.Unrated++
		return
	}
	s.Counts[level].Risks++
	top := slices.IndexFunc(s.Counts, func(c Count) bool { return c.Level == s.Max })
	if level > top {
		s.Max, s.Worst = s.Counts[level].Level, nil
	}
	if level >= top {
		s.Worst = append(s.Worst, id)
	}
}

// inCycle tells whether a node is its own ancestor.
func inCycle(nodes []Node, at map[string]int, n Node) bool {
	p := n
	for range nodes {
		i, ok := at[p.Parent]
		if !ok {
			return false
		}
		if p = nodes[i]; p.ID == n.ID {
			return true
		}
	}
	return false
}
