package passes

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/tensorcc/tcc/ir"
)

// Options say how Run applies the passes. The zero value is the default.
type Options struct {
	Skip      []string // passes left out, required ones cannot be; rule:NAME leaves out a rule
	StopAfter string   // name of the last pass
	Relaxed   bool     // rules that hold for real numbers apply (-fp=relaxed)
	NoLayout  bool     // keep the layout of the source: channels first, plain weights
	Recompute int      // how far the recompute pass goes, see the constants
	Memory    int64    // if not 0, Run goes as far as it takes to need no more bytes
	Members   int      // values that fusion puts into one region at most; 0: the default
	Check     bool     // verify after each pass, and shuffle independent values before it

	// Dump is called with the graph that goes in, under the name "start",
	// and with the graph after each pass.
	Dump func(pass string, g *ir.Graph)
	// Time is called after each pass with the time that it took.
	Time func(pass string, d time.Duration)
	// Fired is called each time that a rewrite rule fires, with the value
	// that it replaces.
	Fired func(rule string, v *ir.Value)
}

// Context is what a pass may use beside the graph.
type Context struct {
	Options
}

// Pass is one row of the pass table.
type Pass struct {
	Name     string
	Run      func(c *Context, g *ir.Graph) (*ir.Graph, error)
	After    []string // passes that must have run before
	Required bool     // cannot be skipped
	Makes    Fact     // holds from here on
	Doc      string   // what it does, then why here
}

// Fact is a property of graphs that a pass establishes; check mode tests it
// after each later pass.
type Fact string

// The facts.
const (
	// Fused: only regions compute at the top level of graphs and bodies.
	Fused Fact = "fused"
)

var factChecks = map[Fact]func(g *ir.Graph) error{Fused: checkFused}

// Run applies the passes to g, which is not changed.
func Run(g *ir.Graph, opts Options) (*ir.Graph, error) {
	if opts.Memory == 0 {
		return run(g, opts)
	}
	least := int64(math.MaxInt64)
	for opts.Recompute = RecomputeCheap; opts.Recompute <= RecomputeOperands; opts.Recompute++ {
		out, err := run(g, opts)
		if err != nil {
			return nil, err
		}
		plan := PlanMemory(out)
		if names := plan.Total().SymNames(); len(names) > 0 {
			return nil, fmt.Errorf("graph %s: bound of memory: what is needed depends on %s: "+
				"give the extents numbers", g.Name, strings.Join(names, ", "))
		}
		arena, _, err := plan.Peak(nil)
		if err != nil {
			return nil, fmt.Errorf("graph %s: bound of memory: %w", g.Name, err)
		}
		if arena <= opts.Memory {
			return out, nil
		}
		least = min(least, arena)
	}
	return nil, fmt.Errorf("graph %s: needs %d bytes of working memory, however much is computed "+
		"again, wanted at most %d: use a smaller batch, or Checkpoint", g.Name, least, opts.Memory)
}

func run(g *ir.Graph, opts Options) (*ir.Graph, error) {
	if err := opts.Validate(); err != nil {
		return nil, err
	}
	c := &Context{Options: opts}
	if c.Dump != nil {
		c.Dump("start", g)
	}
	var facts []Fact
	for i := range pipeline {
		p := &pipeline[i]
		if slices.Contains(opts.Skip, p.Name) {
			continue
		}
		start := time.Now()
		out, err := c.apply(p, g)
		if err != nil {
			return nil, fmt.Errorf("graph %s: pass %s: %w", g.Name, p.Name, err)
		}
		g = out
		if c.Time != nil {
			c.Time(p.Name, time.Since(start))
		}
		if c.Dump != nil {
			c.Dump(p.Name, g)
		}
		if p.Makes != "" {
			facts = append(facts, p.Makes)
		}
		if err := c.check(p, g, facts); err != nil {
			return nil, err
		}
		if p.Name == opts.StopAfter {
			break
		}
	}
	return g, nil
}

// Validate reports names of what is no pass, or cannot be skipped.
func (o *Options) Validate() error {
	for _, name := range append(slices.Clone(o.Skip), o.StopAfter) {
		i := slices.IndexFunc(pipeline, func(p Pass) bool { return p.Name == name })
		if strings.HasPrefix(name, "rule:") {
			continue
		}
		if i < 0 && name != "" {
			return fmt.Errorf("no pass %q; passes are %s", name, strings.Join(Names(), ", "))
		}
		if i >= 0 && pipeline[i].Required && slices.Contains(o.Skip, name) {
			return fmt.Errorf("pass %s cannot be skipped: code generation needs it", name)
		}
	}
	return nil
}

