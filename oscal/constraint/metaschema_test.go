package constraint

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

// TestShapes: the documents of metaschemas that have nothing to do with OSCAL
// are valid or not as the corpus says, all 39 without an exception.
//
// Two of them say more in comments than the specification does:
// datatypes-datetime_test_various_FAIL.xml and _working_FAIL.xml call zeros at
// the end of a fraction wrong. The pattern of date-time-with-timezone has
// (\.[0-9]+)? there, as in the JSON schema of OSCAL 1.2.2; the files have other
// faults that make them invalid.
func TestShapes(t *testing.T) {
	var table struct {
		Cases []struct {
			Metaschema, Instance string
			Valid                bool
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "oscal/constraints/shapes/cases.json"), &table))
	require.Len(t, table.Cases, 39)
	fsys := os.DirFS(corpus.Path(t, "oscal/constraints/shapes"))
	for _, c := range table.Cases {
		t.Run(c.Instance, func(t *testing.T) {
			m, err := oscal.LoadMetaschema(fsys, c.Metaschema, nil)
			require.NoError(t, err)
			text := string(corpus.Read(t, "oscal/constraints/shapes/"+c.Instance))
			doc, err := oscal.Parse(text, &oscal.ReadOptions{Name: c.Instance, Metaschema: m})
			if doc == nil {
				require.ErrorIs(t, err, oscal.ErrInvalid)
				require.False(t, c.Valid)
				return
			}
			r, err := Validate(t.Context(), doc, nil)
			require.NoError(t, err)
			require.Equal(t, c.Valid, r.Valid(), r.Findings)
			for _, f := range r.Findings {
				require.True(t, f.Position.IsValid(), f.Error())
			}
		})
	}
}

// TestShapeFindings: the constraints of a metaschema look at flags and fields,
// wherever these stand.
func TestShapeFindings(t *testing.T) {
	m, err := oscal.LoadMetaschema(os.DirFS(corpus.Path(t, "oscal/constraints/shapes")), "allowed-values/allowed-values-basic_metaschema.xml", nil)
	require.NoError(t, err)
	set, err := OfMetaschema(m)
	require.NoError(t, err)
	for path, values := range map[string][]string{
		"/allowed-values-parent/@odd-flag":        {"1", "3", "5", "7", "9", "11"},
		"/allowed-values-parent/child/@even-flag": {"2", "4", "6", "8", "10"},
		"/allowed-values-parent/child/field-date": {"2020-01-01", "2020-02-29", "2020-07-04"},
	} {
		list, err := set.AllowedValues(path)
		require.NoError(t, err)
		require.Len(t, list, 1)
		var got []string
		for _, e := range list[0].Enums {
			got = append(got, e.Value)
		}
		require.Equal(t, values, got)
	}
	doc, err := oscal.Parse(string(corpus.Read(t, "oscal/constraints/shapes/allowed-values/allowed-values-basic_test_valid_FAIL.xml")), &oscal.ReadOptions{Metaschema: m})
	require.ErrorIs(t, err, oscal.ErrInvalid)
	// The set is there without being asked for, and not a second time if it is.
	for _, o := range []*Options{{}, {Sets: []*Set{set}}, {NoBuiltIn: true, Sets: []*Set{set}}} {
		o.NoStructure, o.Counts = true, true
		r, err := Validate(t.Context(), doc, o)
		require.NoError(t, err)
		var got []string
		for _, f := range r.Findings {
			got = append(got, f.Path+" "+f.Message)
		}
		require.Equal(t, []string{
			`/allowed-values-parent[1]/@odd-flag the value "12" is not one of 1, 3, 5, 7, 9, 11`,
			`/allowed-values-parent[1]/field-date[1] the value "2022-06-22" is not one of 2020-01-01, 2020-02-29, 2020-07-04`,
			`/allowed-values-parent[1]/field-date[2] the value "2020-06-31" is not one of 2020-01-01, 2020-02-29, 2020-07-04`,
			`/allowed-values-parent[1]/child[1]/@even-flag the value "4X" is not one of 2, 4, 6, 8, 10`,
			`/allowed-values-parent[1]/child[1]/field-date[1] the value "2020-01-11" is not one of 2020-01-01, 2020-02-29, 2020-07-04`,
		}, got)
	}
	r, err := Validate(t.Context(), doc, &Options{NoStructure: true, NoBuiltIn: true})
	require.NoError(t, err)
	require.Empty(t, r.Findings)
}

// TestMetaschemaOfOSCAL: the constraints of OSCAL's modules, loaded, are those of
// the generated tables, and find the same in the documents of the corpus.
func TestMetaschemaOfOSCAL(t *testing.T) {
	m, err := oscal.LoadMetaschema(os.DirFS(corpus.Path(t, "oscal/metaschema-1.2.2")), "oscal_complete_metaschema.xml", nil)
	require.NoError(t, err)
	set, err := OfMetaschema(m)
	require.NoError(t, err)
	require.Len(t, set.all, len(BuiltIn().all))
	line := func(s string) string { return strings.Join(strings.Fields(s), " ") } // as the generator writes expressions
	for i, want := range BuiltIn().all {
		got := *set.all[i].Constraint
		require.NotEmpty(t, got.File)
		require.NotZero(t, got.Line)
		got.File, got.Line, got.Target, got.Test = "", 0, line(got.Target), line(got.Test)
		if got.Kind != KindHasCardinality {
			got.MaxOccurs = want.MaxOccurs
		}
		require.Equal(t, *want.Constraint, got)
	}
	again, err := OfMetaschema(m)
	require.NoError(t, err)
	require.Same(t, set, again)
	builtin, err := OfMetaschema(nil)
	require.NoError(t, err)
	require.Same(t, BuiltIn(), builtin)

	table := readJSON[struct {
		Documents []struct {
			Document string
			Count    int
		}
	}](t, "builtin/findings.json")
	for _, c := range table.Documents {
		text := corpus.Read(t, "oscal", c.Document)
		if len(text) > 500_000 {
			continue
		}
		doc, _ := oscal.Parse(string(text), &oscal.ReadOptions{Metaschema: m})
		require.NotNil(t, doc)
		r := validate(t, doc)
		require.Len(t, violations(r), c.Count, c.Document)
		other := validate(t, load(t, c.Document))
		require.Len(t, r.Counts, len(other.Counts))
		for i, n := range other.Counts {
			require.Equal(t, []any{n.Constraint.Key, n.Passed, n.Failed}, []any{r.Counts[i].Constraint.Key, r.Counts[i].Passed, r.Counts[i].Failed})
		}
	}
}

