package runtime

import (
	"fmt"
	"slices"
	"unsafe"
)

// This file turns a Program into the form that calls execute: flat instructions, the kernel
// variants of one level, and the tables of what depends on what.

type opcode uint8

const (
	insLaunch   opcode = iota // arg: launch
	insBranch                 // arg: buffer of the condition; to: where false goes
	insJump                   // to
	insBind                   // arg: index into binds
	insBindSlot               // arg: index into bindSlots
	insAlloc                  // arg: index into allocs
	insVerify                 // arg: check
	insCopy                   // arg: index into copies
	insLoop                   // arg: loop; to: behind its end
	insAgain                  // arg: loop; to: its body
)

type instr struct {
	op  opcode
	arg int32
	to  int32
}

// launchPlan is a Launch with its kernel's variant.
type launchPlan struct {
	*Launch
	kernel *Kernel
	v      *Variant
	args   int // first position in the flat table of buffer pointers
	count  int // of these: the buffers, and what the tasks share
	dims   int // first position in the flat table of dims
}

// axisPlan says how one axis of an input is checked.
type axisPlan struct {
	symbol int // >= 0: this axis sets the symbol
	want   Int // else the axis must be this
}

// plan is the prepared, immutable form of a Program, shared by all calls of a Model.
type plan struct {
	p         *Program
	weights   unsafe.Pointer
	code      []instr
	launches  []launchPlan
	binds     []*Bind
	bindSlots []*BindSlot
	allocs    []*Alloc
	copies    []*Copy
	loops     []*Loop
	axes      [][]axisPlan
	argCount  int
	dimCount  int
	argsOf    [][]int32 // for each buffer, its positions in the flat table of pointers
	ioBufs    []int     // the buffers in inputs and outputs that no late symbol moves
	bufLate   [][]int   // for each buffer, the late symbols it depends on
	lateSlot  []bool    // slots that depend on late symbols
	lateOut   []bool    // outputs whose dims do
	earlyTest []int     // checks that do not
	blocks    int       // late blocks
	blockBufs [][]int   // the buffers of each late block
	outBufs   [][]int   // the buffers of each output
	after     []depends // for each symbol, what to renew when a step binds it
}

// depends lists what is computed from a late symbol.
type depends struct {
	slots    []int
	launches []int
	buffers  []int
}

func newPlan(p *Program, levels []string) (*plan, error) {
	if err := validate(p); err != nil {
		return nil, err
	}
	pl := &plan{p: p, argsOf: make([][]int32, len(p.Buffers))}
	variants, err := pickVariants(p, levels)
	if err != nil {
		return nil, err
	}
	pl.flatten(p.Steps, variants)
	pl.planAxes()
	pl.planLate()
	for i, b := range p.Buffers {
		switch b.Kind {
		case InInput, InOutput:
			if len(pl.bufLate[i]) == 0 {
				pl.ioBufs = append(pl.ioBufs, i)
			}
		case InLate:
			pl.blocks = max(pl.blocks, b.Index+1)
		}
	}
	for _, a := range pl.allocs {
		pl.blocks = max(pl.blocks, a.Late+1)
	}
	pl.blockBufs = make([][]int, pl.blocks)
	pl.outBufs = make([][]int, len(p.Outputs))
	for i, b := range p.Buffers {
		switch b.Kind {
		case InLate:
			pl.blockBufs[b.Index] = append(pl.blockBufs[b.Index], i)
		case InOutput:
			pl.outBufs[b.Index] = append(pl.outBufs[b.Index], i)
		}
	}
	return pl, nil
}

// pickVariants chooses for each kernel the variant of the first of the levels that it has.
func pickVariants(p *Program, levels []string) ([]*Variant, error) {
	out := make([]*Variant, len(p.Kernels))
	for i := range p.Kernels {
		k := &p.Kernels[i]
		for _, l := range levels {
			j := slices.IndexFunc(k.Variants, func(v Variant) bool { return v.Level == l })
			if j >= 0 {
				out[i] = &k.Variants[j]
				break
			}
		}
		v := out[i]
		if v == nil {
			return nil, fmt.Errorf("%s: kernel %s has no form for %v: compile it for that level",
				p.Name, k.Name, levels)
		}
		if v.Code != 0 && !hasInvoke {
			return nil, fmt.Errorf("%s: kernel %s: level %s is machine code, which this build "+
				"cannot call", p.Name, k.Name, v.Level)
		}
		if v.Code == 0 && v.Go == nil {
			return nil, fmt.Errorf("%s: kernel %s: level %s has neither code nor a function",
				p.Name, k.Name, v.Level)
		}
	}
	return out, nil
}

