package onnx

import (
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
)

// needsExtent are what errors say of models that need an extent at compile
// time, or that rely on an extent of 1 being stretched, which is not known of
// an extent without a number.
var needsExtent = []string{"want constants", "do not broadcast", "list them", "known at compile time",
	"give sizes", "want twice as many", "dynamic extent", "with the extent", "head size of", "index tuples of", "index tuples",
	"want one element type and rank", "compiled for the branch of an If",
	"query heads and key heads", "real, or real and imaginary parts"}

// The conformance tests give the same with all extents of their inputs
// unknown at compile time.
func TestConformDynamic(t *testing.T) {
	cases := readCases(t, "onnx-node-visible.tar.gz")
	var names []string
	for name := range cases {
		names = append(names, name)
	}
	slices.Sort(names)
	passed, static := 0, 0
	for _, name := range names {
		c, fixed := cases[name], false
		if c.run(fixed) != nil {
			if fixed = true; c.run(fixed) != nil {
				continue
			}
		}
		m, err := onnxpb.DecodeModel(c.model)
		if err != nil {
			t.Fatal(err)
		}
		for _, in := range m.Graph.Input {
			for _, d := range shapeOf(in) {
				d.HasValue, d.Value, d.Param = false, 0, ""
			}
		}
		err = c.runModel(m, fixed, func(g *ir.Graph) (*ir.Graph, error) { return g, nil })
		switch {
		case err == nil:
			passed++
			err := c.runModel(m, fixed, roundTrip)
			if err != nil && !strings.HasPrefix(err.Error(), "export: ") {
				t.Errorf("%s: exported: %.400v", name, err)
			}
		case slices.ContainsFunc(needsExtent, func(s string) bool { return strings.Contains(err.Error(), s) }):
			static++
		default:
			t.Errorf("%s: %.400v", name, err)
		}
	}
	t.Logf("%d pass, %d need an extent at compile time", passed, static)
}
