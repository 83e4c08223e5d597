package kernel

import (
	"strings"
	"testing"
)

func TestAdvance(t *testing.T) {
	k := parse(t, rowsText)
	a := apply(t, k, func(k *Kernel) error { return k.Advance("i", "r") })
	if n, _ := a.Loop("i").Extent.Int(); n != 2 {
		t.Errorf("loop i has %d iterations, want 2:\n%v", n, a)
	}
	for n := range int64(5) {
		same(t, k, a, n)
	}
	joined := apply(t, a, func(k *Kernel) error { return k.Join("r", "s") })
	same(t, k, joined, 4)
	both := apply(t, k, func(k *Kernel) error {
		if err := k.Delay("i", "s"); err != nil {
			return err
		}
		if err := k.Advance("i", "r"); err != nil {
			return err
		}
		return k.Join("r", "s")
	})
	for n := range int64(5) {
		same(t, k, both, n)
	}
	one := parse(t, strings.Replace(rowsText, "i < 3", "i < 1", 1))
	same(t, one, apply(t, one, func(k *Kernel) error { return k.Advance("i", "r") }), 4)
}

func TestAdvanceRefuses(t *testing.T) {
	for _, c := range []struct{ old, new, loop, why string }{
		{"i < 3", "i < N", "r", "at least once"},
		{"serial i", "parallel i", "r", "want serial"},
		{"row[j]", "row[j]", "j", "not a loop of its body ahead"},
		{"row[j]", "row[j]", "i", "not a loop of its body ahead"},
		{"row[j]", "row[j]", "s", "row is no scalar"},
		{"max(hi[0], x[i*N+r])", "max(hi[0], y[i*N+r])", "r", "y is not its own"},
		{"hi[0] = max(", "z[i*N+r] = x[i*N+r]\n\t\t\t\thi[0] = max(", "r", "z is not its own"},
		{"row[s] = ", "hi[0] = 0.0f32\n\t\t\t\trow[s] = ", "r", "hi is no scalar"},
		{"hi[0] = max(", "fail 1 lt(x[0], 0.0f32)\n\t\t\t\thi[0] = max(", "r", "may fail"},
	} {
		text := strings.Replace(rowsText, c.old, c.new, 1)
		k := parse(t, text)
		before := k.String()
		err := k.Advance("i", c.loop)
		if err == nil || !strings.Contains(err.Error(), c.why) {
			t.Errorf("%s: %v, want %s", c.new, err, c.why)
		}
		if k.String() != before {
			t.Errorf("%s: changed:\n%v", c.new, k)
		}
	}
}
