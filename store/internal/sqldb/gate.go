package sqldb

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/issokit/issokit/store/driver"
)

// gates let the updates of this process that would wait for each other in the
// database wait here, first come, first served, and without a connection. (A
// database may let a newcomer overtake one that was just woken.)
type gates struct {
	mu    sync.Mutex
	gates map[string]*gate
}

type gate struct {
	token chan struct{}
	users int // inside and waiting
}

// enter waits for the gate of a key. The caller calls leave, if there is no error.
func (g *gates) enter(ctx context.Context, key string, wait time.Duration) (leave func(), err error) {
	g.mu.Lock()
	if g.gates == nil {
		g.gates = map[string]*gate{}
	}
	t := g.gates[key]
	if t == nil {
		t = &gate{token: make(chan struct{}, 1)}
		g.gates[key] = t
	}
	t.users++
	g.mu.Unlock()
	done := func() {
		g.mu.Lock()
		defer g.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(g.gates, key)
		}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case t.token <- struct{}{}:
		return func() { <-t.token; done() }, nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
		err = fmt.Errorf("%w (%v)", driver.ErrBusy, wait)
	}
	done()
	return nil, err
}
