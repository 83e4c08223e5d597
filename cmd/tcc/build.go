package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/codegen/cache"
	"github.com/tensorcc/tcc/codegen/gopkg"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/passes"
	"github.com/tensorcc/tcc/runtime"
)

const buildDescription = "" +
	`Executables are built by the Go toolchain, static, for the GOOS and GOARCH of the
environment. Libraries for C come with a header and take DLPack tensors; they need cgo.
MODEL.tune, which -tune writes beside the model, is an input of every later build (as of run,
bench and diff): commit it with the model. Entries of kernels that changed are ignored.

Example: tcc build yolox.onnx -tune -tune-time 2m
         tcc build vad.onnx -o vad && ./vad -input input=frame.npy -input sr=16000 -output-dir out`

func buildCommand() *cli.Command {
	return command(&cli.Command{
		Name:        "build",
		Usage:       "compile a model to an executable, a Go package or a library for C",
		ArgsUsage:   "MODEL",
		Description: buildDescription,
		Flags: append(append([]cli.Flag{
			&cli.StringFlag{Name: "o", Usage: "`OUT`: file of the executable or folder of the package"},
			&cli.StringFlag{Name: "buildmode", Value: "exe", Usage: "exe, gopkg, c-archive or c-shared"},
			&cli.StringFlag{Name: "target", Value: "cpu", Usage: "cpu"},
		}, packageFlags()...), compileFlags()...),
	}, 1, 1, build)
}

// libraryName is what a library is called if -o does not say.
func libraryName(m *model, goos, mode string) string {
	name := "lib" + gopkg.PackageName(modelName(m))
	switch {
	case mode == "c-archive":
		return name + ".a"
	case goos == "windows":
		return name + ".dll"
	case goos == "darwin":
		return name + ".dylib"
	}
	return name + ".so"
}

// generic is the level of kernels in Go.
const generic = runtime.LevelGeneric

func cpuFlag() cli.Flag {
	return &cli.StringFlag{Name: "cpu", Value: "all", Usage: "all, native, or levels such as " +
		"x86-64-v3,x86-64-v4,avx512-vnni,avx512-bf16,amx,arm64, " +
		"one of which is chosen at run time"}
}

func rangeFlag() cli.Flag {
	return &cli.StringSliceFlag{Name: "dim",
		Usage: "`NAME=N` fixes a dynamic extent, NAME=LO..HI bounds it; " +
			"extents without a name are INPUT.AXIS"}
}

func build(ctx context.Context, c *cli.Command) error {
	mode := c.String("buildmode")
	switch {
	case c.String("target") != "cpu":
		return fmt.Errorf("build: -target %s is not supported yet: only cpu is", c.String("target"))
	case mode != "exe" && mode != "gopkg" && !slices.Contains(gopkg.BuildModes, mode):
		return usage("-buildmode %s: wanted exe, gopkg, %s", mode, strings.Join(gopkg.BuildModes, " or "))
	}
	if err := checkRuntime(c); err != nil {
		return err
	}
	m, err := loadModel(c.Args().First())
	if err != nil {
		return err
	}
	defer m.close()
	switch mode {
	case "gopkg":
		return writePackage(ctx, c, m)
	case "exe":
		return buildExe(ctx, c, m)
	}
	return buildLibrary(ctx, c, m, mode)
}

// buildLibrary makes a library for C and its header.
func buildLibrary(ctx context.Context, c *cli.Command, m *model, mode string) error {
	if c.String("weights") != "embed" {
		return usage("-weights %s: a C library has its weights in it", c.String("weights"))
	}
	goos, goarch, err := gopkg.GoTarget(ctx)
	if err != nil {
		return err
	}
	levels, err := parseLevels(c.String("cpu"), goarch)
	if err != nil {
		return err
	}
	out := c.String("o")
	if out == "" {
		out = libraryName(m, goos, mode)
	}
	if err := isFile(out, "the library"); err != nil {
		return err
	}
	const module = "tccbuild"
	made, err := compileFor(ctx, c, m, append(levels, generic))
	if err != nil {
		return err
	}
	files, header, err := gopkg.CLibrary(made.artifact,
		gopkg.Options{Name: modelName(m), Stamp: made.stamp}, module)
	if err != nil {
		return err
	}
	return files.BuildLibrary(ctx, module, mode, out, header)
}

