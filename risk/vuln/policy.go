package vuln

import (
	"fmt"
	"strings"
	"time"
)

// A RatingPolicy gives a number of days from the original detection by risk
// rating. Own policies are values of it.
type RatingPolicy struct {
	Name, Version string
	Periods       []RatingPeriod
	BusinessDays  bool // count business days of Calendar instead of calendar days
	Calendar      Calendar
}

// A RatingPeriod is the period of a rating.
type RatingPeriod struct {
	Rating string // compared without regard to case
	Days   int    // 0 to 36,500
}

// maxDays bounds a period to a hundred years, so that dates stay dates.
const maxDays = 36_500

// FedRAMPRev5 is the policy of FedRAMP Rev5: critical and high risks within 30
// days of the original detection, moderate within 90, low within 180 (CSP POA&M
// template 3.0, sheet Instructions; CSP Authorization Playbook). An adjusted
// rating counts once the adjustment is approved; a vendor dependency starts anew
// when the vendor releases the fix.
func FedRAMPRev5() RatingPolicy {
	return RatingPolicy{Name: "FedRAMP Rev5", Version: "2025-11-17", Periods: []RatingPeriod{{"critical", 30}, {"high", 30}, {"moderate", 90}, {"low", 180}}}
}

// period finds the rating that counts and its days.
func (p RatingPolicy) period(rating string, ps *Problems) RatingPeriod {
	var names []string
	for _, x := range p.Periods {
		if strings.EqualFold(x.Rating, rating) {
			if x.Days < 0 || x.Days > maxDays {
				ps.add(RuleValue, "rating", "the period of %s: expected 0 to %d days, found %d", cut(x.Rating), maxDays, x.Days)
			}
			return x
		}
		names = append(names, x.Rating)
	}
	ps.add(RuleValue, "rating", "expected one of %s, found %q", strings.Join(names, ", "), cut(rating))
	return RatingPeriod{}
}

// Effective returns the rating that counts: the adjusted one if the risk
// adjustment is approved, "Yes", else the original one.
func (p RatingPolicy) Effective(f Finding) string {
	if a := f.AdjustedRating; a != "" && !strings.EqualFold(a, "N/A") && strings.EqualFold(f.RiskAdjustment, "Yes") {
		return a
	}
	return f.Rating
}

// Due implements [Policy].
func (p RatingPolicy) Due(f Finding) (Deadline, error) {
	d := Deadline{Policy: p.Name, Version: p.Version, Rule: "rating", Force: "MUST", SatisfiedBy: Remediated}
	var ps Problems
	rating := p.Effective(f)
	x := p.period(rating, &ps)
	if f.Detected.IsZero() {
		ps.add(RuleMissing, "detected", "expected the date of the original detection, found none")
	}
	ps.day("detected", f.Detected)
	ps.day("vendor-fix-released", f.VendorFixReleased)
	if err := ps.err(); err != nil {
		return Deadline{}, err
	}
	d.step("rating", strings.ToLower(x.Rating), "original %q, adjusted %q, adjustment %q", f.Rating, f.AdjustedRating, f.RiskAdjustment)
	start, from := f.Detected, "original detection"
	if !f.VendorFixReleased.IsZero() {
		start, from = f.VendorFixReleased, "release of the vendor's fix"
	}
	if p.BusinessDays {
		var err error
		if d.Date, err = p.Calendar.AddBusinessDays(start, x.Days); err != nil {
			return Deadline{}, err
		}
		d.step("due", d.Date.String(), "%d business days from %s, %v", x.Days, from, start)
		return d, nil
	}
	d.Date = start.AddDays(x.Days)
	d.step("due", d.Date.String(), "%d days from %s, %v", x.Days, from, start)
	return d, nil
}

// CheckInLate tells whether the last check-in with the vendor of a dependency is
// more than 30 days old when the POA&M is submitted (CSP POA&M Template Completion
// Guide).
func (p RatingPolicy) CheckInLate(lastCheckIn, submission Date) bool {
	return lastCheckIn.AddDays(30).Compare(submission) < 0
}

// Timely tells whether a deadline of an OSCAL risk is timely: strictly before the
// collection and the period of the last impact facet (FedRAMP rule
// has-timely-completion-date). The error is a [Problems].
func (p RatingPolicy) Timely(collected time.Time, impact string, deadline time.Time) (bool, error) {
	var ps Problems
	x := p.period(impact, &ps)
	return ps == nil && deadline.Before(collected.AddDate(0, 0, x.Days)), ps.err()
}

// A VDRPolicy is FedRAMP's vulnerability detection and response standard of the
// rules CR26, for a class of service (A to D). What it wants is a step to a lower
// potential impact N, so that a clock starts again for the rating reached.
type VDRPolicy struct {
	Class string
}

