package risk

import "time"

// Decision says what became of a request for acceptance.
type Decision int

// The decisions.
const (
	Pending    Decision = iota + 1 // requested, not decided
	Approved                       // in force while not expired and not void
	Rejected                       // by who decided
	Withdrawn                      // by who requested
	Revoked                        // after it was approved
	Superseded                     // ended by a newer acceptance, a treatment or a changed assessment
)

var decisionNames = names{"", "pending", "approved", "rejected", "withdrawn", "revoked", "superseded"}

func (d Decision) String() string               { return decisionNames.string("Decision", int(d)) }
func (d Decision) MarshalText() ([]byte, error) { return decisionNames.marshal("Decision", int(d)) }
func (d *Decision) UnmarshalText(text []byte) error {
	return unmarshal(decisionNames, "decision", text, d)
}

// An Acceptance is a request to live with a risk as it was assessed, and what
// was decided. It has an expiry, and is bound to the digest of the assessment
// that was accepted: when the assessment changes it is void (ISO/IEC 27001:2022,
// 6.1.3 f, asks for the risk owner's approval of these residual risks).
type Acceptance struct {
	ID            string    `json:"id"`
	Decision      Decision  `json:"decision"`
	Justification string    `json:"justification"`
	RequestedBy   string    `json:"requestedBy"`
	RequestedAt   time.Time `json:"requestedAt,omitzero"`
	Expires       time.Time `json:"expires"` // first instant at which it is no longer in force
	Digest        string    `json:"digest"`  // of the assessment
	Level         string    `json:"level,omitempty"`
	DecidedBy     string    `json:"decidedBy,omitempty"`
	DecidedAt     time.Time `json:"decidedAt,omitzero"`
	Reason        string    `json:"reason,omitempty"` // of the decision
}

// Validity is whether an acceptance holds at some time.
type Validity struct {
	InForce bool
	Expired bool          // now is not before the expiry
	Void    bool          // the assessment that counts is not the one accepted
	Left    time.Duration // until the expiry, negative afterwards
}

// At returns whether an approved acceptance holds at now for the risk r; the
// zero Validity for one that is not approved.
func (a Acceptance) At(r Risk, now time.Time) Validity {
	if a.Decision != Approved {
		return Validity{}
	}
	s, ok := r.Standing()
	v := Validity{
		Expired: !now.Before(a.Expires),
		Void:    !ok || s.Digest() != a.Digest,
		Left:    a.Expires.Sub(now),
	}
	v.InForce = !v.Expired && !v.Void
	return v
}

// Accepted returns the approved acceptance that stands, be it in force, expired
// or void.
func (r Risk) Accepted() (Acceptance, bool) { return r.acceptance(Approved) }

// Requested returns the acceptance that was requested and is not decided.
func (r Risk) Requested() (Acceptance, bool) { return r.acceptance(Pending) }

func (r Risk) acceptance(d Decision) (Acceptance, bool) {
	if i := r.lastAcceptance(d); i >= 0 {
		return r.Acceptances[i], true
	}
	return Acceptance{}, false
}

// lastAcceptance returns the index of the last acceptance with a decision, -1
// for none.
func (r Risk) lastAcceptance(d Decision) int {
	for i := len(r.Acceptances) - 1; i >= 0; i-- {
		if r.Acceptances[i].Decision == d {
			return i
		}
	}
	return -1
}