func buildExe(ctx context.Context, c *cli.Command, m *model) error {
	goos, goarch, err := gopkg.GoTarget(ctx)
	if err != nil {
		return err
	}
	levels, err := parseLevels(c.String("cpu"), goarch)
	if err != nil {
		return err
	}
	if len(levels) == 0 {
		levels = []string{generic}
	}
	out := c.String("o")
	if out == "" {
		if out = runtime.FileName(modelName(m)); goos == "windows" {
			out += ".exe"
		}
	}
	if err := isFile(out, "the executable"); err != nil {
		return err
	}
	const module = "tccbuild"
	o := gopkg.Options{Package: "main", Name: modelName(m), ImportPath: module}
	if o.WeightsBeside, err = beside(c); err != nil {
		return err
	}
	files, err := generate(ctx, c, m, levels, o)
	if err != nil {
		return err
	}
	if err := files.Build(ctx, module, out); err != nil {
		return err
	}
	return files.WriteWeights(out, o)
}

// isFile reports, before the time is spent, why there can be no file out, which is to be what.
func isFile(out, what string) error {
	if info, err := os.Stat(out); err == nil && info.IsDir() {
		return usage("-o %s: is a folder, wanted the file of %s", out, what)
	}
	abs, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	return writable(filepath.Dir(abs))
}

// parseLevels returns the CPU levels that a -cpu flag means: of goarch, or of
// all architectures where that is empty. None: kernels in Go.
func parseLevels(flag, goarch string) ([]string, error) {
	var known, foreign []string
	for _, t := range llvm.Targets {
		if goarch == "" || gopkg.Arch(t.Level) == goarch {
			known = append(known, t.Level)
		} else {
			foreign = append(foreign, t.Level)
		}
	}
	switch flag {
	case "all":
		return known, nil
	case "native":
		for _, l := range runtime.Levels() {
			if slices.Contains(known, l) {
				return []string{l}, nil
			}
		}
		return nil, usage("-cpu native: this machine runs none of %s", strings.Join(known, ", "))
	}
	var levels []string
	for _, l := range strings.Split(flag, ",") {
		switch {
		case l == generic:
		case slices.Contains(foreign, l):
			return nil, usage("-cpu %s: level %s is of GOARCH=%s, GOARCH is %s: set it, "+
				"or leave the level out", flag, l, gopkg.Arch(l), goarch)
		case !slices.Contains(known, l):
			return nil, usage("-cpu %s: level %q: wanted all, native, generic, or some of %s", flag, l,
				strings.Join(known, ", "))
		case !slices.Contains(levels, l):
			levels = append(levels, l)
		}
	}
	return levels, nil
}

// fix sets the extents that -dim gives a number, and refuses ranges of what are no extents.
func (d *dimFlags) fix(g *ir.Graph) (*ir.Graph, error) {
	for _, r := range d.ranges {
		if err := isExtent(r.name, g); err != nil {
			return nil, err
		}
	}
	if len(d.fixed) == 0 {
		return g, nil
	}
	out, err := passes.Fix(g, d.fixed)
	if err != nil {
		return nil, usage("-dim: %w", err)
	}
	return out, nil
}

// bound adds the ranges that -dim gives as checks of each call.
func (d *dimFlags) bound(a *codegen.Artifact) error {
	p := a.Plan.Program
	for _, r := range d.ranges {
		n, err := a.Plan.Int(ir.Sym(r.name))
		if err != nil {
			return err
		}
		text := fmt.Sprintf("compiled for %s from %d to %d", r.name, r.lo, r.hi)
		p.Checks = append(p.Checks,
			runtime.Check{Rel: runtime.AtMost, A: runtime.Int(r.lo), B: n, Text: text},
			runtime.Check{Rel: runtime.AtMost, A: n, B: runtime.Int(r.hi), Text: text})
	}
	return nil
}

// stamp names the compilers.
func stamp(levels []string) (string, error) {
	s := "tcc " + version()
	if slices.ContainsFunc(levels, func(l string) bool { return l != generic }) {
		store, err := cache.Default()
		if err != nil {
			return "", usageError{err}
		}
		tc, err := llvm.Available(store)
		if err != nil {
			return "", err
		}
		s += ", LLVM " + tc.Version
	}
	return s, nil
}
