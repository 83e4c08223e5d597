package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/urfave/cli/v3"
	"golang.org/x/term"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/codegen/gopkg"
	"github.com/tensorcc/tcc/codegen/tune"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes"
	"github.com/tensorcc/tcc/runtime"
)

// This file is build -tune, and what reads its result.

func tuneFlag() cli.Flag {
	return &cli.BoolFlag{Name: "tune",
		Usage: "search tile sizes and fusion on this machine first, with the inputs given " +
			"or random ones, and keep what is found in MODEL.tune, which this and later builds " +
			"take as input"}
}

func tuneTimeFlag() cli.Flag {
	return &cli.DurationFlag{Name: "tune-time", Value: time.Minute, Usage: "how long -tune searches"}
}

func untunedFlag() cli.Flag {
	return &cli.BoolFlag{Name: "untuned", Usage: "ignore MODEL.tune"}
}

// tuneFile is the file beside a model.
func tuneFile(model string) string { return model + ".tune" }

// readTuning reads the file beside a model, nil where there is none or -untuned is given.
func readTuning(c *cli.Command, model string) (*codegen.Tuning, error) {
	if c.Bool("untuned") {
		return nil, nil
	}
	f, err := os.Open(tuneFile(model))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, usageError{err}
	}
	defer f.Close()
	u, err := codegen.ReadTuning(f)
	if err != nil {
		return nil, usage("%s: %w; -untuned ignores it", tuneFile(model), err)
	}
	return u, nil
}

// sayTuning says that a file was used, and what in it is stale.
func sayTuning(file string, s *codegen.Stats) {
	fmt.Fprintf(os.Stderr, "tcc: %s: %d kernels are tuned; -untuned ignores it\n", file, s.Tuned)
	if s.Stale > 0 {
		fmt.Fprintf(os.Stderr, "tcc: %s: %d entries are of kernels that are no longer there, ignored: "+
			"tcc build -tune makes it anew\n", file, s.Stale)
	}
}

// tuneModel searches and writes the file beside the model.
func tuneModel(ctx context.Context, c *cli.Command, m *model, g *ir.Graph, dims *dimFlags,
	levels []string, o passes.Options) error {
	at := slices.IndexFunc(runtime.Levels(), func(l string) bool {
		return l != generic && slices.Contains(levels, l)
	})
	if at < 0 {
		return usage("-tune: this machine runs none of the levels %v", levels)
	}
	in, err := readInputs(g, c.StringSlice("input"), "")
	if err != nil {
		return err
	}
	if dirs := c.StringSlice("input-dir"); len(dirs) > 0 {
		if in, err = readInputs(g, nil, dirs[0]); err != nil {
			return err
		}
	}
	sizes := dims.sizes(g, 1)
	for _, r := range dims.ranges {
		sizes[r.name] = r.hi
	}
	if err := complete(g, in, sizes, 1); err != nil {
		return err
	}
	so := tune.Options{Level: runtime.Levels()[at], Passes: o, Time: c.Duration("tune-time")}
	if term.IsTerminal(int(os.Stderr.Fd())) {
		so.Progress = progress("tuning " + g.Name)
	}
	r, err := tune.Search(ctx, g, in, so)
	if err != nil {
		return err
	}
	file := tuneFile(m.path)
	fmt.Fprintf(os.Stderr, "tcc: %s: %d compilations, %d kernels gain: "+
		"a run takes %v, %v by the cost model\n",
		file, r.Tried, len(r.Tuning.Kernels), r.After, r.Before)
	var text bytes.Buffer
	if err := r.Tuning.Write(&text, r.Notes); err != nil {
		return err
	}
	return gopkg.Files{filepath.Base(file): text.Bytes()}.Write(filepath.Dir(file))
}
