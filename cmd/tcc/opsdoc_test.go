package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tensorcc/tcc/autodiff"
	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/mathfn"
	"github.com/tensorcc/tcc/codegen/plan"
	"github.com/tensorcc/tcc/codegen/ptx"
	"github.com/tensorcc/tcc/codegen/purego"
	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/frontend/onnx"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
	"github.com/tensorcc/tcc/ir/irtest"
	"github.com/tensorcc/tcc/passes"
)

// This file writes docs/ops.md: what is supported is found by trying it, for
// each operation and element type, on graphs that irtest makes.

//go:generate env TCC_UPDATE=1 go test -count=1 -run ^TestOpsDoc$ .

// probe is a column of the table: whether one part of tcc takes a case.
type probe struct {
	name string
	try  func(c *irtest.Case) error
}

var probes = []probe{
	{"interpreter", probeInterp},
	{"amd64", func(c *irtest.Case) error { return probeNative(c, "x86-64-v3", "x86-64-v4") }},
	{"arm64", func(c *irtest.Case) error { return probeNative(c, "arm64") }},
	{"Go", func(c *irtest.Case) error { return probeNative(c, generic) }},
	{"PTX", probePTX},
}

func probeInterp(c *irtest.Case) error {
	for _, set := range c.Inputs {
		in := make([]*interp.Tensor, len(set))
		for i, l := range set {
			var err error
			if in[i], err = interp.FromLiteral(l); err != nil {
				return err
			}
		}
		if _, err := (&interp.Config{}).Run(context.Background(), c.Graph, in); err != nil {
			return err
		}
	}
	return nil
}

