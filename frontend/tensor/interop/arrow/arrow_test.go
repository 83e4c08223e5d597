package arrow_test

import (
	"testing"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	tccarrow "github.com/tensorcc/tcc/frontend/tensor/interop/arrow"
	"github.com/tensorcc/tcc/runtime"
)

func TestArray(t *testing.T) {
	b := array.NewFloat32Builder(memory.DefaultAllocator)
	b.AppendValues([]float32{1, 2, 3, 4}, nil)
	a := b.NewFloat32Array()
	defer a.Release()
	part := array.NewSlice(a, 1, 4)
	defer part.Release()
	x, shared, err := tccarrow.FromArray(part)
	if err != nil || !shared {
		t.Fatalf("shared %v, %v", shared, err)
	}
	data, err := runtime.Slice[float32](x)
	if err != nil {
		t.Fatal(err)
	}
	if &data[0] != &a.Float32Values()[1] || len(data) != 3 {
		t.Errorf("the tensor %v is not over the array", x.Text())
	}
	back, shared, err := tccarrow.Array(x)
	if err != nil || !shared {
		t.Fatalf("shared %v, %v", shared, err)
	}
	defer back.Release()
	if &back.(*array.Float32).Float32Values()[0] != &data[0] {
		t.Error("the array is not over the tensor")
	}
}

func TestNulls(t *testing.T) {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	b.AppendValues([]int64{1, 2}, []bool{true, false})
	a := b.NewArray()
	defer a.Release()
	if x, _, err := tccarrow.FromArray(a); err == nil {
		t.Errorf("an array with a null: %v", x)
	}
}

func TestList(t *testing.T) {
	b := array.NewFixedSizeListBuilder(memory.DefaultAllocator, 2, arrow.PrimitiveTypes.Int32)
	values := b.ValueBuilder().(*array.Int32Builder)
	for i := range int32(3) {
		b.Append(true)
		values.AppendValues([]int32{2 * i, 2*i + 1}, nil)
	}
	a := b.NewArray()
	defer a.Release()
	part := array.NewSlice(a, 1, 3)
	defer part.Release()
	x, shared, err := tccarrow.FromArray(part)
	if err != nil || !shared || x.String() != "i32[2,2]" || runtime.At[int32](x, 1, 0) != 4 {
		t.Errorf("list: %v, shared %v, %v", x, shared, err)
	}
}

func TestBools(t *testing.T) {
	b := array.NewBooleanBuilder(memory.DefaultAllocator)
	b.AppendValues([]bool{true, false, true}, nil)
	a := b.NewArray()
	defer a.Release()
	x, shared, err := tccarrow.FromArray(a)
	if err != nil || shared || !runtime.At[bool](x, 2) {
		t.Errorf("bools: %v, shared %v, %v", x, shared, err)
	}
}

func TestTensor(t *testing.T) {
	data := []float64{1, 2, 3, 4, 5, 6}
	x, shared, err := tccarrow.Tensor(runtime.MustFrom(data, 2, 3))
	if err != nil || !shared {
		t.Fatalf("shared %v, %v", shared, err)
	}
	defer x.Release()
	back, err := tccarrow.FromTensor(x)
	if err != nil {
		t.Fatal(err)
	}
	values, err := runtime.Slice[float64](back)
	if err != nil || unsafe.SliceData(values) != &data[0] || back.String() != "f64[2,3]" {
		t.Errorf("there and back: %v, %v", back, err)
	}
}
