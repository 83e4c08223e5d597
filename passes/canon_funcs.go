package passes

import (
	"math"
	"slices"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes/internal/rewrite"
)

// The conditions and functions that canon.rules names.

type match = rewrite.Match

func canonFuncs() rewrite.Funcs {
	return rewrite.Funcs{Conds: canonConds, Attrs: canonAttrs, Values: canonValues}
}

func dtypeIs(ok func(ir.DType) bool) func(*match, []rewrite.Arg) bool {
	return func(_ *match, a []rewrite.Arg) bool { return ok(a[0].V.Type.DType) }
}

var canonConds = map[string]func(m *match, a []rewrite.Arg) bool{
	"float":   dtypeIs(ir.DType.IsFloat),
	"integer": dtypeIs(ir.DType.IsInt),
	"bool":    dtypeIs(func(d ir.DType) bool { return d == ir.Bool }),
	"signed":  dtypeIs(func(d ir.DType) bool { return d.IsFloat() || d.IsSigned() }),
	"constant": func(_ *match, a []rewrite.Arg) bool {
		x, ok := rewrite.SplatValue(a[0].V)
		return ok && x != 0 && !math.IsNaN(x) && !math.IsInf(x, 0)
	},
	"power-of-two": func(_ *match, a []rewrite.Arg) bool {
		x, ok := rewrite.SplatValue(a[0].V)
		frac, exp := math.Frexp(x)
		// The reciprocal must be normal in the narrowest format, f16.
		return ok && math.Abs(frac) == 0.5 && exp > -13 && exp < 15
	},
	"has-dtype": func(_ *match, a []rewrite.Arg) bool {
		return a[0].V.Type.DType == a[1].A.(*ir.DTypeAttr).DType
	},
	"widens": func(_ *match, a []rewrite.Arg) bool {
		return widens(a[0].V.Type.DType, a[1].A.(*ir.DTypeAttr).DType)
	},
	// Integers wrap when they are converted to narrower ones, floats
	// saturate: an integer that went through a float must not.
	"no-detour": func(_ *match, a []rewrite.Arg) bool {
		from, mid, to := a[0].V.Type.DType, a[1].A.(*ir.DTypeAttr).DType, a[2].A.(*ir.DTypeAttr).DType
		return !mid.IsFloat() || !to.IsInt() || from.IsFloat() || widens(from, to)
	},
	"has-shape": func(_ *match, a []rewrite.Arg) bool {
		return a[0].V.Type.Shape.Equal(a[1].A.(*ir.ShapeAttr).Shape)
	},
	"identity": func(_ *match, a []rewrite.Arg) bool {
		return isIdentity(a[0].A.(*ir.PermAttr).Perm)
	},
	"moves-units": func(_ *match, a []rewrite.Arg) bool {
		last := -1
		for _, p := range a[1].A.(*ir.PermAttr).Perm {
			if a[0].V.Type.Shape[p].IsConst(1) {
				continue
			}
			if p < last {
				return false
			}
			last = p
		}
		return true
	},
	"covers": func(_ *match, a []rewrite.Arg) bool {
		return a[0].V.Type.Shape.Equal(a[1].A.(*ir.BroadcastAttr).Shape)
	},
	"whole": func(_ *match, a []rewrite.Arg) bool {
		s := a[1].A.(*ir.SliceAttr)
		for i, d := range a[0].V.Type.Shape {
			if !s.Start[i].IsConst(0) || s.Step[i] != 1 || !s.Shape[i].Equal(d) {
				return false
			}
		}
		return true
	},
	"no-padding": func(_ *match, a []rewrite.Arg) bool {
		p := a[0].A.(*ir.PadAttr)
		padded := func(d ir.Dim) bool { return !d.IsConst(0) }
		return !slices.ContainsFunc(slices.Concat(p.Lo, p.Hi), padded)
	},
}

func isIdentity(perm []int) bool {
	for i, p := range perm {
		if i != p {
			return false
		}
	}
	return true
}

