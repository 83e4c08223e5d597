package kernel

import (
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// TestFactsOrder: the index of rows that a task packs is in bounds, which is seen
// where the inner loops, whose number depends on the task, are removed before
// the task itself, whatever the names of the loops.
func TestFactsOrder(t *testing.T) {
	for _, names := range [][]string{
		{"m", "mt", "mr", "mri", "k", "q", "kg"}, {"a", "b", "c", "d", "e", "f", "g"},
		{"g", "f", "e", "d", "c", "b", "a"}} {
		f := NewFacts()
		task := ir.Sym(names[0])
		for i, extent := range []ir.Dim{ir.Const(2),
			ir.DimOp('<', ir.Const(16).Sub(task.MulConst(10)), ir.Const(10)),
			ir.Const(2), ir.Const(16), ir.Const(16), ir.Const(2), ir.Const(16)} {
			f.Loop(names[i], extent)
		}
		index := ir.Const(0)
		for i, stride := range []int64{163840, 16384, 8192, 512, 32, 16, 1} {
			index = index.Add(ir.Sym(names[i]).MulConst(stride))
		}
		if !f.InBounds(index, ir.Const(512*512)) {
			t.Errorf("%v: %v is not seen to be in bounds", names, index)
		}
		if f.InBounds(index.AddConst(1), ir.Const(512*512)) {
			t.Errorf("%v: one more is in bounds", names)
		}
	}
}
