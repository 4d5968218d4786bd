package profile

import (
	"net/url"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// A referenceKind tells what a reference names: a parameter by id, or an object
// by id or UUID.
type referenceKind uint8

const (
	toParameter referenceKind = iota + 1
	toObject
)

// references calls f for each reference that stands in a node or below it: the
// insertions of parameters in markup, links in markup to #id, and URI references
// to #id.
func references(n *oscal.Node, f func(kind referenceKind, id string)) {
	if v := n.Value(); v != "" {
		switch n.Member().DataType() {
		case oscal.TypeMarkupLine, oscal.TypeMarkupMultiline:
			markupReferences(v, f)
		case oscal.TypeURIReference, oscal.TypeURI:
			if id, internal := strings.CutPrefix(v, "#"); internal {
				f(toObject, decoded(id))
			}
		}
	}
	for c := n.First(); c != nil; c = c.Next() {
		references(c, f)
	}
}

func decoded(id string) string {
	if s, err := url.PathUnescape(id); err == nil {
		return s
	}
	return id
}

// markupReferences finds {{ insert: param, id }} and [text](#id) in Markdown.
func markupReferences(s string, f func(kind referenceKind, id string)) {
	for rest := s; ; {
		end := strings.Index(rest, "}}")
		if end < 0 {
			break
		}
		if start := strings.LastIndex(rest[:end], "{{"); start >= 0 {
			what, id, hasID := strings.Cut(rest[start+2:end], ",")
			insert, kind, isInsert := strings.Cut(what, ":")
			if hasID && isInsert && strings.TrimSpace(insert) == "insert" && strings.TrimSpace(kind) == "param" {
				f(toParameter, strings.TrimSpace(id))
			}
		}
		rest = rest[end+2:]
	}
	for rest := s; ; {
		start := strings.Index(rest, "](")
		if start < 0 {
			break
		}
		rest = strings.TrimLeft(rest[start+2:], " \n<")
		if id, internal := strings.CutPrefix(rest, "#"); internal {
			// A bracket ends it too, so that no text is looked through twice.
			if end := strings.IndexAny(id, ") \n>[]("); end >= 0 && strings.IndexByte("[](", id[end]) < 0 {
				f(toObject, decoded(strings.ReplaceAll(id[:end], `\`, "")))
			}
		}
	}
}
