package runtime

import (
	goruntime "runtime"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"
)

// This file splits launches over goroutines. The workers of a model are started when a call first
// has a launch that may ask for them, and stopped when the model is closed or idle. Each has a
// mailbox of one job; a launch offers itself to workers that are free, runs chunks itself, and
// takes back the offers that were not answered, so that it never waits for a worker to wake up.

// SplitCost is the nanoseconds from which on a launch is split; one that costs less runs on the
// caller.
const SplitCost = 5_000

// Measured on 2 cores of a virtual machine (2026-11): waking a parked goroutine takes 5 to 50 µs,
// handing a job to one that spins under 1 µs.
const (
	wakeCost = 25_000  // ns: see worthHelp
	minChunk = 1_500   // ns: chunks are not cut smaller
	maxChunk = 250_000 // ns: a call of machine code cannot be preempted, so that the GC waits
	fillRate = 16      // bytes of common memory that take a nanosecond to fill
	share    = 2       // a chunk is at most what is left of a part, by this
	spinTime = 50 * time.Microsecond
)

// divide returns the fewest and the most tasks of one chunk and whether a launch is worth splitting
// over threads. An unknown (0) cost is taken for small.
func divide(tasks, cost int64, threads int) (least, most int64, split bool) {
	if cost <= 0 {
		return tasks, tasks, false
	}
	part := func(ns int64) int64 { // tasks that take about ns
		if cost <= ns {
			return tasks
		}
		return max(1, int64(float64(tasks)*(float64(ns)/float64(cost))))
	}
	most = part(maxChunk)
	least = min(part(minChunk), (tasks+1)/2, most)
	return least, most, threads > 1 && tasks > 1 && cost >= SplitCost
}

// workers are the helping goroutines of a model.
type workers struct {
	threads int // with the caller
	mu      sync.Mutex
	list    atomic.Pointer[[]*worker] // nil when none runs
	stopped bool
	scratch atomic.Int64  // bytes that each has, see prepare
	cursor  atomic.Uint32 // see job.start
}

type worker struct {
	index   int // in the list
	mail    atomic.Pointer[job]
	parked  atomic.Bool
	quit    atomic.Bool
	wake    chan struct{}
	scratch block
	larger  atomic.Pointer[block] // scratch memory to be taken up before the next job
	_       [64]byte              // mailboxes lie on cache lines of their own
}

func newWorkers(threads int) *workers { return &workers{threads: threads} }

