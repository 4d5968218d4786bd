package controls

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/constraint"
)

// leaves returns the texts of a description with their JSON Pointers.
func leaves(v reflect.Value, at string, visit func(at string, text reflect.Value)) {
	switch v.Kind() {
	case reflect.String:
		visit(at, v)
	case reflect.Slice:
		for i := range v.Len() {
			leaves(v.Index(i), fmt.Sprintf("%s/%d", at, i), visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			leaves(v.Field(i), at+"/"+name, visit)
		}
	}
}

// TestEveryValue puts wrong texts into every place of a system. What makes the
// plan invalid, in its structure or by a constraint of OSCAL, is reported with the
// pointer of its place.
func TestEveryValue(t *testing.T) {
	b, err := NewBaseline(load(t, fedrampLow), nil)
	require.NoError(t, err)
	base := func() System {
		sys := fullSystem()
		sys.Props = append(sys.Props, oscal.Property{Ns: "https://example.org", Name: "a", Value: "b", Class: "c", Group: "d", UUID: oscal.UUID("p"), Remarks: "r"})
		sys.Components[1].Links[0] = oscal.Link{Href: "https://example.org", Rel: "website", MediaType: "text/html", ResourceFragment: "f", Text: "t"}
		sys.Leveraged[0].Links = []oscal.Link{{Href: "https://example.org"}}
		sys.Components[0].Purpose = "p"
		sys.Requirements[2].Roles = []string{"operations"}
		sys.Requirements[2].Responsibilities[1].Of = "notice"
		return sys
	}
	valid := func(sys System) ([]string, Problems) {
		im, err := Implement(b, sys, nil, nil)
		ps, _ := err.(Problems)
		plan, err := im.SSP("profile.json", now, &SSPOptions{OmitUnanswered: true})
		if err != nil {
			return []string{err.Error()}, ps
		}
		doc, err := oscal.FromView(plan)
		if err != nil {
			return []string{err.Error()}, ps
		}
		report, err := constraint.Validate(t.Context(), doc, &constraint.Options{Now: now})
		require.NoError(t, err)
		var found []string
		for _, f := range report.Findings {
			if f.Level >= constraint.LevelError {
				found = append(found, f.Error())
			}
		}
		return found, ps
	}
	found, ps := valid(base())
	require.Empty(t, found)
	require.Empty(t, ps)
	places, wrong := 0, 0
	first := base()
	var pointers []string
	leaves(reflect.ValueOf(&first).Elem(), "", func(at string, _ reflect.Value) { pointers = append(pointers, at) })
	for _, at := range pointers {
		places++
		for _, bad := range []string{"", " ", " a", "a\nb", "a b", "a@", "9", "2026-13-01", "%", "\u00a0x"} {
			sys := base()
			leaves(reflect.ValueOf(&sys).Elem(), "", func(here string, text reflect.Value) {
				if here == at {
					text.SetString(bad)
				}
			})
			found, ps := valid(sys)
			if len(found) == 0 {
				continue
			}
			// Of the names of props, OSCAL's constraints say what its own namespace
			// has; and what is not in that namespace has another meaning.
			if strings.Contains(at, "/props/") && len(ps) == 0 && strings.Contains(found[0], "is not one of") {
				continue
			}
			// A responsibility need not say with what it goes: the model has it so, and
			// one constraint, which finds no key, differs.
			if strings.Contains(at, "/responsibilities/") && bad == "" && strings.Contains(found[0], "by-component-export-provided-uuid") {
				continue
			}
			wrong++
			ok := false
			for _, p := range ps {
				// What refers to an id that is changed is reported where it stands.
				ok = ok || p.Pointer == at || strings.HasSuffix(at, "/id") && errors.Is(p, ErrUnknown) || p.Control != "" && strings.HasPrefix(at, "/requirements/")
			}
			require.True(t, ok, "%s = %q: %v, but %v", at, bad, found[0], ps)
		}
	}
	require.Greater(t, places, 100)
	require.Greater(t, wrong, 300)
	t.Log(places, wrong)
}

// TestProblemPlaces: a problem has the name of the description that the caller
// gives and the pointer of the member, or those of the definition it comes from.
func TestProblemPlaces(t *testing.T) {
	defs := []*oscal.ComponentDefinition{view[oscal.ComponentDefinition](t, definitionText)}
	sys := smallSystem()
	sys.Authorized = "2026-13-01"
	sys.Roles = []Role{{ID: "the owner", Title: "O"}}
	sys.Parties = []Party{
		{ID: "p", Type: "person", Name: "P\nQ", Email: "p", Roles: []string{"the owner", "x"}},
		{ID: "q", Type: "person", Name: "Q", MemberOf: []string{"p"}},
	}
	sys.Requirements = []Requirement{
		{Control: "XX-1(1)", Description: "d"},
		{Control: "AC-2", Description: "d"},
		{Statement: "ac-2_smt.a", Description: "d"},
		{Control: "xx-1 z", Description: "d"},
		{Control: "xx-3"},
	}
	c := smallCatalog(t)
	b, err := NewBaseline(c, &BaselineOptions{Controls: []string{"xx-1", "xx-3"}})
	require.NoError(t, err)
	sys.Requirements = append(sys.Requirements, Requirement{Control: "xx-2", Description: "d"}) // of the catalog alone
	im, err := Implement(b, sys, defs, &ImplementOptions{Name: "system.yaml"})
	require.Len(t, im.LeftOut(), 1, "answers of definitions to controls outside of the baseline are no problem")
	ps, ok := err.(Problems)
	require.True(t, ok)
	var got []string
	for _, p := range ps {
		got = append(got, p.Document+" "+p.Pointer+" "+p.Err.Error())
	}
	require.Equal(t, []string{
		`system.yaml /authorized "2026-13-01" is not a value of date (a real day YYYY-MM-DD, perhaps with Z or an offset that is in use)`,
		`system.yaml /roles/0/id "the owner" is not a value of token (a letter or _, then letters, digits, '.', '-' or '_')`,
		`system.yaml /parties/0/name "P\nQ" is not a value of string (text without line breaks and without white space at its ends, not empty)`,
		`system.yaml /parties/0/email "p" is not a value of email-address (something, an @, something)`,
		`system.yaml /parties/0/roles/1 role "x" is not known`,
		`system.yaml /parties/1/member-of/0 party "p", a person, is not a value of organization`,
		`system.yaml /requirements/0/control control "XX-1(1)" is not in the baseline`,
		`system.yaml /requirements/1/control control "AC-2" is not in the baseline`,
		`system.yaml /requirements/2/statement control of statement "ac-2_smt.a" is not in the baseline`,
		`system.yaml /requirements/3/control part "xx-1 z" of control xx-1 is not known`,
		`system.yaml /requirements/5/control control "xx-2" is not in the baseline`,
		`system.yaml /requirements/4/description the description is missing`,
		`Defined /component-definition/components/1/control-implementations/0/implemented-requirements/0 parameter "xx-1_prm_1" is set differently: ["by B"] here, ["by requirement"] by component a; the system does not decide`,
	}, got)
	require.ErrorIs(t, ps[6], ErrOutside)
}
