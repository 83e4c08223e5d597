package tensor_test

import (
	"math"
	"slices"
	"testing"

	"github.com/tensorcc/tcc/frontend/tensor"
)

// TestPhilox has the known answers for the key and counter 0, from the
// Random123 distribution (kat_vectors).
func TestPhilox(t *testing.T) {
	words := []uint32{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}
	f32 := tensor.MustData[float32](tensor.Rand(tensor.NewKey(0), tensor.F32, 4))
	for i, w := range words {
		if want := float32(w>>8) / (1 << 24); f32[i] != want {
			t.Errorf("f32 number %d is %v, want %v", i, f32[i], want)
		}
	}
	f64 := tensor.MustData[float64](tensor.Rand(tensor.NewKey(0), tensor.F64, 2))
	for i := range f64 {
		w := uint64(words[2*i]) | uint64(words[2*i+1])<<32
		if want := float64(w>>11) / (1 << 53); f64[i] != want {
			t.Errorf("f64 number %d is %v, want %v", i, f64[i], want)
		}
	}
}

// TestNormal compares with the inverse of the distribution function.
func TestNormal(t *testing.T) {
	k := tensor.NewKey(42)
	const n = 200_000
	u := tensor.MustData[float64](tensor.Rand(k, tensor.F64, n))
	x := tensor.MustData[float64](tensor.Randn(k, tensor.F64, n))
	sum, square := 0.0, 0.0
	for i, u := range u {
		u += 0x1p-54
		want := math.Sqrt2 * math.Erfinv(2*u-1)
		if u < 0.001 || u > 0.999 { // 2u-1 has lost digits
			want = x[i]
		}
		if math.Abs(x[i]-want) > 1e-13*(1+math.Abs(want)) {
			t.Fatalf("at %v: %v, want %v", u, x[i], want)
		}
		sum, square = sum+x[i], square+x[i]*x[i]
	}
	// Five standard deviations of the estimates.
	if mean, variance := sum/n, square/n; math.Abs(mean) > 5/math.Sqrt(n) ||
		math.Abs(variance-1) > 5*math.Sqrt(2.0/n) {
		t.Errorf("mean %v, variance %v", mean, variance)
	}
}

// TestRandomFunctions has the ranges of the others, and what they depend on.
func TestRandomFunctions(t *testing.T) {
	k := tensor.NewKey(7)
	ks := k.Split(3)
	i := tensor.MustData[int64](tensor.Randint(ks[0], -2, 3, 1000))
	if slices.Min(i) != -2 || slices.Max(i) != 2 {
		t.Errorf("integers from %d to %d, want -2 to 2", slices.Min(i), slices.Max(i))
	}
	p := slices.Sorted(slices.Values(tensor.MustData[int64](tensor.Permutation(ks[1], 100))))
	for at, v := range p {
		if v != int64(at) {
			t.Fatalf("no permutation: sorted %v", p)
		}
	}
	kept := tensor.MustItem[float64](tensor.Ones(tensor.F64, 10000).Dropout(ks[2], 0.25).Mean())
	if math.Abs(kept-1) > 0.03 {
		t.Errorf("the mean after dropout is %v", kept)
	}
	draws := tensor.Of([]float64{1, 0, 3}).Multinomial(k, 10000)
	got := tensor.MustData[int64](draws.OneHot(3, tensor.I64).Sum(0))
	if got[1] != 0 || math.Abs(float64(got[0])-2500) > 250 {
		t.Errorf("draws %v, want about 2500, 0, 7500", got)
	}
	if a, b := tensor.Rand(ks[0], tensor.F32, 8), tensor.Rand(ks[1], tensor.F32, 8); tensor.
		MustItem[bool](a.Eq(b).Any()) {
		t.Errorf("keys of a split have equal numbers: %v, %v", a, b)
	}
}

// TestKeyOf has the same numbers whether a key is a number or an argument.
func TestKeyOf(t *testing.T) {
	draw := func(k tensor.Key) tensor.Tensor {
		return tensor.Randn(k.Fold(3).Split(2)[1], tensor.F32, 5)
	}
	f, err := tensor.Jit(func(seed tensor.Tensor) tensor.Tensor { return draw(tensor.KeyOf(seed)) },
		"seed=u64")
	if err != nil {
		t.Fatal(err)
	}
	for _, seed := range []uint64{0, 99, 1 << 63} {
		got := f(tensor.Of(seed))
		if w := draw(tensor.NewKey(seed)); !tensor.MustItem[bool](got.Eq(w).All()) {
			t.Errorf("seed %d: %v, want %v", seed, got, w)
		}
	}
}
