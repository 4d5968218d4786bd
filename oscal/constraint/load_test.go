package constraint

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

// texts is a loader of texts by URI.
type texts map[string]string

func (m texts) Load(_ context.Context, uri string) (io.ReadCloser, string, error) {
	t, ok := m[uri]
	if !ok {
		return nil, "", fmt.Errorf("%s: %w", uri, fs.ErrNotExist)
	}
	return io.NopCloser(strings.NewReader(t)), "", nil
}

// fedramp loads FedRAMP's three sets.
func fedramp(tb testing.TB, opts *LoadOptions) []*Set {
	tb.Helper()
	var sets []*Set
	for _, name := range []string{"fedramp-external-allowed-values.xml", "fedramp-external-constraints.xml", "oscal-external-constraints.xml"} {
		s, err := Load(tb.Context(), name, bytes.NewReader(corpus.Read(tb, "oscal/constraints/fedramp", name)), opts)
		require.NoError(tb, err)
		sets = append(sets, s)
	}
	return sets
}

type fedrampCase struct {
	Constraint, Expect, Test string
	Note                     string
	ExpectFailures           int `json:"expect-failures"`
	Documents                []struct {
		File     string
		Verified bool
		Checked  int `json:"nodes-checked"`
		Failed   int `json:"nodes-failed"`
	}
}

type fedrampTable struct {
	Cases  []fedrampCase
	URIMap map[string]string `json:"uri-map"`
}

// loader serves what the table maps links to, and nothing else.
func (table fedrampTable) loader(tb testing.TB) texts {
	m := texts{}
	for link, file := range table.URIMap {
		m[link] = string(corpus.Read(tb, "oscal/constraints/fedramp", file))
	}
	return m
}

// fedrampUnreachable are the documents of the table that are not verified and
// need more than the table gives: a catalog or an image from the network, or the
// reading of a leading slash that the specification does not have.
var fedrampUnreachable = map[string]bool{
	"aggregate-parameters-warning content/ssp-aggregate-parameters-warning-INVALID.xml":                                               true,
	"data-center-count content/fedramp-ssp-example.oscal.xml":                                                                         true,
	"has-authorization-boundary-diagram-link-href-target content/ssp-has-authorization-boundary-diagram-link-href-target-VALID-1.xml": true,
	"has-data-flow-diagram-link-href-target content/ssp-has-data-flow-diagram-link-href-target-VALID-1.xml":                           true,
	"has-network-architecture-diagram-link-href-target content/ssp-has-network-architecture-diagram-link-href-target-VALID-1.xml":     true,
	"prop-response-point-has-cardinality-one content/profile-all-VALID.xml":                                                           true,
}

// TestFedRAMP runs FedRAMP's unit tests of its constraints, with and without
// the built-in set beside them.
func TestFedRAMP(t *testing.T) {
	table := readJSON[fedrampTable](t, "fedramp/cases.json")
	require.Len(t, table.Cases, 176)
	sets := fedramp(t, nil)
	total := 0
	for _, s := range sets {
		for range s.Constraints() {
			total++
		}
	}
	require.Equal(t, 188, total)
	loader := table.loader(t)
	// One validation with all constraints serves all cases of a document.
	reports := map[string]*Report{}
	report := func(t *testing.T, file string, alone bool) *Report {
		key := fmt.Sprint(file, alone)
		if reports[key] == nil {
			doc, err := oscal.Parse(string(corpus.Read(t, "oscal/constraints/fedramp", file)), nil)
			if doc == nil {
				t.Fatal(err)
			}
			reports[key], err = Validate(t.Context(), doc, &Options{
				Sets: sets, NoBuiltIn: alone, NoStructure: true, Loader: loader, Counts: true,
				Now: time.Date(2026, 11, 25, 0, 0, 0, 0, time.UTC),
			})
			require.NoError(t, err)
		}
		return reports[key]
	}
	checked, left := 0, 0
	for _, c := range table.Cases {
		t.Run(c.Test, func(t *testing.T) {
			for _, d := range c.Documents {
				if fedrampUnreachable[c.Constraint+" "+d.File] {
					left++
					continue
				}
				for _, alone := range []bool{true, false} {
					r := report(t, d.File, alone)
					passed, failed := 0, 0
					for _, n := range r.Counts {
						if n.Constraint.ID == c.Constraint {
							passed += n.Passed
							failed += n.Failed
						}
					}
					require.Positive(t, passed+failed, "nothing was looked at in %s", d.File)
					switch {
					case c.ExpectFailures > 0:
						require.Equal(t, c.ExpectFailures, failed)
					case c.Expect == "pass":
						require.Zero(t, failed, r.Findings)
					default:
						require.Zero(t, passed, d.File)
					}
					if d.Verified {
						require.Equal(t, [2]int{d.Checked, d.Failed}, [2]int{passed + failed, failed})
					}
				}
				checked++
			}
		})
	}
	require.Equal(t, [2]int{180, 6}, [2]int{checked, left})
}
