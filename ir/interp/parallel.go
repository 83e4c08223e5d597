package interp

import (
	"context"
	"sync"
)

// workers is how many goroutines share long loops; results do not depend on it.
const workers = 2

// parallel calls f for every i in [0, n), from several goroutines if n is more
// than 1, and stops early when the context ends.
func parallel(ctx context.Context, n int, f func(i int)) error {
	if n <= 1 {
		if n == 1 {
			f(0)
		}
		return ctx.Err()
	}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := w; i < n && ctx.Err() == nil; i += workers {
				f(i)
			}
		}()
	}
	wg.Wait()
	return ctx.Err()
}

// chunk is how many elements are widened at a time, and block how many chunks
// are worth handing to a goroutine.
const (
	chunk = 1 << 10
	block = 32
)

// chunks calls f for pieces [lo, hi) of [0, n) of at most chunk elements.
func chunks(ctx context.Context, n int, f func(lo, hi int)) error {
	const big = chunk * block
	return parallel(ctx, (n+big-1)/big, func(i int) {
		for lo := i * big; lo < min(n, (i+1)*big); lo += chunk {
			f(lo, min(n, (i+1)*big, lo+chunk))
		}
	})
}
