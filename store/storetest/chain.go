package storetest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
)

// vectorChain makes through the store the first five entries of the chain t1 of
// the project's audit log vectors, whose hashes were computed by another program.
func vectorChain(e *env) {
	type content = map[string]any
	write := func(at, actor, collection string, do func(*store.Collection[content]) error) {
		e.Helper()
		t, err := time.Parse(time.RFC3339Nano, at)
		require.NoError(e, err)
		e.set(t)
		s := e.store.Scope(store.Principal{Tenant: "t1", Actor: actor})
		keys := map[string]string{"vendors": "v-1", "engagements": "e-1", "policies": "Prüfung/1"}
		require.NoError(e, do(store.NewCollection(s, collection, func(content) string { return keys[collection] }, nil)))
	}
	put := func(v content) func(*store.Collection[content]) error {
		return func(c *store.Collection[content]) error { return c.Put(e.ctx, v) }
	}
	write("2026-05-04T08:00:00Z", "p01", "vendors", put(content{"name": "Example Cloud", "tier": 1}))
	write("2026-05-04T08:00:00.000001Z", "p01", "engagements", put(content{"vendor": "v-1", "service": "hosting"}))
	write("2026-05-04T09:30:00.25Z", "p02", "vendors", put(content{"name": "Example Cloud SE", "tier": 1}))
	write("2026-05-05T00:00:00Z", "p09", "policies", put(content{"title": "Prüfung “A”", "emoji": "😀"}))
	write("2026-05-05T00:00:01Z", "p01", "engagements", func(c *store.Collection[content]) error { return c.Delete(e.ctx, "e-1", 1) })
}

// vectorHash is the hash of the fifth entry.
const vectorHash = "c2fa0e79f4459bdb6d7bfe576cbe46107ff46859731579fe1321906b48b45226"

// A storedLine is an entry of the audit trail as a back end keeps it, read and
// written without package store: for these texts, encoding/json writes what
// RFC 8785 asks for.
type storedLine struct {
	Entry   map[string]any  `json:"entry"`
	Hash    string          `json:"hash"`
	Payload json.RawMessage `json:"payload"`
	attrs   []driver.Attr
}

