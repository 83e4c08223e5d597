package interp

import (
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// grid is the f32 matrix 0, 1, 2, ...
func grid(rows, cols int64) *Tensor {
	t := tensor(ir.F32, []int64{rows, cols})
	for i := range Elements[float32](t) {
		Elements[float32](t)[i] = float32(i)
	}
	return t
}

func mat(rows, cols int64, data ...float64) *Tensor {
	return tensor(ir.F32, []int64{rows, cols}, data...)
}

func sliceAt(start, shape ir.Shape, step ...int64) ir.Attr {
	return &ir.SliceAttr{Start: start, Step: step, Shape: shape}
}

// x23 is the matrix that most cases work on.
var x23 = grid(2, 3)

// moveCases are moves of a 2x3 matrix, mostly.
var moveCases = []opCase{
	{op: ir.OpBroadcast, attr: &ir.BroadcastAttr{Shape: ir.Dims(2, 2, 3), Axes: []int{0, 2}},
		args: []*Tensor{mat(2, 1, 5, 6)},
		want: tensor(f32, []int64{2, 2, 3}, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6)},
	{op: ir.OpBroadcast, name: "broadcast scalar to nothing",
		attr: &ir.BroadcastAttr{Shape: ir.Dims(2, 0)}, args: []*Tensor{scalar(f32, 1)},
		want: mat(2, 0)},
	{op: ir.OpReshape, attr: &ir.ShapeAttr{Shape: ir.Dims(3, 2)}, args: []*Tensor{x23},
		want: grid(3, 2)},
	{op: ir.OpTranspose, attr: &ir.PermAttr{Perm: []int{1, 0}}, args: []*Tensor{x23},
		want: mat(3, 2, 0, 3, 1, 4, 2, 5)},
	{op: ir.OpSlice, attr: sliceAt(ir.Dims(1, 2), ir.Dims(1, 2), 1, -2), args: []*Tensor{x23},
		want: mat(1, 2, 5, 3)},
	{op: ir.OpSlice, name: "slice of nothing", attr: sliceAt(ir.Dims(9, 1), ir.Dims(0, 2), 1, 1),
		args: []*Tensor{x23}, want: mat(0, 2)},
	{op: ir.OpUpdateSlice, attr: sliceAt(ir.Dims(1, 2), ir.Dims(2, 2), -1, -2),
		args: []*Tensor{x23, mat(2, 2, 10, 20, 30, 40)}, want: mat(2, 3, 40, 1, 30, 20, 4, 10)},
	{op: ir.OpPad, attr: &ir.PadAttr{Lo: ir.Dims(1, -1), Hi: ir.Dims(0, 1)},
		args: []*Tensor{x23, scalar(f32, 9)}, want: mat(3, 3, 9, 9, 9, 1, 2, 9, 4, 5, 9)},
	{op: ir.OpPad, name: "crop all", attr: &ir.PadAttr{Lo: ir.Dims(0, -5), Hi: ir.Dims(0, 4)},
		args: []*Tensor{x23, scalar(f32, 9)}, want: mat(2, 2, 9, 9, 9, 9)},
	{op: ir.OpConcat, attr: &ir.AxisAttr{Axis: 1}, args: []*Tensor{x23, mat(2, 0), mat(2, 1, 7, 8)},
		want: mat(2, 4, 0, 1, 2, 7, 3, 4, 5, 8)},
	{op: ir.OpDynamicSlice, attr: &ir.ShapeAttr{Shape: ir.Dims(1, 2)},
		args: []*Tensor{x23, vec(i64, -3, 7)}, want: mat(1, 2, 1, 2)},
	{op: ir.OpDynamicSlice, name: "dynamicslice too large",
		attr: &ir.ShapeAttr{Shape: ir.Dims(1, 4)}, args: []*Tensor{x23, vec(i64, 0, 0)},
		err: "interp: v2 (node): dynamicslice: axis 1: part of 4, want at most 3"},
	{op: ir.OpDynamicUpdate, args: []*Tensor{x23, mat(1, 2, 7, 8), vec(i64, 5, 0)},
		want: mat(2, 3, 0, 1, 2, 7, 8, 5)},
}

func TestMoves(t *testing.T) {
	for _, c := range moveCases {
		c.run(t)
	}
}

func along(reduce string) ir.Attr { return &ir.ScatterAttr{Axis: 1, Reduce: reduce} }

func idx(rows, cols int64, data ...float64) *Tensor {
	return tensor(i64, []int64{rows, cols}, data...)
}

var axis1 = &ir.AxisAttr{Axis: 1}

// indexCases are gathers and scatters.
var indexCases = []opCase{
	{op: ir.OpGather, attr: axis1, args: []*Tensor{x23, tensor(i32, []int64{1, 2}, 2, 0)},
		want: tensor(f32, []int64{2, 1, 2}, 2, 0, 5, 3)},
	{op: ir.OpGather, name: "gather scalar", attr: &ir.AxisAttr{},
		args: []*Tensor{x23, scalar(i64, 1)},
		want: vec(f32, 3, 4, 5)},
	{op: ir.OpGather, name: "gather below", attr: axis1, args: []*Tensor{x23, vec(i64, -1)},
		err: "interp: v2 (node): gather: index -1, want in [0, 3)"},
	{op: ir.OpGather, name: "gather above", attr: axis1, args: []*Tensor{x23, vec(i64, 3)},
		err: "index 3, want in [0, 3)"},
	{op: ir.OpTakeAlong, attr: axis1, args: []*Tensor{x23, idx(2, 2, 2, 2, 0, 1)},
		want: mat(2, 2, 2, 2, 3, 4)},
	{op: ir.OpTakeAlong, name: "takealong fewer rows", attr: axis1,
		args: []*Tensor{x23, idx(1, 1, 1)}, want: mat(1, 1, 1)},
	{op: ir.OpTakeAlong, name: "takealong more rows", attr: axis1,
		args: []*Tensor{x23, idx(3, 1, 1, 1, 1)}, err: "axis 0"},
	{op: ir.OpTakeAlong, name: "takealong above", attr: axis1, args: []*Tensor{x23, idx(1, 1, 3)},
		err: "index 3, want in [0, 3)"},
	{op: ir.OpGatherND, attr: &ir.BatchAttr{}, args: []*Tensor{x23, idx(2, 2, 1, -1, 0, 1)},
		want: vec(f32, 5, 1)},
	{op: ir.OpGatherND, name: "gathernd rows", attr: &ir.BatchAttr{},
		args: []*Tensor{x23, idx(2, 1, 1, 0)},
		want: mat(2, 3, 3, 4, 5, 0, 1, 2)},
	{op: ir.OpGatherND, name: "gathernd batch", attr: &ir.BatchAttr{Batch: 1},
		args: []*Tensor{x23, idx(2, 1, 2, 0)}, want: vec(f32, 2, 3)},
	{op: ir.OpGatherND, name: "gathernd above", attr: &ir.BatchAttr{},
		args: []*Tensor{x23, idx(1, 2, 1, 3)}, err: "tuple 0, axis 1: index 3, want in [0, 3)"},
	{op: ir.OpScatterAlong, attr: along("none"),
		args: []*Tensor{x23, idx(2, 2, 0, 0, 2, 1), mat(2, 2, 7, 8, 9, 10)},
		want: mat(2, 3, 8, 1, 2, 3, 10, 9)},
	{op: ir.OpScatterAlong, name: "scatteralong add", attr: along("add"),
		args: []*Tensor{x23, idx(2, 2, 0, 0, 2, 1), mat(2, 2, 7, 8, 9, 10)},
		want: mat(2, 3, 15, 1, 2, 3, 14, 14)},
	{op: ir.OpScatterAlong, name: "scatteralong below", attr: along("add"),
		args: []*Tensor{x23, idx(1, 1, -1), mat(1, 1, 7)}, err: "index -1"},
	{op: ir.OpScatterND, attr: &ir.ScatterAttr{Reduce: "max"},
		args: []*Tensor{x23, idx(2, 1, 1, 1), mat(2, 3, 9, 0, nan, 0, 8, 0)},
		want: mat(2, 3, 0, 1, 2, 9, 8, nan)},
	{op: ir.OpScatterND, name: "scatternd mul int", attr: &ir.ScatterAttr{Reduce: "mul"},
		args: []*Tensor{vec(ir.I8, 100, 3), idx(2, 1, 0, 0), vec(ir.I8, 2, 2)},
		want: vec(ir.I8, -112, 3)},
	{op: ir.OpScatterND, name: "scatternd or", attr: &ir.ScatterAttr{Reduce: "add"},
		args: []*Tensor{vec(ir.Bool, 1, 0), idx(2, 1, 0, 1), vec(ir.Bool, 1, 1)},
		want: vec(ir.Bool, 1, 1)},
	{op: ir.OpNonZero, attr: &ir.DimsAttr{Dims: ir.Shape{ir.Sym("K")}},
		args: []*Tensor{mat(2, 3, 0, nzer, nan, 1, 0, -1)}, want: idx(2, 3, 0, 1, 1, 2, 0, 2)},
	{op: ir.OpNonZero, name: "nonzero of a scalar", attr: &ir.DimsAttr{Dims: ir.Shape{ir.Sym("K")}},
		args: []*Tensor{scalar(ir.I8, 1)}, want: idx(0, 1)},
	{op: ir.OpNonZero, name: "nonzero of another number", attr: &ir.DimsAttr{Dims: ir.Dims(2)},
		args: []*Tensor{vec(ir.I8, 1)}, err: "1 elements are not zero, want 2"},
}

func TestIndexing(t *testing.T) {
	for _, c := range indexCases {
		c.run(t)
	}
}
