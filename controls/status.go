package controls

import (
	"fmt"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// Status is how far a requirement is implemented: the values of
// implementation-status in OSCAL. The zero value says nothing.
type Status uint8

// The implementation states.
const (
	Implemented   Status = iota + 1 // fully in place
	Partial                         // in place in part
	Planned                         // not begun, a plan exists
	Alternative                     // met in another way than the requirement says
	NotApplicable                   // does not apply to the system
)

var statusNames = [...]string{"unspecified", "implemented", "partial", "planned", "alternative", "not-applicable"}

func (s Status) String() string {
	if int(s) < len(statusNames) {
		return statusNames[s]
	}
	return fmt.Sprintf("Status(%d)", uint8(s))
}

// MarshalText gives the OSCAL value, nothing for the zero value.
func (s Status) MarshalText() ([]byte, error) {
	if s == 0 {
		return nil, nil
	}
	if int(s) >= len(statusNames) {
		return nil, fmt.Errorf("%v %w implementation-status", s, ErrValue)
	}
	return []byte(statusNames[s]), nil
}

// UnmarshalText reads an OSCAL value; empty is the zero value. The error matches
// [ErrValue].
func (s *Status) UnmarshalText(text []byte) error {
	if len(text) == 0 {
		*s = 0
		return nil
	}
	if i := slices.Index(statusNames[1:], string(text)); i >= 0 {
		*s = Status(i + 1)
		return nil
	}
	return fmt.Errorf("%q %w implementation-status (%s)", text, ErrValue, strings.Join(statusNames[1:], ", "))
}

// CombineStatus gives the status of a whole from those of its parts: of a
// statement from its components, of a control from its statements.
//
// What is not applicable counts only if all is, so that it weighs neither for
// nor against the rest. Of the rest, all implemented or alternative is
// implemented; none of it begun is planned; otherwise it is partial. A part
// whose status is not said counts as not begun, and if no part says anything,
// nor does the whole.
func CombineStatus(parts ...Status) Status {
	var done, begun, planned, open, not int
	for _, s := range parts {
		switch s {
		case Implemented, Alternative:
			done++
		case Partial:
			begun++
		case Planned:
			planned++
		case NotApplicable:
			not++
		default:
			open++
		}
	}
	switch {
	case done+begun+planned == 0 && open > 0 || len(parts) == 0:
		return 0
	case not == len(parts):
		return NotApplicable
	case begun+planned+open == 0:
		return Implemented
	case done+begun == 0:
		return Planned
	}
	return Partial
}

// Responsibility is who does what a requirement asks for: a set of the values
// of the prop control-origination in OSCAL. The zero value says nothing.
type Responsibility uint8

// The elements of a [Responsibility].
const (
	Organization       Responsibility = 1 << iota // the organization that owns the system, for all its systems
	SystemSpecific                                // the system itself
	CustomerConfigured                            // the system, configured by its customer
	CustomerProvided                              // the customer of the system
	Inherited                                     // an underlying system
)

var responsibilityNames = [...]string{"organization", "system-specific", "customer-configured", "customer-provided", "inherited"}

// responsibilityAlias are other names: those of FedRAMP, and the two
// combinations that its Control Implementation Summary has a word for.
var responsibilityAlias = map[string]Responsibility{
	"sp-corporate": Organization,
	"sp-system":    SystemSpecific,
	"hybrid":       Organization | SystemSpecific,
	"shared":       SystemSpecific | CustomerConfigured,
}

// IsHybrid tells whether organization and system do their parts.
func (r Responsibility) IsHybrid() bool {
	return r&(Organization|SystemSpecific) == Organization|SystemSpecific
}

// IsShared tells whether provider and customer do their parts.
func (r Responsibility) IsShared() bool {
	return r&(Organization|SystemSpecific) != 0 && r&(CustomerConfigured|CustomerProvided) != 0
}

// Origins returns the values of control-origination.
func (r Responsibility) Origins() []string {
	var out []string
	for i, name := range responsibilityNames {
		if r&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

func (r Responsibility) String() string {
	switch {
	case r == 0:
		return "unspecified"
	case r >= 1<<len(responsibilityNames):
		return fmt.Sprintf("Responsibility(%d)", uint8(r))
	}
	return strings.Join(r.Origins(), " ")
}

// MarshalText gives the values with spaces between them.
func (r Responsibility) MarshalText() ([]byte, error) {
	if r >= 1<<len(responsibilityNames) {
		return nil, fmt.Errorf("%v %w control-origination", r, ErrValue)
	}
	return []byte(strings.Join(r.Origins(), " ")), nil
}

// UnmarshalText reads values with spaces or commas between them. Besides the
// values of OSCAL it knows those of FedRAMP (sp-corporate, sp-system) and the
// words hybrid (organization and system-specific) and shared (system-specific
// and customer-configured). The error matches [ErrValue].
func (r *Responsibility) UnmarshalText(text []byte) error {
	var all Responsibility
	for _, name := range strings.FieldsFunc(string(text), func(c rune) bool { return c == ' ' || c == ',' }) {
		if i := slices.Index(responsibilityNames[:], name); i >= 0 {
			all |= 1 << i
		} else if alias := responsibilityAlias[name]; alias != 0 {
			all |= alias
		} else {
			return fmt.Errorf("%q %w control-origination (%s)", name, ErrValue, strings.Join(responsibilityNames[:], ", "))
		}
	}
	*r = all
	return nil
}

// The namespaces under which implementation-status and control-origination are
// written as props: that of OSCAL, none, and the two spellings of FedRAMP's.
func statusNamespace(ns string) bool {
	switch ns {
	case "", "http://csrc.nist.gov/ns/oscal", "http://fedramp.gov/ns/oscal", "https://fedramp.gov/ns/oscal":
		return true
	}
	return false
}

// statusOf reads status and responsibility from props. What is no value of them
// is in errs.
func statusOf(props []oscal.Property) (s Status, r Responsibility, errs []error) {
	var all []Status
	for i := range props {
		p := &props[i]
		if !statusNamespace(p.Ns) {
			continue
		}
		switch p.Name {
		case "implementation-status":
			var one Status
			if err := one.UnmarshalText([]byte(p.Value)); err != nil {
				errs = append(errs, err)
				continue
			}
			all = append(all, one)
		case "control-origination":
			var one Responsibility
			if err := one.UnmarshalText([]byte(p.Value)); err != nil {
				errs = append(errs, err)
			}
			r |= one
		}
	}
	if len(all) == 1 {
		return all[0], r, errs
	}
	return CombineStatus(all...), r, errs
}
