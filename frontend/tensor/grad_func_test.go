package tensor_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
)

type point struct {
	X tensor.Tensor `tcc:"f64[3]"`
	Y tensor.Tensor `tcc:"f64"`
}

func newPoint(x []float64, y float64) point { return point{tensor.Of(x), tensor.Of(y)} }

func (p point) norm() tensor.Tensor { return p.X.Square().Sum().Add(p.Y.Pow(3)) }

func TestValueAndGrad(t *testing.T) {
	p := newPoint([]float64{1, 2, 3}, 2)
	v, g, err := tensor.ValueAndGrad(point.norm, p)
	if err != nil {
		t.Fatal(err)
	}
	want(t, v, []int{}, 22.0)
	want(t, g.X, []int{3}, 2.0, 4, 6)
	want(t, g.Y, []int{}, 12.0)
}

func TestVJPAndJVP(t *testing.T) {
	f := func(p point) [2]tensor.Tensor {
		return [2]tensor.Tensor{p.X.Mul(p.Y), p.X.Sum().Sin()}
	}
	p := newPoint([]float64{1, 2, 3}, 2)
	ys, back, err := tensor.VJP(f, p)
	if err != nil {
		t.Fatal(err)
	}
	want(t, ys[0], []int{3}, 2.0, 4, 6)
	for _, scale := range []float64{1, 10} { // more than once
		g, err := back([2]tensor.Tensor{tensor.Of([]float64{scale, 0, 0}), tensor.Of(0.0)})
		if err != nil {
			t.Fatal(err)
		}
		want(t, g.X, []int{3}, 2*scale, 0, 0)
		want(t, g.Y, []int{}, scale)
	}
	_, d, err := tensor.JVP(f, p, newPoint([]float64{0, 1, 0}, 1))
	if err != nil {
		t.Fatal(err)
	}
	want(t, d[0], []int{3}, 1.0, 4, 3)
	want(t, d[1], []int{}, math.Cos(6))
}

// TestJacobian has more results than arguments, and fewer: both directions.
func TestJacobian(t *testing.T) {
	x := tensor.Of([]float64{1, 2})
	wide := func(x tensor.Tensor) tensor.Tensor { return x.Unsqueeze(1).Mul(x).Mul(x) }
	j, err := tensor.Jacobian(wide, x)
	if err != nil {
		t.Fatal(err)
	}
	// d (x_i x_j^2) / d x_k
	want(t, j, []int{2, 2, 2}, 3.0, 0, 4, 4, 4, 1, 0, 12)
	j, err = tensor.Jacobian(func(x tensor.Tensor) tensor.Tensor { return x.Prod() }, x)
	if err != nil {
		t.Fatal(err)
	}
	want(t, j, []int{2}, 2.0, 1)
	h, err := tensor.Hessian(func(x tensor.Tensor) tensor.Tensor {
		return x.Pow(3).Sum().Mul(x.Sum())
	}, x)
	if err != nil {
		t.Fatal(err)
	}
	// f = (x^3 + y^3)(x + y)
	want(t, h, []int{2, 2}, 24.0, 15, 15, 60)
}

func TestVmap(t *testing.T) {
	w := tensor.Of([][]float64{{1, 0, 2}, {0, 1, 1}})
	x := tensor.Of([][]float64{{1, 2, 3}, {4, 5, 6}})
	f := func(x tensor.Tensor) tensor.Tensor { return w.MatMul(x).Softmax(0).Log() }
	got, err := tensor.Vmap(f)(x)
	if err != nil {
		t.Fatal(err)
	}
	same(t, got, x.MatMul(w.T()).Softmax(-1).Log())

	// Gradients of examples, of which the mean is that of the mean; the
	// softmax has a StopGradient inside.
	loss := func(x tensor.Tensor) tensor.Tensor { return f(x).Square().Sum() }
	each, err := tensor.Vmap(func(x tensor.Tensor) tensor.Tensor {
		_, g, err := tensor.ValueAndGrad(loss, x)
		if err != nil {
			t.Fatal(err)
		}
		return g
	})(x)
	if err != nil {
		t.Fatal(err)
	}
	// And the gradient of what was mapped.
	_, all, err := tensor.ValueAndGrad(func(x tensor.Tensor) tensor.Tensor {
		ys, err := tensor.Vmap(loss)(x)
		if err != nil {
			t.Fatal(err)
		}
		return ys.Sum()
	}, x)
	if err != nil {
		t.Fatal(err)
	}
	same(t, each, all)
}

