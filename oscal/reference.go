package oscal

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
)

// ReferenceState says what became of a reference.
type ReferenceState uint8

// The states of a reference.
const (
	Resolved    ReferenceState = iota + 1 // it names something that is there
	Dangling                              // nothing of that name is there
	WrongKind                             // what has that name is something else
	Unavailable                           // it may be in a document that is not at hand
	External                              // it leads out of the documents, to a web page or a file
)

func (s ReferenceState) String() string {
	switch s {
	case Resolved:
		return "resolved"
	case Dangling:
		return "dangling"
	case WrongKind:
		return "wrong-kind"
	case Unavailable:
		return "unavailable"
	case External:
		return "external"
	}
	return fmt.Sprintf("ReferenceState(%d)", uint8(s))
}

// The rules of [CheckReferences].
const (
	RuleDangling    Rule = "reference-dangling"    // nothing has the identifier that is referred to
	RuleWrongKind   Rule = "reference-wrong-kind"  // something else has it
	RuleUnavailable Rule = "reference-unavailable" // a document that is referred to is not at hand
	RuleDuplicateID Rule = "identifier-duplicate"  // two objects of a document have the same identifier
)

// A Reference is a place in a document that names an object by its identifier,
// or a document by its address.
type Reference struct {
	Doc    *Document      // the document in which it stands
	From   *Node          // the flag or field that holds it, or the markup
	Kinds  []string       // what may be meant, by XML names: party, control, ...; empty for anything
	Target string         // what is named, as written
	State  ReferenceState // what became of it
	To     *Node          // what is named, where the state is Resolved or WrongKind
	ToDoc  *Document      // the document that holds it
}

// ReferenceOptions configure [References] and [CheckReferences]; nil means the
// defaults.
type ReferenceOptions struct {
	// Load gives the document that a document refers to by an address that is no
	// fragment, nil if it has none; default: the document among those given whose
	// name is the address, seen from the folder of the name of the first.
	Load func(from *Document, href string) *Document
}

// References finds all references in the documents of a package and what they
// lead to: documents that are imported, and by identifier parties, roles,
// locations, components, controls, statements, objectives, parameters,
// observations, findings, risks, tasks, resources and so on, those in markup
// too. An identifier is looked for in the document itself and in those that it
// imports, directly or not.
//
// The references come in the order of the documents, and in document order in
// each of them.
func References(docs []*Document, opts *ReferenceOptions) []Reference {
	r := newReferrer(docs, opts)
	var out []Reference
	for _, d := range docs {
		out = append(out, r.document(d)...)
	}
	return out
}

// CheckReferences reports what [References] finds wrong: references that dangle
// or lead to an object of another kind, as errors; documents that are not at
// hand, as warnings; and identifiers that two objects of one document have.
func CheckReferences(docs []*Document, opts *ReferenceOptions) Problems {
	r := newReferrer(docs, opts)
	var out Problems
	for _, d := range docs {
		var ps Problems
		for _, ref := range r.document(d) {
			if p, wrong := ref.problem(&r.places); wrong {
				ps = append(ps, p)
			}
		}
		ps = append(ps, r.duplicates(d)...)
		sortProblems(ps)
		out = append(out, ps...)
	}
	return out
}

