package tree_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store/internal/tree"
)

// TestMap compares with a Go map that is sorted anew, and looks that maps that
// were taken earlier stay as they were.
func TestMap(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var m tree.Map[int]
	want := map[string]int{}
	type snapshot struct {
		m    tree.Map[int]
		want map[string]int
	}
	var old []snapshot
	check := func(m tree.Map[int], want map[string]int) {
		require.Equal(t, len(want), m.Len())
		require.Equal(t, want, maps.Collect(m.Up("", "")))
		for range 5 {
			from, to := strconv.Itoa(rng.IntN(400)), strconv.Itoa(rng.IntN(400))
			var keys []string
			for _, k := range slices.Sorted(maps.Keys(want)) {
				if k >= from && k < to {
					keys = append(keys, k)
				}
			}
			var up, down []string
			for k, v := range m.Up(from, to) {
				require.Equal(t, want[k], v)
				up = append(up, k)
			}
			for k := range m.Down(from, to) {
				down = append(down, k)
			}
			require.Equal(t, keys, up)
			slices.Reverse(down)
			require.Equal(t, keys, down)
		}
	}
	for i := range 3000 {
		k := strconv.Itoa(rng.IntN(400))
		if rng.IntN(3) == 0 {
			m = m.Delete(k)
			delete(want, k)
		} else {
			m = m.Set(k, i)
			want[k] = i
		}
		got, ok := m.Get(k)
		v, there := want[k]
		require.Equal(t, []any{v, there}, []any{got, ok})
		if i%100 == 0 {
			old = append(old, snapshot{m, maps.Clone(want)})
		}
	}
	for _, s := range append(old, snapshot{m, want}) {
		check(s.m, s.want)
	}
	for range m.Up("", "") {
		break
	}
}
