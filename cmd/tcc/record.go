package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tensorcc/tcc/codegen/gopkg"
	"github.com/tensorcc/tcc/frontend/onnx"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// This file records what the interpreter makes of a model, for the tests of
// generated packages.

// record returns the cases for g: of the inputs that the flags name, else of
// the test data beside the model, else random ones.
func record(ctx context.Context, c *cli.Command, m *model, g *ir.Graph,
	dims *dimFlags) ([]gopkg.Case, error) {
	dirs, flags := c.StringSlice("input-dir"), c.StringSlice("input")
	found := len(dirs) == 0 && len(flags) == 0
	if found && m.path != "" {
		dirs = firstSets(m.path)
	}
	var cases []gopkg.Case
	for _, dir := range append(dirs, "") {
		if dir == "" && (len(cases) > 0 || len(dirs) > 0 && !found) {
			continue // random inputs are for want of others
		}
		in, err := readInputs(g, flags, dir)
		if err != nil {
			return nil, err
		}
		if err := zero(g, in, m.zeros); err != nil {
			return nil, err
		}
		if found && !dims.fit(g, in) {
			continue // test data of other extents than -dim allows
		}
		one, err := interpret(ctx, g, in, dims)
		if err != nil {
			where := dir
			if dir == "" {
				where = "inputs"
			}
			return nil, fmt.Errorf("%s: %w", where, err)
		}
		cases = append(cases, one)
	}
	return cases, nil
}

// zero makes the inputs of the given indices, of static shapes, zeros.
func zero(g *ir.Graph, in []*runtime.Tensor, which []int) error {
	for _, i := range which {
		t := g.Params[i].Type
		shape, _ := t.Shape.Ints()
		n, _ := t.Shape.Size().Int()
		var err error
		if in[i], err = fromBytes(t.DType, shape, make([]byte, n*int64(t.DType.Size()))); err != nil {
			return err
		}
	}
	return nil
}

// firstSets are the first folders of test data beside a model.
func firstSets(path string) []string {
	const most = 3
	sets := testSets(filepath.Dir(path))
	for _, s := range sets {
		if _, err := os.Stat(filepath.Join(s, "input_0.pb")); err != nil {
			return nil // outputs alone
		}
	}
	return sets[:min(len(sets), most)]
}

// interpret completes the inputs and runs the interpreter. Where dynamic
// extents are free, it takes the first size that the model accepts.
func interpret(ctx context.Context, g *ir.Graph, given []*runtime.Tensor,
	dims *dimFlags) (gopkg.Case, error) {
	const largest = 256
	var firstErr error
	for n := int64(1); n <= largest; n *= 2 {
		in := append([]*runtime.Tensor(nil), given...)
		if err := complete(g, in, dims.sizes(g, n), 1); err != nil {
			return gopkg.Case{}, err
		}
		out, err := interpRunner{g}.Run(ctx, in)
		if err == nil {
			return gopkg.Case{Inputs: in, Outputs: out}, nil
		}
		if ctx.Err() != nil {
			return gopkg.Case{}, ctx.Err()
		}
		if firstErr == nil {
			firstErr = err
		}
		if !hasFree(g, given) {
			break
		}
	}
	return gopkg.Case{}, fmt.Errorf("the interpreter cannot run the model on them: %w: "+
		"give inputs by -input or -input-dir", firstErr)
}

// hasFree reports whether an input that is not given has dynamic extents.
func hasFree(g *ir.Graph, given []*runtime.Tensor) bool {
	for i, p := range g.Params {
		if given[i] == nil && !p.Type.Shape.Static() {
			return true
		}
	}
	return false
}

// fit reports whether the inputs given have the extents that the graph and the
// ranges allow.
func (d *dimFlags) fit(g *ir.Graph, in []*runtime.Tensor) bool {
	for i, p := range g.Params {
		if in[i] == nil {
			continue
		}
		if in[i].Rank() != p.Type.Rank() {
			return false
		}
		for axis, e := range p.Type.Shape {
			n := int64(in[i].Shape()[axis])
			if k, ok := e.Int(); ok && k != n {
				return false
			}
			for _, r := range d.ranges {
				if e.Equal(ir.Sym(r.name)) && (n < r.lo || n > r.hi) {
					return false
				}
			}
		}
	}
	return true
}

// dimFlags are the -dim flags of build and gen.
type dimFlags struct {
	fixed  map[string]int64
	ranges []dimRange
}

type dimRange struct {
	name   string
	lo, hi int64
}

// sizes are the extents for random inputs: n, within the ranges.
func (d *dimFlags) sizes(g *ir.Graph, n int64) map[string]int64 {
	out := map[string]int64{}
	for _, p := range g.Params {
		for _, e := range p.Type.Shape {
			for _, s := range e.SymNames() {
				out[s] = n
			}
		}
	}
	for _, r := range d.ranges {
		out[r.name] = min(max(n, r.lo), r.hi)
	}
	return out
}

// parseRanges reads -dim NAME=N and NAME=LO..HI flags.
func parseRanges(flags []string) (*dimFlags, error) {
	d := &dimFlags{fixed: map[string]int64{}}
	for _, f := range flags {
		name, value, ok := strings.Cut(f, "=")
		var lo, hi int64
		switch n, err := fmt.Sscanf(value, "%d..%d", &lo, &hi); {
		case !ok || n == 0 || lo < 0:
			return nil, usage("-dim %s: wanted NAME=N or NAME=LO..HI", f)
		case n == 2 && err == nil && lo <= hi && value == fmt.Sprintf("%d..%d", lo, hi):
			d.ranges = append(d.ranges, dimRange{onnx.SymName(name), lo, hi})
		case n == 1 && value == fmt.Sprint(lo):
			d.fixed[onnx.SymName(name)] = lo
		default:
			return nil, usage("-dim %s: wanted NAME=N or NAME=LO..HI with LO <= HI", f)
		}
	}
	return d, nil
}
