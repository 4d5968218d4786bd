package diff_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/diff"
)

const (
	rev4 = "oscal/catalogs/nist-rev4/NIST_SP-800-53_rev4_catalog-min.json"
	rev5 = "oscal/catalogs/nist-rev5/NIST_SP-800-53_rev5_catalog.json"
)

func read(t testing.TB, file string) *oscal.Document {
	t.Helper()
	doc, err := oscal.Parse(string(corpus.Read(t, file)), &oscal.ReadOptions{Name: filepath.Base(file)})
	require.NotNil(t, doc, "%v", err)
	return doc
}

// TestRevision compares the two revisions of SP 800-53 with the table that the
// corpus has of the fate of every control.
func TestRevision(t *testing.T) {
	var table struct {
		Controls []struct {
			ID         string
			Rev4, Rev5 string // active, withdrawn; "" or absent where there is none
			Title4     string `json:"title-rev4"`
			Title5     string `json:"title-rev5"`
		}
	}
	require.NoError(t, json.Unmarshal(corpus.Read(t, "controls/revision/800-53-rev4-to-rev5.json"), &table))
	d, err := diff.Compare(read(t, rev4), read(t, rev5), nil)
	require.NoError(t, err)
	got := map[string]diff.ControlChange{}
	counts := map[diff.Fate]int{}
	for _, c := range d.Controls() {
		got[c.ID] = c
		counts[c.Fate]++
	}
	titles := 0
	for _, c := range table.Controls {
		change, changed := got[c.ID]
		switch {
		case c.Rev4 != "active" && c.Rev4 != "withdrawn":
			require.Equal(t, diff.ControlAdded, change.Fate, c.ID)
		case c.Rev4 == "active" && c.Rev5 == "withdrawn":
			require.Equal(t, diff.ControlWithdrawn, change.Fate, c.ID)
		case c.Rev4 == "withdrawn" && c.Rev5 == "active":
			require.Equal(t, diff.ControlRestored, change.Fate, c.ID)
		case changed:
			require.Equal(t, diff.ControlChanged, change.Fate, c.ID)
			if c.Rev4 == "active" {
				renamed := c.Title4 != c.Title5
				require.Equal(t, renamed, len(change.Aspects) > 0 && change.Aspects[0] == "title", "%s: %q %q", c.ID, c.Title4, c.Title5)
				if renamed {
					titles++
				}
			}
		}
	}
	// The numbers that the corpus gives as totals.
	require.Equal(t, 267, counts[diff.ControlAdded])
	require.Equal(t, 87, counts[diff.ControlWithdrawn])
	require.Equal(t, 1, counts[diff.ControlRestored])
	require.Zero(t, counts[diff.ControlRemoved])
	require.Zero(t, counts[diff.ControlRenamed])
	require.Equal(t, 258, titles)
	require.Equal(t, []string{"ac-2_smt.k"}, got["ac-2.10"].Successors)
}

// TestBaselines: MODERATE has all controls of LOW and 138 more.
func TestBaselines(t *testing.T) {
	d, err := diff.Compare(read(t, "controls/catalogs/NIST_SP-800-53_rev5_LOW-baseline-resolved-profile_catalog-min.json"),
		read(t, "controls/catalogs/NIST_SP-800-53_rev5_MODERATE-baseline-resolved-profile_catalog-min.json"), nil)
	require.NoError(t, err)
	counts := map[diff.Fate]int{}
	for _, c := range d.Controls() {
		counts[c.Fate]++
	}
	require.Equal(t, 287-149, counts[diff.ControlAdded])
	require.Zero(t, counts[diff.ControlRemoved])
}

// TestSame: a document has no differences to itself, read in another format.
func TestSame(t *testing.T) {
	n := 0
	root := corpus.Path(t, "oscal/documents")
	err := filepath.WalkDir(root, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		name, _ := filepath.Rel(root, path)
		doc, err := oscal.Parse(string(corpus.Read(t, "oscal/documents", name)), nil)
		if err != nil {
			return nil //nolint:nilerr // tables and broken documents are not compared
		}
		var b bytes.Buffer
		require.NoError(t, doc.Write(&b, &oscal.WriteOptions{Format: oscal.YAML}))
		again, err := oscal.Parse(b.String(), nil)
		require.NoError(t, err)
		d, err := diff.Compare(doc, again, &diff.Options{Everything: true})
		require.NoError(t, err)
		require.Empty(t, d.Changes, name)
		require.Equal(t, "no changes", d.Summary())
		n++
		return nil
	})
	require.NoError(t, err)
	require.Greater(t, n, 30)
}

