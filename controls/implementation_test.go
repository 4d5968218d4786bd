package controls

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v4"

	"github.com/issokit/issokit/oscal"
)

var now = time.Date(2026, 6, 30, 12, 0, 0, 0, time.UTC)

func sampleFile(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("..", "examples", "authorization-package", "sample", name))
	require.NoError(tb, err)
	return data
}

// sampleBaseline is the sample catalog without the one control that the sample
// profile excludes.
func sampleBaseline(tb testing.TB) *Baseline {
	tb.Helper()
	c, err := NewCatalog(view[oscal.Catalog](tb, string(sampleFile(tb, "catalog.json"))), nil)
	require.NoError(tb, err)
	var ids []string
	for _, x := range c.Controls() {
		if !x.Withdrawn() && x.ID() != "cm-2" {
			ids = append(ids, x.ID())
		}
	}
	b, err := NewBaseline(c, &BaselineOptions{Controls: ids})
	require.NoError(tb, err)
	return b
}

func sampleSystem(tb testing.TB) System {
	tb.Helper()
	var sys System
	require.NoError(tb, yaml.Load(sampleFile(tb, "system.yaml"), &sys, yaml.WithKnownFields(), yaml.WithUniqueKeys()))
	return sys
}

func sampleDefinitions(tb testing.TB) []*oscal.ComponentDefinition {
	tb.Helper()
	return []*oscal.ComponentDefinition{
		view[oscal.ComponentDefinition](tb, string(sampleFile(tb, "component-platform.json"))),
		view[oscal.ComponentDefinition](tb, string(sampleFile(tb, "component-application.json"))),
	}
}

func sampleImplementation(tb testing.TB) *Implementation {
	tb.Helper()
	im, err := Implement(sampleBaseline(tb), sampleSystem(tb), sampleDefinitions(tb), nil)
	require.NoError(tb, err)
	return im
}

// written returns a plan as bytes, after it was found valid.
func written(tb testing.TB, plan *oscal.SystemSecurityPlan) string {
	tb.Helper()
	doc, err := oscal.FromView(plan)
	require.NoError(tb, err)
	var b bytes.Buffer
	require.NoError(tb, doc.Write(&b, &oscal.WriteOptions{Format: oscal.JSON}))
	return b.String()
}

func TestSample(t *testing.T) {
	im := sampleImplementation(t)
	// By hand from the sample's files and the rules of CombineStatus.
	want := map[string]Status{
		"ac-1": Partial, "ac-1_smt.a": Implemented, "ac-1_smt.c": Partial, "ac-2": Implemented, "ac-3": Implemented,
		"au-1": Implemented, "au-2": Partial, "cm-1": Implemented, "ir-1": Partial, "ir-2": Implemented,
		"sp-1": Implemented, "sp-2": Planned, "si-1": Partial, "si-1_smt.a": Implemented, "si-1_smt.b": Partial, "si-2": Implemented, "si-3": Implemented,
		"cm-2": 0, "nope": 0,
	}
	for id, status := range want {
		require.Equal(t, status, im.Status(id), id)
	}
	require.Equal(t, Organization, im.Responsibility("ir-1"))
	require.Equal(t, []string{"isso"}, im.Answers("ir-1_smt.a")[0].Roles)
	plan, err := im.SSP("profile.json", now, nil)
	require.NoError(t, err)
	text := written(t, plan)
	checkReferences(t, text, im.Baseline())
	again, err := sampleImplementation(t).SSP("profile.json", now, nil)
	require.NoError(t, err)
	require.Equal(t, text, written(t, again))

	back, err := FromSSP(im.Baseline(), view[oscal.SystemSecurityPlan](t, text), nil)
	require.NoError(t, err)
	second, err := back.SSP("profile.json", now, nil)
	require.NoError(t, err)
	require.Equal(t, text, written(t, second))
	require.Equal(t, im.Requirements(), back.Requirements())
	total, families := im.Coverage()
	total2, families2 := back.Coverage()
	require.Equal(t, total, total2)
	require.Equal(t, families, families2)
}

