package interp

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// General products. The operands are brought, panel by panel, into wide rows
// over the summed axes; each result is then the product of two rows.

// panel bounds the elements of a packed panel.
const panel = 1 << 20

func evalDot(c *call, out *Tensor) error {
	switch classOf(out.DType) {
	case signedClass:
		return dot[int64](c, out)
	case unsignedClass:
		return dot[uint64](c, out)
	}
	return dot[float64](c, out)
}

// operand is a tensor seen as batch x rows x sum: the offsets of each.
type operand struct {
	t                *Tensor
	batch, rows, sum []int
}

// newOperand widens what pack does not read directly.
func newOperand[A wide](t *Tensor, batch, contract []int) operand {
	if d := t.DType; d != ir.F32 && d != ir.F64 && d != ir.I32 && d != ir.I64 {
		t = FromSlice(byClass(d, ir.F64, ir.I64, ir.U64), t.Shape, widen[A](t))
	}
	var rows []int
	for i := range t.Shape {
		if !slices.Contains(batch, i) && !slices.Contains(contract, i) {
			rows = append(rows, i)
		}
	}
	return operand{t, offsetsOf(t, batch), offsetsOf(t, rows), offsetsOf(t, contract)}
}

// offsetsOf lists the offsets of all coordinates of some axes, row-major.
func offsetsOf(t *Tensor, axes []int) []int {
	stride := strides(t.Shape)
	shape, step := make([]int64, len(axes)), make([]int, len(axes))
	for i, a := range axes {
		shape[i], step[i] = t.Shape[a], stride[a]
	}
	out := make([]int, 0, product(shape))
	_ = eachOffset(shape, step, func(offset int) error {
		out = append(out, offset)
		return nil
	})
	return out
}

func dot[A wide](c *call, out *Tensor) error {
	a := c.v.Attr.(*ir.DotAttr)
	x := newOperand[A](c.arg(0), a.LBatch, a.LContract)
	y := newOperand[A](c.arg(1), a.RBatch, a.RContract)
	m, n, k := len(x.rows), len(y.rows), len(x.sum)
	if out.Len() == 0 {
		return nil
	}
	step := max(1, min(64, panel/max(k, 1)))
	blocks := (n + step - 1) / step
	return parallel(c.m.ctx, len(x.batch)*blocks, func(i int) {
		b, lo := i/blocks, i%blocks*step
		hi := min(lo+step, n)
		ys := pack[A](y, b, lo, hi)
		for r := 0; r < m; r += step {
			rows := min(step, m-r)
			xs := pack[A](x, b, r, r+rows)
			prod := make([]A, rows*(hi-lo))
			matmul(prod, hi-lo, xs, ys, k)
			for j := range rows {
				store(out, (b*m+r+j)*n+lo, prod[j*(hi-lo):(j+1)*(hi-lo)])
			}
		}
	})
}

// pack widens rows lo to hi of batch b into a panel of rows.
func pack[A wide](o operand, b, lo, hi int) []A {
	out := make([]A, (hi-lo)*len(o.sum))
	if len(out) == 0 {
		return out // the tensor may have no data to point into
	}
	switch o.t.DType {
	case ir.F32:
		packAs(out, Elements[float32](o.t)[o.batch[b]:], o, lo, hi)
	case ir.F64:
		packAs(out, Elements[float64](o.t)[o.batch[b]:], o, lo, hi)
	case ir.I32:
		packAs(out, Elements[int32](o.t)[o.batch[b]:], o, lo, hi)
	case ir.I64:
		packAs(out, Elements[int64](o.t)[o.batch[b]:], o, lo, hi)
	case ir.U64:
		packAs(out, Elements[uint64](o.t)[o.batch[b]:], o, lo, hi)
	default:
		panic("BUG: pack of " + o.t.String())
	}
	return out
}

// packAs goes by tiles: either the rows or the summed axes are far apart in
// memory, and a tile of both fits the cache.
func packAs[A wide, E number](out []A, in []E, o operand, lo, hi int) {
	const tile = 16
	k := len(o.sum)
	for s0 := 0; s0 < k; s0 += tile {
		sums := o.sum[s0:min(s0+tile, k)]
		for r, row := range o.rows[lo:hi] {
			dst := out[r*k+s0:][:len(sums)]
			for s, at := range sums {
				dst[s] = A(in[at+row])
			}
		}
	}
}

// matmul sets out[i*ldo+j] to the product of row i of x and row j of y, rows
// being k long, 2 by 4 results at a time.
func matmul[A wide](out []A, ldo int, x, y []A, k int) {
	if k == 0 {
		return
	}
	m, n := len(x)/k, len(y)/k
	for i := 0; i < m; i += 2 {
		two := i+1 < m
		x0, x1 := x[i*k:][:k], x[min(i+1, m-1)*k:][:k]
		j := 0
		for ; j+4 <= n; j += 4 {
			p, q := rows2x4(x0, x1, y[j*k:][:k], y[(j+1)*k:][:k], y[(j+2)*k:][:k], y[(j+3)*k:][:k])
			copy(out[i*ldo+j:], p[:])
			if two {
				copy(out[(i+1)*ldo+j:], q[:])
			}
		}
		for ; j < n; j++ {
			out[i*ldo+j] = rowProduct(x0, y[j*k:][:k])
			if two {
				out[(i+1)*ldo+j] = rowProduct(x1, y[j*k:][:k])
			}
		}
	}
}

func rows2x4[A wide](x0, x1, y0, y1, y2, y3 []A) (p, q [4]A) {
	k := len(x0)
	x1, y0, y1, y2, y3 = x1[:k], y0[:k], y1[:k], y2[:k], y3[:k]
	var p0, p1, p2, p3, q0, q1, q2, q3 A
	for i, a := range x0 {
		b := x1[i]
		c0, c1, c2, c3 := y0[i], y1[i], y2[i], y3[i]
		p0 += A(a * c0)
		p1 += A(a * c1)
		p2 += A(a * c2)
		p3 += A(a * c3)
		q0 += A(b * c0)
		q1 += A(b * c1)
		q2 += A(b * c2)
		q3 += A(b * c3)
	}
	return [4]A{p0, p1, p2, p3}, [4]A{q0, q1, q2, q3}
}

func rowProduct[A wide](x, y []A) A {
	y = y[:len(x)]
	var sum A
	for i, v := range x {
		sum += A(v * y[i])
	}
	return sum
}
