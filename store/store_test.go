package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/sumdb/note"

	"github.com/issokit/issokit/risk"
	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/memory"
	"github.com/issokit/issokit/store/storetest"
	"github.com/issokit/issokit/vendors"
)

// TestDomain keeps the entities of domain packages: what comes out is what went
// in.
func TestDomain(t *testing.T) {
	s := store.New(memory.New(nil), nil).Scope(store.Principal{Tenant: "t", Actor: "p"})
	risks := store.NewCollection(s, "risks", risk.Risk.Key, nil)
	r := risk.Risk{
		ID: "R-1", Title: "Phishing", State: risk.Identified, Owner: "operations", Controls: []string{"ia-2"},
		Deadline: time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC),
	}
	require.NoError(t, risks.Create(t.Context(), r))
	got, err := risks.Get(t.Context(), "R-1")
	require.NoError(t, err)
	require.Equal(t, r, got)
	_, err = risks.Get(t.Context(), "R-2")
	require.ErrorIs(t, err, fs.ErrNotExist)
	now := time.Date(2026, 6, 30, 0, 0, 0, 0, time.UTC)
	_, _, err = risk.Update(t.Context(), risks, "R-1", 1, risk.Event{Kind: risk.Close, By: "x"}, risk.Criteria{}, now)
	_, ok := errors.AsType[*risk.TransitionError](err)
	require.True(t, ok, "%v", err)
	reviewed, revision, err := risk.Update(t.Context(), risks, "R-1", 1, risk.Event{Kind: risk.Review, By: "x"}, risk.Criteria{}, now)
	require.NoError(t, err)
	require.EqualValues(t, 2, revision)
	_, _, err = risk.Update(t.Context(), risks, "R-1", 1, risk.Event{Kind: risk.Review, By: "y"}, risk.Criteria{}, now)
	require.ErrorIs(t, err, store.ErrConflict, "a revision that is not the current one")
	got, err = risks.Get(t.Context(), "R-1")
	require.NoError(t, err)
	require.Equal(t, reviewed, got)

	engagements := store.NewCollection(s, "engagements", vendors.Engagement.Key, nil)
	e := vendors.Engagement{ID: "E-1"}
	_, err = engagements.Swap(t.Context(), e, 0)
	require.NoError(t, err)
	back, err := engagements.Get(t.Context(), "E-1")
	require.NoError(t, err)
	require.Equal(t, e, back)
}

// TestErrors: an error says where.
func TestErrors(t *testing.T) {
	s := store.New(memory.New(nil), nil).Scope(store.Principal{Tenant: "t1", Actor: "p"})
	c := store.NewCollection(s, "notes", func(s string) string { return s }, nil)
	_, err := c.Get(t.Context(), "a")
	require.EqualError(t, err, `store: get notes "a" of tenant "t1": no such record`)
	e, ok := errors.AsType[*store.Error](err)
	require.True(t, ok)
	require.Equal(t, store.Error{Op: "get", Tenant: "t1", Collection: "notes", Key: "a", Err: store.ErrNotFound}, *e)
	_, err = c.Swap(t.Context(), "a", 3)
	require.EqualError(t, err, `store: swap notes "a" of tenant "t1": the record was changed by another: no such record, expected revision 3`)
	require.NoError(t, c.Create(t.Context(), "a"))
	require.EqualError(t, c.Create(t.Context(), "a"), `store: create notes "a" of tenant "t1": the record exists already`)
}

// TestStreaming: a list of 100,000 records needs no more memory than one of a
// tenth of it. The back end itself is in memory, so what is in use before counts.
func TestStreaming(t *testing.T) {
	if testing.Short() {
		t.Skip("SKIPPED: -short")
	}
	s := store.New(memory.New(nil), nil).Scope(store.Principal{Actor: "p"})
	c := storetest.Payloads(s)
	storetest.Stream(t, s, c, 100_000)
}

var epoch = time.Date(2026, 5, 4, 8, 0, 0, 0, time.UTC)

type control struct {
	ID    string `json:"id"`
	Owner string `json:"owner"`
	Score int64  `json:"score"`
	Text  string `json:"text,omitzero"`
}

func controlID(c control) string { return c.ID }

// open returns a store whose clock goes on by an hour each time it is read.
func open() *store.Scope {
	now := epoch
	st := store.New(memory.New(nil), &store.Options{Now: func() time.Time {
		t := now
		now = now.Add(time.Hour)
		return t
	}})
	return st.Scope(store.Principal{Tenant: "acme", Actor: "p.meyer", Reason: "yearly review"})
}

