package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

// Integer arithmetic on extents. An exported model computes the arguments of
// its reshapes from extents by dozens of small operations; each i64 value of
// few elements is tracked as expressions and becomes a dims or a constant.

// maxDims bounds the elements of a tracked value.
const maxDims = 64

// dimsOf returns the elements of v in row-major order as expressions.
func (s *sweep) dimsOf(v *ir.Value) (ir.Shape, bool) {
	if d, ok := s.dims[v]; ok {
		return d, d != nil
	}
	d := s.computeDims(v)
	if slices.ContainsFunc(d, ir.Dim.Overflows) {
		d = nil // the graph's integers wrap around
	}
	s.dims[v] = d
	return d, d != nil
}

func (s *sweep) computeDims(v *ir.Value) ir.Shape {
	n, ok := v.Type.Shape.Size().Int()
	if v.Type.DType != ir.I64 || !ok || n > maxDims || n == 0 || !v.Type.Shape.Static() {
		return nil
	}
	switch v.Op {
	case ir.OpDims:
		return v.Attr.(*ir.DimsAttr).Dims
	case ir.OpConst:
		l := v.Attr.(*ir.ConstAttr).Value
		out := make(ir.Shape, n)
		for i := range out {
			out[i] = ir.Const(ir.Elements[int64](l)[min(i, len(l.Data)/8-1)])
		}
		return out
	case ir.OpSum, ir.OpProd:
		if n == 1 {
			return s.reduceDims(v)
		}
		return nil
	}
	if f := dimOps[v.Op]; f != nil {
		return s.elementDims(v, f)
	}
	if v.Op.Is(ir.Moves) && len(v.Args) > 0 {
		return s.moveDims(v)
	}
	return nil
}

// dimOps has the integer operations that expressions have; they report false
// where the result is not an expression.
var dimOps = map[ir.Op]func(x, y ir.Dim) (ir.Dim, bool){
	ir.OpAdd: func(x, y ir.Dim) (ir.Dim, bool) { return x.Add(y), true },
	ir.OpSub: func(x, y ir.Dim) (ir.Dim, bool) { return x.Sub(y), true },
	ir.OpMul: func(x, y ir.Dim) (ir.Dim, bool) { return x.Mul(y), true },
	ir.OpMin: func(x, y ir.Dim) (ir.Dim, bool) { return x.Min(y), true },
	ir.OpMax: func(x, y ir.Dim) (ir.Dim, bool) { return x.Max(y), true },
	ir.OpNeg: func(x, _ ir.Dim) (ir.Dim, bool) { return x.Neg(), true },
	ir.OpFloorDiv: func(x, y ir.Dim) (ir.Dim, bool) {
		return x.FloorDiv(y), positive(y)
	},
	ir.OpMod: func(x, y ir.Dim) (ir.Dim, bool) { return x.Mod(y), positive(y) },
	ir.OpDiv: func(x, y ir.Dim) (ir.Dim, bool) { // truncates: floor where nothing is negative
		return x.FloorDiv(y), positive(y) && notNegative(x)
	},
	ir.OpRem: func(x, y ir.Dim) (ir.Dim, bool) { return x.Mod(y), positive(y) && notNegative(x) },
}

// positive reports whether d is a positive number.
func positive(d ir.Dim) bool {
	k, ok := d.Int()
	return ok && k > 0
}

// notNegative reports whether d is known to be at least 0, every symbol being
// an extent.
func notNegative(d ir.Dim) bool {
	type bound struct {
		lo int64
		ok bool
	}
	b := ir.Walk(d, func(k int64) bound { return bound{k, true} },
		func(string) bound { return bound{0, true} },
		func(op byte, x, y bound) bound {
			switch op {
			case '+':
				return bound{x.lo + y.lo, x.ok && y.ok}
			case '*':
				return bound{0, x.ok && y.ok && x.lo >= 0 && y.lo >= 0}
			case '/':
				return bound{0, x.ok && y.ok && x.lo >= 0 && y.lo > 0}
			case '%':
				return bound{0, y.ok && y.lo > 0}
			case '<':
				return bound{min(x.lo, y.lo), x.ok && y.ok}
			default:
				return bound{max(x.lo, y.lo), x.ok && y.ok}
			}
		})
	return b.ok && b.lo >= 0
}

func (s *sweep) elementDims(v *ir.Value, f func(x, y ir.Dim) (ir.Dim, bool)) ir.Shape {
	x, ok := s.dimsOf(v.Args[0])
	y := x
	if ok && len(v.Args) > 1 {
		y, ok = s.dimsOf(v.Args[1])
	}
	if !ok {
		return nil
	}
	out := make(ir.Shape, len(x))
	for i := range x {
		if out[i], ok = f(x[i], y[i]); !ok {
			return nil
		}
	}
	return out
}

