package passes

import (
	"bytes"
	"fmt"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/passes/internal/rewrite"
)

// foldConstants computes what is constant, resolves ifs and short scans, and
// turns integer arithmetic on extents into expressions. It repeats as long as
// a body was inlined, whose constants are then known.
func foldConstants(c *Context, g *ir.Graph) (*ir.Graph, error) {
	const most = 16 // nested bodies
	for range most {
		s := newSweep(c)
		out, err := s.run(g)
		if err != nil {
			return nil, err
		}
		g = out
		if len(s.tuples) == 0 && len(s.subst) == 0 {
			break
		}
	}
	return dce(c, g)
}

// Bounds of folding. A constant is stored in every artifact, so folding must
// not make one that is larger than what it replaces: the weights of a
// network may come as 500 MB of splats in a file of 9 KB.
const (
	maxFolded    = 1 << 20 // bytes of a result that may exceed its inputs
	maxBroadcast = 64      // elements of a broadcast or iota that is written out
	maxWork      = 1 << 28 // multiplications of a folded product
)

// fold returns the constant that v is, or nil.
func (s *sweep) fold(v *ir.Value) *ir.Value {
	if v.Op == ir.OpConst {
		return s.foldLiteral(v)
	}
	if v.Type.DType == ir.Tuple || topOps[v.Op] != "" || v.Op == ir.OpRandomBits {
		return nil
	}
	if nv := s.foldDims(v); nv != nil {
		return nv
	}
	n, known := v.Type.Shape.Size().Int()
	if known && n == 0 && v.Type.Shape.Static() && !indexed[v.Op] {
		shape, _ := v.Type.Shape.Ints()
		return s.constant(v.Pos, &ir.Literal{DType: v.Type.DType, Shape: shape})
	}
	if !v.Type.Shape.Static() {
		if v.Op.Is(ir.Elementwise) {
			return s.foldSplat(v)
		}
		return nil
	}
	if nv := s.foldSplat(v); nv != nil {
		return nv
	}
	return s.foldData(v)
}

// indexed are the operations that look at indices, which may be wrong though
// the result has no elements.
var indexed = map[ir.Op]bool{
	ir.OpGather: true, ir.OpTakeAlong: true, ir.OpGatherND: true, ir.OpScatterAlong: true,
	ir.OpScatterND: true, ir.OpNonZero: true,
}

// foldLiteral gives constants that are one number the form of splats.
func (s *sweep) foldLiteral(v *ir.Value) *ir.Value {
	l := v.Attr.(*ir.ConstAttr).Value
	size, n := l.DType.Size(), l.Size()
	switch {
	case size == 0 || n == 0 || l.Splat == (n > 1) && l.Splat:
		return nil
	case n > 1 && !bytes.Equal(l.Data[size:], l.Data[:len(l.Data)-size]):
		return nil
	case n == 1 && !l.Splat:
		return nil
	}
	return s.constant(v.Pos,
		&ir.Literal{DType: l.DType, Shape: l.Shape, Data: l.Data[:size], Splat: n > 1})
}

func (s *sweep) constant(pos ir.Pos, l *ir.Literal) *ir.Value {
	return s.out.Must(pos, ir.OpConst, &ir.ConstAttr{Value: l})
}

// foldSplat computes elementwise operations and moves of constants that are
// one number without writing these out.
func (s *sweep) foldSplat(v *ir.Value) *ir.Value {
	if len(v.Args) == 0 {
		return nil
	}
	lits := make([]*ir.Literal, len(v.Args))
	for i, a := range v.Args {
		if lits[i] = rewrite.SplatOf(a); lits[i] == nil {
			return nil
		}
	}
	first := lits[0]
	switch {
	case v.Op.Is(ir.Elementwise):
		return s.splatElement(v, lits)
	case !v.Type.Shape.Static():
		return nil
	case v.Op == ir.OpConcat || v.Op == ir.OpPad || v.Op == ir.OpUpdateSlice:
		for _, l := range lits {
			if !bytes.Equal(l.Data, first.Data) {
				return nil
			}
		}
	case len(v.Args) > 1 || !v.Op.Is(ir.Moves) && v.Op != ir.OpReduceMax && v.Op != ir.OpReduceMin:
		return nil
	}
	if n, known := v.Args[0].Type.Shape.Size().Int(); !v.Op.Is(ir.Moves) && (!known || n == 0) {
		return nil // of nothing it is the identity
	}
	return rewrite.Splat(s.out, v.Pos, v.Type, first.Data)
}

