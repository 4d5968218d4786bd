package controls

import (
	"fmt"
	"slices"

	"github.com/issokit/issokit/oscal"
)

// Inheritance is what a control or statement of a system gets from the systems
// below it.
type Inheritance struct {
	Inherited        []Share // what is inherited; Of: UUID of what is provided
	Responsibilities []Share // what the providers leave to be done for it; ID: UUID
	Open             []Share // those of the responsibilities that nobody satisfies
}

// String returns none, shared if the provider leaves something to be done, else
// inherited.
func (i Inheritance) String() string {
	switch {
	case len(i.Inherited) == 0:
		return "none"
	case len(i.Responsibilities) > 0:
		return "shared"
	}
	return "inherited"
}

// leveraged is what the plans of other systems provide.
type leveraged struct {
	all   []*offer // in the order of the plans
	byID  map[string]*offer
	left  map[string][]Share // responsibilities by what they are left with: a provided entry
	empty bool
}

// An offer is a provided entry or a responsibility.
type offer struct {
	share              Share
	responsibility     bool
	control, statement string
}

func newLeveraged(plans []*oscal.SystemSecurityPlan) *leveraged {
	l := &leveraged{byID: map[string]*offer{}, left: map[string][]Share{}, empty: len(plans) == 0}
	add := func(o *offer) {
		if l.byID[o.share.ID] == nil {
			l.all = append(l.all, o)
			l.byID[o.share.ID] = o
		}
	}
	read := func(by *[]oscal.ByComponent, control, statement string) {
		for _, b := range oscal.Items(by) {
			if b.Export == nil {
				continue
			}
			provided := oscal.Items(b.Export.Provided)
			for _, p := range provided {
				add(&offer{Share{ID: p.UUID, Description: p.Description}, false, control, statement})
			}
			for _, r := range oscal.Items(b.Export.Responsibilities) {
				s := Share{ID: r.UUID, Of: r.ProvidedUuid, Description: r.Description}
				add(&offer{s, true, control, statement})
				if s.Of != "" {
					l.left[s.Of] = append(l.left[s.Of], s)
					continue
				}
				for _, p := range provided { // it goes with all of the export
					l.left[p.UUID] = append(l.left[p.UUID], s)
				}
			}
		}
	}
	for _, plan := range plans {
		for _, ir := range plan.ControlImplementation.ImplementedRequirements {
			read(ir.ByComponents, ir.ControlId, "")
			for _, s := range oscal.Items(ir.Statements) {
				read(s.ByComponents, ir.ControlId, s.StatementId)
			}
		}
	}
	return l
}

// Inheritance returns what a control or statement inherits by the answers that
// hold for it (see [Implementation.Answers]). Responsibilities are known from
// the plans in [ImplementOptions]; without these, those that are satisfied are.
func (im *Implementation) Inheritance(id string) Inheritance {
	var out Inheritance
	for _, r := range im.Answers(id) {
		for _, in := range r.Inherited {
			out.Inherited = append(out.Inherited, in)
			for _, resp := range im.leveraged.left[in.Of] {
				if slices.ContainsFunc(out.Responsibilities, func(s Share) bool { return s.ID == resp.ID }) {
					continue
				}
				out.Responsibilities = append(out.Responsibilities, resp)
				if !im.satisfied[resp.ID] {
					out.Open = append(out.Open, resp)
				}
			}
		}
		if im.leveraged.empty {
			for _, s := range r.Satisfied {
				out.Responsibilities = append(out.Responsibilities, Share{ID: s.Of, Description: s.Description})
			}
		}
	}
	return out
}

// Gaps compares what the leveraged systems provide and leave to be done with
// what this one inherits and satisfies. The elements name the UUID of the entry
// in ID, and match
//
//   - [ErrUnknown]: an inherited or satisfied entry refers to nothing that a provider offers;
//   - [ErrMisplaced]: it is for another control or statement than the provider says;
//   - [ErrDuplicate]: something is inherited twice for one component;
//   - [ErrUninherited]: something is provided and nobody inherits it;
//   - [ErrUnsatisfied]: a responsibility that nobody satisfies.
//
// The first three come in the order of the requirements, the others in that of
// the providers' plans. Without such plans there are no gaps to see.
func (im *Implementation) Gaps() Problems {
	if im.leveraged.empty {
		return nil
	}
	var ps Problems
	taken := map[string]bool{}
	for _, r := range im.requirements {
		gap := func(id string, err error) {
			ps = append(ps, &Problem{Control: r.Control, Statement: r.Statement, Component: r.Component, ID: id, Err: err})
		}
		seen := map[string]bool{}
		check := func(kind string, s Share, i int, responsibility bool) {
			id := im.shareUUID(kind, r, s, i)
			o := im.leveraged.byID[s.Of]
			if o == nil || o.responsibility != responsibility {
				gap(id, fmt.Errorf("%q, which is said to be %s, %w", s.Of, kind, ErrUnknown))
				return
			}
			if o.control != r.Control || o.statement != r.Statement {
				gap(id, fmt.Errorf("%q, which is said to be %s here, %w: %s %s", s.Of, kind, ErrMisplaced, o.control, o.statement))
			}
			if seen[s.Of] {
				gap(s.Of, fmt.Errorf("what is %s %w", kind, ErrDuplicate))
			}
			seen[s.Of], taken[s.Of] = true, true
		}
		for i, s := range r.Inherited {
			check("inherited", s, i, false)
		}
		for i, s := range r.Satisfied {
			check("satisfied", s, i, true)
		}
	}
	for _, o := range im.leveraged.all {
		if taken[o.share.ID] {
			continue
		}
		err := fmt.Errorf("what is provided %w", ErrUninherited)
		if o.responsibility {
			err = fmt.Errorf("the responsibility %w", ErrUnsatisfied)
		}
		ps = append(ps, &Problem{Control: o.control, Statement: o.statement, ID: o.share.ID, Err: err})
	}
	return ps
}
