package tensor_test

import (
	"errors"
	"fmt"
	"math"

	"github.com/tensorcc/tcc/frontend/tensor"
)

func ExampleOf() {
	fmt.Println(tensor.Of([][]int{{1, 2}, {3, 4}}))
	fmt.Println(tensor.Of([]float32{0.5, 1.25}))
	// Output:
	// tensor([[1, 2],
	//         [3, 4]], i64, cpu)
	// tensor([0.5 , 1.25], f32, cpu)
}

func ExampleFromSlice() {
	s := []float64{1, 1, 1, 1}
	x := tensor.FromSlice(s, 2, 2)
	s[2] = 99 // seen by what is evaluated from now on
	x.Set(5, 0, 0)
	fmt.Println(x, s)
	// Output:
	// tensor([[ 5.,  1.],
	//         [99.,  1.]], f64, cpu) [5 1 99 1]
}

func ExampleArange() {
	fmt.Println(tensor.Arange(4))
	fmt.Println(tensor.Arange(1, 2, 0.25))
	// Output:
	// tensor([0, 1, 2, 3], i64, cpu)
	// tensor([1.  , 1.25, 1.5 , 1.75], f64, cpu)
}

func ExampleLinspace() {
	fmt.Println(tensor.Linspace(0, 1, 5))
	fmt.Println(tensor.Linspace(0, 1, 4, tensor.Endpoint(false)))
	// Output:
	// tensor([0.  , 0.25, 0.5 , 0.75, 1.  ], f64, cpu)
	// tensor([0.  , 0.25, 0.5 , 0.75], f64, cpu)
}

func ExampleZeros() {
	fmt.Println(tensor.Zeros(tensor.F32, 2, 3))
	// Output:
	// tensor([[0., 0., 0.],
	//         [0., 0., 0.]], f32, cpu)
}

func ExampleFull() {
	fmt.Println(tensor.Full(7, 2))
	// Output: tensor([7, 7], i64, cpu)
}

func ExampleEye() {
	fmt.Println(tensor.Eye(tensor.I64, 2, 3, 1))
	// Output:
	// tensor([[0, 1, 0],
	//         [0, 0, 1]], i64, cpu)
}

func ExampleTensor_Add() {
	m := tensor.Of([][]int{{1, 2, 3}, {4, 5, 6}})
	fmt.Println(m.Add([]int{10, 20, 30}))
	fmt.Println(m.Add(0.5)) // Go's constants are weak: the result is f64 for an integer tensor
	// Output:
	// tensor([[11, 22, 33],
	//         [14, 25, 36]], i64, cpu)
	// tensor([[1.5, 2.5, 3.5],
	//         [4.5, 5.5, 6.5]], f64, cpu)
}

// Errors name the line of the call, both shapes, and what would fit.
func ExampleTensor_Err() {
	m := tensor.Zeros(tensor.F32, 2, 3)
	var e *tensor.Error
	errors.As(m.Add(tensor.Zeros(tensor.F32, 2)).Mul(2).Err(), &e)
	fmt.Println(e.Op+":", e.Msg)
	// Output: Add: shapes (2,3) and (2) do not broadcast: axis 1 is 3 against 2; the second would fit as (2,1): use Unsqueeze(1)
}

func ExampleTensor_Div() {
	fmt.Println(tensor.Of([]int{7, -7}).Div(2), tensor.Of([]int{7, -7}).FloorDiv(2))
	// Output: tensor([ 3.5, -3.5], f64, cpu) tensor([ 3, -4], i64, cpu)
}

func ExampleTensor_MatMul() {
	a := tensor.Of([][]int{{1, 2}, {3, 4}})
	fmt.Println(a.MatMul([]int{1, 1}))
	fmt.Println(a.MatMul(a))
	// Output:
	// tensor([3, 7], i64, cpu)
	// tensor([[ 7, 10],
	//         [15, 22]], i64, cpu)
}

func ExampleEinsum() {
	a := tensor.Arange(6).Reshape(2, 3)
	fmt.Println(tensor.Einsum("ij,kj->ik", a, a))
	// Output:
	// tensor([[ 5, 14],
	//         [14, 50]], i64, cpu)
}

func ExampleTensor_Index() {
	x := tensor.Arange(12).Reshape(3, 4)
	fmt.Println(x.Index(1, tensor.Slice(nil, nil, -1)))
	fmt.Println(x.Index(tensor.Ellipsis, 0))
	fmt.Println(x.Index([]int{2, 0}, 1))
	fmt.Println(x.Index(x.Gt(8)))
	// Output:
	// tensor([7, 6, 5, 4], i64, cpu)
	// tensor([0, 4, 8], i64, cpu)
	// tensor([9, 1], i64, cpu)
	// tensor([ 9, 10, 11], i64, cpu)
}

