package storetest

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/memory"
)

// key makes a key to sign with out of a seed.
func key(e *env, name string, seed byte) (note.Signer, note.Verifier) {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, ed25519.SeedSize))
	vkey, err := note.NewEd25519VerifierKey(name, private.Public().(ed25519.PublicKey))
	require.NoError(e, err)
	// PRIVATE+KEY+name+hash+base64(1, seed): see package note.
	parts := strings.SplitN(vkey, "+", 3)
	skey := "PRIVATE+KEY+" + name + "+" + parts[1] + "+" + base64.StdEncoding.EncodeToString(append([]byte{1}, private.Seed()...))
	signer, err := note.NewSigner(skey)
	require.NoError(e, err)
	verifier, err := note.NewVerifier(vkey)
	require.NoError(e, err)
	return signer, verifier
}

// badSeq is the entry that a verification names, 0 for none.
func badSeq(e *env, err error) int64 {
	e.Helper()
	if err == nil {
		return 0
	}
	c, ok := errors.AsType[*store.ChainError](err)
	require.True(e, ok, "%v", err)
	return c.Seq
}

// tamper changes a stored record behind the store's back. fn returns the new
// text, "" to remove the record. It returns the record as it was.
func (e *env) tamper(collection, key string, fn func(string) string) (before driver.Record) {
	e.Helper()
	require.NoError(e, e.backend.Update(e.ctx, "t1", func(tx driver.Tx) error {
		r, err := tx.Get(e.ctx, collection, key)
		require.NoError(e, err)
		before = r
		text := fn(string(r.Data))
		if text == "" {
			return tx.Delete(e.ctx, collection, r)
		}
		require.NotEqual(e, text, string(r.Data))
		fresh := r
		fresh.Data = []byte(text)
		return tx.Put(e.ctx, collection, r, fresh)
	}))
	return before
}

func auditKey(seq int) string { return fmt.Sprintf("%019d", seq) }

func replace(from, to string) func(string) string {
	return func(s string) string { return strings.Replace(s, from, to, 1) }
}

func remove(string) string { return "" }

