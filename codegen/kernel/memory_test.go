package kernel

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tensorcc/tcc/ir"
)

func TestMemory(t *testing.T) {
	const head = `kernel k(x f32[N] in, y f32[N] out) dims(N)
	alloc s f32[1] local
	s[0] = 0.0f32
	alloc row f32[N] scratch
	serial i < N
		row[i] = neg(x[i])
		s[0] = add(s[0], neg(x[i]))
	serial j < N indep
		y[j] = mul(row[j], s[0])
`
	k := parse(t, head)
	if err := k.Recompute("row"); err != nil {
		t.Fatal(err)
	}
	if err := k.Place("s", Shared); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Keep("i", "s"); err != nil {
		t.Fatal(err)
	}
	const want = `kernel k(x f32[N] in, y f32[N] out) dims(N)
	alloc s f32[1] shared
	s[0] = 0.0f32
	serial i < N
		alloc s_2 f32[1] local
		s_2[0] = s[0]
		s_2[0] = add(s_2[0], neg(x[i]))
		s[0] = s_2[0]
	serial j < N indep
		y[j] = mul(neg(x[j]), s[0])
`
	if diff := cmp.Diff(want, k.String()); diff != "" {
		t.Error(diff)
	}
	for _, tc := range []struct {
		want string
		err  error
	}{
		{"place row: its size N is no number", parse(t, head).Place("row", Shared)},
		{"place z: the kernel does not allocate it", parse(t, head).Place("z", Local)},
		{"recompute s: no loop beside it", parse(t, head).Recompute("s")},
		{"keep i: what it uses of q", keepErr(parse(t, head), "i", "q")},
	} {
		if tc.err == nil || !strings.Contains(tc.err.Error(), tc.want) {
			t.Errorf("%v, want %s", tc.err, tc.want)
		}
	}
	const last = "y[j] = mul(row[j], s[0])"
	changed := parse(t, strings.Replace(head, last, last+"\n\ts[0] = 1.0f32", 1))
	if err := changed.Recompute("row"); err != nil {
		t.Error(err)
	}
	changed = parse(t, strings.Replace(head, "neg(x[i])\n\t\ts", "neg(s[0])\n\t\ts", 1))
	if err := changed.Recompute("row"); err == nil || !strings.Contains(err.Error(), "may change") {
		t.Errorf("recompute of what changes: %v", err)
	}
}

func TestMarks(t *testing.T) {
	const text = `kernel k(x f32[64] in, y f32[64] in out)
	serial i < 64
		y[i] = add(x[i], y[i])
`
	k := parse(t, text)
	if err := k.Stream("x"); err != nil {
		t.Fatal(err)
	}
	if err := k.Ahead("x", 16); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(text, "f32[64] in,", "f32[64] in stream ahead[16],", 1)
	if diff := cmp.Diff(want, k.String()); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(want, parse(t, want).String()); diff != "" {
		t.Error(diff)
	}
	for name, want := range map[string]string{"y": "it is read and written", "z": "it is no parameter"} {
		if err := k.Ahead(name, 16); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ahead %s: %v, want %s", name, err, want)
		}
	}
}

func TestAsk(t *testing.T) {
	const text = `kernel k(x f32[64] in, y f32[64] in out)
	serial i < 4
		vector j < 16
			y[16*i+j] = add(x[16*i+j], y[16*i+j])
`
	k := parse(t, text)
	if err := k.Ask("i", "x", ir.Sym("i").MulConst(16).AddConst(64)); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(text, "i < 4\n", "i < 4\n\t\tcall ask.f32(x[16*i+64])\n", 1)
	if diff := cmp.Diff(want, k.String()); diff != "" {
		t.Error(diff)
	}
	if err := Verify(k); err != nil {
		t.Error(err)
	}
	for _, c := range []struct{ v, buf, want string }{{"i", "y", "it writes y"},
		{"i", "z", "z is neither a parameter"}, {"j", "x", "its iterations are lanes"}} {

		if err := k.Ask(c.v, c.buf, ir.Const(0)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("ask %s %s: %v, want %s", c.v, c.buf, err, c.want)
		}
	}
}

// TestAskIf asks for a result ahead of a loop that only sums up.
func TestAskIf(t *testing.T) {
	const text = `kernel k(x f32[64] in, y f32[4] out)
	serial i < 4
		alloc acc f32[1] local
		acc[0] = 0.0f32
		serial j < 16
			acc[0] = add(acc[0], x[16*i+j])
		y[i] = acc[0]
`
	k := parse(t, text)
	cond := OpExpr(ir.OpLe, IndexExpr(ir.Const(2)), IndexExpr(ir.Sym("i")))
	if err := k.AskIf("j", cond, "y", ir.Sym("i"), ir.Sym("i").AddConst(16)); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(text, "j < 16\n",
		"j < 16\n\t\t\tif le(2, i)\n\t\t\t\tcall ask.f32(y[i])\n\t\t\t\tcall ask.f32(y[i+16])\n", 1)
	if diff := cmp.Diff(want, k.String()); diff != "" {
		t.Error(diff)
	}
	if err := Verify(k); err != nil {
		t.Error(err)
	}
}

func keepErr(k *Kernel, v, buf string) error {
	_, err := k.Keep(v, buf)
	return err
}
