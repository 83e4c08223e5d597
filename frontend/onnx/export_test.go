package onnx

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/frontend/onnx/onnxpb"
	"github.com/tensorcc/tcc/ir"
)

// roundTrip exports g and imports the file.
func roundTrip(g *ir.Graph) (*ir.Graph, error) {
	m, err := Export(g)
	if err != nil {
		return nil, fmt.Errorf("export: %w", err)
	}
	m, err = onnxpb.DecodeModel(onnxpb.Encode(m))
	if err != nil {
		return nil, err
	}
	again, err := Import(m, Options{})
	if err != nil {
		return nil, fmt.Errorf("import again: %w", err)
	}
	return again, nil
}

// What is imported, exported and imported again still computes what the
// conformance tests ask for.
func TestExportConforms(t *testing.T) {
	for _, archive := range []string{"onnx-node-visible.tar.gz", "onnx-models-visible.tar.gz"} {
		cases := readCases(t, archive)
		var names []string
		for name := range cases {
			if !strings.HasPrefix(name, "light/") {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		passed, missing := 0, map[string]int{}
		for _, name := range names {
			fixed := false
			if cases[name].run(fixed) != nil {
				if fixed = true; cases[name].run(fixed) != nil {
					continue
				}
			}
			err := cases[name].runWith(fixed, roundTrip)
			switch {
			case err == nil:
				passed++
			case strings.HasPrefix(err.Error(), "export: "):
				for line := range strings.Lines(err.Error()) {
					_, why, _ := strings.Cut(strings.TrimPrefix(line, "export: "), ": ")
					missing[strings.TrimSpace(why)]++
				}
			default:
				t.Errorf("%s: %.300v", name, err)
			}
		}
		t.Logf("%s: %d pass after export", archive, passed)
		for why, n := range missing {
			t.Logf("%4d: %s", n, why)
		}
	}
}
