package autodiff

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tensorcc/tcc/ir"
)

// VJP returns the vector-Jacobian product of g with respect to the parameters
// wrt. Its parameters are those of g and then, for each floating-point result
// NAME of g, the cotangent d_NAME of the same type. Its results are those of g
// and then, for each entry of wrt, the gradient d_PARAM. A name that is taken
// gets a number: d_NAME#2.
func VJP(g *ir.Graph, wrt []int) (*ir.Graph, error) {
	out, w, err := forward(g, wrt, "vjp")
	if err != nil {
		return nil, err
	}
	late := map[string]bool{}
	for _, v := range g.Values {
		for _, sym := range v.Binds() {
			late[sym] = true
		}
	}
	for i, r := range g.Results {
		if r.Type.DType.IsFloat() {
			if err := known(r, late); err != nil {
				return nil, fmt.Errorf("%s: vjp: result %s %w", g.Name, resultName(g, i), err)
			}
			w.seed(r, param(out, "d_"+resultName(g, i), r))
		}
	}
	return w.finish(true)
}

// known reports, as an error, that an extent of v is a symbol which the graph
// binds itself: a parameter of v's type would bind it, too.
func known(v *ir.Value, late map[string]bool) error {
	for _, d := range v.Type.Shape {
		for _, sym := range d.SymNames() {
			if late[sym] {
				return fmt.Errorf("has no gradient: its extent %v is known only while the graph runs, "+
					"so that its cotangent cannot be a parameter: reduce it to a scalar", d)
			}
		}
	}
	return nil
}

// Grad returns the gradient of the first result of g, a floating-point
// scalar, with respect to the parameters wrt. It has the parameters of g, and
// a result d_PARAM for each entry of wrt.
func Grad(g *ir.Graph, wrt []int) (*ir.Graph, error) { return grad(g, wrt, "grad", false) }

// ValueAndGrad is [Grad] with the results of g before the gradients.
func ValueAndGrad(g *ir.Graph, wrt []int) (*ir.Graph, error) {
	return grad(g, wrt, "value_and_grad", true)
}

func grad(g *ir.Graph, wrt []int, name string, values bool) (*ir.Graph, error) {
	if len(g.Results) == 0 {
		return nil, fmt.Errorf("%s: grad: no result, want a floating-point scalar", g.Name)
	}
	r := g.Results[0]
	if !r.Type.DType.IsFloat() || r.Type.Rank() != 0 {
		return nil, fmt.Errorf("%s: grad: the first result is %v, want a floating-point scalar: "+
			"reduce it by Sum or Mean, or use VJP", g.Name, r.Type)
	}
	out, w, err := forward(g, wrt, name)
	if err != nil {
		return nil, err
	}
	b := &back{g: out, pos: r.Pos}
	w.seed(r, b.scalar(r.Type.DType, 1))
	return w.finish(values)
}

// param appends a parameter of v's type to g, with a number after the name if
// that is taken: by the cotangents of a gradient that is differentiated again.
func param(g *ir.Graph, name string, v *ir.Value) *ir.Value {
	taken := make([]string, len(g.Params))
	for i, p := range g.Params {
		taken[i] = p.ParamName()
	}
	return g.Param(unique(taken, name), v.Type, v.Pos)
}

func unique(taken []string, name string) string {
	for n := 2; slices.Contains(taken, name); n++ {
		base, _, _ := strings.Cut(name, "#")
		name = fmt.Sprint(base, "#", n)
	}
	return name
}

func resultName(g *ir.Graph, i int) string {
	if i < len(g.ResultNames) && g.ResultNames[i] != "" {
		return g.ResultNames[i]
	}
	return fmt.Sprint(i)
}

// walk is the state of one reverse walk over src.
type walk struct {
	src, out *ir.Graph
	wrt      []int
	copyOf   []*ir.Value   // by ID in src: the value in out
	active   []bool        // by ID in src: depends on a parameter in wrt
	cots     [][]*ir.Value // by ID in src: cotangent of each result, nil for zero
	lone     map[*ir.Value]loner
}

// forward copies g into a new graph and finds what depends on wrt.
func forward(g *ir.Graph, wrt []int, name string) (*ir.Graph, *walk, error) {
	w := &walk{src: g, out: ir.NewGraph(g.Name + "_" + name), wrt: wrt,
		copyOf: make([]*ir.Value, len(g.Values)), active: make([]bool, len(g.Values)),
		cots: make([][]*ir.Value, len(g.Values)), lone: map[*ir.Value]loner{}}
	for i, p := range wrt {
		if p < 0 || p >= len(g.Params) || slices.Contains(wrt[:i], p) {
			return nil, nil, fmt.Errorf("%s: %s: parameters %v are not distinct within the graph's %d",
				g.Name, name, wrt, len(g.Params))
		}
		if t := g.Params[p].Type; !t.DType.IsFloat() {
			return nil, nil, fmt.Errorf("%s: %s: parameter %q is %v, which has no gradient: "+
				"want a floating-point type", g.Name, name, g.Params[p].ParamName(), t)
		}
		w.active[g.Params[p].ID] = true
	}
	for _, v := range g.Values {
		if v.Op == ir.OpParam {
			w.copyOf[v.ID] = w.out.Param(v.ParamName(), v.Type, v.Pos)
			continue
		}
		args := make([]*ir.Value, len(v.Args))
		for i, a := range v.Args {
			args[i] = w.copyOf[a.ID]
			w.active[v.ID] = w.active[v.ID] || w.active[a.ID]
		}
		w.active[v.ID] = w.active[v.ID] && hasFloat(v.Type)
		nv, err := w.out.New(v.Pos, v.Op, v.Attr, args...)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
		w.copyOf[v.ID] = nv
	}
	return w.out, w, nil
}

