package kernel

import (
	"strings"
	"testing"
)

const overText = `
kernel t(x f32[960] in, y f32[960] out)
	serial p < 5 indep
		alloc rows f32[192] scratch
		serial r < 8 indep
			serial s < 4 indep
				vector c < 4
					rows[24*r+4*s+c] = x[120*r+24*p+4*s+c]
		serial t < 8 indep
			alloc part f32[4] local
			unroll u < 4 indep
				part[u] = rows[24*u+t]
			unroll w < 4 indep
				vector l < 4
					y[192*p+24*t+4*w+l] = add(part[w], rows[24*l+t+w])
`

func TestOverlap(t *testing.T) {
	k := parse(t, overText)
	o := apply(t, k, func(k *Kernel) error { return k.Overlap("p", "r") })
	text := o.String()
	for _, want := range []string{"rowsb f32[384]", "serial p < 4\n", "of rowsb[192*((p+1)%2)]"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	if n := len(o.Loop("w").Body); n != 2 {
		t.Errorf("loop w has %d statements, want the store of its own and a copy:\n%v", n, o)
	}
	same(t, k, o)
	one := parse(t, strings.Replace(overText, "p < 5", "p < 1", 1))
	same(t, one, apply(t, one, func(k *Kernel) error { return k.Overlap("p", "r") }))
	apart := parse(t, strings.Replace(overText, "s < 4 indep", "s < 3 indep", 1))
	same(t, apart, apply(t, apart, func(k *Kernel) error { return k.Overlap("p", "r") }))
}

func TestOverlapRefuses(t *testing.T) {
	for _, c := range []struct{ old, new, loop, why string }{
		{"p < 5 indep", "p < 5", "r", "independent iterations"},
		{"p < 5 indep", "p < 0 indep", "r", "at least once"},
		{"p < 5", "p < 5", "t", "does not end in loop t"},
		{"r < 8", "r < 7", "r", "do not run together"},
		{"x[120*r", "y[120*r", "r", "y is written by t"},
		{"part[u] = ", "rows[u] = ", "r", "rows is written by t"},
		{"alloc part", "fail 1 lt(x[0], 0.0f32)\n\t\t\talloc part", "r", "may fail"},
		{"rows f32[192]", "rows f32[192+p]", "r", "buffers of its own"},
	} {
		k := parse(t, strings.Replace(overText, c.old, c.new, 1))
		before := k.String()
		err := k.Overlap("p", c.loop)
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %s", c.new, err, c.why)
		}
		if k.String() != before {
			t.Errorf("%s: changed:\n%v", c.new, k)
		}
	}
}