// TestFormats: what NIST publishes in three formats has no differences but for
// links that name the format, and the published YAML none to JSON at all.
func TestFormats(t *testing.T) {
	for _, name := range []string{"ssp-example", "basic-catalog", "example-component-definition", "ifa_assessment-plan-example"} {
		doc := read(t, "oscal/documents/nist-examples/"+name+".json")
		for _, ext := range []string{".xml", ".yaml"} {
			d, err := diff.Compare(doc, read(t, "oscal/documents/nist-examples/"+name+ext), nil)
			require.NoError(t, err)
			for _, c := range d.Changes {
				old := strings.NewReplacer(".json", "", ".xml", "", ".yaml", "", "/json", "", "/xml", "", "/yaml", "")
				if c.Kind == diff.Added || c.Kind == diff.Removed { // a link has its address as its identity
					require.Equal(t, "link", at(c).Name(), "%s%s: %+v", name, ext, c)
					continue
				}
				require.Equal(t, old.Replace(c.From), old.Replace(c.To), "%s%s: %+v", name, ext, c)
			}
		}
	}
}

func at(c diff.Change) *oscal.Node {
	if c.New != nil {
		return c.New
	}
	return c.Old
}

// TestEveryEdit removes, one at a time, each object of an example, and wants to
// be told of it and of nothing else.
func TestEveryEdit(t *testing.T) {
	for _, file := range []string{"authorization/packages/nist-ifa/json/ifa_ssp-example.json", "authorization/packages/nist-ifa/json/ifa_plan-of-action-and-milestones.json"} {
		doc := read(t, file)
		var pointers []string
		for n := range doc.Root().Walk() {
			if n.Parent() != nil && n.Name() != "last-modified" && (n.Parent().Parent() != nil || n.Kind() != oscal.Flag) {
				pointers = append(pointers, n.Pointer())
			}
		}
		for _, p := range pointers {
			edited := oscal.NewDocument(doc.Root().Clone())
			n := edited.At(p)
			if v := n.Value(); v != "" && n.Member().Default() == v {
				continue // absent means the same
			}
			n.Parent().Remove(n)
			d, err := diff.Compare(doc, edited, nil)
			require.NoError(t, err)
			require.NotEmpty(t, d.Changes, p)
			if n.Kind() == oscal.Assembly {
				require.Equal(t, []diff.Kind{diff.Removed}, kinds(d), p)
				require.Same(t, doc.At(p), d.Changes[0].Old, p)
			}
			back, err := diff.Compare(edited, doc, nil)
			require.NoError(t, err)
			require.Len(t, back.Changes, len(d.Changes), p)
		}
	}
}

func kinds(d *diff.Diff) []diff.Kind {
	var out []diff.Kind
	for _, c := range d.Changes {
		out = append(out, c.Kind)
	}
	return out
}

const before = `{"catalog":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"T","last-modified":"2026-01-01T00:00:00Z","version":"1","oscal-version":"1.2.2",
"parties":[{"uuid":"6b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","type":"person","name":"P"}],"responsible-parties":[{"role-id":"r","party-uuids":["6b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10"]}]},
"groups":[{"id":"g","title":"G","controls":[
{"id":"a","title":"A","params":[{"id":"a_p","label":"days"}],"parts":[{"name":"statement","id":"a_smt","prose":"Do this every day."}]},
{"id":"b","title":"B"},{"id":"c","title":"C"}]},
{"id":"h","title":"H","controls":[{"id":"d","title":"D"}]}]}}`

