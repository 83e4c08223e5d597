package runtime

import (
	"math"
	goruntime "runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func goGC() { goruntime.GC() }

func iota32(shape ...int) *Tensor {
	n := 1
	for _, s := range shape {
		n *= s
	}
	x := make([]int32, n)
	for i := range x {
		x[i] = int32(i)
	}
	return MustFrom(x, shape...)
}

func elems(t *testing.T, x *Tensor) []int32 {
	t.Helper()
	s, err := Slice[int32](x.Contiguous())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestViews(t *testing.T) {
	x := iota32(2, 3, 4)
	must := func(v *Tensor, err error) *Tensor {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, c := range []struct {
		name  string
		view  *Tensor
		shape []int
		want  []int32
	}{
		{"transpose", must(must(x.Slice(0, 0, 1, 1)).Transpose()), []int{4, 3, 1},
			[]int32{0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11}},
		{"slice", must(must(x.Slice(1, 1, 2, 1)).Slice(-1, -3, 99, 2)), []int{2, 1, 2},
			[]int32{5, 7, 17, 19}},
		{"reverse", must(must(iota32(5).Slice(0, -1, -6, -2)).Slice(0, 0, 3, 1)), []int{3},
			[]int32{4, 2, 0}},
		{"empty", must(x.Slice(2, 3, 1, 1)), []int{2, 3, 0}, nil},
		{"reshape", must(must(x.Slice(0, 1, 2, 1)).Reshape(2, 6)), []int{2, 6},
			[]int32{12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23}},
	} {
		if d := cmp.Diff(c.shape, c.view.Shape()); d != "" {
			t.Errorf("%s: shape -want +got\n%s", c.name, d)
		}
		if d := cmp.Diff(c.want, elems(t, c.view)); d != "" {
			t.Errorf("%s: -want +got\n%s", c.name, d)
		}
	}
	v := must(x.Transpose(2, 0, 1))
	Set(v, int32(-1), 3, 1, 2)
	if got := At[int32](x, 1, 2, 3); got != -1 {
		t.Errorf("a write through a view: got %d, wanted -1", got)
	}
	if _, err := v.Reshape(24); err == nil {
		t.Error("reshape of a view that is not contiguous gave no error")
	}
	if _, err := Slice[int32](v); err == nil {
		t.Error("slice of a view that is not contiguous gave no error")
	}
	if err := x.CopyFrom(x.Clone()); err != nil {
		t.Error(err)
	}
	sq := iota32(2, 2)
	if err := sq.CopyFrom(must(sq.Transpose())); err != nil {
		t.Error(err)
	}
	if d := cmp.Diff([]int32{0, 2, 1, 3}, elems(t, sq)); d != "" {
		t.Errorf("copy of an overlapping view: %s", d)
	}
}

func TestTensorErrors(t *testing.T) {
	_, err := From([]float32{1, 2}, 3)
	wantError(t, err, "slice has 2 elements, shape [3] wants 3")
	_, err = From([]float32{}, -1)
	wantError(t, err, "negative dim")
	_, err = NewTensor(F32, 1<<30, 1<<30, 1<<30)
	wantError(t, err, "more elements than memory can hold")
	if _, err = NewTensor(F32, 1<<30, 1<<30, 1<<30, 0); err != nil {
		t.Error(err)
	}
	_, err = FromBytes(F32, make([]byte, 7), 2)
	wantError(t, err, "7 bytes given, f32[2] wants 8")
	_, err = FromBytes(F32, make([]byte, 16)[1:], 2)
	wantError(t, err, "not aligned")
	_, err = Slice[int64](iota32(2))
	wantError(t, err, "elements are i32, asked for i64")
	_, err = iota32(2, 2).Transpose(0, 0)
	wantError(t, err, "axis 0 twice")
	_, err = iota32(2, 2).Slice(2, 0, 1, 1)
	wantError(t, err, "axis 2 of i32[2,2]")
}

func TestText(t *testing.T) {
	for _, c := range []struct {
		t    *Tensor
		want string
	}{
		{iota32(2, 8), "i32[2,8] [[0 1 2 ... 5 6 7] [8 9 10 ... 13 14 15]]"},
		{Scalar(float32(1.5)), "f32[] 1.5"},
		{MustFrom([]string{"a"}, 1), `string[1] ["a"]`},
		{MustFrom([]Float16{ToFloat16(0.1)}, 1), "f16[1] [0.09998]"},
		{&Tensor{}, "none[]"},
	} {
		if got := c.t.Text(); got != c.want {
			t.Errorf("got %s, wanted %s", got, c.want)
		}
	}
}

func TestHalf(t *testing.T) {
	for i := range 1 << 16 {
		h := Float16(i)
		f := h.Float32()
		if f != f {
			if g := ToFloat16(f); g.Float32() == g.Float32() {
				t.Fatalf("NaN %#x became %#x", i, g)
			}
			continue
		}
		if g := ToFloat16(f); g != h {
			t.Fatalf("%#x is %v, which became %#x", i, f, g)
		}
		// Halfway to the next: to even.
		next := Float16(i + 1).Float32()
		if i&0x7fff < 0x7bff {
			if mid := float32((float64(f) + float64(next)) / 2); ToFloat16(mid) != Float16((i+1)&^1) {
				t.Fatalf("%v between %#x and the next became %#x", mid, i, ToFloat16(mid))
			}
		}
		if b := BFloat16(i); b.Float32() == b.Float32() && ToBFloat16(b.Float32()) != b {
			t.Fatalf("bf16 %#x did not come back", i)
		}
	}
	if ToFloat16(65520) != 0x7c00 || ToFloat16(65519) != 0x7bff ||
		ToFloat16(float32(math.Inf(-1))) != 0xfc00 {
		t.Error("overflow is not to infinity")
	}
}

func TestExpr(t *testing.T) {
	for _, c := range []struct {
		op         ExprOp
		a, b, want int64
	}{
		{OpAdd, math.MaxInt64, 1, overflow}, {OpSub, -2, 3, -5},
		{OpMul, 1 << 32, 1 << 31, overflow}, {OpMul, -3, 4, -12},
		{OpFloorDiv, -7, 2, -4}, {OpCeilDiv, -7, 2, -3}, {OpCeilDiv, 7, 2, 4}, {OpMod, -7, 3, 2},
		{OpFloorDiv, 7, 0, 0}, {OpMod, 7, 0, 0}, {OpMin, 2, 3, 2}, {OpMax, 2, 3, 3},
		{OpEq, 2, 2, 1}, {OpLess, 2, 2, 0},
	} {
		slots := []int64{c.a, c.b}
		if got := eval(&Expr{Op: c.op, A: ^0, B: ^1}, slots, nil); got != c.want {
			t.Errorf("op %d of %d, %d: got %d, wanted %d", c.op, c.a, c.b, got, c.want)
		}
	}
}

func TestFromStrided(t *testing.T) {
	data := []float32{0, 1, 2, 3, 4, 5, 6, 7}
	x, err := FromStrided(data, 7, []int{2, 3}, []int{-4, -1})
	if err != nil {
		t.Fatal(err)
	}
	Set(x, float32(9), 1, 2)
	if data[1] != 9 || At[float32](x, 0, 1) != 6 {
		t.Errorf("view %v of %v", x.Text(), data)
	}
	for _, bad := range []struct {
		offset         int
		shape, strides []int
	}{
		{0, []int{2, 5}, []int{4, 1}}, {0, []int{9}, []int{1}},
		{-1, []int{2}, []int{1}}, {1, []int{3}, []int{-1}},
		{0, []int{1 << 40}, []int{1 << 40}}, {0, []int{2}, []int{-1 << 63}},
		{0, []int{2}, nil}, {8, nil, nil},
	} {
		if x, err := FromStrided(data, bad.offset, bad.shape, bad.strides); err == nil {
			t.Errorf("%+v: made %v, wanted an error", bad, x)
		}
	}
	if _, err := FromStrided(data, 8, []int{0, 3}, []int{3, 1}); err != nil {
		t.Errorf("an empty view: %v", err)
	}
}
