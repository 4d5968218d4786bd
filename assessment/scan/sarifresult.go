package scan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/issokit/issokit/assessment"
	"github.com/issokit/issokit/oscal"
)

// A location is a place, before an index of an artifact in it is looked up.
type location struct {
	assessment.Location
	artifact int // index, -1 is none
}

// A result is a result object (section 3.27) as it was read.
type result struct {
	ruleID                string
	ruleIndex             int
	ref                   reference
	kind, level, baseline string
	message, messageID    string
	arguments             []string
	locations             []location
	target                location
	suppressions, open    int // all, and those under review or rejected
	why                   []string
	prints, partial       []assessment.Fingerprint
	correlation           string
	taxa                  []reference
	tags                  []string
	fix                   string
	about
}

// result reads one result and yields its record.
func (s *sarif) result(r *reader, u *run) error {
	if s.records++; s.records%256 == 0 {
		if err := r.ctx.Err(); err != nil {
			return err
		}
		s.opts.Progress(r.offset())
	}
	if ok, err := r.is(jsontext.KindBeginObject); !ok {
		return err
	}
	at := r.error(r.InputOffset()+r.ahead(), "", nil)
	r.src.forget(r.InputOffset())
	x := result{ruleIndex: -1, ref: noReference, target: location{artifact: -1}}
	if err := r.object(func(name []byte) error { return s.resultMember(r, &x, name) }); err != nil {
		return err
	}
	u.execution.results++
	r.about = at
	rec := x.record(r, u)
	r.about = nil
	rec.Span = assessment.Span{Start: at.Offset, End: r.offset()}
	if !s.yield(rec, nil) {
		return errStop
	}
	return nil
}

func (s *sarif) resultMember(r *reader, x *result, name []byte) error {
	switch string(name) {
	case "ruleId":
		return r.name("an id", &x.ruleID)
	case "ruleIndex":
		return r.integer(&x.ruleIndex)
	case "rule":
		return r.reference(&x.ref)
	case "kind":
		return r.text(&x.kind)
	case "level":
		return r.text(&x.level)
	case "baselineState":
		return r.text(&x.baseline)
	case "message":
		return r.object(func(name []byte) error {
			switch string(name) {
			case "text":
				return r.text(&x.message)
			case "id":
				return r.text(&x.messageID)
			case "arguments":
				return r.array(func() error {
					x.arguments = append(x.arguments, "")
					return r.text(&x.arguments[len(x.arguments)-1])
				})
			}
			return r.SkipValue()
		})
	case "locations":
		return r.array(func() error {
			l := location{artifact: -1}
			err := s.location(r, &l)
			x.locations = append(x.locations, l)
			return err
		})
	case "analysisTarget":
		return s.artifactLocation(r, &x.target)
	case "suppressions":
		return r.array(func() error {
			x.suppressions++
			return r.object(func(name []byte) error {
				var text string
				switch string(name) {
				case "status":
					err := r.text(&text)
					switch text {
					case "", "accepted":
					default: // underReview, rejected; an unknown word hides nothing
						x.open++
					}
					return err
				case "justification":
					err := r.text(&text)
					if text != "" {
						x.why = append(x.why, text)
					}
					return err
				}
				return r.SkipValue()
			})
		})
	case "fingerprints":
		return r.fingerprints("", &x.prints)
	case "partialFingerprints":
		return r.fingerprints("", &x.partial)
	case "correlationGuid":
		return r.text(&x.correlation)
	case "taxa":
		return r.array(func() error {
			ref := noReference
			err := r.reference(&ref)
			x.taxa = append(x.taxa, ref)
			return err
		})
	case "fixes":
		return r.array(func() error {
			return r.object(func(name []byte) error {
				if string(name) == "description" && x.fix == "" {
					return r.message(&x.fix)
				}
				return r.SkipValue()
			})
		})
	case "properties":
		return r.properties(&x.about, &x.tags)
	}
	return r.SkipValue()
}

// fingerprints reads a table of fingerprints; some tools nest them.
func (r *reader) fingerprints(prefix string, to *[]assessment.Fingerprint) error {
	return r.object(func(name []byte) error {
		key := prefix + string(name)
		if r.PeekKind() == jsontext.KindBeginObject && strings.Count(key, "/") < 8 {
			return r.fingerprints(key+"/", to)
		}
		var value string
		err := r.text(&value)
		if value != "" {
			*to = append(*to, assessment.Fingerprint{Name: key, Value: value})
		}
		return err
	})
}