// widens reports whether a conversion from one type to another keeps every
// value, NaN and -0 included.
func widens(from, to ir.DType) bool {
	switch {
	case from == to:
		return true
	case from == ir.Bool:
		return to.IsInt() || to.IsFloat()
	case from.IsInt() && to.IsInt():
		return from.IsSigned() == to.IsSigned() && to.Bits() > from.Bits() ||
			from.IsUnsigned() && to.Bits() > from.Bits()
	case from.IsInt():
		mantissa := map[ir.DType]int{ir.F64: 53, ir.F32: 24, ir.F16: 11, ir.BF16: 8}[to]
		return from.Bits() <= mantissa
	case from.IsFloat():
		return to == ir.F64 || to == ir.F32 && from != ir.F64
	}
	return false
}

var canonAttrs = map[string]func(m *match, a []rewrite.Arg) ir.Attr{
	// permute: axis i of the outer result is axis p[i] of the inner one.
	"permute": func(_ *match, a []rewrite.Arg) ir.Attr {
		p, q := a[0].A.(*ir.PermAttr).Perm, a[1].A.(*ir.PermAttr).Perm
		out := make([]int, len(p))
		for i := range p {
			out[i] = q[p[i]]
		}
		return &ir.PermAttr{Perm: out}
	},
	"broadcast-both": func(_ *match, a []rewrite.Arg) ir.Attr {
		outer, inner := a[0].A.(*ir.BroadcastAttr), a[1].A.(*ir.BroadcastAttr)
		axes := make([]int, len(inner.Axes))
		for i, axis := range inner.Axes {
			axes[i] = outer.Axes[axis]
		}
		return &ir.BroadcastAttr{Shape: outer.Shape, Axes: axes}
	},
	"slice-both": func(_ *match, a []rewrite.Arg) ir.Attr {
		outer, inner := a[0].A.(*ir.SliceAttr), a[1].A.(*ir.SliceAttr)
		out := &ir.SliceAttr{Shape: outer.Shape}
		for i := range outer.Step {
			out.Start = append(out.Start, inner.Start[i].Add(outer.Start[i].MulConst(inner.Step[i])))
			out.Step = append(out.Step, outer.Step[i]*inner.Step[i])
		}
		return out
	},
}

var canonValues = map[string]func(m *match, a []rewrite.Arg) *ir.Value{
	"reciprocal": func(m *match, a []rewrite.Arg) *ir.Value {
		x, _ := rewrite.SplatValue(a[0].V)
		if a[0].V.Type.DType == ir.F32 {
			x = float64(1 / float32(x))
		} else {
			x = 1 / x
		}
		return rewrite.Number64(m.Out, m.Root.Pos, a[0].V.Type, x)
	},
	"as-reshape": func(m *match, _ []rewrite.Arg) *ir.Value {
		return reshape(m.Out, m.Root.Pos, m.Root.Args[0], m.Root.Type.Shape)
	},
	// drop-units: a broadcast takes no axes of extent 1, and is a reshape
	// where it adds no other.
	"drop-units": func(m *match, a []rewrite.Arg) *ir.Value {
		x, b := a[0].V, a[1].A.(*ir.BroadcastAttr)
		if sameReal(x.Type.Shape, b.Shape) {
			return reshape(m.Out, m.Root.Pos, x, b.Shape)
		}
		keep := realAxes(x.Type.Shape)
		if len(keep) == x.Type.Rank() {
			return nil
		}
		axes := make([]int, len(keep))
		for i, k := range keep {
			axes[i] = b.Axes[k]
		}
		x = reshape(m.Out, m.Root.Pos, x, real(x.Type.Shape))
		return m.Out.Must(m.Root.Pos, ir.OpBroadcast, &ir.BroadcastAttr{Shape: b.Shape, Axes: axes}, x)
	},
}

// reshape appends a reshape of x unless it has the shape.
func reshape(g *ir.Graph, pos ir.Pos, x *ir.Value, s ir.Shape) *ir.Value {
	if x.Type.Shape.Equal(s) {
		return x
	}
	return g.Must(pos, ir.OpReshape, &ir.ShapeAttr{Shape: s}, x)
}
