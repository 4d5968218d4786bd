package assessment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"slices"
	"time"

	"github.com/issokit/issokit/oscal"
)

// Evidence is a reference to something that an assessment rests on: a report, a
// screen shot, notes of an interview. Texts are plain. Evidence of one title is
// told apart in documents by its place, or its digest.
type Evidence struct {
	Title     string
	Href      string // where it lies, seen from the document that refers to it
	MediaType string
	Collector string
	Method    Method
	Collected time.Time
	Expires   time.Time // zero: never

	Size   int64
	SHA256 string // hexadecimal, lower case
}

// Collect copies evidence from r to w and returns e with its size and SHA-256,
// computed while the bytes stream past. w may be [io.Discard].
func (e Evidence) Collect(w io.Writer, r io.Reader) (Evidence, error) {
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(w, h), r)
	if err != nil {
		return e, fmt.Errorf("assessment: evidence %q: %w", e.Title, err)
	}
	e.Size, e.SHA256 = n, hex.EncodeToString(h.Sum(nil))
	return e, nil
}

// Verify reads evidence again. The error matches [ErrChanged] and names what is
// not as it was.
func (e Evidence) Verify(r io.Reader) error {
	now, err := e.Collect(io.Discard, r)
	switch {
	case err != nil:
		return err
	case now.Size != e.Size:
		return fmt.Errorf("assessment: evidence %q %w: expected %d bytes, found %d", e.Title, ErrChanged, e.Size, now.Size)
	case now.SHA256 != e.SHA256:
		return fmt.Errorf("assessment: evidence %q %w: expected SHA-256 %s, found %s", e.Title, ErrChanged, e.SHA256, now.SHA256)
	}
	return nil
}

// uuid is that of the resource: evidence with the same content at the same place
// is the same.
func (e Evidence) uuid() string { return oscal.UUID("evidence", e.Href, e.SHA256, e.Title) }

// Resource returns the entry of the back matter that describes the evidence.
func (e Evidence) Resource() oscal.Resource {
	href := e.Href
	if !oscal.TypeURIReference.Valid(href) { // a path with blanks
		href = (&url.URL{Path: e.Href}).String()
	}
	link := oscal.ResourceLink{Href: href, MediaType: oneLine(e.MediaType)}
	if e.SHA256 != "" {
		link.Hashes = oscal.List(oscal.Hash{Algorithm: "SHA-256", Value: e.SHA256})
	}
	r := oscal.Resource{
		UUID: e.uuid(), Title: title(e.Title, "Evidence"), Rlinks: oscal.List(link),
		Props: oscal.List(oscal.Property{Name: "type", Value: "evidence"}),
	}
	if !e.Collected.IsZero() {
		r.Props = oscal.Append(r.Props, oscal.Property{Name: "published", Value: e.Collected.Format(time.RFC3339)})
	}
	if e.Collector != "" {
		r.Description = prose("Collected by " + oneLine(e.Collector) + ".")
	}
	return r
}

// titleBeside returns the title of a resource, with the digest behind it if one of
// the others has the same title.
func titleBeside(others []oscal.Resource, r *oscal.Resource) string {
	if !slices.ContainsFunc(others, func(o oscal.Resource) bool { return o.Title == r.Title }) {
		return r.Title
	}
	for _, l := range oscal.Items(r.Rlinks) {
		for _, h := range oscal.Items(l.Hashes) {
			return r.Title + " " + title("("+h.Algorithm+" "+h.Value[:min(len(h.Value), 12)]+")")
		}
	}
	return r.Title
}

// tellApart returns the titles of evidence by UUID, as plain text: what has a
// title that other evidence also has, gets its place behind it, or its digest if
// the place does not tell it from the others.
func tellApart(all []*Evidence) map[string]string {
	titles := map[string]string{}
	groups := map[string][]*Evidence{}
	for _, e := range all {
		if _, ok := titles[e.uuid()]; !ok {
			name := line(e.Title, "Evidence")
			titles[e.uuid()] = name
			groups[name] = append(groups[name], e)
		}
	}
	for name, group := range groups {
		places := map[string]int{}
		for _, e := range group {
			places[e.Href]++
		}
		for _, e := range group {
			switch {
			case len(group) == 1:
			case places[e.Href] == 1:
				titles[e.uuid()] = line(name + " (" + e.Href + ")")
			default:
				titles[e.uuid()] = name + " (SHA-256 " + e.SHA256[:min(len(e.SHA256), 12)] + ")"
			}
		}
	}
	return titles
}
