package kernel

import "github.com/tensorcc/tcc/ir"

// SplitProduct takes the factors of the sum acc = fma(x, y, acc) of f32, which
// is all that the innermost loop v does, apart into bf16 numbers: x is about
// x0+x1+…, each the part that those before leave, and three parts are x to the
// last bit. The products of parts whose numbers add up to less than parts are
// added one after the other, each with a part of the one before. It returns the
// parts.
//
// It is what a schedule is asked for, or may do where the exponents of x and y
// are such that no part is subnormal or infinite: the sum has then about the
// error of the original for three parts, 2^-16 of each product for two, and
// 2^-8 for one.
func (k *Kernel) SplitProduct(v string, parts int) (xs, ys []*Expr, err error) {
	p, err := k.find("splitproduct", v)
	if err != nil {
		return nil, nil, err
	}
	if len(p.loop.Body) != 1 {
		return nil, nil, refuse("splitproduct", v, "it has %d statements, want one sum", len(p.loop.Body))
	}
	st, ok := p.loop.Body[0].(*Store)
	if !ok || !isProductSum(st) || parts < 1 || parts > 3 {
		return nil, nil, refuse("splitproduct", v, "there is no sum of f32 products")
	}
	x, y := st.Value.Args[0], st.Value.Args[1]
	for i := range parts {
		xs, ys = append(xs, bf16Part(x, i, parts)), append(ys, bf16Part(y, i, parts))
	}
	var body []Stmt
	for _, p := range partPairs(parts) {
		value := OpExpr(ir.OpFMA, CastExpr(ir.F32, xs[p[0]]), CastExpr(ir.F32, ys[p[1]]),
			st.Value.Args[2])
		body = append(body, &Store{Buf: st.Buf, Index: st.Index, Value: value})
	}
	p.loop.Body = body
	return xs, ys, nil
}

// partPairs are the pairs of parts whose numbers add up to less than parts, the
// small products first as far as neighbours in the list share a part.
func partPairs(parts int) [][2]int {
	var list [][2]int
	for ; parts > 0; parts -= 2 {
		for i := parts - 1; i >= 0; i-- {
			list = append(list, [2]int{i, parts - 1 - i})
			if i > 0 {
				list = append(list, [2]int{i - 1, parts - 1 - i})
			}
		}
	}
	return list
}

// isProductSum reports whether s is acc = fma(x, y, acc) of f32 where x and y
// do not read acc.
func isProductSum(s *Store) bool {
	e := s.Value
	if e.Kind != KOp || e.Op != ir.OpFMA || e.DType != ir.F32 {
		return false
	}
	acc := e.Args[2]
	bufs := map[*Buffer]bool{s.Buf: true}
	return acc.Kind == KLoad && acc.Buf == s.Buf && len(acc.Args) == 0 && acc.Index.Equal(s.Index) &&
		!reads(e.Args[0], bufs) && !reads(e.Args[1], bufs)
}

// bf16Part is part i of the parts of the f32 x, as a bf16. Where there are several the
// exponents are such that rounding on the bits does: to the nearest, half away
// from zero. Of the 24 bits of x two parts take away at least 16, so that the
// third is what is left as it is.
func bf16Part(x *Expr, i, parts int) *Expr {
	if parts == 1 {
		return CastExpr(ir.BF16, x)
	}
	num := func(n uint64) *Expr { return ConstExpr(ir.U32, n) }
	rounded := func(x *Expr) *Expr { return OpExpr(ir.OpAdd, BitcastExpr(ir.U32, x), num(1<<15)) }
	for range i {
		x = OpExpr(ir.OpSub, x, BitcastExpr(ir.F32, OpExpr(ir.OpAnd, rounded(x), num(0xffff0000))))
	}
	bits := BitcastExpr(ir.U32, x)
	if i < 2 {
		bits = rounded(x)
	}
	return BitcastExpr(ir.BF16, CastExpr(ir.U16, OpExpr(ir.OpShr, bits, num(16))))
}

// FissionSums makes of the perfect nest vars, which all add to one buffer, a
// nest for each of its statements: first the nest that keeps the names, inside a
// loop of one iteration each. It returns the names of these loops and of the
// nests. The sums are added up in another order.
func (k *Kernel) FissionSums(vars []string) (scopes []string, nests [][]string, err error) {
	p, err := k.find("fissionsums", vars[0])
	if err != nil {
		return nil, nil, err
	}
	inner := p.loop
	for _, v := range vars[1:] {
		in, ok := inner.only()
		if !ok || in.Var != v {
			return nil, nil, refuse("fissionsums", v, "the loops are not nested perfectly")
		}
		inner = in
	}
	for _, s := range inner.Body {
		st, ok := s.(*Store)
		first, _ := inner.Body[0].(*Store)
		if !ok || first == nil || !isProductSum(st) || st.Buf != first.Buf ||
			!st.Index.Equal(first.Index) {
			return nil, nil, refuse("fissionsums", vars[0], "not all statements add to the same element")
		}
	}
	template := p.loop
	for i, s := range inner.Body[:len(inner.Body):len(inner.Body)] {
		inner.Body = []Stmt{s}
		nest, names := cloneBody([]Stmt{template}), map[string]string{}
		if i > 0 {
			nest, names = k.copyBody(nest)
		}
		list := make([]string, len(vars))
		for j, v := range vars {
			if list[j] = names[v]; i == 0 {
				list[j] = v
			}
		}
		scope := &Loop{Var: k.fresh(vars[0] + "p"), Extent: ir.Const(1), Body: nest}
		*p.body = splice(*p.body, p.at+i, max(1-i, 0), scope)
		scopes, nests = append(scopes, scope.Var), append(nests, list)
	}
	return scopes, nests, nil
}
