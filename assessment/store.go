package assessment

import (
	"context"
	"iter"

	"github.com/issokit/issokit/oscal"
)

// A Store keeps plans of action and milestones by their UUIDs, from one
// [UpdatePOAM] to the next. A collection of package store satisfies it, and so may
// any other storage.
//
// Get of an unknown UUID fails. Swap writes plan if the stored revision is the one
// given, 0 for a new plan, and returns the new revision; on a stale one it fails
// and writes nothing. All yields in the order of the UUIDs, nothing after an
// error, and holds no lock while its body runs. The methods may be called by
// several goroutines at once.
type Store interface {
	Get(ctx context.Context, uuid string) (oscal.PlanOfActionAndMilestones, error)
	Swap(ctx context.Context, plan oscal.PlanOfActionAndMilestones, revision int64) (int64, error)
	All(ctx context.Context) iter.Seq2[oscal.PlanOfActionAndMilestones, error]
}