func hasFloat(t ir.Type) bool {
	return t.DType.IsFloat() || slices.ContainsFunc(t.Elems, hasFloat)
}

// seed adds the cotangent d to the value v of src.
func (w *walk) seed(v, d *ir.Value) { w.add(&back{g: w.out, pos: v.Pos}, v, 0, d) }

// add adds d to the cotangent of result i of v.
func (w *walk) add(b *back, v *ir.Value, i int, d *ir.Value) {
	if w.cots[v.ID] == nil {
		w.cots[v.ID] = make([]*ir.Value, len(v.ResultTypes()))
	}
	c := &w.cots[v.ID][i]
	if *c == nil {
		*c = d
	} else {
		*c = b.add(*c, d)
	}
}

// finish walks backwards, declares the results and drops what none needs.
func (w *walk) finish(values bool) (g *ir.Graph, err error) {
	defer func() {
		switch f := recover().(type) {
		case nil:
		case failure:
			g, err = nil, f.err
		default:
			panic(f)
		}
	}()
	for _, v := range slices.Backward(w.src.Values) {
		if w.active[v.ID] && w.cots[v.ID] != nil && v.Op != ir.OpParam {
			w.step(v)
		}
	}
	var names []string
	var results []*ir.Value
	if values {
		for i, r := range w.src.Results {
			names = append(names, resultName(w.src, i))
			results = append(results, w.copyOf[r.ID])
		}
	}
	for _, i := range w.wrt {
		p := w.src.Params[i]
		names = append(names, unique(names, "d_"+p.ParamName()))
		results = append(results, w.gradient(p))
	}
	w.out.SetResults(names, results...)
	return prune(w.out)
}

// gradient returns the cotangent of a parameter, zeros where nothing came.
func (w *walk) gradient(p *ir.Value) *ir.Value {
	if c := w.cots[p.ID]; c != nil && c[0] != nil {
		return c[0]
	}
	b := &back{g: w.out, pos: p.Pos}
	return b.zeros(p.Type)
}

// step applies the rule of v to its cotangents.
func (w *walk) step(v *ir.Value) {
	b := &back{g: w.out, pos: v.Pos, need: make([]bool, len(v.Args)), lone: w.lone}
	for i, a := range v.Args {
		b.need[i] = w.active[a.ID]
	}
	if v.Op == ir.OpGet {
		w.add(b, v.Args[0], v.Attr.(*ir.IndexAttr).Index, w.cots[v.ID][0])
		return
	}
	r, ok := rules[v.Op]
	if !ok {
		b.fail("%v has no gradient: %s", v.Op, missing[v.Op])
	}
	grads := r(b, w.copyOf[v.ID], w.cots[v.ID])
	if len(grads) != len(v.Args) {
		panic(fmt.Sprintf("BUG: gradient of %v: %d results for %d arguments", v.Op, len(grads),
			len(v.Args)))
	}
	for i, d := range grads {
		if d == nil || !b.need[i] {
			continue
		}
		if !d.Type.Equal(v.Args[i].Type) {
			b.fail("%v: gradient of argument %d is %v, the argument %v", v.Op, i, d.Type, v.Args[i].Type)
		}
		w.add(b, v.Args[i], 0, d)
	}
}

// failure carries an error from a rule out of the walk.
type failure struct{ err error }

func (b *back) fail(format string, args ...any) {
	what := b.what
	if what == "" {
		what = "gradient"
	}
	err := fmt.Errorf(what+": "+format, args...)
	if s := b.pos.String(); s != "" {
		err = fmt.Errorf("%s: %w", s, err)
	}
	panic(failure{err})
}

// prune copies g without the values that no result needs. Parameters and
// effects stay.
func prune(g *ir.Graph) (*ir.Graph, error) {
	live := make([]bool, len(g.Values))
	for _, r := range g.Results {
		live[r.ID] = true
	}
	for _, v := range slices.Backward(g.Values) {
		// What gives a symbol its value stays, too: extents may need it.
		live[v.ID] = live[v.ID] || v.Op.Is(ir.Effect) || len(v.Binds()) > 0
		for _, a := range v.Args {
			live[a.ID] = live[a.ID] || live[v.ID]
		}
	}
	return g.Keep(live)
}
