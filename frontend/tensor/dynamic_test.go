package tensor_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/frontend/tensor/native"
	"github.com/tensorcc/tcc/ir"
)

// list makes a list of one.
func list(ts ...tensor.Tensor) ([]tensor.Tensor, error) { return ts, tensor.FirstError(ts...) }

// dynamic has functions of one argument whose extents have names, and shapes to
// call them with.
var dynamic = []struct {
	name, spec string
	f          func(x tensor.Tensor) ([]tensor.Tensor, error)
	shapes     [][]int
}{
	{"nearest", "f64[N,2,H,W]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
		return list(x.Interpolate([]int{4, 7}, tensor.Nearest),
			x.Interpolate([]int{4, 7}, tensor.NearestExact),
			x.Interpolate(nil, tensor.Nearest, tensor.ScaleFactor(2, 0.75)))
	}, [][]int{{1, 2, 3, 5}, {2, 2, 4, 7}, {1, 2, 9, 2}}},
	{"linear", "f32[N,2,W]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
		return list(x.Interpolate([]int{5}, tensor.Linear),
			x.Interpolate([]int{5}, tensor.Linear, tensor.AlignCorners()),
			x.Interpolate([]int{1}, tensor.Linear, tensor.AlignCorners()),
			x.Interpolate(nil, tensor.Linear, tensor.ScaleFactor(1.5)))
	}, [][]int{{1, 2, 3}, {2, 2, 5}, {1, 2, 1}, {1, 2, 11}}},
	{"cubic", "i32[1,1,H,W]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
		return list(x.Interpolate([]int{3, 8}, tensor.Bicubic),
			x.InterpolateTo(ir.Shape{x.Dims()[3], x.Dims()[2]}, tensor.Bicubic, tensor.AlignCorners()))
	}, [][]int{{1, 1, 3, 5}, {1, 1, 6, 4}}},
	{"area", "f64[1,2,H,W]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
		return list(x.Interpolate([]int{3, 4}, tensor.Area), x.AdaptiveAvgPool2d([]int{1, -1}),
			x.InterpolateTo(ir.Shape{x.Dims()[3], x.Dims()[2]}, tensor.Area))
	}, [][]int{{1, 2, 3, 5}, {1, 2, 7, 8}, {1, 2, 1, 1}}},
	{"adaptive", "f32[2,K,3*K]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
		return list(x.AdaptiveMaxPool2d([]int{5, 3}), x.AdaptiveAvgPool1d(3), x.AdaptiveMaxPool1d(4),
			x.AdaptiveAvgPool1d(0))
	}, [][]int{{2, 1, 3}, {2, 2, 6}, {2, 7, 21}}},
	{"fold", "f64[N,C,H,W]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
		opts := []tensor.WindowOption{tensor.Stride(2, 1), tensor.Padding(1), tensor.Dilation(1, 2)}
		y := tensor.Unfold(x, []int{2, 3}, opts...)
		return list(y, tensor.FoldTo(y, x.Dims()[2:], []int{2, 3}, opts...))
	}, [][]int{{1, 2, 3, 5}, {2, 1, 6, 7}}},
	{"fold channels", "i64[C,6*C,20]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
		return list(tensor.Fold(x, []int{5, 7}, []int{2, 3}))
	}, [][]int{{1, 6, 20}, {2, 12, 20}}},
	{"split", "f64[N,4]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
		parts, err := x.Split(0, 1, -1, 2)
		if err != nil {
			return nil, err
		}
		parts[1].Add_(100)
		more, err := x.TensorSplit(4, 0)
		return append(append(parts, more...), x.Narrow(0, -2, 2), x.Narrow(0, 1, 1)), err
	}, [][]int{{3, 4}, {5, 4}, {8, 4}}},
	{"chunk", "f64[3*N,N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
		parts, err := x.Chunk(3, 0)
		return append(parts, x.Reshape(-1).Glu(0)), err
	}, [][]int{{6, 2}, {12, 4}}},
	{"masks", "f64[N,4,N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
		row := x.Index(0, 0)
		mask := row.Gt(row.Mean())
		count := mask.Nonzero
		at, err := count()
		if err != nil {
			return nil, err
		}
		y := x.Clone()
		y.Set(-1, mask, tensor.All, row.Gt(row.Mean()))
		z := x.Clone()
		z.Set(x.Index(0, 0, 0), mask, []int{2}, at[0])
		return list(x.Index(mask, tensor.All, mask), x.Index(mask, at[0], 0), x.Index(mask, 0),
			x.Index(tensor.All, 1, mask), x.Index(mask, []int{1}), x.Index(mask, [][]int{{1}, {2}}), y, z)
	}, [][]int{{2, 4, 2}, {3, 4, 3}, {4, 4, 4}}},
	{"masks of numbers", "f64[4]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
		m, y := x.Gt(x.Mean()), tensor.Arange(24).Reshape(4, 6)
		return list(y.Index(m, []int{1, 5}), y.Index(m, []int{0, 1}).Add([]int{10, 20}),
			y.T().Index([]int{5, 2}, x.Lt(x.Mean())))
	}, [][]int{{4}}},
	{"halves", "f32[N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
		parts, err := x.Split(0, 2, 2)
		return append(parts, x.Glu(0), x.RepeatEach([]int{1, 0, 2, 1}, 0)), err
	}, [][]int{{4}}},
	{"lines", "f64[2,N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
		return list(x.Diff(1, 1), x.Diff(3, 1), x.Diff(1, 0), x.Roll(2, 1), x.Roll(-1))
	}, [][]int{{2, 5}, {2, 2}, {2, 1}, {2, 0}}},
}

