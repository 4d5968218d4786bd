package controls

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// A systemChecker looks at what a system says of itself, member by member in
// their order: what must be there, ids that stand twice, references among its
// parts, and every value that goes into the plan as it is. What a value must look
// like is the data type of the place in the plan.
type systemChecker struct {
	*implementer
	first map[string]string // kind and id to the pointer of the first object with them
}

// checkSystem checks the system of the implementation.
func (w *implementer) checkSystem() {
	sys := &w.im.system
	c := systemChecker{w, map[string]string{}}
	c.know(sys)
	c.system(sys)
	for i := range sys.Components {
		c.component(fmt.Sprintf("/components/%d", i), &sys.Components[i])
	}
	c.first["components/"+thisSystem] = "/components"
	for i, x := range sys.Inventory {
		at := fmt.Sprintf("/inventory/%d", i)
		c.id(at, x.ID)
		c.required(at+"/description", x.Description)
		c.known(at+"/components", "components", "component", x.Components)
		c.props(at, x.Props)
	}
	for i, x := range sys.Leveraged {
		at := fmt.Sprintf("/leveraged/%d", i)
		c.id(at, x.ID)
		c.value(at+"/title", x.Title, oscal.TypeMarkupLine, true)
		if c.required(at+"/party", x.Party) {
			c.refer(at+"/party", "parties", "party", x.Party)
		}
		c.value(at+"/authorized", x.Authorized, oscal.TypeDate, true)
		c.props(at, x.Props)
		c.links(at, x.Links)
	}
	c.parameters("", sys.Parameters)
	for i := range sys.Requirements {
		c.requirement(fmt.Sprintf("/requirements/%d", i), &sys.Requirements[i])
	}
	c.props("", sys.Props)
}

// know takes up all ids.
func (c *systemChecker) know(sys *System) {
	ids := func(kind string, n int, id func(i int) string) {
		for i := range n {
			if key := kind + "/" + id(i); c.first[key] == "" {
				c.first[key] = fmt.Sprintf("/%s/%d", kind, i)
			}
		}
	}
	ids("information", len(sys.Information), func(i int) string { return sys.Information[i].ID })
	ids("roles", len(sys.Roles), func(i int) string { return sys.Roles[i].ID })
	ids("parties", len(sys.Parties), func(i int) string { return sys.Parties[i].ID })
	ids("users", len(sys.Users), func(i int) string { return sys.Users[i].ID })
	ids("components", len(sys.Components), func(i int) string { return sys.Components[i].ID })
	ids("inventory", len(sys.Inventory), func(i int) string { return sys.Inventory[i].ID })
	ids("leveraged", len(sys.Leveraged), func(i int) string { return sys.Leveraged[i].ID })
}

// required reports a value that is missing, and tells whether it is there.
func (c *systemChecker) required(at, value string) bool {
	if value == "" {
		c.fail(at, nil, fmt.Errorf("%s %w", at[strings.LastIndexByte(at, '/')+1:], ErrMissing))
	}
	return value != ""
}

// value reports a value that is not of its type.
func (c *systemChecker) value(at, value string, t oscal.DataType, required bool) {
	switch {
	case value == "" && required:
		c.required(at, value)
	case value != "" && !t.Valid(value):
		c.fail(at, nil, fmt.Errorf("%q %w %s (%s)", value, ErrValue, t, t.Form()))
	}
}

// id checks the id of an object of a kind.
func (c *systemChecker) id(at, id string) { c.idOf(at, id, oscal.TypeString) }

func (c *systemChecker) idOf(at, id string, t oscal.DataType) {
	c.value(at+"/id", id, t, true)
	kind, _, _ := strings.Cut(strings.TrimPrefix(at, "/"), "/")
	if first := c.first[kind+"/"+id]; id != "" && first != "" && first != at {
		c.fail(at+"/id", nil, fmt.Errorf("id %q %w", id, ErrDuplicate))
	}
}

func (c *systemChecker) oneOf(at, value, name string, values ...string) {
	if value != "" && !slices.Contains(values, value) {
		c.fail(at, nil, fmt.Errorf("%q %w %s (%s)", value, ErrValue, name, strings.Join(values, ", ")))
	}
}

func (c *systemChecker) refer(at, kind, what, id string) {
	if id != "" && c.first[kind+"/"+id] == "" {
		c.fail(at, nil, fmt.Errorf("%s %q %w", what, id, ErrUnknown))
	}
}