// Views share the memory of their base: writes through them are seen there.
func ExampleTensor_Set() {
	x := tensor.Arange(12).Reshape(3, 4)
	v := x.Index(tensor.Slice(1, 3), tensor.Slice(2, nil))
	v.Set(99, 0, 0)
	x.Set(0, 0)
	fmt.Println(x)
	// Output:
	// tensor([[ 0,  0,  0,  0],
	//         [ 4,  5, 99,  7],
	//         [ 8,  9, 10, 11]], i64, cpu)
}

func ExampleSlice() {
	x := tensor.Arange(10)
	fmt.Println(x.Index(tensor.Slice(1, 7, 2)), x.Index(tensor.Slice(-3, nil)))
	// Output: tensor([1, 3, 5], i64, cpu) tensor([7, 8, 9], i64, cpu)
}

func ExampleTensor_Reshape() {
	fmt.Println(tensor.Arange(6).Reshape(3, -1))
	// Output:
	// tensor([[0, 1],
	//         [2, 3],
	//         [4, 5]], i64, cpu)
}

func ExampleTensor_Permute() {
	fmt.Println(tensor.Zeros(tensor.F32, 2, 3, 4).Permute(2, 0, 1).Shape())
	// Output: [4 2 3]
}

func ExampleTensor_Unsqueeze() {
	x := tensor.Of([]int{10, 20}).Unsqueeze(1)
	fmt.Println(x.Shape(), x.Squeeze().Shape())
	// Output: [2 1] [2]
}

func ExampleConcat() {
	a, b := tensor.Ones(tensor.I64, 1, 2), tensor.Zeros(tensor.I64, 2, 2)
	fmt.Println(tensor.Concat(0, a, b).Shape(), tensor.Stack(0, a, a).Shape())
	// Output: [3 2] [2 1 2]
}

func ExampleTensor_Sum() {
	x := tensor.Arange(6).Reshape(2, 3)
	fmt.Println(x.Sum(), x.Sum(0), x.Keep().Sum(-1).Shape())
	// Output: tensor(15, i64, cpu) tensor([3, 5, 7], i64, cpu) [2 1]
}

func ExampleTensor_Reduce() {
	x := tensor.Of([]float64{1, 2, 3, 4})
	fmt.Printf("%.4f %.4f\n", x.Std(), x.Reduce(tensor.Correction(1)).Std())
	// Output: 1.1180 1.2910
}

func ExampleTensor_Max() {
	x := tensor.Of([]float64{3, math.NaN(), 7})
	fmt.Println(x.Max(), x.NanToNum(0, nil, nil).Max(), x.ArgMax(0))
	// Output: tensor(nan, f64, cpu) tensor(7., f64, cpu) tensor(1, i64, cpu)
}

func ExampleWhere() {
	x := tensor.Arange(-2, 3)
	fmt.Println(tensor.Where(x.Lt(0), 0, x))
	// Output: tensor([0, 0, 0, 1, 2], i64, cpu)
}

func ExampleTensor_Sort() {
	x := tensor.Of([]int{3, 1, 2})
	fmt.Println(x.Sort(0), x.Sort(0, tensor.Descending()), x.ArgSort(0))
	// Output: tensor([1, 2, 3], i64, cpu) tensor([3, 2, 1], i64, cpu) tensor([1, 2, 0], i64, cpu)
}

func ExampleTensor_TopK() {
	values, places := tensor.Of([]int{3, 9, 4, 7}).TopK(2, 0, true)
	fmt.Println(values, places)
	// Output: tensor([9, 7], i64, cpu) tensor([1, 3], i64, cpu)
}

func ExampleTensor_UniqueAll() {
	u, err := tensor.Of([]int{3, 1, 3}).UniqueAll()
	fmt.Println(u.Values, u.Counts, u.Inverse, err)
	// Output: tensor([1, 3], i64, cpu) tensor([1, 2], i64, cpu) tensor([1, 0, 1], i64, cpu) <nil>
}

func ExampleTensor_Softmax() {
	fmt.Printf("%.3f\n", tensor.Of([]float64{1, 2, 3}).Softmax(-1))
	// Output: [0.090, 0.245, 0.665]
}

func ExampleTensor_Cast() {
	fmt.Println(tensor.Of([]float64{1.9, -1.9, 300}).Cast(tensor.U8))
	// Output: tensor([  1,   0, 255], u8, cpu)
}

func ExampleTensor_Gather() {
	x := tensor.Of([][]int{{1, 2}, {3, 4}})
	fmt.Println(x.Gather(1, [][]int{{0, 0}, {1, 0}}))
	// Output:
	// tensor([[1, 1],
	//         [4, 3]], i64, cpu)
}

