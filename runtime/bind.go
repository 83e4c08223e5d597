package runtime

import (
	"fmt"
	"strings"
	"unsafe"
)

// This file checks what a call is given and finds where inputs and outputs lie.

// nowhere is the address of empty tensors, which may have none.
var nowhere [64]byte

func (c *call) bindInputs(in []*Tensor) error {
	p := c.p
	if len(in) != len(p.Inputs) {
		return fmt.Errorf("%s: run: %d inputs given, wanted %d: %s",
			p.Name, len(in), len(p.Inputs), p.portsString(p.Inputs))
	}
	changed := !c.laidOut
	for i, t := range in {
		port := &p.Inputs[i]
		if t == nil || t.dtype != port.DType || len(t.shape) != len(port.Dims) {
			return c.badInput(i, t)
		}
		for a := range c.axes[i] {
			if s := c.axes[i][a].symbol; s >= 0 && c.symbols[s] != int64(t.shape[a]) {
				c.symbols[s] = int64(t.shape[a])
				changed = true
			}
		}
	}
	if changed {
		if err := c.staticDims(in); err != nil {
			c.laidOut = false
			return err
		}
		if err := c.layOut(); err != nil {
			return err
		}
	}
	for i, t := range in {
		for a, ax := range c.axes[i] {
			if ax.symbol < 0 && c.val(ax.want) != int64(t.shape[a]) {
				return c.badInput(i, t)
			}
		}
		c.placeInput(i, t)
	}
	return nil
}

// staticDims checks the dims that are numbers, so that an input of a wrong shape is reported as
// such rather than as what its other dims lead to.
func (c *call) staticDims(in []*Tensor) error {
	for i, t := range in {
		for a, ax := range c.axes[i] {
			if ax.symbol < 0 && ax.want >= 0 && int64(ax.want) != int64(t.shape[a]) {
				return c.badInput(i, t)
			}
		}
	}
	return nil
}

// placeInput finds where an input lies; one that is not contiguous is copied to the call's memory.
func (c *call) placeInput(i int, t *Tensor) {
	s := &c.inputs[i]
	n := t.Len() * t.dtype.Size()
	s.t, s.size, s.base = t, int64(n), unsafe.Pointer(&nowhere)
	if n == 0 {
		return
	}
	s.base = t.ptr()
	if !t.packed {
		c.stageIO(s, t.dtype, t.shape)
		copyElems(&s.stage, t)
	}
	if raceEnabled && t.packed {
		raceRead(s.base, s.size)
	}
}

// stageIO gives s contiguous memory of the call.
func (c *call) stageIO(s *ioState, d DType, shape []int) {
	s.stage.dtype, s.stage.offset = d, 0
	s.stage.setShape(shape)
	s.stage.base = c.late.alloc(s.size)
	s.base = s.stage.base
}

// badInput says what is wrong with an input: what it is, what is wanted, and which dims are known.
func (c *call) badInput(i int, t *Tensor) error {
	more := ""
	port := &c.p.Inputs[i]
	var given []string
	for s, sym := range c.p.Symbols {
		if sym.Input >= 0 && sym.Input != i && c.portUses(port, s) {
			given = append(given, fmt.Sprintf("%s = %d by input %s", sym.Name, c.symbols[s],
				c.p.Inputs[sym.Input].Name))
		}
	}
	if len(given) > 0 {
		more = " with " + strings.Join(given, ", ")
	}
	return fmt.Errorf("%s: input %s: is %v, wanted %s%s: pass a tensor of that dtype and shape",
		c.p.Name, port.Name, t, c.p.PortString(port), more)
}

// portUses reports whether a dim of port depends on a symbol.
func (c *call) portUses(port *Port, symbol int) bool {
	slots := make([]bool, len(c.p.Exprs))
	for i := range c.p.Exprs {
		slots[i] = exprUses(&c.p.Exprs[i], symbol, slots)
	}
	for _, d := range port.Dims {
		if uses(d, slots) {
			return true
		}
	}
	return false
}

