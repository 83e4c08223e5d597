package runtime

import (
	"cmp"
	"slices"
	"sync"
	"time"
)

// KernelProfile is what launches of a kernel with the same dims have cost since the Model was made.
type KernelProfile struct {
	Kernel   int     // index into Program.Kernels
	Dims     []int64 // the values of its integer parameters
	Launches int64
	Time     time.Duration // of all launches
	Least    time.Duration // of the shortest
}

// WithProfile makes the Model measure its kernels, which costs two readings of the clock for each
// launch; see Profile.
func WithProfile() Option { return func(s *settings) { s.profile = &profile{} } }

// profile has the counters of the kernels of a Model.
type profile struct {
	mu  sync.Mutex
	all map[uint64]*KernelProfile // by hash of kernel and dims
}

// Profile returns the costs of the kernels that ran, in the order of the program's, nil where the
// Model was made without WithProfile.
func (m *Model) Profile() []KernelProfile {
	p := m.profile
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]KernelProfile, 0, len(p.all))
	for _, k := range p.all {
		out = append(out, *k)
	}
	slices.SortFunc(out, func(a, b KernelProfile) int {
		return cmp.Or(cmp.Compare(a.Kernel, b.Kernel), slices.Compare(a.Dims, b.Dims))
	})
	return out
}

// timed is launch with the clock read around it.
func (c *call) timed(l *launchState) error {
	start := time.Now()
	err := c.launch(l)
	d := time.Since(start)
	if err == nil && l.tasks > 0 {
		c.engine.profile.add(l.plan.Kernel, l.dims, d)
	}
	return err
}

func (p *profile) add(kernel int, dims []int64, d time.Duration) {
	h := uint64(kernel)
	for _, n := range dims {
		h = (h ^ uint64(n)) * 0x9e3779b97f4a7c15
		h ^= h >> 32
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	k := p.all[h]
	for ; k != nil && (k.Kernel != kernel || !slices.Equal(k.Dims, dims)); k = p.all[h] {
		h++
	}
	if k == nil {
		if p.all == nil {
			p.all = map[uint64]*KernelProfile{}
		}
		k = &KernelProfile{Kernel: kernel, Dims: slices.Clone(dims)}
		p.all[h] = k
	}
	if k.Launches == 0 || d < k.Least {
		k.Least = d
	}
	k.Launches++
	k.Time += d
}
