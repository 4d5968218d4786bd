package constraint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/url"
	"path"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// A Loader gives the documents that expressions ask for by URI, and the sets
// that a constraint set imports.
//
// Load opens what is at a URI: absolute, or relative to nothing if the name of
// the document that refers to it is. It returns the text, which is closed after
// reading, and the URI at which it really is, "" if that is the one asked for.
// It is never called by two goroutines at once; each URI is asked for once in a
// run. The
// loaders of oscal/profile do this; none is given by default.
type Loader interface {
	Load(ctx context.Context, uri string) (text io.ReadCloser, final string, err error)
}

// A ResolveFunc gives the resolved catalog of a profile, for the function
// resolve-profile. The document's name is its URI.
type ResolveFunc func(ctx context.Context, profile *oscal.Document) (*oscal.Document, error)

// joinURI resolves a reference against the URI of a document (RFC 3986, section
// 5.2). A base that is relative itself stays so, with the steps that lead above
// its root, for the loader to refuse.
func joinURI(base, ref string) (string, error) {
	r, err := url.Parse(ref)
	if err != nil {
		return "", err
	}
	b, err := url.Parse(base)
	if err != nil || b.Opaque != "" || base == "" || r.IsAbs() {
		return r.String(), nil
	}
	if b.IsAbs() || b.Host != "" || strings.HasPrefix(b.Path, "/") || r.Host != "" || strings.HasPrefix(r.Path, "/") {
		return b.ResolveReference(r).String(), nil
	}
	if r.Path == "" {
		out := *b
		out.Fragment, out.RawFragment = r.Fragment, r.RawFragment
		return out.String(), nil
	}
	out := *r
	out.Path, out.RawPath = path.Join(path.Dir(b.Path), r.Path), ""
	return out.String(), nil
}

// baseOf returns the URI of the document of the focus.
func (d *dyn) baseOf() string {
	if d.item.kind == kindNode {
		return d.source(d.item.node).uri
	}
	return ""
}

// open returns the document at a URI, loaded once in a run.
func (r *run) open(uri string) (*source, error) {
	if s := r.byURI[uri]; s != nil {
		return s, nil
	}
	if err := r.failed[uri]; err != nil {
		return nil, err
	}
	for _, s := range r.sources {
		if s.uri != "" && s.uri == uri {
			return s, nil
		}
	}
	s, err := r.load(uri)
	if err != nil {
		r.failed[uri] = err
		return nil, err
	}
	r.byURI[uri] = s
	return s, nil
}

func (r *run) load(uri string) (*source, error) {
	if r.loader == nil {
		return nil, ErrNoLoader
	}
	text, final, err := r.loader.Load(r.ctx, uri)
	if err != nil {
		if ctxErr := r.ctx.Err(); ctxErr != nil {
			panic(stopped{ctxErr})
		}
		return nil, err
	}
	if final == "" {
		final = uri
	}
	doc, err := oscal.Read(text, &oscal.ReadOptions{Name: final})
	text.Close()
	if doc == nil {
		return nil, notDocument{err}
	}
	// A document that is not valid can be looked into all the same; what is
	// wrong with it is said when it is validated itself.
	return r.add(doc.Root(), doc, final), nil
}

// notDocument is the error of what could be loaded but is no document of OSCAL.
type notDocument struct{ error }

func (e notDocument) Unwrap() error { return e.error }

// joined marks a string that is a URI resolved already. Where documents have
// relative names, resolving it again would go wrong.
type joined struct{}

func uriItem(uri string) Item { return Item{kind: kindString, text: uri, v: joined{}} }

// reference returns the URI that an argument of doc() means.
func (d *dyn) reference(s Sequence, what string) (uri string, ok bool) {
	it, ok := d.single(s, what)
	if !ok {
		return "", false
	}
	if it.v == (joined{}) {
		return it.text, true
	}
	uri, err := joinURI(d.baseOf(), strings.TrimSpace(it.String()))
	if err != nil {
		fail(CodeValue, "%s: %v", what, err)
	}
	return uri, true
}

// document opens the document at a reference. A reference to a resource of the
// back matter is one to its first link that can be loaded, as OSCAL means it
// where a document imports another.
func (d *dyn) document(uri string) (*source, error) {
	if d.loader == nil {
		return nil, ErrNoLoader
	}
	base, id, isFragment := strings.Cut(uri, "#")
	if !isFragment {
		return d.open(uri)
	}
	holder := d.source(d.focusNode())
	if base != "" && base != holder.uri {
		var err error
		if holder, err = d.open(base); err != nil {
			return nil, err
		}
	}
	var last error
	for href := range d.links(holder, id) {
		s, err := d.open(href)
		if err == nil {
			return s, nil
		}
		if _, there := err.(notDocument); last == nil || there {
			last = err
		}
	}
	if last == nil {
		last = fmt.Errorf("no resource %s with a link is in the back matter", clip(id))
	}
	return nil, last
}

