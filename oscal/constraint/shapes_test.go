package constraint

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/oscal"
)

// TestShapes: the documents of metaschemas that have nothing to do with OSCAL
// are valid or not as the corpus says, all 39.
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
		t.Run(filepath.Base(c.Instance), func(t *testing.T) {
			m, err := oscal.LoadMetaschema(fsys, c.Metaschema, nil)
			require.NoError(t, err)
			text := string(corpus.Read(t, "oscal/constraints/shapes/"+c.Instance))
			doc, err := oscal.Parse(text, &oscal.ReadOptions{Name: c.Instance, Metaschema: m})
			valid := err == nil
			if doc != nil {
				r, err := Validate(t.Context(), doc, nil)
				require.NoError(t, err)
				for _, f := range r.Findings {
					t.Log(f.Error())
				}
				valid = r.Valid()
			} else {
				t.Log(err)
			}
			require.Equal(t, c.Valid, valid)
			_ = bytes.Equal
			_ = strings.Contains
		})
	}
}
