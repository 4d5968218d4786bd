package risk

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"

	"github.com/issokit/issokit/oscal"
)

// An overlay puts the edits of a risk over the assembly that it was read from.
// Of each part there are three: as it was in the source, as the fields of the
// risk said it then (base), and as they say it now. What they say as then stays
// as it was in the source; what they say differently is taken, and the source
// keeps what they have no word for.
type overlay struct{ opts *OSCALOptions }

// same tells whether two values are the same in JSON.
func same(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}

// pick returns what was in the source, unless it was changed.
func pick[T any](source, base, now T) T {
	if same(base, now) {
		return source
	}
	return now
}

func (o overlay) risk(source, base, now oscal.Risk) oscal.Risk {
	if same(base, now) {
		return source
	}
	out := source
	out.UUID = pick(source.UUID, base.UUID, now.UUID)
	out.Title = pick(source.Title, base.Title, now.Title)
	out.Description = pick(source.Description, base.Description, now.Description)
	out.Statement = pick(source.Statement, base.Statement, now.Statement)
	out.Status = pick(source.Status, base.Status, now.Status)
	out.Deadline = pick(source.Deadline, base.Deadline, now.Deadline)
	out.Links = pick(source.Links, base.Links, now.Links)
	out.Origins = pick(source.Origins, base.Origins, now.Origins)
	out.ThreatIds = pick(source.ThreatIds, base.ThreatIds, now.ThreatIds)
	out.Props = mergeProps(source.Props, base.Props, now.Props)
	out.Characterizations = o.characterizations(source, base, now)
	out.MitigatingFactors = merge(source.MitigatingFactors, base.MitigatingFactors, now.MitigatingFactors, mergeMitigation)
	out.Remediations = merge(source.Remediations, base.Remediations, now.Remediations, mergeResponse)
	out.RelatedObservations = merge(source.RelatedObservations, base.RelatedObservations, now.RelatedObservations, replace)
	if !same(base.RiskLog, now.RiskLog) {
		entries := merge(logEntries(source), logEntries(base), logEntries(now), replace)
		out.RiskLog = nil
		if entries != nil {
			out.RiskLog = &oscal.RiskLog{Entries: *entries}
		}
	}
	return out
}

func logEntries(x oscal.Risk) *[]oscal.RiskLogEntry {
	if x.RiskLog == nil {
		return nil
	}
	return oscal.List(x.RiskLog.Entries...)
}

// characterizations have no UUIDs: one in the source stays if all assessments
// that it was read as are still there; else those that are left stand in for it.
func (o overlay) characterizations(source, base, now oscal.Risk) *[]oscal.Characterization {
	if same(base.Characterizations, now.Characterizations) {
		return source.Characterizations
	}
	left := map[string]int{} // how often each is there now
	for _, c := range oscal.Items(now.Characterizations) {
		left[text(c)]++
	}
	var out []oscal.Characterization
	known := map[string]int{}
	w := newWriter("", o.opts)
	d := &reader{}
	for _, c := range oscal.Items(source.Characterizations) {
		var parts []oscal.Characterization
		whole := true
		for _, a := range d.assessments(c) {
			part := w.characterization(a)
			if key := text(part); left[key] > 0 {
				left[key]--
				known[key]++
				parts = append(parts, part)
			} else {
				whole = false
			}
		}
		if whole {
			parts = []oscal.Characterization{c}
		}
		out = append(out, parts...)
	}
	for _, c := range oscal.Items(now.Characterizations) {
		if key := text(c); known[key] > 0 {
			known[key]--
		} else {
			out = append(out, c)
		}
	}
	return oscal.List(out...)
}

