package vendors

import (
	"context"
	"iter"
	"time"

	"github.com/issokit/issokit/oscal"
)

// A Vendor is an organization that supplies something.
type Vendor struct {
	ID          string       `json:"id" yaml:"id"`
	LegalName   string       `json:"legal-name" yaml:"legal-name"`
	ShortName   string       `json:"short-name,omitzero" yaml:"short-name,omitempty"`
	Identifiers []Identifier `json:"identifiers,omitzero" yaml:"identifiers,omitempty"`
	Parent      string       `json:"parent,omitzero" yaml:"parent,omitempty"` // ID of the vendor that owns this one
	Contacts    []Contact    `json:"contacts,omitzero" yaml:"contacts,omitempty"`
	OSCAL       *oscal.Party `json:"oscal,omitzero" yaml:"oscal,omitempty"` // what its OSCAL party has beside; nil for nothing
}

// An Identifier is a registered number of a vendor.
type Identifier struct {
	Scheme string `json:"scheme" yaml:"scheme"` // lei, euid, duns, uei, vat, or a URI
	Value  string `json:"value" yaml:"value"`
}

// A Contact is a person at a vendor.
type Contact struct {
	ID    string       `json:"id" yaml:"id"`
	Name  string       `json:"name" yaml:"name"`
	Role  string       `json:"role,omitzero" yaml:"role,omitempty"` // what to ask them about, e.g. security
	Email string       `json:"email,omitzero" yaml:"email,omitempty"`
	Phone string       `json:"phone,omitzero" yaml:"phone,omitempty"`
	OSCAL *oscal.Party `json:"oscal,omitzero" yaml:"oscal,omitempty"` // what the OSCAL party has beside; nil for nothing
}

// An Engagement is one service of one vendor: the unit that is tiered, assessed,
// contracted, watched and ended.
type Engagement struct {
	ID             string                 `json:"id" yaml:"id"`
	Vendor         string                 `json:"vendor" yaml:"vendor"`
	Service        string                 `json:"service" yaml:"service"` // title of what is supplied
	Description    string                 `json:"description,omitzero" yaml:"description,omitempty"`
	Type           string                 `json:"type,omitzero" yaml:"type,omitempty"`         // OSCAL component type, e.g. system, interconnection, software; default service
	Supports       []string               `json:"supports,omitzero" yaml:"supports,omitempty"` // functions, or UUIDs of components
	Owner          string                 `json:"owner,omitzero" yaml:"owner,omitempty"`       // who answers for it on our side
	Exposure       Exposure               `json:"exposure,omitzero" yaml:"exposure,omitempty"`
	Contract       string                 `json:"contract,omitzero" yaml:"contract,omitempty"`
	Subcontracts   []Subcontract          `json:"subcontracts,omitzero" yaml:"subcontracts,omitempty"`
	Status         Status                 `json:"status,omitzero" yaml:"status,omitempty"`
	Requested      Date                   `json:"requested,omitzero" yaml:"requested,omitempty"`               // when it was proposed
	ExitPlanTested Date                   `json:"exit-plan-tested,omitzero" yaml:"exit-plan-tested,omitempty"` // last test of the exit plan
	Authorization  *Authorization         `json:"authorization,omitzero" yaml:"authorization,omitempty"`       // nil if no one authorized the service
	OSCAL          *oscal.SystemComponent `json:"oscal,omitzero" yaml:"oscal,omitempty"`                       // what the OSCAL component has beside; nil for nothing
}

// Exposure is what we put into the hands of a vendor. Absent is not zero: a nil
// pointer, a nil slice and an empty text say that the factor is not known.
type Exposure struct {
	Function         *int      `json:"function,omitzero" yaml:"function,omitempty"`                 // criticality of what depends on it: 0 nothing to 4 a critical function
	Data             string    `json:"data,omitzero" yaml:"data,omitempty"`                         // most sensitive class of data, as the scheme names it
	Records          *int64    `json:"records,omitzero" yaml:"records,omitempty"`                   // records about persons or customers
	Access           *Access   `json:"access,omitzero" yaml:"access,omitempty"`                     // where it is given, what it does not name is not granted
	Substitutability string    `json:"substitutability,omitzero" yaml:"substitutability,omitempty"` // how hard to replace, as the scheme names it
	Regulated        DataKinds `json:"regulated,omitzero" yaml:"regulated,omitempty"`               // kinds of regulated data; empty but not nil for none
	Spend            *Money    `json:"spend,omitzero" yaml:"spend,omitempty"`                       // a year
}

// DataKinds are kinds of regulated data, as the scheme names them. An empty list
// says that there are none, nil that it is not known.
type DataKinds []string

// IsZero tells whether the kinds are not known, so that an empty list is written.
func (k DataKinds) IsZero() bool { return k == nil }

