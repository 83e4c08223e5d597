package runtime

import (
	"sync"
	"time"
)

// idleTime is how long call states lie unused before their memory is given back.
const idleTime = 30 * time.Second

// callPool is the free list of call states. It is not a sync.Pool, which drops what it holds at
// every garbage collection and would then allocate in steady state.
type callPool struct {
	mu     sync.Mutex
	engine *engine
	free   []*call // the last used is the last
	flying int     // states that are taken
	low    int     // fewest free states since the last tick: so many were not needed
	closed bool
	armed  bool // the timer runs
	timer  *time.Timer
	landed sync.Cond // flying became 0 after closing
}

func (cp *callPool) init(e *engine) {
	cp.engine = e
	cp.landed.L = &cp.mu
}

func (cp *callPool) take() (*call, error) {
	cp.mu.Lock()
	if cp.closed {
		cp.mu.Unlock()
		return nil, ErrClosed
	}
	cp.flying++
	var c *call
	if n := len(cp.free); n > 0 {
		c = cp.free[n-1]
		cp.free[n-1] = nil
		cp.free = cp.free[:n-1]
		cp.low = min(cp.low, n-1)
	}
	cp.mu.Unlock()
	if c == nil {
		c = newCall(cp.engine)
	}
	return c, nil
}

func (cp *callPool) give(c *call) {
	cp.mu.Lock()
	cp.flying--
	if cp.closed {
		if cp.flying == 0 {
			cp.landed.Broadcast()
		}
		cp.mu.Unlock()
		return
	}
	cp.free = append(cp.free, c)
	if !cp.armed {
		cp.armed = true
		if cp.timer == nil {
			cp.timer = time.AfterFunc(idleTime, cp.tick)
		} else {
			cp.timer.Reset(idleTime)
		}
	}
	cp.mu.Unlock()
}

// tick drops the states that were not needed since the last tick.
func (cp *callPool) tick() {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	n := min(cp.low, len(cp.free))
	kept := copy(cp.free, cp.free[n:])
	clear(cp.free[kept:])
	cp.free = cp.free[:kept]
	cp.low = kept
	cp.armed = !cp.closed && kept+cp.flying > 0
	if cp.armed {
		cp.timer.Reset(idleTime)
	} else if !cp.closed {
		cp.engine.workers.rest()
	}
}

// close waits for the states in flight and drops all; false if it was closed before.
func (cp *callPool) close() bool {
	cp.mu.Lock()
	defer cp.mu.Unlock()
	if cp.closed {
		return false
	}
	cp.closed = true
	for cp.flying > 0 {
		cp.landed.Wait()
	}
	cp.free = nil
	if cp.timer != nil {
		cp.timer.Stop()
	}
	return true
}
