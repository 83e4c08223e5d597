package peak

import (
	"math"
	goruntime "runtime"
	"sync/atomic"
	"time"
)

// handover returns the seconds after which a core sees what another has written: half of the time
// that a number takes there and back, the best of some batches; 0 where nothing runs side by side.
// Where the system gives threads to cores that share no cache it is several times as long, and so
// is reading what another thread has computed. (28 and 155 ns on the 2 cores of one virtual
// machine, minutes apart; AMD EPYC, Zen 4, 2026-11-26.)
func handover() float64 {
	if min(goruntime.GOMAXPROCS(0), goruntime.NumCPU()) < 2 {
		return 0
	}
	const (
		rounds  = 20 // of a batch
		batches = 200
		most    = 200 * time.Millisecond // where others use the cores
	)
	var line struct {
		_ [64]byte
		n atomic.Int64 // odd: the other thread's turn
		_ [64]byte
	}
	go func() {
		goruntime.LockOSThread()
		for i := int64(1); ; i += 2 {
			for {
				n := line.n.Load()
				if n == math.MaxInt64 {
					return // with its thread
				}
				if n == i {
					break
				}
			}
			line.n.Store(i + 1)
		}
	}()
	best := math.Inf(1)
	start := time.Now()
	for i, n := 0, int64(0); i < batches && time.Since(start) < most; i++ {
		from := time.Now()
		for range rounds {
			line.n.Store(n + 1)
			for n += 2; line.n.Load() != n; {
			}
		}
		best = min(best, time.Since(from).Seconds()/(2*rounds))
	}
	line.n.Store(math.MaxInt64)
	return best
}
