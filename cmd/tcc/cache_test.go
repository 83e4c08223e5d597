package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/gosrc/gosrctest"
)

// TestWithoutLLVM runs a model that was compiled before where LLVM is not there, and makes a
// package of it: the outputs and the files are the same to the byte. A model that was not is an
// error.
func TestWithoutLLVM(t *testing.T) {
	needLLVM(t)
	dir := gosrctest.Module(t, "../..", nil)
	model, other := write(t, "m.tir", sums), write(t, "m.tir", strings.Replace(sums, "add", "sub", 1))
	env := append(withTCC(t), "TCC_CACHE="+t.TempDir())
	none := append(env[:len(env):len(env)], "TCC_LLVM="+dir)
	x := writeNPY(t, floats(t, []float32{1, 2, 3, 4}, 2, 2))
	run := func(model string) []string {
		return []string{"run", model, "-backend", "native", "-input", "x=" + x, "-input", "s=0.5"}
	}
	gen := func(model string) []string {
		return []string{"gen", "-model", model, "-cpu", "native", "-o", filepath.Join(dir, "sums")}
	}
	want := mustTool(t, dir, env, "tcc", run(model)...)
	if got := mustTool(t, dir, none, "tcc", run(model)...); got != want {
		t.Errorf("cached kernels give %q, LLVM's %q", got, want)
	}
	mustTool(t, dir, env, "tcc", gen(model)...)
	mustTool(t, dir, none, "tcc", append(gen(model), "-check")...)
	for _, args := range [][]string{run(other), gen(other)} {
		out, err := tool(t, dir, none, "tcc", args...)
		if err == nil || !strings.Contains(out, "no opt and llc") {
			t.Errorf("tcc %v: %v, %q", args, err, out)
		}
	}
	out := mustTool(t, dir, none, "tcc", "version")
	if !strings.Contains(out, "tensors: native for kernels cached by LLVM") {
		t.Errorf("tcc version says %q", out)
	}
}
