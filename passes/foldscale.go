package passes

import (
	"math"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes/internal/rewrite"
)

// foldScale multiplies constant weights by the scale of the result's channels,
// as exported batch normalization leaves it: conv(x, w)*s is conv(x, w*s), and
// (conv(x, w)+b)*s is conv(x, w*s) + b*s.
//
// The result stays within the error of a straightforward loop: each term gets
// one more rounding and the sum one less, so that both ways are bounded by
// (K+1) units in the last place of the sum of the terms' magnitudes. Where a
// scaled weight would overflow or lose bits to underflow, nothing is done.
func foldScale(_ *Context, g *ir.Graph) (*ir.Graph, error) {
	s := &scaler{uses: g.Uses(), old: map[*ir.Value]*ir.Value{}}
	return g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		s.out = out
		for i, a := range v.Args {
			s.old[args[i]] = a
		}
		if v.Op != ir.OpMul || v.Type.DType != ir.F32 {
			return nil, nil
		}
		for i := range args {
			if nv := s.scaled(v.Pos, args[i], args[1-i]); nv != nil {
				return nv, nil
			}
		}
		return nil, nil
	})
}

type scaler struct {
	out  *ir.Graph
	uses []int
	old  map[*ir.Value]*ir.Value // values of the source graph, by new value
}

// once reports whether x, a new value, is used by one value only.
func (s *scaler) once(x *ir.Value) bool {
	v := s.old[x]
	return v != nil && s.uses[v.ID] == 1
}

// scaled returns x*by with the scale in the weights, or nil.
func (s *scaler) scaled(pos ir.Pos, x, by *ir.Value) *ir.Value {
	if !s.once(x) {
		return nil
	}
	if x.Op == ir.OpConv || x.Op == ir.OpDot {
		return s.product(x, by)
	}
	if x.Op != ir.OpAdd {
		return nil
	}
	for i, p := range x.Args {
		bias, b := s.vector(x.Args[1-i])
		scale, c := s.vector(by)
		if bias == nil || scale == nil || b != c || !s.once(p) || p.Op != ir.OpConv && p.Op != ir.OpDot {
			continue
		}
		y := s.product(p, by)
		if y == nil {
			continue
		}
		data := make([]float32, max(len(bias), len(scale)))
		for j := range data {
			data[j] = bias[j%len(bias)] * scale[j%len(scale)]
		}
		z := s.channels(pos, data, y.Type, b)
		return s.out.Must(pos, ir.OpAdd, nil, y, z)
	}
	return nil
}

// vector returns the numbers of a constant that is broadcast along one axis,
// and that axis; one number fits the last axis.
func (s *scaler) vector(v *ir.Value) ([]float32, int) {
	last := v.Type.Rank() - 1
	if l := rewrite.SplatOf(v); l != nil && last >= 0 {
		return ir.Elements[float32](l)[:1], last
	}
	if v.Op != ir.OpBroadcast || v.Args[0].Op != ir.OpConst || v.Args[0].Type.Rank() != 1 {
		return nil, 0
	}
	axis := v.Attr.(*ir.BroadcastAttr).Axes[0]
	return ir.Elements[float32](v.Args[0].Attr.(*ir.ConstAttr).Value), axis
}

func (s *scaler) channels(pos ir.Pos, data []float32, t ir.Type, axis int) *ir.Value {
	if len(data) == 1 {
		return rewrite.Number64(s.out, pos, t, float64(data[0]))
	}
	l := ir.NewLiteral(ir.F32, []int64{int64(len(data))}, data)
	c := s.out.Must(pos, ir.OpConst, &ir.ConstAttr{Value: l})
	return s.out.Must(pos, ir.OpBroadcast, &ir.BroadcastAttr{Shape: t.Shape, Axes: []int{axis}}, c)
}

// product scales the weights of a conv with the channels last, or of a dot
// with a matrix.
func (s *scaler) product(p, by *ir.Value) *ir.Value {
	scale, axis := s.vector(by)
	w := p.Args[1]
	if scale == nil || axis != p.Type.Rank()-1 || w.Op != ir.OpConst || w.Type.Rank() < 2 {
		return nil
	}
	l := w.Attr.(*ir.ConstAttr).Value
	column := w.Type.Rank() - 1 // axis of the weights that the channels run along
	switch a := p.Attr.(type) {
	case *ir.ConvAttr:
		if !a.Last {
			return nil
		}
	case *ir.DotAttr:
		if len(a.RBatch) > 0 || len(a.RContract) != 1 || w.Type.Rank() != 2 {
			return nil
		}
		column = 1 - a.RContract[0]
	}
	inner := int64(1)
	for _, d := range l.Shape[column+1:] {
		inner *= d
	}
	lit := scaleLiteral(l, scale, l.Shape[column], inner)
	if lit == nil {
		return nil
	}
	scaled := s.out.Must(w.Pos, ir.OpConst, &ir.ConstAttr{Value: lit})
	return s.out.Must(p.Pos, p.Op, p.Attr, p.Args[0], scaled)
}

// scaleLiteral returns l with element i multiplied by the scale of channel
// i/inner mod n, or nil where that leaves the normal numbers.
func scaleLiteral(l *ir.Literal, scale []float32, n, inner int64) *ir.Literal {
	const smallest = 0x1p-126
	if l.Splat {
		return nil
	}
	src := ir.Elements[float32](l)
	out := make([]float32, len(src))
	for i, x := range src {
		f := scale[0]
		if len(scale) > 1 {
			f = scale[int64(i)/inner%n]
		}
		y := x * f
		a := math.Abs(float64(y))
		if math.IsInf(a, 0) || math.IsNaN(a) || a < smallest && x != 0 && f != 0 {
			return nil
		}
		out[i] = y
	}
	return ir.NewLiteral(ir.F32, l.Shape, out)
}
