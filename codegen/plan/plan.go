package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/lower"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

// Plan is a launch plan with what it needs to be completed.
type Plan struct {
	Program *runtime.Program
	// Trees has the naive tree of each kernel of the program.
	Trees []*kernel.Kernel
	// Weights has the constants in the order of their offsets.
	Weights []Weight

	slots *slots
	defs  [][]ir.Dim // of each kernel's Dims, in the symbols of the program
	when  []ir.Dim   // 1 where a kernel has tasks, else 0
}

// Weight is a constant at its place in the weights.
type Weight struct {
	Offset int64
	Value  *ir.Literal
}

// Int returns the program's integer for d, whose symbols the program has.
func (p *Plan) Int(d ir.Dim) (runtime.Int, error) { return p.slots.int(d) }

// KernelInt returns the program's integer for d, an expression in the Dims of
// kernel k: its scratch memory.
func (p *Plan) KernelInt(k int, d ir.Dim) (runtime.Int, error) {
	return p.slots.int(p.outside(k, d))
}

// Tasks returns the program's integer for the tasks d of kernel k: none where
// another version of it is meant.
func (p *Plan) Tasks(k int, d ir.Dim) (runtime.Int, error) {
	return p.slots.int(p.outside(k, d).Mul(p.when[k]))
}

// outside is d, an expression in the Dims of kernel k, in the program's symbols.
func (p *Plan) outside(k int, d ir.Dim) ir.Dim {
	return d.Subst(func(name string) (ir.Dim, bool) {
		i := slices.Index(p.Trees[k].Dims, name)
		if i < 0 {
			return ir.Dim{}, false
		}
		return p.defs[k][i], true
	})
}

// Memory says where the values of a graph and of its regions lie in the arena.
type Memory interface {
	// Place returns the offset of result i of v in the arena, in bytes,
	// false where it has none, as where its size depends on late symbols.
	Place(v *ir.Value, i int) (ir.Dim, bool)
	// Within says where in the memory of another value, whole, result i of v
	// lies: in rows of row elements, pitch apart, from offset on, in elements.
	// Where it has memory of its own, whole is nil.
	Within(v *ir.Value, i int) (whole *ir.Value, offset, row, pitch ir.Dim)
	// Written says which parts of the concat that v is are written to their
	// places by others, nil if none is.
	Written(v *ir.Value) []bool
	// Total is the size of the arena in bytes.
	Total() ir.Dim
}

// weightAlign is the alignment of each constant in the weights and of the
// weights themselves: a cache line.
const weightAlign = 64

// Make plans g, the result of all passes. Each pair of inPlace has a result and
// a parameter of one type whose memory the result is to take; where it can, the
// program's output says so.
func Make(g *ir.Graph, mem Memory, inPlace [][2]int) (*Plan, error) {
	p := &runtime.Program{Name: g.Name, WeightAlign: weightAlign}
	b := &builder{
		p: p, mem: mem,
		slots:   newSlots(p),
		bufs:    map[*ir.Value][]int{},
		targets: map[*ir.Value][]int{},
		kernels: map[string]int{},
		consts:  map[string]int{},
		shared:  map[runtime.Buffer]int{},
		parts:   map[int]bool{},
		inPlace: map[int]int{},
		facts:   kernel.NewFacts(),
	}
	if err := b.signature(g); err != nil {
		return nil, err
	}
	b.declareInPlace(g, inPlace)
	b.depth = -1 // the graph itself is at depth 0
	steps, err := b.graph(g, b.outputs)
	if err != nil {
		return nil, err
	}
	p.Steps = steps
	for o, in := range b.inPlace {
		p.Outputs[p.Buffers[o].Index].InPlace = in + 1
	}
	if p.Arena, err = b.slots.int(mem.Total()); err != nil {
		return nil, err
	}
	p.WeightBytes = b.weightBytes
	return &Plan{Program: p, Trees: b.trees, Weights: b.weights, slots: b.slots,
		defs: b.defs, when: b.when}, nil
}

