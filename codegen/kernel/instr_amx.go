package kernel

import (
	"fmt"

	"github.com/tensorcc/tcc/ir"
)

// Instructions of AMX. A tile is 16 rows of 64 bytes in a register.

// TileRows is the number of rows of a tile, and of columns of 32 bits.
const TileRows = 16

// tileInstrs adds the rows: zero, load and store of tiles of each element type
// that they are needed for, and the products of bytes, of each signedness.
func tileInstrs() {
	add := func(shapes [][]int64, format string, args ...any) {
		instrTable = append(instrTable, instrRow{levels: "amx", shapes: shapes,
			text: fmt.Sprintf(format, args...)})
	}
	tile := func(d ir.DType) []int64 { return []int64{TileRows, int64(64 / d.Size())} }
	zero := map[ir.DType]string{ir.I8: "0i8", ir.U8: "0u8", ir.I32: "0i32", ir.BF16: "0x0:bf16",
		ir.F32: "0.0f32"}
	for _, d := range []ir.DType{ir.I8, ir.U8, ir.I32, ir.BF16, ir.F32} {
		n := int64(64 / d.Size())
		for _, r := range []struct{ name, params, value string }{
			{"zero", "y %[1]v[%[2]d] registers out", zero[d]},
			{"load", "x %[1]v[%[2]d] in, y %[1]v[%[2]d] registers out", "x[%[3]d*i+j]"},
			{"store", "x %[1]v[%[2]d] registers in, y %[1]v[%[2]d] out", "x[%[3]d*i+j]"},
		} {
			shapes := [][]int64{tile(d), tile(d)}
			if r.name == "zero" {
				shapes = shapes[:1]
			}
			add(shapes, "kernel tile"+r.name+".%[1]v("+r.params+")\n\tserial i < 16\n"+
				"\t\tvector j < %[3]d\n\t\t\ty[%[3]d*i+j] = "+r.value, d, TileRows*n, n)
		}
	}
	for _, x := range []ir.DType{ir.I8, ir.U8} {
		for _, y := range []ir.DType{ir.I8, ir.U8} {
			add([][]int64{tile(x), tile(y), tile(ir.I32)}, `
kernel %s(a %v[1024] registers in, b %v[1024] registers in, c i32[256] registers in out)
	serial i < 16
		serial k < 16
			vector j < 16
				unroll q < 4
					c[16*i+j] = add(c[16*i+j], mul(i32(a[64*i+4*k+q]), i32(b[64*k+4*j+q])))`,
				TileProduct(x, y), x, y)
		}
	}
}

// TileProduct is the name of the instruction that adds the product of tiles of
// bytes to a tile of i32.
func TileProduct(x, y ir.DType) string {
	letter := map[ir.DType]string{ir.I8: "s", ir.U8: "u"}
	return "tdpb" + letter[x] + letter[y] + "d"
}
