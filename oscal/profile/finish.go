package profile

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/issokit/issokit/oscal"
)

// finish carries out the final operations: back matter, metadata, pruning.
func (r *run) finish(c *content, d *document, selections []*selection, version string) *oscal.Node {
	root := c.catalog
	profile := d.doc.Root()
	metadata := r.metadata(profile, d, selections, version)

	m := &marker{run: r, content: c, resources: map[string]*resource{}}
	resources := m.collectResources(profile, selections)
	m.sweep(metadata, resources)
	if r.over {
		return nil
	}

	def := root.Member().Definition()
	uuid := oscal.NewNode(def.Member("uuid"))
	uuid.SetValue(r.uuid(profile, selections))
	children := append([]*oscal.Node{uuid, metadata}, m.place(def)...)
	for n := range root.Children() {
		children = append(children, n)
	}
	if bm := r.backMatter(resources, def.Member("back-matter")); bm != nil {
		children = append(children, bm)
	}
	root.SetChildren(children)
	return root
}

// A resource of the back matter of the profile or of an import.
type resource struct {
	node   *oscal.Node
	keep   bool
	marked bool
}

// A marker finds what the catalog refers to, directly or through something that
// is referred to. Parameters outside of controls and resources that it does not
// find are pruned.
type marker struct {
	*run
	*content
	resources map[string]*resource
	queue     []*oscal.Node
}

// collectResources lists the resources of the imports in order, then those of
// the profile. The last of one UUID remains, unless an earlier one is marked to
// be kept and a later one is not.
func (m *marker) collectResources(profile *oscal.Node, selections []*selection) []*resource {
	var list []*resource
	add := func(root *oscal.Node) {
		bm := root.Child("back-matter")
		if bm == nil {
			return
		}
		for n := range bm.All("resource") {
			res := &resource{node: n, keep: keepAlways(n)}
			uuid := strings.ToLower(n.Get("uuid"))
			earlier := m.resources[uuid]
			switch {
			case earlier == nil:
			case earlier.keep && !res.keep:
				continue
			default:
				earlier.node = nil
			}
			m.resources[uuid] = res
			list = append(list, res)
		}
	}
	for _, s := range selections {
		add(s.source.catalog)
	}
	add(profile)
	return slices.DeleteFunc(list, func(res *resource) bool { return res.node == nil })
}

// sweep marks all that can be reached from what stays in any case: metadata,
// groups and controls, and what is kept.
func (m *marker) sweep(metadata *oscal.Node, resources []*resource) {
	for _, p := range m.params {
		if p.kept || keepAlways(p.node) {
			m.mark(p)
		}
	}
	for _, res := range resources {
		if res.keep {
			m.markResource(res)
		}
	}
	if len(m.params) > 0 || len(resources) > 0 {
		m.queue = append(m.queue, metadata, m.catalog)
	}
	for len(m.queue) > 0 && !m.over {
		n := m.queue[len(m.queue)-1]
		m.queue = m.queue[:len(m.queue)-1]
		references(n, m.reference)
	}
	for _, p := range m.params {
		// All that was set is a parameter of a control that is not there.
		if same := m.byID[p.node.Get("id")]; p.owner != nil && same.candidates[0] == p && !m.exists(same) {
			for _, set := range p.sets {
				m.warnUnknownParameter(set)
			}
		}
	}
}

func (m *marker) reference(kind referenceKind, id string) {
	if same := m.byID[id]; same != nil && !same.referenced {
		same.referenced = true
		for _, p := range same.loose {
			m.mark(p)
		}
		if same.candidates != nil {
			m.mark(same.candidates[0])
		}
	}
	if kind == toObject {
		if res := m.resources[strings.ToLower(id)]; res != nil {
			m.markResource(res)
		}
	}
}

func (m *marker) markResource(res *resource) {
	if !res.marked {
		res.marked = true
		m.queue = append(m.queue, res.node)
	}
}