func (ref *Reference) problem(l *Locator) (p Problem, wrong bool) {
	problem := func(level Level, rule Rule, format string, args ...any) Problem {
		return ref.Doc.problemAt(l, level, rule, ref.From, fmt.Sprintf(format, args...))
	}
	what := "a " + strings.Join(ref.Kinds, " or ")
	if len(ref.Kinds) == 0 {
		what = "an object"
	}
	name, target := ref.From.Name(), quote(ref.Target)
	switch ref.State {
	case Dangling:
		level := Error
		link := ref.From.member.name == "href" || ref.From.member.dtype.isMarkup() && len(ref.Kinds) == 0
		if link && ref.Doc.Model() == "catalog" && !ref.toResource() {
			// A baseline keeps its controls' links to controls that it left out, those in
			// their text too; the model's own constraint on these links
			// (oscal-catalog-groups-controls-parts) makes a warning of it too.
			level = Warning
		}
		return problem(level, RuleDangling, "%s refers to %s; expected the identifier of %s here or in an imported document, found none", name, target, what), true
	case WrongKind:
		found := "a " + ref.To.Name()
		if control := otherControl(ref.From, ref.To); control != nil {
			what, found = "a part of "+quote(control.value), "a part of "+quote(controlOf(ref.To).Get("id"))
		}
		p = problem(Error, RuleWrongKind, "%s refers to %s; expected %s, found %s", name, target, what, found)
		p.Related = []Place{ref.ToDoc.place(l, ref.To)}
		return p, true
	case Unavailable:
		if isImport(ref.From) {
			return problem(Warning, RuleUnavailable, "%s refers to %s, a document that is not at hand", name, target), true
		}
		return problem(Warning, RuleUnavailable, "%s refers to %s, %s that may be in an imported document that is not at hand", name, target, what), true
	}
	return Problem{}, false
}

// toResource tells whether the reference is written like one to a resource of
// the back matter, by UUID.
func (ref *Reference) toResource() bool { return validUUID(strings.TrimPrefix(ref.Target, "#")) }

// referenceKinds says what the values of flags and fields refer to, by the
// names of the member and, before a slash, of its parent where the name alone
// does not tell. Kinds are XML names of the objects meant; none means any.
var referenceKinds = map[string][]string{
	"party-uuid":                       {"party"},
	"role-id":                          {"role"},
	"location-uuid":                    {"location"},
	"member-of-organization":           {"party"},
	"component-uuid":                   {"component"},
	"control-id":                       {"control"},
	"with-id":                          {"control"},
	"statement-id":                     {"part"},
	"objective-id":                     {"part"},
	"param-id":                         {"param"},
	"depends-on":                       {"param"},
	"activity-uuid":                    {"activity"},
	"task-uuid":                        {"task"},
	"observation-uuid":                 {"observation"},
	"finding-uuid":                     {"finding"},
	"risk-uuid":                        {"risk"},
	"response-uuid":                    {"response"},
	"provided-uuid":                    {"provided"},
	"responsibility-uuid":              {"responsibility"},
	"implementation-uuid":              {"implemented-requirement", "statement", "by-component"},
	"implementation-statement-uuid":    {"implemented-requirement", "statement", "by-component"},
	"subject-placeholder-uuid":         {},
	"by-id":                            {},
	"resource-fragment":                {},
	"import/href":                      {"catalog", "profile"},
	"import-profile/href":              {"catalog", "profile"},
	"import-ssp/href":                  {"system-security-plan"},
	"import-ap/href":                   {"assessment-plan"},
	"import-component-definition/href": {"component-definition"},
	"control-implementation/source":    {"catalog", "profile"},
	"source-resource/href":             {"catalog", "profile"},
	"target-resource/href":             {"catalog", "profile"},
	"link/href":                        {},
	"rlink/href":                       {},
	"relevant-evidence/href":           {},
}

// kindsByType says what an identifier means whose kind stands in the flag type
// beside it.
var kindsByType = map[string]map[string][]string{
	"actor-uuid":   {"tool": {"component"}, "assessment-platform": {"assessment-platform"}, "party": {"party"}},
	"subject-uuid": {"component": {"component"}, "inventory-item": {"inventory-item"}, "location": {"location"}, "party": {"party"}, "user": {"user"}, "resource": {"resource"}},
	"target-id":    {"statement-id": {"part", "control"}, "objective-id": {"part", "control"}},
	"id-ref":       {"control": {"control"}, "statement": {"part"}},
}

// propKinds says what the values of props in OSCAL's own namespace refer to.
var propKinds = map[string][]string{
	"leveraged-authorization-uuid": {"leveraged-authorization"},
	"physical-location":            {"location"},
}

