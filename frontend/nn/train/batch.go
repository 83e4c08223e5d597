package train

import (
	"math/rand/v2"
	"sync"
)

// Rand returns the random numbers that belong to a step.
func Rand(seed uint64, step int) *rand.Rand { return rand.New(rand.NewPCG(seed, uint64(step))) }

// Sampler goes through n examples in an order that is another one each time.
type Sampler struct {
	N, Batch int
	Seed     uint64

	mu    sync.Mutex
	epoch int
	order []int
}

// Steps is the number of whole batches of an epoch.
func (s *Sampler) Steps() int { return s.N / s.Batch }

// Pick returns the examples of a step: a function of seed and step alone. The
// slice must not be changed.
func (s *Sampler) Pick(step int) []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if epoch := step / s.Steps(); s.order == nil || epoch != s.epoch {
		s.epoch, s.order = epoch, Rand(^s.Seed, epoch).Perm(s.N)
	}
	at := step % s.Steps() * s.Batch
	return s.order[at : at+s.Batch]
}

// Prefetcher makes batches ahead of their use, in another goroutine.
type Prefetcher[B any] struct {
	ready, free chan item[B]
	stop        chan struct{}
	done        sync.WaitGroup
	last        *item[B]
}

type item[B any] struct {
	b   B
	err error
}

// Prefetch loads the batches of steps from first on. The buffers are used in
// turn: one is with the user, the others are filled by load.
func Prefetch[B any](first int, buffers []B, load func(step int, b B) error) *Prefetcher[B] {
	p := &Prefetcher[B]{ready: make(chan item[B], len(buffers)),
		free: make(chan item[B], len(buffers)), stop: make(chan struct{})}
	for _, b := range buffers {
		p.free <- item[B]{b: b}
	}
	p.done.Go(func() {
		for step := first; ; step++ {
			select {
			case <-p.stop:
				return
			case x := <-p.free:
				x.err = load(step, x.b)
				p.ready <- x
			}
		}
	})
	return p
}

// Next returns the batch of the next step, which is valid until the next call.
func (p *Prefetcher[B]) Next() (B, error) {
	if p.last != nil {
		p.free <- *p.last
	}
	x := <-p.ready
	p.last = &x
	return x.b, x.err
}

// Close ends the goroutine.
func (p *Prefetcher[B]) Close() {
	close(p.stop)
	p.done.Wait()
}