func TestCompare(t *testing.T) {
	for _, tt := range []struct {
		name, old, new string // what is replaced
		want           string // the text, without its first line
	}{
		{"title", `"title":"B"`, `"title":"B two"`, "control b \"B two\"\n  ~ title: B {+two+}\n"},
		{"prose", "every day", "each week", "control a \"A\"\n  ~ part a_smt / prose: Do this [-every day.-]{+each week.+}\n"},
		{"white space of prose", "every day", "every  day", ""},
		{"parameter", `"label":"days"`, `"label":"weeks","class":"x"`, "control a \"A\"\n  + param a_p / class \"x\" added\n  ~ param a_p / label: [-days-]{+weeks+}\n"},
		{"prop added", `{"id":"b",`, `{"id":"b","props":[{"name":"status","value":"withdrawn"}],`, "control b \"B\"\n  + prop status \"withdrawn\" added\n"},
		{"control removed", `{"id":"b","title":"B"},`, "", "control b \"B\"\n  - control removed\n"},
		{"control added", `{"id":"d","title":"D"}`, `{"id":"d","title":"D"},{"id":"e","title":"E"}`, "control e \"E\"\n  + control added\n"},
		{"control renamed", `"id":"b"`, `"id":"b-2"`, "control b-2 \"B\"\n  = id is now b-2, was b\n"},
		{"uuid made anew", "6b4f1c0e", "7c4f1c0e", "party 7c4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10 \"P\"\n  = uuid is now 7c4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10, was 6b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10\n"},
		{"reordered", `{"id":"b","title":"B"},{"id":"c","title":"C"}`, `{"id":"c","title":"C"},{"id":"b","title":"B"}`, "catalog\n  ^ group g / controls reordered: was a, b, c; is a, c, b\n"},
		{"same moment", "T00:00:00Z\",\"version", "T00:00:00+00:00\",\"version", ""},
		{"ignored", "2026-01-01", "2026-02-02", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			require.Contains(t, before, tt.old)
			a, err := oscal.Parse(before, &oscal.ReadOptions{Name: "a"})
			require.NoError(t, err)
			b, err := oscal.Parse(strings.ReplaceAll(before, tt.old, tt.new), &oscal.ReadOptions{Name: "b"})
			require.NoError(t, err)
			d, err := diff.Compare(a, b, nil)
			require.NoError(t, err)
			var text strings.Builder
			require.NoError(t, d.WriteText(&text))
			_, got, _ := strings.Cut(text.String(), "\n")
			require.Equal(t, tt.want, strings.TrimPrefix(got, "\n"))
		})
	}
	t.Run("moved with a change", func(t *testing.T) {
		a, err := oscal.Parse(before, nil)
		require.NoError(t, err)
		text := strings.Replace(before, `,{"id":"c","title":"C"}`, "", 1)
		b, err := oscal.Parse(strings.Replace(text, `{"id":"d"`, `{"id":"c","title":"C!"},{"id":"d"`, 1), nil)
		require.NoError(t, err)
		d, err := diff.Compare(a, b, nil)
		require.NoError(t, err)
		require.Equal(t, []diff.Kind{diff.Moved, diff.Changed}, kinds(d))
		require.Equal(t, []string{"group g", "group h"}, []string{d.Changes[0].From, d.Changes[0].To})
		require.Equal(t, "1 control changed; 2 changes in all", d.Summary())
	})
	t.Run("moved into a new group", func(t *testing.T) {
		a, err := oscal.Parse(before, nil)
		require.NoError(t, err)
		text := strings.Replace(before, `,{"id":"c","title":"C"}`, "", 1)
		b, err := oscal.Parse(strings.Replace(text, `{"id":"h"`, `{"id":"new","title":"N","controls":[{"id":"c","title":"C"}]},{"id":"h"`, 1), nil)
		require.NoError(t, err)
		d, err := diff.Compare(a, b, nil)
		require.NoError(t, err)
		require.Equal(t, []diff.Kind{diff.Added, diff.Moved}, kinds(d))
	})
	t.Run("two models", func(t *testing.T) {
		a, err := oscal.Parse(before, nil)
		require.NoError(t, err)
		_, err = diff.Compare(a, oscal.NewDocument(oscal.NewRoot("profile")), nil)
		require.ErrorIs(t, err, diff.ErrModels)
	})
}

