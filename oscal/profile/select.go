package profile

import (
	"strconv"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// A piece is a group or control on its way from an import into the catalog. Its
// node stays where it is; the pieces inside are those that were selected, which
// need not be children of the node.
type piece struct {
	node  *oscal.Node
	kids  []*piece      // groups and controls inside, in document order
	from  *oscal.Node   // the directive that brought it here: import or insert-controls
	key   string        // of a group: the same for groups that become one
	more  []*oscal.Node // of a group: those that became one with it
	taken *piece        // of a group: the one that it became
}

func (p *piece) isGroup() bool { return p.node.Name() == "group" }
func (p *piece) id() string    { return p.node.Get("id") }

// A loose parameter stands outside of the controls of the catalog, or would if
// something needed it.
type loose struct {
	node   *oscal.Node
	group  *piece        // the group where it stands, nil for the catalog
	owner  *oscal.Node   // the control that was not selected, nil for one that always was loose
	kept   bool          // it must not be pruned
	marked bool          // it was found not to be pruned
	sets   []*oscal.Node // the set-parameters that name it
	copy   *oscal.Node   // its copy for the result
}

// A selection is what one import contributes.
type selection struct {
	source *source
	from   *oscal.Node // the import directive
	pieces []*piece
	params []*loose // those outside of controls, and those of controls that were not selected; in document order
}

// selectControls is the first phase: which controls of a catalog an import
// includes.
func (r *run) selectControls(src *source, imp *oscal.Node) *selection {
	s := &selection{source: src, from: imp}
	w := &selector{run: r, match: r.readMatcher(imp), selection: s, ids: map[string]int{}}
	for p := range src.catalog.All("param") {
		s.params = append(s.params, &loose{node: p})
	}
	w.nodes(&s.pieces, src.catalog, inherited{}, src.uri)
	w.match.report(r, "the import "+strconv.Quote(imp.Get("href")))
	return s
}

// inherited is what with-child-controls of an ancestor brings to a control.
type inherited struct{ include, exclude bool }

// A selector walks through an imported catalog.
type selector struct {
	*run
	*selection
	match *matcher
	ids   map[string]int // how many groups of an id were met
}

// nodes appends the groups, and the selected controls, of a catalog, group or
// control. A control whose parent is not selected comes to the parent's place.
func (w *selector) nodes(to *[]*piece, parent *oscal.Node, in inherited, path string) {
	i := 0
	for n := parent.First(); n != nil && !w.over; n = n.Next() {
		switch n.Name() {
		case "group":
			g := &piece{node: n, from: w.from}
			i++
			at := path + "/" + strconv.Itoa(i)
			if id := g.id(); id != "" {
				g.key = id + "#" + strconv.Itoa(w.ids[id])
				w.ids[id]++
			} else {
				g.key = at
			}
			for p := range n.All("param") {
				w.params = append(w.params, &loose{node: p, group: g})
			}
			w.nodes(&g.kids, n, inherited{}, at)
			*to = append(*to, g)
		case "control":
			if !w.spend(w.match.cost, w.from) {
				return
			}
			selected, below := w.match.control(n.Get("id"), in)
			if !selected {
				for p := range n.All("param") {
					w.params = append(w.params, &loose{node: p, owner: n})
				}
				w.nodes(to, n, below, path)
				continue
			}
			c := &piece{node: n, from: w.from}
			w.nodes(&c.kids, n, below, path)
			*to = append(*to, c)
		}
	}
}

// A matcher is the grammar by which import and insert-controls choose controls.
type matcher struct {
	all              bool
	include, exclude criteria
	cost             int // of one decision
}

// criteria are several include-controls or exclude-controls.
type criteria struct {
	ids      map[string]*criterion
	order    []*criterion // as written
	patterns []*criterion
}

type criterion struct {
	node     *oscal.Node // with-id or matching
	value    string
	children bool // with-child-controls
	used     bool
}

// readMatcher reads the directives of an import or of insert-controls. Without
// include-controls all is included.
func (r *run) readMatcher(n *oscal.Node) *matcher {
	m := &matcher{
		all:     n.Child("include-all") != nil || n.Child("include-controls") == nil,
		include: r.readCriteria(n, "include-controls"),
		exclude: r.readCriteria(n, "exclude-controls"),
	}
	m.cost = 1 + len(m.include.patterns) + len(m.exclude.patterns)
	return m
}

func (r *run) readCriteria(n *oscal.Node, name string) criteria {
	c := criteria{ids: map[string]*criterion{}}
	for directive := range n.All(name) {
		children := false
		switch flag := directive.Child("with-child-controls"); {
		case flag == nil, flag.Value() == "no":
		case flag.Value() == "yes":
			children = true
		default:
			r.warn(RuleUnknownValue, flag, flag.Value(), "with-child-controls: expected yes or no, found %q; no is used", flag.Value())
		}
		for child := range directive.Children() {
			x := &criterion{node: child, children: children}
			switch child.Name() {
			case "with-id":
				x.value = child.Value()
				if known := c.ids[x.value]; known != nil {
					known.children = known.children || children
					continue
				}
				c.ids[x.value] = x
			case "matching":
				// Without a pattern it matches nothing.
				pattern := child.Child("pattern")
				if pattern == nil {
					continue
				}
				x.value = pattern.Value()
				c.patterns = append(c.patterns, x)
			default:
				continue
			}
			c.order = append(c.order, x)
		}
	}
	return c
}

// control decides about one control, and what its children inherit.
func (m *matcher) control(id string, in inherited) (selected bool, below inherited) {
	included, children := m.include.match(id)
	below.include = in.include || children
	excluded, children := m.exclude.match(id)
	below.exclude = in.exclude || children
	return (m.all || included || in.include) && !excluded && !in.exclude, below
}

func (c *criteria) match(id string) (matched, children bool) {
	if x := c.ids[id]; x != nil {
		x.used, matched, children = true, true, x.children
	}
	for _, x := range c.patterns {
		if globMatch(x.value, id) {
			x.used, matched = true, true
			children = children || x.children
		}
	}
	return matched, children
}

// report warns of criteria that met no control.
func (m *matcher) report(r *run, where string) {
	for _, c := range []*criteria{&m.include, &m.exclude} {
		for _, x := range c.order {
			switch {
			case x.used:
			case x.node.Name() == "with-id":
				r.warn(RuleUnknownControl, x.node, x.value, "%s has no control %q", where, x.value)
			default:
				r.warn(RuleUnmatchedPattern, x.node, x.value, "%s has no control whose id matches %q", where, x.value)
			}
		}
	}
}

// globMatch tells whether a whole id matches a pattern in which only "*", any
// characters, and "?", one character, are special. It takes time in proportion
// to the product of the lengths at most.
func globMatch(pattern, id string) bool {
	p, s := []rune(pattern), []rune(id)
	i, j, star, resume := 0, 0, -1, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, resume = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == s[j]):
			i++
			j++
		case star >= 0:
			resume++
			i, j = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(string(p[i:]), "*") == ""
}
