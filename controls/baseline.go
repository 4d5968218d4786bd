package controls

import (
	"fmt"
	"slices"
)

// A Baseline is what a system must meet: controls of a resolved profile with
// their parameter values, and the statements that need an answer. It is
// immutable and safe for concurrent use.
type Baseline struct {
	catalog    *Catalog
	controls   []*Control
	statements []*Statement
	points     map[*Control][]*Statement
}

// BaselineOptions configure [NewBaseline]; nil means the defaults.
type BaselineOptions struct {
	// Controls are the ids of the controls that the baseline consists of;
	// default: all of the catalog that are not withdrawn.
	Controls []string
	// LeavesOnly makes the leaf statements need answers even where the catalog
	// marks response points.
	LeavesOnly bool
}

// NewBaseline takes the controls of a catalog, usually of a resolved profile, as
// a baseline. Unknown and withdrawn controls that the options name are in the
// error, a [Problems] whose elements match [ErrUnknown]; the baseline of the others is
// returned with it.
func NewBaseline(c *Catalog, opts *BaselineOptions) (*Baseline, error) {
	var o BaselineOptions
	if opts != nil {
		o = *opts
	}
	b := &Baseline{catalog: c, points: make(map[*Control][]*Statement, len(c.controls))}
	wanted := map[*Control]bool{}
	var ps Problems
	for i, id := range o.Controls {
		x := c.Control(id)
		if x == nil || x.withdrawn {
			ps = append(ps, &Problem{Pointer: fmt.Sprintf("controls[%d]", i), Control: id, Err: fmt.Errorf("control %q %w or withdrawn", id, ErrUnknown)})
			continue
		}
		wanted[x] = true
	}
	for _, x := range c.controls {
		if x.withdrawn || o.Controls != nil && !wanted[x] {
			continue
		}
		b.controls = append(b.controls, x)
		b.points[x] = responsePoints(x, o.LeavesOnly)
		b.statements = append(b.statements, b.points[x]...)
	}
	return b, ps.err()
}

// responsePoints returns the statements with the prop response-point (FedRAMP
// registry of extensions), or else those without items. A statement without id
// cannot be answered: the one around it, or the control, is.
func responsePoints(c *Control, leavesOnly bool) []*Statement {
	var marked, leaves []*Statement
	for _, s := range c.all {
		if s.id == "" {
			continue
		}
		if prop(s.props, "response-point") != "" {
			marked = append(marked, s)
		}
		if !slices.ContainsFunc(s.items, func(i *Statement) bool { return i.id != "" }) {
			leaves = append(leaves, s)
		}
	}
	if marked != nil && !leavesOnly {
		return marked
	}
	return leaves
}

// Catalog returns the catalog that the baseline was taken from.
func (b *Baseline) Catalog() *Catalog { return b.catalog }

// Controls returns the controls in document order; none is withdrawn.
func (b *Baseline) Controls() []*Control { return b.controls }

// Has tells whether a control belongs to the baseline.
func (b *Baseline) Has(c *Control) bool { _, ok := b.points[c]; return ok }

// Points returns the statements of a control that need an answer: those that
// the catalog marks as response points, or else those without items. A control
// without statements is answered as a whole.
func (b *Baseline) Points(c *Control) []*Statement { return b.points[c] }

// Statements returns the statements of all controls that need an answer.
func (b *Baseline) Statements() []*Statement { return b.statements }
