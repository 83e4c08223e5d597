package kernel

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Instructions that lay g rows of w elements out column by column, converted:
// they pack columns for the instructions that multiply groups, and parts of f32
// for tiles, of which a row is g pieces of w elements.

// Interleave is the name of the instruction; part is that of f32 as several bf16
// which it takes, counted from one, see SplitProduct; 0: all.
func Interleave(from, to ir.DType, part int, g, w int64) string {
	if part > 0 {
		return fmt.Sprintf("interleave.%v.%v.%d.%dx%d", from, to, part, g, w)
	}
	return fmt.Sprintf("interleave.%v.%v.%dx%d", from, to, g, w)
}

func interleaveInstrs() {
	const vnni, v4, v3 = "avx512-vnni avx512-bf16 amx", "x86-64-v4 " + "avx512-vnni avx512-bf16 amx",
		"x86-64-v3 x86-64-v4 avx512-vnni avx512-bf16 amx"
	for _, r := range []struct {
		levels   string
		from, to ir.DType
		parts    int
		g, w     int64
	}{
		{vnni, ir.I8, ir.I8, 0, 4, 16},
		{vnni, ir.U8, ir.U8, 0, 4, 16},
		{v4, ir.I8, ir.I16, 0, 2, 16},
		{v4, ir.U8, ir.I16, 0, 2, 16},
		{v4, ir.I16, ir.I16, 0, 2, 16},
		{v3, ir.I8, ir.I16, 0, 2, 8},
		{v3, ir.U8, ir.I16, 0, 2, 8},
		{v3, ir.I16, ir.I16, 0, 2, 8},
		{"avx512-bf16 amx", ir.F32, ir.BF16, 0, 2, 16},
		{v4, ir.F32, ir.BF16, 3, 2, 16},
	} {
		b := &Buffer{Name: "x", DType: r.from}
		for part := min(r.parts, 1); part <= r.parts; part++ {
			x := Load(b, ir.Sym("q").MulConst(r.w).Add(ir.Sym("i")))
			value := CastExpr(r.to, x)
			if part > 0 {
				value = bf16Part(x, part-1, r.parts)
			}
			n := r.g * r.w
			text := fmt.Sprintf("kernel %s(x %v[%d] in, y %v[%d] out)\n\tvector i < %d\n"+
				"\t\tunroll q < %d\n\t\t\ty[%d*i+q] = %s", Interleave(r.from, r.to, part, r.g, r.w),
				r.from, n, r.to, n, r.w, r.g, r.g, exprText(value))
			instrTable = append(instrTable, instrRow{levels: r.levels,
				shapes: [][]int64{{r.g, r.w}, {r.w, r.g}}, text: text})
		}
	}
}
