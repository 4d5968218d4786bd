package storetest

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/issokit/issokit/store"
	"github.com/issokit/issokit/store/driver"
)

// InTx looks that what is written through a back end for one transaction of the
// program's own is committed, and rolled back, with all else in it.
func InTx(t *testing.T, db *sql.DB, b driver.Backend, in func(*sql.Tx) driver.Backend) {
	ctx := t.Context()
	_, err := db.ExecContext(ctx, "CREATE TABLE program (n integer)")
	require.NoError(t, err)
	principal := store.Principal{Tenant: "t1", Actor: "p01"}
	run := func(n int, fail bool, commit bool) {
		tx, err := db.BeginTx(ctx, nil)
		require.NoError(t, err)
		defer tx.Rollback() //nolint:errcheck // after a commit it does nothing
		_, err = tx.ExecContext(ctx, "INSERT INTO program (n) VALUES (1)")
		require.NoError(t, err)
		s := store.New(in(tx), nil).Scope(principal)
		require.NoError(t, newItems(s, "items").Create(ctx, item{ID: id(n), Tags: []string{"x"}}))
		if fail { // only this Update is undone
			err = s.Update(ctx, func(tx *store.Tx) error {
				return errors.Join(newItems(tx.Scope(), "items").Create(ctx, item{ID: "undone"}), errOwn)
			})
			require.ErrorIs(t, err, errOwn)
		}
		_, err = newItems(s, "items").Get(ctx, id(n))
		require.NoError(t, err)
		if commit {
			require.NoError(t, tx.Commit())
		}
	}
	run(1, false, true)
	run(2, false, false)
	run(3, true, true)
	var n int
	require.NoError(t, db.QueryRowContext(ctx, "SELECT count(*) FROM program").Scan(&n))
	require.Equal(t, 2, n)
	s := store.New(b, nil).Scope(principal)
	all, err := collect(newItems(s, "items").Query(ctx, where(store.Equal("tag", "x"))))
	require.NoError(t, err)
	require.Len(t, all, 2)
	r, err := s.Verify(ctx, nil)
	require.NoError(t, err)
	require.Equal(t, []int64{2, 2}, []int64{r.Entries, r.Records})
}
