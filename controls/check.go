package controls

import (
	"fmt"
	"slices"
	"strings"

	"github.com/issokit/issokit/oscal"
)

// checkSystem looks at what the system says of itself: what must be there, ids
// that stand twice, references among its parts.
func (w *implementer) checkSystem() {
	sys := &w.im.system
	for _, m := range []struct{ name, value string }{
		{"id", sys.ID}, {"name", sys.Name}, {"description", sys.Description}, {"boundary", sys.Boundary}, {"status", sys.Status},
	} {
		if m.value == "" {
			w.fail(m.name, nil, fmt.Errorf("%s %w", m.name, ErrMissing))
		}
	}
	oneOf := func(pointer, value, name string, values ...string) {
		if value != "" && !slices.Contains(values, value) {
			w.fail(pointer, nil, fmt.Errorf("%q %w %s (%s)", value, ErrValue, name, strings.Join(values, ", ")))
		}
	}
	if i := sys.Impact; i != (Impact{}) && (i.Confidentiality == "" || i.Integrity == "" || i.Availability == "") {
		w.fail("impact", nil, fmt.Errorf("one of confidentiality, integrity, availability %w", ErrMissing))
	}
	oneOf("status", sys.Status, "system status", "operational", "under-development", "under-major-modification", "disposition", "other")
	if len(sys.Information) == 0 {
		w.fail("information", nil, fmt.Errorf("at least one type of information %w", ErrMissing))
	}
	ids := map[string]bool{}
	unique := func(kind string, i int, id string) string {
		pointer := fmt.Sprintf("%s[%d]", kind, i)
		switch {
		case id == "":
			w.fail(pointer, nil, fmt.Errorf("id %w", ErrMissing))
		case ids[kind+id]:
			w.fail(pointer+".id", nil, fmt.Errorf("id %q %w", id, ErrDuplicate))
		}
		ids[kind+id] = true
		return pointer
	}
	for i, x := range sys.Information {
		unique("information", i, x.ID)
	}
	for i, x := range sys.Roles {
		unique("roles", i, x.ID)
	}
	for i, x := range sys.Parties {
		unique("parties", i, x.ID)
	}
	for i, x := range sys.Users {
		unique("users", i, x.ID)
	}
	for i, x := range sys.Components {
		unique("components", i, x.ID)
	}
	for i, x := range sys.Inventory {
		unique("inventory", i, x.ID)
	}
	for i, x := range sys.Leveraged {
		unique("leveraged", i, x.ID)
	}
	known := func(pointer, kind, what string, refs ...string) {
		for _, id := range refs {
			if id != "" && !ids[kind+id] {
				w.fail(pointer, nil, fmt.Errorf("%s %q %w", what, id, ErrUnknown))
			}
		}
	}
	for i, x := range sys.Parties {
		pointer := fmt.Sprintf("parties[%d]", i)
		oneOf(pointer+".type", x.Type, "party type", "person", "organization")
		if x.Type == "" {
			w.fail(pointer, nil, fmt.Errorf("type %w", ErrMissing))
		}
		known(pointer+".member-of", "parties", "party", x.MemberOf...)
		known(pointer+".roles", "roles", "role", x.Roles...)
	}
	for i, x := range sys.Users {
		known(fmt.Sprintf("users[%d].roles", i), "roles", "role", x.Roles...)
	}
	for i, x := range sys.Components {
		pointer := fmt.Sprintf("components[%d]", i)
		oneOf(pointer+".status", x.Status, "component status", "under-development", "operational", "disposition", "other")
		known(pointer+".roles", "roles", "role", x.Roles...)
		known(pointer+".leveraged", "leveraged", "leveraged authorization", x.Leveraged)
	}
	ids["components"+thisSystem] = true
	for i, x := range sys.Inventory {
		known(fmt.Sprintf("inventory[%d].components", i), "components", "component", x.Components...)
	}
	for i, x := range sys.Leveraged {
		known(fmt.Sprintf("leveraged[%d].party", i), "parties", "party", x.Party)
		if x.Party == "" || x.Authorized == "" {
			w.fail(fmt.Sprintf("leveraged[%d]", i), nil, fmt.Errorf("party or date of authorization %w", ErrMissing))
		}
	}
	for i, x := range sys.Requirements {
		pointer := fmt.Sprintf("requirements[%d]", i)
		known(pointer+".roles", "roles", "role", x.Roles...)
		for _, list := range [][]Share{x.Provided, x.Responsibilities, x.Inherited, x.Satisfied} {
			for _, s := range list {
				known(pointer, "roles", "role", s.Roles...)
			}
		}
		for _, s := range x.Responsibilities {
			if s.Of != "" && !oscal.TypeUUID.Valid(s.Of) && !slices.ContainsFunc(x.Provided, func(p Share) bool { return p.ID == s.Of }) {
				w.fail(pointer+".responsibilities", nil, fmt.Errorf("what is provided %q %w", s.Of, ErrUnknown))
			}
		}
		for _, s := range slices.Concat(x.Inherited, x.Satisfied) {
			if s.Of != "" && !oscal.TypeUUID.Valid(s.Of) {
				w.fail(pointer, nil, fmt.Errorf("%q %w UUID of what a provider offers", s.Of, ErrValue))
			}
		}
	}
}
