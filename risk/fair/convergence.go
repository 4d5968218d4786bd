package fair

import (
	"context"
	"fmt"
	"math"
)

// A Stage is what a simulation said after some of its years.
type Stage struct {
	Years           int64
	Mean, VaR, TVaR Estimate
}

// Convergence simulates a portfolio as [Simulate] does, and reports how mean, VaR
// and TVaR of a level settled: after 2^16 years, each time the years have doubled,
// and at the end. The half-width of an interval shrinks with the square root of
// the years; where the values of the stages leave the intervals of the stages
// before again and again, the years are too few for the tail that was asked for
// (see [YearsFor]).
//
// The errors are those of Simulate, and one that matches [ErrInvalid] if the level
// is not between 0 and 1 or the options ask for a shard.
func Convergence(ctx context.Context, p Portfolio, level float64, opts *Options) (*Result, []Stage, error) {
	var o Options
	if opts != nil {
		o = *opts
	}
	if !(level > 0 && level < 1) {
		return nil, nil, fmt.Errorf("fair: %w: expected a level strictly between 0 and 1, found %v", ErrInvalid, level)
	}
	if o.Shard != (Shard{}) {
		return nil, nil, fmt.Errorf("fair: %w: a shard has no stages of the whole run", ErrInvalid)
	}
	var stages []Stage
	note := func(r *Result) {
		stages = append(stages, Stage{r.Years(), r.Mean(), r.VaR(level), r.TVaR(level)})
	}
	next := o.Checkpoint
	o.Checkpoint = func(r *Result) bool {
		note(r)
		return next == nil || next(r)
	}
	result, err := Simulate(ctx, p, &o)
	if err != nil {
		return nil, nil, err
	}
	if n := len(stages); n == 0 || stages[n-1].Years != result.Years() {
		note(result)
	}
	return result, stages, nil
}

// HalfWidth returns half the width of the interval of an estimate, +Inf where the
// years were too few for a bound.
func (e Estimate) HalfWidth() float64 {
	if math.IsInf(e.Hi, 1) {
		return math.Inf(1)
	}
	return (e.Hi - e.Lo) / 2
}