// builder is the state of Make.
type builder struct {
	p       *runtime.Program
	mem     Memory
	slots   *slots
	bufs    map[*ir.Value][]int // buffers of the results of a value
	targets map[*ir.Value][]int // buffers that results must be written to; -1: free
	outputs []int

	kernels     map[string]int // by tree
	trees       []*kernel.Kernel
	defs        [][]ir.Dim     // of the trees' Dims
	when        []ir.Dim       // the trees have tasks
	consts      map[string]int // buffers, by contents
	weights     []Weight
	weightBytes int64
	shared      map[runtime.Buffer]int
	late        int           // late blocks
	parts       map[int]bool  // buffers in memory that is made before a loop
	inPlace     map[int]int   // inputs, by the buffer of the output that takes their memory
	facts       *kernel.Facts // that hold outside of branches
	depth       int           // of ifs and loops around
}

// signature declares the ports, the symbols and their buffers.
func (b *builder) signature(g *ir.Graph) error {
	for i, v := range g.Params {
		for axis, d := range v.Type.Shape {
			if name := d.String(); ir.IsSymName(name) {
				b.slots.declare(name, i, axis)
			}
		}
	}
	for i, v := range g.Params {
		port, size, err := b.port(v.ParamName(), v.Type)
		if err != nil {
			return fmt.Errorf("input %s: %w", v.ParamName(), err)
		}
		b.p.Inputs = append(b.p.Inputs, port)
		b.bufs[v] = []int{b.buffer(runtime.Buffer{Kind: runtime.InInput, Index: i, Size: size})}
	}
	b.slots.declareLate(g)
	for i, r := range g.Results {
		name := ""
		if i < len(g.ResultNames) {
			name = g.ResultNames[i]
		}
		port, size, err := b.port(name, r.Type)
		if err != nil {
			return fmt.Errorf("output %s: %w", name, err)
		}
		b.p.Outputs = append(b.p.Outputs, port)
		b.outputs = append(b.outputs, b.buffer(runtime.Buffer{Kind: runtime.InOutput, Index: i, Size: size}))
	}
	return nil
}

func (b *builder) port(name string, t ir.Type) (runtime.Port, runtime.Int, error) {
	d, ok := dtypes[t.DType]
	if !ok {
		return runtime.Port{}, 0, fmt.Errorf("element type %v is not supported natively", t.DType)
	}
	p := runtime.Port{Name: name, DType: d}
	for _, e := range t.Shape {
		x, err := b.slots.int(e)
		if err != nil {
			return p, 0, fmt.Errorf("%w; give the extent a name of its own", err)
		}
		p.Dims = append(p.Dims, x)
	}
	size, err := b.slots.int(bytesOf(t))
	return p, size, err
}

// dtypes maps element types of graphs to those of the runtime.
var dtypes = map[ir.DType]runtime.DType{
	ir.Bool: runtime.Bool, ir.I8: runtime.I8, ir.I16: runtime.I16, ir.I32: runtime.I32, ir.I64: runtime.I64,
	ir.U8: runtime.U8, ir.U16: runtime.U16, ir.U32: runtime.U32, ir.U64: runtime.U64,
	ir.F16: runtime.F16, ir.BF16: runtime.BF16, ir.F32: runtime.F32, ir.F64: runtime.F64,
}

func bytesOf(t ir.Type) ir.Dim { return t.Shape.Size().MulConst(int64(t.DType.Size())) }

// buffer returns the index of a buffer like x.
func (b *builder) buffer(x runtime.Buffer) int {
	if i, ok := b.shared[x]; ok {
		return i
	}
	b.p.Buffers = append(b.p.Buffers, x)
	b.shared[x] = len(b.p.Buffers) - 1
	return len(b.p.Buffers) - 1
}

// graph writes the steps of g; out has the buffers that its results go to, -1
// for a result that may stay where it is.
func (b *builder) graph(g *ir.Graph, out []int) ([]runtime.Step, error) {
	b.depth++
	defer func() { b.depth-- }()
	for i, r := range g.Results {
		root, k := producer(r)
		if out[i] < 0 || !writes(root.Op) {
			continue
		}
		// The shape of an output must be known where it is written.
		if b.lateBuffer(out[i]) && !sameSyms(r.Type.Shape, root.ResultTypes()[k].Shape) {
			continue
		}
		if b.targets[root] == nil {
			b.targets[root] = slices.Repeat([]int{-1}, len(root.ResultTypes()))
		}
		if b.targets[root][k] < 0 {
			b.targets[root][k] = out[i]
		}
	}
	var steps []runtime.Step
	for _, v := range g.Values {
		s, err := b.value(v)
		if err != nil {
			if pos := v.Pos.String(); pos != "" {
				err = fmt.Errorf("%s: %w", pos, err)
			}
			return nil, err
		}
		steps = append(steps, s...)
	}
	for i, r := range g.Results {
		s, err := b.deliver(r, out[i])
		if err != nil {
			return nil, err
		}
		steps = append(steps, s...)
	}
	return steps, nil
}

