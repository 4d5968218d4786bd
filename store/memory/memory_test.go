package memory_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/memory"
	"github.com/issokit/issokit/store/storetest"
)

func open(testing.TB) driver.Backend { return memory.New(nil) }

func TestSuite(t *testing.T) { storetest.Run(t, open, nil) }

// TestUpdateInsideUpdate: the inner one, which is not on the Tx, must not wait
// for ever.
func TestUpdateInsideUpdate(t *testing.T) {
	b := memory.New(&memory.Options{LockWait: 10 * time.Millisecond})
	s := store.New(b, nil).Scope(store.Principal{Actor: "p"})
	err := s.Update(t.Context(), func(*store.Tx) error {
		return s.Update(t.Context(), func(*store.Tx) error { return nil })
	})
	require.ErrorIs(t, err, store.ErrBusy)
	require.NoError(t, s.Update(context.Background(), func(*store.Tx) error { return nil }))
}

func BenchmarkStore(b *testing.B) { storetest.Benchmark(b, open) }
