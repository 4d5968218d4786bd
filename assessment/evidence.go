package assessment

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/issokit/issokit/oscal"
)

// Evidence is a reference to something that an assessment rests on: a report, a
// screen shot, notes of an interview.
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
	href := reference(e.Href)
	if href == "" { // a path with blanks
		href = (&url.URL{Path: e.Href}).String()
	}
	link := oscal.ResourceLink{Href: href, MediaType: e.MediaType}
	if e.SHA256 != "" {
		link.Hashes = oscal.List(oscal.Hash{Algorithm: "SHA-256", Value: e.SHA256})
	}
	r := oscal.Resource{
		UUID: e.uuid(), Title: line(e.Title, "Evidence"), Rlinks: oscal.List(link),
		Props: oscal.List(oscal.Property{Name: "type", Value: "evidence"}),
	}
	if !e.Collected.IsZero() {
		r.Props = oscal.Append(r.Props, oscal.Property{Name: "published", Value: e.Collected.Format(time.RFC3339)})
	}
	if e.Collector != "" {
		r.Description = "Collected by " + oneLine(e.Collector) + "."
	}
	return r
}

func (e Evidence) relevant() oscal.RelevantEvidence {
	return oscal.RelevantEvidence{Href: "#" + e.uuid(), Description: line(e.Title, "Evidence")}
}
