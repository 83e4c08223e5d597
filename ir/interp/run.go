package interp

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Run computes the results of g for the given inputs, one a parameter.
func Run(g *ir.Graph, inputs []*Tensor) ([]*Tensor, error) {
	return (&Config{}).Run(context.Background(), g, inputs)
}

// Config are the options of a run. The zero Config is ready for use.
type Config struct {
	// Trace, if not nil, is called with each value's results (several for
	// a tuple) as soon as they are known, those of regions before the
	// region's own, those of a scan's body once a step. The tensors may be
	// kept. An error ends the run.
	Trace func(g *ir.Graph, v *ir.Value, results []*Tensor) error
}

// Run is like the function Run; it ends early with the context's error.
func (c *Config) Run(ctx context.Context, g *ir.Graph, inputs []*Tensor) ([]*Tensor, error) {
	in := make([]*Tensor, len(inputs))
	for i, t := range inputs {
		if t == nil {
			return nil, fmt.Errorf("interp: input %d: is nil, want a tensor", i)
		}
		if err := t.Check(); err != nil {
			return nil, fmt.Errorf("interp: input %d: %w", i, err)
		}
		in[i] = t.aligned()
	}
	return newMachine(ctx, c).run(g, in, env{})
}

// Eval computes the single operation v of the arguments, which must have the
// types of v.Args. Operations whose types have symbols are an error.
func Eval(v *ir.Value, args []*Tensor) ([]*Tensor, error) {
	m := newMachine(context.Background(), &Config{})
	c := &call{m: m, v: v, env: env{}, tuples: make([][]*Tensor, len(args))}
	for i, t := range args {
		c.tuples[i] = []*Tensor{t}
	}
	out, err := c.eval()
	if err != nil {
		return nil, wrap(v, err)
	}
	return out, nil
}

// env has the values of the symbols known so far.
type env map[string]int64

// bind gives a symbol its value; binding it again to another is an error.
func (e env) bind(sym string, n int64) error {
	if old, ok := e[sym]; ok && old != n {
		return fmt.Errorf("symbol %s is %d, want %d as before", sym, n, old)
	}
	e[sym] = n
	return nil
}

// shape evaluates the extents of a shape.
func (e env) shape(s ir.Shape) ([]int64, error) {
	out := make([]int64, len(s))
	for i, d := range s {
		k, ok := d.Int()
		if !ok {
			var err error
			if k, err = d.Eval(e); err != nil {
				return nil, err
			}
		}
		out[i] = k
	}
	return out, nil
}

// machine is the state of one run.
type machine struct {
	ctx     context.Context
	config  *Config
	lastUse map[*ir.Graph][]int // by graph and ID; see uses
	consts  map[*ir.Literal]*Tensor
}

func newMachine(ctx context.Context, c *Config) *machine {
	return &machine{ctx: ctx, config: c, lastUse: map[*ir.Graph][]int{},
		consts: map[*ir.Literal]*Tensor{}}
}

// call is one operation about to be computed.
type call struct {
	m      *machine
	v      *ir.Value
	env    env
	tuples [][]*Tensor // the results of each argument
}

// arg returns argument i, which is not a tuple.
func (c *call) arg(i int) *Tensor { return c.tuples[i][0] }

// out allocates the result, of the type that v has.
func (c *call) out() (*Tensor, error) {
	shape, err := c.env.shape(c.v.Type.Shape)
	if err != nil {
		return nil, err
	}
	return New(c.v.Type.DType, shape)
}

// eval runs the operation's row of the table.
func (c *call) eval() ([]*Tensor, error) {
	f := evals[c.v.Op]
	if f == nil {
		return nil, fmt.Errorf("%v: %s", c.v.Op, missing[c.v.Op])
	}
	out, err := f(c)
	if err != nil {
		return nil, fmt.Errorf("%v: %w", c.v.Op, err)
	}
	return out, nil
}

// run computes g in the environment e, to which it adds symbols.
func (m *machine) run(g *ir.Graph, inputs []*Tensor, e env) ([]*Tensor, error) {
	if err := bindParams(g, inputs, e); err != nil {
		return nil, err
	}
	vals := make([][]*Tensor, len(g.Values))
	for i, p := range g.Params {
		vals[p.ID] = inputs[i : i+1 : i+1]
	}
	last := m.uses(g)
	for _, v := range g.Values {
		if err := m.ctx.Err(); err != nil {
			return nil, err
		}
		if v.Op != ir.OpParam {
			c := &call{m: m, v: v, env: e, tuples: make([][]*Tensor, len(v.Args))}
			for i, a := range v.Args {
				c.tuples[i] = vals[a.ID]
			}
			out, err := c.eval()
			if err != nil {
				return nil, wrap(v, err)
			}
			vals[v.ID] = out
		}
		if m.config.Trace != nil {
			if err := m.config.Trace(g, v, vals[v.ID]); err != nil {
				return nil, err
			}
		}
		for _, a := range v.Args {
			if last[a.ID] == v.ID {
				vals[a.ID] = nil
			}
		}
	}
	out := make([]*Tensor, len(g.Results))
	for i, r := range g.Results {
		out[i] = vals[r.ID][0]
	}
	return out, nil
}

// uses returns, by ID, the last value that reads each value of g, so that
// memory can go; results are read after all.
func (m *machine) uses(g *ir.Graph) []int {
	if last, ok := m.lastUse[g]; ok {
		return last
	}
	last := make([]int, len(g.Values))
	for _, v := range g.Values {
		for _, a := range v.Args {
			last[a.ID] = v.ID
		}
	}
	for _, r := range g.Results {
		last[r.ID] = len(g.Values)
	}
	m.lastUse[g] = last
	return last
}

// bindParams checks the inputs against the parameters of g. An extent that is
// a bare symbol binds it; the others are checked then.
func bindParams(g *ir.Graph, inputs []*Tensor, e env) error {
	if len(inputs) != len(g.Params) {
		return fmt.Errorf("interp: graph %s: %d inputs, want %d", g.Name, len(inputs), len(g.Params))
	}
	for i, p := range g.Params {
		t := inputs[i]
		if t.DType != p.Type.DType || len(t.Shape) != len(p.Type.Shape) {
			return paramError(p, t, p.Type)
		}
		for j, d := range p.Type.Shape {
			names := d.SymNames()
			if len(names) != 1 || !d.Equal(ir.Sym(names[0])) {
				continue
			}
			if err := e.bind(names[0], t.Shape[j]); err != nil {
				return fmt.Errorf("%w: axis %d: %w", paramError(p, t, p.Type), j, err)
			}
		}
	}
	for i, p := range g.Params {
		want, err := e.shape(p.Type.Shape)
		if err != nil {
			return fmt.Errorf("%w: %w", paramError(p, inputs[i], p.Type), err)
		}
		if !slices.Equal(want, inputs[i].Shape) {
			return fmt.Errorf("%w: that is %v here", paramError(p, inputs[i], p.Type), want)
		}
	}
	return nil
}

func paramError(p *ir.Value, t *Tensor, want ir.Type) error {
	return wrap(p, fmt.Errorf("param %s: is %v, want %v", p.ParamName(), t, want))
}

// wrap says which value an error comes from.
func wrap(v *ir.Value, err error) error {
	where := v.String()
	if p := v.Pos.String(); p != "" {
		where += " (" + p + ")"
	}
	return fmt.Errorf("interp: %s: %w", where, err)
}

// child is an environment for a region: it sees e and does not change it.
func (e env) child() env { return maps.Clone(e) }