// TestDynamic compares what functions give for extents that have names while
// they are recorded with what they give for numbers.
func TestDynamic(t *testing.T) {
	t.Run("interp", func(t *testing.T) { runDynamic(t, tensor.Interpreter()) })
	t.Run("native", func(t *testing.T) {
		if testing.Short() {
			t.Skip("compiles for some seconds: -short")
		}
		if err := native.Use(); err != nil {
			t.Skipf("no LLVM: %v", err)
		}
		runDynamic(t, tensor.SetEvaluator(tensor.Interpreter()))
	})
}

func runDynamic(t *testing.T, e tensor.Evaluator) {
	for _, c := range dynamic {
		f, err := tensor.Jit(c.f, "x="+c.spec)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		for _, shape := range c.shapes {
			n := 1
			for _, d := range shape {
				n *= d
			}
			x := tensor.Arange(float64(n)).Mul(1.37).Sin().Mul(50).Reshape(shape...)
			typ, _ := tensor.ParseType(c.spec)
			x = x.Cast(typ.DType)
			want, err := c.f(x.Clone())
			if err != nil {
				t.Errorf("%s: %v: %v", c.name, shape, err)
				continue
			}
			old := tensor.SetEvaluator(e)
			got, err := f(x.Clone())
			tensor.SetEvaluator(old)
			if err != nil {
				t.Errorf("%s: %v: %v", c.name, shape, err)
				continue
			}
			for i := range want {
				if err := differs(got[i], want[i]); err != nil {
					t.Errorf("%s: %v: result %d: %v", c.name, shape, i, err)
				}
			}
		}
	}
}

// differs reports how tensors differ: floats beyond a few units in the last place
// of their largest element.
func differs(got, want tensor.Tensor) error {
	if err := tensor.FirstError(got, want); err != nil {
		return err
	}
	if fmt.Sprint(got.Dims(), got.DType()) != fmt.Sprint(want.Dims(), want.DType()) {
		return fmt.Errorf("%v%v, want %v%v", got.DType(), got.Dims(), want.DType(), want.Dims())
	}
	eps := 0.0
	if info, err := tensor.Finfo(want.DType()); err == nil {
		eps = 4 * info.Eps
	}
	diff, scale := got.Cast(tensor.F64).Sub(want.Cast(tensor.F64)).Abs(), 1.0
	if want.Size() > 0 {
		scale += tensor.MustItem[float64](want.Cast(tensor.F64).Abs().Max())
	}
	if ok, err := tensor.Item[bool](diff.Le(eps * scale).All()); err != nil || !ok {
		return fmt.Errorf("%v, want %v: %v", got, want, err)
	}
	return nil
}

