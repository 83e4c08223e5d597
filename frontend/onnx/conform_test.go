package onnx

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

// testCase is a conformance test of ONNX.
type testCase struct {
	model           []byte
	inputs, outputs map[int][]byte
}

// readCases reads an archive of conformance tests.
func readCases(t *testing.T, name string) map[string]*testCase {
	f, err := os.Open(filepath.Join(corpora, "onnx", name))
	if err != nil {
		t.Skip("no ../shared/corpora/onnx beside the module")
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]*testCase{}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return cases
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag != tar.TypeReg {
			continue
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		parts := strings.Split(h.Name, "/")
		dir := strings.Join(parts[:2], "/")
		c := cases[dir]
		if c == nil {
			c = &testCase{inputs: map[int][]byte{}, outputs: map[int][]byte{}}
			cases[dir] = c
		}
		c.add(parts[2:], data)
	}
}

func (c *testCase) add(name []string, data []byte) {
	var i int
	base := name[len(name)-1]
	switch {
	case base == "model.onnx":
		c.model = data
	case name[0] != "test_data_set_0":
	case scan(base, "input_%d.pb", &i):
		c.inputs[i] = data
	case scan(base, "output_%d.pb", &i):
		c.outputs[i] = data
	}
}

func scan(s, format string, i *int) bool {
	n, err := fmt.Sscanf(s, format, i)
	return err == nil && n == 1
}

// errSkip is why a test cannot be compared.
type errSkip struct{ why string }

func (e errSkip) Error() string { return e.why }

// run imports the model, runs it with the interpreter and compares. With fixed
// set, integer inputs are constants.
func (c *testCase) run(fixed bool) error {
	return c.runWith(fixed, func(g *ir.Graph) (*ir.Graph, error) { return g, nil })
}

// runWith is run with a change of the graph before it is run.
func (c *testCase) runWith(fixed bool, change func(*ir.Graph) (*ir.Graph, error)) error {
	m, err := onnxpb.DecodeModel(c.model)
	if err != nil {
		return err
	}
	return c.runModel(m, fixed, change)
}

func (c *testCase) runModel(m *onnxpb.ModelProto, fixed bool,
	change func(*ir.Graph) (*ir.Graph, error)) error {
	var err error
	var inputs []*ir.Literal
	opt := Options{Fixed: map[string]*ir.Literal{}}
	for i, in := range m.Graph.Input {
		data, ok := c.inputs[i]
		if !ok {
			break
		}
		lit, err := readLiteral(data, in.Type)
		if err != nil {
			return err
		}
		inputs = append(inputs, lit)
		if fixed && (lit.DType == ir.I64 || lit.DType == ir.I32 || lit.DType == ir.Bool || lit.Size() <= 8) {
			opt.Fixed[in.Name] = lit
		}
	}
	g, err := Import(m, opt)
	if err != nil {
		return err
	}
	if g, err = change(g); err != nil {
		return err
	}
	if err := ir.Verify(g); err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	var args []*interp.Tensor
	for i, in := range m.Graph.Input {
		if opt.Fixed[in.Name] == nil && i < len(inputs) {
			args = append(args, &interp.Tensor{DType: inputs[i].DType, Shape: inputs[i].Shape, Data: inputs[i].Data})
		}
	}
	got, err := interp.Run(g, args)
	if err != nil {
		return err
	}
	for i, o := range m.Graph.Output {
		want, err := readLiteral(c.outputs[i], o.Type)
		if err != nil {
			return err
		}
		if err := compareTensors(got[i], want); err != nil {
			return fmt.Errorf("output %d (%s): %w", i, o.Name, err)
		}
	}
	return nil
}

func readLiteral(data []byte, t *onnxpb.TypeProto) (*ir.Literal, error) {
	if t == nil || t.Tensor == nil {
		return nil, errSkip{"not a tensor"}
	}
	p, err := onnxpb.DecodeTensor(data)
	if err != nil {
		return nil, err
	}
	v, err := p.Decode()
	if err != nil {
		return nil, err
	}
	lit, err := Literal(v)
	if err != nil {
		return nil, errSkip{err.Error()}
	}
	return lit, nil
}

