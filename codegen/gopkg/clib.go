package gopkg

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/tensorcc/tcc/codegen"
	"github.com/tensorcc/tcc/runtime"
)

// This file makes libraries for C: the model's package, and beside it a package
// main with functions that C can call, whose tensors are DLPack's. The model is
// apart because a package with cgo cannot have Go assembly.

// BuildModes are go build's modes of C libraries.
var BuildModes = []string{"c-archive", "c-shared"}

// CLibrary returns the files of a library for C, and its header. The artifact has
// the generic level beside the native ones that are wanted.
func CLibrary(a *codegen.Artifact, o Options, module string) (Files, []byte, error) {
	p := a.Plan.Program
	for _, port := range append(append([]runtime.Port{}, p.Inputs...), p.Outputs...) {
		if port.DType == runtime.String {
			return nil, nil, fmt.Errorf("%s: C libraries pass tensors as DLPack has them, "+
				"which has no strings: use -buildmode exe or gopkg", port.Name)
		}
	}
	prefix := PackageName(o.Name)
	o.Package, o.ImportPath, o.Runtime, o.Cases = "model", module+"/model", module+"/rt", nil
	model, err := Generate(a, o)
	if err != nil {
		return nil, nil, err
	}
	files := Files{}
	for name, text := range model {
		files["model/"+name] = text
	}
	if err := files.AddRuntime("rt", false); err != nil {
		return nil, nil, err
	}
	g := &generator{a: a, o: o, files: files}
	g.ports()
	data := map[string]any{"Prefix": prefix, "Module": module, "Name": oneLine(o.Name),
		"Inputs": g.inputs, "Outputs": g.outputs, "Stamp": oneLine(o.Stamp), "Runtime": g.rtImport(),
		"Guard": strings.ToUpper(prefix) + "_H", "Weights": p.WeightBytes > 0}
	if err := g.expand("main.go", "clib", data); err != nil {
		return nil, nil, err
	}
	if err := g.expand("model/open.go", "clibopen", data); err != nil {
		return nil, nil, err
	}
	for name, tmpl := range map[string]string{"tcc_dlpack.h": "dlpack", "tcc_dlpack.c": "clibc"} {
		var b bytes.Buffer
		if err := templates.ExecuteTemplate(&b, tmpl+".tmpl", data); err != nil {
			return nil, nil, fmt.Errorf("BUG: gopkg: %s: %w", name, err)
		}
		files[name] = b.Bytes()
	}
	var h bytes.Buffer
	data["DLPack"] = string(files["tcc_dlpack.h"])
	if err := templates.ExecuteTemplate(&h, "header.tmpl", data); err != nil {
		return nil, nil, fmt.Errorf("BUG: gopkg: header: %w", err)
	}
	return files, h.Bytes(), nil
}

// BuildLibrary compiles the files of a C library, by go build's mode, to out, and
// writes the header beside it. It needs cgo and a C compiler.
func (f Files) BuildLibrary(ctx context.Context, module, mode, out string, header []byte) error {
	compiler, err := exec.CommandContext(ctx, "go", "env", "CC").Output()
	cc := strings.Fields(string(compiler))
	if err != nil || len(cc) == 0 {
		return fmt.Errorf("-buildmode %s: go env CC: %w", mode, err)
	}
	if _, err := exec.LookPath(cc[0]); err != nil {
		return fmt.Errorf("-buildmode %s needs cgo and the C compiler %s: "+
			"install it, or set CC: %w", mode, cc[0], err)
	}
	if err := f.build(ctx, module, out, "1", "-buildmode="+mode); err != nil {
		return err
	}
	name := strings.TrimSuffix(out, filepath.Ext(out)) + ".h"
	return Files{filepath.Base(name): header}.Write(filepath.Dir(name))
}