func (s *sarif) artifactLocation(r *reader, l *location) error {
	return r.object(func(name []byte) error {
		switch string(name) {
		case "uri":
			return r.text(&l.URI)
		case "uriBaseId":
			return r.text(&l.Base)
		case "index":
			return r.integer(&l.artifact)
		}
		return r.SkipValue()
	})
}

func (s *sarif) location(r *reader, l *location) error {
	return r.object(func(name []byte) error {
		switch string(name) {
		case "physicalLocation":
			return r.object(func(name []byte) error {
				switch string(name) {
				case "artifactLocation":
					return s.artifactLocation(r, l)
				case "region":
					return r.object(func(name []byte) error {
						switch string(name) {
						case "startLine":
							return r.integer(&l.Line)
						case "startColumn":
							return r.integer(&l.Column)
						case "endLine":
							return r.integer(&l.EndLine)
						case "endColumn":
							return r.integer(&l.EndColumn)
						}
						return r.SkipValue()
					})
				}
				return r.SkipValue()
			})
		case "logicalLocation", "logicalLocations":
			one := func() error {
				var name, full string
				err := r.object(func(key []byte) error {
					switch string(key) {
					case "name":
						return r.text(&name)
					case "fullyQualifiedName":
						return r.text(&full)
					}
					return r.SkipValue()
				})
				if full == "" {
					full = name
				}
				if l.Logical == "" {
					l.Logical = full
				}
				return err
			}
			if r.PeekKind() == jsontext.KindBeginObject {
				return one()
			}
			return r.array(one)
		}
		return r.SkipValue()
	})
}

// record brings a result and its rule together.
func (x *result) record(r *reader, u *run) assessment.Record {
	rec := assessment.Record{
		Tool:       u.tool,
		RawOutcome: x.kind,
		Message:    x.message,
		Fix:        x.fix,
		Suppressed: x.suppressions > 0 && x.open == 0,
		Time:       u.time,
	}
	id := x.ruleID
	if id == "" {
		id = x.ref.id
	}
	if x.ref.index < 0 {
		x.ref.index = x.ruleIndex
	}
	ru, com := u.find(r, x.ref, id)
	if ru != nil {
		rec.Rule = ru.rule
	}
	if id != "" {
		rec.Rule.ID = id
	}
	if rec.Rule.Title == "" {
		rec.Rule.Title = id
	}
	rec.Title = rec.Rule.Title
	if rec.Message == "" {
		rec.Message = x.lookupMessage(r, ru, com)
	}
	rec.Message, rec.Fix = plainLinks(rec.Message), plainLinks(rec.Fix)
	rec.Outcome = outcomeOf(r, x.kind)
	if x.baseline == "absent" {
		rec.Outcome, rec.RawOutcome = assessment.OutcomeFixed, "absent"
	}
	if rec.Suppressed {
		rec.Suppression = strings.Join(x.why, "; ")
	}

	all := x.about
	x.addTags(x.tags)
	if ru != nil {
		for _, id := range ru.ids {
			x.addID(id)
		}
		for _, c := range ru.controls {
			x.addControl(c)
		}
		all.scores = append(all.scores, ru.scores...)
	} else {
		x.addIDs(id)
	}
	for _, ref := range x.taxa {
		name := ref.component.name
		if i := ref.component.index; name == "" && i >= 0 && i < len(u.taxonomies) {
			name = u.taxonomies[i].name
			if j := ref.index; ref.id == "" && j >= 0 && j < len(u.taxonomies[i].rules) {
				ref.id = u.taxonomies[i].rules[j].rule.ID
			}
		}
		x.addTaxon(ref.id, name)
	}
	rec.IDs, rec.Controls, rec.Scores = x.ids, x.controls, all.scores
	rec.RawSeverity = x.effectiveLevel(u, ru)
	rec.Severity = severityOf(r, rec.RawSeverity, rec.Scores)

	for _, l := range x.locations {
		rec.Locations = append(rec.Locations, u.place(r, l))
	}
	if rec.Locations == nil && (x.target.URI != "" || x.target.artifact >= 0) {
		rec.Locations = append(rec.Locations, u.place(r, x.target))
	}
	if rec.Locations != nil {
		rec.Subject = subjectOf(rec.Locations[0])
	}
	rec.Fingerprints = x.prints
	if rec.Fingerprints == nil {
		rec.Fingerprints = x.partial
	}
	slices.SortFunc(rec.Fingerprints, func(a, b assessment.Fingerprint) int { return strings.Compare(a.Name, b.Name) })
	if x.correlation != "" {
		rec.Fingerprints = append(rec.Fingerprints, assessment.Fingerprint{Name: "correlationGuid", Value: strings.ToLower(x.correlation)})
	}
	return rec
}

