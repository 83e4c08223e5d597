package interop_test

import (
	"testing"
	"unsafe"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/frontend/tensor/interop"
	"github.com/tensorcc/tcc/runtime"
)

// pointer is where a contiguous tensor's elements lie.
func pointer(t *testing.T, x *runtime.Tensor) *byte {
	t.Helper()
	b, err := x.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return unsafe.SliceData(b)
}

// TestScalar has no axis on either side, and shares memory.
func TestScalar(t *testing.T) {
	r := runtime.Scalar(float32(3))
	x, shared, err := interop.Tensor(r)
	if err != nil || !shared || x.Rank() != 0 {
		t.Fatalf("rank %d, shared %v, %v", x.Rank(), shared, err)
	}
	x.Set(4)
	if got := runtime.At[float32](r); got != 4 {
		t.Errorf("%v after a write of 4", got)
	}
	if back, err := interop.Runtime(x); err != nil || back.Rank() != 0 {
		t.Errorf("back: %v, %v", back, err)
	}
}

// TestShared compares data pointers, and looks for writes of each side on the
// other.
func TestShared(t *testing.T) {
	data := []float32{1, 2, 3, 4, 5, 6}
	r := runtime.MustFrom(data, 2, 3)
	x, shared, err := interop.Tensor(r)
	if err != nil || !shared {
		t.Fatalf("shared %v, %v", shared, err)
	}
	x.Set(9, 1, 2)
	if data[5] != 9 {
		t.Errorf("the slice has %v after a write through the tensor", data)
	}
	data[0] = 7
	if got := tensor.MustItem[float32](x.Index(0, 0).Mul(2)); got != 14 {
		t.Errorf("the tensor shows %v after a write to the slice", got)
	}
	back, err := interop.Runtime(x)
	if err != nil {
		t.Fatal(err)
	}
	if p := pointer(t, back); p != (*byte)(unsafe.Pointer(&data[0])) {
		t.Errorf("the tensor's memory is at %p, the slice at %p", p, &data[0])
	}
}

func TestTransposed(t *testing.T) {
	data := []int64{1, 2, 3, 4, 5, 6}
	r, err := runtime.MustFrom(data, 3, 2).Transpose()
	if err != nil {
		t.Fatal(err)
	}
	x, shared, err := interop.Tensor(r)
	if err != nil || !shared {
		t.Fatalf("shared %v, %v", shared, err)
	}
	x.Set(50, 0, 2)
	if data[4] != 50 || x.Shape()[1] != 3 {
		t.Errorf("data %v, shape %v", data, x.Shape())
	}
	gaps, err := runtime.MustFrom(data, 3, 2).Slice(1, 0, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	y, shared, err := interop.Tensor(gaps)
	if err != nil || shared {
		t.Fatalf("with gaps: shared %v, %v", shared, err)
	}
	if got := tensor.MustData[int64](y); got[1] != 3 || len(got) != 3 {
		t.Errorf("with gaps: %v", got)
	}
}

// TestElements moves tensors of every element type there and back.
func TestElements(t *testing.T) {
	for d := runtime.Bool; d <= runtime.F64; d++ {
		r, err := runtime.NewTensor(d, 2, 2)
		if err != nil {
			t.Fatal(err)
		}
		x, shared, err := interop.Tensor(r)
		if err != nil || !shared || x.DType().String() != d.String() {
			t.Errorf("%v: %v, shared %v, %v", d, x.DType(), shared, err)
			continue
		}
		back, err := interop.Runtime(x)
		if err != nil || back.DType() != d || pointer(t, back) != pointer(t, r) {
			t.Errorf("%v and back: %v, %v", d, back, err)
		}
	}
	if _, _, err := interop.Tensor(runtime.MustFrom([]string{"a"}, 1)); err == nil {
		t.Error("strings: no error")
	}
	empty := runtime.MustFrom([]float32{}, 0, 3)
	if x, _, err := interop.Tensor(empty); err != nil || x.Shape()[1] != 3 {
		t.Errorf("empty: %v, %v", x.Shape(), err)
	}
}