func controlRecords(s *store.Scope) *store.Collection[control] {
	return store.NewCollection(s, "controls", controlID, &store.CollectionOptions[control]{
		Attrs: map[string]func(control) []string{
			"owner": func(c control) []string { return []string{c.Owner} },
			"score": func(c control) []string { return []string{store.NumberValue(c.Score)} },
		},
	})
}

func ExampleNew() {
	ctx := context.Background()
	st := store.New(memory.New(nil), nil)
	scope := st.Scope(store.Principal{Tenant: "acme", Actor: "p.meyer"})
	notes := store.NewCollection(scope, "notes", func(string) string { return "greeting" }, nil)
	fmt.Println(notes.Create(ctx, "hello"))
	fmt.Println(notes.Get(ctx, "greeting"))
	// Output:
	// <nil>
	// hello <nil>
}

func ExampleCollection_Swap() {
	ctx := context.Background()
	c := controlRecords(open())
	_ = c.Create(ctx, control{ID: "ac-1", Owner: "ops", Score: 3})
	one, _ := c.Load(ctx, "ac-1")
	two, _ := c.Load(ctx, "ac-1") // somebody else reads the same
	one.Value.Score = 4
	fmt.Println(c.Swap(ctx, one.Value, one.Revision))
	two.Value.Owner = "security"
	_, err := c.Swap(ctx, two.Value, two.Revision)
	fmt.Println(errors.Is(err, store.ErrConflict))
	// Output:
	// 2 <nil>
	// true
}

func ExampleNewCollection() {
	ctx := context.Background()
	c := controlRecords(open())
	for i, id := range []string{"ac-1", "ac-2", "au-1"} {
		_ = c.Create(ctx, control{ID: id, Owner: "ops", Score: int64(10 - i)})
	}
	query := store.Query{Where: []store.Cond{store.Equal("owner", "ops")}, OrderBy: "score"}
	page, _ := c.Page(ctx, query, "", 2)
	for _, v := range page.Items {
		fmt.Println(v.Key, v.Value.Score)
	}
	page, _ = c.Page(ctx, query, page.Next, 2)
	fmt.Println(page.Items[0].Key, page.Next == "")
	// Output:
	// au-1 8
	// ac-2 9
	// ac-1 true
}

func ExampleScope_Update() {
	ctx := context.Background()
	scope := open()
	c := controlRecords(scope)
	_ = c.Create(ctx, control{ID: "ac-1", Owner: "ops", Score: 3})
	_ = c.Create(ctx, control{ID: "ac-2", Owner: "ops", Score: 5})
	err := scope.Because("points were on the wrong control").Update(ctx, func(tx *store.Tx) error {
		in := c.In(tx)
		one, err := in.Load(ctx, "ac-1")
		if err != nil {
			return err
		}
		two, err := in.Load(ctx, "ac-2")
		if err != nil {
			return err
		}
		one.Value.Score++
		two.Value.Score--
		if _, err := in.Swap(ctx, one.Value, one.Revision); err != nil {
			return err
		}
		_, err = in.Swap(ctx, two.Value, two.Revision)
		return err
	})
	fmt.Println(err)
	for v := range c.Query(ctx, store.Query{}) {
		fmt.Println(v.Key, v.Value.Score, v.Reason)
	}
	// Output:
	// <nil>
	// ac-1 4 points were on the wrong control
	// ac-2 4 points were on the wrong control
}

func ExampleCollection_History() {
	ctx := context.Background()
	c := controlRecords(open())
	_ = c.Create(ctx, control{ID: "ac-1", Owner: "ops", Score: 3})
	_ = c.Put(ctx, control{ID: "ac-1", Owner: "ops", Score: 4})
	_ = c.Delete(ctx, "ac-1", 2)
	for v := range c.History(ctx, "ac-1") {
		fmt.Println(v.Time.Format(time.TimeOnly), v.Action, v.Revision, v.Value.Score)
	}
	v, err := c.At(ctx, "ac-1", epoch.Add(30*time.Minute))
	fmt.Println(v.Score, err)
	// Output:
	// 10:00:00 delete 2 0
	// 09:00:00 put 2 4
	// 08:00:00 put 1 3
	// 3 <nil>
}

