package profile

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/oscal"
)

// A writer of random documents, whose ids collide often.
type random struct{ *rand.Rand }

func (r random) pick(list ...string) string { return list[r.IntN(len(list))] }

// some writes a member with up to n items, or nothing; each member ends in a
// comma.
func (r random) some(name string, n int, item func() string) string {
	var items []string
	for range r.IntN(n + 1) {
		items = append(items, item())
	}
	if items == nil {
		return ""
	}
	return fmt.Sprintf("%q: [%s],", name, strings.Join(items, ","))
}

func object(members ...string) string {
	return "{" + strings.TrimSuffix(strings.Join(members, ""), ",") + "}"
}

func (r random) flag(name string, values ...string) string {
	if r.IntN(3) == 0 {
		return ""
	}
	return fmt.Sprintf("%q: %q,", name, r.pick(values...))
}

func (r random) id(kind string, n int) string { return fmt.Sprintf("%s%d", kind, r.IntN(n)) }

func (r random) uuid() string { return fmt.Sprintf("66666666-6666-4666-8666-66666666666%d", r.IntN(5)) }

func (r random) prose() string {
	return r.pick("text", "{{ insert: param, "+r.id("p", 12)+" }}", "[see](#"+r.uuid()+")", "{{ insert: param, "+r.id("p", 12)+" }}, {{ insert: param, "+r.id("p", 12)+" }}")
}

func (r random) prop() string {
	name := fmt.Sprintf(`"name": %q, "value": %q,`, r.pick("n", "keep", "label"), r.pick("always", "1", "2"))
	return object(name, r.flag("class", "k1", "k2"), r.flag("ns", "http://csrc.nist.gov/ns/oscal", "http://x"))
}

func (r random) link() string { return fmt.Sprintf(`{"href": "#%s"}`, r.pick(r.uuid(), r.id("c", 12))) }

func (r random) param() string {
	what := r.pick("", `"values": ["v"],`, fmt.Sprintf(`"select": {"choice": [%q]},`, r.prose()))
	return object(fmt.Sprintf(`"id": %q, "label": %q,`, r.id("p", 12), r.prose()), what, r.some("props", 1, r.prop), r.some("links", 1, r.link))
}

func (r random) part(depth int) func() string {
	return func() string {
		inner := ""
		if depth < 3 {
			inner = r.some("parts", 2, r.part(depth+1))
		}
		return object(fmt.Sprintf(`"id": %q, "name": %q, "prose": %q,`, r.id("s", 20), r.pick("s", "t"), r.prose()), r.some("props", 1, r.prop), inner)
	}
}

func (r random) control(depth int) func() string {
	return func() string {
		inner := ""
		if depth < 3 {
			inner = r.some("controls", 2, r.control(depth+1))
		}
		return object(fmt.Sprintf(`"id": %q, "title": "C",`, r.id("c", 12)), r.flag("class", "k1", "k2"),
			r.some("params", 2, r.param), r.some("props", 2, r.prop), r.some("links", 1, r.link), r.some("parts", 2, r.part(0)), inner)
	}
}

func (r random) group(depth int) func() string {
	return func() string {
		inner := r.some("controls", 3, r.control(0))
		if depth < 2 && r.IntN(3) == 0 {
			inner = r.some("groups", 2, r.group(depth+1))
		}
		return object(`"title": "G",`, r.flag("id", "g1", "g2", "g3"), r.some("params", 2, r.param), r.some("props", 2, r.prop), inner)
	}
}

func (r random) backMatter() string {
	return `"back-matter": ` + object(r.some("resources", 3, func() string {
		return object(fmt.Sprintf(`"uuid": %q,`, r.uuid()), r.some("props", 1, r.prop), r.some("rlinks", 1, r.link))
	})) + ","
}

func (r random) catalog() string {
	return text("catalog", strings.TrimSuffix(r.some("params", 3, r.param)+r.some("controls", 2, r.control(0))+r.some("groups", 3, r.group(0))+r.backMatter(), ","))
}

func (r random) selection() string {
	criterion := func() string {
		return object(r.pick(fmt.Sprintf(`"with-ids": [%q, %q],`, r.id("c", 12), r.id("c", 12)), fmt.Sprintf(`"matching": [{"pattern": %q}],`, r.pick("c?", "c1*", "*"))),
			r.flag("with-child-controls", "yes", "no"))
	}
	include := r.pick(`"include-all": {},`, fmt.Sprintf(`"include-controls": [%s, %s],`, criterion(), criterion()))
	return include + r.some("exclude-controls", 1, criterion)
}

