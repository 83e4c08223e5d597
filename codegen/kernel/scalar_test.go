package kernel

import (
	"math"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// noScalar lists, with the reason, the elementwise operations that Run does not
// have.
var noScalar = map[ir.Op]string{ir.OpBarrier: "a view, which lowering looks through"}

// TestScalarIsTotal: Run computes every elementwise operation on every type
// that the op table names.
func TestScalarIsTotal(t *testing.T) {
	for _, op := range ir.Ops() {
		if !op.Is(ir.Elementwise) {
			continue
		}
		for _, d := range []ir.DType{ir.Bool, ir.I8, ir.I16, ir.I32, ir.I64, ir.U8, ir.U16, ir.U32, ir.U64,
			ir.F16, ir.BF16, ir.F32, ir.F64} {
			if !op.Info().Types.Has(d) {
				continue
			}
			args := make([]*Expr, op.Info().Args)
			for i := range args {
				args[i] = ConstExpr(d, 0)
			}
			_, err := scalarOp(OpExpr(op, args...))
			if _, excused := noScalar[op]; (err == nil) == excused {
				t.Errorf("%v of %v: %v, excused %v", op, d, err, excused)
			}
		}
	}
}

func TestScalar(t *testing.T) {
	f32 := func(v float32) uint64 { return uint64(math.Float32bits(v)) }
	i8 := func(v int8) uint64 { return uint64(int64(v)) }
	for _, tc := range []struct {
		op   ir.Op
		to   ir.DType
		in   ir.DType
		args []uint64
		want uint64
	}{
		{op: ir.OpAdd, in: ir.I8, args: []uint64{i8(127), i8(1)}, want: i8(-128)},
		{op: ir.OpDiv, in: ir.I8, args: []uint64{i8(-128), i8(-1)}, want: i8(-128)},
		{op: ir.OpDiv, in: ir.I8, args: []uint64{i8(5), 0}, want: 0},
		{op: ir.OpMod, in: ir.I8, args: []uint64{i8(-5), i8(3)}, want: i8(1)},
		{op: ir.OpShr, in: ir.I8, args: []uint64{i8(-5), i8(99)}, want: i8(-1)},
		{op: ir.OpMax, in: ir.F32, args: []uint64{f32(float32(math.Copysign(0, -1))), 0}, want: 0},
		{op: ir.OpFMA, in: ir.F32, args: []uint64{f32(1 + 0x1p-12), f32(1 + 0x1p-12), f32(-1 - 0x1p-11)},
			want: f32(0x1p-24)},
		{op: ir.OpCast, in: ir.F32, to: ir.I8, args: []uint64{f32(1e9)}, want: i8(127)},
		{op: ir.OpCast, in: ir.F32, to: ir.U8, args: []uint64{f32(-3)}, want: 0},
		{op: ir.OpCast, in: ir.F32, to: ir.F16, args: []uint64{f32(65519)}, want: 0x7bff},
		{op: ir.OpCast, in: ir.F32, to: ir.F16, args: []uint64{f32(0x1p-25)}, want: 0},
		{op: ir.OpCast, in: ir.F32, to: ir.BF16, args: []uint64{f32(1 + 0x1p-8)}, want: 0x3f80},
		{op: ir.OpCast, in: ir.F16, to: ir.F32, args: []uint64{1}, want: f32(0x1p-24)},
		{op: ir.OpBitcast, in: ir.F32, to: ir.I32, args: []uint64{f32(-1)}, want: 0xffffffffbf800000},
	} {
		args := make([]*Expr, len(tc.args))
		for i, a := range tc.args {
			args[i] = ConstExpr(tc.in, a)
		}
		e := OpExpr(tc.op, args...)
		if tc.to != ir.Invalid {
			e.DType = tc.to
		}
		f, err := scalarOp(e)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := f(tc.args); got != tc.want {
			t.Errorf("%v %v of %#x: %#x, want %#x", tc.op, tc.in, tc.args, got, tc.want)
		}
	}
}

// TestRunShared: what an expression shares is computed once; else this sum of
// a value with itself, 60 deep, would not end.
func TestRunShared(t *testing.T) {
	k := parse(t, `kernel k(x i64[N] in, y i64[N] out) dims(N)
	serial i < N
		y[i] = x[i]
`)
	st := k.Body[0].(*Loop).Body[0].(*Store)
	for range 60 {
		st.Value = OpExpr(ir.OpAdd, st.Value, st.Value)
	}
	x, y := make([]byte, 16), make([]byte, 16)
	x[0], x[8] = 3, 5
	if _, err := Run(k, [][]byte{x, y}, []int64{2}); err != nil {
		t.Fatal(err)
	}
	if y[7] != 3<<4 || y[15] != 5<<4 {
		t.Errorf("got %v, want 3<<60 and 5<<60", y)
	}
}
