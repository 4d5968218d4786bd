package storetest

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
)

// Records is how many records [Stream] should be asked for.
func Records(t testing.TB) int { return setting(t, RecordsVariable, 20_000) }

// Stream fills a collection with n records and looks that going through them all
// needs a bounded amount of memory, whatever n is: while the list runs, the heap
// grows by no more than 16 MiB, where the records hold 300 bytes each.
func Stream(t *testing.T, s *store.Scope, c *store.Collection[Payload], n int) {
	t.Helper()
	for from := 0; from < n; from += 5000 {
		require.NoError(t, s.Update(t.Context(), func(tx *store.Tx) error {
			for i := from; i < min(n, from+5000); i++ {
				if err := c.In(tx).Create(t.Context(), NewPayload(i)); err != nil {
					return err
				}
			}
			return nil
		}))
	}
	inUse := func() uint64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before, most := inUse(), uint64(0)
	got := 0
	for _, err := range c.All(t.Context()) {
		require.NoError(t, err)
		if got++; got%(n/5) == 0 {
			most = max(most, inUse())
		}
	}
	require.Equal(t, n, got)
	grown := max(most, before) - before
	t.Logf("%d records, heap grows by %d KiB", n, grown>>10)
	require.Less(t, grown, uint64(16<<20))
}
