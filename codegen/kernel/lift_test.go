package kernel

import (
	"strings"
	"testing"
)

func TestLift(t *testing.T) {
	k := parse(t, `
		kernel gather(x f32[40] in, i i64[N] in, z f32[4*N] out) dims(N)
			serial n < N
				serial j < 4
					let ix = i[n]
					let at = index(j)
					fail 1 lt(index(at), 0)
					fail 1 or(lt(index(ix), 0), ge(index(ix), 10))
					z[4*n+j] = x[4*ix+at]
	`)
	r := apply(t, k, func(k *Kernel) error { return k.Lift("j") })
	if got := len(r.Loop("n").Body); got != 3 {
		t.Errorf("%d statements around the loop, want a let, a fail and it:\n%v", got, r)
	}
	if err := k.Clone().Lift("n"); err == nil || !strings.Contains(err.Error(), "may run no time") {
		t.Errorf("lifted out of a loop that may not run: %v", err)
	}
	if err := r.Clone().Lift("j"); err == nil || !strings.Contains(err.Error(), "nothing in it") {
		t.Errorf("lifted what varies: %v", err)
	}
}

func TestFissionLets(t *testing.T) {
	k := parse(t, `
		kernel gather(x f32[10] in, i i64[10] in, j i64[N] in, z f32[N] out) dims(N)
			serial n < N
				let a = j[n]
				fail 1 or(lt(index(a), 0), ge(index(a), 10))
				let b = i[a]
				fail 1 or(lt(index(b), 0), ge(index(b), 10))
				z[n] = x[b]
	`)
	MarkIndep(k)
	r := apply(t, k, func(k *Kernel) error {
		_, err := k.Fission("n", 4)
		return err
	})
	if err := Verify(r); err != nil {
		t.Error(err)
	}
}

// TestLiftLoop lifts a loop of checks that is the same in all iterations, and no
// loop that stores.
func TestLiftLoop(t *testing.T) {
	k := parse(t, `
kernel k(x f32[4*N] in, p i64[N] in, y f32[4*N] out) dims(N)
	serial i < 4
		serial j < N indep
			let at = p[j]
			fail 1 or(lt(index(at), 0), ge(index(at), N))
		serial j_2 < N indep
			let at_2 = p[j_2]
			y[N*i+j_2] = x[N*i+at_2]
`)
	r := apply(t, k, func(k *Kernel) error { return k.Lift("i") })
	if l, ok := r.Body[0].(*Loop); !ok || l.Var != "j" || len(r.Loop("i").Body) != 1 {
		t.Errorf("checks are not in front of the loop:\n%v", r)
	}
	if err := r.Clone().Lift("i"); err == nil || !strings.Contains(err.Error(), "nothing in it") {
		t.Errorf("lifted stores: %v", err)
	}
}