// Access is what a vendor can reach.
type Access struct {
	Network    bool `json:"network,omitzero" yaml:"network,omitempty"`         // our networks
	Privileged bool `json:"privileged,omitzero" yaml:"privileged,omitempty"`   // as an administrator
	Physical   bool `json:"physical,omitzero" yaml:"physical,omitempty"`       // our premises
	SourceCode bool `json:"source-code,omitzero" yaml:"source-code,omitempty"` // our source code
}

// A Subcontract is a fourth party: a vendor that supplies the vendor of an
// engagement, or one of its suppliers.
type Subcontract struct {
	Vendor   string                 `json:"vendor" yaml:"vendor"`                        // who supplies
	Customer string                 `json:"customer,omitzero" yaml:"customer,omitempty"` // who is supplied; default the engagement's vendor
	Service  string                 `json:"service,omitzero" yaml:"service,omitempty"`   // what
	OSCAL    *oscal.SystemComponent `json:"oscal,omitzero" yaml:"oscal,omitempty"`       // what the OSCAL component has beside; nil for nothing
}

// An Authorization says that the vendor's service has an authorization of its
// own that a system can leverage.
type Authorization struct {
	Title string                        `json:"title" yaml:"title"`
	Date  Date                          `json:"date" yaml:"date"`
	OSCAL *oscal.LeveragedAuthorization `json:"oscal,omitzero" yaml:"oscal,omitempty"` // what the OSCAL assembly has beside; nil for nothing
}

// A Contract covers engagements for a time.
type Contract struct {
	ID          string   `json:"id" yaml:"id"`
	Title       string   `json:"title,omitzero" yaml:"title,omitempty"`
	Engagements []string `json:"engagements,omitzero" yaml:"engagements,omitempty"`
	Start       Date     `json:"start,omitzero" yaml:"start,omitempty"`
	End         Date     `json:"end,omitzero" yaml:"end,omitempty"` // last day; zero for an open end
	AutoRenew   bool     `json:"auto-renew,omitzero" yaml:"auto-renew,omitempty"`
	Renewal     Span     `json:"renewal,omitzero" yaml:"renewal,omitempty"`       // term of each renewal; default 1 year
	Terminated  Date     `json:"terminated,omitzero" yaml:"terminated,omitempty"` // last day after notice was given
	Notice      Span     `json:"notice,omitzero" yaml:"notice,omitempty"`         // before the end of a term
	Clauses     []Clause `json:"clauses,omitzero" yaml:"clauses,omitempty"`
	Waivers     []Waiver `json:"waivers,omitzero" yaml:"waivers,omitempty"`
	Href        string   `json:"href,omitzero" yaml:"href,omitempty"`
	Digest      string   `json:"digest,omitzero" yaml:"digest,omitempty"` // SHA-256 of the signed text, hexadecimal
}

// A Clause is one duty of the vendor.
type Clause struct {
	Kind      string `json:"kind" yaml:"kind"`                              // e.g. breach-notification, right-to-audit, exit, data-return, subcontracting, sla, dpa
	Within    *Span  `json:"within,omitzero" yaml:"within,omitempty"`       // how soon the vendor must act; nil if not stated
	Reference string `json:"reference,omitzero" yaml:"reference,omitempty"` // section of the contract
}

// A Waiver accepts the gap that a clause leaves, until a day.
type Waiver struct {
	Clause string `json:"clause" yaml:"clause"`
	Until  Date   `json:"until" yaml:"until"` // last day
	By     string `json:"by" yaml:"by"`
	Reason string `json:"reason" yaml:"reason"`
}

// A Document is evidence that a vendor gave us.
type Document struct {
	ID           string   `json:"id" yaml:"id"`
	Engagement   string   `json:"engagement" yaml:"engagement"`
	Type         string   `json:"type" yaml:"type"` // e.g. soc2-type2, soc2-type1, iso27001-certificate, pentest
	Title        string   `json:"title,omitzero" yaml:"title,omitempty"`
	PeriodStart  Date     `json:"period-start,omitzero" yaml:"period-start,omitempty"`
	PeriodEnd    Date     `json:"period-end,omitzero" yaml:"period-end,omitempty"`
	AsOf         Date     `json:"as-of,omitzero" yaml:"as-of,omitempty"`                 // for a document about a point in time
	ValidUntil   Date     `json:"valid-until,omitzero" yaml:"valid-until,omitempty"`     // last day
	BridgedUntil Date     `json:"bridged-until,omitzero" yaml:"bridged-until,omitempty"` // last day that a bridge letter speaks for
	Issued       Date     `json:"issued,omitzero" yaml:"issued,omitempty"`
	Digest       string   `json:"digest,omitzero" yaml:"digest,omitempty"` // SHA-256, hexadecimal
	Href         string   `json:"href,omitzero" yaml:"href,omitempty"`
	Qualified    bool     `json:"qualified,omitzero" yaml:"qualified,omitempty"`         // the auditor's opinion has a reservation
	UserControls []string `json:"user-controls,omitzero" yaml:"user-controls,omitempty"` // complementary user-entity controls: what we must do
	Subservice   []string `json:"subservice,omitzero" yaml:"subservice,omitempty"`       // carved-out subservice organizations: IDs of vendors
}