// text returns a value as JSON.
func text(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// merge overlays lists whose items have UUIDs. The order is that of the source;
// what is new comes last.
func merge[T any](source, base, now *[]T, item func(source, base, now T) T) *[]T {
	if same(base, now) {
		return source
	}
	before, after := keyed(oscal.Items(base)), keyed(oscal.Items(now))
	var out []T
	used := map[string]bool{}
	keys := map[string]int{}
	for _, s := range oscal.Items(source) {
		k := key(s, keys)
		b, known := before[k]
		n, still := after[k]
		switch {
		case !known: // the fields have no word for it
			out = append(out, s)
		case still:
			used[k] = true
			if same(b, n) {
				out = append(out, s)
			} else {
				out = append(out, item(s, b, n))
			}
		}
	}
	keys = map[string]int{}
	for _, n := range oscal.Items(now) {
		if k := key(n, keys); !used[k] {
			out = append(out, n)
		}
	}
	return oscal.List(out...)
}

func keyed[T any](items []T) map[string]T {
	out := make(map[string]T, len(items))
	keys := map[string]int{}
	for _, v := range items {
		out[key(v, keys)] = v
	}
	return out
}

// key returns what identifies an item among others, seen so far in keys; of
// items with one UUID the how-manieth it is.
func key(item any, keys map[string]int) string {
	var uuid string
	switch v := item.(type) {
	case oscal.MitigatingFactor:
		uuid = v.UUID
	case oscal.Response:
		uuid = v.UUID
	case oscal.Task:
		uuid = v.UUID
	case oscal.RiskLogEntry:
		uuid = v.UUID
	case oscal.RelatedObservation:
		uuid = v.ObservationUuid
	}
	keys[uuid]++
	return fmt.Sprintf("%s %d", uuid, keys[uuid])
}

// replace takes a changed item as it is now.
func replace[T any](_, _, now T) T { return now }

func mergeMitigation(source, base, now oscal.MitigatingFactor) oscal.MitigatingFactor {
	out := source
	out.Description = pick(source.Description, base.Description, now.Description)
	out.ImplementationUuid = pick(source.ImplementationUuid, base.ImplementationUuid, now.ImplementationUuid)
	out.Props = mergeProps(source.Props, base.Props, now.Props)
	return out
}

func mergeResponse(source, base, now oscal.Response) oscal.Response {
	out := source
	out.Title = pick(source.Title, base.Title, now.Title)
	out.Description = pick(source.Description, base.Description, now.Description)
	out.Lifecycle = pick(source.Lifecycle, base.Lifecycle, now.Lifecycle)
	out.Remarks = pick(source.Remarks, base.Remarks, now.Remarks)
	out.Props = mergeProps(source.Props, base.Props, now.Props)
	out.Tasks = merge(source.Tasks, base.Tasks, now.Tasks, mergeTask)
	return out
}

func mergeTask(source, base, now oscal.Task) oscal.Task {
	out := source
	out.Type = pick(source.Type, base.Type, now.Type)
	out.Title = pick(source.Title, base.Title, now.Title)
	out.Description = pick(source.Description, base.Description, now.Description)
	out.Timing = pick(source.Timing, base.Timing, now.Timing)
	out.Props = mergeProps(source.Props, base.Props, now.Props)
	return out
}

// mergeProps overlays props: those that the fields say stay while they are still
// said, take a new value where they are said with another, and go where they are
// no longer said; those that the fields do not say stay; new ones come last.
func mergeProps(source, base, now *[]oscal.Property) *[]oscal.Property {
	if same(base, now) {
		return source
	}
	name := func(p oscal.Property) string {
		if p.Ns == SystemOSCAL {
			p.Ns = ""
		}
		return p.Ns + " " + p.Name
	}
	count := func(ps []oscal.Property) map[oscal.Property]int {
		m := map[oscal.Property]int{}
		for _, p := range ps {
			m[p]++
		}
		return m
	}
	before, after := count(oscal.Items(base)), count(oscal.Items(now))
	// fresh are those that are new now, in order.
	var fresh []oscal.Property
	rest := count(oscal.Items(base))
	for _, p := range oscal.Items(now) {
		if rest[p] > 0 {
			rest[p]--
		} else {
			fresh = append(fresh, p)
		}
	}
	take := func(s oscal.Property) (oscal.Property, bool) {
		for i, p := range fresh {
			if name(p) == name(s) {
				fresh = append(fresh[:i:i], fresh[i+1:]...)
				p.UUID, p.Ns = cmp.Or(p.UUID, s.UUID), s.Ns
				p.Class, p.Group, p.Remarks = cmp.Or(p.Class, s.Class), cmp.Or(p.Group, s.Group), cmp.Or(p.Remarks, s.Remarks)
				return p, true
			}
		}
		return s, false
	}
	native := func(p oscal.Property) bool { return p.Ns == "" || p.Ns == SystemOSCAL }
	// said returns the base prop that a source prop was read as: the same one; one
	// with the same value but without what else the source has; or OSCAL's own,
	// which stands once.
	said := func(s oscal.Property) (oscal.Property, bool) {
		if before[s] > 0 {
			return s, true
		}
		for _, b := range oscal.Items(base) {
			if name(b) == name(s) && (b.Value == s.Value || native(b)) && before[b] > 0 {
				return b, true
			}
		}
		return s, false
	}
	var out []oscal.Property
	for _, s := range oscal.Items(source) {
		b, ok := said(s)
		if !ok {
			if native(s) {
				s, _ = take(s)
			}
			out = append(out, s)
			continue
		}
		before[b]--
		if after[b] > 0 {
			after[b]--
			out = append(out, s)
		} else if p, ok := take(s); ok {
			out = append(out, p)
		}
	}
	return oscal.List(append(out, fresh...)...)
}
