package interp

import (
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// random fills an f32 tensor with numbers in [-1, 1).
func random(shape ...int64) *Tensor {
	t, err := New(ir.F32, shape)
	if err != nil {
		panic(err)
	}
	e := Elements[float32](t)
	state := uint32(1)
	for i := range e {
		state = state*1664525 + 1013904223
		e[i] = float32(int32(state)) / (1 << 31)
	}
	return t
}

// BenchmarkConv is the shapes of ResNet-50 that take the most time.
func BenchmarkConv(b *testing.B) {
	for _, c := range []struct {
		name                   string
		in, out, size, k, s, g int64
	}{
		{"7x7", 3, 64, 224, 7, 2, 1},
		{"3x3", 64, 64, 56, 3, 1, 1},
		{"1x1", 256, 512, 28, 1, 1, 1},
		{"3x3small", 512, 512, 7, 3, 1, 1},
		{"depthwise", 96, 96, 56, 3, 1, 96},
	} {
		x, w := random(1, c.in, c.size, c.size), random(c.out, c.in/c.g, c.k, c.k)
		pad := ir.Dims(c.k/2, c.k/2)
		attr := &ir.ConvAttr{Stride: []int64{c.s, c.s}, Dilation: []int64{1, 1},
			InDilation: []int64{1, 1}, Lo: pad, Hi: pad, Groups: c.g}
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				if _, err := runOp(ir.OpConv, attr, x, w); err != nil {
					b.Fatal(err)
				}
			}
			macs := c.out * c.in / c.g * c.k * c.k * (c.size / c.s) * (c.size / c.s)
			b.ReportMetric(float64(macs)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}

func BenchmarkDot(b *testing.B) {
	for _, c := range []struct {
		name    string
		m, n, k int64
	}{{"square", 256, 256, 256}, {"vector", 1, 4096, 4096}} {
		x, y := random(c.m, c.k), random(c.k, c.n)
		attr := &ir.DotAttr{LContract: []int{1}, RContract: []int{0}}
		b.Run(c.name, func(b *testing.B) {
			for range b.N {
				if _, err := runOp(ir.OpDot, attr, x, y); err != nil {
					b.Fatal(err)
				}
			}
			macs := c.m * c.n * c.k
			b.ReportMetric(float64(macs)*float64(b.N)/b.Elapsed().Seconds()/1e9, "GMAC/s")
		})
	}
}

func BenchmarkElementwise(b *testing.B) {
	x := random(1 << 20)
	for _, op := range []ir.Op{ir.OpAdd, ir.OpMax, ir.OpExp, ir.OpTanh} {
		args := []*Tensor{x, x}[:op.Info().Args]
		b.Run(op.String(), func(b *testing.B) {
			for range b.N {
				if _, err := runOp(op, nil, args...); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
