package controls

import (
	"context"
	"iter"
)

// A Store keeps the descriptions of systems by their IDs. A collection of package
// store satisfies it, and so may any other storage.
//
// Get of an unknown ID fails. Swap writes sys if the stored revision is the one
// given, 0 for a new system, and returns the new revision; on a stale one it
// fails and writes nothing. All yields in the order of the IDs, nothing after an
// error, and holds no lock while its body runs. The methods may be called by
// several goroutines at once.
type Store interface {
	Get(ctx context.Context, id string) (System, error)
	Swap(ctx context.Context, sys System, revision int64) (int64, error)
	All(ctx context.Context) iter.Seq2[System, error]
}
