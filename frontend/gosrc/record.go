package gosrc

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/tensorcc/tcc/frontend/gosrc/internal/record"
	"github.com/tensorcc/tcc/ir"
)

//go:embed internal/record/*.go
var recorderSource embed.FS

// recordDir is the folder, below the package's, where the program that records
// stands for the go command. It is never on disk.
const recordDir = "zz_tccrecord"

// Record builds and runs a program that records the functions of p, and fills
// in their graphs. overlay has files, by absolute path, that stand in for those
// on disk: what is yet to be generated. The errors of all functions are
// returned, those in the user's code as [Error].
func (p *Package) Record(ctx context.Context, overlay map[string][]byte) (err error) {
	if len(p.Funcs) == 0 {
		return nil
	}
	temp, err := os.MkdirTemp("", "tcc-record-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	files, target, err := p.program(overlay)
	if err != nil {
		return err
	}
	replaced, config, err := writeOverlay(temp, files)
	if err != nil {
		return err
	}
	for name := range files {
		// The assembler runs in the folder of its files, overlay or not.
		if dir := filepath.Dir(name); filepath.Ext(name) == ".s" && os.Mkdir(dir, fs.ModePerm) == nil {
			defer os.Remove(dir) // fails once there are files
		}
	}
	exe := filepath.Join(temp, "record.exe")
	if out, err := p.build(ctx, temp, target, "-overlay="+config, "-o="+exe); err != nil {
		return fmt.Errorf("%s: go build: %w\n%s", p.Path, err,
			p.named(string(bytes.TrimSpace(out)), replaced))
	}
	run := exec.CommandContext(ctx, exe)
	run.Dir, run.Env = p.Dir, append(os.Environ(), record.DirVariable+"="+temp)
	if out, err := run.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: the program that records its functions: %w\n%s", p.Path, err,
			bytes.TrimSpace(out))
	}
	return p.collect(temp)
}

// build builds target, and returns what the go command says. Before there are generated files, go
// mod tidy drops what only these import from the user's go.mod: if that fails, a copy in the folder
// temp, which the go command may complete, takes its place.
func (p *Package) build(ctx context.Context, temp, target string, flags ...string) ([]byte, error) {
	goBuild := func(flags ...string) ([]byte, error) {
		c := exec.CommandContext(ctx, "go", append(append([]string{"build", "-tags=" + Tag}, flags...),
			target)...)
		c.Dir = p.Dir
		return c.CombinedOutput()
	}
	out, err := goBuild(flags...)
	if err == nil || p.pkg.Module == nil {
		return out, err
	}
	mod := filepath.Join(temp, "go.mod")
	for _, ext := range []string{".mod", ".sum"} {
		from := strings.TrimSuffix(p.pkg.Module.GoMod, ".mod") + ext
		text, rerr := os.ReadFile(from)
		if rerr == nil {
			rerr = os.WriteFile(strings.TrimSuffix(mod, ".mod")+ext, text, 0o600)
		}
		if rerr != nil && !errors.Is(rerr, fs.ErrNotExist) {
			return out, errors.Join(err, rerr)
		}
	}
	if _, again := goBuild(append(flags, "-mod=mod", "-modfile="+mod)...); again == nil {
		return nil, nil
	}
	return out, err
}

// program returns the files of the program, by absolute path, and the package
// to build.
func (p *Package) program(overlay map[string][]byte) (map[string][]byte, string, error) {
	files := map[string][]byte{}
	for name, text := range overlay {
		files[name] = text
	}
	for _, name := range []string{"record.go", "optimizer.go"} {
		text, err := recorderSource.ReadFile("internal/record/" + name)
		if err != nil {
			return nil, "", err
		}
		files[filepath.Join(p.Dir, recordDir, "record", name)] = text
	}
	main, target := "", "./"+recordDir
	if p.Name == "main" {
		target = "."
		main = "\nfunc main() { TccRecord_() }\n"
		name, text, err := p.withoutMain()
		if err != nil {
			return nil, "", err
		}
		if name != "" {
			files[name] = text
		}
	} else {
		files[filepath.Join(p.Dir, recordDir, "main.go")] = fmt.Appendf(nil,
			"package main\n\nimport p %q\n\nfunc main() { p.TccRecord_() }\n", p.Path)
	}
	list, err := p.list(main)
	files[filepath.Join(p.Dir, "zz_tcc_record.go")] = list
	return files, target, err
}

// list is the file in the user's package that lists the functions.
func (p *Package) list(main string) ([]byte, error) {
	imports := []string{fmt.Sprintf("record %q", path.Join(p.Path, recordDir, "record"))}
	var b strings.Builder
	for _, f := range p.Funcs {
		fmt.Fprintf(&b, "{Name: %q, Fn: %s, Specs: %#v, Grad: %#v, Baked: map[int]func() (any, error){",
			f.Name, f.call, f.specs(), f.dir.grad)
		for i, a := range f.args {
			if !a.baked {
				continue
			}
			fmt.Fprintf(&b, "\n%d: func() (any, error) { return record.Value(%s) },", i, a.value)
			used, err := f.importsIn(a.value)
			if err != nil {
				return nil, f.dir.errorf("bake=%s: %v", a.name, err)
			}
			imports = append(imports, used...)
		}
		b.WriteString("}")
		if e := f.dir.optimizer; e != "" {
			fmt.Fprintf(&b, ", State: %q, Optimizer: func() (any, error) { return record.Value(%s) }",
				f.state, e)
			used, err := f.importsIn(e)
			if err != nil {
				return nil, f.dir.errorf("optimizer=%s: %v", e, err)
			}
			imports = append(imports, used...)
		}
		b.WriteString("},\n")
	}
	slices.Sort(imports)
	text := fmt.Sprintf("package %s\n\nimport (\n%s\n)\n\n// TccRecord_ records.\n"+
		"func TccRecord_() {\nrecord.Main([]record.Func{\n%s})\n}\n%s", p.Name,
		strings.Join(slices.Compact(imports), "\n"), &b, main)
	return format.Source([]byte(text))
}

