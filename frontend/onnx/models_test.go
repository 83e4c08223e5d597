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
			if want := resultTypes[name]; want != "" && types(m.Graph) != want {
				t.Errorf("results %s\nwant    %s", types(m.Graph), want)
			}
		})
	}
}

// resultTypes are the types of the results of models with dynamic extents.
var resultTypes = map[string]string{
	"aidreams-260k-kv": "f32[1,seq,512] f32[1,4,past+seq,16] f32[1,4,past+seq,16] f32[1,4,past+seq,16] " +
		"f32[1,4,past+seq,16] f32[1,4,past+seq,16] f32[1,4,past+seq,16] f32[1,4,past+seq,16] f32[1,4,past+seq,16]",
	"basic-pitch":   "f32[unk__749,172,88] f32[unk__749,172,88] f32[unk__749,172,264]",
	"gonnx-gru":     "f32[batch_size,seq_length,5] f32[1,batch_size,5]",
	"gonnx-mlp":     "f32[batch_size,2]",
	"gonnx-ndm":     "f32[batch_size,1]",
	"gonnx-scaler":  "f32[X.0,3]",
	"gtcrn":         "f32[1,257,1,2] f32[2,1,16,16,33] f32[2,3,1,1,16] f32[2,1,33,16]",
	"ocr-cls-v2":    "f32[p2o.DynamicDimension.0,2]",
	"ocr-rec-v4":    "f32[p2o.DynamicDimension.0,((((p2o.DynamicDimension.1+1)/2)+1)/4),6625]",
	"silero-vad-v5": "f32[input.0,1] f32[2,input.0,128]",
	"superres-net":  "f32[1,1,3*h,3*w]",
}

func types(g *ir.Graph) string {
	parts := make([]string, len(g.Results))
	for i, r := range g.Results {
		parts[i] = r.Type.String()
	}
	return strings.Join(parts, " ")
}