// producer looks through views: the value that computes v, and which of its
// results v is.
func producer(v *ir.Value) (*ir.Value, int) {
	for v.Op.Is(ir.Views) {
		v = v.Args[0]
	}
	if v.Op == ir.OpGet {
		root := v.Args[0]
		return root, v.Attr.(*ir.IndexAttr).Index
	}
	return v, 0
}

// writes reports whether the results of op can be put anywhere.
func writes(op ir.Op) bool { return op == ir.OpFuse || op == ir.OpIf }

// sameSyms reports whether x has the elements of y and no symbols beside y's.
func sameSyms(x, y ir.Shape) bool {
	have := map[string]bool{}
	for _, d := range y {
		d.Syms(have)
	}
	for _, d := range x {
		if slices.ContainsFunc(d.SymNames(), func(s string) bool { return !have[s] }) {
			return false
		}
	}
	return x.Size().Equal(y.Size())
}

// lateBuffer reports whether a buffer gets its memory by an Alloc, as its size
// or the shape of its output is known late.
func (b *builder) lateBuffer(buf int) bool {
	x := b.p.Buffers[buf]
	if x.Kind == runtime.InOutput {
		return slices.ContainsFunc(b.p.Outputs[x.Index].Dims, b.slots.late)
	}
	return b.slots.late(x.Size)
}

// deliver copies a result to its buffer unless it was written there.
func (b *builder) deliver(r *ir.Value, to int) ([]runtime.Step, error) {
	from := b.bufs[r][0]
	if to < 0 || b.same(from, to) {
		return nil, nil
	}
	if in, ok := b.inPlace[to]; ok && b.p.Buffers[from].Kind == runtime.InInput &&
		b.p.Buffers[from].Index == in {
		return nil, nil
	}
	size, err := b.slots.int(bytesOf(r.Type))
	if err != nil {
		return nil, err
	}
	steps := b.allocOutput(to)
	return append(steps, &runtime.Copy{Dst: to, Src: from, Size: size}), nil
}

// same reports whether two buffers begin at one place.
func (b *builder) same(i, j int) bool {
	x, y := b.p.Buffers[i], b.p.Buffers[j]
	return x.Kind == y.Kind && x.Index == y.Index && x.Offset == y.Offset
}

// allocOutput makes the memory of an output or late block whose size is known
// only now.
func (b *builder) allocOutput(buf int) []runtime.Step {
	x := b.p.Buffers[buf]
	if !b.lateBuffer(buf) || b.parts[buf] {
		return nil
	}
	switch x.Kind {
	case runtime.InOutput:
		return []runtime.Step{&runtime.Alloc{Output: x.Index + 1}}
	case runtime.InLate:
		return []runtime.Step{&runtime.Alloc{Late: x.Index, Size: x.Size}}
	}
	return nil
}

// valueFuncs writes the steps of each operation that stands at the top level.
var valueFuncs map[ir.Op]func(b *builder, v *ir.Value) ([]runtime.Step, error)

func init() {
	valueFuncs = map[ir.Op]func(b *builder, v *ir.Value) ([]runtime.Step, error){
		ir.OpParam:   func(*builder, *ir.Value) ([]runtime.Step, error) { return nil, nil },
		ir.OpConst:   (*builder).constant,
		ir.OpGet:     (*builder).get,
		ir.OpReshape: (*builder).view,
		ir.OpBarrier: (*builder).view,
		ir.OpFuse:    (*builder).launch,
		ir.OpBind:    (*builder).bind,
		ir.OpCheck:   (*builder).check,
		ir.OpIf:      (*builder).branch,
		ir.OpScan:    (*builder).scan,
	}
}

func (b *builder) value(v *ir.Value) ([]runtime.Step, error) {
	f, ok := valueFuncs[v.Op]
	if !ok {
		return nil, fmt.Errorf("BUG: %v: op %v outside of a fused region", v, v.Op)
	}
	return f(b, v)
}

func (b *builder) get(v *ir.Value) ([]runtime.Step, error) {
	b.bufs[v] = b.bufs[v.Args[0]][v.Attr.(*ir.IndexAttr).Index:][:1]
	return nil, nil
}

