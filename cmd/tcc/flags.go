package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes"
)

// Flags that several commands share.

func inputFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: "input",
			Usage: "`NAME=FILE` (.npy, .pb), NAME=NUMBER, or a .pb FILE that has its name"},
		&cli.StringFlag{Name: "input-dir",
			Usage: "`DIR` with input_0.pb, input_1.pb, … in the order of the inputs"},
	}
}

func backendFlag(value string) cli.Flag {
	return &cli.StringFlag{Name: "backend", Value: value,
		Usage: "native, interp, or kernels (the scheduled trees)"}
}

func threadsFlag() cli.Flag {
	return &cli.IntFlag{Name: "threads", Usage: "threads to use; 0 is all"}
}

func dimFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "dim",
		Usage: "`NAME=N` sets a dynamic extent that no input gives"}
}

func toleranceFlags() []cli.Flag {
	return []cli.Flag{
		&cli.FloatFlag{Name: "rtol", Value: 1e-3, Usage: "relative tolerance"},
		&cli.FloatFlag{Name: "atol", Value: 1e-5,
			Usage: "absolute tolerance, as a part of the largest element"},
	}
}

func precisionFlag() cli.Flag {
	return &cli.StringFlag{Name: "precision", Value: "highest",
		Usage: "of float32 products: highest, high (16 bits of each factor) or medium (8 bits), " +
			"where that is faster"}
}

// parsePrecision reads -precision.
func parsePrecision(c *cli.Command) (schedule.Precision, error) {
	p, ok := map[string]schedule.Precision{"": schedule.Highest, "highest": schedule.Highest,
		"high": schedule.High, "medium": schedule.Medium}[c.String("precision")]
	if !ok {
		return p, usage("-precision %s: wanted highest, high or medium", c.String("precision"))
	}
	return p, nil
}

// compileFlags are those of every command that compiles.
func compileFlags() []cli.Flag {
	return append(debugFlags(), &cli.StringFlag{Name: "memory",
		Usage: "compute again what would need more than `SIZE`, such as 512MiB, of working memory"})
}

// debugFlags are for those who work on tcc.
func debugFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "dump", Hidden: true, Usage: "print the graph after pass `NAME`, or all"},
		&cli.StringSliceFlag{Name: "skip", Hidden: true, Usage: "leave pass `NAME` out"},
		&cli.StringFlag{Name: "stop-after", Hidden: true, Usage: "stop after pass `NAME`"},
		&cli.BoolFlag{Name: "check", Hidden: true, Usage: "verify after each pass"},
		&cli.StringFlag{Name: "d", Hidden: true,
			Usage: "rules: print which rule fired where; help: describe the passes"},
		&cli.BoolFlag{Name: "emulate", Hidden: true,
			Usage: "let a level that this machine lacks, as TCC_CPU names it, " +
				"run with its instructions emulated"},
		&cli.StringFlag{Name: "fp", Hidden: true, Value: "strict", Usage: "strict or relaxed"},
	}
}

// debugCommand does nothing but describe the debug flags: tcc help debug.
func debugCommand() *cli.Command {
	flags := debugFlags()
	for _, f := range flags {
		switch f := f.(type) {
		case *cli.StringFlag:
			f.Hidden = false
		case *cli.StringSliceFlag:
			f.Hidden = false
		case *cli.BoolFlag:
			f.Hidden = false
		}
	}
	return command(&cli.Command{
		Name:   "debug",
		Hidden: true,
		Usage:  "flags of what compiles, for those who work on tcc; they may change",
		Description: "Example: tcc run vad.onnx -input-dir ref_0 -dump fuse\n\n" +
			"tcc run vad.onnx -d help describes the passes.",
		Flags: flags,
	}, 0, 0, func(_ context.Context, c *cli.Command) error { return cli.ShowSubcommandHelp(c) })
}

// parseSize reads a number of bytes: 4096, 64KiB, 1.5GB.
func parseSize(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	number := strings.TrimRight(text, "KMGTiB")
	units := map[string]float64{"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
		"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}
	unit, ok := units[text[len(number):]]
	n, err := strconv.ParseFloat(number, 64)
	if !ok || err != nil || !(n*unit >= 1 && n*unit < 1<<62) {
		return 0, fmt.Errorf("%s: wanted a size such as 512MiB or 2GB", text)
	}
	return int64(n * unit), nil
}

// passOptions reads the debug flags.
func passOptions(c *cli.Command) (passes.Options, error) {
	o := passes.Options{Skip: c.StringSlice("skip"), StopAfter: c.String("stop-after"),
		Check: c.Bool("check") && !checking(c)}
	err := o.Validate()
	if err != nil {
		return o, usageError{err}
	}
	if o.Memory, err = parseSize(c.String("memory")); err != nil {
		return o, usage("-memory %v", err)
	}
	switch fp := c.String("fp"); fp {
	case "strict", "":
	case "relaxed":
		o.Relaxed = true
	default:
		return o, usage("-fp %s: wanted strict or relaxed", fp)
	}
	if what := c.String("dump"); what != "" {
		if names := append(passes.Names(), "start", "all"); !slices.Contains(names, what) {
			return o, usage("-dump %s: wanted one of %s", what, strings.Join(names, ", "))
		}
		o.Dump = func(pass string, g *ir.Graph) {
			if what == "all" || what == pass {
				fmt.Fprintf(c.Root().ErrWriter, "# after %s\n%s\n", pass, g)
			}
		}
	}
	switch d := c.String("d"); d {
	case "":
	case "rules":
		o.Fired = func(rule string, v *ir.Value) {
			fmt.Fprintf(c.Root().ErrWriter, "%s: %v %v\n", rule, v, v.Pos)
		}
	case "help":
		fmt.Fprint(c.Root().Writer, passes.Help())
	default:
		return o, usage("-d %s: wanted rules or help", d)
	}
	return o, nil
}

// backendOpts reads the flags, and the tuning beside the model at path, if there is a path.
func backendOpts(c *cli.Command, path string) (backendOptions, error) {
	p, err := passOptions(c)
	if err != nil {
		return backendOptions{}, err
	}
	precision, err := parsePrecision(c)
	if n := c.Int("threads"); n < 0 {
		return backendOptions{}, usage("-threads %d: wanted 1 or more, or 0 for all", n)
	}
	o := backendOptions{threads: c.Int("threads"), passes: p, precision: precision,
		emulate: c.Bool("emulate")}
	if err != nil || path == "" {
		return o, err
	}
	o.tuneFile = tuneFile(path)
	o.tuning, err = readTuning(c, path)
	return o, err
}