// running returns the workers, starting them if need be; nil after stop.
func (w *workers) running() []*worker {
	if l := w.list.Load(); l != nil {
		return *l
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if l := w.list.Load(); l != nil {
		return *l
	}
	if w.stopped {
		return nil
	}
	list := make([]*worker, w.threads-1)
	for i := range list {
		list[i] = &worker{index: i, wake: make(chan struct{}, 1)}
		list[i].scratch.reserve(w.scratch.Load())
		go list[i].loop()
	}
	w.list.Store(&list)
	return list
}

// prepare starts the workers and gives each at least scratch bytes of scratch memory, for a launch
// that may ask for their help: whatever a call needs is there after the first of its size, though
// it may be a later one that they help with.
func (w *workers) prepare(scratch int64) {
	list := w.running()
	if scratch <= w.scratch.Load() {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if scratch <= w.scratch.Load() {
		return
	}
	w.scratch.Store(scratch)
	if l := w.list.Load(); l != nil {
		list = *l
	}
	for _, one := range list {
		b := new(block)
		b.reserve(scratch)
		one.larger.Store(b)
	}
}

// rest ends the workers until they are wanted again.
func (w *workers) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.list.Swap(nil)
	if l == nil {
		return
	}
	for _, one := range *l {
		one.quit.Store(true)
		one.notify()
	}
}

// stop ends the workers for good.
func (w *workers) stop() {
	w.mu.Lock()
	w.stopped = true
	w.mu.Unlock()
	w.rest()
}

func (w *worker) notify() {
	if w.parked.CompareAndSwap(true, false) {
		w.wake <- struct{}{} // has room: parked is set once for each receive
	}
}

func (w *worker) loop() {
	for {
		j := w.next()
		if j == nil {
			return
		}
		j.help(w)
	}
}

// next waits for a job: it spins briefly, as launches follow one another, then parks. It returns
// nil when the worker shall end.
func (w *worker) next() *job {
	for {
		spinUntil(func() bool { return w.mail.Load() != nil || w.quit.Load() })
		if j := w.mail.Swap(nil); j != nil {
			return j
		}
		if w.quit.Load() {
			return nil
		}
		w.parked.Store(true)
		if w.mail.Load() != nil || w.quit.Load() {
			if w.parked.CompareAndSwap(true, false) {
				continue
			}
		}
		<-w.wake
	}
}

// spinUntil waits for ready for at most spinTime, giving way to other goroutines now and then.
func spinUntil(ready func() bool) {
	var end time.Time
	for i := 0; ; i++ {
		for range 64 {
			if ready() {
				return
			}
		}
		switch {
		case i == 0:
			end = time.Now().Add(spinTime)
		case time.Now().After(end):
			return
		}
		goruntime.Gosched()
	}
}

// job is a phase of a launch that is split. Each call has one, used again for each launch.
//
// Its tasks are cut into parts, one for each thread, which begins with its own and then takes from
// those of others. A thread has the same part of every launch of a call and of the calls after it,
// so that it mostly reads what it has written itself: caches of other cores are far away, above all
// where cores share none.
type job struct {
	c      *call
	l      *launchState
	p      *phase // of it
	wake   bool   // parked workers are asked too
	start  uint32 // the worker that is asked first: another one for each call in flight
	parts  []part // one for each thread; those behind count are not in use
	count  int
	status atomic.Int32 // the first status that is not OK; ends the launch
	halt   atomic.Bool  // the context is done
	left   atomic.Int32 // the caller and the workers that may be working
	done   chan struct{}
}

// part is the tasks of a job that one thread begins with.
type part struct {
	next atomic.Int64 // the first task that nobody took
	end  int64
	_    [48]byte // a cache line for each
}

func (j *job) init(c *call) {
	j.c = c
	ws := c.engine.workers
	j.start = ws.cursor.Add(1)
	j.parts = make([]part, ws.threads)
	j.done = make(chan struct{}, 1)
}

// cut makes parts of the tasks of p: as many as there are threads, and chunks for them.
func (j *job) cut(p *phase) {
	tasks := p.end - p.first
	j.count = int(min(int64(len(j.parts)), (tasks+p.least-1)/p.least))
	n, next := int64(j.count), p.first
	for i := range j.parts[:j.count] {
		q := &j.parts[i]
		q.next.Store(next)
		next += tasks / n
		if int64(i) < tasks%n {
			next++
		}
		q.end = next
	}
}

// home returns the part that w begins with; that of the caller is the first.
func (j *job) home(w *worker) int {
	others := uint32(len(j.parts) - 1)
	return int((uint32(w.index)+others-j.start%others)%others+1) % j.count
}

// worthHelp reports whether workers are asked to help with a phase that is worth splitting. Those
// that spin are; those that are parked are woken where the phase, together with those of this call
// that ran alone because all were parked, costs as much as waking them: a series of short launches
// then has help from its third or so on.
func (c *call) worthHelp(p *phase) bool {
	if c.alone += p.cost; c.alone >= wakeCost {
		c.alone, c.job.wake = 0, true
		return true
	}
	c.job.wake = false
	list := c.engine.workers.list.Load()
	if list == nil {
		return false
	}
	for _, w := range *list {
		if !w.parked.Load() {
			c.alone = 0
			return true
		}
	}
	return false
}

// run runs a phase of a launch together with workers that are free.
func (j *job) run(l *launchState, p *phase) error {
	j.l, j.p = l, p
	j.cut(p)
	j.status.Store(StatusOK)
	j.halt.Store(false)
	j.left.Store(1)
	list := j.c.engine.workers.running()
	wanted := j.count - 1
	for i := range list {
		if wanted == 0 {
			break
		}
		w := list[(uint32(i)+j.start%uint32(len(list)))%uint32(len(list))]
		if (j.wake || !w.parked.Load()) && w.offer(j) {
			wanted--
		}
	}
	j.work(j.c.scratch.base, 0)
	for _, w := range list {
		if w.mail.Load() == j && w.mail.CompareAndSwap(j, nil) {
			j.left.Add(-1)
		}
	}
	if j.left.Add(-1) != 0 {
		j.wait()
	}
	if j.halt.Load() {
		return j.c.ctx.Err()
	}
	if s := j.status.Load(); s != StatusOK {
		return j.c.kernelError(l, s)
	}
	return nil
}

// offer puts j in the mailbox of a worker that is free.
func (w *worker) offer(j *job) bool {
	if w.mail.Load() != nil {
		return false
	}
	j.left.Add(1)
	if !w.mail.CompareAndSwap(nil, j) {
		j.left.Add(-1)
		return false
	}
	w.notify()
	return true
}

// wait waits for the workers that still have a chunk; the last of them sends to done.
func (j *job) wait() {
	spinUntil(func() bool { return j.left.Load() == 0 })
	<-j.done
}

// help is a worker's part in a job.
func (j *job) help(w *worker) {
	if b := w.larger.Swap(nil); b != nil {
		w.scratch = *b
	}
	j.work(w.scratch.base, j.home(w))
	if j.left.Add(-1) == 0 {
		j.done <- struct{}{}
	}
}

// take takes a chunk, lo..hi, empty where none is left: a share of what is left of the part at
// home, so that calls are few, or else a smaller one of another, so that all threads end at about
// the same time.
func (j *job) take(home int) (lo, hi int64) {
	least, most := j.p.least, j.p.most
	for i := range j.count {
		q := &j.parts[(home+i)%j.count]
		by := int64(share)
		if i > 0 {
			by *= int64(j.count)
		}
		for lo = q.next.Load(); lo < q.end; lo = q.next.Load() {
			hi = min(lo+max(least, min((q.end-lo)/by, most)), q.end)
			if q.next.CompareAndSwap(lo, hi) {
				return lo, hi
			}
		}
	}
	return 0, 0
}

// work runs chunks until none is left.
func (j *job) work(scratch unsafe.Pointer, home int) {
	l, c := j.l, j.c
	for {
		lo, hi := j.take(home)
		if lo >= hi || j.status.Load() != StatusOK || j.halt.Load() {
			return
		}
		if c.done != nil {
			select {
			case <-c.done:
				j.halt.Store(true)
				return
			default:
			}
		}
		status := l.call(lo, hi, scratch)
		if status != StatusOK {
			j.status.CompareAndSwap(StatusOK, status)
		}
	}
}
