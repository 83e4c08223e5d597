package autodiff

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

// torchCase is a program and what PyTorch's backward gives, see
// bench/torch/cases.py.
type torchCase struct {
	Graph  string   `json:"graph"`
	In     []string `json:"in"`
	Cot    string   `json:"cot"`
	Grads  []string `json:"grads"`
	Dir    []string `json:"dir"`
	Second []string `json:"second"`
}

// TestTorchCases compares gradients of first and second order, at kinks and
// ties, too, with PyTorch's: those of testdata, and those of the file that
// TCC_TORCH_CASES names, which bench/torch/cases.py has written. Both sides
// are float64; the tolerance is 1e-9 of the largest element.
func TestTorchCases(t *testing.T) {
	files := []string{"testdata/torch.jsonl"}
	if f := os.Getenv("TCC_TORCH_CASES"); f != "" {
		files = append(files, f)
	}
	for _, file := range files {
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		s := bufio.NewScanner(f)
		s.Buffer(nil, 1<<20)
		n, second := 0, 0
		for ; s.Scan(); n++ {
			var c torchCase
			if err := json.Unmarshal(s.Bytes(), &c); err != nil {
				t.Fatalf("%s:%d: %v", file, n+1, err)
			}
			if !c.check(t) {
				t.Errorf("%s:%d\n%s", file, n+1, c.Graph)
			}
			if c.Second != nil {
				second++
			}
		}
		if s.Err() != nil || n < 300 || second < n*9/10 {
			t.Errorf("%s: %d cases, %d with second derivatives: %v", file, n, second, s.Err())
		}
		t.Logf("%s: %d cases, %d with second derivatives", file, n, second)
	}
}

// check reports whether the gradients agree.
func (c *torchCase) check(t *testing.T) bool {
	g, err := ir.Parse("case", c.Graph)
	if err != nil {
		t.Error(err)
		return false
	}
	wrt := count(0, len(g.Params))
	vjp, err := VJP(g, wrt)
	if err != nil {
		t.Error(err)
		return false
	}
	tensors := func(vs []*ir.Value, texts []string) (out []*interp.Tensor) {
		for i, text := range texts {
			shape, _ := vs[i].Type.Shape.Ints()
			out = append(out, interp.FromSlice(ir.F64, shape, decode(t, text)))
		}
		return out
	}
	in := append(tensors(g.Params, c.In), tensors(g.Results, []string{c.Cot})...)
	ok := true
	for i, got := range run(t, vjp, in)[1:] {
		ok = agree(t, "gradient", i, got, decode(t, c.Grads[i])) && ok
	}
	if c.Second == nil || !ok {
		return ok
	}
	twice, err := VJP(vjp, wrt)
	if err != nil {
		t.Error(err)
		return false
	}
	zero := randomTensor(nil, g.Results[0].Type, 0, 0)
	in = append(append(in, zero), tensors(g.Params, c.Dir)...)
	for i, got := range run(t, twice, in)[len(vjp.Results):] {
		ok = agree(t, "second derivative", i, got, decode(t, c.Second[i])) && ok
	}
	return ok
}

func decode(t *testing.T, text string) []float64 {
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]float64, len(b)/8)
	for i := range out {
		out[i] = math.Float64frombits(binary.LittleEndian.Uint64(b[8*i:]))
	}
	return out
}

func agree(t *testing.T, what string, i int, got *interp.Tensor, want []float64) bool {
	t.Helper()
	xs := interp.Elements[float64](got)
	size := 1.0
	for _, w := range want {
		if !math.IsInf(w, 0) && !math.IsNaN(w) {
			size = math.Max(size, math.Abs(w))
		}
	}
	for k, w := range want {
		x := xs[k]
		same := x == w || math.IsNaN(x) && math.IsNaN(w) || math.Abs(x-w) <= 1e-9*size
		if !same {
			t.Errorf("%s %d: element %d is %g, PyTorch has %g", what, i, k, x, w)
			return false
		}
	}
	return true
}
