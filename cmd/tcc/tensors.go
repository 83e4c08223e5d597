package main

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tensorcc/tcc/frontend/onnx"
	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/runtime"
)

// hostDTypes maps element types of graphs to those of host tensors.
var hostDTypes = map[ir.DType]runtime.DType{
	ir.I8: runtime.I8, ir.I16: runtime.I16, ir.I32: runtime.I32, ir.I64: runtime.I64,
	ir.U8: runtime.U8, ir.U16: runtime.U16, ir.U32: runtime.U32, ir.U64: runtime.U64,
	ir.F16: runtime.F16, ir.BF16: runtime.BF16, ir.F32: runtime.F32, ir.F64: runtime.F64,
	ir.Bool: runtime.Bool,
}

// graphDType is the inverse of hostDTypes.
func graphDType(d runtime.DType) ir.DType {
	for g, h := range hostDTypes {
		if h == d {
			return g
		}
	}
	return ir.Invalid
}

// toInterp shares the memory of t.
func toInterp(t *runtime.Tensor) (*interp.Tensor, error) {
	c := t.Contiguous()
	data, err := c.Bytes()
	if err != nil {
		return nil, err
	}
	shape := make([]int64, c.Rank())
	for i, d := range c.Shape() {
		shape[i] = int64(d)
	}
	return &interp.Tensor{DType: graphDType(c.DType()), Shape: shape, Data: data}, nil
}

// fromBytes makes a host tensor of raw elements, copying them so that they are
// aligned.
func fromBytes(d ir.DType, shape []int64, data []byte) (*runtime.Tensor, error) {
	h, ok := hostDTypes[d]
	if !ok {
		return nil, fmt.Errorf("element type %v is not supported", d)
	}
	dims := make([]int, len(shape))
	for i, k := range shape {
		dims[i] = int(k)
	}
	t, err := runtime.NewTensor(h, dims...)
	if err != nil {
		return nil, err
	}
	dst, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	copy(dst, data)
	return t, nil
}

// readPB reads a TensorProto file; name is that in the file, if any.
func readPB(path string) (t *runtime.Tensor, name string, err error) {
	p, err := onnxpb.ReadTensorFile(path)
	if err != nil {
		return nil, "", err
	}
	l, err := onnx.Literal(p)
	if err == nil {
		t, err = fromBytes(l.DType, l.Shape, l.Data)
	}
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", path, err)
	}
	return t, p.Name, nil
}

// readInputs gathers the inputs that -input and -input-dir name, in the order
// of the graph's parameters; nil for those not given.
func readInputs(g *ir.Graph, flags []string, dir string) ([]*runtime.Tensor, error) {
	in := make([]*runtime.Tensor, len(g.Params))
	if dir != "" {
		for i := range in {
			path := filepath.Join(dir, fmt.Sprintf("input_%d.pb", i))
			t, _, err := readPB(path)
			if err != nil {
				return nil, usageError{err}
			}
			in[i] = t
		}
	}
	given := make([]bool, len(in))
	for _, f := range flags {
		i, t, err := readInput(g, f)
		switch {
		case err != nil:
			return nil, usage("-input %s: %w", f, err)
		case given[i]:
			return nil, usage("-input %s: input %s is given twice", f, g.Params[i].ParamName())
		}
		in[i], given[i] = t, true
	}
	return in, checkInputs(g, in)
}

// checkInputs compares the inputs that are given with the parameters of the graph: dtypes, ranks
// and extents, where inputs that have a symbol in common must agree.
func checkInputs(g *ir.Graph, in []*runtime.Tensor) error {
	env, by := map[string]int64{}, map[string]string{}
	bad := func(i int, more string) error {
		return usage("input %s: is %v, wanted %v%s: give a tensor of that dtype and shape",
			g.Params[i].ParamName(), in[i], g.Params[i].Type, more)
	}
	for i, t := range in {
		if t == nil {
			continue
		}
		p := g.Params[i]
		if d, ok := hostDTypes[p.Type.DType]; ok && t.DType() != d || t.Rank() != p.Type.Rank() {
			return bad(i, "")
		}
		for axis, d := range p.Type.Shape {
			if _, known := env[d.String()]; !known && ir.IsSymName(d.String()) {
				env[d.String()], by[d.String()] = int64(t.Shape()[axis]), p.ParamName()
			}
		}
	}
	for i, t := range in {
		if t == nil {
			continue
		}
		for axis, d := range g.Params[i].Type.Shape {
			n, err := d.Eval(env)
			if err != nil || n == int64(t.Shape()[axis]) {
				continue // the run knows
			}
			var more []string
			for _, s := range d.SymNames() {
				more = append(more, fmt.Sprintf(" with %s = %d by input %s", s, env[s], by[s]))
			}
			return bad(i, strings.Join(more, ","))
		}
	}
	return nil
}