// checkReferences looks, in the written plan, at every UUID, role, party,
// component, parameter, control and statement that something refers to.
func checkReferences(tb testing.TB, text string, b *Baseline) {
	tb.Helper()
	doc, err := oscal.Parse(text, nil)
	require.NoError(tb, err)
	uuids, roles := map[string]string{}, map[string]bool{}
	for n := range doc.Root().Walk() {
		switch {
		case n.Name() == "uuid":
			require.Empty(tb, uuids[n.Value()], "%s stands twice, at %s", n.Value(), n.Pointer())
			uuids[n.Value()] = n.Parent().Name()
		case n.Name() == "id" && n.Parent().Name() == "role":
			require.False(tb, roles[n.Value()], n.Pointer())
			roles[n.Value()] = true
		}
	}
	refs := 0
	for n := range doc.Root().Walk() {
		kind := map[string]string{
			"party-uuid": "party", "member-of-organization": "party", "component-uuid": "component",
			"provided-uuid": "provided", "responsibility-uuid": "responsibility", "location-uuid": "location",
		}[n.Name()]
		switch {
		case kind == "provided" && n.Parent().Name() == "inherited" || kind == "responsibility" && n.Parent().Name() == "satisfied":
			refs++ // into the plan of a provider
		case kind != "":
			require.Equal(tb, kind, uuids[n.Value()], n.Pointer())
			refs++
		case n.Name() == "role-id":
			require.True(tb, roles[n.Value()], n.Pointer())
			refs++
		case n.Name() == "control-id":
			require.NotNil(tb, b.Catalog().Control(n.Value()), n.Pointer())
			refs++
		case n.Name() == "statement-id":
			s := b.Catalog().Statement(n.Value())
			require.NotNil(tb, s, n.Pointer())
			require.Equal(tb, n.Parent().Parent().Get("control-id"), s.Control().ID(), n.Pointer())
			refs++
		case n.Name() == "param-id":
			p := b.Catalog().Param(n.Value())
			require.NotNil(tb, p, n.Pointer())
			require.Equal(tb, p.ID(), n.Value())
			refs++
		case n.Name() == "prop" && n.Get("name") == "leveraged-authorization-uuid":
			require.Equal(tb, "leveraged-authorization", uuids[n.Get("value")], n.Pointer())
			refs++
		}
	}
	require.Positive(tb, refs)
	// The rule of OSCAL's metaschema: each requirement has a by-component in it.
	for ir := range doc.Root().Child("control-implementation").All("implemented-requirement") {
		found := false
		for n := range ir.Walk() {
			found = found || n.Name() == "by-component"
		}
		require.True(tb, found, ir.Pointer())
	}
}

func TestCombineStatus(t *testing.T) {
	tests := []struct {
		name  string
		parts []Status
		want  Status
	}{
		{"nothing", nil, 0},
		{"nobody says", []Status{0, 0}, 0},
		{"all implemented", []Status{Implemented, Implemented}, Implemented},
		{"implemented or alternative", []Status{Implemented, Alternative}, Implemented},
		{"alternative", []Status{Alternative}, Implemented},
		{"none begun", []Status{Planned, Planned}, Planned},
		{"one implemented, one planned", []Status{Implemented, Planned}, Partial},
		{"one implemented, one without", []Status{Implemented, 0}, Partial},
		{"one planned, one without", []Status{Planned, 0}, Planned},
		{"partial", []Status{Partial}, Partial},
		{"partial and planned", []Status{Partial, Planned}, Partial},
		{"not applicable", []Status{NotApplicable, NotApplicable}, NotApplicable},
		{"what does not apply does not weigh", []Status{Implemented, NotApplicable}, Implemented},
		{"planned, the rest not applicable", []Status{Planned, NotApplicable}, Planned},
		{"nothing said, the rest not applicable", []Status{0, NotApplicable}, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { require.Equal(t, tt.want, CombineStatus(tt.parts...)) })
	}
}

