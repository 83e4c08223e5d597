package runtime

import (
	"sync/atomic"
	"time"
)

// KernelProfile is what a kernel has cost since the Model was made.
type KernelProfile struct {
	Kernel   string
	Node     string // where it comes from
	Launches int64
	Time     time.Duration
}

// WithProfile makes the Model measure its kernels, which costs two readings of the clock for each
// launch; see Profile.
func WithProfile() Option { return func(s *settings) { s.profile = true } }

// profile has the counters of each kernel of a program.
type profile []struct{ launches, nanos atomic.Int64 }

// Profile returns the costs of the kernels in the order of the program's, nil where the Model was
// made without WithProfile.
func (m *Model) Profile() []KernelProfile {
	if m.profile == nil {
		return nil
	}
	out := make([]KernelProfile, len(m.profile))
	for i := range out {
		k := &m.plan.p.Kernels[i]
		out[i] = KernelProfile{Kernel: k.Name, Node: k.Node, Launches: m.profile[i].launches.Load(),
			Time: time.Duration(m.profile[i].nanos.Load())}
	}
	return out
}

// timed is launch with the clock read around it.
func (c *call) timed(l *launchState) error {
	start := time.Now()
	err := c.launch(l)
	p := &c.engine.profile[l.plan.Kernel]
	p.nanos.Add(int64(time.Since(start)))
	p.launches.Add(1)
	return err
}
