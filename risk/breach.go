package risk

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// BreachKind is what is out of bounds.
type BreachKind int

// The kinds of breaches.
const (
	AboveAppetite         BreachKind = iota + 1 // level above appetite, within tolerance
	AboveTolerance                              // level above tolerance
	AboveCapacity                               // level above what can be borne at all
	LossAboveAppetite                           // mean annual loss above the appetite
	CurveAboveTolerance                         // the loss exceedance curve above the tolerance curve
	AcceptanceExpired                           // the acceptance that stands has expired
	AcceptanceVoid                              // the assessment is not the one that was accepted
	AcceptanceExpires                           // warning: it will soon
	ResponseOverdue                             // a planned response is not done by its due date
	MilestoneOverdue                            // a milestone of a planned response is not done by its due date
	DeadlinePassed                              // of the risk
	ReviewOverdue                               // by the interval for the level
	AssessmentStale                             // older than the term for the level
	ResidualAboveInherent                       // warning: the target is worse than no controls at all
	TargetNotReached                            // warning: all responses are done, the current level is above the residual
)

var breachNames = names{
	"", "above appetite", "above tolerance", "above capacity", "mean annual loss above appetite", "loss exceedance above tolerance",
	"acceptance expired", "acceptance void: assessment changed", "acceptance expires", "response overdue", "milestone overdue", "deadline passed",
	"review overdue", "assessment stale", "residual above inherent", "treatments completed but current above residual",
}

func (k BreachKind) String() string { return breachNames.string("BreachKind", int(k)) }

func (k BreachKind) MarshalText() ([]byte, error) { return breachNames.marshal("BreachKind", int(k)) }

func (k *BreachKind) UnmarshalText(text []byte) error {
	return unmarshal(breachNames, "breach", text, k)
}

// A Breach is one thing about a risk that is out of bounds at some time.
type Breach struct {
	Kind    BreachKind
	Warning bool      // not out of bounds, but on the way, or out of them with an acceptance in force
	Since   time.Time // since when, or for what is to come, when
	Text    string
}

func (b Breach) String() string { return b.Text }

// NextReview returns when the risk is due for review: so many months, by the
// term for its level, after it was last assessed, evaluated, accepted or
// reviewed. It returns the zero time if there is no such term or nothing to start
// from.
func (c Criteria) NextReview(r Risk) time.Time {
	a, ok := r.Standing()
	months := c.term(a).Review
	if !ok || months == 0 || r.State == Closed {
		return time.Time{}
	}
	last := a.At
	for _, e := range r.Log {
		switch e.Event {
		case Analyse, Evaluate, Approve, Review:
			if e.At.After(last) {
				last = e.At
			}
		}
	}
	if last.IsZero() {
		return last
	}
	return addMonths(last, months)
}

// Breaches returns all that is out of bounds about a risk at now, the longest
// standing first; nothing for a closed risk. The error is a [Problems] whose
// elements match [ErrScale] if levels are on no scale or there is no appetite for
// them; the breaches that can be told are returned with it.
func (c Criteria) Breaches(r Risk, now time.Time) ([]Breach, error) {
	if r.State == Closed {
		return nil, nil
	}
	var out []Breach
	var ps Problems
	add := func(kind BreachKind, warning bool, since time.Time, text string) {
		out = append(out, Breach{kind, warning, since, kind.String() + text})
	}
	scale := func(err error) {
		if err != nil {
			ps = append(ps, Problem{r.ID, "assessments", err})
		}
	}

	accepted, standing := r.Accepted()
	validity := accepted.At(r, now)
	s, rated := r.Standing()
	if validity.Expired {
		add(AcceptanceExpired, false, accepted.Expires, "")
	}
	if validity.Void {
		add(AcceptanceVoid, false, s.At, "")
	}
	warn := time.Duration(cmp.Or(c.WarnDays, 30)) * 24 * time.Hour
	if standing && validity.InForce && validity.Left <= warn {
		days := int((validity.Left + 24*time.Hour - 1) / (24 * time.Hour))
		unit := "days"
		if days == 1 {
			unit = "day"
		}
		add(AcceptanceExpires, true, accepted.Expires, fmt.Sprintf(" in %d %s", days, unit))
	}

	if rated {
		scale(c.levelBreaches(r, s, validity.InForce, add))
		scale(c.lossBreaches(r, s, validity.InForce, add))
		if months := c.term(s).Stale; months > 0 && !s.At.IsZero() {
			if due := addMonths(s.At, months); due.Before(now) {
				add(AssessmentStale, false, due, fmt.Sprintf(": assessed on %s", s.At.Format(time.DateOnly)))
			}
		}
	}
	scale(c.stageBreaches(r, add))

	for _, p := range r.Responses {
		if !p.open() {
			continue
		}
		if !p.Due.IsZero() && p.Due.Before(now) {
			add(ResponseOverdue, false, p.Due, ": "+p.ID)
		}
		for _, m := range p.Milestones {
			if m.Done.IsZero() && !m.Due.IsZero() && m.Due.Before(now) {
				add(MilestoneOverdue, false, m.Due, fmt.Sprintf(": %s of %s", m.ID, p.ID))
			}
		}
	}
	if !r.Deadline.IsZero() && r.Deadline.Before(now) && !validity.InForce {
		add(DeadlinePassed, false, r.Deadline, "")
	}
	if due := c.NextReview(r); !due.IsZero() && due.Before(now) {
		add(ReviewOverdue, false, due, "")
	}
	slices.SortStableFunc(out, func(a, b Breach) int { return a.Since.Compare(b.Since) })
	return out, ps.err()
}

