package kernel

import (
	"strings"
	"testing"
)

// panels has columns in panels of 8, padded, and a result without padding.
const panels = `
	kernel k(x f32[M*3] in, w f32[48] in, y f32[M*12] out) dims(M)
		parallel i < M
			alloc acc f32[16] local
			unroll j < 2 indep
				vector l < 8
					if lt(8*j+l, 12)
						acc[8*j+l] = 0.0f32
			serial r < 3
				unroll p < 2 indep
					vector q < 8
						if lt(8*p+q, 12)
							acc[8*p+q] = fma(x[3*i+r], w[24*p+8*r+q], acc[8*p+q])
			unroll s < 2 indep
				vector t < 8
					if lt(8*s+t, 12)
						y[12*i+8*s+t] = acc[8*s+t]
`

func TestUnguard(t *testing.T) {
	k := parse(t, panels)
	c := apply(t, k, func(k *Kernel) error { return k.Unguard("acc") })
	if n := strings.Count(c.String(), "if "); n != 1 {
		t.Errorf("%d conditions are left, want that of the result:\n%v", n, c)
	}
	same(t, k, c, 1)
	same(t, k, c, 5)
}

// TestUnguardKeeps has what cannot be proven, and what is wrong.
func TestUnguardKeeps(t *testing.T) {
	for _, tc := range []struct{ name, old, new, want string }{
		{"operand ends at the edge", "w f32[48]", "w f32[44]", ""},
		{"another bound", "if lt(8*s+t, 12)", "if lt(8*s+t, 13)", "conditions differ"},
		{"another element", "= acc[8*s+t]", "= acc[8*s+t+1]", "conditions differ"},
		{"no condition", "if lt(8*s+t, 12)\n\t\t\t\t\t\ty[12*i+8*s+t] = acc[8*s+t]",
			"y[12*i] = acc[8*s+t]", "no condition of its own"},
		{"condition of the element", "if lt(8*s+t, 12)", "if lt(acc[8*s+t], 12.0f32)", "a condition reads it"},
	} {
		text := strings.Replace(panels, tc.old, tc.new, 1)
		if text == panels {
			t.Fatalf("%s: nothing replaced", tc.name)
		}
		k := parse(t, text)
		c := k.Clone()
		err := c.Unguard("acc")
		if tc.want == "" { // the condition of the operand stays, others go
			if err != nil || !strings.Contains(c.String(), "if lt(8*p+q, 12)") {
				t.Errorf("%s: %v\n%v", tc.name, err, c)
			}
			same(t, k, c, 3)
			continue
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q\n%v", tc.name, err, tc.want, c)
		}
	}
}