// TestDynamicErrors has conditions that hold when a function is recorded and
// not when it is called, and what cannot be recorded.
func TestDynamicErrors(t *testing.T) {
	for _, c := range []struct {
		name, spec string
		f          func(x tensor.Tensor) ([]tensor.Tensor, error)
		shape      []int // nil: an error of recording
		want       string
	}{
		{"Split by size", "f32[N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return x.Split(0, 2)
		}, nil, "or use TensorSplit"},
		{"Chunk", "f32[N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return x.Chunk(2, 0)
		}, nil, "use TensorSplit, which makes 2, or an extent such as 2*N"},
		{"Unstack", "f32[N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return x.Unstack(0)
		}, nil, "Scan goes through such an axis"},
		{"factor", "f32[1,1,N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return list(x.Interpolate(nil, tensor.Nearest, tensor.ScaleFactor(1./3)))
		}, nil, "or InterpolateTo with the extents"},
		{"Split", "f32[N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return x.Split(0, 2, 3)
		}, []int{4}, "Split: sizes [2 3] for axis 0 of extent N: they add up to 5"},
		{"Split the rest", "f32[N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return x.Split(0, 2, -1)
		}, []int{1}, "2 is 2, wanted <= N, which is 1"},
		{"masks", "f32[N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return list(tensor.Zeros(tensor.I64, 3, 3).Index(x.Eq(0), []int{0, 1}))
		}, []int{3}, "Index: index arrays of extents found1 and 2"},
		{"mask of another extent", "f32[N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return list(tensor.Zeros(tensor.I64, 4).Index(x.Eq(0)))
		}, []int{3}, "Index: axis 0 of shape (4), extent of the mask"},
		{"Narrow", "f32[N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return list(x.Narrow(0, 1, 3))
		}, []int{3}, "Narrow: elements 1 to 4 of axis 0 of shape (N)"},
		{"Narrow from the end", "f32[N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return list(x.Narrow(0, -3, 3))
		}, []int{2}, "Narrow: elements -3 to 0 of axis 0 of shape (N)"},
		{"Glu", "f32[N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return list(x.Glu(0))
		}, []int{3}, "Glu: axis 0 of shape (N), want an even extent"},
		{"Interpolate", "f32[1,1,N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return list(x.Interpolate([]int{2}, tensor.Linear))
		}, []int{1, 1, 0}, "Interpolate: axis 2 of extent N to 2, which are at least 1"},
		{"AdaptiveMaxPool1d", "f32[1,N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return list(x.AdaptiveMaxPool1d(2))
		}, []int{1, 0}, "AdaptiveMaxPool1d: axis 1 of extent N to 2, which are at least 1"},
		{"Max", "f32[N]", func(x tensor.Tensor) ([]tensor.Tensor, error) { return list(x.Max()) },
			[]int{0}, "Max: shape (N): nothing has no extremum"},
		{"ArgMin", "f32[N]", func(x tensor.Tensor) ([]tensor.Tensor, error) { return list(x.ArgMin(0)) },
			[]int{0}, "ArgMin: shape (N): nothing has no extremum"},
		{"Pad", "f32[1,N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return list(x.Pad([]int{2, 1}, tensor.PadReflect, nil))
		}, []int{1, 2}, "Pad: mode \"reflect\" of 2 and 1 elements for axis 1 of extent N"},
		{"Conv1d", "f32[1,1,N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return list(x.Conv1d(tensor.Ones(tensor.F32, 1, 1, 5), nil, tensor.Padding(1)))
		}, []int{1, 1, 2}, "Conv1d: windows that reach over 5 elements along axis 2 of extent N+2"},
		{"MaxPool1d", "f32[1,1,N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return list(x.MaxPool1d(4, tensor.CeilMode()))
		}, []int{1, 1, 0}, "MaxPool1d: windows that reach over 4 elements along axis 2"},
		{"BatchNorm", "f32[N,2]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return list(x.BatchNorm(nil, tensor.Ones(tensor.F32, 2), nil, nil, true, 0.1, 1e-5))
		}, []int{1, 2}, "BatchNorm: elements a channel of shape (N,2), whose variance is kept"},
		{"Fold", "f32[1,4,N]", func(x tensor.Tensor) ([]tensor.Tensor, error) {
			return list(tensor.Fold(x, []int{3, 3}, []int{2}))
		}, []int{1, 4, 5}, "Fold: windows of shape (1,4,N) for an image of (3,3) and windows of [2 2]"},
	} {
		f, err := tensor.Jit(c.f, "x="+c.spec)
		if err == nil && c.shape != nil {
			_, err = f(tensor.Zeros(tensor.F32, c.shape...))
		} else if c.shape != nil {
			t.Errorf("%s: recording: %v", c.name, err)
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.want) ||
			!strings.Contains(err.Error(), "dynamic_test.go:") {
			t.Errorf("%s: error %v, want one with %q", c.name, err, c.want)
		}
	}
}
