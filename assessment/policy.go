package assessment

import (
	"fmt"
	"strings"
	"time"
)

// A Policy says by when a weakness must be gone. Policies are data with a
// version: an authority changes them, and what was due under the old one stays
// so.
type Policy struct {
	ID, Version                string
	EffectiveFrom, EffectiveTo Date // both inclusive; zero is open
	Terms                      []Term
	Source                     string
}

// A Term is the time that a policy allows for one severity.
type Term struct {
	Severity Severity
	Rating   string // the policy's own word for it; "" is that of the severity
	Days     int    // calendar days from the original detection
}

// FedRAMPRev5 returns the remediation time frames of FedRAMP Rev 5: critical
// and high 30 days, moderate 90, low 180 from the original detection (FedRAMP
// POA&M template 3.0, 2025-11-17, sheet Instructions; for critical: CSP
// Authorization Playbook).
func FedRAMPRev5() Policy {
	return Policy{
		ID: "fedramp-rev5", Version: "2025-11-17",
		Terms:  []Term{{Critical, "critical", 30}, {High, "high", 30}, {Medium, "moderate", 90}, {Low, "low", 180}},
		Source: "FedRAMP POA&M template 3.0, sheet Instructions",
	}
}

// DefectDojo returns the default service levels of DefectDojo: critical 7 days,
// high 30, medium 90, low 120.
func DefectDojo() Policy {
	return Policy{
		ID: "defectdojo", Version: "1",
		Terms:  []Term{{Critical, "", 7}, {High, "", 30}, {Medium, "", 90}, {Low, "", 120}},
		Source: "DefectDojo, default SLA configuration",
	}
}

// Effective tells whether the policy is in force on a day.
func (p Policy) Effective(on Date) bool {
	return (p.EffectiveFrom.IsZero() || p.EffectiveFrom.Compare(on) <= 0) && (p.EffectiveTo.IsZero() || on.Compare(p.EffectiveTo) <= 0)
}

// Severity returns the severity that the policy means by a word, whatever its
// case. The words of scanners are not among them. The error matches [ErrValue].
func (p Policy) Severity(rating string) (Severity, error) {
	var known []string
	for _, t := range p.Terms {
		word := t.word()
		if strings.EqualFold(word, rating) {
			return t.Severity, nil
		}
		known = append(known, word)
	}
	return 0, fmt.Errorf("assessment: %q %w the ratings of policy %s: %s", rating, ErrValue, p.ID, strings.Join(known, ", "))
}

// Rating returns the policy's word for a severity.
func (p Policy) Rating(s Severity) string {
	for _, t := range p.Terms {
		if t.Severity == s {
			return t.word()
		}
	}
	return s.String()
}

func (t Term) word() string {
	if t.Rating != "" {
		return t.Rating
	}
	return t.Severity.String()
}

// Due returns the last day that is still in time for a weakness that was first
// detected on a day: that day plus the days of the term, without regard to
// weekends. A severity without a term has no due date: ok is false. The error
// matches [ErrMissing] without a day of detection, and [ErrConflict] if the
// policy is not in force on that day.
func (p Policy) Due(detected Date, s Severity) (due Date, ok bool, err error) {
	if detected.IsZero() {
		return Date{}, false, fmt.Errorf("assessment: the original detection date %w", ErrMissing)
	}
	if !p.Effective(detected) {
		return Date{}, false, fmt.Errorf("assessment: policy %s version %s is in force from %q to %q, the detection on %s %w", p.ID, p.Version, p.EffectiveFrom, p.EffectiveTo, detected, ErrConflict)
	}
	for _, t := range p.Terms {
		if t.Severity == s {
			return detected.AddDays(t.Days), true, nil
		}
	}
	return Date{}, false, nil
}

// Explain says in one line how a due date comes about.
func (p Policy) Explain(detected Date, s Severity) string {
	due, ok, err := p.Due(detected, s)
	switch {
	case err != nil:
		return err.Error()
	case !ok:
		return fmt.Sprintf("policy %s %s has no term for %s", p.ID, p.Version, s)
	}
	return fmt.Sprintf("detected %s + %d days for %s (policy %s %s) = due %s", detected, detected.Days(due), p.Rating(s), p.ID, p.Version, due)
}

// An Aging is how old something is, computed from facts: never store it.
type Aging struct {
	Age     int  // days from the first detection to closure, or to today; never below 0
	Left    int  // days from closure or today to the due date, negative when late; 0 without one
	Overdue bool // the due date is before closure or today; what is due today is not late
}

// Age computes how old something is that was detected on a day, is due on
// another (zero: never) and was closed on a third (zero: is open).
func Age(detected, due, closed, today Date) Aging {
	if !closed.IsZero() {
		today = closed
	}
	a := Aging{Age: max(0, detected.Days(today))}
	if !due.IsZero() {
		a.Left = today.Days(due)
		a.Overdue = a.Left < 0
	}
	return a
}

// deadline is the due date as OSCAL has it in a risk: an instant. It is the
// beginning of the day, so that it also is before the detection plus the term,
// as a rule of FedRAMP demands (has-timely-completion-date).
func deadline(due Date) *time.Time {
	t := due.In(time.UTC)
	return &t
}
