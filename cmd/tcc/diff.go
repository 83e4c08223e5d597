package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/runtime"
)

func diffCommand() *cli.Command {
	return command(&cli.Command{
		Name:      "diff",
		Usage:     "run a model on two back ends and compare",
		ArgsUsage: "MODEL",
		Description: "Prints the largest error of each output; with -bisect, the first operation whose " +
			"results differ.\n\n" +
			"Example: tcc diff vad.onnx -input-dir ref_0 -backend native,interp -bisect",
		Flags: append(append(append(inputFlags(), toleranceFlags()...),
			dimFlag(), threadsFlag(), precisionFlag(),
			&cli.StringFlag{Name: "backend", Value: "native,interp",
				Usage: "the two back ends, `A,B`; B is the reference"},
			&cli.Uint64Flag{Name: "seed", Value: 1, Usage: "of the inputs that are not given"},
			untunedFlag(),
			&cli.BoolFlag{Name: "bisect", Usage: "name the first operation that differs"}),
			compileFlags()...),
	}, 1, 1, diff)
}

func diff(ctx context.Context, c *cli.Command) error {
	d := &differ{ctx: ctx, tol: tolerance{c.Float("rtol"), c.Float("atol")},
		names: strings.Split(c.String("backend"), ",")}
	if len(d.names) != 2 {
		return usage("-backend %s: wanted two names, such as native,interp", c.String("backend"))
	}
	for _, name := range d.names {
		b, err := parseBackend(name)
		if err != nil {
			return err
		}
		d.backends = append(d.backends, b)
	}
	m, in, o, err := loadWithInputs(c, c.Uint64("seed"))
	if err != nil {
		return err
	}
	defer m.close()
	d.in, d.o = in, o
	same, err := d.outputs(m.graph)
	if err != nil || same {
		return err
	}
	if c.Bool("bisect") {
		d.o.quiet = true // of many compilations
		if err := d.bisect(m.graph); err != nil {
			return err
		}
	}
	return errReported
}

// differ compares two back ends on one set of inputs.
type differ struct {
	ctx      context.Context
	names    []string // of the back ends
	backends []backend
	in       []*runtime.Tensor
	o        backendOptions
	tol      tolerance
}

// both runs g on the two back ends.
func (d *differ) both(g *ir.Graph) (got, want []*runtime.Tensor, err error) {
	outs := make([][]*runtime.Tensor, 2)
	for i, newRunner := range d.backends {
		r, err := newRunner(d.ctx, g, d.o)
		if err != nil {
			return nil, nil, err
		}
		outs[i], err = r.Run(d.ctx, d.in)
		r.Close()
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", d.names[i], err)
		}
	}
	return outs[0], outs[1], nil
}

// outputs prints a line for each output and reports whether all agree.
func (d *differ) outputs(g *ir.Graph) (bool, error) {
	got, want, err := d.both(g)
	if err != nil {
		return false, err
	}
	same := true
	for i := range got {
		x := d.tol.compare(got[i], want[i])
		verdict := "agrees"
		if !x.ok() {
			verdict, same = "differs", false
		}
		fmt.Printf("%s %s: %s: %v\n", g.ResultNames[i], got[i], verdict, &x)
	}
	return same, nil
}

// bisect makes every value of the graph a result and prints the first that
// differs. Values are then kept rather than fused away, so a difference that
// only fusion causes may not show; it says so.
func (d *differ) bisect(g *ir.Graph) error {
	all := ir.NewGraph(g.Name)
	var names []string
	var results []*ir.Value
	if _, err := all.Inline(g, copyParams(all, g)); err != nil {
		return err
	}
	for _, v := range all.Values {
		if v.Op != ir.OpParam && v.Op != ir.OpConst && !v.Op.Is(ir.Effect) && v.Type.DType != ir.Tuple {
			names, results = append(names, v.String()), append(results, v)
		}
	}
	all.SetResults(names, results...)
	got, want, err := d.both(all)
	if err != nil {
		return err
	}
	for i, v := range results {
		if x := d.tol.compare(got[i], want[i]); !x.ok() {
			fmt.Printf("first difference: %v %v <%v> (%v): %v\n", v, v.Op, v.Type, v.Pos, &x)
			return nil
		}
	}
	fmt.Println("no operation differs on its own: the difference comes with fusion or layout; " +
		"try -skip fuse, -skip layout")
	return nil
}

func copyParams(to, g *ir.Graph) []*ir.Value {
	params := make([]*ir.Value, len(g.Params))
	for i, p := range g.Params {
		params[i] = to.Param(p.ParamName(), p.Type, p.Pos)
	}
	return params
}