// An Assessment is one look at an engagement, with the decision that followed.
type Assessment struct {
	ID         string      `json:"id" yaml:"id"`
	Engagement string      `json:"engagement" yaml:"engagement"`
	Responses  []string    `json:"responses,omitzero" yaml:"responses,omitempty"` // IDs of answered questionnaires
	Due        Date        `json:"due,omitzero" yaml:"due,omitempty"`             // the day by which it had to be done
	Completed  Date        `json:"completed,omitzero" yaml:"completed,omitempty"`
	Inherent   *Rating     `json:"inherent,omitzero" yaml:"inherent,omitempty"` // nil if nothing could be scored
	Residual   *Rating     `json:"residual,omitzero" yaml:"residual,omitempty"`
	Issues     []Issue     `json:"issues,omitzero" yaml:"issues,omitempty"`
	Decision   Decision    `json:"decision,omitzero" yaml:"decision,omitempty"`
	Decided    Date        `json:"decided,omitzero" yaml:"decided,omitempty"`
	By         string      `json:"by,omitzero" yaml:"by,omitempty"`
	Conditions []Condition `json:"conditions,omitzero" yaml:"conditions,omitempty"`
	Expires    Date        `json:"expires,omitzero" yaml:"expires,omitempty"` // last day of the decision
}

// A Rating is a level with what it was computed from, so that it can be
// computed again.
type Rating struct {
	Level  Severity `json:"level" yaml:"level"`
	Model  string   `json:"model" yaml:"model"`                      // name and version of the model
	Inputs []string `json:"inputs,omitzero" yaml:"inputs,omitempty"` // a line for each
}

// An Issue is a weakness that an assessment found.
type Issue struct {
	ID       string   `json:"id" yaml:"id"`
	Text     string   `json:"text" yaml:"text"`
	Severity Severity `json:"severity" yaml:"severity"`
	Opened   Date     `json:"opened" yaml:"opened"`
	Closed   Date     `json:"closed,omitzero" yaml:"closed,omitempty"`
}

// A Condition is what a conditional approval asks for.
type Condition struct {
	ID    string `json:"id" yaml:"id"`
	Text  string `json:"text" yaml:"text"`
	Owner string `json:"owner,omitzero" yaml:"owner,omitempty"`
	Due   Date   `json:"due,omitzero" yaml:"due,omitempty"`
	Met   Date   `json:"met,omitzero" yaml:"met,omitempty"` // zero while it is open
}

// A Signal is news about a vendor from outside: a rating, a breach, a sanction.
type Signal struct {
	Vendor    string    `json:"vendor" yaml:"vendor"`
	Source    string    `json:"source" yaml:"source"`
	Kind      string    `json:"kind" yaml:"kind"`
	Observed  time.Time `json:"observed" yaml:"observed"`
	Severity  Severity  `json:"severity" yaml:"severity"`
	Reference string    `json:"reference,omitzero" yaml:"reference,omitempty"`
}

// A Duty is a time within which we must tell others of an incident.
type Duty struct {
	ID     string `json:"id" yaml:"id"`
	Within Span   `json:"within" yaml:"within"`
}

// A Store keeps engagements by their IDs. Get of an unknown ID fails. Swap writes
// e if the stored revision is the one given, 0 for a new engagement, and returns
// the new revision; on a stale one it fails and writes nothing. All yields in
// the order of the IDs, nothing after an error, and holds no lock while its body
// runs. The methods may be called by several goroutines at once.
type Store interface {
	Get(ctx context.Context, id string) (Engagement, error)
	Swap(ctx context.Context, e Engagement, revision int64) (int64, error)
	All(ctx context.Context) iter.Seq2[Engagement, error]
}

// Key returns the ID, under which a store keeps the engagement.
func (e Engagement) Key() string { return e.ID }

// Severity says how bad something is.
type Severity int

// The severities, the mildest first.
const (
	Informational Severity = iota + 1
	Low
	Moderate
	High
	Critical
)

var severityNames = names{"informational", "low", "moderate", "high", "critical"}

func (s Severity) String() string               { return severityNames.name("Severity", int(s)) }
func (s Severity) MarshalText() ([]byte, error) { return severityNames.marshal("Severity", int(s)) }
func (s *Severity) UnmarshalText(text []byte) error {
	i, err := severityNames.unmarshal(text)
	*s = Severity(i)
	return err
}

// Decision is what was decided about an engagement.
type Decision int

// The decisions.
const (
	DecisionApproved Decision = iota + 1
	DecisionConditional
	DecisionRejected
)

var decisionNames = names{"approved", "conditional", "rejected"}

func (d Decision) String() string               { return decisionNames.name("Decision", int(d)) }
func (d Decision) MarshalText() ([]byte, error) { return decisionNames.marshal("Decision", int(d)) }
func (d *Decision) UnmarshalText(text []byte) error {
	i, err := decisionNames.unmarshal(text)
	*d = Decision(i)
	return err
}
