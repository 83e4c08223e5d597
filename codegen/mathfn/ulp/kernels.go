package main

import (
	"context"
	"unsafe"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/llvm/jit"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/ir"
)

// chunk is the number of elements of a call.
const chunk = 1 << 14

// native is an operation as machine code over chunks.
type native struct {
	f    *jit.Func
	args int
}

// compile makes y[i] = op(x[i], …) for chunk elements of type d.
func compile(op ir.Op, args int, d ir.DType, level string) (*native, error) {
	target, _ := llvm.TargetOf(level)
	lanes := int64(max(1, target.Vector/d.Bits()))
	i, l := ir.Sym("i"), ir.Sym("l")
	at := i.MulConst(lanes).Add(l)
	k := &kernel.Kernel{Name: "f"}
	var loads []*kernel.Expr
	for a := range args {
		b := &kernel.Buffer{Name: "x" + string(rune('0'+a)), DType: d, Size: ir.Const(chunk), In: true}
		k.Params = append(k.Params, b)
		loads = append(loads, kernel.Load(b, at))
	}
	y := &kernel.Buffer{Name: "y", DType: d, Size: ir.Const(chunk), Out: true}
	k.Params = append(k.Params, y)
	value := mathfn.Expand(kernel.OpExpr(op, loads...), target.Native)
	store := &kernel.Store{Buf: y, Index: at, Value: value}
	vector := &kernel.Loop{Var: "l", Extent: ir.Const(lanes), Bind: kernel.Vector,
		Body: []kernel.Stmt{store}}
	k.Body = []kernel.Stmt{&kernel.Loop{Var: "i", Extent: ir.Const(chunk / lanes),
		Body: []kernel.Stmt{vector}}}
	f, err := jit.Compile(context.Background(), k, level, nil)
	return &native{f, args}, err
}

func asBytes[E float32 | float64](s []E) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(&s[0])), len(s)*int(unsafe.Sizeof(s[0])))
}

// run computes y from xs, of chunk elements each.
func run[E float32 | float64](n *native, y []E, xs ...[]E) error {
	var bufs [][]byte
	for _, x := range xs {
		bufs = append(bufs, asBytes(x))
	}
	return n.f.Run(append(bufs, asBytes(y)))
}
