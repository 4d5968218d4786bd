package main

import (
	"iter"
	"runtime"
	"sync/atomic"
)

// inOrder calls f for the numbers from 0 to below n, on as many goroutines as
// there are processors, and yields what it returned in their order, each as soon
// as those before it are there.
func inOrder[T any](n int, f func(i int) T) iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		done := make([]chan T, n)
		for i := range done {
			done[i] = make(chan T, 1)
		}
		var next atomic.Int64
		for range min(n, runtime.GOMAXPROCS(0)) {
			go func() {
				for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
					done[i] <- f(i)
				}
			}()
		}
		for i, c := range done {
			if !yield(i, <-c) {
				next.Store(int64(n)) // what has begun is finished, no more
				return
			}
		}
	}
}
