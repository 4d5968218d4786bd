package assessment

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/issokit/issokit/controls"
)

// A Determination is what was found out about one objective, statement or
// control: by a person, or by the records of a tool (see [Mapping]).
//
// Put at an objective with objectives inside, at a statement or at a control, it
// decides what lies below too, unless it is NotSatisfied: then it is known that
// something is wrong there, but not what.
type Determination struct {
	Target    string // id of an objective or a statement of the catalog, or of a control
	Verdict   Verdict
	Severity  Severity // of the weakness, if NotSatisfied; 0 is [Medium]
	Method    Method
	Examiner  string    // UUID of the party; empty for a tool
	Rationale string    // what was found, as plain text
	Date      time.Time // zero: the time of the assessment
	Expires   time.Time // when it no longer counts; zero: never
	Evidence  []Evidence

	mapping *Mapping
	records []int // of all records of the assessment
}

// Combine rolls verdicts up: NotApplicable is dropped; if none is left, the
// result is NotApplicable; any NotSatisfied makes NotSatisfied; else any
// NotAssessed or Error makes NotAssessed; else it is Satisfied. Unspecified
// verdicts count as NotAssessed.
func Combine(verdicts ...Verdict) Verdict {
	out := NotApplicable
	for _, v := range verdicts {
		switch {
		case v == NotApplicable || out == NotSatisfied:
		case v == NotSatisfied:
			out = NotSatisfied
		case v != Satisfied:
			out = NotAssessed
		case out == NotApplicable:
			out = Satisfied
		}
	}
	return out
}

// A Node is a control, a statement or a leaf objective with its verdict and all
// that led to it.
type Node struct {
	ID       string
	Kind     string // control, statement, objective
	Verdict  Verdict
	Own      []Determination // made about the node itself, or above it and good for it too
	Children []*Node
	Expired  bool // what determined it has expired
}

// RollUp determines a control: each leaf objective by the determinations about
// it, each statement by its leaf objectives and items, the control by its
// statements. A statement that no objective is for, takes part only if there is
// a determination about it. What expired at or before now counts as NotAssessed.
func RollUp(c *controls.Control, determinations []Determination, now time.Time) *Node {
	return newRoller(determinations, now).control(c)
}

type roller struct {
	now time.Time
	own map[string][]Determination // by target
}

func newRoller(determinations []Determination, now time.Time) *roller {
	r := &roller{now: now, own: map[string][]Determination{}}
	for _, d := range determinations {
		r.own[d.Target] = append(r.own[d.Target], d)
	}
	return r
}

// below returns what is good for the nodes below one with these determinations.
func (r *roller) below(inherited []Determination, id string) []Determination {
	own := r.own[id]
	if len(own) == 0 {
		return inherited
	}
	return slices.DeleteFunc(slices.Clone(own), func(d Determination) bool {
		return d.Verdict == NotSatisfied || d.Verdict == NotAssessed || d.Verdict == Error
	})
}

func (r *roller) control(c *controls.Control) *Node {
	n := &Node{ID: c.ID(), Kind: "control"}
	down := r.below(nil, c.ID())
	for _, s := range c.Top() {
		if child := r.statement(s, down); child != nil {
			n.Children = append(n.Children, child)
		}
	}
	for _, o := range c.Leaves() {
		if o.Statement() == nil {
			n.Children = append(n.Children, r.leaf(o, down))
		}
	}
	r.close(n)
	return n
}

func (r *roller) statement(s *controls.Statement, inherited []Determination) *Node {
	n := &Node{ID: s.ID(), Kind: "statement"}
	down := r.below(inherited, s.ID())
	for _, o := range s.Leaves() {
		if o.IsStatement() { // the statement is its own objective
			r.decide(n, inherited)
			return n
		}
		n.Children = append(n.Children, r.leaf(o, down))
	}
	for _, item := range s.Items() {
		if child := r.statement(item, down); child != nil {
			n.Children = append(n.Children, child)
		}
	}
	if len(n.Children) == 0 && len(r.own[s.ID()]) == 0 {
		return nil
	}
	r.close(n)
	return n
}

// leaf determines a leaf objective; determinations about the objectives around
// it go before those about statements.
func (r *roller) leaf(o *controls.Objective, inherited []Determination) *Node {
	n := &Node{ID: o.ID(), Kind: "objective"}
	var around []*controls.Objective
	for up := o.Parent(); up != nil; up = up.Parent() {
		around = append(around, up)
	}
	for _, up := range slices.Backward(around) {
		inherited = r.below(inherited, up.ID())
	}
	r.decide(n, inherited)
	return n
}

// decide gives a leaf its verdict.
func (r *roller) decide(n *Node, inherited []Determination) {
	n.Own = r.own[n.ID]
	if len(n.Own) == 0 {
		n.Own = inherited
	}
	n.Verdict, n.Expired = r.verdict(n.Own)
}

