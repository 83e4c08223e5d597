package main

import (
	"context"
	"path"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/tensorcc/tcc/codegen/gopkg"
	"github.com/tensorcc/tcc/frontend/gosrc"
)

// This file is gen for the //tcc:compile functions of Go packages.

// funcsOwn are the patterns of the files that genFuncs makes.
var funcsOwn = []string{"zz_tcc*.go", "rt/*.go", "rt/*.s", gosrc.ImplDir + "/*/*.go",
	gosrc.ImplDir + "/*/*.s", gosrc.ImplDir + "/*/weights.bin",
	gosrc.ImplDir + "/*/testdata/case*/*.npy"}

func genFuncs(ctx context.Context, c *cli.Command) error {
	if len(c.StringSlice("input"))+len(c.StringSlice("input-dir")) > 0 {
		return usage("gen: -input and -input-dir are for models")
	}
	pattern := "."
	if c.Args().Present() {
		pattern = c.Args().First()
	}
	pkgs, err := gosrc.Load(ctx, ".", pattern)
	switch {
	case err != nil:
		return usageError{err}
	case len(pkgs) == 0:
		return usage("gen: %s: no function has a //tcc:compile directive: write one above it, "+
			"or give a model by -model FILE", pattern)
	case len(pkgs) > 1 && c.String("o") != "":
		return usage("gen: %s are %d packages: -o is for one", pattern, len(pkgs))
	}
	for _, p := range pkgs {
		if err := genPackage(ctx, c, p); err != nil {
			return err
		}
	}
	return nil
}

// genPackage records, compiles and writes the functions of one package.
func genPackage(ctx context.Context, c *cli.Command, p *gosrc.Package) error {
	dir, t, err := target(c, p)
	if err != nil {
		return err
	}
	files := gopkg.Files{}
	if c.String("runtime") == "copy" && t.Runtime != gopkg.RuntimePath {
		if err := files.AddRuntime("rt", false); err != nil {
			return err
		}
	}
	if err := recordFuncs(ctx, p, dir, t, files); err != nil {
		return err
	}
	levels, err := parseLevels(c.String("cpu"), "")
	if err != nil {
		return err
	}
	levels = append(levels, generic)
	if t.Stamp, err = stamp(levels); err != nil {
		return err
	}
	api, err := p.API(t)
	if err != nil {
		return err
	}
	for name, text := range api {
		files[name] = text
	}
	for _, f := range p.Funcs {
		if err := genFunc(ctx, c, f, t, levels, files); err != nil {
			return err
		}
	}
	if err := writeOrCheck(c, files, dir, funcsOwn); err != nil {
		return err
	}
	o := gopkg.Options{}
	if t.Runtime == gopkg.RuntimePath {
		o.Runtime = t.Runtime
	}
	return hintModule(dir, o)
}

// target reads the flags: dir is where the API goes. The runtime is tcc's
// own beside functions, which import tcc anyway, and a copy in a package apart,
// unless -runtime says otherwise.
func target(c *cli.Command, p *gosrc.Package) (dir string, t gosrc.Target, err error) {
	t = gosrc.Target{Package: p.Name, Path: p.Path, Fields: gopkg.Fields}
	dir = p.Dir
	if o := c.String("o"); o != "" {
		if dir, err = filepath.Abs(o); err != nil {
			return "", t, err
		}
		t.Apart = dir != p.Dir
	}
	if t.Apart {
		if t.Package = c.String("pkg"); t.Package == "" {
			t.Package = gopkg.PackageName(filepath.Base(dir))
		}
		if t.Path, err = importPath(dir); err != nil {
			return "", t, err
		}
		if !gopkg.ValidPackage(t.Package) {
			return "", t, usage("-pkg %s: wanted the name of a Go package, other than main, fmt and log",
				t.Package)
		}
	} else if pkg := c.String("pkg"); pkg != "" && pkg != p.Name {
		return "", t, usage("-pkg %s: the functions' package is %s: another one needs -o DIR",
			pkg, p.Name)
	}
	t.Runtime = path.Join(t.Path, "rt")
	if c.String("runtime") == "import" || !c.IsSet("runtime") && !t.Apart {
		t.Runtime = gopkg.RuntimePath
	}
	return dir, t, nil
}

// recordFuncs records the functions of p, with a stand-in for the API, which
// may not be there yet.
func recordFuncs(ctx context.Context, p *gosrc.Package, dir string, t gosrc.Target,
	files gopkg.Files) error {
	stub, err := p.API(t)
	if err != nil {
		return err
	}
	overlay := map[string][]byte{}
	for _, part := range []map[string][]byte{files, stub} {
		for name, text := range part {
			overlay[filepath.Join(dir, filepath.FromSlash(name))] = text
		}
	}
	return p.Record(ctx, overlay)
}

// genFunc compiles f into files.
func genFunc(ctx context.Context, c *cli.Command, f *gosrc.Func, t gosrc.Target, levels []string,
	files gopkg.Files) error {
	in := path.Join(gosrc.ImplDir, f.Impl())
	o := gopkg.Options{Package: f.Impl(), Name: f.Name, ImportPath: path.Join(t.Path, in),
		Runtime: t.Runtime, RTol: c.Float("rtol"), ATol: c.Float("atol")}
	var err error
	if o.WeightsBeside, err = beside(c); err != nil {
		return err
	}
	m := &model{name: strings.ReplaceAll(f.Name, ".", "_"), graph: f.Graph, dims: f.Extents,
		inPlace: f.InPlace, zeros: f.StateParams()}
	made, err := generate(ctx, c, m, levels, o)
	if err != nil {
		return &gosrc.Error{Pos: f.Pos, Op: f.Name, Msg: err.Error()}
	}
	for name, text := range made {
		files[path.Join(in, name)] = text
	}
	return nil
}
