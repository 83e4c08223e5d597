package kernel

import (
	"fmt"
	"slices"

	"github.com/tensorcc/tcc/ir"
)

// Transposition is the instruction that reads n rows of m elements and writes
// the columns as rows, in registers, where those are vectors; nil where there
// is none. Its operands are the result, of shape [m, n], and the source, [n, m];
// the last stride of both is 1. n is 4, 8 or 16; m is n, or 4 where vectors of n have
// 32 bytes and more and those of 4 have 16 or more, or two or four times n where those of
// n have 16: the rows of the result then
// lie one behind the other.
func Transposition(n, m int64, d ir.DType) *Instr { return Instrs[transpositionName(n, m, d)] }

func transpositionName(n, m int64, d ir.DType) string {
	if n == m {
		return fmt.Sprintf("transpose%d.%v", n, d)
	}
	return fmt.Sprintf("transpose%dx%d.%v", n, m, d)
}

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
			bytes := n * int64(d.Size())
			if bytes < 16 || bytes > 64 {
				continue
			}
			for _, m := range slices.Compact([]int64{4, n, 2 * n, 4 * n}) {
				if m < n && (bytes < 32 || m*int64(d.Size()) < 16) || m > n && bytes > 16 {
					continue
				}
				instrTable = append(instrTable, instrRow{
					levels: levels(max(m, n) * int64(d.Size())), shapes: [][]int64{{m, n}, {n, m}},
					text: fmt.Sprintf("kernel %[1]s(y %[2]v[%[3]d] out, x %[2]v[%[3]d] in)\n"+
						"\tserial i < %[4]d\n\t\tserial j < %[5]d\n\t\t\ty[%[5]d*i+j] = x[%[4]d*j+i]",
						transpositionName(n, m, d), d, n*m, m, n)})
			}
		}
	}
}
