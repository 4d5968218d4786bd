package vuln

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/issokit/issokit/internal/answer"
)

// A Candidate is a finding that is to be ranked with others. What is not there
// ranks below what is.
type Candidate struct {
	ID       string
	Decision Decision  // of one table for all candidates
	Deadline Deadline  // the leading one
	CVSS     Vector    // its overall severity counts
	EPSS     EPSSScore // of one model version for all candidates
}

// A Ranked is a candidate with its place.
type Ranked struct {
	Candidate
	Priority int    // from 1; candidates that differ in their ID alone share one
	Rule     string // that put it below the one before: "outcome", "deadline", "severity", "epss", "id"; "" for the first
	Reason   string // in words
	Facts    []Step // what was looked at, in the order of the rules
}

// Prioritize orders candidates by five rules, the first that tells two apart
// counting: the highest outcome of the decision table that is possible, the
// deadline (days end in a time zone, nil for UTC), the CVSS severity, the EPSS
// probability, the ID. It names the rule
// that put each candidate where it is. The error is a [Problems] if decisions are
// of different tables, EPSS scores of different models or days, or an ID is
// missing or there twice: such things do not compare.
func Prioritize(candidates []Candidate, loc *time.Location) ([]Ranked, error) {
	if err := checkCandidates(candidates); err != nil {
		return nil, err
	}
	out := make([]Ranked, len(candidates))
	for i, c := range candidates {
		out[i] = Ranked{Candidate: c, Facts: c.facts()}
	}
	slices.SortFunc(out, func(a, b Ranked) int {
		_, order := compareCandidates(a.Candidate, b.Candidate, loc)
		return order
	})
	for i := range out {
		r := &out[i]
		r.Priority = i + 1
		if i == 0 {
			r.Reason = "the first"
			continue
		}
		before := out[i-1]
		r.Rule, _ = compareCandidates(before.Candidate, r.Candidate, loc)
		if r.Rule == "id" {
			r.Priority = before.Priority
			r.Reason = "as urgent as " + before.ID + ", ordered by ID"
			continue
		}
		k := slices.Index(priorityRules, r.Rule)
		r.Reason = fmt.Sprintf("after %s: %s %s, there %s", before.ID, r.Rule, r.Facts[k].Value, before.Facts[k].Value)
	}
	return out, nil
}

var priorityRules = []string{"outcome", "deadline", "severity", "epss"}

func checkCandidates(cs []Candidate) error {
	var ps Problems
	ids := map[string]int{}
	table, scored := -1, -1
	for i, c := range cs {
		at := fmt.Sprintf("/%d", i)
		if first, twice := ids[c.ID]; c.ID == "" {
			ps.add(RuleMissing, at+"/id", "expected an ID, found none")
		} else if twice {
			ps.add(RuleDuplicate, at+"/id", "%q is candidate %d already", cut(c.ID), first)
		}
		ids[c.ID] = i
		if t := c.Decision.Table; t != nil {
			if table < 0 {
				table = i
			} else if first := cs[table].Decision.Table; first.id != t.id {
				ps.add(RuleValue, at+"/decision", "expected a decision of %s as of the others, found one of %s", first.id, t.id)
			}
		}
		if c.EPSS.CVE == "" {
			continue
		}
		if scored < 0 {
			scored = i
		} else if first := cs[scored].EPSS; first.ModelVersion != c.EPSS.ModelVersion || first.Date != c.EPSS.Date {
			ps.add(RuleVersion, at+"/epss", "expected EPSS of model %q, %v, as of the others, found %q, %v: they do not compare", first.ModelVersion, first.Date, c.EPSS.ModelVersion, c.EPSS.Date)
		}
	}
	return ps.err()
}

// compareCandidates returns the rule that tells two apart and their order.
func compareCandidates(a, b Candidate, loc *time.Location) (string, int) {
	deadline := 0
	if earlier(a.Deadline, b.Deadline, loc) {
		deadline = -1
	} else if earlier(b.Deadline, a.Deadline, loc) {
		deadline = 1
	}
	for i, order := range []int{
		cmp.Compare(b.Decision.rank(), a.Decision.rank()),
		deadline,
		cmp.Compare(b.CVSS.Severity(), a.CVSS.Severity()),
		cmp.Compare(b.EPSS.rank(), a.EPSS.rank()),
	} {
		if order != 0 {
			return priorityRules[i], order
		}
	}
	return "id", strings.Compare(a.ID, b.ID)
}

func (s EPSSScore) rank() float64 {
	if s.CVE == "" {
		return -1
	}
	return s.Probability
}

// facts are what the rules look at, in their order.
func (c Candidate) facts() []Step {
	steps := []Step{{"priority", "outcome", "none", ""}, {"priority", "deadline", "none", ""}, {"priority", "severity", "none", ""}, {"priority", "epss", "none", ""}}
	if t := c.Decision.Table; t != nil {
		steps[0].Value, steps[0].Text = strings.ToLower(c.Decision.Highest().Name), t.id
		if !c.Decision.Determined() {
			steps[0].Text += ", the highest that is possible; not known: " + strings.Join(c.Decision.Unknown, ", ")
		}
	}
	if c.Deadline.Policy != "" {
		steps[1].Value, steps[1].Text = c.Deadline.String(), c.Deadline.Policy+" "+c.Deadline.Version
	}
	if c.CVSS.IsValid() {
		steps[2].Value, steps[2].Text = c.CVSS.Severity().String(), fmt.Sprintf("%v, %v", c.CVSS.Score(), c.CVSS)
	}
	if c.EPSS.CVE != "" {
		steps[3].Value, steps[3].Text = answer.Number(c.EPSS.Probability), "model "+cmp.Or(c.EPSS.ModelVersion, "not stated")
		if !c.EPSS.Date.IsZero() {
			steps[3].Text += ", " + c.EPSS.Date.String()
		}
	}
	return steps
}