func (b *builder) view(v *ir.Value) ([]runtime.Step, error) {
	b.bufs[v] = b.bufs[v.Args[0]]
	return b.valueBounds(v)
}

// constant places the data of a constant in the weights; equal constants
// share it.
func (b *builder) constant(v *ir.Value) ([]runtime.Step, error) {
	lit := v.Attr.(*ir.ConstAttr).Value
	if _, ok := dtypes[lit.DType]; !ok {
		return nil, fmt.Errorf("%v: a constant of element type %v is not supported natively", v, lit.DType)
	}
	bytes := lit.Size() * int64(lit.DType.Size())
	key := fmt.Sprintf("%v%v", lit.Splat, bytes)
	switch {
	case lit.Fill != nil:
		key += fmt.Sprintf("@%p", lit)
	case len(lit.Data) > 4096:
		key += fmt.Sprintf("@%p", &lit.Data[0])
	default:
		key += fmt.Sprintf(":%s", lit.Data)
	}
	buf, ok := b.consts[key]
	if !ok {
		off := (b.weightBytes + weightAlign - 1) &^ (weightAlign - 1)
		b.weights = append(b.weights, Weight{Offset: off, Value: lit})
		b.weightBytes = off + bytes
		buf = b.buffer(runtime.Buffer{Kind: runtime.InWeights, Offset: runtime.Int(off), Size: runtime.Int(bytes)})
		b.consts[key] = buf
	}
	b.bufs[v] = []int{buf}
	return nil, nil
}

// place gives result i of v a buffer, with the steps that make it.
func (b *builder) place(v *ir.Value, i int, t ir.Type) (int, []runtime.Step, error) {
	if _, ok := dtypes[t.DType]; !ok {
		return 0, nil, fmt.Errorf("%v: element type %v is not supported natively", v, t.DType)
	}
	if whole, _, _, _ := b.mem.Within(v, i); whole != nil {
		return b.part(v, i)
	}
	if to := b.targets[v]; to != nil && to[i] >= 0 {
		return to[i], b.allocOutput(to[i]), nil
	}
	size, err := b.slots.int(bytesOf(t))
	if err != nil {
		return 0, nil, err
	}
	return b.memory(v, i, size)
}

// memory gives result i of v its place in the arena or, where the memory plan
// has none, a block that is made when its turn comes.
func (b *builder) memory(v *ir.Value, i int, size runtime.Int) (int, []runtime.Step, error) {
	if off, ok := b.mem.Place(v, i); ok && !b.slots.late(size) {
		at, err := b.slots.int(off)
		if err != nil {
			return 0, nil, err
		}
		return b.buffer(runtime.Buffer{Kind: runtime.InArena, Offset: at, Size: size}), nil, nil
	}
	buf := b.block(size)
	return buf, []runtime.Step{&runtime.Alloc{Late: b.late - 1, Size: size}}, nil
}

// block declares a late block.
func (b *builder) block(size runtime.Int) int {
	b.late++
	return b.buffer(runtime.Buffer{Kind: runtime.InLate, Index: b.late - 1, Size: size})
}

// launch lowers a fused region and launches its kernel.
func (b *builder) launch(v *ir.Value) ([]runtime.Step, error) {
	a := v.Attr.(*ir.FuseAttr)
	steps, err := b.count(v, a)
	if err != nil {
		return nil, err
	}
	checks, err := b.bounds(a.Body)
	if err != nil {
		return nil, err
	}
	steps = append(steps, checks...)
	outs := b.bufs[v] // where others have written parts of it
	if outs == nil {
		for i, t := range v.ResultTypes() {
			buf, s, err := b.place(v, i, t)
			if err != nil {
				return nil, err
			}
			outs, steps = append(outs, buf), append(steps, s...)
		}
		b.bufs[v] = outs
	}
	if b.written(v) && !slices.Contains(b.mem.Written(v), false) {
		return steps, nil // nothing is left to do
	}
	l, err := b.lower(a.Kind, a.Body, v.Args, outs, b.placesOf(v))
	return append(steps, l...), err
}

