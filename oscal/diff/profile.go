package diff

import (
	"slices"

	"github.com/issokit/issokit/oscal"
)

// A selection says whether a profile selects a control, as far as the profile
// alone can tell.
type selection uint8

const (
	out   selection = iota // named by no include-controls, or excluded by its id
	maybe                  // patterns or with-child-controls decide, that is, the imported catalog
	in                     // named, or all are included
)

// profileControls sums up the changes of a profile by the ids of the controls
// that it names: those that it selects now or no longer, and those that it
// alters otherwise. It is in the order of the new profile, then of the old one.
func (d *Diff) profileControls() []ControlChange {
	alterations := map[string]*ControlChange{}
	for _, c := range d.Changes {
		n := c.New
		if n == nil {
			n = c.Old
		}
		for a := n; a != nil; a = a.Parent() {
			if a.Name() != "alter" {
				continue
			}
			id := a.Get("control-id")
			if alterations[id] == nil {
				alterations[id] = &ControlChange{}
			}
			alterations[id].altered(a, n)
		}
	}
	var controls []ControlChange
	known := map[string]bool{}
	for _, doc := range []*oscal.Document{d.New, d.Old} {
		for n := range doc.Root().Walk() {
			var id string
			switch n.Name() {
			case "with-id":
				id = n.Value()
			case "alter":
				id = n.Get("control-id")
			}
			if id == "" || known[id] {
				continue
			}
			known[id] = true
			if c, changed := selectionChange(id, selected(d.Old.Root(), id), selected(d.New.Root(), id), alterations[id]); changed {
				controls = append(controls, c)
			}
		}
	}
	return controls
}

func selectionChange(id string, was, is selection, alteration *ControlChange) (ControlChange, bool) {
	c := ControlChange{Fate: ControlChanged}
	if alteration != nil {
		c.Aspects, c.Parts, c.Params = sortAspects(alteration.Aspects), alteration.Parts, alteration.Params
	}
	c.ID = id
	switch {
	case was == out && is == in:
		return ControlChange{Fate: ControlAdded, ID: id}, true
	case was == in && is == out:
		return ControlChange{Fate: ControlRemoved, ID: id}, true
	case was != is:
		c.Aspects = append([]string{"selection"}, c.Aspects...)
	case is == out:
		return c, false // what is not selected is not altered
	}
	return c, len(c.Aspects) > 0
}

// selected tells whether a profile selects a control: one of its imports does,
// and, if it makes groups of its own, one of their insert-controls.
func selected(root *oscal.Node, id string) selection {
	var imported, inserted selection
	for imp := range root.All("import") {
		imported = max(imported, chosen(imp, id))
	}
	custom := root.Child("merge").Child("custom")
	if custom == nil {
		return imported
	}
	for n := range custom.Walk() {
		if n.Name() == "insert-controls" {
			inserted = max(inserted, chosen(n, id))
		}
	}
	return min(imported, inserted)
}

// chosen is selected for one import or insert-controls. Excludes win.
func chosen(n *oscal.Node, id string) selection {
	included := named(n, "include-controls", id)
	if n.Child("include-controls") == nil {
		included = in // all, be it said with include-all or not
	}
	switch named(n, "exclude-controls", id) {
	case in:
		return out
	case maybe:
		return min(included, maybe)
	}
	return included
}

// named tells whether the criteria of a kind hold for a control.
func named(n *oscal.Node, kind, id string) selection {
	result := out
	for c := range n.All(kind) {
		if c.Child("matching") != nil || c.Get("with-child-controls") == "yes" {
			result = max(result, maybe)
		}
		for w := range c.All("with-id") {
			if w.Value() == id {
				return in
			}
		}
	}
	return result
}

