package kernel

import (
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

const smallText = `
	kernel small(a u8[M*K] in, b i8[K*N] in, z i8[1] in, bias i32[N] in, c i32[M*N] out) dims(M, N, K)
		serial m < M
			serial n < N
				alloc acc i32[1] local
				acc[0] = 0i32
				serial k < K
					acc[0] = add(acc[0], mul(sub(i32(a[m*K+k]), i32(z[0])), sub(i32(b[k*N+n]), 3i32)))
				if lt(n, 2*m)
					c[m*N+n] = add(acc[0], bias[n])
`

var smallDims = [][]int64{{5, 7, 9}, {4, 8, 12}, {1, 1, 1}, {3, 2, 0}}

func TestPad(t *testing.T) {
	k := parse(t, smallText)
	r := apply(t, k, func(k *Kernel) error {
		for _, v := range []string{"k", "n", "m"} {
			if _, err := k.Split(v, v+"i", 4, Pad); err != nil {
				return err
			}
		}
		return nil
	})
	for _, d := range smallDims {
		same(t, k, r, d...)
	}
	for _, tc := range []struct{ text, want string }{
		{"serial i < N\n\t\tserial j < i\n\t\t\ty[i] = x[j]", "depends on it"},
		{"serial i < N\n\t\tlet g = x[i]\n\t\ty[i] = g", "cannot be left out"},
		{"serial i < N\n\t\tif lt(i, 3)\n\t\t\ty[i] = x[i]\n\t\telse\n\t\t\ty[i] = x[0]", "several statements"},
	} {
		k := parse(t, "\tkernel k(x f32[N] in, y f32[N] out) dims(N)\n\t"+strings.ReplaceAll("\t"+tc.text, "\n", "\n\t"))
		if _, err := k.Split("i", "ii", 4, Pad); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", tc.text, err, tc.want)
		}
	}
}

func TestNarrow(t *testing.T) {
	k := parse(t, smallText)
	product := func(k *Kernel) *Expr {
		return k.Loop("k").Body[0].(*Store).Value.Args[1]
	}
	r := apply(t, k, func(k *Kernel) error {
		if _, err := k.Narrow("k", product(k).Args[0], ir.I16); err != nil {
			return err
		}
		_, err := k.Narrow("k", product(k).Args[1], ir.I16)
		return err
	})
	if !strings.Contains(r.String(), "i32(i16(sub(") {
		t.Errorf("not computed in i16:\n%v", r)
	}
	for _, d := range smallDims {
		same(t, k, r, d...)
	}
	for _, d := range []ir.DType{ir.I8, ir.U8, ir.U16} {
		if _, err := k.Clone().Narrow("k", product(k).Args[1], d); err == nil {
			t.Errorf("values from -131 to 124 as %v: no error", d)
		}
	}
	inside := product(k).Args[0].Args[0] // i32(a[…])
	if e, err := k.Clone().Narrow("k", inside, ir.U8); err != nil || e != inside.Args[0] {
		t.Errorf("i32 of u8 as u8 is %v, %v, want what is in the cast", e, err)
	}
}

func TestVersion(t *testing.T) {
	k := parse(t, smallText)
	lt := func(a ir.Dim, b int64) *Expr {
		return OpExpr(ir.OpLt, IndexExpr(a), IndexExpr(ir.Const(b)))
	}
	r := apply(t, k, func(k *Kernel) error {
		then, els, err := k.Version("n", lt(ir.Sym("n"), 4))
		if err == nil && (then["k"] != "k" || k.Loop(els["k"]) == nil || els["k"] == "k") {
			t.Errorf("loops are named %v and %v", then, els)
		}
		return err
	})
	if n := strings.Count(r.String(), "serial k"); n != 2 {
		t.Errorf("%d bodies, want 2:\n%v", n, r)
	}
	for _, d := range smallDims {
		same(t, k, r, d...)
	}
	for _, limit := range []int64{-1, 0} { // never true
		c := k.Clone()
		then, els, err := c.Version("n", lt(ir.Sym("m"), limit))
		if err != nil || then != nil || els["k"] != "k" || strings.Count(c.String(), "serial k") != 1 {
			t.Errorf("decided condition: %v, %v, %v\n%v", then, els, err, c)
		}
	}
}
