package vuln

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

var utc = time.UTC

// An Answer is a fact that may not be known.
type Answer uint8

// The answers; the zero Answer is not known.
const (
	Unknown Answer = iota
	Yes
	No
)

var answerNames = []string{Unknown: "unknown", Yes: "yes", No: "no"}

func (a Answer) String() string { return enumName(a, answerNames, "Answer") }

func (a Answer) MarshalText() ([]byte, error) { return enumText(a, answerNames, "Answer") }

func (a *Answer) UnmarshalText(text []byte) error { return enumParse(a, answerNames, text) }

// A State is how far the treatment of a finding is.
type State uint8

// The states; the zero State counts as open.
const (
	Open State = iota + 1
	PartiallyMitigated
	FullyMitigated
	Remediated
)

var stateNames = []string{Open: "open", PartiallyMitigated: "partially mitigated", FullyMitigated: "fully mitigated", Remediated: "remediated"}

func (s State) String() string { return enumName(s, stateNames, "State") }

func (s State) MarshalText() ([]byte, error) { return enumText(s, stateNames, "State") }

func (s *State) UnmarshalText(text []byte) error { return enumParse(s, stateNames, text) }

// A Finding is what is known of a vulnerability on a system from one time on.
// Which of the facts matter is the policy's decision; what it needs and does not
// find is an error, or makes several outcomes possible.
type Finding struct {
	ID    string    // of the finding, e.g. CVE identifier and asset
	At    time.Time // since when these facts hold; zero: from the beginning
	State State

	Detected  Date      // original detection; it never changes
	Evaluated time.Time // when the evaluation was completed

	Rating         string // original risk rating, e.g. "High"
	AdjustedRating string // "" or "N/A" for none
	RiskAdjustment string // "Yes" once the adjustment is approved

	VendorFixReleased Date // of a vendor dependency

	KEV             Answer // listed in the KEV catalog
	KEVListed       Date
	KEVDue          Date
	Exposed         Answer // reachable for untrusted parties over public networks
	Automatable     Answer
	TechnicalImpact string // "partial", "total", "" for unknown

	InternetReachable Answer
	LikelyExploitable Answer
	PotentialImpact   int // N1 to N5 of FedRAMP's CR26; 0 is not rated
}

// A Deadline is by when a policy wants a finding treated. It is a day that is
// still in time, or an instant, or neither: then Without says why.
type Deadline struct {
	Policy, Version string // e.g. "BOD 26-04", "1.0.0"
	Rule            string // that gave it, e.g. "VDR-TFR-PVR"
	Force           string // "MUST", "SHOULD"
	Date            Date
	At              time.Time
	Without         string   // e.g. "next upgrade", "no time frame"; "" if there is a deadline
	Outcomes        []string // of a table, if facts that are not known leave several; the earliest counts
	Assumed         []string // facts that the policy filled in, e.g. "automatable=no"
	Forensic        bool     // also look for a compromise
	SatisfiedBy     State    // the least state that ends the clock
	Why             []Step
}

// HasDate tells whether there is a deadline.
func (d Deadline) HasDate() bool { return !d.Date.IsZero() || !d.At.IsZero() }

// Ends returns the instant at which it is too late: that of the deadline, or the
// end of its day in a time zone, nil for UTC. It is zero if there is no deadline.
func (d Deadline) Ends(loc *time.Location) time.Time {
	if loc == nil {
		loc = utc
	}
	switch {
	case !d.At.IsZero():
		return d.At
	case !d.Date.IsZero():
		return d.Date.AddDays(1).In(loc)
	}
	return time.Time{}
}

// Overdue tells whether a finding in a state is late: a day is in time until it
// ends, an instant is itself still in time.
func (d Deadline) Overdue(s State, now time.Time, loc *time.Location) bool {
	if !d.HasDate() || s >= d.SatisfiedBy {
		return false
	}
	if !d.At.IsZero() {
		return now.After(d.At)
	}
	return !now.Before(d.Ends(loc))
}

// String returns the day, the instant in UTC, or why there is neither.
func (d Deadline) String() string {
	switch {
	case !d.At.IsZero():
		return d.At.UTC().Format(time.RFC3339)
	case !d.Date.IsZero():
		return d.Date.String()
	}
	return d.Without
}

// Explain returns how the deadline came about, a line per step.
func (d Deadline) Explain() string { return Rating{Why: d.Why}.Explain() }

func (d *Deadline) step(name, value, format string, args ...any) {
	d.Why = append(d.Why, Step{d.Policy, name, value, fmt.Sprintf(format, args...)})
}

// A Policy gives deadlines. Implementations are values: the same finding gives
// the same deadline. Those of this package return a [Problems] when a fact that
// they need is missing or wrong.
type Policy interface {
	Due(f Finding) (Deadline, error)
}

// Due returns the deadline of a finding under a policy: the earliest over its
// history, so that facts which improve do not move it back. The error joins what
// is wrong with every state of the history.
func Due(history []Finding, p Policy, loc *time.Location) (Deadline, error) {
	var first Deadline
	var ps Problems
	if len(history) == 0 {
		ps.add(RuleMissing, "history", "a finding needs one state at least")
	}
	ordered := slices.Clone(history)
	slices.SortStableFunc(ordered, func(a, b Finding) int { return a.At.Compare(b.At) })
	for i, f := range ordered {
		d, err := p.Due(f)
		if err != nil {
			if err := ps.join(err, fmt.Sprintf("history/%d", i)); err != nil {
				return Deadline{}, err
			}
			continue
		}
		if i == 0 || earlier(d, first, loc) {
			if i > 0 {
				d.step("earliest", d.String(), "of the history; the facts before gave %s", first)
			}
			first = d
		}
	}
	if err := ps.err(); err != nil {
		return Deadline{}, err
	}
	return first, nil
}

// join takes over the problems of an error; another error is returned.
func (ps *Problems) join(err error, pointer string) error {
	more, ok := err.(Problems)
	if !ok {
		return err
	}
	for _, p := range more {
		p.Pointer = strings.TrimSuffix(pointer+"/"+p.Pointer, "/")
		ps.put(p)
	}
	return nil
}

// earlier tells whether a ends before b; what has no date comes last.
func earlier(a, b Deadline, loc *time.Location) bool {
	return a.HasDate() && (!b.HasDate() || a.Ends(loc).Before(b.Ends(loc)))
}

// DueAll returns the deadlines of a finding under several policies, the earliest
// first: it leads. Those without a date are at the end; equal ones stay in the
// order of the policies. The error is a [Problems]; the deadlines of the policies
// that had none come with it.
func DueAll(history []Finding, policies []Policy, loc *time.Location) ([]Deadline, error) {
	var out []Deadline
	var ps Problems
	for i, p := range policies {
		d, err := Due(history, p, loc)
		if err == nil {
			out = append(out, d)
		} else if err := ps.join(err, fmt.Sprintf("policy/%d", i)); err != nil {
			return nil, err
		}
	}
	slices.SortStableFunc(out, func(a, b Deadline) int {
		switch {
		case earlier(a, b, loc):
			return -1
		case earlier(b, a, loc):
			return 1
		}
		return 0
	})
	return out, ps.err()
}
