package store

import "fmt"

// A course is what a trail has told of a record so far: its last version, or
// that there is none now.
type course struct {
	action   Action // put, seal or delete; 0 at the start
	seq      int64  // of the entry that made it
	revision int64
	content  Digest
	hash     Digest // of the entry
	size     int    // of the canonical form of the entry
}

// there tells whether the record is there now.
func (c course) there() bool { return c.action == ActionPut || c.action == ActionSeal }

// refuses tells why an entry cannot be the next one of the record, "" if it can.
func (c course) refuses(e *Entry) string {
	revision := c.revision
	switch e.Action {
	case ActionBlob:
		revision = 1
		if e.Collection != blobCollection {
			return fmt.Sprintf("a blob in the collection %s", e.Collection)
		}
	case ActionErase:
		if e.Collection == blobCollection {
			revision = 1
			break
		}
		if c.action == 0 {
			return "it is about a record that never was"
		}
	case ActionRead:
		if e.Revision > 0 && e.Revision < revision {
			revision = e.Revision // a past version
		}
		if c.action == 0 {
			return "it is about a record that never was"
		}
	case ActionPut:
		revision++
	case ActionSeal:
		revision++
		if c.there() && e.Content != c.content {
			return "the record is sealed with another content than it has"
		}
		fallthrough
	case ActionDelete:
		if !c.there() {
			return "it is about a record that is not there"
		}
	}
	if e.Collection == blobCollection && e.Action != ActionBlob && e.Action != ActionErase {
		return fmt.Sprintf("the action %v on a blob", e.Action)
	}
	withContent := e.Action == ActionPut || e.Action == ActionSeal
	switch {
	case c.action == ActionSeal && e.Action != ActionRead:
		return fmt.Sprintf("a change of a record that entry %d has sealed", c.seq)
	case e.Revision != revision:
		return fmt.Sprintf("expected revision %d, found %d", revision, e.Revision)
	case withContent == e.Content.IsZero():
		return fmt.Sprintf("the digest of its content is %v, which does not go with the action %v", e.Content, e.Action)
	}
	return ""
}

// after returns the course with the entry of a line in it.
func (c course) after(l line) course {
	switch e := &l.entry; e.Action {
	case ActionPut, ActionSeal, ActionDelete:
		return course{e.Action, e.Seq, e.Revision, e.Content, l.hash, len(l.raw)}
	}
	return c
}