// lower makes the kernel of a region, or its versions, and the steps that launch
// them.
func (b *builder) lower(kind string, body *ir.Graph, args []*ir.Value, outs []int, at lower.Places,
) ([]runtime.Step, error) {

	at.Args = b.argRows(args)
	res, err := lower.Region("k", kind, body, at)
	if err != nil {
		return nil, err
	}
	var bufs []int
	for _, i := range res.Args {
		bufs = append(bufs, b.bufs[args[i]][0])
	}
	tree, bufs := b.mergeInPlace(res.Kernel, bufs, outs)
	weights := map[string]bool{}
	for i, buf := range bufs {
		weights[tree.Params[i].Name] = b.p.Buffers[buf].Kind == runtime.InWeights
	}
	var writes []int
	for _, o := range outs {
		writes, bufs = append(writes, len(bufs)), append(bufs, o)
	}
	cost, err := b.slots.int(Cost(tree))
	if err != nil {
		return nil, err
	}
	var steps []runtime.Step
	for _, v := range versions(tree, weights) {
		l := &runtime.Launch{Kernel: b.kernel(v, kernelName(kind, body)), Bufs: bufs,
			Writes: writes, Cost: cost}
		for _, dim := range v.dims {
			d, err := b.slots.int(dim)
			if err != nil {
				return nil, err
			}
			l.Dims = append(l.Dims, d)
		}
		steps = append(steps, l)
	}
	return steps, nil
}

// kernel returns the index of the kernel of a version: where trees, the values
// of their Dims and conditions are equal, kernels are one.
func (b *builder) kernel(v version, name string) int {
	k := v.tree
	key := k.String() + ir.Shape(v.dims).String() + v.when.String()
	if i, ok := b.kernels[key]; ok {
		return i
	}
	i := len(b.trees)
	k.Name = fmt.Sprintf("k%d_%s", i, name)
	b.kernels[key] = i
	b.trees, b.defs, b.when = append(b.trees, k), append(b.defs, v.dims), append(b.when, v.when)
	b.p.Kernels = append(b.p.Kernels, runtime.Kernel{Name: k.Name, Node: nodes(k.Pos)})
	return i
}

// kernelName lists what a region computes, for profilers.
func kernelName(kind string, body *ir.Graph) string {
	var names []string
	for _, v := range body.Values {
		if v.Op == ir.OpParam || v.Op == ir.OpConst || v.Op.Is(ir.Moves) && kind != "loop" {
			continue
		}
		if n := v.Op.String(); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	if names == nil {
		return kind
	}
	const most = 4
	return strings.Join(names[:min(len(names), most)], "_")
}

// nodes lists where a kernel comes from.
func nodes(pos []ir.Pos) string {
	var names []string
	for _, p := range pos {
		if s := p.Node; s != "" && !slices.Contains(names, s) {
			names = append(names, s)
		}
	}
	const most = 3
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

func (b *builder) bind(v *ir.Value) ([]runtime.Step, error) {
	b.bufs[v] = b.bufs[v.Args[0]]
	sym := v.Attr.(*ir.BindAttr).Sym
	return []runtime.Step{&runtime.Bind{Symbol: b.slots.symbol(sym), Buf: b.bufs[v][0],
		DType: runtime.I64, Text: fmt.Sprintf("%v: extent %s", v.Pos, sym)}}, nil
}

// check adds a check of the graph.
func (b *builder) check(v *ir.Value) ([]runtime.Step, error) {
	a := v.Attr.(*ir.CheckAttr)
	rel := runtime.Equal
	if a.Rel == "<=" {
		rel = runtime.AtMost
	}
	b.bufs[v] = []int{-1}
	return b.addCheck(v, rel, a.X, a.Y, a.Msg)
}

// addCheck adds a check for v; those of the inputs' extents are made before the
// first step.
func (b *builder) addCheck(v *ir.Value, rel runtime.Relation, dx, dy ir.Dim, text string) ([]runtime.Step, error) {
	x, err := b.slots.int(dx)
	if err != nil {
		return nil, err
	}
	y, err := b.slots.int(dy)
	if err != nil {
		return nil, err
	}
	if pos := v.Pos.String(); pos != "" {
		text = pos + ": " + text
	}
	guarded := b.depth > 0
	b.p.Checks = append(b.p.Checks, runtime.Check{Rel: rel, A: x, B: y, Text: text, Guarded: guarded})
	if guarded || b.slots.late(x) || b.slots.late(y) {
		return []runtime.Step{&runtime.Verify{Check: len(b.p.Checks) - 1}}, nil
	}
	return nil, nil
}
