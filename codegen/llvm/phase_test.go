package llvm_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm/jit"
	"github.com/tensorcc/tcc/runtime"
)

// TestPhases: a kernel of two nests, of which the second reads what the first one has
// made for all tasks, in two common buffers.
func TestPhases(t *testing.T) {
	k, err := kernel.Parse(strings.TrimLeft(`
kernel k(x f32[16*N] in, y f32[16*N*M] out) dims(N, M)
	alloc sq f32[16*N] common
	alloc most f32[N] common
	parallel i < N
		vector l < 16
			sq[16*i+l] = mul(x[16*i+l], x[16*i+l])
		most[i] = max(x[16*i], x[16*i+1])
	parallel m < M
		parallel j < N
			alloc s f32[16] scratch
			vector l2 < 16
				s[l2] = add(sq[16*N-16*j-16+l2], most[N-1-j])
			vector l3 < 16
				y[16*N*m+16*j+l3] = mul(s[l3], f32(m))
`, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	marked := k.Clone()
	kernel.WalkStmts(marked.Body, func(s kernel.Stmt) {
		if l, ok := s.(*kernel.Loop); ok {
			l.Indep = true
		}
	})
	if err := kernel.Verify(marked); err != nil {
		t.Fatal(err)
	}
	for _, level := range levels(t) {
		for _, threads := range []int{1, 3} {
			for _, dims := range [][]int64{{1, 1}, {37, 5}, {8, 0}, {0, 3}} {
				f, err := jit.Compile(t.Context(), marked, level, dims, runtime.WithThreads(threads))
				if err != nil {
					t.Fatal(err)
				}
				x := make([]byte, 64*dims[0])
				for i := range 16 * dims[0] {
					binary.LittleEndian.PutUint32(x[4*i:], math.Float32bits(float32(i*7%23)-9))
				}
				got, want := make([]byte, len(x)*int(dims[1])), make([]byte, len(x)*int(dims[1]))
				if _, err := kernel.Run(marked, [][]byte{x, want}, dims); err != nil {
					t.Fatal(err)
				}
				if err := f.Run([][]byte{x, got}); err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(got, want) {
					t.Errorf("%s: %d threads: dims %v: results differ from those of the interpreter", level,
						threads, dims)
				}
				if err := f.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}
