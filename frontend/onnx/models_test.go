package onnx

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

const corpora = "../../../shared/corpora"

// unsupported lists the models of the corpora with operators that the table
// lacks, by an operator that the error must name.
var unsupported = map[string]string{
	"fastestdet-qdq-int8": "QuantizeLinear",
	"mnist-qlinear-int8":  "QLinearConv",
}

func modelNames(t *testing.T) []string {
	files, err := filepath.Glob(filepath.Join(corpora, "models/*/model.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no ../shared/corpora/models beside the module")
	}
	names := make([]string, len(files))
	for i, f := range files {
		names[i] = filepath.Base(filepath.Dir(f))
	}
	return names
}

func TestModelsImport(t *testing.T) {
	for _, name := range modelNames(t) {
		t.Run(name, func(t *testing.T) {
			m, err := Load(filepath.Join(corpora, "models", name, "model.onnx"), Options{})
			if op := unsupported[name]; op != "" {
				if err == nil || !strings.Contains(err.Error(), op) {
					t.Errorf("error %v, want one that names %s", err, op)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			if err := ir.Verify(m.Graph); err != nil {
				t.Errorf("%.3000v", err)
			}
			t.Log(summary(m.Graph))
		})
	}
}

// summary is the number of values, and the types of the results.
func summary(g *ir.Graph) string {
	var b strings.Builder
	for i, r := range g.Results {
		b.WriteString(g.ResultNames[i] + " " + r.Type.String() + " ")
	}
	return b.String()
}
