package runtime

import (
	"errors"
	"fmt"
	"slices"
)

// validator collects what is wrong with a Program. These are faults of who made it, not of its
// user; New returns them as an error because plans may be made by other programs than tcc.
type validator struct {
	p    *Program
	errs []error
}

func validate(p *Program) error {
	v := &validator{p: p}
	v.symbols()
	v.exprs()
	v.ports()
	v.buffers()
	for i, k := range p.Kernels {
		for _, form := range k.Variants {
			v.int(form.Tasks, "kernel %d %s: tasks", i, k.Name)
			v.int(form.Scratch, "kernel %d %s: scratch", i, k.Name)
			v.int(form.Common, "kernel %d %s: common memory", i, k.Name)
			v.int(form.Ahead, "kernel %d %s: tasks ahead", i, k.Name)
		}
	}
	for i, c := range p.Checks {
		v.int(c.A, "check %d", i)
		v.int(c.B, "check %d", i)
	}
	v.int(p.Arena, "arena")
	v.steps(p.Steps)
	return errors.Join(v.errs...)
}

func (v *validator) fail(format string, args ...any) {
	const limit = 20
	if len(v.errs) < limit {
		v.errs = append(v.errs, fmt.Errorf(v.p.Name+": plan: "+format, args...))
	}
}

func (v *validator) int(x Int, format string, args ...any) {
	if x < 0 && int(^x) >= len(v.p.Exprs) {
		v.fail(format+": slot %d of %d", append(args, ^x, len(v.p.Exprs))...)
	}
}

func (v *validator) index(i, n int, format string, args ...any) bool {
	if i < 0 || i >= n {
		v.fail(format+": index %d of %d", append(args, i, n)...)
		return false
	}
	return true
}

func (v *validator) symbols() {
	for i, s := range v.p.Symbols {
		if s.Input < 0 {
			continue
		}
		if v.index(s.Input, len(v.p.Inputs), "symbol %d %s: input", i, s.Name) {
			v.index(s.Axis, len(v.p.Inputs[s.Input].Dims), "symbol %d %s: axis", i, s.Name)
		}
	}
}

func (v *validator) exprs() {
	for i, e := range v.p.Exprs {
		switch {
		case e.Op == OpConst:
		case e.Op == OpSym:
			v.index(int(e.A), len(v.p.Symbols), "expr %d: symbol", i)
		case e.Op > OpSelect:
			v.fail("expr %d: operation %d", i, e.Op)
		default:
			for _, x := range []Int{e.A, e.B, e.C} {
				if x < 0 && int(^x) >= i {
					v.fail("expr %d: uses slot %d, wanted an earlier one", i, ^x)
				}
			}
		}
	}
}

func (v *validator) ports() {
	for i, ports := range [][]Port{v.p.Inputs, v.p.Outputs} {
		for j, p := range ports {
			what := []string{"input", "output"}[i]
			if p.DType == NoDType || p.DType >= String {
				v.fail("%s %d %s: dtype %v, wanted numbers or bools", what, j, p.Name, p.DType)
			}
			for _, d := range p.Dims {
				v.int(d, "%s %d %s", what, j, p.Name)
			}
			if p.InPlace != 0 {
				v.inPlace(what, j, p)
			}
		}
	}
}

func (v *validator) inPlace(what string, i int, p Port) {
	if what == "input" || !v.index(p.InPlace-1, len(v.p.Inputs), "output %d %s: in place", i, p.Name) {
		v.fail("%s %d %s: in place of input %d", what, i, p.Name, p.InPlace-1)
		return
	}
	if in := v.p.Inputs[p.InPlace-1]; in.DType != p.DType || !slices.Equal(in.Dims, p.Dims) {
		v.fail("output %d %s: in place of input %s of another type", i, p.Name, in.Name)
	}
	for j, other := range v.p.Outputs[:i] {
		if other.InPlace == p.InPlace {
			v.fail("outputs %d and %d: in place of one input", j, i)
		}
	}
}

func (v *validator) buffers() {
	limit := map[BufferKind]int{InInput: len(v.p.Inputs), InOutput: len(v.p.Outputs)}
	for i, b := range v.p.Buffers {
		v.int(b.Offset, "buffer %d: offset", i)
		v.int(b.Size, "buffer %d: size", i)
		if b.Kind > InLate || b.Index < 0 {
			v.fail("buffer %d: kind %d index %d", i, b.Kind, b.Index)
		}
		if n, ok := limit[b.Kind]; ok {
			v.index(b.Index, n, "buffer %d", i)
		}
	}
}

func (v *validator) steps(steps []Step) {
	p := v.p
	for _, s := range steps {
		switch s := s.(type) {
		case *Launch:
			v.launch(s)
		case *If:
			v.index(s.Cond, len(p.Buffers), "if: condition")
			v.steps(s.Then)
			v.steps(s.Else)
		case *Loop:
			v.late(s.Symbol, "loop")
			v.int(s.Trip, "loop")
			v.steps(s.Body)
		case *Bind:
			v.late(s.Symbol, "bind")
			v.index(s.Buf, len(p.Buffers), "bind: buffer")
			if s.DType < I8 || s.DType > U64 {
				v.fail("bind: dtype %v, wanted an integer type", s.DType)
			}
		case *BindSlot:
			v.late(s.Symbol, "bind slot")
			v.int(s.Value, "bind slot")
		case *Alloc:
			v.int(s.Size, "alloc")
			if s.Output != 0 {
				v.index(s.Output-1, len(p.Outputs), "alloc: output")
			} else if s.Late < 0 {
				v.fail("alloc: late block %d", s.Late)
			}
		case *Verify:
			v.index(s.Check, len(p.Checks), "verify: check")
		case *Copy:
			v.index(s.Dst, len(p.Buffers), "copy: to")
			v.index(s.Src, len(p.Buffers), "copy: from")
			v.int(s.Size, "copy: size")
		default:
			v.fail("step %T", s)
		}
	}
}

func (v *validator) launch(s *Launch) {
	if !v.index(s.Kernel, len(v.p.Kernels), "launch: kernel") {
		return
	}
	name := v.p.Kernels[s.Kernel].Name
	for _, b := range s.Bufs {
		v.index(b, len(v.p.Buffers), "launch %s: buffer", name)
	}
	for _, w := range s.Writes {
		v.index(w, len(s.Bufs), "launch %s: write", name)
	}
	for _, d := range s.Dims {
		v.int(d, "launch %s: dim", name)
	}
	v.int(s.Cost, "launch %s: cost", name)
}

func (v *validator) late(symbol int, what string) {
	if v.index(symbol, len(v.p.Symbols), "%s: symbol", what) && v.p.Symbols[symbol].Input >= 0 {
		v.fail("%s: symbol %s is read from an input", what, v.p.Symbols[symbol].Name)
	}
}
