package passes

import (
	"encoding/binary"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// phases rewrites transposed convolutions, which read zeros between the
// elements of their input, as plain ones: the results at positions d*q+r, for
// each phase r of the dilation d, are a convolution of the input with every
// d-th row of the weights, whose results are interleaved:
//
//	y[d*q+r] = sum over j of x[q+j+s(r)] * w[d*j+c(r)]
//
// with c(r) = (lo-r) mod d and s(r) = (r+c(r)-lo)/d. Phases that all read the
// same window become output channels of one convolution. Others stay apart:
// weights of zero, where a phase needs less than a common window, would make NaN
// of infinite elements that it does not read. Weights are finite: times a zero
// between elements they would be NaN otherwise.
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
	axes []phaseAxis
}

// phaseAxis is one spatial axis.
type phaseAxis struct {
	d, lo, taps int64 // dilation of the input, padding, size of the weights
}

// phaseGroup is phases that read one window.
type phaseGroup struct {
	phases      []int64 // flat
	first, size []int64 // of the window, an axis each: its offset from q, and its length
}

func planPhases(v *ir.Value) *phasePlan {
	a := v.Attr.(*ir.ConvAttr)
	w := v.Args[1].Type.Shape
	transposed := slices.ContainsFunc(a.InDilation, func(d int64) bool { return d > 1 })
	if !transposed || !a.Last || a.Groups != 1 {
		return nil
	}
	p := &phasePlan{v: v}
	for i, d := range a.InDilation {
		lo, ok := a.Lo[i].Int()
		taps, static := w[i].Int()
		if !ok || !static || a.Stride[i] != 1 || a.Dilation[i] != 1 {
			return nil
		}
		x := phaseAxis{d: d, lo: lo, taps: taps}
		if x.taps < x.d {
			return nil // a phase has no taps
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

// groups are the phases by window: one group where all have the same, else a
// group for each phase.
func (p *phasePlan) groups() []phaseGroup {
	count := int64(1)
	for _, x := range p.axes {
		count *= x.d
	}
	out := make([]phaseGroup, count)
	same := true
	for r := range count {
		g := &out[r]
		g.phases = []int64{r}
		for i, at := len(p.axes)-1, r; i >= 0; i-- {
			x := p.axes[i]
			c, s := x.tap(at % x.d)
			g.first = slices.Insert(g.first, 0, s)
			g.size = slices.Insert(g.size, 0, (x.taps-c+x.d-1)/x.d)
			at /= x.d
		}
		same = same && slices.Equal(g.first, out[0].first) && slices.Equal(g.size, out[0].size)
	}
	if !same {
		return out
	}
	for r := range count - 1 {
		out[0].phases = append(out[0].phases, r+1)
	}
	return out[:1]
}

// weights permutes w to [T…,I,phases*O].
func (p *phasePlan) weights(w *ir.Literal, g phaseGroup) *ir.Literal {
	n := len(p.axes)
	in, outc := w.Shape[n], w.Shape[n+1]
	shape := append(slices.Clone(g.size), in, int64(len(g.phases))*outc)
	total := int64(1)
	for _, k := range g.size {
		total *= k
	}
	row := outc * int64(w.DType.Size())
	var data []byte
	for t := range total {
		for c := range in {
			for _, r := range g.phases {
				from := (p.source(g, t, r)*in + c) * row
				data = append(data, w.Data[from:from+row]...)
			}
		}
	}
	return &ir.Literal{DType: w.DType, Shape: shape, Data: data}
}

// source is the flat index of the tap of w that is at position t of the
// group's window for phase r, both flat.
func (p *phasePlan) source(g phaseGroup, t, r int64) int64 {
	k, scale := int64(0), int64(1)
	for i := len(p.axes) - 1; i >= 0; i-- {
		x := p.axes[i]
		c, _ := x.tap(r % x.d)
		k += (x.d*(t%g.size[i]) + c) * scale
		scale *= x.taps
		t, r = t/g.size[i], r/x.d
	}
	return k
}

// rewrite appends the plain convolutions and the interleaving of their results.
func (p *phasePlan) rewrite(out *ir.Graph, x *ir.Value, w *ir.Literal) (*ir.Value, error) {
	if w.Splat || !finite(w) {
		return nil, nil
	}
	b := &phaseBuilder{g: out, pos: p.v.Pos}
	n := len(p.axes)
	wide := p.v.Type.Shape[:1].Clone() // [N,Q…,d…,O]
	var inner, whole ir.Shape
	for i, ax := range p.axes {
		extent := p.v.Type.Shape[1+i]
		q := extent.CeilDiv(ir.Const(ax.d))
		wide, inner = append(wide, q), append(inner, ir.Const(ax.d))
		whole = append(whole, q.MulConst(ax.d))
	}
	channels := p.v.Type.Shape[n+1]
	wide = append(append(wide, inner...), channels)
	var parts []*ir.Value
	for _, g := range p.groups() {
		wg := b.op(ir.OpConst, &ir.ConstAttr{Value: p.weights(w, g)})
		parts = append(parts, b.op(ir.OpConv, p.plain(g, x, wide[1:1+n]), x, wg))
	}
	y := parts[0]
	if len(parts) > 1 {
		y = b.op(ir.OpConcat, &ir.AxisAttr{Axis: n + 1}, parts...)
	}
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

// finite reports whether all elements of l are.
func finite(l *ir.Literal) bool {
	exponent := map[ir.DType]uint64{ir.F16: 0x1f << 10, ir.BF16: 0xff << 7, ir.F32: 0xff << 23,
		ir.F64: 0x7ff << 52}
	mask, ok := exponent[l.DType]
	if !ok {
		return !l.DType.IsFloat()
	}
	var bits [8]byte
	for x := range slices.Chunk(l.Bytes(), l.DType.Size()) {
		copy(bits[:], x)
		if binary.LittleEndian.Uint64(bits[:])&mask == mask {
			return false
		}
	}
	return true
}

// plain is the attribute of a group's convolution, whose result has q positions.
func (p *phasePlan) plain(g phaseGroup, x *ir.Value, q ir.Shape) *ir.ConvAttr {
	one := slices.Repeat([]int64{1}, len(p.axes))
	a := &ir.ConvAttr{Groups: 1, Last: true, Stride: one, Dilation: one, InDilation: one}
	for i := range p.axes {
		a.Lo = append(a.Lo, ir.Const(-g.first[i]))
		a.Hi = append(a.Hi, q[i].Sub(x.Type.Shape[1+i]).AddConst(g.first[i]+g.size[i]-1))
	}
	return a
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
