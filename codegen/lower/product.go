package lower

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// heroFunc computes element idx of a dot, conv or window in loops of its own;
// it returns the accumulator.
type heroFunc func(l *lowerer, v *ir.Value, idx []ir.Dim) (*kernel.Expr, error)

var heroFuncs map[ir.Op]heroFunc

func init() {
	heroFuncs = map[ir.Op]heroFunc{
		ir.OpDot:       heroDot,
		ir.OpConv:      heroConv,
		ir.OpWindowSum: heroWindow,
		ir.OpWindowMax: heroWindow,
	}
}

// product lowers a region with one dot, conv or window: loops over its result,
// the accumulation, and the elementwise operations after it.
func (l *lowerer) product() error {
	i := slices.IndexFunc(l.body.Values, func(v *ir.Value) bool { return heroFuncs[v.Op] != nil })
	if i < 0 {
		return fmt.Errorf("no product in the region")
	}
	hero := l.body.Values[i]
	domain, split := hero.Type.Shape, func(idx []ir.Dim) []ir.Dim { return idx }
	if hero.Op == ir.OpConv {
		domain, split = convDomain(hero)
	}
	return l.nest("i", domain, func(loops []ir.Dim) error {
		idx := split(loops)
		acc, err := heroFuncs[hero.Op](l, hero, idx)
		if err != nil {
			return err
		}
		l.heroes[hero] = castExpr(hero.Type.DType, acc)
		return l.results(hero, idx)
	})
}

// results stores the results at element idx of the hero.
func (l *lowerer) results(hero *ir.Value, idx []ir.Dim) error {
	for i, r := range l.body.Results {
		core, at := l.pushTo(r, hero, idx)
		e, err := l.pull(core, at, nil)
		if err != nil {
			return err
		}
		l.emit(&kernel.Store{Buf: l.outs[i], Index: l.flatPush(l.outs[i], r, core, at), Value: e})
	}
	return nil
}

// pushTo finds the value before the moves that end the region, whose elements
// correspond to the hero's by order or position, and its index.
func (l *lowerer) pushTo(r, hero *ir.Value, idx []ir.Dim) (*ir.Value, []ir.Dim) {
	for r.Op == ir.OpReshape || r.Op == ir.OpTranspose {
		r = r.Args[0]
	}
	return r, l.reshapeIndex(hero.Type.Shape, r.Type.Shape, idx)
}

// flatPush is the index in buffer b, which holds r, of the element that is at `at`
// of core.
func (l *lowerer) flatPush(b *kernel.Buffer, r, core *ir.Value, at []ir.Dim) ir.Dim {
	var chain []*ir.Value
	for v := r; v != core; v = v.Args[0] {
		chain = append(chain, v)
	}
	for i := len(chain) - 1; i >= 0; i-- {
		v := chain[i]
		if v.Op == ir.OpReshape {
			at = l.reshapeIndex(v.Args[0].Type.Shape, v.Type.Shape, at)
			continue
		}
		out := make([]ir.Dim, len(at))
		for k, p := range v.Attr.(*ir.PermAttr).Perm {
			out[k] = at[p]
		}
		at = out
	}
	return l.place(b, r.Type.Shape, at)
}

// multiplyAdd is acc + x*y, fused for floats.
func multiplyAdd(acc, x, y *kernel.Expr) *kernel.Expr {
	if acc.DType.IsFloat() {
		return kernel.OpExpr(ir.OpFMA, x, y, acc)
	}
	return kernel.OpExpr(ir.OpAdd, acc, kernel.OpExpr(ir.OpMul, x, y))
}

func heroDot(l *lowerer, v *ir.Value, idx []ir.Dim) (*kernel.Expr, error) {
	a := v.Attr.(*ir.DotAttr)
	x, y := v.Args[0], v.Args[1]
	d := computeType(v.Type.DType)
	set, get := l.accumulator(d, zero(d))
	extents := pick(y.Type.Shape, a.RContract)
	order := memoryOrder(a.RContract)
	err := l.nest("k", pick(extents, order), func(ks []ir.Dim) error {
		xi, yi := make([]ir.Dim, x.Type.Rank()), make([]ir.Dim, y.Type.Rank())
		for i, axis := range a.LBatch {
			xi[axis], yi[a.RBatch[i]] = idx[i], idx[i]
		}
		for i, k := range order {
			xi[a.LContract[k]], yi[a.RContract[k]] = ks[i], ks[i]
		}
		n := fillFree(xi, idx, len(a.LBatch), a.LBatch, a.LContract)
		fillFree(yi, idx, n, a.RBatch, a.RContract)
		ex, err := l.pull(x, xi, nil)
		if err != nil {
			return err
		}
		ey, err := l.pull(y, yi, nil)
		if err != nil {
			return err
		}
		set(multiplyAdd(get, wide(ex), wide(ey)))
		return nil
	})
	return get, err
}

// memoryOrder sorts the positions of axes by axis: outermost first.
func memoryOrder(axes []int) []int {
	order := make([]int, len(axes))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(i, j int) int { return axes[i] - axes[j] })
	return order
}

// fillFree gives the axes that are neither batch nor contracted the indices
// from idx[n] on, and returns the next n.
func fillFree(at, idx []ir.Dim, n int, batch, contract []int) int {
	for axis := range at {
		if !slices.Contains(batch, axis) && !slices.Contains(contract, axis) {
			at[axis] = idx[n]
			n++
		}
	}
	return n
}

