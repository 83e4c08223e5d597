package interp

import (
	"math"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// Elementwise semantics that NumPy does not decide, or decides otherwise.

var (
	inf  = math.Inf(1)
	nan  = math.NaN()
	nzer = math.Copysign(0, -1)
)

func toType(d ir.DType) ir.Attr { return &ir.DTypeAttr{DType: d} }

// edgeCases are what NumPy does not decide, or decides otherwise.
var edgeCases = []opCase{
	{op: ir.OpMax, args: []*Tensor{vec(f32, nzer, 0, inf, nan), vec(f32, 0, nzer, nan, 1)},
		want: vec(f32, 0, 0, nan, nan)},
	{op: ir.OpMin, args: []*Tensor{vec(f32, nzer, 0, -inf, nan), vec(f32, 0, nzer, nan, 1)},
		want: vec(f32, nzer, nzer, nan, nan)},
	{op: ir.OpSign, args: []*Tensor{vec(f32, nzer, 0, -inf, nan, 5)},
		want: vec(f32, nzer, 0, -1, nan, 1)},
	{op: ir.OpSign, args: []*Tensor{vec(u8, 0, 255)}, want: vec(u8, 0, 1)},
	{op: ir.OpDiv, name: "div int", args: []*Tensor{vec(i8, -128, -7, 7, 5), vec(i8, -1, 2, -2, 0)},
		want: vec(i8, -128, -3, -3, 0)},
	{op: ir.OpDiv, name: "div int64",
		args: []*Tensor{vec(i64, math.MinInt64, 1), vec(i64, -1, 0)},
		want: vec(i64, math.MinInt64, 0)},
	{op: ir.OpRem, name: "rem int", args: []*Tensor{vec(i8, -128, -7, 7, 5), vec(i8, -1, 2, -2, 0)},
		want: vec(i8, 0, -1, 1, 0)},
	{op: ir.OpPow, name: "pow int",
		args: []*Tensor{vec(i8, 2, 2, -1, -1, 1, 0, 3, 0, -2), vec(i8, 6, 7, -3, -2, -5, -1, -1, 0, 3)},
		want: vec(i8, 64, -128, -1, 1, 1, 0, 0, 1, -8)},
	{op: ir.OpPow, name: "pow special",
		args: []*Tensor{vec(f64, nzer, nzer, -8, 1, nan, -1, 0),
			vec(f64, -1, 3, 1.0/3, nan, 0, inf, -2)},
		want: vec(f64, -inf, nzer, nan, 1, 1, 1, inf)},
	{op: ir.OpShl, args: []*Tensor{vec(i8, 1, 1, 1, -1), vec(i8, 7, 8, -1, 127)},
		want: vec(i8, -128, 0, 0, 0)},
	{op: ir.OpShr, args: []*Tensor{vec(i8, -128, -128, -1, 127, 64), vec(i8, 7, 8, -1, -1, 6)},
		want: vec(i8, -1, -1, -1, 0, 1)},
	{op: ir.OpShr, name: "shr unsigned", args: []*Tensor{vec(u8, 255, 255, 255), vec(u8, 7, 8, 255)},
		want: vec(u8, 1, 0, 0)},
	{op: ir.OpNot, args: []*Tensor{vec(ir.Bool, 0, 1)}, want: vec(ir.Bool, 1, 0)},
	{op: ir.OpLt, name: "lt bool", args: []*Tensor{vec(ir.Bool, 0, 1, 0), vec(ir.Bool, 1, 0, 0)},
		want: vec(ir.Bool, 1, 0, 0)},
	{op: ir.OpIsInf, args: []*Tensor{vec(f32, inf, -inf, nan, 0)}, want: vec(ir.Bool, 1, 1, 0, 0)},
	{op: ir.OpIsNaN, args: []*Tensor{vec(f32, inf, -inf, nan, 0)}, want: vec(ir.Bool, 0, 0, 1, 0)},
	{op: ir.OpCast, name: "saturate i8", attr: toType(i8),
		args: []*Tensor{vec(f32, nan, inf, -inf, 127.9, 128, -128.9, -129, -0.9)},
		want: vec(i8, 0, 127, -128, 127, 127, -128, -128, 0)},
	{op: ir.OpCast, name: "saturate i64", attr: toType(i64),
		args: []*Tensor{vec(f64, 1e19, -1e19, 1<<62, nan)},
		want: &Tensor{DType: i64, Shape: []int64{4}, Data: FromSlice(i64, []int64{4},
			[]int64{math.MaxInt64, math.MinInt64, 1 << 62, 0}).Data}},
	{op: ir.OpCast, name: "saturate u8", attr: toType(u8),
		args: []*Tensor{vec(f32, nan, inf, -1, 255.9, 256, -0.5)},
		want: vec(u8, 0, 255, 0, 255, 255, 0)},
	{op: ir.OpCast, name: "u64", attr: toType(ir.U64), args: []*Tensor{vec(f64, 1<<63, -1, 1e30)},
		want: FromSlice(ir.U64, []int64{3}, []uint64{1 << 63, 0, math.MaxUint64})},
	{op: ir.OpCast, name: "i4", attr: toType(ir.I4), args: []*Tensor{vec(i8, 7, 8, -8, -9, 17)},
		want: vec(ir.I4, 7, -8, -8, 7, 1)},
	{op: ir.OpCast, name: "float to u4", attr: toType(ir.U4), args: []*Tensor{vec(f32, 15.5, 99, -1)},
		want: vec(ir.U4, 15, 15, 0)},
	{op: ir.OpCast, name: "from i4", attr: toType(f32), args: []*Tensor{vec(ir.I4, 7, -8)},
		want: vec(f32, 7, -8)},
	{op: ir.OpCast, name: "to bool", attr: toType(ir.Bool), args: []*Tensor{vec(f32, nzer, nan, 0.1)},
		want: vec(ir.Bool, 0, 1, 1)},
	{op: ir.OpBitcast, attr: toType(ir.I32), args: []*Tensor{vec(f32, 1, nzer)},
		want: vec(ir.I32, 0x3f800000, math.MinInt32)},
	{op: ir.OpBitcast, name: "bitcast i4", attr: toType(ir.U4), args: []*Tensor{vec(ir.I4, -1, 7)},
		want: vec(ir.U4, 15, 7)},
	{op: ir.OpSelect, args: []*Tensor{vec(ir.Bool, 1, 0), vec(f64, 1, 2), vec(f64, 3, 4)},
		want: vec(f64, 1, 4)},
	{op: ir.OpSigmoid, args: []*Tensor{vec(f32, -inf, -200, 0, 200, nan)},
		want: vec(f32, 0, 0, 0.5, 1, nan)},
	{op: ir.OpAdd, name: "scalars", args: []*Tensor{scalar(f32, 1), scalar(f32, 2)},
		want: scalar(f32, 3)},
	{op: ir.OpAdd, name: "empty",
		args: []*Tensor{tensor(f32, []int64{2, 0}), tensor(f32, []int64{2, 0})},
		want: tensor(f32, []int64{2, 0})},
}

func TestElementwiseEdges(t *testing.T) {
	for _, c := range edgeCases {
		c.run(t)
	}
}

// TestFMARoundsOnce uses sums just above the middle of two numbers, which
// rounding to float64 first would bring down to the middle.
func TestFMARoundsOnce(t *testing.T) {
	tiny := math.Ldexp(1, -80)
	for _, c := range []opCase{
		{op: ir.OpFMA, name: "f32",
			args: []*Tensor{scalar(ir.F32, 1+math.Ldexp(1, -12)), scalar(ir.F32, 1+math.Ldexp(1, -12)),
				scalar(ir.F32, tiny)},
			want: scalar(ir.F32, 1+math.Ldexp(1, -11)+math.Ldexp(1, -23))},
		{op: ir.OpFMA, name: "f16", args: []*Tensor{scalar(ir.F16, 1),
			scalar(ir.F16, 1+math.Ldexp(1, -10)), scalar(ir.F16, math.Ldexp(1, -11))},
			want: scalar(ir.F16, 1+math.Ldexp(1, -9))},
		{op: ir.OpFMA, name: "f64", args: []*Tensor{scalar(ir.F64, 1+math.Ldexp(1, -30)),
			scalar(ir.F64, 1-math.Ldexp(1, -30)), scalar(ir.F64, -1)},
			want: scalar(ir.F64, -math.Ldexp(1, -60))},
		{op: ir.OpFMA, name: "inf",
			args: []*Tensor{scalar(ir.F32, inf), scalar(ir.F32, 0), scalar(ir.F32, 1)},
			want: scalar(ir.F32, nan)},
	} {
		c.run(t)
	}
}

func TestCreate(t *testing.T) {
	u64 := func(x uint64) *Tensor { return FromSlice(ir.U64, []int64{}, []uint64{x}) }
	u32 := func(x ...uint32) *Tensor { return FromSlice(ir.U32, []int64{int64(len(x))}, x) }
	for _, c := range []opCase{
		{op: ir.OpIota, attr: &ir.IotaAttr{DType: ir.F16, Shape: ir.Dims(2, 3), Axis: 1},
			want: tensor(ir.F16, []int64{2, 3}, 0, 1, 2, 0, 1, 2)},
		{op: ir.OpIota, name: "iota axis 0", attr: &ir.IotaAttr{DType: ir.U8, Shape: ir.Dims(2, 3)},
			want: tensor(ir.U8, []int64{2, 3}, 0, 0, 0, 1, 1, 1)},
		{op: ir.OpIota, name: "iota empty",
			attr: &ir.IotaAttr{DType: ir.I64, Shape: ir.Dims(2, 0), Axis: 1},
			want: tensor(ir.I64, []int64{2, 0})},
		{op: ir.OpRandomBits, attr: &ir.RandomAttr{Shape: ir.Dims(5)}, args: []*Tensor{u64(0), u64(0)},
			want: u32(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8, 0x10d0edd0)},
	} {
		if c.op == ir.OpRandomBits {
			// The fifth word is the next block's first.
			next := philox([4]uint32{1}, [2]uint32{})
			Elements[uint32](c.want)[4] = next[0]
		}
		c.run(t)
	}
}

// TestPhilox has the known answers of the Random123 distribution (kat_vectors).
func TestPhilox(t *testing.T) {
	for _, c := range []struct {
		ctr  [4]uint32
		key  [2]uint32
		want [4]uint32
	}{
		{want: [4]uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
		{[4]uint32{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, [2]uint32{0xffffffff, 0xffffffff},
			[4]uint32{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
		{[4]uint32{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, [2]uint32{0xa4093822, 0x299f31d0},
			[4]uint32{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
	} {
		if got := philox(c.ctr, c.key); got != c.want {
			t.Errorf("philox(%x, %x) = %x, want %x", c.ctr, c.key, got, c.want)
		}
	}
}
