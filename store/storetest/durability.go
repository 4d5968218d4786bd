package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
)

// The test binary starts itself with these to be a second process.
const (
	modeVariable  = "ISSOKIT_STORETEST_MODE"  // write, crowd, count or add
	placeVariable = "ISSOKIT_STORETEST_PLACE" // what to open
	startVariable = "ISSOKIT_STORETEST_START" // number of the first write or of the record, or how often to count
)

// Main is what TestMain of a durable back end calls: it runs the tests, unless
// the process was started by one of them to be a second writer.
func Main(m *testing.M, open func(place string) (driver.Backend, error)) int {
	mode := os.Getenv(modeVariable)
	if mode == "" {
		return m.Run()
	}
	if err := second(mode, open); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func second(mode string, open func(place string) (driver.Backend, error)) error {
	start, err := strconv.Atoi(os.Getenv(startVariable))
	if err != nil {
		return err
	}
	if mode == "write" {
		fmt.Println("opening")
	}
	b, err := open(os.Getenv(placeVariable))
	if err != nil {
		return err
	}
	s := store.New(b, nil).Scope(store.Principal{Tenant: "t1", Actor: "writer"})
	switch mode {
	case "add":
		return errors.Join(newItems(s, "items").Create(context.Background(), item{ID: id(start)}), b.Close())
	case "count":
		return errors.Join(count(context.Background(), s, start), b.Close())
	case "crowd":
		return parallel(crowd, func(i int) error { return writeAlone(s, i) })
	}
	for n := start; ; n++ {
		if err := writePair(context.Background(), s, n); err != nil {
			return err
		}
		// The acknowledgement: one write call, after the commit.
		if _, err := fmt.Fprintf(os.Stdout, "ack %d\n", n); err != nil {
			return err
		}
	}
}

// writePair writes to two collections and a blob, creates, replaces and deletes,
// all in one transaction.
func writePair(ctx context.Context, s *store.Scope, n int) error {
	return s.Update(ctx, func(tx *store.Tx) error {
		items, others := newItems(tx.Scope(), "items"), newItems(tx.Scope(), "others")
		v := item{ID: id(n), Owner: strconv.Itoa(n % 10), Score: int64(n), Text: strings.Repeat("x", n%3000)}
		d, err := tx.Scope().PutBlob(ctx, []byte(v.Text))
		if err != nil {
			return err
		}
		v.Tags = []string{d.String()}
		errs := []error{items.Put(ctx, v), items.Put(ctx, item{ID: "last", Score: int64(n)}), others.Put(ctx, v)}
		if n >= 5 {
			old, err := others.Load(ctx, id(n-5))
			if err != nil {
				return err
			}
			errs = append(errs, others.Delete(ctx, old.Key, old.Revision))
		}
		return errors.Join(errs...)
	})
}

// crowd is how many write at once.
const crowd = 8

// writeAlone goes on with the records of one of the crowd, each in a transaction
// with the one that counts them, and acknowledges them after the commit.
func writeAlone(s *store.Scope, who int) error {
	ctx := context.Background()
	c := newItems(s, "items")
	last, err := c.Get(ctx, strconv.Itoa(who))
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	for n := last.Score + 1; ; n++ {
		err := s.Update(ctx, func(tx *store.Tx) error {
			c := c.In(tx)
			if err := c.Create(ctx, item{ID: fmt.Sprintf("%d-%d", who, n), Owner: strconv.Itoa(who)}); err != nil {
				return err
			}
			return c.Put(ctx, item{ID: strconv.Itoa(who), Score: n})
		})
		if err != nil {
			return err
		}
		if _, err := fmt.Printf("ack %d %d\n", who, n); err != nil {
			return err
		}
	}
}

// checkCrowd looks that all that was acknowledged is there and nothing by half.
func checkCrowd(t *testing.T, b driver.Backend, acknowledged [crowd]int64) {
	s := store.New(b, nil).Scope(store.Principal{Tenant: "t1", Actor: "test"})
	settle(t, s)
	c := newItems(s, "items")
	for who, ack := range acknowledged {
		last, err := c.Get(t.Context(), strconv.Itoa(who))
		if ack == 0 && errors.Is(err, store.ErrNotFound) {
			continue
		}
		require.NoError(t, err)
		require.Contains(t, []int64{ack, ack + 1}, last.Score, "acknowledged, and perhaps one that was not")
		found := int64(0)
		for _, err := range c.Query(t.Context(), store.Query{Where: []store.Cond{store.Equal("owner", strconv.Itoa(who))}}) {
			require.NoError(t, err)
			found++
		}
		require.Equal(t, last.Score, found)
	}
	_, err := s.Verify(t.Context(), nil)
	require.NoError(t, err)
}

// checkPairs looks that every acknowledged write is there and none by half, and
// returns the number of the last that is there. Those below from were looked at
// before.
func checkPairs(t *testing.T, b driver.Backend, from, acknowledged int) int {
	ctx := t.Context()
	s := store.New(b, nil).Scope(store.Principal{Tenant: "t1", Actor: "test"})
	settle(t, s)
	items, others := newItems(s, "items"), newItems(s, "others")
	last := -1
	if v, err := items.Get(ctx, "last"); !errors.Is(err, store.ErrNotFound) {
		require.NoError(t, err)
		last = int(v.Score)
	}
	require.GreaterOrEqual(t, last, acknowledged, "an acknowledged write is lost")
	for n := max(from-5, 0); n <= last; n++ {
		v, err := items.Load(ctx, id(n))
		require.NoError(t, err)
		require.Equal(t, int64(n), v.Value.Score)
		d, err := parseDigest(v.Value.Tags[0])
		require.NoError(t, err)
		text, err := s.Blob(ctx, d)
		require.NoError(t, err)
		require.Equal(t, v.Value.Text, string(text))
		other, err := others.Load(ctx, id(n))
		if n > last-5 {
			require.NoError(t, err)
			require.Equal(t, v.Value, other.Value)
		} else {
			require.ErrorIs(t, err, store.ErrNotFound)
		}
	}
	_, err := items.Get(ctx, id(last+1))
	require.ErrorIs(t, err, store.ErrNotFound, "a write is there by half")
	_, err = s.Verify(ctx, nil)
	require.NoError(t, err)
	found := 0
	for _, err := range items.Query(ctx, where(store.Equal("owner", "3"))) {
		require.NoError(t, err)
		found++
	}
	require.Equal(t, (last+7)/10, found, "the index fits the records")
	return last
}

// settle waits for a server that is still at the commit that a writer has sent
// before it was killed: an Update waits for the one before.
func settle(t *testing.T, s *store.Scope) {
	require.NoError(t, s.Update(t.Context(), func(*store.Tx) error { return nil }))
}

func parseDigest(text string) (d store.Digest, err error) {
	err = d.UnmarshalText([]byte(text))
	return d, err
}

// count adds 1 to a counter n times.
func count(ctx context.Context, s *store.Scope, n int) error {
	for range n {
		err := s.Update(ctx, func(tx *store.Tx) error {
			c := newItems(tx.Scope(), "items")
			v, err := c.Load(ctx, "n")
			if err != nil {
				return err
			}
			v.Value.Score++
			_, err = c.Swap(ctx, v.Value, v.Revision)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// start starts the test binary as a second process.
func start(t *testing.T, mode, place string, n int) (*exec.Cmd, io.Reader, *strings.Builder) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), modeVariable+"="+mode, placeVariable+"="+place, startVariable+"="+strconv.Itoa(n))
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	var errs strings.Builder
	cmd.Stderr = &errs
	require.NoError(t, cmd.Start())
	return cmd, out, &errs
}

// progress yields -1 when a writer opens its place, and then what it acknowledges.
func progress(out io.Reader) <-chan int {
	acks := make(chan int, 1<<16)
	go func() {
		defer close(acks)
		sc := bufio.NewScanner(out)
		for sc.Scan() {
			if sc.Text() == "opening" {
				acks <- -1
			} else if n, err := strconv.Atoi(strings.TrimPrefix(sc.Text(), "ack ")); err == nil {
				acks <- n
			}
		}
	}()
	return acks
}

func (e *env) open(place string) driver.Backend {
	e.Helper()
	b, err := e.opts.Open(place)
	require.NoError(e, err)
	return b
}

var durabilityCases = []testCase{
	{"ReopenSeesAll", func(e *env) {
		place := e.opts.Place(e)
		b := e.open(place)
		was := newEnv(e.T, b, e.opts)
		was.create(item{ID: "b", Tags: []string{"x", "y"}}, item{ID: "c", Tags: []string{"x"}})
		versions(was)
		_, err := was.scope.PutBlob(e.ctx, []byte("blob"))
		require.NoError(e, err)
		want := was.verify()
		keys := was.keys(store.Query{OrderBy: "tag"})
		require.NoError(e, b.Close())
		for range 2 {
			b = e.open(place)
			now := newEnv(e.T, b, e.opts)
			now.set(epoch.Add(time.Hour))
			require.Equal(e, want, now.verify())
			require.Equal(e, keys, now.keys(store.Query{OrderBy: "tag"}))
			require.NoError(e, now.items.Put(e.ctx, item{ID: "a", Score: 5}))
			past, err := collect(now.items.History(e.ctx, "a"))
			require.NoError(e, err)
			require.NotEmpty(e, past)
			want = now.verify()
			keys = now.keys(store.Query{OrderBy: "tag"})
			require.NoError(e, b.Close())
		}
	}},
	{"HardNames", func(e *env) {
		// Names that a back end may have files or tables of its own for.
		names := []string{"journal", "lock", "format.json", "tenants", "record", "attr", "meta", "con", "tmp", "a.b"}
		tenants := append([]string{"", ".", "..", ".journal", "~audit", strings.Repeat("T", 200), strings.Repeat("\u00e9", 128)}, names...)
		place := e.opts.Place(e)
		b := e.open(place)
		for _, tenant := range tenants {
			s := store.New(b, nil).Scope(store.Principal{Tenant: tenant, Actor: "p01"})
			require.NoError(e, s.Update(e.ctx, func(tx *store.Tx) error {
				for _, name := range names {
					if err := newItems(tx.Scope(), name).Create(e.ctx, item{ID: name, Text: tenant}); err != nil {
						return err
					}
				}
				return nil
			}), "%q", tenant)
		}
		require.NoError(e, b.Close())
		b = e.open(place)
		defer func() { require.NoError(e, b.Close()) }()
		for _, tenant := range tenants {
			s := store.New(b, nil).Scope(store.Principal{Tenant: tenant, Actor: "p01"})
			for _, name := range names {
				v, err := newItems(s, name).Get(e.ctx, name)
				require.NoError(e, err, "%q", tenant)
				require.Equal(e, item{ID: name, Text: tenant}, v)
			}
			r, err := s.Verify(e.ctx, nil)
			require.NoError(e, err)
			require.Equal(e, int64(len(names)), r.Records)
		}
		if l, ok := b.(driver.Lister); ok {
			got, err := l.Tenants(e.ctx)
			require.NoError(e, err)
			slices.Sort(tenants)
			require.Equal(e, tenants, got)
		}
	}},
	{"KillDuringCommit", func(e *env) {
		kills := setting(e, KillsVariable, 20)
		place := e.opts.Place(e)
		rng := rand.New(rand.NewPCG(20, 26))
		last, acknowledged := -1, 0
		for range kills {
			cmd, out, errs := start(e.T, "write", place, last+1)
			acks := progress(out)
			<-acks            // it opens
			ack, ok := <-acks // the writer writes
			require.True(e, ok, "the writer ended by itself: %s", errs)
			time.Sleep(time.Duration(rng.Int64N(int64(60 * time.Millisecond))))
			require.NoError(e, cmd.Process.Kill())
			for n := range acks {
				ack = n
			}
			require.Error(e, cmd.Wait())
			acknowledged += ack - last
			b := e.open(place)
			last = checkPairs(e.T, b, last+1, ack)
			require.NoError(e, b.Close())
		}
		e.Logf("%d kills, %d acknowledged transactions, all there; set %s for another number of kills", kills, acknowledged, KillsVariable)
	}},
	{"KillWhileOpening", func(e *env) {
		// Killed while it makes a new place, mends what the last one has left, or writes
		// for the first time.
		kills := setting(e, KillsVariable, 20)
		rng := rand.New(rand.NewPCG(20, 28))
		place, last := "", -1
		var window time.Duration // from opening to the first acknowledgement
		early := 0
		for i := range kills {
			if i%4 == 0 {
				place, last = e.opts.Place(e), -1
			}
			cmd, out, errs := start(e.T, "write", place, last+1)
			acks := progress(out)
			_, ok := <-acks
			require.True(e, ok, "the writer ended by itself: %s", errs)
			ack, begun := last, time.Now()
			if i == 0 {
				ack = <-acks
				window = min(time.Since(begun), 200*time.Millisecond) // a busy machine may take a while at first
			} else {
				time.Sleep(time.Duration(rng.Int64N(int64(window))))
			}
			require.NoError(e, cmd.Process.Kill())
			was := ack
			for n := range acks {
				ack = n
			}
			require.Error(e, cmd.Wait())
			require.Empty(e, errs.String())
			if ack == was {
				early++
			}
			b := e.open(place)
			last = checkPairs(e.T, b, last+1, ack)
			require.NoError(e, b.Close())
		}
		require.True(e, early > 0 || kills < 20, "none was killed before its first acknowledgement")
		e.Logf("%d kills, %d of them before the first acknowledgement, which takes %v", kills, early, window)
	}},
	{"KillDuringCrowd", func(e *env) {
		kills := setting(e, KillsVariable, 20)
		place := e.opts.Place(e)
		rng := rand.New(rand.NewPCG(20, 27))
		var acknowledged [crowd]int64
		total := 0
		for range kills {
			cmd, out, errs := start(e.T, "crowd", place, 0)
			sc := bufio.NewScanner(out)
			require.True(e, sc.Scan(), "the writer ended by itself: %s", errs)
			kill := time.AfterFunc(time.Duration(rng.Int64N(int64(60*time.Millisecond))), func() { _ = cmd.Process.Kill() })
			for more := true; more; more = sc.Scan() {
				var who int
				var n int64
				if _, err := fmt.Sscanf(sc.Text(), "ack %d %d", &who, &n); err == nil {
					acknowledged[who] = n
					total++
				}
			}
			require.Error(e, cmd.Wait())
			require.False(e, kill.Stop(), "the writer ended by itself: %s", errs)
			b := e.open(place)
			checkCrowd(e.T, b, acknowledged)
			// What was not acknowledged but is there is what the next one goes on from.
			c := newItems(store.New(b, nil).Scope(store.Principal{Tenant: "t1"}), "items")
			for who := range acknowledged {
				last, err := c.Get(e.ctx, strconv.Itoa(who))
				require.True(e, err == nil || errors.Is(err, store.ErrNotFound), "%v", err)
				acknowledged[who] = last.Score
			}
			require.NoError(e, b.Close())
		}
		e.Logf("%d kills, %d acknowledged transactions of %d writers, all there", kills, total, crowd)
	}},
	{"TwoProcesses", func(e *env) {
		const each = 50
		place := e.opts.Place(e)
		b := e.open(place)
		defer func() { require.NoError(e, b.Close()) }()
		s := store.New(b, nil).Scope(store.Principal{Tenant: "t1", Actor: "first"})
		c := newItems(s, "items")
		require.NoError(e, c.Create(e.ctx, item{ID: "n"}))
		cmd, _, errs := start(e.T, "count", place, each)
		if e.opts.OneProcess {
			require.Error(e, cmd.Wait(), "the place is open")
			require.Contains(e, errs.String(), driver.ErrBusy.Error())
			return
		}
		require.NoError(e, count(e.ctx, s, each))
		require.NoError(e, cmd.Wait(), errs.String())
		v, err := c.Get(e.ctx, "n")
		require.NoError(e, err)
		require.Equal(e, int64(2*each), v.Score)
		r, err := s.Verify(e.ctx, nil)
		require.NoError(e, err)
		require.Equal(e, int64(2*each+1), r.Entries)
	}},
	{"UseAfterClose", func(e *env) {
		place := e.opts.Place(e)
		b := e.open(place)
		newEnv(e.T, b, e.opts).create(item{ID: "a"})

		// Close waits for an Update, or ends it: it does not come to nothing half-way.
		inside, closed := make(chan struct{}), make(chan error, 1)
		go func() {
			<-inside
			closed <- b.Close()
		}()
		err := newEnv(e.T, b, e.opts).scope.Update(e.ctx, func(tx *store.Tx) error {
			close(inside)
			time.Sleep(20 * time.Millisecond)
			return newItems(tx.Scope(), "items").Create(e.ctx, item{ID: "b"})
		})
		require.NoError(e, <-closed)
		want := []string{"a"}
		if err == nil {
			want = append(want, "b")
		}
		late := newEnv(e.T, b, e.opts)
		require.Error(e, late.items.Create(e.ctx, item{ID: "c"}))
		_, err = late.items.Get(e.ctx, "a")
		require.Error(e, err)
		require.NotErrorIs(e, err, store.ErrNotFound)

		b = e.open(place)
		defer func() { require.NoError(e, b.Close()) }()
		now := newEnv(e.T, b, e.opts)
		require.Error(e, late.items.Create(e.ctx, item{ID: "d"}))
		require.Equal(e, want, now.keys(store.Query{}))
		now.verify()
	}},
	{"OpenTogether", func(e *env) {
		// Many open a new place at once, in this process and in others.
		place := e.opts.Place(e)
		const each = 4
		backends := make([]driver.Backend, each)
		var cmds []*exec.Cmd
		var errs []*strings.Builder
		for i := range each {
			cmd, _, err := start(e.T, "add", place, i)
			cmds, errs = append(cmds, cmd), append(errs, err)
		}
		err := parallel(each, func(i int) (err error) {
			backends[i], err = e.opts.Open(place)
			return err
		})
		opened := 0
		for i, b := range backends {
			if b != nil {
				s := store.New(b, nil).Scope(store.Principal{Tenant: "t1", Actor: "first"})
				require.NoError(e, newItems(s, "items").Create(e.ctx, item{ID: id(each + i)}))
				opened++
				require.NoError(e, b.Close())
			}
		}
		for i, cmd := range cmds {
			if cmd.Wait() == nil {
				opened++
			} else if !e.opts.OneProcess || !strings.Contains(errs[i].String(), driver.ErrBusy.Error()) {
				e.Errorf("another process: %s", errs[i])
			}
		}
		if e.opts.OneProcess {
			require.Positive(e, opened)
		} else {
			require.NoError(e, err)
			require.Equal(e, 2*each, opened)
		}
		b := e.open(place)
		defer func() { require.NoError(e, b.Close()) }()
		r, err := store.New(b, nil).Scope(store.Principal{Tenant: "t1", Actor: "first"}).Verify(e.ctx, nil)
		require.NoError(e, err)
		require.Equal(e, int64(opened), r.Records)
	}},
	{"OldSchemaUpgrades", func(e *env) {
		if e.opts.Old == nil {
			e.Skip("SKIPPED: the back end has only one schema")
		}
		place := e.opts.Place(e)
		b := e.open(place)
		was := newEnv(e.T, b, e.opts)
		was.fill(700, func(i int) item { return item{ID: id(i), Tags: []string{"x", "é" + id(i%7)}, Score: int64(-i)} })
		versions(was)
		_, err := was.scope.PutBlob(e.ctx, []byte("blob"))
		require.NoError(e, err)
		two := newItems(was.store.Scope(store.Principal{Tenant: "t2", Actor: "p02"}), "others")
		require.NoError(e, two.Create(e.ctx, item{ID: "k", Tags: []string{"x"}}))
		require.NoError(e, two.Delete(e.ctx, "k", 1))
		look := func(b driver.Backend) []any {
			now := newEnv(e.T, b, e.opts)
			past, err := collect(now.items.History(e.ctx, "a"))
			require.NoError(e, err)
			two, err := collect(newItems(now.store.Scope(store.Principal{Tenant: "t2"}), "others").History(e.ctx, "k"))
			require.NoError(e, err)
			require.Len(e, two, 2)
			return []any{
				now.verify(), past, two, now.get(id(5)), now.revision(id(5)), now.keys(store.Query{OrderBy: "tag"}),
				now.keys(store.Query{OrderBy: "score", Desc: true}), now.keys(where(store.Equal("tag", "é"+id(3)))),
			}
		}
		want := look(b)
		require.NoError(e, b.Close())
		e.opts.Old(e, place)
		for range 2 {
			b = e.open(place)
			require.Equal(e, want, look(b))
			require.NoError(e, b.Close())
		}
		b = e.open(place)
		defer func() { require.NoError(e, b.Close()) }()
		now := newEnv(e.T, b, e.opts)
		now.set(epoch.Add(time.Hour))
		require.NoError(e, now.items.Put(e.ctx, item{ID: id(5), Tags: []string{"fresh"}}))
		require.Equal(e, int64(2), now.revision(id(5)))
		require.Equal(e, []string{id(5)}, now.keys(where(store.Equal("tag", "fresh"))))
		now.verify()
	}},
	{"NewerSchemaRefused", func(e *env) {
		if e.opts.Newer == nil {
			e.Skip("SKIPPED: the back end has no schema")
		}
		place := e.opts.Place(e)
		require.NoError(e, e.open(place).Close())
		e.opts.Newer(e, place)
		b, err := e.opts.Open(place)
		require.ErrorIs(e, err, driver.ErrNewerSchema)
		require.Nil(e, b)
		e.Log(err)
	}},
}