// altered notes what the change of a node means that lies in an alter, or is it.
func (c *ControlChange) altered(alter, n *oscal.Node) {
	for op := range alter.Children() {
		all := within(op, n) || n.Parent() == op && n.Kind() == oscal.Flag // such as position, which concerns all that is added
		switch {
		case op.Kind() == oscal.Flag || !all && !within(n, op):
		case op.Name() == "remove":
			c.removes(op)
		default:
			for item := range op.Children() {
				if item.Kind() != oscal.Flag && (all || within(n, item)) {
					c.adds(item, n, op.Get("by-id"))
				}
			}
		}
	}
}

// adds notes an item of an add, of which a node changed.
func (c *ControlChange) adds(item, n *oscal.Node, id string) {
	c.note(item.Name(), item.Get("name"), id)
	if item.Name() == "param" {
		c.Params = add(c.Params, item.Get("id"))
	}
	for p := range item.Walk() {
		if p.Name() == "part" && (within(n, p) || within(p, n) || n.Kind() == oscal.Flag) {
			c.Parts = add(c.Parts, p.Get("id"))
		}
	}
}

// removes notes what a remove takes away.
func (c *ControlChange) removes(op *oscal.Node) {
	if op.Get("by-item-name") == "param" {
		c.Params = add(c.Params, op.Get("by-id"))
	}
	c.note(op.Get("by-item-name"), op.Get("by-name"), op.Get("by-id"))
}

// note notes a change of an item of a kind, of a name, in the object with an id,
// which may be that of a part or of a parameter.
func (c *ControlChange) note(kind, name, id string) {
	aspect := "other"
	switch kind {
	case "title":
		aspect = "title"
	case "param":
		aspect = "parameters"
	case "prop":
		aspect = "properties"
	case "link":
		aspect = "links"
	case "part":
		aspect = partAspect(name)
	}
	c.Aspects = add(c.Aspects, aspect)
	c.Parts = add(c.Parts, id)
}

func add(list []string, s string) []string {
	if s == "" || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// within tells whether a node is another or lies in it.
func within(n, outer *oscal.Node) bool {
	for ; n != nil; n = n.Parent() {
		if n == outer {
			return true
		}
	}
	return false
}

// Unresolved returns, for two profiles, the directives whose effect on controls
// the profiles alone do not tell but only the catalogs that they resolve to:
// imports of all controls, by patterns, with child controls, imports that the
// other profile does not have, and set-parameters that changed, since a
// parameter does not say whose it is. Those of the new profile come first, what
// is in both is told once. It is empty where nothing changed and where
// [Diff.Baselines] is set.
func (d *Diff) Unresolved() []*oscal.Node {
	if d.New.Model() != "profile" || d.Baselines != nil || len(d.Changes) == 0 {
		return nil
	}
	sets := map[*oscal.Node]bool{}
	for _, c := range d.Subjects() {
		sets[c.Old], sets[c.New] = true, true
	}
	var nodes []*oscal.Node
	for _, side := range []struct {
		doc, other *oscal.Document
		inBoth     map[*oscal.Node]*oscal.Node
	}{{d.New, d.Old, nil}, {d.Old, d.New, d.pairs}} {
		for n := range side.doc.Root().Walk() {
			if side.inBoth[n] != nil {
				continue
			}
			switch n.Name() {
			case "import":
				if n.Child("include-all") == nil && n.Child("include-controls") == nil || !imports(side.other, n.Get("href")) {
					nodes = append(nodes, n)
				}
			case "include-all":
				if n.Parent().Name() == "import" {
					nodes = append(nodes, n)
				}
			case "matching":
				nodes = append(nodes, n)
			case "include-controls", "exclude-controls":
				if n.Get("with-child-controls") == "yes" {
					nodes = append(nodes, n)
				}
			case "set-parameter":
				if sets[n] {
					nodes = append(nodes, n)
				}
			}
		}
	}
	return nodes
}

func imports(doc *oscal.Document, href string) bool {
	for imp := range doc.Root().All("import") {
		if imp.Get("href") == href {
			return true
		}
	}
	return false
}
