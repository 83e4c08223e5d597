package kernel

import (
	"math/rand/v2"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

func TestSimplify(t *testing.T) {
	i, j, k := ir.Sym("i"), ir.Sym("j"), ir.Sym("k")
	n, h, w := ir.Sym("N"), ir.Sym("H"), ir.Sym("W")
	oh := h.AddConst(-1).FloorDiv(ir.Const(2)).AddConst(1)
	c := ir.Const
	ext := map[string]ir.Dim{"i": h, "j": w, "k": c(16), "l": oh, "q": c(8)}
	lin := i.Mul(w).Add(j)
	x := ir.Sym("x")
	for _, tc := range []struct{ in, want ir.Dim }{
		{lin.FloorDiv(w), i},
		{lin.Mod(w), j},
		{i.MulConst(16).Add(k).FloorDiv(c(16)), i},
		{i.MulConst(16).Add(k).Mod(c(16)), k},
		{i.MulConst(32).Add(k).AddConst(16).FloorDiv(c(16)), i.MulConst(2).AddConst(1)},
		{x.FloorDiv(n).Mul(n).Add(x.Mod(n)), x},
		{x.FloorDiv(c(12)).MulConst(12).Add(x.FloorDiv(c(4)).Mod(c(3)).MulConst(4)).Add(x.Mod(c(4))), x},
		{i.Mul(oh).Add(ir.Sym("l")).FloorDiv(oh), i},
		{i.Mul(oh).Add(ir.Sym("l")).Mod(oh), ir.Sym("l")},
		{k.Min(c(16)), k},
		{j.Max(w), w},
		{i.MulConst(8).Add(ir.Sym("q")).FloorDiv(c(16)), i.FloorDiv(c(2))},
		{i.MulConst(8).Add(ir.Sym("q")).Mod(c(16)), i.Mod(c(2)).MulConst(8).Add(ir.Sym("q"))},
		{j.FloorDiv(c(2)), j.FloorDiv(c(2))},
	} {
		if got := Simplify(tc.in, ext); !got.Equal(tc.want) {
			t.Errorf("Simplify(%v) = %v, want %v", tc.in, got, tc.want)
		}
	}
}

// TestSimplifySound compares values before and after on random expressions.
func TestSimplifySound(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	syms := []string{"i", "j", "N", "M"}
	ext := map[string]ir.Dim{"i": ir.Sym("N"), "j": ir.Sym("M").AddConst(3)}
	var gen func(depth int) ir.Dim
	gen = func(depth int) ir.Dim {
		if depth == 0 || r.IntN(5) == 0 {
			if r.IntN(3) == 0 {
				return ir.Const(int64(r.IntN(5)))
			}
			return ir.Sym(syms[r.IntN(len(syms))])
		}
		a, b := gen(depth-1), gen(depth-1)
		switch r.IntN(7) {
		case 0:
			return a.Mul(b)
		case 1, 2:
			return a.FloorDiv(b)
		case 3, 4:
			return a.Mod(b)
		case 5:
			return a.Min(b.AddConst(1))
		}
		return a.Add(b)
	}
	changed := 0
	for range 3000 {
		d := gen(3)
		s := Simplify(d, ext)
		if !s.Equal(d) {
			changed++
		}
		for range 20 {
			n, m := r.Int64N(6), r.Int64N(6)
			if n == 0 {
				continue
			}
			env := map[string]int64{"N": n, "M": m, "i": r.Int64N(n), "j": r.Int64N(m + 3)}
			want, err := d.Eval(env)
			if err != nil {
				continue
			}
			got, err := s.Eval(env)
			if err != nil || got != want {
				t.Fatalf("Simplify(%v) = %v: %d, want %d at %v (%v)", d, s, got, want, env, err)
			}
		}
	}
	if changed < 300 {
		t.Errorf("only %d of 3000 expressions were simplified", changed)
	}
}

func TestAbstract(t *testing.T) {
	k := parse(t, `
		kernel k(x f32[((N+1)/2)*M] in, y f32[((N+1)/2)*M] out, z f32[M] out) dims(N, M)
			serial i < ((N+1)/2)
				serial j < M
					if lt(i, ((((N+1)/2)+1)/2))
						y[i*M+j] = x[i*M+j]
			serial q < M
				alloc t f32[((N-5)/2)] scratch
				z[q] = 1.0f32
	`)
	a, restore := Abstract(k)
	if got := a.Loop("i").Extent.String(); got != "dim.0" {
		t.Errorf("extent %s", got)
	}
	if err := Verify(a); err != nil {
		t.Error(err)
	}
	if got, want := restore(a).String(), k.String(); got != want {
		t.Errorf("restored:\n%s, want:\n%s", got, want)
	}
	for i, p := range restore(a).Params {
		if p != k.Params[i] {
			t.Errorf("parameter %d is another buffer", i)
		}
	}
}
