package llvm

import (
	"fmt"
	"slices"

	"github.com/llir/llvm/ir/constant"
	"github.com/llir/llvm/ir/types"
	"github.com/llir/llvm/ir/value"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Loads at places that are data, as gathers have them. The places lie in memory
// one after the other, so that what is read later can be known now.

// mostRow is the bytes of rows of which the next is asked for; longer ones are
// asked for as they are passed over. nextRow is how far ahead of the row that is read,
// in bytes, the one lies that is asked for.
const (
	mostRow = 16 << 10
	nextRow = 4096
)

// place returns the symbol of the folded index d that stands for what a let
// loaded, and its value; nil where there is none, or several.
func (e *emitter) place(d ir.Dim) (string, *kernel.Expr) {
	name := ""
	for _, n := range d.SymNames() {
		if e.places[n] == nil {
			continue
		}
		if name != "" {
			return "", nil
		}
		name = n
	}
	return name, e.places[name]
}

// isPlace reports whether x is an element of a buffer that the kernel does not
// write, so that it can be read again, or one as another type.
func isPlace(x *kernel.Expr) bool {
	if x.Kind == kernel.KOp && x.Op == ir.OpCast {
		x = x.Args[0]
	}
	return x.Kind == kernel.KLoad && len(x.Args) == 0 && x.Buf.Space == kernel.Global && !x.Buf.Out
}

// loaded is the load of a place.
func loaded(x *kernel.Expr) *kernel.Expr {
	for x.Kind != kernel.KLoad {
		x = x.Args[0]
	}
	return x
}

// evenBut reports whether all lanes have the same of what the folded index d
// depends on, the number of the lane and the symbol name left out.
func (e *emitter) evenBut(name string, d ir.Dim) bool {
	return !slices.ContainsFunc(d.SymNames(), func(s string) bool {
		return s != name && s != e.lane && e.vars[s].vec
	})
}

// elsewhere is the value of a place with the index of its load replaced.
func (e *emitter) elsewhere(x *kernel.Expr, f func(b *kernel.Buffer, at ir.Dim) ir.Dim) val {
	return e.expr(x.Rewrite(func(x *kernel.Expr) *kernel.Expr {
		if x.Kind != kernel.KLoad {
			return x
		}
		return kernel.Load(x.Buf, f(x.Buf, e.fold(x.Index)))
	}))
}

// askPlace asks for a row of x that comes later than the one at first, of which
// the part at p is being read. (65536 rows of 64 floats: 18 GB/s without, 40 with
// it; 4096 of 1024: 33 and 47; one core of an AMD EPYC, Zen 4, 2026-11-26.)
func (e *emitter) askPlace(x *kernel.Expr, first ir.Dim, p value.Value) {
	name, at := e.place(first)
	row, _, _ := first.Linear(name)
	n, ok := row.Int()
	bytes := n * int64(x.DType.Size())
	switch {
	case at == nil || !ok || n <= 0:
		return
	case bytes > mostRow:
		e.ask(x.Buf, first, p)
		return
	}
	later := e.elsewhere(at, func(b *kernel.Buffer, at ir.Dim) ir.Dim {
		return at.AddConst(max(nextRow/bytes, 1)).Min(b.Size.AddConst(-1))
	})
	if later.vec {
		return
	}
	// it is not checked yet
	last := e.index(x.Buf.Size.FloorDiv(row))
	later.Value = e.intrinsic("llvm.umin.i64", i64, later.Value, last.Value)
	next := "next." + name
	e.vars[next] = later
	e.prefetch(e.address(x.Buf, first.Subst(func(s string) (ir.Dim, bool) {
		return ir.Sym(next), s == name
	})), 0, secondCache)
}

// turn is an iteration of a loop that is unrolled. Values are those of loads that the
// first one made for all of them.
type turn struct {
	l         *kernel.Loop
	i, extent int64
	values    map[*kernel.Expr][]val
}

// mostTurns bounds the iterations that places are loaded once for.
const mostTurns = 8

// turns are the folded indices d of x in all iterations of the unrolled loop around,
// if they have the places called name in common and this is the first of them; else
// just d.
func (e *emitter) turns(x *kernel.Expr, d ir.Dim, name string, at *kernel.Expr) []ir.Dim {
	t := e.turn
	if t.l == nil || t.i > 0 || t.extent > mostTurns || x.Buf.Out || loaded(at).Index.Has(t.l.Var) {

		return []ir.Dim{d}
	}
	inner, jumps := false, false
	from, _ := x.Buf.Root()
	kernel.WalkStmts(t.l.Body, func(st kernel.Stmt) {
		switch st := st.(type) {
		case *kernel.Let:
			inner = inner || st.Var != name && x.Index.Has(st.Var)
		case *kernel.Loop:
			jumps = jumps || st.Bind != kernel.Vector
		case *kernel.Store:
			to, _ := st.Buf.Root()
			jumps = jumps || to == from
		case *kernel.If, *kernel.Fail, *kernel.Call, *kernel.Alloc:
			jumps = true
		}
	})
	if inner || jumps {
		return []ir.Dim{d}
	}
	all := []ir.Dim{d}
	for i := range t.extent - 1 {
		e.unrolled[t.l.Var] = ir.Const(i + 1)
		all = append(all, e.fold(x.Index))
	}
	e.unrolled[t.l.Var] = ir.Const(0)
	return all
}

// gatherPlaces loads lanes whose places lie in memory side by side, one by one: two
// loads a lane, which is less than what instructions that gather take, or with the
// place loaded once for all iterations of an unrolled loop around. (1024 of 1024
// columns of rows in the nearest caches: 24 us by scalar code, 17 so; Zen 4,
// 2026-11-26.)
func (e *emitter) gatherPlaces(x *kernel.Expr, d ir.Dim) (val, bool) {
	if v := e.turn.values[x]; e.turn.i > 0 && v != nil {
		return v[e.turn.i], true
	}
	name, at := e.place(d)
	if at == nil || !e.vars[name].vec || !e.evenBut(name, d) ||
		!e.evenBut("", e.fold(loaded(at).Index)) {
		return val{}, false
	}
	m := e.memory(x.Buf)
	all := e.turns(x, d, name, at)
	if e.stream && x.Buf.Stream {
		for _, d := range all {
			e.askOrder(x.Buf, d, name, at, all)
		}
	}
	address := func(i int64, d ir.Dim) value.Value {
		return e.address(x.Buf, e.inLane(i, d).Subst(func(s string) (ir.Dim, bool) {
			return ir.Sym(fmt.Sprintf("%s.%d", name, i)), s == name
		}))
	}
	place := func(i int64) {
		e.vars[fmt.Sprintf("%s.%d", name, i)] = e.elsewhere(at, func(_ *kernel.Buffer, at ir.Dim) ir.Dim {
			return e.inLane(i, at)
		})
	}
	values := make([]val, len(all))
	if size := x.DType.Size(); sideBySide(all) && size*len(all) == 16 && e.width*size >= 16 {
		list := e.columns(moved(m.elem), e.width, len(all), size, func(i int) value.Value {
			place(int64(i))
			return address(int64(i), all[0])
		}, m)
		for r, v := range list {
			values[r] = e.fromStored(val{e.cur.NewBitCast(v, e.vectorType(m.elem)), true}, x.DType)
		}
	} else {
		for i := range int64(e.width) {
			place(i)
			for r, d := range all {
				l := e.cur.NewLoad(m.elem, address(i, d))
				l.Metadata = m.meta
				if i == 0 {
					values[r].Value = constant.NewUndef(e.vectorType(m.elem))
				}
				values[r].Value = e.cur.NewInsertElement(values[r].Value, l, constant.NewInt(types.I32, i))
			}
		}
		for r, v := range values {
			values[r] = e.fromStored(val{v.Value, true}, x.DType)
		}
	}
	if len(all) > 1 {
		e.turn.values[x] = values
	}
	return values[0], true
}

// inLane is the folded index d in lane i.
func (e *emitter) inLane(i int64, d ir.Dim) ir.Dim {
	return d.Subst(func(s string) (ir.Dim, bool) { return ir.Const(i), s == e.lane })
}

// sideBySide reports whether the elements at these indices follow each other in memory.
func sideBySide(at []ir.Dim) bool {
	for i, d := range at {
		if !d.Sub(at[0]).IsConst(int64(i)) {
			return false
		}
	}
	return true
}

// askOrder asks for what lies behind the lanes at d if their places are in order,
// where they are in a short row of b that loops pass over, all of them one after the
// other.
func (e *emitter) askOrder(b *kernel.Buffer, d ir.Dim, name string, at *kernel.Expr,
	all []ir.Dim) {

	size := int64(b.DType.Size())
	coef, rest, ok := d.Linear(name)
	short := slices.ContainsFunc(rest.SymNames(), func(s string) bool {
		row, _, _ := rest.Linear(s)
		n, ok := row.Int()
		return ok && e.natural[s] && n > 1 && n*size <= mostRow
	})
	if !ok || !coef.IsConst(1) || !short {
		return
	}
	from := e.fold(loaded(at).Index)
	inOrder := d.Subst(func(s string) (ir.Dim, bool) { return from, s == name })
	first := inOrder.Subst(func(s string) (ir.Dim, bool) { return ir.Const(0), s == e.lane })
	far := int64(nextRow)
	if n, ok := all[len(all)-1].Sub(all[0]).Int(); ok && n > 0 {
		n = n * size / int64(len(all)-1) * int64(len(all)) // bytes of the rows of an iteration
		far = (nextRow + n - 1) / n * n
	}
	e.prefetch(e.address(b, first), far, nearest)
}