func TestEnums(t *testing.T) {
	for s := Status(0); s <= NotApplicable; s++ {
		text, err := s.MarshalText()
		require.NoError(t, err)
		var back Status
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, s, back)
	}
	require.Equal(t, "unspecified", Status(0).String())
	require.Equal(t, "Status(99)", Status(99).String())
	_, err := Status(99).MarshalText()
	require.ErrorIs(t, err, ErrValue)
	for _, bad := range []string{"Implemented", "unspecified", " planned", "done"} {
		require.ErrorIs(t, new(Status).UnmarshalText([]byte(bad)), ErrValue, bad)
	}
	for r := Responsibility(0); r < 1<<5; r++ {
		text, err := r.MarshalText()
		require.NoError(t, err)
		var back Responsibility
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, r, back)
	}
	var r Responsibility
	require.NoError(t, r.UnmarshalText([]byte("sp-corporate, sp-system")))
	require.True(t, r.IsHybrid())
	require.False(t, r.IsShared())
	require.NoError(t, r.UnmarshalText([]byte("shared")))
	require.True(t, r.IsShared())
	require.Equal(t, "system-specific customer-configured", r.String())
	require.Equal(t, "Responsibility(255)", Responsibility(255).String())
	require.ErrorIs(t, r.UnmarshalText([]byte("organization nobody")), ErrValue)
	require.Equal(t, SystemSpecific|CustomerConfigured, r, "a text that is wrong changes nothing")
}

// definition is a component definition with one component whose control
// implementation sets values for the whole and for one requirement.
const definitionText = `{"component-definition": {
  "uuid": "de99ecc1-db8e-4cc4-a3b9-301b447a3474",
  "metadata": {"title": "Defined", "last-modified": "2026-01-01T00:00:00Z", "version": "1", "oscal-version": "1.2.2", "roles": [{"id": "provider", "title": "The Provider"}]},
  "components": [
    {"uuid": "2ba56a9a-19f8-4e06-a290-aea03532ed68", "type": "software", "title": "A", "description": "The A.", "responsible-roles": [{"role-id": "provider"}],
     "links": [{"href": "#0b1c3a9e-0c4c-4f0b-9a77-1f6a1de0b001"}, {"href": "https://example.org"}],
     "control-implementations": [{"uuid": "411761f9-2969-4cf3-a3a7-174eccee2ff8", "source": "#0b1c3a9e-0c4c-4f0b-9a77-1f6a1de0b001", "description": "d",
       "props": [{"name": "control-origination", "value": "system-specific"}],
       "set-parameters": [{"param-id": "xx-1_prm_1", "values": ["by set"]}, {"param-id": "xx-1_prm_3", "values": ["a"]}, {"param-id": "old.1", "values": ["set too"]}],
       "implemented-requirements": [
         {"uuid": "75167557-0fb7-4e15-ba76-6e60b9c3b59d", "control-id": "xx-1", "description": "A does it.", "set-parameters": [{"param-id": "xx-1_prm_1", "values": ["by requirement"]}],
          "props": [{"name": "implementation-status", "value": "partial"}, {"name": "marketing", "value": "great"}],
          "statements": [{"uuid": "b64a087b-af52-4e3e-a972-6bf3186b329a", "statement-id": "xx-1_smt.a", "description": "A does a.", "props": [{"name": "implementation-status", "value": "implemented"}]}]},
         {"uuid": "75167557-0fb7-4e15-ba76-6e60b9c3b59e", "control-id": "yy-1", "description": "Elsewhere."}]}]},
    {"uuid": "2ba56a9a-19f8-4e06-a290-aea03532ed69", "type": "service", "title": "B", "description": "The B.",
     "control-implementations": [{"uuid": "411761f9-2969-4cf3-a3a7-174eccee2ff9", "source": "other.json", "description": "d",
       "implemented-requirements": [{"uuid": "75167557-0fb7-4e15-ba76-6e60b9c3b590", "control-id": "xx-1", "description": "B does it.",
         "set-parameters": [{"param-id": "xx-1_prm_1", "values": ["by B"]}, {"param-id": "xx-1_prm_4", "values": ["seven"]}]}]}]}
  ],
  "back-matter": {"resources": [{"uuid": "0b1c3a9e-0c4c-4f0b-9a77-1f6a1de0b001", "rlinks": [{"href": "profile.json"}]}]}
}}`

