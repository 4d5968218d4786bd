package vendors

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

// leaves returns the texts of a portfolio with their JSON Pointers; what is
// carried along in the OSCAL fields is not the portfolio's.
func leaves(v reflect.Value, at string, visit func(at string, text reflect.Value)) {
	switch v.Kind() {
	case reflect.String:
		visit(at, v)
	case reflect.Slice:
		for i := range v.Len() {
			leaves(v.Index(i), fmt.Sprintf("%s/%d", at, i), visit)
		}
	case reflect.Pointer:
		if !v.IsNil() {
			leaves(v.Elem(), at, visit)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
			if name != "" && name != "oscal" {
				leaves(v.Field(i), at+"/"+name, visit)
			}
		}
	}
}

// TestEveryValue puts wrong texts into every place of a portfolio. What makes the
// plan invalid, in its structure or by a constraint of OSCAL, is reported with the
// pointer of its place.
func TestEveryValue(t *testing.T) {
	base := func() *Portfolio {
		p := sample(t)
		p.Vendors[2].Contacts[0].Phone = "4700000000"
		p.Engagements[1].Type = "interconnection"
		p.Engagements[1].Subcontracts[0].Customer = "northrack"
		p.Contracts[0].Href, p.Contracts[0].Digest = "contract.pdf", strings.Repeat("a", 64)
		p.Documents[0].Href, p.Documents[0].Digest = "report.pdf", strings.Repeat("b", 64)
		p.Documents[0].Subservice = []string{"coldhall"}
		p.Assessments[0].Inherent = &Rating{Level: High, Model: "m", Inputs: []string{"i"}}
		p.Signals = []Signal{{Vendor: "paywell", Source: "feed", Kind: "breach", Observed: at("2026-05-01"), Severity: High, Reference: "r"}}
		return p
	}
	valid := func(p *Portfolio) (found []string, ps []error) {
		pr, err := ToOSCAL(p, &OSCALOptions{Resources: true})
		if err != nil {
			all, ok := errors.AsType[Problems](err)
			require.True(t, ok)
			return nil, all.Unwrap()
		}
		ssp := plan()
		pr.AddTo(ssp)
		doc, err := oscal.FromView(ssp)
		if err != nil {
			return []string{err.Error()}, nil
		}
		report, err := constraint.Validate(t.Context(), doc, &constraint.Options{Now: at("2026-07-01")})
		require.NoError(t, err)
		for _, f := range report.Findings {
			if f.Level >= constraint.LevelError {
				found = append(found, f.Error())
			}
		}
		return found, nil
	}
	found, ps := valid(base())
	require.Empty(t, found)
	require.Empty(t, ps)
	var pointers []string
	leaves(reflect.ValueOf(base()), "", func(at string, _ reflect.Value) { pointers = append(pointers, at) })
	require.Greater(t, len(pointers), 100)
	reported := 0
	for _, at := range pointers {
		for _, bad := range []string{"", " ", " a", "a\nb", "a b", "a@", "a@b\n", "9", "%", "\u00a0x", "x\u0085", "x\u2028y"} {
			p := base()
			leaves(reflect.ValueOf(p), "", func(here string, text reflect.Value) {
				if here == at {
					text.SetString(bad)
				}
			})
			found, ps := valid(p)
			if len(ps) > 0 {
				reported++
			}
			require.Empty(t, found, "%s = %q", at, bad)
			for _, err := range ps {
				problem, ok := errors.AsType[*Problem](err)
				require.True(t, ok)
				// What refers to an ID that is changed is reported where it stands.
				require.True(t, problem.Pointer == at || strings.HasPrefix(at, problem.Pointer+"/") || strings.HasPrefix(problem.Pointer, at) ||
					errors.Is(err, ErrReference) || strings.HasPrefix(problem.Pointer, at[:strings.LastIndexByte(at, '/')]), "%s = %q: %v", at, bad, err)
			}
		}
	}
	require.Greater(t, reported, 500)
}