// links returns the URIs of the links of a resource.
func (d *dyn) links(s *source, id string) iter.Seq[string] {
	return func(yield func(string) bool) {
		back := s.root.Child("back-matter")
		if back == nil {
			return
		}
		for r := range back.All("resource") {
			d.tick(1)
			if !strings.EqualFold(r.Get("uuid"), id) {
				continue
			}
			for l := range r.All("rlink") {
				uri, err := joinURI(s.uri, l.Get("href"))
				if err == nil && l.Get("href") != "" && !yield(uri) {
					return
				}
			}
		}
	}
}

func docFunction(d *dyn, a []Sequence) Sequence {
	uri, ok := d.reference(a[0], "doc")
	if !ok {
		return nil
	}
	s, err := d.document(uri)
	if err != nil {
		panic(&ExpressionError{Offset: -1, Code: CodeDocument, Message: "cannot load " + clip(uri) + ": " + err.Error(), Err: err})
	}
	return one(NodeItem(s.top))
}

// docAvailable tells whether the loader has what a reference means. It need not
// be a document of OSCAL: constraints ask so for images and texts, and the
// reference engine of Metaschema answers so.
func docAvailable(d *dyn, a []Sequence) Sequence {
	uri, ok := d.reference(a[0], "doc-available")
	if !ok {
		return boolSeq(false)
	}
	_, err := d.document(uri)
	_, there := err.(notDocument)
	return boolSeq(err == nil || there)
}

func uriSeq(uri string) Sequence {
	if uri == "" {
		return nil
	}
	return one(uriItem(uri))
}

func resolveURI(d *dyn, a []Sequence) Sequence {
	it, ok := d.single(a[0], "resolve-uri")
	if !ok {
		return nil
	}
	if it.v == (joined{}) {
		return one(it)
	}
	base := d.baseOf()
	if len(a) == 2 {
		base = d.str(a[1], "resolve-uri")
	}
	uri, err := joinURI(base, strings.TrimSpace(it.String()))
	if err != nil {
		fail(CodeValue, "resolve-uri: %v", err)
	}
	return one(uriItem(uri))
}

func baseURI(d *dyn, a []Sequence) Sequence {
	return ofNode(a[0], "base-uri", func(n *oscal.Node) Sequence { return uriSeq(d.source(n).uri) })
}

func documentURI(d *dyn, a []Sequence) Sequence {
	return ofNode(a[0], "document-uri", func(n *oscal.Node) Sequence {
		if !isDocument(n) {
			return nil
		}
		return uriSeq(d.source(n).uri)
	})
}

// resolveProfile gives the document node of the resolved catalog of the
// document that a node belongs to. A catalog resolves to itself.
func resolveProfile(d *dyn, a []Sequence) Sequence {
	return ofNode(a[0], "resolve-profile", func(n *oscal.Node) Sequence {
		s := d.source(n)
		switch {
		case s.root.Name() == "catalog":
			return one(NodeItem(s.top))
		case s.root.Name() != "profile":
			fail(CodeDocument, "resolve-profile: expected a profile or a catalog, found %s", s.root.Name())
		}
		if done := d.resolved[s.root]; done != nil {
			return one(NodeItem(done.top))
		}
		if d.resolve == nil {
			panic(&ExpressionError{Offset: -1, Code: CodeDocument, Message: "resolve-profile: no function that resolves profiles was given", Err: ErrNoLoader})
		}
		doc := s.doc
		if doc == nil {
			doc = oscal.NewDocument(s.root)
		}
		out, err := d.resolve(d.ctx, doc)
		if err == nil && (out == nil || out.Root() == nil) {
			err = errors.New("no catalog came of it")
		}
		if err != nil {
			panic(&ExpressionError{Offset: -1, Code: CodeDocument, Message: "resolve-profile: " + err.Error(), Err: err})
		}
		done := d.sources[out.Root()]
		if done == nil {
			done = d.add(out.Root(), out, s.uri)
		}
		d.resolved[s.root] = done
		return one(NodeItem(done.top))
	})
}

// resolveReference follows #uuid to the link of the resource of the back
// matter: the first rlink that has one. Any other reference is the URI itself.
func resolveReference(d *dyn, a []Sequence) Sequence {
	ref := d.str(a[0], "resolve-reference")
	start := Sequence{d.item}
	if len(a) == 2 {
		start = a[1]
	}
	id, isFragment := strings.CutPrefix(ref, "#")
	if !isFragment {
		return resolveURI(d, a[:1])
	}
	return ofNode(start, "resolve-reference", func(n *oscal.Node) Sequence {
		for uri := range d.links(d.source(n), id) {
			return one(uriItem(uri))
		}
		return nil
	})
}