func smallBaseline(tb testing.TB) *Baseline {
	tb.Helper()
	b, err := NewBaseline(smallCatalog(tb), nil)
	require.NoError(tb, err)
	return b
}

func smallSystem() System {
	return System{
		ID: "s", Name: "S", Description: "d", Boundary: "b", Status: "operational",
		Information: []Information{{ID: "i", Title: "I", Description: "d"}},
		Components: []Component{
			{ID: "a", Definition: "2ba56a9a-19f8-4e06-a290-aea03532ed68"}, {ID: "b", Definition: "2ba56a9a-19f8-4e06-a290-aea03532ed69"},
		},
	}
}

// TestPrecedence: the system before the components, those before the profile;
// in each, the requirement before the whole.
func TestPrecedence(t *testing.T) {
	b, defs := smallBaseline(t), []*oscal.ComponentDefinition{view[oscal.ComponentDefinition](t, definitionText)}
	set := func(id, value string) oscal.SetParameter {
		return oscal.SetParameter{ParamId: id, Values: []string{value}}
	}
	tests := []struct {
		name     string
		change   func(s *System)
		opts     *ImplementOptions
		want     map[string]string // parameter: value and source
		a        []string          // values of component a for the control
		conflict bool
	}{
		{
			"components differ", func(*System) {}, nil,
			map[string]string{"xx-1_prm_1": " ", "xx-1_prm_3": "a components", "xx-1_prm_4": "seven components", "xx-1_odp.1": "set too components"},
			[]string{"by requirement", "a", "set too"},
			true,
		},
		{
			"the system decides", func(s *System) {
				s.Parameters = []oscal.SetParameter{set("xx-1_prm_1", "by system"), set("old.1", "odp")}
			}, nil,
			map[string]string{"xx-1_prm_1": "by system system", "xx-1_odp.1": "odp system"},
			[]string{"a"},
			false,
		},
		{
			"its requirement before the whole", func(s *System) {
				s.Parameters = []oscal.SetParameter{set("xx-1_prm_1", "by system")}
				s.Requirements = []Requirement{{Control: "XX-1", Description: "We too.", Parameters: []oscal.SetParameter{set("xx-1_prm_1", "by our requirement")}}}
			}, nil,
			map[string]string{"xx-1_prm_1": "by our requirement system"},
			[]string{"a", "set too"},
			false,
		},
		{
			"the system for one component", func(s *System) {
				s.Requirements = []Requirement{{Control: "xx-1", Component: "a", Parameters: []oscal.SetParameter{set("xx-1_prm_1", "by B")}}}
			}, nil,
			map[string]string{"xx-1_prm_1": "by B components"},
			[]string{"by B", "a", "set too"},
			false,
		},
		{
			"one source, named as the resource is", func(*System) {}, &ImplementOptions{Sources: []string{"profile.json"}},
			map[string]string{"xx-1_prm_1": "by requirement components", "xx-1_prm_4": "five six profile"},
			[]string{"by requirement", "a", "set too"},
			false,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sys := smallSystem()
			tt.change(&sys)
			im, err := Implement(b, sys, defs, tt.opts)
			if tt.conflict {
				require.ErrorIs(t, err, ErrConflict)
				require.Len(t, err, 1)
			} else {
				require.NoError(t, err)
			}
			for id, want := range tt.want {
				values, from := im.Values(id)
				require.Equal(t, want, strings.Join(values, " ")+" "+from, id)
			}
			var got []string
			for _, r := range im.Answers("xx-1") {
				if r.Component == "a" {
					for _, s := range r.Parameters {
						got = append(got, s.Values...)
					}
				}
			}
			require.Equal(t, tt.a, got)
			plan, err := im.SSP("profile.json", now, nil)
			require.NoError(t, err)
			checkReferences(t, written(t, plan), b)
		})
	}
}

