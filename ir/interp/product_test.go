package interp

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tensorcc/tcc/ir"
)

func TestDot(t *testing.T) {
	inner := &ir.DotAttr{LContract: []int{0}, RContract: []int{0}}
	mm := &ir.DotAttr{LContract: []int{1}, RContract: []int{0}}
	for _, c := range []opCase{
		{op: ir.OpDot, attr: mm, args: []*Tensor{grid(2, 3), grid(3, 2)},
			want: mat(2, 2, 10, 13, 28, 40)},
		{op: ir.OpDot, name: "dot of nothing", attr: mm, args: []*Tensor{mat(2, 0), mat(0, 2)},
			want: mat(2, 2, 0, 0, 0, 0)},
		{op: ir.OpDot, name: "dot of nothing, batched",
			attr: &ir.DotAttr{LBatch: []int{0}, RBatch: []int{0}, LContract: []int{1}, RContract: []int{1}},
			args: []*Tensor{mat(2, 0), mat(2, 0)}, want: vec(f32, 0, 0)},
		{op: ir.OpDot, name: "outer", attr: &ir.DotAttr{},
			args: []*Tensor{vec(f32, 1, 2), vec(f32, 3, 4)},
			want: mat(2, 2, 3, 4, 6, 8)},
		{op: ir.OpDot, name: "rounds once", attr: inner,
			args: []*Tensor{vec(f32, 1<<24, 1, -1), vec(f32, 1, 3, 1<<24)}, want: scalar(f32, 3)},
		{op: ir.OpDot, name: "wraps", attr: inner,
			args: []*Tensor{vec(ir.U8, 16, 1), vec(ir.U8, 17, 2)}, want: scalar(ir.U8, 18)},
		{op: ir.OpDot, name: "f16 rounds once", attr: inner,
			args: []*Tensor{vec(ir.F16, 2048, 1, 1), vec(ir.F16, 1, 1, 1)}, want: scalar(ir.F16, 2050)},
		{op: ir.OpDot, name: "infinity", attr: mm, args: []*Tensor{mat(1, 2, inf, 1), mat(2, 1, 0, 1)},
			want: mat(1, 1, nan)},
	} {
		c.run(t)
	}
}

// TestDotLarge crosses the borders of panels and micro-blocks, in every order
// of axes.
func TestDotLarge(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const b, m, n, k = 2, 67, 131, 5
	for _, d := range []ir.DType{ir.I32, ir.I64, ir.U16, ir.F64, ir.BF16} {
		x, y := small(rng, d, k, b, m), small(rng, d, n, b, k)
		got, err := runOp(ir.OpDot, &ir.DotAttr{LBatch: []int{1}, RBatch: []int{1},
			LContract: []int{0}, RContract: []int{2}}, x, y)
		if err != nil {
			t.Fatal(err)
		}
		xs, ys := x.Float64s(), y.Float64s()
		want := make([]float64, 0, b*m*n)
		for i := range b * m * n {
			s, r, c := i/n/m, i/n%m, i%n
			sum := 0.0
			for q := range k {
				sum += xs[(q*b+s)*m+r] * ys[(c*b+s)*k+q]
			}
			want = append(want, sum)
		}
		if diff := cmp.Diff(want, got[0].Float64s()); diff != "" {
			t.Errorf("%v: -want +got\n%s", d, diff)
		}
	}
}

// small returns integers in [0, 3], whose sums of products are exact.
func small(rng *rand.Rand, d ir.DType, shape ...int64) *Tensor {
	data := make([]float64, product(shape))
	for i := range data {
		data[i] = float64(rng.IntN(4))
	}
	return tensor(d, shape, data...)
}

// TestConv compares with the definition, by loops over all coordinates.
func TestConv(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range 300 {
		a := &ir.ConvAttr{Groups: 1 + rng.Int64N(3), Last: rng.IntN(2) == 0}
		rank := 1 + rng.IntN(3)
		var in, kernel []int64
		for range rank {
			in = append(in, 1+rng.Int64N(9))
			kernel = append(kernel, 1+rng.Int64N(3))
			a.Stride = append(a.Stride, 1+rng.Int64N(3))
			a.Dilation = append(a.Dilation, 1+rng.Int64N(2))
			a.InDilation = append(a.InDilation, 1+rng.Int64N(2))
			a.Lo = append(a.Lo, ir.Const(rng.Int64N(5)-1))
			a.Hi = append(a.Hi, ir.Const(rng.Int64N(5)-1))
		}
		chans, outs := 1+rng.Int64N(3), a.Groups*(1+rng.Int64N(5))
		n := rng.Int64N(3)
		xs := append([]int64{n, chans * a.Groups}, in...)
		ws := append([]int64{outs, chans}, kernel...)
		if a.Last {
			xs = append(append([]int64{n}, in...), chans*a.Groups)
			ws = append(append([]int64{}, kernel...), chans, outs)
		}
		d := []ir.DType{ir.F32, ir.F16, ir.I8, ir.U32}[rng.IntN(4)]
		x, w := small(rng, d, xs...), small(rng, d, ws...)
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			got, err := runOp(ir.OpConv, a, x, w)
			if err != nil {
				t.Skip(err) // padding crops more than there is
			}
			want := tensor(d, got[0].Shape, slowConv(a, x, w, got[0].Shape)...)
			if diff := cmp.Diff(want.Float64s(), got[0].Float64s()); diff != "" {
				t.Errorf("%+v of %v, %v: -want +got\n%s", a, x, w, diff)
			}
		})
	}
}

func slowConv(a *ir.ConvAttr, x, w *Tensor, shape []int64) []float64 {
	axes, rank := a.Axes(len(shape)), len(a.Stride)
	xv, wv := x.Float64s(), w.Float64s()
	at := func(t *Tensor, c []int64) int {
		i := 0
		for axis, k := range c {
			i = i*int(t.Shape[axis]) + int(k)
		}
		return i
	}
	chans := w.Shape[axes.WI]
	perGroup := w.Shape[axes.WO] / a.Groups
	var out []float64
	for i := range product(shape) {
		y := coords(nil, shape, i)
		sum := 0.0
	taps:
		for j := range product(w.Shape) {
			k := coords(nil, w.Shape, j)
			if k[axes.WO] != y[axes.InC] {
				continue
			}
			c := make([]int64, len(shape))
			c[0], c[axes.InC] = y[0], y[axes.InC]/perGroup*chans+k[axes.WI]
			for s := range rank {
				lo, _ := a.Lo[s].Int()
				p := y[axes.InS+s]*a.Stride[s] + k[axes.WS+s]*a.Dilation[s] - lo
				if p < 0 || p%a.InDilation[s] != 0 || p/a.InDilation[s] >= x.Shape[axes.InS+s] {
					continue taps
				}
				c[axes.InS+s] = p / a.InDilation[s]
			}
			sum += xv[at(x, c)] * wv[j]
		}
		out = append(out, sum)
	}
	return out
}