func (r random) profile(imports ...string) string {
	imp := func() string { return object(fmt.Sprintf(`"href": %q,`, r.pick(imports...)), r.selection()) }
	insert := func() string { return object(r.selection(), r.flag("order", "keep", "ascending", "descending")) }
	customGroup := func() string {
		return object(`"title": "Mine",`, r.flag("id", "g1", "g2", "g3"), r.some("params", 1, r.param), r.some("props", 1, r.prop), r.some("insert-controls", 2, insert))
	}
	structure := r.pick(`"flat": {},`, `"as-is": true,`, `"custom": `+object(r.some("groups", 2, customGroup), r.some("insert-controls", 2, insert))+",")
	set := func() string {
		what := r.pick("", `"values": ["w"],`, `"select": {"choice": ["x"]},`)
		return object(fmt.Sprintf(`"param-id": %q,`, r.id("p", 12)), what, r.some("props", 1, r.prop), r.some("links", 1, r.link))
	}
	remove := func() string {
		return object(r.flag("by-name", "n", "s"), r.flag("by-class", "k1"), r.flag("by-id", r.id("s", 20), r.id("c", 12), r.id("p", 12)), r.flag("by-item-name", "prop", "part", "link", "param"))
	}
	add := func() string {
		return object(r.flag("position", "before", "after", "starting", "ending"), r.flag("by-id", r.id("s", 20), r.id("c", 12), r.id("p", 12)), r.flag("title", "New"),
			r.some("params", 1, r.param), r.some("props", 2, r.prop), r.some("links", 1, r.link), r.some("parts", 2, r.part(2)))
	}
	alter := func() string {
		return object(fmt.Sprintf(`"control-id": %q,`, r.id("c", 12)), r.some("removes", 2, remove), r.some("adds", 3, add))
	}
	return text("profile", strings.TrimSuffix(`"imports": [`+imp()+","+imp()+"],"+
		`"merge": `+object(r.pick("", `"combine": {"method": "use-first"},`, `"combine": {"method": "keep"},`), structure)+","+
		`"modify": `+object(r.some("set-parameters", 4, set), r.some("alters", 6, alter))+","+r.backMatter(), ","))
}

// TestRandomProfiles: from valid documents, whatever they say, comes a valid
// catalog, the same each time; the documents stay as they are; under use-first
// no control is there twice; the resources of the profile that are referred to
// are there.
func TestRandomProfiles(t *testing.T) {
	controls := 0
	for seed := range uint64(400) {
		r := random{rand.New(rand.NewPCG(seed, 1))}
		docs := Map{"one.json": r.catalog(), "two.json": r.catalog()}
		docs["inner.json"] = r.profile("one.json", "two.json")
		docs["profile.json"] = r.profile("inner.json", "one.json", "two.json")
		s := NewResolver(docs, nil)
		opts := &Options{KeepNesting: seed%2 == 0}
		res, err := s.ResolveURI(t.Context(), "profile.json", opts)
		require.NoError(t, err)
		mixed := slices.ContainsFunc(res.Warnings, func(p Problem) bool { return p.Rule == RuleMixedGroup })
		for _, p := range res.Warnings {
			require.NotEqual(t, RuleDocumentProblem, p.Rule, p.Error())
			require.True(t, p.Position.IsValid())
		}
		written := write(t, res.Catalog)
		if !mixed {
			require.Empty(t, res.Catalog.Check(), "seed %d", seed)
			again, err := oscal.Parse(written, nil)
			require.NoError(t, err)
			require.Equal(t, written, write(t, again))
		}
		same, err := s.ResolveURI(t.Context(), "profile.json", opts)
		require.NoError(t, err)
		require.Equal(t, written, write(t, same.Catalog))
		for _, uri := range res.Documents {
			fresh, err := oscal.Parse(docs[uri], nil)
			require.NoError(t, err)
			require.Equal(t, write(t, fresh), write(t, s.docs[uri].doc), "%s was changed", uri)
		}
		requireOwnResources(t, s.docs["profile.json"].doc, res)
		controls += len(controlIDs(res.Catalog.Root()))
		if strings.Contains(docs["profile.json"], "use-first") && !strings.Contains(docs["profile.json"], `"custom"`) {
			seen := map[string]bool{}
			for _, id := range controlIDs(res.Catalog.Root()) {
				require.False(t, seen[id], "seed %d: %s", seed, id)
				seen[id] = true
			}
		}
	}
	require.Greater(t, controls, 2000, "the documents are not trivial")
}

// requireOwnResources: a resource of the profile that the catalog refers to is
// there.
func requireOwnResources(t *testing.T, profile *oscal.Document, res *Result) {
	t.Helper()
	for _, ref := range toParamsAndResources(res.Catalog) {
		if id := strings.TrimPrefix(ref.Target, "#"); oscal.TypeUUID.Valid(id) && profile.Find(id) != nil {
			require.Equal(t, oscal.Resolved, ref.State, id)
		}
	}
}
