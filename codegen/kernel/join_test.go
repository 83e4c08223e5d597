package kernel

import (
	"strings"
	"testing"
)

func TestJoin(t *testing.T) {
	k := parse(t, `
		kernel f(x f32[N] in, y f32[N] out, z f32[N] out) dims(N)
			serial i < N indep
				y[i] = add(x[i], 1.0f32)
			alloc s f32[N] scratch
			serial j < N indep
				s[j] = mul(x[j], 2.0f32)
			serial l < N
				z[l] = add(y[l], s[N-1-l])
			serial m < N+1 indep
				if lt(m, N)
					z[m] = 0.0f32
			serial o < N indep
				z[o] = s[o]
	`)
	r := apply(t, k, func(k *Kernel) error { return k.Join("i", "j") })
	if l := r.Loop("i"); r.Loop("j") != nil || len(l.Body) != 2 {
		t.Errorf("not one loop:\n%v", r)
	}
	same(t, k, r, 5)
	for _, c := range []struct{ v, w, want string }{
		{"j", "i", "does not follow"},
		{"i", "o", "more than allocations"},
		{"m", "o", "times"},
		{"j", "l", "independent"},
	} {
		if err := k.Clone().Join(c.v, c.w); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: %v, want %q", c.v, c.w, err, c.want)
		}
	}
	uses := parse(t, `
		kernel f(x f32[4] in, y f32[4] out, z f32[4] out)
			serial i < 4 indep
				y[i] = x[i]
			serial j < 4 indep
				z[j] = y[3-j]
	`)
	if err := uses.Join("i", "j"); err == nil || !strings.Contains(err.Error(), "touch") {
		t.Errorf("a loop that reads what the other writes: %v", err)
	}
}
