package gosrc_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/gosrc"
	"github.com/tensorcc/tcc/frontend/gosrc/gosrctest"
)

// record loads and records the package in a folder of a module.
func record(dir, pkg string) (*gosrc.Package, gosrc.Target, error) {
	ctx := context.Background()
	t := gosrc.Target{Runtime: "github.com/tensorcc/tcc/runtime",
		Fields: func(names []string) []string {
			var out []string
			for i := range names {
				out = append(out, fmt.Sprint("F", i))
			}
			return out
		}}
	pkgs, err := gosrc.Load(ctx, dir, "./"+pkg)
	if err != nil {
		return nil, t, err
	}
	p := pkgs[0]
	t.Package, t.Path = p.Name, p.Path
	stub, err := p.API(t)
	if err != nil {
		return nil, t, err
	}
	file := filepath.Join(p.Dir, gosrc.APIFile)
	return p, t, p.Record(ctx, map[string][]byte{file: stub[gosrc.APIFile]})
}

func TestForms(t *testing.T) {
	p, target, err := record(gosrctest.Archive(t, "../..", "testdata/forms.txtar"), "forms")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Model.Forward: m.W f32[4,2], m.Bs.0 f32[2], m.Bs.1 f32[2], x f32[N,4] -> y0 f32[N,2]",
		"Model.update: m.W f32[4,2], m.Bs.0 f32[2], m.Bs.1 f32[2], x f32[N,4] -> " +
			"W f32[4,2], Bs.0 f32[2], Bs.1 f32[2]",
		"Twice: xs.0 f32[N], xs.1 f32[2,N], pair.0 f32[], pair.1 f32[] -> 0 f32[N], 1 f32[2,N]",
		"baked: x f32[N,4] -> y0 f32[N,4], y1 f32[N,4]",
		"Loss: m.W f32[4,2], m.Bs.0 f32[2], m.Bs.1 f32[2], x f32[N,4], label i64[N] -> " +
			"y0 f32[], d_m.W f32[4,2], d_m.Bs.0 f32[2], d_m.Bs.1 f32[2], d_x f32[N,4]",
		"step: s.M.W f32[4,2], s.M.Bs.0 f32[2], s.M.Bs.1 f32[2], s.V.W f32[4,2], s.V.Bs.0 f32[2], " +
			"s.V.Bs.1 f32[2], s.Step f32[], x f32[N,4] -> r0.M.W f32[4,2], r0.M.Bs.0 f32[2], " +
			"r0.M.Bs.1 f32[2], r0.V.W f32[4,2], r0.V.Bs.0 f32[2], r0.V.Bs.1 f32[2], r0.Step f32[], y1 f32[]",
	}
	for i, f := range p.Funcs {
		var in, out []string
		for _, v := range f.Graph.Params {
			in = append(in, v.ParamName()+" "+v.Type.String())
		}
		for k, v := range f.Graph.Results {
			out = append(out, f.Graph.ResultNames[k]+" "+v.Type.String())
		}
		got := f.Name + ": " + strings.Join(in, ", ") + " -> " + strings.Join(out, ", ")
		if got != want[i] {
			t.Errorf("got  %s\nwant %s", got, want[i])
		}
	}
	files, err := p.API(target)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"func (c *ModelForwardCompiled) Run(m ModelTensors, x *tccrt.Tensor) (*tccrt.Tensor, error) {",
		"func (c *ModelUpdateCompiled) Run(m *ModelTensors, x *tccrt.Tensor) (ModelTensors, error) {",
		"func (c *TwiceCompiled) Run(xs []*tccrt.Tensor, pair [2]*tccrt.Tensor) " +
			"([]*tccrt.Tensor, error) {",
		"func (c *bakedCompiled) Run(x *tccrt.Tensor) (*tccrt.Tensor, *tccrt.Tensor, error) {",
		"func (c *LossCompiled) Run(m *ModelTensors, x *tccrt.Tensor, label *tccrt.Tensor) " +
			"(*tccrt.Tensor, *ModelTensors, *tccrt.Tensor, error) {",
		"func (c *stepCompiled) Run(s AdamStateModelTensors, x *tccrt.Tensor) " +
			"(AdamStateModelTensors, *tccrt.Tensor, error) {",
	} {
		if !strings.Contains(string(files[gosrc.APIFile]), line+"\n") {
			t.Errorf("no %s in\n%s", line, files[gosrc.APIFile])
		}
	}
}

