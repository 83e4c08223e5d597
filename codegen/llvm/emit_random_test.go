package llvm_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// gen makes random kernels: a nest of loops over i, j and the lane l, with
// random expressions of loads at random linear indices, masks and lets.
type gen struct {
	r       *rand.Rand
	k       *kernel.Kernel
	extents map[string]int64
	vars    []*kernel.Expr // lets in scope
}

var genTypes = []ir.DType{ir.Bool, ir.I8, ir.U16, ir.I32, ir.I64, ir.U64, ir.F16, ir.BF16, ir.F32,
	ir.F32, ir.F64}

func (g *gen) dtype() ir.DType { return genTypes[g.r.IntN(len(genTypes))] }

// index is a random linear form of the loop variables, and its bound.
func (g *gen) index() (at ir.Dim, size int64) {
	size = 1
	for _, v := range []string{"i", "j", "l"} {
		c := int64(g.r.IntN(4))
		if v == "l" {
			c = []int64{0, 1, 1, 1, 2, 5}[g.r.IntN(6)]
		}
		at = at.Add(ir.Sym(v).MulConst(c))
		size += c * (g.extents[v] - 1)
	}
	k := int64(g.r.IntN(3))
	return at.AddConst(k), size + k
}

func (g *gen) load(d ir.DType) *kernel.Expr {
	at, size := g.index()
	b := &kernel.Buffer{Name: fmt.Sprintf("x%d", len(g.k.Params)), DType: d, Size: ir.Const(size),
		In: true}
	g.k.Params = append(g.k.Params, b)
	if g.r.IntN(3) > 0 {
		return kernel.Load(b, at)
	}
	// Half of the buffer is not accessed, and is not there.
	half := size/2 + 1
	b.Size = ir.Const(half)
	mask := kernel.OpExpr(ir.OpLt, kernel.IndexExpr(at), kernel.IndexExpr(ir.Const(half)))
	return kernel.LoadIf(b, at, mask, kernel.ConstExpr(d, 1))
}

func (g *gen) expr(d ir.DType, depth int) *kernel.Expr {
	for _, v := range g.vars {
		if v.DType == d && g.r.IntN(2) == 0 {
			return v
		}
	}
	if depth == 0 {
		return g.load(d)
	}
	switch g.r.IntN(8) {
	case 0:
		return kernel.CastExpr(d, g.expr(g.dtype(), depth-1))
	case 1:
		at, _ := g.index()
		return kernel.CastExpr(d, kernel.IndexExpr(at))
	case 2:
		return kernel.OpExpr(ir.OpSelect, g.expr(ir.Bool, depth-1), g.expr(d, depth-1),
			g.expr(d, depth-1))
	}
	if d == ir.Bool && g.r.IntN(2) == 0 {
		from := g.dtype()
		op := []ir.Op{ir.OpEq, ir.OpNe, ir.OpLt, ir.OpLe, ir.OpGt, ir.OpGe}[g.r.IntN(6)]
		return kernel.OpExpr(op, g.expr(from, depth-1), g.expr(from, depth-1))
	}
	for {
		op := ir.Ops()[g.r.IntN(len(ir.Ops()))]
		info := op.Info()
		if !op.Is(ir.Elementwise) || op.Is(ir.Views) || op.Is(ir.Compares) || !info.Types.Has(d) ||
			op == ir.OpCast || op == ir.OpBitcast || op == ir.OpSelect || !exact(d)(op) {
			continue
		}
		args := make([]*kernel.Expr, info.Args)
		for i := range args {
			args[i] = g.expr(d, depth-1)
		}
		return kernel.OpExpr(op, args...)
	}
}

// store puts a random value in a buffer of its own, an element an iteration.
func (g *gen) store() kernel.Stmt {
	d := g.dtype()
	n := g.extents
	at := ir.Sym("i").MulConst(n["j"]).Add(ir.Sym("j")).MulConst(n["l"]).Add(ir.Sym("l"))
	if g.r.IntN(4) == 0 { // lanes apart
		at = ir.Sym("l").MulConst(n["i"]).Add(ir.Sym("i")).MulConst(n["j"]).Add(ir.Sym("j"))
	}
	v := g.expr(d, 3)
	b := &kernel.Buffer{Name: fmt.Sprintf("y%d", len(g.k.Params)), DType: d,
		Size: ir.Const(n["i"] * n["j"] * n["l"]), In: true, Out: true}
	g.k.Params = append(g.k.Params, b)
	return &kernel.Store{Buf: b, Index: at, Value: v}
}

func (g *gen) body(depth int) []kernel.Stmt {
	var out []kernel.Stmt
	scope := len(g.vars)
	for range 1 + g.r.IntN(3) {
		switch n := g.r.IntN(5); {
		case n == 0:
			d := g.dtype()
			v := fmt.Sprintf("v%d", g.r.IntN(1<<30))
			out = append(out, &kernel.Let{Var: v, Value: g.expr(d, 2)})
			g.vars = append(g.vars, kernel.VarExpr(v, d))
		case n == 1 && depth > 0:
			s := &kernel.If{Cond: g.expr(ir.Bool, 2), Then: g.body(depth - 1)}
			if g.r.IntN(2) == 0 {
				s.Else = g.body(depth - 1)
			}
			out = append(out, s)
		default:
			out = append(out, g.store())
		}
	}
	g.vars = g.vars[:scope]
	return out
}

func randomKernel(seed uint64) *kernel.Kernel {
	g := &gen{r: rand.New(rand.NewPCG(seed, 3)), k: &kernel.Kernel{Name: "random"}}
	lanes := []int64{1, 2, 4, 8, 16, 32, 3}[g.r.IntN(7)]
	g.extents = map[string]int64{"i": 1 + g.r.Int64N(3), "j": 1 + g.r.Int64N(3), "l": lanes}
	loop := func(v string, b kernel.Bind, body []kernel.Stmt) []kernel.Stmt {
		return []kernel.Stmt{&kernel.Loop{Var: v, Extent: ir.Const(g.extents[v]), Bind: b, Indep: true,
			Body: body}}
	}
	inner := loop("l", kernel.Vector, g.body(2))
	inner = loop("j", []kernel.Bind{kernel.Serial, kernel.Unroll}[g.r.IntN(2)], inner)
	g.k.Body = loop("i", []kernel.Bind{kernel.Serial, kernel.Parallel}[g.r.IntN(2)], inner)
	return g.k
}

// TestRandom compares random kernels with kernel.Run, to the bit.
func TestRandom(t *testing.T) {
	n := uint64(34)
	if testing.Short() {
		n = 5
	}
	all := levels(t)
	for seed := range n {
		level := all[seed%uint64(len(all))]
		t.Run(fmt.Sprint(level, "/", seed), func(t *testing.T) {
			k := randomKernel(seed)
			if err := kernel.Verify(k); err != nil {
				t.Fatal(err)
			}
			compare(t, k, level, nil, seed)
		})
	}
}
