package tensor

import (
	"slices"
	"sync"

	"github.com/tensorcc/tcc/ir"
)

// Tensor is an array of elements of one type: lazy, or symbolic inside a
// traced function. It is a handle: copies of it are the same tensor. The zero
// Tensor is no tensor, and an error wherever it is used.
type Tensor struct {
	s   *storage
	v   *view // where in s; nil: all of it
	err *Error
}

// storage is what views share: a sequence of values, of which cur is the last.
type storage struct {
	typ ir.Type // of all values
	mu  sync.Mutex
	cur *node
	err *Error // of a write that failed; every later read has it
	// born tells whether the storage is older than a traced function.
	born uint64
	// mem, if not nil, is the user's memory, which cur's data is: a write
	// goes through to it at once.
	mem *ir.Literal
	// grad accumulates what Backward finds, where wants is set.
	wants bool
	grad  *node
}

// view is one step from a parent to a part of it or another arrangement: a
// slice, reshape, transpose or broadcast.
type view struct {
	parent *view
	op     ir.Op
	attr   ir.Attr
	typ    ir.Type
	pos    ir.Pos
	// node is the view's value as long as the parent's is from.
	node, from *node
}

// fresh makes a tensor with a storage of its own.
func fresh(n *node) Tensor {
	return Tensor{s: &storage{typ: n.typ, cur: n, born: n.seq}}
}

// typ is the type of a tensor without error.
func (t Tensor) typ() ir.Type {
	if t.v != nil {
		return t.v.typ
	}
	return t.s.typ
}

// value returns the node of the tensor's present value.
func (t Tensor) value() *node {
	t.s.mu.Lock()
	defer t.s.mu.Unlock()
	return t.v.value(t.s.cur)
}

// value applies the view to the value of the base.
func (v *view) value(base *node) *node {
	if v == nil {
		return base
	}
	p := v.parent.value(base)
	if v.from != p {
		v.node, v.from = newNode(v.op, v.attr, v.typ, v.pos, p), p
	}
	return v.node
}

// put returns the value of the base in which the view is val: the inverse of
// value. A broadcast has none; writable has been asked before.
func (v *view) put(c *call, base, val *node) *node {
	if v == nil {
		return val
	}
	p := v.parent.value(base)
	var q *node
	switch v.op {
	case ir.OpSlice:
		q = c.op(ir.OpUpdateSlice, v.attr, p, val)
	case ir.OpReshape:
		q = c.op(ir.OpReshape, &ir.ShapeAttr{Shape: p.typ.Shape}, val)
	case ir.OpTranspose:
		perm := v.attr.(*ir.PermAttr).Perm
		inv := make([]int, len(perm))
		for i, a := range perm {
			inv[a] = i
		}
		q = c.op(ir.OpTranspose, &ir.PermAttr{Perm: inv}, val)
	default:
		panic("BUG: put through a view by " + v.op.String())
	}
	if c.err != nil {
		return nil
	}
	return v.parent.put(c, base, q)
}

// writable reports whether no element of the base is in the view twice.
func (v *view) writable() bool {
	for ; v != nil; v = v.parent {
		if v.op == ir.OpBroadcast {
			return false
		}
	}
	return true
}

// view makes a view of t by one step.
func (t Tensor) view(c *call, op ir.Op, attr ir.Attr) Tensor {
	if c.err != nil {
		return c.bad()
	}
	typ, err := ir.InferType(op, attr, t.typ())
	if err != nil {
		return c.fail("%v", err)
	}
	return Tensor{s: t.s, v: &view{parent: t.v, op: op, attr: attr, typ: typ, pos: c.pos}}
}

// layout is where the elements of a view lie in the base, in elements.
type layout struct {
	offset  ir.Dim
	strides ir.Shape
}

// rowMajor is the layout of what lies contiguously.
func rowMajor(s ir.Shape) layout {
	l := layout{strides: make(ir.Shape, len(s))}
	step := ir.Const(1)
	for i, d := range slices.Backward(s) {
		l.strides[i] = step
		step = step.Mul(d)
	}
	return l
}

// layout of the tensor.
func (t Tensor) layout() layout { return t.v.layout(t.s.typ.Shape) }

func (v *view) layout(base ir.Shape) layout {
	if v == nil {
		return rowMajor(base)
	}
	from := base
	if v.parent != nil {
		from = v.parent.typ.Shape
	}
	p := v.parent.layout(base)
	l := layout{offset: p.offset, strides: make(ir.Shape, len(v.typ.Shape))}
	switch a := v.attr.(type) {
	case *ir.SliceAttr:
		for i := range l.strides {
			l.offset = l.offset.Add(a.Start[i].Mul(p.strides[i]))
			l.strides[i] = p.strides[i].MulConst(a.Step[i])
		}
	case *ir.PermAttr:
		for i, axis := range a.Perm {
			l.strides[i] = p.strides[axis]
		}
	case *ir.BroadcastAttr:
		for i, axis := range a.Axes {
			if a.Shape[axis].Equal(from[i]) {
				l.strides[axis] = p.strides[i]
			}
		}
	case *ir.ShapeAttr:
		l.strides, _ = reshapeStrides(from, p.strides, v.typ.Shape)
	}
	return l
}

// reshapeStrides returns the strides with which elements of the given shape
// and strides are seen in another shape without being moved, if that is
// possible and known to be: axes are taken together, on both sides, until the
// groups have as many elements; a group must lie contiguously.
func reshapeStrides(shape, strides, to ir.Shape) (ir.Shape, bool) {
	if to.Size().IsConst(0) {
		return rowMajor(to).strides, true // nothing lies anywhere
	}
	var old, step ir.Shape // without axes of extent 1
	for i, d := range shape {
		if !d.IsConst(1) {
			old, step = append(old, d), append(step, strides[i])
		}
	}
	if len(old) == 0 {
		return rowMajor(to).strides, true
	}
	out := make(ir.Shape, len(to))
	oi, ni := 0, 0
	for oi < len(old) && ni < len(to) {
		oj, nj := oi+1, ni+1
		for have, want := old[oi], to[ni]; !have.Equal(want); {
			switch {
			case smaller(want, have) && nj < len(to):
				want = want.Mul(to[nj])
				nj++
			case smaller(have, want) && oj < len(old):
				if !step[oj-1].Equal(step[oj].Mul(old[oj])) {
					return nil, false
				}
				have = have.Mul(old[oj])
				oj++
			default:
				return nil, false
			}
		}
		s := step[oj-1]
		for k := nj - 1; k >= ni; k-- {
			out[k], s = s, s.Mul(to[k])
		}
		oi, ni = oj, nj
	}
	for ; ni < len(to); ni++ { // what is left has extent 1
		out[ni] = ir.Const(1)
	}
	return out, true
}

// smaller reports whether a is known to be less than b, as a number or as a
// proper divisor.
func smaller(a, b ir.Dim) bool {
	m, ok1 := a.Int()
	n, ok2 := b.Int()
	if ok1 && ok2 {
		return m < n
	}
	return b.Mod(a).IsConst(0) && !a.Mod(b).IsConst(0)
}

// isContiguous reports whether the tensor lies in its storage in row-major
// order without gaps.
func (t Tensor) isContiguous() bool {
	if t.v == nil {
		return true
	}
	l, s := t.layout(), t.typ().Shape
	want := rowMajor(s)
	for i, d := range s {
		if !d.IsConst(1) && !l.strides[i].Equal(want.strides[i]) {
			return false
		}
	}
	return true
}
