package controls

import (
	"fmt"
	"slices"

	"github.com/issokit/issokit/oscal"
)

// A setting is a value of a parameter and where it comes from.
type setting struct {
	values []string
	from   string
}

// parameters brings the parameters of a requirement to the ids of the catalog
// and leaves unknown ones out.
func (w *implementer) parameters(pointer string, r *Requirement) {
	kept := r.Parameters[:0]
	for i, set := range r.Parameters {
		at := fmt.Sprintf("%s/%d", pointer, i)
		p := w.im.baseline.catalog.Param(set.ParamId)
		switch {
		case p == nil:
			w.fail(at+"/param-id", r, fmt.Errorf("parameter %q %w", set.ParamId, ErrUnknown))
		case len(set.Values) == 0:
			w.fail(at+"/values", r, fmt.Errorf("the value of parameter %q %w", set.ParamId, ErrMissing))
		case valueOf(kept, p.id) != nil:
			w.fail(at+"/param-id", r, fmt.Errorf("parameter %q %w", set.ParamId, ErrDuplicate))
		default:
			set.ParamId = p.id
			kept = append(kept, set)
		}
	}
	if r.Parameters = kept; len(kept) == 0 {
		r.Parameters = nil
	}
}

func valueOf(list []oscal.SetParameter, param string) []string {
	for i := range list {
		if list[i].ParamId == param {
			return list[i].Values
		}
	}
	return nil
}

// settleParameters finds the values that hold: the system before the components,
// those before the profile. What the system decides is taken out of the answers
// that have another value from their definition.
func (w *implementer) settleParameters(conflicts bool) {
	im := w.im
	bySystem := map[*Param]setting{}
	set := func(p *Param, values []string) {
		if _, ok := bySystem[p]; !ok {
			bySystem[p] = setting{values, "system"}
		}
	}
	for _, r := range im.requirements {
		if r.Component == im.components[0].ID {
			for _, s := range r.Parameters {
				set(im.baseline.catalog.Param(s.ParamId), s.Values)
			}
		}
	}
	for i, s := range im.system.Parameters {
		switch p := im.baseline.catalog.Param(s.ParamId); {
		case p == nil:
			w.fail(fmt.Sprintf("/parameters/%d/param-id", i), nil, fmt.Errorf("parameter %q %w", s.ParamId, ErrUnknown))
		case len(s.Values) == 0:
			w.fail(fmt.Sprintf("/parameters/%d/values", i), nil, fmt.Errorf("the value of parameter %q %w", s.ParamId, ErrMissing))
		default:
			set(p, s.Values)
		}
	}
	claims := map[*Param][]*Requirement{} // answers of components that set a parameter
	for _, r := range im.requirements {
		r.Parameters = slices.DeleteFunc(r.Parameters, func(s oscal.SetParameter) bool {
			_, decided := bySystem[im.baseline.catalog.Param(s.ParamId)]
			return decided && slices.Contains(w.lesser[r], s.ParamId)
		})
		if len(r.Parameters) == 0 {
			r.Parameters = nil
		}
		for _, s := range r.Parameters {
			p := im.baseline.catalog.Param(s.ParamId)
			claims[p] = append(claims[p], r)
		}
	}
	for _, p := range im.baseline.catalog.params {
		s, ok := bySystem[p]
		if !ok {
			s, ok = w.agreed(p, claims[p], conflicts)
		}
		if !ok && len(p.values) > 0 {
			s, ok = setting{p.values, "profile"}, true
		}
		if ok {
			im.params[p] = s
		}
	}
}

// agreed returns the value of a parameter that all answers which set it agree on.
func (w *implementer) agreed(p *Param, by []*Requirement, conflicts bool) (setting, bool) {
	if len(by) == 0 {
		return setting{}, false
	}
	values := valueOf(by[0].Parameters, p.id)
	for _, r := range by[1:] {
		if other := valueOf(r.Parameters, p.id); !slices.Equal(values, other) {
			if conflicts {
				w.failAnswer("", r, fmt.Errorf("parameter %q %w: %q here, %q by component %s; the system does not decide", p.id, ErrConflict, other, values, by[0].Component))
			}
			return setting{}, false
		}
	}
	return setting{values, "components"}, true
}
