package runtime

import (
	"slices"
	"testing"
	"time"
	"unsafe"
)

// TestPhases: the first tasks are all done before the others begin, whatever the number of threads,
// in memory that all of them see.
func TestPhases(t *testing.T) {
	const n, ahead = 64, 40
	shared := func(bufs []unsafe.Pointer, _ []int64, lo, hi int64, _ unsafe.Pointer) int32 {
		x, y, common := f32s(bufs[0], n), f32s(bufs[1], n), f32s(bufs[2], ahead)
		if lo < ahead && hi > ahead {
			return StatusShape
		}
		for i := lo; i < hi; i++ {
			if i < ahead {
				time.Sleep(time.Microsecond)
				common[i] = 2 * x[i]
				continue
			}
			for _, c := range common {
				y[i-ahead] += c
			}
		}
		return StatusOK
	}
	dims := []Int{n}
	p := &Program{
		Name:    "phases",
		Inputs:  []Port{{Name: "x", DType: F32, Dims: dims}},
		Outputs: []Port{{Name: "y", DType: F32, Dims: dims}},
		Buffers: []Buffer{{Kind: InInput, Size: 4 * n}, {Kind: InOutput, Size: 4 * n}},
		Kernels: []Kernel{{Name: "shared", Variants: []Variant{{Level: LevelGeneric, Go: shared,
			Tasks: ahead + n, Ahead: ahead, Common: 4 * ahead}}}},
		Steps: []Step{&Launch{Bufs: []int{0, 1}, Writes: []int{1}, Cost: 1e8}},
	}
	for _, threads := range []int{1, 2, 5} {
		m, err := New(p, nil, WithLevel(LevelGeneric), WithThreads(threads))
		if err != nil {
			t.Fatal(err)
		}
		for round := range 20 {
			x, y, want := make([]float32, n), make([]float32, n), float32(0)
			for i := range x {
				if x[i] = float32(i + round); i < ahead {
					want += 2 * x[i]
				}
			}
			if err := m.RunInto([]*Tensor{MustFrom(y, n)}, []*Tensor{MustFrom(x, n)}); err != nil {
				t.Fatal(err)
			}
			if i := slices.IndexFunc(y, func(v float32) bool { return v != want }); i >= 0 {
				t.Fatalf("%d threads: y[%d] = %v, want %v", threads, i, y[i], want)
			}
		}
		if got := m.WorkingBytes(); got < 4*ahead {
			t.Errorf("working memory of %d bytes, want those that tasks share", got)
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