// find returns the rule of a result (3.27.5 to 3.27.7), nil if the report has
// none, and the component that it belongs to.
func (u *run) find(r *reader, ref reference, id string) (*rule, *component) {
	c := &u.driver
	if i := ref.component.index; i >= 0 && i < len(u.extensions) {
		c = &u.extensions[i]
	} else if ref.component.name != "" || ref.component.guid != "" {
		for i := range u.extensions {
			e := &u.extensions[i]
			if ref.component.guid != "" && strings.EqualFold(e.guid, ref.component.guid) || ref.component.guid == "" && e.name == ref.component.name {
				c = e
				break
			}
		}
	}
	if i := ref.index; i >= 0 && i < len(c.rules) {
		have := c.rules[i].rule.ID
		if id == "" || have == "" || id == have || strings.HasPrefix(id, have+"/") {
			return &c.rules[i], c
		}
		r.warn("the rule with the index %d is %q, but the result says %q", i, have, id)
	}
	if ref.guid != "" {
		for i := range c.rules {
			if strings.EqualFold(c.rules[i].guid, ref.guid) {
				return &c.rules[i], c
			}
		}
	}
	for id != "" {
		if i, ok := c.byID[id]; ok {
			return &c.rules[i], c
		}
		if i, ok := u.driver.byID[id]; ok {
			return &u.driver.rules[i], &u.driver
		}
		for j := range u.extensions {
			if i, ok := u.extensions[j].byID[id]; ok {
				return &u.extensions[j].rules[i], &u.extensions[j]
			}
		}
		id = id[:max(strings.LastIndexByte(id, '/'), 0)]
	}
	return nil, c
}

