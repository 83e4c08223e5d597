package main

import (
	"os/exec"
	"strings"
	"testing"
)

const modulePath = "github.com/tensorcc/tcc"

// policy says which packages of the module each package may import, tests
// aside. A package that is not here may not exist; one that is imported more
// widely than its line says fails the test. Read "a: b c" as "a may import b
// and c and what these may import".
const policy = `
ir:
ir/interp: ir
ir/irtest: ir ir/interp
frontend/onnx/onnxpb:
frontend/onnx: ir frontend/onnx/onnxpb
autodiff: ir
passes/internal/rewrite: ir
passes: ir ir/interp passes/internal/rewrite
frontend/tensor: ir ir/interp autodiff passes
frontend/tensor/linalg: frontend/tensor
frontend/tensor/internal/cases: frontend/tensor/linalg ir
frontend/nn: frontend/tensor
frontend/gosrc/internal/record: frontend/nn
frontend/gosrc/gosrctest:
frontend/gosrc: frontend/gosrc/internal/record
frontend/gosrc/analyzer: frontend/gosrc
codegen/kernel: ir
codegen/mathfn: codegen/kernel
codegen/lower: codegen/kernel
codegen/schedule: codegen/kernel
codegen/cache:
codegen/llvm: codegen/cache codegen/kernel codegen/mathfn
codegen/ptx: codegen/kernel codegen/mathfn codegen/schedule
codegen/purego: codegen/kernel codegen/mathfn
runtime:
codegen/llvm/jit: codegen/llvm runtime
codegen/peak: codegen/llvm/jit codegen/schedule
codegen/plan: codegen/lower runtime
codegen: codegen/plan codegen/schedule codegen/llvm codegen/purego passes runtime
codegen/gopkg: codegen codegen/purego runtime
codegen/tune: codegen codegen/schedule runtime passes
frontend/tensor/native: frontend/tensor codegen
frontend/tensor/interop: frontend/tensor runtime
frontend/tensor/interop/npy: frontend/tensor/interop
frontend/tensor/interop/safetensors: frontend/tensor/interop
frontend/nn/train: frontend/tensor/interop/safetensors runtime
frontend/nn/train/curve: frontend/nn/train
frontend/tensor/interop/gonum: runtime
frontend/tensor/interop/images: runtime
frontend/tensor/interop/arrow: runtime
cmd/tcc: codegen codegen/gopkg codegen/peak frontend/onnx frontend/gosrc/analyzer ir/interp passes runtime codegen/cache codegen/tune
`

// closure expands policy: for each package all that it may import.
func closure(t *testing.T) map[string]map[string]bool {
	allowed := map[string]map[string]bool{}
	for line := range strings.Lines(policy) {
		line = strings.TrimSpace(line)
		pkg, rest, ok := strings.Cut(line, ":")
		if !ok {
			continue
		}
		set := map[string]bool{}
		for _, dep := range strings.Fields(rest) {
			if allowed[dep] == nil {
				t.Fatalf("policy: %s comes before %s, which it may import", pkg, dep)
			}
			set[dep] = true
			for d := range allowed[dep] {
				set[d] = true
			}
		}
		allowed[pkg] = set
	}
	return allowed
}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}:{{range .Imports}} {{.}}{{end}}`, modulePath+"/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	allowed := closure(t)
	for line := range strings.Lines(string(out)) {
		pkg, imports, _ := strings.Cut(strings.TrimSpace(line), ":")
		pkg = strings.TrimPrefix(strings.TrimPrefix(pkg, modulePath), "/")
		if strings.HasPrefix(pkg, "examples/") || strings.HasPrefix(pkg, "bench/") || strings.HasPrefix(pkg, "codegen/mathfn/") {
			continue // programs, which nothing imports
		}
		set, known := allowed[pkg]
		if !known {
			t.Errorf("package %s is not in the policy", pkg)
			continue
		}
		for _, imp := range strings.Fields(imports) {
			dep, ours := strings.CutPrefix(imp, modulePath+"/")
			if ours && !set[dep] {
				t.Errorf("%s imports %s; the policy does not allow it", pkg, dep)
			}
		}
		if pkg == "runtime" {
			for _, imp := range strings.Fields(imports) {
				if strings.Contains(imp, ".") && !strings.HasPrefix(imp, "golang.org/x/sys") {
					t.Errorf("runtime imports %s; compiled programs depend on the standard library and x/sys alone", imp)
				}
			}
		}
	}
}
