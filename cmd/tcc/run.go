package main

import (
	"context"

	"github.com/urfave/cli/v3"
)

func runCommand() *cli.Command {
	return command(&cli.Command{
		Name:      "run",
		Usage:     "compile a model in memory and run it",
		ArgsUsage: "MODEL",
		Description: "Outputs are summarized on standard output, or written to DIR/NAME.npy.\n\n" +
			"Example: tcc run vad.onnx -input input=frame.npy -input sr=16000 -output-dir out",
		Flags: append(append(inputFlags(),
			&cli.StringFlag{Name: "output-dir", Usage: "write each output to `DIR`/NAME.npy"},
			backendFlag("native"), threadsFlag(), precisionFlag(), untunedFlag()), compileFlags()...),
	}, 1, 1, runModel)
}

func runModel(ctx context.Context, c *cli.Command) error {
	newRunner, err := parseBackend(c.String("backend"))
	if err != nil {
		return err
	}
	m, err := loadModel(c.Args().First())
	if err != nil {
		return err
	}
	defer m.close()
	o, err := backendOpts(c, m.path)
	if err != nil {
		return err
	}
	in, err := readInputs(m.graph, c.StringSlice("input"), c.String("input-dir"))
	if err != nil {
		return err
	}
	for i, t := range in {
		if t == nil {
			return usage("input %s of type %v is missing: -input %s=FILE", m.graph.Params[i].ParamName(),
				m.graph.Params[i].Type, m.graph.Params[i].ParamName())
		}
	}
	r, err := newRunner(ctx, m.graph, o)
	if err != nil {
		return err
	}
	defer r.Close()
	out, err := r.Run(ctx, in)
	if err != nil {
		return err
	}
	return writeOutputs(m.graph, out, c.String("output-dir"))
}
