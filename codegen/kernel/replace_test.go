package kernel

import (
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// tileProduct is an instruction as matrix units have them: c += a*b for tiles
// of 2x3 and 3x4.
func tileProduct() *Instr {
	buf := func(name string, n int64) *Buffer {
		return &Buffer{Name: name, DType: ir.F32, Size: ir.Const(n), In: true, Out: true}
	}
	a, b, c := buf("a", 6), buf("b", 12), buf("c", 8)
	i, j, l := ir.Sym("i"), ir.Sym("j"), ir.Sym("l")
	at := i.MulConst(4).Add(j)
	update := &Store{Buf: c, Index: at, Value: OpExpr(ir.OpFMA, Load(a, i.MulConst(3).Add(l)),
		Load(b, l.MulConst(4).Add(j)), Load(c, at))}
	body := []Stmt{&Loop{Var: "i", Extent: ir.Const(2), Body: []Stmt{
		&Loop{Var: "j", Extent: ir.Const(4), Body: []Stmt{
			&Loop{Var: "l", Extent: ir.Const(3), Body: []Stmt{update}}}}}}}
	return &Instr{Name: "tileproduct", Params: []*Buffer{a, b, c},
		Shapes: [][]int64{{2, 3}, {3, 4}, {2, 4}}, Body: body, Sum: body}
}

func TestReplace(t *testing.T) {
	k := parse(t, `
		kernel mm(x f32[6*M] in, y f32[12] in, z f32[8*M] out) dims(M)
			serial m < M
				serial p < 2
					serial q < 4
						z[8*m+4*p+q] = 0.0f32
				serial e < 2
					serial f < 4
						serial g < 3
							z[8*m+4*e+f] = fma(x[6*m+3*e+g], y[4*g+f], z[8*m+4*e+f])
	`)
	in := tileProduct()
	Instrs[in.Name] = in
	defer delete(Instrs, in.Name)
	m, c := ir.Sym("m"), ir.Const
	tiles := func(step int64) []Tile {
		return []Tile{
			{k.Params[0], m.MulConst(6), []ir.Dim{c(3), c(1)}},
			{k.Params[1], c(0), []ir.Dim{c(4), c(1)}},
			{k.Params[2], m.MulConst(8), []ir.Dim{c(step), c(1)}},
		}
	}
	r := apply(t, k, func(k *Kernel) error { return k.Replace("e", in, tiles(4)) })
	same(t, k, r, 3)
	again := parse(t, r.String())
	if err := Verify(again); err != nil {
		t.Error(err)
	}
	if got, want := again.String(), r.String(); got != want {
		t.Errorf("read back:\n%s, want:\n%s", got, want)
	}
	if err := k.Clone().Replace("e", in, tiles(5)); err == nil || !strings.Contains(err.Error(), "is not what") {
		t.Errorf("replaced what differs: %v", err)
	}
	again.Body[0].(*Loop).Body[1].(*Call).Tiles = tiles(4)[:2]
	if err := Verify(again); err == nil || !strings.Contains(err.Error(), "k11") {
		t.Errorf("k11: Verify = %v for a call with two tiles", err)
	}
}