// lookupMessage returns the message that a result names by id (3.11.7), with
// its arguments in their places.
func (x *result) lookupMessage(r *reader, ru *rule, c *component) string {
	if x.messageID == "" {
		return ""
	}
	var text string
	if ru != nil {
		text = ru.messages[x.messageID]
	}
	if text == "" {
		text = c.messages[x.messageID]
	}
	if text == "" {
		r.warn("the message %q is not defined", x.messageID)
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '{' {
			if end := strings.IndexByte(text[i:], '}'); end > 1 {
				if n, err := strconv.Atoi(text[i+1 : i+end]); err == nil && n >= 0 && n < len(x.arguments) {
					b.WriteString(x.arguments[n])
					i += end
					continue
				}
			}
			if strings.HasPrefix(text[i:], "{{") {
				i++
			}
		} else if strings.HasPrefix(text[i:], "}}") {
			i++
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

// plainLinks makes of the links in a plain text message their text (3.11.6), with
// the address behind it, unless that is the number of a location in the result.
func plainLinks(text string) string {
	var b strings.Builder
	done := 0
	for i := 0; i < len(text); i++ {
		if text[i] != '[' {
			continue
		}
		label, target, end := embeddedLink(text[i:])
		if end == 0 {
			continue
		}
		b.WriteString(text[done:i])
		b.WriteString(label)
		if _, err := strconv.Atoi(target); err != nil && target != label {
			b.WriteString(" (" + target + ")")
		}
		done = i + end
		i = done - 1
	}
	if done == 0 {
		return text
	}
	b.WriteString(text[done:])
	return b.String()
}

// embeddedLink reads a link such as [text](1) or [text](https://example.org/) at
// the start of s; end is 0 if there is none. In its text a backslash stands before
// brackets and backslashes.
func embeddedLink(s string) (label, target string, end int) {
	var b strings.Builder
	i := 1
	for ; i < len(s) && s[i] != ']'; i++ {
		switch {
		case s[i] == '[':
			return "", "", 0 // the link may start there
		case s[i] == '\\' && i+1 < len(s) && strings.IndexByte(`[]\`, s[i+1]) >= 0:
			i++
		}
		b.WriteByte(s[i])
	}
	if i+1 >= len(s) || s[i+1] != '(' {
		return "", "", 0
	}
	length := strings.IndexByte(s[i+2:], ')')
	if length <= 0 {
		return "", "", 0
	}
	target = s[i+2 : i+2+length]
	if strings.Trim(target, "0123456789") != "" && !oscal.TypeURI.Valid(target) {
		return "", "", 0
	}
	return b.String(), target, i + 2 + length + 1
}

// outcomeOf reads the kind (3.27.9).
func outcomeOf(r *reader, kind string) assessment.Outcome {
	switch kind {
	case "", "fail":
		return assessment.OutcomeFail
	case "pass":
		return assessment.OutcomePass
	case "open":
		return assessment.OutcomeUnknown
	case "review":
		return assessment.OutcomeManual
	case "notApplicable":
		return assessment.OutcomeNotApplicable
	case "informational":
		return assessment.OutcomeInformational
	}
	r.warn("expected a kind of result, found %q", kind)
	return assessment.OutcomeUnknown
}

// effectiveLevel is the level of a result after the defaults (3.27.10).
func (x *result) effectiveLevel(u *run, ru *rule) string {
	if x.level != "" {
		return x.level
	}
	if x.kind != "" && x.kind != "fail" {
		return "none"
	}
	if ru != nil {
		for _, o := range u.overrides {
			if o.ref.id != "" && o.ref.id == ru.rule.ID || o.ref.guid != "" && strings.EqualFold(o.ref.guid, ru.guid) ||
				o.ref.id == "" && o.ref.index >= 0 && o.ref.component.index < 0 && o.ref.index < len(u.driver.rules) && &u.driver.rules[o.ref.index] == ru {
				return o.level
			}
		}
		if ru.level != "" {
			return ru.level
		}
	}
	return "warning"
}

// severityWords are what tools write for a security-severity instead of a
// number.
var severityWords = map[string]assessment.Severity{
	"critical": assessment.Critical, "high": assessment.High, "medium": assessment.Medium, "moderate": assessment.Medium,
	"low": assessment.Low, "info": assessment.Informational, "informational": assessment.Informational, "none": assessment.Informational,
}

func severityOf(r *reader, level string, scores []assessment.Score) assessment.Severity {
	for _, s := range scores {
		if s.System != securitySeverity {
			continue
		}
		if severity, ok := severityWords[strings.ToLower(s.Value)]; ok {
			return severity
		}
		f, err := strconv.ParseFloat(s.Value, 64)
		if severity := assessment.SeverityOf(f); err == nil && severity != 0 {
			return severity
		}
		r.warn("expected a security-severity from 0.0 to 10.0, found %q", s.Value)
	}
	switch level {
	case "error":
		return assessment.High
	case "warning":
		return assessment.Medium
	case "note":
		return assessment.Low
	case "none":
		return assessment.Informational
	}
	r.warn("expected a level, found %q", level)
	return 0
}

// place returns the location of a result, with the URI of its artifact.
func (u *run) place(r *reader, l location) assessment.Location {
	if l.URI == "" && l.artifact >= 0 {
		if l.artifact < len(u.artifacts) {
			l.URI = u.artifacts[l.artifact]
		} else {
			r.warn("the artifact with the index %d is not known", l.artifact)
		}
	}
	return l.Location
}

func subjectOf(l assessment.Location) assessment.Subject {
	switch {
	case l.URI == "" && l.Logical != "":
		return assessment.Subject{Kind: "logical", ID: l.Logical}
	case l.URI == "":
		return assessment.Subject{}
	case strings.HasPrefix(l.URI, "pkg:"):
		return assessment.Subject{Kind: "component", ID: l.URI}
	case strings.HasPrefix(l.URI, "http://"), strings.HasPrefix(l.URI, "https://"):
		return assessment.Subject{Kind: "url", ID: l.URI}
	}
	return assessment.Subject{Kind: "file", ID: l.URI}
}
