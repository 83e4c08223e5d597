package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v3"
	"golang.org/x/mod/modfile"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/codegen/gopkg"
	"github.com/tensorcc/tcc/ir"
)

const genDescription = "" +
	`What it writes builds with Go alone: no tcc, no LLVM, no cgo. It is made to be committed.
Its tests compare with what the interpreter makes of the inputs given, or of the test data
beside the model, or of random inputs.

Without -model, the functions of PACKAGE (. if left out) that have a directive such as
//tcc:compile x=f32[N,784] are run to record them; zz_tcc.go beside them, or in -o DIR, then has
a type PredictCompiled for Predict. go doc ` + gopkg.Module + `/frontend/gosrc has the directives.

Example, in a Go file: //go:generate tcc gen -model vad.onnx -pkg vad -o internal/vad
or: //go:generate tcc gen .`

func genCommand() *cli.Command {
	return command(&cli.Command{
		Name:        "gen",
		Usage:       "write Go code that runs a model, or the //tcc:compile functions of a package",
		ArgsUsage:   "[PACKAGE]",
		Description: genDescription,
		Flags: append(append([]cli.Flag{
			&cli.StringFlag{Name: "model", Usage: "`FILE` of the model"},
			&cli.StringFlag{Name: "o",
				Usage: "`DIR` of the package; its name, or the functions' folder, if left out"},
			&cli.BoolFlag{Name: "check",
				Usage: "write nothing; list what is stale and exit with status 1 if anything is"},
		}, packageFlags()...), slices.DeleteFunc(compileFlags(), func(f cli.Flag) bool {
			return f.Names()[0] == "check"
		})...),
	}, 0, 1, gen)
}

// packageFlags are those that shape a Go package.
func packageFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "pkg", Usage: "`NAME` of the package; made of the model's if left out"},
		&cli.StringFlag{Name: "runtime", Value: "copy",
			Usage: "copy: the package depends on nothing of tcc; " +
				"import: packages share " + gopkg.RuntimePath},
		&cli.StringFlag{Name: "weights", Value: "embed",
			Usage: "embed: in the program; beside: in a file that New maps"},
		cpuFlag(), precisionFlag(), rangeFlag(), tuneFlag(), tuneTimeFlag(), untunedFlag(),
		&cli.StringSliceFlag{Name: "input",
			Usage: "`NAME=FILE` (.npy, .pb) or NAME=NUMBER: input of the recorded test"},
		&cli.StringSliceFlag{Name: "input-dir",
			Usage: "`DIR` with input_0.pb, … of a recorded test; may be repeated"},
		&cli.FloatFlag{Name: "rtol", Value: 1e-3, Usage: "relative tolerance of the recorded test"},
		&cli.FloatFlag{Name: "atol", Value: 1e-4,
			Usage: "its absolute tolerance, as a part of the largest element"},
	}
}

// checkRuntime refuses a -runtime that is none, whatever is built.
func checkRuntime(c *cli.Command) error {
	if kind := c.String("runtime"); kind != "copy" && kind != "import" {
		return usage("-runtime %s: wanted copy or import", kind)
	}
	return nil
}

func gen(ctx context.Context, c *cli.Command) error {
	if err := checkRuntime(c); err != nil {
		return err
	}
	switch {
	case c.String("model") == "":
		return genFuncs(ctx, c)
	case c.Args().Present():
		return usage("gen: -model %s and package %s: want one of them",
			c.String("model"), c.Args().First())
	}
	m, err := loadModel(c.String("model"))
	if err != nil {
		return err
	}
	defer m.close()
	return writePackage(ctx, c, m)
}

// writePackage is gen, and build -buildmode gopkg.
func writePackage(ctx context.Context, c *cli.Command, m *model) error {
	o, dir, err := packageOptions(c, m)
	if err != nil {
		return err
	}
	levels, err := parseLevels(c.String("cpu"), "")
	if err != nil {
		return err
	}
	if !checking(c) {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		if err := writable(abs); err != nil {
			return err
		}
	}
	files, err := generate(ctx, c, m, append(levels, generic), o)
	if err != nil {
		return err
	}
	if err := writeOrCheck(c, files, dir, gopkg.PackageOwns); err != nil {
		return err
	}
	return hintModule(dir, o)
}

// checking reports whether gen is to write nothing; a flag -check of other commands is another.
func checking(c *cli.Command) bool { return c.Name == "gen" && c.Bool("check") }

// writeOrCheck writes the files into dir, or lists those that would change.
func writeOrCheck(c *cli.Command, files gopkg.Files, dir string, owned []string) error {
	if !checking(c) {
		return files.WriteOwning(dir, owned)
	}
	stale, err := files.Differ(dir, owned)
	if err != nil || len(stale) == 0 {
		return err
	}
	slices.Sort(stale)
	for _, path := range stale {
		fmt.Fprintf(os.Stderr, "%s: is stale: run tcc gen again\n", path)
	}
	return errReported
}

// packageOptions reads the flags; dir is where the package goes.
func packageOptions(c *cli.Command, m *model) (o gopkg.Options, dir string, err error) {
	o = gopkg.Options{Package: c.String("pkg"), Name: modelName(m),
		RTol: c.Float("rtol"), ATol: c.Float("atol")}
	if o.Package == "" {
		o.Package = gopkg.PackageName(modelName(m))
	}
	if !gopkg.ValidPackage(o.Package) {
		return o, "", usage("-pkg %s: wanted the name of a Go package, other than main, fmt and log",
			o.Package)
	}
	if c.String("runtime") == "import" {
		o.Runtime = gopkg.RuntimePath
	}
	if o.WeightsBeside, err = beside(c); err != nil {
		return o, "", err
	}
	if dir = c.String("o"); dir == "" {
		dir = o.Package
	}
	o.ImportPath, err = importPath(dir)
	return o, dir, err
}

