package peak

import (
	goruntime "runtime"
	"testing"
	"time"

	"github.com/tensorcc/tcc/codegen/kernel"
	"github.com/tensorcc/tcc/codegen/llvm"
	"github.com/tensorcc/tcc/codegen/schedule"
	"github.com/tensorcc/tcc/ir"
)

// TestTrials checks the trees at every level that has vectors.
func TestTrials(t *testing.T) {
	for _, target := range schedule.Targets {
		if target.Vector == 0 {
			continue
		}
		var all []*trial
		for _, d := range []ir.DType{ir.F32, ir.F64} {
			tr, err := fmaTrial(target, d, 2)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, tr)
		}
		for i := range memoryKinds {
			tr, err := memoryTrial(target, i)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, tr)
		}
		for _, tr := range all {
			if err := kernel.Verify(tr.kernel); err != nil {
				t.Errorf("%s: %s: %v", target.Name, tr.kernel.Name, err)
			}
		}
	}
}

// TestMeasure holds the rates against what no machine exceeds, as they would be if LLVM had found
// a way to do less than the trees say.
func TestMeasure(t *testing.T) {
	if _, err := llvm.Find(); err != nil {
		t.Skip(err)
	}
	p, err := Measure(t.Context(), Options{Threads: []int{1}, Time: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	if p.Handover != 0 {
		t.Errorf("one thread hands over in %g s", p.Handover)
	}
	const (
		clock = 7e9 // Hz
		units = 4   // multiply-adds of vectors in a cycle
	)
	for _, c := range p.Compute {
		size := 4
		if c.DType == "f64" {
			size = 8
		}
		most := float64(2 * schedule.Targets[c.Level].Vector / size * units * clock)
		if c.FLOPS <= 0 || c.FLOPS > most {
			t.Errorf("%s %s: %g FLOP/s, at most %g can be", c.Level, c.DType, c.FLOPS, most)
		}
		if got := p.FLOPS(c.Level, ir.F32, 1); got <= 0 {
			t.Errorf("no peak of %s", c.Level)
		}
	}
	if b := p.Bandwidth(1); b < 1e8 || b > 1e13 {
		t.Errorf("bandwidth of %g bytes a second", b)
	}
	if len(p.Memory) != len(memoryKinds) {
		t.Errorf("%d rates of memory, wanted %d", len(p.Memory), len(memoryKinds))
	}
}

// TestHandover holds the time between two cores against that of light and that of a system that
// runs them in turn.
func TestHandover(t *testing.T) {
	got := handover()
	if min(goruntime.GOMAXPROCS(0), goruntime.NumCPU()) < 2 {
		if got != 0 {
			t.Errorf("%g s on one core, wanted 0", got)
		}
		return
	}
	if got < 1e-10 || got > 0.1 {
		t.Errorf("%g s", got)
	}
}