// houseModule has constraints of all kinds that refer to others: lets, an index
// and a look into it, names with a prefix.
const houseModule = `<METASCHEMA xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0">
<schema-name>House</schema-name><schema-version>3</schema-version><short-name>house</short-name><namespace>https://example.org/ns/house</namespace>
<namespace-binding prefix="h" uri="https://example.org/ns/house"/>
<define-assembly name="house"><root-name>house</root-name>
  <model>
    <define-assembly name="room" max-occurs="unbounded">
      <json-key flag-ref="id"/>
      <group-as name="rooms" in-json="BY_KEY"/>
      <define-flag name="id" as-type="token" required="yes"/>
      <define-flag name="next" as-type="token"/>
      <model><define-field name="area" as-type="decimal"/></model>
      <constraint>
        <let var="least" expression="8"/>
        <expect id="small" target="." test="not(area) or h:area &gt; $least" level="WARNING"><message>{@id} is small</message></expect>
        <index-has-key id="next-room" name="rooms" target="@next"><key-field target="."/></index-has-key>
      </constraint>
    </define-assembly>
  </model>
  <constraint>
    <index id="rooms" name="rooms" target="room"><key-field target="@id"/></index>
    <has-cardinality id="three" target="room" max-occurs="3"/>
  </constraint>
</define-assembly></METASCHEMA>
`

func house(tb testing.TB, module string) *oscal.Metaschema {
	m, err := oscal.LoadMetaschema(fstest.MapFS{"house.xml": {Data: []byte(module)}}, "house.xml", nil)
	require.NoError(tb, err)
	return m
}

func TestMetaschemaConstraints(t *testing.T) {
	m := house(t, houseModule)
	const text = `{"house": {"rooms": {
"hall": {"next": "attic", "area": 7.5},
"kitchen": {"next": "hall", "area": 8.01},
"bath": {}, "den": {}}}}`
	doc, err := oscal.Parse(text, &oscal.ReadOptions{Name: "h.json", Metaschema: m})
	require.NoError(t, err)
	// An external set may look into the indexes of the metaschema.
	external, err := Load(t.Context(), "more.xml", strings.NewReader(`<metaschema-meta-constraints xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0">
<namespace-binding prefix="x" uri="https://example.org/ns/house"/>
<context><metapath target="/x:house"/><constraints>
<index-has-key id="no-cellar" name="rooms" target="room[@id='bath']"><key-field target="concat(@id, '-door')"/></index-has-key>
</constraints></context></metaschema-meta-constraints>`), &LoadOptions{Metaschema: m})
	require.NoError(t, err)
	r, err := Validate(t.Context(), doc, &Options{Sets: []*Set{external}})
	require.NoError(t, err)
	var got []string
	for _, f := range r.Findings {
		got = append(got, f.Error())
	}
	require.Equal(t, []string{
		`h.json:1:2: expected at most 3 of room, found 4 (at /house) [three]`,
		`h.json:2:9: warning: hall is small (at /house/rooms/hall) [small]`,
		`h.json:2:18: the key "attic" is not in the index rooms (at /house/rooms/hall/next) [next-room]`,
		`h.json:4:9: the key "bath-door" is not in the index rooms (at /house/rooms/bath) [no-cellar]`,
	}, got)
}

// TestOfMetaschemaProblems: what is wrong with constraints is known when they are
// asked for, by a validation too.
func TestOfMetaschemaProblems(t *testing.T) {
	m := house(t, strings.NewReplacer(`$least"`, `$most"`, `target="@next"`, `target="@next["`, `id="three"`, `id="three" most="3"`, `name="rooms" target="room"`, `name="other" target="room"`).Replace(houseModule))
	const want = `constraint: house.xml:14:9: test: nothing binds the variable $most at offset 22 [variable] in "not(area) or h:area > $most"
house.xml:15:1: nothing defines the index "rooms"
house.xml:15:9: target: expected an expression, found the end of the expression at offset 6 [syntax] in "@next["
house.xml:21:5: has-cardinality has no attribute most`
	set, err := OfMetaschema(m)
	require.Nil(t, set)
	require.EqualError(t, err, want)
	doc, err := oscal.Parse(`{"house": {}}`, &oscal.ReadOptions{Metaschema: m})
	require.NoError(t, err)
	_, err = Validate(t.Context(), doc, nil)
	require.EqualError(t, err, want)
	_, err = Load(t.Context(), "more.xml", strings.NewReader(`<metaschema-meta-constraints xmlns="http://csrc.nist.gov/ns/oscal/metaschema/1.0"/>`), &LoadOptions{Metaschema: m})
	require.EqualError(t, err, want)
}
