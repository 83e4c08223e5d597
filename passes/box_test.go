package passes

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tensorcc/tcc/ir"
	"github.com/tensorcc/tcc/ir/interp"
)

// TestArrange compares transposes of constants that are not aligned, of every size of element
// and around the extents of blocks, with the interpreter's.
func TestArrange(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	extents := []int64{1, 2, 3, 5, boxColumns - 1, boxColumns, boxColumns + 1, boxRows, boxRows + 1}
	dtypes := []ir.DType{ir.I8, ir.F16, ir.F32, ir.F64}
	for i := range 400 {
		shape, perm := make([]int64, r.IntN(5)), []int(nil)
		for n := int64(1); perm == nil || n > 1<<18; {
			n, perm = 1, r.Perm(len(shape))
			for j := range shape {
				shape[j] = extents[r.IntN(len(extents))]
				n *= shape[j]
			}
		}
		l := unaligned(r, dtypes[i%len(dtypes)], shape)
		g := ir.NewGraph("g")
		c := g.Must(ir.Pos{}, ir.OpConst, &ir.ConstAttr{Value: l})
		v := g.Must(ir.Pos{}, ir.OpTranspose, &ir.PermAttr{Perm: perm}, c)
		in, err := interp.FromLiteral(l)
		if err != nil {
			t.Fatal(err)
		}
		want, err := interp.Eval(v, []*interp.Tensor{in})
		if err != nil {
			t.Fatal(err)
		}
		got := arrange(v)
		if !bytes.Equal(got.Data, want[0].Data) || !slices.Equal(got.Shape, want[0].Shape) {
			t.Errorf("%v%v transposed by %v is not what the interpreter has", l.DType, shape, perm)
		}
	}
}

// unaligned is a literal of random bytes that begins at an odd address.
func unaligned(r *rand.Rand, d ir.DType, shape []int64) *ir.Literal {
	l := &ir.Literal{DType: d, Shape: shape}
	l.Data = make([]byte, l.Size()*int64(d.Size())+1)[1:]
	for i := range l.Data {
		l.Data[i] = byte(r.Uint32())
	}
	return l
}

// TestPackLiteral has each element of panels where their documentation says.
func TestPackLiteral(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int64{8, 15, 16, 17, 32, 50, 16 * boxRows, 16*boxRows + 24} {
		for _, k := range []int64{1, 2, boxRows + 3} {
			for _, trans := range []bool{false, true} {
				for _, d := range []ir.DType{ir.BF16, ir.F32, ir.F64} {
					checkPanels(t, unaligned(r, d, []int64{k, n}), k, n, trans)
				}
			}
		}
	}
}

func checkPanels(t *testing.T, l *ir.Literal, k, n int64, trans bool) {
	size := int64(l.DType.Size())
	p := packLiteral(l, k, n, trans)
	if want := []int64{(n + 15) / 16, k, 16}; !slices.Equal(p.Shape, want) {
		t.Fatalf("panels of %d rows and %d columns are %v, want %v", k, n, p.Shape, want)
	}
	data := p.Bytes()
	for row := range k {
		for column := range p.Shape[0] * 16 {
			at := column/16*k*16 + row*16 + column%16
			want := make([]byte, size)
			if from := row*n + column; column < n {
				if trans {
					from = column*k + row
				}
				want = l.Data[from*size:][:size]
			}
			if !bytes.Equal(data[at*size:][:size], want) {
				t.Fatalf("panels of %v, %d rows and %d columns, transposed %v: element %d,%d is wrong",
					l.DType, k, n, trans, row, column)
			}
		}
	}
}