// TestDefinition: what becomes of a definition, and of requirements of the
// system that go over it.
func TestDefinition(t *testing.T) {
	b, defs := smallBaseline(t), []*oscal.ComponentDefinition{view[oscal.ComponentDefinition](t, definitionText)}
	sys := smallSystem()
	sys.Requirements = []Requirement{
		{Statement: "XX-1 a", Component: "a", Status: Planned},
		{Control: "xx-3", Description: "We do.", Status: Implemented},
	}
	im, err := Implement(b, sys, defs, &ImplementOptions{Sources: []string{"profile.json"}, DefaultStatus: Implemented})
	require.NoError(t, err)
	a := im.Components()[1]
	require.Equal(t, Component{
		ID: "a", Definition: "2ba56a9a-19f8-4e06-a290-aea03532ed68", Type: "software", Title: "A", Description: "The A.", Status: "operational",
		Roles: []string{"provider"}, Links: []oscal.Link{{Href: "https://example.org"}},
	}, a)
	require.Equal(t, []*Requirement{
		{
			Control: "xx-1", Component: "a", Description: "A does it.", Status: Partial, Responsibility: SystemSpecific,
			Parameters: im.Answers("xx-1")[0].Parameters, Props: []oscal.Property{{Name: "marketing", Value: "great"}},
		},
		{Control: "xx-1", Statement: "xx-1_smt.a", Component: "a", Description: "A does a.", Status: Planned, Responsibility: SystemSpecific},
		{Control: "xx-3", Component: "this-system", Description: "We do.", Status: Implemented},
	}, im.Requirements())
	require.Equal(t, []Requirement{{Control: "yy-1", Component: "a", Description: "Elsewhere."}}, im.LeftOut())
	require.Equal(t, Planned, im.Status("xx-1_smt.a"))
	require.Equal(t, Partial, im.Status("xx-1_smt.b"), "the answer to the control holds where there is none to the statement")
	require.Equal(t, Partial, im.Status("xx-1"))
	require.Equal(t, Status(0), im.Status("xx-2"))
	require.Equal(t, "", im.StatementUUID("xx-1_smt.b"))
	require.True(t, oscal.TypeUUID.Valid(im.StatementUUID("xx-1_smt.a")))

	total, families := im.Coverage()
	require.Len(t, families, 1)
	require.Equal(t, "controls implemented / applicable: 1/3", total.Controls.String())
	require.Equal(t, "statements implemented / applicable: 1/4", total.Statements.String())
	require.Equal(t, "statements answered / all: 3/4", total.Answered.String())
	require.Equal(t, []Count{{"implemented", 1}, {"partial", 1}, {"planned", 0}, {"alternative", 0}, {"not-applicable", 0}, {"unspecified", 1}}, total.ByStatus)
	require.Equal(t, total.ByStatus, families[0].ByStatus)
	plan, err := im.SSP("profile.json", now, nil)
	require.NoError(t, err)
	text := written(t, plan)
	checkReferences(t, text, b)
	require.Contains(t, text, "The Provider")
}