// TestRegenerated gives every object of an example another UUID, as exports do
// that make them anew, and wants a line for each of them and no other: what
// refers to them follows.
func TestRegenerated(t *testing.T) {
	for _, file := range []string{
		"oscal/documents/nist-examples/ssp-example.json", "oscal/documents/nist-examples/example-component-definition.json",
		"authorization/packages/nist-ifa/json/ifa_ssp-example.json", "authorization/packages/nist-ifa/json/ifa_plan-of-action-and-milestones.json",
		"authorization/packages/nist-ifa/json/ifa_assessment-results-example.json", "authorization/packages/nist-ifa/json/ifa_assessment-plan-example.json",
	} {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text := string(corpus.Read(t, file))
			doc, err := oscal.Parse(text, nil)
			require.NotNil(t, doc, "%v", err)
			want := map[string]bool{}
			var replace []string
			for n := range doc.Root().Walk() {
				if n.Name() == "uuid" && n.Kind() == oscal.Flag && n.Parent() != doc.Root() && !want[n.Value()] {
					want[n.Value()] = true
					replace = append(replace, n.Value(), fmt.Sprintf("%08x%s", len(want), n.Value()[8:]))
				}
			}
			again, err := oscal.Parse(strings.NewReplacer(replace...).Replace(text), nil)
			require.NotNil(t, again, "%v", err)
			d, err := diff.Compare(doc, again, nil)
			require.NoError(t, err)
			got := map[string]bool{}
			for _, c := range d.Changes {
				require.Equal(t, diff.Renamed, c.Kind, "%v %s: %q %q", c.Subject, c.Path, c.From, c.To)
				got[c.From] = true
			}
			require.Equal(t, want, got)
		})
	}
}

// TestRenamedIDs: ids have a case, and what refers to them follows, but not a
// token that happens to be the same.
func TestRenamedIDs(t *testing.T) {
	const catalog = `{"catalog":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"T","last-modified":"2026-01-01T00:00:00Z","version":"1","oscal-version":"1.2.2"},
"controls":[{"id":"AC-1","class":"KIND","title":"A","links":[{"href":"#AC-2","rel":"related"}],"params":[{"id":"P1","label":"days"},{"id":"P2","depends-on":"P1","label":"of {{ insert: param, P1 }}"}],
"parts":[{"id":"AC-1_smt","name":"statement","prose":"Every {{ insert: param, P1 }}, see [B](#AC-2)."}]},{"id":"AC-2","class":"AC-2","title":"B"}]}}`
	for _, tt := range []struct {
		name string
		edit []string
		want string
	}{
		{"control", []string{`"#AC-2"`, `"#AC-2.new"`, `(#AC-2)`, `(#AC-2.new)`, `"id":"AC-2"`, `"id":"AC-2.new"`}, "control AC-2.new \"B\"\n  = id is now AC-2.new, was AC-2\n"},
		{"control, another case", []string{`"#AC-2"`, `"#ac-2"`, `(#AC-2)`, `(#ac-2)`, `"id":"AC-2"`, `"id":"ac-2"`}, "control ac-2 \"B\"\n  = id is now ac-2, was AC-2\n"},
		{"references left", []string{`"id":"AC-2"`, `"id":"AC-3"`}, "control AC-3 \"B\"\n  = id is now AC-3, was AC-2\n"},
		{"parameter", []string{"P1", "Q1"}, "control AC-1 \"A\"\n  = param Q1 / id is now Q1, was P1\n"},
		{"a chain", []string{"P1", "Q1", `"P2"`, `"Q2"`}, "control AC-1 \"A\"\n  = param Q1 / id is now Q1, was P1\n  = param Q2 / id is now Q2, was P2\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, err := oscal.Parse(catalog, nil)
			require.NoError(t, err)
			b, err := oscal.Parse(strings.NewReplacer(tt.edit...).Replace(catalog), nil)
			require.NoError(t, err)
			d, err := diff.Compare(a, b, nil)
			require.NoError(t, err)
			var text strings.Builder
			require.NoError(t, d.WriteText(&text))
			_, got, _ := strings.Cut(text.String(), "\n")
			require.Equal(t, tt.want, strings.TrimPrefix(got, "\n"))
		})
	}
}

