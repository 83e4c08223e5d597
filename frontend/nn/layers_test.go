package nn_test

import (
	"math"
	"slices"
	"testing"

	"github.com/tensorcc/tcc/frontend/nn"
	"github.com/tensorcc/tcc/frontend/tensor"
)

// TestLayers: what layers with windows make of ones has the shape that their tags mean, and
// begins with the sum of the weights that meet there.
func TestLayers(t *testing.T) {
	var m struct {
		C1 nn.Conv1d          `tcc:"In=2,Out=3,K=2"`
		C3 nn.Conv3d          `tcc:"In=2,Out=3,K=2"`
		T1 nn.ConvTranspose1d `tcc:"In=2,Out=3,K=2"`
		T2 nn.ConvTranspose2d `tcc:"In=2,Out=3,K=2"`
		T3 nn.ConvTranspose3d `tcc:"In=2,Out=3,K=2"`
	}
	if err := nn.Init(&m, tensor.NewKey(1)); err != nil {
		t.Fatal(err)
	}
	x := func(shape ...int) tensor.Tensor { return tensor.Ones(tensor.F32, shape...) }
	for name, c := range map[string]struct {
		y     tensor.Tensor
		shape []int
		w     tensor.Tensor // summed, it is the first element of y
	}{
		"Conv1d":          {m.C1.Apply(x(1, 2, 4)), []int{1, 3, 3}, m.C1.W.Index(0)},
		"Conv3d":          {m.C3.Apply(x(1, 2, 4, 3, 2)), []int{1, 3, 3, 2, 1}, m.C3.W.Index(0)},
		"ConvTranspose1d": {m.T1.Apply(x(1, 2, 4)), []int{1, 3, 5}, m.T1.W.Index(tensor.All, 0, 0)},
		"ConvTranspose2d": {m.T2.Apply(x(1, 2, 4, 3)), []int{1, 3, 5, 4},
			m.T2.W.Index(tensor.All, 0, 0, 0)},
		"ConvTranspose3d": {m.T3.Apply(x(1, 2, 4, 3, 2)), []int{1, 3, 5, 4, 3},
			m.T3.W.Index(tensor.All, 0, 0, 0, 0)},
	} {
		if s := c.y.Shape(); !slices.Equal(s, c.shape) {
			t.Errorf("%s: shape %v, want %v", name, s, c.shape)
		}
		near(t, name, c.y.Reshape(-1).Index(0), tensor.MustItem[float64](c.w.Sum()))
	}
}

func TestNorms(t *testing.T) {
	var m struct {
		RMS   nn.RMSNorm   `tcc:"D=2"`
		Group nn.GroupNorm `tcc:"C=4"`
	}
	if err := nn.Init(&m, tensor.NewKey(1)); err != nil {
		t.Fatal(err)
	}
	x := tensor.Of([][]float32{{300, 400}})
	near(t, "RMSNorm", m.RMS.Apply(x), 3/math.Sqrt(12.5), 4/math.Sqrt(12.5))
	y := tensor.Of([][]float32{{100, 300, 7000, 5000}}) // two groups of two
	near(t, "GroupNorm", m.Group.Apply(y, 2), -1, 1, 1, -1)
}

func TestDropout(t *testing.T) {
	x := tensor.Ones(tensor.F32, 1000)
	y := nn.Dropout(x, tensor.NewKey(1), 0.75)
	kept := tensor.MustItem[float64](y.Sum()) / 4
	if kept < 200 || kept > 300 {
		t.Errorf("%v of 1000 elements stay, want about 250", kept)
	}
	near(t, "what stays", y.Max(), 4)
}

func TestLinearDecay(t *testing.T) {
	s := nn.LinearDecay(1, 0.5, 4)
	near(t, "linear decay", s(tensor.Of([]float32{0, 1, 4, 9})), 1, 0.875, 0.5, 0.5)
}
