package risk

import (
	"context"
	"iter"
	"time"

	"github.com/issokit/issokit/oscal"
)

// A Threat names a threat event in some system, e.g. a technique of ATT&CK.
type Threat struct {
	System string `json:"system"` // URI, e.g. "https://attack.mitre.org"
	ID     string `json:"id"`     // e.g. "T1566"
	Href   string `json:"href,omitempty"`
}

// A Mitigation is an existing control or circumstance that reduces the risk.
type Mitigation struct {
	ID             string `json:"id"`
	Description    string `json:"description"`
	Implementation string `json:"implementation,omitempty"` // UUID of the implementation statement that it refers to
}

// CloseReason says why a risk was closed.
type CloseReason int

// The reasons.
const (
	Eliminated    CloseReason = iota + 1 // it can no longer happen
	FalsePositive                        // it never could
	Duplicate                            // another risk says the same
	OutOfScope                           // of the register
)

var closeNames = names{"", "eliminated", "false-positive", "duplicate", "out-of-scope"}

func (c CloseReason) String() string { return closeNames.string("CloseReason", int(c)) }

func (c CloseReason) MarshalText() ([]byte, error) { return closeNames.marshal("CloseReason", int(c)) }

func (c *CloseReason) UnmarshalText(text []byte) error {
	return unmarshal(closeNames, "reason of closure", text, c)
}

// A Closure says why a risk is closed and what shows it.
type Closure struct {
	Reason      CloseReason `json:"reason"`
	By          string      `json:"by"`
	ConfirmedBy string      `json:"confirmedBy,omitempty"` // for a false positive: someone other than the owner
	At          time.Time   `json:"at,omitzero"`
	Evidence    []string    `json:"evidence,omitempty"` // IDs or links
}

// A Risk is one entry of the register. People, nodes, assets and controls are
// named by IDs of the caller's choice.
type Risk struct {
	ID           string           `json:"id"`
	Title        string           `json:"title"`
	Description  string           `json:"description"`
	Statement    string           `json:"statement"` // what it means for the system
	State        State            `json:"state,omitzero"`
	Category     string           `json:"category,omitempty"` // for appetite
	Owner        string           `json:"owner,omitempty"`
	Parent       string           `json:"parent,omitempty"`   // node of the hierarchy that it counts under
	Priority     *int             `json:"priority,omitempty"` // lower first
	Deadline     time.Time        `json:"deadline,omitzero"`  // by which it must be resolved
	Sources      []string         `json:"sources,omitempty"`  // threat sources
	Threats      []Threat         `json:"threats,omitempty"`  // threat events
	Assets       []string         `json:"assets,omitempty"`   // affected
	Controls     []string         `json:"controls,omitempty"` // affected
	Origins      []Actor          `json:"origins,omitempty"`  // who found it
	Observations []string         `json:"observations,omitempty"`
	Assessments  []Assessment     `json:"assessments,omitempty"` // of all stages, oldest first
	Mitigations  []Mitigation     `json:"mitigations,omitempty"`
	Responses    []Response       `json:"responses,omitempty"`
	Acceptances  []Acceptance     `json:"acceptances,omitempty"` // oldest first
	Closure      *Closure         `json:"closure,omitempty"`     // of a closed risk
	Log          []Entry          `json:"log,omitempty"`         // oldest first; only grows
	Props        []oscal.Property `json:"props,omitempty"`       // of others; see [ToOSCAL]
	Links        []oscal.Link     `json:"links,omitempty"`

	// Source is the assembly that the risk was read from, if that says more than
	// the other fields can; nil otherwise. [ToOSCAL] keeps what it says where the
	// fields do not say otherwise.
	Source *oscal.Risk `json:"source,omitempty"`
}

// Key returns the ID.
func (r Risk) Key() string { return r.ID }

// A Store keeps risks by their IDs. A collection of package store satisfies it,
// and so may any other storage.
//
// Get of an unknown ID fails. Swap writes r if the stored revision is the one
// given, 0 for a new risk, and returns the new revision; on a stale one it fails
// and writes nothing. All yields in the order of the IDs, nothing after an error,
// and holds no lock while its body runs. The methods may be called by several
// goroutines at once.
type Store interface {
	Get(ctx context.Context, id string) (Risk, error)
	Swap(ctx context.Context, r Risk, revision int64) (int64, error)
	All(ctx context.Context) iter.Seq2[Risk, error]
}

// Update applies an event to the given revision of a risk, and returns the risk
// and its new revision. If the store holds another revision by now, the error is
// that of its Swap, and nothing is written: the event was meant for a risk that
// somebody has changed meanwhile.
func Update(ctx context.Context, s Store, id string, revision int64, e Event, c Criteria, now time.Time) (Risk, int64, error) {
	r, err := s.Get(ctx, id)
	if err != nil {
		return Risk{}, 0, err
	}
	if r, err = r.Apply(e, c, now); err != nil {
		return Risk{}, 0, err
	}
	if revision, err = s.Swap(ctx, r, revision); err != nil {
		return Risk{}, 0, err
	}
	return r, revision, nil
}
