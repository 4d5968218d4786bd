package assessment

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/issokit/issokit/oscal"
)

// A Cause is what one risk is about: all failing records of one rule, or one
// objective, statement or control that is not satisfied.
type Cause struct {
	Key          string   // identity, stable from one assessment to the next
	Title        string   // plain text
	Severity     Severity // the highest of its records
	Tool         Tool
	Rule         Rule
	Scores       []Score
	IDs          []string
	Controls     []string // ids of the controls that it affects, in document order
	Subjects     []oscal.SubjectReference
	Records      []Record // those that fail and are not suppressed
	Observations []string // UUIDs
	FirstSeen    time.Time
	// Origin is who found it, for [oscal.Characterization].
	Origin oscal.Origin

	determination *Determination
	sights        // of subjects and observations
}

// riskID is the UUID of the risk of a cause: the same in every assessment of the
// system.
func (a *assessor) riskID(cause string) string {
	id, ok := a.riskIDs[cause]
	if !ok {
		id = oscal.UUID("risk", a.system.ssp.UUID, cause)
		a.riskIDs[cause] = id
	}
	return id
}

// risks makes one risk of each cause.
func (a *assessor) risks() []oscal.Risk {
	place := map[string]int{}
	for i, c := range a.baseline.Controls() {
		place[c.ID()] = i
	}
	var out []oscal.Risk
	for _, c := range a.order {
		slices.SortFunc(c.Controls, func(x, y string) int { return cmp.Compare(place[x], place[y]) })
		r := oscal.Risk{
			UUID: a.riskID(c.Key), Title: title(c.Title, "Weakness"), Status: "open",
			Description: c.description(), Statement: prose(c.statement()),
		}
		addProp(&r.Props, oscal.PropSeverity, c.Severity.String())
		addProp(&r.Props, oscal.PropFirstSeen, DateOf(c.FirstSeen).String())
		addProp(&r.Props, oscal.PropRule, c.Rule.ID)
		for _, id := range c.Controls {
			addProp(&r.Props, oscal.PropControl, id)
		}
		if len(c.Origin.Actors) > 0 {
			r.Origins = oscal.List(c.Origin)
		}
		for _, id := range c.IDs {
			if record := "https://www.cve.org/CVERecord?id=" + id; strings.HasPrefix(id, "CVE-") && oscal.TypeURI.Valid(record) {
				r.ThreatIds = oscal.Append(r.ThreatIds, oscal.ThreatId{System: "http://cve.mitre.org", ID: record})
			}
		}
		for _, uuid := range c.Observations {
			r.RelatedObservations = oscal.Append(r.RelatedObservations, oscal.RelatedObservation{ObservationUuid: uuid})
		}
		r.Characterizations = oscal.List(a.rate(c)...)
		if a.o.Policy != nil {
			due, ok, err := a.o.Policy.Due(DateOf(c.FirstSeen), c.Severity)
			if err != nil {
				a.problems.add(err, "risk %s (%s)", r.UUID, c.Title)
			} else if ok {
				r.Deadline = deadline(due)
				addProp(&r.Props, oscal.PropDue, due.String())
			}
		}
		if fixes := c.fixes(); fixes != "" {
			r.Remediations = oscal.List(oscal.Response{
				UUID: oscal.UUID("response", r.UUID, "recommendation"), Lifecycle: "recommendation",
				Title: "Advice of the tool", Description: fixes,
			})
		}
		out = append(out, r)
	}
	return out
}

func (a *assessor) rate(c *Cause) []oscal.Characterization {
	if a.o.Rate != nil {
		return a.o.Rate(c)
	}
	if len(c.Origin.Actors) == 0 {
		return nil // a characterization needs one who made it
	}
	return []oscal.Characterization{{
		Origin: c.Origin,
		Facets: []oscal.Facet{{
			Name: "severity", System: "http://csrc.nist.gov/ns/oscal", Value: c.Severity.String(),
			Props: oscal.List(oscal.Property{Name: "state", Value: "initial"}),
		}},
	}}
}

func (c *Cause) description() string {
	if c.determination != nil {
		return prose(c.determination.Rationale, c.Title)
	}
	return prose(c.Rule.Description, c.Records[0].Message, c.Title)
}

// statement says what the risk rests on.
func (c *Cause) statement() string {
	if c.determination != nil {
		return fmt.Sprintf("An examiner found %s not satisfied (%s).", c.determination.Target, c.Severity)
	}
	var places []string
	seen := map[string]bool{}
	for i := range c.Records {
		if p := line(locationOf(&c.Records[i]), "the system"); !seen[p] {
			seen[p] = true
			places = append(places, p)
		}
	}
	s := fmt.Sprintf("%s reports %s with severity %s at %d places", line(c.Tool.Name, "A tool"), line(c.Rule.ID, c.Title, "a weakness"), c.Severity, len(places))
	if len(places) == 1 {
		s = strings.TrimSuffix(s, "s")
	}
	if len(c.IDs) > 0 {
		s += " (" + strings.Join(c.IDs, ", ") + ")"
	}
	if len(places) > 10 {
		places = append(places[:10:10], "and others")
	}
	return s + ": " + strings.Join(places, ", ") + "."
}

func (c *Cause) fixes() string {
	var fixes []string
	for i := range c.Records {
		if f := block(c.Records[i].Fix); f != "" && len(fixes) < 10 {
			addNew(&fixes, f)
		}
	}
	return prose(strings.Join(fixes, "\n\n"))
}
