package tensor

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"unsafe"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

// Evaluation: reading a value makes a graph of what it depends on and runs it.

// Evaluator runs graphs for lazy tensors and jitted functions.
type Evaluator interface {
	// Name says what has run, or will: "interp", "native", "native+interp".
	Name() string
	// Run computes the results of g, whose parameters have the values
	// inputs. It neither keeps nor changes the inputs' data, and the data of
	// its results is nobody else's.
	Run(ctx context.Context, g *ir.Graph, inputs []*ir.Literal) ([]*ir.Literal, error)
	// Prepare makes g, of static shapes, ready to run often. Each pair of
	// inPlace is a result and the parameter that it replaces: the memory of
	// both may be one.
	Prepare(ctx context.Context, g *ir.Graph, inPlace [][2]int) (Runner, error)
}

var (
	evaluatorMu sync.RWMutex
	evaluator   Evaluator = interpreter{}
)

// SetEvaluator makes e the evaluator of everything that is evaluated from now
// on, and returns the one before. Compilers register themselves by it.
func SetEvaluator(e Evaluator) Evaluator {
	evaluatorMu.Lock()
	defer evaluatorMu.Unlock()
	old := evaluator
	evaluator = e
	return old
}

// Backend returns what evaluates tensors, so that it is never silent: "native",
// machine code; "interp", the interpreter; "native+interp", where there is no
// LLVM and the compile cache had the kernels of some programs alone.
func Backend() string { return currentEvaluator().Name() }

func currentEvaluator() Evaluator {
	evaluatorMu.RLock()
	defer evaluatorMu.RUnlock()
	return evaluator
}

// Interpreter returns the evaluator by ir/interp: slow, and the meaning of all
// others.
func Interpreter() Evaluator { return interpreter{} }

// interpreter evaluates by ir/interp.
type interpreter struct{}

func (interpreter) Name() string { return "interp" }

func (interpreter) Run(ctx context.Context, g *ir.Graph, inputs []*ir.Literal) ([]*ir.Literal,
	error) {
	in := make([]*interp.Tensor, len(inputs))
	for i, l := range inputs {
		t, err := interp.FromLiteral(l)
		if err != nil {
			return nil, err
		}
		in[i] = t
	}
	out, err := (&interp.Config{}).Run(ctx, g, in)
	if err != nil {
		return nil, err
	}
	results := make([]*ir.Literal, len(out))
	for i, t := range out {
		results[i] = t.Literal()
		// Moves may return the memory of an input.
		if aliases(results[i], inputs) {
			results[i].Data = slices.Clone(t.Data)
		}
	}
	return results, nil
}

// Prepare runs g as Run does.
func (interpreter) Prepare(_ context.Context, g *ir.Graph, _ [][2]int) (Runner, error) {
	return interpreted{g}, nil
}

type interpreted struct{ g *ir.Graph }

func (r interpreted) Run(ctx context.Context, out, in []*ir.Literal) error {
	res, err := interpreter{}.Run(ctx, r.g, in)
	if err != nil {
		return err
	}
	for i, l := range res {
		copy(out[i].Data, repeated(l))
	}
	return nil
}

// aliases reports whether l's data lies in that of one of the others.
func aliases(l *ir.Literal, others []*ir.Literal) bool {
	return slices.ContainsFunc(others, func(o *ir.Literal) bool {
		if len(o.Data) == 0 || len(l.Data) == 0 {
			return false
		}
		start, p := uintptr(unsafe.Pointer(&o.Data[0])), uintptr(unsafe.Pointer(&l.Data[0]))
		return p >= start && p < start+uintptr(len(o.Data))
	})
}

// evalMu is held while values are computed and recorded graphs are walked.
var evalMu sync.Mutex

func sortBySeq(ns []*node) {
	slices.SortFunc(ns, func(a, b *node) int { return cmp.Compare(a.seq, b.seq) })
}

// evaluate computes the value of a node that depends on no traced argument.
func evaluate(n *node) (*ir.Literal, error) {
	if l := n.data.Load(); l != nil {
		return l, nil
	}
	if err := evaluateAll([]*node{n}); err != nil {
		return nil, err
	}
	return n.data.Load(), nil
}

// evaluateAll computes the values of nodes in one graph and keeps them.
func evaluateAll(ns []*node) error {
	evalMu.Lock()
	defer evalMu.Unlock()
	return evaluateLocked(ns)
}

func evaluateLocked(ns []*node) error {
	ns = slices.DeleteFunc(slices.Clone(ns), func(n *node) bool { return n.data.Load() != nil })
	if len(ns) == 0 {
		return nil
	}
	for _, n := range ns {
		if n.tr != nil {
			return fmt.Errorf("the value depends on an argument of a traced function, " +
				"which has none while it is recorded")
		}
	}
	out, err := run(ns)
	if err != nil {
		return err
	}
	for i, n := range ns {
		n.data.Store(out[i])
		if !n.grads || n.leaf != nil {
			n.args = nil
		}
	}
	return nil
}

// emitter turns nodes into a graph.
type emitter struct {
	g      *ir.Graph
	values map[*node]*ir.Value
	params []*node // nodes that became parameters, in order
	// known holds for nodes that are not computed in the graph but come in:
	// as a constant if they are one, or if consts is set, else as a parameter.
	known  func(*node) bool
	consts bool
	stops  bool // emit barriers for what gradients take for constants
	// checks are conditions to be emitted once their extents are bound.
	checks []check
	bound  func(ir.Dim) bool
	// numbers has the IDs of barriers, by their own: what is emitted shall
	// not depend on what else the process has recorded.
	numbers map[int]int
}

