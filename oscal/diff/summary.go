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
	ControlChanged                   // something of it is other, or it moved, or only the resolved catalogs tell whether a profile still selects it
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

// A ControlChange says what became of one control of a catalog, or of what a
// profile makes of it.
type ControlChange struct {
	Fate       Fate
	ID         string   // in the new catalog, or the old one if it is gone
	OldID      string   // where it was renamed
	Title      string   // likewise
	Withdrawn  bool     // whether it is withdrawn in the new catalog
	Successors []string // where a withdrawn control went: ids of controls or statements
	// Aspects are what of it changed, in this order: selection, title, statement,
	// objectives, guidance, parameters, properties, links, other, moved. Of a
	// profile they are what changed of its alterations; selection says that it
	// names the control in another way, and that only the resolved catalogs tell
	// what comes of it, other that something is removed by an id alone.
	Aspects  []string
	Parts    []string    // ids of the parts that were added, removed or changed; of a profile by-ids too
	Params   []string    // ids of the parameters that were added, removed or changed
	Old, New *oscal.Node // nil where there is none: a profile has no controls
}

var aspects = []string{"selection", "title", "statement", "objectives", "guidance", "parameters", "properties", "links", "other", "moved"}

func sortAspects(found []string) []string {
	slices.SortFunc(found, func(a, b string) int { return slices.Index(aspects, a) - slices.Index(aspects, b) })
	return found
}

// Controls sums up the changes by control, in the order of the new catalog, then
// those that are gone in the order of the old one. Controls that did not change
// are left out.
//
// Those of two profiles are the controls of the catalogs that they resolve to if
// [Diff.Baselines] is set. Else they are what the profiles themselves say by id:
// controls that with-ids and excludes select now or no longer, and controls
// whose alterations changed; [Diff.Unresolved] tells what that cannot show.
//
// It is empty for documents of other models.
func (d *Diff) Controls() []ControlChange {
	if d.Baselines != nil {
		return d.Baselines.Controls()
	}
	if d.New.Model() == "profile" {
		return d.profileControls()
	}
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
	back := d.backwards()
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
	for _, change := range changes {
		aspect, part, param := aspectOf(change, n, old)
		if aspect == "" {
			continue
		}
		c.Aspects = add(c.Aspects, aspect)
		c.Parts = add(c.Parts, part)
		c.Params = add(c.Params, param)
	}
	c.Aspects = sortAspects(c.Aspects)
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
		return partAspect(inner.Get("name")), part, ""
	}
	return "", "", ""
}

// partAspect is the aspect to which the parts of a name belong.
func partAspect(name string) string {
	switch name {
	case "statement":
		return "statement"
	case "objective", "assessment-objective", "assessment-method", "assessment", "objects":
		return "objectives"
	}
	return "guidance"
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

// Impact returns what the changes of a catalog or profile mean for a system
// security plan: in the order of the plan, each requirement whose control was
// changed, withdrawn, renamed or removed, or for which a set-parameter of the
// profile changed that the plan sets too, with the statements and parameters of
// the plan that are concerned; then the controls that are new and unanswered.
// A document of another model has no requirements and is hit by nothing.
//
// Without [Diff.Baselines], two profiles tell only of the controls that they
// name: where [Diff.Unresolved] is not empty, there may be more.
func (d *Diff) Impact(ssp *oscal.Document) []Hit {
	if ssp.Model() != "system-security-plan" {
		return nil
	}
	byID := map[string]ControlChange{}
	controls := d.Controls()
	for _, c := range controls {
		id := c.ID
		if c.OldID != "" {
			id = c.OldID
		}
		byID[id] = c
	}
	sets := map[string]bool{} // parameters that a profile sets in another way
	if d.Baselines == nil && d.New.Model() == "profile" {
		for _, s := range d.Subjects() {
			sets[s.Subject.ID] = true
		}
	}
	answered := map[string]bool{}
	var out []Hit
	for req := range ssp.Root().Child("control-implementation").All("implemented-requirement") {
		id := req.Get("control-id")
		answered[id] = true
		c, ok := byID[id]
		hit := Hit{Requirement: req}
		for n := range req.Walk() {
			switch n.Name() {
			case "statement":
				if id := n.Get("statement-id"); slices.Contains(c.Parts, id) || c.Fate == ControlRemoved {
					hit.Statements = append(hit.Statements, id)
				}
			case "set-parameter":
				// Parts may be by-ids, which name parameters too.
				id := n.Get("param-id")
				if sets[id] {
					c.Params, c.Aspects = add(slices.Clone(c.Params), id), sortAspects(add(slices.Clone(c.Aspects), "parameters"))
				}
				if slices.Contains(c.Params, id) || slices.Contains(c.Parts, id) || c.Fate == ControlRemoved {
					hit.Params = append(hit.Params, id)
				}
			}
		}
		if !ok && hit.Params == nil {
			continue
		}
		if !ok {
			c.Fate, c.ID = ControlChanged, id
		}
		hit.Control = c
		out = append(out, hit)
	}
	for _, c := range controls {
		if c.Fate == ControlAdded && !c.Withdrawn && !answered[c.ID] {
			out = append(out, Hit{Control: c})
		}
	}
	return out
}
