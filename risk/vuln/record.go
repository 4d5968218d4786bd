package vuln

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// A Source is the kind of a record.
type Source uint8

// The sources.
const (
	SourceCVE Source = iota + 1 // CVE record, format 5, with the containers of CISA's Vulnrichment
	SourceNVD                   // item of the National Vulnerability Database, interface 2.0
	SourceOSV                   // Open Source Vulnerability format
)

var sourceNames = []string{SourceCVE: "CVE", SourceNVD: "NVD", SourceOSV: "OSV"}

func (s Source) String() string { return enumName(s, sourceNames, "Source") }

func (s Source) MarshalText() ([]byte, error) { return enumText(s, sourceNames, "Source") }

func (s *Source) UnmarshalText(text []byte) error { return enumParse(s, sourceNames, text) }

// A Record is what a public record says of a vulnerability, of any source.
type Record struct {
	Source              Source
	ID                  string
	Aliases             []string // other identifiers of the same vulnerability
	Status              string   // as the source spells it, e.g. "PUBLISHED", "Analyzed"; "WITHDRAWN" in OSV
	Published, Modified time.Time
	Title               string // else the English description
	CWEs                []string
	Stated              []Stated // scores, in the order of the record
	SSVC                *SSVCRecord
	KEVAdded            Date // when it was listed in the KEV catalog, zero if the record does not say so
	KEVDue              Date

	// Problems are the things in the record that could not be understood; each
	// of them is left out above.
	Problems Problems
}

// A Stated is a CVSS vector with the score that a record states for it.
type Stated struct {
	By      string  // who states it, e.g. "CISA-ADP", "nvd@nist.gov"
	Primary bool    // NVD's primary assessment
	Vector  Vector  // as parsed
	Text    string  // as found
	Score   float64 // as found, NaN if none is stated
}

// An SSVCRecord is what CISA's Vulnrichment says of a vulnerability.
type SSVCRecord struct {
	Role    string // e.g. "CISA Coordinator"
	Version string // of the tree
	At      time.Time
	Facts   Facts
}

// CVE returns the CVE identifier of the record, its ID or one of its aliases, ""
// if it has none.
func (r Record) CVE() string {
	for _, id := range append([]string{r.ID}, r.Aliases...) {
		if _, ok := parseCVE(id); ok {
			return id
		}
	}
	return ""
}

// Best returns the score to work with: of the newest version of CVSS that is
// stated, NVD's primary assessment before others, the first in the record.
func (r Record) Best() (Stated, bool) {
	var best Stated
	for _, s := range r.Stated {
		if v, b := s.Vector.Version(), best.Vector.Version(); v > b || v == b && s.Primary && !best.Primary {
			best = s
		}
	}
	return best, best.Vector.IsValid()
}

// ReadRecords goes through the records of a text, gzipped or not: one CVE, NVD or
// OSV record, several after each other or in lines, an array of them, or an
// answer of the interfaces of NVD ("vulnerabilities") and OSV ("vulns"). Kinds may
// mix. The text is never in memory as a whole. What cannot be understood within a
// record is in its Problems; an error is a [Problem] that ends the text, or a
// failure of r, and the last thing that comes.
func ReadRecords(r io.Reader, opts *ReadOptions) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		maxBytes, maxRecord := opts.limits()
		b, err := open(r, maxBytes)
		if err != nil {
			yield(Record{}, err)
			return
		}
		dec, lines := newDecoder(b, maxRecord)
		// give hands over a record whose problems have places.
		give := func(rec Record) bool {
			lines.place(rec.Problems)
			lines.done = dec.InputOffset()
			return yield(rec, nil)
		}
		for first := true; ; first = false {
			var parts members
			container := false
			dec.PeekKind() // so that what is before the record has been read
			unread := dec.UnreadBuffer()
			start := dec.InputOffset() + int64(len(unread)-len(bytes.TrimLeft(unread, " \t\r\n")))
			more, err := walkObject(dec, []string{"vulnerabilities", "vulns"}, func(name string, raw jsontext.Value) {
				parts.put(name, raw, maxRecord)
			}, func(raw jsontext.Value, offset int64, pointer string) bool {
				container = true
				var inner members
				rec := Record{}
				if inner.split(raw, offset, pointer, &rec.Problems) {
					inner.read(&rec, offset, pointer)
				}
				return give(rec)
			})
			if errors.Is(err, io.EOF) && !first {
				return
			}
			if errors.Is(err, io.EOF) {
				err = Problem{Rule: RuleSyntax, Message: "expected JSON records, found an empty text"}
			}
			if err == nil && parts.size > maxRecord {
				err = Problem{Rule: RuleLimit, Offset: start, Message: errTooLarge.Error()}
			}
			if err != nil {
				yield(Record{}, lines.end(err))
				return
			}
			if !more {
				return
			}
			if !container && len(parts.list) > 0 && !parts.isAnswer() {
				rec := Record{}
				parts.read(&rec, start, "")
				if !give(rec) {
					return
				}
			}
		}
	}
}

