package oscal

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestSplitAndJoin takes every published document apart and puts it together
// again, each piece written and read as a file of its own in between: the bytes
// must be those of the document.
func TestSplitAndJoin(t *testing.T) {
	names := map[string][]string{
		"catalog": {"control"}, "profile": {"import", "alter"}, "component-definition": {"component", "capability"},
		"system-security-plan": {"implemented-requirement", "component"}, "assessment-plan": {"activity", "task"},
		"assessment-results": {"observation", "risk", "finding"}, "plan-of-action-and-milestones": {"poam-item", "risk"},
		"mapping-collection": {"mapping"},
	}
	n, total := 0, 0
	for _, file := range documents(t, "oscal/documents", "oscal/catalogs/nist-rev5", "authorization/packages") {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		doc, err := Parse(string(data), nil)
		if err != nil {
			continue
		}
		var want bytes.Buffer
		require.NoError(t, doc.Write(&want, nil))
		rest, pieces := doc.Split(names[doc.Model()]...)
		seen := map[string]bool{}
		for i, p := range pieces {
			require.False(t, seen[strings.ToLower(p.Name)], p.Name)
			seen[strings.ToLower(p.Name)] = true
			var b bytes.Buffer
			require.NoError(t, p.Doc.Write(&b, nil))
			pieces[i].Doc, err = Parse(b.String(), &ReadOptions{Name: p.Name, Fragment: p.Doc.Root().Member()})
			require.NoError(t, err, b.String())
			require.Empty(t, pieces[i].Doc.Check().Errors())
		}
		joined, err := Join(rest, pieces)
		require.NoError(t, err)
		var got bytes.Buffer
		require.NoError(t, joined.Write(&got, nil))
		require.Equal(t, want.String(), got.String(), filepath.Base(file))
		n, total = n+1, total+len(pieces)
	}
	require.Greater(t, n, 60)
	require.Greater(t, total, 2500)
}

func TestSplitLeavesTheDocument(t *testing.T) {
	doc, err := Parse(minimal, nil)
	require.NoError(t, err)
	before := doc.Root().Clone()
	rest, pieces := doc.Split("control")
	require.NoError(t, equalTrees(before, doc.Root()))
	require.Nil(t, rest.Root().Child("control"))
	var names, pointers []string
	for _, p := range pieces {
		names, pointers = append(names, p.Name), append(pointers, p.Pointer)
	}
	require.Equal(t, []string{"control/a", "control/b", "control/c"}, names)
	require.Equal(t, []string{"/catalog/controls/0", "/catalog/controls/1", "/catalog/controls/2"}, pointers)
	require.Equal(t, "/control/title", pieces[1].Doc.Root().Child("title").Pointer())
	require.Equal(t, "/control[1]/title[1]", pieces[1].Doc.Root().Child("title").Path())
	require.Same(t, pieces[1].Doc.Root().Child("title"), pieces[1].Doc.At("/control/title"))
}

func TestPieceNames(t *testing.T) {
	control := rootByName("catalog").Definition().Member("control")
	taken := map[string]bool{}
	var got []string
	for _, id := range []string{"ac-1", "AC-1", "../../etc", "", "", strings.Repeat("x", 300), "a/b\\c:d", "…"} {
		n := NewNode(control)
		if id != "" {
			n.Set("id", id)
		}
		got = append(got, pieceName(n, taken))
	}
	require.Equal(t, []string{
		"control/ac-1", "control/AC-1-2", "control/_.._etc", "control/control", "control/control-2", "control/" + strings.Repeat("x", 100), "control/a_b_c_d", "control/_",
	}, got)
}

func TestJoinRefuses(t *testing.T) {
	doc, err := Parse(minimal, nil)
	require.NoError(t, err)
	rest, pieces := doc.Split("control")
	group := NewDocument(NewNode(rootByName("catalog").Definition().Member("group")))
	for _, tt := range []struct {
		name   string
		pieces []Piece
		want   string
	}{
		{"hole", []Piece{pieces[0], pieces[2]}, `piece control/c: expected the place /catalog/controls/2, found only 1 objects before it`},
		{"no object", []Piece{{"x", "/catalog/groups/0/controls/0", pieces[0].Doc}}, `the document has no object at "/catalog/groups/0/controls"`},
		{"no member", []Piece{{"x", "/catalog/colours/0", pieces[0].Doc}}, `catalog has no place for "/catalog/colours/0"`},
		{"no array", []Piece{{"x", "/catalog/controls", pieces[0].Doc}}, `catalog has no place for "/catalog/controls"`},
		{"kind", []Piece{{"x", "/catalog/controls/0", group}}, `expected a control at /catalog/controls/0, found a group`},
		{"pointer", []Piece{{"x", "", pieces[0].Doc}}, `the document has no object at ""`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Join(rest, tt.pieces)
			require.ErrorIs(t, err, ErrPieces)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// TestFragment: an object that stands alone is checked like one in a document.
func TestFragment(t *testing.T) {
	control := rootByName("catalog").Definition().Member("control")
	for _, tt := range []struct{ name, text, want string }{
		{"json", `{"control":{"id":"a","titel":"A"}}`, `1:2: control lacks the required member "title" (at /control) [member-missing]`},
		{"yaml", "control:\n  id: 1a\n  title: A\n", `2:7: expected a token (a letter or _, then letters, digits, '.', '-' or '_'), found "1a" (at /control/id) [datatype]`},
		{"xml", `<control xmlns="http://csrc.nist.gov/ns/oscal/1.0" id="a"/>`, "lacks the required"},
		{"other", `{"group":{}}`, `1:2: unknown member "group"; expected one root member: control [member-unknown]`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Parse(tt.text, &ReadOptions{Fragment: control})
			require.ErrorIs(t, err, ErrInvalid)
			require.ErrorContains(t, err, tt.want)
		})
	}
	doc, err := Parse(`{"control":{"id":"a","title":"A"}}`, &ReadOptions{Fragment: control})
	require.NoError(t, err)
	require.Equal(t, "control", doc.Model())
}