// mark keeps a parameter. One of a control that was not selected becomes loose
// only if no other parameter has its id.
func (m *marker) mark(p *loose) {
	if p.owner != nil {
		same := m.byID[p.node.Get("id")]
		if m.exists(same) {
			return
		}
		same.took = true
		p = same.candidates[0]
	}
	if p.marked {
		return
	}
	p.marked = true
	if n := m.copyOf(p); n != nil {
		m.queue = append(m.queue, n)
	}
}

// exists tells whether the catalog has a parameter of an id.
func (m *marker) exists(same *sameID) bool {
	return same.loose != nil || same.took || m.anchored[same.id] != nil
}

// copyOf makes the copy of a loose parameter that goes into the catalog.
func (r *run) copyOf(p *loose) *oscal.Node {
	if p.copy == nil {
		if !r.spend(p.node.Size(), r.profile()) {
			return p.node
		}
		p.copy = p.node.Clone()
		if p.owner != nil {
			for _, set := range p.sets {
				r.setParameter(p.copy, set)
			}
		}
	}
	return p.copy
}

// place puts the marked parameters into their groups and returns those of the
// catalog.
func (m *marker) place(catalog *oscal.Definition) []*oscal.Node {
	var own []*oscal.Node
	inGroups := map[*oscal.Node][]*oscal.Node{}
	var groups []*oscal.Node
	for _, p := range m.params {
		if !p.marked {
			continue
		}
		def, group := catalog, m.groups[p.group]
		if p.group != nil {
			def = group.Member().Definition()
		}
		if p.copy.Rebind(def.Member("param")) != nil {
			continue
		}
		if group == nil {
			own = append(own, p.copy)
			continue
		}
		if inGroups[group] == nil {
			groups = append(groups, group)
		}
		inGroups[group] = append(inGroups[group], p.copy)
	}
	for _, g := range groups {
		children := inGroups[g]
		for n := range g.Children() {
			children = append(children, n)
		}
		g.SetChildren(children)
	}
	return own
}

func (r *run) backMatter(resources []*resource, m *oscal.Member) *oscal.Node {
	def := m.Definition()
	var children []*oscal.Node
	for _, res := range resources {
		if res.marked && r.spend(res.node.Size(), r.profile()) {
			if n := r.adopt(res.node, def); n != nil {
				children = append(children, n)
			}
		}
	}
	if children == nil {
		return nil
	}
	bm := oscal.NewNode(m)
	bm.SetChildren(children)
	return bm
}

// metadata makes the metadata of the catalog: those of the profile, the roles and
// parties of the imports that are marked to be kept, and where it comes from.
func (r *run) metadata(profile *oscal.Node, d *document, selections []*selection, version string) *oscal.Node {
	m := oscal.NewRoot("catalog").Member().Definition().Member("metadata")
	def := m.Definition()
	single := func(name, value string) *oscal.Node {
		n := oscal.NewNode(def.Member(name))
		n.SetValue(value)
		return n
	}
	source := oscal.NewNode(def.Member("link"))
	source.Set("rel", "source-profile")
	source.Set("href", r.sourceURI(profile, d))
	children := []*oscal.Node{single("last-modified", r.lastModified(profile, selections)), single("oscal-version", version), source}
	have := map[string]bool{}
	if own := profile.Child("metadata"); own != nil && r.spend(own.Size(), own) {
		for n := range own.Children() {
			switch n.Name() {
			case "last-modified", "oscal-version":
				continue
			case "prop":
				if n.Get("name") == "resolution-tool" && isOSCAL(n) {
					continue
				}
			case "link":
				if n.Get("rel") == "source-profile" {
					continue
				}
			}
			have[identity(n)] = true
			children = append(children, n.Clone())
		}
	}
	for _, s := range selections {
		md := s.source.catalog.Child("metadata")
		if md == nil {
			continue
		}
		for n := range md.Children() {
			if (n.Name() == "role" || n.Name() == "party") && keepAlways(n) && !have[identity(n)] && r.spend(n.Size(), profile) {
				have[identity(n)] = true
				children = append(children, n.Clone())
			}
		}
	}
	tool := oscal.NewNode(def.Member("prop"))
	tool.Set("name", "resolution-tool")
	tool.Set("value", r.opts.Tool)
	md := oscal.NewNode(m)
	md.SetChildren(append(children, tool))
	return md
}

