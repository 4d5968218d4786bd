package oscal

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestIndex: the members of the model have the numbers from 1 to MemberCount, each
// its own.
func TestIndex(t *testing.T) {
	seen := map[int]*Member{}
	for i := range roots {
		seen[roots[i].Index()] = &roots[i]
	}
	for i := range defs {
		for m := range defs[i].Members() {
			require.Nil(t, seen[m.Index()], m.Name())
			seen[m.Index()] = m
		}
	}
	require.Len(t, seen, MemberCount)
	for i := range MemberCount {
		require.NotNil(t, seen[i+1])
	}
	require.Zero(t, new(Member).Index())
}
