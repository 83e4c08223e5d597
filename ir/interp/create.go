package interp

import (
	"math/bits"

	"github.com/tensorcc/tcc/ir"
)

// Operations that make elements from their coordinates.

func evalIota(c *call, out *Tensor) error {
	_, n, inner := split(out.Shape, c.v.Attr.(*ir.IotaAttr).Axis)
	return chunks(c.m.ctx, out.Len(), func(lo, hi int) {
		var buf [chunk]int64
		for i := lo; i < hi; i++ {
			buf[i-lo] = int64(i / inner % n)
		}
		store(out, lo, buf[:hi-lo])
	})
}

// evalRandomBits: block i of four words is Philox of the 128-bit counter whose
// low half is y+i, wrapping there, and whose high half is zero.
func evalRandomBits(c *call, out *Tensor) error {
	key, first := Elements[uint64](c.arg(0))[0], Elements[uint64](c.arg(1))[0]
	dst := Elements[uint32](out)
	for i := 0; i < len(dst); i += 4 {
		n := first + uint64(i/4)
		words := philox([4]uint32{uint32(n), uint32(n >> 32)}, [2]uint32{uint32(key), uint32(key >> 32)})
		copy(dst[i:], words[:])
	}
	return c.m.ctx.Err()
}

// philox is Philox4x32-10: J. Salmon et al., Parallel Random Numbers: As Easy
// as 1, 2, 3, SC11.
func philox(ctr [4]uint32, key [2]uint32) [4]uint32 {
	for range 10 {
		hi0, lo0 := bits.Mul32(0xD2511F53, ctr[0])
		hi1, lo1 := bits.Mul32(0xCD9E8D57, ctr[2])
		ctr = [4]uint32{hi1 ^ ctr[1] ^ key[0], lo1, hi0 ^ ctr[3] ^ key[1], lo0}
		key[0] += 0x9E3779B9
		key[1] += 0xBB67AE85
	}
	return ctr
}