// TestNoPackage has the go command's words, without the place that it does not know.
func TestNoPackage(t *testing.T) {
	_, err := gosrc.Load(t.Context(), ".", "nosuchpackage")
	if err == nil || !strings.HasPrefix(err.Error(), "package nosuchpackage is not in std") {
		t.Errorf("error %v", err)
	}
}

// TestBuildErrors names the user's file where a stand-in for it was compiled.
func TestBuildErrors(t *testing.T) {
	dir := gosrctest.Archive(t, "../..", "testdata/forms.txtar")
	name := filepath.Join(dir, "cmd", "main.go")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	line := bytes.Count(text, []byte("\n")) + 1
	text = append(text, "var wrong int = \"text\"\n"...)
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, _, err = record(dir, "cmd")
	if want := fmt.Sprintf("\nmain.go:%d:17: ", line); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v", err)
	}
}

// TestTidiedModule records in a module whose go.mod lacks what only generated files import.
func TestTidiedModule(t *testing.T) {
	dir := gosrctest.Archive(t, "../..", "testdata/forms.txtar")
	name := filepath.Join(dir, "go.mod")
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text = regexp.MustCompile(`require golang.org/x/sys .*`).ReplaceAll(text, nil)
	if err := os.WriteFile(name, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := record(dir, "cmd"); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(name); err != nil || !bytes.Equal(after, text) {
		t.Errorf("%v: go.mod became\n%s", err, after)
	}
}

func TestMainPackage(t *testing.T) {
	p, _, err := record(gosrctest.Archive(t, "../..", "testdata/forms.txtar"), "cmd")
	if err != nil {
		t.Fatal(err)
	}
	if len(p.Funcs) != 1 || p.Funcs[0].Graph == nil || len(p.Funcs[0].Graph.Params) != 1 {
		t.Errorf("package main: recorded %+v", p.Funcs)
	}
}

var want = regexp.MustCompile(`// want: (.*)$`)

// TestErrors compares the errors of each package with the comments in it, both
// ways.
func TestErrors(t *testing.T) {
	dir := gosrctest.Archive(t, "../..", "testdata/errors.txtar")
	for _, pkg := range []string{"directives", "recording"} {
		_, _, err := record(dir, pkg)
		text, readErr := os.ReadFile(filepath.Join(dir, pkg, "bad.go"))
		if readErr != nil {
			t.Fatal(readErr)
		}
		var got []string
		for _, e := range flatten(err) {
			var at *gosrc.Error
			if !errors.As(e, &at) {
				t.Errorf("%s: not at a place: %v", pkg, e)
				continue
			}
			got = append(got, fmt.Sprintf("%d: %s: %s", at.Pos.Line, at.Op, at.Msg))
		}
		for i, line := range strings.Split(string(text), "\n") {
			m := want.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			at := i + 1
			if strings.HasPrefix(strings.TrimSpace(line), "// want") {
				at--
			}
			k := slices.IndexFunc(got, func(e string) bool {
				return strings.HasPrefix(e, fmt.Sprint(at, ": ")) && strings.Contains(e, m[1])
			})
			if k < 0 {
				t.Errorf("%s:%d: no error %q", pkg, at, m[1])
			} else {
				got = slices.Delete(got, k, k+1)
			}
		}
		for _, e := range got {
			t.Errorf("%s: unexpected error: %s", pkg, e)
		}
	}
}

func flatten(err error) []error {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var out []error
		for _, e := range j.Unwrap() {
			out = append(out, flatten(e)...)
		}
		return out
	}
	if err == nil {
		return nil
	}
	return []error{err}
}
