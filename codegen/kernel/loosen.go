package kernel

import (
	"math"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Loosen has the maximum that loop v folds take no notice of NaN and of the signs of
// zeros, which costs some instructions less: what it folds by becomes a comparison and
// a choice, max(m, x) being x where x > m, else m.
//
// It is legal where that makes no other results, up to which NaN is one. A later loop
// sums, of the same elements, values that are NaN where the element is, and whatever
// the maximum changes outside of the body around v is NaN where the sum is. The maximum
// goes through exponentials alone, or what a zero's sign cannot be seen in either.
func (k *Kernel) Loosen(v string) error {
	p, err := k.find("loosen", v)
	if err != nil {
		return err
	}
	z := &loosening{v: v}
	if err := z.maximum(p.loop); err != nil {
		return err
	}
	i := slices.IndexFunc(*p.body, func(s Stmt) bool { return s == Stmt(p.loop) })
	if i < 0 || !z.begins((*p.body)[:i]) {
		return refuse("loosen", v, "%s does not begin as a number ahead of it", z.acc.Buf.Name)
	}
	rest := (*p.body)[i+1:]
	at := slices.IndexFunc(rest, z.sums)
	if at < 0 {
		return refuse("loosen", v, "no sum is NaN where an element is")
	}
	if err := z.unseen(rest, at, collect(*p.body).inner); err != nil {
		return err
	}
	z.store.Value = Greater(z.acc, z.x)
	return nil
}

// Greater is x where it is greater than acc, else acc: a maximum that NaN and zeros
// of either sign in x leave as it is.
func Greater(acc, x *Expr) *Expr {
	return OpExpr(ir.OpSelect, OpExpr(ir.OpGt, x, acc), x, acc)
}

// greater takes Greater apart.
func greater(e *Expr) (acc, x *Expr, ok bool) {
	if e.Kind != KOp || e.Op != ir.OpSelect || e.Args[0].Kind != KOp || e.Args[0].Op != ir.OpGt {
		return nil, nil, false
	}
	x, acc = e.Args[1], e.Args[2]
	gt := e.Args[0].Args
	return acc, x, sameExpr(gt[0], x) && sameExpr(gt[1], acc)
}

type loosening struct {
	v      string
	extent ir.Dim
	store  *Store
	acc, x *Expr // max(acc, x) is stored
	sum    *Buffer
}

// maximum finds what the loop folds.
func (z *loosening) maximum(l *Loop) error {
	z.extent = l.Extent
	if len(l.Body) == 1 && l.Bind == Serial {
		z.store, _ = l.Body[0].(*Store)
	}
	if z.store == nil || z.store.Value.Kind != KOp || z.store.Value.Op != ir.OpMax ||
		!z.store.Value.DType.IsFloat() || !scalarLocal(z.store.Buf) {
		return refuse("loosen", z.v, "it does not only fold the maximum of floats")
	}
	z.acc, z.x = z.store.Value.Args[0], z.store.Value.Args[1]
	if z.x.Kind == KLoad && z.x.Buf == z.store.Buf {
		z.acc, z.x = z.x, z.acc
	}
	own := map[*Buffer]bool{z.store.Buf: true}
	if z.acc.Kind != KLoad || !own[z.acc.Buf] || reads(z.x, own) {
		return refuse("loosen", z.v, "it does not fold into %s", z.store.Buf.Name)
	}
	return nil
}

func scalarLocal(b *Buffer) bool { return b.Space == Local && b.Size.IsConst(1) && b.Of == nil }

// begins reports whether the accumulator is allocated in ahead, and a number at its
// end.
func (z *loosening) begins(ahead []Stmt) bool {
	own, number := false, false
	for _, s := range ahead {
		switch s := s.(type) {
		case *Alloc:
			own = own || s.Buf == z.acc.Buf
		case *Store:
			if s.Buf == z.acc.Buf {
				d := s.Value.DType
				number = s.Value.Kind == KConst && !math.IsNaN(toFloat(d, s.Value.Bits))
			}
		default:
			if collect([]Stmt{s}).writes()[z.acc.Buf] {
				return false
			}
		}
	}
	return own && number
}

// sums reports whether s is a loop that sums up NaN for each element that is NaN.
func (z *loosening) sums(s Stmt) bool {
	l, ok := s.(*Loop)
	if !ok || l.Bind != Serial || !l.Extent.Equal(z.extent) {
		return false
	}
	x := replaceVar([]Stmt{&Let{Value: z.x}}, z.v, ir.Sym(l.Var))[0].(*Let).Value
	stores := map[*Buffer]int{}
	for _, a := range collect(l.Body).list {
		if a.write {
			stores[a.buf]++
		}
	}
	for _, s := range l.Body {
		st, ok := s.(*Store)
		if !ok || !scalarLocal(st.Buf) || stores[st.Buf] != 1 {
			continue
		}
		if op, ok := foldOp(st); ok && op.op == ir.OpAdd &&
			spoils(st.Value, func(e *Expr) bool { return sameExpr(e, x) }) {
			z.sum = st.Buf
			return true
		}
	}
	return false
}

// spoilt are the operations whose result is NaN where an operand is.
var spoilt = map[ir.Op]bool{ir.OpAdd: true, ir.OpSub: true, ir.OpMul: true, ir.OpDiv: true,
	ir.OpFMA: true, ir.OpNeg: true, ir.OpAbs: true, ir.OpExp: true, ir.OpLog: true, ir.OpSqrt: true}

// spoils reports whether e is NaN where some expression of which nan holds is.
func spoils(e *Expr, nan func(*Expr) bool) bool {
	known := map[*Expr]bool{}
	var walk func(e *Expr) bool
	walk = func(e *Expr) bool {
		does, ok := known[e]
		if !ok {
			cast := e.Op == ir.OpCast && e.DType.IsFloat() && e.Args[0].DType.IsFloat()
			does = nan(e) || e.Kind == KOp && (spoilt[e.Op] || cast) && slices.ContainsFunc(e.Args, walk)
			known[e] = does
		}
		return does
	}
	return walk(e)
}

// unseen checks that the statements in rest, of which that at sums, hide what the
// maximum makes of NaN and of zeros; own are allocated in the body around.
func (z *loosening) unseen(rest []Stmt, at int, own map[*Buffer]bool) error {
	all := collect(rest)
	if !all.known {
		return refuse("loosen", z.v, "instructions hide what they touch")
	}
	elements := map[*Buffer]bool{}
	WalkExprs([]Stmt{z.store}, func(e *Expr) {
		if e.Kind == KLoad {
			elements[root(e.Buf)] = true
		}
	})
	for i, s := range rest {
		for b := range collect([]Stmt{s}).writes() {
			if b = root(b); b == z.acc.Buf || i <= at && elements[b] || i > at && b == z.sum {
				return refuse("loosen", z.v, "%s changes", b.Name)
			}
		}
	}
	changed := map[*Buffer]bool{z.acc.Buf: true}
	for n := 0; n != len(changed); { // until there are no more
		n = len(changed)
		WalkStmts(rest, func(s Stmt) {
			if st, ok := s.(*Store); ok && readsRoot(st.Value, changed) {
				changed[root(st.Buf)] = true
			}
		})
	}
	total := func(e *Expr) bool { return e.Kind == KLoad && e.Buf == z.sum && len(e.Args) == 0 }
	var err error
	for i, top := range rest {
		WalkStmts([]Stmt{top}, func(s Stmt) {
			st, isStore := s.(*Store)
			StmtExprs(s, func(e *Expr) {
				switch {
				case !readsRoot(e, changed):
				case !isStore:
					err = refuse("loosen", z.v, "more than what is stored depends on it")
				case !own[root(st.Buf)] && (i <= at || !spoils(e, total)):
					err = refuse("loosen", z.v, "%s need not be NaN where the sum is", st.Buf.Name)
				case z.zero(e, map[*Expr]signs{}) != hidden:
					err = refuse("loosen", z.v, "the sign of a zero may be seen in %s", st.Buf.Name)
				}
			})
		})
	}
	return err
}

func root(b *Buffer) *Buffer {
	b, _ = b.Root()
	return b
}

// readsRoot reports whether e loads from one of bufs or a part of it.
func readsRoot(e *Expr, bufs map[*Buffer]bool) bool {
	found := false
	WalkExprs([]Stmt{&Let{Value: e}}, func(x *Expr) {
		found = found || x.Kind == KLoad && bufs[root(x.Buf)]
	})
	return found
}

// signs says where the sign of a zero of the maximum may be seen.
type signs uint8

const (
	hidden signs = iota
	inZero       // in the sign of a zero
	seen
)

// zero says where the sign of a zero of the maximum is seen in e.
func (z *loosening) zero(e *Expr, known map[*Expr]signs) signs {
	if e.Kind == KLoad && e.Buf == z.acc.Buf {
		return inZero
	}
	worst, ok := known[e]
	if ok {
		return worst
	}
	for _, a := range e.Args {
		worst = max(worst, z.zero(a, known))
	}
	if worst == inZero {
		switch e.Op {
		case ir.OpExp, ir.OpAbs: // 1 and 0 of either zero
			worst = hidden
		case ir.OpAdd, ir.OpSub, ir.OpMul, ir.OpNeg:
		default:
			worst = seen
		}
	}
	known[e] = worst
	return worst
}
