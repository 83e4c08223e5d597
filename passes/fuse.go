package passes

import (
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// The fuse pass partitions a graph into regions, one kernel each. Its parts:
// fuse.go places values, fuse_group.go grows groups along results,
// fuse_absorb.go pulls producers into consumers, fuse_emit.go builds the new
// graph.
//
// Each value has a place. Parameters, large constants and operations with
// effects or bodies stay at the top level. Computations belong to one group.
// What moves elements or makes them from nothing (broadcasts, slices, splats,
// iota) is free: each region that needs it has its own copy, as an index map
// costs nothing. A free value becomes a group of its own where somebody needs
// it in memory. A reshape of what lies in memory is a view at the top level.
//
// What code generation may rely on, by Kind of a region:
//
//	loop    elementwise operations and moves; the results have the same number
//	        of elements, and shapes that are equal but for axes of extent 1. A
//	        concat, updateslice or dynamicupdate that is not tiny is the only
//	        result, with nothing after it but reshapes.
//	reduce  reductions of one shape over the same axes; elementwise operations
//	        and broadcasts along these axes before, between and after; results
//	        of the full or of the kept shape. Loops that only this region reads
//	        may be inlined, through any moves.
//	dot, conv, window
//	        one product; its operands are strided views of parameters, padded
//	        at most once, last of all, and converted at most, or constant
//	        panels; then elementwise operations at its result's index, whose
//	        other operands are computed at that index through any moves. A
//	        single result may end in transposes and reshapes.
//	attention
//	        a dot, reductions over the last axis of its result with what is
//	        elementwise around them, and a dot whose left operand, of their
//	        shape, is contracted over that axis; made by the attend pass.
//	chain   a conv whose sums are short, elementwise operations, and a conv with
//	        the channels last that reads the pixel it computes, with what a
//	        conv has behind it; made by the chains pass.
//	others  the one operation that names the kind, its operands computed from
//	        parameters by elementwise operations and moves.
//
// Constants of one number are cloned into bodies, all others are parameters.
type place uint8

const (
	atTop   place = iota // stays a value of the top level
	isFree               // copied into each region that reads it
	inGroup              // computed in fuser.group[ID]
)

// group is a region under construction.
type group struct {
	kind    string // of FuseAttr.Kind
	members []*ir.Value
	// domain is the shape of the results of a loop, of the operands of a
	// reduction, and of the hero's result otherwise.
	domain ir.Shape
	axes   []int // reduced
	closed bool  // takes no more values after its results
	// inlined are the members that an absorbed group brought: they are
	// computed at any index, not at the domain's.
	inlined map[*ir.Value]bool
	// exported are the members of the final group that others read.
	exported []*ir.Value
}

// Bounds of a region, so that one kernel stays compilable in milliseconds.
const (
	maxMembers  = 96
	maxFreeCost = 24 // nodes of a free expression that is copied
	maxConcat   = 64 // elements of a concat that is computed by selects
)

type fuser struct {
	g     *ir.Graph
	users [][]*ir.Value // by ID, each user once, in order
	preds [][]*ir.Value // arguments and definitions of the symbols used
	place []place
	group []*group
	roots []bool // free values that must lie in memory, results included
	cost  []int  // of free values: nodes copied
	data  []bool // whether the value is or depends on anything but free values
	isRes []bool
	most  int // members of a group
	scans int // values visited by cycle checks, a statistic
}

// fuse groups the values of one graph; bodies of ifs and scans have been
// fused before by the driver.
func fuse(c *Context, g *ir.Graph) (*ir.Graph, error) {
	f := newFuser(g)
	if c.Members > 0 {
		f.most = c.Members
	}
	f.placeAll()
	f.demandAll()
	f.formGroups()
	f.splitTails()
	f.splitColumns()
	f.absorbAll()
	return f.emit()
}

func newFuser(g *ir.Graph) *fuser {
	n := len(g.Values)
	f := &fuser{g: g, most: maxMembers, users: make([][]*ir.Value, n), preds: make([][]*ir.Value, n),
		place: make([]place, n), group: make([]*group, n), roots: make([]bool, n),
		cost: make([]int, n), data: make([]bool, n), isRes: make([]bool, n)}
	defs := symbolDefs(g)
	for _, v := range g.Values {
		for i, a := range v.Args {
			if !slices.Contains(v.Args[:i], a) {
				f.users[a.ID] = append(f.users[a.ID], v)
				f.preds[v.ID] = append(f.preds[v.ID], a)
			}
		}
		for _, s := range valueSyms(v) {
			if d := defs[s]; d != nil && d != v && !slices.Contains(f.preds[v.ID], d) {
				f.preds[v.ID] = append(f.preds[v.ID], d)
			}
		}
	}
	for _, r := range g.Results {
		f.isRes[r.ID] = true
	}
	return f
}

// topOps stay at the top level, with the reason.
var topOps = map[ir.Op]string{
	ir.OpParam: "an argument",
	ir.OpGet:   "names a result",
	ir.OpBind:  "defines a symbol",
	ir.OpCheck: "may stop the program",
	ir.OpIf:    "has bodies of its own",
	ir.OpScan:  "has a body of its own",
	ir.OpFuse:  "is a region already",
}

// singleOps are kernels of their own: they take operands from memory or from
// free expressions and nothing is computed after them.
var singleOps = map[ir.Op]bool{
	ir.OpScatterAlong: true, ir.OpScatterND: true, ir.OpNonZero: true, ir.OpRandomBits: true,
	ir.OpArgMax: true, ir.OpArgMin: true, ir.OpCumSum: true, ir.OpCumProd: true, ir.OpArgSort: true,
	ir.OpCumMax: true, ir.OpCumLogSumExp: true,
}

// heroOps are computed by loops that read their operands many times.
var heroOps = map[ir.Op]string{
	ir.OpDot: "dot", ir.OpConv: "conv", ir.OpWindowSum: "window", ir.OpWindowMax: "window",
}

var reduceOps = map[ir.Op]bool{
	ir.OpSum: true, ir.OpProd: true, ir.OpReduceMax: true, ir.OpReduceMin: true,
}

// copyOps end a region: what comes after reads the copy, as choosing between
// the parts at every element costs more.
var copyOps = map[ir.Op]bool{
	ir.OpConcat: true, ir.OpUpdateSlice: true, ir.OpDynamicUpdate: true,
}

// randomOps read memory at places that are data.
var randomOps = map[ir.Op]bool{
	ir.OpGather: true, ir.OpTakeAlong: true, ir.OpGatherND: true, ir.OpDynamicSlice: true,
}

// transcendental has the operations that cost more than writing a value and
// reading it back.
var transcendental = map[ir.Op]bool{
	ir.OpExp: true, ir.OpExpm1: true, ir.OpLog: true, ir.OpLog1p: true, ir.OpSin: true,
	ir.OpCos: true, ir.OpTan: true, ir.OpAsin: true, ir.OpAcos: true, ir.OpAtan: true,
	ir.OpSinh: true, ir.OpCosh: true, ir.OpTanh: true, ir.OpAsinh: true, ir.OpAcosh: true,
	ir.OpAtanh: true, ir.OpErf: true, ir.OpSigmoid: true, ir.OpPow: true, ir.OpAtan2: true,
	ir.OpMod: true, ir.OpRem: true, ir.OpFloorDiv: true,
}

func (f *fuser) placeAll() {
	for _, v := range f.g.Values {
		f.place[v.ID] = f.placeOf(v)
		if f.place[v.ID] == isFree {
			f.cost[v.ID] = f.freeCost(v)
			if f.cost[v.ID] > maxFreeCost {
				f.place[v.ID] = inGroup
			}
		}
		f.data[v.ID] = f.place[v.ID] != isFree
		for _, a := range v.Args {
			f.data[v.ID] = f.data[v.ID] || f.data[a.ID]
		}
	}
}

func (f *fuser) placeOf(v *ir.Value) place {
	if _, top := topOps[v.Op]; top {
		return atTop
	}
	if v.Type.DType == ir.String {
		return atTop
	}
	switch {
	case v.Op == ir.OpConst:
		l := v.Attr.(*ir.ConstAttr).Value
		if l.Splat || l.Size() == 1 {
			return isFree
		}
		return atTop
	case v.Op == ir.OpIota || v.Op == ir.OpDims:
		return isFree
	case v.Op == ir.OpConcat:
		if n, ok := v.Type.Shape.Size().Int(); ok && n <= maxConcat && len(v.Args) <= 4 {
			return isFree
		}
		return inGroup
	case copyOps[v.Op] || singleOps[v.Op] || heroOps[v.Op] != "" || reduceOps[v.Op]:
		return inGroup
	case v.Op.Is(ir.Moves) || v.Op.Is(ir.Views):
		return isFree
	case v.Op.Is(ir.Elementwise) && f.fromNothing(v):
		return isFree
	}
	return inGroup
}

// fromNothing reports whether an elementwise operation computes from splats,
// iotas and extents alone and is cheap: a mask, an index.
func (f *fuser) fromNothing(v *ir.Value) bool {
	for _, a := range v.Args {
		if f.place[a.ID] != isFree || f.data[a.ID] {
			return false
		}
	}
	return !transcendental[v.Op]
}

func (f *fuser) freeCost(v *ir.Value) int {
	n := 1
	if randomOps[v.Op] || v.Op == ir.OpPad || v.Op == ir.OpConcat {
		n = 4
	}
	for _, a := range v.Args {
		if f.place[a.ID] == isFree {
			n += f.cost[a.ID]
		}
	}
	return n
}

// demandAll marks the free values that must lie in memory.
func (f *fuser) demandAll() {
	for _, r := range f.g.Results {
		f.demand(r)
	}
	for i := len(f.g.Values) - 1; i >= 0; i-- {
		v := f.g.Values[i]
		switch {
		case f.place[i] == atTop || f.roots[i] && v.Op.Is(ir.Views):
			for _, a := range v.Args {
				f.demand(a)
			}
		case heroOps[v.Op] != "":
			for _, a := range v.Args {
				f.demandStrided(a)
			}
			f.demandRows(v)
			f.demandWeights(v)
		}
	}
}

// demand says that v must lie in memory. Small constants do anyway.
func (f *fuser) demand(v *ir.Value) {
	if f.place[v.ID] != isFree {
		return
	}
	if v.Op == ir.OpConst && v.Attr.(*ir.ConstAttr).Value.Size() <= 64 {
		f.place[v.ID] = atTop
		return
	}
	f.roots[v.ID] = true
	if !v.Op.Is(ir.Views) {
		f.place[v.ID] = inGroup
	} else {
		f.demand(v.Args[0])
	}
}

// demandStrided walks from an operand of a hero to memory and demands the
// first value that is not a strided view of what comes before: a hero reads
// its operands many times, so that addresses must be linear in its loops.
func (f *fuser) demandStrided(v *ir.Value) {
	if f.place[v.ID] != isFree || !f.data[v.ID] {
		return
	}
	if p := f.panel(v); p != nil {
		f.demand(p)
		return
	}
	if v.Op == ir.OpPad {
		v = v.Args[0]
	}
	if bad := f.notStrided(v); bad != nil {
		f.demand(bad)
	}
}

// demandRows copies the input of a convolution with the channels last that
// lies in memory with the channels outside of the pixels, unless these are
// few, as those of an image.
func (f *fuser) demandRows(v *ir.Value) {
	const few = 16
	a, ok := v.Attr.(*ir.ConvAttr)
	x := v.Args[0]
	if !ok || !a.Last || f.place[x.ID] != isFree || x.Op == ir.OpPad {
		return
	}
	last := x.Type.Rank() - 1
	w, bad := f.viewOf(x)
	c, static := x.Type.Shape[last].Int()
	if bad != nil || static && c <= few || x.Type.Shape[last-1].IsConst(1) {
		return
	}
	if notNegative(w.stride[last].Sub(w.stride[last-1])) && !w.stride[last].IsConst(1) {
		f.demand(x)
	}
}

// demandWeights copies the weights of a convolution with the channels last, which
// it reads for each pixel, where the output channels, its lanes, are not beside
// each other in memory. Integers stay: instructions for groups of narrow ones
// want them as they are before they are widened.
func (f *fuser) demandWeights(v *ir.Value) {
	const few = 16
	a, ok := v.Attr.(*ir.ConvAttr)
	if !ok || !a.Last || f.place[v.Args[1].ID] != isFree || !f.data[v.Args[1].ID] {
		return
	}
	w := v.Args[1]
	last := w.Type.Rank() - 1
	if !w.Type.DType.IsFloat() {
		return
	}
	view, bad := f.viewOf(w)
	pixels, static := v.Type.Shape[:last].Size().Int()
	if bad != nil || static && pixels < few || w.Type.Shape[last].IsConst(1) {
		return
	}
	if !view.stride[last].IsConst(1) {
		f.demand(w)
	}
}

// panel returns the panels that v rearranges by moves, as the panels pass leaves
// them, nil if it does not: their order in memory was chosen for the hero.
func (f *fuser) panel(v *ir.Value) *ir.Value {
	for f.place[v.ID] == isFree && len(v.Args) == 1 && v.Op.Is(ir.Moves) {
		v = v.Args[0]
	}
	if v.Op == ir.OpConst && f.place[v.ID] == atTop {
		return v
	}
	return nil
}
