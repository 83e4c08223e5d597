package runtime

import (
	"context"
	"fmt"
	"strconv"
	"unsafe"
)

// call is the state of one call in flight. Everything in it is made once and used again; what
// depends on dims is renewed only when they changed.
type call struct {
	*plan
	engine *engine

	symbols  []int64
	slots    []int64
	laidOut  bool // slots and what follows from them belong to symbols
	launched []launchState
	args     []unsafe.Pointer // of all launches, flat
	dims     []int64          // of all launches, flat
	bufs     []unsafe.Pointer
	sizes    []int64 // of bufs

	arena   block
	scratch block
	common  block
	late    scratchpad
	lateMem []block // of each late block; base is nil before its Alloc
	bound   []bool  // late symbols that are set in this call
	rounds  []int64 // of each loop

	inputs  []ioState
	outputs []ioState
	shapes  [][]int // of outputs

	job   job
	alone int64 // ns of launches worth splitting that ran without help, see worthHelp
	done  <-chan struct{}
	ctx   context.Context
}

// ioState is where an input or output of the present call lies.
type ioState struct {
	t    *Tensor
	base unsafe.Pointer
	size int64
	// stage, if in use, is contiguous memory that stands for a tensor which cannot be written to
	// directly; it is copied when the call ends.
	stage  Tensor
	staged bool
}

// launchState is a launch with the sizes of the present call.
type launchState struct {
	code    uintptr
	goFunc  GoFunc
	args    []unsafe.Pointer
	dims    []int64
	tasks   int64
	scratch int64
	common  int64
	phases  [2]phase // one after the other; the first may have no tasks
	plan    *launchPlan
}

// phase is the tasks from first to end of a launch, which are done before others begin.
type phase struct {
	first, end int64
	least      int64 // tasks of one call of the kernel, at least
	most       int64 // and at most
	split      bool  // whether workers may be asked
	cost       int64 // ns on one thread, an estimate
}

func newCall(e *engine) *call {
	pl := e.plan
	p := pl.p
	c := &call{plan: pl, engine: e,
		symbols:  make([]int64, len(p.Symbols)),
		slots:    make([]int64, len(p.Exprs)),
		launched: make([]launchState, len(pl.launches)),
		args:     make([]unsafe.Pointer, pl.argCount+1),
		dims:     make([]int64, pl.dimCount+1),
		bufs:     make([]unsafe.Pointer, len(p.Buffers)),
		sizes:    make([]int64, len(p.Buffers)),
		lateMem:  make([]block, pl.blocks),
		bound:    make([]bool, len(p.Symbols)),
		rounds:   make([]int64, len(pl.loops)),
		inputs:   make([]ioState, len(p.Inputs)),
		outputs:  make([]ioState, len(p.Outputs)),
		shapes:   make([][]int, len(p.Outputs)),
	}
	for i := range c.shapes {
		c.shapes[i] = make([]int, len(p.Outputs[i].Dims))
	}
	for i := range c.launched {
		l := &pl.launches[i]
		c.launched[i] = launchState{code: l.v.Code, goFunc: l.v.Go, plan: l,
			args: c.args[l.args : l.args+l.count], dims: c.dims[l.dims : l.dims+len(l.Dims)]}
	}
	c.job.init(c)
	return c
}

func (c *call) val(x Int) int64 { return value(c.slots, x) }

// run is a whole call.
func (c *call) run(ctx context.Context, out, in []*Tensor) error {
	c.done, c.ctx = ctx.Done(), ctx
	defer c.forget()
	c.late.reset()
	clear(c.lateMem)
	clear(c.bound)
	if err := c.bindInputs(in); err != nil {
		return err
	}
	if err := c.bindOutputs(out); err != nil {
		return err
	}
	for _, b := range c.ioBufs {
		if err := c.placeIO(b); err != nil {
			return err
		}
	}
	if err := c.exec(); err != nil {
		return err
	}
	return c.finishOutputs()
}

// forget drops what belongs to the caller. The pointers in args stay until the next call.
func (c *call) forget() {
	c.done, c.ctx = nil, nil
	for i := range c.inputs {
		c.inputs[i].t = nil
	}
	for i := range c.outputs {
		c.outputs[i].t = nil
	}
}

// layOut computes all that depends on the symbols which inputs set.
func (c *call) layOut() error {
	c.laidOut = false
	p := c.p
	for i := range p.Exprs {
		c.slots[i] = eval(&p.Exprs[i], c.slots, c.symbols)
		if c.slots[i] == overflow && !c.lateSlot[i] && p.Exprs[i].Op != OpConst {
			return fmt.Errorf("%s: dims: %s does not fit 64 bits for these inputs: "+
				"use smaller ones", p.Name, p.IntString(^Int(i)))
		}
	}
	for _, i := range c.earlyTest {
		if err := c.verify(i); err != nil {
			return err
		}
	}
	need := c.val(p.Arena)
	if need < 0 || need > maxBytes || need > c.arena.size && !canReserve(need) {
		return fmt.Errorf("%s: these inputs need %d bytes of working memory: use smaller ones",
			p.Name, need)
	}
	c.arena.reserve(need)
	for i := range p.Buffers {
		if err := c.place(i); err != nil {
			return err
		}
	}
	for i := range c.launched {
		c.sizeLaunch(i)
	}
	for i := range p.Outputs {
		if !c.lateOut[i] {
			c.outputShape(i)
		}
	}
	c.laidOut = true
	return nil
}

