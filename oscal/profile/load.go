package profile

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"mime"
	"net/url"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// A document is a catalog or profile, as it was loaded.
type document struct {
	uri      string // where it is; imports are relative to it
	doc      *oscal.Document
	problems oscal.Problems // errors through which nothing of it was lost
}

// load returns the document at a URI, from memory if it was loaded before. The
// rule tells what kind of failure it was.
func (s *Resolver) load(ctx context.Context, uri string) (*document, oscal.Rule, error) {
	s.mu.Lock()
	d := s.docs[uri]
	s.mu.Unlock()
	if d != nil {
		return d, "", nil
	}
	if s.loader == nil {
		return nil, RuleImportUnavailable, errors.New("there is no loader")
	}
	text, final, err := s.loader.Load(ctx, uri)
	if err != nil {
		return nil, RuleImportUnavailable, err
	}
	defer text.Close()
	if final == "" {
		final = uri
	}
	s.mu.Lock()
	d = s.docs[final]
	s.mu.Unlock()
	if d == nil {
		doc, err := oscal.Read(text, &oscal.ReadOptions{Name: final, MaxBytes: s.limits.Bytes})
		var rule oscal.Rule
		if d, rule, err = checked(final, doc, err); err != nil {
			return nil, rule, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.docs[final]; known != nil {
		d = known // another goroutine was faster
	}
	s.docs[final], s.docs[uri] = d, d
	return d, "", nil
}

// checked tells whether what was read can be used. Problems through which
// nothing was lost, such as a missing member, do not stand in the way of
// resolution; the specification itself takes merges and imports that lack what
// the model requires.
func checked(uri string, doc *oscal.Document, err error) (*document, oscal.Rule, error) {
	problems, isProblems := errors.AsType[oscal.Problems](err)
	switch {
	case err != nil && !isProblems:
		return nil, RuleImportUnavailable, err
	case doc == nil && !slices.ContainsFunc(problems, func(p oscal.Problem) bool {
		return p.Rule != oscal.RuleRootMissing && p.Rule != oscal.RuleUnknown
	}):
		return nil, RuleNotCatalogOrProfile, err
	case doc == nil:
		return nil, RuleDocumentInvalid, err
	case doc.Model() != "catalog" && doc.Model() != "profile":
		return nil, RuleNotCatalogOrProfile, fmt.Errorf("expected a catalog or profile, found a %s", doc.Model())
	}
	for _, p := range problems {
		switch p.Rule {
		case oscal.RuleMissing, oscal.RuleChoice, oscal.RuleEmptyArray, oscal.RuleDatatype, oscal.RuleOrder:
		default:
			return nil, RuleDocumentInvalid, err
		}
	}
	return &document{uri, doc, problems}, "", nil
}

// importSource loads what an import directive names and makes a catalog of it.
// It is nil if that failed, and the reason has been noted.
func (r *run) importSource(parent *document, imp *oscal.Node) *source {
	at := imp
	if href := imp.Child("href"); href != nil {
		at = href
	}
	href := at.Value()
	var d *document
	if id, internal := strings.CutPrefix(href, "#"); internal {
		d = r.fromResource(parent, at, id)
	} else {
		var rule oscal.Rule
		var err error
		if d, rule, err = r.loadRelative(parent, href); err != nil {
			r.problem(oscal.Error, rule, at, href, err, "the import %q cannot be used: %s", href, oneLine(err))
		}
	}
	if d == nil || r.ctx.Err() != nil {
		r.over = r.over || r.ctx.Err() != nil
		return nil
	}
	if r.isCircular(d) {
		r.problem(oscal.Error, RuleCircularImport, at, d.uri, nil, "circular import: %s", r.chain(d.uri))
		return nil
	}
	return r.resolveDocument(d)
}

func (r *run) loadRelative(parent *document, href string) (*document, oscal.Rule, error) {
	if href == "" {
		return nil, RuleImportUnavailable, errors.New("expected a URI reference, found none")
	}
	uri, err := join(parent.uri, href)
	if err != nil {
		return nil, RuleImportUnavailable, err
	}
	return r.once(uri, func() (*document, oscal.Rule, error) { return r.load(r.ctx, uri) })
}

// An outcome is what became of the attempt to get a document.
type outcome struct {
	d    *document
	rule oscal.Rule
	err  error
}

// once makes one attempt for each key, be it a URI or a node that holds a
// document, and bounds their number.
func (r *run) once(key any, get func() (*document, oscal.Rule, error)) (*document, oscal.Rule, error) {
	o, known := r.outcomes[key]
	if !known {
		if len(r.outcomes) >= r.limits.Documents {
			r.over = true
			return nil, RuleLimit, fmt.Errorf("the profile reaches more than %d documents", r.limits.Documents)
		}
		o.d, o.rule, o.err = get()
		r.outcomes[key] = o
	}
	return o.d, o.rule, o.err
}

// fromResource loads what a resource of the back matter holds or links to: the
// first that can be used.
func (r *run) fromResource(parent *document, at *oscal.Node, id string) *document {
	if decoded, err := url.PathUnescape(id); err == nil {
		id = decoded
	}
	res := r.findResource(parent, id)
	if res == nil {
		r.problem(oscal.Error, RuleResourceNotFound, at, id, nil, "the back matter has no resource %q", id)
		return nil
	}
	rule := RuleImportUnavailable
	warnings := len(r.warnings)
	var causes []error
	skip := func(n *oscal.Node, why oscal.Rule, err error) {
		rule = why
		causes = append(causes, err)
		r.problem(oscal.Warning, RuleResourceSkipped, n, id, err, "resource %q: %s was skipped: %s", id, n.Name(), oneLine(err))
	}
	if content := res.Child("base64"); content != nil {
		d, why, err := r.embedded(parent, content, id)
		if err == nil {
			return d
		}
		skip(content, why, err)
	}
	for link := range res.All("rlink") {
		if r.over {
			break
		}
		d, why, err := r.linked(parent, link)
		if err == nil {
			return d
		}
		skip(link, why, err)
	}
	if len(causes) != 1 && rule != RuleLimit {
		rule = RuleImportUnavailable // whatever the last one was
	}
	r.warnings = r.warnings[:warnings] // they are in the error
	if causes == nil {
		causes = []error{errors.New("it has neither content nor links")}
	}
	reasons := make([]string, len(causes))
	for i, cause := range causes {
		reasons[i] = oneLine(cause)
	}
	r.problem(oscal.Error, rule, at, id, errors.Join(causes...), "the resource %q gives no catalog or profile: %s", id, strings.Join(reasons, "; "))
	return nil
}

// findResource looks a resource up; the first of one UUID counts.
func (r *run) findResource(d *document, uuid string) *oscal.Node {
	byUUID := r.resourcesOf[d]
	if byUUID == nil {
		byUUID = map[string]*oscal.Node{}
		r.resourcesOf[d] = byUUID
		if bm := d.doc.Root().Child("back-matter"); bm != nil {
			for res := range bm.All("resource") {
				if id := strings.ToLower(res.Get("uuid")); byUUID[id] == nil {
					byUUID[id] = res
				}
			}
		}
	}
	return byUUID[strings.ToLower(uuid)]
}

func (r *run) linked(parent *document, link *oscal.Node) (*document, oscal.Rule, error) {
	if err := usableType(link.Get("media-type")); err != nil {
		return nil, RuleNotCatalogOrProfile, err
	}
	return r.loadRelative(parent, link.Get("href"))
}

// embedded reads a document that stands in the back matter as base64.
func (r *run) embedded(parent *document, content *oscal.Node, id string) (*document, oscal.Rule, error) {
	if err := usableType(content.Get("media-type")); err != nil {
		return nil, RuleNotCatalogOrProfile, err
	}
	return r.once(content, func() (*document, oscal.Rule, error) {
		data, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(content.Value()), ""))
		if err != nil {
			return nil, RuleDocumentInvalid, fmt.Errorf("not base64: %w", err)
		}
		uri := parent.uri + "#" + id
		doc, err := oscal.Parse(string(data), &oscal.ReadOptions{Name: uri, MaxBytes: r.limits.Bytes})
		return checked(uri, doc, err)
	})
}

// usableType tells whether something of a media type may be an OSCAL document.
func usableType(mediaType string) error {
	if mediaType == "" {
		return nil
	}
	t, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		t = strings.ToLower(mediaType)
	}
	switch {
	case strings.Contains(t, "oscal"), strings.HasSuffix(t, "json"), strings.HasSuffix(t, "xml"), strings.HasSuffix(t, "yaml"),
		t == "text/plain", t == "application/octet-stream":
		return nil
	}
	return fmt.Errorf("%q is no media type of OSCAL documents", mediaType)
}