// isImport tells whether a flag names a document whose identifiers count as
// known where it stands.
func isImport(n *Node) bool {
	if n.parent == nil || n.member.kind != Flag {
		return false
	}
	switch n.parent.member.name {
	case "import", "import-profile", "import-ssp", "import-ap", "import-component-definition", "source-resource", "target-resource":
		return n.member.name == "href"
	case "control-implementation":
		return n.member.name == "source"
	case "link":
		return n.member.name == "href" && n.parent.Get("rel") == "system-security-plan" && n.parent.parent.member.name == "leveraged-authorization"
	}
	return false
}

// expected tells whether a flag or field is a reference and to what.
func expected(n *Node) (kinds []string, isReference bool) {
	name := n.member.name
	if n.parent == nil || n.member.kind == Assembly {
		return nil, false
	}
	if byType, ok := kindsByType[name]; ok {
		return byType[n.parent.Get("type")], true
	}
	if name == "value" && n.parent.member.name == "prop" {
		if kinds, ok := propKinds[n.parent.Get("name")]; ok && sameNamespace(n.parent.Get("ns"), "") {
			return kinds, true
		}
		return nil, false
	}
	if name == "href" || name == "source" {
		kinds, ok := referenceKinds[n.parent.member.name+"/"+name]
		if isImport(n) && n.parent.member.name == "link" {
			kinds = []string{"system-security-plan"}
		}
		return kinds, ok
	}
	kinds, ok := referenceKinds[name]
	return kinds, ok
}

// otherControl returns the control-id of the requirement that a statement-id
// stands in, if what it names is part of another control.
func otherControl(from, to *Node) *Node {
	if from.member.name != "statement-id" || to.member.name != "part" {
		return nil
	}
	for n := from.parent; n != nil; n = n.parent {
		if id := n.Child("control-id"); id != nil {
			if c := controlOf(to); c != nil && c.Get("id") != id.value {
				return id
			}
			return nil
		}
	}
	return nil
}

// controlOf returns the control that a part is of, nil for one of a group.
func controlOf(n *Node) *Node {
	for n != nil && n.member.name != "control" {
		n = n.parent
	}
	return n
}

// A referrer resolves references among documents.
type referrer struct {
	docs     []*Document
	load     func(from *Document, href string) *Document
	ids      map[*Document]map[string][]*Node
	scopes   map[*Document]*scope
	places   Locator
	embedded map[*Node]*Document // of resources that hold a document; nil for none
}

// A scope is what identifiers of a document may mean.
type scope struct {
	docs      []*Document // the document, then what it imports
	missing   bool        // some import is not at hand
	leveraged bool        // an authorization is leveraged whose plan is not at hand
}

func newReferrer(docs []*Document, opts *ReferenceOptions) *referrer {
	r := &referrer{docs: docs, ids: map[*Document]map[string][]*Node{}, scopes: map[*Document]*scope{}, embedded: map[*Node]*Document{}}
	r.load = r.byName
	if opts != nil && opts.Load != nil {
		r.load = opts.Load
	}
	return r
}