// members are the members of an object that are of interest, as texts.
type members struct {
	list []struct {
		name string
		raw  jsontext.Value
	}
	size int
}

func (m *members) put(name string, raw jsontext.Value, most int) {
	if m.size += len(raw); m.size <= most {
		m.list = append(m.list, struct {
			name string
			raw  jsontext.Value
		}{name, raw.Clone()})
	}
}

// split takes an object apart.
func (m *members) split(raw jsontext.Value, offset int64, pointer string, ps *Problems) bool {
	if raw.Kind() != '{' {
		ps.put(Problem{Rule: RuleValue, Offset: offset, Pointer: pointer, Message: "expected an object, found " + cut(string(raw))})
		return false
	}
	dec := jsontext.NewDecoder(strings.NewReader(string(raw)))
	_, err := walkObject(dec, nil, func(name string, raw jsontext.Value) { m.put(name, raw, len(raw)+m.size) }, nil)
	return err == nil
}

func (m *members) has(name string) bool {
	return slices.ContainsFunc(m.list, func(x struct {
		name string
		raw  jsontext.Value
	},
	) bool {
		return x.name == name
	})
}

// isAnswer tells whether the object is the answer of an interface that has no
// records in it.
func (m *members) isAnswer() bool { return m.has("resultsPerPage") || m.has("next_page_token") }

// read fills a record from the members of its object.
func (m *members) read(rec *Record, offset int64, pointer string) {
	switch {
	case m.has("cveMetadata"):
		rec.Source = SourceCVE
	case m.has("cve"):
		rec.Source = SourceNVD
	case m.has("id") && (m.has("modified") || m.has("schema_version") || m.has("affected")):
		rec.Source = SourceOSV
	default:
		rec.Problems.put(Problem{Rule: RuleUnknown, Offset: offset, Pointer: pointer, Message: "expected a CVE record (cveMetadata), an NVD item (cve) or an OSV record (id and modified)"})
		return
	}
	c := recordReader{rec, offset, pointer}
	wanted := map[Source][]string{
		SourceCVE: {"cveMetadata", "containers"}, SourceNVD: {"cve"},
		SourceOSV: {"id", "aliases", "published", "modified", "withdrawn", "summary", "severity", "database_specific", "affected"},
	}[rec.Source]
	for _, x := range m.list {
		if !slices.Contains(wanted, x.name) {
			continue
		}
		switch rec.Source {
		case SourceCVE:
			c.cve(x.name, x.raw)
		case SourceNVD:
			c.nvd(x.raw)
		case SourceOSV:
			c.osv(x.name, x.raw)
		}
	}
	if rec.ID == "" {
		c.bad(RuleMissing, "", "the record has no identifier")
	}
	slices.Sort(rec.CWEs)
	rec.CWEs = slices.Compact(rec.CWEs)
}

// A recordReader fills a record.
type recordReader struct {
	*Record
	offset  int64
	pointer string
}

func (c recordReader) bad(rule Rule, at, format string, args ...any) {
	c.Problems.put(Problem{Rule: rule, Offset: c.offset, Pointer: c.pointer + at, Message: fmt.Sprintf(format, args...)})
}

