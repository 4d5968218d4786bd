package assessment

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// A Mapping says which records of tools speak about which objectives, statements
// or controls, and what share of the subjects must pass. A failing record always
// speaks against its targets; passing ones are evidence, and decide only where
// Decides says that they are enough.
type Mapping struct {
	Tool    string   // pattern of the name of the tool; "" is any
	Match   string   // pattern of the rule id, a tag of the rule, or a public identifier such as CWE-89
	Targets []string // ids or other references to objectives, statements or controls

	// Decides says that the checks decide their targets by themselves.
	Decides bool
	// Subjects is the sample: what must all have been looked at. [Assess] takes the
	// UUIDs of components and inventory items of the SSP, or names and addresses
	// that these have there. Nil is those that the records are about.
	Subjects []string
	// Percent of the subjects that must pass; 0 is 100.
	Percent int
}

// Matches tells whether the mapping is about a record. Patterns are those of
// [path.Match], without regard to case; a pattern that is broken matches itself
// only. The empty Match matches nothing.
func (m *Mapping) Matches(rec *Record) bool {
	if m.Match == "" || m.Tool != "" && !glob(m.Tool, rec.Tool.Name) {
		return false
	}
	if glob(m.Match, rec.Rule.ID) {
		return true
	}
	isMatch := func(s string) bool { return glob(m.Match, s) }
	return slices.ContainsFunc(rec.Rule.Tags, isMatch) || slices.ContainsFunc(rec.IDs, isMatch)
}

// glob matches a pattern in which * stands for anything, slashes included.
func glob(pattern, s string) bool {
	pattern, s = strings.ToLower(pattern), strings.ToLower(s)
	if pattern == s {
		return true
	}
	if !strings.ContainsAny(pattern, "*?[") {
		return false
	}
	slash := strings.NewReplacer("/", "\x00")
	ok, err := path.Match(slash.Replace(pattern), slash.Replace(s))
	return ok && err == nil
}

// Decide looks at the records of a mapping and says what follows for its
// targets, and why. Of a subject with several records, a failing one counts
// first, then an error, then what is undecided, then a passing one. A failing
// record that was suppressed leaves its subject undecided: it needs a
// deviation, not a word to the tool. Subjects to which the checks do not apply
// leave the sample.
//
// The verdict is NotSatisfied if the share that must pass cannot be reached any
// more; Satisfied if it is reached, the sample is complete and the mapping
// decides; Error if nothing but checks that failed to run is in the way;
// NotAssessed else.
func (m *Mapping) Decide(records []Record) (Verdict, string) {
	status := map[string]Verdict{}
	for i := range records {
		rec := &records[i]
		v := subjectVerdict(rec)
		if v != 0 {
			status[rec.Subject.ID] = worst(status[rec.Subject.ID], v)
		}
	}
	for _, id := range m.Subjects {
		if status[id] == 0 {
			status[id] = NotAssessed
		}
	}
	var passed, failed, errs, open, out int
	for _, v := range status {
		switch v {
		case Satisfied:
			passed++
		case NotSatisfied:
			failed++
		case Error:
			errs++
		case NotApplicable:
			out++
		default:
			open++
		}
	}
	total, percent := passed+failed+errs+open, cmp.Or(m.Percent, 100)
	why := fmt.Sprintf("%d of %d subjects passed, %d failed, %d checks in error, %d undecided, %d not applicable; %d %% must pass",
		passed, total, failed, errs, open, out, percent)
	switch {
	case total == 0 && out > 0:
		return NotApplicable, why
	case total == 0:
		return NotAssessed, why
	case 100*(total-failed) < percent*total:
		return NotSatisfied, why
	case errs+open > 0:
		if open == 0 && passed == 0 {
			return Error, why
		}
		return NotAssessed, why
	case !m.Decides:
		return NotAssessed, why + "; the checks alone do not decide"
	}
	return Satisfied, why
}

func subjectVerdict(rec *Record) Verdict {
	switch rec.Outcome {
	case OutcomePass, OutcomeFixed:
		return Satisfied
	case OutcomeFail:
		if rec.Suppressed {
			return NotAssessed
		}
		return NotSatisfied
	case OutcomeError:
		return Error
	case OutcomeNotApplicable, OutcomeNotSelected:
		return NotApplicable
	case OutcomeInformational:
		return 0
	}
	return NotAssessed
}

// worst orders what several records say about one subject.
func worst(a, b Verdict) Verdict {
	for _, v := range []Verdict{NotSatisfied, Error, NotAssessed, Satisfied, NotApplicable} {
		if a == v || b == v {
			return v
		}
	}
	return 0
}
