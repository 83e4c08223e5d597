package onnx

import (
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
)

// The light networks import; their weights are made when they run, so that
// running them says little (and takes long).
func TestLightImports(t *testing.T) {
	cases := readCases(t, "onnx-models-visible.tar.gz")
	var names []string
	for name := range cases {
		if strings.HasPrefix(name, "light/") {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		m, err := onnxpb.DecodeModel(cases[name].model)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		g, err := Import(m, Options{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := ir.Verify(g); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		t.Log(name, types(g), len(g.Values))
	}
}
