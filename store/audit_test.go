package store_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/issokit/issokit/internal/corpus"
	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
	"github.com/issokit/issokit/store/memory"
)

type vectorLine struct {
	Entry     map[string]any  `json:"entry"`
	Payload   json.RawMessage `json:"payload"`
	Canonical string          `json:"canonical,omitempty"`
	Hash      string          `json:"hash"`
}

type vectors struct {
	Domain    string
	Chains    map[string][]vectorLine
	Tampering []struct {
		ID         string
		Checkpoint bool
		FirstBad   int64
	}
}

func readVectors(t *testing.T) vectors {
	var v vectors
	require.NoError(t, json.Unmarshal(corpus.Read(t, "vendors", "audit-log", "chain.json"), &v))
	require.Len(t, v.Tampering, 17)
	return v
}

// TestCanonical compares the form and the hash of all entries with the vectors.
func TestCanonical(t *testing.T) {
	v := readVectors(t)
	n := 0
	for _, name := range []string{"t1", "t2"} {
		for _, l := range v.Chains[name] {
			n++
			e := store.Entry{
				Tenant: l.Entry["tenant"].(string), Seq: int64(l.Entry["seq"].(float64)),
				Actor: l.Entry["actor"].(string), Collection: l.Entry["collection"].(string),
				Key: l.Entry["key"].(string), Revision: int64(l.Entry["revision"].(float64)),
			}
			var err error
			e.Time, err = time.Parse(time.RFC3339Nano, l.Entry["time"].(string))
			require.NoError(t, err)
			require.NoError(t, e.Action.UnmarshalText([]byte(l.Entry["action"].(string))))
			if text, ok := l.Entry["payload"].(string); ok {
				require.NoError(t, e.Content.UnmarshalText([]byte(text)))
			}
			require.NoError(t, e.Prev.UnmarshalText([]byte("sha256:"+l.Entry["prev"].(string))))
			require.Equal(t, l.Canonical, string(e.Canonical()))
			require.Equal(t, "sha256:"+l.Hash, e.Hash().String())
		}
	}
	require.Equal(t, 8, n)
}

// canonicalJSON is RFC 8785.
func canonicalJSON(t *testing.T, v any) string {
	data, err := json.Marshal(v)
	require.NoError(t, err)
	c := jsontext.Value(data)
	require.NoError(t, c.Canonicalize())
	return string(c)
}

// tampered makes the lines of a case, in the words of the vectors' "change".
func tampered(t *testing.T, v vectors, id string) []vectorLine {
	lines := slices.Clone(v.Chains["t1"])
	for i := range lines {
		lines[i].Entry = maps.Clone(lines[i].Entry)
	}
	rehash := func(from int) { // the stored hashes from an index on, links included
		for i := from; i < len(lines); i++ {
			if i > from {
				lines[i].Entry["prev"] = lines[i-1].Hash
			}
			sum := sha256.Sum256([]byte(v.Domain + canonicalJSON(t, lines[i].Entry)))
			lines[i].Hash = hex.EncodeToString(sum[:])
		}
	}
	switch strings.TrimSuffix(id, "-with-checkpoint") {
	case "untouched":
	case "payload-digest-changed":
		lines[2].Entry["payload"] = "sha256:" + strings.Repeat("0", 63) + "1"
	case "actor-changed":
		lines[1].Entry["actor"] = "p99"
	case "actor-changed-and-rehashed":
		lines[1].Entry["actor"] = "p99"
		rest := lines
		lines = lines[:2]
		rehash(1)
		lines = rest
	case "rewritten-from-2":
		lines[1].Entry["actor"] = "p99"
		rehash(1)
	case "last-rehashed":
		lines[5].Entry["actor"] = "p99"
		rehash(5)
	case "entry-removed":
		lines = slices.Delete(lines, 3, 4)
	case "tail-removed":
		lines = lines[:4]
	case "swapped":
		lines[1], lines[2] = lines[2], lines[1]
	case "other-tenant":
		lines[1] = v.Chains["t2"][1]
	case "payload-erased":
		lines[3].Payload = json.RawMessage("null")
	case "payload-edited":
		lines[3].Payload = json.RawMessage(`{"title":"other"}`)
	case "time-precision":
		lines[2].Entry["time"] = "2026-05-04T09:30:00.25Z"
	default:
		t.Fatalf("unknown case %q", id)
	}
	return lines
}

