package interp_test

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/onnx"
	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

// nodeCase is one directory of ONNX's conformance tests.
type nodeCase struct {
	model           []byte
	inputs, outputs map[string][]byte // by file name
}

// excused has tests that fail for reasons outside the interpreter: the import of
// Cast has neither its saturate nor ONNX's wrapping to 4 bits; that of Resize
// rounds the extent that align_corners takes with its fraction; that of Loop
// leaves an extent of a stacked result to a symbol of the body.
var excused = regexp.MustCompile(`^node/test_(` +
	`cast.*_to_(FLOAT8E4M3FN|FLOAT8E5M2|INT4|UINT4)(_expanded)?` +
	`|resize_downsample_scales_(cubic|linear)_align_corners` +
	`|loop11)$`)

// TestNodes runs ONNX's tests of single operators. What the importer refuses
// is counted, not failed: that is tested with the importer.
func TestNodes(t *testing.T) {
	cases := readCases(t, filepath.Join(corpora, "onnx", "onnx-node-visible.tar.gz"))
	passed, refused := 0, 0
	for _, name := range slices.Sorted(maps.Keys(cases)) {
		c := cases[name]
		err := c.run(false)
		if err != nil {
			// A number that the model takes as an input is often wanted
			// at compile time.
			if fixed := c.run(true); fixed == nil || !errors.As(fixed, new(importError)) {
				err = fixed
			}
		}
		var imp importError
		switch {
		case err == nil:
			passed++
		case errors.As(err, &imp):
			refused++
			t.Logf("%s: %v", name, imp)
		case !excused.MatchString(name):
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Logf("%d passed, %d refused by the importer", passed, refused)
}

// importError is an error of the importer.
type importError struct{ error }

func readCases(t *testing.T, file string) map[string]*nodeCase {
	f, err := os.Open(file)
	if err != nil {
		t.Skipf("%v; the corpus is not part of the module", err)
	}
	defer f.Close()
	zip, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]*nodeCase{}
	for r := tar.NewReader(zip); ; {
		h, err := r.Next()
		if err == io.EOF {
			return cases
		}
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(h.Name, "/")
		if h.Typeflag != tar.TypeReg || len(parts) < 3 {
			continue
		}
		name := parts[0] + "/" + parts[1]
		c := cases[name]
		if c == nil {
			c = &nodeCase{inputs: map[string][]byte{}, outputs: map[string][]byte{}}
			cases[name] = c
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch base := path.Base(h.Name); {
		case base == "model.onnx":
			c.model = data
		case parts[2] != "test_data_set_0":
		case strings.HasPrefix(base, "input_"):
			c.inputs[base] = data
		case strings.HasPrefix(base, "output_"):
			c.outputs[base] = data
		}
	}
}

// run runs the model and compares; with fix, scalar and vector inputs are constants.
func (c *nodeCase) run(fix bool) error {
	m, err := onnxpb.DecodeModel(c.model)
	if err != nil {
		return importError{err}
	}
	in, err := decodeAll(c.inputs, "input")
	if err != nil {
		return importError{err}
	}
	named, fixed := map[string]*interp.Tensor{}, map[string]*ir.Literal{}
	for i, t := range in {
		name := m.Graph.Input[i].Name
		named[name] = t
		if fix && len(t.Shape) <= 1 {
			fixed[name] = t.Literal()
		}
	}
	g, err := onnx.Import(m, onnx.Options{Fixed: fixed})
	if err != nil {
		return importError{err}
	}
	args := make([]*interp.Tensor, len(g.Params))
	for i, p := range g.Params {
		args[i] = named[p.ParamName()]
	}
	out, err := interp.Run(g, args)
	if err != nil {
		return err
	}
	want, err := decodeAll(c.outputs, "output")
	if err != nil {
		return importError{err}
	}
	for i, w := range want {
		if err := agree(out[i], w, 1e-3, 1e-5); err != nil {
			return fmt.Errorf("output %d: %w", i, err)
		}
	}
	return nil
}

func decodeAll(files map[string][]byte, kind string) ([]*interp.Tensor, error) {
	var out []*interp.Tensor
	for i := range len(files) {
		p, err := onnxpb.DecodeTensor(files[fmt.Sprintf("%s_%d.pb", kind, i)])
		if err != nil {
			return nil, err
		}
		d, err := p.Decode()
		if err != nil {
			return nil, err
		}
		l, err := onnx.Literal(d)
		if err != nil {
			return nil, err
		}
		t, err := interp.FromLiteral(l)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}
