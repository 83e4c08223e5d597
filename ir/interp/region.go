package interp

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// Structure: constants, tuples, symbols, checks and regions.

// evalConst keeps small constants, which bodies of scans ask for in each step.
func evalConst(c *call) ([]*Tensor, error) {
	l := c.v.Attr.(*ir.ConstAttr).Value
	if t, ok := c.m.consts[l]; ok {
		return []*Tensor{t}, nil
	}
	t, err := FromLiteral(l)
	if err != nil {
		return nil, err
	}
	if len(t.Data) < 1<<16 {
		c.m.consts[l] = t
	}
	return []*Tensor{t}, nil
}

func evalGet(c *call) ([]*Tensor, error) {
	i := c.v.Attr.(*ir.IndexAttr).Index
	return c.tuples[0][i : i+1 : i+1], nil
}

func evalDims(c *call) ([]*Tensor, error) {
	dims, err := c.env.shape(c.v.Attr.(*ir.DimsAttr).Dims)
	if err != nil {
		return nil, err
	}
	return []*Tensor{FromSlice(ir.I64, []int64{int64(len(dims))}, dims)}, nil
}

func evalBind(c *call) ([]*Tensor, error) {
	sym, n := c.v.Attr.(*ir.BindAttr).Sym, scalarInts(c.arg(0))[0]
	if n < 0 {
		return nil, fmt.Errorf("symbol %s is %d, want at least 0", sym, n)
	}
	return c.tuples[0], c.env.bind(sym, n)
}

func evalCheck(c *call) ([]*Tensor, error) {
	a := c.v.Attr.(*ir.CheckAttr)
	xy, err := c.env.shape(ir.Shape{a.X, a.Y})
	if err != nil {
		return nil, err
	}
	if a.Rel == "==" && xy[0] == xy[1] || a.Rel == "<=" && xy[0] <= xy[1] {
		t, err := c.out()
		return []*Tensor{t}, err
	}
	wanted := strings.TrimPrefix(a.Rel+" ", "== ") + a.Y.String()
	if _, known := a.Y.Int(); !known {
		wanted += fmt.Sprintf(", which is %d", xy[1])
	}
	return nil, fmt.Errorf("%s: %v is %d, wanted %s", a.Msg, a.X, xy[0], wanted)
}

// evalFuse: a fused region binds symbols for its surroundings too.
func evalFuse(c *call) ([]*Tensor, error) {
	return c.m.run(c.v.Attr.(*ir.FuseAttr).Body, c.firsts(), c.env)
}

// firsts returns the arguments, none of which is a tuple.
func (c *call) firsts() []*Tensor {
	out := make([]*Tensor, len(c.tuples))
	for i := range out {
		out[i] = c.arg(i)
	}
	return out
}

func evalIf(c *call) ([]*Tensor, error) {
	a := c.v.Attr.(*ir.IfAttr)
	branch, dims := a.Else, a.ElseDims
	if c.arg(0).Data[0] != 0 {
		branch, dims = a.Then, a.ThenDims
	}
	inner := c.env.child()
	out, err := c.m.run(branch, c.firsts()[1:], inner)
	if err != nil {
		return nil, err
	}
	sizes, err := inner.shape(dims)
	if err != nil {
		return nil, err
	}
	for i, sym := range a.Syms {
		if err := c.env.bind(sym, sizes[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func evalScan(c *call) ([]*Tensor, error) {
	a := c.v.Attr.(*ir.LoopAttr)
	n, err := c.env.shape(ir.Shape{a.Length})
	if err != nil {
		return nil, err
	}
	types := c.v.ResultTypes()
	out := make([]*Tensor, len(types))
	copy(out, c.firsts()[:a.Carry])
	for i := a.Carry; i < len(out); i++ {
		shape, err := c.env.shape(types[i].Shape)
		if err != nil {
			return nil, err
		}
		if out[i], err = New(types[i].DType, shape); err != nil {
			return nil, err
		}
	}
	if n[0] < 0 {
		return nil, fmt.Errorf("%d steps, want at least 0", n[0])
	}
	for step := range n[0] {
		if a.Reverse {
			step = n[0] - 1 - step
		}
		if err := c.scanStep(a, out, step); err != nil {
			return nil, fmt.Errorf("step %d: %w", step, err)
		}
	}
	return out, nil
}

// scanStep runs the body for one step: it replaces the carries in out and
// fills row step of the stacked results.
func (c *call) scanStep(a *ir.LoopAttr, out []*Tensor, step int64) error {
	in := c.firsts()
	copy(in, out[:a.Carry])
	for i := a.Carry; i < a.Carry+a.Xs; i++ {
		in[i] = row(in[i], step)
	}
	res, err := c.m.run(a.Body, in, c.env.child())
	if err != nil {
		return err
	}
	copy(out, res[:a.Carry])
	for i := a.Carry; i < len(res); i++ {
		dst := row(out[i], step)
		if !slices.Equal(dst.Shape, res[i].Shape) {
			return fmt.Errorf("result %d is %v, want %v", i, res[i], dst)
		}
		copy(dst.Data, res[i].Data)
		copy(dst.Strings, res[i].Strings)
	}
	return nil
}

// row returns slice i along axis 0 of t, sharing its memory.
func row(t *Tensor, i int64) *Tensor {
	u := &Tensor{DType: t.DType, Shape: t.Shape[1:]}
	n := int64(product(u.Shape))
	if t.DType == ir.String {
		u.Strings = t.Strings[i*n : (i+1)*n]
		return u
	}
	n *= int64(t.DType.Size())
	u.Data = t.Data[i*n : (i+1)*n]
	return u
}
