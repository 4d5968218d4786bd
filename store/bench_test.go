package store_test

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/memory"
	"github.com/issokit/issokit/store/storetest"
)

// BenchmarkVerifyExport walks a trail of 20,000 entries with contents of 300
// bytes: the goal is 200,000 a second.
func BenchmarkVerifyExport(b *testing.B) {
	s := store.New(memory.New(nil), nil).Scope(store.Principal{Tenant: "t", Actor: "bench", Reason: "yearly review"})
	c := storetest.Payloads(s)
	require.NoError(b, s.Update(b.Context(), func(tx *store.Tx) error {
		for i := range 20000 {
			if err := c.In(tx).Put(b.Context(), storetest.NewPayload(i)); err != nil {
				return err
			}
		}
		return nil
	}))
	var text bytes.Buffer
	require.NoError(b, s.Export(b.Context(), &text, nil))
	n := int64(0)
	for b.Loop() {
		r, err := store.VerifyExport(bytes.NewReader(text.Bytes()), nil)
		require.NoError(b, err)
		n += r.Entries
	}
	b.ReportMetric(float64(n)*float64(time.Second)/float64(b.Elapsed()), "/s")
}