func ExampleScope_Verify() {
	ctx := context.Background()
	scope := open()
	c := controlRecords(scope)
	_ = c.Create(ctx, control{ID: "ac-1", Owner: "ops", Score: 3})
	_ = c.Put(ctx, control{ID: "ac-1", Owner: "ops", Score: 4})
	report, err := scope.Verify(ctx, nil)
	fmt.Println(report.Entries, report.Records, err)
	for e := range scope.Trail(ctx, 0, 0) {
		fmt.Println(e.Seq, e.Actor, e.Action, e.Collection, e.Key, e.Revision, e.Reason)
	}
	// Output:
	// 2 1 <nil>
	// 1 p.meyer put controls ac-1 1 yearly review
	// 2 p.meyer put controls ac-1 2 yearly review
}

// fixed is a source of bytes for keys of examples; a program takes crypto/rand.
type fixed byte

func (f fixed) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(f)
	}
	return len(p), nil
}

func ExampleOpenCheckpoint() {
	ctx := context.Background()
	scope := open()
	c := controlRecords(scope)
	_ = c.Create(ctx, control{ID: "ac-1", Owner: "ops", Score: 3})
	_ = c.Create(ctx, control{ID: "ac-2", Owner: "ops", Score: 4})

	private, public, _ := note.GenerateKey(fixed(1), "audit.example.org")
	signer, _ := note.NewSigner(private)
	signed, _ := scope.Checkpoint(ctx, signer) // to be kept elsewhere

	verifier, _ := note.NewVerifier(public)
	checkpoint, err := store.OpenCheckpoint(signed, verifier)
	fmt.Println(checkpoint.Origin, checkpoint.Tenant, checkpoint.Seq, err)
	_, err = scope.Verify(ctx, &store.VerifyOptions{Checkpoint: &checkpoint})
	fmt.Println(err)
	// Output:
	// audit.example.org acme 2 <nil>
	// <nil>
}

func ExampleVerifyExport() {
	ctx := context.Background()
	scope := open()
	_ = controlRecords(scope).Create(ctx, control{ID: "ac-1", Owner: "ops", Score: 3})
	_ = controlRecords(scope).Create(ctx, control{ID: "ac-2", Owner: "ops", Score: 4})
	var export strings.Builder
	_ = scope.Export(ctx, &export, nil)

	report, err := store.VerifyExport(strings.NewReader(export.String()), nil)
	fmt.Println(report.Tenant, report.Entries, err)
	changed := strings.Replace(export.String(), `"score":4`, `"score":5`, 1)
	_, err = store.VerifyExport(strings.NewReader(changed), nil)
	fmt.Println(err)
	// Output:
	// acme 2 <nil>
	// store: export, line 3: audit trail of tenant "acme": entry 2: the content does not fit its digest
}

func ExampleScope_Import() {
	ctx := context.Background()
	from := open()
	_ = controlRecords(from).Create(ctx, control{ID: "ac-1", Owner: "ops", Score: 3})
	var export strings.Builder
	_ = from.Export(ctx, &export, nil)

	to := open()
	report, err := to.Import(ctx, strings.NewReader(export.String()), nil)
	fmt.Println(report.Entries, err)
	c := controlRecords(to)
	fmt.Println(c.Reindex(ctx)) // the export knows no attributes
	fmt.Println(c.Get(ctx, "ac-1"))
	// Output:
	// 1 <nil>
	// 1 <nil>
	// {ac-1 ops 3 } <nil>
}

func ExampleScope_PutBlob() {
	ctx := context.Background()
	scope := open()
	digest, _ := scope.PutBlob(ctx, []byte("a large document"))
	again, _ := scope.PutBlob(ctx, []byte("a large document"))
	data, err := scope.Blob(ctx, digest)
	fmt.Println(digest == again, string(data), err)
	// Output: true a large document <nil>
}

// The text of a document that was erased goes with the next sweep.
func ExampleScope_SweepBlobs() {
	ctx := context.Background()
	scope := open()
	type letter struct {
		ID   string       `json:"id"`
		Text store.Digest `json:"text"`
	}
	letters := store.NewCollection(scope, "letters", func(l letter) string { return l.ID }, nil)
	digest, _ := scope.PutBlob(ctx, []byte("Dear Sir or Madam"))
	_ = letters.Create(ctx, letter{"l-1", digest})
	_ = letters.Delete(ctx, "l-1", 1)
	fmt.Println(scope.SweepBlobs(ctx)) // the history names it
	_ = letters.Erase(ctx, "l-1")
	fmt.Println(scope.SweepBlobs(ctx))
	// Output:
	// 0 <nil>
	// 1 <nil>
}
