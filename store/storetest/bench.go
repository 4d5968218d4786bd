package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
)

// Payload is the content of the records of [Benchmark]: about 300 bytes of JSON
// with one attribute, so that others can be measured with the same.
type Payload struct {
	ID    string `json:"id"`
	Owner string `json:"owner"`
	Text  string `json:"text"`
}

// NewPayload returns the i-th payload.
func NewPayload(i int) Payload {
	return Payload{fmt.Sprintf("k%08d", i), fmt.Sprintf("owner-%d", i%10), strings.Repeat("0123456789", 25)}
}

// Payloads is the collection of the benchmarks.
func Payloads(s *store.Scope) *store.Collection[Payload] {
	return store.NewCollection(s, "payloads", func(p Payload) string { return p.ID }, &store.CollectionOptions[Payload]{
		Attrs: map[string]func(Payload) []string{"owner": func(p Payload) []string { return []string{p.Owner} }},
	})
}

// Benchmark measures a back end. A put is one Collection.Put of a payload: its
// content is checked and made canonical, the trail's end and the record are read in
// the transaction, and the record, its attribute, the audit entry with the content,
// which is also the history, and the attribute by which the history is found are
// written. Create, Put and Swap commit each by itself, one after another;
// Put8Writers does the same from eight goroutines; Update100 commits a hundred puts
// at once. All give puts per second.
//
// Verify gives entries per second: of each, it reads the entry and the record, and
// hashes the entry and the content of both. VerifyTrail leaves out the records.
func Benchmark(b *testing.B, open func(t testing.TB) driver.Backend) {
	const records = 2000
	fill := func(b *testing.B) (*store.Scope, *store.Collection[Payload]) {
		s := store.New(open(b), nil).Scope(store.Principal{Tenant: "t", Actor: "bench"})
		c := Payloads(s)
		require.NoError(b, s.Update(b.Context(), func(tx *store.Tx) error {
			for i := range records {
				if err := c.In(tx).Create(b.Context(), NewPayload(i)); err != nil {
					return err
				}
			}
			return nil
		}))
		return s, c
	}
	b.Run("Create", func(b *testing.B) {
		c := Payloads(store.New(open(b), nil).Scope(store.Principal{Tenant: "t", Actor: "bench"}))
		n := 0
		for b.Loop() {
			require.NoError(b, c.Create(b.Context(), NewPayload(n)))
			n++
		}
		perSecond(b, n)
	})
	b.Run("Put", func(b *testing.B) {
		_, c := fill(b)
		n := 0
		for b.Loop() {
			require.NoError(b, c.Put(b.Context(), NewPayload(n%records)))
			n++
		}
		perSecond(b, n)
	})
	b.Run("Swap", func(b *testing.B) {
		_, c := fill(b)
		n := 0
		for b.Loop() {
			_, err := c.Swap(b.Context(), NewPayload(n%records), int64(n/records)+1)
			require.NoError(b, err)
			n++
		}
		perSecond(b, n)
	})
	b.Run("Put8Writers", func(b *testing.B) {
		_, c := fill(b)
		b.ResetTimer()
		var n atomic.Int64
		var writers sync.WaitGroup
		var errs [8]error
		for w := range errs {
			writers.Go(func() {
				for i := int(n.Add(1)); i <= b.N && errs[w] == nil; i = int(n.Add(1)) {
					errs[w] = c.Put(b.Context(), NewPayload(i%records))
				}
			})
		}
		writers.Wait()
		require.NoError(b, errors.Join(errs[:]...))
		perSecond(b, b.N)
	})
	b.Run("Update100", func(b *testing.B) {
		s, c := fill(b)
		n := 0
		for b.Loop() {
			require.NoError(b, s.Update(b.Context(), func(tx *store.Tx) error {
				for range 100 {
					if err := c.In(tx).Put(b.Context(), NewPayload(n%records)); err != nil {
						return err
					}
					n++
				}
				return nil
			}))
		}
		perSecond(b, n)
	})
	b.Run("Get", func(b *testing.B) {
		_, c := fill(b)
		n := 0
		for b.Loop() {
			_, err := c.Get(b.Context(), NewPayload(n*7%records).ID)
			require.NoError(b, err)
			n++
		}
		perSecond(b, n)
	})
	b.Run("Page", func(b *testing.B) {
		_, c := fill(b)
		n := 0
		cur := store.Cursor("")
		for b.Loop() {
			p, err := c.Page(b.Context(), store.Query{Where: []store.Cond{store.Equal("owner", "owner-3")}}, cur, 50)
			require.NoError(b, err)
			n += len(p.Items)
			cur = p.Next
		}
		perSecond(b, n)
	})
	b.Run("List", func(b *testing.B) {
		_, c := fill(b)
		n := 0
		for b.Loop() {
			for _, err := range c.All(b.Context()) {
				require.NoError(b, err)
				n++
			}
		}
		perSecond(b, n)
	})
	b.Run("History", func(b *testing.B) {
		_, c := fill(b)
		for range 20 {
			require.NoError(b, c.Put(b.Context(), NewPayload(0)))
		}
		n := 0
		for b.Loop() {
			for _, err := range c.History(b.Context(), NewPayload(0).ID) {
				require.NoError(b, err)
				n++
			}
		}
		perSecond(b, n)
	})
	verify := func(b *testing.B, o *store.VerifyOptions) {
		s, _ := fill(b)
		n := 0
		for b.Loop() {
			r, err := s.Verify(b.Context(), o)
			require.NoError(b, err)
			n += int(r.Entries)
		}
		perSecond(b, n)
	}
	b.Run("Verify", func(b *testing.B) { verify(b, nil) })
	b.Run("VerifyTrail", func(b *testing.B) { verify(b, &store.VerifyOptions{TrailOnly: true}) })
}

func perSecond(b *testing.B, n int) {
	b.ReportMetric(float64(n)*float64(time.Second)/float64(max(b.Elapsed(), 1)), "/s")
}