func same(t *testing.T, got, expected tensor.Tensor) {
	t.Helper()
	d, err := tensor.Item[float64](got.Sub(expected).Abs().Max())
	if err != nil {
		t.Fatal(err)
	}
	if !(d < 1e-12) {
		t.Errorf("%v\nwant %v", got, expected)
	}
}

// TestCheckpoint computes the same gradient, and the hidden values twice.
func TestCheckpoint(t *testing.T) {
	block := func(x tensor.Tensor) tensor.Tensor { return x.Sin().Exp().Sin() }
	plain := func(x tensor.Tensor) tensor.Tensor { return block(block(x)).Sum() }
	kept := func(x tensor.Tensor) tensor.Tensor {
		return tensor.Checkpoint(block, tensor.Checkpoint(block, x)).Sum()
	}
	x := tensor.Of([]float64{0.5, 1, 2})
	_, a, err := tensor.ValueAndGrad(plain, x)
	if err != nil {
		t.Fatal(err)
	}
	_, b, err := tensor.ValueAndGrad(kept, x)
	if err != nil {
		t.Fatal(err)
	}
	same(t, a, b)
	count := func(f func(tensor.Tensor) tensor.Tensor) (exps int) {
		g, err := tensor.Trace(func(x tensor.Tensor) (tensor.Tensor, tensor.Tensor, error) {
			return tensor.ValueAndGrad(f, x)
		}, "x=f64[3]")
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range g.Values {
			if v.Op == ir.OpExp {
				exps++
			}
		}
		return exps
	}
	if n, m := count(plain), count(kept); n != 2 || m != 4 {
		t.Errorf("%d and %d exponentials, want 2 and, computed again, 4", n, m)
	}
}

// TestCustom rounds with the gradient of the identity, and bounds gradients.
func TestCustom(t *testing.T) {
	round := tensor.Custom(tensor.Tensor.Round,
		func(_, _, dy tensor.Tensor) tensor.Tensor { return dy })
	f := func(x tensor.Tensor) tensor.Tensor { return round(x.Mul(2)).Mul(x).Sum() }
	x := tensor.Of([]float64{0.7, 1.6})
	_, g, err := tensor.ValueAndGrad(f, x)
	if err != nil {
		t.Fatal(err)
	}
	want(t, g, []int{2}, 1+1.4, 3+3.2)
	h, err := tensor.Hessian(f, x)
	if err != nil {
		t.Fatal(err)
	}
	want(t, h, []int{2, 2}, 4.0, 0, 0, 4)
	_, err = tensor.Vmap(round)(x)
	if err == nil || !strings.Contains(err.Error(), "custom gradient cannot be mapped") {
		t.Errorf("Vmap of a custom rule: error %v", err)
	}
	// Backward goes by the rule, too.
	y := tensor.Of(1.7).RequiresGrad()
	backward(t, round(y).Mul(3))
	want(t, y.Grad(), []int{}, 3.0)
}

// TestPastIsFreed follows the parameter of an optimization that never ends:
// what it was computed from must not stay.
func TestPastIsFreed(t *testing.T) {
	x := tensor.Of([]float64{1, 2})
	squares := func(x tensor.Tensor) tensor.Tensor { return x.Square().Sum() }
	for range 300 {
		_, g, err := tensor.ValueAndGrad(squares, x)
		if err != nil {
			t.Fatal(err)
		}
		x = x.Sub(g.Mul(0.25))
		if err := tensor.Realize(x); err != nil {
			t.Fatal(err)
		}
	}
	if n := tensor.PastOf(x); n > 1 {
		t.Errorf("the tensor remembers %d operations", n)
	}
}