// probeNative takes a case through the compiler as far as text: LLVM IR, or Go.
func probeNative(c *irtest.Case, levels ...string) error {
	return probeKernels(c, func(tree *kernel.Kernel) error {
		for _, level := range levels {
			k, err := schedule.Schedule(tree, schedule.Targets[level])
			if err != nil {
				return err
			}
			if level == generic {
				_, err = purego.Func(k, "kernel")
			} else {
				t, _ := llvm.TargetOf(level)
				_, err = llvm.Emit(mathfn.Kernel(k, t.Native), t)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// probePTX takes the kernels of a case to PTX; how they are launched is not
// part of it.
func probePTX(c *irtest.Case) error {
	return probeKernels(c, func(tree *kernel.Kernel) error {
		for _, name := range ptx.Targets() {
			k, err := schedule.GPU(tree, schedule.GPUTargets[name])
			if err != nil {
				return err
			}
			t, _ := ptx.TargetOf(name)
			if _, err := ptx.Emit(mathfn.Kernel(k, nil), t); err != nil {
				return err
			}
		}
		return nil
	})
}

// probeKernels gives emit each kernel of a case as it is lowered.
func probeKernels(c *irtest.Case, emit func(tree *kernel.Kernel) error) error {
	g, err := passes.Run(c.Graph, passes.Options{})
	if err != nil {
		return err
	}
	p, err := plan.Make(g, passes.PlanMemory(g), nil)
	if err != nil {
		return err
	}
	for _, tree := range p.Trees {
		if err := emit(tree); err != nil {
			return err
		}
	}
	return nil
}

// opCases makes cases of op, by the element type that it works on: up to most
// of each. An operation that irtest does not make on its own has its example
// of testdata/ops, as of type Invalid.
func opCases(t *testing.T, op ir.Op) map[ir.DType][]*irtest.Case {
	const most, seeds = 2, 400
	cases := map[ir.DType][]*irtest.Case{}
	for d := ir.Bool; d < ir.String; d++ {
		if !opTypes(op).Has(d) {
			continue
		}
		for seed := uint64(0); seed < seeds && len(cases[d]) < most; seed++ {
			c := irtest.Generate(irtest.Config{Seed: seed, Size: 1, MaxElems: 64, Static: seed%2 == 0,
				Allow: func(o ir.Op, on ir.DType) bool {
					return (o == op || o == ir.OpParam || o == ir.OpBroadcast) && (on == d || helpers.Has(on))
				}})
			if slices.ContainsFunc(c.Graph.Values, func(v *ir.Value) bool { return v.Op == op && worksOn(v) == d }) {
				cases[d] = append(cases[d], c)
			}
		}
		if cases[d] == nil && d.IsFloat() && op != ir.OpParam { // its results would be too coarse to compare
			cases[d] = []*irtest.Case{example(t, op, d)}
		}
	}
	if len(cases) == 0 && op != ir.OpParam {
		cases[ir.Invalid] = []*irtest.Case{example(t, op, ir.F32)}
	}
	return cases
}

// helpers are the types of conditions and indices.
const helpers ir.DTypes = 1<<ir.Bool | 1<<ir.I32 | 1<<ir.I64

// opTypes are the types of a row; the condition of a select says nothing.
func opTypes(op ir.Op) ir.DTypes {
	if op == ir.OpSelect {
		return ir.Storable
	}
	return op.Info().Types
}

// worksOn is the element type that a row of the op table means.
func worksOn(v *ir.Value) ir.DType {
	switch {
	case v.Op == ir.OpSelect:
		return v.Args[1].Type.DType
	case len(v.Args) == 0:
		return v.Type.DType
	}
	return v.Args[0].Type.DType
}

// example is the graph of testdata/ops, with elements of type d for f32.
func example(t *testing.T, op ir.Op, d ir.DType) *irtest.Case {
	file := filepath.Join("..", "..", "testdata", "ops", op.String()+".txtar")
	a, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(a.Files, func(f txtar.File) bool { return f.Name == "in" })
	g, err := ir.Parse(file, strings.ReplaceAll(string(a.Files[i].Data), "<f32", "<"+d.String()))
	if err != nil {
		t.Fatal(err)
	}
	return &irtest.Case{Graph: g, Inputs: [][]*ir.Literal{{}}}
}

// support says on which types a probe takes all cases of an operation.
func support(p probe, cases map[ir.DType][]*irtest.Case) ir.DTypes {
	var ok ir.DTypes
	for d, list := range cases {
		if !slices.ContainsFunc(list, func(c *irtest.Case) bool { return guarded(p, c) != nil }) {
			ok |= 1 << d
		}
	}
	return ok
}

// guarded is a try that takes a panic for an error.
func guarded(p probe, c *irtest.Case) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%v", r)
		}
	}()
	return p.try(c)
}

// gradient tries both derivatives of the cases of floating-point types.
func gradient(op ir.Op, cases map[ir.DType][]*irtest.Case) string {
	if why := autodiff.Missing(op); why != "" {
		return "no: " + why
	}
	for d := ir.F16; d <= ir.F64; d++ {
		for _, c := range cases[d] {
			if err := differentiate(c.Graph); err != nil {
				return "no: " + err.Error()
			}
		}
	}
	return "yes"
}

func differentiate(g *ir.Graph) error {
	var wrt []int
	for i, p := range g.Params {
		if p.Type.DType.IsFloat() {
			wrt = append(wrt, i)
		}
	}
	_, verr := autodiff.VJP(g, wrt)
	_, jerr := autodiff.JVP(g, wrt)
	return errors.Join(verr, jerr)
}

// typeNames writes a set of types, runs of them as i8-i64.
func typeNames(s ir.DTypes) string {
	if s&^(1<<ir.Invalid) == 0 {
		return ""
	}
	var words []string
	rest := s &^ (1 << ir.Invalid)
	for _, run := range []struct {
		set  ir.DTypes
		name string
	}{{ir.Booleans, "bool"}, {ir.Signed, "i8-i64"}, {ir.Unsigned, "u8-u64"}, {ir.Floats, "floats"}} {
		if rest&run.set == run.set {
			words, rest = append(words, run.name), rest&^run.set
		}
	}
	for d := ir.Bool; d <= ir.String; d++ {
		if rest.Has(d) {
			words = append(words, d.String())
		}
	}
	return strings.Join(words, " ")
}

// cell says what of the types all is supported.
func cell(all, have ir.DTypes) string {
	switch {
	case have == all:
		return "yes"
	case have == 0:
		return "no"
	}
	return "not " + typeNames(all&^have)
}

// opsDoc is the text of docs/ops.md.
func opsDoc(t *testing.T) string {
	var b strings.Builder
	b.WriteString("# Operations\n\n" +
		"Written by `go generate ./cmd/tcc`, from the tables and by trying each operation on each\n" +
		"element type: do not edit.\n\n" +
		"Floats are f16, bf16, f32 and f64. In a column, yes means all of the element types of the row\n" +
		"(of the first computed argument; of the result where there is none). amd64 and arm64 are native\n" +
		"code of every level, Go is the form for all other architectures, PTX the text of\n" +
		"kernels alone: a type is left out where some shape that was tried has no schedule. A gradient\n" +
		"holds for both directions, vector-Jacobian and Jacobian-vector, and any order.\n\n" +
		"## Of graphs\n\n")
	head := []string{"operation", "meaning", "types"}
	for _, p := range probes {
		head = append(head, p.name)
	}
	row(&b, append(head, "gradient")...)
	b.WriteString(strings.Repeat("| --- ", len(head)+1) + "|\n")
	for _, op := range ir.Ops() {
		cases := opCases(t, op)
		all := opTypes(op)
		if len(cases[ir.Invalid]) > 0 {
			all = 1 << ir.Invalid
		}
		cells := []string{"`" + op.String() + "`", op.Info().Doc, typeNames(opTypes(op))}
		for _, p := range probes {
			if op == ir.OpParam {
				cells = append(cells, cell(all, support(p, paramCases())))
				continue
			}
			cells = append(cells, cell(all, support(p, cases)))
		}
		row(&b, append(cells, gradient(op, cases))...)
	}
	b.WriteString("\n## Of ONNX\n\nOperators and the operator sets from which the reader implements a meaning of\n" +
		"theirs; each holds up to the next. Domains other than ONNX's own come before the name.\n\n")
	row(&b, "operator", "from version")
	b.WriteString("| --- | --- |\n")
	versions := map[string][]string{}
	var names []string
	for _, o := range onnx.Operators() {
		at := strings.LastIndexByte(o, '-')
		if versions[o[:at]] == nil {
			names = append(names, o[:at])
		}
		versions[o[:at]] = append(versions[o[:at]], o[at+1:])
	}
	slices.Sort(names)
	for _, n := range names {
		slices.SortFunc(versions[n], func(a, b string) int { return len(a)*1000 - len(b)*1000 + strings.Compare(a, b) })
		row(&b, n, strings.Join(versions[n], ", "))
	}
	return b.String()
}

// paramCases are graphs that return their parameter.
func paramCases() map[ir.DType][]*irtest.Case {
	cases := map[ir.DType][]*irtest.Case{}
	for d := ir.Bool; d <= ir.String; d++ {
		g := ir.NewGraph("identity")
		p := g.Param("x", ir.T(d, ir.Const(4)), ir.Pos{})
		g.SetResults([]string{"y"}, p)
		zeros := &ir.Literal{DType: d, Shape: []int64{4}, Data: make([]byte, max(d.Size(), 1)), Splat: true}
		cases[d] = []*irtest.Case{{Graph: g, Inputs: [][]*ir.Literal{{zeros}}}}
	}
	return cases
}

func row(b *strings.Builder, cells ...string) {
	for _, c := range cells {
		c = strings.NewReplacer("|", "\\|", "\n", " ", "*", "\\*", "<", "\\<").Replace(c)
		fmt.Fprintf(b, "| %s ", c)
	}
	b.WriteString("|\n")
}

// TestOpsDoc checks that docs/ops.md is what the tables say; TCC_UPDATE=1
// writes it.
func TestOpsDoc(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "ops.md")
	want := opsDoc(t)
	if os.Getenv("TCC_UPDATE") != "" {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("docs/ops.md is out of date; run go generate ./cmd/tcc (-want +got):\n%s", diff)
	}
}