func text(t *testing.T, l vectorLine) string {
	l.Canonical = ""
	return canonicalJSON(t, l)
}

func firstBad(t *testing.T, err error) int64 {
	if err == nil {
		return 0
	}
	c, ok := errors.AsType[*store.ChainError](err)
	require.True(t, ok, "%v", err)
	return c.Seq
}

func checkpoint(t *testing.T) store.Checkpoint {
	for _, c := range readCheckpoints(t).Cases {
		if c.ID == "good" {
			v, err := note.NewVerifier(readCheckpoints(t).VerifierKey)
			require.NoError(t, err)
			cp, err := store.OpenCheckpoint([]byte(c.Note), v)
			require.NoError(t, err)
			return cp
		}
	}
	t.Fatal("no good checkpoint")
	return store.Checkpoint{}
}

// TestTampering: the first bad entry of all 17 cases, in an export and in a store.
func TestTampering(t *testing.T) {
	v := readVectors(t)
	cp := checkpoint(t)
	for _, c := range v.Tampering {
		t.Run(c.ID, func(t *testing.T) {
			lines := tampered(t, v, c.ID)
			o := &store.VerifyOptions{TrailOnly: true}
			if c.Checkpoint {
				o.Checkpoint = &cp
			}

			var export strings.Builder
			export.WriteString(`{"format":"issokit-export","version":1,"tenant":"t1","from":1}` + "\n")
			for _, l := range lines {
				export.WriteString(text(t, l) + "\n")
			}
			last := lines[len(lines)-1]
			fmt.Fprintf(&export, `{"end":{"seq":%v,"hash":"sha256:%s","blobs":0}}`+"\n", last.Entry["seq"], last.Hash)
			_, err := store.VerifyExport(strings.NewReader(export.String()), o)
			require.Equal(t, c.FirstBad, firstBad(t, err), "%v", err)

			b := memory.New(nil)
			require.NoError(t, b.Update(t.Context(), "t1", func(tx driver.Tx) error {
				seq := 0
				for _, l := range lines {
					if seq++; c.ID == "entry-removed" && seq == 4 {
						seq++ // where the entry was
					}
					r := driver.Record{Key: fmt.Sprintf("%019d", seq), Revision: 1, Data: []byte(text(t, l))}
					if err := tx.Put(t.Context(), "~audit", driver.Record{}, r); err != nil {
						return err
					}
				}
				return nil
			}))
			report, err := store.New(b, nil).Scope(store.Principal{Tenant: "t1"}).Verify(t.Context(), o)
			require.Equal(t, c.FirstBad, firstBad(t, err), "%v", err)
			if c.FirstBad == 0 {
				require.Equal(t, int64(len(lines)), report.Entries)
			}
		})
	}
}

type checkpoints struct {
	VerifierKey string `json:"verifierKey"`
	Cases       []struct {
		ID, Note, Tenant, Hash string
		Seq                    int64
		Valid                  bool
	}
}

func readCheckpoints(t *testing.T) (c checkpoints) {
	require.NoError(t, json.Unmarshal(corpus.Read(t, "vendors", "audit-log", "checkpoints.json"), &c))
	require.Len(t, c.Cases, 3)
	return c
}

func TestCheckpoints(t *testing.T) {
	c := readCheckpoints(t)
	v, err := note.NewVerifier(c.VerifierKey)
	require.NoError(t, err)
	for _, x := range c.Cases {
		t.Run(x.ID, func(t *testing.T) {
			cp, err := store.OpenCheckpoint([]byte(x.Note), v)
			if !x.Valid {
				require.ErrorIs(t, err, store.ErrInvalid)
				return
			}
			require.NoError(t, err)
			hash, err := hex.DecodeString(x.Hash)
			require.NoError(t, err)
			require.Equal(t, store.Checkpoint{Origin: v.Name(), Tenant: x.Tenant, Seq: x.Seq, Hash: store.Digest(hash)}, cp)
		})
	}
}