// TestControlCharacters: what a document says is shown to a terminal, not done by
// it.
func TestControlCharacters(t *testing.T) {
	a, err := oscal.Parse(before, &oscal.ReadOptions{Name: "a\x1b[2J"})
	require.NoError(t, err)
	b, err := oscal.Parse(strings.NewReplacer("every day", `\u001b]0;x\u0007 \u009b1m \u007f`, `"title":"B"`, `"title":"\u001b[31mB"`, `"label":"days"`, `"label":"d\u0008"`, `"id":"c"`, `"id":"c\u001b"`).Replace(before), nil)
	require.NotNil(t, b, "%v", err)
	d, err := diff.Compare(a, b, nil)
	require.NoError(t, err)
	var text, markdown strings.Builder
	require.NoError(t, d.WriteText(&text))
	require.NoError(t, d.WriteMarkdown(&markdown))
	for _, out := range []string{text.String(), markdown.String()} {
		require.Contains(t, out, "␛")
		require.Contains(t, out, "␇")
		require.NotContains(t, strings.Map(func(r rune) rune {
			if r != '\n' && unicode.IsControl(r) {
				return '!'
			}
			return -1
		}, out), "!")
	}
}

// TestImpact: what a plan is told when the catalog under it changes.
func TestImpact(t *testing.T) {
	ssp, _ := oscal.Parse(`{"system-security-plan":{"control-implementation":{"implemented-requirements":[
{"uuid":"1","control-id":"a","set-parameters":[{"param-id":"a_p","values":["3"]}],"statements":[{"statement-id":"a_smt","uuid":"2"},{"statement-id":"a_other","uuid":"4"}]},
{"uuid":"3","control-id":"d"},{"uuid":"5","control-id":"c"}]}}}`, nil)
	a, err := oscal.Parse(before, nil)
	require.NoError(t, err)
	b, err := oscal.Parse(strings.NewReplacer("every day", "daily", `"label":"days"`, `"label":"hours"`, `{"id":"d","title":"D"}`, `{"id":"e","title":"E"}`).Replace(before), nil)
	require.NoError(t, err)
	d, err := diff.Compare(a, b, nil)
	require.NoError(t, err)
	type hit struct {
		id                 string
		fate               diff.Fate
		answered           bool
		statements, params []string
	}
	var got []hit
	for _, h := range d.Impact(ssp) {
		got = append(got, hit{h.Control.ID, h.Control.Fate, h.Requirement != nil, h.Statements, h.Params})
	}
	require.Equal(t, []hit{
		{"a", diff.ControlChanged, true, []string{"a_smt"}, []string{"a_p"}},
		{"d", diff.ControlRemoved, true, nil, nil},
		{"e", diff.ControlAdded, false, nil, nil},
	}, got)
}

func TestWords(t *testing.T) {
	for _, tt := range []struct {
		from, to string
		want     []diff.Word
	}{
		{"", "", nil},
		{"a b c", "a b c", []diff.Word{{0, "a b c"}}},
		{"a b c", "a x c", []diff.Word{{0, "a "}, {diff.Removed, "b "}, {diff.Added, "x "}, {0, "c"}}},
		{"a", "", []diff.Word{{diff.Removed, "a"}}},
		{"b c", "a b c d", []diff.Word{{diff.Added, "a "}, {0, "b c "}, {diff.Added, "d"}}},
	} {
		require.Equal(t, tt.want, diff.Words(tt.from, tt.to), "%q %q", tt.from, tt.to)
	}
}

func FuzzWords(f *testing.F) {
	f.Add("the organization reviews", "reviews the accounts")
	f.Add("a\n\nb  c", "")
	f.Fuzz(func(t *testing.T, from, to string) {
		var a, b strings.Builder
		for _, w := range diff.Words(from, to) {
			if w.Kind != diff.Added {
				a.WriteString(w.Text)
			}
			if w.Kind != diff.Removed {
				b.WriteString(w.Text)
			}
		}
		require.Equal(t, strings.Fields(from), strings.Fields(a.String()))
		require.Equal(t, to, b.String())
	})
}

