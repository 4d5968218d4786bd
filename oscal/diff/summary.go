package diff

import (
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// Fate is what became of a control from one catalog to the next.
type Fate uint8

// The fates of a control.
const (
	ControlAdded     Fate = iota + 1 // its id is new
	ControlRemoved                   // its id is gone
	ControlWithdrawn                 // it is there, but has become withdrawn
	ControlRestored                  // it was withdrawn and is not any more
	ControlRenamed                   // it has another id
	ControlChanged                   // something of it is other, or it moved
)

var fateNames = [...]string{
	ControlAdded: "added", ControlRemoved: "removed", ControlWithdrawn: "withdrawn",
	ControlRestored: "restored", ControlRenamed: "renamed", ControlChanged: "changed",
}

func (f Fate) String() string {
	if f > 0 && int(f) < len(fateNames) {
		return fateNames[f]
	}
	return "Fate(?)"
}

// MarshalText returns the name of the fate.
func (f Fate) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// A ControlChange says what became of one control of a catalog.
type ControlChange struct {
	Fate       Fate
	ID         string   // in the new catalog, or the old one if it is gone
	OldID      string   // where it was renamed
	Title      string   // likewise
	Withdrawn  bool     // whether it is withdrawn in the new catalog
	Successors []string // where a withdrawn control went: ids of controls or statements
	// Aspects are what of it changed, in this order: title, statement, objectives,
	// guidance, parameters, properties, links, moved.
	Aspects  []string
	Parts    []string // ids of the parts that were added, removed or changed
	Params   []string // ids of the parameters that were added, removed or changed
	Old, New *oscal.Node
}

var aspects = []string{"title", "statement", "objectives", "guidance", "parameters", "properties", "links", "moved"}

// Controls sums up the changes by control, in the order of the new catalog, then
// those that are gone in the order of the old one. Controls that did not change
// are left out. It is empty for documents that hold no controls of their own.
func (d *Diff) Controls() []ControlChange {
	byControl := map[*oscal.Node][]Change{}
	for _, c := range d.Changes {
		n := c.New
		if n == nil {
			n = c.Old
		}
		for ; n != nil; n = n.Parent() {
			if n.Name() == "control" && n.Kind() == oscal.Assembly {
				if to := d.pairs[n]; to != nil {
					n = to // what was removed belongs to the control as it is now
				}
				byControl[n] = append(byControl[n], c)
				break
			}
		}
	}
	back := map[*oscal.Node]*oscal.Node{}
	for x, y := range d.pairs {
		back[y] = x
	}
	var out []ControlChange
	for n := range d.New.Root().Walk() {
		if n.Name() != "control" || n.Kind() != oscal.Assembly {
			continue
		}
		if c, changed := controlChange(back[n], n, byControl[n]); changed {
			out = append(out, c)
		}
	}
	for n := range d.Old.Root().Walk() {
		if n.Name() == "control" && n.Kind() == oscal.Assembly && d.pairs[n] == nil {
			out = append(out, ControlChange{Fate: ControlRemoved, ID: n.Get("id"), Title: n.Get("title"), Old: n})
		}
	}
	return out
}

func controlChange(old, n *oscal.Node, changes []Change) (ControlChange, bool) {
	c := ControlChange{ID: n.Get("id"), Title: n.Get("title"), Old: old, New: n, Withdrawn: withdrawn(n)}
	if c.Withdrawn {
		c.Successors = successors(n)
	}
	if old == nil {
		c.Fate = ControlAdded
		return c, true
	}
	found := map[string]bool{}
	for _, change := range changes {
		aspect, part, param := aspectOf(change, n, old)
		if aspect == "" {
			continue
		}
		found[aspect] = true
		if part != "" && !slices.Contains(c.Parts, part) {
			c.Parts = append(c.Parts, part)
		}
		if param != "" && !slices.Contains(c.Params, param) {
			c.Params = append(c.Params, param)
		}
	}
	for _, a := range aspects {
		if found[a] {
			c.Aspects = append(c.Aspects, a)
		}
	}
	switch was := withdrawn(old); {
	case c.Withdrawn && !was:
		c.Fate = ControlWithdrawn
	case was && !c.Withdrawn:
		c.Fate = ControlRestored
	case old.Get("id") != c.ID:
		c.Fate, c.OldID = ControlRenamed, old.Get("id")
	case len(c.Aspects) > 0:
		c.Fate = ControlChanged
	default:
		return c, false
	}
	return c, true
}

// aspectOf tells which side of a control a change concerns. Changes of nested
// controls are not among those of the control.
func aspectOf(change Change, n, old *oscal.Node) (aspect, part, param string) {
	at := change.New
	if at == nil {
		at = change.Old
	}
	if at == n || at == old {
		if change.Kind == Moved {
			return "moved", "", ""
		}
		return "", "", ""
	}
	inner := at // the child of the control through which the way goes
	for inner.Parent() != n && inner.Parent() != old {
		inner = inner.Parent()
		if inner == nil {
			return "", "", ""
		}
	}
	switch inner.Name() {
	case "title":
		return "title", "", ""
	case "param":
		return "parameters", "", inner.Get("id")
	case "prop", "class":
		return "properties", "", ""
	case "link":
		return "links", "", ""
	case "part":
		for p := at; p != nil && p != n && p != old; p = p.Parent() {
			if p.Name() == "part" && part == "" {
				part = p.Get("id")
			}
		}
		switch inner.Get("name") {
		case "statement":
			return "statement", part, ""
		case "objective", "assessment-objective", "assessment-method", "assessment", "objects":
			return "objectives", part, ""
		}
		return "guidance", part, ""
	}
	return "", "", ""
}

func withdrawn(n *oscal.Node) bool {
	for p := range n.All("prop") {
		if p.Get("name") == "status" && strings.EqualFold(p.Get("value"), "withdrawn") {
			return true
		}
	}
	return false
}

func successors(n *oscal.Node) []string {
	var out []string
	for l := range n.All("link") {
		if rel := l.Get("rel"); rel == "incorporated-into" || rel == "moved-to" {
			out = append(out, strings.TrimPrefix(l.Get("href"), "#"))
		}
	}
	return out
}

// A Hit is a requirement of a system security plan that a change of a control
// concerns.
type Hit struct {
	Control     ControlChange
	Requirement *oscal.Node // the implemented-requirement; nil where the plan lacks one for a control that is new
	Statements  []string    // ids of the statements the plan answers whose text changed or is gone
	Params      []string    // ids of the parameters the plan sets that changed or are gone
}

// Impact returns what the changes of a catalog mean for a system security plan:
// in the order of the plan, each requirement whose control was changed,
// withdrawn, renamed or removed, with the statements and parameters of the plan
// that are concerned; then the controls that are new and unanswered.
func (d *Diff) Impact(ssp *oscal.Document) []Hit {
	byID := map[string]ControlChange{}
	controls := d.Controls()
	for _, c := range controls {
		id := c.ID
		if c.OldID != "" {
			id = c.OldID
		}
		byID[id] = c
	}
	answered := map[string]bool{}
	var out []Hit
	for req := range ssp.Root().Child("control-implementation").All("implemented-requirement") {
		id := req.Get("control-id")
		answered[id] = true
		c, ok := byID[id]
		if !ok {
			continue
		}
		hit := Hit{Control: c, Requirement: req}
		for n := range req.Walk() {
			switch n.Name() {
			case "statement":
				if id := n.Get("statement-id"); slices.Contains(c.Parts, id) || c.Fate == ControlRemoved {
					hit.Statements = append(hit.Statements, id)
				}
			case "set-parameter":
				if id := n.Get("param-id"); slices.Contains(c.Params, id) || c.Fate == ControlRemoved {
					hit.Params = append(hit.Params, id)
				}
			}
		}
		out = append(out, hit)
	}
	for _, c := range controls {
		if c.Fate == ControlAdded && !c.Withdrawn && !answered[c.ID] {
			out = append(out, Hit{Control: c})
		}
	}
	return out
}
