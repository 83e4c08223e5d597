package kernel

import (
	"strings"
	"testing"
)

// rowsText has loops that Delay moves, and places for what forbids it.
const rowsText = `
	kernel k(x f32[3*N] in, y f32[3*N] out, z f32[3*N] out) dims(N)
		serial i < 3
			alloc hi f32[1] local
			hi[0] = 0xff800000:f32
			serial r < N
				hi[0] = max(hi[0], x[i*N+r])
			alloc sum f32[1] local
			sum[0] = 0.0f32
			alloc row f32[N+1] scratch
			serial s < N
				row[s] = sub(x[i*N+s], hi[0])
				sum[0] = add(sum[0], sub(x[i*N+s], hi[0]))
			serial j < N
				y[i*N+j] = sub(row[j], add(sum[0], hi[0]))
`

func TestDelay(t *testing.T) {
	k := parse(t, rowsText)
	d := apply(t, k, func(k *Kernel) error { return k.Delay("i", "s") })
	if n, _ := d.Loop("i").Extent.Int(); n != 2 || len(d.Loop("s").Body) != 5 {
		t.Errorf("the last loop is not in the one ahead of it:\n%v", d)
	} else if st, ok := last(d.Loop("s").Body).(*Store); !ok || st.Buf.Name != "y" {
		t.Errorf("the result is not stored last:\n%v", d)
	}
	for n := range int64(5) {
		same(t, k, d, n)
	}
	lanes := apply(t, d, func(k *Kernel) error {
		_, _, _, err := k.SplitReduction("s", "sl", 4)
		return err
	})
	same(t, k, lanes, 8)
	twice := parse(t, strings.Replace(rowsText, "y[i*N+j] = ", "z[i*N+j] = row[j]\n"+
		"\t\t\t\ty[i*N+j] = add(z[i*N+j], 1.0f32)\n\t\t\t\tz[i*N+j] = ", 1))
	same(t, twice, apply(t, twice, func(k *Kernel) error { return k.Delay("i", "s") }), 5)
	one := parse(t, strings.NewReplacer("i < 3", "i < 1").Replace(rowsText))
	same(t, one, apply(t, one, func(k *Kernel) error { return k.Delay("i", "s") }), 4)
}

func TestDelayRefuses(t *testing.T) {
	for _, c := range []struct{ old, new, into, why string }{
		{"i < 3", "i < N", "s", "may run no time"},
		{"j < N", "j < N-1", "s", "not serial loops of one extent"},
		{"serial j < N", "serial j < N\n\t\t\t\tz[i*N] = row[j]", "s", "ends in no"},
		{"row[j]", "row[j+1]", "s", "reads row[j+1]"},
		{"row[s] =", "row[s+1] =", "s", "not only written"},
		{"row[j]", "row[j]", "r", "not only written"},
		{"row[j]", "row[j]", "j", "not a loop of its body ahead"},
		{"hi[0] = max(hi[0], x[i*N+r])", "hi[0] = max(hi[0], y[i*N+r])", "s", "used ahead"},
		{"row[s] = sub(x[i*N+s], hi[0])", "row[s] = sub(x[i*N+s], row[s])", "s", "not only written"},
		{"y[i*N+j] = sub(row[j]", "y[i*N+j] = sub(z[j]", "s", ""},
	} {
		k := parse(t, strings.Replace(rowsText, c.old, c.new, 1))
		MarkIndep(k)
		before := k.String()
		err := k.Delay("i", c.into)
		if c.why == "" && err != nil {
			t.Errorf("%s: refused: %v", c.new, err)
		} else if c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
			t.Errorf("%s: %v, want %q", c.new, err, c.why)
		} else if err != nil && k.String() != before {
			t.Errorf("%s: refused, but the kernel changed:\n%v", c.new, k)
		}
	}
}