func TestFunctionErrors(t *testing.T) {
	x := tensor.Of([]float64{1, 2})
	_, _, err := tensor.ValueAndGrad(func(x tensor.Tensor) tensor.Tensor { return x }, x)
	if err == nil || !strings.Contains(err.Error(), "f64[2], want a floating-point scalar") {
		t.Errorf("ValueAndGrad of a vector: %v", err)
	}
	_, back, err := tensor.VJP(func(x tensor.Tensor) tensor.Tensor { return x.Sum() }, x)
	if err != nil {
		t.Fatal(err)
	}
	_, err = back(x)
	if err == nil || !strings.Contains(err.Error(), "cotangent 0 is f64[2], want f64") {
		t.Errorf("a cotangent of another shape: %v", err)
	}
	if _, err := tensor.Vmap(tensor.Tensor.Exp)(tensor.Of(1.0)); err == nil ||
		!strings.Contains(err.Error(), "want an axis 0") {
		t.Errorf("Vmap of a scalar: %v", err)
	}
	if _, err := tensor.Jacobian(tensor.Tensor.Exp, tensor.Of([]int{1})); err == nil {
		t.Error("a Jacobian by integers: no error")
	}
}

func ExampleValueAndGrad() {
	v, g, _ := tensor.ValueAndGrad(func(x tensor.Tensor) tensor.Tensor { return x.Square().Sum() },
		tensor.Of([]float64{1, 2, 3}))
	fmt.Println(v, g)
	// Output: tensor(14., f64, cpu) tensor([2., 4., 6.], f64, cpu)
}

func ExampleVJP() {
	_, back, _ := tensor.VJP(tensor.Tensor.Square, tensor.Of([]float64{1, 2}))
	d, _ := back(tensor.Of([]float64{1, 10}))
	fmt.Println(d)
	// Output: tensor([ 2., 40.], f64, cpu)
}

func ExampleJVP() {
	y, d, _ := tensor.JVP(tensor.Tensor.Square, tensor.Of([]float64{1, 2}), tensor.Of([]float64{1, 1}))
	fmt.Println(y, d)
	// Output: tensor([1., 4.], f64, cpu) tensor([2., 4.], f64, cpu)
}

func ExampleJacobian() {
	j, _ := tensor.Jacobian(tensor.Tensor.Square, tensor.Of([]float64{1, 2}))
	fmt.Println(j)
	// Output:
	// tensor([[2., 0.],
	//         [0., 4.]], f64, cpu)
}

func ExampleHessian() {
	h, _ := tensor.Hessian(func(x tensor.Tensor) tensor.Tensor { return x.Prod() },
		tensor.Of([]float64{2, 3}))
	fmt.Println(h)
	// Output:
	// tensor([[0., 1.],
	//         [1., 0.]], f64, cpu)
}

func ExampleVmap() {
	inner := func(p [2]tensor.Tensor) tensor.Tensor { return p[0].Mul(p[1]).Sum() }
	x := tensor.Of([][]float64{{1, 2}, {3, 4}})
	y, _ := tensor.Vmap(inner)([2]tensor.Tensor{x, x})
	fmt.Println(y)
	// Output: tensor([ 5., 25.], f64, cpu)
}

func ExampleCheckpoint() {
	block := func(x tensor.Tensor) tensor.Tensor { return x.Exp().Sin() }
	_, g, _ := tensor.ValueAndGrad(func(x tensor.Tensor) tensor.Tensor {
		return tensor.Checkpoint(block, x)
	}, tensor.Of(0.0))
	fmt.Printf("%.4f\n", tensor.MustItem[float64](g))
	// Output: 0.5403
}

func ExampleCustom() {
	// Rounding, which gradients pass as if it were not there.
	round := tensor.Custom(tensor.Tensor.Round,
		func(x, y, dy tensor.Tensor) tensor.Tensor { return dy })
	y, g, _ := tensor.ValueAndGrad(round, tensor.Of(1.7))
	fmt.Println(y, g)
	// Output: tensor(2., f64, cpu) tensor(1., f64, cpu)
}