// convDomain is the result's shape with the output channels split into groups
// and channels of a group, so that indices stay linear; split puts them
// together again: it appends the group and the channel in it.
func convDomain(v *ir.Value) (ir.Shape, func([]ir.Dim) []ir.Dim) {
	a := v.Attr.(*ir.ConvAttr)
	c := a.Axes(v.Type.Rank()).InC
	groups := ir.Const(a.Groups)
	per := v.Type.Shape[c].FloorDiv(groups)
	domain := slices.Concat(v.Type.Shape[:c], ir.Shape{groups, per}, v.Type.Shape[c+1:])
	return domain, func(loops []ir.Dim) []ir.Dim {
		ch := loops[c].Mul(per).Add(loops[c+1])
		return slices.Concat(loops[:c], []ir.Dim{ch}, loops[c+2:])
	}
}

func heroConv(l *lowerer, v *ir.Value, idx []ir.Dim) (*kernel.Expr, error) {
	a := v.Attr.(*ir.ConvAttr)
	x, w := v.Args[0], v.Args[1]
	ax := a.Axes(v.Type.Rank())
	n := v.Type.Rank() - 2
	inPer := w.Type.Shape[ax.WI]
	spatial := w.Type.Shape[ax.WS : ax.WS+n]
	extents := slices.Concat(ir.Shape{inPer}, spatial)
	if a.Last { // as the weights lie in memory
		extents = slices.Concat(spatial, ir.Shape{inPer})
	}
	group := ir.Const(0)
	if a.Groups > 1 {
		per := v.Type.Shape[ax.InC].FloorDiv(ir.Const(a.Groups))
		group = l.simplify(idx[ax.InC].FloorDiv(per))
	}
	d := computeType(v.Type.DType)
	set, get := l.accumulator(d, zero(d))
	err := l.nest("k", extents, func(ks []ir.Dim) error {
		ic, sp := ks[0], ks[1:]
		if a.Last {
			ic, sp = ks[n], ks[:n]
		}
		xi, wi := make([]ir.Dim, n+2), make([]ir.Dim, n+2)
		xi[0], xi[ax.InC] = idx[0], group.Mul(inPer).Add(ic)
		wi[ax.WO], wi[ax.WI] = idx[ax.InC], ic
		var guard *kernel.Expr
		for i := range n {
			at := idx[ax.InS+i].MulConst(a.Stride[i]).Add(sp[i].MulConst(a.Dilation[i])).Sub(a.Lo[i])
			var g *kernel.Expr
			xi[ax.InS+i], g = l.padded(at, x.Type.Shape[ax.InS+i], a.Lo[i], a.Hi[i], a.InDilation[i])
			wi[ax.WS+i] = sp[i]
			guard = and(guard, g)
		}
		ex, err := l.pullPadded(x, xi, guard, zero(d))
		if err != nil {
			return err
		}
		ew, err := l.pull(w, wi, nil)
		if err != nil {
			return err
		}
		set(multiplyAdd(get, ex, wide(ew)))
		return nil
	})
	return get, err
}

// padded maps a coordinate of the dilated, padded input to the input, with the
// condition under which there is an element.
func (l *lowerer) padded(at, extent, lo, hi ir.Dim, dilation int64) (ir.Dim, *kernel.Expr) {
	var guard *kernel.Expr
	if dilation > 1 {
		guard = eqConst(l.simplify(at.Mod(ir.Const(dilation))), 0)
		at = l.simplify(at.FloorDiv(ir.Const(dilation)))
	}
	return at, and(guard, l.inBounds(at, extent, mayPad(lo), mayPad(hi)))
}

// mayPad reports whether a padding can be positive.
func mayPad(d ir.Dim) bool {
	k, ok := d.Int()
	return !ok || k > 0
}

// pullPadded is element idx of x in its computing type where guard holds, else
// the padding.
func (l *lowerer) pullPadded(x *ir.Value, idx []ir.Dim, guard, padding *kernel.Expr) (*kernel.Expr, error) {
	e, err := l.pull(x, idx, guard)
	if err != nil {
		return nil, err
	}
	if guard == nil {
		return wide(e), nil
	}
	if e.Kind == kernel.KLoad && e.DType == padding.DType {
		return kernel.LoadIf(e.Buf, e.Index, guard, padding), nil
	}
	return kernel.OpExpr(ir.OpSelect, guard, wide(e), padding), nil
}

func heroWindow(l *lowerer, v *ir.Value, idx []ir.Dim) (*kernel.Expr, error) {
	a := v.Attr.(*ir.WindowAttr)
	x, r := v.Args[0], reducers[v.Op]
	d := computeType(v.Type.DType)
	start := r.start(d)
	set, get := l.accumulator(d, start)
	err := l.nest("k", ir.Dims(a.Size...), func(ks []ir.Dim) error {
		xi := make([]ir.Dim, len(idx))
		var guard *kernel.Expr
		for i := range idx {
			at := idx[i].MulConst(a.Stride[i]).Add(ks[i].MulConst(a.Dilation[i])).Sub(a.Lo[i])
			var g *kernel.Expr
			xi[i], g = l.padded(at, x.Type.Shape[i], a.Lo[i], a.Hi[i], 1)
			guard = and(guard, g)
		}
		e, err := l.pullPadded(x, xi, guard, start)
		if err != nil {
			return err
		}
		set(r.fold(get, e))
		return nil
	})
	return get, err
}
