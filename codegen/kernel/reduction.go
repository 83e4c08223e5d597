package kernel

import (
	"math"

	"github.com/tensorcc/tcc/ir"
)

// SplitReduction rewrites the serial loop v, which folds values into local
// scalars, to fold into n partial accumulators, lane by lane, and to combine
// these after the loop by a tree. n is a power of two. The loop keeps its
// name and runs over groups of n iterations; the loop over the lanes of a
// group has the name that is returned and is independent.
//
// Folds are associative (sums of floats are so up to rounding); other stores in
// the body must be independent of each other. init is the loop that sets the
// partial accumulators, tree those that combine them.
func (k *Kernel) SplitReduction(v, lane string, n int64) (lanes, init string, tree []string,
	err error) {

	const what = "splitreduction"
	p, err := k.find(what, v)
	if err != nil {
		return "", "", nil, err
	}
	l := p.loop
	if n < 2 || n&(n-1) != 0 {
		return "", "", nil, refuse(what, v, "%d accumulators, want a power of two", n)
	}
	if l.Bind != Serial {
		return "", "", nil, refuse(what, v, "it is %v", l.Bind)
	}
	folds, err := foldsOf(v, l.Body)
	if err != nil {
		return "", "", nil, err
	}
	if err := independentBut(p.facts(), v, l.Body, folds, nil); err != nil {
		return "", "", nil, err
	}
	r := &splitter{k: k, n: n, lane: k.fresh(lane), part: map[*Buffer]*Buffer{}}
	out := r.rewrite(l, folds)
	f := p.facts()
	f.signs(*p.body)
	p.replace(out...)
	for i, s := range *p.body {
		if m, ok := s.(*Loop); ok && m.Var == v {
			*p.body = splice(*p.body, i, 1, simplifyBody([]Stmt{m}, f)...)
		}
	}
	return r.lane, r.init, r.tree, nil
}

// fold is an accumulation buf[0] = op(buf[0], x).
type fold struct {
	buf   *Buffer
	op    ir.Op // that combines two partial results; OpSelect: by Greater
	loads int   // of buf
}

// combine is one result of two partial ones.
func (f fold) combine(x, y *Expr) *Expr {
	if f.op == ir.OpSelect {
		return Greater(x, y)
	}
	return OpExpr(f.op, x, y)
}

// associative has the operations that fold, with how partial results combine.
var associative = map[ir.Op]ir.Op{ir.OpAdd: ir.OpAdd, ir.OpMul: ir.OpMul, ir.OpMax: ir.OpMax,
	ir.OpMin: ir.OpMin, ir.OpAnd: ir.OpAnd, ir.OpOr: ir.OpOr, ir.OpXor: ir.OpXor, ir.OpFMA: ir.OpAdd}

// foldsOf finds the accumulators that body folds into: local scalars declared
// outside, each stored once and loaded only by that store.
func foldsOf(v string, body []Stmt) ([]fold, error) {
	a := collect(body)
	var out []fold
	seen := map[*Buffer]bool{}
	loads := loadsIn(body)
	var err error
	WalkStmts(body, func(s Stmt) {
		st, ok := s.(*Store)
		if !ok || a.inner[st.Buf] || st.Buf.Space != Local || !st.Buf.Size.IsConst(1) {
			return
		}
		f, ok := foldOp(st)
		if !ok || seen[st.Buf] || loads[st.Buf] != f.loads {
			err = refuse("splitreduction", v, "%s is not folded into by one associative operation",
				st.Buf.Name)
			return
		}
		seen[st.Buf] = true
		out = append(out, f)
	})
	if err == nil && len(out) == 0 {
		err = refuse("splitreduction", v, "there is no accumulator")
	}
	return out, err
}

// loadsIn counts the loads of each buffer: one for each use of the value, as
// statements and operations may share expressions.
func loadsIn(body []Stmt) map[*Buffer]int {
	loads := map[*Buffer]int{}
	WalkStmts(body, func(s Stmt) {
		seen := map[*Expr]bool{}
		var use func(e *Expr)
		use = func(e *Expr) {
			if e.Kind == KLoad {
				loads[e.Buf]++
			}
			if !seen[e] {
				seen[e] = true
				for _, a := range e.Args {
					use(a)
				}
			}
		}
		StmtExprs(s, use)
	})
	return loads
}

// foldOp takes apart acc[0] = op(acc[0], x) with acc first or last.
func foldOp(st *Store) (fold, bool) {
	e := st.Value
	if e.Kind != KOp {
		return fold{}, false
	}
	isAcc := func(x *Expr) bool { return x.Kind == KLoad && x.Buf == st.Buf && len(x.Args) == 0 }
	if acc, _, ok := greater(e); ok {
		return fold{st.Buf, ir.OpSelect, 2}, isAcc(acc)
	}
	op, ok := associative[e.Op]
	f := fold{st.Buf, op, 1}
	if e.Op == ir.OpFMA {
		return f, ok && isAcc(e.Args[2])
	}
	return f, ok && (isAcc(e.Args[0]) || isAcc(e.Args[1]))
}