// TestSystemProblems: all that is wrong with a system, at once, in its order.
func TestSystemProblems(t *testing.T) {
	sys := System{
		ID: "s", Name: "S", Description: "d", Status: "running", Impact: Impact{Integrity: "low"},
		Roles:   []Role{{ID: "r", Title: "R"}, {ID: "r", Title: "R"}},
		Parties: []Party{{ID: "p", Type: "robot", Name: "P", Roles: []string{"x"}}},
		Users:   []User{{Title: "U", Roles: []string{"y"}}},
		Components: []Component{
			{ID: "a", Definition: "2ba56a9a-19f8-4e06-a290-aea03532ed60"},
			{ID: "this-system", Type: "software", Title: "T", Description: "d"},
			{ID: "c", Type: "software", Title: "C", Description: "d", Status: "on", Leveraged: "l"},
		},
		Inventory:  []Asset{{ID: "i", Description: "d", Components: []string{"c", "z"}}},
		Leveraged:  []Leveraged{{ID: "l", Title: "L"}},
		Parameters: []oscal.SetParameter{{ParamId: "nope", Values: []string{"v"}}, {ParamId: "loose"}},
		Requirements: []Requirement{
			{Description: "no control"},
			{Control: "xx-9", Description: "d"},
			{Control: "what?", Description: "d"},
			{Control: "xx-1", Statement: "xx-3_smt", Description: "d"},
			{Control: "xx-1", Component: "q", Description: "d"},
			{Control: "xx-1", Description: "d", Parameters: []oscal.SetParameter{{ParamId: "gone", Values: []string{"v"}}, {ParamId: "xx-1_odp.1", Values: []string{"v"}}, {ParamId: "old.1", Values: []string{"v"}}}},
			{Control: "XX-1", Description: "d"},
			{Control: "xx-3", Component: "c", Roles: []string{"w"}, Responsibilities: []Share{{Of: "v", Description: "d"}}, Satisfied: []Share{{Of: "u", Description: "d"}}},
		},
	}
	im, err := Implement(smallBaseline(t), sys, nil, nil)
	require.NotNil(t, im)
	ps, ok := err.(Problems)
	require.True(t, ok)
	var got []string
	for _, p := range ps {
		got = append(got, p.Error())
	}
	require.Equal(t, []string{
		`at /impact/confidentiality: confidentiality is missing`,
		`at /impact/availability: availability is missing`,
		`at /boundary: boundary is missing`,
		`at /status: "running" is not a value of system status (operational, under-development, under-major-modification, disposition, other)`,
		`at /information: at least one type of information is missing`,
		`at /roles/1/id: id "r" stands twice`,
		`at /parties/0/type: "robot" is not a value of party type (person, organization)`,
		`at /parties/0/roles/0: role "x" is not known`,
		`at /users/0/id: id is missing`,
		`at /users/0/roles/0: role "y" is not known`,
		`at /components/2/status: "on" is not a value of component status (under-development, operational, disposition, other)`,
		`at /inventory/0/components/1: component "z" is not known`,
		`at /leveraged/0/party: party is missing`,
		`at /leveraged/0/authorized: authorized is missing`,
		`at /requirements/7/roles/0: role "w" is not known`,
		`at /requirements/7/responsibilities/0/of: what is provided "v" is not known`,
		`at /requirements/7/satisfied/0/of: "u" is not a value of UUID of what a provider offers`,
		`component a, at /components/0/definition: defined component "2ba56a9a-19f8-4e06-a290-aea03532ed60" is not known`,
		`component a, at /components/0/type: type is missing`,
		`component a, at /components/0/title: title is missing`,
		`component a, at /components/0/description: description is missing`,
		`component this-system, at /components/1/id: "this-system" is not a value of component of the type software`,
		`component this-system, at /requirements/0: control or statement is missing`,
		`control xx-9, component this-system, at /requirements/1/control: control "xx-9" is not in the baseline`,
		`control what?, component this-system, at /requirements/2/control: "what?" is no control reference: expected letters and a hyphen, such as AC-2`,
		`control xx-1, statement xx-3_smt, component this-system, at /requirements/3/statement: statement "xx-3_smt" is not known`,
		`control xx-1, component q, at /requirements/4/component: component "q" is not known`,
		`control xx-1, component this-system, at /requirements/5/parameters/0/param-id: parameter "gone" is not known`,
		`control xx-1, component this-system, at /requirements/5/parameters/2/param-id: parameter "old.1" stands twice`,
		`control xx-1, component this-system, at /requirements/6: the answer stands twice`,
		`control xx-3, component c, at /requirements/7/description: the description is missing`,
		`at /parameters/0/param-id: parameter "nope" is not known`,
		`at /parameters/1/values: the value of parameter "loose" is missing`,
	}, got)
	require.Len(t, im.Requirements(), 2)
	require.Contains(t, err.Error(), "; and 23 more")
}

// TestSystemText: the description of a system is the same after JSON and YAML.
func TestSystemText(t *testing.T) {
	want := fullSystem()
	text, err := json.Marshal(want)
	require.NoError(t, err)
	var fromJSON System
	require.NoError(t, json.Unmarshal(text, &fromJSON))
	require.Equal(t, want, fromJSON)
	text, err = yaml.Dump(want)
	require.NoError(t, err)
	var fromYAML System
	require.NoError(t, yaml.Load(text, &fromYAML, yaml.WithKnownFields(), yaml.WithUniqueKeys()))
	require.Equal(t, want, fromYAML)
	require.Error(t, yaml.Load([]byte("requirements: [{control: ac-1, status: done}]"), &System{}))
}
