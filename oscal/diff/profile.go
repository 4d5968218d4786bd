package diff

import (
	"iter"
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
	was, is := readChoices(d.Old.Root()), readChoices(d.New.Root())
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
			if c, changed := selectionChange(id, was.of(id), is.of(id), alterations[id]); changed {
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

// choices are how a profile selects controls.
type choices struct {
	imports, inserts []choice // inserts: the insert-controls of groups of its own
	custom           bool     // there are such groups
}

// A choice is that of one import or insert-controls.
type choice struct{ include, exclude criteria }

// criteria are several include-controls or exclude-controls.
type criteria struct {
	ids  map[string]bool
	open bool // there are patterns or child controls too
	none bool // there are no criteria
}

func readChoices(root *oscal.Node) choices {
	var cs choices
	for imp := range root.All("import") {
		cs.imports = append(cs.imports, readChoice(imp))
	}
	custom := root.Child("merge").Child("custom")
	cs.custom = custom != nil
	for n := range custom.Walk() {
		if n.Name() == "insert-controls" {
			cs.inserts = append(cs.inserts, readChoice(n))
		}
	}
	return cs
}

func readChoice(n *oscal.Node) choice {
	return choice{readCriteria(n, "include-controls"), readCriteria(n, "exclude-controls")}
}

func readCriteria(n *oscal.Node, kind string) criteria {
	c := criteria{map[string]bool{}, false, true}
	for list := range n.All(kind) {
		c.none = false
		c.open = c.open || list.Child("matching") != nil || list.Get("with-child-controls") == "yes"
		for id := range list.All("with-id") {
			c.ids[id.Value()] = true
		}
	}
	return c
}

// of tells whether the profile selects a control: one of its imports does, and,
// if it makes groups of its own, one of their insert-controls.
func (cs choices) of(id string) selection {
	var imported, inserted selection
	for _, c := range cs.imports {
		imported = max(imported, c.of(id))
	}
	if !cs.custom {
		return imported
	}
	for _, c := range cs.inserts {
		inserted = max(inserted, c.of(id))
	}
	return min(imported, inserted)
}

// of tells whether the control is chosen. Excludes win.
func (c choice) of(id string) selection {
	included := c.include.of(id)
	if c.include.none {
		included = in // all, be it said with include-all or not
	}
	switch c.exclude.of(id) {
	case in:
		return out
	case maybe:
		return min(included, maybe)
	}
	return included
}

// of tells whether the criteria hold for a control.
func (c criteria) of(id string) selection {
	switch {
	case c.ids[id]:
		return in
	case c.open:
		return maybe
	}
	return out
}

// altered notes what the change of a node means that lies in an alter, or is it.
func (c *ControlChange) altered(alter, n *oscal.Node) {
	for op := range towards(alter, n) {
		switch op.Name() {
		case "remove":
			c.removes(op)
		case "add":
			for item := range towards(op, n) {
				c.adds(item, n, op.Get("by-id"))
			}
		}
	}
}

// towards returns the child of an object in which a node lies; all children that
// are no flags, if it is the object itself, holds it, or is a flag of it, such as
// the position of an add, which concerns all that is added.
func towards(object, n *oscal.Node) iter.Seq[*oscal.Node] {
	return func(yield func(*oscal.Node) bool) {
		if within(n, object) && n != object && (n.Parent() != object || n.Kind() != oscal.Flag) {
			for n.Parent() != object {
				n = n.Parent()
			}
			yield(n)
			return
		}
		for c := range object.Children() {
			if c.Kind() != oscal.Flag && !yield(c) {
				return
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
