package storetest

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
)

// FullDisk writes to a back end in a folder of 2 MiB until the disk is full. The
// failed write must say so and leave nothing by half, reading must go on, and
// when the folder is opened again all that was acknowledged must be there. It
// needs the right to mount a tmpfs, and skips without.
func FullDisk(t *testing.T, open func(folder string) (driver.Backend, error)) {
	folder := t.TempDir()
	if out, err := exec.CommandContext(t.Context(), "mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED, NOTHING TESTED: cannot mount a tmpfs: %v: %s", err, bytes.TrimSpace(out))
	}
	t.Cleanup(func() {
		if out, err := exec.CommandContext(context.Background(), "umount", folder).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
	b, err := open(folder)
	require.NoError(t, err)
	s := store.New(b, nil).Scope(store.Principal{Tenant: "t1", Actor: "writer"})
	written := 0
	var full error
	for full == nil {
		if full = writePair(t.Context(), s, written); full == nil {
			written++
		}
		require.Less(t, written, 10000)
	}
	t.Logf("%d transactions, then: %v", written, full)
	require.Positive(t, written)
	for _, known := range []error{store.ErrNotFound, store.ErrConflict, store.ErrCorrupt, store.ErrInvalid} {
		require.False(t, errors.Is(full, known), "%v", full)
	}
	require.Equal(t, written-1, checkPairs(t, b, 0, written-1))
	require.NoError(t, b.Close())
	b, err = open(folder)
	require.NoError(t, err, "a full disk can be opened")
	require.Equal(t, written-1, checkPairs(t, b, 0, written-1))
	require.NoError(t, b.Close())
}

// ReadOnly looks that a place that cannot be written is read, and that writes say
// why they fail. open opens a place that has been filled, in a way that cannot
// write.
func ReadOnly(t *testing.T, fill, open func() (driver.Backend, error)) {
	b, err := fill()
	require.NoError(t, err)
	principal := store.Principal{Tenant: "t1", Actor: "p01"}
	require.NoError(t, newItems(store.New(b, nil).Scope(principal), "items").Create(t.Context(), item{ID: "a", Owner: "x"}))
	require.NoError(t, b.Close())
	b, err = open()
	require.NoError(t, err)
	s := store.New(b, nil).Scope(principal)
	c := newItems(s, "items")
	v, err := c.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, item{ID: "a", Owner: "x"}, v)
	_, err = s.Verify(t.Context(), nil)
	require.NoError(t, err)
	require.ErrorIs(t, c.Put(t.Context(), item{ID: "a"}), store.ErrReadOnly)
	require.NoError(t, b.Close())
}
