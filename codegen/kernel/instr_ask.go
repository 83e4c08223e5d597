package kernel

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Asking is the instruction that asks for the line of memory in which an element
// lies, so that it is in the second cache when it is read some time later. It
// computes nothing, and the element may lie outside of its buffer.
func Asking(d ir.DType) *Instr { return Instrs["ask."+d.String()] }

// askInstrs adds the rows.
func askInstrs() {
	for d := ir.Bool; d <= ir.F64; d++ {
		instrTable = append(instrTable, instrRow{
			levels: "x86-64-v3 x86-64-v4 avx512-vnni avx512-bf16 amx arm64", shapes: [][]int64{{}},
			text: fmt.Sprintf("kernel ask.%[1]v(x %[1]v[1] in)\n", d)})
	}
}