func (s *sweep) splatElement(v *ir.Value, lits []*ir.Literal) *ir.Value {
	g := ir.NewGraph("element")
	args, in := make([]*ir.Value, len(lits)), make([]*interp.Tensor, len(lits))
	for i, l := range lits {
		in[i] = &interp.Tensor{DType: l.DType, Shape: []int64{}, Data: l.Data}
		args[i] = g.Param(fmt.Sprint("p", i), ir.T(l.DType), ir.Pos{})
	}
	e, err := g.New(v.Pos, v.Op, v.Attr, args...)
	if err != nil {
		return nil
	}
	res, err := interp.Eval(e, in)
	if err != nil {
		return nil
	}
	return rewrite.Splat(s.out, v.Pos, v.Type, res[0].Data)
}

// foldData evaluates v where all arguments are constants and the result is
// small enough.
func (s *sweep) foldData(v *ir.Value) *ir.Value {
	size := bytesOf(v.Type)
	var in, expanded int64
	for _, a := range v.Args {
		if a.Op != ir.OpConst {
			return nil
		}
		l := a.Attr.(*ir.ConstAttr).Value
		if expanded += bytesOf(a.Type); !l.Splat {
			in += bytesOf(a.Type)
		}
	}
	n, _ := v.Type.Shape.Size().Int()
	spreads := v.Op == ir.OpBroadcast || v.Op == ir.OpIota
	if spreads && n > maxBroadcast || !spreads && len(v.Args) == 0 || size > max(in, maxFolded) ||
		expanded > max(4*in, 4*maxFolded) || foldWork(v) > maxWork {
		return nil
	}
	if l := arrange(v); l != nil {
		return s.constant(v.Pos, l)
	}
	args := make([]*interp.Tensor, len(v.Args))
	for i, a := range v.Args {
		t, err := interp.FromLiteral(a.Attr.(*ir.ConstAttr).Value)
		if err != nil {
			return nil
		}
		args[i] = t
	}
	res, err := interp.Eval(v, args)
	if err != nil || len(res) != 1 {
		return nil // an index out of range, say, is an error of the run
	}
	l := res[0].Literal()
	if v.Op == ir.OpReshape || l.Shape == nil {
		l.Shape, _ = v.Type.Shape.Ints()
	}
	return s.constant(v.Pos, l)
}

// arrange returns the constant of a reshape or a transpose of one that is written out, or nil
// for another operation. Large weights go this way.
func arrange(v *ir.Value) *ir.Literal {
	if v.Op != ir.OpReshape && v.Op != ir.OpTranspose {
		return nil
	}
	l := *v.Args[0].Attr.(*ir.ConstAttr).Value
	if l.Splat || int64(len(l.Data)) != l.Size()*int64(l.DType.Size()) || len(l.Data) == 0 {
		return nil
	}
	from := strides(l.Shape)
	l.Shape, _ = v.Type.Shape.Ints()
	if a, ok := v.Attr.(*ir.PermAttr); ok && len(a.Perm) > 0 {
		shape := make([]int, len(l.Shape))
		for i, n := range l.Shape {
			shape[i] = int(n)
		}
		b := box{dst: make([]byte, len(l.Data)), src: l.Data, size: l.DType.Size(),
			shape: shape, to: strides(l.Shape), from: permuted(from, a.Perm)}
		b.copy()
		l.Data = b.dst
	}
	return &l
}

// strides of an array in row-major order, in elements.
func strides(shape []int64) []int {
	out, n := make([]int, len(shape)), 1
	for i := len(shape) - 1; i >= 0; i-- {
		out[i], n = n, n*int(shape[i])
	}
	return out
}

func bytesOf(t ir.Type) int64 {
	n, _ := t.Shape.Size().Int()
	return n * int64(max(t.DType.Size(), 1))
}

// foldWork counts the multiplications of a product.
func foldWork(v *ir.Value) int64 {
	n, _ := v.Type.Shape.Size().Int()
	switch a := v.Attr.(type) {
	case *ir.DotAttr:
		for _, axis := range a.LContract {
			k, _ := v.Args[0].Type.Shape[axis].Int()
			n *= k
		}
	case *ir.ConvAttr:
		w := v.Args[1].Type.Shape
		k, _ := w.Size().Int()
		o, _ := w[a.Axes(len(w)).WO].Int()
		n *= k / max(o, 1)
	}
	return n
}
