package kernel

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Transposition is the instruction that reads n rows of n elements and writes
// the columns as rows, in registers, where rows are vectors; nil where there
// is none. Its operands are the result and the source, both of shape [n, n];
// the last stride of both is 1. n is 4, 8 or 16.
func Transposition(n int64, d ir.DType) *Instr { return Instrs[fmt.Sprintf("transpose%d.%v", n, d)] }

// transpositions adds the rows, those whose vectors a level has to it.
func transpositions() {
	levels := func(bytes int64) string {
		l := "x86-64-v4 avx512-vnni avx512-bf16 amx"
		if bytes <= 32 {
			l += " x86-64-v3"
		}
		if bytes <= 16 {
			l += " arm64"
		}
		return l
	}
	for _, n := range []int64{4, 8, 16} {
		for d := ir.Bool; d <= ir.F64; d++ {
			if bytes := n * int64(d.Size()); bytes >= 16 && bytes <= 64 {
				instrTable = append(instrTable, instrRow{levels: levels(bytes), shapes: [][]int64{{n, n}, {n, n}},
					text: fmt.Sprintf("kernel transpose%[1]d.%[2]v(y %[2]v[%[3]d] out, x %[2]v[%[3]d] in)\n"+
						"\tserial i < %[1]d\n\t\tserial j < %[1]d\n\t\t\ty[%[1]d*i+j] = x[%[1]d*j+i]", n, d, n*n)})
			}
		}
	}
}
