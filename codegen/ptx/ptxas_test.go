package ptx

import (
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// ptxas finds NVIDIA's assembler.
func ptxas() (string, bool) {
	if path := os.Getenv("PTXAS"); path != "" {
		return path, true
	}
	path, err := exec.LookPath("ptxas")
	return path, err == nil
}

// assemble has ptxas check text for an architecture, in a test of its own that
// is skipped where there is no ptxas.
func assemble(t *testing.T, text, arch string) {
	t.Helper()
	t.Run("ptxas "+arch, func(t *testing.T) {
		path, ok := ptxas()
		if !ok {
			t.Skip("needs ptxas: PTXAS=$(scripts/ptxas.sh) fetches it")
		}
		dir := t.TempDir()
		in := filepath.Join(dir, "k.ptx")
		if err := os.WriteFile(in, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(path, "-arch="+arch, "-o", filepath.Join(dir, "k.cubin"), in).CombinedOutput()
		if err != nil || len(out) > 0 {
			t.Errorf("%v\n%s\n%s", err, out, text)
		}
	})
}

// floatBits is v, rounded down, as an element of d.
func floatBits(d ir.DType, v float64) uint64 {
	b := math.Float32bits(float32(v))
	switch d {
	case ir.F64:
		return math.Float64bits(v)
	case ir.BF16:
		return uint64(b >> 16)
	case ir.F16:
		e := int(b>>23&255) - 112
		switch {
		case v != v:
			return 0x7e00
		case e > 30:
			return uint64(b>>16&0x8000) | 0x7c00
		case e <= 0:
			return uint64(b >> 16 & 0x8000)
		}
		return uint64(b>>16&0x8000) | uint64(e)<<10 | uint64(b>>13&1023)
	}
	return uint64(b)
}
