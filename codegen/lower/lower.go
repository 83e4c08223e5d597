package lower

import (
	"fmt"
	"slices"
	"sort"
	"strconv"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/ir"
)

// Result is a lowered region.
type Result struct {
	Kernel *kernel.Kernel
	// Args has, for each input parameter of the kernel, the index of the
	// region's argument that it reads. The outputs follow in the order of
	// the region's results.
	Args []int
}

// Region lowers the region body, whose fuse pass class is kind, to a kernel
// with the given name.
func Region(name, kind string, body *ir.Graph, at Places) (*Result, error) {
	l := &lowerer{
		body:    body,
		at:      at,
		apart:   map[*kernel.Buffer]Rows{},
		k:       &kernel.Kernel{Name: name},
		bufs:    map[*ir.Value]*kernel.Buffer{},
		heroes:  map[*ir.Value]*kernel.Expr{},
		extents: map[string]ir.Dim{},
		scope:   &scope{},
	}
	for _, v := range body.Values {
		if storage[v.Type.DType] {
			return nil, fmt.Errorf("%v: element type %v is not supported natively", v.Op, v.Type.DType)
		}
	}
	l.declare()
	emit, ok := kinds[kind]
	if !ok {
		emit = single
	}
	if err := emit(l); err != nil {
		return nil, fmt.Errorf("%s: cannot lower region %s: %w", where(body), kind, err)
	}
	l.k.Body = l.scope.stmts
	l.k.Dims = symbols(l.k, l.extents)
	args := l.dropUnused()
	return &Result{Kernel: l.k, Args: args}, nil
}

// storage has the types that only the interpreter computes with.
var storage = map[ir.DType]bool{ir.I4: true, ir.U4: true, ir.F8E4M3: true, ir.F8E5M2: true, ir.String: true}

// kinds has the classes of regions that are more than one operation.
var kinds = map[string]func(*lowerer) error{
	"loop":   (*lowerer).loop,
	"reduce": (*lowerer).reduce,
	"dot":    (*lowerer).product,
	"conv":   (*lowerer).product,
	"window": (*lowerer).product,

	"attention": (*lowerer).attention,
	"chain":     (*lowerer).chain,
}

// where names the source of a region for errors.
func where(body *ir.Graph) string {
	for _, v := range body.Values {
		if s := v.Pos.String(); s != "" {
			return s
		}
	}
	return body.Name
}

// lowerer is the state of lowering one region.
type lowerer struct {
	body    *ir.Graph
	at      Places
	apart   map[*kernel.Buffer]Rows
	k       *kernel.Kernel
	outs    []*kernel.Buffer
	bufs    map[*ir.Value]*kernel.Buffer // parameters and rows kept in scratch
	heroes  map[*ir.Value]*kernel.Expr   // reductions whose value is at hand
	rows    map[*ir.Value]ir.Dim         // flat index of a value kept in scratch
	columns map[*ir.Value]int            // of these, kept by so many of the last axes
	extents map[string]ir.Dim            // of the loop variables
	scope   *scope
	names   int
}

// scope is the statement list that is being filled, with the expressions that
// are valid in it.
type scope struct {
	stmts  []kernel.Stmt
	memo   map[string]*kernel.Expr
	parent *scope
}

func (l *lowerer) declare() {
	for i, p := range l.body.Params {
		b := &kernel.Buffer{Name: fmt.Sprintf("a%d", p.ID), DType: p.Type.DType, In: true}
		l.bufs[p] = b
		l.param(b, p.Type.Shape, l.at.Args, i)
	}
	for i, r := range l.body.Results {
		b := &kernel.Buffer{Name: fmt.Sprintf("out%d", i), DType: r.Type.DType, Out: true}
		l.outs = append(l.outs, b)
		l.param(b, r.Type.Shape, l.at.Results, i)
	}
	for _, v := range l.body.Values {
		if v.Pos != (ir.Pos{}) {
			l.k.Pos = append(l.k.Pos, v.Pos)
		}
	}
}

// dropUnused removes input parameters that the kernel does not read.
func (l *lowerer) dropUnused() []int {
	used := map[*kernel.Buffer]bool{}
	kernel.WalkExprs(l.k.Body, func(e *kernel.Expr) {
		if e.Kind == kernel.KLoad {
			used[e.Buf] = true
		}
	})
	var args []int
	params := l.k.Params[:0:0]
	for i, p := range l.k.Params {
		if i < len(l.body.Params) {
			if !used[p] {
				continue
			}
			args = append(args, i)
		}
		params = append(params, p)
	}
	l.k.Params = params
	return args
}

func (l *lowerer) emit(s ...kernel.Stmt) { l.scope.stmts = append(l.scope.stmts, s...) }

// name makes a name that is unique in the kernel.
func (l *lowerer) name(prefix string) string {
	l.names++
	return prefix + strconv.Itoa(l.names-1)
}

// independent has the prefixes of the loops whose iterations write different
// elements, by construction: each element of a result is stored once. That
// spares the schedule a proof, which is hard where extents are symbolic.
var independent = map[string]bool{
	"i": true, // over results
	"j": true, // over the part of a result inside an iteration of "i"
	"c": true, // copies
	"s": true, // elements to their ranks
}