// readInput reads one -input flag.
func readInput(g *ir.Graph, flag string) (int, *runtime.Tensor, error) {
	name, value, named := strings.Cut(flag, "=")
	if i := paramIndex(g, name); named && i >= 0 {
		if filepath.Ext(value) == ".pb" {
			t, _, err := readPB(value)
			return i, t, err
		}
		t, err := runtime.ReadInput(value, hostDTypes[g.Params[i].Type.DType])
		return i, t, err
	}
	if filepath.Ext(flag) != ".pb" {
		return 0, nil, fmt.Errorf("wanted NAME=FILE with one of the inputs %v", paramNames(g))
	}
	t, name, err := readPB(flag)
	if err != nil {
		return 0, nil, err
	}
	i := paramIndex(g, name)
	if i < 0 {
		return 0, nil, fmt.Errorf("holds tensor %q; the inputs are %v", name, paramNames(g))
	}
	return i, t, nil
}

func paramNames(g *ir.Graph) []string {
	names := make([]string, len(g.Params))
	for i, p := range g.Params {
		names[i] = p.ParamName()
	}
	return names
}

func paramIndex(g *ir.Graph, name string) int {
	for i, p := range g.Params {
		if p.ParamName() == name {
			return i
		}
	}
	return -1
}

// loadWithInputs loads MODEL with the inputs that the flags give, the others random, and reads the
// flags of back ends.
func loadWithInputs(c *cli.Command, seed uint64) (*model, []*runtime.Tensor, backendOptions, error) {
	m, err := loadModel(c.Args().First())
	if err != nil {
		return nil, nil, backendOptions{}, err
	}
	o, err := backendOpts(c, m.path)
	var in []*runtime.Tensor
	if err == nil {
		in, err = allInputs(c, m.graph, seed)
	}
	if err != nil {
		return nil, nil, o, errors.Join(err, m.close())
	}
	return m, in, o, nil
}

// allInputs are those that -input and -input-dir give, and random ones of the sizes of -dim.
func allInputs(c *cli.Command, g *ir.Graph, seed uint64) ([]*runtime.Tensor, error) {
	dims, err := parseDims(c.StringSlice("dim"), g)
	if err != nil {
		return nil, err
	}
	in, err := readInputs(g, c.StringSlice("input"), c.String("input-dir"))
	if err != nil {
		return nil, err
	}
	return in, complete(g, in, dims, seed)
}

// complete fills the inputs that were not given with random elements:
// integers 0 or 1, floats uniform in [-1, 1). Extents come from the inputs
// given, then from dims, and are 1 otherwise.
func complete(g *ir.Graph, in []*runtime.Tensor, dims map[string]int64, seed uint64) error {
	env := map[string]int64{}
	for name, n := range dims {
		env[name] = n
	}
	for i, t := range in {
		if t == nil {
			continue
		}
		for axis, d := range g.Params[i].Type.Shape {
			if axis < t.Rank() && ir.IsSymName(d.String()) {
				env[d.String()] = int64(t.Shape()[axis])
			}
		}
	}
	for i, p := range g.Params {
		if in[i] != nil {
			continue
		}
		shape := make([]int64, p.Type.Rank())
		for axis, d := range p.Type.Shape {
			for _, s := range d.SymNames() {
				if _, ok := env[s]; !ok {
					env[s] = 1
				}
			}
			n, err := d.Eval(env)
			if err != nil {
				return usage("input %s: %w", p.ParamName(), err)
			}
			shape[axis] = n
		}
		t, err := randomTensor(p.Type.DType, shape, rand.New(rand.NewPCG(seed, uint64(i))))
		if err != nil {
			return usage("input %s: %w", p.ParamName(), err)
		}
		in[i] = t
	}
	return nil
}

func randomTensor(d ir.DType, shape []int64, r *rand.Rand) (*runtime.Tensor, error) {
	t, err := fromBytes(d, shape, nil)
	if err != nil {
		return nil, err
	}
	data, err := t.Bytes()
	if err != nil {
		return nil, err
	}
	size := d.Size()
	for at := 0; at < len(data); at += size {
		bits := uint64(r.IntN(2))
		if d.IsFloat() {
			bits = floatBits(d, 2*r.Float64()-1)
		}
		for k := range size {
			data[at+k] = byte(bits >> (8 * k))
		}
	}
	return t, nil
}

// floatBits is x as an element of the float type d.
func floatBits(d ir.DType, x float64) uint64 {
	switch d {
	case ir.F16:
		return uint64(ir.F16Bits(x))
	case ir.BF16:
		return uint64(ir.BF16Bits(x))
	case ir.F32:
		return uint64(math.Float32bits(float32(x)))
	}
	return math.Float64bits(x)
}

// writeOutputs writes each output to DIR/NAME.npy, or summarizes it on
// standard output where dir is empty.
func writeOutputs(g *ir.Graph, out []*runtime.Tensor, dir string) error {
	if dir != "" {
		if err := os.MkdirAll(dir, fs.ModePerm); err != nil {
			return err
		}
	}
	for i, t := range out {
		name := g.ResultNames[i]
		if dir == "" {
			fmt.Printf("%s %s\n", name, t.Text())
			continue
		}
		if err := runtime.WriteNPYFile(filepath.Join(dir, runtime.FileName(name)+".npy"), t); err != nil {
			return err
		}
	}
	return nil
}
