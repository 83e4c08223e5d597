package runtime

import (
	"fmt"
	"math"
	"unsafe"
)

// This file executes the instructions of a call.

func (c *call) exec() error {
	code := c.code
	for pc := 0; pc < len(code); {
		in := &code[pc]
		pc++
		var err error
		switch in.op {
		case insLaunch:
			if l := &c.launched[in.arg]; c.engine.profile == nil {
				err = c.launch(l)
			} else {
				err = c.timed(l)
			}
		case insBranch:
			if *(*byte)(c.bufs[in.arg]) == 0 {
				pc = int(in.to)
			}
		case insJump:
			pc = int(in.to)
		case insBind:
			err = c.bind(c.binds[in.arg])
		case insLoop:
			if c.rounds[in.arg] = 0; c.val(c.loops[in.arg].Trip) <= 0 {
				pc = int(in.to)
				break
			}
			err = c.bindLate(c.loops[in.arg].Symbol, 0)
		case insAgain:
			s := c.loops[in.arg]
			if c.rounds[in.arg]++; c.rounds[in.arg] < c.val(s.Trip) {
				pc = int(in.to)
				err = c.bindLate(s.Symbol, c.rounds[in.arg])
			}
		case insBindSlot:
			b := c.bindSlots[in.arg]
			err = c.bindLate(b.Symbol, c.val(b.Value))
		case insAlloc:
			err = c.alloc(c.allocs[in.arg])
		case insVerify:
			err = c.verify(int(in.arg))
		case insCopy:
			err = c.copyBuffer(c.copies[in.arg])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// launch runs one kernel over its tasks.
func (c *call) launch(l *launchState) error {
	if c.canceled() {
		return c.ctx.Err()
	}
	if l.tasks <= 0 {
		if l.tasks == overflow {
			return fmt.Errorf("%s: kernel %s: sizes computed by this call do not fit 64 bits",
				c.p.Name, l.plan.kernel.Name)
		}
		return nil
	}
	if raceEnabled {
		c.raceReport(l)
	}
	if n := len(l.plan.Bufs); n < len(l.args) {
		l.args[n] = c.common.base
	}
	for i := range l.phases {
		if p := &l.phases[i]; p.first < p.end {
			if err := c.phase(l, p); err != nil {
				return err
			}
		}
	}
	return nil
}

// phase runs the tasks of p.
func (c *call) phase(l *launchState, p *phase) error {
	if p.split && c.worthHelp(p) {
		return c.job.run(l, p)
	}
	for lo := p.first; lo < p.end; lo += p.most {
		if lo > 0 && c.canceled() {
			return c.ctx.Err()
		}
		hi := min(lo+p.most, p.end)
		if status := l.call(lo, hi, c.scratch.base); status != StatusOK {
			return c.kernelError(l, status)
		}
	}
	return nil
}

func (c *call) canceled() bool {
	if c.done == nil {
		return false
	}
	select {
	case <-c.done:
		return true
	default:
		return false
	}
}

// call runs the kernel on the calling goroutine.
func (l *launchState) call(lo, hi int64, scratch unsafe.Pointer) int32 {
	if l.code != 0 {
		return invoke(l.code, unsafe.Pointer(unsafe.SliceData(l.args)),
			unsafe.Pointer(unsafe.SliceData(l.dims)), lo, hi, scratch)
	}
	return l.goFunc(l.args, l.dims, lo, hi, scratch)
}

// raceReport tells the race detector what a launch reads and writes. It is told once for a launch,
// by the caller's goroutine: the ranges of single tasks are not known here.
func (c *call) raceReport(l *launchState) {
	written := 0
	for i, b := range l.plan.Bufs {
		if written < len(l.plan.Writes) && l.plan.Writes[written] == i {
			written++
			raceWrite(c.bufs[b], c.sizes[b])
		} else if c.p.Buffers[b].Kind != InWeights {
			raceRead(c.bufs[b], c.sizes[b])
		}
	}
}

// KernelError is a status that a kernel returned.
type KernelError struct {
	Program string
	Kernel  string
	Node    string
	Status  int
}

var statusText = map[int]string{
	StatusIndex:  "an index is out of range: check the indices among the inputs",
	StatusDivide: "integer division by zero: check the divisors among the inputs",
	StatusShape:  "sizes computed at run time do not fit: check the shapes among the inputs",
	StatusValue:  "a value has no defined result here: check the inputs",
}

func (e *KernelError) Error() string {
	text, ok := statusText[e.Status]
	if !ok {
		text = fmt.Sprintf("status %d", e.Status)
	}
	where := e.Kernel
	if e.Node != "" {
		where = fmt.Sprintf("node %s (kernel %s)", e.Node, e.Kernel)
	}
	return fmt.Sprintf("%s: %s: %s", e.Program, where, text)
}

func (c *call) kernelError(l *launchState, status int32) error {
	k := l.plan.kernel
	return &KernelError{Program: c.p.Name, Kernel: k.Name, Node: k.Node, Status: int(status)}
}

// bind reads an integer scalar and sets a symbol.
func (c *call) bind(b *Bind) error {
	p := c.bufs[b.Buf]
	var v int64
	switch b.DType {
	case I8:
		v = int64(*(*int8)(p))
	case I16:
		v = int64(*(*int16)(p))
	case I32:
		v = int64(*(*int32)(p))
	case I64:
		v = *(*int64)(p)
	case U8:
		v = int64(*(*uint8)(p))
	case U16:
		v = int64(*(*uint16)(p))
	case U32:
		v = int64(*(*uint32)(p))
	case U64:
		u := *(*uint64)(p)
		if u > math.MaxInt64 {
			return fmt.Errorf("%s: %s: %s is %d, which is no size: check the inputs",
				c.p.Name, b.Text, c.p.Symbols[b.Symbol].Name, u)
		}
		v = int64(u)
	}
	return c.bindLate(b.Symbol, v)
}

// bindLate sets a late symbol and renews what depends on it. The memory of late blocks and late
// outputs is made by Alloc steps that follow.
func (c *call) bindLate(symbol int, v int64) error {
	if v < 0 {
		return fmt.Errorf("%s: extent %s is %d, wanted 0 or more: check the inputs", c.p.Name,
			c.p.Symbols[symbol].Name, v)
	}
	d := &c.after[symbol]
	c.symbols[symbol] = v
	c.bound[symbol] = true
	for _, s := range d.slots {
		c.slots[s] = eval(&c.p.Exprs[s], c.slots, c.symbols)
	}
	for _, i := range d.buffers {
		if err := c.replace(i); err != nil {
			return err
		}
	}
	for _, i := range d.launches {
		c.sizeLaunch(i)
	}
	return nil
}

// replace places a buffer whose offset or size depends on a late symbol, once all the late symbols
// that it depends on are set and its memory is there: late blocks and outputs have none before
// their Alloc, which places their buffers.
func (c *call) replace(i int) error {
	for _, s := range c.bufLate[i] {
		if !c.bound[s] {
			return nil
		}
	}
	b := &c.p.Buffers[i]
	base, size := unsafe.Pointer(nil), int64(0)
	switch b.Kind {
	case InWeights:
		base, size = c.weights, c.p.WeightBytes
	case InArena:
		base, size = c.arena.base, c.val(c.p.Arena)
	case InInput:
		base, size = c.inputs[b.Index].base, c.inputs[b.Index].size
	case InOutput:
		base, size = c.outputs[b.Index].base, c.outputs[b.Index].size
	case InLate:
		base, size = c.lateMem[b.Index].base, c.lateMem[b.Index].size
	}
	if base == nil {
		return nil
	}
	return c.setBuffer(i, base, size)
}

// alloc makes the memory of a late block or of an output whose dims are known now.
func (c *call) alloc(a *Alloc) error {
	if a.Output != 0 {
		i := a.Output - 1
		c.outputShape(i)
		if err := c.placeOutput(i); err != nil {
			return err
		}
		for _, b := range c.outBufs[i] {
			if err := c.placeLate(b); err != nil {
				return err
			}
		}
		return nil
	}
	n := c.val(a.Size)
	if n < 0 || n > maxBytes || n > c.late.total && !canReserve(n) {
		return fmt.Errorf("%s: this call needs a block of %d bytes (%s): use smaller inputs",
			c.p.Name, n, c.p.IntString(a.Size))
	}
	m := block{c.late.alloc(n), n}
	c.lateMem[a.Late] = m
	for _, b := range c.blockBufs[a.Late] {
		if err := c.placeLate(b); err != nil {
			return err
		}
	}
	return nil
}

// placeLate places a buffer in memory that was made now. One that depends on late symbols which
// are not set yet (as that of a Loop) is placed when they are.
func (c *call) placeLate(i int) error {
	b := &c.p.Buffers[i]
	for _, s := range c.bufLate[i] {
		if !c.bound[s] {
			return nil
		}
	}
	if b.Kind == InOutput {
		return c.placeIO(i)
	}
	return c.setBuffer(i, c.lateMem[b.Index].base, c.lateMem[b.Index].size)
}

func (c *call) copyBuffer(s *Copy) error {
	n := c.val(s.Size)
	if n < 0 || n > c.sizes[s.Dst] || n > c.sizes[s.Src] {
		return fmt.Errorf("%s: plan: copy of %d bytes from %d to %d", c.p.Name, n,
			c.sizes[s.Src], c.sizes[s.Dst])
	}
	if n > 0 {
		copy(unsafe.Slice((*byte)(c.bufs[s.Dst]), n), unsafe.Slice((*byte)(c.bufs[s.Src]), n))
	}
	return nil
}
