package nn_test

import (
	"math"
	"testing"

	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/tensor"
)

type network struct {
	Conv nn.Conv2d             `tcc:"In=1,Out=2,K=3"`
	Norm nn.BatchNorm          `tcc:"C=2"`
	Deep [2]nn.Linear          `tcc:"In=N,Out=N"`
	Head nn.Linear             `tcc:"In=8,Out=3"`
	_    struct{ X, Y, Z int } `tcc:"-"`
}

type bound struct {
	Net network `tcc:"N=8"`
}

// TestInit has sizes given through two levels of tags.
func TestInit(t *testing.T) {
	var a, b bound
	for _, m := range []*bound{&a, &b} {
		if err := nn.Init(m, tensor.NewKey(1)); err != nil {
			t.Fatal(err)
		}
	}
	fields, err := tensor.Fields(&a)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(fields); n != 2+2+4+2 {
		t.Errorf("%d tensors", n)
	}
	w := a.Net.Deep[1].W
	if s := w.Shape(); len(s) != 2 || s[0] != 8 || s[1] != 8 {
		t.Errorf("shape %v, want [8 8]", s)
	}
	near(t, "the same key", w.Sub(b.Net.Deep[1].W).Abs().Max(), 0)
	if tensor.MustItem[float64](w.Sub(a.Net.Deep[0].W).Abs().Max()) == 0 {
		t.Error("two layers begin with the same numbers")
	}
	var loose network
	if err := nn.Init(&loose, tensor.NewKey(1)); err == nil {
		t.Error("a size without a value: no error")
	}
}

// TestAccumulate compares the gradient of parts with that of the whole.
func TestAccumulate(t *testing.T) {
	type batch struct{ X, Y tensor.Tensor }
	b := batch{tensor.Arange(12.0).Reshape(6, 2), tensor.Arange(6.0)}
	w := tensor.Of([]float64{0.5, -1})
	f := func(w tensor.Tensor, b batch) tensor.Tensor { return nn.MSE(b.X.MatMul(w), b.Y) }
	loss, g, err := tensor.ValueAndGrad(func(w tensor.Tensor) tensor.Tensor { return f(w, b) }, w)
	if err != nil {
		t.Fatal(err)
	}
	loss2, g2, err := nn.Accumulate(f, w, b, 3)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "loss", loss2, tensor.MustItem[float64](loss))
	near(t, "gradient", g2, tensor.MustData[float64](g)...)
}

func TestClip(t *testing.T) {
	g := newPair(3, 0, 4)
	norm, err := nn.ClipNorm(&g, 1)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "norm", norm, 5)
	near(t, "A", g.A, 0.6/(1+2e-7), 0)
	g = newPair(3, -7, 4)
	if err := nn.ClipValue(&g, 3.5); err != nil {
		t.Fatal(err)
	}
	near(t, "A", g.A, 3, -3.5)
	near(t, "B", g.B, 3.5)
}

// TestMixedPrecision has gradients that underflow in half precision unless they
// are scaled, and a step with an overflow that is left out.
func TestMixedPrecision(t *testing.T) {
	s := nn.NewLossScale()
	p := tensor.Of([]float32{1, 2})
	tiny := func(p tensor.Tensor) tensor.Tensor { return p.Mul(1e-4).Mul(1e-4).Sum() }
	_, g, finite, err := nn.MixedGrad(tiny, p, tensor.F16, &s)
	if err != nil {
		t.Fatal(err)
	}
	if !tensor.MustItem[bool](finite) {
		t.Error("not finite")
	}
	if x := tensor.MustData[float32](g)[0]; math.Abs(float64(x)-1e-8) > 2e-11 {
		t.Errorf("gradient %g, want 1e-8", x)
	}
	huge := func(p tensor.Tensor) tensor.Tensor { return p.Mul(6e4).Mul(6e4).Sum() }
	_, _, finite, err = nn.MixedGrad(huge, p, tensor.F16, &s)
	if err != nil {
		t.Fatal(err)
	}
	if tensor.MustItem[bool](finite) {
		t.Error("an overflow is called finite")
	}
	near(t, "scale", s.Factor, 1<<14)
	next := p.Add(1)
	if err := nn.Choose(finite, &p, &next); err != nil {
		t.Fatal(err)
	}
	near(t, "p", p, 1, 2)
}

// TestAttentionForms: grouped heads are those of repeated keys, and rotary
// scores depend on distances alone.
func TestAttentionForms(t *testing.T) {
	key := tensor.NewKey(5)
	var m struct {
		A nn.MultiHeadAttention `tcc:"D=8,E=8,F=4"`
	}
	if err := nn.Init(&m, key); err != nil {
		t.Fatal(err)
	}
	x := tensor.Randn(key, tensor.F32, 2, 5, 8)
	grouped := m.A.Apply(x, nn.AttentionConfig{Heads: 4, KVHeads: 2, Causal: true, Rotary: 10000})
	wide := m.A
	repeat := func(l nn.Linear) nn.Linear {
		w := l.W.Reshape(8, 2, 1, 2).Expand(8, 2, 2, 2).Reshape(8, 8)
		return nn.Linear{W: w, B: l.B.Reshape(2, 1, 2).Expand(2, 2, 2).Reshape(8)}
	}
	wide.K, wide.V = repeat(m.A.K), repeat(m.A.V)
	plain := wide.Apply(x, nn.AttentionConfig{Heads: 4, Causal: true, Rotary: 10000})
	near(t, "difference", grouped.Sub(plain).Abs().Max(), 0)

	q := tensor.Randn(key, tensor.F64, 1, 4).Expand(6, 4)
	r := nn.Rotary(q, 100)
	s := r.MatMul(r.T())
	near(t, "scores by distance", s.Index(0, 2).Sub(s.Index(3, 5)), 0)
}

// TestBatchNormStats moves the running statistics in a step.
func TestBatchNormStats(t *testing.T) {
	l := nn.BatchNorm{W: tensor.Of([]float64{1}), B: tensor.Of([]float64{0})}
	s := nn.BatchStats{Mean: tensor.Of([]float64{0}), Var: tensor.Of([]float64{1})}
	y := l.Train(tensor.Of([][]float64{{1}, {3}}), &s)
	near(t, "y", y, -1/math.Sqrt(1+1e-5), 1/math.Sqrt(1+1e-5))
	near(t, "mean", s.Mean, 0.2)
	near(t, "variance", s.Var, 1.1)
	near(t, "y", l.Apply(tensor.Of([][]float64{{0.2}}), s), 0)
}