// The columns of VDR-TFR-PVR: internet-reachable and likely exploitable; not
// reachable, likely exploitable; not likely exploitable. Periods in hours by N, N1
// has none. FedRAMP/rules, fedramp-consolidated-rules.json (2026.07.14.01).
var vdrHours = map[string][6][3]int{
	"A": {5: {4 * 24, 8 * 24, 32 * 24}, 4: {8 * 24, 32 * 24, 64 * 24}, 3: {32 * 24, 64 * 24, 192 * 24}, 2: {96 * 24, 160 * 24, 192 * 24}},
	"B": {5: {4 * 24, 8 * 24, 32 * 24}, 4: {8 * 24, 32 * 24, 64 * 24}, 3: {32 * 24, 64 * 24, 192 * 24}, 2: {96 * 24, 160 * 24, 192 * 24}},
	"C": {5: {2 * 24, 4 * 24, 16 * 24}, 4: {4 * 24, 8 * 24, 64 * 24}, 3: {16 * 24, 32 * 24, 128 * 24}, 2: {48 * 24, 128 * 24, 192 * 24}},
	"D": {5: {12, 24, 8 * 24}, 4: {2 * 24, 8 * 24, 32 * 24}, 3: {8 * 24, 16 * 24, 64 * 24}, 2: {24 * 24, 96 * 24, 192 * 24}},
}

// vdrEvaluate are the days in which a detection must be evaluated (VER-TFR-EVU).
var vdrEvaluate = map[string]int{"A": 14, "B": 7, "C": 5, "D": 2}

const vdrVersion = "2026.07.14.01"

func (p VDRPolicy) check(ps *Problems) {
	if _, ok := vdrHours[p.Class]; !ok {
		ps.add(RuleValue, "class", "expected A, B, C or D, found %q", cut(p.Class))
	}
}

// Due implements [Policy]: the next reduction, from the completed evaluation.
// Facts that are not known leave several cells of the table; the earliest counts.
func (p VDRPolicy) Due(f Finding) (Deadline, error) {
	d := Deadline{Policy: "FedRAMP VDR", Version: vdrVersion, Rule: "VDR-TFR-PVR", Force: "SHOULD", SatisfiedBy: FullyMitigated}
	var ps Problems
	p.check(&ps)
	if f.PotentialImpact < 1 || f.PotentialImpact > 5 {
		ps.add(RuleValue, "potential-impact", "expected N1 to N5, found N%d", f.PotentialImpact)
	}
	if f.Evaluated.IsZero() && f.PotentialImpact != 1 {
		ps.add(RuleMissing, "evaluated", "expected the time of the completed evaluation, found none")
	}
	if err := ps.err(); err != nil {
		return Deadline{}, err
	}
	d.step("potential-impact", fmt.Sprintf("N%d", f.PotentialImpact), "class %s", p.Class)
	if f.PotentialImpact == 1 {
		d.Without = "no time frame"
		return d, nil
	}
	hours := 0
	for column, possible := range [3]bool{
		f.LikelyExploitable != No && f.InternetReachable != No,
		f.LikelyExploitable != No && f.InternetReachable != Yes,
		f.LikelyExploitable != Yes,
	} {
		if possible {
			h := vdrHours[p.Class][f.PotentialImpact][column]
			d.Outcomes = append(d.Outcomes, period(h))
			if hours == 0 || h < hours {
				hours = h
			}
		}
	}
	d.At = f.Evaluated.Add(time.Duration(hours) * time.Hour)
	d.step("due", d.String(), "%s from the evaluation, %s; internet-reachable %v, likely exploitable %v", period(hours), f.Evaluated.UTC().Format(time.RFC3339), f.InternetReachable, f.LikelyExploitable)
	return d, nil
}

func period(hours int) string {
	if hours%24 == 0 {
		return fmt.Sprintf("%d days", hours/24)
	}
	return fmt.Sprintf("%d hours", hours)
}

// EvaluationDue returns by when a detection must be evaluated (VER-TFR-EVU). The
// error is a [Problems].
func (p VDRPolicy) EvaluationDue(detected time.Time) (time.Time, error) {
	var ps Problems
	p.check(&ps)
	return detected.Add(time.Duration(vdrEvaluate[p.Class]) * 24 * time.Hour), ps.err()
}

// MustBeAccepted tells whether a finding counts as an accepted vulnerability:
// neither fully mitigated nor remediated 192 days after its evaluation
// (VER-TFR-MAV).
func (p VDRPolicy) MustBeAccepted(f Finding, now time.Time) bool {
	return f.State < FullyMitigated && !f.Evaluated.IsZero() && now.After(f.Evaluated.Add(192*24*time.Hour))
}

// TreatAsIncident returns with what force a finding is to be treated as an
// incident, "SHOULD", "MAY" or "" (VER-TFR-IRI, VER-TFR-NRI). Unknown facts count
// as no.
func (p VDRPolicy) TreatAsIncident(f Finding) string {
	reachable := f.InternetReachable == Yes
	switch {
	case f.LikelyExploitable != Yes, reachable && f.PotentialImpact < 4, !reachable && f.PotentialImpact < 5:
		return ""
	case p.Class == "D", p.Class == "C" && reachable:
		return "SHOULD"
	}
	return "MAY"
}

