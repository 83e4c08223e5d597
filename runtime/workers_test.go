package runtime

import "testing"

// TestTake sees that chunks are the tasks in order, and that two threads of one speed end within one
// task of each other, whatever their number.
func TestTake(t *testing.T) {
	const each = 10_000 // ns of a task
	for tasks := int64(2); tasks < 200; tasks++ {
		c := &call{engine: &engine{workers: newWorkers(2)}}
		c.job.init(c)
		l := &launchState{tasks: tasks}
		l.least, l.most, l.split = divide(tasks, tasks*each, 2)
		if !l.split {
			t.Fatalf("%d tasks of %d ns are not split", tasks, each)
		}
		var done [2]int64
		next := int64(0)
		for next < tasks {
			one := 0
			if done[1] < done[0] {
				one = 1
			}
			lo, hi := c.job.take(l)
			if lo != next || hi <= lo || hi > tasks || hi-lo > l.most {
				t.Fatalf("%d tasks: took %d..%d, wanted at most %d from %d", tasks, lo, hi, l.most, next)
			}
			done[one] += hi - lo
			next = hi
		}
		if d := done[0] - done[1]; d < -1 || d > 1 {
			t.Errorf("%d tasks: %d and %d", tasks, done[0], done[1])
		}
		if lo, hi := c.job.take(l); lo < hi {
			t.Errorf("%d tasks: took %d..%d behind the last", tasks, lo, hi)
		}
	}
}
