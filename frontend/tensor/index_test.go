package tensor_test

import (
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// TestScalarMasks has masks without axes, which put one in: all or nothing.
func TestScalarMasks(t *testing.T) {
	x := tensor.Of([][]int{{1, 2, 3}, {4, 5, 6}})
	yes, no := tensor.Of(true), tensor.Of(false)
	want(t, x.Index(yes), []int{1, 2, 3}, int64(1), 2, 3, 4, 5, 6)
	want(t, x.Index(false), []int{0, 2, 3}, []int64{}...)
	want(t, x.Index(1, yes, []int{0, -1}), []int{2}, int64(4), 6)
	want(t, x.Index(tensor.All, yes, tensor.None, 2), []int{1, 2, 1}, int64(3), 6)
	want(t, tensor.Of(7.0).MaskedSelect(yes), []int{1}, 7.0)
	want(t, tensor.Of(7.0).MaskedSelect(no), []int{0}, []float64{}...)
	x.Set(0, no)
	x.Index(1).Set(9, yes)
	want(t, x, []int{2, 3}, int64(1), 2, 3, 9, 9, 9)
}

// TestScalarMaskOfArgument has a mask whose value is known when it runs.
func TestScalarMaskOfArgument(t *testing.T) {
	f, err := tensor.Jit(func(x tensor.Tensor) (tensor.Tensor, tensor.Tensor, error) {
		mask := x.Sum().Gt(0)
		y := x.Clone()
		y.Set(0, mask)
		return x.Index(mask), y, tensor.FirstError(y)
	}, "x=f32[N]")
	if err != nil {
		t.Fatal(err)
	}
	part, all, err := f(tensor.Of([]float32{1, 2}))
	if err != nil {
		t.Fatal(err)
	}
	want(t, part, []int{1, 2}, float32(1), 2)
	want(t, all, []int{2}, float32(0), 0)
	if part, all, err = f(tensor.Of([]float32{1, -2})); err != nil {
		t.Fatal(err)
	}
	want(t, part, []int{0, 2}, []float32{}...)
	want(t, all, []int{2}, float32(1), -2)
}

func TestChunkOfNothing(t *testing.T) {
	parts, err := tensor.Zeros(tensor.F32, 0, 2).Chunk(3, 0)
	if err != nil || len(parts) != 3 {
		t.Fatalf("%d parts, %v, want 3 without elements", len(parts), err)
	}
	want(t, parts[2], []int{0, 2}, []float32{}...)
}