// floatsOf returns elements as float64.
func floatsOf(d ir.DType, data []byte) []float64 {
	l := &ir.Literal{DType: d, Data: data}
	var out []float64
	switch d {
	case ir.F32:
		for _, x := range ir.Elements[float32](l) {
			out = append(out, float64(x))
		}
	case ir.F64:
		return ir.Elements[float64](l)
	case ir.F16:
		for _, x := range ir.Elements[uint16](l) {
			out = append(out, float64(ir.F16Value(x)))
		}
	case ir.BF16:
		for _, x := range ir.Elements[uint16](l) {
			out = append(out, float64(ir.BF16Value(x)))
		}
	}
	return out
}

// compareTensors is the comparison of tcc conform: elements agree to 1e-3 of
// themselves and 1e-5 of the largest.
func compareTensors(got *interp.Tensor, want *ir.Literal) error {
	if got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) {
		return fmt.Errorf("%v%v, want %v%v", got.DType, got.Shape, want.DType, want.Shape)
	}
	if !want.DType.IsFloat() {
		if string(got.Data) != string(want.Data) {
			return fmt.Errorf("%v differs: %v, want %v", got.DType, trim(got.Data), trim(want.Data))
		}
		return nil
	}
	a, b := floatsOf(got.DType, got.Data), floatsOf(want.DType, want.Data)
	largest := 0.0
	for _, x := range b {
		if !math.IsInf(x, 0) && !math.IsNaN(x) {
			largest = max(largest, math.Abs(x))
		}
	}
	rtol := 1e-3
	if want.DType == ir.BF16 {
		rtol = 1e-2
	}
	for i, x := range b {
		same := a[i] == x || a[i] != a[i] && x != x
		if !same && !(math.Abs(a[i]-x) <= rtol*math.Abs(x)+1e-5*largest) {
			return fmt.Errorf("element %d is %v, want %v", i, a[i], x)
		}
	}
	return nil
}

func trim(b []byte) []byte { return b[:min(len(b), 32)] }

// conformance runs the tests of an archive and returns the outcome of each:
// "" if it passed.
func conformance(t *testing.T, archive string, skip func(string) bool) {
	cases := readCases(t, archive)
	names := make([]string, 0, len(cases))
	for name := range cases {
		names = append(names, name)
	}
	slices.Sort(names)
	var passed, fixed, unsupported, failed, skipped int
	var report strings.Builder
	for _, name := range names {
		if skip(name) {
			skipped++
			continue
		}
		err := cases[name].run(false)
		var u *UnsupportedError
		var s errSkip
		switch {
		case err == nil:
			passed++
			continue
		case errors.As(err, &u):
			unsupported++
			fmt.Fprintf(&report, "unsupported %s: %v\n", path.Base(name), u.Ops)
			continue
		case errors.As(err, &s):
			skipped++
			fmt.Fprintf(&report, "skipped %s: %s\n", path.Base(name), s.why)
			continue
		}
		if cases[name].run(true) == nil {
			fixed++
			fmt.Fprintf(&report, "fixed %s: %v\n", path.Base(name), err)
			continue
		}
		why := reasonFor(err)
		if why != "" {
			unsupported++
		} else {
			failed++
		}
		fmt.Fprintf(&report, "%s %s: %.400v\n", map[bool]string{true: "FAILED", false: "named"}[why == ""],
			path.Base(name), err)
	}
	t.Logf("%d passed, %d with integer inputs as constants, %d unsupported, %d failed, %d skipped",
		passed, fixed, unsupported, failed, skipped)
	if out := os.Getenv("TCC_CONFORM_REPORT"); out != "" {
		if err := os.WriteFile(out, []byte(report.String()), 0o644); err != nil {
			t.Error(err)
		}
	}
	if failed > 0 {
		t.Errorf("%d tests fail:\n%.8000s", failed, failures(report.String()))
	}
}

// reasons are what an error says when it names a feature that is not there.
var reasons = []string{"not supported", "want constants", "known at compile time", "not a tensor", "newer than"}

func reasonFor(err error) string {
	for _, r := range reasons {
		if strings.Contains(err.Error(), r) {
			return r
		}
	}
	return ""
}

func failures(report string) string {
	var out []string
	for line := range strings.Lines(report) {
		if strings.HasPrefix(line, "FAILED") {
			out = append(out, line)
		}
	}
	return strings.Join(out, "")
}

func TestConformNodes(t *testing.T) {
	conformance(t, "onnx-node-visible.tar.gz", func(name string) bool { return false })
}

func TestConformModels(t *testing.T) {
	conformance(t, "onnx-models-visible.tar.gz", func(name string) bool {
		return testing.Short() || strings.HasPrefix(name, "light/")
	})
}
