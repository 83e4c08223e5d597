package nn_test

import (
	"encoding/json"
	"os"
	"testing"

	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/tensor"
)

// listed is a tensor in the file that bench/torch/nn.py writes.
type listed struct {
	Shape []int
	Data  []float64
}

func (l listed) tensor() tensor.Tensor { return tensor.FromSlice(l.Data, l.Shape...) }

type recurrentCase struct{ X, H, C, Y, W, U, B, D listed }

type torchFile struct {
	Optimizers map[string]struct {
		Start        []listed
		Grads, After [][]listed
	}
	RNN, LSTM, GRU, Attention recurrentCase
	Losses                    struct {
		X, Y, Q                             listed
		Label                               []int64
		CE, Smooth, MSE, L1, Huber, BCE, KL float64
	}
	Schedules map[string][]float64
}

// torchCases reads what PyTorch computes.
func torchCases(t *testing.T) *torchFile {
	t.Helper()
	data, err := os.ReadFile("testdata/torch.json")
	if err != nil {
		t.Fatal(err)
	}
	f := &torchFile{}
	if err := json.Unmarshal(data, f); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestOptimizersAsPyTorch follows a matrix and a vector through six steps.
func TestOptimizersAsPyTorch(t *testing.T) {
	for name, o := range map[string]nn.Optimizer{
		"sgd":       nn.SGD{LR: 0.1},
		"momentum":  nn.SGD{LR: 0.1, Momentum: 0.9, Dampening: 0.3},
		"nesterov":  nn.SGD{LR: 0.1, Momentum: 0.9, Nesterov: true, WeightDecay: 0.01},
		"adam":      nn.Adam{LR: 0.1, WeightDecay: 0.01},
		"adamw":     nn.AdamW(0.1, 0.1),
		"adafactor": nn.Adafactor{LR: 0.1, WeightDecay: 0.1},
	} {
		t.Run(name, func(t *testing.T) {
			c := torchCases(t).Optimizers[name]
			ps := []tensor.Tensor{c.Start[0].tensor(), c.Start[1].tensor()}
			s, err := nn.NewOptState(o, &ps)
			if err != nil {
				t.Fatal(err)
			}
			for i, g := range c.Grads {
				gs := []tensor.Tensor{g[0].tensor(), g[1].tensor()}
				if err := nn.Update(o, &ps, &gs, &s, nil); err != nil {
					t.Fatal(err)
				}
				for k, p := range ps {
					near(t, name, p, c.After[i][k].Data...)
				}
			}
		})
	}
}

// TestLionMoves follows the formulas of the paper.
func TestLionMoves(t *testing.T) {
	p := tensor.Of([]float64{1, -1})
	s, err := nn.NewOptState(nn.Lion{LR: 0.1}, &p)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range [][]float64{{1, -1}, {-0.1, -1}} {
		gs := tensor.Of(g)
		if err := nn.Update(nn.Lion{LR: 0.1}, &p, &gs, &s, nil); err != nil {
			t.Fatal(err)
		}
	}
	// m = 0.01 after the first; 0.9*0.01 - 0.1*0.1 < 0 then.
	near(t, "p", p, 1, -0.8)
	near(t, "m", s.Memory[0][0], 0.99*0.01-0.01*0.1, -0.99*0.01-0.01)
}

func TestRecurrentAsPyTorch(t *testing.T) {
	f := torchCases(t)
	sum := func(c recurrentCase) tensor.Tensor { return c.B.tensor().Add(c.D.tensor()) }
	c := f.RNN
	y, _, err := nn.RNN{W: c.W.tensor(), U: c.U.tensor(), B: sum(c)}.Apply(c.X.tensor(), c.H.tensor())
	if err != nil {
		t.Fatal(err)
	}
	near(t, "rnn", y, c.Y.Data...)
	c = f.LSTM
	y, _, err = nn.LSTM{W: c.W.tensor(), U: c.U.tensor(), B: sum(c)}.Apply(c.X.tensor(),
		nn.LSTMState{H: c.H.tensor(), C: c.C.tensor()})
	if err != nil {
		t.Fatal(err)
	}
	near(t, "lstm", y, c.Y.Data...)
	c = f.GRU
	y, _, err = nn.GRU{W: c.W.tensor(), U: c.U.tensor(), B: c.B.tensor(), C: c.D.tensor()}.Apply(
		c.X.tensor(), c.H.tensor())
	if err != nil {
		t.Fatal(err)
	}
	near(t, "gru", y, c.Y.Data...)
}

func TestAttentionAsPyTorch(t *testing.T) {
	c := torchCases(t).Attention
	w, b := c.W.tensor(), c.B.tensor()
	part := func(i int) nn.Linear {
		cut := tensor.Slice(8*i, 8*i+8)
		return nn.Linear{W: w.Index(tensor.All, cut), B: b.Index(cut)}
	}
	m := nn.MultiHeadAttention{Q: part(0), K: part(1), V: part(2),
		O: nn.Linear{W: c.U.tensor(), B: c.D.tensor()}}
	y := m.Apply(c.X.tensor(), nn.AttentionConfig{Heads: 2, Causal: true})
	near(t, "attention", y, c.Y.Data...)
}

func TestLossesAsPyTorch(t *testing.T) {
	c := torchCases(t).Losses
	x, y, label := c.X.tensor(), c.Y.tensor(), tensor.FromSlice(c.Label)
	near(t, "cross entropy", nn.CrossEntropy(x, label), c.CE)
	near(t, "smooth", nn.CrossEntropySmooth(x, label, 0.1), c.Smooth)
	near(t, "mse", nn.MSE(x, y), c.MSE)
	near(t, "l1", nn.L1(x, y), c.L1)
	near(t, "huber", nn.Huber(x, y, 0.7), c.Huber*1)
	near(t, "bce", nn.BCEWithLogits(x, y.Sigmoid()), c.BCE)
	near(t, "kl", nn.KLDiv(x.LogSoftmax(-1), c.Q.tensor()), c.KL)
}

func TestSchedulesAsPyTorch(t *testing.T) {
	c := torchCases(t).Schedules
	for name, s := range map[string]nn.Schedule{"cosine": nn.Cosine(0.5, 0.01, 20),
		"step": nn.StepDecay(0.5, 0.3, 5), "exponential": nn.Exponential(0.5, 0.9)} {
		near(t, name, s(tensor.Arange(20).Cast(tensor.F32)), c[name]...)
	}
}
