package passes

import "github.com/tensorcc/tcc/ir"

// view describes a value as a strided view of one in memory.
type view struct {
	size, stride []ir.Dim
}

// rowMajor is the view of a value that lies in memory itself.
func rowMajor(s ir.Shape) view {
	w := view{size: s, stride: make([]ir.Dim, len(s))}
	n := ir.Const(1)
	for i := len(s) - 1; i >= 0; i-- {
		w.stride[i] = n
		n = n.Mul(s[i])
	}
	return w
}

// notStrided returns nil if the free value v is a strided view of a value in
// memory, else the value that should be copied to memory so that v becomes
// one.
func (f *fuser) notStrided(v *ir.Value) *ir.Value {
	_, bad := f.viewOf(v)
	return bad
}

func (f *fuser) viewOf(v *ir.Value) (view, *ir.Value) {
	if f.place[v.ID] != isFree || f.roots[v.ID] {
		return rowMajor(v.Type.Shape), nil
	}
	step, ok := viewSteps[v.Op]
	if !ok {
		return view{}, v
	}
	w, bad := f.viewOf(v.Args[0])
	if bad != nil {
		return view{}, bad
	}
	out, ok := step(v, w)
	if !ok { // only a reshape fails: of a copy it is a view
		return view{}, v.Args[0]
	}
	return out, nil
}

// viewSteps has the moves that keep a view strided.
var viewSteps = map[ir.Op]func(v *ir.Value, w view) (view, bool){
	ir.OpTranspose: viewTranspose,
	ir.OpBroadcast: viewBroadcast,
	ir.OpSlice:     viewSlice,
	ir.OpReshape:   viewReshape,
	ir.OpBarrier:   func(_ *ir.Value, w view) (view, bool) { return w, true },
}

func viewTranspose(v *ir.Value, w view) (view, bool) {
	perm := v.Attr.(*ir.PermAttr).Perm
	out := view{size: v.Type.Shape, stride: make([]ir.Dim, len(perm))}
	for i, p := range perm {
		out.stride[i] = w.stride[p]
	}
	return out, true
}

func viewBroadcast(v *ir.Value, w view) (view, bool) {
	out := view{size: v.Type.Shape, stride: make([]ir.Dim, v.Type.Rank())}
	for i, axis := range v.Attr.(*ir.BroadcastAttr).Axes {
		if w.size[i].Equal(v.Type.Shape[axis]) {
			out.stride[axis] = w.stride[i]
		}
	}
	return out, true
}

func viewSlice(v *ir.Value, w view) (view, bool) {
	out := view{size: v.Type.Shape, stride: make([]ir.Dim, len(w.stride))}
	for i, s := range v.Attr.(*ir.SliceAttr).Step {
		out.stride[i] = w.stride[i].MulConst(s)
	}
	return out, true
}

// viewReshape matches runs of axes with equal products; inside a run of the
// source the strides must nest as in row-major order.
func viewReshape(v *ir.Value, w view) (view, bool) {
	to := v.Type.Shape
	out := view{size: to, stride: make([]ir.Dim, len(to))}
	i, j := 0, 0
	for i < len(w.size) || j < len(to) {
		ni, nj, ok := equalRun(w.size[i:], to[j:])
		if !ok {
			return view{}, false
		}
		inner, ok := runStride(w, i, i+ni)
		if !ok {
			return view{}, false
		}
		for k := j + nj - 1; k >= j; k-- {
			out.stride[k] = inner
			inner = inner.Mul(to[k])
		}
		i, j = i+ni, j+nj
	}
	return out, true
}

// runStride is the stride of axes [lo,hi) taken as one; axes of extent 1 do
// not count.
func runStride(w view, lo, hi int) (ir.Dim, bool) {
	inner, next, have := ir.Const(0), ir.Dim{}, false
	for k := hi - 1; k >= lo; k-- {
		if w.size[k].IsConst(1) {
			continue
		}
		if !have {
			inner, have = w.stride[k], true
		} else if !w.stride[k].Equal(next) {
			return ir.Dim{}, false
		}
		next = w.stride[k].Mul(w.size[k])
	}
	return inner, true
}

// equalRun returns the lengths of the shortest leading runs of a and b that
// have the same number of elements, absorbing axes of extent 1 that follow
// the end of the other shape.
func equalRun(a, b ir.Shape) (na, nb int, ok bool) {
	if len(a) == 0 || len(b) == 0 {
		return len(a), len(b), a.Size().IsConst(1) && b.Size().IsConst(1)
	}
	pa, pb := a[0], b[0]
	na, nb = 1, 1
	for !pa.Equal(pb) {
		ka, sa := pa.Int()
		kb, sb := pb.Int()
		switch {
		case na < len(a) && (nb == len(b) || sa && sb && ka < kb || pa.IsConst(1) || divides(pa, pb)):
			pa = pa.Mul(a[na])
			na++
		case nb < len(b):
			pb = pb.Mul(b[nb])
			nb++
		default:
			return len(a), len(b), a.Size().Equal(b.Size())
		}
	}
	return na, nb, true
}

// divides reports whether d is a factor of e and not e itself.
func divides(d, e ir.Dim) bool {
	return !d.Equal(e) && e.Mod(d).IsConst(0)
}
