package passes

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"

	"github.com/tensorcc/tcc/frontend/onnx"
	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir/interp"
)

// TestModelsKeepMeaning interprets the models before and after the passes.
// All of them take minutes: TCC_LONG=1 asks for that.
func TestModelsKeepMeaning(t *testing.T) {
	quick := []string{
		"mnist-8", "gonnx-gru", "dtln-1", "silero-vad-v5", "aidreams-260k-kv", "acasxu-1-1"}
	files, _ := filepath.Glob("../../shared/corpora/models/*/model.onnx")
	if len(files) == 0 {
		t.Skip("no ../shared/corpora/models beside the module")
	}
	for _, f := range files {
		if os.Getenv("TCC_LONG") != "" || slices.Contains(quick, filepath.Base(filepath.Dir(f))) {
			testMeaning(t, f)
		}
	}
}

func testMeaning(t *testing.T, path string) {
	t.Run(filepath.Base(filepath.Dir(path)), func(t *testing.T) {
		m, err := onnx.Load(path, onnx.Options{})
		if err != nil {
			t.Skipf("not imported: %v", err)
		}
		defer m.Close()
		after, err := Run(m.Graph, Options{})
		if err != nil {
			t.Fatal(err)
		}
		in := referenceInputs(t, filepath.Dir(path), len(m.Graph.Params))
		want, err := interp.Run(m.Graph, in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := interp.Run(after, in)
		if err != nil {
			t.Fatal(err)
		}
		for i := range want {
			if err := closeTo(want[i], got[i], 1e-4); err != nil {
				t.Errorf("result %d: %v", i, err)
			}
		}
	})
}

// referenceInputs reads the inputs of the first reference run of a model.
func referenceInputs(t *testing.T, dir string, n int) []*interp.Tensor {
	t.Helper()
	var out []*interp.Tensor
	for i := range n {
		data, err := os.ReadFile(filepath.Join(dir, "ref_0", "input_"+strconv.Itoa(i)+".pb"))
		if err != nil {
			t.Fatal(err)
		}
		p, err := onnxpb.DecodeTensor(data)
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Decode()
		if err != nil {
			t.Fatal(err)
		}
		lit, err := onnx.Literal(v)
		if err != nil {
			t.Fatal(err)
		}
		x, err := interp.FromLiteral(lit)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, x)
	}
	return out
}
