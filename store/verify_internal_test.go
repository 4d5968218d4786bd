package store

import (
	"errors"
	"iter"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store/driver"
)

// TestAhead: what another goroutine reads comes in order, with its errors and
// panics, and nothing is read any more when the loop has ended.
func TestAhead(t *testing.T) {
	running := false
	numbers := func(n int, err error) iter.Seq2[driver.Record, error] {
		return func(yield func(driver.Record, error) bool) {
			running = true
			defer func() { running = false }()
			for i := range n {
				if !yield(driver.Record{Key: strconv.Itoa(i), Data: make([]byte, 1000*(i%5))}, nil) {
					return
				}
			}
			if err != nil {
				yield(driver.Record{}, err)
			}
		}
	}
	failed := errors.New("failed")
	for _, n := range []int{0, 1, 127, 128, 129, 5000} {
		for _, want := range []error{nil, failed} {
			i := 0
			var got error
			for r, err := range ahead(numbers(n, want)) {
				if err != nil {
					got = err
					continue
				}
				require.NoError(t, got, "a record behind an error")
				require.Equal(t, strconv.Itoa(i), r.Key)
				i++
			}
			require.Equal(t, []any{n, want}, []any{i, got})
		}
	}
	for range ahead(numbers(5000, nil)) {
		break
	}
	require.False(t, running, "it reads on after a break")
	require.PanicsWithValue(t, "driver", func() {
		for range ahead(func(yield func(driver.Record, error) bool) {
			yield(driver.Record{}, nil)
			panic("driver")
		}) {
			continue
		}
	})
	require.PanicsWithValue(t, "body", func() {
		for range ahead(numbers(5000, nil)) {
			panic("body")
		}
	})
	require.False(t, running)
}
