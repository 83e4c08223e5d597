package interp

import (
	"math"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

func axesOf(a ...int) ir.Attr { return &ir.AxesAttr{Axes: a} }

func axisOf(a int) ir.Attr { return &ir.AxisAttr{Axis: a} }

var cube = tensor(f32, []int64{2, 3, 2}, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)

// reduceCases are folds over axes.
var reduceCases = []opCase{
	{op: ir.OpSum, attr: axesOf(1), args: []*Tensor{cube},
		want: mat(2, 2, 6, 9, 24, 27)},
	{op: ir.OpSum, name: "sum outer and inner", attr: axesOf(0, 2), args: []*Tensor{cube},
		want: vec(f32, 14, 22, 30)},
	{op: ir.OpSum, name: "sum of no axes", attr: axesOf(), args: []*Tensor{vec(f32, 1, 2)},
		want: vec(f32, 1, 2)},
	{op: ir.OpSum, name: "sum to scalar", attr: axesOf(0, 1, 2), args: []*Tensor{cube},
		want: scalar(f32, 66)},
	{op: ir.OpSum, name: "sum rounds once", attr: axesOf(0),
		args: []*Tensor{vec(f32, 1<<24, 1, 1, -(1 << 24))}, want: scalar(f32, 2)},
	{op: ir.OpSum, name: "sum wraps", attr: axesOf(0), args: []*Tensor{vec(i8, 100, 100)},
		want: scalar(i8, -56)},
	{op: ir.OpSum, name: "sum of nothing", attr: axesOf(1), args: []*Tensor{mat(2, 0)},
		want: vec(f32, 0, 0)},
	{op: ir.OpProd, attr: axesOf(0), args: []*Tensor{vec(u8, 16, 17)}, want: scalar(u8, 16)},
	{op: ir.OpReduceMax, attr: axesOf(0), args: []*Tensor{vec(f32, 1, nan, 3)},
		want: scalar(f32, nan)},
	{op: ir.OpReduceMax, name: "max of zeros", attr: axesOf(0), args: []*Tensor{vec(f32, nzer, 0)},
		want: scalar(f32, 0)},
	{op: ir.OpReduceMax, name: "max of nothing", attr: axesOf(0), args: []*Tensor{vec(f32)},
		want: scalar(f32, -inf)},
	{op: ir.OpReduceMax, name: "max of nothing i8", attr: axesOf(0), args: []*Tensor{vec(i8)},
		want: scalar(i8, -128)},
	{op: ir.OpReduceMax, name: "max of no bool", attr: axesOf(0), args: []*Tensor{vec(ir.Bool)},
		want: scalar(ir.Bool, 0)},
	{op: ir.OpReduceMin, name: "min of no bool", attr: axesOf(0), args: []*Tensor{vec(ir.Bool)},
		want: scalar(ir.Bool, 1)},
	{op: ir.OpReduceMin, name: "min of nothing u8", attr: axesOf(0), args: []*Tensor{vec(u8)},
		want: scalar(u8, 255)},
	{op: ir.OpReduceMin, name: "min of nothing i64", attr: axesOf(0), args: []*Tensor{vec(i64)},
		want: FromSlice(i64, []int64{}, []int64{math.MaxInt64})},
	{op: ir.OpReduceMin, attr: axesOf(0), args: []*Tensor{vec(f32, 0, nzer)}, want: scalar(f32, nzer)},
	{op: ir.OpArgMax, attr: axisOf(1), args: []*Tensor{mat(3, 3, 1, 5, 5, nan, 9, nan, nzer, 0, 0)},
		want: vec(i64, 1, 0, 0)},
	{op: ir.OpArgMin, attr: axisOf(1), args: []*Tensor{mat(3, 3, 5, 1, 1, 0, nan, nan, 0, nzer, 0)},
		want: vec(i64, 1, 1, 0)},
	{op: ir.OpArgMax, name: "argmax axis 0", attr: axisOf(0), args: []*Tensor{mat(2, 2, 1, 4, 3, 2)},
		want: vec(i64, 1, 0)},
	{op: ir.OpArgMax, name: "argmax of nothing", attr: axisOf(0), args: []*Tensor{vec(f32)},
		err: "argmax: axis 0 of f32[0] is empty, want at least one element"},
	{op: ir.OpArgMax, name: "argmax u64", attr: axisOf(0),
		args: []*Tensor{FromSlice(ir.U64, []int64{2}, []uint64{1, 1 << 63})}, want: scalar(i64, 1)},
}

func TestReductions(t *testing.T) {
	for _, c := range reduceCases {
		c.run(t)
	}
}

func TestRunning(t *testing.T) {
	for _, c := range []opCase{
		{op: ir.OpCumSum, attr: &ir.CumAttr{Axis: 1}, args: []*Tensor{grid(2, 3)},
			want: mat(2, 3, 0, 1, 3, 3, 7, 12)},
		{op: ir.OpCumSum, name: "exclusive", attr: &ir.CumAttr{Exclusive: true},
			args: []*Tensor{vec(f32, 1, 2, 3)}, want: vec(f32, 0, 1, 3)},
		{op: ir.OpCumSum, name: "reverse", attr: &ir.CumAttr{Reverse: true},
			args: []*Tensor{vec(f32, 1, 2, 3)}, want: vec(f32, 6, 5, 3)},
		{op: ir.OpCumSum, name: "both", attr: &ir.CumAttr{Reverse: true, Exclusive: true},
			args: []*Tensor{vec(f32, 1, 2, 3)}, want: vec(f32, 5, 3, 0)},
		{op: ir.OpCumSum, name: "rounds once", attr: &ir.CumAttr{},
			args: []*Tensor{vec(f32, 1<<24, 1, 1)}, want: vec(f32, 1<<24, 1<<24, 1<<24+2)},
		{op: ir.OpCumProd, attr: &ir.CumAttr{}, args: []*Tensor{vec(i8, 2, 64, 3)},
			want: vec(i8, 2, -128, -128)},
		{op: ir.OpCumMax, attr: &ir.CumAttr{}, args: []*Tensor{vec(f32, -inf, 1, -2, nan, 3)},
			want: vec(f32, -inf, 1, 1, nan, nan)},
		{op: ir.OpCumMax, name: "exclusive reverse", attr: &ir.CumAttr{Exclusive: true, Reverse: true},
			args: []*Tensor{vec(i8, 5, 1, 2, -3)}, want: vec(i8, 2, 2, -3, -128)},
		{op: ir.OpCumLogSumExp, attr: &ir.CumAttr{}, args: []*Tensor{vec(f32, -inf, 1000, 1000, -5, inf)},
			want: vec(f32, -inf, 1000, 1000.69317626953125, 1000.69317626953125, inf)},
		{op: ir.OpCumLogSumExp, name: "exclusive", attr: &ir.CumAttr{Exclusive: true},
			args: []*Tensor{vec(f32, 0, nan, 0)}, want: vec(f32, -inf, 0, nan)},
		{op: ir.OpArgSort, attr: &ir.SortAttr{}, args: []*Tensor{vec(f32, 3, nan, nzer, 0, -inf, nan)},
			want: vec(i64, 4, 2, 3, 0, 1, 5)},
		{op: ir.OpArgSort, name: "descending", attr: &ir.SortAttr{Desc: true},
			args: []*Tensor{vec(f32, 3, nan, nzer, 0, -inf, 3)}, want: vec(i64, 1, 0, 5, 2, 3, 4)},
		{op: ir.OpArgSort, name: "argsort axis 0", attr: &ir.SortAttr{},
			args: []*Tensor{mat(2, 2, 2, 1, 1, 2)},
			want: tensor(i64, []int64{2, 2}, 1, 0, 0, 1)},
		{op: ir.OpArgSort, name: "argsort bool", attr: &ir.SortAttr{},
			args: []*Tensor{vec(ir.Bool, 1, 0, 1, 0)}, want: vec(i64, 1, 3, 0, 2)},
	} {
		c.run(t)
	}
}

func TestWindows(t *testing.T) {
	window := func(size, stride, dilation, lo, hi int64) ir.Attr {
		return &ir.WindowAttr{Size: []int64{1, size}, Stride: []int64{1, stride},
			Dilation: []int64{1, dilation}, Lo: ir.Dims(0, lo), Hi: ir.Dims(0, hi)}
	}
	x := mat(2, 4, 1, 2, 3, 4, -5, -6, -7, -8)
	for _, c := range []opCase{
		{op: ir.OpWindowMax, attr: window(3, 2, 1, 1, 0), args: []*Tensor{x},
			want: mat(2, 2, 2, 4, -5, -6)},
		{op: ir.OpWindowMax, name: "dilated", attr: window(2, 1, 2, 0, 0), args: []*Tensor{x},
			want: mat(2, 2, 3, 4, -5, -6)},
		{op: ir.OpWindowMax, name: "all padding", attr: window(1, 1, 1, 1, 0), args: []*Tensor{x},
			want: mat(2, 5, -inf, 1, 2, 3, 4, -inf, -5, -6, -7, -8)},
		{op: ir.OpWindowMax, name: "i8 padding", attr: window(1, 4, 1, 1, 0),
			args: []*Tensor{tensor(i8, []int64{1, 4}, 1, 2, 3, 4)},
			want: tensor(i8, []int64{1, 2}, -128, 4)},
		{op: ir.OpWindowMax, name: "nan", attr: window(2, 2, 1, 0, 0),
			args: []*Tensor{mat(1, 4, nan, 1, 2, 3)}, want: mat(1, 2, nan, 3)},
		{op: ir.OpWindowSum, attr: window(2, 1, 1, -1, 1), args: []*Tensor{x},
			want: mat(2, 3, 5, 7, 4, -13, -15, -8)},
		{op: ir.OpWindowMax, name: "mostly padding", attr: window(1<<40+1, 1, 1, 1<<40, 0),
			args: []*Tensor{x}, want: mat(2, 4, 1, 2, 3, 4, -5, -5, -5, -5)},
		{op: ir.OpWindowSum, name: "too large", attr: window(5, 1, 1, 0, 0), args: []*Tensor{x},
			want: mat(2, 0)},
		{op: ir.OpWindowSum, name: "both axes", attr: &ir.WindowAttr{Size: []int64{2, 2},
			Stride: []int64{1, 2}, Dilation: []int64{1, 1}, Lo: ir.Dims(0, 0), Hi: ir.Dims(0, 0)},
			args: []*Tensor{x}, want: mat(1, 2, 1+2-5-6, 3+4-7-8)},
		{op: ir.OpWindowSum, name: "rounds once",
			attr: &ir.WindowAttr{Size: []int64{4}, Stride: []int64{1}, Dilation: []int64{1},
				Lo: ir.Dims(0), Hi: ir.Dims(0)},
			args: []*Tensor{vec(f32, 1<<24, 1, 1, -(1 << 24))}, want: vec(f32, 2)},
	} {
		c.run(t)
	}
}
