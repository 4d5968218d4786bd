package profile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// A Loader gives a Resolver the documents that profiles import.
//
// Load opens the document at a URI: absolute, or relative to nothing if the
// profile's own URI is, e.g. "profiles/base.json". It returns the text, which
// the Resolver closes, and the URI at which the document really is, if that is
// another one ("" if it is not): imports in the document are relative to it.
// Load may be called from several goroutines at once; it may block and should
// give up when ctx is done.
type Loader interface {
	Load(ctx context.Context, uri string) (text io.ReadCloser, final string, err error)
}

// A LoaderFunc is a function as a [Loader].
type LoaderFunc func(ctx context.Context, uri string) (io.ReadCloser, string, error)

// Load calls f.
func (f LoaderFunc) Load(ctx context.Context, uri string) (io.ReadCloser, string, error) {
	return f(ctx, uri)
}

// A Map is a [Loader] of texts by URI. A URI that is not there as it stands is
// looked for percent-decoded.
type Map map[string]string

// Load returns a text of the map. The error matches [fs.ErrNotExist].
func (m Map) Load(_ context.Context, uri string) (io.ReadCloser, string, error) {
	text, ok := m[uri]
	if !ok {
		if decoded, err := url.PathUnescape(uri); err == nil {
			text, ok = m[decoded]
		}
	}
	if !ok {
		return nil, "", fmt.Errorf("%s: %w", uri, fs.ErrNotExist)
	}
	return io.NopCloser(strings.NewReader(text)), "", nil
}

// ErrOutside is the cause of an import that would leave the tree of [FS], or
// that is no file at all but a URL.
var ErrOutside = errors.New("not in the folder that documents are read from")

// FS returns a [Loader] of the files of a tree. The documents have URIs relative
// to its root, such as "nist/catalog.json", percent-encoded where need be. A URI
// with a scheme or host, or whose path leaves the tree, is refused with
// [ErrOutside] before any file is opened, and nothing but regular files is read.
//
// A tree given by os.DirFS follows symbolic links to wherever they lead; use
// the FS method of an os.Root where the tree is not trusted.
func FS(fsys fs.FS) Loader { return fsLoader{fsys} }

type fsLoader struct{ fsys fs.FS }

func (l fsLoader) Load(_ context.Context, uri string) (io.ReadCloser, string, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, "", err
	}
	name := path.Clean(u.Path)
	if u.Scheme != "" || u.Host != "" || u.Opaque != "" || strings.HasPrefix(u.Path, "/") || !fs.ValidPath(name) {
		return nil, "", fmt.Errorf("%s: %w", uri, ErrOutside)
	}
	info, err := fs.Stat(l.fsys, name)
	if err == nil && !info.Mode().IsRegular() {
		return nil, "", fmt.Errorf("%s: not a regular file", uri)
	}
	var f fs.File
	if err == nil {
		f, err = l.fsys.Open(name)
	}
	if err != nil {
		if p, ok := errors.AsType[*fs.PathError](err); ok {
			err = p.Err // whose operation and path are the file system's own
		}
		return nil, "", fmt.Errorf("%s: %w", uri, err)
	}
	return f, "", nil
}

// baseURI makes the name of a document a URI reference that others can be
// resolved against.
func baseURI(name string) string {
	if u, err := url.Parse(name); err == nil && u.Opaque == "" {
		u.Fragment, u.RawFragment = "", ""
		if u.Scheme == "" && u.Host == "" && u.Path != "" {
			u.Path, u.RawPath = path.Clean(u.Path), ""
		}
		if uri := u.String(); uri == "" || oscal.TypeURIReference.Valid(uri) {
			return uri
		}
	}
	return (&url.URL{Path: name}).String()
}

// join resolves a reference against the URI of the document that holds it (RFC
// 3986, section 5.2). A base that is itself relative stays so, and keeps the
// steps that lead above its root, for a loader to refuse.
func join(base, ref string) (string, error) {
	r, err := url.Parse(ref)
	if err != nil {
		return "", err
	}
	r.Fragment, r.RawFragment = "", ""
	b, err := url.Parse(base)
	if err != nil {
		return "", err
	}
	switch {
	case r.Scheme != "" || r.Opaque != "":
		return r.String(), nil
	case b.Scheme != "" || b.Host != "" || strings.HasPrefix(b.Path, "/"):
		return b.ResolveReference(r).String(), nil
	case r.Host != "" || strings.HasPrefix(r.Path, "/"):
		return r.String(), nil
	case r.Path == "":
		r.Path = b.Path
		return r.String(), nil
	}
	joined := path.Join(path.Dir(b.Path), r.Path)
	return (&url.URL{Path: joined, RawQuery: r.RawQuery}).String(), nil
}
