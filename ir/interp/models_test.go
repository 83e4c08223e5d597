package interp_test

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tensorcc/tcc/frontend/onnx"
	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

// corpora is beside the module's root.
const corpora = "../../../shared/corpora"

// unfit are models whose references cannot be compared with.
var unfit = map[string]string{
	"fastestdet-qdq-int8": "the reference rounds fused integer kernels its own way",
	"yolox-nano-fp16": "the reference keeps float32 between operators (with which the interpreter " +
		"agrees to 3e-4 where the model is turned into float32); here each rounds to float16",
}

// quick is the size of the files of models that take a moment to interpret.
const quick = 1 << 18

// TestModels runs real models, imported and not optimized, on their reference
// inputs.
func TestModels(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(corpora, "models", "*", "model.onnx"))
	if len(files) == 0 {
		t.Skip("no models in " + corpora + "; they are not part of the module")
	}
	for _, file := range files {
		dir := filepath.Dir(file)
		name := filepath.Base(dir)
		t.Run(name, func(t *testing.T) {
			if why := unfit[name]; why != "" {
				t.Skip(why)
			}
			if info, err := os.Stat(file); err == nil && testing.Short() && info.Size() > quick {
				t.Skip("short: a large model")
			}
			m, err := onnx.Load(file, onnx.Options{})
			if e := (*onnx.UnsupportedError)(nil); errors.As(err, &e) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			refs, _ := filepath.Glob(filepath.Join(dir, "ref_*"))
			for _, ref := range refs {
				if err := runReference(m.Graph, ref, 1e-3, 1e-4); err != nil {
					t.Errorf("%s: %v", filepath.Base(ref), err)
				}
			}
		})
	}
}

// runReference runs g on the inputs in dir and compares with the outputs.
func runReference(g *ir.Graph, dir string, rtol, atol float64) error {
	named, ordered, err := readTensors(dir, "input")
	if err != nil {
		return err
	}
	in := make([]*interp.Tensor, len(g.Params))
	for i, p := range g.Params {
		in[i] = named[p.ParamName()]
		if in[i] == nil && i < len(ordered) {
			in[i] = ordered[i]
		}
	}
	out, err := interp.Run(g, in)
	if err != nil {
		return err
	}
	_, want, err := readTensors(dir, "output")
	if err != nil {
		return err
	}
	for i, w := range want {
		if err := agree(out[i], w, rtol, atol); err != nil {
			return fmt.Errorf("result %s: %w", g.ResultNames[i], err)
		}
	}
	return nil
}

// readTensors reads KIND_0.pb, KIND_1.pb, ... and returns them by the names
// they carry and in order.
func readTensors(dir, kind string) (map[string]*interp.Tensor, []*interp.Tensor, error) {
	named := map[string]*interp.Tensor{}
	var ordered []*interp.Tensor
	for i := 0; ; i++ {
		p, err := onnxpb.ReadTensorFile(filepath.Join(dir, fmt.Sprintf("%s_%d.pb", kind, i)))
		if errors.Is(err, os.ErrNotExist) {
			return named, ordered, nil
		}
		if err != nil {
			return nil, nil, err
		}
		lit, err := onnx.Literal(p)
		if err != nil {
			return nil, nil, err
		}
		t, err := interp.FromLiteral(lit)
		if err != nil {
			return nil, nil, err
		}
		named[p.Name], ordered = t, append(ordered, t)
	}
}

// agree says how got differs from want: by more than rtol of the element and
// atol of the largest finite one, or at all for integers.
func agree(got, want *interp.Tensor, rtol, atol float64) error {
	if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) {
		return fmt.Errorf("got %v, want %v", got, want)
	}
	if want.DType == ir.String {
		if !slices.Equal(got.Strings, want.Strings) {
			return fmt.Errorf("got %q, want %q", got.Strings, want.Strings)
		}
		return nil
	}
	g, w := got.Float64s(), want.Float64s()
	largest := 0.0
	for _, v := range w {
		if !math.IsInf(v, 0) && v == v {
			largest = max(largest, math.Abs(v))
		}
	}
	if !want.DType.IsFloat() {
		rtol, atol = 0, 0
	}
	for i := range w {
		same := g[i] == w[i] || g[i] != g[i] && w[i] != w[i]
		if !same && !(math.Abs(g[i]-w[i]) <= rtol*math.Abs(w[i])+atol*largest) {
			return fmt.Errorf("element %d of %v is %v, want %v (largest %v)", i, want, g[i], w[i], largest)
		}
	}
	return nil
}