// levelBreaches compares the standing level with appetite, tolerance and
// capacity.
func (c Criteria) levelBreaches(r Risk, s Assessment, accepted bool, add func(BreachKind, bool, time.Time, string)) error {
	if s.Level == "" {
		return nil
	}
	p, err := c.levelPosition(r.Category, s)
	if err != nil || p == WithinAppetite {
		return err
	}
	kind := [...]BreachKind{WithinTolerance: AboveAppetite, BeyondTolerance: AboveTolerance, BeyondCapacity: AboveCapacity}[p]
	// It stands since the first of the assessments in a row that are as far out.
	since := s.At
	run := slices.SortedStableFunc(filter(r.Assessments, func(a Assessment) bool { return a.Stage == s.Stage && a.rates() }), func(a, b Assessment) int { return a.At.Compare(b.At) })
	for _, a := range slices.Backward(run) {
		if q, err := c.levelPosition(r.Category, a); err != nil || q < p {
			break
		}
		since = a.At
	}
	add(kind, accepted, since, ": "+s.Level)
	return nil
}

// lossBreaches compares the standing loss with the appetite for mean annual
// loss and with the tolerance curve.
func (c Criteria) lossBreaches(r Risk, s Assessment, accepted bool, add func(BreachKind, bool, time.Time, string)) error {
	if s.Loss == nil {
		return nil
	}
	a, ok := c.appetite(r.Category, s.System)
	if !ok || a.MeanLoss == 0 && a.Curve == nil {
		return nil
	}
	if a.Currency != s.Loss.Currency {
		return fmt.Errorf("%w: appetite in %q, loss in %q", ErrScale, a.Currency, s.Loss.Currency)
	}
	if a.MeanLoss > 0 && s.Loss.Mean.Value > a.MeanLoss {
		add(LossAboveAppetite, accepted, s.At, fmt.Sprintf(": %.2f above %.2f %s", s.Loss.Mean.Value, a.MeanLoss, a.Currency))
	}
	for _, p := range a.Exceeded(s.Loss.Curve) {
		t, _ := a.ToleranceAt(p.Loss)
		add(CurveAboveTolerance, accepted, s.At, fmt.Sprintf(": more than %.2f %s with probability %.6g, borne is %.6g", p.Loss, a.Currency, p.Probability.Value, t))
	}
	return nil
}

// stageBreaches compares the stages with each other.
func (c Criteria) stageBreaches(r Risk, add func(BreachKind, bool, time.Time, string)) error {
	residual, ok := r.Assessment(Residual)
	if !ok || residual.Level == "" {
		return nil
	}
	if inherent, ok := r.Assessment(Inherent); ok && inherent.Level != "" {
		d, err := c.Compare(residual, inherent)
		if err != nil {
			return err
		}
		if d > 0 {
			add(ResidualAboveInherent, true, residual.At, "")
		}
	}
	current, ok := r.Assessment(Current)
	if !ok || current.Level == "" || len(r.Responses) == 0 || slices.ContainsFunc(r.Responses, Response.open) {
		return nil
	}
	if !slices.ContainsFunc(r.Responses, func(s Response) bool { return s.Lifecycle == Completed }) {
		return nil
	}
	d, err := c.Compare(current, residual)
	if err == nil && d > 0 {
		add(TargetNotReached, true, current.At, "")
	}
	return err
}
