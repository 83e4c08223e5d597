package runtime

import (
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"
)

// This file tests sizes that are known only while a model runs, and loops.

// count of positive elements, then a copy of them: the size is known only when it ran.
func positives(bufs []unsafe.Pointer, dims []int64, _, _ int64, _ unsafe.Pointer) int32 {
	n := int64(0)
	for _, x := range f32s(bufs[0], dims[0]) {
		if x > 0 {
			n++
		}
	}
	*(*int64)(bufs[1]) = n
	*(*bool)(bufs[2]) = n > 2
	return StatusOK
}

func compress(bufs []unsafe.Pointer, dims []int64, _, _ int64, _ unsafe.Pointer) int32 {
	y := f32s(bufs[1], dims[1])[:0]
	for _, x := range f32s(bufs[0], dims[0]) {
		if x > 0 {
			y = append(y, x)
		}
	}
	return StatusOK
}

// late is y = x[x > 0], and z = y if it has more than 2 elements, else x: branches of other sizes.
func late() *Program {
	return &Program{
		Name:   "late",
		Inputs: []Port{{Name: "x", DType: F32, Dims: []Int{^0}}},
		Outputs: []Port{
			{Name: "y", DType: F32, Dims: []Int{^1}}, {Name: "z", DType: F32, Dims: []Int{^2}}},
		Symbols: []Symbol{{Name: "N"}, {Name: "P", Input: -1}, {Name: "Z", Input: -1}},
		Exprs: []Expr{{Op: OpSym}, {Op: OpSym, A: 1}, {Op: OpSym, A: 2},
			{Op: OpMul, A: 4, B: ^0}, {Op: OpMul, A: 4, B: ^1}, {Op: OpMul, A: 4, B: ^2}},
		Checks: []Check{{Rel: AtMost, A: ^1, B: 5, Text: "node nz: NonZero"}},
		Buffers: []Buffer{{Kind: InInput, Size: ^3}, {Kind: InArena, Size: 8},
			{Kind: InArena, Offset: 64, Size: 1}, {Kind: InLate, Size: ^4},
			{Kind: InOutput, Size: ^4}, {Kind: InOutput, Index: 1, Size: ^5}},
		Kernels: []Kernel{goKernel("positives", positives, 1, 0), goKernel("compress", compress, 1, 0)},
		Steps: []Step{
			&Launch{Kernel: 0, Bufs: []int{0, 1, 2}, Writes: []int{1, 2}, Dims: []Int{^0}},
			&Bind{Symbol: 1, Buf: 1, DType: I64, Text: "node nz"},
			&Verify{Check: 0},
			&Alloc{Late: 0, Size: ^4},
			&Launch{Kernel: 1, Bufs: []int{0, 3}, Writes: []int{1}, Dims: []Int{^0, ^1}},
			&Alloc{Output: 1},
			&Copy{Dst: 4, Src: 3, Size: ^4},
			&If{Cond: 2,
				Then: []Step{&BindSlot{Symbol: 2, Value: ^1}, &Alloc{Output: 2},
					&Copy{Dst: 5, Src: 3, Size: ^4}},
				Else: []Step{&BindSlot{Symbol: 2, Value: ^0}, &Alloc{Output: 2},
					&Copy{Dst: 5, Src: 0, Size: ^3}}},
		},
		Arena: 128,
	}
}

