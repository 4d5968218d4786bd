package constraint

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/oscal"
)

// brokenCatalog has findings of many kinds in each of its groups, and some
// between them.
func brokenCatalog(tb testing.TB, groups int) *oscal.Document {
	tb.Helper()
	var b strings.Builder
	b.WriteString(`{"catalog": {"uuid": "11111111-2222-4333-8444-000000000000", "metadata": {"title": "t",
		"last-modified": "2026-01-01T00:00:00Z", "version": "1", "oscal-version": "1.2.2"}, "groups": [`)
	for i := range groups {
		if i > 0 {
			b.WriteByte(',')
		}
		dependsOn := `, "depends-on": "x"` // deprecated, and reading stops after many warnings
		if i > 50 {
			dependsOn = ""
		}
		fmt.Fprintf(&b, `{"id": "g%d", "title": "g", "controls": [
			{"id": "c%d", "title": "c", "props": [{"name": "status", "value": "gone"}, {"name": "nonsense%d", "value": "1"}, {"name": "label", "value": "x"}],
			 "links": [{"href": "#c%d", "rel": "related"}, {"href": "#nowhere%d", "rel": "required"}, {"href": "#r%d", "rel": "reference", "media-type": "a/b"}],
			 "parts": [{"id": "p%d", "name": "statement", "prose": "p", "parts": [{"id": "i%d", "name": "thing", "prose": "p"}]}]},
			{"id": "same", "title": "c", "params": [{"id": "p%d"%s}], "parts": [{"name": "assessment-method", "prose": "p"}]}]}`,
			i, i, i, i/2, i, i%3, i%5, i, i%7, dependsOn)
	}
	b.WriteString(`], "back-matter": {"resources": [{"uuid": "11111111-2222-4333-8444-000000000001", "rlinks": [{"href": "a"}]}]}}}`)
	doc, err := oscal.Parse(b.String(), nil)
	require.NoError(tb, err)
	return doc
}

// TestSeveralGoroutines: how many goroutines there are does not show.
func TestSeveralGoroutines(t *testing.T) {
	doc := brokenCatalog(t, 100)
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	for _, tt := range []struct {
		name string
		opts Options
		min  int
	}{
		{"all", Options{}, 900},
		{"counts", Options{Counts: true}, 900},
		{"a few findings", Options{MaxFindings: 250}, 251},
		{"only", Options{Only: []string{"oscal-catalog-control-prop-status-values", "catalog:control#4"}}, 100},
	} {
		t.Run(tt.name, func(t *testing.T) {
			runtime.GOMAXPROCS(1)
			want, err := Validate(t.Context(), doc, &tt.opts)
			require.NoError(t, err)
			require.GreaterOrEqual(t, len(want.Findings), tt.min)
			for _, n := range []int{2, 3, 8} {
				runtime.GOMAXPROCS(n)
				got, err := Validate(t.Context(), doc, &tt.opts)
				require.NoError(t, err)
				require.Equal(t, want, got)
			}
		})
	}
}

// TestSeveralGoroutinesStop: the error of the context comes out of all of them.
func TestSeveralGoroutinesStop(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(4))
	ctx, cancel := context.WithCancel(t.Context())
	doc := brokenCatalog(t, 4000)
	e, err := newEvaluator(ctx, doc, Options{MaxFindings: 1 << 20})
	require.NoError(t, err)
	rules := builtin().model().roots[doc.Root().Member()]
	cancel()
	err = func() (err error) {
		defer func() { err = recover().(stopped).err }()
		e.visit(doc.Root(), rules, nil)
		return nil
	}()
	require.ErrorIs(t, err, context.Canceled)
	_, err = Validate(ctx, doc, nil)
	require.ErrorIs(t, err, context.Canceled)
}