// known checks a list of ids.
func (c *systemChecker) known(at, kind, what string, ids []string) {
	for i, id := range ids {
		if here := fmt.Sprintf("%s/%d", at, i); id == "" {
			c.fail(here, nil, fmt.Errorf("%s %w", what, ErrMissing))
		} else {
			c.refer(here, kind, what, id)
		}
	}
}

// roles checks a list of roles, which may stand in it once.
func (c *systemChecker) roles(at string, ids []string) {
	c.known(at+"/roles", "roles", "role", ids)
	for i, id := range ids {
		if slices.Contains(ids[:i], id) {
			c.fail(fmt.Sprintf("%s/roles/%d", at, i), nil, fmt.Errorf("role %q %w", id, ErrDuplicate))
		}
	}
}

func (c *systemChecker) impact(at string, i Impact) {
	if i == (Impact{}) {
		return
	}
	c.value(at+"/confidentiality", i.Confidentiality, oscal.TypeString, true)
	c.value(at+"/integrity", i.Integrity, oscal.TypeString, true)
	c.value(at+"/availability", i.Availability, oscal.TypeString, true)
}

func (c *systemChecker) props(at string, props []oscal.Property) {
	for i, p := range props {
		here := fmt.Sprintf("%s/props/%d", at, i)
		c.value(here+"/name", p.Name, oscal.TypeToken, true)
		c.value(here+"/uuid", p.UUID, oscal.TypeUUID, false)
		c.value(here+"/ns", p.Ns, oscal.TypeURI, false)
		c.value(here+"/value", p.Value, oscal.TypeString, true)
		c.value(here+"/class", p.Class, oscal.TypeToken, false)
		c.value(here+"/group", p.Group, oscal.TypeToken, false)
	}
}

// fragment is the form that the constraint
// oscal-metadata-link-resource-fragment-datatype asks for.
var fragment = regexp.MustCompile(`^(?:[0-9a-zA-Z\-._~/?!$&'()*+,;=:@]|%[0-9A-F][0-9A-F])+$`)

func (c *systemChecker) links(at string, links []oscal.Link) {
	for i, l := range links {
		here := fmt.Sprintf("%s/links/%d", at, i)
		c.value(here+"/href", l.Href, oscal.TypeURIReference, true)
		c.value(here+"/rel", l.Rel, oscal.TypeToken, false)
		c.value(here+"/media-type", l.MediaType, oscal.TypeString, false)
		if f := l.ResourceFragment; f != "" && !fragment.MatchString(f) {
			c.fail(here+"/resource-fragment", nil, fmt.Errorf("%q %w URI fragment", f, ErrValue))
		}
		c.value(here+"/text", l.Text, oscal.TypeMarkupLine, false)
	}
}

// parameters checks the values of parameters; whether there are such is seen
// where they are set.
func (c *systemChecker) parameters(at string, list []oscal.SetParameter) {
	for i, p := range list {
		for j, v := range p.Values {
			c.value(fmt.Sprintf("%s/parameters/%d/values/%d", at, i, j), v, oscal.TypeString, true)
		}
	}
}