func TestLate(t *testing.T) {
	m := newModel(t, late(), nil)
	out := []*Tensor{nil, nil}
	for _, c := range []struct{ x, y, z []float32 }{
		{[]float32{1, -2, 3}, []float32{1, 3}, []float32{1, -2, 3}},
		{[]float32{1, 2, 3, -4}, []float32{1, 2, 3}, []float32{1, 2, 3}},
		{[]float32{-1}, nil, []float32{-1}},
		{[]float32{5, 0, 6}, []float32{5, 6}, []float32{5, 0, 6}},
		{nil, nil, nil},
	} {
		if err := m.RunInto(out, []*Tensor{MustFrom(c.x, len(c.x))}); err != nil {
			t.Fatal(err)
		}
		for i, want := range [][]float32{c.y, c.z} {
			if got, _ := Slice[float32](out[i]); !cmp.Equal(want, got) {
				t.Errorf("x %v: output %d: got %v, wanted %v", c.x, i, got, want)
			}
		}
	}
	err := m.RunInto(out, []*Tensor{MustFrom([]float32{1, 2, 3, 4, 5, 6}, 6)})
	wantError(t, err, "late: node nz: NonZero: P is 6, wanted <= 5")
	if raceEnabled {
		return
	}
	in := []*Tensor{MustFrom([]float32{1, 2, -1}, 3)}
	if n := testing.AllocsPerRun(50, func() { _ = m.RunInto(out, in) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestLoop accumulates rows: y[i] += x[r][i], r being the loop's symbol.
func TestLoop(t *testing.T) {
	add := func(b []unsafe.Pointer, d []int64, _, _ int64, _ unsafe.Pointer) int32 {
		x, y := f32s(b[0], 2), f32s(b[1], 2)
		for i := range y {
			y[i] = y[i]*float32(min(d[0], 1)) + x[i]
		}
		return StatusOK
	}
	p := &Program{
		Name:    "loop",
		Inputs:  []Port{{Name: "x", DType: F32, Dims: []Int{^0, 2}}},
		Outputs: []Port{{Name: "y", DType: F32, Dims: []Int{2}}},
		Symbols: []Symbol{{Name: "N"}, {Name: "r", Input: -1}},
		Exprs:   []Expr{{Op: OpSym}, {Op: OpSym, A: 1}, {Op: OpMul, A: ^1, B: 8}},
		Buffers: []Buffer{{Kind: InInput, Offset: ^2, Size: 8}, {Kind: InOutput, Size: 8}},
		Kernels: []Kernel{goKernel("add", add, 1, 0)},
		Steps: []Step{&Loop{Symbol: 1, Trip: ^0, Body: []Step{
			&Launch{Bufs: []int{0, 1}, Writes: []int{1}, Dims: []Int{^1}}}}},
	}
	m := newModel(t, p, nil)
	for n := 1; n < 4; n++ {
		x := make([]float32, 2*n)
		want := []float32{0, 0}
		for i := range x {
			x[i] = float32(i + 1)
			want[i%2] += x[i]
		}
		out, err := m.Run([]*Tensor{MustFrom(x, n, 2)})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := Slice[float32](out[0]); !cmp.Equal(want, got) {
			t.Errorf("n=%d: got %v, wanted %v", n, got, want)
		}
	}
}

// TestLoopOverLateOutput has y, whose extent x gives, filled with rows and read row by row: row r
// is -r, and z sums what is read.
func TestLoopOverLateOutput(t *testing.T) {
	fill := func(b []unsafe.Pointer, d []int64, _, _ int64, _ unsafe.Pointer) int32 {
		for i, y := 0, f32s(b[0], 3*d[0]); i < len(y); i++ {
			y[i] = -float32(i / int(d[0]))
		}
		return StatusOK
	}
	sum := func(b []unsafe.Pointer, d []int64, _, _ int64, _ unsafe.Pointer) int32 {
		z := f32s(b[1], 1)
		if d[1] == 0 {
			z[0] = 0
		}
		for _, y := range f32s(b[0], d[0]) {
			z[0] += y
		}
		return StatusOK
	}
	p := &Program{
		Name:    "rows",
		Inputs:  []Port{{Name: "x", DType: I64}},
		Outputs: []Port{{Name: "y", DType: F32, Dims: []Int{3, ^0}}, {Name: "z", DType: F32}},
		Symbols: []Symbol{{Name: "N", Input: -1}, {Name: "r", Input: -1}},
		Exprs: []Expr{{Op: OpSym}, {Op: OpMul, A: 12, B: ^0}, {Op: OpMul, A: 4, B: ^0},
			{Op: OpSym, A: 1}, {Op: OpMul, A: ^2, B: ^3}},
		Buffers: []Buffer{{Kind: InInput, Size: 8}, {Kind: InOutput, Size: ^1},
			{Kind: InOutput, Offset: ^4, Size: ^2}, {Kind: InOutput, Index: 1, Size: 4}},
		Kernels: []Kernel{goKernel("fill", fill, 1, 0), goKernel("sum", sum, 1, 0)},
		Steps: []Step{
			&Bind{Symbol: 0, Buf: 0, DType: I64, Text: "x"},
			&Alloc{Output: 1},
			&Launch{Bufs: []int{1}, Writes: []int{0}, Dims: []Int{^0}},
			&Loop{Symbol: 1, Trip: 3, Body: []Step{
				&Launch{Kernel: 1, Bufs: []int{2, 3}, Writes: []int{1}, Dims: []Int{^0, ^3}}}}},
	}
	m := newModel(t, p, nil)
	for _, n := range []int64{2, 5, 1} {
		out, err := m.Run([]*Tensor{MustFrom([]int64{n})})
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := Slice[float32](out[1]); !cmp.Equal([]float32{-3 * float32(n)}, got) {
			t.Errorf("n=%d: got %v, wanted %v", n, got, -3*n)
		}
	}
}

// TestNegativeSize has a result of 4N-8 bytes.
func TestNegativeSize(t *testing.T) {
	p := &Program{
		Name:    "short",
		Inputs:  []Port{{Name: "x", DType: F32, Dims: []Int{^0}}},
		Symbols: []Symbol{{Name: "N"}},
		Exprs: []Expr{{Op: OpSym}, {Op: OpConst, Const: -8}, {Op: OpMul, A: ^0, B: 4},
			{Op: OpAdd, A: ^2, B: ^1}},
		Buffers: []Buffer{{Kind: InArena, Size: ^3}},
		Arena:   64,
	}
	m := newModel(t, p, nil)
	_, err := m.Run([]*Tensor{MustFrom([]float32{1}, 1)})
	wantError(t, err, "short: a result inside the model has (N*4-8) bytes, which is -4: "+
		"use larger inputs")
}
