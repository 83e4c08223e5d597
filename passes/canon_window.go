package passes

import "github.com/tensorcc/tcc/ir"

// windowAxes takes the largest along the first axis of a large window, then that
// along the others: 13+13 elements are read instead of 13*13. Below wide elements
// a result that lies in memory costs more.
func windowAxes(out *ir.Graph, v *ir.Value) *ir.Value {
	const wide = 25
	a := v.Attr.(*ir.WindowAttr)
	first, axes, size := -1, 0, int64(1)
	for i, n := range a.Size {
		if n > 1 {
			if axes++; first < 0 {
				first = i
			}
			size *= n
		}
	}
	if axes < 2 || size < wide {
		return nil
	}
	along := func(x *ir.Value, keep func(axis int) bool) *ir.Value {
		n := &ir.WindowAttr{}
		for i := range a.Size {
			one := int64(1)
			size, stride, dilation, lo, hi := one, one, one, ir.Const(0), ir.Const(0)
			if keep(i) {
				size, stride, dilation, lo, hi = a.Size[i], a.Stride[i], a.Dilation[i], a.Lo[i], a.Hi[i]
			}
			n.Size, n.Stride = append(n.Size, size), append(n.Stride, stride)
			n.Dilation, n.Lo, n.Hi = append(n.Dilation, dilation), append(n.Lo, lo), append(n.Hi, hi)
		}
		return out.Must(v.Pos, v.Op, n, x)
	}
	x := along(v.Args[0], func(i int) bool { return i == first })
	return along(x, func(i int) bool { return i != first })
}
