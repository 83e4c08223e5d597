package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/runtime"
)

// nativeLevels returns this machine's levels that LLVM compiles for, or skips.
func nativeLevels(t *testing.T) []string {
	if _, err := llvm.Find(); err != nil {
		t.Skip("needs LLVM:", err)
	}
	var out []string
	for _, l := range runtime.Levels() {
		if _, ok := llvm.TargetOf(l); ok {
			out = append(out, l)
		}
	}
	return out
}

// bound is the largest error allowed, in ulp.
const bound = 2

// check fails unless the line of a measurement is within bound.
func check(t *testing.T, line string, err error, bound float64) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	var u float64
	_, rest, _ := strings.Cut(line, "inputs: ")
	if _, err := fmt.Sscan(rest, &u); err != nil || !(u <= bound) {
		t.Errorf("%s: more than %v", line, bound)
	}
}

// TestUlp measures every 1024th f32, or random ones, on each level; with
// -short a sixteenth of that.
func TestUlp(t *testing.T) {
	part := 1
	if testing.Short() {
		part = 16
	}
	for _, level := range nativeLevels(t) {
		for name, f := range functions {
			t.Run(level+"/f32/"+name, func(t *testing.T) {
				if f.ref1 == nil {
					line, err := random32(name, level, 1<<18/part)
					check(t, line, err, bound)
					return
				}
				line, err := every(name, level, uint64(1024*part))
				check(t, line, err, bound)
			})
		}
		for name := range functions {
			t.Run(level+"/f64/"+name, func(t *testing.T) {
				line, err := random64(name, level, 1<<16/part)
				if _, exact := wide[name]; exact && name != "tan" {
					check(t, line, err, bound)
				} else { // a quotient of two, or measured against Go's own, an ulp or two from the truth
					check(t, line, err, 2*bound)
				}
			})
		}
	}
}
