package vendors

import "fmt"

// Limits say how old evidence may be; the zero Limits mean the defaults.
type Limits struct {
	Bridge  int // days from the end of the period after which a bridge letter is needed; default 90
	Expired int // days after which the document no longer counts; default 365
}

// CoverageState says whether a document still speaks for a day.
type CoverageState int

// The states.
const (
	CoverageOK         CoverageState = iota + 1
	BridgeLetterNeeded               // the period ended too long ago, a letter of the vendor must speak for the time since
	CoverageExpired                  // no longer valid
	NotAccepted                      // the document cannot show what is needed
)

var coverageNames = names{"ok", "bridge-letter-needed", "expired", "not-accepted"}

func (s CoverageState) String() string { return coverageNames.name("CoverageState", int(s)) }
func (s CoverageState) MarshalText() ([]byte, error) {
	return coverageNames.marshal("CoverageState", int(s))
}

func (s *CoverageState) UnmarshalText(text []byte) error {
	i, err := coverageNames.unmarshal(text)
	*s = CoverageState(i)
	return err
}

// Coverage is what a document says about a day.
type Coverage struct {
	State  CoverageState
	Bridge *int // days from the end of the audited period to the day; nil for a document without period
}

// Coverage computes whether the document speaks for a day.
//
// A document about a period (SOC 2 type 2) counts for [Limits.Bridge] days after
// the period ends, then needs a bridge letter ([Document.BridgedUntil] counts
// instead of the end), and has expired after [Limits.Expired] days whatever
// letters say. A document with a last day of validity counts up to and on that
// day. One about a point in time ages from that day, but the type 1 reports of
// SOC 1 and SOC 2, which show that controls are designed and not that they
// work, are not accepted. A qualified opinion changes nothing here: it is an
// issue of its own.
//
// The error matches [ErrValue] if the document is of later than the day, or its
// period ends before it starts; [ErrMissing] if it has none of these dates.
func (d Document) Coverage(on Date, limits Limits) (Coverage, error) {
	if limits.Bridge == 0 {
		limits.Bridge = 90
	}
	if limits.Expired == 0 {
		limits.Expired = 365
	}
	fail := func(kind error, format string, args ...any) (Coverage, error) {
		return Coverage{}, fmt.Errorf("vendors: document %s: %w: %s", d.ID, kind, fmt.Sprintf(format, args...))
	}
	switch {
	case !d.PeriodEnd.IsZero() && !d.PeriodStart.IsZero() && d.PeriodEnd.Compare(d.PeriodStart) < 0:
		return fail(ErrValue, "the period ends on %s, before it starts on %s", d.PeriodEnd, d.PeriodStart)
	case d.PeriodEnd.Compare(on) > 0:
		return fail(ErrValue, "the period ends on %s, after %s", d.PeriodEnd, on)
	case d.AsOf.Compare(on) > 0:
		return fail(ErrValue, "the document is of %s, after %s", d.AsOf, on)
	}
	var c Coverage
	switch {
	case !d.PeriodEnd.IsZero():
		days := on.DaysSince(d.PeriodEnd)
		gap := days
		if d.BridgedUntil.Compare(d.PeriodEnd) > 0 {
			gap = on.DaysSince(d.BridgedUntil)
		}
		c = Coverage{CoverageOK, &days}
		switch {
		case days > limits.Expired:
			c.State = CoverageExpired
		case gap > limits.Bridge:
			c.State = BridgeLetterNeeded
		}
	case d.Type == "soc1-type1" || d.Type == "soc2-type1":
		return Coverage{State: NotAccepted}, nil
	case !d.AsOf.IsZero():
		c.State = CoverageOK
		if on.DaysSince(d.AsOf) > limits.Expired {
			c.State = CoverageExpired
		}
	case d.ValidUntil.IsZero():
		return fail(ErrMissing, "expected a period, a day as of which it was made, or a last day of validity")
	default:
		c.State = CoverageOK
	}
	if !d.ValidUntil.IsZero() && on.Compare(d.ValidUntil) > 0 {
		c.State = CoverageExpired
	}
	return c, nil
}

// expiry returns the last day on which the document counts, zero if that is not
// known.
func (d Document) expiry(limits Limits) Date {
	if limits.Expired == 0 {
		limits.Expired = 365
	}
	last := d.ValidUntil
	for _, from := range []Date{d.PeriodEnd, d.AsOf} {
		if from.IsZero() {
			continue
		}
		if end := from.AddDays(limits.Expired); last.IsZero() || end.Compare(last) < 0 {
			last = end
		}
	}
	return last
}