// byName finds a document of the package by the name that an address means.
func (r *referrer) byName(from *Document, href string) *Document {
	u, err := url.Parse(href)
	if err != nil || u.Scheme != "" || u.Host != "" {
		return nil
	}
	want := path.Join(path.Dir(strings.ReplaceAll(from.name, `\`, "/")), u.Path)
	for _, d := range r.docs {
		if path.Clean(strings.ReplaceAll(d.name, `\`, "/")) == want {
			return d
		}
	}
	return nil
}

// index returns the objects of a document by identifier.
func (r *referrer) index(d *Document) map[string][]*Node {
	if m, ok := r.ids[d]; ok {
		return m
	}
	m := map[string][]*Node{}
	for n := range d.root.Walk() {
		if n.member.kind == Flag && (n.member.name == "uuid" || n.member.name == "id") && n.parent.member.name != "prop" {
			id := n.value
			if n.member.dtype == TypeUUID {
				id = strings.ToLower(id)
			}
			m[id] = append(m[id], n.parent)
		}
	}
	r.ids[d] = m
	return m
}

func (r *referrer) scope(d *Document) *scope {
	if s, ok := r.scopes[d]; ok {
		return s
	}
	s := &scope{docs: []*Document{d}}
	for i := 0; i < len(s.docs); i++ { // grows as imports of imports are found
		doc := s.docs[i]
		for n := range doc.root.Walk() {
			if n.member.name == "leveraged-authorization" && !hasPlan(n) {
				s.leveraged = true
			}
			if !isImport(n) {
				continue
			}
			to := r.follow(doc, n.value)
			switch {
			case to == nil:
				s.missing = true
			case !slices.Contains(s.docs, to):
				s.docs = append(s.docs, to)
			}
		}
	}
	r.scopes[d] = s
	return s
}

// hasPlan tells whether a leveraged authorization links to its plan.
func hasPlan(n *Node) bool {
	for link := range n.All("link") {
		if link.Get("rel") == "system-security-plan" {
			return true
		}
	}
	return false
}

// follow follows an address: of a document, or of a resource of the back
// matter whose links lead to one.
func (r *referrer) follow(from *Document, href string) *Document {
	id, isFragment := strings.CutPrefix(href, "#")
	if !isFragment {
		return r.load(from, href)
	}
	for _, n := range r.index(from)[strings.ToLower(id)] {
		if d := r.embeddedIn(n); d != nil {
			return d
		}
		for link := range n.All("rlink") {
			if d := r.load(from, link.Get("href")); d != nil {
				return d
			}
		}
	}
	return nil
}

// embeddedIn returns the document that a resource holds as base64.
func (r *referrer) embeddedIn(resource *Node) *Document {
	content := resource.Child("base64")
	if content == nil {
		return nil
	}
	d, known := r.embedded[resource]
	if !known {
		if text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(content.value), "")); err == nil {
			d, _ = Parse(string(text), &ReadOptions{Name: content.Get("filename")})
		}
		r.embedded[resource] = d
	}
	return d
}

func (r *referrer) document(d *Document) []Reference {
	var out []Reference
	for n := range d.root.Walk() {
		if n.value == "" {
			continue
		}
		if kinds, ok := expected(n); ok {
			ref := Reference{Doc: d, From: n, Kinds: kinds, Target: n.value}
			switch n.member.name {
			case "href", "source":
				r.address(&ref)
			case "resource-fragment":
				r.fragment(&ref)
			default:
				r.identifier(&ref, n.value)
			}
			out = append(out, ref)
		}
		if n.member.dtype.isMarkup() {
			for _, found := range markupReferences(n) {
				ref := Reference{Doc: d, From: n, Kinds: found.kinds, Target: found.target}
				if found.kinds == nil {
					r.address(&ref)
				} else {
					r.identifier(&ref, found.target)
				}
				out = append(out, ref)
			}
		}
	}
	return out
}

// address resolves an href: a fragment, a document, or something outside.
func (r *referrer) address(ref *Reference) {
	if isImport(ref.From) {
		to := r.follow(ref.Doc, ref.Target)
		switch {
		case to == nil:
			ref.State = Unavailable
			if id, ok := strings.CutPrefix(ref.Target, "#"); ok {
				nodes := r.index(ref.Doc)[strings.ToLower(id)]
				switch {
				case nodes == nil:
					ref.State = Dangling
				case !slices.ContainsFunc(nodes, func(n *Node) bool { return n.member.name == "resource" }):
					ref.State, ref.To, ref.ToDoc = WrongKind, nodes[0], ref.Doc
				}
			}
		case len(ref.Kinds) > 0 && !slices.Contains(ref.Kinds, to.Model()):
			ref.State, ref.To, ref.ToDoc = WrongKind, to.root, to
		default:
			ref.State, ref.To, ref.ToDoc = Resolved, to.root, to
		}
		return
	}
	id, isFragment := strings.CutPrefix(ref.Target, "#")
	if !isFragment {
		ref.State = External
		if to := r.load(ref.Doc, ref.Target); to != nil {
			ref.State, ref.To, ref.ToDoc = Resolved, to.root, to
		}
		return
	}
	r.identifier(ref, id)
}

// fragment looks up what a link means within the document that it leads to. One
// that leads to no OSCAL document may mean anything.
func (r *referrer) fragment(ref *Reference) {
	ref.State = External
	href := ref.From.parent.Get("href")
	if to := r.follow(ref.Doc, href); href != "" && to != nil {
		ref.State = Dangling
		if nodes := r.index(to)[strings.TrimPrefix(ref.Target, "#")]; nodes != nil {
			ref.State, ref.To, ref.ToDoc = Resolved, nodes[0], to
		}
	}
}

// identifier looks an identifier up, in the document first.
func (r *referrer) identifier(ref *Reference, id string) {
	s := r.scope(ref.Doc)
	if validUUID(id) {
		id = strings.ToLower(id) // all other identifiers are compared as they are written
	}
	for _, d := range s.docs {
		for _, n := range r.index(d)[id] {
			if (len(ref.Kinds) == 0 || slices.Contains(ref.Kinds, n.member.name)) && otherControl(ref.From, n) == nil {
				ref.State, ref.To, ref.ToDoc = Resolved, n, d
				return
			}
			if ref.To == nil {
				ref.State, ref.To, ref.ToDoc = WrongKind, n, d
			}
		}
	}
	if ref.State == 0 {
		ref.State = Dangling
		parent := ref.From.parent.member.name
		if s.missing || s.leveraged && (parent == "inherited" || parent == "satisfied") {
			ref.State = Unavailable
		}
	}
}

// duplicates reports the identifiers that two objects of a document share. The
// same control, group, part or param may stand in several places where a
// catalog was resolved without merging, but even there the identifier no longer
// tells which is meant.
func (r *referrer) duplicates(d *Document) Problems {
	var ps Problems
	for id, nodes := range r.index(d) {
		first := map[string]*Node{}
		for _, n := range nodes {
			space := identifierSpace(n)
			if first[space] == nil {
				first[space] = n
				continue
			}
			before := first[space]
			place := d.place(&r.places, before)
			p := d.problemAt(&r.places, Error, RuleDuplicateID, n, fmt.Sprintf("the %s has the identifier %s of the %s at %s", n.member.name, quote(id), before.member.name, place.Pointer))
			p.Related = []Place{place}
			ps = append(ps, p)
		}
	}
	slices.SortFunc(ps, func(a, b Problem) int { return strings.Compare(a.Pointer, b.Pointer) })
	return ps
}

// identifierSpace is what identifiers of a kind are unique in. Nothing but a
// role-id refers to a role.
func identifierSpace(n *Node) string {
	if n.member.name == "role" {
		return "role"
	}
	return ""
}

type markupReference struct {
	kinds  []string // nil: an address
	target string
}

// markupReferences returns what a text refers to: what is inserted, and the
// fragments that it links to.
func markupReferences(n *Node) []markupReference {
	if !strings.Contains(n.value, "{{") && !(strings.Contains(n.value, "[") && strings.Contains(n.value, "#")) {
		return nil // nothing to parse it for
	}
	var out []markupReference
	for m := range n.Markup().Walk() {
		switch {
		case m.Kind == MarkupInsert:
			out = append(out, markupReference{[]string{m.Type}, m.Target})
		case m.Kind == MarkupLink && strings.HasPrefix(m.Target, "#"):
			out = append(out, markupReference{nil, m.Target})
		}
	}
	return out
}
