package runtime

import "testing"

// TestTake sees that chunks are the tasks in order, and that two threads of one speed end within one
// task of each other, whatever their number.
func TestTake(t *testing.T) {
	const each, behind = 10_000, 3 // ns of a task, tasks of a phase before
	for tasks := int64(2); tasks < 200; tasks++ {
		c := &call{engine: &engine{workers: newWorkers(2)}}
		c.job.init(c)
		p := &phase{first: behind, end: behind + tasks}
		p.least, p.most, p.split = divide(tasks, tasks*each, 2)
		if !p.split {
			t.Fatalf("%d tasks of %d ns are not split", tasks, each)
		}
		var done [2]int64
		next := p.first
		c.job.next.Store(next)
		for next < p.end {
			one := 0
			if done[1] < done[0] {
				one = 1
			}
			lo, hi := c.job.take(p)
			if lo != next || hi <= lo || hi > p.end || hi-lo > p.most {
				t.Fatalf("%d tasks: took %d..%d, wanted at most %d from %d", tasks, lo, hi, p.most, next)
			}
			done[one] += hi - lo
			next = hi
		}
		if d := done[0] - done[1]; d < -1 || d > 1 {
			t.Errorf("%d tasks: %d and %d", tasks, done[0], done[1])
		}
		if lo, hi := c.job.take(p); lo < hi {
			t.Errorf("%d tasks: took %d..%d behind the last", tasks, lo, hi)
		}
	}
}
