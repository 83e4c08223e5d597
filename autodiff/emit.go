package autodiff

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// back is what a rule works with: it appends to the new graph at the source
// position of the operation that is being differentiated or mapped.
type back struct {
	g    *ir.Graph
	what string // of errors; "gradient" if empty
	pos  ir.Pos
	need []bool // by argument: whether its gradient is wanted
	// lone has the values of the walk that have one element a line which is
	// not known to be zero.
	lone map[*ir.Value]loner
}

// loner is a value that is d, of extent 1 along axis, at one place of each
// line along axis, where hit holds, and else 0. The sum along axis is d: an
// index out of range has been an error in the forward computation.
type loner struct {
	axis   int
	hit, d *ir.Value
}

// alone makes a loner.
func (b *back) alone(l loner, s ir.Shape) *ir.Value {
	v := b.where(l.hit, b.broadcast(l.d, s, count(0, len(s))))
	if b.lone != nil {
		b.lone[v] = l
	}
	return v
}

// op appends an operation. A type error, which symbolic extents that are not
// known to fit can cause, ends the walk.
func (b *back) op(op ir.Op, attr ir.Attr, args ...*ir.Value) *ir.Value {
	v, err := b.g.New(b.pos, op, attr, args...)
	if err != nil {
		b.fail("%w", err)
	}
	return v
}

func (b *back) add(x, y *ir.Value) *ir.Value { return b.op(ir.OpAdd, nil, x, y) }
func (b *back) sub(x, y *ir.Value) *ir.Value { return b.op(ir.OpSub, nil, x, y) }
func (b *back) mul(x, y *ir.Value) *ir.Value { return b.op(ir.OpMul, nil, x, y) }
func (b *back) div(x, y *ir.Value) *ir.Value { return b.op(ir.OpDiv, nil, x, y) }

func (b *back) neg(x *ir.Value) *ir.Value {
	if l, ok := b.lone[x]; ok {
		return b.alone(loner{l.axis, l.hit, b.neg(l.d)}, x.Type.Shape)
	}
	return b.op(ir.OpNeg, nil, x)
}

// scalar is the constant c, rounded to d.
func (b *back) scalar(d ir.DType, c float64) *ir.Value {
	switch d {
	case ir.F64:
		return b.constant(ir.SplatLiteral(ir.F64, []int64{}, c))
	case ir.F32:
		return b.constant(ir.SplatLiteral(ir.F32, []int64{}, float32(c)))
	case ir.I64:
		return b.constant(ir.SplatLiteral(ir.I64, []int64{}, int64(c)))
	case ir.Bool:
		return b.constant(ir.SplatLiteral(ir.Bool, []int64{}, c != 0))
	}
	return b.cast(b.scalar(ir.F64, c), d)
}

func (b *back) constant(l *ir.Literal) *ir.Value {
	return b.op(ir.OpConst, &ir.ConstAttr{Value: l})
}

// fill is a tensor of type t whose elements are c.
func (b *back) fill(t ir.Type, c float64) *ir.Value {
	return b.stretch(b.scalar(t.DType, c), t.Shape)
}

func (b *back) zeros(t ir.Type) *ir.Value { return b.fill(t, 0) }

// num is the number c in the type of x.
func (b *back) num(x *ir.Value, c float64) *ir.Value { return b.fill(x.Type, c) }

func (b *back) scale(x *ir.Value, c float64) *ir.Value { return b.mul(x, b.num(x, c)) }
func (b *back) square(x *ir.Value) *ir.Value           { return b.mul(x, x) }

// stretch broadcasts a scalar.
func (b *back) stretch(x *ir.Value, s ir.Shape) *ir.Value { return b.broadcast(x, s, nil) }

func (b *back) broadcast(x *ir.Value, s ir.Shape, axes []int) *ir.Value {
	if x.Type.Shape.Equal(s) {
		return x
	}
	return b.op(ir.OpBroadcast, &ir.BroadcastAttr{Shape: s, Axes: axes}, x)
}

func (b *back) reshape(x *ir.Value, s ir.Shape) *ir.Value {
	if x.Type.Shape.Equal(s) {
		return x
	}
	return b.op(ir.OpReshape, &ir.ShapeAttr{Shape: s}, x)
}

func (b *back) transpose(x *ir.Value, perm []int) *ir.Value {
	if slices.IsSorted(perm) {
		return x
	}
	return b.op(ir.OpTranspose, &ir.PermAttr{Perm: perm}, x)
}

func (b *back) cast(x *ir.Value, d ir.DType) *ir.Value {
	if x.Type.DType == d {
		return x
	}
	return b.op(ir.OpCast, &ir.DTypeAttr{DType: d}, x)
}

func (b *back) sum(x *ir.Value, axes []int) *ir.Value {
	if len(axes) == 0 {
		return x
	}
	if l, ok := b.lone[x]; ok && slices.Equal(axes, []int{l.axis}) {
		return b.reshape(l.d, slices.Delete(x.Type.Shape.Clone(), l.axis, l.axis+1))
	}
	return b.op(ir.OpSum, &ir.AxesAttr{Axes: axes}, x)
}

func (b *back) slice(x *ir.Value, a *ir.SliceAttr) *ir.Value { return b.op(ir.OpSlice, a, x) }

// pad surrounds x with zeros, or crops it where lo or hi are negative.
func (b *back) pad(x *ir.Value, lo, hi ir.Shape) *ir.Value {
	isZero := func(d ir.Dim) bool { return d.IsConst(0) }
	if !slices.ContainsFunc(slices.Concat(lo, hi), func(d ir.Dim) bool { return !isZero(d) }) {
		return x
	}
	return b.op(ir.OpPad, &ir.PadAttr{Lo: lo, Hi: hi}, x, b.scalar(x.Type.DType, 0))
}

func (b *back) eq(x, y *ir.Value) *ir.Value { return b.op(ir.OpEq, nil, x, y) }

// where is x where c, else 0.
func (b *back) where(c, x *ir.Value) *ir.Value {
	return b.op(ir.OpSelect, nil, c, x, b.num(x, 0))
}

// unless is 0 where c, else x.
func (b *back) unless(c, x *ir.Value) *ir.Value {
	return b.op(ir.OpSelect, nil, c, b.num(x, 0), x)
}

// iota counts along axis of shape s.
func (b *back) iota(s ir.Shape, axis int) *ir.Value {
	return b.op(ir.OpIota, &ir.IotaAttr{DType: ir.I64, Shape: s, Axis: axis})
}

// moveAxis returns the permutation that brings axis from to place to.
func moveAxis(rank, from, to int) []int {
	var perm []int
	for i := range rank {
		if i != from {
			perm = append(perm, i)
		}
	}
	return slices.Insert(perm, to, from)
}

// inverse returns the permutation that undoes perm.
func inverse(perm []int) []int {
	inv := make([]int, len(perm))
	for i, p := range perm {
		inv[p] = i
	}
	return inv
}
