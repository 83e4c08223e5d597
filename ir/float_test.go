package ir

import (
	"math"
	"testing"
)

func TestSmallFloats(t *testing.T) {
	for _, d := range []DType{F16, BF16, F8E4M3, F8E5M2} {
		f := d.format()
		for b := range uint32(2 * uint32(f.sign())) {
			v := f.decode(uint16(b))
			if v != v {
				if got := f.encode(v); f.decode(got) == f.decode(got) {
					t.Errorf("%v: encode(NaN) = %#x", d, got)
				}
				continue
			}
			if got := f.encode(v); got != uint16(b) {
				t.Fatalf("%v: encode(decode(%#x) = %v) = %#x", d, b, v, got)
			}
			// Halfway to the next code the even one wins; just above, the next.
			if mag := b &^ uint32(f.sign()); v > 0 && mag+1 < uint32(f.overflow()) {
				next := f.decode(uint16(b + 1))
				mid := (v + next) / 2
				if got, want := f.encode(mid), uint16(b+b&1); got != want {
					t.Fatalf("%v: encode(%v) = %#x, want %#x", d, mid, got, want)
				}
				if got := f.encode(math.Nextafter(mid, next)); got != uint16(b+1) {
					t.Fatalf("%v: above the middle of %#x: %#x", d, b, got)
				}
			}
		}
	}
	for _, c := range []struct {
		d    DType
		x    float64
		want uint16
	}{
		{F16, 65504, 0x7bff}, {F16, 65519.9, 0x7bff}, {F16, 65520, 0x7c00}, {F16, -1e30, 0xfc00},
		{F16, 0x1p-24, 1}, {F16, 0x1p-25, 0}, {F16, 0x1.8p-25, 1}, {BF16, math.MaxFloat32, 0x7f80},
		{F8E4M3, 448, 0x7e}, {F8E4M3, 464, 0x7e}, {F8E4M3, 465, 0x7f}, {F8E4M3, math.Inf(-1), 0xff},
		{F8E5M2, 57344, 0x7b}, {F8E5M2, 61440, 0x7c},
	} {
		if got := c.d.format().encode(c.x); got != c.want {
			t.Errorf("%v: encode(%v) = %#x, want %#x", c.d, c.x, got, c.want)
		}
	}
	for b := range uint32(1 << 16) {
		v, w := F16Value(uint16(b)), float32(formatF16.decode(uint16(b)))
		if math.Float32bits(v) != math.Float32bits(w) && v == v {
			t.Fatalf("F16Value(%#x) = %v, want %v", b, v, w)
		}
		v, w = BF16Value(uint16(b)), float32(formatBF16.decode(uint16(b)))
		if math.Float32bits(v) != math.Float32bits(w) && v == v {
			t.Fatalf("BF16Value(%#x) = %v, want %v", b, v, w)
		}
	}
}