func encodeJSON(e *env, v any) []byte {
	e.Helper()
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	require.NoError(e, enc.Encode(v))
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

// readTrail returns the trail that a back end holds of a tenant.
func readTrail(e *env, tenant string) (lines []storedLine) {
	e.Helper()
	require.NoError(e, e.backend.View(e.ctx, tenant, func(tx driver.Tx) error {
		for r, err := range tx.Scan(e.ctx, "~audit", driver.Query{}) {
			require.NoError(e, err)
			var l storedLine
			require.NoError(e, json.Unmarshal(r.Data, &l))
			l.attrs = r.Attrs
			require.Equal(e, string(r.Data), string(encodeJSON(e, l)))
			lines = append(lines, l)
		}
		return nil
	}))
	return lines
}

// writeTrail replaces the trail of t1 behind the store's back. A line without an
// entry leaves a gap.
func writeTrail(e *env, lines []storedLine) {
	e.Helper()
	require.NoError(e, e.backend.Update(e.ctx, "t1", func(tx driver.Tx) error {
		old, err := collect(tx.Scan(e.ctx, "~audit", driver.Query{}))
		require.NoError(e, err)
		for _, r := range old {
			require.NoError(e, tx.Delete(e.ctx, "~audit", r))
		}
		for i, l := range lines {
			if l.Entry == nil {
				continue
			}
			r := driver.Record{Key: auditKey(i + 1), Revision: 1, Attrs: l.attrs, Data: encodeJSON(e, l)}
			require.NoError(e, tx.Put(e.ctx, "~audit", driver.Record{}, r))
		}
		return nil
	}))
}

// rehash computes the stored hashes of some lines anew, and links each to the one
// before.
func rehash(e *env, lines []storedLine, from, to int) {
	for i := from; i < to; i++ {
		lines[i].Entry["prev"] = lines[i-1].Hash
		sum := sha256.Sum256(append([]byte("issokit/audit/1\n"), encodeJSON(e, lines[i].Entry)...))
		lines[i].Hash = hex.EncodeToString(sum[:])
	}
}

var chainCases = []testCase{
	{"VectorChain", func(e *env) {
		vectorChain(e)
		r := e.verify()
		require.Equal(e, []any{int64(5), "sha256:" + vectorHash}, []any{r.Entries, r.Hash.String()})
		lines := readTrail(e, "t1")
		want := slices.Clone(lines)
		rehash(e, lines, 1, len(lines))
		require.Equal(e, want, lines)
	}},
	{"TamperedChain", func(e *env) {
		// All cases of the vectors, with the entry that a verification must name; 0 where
		// a chain cannot show it.
		vectorChain(e)
		s := e.store.Scope(store.Principal{Tenant: "t1", Actor: "system"})
		require.NoError(e, store.NewCollection(s, "policies", func(map[string]any) string { return "" }, nil).Seal(e.ctx, "Prüfung/1", 1))
		two := newItems(e.store.Scope(store.Principal{Tenant: "t2", Actor: "p01"}), "items")
		require.NoError(e, two.Create(e.ctx, item{ID: "a"}))
		require.NoError(e, two.Create(e.ctx, item{ID: "b"}))
		signer, verifier := key(e, "audit.example", 1)
		signed, err := s.Checkpoint(e.ctx, signer)
		require.NoError(e, err)
		cp, err := store.OpenCheckpoint(signed, verifier)
		require.NoError(e, err)
		require.Equal(e, int64(6), cp.Seq)
		good := e.verify()
		original := readTrail(e, "t1")
		for _, c := range []struct {
			name       string
			change     func(lines []storedLine) []storedLine
			checkpoint bool
			bad        int64
		}{
			{"untouched", func(l []storedLine) []storedLine { return l }, false, 0},
			{"untouched-with-checkpoint", func(l []storedLine) []storedLine { return l }, true, 0},
			{"payload-digest-changed", set(3, "payload", "sha256:"+strings.Repeat("0", 63)+"1"), false, 3},
			{"actor-changed", set(2, "actor", "p99"), false, 2},
			{"actor-changed-and-rehashed", func(l []storedLine) []storedLine {
				set(2, "actor", "p99")(l)
				rehash(e, l, 1, 2)
				return l
			}, false, 3},
			{"rewritten-from-2", rewrite(e, 2), false, 0},
			{"rewritten-from-2-with-checkpoint", rewrite(e, 2), true, 6},
			{"last-rehashed", rewrite(e, 6), false, 0},
			{"last-rehashed-with-checkpoint", rewrite(e, 6), true, 6},
			{"entry-removed", func(l []storedLine) []storedLine { l[3] = storedLine{}; return l }, false, 4},
			{"tail-removed", func(l []storedLine) []storedLine { return l[:4] }, false, 0},
			{"tail-removed-with-checkpoint", func(l []storedLine) []storedLine { return l[:4] }, true, 5},
			{"swapped", func(l []storedLine) []storedLine { l[1], l[2] = l[2], l[1]; return l }, false, 2},
			{"other-tenant", func(l []storedLine) []storedLine { l[1] = readTrail(e, "t2")[1]; return l }, false, 2},
			{"payload-erased", func(l []storedLine) []storedLine { l[3].Payload = json.RawMessage("null"); return l }, false, 0},
			{"payload-edited", func(l []storedLine) []storedLine { l[3].Payload = json.RawMessage(`{"title":"other"}`); return l }, false, 4},
			{"time-precision", set(3, "time", "2026-05-04T09:30:00.25Z"), false, 3},
		} {
			writeTrail(e, c.change(readTrail(e, "t1")))
			o := &store.VerifyOptions{TrailOnly: true}
			if c.checkpoint {
				o.Checkpoint = &cp
			}
			_, err := e.scope.Verify(e.ctx, o)
			require.Equal(e, c.bad, badSeq(e, err), "%s: %v", c.name, err)
			writeTrail(e, original)
		}
		require.Equal(e, good, e.verify())
	}},
}

// set changes a member of the entry with a sequence number.
func set(seq int, member string, value any) func([]storedLine) []storedLine {
	return func(lines []storedLine) []storedLine {
		lines[seq-1].Entry[member] = value
		return lines
	}
}

// rewrite changes an entry and all that follows from it.
func rewrite(e *env, seq int) func([]storedLine) []storedLine {
	return func(lines []storedLine) []storedLine {
		set(seq, "actor", "p99")(lines)
		rehash(e, lines, seq-1, len(lines))
		return lines
	}
}
