package diff_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/oscal"
	"github.com/issokit/issokit/oscal/diff"
)

// TestSubjects edits published documents and wants what a reader of each model
// asks for: which statements, which items.
func TestSubjects(t *testing.T) {
	const (
		plan = "oscal/documents/nist-examples/ssp-example.json"
		poam = "authorization/packages/nist-ifa/json/ifa_plan-of-action-and-milestones.json"
	)
	// at returns the first node of a name below the root.
	at := func(doc *oscal.Document, name string) *oscal.Node {
		for n := range doc.Root().Walk() {
			if n.Name() == name && n.Kind() == oscal.Assembly {
				return n
			}
		}
		t.Fatal(name)
		return nil
	}
	remove := func(n *oscal.Node) { n.Parent().Remove(n) }
	for _, tt := range []struct {
		name, file string
		edit       func(doc *oscal.Document)
		want       []string
		summary    string
	}{
		{
			"statement", plan, func(doc *oscal.Document) { at(doc, "by-component").Set("description", "Other words.") },
			[]string{"changed statement au-1_smt.a of au-1: by-component"},
			"1 statement changed; 1 change in all",
		},
		{
			"requirement and statement", plan, func(doc *oscal.Document) {
				at(doc, "implemented-requirement").Set("remarks", "See below.")
				at(doc, "by-component").Set("remarks", "Other words.")
			},
			[]string{"changed statement au-1_smt.a of au-1: by-component", "changed implemented-requirement au-1 of au-1: remarks"},
			"1 implemented-requirement changed, 1 statement changed; 2 changes in all",
		},
		{
			"requirement gone", plan, func(doc *oscal.Document) { remove(at(doc, "implemented-requirement")) },
			[]string{
				"removed implemented-requirement au-1 of au-1: ", "removed statement au-1_smt of au-1: ",
				"removed statement au-1_smt.a of au-1: ", "removed statement au-1_smt.a.1 of au-1: ", "removed statement au-1_smt.a.2 of au-1: ",
				"removed statement au-1_smt.b of au-1: ", "removed statement au-1_smt.b.1 of au-1: ", "removed statement au-1_smt.b.2 of au-1: ",
			},
			"1 implemented-requirement removed, 7 statements removed; 1 change in all",
		},
		{
			"another UUID", plan, func(doc *oscal.Document) { at(doc, "statement").Set("uuid", "99999999-0000-4000-8000-000000000000") },
			[]string{"renamed statement au-1_smt of au-1: "},
			"1 statement renamed; 1 change in all",
		},
		{"another UUID and text", plan, func(doc *oscal.Document) {
			at(doc, "statement").Set("uuid", "99999999-0000-4000-8000-000000000000")
			at(doc, "statement").Set("remarks", "Other words.")
		}, []string{"changed statement au-1_smt of au-1: remarks"}, "1 statement changed; 2 changes in all"},
		{"title of the document", plan, func(doc *oscal.Document) { doc.Root().Child("metadata").Set("title", "T") }, nil, "1 change in all"},
		{
			"item", poam, func(doc *oscal.Document) { at(doc, "poam-item").Set("description", "Other words.") },
			[]string{"changed poam-item Update Django Framework Configuration to Disable Default Admin Panel: description"},
			"1 poam-item changed; 1 change in all",
		},
		{
			"item gone", poam, func(doc *oscal.Document) { remove(at(doc, "poam-item")) },
			[]string{"removed poam-item Update Django Framework Configuration to Disable Default Admin Panel: "},
			"1 poam-item removed; 1 change in all",
		},
		{
			"risk of an item", poam, func(doc *oscal.Document) { doc.Find("1c65d2d3-7735-47fa-8f68-a236744beab7").Set("status", "closed") },
			[]string{
				"changed risk IFA-GOODREAD-RISK-2: GoodRead System Engineers Have Over-Privileged Access to Cloud Infrastructure Account: status",
				"changed poam-item GoodRead System Engineers Have Over-Privileged Access to Cloud Infrastructure Account: risk",
			},
			"1 risk changed, 1 poam-item changed; 1 change in all",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc := read(t, tt.file)
			edited := oscal.NewDocument(doc.Root().Clone())
			tt.edit(edited)
			d, err := diff.Compare(doc, edited, nil)
			require.NoError(t, err)
			var got []string
			for _, c := range d.Subjects() {
				line := c.Kind.String() + " " + c.Subject.Kind + " "
				if c.Control != "" {
					line += c.Subject.ID + " of " + c.Control
				} else {
					line += c.Subject.Title
				}
				got = append(got, line+": "+strings.Join(c.Aspects, " "))
			}
			require.Equal(t, tt.want, got)
			require.Equal(t, tt.summary, d.Summary())
		})
	}
}

// TestComponentTitle: the answer of a component is told by the title of the
// component, not by its UUID.
func TestComponentTitle(t *testing.T) {
	doc := read(t, "oscal/documents/nist-examples/ssp-example.json")
	edited := oscal.NewDocument(doc.Root().Clone())
	var by *oscal.Node
	for n := range edited.Root().Walk() {
		if n.Name() == "by-component" {
			by = n
			break
		}
	}
	by.Set("remarks", "Other words.")
	var title string
	for n := range edited.Root().Walk() {
		if n.Name() == "component" && n.Get("uuid") == by.Get("component-uuid") {
			title = n.Get("title")
		}
	}
	require.NotEmpty(t, title)
	d, err := diff.Compare(doc, edited, nil)
	require.NoError(t, err)
	require.Len(t, d.Changes, 1)
	require.Equal(t, "by-component "+title+" / remarks", d.Changes[0].Path)
}

// TestMapping: what a map goes from and to is known by the id, not by its type.
func TestMapping(t *testing.T) {
	const text = `{"mapping-collection":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","mappings":[{"uuid":"6b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","maps":[{"uuid":"7b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10",
"relationship":"subset-of","sources":[{"type":"control","id-ref":"a"}],"targets":[{"type":"control","id-ref":"x"},{"type":"control","id-ref":"y"},{"type":"statement","id-ref":"z","remarks":"R"}]}]}]}}`
	for _, tt := range []struct{ name, old, new, want string }{
		{"target removed", `{"type":"control","id-ref":"x"},`, "", "  - target x removed\n"},
		{"another target", `"id-ref":"x"`, `"id-ref":"w"`, "  - target x removed\n  + target w added\n"},
		{"another type", `"statement"`, `"control"`, "  ~ target z / type: \"statement\" -> \"control\"\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, _ := oscal.Parse(text, nil)
			b, _ := oscal.Parse(strings.Replace(text, tt.old, tt.new, 1), nil)
			d, err := diff.Compare(a, b, nil)
			require.NoError(t, err)
			var out strings.Builder
			require.NoError(t, d.WriteText(&out))
			require.Equal(t, " -> : 1 map changed; "+map[bool]string{true: "1 change", false: "2 changes"}[len(d.Changes) == 1]+
				" in all\n\nmap 7b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10\n"+tt.want, strings.ReplaceAll(out.String(), "mapping-collection", ""))
		})
	}
}
