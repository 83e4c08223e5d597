package plan

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// opaque gives each extent that is computed by a division, a remainder, a
// minimum or a maximum of the model's symbols a symbol of its own in the
// kernel, which the launch computes. Scheduling then reasons about plain
// polynomials, and the same operation at two depths of a network, on extents
// (N+1)/2 and ((N+1)/2+1)/2, is one kernel. It returns the values of the
// kernel's Dims.
//
// Kernels take their symbols not to be negative: only expressions that cannot
// be are named.
func opaque(k *kernel.Kernel) (*kernel.Kernel, []ir.Dim) {
	o := &namer{vars: map[string]bool{}, names: map[string]string{}, defs: map[string]ir.Dim{}}
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		switch s := s.(type) {
		case *kernel.Loop:
			o.vars[s.Var] = true
		case *kernel.Let:
			o.vars[s.Var] = true
		}
	})
	out := kernel.MapDims(k, o.dim)
	used := map[string]bool{}
	for _, p := range out.Params {
		p.Size.Syms(used)
	}
	kernel.WalkDims(out.Body, func(d ir.Dim) { d.Syms(used) })
	out.Dims = nil
	for s := range used {
		if !o.vars[s] {
			out.Dims = append(out.Dims, s)
		}
	}
	slices.Sort(out.Dims)
	values := make([]ir.Dim, len(out.Dims))
	for i, s := range out.Dims {
		values[i] = ir.Sym(s)
		if def, ok := o.defs[s]; ok {
			values[i] = def
		}
	}
	return out, values
}

// namer names the expressions of one kernel.
type namer struct {
	vars  map[string]bool   // loops and lets
	names map[string]string // of expressions, by their text
	defs  map[string]ir.Dim // of names, in the model's symbols
}

// named is an expression in the kernel's symbols, and in the model's.
type named struct{ in, orig ir.Dim }

func (o *namer) dim(d ir.Dim) ir.Dim {
	if d.Static() {
		return d
	}
	return ir.Walk(d, func(k int64) named { return named{ir.Const(k), ir.Const(k)} },
		func(s string) named { return named{ir.Sym(s), ir.Sym(s)} },
		func(op byte, a, b named) named {
			x := named{dimOps[op](a.in, b.in), dimOps[op](a.orig, b.orig)}
			if op != '+' && op != '*' && o.outer(x.orig) && nonNegative(x.orig) && !x.in.Static() {
				x.in = ir.Sym(o.name(x))
			}
			return x
		}).in
}

var dimOps = map[byte]func(a, b ir.Dim) ir.Dim{'+': ir.Dim.Add, '*': ir.Dim.Mul, '/': ir.Dim.FloorDiv,
	'%': ir.Dim.Mod, '<': ir.Dim.Min, '>': ir.Dim.Max}

func (o *namer) name(x named) string {
	key := x.orig.String()
	if _, ok := o.names[key]; !ok {
		o.names[key] = fmt.Sprintf("_e%d", len(o.names))
		o.defs[o.names[key]] = x.orig
	}
	return o.names[key]
}

// outer reports whether d has symbols of the model alone.
func (o *namer) outer(d ir.Dim) bool {
	return !slices.ContainsFunc(d.SymNames(), func(s string) bool { return o.vars[s] })
}

// nonNegative reports whether d is made of sums, products and positive
// divisions of what is not negative.
func nonNegative(d ir.Dim) bool {
	type fact struct{ ok, positive bool }
	return ir.Walk(d, func(k int64) fact { return fact{k >= 0, k > 0} },
		func(string) fact { return fact{true, false} },
		func(op byte, a, b fact) fact {
			switch op {
			case '/', '%':
				return fact{a.ok && b.positive, false}
			case '>':
				return fact{a.ok || b.ok, a.positive || b.positive}
			}
			return fact{a.ok && b.ok, a.positive && b.positive}
		}).ok
}
