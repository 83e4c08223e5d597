package native_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/frontend/tensor/native"
)

func use(t *testing.T) {
	t.Helper()
	if _, err := llvm.Find(); err != nil {
		t.Skip(err)
	}
	if err := native.Use(); err != nil {
		t.Fatal(err)
	}
	if b := tensor.Backend(); b != "native" {
		t.Fatalf("backend %s", b)
	}
}

type params struct {
	W1 tensor.Tensor `tcc:"f32[5,8]"`
	B1 tensor.Tensor `tcc:"f32[8]"`
	W2 tensor.Tensor `tcc:"f32[8,3]"`
	B2 tensor.Tensor `tcc:"f32[3]"`
}

type state struct {
	P   params
	Opt nn.AdamState[params]
}

func step(s state, x, label tensor.Tensor) (state, tensor.Tensor, error) {
	h := x.MatMul(s.P.W1).Add(s.P.B1).Relu()
	loss := nn.CrossEntropy(h.MatMul(s.P.W2).Add(s.P.B2), label)
	grads, err := tensor.GradOf(loss, &s.P)
	if err != nil {
		return s, loss, err
	}
	err = nn.AdamUpdate(nn.Adam{LR: 0.01}, &s.P, grads, &s.Opt)
	return s, loss, err
}

func random(rng *rand.Rand, shape ...int) tensor.Tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	data := make([]float32, n)
	for i := range data {
		data[i] = float32(rng.NormFloat64())
	}
	return tensor.FromSlice(data, shape...)
}

// losses trains a while from the same start, with batches of two sizes.
func losses(t *testing.T) []float32 {
	rng := rand.New(rand.NewPCG(1, 2))
	s := state{P: params{random(rng, 5, 8), random(rng, 8), random(rng, 8, 3), random(rng, 3)}}
	var err error
	if s.Opt, err = nn.NewAdamState(s.P); err != nil {
		t.Fatal(err)
	}
	run, err := tensor.Jit(step, "s", "x=f32[N,5]", "label=i64[N]")
	if err != nil {
		t.Fatal(err)
	}
	var out []float32
	for i := range 20 {
		n := 7 + 6*(i%2)
		label := tensor.Arange(n).Mod(3)
		var loss tensor.Tensor
		if s, loss, err = run(s, random(rng, n, 5), label); err != nil {
			t.Fatal(err)
		}
		out = append(out, tensor.MustItem[float32](loss))
	}
	return out
}

// TestTraining compares training by native code with the interpreter's: within
// 1e-4, which 20 steps of Adam from float32's last digit on stay below.
func TestTraining(t *testing.T) {
	use(t)
	got := losses(t)
	defer tensor.SetEvaluator(tensor.SetEvaluator(tensor.Interpreter()))
	want := losses(t)
	for i := range want {
		if !(math.Abs(float64(got[i]-want[i])) <= 1e-4*(1+math.Abs(float64(want[i])))) {
			t.Errorf("step %d: loss %g, the interpreter's %g", i, got[i], want[i])
		}
	}
}

// TestViews writes through a view of a view.
func TestViews(t *testing.T) {
	use(t)
	a := tensor.Arange(12).Reshape(3, 4)
	v := a.Index(tensor.Slice(1, 3), tensor.Slice(2, nil))
	v.Set(99, 0, 0)
	v.Index(tensor.All, tensor.Slice(nil, nil, -1)).Set(-1, 1, 0)
	want := []int64{0, 1, 2, 3, 4, 5, 99, 7, 8, 9, 10, -1}
	got, err := tensor.Data[int64](a)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}

// TestRandom has the same random numbers as the interpreter, to the bit.
func TestRandom(t *testing.T) {
	use(t)
	draw := func() []float64 {
		k := tensor.NewKey(5).Split(4)
		var all []float64
		for _, x := range []tensor.Tensor{tensor.Randn(k[0], tensor.F64, 1001),
			tensor.Randn(k[0], tensor.F32, 1001), tensor.Uniform(k[1], tensor.F32, -1, 2, 77),
			tensor.Randint(k[2], 0, 10, 50), tensor.Permutation(k[3], 64),
			tensor.Exponential(k[3], tensor.F64, 2, 99)} {
			all = append(all, tensor.MustData[float64](x.Cast(tensor.F64))...)
		}
		return all
	}
	got := draw()
	defer tensor.SetEvaluator(tensor.SetEvaluator(tensor.Interpreter()))
	if want := draw(); !slices.Equal(got, want) {
		t.Errorf("native code and the interpreter have different numbers")
	}
}
