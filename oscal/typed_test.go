package oscal

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asAny calls As for the model of a document.
func asAny(d *Document) (any, error) {
	switch d.Model() {
	case "catalog":
		return As[Catalog](d)
	case "mapping-collection":
		return As[MappingCollection](d)
	case "profile":
		return As[Profile](d)
	case "component-definition":
		return As[ComponentDefinition](d)
	case "system-security-plan":
		return As[SystemSecurityPlan](d)
	case "assessment-plan":
		return As[AssessmentPlan](d)
	case "assessment-results":
		return As[AssessmentResults](d)
	}
	return As[PlanOfActionAndMilestones](d)
}

// TestViewOfCorpus takes every document through its typed view and back: the
// tree must come out as it went in, and the losses must be the known ones.
func TestViewOfCorpus(t *testing.T) {
	reasons := map[string]int{}
	n := 0
	for _, file := range documents(t, "oscal", "authorization/packages", "controls", "vendors/oscal") {
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		doc, err := Parse(string(data), &ReadOptions{Name: filepath.Base(file)})
		if err != nil {
			continue
		}
		before := doc.Root().Clone()
		view, err := asAny(doc)
		if err != nil {
			losses, ok := errors.AsType[Losses](err)
			require.True(t, ok, "%s: %v", file, err)
			for _, l := range losses {
				reasons[l.Reason]++
			}
		}
		require.NoError(t, doc.Update(view), file)
		require.NoError(t, equalTrees(before, doc.Root()), file)
		n++
	}
	t.Logf("%d documents", n)
	var got []string
	for r := range reasons {
		got = append(got, r)
	}
	slices.Sort(got)
	require.Equal(t, []string{
		"oscalTypes_1_2_2.LocalDefinitions has no field for assessment-assets",
		"oscalTypes_1_2_2.LocalDefinitions has no field for tasks",
		"the Go type of mappings holds one item only",
	}, got)
}

// TestViewGaps walks the model tables beside the Go types: an upgrade of
// go-oscal that opens or closes a gap shows here.
func TestViewGaps(t *testing.T) {
	var gaps []string
	type pair struct {
		typ reflect.Type
		def *Definition
	}
	seen := map[pair]bool{}
	var walk func(typ reflect.Type, m *Member)
	walk = func(typ reflect.Type, m *Member) {
		for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
			typ = typ.Elem()
		}
		key := pair{typ, m.Definition()}
		if seen[key] || typ.Kind() != reflect.Struct || typ == timeType {
			return
		}
		seen[key] = true
		index := fieldIndex(typ)
		for c := range m.Definition().Members() {
			i, ok := index[c.JSONName()]
			if !ok {
				gaps = append(gaps, typ.Name()+" lacks "+c.JSONName())
				continue
			}
			field := typ.Field(i).Type
			inner := field
			if inner.Kind() == reflect.Pointer {
				inner = inner.Elem()
			}
			if c.Many() && inner.Kind() != reflect.Slice {
				gaps = append(gaps, typ.Name()+" holds one of "+c.JSONName())
			}
			if c.Kind() != Flag {
				walk(field, c)
			}
		}
	}
	for typ, model := range viewModels {
		walk(typ, rootByName(model))
	}
	slices.Sort(gaps)
	require.Equal(t, []string{
		"LocalDefinitions lacks assessment-assets",
		"LocalDefinitions lacks tasks",
		"MappingCollection holds one of mappings",
	}, gaps)
}

const minimal = `{"catalog":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"Minimal",
"last-modified":"2026-01-01T00:00:00.10+00:00","version":"1.0","oscal-version":"1.2.2"},
"controls":[{"id":"a","title":"A"},{"id":"b","title":"B"},{"id":"c","title":"C"}]}}`

func TestUpdateTakesOnlyEdits(t *testing.T) {
	doc, err := Parse(minimal, nil)
	require.NoError(t, err)
	view, err := As[Catalog](doc)
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 1, 1, 0, 0, 0, 100_000_000, time.UTC), view.Metadata.LastModified.UTC())

	controls := Items(view.Controls)
	controls[2].Title = "C, renamed"
	view.Controls = List(controls[2], controls[0], Control{ID: "d", Title: "D"})
	require.NoError(t, doc.Update(view))

	var b strings.Builder
	require.NoError(t, doc.Write(&b, nil))
	require.Equal(t, `{
  "catalog": {
    "uuid": "5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10",
    "metadata": {
      "title": "Minimal",
      "last-modified": "2026-01-01T00:00:00.10+00:00",
      "version": "1.0",
      "oscal-version": "1.2.2"
    },
    "controls": [
      {
        "id": "c",
        "title": "C, renamed"
      },
      {
        "id": "a",
        "title": "A"
      },
      {
        "id": "d",
        "title": "D"
      }
    ]
  }
}
`, b.String())
}

func TestUpdateKeepsZeroValues(t *testing.T) {
	const text = `{"profile":{"uuid":"5b4f1c0e-7a31-4b7e-9a51-0c3f2f8c6a10","metadata":{"title":"P",
"last-modified":"2026-01-01T00:00:00Z","version":"1.0","oscal-version":"1.2.2"},
"imports":[{"href":"#x"}],"merge":{"as-is":%s}}}`
	for _, tt := range []struct {
		name, was string
		edit      func(*Profile)
		want      string
	}{
		{"false stays", "false", func(*Profile) {}, "false"},
		{"true becomes false", "true", func(p *Profile) { p.Merge.AsIs = false }, "false"},
		{"false becomes true", "false", func(p *Profile) { p.Merge.AsIs = true }, "true"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, _ := Parse(strings.Replace(text, "%s", tt.was, 1), nil)
			view, err := As[Profile](doc)
			require.NoError(t, err)
			tt.edit(view)
			_ = doc.Update(view)
			require.Equal(t, tt.want, doc.Root().Child("merge").Get("as-is"))
		})
	}
}

func TestViewErrors(t *testing.T) {
	doc, err := Parse(minimal, nil)
	require.NoError(t, err)
	_, err = As[Profile](doc)
	require.ErrorIs(t, err, ErrModel)
	require.ErrorIs(t, doc.Update(&Profile{}), ErrModel)
	_, err = FromView(3)
	require.ErrorIs(t, err, ErrModel)
	_, err = FromView(&Catalog{UUID: "x"})
	require.ErrorIs(t, err, ErrInvalid)
}