func beside(c *cli.Command) (bool, error) {
	switch w := c.String("weights"); w {
	case "embed":
		return false, nil
	case "beside":
		return true, nil
	default:
		return false, usage("-weights %s: wanted embed or beside", w)
	}
}

// importPath is that of the package in dir, by the enclosing go.mod.
func importPath(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	if _, err := existing(abs); err != nil {
		return "", err
	}
	root, mod, err := enclosingModule(abs)
	if err != nil {
		return "", err
	}
	rel, err := filepath.Rel(root, abs)
	if err != nil {
		return "", err
	}
	return path.Join(mod, filepath.ToSlash(rel)), nil
}

// existing is dir or the first folder above it that is there. An error says that a file has the
// name of one.
func existing(dir string) (string, error) {
	for at := dir; ; at = filepath.Dir(at) {
		info, err := os.Stat(at)
		switch {
		case err == nil && info.IsDir():
			return at, nil
		case err == nil:
			return "", usage("%s: is a file, wanted a folder to write to: name another one with -o", at)
		case at == filepath.Dir(at):
			return "", usageError{err}
		}
	}
}

// writable reports why nothing can be written to dir, which may not be there yet.
func writable(dir string) error {
	at, err := existing(dir)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(at, ".tcc-*")
	var e *fs.PathError
	if errors.As(err, &e) {
		return usage("%s: cannot be written to: %w: name another folder with -o", dir, e.Err)
	}
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// enclosingModule finds the go.mod in dir or above.
func enclosingModule(dir string) (root, mod string, err error) {
	for root = dir; ; root = filepath.Dir(root) {
		text, err := os.ReadFile(filepath.Join(root, "go.mod"))
		switch {
		case err == nil:
			if mod = modfile.ModulePath(text); mod == "" {
				return "", "", usage("%s: no module line", filepath.Join(root, "go.mod"))
			}
			return root, mod, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", "", err
		case root == filepath.Dir(root):
			return "", "", usage("-o %s: is in no Go module: run go mod init there first", dir)
		}
	}
}

// hintModule says what the module still lacks.
func hintModule(dir string, o gopkg.Options) error {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	root, _, err := enclosingModule(abs)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return err
	}
	need, get := gopkg.SysModule, gopkg.SysModule+"@"+gopkg.SysVersion
	if o.Runtime != "" {
		need, get = gopkg.Module, gopkg.Module
	}
	for line := range strings.Lines(string(text)) {
		if words := strings.Fields(line); slices.Contains(words, need) {
			return nil // the module itself, or required
		}
	}
	fmt.Fprintf(os.Stderr, "tcc: the package needs %s: run go get %s\n", need, get)
	return nil
}

// generate compiles m for the levels and writes its files.
func generate(ctx context.Context, c *cli.Command, m *model, levels []string,
	o gopkg.Options) (gopkg.Files, error) {
	made, err := compileFor(ctx, c, m, levels)
	if err != nil {
		return nil, err
	}
	o.Stamp = made.stamp
	if o.Package != "main" {
		if o.Cases, err = record(ctx, c, m, made.graph, made.dims); err != nil {
			return nil, err
		}
	}
	return gopkg.Generate(made.artifact, o)
}

// compiled is a model compiled as the flags of build and gen say.
type compiled struct {
	artifact *codegen.Artifact
	graph    *ir.Graph // with the extents that are fixed
	dims     *dimFlags
	stamp    string
}

// compileFor compiles m for the levels.
func compileFor(ctx context.Context, c *cli.Command, m *model, levels []string) (*compiled, error) {
	dims, err := parseRanges(append(c.StringSlice("dim"), m.dims...))
	if err != nil {
		return nil, err
	}
	g, err := dims.fix(m.graph)
	if err != nil {
		return nil, err
	}
	opts, err := backendOpts(c, m.path)
	if err != nil {
		return nil, err
	}
	opts.inPlace = m.inPlace
	if opts.emulate {
		return nil, usage("-emulate: a package runs on the CPUs that it is compiled for; use tcc run")
	}
	if c.Bool("tune") {
		if m.path == "" {
			return nil, usage("-tune: keeps what it finds beside a model file: give one by -model FILE")
		}
		if err := tuneModel(ctx, c, m, g, dims, levels, opts.passes); err != nil {
			return nil, err
		}
		if opts.tuning, err = readTuning(c, m.path); err != nil {
			return nil, err
		}
	}
	a, err := compile(ctx, g, opts, levels...)
	if err != nil {
		return nil, err
	}
	if err := dims.bound(a); err != nil {
		return nil, err
	}
	by, err := stamp(levels)
	return &compiled{a, g, dims, by}, err
}

// modelName is the name of a model by its file or, where that says nothing, by
// its folder.
func modelName(m *model) string {
	abs, err := filepath.Abs(m.path)
	if m.name != "model" || err != nil || filepath.Dir(abs) == abs {
		return m.name
	}
	return filepath.Base(filepath.Dir(abs))
}
