package oscal

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/internal/corpus"
)

// TestIndex: the members of a model have the numbers from 1 to MemberCount, each
// its own.
func TestIndex(t *testing.T) {
	loaded, err := LoadMetaschema(os.DirFS(corpus.Path(t, "oscal/metaschema-1.2.2")), "oscal_complete_metaschema.xml", nil)
	require.NoError(t, err)
	require.Equal(t, (*Metaschema)(nil).MemberCount(), loaded.MemberCount())
	for _, model := range []struct {
		m    *Metaschema
		defs []Definition
	}{{nil, defs[:]}, {loaded, loaded.defs}} {
		seen := map[int]*Member{}
		for r := range model.m.Roots() {
			seen[r.Index()] = r
		}
		for i := range model.defs {
			for m := range model.defs[i].Members() {
				require.Nil(t, seen[m.Index()], m.Name())
				seen[m.Index()] = m
			}
		}
		require.Len(t, seen, model.m.MemberCount())
		for i := range model.m.MemberCount() {
			require.NotNil(t, seen[i+1])
		}
	}
	require.Zero(t, new(Member).Index())
}
