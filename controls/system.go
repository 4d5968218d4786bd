package controls

import (
	"github.com/issokit/issokit/oscal"
)

// A System is the description of an information system from which, with the
// definitions of its components, an [Implementation] is made. It is plain data;
// the tags are the members of its YAML and JSON form. An ID is a stable name: the
// UUID in documents is derived from it with [oscal.UUID], except that an ID that is
// a UUID itself is used as it is.
type System struct {
	ID            string               `yaml:"id" json:"id"`
	Name          string               `yaml:"name" json:"name"`
	ShortName     string               `yaml:"short-name,omitempty" json:"short-name,omitzero"`
	Description   string               `yaml:"description" json:"description"`
	Sensitivity   string               `yaml:"sensitivity,omitempty" json:"sensitivity,omitzero"` // low, moderate, high (FIPS 199), or another scheme's word
	Impact        Impact               `yaml:"impact,omitempty" json:"impact,omitzero"`
	Boundary      string               `yaml:"boundary" json:"boundary"` // of the authorization
	Network       string               `yaml:"network,omitempty" json:"network,omitzero"`
	DataFlow      string               `yaml:"data-flow,omitempty" json:"data-flow,omitzero"`
	Status        string               `yaml:"status" json:"status"` // operational, under-development, under-major-modification, disposition, other
	StatusRemarks string               `yaml:"status-remarks,omitempty" json:"status-remarks,omitzero"`
	Authorized    string               `yaml:"authorized,omitempty" json:"authorized,omitzero"`   // date of the authorization
	Identifiers   []oscal.SystemId     `yaml:"identifiers,omitempty" json:"identifiers,omitzero"` // default: the ID
	Information   []Information        `yaml:"information" json:"information"`
	Roles         []Role               `yaml:"roles,omitempty" json:"roles,omitzero"`
	Parties       []Party              `yaml:"parties,omitempty" json:"parties,omitzero"`
	Users         []User               `yaml:"users,omitempty" json:"users,omitzero"`
	Components    []Component          `yaml:"components,omitempty" json:"components,omitzero"` // the system itself need not be among them
	Inventory     []Asset              `yaml:"inventory,omitempty" json:"inventory,omitzero"`
	Leveraged     []Leveraged          `yaml:"leveraged,omitempty" json:"leveraged,omitzero"`
	Parameters    []oscal.SetParameter `yaml:"parameters,omitempty" json:"parameters,omitzero"`
	Requirements  []Requirement        `yaml:"requirements,omitempty" json:"requirements,omitzero"`
	Props         []oscal.Property     `yaml:"props,omitempty" json:"props,omitzero"` // of the system characteristics
}

// Impact is the level of harm for each security objective of FIPS 199: low,
// moderate, high.
type Impact struct {
	Confidentiality string `yaml:"confidentiality" json:"confidentiality"`
	Integrity       string `yaml:"integrity" json:"integrity"`
	Availability    string `yaml:"availability" json:"availability"`
}

// Information is a type of information that a system handles.
type Information struct {
	ID          string   `yaml:"id" json:"id"`
	Title       string   `yaml:"title" json:"title"`
	Description string   `yaml:"description" json:"description"`
	Impact      Impact   `yaml:"impact,omitempty" json:"impact,omitzero"`
	Scheme      string   `yaml:"scheme,omitempty" json:"scheme,omitzero"` // URI of the categorization; default NIST SP 800-60 if there are types
	Types       []string `yaml:"types,omitempty" json:"types,omitzero"`   // identifiers in the scheme, e.g. C.2.4.1
}

// Role is something that people do for a system.
type Role struct {
	ID          string `yaml:"id" json:"id"` // an OSCAL token, e.g. system-owner
	Title       string `yaml:"title" json:"title"`
	Description string `yaml:"description,omitempty" json:"description,omitzero"`
}

// Party is a person or an organization.
type Party struct {
	ID        string   `yaml:"id" json:"id"`
	Type      string   `yaml:"type" json:"type"` // person or organization
	Name      string   `yaml:"name" json:"name"`
	ShortName string   `yaml:"short-name,omitempty" json:"short-name,omitzero"`
	Email     string   `yaml:"email,omitempty" json:"email,omitzero"`
	Phone     string   `yaml:"phone,omitempty" json:"phone,omitzero"`
	MemberOf  []string `yaml:"member-of,omitempty" json:"member-of,omitzero"` // ids of organizations
	Roles     []string `yaml:"roles,omitempty" json:"roles,omitzero"`         // for which it is responsible
}

