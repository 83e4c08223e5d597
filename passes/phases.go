package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// phases rewrites transposed convolutions, which read zeros between the
// elements of their input, as plain ones: the results at positions d*q+r, for
// each phase r of the dilation d, are a convolution of the input with every
// d-th row of the weights. The phases become output channels of one
// convolution, over the window that all of them need, and its result is
// interleaved:
//
//	y[d*q+r] = sum over j of x[q+j+s(r)] * w[d*j+c(r)]
//
// with c(r) = (lo-r) mod d and s(r) = (r+c(r)-lo)/d. Where a phase needs less
// than the window, its weights there are zeros: that changes no finite sum, but
// an infinite or NaN element of the input then makes NaN of the results of all
// phases around it, as it does in every implementation by products with zeros.
func phases(_ *Context, g *ir.Graph) (*ir.Graph, error) {
	return g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		if v.Op != ir.OpConv || args[1].Op != ir.OpConst {
			return nil, nil
		}
		p := planPhases(v)
		if p == nil {
			return nil, nil
		}
		return p.rewrite(out, args[0], args[1].Attr.(*ir.ConstAttr).Value)
	})
}

// phasePlan is a transposed convolution to be rewritten.
type phasePlan struct {
	v    *ir.Value
	a    *ir.ConvAttr
	axes []phaseAxis
}

// phaseAxis is one spatial axis.
type phaseAxis struct {
	d, lo, taps int64 // dilation of the input, padding, size of the weights
	first, size int64 // of the common window: its offset from q, and its length
}

func planPhases(v *ir.Value) *phasePlan {
	a := v.Attr.(*ir.ConvAttr)
	w := v.Args[1].Type.Shape
	if !a.Last || a.Groups != 1 || !slices.ContainsFunc(a.InDilation, func(d int64) bool { return d > 1 }) {
		return nil
	}
	p := &phasePlan{v: v, a: a}
	for i, d := range a.InDilation {
		lo, ok := a.Lo[i].Int()
		taps, static := w[i].Int()
		if !ok || !static || a.Stride[i] != 1 || a.Dilation[i] != 1 {
			return nil
		}
		x := phaseAxis{d: d, lo: lo, taps: taps}
		if !x.window() {
			return nil
		}
		p.axes = append(p.axes, x)
	}
	return p
}

// tap is the first tap of phase r and its offset from q.
func (x *phaseAxis) tap(r int64) (c, s int64) {
	c = ((x.lo-r)%x.d + x.d) % x.d
	return c, (r + c - x.lo) / x.d
}

// window finds the common window; false where a phase has no taps.
func (x *phaseAxis) window() bool {
	last := int64(0)
	for r := range x.d {
		c, s := x.tap(r)
		n := (x.taps - c + x.d - 1) / x.d
		if n <= 0 {
			return false
		}
		if r == 0 || s < x.first {
			x.first = s
		}
		if r == 0 || s+n-1 > last {
			last = s + n - 1
		}
	}
	x.size = last - x.first + 1
	return true
}

// weights permutes w to [T…,I,phases*O].
func (p *phasePlan) weights(w *ir.Literal) *ir.Literal {
	n := len(p.axes)
	in, outc := w.Shape[n], w.Shape[n+1]
	size := w.DType.Size()
	shape := make([]int64, n+2)
	count, total := int64(1), int64(1)
	for i, x := range p.axes {
		shape[i] = x.size
		count *= x.d
		total *= x.size
	}
	shape[n], shape[n+1] = in, count*outc
	data := make([]byte, total*in*count*outc*int64(size))
	row := int(outc) * size
	for t := range total {
		for r := range count {
			k, ok := p.source(t, r)
			if !ok {
				continue
			}
			for c := range in {
				from := int(k*in+c) * row
				to := (int(t*in+c)*int(count) + int(r)) * row
				copy(data[to:to+row], w.Data[from:from+row])
			}
		}
	}
	return &ir.Literal{DType: w.DType, Shape: shape, Data: data}
}

// source is the flat index of the tap of w that is at position t of the
// window for phase r, both flat; false where there is none.
func (p *phasePlan) source(t, r int64) (int64, bool) {
	k, scale := int64(0), int64(1)
	for i := len(p.axes) - 1; i >= 0; i-- {
		x := &p.axes[i]
		c, s := x.tap(r % x.d)
		tap := x.d*(t%x.size+x.first-s) + c
		if tap < 0 || tap >= x.taps || t%x.size+x.first < s {
			return 0, false
		}
		k += tap * scale
		scale *= x.taps
		t, r = t/x.size, r/x.d
	}
	return k, true
}

// rewrite appends the plain convolution and the interleaving of its result.
func (p *phasePlan) rewrite(out *ir.Graph, x *ir.Value, w *ir.Literal) (*ir.Value, error) {
	if w.Splat {
		return nil, nil
	}
	b := &phaseBuilder{g: out, pos: p.v.Pos}
	n := len(p.axes)
	a := &ir.ConvAttr{Groups: 1, Last: true}
	wide := p.v.Type.Shape[:1].Clone() // [N,Q…,d…,O]
	var inner, whole ir.Shape
	for i, ax := range p.axes {
		extent := p.v.Type.Shape[1+i]
		q := extent.CeilDiv(ir.Const(ax.d))
		a.Stride, a.Dilation, a.InDilation = append(a.Stride, 1), append(a.Dilation, 1), append(a.InDilation, 1)
		a.Lo = append(a.Lo, ir.Const(-ax.first))
		a.Hi = append(a.Hi, q.Sub(x.Type.Shape[1+i]).AddConst(ax.first+ax.size-1))
		wide, inner = append(wide, q), append(inner, ir.Const(ax.d))
		whole = append(whole, q.MulConst(ax.d))
	}
	channels := p.v.Type.Shape[n+1]
	wide = append(append(wide, inner...), channels)
	y := b.op(ir.OpConv, a, x, b.op(ir.OpConst, &ir.ConstAttr{Value: p.weights(w)}))
	y = b.op(ir.OpReshape, &ir.ShapeAttr{Shape: wide}, y)
	perm := []int{0}
	for i := range n {
		perm = append(perm, 1+i, 1+n+i)
	}
	y = b.op(ir.OpTranspose, &ir.PermAttr{Perm: append(perm, 1+2*n)}, y)
	full := slices.Concat(p.v.Type.Shape[:1], whole, ir.Shape{channels})
	y = b.op(ir.OpReshape, &ir.ShapeAttr{Shape: full}, y)
	if b.err == nil && !full.Equal(p.v.Type.Shape) {
		y = b.op(ir.OpSlice, &ir.SliceAttr{Start: make(ir.Shape, n+2),
			Step: slices.Repeat([]int64{1}, n+2), Shape: p.v.Type.Shape}, y)
	}
	return y, b.err
}

// phaseBuilder appends operations and keeps the first error.
type phaseBuilder struct {
	g   *ir.Graph
	pos ir.Pos
	err error
}

func (b *phaseBuilder) op(op ir.Op, a ir.Attr, args ...*ir.Value) *ir.Value {
	if b.err != nil {
		return nil
	}
	v, err := b.g.New(b.pos, op, a, args...)
	b.err = err
	return v
}