// instant reads a time; NVD and old CVE records have no time zone and mean UTC.
func (c recordReader) instant(text, at string) time.Time {
	if text == "" {
		return time.Time{}
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	c.bad(RuleValue, at, "expected a date and time, found %q", cut(text))
	return time.Time{}
}

// stated adds a vector with its score.
func (c recordReader) stated(by string, primary bool, text string, score *float64, at string) {
	v, err := ParseVector(strings.TrimSpace(text))
	if ps, ok := errors.AsType[Problems](err); ok {
		c.bad(ps[0].Rule, at, "%q is no CVSS vector: %s", cut(text), ps[0].Message)
		return
	}
	s := Stated{By: by, Primary: primary, Vector: v, Text: text, Score: Undefined.Float64()}
	if score != nil {
		if _, err := ScoreOf(*score); err != nil {
			c.bad(RuleValue, at, "expected a score from 0.0 to 10.0, found %v", *score)
		} else {
			s.Score = *score
		}
	}
	c.Stated = append(c.Stated, s)
}

// cwe adds a weakness; NVD has words where there is no number.
func (c recordReader) cwe(id string) {
	id = strings.ToUpper(strings.TrimSpace(id))
	if digits, ok := strings.CutPrefix(id, "CWE-"); ok && digits != "" && strings.Trim(digits, "0123456789") == "" {
		c.CWEs = append(c.CWEs, id)
	}
}

type cvssData struct {
	Vector string   `json:"vectorString"`
	Score  *float64 `json:"baseScore"`
}

// cve reads a member of a CVE record.
func (c recordReader) cve(name string, raw jsontext.Value) {
	if name == "cveMetadata" {
		var x struct {
			ID        string `json:"cveId"`
			State     string `json:"state"`
			Published string `json:"datePublished"`
			Updated   string `json:"dateUpdated"`
		}
		if unmarshal(raw, &x, c.offset, c.pointer+"/cveMetadata", &c.Problems) {
			if _, ok := parseCVE(x.ID); !ok {
				c.bad(RuleValue, "/cveMetadata/cveId", "expected a CVE identifier, found %q", cut(x.ID))
			}
			c.ID, c.Status = x.ID, x.State
			c.Published, c.Modified = c.instant(x.Published, "/cveMetadata/datePublished"), c.instant(x.Updated, "/cveMetadata/dateUpdated")
		}
		return
	}
	type container struct {
		Provider struct {
			ShortName string `json:"shortName"`
		} `json:"providerMetadata"`
		Title        string `json:"title"`
		Descriptions []struct {
			Lang  string `json:"lang"`
			Value string `json:"value"`
		} `json:"descriptions"`
		ProblemTypes []struct {
			Descriptions []struct {
				CWE string `json:"cweId"`
			} `json:"descriptions"`
		} `json:"problemTypes"`
		Metrics []struct {
			V2    *cvssData `json:"cvssV2_0"`
			V30   *cvssData `json:"cvssV3_0"`
			V31   *cvssData `json:"cvssV3_1"`
			V40   *cvssData `json:"cvssV4_0"`
			Other *struct {
				Type    string         `json:"type"`
				Content jsontext.Value `json:"content"`
			} `json:"other"`
		} `json:"metrics"`
	}
	var x struct {
		CNA container   `json:"cna"`
		ADP []container `json:"adp"`
	}
	if !unmarshal(raw, &x, c.offset, c.pointer+"/containers", &c.Problems) {
		return
	}
	c.Title = x.CNA.Title
	for _, d := range x.CNA.Descriptions {
		if c.Title == "" && strings.HasPrefix(strings.ToLower(d.Lang), "en") {
			c.Title = d.Value
		}
	}
	for i, part := range append([]container{x.CNA}, x.ADP...) {
		at := "/containers/cna"
		if i > 0 {
			at = fmt.Sprintf("/containers/adp/%d", i-1)
		}
		for _, t := range part.ProblemTypes {
			for _, d := range t.Descriptions {
				c.cwe(d.CWE)
			}
		}
		for k, m := range part.Metrics {
			at := fmt.Sprintf("%s/metrics/%d", at, k)
			for _, d := range []*cvssData{m.V2, m.V30, m.V31, m.V40} {
				if d != nil {
					c.stated(part.Provider.ShortName, false, d.Vector, d.Score, at)
				}
			}
			if m.Other != nil {
				c.other(m.Other.Type, m.Other.Content, at+"/other/content")
			}
		}
	}
}

// other reads a metric of CISA's Vulnrichment.
func (c recordReader) other(kind string, raw jsontext.Value, at string) {
	switch strings.ToLower(kind) {
	case "ssvc":
		var x struct {
			Options   []map[string]string `json:"options"`
			Role      string              `json:"role"`
			Version   string              `json:"version"`
			Timestamp string              `json:"timestamp"`
		}
		if !unmarshal(raw, &x, c.offset, c.pointer+at, &c.Problems) {
			return
		}
		s := &SSVCRecord{Role: x.Role, Version: x.Version, At: c.instant(x.Timestamp, at+"/timestamp"), Facts: Facts{}}
		for i, o := range x.Options {
			names := make([]string, 0, len(o))
			for name := range o {
				names = append(names, name)
			}
			slices.Sort(names)
			for _, name := range names {
				p, ok := findPoint(knownPoints(), name)
				if !ok {
					c.bad(RuleUnknown, fmt.Sprintf("%s/options/%d", at, i), "unknown decision point %q", cut(name))
					continue
				}
				v, ok := p.value(o[name])
				if !ok {
					c.bad(RuleValue, fmt.Sprintf("%s/options/%d", at, i), "expected %s, found %q", p.list(), cut(o[name]))
					continue
				}
				s.Facts[p.Name] = []string{strings.ToLower(v.Name)}
			}
		}
		c.SSVC = s
	case "kev":
		var x struct {
			DateAdded string `json:"dateAdded"`
		}
		if unmarshal(raw, &x, c.offset, c.pointer+at, &c.Problems) {
			c.KEVAdded = c.date(x.DateAdded, at+"/dateAdded")
		}
	}
}

func (c recordReader) date(text, at string) Date {
	if text == "" {
		return Date{}
	}
	d, err := ParseDate(text)
	if err != nil {
		c.bad(RuleValue, at, "expected a date such as 2025-08-25, found %q", cut(text))
	}
	return d
}

// nvd reads the member cve of an item of NVD.
func (c recordReader) nvd(raw jsontext.Value) {
	type metric struct {
		Source string   `json:"source"`
		Type   string   `json:"type"`
		Data   cvssData `json:"cvssData"`
	}
	var x struct {
		ID           string `json:"id"`
		Status       string `json:"vulnStatus"`
		Published    string `json:"published"`
		Modified     string `json:"lastModified"`
		Added        string `json:"cisaExploitAdd"`
		Due          string `json:"cisaActionDue"`
		Descriptions []struct {
			Lang  string `json:"lang"`
			Value string `json:"value"`
		} `json:"descriptions"`
		Metrics    jsontext.Value `json:"metrics"`
		Weaknesses []struct {
			Description []struct {
				Value string `json:"value"`
			} `json:"description"`
		} `json:"weaknesses"`
	}
	if !unmarshal(raw, &x, c.offset, c.pointer+"/cve", &c.Problems) {
		return
	}
	if _, ok := parseCVE(x.ID); !ok {
		c.bad(RuleValue, "/cve/id", "expected a CVE identifier, found %q", cut(x.ID))
	}
	c.ID, c.Status = x.ID, x.Status
	c.Published, c.Modified = c.instant(x.Published, "/cve/published"), c.instant(x.Modified, "/cve/lastModified")
	c.KEVAdded, c.KEVDue = c.date(x.Added, "/cve/cisaExploitAdd"), c.date(x.Due, "/cve/cisaActionDue")
	for _, d := range x.Descriptions {
		if c.Title == "" && d.Lang == "en" {
			c.Title = d.Value
		}
	}
	for _, w := range x.Weaknesses {
		for _, d := range w.Description {
			c.cwe(d.Value)
		}
	}
	if x.Metrics == nil {
		return
	}
	// Member by member, as their order is that of the record.
	dec := jsontext.NewDecoder(bytes.NewReader(x.Metrics))
	_, err := walkObject(dec, nil, func(name string, raw jsontext.Value) {
		if !slices.Contains([]string{"cvssMetricV2", "cvssMetricV30", "cvssMetricV31", "cvssMetricV40"}, name) {
			return
		}
		var list []metric
		at := "/cve/metrics/" + name
		if unmarshal(raw, &list, c.offset, c.pointer+at, &c.Problems) {
			for i, m := range list {
				c.stated(m.Source, strings.EqualFold(m.Type, "Primary"), m.Data.Vector, m.Data.Score, fmt.Sprintf("%s/%d", at, i))
			}
		}
	}, nil)
	if x.Metrics.Kind() != '{' || err != nil {
		c.bad(RuleValue, "/cve/metrics", "expected an object, found %s", cut(string(x.Metrics)))
	}
}

// osv reads a member of an OSV record. Its severities, and those of the affected
// packages, are vectors without scores.
func (c recordReader) osv(name string, raw jsontext.Value) {
	at := c.pointer + "/" + name
	text := func() (s string) {
		unmarshal(raw, &s, c.offset, at, &c.Problems)
		return s
	}
	type severity struct {
		Type  string `json:"type"`
		Score string `json:"score"`
	}
	severities := func(list []severity, at string) {
		for i, s := range list {
			switch s.Type {
			case "CVSS_V2", "CVSS_V3", "CVSS_V4":
				c.stated("OSV", false, s.Score, nil, fmt.Sprintf("%s/severity/%d", at, i))
			default: // distributions have words of their own, e.g. "Ubuntu"
			}
		}
	}
	switch name {
	case "id":
		c.ID = text()
	case "aliases":
		unmarshal(raw, &c.Aliases, c.offset, at, &c.Problems)
	case "published":
		c.Published = c.instant(text(), "/published")
	case "modified":
		c.Modified = c.instant(text(), "/modified")
	case "withdrawn":
		if !c.instant(text(), "/withdrawn").IsZero() {
			c.Status = "WITHDRAWN"
		}
	case "summary":
		c.Title = text()
	case "severity":
		var list []severity
		if unmarshal(raw, &list, c.offset, at, &c.Problems) {
			severities(list, "")
		}
	case "database_specific":
		var x struct {
			CWEs []string `json:"cwe_ids"`
		}
		if raw.Kind() == '{' && unmarshal(raw, &x, c.offset, at, &c.Problems) {
			for _, id := range x.CWEs {
				c.cwe(id)
			}
		}
	case "affected":
		var list []struct {
			Severity []severity `json:"severity"`
		}
		if unmarshal(raw, &list, c.offset, at, &c.Problems) {
			for i, a := range list {
				severities(a.Severity, fmt.Sprintf("/affected/%d", i))
			}
		}
	}
}
