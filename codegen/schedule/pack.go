package schedule

import (
	"cmp"
	"slices"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// pack copies operands of a product to scratch where that pays: the operand
// without lanes once a task, the operand with lanes once a tile of columns.
// What a primitive refuses stays where it is.
func (p *product) pack(t *tiling) error {
	for _, e := range p.operands(t) {
		try := &product{}
		*try = *p
		try.scheduler = &scheduler{Kernel: p.Kernel.Clone(), t: p.t}
		var err error
		switch {
		case p.peels(e, t):
			continue
		case p.shares[e.Buf] && p.depends(e, t.n0): // rows may be of the same buffer
			err = try.shareColumns(e, t)
		case p.worthRows(e, t):
			at := t.task
			if t.kb != "" && !p.guarded(e) {
				at = t.kb
			}
			if p.depends(e, t.n0) {
				at = t.nt // what one tile of columns needs stays in the nearest cache
			}
			if err = try.packAt(at, e, t, true, false); err != nil && p.guarded(e) {
				// Whole tiles: what is beyond the edge is masked in the copy.
				try.scheduler = &scheduler{Kernel: p.Kernel.Clone(), t: p.t}
				err = try.packAt(at, e, t, true, true)
			}
		case p.worthColumns(e, t):
			if err = try.packPanels(e, t); err == nil {
				break
			}
			try.scheduler = &scheduler{Kernel: p.Kernel.Clone(), t: p.t}
			if err = try.packAt(t.nt, e, t, false, false); err == nil && !p.strided(e) && mayAsk(e) {
				t.lines = e
			}
		default:
			continue
		}
		if err == nil {
			p.Kernel = try.Kernel
		} else if p.strided(e) {
			return err
		}
	}
	return nil
}

// operands are the largest expressions in the update that do not depend on the
// accumulator, nor, if something in them does not, on the lanes.
func (p *product) operands(t *tiling) []*kernel.Expr {
	var out []*kernel.Expr
	var walk func(e *kernel.Expr)
	walk = func(e *kernel.Expr) {
		if e.Kind != kernel.KOp && e.Kind != kernel.KLoad || p.accumulates(e) {
			for _, a := range e.Args {
				walk(a)
			}
			return
		}
		if e.Kind == kernel.KLoad || !p.depends(e, p.n, t.nt, t.n0) && hasLoad(e) {
			out = append(out, e)
			return
		}
		for _, a := range e.Args {
			walk(a)
		}
	}
	walk(p.current().Value)
	return out
}

// current is the update as the tree has it now.
func (p *product) current() *kernel.Store {
	var found *kernel.Store
	kernel.WalkStmts(p.Loop(last(p.red)).Body, func(s kernel.Stmt) {
		if st, ok := s.(*kernel.Store); ok {
			found = st
		}
	})
	return found
}

func (p *product) accumulates(e *kernel.Expr) bool {
	found := false
	walkExpr(e, func(x *kernel.Expr) {
		found = found || x.Kind == kernel.KLoad && x.Buf.Space == kernel.Local
	})
	return found
}

func walkExpr(e *kernel.Expr, f func(*kernel.Expr)) {
	kernel.WalkExprs([]kernel.Stmt{&kernel.Let{Value: e}}, f)
}

func hasLoad(e *kernel.Expr) bool {
	found := false
	walkExpr(e, func(x *kernel.Expr) { found = found || x.Kind == kernel.KLoad })
	return found
}

// depends reports whether e depends on one of vars.
func (p *product) depends(e *kernel.Expr, vars ...string) bool {
	found := false
	kernel.WalkDims([]kernel.Stmt{&kernel.Let{Value: e}}, func(d ir.Dim) {
		found = found || slices.ContainsFunc(vars, func(v string) bool { return v != "" && d.Has(v) })
	})
	return found
}

func (p *product) guarded(e *kernel.Expr) bool {
	found := false
	walkExpr(e, func(x *kernel.Expr) { found = found || x.Kind == kernel.KLoad && len(x.Args) == 2 })
	return found
}

// strided reports whether lanes of e are not contiguous.
func (p *product) strided(e *kernel.Expr) bool {
	found := false
	walkExpr(e, func(x *kernel.Expr) {
		found = found || x.Kind == kernel.KLoad && p.odd[x.Buf]
	})
	return found
}

// worthRows reports whether the operand e is packed once a task: it has masks,
// or a computation that several columns share. Plain operands are not: reading
// rows where they lie is faster than packing them first, unless the accumulation
// is blocked and several tiles use them.
func (p *product) worthRows(e *kernel.Expr, t *tiling) bool {
	columns := p.depends(e, p.n, t.nt, t.n0)
	if columns && e.Kind == kernel.KLoad && p.shared[e.Buf] {
		return true
	}
	if p.m == "" {
		return false
	}
	if p.guarded(e) {
		return !p.strided(e)
	}
	if (t.kb != "" || p.scalar() && p.sparse(e, t.block)) && t.n*t.cols >= fewUses {
		return !columns
	}
	return !columns && e.Kind != kernel.KLoad && t.cols*p.size(p.Loop(t.nt).Extent, t.n) > 1
}

// fewUses is how many register blocks along an axis pay for packing what they
// share.
const fewUses = 4

// worthColumns reports whether the operand e, which has lanes and serves all
// rows, is packed once a tile of columns: its lanes are not contiguous, or, in a
// blocked accumulation, they are far from those of the next step.
func (p *product) worthColumns(e *kernel.Expr, t *tiling) bool {
	if e.Kind != kernel.KLoad || p.m == "" || !p.depends(e, t.n0) ||
		p.depends(e, p.m, t.mt, t.m0) || p.guarded(e) {
		return false
	}
	return p.strided(e) || t.kb != "" && t.m*t.h >= fewUses && p.sparse(e, t.block)
}

// sparse reports whether the steps of the accumulation read lines of e that are
// apart.
func (p *product) sparse(e *kernel.Expr, b block) bool {
	step, _, ok := e.Index.Linear(last(p.red))
	n, static := step.Int()
	return !ok || !static || n > 2*b.w*b.cols
}

// axis is a dimension of a packed operand with its stride in memory.
type axis struct {
	kernel.Axis
	most  ir.Dim // greatest extent, for strides
	coef  ir.Dim // stride in the source
	order int64  // coef with some number for symbols
	lanes bool   // of columns
}

// packAt packs e at loop v: over the loops of the accumulation and, for rows,
// those of the task.
func (p *product) packAt(v string, e *kernel.Expr, t *tiling, rows, whole bool) error {
	l := &layout{product: p, at: loadIndex(e), used: map[string]bool{}, slide: rows, whole: whole,
		n0: t.n0, inner: p.strided(e) && !p.scalar()}
	l.red = p.red
	if v == t.task {
		l.red = slices.Concat(t.moved, p.red)
	}
	if rows {
		if p.h != "" {
			l.tiles(p.h, "", t.ht, 1, t.h, t)
		}
		if p.m != "" {
			l.tiles(p.m, t.mt, t.m0, t.rows, t.m, t)
		}
	}
	l.add(ir.Sym(t.n0), t.n0, p.Loop(t.n0).Extent, t.w*t.cols)
	for _, r := range l.red {
		if cr, _, ok := l.at.Linear(r); ok && !cr.IsConst(0) && !l.used[r] {
			n := p.Loop(r).Extent
			a := axis{Axis: kernel.Axis{Var: r, Extent: n}, most: n, coef: cr,
				lanes: p.scalar() && r == last(p.red)}
			switch whole := v == t.task; {
			case whole && r == t.split.out:
				continue // is part of the axis of its blocks
			case whole && r == t.split.in:
				a.At, a.Extent, a.most = t.split.at, t.split.extent, t.split.extent
			case r == t.split.in:
				a.most = ir.Const(t.split.factor)
			}
			l.axes = append(l.axes, a)
		}
	}
	return p.stage(v, e, l.axes, rows)
}

// packPanels packs what a task has of the columns' operand e in a block of the
// accumulation, lines of it as they lie in memory, each tile's to a panel.
func (p *product) packPanels(e *kernel.Expr, t *tiling) error {
	width, ok := p.static(t.n0)
	if t.kb == "" || !ok || p.strided(e) {
		return refuse("no panels of lines")
	}
	size := ir.Const(width)
	l := &layout{product: p, at: loadIndex(e)}
	for _, r := range slices.Backward(p.red) {
		n := p.Loop(r).Extent
		l.axes = append(l.axes, axis{Axis: kernel.Axis{Var: r, Extent: n, Stride: size}})
		if r == t.split.in {
			n = ir.Const(t.split.factor)
		}
		size = size.Mul(n)
	}
	l.axes = append(l.axes,
		axis{Axis: kernel.Axis{Var: t.n0, Extent: ir.Const(width), Stride: ir.Const(1)}},
		axis{Axis: kernel.Axis{Var: t.nt, Extent: p.Loop(t.nt).Extent, Stride: size}})
	list := make([]kernel.Axis, len(l.axes))
	for i := range l.axes {
		cv, _, _ := l.at.Linear(l.axes[i].Var)
		l.axes[i].order = p.magnitude(cv)
	}
	slices.SortStableFunc(l.axes, func(a, b axis) int { return cmp.Compare(b.order, a.order) })
	for i, a := range l.axes {
		list[i] = a.Axis
	}
	names, err := p.Stage(t.kb, e, "pack", kernel.Scratch, size.MulConst(t.n), list)
	if err != nil {
		return err
	}
	if err := p.vectorize(last(names)); err != nil {
		return err
	}
	return p.copyOut(names[len(names)-2:])
}

// copyOut copies out the loops of vars, which are nested, where there are few
// iterations: more loads are then on their way at once.
func (p *product) copyOut(vars []string) error {
	copies := int64(1)
	for _, v := range slices.Backward(vars) {
		n, ok := p.static(v)
		if copies *= n; !ok || copies > 16 || p.Loop(v).Bind != kernel.Serial {
			return nil
		}
		if err := p.Bind(v, kernel.Unroll); err != nil {
			return err
		}
	}
	return nil
}

// layout collects the axes of a packed operand.
type layout struct {
	*product
	at    ir.Dim   // index in the source
	red   []string // the loops of the accumulation inside
	axes  []axis
	used  map[string]bool // loops of the accumulation that are part of an axis
	slide bool            // overlapping axes are joined
	whole bool            // tiles at the edge are copied as if they were whole
	n0    string          // the columns
	inner bool            // these are laid out innermost
}

// add adds the axis of the values of expr, below extent, which is at most most;
// v is the variable in expr with factor 1.
func (l *layout) add(expr ir.Dim, v string, extent ir.Dim, most int64) {
	cv, _, ok := l.at.Linear(v)
	if !ok || cv.IsConst(0) {
		return
	}
	a := axis{Axis: kernel.Axis{Var: v, At: expr, Extent: extent}, most: ir.Const(most), coef: cv,
		lanes: v == l.n0 && l.inner}
	r, q, d := l.overlap(v, most)
	if r != "" && !l.used[r] && l.slide && (q*d == 1 || !a.lanes) {
		l.used[r] = true
		n := l.Loop(r).Extent
		a.At = expr.MulConst(q).Add(ir.Sym(r).MulConst(d))
		a.Extent = extent.AddConst(-1).MulConst(q).Add(n.AddConst(-1).MulConst(d)).AddConst(1)
		a.most = n.AddConst(-1).MulConst(d).AddConst((most-1)*q + 1)
		if d == 1 {
			a.Var = r
			a.coef, _, _ = l.at.Linear(r)
		}
	}
	l.axes = append(l.axes, a)
}

// overlap returns the loop r of the accumulation along which the operand moves as along v,
// if an axis of the values q*v+d*r has fewer of them than there are pairs.
func (l *layout) overlap(v string, most int64) (r string, q, d int64) {
	if r, q = slides(l.at, v, l.red); r != "" {
		return r, q, 1
	}
	cv, _, _ := l.at.Linear(v)
	for _, r := range l.red {
		cr, _, ok := l.at.Linear(r)
		n, static := l.static(r)
		if !ok || !static || cr.IsConst(0) {
			continue
		}
		d, ok := cr.FloorDiv(cv).Int()
		if ok && d > 1 && cv.MulConst(d).Equal(cr) && most+d*(n-1) < most*n {
			return r, 1, d
		}
	}
	return "", 0, 0
}

// tiles adds the axis of what a task has of axis v: count tiles of size
// elements.
func (l *layout) tiles(v, tile, in string, size, count int64, t *tiling) {
	n, most := t.extents[v], size*count
	extent := n.Sub(ir.Sym(v).MulConst(most)).Min(ir.Const(most))
	if k, ok := n.Int(); ok && k <= most {
		extent, most = n, k
	} else if l.whole {
		extent = ir.Const(most)
	}
	at := ir.Sym(in)
	if tile != "" {
		if k, ok := l.static(tile); !ok || k > 1 {
			at = at.Add(ir.Sym(tile).MulConst(size))
		}
		if k, ok := l.static(in); ok && k == 1 && size == 1 {
			at, in = ir.Sym(tile), tile
		}
	}
	l.add(at, in, extent, most)
}

// loadIndex is the index of the first load in e.
func loadIndex(e *kernel.Expr) ir.Dim {
	var at ir.Dim
	found := false
	walkExpr(e, func(x *kernel.Expr) {
		if x.Kind == kernel.KLoad && !found {
			at, found = x.Index, true
		}
	})
	return at
}

// stage lays the axes out in the order of the source, but columns innermost,
// and makes vectors of the copy.
func (p *product) stage(v string, e *kernel.Expr, axes []axis, rows bool) error {
	if len(axes) == 0 {
		return refuse("nothing to pack")
	}
	for i := range axes {
		axes[i].order = p.magnitude(axes[i].coef)
		if axes[i].lanes {
			axes[i].order = 0
		}
	}
	slices.SortStableFunc(axes, func(a, b axis) int { return cmp.Compare(b.order, a.order) })
	size := ir.Const(1)
	list := make([]kernel.Axis, len(axes))
	for i := len(axes) - 1; i >= 0; i-- {
		list[i] = axes[i].Axis
		list[i].Stride = size
		size = size.Mul(axes[i].most)
		if n, ok := size.Int(); ok && i == len(axes)-1 && i > 0 && rows && n >= 64 {
			// lines of an odd number of vectors keep off each other's cache sets
			size = ir.Const((n+15)/16*16 | 16)
		}
	}
	names, err := p.Stage(v, e, "pack", kernel.Scratch, size, list)
	if err != nil {
		return err
	}
	try := &scheduler{Kernel: p.Kernel.Clone(), t: p.t}
	if try.cross(names) == nil {
		p.Kernel = try.Kernel
		return nil
	}
	return p.fill(names)
}

// magnitude is d with a number for its symbols, to compare strides.
func (p *product) magnitude(d ir.Dim) int64 {
	env := map[string]int64{}
	for _, s := range d.SymNames() {
		env[s] = 64
	}
	n, err := d.Eval(env)
	if err != nil {
		return 0
	}
	return max(n, -n)
}
