package tensor_test

import (
	"math"
	"slices"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// The examples of NumPy's user guide, chapter "Indexing on ndarrays", and of
// its reference of advanced indexing.

type idx = []any

// to is a slice from start to stop.
func to(start, stop any, step ...int) tensor.Range { return tensor.Slice(start, stop, step...) }

var (
	all, none, dots = tensor.All, tensor.None, tensor.Ellipsis
	line            = func() tensor.Tensor { return tensor.Arange(10) }
	column          = func() tensor.Tensor { return tensor.Arange(1, 7).Reshape(2, 3, 1) }
	down            = func() tensor.Tensor { return tensor.Arange(10, 1, -1) }
	pairs           = func() tensor.Tensor { return tensor.Of([][]int{{1, 2}, {3, 4}, {5, 6}}) }
	grid            = func() tensor.Tensor { return tensor.Arange(35).Reshape(5, 7) }
	block           = func() tensor.Tensor { return tensor.Arange(12).Reshape(4, 3) }
	cube            = func() tensor.Tensor { return tensor.Arange(30).Reshape(2, 3, 5) }
	hyper           = func() tensor.Tensor { return tensor.Arange(81).Reshape(3, 3, 3, 3) }
)

// range64 is from, from+step, ... below to.
func range64(from, to, step int64) []int64 {
	var out []int64
	for i := from; i < to; i += step {
		out = append(out, i)
	}
	return out
}

type read struct {
	name  string
	x     tensor.Tensor
	index idx
	shape []int
	want  []int64
}

// guideReads is the guide's examples of reading.
func guideReads() []read {
	over := grid().Gt(20)
	return []read{
		{"x[2]", line(), idx{2}, []int{}, []int64{2}},
		{"x[-2]", line(), idx{-2}, []int{}, []int64{8}},
		{"x[1, 3]", line().Reshape(2, 5), idx{1, 3}, []int{}, []int64{8}},
		{"x[1, -1]", line().Reshape(2, 5), idx{1, -1}, []int{}, []int64{9}},
		{"x[0]", line().Reshape(2, 5), idx{0}, []int{5}, range64(0, 5, 1)},
		{"x[1:7:2]", line(), idx{to(1, 7, 2)}, []int{3}, []int64{1, 3, 5}},
		{"x[-2:10]", line(), idx{to(-2, 10)}, []int{2}, []int64{8, 9}},
		{"x[-3:3:-1]", line(), idx{to(-3, 3, -1)}, []int{4}, []int64{7, 6, 5, 4}},
		{"x[5:]", line(), idx{to(5, nil)}, []int{5}, range64(5, 10, 1)},
		{"x[1:2] of three axes", column(), idx{to(1, 2)}, []int{1, 3, 1}, []int64{4, 5, 6}},
		{"x[..., 0]", column(), idx{dots, 0}, []int{2, 3}, range64(1, 7, 1)},
		{"x[:, :, 0]", column(), idx{all, all, 0}, []int{2, 3}, range64(1, 7, 1)},
		{"x[:, newaxis, :, :]", column(), idx{all, none, all, all}, []int{2, 1, 3, 1}, range64(1, 7, 1)},
		{"x[[3, 3, 1, 8]]", down(), idx{[]int{3, 3, 1, 8}}, []int{4}, []int64{7, 7, 9, 2}},
		{"x[[3, 3, -3, 8]]", down(), idx{[]int{3, 3, -3, 8}}, []int{4}, []int64{7, 7, 4, 2}},
		{"x[[1, -1]]", pairs(), idx{[]int{1, -1}}, []int{2, 2}, []int64{3, 4, 5, 6}},
		{"y[[0, 2, 4], [0, 1, 2]]", grid(), idx{[]int{0, 2, 4}, []int{0, 1, 2}}, []int{3},
			[]int64{0, 15, 30}},
		{"y[[0, 2, 4], 1]", grid(), idx{[]int{0, 2, 4}, 1}, []int{3}, []int64{1, 15, 29}},
		{"x[[0, 1, 2], [0, 1, 0]]", pairs(), idx{[]int{0, 1, 2}, []int{0, 1, 0}}, []int{3},
			[]int64{1, 4, 5}},
		{"corners", block(), idx{[][]int{{0, 0}, {3, 3}}, [][]int{{0, 2}, {0, 2}}}, []int{2, 2},
			[]int64{0, 2, 9, 11}},
		{"corners by broadcasting", block(), idx{tensor.Of([]int{0, 3}).Unsqueeze(1), []int{0, 2}},
			[]int{2, 2}, []int64{0, 2, 9, 11}},
		{"diagonal, as ix_ is not used", block(), idx{[]int{0, 3}, []int{0, 2}}, []int{2},
			[]int64{0, 11}},
		{"x[1:2, 1:3]", block(), idx{to(1, 2), to(1, 3)}, []int{1, 2}, []int64{4, 5}},
		{"x[1:2, [1, 2]]", block(), idx{to(1, 2), []int{1, 2}}, []int{1, 2}, []int64{4, 5}},
		{"rows whose sum is at most 2", tensor.Of([][]int{{0, 1}, {1, 1}, {2, 2}}),
			idx{tensor.Of([]int{1, 2, 4}).Le(2), all}, []int{2, 2}, []int64{0, 1, 1, 1}},
		{"y[b]", grid(), idx{over}, []int{14}, range64(21, 35, 1)},
		{"y[b[:, 5]]", grid(), idx{over.Index(all, 5)}, []int{2, 7}, range64(21, 35, 1)},
		{"x[b] with two of three axes", cube(), idx{[][]bool{{true, true, false}, {false, true, true}}},
			[]int{4, 5}, append(range64(0, 10, 1), range64(20, 30, 1)...)},
		{"x[rows.nonzero()[0][:, newaxis], columns]", block(),
			idx{tensor.Of([]int{1, 3}).Unsqueeze(1), []int{0, 2}}, []int{2, 2}, []int64{3, 5, 9, 11}},
		{"x[rows, columns] broadcasts", block(), idx{[]bool{false, true, false, true}, []int{0, 2}},
			[]int{2}, []int64{3, 11}},
		{"y[[0, 2, 4], 1:3]", grid(), idx{[]int{0, 2, 4}, to(1, 3)}, []int{3, 2},
			[]int64{1, 2, 15, 16, 29, 30}},
		{"y[:, 1:3][[0, 2, 4], :]", grid().Index(all, to(1, 3)), idx{[]int{0, 2, 4}, all}, []int{3, 2},
			[]int64{1, 2, 15, 16, 29, 30}},
		{"z[1, 1, 1, 1]", hyper(), idx{1, 1, 1, 1}, []int{}, []int64{40}},
		{"z[1, 1, 1, 0:2]", hyper(), idx{1, 1, 1, to(0, 2)}, []int{2}, []int64{39, 40}},
		{"z[1, ..., 1]", hyper(), idx{1, dots, 1}, []int{3, 3}, range64(28, 53, 3)},
	}
}

func TestGuideReads(t *testing.T) {
	for _, c := range guideReads() {
		t.Run(c.name, func(t *testing.T) { want(t, c.x.Index(c.index...), c.shape, c.want...) })
	}
	sums := tensor.Arange(5).Index(all, none).Add(tensor.Arange(5).Index(none, all))
	want(t, sums.Index(4), []int{5}, range64(4, 9, 1)...)
	nan := math.NaN()
	x := tensor.Of([][]float64{{1, 2}, {nan, 3}, {nan, nan}})
	want(t, x.Index(x.IsNaN().Not()), []int{3}, 1.0, 2, 3)
}

// TestGuideAxes has where the axes of index arrays stand.
func TestGuideAxes(t *testing.T) {
	ind := tensor.Zeros(tensor.I64, 2, 3, 4)
	x := tensor.Zeros(tensor.U8, 10, 20, 30)
	y := tensor.Zeros(tensor.U8, 5, 6, 7, 8, 9)
	for _, c := range []struct {
		got  tensor.Tensor
		want []int
	}{
		{x.Index(dots, ind, all), []int{10, 2, 3, 4, 30}},
		{y.Index(all, ind, ind), []int{5, 2, 3, 4, 8, 9}},
		{y.Index(all, ind, all, ind), []int{2, 3, 4, 5, 7, 9}},
		{y.Index(0, all, ind), []int{2, 3, 4, 6, 8, 9}},
		{y.Index(ind, none, ind), []int{2, 3, 4, 1, 7, 8, 9}},
		{hyper().Index([]int{1, 1, 1, 1}), []int{4, 3, 3, 3}},
		{tensor.Zeros(tensor.U8, 3, 4).Index(all, tensor.Of([]int{}).Cast(tensor.I64)), []int{3, 0}},
	} {
		if got := c.got.Shape(); c.got.Err() != nil || !slices.Equal(got, c.want) {
			t.Errorf("shape %v, want %v: %v", got, c.want, c.got.Err())
		}
	}
}

func TestGuideWrites(t *testing.T) {
	for _, c := range []struct {
		name  string
		x     tensor.Tensor
		value any
		index idx
		want  []int64
	}{
		{"x[2:7] = 1", line(), 1, idx{to(2, 7)}, []int64{0, 1, 1, 1, 1, 1, 1, 7, 8, 9}},
		{"x[2:7] = arange(5)", line(), tensor.Arange(5), idx{to(2, 7)},
			[]int64{0, 1, 0, 1, 2, 3, 4, 7, 8, 9}},
		{"x[1] = 1.2", line(), 1.2, idx{1}, range64(0, 10, 1)},
		{"x[[1, 1, 3, 1]] += 1", tensor.Arange(0, 50, 10),
			tensor.Arange(0, 50, 10).Index([]int{1, 1, 3, 1}).Add(1), idx{[]int{1, 1, 3, 1}},
			[]int64{0, 11, 20, 31, 40}},
		{"x[x < 0] += 20", tensor.Of([]int{1, -1, -2, 3}), []int{19, 18},
			idx{[]bool{false, true, true, false}}, []int64{1, 19, 18, 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.x.Set(c.value, c.index...).Err(); err != nil {
				t.Fatal(err)
			}
			want(t, c.x, []int{len(c.want)}, c.want...)
		})
	}
}

// TestGuideErrors has what the guide shows as errors.
func TestGuideErrors(t *testing.T) {
	if err := tensor.Realize(pairs().Index([]int{3, 4})); err == nil {
		t.Error("x[[3, 4]] of three rows: no error")
	}
	if err := grid().Index([]int{0, 2, 4}, []int{0, 1}).Err(); err == nil {
		t.Error("y[[0, 2, 4], [0, 1]]: no error")
	}
	if err := line().Index(10).Err(); err == nil {
		t.Error("x[10]: no error")
	}
}
