package llvm_test

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/llvm/jit"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/ir"
)

// TestExpLanes: an exponential has the same bits in any number of lanes, and is right for
// numbers that are none, great, small and next to where results stop to be numbers.
func TestExpLanes(t *testing.T) {
	const n = 3840 // divided by all widths
	inf, nan := math.Inf(1), math.NaN()
	special := map[float32]float64{0: 1, float32(math.Copysign(0, -1)): 1, float32(inf): inf,
		float32(-inf): 0, 1e-45: 1, -1e-30: 1, 88.72284: inf, 3e38: inf, 1e10: inf, 4.2e6: inf,
		-103.98: 0, -200: 0, -4.2e6: 0, -1e10: 0, -3e38: 0, -103.97: 0x1p-149}
	x := make([]byte, 0, 4*n)
	for v := range special {
		x = binary.LittleEndian.AppendUint32(x, math.Float32bits(v))
	}
	x = binary.LittleEndian.AppendUint32(x, math.Float32bits(float32(nan)))
	for r := rand.New(rand.NewPCG(1, 2)); len(x) < 4*n; {
		x = binary.LittleEndian.AppendUint32(x, math.Float32bits(float32(r.NormFloat64()*40)))
	}
	for _, level := range levels(t) {
		target, _ := llvm.TargetOf(level)
		var first []byte
		for _, width := range []int64{16, 1, 2, 3, 4, 5, 6, 8, 12, 20, 32, 40, 48, 64} {
			k := parse(t, fmt.Sprintf("kernel k(x f32[%d] in, y f32[%[1]d] out)\n\tserial i < %d\n"+
				"\t\tvector l < %d\n\t\t\ty[%[3]d*i+l] = exp(x[%[3]d*i+l])\n", n, n/width, width))
			f, err := jit.CompileFor(t.Context(), mathfn.Kernel(k, target.Native), target, nil)
			if err != nil {
				t.Fatal(err)
			}
			y := make([]byte, 4*n)
			if err := f.Run([][]byte{x, y}); err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = y
			}
			for i := range n {
				if !sameBits(ir.F32, first, y, i) {
					v := math.Float32frombits(binary.LittleEndian.Uint32(x[4*i:]))
					t.Fatalf("%s: exp(%v) in %d lanes has other bits than in 16", level, v, width)
				}
			}
			_ = f.Close()
		}
		for i := range len(special) + 1 {
			v := math.Float32frombits(binary.LittleEndian.Uint32(x[4*i:]))
			got := float64(math.Float32frombits(binary.LittleEndian.Uint32(first[4*i:])))
			if want, ok := special[v]; got != want && ok || !ok && got == got {
				t.Errorf("%s: exp(%v) = %v, want %v", level, v, got, want)
			}
		}
	}
}

// TestExpBelow: of minus a magnitude, which has a form of its own, an exponential has the same
// bits as ever.
func TestExpBelow(t *testing.T) {
	const n = 4096
	x := make([]byte, 0, 4*n)
	for _, v := range []float64{math.Inf(-1), math.Copysign(0, -1), -3e38, -103.97, -103.98, -1e-40,
		math.Copysign(math.NaN(), -1), math.NaN()} {
		x = binary.LittleEndian.AppendUint32(x, math.Float32bits(float32(v)))
	}
	for r := rand.New(rand.NewPCG(1, 2)); len(x) < 4*n; {
		v := -math.Abs(r.NormFloat64() * 60)
		x = binary.LittleEndian.AppendUint32(x, math.Float32bits(float32(v)))
	}
	for _, level := range levels(t) {
		var all [2][]byte
		for i, arg := range []string{"x[8*i+l]", "neg(abs(x[8*i+l]))"} {
			k := parse(t, fmt.Sprintf("kernel k(x f32[%d] in, y f32[%[1]d] out)\n\tserial i < %d\n"+
				"\t\tvector l < 8\n\t\t\ty[8*i+l] = exp(%s)\n", n, n/8, arg))
			target, _ := llvm.TargetOf(level)
			f, err := jit.CompileFor(t.Context(), mathfn.Kernel(k, target.Native), target, nil)
			if err != nil {
				t.Fatal(err)
			}
			all[i] = make([]byte, 4*n)
			if err := f.Run([][]byte{x, all[i]}); err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
		}
		for i := range n {
			if !sameBits(ir.F32, all[0], all[1], i) {
				v := math.Float32frombits(binary.LittleEndian.Uint32(x[4*i:]))
				t.Fatalf("%s: exp(-|%v|) has other bits than exp(%[2]v)", level, v)
			}
		}
	}
}
