package runtime

import (
	"slices"
	"testing"
)

func jobOf(threads int, p *phase) *job {
	c := &call{engine: &engine{workers: newWorkers(threads)}}
	c.job.init(c)
	c.job.p = p
	c.job.cut(p)
	return &c.job
}

// TestTake sees that chunks are all the tasks, each once, and that two threads of one speed take
// them from their own parts and end within one task of each other, whatever their number.
func TestTake(t *testing.T) {
	const each, behind = 10_000, 3 // ns of a task, tasks of a phase before
	for tasks := int64(2); tasks < 200; tasks++ {
		p := &phase{first: behind, end: behind + tasks}
		p.least, p.most, p.split = divide(tasks, tasks*each, 2)
		if !p.split {
			t.Fatalf("%d tasks of %d ns are not split", tasks, each)
		}
		j := jobOf(2, p)
		var done [2]int64
		for done[0]+done[1] < tasks {
			one := 0
			if done[1] < done[0] {
				one = 1
			}
			lo, hi := j.take(one)
			if hi <= lo || hi-lo > p.most {
				t.Fatalf("%d tasks: took %d..%d, wanted 1 to %d", tasks, lo, hi, p.most)
			}
			if want := []int64{behind, behind + (tasks+1)/2}[one] + done[one]; lo != want {
				t.Fatalf("%d tasks: thread %d took %d..%d, wanted from %d", tasks, one, lo, hi, want)
			}
			done[one] += hi - lo
		}
		if d := done[0] - done[1]; d < -1 || d > 1 {
			t.Errorf("%d tasks: %d and %d", tasks, done[0], done[1])
		}
		if lo, hi := j.take(0); lo < hi {
			t.Errorf("%d tasks: took %d..%d behind the last", tasks, lo, hi)
		}
	}
}

// TestTakeAlone sees that one thread does the parts of those that do not come, each task once.
func TestTakeAlone(t *testing.T) {
	for threads := 2; threads < 9; threads++ {
		for home := range threads {
			p := &phase{first: 5, end: 105, least: 3, most: 40}
			j := jobOf(threads, p)
			seen := make([]int, p.end)
			for lo, hi := j.take(home); lo < hi; lo, hi = j.take(home) {
				for i := lo; i < hi; i++ {
					seen[i]++
				}
			}
			want := slices.Concat(make([]int, p.first), slices.Repeat([]int{1}, int(p.end-p.first)))
			if !slices.Equal(seen, want) {
				t.Errorf("%d threads, home %d: tasks were done %v times", threads, home, seen)
			}
		}
	}
}

// TestHome sees that workers begin with a part each, the one that is asked first with that behind
// the caller's, for calls that ask any worker first, and that few tasks are few parts.
func TestHome(t *testing.T) {
	const threads = 5
	j := jobOf(threads, &phase{end: 100, least: 1, most: 10})
	for start := range uint32(3 * threads) {
		j.start = start
		seen := map[int]bool{0: true}
		for i := range threads - 1 {
			w := &worker{index: i}
			at := j.home(w)
			if at < 0 || at >= threads || seen[at] {
				t.Errorf("start %d: worker %d begins with part %d", start, i, at)
			}
			if seen[at] = true; i == int(start%(threads-1)) && at != 1 {
				t.Errorf("start %d: the first worker begins with part %d, wanted 1", start, at)
			}
		}
	}
	j.cut(&phase{end: 5, least: 2, most: 10})
	if j.count != 3 {
		t.Errorf("5 tasks in chunks of 2 are %d parts, wanted 3", j.count)
	}
	for i := range threads - 1 {
		if at := j.home(&worker{index: i}); at >= j.count {
			t.Errorf("worker %d begins with part %d of %d", i, at, j.count)
		}
	}
}
