package gopkg

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestIdentifiers(t *testing.T) {
	names := []string{"input:0", "input_0", "onnx::Gemm_8", "0", "", "sr", "x.y/z",
		"Input3", "é", "日本", "a", "A", "--", "type"}
	want := []string{"Input0", "Input0_2", "OnnxGemm8", "X0", "X", "SR", "XYZ",
		"Input3", "É", "X日本", "A", "A_2", "X_2", "Type"}
	if d := cmp.Diff(want, identifiers(names)); d != "" {
		t.Error(d)
	}
}

func TestLocals(t *testing.T) {
	ids := []string{"Input", "INPUT", "SR", "XYZ", "HTTPServer", "Type", "M", "Vad", "X0"}
	want := []string{"input", "input_", "sr", "xyz", "httpServer", "type_", "m_", "vad_", "x0"}
	if d := cmp.Diff(want, locals(ids, "vad")); d != "" {
		t.Error(d)
	}
}

func TestPackageName(t *testing.T) {
	for file, want := range map[string]string{
		"silero-vad.v5": "silerovadv5", "8bit": "bit", "main": "modelmain", "": "model",
		"type": "modeltype", "log": "modellog", "Модель": "модель",
	} {
		if got := PackageName(file); got != want {
			t.Errorf("PackageName(%q) = %q, want %q", file, got, want)
		}
	}
}

// TestSysVersion keeps what generated modules require equal to what tcc does.
func TestSysVersion(t *testing.T) {
	sum, err := os.ReadFile("../../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	f := Files{}
	f.AddModule("x")
	for line := range strings.Lines(string(f["go.sum"])) {
		if !strings.Contains(string(sum), line) {
			t.Errorf("go.sum lacks %q: set the constants in module.go after it", line)
		}
	}
	if want := SysModule + " " + SysVersion; !strings.Contains(string(mod), want) {
		t.Errorf("go.mod does not require %s", want)
	}
}