// specs are the specifications for tensor.Trace.
func (f *Func) specs() []string {
	var out []string
	for _, a := range f.args {
		switch {
		case a.baked:
		case a.spec == "":
			out = append(out, a.name)
		default:
			out = append(out, a.name+"="+a.spec)
		}
	}
	return out
}

// withoutMain returns the file that has the function main, which gets another
// name of the same length: columns stay.
func (p *Package) withoutMain() (string, []byte, error) {
	for _, file := range p.pkg.Syntax {
		for _, decl := range file.Decls {
			fn, ok := decl.(*ast.FuncDecl)
			if !ok || fn.Recv != nil || fn.Name.Name != "main" {
				continue
			}
			pos := p.position(fn.Name.Pos())
			text, err := os.ReadFile(pos.Filename)
			if err != nil {
				return "", nil, err
			}
			copy(text[pos.Offset:], "tccm")
			return pos.Filename, text, nil
		}
	}
	return "", nil, nil
}

// importsOf lists the imports of a file as "name path".
func importsOf(file *ast.File, info *types.Info) []string {
	var out []string
	for _, spec := range file.Imports {
		name, _ := strconv.Unquote(spec.Path.Value)
		name = path.Base(name)
		if obj := info.PkgNameOf(spec); obj != nil {
			name = obj.Name()
		}
		if spec.Name != nil {
			name = spec.Name.Name
		}
		out = append(out, name+" "+spec.Path.Value)
	}
	return out
}

// importsIn are the imports of f's file that an expression uses.
func (f *Func) importsIn(expr string) ([]string, error) {
	e, err := parser.ParseExpr(expr)
	if err != nil {
		return nil, err
	}
	var used []string
	ast.Inspect(e, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok {
				for _, spec := range f.imports {
					if strings.HasPrefix(spec, x.Name+" ") {
						used = append(used, spec)
					}
				}
			}
		}
		return true
	})
	return used, nil
}

// writeOverlay writes files to a folder: replaced is where the text of each
// lies, config the name of the file that tells the go command so.
func writeOverlay(dir string, files map[string][]byte) (replaced map[string]string, config string,
	err error) {
	replaced = map[string]string{}
	for name, text := range files {
		to := filepath.Join(dir, fmt.Sprint("overlay", len(replaced), filepath.Ext(name)))
		if err := os.WriteFile(to, text, 0o600); err != nil {
			return nil, "", err
		}
		replaced[name] = to
	}
	text, err := json.Marshal(map[string]any{"Replace": replaced})
	if err != nil {
		return nil, "", err
	}
	config = filepath.Join(dir, "overlay.json")
	return replaced, config, os.WriteFile(config, text, 0o600)
}

// named is what the go command says, with the files of the user in the place of
// those that stand in for them, whose lines are the same.
func (p *Package) named(text string, replaced map[string]string) string {
	var pairs []string
	for name, to := range replaced {
		if rel, err := filepath.Rel(p.Dir, name); err == nil {
			name = rel
		}
		pairs = append(pairs, to+":", name+":")
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// collect reads what the program wrote.
func (p *Package) collect(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, record.ResultsFile))
	if err != nil {
		return fmt.Errorf("%s: the program that records its functions ended early, "+
			"as by os.Exit in an init function: %w", p.Path, err)
	}
	var results []record.Result
	if err := json.Unmarshal(text, &results); err != nil {
		return err
	}
	if len(results) != len(p.Funcs) {
		return fmt.Errorf("BUG: gosrc: %d results for %d functions", len(results), len(p.Funcs))
	}
	var errs []error
	for i, r := range results {
		f := p.Funcs[i]
		if r.Msg != "" {
			errs = append(errs, &Error{Pos: p.resultPos(f, r), Op: r.Op, Msg: r.Msg})
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, fmt.Sprint(i, ".tir")))
		if err != nil {
			return err
		}
		if f.Graph, err = ir.Parse("", string(text)); err != nil {
			return fmt.Errorf("BUG: gosrc: the graph of %s: %w", f.Name, err)
		}
		f.InPlace = slices.Concat(r.InPlace, f.replaced())
	}
	return errors.Join(errs...)
}

// resultPos is where an error is: recorded positions are relative to the
// package's folder, or say as much of a path as is the same everywhere.
func (p *Package) resultPos(f *Func, r record.Result) token.Position {
	if r.Line == 0 {
		return f.dir.pos
	}
	pos := token.Position{Filename: r.File, Line: r.Line}
	if abs := filepath.Join(p.Dir, filepath.FromSlash(r.File)); !filepath.IsAbs(r.File) {
		if _, err := os.Stat(abs); err == nil {
			pos.Filename = abs
		}
	}
	return pos
}