// A KEVPolicy takes the due date of CISA's KEV catalog (BOD 22-01, since revoked by
// BOD 26-04; FedRAMP rule VDR-TFR-KEV). Only remediation ends its clock.
type KEVPolicy struct{}

// Due implements [Policy].
func (KEVPolicy) Due(f Finding) (Deadline, error) {
	d := Deadline{Policy: "KEV catalog", Version: "BOD 22-01", Rule: "VDR-TFR-KEV", Force: "SHOULD", SatisfiedBy: Remediated}
	switch {
	case f.KEV == Yes && f.KEVDue.IsZero():
		return Deadline{}, Problems{{Rule: RuleMissing, Pointer: "kev-due", Message: "expected the due date of the catalog, found none"}}
	case f.KEV == Yes && !f.KEVDue.exists():
		var ps Problems
		ps.day("kev-due", f.KEVDue)
		return Deadline{}, ps
	case f.KEV != Yes:
		d.Without = "not in the KEV catalog"
		return d, nil
	}
	d.Date = f.KEVDue
	d.step("due", d.Date.String(), "due date of the catalog; only remediation satisfies it")
	return d, nil
}

// A BODPolicy is CISA's Binding Operational Directive 26-04 (issued 2026-06-10,
// its time lines apply from 2026-12-07): the decision table cisa:DT_BOD2604 and
// calendar days. When the clock starts and what stands for missing facts is not in
// the table but in literature about the directive, hence options.
type BODPolicy struct {
	// StartAtFacts starts the clock when the facts came to hold, Finding.At,
	// instead of at the earlier of KEV listing and detection.
	StartAtFacts bool
	// Defaults fills in what is not known of a vulnerability that is not in the
	// KEV catalog: automatable no, technical impact total. Of one that is listed
	// it is an error then. Without it all outcomes that are possible are
	// returned, and the earliest counts.
	Defaults bool
	// AssumeAutomatable takes what is not known to be automatable for automatable,
	// as FedRAMP's rule VER-EVA-AIA demands; it goes before Defaults.
	AssumeAutomatable bool
}

var bodDays = map[string]int{"60D": 60, "14D": 14, "3D": 3, "3DF": 3}

// Due implements [Policy].
func (p BODPolicy) Due(f Finding) (Deadline, error) {
	table, err := LookupTable("bod-26-04")
	if err != nil {
		return Deadline{}, err
	}
	d := Deadline{Policy: "BOD 26-04", Version: table.ID(), Rule: "table", Force: "MUST", SatisfiedBy: Remediated}
	var ps Problems
	automatable, impact := f.Automatable, f.TechnicalImpact
	if automatable == Unknown && p.AssumeAutomatable {
		automatable = Yes
		d.Assumed = append(d.Assumed, "automatable=yes")
	}
	if automatable == Unknown && p.Defaults {
		if f.KEV == Yes {
			ps.add(RuleMissing, "automatable", "a vulnerability in the KEV catalog has no default for automatable")
		}
		automatable = No
		d.Assumed = append(d.Assumed, "automatable=no")
	}
	if impact == "" && p.Defaults {
		if f.KEV == Yes {
			ps.add(RuleMissing, "technical-impact", "a vulnerability in the KEV catalog has no default for technical impact")
		}
		impact = "total"
		d.Assumed = append(d.Assumed, "technicalImpact=total")
	}
	start := DateOf(f.At)
	if !p.StartAtFacts {
		ps.day("detected", f.Detected)
		ps.day("kev-listed", f.KEVListed)
		start = f.Detected
		if f.KEV == Yes && !f.KEVListed.IsZero() && (start.IsZero() || f.KEVListed.Compare(start) < 0) {
			start = f.KEVListed
		}
	}
	if start.IsZero() {
		ps.add(RuleMissing, "detected", "expected a date at which the clock starts, found none")
	}
	facts := Facts{}
	for name, a := range map[string]Answer{"In KEV": f.KEV, "Publicly Exposed": f.Exposed, "Automatable": automatable} {
		if a != Unknown {
			facts[name] = []string{a.String()}
		}
	}
	if impact != "" {
		facts["Technical Impact"] = []string{impact}
	}
	decision, err := table.Decide(facts)
	if err != nil {
		if err := ps.join(err, ""); err != nil {
			return Deadline{}, err
		}
	}
	if err := ps.err(); err != nil {
		return Deadline{}, err
	}
	d.Why = decision.Rate().Why
	for _, a := range d.Assumed {
		d.step("assumed", a, "not known")
	}
	for _, o := range decision.Outcomes {
		d.Outcomes = append(d.Outcomes, strings.ToLower(o.Name))
	}
	highest := decision.Highest()
	d.Forensic = highest.Key == "3DF"
	days, dated := bodDays[highest.Key]
	if !dated {
		d.Without = "next upgrade"
		return d, nil
	}
	d.Date = start.AddDays(days)
	d.step("due", d.Date.String(), "%d days from %v", days, start)
	return d, nil
}
