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
		{"i", "l", "touch"},
		{"i", "m", "times"},
		{"i", "o", "has to stay"},
	} {
		if err := k.Clone().Join(c.v, c.w); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s, %s: %v, want %q", c.v, c.w, err, c.want)
		}
	}
	sums := parse(t, `
		kernel g(x f32[N] in, y f32[2] out) dims(N)
			alloc s f32[2] local
			s[0] = 0.0f32
			serial i < N
				s[0] = add(s[0], x[i])
			alloc r f32[1] local
			r[0] = s[0]
			alloc p f32[1] local
			p[0] = 1.0f32
			serial j < N
				p[0] = mul(p[0], x[j])
			y[0] = r[0]
			y[1] = p[0]
	`)
	joined := apply(t, sums, func(k *Kernel) error { return k.Join("i", "j") })
	if l := joined.Loop("i"); joined.Loop("j") != nil || len(l.Body) != 2 || l.Indep {
		t.Errorf("not one loop:\n%v", joined)
	}
	same(t, sums, joined, 5)
	parts := parse(t, `
		kernel h(x f32[4] in, y f32[4] out)
			alloc s f32[8] scratch
			alloc lo f32[6] scratch of s[0]
			alloc hi f32[6] scratch of s[2]
			serial i < 4 indep
				lo[i] = x[i]
			serial j < 4 indep
				hi[j] = x[j]
			serial l < 4
				y[l] = s[l]
	`)
	if err := parts.Join("i", "j"); err == nil || !strings.Contains(err.Error(), "touch") {
		t.Errorf("loops that write parts of one buffer: %v", err)
	}
}
