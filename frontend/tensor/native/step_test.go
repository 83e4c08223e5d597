package native_test

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/tensor"
)

type network struct {
	Conv nn.Conv2d    `tcc:"In=1,Out=4,K=3"`
	Norm nn.LayerNorm `tcc:"D=16"`
	Head nn.Linear    `tcc:"In=64,Out=3"`
}

func (m network) loss(b batch) tensor.Tensor {
	x := m.Conv.Apply(b.X, tensor.Padding(1)).Relu().MaxPool2d([]int{2, 2}).Reshape(-1, 4, 16)
	return nn.CrossEntropy(m.Head.Apply(m.Norm.Apply(x).Reshape(-1, 64)), b.Label)
}

type batch struct{ X, Label tensor.Tensor }

type training struct {
	Model network
	Opt   nn.OptState
}

func newTraining(t *testing.T, o nn.Optimizer) *tensor.Step[training, batch, tensor.Tensor] {
	t.Helper()
	var s training
	if err := nn.Init(&s.Model, tensor.NewKey(1)); err != nil {
		t.Fatal(err)
	}
	var err error
	if s.Opt, err = nn.NewOptState(o, &s.Model); err != nil {
		t.Fatal(err)
	}
	b := batch{random(rand.New(rand.NewPCG(1, 2)), 6, 1, 8, 8), tensor.Arange(6).Mod(3)}
	step, err := tensor.NewStep(func(s training, b batch) (training, tensor.Tensor, error) {
		loss, grads, err := tensor.ValueAndGrad(func(m network) tensor.Tensor { return m.loss(b) },
			s.Model)
		if err == nil {
			_, err = nn.ClipNorm(&grads, 1)
		}
		if err != nil {
			return s, loss, err
		}
		return s, loss, nn.Update(o, &s.Model, &grads, &s.Opt, nil)
	}, s, b)
	if err != nil {
		t.Fatal(err)
	}
	return step
}

// TestStepInPlace has optimizers write the state to where it is, and allocate
// nothing. Adafactor reads the old means of vectors' squares in two kernels, the
// second of which is after they are replaced: these are copied.
func TestStepInPlace(t *testing.T) {
	use(t)
	for _, tc := range []struct {
		name   string
		o      nn.Optimizer
		copied int
	}{
		{"sgd", nn.SGD{LR: 0.1, Momentum: 0.9, Nesterov: true}, 0},
		{"adam", nn.Adam{LR: 0.01}, 0},
		{"adamw", nn.AdamW(0.01, 0.1), 0},
		{"lion", nn.Lion{LR: 0.01, WeightDecay: 0.1}, 0},
		{"adafactor", nn.Adafactor{LR: 0.1}, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			step := newTraining(t, tc.o)
			state := step.State()
			leaves, err := tensor.Leaves(&state)
			if err != nil {
				t.Fatal(err)
			}
			var pairs [][2]int
			for i := range leaves {
				pairs = append(pairs, [2]int{i, i})
			}
			a, err := codegen.Compile(context.Background(), step.Graph, codegen.Options{InPlace: pairs})
			if err != nil {
				t.Fatal(err)
			}
			var copied []string
			for i := range leaves {
				if p := a.Plan.Program.Outputs[i]; p.InPlace != i+1 {
					copied = append(copied, p.Name)
				}
			}
			if len(copied) > tc.copied {
				t.Errorf("%v are not written in place, want %d", copied, tc.copied)
			}
			if n := testing.AllocsPerRun(20, func() {
				if err := step.Run(); err != nil {
					t.Fatal(err)
				}
			}); n != 0 {
				t.Errorf("%v allocations a step", n)
			}
			if l := tensor.MustItem[float64](step.Out()); !(l < 1) {
				t.Errorf("loss %v after 21 steps", l)
			}
		})
	}
}

// TestStepAgrees compares a few steps with the interpreter's.
func TestStepAgrees(t *testing.T) {
	use(t)
	native := newTraining(t, nn.AdamW(0.01, 0.1))
	defer tensor.SetEvaluator(tensor.SetEvaluator(tensor.Interpreter()))
	slow := newTraining(t, nn.AdamW(0.01, 0.1))
	for i := range 5 {
		for _, s := range []interface{ Run() error }{native, slow} {
			if err := s.Run(); err != nil {
				t.Fatal(err)
			}
		}
		x, y := tensor.MustItem[float64](native.Out()), tensor.MustItem[float64](slow.Out())
		if !(math.Abs(x-y) <= 1e-5) {
			t.Errorf("step %d: loss %v, interpreted %v", i, x, y)
		}
	}
}