// system checks what comes before the components.
func (c *systemChecker) system(sys *System) {
	c.id("", sys.ID)
	c.value("/name", sys.Name, oscal.TypeString, true)
	c.value("/short-name", sys.ShortName, oscal.TypeString, false)
	c.required("/description", sys.Description)
	c.value("/sensitivity", sys.Sensitivity, oscal.TypeString, false)
	c.impact("/impact", sys.Impact)
	c.required("/boundary", sys.Boundary)
	if c.required("/status", sys.Status) {
		c.oneOf("/status", sys.Status, "system status", "operational", "under-development", "under-major-modification", "disposition", "other")
	}
	c.value("/authorized", sys.Authorized, oscal.TypeDate, false)
	for i, x := range sys.Identifiers {
		at := fmt.Sprintf("/identifiers/%d", i)
		c.id(at, x.ID)
		c.value(at+"/identifier-type", x.IdentifierType, oscal.TypeURI, false)
	}
	if len(sys.Information) == 0 {
		c.fail("/information", nil, fmt.Errorf("at least one type of information %w", ErrMissing))
	}
	for i, x := range sys.Information {
		at := fmt.Sprintf("/information/%d", i)
		c.id(at, x.ID)
		c.value(at+"/title", x.Title, oscal.TypeMarkupLine, true)
		c.required(at+"/description", x.Description)
		c.impact(at+"/impact", x.Impact)
		c.value(at+"/scheme", x.Scheme, oscal.TypeURI, false)
		for j, id := range x.Types {
			c.value(fmt.Sprintf("%s/types/%d", at, j), id, oscal.TypeString, true)
		}
	}
	for i, x := range sys.Roles {
		at := fmt.Sprintf("/roles/%d", i)
		c.idOf(at, x.ID, oscal.TypeToken)
		c.value(at+"/title", x.Title, oscal.TypeMarkupLine, true)
	}
	for i := range sys.Parties {
		c.party(fmt.Sprintf("/parties/%d", i), &sys.Parties[i])
	}
	for i, x := range sys.Users {
		at := fmt.Sprintf("/users/%d", i)
		c.id(at, x.ID)
		c.value(at+"/title", x.Title, oscal.TypeMarkupLine, false)
		c.value(at+"/short-name", x.ShortName, oscal.TypeString, false)
		c.roles(at, x.Roles)
		for j, p := range x.Privileges {
			here := fmt.Sprintf("%s/privileges/%d", at, j)
			c.value(here+"/title", p.Title, oscal.TypeMarkupLine, true)
			if len(p.FunctionsPerformed) == 0 {
				c.required(here+"/functions-performed", "")
			}
			for k, f := range p.FunctionsPerformed {
				c.value(fmt.Sprintf("%s/functions-performed/%d", here, k), f, oscal.TypeString, true)
			}
		}
		c.props(at, x.Props)
	}
}

func (c *systemChecker) party(at string, p *Party) {
	c.id(at, p.ID)
	if c.required(at+"/type", p.Type) {
		c.oneOf(at+"/type", p.Type, "party type", "person", "organization")
	}
	c.value(at+"/name", p.Name, oscal.TypeString, true)
	c.value(at+"/short-name", p.ShortName, oscal.TypeString, false)
	c.value(at+"/email", p.Email, oscal.TypeEmailAddress, false)
	c.value(at+"/phone", p.Phone, oscal.TypeString, false)
	c.known(at+"/member-of", "parties", "party", p.MemberOf)
	for i, id := range p.MemberOf {
		for _, of := range c.im.system.Parties {
			if of.ID == id && of.Type == "person" {
				c.fail(fmt.Sprintf("%s/member-of/%d", at, i), nil, fmt.Errorf("party %q, a person, %w organization", id, ErrValue))
			}
		}
	}
	c.roles(at, p.Roles)
}

func (c *systemChecker) component(at string, x *Component) {
	c.id(at, x.ID)
	c.value(at+"/type", x.Type, oscal.TypeString, false)
	c.value(at+"/title", x.Title, oscal.TypeMarkupLine, false)
	c.value(at+"/purpose", x.Purpose, oscal.TypeMarkupLine, false)
	c.oneOf(at+"/status", x.Status, "component status", "under-development", "operational", "disposition", "other")
	c.roles(at, x.Roles)
	c.refer(at+"/leveraged", "leveraged", "leveraged authorization", x.Leveraged)
	c.props(at, x.Props)
	c.links(at, x.Links)
}

func (c *systemChecker) requirement(at string, r *Requirement) {
	c.value(at+"/id", r.ID, oscal.TypeString, false)
	c.roles(at, r.Roles)
	c.parameters(at, r.Parameters)
	for _, s := range []struct {
		name string
		list []Share
	}{{"provided", r.Provided}, {"responsibilities", r.Responsibilities}, {"inherited", r.Inherited}, {"satisfied", r.Satisfied}} {
		for i, x := range s.list {
			here := fmt.Sprintf("%s/%s/%d", at, s.name, i)
			c.value(here+"/id", x.ID, oscal.TypeString, false)
			switch ours := slices.ContainsFunc(r.Provided, func(p Share) bool { return p.ID == x.Of }); {
			case x.Of == "" || oscal.TypeUUID.Valid(x.Of) || s.name == "provided":
			case s.name != "responsibilities":
				c.fail(here+"/of", nil, fmt.Errorf("%q %w UUID of what a provider offers", x.Of, ErrValue))
			case !ours:
				c.fail(here+"/of", nil, fmt.Errorf("what is provided %q %w", x.Of, ErrUnknown))
			}
			c.required(here+"/description", x.Description)
			c.roles(here, x.Roles)
		}
	}
	c.props(at, r.Props)
}