// nest runs body inside loops over the extents; extents of 1 get no loop, and
// where one is 0 there is nothing to do. The indices that body gets are one
// for each extent.
func (l *lowerer) nest(prefix string, extents ir.Shape, body func(idx []ir.Dim) error) error {
	if empty(extents) {
		return nil
	}
	idx := make([]ir.Dim, len(extents))
	return l.nestFrom(prefix, extents, idx, 0, body)
}

// empty reports whether no tensor of shape s has an element.
func empty(s ir.Shape) bool {
	return slices.ContainsFunc(s, func(d ir.Dim) bool { return d.IsConst(0) })
}

func (l *lowerer) nestFrom(prefix string, extents ir.Shape, idx []ir.Dim, i int,
	body func(idx []ir.Dim) error) error {
	for i < len(extents) && extents[i].IsConst(1) {
		idx[i] = ir.Const(0)
		i++
	}
	if i == len(extents) {
		return body(idx)
	}
	v := l.name(prefix)
	l.extents[v] = extents[i]
	idx[i] = ir.Sym(v)
	loop := &kernel.Loop{Var: v, Extent: extents[i], Indep: independent[prefix]}
	outer := l.scope
	l.scope = &scope{parent: outer}
	err := l.nestFrom(prefix, extents, idx, i+1, body)
	loop.Body = l.scope.stmts
	l.scope = outer
	l.emit(loop)
	return err
}

// store puts the element idx of result i.
func (l *lowerer) store(i int, idx []ir.Dim, value *kernel.Expr) {
	l.emit(&kernel.Store{Buf: l.outs[i], Index: l.place(l.outs[i], l.body.Results[i].Type.Shape, idx), Value: value})
}

// accumulator declares a local variable with an initial value and returns a
// function that sets it and the expression that reads it.
func (l *lowerer) accumulator(d ir.DType, init *kernel.Expr) (set func(*kernel.Expr), get *kernel.Expr) {
	b := &kernel.Buffer{Name: l.name("acc"), DType: d, Size: ir.Const(1), Space: kernel.Local}
	l.emit(&kernel.Alloc{Buf: b}, &kernel.Store{Buf: b, Value: init})
	return func(e *kernel.Expr) { l.emit(&kernel.Store{Buf: b, Value: e}) }, kernel.Load(b, ir.Const(0))
}

// loop lowers a region without reductions: each result element is computed
// from the parameters.
func (l *lowerer) loop() error {
	first := l.body.Results[0]
	for first.Op.Is(ir.Views) { // the flat index does not change
		first = first.Args[0]
	}
	if len(l.body.Results) == 1 && first.Op == ir.OpConcat {
		return l.concatParts(first)
	}
	domain := first.Type.Shape
	return l.nest("i", domain, func(idx []ir.Dim) error {
		for i, r := range l.body.Results {
			at := l.reshapeIndex(domain, r.Type.Shape, idx)
			e, err := l.pull(r, at, nil)
			if err != nil {
				return err
			}
			l.store(i, at, e)
		}
		return nil
	})
}

// concatParts lowers a concat by one nest a part inside the loops over the
// axes before: no element needs to know which part it is in. Parts of one size
// share the loops over all axes but the last.
func (l *lowerer) concatParts(v *ir.Value) error {
	axis := v.Attr.(*ir.AxisAttr).Axis
	shape, first := v.Type.Shape, v.Args[0].Type.Shape
	inner := axis
	if !slices.ContainsFunc(v.Args, func(p *ir.Value) bool { return !p.Type.Shape[axis].Equal(first[axis]) }) {
		inner = max(axis, len(first)-1)
		for inner > axis && first[inner].IsConst(1) {
			inner--
		}
	}
	return l.nest("i", first[:inner], func(outer []ir.Dim) error {
		at := ir.Const(0)
		for i, part := range v.Args {
			off := at
			at = at.Add(part.Type.Shape[axis])
			if i < len(l.at.Written) && l.at.Written[i] {
				continue
			}
			err := l.nest("j", part.Type.Shape[inner:], func(last []ir.Dim) error {
				idx := slices.Concat(outer, last)
				e, err := l.pull(part, idx, nil)
				if err != nil {
					return err
				}
				idx[axis] = idx[axis].Add(off)
				l.emit(&kernel.Store{Buf: l.outs[0], Index: l.place(l.outs[0], shape, idx), Value: e})
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// symbols lists the integer parameters of k: the symbols that no loop and no
// let defines.
func symbols(k *kernel.Kernel, extents map[string]ir.Dim) []string {
	set := map[string]bool{}
	for _, p := range k.Params {
		p.Size.Syms(set)
	}
	kernel.WalkDims(k.Body, func(d ir.Dim) { d.Syms(set) })
	kernel.WalkStmts(k.Body, func(s kernel.Stmt) {
		switch s := s.(type) {
		case *kernel.Loop:
			extents[s.Var] = s.Extent
		case *kernel.Let:
			extents[s.Var] = ir.Dim{}
		}
	})
	var names []string
	for s := range set {
		if _, bound := extents[s]; !bound {
			names = append(names, s)
		}
	}
	sort.Strings(names)
	return names
}