// independentBut checks that apart from the folds iterations are independent,
// whatever the values of the variables in free.
func independentBut(f *Facts, v string, body []Stmt, folds []fold, free []string) error {
	skip := map[*Buffer]bool{}
	for _, x := range folds {
		skip[x.buf] = true
	}
	rest := (&subst{}).body(body)
	var drop func(body []Stmt) []Stmt
	drop = func(body []Stmt) []Stmt {
		var out []Stmt
		for _, s := range body {
			switch s := s.(type) {
			case *Store:
				if skip[s.Buf] {
					out = append(out, &Let{Var: v + ".fold", Value: s.Value})
					continue
				}
			case *Loop:
				s.Body = drop(s.Body)
			case *If:
				s.Then, s.Else = drop(s.Then), drop(s.Else)
			}
			out = append(out, s)
		}
		return out
	}
	if !independent(f, v, drop(rest), free) {
		return refuse("splitreduction", v, "iterations depend on each other beside the accumulators")
	}
	return nil
}

type splitter struct {
	k          *Kernel
	n          int64
	lane, init string
	tree       []string
	part       map[*Buffer]*Buffer
}

func (r *splitter) rewrite(l *Loop, folds []fold) []Stmt {
	var out []Stmt
	used := r.k.Names()
	used[r.lane] = true
	name := func(base string) string { return unused(base, used) }
	r.init = name(r.lane + "i")
	set := &Loop{Var: r.init, Extent: ir.Const(r.n), Indep: true}
	for _, x := range folds {
		b := &Buffer{Name: name(x.buf.Name + "p"), DType: x.buf.DType, Size: ir.Const(r.n), Space: Local}
		r.part[x.buf] = b
		out = append(out, &Alloc{Buf: b})
		set.Body = append(set.Body, &Store{Buf: b, Index: ir.Sym(r.init), Value: identity(x.op, b.DType)})
	}
	out = append(out, set)
	at := ir.Sym(l.Var).MulConst(r.n).Add(ir.Sym(r.lane))
	body := replaceVar(l.Body, l.Var, at)
	body = (&subst{bufs: r.part, index: func(b *Buffer, d ir.Dim) ir.Dim {
		for _, p := range r.part {
			if b == p {
				return ir.Sym(r.lane)
			}
		}
		return d
	}}).body(body)
	if !l.Extent.Mod(ir.Const(r.n)).IsConst(0) {
		body = []Stmt{&If{Cond: OpExpr(ir.OpLt, IndexExpr(at), IndexExpr(l.Extent)), Then: body}}
	}
	in := &Loop{Var: r.lane, Extent: ir.Const(r.n), Body: body, Indep: true}
	out = append(out, &Loop{Var: l.Var, Extent: l.Extent.CeilDiv(ir.Const(r.n)), Body: []Stmt{in}})
	for h := r.n / 2; h >= 1; h /= 2 {
		t := &Loop{Var: name(r.lane + "t"), Extent: ir.Const(h), Indep: true}
		r.tree = append(r.tree, t.Var)
		for _, x := range folds {
			b, i := r.part[x.buf], ir.Sym(t.Var)
			t.Body = append(t.Body, &Store{Buf: b, Index: i,
				Value: x.combine(Load(b, i), Load(b, i.AddConst(h)))})
		}
		out = append(out, t)
	}
	for _, x := range folds {
		out = append(out, &Store{Buf: x.buf, Index: ir.Const(0),
			Value: x.combine(Load(x.buf, ir.Const(0)), Load(r.part[x.buf], ir.Const(0)))})
	}
	return out
}

// identity is the element that op leaves everything as it is with.
func identity(op ir.Op, d ir.DType) *Expr {
	switch op {
	case ir.OpMul:
		if d.IsFloat() {
			return ConstExpr(d, fromFloat(d, 1))
		}
		return ConstExpr(d, 1)
	case ir.OpAnd:
		if d == ir.Bool {
			return ConstExpr(d, 1)
		}
		return ConstExpr(d, wrap(d, -1))
	case ir.OpMax, ir.OpSelect:
		if d.IsFloat() {
			return ConstExpr(d, fromFloat(d, math.Inf(-1)))
		}
		return ConstExpr(d, saturate(d, math.Inf(-1)))
	case ir.OpMin:
		if d.IsFloat() {
			return ConstExpr(d, fromFloat(d, math.Inf(1)))
		}
		return ConstExpr(d, saturate(d, math.Inf(1)))
	}
	return ConstExpr(d, 0)
}
