package profile

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/issokit/issokit/oscal"
)

// Limits bound what resolving may cost; zero fields mean the defaults.
type Limits struct {
	Documents int   // documents that one profile may reach; default 1,000
	Bytes     int64 // of one document; default 256 MiB
	Depth     int   // profiles that import profiles; default 100
	Nodes     int   // controls looked at and nodes copied; default 20,000,000
}

func (l *Limits) withDefaults() Limits {
	var r Limits
	if l != nil {
		r = *l
	}
	if r.Documents <= 0 {
		r.Documents = 1000
	}
	if r.Bytes <= 0 {
		r.Bytes = 256 << 20
	}
	if r.Depth <= 0 {
		r.Depth = 100
	}
	if r.Nodes <= 0 {
		r.Nodes = 20_000_000
	}
	return r
}

// A Resolver resolves profiles. It keeps the documents that it has loaded, so
// that a catalog that is imported again is neither loaded nor parsed again. It
// is safe for use by several goroutines at once.
type Resolver struct {
	loader Loader
	limits Limits

	mu   sync.Mutex
	docs map[string]*document // by the URIs under which they were asked for and found
}

// NewResolver returns a Resolver that gets documents from a loader. Without a
// loader it knows only those given to [Resolver.Add]. Limits may be nil.
func NewResolver(loader Loader, limits *Limits) *Resolver {
	return &Resolver{loader: loader, limits: limits.withDefaults(), docs: map[string]*document{}}
}

// Add makes a document known that need not be loaded any more. The URI is the
// one to which imports resolve. The document must not be changed afterwards.
func (s *Resolver) Add(uri string, doc *oscal.Document) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.docs[uri] = &document{uri: uri, doc: doc}
}

// Options configure [Resolver.Resolve]; nil means the defaults.
type Options struct {
	// URI of the profile: what its imports are relative to, and the target of the
	// source-profile link. Default: the name under which the document was read.
	URI string

	// Now is the last-modified of the catalog. Default: the latest last-modified
	// of the documents that went into it.
	Now time.Time

	Tool string // value of the prop resolution-tool; default "issokit"
	UUID string // of the catalog; default: derived from the documents that went into it

	KeepNesting bool // flat keeps child controls inside of their parents
	HideSource  bool // the link source-profile does not tell where the profile is
}

// A Result is a resolved profile.
type Result struct {
	Catalog   *oscal.Document
	Warnings  Problems // what is dubious about the profile and its imports
	Documents []string // URIs of the documents that went into it, the profile first
}

// Resolve makes the catalog that a profile describes. A catalog resolves to
// itself. The profile, and what it imports, stay as they are, and the catalog
// shares no nodes with them.
//
// The error is a [Problems] with all that is wrong with the profile and with
// what it imports, or the error of ctx.
func (s *Resolver) Resolve(ctx context.Context, profile *oscal.Document, opts *Options) (*Result, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if o.URI == "" {
		o.URI = baseURI(profile.Name())
	}
	return s.resolve(ctx, &document{uri: o.URI, doc: profile}, o)
}

// ResolveURI is [Resolver.Resolve] for a profile that is to be loaded. Options.URI
// is not used. If the profile cannot be read, the problems are those of the
// reader, with its rules.
func (s *Resolver) ResolveURI(ctx context.Context, uri string, opts *Options) (*Result, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	d, rule, err := s.load(ctx, uri)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, unusable(uri, rule, err)
	}
	o.URI = d.uri
	return s.resolve(ctx, d, o)
}

// unusable are the problems of a profile that cannot be loaded.
func unusable(uri string, rule oscal.Rule, err error) Problems {
	found, _ := errors.AsType[oscal.Problems](err)
	if found = found.Errors(); found == nil {
		found = oscal.Problems{{Level: oscal.Error, Rule: rule, File: uri, Message: "the profile cannot be used: " + err.Error()}}
	}
	var ps Problems
	for _, p := range found {
		ps = append(ps, Problem{Problem: p, Subject: uri, Chain: []string{uri}, Err: err})
	}
	return ps
}