func TestWriters(t *testing.T) {
	a, err := oscal.Parse(before, &oscal.ReadOptions{Name: "old.json"})
	require.NoError(t, err)
	b, err := oscal.Parse(strings.NewReplacer(`"title":"B"`, `"title":"B_two","props":[{"name":"status","value":"withdrawn"}],"links":[{"rel":"moved-to","href":"#c"}]`).Replace(before), &oscal.ReadOptions{Name: "new.json"})
	require.NoError(t, err)
	d, err := diff.Compare(a, b, nil)
	require.NoError(t, err)
	var markdown bytes.Buffer
	require.NoError(t, d.WriteMarkdown(&markdown))
	require.Equal(t, `# Changes from old.json to new.json

1 control withdrawn; 3 changes in all.

| control | title | what | aspects |
|---|---|---|---|
| b | B\_two | withdrawn (see c) | title, properties, links |

## control b "B\_two"

- changed: title: ~~B~~**B\_two**
- added: prop status "withdrawn" added
- added: link moved-to #c added
`, markdown.String())
	var text bytes.Buffer
	require.NoError(t, d.WriteJSON(&text))
	var got struct {
		Old, New, Model string
		Controls        []map[string]any
		Changes         []map[string]any
	}
	require.NoError(t, json.Unmarshal(text.Bytes(), &got))
	require.Equal(t, "old.json new.json catalog", got.Old+" "+got.New+" "+got.Model)
	require.Equal(t, []map[string]any{{"change": "withdrawn", "id": "b", "title": "B_two", "withdrawn": true, "successors": []any{"c"}, "aspects": []any{"title", "properties", "links"}}}, got.Controls)
	require.Equal(t, map[string]any{
		"kind": "changed", "subject": map[string]any{"kind": "control", "id": "b", "title": "B_two"}, "path": "title",
		"old":  map[string]any{"pointer": "/catalog/groups/0/controls/1/title", "line": 5.0, "column": 19.0},
		"new":  map[string]any{"pointer": "/catalog/groups/0/controls/1/title", "line": 5.0, "column": 19.0},
		"from": "B", "to": "B_two",
		"words": []any{map[string]any{"kind": "removed", "text": "B"}, map[string]any{"kind": "added", "text": "B_two"}},
	}, got.Changes[0])
}

// BenchmarkCompare compares two catalogs of 900 and 1,200 controls, beside
// reading them.
func BenchmarkCompare(b *testing.B) {
	x, y := read(b, rev4), read(b, rev5)
	b.Run("read both", func(b *testing.B) {
		p, q := string(corpus.Read(b, rev4)), string(corpus.Read(b, rev5))
		for b.Loop() {
			_, err := oscal.Parse(p, nil)
			require.NoError(b, err)
			_, err = oscal.Parse(q, nil)
			require.NoError(b, err)
		}
	})
	b.Run("compare", func(b *testing.B) {
		for b.Loop() {
			_, err := diff.Compare(x, y, nil)
			require.NoError(b, err)
		}
	})
	b.Run("compare with itself", func(b *testing.B) {
		for b.Loop() {
			_, err := diff.Compare(y, y, nil)
			require.NoError(b, err)
		}
	})
}

// FuzzCompare: whatever the two documents, there is a result that all writers
// can put out, and the way back has as many added as this one removed.
func FuzzCompare(f *testing.F) {
	f.Add(before, strings.Replace(before, `{"id":"b","title":"B"},`, "", 1))
	f.Add(before, strings.ReplaceAll(before, `"id":"b"`, `"id":"a"`))
	f.Add(strings.ReplaceAll(before, `"id":"c"`, `"id":"a"`), before)
	const profile = `{"profile":{"imports":[{"href":"c","include-controls":[{"with-ids":["a","b"]}]}],"modify":{"alters":[{"control-id":"a","removes":[{"by-id":"p"}],"adds":[{"by-id":"a_smt","parts":[{"id":"q","name":"item"}]}]}]}}}`
	f.Add(profile, strings.Replace(profile, `"include-controls":[{"with-ids":["a","b"]}]`, `"include-all":{}`, 1))
	f.Add(profile, strings.Replace(profile, `"a_smt"`, `"b_smt"`, 1))
	f.Fuzz(func(t *testing.T, from, to string) {
		a, _ := oscal.Parse(from, &oscal.ReadOptions{MaxNodes: 2000})
		b, _ := oscal.Parse(to, &oscal.ReadOptions{MaxNodes: 2000})
		if a == nil || b == nil || a.Model() != b.Model() {
			return
		}
		d, err := diff.Compare(a, b, &diff.Options{Everything: true})
		require.NoError(t, err)
		require.NoError(t, d.WriteText(io.Discard))
		require.NoError(t, d.WriteMarkdown(io.Discard))
		require.NoError(t, d.WriteJSON(io.Discard))
		same, err := diff.Compare(a, a, &diff.Options{Everything: true})
		require.NoError(t, err)
		require.Empty(t, same.Changes)
	})
}