// User is a kind of user of a system.
type User struct {
	ID          string                      `yaml:"id" json:"id"`
	Title       string                      `yaml:"title" json:"title"`
	ShortName   string                      `yaml:"short-name,omitempty" json:"short-name,omitzero"`
	Description string                      `yaml:"description,omitempty" json:"description,omitzero"`
	Roles       []string                    `yaml:"roles,omitempty" json:"roles,omitzero"`
	Privileges  []oscal.AuthorizedPrivilege `yaml:"privileges,omitempty" json:"privileges,omitzero"`
	Props       []oscal.Property            `yaml:"props,omitempty" json:"props,omitzero"`
}

// Component is a part of a system. What it does not say itself comes from its
// definition.
type Component struct {
	ID          string           `yaml:"id" json:"id"`
	Definition  string           `yaml:"definition,omitempty" json:"definition,omitzero"` // UUID of a component or capability in a component definition
	Type        string           `yaml:"type,omitempty" json:"type,omitzero"`             // e.g. software, service, policy; this-system for the system itself
	Title       string           `yaml:"title,omitempty" json:"title,omitzero"`
	Description string           `yaml:"description,omitempty" json:"description,omitzero"`
	Purpose     string           `yaml:"purpose,omitempty" json:"purpose,omitzero"`
	Status      string           `yaml:"status,omitempty" json:"status,omitzero"` // under-development, operational, disposition, other; default operational
	Roles       []string         `yaml:"roles,omitempty" json:"roles,omitzero"`
	Leveraged   string           `yaml:"leveraged,omitempty" json:"leveraged,omitzero"` // id of the authorization that it comes from
	Props       []oscal.Property `yaml:"props,omitempty" json:"props,omitzero"`
	Links       []oscal.Link     `yaml:"links,omitempty" json:"links,omitzero"`
}

// Asset is an item of the inventory.
type Asset struct {
	ID          string           `yaml:"id" json:"id"`
	Description string           `yaml:"description" json:"description"`
	Components  []string         `yaml:"components,omitempty" json:"components,omitzero"` // ids of what runs on it
	Props       []oscal.Property `yaml:"props,omitempty" json:"props,omitzero"`
}

// Leveraged is an authorization of another system from which this one inherits.
type Leveraged struct {
	ID         string           `yaml:"id" json:"id"`
	Title      string           `yaml:"title" json:"title"`
	Party      string           `yaml:"party" json:"party"`           // id of the provider
	Authorized string           `yaml:"authorized" json:"authorized"` // date
	Remarks    string           `yaml:"remarks,omitempty" json:"remarks,omitzero"`
	Props      []oscal.Property `yaml:"props,omitempty" json:"props,omitzero"`
	Links      []oscal.Link     `yaml:"links,omitempty" json:"links,omitzero"`
}

// Requirement is how one component meets one control or statement.
type Requirement struct {
	ID               string               `yaml:"id,omitempty" json:"id,omitzero"`               // default: derived from the next three
	Control          string               `yaml:"control,omitempty" json:"control,omitzero"`     // any spelling that [Catalog.Find] reads; may be left out if Statement is there
	Statement        string               `yaml:"statement,omitempty" json:"statement,omitzero"` // empty: the control as a whole
	Component        string               `yaml:"component,omitempty" json:"component,omitzero"` // empty: the system itself
	Description      string               `yaml:"description,omitempty" json:"description,omitzero"`
	Status           Status               `yaml:"status,omitempty" json:"status,omitzero"`
	StatusRemarks    string               `yaml:"status-remarks,omitempty" json:"status-remarks,omitzero"`
	Responsibility   Responsibility       `yaml:"responsibility,omitempty" json:"responsibility,omitzero"`
	Roles            []string             `yaml:"roles,omitempty" json:"roles,omitzero"`
	Parameters       []oscal.SetParameter `yaml:"parameters,omitempty" json:"parameters,omitzero"`
	Provided         []Share              `yaml:"provided,omitempty" json:"provided,omitzero"`                 // what systems on top may inherit
	Responsibilities []Share              `yaml:"responsibilities,omitempty" json:"responsibilities,omitzero"` // what they must do themselves; Of: id of what is provided
	Inherited        []Share              `yaml:"inherited,omitempty" json:"inherited,omitzero"`               // Of: UUID of what the provider provides
	Satisfied        []Share              `yaml:"satisfied,omitempty" json:"satisfied,omitzero"`               // Of: UUID of the provider's responsibility
	Props            []oscal.Property     `yaml:"props,omitempty" json:"props,omitzero"`
	Remarks          string               `yaml:"remarks,omitempty" json:"remarks,omitzero"`
}

// Share is one thing that is provided, left to the customer, inherited or done
// for it across the border of two systems.
type Share struct {
	ID          string   `yaml:"id,omitempty" json:"id,omitzero"` // default: derived from the place
	Of          string   `yaml:"of,omitempty" json:"of,omitzero"` // what it refers to; see [Requirement]
	Description string   `yaml:"description" json:"description"`
	Roles       []string `yaml:"roles,omitempty" json:"roles,omitzero"`
}
