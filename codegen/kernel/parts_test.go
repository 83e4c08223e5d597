package kernel

import (
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tensorcc/tcc/ir"
)

// TestSplitProduct: three parts of each factor are the factor, so that the sum
// of six products has the error of sums alone; fission keeps it.
func TestSplitProduct(t *testing.T) {
	k := parse(t, `
		kernel mm(a f32[5*64] in, b f32[64*6] in, c f32[5*6] out)
			serial m < 5
				serial n < 6
					alloc acc f32[1] local
					acc[0] = 0.0f32
					serial k < 64
						acc[0] = fma(a[64*m+k], b[6*k+n], acc[0])
					c[6*m+n] = acc[0]
	`)
	r := rand.New(rand.NewPCG(1, 2))
	random := func(n int) (bits []byte, v []float32) {
		for range n {
			f := float32(r.NormFloat64())
			bits, v = binary.LittleEndian.AppendUint32(bits, math.Float32bits(f)), append(v, f)
		}
		return bits, v
	}
	ab, av := random(5 * 64)
	bb, bv := random(64 * 6)
	limits := []float64{1 << 16, 1 << 8, 3} // in 2^-24 of the sum of magnitudes, for 1, 2, 3 parts
	for parts := 1; parts <= 3; parts++ {
		s := apply(t, k, func(k *Kernel) error {
			xs, ys, err := k.SplitProduct("k", parts)
			if err != nil || len(xs) != parts || len(ys) != parts {
				t.Errorf("%d and %d parts, %v", len(xs), len(ys), err)
			}
			scopes, nests, err := k.FissionSums([]string{"k"})
			if want := parts * (parts + 1) / 2; err == nil && (len(scopes) != want || nests[0][0] != "k") {
				t.Errorf("%d nests %v, want %d", len(scopes), nests, want)
			}
			return err
		})
		out := make([]byte, 5*6*4)
		if _, err := Run(s, [][]byte{ab, bb, out}, nil); err != nil {
			t.Fatal(err)
		}
		for i := range 30 {
			var want, sum float64
			for j := range 64 {
				p := float64(av[i/6*64+j]) * float64(bv[j*6+i%6])
				want, sum = want+p, sum+math.Abs(p)
			}
			got := math.Float32frombits(binary.LittleEndian.Uint32(out[4*i:]))
			if e := math.Abs(float64(got) - want); e > math.Ldexp(sum*limits[parts-1], -24) {
				t.Errorf("%d parts: [%d] = %v, want %v: error %g", parts, i, got, want, e/sum)
			}
		}
	}
	for _, parts := range []int{0, 4} {
		if _, _, err := k.Clone().SplitProduct("k", parts); err == nil {
			t.Errorf("%d parts: no error", parts)
		}
	}
	_, _, err := k.Clone().SplitProduct("n", 2)
	if err == nil || !strings.Contains(err.Error(), "statements") {
		t.Errorf("loop with other statements: %v", err)
	}
	if _, _, err := k.Clone().FissionSums([]string{"m", "n"}); err == nil {
		t.Error("fission of other statements: no error")
	}
}

func TestFoldAhead(t *testing.T) {
	k := parse(t, `
		kernel f(x f32[N*M] in, y f32[N*M] out) dims(N, M)
			serial i < N
				serial j < M
					y[i*M+j] = x[i*M+j]
	`)
	whole := parse(t, `
		kernel f(x f32[N*M] in, y f32[N*M] out) dims(N, M)
			serial i < N
				alloc top f32[1] local
				top[0] = 0xff800000:f32
				serial j2 < M
					top[0] = max(top[0], x[i*M+j2])
				serial j < M
					y[i*M+j] = sub(x[i*M+j], top[0])
	`)
	r := apply(t, k, func(k *Kernel) error {
		if _, err := k.Split("j", "l", 4, Pad); err != nil {
			return err
		}
		st := k.Loop("l").Body[0].(*If).Then[0].(*Store)
		load := LoadIf(st.Value.Buf, st.Value.Index, k.Loop("l").Body[0].(*If).Cond,
			ConstExpr(ir.F32, uint64(math.Float32bits(float32(math.Inf(-1))))))
		top, start, loops, err := k.FoldAhead("i", load, "top", ir.OpMax, []Axis{
			{Var: "j", Extent: ir.Sym("M").CeilDiv(ir.Const(4))}, {Var: "l", Extent: ir.Const(4)}})
		if err != nil {
			return err
		}
		for _, v := range []string{start, loops[1]} {
			if err := k.Bind(v, Vector); err != nil {
				return err
			}
		}
		st = k.Loop("l").Body[0].(*If).Then[0].(*Store)
		st.Value = OpExpr(ir.OpSub, st.Value, Load(top, ir.Const(0)))
		return nil
	})
	for _, d := range [][]int64{{3, 9}, {2, 8}, {1, 1}, {2, 0}} {
		same(t, whole, r, d...)
	}
	if _, _, _, err := k.Clone().FoldAhead("i", k.Loop("j").Body[0].(*Store).Value, "top", ir.OpMax,
		[]Axis{{Var: "j", Extent: ir.Sym("M")}}); err == nil {
		t.Error("partial results for a symbol: no error")
	}
}

func TestSpillWhole(t *testing.T) {
	k := parse(t, `
		kernel s(x f32[6] in, y f32[6] out)
			alloc t f32[8] local
			serial i < 8
				t[i] = 1.0f32
			serial j < 6
				if lt(j, 3)
					y[j] = add(x[j], t[j])
				if ge(j, 3)
					y[j] = t[j+2]
	`)
	r := apply(t, k, func(k *Kernel) error {
		_, err := k.SpillWhole("j", "t")
		return err
	})
	if strings.Contains(r.String(), "if lt(j_2") {
		t.Errorf("copied under a condition:\n%v", r)
	}
	other := parse(t, strings.Replace(k.String(), "j+2", "j-3", 1))
	if _, err := other.SpillWhole("j", "t"); err == nil {
		t.Error("elements that are not there: no error")
	}
}
