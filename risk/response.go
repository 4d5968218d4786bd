package risk

import "time"

// ResponseKind is the kind of a response, as OSCAL's prop type of a response
// has it.
type ResponseKind int

// The kinds of responses.
const (
	Avoid       ResponseKind = iota + 1 // end what brings the risk
	Mitigate                            // reduce likelihood or impact
	Transfer                            // hand it to someone else
	Share                               // hand part of it to someone else
	Accept                              // live with it
	Contingency                         // plan for when it happens
	NoResponse                          // none, e.g. for a false positive
)

var responseNames = names{"", "avoid", "mitigate", "transfer", "share", "accept", "contingency", "none"}

func (k ResponseKind) String() string { return responseNames.string("ResponseKind", int(k)) }
func (k ResponseKind) MarshalText() ([]byte, error) {
	return responseNames.marshal("ResponseKind", int(k))
}

func (k *ResponseKind) UnmarshalText(text []byte) error {
	return unmarshal(responseNames, "kind of response", text, k)
}

// Lifecycle says how far a response is.
type Lifecycle int

// The life cycle of a response. OSCAL knows no cancelled responses; they are
// written as recommendations that an own prop marks.
const (
	Recommended Lifecycle = iota + 1
	Planned
	Completed
	Cancelled
)

var lifecycleNames = names{"", "recommendation", "planned", "completed", "cancelled"}

func (l Lifecycle) String() string { return lifecycleNames.string("Lifecycle", int(l)) }

func (l Lifecycle) MarshalText() ([]byte, error) { return lifecycleNames.marshal("Lifecycle", int(l)) }

func (l *Lifecycle) UnmarshalText(text []byte) error {
	return unmarshal(lifecycleNames, "life cycle", text, l)
}

// Money is an amount in units of a currency.
type Money struct {
	Amount   float64 `json:"amount"`
	Currency string  `json:"currency"` // ISO 4217
}

// A Milestone is a step of a response.
type Milestone struct {
	ID          string    `json:"id"`
	Title       string    `json:"title"`
	Description string    `json:"description,omitempty"`
	Start       time.Time `json:"start,omitzero"`
	Due         time.Time `json:"due,omitzero"`
	Done        time.Time `json:"done,omitzero"` // zero while it is open
}

// A Response is what is done about a risk.
type Response struct {
	ID          string       `json:"id"`
	Kind        ResponseKind `json:"kind,omitzero"`
	Lifecycle   Lifecycle    `json:"lifecycle"`
	Title       string       `json:"title"`
	Description string       `json:"description,omitempty"`
	Owner       string       `json:"owner,omitempty"` // who does it
	Due         time.Time    `json:"due,omitzero"`
	Controls    []string     `json:"controls,omitempty"` // that it puts in place or strengthens
	Cost        Money        `json:"cost,omitzero"`      // planned
	Spent       Money        `json:"spent,omitzero"`
	Milestones  []Milestone  `json:"milestones,omitempty"`
}

// open tells whether the response is still to be done.
func (s Response) open() bool { return s.Lifecycle == Planned }