// TestCheckpointText: a signature does not make a wrong text right.
func TestCheckpointText(t *testing.T) {
	skey, vkey, err := note.GenerateKey(nil, "log.example")
	if err != nil { // no randomness was given: make the key of a fixed one
		skey, vkey, err = note.GenerateKey(strings.NewReader(strings.Repeat("k", 64)), "log.example")
	}
	require.NoError(t, err)
	s, err := note.NewSigner(skey)
	require.NoError(t, err)
	v, err := note.NewVerifier(vkey)
	require.NoError(t, err)
	hash := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for _, text := range []string{
		"log.example/t1\n1\n" + hash + "\nmore\n", "log.example/t1\n1\n", "other/t1\n1\n" + hash + "\n", "log.example/t1\n01\n" + hash + "\n",
		"log.example/t1\n-\n" + hash + "\n", "log.example/t1\n1\n" + hash[4:] + "\n",
	} {
		signed, err := note.Sign(&note.Note{Text: text}, s)
		require.NoError(t, err)
		_, err = store.OpenCheckpoint(signed, v)
		require.ErrorIs(t, err, store.ErrInvalid, text)
	}
}

func TestActions(t *testing.T) {
	for a := store.ActionPut; a <= store.ActionBlob; a++ {
		text, err := a.MarshalText()
		require.NoError(t, err)
		var back store.Action
		require.NoError(t, back.UnmarshalText(text))
		require.Equal(t, a, back)
	}
	for _, a := range []store.Action{0, 7, 255} {
		_, err := a.MarshalText()
		require.ErrorIs(t, err, store.ErrInvalid)
		require.Contains(t, a.String(), "Action(")
	}
	var a store.Action
	require.ErrorIs(t, a.UnmarshalText([]byte("Put")), store.ErrInvalid)
}

// TestBadExports: text that is no export is refused, and the line is named.
func TestBadExports(t *testing.T) {
	head := `{"format":"issokit-export","version":1,"tenant":"t1","from":1}` + "\n"
	for _, tt := range []struct{ name, text, want string }{
		{"empty", "", "line 1"},
		{"other", "{}\n", "line 1"},
		{"newer", `{"format":"issokit-export","version":3,"tenant":"t1","from":1}`, "newer"},
		{"cut off", head, "line 2: the stored bytes are not what this package writes: expected an entry, a blob or the end, found the end of the text"},
		{"junk", head + "junk\n", "line 2"},
		{"junk entry", head + `{"entry":{}}` + "\n", "line 2"},
		{"no number", head + `{"end":{"seq":1,"blobs":0}}`, "line 2"},
		{"blob", head + `{"blob":"sha256:0000000000000000000000000000000000000000000000000000000000000000","data":"eA=="}` + "\n", "does not fit"},
		{"behind the end", head + `{"end":{"seq":0,"hash":"sha256:0000000000000000000000000000000000000000000000000000000000000000","blobs":0}}` + "\nx", "line 3"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := store.VerifyExport(strings.NewReader(tt.text), nil)
			require.ErrorContains(t, err, tt.want)
		})
	}
}

// FuzzVerifyExport: no text makes it panic, and what passes is canonical.
func FuzzVerifyExport(f *testing.F) {
	s := store.New(memory.New(nil), &store.Options{Now: func() time.Time { return time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC) }}).
		Scope(store.Principal{Tenant: "t", Actor: "é\"", Reason: "r\n"})
	c := store.NewCollection(s, "notes", func(string) string { return "k" }, nil)
	require.NoError(f, c.Put(f.Context(), "text"))
	require.NoError(f, c.Delete(f.Context(), "k", 1))
	var text strings.Builder
	require.NoError(f, s.Export(f.Context(), &text, nil))
	f.Add(text.String())
	f.Add("{}")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := store.VerifyExport(strings.NewReader(text), nil)
		if err == nil && r.Entries == 0 && r.Seq != 0 {
			t.Fatalf("%+v", r)
		}
		target := store.New(memory.New(nil), nil).Scope(store.Principal{Tenant: r.Tenant, Actor: "a"})
		_, importErr := target.Import(t.Context(), strings.NewReader(text), nil)
		if err != nil {
			require.Error(t, importErr)
		}
	})
}