// close gives an inner node its verdict: that of its children, with its own
// determinations as one more. A determination that went down to all leaves is
// in them already.
func (r *roller) close(n *Node) {
	n.Own = r.own[n.ID]
	verdicts := make([]Verdict, 0, len(n.Children)+1)
	for _, c := range n.Children {
		verdicts = append(verdicts, c.Verdict)
	}
	if v, expired := r.verdict(n.Own); len(n.Own) > 0 && (len(n.Children) == 0 || v == NotSatisfied) {
		verdicts = append(verdicts, v)
		n.Expired = expired
	}
	if n.Verdict = Combine(verdicts...); len(verdicts) == 0 {
		n.Verdict = NotAssessed
	}
}

// verdict brings several determinations about one thing together: any
// NotSatisfied wins; else those of people go before those of tools; the worst of
// what is left counts. Determinations that expired count as NotAssessed, if
// there are no others.
func (r *roller) verdict(ds []Determination) (v Verdict, expired bool) {
	var people, tools []Verdict
	for _, d := range ds {
		switch {
		case !d.Expires.IsZero() && !r.now.Before(d.Expires):
			expired = true
		case d.Verdict == NotSatisfied:
			return NotSatisfied, false
		case d.mapping == nil:
			people = append(people, d.Verdict)
		default:
			tools = append(tools, d.Verdict)
		}
	}
	for _, list := range [][]Verdict{people, tools} {
		switch len(list) {
		case 0:
		case 1:
			return list[0], false
		default:
			return Combine(list...), false
		}
	}
	return NotAssessed, expired
}

// Find returns the node with an id in the tree under n, nil if there is none.
func (n *Node) Find(id string) *Node {
	if n.ID == id {
		return n
	}
	for _, c := range n.Children {
		if found := c.Find(id); found != nil {
			return found
		}
	}
	return nil
}

// isLeaf tells whether the node is determined by itself.
func (n *Node) isLeaf() bool { return len(n.Children) == 0 }

// Partial tells whether some of the leaves are satisfied and some are not. It is
// a word for display: the verdict stays one of the two.
func (n *Node) Partial() bool {
	var c Coverage
	c.Add(n)
	return c.Satisfied > 0 && c.NotSatisfied > 0
}

// Explain says how the verdict came about: a line for each node and each
// determination, as a nested Markdown list.
func (n *Node) Explain() string {
	var b strings.Builder
	n.explain(&b, "")
	return b.String()
}

func (n *Node) explain(b *strings.Builder, indent string) {
	fmt.Fprintf(b, "%s- %s %s: %s", indent, n.Kind, title(n.ID), n.Verdict)
	if n.Expired {
		b.WriteString(" (what determined it has expired)")
	}
	b.WriteByte('\n')
	for _, d := range n.Own {
		fmt.Fprintf(b, "%s  - %s\n", indent, title(d.String()))
	}
	for _, c := range n.Children {
		c.explain(b, indent+"  ")
	}
}

// String says in one line what was determined, how and why.
func (d Determination) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s", d.Target, d.Verdict)
	if d.Method != 0 {
		b.WriteString(" by " + d.Method.String())
	}
	if d.Rationale != "" {
		b.WriteString(": " + d.Rationale)
	}
	return b.String()
}

// Coverage counts things by verdict, usually the leaf objectives of controls: what
// a fraction of assessed objectives is made of.
type Coverage struct {
	Satisfied, NotSatisfied, NotApplicable, NotAssessed, Error int
}

// Add counts the leaves under a node.
func (c *Coverage) Add(n *Node) {
	for _, child := range n.Children {
		c.Add(child)
	}
	if n.isLeaf() {
		c.count(n.Verdict)
	}
}

func (c *Coverage) count(v Verdict) {
	switch v {
	case Satisfied:
		c.Satisfied++
	case NotSatisfied:
		c.NotSatisfied++
	case NotApplicable:
		c.NotApplicable++
	case Error:
		c.Error++
	default:
		c.NotAssessed++
	}
}

// Assessed returns the numerator: what is satisfied or not.
func (c Coverage) Assessed() int { return c.Satisfied + c.NotSatisfied }

// Applicable returns the denominator: all that applies.
func (c Coverage) Applicable() int { return c.Assessed() + c.NotAssessed + c.Error }

// String says the fraction and what is left out of it.
func (c Coverage) String() string {
	return fmt.Sprintf("%d of %d applicable assessed (%d satisfied, %d not satisfied; %d not assessed, %d in error; %d not applicable are left out)",
		c.Assessed(), c.Applicable(), c.Satisfied, c.NotSatisfied, c.NotAssessed, c.Error, c.NotApplicable)
}
