package passes

import (
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes/internal/rewrite"
)

// structural has what a sweep does with operations that define symbols or
// have bodies; nil as a result means that the operation stays.
var structural map[ir.Op]structuralFunc

type structuralFunc func(s *sweep, v *ir.Value, attr ir.Attr, args []*ir.Value) (*ir.Value, error)

func init() {
	structural = map[ir.Op]structuralFunc{
		ir.OpGet:   foldGet,
		ir.OpIf:    foldIf,
		ir.OpScan:  foldScan,
		ir.OpBind:  foldBind,
		ir.OpCheck: foldCheck,
	}
}

// foldGet takes a result of an operation that has been inlined.
func foldGet(s *sweep, v *ir.Value, _ ir.Attr, _ []*ir.Value) (*ir.Value, error) {
	if results, ok := s.tuples[v.Args[0]]; ok {
		return results[v.Attr.(*ir.IndexAttr).Index], nil
	}
	return nil, nil
}

// foldIf inlines the branch that a constant condition chooses. The symbols
// that the if defines become their values in that branch.
func foldIf(s *sweep, v *ir.Value, attr ir.Attr, args []*ir.Value) (*ir.Value, error) {
	cond, ok := rewrite.SplatValue(args[0])
	if !ok {
		return nil, nil
	}
	a := attr.(*ir.IfAttr)
	body, dims := a.Then, a.ThenDims
	if cond == 0 {
		body, dims = a.Else, a.ElseDims
	}
	for i, name := range a.Syms {
		s.subst[name] = dims[i]
	}
	results, err := s.out.Inline(body, args[1:])
	if err != nil {
		return nil, err
	}
	return s.inlined(v, results), nil
}

// inlined records the results that take the place of v.
func (s *sweep) inlined(v *ir.Value, results []*ir.Value) *ir.Value {
	s.tuples[v] = results
	s.changes++
	if len(results) == 0 {
		return s.constant(v.Pos, ir.SplatLiteral(ir.I64, []int64{0}, int64(0)))
	}
	return results[0]
}

// Bounds of unrolling: a loop overhead is a launch or two, so that only what
// is short is worth the code.
const (
	maxUnroll       = 8
	maxUnrollValues = 256
)

// foldScan unrolls scans of few steps.
func foldScan(s *sweep, v *ir.Value, attr ir.Attr, args []*ir.Value) (*ir.Value, error) {
	a := attr.(*ir.LoopAttr)
	n, ok := a.Length.Int()
	if !ok || n < 1 || n > 1 && (n > maxUnroll || defines(a.Body) ||
		int(n)*len(a.Body.Values) > maxUnrollValues) {
		return nil, nil
	}
	in := append([]*ir.Value(nil), args...)
	rows := make([][]*ir.Value, len(a.Body.Results)-a.Carry)
	for i := range rows {
		rows[i] = make([]*ir.Value, n)
	}
	for step := range n {
		if a.Reverse {
			step = n - 1 - step
		}
		for i := a.Carry; i < a.Carry+a.Xs; i++ {
			in[i] = rowOf(s.out, v.Pos, args[i], step)
		}
		results, err := s.out.Inline(a.Body, in)
		if err != nil {
			return nil, err
		}
		copy(in, results[:a.Carry])
		for i, r := range results[a.Carry:] {
			rows[i][step] = reshape(s.out, v.Pos, r, append(ir.Dims(1), r.Type.Shape...))
		}
	}
	results := append([]*ir.Value(nil), in[:a.Carry]...)
	for _, r := range rows {
		stacked := r[0]
		if n > 1 {
			stacked = s.out.Must(v.Pos, ir.OpConcat, &ir.AxisAttr{Axis: 0}, r...)
		}
		results = append(results, stacked)
	}
	return s.inlined(v, results), nil
}

// defines reports whether a body binds symbols: two copies of it would bind
// them twice.
func defines(g *ir.Graph) bool {
	for _, v := range g.Values {
		if len(v.Binds()) > 0 {
			return true
		}
	}
	return false
}

// rowOf is row i of x, without its axis.
func rowOf(g *ir.Graph, pos ir.Pos, x *ir.Value, i int64) *ir.Value {
	s := &ir.SliceAttr{Shape: x.Type.Shape.Clone()}
	for range x.Type.Shape {
		s.Start, s.Step = append(s.Start, ir.Const(0)), append(s.Step, 1)
	}
	s.Start[0], s.Shape[0] = ir.Const(i), ir.Const(1)
	return reshape(g, pos, g.Must(pos, ir.OpSlice, s, x), x.Type.Shape[1:])
}

// foldBind replaces a symbol whose value is known by that value.
func foldBind(s *sweep, v *ir.Value, _ ir.Attr, args []*ir.Value) (*ir.Value, error) {
	dims, ok := s.dimsOf(args[0])
	if !ok {
		return nil, nil
	}
	sign, known := dims[0].Int()
	if known && sign < 0 {
		return nil, nil // an error at run time
	}
	if !notNegative(dims[0]) {
		check := &ir.CheckAttr{X: ir.Const(0), Y: dims[0], Rel: "<=", Msg: "extent is negative"}
		if _, err := s.out.New(v.Pos, ir.OpCheck, check); err != nil {
			return nil, err
		}
	}
	s.subst[v.Attr.(*ir.BindAttr).Sym] = dims[0]
	s.changes++
	return args[0], nil
}

// foldCheck drops checks that hold.
func foldCheck(s *sweep, v *ir.Value, attr ir.Attr, _ []*ir.Value) (*ir.Value, error) {
	a := attr.(*ir.CheckAttr)
	diff := a.Y.Sub(a.X)
	if diff.IsConst(0) || a.Rel == "<=" && notNegative(diff) {
		return s.constant(v.Pos, ir.SplatLiteral(ir.I64, []int64{0}, int64(0))), nil
	}
	return nil, nil
}