// identity tells roles and parties apart.
func identity(n *oscal.Node) string {
	return n.Name() + " " + n.Get("id") + strings.ToLower(n.Get("uuid"))
}

// sourceURI is the target of the link to the profile.
func (r *run) sourceURI(profile *oscal.Node, d *document) string {
	switch {
	case r.opts.HideSource:
		return "about:blank"
	case d.uri != "":
		return d.uri
	}
	return "urn:uuid:" + profile.Get("uuid")
}

// lastModified is the time given by the caller, else that of the newest document.
func (r *run) lastModified(profile *oscal.Node, selections []*selection) string {
	if !r.opts.Now.IsZero() {
		return r.opts.Now.UTC().Format(time.RFC3339Nano)
	}
	var newest time.Time
	written := "1970-01-01T00:00:00Z"
	roots := []*oscal.Node{profile}
	for _, s := range selections {
		roots = append(roots, s.source.catalog)
	}
	for _, root := range roots {
		s := root.Child("metadata").Get("last-modified")
		if t, err := time.Parse(time.RFC3339Nano, s); err == nil && t.After(newest) {
			newest, written = t, s
		}
	}
	return written
}

// uuid derives the UUID of the catalog from the documents that it was made of
// and the options that matter, unless the caller gives one.
func (r *run) uuid(profile *oscal.Node, selections []*selection) string {
	outermost := len(r.stack) == 1
	if outermost && r.opts.UUID != "" {
		return r.opts.UUID
	}
	parts := []string{"resolved-catalog"}
	if r.opts.KeepNesting {
		parts = append(parts, "keep-nesting")
	}
	document := func(root *oscal.Node) {
		md := root.Child("metadata")
		parts = append(parts, root.Get("uuid"), md.Get("last-modified"), md.Get("version"))
	}
	document(profile)
	for _, s := range selections {
		if s.source.catalog == s.source.doc.Root() {
			document(s.source.catalog)
		} else {
			parts = append(parts, s.source.catalog.Get("uuid"))
		}
	}
	return oscal.UUID(parts...)
}

// version is the newest oscal-version of the profile and its imports, but no
// newer than the model of this package. Another major version is an error.
func (r *run) version(profile *oscal.Node, selections []*selection) (string, bool) {
	model, _ := oscal.ParseVersion(oscal.ModelVersion)
	ok := true
	var newest oscal.Version
	written := oscal.ModelVersion
	look := func(root, at *oscal.Node, what string) {
		s := root.Child("metadata").Get("oscal-version")
		v, _ := oscal.ParseVersion(s)
		if v == (oscal.Version{}) {
			return // none, or none that can be compared: said when it was read
		}
		if v.Major != model.Major {
			r.problem(oscal.Error, RuleVersionMajor, at, s, nil, "%s is OSCAL %s; expected the major version %d", what, s, model.Major)
			ok = false
			return
		}
		if v.Compare(model) > 0 {
			r.warn(RuleVersionNewer, at, s, "%s is OSCAL %s, newer than %s, which the catalog is made for", what, s, oscal.ModelVersion)
			v, s = model, oscal.ModelVersion
		}
		if v.Compare(newest) > 0 {
			newest, written = v, s
		}
	}
	look(profile, firstOf(profile.Child("metadata").Child("oscal-version"), profile), "the profile")
	for _, s := range selections {
		look(s.source.catalog, firstOf(s.from.Child("href"), s.from), "the import "+strconv.Quote(s.from.Get("href")))
	}
	return written, ok
}