// Names lists the passes in order.
func Names() []string {
	names := make([]string, len(pipeline))
	for i, p := range pipeline {
		names[i] = p.Name
	}
	return names
}

// Help describes each pass in a line, for -d=help.
func Help() string {
	var b strings.Builder
	for _, p := range pipeline {
		fmt.Fprintf(&b, "%-14s %s\n", p.Name, p.Doc)
	}
	return b.String()
}

// apply runs p on the bodies in g, innermost first, then on g.
func (c *Context) apply(p *Pass, g *ir.Graph) (*ir.Graph, error) {
	g, err := mapBodies(g, func(body *ir.Graph) (*ir.Graph, error) { return c.apply(p, body) })
	if err != nil {
		return nil, err
	}
	if c.Check {
		g = shuffle(g)
	}
	return p.Run(c, g)
}

// mapBodies copies g with f applied to the bodies of its ifs and scans; a
// graph without bodies is returned as it is. Fused regions are not entered.
func mapBodies(g *ir.Graph, f func(*ir.Graph) (*ir.Graph, error)) (*ir.Graph, error) {
	branches := func(v *ir.Value) bool { return v.Op == ir.OpIf || v.Op == ir.OpScan }
	if !slices.ContainsFunc(g.Values, branches) {
		return g, nil
	}
	return g.Rewrite(func(out *ir.Graph, v *ir.Value, args []*ir.Value) (*ir.Value, error) {
		switch a := v.Attr.(type) {
		case *ir.IfAttr:
			n := *a
			var err error
			if n.Then, err = f(a.Then); err != nil {
				return nil, err
			}
			if n.Else, err = f(a.Else); err != nil {
				return nil, err
			}
			return out.New(v.Pos, v.Op, &n, args...)
		case *ir.LoopAttr:
			n := *a
			var err error
			if n.Body, err = f(a.Body); err != nil {
				return nil, err
			}
			return out.New(v.Pos, v.Op, &n, args...)
		}
		return nil, nil
	})
}

func (c *Context) check(p *Pass, g *ir.Graph, facts []Fact) error {
	if !c.Check {
		return nil
	}
	if err := ir.Verify(g); err != nil {
		return fmt.Errorf("after pass %s: %w", p.Name, err)
	}
	for _, f := range facts {
		if err := factChecks[f](g); err != nil {
			return fmt.Errorf("after pass %s: graph %s is not %s: %w", p.Name, g.Name, f, err)
		}
	}
	return nil
}

// shuffle reorders independent values of g, so that a pass which relies on
// their order fails in tests. It is deterministic.
func shuffle(g *ir.Graph) *ir.Graph {
	s := &shuffler{out: ir.NewGraph(g.Name),
		repl: map[*ir.Value]*ir.Value{}, defs: symbolDefs(g)}
	for _, v := range g.Values {
		if v.Op == ir.OpParam {
			s.repl[v] = s.out.Param(v.ParamName(), v.Type, v.Pos)
		}
	}
	for _, v := range g.Values {
		if v.Op.Is(ir.Effect) {
			s.place(v)
		}
	}
	results := make([]*ir.Value, len(g.Results))
	for i := range g.Results {
		k := len(g.Results) - 1 - i
		results[k] = s.place(g.Results[k])
	}
	s.out.SetResults(g.ResultNames, results...)
	return s.out
}

type shuffler struct {
	out  *ir.Graph
	repl map[*ir.Value]*ir.Value
	defs map[string]*ir.Value
}

// place copies v after what it needs, the last argument first.
func (s *shuffler) place(v *ir.Value) *ir.Value {
	if nv, ok := s.repl[v]; ok {
		return nv
	}
	for _, sym := range valueSyms(v) {
		if d := s.defs[sym]; d != nil && d != v {
			s.place(d)
		}
	}
	args := make([]*ir.Value, len(v.Args))
	for i := len(v.Args) - 1; i >= 0; i-- {
		args[i] = s.place(v.Args[i])
	}
	nv := s.out.Must(v.Pos, v.Op, v.Attr, args...)
	s.repl[v] = nv
	return nv
}
