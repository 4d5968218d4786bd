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

func (g *gates) get(key string) *gate {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.gates == nil {
		g.gates = map[string]*gate{}
	}
	t := g.gates[key]
	if t == nil {
		t = &gate{token: make(chan struct{}, 1)}
		g.gates[key] = t
	}
	t.users++
	return t
}

func (g *gates) put(key string, t *gate) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if t.users--; t.users == 0 {
		delete(g.gates, key)
	}
}

// enter waits for the gate. The caller calls leave, if there is no error.
func (t *gate) enter(ctx context.Context, wait time.Duration) error {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case t.token <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("%w (%v)", driver.ErrBusy, wait)
	}
}

func (t *gate) leave() { <-t.token }