// reduceDims folds all elements of the argument into one.
func (s *sweep) reduceDims(v *ir.Value) ir.Shape {
	x, ok := s.dimsOf(v.Args[0])
	if !ok {
		return nil
	}
	acc := ir.Const(0)
	if v.Op == ir.OpProd {
		acc = ir.Const(1)
	}
	for _, d := range x {
		if v.Op == ir.OpProd {
			acc = acc.Mul(d)
		} else {
			acc = acc.Add(d)
		}
	}
	return ir.Shape{acc}
}

// moveDims finds where a move takes elements from by moving their numbers.
// Arguments that choose places (indices) must be constants.
func (s *sweep) moveDims(v *ir.Value) ir.Shape {
	if !v.Type.Shape.Static() {
		return nil
	}
	sources := 1
	switch v.Op {
	case ir.OpConcat, ir.OpPad, ir.OpUpdateSlice:
		sources = len(v.Args)
	case ir.OpDynamicUpdate:
		sources = 2
	case ir.OpScatterAlong, ir.OpScatterND:
		return nil // they may compute, and take elements from two sides of the indices
	}
	var all ir.Shape
	in := make([]*interp.Tensor, len(v.Args))
	for i, a := range v.Args {
		x, ok := s.dimsOf(a)
		shape, static := a.Type.Shape.Ints()
		if !ok || !static {
			if a.Type.Shape.Size().IsConst(0) && static && i < sources {
				in[i] = interp.FromSlice(ir.I64, shape, []int64{})
				continue
			}
			return nil
		}
		ids := make([]int64, len(x))
		for j := range ids {
			if ids[j] = int64(len(all) + j); i >= sources {
				if ids[j], ok = x[j].Int(); !ok {
					return nil
				}
			}
		}
		if i < sources {
			all = append(all, x...)
		}
		in[i] = interp.FromSlice(ir.I64, shape, ids)
	}
	res, err := interp.Eval(v, in)
	if err != nil {
		return nil
	}
	var out ir.Shape
	for _, id := range ir.Elements[int64](res[0].Literal()) {
		out = append(out, all[id])
	}
	return out
}

// foldDims makes a constant or a dims of a value that is known as
// expressions, and decides comparisons of such values.
func (s *sweep) foldDims(v *ir.Value) *ir.Value {
	if v.Op.Is(ir.Compares) && len(v.Args) == 2 {
		return s.compareDims(v)
	}
	if v.Op == ir.OpDims || v.Op == ir.OpReshape && v.Args[0].Op == ir.OpDims {
		if d, ok := s.dimsOf(v); !ok || !d.Static() {
			return nil
		}
	}
	d, ok := s.dimsOf(v)
	if !ok {
		return nil
	}
	shape, _ := v.Type.Shape.Ints()
	if ints, ok := d.Ints(); ok {
		return s.constant(v.Pos, ir.NewLiteral(ir.I64, shape, ints))
	}
	x := s.out.Must(v.Pos, ir.OpDims, &ir.DimsAttr{Dims: d})
	return reshape(s.out, v.Pos, x, v.Type.Shape)
}

// compareDims decides a comparison where the difference has a known sign.
func (s *sweep) compareDims(v *ir.Value) *ir.Value {
	x, ok1 := s.dimsOf(v.Args[0])
	y, ok2 := s.dimsOf(v.Args[1])
	if !ok1 || !ok2 {
		return nil
	}
	out := make([]bool, len(x))
	for i := range x {
		holds, decided := compareDim(v.Op, x[i], y[i])
		if !decided {
			return nil
		}
		out[i] = holds
	}
	shape, _ := v.Type.Shape.Ints()
	return s.constant(v.Pos, ir.NewLiteral(ir.Bool, shape, out))
}

func compareDim(op ir.Op, x, y ir.Dim) (holds, decided bool) {
	diff := x.Sub(y)
	atLeast, above := notNegative(diff), notNegative(diff.AddConst(-1))
	atMost, below := notNegative(diff.Neg()), notNegative(diff.Neg().AddConst(-1))
	equal := diff.IsConst(0)
	switch op {
	case ir.OpEq:
		return equal, equal || above || below
	case ir.OpNe:
		return !equal, equal || above || below
	case ir.OpLt:
		return below, below || atLeast
	case ir.OpLe:
		return atMost, atMost || above
	case ir.OpGt:
		return above, above || atMost
	case ir.OpGe:
		return atLeast, atLeast || below
	}
	return false, false
}
