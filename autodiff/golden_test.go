package autodiff_test

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tensorcc/tcc/autodiff"
	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/tensor"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes"
)

type mlp struct {
	W1 tensor.Tensor `tcc:"f32[784,128]"`
	B1 tensor.Tensor `tcc:"f32[128]"`
	W2 tensor.Tensor `tcc:"f32[128,10]"`
	B2 tensor.Tensor `tcc:"f32[10]"`
}

func (p mlp) loss(x, label tensor.Tensor) tensor.Tensor {
	h := x.MatMul(p.W1).Add(p.B1).Relu()
	return nn.CrossEntropy(h.MatMul(p.W2).Add(p.B2), label)
}

// TestGolden compares the gradient of a classifier's loss, derived while the
// loss is recorded, with the text kept in testdata; TCC_UPDATE=1 rewrites it.
func TestGolden(t *testing.T) {
	g, err := tensor.Trace(func(p mlp, x, label tensor.Tensor) (mlp, error) {
		return tensor.GradOf(p.loss(x, label), &p)
	}, "p", "x=f32[N,784]", "label=i64[N]")
	if err != nil {
		t.Fatal(err)
	}
	compare(t, g, "testdata/mlp_grad.tir")
}

// TestGoldenGraph is the same of the recorded loss: without StopGradient, which
// a graph does not have, the largest logit gets a gradient, too.
func TestGoldenGraph(t *testing.T) {
	g, err := tensor.Trace(mlp.loss, "p", "x=f32[N,784]", "label=i64[N]")
	if err != nil {
		t.Fatal(err)
	}
	g, err = autodiff.ValueAndGrad(g, tensor.Params(g, "p"))
	if err != nil {
		t.Fatal(err)
	}
	compare(t, g, "testdata/mlp_value_and_grad.tir")
}

// TestGoldenCrossEntropy has the gradient of a softmax's cross-entropy by the
// logits, after the rules of package passes: softmax less one-hot, over N.
func TestGoldenCrossEntropy(t *testing.T) {
	g, err := tensor.Trace(func(x, label tensor.Tensor) (tensor.Tensor, error) {
		_, d, err := tensor.ValueAndGrad(func(x tensor.Tensor) tensor.Tensor {
			return nn.CrossEntropy(x, label)
		}, x)
		return d, err
	}, "x=f32[N,10]", "label=i64[N]")
	if err != nil {
		t.Fatal(err)
	}
	if g, err = passes.Run(g, passes.Options{StopAfter: "late dce"}); err != nil {
		t.Fatal(err)
	}
	compare(t, g, "testdata/cross_entropy.tir")
}

func compare(t *testing.T, g *ir.Graph, file string) {
	t.Helper()
	if err := ir.Verify(g); err != nil {
		t.Fatal(err)
	}
	for _, v := range g.Values {
		v.Pos = ir.Pos{} // lines of this file would make the text stale
	}
	g.Name = "g"
	text := ir.Print(g)
	if os.Getenv("TCC_UPDATE") != "" {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