func (p *Program) portsString(ports []Port) string {
	all := make([]string, len(ports))
	for i := range ports {
		all[i] = ports[i].Name + " " + p.PortString(&ports[i])
	}
	return strings.Join(all, ", ")
}

func (c *call) bindOutputs(out []*Tensor) error {
	if len(out) != len(c.p.Outputs) {
		return fmt.Errorf("%s: run: %d places for outputs given, wanted %d: %s",
			c.p.Name, len(out), len(c.p.Outputs), c.p.portsString(c.p.Outputs))
	}
	for i := range out {
		if out[i] == nil {
			out[i] = &Tensor{owned: true}
		}
		s := &c.outputs[i]
		s.t, s.base, s.staged = out[i], nil, false
		for j := range i {
			if out[j] == out[i] || out[i].length > 0 && overlaps(out[j], out[i]) {
				return fmt.Errorf("%s: outputs %s and %s share memory: pass tensors apart",
					c.p.Name, c.p.Outputs[j].Name, c.p.Outputs[i].Name)
			}
		}
		if !c.lateOut[i] {
			if err := c.placeOutput(i); err != nil {
				return err
			}
		}
	}
	return nil
}

// placeOutput gives output i, whose shape is known, its memory: that of the caller's tensor or,
// where kernels cannot write there directly, memory of the call.
func (c *call) placeOutput(i int) error {
	s, shape, d := &c.outputs[i], c.shapes[i], c.p.Outputs[i].DType
	n, err := count(d, shape)
	if err != nil {
		return fmt.Errorf("%s: output %s: %w", c.p.Name, c.p.Outputs[i].Name, err)
	}
	t := s.t
	if t.dtype != d || !equalDims(t.shape, shape) {
		if t.dtype != NoDType && !t.owned {
			return fmt.Errorf("%s: output %s: the tensor given is %v, this call makes %v%s: "+
				"pass one of that dtype and shape, or nil", c.p.Name, c.p.Outputs[i].Name, t, d,
				shapeString(shape))
		}
		if n > t.length && !canReserve(int64(n)*int64(d.Size())) {
			return fmt.Errorf("%s: output %s: %v%s needs more memory than there is: use smaller inputs",
				c.p.Name, c.p.Outputs[i].Name, d, shapeString(shape))
		}
		resize(t, d, n, shape)
	}
	s.size, s.base = int64(n*d.Size()), unsafe.Pointer(&nowhere)
	if n == 0 {
		return nil
	}
	s.base = t.ptr()
	direct, own := t.packed, c.p.Outputs[i].InPlace-1
	for j := range c.inputs {
		in := &c.inputs[j]
		direct = direct && (j == own && in.base == s.base || !overlaps(t, in.t))
	}
	if !direct {
		s.staged = true
		c.stageIO(s, d, shape)
	}
	if own >= 0 {
		c.takeInput(s, &c.inputs[own])
	}
	return nil
}

// takeInput makes the memory of s, an output, that of in, too.
func (c *call) takeInput(s, in *ioState) {
	if in.base != s.base {
		copy(unsafe.Slice((*byte)(s.base), s.size), unsafe.Slice((*byte)(in.base), s.size))
		in.base = s.base
	}
}

// resize gives t, whose memory is the runtime's, another shape, and new memory if it must.
func resize(t *Tensor, d DType, n int, shape []int) {
	if t.dtype != d || !t.packed || t.length-t.offset < n {
		t.alloc(d, n)
		t.owned = true
	}
	t.setShape(shape)
}

// finishOutputs copies the outputs that could not be written directly.
func (c *call) finishOutputs() error {
	for i := range c.outputs {
		s := &c.outputs[i]
		if s.base == nil {
			return fmt.Errorf("%s: plan: output %s got no memory", c.p.Name, c.p.Outputs[i].Name)
		}
		if s.staged {
			copyElems(s.t, &s.stage)
		} else if raceEnabled {
			raceWrite(s.base, s.size)
		}
	}
	return nil
}