// emit appends what the roots depend on and returns their values.
func (e *emitter) emit(roots []*node) ([]*ir.Value, error) {
	for _, n := range reach(roots, e.known) {
		if e.values[n] != nil {
			continue
		}
		v, err := e.value(n)
		if err != nil {
			return nil, err
		}
		e.values[n] = v
		if n.op == ir.OpNonZero && len(e.checks) > 0 {
			if err := e.check(); err != nil {
				return nil, err
			}
		}
	}
	out := make([]*ir.Value, len(roots))
	for i, n := range roots {
		out[i] = e.values[n]
	}
	return out, nil
}

func (e *emitter) value(n *node) (*ir.Value, error) {
	if e.known(n) {
		l := n.data.Load()
		switch {
		case n.op == ir.OpConst:
			return e.g.New(n.pos, ir.OpConst, n.attr)
		case e.consts && l != nil:
			if n.shared {
				own := *l
				own.Data = alignedClone(l.Data)
				l = &own
			}
			return e.g.New(n.pos, ir.OpConst, &ir.ConstAttr{Value: l})
		}
		return e.param(n), nil
	}
	if n.stops() && !e.stops {
		return e.values[n.args[0]], nil
	}
	args := make([]*ir.Value, len(n.args))
	for i, a := range n.args {
		args[i] = e.values[a]
	}
	return e.g.New(n.pos, n.op, e.numbered(n.attr), args...)
}

// numbered numbers barriers in the order in which they are emitted; those of
// graphs that are recorded again keep their IDs.
func (e *emitter) numbered(attr ir.Attr) ir.Attr {
	a, ok := attr.(*ir.BarrierAttr)
	if !ok || a.ID == 0 || e.stops {
		return attr
	}
	if e.numbers == nil {
		e.numbers = map[int]int{}
	}
	if e.numbers[a.ID] == 0 {
		e.numbers[a.ID] = len(e.numbers) + 1
	}
	return &ir.BarrierAttr{ID: e.numbers[a.ID], Stop: a.Stop}
}

// param makes n a parameter of the graph.
func (e *emitter) param(n *node) *ir.Value {
	v := e.g.Param(fmt.Sprint("x", len(e.params)), n.typ, n.pos)
	e.params = append(e.params, n)
	e.values[n] = v
	return v
}

// Realize computes the tensors' present values in one go and keeps them: what
// is computed from them later starts there, and a change of Go memory that
// they were computed from is not seen any more.
func Realize(ts ...Tensor) error {
	c := start("Realize")
	ns := make([]*node, len(ts))
	for i, t := range ts {
		if ns[i] = c.in(t); ns[i] == nil {
			return c.err
		}
	}
	if err := evaluateAll(ns); err != nil {
		c.fail("%v", err)
		return c.err
	}
	return nil
}

// literal returns the value of t.
func (c *call) literal(t Tensor) *ir.Literal {
	n := c.in(t)
	if n == nil {
		return nil
	}
	l, err := evaluate(n)
	if err != nil {
		c.fail("%v", err)
		return nil
	}
	return l
}

// Data returns the elements of t in row-major order. E is the Go type of t's
// element type; half-precision floats are held in uint16. The slice is t's
// memory where t lies in its storage contiguously, now and after later writes
// to it, which the slice shows; else it is a copy.
func Data[E Element](t Tensor) ([]E, error) {
	c := start("Data")
	if !c.check(t) {
		return nil, c.err
	}
	d := t.typ().DType
	if half := d == F16 || d == BF16; dtypeFor[E]() != d && !(half && dtypeFor[E]() == U16) {
		var e E
		c.fail("the elements are %v, not %T: Cast it, or ask for its type", d, e)
		return nil, c.err
	}
	if t.isContiguous() {
		l, offset := t.pinned(c)
		if c.err != nil {
			return nil, c.err
		}
		n, _ := t.typ().Shape.Size().Int()
		if n == 0 {
			return nil, nil
		}
		return elements[E](l)[offset:][:n:n], nil
	}
	l := c.literal(t)
	if c.err != nil {
		return nil, c.err
	}
	return slices.Clone(spread[E](l)), nil
}

// spread returns the elements of l, those of a splat repeated.
func spread[E Element](l *ir.Literal) []E {
	es := elements[E](l)
	if l.Splat {
		return slices.Repeat(es, int(l.Size()))
	}
	return es
}

// MustData is Data for programs that have checked Err; it panics on an error.
func MustData[E Element](t Tensor) []E {
	es, err := Data[E](t)
	if err != nil {
		panic(err)
	}
	return es
}

// Item returns the single element of t, converted to E.
func Item[E Element](t Tensor) (E, error) {
	var zero E
	c := start("Item")
	if !c.check(t) {
		return zero, c.err
	}
	if n, ok := t.typ().Shape.Size().Int(); !ok || n != 1 {
		c.fail("shape %s, want a single element: Index it", shapeString(t.typ().Shape))
		return zero, c.err
	}
	l := c.literal(t.Reshape().Cast(dtypeFor[E]()))
	if c.err != nil {
		return zero, c.err
	}
	return elements[E](l)[0], nil
}

// MustItem is Item for programs that have checked Err; it panics on an error.
func MustItem[E Element](t Tensor) E {
	e, err := Item[E](t)
	if err != nil {
		panic(err)
	}
	return e
}