func ExampleTensor_Scatter() {
	x := tensor.Zeros(tensor.F32, 4)
	src := tensor.Of([]float32{1, 2, 5})
	fmt.Println(x.Scatter(0, []int{1, 3, 1}, src, tensor.ScatterReduce("sum")))
	// Output: tensor([0., 6., 0., 2.], f32, cpu)
}

func ExampleTensor_Conv2d() {
	x, w := tensor.Ones(tensor.F32, 1, 1, 4, 4), tensor.Ones(tensor.F32, 1, 1, 3, 3)
	fmt.Println(x.Conv2d(w, nil, tensor.Stride(2), tensor.Padding(1)))
	// Output:
	// tensor([[[[4., 6.],
	//           [6., 9.]]]], f32, cpu)
}

func ExampleTensor_MaxPool2d() {
	x := tensor.Arange(16).Reshape(1, 1, 4, 4)
	fmt.Println(x.MaxPool2d([]int{2}))
	// Output:
	// tensor([[[[ 5,  7],
	//           [13, 15]]]], i64, cpu)
}

func ExampleTensor_LayerNorm() {
	x := tensor.Of([][]float32{{1, 2, 3}, {10, 20, 30}})
	fmt.Printf("%.2f\n", x.LayerNorm([]int{3}, nil, nil, 1e-5))
	// Output:
	// [[-1.22,  0.00,  1.22],
	//  [-1.22,  0.00,  1.22]]
}

func ExampleRandn() {
	keys := tensor.NewKey(1).Split(2) // explicit keys: the same numbers everywhere
	fmt.Printf("%.3f\n", tensor.Randn(keys[0], tensor.F32, 3))
	fmt.Printf("%.3f\n", tensor.Rand(keys[1], tensor.F32, 2))
	// Output:
	// [-0.329, -0.012,  0.318]
	// [0.230, 0.305]
}

func ExampleTensor_Backward() {
	x := tensor.Of(2.0).RequiresGrad()
	y := x.Pow(2).Add(x.Mul(3)).Add(1)
	if err := y.Backward(); err != nil {
		fmt.Println(err)
	}
	fmt.Println(y, x.Grad())
	// Output: tensor(11., f64, cpu) tensor(7., f64, cpu)
}

func ExampleJit() {
	f, err := tensor.Jit(func(x, y tensor.Tensor) tensor.Tensor { return x.Mul(y).Sum(-1) },
		"x=f32[N,2]", "y=f32[2]")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(f(tensor.Ones(tensor.F32, 3, 2), tensor.Of([]float32{1, 2})))
	// Output: tensor([3., 3., 3.], f32, cpu)
}

func ExampleData() {
	xs, err := tensor.Data[float64](tensor.Arange(3.0).Mul(2))
	fmt.Println(xs, err)
	// Output: [0 2 4] <nil>
}

func ExampleItem() {
	n, err := tensor.Item[int](tensor.Of([]float64{1.5, 2.5}).Sum())
	fmt.Println(n, err)
	// Output: 4 <nil>
}

func ExampleTensor_To() {
	x := tensor.Arange(3).To(tensor.CPU)
	fmt.Println(x.Device(), tensor.CPU.Available())
	// Output: cpu true
}

func ExampleTensor_Format() {
	x := tensor.Of([]float64{1, 2.5})
	fmt.Printf("%v\n%.3f\n", x, x)
	// Output:
	// tensor([1. , 2.5], f64, cpu)
	// [1.000, 2.500]
}

func ExampleTensor_MaxPool2dWithIndices() {
	x := tensor.Of([]float64{1, 5, 2, 0, 3, 4, 7, 6, 8}).Reshape(1, 1, 3, 3)
	values, places := x.MaxPool2dWithIndices([]int{2}, tensor.Stride(1))
	fmt.Println(values.Flatten(), places.Flatten())
	// Output: tensor([5., 5., 7., 8.], f64, cpu) tensor([1, 1, 6, 8], i64, cpu)
}

func ExampleTensor_CumMax() {
	values, places := tensor.Of([]int{1, 3, 2, 3, 5}).CumMax(0)
	fmt.Println(values, places)
	// Output: tensor([1, 3, 3, 3, 5], i64, cpu) tensor([0, 1, 1, 3, 4], i64, cpu)
}

// Extents may have names while a function is recorded.
func ExampleTensor_Interpolate() {
	double, err := tensor.Jit(func(x tensor.Tensor) tensor.Tensor {
		return x.Interpolate(nil, tensor.Nearest, tensor.ScaleFactor(2))
	}, "x=f32[1,1,N]")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(double(tensor.Arange(3).Cast(tensor.F32).Reshape(1, 1, 3)))
	// Output: tensor([[[0., 0., 1., 1., 2., 2.]]], f32, cpu)
}