// flatten appends the instructions of steps.
func (pl *plan) flatten(steps []Step, variants []*Variant) {
	emit := func(op opcode, arg int) int {
		pl.code = append(pl.code, instr{op: op, arg: int32(arg)})
		return len(pl.code) - 1
	}
	for _, s := range steps {
		switch s := s.(type) {
		case *Launch:
			emit(insLaunch, len(pl.launches))
			pl.addLaunch(s, variants)
		case *If:
			branch := emit(insBranch, s.Cond)
			pl.flatten(s.Then, variants)
			jump := emit(insJump, 0)
			pl.code[branch].to = int32(len(pl.code))
			pl.flatten(s.Else, variants)
			pl.code[jump].to = int32(len(pl.code))
		case *Loop:
			loop := len(pl.loops)
			pl.loops = append(pl.loops, s)
			head := emit(insLoop, loop)
			pl.flatten(s.Body, variants)
			pl.code[emit(insAgain, loop)].to = int32(head + 1)
			pl.code[head].to = int32(len(pl.code))
		case *Bind:
			emit(insBind, len(pl.binds))
			pl.binds = append(pl.binds, s)
		case *BindSlot:
			emit(insBindSlot, len(pl.bindSlots))
			pl.bindSlots = append(pl.bindSlots, s)
		case *Alloc:
			emit(insAlloc, len(pl.allocs))
			pl.allocs = append(pl.allocs, s)
		case *Verify:
			emit(insVerify, s.Check)
		case *Copy:
			emit(insCopy, len(pl.copies))
			pl.copies = append(pl.copies, s)
		}
	}
}

func (pl *plan) addLaunch(s *Launch, variants []*Variant) {
	for i, b := range s.Bufs {
		pl.argsOf[b] = append(pl.argsOf[b], int32(pl.argCount+i))
	}
	v, count := variants[s.Kernel], len(s.Bufs)
	if v.Common != 0 {
		count++
	}
	pl.launches = append(pl.launches, launchPlan{Launch: s, kernel: &pl.p.Kernels[s.Kernel],
		v: v, args: pl.argCount, count: count, dims: pl.dimCount})
	pl.argCount += count
	pl.dimCount += len(s.Dims)
}

func (pl *plan) planAxes() {
	for i, in := range pl.p.Inputs {
		axes := make([]axisPlan, len(in.Dims))
		for a, d := range in.Dims {
			axes[a] = axisPlan{symbol: -1, want: d}
			for s, sym := range pl.p.Symbols {
				if sym.Input == i && sym.Axis == a {
					axes[a].symbol = s
				}
			}
		}
		pl.axes = append(pl.axes, axes)
	}
}

// planLate finds what depends on symbols that are bound late.
func (pl *plan) planLate() {
	p := pl.p
	pl.lateSlot = make([]bool, len(p.Exprs))
	pl.after = make([]depends, len(p.Symbols))
	pl.bufLate = make([][]int, len(p.Buffers))
	for s, sym := range p.Symbols {
		if sym.Input >= 0 {
			continue
		}
		slots := make([]bool, len(p.Exprs))
		d := &pl.after[s]
		for i := range p.Exprs {
			if slots[i] = exprUses(&p.Exprs[i], s, slots); slots[i] {
				pl.lateSlot[i] = true
				d.slots = append(d.slots, i)
			}
		}
		for i := range pl.launches {
			if l := &pl.launches[i]; launchUses(l, slots) {
				d.launches = append(d.launches, i)
			}
		}
		for i, b := range p.Buffers {
			if uses(b.Offset, slots) || uses(b.Size, slots) {
				pl.bufLate[i] = append(pl.bufLate[i], s)
				if b.Kind == InLate && uses(b.Size, slots) {
					continue // it has no memory before its Alloc, which follows
				}
				d.buffers = append(d.buffers, i)
			}
		}
	}
	for i, c := range p.Checks {
		if !c.Guarded && !uses(c.A, pl.lateSlot) && !uses(c.B, pl.lateSlot) {
			pl.earlyTest = append(pl.earlyTest, i)
		}
	}
	for _, out := range p.Outputs {
		late := slices.ContainsFunc(out.Dims, func(d Int) bool { return uses(d, pl.lateSlot) })
		pl.lateOut = append(pl.lateOut, late)
	}
}

func uses(x Int, slots []bool) bool { return x < 0 && slots[^x] }

func exprUses(e *Expr, symbol int, slots []bool) bool {
	switch e.Op {
	case OpConst:
		return false
	case OpSym:
		return int(e.A) == symbol
	}
	return uses(e.A, slots) || uses(e.B, slots) || e.Op == OpSelect && uses(e.C, slots)
}

func launchUses(l *launchPlan, slots []bool) bool {
	v := l.v
	if uses(v.Tasks, slots) || uses(v.Scratch, slots) || uses(v.Common, slots) || uses(v.Ahead, slots) ||
		uses(l.Cost, slots) {
		return true
	}
	return slices.ContainsFunc(l.Dims, func(d Int) bool { return uses(d, slots) })
}