func (s *Resolver) resolve(ctx context.Context, d *document, o Options) (*Result, error) {
	if o.Tool == "" {
		o.Tool = "issokit"
	}
	r := &run{
		Resolver: s, ctx: ctx, opts: o, budget: s.limits.Nodes,
		resolved: map[*document]*source{}, outcomes: map[any]outcome{},
		resourcesOf: map[*document]map[string]*oscal.Node{},
	}
	src := r.resolveDocument(d)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if r.errors != nil {
		return nil, r.errors
	}
	res := &Result{Catalog: d.doc, Warnings: r.warnings}
	if src.catalog != d.doc.Root() {
		res.Catalog = oscal.NewDocument(src.catalog)
	}
	for _, d := range r.used {
		res.Documents = append(res.Documents, d.uri)
	}
	return res, nil
}

// A run is the resolution of one profile and of those that it imports.
type run struct {
	*Resolver
	ctx    context.Context
	opts   Options
	budget int  // what is left of Limits.Nodes
	over   bool // a limit was reached, or ctx is done: nothing more is worth doing

	stack       []*document                          // the profiles that are being resolved, the outermost first
	resolved    map[*document]*source                // what was imported already; nil for what failed
	resourcesOf map[*document]map[string]*oscal.Node // of back matters, by UUID in lower case
	outcomes    map[any]outcome                      // what became of each attempt to get a document
	used        []*document                          // all that went into the result
	errors      Problems
	warnings    Problems
}

// A source is an imported catalog, or an imported profile as a catalog.
type source struct {
	*document
	catalog *oscal.Node
}

// resolveDocument makes a catalog of a document; nil if that failed.
func (r *run) resolveDocument(d *document) *source {
	if src, known := r.resolved[d]; known {
		return src
	}
	r.used = append(r.used, d)
	r.stack = append(r.stack, d)
	defer func() { r.stack = r.stack[:len(r.stack)-1] }()
	for _, p := range d.problems {
		r.documentProblem(p)
	}
	src := &source{document: d}
	r.resolved[d] = nil
	switch root := d.doc.Root(); {
	case root.Name() == "catalog":
		src.catalog = root
	case root.Name() != "profile":
		r.problem(oscal.Error, RuleNotCatalogOrProfile, root, root.Name(), nil, "expected a profile or catalog, found a %s", root.Name())
	case len(r.stack) > r.limits.Depth:
		r.limit(root, "profiles import profiles deeper than %d", r.limits.Depth)
	default:
		src.catalog = r.resolveProfile(d)
	}
	if src.catalog == nil {
		return nil
	}
	r.resolved[d] = src
	return src
}

// resolveProfile takes a profile through the phases of the specification.
func (r *run) resolveProfile(d *document) *oscal.Node {
	profile := d.doc.Root()
	ok := true
	var selections []*selection
	for imp := range profile.All("import") {
		src := r.importSource(d, imp)
		if r.over {
			return nil
		}
		if src == nil {
			ok = false
			continue
		}
		selections = append(selections, r.selectControls(src, imp))
	}
	plan, planned := r.readMerge(profile.Child("merge"))
	version, sameMajor := r.version(profile, selections)
	if !ok || !planned || !sameMajor || r.over {
		return nil
	}
	c := r.merge(plan, selections)
	if r.over {
		return nil
	}
	r.modify(c, profile.Child("modify"))
	if r.over {
		return nil
	}
	catalog := r.finish(c, d, selections, version)
	if r.over {
		return nil
	}
	return catalog
}

// spend takes n from the budget of the run and tells whether there was enough.
func (r *run) spend(n int, at *oscal.Node) bool {
	before := r.budget
	r.budget -= n
	if r.budget < 0 && !r.over {
		r.limit(at, "resolving takes more than %d nodes", r.limits.Nodes)
	}
	if before>>12 != r.budget>>12 && r.ctx.Err() != nil {
		r.over = true
	}
	return !r.over
}

func (r *run) limit(n *oscal.Node, format string, args ...any) {
	r.problem(oscal.Error, RuleLimit, n, "", nil, format, args...)
	r.over = true
}

// isCircular tells whether a document is being resolved already.
func (r *run) isCircular(d *document) bool {
	return slices.ContainsFunc(r.stack, func(s *document) bool { return s == d || s.uri != "" && s.uri == d.uri })
}

func (r *run) chain(last string) string {
	var s string
	for _, d := range r.stack {
		s += fmt.Sprintf("%s imports ", cmp.Or(d.uri, "the profile"))
	}
	return s + last
}