// maxBytes bounds single blocks of memory, so that sums of offsets and sizes cannot overflow.
const maxBytes = 1 << 46

// place sets the address of a buffer in the weights or the arena, and its size for all.
func (c *call) place(i int) error {
	b := &c.p.Buffers[i]
	if len(c.bufLate[i]) > 0 {
		return nil // placed by bindLate
	}
	c.sizes[i] = c.val(b.Size)
	switch b.Kind {
	case InWeights:
		return c.setBuffer(i, c.weights, c.p.WeightBytes)
	case InArena:
		return c.setBuffer(i, c.arena.base, c.val(c.p.Arena))
	}
	return nil
}

// placeIO sets the address of a buffer in an input or output.
func (c *call) placeIO(i int) error {
	b := &c.p.Buffers[i]
	io := &c.inputs
	if b.Kind == InOutput {
		io = &c.outputs
	}
	s := &(*io)[b.Index]
	if s.base == nil {
		return nil // an output whose dims are not known yet
	}
	return c.setBuffer(i, s.base, s.size)
}

// setBuffer sets the address of buffer i in a block of size bytes, and patches the tables of
// those launches that use it.
func (c *call) setBuffer(i int, base unsafe.Pointer, size int64) error {
	b := &c.p.Buffers[i]
	offset, n := c.val(b.Offset), c.val(b.Size)
	if offset < 0 || n < 0 || offset > size || n > size-offset {
		if offset == overflow || n == overflow {
			return fmt.Errorf("%s: sizes computed by this call do not fit 64 bits", c.p.Name)
		}
		if n < 0 {
			return fmt.Errorf("%s: a result inside the model has %s bytes, which is %d: "+
				"use larger inputs", c.p.Name, c.p.IntString(b.Size), n)
		}
		return fmt.Errorf("%s: plan: buffer %d: bytes %d to %d+%d of a block of %d",
			c.p.Name, i, offset, offset, n, size)
	}
	at := base
	if offset < size {
		at = unsafe.Add(base, offset) // an empty buffer at the end must not point behind it
	}
	c.sizes[i] = n
	if c.bufs[i] == at {
		return nil
	}
	c.bufs[i] = at
	for _, a := range c.argsOf[i] {
		c.args[a] = at
	}
	return nil
}

// sizeLaunch computes the dims and the split of a launch.
func (c *call) sizeLaunch(i int) {
	l := &c.launched[i]
	for j, d := range l.plan.Dims {
		l.dims[j] = c.val(d)
	}
	l.tasks = c.val(l.plan.v.Tasks)
	l.scratch = c.val(l.plan.v.Scratch)
	if l.tasks <= 0 {
		return
	}
	if l.scratch > 0 && l.scratch <= maxBytes {
		c.scratch.reserve(l.scratch)
	}
	if l.common = c.val(l.plan.v.Common); l.common > 0 && l.common <= maxBytes {
		c.common.reserve(l.common)
	}
	threads := c.engine.workers.threads
	if l.plan.Ordered {
		threads = 1
	}
	ahead, cost := min(max(c.val(l.plan.v.Ahead), 0), l.tasks), c.val(l.plan.Cost)
	filling := min(l.common/fillRate, cost)
	l.phases[0] = phase{end: ahead, cost: filling}
	l.phases[1] = phase{first: ahead, end: l.tasks, cost: cost - filling}
	split := false
	for i := range l.phases {
		p := &l.phases[i]
		p.least, p.most, p.split = divide(p.end-p.first, p.cost, threads)
		split = split || p.split
	}
	if split && l.scratch <= maxBytes {
		c.engine.workers.prepare(l.scratch)
	}
}

func (c *call) outputShape(i int) {
	for a, d := range c.p.Outputs[i].Dims {
		c.shapes[i][a] = int(c.val(d))
	}
}

func (c *call) verify(i int) error {
	k := &c.p.Checks[i]
	a, b := c.val(k.A), c.val(k.B)
	ok := a != overflow && b != overflow
	switch k.Rel {
	case Equal:
		ok = ok && a == b
	case AtMost:
		ok = ok && a <= b
	case Divisible:
		ok = ok && b != 0 && a%b == 0
	}
	if ok {
		return nil
	}
	wanted := c.p.IntString(k.B)
	if n := strconv.FormatInt(b, 10); wanted != n {
		wanted += ", which is " + n
	}
	return fmt.Errorf("%s: %s: %s is %d, wanted %s%s", c.p.Name, k.Text, c.p.IntString(k.A), a,
		[...]string{Equal: "", AtMost: "<= ", Divisible: "a multiple of "}[k.Rel], wanted)
}