var auditCases = []testCase{
	{"SealedRefusesWrites", func(e *env) {
		e.create(item{ID: "a", Score: 1, Owner: "x"})
		require.ErrorIs(e, e.items.Seal(e.ctx, "a", 2), store.ErrConflict)
		require.ErrorIs(e, e.items.Seal(e.ctx, "b", 1), store.ErrNotFound)
		require.NoError(e, e.items.Seal(e.ctx, "a", 1))
		v, err := e.items.Load(e.ctx, "a")
		require.NoError(e, err)
		require.Equal(e, store.ActionSeal, v.Action)
		require.Equal(e, int64(2), v.Revision)
		require.Equal(e, item{ID: "a", Score: 1, Owner: "x"}, v.Value)
		require.ErrorIs(e, e.items.Put(e.ctx, item{ID: "a"}), store.ErrSealed)
		_, err = e.items.Swap(e.ctx, item{ID: "a"}, 2)
		require.ErrorIs(e, err, store.ErrSealed)
		require.ErrorIs(e, e.items.Seal(e.ctx, "a", 2), store.ErrSealed)
		require.ErrorIs(e, e.items.Erase(e.ctx, "a"), store.ErrSealed)
		require.Equal(e, []string{"a"}, e.keys(where(store.Equal("owner", "x"))))
		e.verify()
	}},
	{"SealedRefusesDelete", func(e *env) {
		e.create(item{ID: "a"})
		require.NoError(e, e.items.Seal(e.ctx, "a", 1))
		require.ErrorIs(e, e.items.Delete(e.ctx, "a", 2), store.ErrSealed)
		e.get("a")
	}},
	{"EntryPerChange", func(e *env) {
		e.create(item{ID: "a"}, item{ID: "b"})
		require.NoError(e, e.items.Put(e.ctx, item{ID: "a", Score: 1}))
		require.NoError(e, e.items.Delete(e.ctx, "b", 1))
		require.NoError(e, e.items.Seal(e.ctx, "a", 2))
		entries, err := collect(e.scope.Trail(e.ctx, 0, 0))
		require.NoError(e, err)
		var got []string
		for i, x := range entries {
			require.Equal(e, int64(i+1), x.Seq)
			got = append(got, fmt.Sprintf("%v %s/%s %d", x.Action, x.Collection, x.Key, x.Revision))
		}
		require.Equal(e, []string{"put items/a 1", "put items/b 1", "put items/a 2", "delete items/b 1", "seal items/a 3"}, got)
		some, err := collect(e.scope.Trail(e.ctx, 2, 3))
		require.NoError(e, err)
		require.Equal(e, entries[1:3], some)
	}},
	{"ReadsLogged", func(e *env) {
		c := store.NewCollection(e.scope, "secret", func(v item) string { return v.ID }, &store.CollectionOptions[item]{LogReads: true})
		require.NoError(e, c.Create(e.ctx, item{ID: "a"}))
		require.NoError(e, c.Create(e.ctx, item{ID: "b"}))
		_, err := c.Get(e.ctx, "a")
		require.NoError(e, err)
		_, err = collect(c.All(e.ctx))
		require.NoError(e, err)
		_, err = c.Get(e.ctx, "none")
		require.ErrorIs(e, err, store.ErrNotFound)
		entries, err := collect(e.scope.Trail(e.ctx, 3, 0))
		require.NoError(e, err)
		var got []string
		for _, x := range entries {
			got = append(got, x.Action.String()+" "+x.Key)
		}
		require.Equal(e, []string{"read a", "read a", "read b"}, got)
		past, err := collect(c.History(e.ctx, "a"))
		require.NoError(e, err)
		require.Len(e, past, 1, "reads are not history")
		require.NoError(e, e.scope.View(e.ctx, func(tx *store.Tx) error {
			_, err := c.In(tx).Get(e.ctx, "a")
			require.ErrorIs(e, err, store.ErrReadOnly)
			return nil
		}))
		e.verify()
	}},
	{"ActorAndReasonRecorded", func(e *env) {
		s := e.store.Scope(store.Principal{Tenant: "t1", Actor: "Ada \"A\" Lovelace\\é😀", Reason: "line 1\nline 2\t\u2028\x01"})
		require.NoError(e, newItems(s, "items").Create(e.ctx, item{ID: "Prüfung/1 \"x\""}))
		entries, err := collect(e.scope.Trail(e.ctx, 0, 0))
		require.NoError(e, err)
		require.Equal(e, []string{s.Principal().Actor, s.Principal().Reason, "Prüfung/1 \"x\""}, []string{entries[0].Actor, entries[0].Reason, entries[0].Key})
		e.verify()
		for _, p := range []store.Principal{{Actor: "a\nb"}, {Actor: "\xff"}, {Actor: strings.Repeat("a", 257)}, {Actor: "a", Reason: "\xff"}, {Actor: "a", Reason: strings.Repeat("r", 4097)}} {
			p.Tenant = "t1"
			require.ErrorIs(e, newItems(e.store.Scope(p), "items").Create(e.ctx, item{ID: "b"}), store.ErrInvalid, "%q", p)
		}
	}},
	{"ChainContiguousUnderConcurrency", func(e *env) {
		require.NoError(e, parallel(8, func(i int) error {
			for n := range 25 {
				if err := e.items.Put(e.ctx, item{ID: id(n % 7), Score: int64(i)}); err != nil {
					return err
				}
			}
			return nil
		}))
		r := e.verify()
		require.Equal(e, []int64{200, 200, 7}, []int64{r.Seq, r.Entries, r.Records})
	}},
	{"TamperNamed", func(e *env) {
		versions(e)
		e.create(item{ID: "b", Score: 77, Text: "secret"}, item{ID: "c"})
		signer, verifier := key(e, "audit.example", 1)
		signed, err := e.scope.Checkpoint(e.ctx, signer)
		require.NoError(e, err)
		cp, err := store.OpenCheckpoint(signed, verifier)
		require.NoError(e, err)
		require.Equal(e, int64(7), cp.Seq)
		good := e.verify()
		require.Equal(e, cp.Hash, good.Hash)
		var export bytes.Buffer
		require.NoError(e, e.scope.Export(e.ctx, &export, nil))
		for _, c := range []struct {
			name, collection, key string
			change                func(string) string
			checkpoint            bool
			bad                   int64
		}{
			{"untouched", "", "", nil, true, 0},
			{"actor", "~audit", auditKey(2), replace("p01", "p02"), false, 2},
			{"seq", "~audit", auditKey(2), replace(`"seq":2`, `"seq":3`), false, 2},
			{"payload in the trail", "~audit", auditKey(6), replace("secret", "public"), false, 6},
			{"not canonical", "~audit", auditKey(3), replace(`{"entry":`, `{ "entry":`), false, 3},
			{"no JSON", "~audit", auditKey(3), func(string) string { return "x" }, false, 3},
			{"entry removed", "~audit", auditKey(4), remove, false, 4},
			{"tail removed", "~audit", auditKey(7), remove, true, 7},
			{"tail removed, and the record is there", "~audit", auditKey(7), remove, false, 0},
			{"record changed", "items", "b", replace("secret", "public"), false, 6},
			{"record removed", "items", "b", remove, false, 6},
			{"record of another revision", "items", "a", replace(`"revision":4`, `"revision":3`), false, 5},
		} {
			var before driver.Record
			if c.change != nil {
				before = e.tamper(c.collection, c.key, c.change)
			}
			o := &store.VerifyOptions{}
			if c.checkpoint {
				o.Checkpoint = &cp
			}
			_, err := e.scope.Verify(e.ctx, o)
			if c.name == "tail removed, and the record is there" {
				require.ErrorContains(e, err, "does not know")
			}
			require.Equal(e, c.bad, badSeq(e, err), "%s: %v", c.name, err)
			// Put it back.
			if c.change != nil {
				require.NoError(e, e.backend.Update(e.ctx, "t1", func(tx driver.Tx) error {
					r, err := tx.Get(e.ctx, c.collection, c.key)
					if errors.Is(err, driver.ErrNotFound) {
						r, err = driver.Record{}, nil
					}
					require.NoError(e, err)
					return tx.Put(e.ctx, c.collection, r, before)
				}))
			}
		}
		require.Equal(e, good, e.verify())
		_, err = store.VerifyExport(bytes.NewReader(export.Bytes()), &store.VerifyOptions{Checkpoint: &cp})
		require.NoError(e, err)
		text := strings.Replace(export.String(), "secret", "public", 1)
		_, err = store.VerifyExport(strings.NewReader(text), nil)
		require.Equal(e, int64(6), badSeq(e, err))
	}},
	{"BlobTampered", func(e *env) {
		d, err := e.scope.PutBlob(e.ctx, []byte("contract"))
		require.NoError(e, err)
		e.tamper("~blob", d.String(), func(string) string { return "Contract" })
		_, err = e.scope.Blob(e.ctx, d)
		require.ErrorIs(e, err, store.ErrCorrupt)
		_, err = e.scope.Verify(e.ctx, nil)
		require.ErrorContains(e, err, d.String())
	}},
	{"CheckpointDetectsCutTail", func(e *env) {
		e.create(item{ID: "a"}, item{ID: "b"}, item{ID: "c"})
		signer, verifier := key(e, "audit.example", 1)
		_, other := key(e, "audit.example", 2)
		signed, err := e.scope.Checkpoint(e.ctx, signer)
		require.NoError(e, err)
		_, err = store.OpenCheckpoint(signed, other)
		require.ErrorIs(e, err, store.ErrInvalid)
		cp, err := store.OpenCheckpoint(signed, verifier)
		require.NoError(e, err)
		e.create(item{ID: "d"})
		_, err = e.scope.Verify(e.ctx, &store.VerifyOptions{Checkpoint: &cp})
		require.NoError(e, err, "what follows a checkpoint does not matter to it")
		for _, cut := range []struct{ key, id string }{{auditKey(4), "d"}, {auditKey(3), "c"}} {
			e.tamper("~audit", cut.key, remove)
			e.tamper("items", cut.id, remove)
		}
		_, err = e.scope.Verify(e.ctx, nil)
		require.NoError(e, err, "a chain alone does not show it")
		_, err = e.scope.Verify(e.ctx, &store.VerifyOptions{Checkpoint: &cp})
		require.Equal(e, int64(3), badSeq(e, err))
		two := e.store.Scope(store.Principal{Tenant: "t2"})
		_, err = two.Verify(e.ctx, &store.VerifyOptions{Checkpoint: &cp})
		require.ErrorIs(e, err, store.ErrInvalid)
	}},
	{"VerifyPart", func(e *env) {
		e.fill(50, func(i int) item { return item{ID: id(i)} })
		r, err := e.scope.Verify(e.ctx, &store.VerifyOptions{From: 10, To: 20})
		require.NoError(e, err)
		require.Equal(e, []int64{11, 20, 0}, []int64{r.Entries, r.Seq, r.Records})
		e.tamper("~audit", auditKey(15), replace("p01", "p02"))
		_, err = e.scope.Verify(e.ctx, &store.VerifyOptions{From: 10, To: 20})
		require.Equal(e, int64(15), badSeq(e, err))
		_, err = e.scope.Verify(e.ctx, &store.VerifyOptions{From: 20, To: 30})
		require.NoError(e, err)
		_, err = e.scope.Verify(e.ctx, &store.VerifyOptions{From: 20, To: 60})
		require.Equal(e, int64(51), badSeq(e, err))
	}},
	{"PayloadErasedStaysValid", func(e *env) {
		e.create(item{ID: "a", Text: "personal"})
		require.NoError(e, e.items.Put(e.ctx, item{ID: "a"}))
		e.tamper("~audit", auditKey(1), func(s string) string { return s[:strings.Index(s, `"payload":{`)] + `"payload":null}` })
		r := e.verify()
		require.Equal(e, int64(1), r.Erased)
		past, err := collect(e.items.History(e.ctx, "a"))
		require.NoError(e, err)
		require.Equal(e, []bool{false, true}, []bool{past[0].Erased, past[1].Erased})
	}},
	{"ExportImport", func(e *env) {
		versions(e)
		e.fill(1200, func(i int) item { return item{ID: id(i), Owner: "x"} })
		require.NoError(e, e.items.Seal(e.ctx, id(7), 1))
		require.NoError(e, e.items.Erase(e.ctx, "a"))
		d, err := e.scope.PutBlob(e.ctx, []byte("blob"))
		require.NoError(e, err)
		want := e.verify()
		var text bytes.Buffer
		require.NoError(e, e.scope.Export(e.ctx, &text, nil))
		report, err := store.VerifyExport(bytes.NewReader(text.Bytes()), nil)
		require.NoError(e, err)
		require.Equal(e, []any{want.Seq, want.Hash, want.Erased, want.Blobs}, []any{report.Seq, report.Hash, report.Erased, report.Blobs})

		// Into another store, cut off in the middle, and again.
		copied := store.New(copyTarget(e), nil).Scope(store.Principal{Tenant: "t1", Actor: "import"})
		lines := strings.SplitAfter(text.String(), "\n")
		_, err = copied.Import(e.ctx, strings.NewReader(strings.Join(lines[:700], "")), nil)
		require.ErrorIs(e, err, store.ErrCorrupt)
		for range 2 {
			_, err = copied.Import(e.ctx, bytes.NewReader(text.Bytes()), nil)
			require.NoError(e, err)
			got, err := copied.Verify(e.ctx, nil)
			require.NoError(e, err)
			require.Equal(e, want, got)
		}
		c := newItems(copied, "items")
		n, err := c.Reindex(e.ctx)
		require.NoError(e, err)
		require.Equal(e, 1201, n)
		a, err := collect(e.items.Query(e.ctx, store.Query{OrderBy: "owner"}))
		require.NoError(e, err)
		b, err := collect(c.Query(e.ctx, store.Query{OrderBy: "owner"}))
		require.NoError(e, err)
		require.Equal(e, a, b)
		blob, err := copied.Blob(e.ctx, d)
		require.NoError(e, err)
		require.Equal(e, "blob", string(blob))

		// An increment continues, another history does not.
		e.create(item{ID: "later"})
		text.Reset()
		require.NoError(e, e.scope.Export(e.ctx, &text, &store.ExportOptions{From: want.Seq + 1}))
		_, err = copied.Import(e.ctx, bytes.NewReader(text.Bytes()), nil)
		require.NoError(e, err)
		require.NoError(e, c.Create(e.ctx, item{ID: "own"}))
		e.create(item{ID: "other"})
		text.Reset()
		require.NoError(e, e.scope.Export(e.ctx, &text, nil))
		_, err = copied.Import(e.ctx, bytes.NewReader(text.Bytes()), nil)
		require.Equal(e, want.Seq+2, badSeq(e, err))
		_, err = e.store.Scope(store.Principal{Tenant: "t2", Actor: "x"}).Import(e.ctx, bytes.NewReader(text.Bytes()), nil)
		require.ErrorIs(e, err, store.ErrInvalid)
	}},
	{"RandomOperations", func(e *env) {
		rng := rand.New(rand.NewPCG(1, uint64(len(e.Name()))))
		program := make([]byte, 600)
		for i := range program {
			program[i] = byte(rng.UintN(256))
		}
		Compare(e.T, e.backend, copyTarget(e), program)
	}},
}

// copyTarget is another, empty back end.
func copyTarget(*env) driver.Backend { return memory.New(nil) }
