package memory_test

import (
	"context"
	"fmt"
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

func ExampleNew() {
	ctx := context.Background()
	scope := store.New(memory.New(nil), nil).Scope(store.Principal{Tenant: "acme", Actor: "p.meyer", Reason: "first draft"})
	type policy struct{ ID, Title string }
	policies := store.NewCollection(scope, "policies", func(p policy) string { return p.ID }, nil)
	if err := policies.Create(ctx, policy{"pol-1", "Access control"}); err != nil {
		fmt.Println(err)
		return
	}
	for v, err := range policies.History(ctx, "pol-1") {
		fmt.Println(v.Value.Title, v.Revision, v.Actor, v.Reason, err)
	}
	report, err := scope.Verify(ctx, nil)
	fmt.Println(report.Entries, report.Records, err)
	// Output:
	// Access control 1 p.meyer first draft <nil>
	// 1 1 <nil>
}
